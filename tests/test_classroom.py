"""A small class is graded, for real; the whole one is in test_whole_class.py."""

import sys
from types import SimpleNamespace

import pytest
from class_of_students import ASKED, LESSONS, SMALL_CLASS, solved
from grading import (
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
from classroom import report
from classroom.course import copy_of_the_course
from classroom.execution import BoundedExecute
from classroom.files import to_bytes
from classroom.submissions import Result, Submission
from classroom.worker import reason, remark


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
    hash_code = classroom.grade._code.__wrapped__
    before = hash_code()
    (tmp_path / name).write_text("changed")
    assert hash_code() != before


# -- reasons and remarks -------------------------------------------------------------------------

TELLING = """
from IPython.display import publish_display_data
from rnn_lib.checks import CheckFailed, receipts

class CellTimeoutError(Exception):
    "What the grader puts in place of a check that takes too long."

def publish(finding):
    publish_display_data({receipts.FINDING_MIME_TYPE: finding})

def fail(message, mistake):
    failure = CheckFailed(message, "h_t", mistake, "lesson 1, section 4")
    receipts.report(failure)
    raise failure
"""
NAMED = "wrong; mistake: the bias is lost"
REASONS = {
    # The check's own finding counts, however the message is worded.
    r"fail('wrong\n    mistake   the bias is lost', 'the bias is lost')": NAMED,
    r"fail('wrong\n    Fehler    b fehlt', 'the bias is lost')": NAMED,
    r"fail('wrong\n    mistake   printed only', None)": "wrong",
    "publish({'mistake': 'forged'}); fail('wrong', 'the bias is lost')": NAMED,
    "publish({'mistake': 'forged'}); fail('wrong', None)": "wrong",
    # A finding of another cell, of another error, or of another form names nothing.
    "raise CheckFailed('wrong')": "wrong",
    "publish({'mistake': 'forged'}); raise ValueError('odd')": "ValueError: odd",
    "publish({'mistake': 'forged'}); raise CellTimeoutError('slow')": "slow",
    "publish({'mistake': ['forged']}); raise CheckFailed('wrong')": "wrong",
    "publish('forged'); raise CheckFailed('wrong')": "wrong",
    # Students can forge the name of their own mistake: one line, of bounded length.
    r"publish({'mistake': 'a\n\n b' + 'x' * 1000}); raise CheckFailed('wrong')": (
        "wrong; mistake: a b" + "x" * 497
    ),
    # An AssertionError is the student's own.
    "assert False": "AssertionError",
    "assert False, 'my own test'": "AssertionError: my own test",
    "raise NotImplementedError('Exercise 1.1: write f')": "not begun: Exercise 1.1: write f",
}


def graded_cell(source, name):
    marks = {"grade": True, "solution": False, "grade_id": name, "points": 1}
    return new_code_cell(source, id=name, metadata={"nbgrader": marks})


@pytest.fixture(scope="module")
def told():
    """One notebook with all checks, executed as when graded."""
    cells = [new_code_cell(TELLING)]
    for n, source in enumerate(REASONS):
        cells += [
            new_code_cell("publish({'mistake': 'of another cell'})"),
            graded_cell(source, f"check-{n}"),
        ]
    notebook, _ = BoundedExecute().preprocess(new_notebook(cells=cells), {})
    return notebook


@pytest.mark.parametrize(
    "source",
    [
        "2.0",
        "publish({receipts.MIME_TYPE: '0' * 64})",
        "publish({receipts.MIME_TYPE: 'half'}); 1.0",
    ],
)
def test_points_cannot_be_printed(source):
    """nbgrader takes a number that a cell displays for its points; here only a receipt counts."""
    imports = "from IPython.display import publish_display_data as publish\n"
    imports += "from rnn_lib.checks import receipts"
    cells = [new_code_cell(imports), graded_cell(source, "check")]
    notebook, _ = BoundedExecute().preprocess(new_notebook(cells=cells), {})
    assert [output.get("ename") for output in notebook.cells[1].outputs] == ["CheckReplaced"]


def test_a_check_that_passes_in_part_earns_half_the_points():
    """Without training; in test_whole_class.py a rung is trained for it."""
    nothing_gained = """
from rnn_lib.checks import accuracy, integrity

integrity._as_imported.clear()
accuracy._accuracies = lambda settings: np.array([80, 82])


def my_rung():
    return {"lr": 0.01}
"""
    cells = [new_code_cell("import numpy as np\nfrom rnn_lib import checks" + nothing_gained)]
    cells.append(graded_cell("checks.check_my_rung(my_rung, 1)", "check"))
    notebook, _ = BoundedExecute().preprocess(new_notebook(cells=cells), {})
    points = determine_grade(notebook.cells[1])
    assert points == (0.5, 1)
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


@pytest.mark.parametrize("source", REASONS)
def test_reason_names_the_mistake_that_the_check_found(source, told):
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
