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
from dataclasses import dataclass
from functools import partial

import numpy as np

from rnn_lib import validation
from rnn_lib.activations import get_activation, sigmoid
from rnn_lib.initializers import draw_weights
from rnn_lib.layers import WeightedLayer

# What a forward pass keeps, time-major, the longest sample first: its order and the way back to the
# caller's; where samples are past their end (T, N); how many are not, at each step; W as it was,
# and in the form for the steps; z (T + 1, N, width), of which the last step has states alone; and
# what the steps kept (T + 1, _n_kept, N, H), of which the last step has inner states alone.
_Pass = namedtuple("_Pass", "order inverse past_end alive W W_steps z kept")


@dataclass(eq=False, repr=False)
class RecurrentLayer(WeightedLayer):
    """The loop over time that all recurrent layers share.

    All numbers of a step are one row for each sample, ``z_t = [h_{t-1} | x_t | 1]``, so that one
    matrix product with ``W = [W_h; W_x; b]`` gives all pre-activations, and one product of all
    rows with all gradients gives the gradients at all parameters. A subclass gives

    * ``_step(W, z, z_next, kept)``: from the rows of this step, `z`, writes the state h into those
      of the next, `z_next`, and what its derivatives will need into `kept`;
    * ``_step_back(W, z, z_next, kept, *dstates, da)``: from the gradients at the states after the
      step, `dstates`, writes those at the pre-activations into `da`, and into `dstates` those at
      the states before.

    The rows are (n, width), where n samples have not ended yet. What a step keeps stands apart, and
    what belongs to one gate side by side, which makes the work on it several times as fast: `kept`
    is a pair, for this step and the next, of (n_kept, n, H). An inner state comes first in it, and
    is that before the step. ``_step_back`` also takes many steps at once, (steps, N, width).

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

    _states = ("h0",)  # before the first step; what stands before h is an inner state
    _n_gates = 1  # of H columns each in `W_x` and `W_h`
    _n_sums = 1  # pre-activations of a hidden unit
    _n_kept = 0  # numbers that a step keeps for each hidden unit

    n_features: int
    n_nodes: int

    def __post_init__(self, initializer, rng) -> None:
        super().__post_init__()
        self.bptt_steps = validation.expect_count("bptt_steps", self.bptt_steps, optional=True)
        rng = np.random.default_rng(rng)
        for name, n_in in (("W_x", self.n_features), ("W_h", self.n_nodes)):
            draw = partial(draw_weights, initializer, rng, (n_in, self.n_nodes), self.dtype)
            self.params[name] = np.hstack([draw() for _ in range(self._n_gates)])
        self.params["b"] = np.zeros(self._n_gates * self.n_nodes, self.dtype)

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
                start[...] = validation.as_real(name, state, start.shape, x.dtype)
                validation.expect_finite(name, start)
        return self._keep(*self._compute(x, lengths, starts))

    def _checked(self, x, lengths=None):
        x = validation.as_real("x", x, ("N", "T", self.n_features), self._float_type())
        lengths = validation.as_lengths(lengths, *x.shape[:2])
        is_read = np.arange(x.shape[1]) < lengths[:, None]
        validation.expect_finite("x", x if is_read.all() else x[is_read])
        return x, lengths

    def _compute(self, x, lengths, starts=None, training=False):
        """Walk forward; `starts` (S, N, H) are the states before the first step."""
        (N, T, _), H, W = x.shape, self.n_nodes, self._joined_params()
        W_steps = self._for_steps(W)
        order, inverse = _longest_first(lengths)
        past_end = np.arange(T)[:, None] >= lengths[order]  # (T, N)
        # With the longest first, the samples that have not ended are a slice, not a mask.
        alive = (N - past_end.sum(axis=1)).tolist()
        z = np.empty((T + 1, N, len(W)), W.dtype)
        z[:T, :, H:-1] = x[order].swapaxes(0, 1)
        z[:T, :, -1] = 1
        kept = np.empty((T + 1, self._n_kept, N, H), W.dtype)
        for rows in z, kept.swapaxes(1, 2):
            rows[:T][past_end] = 0
            rows[T] = 0  # of which only the states will be written
        starts = np.zeros((len(self._states), N, H)) if starts is None else starts[:, order]
        kept[0, : len(starts) - 1], z[0, :, :H] = starts[:-1], starts[-1]
        for t, n in enumerate(alive):
            self._step(W_steps, z[t, :n], z[t + 1, :n], kept[t : t + 2, :, :n])
        h = z[1:, :, :H].swapaxes(0, 1)[inverse]
        return h, _Pass(order, inverse, past_end, alive, W, W_steps, z, kept)

    def _last_states(self):
        """Return the states after the last step of ``forward``, (S, N, H), as _compute's starts."""
        p = self._kept
        inner = p.kept[-1, : len(self._states) - 1]
        return np.stack([*inner, p.z[-1, :, : self.n_nodes]])[:, p.inverse]

    def _stepper(self):
        """Return a function that reads step after step, from zero states on: x (F,) -> h (H,).

        In float64, with weights that are joined once. What it returns lasts until the next step.
        """
        H, n_inner, W = self.n_nodes, len(self._states) - 1, self._joined_params().astype(float)
        W_steps, kept = self._for_steps(W), np.zeros((2, self._n_kept, 1, H))
        z = np.zeros((2, 1, len(W)))
        z[0, 0, -1] = 1

        def step(x):
            z[0, 0, H:-1] = x
            self._step(W_steps, z[0], z[1], kept)
            z[0, :, :H], kept[0, :n_inner] = z[1, :, :H], kept[1, :n_inner]
            return z[0, 0, :H]

        return step

    def _backward(self, dh, p):
        dh = dh.astype(p.W.dtype, copy=False)[p.order].swapaxes(0, 1)
        T, N, H = dh.shape
        walk_back = self._walk_back_truncated if (self.bptt_steps or T) < T else self._walk_back
        da = np.empty((T, N, self._n_sums * H), p.W.dtype)
        da[p.past_end] = 0
        dstart = walk_back(dh, p, da)

        # The sums over samples and steps are one matrix product.
        da_rows = da.reshape(T * N, -1)
        self._leave_grads(p.z[:T].reshape(T * N, -1), da_rows)
        for name, dstate in zip(self._states, dstart, strict=True):
            setattr(self, f"d{name}", dstate[p.inverse])
        W_x = p.W[H:-1]
        return (da_rows[:, -W_x.shape[1] :] @ W_x.T).reshape(T, N, -1).swapaxes(0, 1)[p.inverse]

    def _walk_back(self, dh, p, da):
        """Walk back from the last step, write all da_t; return what arrives at the first states."""
        T, N, H = dh.shape
        dstates = np.zeros((len(self._states), N, H), p.W.dtype)
        for t in reversed(range(T)):
            n = p.alive[t]
            z, z_next, alive = p.z[t, :n], p.z[t + 1, :n], dstates[:, :n]
            alive[-1] += dh[t, :n]
            self._step_back(p.W_steps, z, z_next, p.kept[t : t + 2, :, :n], *alive, da[t, :n])
        return dstates

    def _walk_back_truncated(self, dh, p, da):
        """Let the gradient that enters at each step pass through `bptt_steps` cells, exactly.

        Each entry stops at a place of its own, so their sum cannot travel as one. But all entries
        can take a step back at the same time: after k rounds ``wave[:, s]`` is what entered at step
        s + k and has come down to the states after step s.
        """
        T, N, H = dh.shape
        wave = np.zeros((len(self._states), T, N, H), p.W.dtype)
        wave[-1] = np.where(p.past_end[..., None], 0, dh)
        dstates, kept = np.zeros_like(wave[:, 0]), p.kept.swapaxes(0, 1)
        da[...] = 0
        for t in range(T, T - self.bptt_steps, -1):
            da_round, both = np.empty_like(da[:t]), (kept[:, :t], kept[:, 1 : t + 1])
            self._step_back(p.W_steps, p.z[:t], p.z[1 : t + 1], both, *wave, da_round)
            da[:t] += da_round
            dstates += wave[:, 0]  # what has arrived before the first step
            wave = wave[:, 1:]
        return dstates

    def _start_second_bias(self, name, bias):
        """Let the bias of the second gate start at `bias`, one number or H; return it."""
        H = self.n_nodes
        bias = validation.as_real(name, bias, (H,) if np.ndim(bias) else ())
        validation.expect_finite(name, bias)
        self.params["b"][H : 2 * H] = bias
        return bias.tolist()

    def _joined_params(self):
        """Return W = [W_h; W_x; b], in the type to compute in."""
        W_h, W_x, b = self.params["W_h"], self.params["W_x"], self._bias()
        W = np.vstack([W_h, W_x, np.broadcast_to(b, W_h.shape[1:])])
        return W.astype(self._float_type(), copy=False)

    def _bias(self):
        """Return b."""
        return self.params["b"]

    def _for_steps(self, W):
        """Return W in the form that the steps compute with."""
        return W

    def _leave_grads(self, z, da):
        """Add up the gradients at the parameters, from all rows z and all da."""
        dW = z.T @ da
        H, db = self.n_nodes, dW[-1]
        db = db if self.params["b"].shape == db.shape else db.sum(keepdims=True)
        self.grads = {"W_x": dW[H:-1], "W_h": dW[:H], "b": db}


@dataclass(eq=False, repr=False)
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

    activation: str = "tanh"
    bptt_steps: int | None = None

    def __post_init__(self, initializer, rng) -> None:
        super().__post_init__(initializer, rng)
        self.activation = get_activation(self.activation)

    def _step(self, W, z, z_next, kept):
        h = z_next[:, : self.n_nodes]
        self.activation.forward(z @ W, out=h)  # h_t = f(a_t)

    def _step_back(self, W, z, z_next, kept, dh, da):
        h = z_next[..., : self.n_nodes]
        self.activation.derivative(h, out=da)  # f'(a_t), from h_t
        da *= dh  # da_t = dh_t * f'(a_t)
        np.matmul(da, W[: self.n_nodes].T, out=dh)  # dh_{t-1} = da_t @ W_h.T


@dataclass(eq=False, repr=False)
class LSTM(RecurrentLayer):
    """Long short-term memory: a state that is added to, and gates that say how much.

    Each gate has H columns of ``x_t @ W_x + h_{t-1} @ W_h + b``: i (input), f (forget) and o
    (output) are their sigmoids, the candidate g their tanh. Then ``c_t = f * c_{t-1} + i * g`` and
    ``h_t = o * tanh(c_t)``.

    Parameters
    ----------
    n_features, n_nodes : int
        Numbers per time step, F, and hidden units, H.
    forget_bias : float or ndarray, shape (H,)
        What the forget gate's bias starts at; the others start at 0. With ``log(k)`` a unit keeps
        about 1/e of its state over k steps (chrono initialization), with 1 next to nothing.
    bptt_steps, initializer, rng, dtype
        As in :class:`SimpleRNN`. The initializer draws each gate's weights by themselves. What is
        held constant where a gradient stops is the whole state, h and c.

    Attributes
    ----------
    params, grads : dict
        `W_x` (F, 4H), `W_h` (H, 4H) and `b` (4H,), in the order i, f, g, o.
    dh0, dc0 : ndarray, shape (N, H)
        After ``backward``: the gradients at the states before the first step.

    Raises
    ------
    ValueError, TypeError
        If a size is not a whole number of at least 1, a name is unknown, or `forget_bias` is not
        one finite number or H.

    Notes
    -----
    Lesson 6, section 3; `forget_bias`: section 4. PyTorch's form, whose two biases are one here.

    References
    ----------
    Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 9, 1997; the forget
    gate: Gers, Schmidhuber and Cummins, "Learning to forget", Neural Computation 12, 2000; its
    start: Tallec and Ollivier, "Can recurrent neural networks warp time?", ICLR 2018.
    """

    _states = ("c0", "h0")
    _n_gates = _n_sums = 4
    _n_kept = 5  # c_{t-1}, i, f, o, g

    forget_bias: float | np.ndarray = 1.0
    bptt_steps: int | None = None

    def __post_init__(self, initializer, rng) -> None:
        super().__post_init__(initializer, rng)
        self.forget_bias = self._start_second_bias("forget_bias", self.forget_bias)

    def forward(
        self,
        x: np.ndarray,
        h0: np.ndarray | None = None,
        c0: np.ndarray | None = None,
        lengths: np.ndarray | None = None,
        training: bool = False,
    ) -> np.ndarray:
        """Read the sequences and return the state h after every step.

        Parameters
        ----------
        x, lengths, training
            As for :meth:`SimpleRNN.forward`.
        h0, c0 : ndarray, shape (N, H), optional
            The states before the first step; zeros by default.

        Returns
        -------
        ndarray, shape (N, T, H)
            All h; 0 at and after a sample's length. The states c stand in the attribute `c`.

        Raises
        ------
        ValueError, TypeError
            As :meth:`SimpleRNN.forward`; for `c0` as for `h0`.
        """
        return self._forward(x, lengths, c0, h0)

    @property
    def c(self) -> np.ndarray:
        """After ``forward``: the states c after every step, shape (N, T, H)."""
        return self._kept.kept[1:, 0].swapaxes(0, 1)[self._kept.inverse]

    def _for_steps(self, W):  # the gates in the order i, f, o, g: three sigmoids side by side
        W = _gates_first(W, 4)
        return W[[0, 1, 3, 2]], np.vstack(W[:, : self.n_nodes].swapaxes(1, 2))

    def _step(self, W, z, z_next, kept):
        (c_before, i, f, o, g), c = kept[0], kept[1, 0]
        np.matmul(z, W[0], out=kept[0, 1:])
        sigmoid(kept[0, 1:4], out=kept[0, 1:4])
        np.tanh(g, out=g)
        np.multiply(f, c_before, out=c)
        c += i * g  # c_t = f * c_{t-1} + i * g
        np.multiply(o, np.tanh(c), out=z_next[:, : self.n_nodes])  # h_t = o * tanh(c_t)

    def _step_back(self, W, z, z_next, kept, dc, dh, da):
        (c_before, i, f, o, g), (c, *_) = kept
        da_i, da_f, da_g, da_o = _gates_of(da, self.n_nodes)
        tanh_c = np.tanh(c)
        dh *= o
        np.multiply(dh * tanh_c, 1 - o, out=da_o)  # da_o = dh_t * tanh(c_t) * o * (1 - o)
        dc += dh * (1 - tanh_c**2)  # dc_t gets dh_t * o * (1 - tanh(c_t)**2)
        dc_i = dc * i
        np.multiply(dc_i, 1 - g**2, out=da_g)  # da_g = dc_t * i * (1 - g**2)
        np.multiply(dc_i * g, 1 - i, out=da_i)  # da_i = dc_t * g * i * (1 - i)
        dc *= f  # dc_{t-1} = dc_t * f
        np.multiply(dc * c_before, 1 - f, out=da_f)  # da_f = dc_t * c_{t-1} * f * (1 - f)
        np.matmul(da, W[1], out=dh)  # dh_{t-1} = da_t @ W_h.T


@dataclass(eq=False, repr=False)
class GRU(RecurrentLayer):
    """The gated recurrent unit: one state, which a gate mixes of the old one and a candidate.

    The gates r (reset) and z (update) are sigmoids of ``x_t @ W_x + b_x + h_{t-1} @ W_h + b_h``, of
    H columns each. Then ``n = tanh(x_t @ W_xn + b_xn + r * (h_{t-1} @ W_hn + b_hn))``, of the last
    H columns, and ``h_t = (1 - z) * n + z * h_{t-1}``.

    Parameters
    ----------
    n_features, n_nodes : int
        Numbers per time step, F, and hidden units, H.
    update_bias : float or ndarray, shape (H,)
        What the update gate's bias in `b_x` starts at; the others start at 0. With ``log(k)`` a
        unit keeps about 1/e of its state over k steps (chrono initialization).
    bptt_steps, initializer, rng, dtype
        As in :class:`SimpleRNN`. The initializer draws each gate's weights by themselves.

    Attributes
    ----------
    params, grads : dict
        `W_x` (F, 3H), `W_h` (H, 3H), `b_x` and `b_h` (3H,), in the order r, z, n.
    dh0 : ndarray, shape (N, H)
        After ``backward``: the gradient at the state before the first step.

    Raises
    ------
    ValueError, TypeError
        If a size is not a whole number of at least 1, a name is unknown, or `update_bias` is not
        one finite number or H.

    Notes
    -----
    Lesson 6, section 5. PyTorch's form, where r acts after the product with `W_h`, not before it as
    in the paper.

    References
    ----------
    Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine
    translation", EMNLP 2014; `update_bias`: Tallec and Ollivier, "Can recurrent neural networks
    warp time?", ICLR 2018.
    """

    _n_gates = 3
    _n_sums = _n_kept = 4

    update_bias: float | np.ndarray = 0.0
    bptt_steps: int | None = None

    def __post_init__(self, initializer, rng) -> None:
        super().__post_init__(initializer, rng)
        self.update_bias = self._start_second_bias("update_bias", self.update_bias)
        b_x = self.params.pop("b")
        self.params |= {"b_x": b_x, "b_h": np.zeros_like(b_x)}

    def _bias(self):
        b_x, b_h = self.params["b_x"], self.params["b_h"]
        return np.append((b_x + b_h)[: 2 * self.n_nodes], b_x[2 * self.n_nodes :])

    def _for_steps(self, W):
        H = self.n_nodes
        W_r, W_z, W_n = _gates_first(W, 3)
        W_h_T = np.vstack([W_n[:H].T, W_r[:H].T, W_z[:H].T])
        b_hn = self.params["b_h"][2 * H :].astype(W.dtype)
        return np.stack([W_r, W_z]), W_n[:H], b_hn, W_n[H:], W_h_T

    # The gate z is called u here, beside the rows z, and h_{t-1} @ W_hn + b_hn is h_n.
    def _step(self, W, z, z_next, kept):
        W_rz, W_hn, b_hn, W_xn, _ = W
        h, rz, (r, u, h_n, n) = z[:, : self.n_nodes], kept[0, :2], kept[0]
        np.matmul(z, W_rz, out=rz)
        sigmoid(rz, out=rz)
        np.matmul(h, W_hn, out=h_n)
        h_n += b_hn
        np.matmul(z[:, self.n_nodes :], W_xn, out=n)
        n += r * h_n
        np.tanh(n, out=n)  # n = tanh(x_t @ W_xn + b_xn + r * h_n)
        np.add(n, u * (h - n), out=z_next[:, : self.n_nodes])  # h_t = (1 - u) * n + u * h_{t-1}

    def _step_back(self, W, z, z_next, kept, dh, da):
        H, (r, u, h_n, n) = self.n_nodes, kept[0]
        da_hn, da_r, da_u, da_n = _gates_of(da, H)
        dn = dh * (1 - u)
        np.multiply(dn * (z[..., :H] - n), u, out=da_u)  # da_u = dh_t * (h_{t-1} - n) * u * (1 - u)
        da_n[...] = dn = dn * (1 - n**2)  # da_n = dh_t * (1 - u) * (1 - n**2)
        da_hn[...] = dn = dn * r  # dh_n = da_n * r
        np.multiply(dn * h_n, 1 - r, out=da_r)  # da_r = da_n * h_n * r * (1 - r)
        dh *= u
        dh += da[..., : 3 * H] @ W[-1]  # dh_{t-1} = dh_t * u + (dh_n, da_r, da_u) @ W_h.T

    def _leave_grads(self, z, da):
        H = self.n_nodes
        dW_h = np.roll(z[:, :H].T @ da[:, : 3 * H], -H, axis=1)
        dW_x = z[:, H:].T @ da[:, H:]
        db_h = np.append(dW_x[-1, : 2 * H], da[:, :H].sum(axis=0))
        self.grads = {"W_x": dW_x[:-1], "W_h": dW_h, "b_x": dW_x[-1], "b_h": db_h}


LAYERS = {"rnn": SimpleRNN, "gru": GRU, "lstm": LSTM}


def get_layer(layer: str | RecurrentLayer) -> type[RecurrentLayer] | RecurrentLayer:
    """Look up a recurrent layer's class by its name, or copy a layer.

    Parameters
    ----------
    layer : {"rnn", "gru", "lstm"} or RecurrentLayer
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


def _gates_first(W, n_gates):
    """Give each gate a matrix of its own, (n_gates, rows, H), side by side in memory."""
    return np.stack(np.split(W, n_gates, axis=1))


def _gates_of(da, H):
    """Split the last axis into one part for each gate, as views."""
    return [da[..., k : k + H] for k in range(0, da.shape[-1], H)]


def _longest_first(lengths):
    """Return the order of falling length, and its inverse: no copy where it is so already."""
    if not np.any(lengths[:-1] < lengths[1:]):
        return slice(None), slice(None)
    order = np.argsort(-lengths, kind="stable")
    return order, np.argsort(order)
