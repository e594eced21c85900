"""Execute the lessons in order, without a browser, and print one line of result for each.

    python tests/run_lessons.py              executed copies go to build/lessons/
    python tests/run_lessons.py --inplace    the lessons themselves are renewed
    python tests/run_lessons.py --spread     how far numbers differ between processors

A lesson's result is the last line it prints that begins with "Result: ". In place, nothing is
written that depends on the day or the machine, and nothing at all when a cell fails.

With --spread, lessons whose cells have a tolerance run on this processor and on imitated ones. The
spread of a cell is the largest distance between two values of one of its numbers, the committed one
included. A tolerance is at least the spread, and at most three times as large.
"""

import argparse
import copy
import html
import itertools
import os
import re
import sys
import time
from decimal import Decimal
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert.filters import strip_ansi
from tolerance import NUMBER, texts, tolerance_of
from tqdm import tqdm
from traitlets.config import Config

ROOT = Path(__file__).resolve().parents[1]

# Other matrix products of OpenBLAS, and NumPy without its newer instructions.
OLDER = {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL"}
PROCESSORS = {"this one": {}} | {
    name: {"OPENBLAS_CORETYPE": name, **OLDER} for name in ("Haswell", "Prescott", "Zen")
}


def execute(notebook, name, folder, timeout, processor=None):
    """Run every cell, with `folder` as the working directory; return what went wrong, or None."""
    code_cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in code_cells:  # a copy of a failed run must not show older outputs
        cell.update(outputs=[], execution_count=None)

    with tqdm(total=len(code_cells), desc=name, unit="cell", leave=False, disable=None) as bar:
        if bar.disable:  # not on a terminal
            print(f"{name:14} executing {len(code_cells)} code cells", flush=True)
        client = NotebookClient(
            notebook,
            kernel_name="python3",
            # A kernel that talks in plain text begins with a warning.
            config=Config(KernelManager={"transport_encryption": "auto"}),
            timeout=timeout,
            record_timing=False,
            store_widget_state=False,
            shutdown_kernel="immediate",  # an endless loop would not hear a polite request
            resources={"metadata": {"path": str(folder)}},
            on_cell_executed=lambda **_: bar.update(),
        )
        try:
            client.execute(env=os.environ | (processor or {}))
            return None
        except (CellExecutionError, TimeoutError, RuntimeError) as error:  # the last: kernel died
            what = f"{error.ename}: {error.evalue}" if hasattr(error, "ename") else str(error)
            details = strip_ansi(str(error))
    print(details)
    return f"In [{client.code_cells_executed}]: {what.splitlines()[0]}"


def find_result(notebook):
    """Return the last printed line that begins with "Result: ", or None."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    printed = "".join(o.text for o in outputs if o.output_type == "stream")
    return next((s for s in reversed(printed.splitlines()) if s.startswith("Result: ")), None)


def merge_streams(outputs):
    """Join neighboring pieces of one stream: where a kernel cuts them depends on the clock.

    Of a line that was written again and again, such as a progress bar, the last state is kept.
    """
    merged = []
    for output in outputs:
        last = merged[-1] if merged else {}
        if output.output_type == "stream" and last.get("name") == output.name:
            last.text += output.text
        else:
            merged.append(output)
    for output in merged:
        if output.output_type == "stream":
            output.text = re.sub(r"[^\n]*\r(?=[^\n])", "", output.text)
    return merged


CAPTION = re.compile(r"\*([^\W\d]+ ?\d+\..*?)\*\s*(?:\n\n|$)", re.DOTALL)
FIGURES = ("image/svg+xml", "image/png")
LABELED = re.compile(r'<svg (?:role="img" aria-label="[^"]*" )*')


def spoken(caption):
    """Return a caption as plain text: without the marks of Markdown and TeX."""
    text = re.sub(r"\\(?:text|mathrm|mathbf)\b|\\[,;!]|[*`${}\\]", "", caption)
    return " ".join(text.split())


def describe_figures(cells):
    """Give each figure the caption in the cell below as its text for those who do not see it."""
    for cell, below in itertools.pairwise(cells):
        caption = CAPTION.match(below.source) if below.cell_type == "markdown" else None
        for output in cell.get("outputs", ()) if caption else ():
            for kind in set(FIGURES) & set(output.get("data", {})):
                alt = spoken(caption[1])
                output.metadata[kind] = output.metadata.get(kind, {}) | {"alt": alt}
                if kind == "image/svg+xml":
                    label = f'<svg role="img" aria-label="{html.escape(alt)}" '
                    output.data[kind] = LABELED.sub(lambda _, s=label: s, output.data[kind], 1)


def save(notebook, path):
    """Write the notebook in the one form in which its bytes are the same everywhere."""
    notebook.metadata.kernelspec = {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    }
    notebook.metadata.get("language_info", {}).pop("version", None)  # of Python
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = merge_streams(cell.outputs)
    describe_figures(notebook.cells)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8", newline="\n")


def spread_of(versions):
    """Return the spread of one cell, given its outputs on each processor; None if text differs."""
    shown = [
        [place[key] for output in merge_streams(outputs) for place, key in texts(output)]
        for outputs in versions
    ]
    if len({tuple(NUMBER.sub("", text) for text in version) for version in shown}) > 1:
        return None
    numbers = [[Decimal(n) for text in version for n in NUMBER.findall(text)] for version in shown]
    return max((max(values) - min(values) for values in zip(*numbers, strict=True)), default=0)


def verdict(tolerance, spread):
    """Say whether a tolerance suits a spread: the first word is "fine" if it does."""
    if spread is None:
        return "more than numbers differs: leave the cell out of the comparison"
    if tolerance < spread:
        return f"too narrow: at least {spread}"
    if tolerance > 3 * spread:
        return f"too wide: at most {3 * spread}" if spread else "not needed: remove the tolerance"
    return "fine"


def measure_spread(lessons, timeout):
    """Print the spread of each cell that has a tolerance; return how many do not suit theirs."""
    n_unsuited = 0
    for path in lessons:
        committed = nbformat.read(path, as_version=4)
        if all(tolerance_of(cell) is None for cell in committed.cells):
            continue
        versions = [committed]
        for name, processor in PROCESSORS.items():
            versions.append(copy.deepcopy(committed))
            label = f"{path.stem}, {name}"
            if problem := execute(versions[-1], label, path.parent, timeout, processor):
                sys.exit(f"{label}: {problem}")
        for cells in zip(*(version.cells for version in versions), strict=True):
            if (tolerance := tolerance_of(cells[0])) is not None:
                spread = spread_of([cell.outputs for cell in cells])
                result = verdict(Decimal(str(tolerance)), spread)
                n_unsuited += result != "fine"
                print(f"{path.stem}: {cells[0].id:26} {tolerance} for {spread}  {result}")
    return n_unsuited


def main():
    """Execute the lessons named on the command line, all of them if none is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", type=Path, help="default: all without times")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--inplace", action="store_true", help="renew the lessons' own outputs")
    what.add_argument("--spread", action="store_true", help="measure what a tolerance must allow")
    parser.add_argument("--timeout", type=int, default=300, help="seconds a cell may take")
    arguments = parser.parse_args()

    without_times = set(ROOT.glob("notebooks/*.ipynb")) - {ROOT / "notebooks/appendix_speed.ipynb"}
    lessons = arguments.lessons or sorted(without_times)
    if not lessons:
        sys.exit("no lessons: notebooks/ has no *.ipynb")
    if arguments.spread:
        sys.exit(1 if measure_spread(lessons, arguments.timeout) else 0)
    failed = []
    for path in lessons:
        name = path.stem
        copy = path if arguments.inplace else ROOT / "build" / "lessons" / path.name
        notebook = nbformat.read(path, as_version=4)
        start = time.perf_counter()
        problem = execute(notebook, name, path.parent, arguments.timeout)
        seconds = time.perf_counter() - start
        result = find_result(notebook)
        if problem is None and result is None:
            problem = 'no line that begins with "Result: " was printed'
        if problem:
            failed.append(name)
            result = f"FAILED  {problem}"
        if not (problem and arguments.inplace):
            save(notebook, copy)
        print(f"{name:14} {seconds:4.0f} s  {result}", flush=True)

    if failed:
        sys.exit(f"{len(failed)} of {len(lessons)} lessons failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
