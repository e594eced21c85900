"""The numbers in the prose of lesson 4: answers, what the text quotes, and what must hold.

The quick tests read the committed outputs, which nbval compares with new ones; the slow ones run
the lesson and train its network in other ways. Numbers of trained networks differ a little between
processors, so a number in the text may be off by one in its last digit.
"""

import contextlib
import functools
import io
import json
import re
import signal
from decimal import Decimal
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from lesson_runs import answer_in, assert_every_question_is_answered
from pytest import approx

from rnn_lib import Adam, ScratchRNNClassifier, linear_decay, orthogonal

pytestmark = pytest.mark.lesson4

ROOT = Path(__file__).resolve().parents[1]
CELLS = nbformat.read(ROOT / "notebooks" / "04_imdb.ipynb", as_version=4).cells
TEXT = {cell.id: cell.source for cell in CELLS}
NUMBER = re.compile(r"[-+]?\d+(?:,\d{3})*(?:\.\d+)?")


def printed(cell_id):
    """Return what a cell shows as plain text, as it was committed."""
    (cell,) = (cell for cell in CELLS if cell.id == cell_id)
    return "".join(o.get("text") or o.get("data", {}).get("text/plain", "") for o in cell.outputs)


def numbers(text):
    """Return the numbers in a text, as they are written."""
    return [number.replace(",", "") for number in NUMBER.findall(text)]


def shown(cell_id):
    """Return the numbers in a cell's output."""
    return [float(number) for number in numbers(printed(cell_id))]


def assert_says(text, *values):
    """Expect these numbers in the text, in this order, each right to one unit in its last digit.

    A value that brings a tolerance of its own, ``approx(84.3, abs=2)``, is right within that.
    """
    for number, value in zip(numbers(text), values, strict=True):
        unit = 0 if number.isdigit() else 10.0 ** Decimal(number).as_tuple().exponent
        expected = value if hasattr(value, "abs") else approx(value, rel=0, abs=unit)
        assert float(number) == expected


def answer(question):
    """Return the text of a folded answer."""
    return answer_in(TEXT["answers"], question)


# -- the committed outputs -------------------------------------------------------------------------


def test_every_question_has_an_answer():
    assert_every_question_is_answered(TEXT, list("1234"))


def test_outputs_say_numbers_instead_of_true():
    outputs = "".join(printed(cell.id) for cell in CELLS if cell.cell_type == "code")
    assert not re.search(r"\b(True|False)\b", outputs)
    assert outputs.strip().splitlines()[-1].startswith("Result: ")


def test_small_parts_are_exact():
    *one_hot, product, rows = np.split(np.array(shown("onehot-product")), [18, 27])
    assert np.array_equal(product, rows)
    assert shown("compare-encode")[-2:] == [0, 80_000]
    assert shown("embedding-layer") == [0, *[0] * 6, *[1] * 3, *[0] * 3, *[2] * 3, *[0] * 3]
    assert shown("step-ten") == shown("compare-step")


def test_training_begins_to_overfit():
    rows = np.array([float(n) for n in numbers(printed("train-numbers"))]).reshape(3, 5)
    _, loss, accuracy, val_loss, val_accuracy = rows.T
    assert (np.diff(loss) < 0).all() and (np.diff(val_accuracy) > 0).all()
    assert abs(val_loss[1] - val_loss[2]) < 0.02
    assert val_accuracy.min() > 0.86 and accuracy[-1] > val_accuracy[-1]
    assert loss[0] > val_loss[0] and loss[1] > val_loss[1] and loss[2] < val_loss[2]
    assert_says(TEXT["train-reading"].partition("\n\n")[0], loss[1], loss[2], val_loss[2])


def test_test_accuracy_and_its_error():
    n, percent = shown("test-score")
    assert n == 2500 and percent > 86
    assert shown("test-check") == [round(np.sqrt(percent * (100 - percent) / n), 1)]
    rows = json.loads((ROOT / "benchmarks" / "accuracy.json").read_text("utf-8"))["rows"]
    assert_says(TEXT["test-luck"], rows["lesson-4"]["spread"])
    assert rows["lesson-4"]["seeds"] == 3
    assert float(numbers(printed("result"))[0]) == percent


def test_verdict_turns_where_the_text_says():
    first, last, *rest = shown("trace-check")
    assert first > 3 * last
    words = re.findall(r"^(\w+) +P", printed("trace-check"), re.MULTILINE)
    p = dict(zip(words, rest[::2], strict=True))
    assert max(p["awful"], p["wonderful"], p["beautiful"], p["perfect"]) < 0.5 < p["highly"]


def test_stripes_are_narrow():
    boring, the, story, awful, _, she, moving, performance, _ = shown("trace-heatmap-check")
    assert max(boring, awful) < -0.4 and moving > 0.4
    assert abs(story) < 0.1 and abs(she) < 0.1 and the > boring and performance < moving / 2


def test_two_suspects_are_not_guilty():
    n_mended, n, *table = shown("errors-test-numbers")
    n_words, all_cut, sure_cut, all_unknown, sure_unknown = table
    assert (n_mended, n_words) == (0, 400) and n == shown("errors-find")[1]
    assert sure_cut == 0 < all_cut and sure_unknown <= all_unknown


def test_not_pulls_both_words_down():
    good, not_good, p_not_good, bad, not_bad, p_not_bad = shown("errors-negation-log-odds")
    assert not_good < good and not_bad < bad
    assert_says(TEXT["errors-culprits"], p_not_good)
    assert p_not_good > 0.5 > p_not_bad
    sides = re.findall(r"^(positive|negative)", printed("errors-negation-test"), re.MULTILINE)
    assert sides == ["positive", "negative", "negative", "negative"]


def test_mistakes_lose_some_of_their_sureness():
    gallery, culprits = printed("errors-gallery"), printed("errors-culprits-show")
    rows = re.findall(r"^row (\d+): P\(positive\) (.*), without .*: (.*)$", culprits, re.MULTILINE)
    assert [row for row, *_ in rows] == re.findall(r"^row (\d+)", gallery, re.MULTILINE)
    assert len(rows) == 8
    for _, before, after in rows:
        before, after = float(before) - 0.5, float(after) - 0.5
        assert before * after > 0 and abs(after) < abs(before)
    assert re.search(r"row 661: negative.* good story excellent acting\n", gallery)


def test_probabilities_are_nearly_calibrated():
    distance, n_outer, n, predicted, observed, bar = shown("sure-check")
    assert distance < 0.05 and n_outer > n / 2
    assert predicted < observed - bar
    percent = [float(f"{100 * share:.0f}") for share in (predicted, observed)]
    assert_says(TEXT["sure-text"].partition("\n\n")[0], distance, *percent)
    excellent, awful, the = shown("sure-one-word")
    assert excellent > 0.98 and the > 0.98 and awful < 0.02


def test_long_reviews_are_not_clearly_harder():
    rows = np.array(shown("length-figure")[: 5 * 5]).reshape(5, 5)
    low, high, percent, bar, n = rows.T
    assert (low[1:] == high[:-1] + 1).all() and n.sum() == 2500
    assert (percent - bar).max() < (percent + bar).min()
    assert np.ptp(percent) < 5


def test_network_is_fooled():
    assert shown("own-try-it")[0] == 1
    nice, but, before, after = (
        float(line.split()[0]) for line in printed("own-fooled-log-odds").splitlines()
    )
    assert nice > -but > 0 and before > after > 0
    mine = re.search(r'mine = "(.*)"', TEXT["own-try-it"])[1]
    assert_says(TEXT["own-fooled-text"], len(mine.split()))


# -- an interrupted training -----------------------------------------------------------------------


class StopsOnce:
    """A schedule that presses *stop* in the middle of epoch 2."""

    def __init__(self, schedule):
        self.schedule, self.stopped = schedule, False

    def __call__(self, epoch):
        if epoch > 1.4 and not self.stopped:
            self.stopped = True
            signal.raise_signal(signal.SIGINT)
        return self.schedule(epoch)


@pytest.mark.usefixtures("ctrl_c")
def test_answer_4(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.integers(1, 20, (64, 5)), np.arange(64) % 2
    model = ScratchRNNClassifier(
        4,
        2,
        lr=StopsOnce(linear_decay(0.01, n_epochs=3)),
        batch_size=8,
        n_epochs=3,
        embedding=(20, 4),
        initializer=orthogonal(0.9),
        optimizer=Adam(),
        seed=0,
    )
    with pytest.warns(RuntimeWarning, match="interrupted in epoch 2"):
        model.fit(x, y)
    n_before, model.warm_start = len(model.history_["loss"]), True
    once_more = model.n_epochs
    model.n_epochs = 2
    model.fit(x, y)
    weights = {name: w.copy() for name, w in model.network_.params.items()}
    model.n_epochs = once_more - 2
    model.fit(x, y)
    n_after = len(model.history_["loss"])
    for name, w in model.network_.params.items():
        assert np.array_equal(w, weights[name]), "epoch 4 changes no weight"
    rate = model.lr(3)
    assert_says(answer(4), 2, n_before, once_more, n_after, rate, 3, 4, 2)

    model.lr = model.lr.schedule
    with pytest.warns(UserWarning, match="initializer: a function cannot be saved"):
        model.save(tmp_path / "films.npz")
    loaded = ScratchRNNClassifier.load(tmp_path / "films.npz")
    assert np.array_equal(loaded.predict_proba(x), model.predict_proba(x))


# -- the lesson, run -------------------------------------------------------------------------------


@functools.cache
def lesson():
    """Run the lesson; return its variables, and the axes of its figures by cell."""
    names, axes = {}, {}
    with np.printoptions(), contextlib.redirect_stdout(io.StringIO()):
        for cell in CELLS:
            if cell.cell_type == "code":
                exec(compile(cell.source, cell.id, "exec"), names)
                if plt.get_fignums():
                    axes[cell.id] = plt.gcf().axes
                    plt.close("all")
    return names, axes


@pytest.fixture
def names():
    return lesson()[0]


def near(tolerance, *values):
    """Let these values lie apart by so much: on another processor a training takes other turns.

    A tolerance is at most three times the spread between the processor of the committed outputs,
    another and an imitated one.
    """
    return [approx(value, abs=tolerance) for value in values]


@functools.cache
def trained(**changes):
    """Train the lesson's network with other settings."""
    names, _ = lesson()
    settings = names["small_model"]().get_params() | names["grown"] | {"verbose": 0} | changes
    data = names["data"]
    model = ScratchRNNClassifier(**settings)
    return model.fit(data.x_train, data.y_train, data.x_val, data.y_val)


def for_ten_epochs():
    return trained(n_epochs=10, lr=linear_decay(2e-3, n_epochs=10))


def distance_from_the_diagonal(model, data):
    p = model.predict_proba(data.x_val)[:, 1]
    bins = (10 * p).astype(int).clip(max=9)
    inside = [bins == k for k in range(10)]
    return sum(abs(p[rows].sum() - data.y_val[rows].sum()) for rows in inside) / len(p)


@pytest.mark.slow
def test_answer_1(names):
    mean, last, data = names["model"].history_, trained(readout="last"), names["data"]
    x = [ids[ids > 0][-50:] for ids in data.x_val]
    assert_says(
        answer(1),
        *near(4, 100 * last.history_["val_accuracy"][-1]),
        100 * mean["val_accuracy"][-1],
        *near(0.04, last.history_["loss"][0], last.history_["loss"][2]),
        *(mean["loss"][0], mean["loss"][2]),
        *(0.9, 0.9, 50, 0.9, 50, 0.9**50),
        *(50, *near(3, 100 * last.score(x, data.y_val))),
    )


@pytest.mark.slow
def test_answer_2(names):
    mean, own = names["model"].history_, trained(dropout=0.0).history_
    first, second, third = own["val_loss"]
    reached = 100 * own["val_accuracy"][-1]
    losses = *near(0.02, own["loss"][-1]), mean["loss"][-1], *near(0.02, first, third)
    assert_says(answer(2), *losses, *near(1, reached))
    assert abs(first - second) < 0.02
    assert 1 < 100 * mean["val_accuracy"][-1] - reached < 3
    assert own["loss"][0] > first and own["loss"][1] < second


@pytest.mark.slow
def test_answer_3(names):
    data, judge, row = names["data"], names["judge"], 234
    words = data.vocabulary.decode(data.x_val[row][data.x_val[row] > 0]).split()
    quoted = re.search('begins "(.*?)"', answer(3))[1]
    assert " ".join(words).startswith(quoted) and len(quoted.split()) <= 25
    assert row in names["sure_mistakes"] and data.y_val[row] == 0

    def rewritten(**other):
        return judge(" ".join(other.get(word, word) for word in words))

    sad, dull = {"terrific": "sad"}, {"funny": "dull"}
    values = [rewritten(), rewritten(**sad), rewritten(**dull), rewritten(**sad, **dull)]
    assert_says(answer(3), row, *values)


@pytest.mark.slow
def test_ten_epochs_overfit():
    history = for_ten_epochs().history_
    val_loss, val_accuracy = history["val_loss"], history["val_accuracy"]
    text = TEXT["train-reading"].partition("\n\n")[2]
    trained_loss, val_loss_at_end = near(0.04, history["loss"][-1], val_loss[-1])
    assert_says(text, trained_loss, val_loss[2], 3, val_loss_at_end)
    assert 0.5 < 100 * (val_accuracy[2] - val_accuracy[-1]) < 1.5
    assert min(val_loss) == val_loss[2]


@pytest.mark.slow
def test_overfitted_networks_are_too_sure(names):
    (text,) = re.findall(r"So does ours: (.*)", TEXT["sure-text"])
    models = for_ten_epochs(), trained(dropout=0.0)
    distances = (distance_from_the_diagonal(model, names["data"]) for model in models)
    assert_says(text, *near(0.02, *distances))


@pytest.mark.slow
def test_lesson_agrees_with_the_library(names):
    assert np.array_equal(names["yours"], names["theirs"])
    one_batch = ScratchRNNClassifier(16, 2, **names["parts"], **names["how"])
    one_batch.fit(names["data"].x_train[:64], names["data"].y_train[:64])
    assert np.abs(np.subtract(names["losses"], one_batch.history_["loss"])).max() < 1e-9


@pytest.mark.slow
def test_figures_show_what_the_cells_computed():
    names, axes = lesson()
    loss, accuracy = axes["train-curve"]
    assert loss.lines[1].get_ydata().tolist() == names["model"].history_["val_loss"]
    assert accuracy.lines[1].get_ydata().tolist() == names["model"].history_["val_accuracy"]

    (ax,) = axes["trace-line"]
    n_read, odds = ax.collections[0].get_offsets().T
    assert np.array_equal(n_read, 1 + np.arange(len(names["p"])))
    assert np.allclose(1 / (1 + np.exp(-odds)), names["p"], atol=1e-6)
    for label in ax.texts:
        t = names["words_of"](names["text"]).index(label.get_text())
        assert label.xy == (t + 1, names["odds"][t])

    ax, bar = axes["trace-heatmap-figure"]
    (image,) = ax.images
    assert np.array_equal(image.get_array(), names["arguments"][7:34])
    words = [label.get_text() for label in ax.get_yticklabels()]
    assert words == names["words_of"](names["text"])[7:34]
    assert [label.get_text() for label in ax.get_xticklabels()] == list(
        map(str, names["strongest"])
    )
    for word, side in (("boring", -1), ("awful", -1), ("moving", 1)):
        assert (side * image.get_array()[words.index(word)] > 0).sum() >= 11

    (ax,) = axes["sure-figure"]
    diagonal, dots = ax.lines[:2]
    assert np.array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    assert np.array_equal(dots.get_xdata(), names["predicted"])
    assert np.array_equal(dots.get_ydata(), names["observed"])
    assert [label.get_text() for label in ax.texts] == list(map(str, names["count"]))
    reached = np.abs(names["predicted"] - names["observed"]) < names["bar"]
    assert reached.sum() >= 8

    (ax,) = axes["length-figure"]
    values = [percent for ((percent, _),) in names["right"].values()]
    assert ax.lines[0].get_xdata().tolist() == values
