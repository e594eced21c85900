"""The numbers in lesson 5's prose: those of the rungs, and the answers at its end."""

import contextlib
import io
import json
import re

import nbformat
import numpy as np
import pytest
from test_accuracy import ROOT, accuracy, tiny_reviews
from tolerance import NUMBER

from rnn_lib import checks

pytestmark = pytest.mark.lesson5

LESSON = nbformat.read(ROOT / "notebooks" / "05_from_61_to_90.ipynb", as_version=4)
CELLS = {cell.id: cell.source for cell in LESSON.cells}
ANSWERS = CELLS["closing"].split("<summary>Answers</summary>")[1].split("</details>")[0]
SEEDS = (0, 1, 2)


def numbers_in(text):
    return [float(n) for n in re.findall(r"(?<![\w,])[-+]?\d+\.\d+", text.replace("−", "-"))]


def test_the_numbers_of_the_rungs_are_those_that_the_benchmark_wrote():
    names = {}
    exec(CELLS["which-numbers"], names)
    test, validation = (
        json.loads(path.read_text("utf-8"))["rows"]
        for path in (accuracy.RESULTS, accuracy.VALIDATION)
    )
    for name, quoted in names["rungs"].items():
        rows = validation[name], test[name]
        measured = [row[key] for row in rows for key in ("accuracy", "spread")]
        assert quoted == tuple(float(f"{number:.1f}") for number in measured), name
    assert ["the earlier notebook", *names["rungs"], "word pairs"] == list(validation)


def test_other_numbers_of_the_figure_are_those_of_the_table():
    test = json.loads(accuracy.RESULTS.read_text("utf-8"))["rows"]
    names = {
        "last state": "beginner-last",
        "without memory": "without-memory",
        "fast": "fast",
        "minute": "minute",
        "sum of words": "sum of weights, words",
        "sum of words and pairs": "sum of weights, words and pairs",
    }
    for shown, name in names.items():
        mean, spread = re.search(
            rf'"{shown}": \[\(([\d.]+), ([\d.]+)\)\]', CELLS["test-figure"]
        ).groups()
        assert mean == f"{test[name]['accuracy']:.1f}"
        assert float(spread) == float(f"{test[name]['spread'] or 0:.1f}")


def test_cells_that_make_test_leaves_out_say_the_same_of_a_few_reviews(monkeypatch):
    """All but the numbers; the rung on top is climbed in test_accuracy.py."""
    data = tiny_reviews(200).data
    monkeypatch.setattr(checks.integrity, "_as_imported", [])
    monkeypatch.setattr(checks.accuracy, "_reviews", lambda *_: data)
    names = {"data": data, "ladder": {"Adam as published": 50.0, "64 units": 60.0}}
    needed = ("setup", "rung-solution", "order-task")
    left_out = ("rung-check", "order-task-train", "order-task-check", "result")
    for cell in LESSON.cells:
        if cell.id in needed + left_out:
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(cell.source, names)
            # More words are no gain here: no review has as many.
            said = out.getvalue().replace("earns half the points", "is right")
            committed = "".join(output.text for output in cell.outputs)
            assert NUMBER.sub("0", said) == NUMBER.sub("0", committed)


class Ladder:
    """The lesson's ladder up to one rung; of the rungs before only the settings are made."""

    def __init__(self, seed, rung):
        self.names = {"seed": seed, "n_epochs": 2}
        for cell in LESSON.cells:
            if cell.id == "start-load" or "ladder" in cell.metadata.get("tags", ()):
                exec(cell.source, self.names)
                if cell.id == accuracy.CLIMB_CELL:
                    climb, self.names["climb"] = self.names["climb"], self._only_change
                if f'climb("{rung}"' in cell.source:
                    break
        self.names["climb"] = climb

    def _only_change(self, name, **changes):
        self.names["change"](**changes)

    def accuracy(self, name, **changes):
        self.names["climb"](name, **changes)
        return self.names["ladder"][name]


@pytest.mark.slow
def test_answers_1_and_3():
    (*gains,) = numbers_in(ANSWERS.split("1. ")[1].split(" points there")[0])
    costs_text, cut_text = ANSWERS.split("3. ")[1].split(" points with three seeds: ")
    cut, whole = (numbers_in(part) for part in cut_text.split("in place of")[:2])
    for seed in SEEDS:
        more = Ladder(seed, "all the reviews")
        before = more.accuracy("before")
        gain = more.accuracy("after", n_words=20_000, embedding=(20_000, 32)) - before
        assert gain == pytest.approx(gains[seed], abs=2)
        last = Ladder(seed, "400 words")
        assert last.accuracy("whole") == pytest.approx(whole[seed], abs=3)
        assert last.accuracy("cut", bptt_steps=4) == pytest.approx(cut[seed], abs=3)
    assert np.allclose(numbers_in(costs_text), np.subtract(whole, cut), atol=0.11)


@pytest.mark.slow
def test_answer_2():
    text = ANSWERS.split("2. ")[1].split("3. ")[0].split("last state reaches ")[1]
    quoted = np.reshape(numbers_in(text)[:12], (2, 2, 3))  # readout, (twenty, ten), seed
    names = {}
    for cell in ("setup", "start-load", "order-task"):
        exec(CELLS[cell], names)
    for seed in SEEDS[:2]:  # also the one with which ten words are not learned
        for column, n_words in enumerate((20, 10)):
            exec(CELLS["order-task"].replace("n_steps=10", f"n_steps={n_words}"), names)
            train = CELLS["order-task-train"].replace('"seed": 0', f'"seed": {seed}')
            exec(train.replace("rng=0)", f"rng={seed})"), names)
            unseen = names["windows"](names["data"].x_val, seed=1)
            last, mean = (100 * names[name].score(*unseen) for name in ("reader", "mean_reader"))
            assert last == pytest.approx(quoted[0, column, seed], abs=2)
            assert mean == pytest.approx(quoted[1, column, seed], abs=1.5)


@pytest.mark.slow
def test_without_memory_a_network_only_guesses_which_words_are_shuffled():
    names = {}
    for cell in ("setup", "start-load", "order-task", "recurrent-forgetful", "order-task-train"):
        source = CELLS[cell].split("reader =")[0]  # the other networks are not needed
        exec(source, names)
    model = names["ScratchRNNClassifier"](
        optimizer=names["ForgetfulAdam"](), readout="mean", **names["task"] | {"n_epochs": 1}
    )
    model.fit(names["pieces"], names["is_real"])
    assert model.score(*names["windows"](names["data"].x_val, seed=1)) == 0.5
