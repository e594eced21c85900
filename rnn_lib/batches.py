"""User input to fit and predict: validated once, then served in batches of similar length.

Sequences are vectors, an (N, T, F) array, or word ids of any lengths; who trains or predicts need
not know which. Left out: how texts become ids (:mod:`rnn_lib.text`), and what is done to a batch.
"""

from collections.abc import Iterable

import numpy as np

from rnn_lib import validation
from rnn_lib.layers import Embedding
from rnn_lib.network import RecurrentNetwork
from rnn_lib.text import IDS_HINT, PAD, Sequences, as_sequence, pad_sequences

_BATCHES_IN_POOL = 50

VECTORS_HINT = "; word ids need embedding=(n_words, n_features), one number per time step is "
VECTORS_HINT += "x[..., None], and a single sequence x[None]"

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
        self.lengths = _without_padding(sequences)

    def batch(self, rows: np.ndarray) -> Batch:
        """Return ids, lengths and numbers, the longest sequence first, as the layer likes it."""
        # The batch has its own lengths: a subclass of Sequences may change what it returns.
        sequences = self._sequences[rows]
        lengths = _without_padding(sequences)
        order = np.argsort(-lengths, kind="stable")
        ids = pad_sequences(sequences, maxlen=int(lengths.max()), truncating="post")
        return ids[order], lengths[order], rows[order]


def _without_padding(sequences):
    """Return the lengths up to the last id that is not 0; of none at all, one <pad> is read."""
    ends = np.append(0, np.where(sequences.ids == PAD, 0, np.arange(1, len(sequences.ids) + 1)))
    lasts = np.maximum.accumulate(ends)[sequences.offsets[1:]]
    return np.maximum(lasts - sequences.offsets[:-1], 1)


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
        x = validation.as_real(name, x, shape, network.rnn.params["W_h"].dtype, VECTORS_HINT)
        validation.expect_finite(name, x)
        return Vectors(x)
    # An embedding of one's own may read ids in a way of its own.
    is_usual = type(network.embedding) is Embedding
    most = network.embedding.n_words - 1 if is_usual else np.iinfo(np.int32).max
    return WordIds(*_as_ids(name, x, most))


def _as_ids(name, x, most):
    """Return word ids, in whatever container they came, as Sequences; and their time steps."""
    if hasattr(x, "__array__"):  # a tensor or a table, for example
        x = np.asarray(x)
    if isinstance(x, np.ndarray) and x.dtype != object:
        N, T = validation.as_integers(name, x, ("N", "T"), IDS_HINT).shape
        validation.expect_between(name, x, 0, most)
        return Sequences(x.ravel(), np.arange(0, N * T + 1, T)), T
    sequences = x if isinstance(x, Sequences) else Sequences.from_arrays(x, name)
    if len(sequences) == 0:
        raise ValueError(f"{name}: expected at least one sequence, got none")
    validation.expect_between(name, sequences.ids, 0, most)
    return sequences, max(1, int(sequences.lengths.max()))


def read_classes(y: np.ndarray, n_labels: int) -> np.ndarray:
    """Return the labels in the order of the outputs.

    Parameters
    ----------
    y : array_like
        The labels of the training set.
    n_labels : int
        How many there should be.

    Returns
    -------
    ndarray, shape (n_labels,)
        0 to n_labels - 1 if all of `y` are among them; else those in `y`, sorted.

    Raises
    ------
    ValueError, TypeError
        If they are no labels, or not as many as `n_labels`.
    """
    labels = np.unique(validation.as_labels("y", y))
    kind = labels.dtype.kind
    if kind in "iuf" and labels.size and labels[0] >= 0 and labels[-1] < n_labels:
        return np.arange(n_labels, dtype=float if kind == "f" else int)
    if len(labels) != n_labels:
        expected = f"labels 0 to {n_labels - 1}, or {n_labels} different ones"
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
    y : array_like, shape (N,), or (N, T) with a label for every step
        The labels.
    inputs : Vectors or WordIds
        The sequences that they belong to.
    classes : ndarray
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
    y, shape = validation.as_labels(name, y), inputs.shape[: 1 + every_step]
    if y.shape != shape:
        one_hot = f"; of one-hot labels give {name}.argmax(axis=1), of a column {name}.ravel()"
        steps = f"; one label per sequence has the shape {shape}, one per time step "
        steps += f'{inputs.shape}, with readout="all"'
        hint = (one_hot if y.ndim > 1 else "") + (steps if y.size == np.prod(inputs.shape) else "")
        raise ValueError(
            f"{name}: expected shape {shape}, got {y.shape}{'' if every_step else hint}"
        )
    outputs = np.searchsorted(classes, y).clip(max=len(classes) - 1)
    unknown = classes[outputs] != y
    if unknown.any():
        got = y[unknown].tolist()[0]
        raise ValueError(f"{name}: expected labels among {classes.tolist()}, got {got!r:.80}")
    return outputs
