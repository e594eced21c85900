"""Losses: how far the scores are from the labels, as one number, and its gradient.

Both losses take raw scores, not probabilities. Taken together, the exponential and the logarithm
cancel: the gradient is simply *probability minus target*, and no large or small number is ever
formed on the way.

The batch mean is taken here and nowhere else. Every gradient that leaves is already that of the
mean loss; layers and optimisers only pass it on.
"""

import numpy as np

from rnn_lib.activations import sigmoid, softmax
from rnn_lib.validation import choose


class CrossEntropy:
    """What both losses share: targets, the mean, and a gradient of the same form."""

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
        self._dscores = (self.probabilities(scores) - targets) * weights
        return float(np.sum(self._terms(scores, targets) * weights))

    def backward(self) -> np.ndarray:
        """Return the gradient at the scores.

        Returns
        -------
        ndarray, shape (..., n_output)
            (probability - target) / number of labels that count.
        """
        return self._dscores

    def _terms(self, scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return what each output adds to the loss of its label, shaped as `scores`."""
        raise NotImplementedError


class SoftmaxCrossEntropy(CrossEntropy):
    """One label out of `n_output`: minus the logarithm of the probability of the right one.

    Notes
    -----
    Derived in lesson 3, section 6.
    """

    probabilities = staticmethod(softmax)

    def _terms(self, scores, targets):
        shifted = scores - scores.max(axis=-1, keepdims=True)
        return targets * (np.log(np.exp(shifted).sum(axis=-1, keepdims=True)) - shifted)


class SigmoidCrossEntropy(CrossEntropy):
    """Every output answers yes or no on its own; the losses of all outputs are added.

    With one output the label itself is the answer, 0 or 1. With more, the output of the right
    label should say yes and the others no. The probability of each output is the sigmoid of its
    score, which is the softmax of that score and 0 (lesson 1, section 7).
    """

    probabilities = staticmethod(sigmoid)

    def _terms(self, scores, targets):
        return np.logaddexp(0, scores) - targets * scores


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


def get_loss(name: str) -> CrossEntropy:
    """Make a loss by the name of the function that turns its scores into probabilities.

    Parameters
    ----------
    name : {"softmax", "sigmoid"}
        The output function.

    Returns
    -------
    CrossEntropy
        A new one.

    Raises
    ------
    ValueError
        If there is no loss of that name.
    """
    return choose("output", name, _BY_NAME)()
