"""The classifier: a recurrent network that a person fits to labeled sequences.

It has the interface that the assignment asks for and scikit-learn made common: settings in the
constructor, ``fit``, ``predict``, ``predict_proba``, ``score``. Here the settings are checked and
the parts are made of them; the layers, losses and optimizers do the work, and the loop over epochs
stands in :mod:`rnn_lib.training`. Left out: choosing settings, and texts.
"""

import copy
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from functools import partial

import numpy as np

from rnn_lib import validation
from rnn_lib.activations import get_activation
from rnn_lib.batches import VECTORS_HINT, Inputs, read_classes, read_inputs, read_targets
from rnn_lib.estimator import Estimator, by, setting, verbosity
from rnn_lib.initializers import Initializer, gaussian, get_initializer
from rnn_lib.layers import Dense, Dropout, Embedding, Layer
from rnn_lib.losses import get_loss
from rnn_lib.network import AllStates, RecurrentNetwork, get_readout
from rnn_lib.optimizers import Optimizer, get_optimizer
from rnn_lib.recurrent import RecurrentLayer, SimpleRNN, get_layer
from rnn_lib.training import TrainingState, evaluate, scores, train


def _positive_or_schedule(name, value):
    return value if callable(value) else validation.expect_positive(name, value)


def _sizes_or_embedding(name, value):
    if not validation.is_object(value, "forward") and np.shape(value) != (2,):
        expected = "(n_words, n_features) or an Embedding (of a table: Embedding.from_array)"
        raise ValueError(f"{name}: expected {expected}, got {value!r:.80}")


@dataclass(eq=False)
class ScratchRNNClassifier(Estimator):
    """A recurrent network that labels sequences.

    Parameters
    ----------
    n_nodes1 : int
        Hidden units.
    n_output : int
        Labels; with ``output="sigmoid"`` it may be 1 for two labels.
    sigma : float
        Standard deviation of the initial weights, where `initializer` is ``"gaussian"``.
    lr : float or callable
        The learning rate, above 0, or a schedule ``epoch -> learning rate``, where `epoch` counts
        the epochs trained so far, fractions included (see :func:`rnn_lib.linear_decay`). A schedule
        may go down to 0, and start there.
    batch_size : int
        Sequences per update.
    n_epochs : int
        How often ``fit`` goes through the data.
    layer : {"rnn", "gru", "lstm"} or RecurrentLayer
        The recurrent layer. An object has its own `n_nodes`, `activation` and `bptt_steps`; the
        settings of these names then have no effect.
    activation : {"tanh", "relu"}
        The simple recurrent layer's activation; the gated ones have theirs.
    initializer : str or callable
        Draws the weights of the recurrent and the output layer.
    readout : {"last", "mean", "all"} or readout object
        What the output layer sees: the last state, the mean of the states, or each state, with
        one label per time step.
    output : {"softmax", "sigmoid"}
        How scores become probabilities, and the loss that belongs to it.
    optimizer : {"sgd", "adagrad", "adam"} or Optimizer
        How gradients become updates. An object given here keeps its own learning rate unless `lr`
        is a schedule; another number as `lr` is refused.
    bptt_steps : int, optional
        The number of cells that a gradient passes through; all by default.
    embedding : (n_words, n_features) or Embedding, optional
        If given, `x` holds word ids.
    dropout : float
        Fraction of the input features that are dropped in training, other ones for each sequence.
    clip_norm : float, optional
        The largest global norm of the gradients.
    warm_start : bool
        Whether ``fit`` adds `n_epochs` epochs to the last fit, with the optimizer, the schedule and
        the random numbers as they were then, or starts anew.
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
    classes_ : ndarray
        The label of each output.
    network_ : RecurrentNetwork
        The trained layers.

    Notes
    -----
    Built in lesson 3, section 11; trained on film reviews in lesson 4. Objects passed in are
    copied before they are used, so that two classifiers never share one.
    """

    n_nodes1: int = setting(4, validation.expect_count, fixed=True)
    n_output: int = setting(3, validation.expect_count, fixed=True)
    sigma: float = setting(0.01, validation.expect_positive)
    lr: float | Callable[[float], float] = setting(0.001, _positive_or_schedule)
    batch_size: int = setting(1, validation.expect_count)
    n_epochs: int = setting(30, validation.expect_count)
    _: KW_ONLY
    layer: str | RecurrentLayer = setting("rnn", by(get_layer), fixed=True)
    activation: str = setting("tanh", by(get_activation), fixed=True)
    initializer: str | Initializer = setting("gaussian", by(get_initializer))
    readout: str | Layer = setting("last", by(get_readout), fixed=True)
    output: str = setting("softmax", by(get_loss), fixed=True)
    optimizer: str | Optimizer = setting("sgd", by(get_optimizer), fixed=True)
    bptt_steps: int | None = setting(None, validation.expect_count, fixed=True)
    embedding: tuple[int, int] | Embedding | None = setting(None, _sizes_or_embedding, fixed=True)
    dropout: float = setting(0.0, validation.expect_fraction, fixed=True)
    clip_norm: float | None = setting(None, validation.expect_positive)
    warm_start: bool = False
    seed: int | None = setting(None, partial(validation.expect_count, least=0))
    dtype: np.dtype | type = setting(np.float64, validation.expect_float_type, fixed=True)
    verbose: int = setting(0, verbosity)

    _format = "rnn_lib.ScratchRNNClassifier 2"
    _sized_by = "params.rnn.W_x"

    def fit(
        self, x: Inputs, y: np.ndarray, X_val: Inputs | None = None, y_val: np.ndarray | None = None
    ) -> "ScratchRNNClassifier":
        """Train on labeled sequences.

        Ctrl-C (in a notebook: interrupting the kernel) ends it with a warning. The classifier can
        be used as it then is; with ``warm_start=True`` the next ``fit`` adds epochs to those that
        were completed.

        Parameters
        ----------
        x : ndarray, shape (N, T, F); with an embedding ids, shape (N, T), or a list of 1-D arrays
            The sequences. The id 0 at the end of a sequence is padding and not read, whatever the
            container (array, list, tensor, table); elsewhere it is read as a word.
        y : array_like, shape (N,), or (N, T) with ``readout="all"``
            The labels. 0 to n_output - 1 are taken as outputs; any other integers, strings,
            booleans or whole floats are mapped in sorted order and must number `n_output`.
        X_val, y_val : like `x` and `y`, optional
            Validation data, evaluated after every epoch and never trained on.

        Returns
        -------
        ScratchRNNClassifier
            Itself.

        Raises
        ------
        ValueError, TypeError
            If a setting is out of range, a shape does not fit or a label is unknown.
        FloatingPointError
            If the loss or a weight stops being a finite number.

        After an error the classifier is as it was before this call.

        Warns
        -----
        RuntimeWarning
            If it was interrupted, or the loss is far above that of guessing.
        """
        self._check_settings()
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val, y_val: give both or neither")
        if self.warm_start and self._state is not None:
            self._expect_fixed_settings()
            state = copy.deepcopy(self._state)
            state.settings = self.get_params()
            if isinstance(self.optimizer, str) and not callable(self.lr):
                state.optimizer.lr = float(self.lr)
        else:
            state = self._new_state(self._n_features(x))
            state.classes = read_classes(y, max(2, self.n_output))
        data = _read("x", x, "y", y, state)
        held_out = None if X_val is None else _read("X_val", X_val, "y_val", y_val, state)
        train(state, data, held_out, self)
        return self._become(state)

    def predict(self, x: Inputs) -> np.ndarray:
        """Label sequences.

        Parameters
        ----------
        x : as for ``fit``
            The sequences.

        Returns
        -------
        ndarray, shape (N,), or (N, T) with ``readout="all"``
            The most probable label of each; after a sequence's end it has no meaning.

        Raises
        ------
        ValueError, TypeError
            If the classifier is not fitted or `x` does not fit it.
        """
        return self._expect_fitted().classes[self.predict_proba(x).argmax(axis=-1)]

    def predict_proba(self, x: Inputs) -> np.ndarray:
        """Return each label's probability.

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
        network = self._expect_fitted().network
        p = self._state.loss.probabilities(scores(network, read_inputs("x", x, network)))
        return p if p.shape[-1] > 1 else np.concatenate([1 - p, p], axis=-1)

    def score(self, x: Inputs, y: np.ndarray) -> float:
        """Return the accuracy.

        Parameters
        ----------
        x, y : as for ``fit``
            Labeled sequences.

        Returns
        -------
        float
            The fraction of labels that are predicted right, 0 to 1; labels after a sequence's end
            do not count.

        Raises
        ------
        ValueError, TypeError
            If the classifier is not fitted, or `x` and `y` do not fit it.
        """
        state = self._expect_fitted()
        return evaluate(state, _read("x", x, "y", y, state))[1]

    def set_params(self, **params: object) -> "ScratchRNNClassifier":
        """Change settings, and return the classifier; they are checked by the next ``fit``.

        Raises
        ------
        ValueError
            If there is no setting of that name.
        """
        if unknown := params.keys() - self.get_params().keys():
            raise ValueError(f"set_params: no settings {sorted(unknown)}")
        vars(self).update(params)
        return self

    def __sklearn_tags__(self):
        """Tell scikit-learn, which alone asks for it, that this is a classifier."""
        from sklearn.utils import ClassifierTags, Tags, TargetTags

        return Tags("classifier", TargetTags(required=True), classifier_tags=ClassifierTags())

    def _check_settings(self):
        super()._check_settings()
        validation.expect_count("n_output", self.n_output, get_loss(self.output).fewest_outputs)
        own = getattr(self.optimizer, "lr", self.lr)
        if not callable(self.lr) and self.lr not in (own, type(self).lr):  # which nobody gave
            raise ValueError(f"lr: {self.lr} has no effect: change the optimizer's own, {own}")

    def _n_features(self, x):
        if self.embedding is not None:
            return getattr(self.embedding, "n_features", None) or self.embedding[1]
        return validation.as_real("x", x, ("N", "T", "F"), hint=VECTORS_HINT).shape[2]

    def _new_state(self, n_features):
        """Make an untrained network, and what trains it."""
        rng = np.random.default_rng(self.seed)
        draw = gaussian(self.sigma) if self.initializer == "gaussian" else self.initializer
        how = {"initializer": draw, "rng": rng, "dtype": self.dtype}
        embedding, rnn = copy.deepcopy(self.embedding), get_layer(self.layer)
        if isinstance(embedding, tuple | list):
            embedding = Embedding(*embedding, rng=rng, dtype=self.dtype)
        if isinstance(rnn, type):
            own = {"activation": self.activation} if rnn is SimpleRNN else {}
            if not own and self.activation != "tanh":
                what = f'has no effect on layer="{self.layer}", which has its own'
                raise ValueError(f"activation: {self.activation!r} {what}")
            rnn = rnn(n_features, self.n_nodes1, bptt_steps=self.bptt_steps, **own, **how)
        if (rnn.n_features, rnn.dtype) != (n_features, self.dtype):
            expected = f"n_features={n_features} and dtype={np.dtype(self.dtype)}"
            raise ValueError(f"layer: expected {expected}, got {rnn.n_features} and {rnn.dtype}")
        readout, dense = get_readout(self.readout), Dense(rnn.n_nodes, self.n_output, **how)
        dropout = Dropout(self.dropout, rng=rng) if self.dropout else None
        network = RecurrentNetwork(rnn, readout, dense, embedding, dropout)
        optimizer = get_optimizer(self.optimizer, 1.0 if callable(self.lr) else self.lr)
        return TrainingState(network, get_loss(self.output), optimizer, rng, self.get_params())


def _read(name_x, x, name_y, y, state):
    inputs = read_inputs(name_x, x, state.network)
    every_step = isinstance(state.network.readout, AllStates)
    return inputs, read_targets(name_y, y, inputs, state.classes, every_step)
