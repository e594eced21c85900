"""The simple recurrent network from scratch, in NumPy: what the lessons call.

Everything public can be imported from here; ``rnn_lib.plots`` is imported by name, since it needs
matplotlib. The modules can be read in this order: activations, layers, readouts, losses,
optimizers, network, inputs, classifier; beside them gates and gradcheck for lesson 3, text,
review_files and imdb for lesson 4, saving and interrupt for what must not be lost.
"""

from rnn_lib.activations import Activation, get_activation, relu, sigmoid, softmax, tanh
from rnn_lib.classifier import ScratchRNNClassifier
from rnn_lib.gates import AddGate, MultiplyGate, ProductGate, TanhGate
from rnn_lib.gradcheck import GradCheck, grad_check, numeric_gradient
from rnn_lib.imdb import ImdbData, download, film_groups, hold_out, load_imdb, load_reviews
from rnn_lib.initializers import gaussian, get_initializer, he, orthogonal, uniform, xavier
from rnn_lib.layers import Dense, Dropout, Embedding, SimpleRNN
from rnn_lib.losses import SigmoidCrossEntropy, SoftmaxCrossEntropy, get_loss
from rnn_lib.network import RecurrentNetwork
from rnn_lib.optimizers import (
    SGD,
    AdaGrad,
    Adam,
    Optimizer,
    clip_by_global_norm,
    get_optimizer,
    global_norm,
    linear_decay,
)
from rnn_lib.readouts import AllStates, LastState, MeanState, get_readout
from rnn_lib.row_gradient import RowGradient
from rnn_lib.text import Sequences, Vocabulary, pad_sequences, similar_length_batches, tokenize

__version__ = "0.1.0"
