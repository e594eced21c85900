"""The checks: each judges one function that a student wrote, and names the mistake.

A check that passes prints one line saying what was verified; one that fails raises
``AssertionError`` and says what is wrong, by how much, which mistake produces exactly that, and
where to read again. A function that nobody has begun stops with its own ``NotImplementedError``.

Set the environment variable ``RNN_LIB_CHECK_SEED`` to a whole number to draw other sizes and other
numbers: answers written down instead of computed then fail.

The modules can be read in this order: references (the right answers), problems (what is asked),
mistakes (the wrong answers), judging (which of them it is), messages (how it is said).
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from numpy import absolute, errstate, ndarray
from numpy.random import Generator

from rnn_lib.checks import judging, messages, mistakes, problems, references
from rnn_lib.checks.judging import Examination, Exercise, WrongKind, describe
from rnn_lib.checks.problems import Problem

__all__ = [
    "check_backward",
    "check_forward",
    "check_numeric_gradient",
    "check_softmax_cross_entropy",
    "check_step",
    "check_step_backward",
    "check_update",
]

_WEIGHTS = ("W_x", "W_h", "b")
_GRADIENTS = ("dW_x", "dW_h", "db")

_STEP = Exercise(
    "rnn_step",
    ("x_t", "h_prev", *_WEIGHTS),
    ("h_t",),
    references.rnn_step,
    "lesson 1, section 3",
    mistakes.STEP,
)
_FORWARD = Exercise(
    "rnn_forward",
    ("x", "h0", *_WEIGHTS),
    ("h",),
    references.rnn_forward,
    "lesson 1, section 3",
    mistakes.FORWARD,
)
_STEP_BACKWARD = Exercise(
    "rnn_step_backward",
    ("dh_t", "x_t", "h_prev", "h_t", "W_x", "W_h"),
    ("dx_t", "dh_prev", *_GRADIENTS),
    references.rnn_step_backward,
    "lesson 3, section 2",
    mistakes.STEP_BACKWARD,
    numeric=references.numeric_step,
)
_BACKWARD = Exercise(
    "rnn_backward",
    ("dh", "x", "h0", "h", "W_x", "W_h"),
    ("dx", "dh0", *_GRADIENTS),
    references.rnn_backward,
    "lesson 3, section 3",
    mistakes.BACKWARD,
    options=("bptt_steps",),
    numeric=references.numeric_backward,
)
_SOFTMAX = Exercise(
    "softmax_cross_entropy",
    ("scores", "labels"),
    ("loss", "dscores"),
    references.softmax_cross_entropy,
    "lesson 3, section 6",
    mistakes.SOFTMAX,
    numeric=references.numeric_softmax,
)
_UPDATE = Exercise(
    "update",
    (*_WEIGHTS, *_GRADIENTS, "lr"),
    tuple(f"the change of {name}" for name in _WEIGHTS),
    references.update_changes,
    "lesson 3, section 7",
    mistakes.UPDATE,
    may_change=_WEIGHTS,
    tolerance=judging.SINGLE,  # the change is small beside the number that it is a change of
)
_NUMERIC = Exercise(
    "numeric_gradient",
    ("array", "weights"),
    ("gradient",),
    references.central_differences,
    "lesson 3, section 4",
    mistakes.NUMERIC,
    options=("eps",),
    may_change=("array",),  # but it has to put the numbers back: see _OfCubic
    tolerance=1e-6,  # a difference of nearly equal numbers loses digits
)


def check_step(fn: Callable) -> None:
    """Check ``rnn_step(x_t, h_prev, W_x, W_h, b) -> h_t``.

    Parameters
    ----------
    fn : callable
        The function to check.

    Raises
    ------
    AssertionError
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
    exam = _examine(_STEP, fn, asked, problems.square(rng), problems.round_numbers(rng, T=1))
    note = _examine_saturated(exam, fn)
    _passed(exam, "h_t (N, H), h_prev != 0, sums up to 1000", note)


def check_forward(fn: Callable) -> None:
    """Check ``rnn_forward(x, h0, W_x, W_h, b) -> h``, all states (N, T, H).

    Parameters
    ----------
    fn : callable
        The function to check.

    Raises
    ------
    AssertionError
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
    exam = _examine(_FORWARD, fn, asked, problems.square(rng), problems.round_numbers(rng, T=1))
    note = _examine_saturated(exam, fn)
    what = f"h (N, T, H), T = {_commas(T_values)}, h0 != 0, sums up to 1000"
    _passed(exam, what, note)


def check_step_backward(fn: Callable) -> None:
    """Check ``rnn_step_backward(dh_t, x_t, h_prev, h_t, W_x, W_h)``.

    Parameters
    ----------
    fn : callable
        The function to check; it returns ``dx_t, dh_prev, dW_x, dW_h, db``.

    Raises
    ------
    AssertionError
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
        _STEP_BACKWARD, fn, asked, problems.square(rng), problems.round_numbers(rng, T=1)
    )
    _passed(exam, "five shapes, h_prev != 0, numeric gradient")


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
    AssertionError
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
    exam = _examine(_BACKWARD, fn, asked, problems.square(rng), problems.round_numbers(rng, T=2))
    what = f"shapes, T = {_commas(T_values)}, h0 != 0, "
    if truncation:
        what += f"bptt_steps to {T_values[-1] + 2}, "
    _passed(exam, what + "numeric gradient")


def check_softmax_cross_entropy(fn: Callable) -> None:
    """Check ``softmax_cross_entropy(scores, labels) -> loss, dscores``.

    Parameters
    ----------
    fn : callable
        The function to check.

    Raises
    ------
    AssertionError
        If something is wrong with it; the message says what.
    ValueError
        If ``RNN_LIB_CHECK_SEED`` is not a whole number.

    Notes
    -----
    Lesson 3, section 6.
    """
    __tracebackhide__ = True
    rng, _ = _begin()
    exam = _examine(_SOFTMAX, fn, problems.scores_and_labels(rng))
    _examine_extremes(exam, fn, problems.large_scores(), mistakes.LARGE_SCORES)
    _passed(exam, "(N, K), scores up to 1000, numeric gradient")


def check_update(fn: Callable) -> None:
    """Check ``update(params, grads, lr)``, which changes the arrays of `params` in place.

    Parameters
    ----------
    fn : callable
        The function to check.

    Raises
    ------
    AssertionError
        If something is wrong with it; the message says what.
    ValueError
        If ``RNN_LIB_CHECK_SEED`` is not a whole number.

    Notes
    -----
    Lesson 3, section 7.
    """
    __tracebackhide__ = True
    rng, _ = _begin()
    exam = _examine(_UPDATE, fn, problems.parameters(rng), adapter=_InPlace)
    _passed(exam, "w -= lr * dw in place, for W_x, W_h, b, two rates", kept="gradients")


def check_numeric_gradient(fn: Callable) -> None:
    """Check ``numeric_gradient(f, array, eps=1e-5) -> gradient``.

    Parameters
    ----------
    fn : callable
        The function to check.

    Raises
    ------
    AssertionError
        If something is wrong with it; the message says what.
    ValueError
        If ``RNN_LIB_CHECK_SEED`` is not a whole number.

    Notes
    -----
    Lesson 3, section 4.
    """
    __tracebackhide__ = True
    rng, _ = _begin()
    exam = _examine(_NUMERIC, fn, problems.nudged(rng), adapter=_OfCubic)
    note = (
        "note: array comes back changed in its last digit; keep the number and put it back"
        if exam.function.rounded
        else ""
    )
    _passed(exam, "a vector and a matrix, eps = 1e-5 and 0.05", note, "array")


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
        raise AssertionError(f"{exercise.name}: expected a function, got {describe(fn)}")
    exam = Examination(exercise, adapter(fn), asked, diagnostic, round_numbers)
    _expect_unreplaced()
    if exam.fault:
        error = exam.fault.outcome.error
        cause = None if isinstance(error, WrongKind) else error
        raise AssertionError(messages.report(exam)) from cause
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
    precision = f"{exam.tolerance:.0e}".replace("e-0", "e-")
    single = " (float32)" if exam.in_float32 else ""
    print(
        f"{exam.exercise.name} is right: {what}, to {precision}{single}, "
        f"two calls, {kept} untouched."
    )
    if note:
        print(note)


def _commas(values: tuple[int, ...]) -> str:
    return ", ".join(str(value) for value in values)


class _InPlace:
    """A student's update, asked like all other functions: it answers with the changes it made."""

    def __init__(self, fn: Callable) -> None:
        self.__wrapped__ = fn

    def __call__(self, *given: ndarray | float) -> tuple[ndarray, ...]:
        arrays = dict(zip(_WEIGHTS, given[:3], strict=True))
        grads = dict(zip(_WEIGHTS, given[3:6], strict=True))
        params, before = dict(arrays), [array.copy() for array in arrays.values()]
        returned = self.__wrapped__(params, grads, given[6])
        if any(params.get(name) is not array for name, array in arrays.items()):
            raise WrongKind(
                "update puts new arrays into params",
                "the arrays of params, changed in place",
                "the old arrays as they were, and others in their place",
                "params[name] -= lr * grads[name] changes an array; w = w - ... makes a new one",
            )
        if params.keys() != arrays.keys():
            raise WrongKind(
                "update changes the names in params", _commas(_WEIGHTS), ", ".join(map(str, params))
            )
        if returned is not None and returned is not params:
            raise WrongKind(
                "update returned something",
                "None: it changes the arrays of params in place, and that is all",
                describe(returned),
            )
        return tuple(array - old for array, old in zip(arrays.values(), before, strict=True))


class _OfCubic:
    """A student's numeric gradient, with a function to differentiate."""

    def __init__(self, fn: Callable) -> None:
        self.__wrapped__, self.rounded = fn, False

    def __call__(self, array: ndarray, weights: ndarray, **eps: float) -> object:
        before = array.copy()
        gradient = self.__wrapped__(lambda: references.cubic(array, weights), array, **eps)
        if array.shape != before.shape or not (absolute(array - before) < 1e-12).all():
            raise WrongKind(
                "numeric_gradient leaves array changed",
                "array as it was before the call",
                "other numbers in it",
                "keep the number before nudging it, and put it back",
            )
        self.rounded |= array.tobytes() != before.tobytes()
        return gradient


def _as_imported() -> dict[str, object]:
    """List everything that the modules of this package hold, by name."""
    return {
        f"{module.__name__}.{name}": value
        for module in (judging, messages, mistakes, problems, references)
        for name, value in vars(module).items()
        if not name.startswith("__")
    }


def _expect_unreplaced() -> None:
    """Make sure that nobody has exchanged a part of the checks."""
    now = _as_imported()
    for name, value in _AS_IMPORTED.items():
        if now.get(name) is not value:
            raise AssertionError(f"{name} was replaced: restart the kernel and run all cells again")


_AS_IMPORTED = _as_imported()
