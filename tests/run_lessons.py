"""Execute the lessons in order, without a browser, and print one line of result for each.

    python tests/run_lessons.py              executed copies go to build/lessons/
    python tests/run_lessons.py --inplace    the lessons themselves are renewed

A lesson's result is the last line it prints that begins with "Result: ". In place, nothing is
written that depends on the day or the machine, and nothing at all when a cell fails.
"""

import argparse
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert.filters import strip_ansi
from tqdm import tqdm
from traitlets.config import Config

ROOT = Path(__file__).resolve().parents[1]


def execute(notebook, name, folder, timeout):
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
            client.execute()
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
    """Join neighbouring pieces of one stream: where a kernel cuts them depends on the clock."""
    merged = []
    for output in outputs:
        last = merged[-1] if merged else {}
        if output.output_type == "stream" and last.get("name") == output.name:
            last.text += output.text
        else:
            merged.append(output)
    return merged


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
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8", newline="\n")


def main():
    """Execute the lessons named on the command line, all of them if none is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", type=Path, help="default: notebooks/0*.ipynb")
    parser.add_argument("--inplace", action="store_true", help="renew the lessons' own outputs")
    parser.add_argument("--timeout", type=int, default=300, help="seconds a cell may take")
    arguments = parser.parse_args()

    lessons = arguments.lessons or sorted(ROOT.glob("notebooks/0*.ipynb"))
    if not lessons:
        sys.exit("no lessons: notebooks/ has no 0*.ipynb")
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
