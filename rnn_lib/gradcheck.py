"""The numeric gradient, and the check of a layer against it.

Nudge one number a little up and a little down, and look how far the result moves: that needs
nothing but the forward pass and is right however hard the formula is. It is far too slow to train
with and exactly what one needs to find out whether ``backward`` is correct (lesson 3, section 4).
Left out: the checks of a student's functions, which are in :mod:`rnn_lib.checks`.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np


def numeric_gradient(f: Callable[[], float], array: np.ndarray, eps: float = 1e-5) -> np.ndarray:
    """Differentiate `f` with respect to every element of `array` by central differences.

    Parameters
    ----------
    f : callable
        ``f() -> number``; it must read `array` anew at each call.
    array : ndarray of float64
        The numbers to nudge, in place; afterwards they are what they were.
    eps : float
        How far to nudge. 1e-5 balances the error of the difference (about eps**2) against
        rounding (about 1e-16 / eps).

    Returns
    -------
    ndarray, shape as `array`
        The gradient, good to some 9 digits.

    Raises
    ------
    TypeError
        If `array` is not float64: in float32 a nudge drowns in the rounding.

    Notes
    -----
    Lesson 3, section 4.
    """
    if array.dtype != np.float64:
        raise TypeError(f"expected float64 numbers to nudge, got {array.dtype}")
    gradient = np.empty(array.shape)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + eps
        up = f()
        array[index] = kept - eps
        down = f()
        array[index] = kept
        gradient[index] = (up - down) / (2 * eps)
    return gradient


@dataclass(frozen=True)
class GradCheck:
    """What :func:`grad_check` found.

    Attributes
    ----------
    error : float
        The worst relative error of any array.
    name : str
        The array that has it: a parameter, ``"dx"``, ``"dh0"`` or ``"dc0"``.
    index : tuple of int
        The element of that array with the largest difference.
    errors : dict of str to float
        The relative error of every array.
    """

    error: float
    name: str
    index: tuple[int, ...]
    errors: dict[str, float]

    def __str__(self) -> str:
        """Say it in one line."""
        return f"worst relative error {self.error:.1e}, in {self.name} at {self.index}"


def grad_check(
    layer,
    x: np.ndarray,
    h0: np.ndarray | None = None,
    lengths: np.ndarray | None = None,
    c0: np.ndarray | None = None,
) -> GradCheck:
    """Compare a layer's ``backward`` with the numeric gradient, at every element.

    The loss is a random weighted sum of the layer's outputs, so that every output counts and each
    with a weight of its own. A layer with truncated back-propagation is compared with what its
    definition says: the numeric gradient of a forward pass in which the state `bptt_steps` before
    each step is held constant. Where a pre-activation of ReLU lies within 1e-5 of 0, the numeric
    gradient itself is wrong: take another `x`.

    Parameters
    ----------
    layer : object
        Anything with ``params``, ``grads``, ``forward`` and ``backward``; its parameters float64.
    x : ndarray of float64, or of int for an embedding
        The input. Its gradient is checked unless it holds integers.
    h0, c0 : ndarray of float64, optional
        Passed to ``forward``; their gradients, the layer's ``dh0`` and ``dc0``, are checked too.
    lengths : ndarray of int, optional
        Passed to ``forward``.

    Returns
    -------
    GradCheck
        The worst error and where it is. An array's error is the norm of the difference of the two
        gradients over the larger of their norms. Correct code stays below 1e-7.

    Raises
    ------
    TypeError
        If a parameter, `x`, `h0` or `c0` is not float64.

    Notes
    -----
    Lesson 3, section 4.
    """
    starts = {name: start for name, start in (("h0", h0), ("c0", c0)) if start is not None}
    options = starts if lengths is None else starts | {"lengths": lengths}
    y = layer.forward(x, **options)
    dy = np.random.default_rng(0).standard_normal(y.shape)
    dx = layer.backward(dy)

    checked = {name: (layer.params[name], layer.grads[name]) for name in layer.params}
    if x.dtype.kind == "f":
        checked["dx"] = x, dx
    checked |= {f"d{name}": (start, getattr(layer, f"d{name}")) for name, start in starts.items()}
    checked = {name: (at, np.array(analytic)) for name, (at, analytic) in checked.items()}

    twin = _with_truncation_held(layer)
    errors, places = {}, {}
    for name, (at, analytic) in checked.items():
        numeric = numeric_gradient(lambda: float(np.vdot(dy, twin.forward(x, **options))), at)
        difference = np.abs(analytic - numeric)
        larger = max(np.linalg.norm(analytic), np.linalg.norm(numeric))
        # Written so that a NaN in the analytic gradient gives NaN, and not a pass.
        errors[name] = float(np.linalg.norm(difference) / larger) if larger else 0.0
        worst = np.argmax(np.nan_to_num(difference, nan=np.inf))
        places[name] = tuple(int(i) for i in np.unravel_index(worst, difference.shape))
    name = max(errors, key=lambda n: np.nan_to_num(errors[n], nan=np.inf))
    return GradCheck(errors[name], name, places[name], errors)


def _with_truncation_held(layer):
    """Copy a layer, or a network with its recurrent layer, for the definition of truncation."""
    twin = copy.copy(layer)
    if hasattr(layer, "rnn"):
        twin.rnn = _with_truncation_held(layer.rnn)
    elif getattr(layer, "bptt_steps", None) is not None:
        twin._compute = partial(_compute_with_held_states, layer)
    return twin


def _compute_with_held_states(rnn, x, lengths, starts=None, training=False):
    """Compute as `rnn` does, but let each state depend on the last `bptt_steps` cells only.

    The values are those of the ordinary forward pass. But the state before those cells (h and c of
    an LSTM) stays what it was in the last ``forward`` of `rnn`, however the parameters are nudged
    since, unless it is the first one, an input.
    """
    N, T, _ = x.shape
    p, n_inner = rnn._kept, len(rnn._states) - 1
    h = p.z[:, None, :, : rnn.n_nodes]
    held = np.concatenate([p.kept[:, :n_inner], h], axis=1)[:, :, p.inverse]
    is_read = np.arange(T) < lengths[:, None]
    x = np.where(is_read[..., None], x, 0)
    h = np.zeros((N, T, rnn.n_nodes))
    for t in range(T):
        first = max(0, t + 1 - rnn.bptt_steps)
        before = held[first] if first else starts
        h[:, t] = rnn._compute(x[:, first : t + 1], np.full(N, t + 1 - first), before)[0][:, -1]
    return np.where(is_read[..., None], h, 0), None
