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

    A subclass has ``probabilities``, and ``_terms``, which from the scores, the place of each right
    output among them and whether it should say yes makes the loss of each label and, from the same
    exponential, the probabilities.

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
        scores = scores.astype(np.result_type(scores, np.float32), copy=False)
        labels, weights = _labels_and_weights(scores, labels, mask)
        one_output = scores.shape[-1] == 1
        chosen = scores[..., 0] > 0 if one_output else scores.argmax(axis=-1)
        accuracy = float(np.mean((chosen == labels)[weights > 0]))

        # With one output the label itself is the answer; else the label's output should say yes.
        yes, output = (labels, 0) if one_output else (1, labels)
        right = (*np.indices(labels.shape, sparse=True), output)
        terms, dscores = self._terms(scores, right, yes)
        dscores[right] -= yes
        dscores *= weights[..., None]
        return float(np.sum(terms * weights)), accuracy, dscores

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

    def _terms(self, scores, right, yes):
        p = scores - scores.max(axis=-1, keepdims=True)
        of_right = p[right]
        total = np.exp(p, out=p).sum(axis=-1, keepdims=True)
        p /= total
        return np.log(total[..., 0]) - of_right, p


class SigmoidCrossEntropy(CrossEntropy):
    """Every output answers yes or no on its own; the losses of all outputs are added.

    With one output the label itself is the answer, 0 or 1. With more, the output of the right
    label should say yes and the others no. The probability of each output is the sigmoid of its
    score, which is the softmax of that score and 0 (lesson 1, section 7).
    """

    probabilities = staticmethod(sigmoid)

    def _terms(self, scores, right, yes):
        terms = np.logaddexp(0, scores)
        terms[right] -= yes * scores[right]
        return terms.sum(axis=-1), self.probabilities(scores)


def _labels_and_weights(scores, labels, mask):
    """Return the labels, 0 where they do not count, and each one's share of the mean."""
    labels = as_integers("labels", labels, scores.shape[:-1])
    counted = np.ones(labels.shape, bool) if mask is None else np.asarray(mask, bool)
    expect_shape("mask", counted, labels.shape)
    if not counted.any():
        raise ValueError("mask: expected at least one label that counts")
    expect_between("labels", labels[counted], 0, max(1, scores.shape[-1] - 1))
    return np.where(counted, labels, 0), (counted / counted.sum()).astype(scores.dtype)


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
