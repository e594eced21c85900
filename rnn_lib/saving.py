"""A fitted model as a file: arrays and a header in plain JSON, nothing pickled.

What is saved is what a prediction and a warm start need: settings, weights, history, and the state
of optimizer and random numbers. Left out: functions, the vocabulary, and how bytes get into a file
(:mod:`rnn_lib.storage`).
"""

import inspect
import json
import warnings

import numpy as np

from rnn_lib import network, optimizers, recurrent
from rnn_lib.activations import Activation
from rnn_lib.layers import Embedding
from rnn_lib.storage import read_arrays, write_arrays
from rnn_lib.validation import as_labels

# The objects that a setting may be: saved as their names and the arguments that make them anew.
_BY_NAME = network.READOUTS | optimizers.OPTIMIZERS | recurrent.LAYERS
_CLASSES = {cls.__name__: cls for cls in (Embedding, optimizers.LinearDecay, *_BY_NAME.values())}


def write_model(path, file_format, settings, state) -> None:
    """Write settings and TrainingState; see :meth:`rnn_lib.estimator.Estimator.save`."""
    lr = float(state.optimizer.lr)
    # A schedule may have come down to 0, which is no setting.
    for name, instead in (("lr", lr or 0.001), ("initializer", "gaussian")):
        if callable(settings.get(name)) and type(settings[name]) not in _CLASSES.values():
            warnings.warn(f"{name}: a function cannot be saved; {instead!r} is", stacklevel=3)
            settings = settings | {name: instead}
    header = {
        "settings": settings | {"dtype": np.dtype(settings["dtype"]).name},
        "classes": state.classes.tolist(),
        "history": state.history,
        "optimizer": {"lr": lr, "n_updates": state.optimizer.n_updates},
        "random": state.rng.bit_generator.state,
    }
    groups = {"params": state.network.params} | state.optimizer.averages
    arrays = {f"{kind}.{name}": group[name] for kind, group in groups.items() for name in group}
    if isinstance(settings.get("embedding"), Embedding):
        arrays["table"] = settings["embedding"].W  # a new fit starts from it
    write_arrays(path, {file_format: json.loads(json.dumps(header, default=_as_json))}, arrays)


def read_model(path, cls):
    """Read a model of the class `cls`; see :meth:`rnn_lib.estimator.Estimator.load`."""
    header, arrays = read_arrays(path)
    try:
        header = header[cls._format]
        settings = {name: _from_json(value) for name, value in header["settings"].items()}
        if "table" in arrays:
            settings["embedding"]._table["W"] = arrays.pop("table")
        model = cls(**settings)
        model._check_settings()
        state = model._new_state(len(arrays[cls._sized_by]))
        _fill(state, header, arrays)
        return model._become(state)
    except Exception as error:  # where a header says other than it should, anything may stumble
        what = f"not a {cls.__name__} that this version of rnn_lib can read, or damaged"
        raise ValueError(f"{path}: {what}: {error!r}") from error


def _fill(state, header, arrays):
    """Give an untrained state the saved arrays and numbers."""
    params = state.network.params
    for full_name in {f"params.{name}": None for name in params} | arrays:
        array, (kind, name) = arrays[full_name], full_name.split(".", 1)
        if (array.shape, array.dtype) != (params[name].shape, params[name].dtype):
            raise ValueError(f"{full_name}: got {array.dtype} of shape {array.shape}")
        if kind == "params":  # not copied into those drawn: their order in memory counts
            layer, param = name.split(".")
            getattr(state.network, layer).params[param] = array
        else:
            state.optimizer.averages.setdefault(kind, {})[name] = array
    vars(state.optimizer).update(header["optimizer"])
    state.rng.bit_generator.state, state.history = header["random"], header["history"]
    n_labels = max(2, state.network.dense.n_output)
    state.classes = as_labels("classes", header["classes"]).reshape(n_labels)


def _as_json(value):
    """Write what JSON does not know."""
    if (cls := type(value)) in _CLASSES.values():
        known = [name for name in inspect.signature(cls).parameters if name in vars(value)]
        return {"class": cls.__name__} | {name: getattr(value, name) for name in known}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Activation | np.dtype):
        return value.name
    raise TypeError(f"cannot be saved, since its class is not rnn_lib's: {value!r}")


def _from_json(value):
    if not isinstance(value, dict):
        return tuple(value) if isinstance(value, list) else value
    return _CLASSES[value["class"]](**{n: v for n, v in value.items() if n != "class"})
