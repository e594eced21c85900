"""The right answers, written straight from the formulas and apart from the layers.

Nothing here is fast. Each function is as close to the lesson's formula as Python allows, so that
one can see that it is right; tests hold it to the layers and to the numeric gradient. Sequences of
unequal lengths, other activation functions and float32 are left out: no exercise asks for them.

All modules of this package take NumPy's functions by name, at import: replacing ``np.tanh`` later
changes nothing here.
"""

from collections.abc import Callable, Iterator, Mapping

from numpy import arange, exp, hstack, log, ndarray, ndindex, split, sqrt, tanh, zeros
from numpy.random import Generator

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
    """Return dx, dh0, dW_x, dW_h, db: lesson 3, sections 3 and 8.

    This is the definition of truncation, word by word: each entry of dh goes back on its own,
    through `bptt_steps` cells, and stops on its own.
    """
    T = dh.shape[1]
    da, dh0 = zeros(dh.shape), zeros(h0.shape)
    for t in range(T):
        dh_s, last = dh[:, t], 0 if bptt_steps is None else max(0, t + 1 - bptt_steps)
        for s in range(t, last - 1, -1):
            da_s = dh_s * (1 - h[:, s] ** 2)
            da[:, s] += da_s
            dh_s = da_s @ W_h.T
            if s == 0:
                dh0 += dh_s
    before = [state_before(t, h, h0) for t in range(T)]
    dW_x = sum(x[:, t].T @ da[:, t] for t in range(T))
    dW_h = sum(before[t].T @ da[:, t] for t in range(T))
    return da @ W_x.T, dh0, dW_x, dW_h, da.sum(axis=(0, 1))


def state_before(t: int, h: ndarray, h0: ndarray) -> ndarray:
    """Return the state (N, H) that step t starts from."""
    return h0 if t == 0 else h[:, t - 1]


def softmax_cross_entropy(scores: ndarray, labels: ndarray) -> tuple[float, ndarray]:
    """Return the mean loss and its gradient at the scores: lesson 3, section 6."""
    N = len(scores)
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_p = shifted - log(exp(shifted).sum(axis=1, keepdims=True))
    dscores = exp(log_p)
    dscores[arange(N), labels] -= 1
    return -log_p[arange(N), labels].sum() / N, dscores / N


def update(params: Mapping[str, ndarray], grads: Mapping[str, ndarray], lr: float) -> None:
    """Change every array of `params` in place: lesson 3, section 7."""
    for name in params:
        params[name] -= lr * grads[name]


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


def cubes(array: ndarray, weights: ndarray) -> float:
    """Return a sum of cubes; its central difference is off from its derivative by eps**2."""
    return float((weights * array**3).sum())


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


def global_norm(grads: Mapping[str, ndarray]) -> float:
    """Return the norm of all gradients together: lesson 3, section 9."""
    return sqrt(sum((grad * grad).sum() for grad in grads.values()))


def clipped(grads: Mapping[str, ndarray]) -> dict[str, ndarray]:
    """Scale gradients, all by one factor, to a global norm of at most 1."""
    norm = global_norm(grads)
    return {name: grad / max(1, norm) for name, grad in grads.items()}


def sigmoid(a: ndarray) -> ndarray:
    """Return ``1 / (1 + exp(-a))``, written so that nothing overflows: lesson 6, section 2."""
    return (1 + tanh(a / 2)) / 2


def lstm_gates(
    x_t: ndarray, h_prev: ndarray, W_x: ndarray, W_h: ndarray, b: ndarray
) -> tuple[ndarray, ndarray, ndarray, ndarray]:
    """Return i, f, g and o, each (N, H): lesson 6, section 3."""
    i, f, g, o = split(x_t @ W_x + h_prev @ W_h + b, 4, axis=1)
    return sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)


def lstm_step(
    x_t: ndarray, h_prev: ndarray, c_prev: ndarray, W_x: ndarray, W_h: ndarray, b: ndarray
) -> tuple[ndarray, ndarray]:
    """Return the next h_t and c_t, both (N, H): lesson 6, section 3."""
    i, f, g, o = lstm_gates(x_t, h_prev, W_x, W_h, b)
    c_t = f * c_prev + i * g
    return o * tanh(c_t), c_t


def lstm_step_backward(
    dh_t: ndarray,
    dc_t: ndarray,
    x_t: ndarray,
    h_prev: ndarray,
    c_prev: ndarray,
    gates: tuple[ndarray, ...],
    c_t: ndarray,
    W_x: ndarray,
    W_h: ndarray,
) -> tuple[ndarray, ...]:
    """Return dx_t, dh_prev, dc_prev, dW_x, dW_h, db: lesson 6, section 3."""
    i, f, g, o = gates
    dc = dc_t + dh_t * o * (1 - tanh(c_t) ** 2)
    da_i, da_f = dc * g * i * (1 - i), dc * c_prev * f * (1 - f)
    da_g, da_o = dc * i * (1 - g**2), dh_t * tanh(c_t) * o * (1 - o)
    da = hstack([da_i, da_f, da_g, da_o])
    return da @ W_x.T, da @ W_h.T, dc * f, x_t.T @ da, h_prev.T @ da, da.sum(axis=0)


def gru_gates(
    x_t: ndarray, h_prev: ndarray, W_x: ndarray, W_h: ndarray, b_x: ndarray, b_h: ndarray
) -> tuple[ndarray, ndarray, ndarray]:
    """Return r, z and n, each (N, H): lesson 6, section 5."""
    x_r, x_z, x_n = split(x_t @ W_x + b_x, 3, axis=1)
    h_r, h_z, h_n = split(h_prev @ W_h + b_h, 3, axis=1)
    r = sigmoid(x_r + h_r)
    return r, sigmoid(x_z + h_z), tanh(x_n + r * h_n)


def gru_step(
    x_t: ndarray, h_prev: ndarray, W_x: ndarray, W_h: ndarray, b_x: ndarray, b_h: ndarray
) -> ndarray:
    """Return the next state (N, H): lesson 6, section 5."""
    _, z, n = gru_gates(x_t, h_prev, W_x, W_h, b_x, b_h)
    return (1 - z) * n + z * h_prev


def gru_step_backward(
    dh_t: ndarray,
    x_t: ndarray,
    h_prev: ndarray,
    gates: tuple[ndarray, ...],
    W_x: ndarray,
    W_h: ndarray,
    b_h: ndarray,
) -> tuple[ndarray, ...]:
    """Return dx_t, dh_prev, dW_x, dW_h, db_x, db_h: lesson 6, section 5."""
    r, z, n = gates
    h_n = split(h_prev @ W_h + b_h, 3, axis=1)[2]
    da_n = dh_t * (1 - z) * (1 - n**2)
    da_r, da_z = da_n * h_n * r * (1 - r), dh_t * (h_prev - n) * z * (1 - z)
    da_x, da_h = hstack([da_r, da_z, da_n]), hstack([da_r, da_z, da_n * r])
    dh_prev = dh_t * z + da_h @ W_h.T
    return da_x @ W_x.T, dh_prev, x_t.T @ da_x, h_prev.T @ da_h, da_x.sum(axis=0), da_h.sum(axis=0)


def next_character_batches(ids: ndarray, n_streams: int, n_steps: int) -> Iterator:
    """Yield inputs and targets, both (n_streams, n_steps): lesson 7, section 2."""
    n_batches = (len(ids) - 1) // (n_streams * n_steps)
    first = n_batches * n_steps * arange(n_streams)[:, None] + arange(n_steps)
    for k in range(n_batches):
        at = first + k * n_steps
        yield ids[at], ids[at + 1]


def softmax(scores: ndarray) -> ndarray:
    """Return the probabilities (V,) of one row of scores: lesson 3, section 6."""
    p = exp(scores - scores.max())
    return p / p.sum()


def sample(step, h0: ndarray, prompt: list, n: int, temperature: float, rng: Generator) -> list:
    """Return n ids, drawn one after another: lesson 7, section 4."""
    h, ids = h0, []
    for i in prompt:
        scores, h = step(i, h)
    for _ in range(n):
        p = softmax(scores / temperature) if temperature else scores == scores.max()
        ids.append(int(rng.choice(len(p), p=p)))
        scores, h = step(ids[-1], h)
    return ids


# -- the numeric gradients, as a second opinion -------------------------------------------------


def _numeric(loss: Callable[..., float], nudged: str, constant: str) -> Callable:
    """Make a function of a problem's numbers: the numeric gradients of a loss of them, by name."""

    def gradients(numbers: Mapping[str, ndarray]) -> dict[str, ndarray]:
        at = {name: numbers[name].copy() for name in f"{nudged} {constant}".split()}
        return {"d" + n: numeric_gradient(lambda: loss(**at), at[n]) for n in nudged.split()}

    return gradients


numeric_step = _numeric(
    lambda dh_t, **given: (dh_t * rnn_step(**given)).sum(), "x_t h_prev W_x W_h b", "dh_t"
)
numeric_backward = _numeric(
    lambda dh, **given: (dh * rnn_forward(**given)).sum(), "x h0 W_x W_h b", "dh"
)
numeric_softmax = _numeric(
    lambda scores, labels: softmax_cross_entropy(scores, labels)[0], "scores", "labels"
)
numeric_lstm_step = _numeric(
    lambda dh_t, dc_t, **given: sum(
        (gradient * state).sum()
        for gradient, state in zip((dh_t, dc_t), lstm_step(**given), strict=True)
    ),
    "x_t h_prev c_prev W_x W_h b",
    "dh_t dc_t",
)
numeric_gru_step = _numeric(
    lambda dh_t, **given: (dh_t * gru_step(**given)).sum(), "x_t h_prev W_x W_h b_x b_h", "dh_t"
)
