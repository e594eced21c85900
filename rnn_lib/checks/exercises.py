"""The exercises that are functions: a record of each.

The one exercise that hands in settings of a classifier is in ``small_model``.
"""

from dataclasses import replace
from functools import partial

from rnn_lib.checks import adapters, messages, problems, references
from rnn_lib.checks.comparison import SINGLE
from rnn_lib.checks.exercise import Exercise

WEIGHTS, GRADIENTS = adapters.WEIGHTS, adapters.GRADIENTS

STEP = Exercise(
    "rnn_step(x_t, h_prev, W_x, W_h, b) -> h_t",
    "lesson 1, section 3",
    references.rnn_step,
    problems.steps,
    "h_t (N, H), h_prev != 0, sums up to 1000",
    square=problems.square,
    round_numbers=partial(problems.round_numbers, T=1),
    extremes=problems.saturated,
    remark=messages.lost_near_zero,
)
FORWARD = Exercise(
    "rnn_forward(x, h0, W_x, W_h, b) -> h",
    "lesson 1, section 3",
    references.rnn_forward,
    problems.sequences,
    "h (N, T, H), T = {T}, h0 != 0, sums up to 1000",
    square=problems.square,
    round_numbers=partial(problems.round_numbers, T=1),
    extremes=problems.saturated,
    remark=messages.lost_near_zero,
)
STEP_BACKWARD = Exercise(
    "rnn_step_backward(dh_t, x_t, h_prev, h_t, W_x, W_h) -> dx_t, dh_prev, dW_x, dW_h, db",
    "lesson 3, section 2",
    references.rnn_step_backward,
    problems.steps,
    "five shapes, h_prev != 0, numeric gradient",
    numeric=references.numeric_step,
    square=problems.square,
    round_numbers=partial(problems.round_numbers, T=1),
)
BACKWARD = Exercise(
    "rnn_backward(dh, x, h0, h, W_x, W_h, bptt_steps=None) -> dx, dh0, dW_x, dW_h, db",
    "lesson 3, section 3",
    references.rnn_backward,
    problems.truncated,
    "shapes, T = {T}, h0 != 0, bptt_steps to {bptt_steps}, numeric gradient",
    numeric=references.numeric_backward,
    square=problems.square,
    round_numbers=partial(problems.round_numbers, T=2),
)
BACKWARD_IN_FULL = replace(
    BACKWARD, ask=problems.sequences, verified="shapes, T = {T}, h0 != 0, numeric gradient"
)
SOFTMAX = Exercise(
    "softmax_cross_entropy(scores, labels) -> loss, dscores",
    "lesson 3, section 6",
    references.softmax_cross_entropy,
    problems.scores_and_labels,
    "(N, K), scores up to 1000, numeric gradient",
    numeric=references.numeric_softmax,
    extremes=problems.large_scores,
)
UPDATE = Exercise(
    "update(params, grads, lr)",
    "lesson 3, section 7",
    references.update,
    problems.parameters,
    "w -= lr * dw in place, for W_x, W_h, b, two rates",
    adapter=adapters.changes_in_place,
    arguments=(*WEIGHTS, *GRADIENTS, "lr"),
    returns=tuple(f"the change of {name}" for name in WEIGHTS),
    may_change=WEIGHTS,
    tolerance=SINGLE,  # the change is small beside the number that it is a change of
    untouched="gradients",
)
NUMERIC = Exercise(
    "numeric_gradient(f, array, eps=1e-5) -> gradient",
    "lesson 3, section 4",
    references.numeric_gradient,
    problems.nudged,
    "a vector and a matrix, eps = 1e-5 and 0.05",
    adapter=adapters.gradient_of_cubes,
    arguments=("array", "weights"),
    may_change=("array",),  # but it has to put the numbers back: see adapters
    tolerance=1e-6,  # a difference of nearly equal numbers loses digits
    remark=messages.rounded_in_place,
    untouched="array",
)
ENCODE = Exercise(
    "encode(words, id_of, maxlen) -> ids",
    "lesson 4, section 2",
    references.encode,
    problems.reviews,
    "ids (maxlen,), long, short and empty reviews, unknown words",
    returns=("the row of ids",),
    integers=True,
)
TRAINING_STEP = Exercise(
    "training_step(network, loss, optimizer, x, lengths, y) -> loss",
    "lesson 4, section 4",
    references.training_step,
    problems.batches,
    "loss and changes of 3 steps, gradient norms below and above 1",
    adapter=adapters.several_steps,
    arguments=("W", "b", "mask", "lr", "x", "lengths", "y"),
    returns=("loss", "the change of W", "the change of b"),
)
