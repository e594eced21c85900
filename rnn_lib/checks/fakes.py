"""Fakes: a tiny network, its loss and an optimizer, to hand to a student's training step.

They are used just as the library's are and share no line with them: what is judged is the step.
The network averages each sequence over the steps that count and makes scores of the mean, without
any recurrence; in training it drops some features, always the same ones.
"""

from numpy import arange, full, ndarray

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
