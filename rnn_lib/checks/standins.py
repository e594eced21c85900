"""A tiny network, its loss and an optimiser, to hand to a student's training step.

They are used just as the library's are and share no line with them: what is judged is the step.
The network averages each sequence over the steps that count and makes scores of the mean, without
any recurrence; in training it silences some features, always the same ones.
"""

import itertools
from collections.abc import Callable

from numpy import arange, array, full, ndarray, stack

from rnn_lib.checks.references import softmax_cross_entropy

Numbers = dict[str, ndarray]


class Network:
    """Scores from the mean of a sequence: ``mean @ W + b``."""

    def __init__(self, W: ndarray, b: ndarray, mask: ndarray) -> None:
        self._params, self._grads = {"W": W, "b": b}, {}
        self._mask = mask

    @property
    def params(self) -> Numbers:
        """The network's own arrays, not copies."""
        return dict(self._params)

    @property
    def grads(self) -> Numbers:
        """What the last ``backward`` left."""
        return dict(self._grads)

    def forward(
        self, x: ndarray, lengths: ndarray | None = None, training: bool = False
    ) -> ndarray:
        """Make scores (N, K) of the steps of x (N, T, F) that count."""
        N, T, _ = x.shape
        n_steps = full(N, T) if lengths is None else lengths
        counts = arange(T) < n_steps[:, None]  # (N, T)
        self._mean = (x * counts[:, :, None]).sum(axis=1) / n_steps[:, None]
        if training:
            self._mean = self._mean * self._mask
        return self._mean @ self._params["W"] + self._params["b"]

    def backward(self, dscores: ndarray) -> None:
        """Leave the gradients in ``grads``, as new arrays."""
        self._grads = {"W": self._mean.T @ dscores, "b": dscores.sum(axis=0)}


class Loss:
    """The softmax with cross-entropy."""

    def forward(self, scores: ndarray, labels: ndarray) -> float:
        """Return the mean loss."""
        loss, self._dscores = softmax_cross_entropy(scores, labels)
        return float(loss)

    def backward(self) -> ndarray:
        """Return the gradient at the scores."""
        return self._dscores


class Descent:
    """Plain gradient descent."""

    def __init__(self, lr: float) -> None:
        self.lr = lr

    def update(self, params: Numbers, grads: Numbers) -> None:
        """Change every array of `params` in place."""
        for name, param in params.items():
            param -= self.lr * grads[name]


def in_a_row(training_step: Callable) -> Callable:
    """Make a function of arrays of a training step: several steps, one batch after the other.

    It returns the loss of each step and the change of W and of b in each, (n_steps, ...). The
    network has been through a batch before the first step: there are old gradients to fall for.
    """

    def losses_and_changes(W, b, mask, lr, x, lengths, y):
        network, loss, optimizer = Network(W.copy(), b.copy(), mask), Loss(), Descent(lr)
        loss.forward(network.forward(x[-1], lengths[-1], training=True), y[-1])
        network.backward(loss.backward())
        losses, states = [], [(W, b)]
        for batch in zip(x, lengths, y, strict=True):
            losses.append(training_step(network, loss, optimizer, *batch))
            states.append([param.copy() for param in network.params.values()])
        changes = (
            stack([after - before for before, after in itertools.pairwise(values)])
            for values in zip(*states, strict=True)
        )
        return array(losses), *changes

    return losses_and_changes
