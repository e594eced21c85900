"""What a student reads: what is wrong, by how much, which mistake it is, and where to read again.

A headline, then a few rows, each a word and a line, in the reader's language. Nothing in it depends
on the machine. What is wrong and which mistake it is, others have found out: see ``judging`` and
``diagnosis``.
"""

import inspect
import re
import traceback

import numpy
from numpy import absolute, errstate, isfinite, ndarray, sqrt, unravel_index, where

from rnn_lib.checks.comparison import near
from rnn_lib.checks.diagnosis import Diagnosis
from rnn_lib.checks.exercise import Record
from rnn_lib.checks.failure import CheckFailed
from rnn_lib.checks.judging import Exam, Fault, Outcome
from rnn_lib.checks.mistakes import Mistake
from rnn_lib.language import Message, joined, translated

Row = tuple[str, str]

_NUMPY = {name: value for name, value in vars(numpy).items() if not name.startswith("_")}


def failure(exam: Exam, diagnosis: Diagnosis) -> CheckFailed:
    """Say what is wrong.

    Parameters
    ----------
    exam : Exam
        An examination that found a fault.
    diagnosis : Diagnosis
        What explains it; may be nothing.
    """
    mistakes, left = diagnosis.mistakes, [n for n in exam.exercise.returns if n in diagnosis.left]
    fault = exam.fault_in(diagnosis.left) if mistakes else exam.fault
    headline, rows = _PARTS[fault.kind](exam, fault, bool(mistakes))
    for mistake in mistakes:
        hint = mistake.hint
        if "{wrong}" in hint:
            hint = Message(hint, wrong=joined("{most} and {last}", sorted(exam.wrong())))
        rows += [("mistake", mistake.name), ("try", "" if _is_written(exam, hint) else hint)]
    if mistakes and left:
        also = "that is not all: in {names} something else is wrong, too; mend this first"
        rows += [("also", Message(also, names=listing(left)))]
    elif left == [*exam.exercise.returns]:
        rows += [("try", exam.exercise.source)]
    sections = _sections(exam, mistakes)
    rows += [("note", _replaced()), ("read", joined("{most}; {last}", sections))]
    names = "; ".join(mistake.name for mistake in mistakes)
    return CheckFailed(
        lay_out(headline, rows), fault.name or None, names or None, "; ".join(sections)
    )


def lay_out(headline: str, rows: list[Row]) -> str:
    """Write a headline and, below it, the rows that say something, in the reader's language."""
    said = (f"    {translated(key):<9} {translated(text)}" for key, text in rows if text)
    return "\n".join([translated(headline), *said])


def refusal(record: Record, what: str, *rows: Row) -> CheckFailed:
    """Write what is wrong with something that is not a function from arrays to arrays."""
    headline = Message("{name}: {what}", name=record.name, what=what)
    message = lay_out(headline, [*rows, ("read", record.section)])
    return CheckFailed(message, mistake=dict(rows).get("mistake"), section=record.section)


class InPart(Message):
    """What a pass has verified, where it earns half the points."""


def _told_apart(*values: float) -> list[str]:
    """Round numbers for reading, with as many digits as it takes to see a difference."""
    for digits in range(6, 17):
        texts = [f"{float(value):.{digits}g}" for value in values]
        if len(set(texts)) > 1:
            break
    return texts


def listing(words: list[str]) -> str:
    """Join words as one says them."""
    *most, last = words
    return joined("{most} and {last}", [joined("{most}, {last}", most), last]) if most else last


def _error(exam: Exam, fault: Fault, explained: bool) -> tuple[str, list[Row]]:
    error = fault.outcome.error
    kind = type(error).__name__
    return Message("{name} stopped with {error}", name=exam.exercise.name, error=kind), [
        ("where", _where(fault.outcome)),
        ("error", str(error).split("\n")[0]),
        ("line", _line(exam, error)),
    ]


def _invalid(exam: Exam, fault: Fault, explained: bool) -> tuple[str, list[Row]]:
    where = "" if fault.outcome is exam.outcomes[0] else _where(fault.outcome)
    return fault.outcome.error.args[0], [("where", where)]


def _changed(exam: Exam, fault: Fault, explained: bool) -> tuple[str, list[Row]]:
    before, after = fault.outcome.given_before[fault.name], fault.outcome.given_after[fault.name]
    if not isinstance(before, ndarray):
        what = Message(
            "{before} entries then, {now} now, not the same", before=len(before), now=len(after)
        )
    elif before.shape == after.shape:
        index = _worst(after, before)
        was, now = _told_apart(before[index], after[index])
        element = _element(fault.name, index)
        what = Message("{name} was {was}, now it is {now}", name=element, was=was, now=now)
    else:
        what = Message("its shape was {was}, now it is {now}", was=before.shape, now=after.shape)
    name = fault.name
    return Message(
        "{function} changes its argument {name}", function=exam.exercise.name, name=name
    ), [
        ("where", _where(fault.outcome)),
        ("expected", Message("{name} as it was before the call", name=name)),
        ("got", what),
        ("try", "" if explained else Message("work on a copy, {name}.copy()", name=name)),
    ]


def _overwritten(exam: Exam, fault: Fault, explained: bool) -> tuple[str, list[Row]]:
    headline = "{name} writes into an array that it returned before"
    return Message(headline, name=exam.exercise.name), [
        ("got", Message("the {name} of one call was changed by a later call", name=fault.name)),
        ("try", Message("make new arrays inside the function, in each call")),
    ]


def _shape(exam: Exam, fault: Fault, explained: bool) -> tuple[str, list[Row]]:
    what = Message("{name} has the wrong shape", name=fault.name)
    return Message("{name}: {what}", name=exam.exercise.name, what=what), [
        ("where", _where(fault.outcome)),
        ("expected", Message("shape {shape}", shape=fault.right.shape)),
        ("got", Message("shape {shape}", shape=fault.outcome.values[fault.name].shape)),
    ]


def _ids(fault: Fault) -> list[Row]:
    """Show what was given, the ids that should come out, and those that did: the worst row."""
    outcome, got = fault.outcome, fault.outcome.values[fault.name]
    row = _worst(got, fault.right)[:-1]
    given = {name: outcome.problem.numbers.get(name, ()) for name in ("words", "ids")}
    return [
        ("where", _where(outcome)),
        *((name, " ".join(map(str, numbers))) for name, numbers in given.items()),
        ("row", _element(fault.name, row) if row else ""),
        ("expected", " ".join(f"{i:.0f}" for i in fault.right[row])),
        ("got", " ".join(f"{i:.0f}" for i in got[row])),
    ]


def _value(exam: Exam, fault: Fault, explained: bool) -> tuple[str, list[Row]]:
    got, right = fault.outcome.values[fault.name], fault.right
    headline = Message("{name}: {what}", name=exam.exercise.name, what=_which(exam, fault))
    if exam.exercise.integers:
        return headline, _ids(fault)
    index = _worst(got, right)
    expected, came = _told_apart(right[index], got[index])
    element = _element(fault.name, index)
    worst = Message(
        "{name}: expected {expected}, got {got}", name=element, expected=expected, got=came
    )
    return headline, [
        ("where", _where(fault.outcome)),
        ("worst", worst),
        ("overall", _overall(fault, got, right, explained)),
        ("when", _when(exam)),
    ]


_KINDS = _error, _invalid, _changed, _overwritten, _shape, _value
_PARTS = {part.__name__[1:]: part for part in _KINDS}


def _sections(exam: Exam, mistakes: list[Mistake]) -> list[str]:
    sections = [mistake.section or exam.exercise.section for mistake in mistakes]
    if not sections:
        sections = [TRUNCATION if _only_truncated(exam) else exam.exercise.section]
    return list(dict.fromkeys(sections))


def _replaced() -> str:
    """Say which of NumPy's names mean something else by now: nobody would think of that."""
    now = vars(numpy)
    names = [f"np.{name}" for name, value in _NUMPY.items() if now.get(name, value) is not value]
    if not names:
        return ""
    is_one = "{names} is no longer NumPy's own: restart the kernel, run all cells again"
    are = "{names} are no longer NumPy's own: restart the kernel, run all cells again"
    return Message(is_one if len(names) == 1 else are, names=listing(names))


TRUNCATION = "lesson 3, section 8"


def _which(exam: Exam, fault: Fault) -> str:
    """Say which quantities are wrong and which right."""
    wrong = exam.wrong(exam.tolerance) | {fault.name}
    names = exam.exercise.returns
    bad, good = [n for n in names if n in wrong], [n for n in names if n not in wrong]
    text = Message("{bad} is wrong" if len(bad) == 1 else "{bad} are wrong", bad=listing(bad))
    return Message("{what}, {good} right", what=text, good=listing(good)) if good else text


def _where(outcome: Outcome) -> str:
    problem = outcome.problem
    options = {n: problem.numbers[n] for n in ("bptt_steps", "eps") if n in problem.numbers}
    sizes = problem.sizes | options
    text = ", ".join(f"{name} = {value}" for name, value in sizes.items())
    return text if problem.is_first else Message("{where}; {call}", where=text, call=problem.call)


def _when(exam: Exam) -> str:
    """Say for which numbers of time steps all is right, if that tells anything."""
    if _only_truncated(exam):
        return Message("right without bptt_steps, wrong with")
    wrong: dict[str, bool] = {}
    for outcome in exam.outcomes:
        if outcome.problem.is_first:
            T = str(outcome.problem.sizes.get("T", 1))
            wrong[T] = wrong.get(T, False) or bool(outcome.wrong(exam.tolerance))
    good, bad = ([T for T in wrong if wrong[T] is is_wrong] for is_wrong in (False, True))
    what = "right for T = {good}, wrong for T = {bad}"
    return Message(what, good=listing(good), bad=listing(bad)) if good and bad else ""


def _only_truncated(exam: Exam) -> bool:
    wrong = [outcome.problem for outcome in exam.outcomes if outcome.wrong(exam.tolerance)]
    return bool(wrong) and all(problem.numbers.get("bptt_steps") for problem in wrong)


def _overall(fault: Fault, got: ndarray, right: ndarray, explained: bool) -> str:
    """Compare two arrays as vectors, in words: by size, and by direction."""
    if not isfinite(got).all():
        return Message("NaN or infinity among the numbers")
    largest, difference = absolute(right).max(), absolute(got - right).max()
    if difference < 1e-3 * largest:
        share = f"{difference / largest:.0e}".replace("e-0", "e-")
        what = Message("off by {share} of the largest number", share=share)
        question = "{what}: a formula that is nearly right, or float32 in between?"
        return what if explained else Message(question, what=what)
    if not got.any() or not right.any():
        return "" if got.any() else Message("all zeros")
    size = sqrt((got * got).sum() / (right * right).sum())
    cosine = (got * right).sum() / (right * right).sum() / size
    if near(got, size * right) or near(got, -size * right):
        what = "each number is {times} the right one" if got.ndim else "it is {times} the right one"
        return Message(what, times=_times(cosine * size, fault.outcome.problem.sizes))
    what = "the norm is {times} the right one, and it points {direction}"
    direction = next(words for least, words in _DIRECTIONS if cosine >= least)
    return Message(what, times=_times(size), direction=direction)


_DIRECTIONS = (
    (0.9, Message("in nearly the same direction")),
    (-0.9, Message("in another direction")),
    (-2, Message("in nearly the opposite direction")),
)


def _times(ratio: float, sizes: dict[str, int] | None = None) -> str:
    """Say a ratio in words: half of, twice, minus 1 times, or N times."""
    known = {0.5: Message("half of"), 2.0: Message("twice")}
    for name, n in (sizes or {}).items():
        if name in "NTFHK":
            known[float(n)] = Message("{name} = {n} times", name=name, n=n)
            known[1 / n] = Message("1 / {name} = 1 / {n} of", name=name, n=n)
    words = [text for value, text in known.items() if abs(abs(ratio) / value - 1) < 1e-4]
    words.append(Message("{ratio:.2g} times", ratio=abs(ratio)))
    return Message("minus {times}", times=words[0]) if ratio < 0 else words[0]


def _worst(got: ndarray, right: ndarray) -> tuple[int, ...]:
    with errstate(all="ignore"):
        difference = absolute(got - right)
    # What is not a number at all is worst.
    difference = where(isfinite(difference), difference, float("inf"))
    return tuple(int(i) for i in unravel_index(difference.argmax(), difference.shape))


def _element(name: str, index: tuple[int, ...]) -> str:
    where = ", ".join(str(i) for i in index)
    return Message("{name}[{where}]", name=name, where=where) if index else name


def _is_written(exam: Exam, hint: str) -> bool:
    """Say whether all the code of a hint stands in the student's function already."""
    try:
        source = "".join(inspect.getsource(inspect.unwrap(exam.function)).split())
    except (OSError, TypeError):
        return False
    code = [part for part in re.findall("`(.+?)`", hint) if re.search(r"\w.*[=@].*\w", part)]
    return bool(code) and all("".join(part.split()) in source for part in code)


def _line(exam: Exam, error: Exception) -> str:
    """Find the student's own line, the last one in the file or cell of the function."""
    code = getattr(inspect.unwrap(exam.function), "__code__", None)
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if code is not None and f.filename == code.co_filename]
    return (own[-1].line or "") if own else ""


# -- remarks on functions that have passed --------------------------------------------------------


def lost_near_zero(exam: Exam) -> str:
    """Say whether tanh loses the digits of numbers near 0, seen at the extremes."""
    outcome, name = exam.outcomes[0], exam.exercise.returns[0]
    h, right = outcome.values[name], outcome.right[name]
    tiny = absolute(right) < 1e-9
    if (absolute(h - right)[tiny] < 1e-3 * right[tiny]).all():
        return ""
    return Message(
        "note: the tanh of 1e-17 comes out as 0 here, digits near 0 are lost; "
        "np.tanh keeps them (lesson 1, section 5)"
    )


def rounded_in_place(exam: Exam) -> str:
    """Say whether the array that was nudged comes back with other last digits."""
    if not exam.function.rounded:
        return ""
    return Message(
        "note: array comes back changed in its last digit; keep the number and put it back"
    )
