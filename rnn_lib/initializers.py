"""Initializers: the random numbers that the weights start from.

Each is a function of a generator and a shape ``(n_in, n_out)``. What they differ in is the size
of the numbers: a signal that passes many steps, or layers, should neither die away nor blow up.
Biases start at zero everywhere and need none of these. Left out: anything that looks at the data.
"""

from collections.abc import Callable

import numpy as np

from rnn_lib import validation

Initializer = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]


def gaussian(sigma: float = 0.01) -> Initializer:
    """Make an initializer that draws normal numbers of standard deviation `sigma`.

    Parameters
    ----------
    sigma : float
        Standard deviation, above 0. The assignment uses 0.01.

    Returns
    -------
    callable
        ``(rng, (n_in, n_out)) -> ndarray`` in float64.

    Raises
    ------
    ValueError
        If `sigma` is not above 0.
    """
    sigma = validation.expect_positive("sigma", sigma)
    return lambda rng, shape: sigma * rng.standard_normal(shape)


def uniform(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Draw evenly between -1/sqrt(n_out) and 1/sqrt(n_out), as ``torch.nn.RNN`` does.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where the numbers come from.
    shape : (n_in, n_out)
        Shape of the weight; n_out is the number of hidden units for `W_x` and `W_h` alike.

    Returns
    -------
    ndarray, shape (n_in, n_out)
        The weight in float64.
    """
    limit = 1 / np.sqrt(shape[1])
    return rng.uniform(-limit, limit, shape)


def xavier(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Draw normal numbers of variance 2 / (n_in + n_out), fit for tanh.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where the numbers come from.
    shape : (n_in, n_out)
        Shape of the weight.

    Returns
    -------
    ndarray, shape (n_in, n_out)
        The weight in float64.

    References
    ----------
    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010.
    """
    return np.sqrt(2 / sum(shape)) * rng.standard_normal(shape)


def he(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Draw normal numbers of variance 2 / n_in, fit for ReLU.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where the numbers come from.
    shape : (n_in, n_out)
        Shape of the weight.

    Returns
    -------
    ndarray, shape (n_in, n_out)
        The weight in float64.

    References
    ----------
    He, Zhang, Ren and Sun, "Delving deep into rectifiers", ICCV 2015.
    """
    return np.sqrt(2 / shape[0]) * rng.standard_normal(shape)


def orthogonal(gain: float = 1.0) -> Initializer:
    """Make an initializer that draws a random orthogonal matrix, times `gain`.

    All singular values equal `gain`: a state that is multiplied by such a `W_h` keeps its norm
    (gain 1) or loses the same fraction of it at every step.

    Parameters
    ----------
    gain : float
        The common singular value, above 0.

    Returns
    -------
    callable
        ``(rng, (n_in, n_out)) -> ndarray`` in float64. Where the shape is not square, the
        shorter side is orthonormal.

    Raises
    ------
    ValueError
        If `gain` is not above 0.

    References
    ----------
    Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep
    linear neural networks", ICLR 2014.
    """
    gain = validation.expect_positive("gain", gain)

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
        q, r = np.linalg.qr(rng.standard_normal(sorted(shape, reverse=True)))
        # Without this the signs that LAPACK happens to choose would favor some matrices.
        q *= np.sign(np.diag(r))
        return gain * (q if shape[0] >= shape[1] else q.T)

    return draw


_BY_NAME = {"uniform": uniform, "xavier": xavier, "he": he}
_BY_NAME |= {"gaussian": gaussian(), "orthogonal": orthogonal()}


def get_initializer(initializer: str | Initializer) -> Initializer:
    """Look an initializer up by its name; a function is handed back as it is.

    Parameters
    ----------
    initializer : {"gaussian", "uniform", "xavier", "he", "orthogonal"} or callable
        A name (with the default size of each), or a function ``(rng, shape) -> ndarray``.

    Returns
    -------
    callable
        ``(rng, (n_in, n_out)) -> ndarray``.

    Raises
    ------
    ValueError
        If there is no initializer of that name.
    """
    if callable(initializer):
        return initializer
    return validation.choose("initializer", initializer, _BY_NAME, or_else="a function or ")


def draw_weights(initializer, rng, shape, dtype) -> np.ndarray:
    """Draw the weights that a layer starts from.

    Parameters
    ----------
    initializer : str or callable
        See :func:`get_initializer`.
    rng : numpy.random.Generator
        Where the numbers come from.
    shape : (n_in, n_out)
        Shape of the weight.
    dtype : data type
        float32 or float64.

    Returns
    -------
    ndarray of `dtype`, shape (n_in, n_out)
        The weight.

    Raises
    ------
    TypeError, ValueError
        If there is no initializer of that name, `dtype` is neither float32 nor float64, or a
        function answers with something else than finite numbers of that shape.
    """
    drawn = get_initializer(initializer)(np.random.default_rng(rng), shape)
    dtype = validation.expect_float_type("dtype", dtype)
    weights = validation.as_real("initializer", drawn, shape, dtype)
    validation.expect_finite("initializer", weights)
    return weights
