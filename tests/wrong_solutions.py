# ruff: noqa: E501
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


# -- gates: the LSTM ----------------------------------------------------------------------------

LSTM = correct(
    "lstm_step",
    "slices",
    """
def lstm_step(x_t, h_prev, c_prev, W_x, W_h, b):
    H = h_prev.shape[1]
    sigmoid = lambda a: 1 / (1 + np.exp(-a))
    a = x_t @ W_x + h_prev @ W_h + b
    i = sigmoid(a[:, :H])
    f = sigmoid(a[:, H:2 * H])
    g = np.tanh(a[:, 2 * H:3 * H])
    o = sigmoid(a[:, 3 * H:])
    c_t = f * c_prev + i * g
    h_t = o * np.tanh(c_t)
    return h_t, c_t
""",
)
LSTM_GATES = correct(
    "lstm_step",
    "a product for each gate",
    """
def lstm_step(x_t, h_prev, c_prev, W_x, W_h, b):
    W_xi, W_xf, W_xg, W_xo = np.split(W_x, 4, axis=1)
    W_hi, W_hf, W_hg, W_ho = np.hsplit(W_h, 4)
    b_i, b_f, b_g, b_o = b.reshape(4, -1)
    i = 1 / (1 + np.exp(-(x_t @ W_xi + h_prev @ W_hi + b_i)))
    f = 1 / (1 + np.exp(-(x_t @ W_xf + h_prev @ W_hf + b_f)))
    g = np.tanh(x_t @ W_xg + h_prev @ W_hg + b_g)
    o = 1 / (1 + np.exp(-(x_t @ W_xo + h_prev @ W_ho + b_o)))
    c_t = np.multiply(f, c_prev) + np.multiply(i, g)
    return [o * np.tanh(c_t), c_t]
""",
)
LSTM_JOINED = correct(
    "lstm_step",
    "inputs and states joined",
    """
def lstm_step(x_t, h_prev, c_prev, W_x, W_h, b):
    rows = np.concatenate([x_t, h_prev], axis=1)
    a = np.dot(rows, np.concatenate([W_x, W_h])) + b
    i, f, g, o = np.array_split(a, 4, axis=-1)
    i, f, o = [0.5 * (np.tanh(0.5 * s) + 1) for s in (i, f, o)]
    c_t = f * c_prev + i * np.tanh(g)
    return o * np.tanh(c_t), c_t
""",
)
correct(
    "lstm_step",
    "in place, gates stand first",
    """
def lstm_step(x_t, h_prev, c_prev, W_x, W_h, b):
    H = len(W_h)
    a = x_t @ W_x
    a += h_prev @ W_h
    a += b
    a[:, 2 * H:3 * H] *= 2
    a = 1 / (np.exp(-a) + 1)
    a[:, 2 * H:3 * H] = 2 * a[:, 2 * H:3 * H] - 1
    c_t = c_prev.copy()
    c_t *= a[:, H:2 * H]
    c_t += a[:, :H] * a[:, 2 * H:3 * H]
    return np.tanh(c_t) * a[:, 3 * H:], c_t
""",
)
correct(
    "lstm_step",
    "samples one by one, where",
    """
def lstm_step(x_t, h_prev, c_prev, W_x, W_h, b):
    def sigmoid(a):
        e = np.exp(-np.abs(a))
        return np.where(a >= 0, 1 / (1 + e), e / (1 + e))
    H = h_prev.shape[1]
    h_t, c_t = np.empty_like(h_prev), np.empty_like(c_prev)
    for n, (x, h, c) in enumerate(zip(x_t, h_prev, c_prev)):
        a = (W_x.T @ x + W_h.T @ h + b).reshape(4, H)
        c_t[n] = sigmoid(a[1]) * c + sigmoid(a[0]) * np.tanh(a[2])
        h_t[n] = sigmoid(a[3]) * np.tanh(c_t[n])
    return h_t, c_t
""",
)

C_T, H_T = "f * c_prev + i * g", "h_t = o * np.tanh(c_t)"
I_F = "the input gate and the forget gate are exchanged"
ORDER = "the gates are taken in another order"
for old, new, mistake in [
    (C_T, "i * c_prev + f * g", I_F),
    (C_T, "c_prev + i * g", "one of the gates has no effect"),
    (C_T, "f * c_prev + g", "one of the gates has no effect"),
    (H_T, "h_t = np.tanh(c_t)", "one of the gates has no effect"),
    (C_T, "i * g", "what c_prev keeps is lost"),
    (C_T, "np.cos(i) * g", "what c_prev keeps is lost"),
    (C_T, "f * c_prev", "nothing new comes into c_t"),
    (C_T, "f * h_prev + i * g", "h_prev stands where c_prev belongs"),
    (C_T, "f * c_prev + (1 - f) * g", "1 - f stands in the place of i"),
    (C_T, "(1 - f) * c_prev + i * g", "1 minus a gate stands in the place of the gate"),
    (C_T, "f * (c_prev + i * g)", "f multiplies the new content, too"),
    (C_T, "(f * c_prev) * (i * g)", "the two parts of c_t are multiplied"),
    (C_T, f"np.tanh({C_T})", "c_t goes through a tanh"),
    (C_T, f"o * ({C_T})", "o is multiplied into c_t, too"),
    (H_T, "h_t = o * np.tanh(c_prev)", "h_t is made from c_prev"),
    (H_T, "h_t = o * c_t", "h_t lacks the tanh of c_t"),
    (H_T, "h_t = np.tanh(o * c_t)", "o is inside of the tanh"),
    (H_T, "h_t = o * sigmoid(c_t)", "a sigmoid stands where a tanh belongs"),
    ("g = np.tanh(", "g = sigmoid(", "a sigmoid stands where a tanh belongs"),
    ("g = np.tanh(", "g = (", "the new content is left without its tanh"),
    ("f = sigmoid(", "f = np.tanh(", "a tanh stands where a sigmoid belongs"),
    ("= sigmoid(", "= np.tanh(", "a tanh stands where a sigmoid belongs"),
    ("o = sigmoid(", "o = (", "a gate is left without its sigmoid"),
    ("np.exp(-a)", "np.exp(a)", "the sigmoid is turned around"),
    ("= sigmoid(", "= (lambda a: sigmoid(sigmoid(a)))(", "a gate goes through the sigmoid twice"),
    ("f = sigmoid(a[", "f = sigmoid(1 + a[", "1 is added to the sum of the forget gate"),
    ("a[:, H:2 * H]", "a[:, :H]", "two gates are made from the same columns"),
    (" + b\n", "\n", "the bias is lost"),
    (" + b\n", " + b + b\n", "the bias is added more than once"),
    (" + b\n", " + b * (np.arange(4 * H) < 3 * H)\n", "the bias of one gate is lost"),
    ("+ h_prev @ W_h ", "", "the previous state is forgotten"),
    ("x_t @ W_x + ", "", "the input is forgotten"),
    ("h_prev @ W_h", "c_prev @ W_h", "c_prev stands where h_prev belongs"),
    ("h_prev @ W_h", "np.pad(h_prev @ W_h[:, H:], ((0, 0), (H, 0)))", "h_prev does not reach one"),
    ("return h_t, c_t", "return c_t, h_t", "the results come in another order"),
    ("return h_t, c_t", "return h_t, c_prev", "c_prev is returned in the place of c_t"),
    (C_T, "f * np.tanh(c_prev) + i * g", "c_t goes through a tanh"),
    ("g = np.tanh(", "g = np.maximum(0, ", "ReLU stands in the place of tanh"),
    ("return h_t, c_t", "return h_t", "the results are not those asked for"),
    ("return h_t, c_t", "pass", "nothing is returned"),
    ("h_prev @ W_h", "h_prev @ W_h.T", "a matrix product does not fit"),
    ("1 / (1 + np.exp(-a))", "np.exp(a) / (1 + np.exp(a))", "exp(a) / (1 + exp(a))"),
    ("1 / (1 + np.exp(-a))", "1 / (1 + math.exp(-a))", "a function of math"),
    ("c_t = f", "c_t = np.zeros(f.shape, int); c_t += f", "was made of integers"),
    ("c_t = f", "c_t = np.zeros((len(W_x), H)); c_t[:] = f", "sizes that do not fit"),
    (C_T, "0.9 * f * c_prev + i * g", None),
]:
    wrong("lstm_step", mistake, LSTM, (old, new))
wrong(
    "lstm_step",
    "a tanh stands where",
    LSTM_GATES,
    (
        "1 / (1 + np.exp(-(x_t @ W_xf + h_prev @ W_hf + b_f)))",
        "np.tanh(x_t @ W_xf + h_prev @ W_hf + b_f)",
    ),
)
wrong(
    "lstm_step",
    I_F,
    LSTM_GATES,
    ("W_xi, W_xf", "W_xf, W_xi"),
    ("W_hi, W_hf", "W_hf, W_hi"),
    ("b_i, b_f", "b_f, b_i"),
)
wrong("lstm_step", ORDER, LSTM_JOINED, ("i, f, g, o = np.array", "i, f, o, g = np.array"))
wrong(
    "lstm_step",
    "not cut into blocks of H",
    LSTM_JOINED,
    ("np.array_split(a, 4, axis=-1)", "np.split(a, 4)"),
)
wrong(
    "lstm_step",
    "not cut into blocks of H",
    LSTM_JOINED,
    ("np.array_split(a, 4, axis=-1)", "a.reshape(4, *h_prev.shape)"),
)
wrong(
    "lstm_step",
    "x_t and h_prev meet each other's weights",
    LSTM_JOINED,
    ("[x_t, h_prev]", "[h_prev, x_t]"),
)
wrong(
    "lstm_step",
    "sigmoid and tanh are exchanged",
    LSTM_JOINED,
    ("[0.5 * (np.tanh(0.5 * s) + 1)", "[np.tanh(s)"),
    ("i * np.tanh(g)", "i / (1 + np.exp(-g))"),
)
wrong(
    "lstm_step",
    "W_h is transposed in the forward pass",
    LSTM_GATES,
    *((f"W_h{g} +", f"W_h{g}.T +") for g in "ifgo"),
)
wrong(
    "lstm_step",
    "h_prev and c_prev are exchanged",
    LSTM,
    ("(x_t, h_prev, c_prev,", "(x_t, c_prev, h_prev,"),
)
wrong(
    "lstm_step",
    "the state that came in is overwritten",
    LSTM,
    (f"c_t = {C_T}", "c_prev *= f; c_prev += i * g; c_t = c_prev"),
    float64_only=True,
)
wrong(
    "lstm_step",
    "drawn again inside",
    LSTM,
    ("    a =", "    W_h[:] = np.random.default_rng(0).normal(size=W_h.shape)\n    a ="),
    float64_only=True,
)
wrong(
    "lstm_step", "the numbers of features and of units are", LSTM, ("h_prev.shape[1]", "len(W_x)")
)
wrong(
    "lstm_step",
    5,
    LSTM,
    ("def lstm", "kept = {}\ndef lstm"),
    ("    H =", "    h_prev, c_prev = kept.get(h_prev.shape, (h_prev, c_prev))\n    H ="),
    ("    return", "    kept[h_t.shape] = h_t, c_t\n    return"),
)
# Two at once:
wrong(
    "lstm_step",
    (I_F, "h_t lacks the tanh"),
    LSTM,
    (C_T, "i * c_prev + f * g"),
    (H_T, "h_t = o * c_t"),
)

LSTM_BACK = correct(
    "lstm_step_backward",
    "gate by gate",
    """
def lstm_step_backward(dh_t, dc_t, x_t, h_prev, c_prev, gates, c_t, W_x, W_h):
    i, f, g, o = gates
    N, H = h_prev.shape
    t = np.tanh(c_t)
    dc = dc_t + dh_t * o * (1 - t ** 2)
    do = dh_t * t
    df = dc * c_prev
    di = dc * g
    dg = dc * i
    dai = di * i * (1 - i)
    daf = df * f * (1 - f)
    dag = dg * (1 - g ** 2)
    dao = do * o * (1 - o)
    da = np.concatenate([dai, daf, dag, dao], axis=1)
    dx_t = da @ W_x.T
    dh_prev = da @ W_h.T
    dc_prev = dc * f
    dW_x = x_t.T @ da
    dW_h = h_prev.T @ da
    db = da.sum(axis=0)
    return dx_t, dh_prev, dc_prev, dW_x, dW_h, db
""",
)
LSTM_BACK_SLICES = correct(
    "lstm_step_backward",
    "slices of one array, in place",
    """
def lstm_step_backward(dh_t, dc_t, x_t, h_prev, c_prev, gates, c_t, W_x, W_h):
    H = W_h.shape[0]
    i, f, g, o = gates
    at_c = dh_t * o / np.cosh(c_t) ** 2
    at_c += dc_t
    da = np.zeros((len(x_t), 4 * H))
    da[:, 0 * H:1 * H] = at_c * g
    da[:, 1 * H:2 * H] = at_c * c_prev
    da[:, 2 * H:3 * H] = at_c * i * (1 - g) * (1 + g)
    da[:, 3 * H:4 * H] = dh_t * np.tanh(c_t)
    for k, s in ((0, i), (1, f), (3, o)):
        da[:, k * H:(k + 1) * H] *= s - s * s
    return da.dot(W_x.T), da.dot(W_h.T), at_c * f, x_t.T.dot(da), h_prev.T.dot(da), da.sum(0)
""",
)
LSTM_BACK_GATES = correct(
    "lstm_step_backward",
    "matrices of each gate",
    """
def lstm_step_backward(dh_t, dc_t, x_t, h_prev, c_prev, gates, c_t, W_x, W_h):
    (i, f, g, o), t = gates, np.tanh(c_t)
    d = dc_t + (1 - t * t) * o * dh_t
    parts = [d * g * i * (1 - i), d * c_prev * f * (1 - f)]
    parts += [d * i * (1 - g * g), dh_t * t * o * (1 - o)]
    dx_t, dh_prev = np.zeros_like(x_t), np.zeros_like(h_prev)
    for part, W, U in zip(parts, np.hsplit(W_x, 4), np.hsplit(W_h, 4)):
        dx_t += part @ W.T
        dh_prev += part @ U.T
    dW_x = np.concatenate([x_t.T @ part for part in parts], axis=1)
    dW_h = np.concatenate([h_prev.T @ part for part in parts], axis=1)
    return dx_t, dh_prev, d * f, dW_x, dW_h, np.concatenate([part.sum(0) for part in parts])
""",
)
correct(
    "lstm_step_backward",
    "samples one by one",
    """
def lstm_step_backward(dh_t, dc_t, x_t, h_prev, c_prev, gates, c_t, W_x, W_h):
    dW_x, dW_h, db = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros(W_h.shape[1])
    dx_t, dh_prev, dc_prev = np.empty_like(x_t), np.empty_like(h_prev), np.empty_like(c_prev)
    for n in range(len(x_t)):
        i, f, g, o = (gate[n] for gate in gates)
        t = np.tanh(c_t[n])
        dc = dc_t[n] + dh_t[n] * o * (1 - t**2)
        di, df, dg, do = dc * g, dc * c_prev[n], dc * i, dh_t[n] * t
        da = np.hstack([di * i * (1 - i), df * f * (1 - f), dg * (1 - g**2), do * o * (1 - o)])
        dx_t[n], dh_prev[n], dc_prev[n] = W_x @ da, W_h @ da, dc * f
        dW_x += np.outer(x_t[n], da)
        dW_h += np.outer(h_prev[n], da)
        db += da
    return [dx_t, dh_prev, dc_prev, dW_x, dW_h, db]
""",
)
correct(
    "lstm_step_backward",
    "one product for both, slopes apart",
    """
def lstm_step_backward(dh_t, dc_t, x_t, h_prev, c_prev, gates, c_t, W_x, W_h):
    i, f, g, o = map(np.array, gates)
    slope = lambda s: s * (1 - s)
    t = np.tanh(c_t)
    dc = dc_t + dh_t * o - dh_t * o * np.square(t)
    da = dc * g * slope(i), dc * c_prev * slope(f), dc * i - dc * i * g * g, dh_t * t * slope(o)
    da = np.stack(da, axis=1).reshape(len(x_t), -1)
    back = da @ np.r_[W_x, W_h].T
    dW = np.c_[x_t, h_prev].T @ da
    F = x_t.shape[1]
    return back[:, :F], back[:, F:], f * dc, dW[:F], dW[F:], np.ones(len(da)) @ da
""",
)

AT_C = "dc_t + dh_t * o * (1 - t ** 2)"
LEFT_OUT = "the way from dh_t back through c_t is left out"
NOT_ADDED = "dc_t is not added"
for old, new, mistake in [
    (AT_C, "dc_t", LEFT_OUT),
    ("dc_prev = dc *", "dc_prev = dc_t *", LEFT_OUT),
    ("df = dc *", "df = dc_t *", LEFT_OUT),
    ("dc_t + dh", "dh", NOT_ADDED),
    ("dc_t + dh", "np.ones((N, H)) + dh", NOT_ADDED),
    ("dc_prev = dc * f", "dc_prev = (dc - dc_t) * f", NOT_ADDED),
    ("dh_t * ", "0 * dh_t * ", "dh, is never used"),
    ("dh_t * o * (1", "o * (1", "dh_t is missing in one of the ways back"),
    ("da @ W_x.T", "da @ W_x.reshape(4 * H, -1)", "reshaped where it should be transposed"),
    ("da @ W_x.T", "da @ W_h.T", "dx_t and dh_prev are exchanged"),
    ("return dx_t, dh_prev", "return dh_prev, dx_t", "dx_t and dh_prev are exchanged"),
    ("db = da.sum(axis=0)", "db = da.sum(0) + da.sum(0)", "of a bias is counted twice"),
    ("h_prev.T @", "x_t.T @", "dW_x is made from h_prev, or dW_h from x_t"),
    ("dh_t * o * (1", "dh_t * (1", "o is missing on the way from h_t to c_t"),
    (AT_C, "dc_t + dh_t * o", "the derivative of tanh(c_t) is missing"),
    (AT_C, "dc_t + dh_t", "dh_t is added to dc_t as it is"),
    ("1 - t ** 2", "1 - c_t ** 2", "is taken as 1 - c_t**2"),
    ("1 - t ** 2", "1 - (o * t) ** 2", "is taken as 1 - h_t**2, as in the simple network"),
    ("1 - t ** 2", "1 - np.tanh(t) ** 2", "is taken once too often"),
    ("1 - t ** 2", "1 - t", "the square, or a bracket, is wrong"),
    (AT_C, "(dc_t + dh_t) * o * (1 - t ** 2)", "dc_t meets o or the tanh, too"),
    ("do = dh_t * t", "do = dh_t * c_t", "is made with c_t, not with tanh(c_t)"),
    ("do = dh_t * t", "do = dc * t", "the gradient of o is made from dc"),
    ("do = dh_t * t", "do = dh_t * o", "is made with a wrong factor"),
    ("do = dh_t * t", "do = dh_t", "lacks what the gate was multiplied with"),
    ("df = dc * c_prev", "df = dc * c_t", "the gradient of f is made with c_t"),
    ("df = dc * c_prev", "df = dc * h_prev", "h_prev stands where c_prev belongs"),
    ("df = dc * c_prev", "df = dc", "lacks what the gate was multiplied with"),
    ("di = dc * g", "di = dc * c_prev", "i and f have each other's factor"),
    ("di = dc * g", "di = dh_t * g", "are made from dh_t, not from dc"),
    ("np.tanh(c_t)", "np.tanh(c_prev)", "c_prev stands where c_t belongs"),
    ("dc_prev = dc * f", "dc_prev = dc", "f is missing in dc_prev"),
    ("dc_prev = dc * f", "dc_prev = dc * i", "dc_prev is made with a wrong factor"),
    ("dc_prev = dc * f", "dc_prev = dc * f + dc_t", "dc_t is added to dc_prev once more"),
    ("dc_prev = dc * f", "dc_prev = np.zeros_like(dc)", "a result is left as zeros"),
    ("da @ W_h.T", "da @ W_h.T + dh_t", "dh_t is added to dh_prev"),
    (" * f * (1 - f)", "", "the derivative of a sigmoid is missing"),
    (" * i * (1 - i)", " * (1 - i)", "only a half of the sigmoid's derivative"),
    (" * o * (1 - o)", " * (1 - o ** 2)", "taken as that of tanh"),
    (
        " * f * (1 - f)",
        " / (1 + np.exp(-f)) * (1 - 1 / (1 + np.exp(-f)))",
        "as if the gate were the sum",
    ),
    ("1 - g ** 2", "1 - np.tanh(g) ** 2", "as if the gate were the sum"),
    (" * i * (1 - i)", " * i * (1 - i ** 2)", "the sigmoid's derivative has the wrong sign, or"),
    (" * (1 - g ** 2)", "", "the derivative of the new content's tanh is missing"),
    ("1 - g ** 2", "g * (1 - g)", "a tanh's derivative is taken as that of the sigmoid"),
    ("dai, daf, dag, dao]", "dai, daf, dao, dag]", "are joined in another order"),
    ("i, f, g, o = gates", "i, f, o, g = gates", ORDER),
    ("i, f, g, o = gates", "f, i, g, o = gates", I_F),
    ("dag, dao]", "0 * dag, dao]", "the gradient of one gate is left out"),
    ("dao], axis=1)", "dao]).reshape(N, -1)", "joined along the wrong axis"),
    ("h_prev.T @", "c_prev.T @", "c_prev stands where h_prev belongs"),
    ("h_prev.T @", "(o * t).T @", 11),
    ("W_h.T", "W_h", "a matrix product does not fit"),
    ("da @ W_h.T", "sum(np.hsplit(da, 4))", "W_h is left out on the way back"),
    ("x_t.T @ da", "da.T @ x_t", "dW_x is transposed"),
    ("h_prev.T @ da", "da.T @ h_prev", "dW_h is transposed"),
    ("x_t.T @ da", "np.outer(x_t[0], da[0])", "only one sample counts"),
    ("x_t.T @ da", "np.outer(x_t.sum(0), da.sum(0))", 14),
    ("da.sum(axis=0)", "da.mean(axis=0)", 13),
    ("da.sum(axis=0)", "da.sum(axis=1)", "db is summed over the wrong axis"),
    ("da.sum(axis=0)", "da.sum()", "db is summed over the wrong axis"),
    ("da.sum(axis=0)", "da", "db is not summed over the samples"),
    ("da.sum(axis=0)", "da.sum(axis=0, keepdims=True)", "db keeps the axis of the samples"),
    ("da = np.", "da = -np.", "the gradient has the wrong sign"),
    ("dW_x, dW_h, db\n", "dW_h, dW_x, db\n", "the results come in another order"),
    ("dc_prev, dW_x, dW_h, db\n", "dW_x, dW_h, db\n", "the results are not those asked for"),
    ("return dx_t", "print(N)  # dx_t", "nothing is returned"),
    ("np.tanh(c_t)", "math.tanh(c_t)", "a function of math"),
    ("da.sum(axis=0)", "np.zeros(4 * H, int); db += da.sum(axis=0)", 16),
    ("dW_h = h", "dW_h = np.zeros((H, H)); dW_h[:] = h", "sizes that do not fit"),
    ("df = dc * c_prev", "df = dc * x_t", "arrays of different shapes"),
    ("dW_x = x", "dW_x = np.zeros((H, 4 * H)); dW_x += x", "the numbers of features and of units"),
    ("np.tanh(c_t)", "(np.exp(2 * c_t) - 1) / (np.exp(2 * c_t) + 1)", "c_t is written with exp"),
    ("(1 - t ** 2)", "(1 - t ** 2) * 0.9", None),
]:
    wrong("lstm_step_backward", mistake, LSTM_BACK, (old, new))
for old, new, mistake in [
    ("dc = dc_t + dh_t", "dc = dc_t; dc += dh_t", 23),
    ("dai = di * i * (1 - i)", "i *= 1 - i; dai = di * i", "the gates are changed in place"),
    ("    dx_t =", "    W_h -= 0.1 * h_prev.T @ da\n    dx_t =", 20),
    ("    dx_t =", "    da = np.clip(da, -5, 5)\n    dx_t =", "clipped inside this function"),
]:
    wrong("lstm_step_backward", mistake, LSTM_BACK, (old, new), float64_only=True)
wrong(
    "lstm_step_backward",
    ORDER,
    LSTM_BACK,
    ("i, f, g, o =", "i, f, o, g ="),
    ("dag, dao]", "dao, dag]"),
)
wrong(
    "lstm_step_backward",
    "exchanged",
    LSTM_BACK,
    *(
        (f"{n} * {g} * (1 - {g})", f"{n} * (1 - {g} ** 2)")
        for n, g in (("di", "i"), ("df", "f"), ("do", "o"))
    ),
    ("1 - g ** 2", "g * (1 - g)"),
)
wrong(
    "lstm_step_backward",
    "the derivative of a sigmoid is missing",
    LSTM_BACK_SLICES,
    ("*= s - s * s", "*= 1"),
)
wrong(
    "lstm_step_backward", "only a half of the sigmoid's", LSTM_BACK_SLICES, ("*= s - s * s", "*= s")
)
wrong("lstm_step_backward", 12, LSTM_BACK_GATES, ("part @ U.T", "part @ U"))
wrong(
    "lstm_step_backward",
    14,
    LSTM_BACK,
    ("x_t.T @ da", "np.outer(x_t.sum(0), da.sum(0))"),
    ("h_prev.T @ da", "np.outer(h_prev.sum(0), da.sum(0))"),
)
wrong(
    "lstm_step_backward",
    5,
    LSTM_BACK,
    ("def lstm", "sums = {}\ndef lstm"),
    (
        "dW_x = x_t.T @ da",
        "dW_x = sums.setdefault(W_x.shape, np.zeros_like(W_x)); dW_x += x_t.T @ da",
    ),
)
MISSING = "the derivatives of sigmoid and tanh are missing"
for g in "ifo":
    edits = (f" * {g} * (1 - {g})", ""), (" * (1 - g ** 2)", "")
    wrong("lstm_step_backward", MISSING, LSTM_BACK, *edits)
# Two at once:
wrong(
    "lstm_step_backward",
    (NOT_ADDED, "f is missing in dc_prev"),
    LSTM_BACK,
    ("dc_t + dh", "dh"),
    ("dc * f", "dc"),
)
wrong(
    "lstm_step_backward", ("f is missing", 13), LSTM_BACK, ("dc * f", "dc"), ("da.sum", "da.mean")
)

# -- gates: the GRU -----------------------------------------------------------------------------

GRU = correct(
    "gru_step",
    "slices",
    """
def gru_step(x_t, h_prev, W_x, W_h, b_x, b_h):
    H = h_prev.shape[1]
    def sigmoid(a):
        return 1 / (1 + np.exp(-a))
    ax = x_t @ W_x + b_x
    ah = h_prev @ W_h + b_h
    r = sigmoid(ax[:, :H] + ah[:, :H])
    z = sigmoid(ax[:, H:2 * H] + ah[:, H:2 * H])
    n = np.tanh(ax[:, 2 * H:] + r * ah[:, 2 * H:])
    return (1 - z) * n + z * h_prev
""",
)
GRU_GATES = correct(
    "gru_step",
    "matrices of each gate",
    """
def gru_step(x_t, h_prev, W_x, W_h, b_x, b_h):
    W_xr, W_xz, W_xn = np.split(W_x, 3, axis=1)
    W_hr, W_hz, W_hn = np.split(W_h, 3, axis=1)
    b_xr, b_xz, b_xn = np.split(b_x, 3)
    b_hr, b_hz, b_hn = np.split(b_h, 3)
    sigmoid = lambda a: 0.5 + 0.5 * np.tanh(a / 2)
    r = sigmoid(x_t @ W_xr + b_xr + h_prev @ W_hr + b_hr)
    z = sigmoid(x_t @ W_xz + b_xz + h_prev @ W_hz + b_hz)
    n = np.tanh(x_t @ W_xn + b_xn + r * (h_prev @ W_hn + b_hn))
    return n - z * n + z * h_prev
""",
)
GRU_SPLIT = correct(
    "gru_step",
    "split, a loop over two gates",
    """
def gru_step(x_t, h_prev, W_x, W_h, b_x, b_h):
    xs = np.split(x_t @ W_x + b_x, 3, axis=1)
    hs = np.split(h_prev @ W_h + b_h, 3, axis=1)
    r, z = [1 / (1 + np.exp(-(x + h))) for x, h in zip(xs[:2], hs[:2])]
    new = xs[2] + np.multiply(r, hs[2])
    np.tanh(new, out=new)
    return h_prev + (1 - z) * (new - h_prev)
""",
)
GRU_JOINED = correct(
    "gru_step",
    "inputs and states joined for the gates",
    """
def gru_step(x_t, h_prev, W_x, W_h, b_x, b_h):
    H = len(W_h)
    rows, W = np.hstack([x_t, h_prev]), np.vstack([W_x, W_h])
    both = rows @ W[:, :2 * H] + (b_x + b_h)[:2 * H]
    both = 1 / (1 + np.exp(-both))
    r, z = both[:, :H], both[:, H:]
    n = np.tanh(x_t @ W_x[:, -H:] + b_x[-H:] + r * (h_prev @ W_h[:, -H:] + b_h[-H:]))
    return n * (1 - z) + h_prev * z
""",
)
correct(
    "gru_step",
    "samples one by one",
    """
def gru_step(x_t, h_prev, W_x, W_h, b_x, b_h):
    rows = []
    for x, h in zip(x_t, h_prev):
        p = (W_x.T @ x + b_x).reshape(3, -1)
        q = (W_h.T @ h + b_h).reshape(3, -1)
        r, z = (np.tanh((p[:2] + q[:2]) / 2) + 1) / 2
        rows.append((1 - z) * np.tanh(p[2] + r * q[2]) + z * h)
    return np.array(rows)
""",
)

MIX, OF_R = "(1 - z) * n + z * h_prev", "r * ah[:, 2 * H:]"
ORIGINAL = "the GRU's original form: r is applied before the product (in Keras, reset_after=False)"
for old, new, mistake in [
    (OF_R, "(r * h_prev) @ W_h[:, 2 * H:] + b_h[2 * H:]", ORIGINAL),
    (OF_R, "(r * h_prev) @ W_h[:, 2 * H:]", ORIGINAL),
    (OF_R, "ah[:, 2 * H:]", "one of the gates has no effect"),
    (OF_R, "r * h_prev", "the state before is added without W_h"),
    ("n = np.tanh(", "n = np.maximum(0, ", "ReLU stands in the place of tanh"),
    (OF_R + ")", "ah[:, 2 * H:]) * r", "r stands outside of the tanh"),
    (OF_R, "(1 - r) * ah[:, 2 * H:]", "1 minus a gate stands in the place of the gate"),
    (OF_R, "z * ah[:, 2 * H:]", "r stands for z as well, or z for r"),
    (OF_R, "r * (h_prev @ W_h[:, 2 * H:]) + b_h[2 * H:]", "b_hn stands outside"),
    (OF_R, "r * (h_prev @ W_h[:, 2 * H:])", "the bias of one gate is lost"),
    (
        "ax[:, 2 * H:] + " + OF_R,
        "r * (ax[:, 2 * H:] + ah[:, 2 * H:])",
        "multiplies the part of x_t, too",
    ),
    (
        "ax[:, 2 * H:] + " + OF_R,
        "r * ax[:, 2 * H:] + ah[:, 2 * H:]",
        "multiplies the part of x_t, not",
    ),
    (" + " + OF_R, "", "h_prev does not reach one of the gates"),
    (
        "sigmoid(ax[:, H:2 * H] + ah[:, H:2 * H])",
        "sigmoid(ax[:, 2 * H:] + ah[:, 2 * H:])",
        "made from the same columns",
    ),
    (MIX, "z * n + (1 - z) * h_prev", "z and 1 - z are exchanged"),
    (MIX, "n + z * h_prev", "a part of the mix of n and h_prev is missing"),
    (MIX, "(1 - z) * n", "a part of the mix of n and h_prev is missing"),
    (MIX, "(1 - r) * n + r * h_prev", "r stands for z as well, or z for r"),
    (MIX, f"np.tanh({MIX})", "h_t goes through a tanh at the end"),
    ("n = np.tanh(", "n = sigmoid(", "a sigmoid stands where a tanh belongs"),
    ("n = np.tanh(", "n = (", "the new content is left without its tanh"),
    ("z = sigmoid(", "z = np.tanh(", "a tanh stands where a sigmoid belongs"),
    ("r = sigmoid(", "r = (", "a gate is left without its sigmoid"),
    (
        "z = sigmoid(",
        "z = (lambda a: sigmoid(sigmoid(a)))(",
        "a gate goes through the sigmoid twice",
    ),
    ("np.exp(-a)", "np.exp(a)", "the sigmoid is turned around"),
    ("1 / (1 + np.exp(-a))", "np.exp(a) / (1 + np.exp(a))", "exp(a) / (1 + exp(a))"),
    ("ax[:, :H] + ah[:, :H]", "ax[:, :H]) + sigmoid(ah[:, :H]", "through the sigmoid on their own"),
    (" + b_x", "", "the bias is lost"),
    (" + b_h", "", "the bias is lost"),
    ("+ b_x", "+ b_x + b_h", "the bias is added more than once"),
    (
        "(x_t, h_prev, W_x, W_h, b_x, b_h)",
        "(x_t, h_prev, W_x, W_h, b_h, b_x)",
        "b_x and b_h are exchanged",
    ),
    ("h_prev @ W_h +", "0 * (h_prev @ W_h) +", "the previous state is forgotten"),
    ("x_t @ W_x +", "0 * (x_t @ W_x) +", "the input is forgotten"),
    ("return (1", "h_t = (1", "nothing is returned"),
    ("return " + MIX, f"return {MIX}, n", "more is returned than the one array"),
    ("return " + MIX, f"return list({MIX})", "a list is returned"),
    ("h_prev @ W_h", "h_prev @ W_h.T", "a matrix product does not fit"),
    ("h_prev.shape[1]", "len(W_x)", "the numbers of features and of units are"),
    ("np.exp(-a)", "math.exp(-a)", "a function of math"),
    ("return " + MIX, f"h_t = np.zeros((len(h_prev), H), int); h_t += {MIX}; return h_t", 16),
    (
        "return " + MIX,
        f"h_t = np.zeros((len(h_prev), len(W_x))); h_t[:] = {MIX}; return h_t",
        "the numbers of features and",
    ),
    ("z * h_prev", "z * x_t", "arrays of different shapes"),
    ("n = np.tanh(", "n = 0.9 * np.tanh(", None),
]:
    wrong("gru_step", mistake, GRU, (old, new))
R_Z = "the reset gate and the update gate are exchanged"
wrong("gru_step", R_Z, GRU_SPLIT, ("r, z = [", "z, r = ["))
wrong(
    "gru_step",
    ORDER,
    GRU_SPLIT,
    ("xs[:2], hs[:2]", "xs[1:], hs[1:]"),
    ("xs[2] + np.multiply(r, hs[2])", "xs[0] + np.multiply(r, hs[0])"),
)
wrong(
    "gru_step",
    "not cut into blocks of H",
    GRU_SPLIT,
    ("W_x + b_x, 3, axis=1", "W_x + b_x, 3, axis=0"),
    float64_only=True,
)
wrong(
    "gru_step",
    "not cut into blocks of H",
    GRU_SPLIT,
    ("np.split(x_t @ W_x + b_x, 3, axis=1)", "(x_t @ W_x + b_x).reshape(3, *h_prev.shape)"),
    ("np.split(h_prev @ W_h + b_h, 3, axis=1)", "(h_prev @ W_h + b_h).reshape(3, *h_prev.shape)"),
)
wrong("gru_step", ORIGINAL, GRU_GATES, ("r * (h_prev @ W_hn + b_hn)", "(r * h_prev) @ W_hn + b_hn"))
wrong(
    "gru_step",
    ORIGINAL,
    GRU_GATES,
    ("r * (h_prev @ W_hn + b_hn)", "(r * h_prev) @ W_hn + b_hn"),
    ("n - z * n + z * h_prev", "h_prev - z * h_prev + z * n"),
)
wrong(
    "gru_step",
    (ORIGINAL, "the new content is left without its tanh"),
    GRU_GATES,
    ("r * (h_prev @ W_hn + b_hn)", "(r * h_prev) @ W_hn + b_hn"),
    ("n = np.tanh(", "n = ("),
)
wrong(
    "gru_step",
    "W_h is transposed in the forward pass",
    GRU_GATES,
    *((f"W_h{g} +", f"W_h{g}.T +") for g in "rzn"),
)
wrong(
    "gru_step",
    "x_t and h_prev meet each other's weights",
    GRU_JOINED,
    ("[x_t, h_prev]", "[h_prev, x_t]"),
)
wrong(
    "gru_step",
    "sigmoid and tanh are exchanged",
    GRU,
    ("np.tanh(ax", "keep(ax"),
    ("= sigmoid(", "= np.tanh("),
    ("keep(", "sigmoid("),
)
wrong(
    "gru_step",
    "the state that came in is overwritten",
    GRU,
    ("return " + MIX, "h_prev *= z; h_prev += (1 - z) * n; return h_prev"),
    float64_only=True,
)
wrong(
    "gru_step",
    "drawn again inside",
    GRU,
    ("    ax =", "    W_x[:] = np.random.default_rng().normal(size=W_x.shape)\n    ax ="),
    float64_only=True,
)
wrong(
    "gru_step",
    5,
    GRU,
    ("def gru", "kept = {}\ndef gru"),
    ("    H =", "    h_prev = kept.get(h_prev.shape, h_prev)\n    H ="),
    ("    return (1", "    kept[n.shape] = (1"),
    ("z * h_prev\n", "z * h_prev\n    return kept[n.shape]\n"),
)

GRU_BACK = correct(
    "gru_step_backward",
    "gate by gate",
    """
def gru_step_backward(dh_t, x_t, h_prev, gates, W_x, W_h, b_h):
    r, z, n = gates
    N, H = h_prev.shape
    hn = h_prev @ W_h[:, 2 * H:] + b_h[2 * H:]
    dz = dh_t * (h_prev - n)
    dn = dh_t * (1 - z)
    dan = dn * (1 - n ** 2)
    dr = dan * hn
    dar = dr * r * (1 - r)
    daz = dz * z * (1 - z)
    dax = np.concatenate([dar, daz, dan], axis=1)
    dah = np.concatenate([dar, daz, r * dan], axis=1)
    dx_t = dax @ W_x.T
    dh_prev = dah @ W_h.T + z * dh_t
    dW_x = x_t.T @ dax
    dW_h = h_prev.T @ dah
    db_x = dax.sum(axis=0)
    db_h = dah.sum(axis=0)
    return dx_t, dh_prev, dW_x, dW_h, db_x, db_h
""",
)
GRU_BACK_GATES = correct(
    "gru_step_backward",
    "matrices of each gate",
    """
def gru_step_backward(dh_t, x_t, h_prev, gates, W_x, W_h, b_h):
    r, z, n = gates
    (W_xr, W_xz, W_xn), (W_hr, W_hz, W_hn) = np.hsplit(W_x, 3), np.hsplit(W_h, 3)
    d_n = dh_t * (1 - z) * (1 - n * n)
    d_hn = d_n * r
    d_r = d_n * (h_prev @ W_hn + b_h[-len(W_h):]) * r * (1 - r)
    d_z = (dh_t * h_prev - dh_t * n) * z * (1 - z)
    dx_t = d_r @ W_xr.T + d_z @ W_xz.T + d_n @ W_xn.T
    dh_prev = dh_t * z + d_r @ W_hr.T + d_z @ W_hz.T + d_hn @ W_hn.T
    dW_x = np.hstack([x_t.T @ d for d in (d_r, d_z, d_n)])
    dW_h = np.hstack([h_prev.T @ d for d in (d_r, d_z, d_hn)])
    db_x, db_h = (np.hstack([d.sum(0) for d in (d_r, d_z, last)]) for last in (d_n, d_hn))
    return dx_t, dh_prev, dW_x, dW_h, db_x, db_h
""",
)
GRU_BACK_SLICES = correct(
    "gru_step_backward",
    "slices of one array, in place",
    """
def gru_step_backward(dh_t, x_t, h_prev, gates, W_x, W_h, b_h):
    r, z, n = gates
    H = r.shape[1]
    da = np.zeros((len(r), 3 * H))
    da[:, 2 * H:] = (dh_t - dh_t * z) * (1 + n) * (1 - n)
    da[:, :H] = da[:, 2 * H:] * np.split(h_prev @ W_h + b_h, 3, axis=1)[2] * (r - r * r)
    da[:, H:2 * H] = dh_t * (h_prev - n) * (z - z * z)
    of_x = da.dot(W_x.T), x_t.T.dot(da), da.sum(0)
    da[:, 2 * H:] *= r
    dh_prev = da.dot(W_h.T)
    dh_prev += dh_t * z
    return of_x[0], dh_prev, of_x[1], h_prev.T.dot(da), of_x[2], da.sum(0)
""",
)
correct(
    "gru_step_backward",
    "samples one by one",
    """
def gru_step_backward(dh_t, x_t, h_prev, gates, W_x, W_h, b_h):
    H = len(W_h)
    dW_x, dW_h, db_x, db_h = (np.zeros(s) for s in (W_x.shape, W_h.shape, b_h.shape, b_h.shape))
    dx_t, dh_prev = np.empty_like(x_t), np.empty_like(h_prev)
    for k, (r, z, n) in enumerate(zip(*gates)):
        dn = dh_t[k] * (1 - z) * (1 - n**2)
        dr = dn * (W_h.T @ h_prev[k] + b_h)[2 * H:] * r * (1 - r)
        dz = dh_t[k] * (h_prev[k] - n) * z * (1 - z)
        p, q = np.r_[dr, dz, dn], np.r_[dr, dz, dn * r]
        dx_t[k], dh_prev[k] = W_x @ p, W_h @ q + dh_t[k] * z
        dW_x += np.outer(x_t[k], p)
        dW_h += np.outer(h_prev[k], q)
        db_x, db_h = db_x + p, db_h + q
    return dx_t, dh_prev, dW_x, dW_h, db_x, db_h
""",
)
correct(
    "gru_step_backward",
    "slopes apart, einsum",
    """
def gru_step_backward(dh_t, x_t, h_prev, gates, W_x, W_h, b_h):
    r, z, n = map(np.array, gates)
    H = len(W_h)
    slope = lambda s: s * (1 - s)
    d_n = dh_t * (1 - z) * (1 - n * n)
    both = [d_n * (h_prev @ W_h + b_h)[:, -H:] * slope(r), dh_t * (h_prev - n) * slope(z)]
    p, q = np.stack([*both, d_n], axis=1), np.stack([*both, d_n * r], axis=1)
    W, U = W_x.reshape(-1, 3, H), W_h.reshape(H, 3, H)
    dx_t, dh_prev = np.einsum("ngh,fgh->nf", p, W), np.einsum("ngh,fgh->nf", q, U) + z * dh_t
    dW_x = np.einsum("nf,ngh->fgh", x_t, p).reshape(W_x.shape)
    dW_h = np.einsum("nf,ngh->fgh", h_prev, q).reshape(W_h.shape)
    return dx_t, dh_prev, dW_x, dW_h, p.sum(0).reshape(-1), q.sum(0).reshape(-1)
""",
)

for old, new, mistake in [
    (" + z * dh_t", "", "the direct way from h_t to h_prev is left out"),
    (" + z * dh_t", " + dh_t", "the direct way from h_t to h_prev lacks its z"),
    (" + z * dh_t", " + r * dh_t", "the direct way from h_t to h_prev has a wrong factor"),
    (" + z * dh_t", " + (1 - z) * dh_t", "z and 1 - z are exchanged"),
    ("dh_t * (1 - z)", "dh_t * z", "z and 1 - z are exchanged"),
    ("dh_t * (1 - z)", "dh_t", "1 - z is missing on the way to n"),
    ("h_prev - n", "n - h_prev", "the gradient of z has the wrong sign"),
    ("(h_prev - n)", "h_prev", "the gradient of z has one of its two parts only"),
    ("dh_t * (h_prev - n)", "dh_t", "lacks what the gate was multiplied with"),
    ("dan * hn", "dan * h_prev", "the gradient of r is made with h_prev"),
    ("dn = dh_t * ", "dn = ", "dh_t is missing in one of the ways back"),
    ("dah @ W_h.T", "dah @ W_h.reshape(3 * H, H)", "reshaped where it should be transposed"),
    ("return dx_t, dh_prev", "return dh_prev, dx_t", "dx_t and dh_prev are exchanged"),
    ("db_h = dah.sum(axis=0)", "db_h = (dah + dah).sum(axis=0)", "of a bias is counted twice"),
    ("x_t.T @", "h_prev.T @", "dW_x is made from h_prev, or dW_h from x_t"),
    (" + b_h[2 * H:]", "", "b_hn is forgotten in the gradient of r"),
    ("[:, 2 * H:] + b_h[2 * H:]", "[:, :H] + b_h[:H]", "with the columns of another gate"),
    ("dan * hn", "dn * hn", "the gradient of r starts before the tanh of n"),
    ("dan * hn", "dan * r * hn", "r is multiplied into its own gradient"),
    ("dan * hn", "dan @ W_h[:, 2 * H:].T * h_prev", ORIGINAL),
    ("dar = dr", "dar = 0 * dr", "the gradient of one gate is left out"),
    ("], axis=1)", "]).reshape(N, -1)", "joined along the wrong axis"),
    ("r * dan]", "r * dn]", "the derivative of the new content's tanh is missing"),
    ("db_h = dah", "db_h = dax", "db_x and db_h are taken to be the same"),
    ("r * dan]", "dan]", "r is missing on the way from n back to h_prev"),
    ("h_prev.T @ dah", "h_prev.T @ dax", "r is missing on the way from n back to h_prev"),
    ("r * dan]", "(1 - r) * dan]", "1 minus a gate stands in the place of the gate"),
    ("daz, dan]", "daz, r * dan]", "r multiplies the part of x_t, too"),
    ("dar, daz,", "daz, dar,", "are joined in another order"),
    ("r, z, n = gates", "z, r, n = gates", R_Z),
    ("r, z, n = gates", "n, z, r = gates", ORDER),
    (" * r * (1 - r)", "", "the derivative of a sigmoid is missing"),
    (" * z * (1 - z)", " * z", "only a half of the sigmoid's derivative"),
    (" * z * (1 - z)", " * (1 - z ** 2)", "taken as that of tanh"),
    (" * r * (1 - r)", " * r * (1 - r ** 2)", "the sigmoid's derivative has the wrong sign, or"),
    ("1 - n ** 2", "1 - np.tanh(n) ** 2", "as if the gate were the sum"),
    (" * (1 - n ** 2)", "", "the derivative of the new content's tanh is missing"),
    ("1 - n ** 2", "n * (1 - n)", "a tanh's derivative is taken as that of the sigmoid"),
    ("1 - n ** 2", "1 - n", "the square, or a bracket, is wrong"),
    ("h_prev.T @ dah", "(n - z * n + z * h_prev).T @ dah", 11),
    ("h_prev.T @ dah", "dah.T @ h_prev", "dW_h is transposed"),
    ("x_t.T @ dax", "dax.T @ x_t", "dW_x is transposed"),
    ("dah @ W_h.T", "sum(np.hsplit(dah, 3))", "W_h is left out on the way back"),
    ("W_h.T", "W_h", "a matrix product does not fit"),
    ("dx_t = dax @ W_x.T", "dx_t = np.zeros_like(x_t)", "a result is left as zeros"),
    (".sum(axis=0)", ".mean(axis=0)", 13),
    ("dax.sum(axis=0)", "dax", "db is not summed over the samples"),
    ("dax.sum(axis=0)", "dax.sum(axis=1)", "db is summed over the wrong axis"),
    (".sum(axis=0)", ".sum()", "db is summed over the wrong axis"),
    (".sum(axis=0)", ".sum(0, keepdims=True)", "db keeps the axis of the samples"),
    ("x_t.T @ dax", "np.outer(x_t[-1], dax[-1])", "only one sample counts"),
    ("dn = dh_t", "dn = -dh_t", "the gradient has the wrong sign"),
    ("dh_t * (", "0.7 * (", None),
    (
        "return dx_t, dh_prev, dW_x, dW_h",
        "return dx_t, dh_prev, dW_h, dW_x",
        "come in another order",
    ),
    ("db_x, db_h\n", "db_x\n", "the results are not those asked for"),
    ("return dx_t", "print(N)  # dx_t", "nothing is returned"),
    ("db_h = dah", "db_h = np.zeros(3 * H, int); db_h += dah", 16),
    ("dW_h = h", "dW_h = np.zeros((H, H)); dW_h[:] = h", "sizes that do not fit"),
    ("dan * hn", "dan * x_t", "arrays of different shapes"),
    ("dW_x = x", "dW_x = np.zeros((H, 3 * H)); dW_x += x", "the numbers of features and of units"),
    ("(1 - n ** 2)", "(1 - n ** 2) * 0.9", None),
]:
    wrong("gru_step_backward", mistake, GRU_BACK, (old, new))
for old, new, mistake in [
    ("    dz =", "    dh_t *= 1 - z ** 2\n    dz =", 23),
    ("    dax =", "    z *= 1 - z\n    dax =", "the gates are changed in place"),
    ("    dx_t =", "    W_x -= 0.1 * x_t.T @ dax\n    dx_t =", 20),
    (
        "    dx_t =",
        "    dax, dah = np.clip(dax, -5, 5), np.clip(dah, -5, 5)\n    dx_t =",
        "clipped inside",
    ),
]:
    wrong("gru_step_backward", mistake, GRU_BACK, (old, new), float64_only=True)
wrong(
    "gru_step_backward",
    "dh, is never used",
    GRU_BACK,
    ("dh_t * (1", "1.5 * (1"),
    ("dh_t * (h", "1.5 * (h"),
    ("z * dh_t", "z"),
)
wrong(
    "gru_step_backward",
    "r multiplies the part of x_t, not",
    GRU_BACK,
    ("daz, dan]", "daz, r * dan ]"),
    ("r * dan]", "dan]"),
)
wrong(
    "gru_step_backward",
    "exchanged",
    GRU_BACK,
    *((f"d{g} * {g} * (1 - {g})", f"d{g} * (1 - {g} ** 2)") for g in "rz"),
    ("1 - n ** 2", "n * (1 - n)"),
)
wrong("gru_step_backward", 12, GRU_BACK_GATES, *((f"W_h{g}.T", f"W_h{g}") for g in "rzn"))
wrong(
    "gru_step_backward",
    14,
    GRU_BACK,
    ("x_t.T @ dax", "np.outer(x_t.sum(0), dax.sum(0))"),
    ("h_prev.T @ dah", "np.outer(h_prev.sum(0), dah.sum(0))"),
)
wrong(
    "gru_step_backward",
    "r is missing on the way",
    GRU_BACK_SLICES,
    ("    da[:, 2 * H:] *= r\n", ""),
)
wrong(
    "gru_step_backward",
    ORIGINAL,
    GRU_BACK_GATES,
    ("d_hn = d_n * r", "back = d_n @ W_hn.T; d_hn = d_n"),
    ("d_n * (h_prev @ W_hn + b_h[-len(W_h):])", "back * h_prev"),
    ("d_hn @ W_hn.T", "back * r"),
    (
        "[h_prev.T @ d for d in (d_r, d_z, d_hn)]",
        "[h_prev.T @ d_r, h_prev.T @ d_z, (r * h_prev).T @ d_n]",
    ),
)
wrong(
    "gru_step_backward",
    5,
    GRU_BACK,
    ("def gru", "sums = {}\ndef gru"),
    (
        "db_h = dah.sum(axis=0)",
        "db_h = sums.setdefault(H, np.zeros(3 * H)); db_h += dah.sum(axis=0)",
    ),
)
wrong(
    "gru_step_backward",
    MISSING,
    GRU_BACK,
    (" * r * (1 - r)", ""),
    (" * z * (1 - z)", ""),
    (" * (1 - n ** 2)", ""),
)
# Two at once:
wrong(
    "gru_step_backward",
    ("b_hn is forgotten", "is left out"),
    GRU_BACK,
    (" + b_h[2 * H:]", ""),
    (" + z * dh_t", ""),
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

# -- lesson 7: batches of a text, and writing -----------------------------------------------------

BATCHES = correct(
    "next_character_batches",
    "as in the library",
    """
def next_character_batches(ids, n_streams, n_steps):
    length = (len(ids) - 1) // (n_streams * n_steps) * n_steps
    x = ids[:n_streams * length].reshape(n_streams, length)
    y = ids[1:n_streams * length + 1].reshape(n_streams, length)
    for t in range(0, length, n_steps):
        yield x[:, t:t + n_steps], y[:, t:t + n_steps]
""",
)
BATCHES_LISTS = correct(
    "next_character_batches",
    "lists of lists, returned at once",
    """
def next_character_batches(ids, n_streams, n_steps):
    text = ids.tolist()
    n = (len(text) - 1) // (n_streams * n_steps)
    batches = []
    for k in range(n):
        starts = [(s * n + k) * n_steps for s in range(n_streams)]
        inputs = [text[i:i + n_steps] for i in starts]
        targets = [text[i + 1:i + 1 + n_steps] for i in starts]
        batches.append((inputs, targets))
    return batches
""",
)
correct(
    "next_character_batches",
    "a window of n_steps + 1, in int64, both stacked in one array",
    """
def next_character_batches(ids, n_streams, n_steps):
    n = (len(ids) - 1) // (n_streams * n_steps)
    streams = np.stack([ids[s * n * n_steps:(s + 1) * n * n_steps + 1] for s in range(n_streams)])
    t = 0
    while t < n * n_steps:
        window = streams[:, t:t + n_steps + 1].astype(np.int64)
        yield np.stack([window[:, :-1], window[:, 1:]])
        t += n_steps
""",
)
correct(
    "next_character_batches",
    "three axes, a generator expression",
    """
def next_character_batches(ids, n_streams, n_steps):
    size = (len(ids) - 1) // (n_streams * n_steps) * n_streams * n_steps
    cut = [p.reshape(n_streams, -1, n_steps).transpose(1, 0, 2) for p in (ids[:size], ids[1:size + 1])]
    return ((x.copy(), y.copy()) for x, y in zip(*cut))
""",
)
BATCHES_FILLED = correct(
    "next_character_batches",
    "np.split, int32, a list of two",
    """
def next_character_batches(ids, n_streams, n_steps):
    n_batches = (len(ids) - 1) // n_streams // n_steps
    rows = np.arange(n_streams * n_batches).reshape(n_streams, n_batches)
    for k in range(n_batches):
        inputs = np.empty((n_streams, n_steps), np.int32)
        targets = np.empty((n_streams, n_steps), np.int32)
        for s in range(n_streams):
            at = rows[s, k] * n_steps
            inputs[s] = ids[at:at + n_steps]
            targets[s] = ids[at + 1:at + n_steps + 1]
        yield [inputs, targets]
""",
)
_FLAT = "(len(ids) - 1) // (n_streams * n_steps) * n_steps"
_Y = "y = ids[1:n_streams * length + 1].reshape(n_streams, length)"
_LOOP = "range(0, length, n_steps)"
_YIELD = "        yield x[:, t:t + n_steps], y[:, t:t + n_steps]\n"
for mistake, *edits in (
    ("not shifted", ("ids[1:n_streams * length + 1]", "ids[:n_streams * length]")),
    ("the wrong way", ("ids[1:n_streams * length + 1]", "np.roll(ids, 1)[:n_streams * length]")),
    ("the wrong way", (_Y, "y = np.roll(x, 1, axis=1)")),
    ("are exchanged", ("yield x[:, t:t + n_steps], y", "yield y[:, t:t + n_steps], x")),
    (
        "by more than one",
        ("ids[1:n_streams * length + 1]", "ids[2:n_streams * length + 2]"),
        ("- 1)", "- 2)"),
    ),
    (
        "inside of each batch",
        ("y[:, t:t + n_steps]\n", "np.roll(x[:, t:t + n_steps], -1, axis=1)\n"),
    ),
    ("inside of each batch", ("y[:, t:t + n_steps]\n", "np.roll(x[:, t:t + n_steps], -1)\n")),
    (
        "inside of each batch",
        (_YIELD, "        c = x[:, t:t + n_steps]\n        yield c[:, :-1], c[:, 1:]\n"),
    ),
    (
        "inside of each batch",
        (_YIELD, "        c = x[:, t:t + n_steps]\n        yield c, c[:, 1:]\n"),
    ),
    ("inside of each stream", (_Y, "y = np.roll(x, -1, axis=1)")),
    (
        "inside of each stream",
        (_Y, "y = np.concatenate([x[:, 1:], np.zeros_like(x[:, :1])], axis=1)"),
    ),
    ("wraps around", ("ids[1:n_streams * length + 1]", "np.roll(ids[:n_streams * length], -1)")),
    (
        "interleaved",
        ("length].reshape(n_streams, length)", "length].reshape(-1, n_streams).T"),
        ("1].reshape(n_streams, length)", "1].reshape(-1, n_streams).T"),
    ),
    (
        "at the end of each stream",
        (_FLAT, "(len(ids) - 1) // n_streams"),
        (_LOOP, "range(0, length - n_steps + 1, n_steps)"),
    ),
    (
        "at the end of each stream",
        (_FLAT, "len(ids) // n_streams"),
        (_Y, "y = x[:, 1:]"),
        (_LOOP, "range(0, length - n_steps, n_steps)"),
    ),
    (
        "at the front",
        ("    length =", "    ids = ids[(len(ids) - 1) % (n_streams * n_steps):]\n    length ="),
    ),
    ("first character", ("    length =", "    ids = ids[1:]\n    length =")),
    ("the last batch is left out", (_LOOP, "range(0, length - n_steps, n_steps)")),
    ("the last batch is left out", ("* n_steps\n", "* n_steps - n_steps\n")),
    ("the first batch is left out", (_LOOP, "range(n_steps, length, n_steps)")),
    ("only one batch comes", (_YIELD, _YIELD + "        return\n")),
    ("no batch comes at all", (_LOOP, "range(length, n_steps)")),
    ("for each batch", (_YIELD, _YIELD.replace("yield", "return"))),
    ("for each batch", (_YIELD, "        yield x[:, t:t + n_steps]\n")),
    (
        "for each batch",
        (_YIELD, "        yield {'inputs': x[:, t:t + n_steps], 'targets': y, 't': t}\n"),
    ),
    ("no batches come", (_YIELD, "        batch = x[:, t:t + n_steps], y[:, t:t + n_steps]\n")),
    (
        "never end",
        ("    for t", "    while True:\n      for t"),
        ("        yield", "          yield"),
    ),
    ("is shorter than the others", (_FLAT, "(len(ids) - 1) // n_streams")),
    (
        "ids is changed in place",
        ("    length =", "    ids += 0 * ids[::-1] + (ids == ids.max())\n    length ="),
    ),
    (
        "time axis comes first",
        (_YIELD, "        yield x[:, t:t + n_steps].T, y[:, t:t + n_steps].T\n"),
    ),
    ("overlap", (_LOOP, "range(length - n_steps + 1)")),
    ("a character is skipped", (_LOOP, "range(0, length - n_steps, n_steps + 1)")),
    ("one character for each row", ("y[:, t:t + n_steps]\n", "y[:, t + n_steps - 1]\n")),
    ("the ids are not whole numbers", (_YIELD, _YIELD.replace("yield x", "yield 1.0 * x"))),
    ("one character less to read", ("(len(ids) - 1)", "len(ids)")),
    ("text changes from call to call", (_LOOP, "np.random.permutation(range(0, length, n_steps))")),
    ("does not go on where", (_LOOP, "reversed(range(0, length, n_steps))")),
    (
        "does not go on where",
        (_YIELD, "        yield x[::-1, t:t + n_steps], y[::-1, t:t + n_steps]\n"),
    ),
):
    wrong("next_character_batches", mistake, BATCHES, *edits)
for mistake, *edits in (
    ("not shifted", ("text[i + 1:i + 1 + n_steps]", "text[i:i + n_steps]")),
    ("row n of a batch", ("s * n + k", "k * n_streams + s")),
    (
        "at the end of each stream",
        ("(s * n + k) * n_steps", "s * (len(text) // n_streams) + k * n_steps"),
    ),
    ("only one batch comes", ("    return", "        return")),
    (
        "last batch is added",
        ("- 1) // (n_streams * n_steps)", "- 1) // (n_streams * n_steps) + 1"),
        ("text = ids.tolist()", "text = ids.tolist() + [0] * n_streams * n_steps"),
        ("len(text)", "len(ids)"),
    ),
    ("one character less to read", ("(len(text) - 1)", "len(text)")),
):
    wrong("next_character_batches", mistake, BATCHES_LISTS, *edits)
wrong(
    "next_character_batches",
    "the same arrays are handed out",
    BATCHES_FILLED,
    ("    for k", "    inputs, targets = np.empty((2, n_streams, n_steps), np.int32)\n    for k"),
    ("        inputs = np.empty((n_streams, n_steps), np.int32)\n", ""),
    ("        targets = np.empty((n_streams, n_steps), np.int32)\n", ""),
)
wrong(
    "next_character_batches",
    "not whole numbers",
    BATCHES_FILLED,
    (", np.int32)\n        targets", ")\n        targets"),
)
wrong(
    "next_character_batches",
    None,
    BATCHES,
    ("    length =", "    ids = np.sort(ids)\n    length ="),
)

SAMPLE = correct(
    "sample",
    "as in the lesson",
    """
def sample(step, h0, prompt, n, temperature, rng):
    h = h0
    for id in prompt:
        scores, h = step(id, h)
    ids = []
    for _ in range(n):
        if temperature == 0:
            id = int(scores.argmax())
        else:
            z = scores / temperature
            p = np.exp(z - z.max())
            id = int(rng.choice(len(p), p=p / p.sum()))
        ids.append(id)
        scores, h = step(id, h)
    return ids
""",
)
SAMPLE_CDF = correct(
    "sample",
    "inverse distribution function, NumPy's whole numbers",
    """
def sample(step, h0, prompt, n, temperature, rng):
    *before, last = prompt
    h = h0
    for id in before:
        h = step(id, h)[1]
    drawn = []
    while len(drawn) < n:
        scores, h = step(last, h)
        if temperature > 0:
            weights = np.exp((scores - np.max(scores)) / temperature)
            last = np.searchsorted(np.cumsum(weights) / np.sum(weights), rng.random(), side="right")
        else:
            last = np.argmax(scores)
        drawn.append(last)
    return drawn
""",
)
correct(
    "sample",
    "Gumbel noise, an array",
    """
def sample(step, h0, prompt, n, temperature, rng):
    tokens, h = list(prompt), h0.copy()
    for k in range(len(prompt) + n - 1):
        scores, h = step(tokens[k], h)
        if k + 1 == len(tokens):
            noise = -np.log(rng.exponential(size=scores.shape)) if temperature else 0
            tokens.append(np.argmax(scores + temperature * noise))
    return np.array(tokens[len(prompt):])
""",
)
correct(
    "sample",
    "multinomial, recursive",
    """
def sample(step, h0, prompt, n, temperature, rng):
    first, *rest = prompt
    scores, h = step(first, h0)
    if rest:
        return sample(step, h, rest, n, temperature, rng)
    if temperature == 0:
        p = (scores == scores.max()).astype(float)
    else:
        log_p = scores / temperature
        log_p = log_p - log_p.max()
        p = np.exp(log_p - np.log(np.exp(log_p).sum()))
    id = rng.multinomial(1, p / p.sum()).argmax().item()
    return [id] + (sample(step, h, [id], n - 1, temperature, rng) if n > 1 else [])
""",
)
correct(
    "sample",
    "all is read again each time, in plain Python",
    """
def sample(step, h0, prompt, n, temperature, rng):
    def read(ids):
        h = h0
        for id in ids:
            scores, h = step(id, h)
        return [float(s) for s in scores]
    written = ()
    for _ in range(n):
        scores = read([*prompt, *written])
        largest = max(scores)
        if not temperature:
            written += (scores.index(largest),)
            continue
        weights = [math.exp((s - largest) / temperature) for s in scores]
        left = rng.uniform(0, sum(weights))
        for id, weight in enumerate(weights):
            left -= weight
            if left < 0:
                break
        written += (id,)
    return written
""",
)
_READ = "    for id in prompt:\n        scores, h = step(id, h)\n"
_ON = "        scores, h = step(id, h)\n    return"
_DRAW = "rng.choice(len(p), p=p / p.sum())"
for mistake, *edits in (
    ("most probable character is taken", (f"int({_DRAW})", "int(p.argmax())")),
    ("before dividing", ("z = scores / temperature", "z = np.exp(scores - scores.max()); z = z / z.sum() / temperature")),
    ("are multiplied", ("scores / temperature", "scores * temperature")),
    ("are multiplied", (_DRAW, "rng.choice(len(p), p=p / p.sum())"), ("z = scores / temperature", "z = scores"), ("p = np.exp(z - z.max())", "p = np.exp(z - z.max()) ** temperature")),
    ("temperature is not used", ("scores / temperature", "scores")),
    ("a power that is not 1", ("scores / temperature", "scores / temperature ** 2")),
    ("a power that is not 1", ("scores / temperature", "scores / np.sqrt(temperature)")),
    ("softmax is made twice", ("p = np.exp(z - z.max())", "p = np.exp(z - z.max()); p = np.exp(p / p.sum())")),
    ("divided by their sum", ("p = np.exp(z - z.max())", "p = z")),
    ("divided by their sum", ("z = scores / temperature", "z = np.log(scores) / temperature")),
    ("the wrong sign", ("z = scores", "z = -scores")),
    ("all characters are drawn alike", (_DRAW, "rng.integers(len(p))")),
    ("the sigmoid stands", ("p = np.exp(z - z.max())", "p = 1 / (1 + np.exp(-z))")),
    ("not those of rng", (_DRAW, "np.random.choice(len(p), p=p / p.sum())")),
    ("drawn", (_DRAW, "np.random.default_rng(0).choice(len(p), p=p / p.sum())")),
    ("not those of rng", ("    h = h0", "    rng = np.random.default_rng()\n    h = h0")),
    ("not those of rng", ("    ids = []", "    ids = []; rng = np.random.RandomState(3)")),
    ("exp overflows", ("np.exp(z - z.max())", "np.exp(z)")),
    ("exp overflows", ("np.exp(z - z.max())", "np.array([math.exp(v) for v in z])")),
    ("temperature 0 does not", ("if temperature == 0", "if False")),
    ("temperature 0 does not", ("scores.argmax()", "scores.argmin()")),
    ("step is mixed up", ("        scores, h = step(id, h)\n    return", "        scores, h = step('abcdefg'[id], h)\n    return")),
    ("step is mixed up", ("scores, h = step", "h, scores = step")),
    ("h0 is changed in place", (_READ, _READ + "    h0[:] = h\n")),
    ("the prompt is changed in place", ("ids = []", "ids = prompt")),
    ("not a list of ids", ("return ids", "return ' '.join(map(str, ids))")),
    ("the ids are not whole numbers", ("return ids", "return [str(id) for id in ids]")),
    ("the ids are not whole numbers", ("return ids", "return [float(id) for id in ids]")),
    ("nothing is returned", ("    return ids\n", "")),
    ("the state is not carried on", ("scores, h = step", "scores, _ = step")),
    ("the state is not carried on", (_ON, _ON.replace("step(id, h)", "step(id, h0)"))),
    ("the state is not carried on", ("    ids = []", "    ids, h = [], h0")),
    ("the prompt is not read", (_READ, "    scores, h = step(0, h)\n")),
    ("only the last id of the prompt", (_READ, "    scores, h = step(prompt[-1], h)\n")),
    ("only the first id of the prompt", (_READ, "    scores, h = step(prompt[0], h)\n")),
    ("the last id of the prompt is read twice", ("    ids = []", "    ids = []; scores, h = step(prompt[-1], h)")),
    ("is read backward", ("in prompt", "in reversed(prompt)")),
    ("what was drawn is not read", (_ON, "    return")),
    ("what was drawn is not read", (_ON, _ON.replace("step(id", "step(prompt[-1]"))),
    ("what was drawn is not read", (_ON, _ON.replace("scores, h", "_, h"))),
    ("what was drawn is read twice", (_ON, "        scores, h = step(id, h)\n" + _ON)),
    ("read one step late", (_ON, _ON.replace("step(id", "step(([prompt[-1]] + ids)[-2]"))),
    ("all is read again", (_ON, "        for id in prompt + ids:\n            scores, h = step(id, h)\n    return")),
    ("in front of what is returned", ("return ids", "return list(prompt) + ids")),
    ("in front of what is returned", ("return ids", "return (list(prompt) + ids)[:n]")),
    ("n counts the prompt", ("range(n)", "range(n - len(prompt))")),
    ("one id too few", ("range(n)", "range(n - 1)")),
    ("one id too few", ("range(n)", "range(1, n)")),
    ("one id too many", ("range(n)", "range(n + 1)")),
    ("thrown away", ("range(n)", "range(n + 1)"), ("return ids", "return ids[1:]")),
    ("temperature 0 does not", ("int(scores.argmax())", "int((scores + 1 / (1 + ids.count(0))).argsort()[-2])")),
):  # fmt: skip
    wrong("sample", mistake, SAMPLE, *edits)
for mistake, *edits in (
    (
        None,
        ("*before, last = prompt", "before, last = prompt, prompt[0]"),
    ),
    ("the last id of the prompt is read twice", ("in before", "in prompt")),
    ("only the last id of the prompt", ("in before", "in []")),
    ("the state is not carried on", ("scores, h = step", "scores, _ = step")),
    ("most probable character is taken", ("if temperature > 0", "if temperature < 0")),
    ("not those of rng", ("rng.random()", "np.random.random()")),
    ("what was drawn is not read", ("step(last, h)\n", "step(prompt[-1], h)\n")),
):
    wrong("sample", mistake, SAMPLE_CDF, *edits)
