"""The numbers in the prose of lessons 1 and 2: answers, the puzzle, and what the cells compute.

An answer's numbers are computed here and compared with its text, one by one and in order, so that
neither can change without the other.
"""

import contextlib
import functools
import io
import re

import numpy as np
import pytest
from lesson_runs import (
    LessonRun,
    assert_every_question_is_answered,
    assert_outputs_say_numbers,
)

from rnn_lib import SimpleRNN, orthogonal, sigmoid, softmax

NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?")


def numbers(text):
    """Return the numbers in a text, as they are written."""
    return NUMBER.findall(text.replace("−", "-"))


def norm(array):
    return float(np.linalg.norm(array))


@functools.cache
def run(stem):
    return LessonRun(stem)


@pytest.fixture(params=["01_forward", "02_tiny_array"])
def lesson(request):
    return run(request.param)


@pytest.fixture
def lesson1():
    return run("01_forward")


@pytest.fixture
def lesson2():
    return run("02_tiny_array")


def test_every_question_has_an_answer(lesson):
    assert_every_question_is_answered(lesson.text, ["1", "2", "3"])


def test_outputs_say_numbers_instead_of_true(lesson):
    assert_outputs_say_numbers(lesson.cells)


# -- lesson 1 --------------------------------------------------------------------------------------


def states_of_a_unit(w_h, inputs):
    h, states = 0.0, []
    for x in inputs:
        h = np.tanh(x + w_h * h)
        states.append(h)
    return np.array(states)


@pytest.mark.lesson1
def test_lesson_1_answer_1(lesson1):
    once = states_of_a_unit(-0.9, [1] + [0] * 19)
    always = states_of_a_unit(-0.9, [1] * 100)
    in_turns = states_of_a_unit(-0.9, [1, -1] * 50)
    assert np.allclose(np.abs(once), states_of_a_unit(0.9, [1] + [0] * 19))
    assert np.all(np.sign(once[1:]) == -np.sign(once[:-1]))
    expected = ["0.9", f"{once[0]:.4f}", "1", f"{once[1]:.4f}", "2", f"{once[19]:.4f}", "20"]
    expected += ["1", f"{always[-1]:.4f}", "1", "-1", f"{in_turns[-2]:.4f}", f"{in_turns[-1]:.4f}"]
    assert numbers(lesson1.answer(1)) == expected


@pytest.mark.lesson1
def test_lesson_1_answer_2(lesson1):
    both = sigmoid(np.array([0.8]))[0], softmax(np.array([0.8, 0.0]))[0]
    assert abs(both[0] - both[1]) < 1e-15
    assert numbers(lesson1.answer(2)) == ["2", "1", "0", "1", "1", "0.8", f"{both[0]:.6f}", "7"]
    assert f"sigmoid of 0.8: {both[0]:.6f}" in lesson1.printed["output-layer"]


def relu_states(lesson1, factor, n_steps):
    rng = np.random.default_rng(0)  # the arrays of section 2
    N, T, F, H = 2, 3, 4, 5
    rng.standard_normal((N, T, F)), rng.standard_normal((N, H))
    W_x = rng.standard_normal((F, H)) / np.sqrt(F)
    W_h = rng.standard_normal((H, H)) / np.sqrt(H)
    b = rng.standard_normal(H)
    names = lesson1.names
    assert np.array_equal(W_x, names["W_x"]) and np.array_equal(W_h, names["W_h"])
    layer = SimpleRNN(F, H, "relu")
    layer.params = {"W_x": W_x, "W_h": factor * W_h, "b": b}
    return layer.forward(np.ones((1, n_steps, F)))[0]


@pytest.mark.lesson1
def test_lesson_1_answer_3(lesson1):
    W_h = lesson1.names["W_h"]
    positive = relu_states(lesson1, 1.0, 100)[-1] > 0
    eigenvalue = np.abs(np.linalg.eigvals(W_h[np.ix_(positive, positive)])).max()
    limit = f"{1 / eigenvalue:.3f}"
    rows = []
    for factor in (0.9, 1.0, 1.1):
        largest = relu_states(lesson1, factor, 100).max(axis=1)
        rows += [f"{factor}", *[f"{largest[n - 1]:,.1f}" for n in (30, 60, 100)]]
    n_units, n_positive = str(positive.size), str(positive.sum())
    expected = [limit, "30", "60", "100", *rows, "7", "2", "1", n_positive, n_units, n_positive]
    expected += [f"{eigenvalue:.4f}", "1", "1", f"{eigenvalue:.4f}", limit]
    assert numbers(lesson1.answer(3)) == expected
    below, above = (relu_states(lesson1, float(limit) + d, 5000).max(axis=1) for d in (-0.01, 0.01))
    assert below[-1] == pytest.approx(below[-1000]) and above[-1] > 1e6


@pytest.mark.lesson1
def test_lesson_1_ways_to_compute_a_state_agree(lesson1):
    names = lesson1.names
    for one, other in (("h_1", "by_hand"), ("h", "h_library"), ("h", "h_again")):
        assert np.abs(names[one] - names[other]).max() < 1e-12
    assert np.abs(names["h_rest"] - names["h"][:, 1:]).max() < 1e-12


@pytest.mark.lesson1
def test_lesson_1_numbers_in_the_prose(lesson1):
    text, remember = lesson1.text, lesson1.names["remember"]
    assert f"{remember(1.2, 1000)[-1]:.4f}" == "0.6586"
    assert "settles at 0.6586" in text["neuron-caption"]
    assert abs(remember(1.0, 100_000)[-1]) < 0.01, "1 forgets, too, though slowly"
    assert f"$\\tanh 1 = {np.tanh(1):.4f}$" in text["neuron"]
    assert f"\\tanh {0.5 * 0.7616:.4f}$" in text["neuron"]
    share = 1 - lesson1.names["tanh_with_exp"](1e-15) / np.tanh(1e-15)
    assert f"{100 * share:.0f}% too small" in text["tanh-digits"]
    assert f"{lesson1.names['norms'][11]:.3f}" in text["watch-conclusion"]
    billions = float(lesson1.printed["relu-swap"].split()[-1])
    assert billions > 1e9 and "passed a billion" in text["tanh-exp"]


@pytest.mark.lesson1
def test_lesson_1_figures_count_time_steps_as_the_text_does(lesson1):
    (ax,) = lesson1.axes["neuron-memory"]
    for line, w_h in zip(ax.lines, (0.5, 0.9, 1.2), strict=True):
        assert np.array_equal(line.get_xdata(), np.arange(1, 21))
        assert np.array_equal(line.get_ydata(), lesson1.names["remember"](w_h))
    states, norms = lesson1.names["states"], lesson1.names["norms"]
    top, below, *_ = lesson1.axes["watch-figure"]
    (image,) = top.images
    assert np.array_equal(image.get_array(), states.T)
    assert tuple(image.get_extent()) == (0.5, 20.5, 8.5, 0.5)
    assert [(a.get_text(), a.xy[0]) for a in top.texts] == [("signal A", 3), ("signal B", 13)]
    (line,) = below.lines
    assert np.array_equal(line.get_xdata(), np.arange(1, 21))
    assert np.array_equal(line.get_ydata(), norms)
    signals = lesson1.names["signals"][0]
    assert list(1 + np.flatnonzero(signals.any(axis=1))) == [3, 13]


# -- lesson 2 --------------------------------------------------------------------------------------


def table(text, n_columns):
    """Return the rows of the Markdown tables of so many columns, without their headers."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return {row[0]: row[1:] for row in lines if len(row) == n_columns and len(row[0]) == 1}


@pytest.mark.lesson2
def test_lesson_2_puzzle_has_the_solution_that_it_says(lesson2):
    states, names = table(lesson2.text["game"], 5), table(lesson2.text["game"], 2)
    solution = {
        row: int(mistake[0]) for row, (mistake, _) in table(lesson2.text["game-lessons"], 3).items()
    }
    assert list(states) == list(solution) == list("ABCDE")
    assert sorted(solution.values()) == sorted(map(int, names)) == [1, 2, 3, 4, 5]
    for row, mistake in solution.items():
        shown = np.array(list(map(float, states[row])))
        assert all(re.fullmatch(r"0\.\d{8}", number) for number in states[row])
        fits = [m for m, it in lesson2.names["wrong"].items() if np.abs(it - shown).max() < 5.1e-9]
        assert fits == [mistake]
        assert abs(lesson2.names["first_unit"][row] - shown[0]) < 1e-12
        assert f"{mistake}: {names[str(mistake)][0]}" in lesson2.text["game-lessons"]


@pytest.mark.lesson2
def test_lesson_2_puzzle_says_which_rows_are_right(lesson2):
    def verdicts(answer):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(lesson2.text["game-answers"], lesson2.names | {"answer": answer})
        return [line.partition(": ")[2] for line in out.getvalue().splitlines()]

    right = dict(zip("ABCDE", (3, 1, 2, 5, 4), strict=True))
    assert verdicts(right) == ["right"] * 5
    assert verdicts(right | {"A": 1, "B": 3}) == ["wrong"] * 2 + ["right"] * 3
    assert verdicts(right | {"C": 7, "E": ...})[2:] == ["wrong", "right", "not filled in yet"]
    assert verdicts(lesson2.names["answer"]) == ["not filled in yet"] * 5


@pytest.mark.lesson2
def test_lesson_2_row_e_passes_a_loose_test(lesson2):
    off = np.abs(lesson2.names["wrong"][4] - lesson2.names["right"]).max()
    assert 1e-4 < off < 0.0005 and "off by less than 0.0005" in lesson2.text["game-lessons"]


@pytest.mark.lesson2
def test_lesson_2_second_array_finds_what_the_first_does_not(lesson2):
    names = lesson2.names
    x, h0, W_x, W_h, b = (names[n] for n in ("x", "h0", "W_x", "W_h", "b"))
    assert np.abs(names["tiny_states"](x, h0, W_x, W_h, b)[0, -1] - names["expected"]).max() < 5e-9
    assert np.abs(names["ignores_h0"](x, h0, W_x, W_h, b) - names["expected"]).max() < 5e-9
    for cell, same in (("ignores-h0", True), ("second-array", False)):
        one, other = lesson2.printed[cell].splitlines()[1:]
        assert (one == other) == same
    for name in ("again", "permuted", "cut"):
        assert np.abs(names[name]).max() < 1e-12


@pytest.mark.lesson2
def test_lesson_2_numbers_in_the_prose(lesson2):
    text, names = lesson2.text, lesson2.names
    tangent = 0.76159416 + 0.0007 * 0.41997434
    assert f"{np.tanh(1):.8f}" == "0.76159416" and f"{1 - 0.76159416**2:.8f}" == "0.41997434"
    assert f"= {tangent:.8f}$" in text["by-hand"]
    assert f"off by {round(tangent, 8) - round(np.tanh(1.0007), 8):.8f}" in text["by-hand-comment"]
    assert f"0.7^{{10}} = {0.7**10:.4f}$" in text["memory-caption"]
    assert f"0.9^{{10}} = {0.9**10:.4f}$" in text["memory-caption"]
    left = {gain: d / d[0] for gain, d in names["distance"].items()}
    for gain in (0.7, 0.9):
        assert 0.95 * gain**10 < left[f"gain {gain}"][10] < gain**10
    assert 0.01 < left["gain 0.9"][40] < 0.015 and left["gain 1.0"][40] > 0.5
    assert names["sigma"] < 1 / 4 and names["sigma"] ** 3 < 1 / 50
    states = names["tiny_states"](*(names[n] for n in ("x", "h0", "W_x", "W_h", "b")))
    assert (1 - states**2).max() < 0.42


@pytest.mark.lesson2
def test_lesson_2_figure_shows_the_distances(lesson2):
    (ax,) = lesson2.axes["memory-figure"]
    assert ax.get_yscale() == "log"
    for line, (name, distance) in zip(ax.lines, lesson2.names["distance"].items(), strict=True):
        assert line.get_label() == name
        assert np.array_equal(line.get_xdata(), np.arange(41))
        assert np.array_equal(line.get_ydata(), distance)
        assert distance[0] == norm(np.diff(lesson2.names["start"], axis=0))


@pytest.mark.lesson2
def test_lesson_2_answer_1(lesson2):
    names = lesson2.names
    x, h0, W_x, W_h, b = (names[n] for n in ("x", "h0", "W_x", "W_h", "b"))
    backwards = names["last_state"](x[:, ::-1], h0, W_x, W_h, b)
    without_tanh = h0
    for t in range(3):
        without_tanh = x[:, t] @ W_x + without_tanh @ W_h + b
    assert np.abs(backwards - names["right"]).max() < 0.001
    states = [f"{value:.8f}" for value in (*backwards, *without_tanh[0])]
    assert numbers(lesson2.answer(1)) == [*states[:4], "0.001", *states[4:], "1"]


@pytest.mark.lesson2
def test_lesson_2_answer_2(lesson2):
    start, silence = lesson2.names["start"], lesson2.names["silence"]
    layer = SimpleRNN(1, 16, rng=2)
    layer.params["W_h"] = orthogonal(1.1)(np.random.default_rng(3), (16, 16))
    h = np.concatenate([start[:, None], layer.forward(silence, start)], axis=1)
    d = np.linalg.norm(h[0] - h[1], axis=1)
    expected = ["1.1", f"{d[10] / d[0]:.1f}", "10", "1.1", "10", f"{1.1**10:.1f}", "-1", "1"]
    expected += ["16", f"{np.sqrt(16 * 2**2):.0f}"]
    expected += [part for t in (0, 10, 20, 40) for part in (f"{d[t]:.2f}", f"{t}")]
    assert numbers(lesson2.answer(2)) == expected


@pytest.mark.lesson2
def test_lesson_2_answer_3(lesson2):
    matrix = np.array([[0.5, 10], [0, 0.5]])
    assert np.array_equal(np.linalg.eigvals(matrix), [0.5, 0.5])
    difference, norms = np.array([1.0, 0.0]), [1.0]
    for _ in range(8):
        difference = difference @ matrix
        norms.append(norm(difference))
    assert min(norms[:8]) >= 1 > norms[8]
    sigma = np.linalg.svd(matrix, compute_uv=False)[0]
    expected = ["0.5", "10", "0", "0.5", "0.5", f"{sigma:.2f}", "1", "0"]
    expected += [f"{n:.2f}" for n in norms[1:6]] + ["1", "5", "0.5", "8", f"{norms[8]:.2f}"]
    assert numbers(lesson2.answer(3)) == expected
