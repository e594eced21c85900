"""The numeric gradient, and the check of a layer against it.

Nudge one number a little up and a little down, look how far the result moves: that needs nothing
but the forward pass and is right however hard the formula is. It is far too slow to train with and
exactly what one needs to find out whether ``backward`` is correct (lesson 3, section 4).
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnn_lib.activations import Activation


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
    return _central_differences(lambda: (f(), None), array, eps)


@dataclass(frozen=True)
class GradCheck:
    """What :func:`grad_check` found.

    Attributes
    ----------
    error : float
        The worst relative error of any array.
    name : str
        The array that has it: a parameter, ``"dx"`` or ``"dh0"``.
    index : tuple of int
        The element of that array with the largest difference.
    errors : dict of str to float
        The relative error of every array.
    n_skipped : int
        Elements left out because the nudge met a kink of ReLU however small it was.
    """

    error: float
    name: str
    index: tuple[int, ...]
    errors: dict[str, float]
    n_skipped: int

    def __str__(self) -> str:
        """Say it in one line."""
        return f"worst relative error {self.error:.1e}, in {self.name} at {self.index}"


def grad_check(
    layer,
    x: np.ndarray,
    h0: np.ndarray | None = None,
    lengths: np.ndarray | None = None,
    *,
    eps: float = 1e-5,
    seed: int = 0,
) -> GradCheck:
    """Compare a layer's ``backward`` with the numeric gradient, at every element.

    The loss is a random weighted sum of the layer's outputs, so that every output counts and each
    with a weight of its own. A layer with truncated back-propagation is compared with what its
    definition says: the numeric gradient of a forward pass in which the state `bptt_steps` before
    each step is held constant.

    Parameters
    ----------
    layer : object
        Anything with ``params``, ``grads``, ``forward`` and ``backward``; its parameters float64.
    x : ndarray of float64, or of int for an embedding
        The input. Its gradient is checked unless it holds integers.
    h0 : ndarray of float64, optional
        Passed to ``forward``; its gradient, the layer's ``dh0``, is checked too.
    lengths : ndarray of int, optional
        Passed to ``forward``.
    eps : float
        How far to nudge.
    seed : int
        For the random weights.

    Returns
    -------
    GradCheck
        The worst error and where it is. An array's error is the length of the difference of the
        two gradients over the length of the longer one. Correct code stays below 1e-7.

    Raises
    ------
    TypeError
        If a parameter, `x` or `h0` is not float64.
    ValueError
        If all elements of some array lie beside a kink.

    Notes
    -----
    Lesson 3, section 4.
    """
    options = {"h0": h0, "lengths": lengths}
    options = {name: value for name, value in options.items() if value is not None}
    y = layer.forward(x, **options)
    dy = np.random.default_rng(seed).standard_normal(y.shape)
    dx = layer.backward(dy)

    checked = {name: (layer.params[name], layer.grads[name]) for name in layer.params}
    if x.dtype.kind == "f":
        checked["dx"] = x, dx
    if h0 is not None:
        checked["dh0"] = h0, layer.dh0
    checked = {name: (at, np.array(analytic)) for name, (at, analytic) in checked.items()}

    twin, kinks = _differentiable_twin(layer)

    def loss_and_kinks() -> tuple[float, list]:
        kinks.clear()
        return float(np.vdot(dy, twin.forward(x, **options))), list(kinks)

    twin.forward(x, **options)  # before any nudge: these are the states that truncation holds
    errors, places, n_skipped = {}, {}, 0
    for name, (at, analytic) in checked.items():
        numeric = _central_differences(loss_and_kinks, at, eps)
        difference = np.abs(analytic - numeric)
        usable = np.isfinite(numeric)
        if not usable.any():
            raise ValueError(f"{name}: every element lies beside a kink; choose another x")
        n_skipped += int((~usable).sum())
        longer = max(np.linalg.norm(analytic[usable]), np.linalg.norm(numeric[usable]))
        # Written so that a NaN in the analytic gradient gives NaN, and not a pass.
        errors[name] = float(np.linalg.norm(difference[usable]) / longer) if longer else 0.0
        worst = np.argmax(np.where(usable, difference, -1))
        places[name] = tuple(int(i) for i in np.unravel_index(worst, difference.shape))
    name = max(errors, key=lambda n: np.nan_to_num(errors[n], nan=np.inf))
    return GradCheck(errors[name], name, places[name], errors, n_skipped)


def _central_differences(
    f: Callable[[], tuple[float, object]], array: np.ndarray, eps: float
) -> np.ndarray:
    """Nudge every element; `f` also tells on which side of its kinks it was.

    Where the two nudges end on different sides of a kink, smaller ones are tried; where none is
    small enough, the answer is NaN.
    """
    if array.dtype != np.float64:
        raise TypeError(f"expected float64 numbers to nudge, got {array.dtype}")
    gradient = np.full(array.shape, np.nan)
    for index in np.ndindex(array.shape):
        kept = array[index]
        for nudge in (eps, eps / 10, eps / 100):
            array[index] = kept + nudge
            up, side_up = f()
            array[index] = kept - nudge
            down, side_down = f()
            array[index] = kept
            if side_up == side_down:
                gradient[index] = (up - down) / (2 * nudge)
                break
    return gradient


def _differentiable_twin(layer) -> tuple[object, list]:
    """Make a copy of `layer` whose ``forward`` is what ``backward`` should differentiate.

    It reads the same parameters, notes in the returned list which ReLU units are on, and holds
    states constant as truncation says.
    """
    kinks: list = []
    twin = copy.copy(layer)
    rnn = getattr(layer, "rnn", layer)
    if hasattr(rnn, "activation"):
        rnn_twin = copy.copy(rnn)
        rnn_twin.activation = _noting(rnn.activation, kinks)
        if rnn.bptt_steps is not None:
            rnn_twin = _HeldConstant(rnn_twin)
        if rnn is layer:
            return rnn_twin, kinks
        twin.rnn = rnn_twin
    return twin, kinks


def _noting(activation: Activation, kinks: list) -> Activation:
    """Wrap ReLU so that it notes which units are on; functions without a kink stay."""
    if activation.name != "relu":
        return activation

    def forward(a: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        kinks.append((a > 0).tobytes())
        return activation.forward(a, out=out)

    return Activation(activation.name, forward, activation.derivative)


class _HeldConstant:
    """A recurrent layer in which each state depends on the last `bptt_steps` cells only.

    The values are those of the ordinary forward pass. But the state before those cells is kept as
    it was at the first call, however the parameters are nudged later, unless it is h0.
    """

    def __init__(self, rnn) -> None:
        self._rnn = rnn
        self._states: np.ndarray | None = None

    def forward(self, x, h0=None, lengths=None, training=False):
        if self._states is None:
            self._states = self._rnn.forward(x, h0=h0, lengths=lengths)
        N, T, _ = x.shape
        lengths = np.full(N, T) if lengths is None else np.asarray(lengths)
        h0 = np.zeros_like(self._states[:, 0]) if h0 is None else h0
        h = np.zeros_like(self._states)
        for t in range(lengths.max()):
            alive = lengths > t
            start = t + 1 - self._rnn.bptt_steps
            before = h0 if start <= 0 else self._states[:, start - 1]
            window = x[alive, max(start, 0) : t + 1]
            h[alive, t] = self._rnn.forward(window, before[alive])[:, -1]
        return h
