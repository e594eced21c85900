"""The numbers in the appendix: gradients, counts, the layout in memory, and what the times show."""

import re

import numpy as np
import pytest
from lesson_runs import assert_outputs_say_numbers, fixtures_of

# What measures times is left out.
lesson, names = fixtures_of(
    "appendix_speed", lambda source: "" if 'measure("' in source else source
)


def test_outputs_say_numbers_instead_of_true(lesson):
    assert_outputs_say_numbers(lesson.cells)


# -- gradients -------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["naive", "all_at_once"])
def test_gradients_are_those_of_lesson_3(names, step):
    assert names["difference"](names[step], *names["double"]) < 1e-13


@pytest.mark.parametrize("step", ["occurring_words", "time_first", "stop_at_the_end"])
def test_gradients_of_the_words_that_occur_are_those_of_lesson_3(names, step):
    assert names["difference"](names["written_out"], names[step], *names["double"]) < 1e-13


def test_gradients_of_the_library_are_those_of_lesson_3(names):
    layers = names["layers"](*names["double"])
    assert names["difference"](names["library"], *layers) < 1e-13


def test_float32_keeps_six_digits(names):
    assert 1e-8 < names["difference"](names["naive"], *names["single"]) < 1e-6


@pytest.mark.parametrize("wrong", ["E", "W_x", "W_h", "b"])
def test_one_wrong_gradient_is_seen(names, wrong):
    def step(*arrays):
        grads = names["naive"](*arrays)
        return grads | {wrong: grads[wrong] * (1 + 1e-6)}

    assert names["difference"](step, *names["double"]) == pytest.approx(1e-6)


# -- the layout in memory --------------------------------------------------------------------------


def test_figure_1_shows_pieces(lesson):
    (ax,) = lesson.axes["time-layout"]
    heads = [text.get_text() for text in ax.texts if "pieces" in text.get_text()]
    assert {"(N, T, H) in memory: 8 pieces for 4 time steps"} < set(heads)
    assert {"(T, N, H) in memory: 4 pieces for 4 time steps"} < set(heads)


def test_a_time_step_is_64_pieces_or_one(lesson, names):
    review_first, time_first = names["layouts"].values()
    rows = review_first[:, 0]  # (N, H)
    assert rows.strides[1] == rows.itemsize  # the numbers of one review are a piece
    assert rows.strides[0] > rows.shape[1] * rows.itemsize
    assert f"{rows.shape[0]} pieces of {rows.shape[1]} numbers" in lesson.text["time-in-place"]
    rows = time_first[:, 0]  # (N, H)
    assert rows.flags.c_contiguous
    assert f"one piece of {rows.size:,} numbers" in lesson.text["time-in-place"]


# -- times: those that the page shows --------------------------------------------------------------


@pytest.fixture
def times(lesson):
    """Milliseconds by name, as the page shows them."""
    outputs = [o for cell in lesson.cells for o in cell.get("outputs", ()) if "text" in o]
    found = re.findall(r"^(\S.*?) +([\d.]+) ms$", "".join(o.text for o in outputs), re.MULTILINE)
    return {name: float(ms) for name, ms in found}


def test_more_than_twice_as_fast(lesson, times):
    assert list(times)[0] == "the way of lesson 3" and list(times)[-1] == "rnn_lib"
    assert len(times) == 7 and "in seven ways" in lesson.text["library-figure"]
    assert times["the way of lesson 3"] > 2 * times["rnn_lib"]
    for cell in ("title", "end-did"):
        assert "more than twice as fast" in lesson.text[cell]


def test_the_digits_save_most_and_the_sums_less(lesson, times):
    digits, sums, *others = -np.diff(list(times.values()))
    assert digits > max(sums, *others)
    assert "It saves less than the change to float32 did" in lesson.text["once-why"]
    assert "unneeded digits most" in lesson.text["end-did"]


# -- answers ---------------------------------------------------------------------------------------


def test_answer_3_counts_as_the_lesson_does(lesson):
    folded = r"<summary>Answers</summary>(.*?)</details>"
    (answers,) = re.findall(folded, lesson.text["end-did"], re.DOTALL)
    (n_words,) = re.findall(r"([\d,]+) of 20,000 rows", lesson.printed["rows-gradients"])
    n_lookups, n_features = 64 * 400, 32
    assert f"each of the {n_words} words" in answers
    assert f"each of the {n_lookups:,} look-ups" in answers
    n_words = int(n_words.replace(",", ""))
    assert f"{n_words * n_lookups * n_features / 1e9:.1f} billion multiplications" in answers
    assert f"{n_lookups * n_features / 1e6:.1f} million additions" in answers
