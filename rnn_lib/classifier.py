"""The classifier: a recurrent network that a person fits to labelled sequences.

It has the interface that the assignment asks for and scikit-learn made common: settings in the
constructor, ``fit``, ``predict``, ``predict_proba``, ``score``. Everything it does is done by the
layers, losses and optimisers that it is given or makes; here is only the loop around them.
"""

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass

import numpy as np

from rnn_lib.activations import sigmoid
from rnn_lib.initializers import Initializer, gaussian
from rnn_lib.layers import Dense, Dropout, Embedding, SimpleRNN
from rnn_lib.losses import get_loss
from rnn_lib.network import RecurrentNetwork
from rnn_lib.optimizers import Optimizer, clip_by_global_norm, get_optimizer
from rnn_lib.progress import progress_bar
from rnn_lib.readouts import AllStates, Readout, get_readout
from rnn_lib.text import Sequences, pad_sequences, similar_length_batches
from rnn_lib.threads import one_blas_thread
from rnn_lib.validation import (
    as_integers,
    as_real,
    expect_count,
    expect_positive,
    expect_shape,
)

# Predicting keeps no gradients, so its batches may be larger; the result does not depend on it.
_PREDICTION_BATCH = 256


@dataclass(eq=False)
class ScratchRNNClassifier:
    """A simple recurrent network that labels sequences.

    Parameters
    ----------
    n_nodes1 : int
        Hidden units.
    n_output : int
        Labels; with ``output="sigmoid"`` it may be 1 for two labels.
    sigma : float
        Standard deviation of the weights at the start, where `initializer` is ``"gaussian"``.
    lr : float or callable
        The learning rate, above 0, or a schedule ``epoch -> rate``, where `epoch` counts the
        epochs trained so far, fractions included (see :func:`rnn_lib.linear_decay`).
    batch_size : int
        Sequences per update.
    n_epochs : int
        How often ``fit`` goes through the data.
    activation : {"tanh", "relu"}
        The recurrent layer's activation.
    initializer : str or callable
        Draws the weights of the recurrent and the output layer.
    readout : {"last", "mean", "all"} or Readout
        What the output layer sees: the last state, the mean of the states, or each state, with
        one label per time step.
    output : {"softmax", "sigmoid"}
        How scores become probabilities, and the loss that belongs to it.
    optimizer : {"sgd", "adagrad", "adam"} or Optimizer
        How gradients become changes. An object given here keeps its own rate unless `lr` is a
        schedule.
    bptt_steps : int, optional
        Cells that a gradient passes through; all by default.
    embedding : (n_words, n_features) or Embedding, optional
        Given, `x` holds word ids.
    dropout : float
        Share of the input features that are silenced in training, one choice per sequence.
    clip_norm : float, optional
        Longest gradient allowed, all parameters taken together.
    warm_start : bool
        Whether ``fit`` goes on where the last one ended, with the optimiser, the schedule and the
        random numbers as they were then, or starts anew.
    seed : int, optional
        For everything random: weights, order of the batches, dropout.
    dtype : data type
        float64, or float32 for speed.
    verbose : {0, 1, 2}
        0: silent. 1: a line per epoch. 2: a progress bar.

    Attributes
    ----------
    history_ : dict of str to list of float
        Per epoch: ``loss``, ``accuracy`` (means over the batches as they were trained, dropout
        acting), ``val_loss``, ``val_accuracy`` (if validation data were given), ``seconds``.
    classes_ : ndarray of int
        The label of each output.
    network_ : RecurrentNetwork
        The trained layers.

    Notes
    -----
    Built in lesson 3, section 11; trained on film reviews in lesson 4. Objects passed in are
    copied before they are used, so that two classifiers never share one.
    """

    n_nodes1: int = 4
    n_output: int = 3
    sigma: float = 0.01
    lr: float | Callable[[float], float] = 0.001
    batch_size: int = 1
    n_epochs: int = 30
    _: KW_ONLY
    activation: str = "tanh"
    initializer: str | Initializer = "gaussian"
    readout: str | Readout = "last"
    output: str = "softmax"
    optimizer: str | Optimizer = "sgd"
    bptt_steps: int | None = None
    embedding: tuple[int, int] | Embedding | None = None
    dropout: float = 0.0
    clip_norm: float | None = None
    warm_start: bool = False
    seed: int | None = None
    dtype: np.dtype | type = np.float64
    verbose: int = 0

    def fit(
        self,
        x: np.ndarray | Sequence[np.ndarray],
        y: np.ndarray,
        X_val: np.ndarray | Sequence[np.ndarray] | None = None,
        y_val: np.ndarray | None = None,
    ) -> "ScratchRNNClassifier":
        """Train on labelled sequences.

        Parameters
        ----------
        x : ndarray, shape (N, T, F); with an embedding ids, shape (N, T), or a list of 1-D arrays
            The sequences. In an (N, T) array of ids, 0s at the end of a row are padding and are
            not read; those at its start are read as words. A list of arrays is padded as needed.
        y : ndarray of int, shape (N,), or (N, T) with ``readout="all"``
            The labels. 0 to n_output - 1 are taken as outputs; any other integers are mapped in
            sorted order and must number `n_output`.
        X_val, y_val : like `x` and `y`, optional
            Validation data, looked at after every epoch and never trained on.

        Returns
        -------
        ScratchRNNClassifier
            Itself.

        Raises
        ------
        ValueError, TypeError
            If a setting is out of range, a shape does not fit or a label is unknown.
        FloatingPointError
            If the loss stops being a finite number.
        """
        batch_size = expect_count("batch_size", self.batch_size)
        n_epochs = expect_count("n_epochs", self.n_epochs)
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val, y_val: give both or neither")
        going_on = self.warm_start and hasattr(self, "network_")
        rng = self._rng if going_on else np.random.default_rng(self.seed)
        network = self.network_ if going_on else self._new_network(x, rng)
        classes = self.classes_ if going_on else _classes(y, max(2, self.n_output))
        inputs = _read_inputs("x", x, network)
        targets = _read_targets("y", y, inputs, classes, network)
        validation = None
        if X_val is not None:
            val_inputs = _read_inputs("X_val", X_val, network)
            validation = val_inputs, _read_targets("y_val", y_val, val_inputs, classes, network)

        loss = self._loss if going_on else get_loss(self.output)
        optimizer = self._optimizer if going_on else self._new_optimizer()
        if self.clip_norm is not None:
            expect_positive("clip_norm", self.clip_norm)
        n_batches = n_epochs * -(-len(inputs.lengths) // batch_size)
        progress = _Progress(self.verbose, n_epochs, n_batches)

        if not going_on:  # only now: arguments that do not fit leave an earlier fit as it was
            self._loss, self._optimizer, self._rng = loss, optimizer, rng
            self.network_, self.classes_ = network, classes
            self._n_batches_done = 0
            self.history_: dict[str, list[float]] = {}
        with one_blas_thread(), progress:
            for _ in range(n_epochs):
                started = time.perf_counter()
                record = self._train_epoch(inputs, targets, batch_size, progress)
                if validation is not None:
                    val_loss, val_accuracy = self._evaluate(*validation)
                    record |= {"val_loss": val_loss, "val_accuracy": val_accuracy}
                record["seconds"] = time.perf_counter() - started
                for name, value in record.items():
                    self.history_.setdefault(name, []).append(value)
                progress.epoch_done(record)
        return self

    def predict(self, x: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
        """Label sequences.

        Parameters
        ----------
        x : as for ``fit``
            The sequences.

        Returns
        -------
        ndarray of int, shape (N,), or (N, T) with ``readout="all"``
            The most probable label of each; what it says after a sequence's end means nothing.

        Raises
        ------
        ValueError, TypeError
            If the classifier is not fitted or `x` does not fit it.
        """
        chosen = self.predict_proba(x).argmax(axis=-1)
        return self.classes_[chosen]

    def predict_proba(self, x: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
        """Give each label's probability.

        Parameters
        ----------
        x : as for ``fit``
            The sequences.

        Returns
        -------
        ndarray, shape (N, n_labels), or (N, T, n_labels) with ``readout="all"``
            Columns as in ``classes_``, in [0, 1]. Rows sum to 1, except with sigmoids for more
            than two labels, which answer independently.

        Raises
        ------
        ValueError, TypeError
            If the classifier is not fitted or `x` does not fit it.
        """
        self._expect_fitted()
        scores = self._scores(_read_inputs("x", x, self.network_))
        if self.n_output > 1:
            return self._loss.probabilities(scores)
        yes = sigmoid(scores)
        return np.concatenate([1 - yes, yes], axis=-1)

    def score(self, x: np.ndarray | Sequence[np.ndarray], y: np.ndarray) -> float:
        """Give the share of labels that are predicted right.

        Parameters
        ----------
        x, y : as for ``fit``
            Labelled sequences.

        Returns
        -------
        float
            Accuracy, 0 to 1; labels after a sequence's end do not count.

        Raises
        ------
        ValueError, TypeError
            If the classifier is not fitted, or `x` and `y` do not fit it.
        """
        self._expect_fitted()
        inputs = _read_inputs("x", x, self.network_)
        targets = _read_targets("y", y, inputs, self.classes_, self.network_)
        return self._evaluate(inputs, targets)[1]

    def _expect_fitted(self) -> None:
        if not hasattr(self, "network_"):
            raise ValueError("this ScratchRNNClassifier is not fitted yet: call fit(x, y) first")

    def _new_network(
        self, x: np.ndarray | Sequence[np.ndarray], rng: np.random.Generator
    ) -> RecurrentNetwork:
        n_nodes1 = expect_count("n_nodes1", self.n_nodes1)
        n_output = expect_count("n_output", self.n_output, 2 if self.output == "softmax" else 1)
        embedding = self._new_embedding(rng)
        if embedding is None:
            expect_shape("x", as_real("x", x, self.dtype), ("N", "T", "F"))
        n_features = np.shape(x)[2] if embedding is None else embedding.n_features
        draw = gaussian(self.sigma) if self.initializer == "gaussian" else self.initializer
        how = {"initializer": draw, "rng": rng, "dtype": self.dtype}
        readout = self.readout
        return RecurrentNetwork(
            SimpleRNN(n_features, n_nodes1, self.activation, self.bptt_steps, **how),
            copy.deepcopy(readout) if hasattr(readout, "forward") else get_readout(readout),
            Dense(n_nodes1, n_output, **how),
            embedding,
            Dropout(self.dropout, rng=rng) if self.dropout else None,
        )

    def _new_embedding(self, rng: np.random.Generator) -> Embedding | None:
        if self.embedding is None or hasattr(self.embedding, "forward"):
            return copy.deepcopy(self.embedding)
        try:
            n_words, n_features = self.embedding
        except (TypeError, ValueError):
            raise ValueError(
                f"embedding: expected (n_words, n_features) or an Embedding, got {self.embedding!r}"
            ) from None
        return Embedding(n_words, n_features, rng=rng, dtype=self.dtype)

    def _new_optimizer(self) -> Optimizer:
        if hasattr(self.optimizer, "update"):
            return copy.deepcopy(self.optimizer)
        return get_optimizer(self.optimizer, self.lr(0.0) if callable(self.lr) else self.lr)

    def _train_epoch(
        self,
        inputs: "_Vectors | _WordIds",
        targets: np.ndarray,
        batch_size: int,
        progress: "_Progress",
    ) -> dict[str, float]:
        """Go through the data once; return the means of loss and accuracy."""
        batches = similar_length_batches(inputs.lengths, batch_size, self._rng)
        sums = np.zeros(2)
        for number, rows in enumerate(batches, start=1):
            if callable(self.lr):
                self._optimizer.lr = self.lr(self._n_batches_done / len(batches))
            x, lengths, rows = inputs.batch(rows)
            loss, accuracy = self._train_batch(x, lengths, targets[rows])
            if not np.isfinite(loss):
                epoch = len(self.history_.get("loss", [])) + 1
                raise FloatingPointError(
                    f"the loss became {loss} in epoch {epoch}, batch {number}: "
                    "try a smaller lr, or clip_norm"
                )
            self._n_batches_done += 1
            sums += np.multiply((loss, accuracy), len(rows))
            progress.batch_done()
        loss, accuracy = sums / len(inputs.lengths)
        return {"loss": float(loss), "accuracy": float(accuracy)}

    def _train_batch(
        self, x: np.ndarray, lengths: np.ndarray, targets: np.ndarray
    ) -> tuple[float, float]:
        """Make one update; return loss and accuracy as they were before it."""
        scores = self.network_.forward(x, lengths, training=True)
        judged = self._judge(scores, lengths, targets)
        self.network_.backward(self._loss.backward())
        grads = self.network_.grads
        if self.clip_norm is not None:
            grads, _ = clip_by_global_norm(grads, self.clip_norm)
        self._optimizer.update(self.network_.params, grads)
        return judged

    def _evaluate(self, inputs: "_Vectors | _WordIds", targets: np.ndarray) -> tuple[float, float]:
        """Return loss and accuracy of the network as it stands."""
        return self._judge(self._scores(inputs), inputs.lengths, targets)

    def _judge(
        self, scores: np.ndarray, lengths: np.ndarray, targets: np.ndarray
    ) -> tuple[float, float]:
        """Return mean loss and accuracy; with a label per step, over the steps that count."""
        mask = np.ones(targets.shape, bool)
        if targets.ndim == 2:
            targets = targets[:, : scores.shape[1]]
            mask = np.arange(scores.shape[1]) < lengths[:, None]
        chosen = scores.argmax(axis=-1) if self.n_output > 1 else scores[..., 0] > 0
        accuracy = np.mean(chosen[mask] == targets[mask])
        return self._loss.forward(scores, targets, mask), float(accuracy)

    def _scores(self, inputs: "_Vectors | _WordIds") -> np.ndarray:
        """Compute the scores of all sequences; with one per step, 0 after a sequence's end."""
        N, T = inputs.shape
        every_step = isinstance(self.network_.readout, AllStates)
        scores = np.zeros((N, T, self.n_output) if every_step else (N, self.n_output), self.dtype)
        for rows in similar_length_batches(inputs.lengths, _PREDICTION_BATCH):
            x, lengths, rows = inputs.batch(rows)
            with one_blas_thread():
                batch = self.network_.forward(x, lengths)
            if every_step:
                scores[rows, : batch.shape[1]] = batch
            else:
                scores[rows] = batch
        return scores


class _Vectors:
    """Sequences of vectors, (N, T, F), all of the same length."""

    def __init__(self, x: np.ndarray) -> None:
        self._x = x
        self.shape = N, T = x.shape[:2]
        self.lengths = np.full(N, T)

    def batch(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the sequences with the numbers `rows`, their lengths, and their numbers."""
        return self._x[rows], self.lengths[rows], rows


class _WordIds:
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


def _read_inputs(
    name: str, x: np.ndarray | Sequence[np.ndarray], network: RecurrentNetwork
) -> _Vectors | _WordIds:
    if network.embedding is None:
        x = as_real(name, x, network.rnn.params["W_h"].dtype)
        expect_shape(name, x, ("N", "T", network.rnn.n_features))
        return _Vectors(x)
    if isinstance(x, np.ndarray) and x.ndim == 2:
        x = as_integers(name, x)
        expect_shape(name, x, ("N", "T"))
        read = np.logical_or.accumulate(x[:, ::-1] != 0, axis=1)[:, ::-1]
        return _WordIds(Sequences(x[read], np.append(0, read.sum(axis=1).cumsum())), x.shape[1])
    sequences = x if isinstance(x, Sequences) else Sequences.from_arrays(x)
    if len(sequences) == 0:
        raise ValueError(f"{name}: expected at least one sequence, got none")
    return _WordIds(sequences, max(1, int(sequences.lengths.max())))


def _read_targets(
    name: str,
    y: np.ndarray,
    inputs: _Vectors | _WordIds,
    classes: np.ndarray,
    network: RecurrentNetwork,
) -> np.ndarray:
    """Return the number of the output that stands for each label."""
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


def _classes(y: np.ndarray, n_labels: int) -> np.ndarray:
    """Return the labels in the order of the outputs."""
    labels = np.unique(as_integers("y", y))
    if labels.size and labels[0] >= 0 and labels[-1] < n_labels:
        return np.arange(n_labels)
    if len(labels) != n_labels:
        raise ValueError(
            f"y: expected labels 0 to {n_labels - 1}, or {n_labels} different integers; "
            f"got {len(labels)} different ones, {labels[:5].tolist()}{' ...' * (len(labels) > 5)}"
        )
    return labels


class _Progress:
    """What `fit` shows while it runs: nothing, a line per epoch, or a bar."""

    def __init__(self, verbose: int, n_epochs: int, n_batches: int) -> None:
        if verbose not in (0, 1, 2):
            raise ValueError(f"verbose: expected 0 (silent), 1 (lines) or 2 (bar), got {verbose!r}")
        self._verbose, self._n_epochs, self._epoch = verbose, n_epochs, 0
        self._bar = progress_bar(n_batches) if verbose == 2 else None

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def batch_done(self) -> None:
        if self._bar is not None:
            self._bar.update()

    def epoch_done(self, record: dict[str, float]) -> None:
        self._epoch += 1
        text = f"loss {record['loss']:.4f}, accuracy {record['accuracy']:.4f}"
        if "val_loss" in record:
            text += (
                f", val_loss {record['val_loss']:.4f}, val_accuracy {record['val_accuracy']:.4f}"
            )
        if self._verbose == 1:
            print(f"epoch {self._epoch:>3}/{self._n_epochs}: {text}")
        elif self._bar is not None:
            self._bar.set_description(f"epoch {self._epoch}/{self._n_epochs}", refresh=False)
            self._bar.set_postfix_str(text)
