"""Pages that everybody can use: axe looks at what is ours on each page, made as HTML."""

import subprocess
import sys

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from in_browser import CHROMIUM
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from run_lessons import describe_figures
from test_browser import LESSONS, ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
]

# Prose and outputs are ours; code that is highlighted, and the page around them, are nbconvert's.
OURS = {"include": [[".jp-RenderedMarkdown"], [".jp-OutputArea-output"]]}
# Nbconvert's style gives links in a text a color and no line below.
RULES = {"rules": {"link-in-text-block": {"enabled": False}}}


@pytest.fixture
def violations(browser):
    """Return a function that says what axe finds on a page."""

    def look(notebook, folder):
        path = folder / "page.ipynb"
        nbformat.write(notebook, path)
        command = [sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", str(path)]
        subprocess.run(command, check=True, capture_output=True)
        page = browser.new_page()
        page.goto(path.with_suffix(".html").as_uri(), wait_until="domcontentloaded")
        found = Axe().run(page, context=OURS, options=RULES).response["violations"]
        page.close()
        return [(one["id"], node["html"][:200]) for one in found for node in one["nodes"]]

    return look


@pytest.mark.parametrize("name", LESSONS)
def test_page_has_no_violations(name, violations, tmp_path):
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    assert violations(notebook, tmp_path) == []


def figure(**metadata):
    data = {"image/svg+xml": '<svg width="90" height="90"><rect width="50" height="50"/></svg>'}
    return new_code_cell("", outputs=[new_output("display_data", data=data, metadata=metadata)])


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("| | a |\n| --- | --- |\n| 1 | 2 |", "empty-table-header"),
        ("<button></button>", "button-name"),
        ('<span style="color: #bbb; background: #fff">faint</span>', "color-contrast"),
    ],
)
def test_what_shuts_people_out_is_found(text, rule, violations, tmp_path):
    bad = new_notebook(cells=[new_markdown_cell(f"# A\n\n{text}")])
    assert rule in [name for name, _ in violations(bad, tmp_path)]


def test_a_figure_gets_its_caption_as_text(violations, tmp_path):
    caption = "*Figure 1. Where $W_h$ is **large**, states grow.*\n\nMore."
    cells = [new_markdown_cell("# A"), figure(), new_markdown_cell(caption)]
    describe_figures(cells)
    describe_figures(cells)  # a second time changes nothing
    (output,) = cells[1].outputs
    text = "Figure 1. Where W_h is large, states grow."
    assert output.metadata["image/svg+xml"]["alt"] == text
    assert output.data["image/svg+xml"].count(f'role="img" aria-label="{text}"') == 1
    assert violations(new_notebook(cells=cells), tmp_path) == []
