"""Adapters: functions that change things, or are given functions, asked like all others.

An examination knows functions from arrays to arrays. An adapter stands between it and a function of
another kind, the student's or one of ours, and returns in arrays what that one has done. Whether it
is right is not asked here.
"""

import itertools
from collections.abc import Callable, Iterable
from functools import wraps

from numpy import absolute, array, floating, full, ndarray, stack, tanh
from numpy.random import default_rng

from rnn_lib.checks import references
from rnn_lib.checks.answers import InvalidAnswer, describe
from rnn_lib.checks.fakes import Descent, Loss, Network

WEIGHTS = ("W_x", "W_h", "b")
GRADIENTS = tuple(f'grads["{name}"]' for name in WEIGHTS)


def changes_in_place(update: Callable) -> Callable:
    """Make a function of an update: it returns the changes of W_x, W_h and b."""

    @wraps(update)
    def changes(*given: ndarray | float) -> tuple[ndarray, ...]:
        arrays = dict(zip(WEIGHTS, given[:3], strict=True))
        grads = dict(zip(WEIGHTS, given[3:6], strict=True))
        grads = {name: grads[name] for name in ("W_h", "W_x", "b")}  # names count, not the order
        params, before = dict(arrays), [array.copy() for array in arrays.values()]
        returned = update(params, grads, given[6])
        if not _holds(params, arrays):
            raise InvalidAnswer("update puts new arrays into params, the old ones are as they were")
        if params.keys() != arrays.keys():
            names = ", ".join(map(str, params))
            raise InvalidAnswer(f"update changes the names in params to {names}")
        if returned is not None and not (isinstance(returned, dict) and _holds(returned, arrays)):
            raise InvalidAnswer(f"update returned {describe(returned)}")
        return tuple(array - old for array, old in zip(arrays.values(), before, strict=True))

    return changes


def _holds(params: dict, arrays: dict[str, ndarray]) -> bool:
    """Say whether these very arrays stand under their names, not copies of them."""
    return all(params.get(name) is array for name, array in arrays.items())


def gradient_of_cubes(numeric_gradient: Callable) -> Callable:
    """Make a function of a numeric gradient: it differentiates a sum of cubes.

    Its attribute `rounded` says whether the array came back with other last digits.
    """

    @wraps(numeric_gradient)
    def gradient(array: ndarray, weights: ndarray, **eps: float) -> object:
        def f() -> float:
            return references.cubes(array, weights)

        f.__qualname__ = "f"  # as error messages call it
        before = array.copy()
        result = numeric_gradient(f, array, **eps)
        if array.shape != before.shape or not (absolute(array - before) < 1e-12).all():
            raise InvalidAnswer("numeric_gradient leaves array changed: other numbers are in it")
        gradient.rounded |= array.tobytes() != before.tobytes()
        return result

    gradient.rounded = False
    return gradient


def gathers_gates(step_backward: Callable, start: int, stop: int) -> Callable:
    """Make a function of a step back that is given a tuple of gates: it is given each of them."""

    @wraps(step_backward)
    def gradients(*given: ndarray) -> tuple[ndarray, ...]:
        return step_backward(*given[:start], given[start:stop], *given[stop:])

    return gradients


def several_steps(training_step: Callable) -> Callable:
    """Make a function of a training step: it takes several, one batch after the other.

    It returns the loss of each step and the change of W and of b in each, (n_steps, ...). The
    network has been through a batch before the first step, so that a step without a backward pass
    finds old gradients.
    """

    @wraps(training_step)
    def losses_and_changes(W, b, mask, lr, x, lengths, y) -> tuple[ndarray, ...]:
        network, loss, optimizer = Network(W.copy(), b.copy(), mask), Loss(), Descent(lr)
        loss.forward(network.forward(x[-1], lengths[-1], training=True), y[-1])
        network.backward(loss.backward())
        losses, states = [], [(W, b)]
        for batch in zip(x, lengths, y, strict=True):
            value = training_step(network, loss, optimizer, *batch)
            if not isinstance(value, (float, floating)):
                got = describe(value)
                raise InvalidAnswer(f"training_step: expected the loss as one number; got {got}")
            losses.append(float(value))
            states.append([param.copy() for param in network.params.values()])
        changes = (
            stack([after - before for before, after in itertools.pairwise(values)])
            for values in zip(*states, strict=True)
        )
        return array(losses), *changes

    return losses_and_changes


def gathers_batches(next_character_batches: Callable) -> Callable:
    """Make a function of one that yields batches: it returns the inputs and the targets of all.

    They are (n_batches, n_streams, n_steps). Where batches differ in shape, the smaller ones are
    filled up with -1; of batches that never end, there are more than the text has characters.
    """

    @wraps(next_character_batches)
    def batches(ids: ndarray, n_streams: int, n_steps: int) -> tuple[ndarray, ndarray]:
        yielded = next_character_batches(ids, n_streams, n_steps)
        if not isinstance(yielded, Iterable):
            got = describe(yielded)
            raise InvalidAnswer(f"next_character_batches: expected batch after batch; got {got}")
        # Copied at once: the training is done with a batch before it asks for the next one.
        pairs = [_pair(batch) for batch in itertools.islice(yielded, len(ids) + 1)]
        if not pairs:
            raise InvalidAnswer("next_character_batches: expected batch after batch; got none")
        inputs, targets = zip(*pairs, strict=True)
        return _stacked(inputs), _stacked(targets)

    return batches


def _pair(batch: object) -> tuple[ndarray, ndarray]:
    parts = [array(part) for part in batch] if isinstance(batch, (tuple, list)) else []
    if len(parts) != 2 or any(part.ndim != 2 or part.dtype.kind not in "iu" for part in parts):
        what = "pairs of arrays of ids, inputs and targets, (n_streams, n_steps) each"
        got = " and ".join(f"int{part.shape}" for part in parts) or describe(batch)
        raise InvalidAnswer(f"next_character_batches: expected {what}; got {got}")
    return parts[0], parts[1]


def _stacked(arrays: tuple[ndarray, ...]) -> ndarray:
    rows, columns = (max(sizes) for sizes in zip(*(a.shape for a in arrays), strict=True))
    filled = full((len(arrays), rows, columns), -1)
    for row, one in zip(filled, arrays, strict=True):
        row[: one.shape[0], : one.shape[1]] = one
    return filled


def writes(sample: Callable) -> Callable:
    """Make a function of one that draws: a network of these weights reads, and it writes.

    It returns the ids, the share of each id among them in tenths, and whether `rng` was used. Where
    the network reads nothing, since its weights are 0, which ids are drawn is left to chance: there
    it returns how many, and in tenths, all ways to draw agree. At a temperature of 0 nothing has to
    be drawn.
    """

    @wraps(sample)
    def written(E, W_h, W, c, h0, prompt, n, temperature) -> tuple[ndarray, ndarray, ndarray]:
        def step(id: int, h: ndarray) -> tuple[ndarray, ndarray]:
            h = tanh(E[id] + h @ W_h)
            return h @ W + c, h

        rng = default_rng(7)
        before = rng.bit_generator.state
        drawn = sample(step, h0, prompt, n, temperature, rng)
        if not isinstance(drawn, (list, tuple, ndarray)) or array(drawn).dtype.kind not in "iu":
            raise InvalidAnswer(f"sample: expected a list of ids, int; got {describe(drawn)}")
        ids = array(drawn)
        shares = array([(ids == id).mean() for id in range(len(c))]).round(1)
        used = float(temperature > 0 and rng.bit_generator.state != before)
        return array(ids if E.any() else [ids.size]) * 1.0, shares, array(used)

    return written
