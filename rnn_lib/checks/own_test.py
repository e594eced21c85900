"""The exercise in which the student writes a test: layers, right and wrong, are put to it.

The wrong layers are mutants like those of any mistake; here a mistake is one that the student's
test lets pass.
"""

from collections.abc import Callable

from numpy import bool_, errstate
from numpy.random import Generator

from rnn_lib.checks.answers import describe
from rnn_lib.checks.exercise import Record
from rnn_lib.checks.failure import CheckFailed
from rnn_lib.checks.messages import lay_out
from rnn_lib.checks.mistakes import TABLE, known_mistakes
from rnn_lib.checks.mutants import STYLES, compiled
from rnn_lib.language import Message

RECORD = Record("looks_right(forward) -> bool", "lesson 2, section 6")
SIGNATURE = "layer(x, h0, W_x, W_h, b)"


def examine(record: Record, fn: Callable, rng: Generator, seeded: bool) -> str:
    """Ask a student's test about each layer; return what has been verified.

    Raises
    ------
    CheckFailed
        If it gives no verdict, refuses a right layer or lets a wrong one pass.
    """
    __tracebackhide__ = True
    right = [compiled(SIGNATURE, style) for style in STYLES["layer"]]
    refused = [layer for layer in right if not _verdict(fn, layer)]
    if refused:
        if len(refused) == len(right):
            what = Message("it returns False for every right layer")
            raise _failure(what, "your test refuses every right layer")
        raise _failure(
            Message("it returns False for a right layer"), "your test refuses a right layer"
        )
    wrong = known_mistakes(SIGNATURE)
    passed = [m for m in wrong if any(_verdict(fn, layer) for layer in m.mutants)]
    if passed:
        what = "it returns True for {n} of {all} kinds of wrong layers"
        what = Message(what, n=len(passed), all=len(wrong))
        all_pass = ["your test lets every layer pass"] if len(passed) == len(wrong) else []
        raise _failure(what, *(all_pass or [mistake.name for mistake in passed]))
    what = "it accepts {right} right layers and refuses {wrong} kinds of wrong ones."
    return Message(what, right=len(right), wrong=len(wrong))


def _verdict(fn: Callable, layer: Callable) -> bool:
    __tracebackhide__ = True
    vars(layer).clear()  # one of the wrong layers keeps something there
    try:
        with errstate(all="ignore"):
            verdict = fn(layer)
    except NotImplementedError:  # an exercise that nobody has begun yet says so itself
        raise
    except Exception as error:
        kind, mistake = type(error).__name__, "your test stops, and gives no verdict"
        what = Message("it stopped with {error}: {text}", error=kind, text=str(error))
        raise _failure(what, mistake) from error
    if not isinstance(verdict, (bool, bool_)):
        what = Message("it returned {got}", got=describe(verdict))
        raise _failure(what, "the verdict is not True or False")
    return bool(verdict)


def _failure(what: str, *mistakes: str) -> CheckFailed:
    rows = [row for m in mistakes[:3] for row in (("mistake", m), ("try", TABLE[m]["try"]))]
    if len(mistakes) > 3:
        rows.append(("also", Message("{n} more kinds pass", n=len(mistakes) - 3)))
    headline = Message("{name}: {what}", name=RECORD.name, what=what)
    message = lay_out(headline, [*rows, ("read", RECORD.section)])
    return CheckFailed(message, "the verdict", "; ".join(mistakes), RECORD.section)
