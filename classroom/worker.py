"""Grade one notebook, in a process of its own (:mod:`processes`).

nbgrader executes it, records the points and makes the page with comments. This module adds the
reason why points were lost, in one line, and a remark where the library answered for the student,
or where student code ran without a sandbox.
"""

import ast
import contextlib
import os
import re
from collections.abc import Iterable, Iterator

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

import rnn_lib
from classroom.course import COURSE, expect_success, nbgrader
from classroom.lessons import NOTEBOOKS, Exercise, exercises, language_of, read
from classroom.mistakes import named_in
from classroom.repair import CONFLICT, in_conflict
from rnn_lib.language import VARIABLE, Message, joined, translated

# Errors whose messages say all that there is to say.
_OURS = ("CheckFailed", "CheckReplaced", "CellTimeoutError", "KernelLost", "NotRun")
# What the library computes; the checks hold right answers, too.
_LIBRARY = {name for name, value in vars(rnn_lib).items() if callable(value)} | {"checks"}


def grade(student: str, lesson: str, settings: dict[str, object]) -> dict[str, dict[str, str]]:
    """Let nbgrader grade a submission that stands in its folder.

    Parameters
    ----------
    student, lesson : str
        Whose and which.
    settings : dict
        Of :class:`classroom.execution.BoundedExecute`.

    Returns
    -------
    dict
        ``reasons`` and ``remarks`` in the notebook's language, and ``mistakes`` by the names that
        the checks know them by; each by the check's cell.

    Raises
    ------
    RuntimeError
        If nbgrader could not.
    """
    handed_in = COURSE / "submitted" / student / lesson
    os.environ[VARIABLE] = language_of(read(handed_in / f"{lesson}.ipynb"))
    api = nbgrader(**settings)
    expect_success(api.autograde(lesson, student))
    expect_success(api.generate_feedback(lesson, student))
    graded = read(COURSE / "autograded" / student / lesson / f"{lesson}.ipynb")
    in_all_languages = {path.parent: read(path) for path in NOTEBOOKS.rglob(f"{lesson}.ipynb")}
    asked = list(exercises(in_all_languages[NOTEBOOKS]))
    complete = NotebookNode(cells=[c for one in in_all_languages.values() for c in one.cells])
    beside = sorted(handed_in.glob("*.py"))
    modules = [path.read_text(encoding="utf-8", errors="replace") for path in beside]
    mark = "" if settings["is_sandboxed"] else translated("graded without a sandbox")
    reasons = {e.check.id: text for e in asked if (text := reason(graded, e))}
    borrowed = {e.check.id: translated(remark(graded, complete, e, modules)) for e in asked}
    remarks = {check: "; ".join(filter(None, (text, mark))) for check, text in borrowed.items()}
    return {
        "reasons": {check: translated(text) for check, text in reasons.items()},
        "remarks": {check: text for check, text in remarks.items() if text},
        "mistakes": {check: named_in(text) for check, text in reasons.items()},
    }


def reason(graded: NotebookNode, exercise: Exercise) -> str:
    """Say in one line why an exercise got no points, or half of them; "" if it got all."""
    check, solution = (_marked(graded, cell.id) for cell in (exercise.check, exercise.solution))
    error = next(reversed(_errors(check)), None)
    if error is None:
        in_part = any(output.output_type == "execute_result" for output in check.get("outputs", []))
        return _last_line(check) if in_part else ""
    if error.ename in ("NameError", "NotImplementedError") and _stands_below(graded, exercise):
        return Message("the solution stands below its check; move it above")
    if error.ename == "NameError":  # the function's own cell may say why it is not defined
        error = next(iter(_errors(solution)), error)
    if error.ename in ("SyntaxError", "IndentationError") and in_conflict(solution.source):
        return Message(CONFLICT, where=Message("cell"))
    first_line = next(iter(error.evalue.splitlines()), "")
    if took := re.fullmatch(r"this cell took longer than (\d+) seconds", first_line):
        first_line = Message("this cell took longer than {n} seconds", n=took[1])
    if error.ename == "NotImplementedError":
        return Message("not begun: {what}", what=first_line)
    if error.ename not in _OURS:
        return f"{error.ename}: {first_line}".removesuffix(": ")
    if not (mistake := check.metadata.get("mistake")):
        return first_line
    mistake = joined("{most}; {last}", mistake.split("; "))
    return Message("{what}; mistake: {mistake}", what=first_line, mistake=mistake)


def _marked(graded: NotebookNode, grade_id: str) -> NotebookNode:
    """Return the cell that nbgrader knows by this name, an empty one if the student deleted it."""
    marked = (c for c in graded.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)
    return next(marked, new_code_cell())


def _stands_below(graded: NotebookNode, exercise: Exercise) -> bool:
    """Say whether the function is defined below its check, and not for another exercise."""
    names = [c.metadata.get("nbgrader", {}).get("grade_id") for c in graded.cells]
    below = 1 + names.index(exercise.check.id) if exercise.check.id in names else len(names)
    return any(
        cell.cell_type == "code"
        and name in (None, exercise.solution.id)
        and f"def {exercise.function}(" in cell.source
        and exercise.stub not in cell.source
        for name, cell in zip(names[below:], graded.cells[below:], strict=True)
    )


def _last_line(cell: NotebookNode) -> str:
    """Return what a check printed last: where it earns half the points, it says why."""
    printed = "".join(output.get("text", "") for output in cell.outputs)
    return next(reversed(printed.splitlines()), "")


def _errors(cell: NotebookNode) -> list[NotebookNode]:
    return [output for output in cell.get("outputs", []) if output.output_type == "error"]


def remark(
    graded: NotebookNode, complete: NotebookNode, exercise: Exercise, modules: Iterable[str] = ()
) -> str:
    """Name what of the library the student's function uses and the lesson's own does not.

    `modules` are the texts of those that the student handed in beside the notebook.
    """
    given = {cell.source for cell in complete.cells} - {
        e.solution.source for e in exercises(complete)
    }
    written = [c.source for c in graded.cells if c.cell_type == "code" and c.source not in given]
    name = exercise.function
    borrowed = _uses(name, [*written, *modules]) - _uses(name, [exercise.solution.source])
    names = ", ".join(sorted(borrowed))
    return Message("uses rnn_lib: {names}", names=names) if borrowed else ""


def _uses(function: str, sources: Iterable[str]) -> set[str]:
    """Return the library's names in a function, and in what it reaches through other names.

    This reads the text: it sees renamed imports and helpers, but not a name put together from
    strings.
    """
    definitions: dict[str, set[str]] = {}
    for source in sources:
        # Not every cell is Python, and what nests too deeply cannot be read.
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            for name, mentioned in _definitions(ast.parse(source)):
                definitions.setdefault(name, set()).update(mentioned)
    reached, new = set(), {function}
    while new:
        reached |= new
        new = set().union(*(definitions.get(name, ()) for name in new)) - reached
    own = {name for name, mentioned in definitions.items() if name not in mentioned}
    return reached & _LIBRARY - own


def _definitions(code: ast.AST) -> Iterator[tuple[str, set[str]]]:
    """Yield each name that a piece of code defines, with the names in its definition."""
    for node in ast.walk(code):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, _mentioned(node)
            case ast.Assign(targets=targets, value=value):
                yield from ((t.id, _mentioned(value)) for t in targets if isinstance(t, ast.Name))
            case ast.Import() | ast.ImportFrom():
                yield from _imported(node)


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, set[str]]]:
    """Yield each name that is imported from the library, with the parts of what it stands for."""
    for alias in node.names:
        path = f"{getattr(node, 'module', '')}.{alias.name}".split(".")
        if "rnn_lib" in path:
            yield alias.asname or path[-1], set(path)


def _mentioned(node: ast.AST) -> set[str]:
    """Return the names and attributes in a piece of code, NumPy's left out."""
    match node:
        case ast.Name(id="np" | "numpy" | "math"):
            return set()
        case ast.Name(id=name):
            return {name}
        case ast.Attribute(value=value, attr=attribute):  # of NumPy, as in np.random.uniform?
            inside = _mentioned(value)
            return inside and inside | {attribute}
        case ast.Import() | ast.ImportFrom():
            return {name for name, _ in _imported(node)}
    return set().union(*map(_mentioned, ast.iter_child_nodes(node)))
