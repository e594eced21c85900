"""The right answers, written straight from the formulas and apart from the layers.

Nothing here is fast. Each function is as close to the lesson's formula as Python allows, so that
one can see that it is right; tests hold it to the layers and to the numeric gradient.

All modules of this package take NumPy's functions by name, at import: whoever gives ``np.tanh``
another meaning later changes nothing here.
"""

from collections.abc import Callable, Mapping

from numpy import arange, exp, log, ndarray, ndindex, sqrt, tanh, zeros

Gradients = tuple[ndarray, ndarray, ndarray, ndarray, ndarray]


def rnn_step(x_t: ndarray, h_prev: ndarray, W_x: ndarray, W_h: ndarray, b: ndarray) -> ndarray:
    """Return the next state (N, H): lesson 1, section 3."""
    return tanh(x_t @ W_x + h_prev @ W_h + b)


def rnn_forward(x: ndarray, h0: ndarray, W_x: ndarray, W_h: ndarray, b: ndarray) -> ndarray:
    """Return all states (N, T, H): lesson 1, section 3."""
    N, T, _ = x.shape
    h = zeros((N, T, len(W_h)))
    for t in range(T):
        h[:, t] = rnn_step(x[:, t], state_before(t, h, h0), W_x, W_h, b)
    return h


def rnn_step_backward(
    dh_t: ndarray, x_t: ndarray, h_prev: ndarray, h_t: ndarray, W_x: ndarray, W_h: ndarray
) -> Gradients:
    """Return dx_t, dh_prev, dW_x, dW_h, db: lesson 3, section 2."""
    da_t = dh_t * (1 - h_t**2)
    return da_t @ W_x.T, da_t @ W_h.T, x_t.T @ da_t, h_prev.T @ da_t, da_t.sum(axis=0)


def rnn_backward(
    dh: ndarray,
    x: ndarray,
    h0: ndarray,
    h: ndarray,
    W_x: ndarray,
    W_h: ndarray,
    bptt_steps: int | None = None,
) -> Gradients:
    """Return dx, dh0, dW_x, dW_h, db: lesson 3, sections 3 and 8."""
    da, dh0 = through_time(dh, 1 - h**2, W_h, bptt_steps)
    return gradients(da, dh0, x, states_before(h, h0), W_x)


def through_time(
    dh: ndarray,
    slope: ndarray,
    W_h: ndarray,
    bptt_steps: int | None = None,
    slope_on_the_way: ndarray | None = None,
) -> tuple[ndarray, ndarray]:
    """Send what enters at each step back through `bptt_steps` cells; return da (N, T, H) and dh0.

    This is the definition of truncation, word by word: each entry travels on its own and stops
    on its own. (Only a mistake has another slope on the way than in da.)
    """
    T = dh.shape[1]
    on_the_way = slope if slope_on_the_way is None else slope_on_the_way
    da, dh0 = zeros(dh.shape), zeros(dh[:, 0].shape)
    for t in range(T):
        wave, last = dh[:, t], 0 if bptt_steps is None else max(0, t + 1 - bptt_steps)
        for s in range(t, last - 1, -1):
            da[:, s] += wave * slope[:, s]
            wave = (wave * on_the_way[:, s]) @ W_h.T
            if s == 0:
                dh0 += wave
    return da, dh0


def gradients(da: ndarray, dh0: ndarray, x: ndarray, h_prev: ndarray, W_x: ndarray) -> Gradients:
    """Return dx, dh0, dW_x, dW_h, db from da and the states before the steps, (N, T, H)."""
    return da @ W_x.T, dh0, over_steps(x, da), over_steps(h_prev, da), da.sum(axis=(0, 1))


def over_steps(inputs: ndarray, da: ndarray) -> ndarray:
    """Sum ``inputs_t.T @ da_t`` over all steps."""
    return sum(inputs[:, t].T @ da[:, t] for t in range(da.shape[1]))


def state_before(t: int, h: ndarray, h0: ndarray) -> ndarray:
    """Return the state (N, H) that step t starts from."""
    return h0 if t == 0 else h[:, t - 1]


def states_before(h: ndarray, h0: ndarray) -> ndarray:
    """Return the states (N, T, H) that the steps start from."""
    before = h.copy()
    for t in range(h.shape[1]):
        before[:, t] = state_before(t, h, h0)
    return before


def softmax_cross_entropy(scores: ndarray, labels: ndarray) -> tuple[float, ndarray]:
    """Return the mean loss and its gradient at the scores: lesson 3, section 6."""
    N = len(scores)
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_p = shifted - log(exp(shifted).sum(axis=1, keepdims=True))
    dscores = exp(log_p)
    dscores[arange(N), labels] -= 1
    return -log_p[arange(N), labels].sum() / N, dscores / N


def update_changes(
    W_x: ndarray, W_h: ndarray, b: ndarray, dW_x: ndarray, dW_h: ndarray, db: ndarray, lr: float
) -> tuple[ndarray, ndarray, ndarray]:
    """Return what one update should add to W_x, W_h and b: lesson 3, section 7."""
    return -lr * dW_x, -lr * dW_h, -lr * db


def numeric_gradient(f: Callable[[], float], array: ndarray, eps: float = 1e-5) -> ndarray:
    """Return the central differences of `f` at every element: lesson 3, section 4."""
    gradient = zeros(array.shape)
    for index in ndindex(array.shape):
        kept = array[index]
        array[index] = kept + eps
        up = f()
        array[index] = kept - eps
        down = f()
        array[index] = kept
        gradient[index] = (up - down) / (2 * eps)
    return gradient


def cubic(array: ndarray, weights: ndarray) -> float:
    """Return a sum of cubes; its central difference differs from its slope by exactly eps**2."""
    return float((weights * array**3).sum())


def central_differences(array: ndarray, weights: ndarray, eps: float = 1e-5) -> ndarray:
    """Return what the student's numeric gradient should give for :func:`cubic`."""
    array = array.copy()
    return numeric_gradient(lambda: cubic(array, weights), array, eps)


def encode(words: list[str], id_of: Mapping[str, int], maxlen: int) -> ndarray:
    """Return the ids (maxlen,) of the last words, filled up with 0: lesson 4, section 2."""
    ids = zeros(maxlen, dtype=int)
    for t, word in enumerate(words[-maxlen:]):
        ids[t] = id_of.get(word, 1)
    return ids


def training_step(network, loss, optimizer, x: ndarray, lengths: ndarray, y: ndarray) -> float:
    """Make one update and return the loss before it: lesson 4, section 4."""
    value = loss.forward(network.forward(x, lengths=lengths, training=True), y)
    network.backward(loss.backward())
    optimizer.update(network.params, clipped(network.grads))
    return value


def clipped(grads: Mapping[str, ndarray]) -> dict[str, ndarray]:
    """Shorten gradients, all by one factor, to a common length of at most 1."""
    length = sqrt(sum((grad * grad).sum() for grad in grads.values()))
    return {name: grad / max(1, length) for name, grad in grads.items()}


# -- the numeric gradients, as a second opinion -------------------------------------------------


def numeric_step(numbers: Mapping[str, ndarray]) -> dict[str, ndarray]:
    """Differentiate the weighted sum of the next state numerically."""
    return _differentiate(
        lambda x_t, h_prev, W_x, W_h, b: (
            numbers["dh_t"] * rnn_step(x_t, h_prev, W_x, W_h, b)
        ).sum(),
        numbers,
        ("x_t", "h_prev", "W_x", "W_h", "b"),
    )


def numeric_backward(numbers: Mapping[str, ndarray]) -> dict[str, ndarray]:
    """Differentiate the weighted sum of all states numerically."""
    return _differentiate(
        lambda x, h0, W_x, W_h, b: (numbers["dh"] * rnn_forward(x, h0, W_x, W_h, b)).sum(),
        numbers,
        ("x", "h0", "W_x", "W_h", "b"),
    )


def numeric_softmax(numbers: Mapping[str, ndarray]) -> dict[str, ndarray]:
    """Differentiate the mean loss numerically."""
    return _differentiate(
        lambda scores: softmax_cross_entropy(scores, numbers["labels"])[0], numbers, ("scores",)
    )


def _differentiate(
    loss: Callable[..., float], numbers: Mapping[str, ndarray], names: tuple[str, ...]
) -> dict[str, ndarray]:
    at = [numbers[name].copy() for name in names]
    return {
        "d" + name: numeric_gradient(lambda: loss(*at), array)
        for name, array in zip(names, at, strict=True)
    }
