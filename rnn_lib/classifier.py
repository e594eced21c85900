"""The classifier: a recurrent network that a person fits to labelled sequences.

It has the interface that the assignment asks for and scikit-learn made common: settings in the
constructor, ``fit``, ``predict``, ``predict_proba``, ``score``. Everything it does is done by the
layers, losses and optimisers that it is given or makes; here is only the loop around them.
"""

import copy
import os
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass

import numpy as np

from rnn_lib.activations import sigmoid
from rnn_lib.initializers import Initializer, gaussian
from rnn_lib.inputs import Vectors, WordIds, read_classes, read_inputs, read_targets
from rnn_lib.interrupt import Epoch, PatientInterrupt
from rnn_lib.layers import Dense, Dropout, Embedding, SimpleRNN
from rnn_lib.losses import get_loss
from rnn_lib.network import RecurrentNetwork
from rnn_lib.optimizers import Optimizer, clip_by_global_norm, get_optimizer
from rnn_lib.progress import FitProgress
from rnn_lib.readouts import AllStates, Readout, get_readout
from rnn_lib.row_gradient import RowGradient
from rnn_lib.saving import load_classifier, save_classifier
from rnn_lib.text import similar_length_batches
from rnn_lib.threads import one_blas_thread
from rnn_lib.validation import (
    as_real,
    expect_count,
    expect_positive,
    expect_shape,
    expect_share,
)

# What the network and its optimiser are made of: a warm start cannot change it.
_FIXED_SETTINGS = (
    *("n_nodes1", "n_output", "activation", "readout", "output", "optimizer"),
    *("bptt_steps", "embedding", "dropout", "dtype"),
)

# Times the loss of guessing: a network that learns is not so wrong.
_ABSURD = 10

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
        random numbers as they were then, or starts anew. An interrupted fit is brought to its end.
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

        Ctrl-C (in a notebook: interrupting the kernel) ends it after the batch under way, with a
        warning; a second one does not wait for that. The classifier can be used as it then is.
        With ``warm_start=True`` and the same data, ``fit`` goes on from there and ends where it
        would have ended.

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
            If the loss or a weight stops being a finite number. The classifier is then as it was
            after the best epoch of this fit, that of the lowest validation loss, or else training
            loss; if none was better, as it was before.

        Warns
        -----
        RuntimeWarning
            If it was interrupted, or the loss is far above that of guessing.
        """
        batch_size = expect_count("batch_size", self.batch_size)
        n_epochs = expect_count("n_epochs", self.n_epochs)
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val, y_val: give both or neither")
        if self.seed is not None:
            expect_count("seed", self.seed, least=0)
        going_on = self.warm_start and hasattr(self, "network_")
        if going_on:
            self._expect_fixed_settings()
        rng = self._rng if going_on else np.random.default_rng(self.seed)
        network = self.network_ if going_on else self._new_network(self._n_features(x), rng)
        classes = self.classes_ if going_on else read_classes(y, max(2, self.n_output))
        inputs = read_inputs("x", x, network)
        targets = read_targets("y", y, inputs, classes, network)
        validation = None
        if X_val is not None:
            val_inputs = read_inputs("X_val", X_val, network)
            validation = val_inputs, read_targets("y_val", y_val, val_inputs, classes, network)

        loss = self._loss if going_on else get_loss(self.output)
        optimizer = self._optimizer if going_on else self._new_optimizer()
        if going_on and isinstance(self.optimizer, str) and not callable(self.lr):
            optimizer.lr = expect_positive("lr", self.lr)
        if self.clip_norm is not None:
            expect_positive("clip_norm", self.clip_norm)
        interrupted = self._epoch if going_on else None
        if interrupted is not None and interrupted.n_sequences != len(inputs.lengths):
            raise ValueError(
                f"x: expected the {interrupted.n_sequences} sequences of the interrupted fit that "
                f"warm_start goes on with, got {len(inputs.lengths)}"
            )
        first = 0 if interrupted is None else interrupted.n_before
        epochs = range(first, max(first + 1, n_epochs))
        progress = FitProgress(self.verbose, epochs, -(-len(inputs.lengths) // batch_size))

        if not going_on:  # only now: arguments that do not fit leave an earlier fit as it was
            self._loss, self._optimizer, self._rng = loss, optimizer, rng
            self.network_, self.classes_ = network, classes
            self._made_of = self._fixed_settings()
            self._n_batches_done, self._epoch = 0, None
            self.history_: dict[str, list[float]] = {"loss": [], "accuracy": []}
        # Numbers that overflow make the loss infinite, which is looked for after every batch.
        quiet = np.errstate(over="ignore", invalid="ignore")
        with one_blas_thread(), quiet, progress, PatientInterrupt() as interrupt:
            self._train(inputs, targets, validation, epochs, batch_size, progress, interrupt)
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
        scores = self._scores(read_inputs("x", x, self.network_))
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
        inputs = read_inputs("x", x, self.network_)
        targets = read_targets("y", y, inputs, self.classes_, self.network_)
        return self._evaluate(inputs, targets)[1]

    def save(self, path: str | os.PathLike) -> None:
        """Write the fitted classifier into a file, with all that a warm start needs.

        Settings, weights, history, and the state of optimiser, schedule and random numbers; not
        the vocabulary that made the word ids.

        Parameters
        ----------
        path : path
            The file, commonly ``.npz``; one that stands there is replaced. Whatever happens
            meanwhile, the old file or the new one is there whole.

        Raises
        ------
        OSError
            If the file cannot be written.
        ValueError
            If the classifier is not fitted, or settings or weights were changed since so that they
            no longer fit one another.
        TypeError
            If a setting is an object of a class that is not the library's.

        Warns
        -----
        UserWarning
            If `initializer` is a function, or `lr` one other than ``linear_decay``: functions
            cannot be saved. The loaded classifier has the default initialiser, and the last rate.
        """
        self._expect_fitted()
        self._expect_fixed_settings()
        save_classifier(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "ScratchRNNClassifier":
        """Read a classifier that :meth:`save` wrote.

        Nothing in the file is executed, and no more memory asked for than it is long.

        Parameters
        ----------
        path : path
            The file.

        Returns
        -------
        ScratchRNNClassifier
            Its predictions are those of the saved one, to the last bit.

        Raises
        ------
        OSError
            If there is no such file, or it cannot be read.
        ValueError
            If it is no saved classifier, is damaged, or was written by a newer version.
        """
        return load_classifier(cls, path)

    def _expect_fitted(self) -> None:
        if not hasattr(self, "network_"):
            raise ValueError("this ScratchRNNClassifier is not fitted yet: call fit(x, y) first")

    def _fixed_settings(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in _FIXED_SETTINGS}

    def _expect_fixed_settings(self) -> None:
        for name, before in self._made_of.items():
            if getattr(self, name) != before:
                raise ValueError(
                    f"{name}: the network was fitted with {before!r}, got {getattr(self, name)!r}: "
                    "set it back, or fit anew with warm_start=False"
                )

    def _n_features(self, x: np.ndarray | Sequence[np.ndarray]) -> int:
        if self.embedding is not None:
            return getattr(self.embedding, "n_features", None) or _pair(self.embedding)[1]
        expect_shape("x", as_real("x", x), ("N", "T", "F"))
        return np.shape(x)[2]

    def _new_network(self, n_features: int, rng: np.random.Generator) -> RecurrentNetwork:
        n_nodes1 = expect_count("n_nodes1", self.n_nodes1)
        n_output = expect_count("n_output", self.n_output, 2 if self.output == "softmax" else 1)
        embedding = self._new_embedding(rng)
        draw = gaussian(self.sigma) if self.initializer == "gaussian" else self.initializer
        how = {"initializer": draw, "rng": rng, "dtype": self.dtype}
        readout = self.readout
        return RecurrentNetwork(
            SimpleRNN(n_features, n_nodes1, self.activation, self.bptt_steps, **how),
            copy.deepcopy(readout) if _has(readout, "forward") else get_readout(readout),
            Dense(n_nodes1, n_output, **how),
            embedding,
            Dropout(self.dropout, rng=rng) if expect_share("dropout", self.dropout) else None,
        )

    def _new_embedding(self, rng: np.random.Generator) -> Embedding | None:
        if self.embedding is None or _has(self.embedding, "forward"):
            return copy.deepcopy(self.embedding)
        n_words, n_features = _pair(self.embedding)
        return Embedding(n_words, n_features, rng=rng, dtype=self.dtype)

    def _new_optimizer(self) -> Optimizer:
        if _has(self.optimizer, "update"):
            return copy.deepcopy(self.optimizer)
        return get_optimizer(self.optimizer, self.lr(0.0) if callable(self.lr) else self.lr)

    def _train(
        self,
        inputs: Vectors | WordIds,
        targets: np.ndarray,
        validation: tuple[Vectors | WordIds, np.ndarray] | None,
        epochs: range,
        batch_size: int,
        progress: FitProgress,
        interrupt: PatientInterrupt,
    ) -> None:
        """Train for some epochs, of which the first may be under way already."""
        criterion = "loss" if validation is None else "val_loss"
        best, lowest = self._snapshot(), (self.history_.get(criterion) or [np.inf])[-1]
        absurd = _ABSURD * self._loss.forward(np.zeros((1, self.n_output)), [0])
        for n_before in epochs:
            if self._epoch is None:
                batches = similar_length_batches(inputs.lengths, batch_size, self._rng)
                self._epoch = Epoch(n_before, batches)
            started = time.perf_counter()
            try:
                is_whole = self._train_epoch(inputs, targets, self._epoch, progress, interrupt)
                record = self._epoch.means()
                if is_whole and validation is not None:
                    val_loss, val_accuracy = self._evaluate(*validation)
                    record |= {"val_loss": val_loss, "val_accuracy": val_accuracy}
                    _expect_finite_loss("val_loss", val_loss)
            except FloatingPointError as error:
                n_batches = len(self._epoch.batches)
                raise FloatingPointError(
                    f"{error} in epoch {self._n_epochs_done + 1}, batch "
                    f"{min(self._epoch.n_done + 1, n_batches)} of {n_batches}: try a smaller lr, "
                    f"or clip_norm. {self._restore(*best)}"
                ) from None
            self._epoch.seconds += time.perf_counter() - started
            if not is_whole:
                warnings.warn(self._where_it_stopped(), RuntimeWarning, stacklevel=3)
                return
            record["seconds"], self._epoch = self._epoch.seconds, None
            for name, value in record.items():
                self.history_.setdefault(name, []).append(value)
            progress.epoch_done(record)
            if record[criterion] < lowest:
                best, lowest = self._snapshot(), record[criterion]
            if record["loss"] > absurd:
                warnings.warn(
                    f"the loss of epoch {self._n_epochs_done} is {record['loss']:.3g}, that of "
                    f"guessing {absurd / _ABSURD:.3g}: is lr or sigma too large?",
                    RuntimeWarning,
                    stacklevel=3,
                )
                absurd = np.inf  # once is enough

    def _train_epoch(
        self,
        inputs: Vectors | WordIds,
        targets: np.ndarray,
        epoch: Epoch,
        progress: FitProgress,
        interrupt: PatientInterrupt,
    ) -> bool:
        """Train on the batches that are left; return whether it got through them."""
        for rows in epoch.batches[epoch.n_done :]:
            if interrupt.requested:
                return False
            if callable(self.lr):
                self._optimizer.lr = self.lr(self._n_batches_done / len(epoch.batches))
            x, lengths, rows = inputs.batch(rows)
            judged = self._train_batch(x, lengths, targets[rows])
            self._n_batches_done += 1
            epoch.batch_done(*judged, len(rows))
            progress.batch_done()
        return True

    def _train_batch(
        self, x: np.ndarray, lengths: np.ndarray, targets: np.ndarray
    ) -> tuple[float, float]:
        """Make one update; return loss and accuracy as they were before it."""
        scores = self.network_.forward(x, lengths, training=True)
        loss, accuracy = self._judge(scores, lengths, targets)
        _expect_finite_loss("loss", loss)
        self.network_.backward(self._loss.backward())
        params, grads = self.network_.params, self.network_.grads
        if self.clip_norm is not None:
            grads, _ = clip_by_global_norm(grads, self.clip_norm)
        self._optimizer.update(params, grads)
        for name, grad in grads.items():
            changed = params[name][grad.rows] if isinstance(grad, RowGradient) else params[name]
            if not np.isfinite(changed.sum()):
                raise FloatingPointError(f"the weights {name} became infinite")
        return loss, accuracy

    @property
    def _n_epochs_done(self) -> int:
        return len(self.history_["loss"])

    def _snapshot(self) -> tuple[int, dict[str, np.ndarray], Optimizer, int]:
        state = self.network_.params, self._optimizer, self._n_batches_done
        return self._n_epochs_done, *copy.deepcopy(state)

    def _restore(
        self, epoch: int, params: dict[str, np.ndarray], optimizer: Optimizer, n_batches_done: int
    ) -> str:
        """Go back to a snapshot; say so."""
        for name, param in self.network_.params.items():
            param[...] = params[name]
        self._optimizer, self._n_batches_done, self._epoch = optimizer, n_batches_done, None
        if epoch == 0:
            return "No epoch was good; the weights are those from before the fit."
        return (
            f"The last good epoch was {self._n_epochs_done}; the weights are those of epoch "
            f"{epoch}, the best of this fit."
        )

    def _where_it_stopped(self) -> str:
        return (
            f"fit was interrupted in epoch {self._n_epochs_done + 1}, after {self._epoch.n_done} "
            f"of {len(self._epoch.batches)} batches. What it learned is kept; with "
            "warm_start=True, fit goes on from here."
        )

    def _evaluate(self, inputs: Vectors | WordIds, targets: np.ndarray) -> tuple[float, float]:
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

    def _scores(self, inputs: Vectors | WordIds) -> np.ndarray:
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


def _has(setting: object, method: str) -> bool:
    """Say whether a setting is an object with this method; a class has it, but is none."""
    return hasattr(setting, method) and not isinstance(setting, type)


def _pair(embedding: object) -> tuple[int, int]:
    """Return the sizes of an embedding."""
    try:
        n_words, n_features = embedding
    except (TypeError, ValueError):
        raise ValueError(
            f"embedding: expected (n_words, n_features) or an Embedding, got {embedding!r}"
        ) from None
    return n_words, n_features


def _expect_finite_loss(name: str, loss: float) -> None:
    if not np.isfinite(loss):
        raise FloatingPointError(f"the {name} became {loss}")
