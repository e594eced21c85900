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
        which = "every right layer" if len(refused) == len(right) else "a right layer"
        raise _failure(f"it returns False for {which}", f"your test refuses {which}")
    wrong = known_mistakes(SIGNATURE)
    passed = [m for m in wrong if any(_verdict(fn, layer) for layer in m.mutants)]
    if passed:
        what = f"it returns True for {len(passed)} of {len(wrong)} kinds of wrong layers"
        all_pass = ["your test lets every layer pass"] if len(passed) == len(wrong) else []
        raise _failure(what, *(all_pass or [mistake.name for mistake in passed]))
    return f"it accepts {len(right)} right layers and refuses {len(wrong)} kinds of wrong ones."


def _verdict(fn: Callable, layer: Callable) -> bool:
    __tracebackhide__ = True
    vars(layer).clear()  # one of the wrong layers keeps something there
    try:
        with errstate(all="ignore"):
            verdict = fn(layer)
    except NotImplementedError:  # an exercise that nobody has begun yet says so itself
        raise
    except Exception as error:
        mistake = "your test stops, and gives no verdict"
        raise _failure(f"it stopped with {type(error).__name__}: {error}", mistake) from error
    if not isinstance(verdict, (bool, bool_)):
        raise _failure(f"it returned {describe(verdict)}", "the verdict is not True or False")
    return bool(verdict)


def _failure(what: str, *mistakes: str) -> CheckFailed:
    rows = [row for m in mistakes[:3] for row in (("mistake", m), ("try", TABLE[m]["try"]))]
    rows.append(("also", f"{len(mistakes) - 3} more kinds pass" if len(mistakes) > 3 else ""))
    message = lay_out(f"{RECORD.name}: {what}", [*rows, ("read", RECORD.section)])
    return CheckFailed(message, "the verdict", "; ".join(mistakes), RECORD.section)
