"""Adapters: functions that change things, or are given functions, asked like all others.

An examination knows functions from arrays to arrays. An adapter stands between it and a function of
another kind, the student's or one of ours, and returns in arrays what that one has done. Whether it
is right is not asked here.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from itertools import islice, pairwise

from numpy import absolute, array, asarray, bincount, concatenate, floating, ndarray, stack, zeros
from numpy.random import default_rng

from rnn_lib.checks import references
from rnn_lib.checks.answers import InvalidAnswer, describe
from rnn_lib.checks.comparison import likely
from rnn_lib.checks.fakes import Descent, Loss, Network, reader
from rnn_lib.language import Message

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
            what = "update puts new arrays into params, the old ones are as they were"
            raise InvalidAnswer(Message(what))
        if params.keys() != arrays.keys():
            names = ", ".join(map(str, params))
            raise InvalidAnswer(
                Message("update changes the names in params to {names}", names=names)
            )
        if returned is not None and not (isinstance(returned, dict) and _holds(returned, arrays)):
            raise InvalidAnswer(Message("update returned {got}", got=describe(returned)))
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
            what = "numeric_gradient leaves array changed: other numbers are in it"
            raise InvalidAnswer(Message(what))
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
                what = "training_step: expected the loss as one number; got {got}"
                raise InvalidAnswer(Message(what, got=describe(value)))
            losses.append(float(value))
            states.append([param.copy() for param in network.params.values()])
        changes = (
            stack([after - before for before, after in pairwise(values)])
            for values in zip(*states, strict=True)
        )
        return array(losses), *changes

    return losses_and_changes


def all_batches(next_character_batches: Callable) -> Callable:
    """Make a function of one that yields batches: it returns all inputs, and all targets.

    Both are (n_batches, n_streams, n_steps). All are taken before any is looked at.
    """

    @wraps(next_character_batches)
    def inputs_and_targets(ids, n_streams, n_steps) -> tuple[ndarray, ndarray]:
        came = next_character_batches(ids, n_streams, n_steps)
        batches = list(islice(came, len(ids) + 1)) if isinstance(came, Iterable) else []
        if not 0 < len(batches) <= len(ids):
            got = Message("{n} of them, in {came}", n=len(batches), came=describe(came))
            _refuse(Message("batch after batch, and an end"), got)
        for batch in batches:
            if not isinstance(batch, (tuple, list, ndarray)) or len(batch) != 2:
                _refuse(Message("each batch as inputs, targets"), describe(batch))
        try:
            return tuple(asarray([batch[k] for batch in batches]) for k in (0, 1))
        except ValueError:
            what = Message("all batches, and all rows, of one size")
            _refuse(what, Message("some that are shorter"))

    return inputs_and_targets


def _refuse(expected: str, got: str) -> None:
    what = "next_character_batches: expected {expected}; got {got}"
    raise InvalidAnswer(Message(what, expected=expected, got=got)) from None


def draws(sample: Callable) -> Callable:
    """Make a function of one that draws ids: a network to read with, and a generator, are at hand.

    It returns the ids. Where it draws several times, from the same scores, it returns none: they
    are counted, and chance has to explain how often each came.
    """

    @wraps(sample)
    def ids(table, h0, prompt, n, temperature, seed, times) -> ndarray:
        rng, fresh = default_rng(seed), default_rng(seed)
        given = reader(table, read := []), h0, prompt, n, temperature, rng
        drawn = [sample(*given)]
        if not isinstance(drawn[0], (list, tuple, ndarray)):
            what = "sample: expected a list of ids; got {got}"
            raise InvalidAnswer(Message(what, got=describe(drawn[0])))
        first = asarray(drawn[0]) if len(drawn[0]) else zeros(0, int)
        if times == 1:
            return first
        if first.dtype.kind not in "iu" or first.shape != (n,):
            what = "sample: expected {n} whole numbers; got {got}"
            raise InvalidAnswer(Message(what, n=n, got=describe(first)))
        drawn += [sample(*given) for _ in range(times - 1)]
        written = [*drawn[-1]]
        if read[1 - n :] != written[:-1] and read[-n:] != written:
            what = "sample: step is given other ids than those that are returned"
            raise InvalidAnswer(Message(what))
        counts = bincount(concatenate(drawn), minlength=len(table))
        p = references.softmax(table[0] / temperature)
        unused = rng.bit_generator.state == fresh.bit_generator.state
        if likely(counts, p) and not unused:
            return first[:0]
        right, got = (" ".join(f"{v:.2f}" for v in some) for some in (p, counts / (times * n)))
        what = "sample: at temperature {temperature}, expected shares near {right}; got {got}"
        if unused:
            got = Message("{got}, without rng", got=got)
        error = InvalidAnswer(Message(what, temperature=temperature, right=right, got=got))
        error.counts = counts
        raise error

    return ids
