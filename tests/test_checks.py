"""The checks: every wrong solution is caught and named, every correct one passes, none cheats."""

import ast
import contextlib
import copy
import functools
import io
import os
import re
import sys
import tomllib
import warnings
from pathlib import Path

import nbformat
import numpy as np
import pytest
from blind_solutions import SOLUTIONS as BLIND
from lesson_runs import NOTEBOOKS
from test_accuracy import tiny_reviews
from wrong_solutions import (
    BACK,
    BATCHES,
    CORRECT,
    ENCODE,
    FORWARD,
    GRU,
    GRU_BACK,
    LSTM,
    LSTM_BACK,
    NUMBER_OF,
    NUMERIC,
    SAMPLE,
    SOFTMAX,
    STEP,
    STEP_BACK,
    TOO_FEW,
    TOO_MANY,
    TRAINING,
    TWO_WAYS,
    UPDATE,
    WRONG,
    run,
)

import rnn_lib
from rnn_lib import checks
from rnn_lib.checks import (
    adapters,
    exercises,
    integrity,
    mistakes,
    problems,
    references,
)
from rnn_lib.training import training_step

CHECKS = {
    "rnn_step": checks.check_step,
    "rnn_forward": checks.check_forward,
    "tiny_states": checks.check_tiny_states,
    "rnn_step_backward": checks.check_step_backward,
    "rnn_backward": checks.check_backward,
    "softmax_cross_entropy": checks.check_softmax_cross_entropy,
    "update": checks.check_update,
    "numeric_gradient": checks.check_numeric_gradient,
    "encode": checks.check_encode,
    "training_step": checks.check_training_step,
    "lstm_step": checks.check_lstm_step,
    "lstm_step_backward": checks.check_lstm_step_backward,
    "gru_step": checks.check_gru_step,
    "gru_step_backward": checks.check_gru_step_backward,
    "next_character_batches": checks.check_next_character_batches,
    "sample": checks.check_sample,
}
RIGHT = {
    "rnn_step": STEP,
    "rnn_forward": FORWARD,
    "tiny_states": FORWARD.replace("rnn_forward", "tiny_states"),
    "rnn_step_backward": STEP_BACK,
    "rnn_backward": BACK,
    "softmax_cross_entropy": SOFTMAX,
    "update": UPDATE,
    "numeric_gradient": NUMERIC,
    "encode": ENCODE,
    "training_step": TRAINING,
    "lstm_step": LSTM,
    "lstm_step_backward": LSTM_BACK,
    "gru_step": GRU,
    "gru_step_backward": GRU_BACK,
    "next_character_batches": BATCHES,
    "sample": SAMPLE,
}
EXERCISES = list(CHECKS)
RECORDS = {r.name: r for r in vars(exercises).values() if isinstance(r, exercises.Exercise)}
RECORDS["rnn_backward"] = exercises.BACKWARD
# The others are given numbers that must be float64, or are no numbers.
FROM_ARRAYS_TO_ARRAYS = [
    name
    for name, record in RECORDS.items()
    if (not record.adapter or "gates" in record.signature) and not record.integers
]
SEEDS = ("", "1", "2024")
EARLIER, GATED, WRITING = (
    tomllib.loads(Path(__file__).with_name(f"{name}_attempts.toml").read_text("utf-8"))["attempt"]
    for name in ("student", "gated", "writing")
)
ATTEMPTS = EARLIER + GATED + WRITING
# Mistakes that the tests of their own exercises make.
ELSEWHERE = (
    *[name for name, entry in mistakes.TABLE.items() if "settings" in entry],
    "the answer is written down, not computed from the arguments",
    "the gradients have no effect",
    "your test refuses a right layer",
    "your test stops, and gives no verdict",
    "not exactly one of the settings is changed",
    "the setting is over the budget",
    "the gain that you expect is not written down",
)


def marked(name, *others):
    """Return an exercise's parameters, with the mark of the lesson that asks for it."""
    lesson = RECORDS[name].section[7] if name in RECORDS else 4  # the small model has no record
    return pytest.param(*(others or (name,)), marks=getattr(pytest.mark, f"lesson{lesson}"))


each_exercise = pytest.mark.parametrize("exercise", [marked(name) for name in EXERCISES])


@pytest.fixture(autouse=True)
def default_seed(monkeypatch):
    monkeypatch.delenv("RNN_LIB_CHECK_SEED", raising=False)


def right(exercise):
    return run(RIGHT[exercise], exercise)


def complaint(exercise, function):
    """Return what the check says if it fails, and None if it passes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # wrong solutions divide by zero and the like
        try:
            CHECKS[exercise](function)
        except AssertionError as error:
            return str(error)
    return None


@functools.cache
def complaint_about(solution):
    """Return what the check says under the default seed; asked once for several tests."""
    return complaint(solution.exercise, solution.make())


def named(message):
    return re.findall(r"^    mistake +(.*)$", message, re.MULTILINE)


def names_it(message, expected):
    if expected is None:
        return not named(message)
    if isinstance(expected, tuple):
        return all(names_it(message, one) for one in expected)
    if isinstance(expected, int):
        return any(NUMBER_OF.get(name) == expected for name in named(message))
    return any(expected in name for name in named(message))


def in_float32(function, and_back):
    """Let a function compute in float32, and return that or float64 again."""

    def cast(value, dtype):
        if isinstance(value, (tuple, list)):
            return type(value)(cast(v, dtype) for v in value)
        is_float = isinstance(value, np.ndarray) and value.dtype in (np.float32, np.float64)
        return value.astype(dtype) if is_float else value

    def wrapped(*args, **options):
        returned = function(*(cast(a, np.float32) for a in args), **options)
        return cast(returned, np.float64 if and_back else np.float32)

    return wrapped


def messages(solutions, monkeypatch, thorough):
    """Ask for all solutions; if thorough, under each seed, and in float32 both ways."""
    for solution in solutions:
        monkeypatch.delenv("RNN_LIB_CHECK_SEED", raising=False)
        yield solution, "", complaint_about(solution)
        if not thorough:
            continue
        runs = [(seed, solution.make()) for seed in SEEDS if seed]
        if solution.exercise in FROM_ARRAYS_TO_ARRAYS and not solution.float64_only:
            runs.append(("", in_float32(solution.make(), and_back=False)))
            runs.append(("5", in_float32(solution.make(), and_back=True)))
        for seed, function in runs:
            monkeypatch.setenv("RNN_LIB_CHECK_SEED", seed)
            yield solution, seed, complaint(solution.exercise, function)


# -- what the checks are for --------------------------------------------------------------------


@pytest.mark.parametrize("thorough", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_mutation_score(thorough, monkeypatch, capsys):
    uncaught, unnamed, failing, n_runs = [], [], [], 0
    for solution, seed, message in messages(WRONG, monkeypatch, thorough):
        if message is None:
            uncaught.append((solution, seed))
        elif not names_it(message, solution.named):
            unnamed.append((solution, seed, message))
        n_runs += 1
    for solution, seed, message in messages(CORRECT, monkeypatch, thorough):
        if message is not None:
            failing.append((solution, seed, message))
        n_runs += 1

    known = {s for s in WRONG if s.named is not None}
    n_caught = len(WRONG) - len({s for s, _ in uncaught})
    n_named = len(known - {s for s, *_ in unnamed} - {s for s, _ in uncaught})
    n_passing = len(CORRECT) - len({s for s, *_ in failing})
    n_guesses = len({s for s, *_ in unnamed} - known)
    with capsys.disabled():
        print(
            f"\n{n_caught} of {len(WRONG)} wrong implementations caught, "
            f"{n_named} of {len(known)} known mistakes by name, {n_guesses} wrong guesses; "
            f"{n_passing} of {len(CORRECT)} correct ones pass "
            f"({n_runs} runs{f': {len(SEEDS)} seeds, float32' if thorough else ''})"
        )
    assert not uncaught
    assert not unnamed, unnamed[0]
    assert not failing, failing[0]


# Of these the checks do not say the name: a log(0) hidden by float64 is only worth a remark, and a
# product of means in the loss is what all labels for each row give, too.
UNNAMED = {"step_tanh_by_one_exponential", "loss_log_of_mean"}


@pytest.mark.parametrize("seed", ["", "23"])
def test_solutions_written_without_knowing_the_checks(monkeypatch, seed):
    """Of another hand, in other styles, before their author had seen the checks.

    Of its 80 mistakes of the list, the checks of that time named 74; they gave one a wrong name and
    five none, and refused one of its 18 correct solutions. They have learned from it since.
    """
    monkeypatch.setenv("RNN_LIB_CHECK_SEED", seed)
    for short_name, kind, function in BLIND:
        exercise = f"rnn_{short_name}" if f"rnn_{short_name}" in CHECKS else short_name
        message = complaint(exercise, function)
        numbers = [NUMBER_OF.get(name) for name in named(message or "")]
        if kind == "right":
            assert message is None, function.__name__
        elif kind == "other":
            assert message is not None, function.__name__
            assert not any(numbers), (function.__name__, message)
        else:
            expected = [] if function.__name__ in UNNAMED else [kind]
            assert [n for n in numbers if n] == expected, (function.__name__, message)


@pytest.mark.slow
@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda a: f"{a['exercise']}-{a['truth'][:40]}")
def test_attempts_are_judged_and_named(attempt):
    """Right ones pass, wrong ones fail, and each mistake has the name that it had."""
    function = run(attempt["source"], attempt["exercise"])
    check = CHECKS.get(attempt["exercise"], checks.check_looks_right)
    if attempt["exercise"] == "rnn_backward":
        check = functools.partial(check, truncation=attempt.get("truncation", True))
    if attempt["truth"] == "right":
        check(function)
        return
    with warnings.catch_warnings(), pytest.raises(checks.CheckFailed) as caught:
        warnings.simplefilter("ignore")
        check(function)
    assert caught.value.mistake == attempt.get("mistake")


def test_every_mistake_of_the_list_is_among_the_wrong_solutions():
    made = {name for s in WRONG for name in (s.named if isinstance(s.named, tuple) else (s.named,))}
    made |= {name for a in ATTEMPTS for name in a.get("mistake", "").split("; ")}
    assert set(range(1, 24)) <= made | {15}  # it has two names, too few and too many
    assert {TOO_FEW, TOO_MANY} <= made
    assert set(NUMBER_OF.values()) == set(range(1, 24))
    assert set(NUMBER_OF) <= set(mistakes.TABLE)
    for mistake in mistakes.TABLE:
        words = [w for w in made if isinstance(w, str) and w in mistake]
        assert NUMBER_OF.get(mistake) in made - {None} or words or mistake in ELSEWHERE, mistake


def test_the_results_count_the_solutions():
    kinds = [kind for _, kind, _ in BLIND]
    rights = [attempt["truth"] == "right" for attempt in GATED]
    results = (Path(__file__).parents[1] / "docs" / "results.md").read_text(encoding="utf-8")
    for words in (
        f"{len(WRONG)} wrong implementations",
        f"{len([s for s in WRONG if s.named is not None])} that make a known mistake",
        f"{len(CORRECT)} correct ones",
        f"{len(BLIND)} solutions",
        f"{len([kind for kind in kinds if isinstance(kind, int)])} mistakes from our list",
        f"{kinds.count('right')} correct solutions",
        f"{rights.count(False)} wrong attempts and {rights.count(True)} right ones",
    ):
        assert words in results, words


def test_solutions_are_distinct():
    assert len({(s.exercise, s.label) for s in CORRECT}) == len(CORRECT)
    assert len(set(WRONG)) == len(WRONG)


# -- what they say ------------------------------------------------------------------------------

PASSING = {
    "rnn_step": "h_t agrees to 1e-9, with h_prev != 0 and with sums of 1000; two calls agree, "
    "the inputs are",
    "rnn_forward": "h agrees to 1e-9 for T = 1, 2, 5, h0 != 0 and sums of 1000; two calls agree, "
    "the inputs are",
    "tiny_states": "h agrees to 1e-9, for the tiny array and for others with h0 != 0; "
    "two calls agree, the inputs are",
    "rnn_step_backward": "all five agree to 1e-9, and with numeric gradients; two calls agree, "
    "the inputs are",
    "rnn_backward": "all five agree to 1e-9, T = 1, 2, 5, bptt_steps to 7, numeric gradients too; "
    "two calls agree, the inputs are",
    "softmax_cross_entropy": "both agree to 1e-9, with scores of 1000 and with numeric gradients; "
    "two calls agree, the inputs are",
    "update": "W_x, W_h and b change in place by -lr * dw, to 1e-5, with two rates; "
    "two calls agree, the gradients are",
    "numeric_gradient": "a vector and a matrix agree to 1e-6, with eps = 1e-5 and 0.05; "
    "two calls agree, array is",
    "encode": "long, short and empty reviews come out exactly, unknown words too; "
    "two calls agree, the inputs are",
    "training_step": "loss and changes of 3 steps agree to 1e-9, with norms below and above 1; "
    "two calls agree, the inputs are",
    "lstm_step": "h_t and c_t agree to 1e-9, with h_prev and c_prev != 0 and with large sums; "
    "two calls agree, the inputs are",
    "lstm_step_backward": "all six agree to 1e-9, and with numeric gradients; two calls agree, "
    "the inputs are",
    "gru_step": "h_t agrees to 1e-9, with h_prev != 0 and with large sums; two calls agree, "
    "the inputs are",
    "gru_step_backward": "all six agree to 1e-9, and with numeric gradients; two calls agree, "
    "the inputs are",
    "next_character_batches": "all batches come out exactly and in order, whatever is left over; "
    "two calls agree, the inputs are",
    "sample": "what it reads is right, and so are the shares of 1,000 draws at 4 temperatures; "
    "two calls agree, the inputs are",
}


def passing_line(exercise):
    return f"{exercise} is right: {PASSING[exercise]} untouched."


def test_passing_lines_fit_jupyterlab():
    assert max(len(passing_line(exercise)) for exercise in EXERCISES) <= 145


@each_exercise
def test_a_pass_prints_one_constant_line_and_leaves_no_state(exercise, capfd):
    np.random.seed(1)  # noqa: NPY002 - the global state, which must be left alone
    errors, environment = np.geterr(), dict(os.environ)
    options = np.get_printoptions()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            assert CHECKS[exercise](right(exercise)) is None
            out, err = capfd.readouterr()
            assert (out, err) == (passing_line(exercise) + "\n", "")
    assert np.geterr() == errors
    assert np.get_printoptions() == options
    assert dict(os.environ) == environment
    assert np.random.random() == np.random.RandomState(1).random()  # noqa: NPY002


def test_truncation_is_optional(capsys):
    in_full = run(BACK.replace("else bptt_steps", "else T"), "rnn_backward")
    assert "bptt_steps is not used" in complaint("rnn_backward", in_full)
    checks.check_backward(in_full, truncation=False)
    ours = "T = 1, 2, 5, bptt_steps to 7, numeric gradients too"
    expected = passing_line("rnn_backward")
    expected = expected.replace(", " + ours, " for T = 1, 2, 5, and with numeric gradients")
    assert capsys.readouterr().out == expected + "\n"
    with pytest.raises(AssertionError, match="W_h is not transposed"):
        checks.check_backward(run(BACK.replace("W_h.T", "W_h"), "rnn_backward"), truncation=False)


def test_passing_line_reports_float32(capsys):
    checks.check_forward(in_float32(right("rnn_forward"), and_back=True))
    assert "to 1e-5 (float32)" in capsys.readouterr().out


@pytest.mark.parametrize("exercise", [marked("rnn_step"), marked("rnn_forward")])
def test_exp_form_of_tanh_passes_with_a_note(exercise, capsys):
    source = RIGHT[exercise].replace("np.tanh(a_t)", "-2 / (np.exp(2 * a_t) + 1) + 1")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # exp(2000) overflows, and that was asked for
        CHECKS[exercise](run(source, exercise))
    verdict, note = capsys.readouterr().out.splitlines()
    assert verdict == passing_line(exercise)
    assert note == (
        "note: the tanh of 1e-17 comes out as 0 here, digits near 0 are lost; "
        "np.tanh keeps them (lesson 1, section 5)"
    )


@pytest.mark.parametrize("source", [STEP, STEP.replace("x_t @ W_x", "(2 - 1e-6) / 2 * x_t @ W_x")])
def test_intermediate_float32_is_distinguished_from_a_slightly_wrong_formula(source, capsys):
    """Nothing in the result shows float32 here; with round numbers the difference goes away."""
    mixed = source.replace("@ W_x", "@ W_x.astype(np.float32)")
    message = complaint("rnn_step", run(mixed, "rnn_step"))
    if source == STEP:
        assert message is None
        assert "to 1e-5 (float32)" in capsys.readouterr().out
    else:
        assert re.search(r"overall   off by \de-\d of the largest number: a formula", message)
        assert not named(message)


def test_rounding_in_the_array_is_noted(capsys):
    (rounding,) = (s for s in CORRECT if "rounds" in s.label)
    checks.check_numeric_gradient(rounding.make())
    verdict, note = capsys.readouterr().out.splitlines()
    assert verdict == passing_line("numeric_gradient")
    assert "last digit" in note


MESSAGES = [
    (
        "rnn_backward",
        TWO_WAYS.replace("dh[:, t] + dh_prev", "dh_prev if t < T - 1 else dh[:, t]"),
        [
            "rnn_backward: dx, dh0, dW_x, dW_h and db are wrong",
            "    where     N = 6, T = 2, F = 7, H = 3",
            "    worst     dx[1, 0, 2]: expected -1.13972, got -0.116493",
            "    overall   the norm is 0.66 times the right one, and it points in another direction",  # noqa: E501
            "    when      right for T = 1, wrong for T = 2 and 5",
            "    mistake   only dh of the last step enters, and the gradients of the other steps are lost",  # noqa: E501
            "    try       a gradient enters at every step: `dh_t = dh[:, t] + dh_prev`, and go back with the sum",  # noqa: E501
            "    read      lesson 3, section 3",
        ],
    ),
    (
        "rnn_step_backward",
        STEP_BACK.replace("h_prev.T @", "h_t.T @"),
        [
            "rnn_step_backward: dW_h is wrong, dx_t, dh_prev, dW_x and db right",
            "    where     N = 7, F = 2, H = 4",
            "    worst     dW_h[3, 2]: expected -1.5926, got 1.51707",
            "    overall   the norm is 1.2 times the right one, and it points in another direction",
            "    mistake   dW_h is made from h_t instead of the state before it",
            "    try       W_h was multiplied with the state before: `dW_h = h_prev.T @ da_t`",
            "    read      lesson 3, section 2",
        ],
    ),
    (
        "lstm_step_backward",
        LSTM_BACK.replace("dc_prev = dc * f", "dc_prev = dc"),
        [
            "lstm_step_backward: dc_prev is wrong, dx_t, dh_prev, dW_x, dW_h and db right",
            "    where     N = 7, F = 2, H = 4",
            "    worst     dc_prev[1, 0]: expected -0.0841552, got -0.94501",
            "    overall   the norm is 1.9 times the right one, and it points in nearly the same direction",  # noqa: E501
            "    mistake   f is missing in dc_prev",
            "    try       c_prev was multiplied with f: `dc_prev = dc * f`",
            "    read      lesson 6, section 3",
        ],
    ),
    (
        "gru_step",
        GRU.replace("r * ah[:, 2 * H:]", "(r * h_prev) @ W_h[:, 2 * H:] + b_h[2 * H:]"),
        [
            "gru_step: h_t is wrong",
            "    where     N = 7, F = 2, H = 4",
            "    worst     h_t[0, 0]: expected 0.013395, got -0.366585",
            "    overall   the norm is 1.1 times the right one, and it points in nearly the same direction",  # noqa: E501
            "    mistake   the GRU's original form: r is applied before the product (in Keras, reset_after=False)",  # noqa: E501
            "    try       here r comes after it, as in PyTorch: `n = np.tanh(x_n + r * h_n)`, with `h_n = (h_prev @ W_h + b_h)[:, 2 * H:]`",  # noqa: E501
            "    read      lesson 6, section 5",
        ],
    ),
    (
        "rnn_backward",
        BACK.replace("np.zeros(H)", "np.zeros(H, dtype=int)"),
        [
            "rnn_backward stopped with UFuncTypeError",
            "    where     N = 7, T = 1, F = 2, H = 4",
            "    error     Cannot cast ufunc 'add' output from dtype('float64') to dtype('int64') with casting rule 'same_kind'",  # noqa: E501
            "    line      db += da.sum(axis=0)",
            "    mistake   an array for results was made of integers, like an integer bias",  # noqa: E501
            "    try       make it with `np.zeros(shape)`, which holds floats",
            "    read      lesson 3, section 3",
        ],
    ),
    (
        "rnn_step_backward",
        STEP_BACK.replace("1 - h_t", "1 - 0.3 * h_t"),
        [
            "rnn_step_backward: dx_t, dh_prev, dW_x, dW_h and db are wrong",
            "    where     N = 7, F = 2, H = 4",
            "    worst     dx_t[1, 1]: expected -0.701301, got -0.990769",
            "    overall   the norm is 1.2 times the right one, and it points in nearly the same direction",  # noqa: E501
            "    try       all five are made from `da_t`: look at yours first, `da_t = dh_t * (1 - h_t**2)`",  # noqa: E501
            "    read      lesson 3, section 2",
        ],
    ),
    (
        "rnn_step_backward",
        STEP_BACK.replace("dW_x, dW_h, db\n", "dW_x, dW_h\n"),
        [
            "rnn_step_backward: expected 5 arrays dx_t, dh_prev, dW_x, dW_h, db; got 4",
            "    mistake   the results are not those asked for: too few, too many, or in another form",  # noqa: E501
            "    try       end with `return dx_t, dh_prev, dW_x, dW_h, db`",
            "    read      lesson 3, section 2",
        ],
    ),
]


@pytest.mark.parametrize(("exercise", "source", "expected"), MESSAGES)
def test_messages(exercise, source, expected):
    assert complaint(exercise, run(source, exercise)).split("\n") == expected


@pytest.mark.parametrize(
    "solution",
    [marked(solution.exercise, solution) for solution in WRONG],
    ids=lambda s: f"{s.exercise}-{s.named}",
)
def test_messages_name_exercise_and_section_and_no_path(solution):
    message = complaint_about(solution)
    headline, *rows = message.split("\n")
    assert headline.startswith(solution.exercise)
    assert re.fullmatch(r"    read      (lesson [1-467], section \d(; )?)+", rows[-1])
    assert all(re.match(r"    \w+ +\S", row) for row in rows)
    assert "<handed in" not in message
    assert "e-0" not in headline
    assert "cosine" not in message
    assert not re.search(r"\d\.\d00 times", message)
    assert len(rows) <= 12


def test_advice_that_is_followed_already_does_not_appear():
    """The hint's own line stands in the function; something after it undoes what it does."""
    source = STEP_BACK.replace(
        "    dW_x =", "    dh_prev = dh_prev @ np.linalg.inv(W_h.T) @ W_h\n    dW_x ="
    )
    message = complaint("rnn_step_backward", run(source, "rnn_step_backward"))
    assert named(message) == ["W_h is not transposed in the backward pass"]
    assert "    try" not in message
    without = source.replace("da_t @ W_h.T", "da_t.dot(W_h.T)")
    assert "`dh_prev = da_t @ W_h.T`" in complaint(
        "rnn_step_backward", run(without, "rnn_step_backward")
    )


ARGUMENTS = [
    (
        "rnn_step",
        "return np.tanh(a_t)",
        "return np.tanh(np.cos(x_t @ W_x) + b)",
        "the previous state",
    ),
    (
        "rnn_step",
        "return np.tanh(a_t)",
        "return np.cos(x_t @ W_x + h_prev @ W_h)",
        "the bias is lost",
    ),
    ("rnn_forward", "h_prev = h0", "h_prev = 0.3 + 0 * h0", "does not start from h0"),
    ("rnn_step_backward", "dh_t * (", "0.3 * (", "dh, is never used"),
    ("rnn_backward", "dh[:, t]", "dh[:, -1] * (t == T - 1) ** 2 * 1.1", "only dh of the last step"),
    ("numeric_gradient", "eps=1e-5):", "eps=1e-5):\n    eps = 2e-4", "eps is not used"),
    ("update", "lr * ", "0.07 * ", "a number of your own"),
    ("update", "grads[name]", "np.cos(params[name])", "have no effect"),
]


@pytest.mark.parametrize(("exercise", "old", "new", "words"), ARGUMENTS)
def test_an_argument_without_effect_is_named(exercise, old, new, words):
    """Whatever else is wrong: no known mistake gives these numbers."""
    source = RIGHT[exercise]
    assert old in source
    message = complaint(exercise, run(source.replace(old, new), exercise))
    assert any(words in name for name in named(message)), message


@each_exercise
def test_a_stub_raises_its_own_error(exercise, capsys):
    error = NotImplementedError("write this function")

    def stub(*args, **options):
        raise error

    with pytest.raises(NotImplementedError) as caught:
        CHECKS[exercise](stub)
    assert caught.value is error
    assert len(caught.traceback) <= 3, (
        "no frames of ours between the student's line and the message"
    )
    assert capsys.readouterr().out == ""


@each_exercise
def test_errors_are_chained_and_show_the_students_line(exercise):
    function = run(f"def {exercise}(*args, **options):\n    return 1 / 0\n", exercise)
    with pytest.raises(AssertionError) as caught:
        CHECKS[exercise](function)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert str(caught.value).startswith(f"{exercise} stopped with ZeroDivisionError")
    assert "    line      return 1 / 0\n" in str(caught.value)


@each_exercise
@pytest.mark.parametrize(
    "returned", [None, 1, "h", [], (), [[1.0]], {}, np.float64(1), np.zeros(0), (1, 2, 3, 4, 5)]
)
def test_nonsense_is_rejected_and_named_for_what_it_is(exercise, returned):
    message = complaint(exercise, lambda *args, **options: returned)
    of_kind = "returned|returns|results|number|list|not the loss|param|shape|zero|db|order|loss is"
    assert message
    assert all(re.search(of_kind, name) for name in named(message)), message


@each_exercise
def test_non_functions_and_wrong_signatures_are_rejected(exercise):
    assert complaint(exercise, 3) == f"{exercise}: expected a function, got an int"
    assert "stopped with TypeError" in complaint(exercise, lambda: None)


@pytest.mark.parametrize(
    ("exercise", "edits", "quantity", "mistake", "section"),
    [
        ("rnn_step", {" + b": ""}, "h_t", "the bias is lost", "lesson 1, section 3"),
        (
            "rnn_step_backward",
            {"h_prev.T @": "h_t.T @"},
            "dW_h",
            "dW_h is made from h_t instead of the state before it",
            "lesson 3, section 2",
        ),
        ("rnn_step_backward", {"1 - h_t": "1 - 0.3 * h_t"}, "dx_t", None, "lesson 3, section 2"),
        (
            "rnn_step_backward",
            {"dW_x, dW_h, db\n": "db\n"},
            None,
            "the results are not those asked for: too few, too many, or in another form",
            "lesson 3, section 2",
        ),
        (
            "update",
            {"lr * ": ""},
            "the change of W_x",
            "the learning rate is missing, or it is a number of your own",
            "lesson 3, section 7",
        ),
    ],
)
def test_a_failed_check_carries_its_finding(
    exercise, edits, quantity, mistake, section, monkeypatch
):
    monkeypatch.setattr(integrity, "_as_imported", [])
    source = RIGHT[exercise]
    for old, new in edits.items():
        assert old in source
        source = source.replace(old, new)
    with pytest.raises(checks.CheckFailed) as caught:
        CHECKS[exercise](run(source, exercise))
    failure = caught.value
    assert isinstance(failure, AssertionError)
    assert (failure.quantity, failure.mistake, failure.section) == (quantity, mistake, section)


# -- what a function is given -------------------------------------------------------------------


@pytest.mark.parametrize("seed", ["", *(str(n) for n in range(40))])
def test_problems_have_distinct_sizes_and_no_zeros(seed, monkeypatch):
    monkeypatch.setenv("RNN_LIB_CHECK_SEED", seed)
    rng, seeded = problems.seeded_rng()
    drawn = problems.truncated(rng, seeded)
    T_values = sorted({problem.sizes["T"] for problem in drawn})
    assert T_values[:2] == [1, 2]
    assert T_values[2:] == [5] if not seeded else T_values[2] >= 4
    for problem in drawn:
        sizes = problem.sizes
        assert len(set(sizes.values())) == 4
        assert sizes["N"] >= 2
        for name in ("h0", "b", "x", "dh", "W_x", "W_h"):
            assert problem.numbers[name].all()
            assert problem.numbers[name].dtype == np.float64
    for T in T_values:
        steps = {p.numbers.get("bptt_steps") for p in drawn if p.sizes["T"] == T}
        assert steps == {None, *range(1, T + 1), T + 2}
    assert {p.sizes["F"] < p.sizes["H"] for p in drawn} == {True, False}


@pytest.mark.lesson6
@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("seed", range(10))
def test_gated_problems_hide_nothing_and_their_gates_belong_to_their_numbers(cell, seed):
    asked = problems.steps(np.random.default_rng(seed), True, cell)
    assert {p.sizes["F"] < p.sizes["H"] for p in asked} == {True, False}
    for problem in asked + problems.saturated_gates(cell):
        v, sizes = problem.numbers, [problem.sizes[name] for name in "NFH"]
        assert len(set(sizes)) == 3
        assert min(sizes) >= 2
        for name in ("x_t", "h_prev", "c_prev", "W_x", "W_h", "b", "b_x", "b_h", "dh_t", "dc_t"):
            assert v[name].all()
        if cell == "lstm":
            given = (v[name] for name in exercises.LSTM_STEP.arguments)
            h_t, c_t = references.lstm_step(*given)
            assert np.allclose(c_t, v["f"] * v["c_prev"] + v["i"] * v["g"], rtol=1e-12, atol=0)
            assert np.array_equal(c_t, v["c_t"])
            assert np.array_equal(h_t, v["o"] * np.tanh(c_t))
        else:
            h_t = references.gru_step(*(v[name] for name in exercises.GRU_STEP.arguments))
            assert np.array_equal(h_t, (1 - v["z"]) * v["n"] + v["z"] * v["h_prev"])


def test_each_problem_is_asked_three_times_in_a_row():
    asked = []

    def spy(x, h0, W_x, W_h, b):
        asked.append((x.copy(), h0.copy()))
        return references.rnn_forward(x, h0, W_x, W_h, b)

    checks.check_forward(spy)
    for first, other, again in zip(asked[0:9:3], asked[1:9:3], asked[2:9:3], strict=True):
        assert first[0].shape == other[0].shape
        assert not np.array_equal(first[0], other[0])
        assert all(map(np.array_equal, first, again))


@pytest.mark.parametrize("exercise", [marked(name) for name in FROM_ARRAYS_TO_ARRAYS])
def test_memorized_answers_fail_under_another_seed(exercise, monkeypatch):
    """A table from arguments to answers, made under one seed, passes there and nowhere else."""
    answers, function = {}, right(exercise)

    def key(args, options):
        return tuple(np.asarray(a).tobytes() for a in args), tuple(options.items())

    def learn(*args, **options):
        return answers.setdefault(key(args, options), function(*args, **options))

    def recite(*args, **options):
        found = answers.get(key(args, options), next(iter(answers.values())))
        return tuple(np.copy(f) for f in found) if isinstance(found, tuple) else found.copy()

    def learn_copies(*args, **options):
        found = learn(*args, **options)
        return tuple(np.copy(f) for f in found) if isinstance(found, tuple) else found.copy()

    CHECKS[exercise](learn_copies)
    assert complaint(exercise, recite) is None
    for seed in ("1", "2", "3"):
        monkeypatch.setenv("RNN_LIB_CHECK_SEED", seed)
        assert complaint(exercise, recite)


@pytest.mark.parametrize("seed", ["x", "-1", "1.5", "١.٢"])
def test_invalid_seeds_are_rejected(seed, monkeypatch):
    monkeypatch.setenv("RNN_LIB_CHECK_SEED", seed)
    with pytest.raises(ValueError, match="RNN_LIB_CHECK_SEED: expected a whole number"):
        checks.check_step(right("rnn_step"))


# -- not to be fooled ---------------------------------------------------------------------------


def always(value):
    return lambda *args, **options: value


@each_exercise
def test_replacing_numpys_names_does_not_help(exercise, monkeypatch):
    """Wrong solutions stay wrong, and right ones right, whatever np.allclose and the like say."""
    wrong = [s.make() for s in WRONG if s.exercise == exercise][:12]
    function = right(exercise)
    for name in ("allclose", "isclose", "array_equal", "array_equiv", "all", "any", "testing"):
        monkeypatch.setattr(np, name, always(True))
    for name in ["max", "amax", "abs", "absolute", "fabs", "maximum", "subtract"]:
        monkeypatch.setattr(np, name, always(0.0))
    monkeypatch.setattr(np, "errstate", None)
    monkeypatch.setattr(np.random, "default_rng", always(None))
    monkeypatch.setattr(rnn_lib, "numeric_gradient", always(0.0))
    monkeypatch.setattr(rnn_lib.gradcheck, "numeric_gradient", always(0.0))
    monkeypatch.setattr(rnn_lib, "SimpleRNN", None)
    assert all(complaint(exercise, w) for w in wrong)
    monkeypatch.undo()
    monkeypatch.setattr(np, "allclose", always(False))
    assert complaint(exercise, function) is None


def test_references_do_not_follow_replaced_numpy_functions(monkeypatch):
    """Where tanh means something else, the reference does not follow."""
    function = right("rnn_forward")
    tanh = np.tanh
    monkeypatch.setattr(np, "tanh", lambda a: a)
    message = complaint("rnn_forward", function)
    assert "    note      np.tanh is no longer NumPy's own: restart the kernel" in message
    monkeypatch.setattr(np, "tanh", lambda a: tanh(a) * 0.5)
    assert complaint("rnn_forward", function)
    monkeypatch.setattr(np, "exp", always(1.0))
    assert complaint("softmax_cross_entropy", right("softmax_cross_entropy"))


@pytest.mark.parametrize(
    "name",
    [
        "references.rnn_step",
        "references.tanh",
        "references.rnn_forward",
        "comparison.near",
        "judging.Exam",
        "mistakes.known_mistakes",
        "integrity.expect_unreplaced",
        "checking.examine",
        "messages.failure",
        "problems.steps",
    ],
)
def test_a_replaced_part_of_the_checks_is_detected(name, monkeypatch):
    module, attribute = name.split(".")
    monkeypatch.setattr(getattr(checks, module), attribute, always(True))
    assert complaint("rnn_step", always(True)).startswith(f"rnn_lib.checks.{name} was replaced")


def test_a_part_replaced_during_the_check_is_detected():
    genuine = references.rnn_step

    def cheat(x_t, h_prev, W_x, W_h, b):
        references.rnn_step = lambda *args: np.zeros(h_prev.shape)
        return np.zeros(h_prev.shape)

    try:
        assert "was replaced" in complaint("rnn_step", cheat)
    finally:
        references.rnn_step = genuine


def test_replacing_numpys_insides_changes_no_verdict(monkeypatch):
    """Sums, maxima and the like of arrays are Python functions of NumPy's; ufuncs are not."""
    wrong = run(STEP.replace(" + b", ""), "rnn_step")
    inside = sys.modules["numpy._core._methods"]
    for name in list(vars(inside)):
        if name.startswith(("umr_", "_all", "_any", "_amax", "_amin", "_sum", "_mean")):
            monkeypatch.setattr(inside, name, lambda *args, **options: np.True_)
    message = complaint("rnn_step", wrong)
    monkeypatch.undo()
    assert message
    assert complaint("rnn_step", wrong)
    assert complaint("rnn_step", right("rnn_step")) is None


def test_arrays_that_do_not_add_up_are_detected(monkeypatch):
    class Forgetful(np.ndarray):
        def sum(self, *args, **options):
            return np.zeros(2)

    monkeypatch.setattr(integrity, "_as_imported", [])
    monkeypatch.setattr(integrity, "array", lambda numbers: np.array(numbers).view(Forgetful))
    assert complaint("rnn_step", right("rnn_step")).startswith("NumPy's arrays no longer add up")


class Agreeable(np.ndarray):
    """An array that says yes to every comparison and is never far from anything."""

    def __eq__(self, other):
        return np.True_

    def __sub__(self, other):
        return np.zeros(self.shape)

    __rsub__ = __sub__

    def __le__(self, other):
        return np.True_

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        return np.zeros(self.shape)

    def __array_function__(self, function, types, args, options):
        return True


class Pretender:
    """Something that claims to be an array."""

    __class__ = np.ndarray
    shape, dtype, ndim = (1,), np.dtype(float), 1

    def __eq__(self, other):
        return True

    def __array__(self, dtype=None, copy=None):
        return np.zeros(3)


def test_overloaded_comparisons_of_an_answer_are_ignored():
    message = complaint("rnn_step", lambda x, h, *weights: np.zeros(h.shape).view(Agreeable))
    assert "h_t is wrong" in message
    assert complaint("rnn_step", lambda *args: Pretender())
    step = right("rnn_step")
    assert complaint("rnn_step", lambda *args: step(*args).view(Agreeable)) is None


def test_an_update_may_return_the_arrays_of_params_all_of_them():
    update = right("update")
    for returned in (dict, lambda p: dict(sorted(p.items()))):
        assert complaint("update", lambda *a, r=returned: (update(*a), r(a[0]))[1]) is None
    for returned in (lambda p: {"W_x": p["W_x"]}, lambda p: {n: w.copy() for n, w in p.items()}):
        message = complaint("update", lambda *a, r=returned: (update(*a), r(a[0]))[1])
        assert named(message) == ["the update returns something else than params"]


def test_returning_the_arguments_fails():
    assert complaint("rnn_step", lambda x_t, h_prev, *weights: h_prev)
    assert complaint("rnn_forward", lambda x, h0, *weights: x)
    assert complaint("rnn_step_backward", lambda dh, x, h, h_t, W_x, W_h: (x, h, W_x, W_h, h[0]))
    assert complaint("rnn_backward", lambda dh, x, h0, h, W_x, W_h, **k: (x, h0, W_x, W_h, h0[0]))
    assert complaint("numeric_gradient", lambda f, array, eps=1e-5: array)


def test_an_argument_reshaped_in_place_is_detected():
    step = right("rnn_step")

    def reshaping(x_t, h_prev, W_x, W_h, b):
        h_t = step(x_t, h_prev, W_x, W_h, b)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            b.shape = (1, -1)
        return h_t

    assert "changes its argument b" in complaint("rnn_step", reshaping)


def test_a_leak_from_before_the_check_is_named():
    """The student has called the function by hand already: no call starts from a known state."""
    leaking = next(s for s in WRONG if s.exercise == "rnn_forward" and s.named == 5).make()
    checks_first_run = complaint("rnn_forward", leaking)
    assert names_it(checks_first_run, 5)
    assert names_it(complaint("rnn_forward", leaking), 5)


# -- the references -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_references_agree_with_the_layers(seed):
    rng = np.random.default_rng(seed)
    for problem in problems.truncated(rng, seeded=False):
        v = problem.numbers
        k = v.get("bptt_steps")
        rnn = rnn_lib.SimpleRNN(problem.sizes["F"], problem.sizes["H"], bptt_steps=k)
        rnn.params = {name: v[name] for name in ("W_x", "W_h", "b")}
        h = rnn.forward(v["x"], v["h0"])
        assert np.abs(h - v["h"]).max() < 1e-12
        dx = rnn.backward(v["dh"])
        layer = dx, rnn.dh0, rnn.grads["W_x"], rnn.grads["W_h"], rnn.grads["b"]
        reference = references.rnn_backward(v["dh"], v["x"], v["h0"], v["h"], v["W_x"], v["W_h"], k)
        assert all(np.abs(a - b).max() < 1e-12 for a, b in zip(layer, reference, strict=True))
        one = references.rnn_step_backward(
            v["dh_t"], v["x_t"], v["h_prev"], v["h_t"], v["W_x"], v["W_h"]
        )
        if problem.sizes["T"] == 1:
            for a, b in zip(one, reference, strict=True):
                assert np.abs(a - b.reshape(a.shape)).max() < 1e-12


def assert_agree(ours, theirs):
    assert all(np.abs(a - b).max() < 1e-12 for a, b in zip(ours, theirs, strict=True))


@pytest.mark.lesson6
def test_references_agree_with_the_gated_layers():
    rng = np.random.default_rng(0)
    x_t, (h_prev, c_prev, dh_t) = rng.standard_normal((3, 2)), rng.standard_normal((3, 3, 4))
    lstm, gru = rnn_lib.LSTM(2, 4), rnn_lib.GRU(2, 4)
    for layer in (lstm, gru):
        layer.params = {name: rng.standard_normal(p.shape) for name, p in layer.params.items()}

    h = lstm.forward(x_t[:, None], h_prev, c_prev)
    states = references.lstm_step(x_t, h_prev, c_prev, **lstm.params)
    assert_agree(states, (h[:, 0], lstm.c[:, 0]))
    dx = lstm.backward(dh_t[:, None])
    gates, weights = references.lstm_gates(x_t, h_prev, **lstm.params), ("W_x", "W_h")
    before = x_t, h_prev, c_prev, gates, states[1], *(lstm.params[name] for name in weights)
    ours = references.lstm_step_backward(dh_t, np.zeros_like(dh_t), *before)
    grads = (lstm.grads[name] for name in (*weights, "b"))
    assert_agree(ours, (dx[:, 0], lstm.dh0, lstm.dc0, *grads))

    h = gru.forward(x_t[:, None], h_prev)
    assert_agree([references.gru_step(x_t, h_prev, **gru.params)], [h[:, 0]])
    dx = gru.backward(dh_t[:, None])
    gates = references.gru_gates(x_t, h_prev, **gru.params)
    params = (gru.params[name] for name in (*weights, "b_h"))
    ours = references.gru_step_backward(dh_t, x_t, h_prev, gates, *params)
    grads = (gru.grads[name] for name in (*weights, "b_x", "b_h"))
    assert_agree(ours, (dx[:, 0], gru.dh0, *grads))


def test_references_agree_with_loss_optimizer_and_numeric_gradient():
    rng = np.random.default_rng(0)
    for problem in problems.scores_and_labels(rng, False) + problems.large_scores():
        scores, labels = problem.numbers["scores"], problem.numbers["labels"]
        loss = rnn_lib.SoftmaxCrossEntropy()
        value, dscores = references.softmax_cross_entropy(scores, labels)
        assert abs(loss.forward(scores, labels) - value) < 1e-12 * max(1, abs(value))
        assert np.abs(loss.backward() - dscores).max() < 1e-12
    for problem in problems.parameters(rng, False):
        v = problem.numbers
        params = {name: v[name].copy() for name in ("W_x", "W_h", "b")}
        grads = {name: v[f'grads["{name}"]'] for name in params}
        rnn_lib.SGD(v["lr"]).update(params, grads)
        ours = {name: v[name].copy() for name in params}
        references.update(ours, grads, v["lr"])
        for name, param in params.items():
            assert np.abs(param - ours[name]).max() < 1e-12
    array = rng.standard_normal((2, 3))
    assert np.array_equal(
        references.numeric_gradient(lambda: np.sin(array).sum(), array),
        rnn_lib.numeric_gradient(lambda: np.sin(array).sum(), array),
    )


def test_checks_import_only_what_is_allowed():
    allowed = {"numpy", "rnn_lib.checks", "rnn_lib.gradcheck", "rnn_lib.language"}
    besides = {
        # The checks know nothing of the layers, so that neither can hide a mistake of the other.
        # But two exercises ask for an accuracy: somebody has to train for it.
        "accuracy.py": {"rnn_lib.classifier", "rnn_lib.imdb", "rnn_lib.text"},
    }
    for path in Path(checks.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                package = name.split(".")[0]
                assert (
                    package in sys.stdlib_module_names
                    or name in allowed | besides.get(path.name, set())
                    or package == "numpy"
                    or name.startswith("rnn_lib.checks.")
                ), (path.name, name)
            # Only names taken at import are safe from a student who replaces np.something.
            # (One module looks at NumPy itself, to say what was replaced; one takes names by list.)
            replaceable = isinstance(node, ast.Import) and "numpy" in names
            assert not replaceable or path.name in ("messages.py", "mutants.py")


# -- lesson 4: a row of ids, a training step ----------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_reviews_and_batches_cover_all_cases(seed):
    rng = np.random.default_rng(seed)
    lengths = set()
    for problem in problems.reviews(rng, False):
        words, id_of, maxlen = (problem.numbers[name] for name in ("words", "id_of", "maxlen"))
        lengths.add(np.sign(len(words) - maxlen) if words else None)
        kept = words[-maxlen:]
        assert not words or set(kept) - set(id_of)
        assert len(words) < 5 or len(set(words)) < len(words)
        assert len(words) <= maxlen or words[0] not in id_of
    assert lengths == {-1, 0, 1, None}

    norms = []

    def spy(network, loss, optimizer, x, lengths, y):
        assert (lengths < x.shape[1]).all()
        value = loss.forward(network.forward(x, lengths, training=True), y)
        network.backward(loss.backward())
        norms.append(rnn_lib.global_norm(network.grads))
        optimizer.update(network.params, rnn_lib.clip_by_global_norm(network.grads, 1.0)[0])
        return value

    for problem in problems.batches(rng, False):
        adapters.several_steps(spy)(*problem.arguments(exercises.TRAINING_STEP.arguments).values())
    assert {norm > 1.1 for norm in norms} == {norm > 0.9 for norm in norms} == {True, False}


@pytest.mark.parametrize("exercise", [marked("encode"), marked("training_step")])
def test_a_constant_answer_fails(exercise):
    """Even the right answer to the first of them."""
    first = []

    def always_the_first(*args):
        first.append(right(exercise)(*args))
        return first[0]

    assert complaint(exercise, always_the_first)


@pytest.mark.parametrize(
    "solution", [s for s in CORRECT if s.exercise == "training_step"], ids=lambda s: s.label
)
def test_solutions_that_work_with_the_fakes_work_with_the_library(solution):
    rng = np.random.default_rng(0)
    model = rnn_lib.ScratchRNNClassifier(5, 3, dropout=0.5, seed=0, sigma=1.0)
    x, y = 5 * rng.standard_normal((6, 4, 3)), np.arange(6) % 3
    theirs, lengths = model.fit(x, y).network_, rng.integers(1, 5, 6)
    ours = copy.deepcopy(theirs)
    loss, optimizer = rnn_lib.SoftmaxCrossEntropy(), rnn_lib.SGD(0.1)
    step = solution.make()
    for _ in range(3):
        value = training_step(ours, loss, optimizer, x, lengths, y, clip_norm=1.0)
        assert abs(step(theirs, loss, optimizer, x, lengths, y) - value) < 1e-12
    for name, param in theirs.params.items():
        assert np.abs(param - ours.params[name]).max() < 1e-12


def test_messages_show_words_and_ids():
    message = complaint("encode", run(ENCODE.replace("(word, 1)", "(word, 0)"), "encode"))
    headline, where, words, expected, got, *_ = message.split("\n")
    assert headline == "encode: the row of ids is wrong"
    assert where == "    where     words = 8, maxlen = 7"
    words, expected, got = (line.split()[1:] for line in (words, expected, got))
    assert len(words) == len(expected) + 1 == len(got) + 1
    unknown = [word in ("zorpful", "quarn") for word in words[1:]]
    assert [e == "1" for e in expected] == [g == "0" for g in got] == unknown


def test_a_modified_dictionary_is_detected():
    message = complaint("encode", run(ENCODE.replace(".get(", ".setdefault("), "encode"))
    assert message.split("\n")[:4] == [
        "encode changes its argument id_of",
        "    where     words = 8, maxlen = 7",
        "    expected  id_of as it was before the call",
        "    got       14 entries then, 15 now, not the same",
    ]


# -- lesson 4: a small network that is good enough ----------------------------------------------


def small_model(**settings):
    """What section 4 of the lesson explains, within the budget; and other settings."""
    lesson = {
        "n_nodes1": 32,
        "n_output": 2,
        "lr": rnn_lib.linear_decay(4e-3, n_epochs=5),
        "batch_size": 32,
        "n_epochs": 5,
        "embedding": (5_000, 32),
        "dropout": 0.8,
        "initializer": rnn_lib.orthogonal(0.9),
        "readout": rnn_lib.MeanState(scale=30),
        "optimizer": rnn_lib.Adam(),
        "clip_norm": 1.0,
        "dtype": np.float32,
    }
    return rnn_lib.ScratchRNNClassifier(**lesson | settings)


QUICK = {"n_epochs": 1, "optimizer": "sgd", "lr": 0.01, "readout": "last", "n_nodes1": 4}
ENOUGH = (
    r"small_model is right: within the budget it has (8\d\.\d)% of the validation reviews "
    r"classified correctly, and (9\d\.\d)% of the 3,000 reviews that it was trained on\.\n"
)


def accuracy_complaint(fn):
    with pytest.raises(AssertionError) as caught:
        checks.check_accuracy(fn)
    return str(caught.value)


@functools.cache
def what_is_said_of(seed="", **settings):
    """Return what the check prints of the lesson's model with other settings; trained only once."""
    model = small_model(**settings)
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as out:
        patch.setenv("RNN_LIB_CHECK_SEED", seed)
        checks.check_accuracy(lambda: model)
    assert not hasattr(model, "network_"), "a classifier of the check's own is trained"
    return re.fullmatch(ENOUGH, out.getvalue())


def test_the_lessons_model_passes(capfd):
    said = [what_is_said_of(seed) for seed in ("", "9")]
    assert all(said)
    assert said[0][0] != said[1][0]
    notebook = nbformat.read(NOTEBOOKS / "04_imdb.ipynb", as_version=4)
    (cell,) = (cell for cell in notebook.cells if cell.id == "check-small-model")
    committed = re.fullmatch(ENOUGH, cell.outputs[0].text)
    for ours, theirs in zip(said[0].groups(), committed.groups(), strict=True):
        assert float(ours) == pytest.approx(float(theirs), abs=1)
    assert capfd.readouterr() == ("", "")


def test_a_model_is_judged_alike_each_time_and_otherwise_under_another_seed(monkeypatch):
    said = []
    for seed in ("", "", "9"):
        monkeypatch.setenv("RNN_LIB_CHECK_SEED", seed)
        said.append(accuracy_complaint(lambda: small_model(**QUICK)))
    assert said[0] == said[1] != said[2]


def test_what_a_setting_is_good_for_shows_in_the_two_accuracies():
    (with_dropout, trained_with), (without, trained_without) = (
        map(float, said.groups()) for said in (what_is_said_of(), what_is_said_of(dropout=0.5))
    )
    assert with_dropout > without
    assert trained_with < trained_without


BY_HEART = {"readout": "last", "dropout": 0.0}
TOO_LITTLE = {"optimizer": "sgd", "lr": 0.01, "readout": "last"}


@functools.cache
def complaint_about_too_low(**settings):
    return accuracy_complaint(lambda: small_model(**settings))


@pytest.mark.parametrize(
    ("settings", "accuracy", "hint"),
    [
        (BY_HEART, 0.80, "by heart"),
        (TOO_LITTLE, 0.60, "not learned enough"),
        ({"n_epochs": 1, "lr": rnn_lib.linear_decay(4e-3, n_epochs=1)}, 0.80, "not learned enough"),
    ],
)
def test_low_accuracy_is_explained(settings, accuracy, hint):
    headline, expected, trained, mistake, *_, read = complaint_about_too_low(**settings).split("\n")
    reached = re.fullmatch(
        r"small_model: (.*)% of the validation reviews classified correctly", headline
    )
    assert float(reached[1]) / 100 < accuracy
    assert expected == "    expected  more than 81%"
    assert re.fullmatch(r"    trained   .*% of the 3,000 reviews that it was trained on", trained)
    assert hint in mistake
    assert read == "    read      lesson 4, section 4"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("n_epochs", 6, "at most 5"),
        ("n_nodes1", 33, "at most 32"),
        ("batch_size", 15, "at least 16"),
        ("embedding", (5_000, 33), "(5_000, n), with n at most 32"),
        ("embedding", (20_000, 32), "(5_000, n), with n at most 32"),
        ("embedding", rnn_lib.Embedding(5_000, 2), "(5_000, n), with n at most 32"),
        ("embedding", None, "(5_000, n), with n at most 32"),
        ("embedding", (), "(5_000, n), with n at most 32"),
    ],
)
def test_budget_is_checked_before_training(name, value, expected):
    got = "an Embedding" if isinstance(value, rnn_lib.Embedding) else repr(value)
    assert accuracy_complaint(lambda: small_model(**{name: value})).split("\n") == [
        f"small_model: {name} is not within the budget",
        f"    expected  {name} {expected}; got {got}",
        "    mistake   the settings are over the budget",
        "    read      lesson 4, section 4",
    ]


def test_the_whole_budget_is_told_at_once():
    over = {"embedding": (5_000, 64), "n_nodes1": 64, "n_epochs": 10, "batch_size": 8}
    headline, *rows = accuracy_complaint(lambda: small_model(**over)).split("\n")
    assert headline.endswith(
        "embedding, n_nodes1, n_epochs and batch_size are not within the budget"
    )
    assert [row.split()[1] for row in rows[:4]] == list(over)


def test_a_rate_that_would_have_no_effect_is_refused():
    message = accuracy_complaint(lambda: small_model(lr=0.01, optimizer=rnn_lib.Adam()))
    assert "lr: 0.01 has no effect: change the optimizer's own, 0.001" in message


SLOW = pytest.mark.slow
ADVICE = [
    (BY_HEART, ["readout", "dropout", "embedding"]),
    (TOO_LITTLE, ["readout", "optimizer", "lr"]),
    ({"n_epochs": 1, "lr": 2e-3, "optimizer": "adam"}, ["n_epochs"]),
    ({"lr": 0.1, "optimizer": "adam", "dropout": 0.7}, ["lr"]),
    ({"lr": 0.01, "dropout": 0.0, "readout": "mean"}, ["readout", "optimizer", "dropout"]),
    (
        {
            "lr": 1e-5,
            "optimizer": "adam",
            "n_nodes1": 8,
            "embedding": (5_000, 8),
            "batch_size": 128,
        },
        ["lr", "batch_size", "n_nodes1", "embedding"],
    ),
    ({"dropout": 0.9, "n_epochs": 2, "bptt_steps": 5}, ["n_epochs", "dropout", "bptt_steps"]),
]


def advice_typed_in(settings):
    """Return what the rows of advice say, as one types it, and the settings that come of it."""
    message = complaint_about_too_low(**settings)
    typed = {}
    for row in re.findall(r"^    (?:try|and) +(.*)$", message, re.MULTILINE):
        code, names = re.findall("`(.+?)`", row)[0], {"MeanState": rnn_lib.MeanState}
        names["Adam"] = rnn_lib.Adam
        typed |= eval(f"dict({code})", names) if "=" in code else {code: None}  # noqa: S307
        if "leave `lr` out" in row:
            settings = {name: value for name, value in settings.items() if name != "lr"}
            settings["lr"] = rnn_lib.ScratchRNNClassifier.lr
    return typed, settings | typed


@pytest.mark.parametrize(("settings", "advised"), ADVICE)
def test_advice_is_what_is_left_to_try_within_the_budget(settings, advised):
    assert list(advice_typed_in(settings)[0]) == advised


@pytest.mark.parametrize("seed", ["", pytest.param("1", marks=SLOW), pytest.param("2", marks=SLOW)])
@pytest.mark.parametrize(
    "settings",
    [pytest.param(s, marks=() if n < 2 else SLOW) for n, (s, _) in enumerate(ADVICE)],
)
def test_advice_that_is_followed_helps(settings, seed, monkeypatch):
    """Whoever types in what the row `try` shows has a model that is good enough.

    With other seeds, too: a rate at which training is stable with some of them only would be bad
    advice, and on another processor it would fail with this one.
    """
    _, better = advice_typed_in(settings)
    monkeypatch.setenv("RNN_LIB_CHECK_SEED", seed)
    checks.check_accuracy(lambda: small_model(**better))


@pytest.mark.parametrize(
    ("settings", "headline", "error"),
    [
        ({"n_epochs": "5"}, "it cannot be trained", "n_epochs: expected a whole number"),
        ({"optimizer": "adm"}, "it cannot be trained", "optimizer: expected "),
        ({"readout": "all"}, "it cannot be trained", "y: expected "),
        ({"lr": rnn_lib.linear_decay}, "it cannot be trained", "linear_decay() missing"),
        (
            {"activation": "relu", "optimizer": "sgd", "lr": 1e9, "clip_norm": None},
            "it cannot be trained",
            "the loss became ",
        ),
    ],
)
def test_untrainable_settings_are_reported(settings, headline, error):
    message = accuracy_complaint(lambda: small_model(**settings))
    assert message.startswith(f"small_model: {headline}\n    error     {error}"), message


@pytest.mark.parametrize(
    ("fn", "headline"),
    [
        (3, "small_model: expected a function, got an int"),
        (lambda: None, "small_model: expected a ScratchRNNClassifier; got None"),
        (lambda: rnn_lib.ScratchRNNClassifier, "small_model: expected a ScratchRNNClassifier; got"),
        (lambda: small_model(layers=2), "small_model: it stopped with TypeError\n    error "),
    ],
)
def test_non_classifiers_are_rejected(fn, headline):
    assert accuracy_complaint(fn).startswith(headline)


def test_the_threshold_is_lower_under_another_seed(monkeypatch, capsys):
    """80 % of the validation reviews are enough only where other reviews are trained on."""

    def predict(self, x):
        labels = checks.accuracy._reviews(5000, 200).y_val.copy()
        labels[::5] = 1 - labels[::5]
        return labels if len(x) == len(labels) else np.zeros(len(x), int)

    monkeypatch.setattr(integrity, "_as_imported", [])
    monkeypatch.setattr(rnn_lib.ScratchRNNClassifier, "fit", lambda self, x, y: self)
    monkeypatch.setattr(rnn_lib.ScratchRNNClassifier, "predict", predict)
    message = accuracy_complaint(small_model)
    assert "small_model: 80.0% of the validation reviews" in message
    assert "more than 81%" in message
    monkeypatch.setenv("RNN_LIB_CHECK_SEED", "3")
    checks.check_accuracy(small_model)
    assert "80.0% of the validation reviews" in capsys.readouterr().out


def test_an_unwritten_small_model_raises_its_own_error():
    error = NotImplementedError("write this function")

    def stub():
        raise error

    with pytest.raises(NotImplementedError) as caught:
        checks.check_accuracy(stub)
    assert caught.value is error


class Boaster(rnn_lib.ScratchRNNClassifier):
    """A classifier that has every label ready, and reports them as its own."""

    def fit(self, *args):
        return self

    def predict(self, x):
        data = checks.accuracy._reviews(5000, 200)
        return data.y_val if len(x) == len(data.y_val) else np.zeros(len(x), int)

    def score(self, x, y):
        return 1.0


def test_a_classifiers_own_claims_are_ignored(monkeypatch):
    quick = small_model(**QUICK)
    boaster = Boaster(**{name: getattr(quick, name) for name in checks.accuracy._SETTINGS})
    assert "of the validation reviews classified correctly" in accuracy_complaint(lambda: boaster)
    monkeypatch.setattr(rnn_lib, "ScratchRNNClassifier", Boaster)
    monkeypatch.setattr(rnn_lib.classifier, "ScratchRNNClassifier", Boaster)
    monkeypatch.setattr(np, "mean", always(1.0))
    assert "of the validation reviews classified correctly" in accuracy_complaint(lambda: quick)


def test_a_replaced_classifier_or_data_is_detected(monkeypatch):
    monkeypatch.setattr(checks.accuracy, "_reviews", always(None))
    assert "rnn_lib.checks.accuracy._reviews was replaced" in accuracy_complaint(small_model)
    monkeypatch.undo()

    def cheat():
        monkeypatch.setattr(rnn_lib.ScratchRNNClassifier, "predict", Boaster.predict)
        monkeypatch.setattr(rnn_lib.ScratchRNNClassifier, "fit", Boaster.fit)
        return small_model()

    assert "ScratchRNNClassifier.fit was replaced" in accuracy_complaint(cheat)


# -- lesson 5: one setting is changed, and its gain measured ------------------------------------


def rung_complaint(change, expected=1.0):
    with pytest.raises(AssertionError) as caught:
        checks.check_my_rung(always(change), expected)
    return caught.value


def gains(monkeypatch, before, after):
    """Let the two seeds reach these accuracies, in per cent, without training."""
    reached = iter([before, after])
    monkeypatch.setattr(integrity, "_as_imported", [])
    monkeypatch.setattr(checks.accuracy, "_accuracies", lambda settings: np.array(next(reached)))


@pytest.mark.slow
@pytest.mark.lesson5
def test_a_gain_within_the_spread_of_the_seeds_earns_half_the_points(capsys):
    """For real: 64 units gain with one seed, and lose with the other."""
    checks.check_my_rung(lambda: {"n_nodes1": 64}, expected=1)
    assert re.fullmatch(
        r"my_rung earns half the points: on the validation reviews, n_nodes1 brings \+\d\.\d "
        r"points, with a spread of \d\.\d over two seeds; you expected \+1\.0\.\n",
        capsys.readouterr().out,
    )


@pytest.mark.lesson5
@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ([80, 82], [84, 86], "is right"),  # gains 4, spread of the difference 2
        ([80, 82], [81.9, 83.9], "earns half the points"),  # gains 1.9
        ([80, 82], [82.1, 84.1], "is right"),
        ([80, 80], [80, 80], "earns half the points"),  # nothing gained is no gain
        ([84, 86], [80, 82], "earns half the points"),  # a loss, however clear
    ],
)
def test_a_gain_counts_if_it_is_larger_than_the_spread(before, after, verdict, monkeypatch, capsys):
    gains(monkeypatch, before, after)
    checks.check_my_rung(lambda: {"lr": 0.01}, expected=-2.5)
    said = capsys.readouterr().out
    assert said.startswith(f"my_rung {verdict}: ")
    assert f"lr brings {np.mean(after) - np.mean(before):+.1f} points" in said
    assert said.endswith("you expected -2.5.\n")


@pytest.mark.lesson5
@pytest.mark.parametrize(
    ("change", "expected", "mistake"),
    [
        ({}, 1, "not exactly one of the settings is changed"),
        (3, 1, "not exactly one of the settings is changed"),
        ({"lr": 0.002}, 1, "not exactly one of the settings is changed"),
        ({"lr": 0.004, "n_epochs": 3}, 1, "not exactly one of the settings is changed"),
        ({"lr": 0.004, "n_epochs": 2}, 1, "not exactly one of the settings is changed"),
        ({"learning_rate": 0.004}, 1, "not exactly one of the settings is changed"),
        ({"seed": 5}, 1, "not exactly one of the settings is changed"),
        ({"maxlen": 401}, 1, "the setting is over the budget"),
        ({"maxlen": 0}, 1, "the setting is over the budget"),
        ({"n_nodes1": 65}, 1, "the setting is over the budget"),
        ({"n_epochs": 5}, 1, "the setting is over the budget"),
        ({"batch_size": 1}, 1, "the setting is over the budget"),
        ({"embedding": (20_000, 32)}, 1, "the setting is over the budget"),
        ({"embedding": (10_000, 65)}, 1, "the setting is over the budget"),
        ({"embedding": None}, 1, "the setting is over the budget"),
        ({"lr": 0.004}, None, "the gain that you expect is not written down"),
        ({"lr": 0.004}, "2 points", "the gain that you expect is not written down"),
        ({"lr": 0.004}, True, "the gain that you expect is not written down"),
        ({"lr": 0.004}, float("nan"), "the gain that you expect is not written down"),
        ({"lr": 0.004}, 1000, "the gain that you expect is not written down"),
    ],
)
def test_wrong_rungs_are_named(change, expected, mistake):
    failure = rung_complaint(change, expected)
    assert failure.mistake == mistake
    headline, *rows = str(failure).split("\n")
    assert headline.startswith("my_rung: ")
    assert [row.split()[0] for row in rows] == ["mistake", "try", "read"]
    assert failure.section == "lesson 5, section 7"


@pytest.mark.lesson5
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"lr": "fast"}, "lr: expected"),
        ({"maxlen": "all"}, "bad operand"),
        ({"lr": 1e38}, "the loss"),
    ],
)
def test_a_rung_that_cannot_be_trained_is_reported(change, error, monkeypatch):
    monkeypatch.setattr(integrity, "_as_imported", [])
    monkeypatch.setattr(checks.accuracy, "_reviews", always(tiny_reviews(200).data))
    assert f"it cannot be trained\n    error     {error}" in str(rung_complaint(change))


@pytest.mark.lesson5
def test_a_rung_that_stops_or_is_not_begun_says_so():
    with pytest.raises(AssertionError, match="it stopped with ZeroDivisionError"):
        checks.check_my_rung(lambda: 1 / 0, 1)
    with pytest.raises(NotImplementedError, match="write my_rung"):
        checks.check_my_rung(run("def f():\n    raise NotImplementedError('write my_rung')", "f"))
