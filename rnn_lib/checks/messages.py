"""What a student reads: what is wrong, by how much, which mistake it is, and where to read again.

A headline, then a few rows, each a word and a line. Nothing in it depends on the machine.
"""

import inspect
import traceback

import numpy
from numpy import absolute, errstate, isfinite, ndarray, sqrt, unravel_index, where

from rnn_lib.checks.failure import CheckFailed
from rnn_lib.checks.judging import Examination, Fault, Outcome, WrongKind

Row = tuple[str, str]

_NUMPY = {name: value for name, value in vars(numpy).items() if not name.startswith("_")}


def failure(exam: Examination) -> CheckFailed:
    """Say what is wrong."""
    fault = exam.fault
    headline, rows = _PARTS[fault.kind](exam, fault)
    mistakes = "; ".join(str(signature.mistake) for signature in exam.mistakes)
    section = _section(exam)
    rows += [*_advice(exam), ("note", _replaced()), ("read", section)]
    return CheckFailed(lay_out(headline, rows), fault.name or None, mistakes or None, section)


def lay_out(headline: str, rows: list[Row]) -> str:
    """Write a headline and, below it, the rows that say something."""
    return "\n".join([headline, *(f"    {key:<9} {text}" for key, text in rows if text)])


def number(value: float) -> str:
    """Round a number for reading."""
    return f"{float(value):.6g}"


def listing(words: list[str]) -> str:
    """Join words as one says them."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _error(exam: Examination, fault: Fault) -> tuple[str, list[Row]]:
    error = fault.outcome.error
    rows = [
        ("where", _where(fault.outcome)),
        ("error", str(error).split("\n")[0]),
        ("line", _line(exam, error)),
    ]
    return f"{exam.exercise.name} stopped with {type(error).__name__}", rows


def _kind(exam: Examination, fault: Fault) -> tuple[str, list[Row]]:
    error: WrongKind = fault.outcome.error
    return error.headline, [
        ("expected", error.expected),
        ("got", error.got),
        ("try", error.hint),
    ]


def _changed(exam: Examination, fault: Fault) -> tuple[str, list[Row]]:
    before, after = fault.outcome.given_before[fault.name], fault.outcome.given_after[fault.name]
    if not isinstance(before, ndarray):
        what = f"{len(before)} entries then, {len(after)} now, not the same"
    elif before.shape == after.shape:
        index = _worst(after, before)
        what = f"{_element(fault.name, index)} was {number(before[index])}, "
        what += f"now it is {number(after[index])}"
    else:
        what = f"its shape was {before.shape}, now it is {after.shape}"
    rows = [
        ("where", _where(fault.outcome)),
        ("expected", f"{fault.name} as it was before the call"),
        ("got", what),
    ]
    if not exam.mistakes:
        rows.append(("try", f"work on a copy, {fault.name}.copy()"))
    return f"{exam.exercise.name} changes its argument {fault.name}", rows


def _overwritten(exam: Examination, fault: Fault) -> tuple[str, list[Row]]:
    rows = [
        ("expected", "each call returns arrays of its own"),
        ("got", f"the {fault.name} of one call was changed by a later call"),
        ("try", "make the arrays anew inside the function"),
    ]
    return f"{exam.exercise.name} writes into an array that it returned before", rows


def _shape(exam: Examination, fault: Fault) -> tuple[str, list[Row]]:
    rows = [
        ("where", _where(fault.outcome)),
        ("expected", f"shape {fault.right.shape}"),
        ("got", f"shape {fault.outcome.values[fault.name].shape}"),
    ]
    return f"{exam.exercise.name}: {fault.name} has the wrong shape", rows


def _ids(fault: Fault) -> list[Row]:
    """Show a few words, the ids that should come out, and those that did."""
    outcome = fault.outcome
    right, got = fault.right.astype(int), outcome.values[fault.name].astype(int)
    return [
        ("where", _where(outcome)),
        ("words", " ".join(outcome.problem.numbers["words"])),
        ("expected", " ".join(map(str, right.tolist()))),
        ("got", " ".join(map(str, got.tolist()))),
    ]


def _value(exam: Examination, fault: Fault) -> tuple[str, list[Row]]:
    got, right = fault.outcome.values[fault.name], fault.right
    headline = f"{exam.exercise.name}: {_which(exam, fault)}"
    if exam.exercise.integers:
        return headline, _ids(fault)
    index = _worst(got, right)
    worst = f"{_element(fault.name, index)}: expected {number(right[index])}, "
    rows = [
        ("where", _where(fault.outcome)),
        ("worst", worst + f"got {number(got[index])}"),
        ("overall", _overall(got, right, is_explained=bool(exam.mistakes))),
        ("when", _when(exam)),
    ]
    return headline, rows


_PARTS = {
    "error": _error,
    "kind": _kind,
    "changed": _changed,
    "overwritten": _overwritten,
    "shape": _shape,
    "value": _value,
}


def _advice(exam: Examination) -> list[Row]:
    rows = []
    for signature in exam.mistakes:
        rows += [("mistake", str(signature.mistake)), ("try", signature.mistake.hint)]
    return rows


def _section(exam: Examination) -> str:
    sections = [s.section or exam.exercise.section for s in exam.mistakes]
    if not sections:
        sections = [_TRUNCATION if _only_truncated(exam) else exam.exercise.section]
    return "; ".join(dict.fromkeys(sections))


def _replaced() -> str:
    """Say which of NumPy's names mean something else by now: nobody would think of that."""
    now = vars(numpy)
    names = [f"np.{name}" for name, value in _NUMPY.items() if now.get(name, value) is not value]
    if not names:
        return ""
    return f"{listing(names)} no longer NumPy's own: restart the kernel, run all cells again"


_TRUNCATION = "lesson 3, section 8"


def _which(exam: Examination, fault: Fault) -> str:
    """Say which quantities are wrong and which right."""
    wrong = {name for _, name, is_right in exam.verdicts() if not is_right} | {fault.name}
    names = exam.exercise.returns
    bad, good = [n for n in names if n in wrong], [n for n in names if n not in wrong]
    text = f"{listing(bad)} {'is' if len(bad) == 1 else 'are'} wrong"
    return f"{text}, {listing(good)} right" if good else text


def _where(outcome: Outcome) -> str:
    problem = outcome.problem
    sizes = dict(problem.sizes)
    if "bptt_steps" in problem.numbers:
        sizes["bptt_steps"] = problem.numbers["bptt_steps"]
    if "eps" in problem.numbers:
        sizes["eps"] = problem.numbers["eps"]
    text = ", ".join(f"{name} = {value}" for name, value in sizes.items())
    return text if problem.call.startswith("first") else f"{text}; {problem.call}"


def _when(exam: Examination) -> str:
    """Say for which numbers of time steps all is right, if that tells anything."""
    if _only_truncated(exam):
        return "right without bptt_steps, wrong with"
    right: dict[int, bool] = {}
    for outcome, _, is_right in exam.verdicts():
        T = outcome.problem.sizes.get("T", 1)
        right[T] = right.get(T, True) and is_right
    good, bad = ([str(T) for T in right if right[T] is b] for b in (True, False))
    if not good or not bad:
        return ""
    return f"right for T = {listing(good)}, wrong for T = {listing(bad)}"


def _only_truncated(exam: Examination) -> bool:
    wrong = [o.problem.numbers.get("bptt_steps") for o, _, right in exam.verdicts() if not right]
    return bool(wrong) and None not in wrong


def _overall(got: ndarray, right: ndarray, is_explained: bool) -> str:
    """Compare two arrays as arrows: how long, and which way."""
    if not isfinite(got).all():
        return "NaN or infinity among the numbers"
    largest, difference = absolute(right).max(), absolute(got - right).max()
    if difference < 1e-5 * largest:
        share = f"{difference / largest:.0e}".replace("e-0", "e-")
        question = (
            "" if is_explained else ": a formula that is nearly right, or float32 on the way?"
        )
        return f"off by {share} of the largest number{question}"
    if right.size < 2:
        return f"{number(got / right)} times what is expected" if right.all() else ""
    with errstate(all="ignore"):
        lengths = sqrt((got * got).sum()), sqrt((right * right).sum())
        cosine = (got * right).sum() / (lengths[0] * lengths[1])
    if not lengths[0]:
        return "all zeros"
    length = f"{lengths[0] / lengths[1]:.3f} times as long as expected"
    if absolute(got - right * (lengths[0] / lengths[1])).max() < 1e-5 * largest:
        return f"the right direction, but {length}"
    return f"{length}, cosine {cosine:.3f}"


def _worst(got: ndarray, right: ndarray) -> tuple[int, ...]:
    with errstate(all="ignore"):
        difference = absolute(got - right)
    # What is not a number at all is worst.
    difference = where(isfinite(difference), difference, float("inf"))
    return tuple(int(i) for i in unravel_index(difference.argmax(), difference.shape))


def _element(name: str, index: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(str(i) for i in index)}]" if index else name


def _line(exam: Examination, error: Exception) -> str:
    """Find the student's own line, the last one in the file or cell of the function."""
    code = getattr(inspect.unwrap(exam.function), "__code__", None)
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if code is not None and f.filename == code.co_filename]
    return (own[-1].line or "") if own else ""
