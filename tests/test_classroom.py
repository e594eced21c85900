"""A small class is graded, for real; the whole one is in test_whole_class.py."""

import contextlib
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from class_of_students import ASKED, LESSONS, SMALL_CLASS, solved
from grading import (
    MARK,
    WITHOUT,
    expect_pages,
    expect_points_and_reasons,
    expect_totals,
    grade,
    grades_of,
    hand_in,
    results,
)
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.utils import determine_grade

import classroom.grade
import rnn_lib
from classroom import execution, report
from classroom.course import code, copy_of_the_course
from classroom.execution import BoundedExecute
from classroom.files import to_bytes
from classroom.grade import _own_seed
from classroom.judging import Verdict
from classroom.runner import BEGINS, CROSSES, ENDS, IS_DONE, IS_LOST
from classroom.submissions import Result, Submission
from classroom.worker import reason, remark
from rnn_lib.checks import accuracy, integrity


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return copy_of_the_course(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def submissions(tmp_path_factory):
    return hand_in(tmp_path_factory.mktemp("submissions") / "class of 2026", SMALL_CLASS)


@pytest.fixture(scope="module")
def rows(course, submissions):
    return grade(course, submissions, "--seed=271828", "--memory=2")


@pytest.mark.parametrize("handed_in", SMALL_CLASS, ids=lambda h: h.student)
def test_each_student_gets_the_points_and_the_reasons(handed_in, rows):
    expect_points_and_reasons(handed_in, rows)


def test_totals_are_the_sums(rows, submissions):
    expect_totals(rows, submissions)


def test_every_student_gets_a_page(rows, submissions):
    expect_pages(rows, submissions)


def test_nothing_is_graded_twice(rows, course, submissions):
    before = results(course)
    assert grade(course, submissions, "--seed=271828", "--memory=2") == rows
    assert results(course) == before


def test_name_that_looks_like_a_formula_is_escaped(course, tmp_path):
    folder = tmp_path / "odd"
    (folder / "=1+1").mkdir(parents=True)
    (folder / "=1+1" / "01_forward.ipynb").write_bytes(b"")
    (folder / "=1+1" / "<script>.ipynb").write_bytes(b"")
    assert {row["student"] for row in grade(course, folder)} == {"'=1+1"}
    page = next((grades_of(folder) / "feedback").glob("*/index.html")).read_text()
    assert "<script>" not in page


def test_without_a_sandbox_nothing_is_graded(tmp_path, monkeypatch):
    (tmp_path / "Anna_01_forward.ipynb").write_bytes(to_bytes(solved("01_forward")))
    monkeypatch.setattr(classroom.grade.sandbox, "why_not", lambda: "bubblewrap is not installed")
    monkeypatch.setattr(sys, "argv", ["grade", str(tmp_path), "--seed=1"])
    with pytest.raises(
        SystemExit, match="Nothing was graded. There is no sandbox here .bubblewrap"
    ):
        classroom.grade.main()


def test_grading_without_a_sandbox_marks_the_table(course, tmp_path, monkeypatch):
    monkeypatch.setattr("grading.WITHOUT", [])
    blank = next(h for h in SMALL_CLASS if h.student == "blank")
    rows = grade(course, hand_in(tmp_path / "class", [blank]), "--sandbox=none")
    assert {row["remark"] for row in rows} == {MARK}


def test_each_hand_in_has_a_seed_of_its_own():
    seeds = {_own_seed(secret, content) for secret in ("1", "2") for content in (b"a", b"b")}
    assert len(seeds) == 4
    assert all(seed.isdecimal() for seed in seeds)


def test_nbgraders_own_folder_is_not_graded(tmp_path, monkeypatch):
    monkeypatch.setattr(classroom.grade, "COURSE", tmp_path)
    inside = tmp_path / "inbox"
    inside.mkdir()
    (inside / "Anna_01_forward.ipynb").write_bytes(to_bytes(solved("01_forward")))
    monkeypatch.setattr(sys, "argv", ["grade", str(inside), "--seed=1"])
    with pytest.raises(SystemExit, match="Nothing was graded. build/class/ is for nbgrader"):
        classroom.grade.main()
    assert [path.name for path in tmp_path.rglob("*")] == ["inbox", "Anna_01_forward.ipynb"]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--jobs=0", "--jobs: expected a number of at least 1, got 0"),
        ("--timeout=-1", "--timeout: expected a number of at least 1, got -1"),
        ("--memory=0.1", "--memory: expected a number of at least 1, got 0.1"),
        ("--seed=abc", "--seed: expected a number of at least 0, got abc"),
    ],
)
def test_bad_settings_are_rejected(option, message, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["grade", "submissions", option])
    with pytest.raises(SystemExit):
        classroom.grade.main()
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("name", ["mistakes.toml", "layers.py"])
def test_results_are_computed_anew_when_the_library_changes(name, tmp_path, monkeypatch):
    monkeypatch.setattr(rnn_lib, "__file__", str(tmp_path / "__init__.py"))
    hash_code = code.__wrapped__
    before = hash_code()
    (tmp_path / name).write_text("changed")
    assert hash_code() != before


# -- reasons and remarks -------------------------------------------------------------------------

NAMED = "rnn_step: h_t is wrong; mistake: the bias is lost"
REASONS = {
    # The check's own finding counts, whatever else is said.
    "checks.check_step(wrong)": NAMED,
    "checks.check_step(telling)": NAMED,
    "checks.check_step(right)": "",
    "checks.check_step(nowhere)": "NameError: name 'nowhere' is not defined",
    "checks.check_step(begun)": "not begun: Exercise 1.1: write f",
    "checks.check_step(exits)": "SystemExit",
    "checks.check_step(slow)": "this cell took longer than 5 seconds",
    "checks.check_step(lost)": "this cell ended the kernel, or could not be stopped",
    # What is not the lessons' check is the student's own, and earns nothing.
    "raise checks.CheckFailed('wrong')": "wrong",
    "assert False": "AssertionError",
    "assert False, 'my own test'": "AssertionError: my own test",
    "2.0": "this check was not run: something else stood in its place",
    "print('rnn_step is right: all agrees')": (
        "this check was not run: something else stood in its place"
    ),
}
DEFINED = """
import os, sys
import numpy as np
from rnn_lib import checks

def right(x_t, h_prev, W_x, W_h, b):
    return np.tanh(x_t @ W_x + h_prev @ W_h + b)

def wrong(x_t, h_prev, W_x, W_h, b):
    return np.tanh(x_t @ W_x + h_prev @ W_h)

def telling(*given):
    print("    mistake   forged")
    return wrong(*given)

def begun(*given):
    raise NotImplementedError("Exercise 1.1: write f")

def exits(*given):
    sys.exit()

def slow(*given):
    while True:
        pass

def lost(*given):
    os._exit(0)
"""


def graded_cell(source, name):
    marks = {"grade": True, "solution": False, "grade_id": name, "points": 1}
    return new_code_cell(source, id=name, metadata={"nbgrader": marks})


def executed(folder, *cells, **settings):
    """Execute cells as when graded."""
    settings["is_sandboxed"] = not WITHOUT
    notebook, where = new_notebook(cells=cells), {"metadata": {"path": str(folder)}}
    return BoundedExecute(**settings).preprocess(notebook, where)[0]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """One notebook with all checks."""
    cells = [graded_cell(source, f"check-{n}") for n, source in enumerate(REASONS)]
    folder = tmp_path_factory.mktemp("handed in")
    return executed(folder, new_code_cell(DEFINED), *cells, timeout=5)


def test_a_check_that_passes_in_part_earns_half_the_points(monkeypatch, tmp_path):
    """Without training; in test_whole_class.py a rung is trained for it."""
    monkeypatch.setattr(accuracy, "_accuracies", lambda settings: np.array([80, 82]))
    monkeypatch.setattr(integrity, "_as_imported", [])
    defined = "from rnn_lib import checks\n\n\ndef my_rung():\n    return {'lr': 0.01}"
    check = graded_cell("checks.check_my_rung(my_rung, 1)", "check")
    notebook = executed(tmp_path, new_code_cell(defined), check)
    assert determine_grade(notebook.cells[1]) == (0.5, 1)
    exercise = SimpleNamespace(check=notebook.cells[1], solution=new_code_cell())
    why = "my_rung earns half the points: on the validation reviews, lr brings +0.0 points"
    assert reason(notebook, exercise).startswith(why)


def test_remark_on_how_it_was_handed_in_stands_in_the_first_row():
    notebook = SimpleNamespace(
        grades=[SimpleNamespace(name=e.check.id, score=0, max_score=1) for e in ASKED["01_forward"]]
    )
    gradebook = SimpleNamespace(
        find_submission_notebook=lambda *_: notebook,
        find_submission=lambda *_: SimpleNamespace(late_submission_penalty=0),
    )
    submission = Submission("Ana", "01_forward.ipynb", "01_forward", remark="the whole project")
    cells = [exercise.check.id for exercise in ASKED["01_forward"]]
    for remarks, expected in (
        ({}, ["the whole project", ""]),
        (dict.fromkeys(cells, "uses rnn_lib"), ["the whole project; uses rnn_lib", "uses rnn_lib"]),
    ):
        result = Result(submission, remarks=remarks)
        rows = report._rows(result, LESSONS, gradebook)
        assert [row["remark"] for row in rows] == expected


HELLO = b'{"value": {"tuple": [1]}, "changes": []}'
RIGHT = Verdict(printed="all is right")


@pytest.mark.parametrize(
    ("messages", "points"),
    [
        ([(BEGINS, 0), (CROSSES, 0, HELLO), (ENDS, 0, b"[]"), (IS_DONE, 0)], [1, 0]),
        ([(IS_DONE, 0)], [0, 0]),  # nothing was run
        ([(BEGINS, 0), (ENDS, 0, b"[]"), (ENDS, 1, b"[]"), (IS_DONE, 0)], [0, 0]),
        # The verdict on one cell is none on another, nor a second one on the same.
        ([(BEGINS, 0), (CROSSES, 0, HELLO), (ENDS, 1, b"[]"), (IS_DONE, 0)], [0, 0]),
        (
            [(BEGINS, 0), (CROSSES, 0, HELLO), (ENDS, 0, b"[]"), (ENDS, 0, b"[]"), (IS_DONE, 0)],
            [0, 0],
        ),
        ([(BEGINS, 0), (CROSSES, 1, HELLO), (ENDS, 1, b"[]"), (IS_DONE, 0)], [0, 0]),
        ([(BEGINS, 0), (CROSSES, 0, HELLO), (ENDS, 0, b"damaged"), (IS_DONE, 0)], [1, 0]),
        ([(BEGINS, 7)], RuntimeError),
        ([(BEGINS, 0), (IS_LOST, 0)], RuntimeError),  # again and again the same
    ],
)
def test_what_a_forged_runner_says_gives_no_points(messages, points, monkeypatch, tmp_path):
    """Student code may write to the pipe in the runner's place; only verdicts give points."""

    class Forged(contextlib.nullcontext):
        def __init__(self, *_):
            self.messages = [(*message, b"")[:3] for message in messages]
            super().__init__(self)

        def read(self):
            return self.messages.pop(0)

        def put_back(self, message):
            pass

    monkeypatch.setattr(execution, "Process", Forged)
    monkeypatch.setattr(execution, "judge", lambda *_: RIGHT)
    cells = [graded_cell("checks.check_step(f)", name) for name in "ab"]
    if points is RuntimeError:
        with pytest.raises(RuntimeError, match="took the place of what runs it"):
            executed(tmp_path, *cells)
    else:
        notebook = executed(tmp_path, *cells)
        assert [determine_grade(cell)[0] for cell in notebook.cells] == points


@pytest.mark.parametrize("source", REASONS)
def test_reason_is_what_the_check_found(source, told):
    check = next(cell for cell in told.cells if cell.source == source)
    exercise = SimpleNamespace(check=check, solution=new_code_cell())
    assert reason(told, exercise) == REASONS[source]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["def f(x):\n    return np.tanh(np.random.uniform(x))"], ""),
        (["def f(x):\n    return uniform(x)"], "uniform"),
        (["from rnn_lib import uniform as u", "def f(x):\n    return u(x)"], "uniform"),
        (["def f(x):\n    from rnn_lib import SimpleRNN as R\n    return R(1, 2)"], "SimpleRNN"),
        (["from rnn_lib.checks.references import f"], "checks"),
        (["def f(x):\n    return checks.references.f(x)"], "checks"),
        (["import rnn_lib.layers as L", "def f(x):\n    return L.Dense(2, 3)"], "Dense"),
        (["def helper(x):\n    return Dense(2, 3)", "def f(x):\n    return helper(x)"], "Dense"),
        (["net = Dense(2, 3)", "f = net.forward"], "Dense"),
        (["class Net:\n    layer = Dense", "def f(x):\n    return Net().layer"], "Dense"),
        (["def uniform(x):\n    return x", "def f(x):\n    return uniform(x)"], ""),
        (["from scipy.stats import uniform as u", "def f(x):\n    return u(x)"], ""),
        (["def f(x):\n    return x", "compare(f, Dense)"], ""),
        (["%timeit f(1)", "def f(x):\n    return Dense(2, 3)"], "Dense"),
        (["y = " + "-" * 50_000 + "1", "def f(x):\n    return Dense(2, 3)"], "Dense"),
    ],
    ids=range(15),
)
def test_remark_names_what_the_function_uses_of_the_library(cells, expected):
    notebook = new_notebook(cells=[new_code_cell(source) for source in cells])
    solution = new_code_cell("def f(x):\n    return x", id="solution")
    lesson = new_notebook(cells=[new_code_cell("import numpy as np")])
    exercise = SimpleNamespace(function="f", solution=solution)
    assert remark(notebook, lesson, exercise) == (expected and f"uses rnn_lib: {expected}")
