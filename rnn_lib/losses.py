"""Losses: how far the scores are from the labels, as one number, and its gradient.

Both losses take raw scores, not probabilities. Taken together, the exponential and the logarithm
cancel: the gradient is simply *probability minus target*, and no large or small number is ever
formed on the way.

The batch mean is taken here and nowhere else. Every gradient that leaves is already that of the
mean loss; layers and optimisers only pass it on.
"""

from typing import Protocol

import numpy as np

from rnn_lib.activations import sigmoid, softmax


class Loss(Protocol):
    """What the classifier asks of a loss."""

    def forward(
        self, scores: np.ndarray, labels: np.ndarray, mask: np.ndarray | None = None
    ) -> float:
        """Return the mean loss."""

    def backward(self) -> np.ndarray:
        """Return its gradient at the scores of the last forward call."""

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Return the probabilities that the scores stand for."""


class SoftmaxCrossEntropy:
    """One label out of `n_output`: minus the logarithm of the probability of the right one.

    Notes
    -----
    Derived in lesson 3, section 6.
    """

    probabilities = staticmethod(softmax)

    def forward(
        self, scores: np.ndarray, labels: np.ndarray, mask: np.ndarray | None = None
    ) -> float:
        """Return the mean loss over all labels.

        Parameters
        ----------
        scores : ndarray, shape (..., n_output)
            Any finite numbers.
        labels : ndarray of int, shape (...)
            The right outputs, 0 to n_output - 1.
        mask : ndarray of bool, shape (...), optional
            Where false, the label does not count.

        Returns
        -------
        float
            The mean loss, at least 0.
        """
        targets, weights = _targets_and_weights(scores, labels, mask)
        self._dscores = (softmax(scores) - targets) * weights
        shifted = scores - scores.max(axis=-1, keepdims=True)
        log_sum = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        return float(np.sum(targets * (log_sum - shifted) * weights))

    def backward(self) -> np.ndarray:
        """Return the gradient at the scores.

        Returns
        -------
        ndarray, shape (..., n_output)
            (probability - target) / number of labels that count.
        """
        return self._dscores


class SigmoidCrossEntropy:
    """Every output answers yes or no on its own; the losses of all outputs are added.

    With one output the label itself is the answer, 0 or 1. With more, the output of the right
    label should say yes and the others no.

    Notes
    -----
    Derived in lesson 3, section 6.
    """

    probabilities = staticmethod(sigmoid)

    def forward(
        self, scores: np.ndarray, labels: np.ndarray, mask: np.ndarray | None = None
    ) -> float:
        """Return the mean loss over all labels.

        Parameters
        ----------
        scores : ndarray, shape (..., n_output)
            Any finite numbers.
        labels : ndarray of int, shape (...)
            The right outputs, 0 to n_output - 1; with one output, 0 or 1.
        mask : ndarray of bool, shape (...), optional
            Where false, the label does not count.

        Returns
        -------
        float
            The mean loss, at least 0.
        """
        targets, weights = _targets_and_weights(scores, labels, mask)
        self._dscores = (sigmoid(scores) - targets) * weights
        return float(np.sum((np.logaddexp(0, scores) - targets * scores) * weights))

    def backward(self) -> np.ndarray:
        """Return the gradient at the scores.

        Returns
        -------
        ndarray, shape (..., n_output)
            (probability - target) / number of labels that count.
        """
        return self._dscores


def _targets_and_weights(
    scores: np.ndarray, labels: np.ndarray, mask: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Write the labels as 0s and 1s shaped like `scores`, and each label's share of the mean."""
    n_output = scores.shape[-1]
    if n_output == 1:
        targets = labels[..., None].astype(scores.dtype)
    else:
        targets = (labels[..., None] == np.arange(n_output)).astype(scores.dtype)
    counted = np.ones(labels.shape, bool) if mask is None else mask
    return targets, (counted / counted.sum())[..., None].astype(scores.dtype)


_BY_NAME = {"softmax": SoftmaxCrossEntropy, "sigmoid": SigmoidCrossEntropy}


def get_loss(name: str) -> Loss:
    """Make a loss by the name of the function that turns its scores into probabilities.

    Parameters
    ----------
    name : {"softmax", "sigmoid"}
        The output function.

    Returns
    -------
    Loss
        A new one.

    Raises
    ------
    ValueError
        If there is no loss of that name.
    """
    try:
        return _BY_NAME[name]()
    except (KeyError, TypeError):
        raise ValueError(f"output: expected one of {sorted(_BY_NAME)}, got {name!r}") from None
