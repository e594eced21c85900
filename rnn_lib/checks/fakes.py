"""Fakes, to hand to a student's function: a tiny network, its loss, an optimizer; and a reader.

They are used just as the library's are and share no line with them: what is judged is the step.
The network averages each sequence over the steps that count and makes scores of the mean, without
any recurrence; in training it drops some features, always the same ones.
"""

from collections.abc import Callable

from numpy import arange, array, full, ndarray

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


def reader(table: ndarray, read: list) -> Callable:
    """Make a step of a network whose state depends on all that it has read, and on the order.

    The scores are a row of the table (V, V); the state says which. The ids are noted in `read`.
    """

    def step(i: int, h: ndarray) -> tuple[ndarray, ndarray]:
        read.append(i)
        h = (array([3.0, 5.0, 7.0]) * h + i + 1) % 97
        return table[int(h.sum()) % len(table)].copy(), h

    return step
