"""The lessons in a real JupyterLab in a real browser, opened and run as a person does.

Needs Chromium, which is looked for under its usual names. Without it these tests are skipped, which
`.ci/run` does not accept. `make test` opens lesson 1, `make test-all` the others, too. Each lesson
leaves a picture of its whole page in build/pictures/.
"""

import re
import time
from pathlib import Path

import nbformat
import pytest
from in_browser import CHROMIUM
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from run_lessons import FIGURES
from tolerance import settle, tolerance_of

ROOT = Path(__file__).resolve().parents[1]
LESSONS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
LESSON_1_FIRST = [LESSONS[0], *(pytest.param(name, marks=pytest.mark.slow) for name in LESSONS[1:])]
PICTURES = ROOT / "build" / "pictures"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

KERNEL_IS_IDLE = """() => {
    const kernel = window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel;
    return kernel?.connectionStatus === 'connected' && kernel.status === 'idle';
}"""


def open_lesson(page, address, name):
    page.goto(f"{address}/lab/tree/{name}.ipynb?token=t&reset")
    page.wait_for_function("window.jupyterapp && window.jupyterapp.restored")
    page.evaluate("window.jupyterapp.restored")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.wait_for_function(KERNEL_IS_IDLE)  # the page says so too early


def run_all(page, seconds):
    """Clear all outputs, then choose Run All Cells from the menu, and wait until all have run."""
    command(page, "notebook:clear-all-cell-outputs")
    page.click('.lm-MenuBar-itemLabel:text-is("Run")')
    page.click('.lm-Menu-item[data-command="runmenu:run-all"]')
    deadline, calm = time.monotonic() + seconds, 0
    while calm < 2:  # idle twice in a row: between two cells it is idle for a moment
        assert time.monotonic() < deadline, f"still running: {prompts(page)}"
        page.wait_for_timeout(1000)
        indicator = page.get_attribute(".jp-Notebook-ExecutionIndicator", "data-status")
        waiting = "[*]:" in prompts(page) or ("[ ]:" in prompts(page) and not errors(page).count())
        calm = 0 if waiting or indicator != "idle" else calm + 1


def errors(page):
    return page.locator('[data-mime-type="application/vnd.jupyter.stderr"] .ansi-red-fg')


def command(page, name):
    page.evaluate("name => window.jupyterapp.commands.execute(name)", name)


def prompts(page):
    return page.locator(".jp-CodeCell .jp-InputPrompt").all_inner_texts()


def shown_text(page):
    """Return what each code cell shows as text, cell by cell."""
    return page.evaluate(
        """() => [...document.querySelectorAll('.jp-CodeCell')].map(cell =>
            [...cell.querySelectorAll('.jp-OutputArea-output pre')]
                .map(pre => pre.textContent).join(''))"""
    )


def committed_text(cell):
    """Return the same of a cell of the committed notebook: streams, and results shown as text."""
    texts = []
    for output in cell.outputs:
        data = output.get("data", {})
        if output.output_type == "stream":
            texts.append(output.text)
        elif not set(data) & {*FIGURES, "text/html"}:
            texts.append(data.get("text/plain", ""))
    return "".join(texts)


def is_compared(cell):
    return not any(tag.startswith("nbval") for tag in cell.metadata.get("tags", []))


IMAGES = """() => Promise.all([...document.querySelectorAll('.jp-Notebook img')].map(async img => {
    await img.decode().catch(() => {});
    const canvas = Object.assign(document.createElement('canvas'),
                                 {width: img.naturalWidth, height: img.naturalHeight});
    if (!canvas.width || !canvas.height) return {width: 0, colors: 0};
    const context = canvas.getContext('2d');
    context.drawImage(img, 0, 0);
    const {data} = context.getImageData(0, 0, canvas.width, canvas.height);
    const pixels = new Uint32Array(data.buffer);
    const box = img.getBoundingClientRect();
    return {width: box.width, right: box.right, colors: new Set(pixels).size};
}))"""


def expect_as_committed(page, lesson, address):
    """Hold a notebook that has just been run against the committed one."""
    here = (address, address.replace("http", "ws"), "data:", "blob:")
    assert [url for url in page.requests if not url.startswith(here)] == [], "asked elsewhere"
    assert page.complaints == [], "complaints of the browser"

    code = [cell for cell in lesson.cells if cell.cell_type == "code"]
    assert errors(page).count() == 0, "an error"
    assert prompts(page) == [f"[{n}]:" for n in range(1, len(code) + 1)], "cells that did not run"
    for cell, shown in zip(code, shown_text(page), strict=True):
        if is_compared(cell):
            committed = committed_text(cell).strip()
            shown = settle(shown.strip(), committed, tolerance_of(cell) or 0)
            assert shown == committed, f"other output: {cell.id}"

    images = page.evaluate(IMAGES)
    n_figures = sum(bool(set(FIGURES) & set(o.get("data", {}))) for c in code for o in c.outputs)
    assert len(images) == n_figures, "figures missing"
    for image in images:
        assert image["width"] > 200 and image["right"] < 1280, "a figure that cannot be seen whole"
        assert image["colors"] > 10, "a blank figure"

    formulas = any(re.search(r"\$\S", c.source) for c in lesson.cells if c.cell_type == "markdown")
    assert (page.locator(".jp-Notebook mjx-container").count() > 0) == formulas, "no mathematics"
    assert page.locator("mjx-merror").count() == 0, "broken mathematics"
    prose = page.evaluate(PROSE)
    assert not re.search(r"\$|\\[a-z]+\{", prose), "raw mathematics"


# What stands in the prose, code and mathematics left out.
PROSE = """() => [...document.querySelectorAll('.jp-MarkdownOutput')].map(element => {
    const copy = element.cloneNode(true);
    copy.querySelectorAll('code, mjx-container').forEach(inner => inner.remove());
    return copy.textContent;
}).join('\\n')"""


@pytest.mark.parametrize("name", LESSON_1_FIRST)
def test_lesson_runs_as_a_person_runs_it(lab, page, name):
    _, address = lab
    open_lesson(page, address, name)
    run_all(page, seconds=600)
    command(page, "application:toggle-left-area")
    page.wait_for_timeout(1000)
    expect_as_committed(page, load(name), address)
    save_picture(page, name)


def load(name):
    return nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)


def save_picture(page, name):
    """Make the window as high as the notebook, go to its top, and take a picture of all of it."""
    height = page.evaluate(
        "() => Math.max(...[...document.querySelectorAll('.jp-WindowedPanel-outer, .jp-Notebook')]"
        ".map(element => element.scrollHeight))"
    )
    page.set_viewport_size({"width": 1280, "height": height + 200})
    page.wait_for_timeout(1000)
    page.evaluate(
        "() => document.querySelectorAll('.jp-WindowedPanel-outer, .jp-Notebook')"
        ".forEach(element => { element.scrollTop = 0; })"
    )
    page.wait_for_timeout(1000)
    cells = page.locator(".jp-Notebook .jp-Cell")
    top, bottom = cells.first.bounding_box(), cells.last.bounding_box()
    assert top["y"] > 0 and bottom["y"] + bottom["height"] < height + 200, "all in the picture"
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png")


@pytest.mark.slow
@pytest.mark.parametrize("name", LESSONS)
def test_links_lead_to_the_lessons_before_and_after(lab, page, name):
    number = LESSONS.index(name)
    for neighbor in LESSONS[max(0, number - 1) : number] + LESSONS[number + 1 : number + 2]:
        open_lesson(page, lab[1], name)
        links = page.locator(f'.jp-MarkdownOutput a[href*="{neighbor}.ipynb"]')
        links.first.click()
        page.wait_for_selector(f'.lm-TabBar-tabLabel:text-is("{neighbor}.ipynb")')
        page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-CodeCell")


BLANK = "import matplotlib.pyplot as plt\n_ = plt.imshow([[0]])\n_ = plt.axis('off')"
FAULTS = {
    "an error": ("1 / 0", ""),
    "other output": ("import random; print(random.random())", ""),
    "figures missing": ("1", "", {"image/png": ""}),
    "a blank figure": (BLANK, "", {"image/png": ""}),
    "broken mathematics": ("1", r"$\left( x$"),
    "raw mathematics": ("1", r"$x$ and \\frac{1}{2}"),
    "asked elsewhere": ("1", "![a picture](http://example.com/a.png)"),
    "complaints of the browser": (
        "from IPython.display import Javascript\nJavascript('console.error(\"no\")')",
        "",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_noticed(lab, page, fault):
    folder, address = lab
    source, prose, *figure = FAULTS[fault]
    notebook = new_notebook(cells=[new_markdown_cell(prose), new_code_cell(source)])
    notebook.metadata = load(LESSONS[0]).metadata
    nbformat.write(notebook, folder / f"{fault}.ipynb")
    if source == "1":
        notebook.cells[1].outputs = [new_output("execute_result", {"text/plain": "1"})]
    notebook.cells[1].outputs += [new_output("display_data", data) for data in figure]
    open_lesson(page, address, fault)
    run_all(page, seconds=60)
    with pytest.raises(AssertionError, match=fault):
        expect_as_committed(page, notebook, address)
