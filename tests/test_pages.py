"""Payloads in all that a student writes are shown in a real browser, and none of them runs."""

import base64
import re
from pathlib import Path

import nbgrader
import pytest
from bs4 import BeautifulSoup
from in_browser import CHROMIUM
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from traitlets.config import Config

from classroom import course

FORMGRADER = Path(nbgrader.__file__).parent / "server_extensions" / "formgrader"

RUN = "console.error('it:ran',location.href)"  # no blank: it may stand without quotes
ENCODED = base64.b64encode(f"<script>{RUN}</script>".encode()).decode()
SVG = f'<svg xmlns="http://www.w3.org/2000/svg" onload="{RUN}"><script>{RUN}</script></svg>'

MARKDOWN = [
    f"<script>{RUN}</script>",
    f'<img src=x onerror="{RUN}">',
    f'<svg onload="{RUN}"></svg>',
    f"<svg><script>{RUN}</script></svg>",
    f'<svg><animate onbegin="{RUN}" attributeName=x dur=1s></svg>',
    f'<details open ontoggle="{RUN}">x</details>',
    f'<body onload="{RUN}">',
    f'<iframe srcdoc="<script>{RUN}</script>"></iframe>',
    f'<iframe src="data:text/html;base64,{ENCODED}"></iframe>',
    f'<object data="data:text/html;base64,{ENCODED}"></object>',
    f'<embed src="data:text/html;base64,{ENCODED}">',
    f'<input autofocus onfocus="{RUN}">',
    f'<video><source onerror="{RUN}"></video>',
    f"<style>@import 'http://beacon.invalid/style';</style><style onload=\"{RUN}\"></style>",
    f'<math><mtext></form><form><mglyph><style></math><img src=x onerror="{RUN}">',
    f'<noscript><p title="</noscript><img src=x onerror={RUN}>">',
    f'<a href="javascript:{RUN}">x</a>',
    f'<a href=" jav&#x09;ascript:{RUN}">x</a>',
    f'<a href="data:text/html;base64,{ENCODED}">x</a>',
    f"[x](javascript:{RUN})",
    f'![x](" onerror="{RUN})',
    f'![x](x"onerror="{RUN}")',
    f"`<script>{RUN}</script>`",
    f"$<script>{RUN}</script>$",
    f'$$\n<img src=x onerror="{RUN}">\n$$',
    f'<pre><code class="language-x"><img src=x onerror={RUN}></code></pre>',
    f"```<script>{RUN}</script>\n<script>{RUN}</script>\n```",
    f'# <img src=x onerror="{RUN}">',
    f'<meta http-equiv="refresh" content="0;url=data:text/html;base64,{ENCODED}">',
    '<base href="http://beacon.invalid/"><script src="x.js"></script>',
    "![x](http://beacon.invalid/picture.png)",
    '<img src="http://beacon.invalid/picture.png">',
    '<link rel=stylesheet href="http://beacon.invalid/style.css">',
    '<p style="background: url(http://beacon.invalid/style.png)">x</p>',
    f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    f'<div><a href="#" onmouseover="{RUN}" id="submission_id" name="base_url">x</a></div>',
    f'<img src="data:image/svg+xml;base64,{base64.b64encode(SVG.encode()).decode()}">',
]
MIMEBUNDLES = [
    {"text/html": f'<script>{RUN}</script><img src=x onerror="{RUN}">'},
    {"text/markdown": f'<img src=x onerror="{RUN}">'},
    {"image/svg+xml": SVG},
    {"image/svg+xml": f'"><script>{RUN}</script>'},
    {"text/vnd.mermaid": f'</pre><img src=x onerror="{RUN}">'},
    {"application/javascript": RUN},
    {"application/vnd.jupyter.widget-view+json": {"model_id": f"</script><script>{RUN}</script>"}},
    {"image/png": f'" onerror="{RUN}'},
    {"text/latex": f'<img src=x onerror="{RUN}">'},
    {"text/plain": f'<img src=x onerror="{RUN}">'},
]
METADATA = [
    {"image/png": {key: f"1 onerror={RUN} "}} for key in ("width", "height", "alt", "unconfined")
]
HARMLESS = "# A heading\n\n*Why* it **works**: [see](https://example.org), `code`, $x<y$\n\n" + (
    "| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nx = 1\n```"
)


TAG = "\"><script>console.error('it:ran')</script>"  # no comma
LANGUAGE = {"name": f'x"><script>{RUN}</script>'}


def payloads():
    """Return executed cells, each with one payload where a student can write it."""
    solution = {"nbgrader": {"grade": False, "solution": True, "grade_id": "a", "comment": ""}}
    raw = {"raw_mimetype": "text/html"}
    outputs = [new_output("display_data", data) for data in MIMEBUNDLES]
    outputs += [new_output("display_data", {"image/png": "eA=="}, metadata=m) for m in METADATA]
    isolated = {"text/html": {"isolated": True}}
    outputs.append(new_output("display_data", MIMEBUNDLES[0], metadata=isolated))
    outputs.append(new_output("stream", text=MARKDOWN[0]))
    said = {"ename": MARKDOWN[0], "evalue": MARKDOWN[1], "traceback": MARKDOWN[:2]}
    outputs.append(new_output("error", **said))
    cells = [new_markdown_cell(source) for source in MARKDOWN]
    cells += [new_markdown_cell(source, metadata=solution) for source in MARKDOWN[:9]]
    cells += [new_raw_cell(source, metadata=raw) for source in MARKDOWN[:9]]
    cells += [new_markdown_cell("![x](attachment:x)", attachments={"x": {"image/svg+xml": SVG}})]
    cells += [new_code_cell(MARKDOWN[0], outputs=[output]) for output in outputs]
    named = {"tags": [TAG], "magics_language": MARKDOWN[0]}
    cells += [new_code_cell("1", metadata=named)]
    return cells


def exporter(template, config):
    """Return what makes nbgrader's feedback, or Formgrader's pages for the teacher."""
    config.HTMLExporter.template_name = template
    config.HTMLExporter.extra_template_basedirs = [str(FORMGRADER / "templates")]
    bootstrap = FORMGRADER / "static" / "node_modules" / "bootstrap" / "dist" / "css"
    config.HTMLExporter.extra_template_paths = [str(bootstrap)]
    return HTMLExporter(config=config)


def converted(cells, exporter):
    told = {"notebook": "01_forward", "score": 1, "max_score": 5, "late_penalty": 0}
    resources = {"nbgrader": told, "notebook_id": "01_forward", "index": 0, "total": 1}
    written = {"language_info": LANGUAGE, "title": MARKDOWN[0]}
    notebook = new_notebook(cells=cells, metadata=written)
    return exporter.from_notebook_node(notebook, resources=resources)[0]


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setattr(course, "COURSE", tmp_path)
    return course.configure(Config())


def opened(page, pages, folder):
    """Open pages as from a folder; return those that ran something or asked another machine."""
    page.route(re.compile("^https?://"), lambda route: route.abort())
    for number, content in enumerate(pages):
        (folder / f"{number}.html").write_text(content, encoding="utf-8")
    frames = "".join(f'<iframe src="{number}.html"></iframe>' for number in range(len(pages)))
    (folder / "all.html").write_text(frames, encoding="utf-8")
    page.goto((folder / "all.html").as_uri())
    page.wait_for_timeout(2000)
    ran = {said for said in page.complaints if "it:ran" in said}
    return ran | {url for url in page.requests if "beacon" in url}


TEMPLATES = pytest.mark.parametrize("template", ["feedback", "formgrade"])
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


@needs_chromium
@TEMPLATES
def test_nothing_that_a_student_wrote_runs(template, settings, page, tmp_path):
    whole = converted(payloads(), exporter(template, settings))
    assert opened(page, [whole], tmp_path) == set()


@pytest.mark.slow
@needs_chromium
def test_the_payloads_run_where_nothing_is_cleaned(page, tmp_path):
    """One on a page: some would keep the next from running."""
    careless = exporter("feedback", Config())
    assert len(opened(page, [converted([cell], careless) for cell in payloads()], tmp_path)) >= 30


@TEMPLATES
def test_no_element_of_a_page_could_run_something(template, settings):
    careful = exporter(template, settings)
    own, page = (
        BeautifulSoup(converted(cells, careful), "html.parser").body for cells in ([], payloads())
    )

    def handlers(body):
        return [name for e in body.find_all(True) for name in e.attrs if name.startswith("on")]

    assert handlers(page) == handlers(own)
    for name in ("script", "svg", "object", "embed", "style", "link", "meta", "base", "form"):
        assert len(page.find_all(name)) == len(own.find_all(name)), name
    for frame in page.find_all("iframe"):  # of an output that is to stand alone
        inside = base64.b64decode(frame["src"].partition("base64,")[2]).decode()
        assert BeautifulSoup(inside, "html.parser").find(True) is None
    assert all(re.match("https?:|mailto:|#|/|$", e["href"]) for e in page.select("[href]"))
    assert all(re.match("data:image/", e["src"]) for e in page.select("img[src]"))


def test_what_does_no_harm_is_shown_as_written(settings):
    cells = [new_markdown_cell(HARMLESS)]
    body = BeautifulSoup(converted(cells, exporter("feedback", settings)), "html.parser").body
    assert body.find("h1").text.startswith("A heading")
    assert body.find("a", href="https://example.org").text == "see"
    assert body.find("em").text == "Why" and body.find("strong").text == "works"
    assert [found.text for found in body.find_all("td")] == ["1", "2"]
    assert body.find("div", class_="highlight").find("span", class_="mi").text == "1"
    assert "$x<y$" in body.text
