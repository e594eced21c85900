"""Grade one notebook, in a process of its own.

nbgrader executes it, keeps the points and makes the page with comments. What is added here is why
points were lost, in a line for the table, and a remark where the library answered for the student.
"""

import ast
import ctypes
import multiprocessing
import os
import re
import signal
import sys
import threading
from collections.abc import Iterable
from multiprocessing.connection import Connection

from nbformat import NotebookNode

import rnn_lib
from classroom.course import COURSE, demand, nbgrader
from classroom.lessons import NOTEBOOKS, Exercise, exercises, read

_PR_SET_CHILD_SUBREAPER = 36
_MISTAKE = re.compile(r"^    mistake +(.*)$", re.MULTILINE)
# What the library computes, and the checks' own right answers.
_LIBRARY = {name for name, value in vars(rnn_lib).items() if callable(value)}
_LIBRARY |= {"mistakes", "references"}


def grade(student: str, lesson: str, **settings: object) -> dict[str, dict[str, str]]:
    """Let nbgrader grade a submission that stands in its folder.

    Parameters
    ----------
    student, lesson : str
        Whose and which.
    **settings
        Of :class:`classroom.execution.BoundedExecute`.

    Returns
    -------
    dict
        ``reasons`` and ``remarks``, each by the check's cell.

    Raises
    ------
    RuntimeError
        If nbgrader could not.
    """
    api = nbgrader(**settings)
    demand(api.autograde(lesson, student))
    demand(api.generate_feedback(lesson, student))
    graded = read(COURSE / "autograded" / student / lesson / f"{lesson}.ipynb")
    complete = read(NOTEBOOKS / f"{lesson}.ipynb")
    asked = list(exercises(complete))
    return {
        "reasons": {e.check.id: text for e in asked if (text := reason(graded, e))},
        "remarks": {e.check.id: text for e in asked if (text := remark(graded, complete, e))},
    }


def reason(graded: NotebookNode, exercise: Exercise) -> str:
    """Say in one line why an exercise got no points, "" if it got them."""
    error = next(reversed(_errors(graded, exercise.check.id)), None)
    if error is None:
        return ""
    own = next(iter(_errors(graded, exercise.solution.id)), None)
    first_line = (error.evalue.splitlines() or [""])[0]
    if error.ename == "NotImplementedError":
        return f"not begun: {first_line}"
    if error.ename == "NameError" and own is not None:
        error, first_line = own, (own.evalue.splitlines() or [""])[0]
    if error.ename in (
        "AssertionError",
        "CheckReplaced",
        "CellTimeoutError",
        "KernelLost",
        "NotRun",
    ):
        mistakes = [f"mistake: {mistake}" for mistake in _MISTAKE.findall(error.evalue)]
        return "; ".join([first_line, *mistakes])
    return f"{error.ename}: {first_line}".removesuffix(": ")


def _errors(graded: NotebookNode, grade_id: str) -> list[NotebookNode]:
    return [
        output
        for cell in graded.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    ]


def remark(graded: NotebookNode, complete: NotebookNode, exercise: Exercise) -> str:
    """Name what of the library the student's function uses and the lesson's own does not."""
    given = {cell.source for cell in complete.cells} - {
        e.solution.source for e in exercises(complete)
    }
    written = [c.source for c in graded.cells if c.cell_type == "code" and c.source not in given]
    borrowed = _uses(exercise.function, written) - _uses(
        exercise.function, [exercise.solution.source]
    )
    return f"uses rnn_lib: {', '.join(sorted(borrowed))}" if borrowed else ""


def _uses(function: str, sources: Iterable[str]) -> set[str]:
    """Return the library's names in a function, and in what it gets at through other names.

    This reads the text: it sees renamed imports and helpers, but not a name put together from
    strings.
    """
    names: dict[str, set[str]] = {}
    for source in sources:
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            match node:
                case ast.FunctionDef() | ast.ClassDef():
                    names.setdefault(node.name, set()).update(_inside(node))
                case ast.Assign():
                    for target in node.targets:
                        if isinstance(target, ast.Name):
                            names.setdefault(target.id, set()).update(_inside(node.value))
                case ast.Import() | ast.ImportFrom():
                    for alias in node.names:
                        path = (getattr(node, "module", "") or "").split(".") + alias.name.split(
                            "."
                        )
                        if "rnn_lib" in path:
                            names.setdefault(alias.asname or path[-1], set()).update(path)
    reached, new = set(), {function}
    while new:
        reached |= new
        new = set().union(*(names.get(name, ()) for name in new)) - reached
    return reached & _LIBRARY - {name for name, used in names.items() if name not in used}


def _inside(node: ast.AST) -> set[str]:
    """Return all names and attributes in a piece of code."""
    found = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    found |= {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute) and not _is_numpys(n)}
    imports = [n for n in ast.walk(node) if isinstance(n, (ast.Import, ast.ImportFrom))]
    return found | {alias.name.split(".")[-1] for n in imports for alias in n.names}


def _is_numpys(node: ast.AST) -> bool:
    """Say whether an attribute is NumPy's, as in np.random.uniform."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id in ("np", "numpy", "math")


def work(answer: Connection, student: str, lesson: str, settings: dict[str, object]) -> None:
    """Grade in a process of its own; send back what :func:`grade` returns, or an error's text."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who started us decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if sys.platform == "linux":
        # What a student starts and leaves behind becomes our child, and ends with us.
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):  # nbgrader's log, and what kernels have to say
        os.dup2(nowhere, stream)
    try:
        answer.send(grade(student, lesson, **settings))
    except Exception as error:
        answer.send(f"grading failed: {error}")
    # To be ended from outside: if we went by ourselves, nobody could find our children any more.
    threading.Event().wait()


def _end_with_parent() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)
