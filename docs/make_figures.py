"""Make the figures of README and results.md, and the tables of speed.

    python docs/make_figures.py

The README's figure is what lesson 4 shows when one reads along, in a browser (without Chromium and
playwright it stays as it is); the other and the tables are what ``benchmarks/speed.py`` measured.
"""

import json
import shutil
from pathlib import Path

from rnn_lib import plots

ROOT = Path(__file__).resolve().parents[1]


def read_along() -> str:
    """Return the HTML of lesson 4's cell ``trace-colors``."""
    lesson = json.loads((ROOT / "notebooks" / "04_imdb.ipynb").read_text(encoding="utf-8"))
    (cell,) = (cell for cell in lesson["cells"] if cell["id"] == "trace-colors")
    return "".join(cell["outputs"][0]["data"]["text/html"])


def write_read_along(path: Path) -> None:
    """Take a picture of it, with the word "wonderful" chosen."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright  # one of the tests' dependencies
    except ModuleNotFoundError:
        chromium = None
    if chromium is None:
        return
    with sync_playwright() as playwright:
        options = {"executable_path": chromium, "args": ["--no-sandbox"]}
        page = playwright.chromium.launch(**options).new_page(device_scale_factor=2)
        page.set_viewport_size({"width": 760, "height": 340})
        style = "<body style='margin: 16px; font: 16px sans-serif; background: white'>"
        page.set_content(style + read_along())
        page.get_by_text("wonderful").first.click()
        page.screenshot(path=path)


def speed(kind: str = "results") -> dict:
    """Return what benchmarks/speed.py wrote: for each size, the seconds of everybody's best.

    `kind` is "results", the simple layer, or "gates".
    """
    report = json.loads((ROOT / "benchmarks" / "speed.json").read_text(encoding="utf-8"))
    return {_heading(result): _best(result["seconds"]) for result in report[kind]}


def _heading(result: dict) -> str:
    size = ", ".join(map(str, result["size"]))
    return size if result["layer"] == "rnn" else f"{result['layer'].upper()} {size}"


def _best(seconds: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    torch = [its for name, its in seconds.items() if name.startswith("PyTorch")]
    best = {what: min(its[what] for its in torch) for what in ("training", "prediction")}
    others = {name: its for name, its in seconds.items() if not name.startswith("PyTorch")}
    return {"floor": others["floor"], "rnn_lib": others["rnn_lib"], "PyTorch": best} | others


def speed_table(kind: str = "results") -> str:
    """Return a table of results.md, as Markdown."""
    sizes = speed(kind)
    lines = [f"| | {' | '.join(sizes)} |", "| --- |" + " ---: |" * len(sizes)]

    def row(name: str, cells: list[str]) -> str:
        return f"| {name} | {' | '.join(cells)} |"

    for name in next(iter(sizes.values())):
        values = [f"{its[name]['training']:.1f}" for its in sizes.values()]
        lines.append(row(f"{name}, an epoch (s)", values))
    for what in ("training", "prediction"):
        for other in ("PyTorch", "floor"):
            ratios = [its["rnn_lib"][what] / its[other][what] for its in sizes.values()]
            lines.append(row(f"rnn_lib : {other}, {what}", [f"{ratio:.2f}" for ratio in ratios]))
    return "\n".join(lines) + "\n"


def write_speed_figure(path: Path) -> None:
    """Draw the epochs at (32, 64, 400)."""
    seconds = {name: its["training"] for name, its in speed()["32, 64, 400"].items()}
    ax = plots.bars({name: round(s, 1) for name, s in seconds.items()}, "seconds for an epoch")
    ax.figure.savefig(path, bbox_inches="tight", metadata={"Software": None})


if __name__ == "__main__":
    write_read_along(ROOT / "docs" / "read_along.png")
    write_speed_figure(ROOT / "docs" / "speed.png")
    print(speed_table(), speed_table("gates"), sep="\n")
