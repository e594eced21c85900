"""One check from beginning to end: ask, judge, explain, and say so.

A function that passes gets one line; one that fails gets a :class:`CheckFailed`. What is asked, and
what is right, the record of the exercise says.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from numpy import errstate
from numpy.random import Generator

from rnn_lib.checks import messages, problems
from rnn_lib.checks.answers import InvalidAnswer, describe
from rnn_lib.checks.diagnosis import diagnose
from rnn_lib.checks.exercise import Exercise, Record
from rnn_lib.checks.failure import CheckFailed
from rnn_lib.checks.integrity import expect_unreplaced
from rnn_lib.checks.judging import Exam
from rnn_lib.checks.mistakes import known_mistakes
from rnn_lib.checks.problems import Problem
from rnn_lib.language import Message, joined, translated

HALF = Message("earns half the points")
"""What the line of a check says then; a grader reads it."""

_DOCSTRING = """Check ``{contract}``.

    Parameters
    ----------
    fn : callable
        The function to check.
{parameters}
    Raises
    ------
    CheckFailed
        If it is wrong; its message and its `quantity`, `mistake` and `section` say why.
    ValueError
        If ``RNN_LIB_CHECK_SEED`` is not a whole number of at least 0.

    Notes
    -----
    {section}.
    """


def examine(exercise: Exercise, fn: Callable, rng: Generator, seeded: bool) -> str:
    """Examine a function from arrays to arrays; return what has been verified.

    Raises
    ------
    CheckFailed
        If it is wrong.
    """
    __tracebackhide__ = True
    asked = exercise.ask(rng, seeded)
    square, round_numbers = exercise.square(rng), exercise.round_numbers(rng)
    exam = last = Exam(exercise, fn, asked, round_numbers)
    _expect_right(exam, square)
    if exercise.extremes:
        # In float32, numbers around 1000 have no more than four digits after the point.
        tolerance = 1e-3 if exam.in_float32 else exam.tolerance
        coarse = replace(exercise, numeric=None, tolerance=tolerance)
        with errstate(all="ignore"):  # NumPy's warnings would say it twice
            last = Exam(coarse, fn, exercise.extremes())
            _expect_right(last, at_extremes=True)
    said = filter(None, [_verified(exam, asked), exercise.remark(last)])
    return joined("{most}\n{last}", said)


def _expect_right(exam: Exam, further: Iterable[Problem] = (), at_extremes: bool = False) -> None:
    __tracebackhide__ = True
    expect_unreplaced()
    if exam.fault:
        error = exam.fault.outcome.error
        cause = None if isinstance(error, InvalidAnswer) else error
        signature = exam.exercise.known_as or exam.exercise.signature
        found = diagnose(exam, known_mistakes(signature, at_extremes), further)
        raise messages.failure(exam, found) from cause


def _verified(exam: Exam, asked: list[Problem]) -> str:
    exercise = exam.exercise
    T = sorted({problem.sizes.get("T", 0) for problem in asked})
    bptt_steps = max(problem.numbers.get("bptt_steps") or 0 for problem in asked)
    tolerance = f"{exam.tolerance:.0e}".replace("e-0", "e-")
    precision = "to {tolerance} (float32)" if exam.in_float32 else "to {tolerance}"
    what = Message(
        exercise.verified,
        T=", ".join(map(str, T)),
        bptt_steps=bptt_steps,
        precision=Message(precision, tolerance=tolerance),
    )
    return Message(
        "{what}; two calls agree, {untouched} untouched.", what=what, untouched=exercise.untouched
    )


def run(record: Record, judge: Callable[..., str], fn: Callable) -> None:
    """Check a function: ``judge(record, fn, rng, seeded)`` returns what a pass has verified."""
    __tracebackhide__ = True
    try:
        expect_unreplaced()
        if not callable(fn):
            what = Message(
                "{name}: expected a function, got {got}", name=record.name, got=describe(fn)
            )
            raise CheckFailed(translated(what))
        verified = judge(record, fn, *problems.seeded_rng())
        expect_unreplaced()
    except NotImplementedError as stub:  # nobody wants to see how we got there
        raise stub.with_traceback(None) from None
    in_part = isinstance(verified, messages.InPart)
    verdict = HALF if in_part else Message("is right")
    line = Message("{name} {verdict}: {what}", name=record.name, verdict=verdict, what=verified)
    print(translated(line))


def make_check(
    name: str, record: Record, judge: Callable[..., str] = examine
) -> Callable[[Callable], None]:
    """Make the check of an exercise, with name and docstring as if written by hand."""

    def check(fn: Callable) -> None:
        __tracebackhide__ = True
        run(record, judge, fn)

    check.__name__ = check.__qualname__ = name
    check.__module__ = __package__
    check.__doc__ = docstring(record)
    return check


def docstring(record: Record, parameters: str = "") -> str:
    """Return what ``help`` says of a check; `parameters` documents those besides `fn`."""
    return _DOCSTRING.format(
        contract=record.contract, section=record.section.capitalize(), parameters=parameters
    )
