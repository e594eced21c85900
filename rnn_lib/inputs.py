"""What a person gives to fit and to predict: sequences and labels, checked, and had in batches.

Sequences are vectors, an (N, T, F) array, or word ids of any lengths; the classifier need not know
which.
"""

from collections.abc import Sequence

import numpy as np

from rnn_lib.layers import Embedding
from rnn_lib.network import RecurrentNetwork
from rnn_lib.readouts import AllStates
from rnn_lib.text import Sequences, pad_sequences
from rnn_lib.validation import (
    as_integers,
    as_real,
    expect_between,
    expect_finite,
    expect_shape,
)


class Vectors:
    """Sequences of vectors, (N, T, F), all of the same length."""

    def __init__(self, x: np.ndarray) -> None:
        self._x = x
        self.shape = N, T = x.shape[:2]
        self.lengths = np.full(N, T)

    def batch(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the sequences with the numbers `rows`, their lengths, and their numbers."""
        return self._x[rows], self.lengths[rows], rows


class WordIds:
    """Sequences of word ids, of any lengths, made rectangular batch by batch."""

    def __init__(self, sequences: Sequences, n_steps: int) -> None:
        self._sequences = sequences
        self.shape = len(sequences), n_steps
        self.lengths = np.maximum(sequences.lengths, 1)  # no words at all: read one <pad>

    def batch(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return ids, lengths and numbers, the longest sequence first, as the layer likes it."""
        # Lengths are asked of the batch: a subclass of Sequences may change what it hands out.
        sequences = self._sequences[rows]
        lengths = np.maximum(sequences.lengths, 1)
        order = np.argsort(-lengths, kind="stable")
        ids = pad_sequences(sequences, maxlen=int(lengths.max()))
        return ids[order], lengths[order], rows[order]


def read_inputs(
    name: str, x: np.ndarray | Sequence[np.ndarray], network: RecurrentNetwork
) -> Vectors | WordIds:
    """Read what a person gives as sequences.

    Parameters
    ----------
    name : str
        The argument's name, for messages.
    x : as for ``ScratchRNNClassifier.fit``
        What the person gave.
    network : RecurrentNetwork
        What is to read them.

    Returns
    -------
    Vectors or WordIds
        All of them, to be had in batches.

    Raises
    ------
    ValueError, TypeError
        If they do not fit the network, or hold numbers that are not finite.
    """
    if network.embedding is None:
        x = as_real(name, x, network.rnn.params["W_h"].dtype)
        expect_shape(name, x, ("N", "T", network.rnn.n_features))
        expect_finite(name, x)
        return Vectors(x)
    # An embedding of one's own may have a way of its own with ids.
    is_usual = type(network.embedding) is Embedding
    most = network.embedding.n_words - 1 if is_usual else np.iinfo(np.int32).max
    if isinstance(x, np.ndarray) and x.dtype != object:
        x = as_integers(name, x)
        expect_shape(name, x, ("N", "T"))
        expect_between(name, x, 0, most)
        read = np.logical_or.accumulate(x[:, ::-1] != 0, axis=1)[:, ::-1]
        return WordIds(Sequences(x[read], np.append(0, read.sum(axis=1).cumsum())), x.shape[1])
    try:
        sequences = x if isinstance(x, Sequences) else Sequences.from_arrays(x)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from None
    if len(sequences) == 0:
        raise ValueError(f"{name}: expected at least one sequence, got none")
    expect_between(name, sequences.ids, 0, most)
    return WordIds(sequences, max(1, int(sequences.lengths.max())))


def read_targets(
    name: str,
    y: np.ndarray,
    inputs: Vectors | WordIds,
    classes: np.ndarray,
    network: RecurrentNetwork,
) -> np.ndarray:
    """Return the number of the output that stands for each label.

    Parameters
    ----------
    name : str
        The argument's name, for messages.
    y : ndarray of int, shape (N,), or (N, T) with a label for every step
        What the person gave.
    inputs : Vectors or WordIds
        The sequences that they belong to.
    classes : ndarray of int
        The label of each output.
    network : RecurrentNetwork
        Its readout says whether there is a label for every step.

    Returns
    -------
    ndarray of int, shape as `y`
        Numbers of outputs.

    Raises
    ------
    ValueError, TypeError
        If the shape does not fit the sequences, or a label is unknown.
    """
    y = as_integers(name, y)
    N, T = inputs.shape
    every_step = isinstance(network.readout, AllStates)
    if not every_step and N == 1 < T and y.shape == (T,):
        raise ValueError(
            f"{name}: got {T} labels for one sequence of {T} time steps. If the sequence as a "
            f"whole has one label, give that one: {name}=[{y[0]}]. If every time step has one, "
            f'give {name}=[{y.tolist()}] and choose readout="all".'
        )
    expect_shape(name, y, (N, T) if every_step else (N,))
    outputs = np.searchsorted(classes, y).clip(max=len(classes) - 1)
    unknown = classes[outputs] != y
    if unknown.any():
        raise ValueError(f"{name}: expected labels among {classes.tolist()}, got {y[unknown][0]}")
    return outputs


def read_classes(y: np.ndarray, n_labels: int) -> np.ndarray:
    """Return the labels in the order of the outputs.

    Parameters
    ----------
    y : ndarray of int
        Labels to learn from.
    n_labels : int
        How many there should be.

    Returns
    -------
    ndarray of int, shape (n_labels,)
        0 to n_labels - 1 if all of `y` are among them; else those in `y`, sorted.

    Raises
    ------
    ValueError, TypeError
        If they are not integers, or not so many.
    """
    labels = np.unique(as_integers("y", y))
    if labels.size and labels[0] >= 0 and labels[-1] < n_labels:
        return np.arange(n_labels)
    if len(labels) != n_labels:
        raise ValueError(
            f"y: expected labels 0 to {n_labels - 1}, or {n_labels} different integers; "
            f"got {len(labels)} different ones, {labels[:5].tolist()}{' ...' * (len(labels) > 5)}"
        )
    return labels
