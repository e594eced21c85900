"""Adapters: functions that change things, or are given functions, asked like all others.

An examination knows functions from arrays to arrays. An adapter stands between it and a student's
function of another kind, and returns in arrays what that one has done.
"""

from collections.abc import Callable

from numpy import absolute, floating, ndarray

from rnn_lib.checks import references
from rnn_lib.checks.exercises import WEIGHTS
from rnn_lib.checks.judging import WrongKind, describe
from rnn_lib.checks.standins import in_a_row


class InPlace:
    """A student's update, asked like all other functions: it answers with the changes it made."""

    def __init__(self, fn: Callable) -> None:
        self.__wrapped__ = fn

    def __call__(self, *given: ndarray | float) -> tuple[ndarray, ...]:
        """Update once; return the changes of W_x, W_h and b."""
        arrays = dict(zip(WEIGHTS, given[:3], strict=True))
        grads = dict(zip(WEIGHTS, given[3:6], strict=True))
        params, before = dict(arrays), [array.copy() for array in arrays.values()]
        returned = self.__wrapped__(params, grads, given[6])
        if any(params.get(name) is not array for name, array in arrays.items()):
            raise WrongKind(
                "update puts new arrays into params",
                "the arrays of params, changed in place",
                "the old arrays as they were, and others in their place",
                "params[name] -= lr * grads[name] changes an array; w = w - ... makes a new one",
            )
        if params.keys() != arrays.keys():
            raise WrongKind(
                "update changes the names in params",
                ", ".join(WEIGHTS),
                ", ".join(map(str, params)),
            )
        if returned is not None and returned is not params:
            raise WrongKind(
                "update returned something",
                "None: it changes the arrays of params in place, and that is all",
                describe(returned),
            )
        return tuple(array - old for array, old in zip(arrays.values(), before, strict=True))


class OfCubic:
    """A student's numeric gradient, with a function to differentiate."""

    def __init__(self, fn: Callable) -> None:
        self.__wrapped__, self.rounded = fn, False

    def __call__(self, array: ndarray, weights: ndarray, **eps: float) -> object:
        """Return the gradient of a sum of cubes."""
        before = array.copy()
        gradient = self.__wrapped__(lambda: references.cubic(array, weights), array, **eps)
        if array.shape != before.shape or not (absolute(array - before) < 1e-12).all():
            raise WrongKind(
                "numeric_gradient leaves array changed",
                "array as it was before the call",
                "other numbers in it",
                "keep the number before nudging it, and put it back",
            )
        self.rounded |= array.tobytes() != before.tobytes()
        return gradient


class InARow:
    """A student's training step, taken several times with a network of ours."""

    def __init__(self, fn: Callable) -> None:
        self.__wrapped__ = fn

    def __call__(self, *given: ndarray | float) -> tuple[ndarray, ...]:
        """Return the losses, and the changes of W and of b, of all steps."""
        return in_a_row(self._step)(*given)

    def _step(self, *given: object) -> float:
        loss = self.__wrapped__(*given)
        if not isinstance(loss, (float, floating)):
            raise WrongKind(f"training_step: expected the loss as one number; got {describe(loss)}")
        return float(loss)
