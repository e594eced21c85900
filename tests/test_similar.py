"""Planted copies are found among notebooks that were written independently, and nothing else is."""

import ast
import inspect
import random
import tomllib
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from class_of_students import ASKED, LESSONS, SOLUTIONS, notebook, with_cell
from nbformat.v4 import new_code_cell
from wrong_solutions import CORRECT

from classroom.similar import COLUMNS, LEAST, similar, statements
from classroom.submissions import Submission

N_STUDENTS = 20
LONG = ["03_bptt", "06_gates"]

# Right and wrong attempts, as different people write them; none is used twice in a class.
WRITTEN = defaultdict(list)
for name in ("student", "gated", "writing"):
    text = Path(__file__).with_name(f"{name}_attempts.toml").read_text("utf-8")
    for attempt in tomllib.loads(text)["attempt"]:
        WRITTEN[attempt["exercise"]].append(attempt["source"])
for solution in CORRECT:
    WRITTEN[solution.exercise].append(inspect.getsource(solution.make()))


def independent(lesson, seed):
    """Return the solutions of a class, by exercise, of which no two are the same text."""
    rng = random.Random(seed)
    left = {
        e.function: rng.sample(WRITTEN[e.function], k=len(WRITTEN[e.function]))
        for e in ASKED[lesson]
    }
    return [
        {e.number: left[e.function].pop() for e in ASKED[lesson] if left[e.function]}
        for _ in range(N_STUDENTS)
    ]


def written(lesson, solutions):
    return notebook(lesson, **{f"e{n.replace('.', '_')}": s for n, s in solutions.items()})


def hand_in(lesson, notebooks):
    return [Submission(f"s{i:02}", "", lesson, n) for i, n in enumerate(notebooks)]


def pairs(lesson, notebooks):
    found = similar(hand_in(lesson, notebooks), LESSONS)
    return [tuple(pair) for pair in found[COLUMNS[1:3]].values]


# -- copies -------------------------------------------------------------------------------------


def verbatim(source):
    return source


def renamed(source):
    """Give all names that the code binds new ones."""
    tree = ast.parse(source)
    bound = {
        n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    bound |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    for node in ast.walk(tree):
        for field in ("id", "arg"):
            if isinstance(node, (ast.Name, ast.arg)) and getattr(node, field, "") in bound:
                setattr(node, field, f"my_{getattr(node, field)}")
    return ast.unparse(tree)


def reordered(source):
    """Exchange neighbors that do not depend on each other, and write comments between all lines."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for i in range(0, len(body) - 1 if isinstance(body, list) else 0, 2):
            if are_independent(*body[i : i + 2]):
                body[i : i + 2] = body[i + 1], body[i]
    lines = [line for line in ast.unparse(tree).splitlines() if line.strip()]
    return "\n\n".join(f"{line}  # here I do this" for line in lines if '"""' not in line)


def are_independent(*both):
    first, second = ({n.id for n in ast.walk(s) if isinstance(n, ast.Name)} for s in both)
    return all(isinstance(s, ast.Assign) for s in both) and not (first & second - {"np"})


def has_a_magic(source):
    try:
        ast.parse(source)
    except SyntaxError:
        return True
    return False


COPIES = [verbatim, renamed, reordered]


@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("lesson", LONG)
def test_a_planted_copy_is_found_and_nothing_else(lesson, copy):
    solutions = independent(lesson, seed=0)
    copied = {n: s if has_a_magic(s) else copy(s) for n, s in solutions[7].items()}
    assert copy is verbatim or sum(copied[n] != s for n, s in solutions[7].items()) > 2
    notebooks = [written(lesson, own) for own in [*solutions, copied]]
    assert pairs(lesson, notebooks) == [("s07", f"s{N_STUDENTS}")]


@pytest.mark.parametrize("lesson", ["01_forward", "03_bptt", "04_imdb", "06_gates", "07_writing"])
@pytest.mark.parametrize("seed", range(3))
def test_none_is_found_among_20_independent_notebooks(lesson, seed):
    notebooks = [written(lesson, own) for own in independent(lesson, seed)]
    assert pairs(lesson, notebooks) == []


def test_the_copies_are_of_three_kinds():
    source = SOLUTIONS["3.2"]
    told = [Counter(source.split()), Counter(renamed(source).split())]
    assert told[0] != told[1]
    assert statements(source) == statements(renamed(source))
    swapped = reordered("a = b + 1\nc = d * 2\n")
    assert [line for line in swapped.splitlines() if line][0].startswith("c = ")


def test_the_lessons_own_text_is_evidence_of_nothing():
    """All of them may have it from there."""
    for lesson in ASKED:
        own = {e.number: SOLUTIONS[e.number] for e in ASKED[lesson]}
        assert pairs(lesson, [written(lesson, own), written(lesson, own)]) == []
        assert pairs(lesson, [notebook(lesson), notebook(lesson)]) == []


def test_a_short_text_is_evidence_of_nothing():
    line = "def help(x):\n    return np.tanh(x) * 3 - x.mean() / 2"  # 16 tokens
    both = [with_cell(notebook("01_forward"), line) for _ in range(2)]
    assert pairs("01_forward", both) == []
    long = "\n".join(f"y = np.tanh(x) * {n} - x.mean() / 2" for n in range(LEAST))
    both = [with_cell(notebook("01_forward"), long) for _ in range(2)]
    assert pairs("01_forward", both) == [("s00", "s01")]


def test_cells_of_under_ten_tokens_are_left_out():
    cells = [new_code_cell(f"x = {n} + 2") for n in range(LEAST)]
    both = [notebook("01_forward"), notebook("01_forward")]
    for one in both:
        one.cells += cells
    assert pairs("01_forward", both) == []


def test_a_student_is_not_compared_with_herself():
    (own,) = independent("03_bptt", 0)[:1]
    twice = hand_in("03_bptt", [written("03_bptt", own)] * 2)
    twice[1].student = twice[0].student
    assert similar(twice, LESSONS).empty


@pytest.mark.parametrize("source", ["x = (", "%time f(x)", "!ls", "(" * 5000, "\0", ""])
def test_what_is_not_python_has_no_statements(source):
    assert statements(source) == ()


def test_magic_lines_are_left_out():
    assert statements("%matplotlib inline\nx = y + 1") == ("0 = 1 + 1",)
