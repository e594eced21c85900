"""Optimizers: how a gradient becomes an update of the parameters.

``update(params, grads)`` changes the arrays in `params` in place, once, after the whole backward
pass. The gradients are those of the *mean* loss of the batch, so nothing here divides by the batch
size again (lesson 3, section 7).

Where a gradient is a :class:`RowGradient`, only the rows that it names are touched, their running
averages included: a word that does not occur in a batch keeps its vector. For Adam that is the
"lazy" form, in which the averages of a rare word do not fade while it is away. Left out: momentum,
weight decay, and everything that looks at the loss.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from rnn_lib.layers import RowGradient
from rnn_lib.validation import choose, expect_positive, is_object

Gradients = Mapping[str, np.ndarray | RowGradient]


class Optimizer:
    """What all optimizers share: the learning rate, a count of updates, a loop over parameters.

    Parameters
    ----------
    lr : float
        The learning rate, above 0. It may be changed between updates, to any number >= 0.

    Attributes
    ----------
    n_updates : int
        How often :meth:`update` was called.
    averages : dict of str to dict of str to ndarray
        The running averages of each kind, by the name of the parameter; empty for plain descent.

    Raises
    ------
    ValueError
        If `lr` is not above 0.
    """

    def __init__(self, lr: float = 0.01) -> None:
        self.lr = expect_positive("lr", lr)
        self.n_updates = 0
        self.averages: dict[str, dict[str, np.ndarray]] = {}

    def update(self, params: Mapping[str, np.ndarray], grads: Gradients) -> None:
        """Change every array of `params` in place.

        Parameters
        ----------
        params : mapping of str to ndarray
            The parameters.
        grads : mapping of str to ndarray or RowGradient
            The gradient of the mean loss at each of them, under the same names.

        Raises
        ------
        ValueError, TypeError
            If names or shapes differ, a parameter is made of integers, or `lr` is below 0 or no
            number; then nothing is changed.
        """
        if not 0 <= self.lr < float("inf"):
            raise ValueError(f"lr: expected a number of at least 0, got {self.lr}")
        shapes = {name: param.shape for name, param in params.items()}
        if (got := {name: grad.shape for name, grad in grads.items()}) != shapes:
            raise ValueError(f"grads: expected the shapes {shapes}, got {got}")
        for name, param in params.items():
            if param.dtype.kind != "f":
                raise TypeError(f"params[{name!r}]: expected float numbers, got {param.dtype}")
        self.n_updates += 1
        for name, param in params.items():
            self._step(name, param, *_rows_and_values(grads[name]))

    def _average(self, kind, name, like):
        """Return the running average `kind` of the parameter `name`, zero at first."""
        averages = self.averages.setdefault(kind, {})
        if name not in averages:
            averages[name] = np.zeros_like(like)
        return averages[name]


class SGD(Optimizer):
    """Plain gradient descent, the assignment's update rule: ``w -= lr * dw``.

    Parameters
    ----------
    lr : float
        The learning rate, above 0.

    Notes
    -----
    Lesson 3, section 7.
    """

    def _step(self, name, param, rows, grad):
        param[rows] -= self.lr * grad


class AdaGrad(Optimizer):
    """Gradient descent in which each weight's learning rate shrinks with the gradients it has seen.

    Parameters
    ----------
    lr : float
        The learning rate, above 0.

    References
    ----------
    Duchi, Hazan and Singer, "Adaptive subgradient methods", JMLR 12, 2011.
    """

    eps = 1e-8

    def _step(self, name, param, rows, grad):
        squares = self._average("squares", name, param)
        squares[rows] += grad * grad
        param[rows] -= self.lr * grad / (np.sqrt(squares[rows]) + self.eps)


class Adam(Optimizer):
    """Gradient descent with running averages of the gradient and of its square.

    The averages start at zero and are too small at first; dividing by ``1 - beta**t`` puts that
    right at update number t. (The notebook that this course grew out of divided by a constant
    instead, so that its first steps had another size altogether.)

    Parameters
    ----------
    lr : float
        The learning rate, above 0.

    References
    ----------
    Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1.
    """

    beta1, beta2, eps = 0.9, 0.999, 1e-8

    def __init__(self, lr: float = 0.001) -> None:
        super().__init__(lr)

    def _step(self, name, param, rows, grad):
        mean = self._average("mean", name, param)
        square = self._average("square", name, param)
        m, v = mean[rows], square[rows]
        m += (1 - self.beta1) * (grad - m)
        v += (1 - self.beta2) * (grad * grad - v)
        mean[rows], square[rows] = m, v
        lr_hat = self.lr / (1 - self.beta1**self.n_updates)  # the correction of m, taken once
        v_hat = v / (1 - self.beta2**self.n_updates)
        param[rows] -= lr_hat * m / (np.sqrt(v_hat) + self.eps)


def global_norm(grads: Gradients) -> float:
    """Return the norm of all gradients together, as one long vector.

    Parameters
    ----------
    grads : mapping of str to ndarray or RowGradient
        The gradients.

    Returns
    -------
    float
        The Euclidean norm.
    """
    # In float64, where the squares of float32 numbers do not overflow.
    values = [_rows_and_values(grad)[1].astype(np.float64) for grad in grads.values()]
    with np.errstate(over="ignore"):
        return float(np.sqrt(sum(np.vdot(v, v) for v in values)))


def clip_by_global_norm(grads: Gradients, max_norm: float) -> tuple[Gradients, float]:
    """Scale the gradients, all by one factor, to a global norm of at most `max_norm`.

    One factor for all keeps the direction, which clipping each element would change.

    Parameters
    ----------
    grads : mapping of str to ndarray or RowGradient
        The gradients; they are left as they are.
    max_norm : float
        The largest global norm allowed, above 0.

    Returns
    -------
    clipped : dict
        The gradients to use.
    norm : float
        The norm before clipping. If it is not finite, the gradients are left as they are.

    Raises
    ------
    ValueError
        If `max_norm` is not above 0.

    References
    ----------
    Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks",
    ICML 2013; lesson 3, section 9.
    """
    max_norm = expect_positive("max_norm", max_norm)
    norm = global_norm(grads)
    if norm <= max_norm or not np.isfinite(norm):
        return dict(grads), norm
    return {name: grad * (max_norm / norm) for name, grad in grads.items()}, norm


def linear_decay(lr: float, n_epochs: float) -> Callable[[float], float]:
    """Make a schedule that falls in a straight line from `lr` to 0 over `n_epochs`.

    Parameters
    ----------
    lr : float
        The learning rate at the start, above 0.
    n_epochs : float
        When it reaches 0.

    Returns
    -------
    callable
        ``epoch -> rate``, where `epoch` counts the epochs trained so far, fractions included.
    """
    return LinearDecay(expect_positive("lr", lr), expect_positive("n_epochs", n_epochs))


@dataclass(frozen=True)
class LinearDecay:
    """A function, written as an object so that it can be saved with the classifier it drives."""

    lr: float
    n_epochs: float

    def __call__(self, epoch: float) -> float:
        """Return the rate after `epoch` epochs."""
        return self.lr * max(0.0, 1 - epoch / self.n_epochs)


OPTIMIZERS = {"sgd": SGD, "adagrad": AdaGrad, "adam": Adam}


def get_optimizer(optimizer: str | Optimizer, lr: float = 0.001) -> Optimizer:
    """Make an optimizer by its name, or copy one.

    Parameters
    ----------
    optimizer : {"sgd", "adagrad", "adam"} or an object with ``update``
        Its name; or an optimizer, which keeps its own learning rate.
    lr : float
        The learning rate, above 0.

    Returns
    -------
    Optimizer
        A new one.

    Raises
    ------
    ValueError
        If there is no optimizer of that name, or `lr` is not above 0.
    """
    if is_object(optimizer, "update"):
        return copy.deepcopy(optimizer)
    return choose("optimizer", optimizer, OPTIMIZERS, or_else="an object with update() or ")(lr)


def _rows_and_values(grad):
    return (grad.rows, grad.values) if isinstance(grad, RowGradient) else (..., grad)
