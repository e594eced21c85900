"""Losses: how far the scores are from the labels, as one number, and its gradient.

Both losses take raw scores, not probabilities. Taken together, the exponential and the logarithm
cancel: the gradient is simply *probability minus target*, and no very large or very small number is
ever formed.

The batch mean is taken here and nowhere else. Every gradient that leaves is already that of the
mean loss; layers and optimizers only pass it on. Left out: regularization.
"""

import numpy as np

from rnn_lib.activations import sigmoid, softmax
from rnn_lib.validation import as_integers, as_real, choose, expect_between, expect_shape


class CrossEntropy:
    """What both losses share: targets, the mean, and a gradient of the same form.

    A subclass has ``probabilities``, and ``_terms``: what each output adds to the loss of its
    label, shaped as the scores.

    Attributes
    ----------
    accuracy : float
        After ``forward``: the fraction of the labels that count, 0 to 1, whose output has the
        highest score (with one output: whose answer is right).
    """

    fewest_outputs = 1

    def forward(
        self, scores: np.ndarray, labels: np.ndarray, mask: np.ndarray | None = None
    ) -> float:
        """Return the mean loss over all labels that count.

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

        Raises
        ------
        TypeError
            If `scores` are not real numbers, or `labels` not integers.
        ValueError
            If a shape does not fit, a counted label is out of range, or the mask excludes every
            label.
        """
        value, self.accuracy, self._dscores = self._compute(scores, labels, mask)
        return value

    def _compute(self, scores, labels, mask):
        """Return the loss, the accuracy, and the gradient at the scores."""
        scores = as_real("scores", scores)
        if scores.ndim == 0 or scores.shape[-1] < self.fewest_outputs:
            raise ValueError(f"scores: expected {self.fewest_outputs}+ outputs, got {scores.shape}")
        targets, weights = _targets_and_weights(scores, labels, mask)
        chosen = scores.argmax(axis=-1) if scores.shape[-1] > 1 else scores[..., 0] > 0
        is_right = chosen == np.asarray(labels)
        accuracy = float(np.mean(is_right[weights[..., 0] > 0]))
        dscores = (self.probabilities(scores) - targets) * weights
        return float(np.sum(self._terms(scores, targets) * weights)), accuracy, dscores

    def backward(self) -> np.ndarray:
        """Return the gradient at the scores.

        Returns
        -------
        ndarray, shape (..., n_output)
            (probability - target) / number of labels that count.

        Raises
        ------
        ValueError
            If there was no ``forward`` before.
        """
        if not hasattr(self, "_dscores"):
            raise ValueError("backward: call forward first")
        return self._dscores


class SoftmaxCrossEntropy(CrossEntropy):
    """One label out of `n_output`: minus the logarithm of the probability of the right one.

    Notes
    -----
    Derived in lesson 3, section 6.
    """

    fewest_outputs = 2  # of one output alone the softmax is always 1
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


def _targets_and_weights(scores, labels, mask):
    """Write the labels as 0s and 1s shaped like `scores`, and each label's share of the mean."""
    n_output, dtype = scores.shape[-1], np.result_type(scores, np.float32)
    labels = as_integers("labels", labels, scores.shape[:-1])
    counted = np.ones(labels.shape, bool) if mask is None else np.asarray(mask, bool)
    expect_shape("mask", counted, labels.shape)
    if not counted.any():
        raise ValueError("mask: expected at least one label that counts")
    expect_between("labels", labels[counted], 0, max(1, n_output - 1))
    yes = labels[..., None] == (1 if n_output == 1 else np.arange(n_output))
    return yes.astype(dtype), (counted / counted.sum())[..., None].astype(dtype)


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
