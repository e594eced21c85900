"""Training in the open: one update, an epoch of them, and the loop over epochs.

`training_step` is the function that lesson 4 has you write. Around it stands what every training
loop needs: the order of the batches, the learning rate's schedule, validation, progress, and an
error when the numbers stop being numbers. Left out: settings, labels, and the checks of what a
person gives (:mod:`rnn_lib.classifier`, :mod:`rnn_lib.batches`).
"""

import copy
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial, reduce
from operator import add

import numpy as np
from threadpoolctl import ThreadpoolController

from rnn_lib.batches import Vectors, WordIds, similar_length_batches
from rnn_lib.losses import CrossEntropy
from rnn_lib.network import AllStates, RecurrentNetwork
from rnn_lib.optimizers import Optimizer, clip_by_global_norm

# Times the loss of guessing: a network that learns is not so wrong.
_ABSURD = 10

# A prediction keeps no gradients, so its batches may be larger; the result does not depend on it.
_PREDICTION_BATCH = 256

# Numbers that overflow make the loss infinite, which is looked for after every batch.
_quiet = partial(np.errstate, over="ignore", invalid="ignore")

Labeled = tuple[Vectors | WordIds, np.ndarray]  # sequences, and the number of each one's output


@dataclass
class TrainingState:
    """What training changes: all that is needed to go on with it later.

    Attributes
    ----------
    network, loss, optimizer
        The parts of :func:`training_step`.
    rng : numpy.random.Generator
        Draws the order of the batches, and dropout's masks.
    settings : dict of str to object
        What the parts were made of.
    classes : ndarray
        The label of each output.
    history : dict of str to list of float
        What each epoch came to: ``loss``, ``accuracy``, with validation data ``val_loss`` and
        ``val_accuracy``, and ``seconds``.
    """

    network: RecurrentNetwork
    loss: CrossEntropy
    optimizer: Optimizer
    rng: np.random.Generator
    settings: dict[str, object]
    classes: np.ndarray | None = None
    history: dict[str, list[float]] = field(default_factory=lambda: {"loss": [], "accuracy": []})

    @property
    def n_epochs(self) -> int:
        """The number of epochs done."""
        return len(self.history.get("seconds", []))


def training_step(
    network: RecurrentNetwork,
    loss: CrossEntropy,
    optimizer: Optimizer,
    x: np.ndarray,
    lengths: np.ndarray,
    y: np.ndarray,
    clip_norm: float | None = None,
) -> float:
    """Make one update.

    Parameters
    ----------
    network, loss, optimizer
        The network to train, its loss, and what turns gradients into updates.
    x : ndarray, shape (N, T, F), or of int, shape (N, T), with an embedding
        A batch of sequences.
    lengths : ndarray of int, shape (N,)
        The number of time steps of each sequence that count.
    y : ndarray of int, shape (N,), or (N, T) with a label for every step
        Numbers of the right outputs.
    clip_norm : float, optional
        The largest global norm of the gradients, above 0; by default they are not clipped.

    Returns
    -------
    float
        The mean loss before the update.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit the network.

    Notes
    -----
    Lesson 4, section 4.
    """
    value, grads = _loss_and_gradients(network, loss, x, lengths, y)
    _update(network, optimizer, grads, clip_norm)
    return value


def _loss_and_gradients(network, loss, x, lengths, y):
    scores = network.forward(x, lengths, training=True)
    value = loss.forward(scores, y, _counted(y, lengths))
    network.backward(loss.backward())
    return value, network.grads


def _update(network, optimizer, grads, clip_norm):
    if clip_norm is not None:
        grads, _ = clip_by_global_norm(grads, clip_norm)
    optimizer.update(network.params, grads)


def step_in_threads(networks: list[RecurrentNetwork], pool: ThreadPoolExecutor) -> Callable:
    """Make a :func:`training_step` whose gradient several threads compute, each from some rows.

    The loss is a mean over the batch, so its gradient is the mean of those of the parts, by their
    sizes. How it is rounded depends on the number of parts, and not on which thread is first. NumPy
    lets other threads go on while it computes a product or a long sum.

    Parameters
    ----------
    networks : list of RecurrentNetwork
        One for each part, with the same parameters: those that the step updates, not copies.
    pool : concurrent.futures.ThreadPoolExecutor
        The threads.

    Returns
    -------
    callable
        For batches in which all labels count.
    """

    def step(network, loss, optimizer, x, lengths, y, clip_norm=None):
        def work(network, *part):
            own, share = copy.copy(loss), len(part[0]) / len(x)
            with _quiet():  # in every thread anew
                value, grads = _loss_and_gradients(network, own, *part)
            grads = {name: grad * share for name, grad in grads.items()}
            return share * np.array([value, own.accuracy]), grads

        parts = [np.array_split(array, len(networks)) for array in (x, lengths, y)]
        measured, grads = zip(*pool.map(work, networks, *parts), strict=True)
        mean = {name: reduce(add, [part[name] for part in grads]) for name in grads[0]}
        _update(network, optimizer, mean, clip_norm)
        value, loss.accuracy = sum(measured).tolist()
        return value

    return step


def train(state: TrainingState, data: Labeled, validation: Labeled | None, settings) -> None:
    """Train a classifier for some epochs.

    Parameters
    ----------
    state : TrainingState
        Changed in place.
    data, validation : tuple of (Vectors or WordIds, ndarray of int)
        Sequences and the numbers of their right outputs.
    settings : object
        Has `n_epochs`, `batch_size`, `lr`, `clip_norm` and `verbose`, as
        :class:`rnn_lib.ScratchRNNClassifier` does.

    Raises
    ------
    FloatingPointError
        If the loss or a weight stops being a finite number.

    Warns
    -----
    RuntimeWarning
        If the loss is far above that of guessing.
    """
    inputs, targets = data

    def batches():
        for rows in similar_length_batches(inputs.lengths, settings.batch_size, state.rng):
            x, lengths, rows = inputs.batch(rows)
            yield x, lengths, targets[rows] if targets.ndim == 1 else targets[rows, : x.shape[1]]

    def measure(done):
        loss, accuracy = np.average(done[:, :2], axis=0, weights=done[:, 2]).tolist()
        held_out = () if validation is None else evaluate(state, validation)
        names = "loss", "accuracy", "val_loss", "val_accuracy"
        return dict(zip(names, (loss, accuracy, *held_out), strict=False))

    n_batches = -(-len(inputs.lengths) // settings.batch_size)
    run_epochs(state, batches, n_batches, measure, settings.lr, settings, training_step)


def run_epochs(
    state: TrainingState, batches: Callable, n_batches: int, measure: Callable, lr, settings, step
) -> None:
    """Train for some epochs, whatever the batches are.

    Parameters
    ----------
    state : TrainingState
        Changed in place.
    batches : callable
        ``batches()`` makes those of an epoch, `n_batches` times ``(x, lengths, y)``, as for
        :func:`training_step`.
    measure : callable
        ``measure(done)`` says what an epoch came to; `done` (n_batches, 3) holds of each batch the
        loss and the accuracy, as they were before its update, and its size.
    lr : float or callable
        A schedule is followed; a number has no effect, since the optimizer has it already.
    settings : object
        Has `n_epochs`, `clip_norm` and `verbose`.
    step : callable
        Makes an update: :func:`training_step`, or one like it.

    Raises
    ------
    FloatingPointError
        If the loss or a weight stops being a finite number.

    Warns
    -----
    RuntimeWarning
        If the loss is far above that of guessing, or Ctrl-C ended it: the state is as it then was.
    """
    guessing = state.loss.forward(np.zeros((1, state.network.dense.n_output)), [0])
    last = state.n_epochs + settings.n_epochs
    bar = _progress_bar(settings.n_epochs * n_batches, show=settings.verbose == 2)
    try:
        with one_blas_thread(), _quiet(), bar:
            while state.n_epochs < last:
                started = time.perf_counter()
                done = _train_epoch(state, batches(), n_batches, lr, step, settings.clip_norm, bar)
                record = measure(done)
                text = ", ".join(f"{name} {value:.4f}" for name, value in record.items())
                record["seconds"] = time.perf_counter() - started
                for name, value in record.items():
                    state.history.setdefault(name, []).append(value)
                if settings.verbose == 1:
                    print(f"epoch {state.n_epochs:>3}/{last}: {text}")
                bar.set_description(f"epoch {state.n_epochs}/{last}", refresh=False)
                bar.set_postfix_str(text)
                if (loss := np.average(done[:, 0], weights=done[:, 2])) > _ABSURD * guessing:
                    what = f"the loss of epoch {state.n_epochs} is {loss:.3g}, that of "
                    what += f"guessing {guessing:.3g}: are lr or the first weights too large?"
                    warnings.warn(what, RuntimeWarning, stacklevel=4)
                    guessing = np.inf  # once is enough
    except KeyboardInterrupt:
        what = f"fit was interrupted in epoch {state.n_epochs + 1}. What it learned is kept."
        warnings.warn(what, RuntimeWarning, stacklevel=4)


def _train_epoch(state, batches, n_batches, lr, step, clip_norm, bar):
    """Go once through the data; return the loss, the accuracy and the size of each batch."""
    network, done = state.network, []
    for number, (x, lengths, y) in enumerate(batches):
        if callable(lr):
            state.optimizer.lr = lr(state.n_epochs + number / n_batches)
        value = step(network, state.loss, state.optimizer, x, lengths, y, clip_norm)
        where = f"in epoch {state.n_epochs + 1}, batch {number + 1} of {n_batches}"
        _expect_finite(value, f"the loss became {value} {where}")
        done.append((value, state.loss.accuracy, len(x)))
        bar.update()
    for name, param in network.params.items():
        _expect_finite(param.sum(), f"the weights {name} became infinite {where}")
    return np.array(done)


def _expect_finite(number, what):
    if not np.isfinite(number):
        raise FloatingPointError(f"{what}: try a smaller lr, or clip_norm")


def evaluate(state: TrainingState, data: Labeled) -> tuple[float, float]:
    """Return the mean loss and the accuracy, 0 to 1, of the network as it stands.

    Parameters
    ----------
    state : TrainingState
        Whose network and loss to evaluate.
    data : Labeled
        N sequences, and the numbers of the right outputs: (N,), or (N, T) with a label for every
        step.

    Returns
    -------
    loss, accuracy : float
        Over all labels that count: none after a sequence's end does.
    """
    inputs, targets = data
    counted = _counted(targets, inputs.lengths)
    return state.loss._compute(scores(state.network, inputs), targets, counted)[:2]


def scores(network: RecurrentNetwork, inputs: Vectors | WordIds) -> np.ndarray:
    """Compute the scores of all sequences.

    Parameters
    ----------
    network : RecurrentNetwork
        What computes them.
    inputs : Vectors or WordIds
        N sequences.

    Returns
    -------
    ndarray, shape (N, n_output), or (N, T, n_output) with a score per step
        With one per step, 0 after a sequence's end.
    """
    every_step, dense = isinstance(network.readout, AllStates), network.dense
    shape = *inputs.shape[: 1 + every_step], dense.n_output
    result = np.zeros(shape, dense.params["W"].dtype)
    with one_blas_thread():
        for rows in similar_length_batches(inputs.lengths, _PREDICTION_BATCH):
            x, lengths, rows = inputs.batch(rows)
            batch = network._scores(x, lengths)
            result[(rows, slice(batch.shape[1])) if every_step else rows] = batch
    return result


def _counted(y, lengths):
    """Say which labels count: with one per step, those before the sequence's end."""
    return None if np.ndim(y) == 1 else np.arange(np.shape(y)[1]) < lengths[:, None]


_thread_pools = cache(ThreadpoolController)  # looks through all loaded libraries: once is enough
_lock, _limits = threading.Lock(), []


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit NumPy's matrix products to one thread inside a ``with`` block.

    The products of a recurrent network are small. Two threads gain nothing even on a quiet machine,
    and on a busy one each waits for the other at every product. One thread also adds in one order,
    so that results do not depend on the number of cores. The limit holds for the whole process:
    of several who are inside at the same time, the first sets it and the last lifts it.
    """
    with _lock:
        _limits.append(None if _limits else _thread_pools().limit(limits=1, user_api="blas"))
    try:
        yield
    finally:
        with _lock:
            if limit := _limits.pop():  # the first one's, which lies at the bottom
                limit.restore_original_limits()


def _progress_bar(total, show):
    """Make a bar that moves in fifty steps.

    It has no clock, neither in what it shows nor in when it moves: every run looks the same, and a
    notebook that is executed again is the same file.
    """
    from tqdm import tqdm  # here, so that importing the library stays quick

    bar_format = "{l_bar}{bar:30}| {n_fmt}/{total_fmt}{postfix}"
    how = {"miniters": max(1, total // 50), "mininterval": 0, "bar_format": bar_format}
    how["file"] = sys.stdout  # what stands on stderr looks like an error in a notebook
    return tqdm(total=total, disable=not show, **how)
