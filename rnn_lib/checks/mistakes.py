"""What students get wrong, and what exactly comes out then.

A mistake is known by what it produces. Each function here makes one mistake on purpose, in one of
the ways in which people make it, and is otherwise right. The tables at the end say which mistakes
can be made in which exercise. A few mistakes show in what a function *does* (it stops, it changes
an argument, it ignores the weights); for those the table has a function that looks.

The numbers are those of the list of mistakes that the course collects; those without a number are
not in the list.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from numpy import absolute, array, ndarray, ones_like, sqrt, stack, tanh, zeros, zeros_like

from rnn_lib.checks.references import (
    Gradients,
    clipped,
    cubic,
    encode,
    gradients,
    numeric_gradient,
    rnn_backward,
    rnn_forward,
    rnn_step,
    rnn_step_backward,
    softmax_cross_entropy,
    states_before,
    through_time,
    training_step,
    update_changes,
)
from rnn_lib.checks.standins import in_a_row


@dataclass(frozen=True)
class Mistake:
    """A mistake in a student's words.

    Attributes
    ----------
    number : int or None
        Its number in the list; students know the list by other numbers, so it is not shown.
    name : str
        What was done.
    hint : str
        What to do instead.
    """

    number: int | None
    name: str
    hint: str

    def __str__(self) -> str:
        """Say it in one line."""
        return self.name


@dataclass(frozen=True)
class Signature:
    """How a mistake shows in one exercise.

    Attributes
    ----------
    mistake : Mistake
        Which one.
    made_by : tuple of callable
        Functions with the arguments of the exercise, each making it in another way.
    shows : callable, optional
        ``shows(examination) -> bool``, for what does not show in the answers.
    section : str
        Where to read again, if not where the exercise is explained.
    in_all : bool
        Whether it shows in all results at once. Otherwise it may have been made in some of them:
        ``+=`` forgotten in dW_x and not in dW_h.
    """

    mistake: Mistake
    made_by: tuple[Callable, ...] = ()
    shows: Callable[..., bool] | None = None
    section: str = ""
    in_all: bool = False


def near(
    value: ndarray, expected: ndarray, right: ndarray | None = None, tolerance: float = 1e-5
) -> bool:
    """Say whether a value is what is expected, but for rounding.

    Where the expected one is itself wrong, the right one tells what is large.
    """
    if value.shape != expected.shape:
        return False
    limit = tolerance * absolute(expected if right is None else right).max(initial=0)
    # Written so that NaN is not near anything.
    return bool((absolute(value - expected) <= limit).all())


FORGOTTEN = Mistake(
    1,
    "the previous state is forgotten",
    "each step adds h_prev @ W_h, and h_prev is the state of the step before",
)
TRANSPOSED_FORWARD = Mistake(
    2,
    "W_h is transposed on the way forward",
    "write h_prev @ W_h, without .T: the states are rows",
)
ONE_STEP_SHORT = Mistake(
    3,
    "the loop is one step short",
    "range(T) runs over 0 ... T - 1, reversed(range(T)) over T - 1 ... 0: all T steps",
)
BIAS_LOST = Mistake(4, "the bias is lost", "add b to the sum before tanh")
LEAK = Mistake(
    5,
    "something is left over from the call before",
    "start from the arguments alone, and make new arrays in every call",
)
H0_WRAPPED = Mistake(
    6,
    "at t = 0, h[:, t - 1] is h[:, -1], the last state, and not h0",
    "take h0 as the state before step 0, h[:, t - 1] only for t > 0",
)
H0_UNUSED = Mistake(
    6,
    "the first step does not start from h0",
    "take h0 as the state before step 0; it need not be zero",
)
LAST_AGAIN = Mistake(
    7,
    "the gradient at the last step is added more than once",
    "at step t add dh[:, t], once, to what comes back from step t + 1",
)
SLOPE_OF_H = Mistake(
    8,
    "the slope is taken as 1 - tanh(h)**2, but h is the tanh already",
    "write 1 - h**2",
)
SLOPE_NOT_SQUARED = Mistake(
    None,
    "the slope is taken as 1 - h",
    "the slope of tanh is 1 - h**2: square the state",
)
SLOPE_MISSING = Mistake(
    9,
    "the slope of tanh, 1 - h**2, is missing",
    "da_t = dh_t * (1 - h_t**2), and everything else is made from da_t",
)
OVERWRITTEN_SUM = Mistake(
    10,
    "= stands where += should: only one time step is left of the sum",
    "start from zeros and add each step's share: dW_x += ...",
)
H_T_IN_DW_H = Mistake(
    11,
    "dW_h is made from h_t instead of the state before it",
    "dW_h adds h_prev.T @ da_t: W_h was multiplied with h_prev",
)
NOT_TRANSPOSED = Mistake(
    12,
    "W_h is not transposed on the way back",
    "dh_prev = da_t @ W_h.T",
)
SCALED_BY_N = Mistake(
    13,
    "the division by N is done twice, or not at all",
    "the mean over the batch is taken once, in the loss; everywhere else samples are added up",
)
PRODUCT_OF_MEANS = Mistake(
    14,
    "the samples are added up before multiplying, not after",
    "x_t.T @ da_t multiplies sample by sample, and then adds up",
)
TOO_FEW_CELLS = Mistake(
    15,
    "truncation: the gradient passes through one step too few",
    "it enters at step t and passes bptt_steps cells, step t among them",
)
TOO_MANY_CELLS = Mistake(
    15,
    "truncation: the gradient passes through one step too many",
    "it enters at step t and passes bptt_steps cells, step t among them",
)
INTEGERS = Mistake(
    16,
    "an array for results was made of integers, like an integer bias",
    "make it with np.zeros(shape), which holds floating-point numbers",
)
TANH_WITH_EXP = Mistake(
    17,
    "tanh is written with exp, which overflows",
    "use np.tanh: it is exact near 0 and right at 1000",
)
W_H_SHAPE = Mistake(
    18,
    "W_h is treated as (n_features, n_nodes), which works only where F = H",
    "W_h and dW_h are (n_nodes, n_nodes): a state goes in, a state comes out",
)
WEIGHTS_DRAWN = Mistake(
    19,
    "the weights are drawn again inside, in place of those given",
    "use the arguments W_x and W_h as they are",
)
EARLY_UPDATE = Mistake(
    20,
    "the weights are updated inside the way back",
    "collect the gradients only; update once, after the whole backward pass",
)
AXES_SWAPPED = Mistake(
    21,
    "the batch axis and the time axis are mixed up",
    "x is (N, T, F): the samples come first, x[:, t] is step t of all of them",
)
FUTURE_OVERWRITTEN = Mistake(
    22,
    "dh_prev is overwritten before it is used, and a gradient gets lost",
    "first dh_t = dh[:, t] + dh_prev, then the step back, which gives the next dh_prev",
)
EDITED_UPSTREAM = Mistake(
    23,
    "the gradient that came in is changed in place",
    "make a new array, da_t = dh_t * (1 - h_t**2), in place of dh_t *= ...",
)

TANH_MISSING = Mistake(None, "tanh is missing", "h_t = np.tanh(a_t)")
H0_RETURNED = Mistake(
    None, "h0 is returned among the states", "h[:, 0] is the state after the first step"
)
TRUNCATION_UNUSED = Mistake(
    None,
    "bptt_steps is not used: the gradient passes through all steps",
    "each gradient stops after bptt_steps cells",
)
ONLY_LAST_STEPS = Mistake(
    None,
    "only the last bptt_steps steps of the sequence are walked back",
    "a gradient enters at every step, and each passes bptt_steps cells",
)
SOFTMAX_OVERFLOWS = Mistake(
    None,
    "exp overflows: softmax without subtracting the largest score first",
    "shifted = scores - scores.max(axis=1, keepdims=True), then exp(shifted)",
)
LOG_OF_ZERO = Mistake(
    None,
    "the logarithm of a probability that was rounded to 0",
    "log p = shifted - log(exp(shifted).sum()): no probability is formed",
)
FORWARD_DIFFERENCE = Mistake(
    None,
    "the difference is one-sided",
    "(f at +eps minus f at -eps) / (2 * eps)",
)
NUDGED_COPY = Mistake(
    None,
    "a copy is nudged, and f never sees it",
    "change `array` itself, call f(), and put the number back",
)
NOT_BY_2_EPS = Mistake(
    None,
    "the difference is not divided by 2 * eps",
    "(up - down) / (2 * eps): two nudges lie between, and a / 2 * eps multiplies by eps",
)
BIAS_OUTSIDE = Mistake(
    None,
    "the bias is added outside of tanh",
    "np.tanh(x_t @ W_x + h_prev @ W_h + b): the bias belongs to the sum",
)
SAME_BUFFER = Mistake(
    None,
    "all states are the last one: the same array was kept at every step",
    "keep a copy, or make a new array in every step",
)
IN_CHUNKS = Mistake(
    None,
    "the sequence is cut into chunks of bptt_steps, and no gradient passes between them",
    "each gradient has a stop of its own, bptt_steps cells after the step where it enters",
)
NEW_ARRAYS = Mistake(
    None,
    "the arrays in params are not changed",
    "w -= lr * dw changes an array; w = w - lr * dw makes a new one, which is then lost",
)
UPHILL = Mistake(
    None,
    "the update goes uphill",
    "the gradient points to larger losses: subtract it",
)
RATE_MISSING = Mistake(None, "the learning rate is missing", "subtract lr * dw, not dw")

FIRST_WORDS = Mistake(
    None,
    "the first maxlen words are kept, not the last",
    "words[-maxlen:] are the last ones",
)
WRONG_CUT = Mistake(
    None,
    "the cut is in the wrong place: words that should stay are lost, or too many stay",
    "words[-maxlen:] are the last maxlen words, or all of them where there are fewer",
)
CUT_AFTER_FILLING = Mistake(
    None,
    "the row is filled up before it is cut, and the zeros push words out",
    "first take words[-maxlen:], then fill up what is still missing",
)
FILLED_IN_FRONT = Mistake(
    None,
    "the zeros stand in front of the words",
    "the words come first, the zeros fill up the end",
)
NOT_FILLED = Mistake(
    None,
    "a short review is not filled up",
    "start from np.zeros(maxlen, dtype=int) and write the ids into its beginning",
)
UNKNOWN_DROPPED = Mistake(
    None,
    "unknown words are left out",
    "an unknown word keeps its place, as a 1: id_of.get(word, 1)",
)
UNKNOWN_AS_PADDING = Mistake(
    None,
    "an unknown word becomes 0, like padding",
    "0 means that there is no word; an unknown one is 1: id_of.get(word, 1)",
)
UNKNOWN_STOPS = Mistake(
    None,
    "a word that id_of does not know stops the function",
    "id_of.get(word, 1) gives 1 where the word is missing",
)
UNKNOWN_ADDED = Mistake(
    None,
    "words are put into id_of",
    "id_of.get(word, 1) looks a word up and leaves id_of alone",
)
WORDS_CHANGED = Mistake(
    None,
    "the list of words is changed in place",
    "words[-maxlen:] makes a new list; reverse, pop, append and del change the old one",
)
BACKWARDS = Mistake(
    None,
    "the words come out in the opposite order",
    "keep the order in which they stand in the review",
)

TRAINING_OFF = Mistake(
    None,
    "forward is called without training=True, and dropout does not act",
    "network.forward(x, lengths=lengths, training=True)",
)
LENGTHS_UNUSED = Mistake(
    None,
    "forward is called without lengths, and reads the padding",
    "network.forward(x, lengths=lengths, training=True)",
)
BOTH_UNUSED = Mistake(
    None,
    "forward is called without lengths and without training=True",
    "network.forward(x, lengths=lengths, training=True)",
)
OLD_GRADIENTS = Mistake(
    None,
    "the update uses the gradients of the batch before",
    "first network.backward, then take network.grads and update",
)
NO_BACKWARD = Mistake(
    None,
    "network.backward is not called, and the gradients stay as they were",
    "network.backward(loss.backward()), before the update",
)
NO_UPDATE = Mistake(
    None,
    "no parameter is changed",
    "optimizer.update(network.params, grads), once, at the end",
)
NOT_CLIPPED = Mistake(
    None,
    "the gradients that reach the update are not clipped",
    "clip_by_global_norm(network.grads, 1.0) returns new ones, and the norm: update with those",
)
CLIPPED_APART = Mistake(
    None,
    "each gradient is clipped by itself, not all together",
    "one factor for all keeps the direction: clip_by_global_norm(network.grads, 1.0)",
)
LENGTHENED = Mistake(
    None,
    "short gradients are made longer",
    "only what is longer than 1 is clipped: clip_by_global_norm(network.grads, 1.0)",
)
LOSS_AFTER = Mistake(
    None,
    "the loss is taken after the update",
    "keep what loss.forward gives before the update, and return it",
)
UPDATED_TWICE = Mistake(
    None, "there are two updates in one step", "call optimizer.update once, at the end"
)

# -- one step, and all steps --------------------------------------------------------------------


def _step_without_state(x_t, h_prev, W_x, W_h, b):
    return tanh(x_t @ W_x + b)


def _step_transposed(x_t, h_prev, W_x, W_h, b):
    return rnn_step(x_t, h_prev, W_x, W_h.T, b)


def _step_without_bias(x_t, h_prev, W_x, W_h, b):
    return tanh(x_t @ W_x + h_prev @ W_h)


def _step_without_tanh(x_t, h_prev, W_x, W_h, b):
    return x_t @ W_x + h_prev @ W_h + b


def _step_with_F_rows(x_t, h_prev, W_x, W_h, b):
    F = len(W_x)
    return tanh(x_t @ W_x + sum(h_prev[:, [j]] * W_h[j] for j in range(F)) + b)


def _all_steps(step: Callable) -> Callable:
    """Make a forward pass of a step."""

    def forward(x, h0, W_x, W_h, b):
        states = [h0]
        for t in range(x.shape[1]):
            states.append(step(x[:, t], states[-1], W_x, W_h, b))
        return stack(states[1:], axis=1)

    return forward


def _forward_from_h0_at_each_step(x, h0, W_x, W_h, b):
    return stack([rnn_step(x[:, t], h0, W_x, W_h, b) for t in range(x.shape[1])], axis=1)


def _forward_forgetting_after_first(x, h0, W_x, W_h, b):
    h = _all_steps(_step_without_state)(x, h0, W_x, W_h, b)
    h[:, 0] = rnn_step(x[:, 0], h0, W_x, W_h, b)
    return h


def _forward_last_is_zero(x, h0, W_x, W_h, b):
    h = rnn_forward(x, h0, W_x, W_h, b)
    h[:, -1] = 0
    return h


def _forward_first_is_zero(x, h0, W_x, W_h, b):
    late = _forward_without_first(x, h0, W_x, W_h, b)
    return _behind_zeros(late)


def _forward_first_is_zero_then_from_zero(x, h0, W_x, W_h, b):
    return _behind_zeros(rnn_forward(x[:, 1:], 0 * h0, W_x, W_h, b))


def _forward_without_first(x, h0, W_x, W_h, b):
    return rnn_forward(x[:, 1:], h0, W_x, W_h, b)


def _forward_without_last(x, h0, W_x, W_h, b):
    return rnn_forward(x, h0, W_x, W_h, b)[:, :-1]


def _forward_without_last_stacked(x, h0, W_x, W_h, b):
    h = rnn_forward(x, h0, W_x, W_h, b)
    return stack([h[:, t] for t in range(x.shape[1] - 1)], axis=1)


def _forward_h0_first(x, h0, W_x, W_h, b):
    return _forward_with_h0(x, h0, W_x, W_h, b)[:, :-1]


def _forward_h0_in_place_of_first(x, h0, W_x, W_h, b):
    return _forward_with_h0(x[:, 1:], h0, W_x, W_h, b)


def _forward_bias(first, later):
    def forward(x, h0, W_x, W_h, b):
        h = rnn_forward(x[:, :1], h0, W_x, W_h, first * b)
        late = rnn_forward(x[:, 1:], h[:, 0], W_x, W_h, later * b)
        return stack([h[:, 0], *late.swapaxes(0, 1)], axis=1)

    return forward


def _forward_same_buffer(x, h0, W_x, W_h, b):
    h = rnn_forward(x, h0, W_x, W_h, b)
    return zeros_like(h) + h[:, -1:]


def _step_bias_outside(x_t, h_prev, W_x, W_h, b):
    return tanh(x_t @ W_x + h_prev @ W_h) + b


def _behind_zeros(h):
    return stack([zeros_like(h0) for h0 in [h[:, 0]]] + list(h.swapaxes(0, 1)), axis=1)


def _forward_from_zeros(x, h0, W_x, W_h, b):
    return rnn_forward(x, 0 * h0, W_x, W_h, b)


def _forward_with_h0(x, h0, W_x, W_h, b):
    h = rnn_forward(x, h0, W_x, W_h, b)
    return stack([h0, *h.swapaxes(0, 1)], axis=1)


def _states_over_samples(x, h0, W_x, W_h, b):
    states = [h0]
    for x_n in x:
        states.append(rnn_step(x_n, states[-1], W_x, W_h, b))
    return states[1:]


def _swapped_into_buffer(x, h0, W_x, W_h, b):
    N, T, _ = x.shape
    h = zeros((N, T, len(W_h)))
    for n, state in enumerate(_states_over_samples(x, h0, W_x, W_h, b)):
        h[n] = state
    return h


def _swapped_and_stacked(x, h0, W_x, W_h, b):
    return stack(_states_over_samples(x, h0, W_x, W_h, b))


def _swapped_and_stacked_back(x, h0, W_x, W_h, b):
    return stack(_states_over_samples(x, h0, W_x, W_h, b), axis=1)


def _time_first(x, h0, W_x, W_h, b):
    return rnn_forward(x, h0, W_x, W_h, b).swapaxes(0, 1)


def _time_first_reshaped(x, h0, W_x, W_h, b):
    h = rnn_forward(x, h0, W_x, W_h, b)
    return h.swapaxes(0, 1).reshape(h.shape)


def _input_reshaped(x, h0, W_x, W_h, b):
    N, T, F = x.shape
    return rnn_forward(x.reshape(T, N, F).swapaxes(0, 1), h0, W_x, W_h, b)


def _both_reshaped(x, h0, W_x, W_h, b):
    h = _input_reshaped(x, h0, W_x, W_h, b)
    return h.swapaxes(0, 1).reshape(h.shape)


# -- one step back ------------------------------------------------------------------------------


def _back_from(da_t, x_t, h_prev, W_x, W_back) -> Gradients:
    return da_t @ W_x.T, da_t @ W_back, x_t.T @ da_t, h_prev.T @ da_t, da_t.sum(axis=0)


def _step_back_slope_of_h(dh_t, x_t, h_prev, h_t, W_x, W_h):
    return _back_from(dh_t * (1 - tanh(h_t) ** 2), x_t, h_prev, W_x, W_h.T)


def _step_back_slope_not_squared(dh_t, x_t, h_prev, h_t, W_x, W_h):
    return _back_from(dh_t * (1 - h_t), x_t, h_prev, W_x, W_h.T)


def _step_back_without_slope(dh_t, x_t, h_prev, h_t, W_x, W_h):
    return _back_from(dh_t, x_t, h_prev, W_x, W_h.T)


def _step_back_with_h_t(dh_t, x_t, h_prev, h_t, W_x, W_h):
    return rnn_step_backward(dh_t, x_t, h_t, h_t, W_x, W_h)


def _step_back_not_transposed(dh_t, x_t, h_prev, h_t, W_x, W_h):
    return _back_from(dh_t * (1 - h_t**2), x_t, h_prev, W_x, W_h)


def _scaled(function: Callable, by_N: int) -> Callable:
    """Make a function that multiplies (1) or divides (-1) all results by N once more."""

    def scaled(first, *others, **options):
        results = function(first, *others, **options)
        return tuple(result * float(len(first)) ** by_N for result in results)

    return scaled


def _of_means(inputs, da, factor):
    """Multiply the mean over the samples by the mean over the samples, step by step."""
    mean = inputs.mean(axis=0), da.mean(axis=0)
    return factor * sum(i[:, None] * d for i, d in zip(*mean, strict=True))


def _step_back_of_means(power: int) -> Callable:
    def step_backward(dh_t, x_t, h_prev, h_t, W_x, W_h):
        da_t, factor = dh_t * (1 - h_t**2), float(len(dh_t)) ** power
        dx_t, dh_prev, *_, db = _back_from(da_t, x_t, h_prev, W_x, W_h.T)
        dW_x, dW_h = (_of_means(v[:, None], da_t[:, None], factor) for v in (x_t, h_prev))
        return dx_t, dh_prev, dW_x, dW_h, db

    return step_backward


# -- back through time --------------------------------------------------------------------------


def _back_with_slopes(make_slope: Callable, in_da: bool, on_the_way: bool) -> Callable:
    """Make a backward pass with another slope: in da, on the way from step to step, or both."""

    def backward(dh, x, h0, h, W_x, W_h, bptt_steps=None):
        right, wrong = 1 - h**2, make_slope(h)
        da, dh0 = through_time(
            dh, wrong if in_da else right, W_h, bptt_steps, wrong if on_the_way else right
        )
        return gradients(da, dh0, x, states_before(h, h0), W_x)

    return backward


def _in_all_places(make_slope: Callable) -> tuple[Callable, ...]:
    places = ((True, True), (True, False), (False, True))
    return tuple(_back_with_slopes(make_slope, *where) for where in places)


def _back_entering(enters: Callable) -> Callable:
    """Make a backward pass into which another gradient enters."""

    def backward(dh, x, h0, h, W_x, W_h, bptt_steps=None):
        return rnn_backward(enters(dh), x, h0, h, W_x, W_h, bptt_steps)

    return backward


def _only_last(dh):
    entering = zeros_like(dh)
    entering[:, -1] = dh[:, -1]
    return entering


def _last_everywhere(dh):
    return zeros_like(dh) + dh[:, -1:]


def _last_added_before(dh):
    return dh + _last_everywhere(dh) - _only_last(dh)


def _last_added_everywhere(dh):
    return dh + _last_everywhere(dh)


def _last_doubled(dh):
    return dh + _only_last(dh)


def _back_short(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    da, _ = through_time(dh, 1 - h**2, W_h, bptt_steps)
    da[:, 0] = 0
    dh0 = da[:, 1] @ W_h.T if da.shape[1] > 1 else zeros_like(h0)
    return gradients(da, dh0, x, states_before(h, h0), W_x)


def _back_short_of_dh0(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    dx, dh0, *others = _back_short(dh, x, h0, h, W_x, W_h, bptt_steps)
    return dx, 0 * dh0, *others


def _back_short_at_the_start(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    late = dh.copy()
    late[:, 0] = 0
    return rnn_backward(late, x, h0, h, W_x, W_h, bptt_steps)


def _back_short_at_the_end(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    return rnn_backward(dh - _only_last(dh), x, h0, h, W_x, W_h, bptt_steps)


def _back_with_states(states: Callable) -> Callable:
    """Make a backward pass that takes other states for those before each step."""

    def backward(dh, x, h0, h, W_x, W_h, bptt_steps=None):
        da, dh0 = through_time(dh, 1 - h**2, W_h, bptt_steps)
        return gradients(da, dh0, x, states(h, h0), W_x)

    return backward


def _states_wrapped(h, h0):
    return states_before(h, h[:, -1])


def _states_from_zero(h, h0):
    return states_before(h, zeros_like(h0))


def _states_after(h, h0):
    return h


def _back_one_step_left(which: Callable) -> Callable:
    """Make a backward pass in which one step's share is left of each sum."""

    def backward(dh, x, h0, h, W_x, W_h, bptt_steps=None):
        da, dh0 = through_time(dh, 1 - h**2, W_h, bptt_steps)
        left = zeros_like(da)
        step, share = which(dh, h, W_h, da, bptt_steps)
        left[:, step] = share
        _, _, dW_x, dW_h, db = gradients(left, dh0, x, states_before(h, h0), W_x)
        return da @ W_x.T, dh0, dW_x, dW_h, db

    return backward


def _first_step(dh, h, W_h, da, bptt_steps):
    return 0, da[:, 0]


def _entry_at_first_step(dh, h, W_h, da, bptt_steps):
    return 0, dh[:, 0] * (1 - h[:, 0] ** 2)


def _last_entry_where_it_stops(dh, h, W_h, da, bptt_steps):
    T = dh.shape[1]
    step = 0 if bptt_steps is None else max(0, T - bptt_steps)
    return step, through_time(_only_last(dh), 1 - h**2, W_h, bptt_steps)[0][:, step]


def _last_step(dh, h, W_h, da, bptt_steps):
    return -1, da[:, -1]


def _back_entries_overwrite(entry_left: Callable) -> Callable:
    """Make a backward pass in which one entry is left of those that meet in dx and dh0."""

    def backward(dh, x, h0, h, W_x, W_h, bptt_steps=None):
        _, _, *others = rnn_backward(dh, x, h0, h, W_x, W_h, bptt_steps)
        dx, T = zeros_like(x), x.shape[1]
        for s in reversed(range(T)):
            entry = zeros_like(dh)
            t = entry_left(s, T if bptt_steps is None else bptt_steps, T)
            entry[:, t] = dh[:, t]
            da, dh0 = through_time(entry, 1 - h**2, W_h, bptt_steps)
            dx[:, s] = da[:, s] @ W_x.T
        return dx, dh0, *others

    return backward


def _back_not_transposed(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    return rnn_backward(dh, x, h0, h, W_x, W_h.T, bptt_steps)


def _back_not_transposed_but_for_dh0(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    da, _ = through_time(dh, 1 - h**2, W_h.T, bptt_steps)
    return gradients(da, da[:, 0] @ W_h.T, x, states_before(h, h0), W_x)


def _back_of_means(power: int) -> Callable:
    def backward(dh, x, h0, h, W_x, W_h, bptt_steps=None):
        da, dh0 = through_time(dh, 1 - h**2, W_h, bptt_steps)
        factor = float(len(dh)) ** power
        dW_x, dW_h = (_of_means(v, da, factor) for v in (x, states_before(h, h0)))
        return da @ W_x.T, dh0, dW_x, dW_h, da.sum(axis=(0, 1))

    return backward


def _back_truncated(cells: Callable) -> Callable:
    """Make a backward pass through another number of cells; ``cells(k, T)`` says how many."""

    def backward(dh, x, h0, h, W_x, W_h, bptt_steps=None):
        T = dh.shape[1]
        k = cells(T if bptt_steps is None else min(bptt_steps, T), T)
        return rnn_backward(dh, x, h0, h, W_x, W_h, k)

    return backward


# Whoever counts wrong may still be right where nothing is cut off, or where k is 1.
_TOO_FEW = (
    lambda k, T: k - 1,
    lambda k, T: max(1, k - 1),
    lambda k, T: k if k == T else k - 1,
)


def _back_one_cell(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    return rnn_backward(dh, x, h0, h, W_x, W_h, 1)


def _back_from_the_end_only(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    da, dh0 = through_time(dh, 1 - h**2, W_h)
    before = 0 if bptt_steps is None else max(0, dh.shape[1] - bptt_steps)
    da[:, :before] = 0
    return gradients(da, dh0 * (before == 0), x, states_before(h, h0), W_x)


def _back_arriving_at_the_cut(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    dx, _, *others = _back_from_the_end_only(dh, x, h0, h, W_x, W_h, bptt_steps)
    before = 0 if bptt_steps is None else max(0, dh.shape[1] - bptt_steps)
    return dx, through_time(dh[:, before:], 1 - h[:, before:] ** 2, W_h)[1], *others


def _back_in_full(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    return rnn_backward(dh, x, h0, h, W_x, W_h)


def _back_over_samples(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    dh, x, h = (v.swapaxes(0, 1) for v in (dh, x, h))
    if h0.shape != h[:, 0].shape:
        raise ValueError("operands could not be broadcast together")
    dx, *others = rnn_backward(dh, x, h0, h, W_x, W_h, bptt_steps)
    return dx.swapaxes(0, 1), *others


def _back_reshaped(*which):
    def backward(dh, x, h0, h, W_x, W_h, bptt_steps=None):
        given = {"dh": dh, "x": x, "h": h}
        for name in which:
            v = given[name]
            given[name] = v.reshape(v.shape[1], v.shape[0], -1).swapaxes(0, 1)
        dx, *others = rnn_backward(given["dh"], given["x"], h0, given["h"], W_x, W_h, bptt_steps)
        return (dx.swapaxes(0, 1).reshape(x.shape) if len(which) == 3 else dx), *others

    return backward


def _dx_time_first(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    dx, *others = rnn_backward(dh, x, h0, h, W_x, W_h, bptt_steps)
    return dx.swapaxes(0, 1), *others


def _dx_reshaped(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    dx, *others = rnn_backward(dh, x, h0, h, W_x, W_h, bptt_steps)
    return dx.swapaxes(0, 1).reshape(x.shape), *others


# -- the loss, the update, the numeric gradient -------------------------------------------------


def _back_in_chunks(starts_at: Callable) -> Callable:
    """Make a backward pass in which nothing passes from one chunk of bptt_steps to the one before.

    ``starts_at(T, k)`` says where the first chunk after the beginning starts.
    """

    def backward(dh, x, h0, h, W_x, W_h, bptt_steps=None):
        T = dh.shape[1]
        k = T if bptt_steps is None else min(bptt_steps, T)
        da, dh0 = zeros_like(dh), zeros_like(h0)
        starts = sorted({0, *range(starts_at(T, k), T, k)})
        for start, stop in zip(starts, [*starts[1:], T], strict=True):
            chunk = slice(start, stop)
            da[:, chunk], arriving = through_time(dh[:, chunk], 1 - h[:, chunk] ** 2, W_h)
            if start == 0:
                dh0 = arriving
        return gradients(da, dh0, x, states_before(h, h0), W_x)

    return backward


def _update_with(change: Callable) -> Callable:
    """Make an update that changes each gradient first."""

    def update(W_x, W_h, b, dW_x, dW_h, db, lr):
        changed = (zeros_like(d) + change(d) for d in (dW_x, dW_h, db))
        return update_changes(W_x, W_h, b, *changed, lr)

    return update


def _update_without_lr(W_x, W_h, b, dW_x, dW_h, db, lr):
    return update_changes(W_x, W_h, b, dW_x, dW_h, db, 1.0)


def _times(factor: Callable) -> Callable:
    """Make a numeric gradient that is wrong by a factor, ``factor(eps)``."""

    def gradient(array, weights, eps=1e-5):
        nudged = array.copy()
        return factor(eps) * numeric_gradient(lambda: cubic(nudged, weights), nudged, eps)

    return gradient


def _one_sided(sign: int) -> Callable:
    def gradient(array, weights, eps=1e-5):
        result = zeros_like(array)
        for index in range(array.size):
            nudged = array.copy()
            nudged.flat[index] += sign * eps
            change = cubic(nudged, weights) - cubic(array, weights)
            result.flat[index] = sign * change / eps
        return result

    return gradient


def _nothing_moves(array, weights, eps=1e-5):
    return numeric_gradient(lambda: 0.0, array.copy(), eps)


# -- a row of ids ---------------------------------------------------------------------------------


def _row(ids: list[int], maxlen: int) -> ndarray:
    """Fill up, and do not cut."""
    return array(ids + [0] * (maxlen - len(ids)))


def _look_up(words: list[str], id_of: dict[str, int], unknown: int = 1) -> list[int]:
    return [id_of.get(word, unknown) for word in words]


def _encode_of(choose: Callable) -> Callable:
    """Make an encode that takes other words: ``choose(words, maxlen)`` says which."""

    def encode_chosen(words, id_of, maxlen):
        return _row(_look_up(choose(words, maxlen), id_of), maxlen)

    return encode_chosen


def _encode_cut_after_filling(words, id_of, maxlen):
    return array((_look_up(words, id_of) + [0] * maxlen)[-maxlen:])


def _encode_filled_in_front(words, id_of, maxlen):
    ids = _look_up(words[-maxlen:], id_of)
    return array([0] * (maxlen - len(ids)) + ids)


def _encode_not_filled(words, id_of, maxlen):
    return array(_look_up(words[-maxlen:], id_of))


def _encode_known_of_last(words, id_of, maxlen):
    return _row([id_of[word] for word in words[-maxlen:] if word in id_of], maxlen)


def _encode_last_of_known(words, id_of, maxlen):
    return encode([word for word in words if word in id_of], id_of, maxlen)


def _encode_unknown_as_padding(words, id_of, maxlen):
    return _row(_look_up(words[-maxlen:], id_of, unknown=0), maxlen)


# -- a training step ------------------------------------------------------------------------------


def _training(options=("lengths", "training"), change: Callable = clipped) -> Callable:
    """Make training steps that hand forward these options only, and change the gradients so."""

    def step(network, loss, optimizer, x, lengths, y):
        given = {"lengths": lengths, "training": True}
        scores = network.forward(x, **{name: given[name] for name in options})
        value = loss.forward(scores, y)
        network.backward(loss.backward())
        optimizer.update(network.params, change(network.grads))
        return value

    return in_a_row(step)


def _training_in_order(*order: str, change: Callable = clipped) -> Callable:
    """Make training steps that call backward and update in another order, or not at all."""

    def step(network, loss, optimizer, x, lengths, y):
        value = loss.forward(network.forward(x, lengths=lengths, training=True), y)
        for name in order:
            if name == "backward":
                network.backward(loss.backward())
            else:
                optimizer.update(network.params, change(network.grads))
        return value

    return in_a_row(step)


def _training_loss_after(training: bool) -> Callable:
    """Make training steps that compute the loss again after the update."""

    def step(network, loss, optimizer, x, lengths, y):
        training_step(network, loss, optimizer, x, lengths, y)
        return loss.forward(network.forward(x, lengths=lengths, training=training), y)

    return in_a_row(step)


def _training_mean_again(where: str, by_N: int) -> Callable:
    """Make training steps that divide (-1) or multiply (1) once more by N."""

    def step(network, loss, optimizer, x, lengths, y):
        factor = float(len(y)) ** by_N
        value = loss.forward(network.forward(x, lengths=lengths, training=True), y)
        network.backward(loss.backward() * (factor if where == "before clipping" else 1))
        grads = clipped(network.grads)
        if where == "after clipping":
            grads = {name: factor * grad for name, grad in grads.items()}
        optimizer.update(network.params, grads)
        return value * (factor if where == "loss" else 1)

    return in_a_row(step)


def _unclipped(grads):
    return grads


def _clipped_elements(grads):
    return {name: grad.clip(-1, 1) for name, grad in grads.items()}


def _clipped_arrays(grads):
    return {name: clipped({name: grad})[name] for name, grad in grads.items()}


def _always_length_1(grads):
    length = sqrt(sum((grad * grad).sum() for grad in grads.values()))
    return {name: grad / length for name, grad in grads.items()}


# -- what shows in what a function does ---------------------------------------------------------


def _changes(*arguments: str) -> Callable:
    """Make a look at whether one of these arguments was changed."""

    def shows(exam) -> bool:
        return exam.fault.kind == "changed" and exam.fault.name in arguments

    return shows


def _made_of_integers(exam) -> bool:
    error = exam.fault.outcome.error
    return error is not None and bool(
        re.search(r"Cannot cast ufunc .* to dtype\('u?int", str(error))
        or re.match(r"u?int\d", getattr(error, "got", ""))
    )


def _works_only_where_F_is_H(exam) -> bool:
    """See whether it is about a matrix of shape (F, H) in place of (H, H), or for lack of one."""
    fault, sizes = exam.fault, exam.fault.outcome.problem.sizes
    if not exam.right_where(lambda s: s["F"] == s["H"]):
        return False
    F, H = sizes["F"], sizes["H"]
    if fault.kind == "shape":
        return fault.name == "dW_h" and fault.outcome.values["dW_h"].shape == (F, H)
    about = (
        f"shapes ({F},{H}) ({H},{H})",
        f"from shape ({H},{H}) into shape ({F},{H})",
        f"array of size {H * H} into shape ({F},{H})",
        f"(size {F} is different from {H})",
        f"(size {H} is different from {F})",
    )
    return fault.kind == "error" and any(a in str(fault.outcome.error) for a in about)


def _stops_with(kind: type[Exception]) -> Callable:
    """Make a look at whether the function stops with an error of this kind."""

    def shows(exam) -> bool:
        return exam.fault.kind == "error" and isinstance(exam.fault.outcome.error, kind)

    return shows


def _goes_on(state: str, last_state: Callable) -> Callable:
    """Make a look at whether a call starts from the last state of the call before."""

    def shows(exam) -> bool:
        if exam.fault.kind == "changed":
            outcome = exam.fault.outcome
            return (
                exam.fault.name == state
                and exam.has_right_shapes(outcome)
                and near(outcome.given_after[state], last_state(outcome.values))
            )
        return _wrong_only_as(
            exam,
            lambda before, problem, right: exam.exercise.answer(
                exam.exercise.right, problem.with_numbers(**{state: last_state(before)})
            ),
        )

    return shows


def _keeps_adding(exam) -> bool:
    """See whether gradients grow from call to call."""
    return _wrong_only_as(
        exam, lambda before, _, right: {name: before[name] + right[name] for name in right}
    )


def _dh0_comes_round(exam) -> bool:
    """See whether what arrived at h0 enters again at the last step of the next call."""

    def made(before, problem, right):
        dh = problem.numbers["dh"].copy()
        dh[:, -1] += before["dh0"]
        return exam.exercise.answer(exam.exercise.right, problem.with_numbers(dh=dh))

    return _wrong_only_as(exam, made)


def _wrong_only_as(exam, made: Callable) -> bool:
    """Say whether each wrong answer is what is made of the answer to the call before.

    What the first call of a size started from nobody knows; it does not count.
    """
    seen, before, sizes = False, None, None
    for outcome, right in zip(exam.outcomes, exam.rights, strict=True):
        if not exam.has_right_shapes(outcome):
            before = None
            continue
        if before is not None and sizes == outcome.problem.sizes:
            expected = made(before, outcome.problem, right)
            for name in right:
                value, scale = outcome.values[name], right[name]
                if near(value, right[name], scale):
                    continue
                if not near(value, expected[name], scale):
                    return False
                seen = True
        before, sizes = outcome.values, outcome.problem.sizes
    return seen


def _updates_on_the_way(exam) -> bool:
    """See whether all is right for small gradients only, which hardly move the weights.

    A gradient is in proportion to dh; clipping, too, breaks that, but leaves its limit behind.
    """
    if exam.fault.kind != "value":
        return False
    seen = False
    for outcome, right in zip(exam.outcomes, exam.rights, strict=True):
        if exam.has_right_shapes(outcome) and not all(
            near(v, right[n], right[n]) for n, v in outcome.values.items()
        ):
            seen = True
            small = 1e-8 * outcome.problem.numbers["dh"]
            again = exam.ask(outcome.problem.with_numbers(dh=small)).values
            if again is None or not all(
                near(1e8 * v, right[n], right[n]) for n, v in again.items()
            ):
                return False
            if any((absolute(v) == absolute(v).max()).sum() > 1 for v in outcome.values.values()):
                return False
    return seen


def _ignores_the_weights(exam) -> bool:
    """See whether the states come from other weights than those given."""
    if exam.fault.kind == "changed":
        return exam.fault.name in ("W_x", "W_h")
    if exam.fault.kind != "value":
        return False
    problem = exam.fault.outcome.problem

    def states(**numbers) -> ndarray:
        outcome = exam.ask(problem.with_numbers(**numbers))
        return zeros(1) if outcome.values is None else outcome.values[exam.exercise.returns[0]]

    # A state handed on as it came has not met any weights: that is another mistake.
    inputs = exam.exercise.arguments[0]
    if near(states(), states(**{inputs: zeros_like(problem.numbers[inputs])})):
        return False
    weights = {name: problem.numbers[name] for name in ("W_x", "W_h")}
    nothing = {name: zeros_like(problem.numbers[name]) for name in exam.exercise.arguments}
    no_weights = {name: nothing[name] for name in (*weights, "b")}
    # The weights count for nothing, or no two calls agree ...
    ignored = any(near(states(), states(**{n: 1 - w})) for n, w in weights.items())
    # ... and without weights there is still something, but not without inputs.
    return (
        (ignored or not near(states(), states()))
        and bool(states(**no_weights).any())
        and not states(**nothing).any()
    )


def _not_finite_or_overflow(exam) -> bool:
    """See whether large numbers give NaN, infinity or an overflow, or stop the function."""
    fault = exam.fault
    if fault.kind == "error":
        return isinstance(fault.outcome.error, ArithmeticError)
    values = fault.outcome.values
    return fault.kind == "value" and bool((values[fault.name] - values[fault.name]).any())


def _log_of_zero(exam) -> bool:
    """See whether the loss alone is wrong, and infinite."""
    fault = exam.fault
    return (
        fault.kind == "value"
        and not exam.is_wrong("dscores")
        and float(fault.outcome.values["loss"]) == float("inf")
    )


# -- the tables ---------------------------------------------------------------------------------

_STATE_LESSON, _GAME = "lesson 1, section 4", "lesson 2, section 5"
_T1_PROVES_NOTHING, _TRUNCATION = "lesson 3, section 5", "lesson 3, section 8"
_CLIPPING = "lesson 3, section 9"

STEP = (
    Signature(LEAK, shows=_goes_on("h_prev", lambda v: v["h_t"]), section=_STATE_LESSON),
    Signature(WEIGHTS_DRAWN, shows=_ignores_the_weights),
    Signature(INTEGERS, shows=_made_of_integers),
    Signature(W_H_SHAPE, shows=_works_only_where_F_is_H),
    Signature(FORGOTTEN, (_step_without_state,)),
    Signature(TRANSPOSED_FORWARD, (_step_transposed,), section=_GAME),
    Signature(BIAS_LOST, (_step_without_bias,)),
    Signature(W_H_SHAPE, (_step_with_F_rows,)),
    Signature(TANH_MISSING, (_step_without_tanh,)),
    Signature(BIAS_OUTSIDE, (_step_bias_outside,)),
)

FORWARD = (
    Signature(LEAK, shows=_goes_on("h0", lambda v: v["h"][:, -1]), section=_STATE_LESSON),
    Signature(WEIGHTS_DRAWN, shows=_ignores_the_weights),
    Signature(INTEGERS, shows=_made_of_integers),
    Signature(W_H_SHAPE, shows=_works_only_where_F_is_H),
    Signature(H0_UNUSED, (_forward_from_zeros,), section=_STATE_LESSON),
    Signature(
        FORGOTTEN,
        (
            _all_steps(_step_without_state),
            _forward_from_h0_at_each_step,
            _forward_forgetting_after_first,
        ),
    ),
    Signature(TRANSPOSED_FORWARD, (_all_steps(_step_transposed),), section=_GAME),
    Signature(
        ONE_STEP_SHORT,
        (
            _forward_last_is_zero,
            _forward_first_is_zero,
            _forward_first_is_zero_then_from_zero,
            _forward_without_first,
            _forward_without_last,
            _forward_without_last_stacked,
            _forward_h0_first,
            _forward_h0_in_place_of_first,
        ),
    ),
    Signature(
        BIAS_LOST, (_all_steps(_step_without_bias), _forward_bias(1, 0), _forward_bias(0, 1))
    ),
    Signature(W_H_SHAPE, (_all_steps(_step_with_F_rows),)),
    Signature(
        AXES_SWAPPED,
        (
            _swapped_into_buffer,
            _swapped_and_stacked,
            _swapped_and_stacked_back,
            _time_first,
            _time_first_reshaped,
            _input_reshaped,
            _both_reshaped,
        ),
    ),
    Signature(TANH_MISSING, (_all_steps(_step_without_tanh),)),
    Signature(BIAS_OUTSIDE, (_all_steps(_step_bias_outside),)),
    Signature(SAME_BUFFER, (_forward_same_buffer,)),
    Signature(H0_RETURNED, (_forward_with_h0,)),
)

SATURATED = (
    Signature(TANH_WITH_EXP, shows=_not_finite_or_overflow, section="lesson 1, section 5"),
)

STEP_BACKWARD = (
    Signature(EDITED_UPSTREAM, shows=_changes("dh_t")),
    Signature(EARLY_UPDATE, shows=_changes("W_x", "W_h"), section="lesson 3, section 7"),
    Signature(INTEGERS, shows=_made_of_integers),
    Signature(W_H_SHAPE, shows=_works_only_where_F_is_H),
    Signature(LEAK, shows=_keeps_adding),
    Signature(SLOPE_OF_H, (_step_back_slope_of_h,)),
    Signature(SLOPE_NOT_SQUARED, (_step_back_slope_not_squared,)),
    Signature(SLOPE_MISSING, (_step_back_without_slope,)),
    Signature(H_T_IN_DW_H, (_step_back_with_h_t,)),
    Signature(NOT_TRANSPOSED, (_step_back_not_transposed,)),
    Signature(
        SCALED_BY_N,
        tuple(_scaled(rnn_step_backward, by_N) for by_N in (-1, 1)),
        section="lesson 3, section 7",
    ),
    Signature(PRODUCT_OF_MEANS, tuple(_step_back_of_means(power) for power in (0, 1, 2))),
)

BACKWARD = (
    Signature(EDITED_UPSTREAM, shows=_changes("dh")),
    Signature(EARLY_UPDATE, shows=_changes("W_x", "W_h"), section="lesson 3, section 7"),
    Signature(EARLY_UPDATE, shows=_updates_on_the_way, section="lesson 3, section 7"),
    Signature(INTEGERS, shows=_made_of_integers),
    Signature(W_H_SHAPE, shows=_works_only_where_F_is_H),
    Signature(LEAK, shows=_keeps_adding),
    Signature(LEAK, shows=_dh0_comes_round),
    Signature(H0_WRAPPED, (_back_with_states(_states_wrapped),)),
    Signature(H0_UNUSED, (_back_with_states(_states_from_zero),)),
    Signature(H_T_IN_DW_H, (_back_with_states(_states_after),)),
    Signature(
        OVERWRITTEN_SUM,
        tuple(
            _back_one_step_left(which)
            for which in (
                _first_step,
                _entry_at_first_step,
                _last_entry_where_it_stops,
                _last_step,
            )
        )
        + (
            _back_entries_overwrite(lambda s, k, T: s),
            _back_entries_overwrite(lambda s, k, T: min(s + k, T) - 1),
        ),
    ),
    Signature(
        ONE_STEP_SHORT,
        (_back_short, _back_short_of_dh0, _back_short_at_the_start, _back_short_at_the_end),
        in_all=True,
    ),
    Signature(
        LAST_AGAIN,
        tuple(
            _back_entering(enters)
            for enters in (
                _last_everywhere,
                _last_added_before,
                _last_added_everywhere,
                _last_doubled,
            )
        ),
        in_all=True,
    ),
    Signature(SLOPE_OF_H, _in_all_places(lambda h: 1 - tanh(h) ** 2)),
    Signature(SLOPE_NOT_SQUARED, _in_all_places(lambda h: 1 - h)),
    Signature(SLOPE_MISSING, _in_all_places(ones_like)),
    Signature(NOT_TRANSPOSED, (_back_not_transposed, _back_not_transposed_but_for_dh0)),
    Signature(
        FUTURE_OVERWRITTEN,
        (_back_entering(_only_last), _back_one_cell),
        section=_T1_PROVES_NOTHING,
        in_all=True,
    ),
    Signature(
        TOO_FEW_CELLS,
        tuple(_back_truncated(cells) for cells in _TOO_FEW),
        section=_TRUNCATION,
        in_all=True,
    ),
    Signature(
        TOO_MANY_CELLS, (_back_truncated(lambda k, T: k + 1),), section=_TRUNCATION, in_all=True
    ),
    Signature(TRUNCATION_UNUSED, (_back_in_full,), section=_TRUNCATION, in_all=True),
    Signature(
        IN_CHUNKS,
        (
            _back_in_chunks(lambda T, k: k),  # counted from the first step
            _back_in_chunks(lambda T, k: T % k or k),  # counted from the last step
        ),
        section=_TRUNCATION,
        in_all=True,
    ),
    Signature(
        ONLY_LAST_STEPS,
        (_back_from_the_end_only, _back_arriving_at_the_cut),
        section=_TRUNCATION,
        in_all=True,
    ),
    Signature(
        SCALED_BY_N,
        tuple(_scaled(rnn_backward, by_N) for by_N in (-1, 1)),
        section="lesson 3, section 7",
    ),
    Signature(
        PRODUCT_OF_MEANS,
        tuple(_back_of_means(power) for power in (0, 1, 2)),
        section="lesson 3, section 2",
    ),
    Signature(
        AXES_SWAPPED,
        (
            _back_over_samples,
            _dx_time_first,
            _dx_reshaped,
            _back_reshaped("x"),
            _back_reshaped("dh", "x", "h"),
        ),
    ),
)

SOFTMAX = (
    Signature(INTEGERS, shows=_made_of_integers),
    Signature(SCALED_BY_N, tuple(_scaled(softmax_cross_entropy, by_N) for by_N in (-1, 1))),
)

LARGE_SCORES = (
    Signature(LOG_OF_ZERO, shows=_log_of_zero),
    Signature(SOFTMAX_OVERFLOWS, shows=_not_finite_or_overflow),
)

UPDATE = (
    Signature(INTEGERS, shows=_made_of_integers),
    Signature(NEW_ARRAYS, (_update_with(lambda d: 0),), in_all=True),
    Signature(UPHILL, (_update_with(lambda d: -d),)),
    Signature(RATE_MISSING, (_update_without_lr,)),
    Signature(
        SCALED_BY_N,
        (
            _update_with(lambda d: d / len(d)),
            _update_with(lambda d: d.mean()),
            _update_with(lambda d: d.mean(axis=0)),
        ),
    ),
)

NUMERIC = (
    Signature(INTEGERS, shows=_made_of_integers),
    Signature(FORWARD_DIFFERENCE, (_one_sided(1), _one_sided(-1))),
    Signature(NUDGED_COPY, (_nothing_moves,)),
    Signature(NOT_BY_2_EPS, (_times(lambda eps: 2), _times(lambda eps: eps**2))),
)

ENCODE = (
    Signature(WORDS_CHANGED, shows=_changes("words")),
    Signature(UNKNOWN_ADDED, shows=_changes("id_of")),
    Signature(UNKNOWN_STOPS, shows=_stops_with(KeyError)),
    Signature(FIRST_WORDS, (_encode_of(lambda words, n: words[:n]),)),
    Signature(
        WRONG_CUT,
        (
            _encode_of(lambda words, n: words),
            _encode_of(lambda words, n: words[len(words) - n :]),
            _encode_of(lambda words, n: words[-n:-1]),
            _encode_of(lambda words, n: words[-n + 1 :]),
            _encode_of(lambda words, n: words[-n - 1 :]),
        ),
    ),
    Signature(CUT_AFTER_FILLING, (_encode_cut_after_filling,)),
    Signature(FILLED_IN_FRONT, (_encode_filled_in_front,)),
    Signature(NOT_FILLED, (_encode_not_filled,)),
    Signature(UNKNOWN_DROPPED, (_encode_known_of_last, _encode_last_of_known)),
    Signature(UNKNOWN_AS_PADDING, (_encode_unknown_as_padding,)),
    Signature(
        BACKWARDS,
        (
            _encode_of(lambda words, n: words[-n:][::-1]),
            _encode_of(lambda words, n: words[::-1][-n:]),
        ),
    ),
)

TRAINING = (
    Signature(NO_UPDATE, (_training_in_order("backward"),), in_all=True),
    Signature(TRAINING_OFF, (_training(options=("lengths",)),), in_all=True),
    Signature(LENGTHS_UNUSED, (_training(options=("training",)),), in_all=True),
    Signature(BOTH_UNUSED, (_training(options=()),), in_all=True),
    Signature(NOT_CLIPPED, (_training(change=_unclipped),), section=_CLIPPING, in_all=True),
    Signature(
        CLIPPED_APART,
        (_training(change=_clipped_elements), _training(change=_clipped_arrays)),
        section=_CLIPPING,
        in_all=True,
    ),
    Signature(LENGTHENED, (_training(change=_always_length_1),), section=_CLIPPING, in_all=True),
    Signature(
        OLD_GRADIENTS,
        tuple(
            _training_in_order("update", "backward", change=change)
            for change in (clipped, _unclipped)
        ),
        in_all=True,
    ),
    Signature(
        NO_BACKWARD,
        tuple(_training_in_order("update", change=change) for change in (clipped, _unclipped)),
        in_all=True,
    ),
    Signature(
        UPDATED_TWICE,
        tuple(
            _training_in_order("backward", "update", "update", change=change)
            for change in (clipped, _unclipped)
        ),
        in_all=True,
    ),
    Signature(LOSS_AFTER, (_training_loss_after(True), _training_loss_after(False))),
    Signature(
        SCALED_BY_N,
        tuple(
            _training_mean_again(where, by_N)
            for where in ("loss", "before clipping", "after clipping")
            for by_N in (-1, 1)
        ),
        section="lesson 3, section 7",
    ),
)
