"""The exercises that are functions: a record of each.

The two exercises that hand in settings are in ``accuracy``.
"""

from dataclasses import replace
from functools import partial

from rnn_lib.checks import adapters, messages, problems, references
from rnn_lib.checks.comparison import SINGLE
from rnn_lib.checks.exercise import Exercise

WEIGHTS, GRADIENTS = adapters.WEIGHTS, adapters.GRADIENTS
_MORE = {"square": problems.square, "round_numbers": partial(problems.round_numbers, T=1)}


def _of_a_step(cell: str) -> dict[str, partial]:
    """Say what one step of a gated cell is asked, forward and back."""
    return {
        "ask": partial(problems.steps, cell=cell),
        "square": partial(problems.square, cell=cell),
        "round_numbers": partial(problems.round_numbers, T=1, cell=cell),
        "extremes": partial(problems.saturated_gates, cell),
    }


_LSTM, _GRU = _of_a_step("lstm"), _of_a_step("gru")

STEP = Exercise(
    "rnn_step(x_t, h_prev, W_x, W_h, b) -> h_t",
    "lesson 1, section 3",
    references.rnn_step,
    problems.steps,
    "h_t agrees {precision}, with h_prev != 0 and with sums of 1000",
    **_MORE,
    extremes=problems.saturated,
    remark=messages.lost_near_zero,
)
FORWARD = Exercise(
    "rnn_forward(x, h0, W_x, W_h, b) -> h",
    "lesson 1, section 3",
    references.rnn_forward,
    problems.sequences,
    "h agrees {precision} for T = {T}, h0 != 0 and sums of 1000",
    **_MORE,
    extremes=problems.saturated,
    remark=messages.lost_near_zero,
)
TINY = Exercise(
    "tiny_states(x, h0, W_x, W_h, b) -> h",
    "lesson 2, section 3",
    references.rnn_forward,
    problems.tiny_and_others,
    "h agrees {precision}, for the tiny array and for others with h0 != 0",
    **_MORE,
    known_as=FORWARD.signature,
)
STEP_BACKWARD = Exercise(
    "rnn_step_backward(dh_t, x_t, h_prev, h_t, W_x, W_h) -> dx_t, dh_prev, dW_x, dW_h, db",
    "lesson 3, section 2",
    references.rnn_step_backward,
    problems.scaled(problems.steps, "dh_t"),
    "all five agree {precision}, and with numeric gradients",
    numeric=references.numeric_step,
    source="all five are made from `da_t`: look at yours first, `da_t = dh_t * (1 - h_t**2)`",
    **_MORE,
)
BACKWARD = Exercise(
    "rnn_backward(dh, x, h0, h, W_x, W_h, bptt_steps=None) -> dx, dh0, dW_x, dW_h, db",
    "lesson 3, section 3",
    references.rnn_backward,
    problems.scaled(problems.truncated, "dh"),
    "all five agree {precision}, T = {T}, bptt_steps to {bptt_steps}, numeric gradients too",
    numeric=references.numeric_backward,
    source="all five are made from `da_t`: look at yours first, and at the `dh_t` that enters it",
    square=problems.square,
    round_numbers=partial(problems.round_numbers, T=2),
)
BACKWARD_IN_FULL = replace(
    BACKWARD,
    ask=problems.scaled(problems.sequences, "dh"),
    verified="all five agree {precision} for T = {T}, and with numeric gradients",
)
SOFTMAX = Exercise(
    "softmax_cross_entropy(scores, labels) -> loss, dscores",
    "lesson 3, section 6",
    references.softmax_cross_entropy,
    problems.scores_and_labels,
    "both agree {precision}, with scores of 1000 and with numeric gradients",
    numeric=references.numeric_softmax,
    extremes=problems.large_scores,
)
UPDATE = Exercise(
    "update(params, grads, lr)",
    "lesson 3, section 7",
    references.update,
    problems.scaled(problems.parameters, *GRADIENTS),
    "W_x, W_h and b change in place by -lr * dw, {precision}, with two rates",
    adapter=adapters.changes_in_place,
    arguments=(*WEIGHTS, *GRADIENTS, "lr"),
    returns=tuple(f"the change of {name}" for name in WEIGHTS),
    may_change=WEIGHTS,
    tolerance=SINGLE,  # the change is small beside the number that it is a change of
    square=problems.square_parameters,
    untouched="the gradients are",
)
NUMERIC = Exercise(
    "numeric_gradient(f, array, eps=1e-5) -> gradient",
    "lesson 3, section 4",
    references.numeric_gradient,
    problems.nudged,
    "a vector and a matrix agree {precision}, with eps = 1e-5 and 0.05",
    adapter=adapters.gradient_of_cubes,
    arguments=("array", "weights"),
    may_change=("array",),  # but it has to put the numbers back: see adapters
    tolerance=1e-6,  # a difference of nearly equal numbers loses digits
    remark=messages.rounded_in_place,
    untouched="array is",
)
ENCODE = Exercise(
    "encode(words, id_of, maxlen) -> ids",
    "lesson 4, section 2",
    references.encode,
    problems.reviews,
    "long, short and empty reviews come out exactly, unknown words too",
    returns=("the row of ids",),
    integers=True,
)
TRAINING_STEP = Exercise(
    "training_step(network, loss, optimizer, x, lengths, y) -> loss",
    "lesson 4, section 4",
    references.training_step,
    problems.batches,
    "loss and changes of 3 steps agree {precision}, with norms below and above 1",
    adapter=adapters.several_steps,
    arguments=("W", "b", "mask", "lr", "x", "lengths", "y"),
    returns=("loss", "the change of W", "the change of b"),
)
LSTM_STEP = Exercise(
    "lstm_step(x_t, h_prev, c_prev, W_x, W_h, b) -> h_t, c_t",
    "lesson 6, section 3",
    references.lstm_step,
    verified="h_t and c_t agree {precision}, with h_prev and c_prev != 0 and with large sums",
    **_LSTM,
)
LSTM_STEP_BACKWARD = Exercise(
    "lstm_step_backward(dh_t, dc_t, x_t, h_prev, c_prev, gates, c_t, W_x, W_h)"
    " -> dx_t, dh_prev, dc_prev, dW_x, dW_h, db",
    "lesson 6, section 3",
    references.lstm_step_backward,
    verified="all six agree {precision}, and with numeric gradients",
    adapter=partial(adapters.gathers_gates, start=5, stop=9),
    arguments=("dh_t", "dc_t", "x_t", "h_prev", "c_prev", *"ifgo", "c_t", "W_x", "W_h"),
    numeric=references.numeric_lstm_step,
    source="start from the whole gradient at c_t: `dc = dc_t + dh_t * o * (1 - np.tanh(c_t)**2)`",
    **_LSTM | {"ask": problems.scaled(_LSTM["ask"], "dh_t", "dc_t")},
)
GRU_STEP = Exercise(
    "gru_step(x_t, h_prev, W_x, W_h, b_x, b_h) -> h_t",
    "lesson 6, section 5",
    references.gru_step,
    verified="h_t agrees {precision}, with h_prev != 0 and with large sums",
    **_GRU,
)
GRU_STEP_BACKWARD = Exercise(
    "gru_step_backward(dh_t, x_t, h_prev, gates, W_x, W_h, b_h)"
    " -> dx_t, dh_prev, dW_x, dW_h, db_x, db_h",
    "lesson 6, section 5",
    references.gru_step_backward,
    verified="all six agree {precision}, and with numeric gradients",
    adapter=partial(adapters.gathers_gates, start=3, stop=6),
    arguments=("dh_t", "x_t", "h_prev", *"rzn", "W_x", "W_h", "b_h"),
    numeric=references.numeric_gru_step,
    source="begin with n: `da_n = dh_t * (1 - z) * (1 - n**2)`; the gradient of r comes from it",
    **_GRU | {"ask": problems.scaled(_GRU["ask"], "dh_t")},
)
NEXT_CHARACTER_BATCHES = Exercise(
    "next_character_batches(ids, n_streams, n_steps)",
    "lesson 7, section 2",
    references.next_character_batches,
    problems.texts,
    "all batches come out exactly and in order, whatever is left over",
    adapter=adapters.all_batches,
    returns=("inputs", "targets"),
    integers=True,
)
SAMPLE = Exercise(
    "sample(step, h0, prompt, n, temperature, rng) -> ids",
    "lesson 7, section 4",
    references.sample,
    problems.writing,
    "what it reads is right, and so are the shares of 1,000 draws at 4 temperatures",
    adapter=adapters.draws,
    arguments=("table", "h0", "prompt", "n", "temperature", "seed", "times"),
    integers=True,
    extremes=problems.large_scores_of_characters,
)
