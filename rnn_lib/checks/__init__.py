"""The checks: each judges one function that a student wrote, and names the mistake.

A check that passes prints one line saying what was verified; one that fails raises
:class:`CheckFailed`, an ``AssertionError``, and says what is wrong, by how much, which mistake
produces exactly that, and where to read again. A function that nobody has begun stops with its own
``NotImplementedError``.

Set the environment variable ``RNN_LIB_CHECK_SEED`` to a whole number to draw other sizes and other
numbers: answers written down instead of computed then fail. ``RNN_LIB_LANG=ja`` lets the checks
speak Japanese; what a :class:`CheckFailed` carries for programs stays English.

The modules can be read in this order: references (the right answers), problems (what is asked),
exercise and exercises (a record of each), adapters and fakes (for functions that are not from
arrays to arrays), comparison, answers and judging (what is wrong), mistakes, mutants, behaviors
and diagnosis (which mistake it is), messages (how it is said), checking (all that in order),
own_test (the exercise in which the student writes a test), accuracy (those judged by what a network
learns), integrity (whether the checks are still what was imported).
The layers of ``rnn_lib`` are not used here, so that neither can hide a mistake of the other.
"""

from collections.abc import Callable
from functools import partial

from rnn_lib.checks import accuracy, checking, exercises, integrity, own_test
from rnn_lib.checks.failure import CheckFailed

__all__ = [
    "CheckFailed",
    "check_accuracy",
    "check_backward",
    "check_encode",
    "check_forward",
    "check_gru_step",
    "check_gru_step_backward",
    "check_looks_right",
    "check_lstm_step",
    "check_lstm_step_backward",
    "check_my_rung",
    "check_next_character_batches",
    "check_numeric_gradient",
    "check_sample",
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
check_lstm_step = checking.make_check("check_lstm_step", exercises.LSTM_STEP)
check_lstm_step_backward = checking.make_check(
    "check_lstm_step_backward", exercises.LSTM_STEP_BACKWARD
)
check_gru_step = checking.make_check("check_gru_step", exercises.GRU_STEP)
check_gru_step_backward = checking.make_check(
    "check_gru_step_backward", exercises.GRU_STEP_BACKWARD
)
check_next_character_batches = checking.make_check(
    "check_next_character_batches", exercises.NEXT_CHARACTER_BATCHES
)
check_sample = checking.make_check("check_sample", exercises.SAMPLE)
check_accuracy = checking.make_check("check_accuracy", accuracy.SMALL_MODEL, accuracy.examine_model)


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


def check_my_rung(fn: Callable, expected: float | None = None) -> None:  # noqa: D103 - see below
    __tracebackhide__ = True
    checking.run(accuracy.MY_RUNG, partial(accuracy.examine_rung, expected=expected), fn)


check_my_rung.__doc__ = checking.docstring(
    accuracy.MY_RUNG,
    parameters="""
    expected : float
        The gain that you expect, in points of accuracy, -100 to 100.
""".lstrip("\n"),
)

integrity.seal()
