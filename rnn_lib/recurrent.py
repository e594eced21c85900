"""Recurrent layers: one step forward and one step back for each, and one loop over time for all.

`RecurrentLayer` is the loop: it walks over the time steps, lets each sample end where it ends,
truncates the gradient, and adds up over samples and steps. A subclass is a cell: the formulas of
one step, which is all that distinguishes one recurrent layer from another. Left out: what stands
before the recurrence and after it, and the update of the parameters.

Inside, time comes first: the numbers of one step lie side by side in memory, and what does not
depend on the previous step is computed for all steps at once. Outside, the sample comes first:
arrays are (N, T, features), as views of the same memory.
"""

import copy
from collections import namedtuple
from functools import partial

import numpy as np

from rnn_lib import validation
from rnn_lib.activations import get_activation, sigmoid, tanh
from rnn_lib.initializers import Initializer, draw_weights
from rnn_lib.layers import Layer

# What a forward pass keeps, time-major, the longest sample first: its order and the way back to the
# caller's; where samples are past their end (T, N); how many are not, at each step; W as it was;
# z (T + 1, N, width), of which the last step has states alone; and what the steps kept (T, N, ...).
_Pass = namedtuple("_Pass", "order inverse past_end alive W cell z kept")


class RecurrentLayer(Layer):
    """The loop over time that all recurrent layers share.

    All numbers of a step are one row for each sample, ``z_t = [h_{t-1} | x_t | 1]``, so that one
    matrix product with ``W = [W_h; W_x; b]`` gives all pre-activations, and one product of all
    rows with all gradients gives the gradients at all parameters. (A cell with a second state has
    it in front: ``z_t = [c_{t-1} | h_{t-1} | x_t | 1]``.) A subclass gives

    * ``_step(W, z, z_next, kept)``: from the rows of this step, `z`, writes the states into those
      of the next, `z_next`, and what else its derivatives need into `kept`;
    * ``_step_back(W, z, z_next, kept, dstate, da)``: from the gradient at the states after the
      step, `dstate`, writes that at the pre-activations into `da`, and into `dstate` that at the
      states before.

    These arrays are (n, width), where n samples have not ended yet; ``_step_back`` also takes many
    steps at once, (steps, N, width).

    Parameters
    ----------
    n_features, n_nodes : int
        Numbers per time step, F, and hidden units, H.
    bptt_steps, initializer, rng, dtype
        As in :class:`SimpleRNN`.

    Attributes
    ----------
    dh0 : ndarray, shape (N, H)
        After ``backward``: the gradient at the state before the first step.
    """

    _states = ("h0",)  # what there is before the first step; h is the last
    _n_gates = 1  # blocks of H columns in `W_x` and `W_h`
    _n_kept = 0  # numbers that a step keeps for each hidden unit

    def __init__(self, n_features, n_nodes, bptt_steps, initializer, rng, dtype) -> None:
        super().__init__()
        self.n_features = validation.expect_count("n_features", n_features)
        self.n_nodes = validation.expect_count("n_nodes", n_nodes)
        self.bptt_steps = validation.expect_count("bptt_steps", bptt_steps, optional=True)
        self.dtype = validation.expect_float_type("dtype", dtype)
        rng = np.random.default_rng(rng)
        for name, n_in in (("W_x", n_features), ("W_h", n_nodes)):
            draw = partial(draw_weights, initializer, rng, (n_in, n_nodes), dtype)
            self.params[name] = np.hstack([draw() for _ in range(self._n_gates)])
        self.params["b"] = np.zeros(self._n_gates * n_nodes, dtype)

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
        return self._forward(x, lengths, h0)

    def _forward(self, x, lengths, *states):
        x, lengths = self._checked(x, lengths)
        starts = np.zeros((len(states), len(x), self.n_nodes), x.dtype)
        for name, start, state in zip(self._states, starts, states, strict=True):
            if state is not None:
                start[...] = validation.as_real(name, state, start.shape)
                validation.expect_finite(name, start)
        return self._keep(*self._compute(x, lengths, np.hstack(starts)))

    def _checked(self, x, lengths=None):
        x = validation.as_real("x", x, ("N", "T", self.n_features), self._float_type())
        lengths = validation.as_lengths(lengths, *x.shape[:2])
        is_read = np.arange(x.shape[1]) < lengths[:, None]
        validation.expect_finite("x", x if is_read.all() else x[is_read])
        return x, lengths

    def _compute(self, x, lengths, starts=None, training=False):
        """Walk forward; `starts` (N, S) are the states before the first step, None for zeros."""
        (N, T, _), H, W = x.shape, self.n_nodes, self._joined_params()
        S, cell = len(self._states) * H, self._arranged(W)
        order, inverse = _longest_first(lengths)
        past_end = np.arange(T)[:, None] >= lengths[order]  # (T, N)
        # With the longest first, the samples that have not ended are a slice, not a mask.
        alive = (N - past_end.sum(axis=1)).tolist()
        z = np.empty((T + 1, N, S - H + len(W)), W.dtype)
        z[:T, :, S:-1] = x[order].swapaxes(0, 1)
        z[:T, :, -1] = 1
        z[:T][past_end] = 0
        z[T] = 0  # of which only the states will be written
        z[0, :, :S] = 0 if starts is None else starts[order]
        kept = np.zeros((T, self._n_kept, N, H), W.dtype)
        for t, n in enumerate(alive):
            self._step(cell, z[t, :n], z[t + 1, :n], kept[t, :, :n])
        h = z[1:, :, S - H : S].swapaxes(0, 1)[inverse]
        return h, _Pass(order, inverse, past_end, alive, W, cell, z, kept)

    def _backward(self, dh, p):
        dh = dh.astype(p.W.dtype, copy=False)[p.order].swapaxes(0, 1)
        (T, N, H), S = dh.shape, len(self._states) * self.n_nodes
        walk_back = self._walk_back_truncated if (self.bptt_steps or T) < T else self._walk_back
        da = np.zeros((T, N, p.W.shape[1]), p.W.dtype)
        dstart = walk_back(dh, p, da)

        # The sums over samples and steps are one matrix product.
        da_rows = da.reshape(T * N, -1)
        z_rows = p.z[:T].reshape(T * N, -1)[:, S - H :]
        self._part_grads(z_rows, da_rows)
        for name, dstate in zip(self._states, dstart, strict=True):
            setattr(self, f"d{name}", dstate[p.inverse])
        return (da_rows @ p.W[H:-1].T).reshape(T, N, -1).swapaxes(0, 1)[p.inverse]

    def _walk_back(self, dh, p, da):
        """Walk back from the last step, write all da_t; return the gradient at the first states."""
        T, N, H = dh.shape
        dstates = np.zeros((len(self._states), N, H), p.W.dtype)
        for t in reversed(range(T)):
            n = p.alive[t]
            z, z_next, kept, alive = p.z[t, :n], p.z[t + 1, :n], p.kept[t, :, :n], dstates[:, :n]
            alive[-1] += dh[t, :n]
            self._step_back(p.cell, z, z_next, kept, *alive, da[t, :n])
        return dstates

    def _walk_back_truncated(self, dh, p, da):
        """Let the gradient that enters at each step pass through `bptt_steps` cells, exactly.

        Each entry stops at a place of its own, so their sum cannot travel as one. But all entries
        can take a step back at the same time: after k rounds ``wave[s]`` is what entered at step
        s + k and has come down to the states after step s.
        """
        T, N, H = dh.shape
        wave = np.zeros((len(self._states), T, N, H), p.W.dtype)
        wave[-1] = np.where(p.past_end[..., None], 0, dh)
        dstates, kept = np.zeros_like(wave[:, 0]), p.kept.swapaxes(0, 1)
        for t in range(T, T - self.bptt_steps, -1):
            da_round = np.empty_like(da[:t])
            self._step_back(p.cell, p.z[:t], p.z[1 : t + 1], kept[:, :t], *wave, da_round)
            da[:t] += da_round
            dstates += wave[:, 0]  # what has arrived before the first step
            wave = wave[:, 1:]
        return dstates

    def _start_bias(self, name, bias, gate):
        """Let the bias of a gate start at `bias`, a number or one for each unit; return it."""
        H = self.n_nodes
        bias = validation.as_real(name, bias, (H,) if np.ndim(bias) else ())
        validation.expect_finite(name, bias)
        self.params["b"][gate * H : (gate + 1) * H] = bias
        return bias.tolist()

    def _joined_params(self):
        """Return W = [W_h; W_x; b], in the type to compute in."""
        W_h, W_x, b = self.params["W_h"], self.params["W_x"], self.params["b"]
        W = np.vstack([W_h, W_x, np.broadcast_to(b, W_h.shape[1:])])
        return W.astype(self._float_type(), copy=False)

    def _arranged(self, W):
        """Return W in the form in which the steps want it."""
        return W

    def _part_grads(self, z, da):
        """Divide the gradient at W among the parameters."""
        dW = z.T @ da
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
        super().__init__(n_features, n_nodes, bptt_steps, initializer, rng, dtype)
        self.activation = get_activation(activation)

    def _step(self, W, z, z_next, kept):
        h = z_next[:, : self.n_nodes]
        self.activation.forward(z @ W, out=h)  # h_t = f(a_t)

    def _step_back(self, W, z, z_next, kept, dh, da):
        h = z_next[..., : self.n_nodes]
        self.activation.derivative(h, out=da)  # f'(a_t), from h_t
        da *= dh  # da_t = dh_t * f'(a_t)
        np.matmul(da, W[: self.n_nodes].T, out=dh)  # dh_{t-1} = da_t @ W_h.T


class LSTM(RecurrentLayer):
    """TODO."""

    _states = ("c0", "h0")
    _n_gates = 4
    _n_kept = 4  # i, f, o, g

    def __init__(
        self,
        n_features: int,
        n_nodes: int,
        forget_bias: float | np.ndarray = 1.0,
        bptt_steps: int | None = None,
        *,
        initializer: str | Initializer = "uniform",
        rng: np.random.Generator | int | None = None,
        dtype: np.dtype | type = np.float64,
    ) -> None:
        super().__init__(n_features, n_nodes, bptt_steps, initializer, rng, dtype)
        self.forget_bias = self._start_bias("forget_bias", forget_bias, gate=1)

    def forward(
        self,
        x: np.ndarray,
        h0: np.ndarray | None = None,
        c0: np.ndarray | None = None,
        lengths: np.ndarray | None = None,
        training: bool = False,
    ) -> np.ndarray:
        """TODO."""
        return self._forward(x, lengths, c0, h0)

    def _arranged(self, W):
        H = self.n_nodes
        W_ifog = W.reshape(len(W), 4, H)[:, [0, 1, 3, 2]].swapaxes(0, 1)
        return np.ascontiguousarray(W_ifog), np.ascontiguousarray(W[:H].T)

    def _step(self, cell, z, z_next, kept):
        H, W_ifog = self.n_nodes, cell[0]
        i, f, o, g = kept
        c_before, c, h = z[:, :H], z_next[:, :H], z_next[:, H : 2 * H]
        np.matmul(z[:, H:], W_ifog, out=kept)
        sigmoid(kept[:3], out=kept[:3])
        np.tanh(g, out=g)
        c_t = f * c_before + i * g
        c[...] = c_t
        np.multiply(o, np.tanh(c_t), out=h)  # h_t = o * tanh(c_t)

    def _step_back(self, cell, z, z_next, kept, dc, dh, da):
        H, W_h_T = self.n_nodes, cell[1]
        i, f, o, g = kept
        da_i, da_f, da_g, da_o = _blocks(da, H)
        c_before, tanh_c = z[..., :H], np.tanh(z_next[..., :H])
        dh *= o
        np.multiply(dh * tanh_c, 1 - o, out=da_o)
        dc += dh * (1 - tanh_c**2)
        di_i = dc * i
        np.multiply(di_i * g, 1 - i, out=da_i)
        np.multiply(di_i, 1 - g**2, out=da_g)
        dc *= f
        np.multiply(dc * c_before, 1 - f, out=da_f)
        np.matmul(da, W_h_T, out=dh)


class GRU(RecurrentLayer):
    """TODO."""

    _n_gates = 3
    _n_kept = 4  # r, z, h_{t-1} W_hn + b_hn, and n, as the columns of W are ordered, too

    def __init__(
        self,
        n_features: int,
        n_nodes: int,
        update_bias: float | np.ndarray = 0.0,
        bptt_steps: int | None = None,
        *,
        initializer: str | Initializer = "uniform",
        rng: np.random.Generator | int | None = None,
        dtype: np.dtype | type = np.float64,
    ) -> None:
        super().__init__(n_features, n_nodes, bptt_steps, initializer, rng, dtype)
        self.update_bias = self._start_bias("update_bias", update_bias, gate=1)
        self.params["b_x"] = self.params.pop("b")
        self.params["b_h"] = np.zeros_like(self.params["b_x"])

    def _arranged(self, W):
        H = self.n_nodes
        W_rz = W[:, : 2 * H].reshape(len(W), 2, H).swapaxes(0, 1)
        W_hn, W_xn = W[:H, 2 * H : 3 * H], W[H:, 3 * H :]
        b_hn = W[-1, 2 * H : 3 * H]
        contiguous = map(np.ascontiguousarray, (W_rz, W_hn, W_xn, W[:H, : 3 * H].T))
        return *contiguous, b_hn

    def _step(self, cell, z, z_next, kept):
        W_rz, W_hn, W_xn, _, b_hn = cell
        H = self.n_nodes
        r, u, h_n, n = kept
        h_before = z[:, :H]
        np.matmul(z, W_rz, out=kept[:2])
        sigmoid(kept[:2], out=kept[:2])
        np.matmul(h_before, W_hn, out=h_n)
        h_n += b_hn
        np.matmul(z[:, H:], W_xn, out=n)
        n += r * h_n
        np.tanh(n, out=n)
        np.add(n, u * (h_before - n), out=z_next[:, :H])

    def _step_back(self, cell, z, z_next, kept, dh, da):
        H, W_h_T = self.n_nodes, cell[3]
        h_before = z[..., :H]
        r, u, h_n, n = kept
        da_r, da_u, da_hn, da_n = _blocks(da, H)
        rest = 1 - u
        dn = dh * rest * (1 - n**2)
        da_n[...] = dn
        dn *= r
        da_hn[...] = dn
        np.multiply(dn * h_n, 1 - r, out=da_r)
        dh *= u
        np.multiply(dh * (h_before - n), rest, out=da_u)
        dh += da[..., : 3 * H] @ W_h_T

    def _joined_params(self):
        H, p = self.n_nodes, self.params
        W = np.zeros((H + self.n_features + 1, 4 * H), self._float_type())
        n = slice(2 * H, None)
        W[:H, : 3 * H] = p["W_h"]
        W[H:-1, : 2 * H], W[H:-1, 3 * H :] = p["W_x"][:, : 2 * H], p["W_x"][:, n]
        W[-1, : 2 * H] = p["b_x"][: 2 * H] + p["b_h"][: 2 * H]
        W[-1, 2 * H : 3 * H], W[-1, 3 * H :] = p["b_h"][n], p["b_x"][n]
        return W

    def _part_grads(self, z, da):
        H = self.n_nodes
        dW_h, dW_x = z[:, :H].T @ da[:, : 3 * H], z[:, H:].T @ da
        db_h, dW_x = dW_x[-1, : 3 * H], np.hstack([dW_x[:, : 2 * H], dW_x[:, 3 * H :]])
        self.grads = {"W_x": dW_x[:-1], "W_h": dW_h, "b_x": dW_x[-1], "b_h": db_h}


LAYERS = {"rnn": SimpleRNN, "gru": GRU, "lstm": LSTM}


def get_layer(layer: str | RecurrentLayer) -> type[RecurrentLayer] | RecurrentLayer:
    """Look up a recurrent layer's class by its name, or copy a layer.

    Parameters
    ----------
    layer : {"rnn"} or RecurrentLayer
        The layer's name, or a layer.

    Returns
    -------
    type or RecurrentLayer
        The class, or the copy.

    Raises
    ------
    ValueError
        If there is no recurrent layer of that name.
    """
    if isinstance(layer, RecurrentLayer):
        return copy.deepcopy(layer)
    return validation.choose("layer", layer, LAYERS, or_else="a recurrent layer or ")


def _blocks(array, H):
    """Split the last axis into blocks of H, as views."""
    return [array[..., k : k + H] for k in range(0, array.shape[-1], H)]


def _longest_first(lengths):
    """Return the order of falling length, and its inverse: no copy where it is so already."""
    if not np.any(lengths[:-1] < lengths[1:]):
        return slice(None), slice(None)
    order = np.argsort(-lengths, kind="stable")
    return order, np.argsort(order)
