"""User input to fit and predict: validated once, then served in batches of similar length.

Sequences are vectors, an (N, T, F) array, or word ids of any lengths; who trains or predicts need
not know which. Left out: how texts become ids (:mod:`rnn_lib.text`), and what is done to a batch.
"""

from collections.abc import Iterable

import numpy as np

from rnn_lib import validation
from rnn_lib.layers import Embedding
from rnn_lib.network import RecurrentNetwork
from rnn_lib.text import Sequences, as_sequence, pad_sequences

_BATCHES_IN_POOL = 50

Inputs = np.ndarray | Iterable[np.ndarray]  # what a person gives


def similar_length_batches(
    lengths: np.ndarray, batch_size: int, rng: np.random.Generator | None = None
) -> list[np.ndarray]:
    """Divide samples into batches of similar length, so that little time goes into padding.

    With an `rng` all samples are shuffled and then sorted by length, but only within pools of 50
    batches: the batches differ in every epoch, and lengths in one batch stay close. If all lengths
    are equal, this is a plain shuffle. Without an `rng` all samples are sorted.

    Parameters
    ----------
    lengths : array_like of int, shape (N,)
        The length of each sample.
    batch_size : int
        Samples in a batch; one batch may have fewer.
    rng : numpy.random.Generator, optional
        Shuffles samples and batches.

    Returns
    -------
    list of ndarray of int
        Numbers of samples, each of 0 .. N-1 exactly once; within a batch from the longest sample to
        the shortest, so that at every time step those not yet at their end are the first ones.

    Raises
    ------
    TypeError
        If `lengths` is not made of integers, or `batch_size` is not a whole number.
    ValueError
        If `lengths` does not have one axis, or `batch_size` is below 1.
    """
    lengths = as_sequence("lengths", lengths).astype(np.int64, copy=False)
    validation.expect_count("batch_size", batch_size)
    N = len(lengths)
    order = np.arange(N) if rng is None else rng.permutation(N)
    pool_size = max(N, 1) if rng is None else _BATCHES_IN_POOL * batch_size
    batches = []
    for start in range(0, N, pool_size):
        pool = order[start : start + pool_size]
        # A stable sort, so that equal lengths stay as they were shuffled.
        pool = pool[np.argsort(-lengths[pool], kind="stable")]
        batches += [pool[i : i + batch_size] for i in range(0, len(pool), batch_size)]
    if rng is not None:
        rng.shuffle(batches)
    return batches


Batch = tuple[np.ndarray, np.ndarray, np.ndarray]  # sequences, their lengths, their numbers


class Vectors:
    """Sequences of vectors, (N, T, F), all of the same length."""

    def __init__(self, x: np.ndarray) -> None:
        self._x, self.shape = x, x.shape[:2]
        self.lengths = np.full(len(x), x.shape[1])

    def batch(self, rows: np.ndarray) -> Batch:
        """Return the sequences with the numbers `rows`, their lengths, and their numbers."""
        return self._x[rows], self.lengths[rows], rows


class WordIds:
    """Sequences of word ids, of any lengths, padded batch by batch."""

    def __init__(self, sequences: Sequences, n_steps: int) -> None:
        self._sequences = sequences
        self.shape = len(sequences), n_steps
        self.lengths = np.maximum(sequences.lengths, 1)  # no words at all: read one <pad>

    def batch(self, rows: np.ndarray) -> Batch:
        """Return ids, lengths and numbers, the longest sequence first, as the layer likes it."""
        # The batch has its own lengths: a subclass of Sequences may change what it returns.
        sequences = self._sequences[rows]
        lengths = np.maximum(sequences.lengths, 1)
        order = np.argsort(-lengths, kind="stable")
        ids = pad_sequences(sequences, maxlen=int(lengths.max()))
        return ids[order], lengths[order], rows[order]


def read_inputs(name: str, x: Inputs, network: RecurrentNetwork) -> Vectors | WordIds:
    """Validate the sequences that a person gives.

    Parameters
    ----------
    name : str
        The argument's name, for messages.
    x : as for ``ScratchRNNClassifier.fit``
        The sequences.
    network : RecurrentNetwork
        What is to read them.

    Returns
    -------
    Vectors or WordIds
        All of them, served in batches.

    Raises
    ------
    ValueError, TypeError
        If they do not fit the network, or hold numbers that are not finite.
    """
    if network.embedding is None:
        shape = "N", "T", network.rnn.n_features
        x = validation.as_real(name, x, shape, network.rnn.params["W_h"].dtype)
        validation.expect_finite(name, x)
        return Vectors(x)
    # An embedding of one's own may read ids in a way of its own.
    is_usual = type(network.embedding) is Embedding
    most = network.embedding.n_words - 1 if is_usual else np.iinfo(np.int32).max
    if isinstance(x, np.ndarray) and x.dtype != object:
        x = validation.as_integers(name, x, ("N", "T"))
        validation.expect_between(name, x, 0, most)
        is_read = np.logical_or.accumulate(x[:, ::-1] != 0, axis=1)[:, ::-1]
        offsets = np.append(0, is_read.sum(axis=1).cumsum())
        return WordIds(Sequences(x[is_read], offsets), x.shape[1])
    sequences = x if isinstance(x, Sequences) else Sequences.from_arrays(x, name)
    if len(sequences) == 0:
        raise ValueError(f"{name}: expected at least one sequence, got none")
    validation.expect_between(name, sequences.ids, 0, most)
    return WordIds(sequences, max(1, int(sequences.lengths.max())))


def read_classes(y: np.ndarray, n_labels: int) -> np.ndarray:
    """Return the labels in the order of the outputs.

    Parameters
    ----------
    y : ndarray of int
        The labels of the training set.
    n_labels : int
        How many there should be.

    Returns
    -------
    ndarray of int, shape (n_labels,)
        0 to n_labels - 1 if all of `y` are among them; else those in `y`, sorted.

    Raises
    ------
    ValueError, TypeError
        If they are not integers, or not as many as `n_labels`.
    """
    labels = np.unique(validation.as_integers("y", y))
    if labels.size and labels[0] >= 0 and labels[-1] < n_labels:
        return np.arange(n_labels)
    if len(labels) != n_labels:
        expected = f"labels 0 to {n_labels - 1}, or {n_labels} different integers"
        raise ValueError(f"y: expected {expected}; got {len(labels)}, such as {labels[:5]}")
    return labels


def read_targets(
    name: str, y: np.ndarray, inputs: Vectors | WordIds, classes: np.ndarray, every_step: bool
) -> np.ndarray:
    """Validate labels; return the number of the output that stands for each.

    Parameters
    ----------
    name : str
        The argument's name, for messages.
    y : ndarray of int, shape (N,), or (N, T) with a label for every step
        The labels.
    inputs : Vectors or WordIds
        The sequences that they belong to.
    classes : ndarray of int
        The label of each output.
    every_step : bool
        Whether there is a label for every step.

    Returns
    -------
    ndarray of int, shape as `y`
        Numbers of outputs.

    Raises
    ------
    ValueError, TypeError
        If the shape does not fit the sequences, or a label is unknown.
    """
    y = validation.as_integers(name, y)
    N, T = inputs.shape
    if not every_step and N == 1 < T and y.shape == (T,):
        got = f"got {T} labels for one sequence of {T} time steps."
        whole = f"If the sequence as a whole has one label, give that one: {name}=[{y[0]}]."
        every = f'If every time step has one, give {name}=[{y.tolist()}] and choose readout="all".'
        raise ValueError(f"{name}: {got} {whole} {every}")
    validation.expect_shape(name, y, (N, T) if every_step else (N,))
    outputs = np.searchsorted(classes, y).clip(max=len(classes) - 1)
    unknown = classes[outputs] != y
    if unknown.any():
        raise ValueError(f"{name}: expected labels among {classes.tolist()}, got {y[unknown][0]}")
    return outputs
