"""The numbers in the appendix on two side steps: those of the benchmark, and the answers."""

import json
import re
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from lesson_runs import NOTEBOOKS, answer_in, assert_every_question_is_answered
from test_accuracy import accuracy

pytestmark = pytest.mark.lesson5

CELLS = nbformat.read(NOTEBOOKS / "appendix_side_steps.ipynb", as_version=4).cells
TEXT = {cell.id: cell.source for cell in CELLS}
ROWS = json.loads(accuracy.RESULTS.read_text("utf-8"))["rows"]


@pytest.fixture
def names():
    """What the first section defines; nothing is trained."""
    names = {}
    for cell in ("setup", "adam-class", "adam-steps"):
        exec(TEXT[cell], names)
    return names


def test_every_question_is_answered():
    assert_every_question_is_answered(TEXT, ["1", "2"])


def test_steps_of_the_wrong_adam_are_those_done_on_paper(names):
    first, last = names["step_sizes"](names["EarlierAdam"](lr=1.0), [1, 10_000])
    assert first == pytest.approx(1)
    assert last == pytest.approx(10 / np.sqrt(1000), abs=1e-4)


def test_answer_1(names):
    quoted = float(re.search(r"0\.001 / 0\.316 = (\d\.\d+)", answer_in(TEXT["answers"], 1))[1])
    assert quoted == round(0.001 / 0.316, 4)
    sizes = names["step_sizes"](names["EarlierAdam"](lr=quoted), [*range(1, 20), 10_000])
    assert sizes[-1] == pytest.approx(0.001, rel=0.02)
    assert sizes.max() / 0.001 > 6


def test_accuracies_are_those_of_the_benchmark():
    copy, published = (ROWS[name] for name in ("the earlier notebook", "Adam as published"))
    shown = " and ".join(
        f"{row['accuracy']:.1f} ± {row['spread']:.1f} % with {name}"
        for row, name in ((copy, "the copy"), (published, "Adam as published"))
    )
    assert shown in TEXT["adam-result"]
    wide, pairs = ROWS["64 units"], ROWS["word pairs"]
    before, after = wide["accuracy"], pairs["accuracy"]
    assert (
        f"{after - before:.1f} points: from {before:.1f} to {after:.1f} %" in TEXT["pairs-result"]
    )
    millions = (pairs["parameters"] - wide["parameters"]) / 1e6
    assert f"{millions:.0f} million parameters more" in TEXT["pairs-result"]
    assert 1.5 < pairs["seconds"] / wide["seconds"] < 2
    linear = ROWS["sum of weights, words and pairs"]["accuracy"]
    assert f"{linear:.1f} against {after:.1f} %" in TEXT["linear-text"]


def test_the_result_is_that_of_the_two_cells_before_it(capsys):
    """`make test` leaves it out; the pairs are learned, from a few reviews, in test_accuracy.py."""
    data = SimpleNamespace(y_val=np.array([1, 0, 1, 1]))
    names = {"np": np, "data": data, "judged": data.y_val > 0}
    exec(TEXT["result"], names | {"lesson": {"ladder": {"word pairs": 90.75}}})
    expected = "Result: 90.8 % with word pairs, 100.0 % with the sum of weights\n"
    assert capsys.readouterr().out == expected


@pytest.mark.slow
def test_answer_2(monkeypatch):
    monkeypatch.chdir(NOTEBOOKS)
    names = {}
    for cell in CELLS:
        if cell.cell_type == "code" and "_ = climb(" not in cell.source:
            exec(cell.source, names)
        if cell.id == "pairs-known":
            break
    codes, counts = np.unique(names["pairs"]._codes(names["read"]("train")[0]), return_counts=True)
    left = [int(np.sum(counts[codes >= 0] >= least)) for least in (5, 2)]
    quoted = re.findall(r"\d+,\d+", answer_in(TEXT["answers"], 2))
    assert quoted == [f"{n:,}" for n in left]
