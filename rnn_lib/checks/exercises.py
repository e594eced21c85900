"""The exercises: what each function is given, what it should return, what can go wrong in it."""

from rnn_lib.checks import mistakes, references
from rnn_lib.checks.judging import SINGLE, Exercise
from rnn_lib.checks.standins import in_a_row

WEIGHTS = ("W_x", "W_h", "b")
GRADIENTS = ("dW_x", "dW_h", "db")

STEP = Exercise(
    "rnn_step",
    ("x_t", "h_prev", *WEIGHTS),
    ("h_t",),
    references.rnn_step,
    "lesson 1, section 3",
    mistakes.STEP,
)
FORWARD = Exercise(
    "rnn_forward",
    ("x", "h0", *WEIGHTS),
    ("h",),
    references.rnn_forward,
    "lesson 1, section 3",
    mistakes.FORWARD,
)
STEP_BACKWARD = Exercise(
    "rnn_step_backward",
    ("dh_t", "x_t", "h_prev", "h_t", "W_x", "W_h"),
    ("dx_t", "dh_prev", *GRADIENTS),
    references.rnn_step_backward,
    "lesson 3, section 2",
    mistakes.STEP_BACKWARD,
    numeric=references.numeric_step,
)
BACKWARD = Exercise(
    "rnn_backward",
    ("dh", "x", "h0", "h", "W_x", "W_h"),
    ("dx", "dh0", *GRADIENTS),
    references.rnn_backward,
    "lesson 3, section 3",
    mistakes.BACKWARD,
    options=("bptt_steps",),
    numeric=references.numeric_backward,
)
SOFTMAX = Exercise(
    "softmax_cross_entropy",
    ("scores", "labels"),
    ("loss", "dscores"),
    references.softmax_cross_entropy,
    "lesson 3, section 6",
    mistakes.SOFTMAX,
    numeric=references.numeric_softmax,
)
UPDATE = Exercise(
    "update",
    (*WEIGHTS, *GRADIENTS, "lr"),
    tuple(f"the change of {name}" for name in WEIGHTS),
    references.update_changes,
    "lesson 3, section 7",
    mistakes.UPDATE,
    may_change=WEIGHTS,
    tolerance=SINGLE,  # the change is small beside the number that it is a change of
)
NUMERIC = Exercise(
    "numeric_gradient",
    ("array", "weights"),
    ("gradient",),
    references.central_differences,
    "lesson 3, section 4",
    mistakes.NUMERIC,
    options=("eps",),
    may_change=("array",),  # but it has to put the numbers back: see adapters
    tolerance=1e-6,  # a difference of nearly equal numbers loses digits
)
ENCODE = Exercise(
    "encode",
    ("words", "id_of", "maxlen"),
    ("the row of ids",),
    references.encode,
    "lesson 4, section 2",
    mistakes.ENCODE,
    integers=True,
)
TRAINING_STEP = Exercise(
    "training_step",
    ("W", "b", "mask", "lr", "x", "lengths", "y"),
    ("loss", "the change of W", "the change of b"),
    in_a_row(references.training_step),
    "lesson 4, section 4",
    mistakes.TRAINING,
)
