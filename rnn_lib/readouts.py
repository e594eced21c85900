"""Readouts: what of the states (N, T, H) the network looks at to give its answer.

The last state alone, their mean, or every one of them. A readout has no parameters; going back it
puts the gradient where the states that it looked at stand.
"""

from typing import Protocol

import numpy as np

from rnn_lib.validation import as_gradient, as_lengths, choose, expect_positive, expect_shape


class Readout(Protocol):
    """What the network asks of a readout."""

    def forward(self, h: np.ndarray, lengths: np.ndarray | None = None) -> np.ndarray:
        """From all states return what is looked at."""

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """From the gradient at what is looked at return that at all states."""


class LastState:
    """Look at the state after each sample's last step (lesson 1, section 6)."""

    _shape: tuple[int, ...] | None = None  # of what forward returned

    def forward(self, h: np.ndarray, lengths: np.ndarray | None = None) -> np.ndarray:
        """Pick the last state.

        Parameters
        ----------
        h : ndarray, shape (N, T, H)
            All states.
        lengths : ndarray of int, shape (N,), optional
            Steps of each sample; all T by default.

        Returns
        -------
        ndarray, shape (N, H)
            The last states.
        """
        expect_shape("h", h, ("N", "T", "H"))
        self._h_shape = N, T, H = h.shape
        self._shape = N, H
        self._where = np.arange(N), as_lengths(lengths, N, T) - 1
        return h[self._where]

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """Put the gradient at the last states, 0 elsewhere.

        Parameters
        ----------
        dy : ndarray, shape (N, H)
            The gradient at the last states.

        Returns
        -------
        ndarray, shape (N, T, H)
            The gradient at all states.
        """
        dy = as_gradient("dy", dy, self._shape)
        dh = np.zeros(self._h_shape, dy.dtype)
        dh[self._where] = dy
        return dh


class MeanState:
    """Look at the mean of a sample's states, times `scale` (lesson 4, section 4).

    Parameters
    ----------
    scale : float
        A mean over hundreds of states is a small number that changes little; a scale well above 1
        lets the output layer see it at a size at which it learns quickly. Above 0.

    Raises
    ------
    TypeError, ValueError
        If `scale` is not a number above 0.
    """

    _shape: tuple[int, ...] | None = None  # of what forward returned

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = expect_positive("scale", scale)

    def forward(self, h: np.ndarray, lengths: np.ndarray | None = None) -> np.ndarray:
        """Average the states.

        Parameters
        ----------
        h : ndarray, shape (N, T, H)
            All states, 0 at and after a sample's length.
        lengths : ndarray of int, shape (N,), optional
            Steps of each sample; all T by default.

        Returns
        -------
        ndarray, shape (N, H)
            The means, times `scale`.
        """
        expect_shape("h", h, ("N", "T", "H"))
        self._h_shape = N, T, H = h.shape
        self._shape = N, H
        self._weight = (self.scale / as_lengths(lengths, N, T))[:, None].astype(h.dtype)
        return h.sum(axis=1) * self._weight

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """Give every state its share of the gradient.

        Parameters
        ----------
        dy : ndarray, shape (N, H)
            The gradient at the means.

        Returns
        -------
        ndarray, shape (N, T, H)
            The gradient at all states, a read-only view; what it says after a sample's length
            means nothing.
        """
        dy = as_gradient("dy", dy, self._shape)
        return np.broadcast_to((dy * self._weight)[:, None], self._h_shape)


class AllStates:
    """Look at every state: one answer per time step (lesson 1, section 6)."""

    _shape: tuple[int, ...] | None = None  # of what forward returned

    def forward(self, h: np.ndarray, lengths: np.ndarray | None = None) -> np.ndarray:
        """Hand all states on.

        Parameters
        ----------
        h : ndarray, shape (N, T, H)
            All states.
        lengths : ndarray of int, shape (N,), optional
            Not needed here.

        Returns
        -------
        ndarray, shape (N, T, H)
            The same.
        """
        expect_shape("h", h, ("N", "T", "H"))
        self._shape = h.shape
        return h

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """Hand the gradient on.

        Parameters
        ----------
        dy : ndarray, shape (N, T, H)
            The gradient at all states.

        Returns
        -------
        ndarray, shape (N, T, H)
            The same.
        """
        return as_gradient("dy", dy, self._shape)


_BY_NAME = {"last": LastState, "mean": MeanState, "all": AllStates}


def get_readout(name: str) -> Readout:
    """Make a readout by its name.

    Parameters
    ----------
    name : {"last", "mean", "all"}
        What to look at.

    Returns
    -------
    Readout
        A new one.

    Raises
    ------
    ValueError
        If there is no readout of that name.
    """
    with_methods = "an object with forward() and backward() or "
    return choose("readout", name, _BY_NAME, or_else=with_methods)()
