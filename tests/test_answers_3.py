"""The numbers in the prose of lesson 3: answers, figures, and what the cells compute.

An answer's numbers are computed here and compared with its text, one by one and in order, so that
neither can change without the other.
"""

import re

import numpy as np
import pytest
from lesson_runs import (
    assert_every_question_is_answered,
    assert_outputs_say_numbers,
    fixtures_of,
)

from rnn_lib import ScratchRNNClassifier, SimpleRNN, global_norm, grad_check

pytestmark = pytest.mark.lesson3

MATH = re.compile(r"\$[^$]*\$")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
TRAIN = "(1, 4, 7, 9, 10, 11, 12, 15)"


def numbers(text):
    """Return the numbers in a text, as they are written, those in formulas left out."""
    return NUMBER.findall(MATH.sub("", text).replace("−", "-"))


def edit(source):
    """Leave out the checks of the exercises, and of section 10's trainings all but two."""
    return "" if "checks." in source else source.replace(TRAIN, "(10, 11)")


lesson, names = fixtures_of("03_bptt", edit)


def test_every_question_has_an_answer(lesson):
    assert_every_question_is_answered(lesson.text, ["1", "2", "3"])


def test_outputs_say_numbers_instead_of_true(lesson):
    assert_outputs_say_numbers(lesson.cells)


# -- gradients: sections 1 to 8 --------------------------------------------------------------------


def test_gates_and_the_step_agree(names):
    arguments = (names[n] for n in ("dh_t", "x_t", "h_prev", "h_t", "W_x", "W_h"))
    ours = names["rnn_step_backward"](*arguments)
    for one, other in zip(ours, names["gates"], strict=True):
        assert np.abs(one - other).max() < 1e-12


def test_gradients_agree_with_numeric_ones(names):
    for n_steps in (1, 2, 5):
        assert max(names["errors"](names["rnn_backward"], n_steps)) < 1e-7


def test_layer_passes_and_agrees(names):
    report = grad_check(names["rnn"], names["x"], names["h0"])
    assert sorted(report.errors) == ["W_h", "W_x", "b", "dh0", "dx"]
    assert report.error < 1e-7
    assert np.abs(names["dx"] - names["grads"]["dx"]).max() < 1e-12


def test_overwritten_gradient_is_right_at_one_step_and_useless_at_two(names):
    assert max(names["errors"](names["overwritten_backward"], 1)) < 1e-7
    assert min(names["errors"](names["overwritten_backward"], 2)) > 0.6


def test_loss(lesson, names):
    scores, labels = np.random.default_rng(1).standard_normal((4, 3)), np.array([0, 2, 1, 2])
    loss = names["softmax_cross_entropy"]
    numeric = names["numeric_gradient"](lambda: loss(scores, labels)[0], scores)
    assert names["relative_error"](loss(scores, labels)[1], numeric) < 1e-7
    assert "gradient <1e-7" in lesson.printed["run-softmax-cross-entropy"]
    assert f"$\\log 3 = {names['ignorant']:.4f}$" in lesson.text["softmax-numbers"]
    assert names["ignorant"] == pytest.approx(np.log(3))


def test_training_by_hand_approaches_the_limit_in_the_text(lesson):
    limit = np.log(1 + 3 * np.exp(-2))
    assert f"= {limit:.4f}$" in lesson.text["update-all"]
    rows = re.findall(r"loss (\S+), chosen \[(.+)\]", lesson.printed["train-by-hand"])
    assert [chosen for _, chosen in rows] == ["2 2"] + ["3 1"] * 4  # within 50 steps
    losses = [float(loss) for loss, _ in rows]
    assert losses == sorted(losses, reverse=True) and limit < losses[-1] < limit + 0.005


def test_table_of_truncation_says_what_the_gradient_does(lesson, names):
    rows = re.findall(
        r"^\| (\d) \| ([\d, ]+) \| \$h_(\d)\$(.*) \|$", lesson.text["truncation"], re.M
    )
    assert [int(row[0]) for row in rows] == [5, 4, 3, 2, 1]
    x, h0, W_x, W_h, b = (names[n] for n in ("x", "h0", "W_x", "W_h", "b"))
    h = names["rnn_forward"](x, h0, W_x, W_h, b)
    for enters, cells, stop, arrives in rows:
        dh = np.zeros_like(h)
        dh[:, int(enters) - 1] = 1
        dx, dh0, *_ = names["rnn_backward"](dh, x, h0, h, W_x, W_h, 2)
        touched = 1 + np.flatnonzero(np.abs(dx).sum(axis=(0, 2)))
        assert [int(cell) for cell in cells.split(", ")] == touched[::-1].tolist()
        assert int(stop) == touched.min() - 1
        assert ("$dh_0$" in arrives) == dh0.any() == (stop == "0")


def test_truncated_gradient_is_that_of_the_held_loss_and_of_the_library(names):
    x, h0, W_x, W_h, b, dh = (names[n] for n in ("x", "h0", "W_x", "W_h", "b", "dh"))
    h = names["rnn_forward"](x, h0, W_x, W_h, b)
    for bptt_steps in (1, 2, 4, 5):
        ours = names["rnn_backward"](dh, x, h0, h, W_x, W_h, bptt_steps)
        for array, gradient in zip((h0, W_x, W_h, b), ours[1:], strict=True):
            numeric = names["numeric_gradient"](lambda n=bptt_steps: names["held_loss"](n), array)
            assert names["relative_error"](gradient, numeric) < 1e-7
        layer = SimpleRNN(names["F"], names["H"], bptt_steps=bptt_steps)
        layer.params = names["rnn"].params
        assert grad_check(layer, x, h0).error < 1e-7
        layer.forward(x, h0)
        assert np.abs(layer.backward(dh) - ours[0]).max() < 1e-12
        assert np.abs(layer.grads["W_h"] - ours[3]).max() < 1e-12


# -- sections 9 to 11 ------------------------------------------------------------------------------


def test_gradient_changes_by_the_gain(lesson, names):
    for gain in (0.8, 1.0, 1.2):
        assert np.allclose(names["norms"][f"gain {gain}"], gain ** np.arange(41), rtol=1e-3)
    assert "grown more than a thousandfold" in lesson.text["gradient-caption"]
    assert names["norms"]["gain 1.2"][40] > 1000 and names["norms"]["gain 0.8"][40] < 0.001
    (ax,) = lesson.axes["gradient-figure"]
    for line, values in zip(ax.lines, names["norms"].values(), strict=True):
        assert np.array_equal(line.get_ydata(), values)


def test_cliff(lesson, names):
    cliff, start = names["cliff"], names["start"]
    assert f"the gradient is −{-cliff(start)[1]:.0f}" in lesson.text["cliff-caption"]
    plain, clipped = names["paths"]["plain"], names["paths"]["clipped"]
    assert len(plain) == len(clipped) == 22  # the start, one step, and 20 more
    assert plain[1] - start > 1 and np.abs(plain[1:] - plain[1]).max() < 0.03
    assert np.ptp(clipped[::2]) < 1e-9 and np.ptp(clipped[1::2]) < 1e-9  # two points
    w_values = np.linspace(1.18, 1.24, 400)
    best = w_values[np.argmin([cliff(w)[0] for w in w_values])]
    assert np.abs(clipped - best).max() < 0.02
    for w, sign in ((1.15, -1), (1.25, 1)):
        unit = SimpleRNN(1, 1)
        unit.params = {"W_x": np.zeros((1, 1)), "W_h": np.array([[w]]), "b": np.array([-0.05])}
        assert np.sign(unit.forward(np.zeros((1, 50, 1)), np.array([[0.3]]))[0, -1, 0]) == sign


def test_figure_of_the_cliff_shows_the_paths(lesson, names):
    for ax, (name, path) in zip(lesson.axes["cliff-figure"], names["paths"].items(), strict=True):
        curve, dots = ax.lines
        assert dots.get_label().startswith(name)
        assert np.array_equal(dots.get_xdata(), path)
        assert curve.get_ydata()[-1] == names["cliff"](curve.get_xdata()[-1])[0]
        (arrow,) = ax.texts
        low, high = ax.get_xlim()
        assert low < path.min() and path.max() < high
        assert (arrow.xy[0], arrow.xyann[0]) == (path[1], path[0])


def test_clipping_scales_by_one_factor(names):
    large, clipped = names["large"], names["clipped"]
    for name in large:
        assert np.allclose(clipped[name], large[name] / names["norm"], rtol=1e-12)
    assert global_norm(clipped) == pytest.approx(1)


def test_recall_begins_with_eleven_cells(lesson, names):
    assert max(names["accuracy"][10]) < 0.45 and min(names["accuracy"][11]) > 0.99
    assert "$k + 1 = 11$" in lesson.text["memory-caption"] and names["k"] == 10
    asked = list(lesson.text).index("memory-guess")
    before = " ".join(list(lesson.text.values())[:asked]).partition("## 10.")[2]
    assert "11" not in before and "eleven" not in before, "the answer before the question"
    assert "10 cells: symbol 0.0000" in lesson.printed["memory-why"]
    layer = SimpleRNN(5, 32, bptt_steps=10, rng=1)
    dh = np.zeros_like(layer.forward(names["x_train"]))
    dh[:, -1] = 1
    layer.backward(dh)
    assert not layer.grads["W_x"][:3].any() and layer.grads["W_x"][3:].all()


def test_recall_is_printed_as_in_the_committed_outputs(lesson):
    """Of the cell that `make test` leaves out, two rows; and the lesson's result."""
    committed = {cell.id: cell.outputs for cell in lesson.cells if cell.cell_type == "code"}
    rows = lesson.printed["memory-train"].splitlines()
    assert len(rows) == 2 and set(rows) <= set(committed["memory-train"][0].text.splitlines())
    assert lesson.printed["result"] == committed["result"][0].text


@pytest.mark.slow
def test_recall_never_works_with_less_and_always_with_more(names):
    for bptt_steps in (1, 4, 7, 9):
        assert max(names["accuracies"](bptt_steps)) < 0.45
    for bptt_steps in (12, 15):
        assert min(names["accuracies"](bptt_steps)) > 0.99


def test_figure_of_recall_shows_dots_alone(lesson, names):
    (ax,) = lesson.axes["memory-figure"]
    *dots, chance = ax.lines
    assert chance.get_label() == "chance" and set(chance.get_ydata()) == {1 / 3}
    for line, (bptt_steps, scores) in zip(dots, names["accuracy"].items(), strict=True):
        assert line.get_linestyle() == "None"
        assert line.get_xdata().tolist() == [bptt_steps] * 3
        assert line.get_ydata().tolist() == scores
    assert ax.get_xticks().tolist() == list(names["accuracy"])


def test_classifier(lesson, names):
    losses = names["losses"]
    assert f"starts at log 3 = {np.log(3):.4f} nats" in lesson.text["classifier-caption"]
    assert losses[0] == pytest.approx(np.log(3), abs=5e-5) and np.all(np.diff(losses) < 0)
    (ax,) = lesson.axes["classifier-curve"]
    assert np.array_equal(ax.lines[0].get_ydata(), losses)
    report = grad_check(names["every_step"].network_, 100 * names["tiny"])
    assert report.error < 1e-7 and len(report.errors) == 6


# -- answers ---------------------------------------------------------------------------------------


def test_answer_1(lesson, names):
    source = lesson.text["exercise-rnn-step-backward"]
    assert source.count("h_prev.T @ da_t") == 1
    changed = {"np": np}
    exec(source.replace("h_prev.T @ da_t", "h_t.T @ da_t"), changed)
    exec(lesson.text["exercise-truncation"], changed)
    text, expected = lesson.answer(1), []
    for n_steps in (1, 2, 5):
        dx, dh0, dW_x, dW_h, db = names["errors"](changed["rnn_backward"], n_steps)
        assert max(dx, dh0, dW_x, db) < 1e-7
        expected.append((f"{dW_h:.2f}", f"{n_steps}"))
    assert re.findall(r"([\d.]+) at \$T = (\d)\$", text) == expected
    assert numbers(text) == [error for error, _ in expected] + ["1"]
    h = names["rnn_forward"](*(names[n] for n in ("x", "h0", "W_x", "W_h", "b")))
    assert np.abs(names["h0"] - h[:, 0]).min() > 1e-3


def test_answer_2(lesson, names):
    at = {size: names["gradient_lengths"](1.2, size=size) for size in (1e-6, 0.1, 1.0)}
    held = {}

    def keep(x, h0, W_x, W_h, b):
        held["h"] = forward(x, h0, W_x, W_h, b)
        return held["h"]

    forward = names["rnn_forward"]
    names["rnn_forward"] = keep
    try:
        names["gradient_lengths"](1.2, size=0.1)
    finally:
        names["rnn_forward"] = forward
    slope = (1 - held["h"] ** 2).mean()
    assert at[1.0][40] < 0.001
    assert 1.2 * slope == pytest.approx(1, abs=0.01)
    expected = ["40", f"{at[0.1][40]:.2f}", f"{at[1e-6][40]:.0f}", "1", f"{slope:.2f}"]
    expected += ["1.2", f"{slope:.2f}", "1", "1", "40", "0.001"]
    assert numbers(lesson.answer(2)) == expected


def fit_of_the_output_layer(names, initializer, seed):
    """Return how well a readout of untrained states does, and how far a symbol moves them."""
    layer = SimpleRNN(5, 32, initializer=initializer, rng=seed)
    last_states = []
    for x in (names["x_train"], names["x_test"]):
        last_states.append(np.c_[layer.forward(x)[:, -1], np.ones(len(x))])
    train, test = last_states
    weights = np.linalg.lstsq(train, np.eye(3)[names["y_train"]], rcond=None)[0]
    silent = names["x_test"].copy()
    silent[:, 0] = 0
    trace = np.linalg.norm(test[:, :-1] - layer.forward(silent)[:, -1], axis=1)
    return np.mean((test @ weights).argmax(axis=1) == names["y_test"]), trace.mean()


def test_answer_3(lesson, names):
    assert names["settings"]["initializer"] is names["deaf_start"]
    settings = names["settings"] | {"initializer": "orthogonal"}
    scores = {}
    for bptt_steps in (1, 7):
        models = [ScratchRNNClassifier(**settings, bptt_steps=bptt_steps, seed=s) for s in range(3)]
        scores[bptt_steps] = [
            model.fit(names["x_train"], names["y_train"]).score(names["x_test"], names["y_test"])
            for model in models
        ]
    assert min(scores[1]) > 0.5 and min(scores[7]) > 0.995
    starts = "orthogonal", names["deaf_start"]
    loud, deaf = ([fit_of_the_output_layer(names, start, s) for s in range(3)] for start in starts)
    low, high = (f"{100 * bound([fit for fit, _ in loud]):.0f}" for bound in (min, max))
    traces = [f"{np.mean([trace for _, trace in its]):.1g}" for its in (loud, deaf)]
    assert min(fit for fit, _ in deaf) == 1
    n_updates = settings["n_epochs"] * len(names["x_train"]) // settings["batch_size"]
    expected = ["1", "50", f"{100 / 3:.0f}", "7", "100", "1", traces[0], low, high, traces[1]]
    expected += ["100", f"{settings['lr']}", f"{n_updates}"]
    assert numbers(lesson.answer(3)) == expected


@pytest.mark.parametrize(("gain", "bptt_steps"), [(0.8, None), (1.2, None), (1.0, 4)])
def test_the_gradient_map_is_a_power_of_the_gain_and_0_outside_the_band(lesson, gain, bptt_steps):
    norms = lesson.names["gradient_norms"](gain, bptt_steps)
    back = np.subtract.outer(np.arange(len(norms)), np.arange(len(norms)))
    inside = (back >= 0) & (back < (bptt_steps or len(norms)))
    assert (norms[~inside] == 0).all()
    assert np.allclose(norms[inside] / gain ** back[inside].astype(float), norms[0, 0], rtol=1e-6)
