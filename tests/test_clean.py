"""Clean notebooks: nothing of a machine or a day in them, and every link leads somewhere."""

import copy
import re
import subprocess
import sys
import warnings
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
LESSONS = {path.stem: path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
PAGES = [*ROOT.glob("README*.md"), ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}
CELL_METADATA = {"tags", "nbgrader", "rnn_lib"}
TAGS = {
    "benchmark",
    "gates",
    "ladder",
    "ladder-begin",
    "ladder-end",
    "nbval-ignore-output",
    "writing",
}

# A path such as /home/me or C:\\Users, but neither a/b in prose nor </div>; an object's address.
ABSOLUTE = re.compile(
    r"(?<![\w.<*)\]}/:])/(?:home|root|tmp|usr|work|Users|var|opt)/|\b[A-Z]:\\\\?\w"
)
ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,}|\blocalhost\b|\b\d{1,3}(?:\.\d{1,3}){3}\b")


def faults(notebook, folder, size=0):
    """Return what is not clean in a notebook, each in a few words."""
    found = []
    try:
        with warnings.catch_warnings(action="ignore"):  # of ids, which have their own test
            nbformat.validate(copy.deepcopy(notebook))
    except nbformat.ValidationError as error:
        found.append(f"schema: {error}")
    if dict(notebook.metadata) != METADATA:
        found.append(f"metadata: {dict(notebook.metadata)}")
    if size > 1_000_000:
        found.append(f"{size} bytes")
    ids = [cell.get("id", "") for cell in notebook.cells]
    found += [f"id {i!r}" for i in ids if ids.count(i) > 1 or not re.fullmatch(r"[a-z0-9-]+", i)]
    counts = [c.execution_count for c in notebook.cells if c.cell_type == "code"]
    if counts != list(range(1, len(counts) + 1)):
        found.append(f"counts {counts}")
    for cell in notebook.cells:
        found += [f"{cell.get('id')}: {fault}" for fault in cell_faults(cell, folder)]
    return found


def cell_faults(cell, folder):
    if set(cell.metadata) - CELL_METADATA or set(cell.metadata.get("tags", ())) - TAGS:
        yield f"metadata {dict(cell.metadata)}"
    if "rnn_lib" in cell.metadata:
        yield from tolerance_faults(cell)
    texts = [cell.source]
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if any("widget" in kind for kind in data):
            yield "a widget"
        texts += [text for kind, text in data.items() if kind.startswith("text/")]
        texts.append(output.get("text", ""))
    for text in texts:
        yield from (f"absolute path {m[0]}" for m in ABSOLUTE.finditer(text))
        yield from (f"address {m[0]}" for m in ADDRESS.finditer(text))
    if cell.cell_type == "markdown":
        yield from broken_links(cell.source, folder)
        yield from (f"image without words: {m[0]}" for m in re.finditer(r"!\[\s*\]", cell.source))


def tolerance_faults(cell):
    """Yield what is wrong with the tolerance of a cell, the only metadata of our own."""
    own, tags = cell.metadata["rnn_lib"], cell.metadata.get("tags", ())
    if set(own) != {"tolerance"} or type(own["tolerance"]) not in (int, float):
        yield f"metadata {dict(own)}"
    elif not own["tolerance"] > 0:
        yield f"metadata {dict(own)}: a tolerance is above 0"
    if "nbval-ignore-output" in tags:
        yield "metadata: a tolerance, but it is not compared"


def broken_links(text, folder):
    """Yield the links to files that are not there."""
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path = unquote(target.partition("#")[0])
        if path and not re.match(r"https?:", path) and not (folder / path).exists():
            yield f"link to {target}"


def as_it_stands(path):
    """Read a notebook without mending it."""
    return nbformat.v4.reads_json(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", LESSONS)
def test_lesson_is_clean(name):
    path = LESSONS[name]
    assert faults(as_it_stands(path), path.parent, path.stat().st_size) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_of_a_page_lead_somewhere_and_images_have_alt_text(page):
    text = page.read_text(encoding="utf-8")
    assert list(broken_links(text, page.parent)) == []
    assert not re.search(r"!\[\s*\]\(", text)


def test_code_of_the_lessons_passes_ruff():
    for what in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *what, "notebooks"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def edit(notebook, how):
    cell = next(c for c in notebook.cells if c.cell_type == "code" and c.outputs)
    prose = notebook.cells[0]
    match how:
        case "schema":
            notebook.cells[1]["color"] = "red"
        case "metadata":
            notebook.metadata["widgets"] = {}
        case "id":
            notebook.cells[3]["id"] = notebook.cells[2]["id"]
        case "counts":
            cell.execution_count = None
        case "a widget":
            cell.outputs[0] = nbformat.v4.new_output(
                "display_data", {"application/vnd.jupyter.widget-view+json": {}}
            )
        case "absolute path":
            cell.outputs[0] = nbformat.v4.new_output("stream", text="File /home/me/x.py")
        case "address":
            cell.outputs[0] = nbformat.v4.new_output("stream", text="<f at 0x7f87cce87f60>")
        case "link":
            prose.source += " [next](06_more.ipynb)"
        case "image":
            prose.source += " ![](../docs/speed.png)"
        case "cell metadata":
            prose.metadata["scrolled"] = True
        case "tolerance":
            cell.metadata["rnn_lib"] = {"tolerance": 0}
        case "tolerance in words":
            cell.metadata["rnn_lib"] = {"tolerance": "a little"}
        case "tolerance of nothing":
            cell.metadata |= {"rnn_lib": {"tolerance": 1}, "tags": ["nbval-ignore-output"]}


@pytest.mark.parametrize(
    ("how", "fault"),
    [
        *[(how, how) for how in ("schema", "metadata", "id", "counts", "a widget")],
        *[(how, how) for how in ("absolute path", "address", "image")],
        ("link", "link to 06_more.ipynb"),
        ("cell metadata", "title: metadata"),
        ("tolerance", "a tolerance is above 0"),
        ("tolerance in words", "metadata {'tolerance': 'a little'}"),
        ("tolerance of nothing", "it is not compared"),
    ],
)
def test_unclean_notebook_is_noticed(how, fault):
    path = LESSONS["01_forward"]
    notebook = as_it_stands(path)
    assert faults(notebook, path.parent) == []
    edit(notebook, how)
    assert any(fault in found for found in faults(notebook, path.parent))
    assert faults(as_it_stands(path), path.parent, 2_000_000) == ["2000000 bytes"]
