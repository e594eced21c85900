"""Activations: the nonlinearity that is applied to each unit's pre-activation.

An activation is a pair: the function itself and its derivative *written in terms of its
output*. A layer keeps its outputs anyway, so the backward pass needs nothing else: for
``h = tanh(a)`` the derivative is ``1 - h**2``, and ``a`` may be forgotten.

Softmax and the sigmoid, which turn scores into probabilities, stand here too. Left out are their
gradients: the losses know them together with the logarithm (lesson 3, section 6).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from rnn_lib.validation import choose


@dataclass(frozen=True)
class Activation:
    """A function of one number, applied to every element, and its derivative.

    Attributes
    ----------
    name : str
        What a person types to choose it.
    forward : callable
        ``forward(a, out=None) -> h``, shapes as `a`.
    derivative : callable
        ``derivative(h, out=None) -> dh/da`` from the *output* `h`, shapes as `h`.

    Notes
    -----
    Derived in lesson 1, section 5 and lesson 3, section 2.
    """

    name: str
    forward: Callable[..., np.ndarray]
    derivative: Callable[..., np.ndarray]


# Named, so that a network can be pickled.
def _tanh_derivative(h: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    square = np.multiply(h, h, out=out)
    return np.subtract(1, square, out=square)


tanh = Activation("tanh", np.tanh, _tanh_derivative)
relu = Activation("relu", partial(np.maximum, 0), np.sign)  # of an output, which is never below 0

_BY_NAME = {"tanh": tanh, "relu": relu}


def get_activation(name: str) -> Activation:
    """Look an activation up by its name.

    Parameters
    ----------
    name : {"tanh", "relu"}
        The activation's name.

    Returns
    -------
    Activation
        The function and its derivative.

    Raises
    ------
    ValueError
        If there is no activation of that name.
    """
    return choose("activation", name, _BY_NAME)


def softmax(scores: np.ndarray) -> np.ndarray:
    """Turn scores into probabilities that add up to 1 along the last axis.

    Subtracting the largest score first changes nothing in the quotient and keeps ``exp`` from
    overflowing.

    Parameters
    ----------
    scores : ndarray, shape (..., n_output)
        Any finite numbers.

    Returns
    -------
    ndarray, shape (..., n_output)
        Numbers in [0, 1] with sum 1.

    Notes
    -----
    Derived in lesson 3, section 6.
    """
    exp = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exp / exp.sum(axis=-1, keepdims=True)


def sigmoid(scores: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Turn each score into a probability of its own.

    Written with tanh, which neither overflows nor loses digits: ``(1 + tanh(z / 2)) / 2``.

    Parameters
    ----------
    scores : ndarray, any shape
        Any finite numbers.
    out : ndarray, shape as `scores`, optional
        Where to write the result; it may be `scores` itself.

    Returns
    -------
    ndarray, shape as `scores`
        Numbers in [0, 1].

    Notes
    -----
    Lesson 1, section 7.
    """
    half = np.tanh(np.multiply(0.5, scores, out=out), out=out)
    return np.multiply(0.5, np.add(1, half, out=out), out=out)
