"""What a student reads: what is wrong, by how much, which mistake it is, and where to read again.

A headline, then a few rows, each a word and a line. Nothing in it depends on the machine. What is
wrong and which mistake it is, others have found out: see ``judging`` and ``diagnosis``.
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
        hint = mistake.hint.replace("{wrong}", " and ".join(sorted(exam.wrong())))
        rows += [("mistake", mistake.name), ("try", "" if _is_written(exam, hint) else hint)]
    if mistakes and left:
        also = "something else is wrong, too"
        rows += [("also", f"that is not all: in {listing(left)} {also}; mend this first")]
    elif left == [*exam.exercise.returns]:
        rows += [("try", exam.exercise.source)]
    section = _section(exam, mistakes)
    rows += [("note", _replaced()), ("read", section)]
    names = "; ".join(mistake.name for mistake in mistakes)
    return CheckFailed(lay_out(headline, rows), fault.name or None, names or None, section)


def lay_out(headline: str, rows: list[Row]) -> str:
    """Write a headline and, below it, the rows that say something."""
    return "\n".join([headline, *(f"    {key:<9} {text}" for key, text in rows if text)])


def refusal(record: Record, what: str, *rows: Row) -> CheckFailed:
    """Write what is wrong with something that is not a function from arrays to arrays."""
    message = lay_out(f"{record.name}: {what}", [*rows, ("read", record.section)])
    return CheckFailed(message, mistake=dict(rows).get("mistake"), section=record.section)


class InPart(str):
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
    return f"{', '.join(most)} and {last}" if most else last


def _error(exam: Exam, fault: Fault, explained: bool) -> tuple[str, list[Row]]:
    error = fault.outcome.error
    return f"{exam.exercise.name} stopped with {type(error).__name__}", [
        ("where", _where(fault.outcome)),
        ("error", str(error).split("\n")[0]),
        ("line", _line(exam, error)),
    ]


def _invalid(exam: Exam, fault: Fault, explained: bool) -> tuple[str, list[Row]]:
    where = "" if fault.outcome is exam.outcomes[0] else _where(fault.outcome)
    return str(fault.outcome.error), [("where", where)]


def _changed(exam: Exam, fault: Fault, explained: bool) -> tuple[str, list[Row]]:
    before, after = fault.outcome.given_before[fault.name], fault.outcome.given_after[fault.name]
    if not isinstance(before, ndarray):
        what = f"{len(before)} entries then, {len(after)} now, not the same"
    elif before.shape == after.shape:
        index = _worst(after, before)
        was, now = _told_apart(before[index], after[index])
        what = f"{_element(fault.name, index)} was {was}, now it is {now}"
    else:
        what = f"its shape was {before.shape}, now it is {after.shape}"
    return f"{exam.exercise.name} changes its argument {fault.name}", [
        ("where", _where(fault.outcome)),
        ("expected", f"{fault.name} as it was before the call"),
        ("got", what),
        ("try", "" if explained else f"work on a copy, {fault.name}.copy()"),
    ]


def _overwritten(exam: Exam, fault: Fault, explained: bool) -> tuple[str, list[Row]]:
    return f"{exam.exercise.name} writes into an array that it returned before", [
        ("got", f"the {fault.name} of one call was changed by a later call"),
        ("try", "make new arrays inside the function, in each call"),
    ]


def _shape(exam: Exam, fault: Fault, explained: bool) -> tuple[str, list[Row]]:
    return f"{exam.exercise.name}: {fault.name} has the wrong shape", [
        ("where", _where(fault.outcome)),
        ("expected", f"shape {fault.right.shape}"),
        ("got", f"shape {fault.outcome.values[fault.name].shape}"),
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
    headline = f"{exam.exercise.name}: {_which(exam, fault)}"
    if exam.exercise.integers:
        return headline, _ids(fault)
    index = _worst(got, right)
    expected, came = _told_apart(right[index], got[index])
    return headline, [
        ("where", _where(fault.outcome)),
        ("worst", f"{_element(fault.name, index)}: expected {expected}, got {came}"),
        ("overall", _overall(fault, got, right, explained)),
        ("when", _when(exam)),
    ]


_KINDS = _error, _invalid, _changed, _overwritten, _shape, _value
_PARTS = {part.__name__[1:]: part for part in _KINDS}


def _section(exam: Exam, mistakes: list[Mistake]) -> str:
    sections = [mistake.section or exam.exercise.section for mistake in mistakes]
    if not sections:
        sections = [_TRUNCATION if _only_truncated(exam) else exam.exercise.section]
    return "; ".join(dict.fromkeys(sections))


def _replaced() -> str:
    """Say which of NumPy's names mean something else by now: nobody would think of that."""
    now = vars(numpy)
    names = [f"np.{name}" for name, value in _NUMPY.items() if now.get(name, value) is not value]
    if not names:
        return ""
    are = "is" if len(names) == 1 else "are"
    return f"{listing(names)} {are} no longer NumPy's own: restart the kernel, run all cells again"


_TRUNCATION = "lesson 3, section 8"


def _which(exam: Exam, fault: Fault) -> str:
    """Say which quantities are wrong and which right."""
    wrong = exam.wrong(exam.tolerance) | {fault.name}
    names = exam.exercise.returns
    bad, good = [n for n in names if n in wrong], [n for n in names if n not in wrong]
    text = f"{listing(bad)} {'is' if len(bad) == 1 else 'are'} wrong"
    return f"{text}, {listing(good)} right" if good else text


def _where(outcome: Outcome) -> str:
    problem = outcome.problem
    options = {n: problem.numbers[n] for n in ("bptt_steps", "eps") if n in problem.numbers}
    sizes = problem.sizes | options
    text = ", ".join(f"{name} = {value}" for name, value in sizes.items())
    return text if problem.is_first else f"{text}; {problem.call}"


def _when(exam: Exam) -> str:
    """Say for which numbers of time steps all is right, if that tells anything."""
    if _only_truncated(exam):
        return "right without bptt_steps, wrong with"
    wrong: dict[str, bool] = {}
    for outcome in exam.outcomes:
        if outcome.problem.is_first:
            T = str(outcome.problem.sizes.get("T", 1))
            wrong[T] = wrong.get(T, False) or bool(outcome.wrong(exam.tolerance))
    good, bad = ([T for T in wrong if wrong[T] is is_wrong] for is_wrong in (False, True))
    return f"right for T = {listing(good)}, wrong for T = {listing(bad)}" if good and bad else ""


def _only_truncated(exam: Exam) -> bool:
    wrong = [outcome.problem for outcome in exam.outcomes if outcome.wrong(exam.tolerance)]
    return bool(wrong) and all(problem.numbers.get("bptt_steps") for problem in wrong)


def _overall(fault: Fault, got: ndarray, right: ndarray, explained: bool) -> str:
    """Compare two arrays as vectors, in words: by size, and by direction."""
    if not isfinite(got).all():
        return "NaN or infinity among the numbers"
    largest, difference = absolute(right).max(), absolute(got - right).max()
    if difference < 1e-3 * largest:
        share = f"{difference / largest:.0e}".replace("e-0", "e-")
        question = "" if explained else ": a formula that is nearly right, or float32 in between?"
        return f"off by {share} of the largest number{question}"
    if not got.any() or not right.any():
        return "" if got.any() else "all zeros"
    size = sqrt((got * got).sum() / (right * right).sum())
    cosine = (got * right).sum() / (right * right).sum() / size
    if near(got, size * right) or near(got, -size * right):
        what = "each number is" if got.ndim else "it is"
        return f"{what} {_times(cosine * size, fault.outcome.problem.sizes)} the right one"
    direction = next(words for least, words in _DIRECTIONS if cosine >= least)
    return f"the norm is {_times(size)} the right one, and it points {direction}"


_DIRECTIONS = (
    (0.9, "in nearly the same direction"),
    (-0.9, "in another direction"),
    (-2, "in nearly the opposite direction"),
)


def _times(ratio: float, sizes: dict[str, int] | None = None) -> str:
    """Say a ratio in words: half of, twice, minus 1 times, or N times."""
    sign, ratio = ("minus " if ratio < 0 else ""), abs(ratio)
    known = {0.5: "half of", 2.0: "twice"}
    for name, n in (sizes or {}).items():
        if name in "NTFHK":
            known |= {float(n): f"{name} = {n} times", 1 / n: f"1 / {name} = 1 / {n} of"}
    words = [text for value, text in known.items() if abs(ratio / value - 1) < 1e-4]
    return sign + (words[0] if words else f"{ratio:.2g} times")


def _worst(got: ndarray, right: ndarray) -> tuple[int, ...]:
    with errstate(all="ignore"):
        difference = absolute(got - right)
    # What is not a number at all is worst.
    difference = where(isfinite(difference), difference, float("inf"))
    return tuple(int(i) for i in unravel_index(difference.argmax(), difference.shape))


def _element(name: str, index: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(str(i) for i in index)}]" if index else name


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
    return (
        "note: the tanh of 1e-17 comes out as 0 here, digits near 0 are lost; "
        "np.tanh keeps them (lesson 1, section 5)"
    )


def rounded_in_place(exam: Exam) -> str:
    """Say whether the array that was nudged comes back with other last digits."""
    if not exam.function.rounded:
        return ""
    return "note: array comes back changed in its last digit; keep the number and put it back"
