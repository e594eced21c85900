"""The checks: each judges one function that a student wrote, and names the mistake.

A check that passes prints one line saying what was verified; one that fails raises
:class:`CheckFailed`, an ``AssertionError``, and says what is wrong, by how much, which mistake
produces exactly that, and where to read again. A function that nobody has begun stops with
its own ``NotImplementedError``.

Set the environment variable ``RNN_LIB_CHECK_SEED`` to a whole number to draw other sizes and other
numbers: answers written down instead of computed then fail.

The modules can be read in this order: references (the right answers), problems (what is asked),
standins (a network to train), mistakes (the wrong answers), judging (which of them it is), messages
(how it is said), exercises (all that, for each function), adapters (for functions that are not from
arrays to arrays), training (the one exercise that is judged by its accuracy).
"""

import builtins
import functools
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from sys import getprofile, gettrace

from numpy import absolute, errstate
from numpy.random import Generator

from rnn_lib.checks import (
    adapters,
    exercises,
    judging,
    messages,
    mistakes,
    problems,
    receipts,
    references,
    standins,
    training,
)
from rnn_lib.checks.failure import CheckFailed
from rnn_lib.checks.judging import Examination, Exercise, WrongKind, describe
from rnn_lib.checks.problems import Problem

__all__ = [
    "CheckFailed",
    "check_accuracy",
    "check_backward",
    "check_encode",
    "check_forward",
    "check_numeric_gradient",
    "check_softmax_cross_entropy",
    "check_step",
    "check_step_backward",
    "check_training_step",
    "check_update",
]


def _reporting(check: Callable) -> Callable:
    """Make a check tell the grader, too, what it found."""

    @functools.wraps(check)
    def reporting(*args, **options):
        __tracebackhide__ = True
        try:
            return check(*args, **options)
        except NotImplementedError as stub:  # nobody wants to see how we got there
            raise stub.with_traceback(None) from None
        except CheckFailed as failure:
            receipts.report(failure)
            raise

    return reporting


@_reporting
def check_step(fn: Callable) -> None:
    """Check ``rnn_step(x_t, h_prev, W_x, W_h, b) -> h_t``.

    Parameters
    ----------
    fn : callable
        The function to check.

    Raises
    ------
    CheckFailed
        If something is wrong with it; the message says what.
    ValueError
        If ``RNN_LIB_CHECK_SEED`` is not a whole number.

    Notes
    -----
    Lesson 1, section 3.
    """
    __tracebackhide__ = True
    rng, _ = _begin()
    asked = problems.steps(rng)
    exam = _examine(
        exercises.STEP, fn, asked, problems.square(rng), problems.round_numbers(rng, T=1)
    )
    note = _examine_saturated(exam, fn)
    _passed(exam, "h_t (N, H), h_prev != 0, sums up to 1000", note)


@_reporting
def check_forward(fn: Callable) -> None:
    """Check ``rnn_forward(x, h0, W_x, W_h, b) -> h``, all states (N, T, H).

    Parameters
    ----------
    fn : callable
        The function to check.

    Raises
    ------
    CheckFailed
        If something is wrong with it; the message says what.
    ValueError
        If ``RNN_LIB_CHECK_SEED`` is not a whole number.

    Notes
    -----
    Lesson 1, section 3.
    """
    __tracebackhide__ = True
    rng, seeded = _begin()
    T_values = problems.time_steps(rng, seeded)
    asked = problems.sequences(rng, T_values)
    exam = _examine(
        exercises.FORWARD, fn, asked, problems.square(rng), problems.round_numbers(rng, T=1)
    )
    note = _examine_saturated(exam, fn)
    what = f"h (N, T, H), T = {_commas(T_values)}, h0 != 0, sums up to 1000"
    _passed(exam, what, note)


@_reporting
def check_step_backward(fn: Callable) -> None:
    """Check ``rnn_step_backward(dh_t, x_t, h_prev, h_t, W_x, W_h)``.

    Parameters
    ----------
    fn : callable
        The function to check; it returns ``dx_t, dh_prev, dW_x, dW_h, db``.

    Raises
    ------
    CheckFailed
        If something is wrong with it; the message says what.
    ValueError
        If ``RNN_LIB_CHECK_SEED`` is not a whole number.

    Notes
    -----
    Lesson 3, section 2.
    """
    __tracebackhide__ = True
    rng, _ = _begin()
    asked = problems.steps(rng)
    exam = _examine(
        exercises.STEP_BACKWARD, fn, asked, problems.square(rng), problems.round_numbers(rng, T=1)
    )
    _passed(exam, "five shapes, h_prev != 0, numeric gradient")


@_reporting
def check_backward(fn: Callable, truncation: bool = True) -> None:
    """Check ``rnn_backward(dh, x, h0, h, W_x, W_h, bptt_steps=None)``.

    Parameters
    ----------
    fn : callable
        The function to check; it returns ``dx, dh0, dW_x, dW_h, db``.
    truncation : bool
        Whether `bptt_steps` is checked as well. Without, it is never given.

    Raises
    ------
    CheckFailed
        If something is wrong with it; the message says what.
    ValueError
        If ``RNN_LIB_CHECK_SEED`` is not a whole number.

    Notes
    -----
    Lesson 3, sections 3 and 8.
    """
    __tracebackhide__ = True
    rng, seeded = _begin()
    T_values = problems.time_steps(rng, seeded)
    asked = (problems.truncated if truncation else problems.sequences)(rng, T_values)
    exam = _examine(
        exercises.BACKWARD, fn, asked, problems.square(rng), problems.round_numbers(rng, T=2)
    )
    what = f"shapes, T = {_commas(T_values)}, h0 != 0, "
    if truncation:
        what += f"bptt_steps to {T_values[-1] + 2}, "
    _passed(exam, what + "numeric gradient")


@_reporting
def check_softmax_cross_entropy(fn: Callable) -> None:
    """Check ``softmax_cross_entropy(scores, labels) -> loss, dscores``.

    Parameters
    ----------
    fn : callable
        The function to check.

    Raises
    ------
    CheckFailed
        If something is wrong with it; the message says what.
    ValueError
        If ``RNN_LIB_CHECK_SEED`` is not a whole number.

    Notes
    -----
    Lesson 3, section 6.
    """
    __tracebackhide__ = True
    rng, _ = _begin()
    exam = _examine(exercises.SOFTMAX, fn, problems.scores_and_labels(rng))
    _examine_extremes(exam, fn, problems.large_scores(), mistakes.LARGE_SCORES)
    _passed(exam, "(N, K), scores up to 1000, numeric gradient")


@_reporting
def check_update(fn: Callable) -> None:
    """Check ``update(params, grads, lr)``, which changes the arrays of `params` in place.

    Parameters
    ----------
    fn : callable
        The function to check.

    Raises
    ------
    CheckFailed
        If something is wrong with it; the message says what.
    ValueError
        If ``RNN_LIB_CHECK_SEED`` is not a whole number.

    Notes
    -----
    Lesson 3, section 7.
    """
    __tracebackhide__ = True
    rng, _ = _begin()
    exam = _examine(exercises.UPDATE, fn, problems.parameters(rng), adapter=adapters.InPlace)
    _passed(exam, "w -= lr * dw in place, for W_x, W_h, b, two rates", kept="gradients")


@_reporting
def check_numeric_gradient(fn: Callable) -> None:
    """Check ``numeric_gradient(f, array, eps=1e-5) -> gradient``.

    Parameters
    ----------
    fn : callable
        The function to check.

    Raises
    ------
    CheckFailed
        If something is wrong with it; the message says what.
    ValueError
        If ``RNN_LIB_CHECK_SEED`` is not a whole number.

    Notes
    -----
    Lesson 3, section 4.
    """
    __tracebackhide__ = True
    rng, _ = _begin()
    exam = _examine(exercises.NUMERIC, fn, problems.nudged(rng), adapter=adapters.OfCubic)
    note = (
        "note: array comes back changed in its last digit; keep the number and put it back"
        if exam.function.rounded
        else ""
    )
    _passed(exam, "a vector and a matrix, eps = 1e-5 and 0.05", note, "array")


@_reporting
def check_encode(fn: Callable) -> None:
    """Check ``encode(words, id_of, maxlen) -> ids``, whole numbers of shape (maxlen,).

    Parameters
    ----------
    fn : callable
        The function to check.

    Raises
    ------
    CheckFailed
        If something is wrong with it; the message says what.
    ValueError
        If ``RNN_LIB_CHECK_SEED`` is not a whole number.

    Notes
    -----
    Lesson 4, section 2.
    """
    __tracebackhide__ = True
    rng, _ = _begin()
    exam = _examine(exercises.ENCODE, fn, problems.reviews(rng))
    _passed(exam, "ids (maxlen,), long, short and empty reviews, unknown words")


@_reporting
def check_training_step(fn: Callable) -> None:
    """Check ``training_step(network, loss, optimizer, x, lengths, y) -> loss``.

    Parameters
    ----------
    fn : callable
        The function to check; it changes the parameters of the network.

    Raises
    ------
    CheckFailed
        If something is wrong with it; the message says what.
    ValueError
        If ``RNN_LIB_CHECK_SEED`` is not a whole number.

    Notes
    -----
    Lesson 4, section 4.
    """
    __tracebackhide__ = True
    rng, _ = _begin()
    exam = _examine(exercises.TRAINING_STEP, fn, problems.batches(rng), adapter=adapters.InARow)
    _passed(exam, "loss and changes of 3 steps, short and long gradients")


@_reporting
def check_accuracy(fn: Callable) -> None:
    """Check ``small_model() -> ScratchRNNClassifier``: train what it describes, and ask it.

    A new classifier with the same settings is trained on 3,000 of the packaged reviews and judges
    the validation reviews. That takes some seconds.

    Parameters
    ----------
    fn : callable
        The function to check.

    Raises
    ------
    CheckFailed
        If the budget is exceeded, training fails or too few reviews are judged right; the message
        says what.
    ValueError
        If ``RNN_LIB_CHECK_SEED`` is not a whole number.

    Notes
    -----
    Lesson 4, section 4.
    """
    __tracebackhide__ = True
    rng, seeded = _begin()
    enough = training.ENOUGH_UNDER_ANOTHER_SEED if seeded else training.ENOUGH
    training.examine(fn, rng, enough)
    _expect_unreplaced()
    what = f"trained on {training.N_REVIEWS:,} reviews within the budget, it judges more than "
    _say_right(training.NAME, what + f"{enough:.0%} of the validation reviews right")


# -- what the checks share ----------------------------------------------------------------------


def _begin() -> tuple[Generator, bool]:
    __tracebackhide__ = True
    _expect_unreplaced()
    return problems.seeded_rng()


def _examine(
    exercise: Exercise,
    fn: Callable,
    asked: list[Problem],
    diagnostic: Iterable[Problem] = (),
    round_numbers: Iterable[Problem] = (),
    adapter: Callable = lambda fn: fn,
) -> Examination:
    """Examine a function, and stop with a report if it is wrong."""
    __tracebackhide__ = True
    if not callable(fn):
        raise CheckFailed(f"{exercise.name}: expected a function, got {describe(fn)}")
    exam = Examination(exercise, adapter(fn), asked, diagnostic, round_numbers)
    _expect_unreplaced()
    if exam.fault:
        error = exam.fault.outcome.error
        cause = None if isinstance(error, WrongKind) else error
        raise messages.failure(exam) from cause
    return exam


def _examine_extremes(
    exam: Examination, fn: Callable, asked: list[Problem], signatures: tuple
) -> Examination:
    """Examine with numbers that overflow in careless code; NumPy's warnings would say it twice."""
    __tracebackhide__ = True
    # In float32, numbers around 1000 have no more than four digits after the point.
    tolerance = 1e-3 if exam.in_float32 else exam.tolerance
    exercise = replace(exam.exercise, mistakes=signatures, numeric=None, tolerance=tolerance)
    with errstate(all="ignore"):
        return _examine(exercise, fn, asked)


def _examine_saturated(exam: Examination, fn: Callable) -> str:
    """Examine with sums of 1000, -1000 and 1e-17; return a remark on the last."""
    __tracebackhide__ = True
    exam = _examine_extremes(exam, fn, [problems.saturated(T=2)], mistakes.SATURATED)
    h, right = (v[exam.exercise.returns[0]] for v in (exam.outcomes[0].values, exam.rights[0]))
    tiny = absolute(right) < 1e-9
    if (absolute(h - right)[tiny] < 1e-3 * right[tiny]).all():
        return ""
    return (
        "note: the tanh of 1e-17 comes out as 0 here, digits near 0 are lost; "
        "np.tanh keeps them (lesson 1, section 5)"
    )


def _passed(exam: Examination, what: str, note: str = "", kept: str = "inputs") -> None:
    precision = f"to {exam.tolerance:.0e}".replace("e-0", "e-")
    if exam.in_float32:
        precision += " (float32)"
    if exam.exercise.integers:
        precision = "exactly"
    _say_right(exam.exercise.name, f"{what}, {precision}, two calls, {kept} untouched", note)


def _say_right(name: str, what: str, note: str = "") -> None:
    print(f"{name} is right: {what}.")
    if note:
        print(note)
    receipts.issue(name)


def _commas(values: tuple[int, ...]) -> str:
    return ", ".join(str(value) for value in values)


# What the checks rely on besides their own modules: these names of Python's, and what NumPy's
# arrays call when they are asked for their sum or their largest number.
_PYTHONS = (
    *("AssertionError", "abs", "all", "any", "callable", "dict", "enumerate", "float", "int"),
    *("isinstance", "len", "list", "max", "min", "next", "print", "range", "reversed", "set"),
    *("sorted", "str", "sum", "tuple", "type", "vars", "zip"),
)
_ARRAY_METHODS = sys.modules["numpy._core._methods"]


def _as_imported() -> dict[str, object]:
    """List all that the checks are made of, by name."""
    parts = (adapters, exercises, judging, messages, mistakes, problems, references, standins)
    parts += (training, training.ScratchRNNClassifier, _ARRAY_METHODS)
    names = {
        f"{part.__name__}.{name}": value
        for part in parts
        for name, value in vars(part).items()
        if not name.startswith("__")
    }
    return names | {f"builtins.{name}": getattr(builtins, name) for name in _PYTHONS}


def _expect_unreplaced() -> None:
    """Make sure that nobody has exchanged a part of the checks, or looks over their shoulder."""
    now = _as_imported()
    for name, value in _AS_IMPORTED.items():
        if now.get(name) is not value:
            raise CheckFailed(f"{name} was replaced: restart the kernel and run all cells again")
    if receipts.is_graded and (gettrace() or getprofile()):
        raise CheckFailed("sys.settrace or sys.setprofile is in use: no check runs under it")


_AS_IMPORTED = _as_imported()
