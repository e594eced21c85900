"""The network: layers one after another, which together behave much like one layer."""

import numpy as np

from rnn_lib.layers import Dense, Dropout, Embedding, SimpleRNN
from rnn_lib.readouts import Readout
from rnn_lib.row_gradient import RowGradient


class RecurrentNetwork:
    """Embedding, dropout, recurrent layer, readout and output layer in a row.

    Parameters
    ----------
    rnn : SimpleRNN
        The recurrent layer.
    readout : Readout
        What of its states the output layer sees.
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

    def __init__(
        self,
        rnn: SimpleRNN,
        readout: Readout,
        dense: Dense,
        embedding: Embedding | None = None,
        dropout: Dropout | None = None,
    ) -> None:
        self.rnn, self.readout, self.dense = rnn, readout, dense
        self.embedding, self.dropout = embedding, dropout

    @property
    def _layers(self) -> dict[str, Embedding | SimpleRNN | Dense]:
        layers = {"embedding": self.embedding, "rnn": self.rnn, "dense": self.dense}
        return {name: layer for name, layer in layers.items() if layer is not None}

    @property
    def params(self) -> dict[str, np.ndarray]:
        """The parameters of all layers: the layers' own arrays, not copies."""
        return {f"{n}.{p}": v for n, layer in self._layers.items() for p, v in layer.params.items()}

    @property
    def grads(self) -> dict[str, np.ndarray | RowGradient]:
        """The gradients that the last ``backward`` left in the layers."""
        return {f"{n}.{p}": v for n, layer in self._layers.items() for p, v in layer.grads.items()}

    def forward(
        self, x: np.ndarray, lengths: np.ndarray | None = None, training: bool = False
    ) -> np.ndarray:
        """Compute the scores.

        Parameters
        ----------
        x : ndarray, shape (N, T, F), or of int, shape (N, T), with an embedding
            The sequences.
        lengths : ndarray of int, shape (N,), optional
            How many steps of each sequence count.
        training : bool
            Whether dropout acts.

        Returns
        -------
        ndarray, shape (N, n_output), or (N, T, n_output) where the readout gives all states
            The scores.
        """
        if self.embedding is not None:
            x = self.embedding.forward(x, training=training)
        if self.dropout is not None:
            x = self.dropout.forward(x, training=training)
        h = self.rnn.forward(x, lengths=lengths, training=training)
        return self.dense.forward(self.readout.forward(h, lengths), training=training)

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
        dx = self.rnn.backward(self.readout.backward(self.dense.backward(dscores)))
        if self.dropout is not None:
            dx = self.dropout.backward(dx)
        return dx if self.embedding is None else self.embedding.backward(dx)
