"""Whatever a notebook went through, it is graded or has one reason; no error ends the class."""

import contextlib
import copy
import json
import os
import tempfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from class_of_students import ASKED, LESSONS, notebook, solved, with_cell
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader import nbgraderformat
from nbgrader.api import MissingEntry

import classroom.grade
from classroom import repair, report, submissions
from classroom.execution import BoundedExecute
from classroom.files import to_bytes
from classroom.submissions import collect
from classroom.worker import reason, remark

ONE = "01_forward"
CHECKS = [exercise.check.id for exercise in ASKED[ONE]]
SOLUTIONS = [exercise.solution.id for exercise in ASKED[ONE]]
RIGHT = to_bytes(solved(ONE))


def hand_in(folder, name, content):
    path = Path(folder) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())


def problems(source):
    return {s.file: s.problem for s in collect(source, LESSONS)}


def sources(cells, kind="code"):
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == kind]


# -- any notebook -------------------------------------------------------------------------------

VALUES = [None, True, 3, -1.5, "", "x", "code", "raw", [], {}, [1], {"a": [{}]}, "\ud83d"]
CHANGES = st.tuples(
    st.sampled_from(["drop", "duplicate", "retype", "reorder"]),
    st.integers(1, 5),  # how deep
    st.integers(0, 999),  # which there
    st.sampled_from(VALUES),
)


def places(value, depth):
    """Yield where the values of a JSON document stand, at one depth: container and key."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inside in list(items):
        if depth == 1:
            yield value, key
        elif isinstance(inside, (dict, list)):
            yield from places(inside, depth - 1)


def change(document, how, depth, which, value):
    found = list(places(document, depth))
    if not found:
        return
    container, key = found[which % len(found)]
    if how == "drop":
        del container[key]
    elif how == "retype":
        container[key] = copy.deepcopy(value)
    elif how == "reorder":
        turned = list(container.items() if isinstance(container, dict) else container)[::-1]
        container.clear()
        container.update(turned) if isinstance(container, dict) else container.extend(turned)
    elif isinstance(container, list):
        container.insert(key, copy.deepcopy(container[key]))
    else:
        container[f"{key}2"] = copy.deepcopy(container[key])


def expect_graded_or_one_reason(document):
    with tempfile.TemporaryDirectory() as folder:
        hand_in(folder, "Bo/01_forward.ipynb", document)
        (changed,) = collect(Path(folder), LESSONS)
    assert changed.student == "Bo"
    assert (changed.notebook is None) == bool(changed.problem)
    assert "\n" not in changed.problem
    assert "reading failed" not in changed.problem, "nobody thought of this form"
    if changed.notebook is not None:
        written = to_bytes(changed.notebook).decode()
        read = nbgraderformat.reads(written, as_version=4)
        nbformat.validate(read)
        assert len({cell.id for cell in read.cells}) == len(read.cells)
        marks = [cell.metadata.get("nbgrader", {}) for cell in read.cells]
        asked = {exercise.check.id for exercise in ASKED[changed.lesson]}
        assert {mark["grade_id"] for mark in marks if mark.get("grade")} == asked


@given(minor=st.sampled_from([0, 1, 2, 3, 4, 5, 9]), changes=st.lists(CHANGES, max_size=5))
def test_any_notebook_is_graded_or_has_one_reason(minor, changes):
    document = json.loads(RIGHT)
    document["nbformat_minor"] = minor
    for cell in document["cells"] if minor < 5 else []:
        del cell["id"]
    for parts in changes:
        change(document, *parts)
    expect_graded_or_one_reason(document)


def test_cells_without_ids_would_be_found(monkeypatch):
    monkeypatch.setattr(repair, "set_distinct_ids", lambda cells, taken: None)
    document = json.loads(RIGHT)
    del document["cells"][3]["id"]
    with pytest.raises(AssertionError, match="nobody thought of this form"):
        expect_graded_or_one_reason(document)


def without_ids(document):
    document["nbformat_minor"] = 2
    for cell in document["cells"]:
        del cell["id"]


def without_ids_and_marks(document):
    without_ids(document)
    for cell in document["cells"]:
        cell["metadata"] = {}


def ids_in_an_older_format(document):
    document["nbformat_minor"] = 4


def odd_ids(document):
    document["cells"][3]["id"] = "3.1"
    document["cells"][4]["id"] = document["cells"][5]["id"] = "twice"
    document["cells"][6]["id"] = 6


def outputs_in_prose(document):
    for cell in document["cells"]:
        if cell["cell_type"] == "markdown":
            cell.update(outputs=[], execution_count=None)


def attachments_in_code(document):
    document["cells"][1]["attachments"] = {}


def widgets_without_state(document):
    model = {"model_name": "HBoxModel", "state": {}}
    document["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {"ab": model}}


def no_metadata(document):
    del document["metadata"], document["nbformat"], document["nbformat_minor"]


def deep_metadata(document):
    deep = []
    for _ in range(900):
        deep = [deep]
    document["cells"][0]["metadata"]["a"] = deep


def tags_that_skip_a_cell(document):
    for cell in document["cells"]:
        cell["metadata"]["tags"] = ["skip-execution"]


def prose_and_raw(document):
    """What a slip of the hand does: M or R was pressed, not typed."""
    kinds = iter(["markdown", "raw"])
    for cell in document["cells"]:
        if cell["id"] in SOLUTIONS:
            cell["cell_type"] = next(kinds)
            del cell["outputs"], cell["execution_count"]


@pytest.mark.parametrize(
    "slip",
    [
        without_ids,
        without_ids_and_marks,
        ids_in_an_older_format,
        odd_ids,
        outputs_in_prose,
        attachments_in_code,
        widgets_without_state,
        no_metadata,
        deep_metadata,
        tags_that_skip_a_cell,
        prose_and_raw,
    ],
    ids=lambda slip: slip.__name__,
)
def test_what_jupyter_opens_is_repaired(slip, tmp_path):
    document = json.loads(RIGHT)
    slip(document)
    hand_in(tmp_path, "Bo_01_forward.ipynb", document)
    hand_in(tmp_path, "Cy_01_forward.ipynb", RIGHT)
    repaired, right = collect(tmp_path, LESSONS)
    assert repaired.problem == ""
    assert sources(repaired.notebook.cells) == sources(right.notebook.cells)
    assert not any("tags" in cell.metadata for cell in repaired.notebook.cells)
    assert set(repaired.notebook.metadata) == {"kernelspec", "lang"}
    nbformat.validate(repaired.notebook)


def test_code_is_preferred_to_prose_with_the_marks():
    submitted = notebook(ONE)
    stub = next(cell for cell in submitted.cells if cell.id == SOLUTIONS[0])
    stub["cell_type"] = "markdown"
    mine = new_code_cell("def rnn_step(x_t, h_prev, W_x, W_h, b):\n    return 1")
    submitted.cells.insert(submitted.cells.index(stub), mine)
    in_order = submissions.in_order(repair.notebook(to_bytes(submitted)), LESSONS[ONE])
    marked = [c for c in in_order.cells if c.metadata.get("nbgrader", {}).get("solution")]
    assert marked[0].source == mine.source


def test_pictures_in_prose_stay():
    picture = {"image/png": "iVBORw0KGgo="}
    odd = {"a.png": picture, "b.png": 3, "c.png": {"image/png": 3, "text/html": "<script>"}}
    cell = {"cell_type": "markdown", "source": ["![](a)\n", "b"], "metadata": {}}
    read = repair.notebook(json.dumps({"cells": [cell | {"attachments": odd}]}).encode())
    assert read.cells[0].attachments == {"a.png": picture}
    assert read.cells[0].source == "![](a)\nb"
    nbformat.validate(read)


CONFLICT = b"\n<<<<<<< HEAD\n%b\n=======\n%b\n>>>>>>> theirs\n"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (CONFLICT % (RIGHT, RIGHT), "a merge conflict: two versions stand in the file"),
        (RIGHT.replace(b'"cells"', CONFLICT % (b"1", b"2"), 1), "a merge conflict"),
        (
            RIGHT.replace(b'"cells"', (CONFLICT % (b"1", b"2")).replace(b"\n", b"\r\n"), 1),
            "a merge conflict",
        ),
        (b"=======\n", "it is cut off or damaged"),
        (b'{"cells": {}}', "no list of cells in it"),
        (b'{"worksheets": 3}', "no list of cells in it"),
        (b'{"worksheets": [3]}', "no list of cells in it"),
        (b'{"cells": [3]}', "cell 1 has no text"),
        (b'{"cells": [{"source": "1"}, {"source": ["1", 2]}]}', "cell 2 has no text"),
        (b'{"cells": [' + b'"",' * 4_000_000, "more than ten million values"),
        (b'{"cells": [' + b'{"source": ""},' * 10_000 + b"{}]}", "more than 10,000 cells"),
        (b'{"cells": [{"source": "' + b"1" * 10_000_001 + b'"}]}', "without the outputs"),
    ],
    ids=range(12),
)
def test_what_cannot_be_repaired_is_named(content, problem):
    with pytest.raises(repair.CannotGrade, match=problem):
        repair.notebook(content)


# -- one file never ends the class --------------------------------------------------------------


def failing(monkeypatch, module, name, error):
    """Let a function fail where its first argument speaks of Borislav."""
    original = getattr(module, name)

    def wrapped(first, *others):
        if "Borislav" in str(first):
            raise error
        return original(first, *others)

    monkeypatch.setattr(module, name, wrapped)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (submissions, "lesson_in"),
        (repair, "notebook"),
        (submissions, "_recognize"),
        (submissions, "in_order"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("error", [ZeroDivisionError("odd\nand long"), MemoryError("odd")])
def test_an_error_in_reading_costs_one_row(module, name, error, tmp_path, monkeypatch):
    failing(monkeypatch, module, name, error)
    hand_in(tmp_path, "Ana/01_forward.ipynb", RIGHT)
    signed = with_cell(solved(ONE), "name = 'Borislav'")
    hand_in(tmp_path, "Borislav/01_forward.ipynb", to_bytes(signed))
    assert [(s.student, s.problem) for s in collect(tmp_path, LESSONS)] == [
        ("Ana", ""),
        ("Borislav", f"reading failed: {type(error).__name__}: odd"),
    ]


class Workers:
    """In place of processes: they give all points, but to Bo."""

    error = ZeroDivisionError("odd")
    graded: list = []
    answer = None

    def __init__(self, answer):
        pass

    def run(self, function, student, lesson, settings, memory):
        self.graded.append(student)
        if student == "Bo":
            raise self.error
        return {"reasons": {}, "remarks": {}}

    def kill(self):
        pass


@pytest.fixture
def course(tmp_path, monkeypatch):
    monkeypatch.setattr(classroom.grade, "COURSE", tmp_path / "course")
    monkeypatch.setattr(classroom.grade, "Workers", Workers)
    monkeypatch.setattr(Workers, "graded", [])
    return tmp_path / "course"


def grade(source):
    settings = classroom.grade.Settings("1", 90, 2)
    results = classroom.grade.grade(collect(source, LESSONS), LESSONS, settings, 2)
    return {result.submission.student: result.submission.problem for result in results}


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (ZeroDivisionError("odd"), "grading failed: ZeroDivisionError: odd"),
        (MemoryError(), "grading failed: MemoryError"),
        (RuntimeError("grading did not end within 20 minutes"), "grading did not end within"),
    ],
)
def test_an_error_in_grading_costs_one_row(error, problem, course, tmp_path, monkeypatch):
    monkeypatch.setattr(Workers, "error", error)
    for student in ("Ana", "Bo", "Cy"):
        hand_in(tmp_path / "class", f"{student}/01_forward.ipynb", RIGHT)
    found = grade(tmp_path / "class")
    assert found.pop("Bo").startswith(problem)
    assert found == {"Ana": "", "Cy": ""}


def test_a_lost_scheduler_ends_the_class(course, tmp_path, monkeypatch):
    """It concerns all: nobody gets a row that says so."""
    monkeypatch.setattr(Workers, "error", ConnectionAbortedError("lost"))
    hand_in(tmp_path / "class", "Bo/01_forward.ipynb", RIGHT)
    with pytest.raises(ConnectionAbortedError):
        grade(tmp_path / "class")


def test_an_error_in_writing_for_nbgrader_costs_one_row(course, tmp_path, monkeypatch):
    failing(monkeypatch, classroom.grade, "write_whole", PermissionError("not here"))
    for student in ("Ana", "Borislav"):
        hand_in(tmp_path / "class", f"{student}/01_forward.ipynb", RIGHT)
    expected = {"Ana": "", "Borislav": "grading failed: PermissionError: not here"}
    assert grade(tmp_path / "class") == expected


class EmptyGradebook(contextlib.AbstractContextManager):
    def __init__(self, url):
        pass

    def __exit__(self, *_):
        pass

    def find_submission_notebook(self, *_):
        raise MissingEntry("no such notebook")


@pytest.fixture
def results(monkeypatch):
    monkeypatch.setattr(report, "Gradebook", EmptyGradebook)
    ana = submissions.Submission("Ana", "Ana.ipynb", ONE, problem="the file is empty")
    bo = submissions.Submission("Bo", "Bo.ipynb", ONE)
    return [submissions.Result(ana), submissions.Result(bo)]


def test_an_error_in_reporting_costs_one_row(results, tmp_path):
    report.write(tmp_path / "out", results, LESSONS)
    table = (tmp_path / "out" / "grades.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(table) == 3
    assert "the file is empty" in table[1]
    assert table[2].startswith("Bo,01_forward,,0.0,5.0,")
    assert "reporting failed: MissingEntry: no such notebook" in table[2]


def test_an_error_in_a_page_costs_that_page(results, tmp_path, monkeypatch, capsys):
    write_page = report._write_page

    def fail(folder, student, own):
        if student == "Bo":
            raise ZeroDivisionError("odd")
        write_page(folder, student, own)

    monkeypatch.setattr(report, "_write_page", fail)
    report.write(tmp_path / "out", results, LESSONS)
    assert capsys.readouterr().out == "Bo has no page: ZeroDivisionError: odd\n"
    assert [path.name for path in (tmp_path / "out" / "feedback").iterdir()] == ["Ana"]
    assert len((tmp_path / "out" / "grades.csv").read_text().splitlines()) == 3


def test_error_whose_message_cannot_be_made_is_named():
    class Odd(Exception):
        def __str__(self):
            raise RecursionError

    assert repair.named(Odd()) == "Odd"
    assert repair.named(ValueError("\ud83d")) == "ValueError: \\ud83d"


# -- files, and what lies beside them -----------------------------------------------------------


@pytest.mark.parametrize("name", ["01_forward.IPYNB", "work.ipynb.txt", "work.Ipynb.JSON"])
def test_endings_that_systems_and_browsers_add_do_no_harm(name, tmp_path):
    hand_in(tmp_path, f"Bo/{name}", RIGHT)
    hand_in(tmp_path, "Cy/01_forward.json", RIGHT)
    assert list(problems(tmp_path).values()) == [
        "",
        "not a notebook: the file's name ends in '.json'",
    ]


def test_student_is_read_from_a_name_with_an_added_ending(tmp_path):
    hand_in(tmp_path, "01_forward_Bo.ipynb.txt", RIGHT)
    assert [s.student for s in collect(tmp_path, LESSONS)] == ["Bo"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has none in folders")
def test_pipe_gets_a_row_and_is_not_read(tmp_path):
    hand_in(tmp_path, "Ana/01_forward.ipynb", RIGHT)
    for student in ("Ana", "Bo"):
        (tmp_path / student).mkdir(exist_ok=True)
        os.mkfifo(tmp_path / student / "02_tiny_array.ipynb")
        os.mkfifo(tmp_path / student / "timestamp.txt")
    pipe = "not a file: a pipe or a device"
    assert problems(tmp_path) == {
        "Ana/01_forward.ipynb": "",
        "Ana/02_tiny_array.ipynb": pipe,
        "Bo/02_tiny_array.ipynb": pipe,
    }


def test_folder_that_cannot_be_looked_into_gets_a_row(tmp_path, monkeypatch):
    hand_in(tmp_path, "Ana/01_forward.ipynb", RIGHT)
    (tmp_path / "Bo").mkdir()
    look = Path.iterdir

    def refuse(path):
        if path.name == "Bo":
            raise PermissionError("not yours")
        return look(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    said = "cannot be read: PermissionError: not yours"
    assert problems(tmp_path) == {"Ana/01_forward.ipynb": "", "Bo": said}


@pytest.mark.parametrize(
    ("noted", "timestamp"),
    [
        ("2026-11-22 10:00:00 UTC\n", "2026-11-22 10:00:00 UTC"),
        ("2026-11-22T10:00:00+13:00", "2026-11-22T10:00:00+13:00"),
        ("handed in by mail", ""),
        ("tomorrow", ""),
        ("1764000000", ""),
        ("", ""),
        ("x" * 1000, ""),
        ("2026-11-22".encode("utf-16"), ""),
    ],
    ids=range(8),
)
def test_timestamp_that_is_no_time_is_ignored(noted, timestamp, tmp_path):
    hand_in(tmp_path, "Bo/01_forward.ipynb", RIGHT)
    hand_in(tmp_path, "Bo/timestamp.txt", noted if isinstance(noted, bytes) else noted.encode())
    (submission,) = collect(tmp_path, LESSONS)
    assert (submission.problem, submission.timestamp) == ("", timestamp)


def test_module_beside_a_notebook_goes_along_with_it(course, tmp_path):
    helper = b"def bent(): ..."
    source = tmp_path / "class"
    for name in ("Ana/01_forward.ipynb", "Cy/01_forward.ipynb", "Di/mine/01_forward.ipynb"):
        hand_in(source, name, RIGHT)
    for name in ("Ana/helper.py", "Ana/my-draft.py", "Bo/helper.py", "Di/helper.py", "Ana/2/h.py"):
        hand_in(source, name, helper)
    found = collect(source, LESSONS)
    graded = {s.student: s.modules for s in found if s.notebook}
    assert graded == {"Ana": {"helper.py": helper}, "Cy": {}, "Di": {}}
    rows = [s.file for s in found if s.problem == "not a notebook: the file's name ends in '.py'"]
    assert rows == ["Ana/2/h.py", "Ana/my-draft.py", "Bo/helper.py", "Di/helper.py"]

    grade(source)
    folder = course / "submitted" / "Ana" / ONE
    assert {path.name for path in folder.iterdir()} == {"01_forward.ipynb", "helper.py"}
    assert (folder / "helper.py").read_bytes() == helper


def test_notebook_is_graded_anew_when_its_module_changes(course, tmp_path):
    hand_in(tmp_path / "class", "Ana/01_forward.ipynb", RIGHT)
    for code, n_graded in ((b"1", 1), (b"1", 1), (b"2", 2)):
        hand_in(tmp_path / "class", "Ana/helper.py", code)
        grade(tmp_path / "class")
        assert Workers.graded == ["Ana"] * n_graded
    (tmp_path / "class" / "Ana" / "helper.py").unlink()
    grade(tmp_path / "class")
    assert Workers.graded == ["Ana"] * 3
    left = (course / "submitted" / "Ana" / ONE).iterdir()
    assert [path.name for path in left] == ["01_forward.ipynb"]


def test_module_of_one_student_goes_to_no_other(tmp_path):
    for name in ("Ana_01_forward.ipynb", "Bo_01_forward.ipynb"):
        hand_in(tmp_path, name, RIGHT)
    hand_in(tmp_path, "numpy.py", b"")
    assert all(not s.modules for s in collect(tmp_path, LESSONS) if s.notebook)


def test_module_that_is_too_large_is_refused(tmp_path):
    hand_in(tmp_path, "Ana/01_forward.ipynb", RIGHT)
    hand_in(tmp_path, "Ana/helper.py", b" " * 1_000_001)
    assert problems(tmp_path)["Ana/helper.py"].startswith("too large: 1 MB")


# -- zips ---------------------------------------------------------------------------------------


def in_zip(path, names, encoding):
    """Write a zip without the flag that says UTF-8, as macOS and old Windows do."""
    with zipfile.ZipFile(path, "w") as archive:
        for n, _ in enumerate(names):
            archive.writestr(f"{n:0>40}", RIGHT)
    content = path.read_bytes()
    for n, name in enumerate(names):
        content = content.replace(f"{n:0>40}".encode(), name.encode(encoding).ljust(40, b"\0"))
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("encoding", "students"),
    [
        ("utf-8", ["Zo\u00eb", "\u7530\u4e2d"]),
        ("cp932", ["Bo", "\u30bd\u30cb\u30a2", "\u7530\u4e2d"]),  # ソ has a backslash in it
        ("cp437", ["Jos\u00e9", "Schr\u00f6der", "\u00c5ngstr\u00f6m"]),
        ("ascii", ["Ana", "Bo"]),
    ],
)
@pytest.mark.parametrize("slash", ["/", "\\"])
def test_names_in_a_zip_are_read_whichever_system_wrote_it(tmp_path, encoding, students, slash):
    names = [slash.join(["class", student, "01_forward.ipynb"]) for student in students]
    found = collect(in_zip(tmp_path / "all.zip", names, encoding), LESSONS)
    assert sorted(s.student for s in found) == sorted(students)
    assert not any(s.problem for s in found)


def test_folder_written_with_backslashes_is_no_file(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("Ana\\", b"")
        archive.writestr("Ana\\01_forward.ipynb", RIGHT)
    assert problems(tmp_path / "all.zip") == {"Ana/01_forward.ipynb": ""}


def test_small_zip_that_holds_too_much_costs_only_the_largest(tmp_path, monkeypatch):
    monkeypatch.setattr(submissions, "LEAST_ROOM", 2_000_000)
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(4):
            archive.writestr(f"Bo/{n}_01_forward.ipynb", RIGHT + b" " * 900_000)
        archive.writestr("Ana/01_forward.ipynb", RIGHT)
    found = collect(tmp_path / "all.zip", LESSONS)
    said = "too large: the zip file's contents are too much together"
    assert [s.problem == "" for s in found if s.student == "Ana"] == [True]
    assert sum(s.problem == said for s in found) == 2


def test_file_in_a_zip_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Bo/01_forward.ipynb", bytes(150_000_000))
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("it was unpacked"))
    assert problems(tmp_path / "all.zip") == {
        "Bo/01_forward.ipynb": "too large: 150 MB; outputs can be cleared"
    }


def test_folders_without_end_in_a_zip_are_cut(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("a/" * 30_000 + "Bo_01_forward.ipynb", RIGHT)
        archive.writestr("b" * 60_000 + "_01_forward.ipynb", RIGHT)
    found = collect(tmp_path / "all.zip", LESSONS)
    assert all(len(s.file) < 400 for s in found)
    assert [s.problem for s in found if s.file.startswith("a")] == [""]


# -- in the kernel, and what is said about it ---------------------------------------------------


def check(source):
    marks = {"grade": True, "solution": False, "grade_id": "check", "points": 1}
    return new_code_cell(source, id="check", metadata={"nbgrader": marks})


@pytest.mark.slow
@pytest.mark.parametrize("word", ["exit()", "quit()", "exit", "if True:\n    quit()"])
def test_exit_does_not_end_the_notebook(word, tmp_path):
    cells = [new_code_cell("mine = 1"), new_code_cell(word), check("assert mine == 1")]
    resources = {"metadata": {"path": str(tmp_path)}}
    executed, _ = BoundedExecute().preprocess(new_notebook(cells=cells), resources)
    assert "the notebook goes on" in executed.cells[1].outputs[0].text
    assert [output.ename for output in executed.cells[2].outputs] == ["CheckReplaced"]  # it ran


@pytest.mark.slow
def test_module_is_imported_but_takes_no_other_ones_place(tmp_path):
    for name in ("my_helper", "numpy", "rnn_lib"):
        (tmp_path / f"{name}.py").write_text("mine = 1")
    source = (
        "import numpy, rnn_lib, my_helper\nassert my_helper.mine\nnumpy.zeros, rnn_lib.SimpleRNN"
    )
    resources = {"metadata": {"path": str(tmp_path)}}
    cells = [check(source)]
    executed, _ = BoundedExecute().preprocess(new_notebook(cells=cells), resources)
    assert [output.ename for output in executed.cells[0].outputs] == ["CheckReplaced"]  # it ran


def exercise_and_notebook(*cells, error):
    solution = new_code_cell("def f(x):\n    return x", id="solution")
    exercise = SimpleNamespace(
        function="f", solution=solution, check=check("checks.check(f)"), stub="not begun"
    )
    executed = copy.deepcopy(exercise.check)
    executed.outputs = [nbformat.v4.new_output("error", ename=error, evalue="odd", traceback=[])]
    cells = [executed if cell == "check" else cell for cell in cells]
    return new_notebook(cells=cells), exercise


def marked(source, name):
    marks = {"grade": False, "solution": True, "grade_id": name}
    return new_code_cell(source, metadata={"nbgrader": marks})


BELOW = "the solution stands below its check; move it above"
DEFINED = "def f(x):\n    return 1"


@pytest.mark.parametrize(
    ("cells", "error", "expected"),
    [
        (["check", marked(DEFINED, "solution")], "NameError", BELOW),
        ([marked("not begun", "solution"), "check", new_code_cell(DEFINED)], "NameError", BELOW),
        (
            [marked("not begun", "solution"), "check", new_code_cell(DEFINED)],
            "NotImplementedError",
            BELOW,
        ),
        (["check", marked(f"{DEFINED}\n    not begun", "solution")], "NameError", "NameError: odd"),
        (["check", marked(DEFINED, "another")], "NameError", "NameError: odd"),
        ([new_code_cell(DEFINED), "check"], "NotImplementedError", "not begun: odd"),
        (["check", new_code_cell(DEFINED)], "CheckFailed", "odd"),
    ],
    ids=range(7),
)
def test_solution_below_its_check_is_told_to_move(cells, error, expected):
    graded, exercise = exercise_and_notebook(*cells, error=error)
    assert reason(graded, exercise) == expected


def test_merge_conflict_in_a_cell_is_named():
    cell = marked((CONFLICT % (b"1", b"2")).decode(), "solution")
    cell.outputs = [nbformat.v4.new_output("error", ename="SyntaxError", evalue="", traceback=[])]
    graded, exercise = exercise_and_notebook(cell, "check", error="NameError")
    assert reason(graded, exercise).startswith("a merge conflict: two versions stand in the cell")


def test_remark_reads_the_modules_beside_a_notebook():
    graded = new_notebook(cells=[new_code_cell("from helper import g\ndef f(x):\n    return g(x)")])
    _, exercise = exercise_and_notebook(error="")
    helper = "from rnn_lib import SimpleRNN\ndef g(x):\n    return SimpleRNN(x)"
    lesson = new_notebook(cells=[new_code_cell("import numpy as np")])
    assert remark(graded, lesson, exercise) == ""
    assert remark(graded, lesson, exercise, [helper]) == "uses rnn_lib: SimpleRNN"
