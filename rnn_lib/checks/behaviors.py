"""Mistakes that show in what a function does: it stops, it changes an argument, it adds up calls.

Each function here looks at a failed examination and says whether it sees one mistake; which
functions look at which exercise, ``mistakes.toml`` says. What shows in the answers alone needs no
function: a mutant gives the same.
"""

import re
from collections.abc import Callable

from numpy import absolute, ndarray, zeros, zeros_like

from rnn_lib.checks.comparison import near
from rnn_lib.checks.exercise import Values
from rnn_lib.checks.judging import Exam, Outcome


def changes(exam: Exam, *arguments: str) -> bool:
    """See whether one of these arguments was changed."""
    return exam.fault.kind == "changed" and exam.fault.name in arguments


def stops_with(exam: Exam, kind: str) -> bool:
    """See whether the function stops with an error of this kind."""
    names = [cls.__name__ for cls in type(exam.fault.outcome.error).__mro__]
    return exam.fault.kind == "error" and kind in names


def is_made_of_integers(exam: Exam) -> bool:
    """See whether numbers did not fit into an array of integers, or came out as integers."""
    error = exam.fault.outcome.error
    return error is not None and bool(
        re.search(r"Cannot cast ufunc .* to dtype\('u?int", str(error))
        or re.match(r"u?int\d", getattr(error, "got", ""))
    )


def works_only_where_F_is_H(exam: Exam) -> bool:
    """See whether it is about a matrix of shape (F, H) in place of (H, H), or for lack of one."""
    fault, sizes = exam.fault, exam.fault.outcome.problem.sizes
    F, H = sizes["F"], sizes["H"]
    where_equal = [o for o in exam.evidence if o.problem.sizes["F"] == o.problem.sizes["H"]]
    if not where_equal or any(outcome.wrong() for outcome in where_equal):
        return False
    if fault.kind == "shape":
        return fault.name == "dW_h" and fault.outcome.values["dW_h"].shape == (F, H)
    about = (
        f"shapes ({F},{H}) ({H},{H})",
        f"from shape ({H},{H}) into shape ({F},{H})",
        f"array of size {H * H} into shape ({F},{H})",
        f"(size {F} is different from {H})",
        f"(size {H} is different from {F})",
    )
    return fault.kind == "error" and any(a in str(fault.outcome.error) for a in about)


def starts_from_the_last_state(exam: Exam) -> bool:
    """See whether a call starts from the last state of the call before, not from its argument."""
    state, fault = exam.exercise.arguments[1], exam.fault  # h_prev or h0

    def last_state(values):
        h = values[exam.exercise.returns[0]]  # (N, H) or (N, T, H)
        return h if h.ndim == 2 else h[:, -1]

    if fault.kind == "changed":
        values = fault.outcome.values
        return (
            fault.name == state
            and fault.outcome.has_right_shape()
            and near(fault.outcome.given_after[state], last_state(values))
        )
    return _wrong_only_as(
        exam,
        lambda before, outcome: exam.exercise.answer(
            exam.exercise.right, outcome.problem.with_numbers(**{state: last_state(before)})
        ),
    )


def adds_to_the_call_before(exam: Exam) -> bool:
    """See whether gradients grow from call to call."""
    return _wrong_only_as(
        exam, lambda before, outcome: {n: before[n] + right for n, right in outcome.right.items()}
    )


def takes_dh0_of_the_call_before(exam: Exam) -> bool:
    """See whether what arrived at h0 enters again at the last step of the next call."""

    def made(before, outcome):
        dh = outcome.problem.numbers["dh"].copy()
        dh[:, -1] += before["dh0"]
        return exam.exercise.answer(exam.exercise.right, outcome.problem.with_numbers(dh=dh))

    return _wrong_only_as(exam, made)


def _wrong_only_as(exam: Exam, made: Callable[[Values, Outcome], Values]) -> bool:
    """Say whether each wrong answer is what is made of the answer to the call before.

    What the first call of a size started from nobody knows; it does not count.
    """
    seen, before = False, None
    for outcome in exam.outcomes:
        if not outcome.has_right_shape():
            before = None
            continue
        if before is not None and before.problem.sizes == outcome.problem.sizes:
            expected = made(before.values, outcome)
            for name in outcome.wrong():
                if not near(outcome.values[name], expected[name], outcome.right[name]):
                    return False
                seen = True
        before = outcome
    return seen


def updates_during_the_pass(exam: Exam) -> bool:
    """See whether all is right for small gradients only, which hardly move the weights.

    A gradient is in proportion to dh; clipping, too, breaks that, but leaves its limit behind.
    """
    if exam.fault.kind != "value":
        return False
    wrong = [outcome for outcome in exam.outcomes if outcome.has_right_shape() and outcome.wrong()]
    for outcome in wrong:
        right = outcome.right
        small = 1e-8 * outcome.problem.numbers["dh"]
        again = exam.ask(outcome.problem.with_numbers(dh=small)).values
        if again is None or not all(near(1e8 * v, right[n], right[n]) for n, v in again.items()):
            return False
        if any((absolute(v) == absolute(v).max()).sum() > 1 for v in outcome.values.values()):
            return False
    return bool(wrong)


def ignores_the_weights(exam: Exam) -> bool:
    """See whether the states come from other weights than those given."""
    if exam.fault.kind == "changed":
        return exam.fault.name in ("W_x", "W_h")
    if exam.fault.kind != "value":
        return False
    problem = exam.fault.outcome.problem

    def states(**numbers) -> ndarray:
        outcome = exam.ask(problem.with_numbers(**numbers))
        return zeros(1) if outcome.values is None else outcome.values[exam.exercise.returns[0]]

    # A state handed on as it came has not met any weights: that is another mistake.
    inputs = exam.exercise.arguments[0]
    if near(states(), states(**{inputs: zeros_like(problem.numbers[inputs])})):
        return False
    weights = {name: problem.numbers[name] for name in ("W_x", "W_h")}
    nothing = {name: zeros_like(problem.numbers[name]) for name in exam.exercise.arguments}
    no_weights = {name: nothing[name] for name in (*weights, "b")}
    # The weights count for nothing, or no two calls agree ...
    ignored = any(near(states(), states(**{n: 1 - w})) for n, w in weights.items())
    # ... and without weights there is still something, but not without inputs.
    return (
        (ignored or not near(states(), states()))
        and bool(states(**no_weights).any())
        and not states(**nothing).any()
    )


def overflows(exam: Exam) -> bool:
    """See whether large numbers give NaN, infinity or an overflow, or stop the function."""
    fault = exam.fault
    if fault.kind == "error":
        return isinstance(fault.outcome.error, ArithmeticError)
    values = fault.outcome.values
    return fault.kind == "value" and bool((values[fault.name] - values[fault.name]).any())


def takes_the_log_of_zero(exam: Exam) -> bool:
    """See whether the loss alone is wrong, and infinite."""
    fault = exam.fault
    return (
        fault.kind == "value"
        and "dscores" not in exam.wrong()
        and float(fault.outcome.values["loss"]) == float("inf")
    )
