"""The network: layers one after another, and the readout that picks what the last one sees.

A recurrent layer returns all states (N, T, H). A readout says which of them count for the answer:
the last one, their mean, or each of them. It has no parameters; its backward pass puts the gradient
where the states that it read stand. Readouts and embeddings of one's own need only ``forward``,
``backward``, ``params`` and ``grads`` (a readout: the first two). Left out: losses, and everything
that trains.
"""

import copy
from dataclasses import dataclass, replace

import numpy as np

from rnn_lib.layers import Dense, Dropout, Embedding, Layer, RowGradient
from rnn_lib.recurrent import LSTM, RecurrentLayer
from rnn_lib.validation import as_lengths, choose, expect_positive, expect_shape, is_object


class Readout(Layer):
    """What the readouts share: from states (N, T, H) to what counts, (N, H) or (N, T, H)."""

    def forward(self, h: np.ndarray, lengths: np.ndarray | None = None) -> np.ndarray:
        """Pick what counts.

        Parameters
        ----------
        h : ndarray, shape (N, T, H)
            All states, 0 at and after a sample's length.
        lengths : ndarray of int, shape (N,), optional
            Steps of each sample; all T by default.

        Returns
        -------
        ndarray, shape (N, H), or (N, T, H) for all states
            What counts.

        Raises
        ------
        TypeError, ValueError
            If a shape does not fit, or a length lies outside 1 to T.
        """
        expect_shape("h", h, ("N", "T", "H"))
        return self._keep(*self._compute(h, as_lengths(lengths, *h.shape[:2])))


class LastState(Readout):
    """Read the state after each sample's last step (lesson 1, section 6)."""

    def _compute(self, h, lengths):
        last = np.arange(len(h)), lengths - 1
        return h[last], (h.shape, last)

    def _backward(self, dy, kept):
        shape, last = kept
        dh = np.zeros(shape, dy.dtype)
        dh[last] = dy
        return dh


class MeanState(Readout):
    """Read the mean of a sample's states, times `scale` (lesson 4, section 4).

    Parameters
    ----------
    scale : float
        A mean over hundreds of states is a small number that changes little; a scale well above 1
        lets the output layer see it at a size at which it learns quickly. Above 0.

    Raises
    ------
    TypeError, ValueError
        If `scale` is not a number above 0.

    Notes
    -----
    What ``backward`` returns is a read-only view; at and after a sample's length its numbers have
    no meaning.
    """

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = expect_positive("scale", scale)

    def _compute(self, h, lengths):
        weight = (self.scale / lengths)[:, None].astype(h.dtype)
        total = np.ones((1, h.shape[1]), h.dtype) @ h  # (N, 1, H), by BLAS
        return total[:, 0] * weight, (h.shape, weight)

    def _backward(self, dy, kept):
        shape, weight = kept
        return np.broadcast_to((dy * weight)[:, None], shape)


class AllStates(Readout):
    """Read every state: one answer per time step (lesson 1, section 6)."""

    def _compute(self, h, lengths):
        return h, None

    def _backward(self, dy, kept):
        return dy


READOUTS = {"last": LastState, "mean": MeanState, "all": AllStates}


def get_readout(readout: str | Layer) -> Layer:
    """Make a readout by its name, or copy one.

    Parameters
    ----------
    readout : {"last", "mean", "all"} or an object with ``forward`` and ``backward``
        Which states count.

    Returns
    -------
    Layer
        A new one.

    Raises
    ------
    ValueError
        If there is no readout of that name.
    """
    if is_object(readout, "forward"):
        return copy.deepcopy(readout)
    with_methods = "an object with forward() and backward() or "
    return choose("readout", readout, READOUTS, or_else=with_methods)()


@dataclass(eq=False)
class RecurrentNetwork:
    """Embedding, dropout, recurrent layer, readout and output layer in a row.

    Parameters
    ----------
    rnn : RecurrentLayer
        The recurrent layer.
    readout : Layer
        Which of its states the output layer sees.
    dense : Dense
        The output layer.
    embedding : Embedding, optional
        Turns word ids into numbers; without it the input is numbers already.
    dropout : Dropout, optional
        Stands between the input and the recurrent layer.

    Attributes
    ----------
    params, grads : dict
        Those of all layers, named ``"layer.parameter"``, such as ``"rnn.W_h"``.
    """

    rnn: RecurrentLayer
    readout: Layer
    dense: Dense
    embedding: Embedding | None = None
    dropout: Dropout | None = None

    @property
    def _layers(self):
        names = ("embedding", "dropout", "rnn", "readout", "dense")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    @property
    def params(self) -> dict[str, np.ndarray]:
        """The parameters of all layers: the layers' own arrays, not copies."""
        return self._of_all_layers("params")

    @property
    def grads(self) -> dict[str, np.ndarray | RowGradient]:
        """The gradients that the last ``backward`` left in the layers."""
        return self._of_all_layers("grads")

    def _of_all_layers(self, kind):
        parts = {name: getattr(layer, kind, {}) for name, layer in self._layers.items()}
        return {f"{layer}.{name}": part[name] for layer, part in parts.items() for name in part}

    def twin(self) -> "RecurrentNetwork":
        """Return a network with the same parameters, not copies, that keeps its own passes."""
        return replace(self, **{name: copy.copy(layer) for name, layer in self._layers.items()})

    def forward(
        self, x: np.ndarray, lengths: np.ndarray | None = None, training: bool = False
    ) -> np.ndarray:
        """Compute the scores.

        Parameters
        ----------
        x : ndarray, shape (N, T, F), or of int, shape (N, T), with an embedding
            The sequences.
        lengths : ndarray of int, shape (N,), optional
            The number of time steps of each sequence that count.
        training : bool
            Whether dropout acts.

        Returns
        -------
        ndarray, shape (N, n_output), or (N, T, n_output) where the readout gives all states
            The scores.

        Raises
        ------
        TypeError, ValueError
            If `x` or `lengths` do not fit the first layer.
        """
        return self._scores(x, lengths, training, keep=True)

    def _scores(self, x, lengths, training=False, keep=False, **starts):
        """Compute the scores; unless asked to `keep` what ``backward`` needs, write to no layer."""
        if self.embedding is None:
            x, lengths = self.rnn._checked(x, lengths)
        else:
            if isinstance(self.embedding, Embedding):
                x = self.embedding._checked(x)
            lengths = as_lengths(lengths, *x.shape)
            x = _run(self.embedding, keep, x, training=training)
        if self.dropout is not None:
            x = _run(self.dropout, keep, x, training=training)
        h = _run(self.rnn, keep, x, lengths=lengths, training=training, **starts)
        y = _run(self.readout, keep, h, lengths=lengths)
        return _run(self.dense, keep, y, training=training)

    def backward(self, dscores: np.ndarray) -> np.ndarray | None:
        """Back-propagate from the scores to the input.

        Parameters
        ----------
        dscores : ndarray, shape as the scores
            The gradient of the loss at the scores.

        Returns
        -------
        ndarray, shape (N, T, F), or None with an embedding
            The gradient at the input.
        """
        for layer in reversed(self._layers.values()):
            dscores = layer.backward(dscores)
        return dscores


_OURS = {Layer.forward, Readout.forward, RecurrentLayer.forward, LSTM.forward}


def _run(layer, keep, x, **how):
    """Call ``forward`` without its checks, unless somebody wrote another ``forward``."""
    if type(layer).forward not in _OURS:
        return layer.forward(x, **how)
    y, kept = layer._compute(x, **how)
    return layer._keep(y, kept) if keep else y
