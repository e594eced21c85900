"""Layers: what stands before and after the recurrent layer, and the form that all layers share.

A layer is an object with two dictionaries, ``params`` and ``grads``, and two methods:

* ``forward(x) -> y`` computes the output and keeps what ``backward`` will need;
* ``backward(dy) -> dx`` takes the gradient of the loss at the output, leaves the gradients at the
  parameters in ``grads`` and returns the gradient at the input.

No method changes its arguments, no layer changes its parameters (an optimizer does, after the whole
backward pass), and no array that was returned is written to again. Left out: losses, readouts, and
the recurrence itself, each of which has a module of its own.
"""

from dataclasses import KW_ONLY, InitVar, dataclass, fields

import numpy as np

from rnn_lib import validation
from rnn_lib.initializers import Initializer, draw_weights, gaussian


class Layer:
    """What all layers and readouts share: the checks around the computation.

    A subclass has ``_checked``, which validates what a person hands over; ``_compute``, a function
    of its arguments and ``params`` that returns the output and all that the backward pass needs;
    and ``_backward``. The network calls ``_compute`` directly, so that nothing is checked twice.

    Attributes
    ----------
    params, grads : dict of str to ndarray
        The parameters, and their gradients after ``backward``, under the same names.
    """

    _shape: tuple[int, ...] | None = None  # of what forward returned

    def __init__(self) -> None:
        self.params: dict[str, np.ndarray] = {}
        self.grads: dict[str, np.ndarray | RowGradient] = {}

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        """Compute the output, and keep what ``backward`` needs.

        Parameters
        ----------
        x : ndarray
            The input, of the shape that the class says.
        training : bool
            Whether dropout acts; other layers do the same in both cases.

        Returns
        -------
        ndarray
            The output, of the shape that the class says.

        Raises
        ------
        TypeError, ValueError
            If `x` has another type or shape, or holds other numbers than the class says.
        """
        return self._keep(*self._compute(self._checked(x), training=training))

    def backward(self, dy: np.ndarray) -> np.ndarray | None:
        """Leave the gradients at the parameters in ``grads``; return the gradient at the input.

        Parameters
        ----------
        dy : ndarray, shape as the output of ``forward``
            The gradient of the loss at the output; at and after a sample's length it is not read.

        Returns
        -------
        ndarray, shape as the input of ``forward``
            The gradient at the input; None from an embedding, since word ids have none. At and
            after a sample's length it is 0.

        Raises
        ------
        TypeError
            If `dy` is not made of real numbers.
        ValueError
            If there was no ``forward`` before, or `dy` has another shape than its output.
        """
        if self._shape is None:
            raise ValueError("backward: call forward first")
        return self._backward(validation.as_real("dy", dy, self._shape), self._kept)

    def _keep(self, y, kept):
        self._shape, self._kept = y.shape, kept
        return y

    def _float_type(self):
        """Return the type to compute in: that of the parameters, floats even where those are not.

        Somebody who sets the weights by hand may well write whole numbers.
        """
        return np.result_type(np.float32, *self.params.values())


@dataclass(eq=False, repr=False)
class WeightedLayer(Layer):
    """A layer whose weights are drawn, and how; its whole numbers are sizes, of at least 1.

    Parameters
    ----------
    initializer : str or callable
        Draws the weights; biases start at 0.
    rng : numpy.random.Generator or int, optional
        Where the weights come from.
    dtype : data type
        float64, or float32 for speed.
    """

    _: KW_ONLY
    initializer: InitVar[str | Initializer] = "uniform"
    rng: InitVar[np.random.Generator | int | None] = None
    dtype: np.dtype | type = np.float64

    def __post_init__(self) -> None:
        super().__init__()
        self.dtype = validation.expect_float_type("dtype", self.dtype)
        for field in fields(self):
            if field.type is int:
                size = validation.expect_count(field.name, getattr(self, field.name))
                setattr(self, field.name, size)


@dataclass(eq=False, repr=False)
class Dense(WeightedLayer):
    """The fully connected layer ``y = x @ W + b``: from `x` (..., F) to `y` (..., K).

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

    n_features: int
    n_output: int

    def __post_init__(self, initializer, rng) -> None:
        super().__post_init__()
        shape = self.n_features, self.n_output
        self.params["W"] = draw_weights(initializer, rng, shape, self.dtype)
        self.params["b"] = np.zeros(self.n_output, self.dtype)

    def _checked(self, x):
        x = validation.as_real("x", x, dtype=self._float_type())
        validation.expect_shape("x", x, (*x.shape[:-1], self.n_features))
        return x

    def _compute(self, x, training=False):
        y = _columns(x).T @ self.params["W"]
        y += self.params["b"]
        return y.T.reshape(-1, *x.T.shape[1:]).T, x

    def _backward(self, dy, x):
        dy = _columns(dy)
        self.grads = {"W": _columns(x) @ dy.T, "b": dy.sum(axis=1)}
        return (dy.T @ self.params["W"].T).T.reshape(x.T.shape).T


def _columns(x):
    """Return `x` (..., F) as (F, rows): a view where time comes first in memory, as in a state."""
    return x.T.reshape(x.shape[-1], -1)


@dataclass(eq=False, repr=False)
class Embedding(WeightedLayer):
    """A table with one row of numbers for every word: the short form of one-hot times matrix.

    From word ids, whole numbers (N, T), to their rows of the table (N, T, F).

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

    n_words: int
    n_features: int
    _: KW_ONLY
    trainable: bool = True
    initializer: InitVar[str | Initializer] = gaussian(0.05)  # noqa: RUF009 (a pure function)

    def __post_init__(self, initializer, rng) -> None:
        super().__post_init__()
        shape = self.n_words, self.n_features
        self._table = {"W": draw_weights(initializer, rng, shape, self.dtype)}
        self.params = self._table if self.trainable else {}

    @classmethod
    def from_array(cls, table: np.ndarray, trainable: bool = True) -> "Embedding":
        """Make an embedding of word vectors that were trained elsewhere.

        Parameters
        ----------
        table : ndarray, shape (n_words, F)
            One row for each word id; it is copied.
        trainable : bool
            Whether training changes the table.

        Returns
        -------
        Embedding
            In float32 if `table` is, else in float64.

        Raises
        ------
        TypeError, ValueError
            If `table` is not made of finite real numbers, or does not have two axes.
        """
        table = validation.as_real("table", table, ("n_words", "F"))
        dtype = np.float32 if table.dtype == np.float32 else np.float64
        how = {"initializer": lambda rng, shape: table.copy(), "dtype": dtype}
        return cls(*table.shape, trainable=trainable, **how)

    @property
    def W(self) -> np.ndarray:
        """The table, shape (n_words, F): the parameter, or the frozen one."""
        return (self.params or self._table)["W"]

    def _checked(self, ids):
        ids = validation.as_integers("ids", ids, ("N", "T"))
        validation.expect_between("ids", ids, 0, self.n_words - 1)
        return ids

    def _compute(self, ids, training=False):
        ids = ids.T  # time-major, the order in which the recurrent layer reads
        return self.W.take(ids, axis=0).swapaxes(0, 1), ids

    def _backward(self, dy, ids):
        if self.trainable:
            dy_rows = dy.swapaxes(0, 1).reshape(-1, self.n_features)
            self.grads = {"W": RowGradient.from_lookups(ids.ravel(), dy_rows, self.W.shape)}


class Dropout(Layer):
    """Variational dropout: zero some features of a sequence, the same ones at every time step.

    From sequences (N, T, F) to the same with some features at 0; without `training`, to the same.

    Parameters
    ----------
    rate : float
        The fraction of features to drop, at least 0 and below 1. The others are scaled up by
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
        If `rate` is not a number, or out of range.

    References
    ----------
    Gal and Ghahramani, "A theoretically grounded application of dropout in recurrent neural
    networks", NeurIPS 2016; lesson 4, section 4.
    """

    def __init__(self, rate: float, *, rng: np.random.Generator | int | None = None) -> None:
        super().__init__()
        self.rate = validation.expect_fraction("rate", rate)
        self._rng = np.random.default_rng(rng)

    def _checked(self, x):
        validation.expect_shape("x", x, ("N", "T", "F"))
        return x

    def _compute(self, x, training=False):
        if not training or self.rate == 0:
            return x, None
        N, _, F = x.shape
        mask = (self._rng.random((N, 1, F)) >= self.rate).astype(x.dtype) / (1 - self.rate)
        return x * mask, mask

    def _backward(self, dy, mask):
        return dy if mask is None else dy * mask


@dataclass(frozen=True)
class RowGradient:
    """The gradient of a table: values for some rows, zero elsewhere.

    A batch of reviews holds a few thousand different words out of tens of thousands. To store,
    scale and add the zeros of all others would cost more than everything else in a training step.

    Attributes
    ----------
    rows : ndarray, shape (R,)
        Row numbers, rising, each once.
    values : ndarray, shape (R, n_columns)
        The gradient in these rows.
    shape : (n_rows, n_columns)
        Shape of the table, and of the gradient written out in full.
    """

    rows: np.ndarray
    values: np.ndarray
    shape: tuple[int, int]

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        """Write the gradient out in full, for a test or a plot."""
        full = np.zeros(self.shape, dtype or self.values.dtype)
        full[self.rows] = self.values
        return full

    def __mul__(self, factor: float) -> "RowGradient":
        """Return the gradient times `factor`."""
        return RowGradient(self.rows, self.values * factor, self.shape)

    def __add__(self, other: "RowGradient") -> "RowGradient":
        """Return the sum of two gradients of the same table."""
        rows, values = np.append(self.rows, other.rows), np.vstack([self.values, other.values])
        return RowGradient.from_lookups(rows, values, self.shape)

    @classmethod
    def from_lookups(cls, ids: np.ndarray, dy: np.ndarray, shape: tuple[int, int]) -> "RowGradient":
        """Add up the gradients of all look-ups of the same row.

        Sorting the look-ups brings equal rows together, so that each sum is one run. The row
        numbers get the shortest type first: NumPy sorts 16-bit numbers several times as fast.

        Parameters
        ----------
        ids : ndarray of int, shape (L,)
            The row that each look-up read; L >= 1.
        dy : ndarray, shape (L, n_columns)
            The gradient at what each look-up returned.
        shape : (n_rows, n_columns)
            Shape of the table.

        Returns
        -------
        RowGradient
            The sum over look-ups.
        """
        order = np.argsort(ids.astype(np.min_scalar_type(shape[0] - 1)), kind="stable")
        ids = ids[order]
        starts = np.concatenate(([0], np.flatnonzero(np.diff(ids)) + 1))
        sums = np.add.reduceat(dy.take(order, axis=0), starts, axis=0)
        return cls(ids[starts], sums, shape)
