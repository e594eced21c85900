"""Recurrent layers: one step forward and one step back for each, and one loop over time for all.

`RecurrentLayer` is the loop: it walks over the time steps, lets each sample end where it ends,
truncates the gradient, and adds up over samples and steps. A subclass is a cell: the formulas of
one step, which is all that distinguishes one recurrent layer from another. Left out: what stands
before the recurrence and after it, and the update of the parameters.

Inside, time comes first: the numbers of one step lie side by side in memory, and what does not
depend on the previous step is computed for all steps at once. Outside, the sample comes first:
arrays are (N, T, features), as views of the same memory.
"""

from typing import NamedTuple

import numpy as np

from rnn_lib.activations import get_activation
from rnn_lib.initializers import Initializer, draw_weights
from rnn_lib.layers import Layer
from rnn_lib.validation import (
    as_lengths,
    as_real,
    choose,
    expect_count,
    expect_finite,
    expect_float_type,
    expect_shape,
)



class RecurrentLayer(Layer):
    """The loop over time that all recurrent layers share.

    The input of step t is one row for each sample, ``z_t = [h_{t-1} | x_t | 1]``, so that one
    matrix product with ``W = [W_h; W_x; b]`` gives all pre-activations, and one product of all
    rows with all gradients gives the gradients at all parameters. A subclass gives

    * ``_step(W, z, before, after, kept)``: writes the states after the step into `after`, and what
      its derivatives need into `kept`;
    * ``_derivatives(before, after, kept)``: whatever of the backward formulas does not depend on
      the gradient, for all steps at once; a list of arrays (T, N, ...);
    * ``_step_back(W, dstates, derivatives, da)``: writes the gradient at the pre-activations into
      `da`, and replaces the gradients at the states after the step by those at the states before.

    States are lists of arrays, of which the first is h; at time step t each array of ``_step`` is
    (n, width), where n samples have not ended yet. ``_step_back`` sees a step (n, width), or many
    steps at once (steps, N, width).

    Parameters
    ----------
    n_features, n_nodes : int
        Numbers per time step, F, and hidden units, H.
    bptt_steps : int or None
        The number of cells that a gradient passes through, the one that it enters included; then
        it stops. None means all of them. The time for it grows with this number.
    dtype : data type
        float64, or float32 for speed.

    Attributes
    ----------
    dh0 : ndarray, shape (N, H)
        After ``backward``: the gradient at the state before the first step.
    """

    _n_states = 1
    _kept_widths: tuple[int, ...] = ()  # numbers that a step keeps for each sample

    def __init__(
        self, n_features: int, n_nodes: int, bptt_steps: int | None, dtype: np.dtype | type
    ) -> None:
        super().__init__()
        self.dtype = expect_float_type("dtype", dtype)
        self.n_features = expect_count("n_features", n_features)
        self.n_nodes = expect_count("n_nodes", n_nodes)
        self.bptt_steps = None if bptt_steps is None else expect_count("bptt_steps", bptt_steps)

    def forward(
        self,
        x: np.ndarray,
        h0: np.ndarray | None = None,
        lengths: np.ndarray | None = None,
        training: bool = False,
    ) -> np.ndarray:
        """Read the sequences and return the state after every step.

        Parameters
        ----------
        x : ndarray, shape (N, T, F)
            The sequences.
        h0 : ndarray, shape (N, H), optional
            The state before the first step; zeros by default.
        lengths : ndarray of int, shape (N,), optional
            The number of time steps of each sequence that count, 1 to T. Later ones are never read.
        training : bool
            Has no effect here.

        Returns
        -------
        ndarray, shape (N, T, H)
            All states; 0 at and after a sample's length.

        Raises
        ------
        ValueError
            If a shape does not fit, a length lies outside 1 to T, or `x` or `h0` hold NaN or
            infinity where they are read.
        TypeError
            If `x` or `h0` are not real numbers, or `lengths` not integers.
        """
        x, lengths = self._checked(x, lengths)
        if h0 is not None:
            h0 = as_real("h0", h0, x.dtype)
            expect_shape("h0", h0, (len(x), self.n_nodes))
            expect_finite("h0", h0)
        return self._keep(*self._compute(x, lengths, [h0]))

    def _checked(self, x, lengths):
        x = as_real("x", x, self._float_type())
        expect_shape("x", x, ("N", "T", self.n_features))
        N, T, _ = x.shape
        lengths = as_lengths(lengths, N, T)
        expect_finite("x", x if lengths.min() == T else x[np.arange(T) < lengths[:, None]])
        return x, lengths

    def backward(self, dh: np.ndarray) -> np.ndarray:
        """Back-propagate through time.

        Parameters
        ----------
        dh : ndarray, shape (N, T, H)
            The gradient of the loss at every state that ``forward`` returned; at and after a
            sample's length it is not read.

        Returns
        -------
        ndarray, shape (N, T, F)
            The gradient at `x`; 0 at and after a sample's length. The gradients at the
            parameters are in ``grads``, that at `h0` in ``dh0``.

        Raises
        ------
        TypeError
            If `dh` is not made of real numbers.
        ValueError
            If there was no ``forward`` before, or `dh` has another shape than its output.
        """
        return self._checked_backward("dh", dh)

    def _compute(self, x, lengths, starts=(None,), training=False):
        """Walk forward; `starts` are the states before the first step, None for zeros."""
        (N, T, _), H = x.shape, self.n_nodes
        W, batch = self._joined_params(), _RaggedBatch(lengths, T)
        z = np.zeros((T + 1, N, len(W)), W.dtype)  # of step T only the state will be there
        z[:T, :, H:-1] = batch.in_layers_order(x).swapaxes(0, 1)
        z[:T, :, -1] = 1
        z[:T][batch.past_end] = 0
        states = [z[..., :H]]
        states += [np.zeros((T + 1, N, H), W.dtype) for _ in range(1, self._n_states)]
        for state, start in zip(states, starts, strict=False):
            state[0] = 0 if start is None else batch.in_layers_order(start)
        kept = [np.zeros((T, N, width), W.dtype) for width in self._kept_widths]
        for t, n in enumerate(batch.alive):
            before, after = [s[t, :n] for s in states], [s[t + 1, :n] for s in states]
            self._step(W, z[t, :n], before, after, [k[t, :n] for k in kept])
        return batch.batch_major(states[0][1:]), _Pass(batch, W, z[:T], states, kept)

    def _backward(self, dh, forward_pass):
        batch, W, z, states, kept = forward_pass
        dh = batch.in_layers_order(dh.astype(W.dtype, copy=False)).swapaxes(0, 1)
        derivatives = self._derivatives([s[:-1] for s in states], [s[1:] for s in states], kept)
        T, N, H = dh.shape
        is_full = self.bptt_steps is None or self.bptt_steps >= T
        walk_back = self._walk_back if is_full else self._walk_back_truncated
        da, dstarts = walk_back(W, dh, derivatives, batch)

        # The sums over samples and steps are one matrix product.
        da_rows = da.reshape(T * N, -1)
        self._part_grads(z.reshape(T * N, -1).T @ da_rows)
        self.dh0 = batch.in_callers_order(dstarts[0])
        return batch.batch_major((da_rows @ W[H:-1].T).reshape(T, N, -1))

    def _walk_back(self, W, dh, derivatives, batch):
        """Walk back from the last step; return all da_t, and the gradients at the first states."""
        T, N, H = dh.shape
        da = np.zeros((T, N, W.shape[1]), W.dtype)
        dstates = [np.zeros((N, H), W.dtype) for _ in range(self._n_states)]
        for t in reversed(range(T)):
            n = batch.alive[t]
            dstates[0][:n] += dh[t, :n]
            self._step_back(W, [d[:n] for d in dstates], [d[t, :n] for d in derivatives], da[t, :n])
        return da, dstates

    def _walk_back_truncated(self, W, dh, derivatives, batch):
        """Let the gradient that enters at each step pass through `bptt_steps` cells, exactly.

        Each entry stops at a place of its own, so their sum cannot travel as one. But all entries
        can take a step back at the same time: after k rounds ``wave[0][s]`` is what entered at step
        s + k and has come down to the state after step s.
        """
        T, N, _ = dh.shape
        da = np.zeros((T, N, W.shape[1]), W.dtype)
        wave = [np.where(batch.past_end[..., None], 0, dh)]
        wave += [np.zeros_like(wave[0]) for _ in range(1, self._n_states)]
        dstates = [np.zeros_like(w[0]) for w in wave]
        for n_left in range(T, T - self.bptt_steps, -1):
            round_da = np.empty_like(da[:n_left])
            self._step_back(W, wave, [d[:n_left] for d in derivatives], round_da)
            da[:n_left] += round_da
            for dstate, w in zip(dstates, wave, strict=True):
                dstate += w[0]  # what has arrived before the first step
            wave = [w[1:] for w in wave]
        return da, dstates

    def _joined_params(self):
        """Return W = [W_h; W_x; b], in the type to compute in."""
        W_h, W_x, b = self.params["W_h"], self.params["W_x"], self.params["b"]
        W = np.vstack([W_h, W_x, np.broadcast_to(b, W_h.shape[1:])])
        return W.astype(self._float_type(), copy=False)

    def _part_grads(self, dW):
        """Divide the gradient at W among the parameters."""
        H, db = self.n_nodes, dW[-1]
        db = db if self.params["b"].shape == db.shape else db.sum(keepdims=True)
        self.grads = {"W_x": dW[H:-1], "W_h": dW[:H], "b": db}


class SimpleRNN(RecurrentLayer):
    """The simple (Elman) recurrent layer: ``h_t = f(x_t @ W_x + h_{t-1} @ W_h + b)``.

    Parameters
    ----------
    n_features : int
        Numbers per time step, F.
    n_nodes : int
        Hidden units, H.
    activation : {"tanh", "relu"}
        The function f.
    bptt_steps : int, optional
        The number of cells that a gradient passes through, the one that it enters included; then
        it stops. By default it passes through all of them. The time for it grows with this number.
    initializer : str or callable
        Draws `W_x` and `W_h`; see :func:`rnn_lib.get_initializer`. `b` starts at 0.
    rng : numpy.random.Generator or int, optional
        Where the weights come from.
    dtype : data type
        float64, or float32 for speed.

    Attributes
    ----------
    params, grads : dict
        `W_x` (F, H), `W_h` (H, H) and `b` (H,). A `b` of shape (1,), put there by hand, is added
        to all units, as in the assignment.
    dh0 : ndarray, shape (N, H)
        After ``backward``: the gradient at the state before the first step.

    Raises
    ------
    ValueError, TypeError
        If a size is not a whole number of at least 1, or a name is unknown.

    Notes
    -----
    Forward: lesson 1, section 3. Backward: lesson 3, section 3. Truncation: lesson 3, section 8.

    References
    ----------
    Elman, "Finding structure in time", Cognitive Science 14, 1990; Werbos, "Backpropagation
    through time", Proceedings of the IEEE 78, 1990.
    """

    def __init__(
        self,
        n_features: int,
        n_nodes: int,
        activation: str = "tanh",
        bptt_steps: int | None = None,
        *,
        initializer: str | Initializer = "uniform",
        rng: np.random.Generator | int | None = None,
        dtype: np.dtype | type = np.float64,
    ) -> None:
        super().__init__(n_features, n_nodes, bptt_steps, dtype)
        self.activation = get_activation(activation)
        rng = np.random.default_rng(rng)
        self.params["W_x"] = draw_weights(initializer, rng, (n_features, n_nodes), dtype)
        self.params["W_h"] = draw_weights(initializer, rng, (n_nodes, n_nodes), dtype)
        self.params["b"] = np.zeros(n_nodes, dtype)

    def _step(self, W, z, before, after, kept):
        self.activation.forward(z @ W, out=after[0])  # h_t = f(a_t)

    def _derivatives(self, before, after, kept):
        return [self.activation.derivative(after[0])]  # f'(a_t), from h_t

    def _step_back(self, W, dstates, derivatives, da):
        np.multiply(dstates[0], derivatives[0], out=da)  # da_t = dh_t * f'(a_t)
        np.matmul(da, W[: self.n_nodes].T, out=dstates[0])  # dh_{t-1} = da_t @ W_h.T


_BY_NAME = {"rnn": SimpleRNN}


def get_layer(name: str) -> type[RecurrentLayer]:
    """Look a recurrent layer's class up by its name.

    Parameters
    ----------
    name : {"rnn"}
        The layer's name.

    Returns
    -------
    type
        The class.

    Raises
    ------
    ValueError
        If there is no recurrent layer of that name.
    """
    return choose("layer", name, _BY_NAME, or_else="a recurrent layer or ")


class _Pass(NamedTuple):
    """What a forward pass keeps, time-major."""

    batch: "_RaggedBatch"
    W: np.ndarray  # [W_h; W_x; b] as it was
    z: np.ndarray  # [h_{t-1} | x_t | 1], (T, N, H + F + 1)
    states: list[np.ndarray]  # of each state (T + 1, N, H): at 0 the one before the first step
    kept: list[np.ndarray]  # (T, N, width)


class _RaggedBatch:
    """A batch whose samples end at different steps, the longest ones first.

    With the samples in order of falling length, those that have not ended at step t are the first
    ``alive[t]`` rows: a slice, not a mask. Batches that come in that order are not copied for it.
    """

    def __init__(self, lengths: np.ndarray, T: int) -> None:
        self._order = self._inverse = None
        if np.any(lengths[:-1] < lengths[1:]):
            self._order = np.argsort(-lengths, kind="stable")
            self._inverse = np.argsort(self._order)
            lengths = lengths[self._order]
        self.past_end = np.arange(T)[:, None] >= lengths  # (T, N)
        self.alive = (len(lengths) - self.past_end.sum(axis=1)).tolist()

    def batch_major(self, time_major: np.ndarray) -> np.ndarray:
        """View (T, N, ...) as (N, T, ...), in the caller's order."""
        return self.in_callers_order(time_major.swapaxes(0, 1))

    def in_layers_order(self, rows: np.ndarray) -> np.ndarray:
        return rows if self._order is None else rows[self._order]

    def in_callers_order(self, rows: np.ndarray) -> np.ndarray:
        return rows if self._inverse is None else rows[self._inverse]
