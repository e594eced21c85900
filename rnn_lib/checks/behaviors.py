"""Mistakes that show in what a function does: it stops, it changes an argument, it adds up calls.

Each function here looks at a failed examination and says whether it sees one mistake; which
functions look at which exercise, ``mistakes.toml`` says. What shows in the answers alone needs no
function: a mutant gives the same.
"""

import re
from collections.abc import Callable
from itertools import pairwise

from numpy import absolute, inf, ndarray, sort, zeros, zeros_like

from rnn_lib.checks.comparison import likely, near
from rnn_lib.checks.exercise import Values
from rnn_lib.checks.judging import Exam, Outcome
from rnn_lib.checks.mutants import compiled


def changes(exam: Exam, *arguments: str) -> bool:
    """See whether one of these arguments was changed."""
    return exam.fault.kind == "changed" and exam.fault.name in arguments


def stops_with(exam: Exam, kind: str, text: str = "") -> bool:
    """See whether some call stops with an error of this kind, and this in its text."""
    errors = [outcome.error for outcome in exam.evidence if exam.fault.kind == "error"]
    named = [error for error in errors if kind in [cls.__name__ for cls in type(error).__mro__]]
    return any(text in str(error) for error in named)


def is_invalid(exam: Exam, *words: str) -> bool:
    """See whether the answer is of another kind than asked for, described in these words."""
    return exam.fault.kind == "invalid" and " ".join(words) in str(exam.fault.outcome.error)


def is_made_of_integers(exam: Exam) -> bool:
    """See whether numbers did not fit into an array of integers, or came out as integers."""
    error = exam.fault.outcome.error
    return error is not None and bool(
        re.search(r"Cannot cast ufunc .* to dtype\('u?int", str(error))
        or re.search(r"holds u?int\d", str(error))
    )


def works_only_where_F_is_H(exam: Exam) -> bool:
    """See whether it stops, or has a wrong shape, but where F = H all is right."""
    orders: dict[bool, set[int]] = {False: set(), True: set()}
    for outcome in exam.evidence:  # whether F is smaller than H, equal, larger: all right, or none
        F, H = outcome.problem.sizes["F"], outcome.problem.sizes["H"]
        orders[bool(outcome.wrong())].add((F > H) - (F < H))
    is_about_them = 0 in orders[False] and not orders[False] & orders[True]
    return exam.fault.kind in ("error", "shape") and is_about_them


def takes_W_h_for_F_by_H(exam: Exam) -> bool:
    """See whether that is about a matrix of shape (F, H) in place of (H, H), or for lack of one."""
    fault, sizes = exam.fault, exam.fault.outcome.problem.sizes
    F, H = sizes["F"], sizes["H"]
    if fault.kind == "shape":
        is_about = fault.name == "dW_h" and fault.outcome.values["dW_h"].shape == (F, H)
    else:  # in the words of sums, of assignments, of einsum, and of products
        sums = rf"shapes \({F},{H}\) \({H},{H}\)|\({H},{H}\)( into shape \({F},{H}\)|->)"
        products = rf"array of size {H * H} into|\d \(dim 1\) != \d|size \d is different from"
        is_about = re.search(f"{sums}|{products}", str(fault.outcome.error))
    return bool(is_about) and works_only_where_F_is_H(exam)


def starts_from_the_last_state(exam: Exam) -> bool:
    """See whether a call starts from the last state of the call before, not from its argument."""
    # From h_prev or h0 comes h_t or h; from c_prev comes c_t.
    states = list(zip(exam.exercise.arguments[1:], exam.exercise.returns, strict=False))

    def made(before, outcome):
        given = {state: before[result] for state, result in states}  # (N, H) or (N, T, H)
        given = {state: h if h.ndim == 2 else h[:, -1] for state, h in given.items()}
        return exam.exercise.answer(exam.exercise.right, outcome.problem.with_numbers(**given))

    return exam.fault.kind == "value" and _wrong_only_as(exam, made)


def repeats_an_answer(exam: Exam) -> bool:
    """See whether the right answer to one call is given again in the next, to other numbers."""
    return exam.fault.kind == "value" and any(
        two.wrong() and all(near(two.values[name], one.values[name]) for name in one.right)
        for one, two in pairwise(exam.outcomes)
        if not one.wrong() and two.has_right_shape()
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
                if not near(outcome.values[name], expected[name]):
                    return False
                seen = True
        before = outcome
    return seen


def updates_during_the_pass(exam: Exam) -> bool:
    """See whether all is right for small gradients only, which hardly move the weights."""
    first = [o for o in exam.outcomes if o.problem.is_first and exam.fault.kind == "value"]
    wrong = [outcome for outcome in first if outcome.has_right_shape() and outcome.wrong()]
    for outcome in wrong:
        right = outcome.right
        small = 1e-8 * outcome.problem.numbers["dh"]
        again = exam.ask(outcome.problem.with_numbers(dh=small)).values
        if again is None or not all(near(1e8 * v, right[n], right[n]) for n, v in again.items()):
            return False
    return bool(wrong)


def clips(exam: Exam, *gradients: str) -> bool:
    """See whether a result is in proportion to tiny gradients, and bounded for huge ones."""
    problem = _longest(exam).problem

    def at(size: float) -> Values | None:
        scaled = {name: size * problem.numbers[name] for name in gradients}
        return exam.ask(problem.with_numbers(**scaled)).values

    tiny, twice, huge, more = asked = [at(size) for size in (1e-7, 2e-7, 1e8, 1e10)]
    return not any(values is None for values in asked) and any(
        tiny[name].any()
        and near(2 * tiny[name], twice[name])
        and absolute(more[name]).max() < 10 * absolute(huge[name]).max()
        for name in exam.exercise.returns
    )


def ignores(exam: Exam, argument: str, index: str = "") -> bool:
    """See whether an argument, changed, changes nothing; ``[:,:-1]`` leaves its last step alone."""
    outcome = _longest(exam)
    numbers = outcome.problem.numbers
    changed = 1 - numbers.get(argument, 0)
    if index:
        changed[:, -1] = numbers[argument][:, -1]
    if outcome.values is None or not any(value.any() for value in outcome.values.values()):
        return False
    again = exam.ask(outcome.problem.with_numbers(**{argument: changed})).values
    return again is not None and all(near(again[n], v) for n, v in outcome.values.items())


def takes_a_step_of_its_own(exam: Exam) -> bool:
    """See whether eps has no effect on gradients that are nearly right."""
    outcomes = [o for o in exam.outcomes if o.has_right_shape()]
    nearly = all(error < 0.1 for o in outcomes for error in o.errors.values())
    return bool(outcomes) and nearly and ignores(exam, "eps")


def _longest(exam: Exam) -> Outcome:
    """Return what came of the longest sequence, in full, when it was asked first."""
    first = [o for o in exam.outcomes if o.problem.is_first]
    in_full = [o for o in first if o.problem.numbers.get("bptt_steps") is None]
    return max(in_full, key=lambda outcome: outcome.problem.sizes.get("T", 1))


def returns_another_order(exam: Exam) -> bool:
    """See whether all results are right, but for the order in which they come."""
    outcome = exam.fault.outcome
    if exam.fault.kind not in ("shape", "value") or not outcome.wrong():
        return False
    values = outcome.values.values()
    return all(any(near(value, r) for value in values) for r in outcome.right.values())


def exchanges(exam: Exam, one: str, other: str) -> bool:
    """See whether two results are right, but that each stands in the other's place."""
    outcome = exam.fault.outcome
    if exam.fault.kind not in ("shape", "value") or outcome.wrong() != {one, other}:
        return False
    values, right = outcome.values, outcome.right
    return near(values[one], right[other]) and near(values[other], right[one])


def draws_its_own_weights(exam: Exam) -> bool:
    """See whether states come out where all weights are 0, though none where everything is."""
    problem, result = exam.fault.outcome.problem, exam.exercise.returns[0]

    def states(*names: str) -> ndarray:
        numbers = {name: zeros_like(problem.numbers[name]) for name in names}
        outcome = exam.ask(problem.with_numbers(**numbers))
        return zeros(1) if outcome.values is None else outcome.values[result]

    others = ignores(exam, "W_x") or ignores(exam, "W_h") or not near(states(), states())
    from_others = states("W_x", "W_h", "b").any() and not states(*exam.exercise.arguments).any()
    return exam.fault.kind == "value" and others and bool(from_others)


def overflows(exam: Exam) -> bool:
    """See whether large numbers give NaN, infinity or an overflow, or stop the function."""
    fault = exam.fault
    if fault.kind == "error":
        return isinstance(fault.outcome.error, ArithmeticError)
    values = fault.outcome.values
    return fault.kind == "value" and bool((values[fault.name] - values[fault.name]).any())


def subtracts_the_largest_of_all(exam: Exam) -> bool:
    """See whether rows with large scores are right, and rows far below another one are not."""
    *near_rows, far = exam.outcomes
    return not any(outcome.wrong() for outcome in near_rows) and "dscores" in far.wrong()


def loss_alone_is(exam: Exam, what: str) -> bool:
    """See whether the loss alone is wrong: ``small``, or ``infinite`` or not a number."""
    outcome = exam.fault.outcome
    if exam.wrong(exam.tolerance) != {"loss"} or not outcome.has_right_shape():
        return False
    loss = outcome.values["loss"]
    return bool(loss < outcome.right["loss"] if what == "small" else not absolute(loss) < inf)


def is_wrong_only_where(exam: Exam, condition: str) -> bool:
    """See whether all is right but where this holds for the numbers of a problem."""
    seen = {(bool(o.wrong()), eval(condition, {}, o.problem.numbers)) for o in exam.outcomes}
    return seen == {(True, True), (False, False)}


def draws_from(exam: Exam, formula: str) -> bool:
    """See whether ids are drawn from other probabilities, made of scores s and temperature T."""
    law = compiled(
        "law(table, temperature, **others)", f"s, T = table[0], temperature\nreturn {formula}"
    )
    asked = [o for o in exam.outcomes if hasattr(o.error, "counts")]
    return bool(asked) and all(likely(o.error.counts, law(**o.problem.numbers), 25) for o in asked)


def comes_at_random(exam: Exam) -> bool:
    """See whether the same numbers, given again, give something else."""
    first, _, again = (outcome.values for outcome in exam.outcomes[:3])
    return bool(first and again) and not all(near(first[n], again[n]) for n in first)


def has_all_in_another_order(exam: Exam) -> bool:
    """See whether the first result has the right numbers, but not in their places."""
    wrong = [(o.values, o.right) for o in exam.outcomes if o.wrong() and o.has_right_shape()]
    name = exam.exercise.returns[0]
    return bool(wrong) and all(near(sort(v[name], None), sort(r[name], None)) for v, r in wrong)


def repeats_one_draw(exam: Exam) -> bool:
    """See whether each call draws one and the same id, again and again."""
    asked = [o for o in exam.outcomes if hasattr(o.error, "counts")]
    return bool(asked) and not any((o.error.counts % o.problem.numbers["n"]).any() for o in asked)
