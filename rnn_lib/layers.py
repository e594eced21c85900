"""Layers: the simple recurrent layer, and what stands before and after it.

A layer is an object with two dictionaries, ``params`` and ``grads``, and two methods:

* ``forward(x) -> y`` computes the output and keeps what the way back will need;
* ``backward(dy) -> dx`` takes the gradient of the loss at the output, leaves the gradients at the
  parameters in ``grads`` and returns the gradient at the input.

No method changes its arguments, no parameter is changed here (an optimiser does that, after the
whole backward pass), and no array handed out is written to again.

Inside, time comes first: the states of one step lie side by side in memory, and everything that
does not depend on the previous step is one matrix product over all steps. Outside, the sample
comes first: arrays are (N, T, features), as views of the same memory.
"""

import numpy as np

from rnn_lib.activations import get_activation
from rnn_lib.initializers import Initializer, draw_weights, gaussian
from rnn_lib.row_gradient import RowGradient
from rnn_lib.validation import (
    as_gradient,
    as_integers,
    as_lengths,
    as_real,
    expect_between,
    expect_count,
    expect_finite,
    expect_shape,
    expect_share,
)


class SimpleRNN:
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
        Through how many cells a gradient passes, the one it enters included; then it stops. By
        default it passes through all of them. The cost grows with this number.
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

    _shape: tuple[int, ...] | None = None  # of what forward returned

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
        self.n_features = expect_count("n_features", n_features)
        self.n_nodes = expect_count("n_nodes", n_nodes)
        self.activation = get_activation(activation)
        self.bptt_steps = None if bptt_steps is None else expect_count("bptt_steps", bptt_steps)
        rng = np.random.default_rng(rng)
        self.params = {
            "W_x": draw_weights(initializer, rng, (n_features, n_nodes), dtype),
            "W_h": draw_weights(initializer, rng, (n_nodes, n_nodes), dtype),
            "b": np.zeros(n_nodes, dtype),
        }
        self.grads: dict[str, np.ndarray] = {}

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
            How many steps of each sequence count, 1 to T. Later ones are never read.
        training : bool
            Nothing here depends on it.

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
        W_x, W_h, b = self.params["W_x"], self.params["W_h"], self.params["b"]
        dtype = _float_type(self.params)
        x = as_real("x", x, dtype)
        expect_shape("x", x, ("N", "T", self.n_features))
        N, T, F = x.shape
        H = self.n_nodes
        self._batch = _Ragged(N, T, lengths)

        x = self._batch.time_major(x)
        expect_finite("x", x)
        h = np.empty((T + 1, N, H), dtype)  # h[0] is h0, h[t + 1] the state after step t
        h[0] = 0 if h0 is None else self._checked_h0(h0, N)

        a = h[1:]  # the sums grow in the place where the states will stand
        np.matmul(x.reshape(T * N, F), W_x, out=a.reshape(T * N, H))
        a += b
        recurrent = np.empty((N, H), dtype)
        for t, n in enumerate(self._batch.alive):
            a[t, :n] += np.matmul(h[t, :n], W_h, out=recurrent[:n])
            self.activation.forward(a[t, :n], out=a[t, :n])
            a[t, n:] = 0

        self._x, self._h, self._shape = x, h, (N, T, H)
        return self._batch.batch_major(h[1:])

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
        ValueError
            If there was no ``forward`` before, or `dh` has another shape than its output.
        """
        dh = as_gradient("dh", dh, self._shape).astype(self._h.dtype, copy=False)
        W_x, W_h, b = self.params["W_x"], self.params["W_h"], self.params["b"]
        x, h_prev, h = self._x, self._h[:-1], self._h[1:]
        T, N, F = x.shape

        dh = self._batch.in_layers_order(dh).swapaxes(0, 1)
        slope = self.activation.derivative(h)
        if self.bptt_steps is None or self.bptt_steps >= T:
            da = self._backward_full(dh, slope)
        else:
            da = self._backward_truncated(dh, slope)

        # Sums over samples and steps are one matrix product each.
        x, h_prev, da_rows = (v.reshape(T * N, -1) for v in (x, h_prev, da))
        db = np.ones(T * N, da.dtype) @ da_rows
        self.grads = {
            "W_x": x.T @ da_rows,
            "W_h": h_prev.T @ da_rows,
            "b": db if b.shape == db.shape else db.sum(keepdims=True),
        }
        self.dh0 = self._batch.in_callers_order(da[0] @ W_h.T)
        return self._batch.batch_major((da_rows @ W_x.T).reshape(T, N, F))

    def _backward_full(self, dh: np.ndarray, slope: np.ndarray) -> np.ndarray:
        """Walk back from the last step: da_t = (dh_t + da_{t+1} @ W_h.T) * f'(a_t)."""
        W_h_T = self.params["W_h"].T
        T, N, H = slope.shape
        da = np.zeros((T + 1, N, H), slope.dtype)  # da[T] = 0: nothing comes from after the end
        for t in reversed(range(T)):
            n = self._batch.alive[t]
            np.matmul(da[t + 1, :n], W_h_T, out=da[t, :n])
            da[t, :n] += dh[t, :n]
            da[t, :n] *= slope[t, :n]
        return da[:T]

    def _backward_truncated(self, dh: np.ndarray, slope: np.ndarray) -> np.ndarray:
        """Let the gradient that enters at each step pass through `bptt_steps` cells, exactly.

        Each entry must stop at a place of its own, so their sum cannot travel as one. But all
        entries can take a step back at the same time: after k rounds ``wave[s]`` is what entered
        at step s + k and has come down to step s.
        """
        wave = dh * slope
        wave[self._batch.past_end] = 0
        da = wave.copy()
        for _ in range(self.bptt_steps - 1):
            wave = (wave[1:] @ self.params["W_h"].T) * slope[: len(wave) - 1]
            da[: len(wave)] += wave
        return da

    def _checked_h0(self, h0: np.ndarray, N: int) -> np.ndarray:
        h0 = as_real("h0", h0, _float_type(self.params))
        expect_shape("h0", h0, (N, self.n_nodes))
        expect_finite("h0", h0)
        return self._batch.in_layers_order(h0)


class _Ragged:
    """The shape of a batch whose samples end at different steps, the longest ones first.

    With the samples in order of falling length, those still alive at step t are the first
    ``alive[t]`` rows: a slice, not a mask. Batches that come in that order are not copied for it.
    """

    def __init__(self, N: int, T: int, lengths: np.ndarray | None) -> None:
        self._order = self._inverse = None
        if lengths is None:
            self.alive = [N] * T
            self.past_end = np.zeros((T, N), bool)
            return
        lengths = as_lengths(lengths, N, T)
        if np.any(lengths[:-1] < lengths[1:]):
            self._order = np.argsort(-lengths, kind="stable")
            self._inverse = np.argsort(self._order)
            lengths = lengths[self._order]
        self.past_end = np.arange(T)[:, None] >= lengths
        self.alive = [int(n) for n in N - self.past_end.sum(axis=1)]

    def time_major(self, batch_major: np.ndarray) -> np.ndarray:
        """Copy (N, T, ...) to (T, N, ...), with 0 at and after each sample's length."""
        out = self.in_layers_order(batch_major).swapaxes(0, 1).copy()
        out[self.past_end] = 0
        return out

    def batch_major(self, time_major: np.ndarray) -> np.ndarray:
        """View (T, N, ...) as (N, T, ...), in the caller's order."""
        return self.in_callers_order(time_major.swapaxes(0, 1))

    def in_layers_order(self, rows: np.ndarray) -> np.ndarray:
        return rows if self._order is None else rows[self._order]

    def in_callers_order(self, rows: np.ndarray) -> np.ndarray:
        return rows if self._inverse is None else rows[self._inverse]


def _float_type(params: dict[str, np.ndarray]) -> np.dtype:
    """Return the type to compute in: that of the parameters, floats even where those are not.

    Somebody who sets the weights by hand may well write whole numbers.
    """
    return np.result_type(np.float32, *params.values())


class Dense:
    """The fully connected layer ``y = x @ W + b``, on the last axis.

    Parameters
    ----------
    n_features : int
        Numbers in, F.
    n_output : int
        Numbers out, K.
    initializer : str or callable
        Draws `W`; `b` starts at 0.
    rng : numpy.random.Generator or int, optional
        Where the weights come from.
    dtype : data type
        float64, or float32 for speed.

    Attributes
    ----------
    params, grads : dict
        `W` (F, K) and `b` (K,).

    Raises
    ------
    ValueError, TypeError
        If a size is not a whole number of at least 1, or a name is unknown.

    Notes
    -----
    Lesson 1, section 7.
    """

    _shape: tuple[int, ...] | None = None  # of what forward returned

    def __init__(
        self,
        n_features: int,
        n_output: int,
        *,
        initializer: str | Initializer = "uniform",
        rng: np.random.Generator | int | None = None,
        dtype: np.dtype | type = np.float64,
    ) -> None:
        self.n_features = expect_count("n_features", n_features)
        self.n_output = expect_count("n_output", n_output)
        rng = np.random.default_rng(rng)
        self.params = {
            "W": draw_weights(initializer, rng, (n_features, n_output), dtype),
            "b": np.zeros(n_output, dtype),
        }
        self.grads: dict[str, np.ndarray] = {}

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        """Multiply and add.

        Parameters
        ----------
        x : ndarray, shape (..., F)
            The input.
        training : bool
            Nothing here depends on it.

        Returns
        -------
        ndarray, shape (..., K)
            The output.

        Raises
        ------
        ValueError
            If the last axis of `x` is not F long.
        """
        self._x = as_real("x", x, _float_type(self.params))
        if self._x.ndim < 1 or self._x.shape[-1] != self.n_features:
            raise ValueError(f"x: expected shape (..., {self.n_features}), got {self._x.shape}")
        y = self._x @ self.params["W"] + self.params["b"]
        self._shape = y.shape
        return y

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """Return the gradient at the input.

        Parameters
        ----------
        dy : ndarray, shape (..., K)
            The gradient at the output.

        Returns
        -------
        ndarray, shape (..., F)
            The gradient at `x`.

        Raises
        ------
        ValueError
            If there was no ``forward`` before, or `dy` has another shape than its output.
        """
        dy = as_gradient("dy", dy, self._shape)
        dy_rows = dy.reshape(-1, self.n_output)
        self.grads = {
            "W": self._x.reshape(-1, self.n_features).T @ dy_rows,
            "b": dy_rows.sum(axis=0),
        }
        return dy @ self.params["W"].T


class Embedding:
    """A table with one row of numbers for every word: the short form of one-hot times matrix.

    Parameters
    ----------
    n_words : int
        Rows; word ids are 0 to n_words - 1.
    n_features : int
        Columns, F: numbers per word.
    trainable : bool
        Whether the table is a parameter. If not, ``params`` is empty.
    initializer : str or callable
        Draws the table.
    rng : numpy.random.Generator or int, optional
        Where the numbers come from.
    dtype : data type
        float64, or float32 for speed.

    Attributes
    ----------
    W : ndarray, shape (n_words, F)
        The table.
    params, grads : dict
        `W`, if trainable. Its gradient is a :class:`rnn_lib.RowGradient`: only the rows of words
        that occurred.

    Raises
    ------
    ValueError, TypeError
        If a size is not a whole number of at least 1, or a name is unknown.

    Notes
    -----
    Lesson 4, section 3.
    """

    _shape: tuple[int, ...] | None = None  # of what forward returned

    def __init__(
        self,
        n_words: int,
        n_features: int,
        *,
        trainable: bool = True,
        initializer: str | Initializer = gaussian(0.05),  # noqa: B008 (a pure function)
        rng: np.random.Generator | int | None = None,
        dtype: np.dtype | type = np.float64,
    ) -> None:
        self.n_words = expect_count("n_words", n_words)
        self.n_features = expect_count("n_features", n_features)
        self.trainable = trainable
        shape = n_words, n_features
        self.W = draw_weights(initializer, np.random.default_rng(rng), shape, dtype)
        self.params = {"W": self.W} if trainable else {}
        self.grads: dict[str, RowGradient] = {}

    def forward(self, ids: np.ndarray, training: bool = False) -> np.ndarray:
        """Look the words up.

        Parameters
        ----------
        ids : ndarray of int, shape (N, T)
            Word ids.
        training : bool
            Nothing here depends on it.

        Returns
        -------
        ndarray, shape (N, T, F)
            Their rows of the table.

        Raises
        ------
        TypeError
            If `ids` are not integers.
        ValueError
            If `ids` has not two axes or an id lies outside the table.
        """
        ids = as_integers("ids", ids)
        expect_shape("ids", ids, ("N", "T"))
        expect_between("ids", ids, 0, self.n_words - 1)
        self._ids = ids.T  # time-major, the order in which the recurrent layer reads
        self._shape = *ids.shape, self.n_features
        return self.W.take(self._ids, axis=0).swapaxes(0, 1)

    def backward(self, dy: np.ndarray) -> None:
        """Leave the gradient at the table in ``grads``; word ids have none.

        Parameters
        ----------
        dy : ndarray, shape (N, T, F)
            The gradient at the output.

        Raises
        ------
        ValueError
            If there was no ``forward`` before, or `dy` has another shape than its output.
        """
        dy = as_gradient("dy", dy, self._shape)
        if self.trainable:
            dy_rows = dy.swapaxes(0, 1).reshape(-1, self.n_features)
            self.grads = {"W": RowGradient.from_lookups(self._ids.ravel(), dy_rows, self.W.shape)}


class Dropout:
    """Silence some features of a sequence at random, the same ones at all its time steps.

    Parameters
    ----------
    rate : float
        The share that is silenced, at least 0 and below 1. The others are scaled up by
        1 / (1 - rate), so that sums keep their size.
    rng : numpy.random.Generator or int, optional
        Where the masks come from.

    Attributes
    ----------
    params, grads : dict
        Empty.

    Raises
    ------
    TypeError, ValueError
        If `rate` is no number, or out of range.

    References
    ----------
    Gal and Ghahramani, "A theoretically grounded application of dropout in recurrent neural
    networks", NeurIPS 2016; lesson 4, section 4.
    """

    _shape: tuple[int, ...] | None = None  # of what forward returned

    def __init__(self, rate: float, *, rng: np.random.Generator | int | None = None) -> None:
        self.rate = expect_share("rate", rate)
        self._rng = np.random.default_rng(rng)
        self.params: dict[str, np.ndarray] = {}
        self.grads: dict[str, np.ndarray] = {}

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        """Multiply with a random mask if `training`, else hand `x` back.

        Parameters
        ----------
        x : ndarray, shape (N, T, F)
            The sequences.
        training : bool
            Whether to draw a mask.

        Returns
        -------
        ndarray, shape (N, T, F)
            The sequences with some features at 0.

        Raises
        ------
        ValueError
            If `x` has not three axes.
        """
        expect_shape("x", x, ("N", "T", "F"))
        self._mask, self._shape = None, x.shape
        if not training or self.rate == 0:
            return x
        N, _, F = x.shape
        kept = self._rng.random((N, 1, F)) >= self.rate
        self._mask = kept.astype(x.dtype) / (1 - self.rate)
        return x * self._mask

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """Multiply the gradient with the same mask.

        Parameters
        ----------
        dy : ndarray, shape (N, T, F)
            The gradient at the output.

        Returns
        -------
        ndarray, shape (N, T, F)
            The gradient at `x`.
        """
        dy = as_gradient("dy", dy, self._shape)
        return dy if self._mask is None else dy * self._mask
