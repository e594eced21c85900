"""What students hand in: correct solutions in several styles, and wrong ones made of them.

A wrong solution is a correct one with an edit, as one makes it at the keyboard. It is code of its
own, not the code that the checks compare with; but both were written together, by one hand, and
the checks were mended until they knew all of these. So the mutation score says that nothing got
worse, not how many of the mistakes that nobody here has thought of would be named.
"""

import itertools
import linecache
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from rnn_lib import clip_by_global_norm, global_norm

# The numbers of the list of mistakes that the course collects, by what the checks say.
NUMBER_OF = {
    "the previous state is forgotten": 1,
    "W_h is transposed in the forward pass": 2,
    "the loop is one step short": 3,
    "h0 stands first among the states, and the last one is missing": 3,
    "the bias is lost": 4,
    "something is left over from the call before": 5,
    "the state that came in is overwritten": 5,
    "at t = 0, h[:, t - 1] is h[:, -1], the last state, and not h0": 6,
    "the first step does not start from h0": 6,
    "the gradient at the last step is added more than once": 7,
    "the derivative is taken as 1 - tanh(h)**2, but h is the tanh already": 8,
    "the derivative of tanh, 1 - h**2, is missing": 9,
    "= stands where += should: only one time step is left of the sum": 10,
    "dh0 keeps one of the gradients that reach h0, not all": 10,
    "dW_h is made from h_t instead of the state before it": 11,
    "W_h is not transposed in the backward pass": 12,
    "the division by N is done twice, or not at all": 13,
    "the samples are added up before multiplying, not after": 14,
    "truncation: the gradient passes through one step too few": 15,
    "truncation: the gradient passes through one step too many": 15,
    "an array for results was made of integers, like an integer bias": 16,
    "tanh is written with exp, which overflows": 17,
    "W_h is treated as (n_features, n_nodes), which works only where F = H": 18,
    "the weights are drawn again inside, in place of those given": 19,
    "the weights are updated during the backward pass": 20,
    "the batch axis and the time axis are mixed up": 21,
    "the states are stacked along the wrong axis: time comes first": 21,
    "only dh of the last step enters, and the gradients of the other steps are lost": 22,
    "the gradient that comes back from the step after is lost: "
    "never added, or overwritten before it is used": 22,
    "the gradient that came in is changed in place": 23,
}


class Solution(NamedTuple):
    """Something handed in.

    ``named`` is what the check should call the mistake: its number, some words of it, a tuple of
    such where there are several, or None where it fits nothing known. Some are not worth a second
    run in float32: what they do is done to the very arrays that they are given, or is smaller than
    the rounding there.
    """

    exercise: str
    label: str
    make: Callable[[], Callable]
    named: int | str | tuple | None = None
    float64_only: bool = False


WRONG: list[Solution] = []
CORRECT: list[Solution] = []
_file_numbers = itertools.count(1)


def run(source: str, name: str) -> Callable:
    """Define a function from source, as a notebook cell does."""
    filename = f"<handed in {next(_file_numbers)}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    namespace = {"np": np, "math": math}
    namespace |= {"clip_by_global_norm": clip_by_global_norm, "global_norm": global_norm}
    exec(compile(source, filename, "exec"), namespace)
    return namespace[name]


def correct(exercise: str, label: str, source: str) -> str:
    """Note a correct solution."""
    CORRECT.append(Solution(exercise, label, lambda: run(source, exercise)))
    return source


def wrong(
    exercise: str,
    named: int | str | None,
    source: str,
    *edits: tuple[str, str],
    float64_only: bool = False,
) -> None:
    """Note a wrong solution: a correct one with parts exchanged."""
    for old, new in edits:
        assert old in source, (exercise, old)
        source = source.replace(old, new)
    label = "; ".join(new.strip() for _, new in edits) or source
    WRONG.append(Solution(exercise, label, lambda: run(source, exercise), named, float64_only))


# -- one step -----------------------------------------------------------------------------------

STEP = correct(
    "rnn_step",
    "as in the lesson",
    """
def rnn_step(x_t, h_prev, W_x, W_h, b):
    a_t = x_t @ W_x + h_prev @ W_h + b
    return np.tanh(a_t)
""",
)
correct(
    "rnn_step",
    "loops",
    """
def rnn_step(x_t, h_prev, W_x, W_h, b):
    N, F = x_t.shape
    H = len(b)
    h_t = np.zeros((N, H))
    for n in range(N):
        for j in range(H):
            a = b[j]
            for i in range(H):
                a += h_prev[n, i] * W_h[i, j]
            for f in range(F):
                a += x_t[n, f] * W_x[f, j]
            h_t[n, j] = math.tanh(a)
    return h_t
""",
)
correct(
    "rnn_step",
    "einsum, transposed inside",
    """
def rnn_step(x_t, h_prev, W_x, W_h, b):
    return np.tanh(np.einsum("fh,nf->hn", W_x, x_t) + W_h.T @ h_prev.T + b[:, None]).T
""",
)
correct(
    "rnn_step",
    "one product, Fortran order, in place",
    """
def rnn_step(x_t, h_prev, W_x, W_h, b):
    a = np.hstack([x_t, h_prev]) @ np.vstack([W_x, W_h])
    a += b
    return np.asfortranarray(np.tanh(a, out=a))
""",
)
correct(
    "rnn_step",
    "a matrix, a subclass of arrays",
    """
def rnn_step(x_t, h_prev, W_x, W_h, b):
    return np.asmatrix(np.tanh(x_t @ W_x + h_prev @ W_h + b))
""",
)
correct(
    "rnn_step",
    "tanh with exp, stable",
    """
def rnn_step(x_t, h_prev, W_x, W_h, b):
    a = x_t @ W_x + h_prev @ W_h + b
    e = np.exp(-2 * abs(a))
    return np.sign(a) * (1 - e) / (1 + e)
""",
)
correct(
    "rnn_step",
    "tanh with exp, as the assignment writes it",
    """
def rnn_step(x_t, h_prev, W_x, W_h, b):
    a = x_t @ W_x + h_prev @ W_h + b
    return -2 / (np.exp(2 * a) + 1) + 1
""",
)

EXP_FORMS = (
    "(np.exp(a_t) - np.exp(-a_t)) / (np.exp(a_t) + np.exp(-a_t))",
    "(np.exp(2 * a_t) - 1) / (np.exp(2 * a_t) + 1)",
    "(1 - np.exp(-2 * a_t)) / (1 + np.exp(-2 * a_t))",
    "np.vectorize(lambda a: -2 / (math.exp(2 * a) + 1) + 1)(a_t)",
)

wrong("rnn_step", 1, STEP, ("h_prev @ W_h +", ""))
wrong("rnn_step", 1, STEP, ("h_prev @ W_h", "0 * h_prev @ W_h"))
wrong("rnn_step", 2, STEP, ("W_h +", "W_h.T +"))
wrong("rnn_step", 4, STEP, (" + b", ""))
LEAKING_STEP = """
state = None
def rnn_step(x_t, h_prev, W_x, W_h, b):
    global state
    if state is not None and state.shape == h_prev.shape:
        h_prev = state
    state = np.tanh(x_t @ W_x + h_prev @ W_h + b)
    return state
"""
wrong("rnn_step", 5, LEAKING_STEP)
wrong("rnn_step", 5, LEAKING_STEP, (" and state.shape == h_prev.shape", ""))
wrong(
    "rnn_step",
    "the state that came in is overwritten",
    STEP,
    ("return np.tanh(a_t)", "h_prev[:] = np.tanh(a_t); return h_prev"),
    float64_only=True,
)
wrong("rnn_step", 16, STEP, ("return np.tanh(a_t)", "return np.tanh(a_t).astype(int)"))
wrong(
    "rnn_step",
    16,
    STEP,
    ("return np", "h_t = np.zeros(a_t.shape, int); h_t += np"),
    ("tanh(a_t)", "tanh(a_t); return h_t"),
)
for form in EXP_FORMS:
    wrong("rnn_step", 17, STEP, ("np.tanh(a_t)", form))
wrong(
    "rnn_step", 18, STEP, ("h_prev @ W_h", "sum(h_prev[:, [j]] * W_h[j] for j in range(len(W_x)))")
)
wrong(
    "rnn_step", 18, STEP, ("h_prev @ W_h", "h_prev @ np.ascontiguousarray(W_h).reshape(W_x.shape)")
)
wrong("rnn_step", 18, STEP, ("h_prev @ W_h", "h_prev @ W_h[:len(W_x)]"))
DRAWN = "; W_h = np.random.default_rng().normal(size=W_h.shape); "
wrong("rnn_step", 19, STEP, ("a_t =", DRAWN[2:] + "a_t ="))
wrong("rnn_step", 19, STEP, ("a_t =", DRAWN[2:].replace("rng()", "rng(0)") + "a_t ="))
wrong(
    "rnn_step",
    19,
    STEP,
    ("a_t =", "W_x[:] = np.random.default_rng().normal(size=W_x.shape); a_t ="),
    float64_only=True,
)
wrong("rnn_step", "tanh is missing", STEP, ("np.tanh(a_t)", "a_t"))
# Nothing known:
wrong("rnn_step", "outside of tanh", STEP, (" + b", ""), ("np.tanh(a_t)", "np.tanh(a_t) + b"))
wrong("rnn_step", "the part of the state is subtracted", STEP, ("+ h_prev", "- h_prev"))
wrong("rnn_step", "the bias is subtracted", STEP, ("+ b", "- b"))
wrong("rnn_step", None, STEP, ("x_t @ W_x", "0.5 * x_t @ W_x"))
wrong("rnn_step", "turned around", STEP, ("return np.tanh(a_t)", "return np.tanh(a_t).T"))
wrong(
    "rnn_step",
    "the state before is added once more, outside",
    STEP,
    ("return np.tanh(a_t)", "return np.tanh(a_t) + h_prev"),
)
wrong("rnn_step", "ReLU stands in the place of tanh", STEP, ("np.tanh(a_t)", "np.maximum(a_t, 0)"))
wrong("rnn_step", None, STEP, ("np.tanh(a_t)", "np.tanh(a_t)[0]"))
wrong("rnn_step", None, STEP, ("np.tanh(a_t)", "np.zeros_like(a_t)"))
wrong("rnn_step", None, STEP, ("+ b", "+ b + np.random.normal(size=b.shape)"))
wrong("rnn_step", None, STEP, ("np.tanh(a_t)", "np.tanh(a_t) * (1 + 1e-6)"), float64_only=True)
wrong("rnn_step", None, STEP, ("return", "x_t += 1; return"), float64_only=True)
wrong("rnn_step", None, STEP, ("np.tanh(a_t)", "np.where(abs(a_t) > 100, 0, np.tanh(a_t))"))
wrong("rnn_step", "product does not fit", STEP, ("h_prev @ W_h", "h_prev @ W_x"))

# -- all steps ----------------------------------------------------------------------------------

FORWARD = correct(
    "rnn_forward",
    "a loop into a buffer",
    """
def rnn_forward(x, h0, W_x, W_h, b):
    N, T, F = x.shape
    h = np.zeros((N, T, W_h.shape[0]))
    h_prev = h0
    for t in range(T):
        a_t = x[:, t] @ W_x + h_prev @ W_h + b
        h[:, t] = np.tanh(a_t)
        h_prev = h[:, t]
    return h
""",
)
STACKED = correct(
    "rnn_forward",
    "a list, stacked",
    """
def rnn_forward(x, h0, W_x, W_h, b):
    states = [h0]
    for t in range(x.shape[1]):
        states.append(np.tanh(x[:, t] @ W_x + states[-1] @ W_h + b))
    return np.stack(states[1:], axis=1)
""",
)
correct(
    "rnn_forward",
    "samples one by one",
    """
def rnn_forward(x, h0, W_x, W_h, b):
    result = []
    for sequence, state in zip(x, h0):
        states = []
        for word in sequence:
            state = np.tanh(b + W_h.T @ state + W_x.T @ word)
            states.append(state)
        result.append(states)
    return np.array(result)
""",
)
correct(
    "rnn_forward",
    "time first inside, all inputs at once, in place",
    """
def rnn_forward(x, h0, W_x, W_h, b):
    N, T, F = x.shape
    a = np.einsum("ntf,fh->tnh", x, W_x)
    a += b
    before = h0
    for a_t in a:
        a_t += before @ W_h
        before = np.tanh(a_t, out=a_t)
    return a.swapaxes(0, 1)
""",
)

wrong("rnn_forward", 1, FORWARD, ("h_prev @ W_h +", ""))
wrong("rnn_forward", 1, FORWARD, ("        a_t =", "        h_prev = np.zeros_like(h0); a_t ="))
wrong("rnn_forward", 1, FORWARD, ("        h_prev = h[:, t]\n", ""))
wrong("rnn_forward", 1, FORWARD, ("h_prev = h[:, t]", "h_prev = np.zeros_like(h0)"))
wrong("rnn_forward", 2, FORWARD, ("W_h +", "W_h.T +"))
wrong("rnn_forward", 2, STACKED, ("@ W_h +", "@ np.transpose(W_h) +"))
wrong("rnn_forward", 3, FORWARD, ("in range(T)", "in range(T - 1)"))
wrong("rnn_forward", 3, FORWARD, ("in range(T)", "in range(1, T)"))
wrong("rnn_forward", 3, FORWARD, ("return h", "return h[:, :-1]"))
wrong("rnn_forward", 3, STACKED, ("x.shape[1]", "x.shape[1] - 1"))
wrong("rnn_forward", 3, STACKED, ("range(x", "range(1, x"))
wrong("rnn_forward", 4, FORWARD, (" + b", ""))
LEAKING_FORWARD = """
state = None
def rnn_forward(x, h0, W_x, W_h, b):
    global state
    if state is None or state.shape != h0.shape:
        state = h0
    h = np.zeros((*x.shape[:2], len(b)))
    for t in range(x.shape[1]):
        h[:, t] = state = np.tanh(x[:, t] @ W_x + state @ W_h + b)
    return h
"""
wrong("rnn_forward", 5, LEAKING_FORWARD)
wrong("rnn_forward", 5, LEAKING_FORWARD, (" or state.shape != h0.shape", ""))
wrong(
    "rnn_forward",
    "the state that came in is overwritten",
    FORWARD,
    ("h_prev = h[:, t]", "h_prev[:] = h[:, t]"),
    float64_only=True,
)
wrong("rnn_forward", 6, FORWARD, ("h_prev @ W_h", "h[:, t - 1] @ W_h"))
wrong("rnn_forward", 6, FORWARD, ("h_prev = h0", "h_prev = np.zeros_like(h0)"))
wrong("rnn_forward", 16, FORWARD, ("W_h.shape[0]))", "W_h.shape[0]), dtype=int)"))
for form in EXP_FORMS:
    wrong("rnn_forward", 17, FORWARD, ("np.tanh(a_t)", form))
wrong(
    "rnn_forward", 18, FORWARD, ("h_prev @ W_h", "sum(h_prev[:, [j]] * W_h[j] for j in range(F))")
)
wrong("rnn_forward", 18, FORWARD, ("h_prev @ W_h", "h_prev @ W_h[:F]"))
wrong("rnn_forward", 19, FORWARD, ("h_prev = h0", "h_prev = h0" + DRAWN))
wrong("rnn_forward", 19, FORWARD, ("h_prev = h0", "h_prev = h0" + DRAWN.replace("rng()", "rng(0)")))
wrong(
    "rnn_forward",
    19,
    FORWARD,
    ("h_prev = h0", "h_prev = h0" + DRAWN + DRAWN[2:].replace("W_h", "W_x")),
)
wrong(
    "rnn_forward",
    19,
    FORWARD,
    ("h_prev = h0", "h_prev = h0; W_x[:] = np.random.normal(size=W_x.shape)"),
    float64_only=True,
)
wrong("rnn_forward", 21, FORWARD, ("in range(T)", "in range(N)"), ("[:, t]", "[t]"))
wrong("rnn_forward", 21, STACKED, ("x.shape[1]", "x.shape[0]"), ("x[:, t]", "x[t]"))
wrong(
    "rnn_forward",
    21,
    STACKED,
    ("x.shape[1]", "x.shape[0]"),
    ("x[:, t]", "x[t]"),
    ("axis=1", "axis=0"),
)
wrong("rnn_forward", 21, STACKED, (", axis=1", ""))
wrong("rnn_forward", 21, STACKED, (", axis=1)", ").reshape(*x.shape[:2], len(b))"))
wrong(
    "rnn_forward",
    21,
    FORWARD,
    ("h_prev = h0", "h_prev = h0; x = x.reshape(T, N, F)"),
    ("x[:, t]", "x[t]"),
)
wrong(
    "rnn_forward",
    21,
    STACKED,
    ("states = [h0]", "N, T, F = x.shape; x = x.reshape(T, N, F); states = [h0]"),
    ("x.shape[1]", "T"),
    ("x[:, t]", "x[t]"),
    (", axis=1)", ").reshape(N, T, -1)"),
)
wrong("rnn_forward", "tanh is missing", FORWARD, ("np.tanh(a_t)", "a_t"))
wrong("rnn_forward", "h0 is returned", STACKED, ("states[1:]", "states"))
# Nothing known:
wrong("rnn_forward", "outside of tanh", FORWARD, (" + b", ""), ("np.tanh(a_t)", "np.tanh(a_t) + b"))
wrong(
    "rnn_forward",
    "the same array was kept",
    """
def rnn_forward(x, h0, W_x, W_h, b):
    h_t, states = h0.copy(), []
    for t in range(x.shape[1]):
        h_t[...] = np.tanh(x[:, t] @ W_x + h_t @ W_h + b)
        states.append(h_t)
    return np.stack(states, axis=1)
""",
)
wrong("rnn_forward", 3, STACKED, ("states[1:]", "states[:-1]"))
wrong("rnn_forward", "the part of the state is subtracted", FORWARD, ("+ h_prev", "- h_prev"))
wrong(
    "rnn_forward",
    "the sequence is read from its end to its",
    FORWARD,
    ("x[:, t] @", "x[:, -t - 1] @"),
)
wrong("rnn_forward", "the same input is read at every step", FORWARD, ("x[:, t] @", "x[:, 0] @"))
wrong("rnn_forward", None, FORWARD, ("+ b", "+ 0.5 * b"))
wrong(
    "rnn_forward",
    "the sequence is read from its end to its",
    FORWARD,
    ("return h", "return h[:, ::-1]"),
)
wrong("rnn_forward", 21, FORWARD, ("return h", "return h.transpose(0, 2, 1)"))
wrong("rnn_forward", "only the last state is returned", FORWARD, ("return h", "return h[:, -1]"))
wrong(
    "rnn_forward",
    None,
    FORWARD,
    ("np.tanh(a_t)", "np.tanh(a_t) + np.random.normal(size=a_t.shape)"),
)
wrong(
    "rnn_forward",
    "the numbers of features and of units are",
    FORWARD,
    ("np.zeros((N, T, W_h.shape[0]))", "np.zeros((N, T, F))"),
)
wrong("rnn_forward", "a list is returned, not an array", FORWARD, ("return h", "return h.tolist()"))
wrong("rnn_forward", None, FORWARD, ("return h", "return h + 0j"))
wrong("rnn_forward", None, FORWARD, ("return h", "return h.astype(object)"))
wrong("rnn_forward", None, FORWARD, ("return h", "return h.astype(np.float16)"))
wrong("rnn_forward", None, FORWARD, ("return h", "h[0, 0, 0] = np.nan; return h"))
wrong(
    "rnn_forward",
    "something is left over from the call before",
    """
cache = {}
def rnn_forward(x, h0, W_x, W_h, b):
    if x.shape not in cache:
        states = [h0]
        for t in range(x.shape[1]):
            states.append(np.tanh(x[:, t] @ W_x + states[-1] @ W_h + b))
        cache[x.shape] = np.stack(states[1:], axis=1)
    return cache[x.shape]
""",
)
wrong(
    "rnn_forward",
    None,
    """
buffers = {}
def rnn_forward(x, h0, W_x, W_h, b):
    h = buffers.setdefault(x.shape, np.zeros((*x.shape[:2], len(b))))
    for t in range(x.shape[1]):
        h[:, t] = h0 = np.tanh(x[:, t] @ W_x + h0 @ W_h + b)
    return h
""",
    float64_only=True,
)

# -- one step back ------------------------------------------------------------------------------

STEP_BACK = correct(
    "rnn_step_backward",
    "as in the lesson",
    """
def rnn_step_backward(dh_t, x_t, h_prev, h_t, W_x, W_h):
    N = len(dh_t)
    da_t = dh_t * (1 - h_t ** 2)
    dx_t = da_t @ W_x.T
    dh_prev = da_t @ W_h.T
    dW_x = x_t.T @ da_t
    dW_h = h_prev.T @ da_t
    db = da_t.sum(axis=0)
    return dx_t, dh_prev, dW_x, dW_h, db
""",
)
correct(
    "rnn_step_backward",
    "samples one by one",
    """
def rnn_step_backward(dh_t, x_t, h_prev, h_t, W_x, W_h):
    dW_x, dW_h, db = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros(len(W_h))
    dx_t, dh_prev = np.empty_like(x_t), np.empty_like(h_prev)
    for n in reversed(range(len(x_t))):
        da = dh_t[n] * (1 + h_t[n]) * (1 - h_t[n])
        dx_t[n], dh_prev[n] = W_x @ da, W_h @ da
        dW_x += np.outer(x_t[n], da)
        dW_h += np.outer(h_prev[n], da)
        db += da
    return [dx_t, dh_prev, dW_x, dW_h, db]
""",
)
correct(
    "rnn_step_backward",
    "einsum, transposed inside",
    """
def rnn_step_backward(dh_t, x_t, h_prev, h_t, W_x, W_h):
    da = (dh_t - dh_t * h_t * h_t).T
    return ((W_x @ da).T, (W_h @ da).T, np.einsum("nf,hn->fh", x_t, da),
            np.einsum("ni,jn->ij", h_prev, da), da.sum(1))
""",
)
correct(
    "rnn_step_backward",
    "gates",
    """
def rnn_step_backward(dh_t, x_t, h_prev, h_t, W_x, W_h):
    def multiply_back(dz, left, right):
        return dz @ right.T, left.T @ dz
    da = dh_t * (1 - np.square(h_t))
    dx_t, dW_x = multiply_back(da, x_t, W_x)
    dh_prev, dW_h = multiply_back(da, h_prev, W_h)
    return dx_t, dh_prev, dW_x, dW_h, np.ones(len(da)) @ da
""",
)

wrong("rnn_step_backward", 8, STEP_BACK, ("1 - h_t **", "1 - np.tanh(h_t) **"))
wrong("rnn_step_backward", 9, STEP_BACK, (" * (1 - h_t ** 2)", ""))
wrong("rnn_step_backward", 9, STEP_BACK, ("x_t.T @ da_t", "x_t.T @ dh_t"))
wrong("rnn_step_backward", 11, STEP_BACK, ("h_prev.T @", "h_t.T @"))
wrong("rnn_step_backward", 12, STEP_BACK, ("W_h.T", "W_h"))
wrong("rnn_step_backward", 13, STEP_BACK, ("(1 - h_t ** 2)", "(1 - h_t ** 2) / N"))
wrong("rnn_step_backward", 13, STEP_BACK, ("da_t.sum", "da_t.mean"))
wrong(
    "rnn_step_backward",
    13,
    STEP_BACK,
    ("x_t.T @ da_t", "x_t.T @ da_t / N"),
    ("h_prev.T @ da_t", "h_prev.T @ da_t / N"),
    ("da_t.sum", "da_t.mean"),
)
wrong("rnn_step_backward", 13, STEP_BACK, ("x_t.T @ da_t", "x_t.T @ da_t * N"))
wrong("rnn_step_backward", 14, STEP_BACK, ("x_t.T @ da_t", "np.outer(x_t.mean(0), da_t.mean(0))"))
wrong(
    "rnn_step_backward",
    14,
    STEP_BACK,
    ("x_t.T @ da_t", "np.outer(x_t.sum(0), da_t.sum(0))"),
    ("h_prev.T @ da_t", "np.outer(h_prev.sum(0), da_t.sum(0))"),
)
wrong(
    "rnn_step_backward",
    14,
    STEP_BACK,
    ("x_t.T @ da_t", "N * np.outer(x_t.mean(0), da_t.mean(0))"),
    ("h_prev.T @ da_t", "N * np.outer(h_prev.mean(0), da_t.mean(0))"),
)
wrong("rnn_step_backward", 16, STEP_BACK, ("db =", "db = np.zeros(len(W_h), dtype=int); db +="))
wrong("rnn_step_backward", 16, STEP_BACK, ("db =", "db = np.zeros(len(W_h), dtype=int); db[:] ="))
wrong("rnn_step_backward", 18, STEP_BACK, ("dW_h =", "dW_h = np.zeros_like(W_x); dW_h +="))
wrong("rnn_step_backward", 18, STEP_BACK, ("dW_h =", "dW_h = np.zeros_like(W_x); dW_h[:] ="))
wrong(
    "rnn_step_backward",
    20,
    STEP_BACK,
    ("dx_t =", "W_x -= 0.1 * x_t.T @ da_t; dx_t ="),
    float64_only=True,
)
wrong(
    "rnn_step_backward",
    20,
    STEP_BACK,
    ("    return", "    W_h -= 0.1 * dW_h\n    return"),
    float64_only=True,
)
wrong(
    "rnn_step_backward", 23, STEP_BACK, ("da_t = dh_t *", "da_t = dh_t; da_t *="), float64_only=True
)
wrong(
    "rnn_step_backward",
    5,
    """
sums = {}
def rnn_step_backward(dh_t, x_t, h_prev, h_t, W_x, W_h):
    if W_x.shape not in sums:
        sums[W_x.shape] = [np.zeros_like(W_x), np.zeros_like(W_h), np.zeros(len(W_h))]
    dW_x, dW_h, db = sums[W_x.shape]
    da_t = dh_t * (1 - h_t ** 2)
    dW_x += x_t.T @ da_t
    dW_h += h_prev.T @ da_t
    db += da_t.sum(axis=0)
    return da_t @ W_x.T, da_t @ W_h.T, dW_x, dW_h, db
""",
)
# Two at once:
wrong("rnn_step_backward", 11, STEP_BACK, ("h_prev.T @", "h_t.T @"), ("da_t.sum", "da_t.mean"))
# Nothing known:
wrong("rnn_step_backward", "is taken as 1 - h", STEP_BACK, ("h_t ** 2", "h_t"))
wrong("rnn_step_backward", "the derivative is taken as 1 + h**2", STEP_BACK, ("1 - h_t", "1 + h_t"))
wrong("rnn_step_backward", None, STEP_BACK, ("(1 - h_t ** 2)", "(1 - h_t ** 2) * 0.5"))
wrong(
    "rnn_step_backward",
    "the derivative is taken at the state before,",
    STEP_BACK,
    ("1 - h_t ** 2", "1 - h_prev ** 2"),
)
wrong("rnn_step_backward", "the gradient has the wrong sign", STEP_BACK, ("dx_t =", "dx_t = -1 *"))
wrong(
    "rnn_step_backward",
    "the results come in another order",
    STEP_BACK,
    ("dW_x, dW_h, db\n", "dW_h, dW_x, db\n"),
)
wrong(
    "rnn_step_backward",
    "dW_h is transposed",
    STEP_BACK,
    ("dW_h = h_prev.T @ da_t", "dW_h = (h_prev.T @ da_t).T"),
)
wrong(
    "rnn_step_backward",
    "the results are not those asked for: too few,",
    STEP_BACK,
    ("dW_x, dW_h, db\n", "dW_x, dW_h\n"),
)
wrong(
    "rnn_step_backward",
    "db keeps the axis of the samples",
    STEP_BACK,
    ("axis=0", "axis=0, keepdims=True"),
)
wrong("rnn_step_backward", "db is summed over the wrong axis", STEP_BACK, ("axis=0", "axis=1"))
wrong("rnn_step_backward", "a matrix product does not fit", STEP_BACK, ("W_x.T", "W_x"))
wrong(
    "rnn_step_backward",
    "the numbers of features and of units are",
    STEP_BACK,
    ("dW_x =", "dW_x = np.zeros_like(W_h); dW_x +="),
)
wrong("rnn_step_backward", None, STEP_BACK, ("dh_prev =", "dh_prev = dh_t +"))
wrong(
    "rnn_step_backward",
    "a list is returned",
    STEP_BACK,
    ("db = da_t.sum(axis=0)", "db = list(da_t.sum(axis=0))"),
)
wrong("rnn_step_backward", None, STEP_BACK, ("da_t =", "h_t *= 2; da_t ="), float64_only=True)

# -- back through time --------------------------------------------------------------------------

BACK = correct(
    "rnn_backward",
    "each entry on its own",
    """
def rnn_backward(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    N, T, F = x.shape
    H = h.shape[2]
    k = T if bptt_steps is None else bptt_steps
    dx, dh0 = np.zeros((N, T, F)), np.zeros((N, H))
    dW_x, dW_h, db = np.zeros((F, H)), np.zeros((H, H)), np.zeros(H)
    for t in reversed(range(T)):
        dh_t = dh[:, t]
        for s in range(t, max(t - k, -1), -1):
            h_prev = h[:, s - 1] if s > 0 else h0
            da = dh_t * (1 - h[:, s] ** 2)
            dx[:, s] += da @ W_x.T
            dW_x += x[:, s].T @ da
            dW_h += h_prev.T @ da
            db += da.sum(axis=0)
            dh_t = da @ W_h.T
            if s == 0:
                dh0 += dh_t
    return dx, dh0, dW_x, dW_h, db
""",
)
IN_FULL = """
    N, T, F = x.shape
    H = h.shape[2]
    dx, dh_prev = np.zeros((N, T, F)), np.zeros((N, H))
    dW_x, dW_h, db = np.zeros((F, H)), np.zeros((H, H)), np.zeros(H)
    for t in reversed(range(T)):
        h_prev = h[:, t - 1] if t > 0 else h0
        dh_t = dh[:, t] + dh_prev
        da = dh_t * (1 - h[:, t] ** 2)
        dh_prev = da @ W_h.T
        dx[:, t] = da @ W_x.T
        dW_x += x[:, t].T @ da
        dW_h += h_prev.T @ da
        db += da.sum(axis=0)
    return dx, dh_prev, dW_x, dW_h, db
"""
TWO_WAYS = correct(
    "rnn_backward",
    "one walk in full, another truncated",
    BACK.replace("def rnn_backward", "def truncated")
    + """
def rnn_backward(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    if bptt_steps is not None:
        return truncated(dh, x, h0, h, W_x, W_h, bptt_steps)
"""
    + IN_FULL,
)
correct(
    "rnn_backward",
    "waves of all entries at once, big products",
    """
def rnn_backward(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    N, T, F = x.shape
    H = W_h.shape[0]
    before = np.concatenate([h0[:, None], h[:, :-1]], axis=1)
    slope = 1 - h * h
    wave = dh * slope
    da, dh0 = wave.copy(), wave[:, 0] @ W_h.T
    for _ in range(min(bptt_steps or T, T) - 1):
        wave = np.einsum("ntj,ij->nti", wave[:, 1:], W_h) * slope[:, : wave.shape[1] - 1]
        da[:, : wave.shape[1]] += wave
        dh0 = dh0 + wave[:, 0] @ W_h.T
    flat = da.reshape(N * T, H)
    return ((flat @ W_x.T).reshape(N, T, F), dh0, x.reshape(-1, F).T @ flat,
            before.reshape(-1, H).T @ flat, flat.sum(axis=0))
""",
)
correct(
    "rnn_backward",
    "samples one by one, forward in time, Fortran order",
    """
def rnn_backward(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    N, T, F = x.shape
    k = bptt_steps or T
    dx, dh0 = np.zeros_like(x, order="F"), np.zeros_like(h0)
    dW_x, dW_h = np.zeros_like(W_x, order="F"), np.zeros_like(W_h, order="F")
    db = np.zeros_like(h0[0])
    for n in range(N):
        states = [h0[n], *h[n]]
        for t in range(T):
            g = dh[n, t]
            for s in range(t, -1, -1):
                if t - s >= k:
                    break
                da = g * (1 - states[s + 1] ** 2)
                dx[n, s] += W_x @ da
                dW_x += np.outer(x[n, s], da)
                dW_h += np.outer(states[s], da)
                db += da
                g = W_h @ da
            else:
                dh0[n] += g
    return dx, dh0, dW_x, dW_h, db
""",
)

ASCENDING = BACK.replace("reversed(range(T))", "range(T)")
TOO_FEW = "truncation: the gradient passes through one step too few"
TOO_MANY = "truncation: the gradient passes through one step too many"
HALVES = (("t", TWO_WAYS), ("s", BACK))  # which name a step has in which solution

wrong("rnn_backward", "cut into chunks", BACK, ("max(t - k, -1)", "t // k * k - 1"))
wrong("rnn_backward", "cut into chunks", BACK, ("max(t - k, -1)", "max(t - (t - T) % k, 0) - 1"))
for s, source in HALVES:
    wrong("rnn_backward", "is taken as 1 - h", source, (f"1 - h[:, {s}] ** 2", f"1 - h[:, {s}]"))
    wrong("rnn_backward", 6, source, (f"h[:, {s} - 1] if {s} > 0 else h0", f"h[:, {s} - 1]"))
    wrong("rnn_backward", 6, source, (f"if {s} > 0 else h0", f"if {s} > 0 else 0 * h0"))
    wrong("rnn_backward", 8, source, (f"1 - h[:, {s}] ** 2", f"1 - np.tanh(h[:, {s}]) ** 2"))
    wrong("rnn_backward", 9, source, (f" * (1 - h[:, {s}] ** 2)", ""))
    wrong("rnn_backward", 12, source, ("da @ W_h.T", "da @ W_h"))
    wrong(
        "rnn_backward",
        13,
        source,
        ("db\n", "db / N\n"),
        ("return dx, dh0, dW_x, dW_h", "return dx, dh0, dW_x / N, dW_h / N"),
    )
    wrong("rnn_backward", 13, source, ("da.sum", "da.mean"))
    wrong(
        "rnn_backward",
        14,
        source,
        (f"x[:, {s}].T @ da", f"N * np.outer(x[:, {s}].mean(0), da.mean(0))"),
        ("h_prev.T @ da", "N * np.outer(h_prev.mean(0), da.mean(0))"),
    )
    wrong(
        "rnn_backward",
        14,
        source,
        (f"x[:, {s}].T @ da", f"np.outer(x[:, {s}].mean(0), da.mean(0))"),
    )
    wrong("rnn_backward", 16, source, ("np.zeros(H)", "np.zeros(H, dtype=int)"))
    wrong("rnn_backward", 16, source, ("np.zeros(H)", "np.zeros_like(np.array([1] * H))"))
    wrong("rnn_backward", 18, source, ("np.zeros((H, H))", "np.zeros((F, H))"))
    wrong("rnn_backward", 18, source, ("np.zeros((H, H))", "np.zeros_like(W_x)"))
    for name in ("dW_x", "dW_h", "db"):
        wrong("rnn_backward", 10, source, (name + " +=", name + " ="))
    wrong("rnn_backward", 10, source, *((n + " +=", n + " =") for n in ("dW_x", "dW_h", "db")))
    wrong("rnn_backward", 20, source, ("dW_h +=", "W_x -= 0.1 * dW_x; dW_h +="), float64_only=True)
    wrong(
        "rnn_backward",
        20,
        source,
        ("da @ W_h.T", "da @ W_h.T; W_h -= 0.01 * h_prev.T @ da"),
        float64_only=True,
    )
wrong("rnn_backward", 11, BACK, ("h_prev.T @ da", "h[:, s].T @ da"))
wrong("rnn_backward", 11, TWO_WAYS, ("\n        dW_h += h_prev.T", "\n        dW_h += h[:, t].T"))
wrong("rnn_backward", 10, ASCENDING, *((n + " +=", n + " =") for n in ("dW_x", "dW_h", "db")))
wrong("rnn_backward", 10, BACK, ("dx[:, s] +=", "dx[:, s] ="))
wrong("rnn_backward", 10, BACK, ("dh0 +=", "dh0 ="))
wrong("rnn_backward", 10, ASCENDING, ("dx[:, s] +=", "dx[:, s] ="))
wrong("rnn_backward", 10, ASCENDING, ("dh0 +=", "dh0 ="))
wrong("rnn_backward", 3, BACK, ("reversed(range(T))", "range(T - 1, 0, -1)"))
wrong("rnn_backward", 3, BACK, ("reversed(range(T))", "reversed(range(T - 1))"))
wrong("rnn_backward", 3, TWO_WAYS, ("reversed(range(T))", "range(T - 1, 0, -1)"))
wrong("rnn_backward", 3, TWO_WAYS, ("reversed(range(T))", "range(T - 2, -1, -1)"))
wrong("rnn_backward", 3, BACK, ("max(t - k, -1)", "max(t - k, 0)"))
wrong("rnn_backward", 7, BACK, ("dh_t = dh[:, t]", "dh_t = dh[:, -1]"))
wrong("rnn_backward", 7, BACK, ("dh_t = dh[:, t]", "dh_t = dh[:, t] + (t < T - 1) * dh[:, -1]"))
wrong("rnn_backward", 7, TWO_WAYS, ("dh[:, t] + dh_prev", "dh[:, -1] + dh_prev"))
wrong("rnn_backward", 7, TWO_WAYS, ("dh[:, t] + dh_prev", "dh[:, t] + dh_prev + dh[:, -1]"))
wrong(
    "rnn_backward",
    7,
    TWO_WAYS,
    ("dh_prev = np.zeros((N, T, F)), np.zeros((N, H))", "dh_prev = np.zeros((N, T, F)), dh[:, -1]"),
)
wrong("rnn_backward", 9, TWO_WAYS, ("dh_prev = da @", "dh_prev = dh_t @"))
wrong("rnn_backward", 9, TWO_WAYS, ("].T @ da", "].T @ dh_t"))
wrong(
    "rnn_backward",
    12,
    TWO_WAYS,
    ("    return dx, dh_prev", "    dh_prev = da @ W_h.T\n    return dx, dh_prev"),
    ("dh_prev = da @ W_h.T\n        dx", "dh_prev = da @ W_h\n        dx"),
)
wrong("rnn_backward", 13, BACK, ("dh_t = dh[:, t]", "dh_t = dh[:, t] / N"))
wrong("rnn_backward", 13, BACK, ("dh_t = dh[:, t]", "dh_t = dh[:, t] * N"))
wrong("rnn_backward", TOO_FEW, BACK, ("max(t - k,", "max(t - k + 1,"))
wrong("rnn_backward", TOO_FEW, BACK, ("else bptt_steps", "else bptt_steps - 1"))
wrong("rnn_backward", TOO_FEW, BACK, ("else bptt_steps", "else max(1, bptt_steps - 1)"))
wrong("rnn_backward", TOO_FEW, BACK, ("else bptt_steps", "else bptt_steps - (bptt_steps < T)"))
wrong("rnn_backward", TOO_MANY, BACK, ("max(t - k,", "max(t - k - 1,"))
wrong("rnn_backward", TOO_MANY, BACK, ("else bptt_steps", "else bptt_steps + 1"))
wrong("rnn_backward", "bptt_steps is not used", BACK, ("else bptt_steps", "else T"))
wrong(
    "rnn_backward", "only the last bptt_steps steps", BACK, ("max(t - k, -1)", "max(T - 1 - k, -1)")
)
wrong(
    "rnn_backward",
    21,
    BACK.replace("[:, ", "["),
    ("N, T, F = x.shape", "T, N, F = x.shape"),
    ("np.zeros((N, T, F)), np.zeros((N, H))", "np.zeros((T, N, F)), np.zeros_like(h0)"),
)
wrong("rnn_backward", 21, BACK, ("return dx", "return dx.swapaxes(0, 1)"))
wrong("rnn_backward", 21, BACK, ("return dx", "return dx.swapaxes(0, 1).reshape(x.shape)"))
wrong("rnn_backward", 22, TWO_WAYS, ("dh[:, t] + dh_prev", "dh_prev if t < T - 1 else dh[:, t]"))
wrong("rnn_backward", 22, TWO_WAYS, ("dh[:, t] + dh_prev", "dh[:, t]"))
wrong("rnn_backward", 22, BACK, ("max(t - k, -1)", "t - 1"))
wrong(
    "rnn_backward",
    23,
    TWO_WAYS,
    ("dh_t = dh[:, t] + dh_prev", "dh_t = dh[:, t]; dh_t += dh_prev"),
    float64_only=True,
)
wrong("rnn_backward", 23, BACK, ("da = dh_t * (1", "da = dh_t; da *= (1"), float64_only=True)
wrong(
    "rnn_backward",
    5,
    TWO_WAYS,
    (
        "= np.zeros((F, H)), np.zeros((H, H)), np.zeros(H)",
        "= kept.setdefault(x.shape, [np.zeros((F, H)), np.zeros((H, H)), np.zeros(H)])",
    ),
    ("def truncated", "kept = {}\ndef truncated"),
)
wrong(
    "rnn_backward",
    5,
    """
dh_prev = None
def rnn_backward(dh, x, h0, h, W_x, W_h, bptt_steps=None):
    global dh_prev
    if dh_prev is None or dh_prev.shape != h0.shape:
        dh_prev = np.zeros_like(h0)
    T = x.shape[1]
    k = T if bptt_steps is None else bptt_steps
    dx, da = np.zeros_like(x), np.zeros_like(h)
    dh = dh.copy()
    dh[:, -1] += dh_prev
    dh_prev = np.zeros_like(h0)
    for t in range(T):
        g = dh[:, t]
        for s in range(t, max(t - k, -1), -1):
            da_s = g * (1 - h[:, s] ** 2)
            da[:, s] += da_s
            g = da_s @ W_h.T
            if s == 0:
                dh_prev += g
    before = np.concatenate([h0[:, None], h[:, :-1]], axis=1)
    dW_x, dW_h = (np.einsum("nti,ntj->ij", v, da) for v in (x, before))
    return da @ W_x.T, dh_prev.copy(), dW_x, dW_h, da.sum(axis=(0, 1))
""",
)
# Nothing known:
wrong("rnn_backward", None, TWO_WAYS, ("dh[:, t] + dh_prev", "dh[:, t] - dh_prev"))
wrong("rnn_backward", None, BACK, ("dh_t = dh[:, t]", "dh_t = 0.5 * dh[:, t]"))
wrong("rnn_backward", "the derivative is taken as 1 + h**2", BACK, ("(1 - h[", "(1 + h["))
wrong("rnn_backward", "dW_h is transposed", BACK, ("dW_h, db\n", "dW_h.T, db\n"))
wrong(
    "rnn_backward",
    "dx comes in the order of the loop, from the",
    BACK,
    ("return dx,", "return dx[:, ::-1],"),
)
wrong("rnn_backward", "dh0 is left at zero", BACK, ("dh0 += dh_t", "pass"))
wrong("rnn_backward", None, BACK, ("dx[:, s] += da", "dx[:, t] += da"))
wrong("rnn_backward", None, BACK, ("dW_x += x[:, s]", "dW_x += x[:, t]"))
wrong(
    "rnn_backward", None, BACK, ("db += da.sum(axis=0)", "db += dh_t.sum(axis=0) - da.sum(axis=0)")
)
wrong(
    "rnn_backward",
    "the results are not those asked for: too few,",
    BACK,
    ("return dx, dh0,", "return dx,"),
)
wrong(
    "rnn_backward",
    None,
    BACK,
    ("return dx, dh0,", "dx *= 1 + 1e-6; return dx, dh0,"),
    float64_only=True,
)
wrong("rnn_backward", None, BACK, ("return dx, dh0,", "dW_h[0, 0] *= 2; return dx, dh0,"))
wrong("rnn_backward", "dh0 is left at zero", BACK, ("return dx, dh0,", "return dx, dh0 * 0,"))
wrong(
    "rnn_backward",
    "at t = 0 the state before is taken to be h[:,",
    BACK,
    ("h[:, s - 1] if s > 0 else h0", "h[:, max(s - 1, 0)]"),
)
wrong("rnn_backward", None, BACK, ("return dx", "h0 *= 1.5; return dx"), float64_only=True)
wrong(
    "rnn_backward",
    "the results are not those asked for: too few,",
    BACK,
    ("return dx, dh0, dW_x, dW_h, db", "return {'dx': dx}"),
)
wrong(
    "rnn_backward",
    "the numbers of features and of units are",
    BACK,
    ("np.zeros((N, T, F))", "np.zeros((N, T, H))"),
)

# The same slips in each quantity: no known mistake gives any of these.
for exercise, source, names in (
    ("rnn_step_backward", STEP_BACK, "dx_t dh_prev dW_x dW_h db"),
    ("rnn_backward", BACK, "dx dh0 dW_x dW_h db"),
):
    for name in names.split():
        zeros = "zero" if name == "dh0" else "as it began"
        zeros = "a result is left as zeros" if exercise == "rnn_step_backward" else zeros
        for slip, mistake in (
            ("0 * {}", zeros),
            ("-{}", "the gradient has the wrong sign"),
            ("0.5 * {}", None),
            ("2 * {}", None),
            ("1 + {}", None),
            ("{}[::-1]", None),
            ("{} ** 2", None),
            ("{}.round(2)", None),
        ):
            wrong(exercise, mistake, source, ("return", f"{name} = {slip.format(name)}; return"))

# -- the loss -----------------------------------------------------------------------------------

SOFTMAX = correct(
    "softmax_cross_entropy",
    "as in the lesson",
    """
def softmax_cross_entropy(scores, labels):
    N = len(labels)
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -log_p[np.arange(N), labels].mean()
    dscores = np.exp(log_p)
    dscores[np.arange(N), labels] -= 1
    return loss, dscores / N
""",
)
correct(
    "softmax_cross_entropy",
    "one-hot, a sample at a time, a plain float",
    """
def softmax_cross_entropy(scores, labels):
    total, gradients = 0.0, []
    for z, label in zip(scores, labels):
        target = np.eye(len(z))[label]
        z = z - z.max()
        log_sum = np.log(np.exp(z).sum())
        total += float(log_sum - z @ target)
        gradients.append((np.exp(z - log_sum) - target) / len(scores))
    return total / len(scores), np.array(gradients)
""",
)
correct(
    "softmax_cross_entropy",
    "logaddexp, the loss as an array of no dimension",
    """
def softmax_cross_entropy(scores, labels):
    log_sum = np.logaddexp.reduce(scores, axis=1, keepdims=True)
    targets = np.eye(scores.shape[1])[labels]
    loss = np.mean(log_sum[:, 0] - np.take_along_axis(scores, labels[:, None], 1)[:, 0])
    return np.asarray(loss), np.asfortranarray(np.exp(scores - log_sum) - targets) / len(scores)
""",
)

wrong("softmax_cross_entropy", 13, SOFTMAX, ("dscores / N", "dscores"))
wrong("softmax_cross_entropy", 13, SOFTMAX, ("dscores / N", "dscores / N / N"))
wrong("softmax_cross_entropy", 13, SOFTMAX, (".mean()", ".sum()"))
wrong("softmax_cross_entropy", 13, SOFTMAX, (".mean()", ".sum()"), ("dscores / N", "dscores"))
wrong("softmax_cross_entropy", 13, SOFTMAX, (".mean()", ".mean() / N"))
wrong(
    "softmax_cross_entropy",
    16,
    SOFTMAX,
    ("dscores = np.exp(log_p)", "dscores = np.zeros(scores.shape, int); dscores += np.exp(log_p)"),
)
wrong("softmax_cross_entropy", 16, SOFTMAX, ("dscores / N", "(dscores / N).astype(int)"))
wrong(
    "softmax_cross_entropy", "exp overflows", SOFTMAX, (" - scores.max(axis=1, keepdims=True)", "")
)
LOG_P = "log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))"
WITH_P = "p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)\n    "
wrong("softmax_cross_entropy", "rounded to 0", SOFTMAX, (LOG_P, WITH_P + "log_p = np.log(p)"))
wrong(
    "softmax_cross_entropy",
    "a small number is added to the probability,",
    SOFTMAX,
    (LOG_P, WITH_P + "log_p = np.log(p + 1e-12)"),
)
wrong(
    "softmax_cross_entropy",
    "the loss has the wrong sign: the minus is",
    SOFTMAX,
    ("loss = -", "loss = "),
)
wrong("softmax_cross_entropy", None, SOFTMAX, ("-= 1", "+= 1"))
wrong(
    "softmax_cross_entropy",
    "is taken down the columns, not along each row",
    SOFTMAX,
    ("axis=1", "axis=0"),
)
wrong(
    "softmax_cross_entropy",
    "the gradient lacks the minus 1 at the label",
    SOFTMAX,
    ("    dscores[np.arange(N), labels] -= 1\n", ""),
)
wrong(
    "softmax_cross_entropy",
    "the mean is taken over all N * K numbers, not",
    SOFTMAX,
    ("dscores / N", "dscores / scores.size"),
)
wrong(
    "softmax_cross_entropy",
    "the results are not those asked for: too few,",
    SOFTMAX,
    ("return loss, dscores / N", "return loss"),
)
wrong("softmax_cross_entropy", "the loss is not one number", SOFTMAX, (".mean()", ""))
wrong("softmax_cross_entropy", None, SOFTMAX, ("return loss", "return str(loss)"))
wrong(
    "softmax_cross_entropy",
    "the scores that came in are changed in place",
    SOFTMAX,
    ("shifted = scores -", "shifted = scores; shifted -="),
    float64_only=True,
)

# -- the update ---------------------------------------------------------------------------------

UPDATE = correct(
    "update",
    "as in the lesson",
    """
def update(params, grads, lr):
    for name in params:
        params[name] -= lr * grads[name]
""",
)
correct(
    "update",
    "slice assignment",
    """
def update(params, grads, lr):
    for name, w in params.items():
        w[...] = w - np.multiply(grads[name], lr)
""",
)
correct(
    "update",
    "element by element, names written out",
    """
def update(params, grads, lr):
    for w, dw in ((params[n], grads[n]) for n in ("b", "W_h", "W_x")):
        for index in np.ndindex(w.shape):
            w[index] -= lr * dw[index]
""",
)
correct(
    "update",
    "ufuncs",
    """
def update(params, grads, lr):
    [np.subtract(w, lr * grads[n], out=w) for n, w in params.items()]
""",
)
correct("update", "returns what it was given", UPDATE + "    return params\n")

wrong("update", 13, UPDATE, ("grads[name]", "grads[name] / len(grads[name])"))
wrong("update", 13, UPDATE, ("grads[name]", "grads[name].mean()"))
wrong("update", 13, UPDATE, ("grads[name]", "np.mean(grads[name], axis=0)"))
wrong(
    "update",
    16,
    UPDATE,
    (
        "params[name] -= lr * grads[name]",
        "step = np.zeros(params[name].shape, int); step += lr * grads[name]; params[name] -= step",
    ),
)
wrong(
    "update",
    "new arrays take the place of those in params",
    UPDATE,
    ("params[name] -= lr *", "params[name] = params[name] - lr *"),
)
wrong(
    "update",
    "the arrays in params are not changed",
    UPDATE,
    ("params[name] -= lr", "w = params[name]; w = w - lr"),
)
wrong("update", "the update goes uphill", UPDATE, ("-=", "+="))
wrong("update", "the learning rate is missing", UPDATE, ("lr *", ""))
wrong("update", "the learning rate is missing, or it is a", UPDATE, ("lr *", "0.01 *"))
wrong("update", "only one of the arrays is updated", UPDATE, ("in params", "in ('W_x', 'W_h')"))
wrong(
    "update",
    "another name",
    UPDATE,
    ("for name in", "params['W'] = params['W_x']\n    for name in"),
)
wrong("update", None, UPDATE, ("lr * grads[name]", "lr * np.sign(grads[name])"))
wrong(
    "update",
    "the gradients are changed in place",
    UPDATE,
    ("params[name]", "grads[name] *= lr; params[name]"),
    ("-= lr *", "-="),
    float64_only=True,
)
wrong(
    "update",
    None,
    """
velocity = {}
def update(params, grads, lr):
    for name in params:
        velocity[name] = 0.9 * velocity.get(name, 0) + grads[name]
        params[name] -= lr * velocity[name]
""",
)

# -- the numeric gradient -----------------------------------------------------------------------

NUMERIC = correct(
    "numeric_gradient",
    "as in the lesson",
    """
def numeric_gradient(f, array, eps=1e-5):
    gradient = np.zeros(array.shape)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + eps
        up = f()
        array[index] = kept - eps
        down = f()
        array[index] = kept
        gradient[index] = (up - down) / (2 * eps)
    return gradient
""",
)
correct(
    "numeric_gradient",
    "flat, restored from a copy",
    """
def numeric_gradient(f, array, eps=1e-5):
    before, result = array.copy(), []
    for i in range(array.size):
        values = []
        for sign in (-1, 1):
            array.flat[i] += sign * eps
            values.append(f())
            array[...] = before
        result.append((values[1] - values[0]) / eps / 2)
    return np.array(result).reshape(array.shape)
""",
)
correct(
    "numeric_gradient",
    "restored by adding, which rounds",
    """
def numeric_gradient(f, array, eps=1e-5):
    gradient = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        array[index] += eps
        up = f()
        array[index] -= 2 * eps
        down = f()
        array[index] += eps
        gradient[index] = (up - down) / (2 * eps)
    return gradient
""",
)

wrong(
    "numeric_gradient", 16, NUMERIC, ("np.zeros(array.shape)", "np.zeros(array.shape, dtype=int)")
)
wrong(
    "numeric_gradient",
    "one-sided",
    NUMERIC,
    ("array[index] = kept - eps", "array[index] = kept"),
    ("(2 * eps)", "eps"),
)
wrong(
    "numeric_gradient",
    "one-sided",
    NUMERIC,
    ("array[index] = kept + eps", "array[index] = kept"),
    ("(2 * eps)", "eps"),
)
wrong(
    "numeric_gradient",
    "a copy is nudged",
    NUMERIC,
    ("gradient = np", "array = array.copy(); gradient = np"),
)
wrong("numeric_gradient", "not divided by 2 * eps", NUMERIC, ("(2 * eps)", "eps"))
wrong("numeric_gradient", "not divided by 2 * eps", NUMERIC, ("(2 * eps)", "2 * eps"))
wrong("numeric_gradient", "the gradient has the wrong sign", NUMERIC, ("up - down", "down - up"))
wrong(
    "numeric_gradient",
    "a nudged number is not put back",
    NUMERIC,
    ("        array[index] = kept\n", ""),
)
wrong(
    "numeric_gradient",
    "eps is not used: the step is a number of your",
    NUMERIC,
    ("kept + eps", "kept + 1e-5"),
    ("kept - eps", "kept - 1e-5"),
    ("2 * eps", "2e-5"),
)
wrong("numeric_gradient", None, NUMERIC, ("return gradient", "return gradient.ravel()[:4]"))
wrong(
    "numeric_gradient",
    "a nudged number is not put back",
    NUMERIC,
    ("return gradient", "array[...] = gradient; return array"),
)
wrong("numeric_gradient", None, NUMERIC, ("return gradient", "return array"))
wrong("numeric_gradient", "lost the shape", NUMERIC, ("return gradient", "return gradient.sum()"))
wrong("numeric_gradient", "f is called with an argument", NUMERIC, ("f()", "f(array)"))

# -- a row of ids -------------------------------------------------------------------------------

ENCODE = correct(
    "encode",
    "as in the lesson",
    """
def encode(words, id_of, maxlen):
    ids = np.zeros(maxlen, dtype=int)
    for t, word in enumerate(words[-maxlen:]):
        ids[t] = id_of.get(word, 1)
    return ids
""",
)
ENCODE_LIST = correct(
    "encode",
    "a list, filled up",
    """
def encode(words, id_of, maxlen):
    kept = words[-maxlen:]
    ids = [id_of[word] if word in id_of else 1 for word in kept]
    return np.array(ids + [0] * (maxlen - len(ids)))
""",
)
correct(
    "encode",
    "np.pad, int32",
    """
def encode(words, id_of, maxlen):
    ids = np.array([id_of.get(word, id_of["<unk>"]) for word in words], dtype=np.int32)
    return np.pad(ids, (0, maxlen))[max(0, len(ids) - maxlen):][:maxlen]
""",
)
ENCODE_TRY = correct(
    "encode",
    "try and except, counted by hand",
    """
def encode(words, id_of, maxlen):
    first = max(len(words) - maxlen, 0)
    row = np.full(maxlen, 0, dtype=np.uint16)
    for t in range(first, len(words)):
        try:
            row[t - first] = id_of[words[t]]
        except KeyError:
            row[t - first] = 1
    return row
""",
)

wrong("encode", "first maxlen words", ENCODE, ("words[-maxlen:]", "words[:maxlen]"))
wrong("encode", "first maxlen words", ENCODE_LIST, ("words[-maxlen:]", "words[:maxlen]"))
wrong("encode", "wrong place", ENCODE_LIST, ("words[-maxlen:]", "words"))
wrong("encode", "wrong place", ENCODE, ("words[-maxlen:]", "words[len(words) - maxlen:]"))
wrong("encode", "wrong place", ENCODE, ("words[-maxlen:]", "words[-maxlen:-1]"))
wrong("encode", "wrong place", ENCODE_LIST, ("words[-maxlen:]", "words[-maxlen + 1:]"))
wrong("encode", "wrong place", ENCODE_LIST, ("words[-maxlen:]", "words[-maxlen - 1:]"))
wrong("encode", None, ENCODE, ("words[-maxlen:]", "words"))  # stops: the row is too short
wrong(
    "encode",
    "before it is cut",
    ENCODE_LIST,
    ("words[-maxlen:]", "words"),
    ("(maxlen - len(ids)))", "maxlen)[-maxlen:]"),
)
wrong(
    "encode",
    "in front",
    ENCODE_LIST,
    ("ids + [0] * (maxlen - len(ids))", "[0] * (maxlen - len(ids)) + ids"),
)
wrong("encode", "in front", ENCODE, ("ids[t]", "ids[maxlen - len(words[-maxlen:]) + t]"))
wrong(
    "encode",
    "not filled up",
    ENCODE_LIST,
    ("ids + [0] * (maxlen - len(ids))", "ids"),
    ("np.array(ids)", "np.array(ids, dtype=int)"),
)
wrong("encode", "a short review is not filled", ENCODE_LIST, ("+ [0] * (maxlen - len(ids))", ""))
wrong(
    "encode",
    "left out",
    ENCODE_LIST,
    (
        "id_of[word] if word in id_of else 1 for word in kept",
        "id_of[w] for w in kept if w in id_of",
    ),
)
wrong(
    "encode",
    "left out",
    ENCODE_LIST,
    ("words[-maxlen:]", "[word for word in words if word in id_of][-maxlen:]"),
)
wrong("encode", "becomes 0", ENCODE, ("(word, 1)", "(word, 0)"))
wrong("encode", "becomes 0", ENCODE_LIST, ("else 1", "else 0"))
wrong("encode", "becomes 0", ENCODE_TRY, ("= 1", "= 0"))
wrong("encode", "does not know", ENCODE, (".get(word, 1)", "[word]"))
wrong(
    "encode", "does not know", ENCODE_LIST, ("id_of[word] if word in id_of else 1", "id_of[word]")
)
wrong("encode", "put into id_of", ENCODE, (".get(", ".setdefault("))
wrong(
    "encode",
    "put into id_of",
    ENCODE_TRY,
    ("row[t - first] = 1", "id_of[words[t]] = row[t - first] = 1"),
)
wrong(
    "encode",
    "changed in place",
    ENCODE,
    ("    ids =", "    words.reverse(); words = words[:maxlen][::-1]\n    ids ="),
)
wrong(
    "encode", "changed in place", ENCODE_LIST, ("kept = words", "del words[:-maxlen]; kept = words")
)
wrong("encode", "opposite order", ENCODE, ("words[-maxlen:]", "words[::-1][:maxlen]"))
wrong(
    "encode", "opposite order", ENCODE_LIST, ("words[-maxlen:]", "list(reversed(words))[-maxlen:]")
)
wrong("encode", "a list is returned, not an array", ENCODE, ("return ids", "return ids.tolist()"))
wrong("encode", "the row is not made of whole numbers", ENCODE, (", dtype=int", ""))
wrong("encode", "the row is not made of whole numbers", ENCODE_LIST, ("[0]", "[0.0]"))
wrong("encode", "a short review is filled up with something", ENCODE, ("np.zeros", "np.ones"))
wrong("encode", None, ENCODE, ("return ids", "return ids[None]"))
wrong(
    "encode",
    "a word that comes twice is kept only once",
    ENCODE,
    ("words[-maxlen:]", "dict.fromkeys(words[-maxlen:])"),
)
wrong("encode", None, ENCODE, ("    ids =", "    maxlen = 7\n    ids ="))
wrong("encode", None, ENCODE, ("    ids =", "    words[0]\n    ids ="))  # no words, no first one
wrong(
    "encode",
    None,
    "buffer = np.zeros(9, dtype=int)\n" + ENCODE,
    ("np.zeros(maxlen, dtype=int)", "buffer[:maxlen]\n    ids[:] = 0"),
)

# -- a training step ----------------------------------------------------------------------------

TRAINING = correct(
    "training_step",
    "as in the lesson",
    """
def training_step(network, loss, optimizer, x, lengths, y):
    scores = network.forward(x, lengths=lengths, training=True)
    value = loss.forward(scores, y)
    network.backward(loss.backward())
    grads, _ = clip_by_global_norm(network.grads, max_norm=1.0)
    optimizer.update(network.params, grads)
    return value
""",
)
correct(
    "training_step",
    "arguments by position, in few lines",
    """
def training_step(network, loss, optimizer, x, lengths, y):
    value = loss.forward(network.forward(x, lengths, True), y)
    network.backward(loss.backward())
    optimizer.update(network.params, clip_by_global_norm(network.grads, 1)[0])
    return value
""",
)
correct(
    "training_step",
    "arguments by name, params taken first",
    """
def training_step(network, loss, optimizer, x, lengths, y):
    params = network.params
    scores = network.forward(x=x, training=True, lengths=lengths)
    value = loss.forward(scores=scores, labels=y)
    dscores = loss.backward()
    network.backward(dscores=dscores)
    clipped, norm = clip_by_global_norm(grads=network.grads, max_norm=1)
    optimizer.update(params=params, grads=clipped)
    return float(value)
""",
)
TRAINING_BY_HAND = correct(
    "training_step",
    "clipped by hand",
    """
def training_step(network, loss, optimizer, x, lengths, y):
    value = loss.forward(network.forward(x, lengths=lengths, training=True), y)
    network.backward(loss.backward())
    grads = network.grads
    norm = global_norm(grads)
    if norm > 1:
        grads = {name: grad / norm for name, grad in grads.items()}
    optimizer.update(network.params, grads)
    return np.float64(value)
""",
)

_UPDATE_LINE = "    optimizer.update(network.params, grads)\n"
_BACK_LINE = "    network.backward(loss.backward())\n"
_CLIP_LINE = "    grads, _ = clip_by_global_norm(network.grads, max_norm=1.0)\n"
wrong("training_step", "without training=True", TRAINING, (", training=True", ""))
wrong("training_step", "without training=True", TRAINING, ("=True", "=False"))
wrong("training_step", "without lengths, and reads", TRAINING, ("lengths=lengths, ", ""))
wrong(
    "training_step",
    "lengths and without training",
    TRAINING,
    (", lengths=lengths, training=True", ""),
)
wrong(
    "training_step",
    "batch before",
    TRAINING,
    (_BACK_LINE, ""),
    (_UPDATE_LINE, _UPDATE_LINE + _BACK_LINE),
)
wrong(
    "training_step",
    "batch before",
    TRAINING,
    (_BACK_LINE + _CLIP_LINE, _CLIP_LINE + _BACK_LINE),
)
wrong(
    "training_step",
    "batch before",
    TRAINING_BY_HAND,
    ("    value", "    grads = network.grads\n    value"),
    ("    grads = network.grads\n    norm", "    norm"),
)
wrong("training_step", "not clipped", TRAINING, ("grads)\n", "network.grads)\n"))
wrong(
    "training_step",
    "not clipped",
    TRAINING,
    ("grads, _ = clip", "clip"),
    ("params, ", "params, network."),
)
wrong(
    "training_step",
    "not clipped",
    TRAINING,
    (_CLIP_LINE, "    grads = network.grads\n"),
    (_UPDATE_LINE, _UPDATE_LINE + _CLIP_LINE),
)
wrong(
    "training_step",
    "by itself",
    TRAINING_BY_HAND,
    ("norm = global_norm(grads)", "norm = 2"),
    ("grad / norm", "grad / max(1, np.linalg.norm(grad))"),
)
wrong("training_step", "by itself", TRAINING_BY_HAND, ("grad / norm", "np.clip(grad, -1, 1)"))
wrong("training_step", "scaled up", TRAINING_BY_HAND, ("if norm > 1", "if True"))
wrong(
    "training_step",
    "after the update",
    TRAINING,
    ("return value", "return loss.forward(network.forward(x, lengths=lengths, training=True), y)"),
)
wrong(
    "training_step",
    "after the update",
    TRAINING,
    ("return value", "return loss.forward(network.forward(x, lengths=lengths), y)"),
)
wrong("training_step", "backward is not called", TRAINING, (_BACK_LINE, ""))
wrong("training_step", "backward is not called", TRAINING, (_BACK_LINE, "    loss.backward()\n"))
wrong("training_step", "two updates", TRAINING, (_UPDATE_LINE, 2 * _UPDATE_LINE))
wrong("training_step", "no parameter", TRAINING, (_UPDATE_LINE, ""))
wrong("training_step", 13, TRAINING, ("loss.backward()", "loss.backward() / len(y)"))
wrong(
    "training_step",
    13,
    TRAINING_BY_HAND,
    ("    optimizer", "    grads = {n: g / len(y) for n, g in grads.items()}\n    optimizer"),
)
wrong("training_step", 13, TRAINING, ("return value", "return value / len(x)"))
wrong("training_step", 13, TRAINING, ("return value", "return value * len(x)"))
wrong("training_step", "nothing is returned", TRAINING, ("    return value\n", ""))
wrong(
    "training_step",
    "what is returned is not the loss",
    TRAINING,
    ("return value", "return value, scores"),
)
wrong(
    "training_step", "what is returned is not the loss", TRAINING, ("return value", "return scores")
)
wrong(
    "training_step", "what is returned is not the loss", TRAINING, ("return value", "return 'low'")
)
wrong(
    "training_step",
    "the gradients are clipped to another norm",
    TRAINING,
    ("max_norm=1.0", "max_norm=5.0"),
)
wrong(
    "training_step",
    "clip_by_global_norm gives two things, and",
    TRAINING,
    ("grads, _ =", "grads ="),
)
wrong("training_step", None, TRAINING, ("loss.backward()", "scores"))
wrong(
    "training_step",
    None,
    TRAINING,
    (_UPDATE_LINE, "    for name, w in network.params.items():\n        w -= 0.01 * grads[name]\n"),
)
wrong("training_step", None, TRAINING, ("    scores", "    x *= 0.5\n    scores"))
wrong(
    "training_step",
    None,
    TRAINING,
    ("params, grads)", "params, {n: -g for n, g in grads.items()})"),
)

# -- habits that published code and students' attempts have shown -------------------------------

HALF = "(1 - np.exp(-a_t)) / (1 + np.exp(-a_t))"
wrong("rnn_step", "tanh of half the sum", STEP, ("np.tanh(a_t)", HALF))
wrong("rnn_step", "the sigmoid stands", STEP, ("np.tanh(a_t)", "1 / (1 + np.exp(-a_t))"))
wrong("rnn_step", "more is returned", STEP, ("return np.tanh(a_t)", "return np.tanh(a_t), a_t"))

wrong(
    "rnn_forward",
    "h0 is put in the place of the first state",
    """
def rnn_forward(x, h0, W_x, W_h, b):
    h = np.zeros((x.shape[0], x.shape[1], len(W_h)))
    h[:, 0] = h0
    for t in range(1, x.shape[1]):
        h[:, t] = np.tanh(np.dot(x[:, t], W_x) + np.dot(h[:, t - 1], W_h) + b)
    return h
""",
)
wrong(
    "rnn_forward",
    "the first step does not start from h0",
    """
def rnn_forward(x, h0, W_x, W_h, b):
    h = np.zeros((x.shape[0], x.shape[1], len(W_h)))
    for t in range(x.shape[1]):
        h[:, t] = np.tanh(x[:, t].dot(W_x) + h[:, t - 1].dot(W_h) + b)
    return h
""",
)
wrong("rnn_forward", 21, FORWARD, ("x[:, t] @", "x[t] @"))
wrong("rnn_forward", "a list is returned", STACKED, ("np.stack(states[1:], axis=1)", "states[1:]"))
wrong("rnn_forward", "more is returned", FORWARD, ("return h", "return h, h[:, -1]"))
for product in ("np.matmul({}, {})", "np.dot({}, {})", "np.einsum('ni,ij->nj', {}, {})"):
    wrong(
        "rnn_forward",
        18,
        """
def rnn_forward(x, h0, W_x, W_h, b):
    states, h = [], h0[:, : x.shape[2]]
    if h.shape[1] < x.shape[2]:
        h = np.zeros((len(x), x.shape[2]))
    for t in range(x.shape[1]):
        h = np.tanh(np.dot(x[:, t], W_x) + INTO_W_h + b)
        states.append(h)
    return np.stack(states, axis=1)
""",
        ("INTO_W_h", product.format("h", "W_h")),
    )

for edit, mistake in {
    "np.clip(da_t, -5, 5)": "clipped inside",
    "da_t / max(1, np.linalg.norm(da_t))": "clipped inside",
    "1 - h_t**2": "dh, is never used",
    "dh_t * h_t * (1 - h_t)": "that of the sigmoid",
    "dh_t * (1 - h_t)**2": "is taken as (1 - h)**2",
    "dh_t * 1 - h_t**2": "brackets are missing",
    "dh_t * (h_t > 0)": "that of ReLU",
}.items():
    end = ("da_t = dh_t * (1 - h_t ** 2)", f"da_t = dh_t * (1 - h_t ** 2)\n    da_t = {edit}")
    wrong("rnn_step_backward", mistake, STEP_BACK, end)
wrong("rnn_step_backward", "db is not summed", STEP_BACK, ("da_t.sum(axis=0)", "da_t"))
wrong("rnn_step_backward", "db is summed over the wrong", STEP_BACK, ("sum(axis=0)", "sum()"))

CLIP_ALL = "    dW_x, dW_h, db = (np.clip(g, -{0}, {0}) for g in (dW_x, dW_h, db))\n    return"
for edit, mistake in {
    ("    return dx, dh_prev", CLIP_ALL.format(1) + " dx, dh_prev"): "clipped inside",
    ("    return dx, dh_prev", CLIP_ALL.format(20) + " dx, dh_prev"): "clipped inside",
    ("dW_h += h_prev.T @ da", "dW_h += np.clip(h_prev.T @ da, -5, 5)"): "clipped inside",
    ("dh_t = dh[:, t] + dh_prev", "dh_t = dh_prev"): "dh, is never used",
    (
        "dh_t = dh[:, t] + dh_prev",
        "dh_t = (t == T - 1) * dh[:, t] + dh_prev",
    ): "only dh of the last step",
    ("dh_t = dh[:, t] + dh_prev", "dh_t = dh[:, t]"): "the step after is lost",
    ("dh_t = dh[:, t] + dh_prev", "dh_t = dh[:, t] + dh_prev @ W_h.T"): "W_h.T is applied twice",
    ("dh_prev = da @ W_h.T", "dh_prev = dh_prev + da @ W_h.T"): "pile up",
    ("reversed(range(T))", "range(T)"): "the loop runs forward",
    ("1 - h[:, t] ** 2", "1 - h[:, -1] ** 2"): "the derivative of the last state",
    ("db += da.sum(axis=0)", "db += db"): "nothing is added",
    ("    return dx, dh_prev", "        return dx, dh_prev"): "the loop ends too early",
}.items():
    wrong("rnn_backward", mistake, TWO_WAYS, edit)
wrong(
    "rnn_backward",
    23,
    TWO_WAYS,
    ("dh_t = dh[:, t] + dh_prev", "dh[:, t] += dh_prev; dh_t = dh[:, t]"),
    float64_only=True,
)
wrong(
    "rnn_backward", "dh0 keeps one", BACK, ("            if s == 0:", "            if s == t == 0:")
)
wrong(
    "rnn_backward",
    "dh0 also gets gradients",
    BACK,
    ("            if s == 0:\n                dh0 += dh_t", "        dh0 += dh_t"),
)
wrong(
    "rnn_backward",
    "counts with it",
    BACK,
    ("T if bptt_steps is None else bptt_steps", "bptt_steps"),
)
# Two at once, of which both are named:
NO_TRANSPOSE = ("da @ W_h.T", "da @ W_h")
SUMS = [(f"{name} +=", f"{name} =") for name in ("dW_x", "dW_h", "db")]
wrong("rnn_backward", (10, 12), BACK, NO_TRANSPOSE, *SUMS)
wrong(
    "rnn_backward",
    (6, 8),
    BACK,
    ("1 - h[:, s] ** 2", "1 - np.tanh(h[:, s]) ** 2"),
    ("else h0", "else 0 * h0"),
)
wrong(
    "rnn_backward",
    (12, "db keeps the axis"),
    BACK,
    NO_TRANSPOSE,
    ("db += da.sum(axis=0)", "db = db + da.sum(axis=0, keepdims=True)"),
)


for eps in (1e-5, 1e-7, 1e-8, 1e-12):
    wrong(
        "softmax_cross_entropy",
        "a small number is added",
        SOFTMAX,
        ("loss = -log_p", f"{WITH_P}loss = -np.log(p + {eps})"),
        float64_only=True,
    )
wrong(
    "softmax_cross_entropy",
    ("a small number is added", 13),
    SOFTMAX,
    ("loss = -log_p", f"{WITH_P}loss = -np.log(p + 1e-8)"),
    ("dscores / N", "dscores"),
    float64_only=True,
)
ONE_HOT = "target = np.eye(scores.shape[1])[labels]\n    loss = -(target * np.log(p)).sum() / N"
LOSS = "loss = -log_p[np.arange(N), labels].mean()"
wrong("softmax_cross_entropy", "rounded to 0", SOFTMAX, (LOSS, WITH_P + ONE_HOT))
wrong(
    "softmax_cross_entropy",
    "of the whole array is subtracted",
    SOFTMAX,
    ("axis=1, keepdims=True)\n    log_p", ")\n    log_p"),
)
wrong(
    "softmax_cross_entropy",
    "over the whole array",
    SOFTMAX,
    ("sum(axis=1, keepdims=True)", "sum()"),
)
wrong(
    "softmax_cross_entropy",
    "as [:, labels] does",
    SOFTMAX,
    ("[np.arange(N), labels]", "[:, labels]"),
)
wrong("softmax_cross_entropy", "wrong sign", SOFTMAX, ("loss, dscores / N", "loss, -dscores / N"))
wrong(
    "softmax_cross_entropy",
    "changed before the loss reads them",
    SOFTMAX,
    (f"    {LOSS}\n", ""),
    (
        "    return loss",
        "    loss = -np.log(dscores[np.arange(N), labels]).mean()\n    return loss",
    ),
)

wrong("update", "the weight is subtracted from itself", UPDATE, ("grads[name]", "params[name]"))
wrong("update", "clipped inside", UPDATE, ("grads[name]", "np.clip(grads[name], -1, 1)"))
wrong(
    "update",
    "taken by their position",
    """
def update(params, grads, lr):
    for w, dw in zip(params.values(), grads.values()):
        w -= lr * dw
""",
)

wrong(
    "numeric_gradient",
    "eps is not used",
    NUMERIC,
    ("    gradient = np", "    eps = 1e-4\n    gradient = np"),
)
wrong("numeric_gradient", "only one of the two nudges", NUMERIC, ("kept - eps", "kept"))

wrong(
    "encode",
    "not made of whole numbers",
    """
def encode(words, id_of, maxlen):
    ids = [id_of.get(word, 1) for word in words][-maxlen:]
    return np.pad(ids, (0, maxlen - len(ids)))
""",
)
wrong(
    "encode",
    "the zeros stand in front",
    """
def encode(words, id_of, maxlen):
    row = np.zeros(maxlen, dtype=int)
    ids = [id_of.get(word, 1) for word in words][-maxlen:]
    row[-len(ids):] = ids
    return row
""",
)

wrong(
    "training_step",
    "loss.backward is called before loss.forward",
    TRAINING,
    ("    value = loss.forward(scores, y)\n", ""),
    ("return value", "return loss.forward(scores, y)"),
)

# Each mistake that is named in no other of these:
for edit, mistake in {
    "np.tanh(h_prev @ W_h + b)": "the input is forgotten",
    "np.tanh(x_t @ W_x + (h_prev + b) @ W_h)": "inside of the product with W_h",
    "np.tanh(x_t @ W_x + np.tanh(h_prev) @ W_h + b)": "goes through tanh once more",
    "np.tanh(np.tanh(a_t))": "tanh is taken twice",
    "np.tanh(x_t @ W_x + b) + np.dot(h_prev, W_h)": "only a part of the sum",
    "np.tanh(x_t @ W_x + h_prev + b)": "added without W_h",
    "np.tanh((x_t @ W_x) * (h_prev @ W_h) + b)": "multiplied, not added",
}.items():
    wrong("rnn_step", mistake, STEP, ("np.tanh(a_t)", edit))
wrong("rnn_forward", "the input of a wrong step", FORWARD, ("x[:, t] @", "x[:, t - 1] @"))
for edit, mistake in {
    "h_t * (1 - dh_t**2)": "is taken of the gradient",
    "da_t * (1 - h_t**2)": "is applied twice",
}.items():
    wrong("rnn_step_backward", mistake, STEP_BACK, ("    dx_t =", f"    da_t = {edit}\n    dx_t ="))
wrong(
    "rnn_step_backward",
    "h_t and h_prev are exchanged",
    STEP_BACK,
    ("def rnn_step_backward(", "def swapped("),
    (
        "dW_h, db\n",
        "dW_h, db\n\ndef rnn_step_backward(dh, x, h, h_t, *W): return swapped(dh, x, h_t, h, *W)\n",
    ),
)
wrong("rnn_backward", "h0 is taken as the state before every step", BACK, ("h[:, s - 1]", "h0"))
wrong(
    "rnn_backward",
    "only a part of the gradient",
    TWO_WAYS,
    ("dh_t * (1 - h[:, t] ** 2)", "dh[:, t] * (1 - h[:, t] ** 2) + dh_prev"),
)
for edit, mistake in {
    "dscores = np.exp(shifted)": "without the softmax: from the scores as they are",
    "dscores = scores.copy()": "without the softmax: from the scores as they are",
    "dscores = np.exp(log_p); loss = -scores[np.arange(N), labels].mean()": "loss is taken without",
    "dscores = np.exp(log_p); loss = -dscores[np.arange(N), labels].mean()": "logarithm is missing",
}.items():
    wrong("softmax_cross_entropy", mistake, SOFTMAX, ("dscores = np.exp(log_p)", edit))
wrong(
    "softmax_cross_entropy",
    "after the division by N",
    SOFTMAX,
    ("np.exp(log_p)\n", "np.exp(log_p) / N\n"),
    ("dscores / N", "dscores"),
)
for edit, mistake in {
    "params[name][...] = -lr * grads[name]": "the weight itself is lost",
    "params[name] -= grads[name] / lr": "used the wrong way",
    "params[name] -= lr * grads['b']": "the same gradient",
    "params[name] -= lr * grads[name]; params.setdefault('seen', 0)": "names are added",
}.items():
    wrong(
        "update",
        mistake,
        UPDATE,
        ("params[name] -= lr * grads[name]", edit),
        ("in params", "in list(params)"),
    )
wrong(
    "update",
    "only one of the arrays",
    UPDATE,
    ("in params", "in grads"),
    ("grads[name]\n", "grads[name]\n        return params\n"),
)
wrong("encode", "another id than 1", ENCODE, ("(word, 1)", "(word, 2)"))
wrong("encode", "shifted by one", ENCODE, ("id_of.get(word, 1)", "1 + id_of.get(word, 0)"))
wrong(
    "encode",
    "come out sorted",
    ENCODE_LIST,
    ("for word in kept]", "for word in kept]\n    ids.sort()"),
)
