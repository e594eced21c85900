"""A fitted classifier as a file, and back.

The file holds arrays and a header of plain JSON, nothing pickled (see :mod:`rnn_lib.storage`), so
that a file from somebody else can do no harm: objects are rebuilt from a short list of classes, and
every array must have the shape and type that the settings ask for before anything is made of them.
"""

import json
import os
import warnings
from typing import TYPE_CHECKING

import numpy as np

from rnn_lib.interrupt import Epoch
from rnn_lib.layers import Embedding
from rnn_lib.losses import get_loss
from rnn_lib.network import RecurrentNetwork
from rnn_lib.optimizers import SGD, AdaGrad, Adam, LinearDecay, Optimizer
from rnn_lib.readouts import AllStates, LastState, MeanState
from rnn_lib.storage import read_arrays, write_arrays
from rnn_lib.validation import as_integers, expect_between, expect_count, expect_finite

if TYPE_CHECKING:
    from rnn_lib.classifier import ScratchRNNClassifier

FORMAT, VERSION = "rnn_lib.ScratchRNNClassifier", 1

# What a setting may be besides numbers and names, and what makes it anew.
_OBJECTS = {
    LastState: (),
    MeanState: ("scale",),
    AllStates: (),
    SGD: ("lr",),
    AdaGrad: ("lr",),
    Adam: ("lr",),
    LinearDecay: ("lr", "n_epochs"),
    Embedding: ("trainable",),  # its table is an array
}
_CLASSES = {cls.__name__: cls for cls in _OBJECTS}

_AVERAGES = ("squares", "mean", "square")  # that an optimiser may keep


def save_classifier(model: "ScratchRNNClassifier", path: str | os.PathLike) -> None:
    """Write a fitted classifier; see :meth:`rnn_lib.ScratchRNNClassifier.save`."""
    names = list(model.__dataclass_fields__)
    odd = vars(model._optimizer).keys() - {"lr", "n_updates", *_AVERAGES}
    if odd:
        raise TypeError(f"optimizer: cannot be saved with {sorted(odd)} of its own")
    header = {
        "format": FORMAT,
        "version": VERSION,
        "settings": {name: _to_json(name, getattr(model, name), model) for name in names},
        "classes": model.classes_.tolist(),
        "history": model.history_,
        "optimizer": {"lr": float(model._optimizer.lr), "n_updates": model._optimizer.n_updates},
        "n_batches_done": model._n_batches_done,
        "random": model._rng.bit_generator.state,
    }
    arrays = {f"weights.{name}": array for name, array in _weights(model.network_).items()}
    for kind in _AVERAGES:
        averages = vars(model._optimizer).get(kind, {})
        arrays |= {f"{kind}.{name}": array for name, array in averages.items()}
    if isinstance(model.embedding, Embedding):  # the table that fit would start from anew
        arrays["embedding"] = model.embedding.W
    if model._epoch is not None:
        header["epoch"] = [model._epoch.n_before, model._epoch.n_done, model._epoch.seconds]
        arrays["epoch.sums"] = model._epoch.sums
        arrays["epoch.sizes"] = np.array([len(rows) for rows in model._epoch.batches])
        arrays["epoch.rows"] = np.concatenate(model._epoch.batches)
    # What could not be read again is not written.
    _rebuilt(type(model), json.loads(json.dumps(header)), dict(arrays))
    write_arrays(path, header, arrays)


def load_classifier(
    cls: type["ScratchRNNClassifier"], path: str | os.PathLike
) -> "ScratchRNNClassifier":
    """Read a classifier from a file; see :meth:`rnn_lib.ScratchRNNClassifier.load`."""
    header, arrays = read_arrays(path)
    version = header.get("version")
    if header.get("format") != FORMAT or not isinstance(version, int):
        raise ValueError(f"{path}: not a saved classifier")
    if version > VERSION:
        raise ValueError(
            f"{path}: written by a newer rnn_lib (its files have version {version}, this one "
            f"reads up to {VERSION}): upgrade rnn_lib"
        )
    try:
        return _rebuilt(cls, header, arrays)
    # A header that says other than it should can make Python stumble anywhere.
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: not a whole classifier: {error!r}") from error


def _rebuilt(
    cls: type["ScratchRNNClassifier"], header: dict, arrays: dict[str, np.ndarray]
) -> "ScratchRNNClassifier":
    """Make the classifier; each array is taken out of `arrays` where it is put to use."""
    for name, array in arrays.items():
        expect_finite(name, array)
    table = arrays.pop("embedding", None)
    settings = {name: _from_json(value, table) for name, value in header["settings"].items()}
    model = cls(**settings)
    if settings.keys() != model.__dataclass_fields__.keys():
        raise ValueError("settings are missing")

    model._rng = np.random.default_rng()
    model.network_ = _network(model, arrays)
    model._rng.bit_generator.state = header["random"]  # now: making the network drew from them
    model._loss = get_loss(model.output)
    model._optimizer = _optimizer(model, header["optimizer"], arrays)
    model.classes_ = as_integers("classes", header["classes"])
    if len(model.classes_) != max(2, model.n_output) or (np.diff(model.classes_) <= 0).any():
        raise ValueError("classes: expected one label for each output, in rising order")
    model.history_ = {name: list(map(float, of)) for name, of in header["history"].items()}
    if len({len(of) for of in model.history_.values()}) != 1 or "loss" not in model.history_:
        raise ValueError("history: expected lists of one length")
    model._n_batches_done = expect_count("n_batches_done", header["n_batches_done"], 0)
    model._epoch = _epoch(header.get("epoch"), arrays)
    model._made_of = model._fixed_settings()
    if arrays:
        raise ValueError(f"unknown arrays: {sorted(arrays)}")
    return model


def _network(model: "ScratchRNNClassifier", arrays: dict[str, np.ndarray]) -> RecurrentNetwork:
    """Make the network, with the weights that it had."""
    F = len(arrays["weights.rnn.W_x"])
    shapes = _shapes(model, F)  # before anything of the sizes that the settings claim is made
    weights = {name: arrays.pop(f"weights.{name}") for name in shapes}
    if any(array.shape != shapes[name] for name, array in weights.items()):
        raise ValueError(f"weights: expected the shapes {shapes}")
    network = model._new_network(F, model._rng)
    if any(weights[name].dtype != drawn.dtype for name, drawn in _weights(network).items()):
        raise ValueError(f"weights: expected {model.dtype}")
    if network.embedding is not None:
        network.embedding.W[...] = weights.pop("embedding.W")
    for name, array in weights.items():  # not copied into those drawn: order in memory counts
        layer, param = name.split(".")
        getattr(network, layer).params[param] = array
    return network


def _optimizer(
    model: "ScratchRNNClassifier", state: dict, arrays: dict[str, np.ndarray]
) -> Optimizer:
    """Make the optimiser, with the averages that it had."""
    optimizer, params = model._new_optimizer(), model.network_.params
    optimizer.lr = float(state["lr"])
    optimizer.n_updates = expect_count("n_updates", state["n_updates"], 0)
    for kind in _AVERAGES:
        kept = {name: arrays.pop(f"{kind}.{name}") for name in params if f"{kind}.{name}" in arrays}
        if any(array.shape != params[name].shape for name, array in kept.items()):
            raise ValueError(f"{kind}: averages of other shapes than the weights")
        if kept:
            setattr(optimizer, kind, kept)
    return optimizer


def _shapes(model: "ScratchRNNClassifier", F: int) -> dict[str, tuple[int, int] | tuple[int]]:
    """Return the shape of every weight of the network that the settings describe."""
    H, K = model.n_nodes1, model.n_output
    shapes = {"rnn.W_x": (F, H), "rnn.W_h": (H, H), "rnn.b": (H,)}
    shapes |= {"dense.W": (H, K), "dense.b": (K,)}
    if isinstance(model.embedding, Embedding):
        shapes["embedding.W"] = model.embedding.W.shape
    elif model.embedding is not None:
        shapes["embedding.W"] = model.embedding
    return shapes


def _weights(network: RecurrentNetwork) -> dict[str, np.ndarray]:
    """Return the parameters, and the table of an embedding that is none."""
    weights = network.params
    if network.embedding is not None:
        weights["embedding.W"] = network.embedding.W
    return weights


def _epoch(header: list | None, arrays: dict[str, np.ndarray]) -> Epoch | None:
    """Rebuild what an interrupted fit left."""
    if header is None:
        return None
    n_before, n_done, seconds = header
    sums, sizes, rows = (arrays.pop(f"epoch.{name}") for name in ("sums", "sizes", "rows"))
    is_whole = sizes.ndim == rows.ndim == 1 and sizes.min() >= 1 and sizes.sum() == len(rows)
    if not is_whole or sums.shape != (2,) or not np.array_equal(np.sort(rows), range(len(rows))):
        raise ValueError("epoch: its batches are not whole")
    expect_between("epoch", np.array([n_done]), 0, len(sizes))
    batches = np.split(as_integers("epoch", rows), sizes.cumsum()[:-1])
    return Epoch(expect_count("epoch", n_before, 0), batches, n_done, sums, float(seconds))


def _to_json(name: str, value: object, model: "ScratchRNNClassifier") -> object:
    """Write a setting as JSON can hold it."""
    if name == "dtype":
        return np.dtype(value).name
    if type(value) in _OBJECTS:
        fields = {n: _to_json(n, getattr(value, n), model) for n in _OBJECTS[type(value)]}
        return {"class": type(value).__name__} | fields
    if name in ("lr", "initializer") and callable(value):
        instead = float(model._optimizer.lr) if name == "lr" else "gaussian"
        warnings.warn(f"{name}: a function cannot be saved; {instead!r} is", stacklevel=5)
        return instead
    if isinstance(value, tuple | list):
        return [_to_json(name, element, model) for element in value]
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{name}: cannot be saved, since its class is not rnn_lib's: {value!r}")


def _from_json(value: object, table: np.ndarray | None) -> object:
    """Read a setting; `table` is the one of an embedding."""
    if not isinstance(value, dict):
        return tuple(value) if isinstance(value, list) else value
    cls = _CLASSES[value.pop("class")]
    if cls is not Embedding:
        return cls(**value)
    embedding = Embedding(*table.shape, dtype=table.dtype, **value)
    embedding.W[...] = table
    return embedding
