"""A fitted classifier as a file: arrays and a header in plain JSON, nothing pickled.

What is saved is what a prediction and a warm start need: settings, weights, history, and the state
of optimizer and random numbers. Left out: functions, the vocabulary, and how bytes get into a file
(:mod:`rnn_lib.storage`).
"""

import json
import os
import warnings
from collections.abc import Callable, Mapping

import numpy as np

from rnn_lib.activations import Activation
from rnn_lib.layers import Embedding
from rnn_lib.network import AllStates, LastState, MeanState
from rnn_lib.optimizers import SGD, AdaGrad, Adam, LinearDecay
from rnn_lib.recurrent import SimpleRNN
from rnn_lib.storage import read_arrays, write_arrays
from rnn_lib.training import TrainingState

FORMAT = "rnn_lib.ScratchRNNClassifier, 2"

# The objects that a setting may be, and the arguments that make each anew.
_ARGUMENTS = {
    LastState: (),
    MeanState: ("scale",),
    AllStates: (),
    SGD: ("lr",),
    AdaGrad: ("lr",),
    Adam: ("lr",),
    LinearDecay: ("lr", "n_epochs"),
    SimpleRNN: ("n_features", "n_nodes", "activation", "bptt_steps", "dtype"),
    Embedding: ("trainable",),  # its table is an array
}
_CLASSES = {cls.__name__: cls for cls in _ARGUMENTS}


def write_classifier(
    path: str | os.PathLike, settings: Mapping[str, object], labels: list, state: TrainingState
) -> None:
    """Write a fitted classifier; see :meth:`rnn_lib.ScratchRNNClassifier.save`."""
    settings, optimizer = dict(settings), state.optimizer
    for name, instead in (("lr", optimizer.lr), ("initializer", "gaussian")):
        if callable(settings[name]) and type(settings[name]) not in _ARGUMENTS:
            warnings.warn(f"{name}: a function cannot be saved; {instead!r} is", stacklevel=3)
            settings[name] = instead
    header = {
        "format": FORMAT,
        "settings": settings,
        "n_features": state.network.rnn.n_features,
        "labels": labels,
        "history": state.history,
        "optimizer": {"lr": optimizer.lr, "n_updates": optimizer.n_updates},
        "random": state.rng.bit_generator.state,
    }
    arrays = {f"params.{name}": array for name, array in state.network.params.items()}
    for kind, averages in optimizer.averages.items():
        arrays |= {f"{kind}.{name}": array for name, array in averages.items()}
    if isinstance(settings["embedding"], Embedding):
        arrays["table"] = settings["embedding"].W  # a new fit starts from it
    write_arrays(path, json.loads(json.dumps(header, default=_as_json)), arrays)


def read_classifier(
    path: str | os.PathLike, build: Callable[[dict, int, list], tuple[object, TrainingState]]
) -> object:
    """Read a classifier; see :meth:`rnn_lib.ScratchRNNClassifier.load`.

    Parameters
    ----------
    path : path
        The file.
    build : callable
        Makes an untrained classifier of settings, number of features and labels; returns it and its
        state.

    Returns
    -------
    object
        The classifier, with the state that was saved.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is not a saved classifier, is damaged, or was written by another version.
    """
    header, arrays = read_arrays(path)
    try:
        if header["format"] != FORMAT:
            raise ValueError(f"its format is {header['format']!r}")
        settings = {name: _from_json(value) for name, value in header["settings"].items()}
        if "table" in arrays:
            trainable = header["settings"]["embedding"]["trainable"]
            settings["embedding"] = Embedding.from_array(arrays.pop("table"), trainable)
        model, state = build(settings, header["n_features"], header["labels"])
        _fill(state, header, arrays)
        return model
    except Exception as error:  # a header that says other than it should: anything may stumble
        raise ValueError(
            f"{path}: not a classifier that this version of rnn_lib can read, or damaged: {error!r}"
        ) from error


def _fill(state: TrainingState, header: dict, arrays: dict[str, np.ndarray]) -> None:
    """Give an untrained state the saved arrays and numbers."""
    params, optimizer = state.network.params, state.optimizer
    for full_name in [*(f"params.{name}" for name in params), *arrays]:
        array, (kind, name) = arrays[full_name], full_name.split(".", 1)
        if (array.shape, array.dtype) != (params[name].shape, params[name].dtype):
            raise ValueError(f"{full_name}: got {array.dtype} of shape {array.shape}")
        if kind == "params":  # not copied into those drawn: their order in memory counts
            layer, param = name.split(".")
            getattr(state.network, layer).params[param] = array
        else:
            optimizer.averages.setdefault(kind, {})[name] = array
    optimizer.lr, optimizer.n_updates = header["optimizer"]["lr"], header["optimizer"]["n_updates"]
    state.rng.bit_generator.state = header["random"]
    state.history = header["history"]


def _as_json(value: object) -> object:
    """Write what JSON does not know."""
    if type(value) in _ARGUMENTS:
        arguments = {name: getattr(value, name) for name in _ARGUMENTS[type(value)]}
        return {"class": type(value).__name__} | arguments
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Activation):
        return value.name
    if value in (np.float32, np.float64):
        return np.dtype(value).name
    raise TypeError(f"cannot be saved, since its class is not rnn_lib's: {value!r}")


def _from_json(value: object) -> object:
    if not isinstance(value, dict):
        return tuple(value) if isinstance(value, list) else value
    arguments = {name: argument for name, argument in value.items() if name != "class"}
    cls = _CLASSES[value["class"]]
    return None if cls is Embedding else cls(**arguments)
