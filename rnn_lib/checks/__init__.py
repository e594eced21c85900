"""The checks: each judges one function that a student wrote, and names the mistake.

A check that passes prints one line saying what was verified; one that fails raises
:class:`CheckFailed`, an ``AssertionError``, and says what is wrong, by how much, which mistake
produces exactly that, and where to read again. A function that nobody has begun stops with its own
``NotImplementedError``.

Set the environment variable ``RNN_LIB_CHECK_SEED`` to a whole number to draw other sizes and other
numbers: answers written down instead of computed then fail.

The modules can be read in this order: references (the right answers), problems (what is asked),
exercise and exercises (a record of each), adapters and fakes (for functions that are not from
arrays to arrays), comparison, answers and judging (what is wrong), mistakes, mutants, behaviors
and diagnosis (which mistake it is), messages (how it is said), checking (all that in order),
own_test (the exercise in which the student writes a test), small_model (the one judged by its
accuracy), integrity and receipts (what makes it count).
The layers of ``rnn_lib`` are not used here, so that neither can hide a mistake of the other.
"""

from collections.abc import Callable

from rnn_lib.checks import checking, exercises, integrity, own_test, small_model
from rnn_lib.checks.failure import CheckFailed

__all__ = [
    "CheckFailed",
    "check_accuracy",
    "check_backward",
    "check_encode",
    "check_forward",
    "check_looks_right",
    "check_numeric_gradient",
    "check_softmax_cross_entropy",
    "check_step",
    "check_step_backward",
    "check_tiny_states",
    "check_training_step",
    "check_update",
]

check_step = checking.make_check("check_step", exercises.STEP)
check_forward = checking.make_check("check_forward", exercises.FORWARD)
check_tiny_states = checking.make_check("check_tiny_states", exercises.TINY)
check_looks_right = checking.make_check("check_looks_right", own_test.RECORD, own_test.examine)
check_step_backward = checking.make_check("check_step_backward", exercises.STEP_BACKWARD)
check_softmax_cross_entropy = checking.make_check("check_softmax_cross_entropy", exercises.SOFTMAX)
check_update = checking.make_check("check_update", exercises.UPDATE)
check_numeric_gradient = checking.make_check("check_numeric_gradient", exercises.NUMERIC)
check_encode = checking.make_check("check_encode", exercises.ENCODE)
check_training_step = checking.make_check("check_training_step", exercises.TRAINING_STEP)
check_accuracy = checking.make_check("check_accuracy", small_model.RECORD, small_model.examine)


def check_backward(fn: Callable, truncation: bool = True) -> None:  # noqa: D103 - see below
    __tracebackhide__ = True
    record = exercises.BACKWARD if truncation else exercises.BACKWARD_IN_FULL
    checking.run(record, checking.examine, fn)


check_backward.__doc__ = checking.docstring(
    exercises.BACKWARD,
    parameters="""
    truncation : bool
        Whether `bptt_steps` is checked as well. Without, it is never given.
""".lstrip("\n"),
)

integrity.seal()
