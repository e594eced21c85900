"""Recurrent networks from scratch, in NumPy: what the lessons call.

Everything public can be imported from here; ``rnn_lib.plots`` is imported by name, since it needs
matplotlib. The modules can be read in this order: activations, initializers, layers, recurrent,
losses, optimizers, network, batches, training, saving, estimator, classifier, language_model;
beside them gates and gradcheck for lesson 3, text, review_files and imdb for lesson 4, language for
the messages of the checks. Left out: everything that a lesson builds itself.
"""

from rnn_lib.activations import Activation, get_activation, relu, sigmoid, softmax, tanh
from rnn_lib.batches import similar_length_batches
from rnn_lib.classifier import ScratchRNNClassifier
from rnn_lib.gates import AddGate, MultiplyGate, ProductGate, TanhGate
from rnn_lib.gradcheck import GradCheck, grad_check, numeric_gradient
from rnn_lib.imdb import ImdbData, film_groups, hold_out, load_imdb, load_reviews
from rnn_lib.initializers import gaussian, get_initializer, he, orthogonal, uniform, xavier
from rnn_lib.language_model import LanguageModel, next_character_batches
from rnn_lib.layers import Dense, Dropout, Embedding, RowGradient
from rnn_lib.losses import SigmoidCrossEntropy, SoftmaxCrossEntropy, get_loss
from rnn_lib.network import AllStates, LastState, MeanState, RecurrentNetwork, get_readout
from rnn_lib.optimizers import SGD, AdaGrad, Adam, clip_by_global_norm, global_norm, linear_decay
from rnn_lib.recurrent import GRU, LSTM, RecurrentLayer, SimpleRNN
from rnn_lib.text import Sequences, Vocabulary, pad_sequences, tokenize
from rnn_lib.training import training_step

__version__ = "0.2.0"
