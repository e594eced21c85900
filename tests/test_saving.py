"""A classifier as a file: the same one comes back, whatever happens while it is written."""

import os
import pickle

import numpy as np
import pytest

from rnn_lib import (
    GRU,
    LSTM,
    SGD,
    Adam,
    Embedding,
    MeanState,
    ScratchRNNClassifier,
    SimpleRNN,
    linear_decay,
)
from rnn_lib.storage import read_arrays, write_arrays

pytestmark = pytest.mark.lesson4
FORMAT = ScratchRNNClassifier._format

RNG = np.random.default_rng(0)
IDS, Y = RNG.integers(1, 5, (50, 6)), RNG.integers(0, 3, 50)
X = RNG.standard_normal((50, 6, 2))

SETTINGS = [
    {},
    {"embedding": (5, 3), "optimizer": "adam", "dropout": 0.3, "lr": linear_decay(0.05, 4)},
    {"embedding": (5, 3), "optimizer": Adam(0.02), "readout": MeanState(3.0), "clip_norm": 1.0},
    {"embedding": Embedding(5, 3, rng=1), "optimizer": SGD(0.2), "dtype": np.float32},
    {"embedding": Embedding(5, 3, rng=1, trainable=False), "output": "sigmoid"},
    {"initializer": "orthogonal", "n_nodes1": 9, "activation": "relu", "bptt_steps": 2},
    {"layer": SimpleRNN(2, 6, "relu", 3, rng=2), "optimizer": "adagrad"},
    {"layer": "gru", "bptt_steps": 3, "dtype": np.float32},
    {"layer": "lstm", "embedding": (5, 3), "readout": "mean"},
    {"layer": GRU(2, 6, np.log(30), 3, rng=2), "optimizer": "adam"},
    {"layer": LSTM(2, 6, np.arange(6), rng=2), "optimizer": "adam"},
    {"readout": "all", "optimizer": "adagrad", "n_nodes1": np.int64(5), "lr": np.float64(0.1)},
]


def fitted(**change):
    settings = dict(n_output=3, sigma=0.3, n_epochs=2, batch_size=7, seed=3, warm_start=True)
    model = ScratchRNNClassifier(**(settings | change))
    return model.fit(*data_for(model))


def data_for(model):
    x = X if model.embedding is None else IDS
    return x, np.repeat(Y[:, None], 6, axis=1) if model.readout == "all" else Y


def load(path):
    return ScratchRNNClassifier.load(path)


@pytest.fixture
def saved(tmp_path):
    fitted(**SETTINGS[1]).save(tmp_path / "model.npz")
    return tmp_path / "model.npz"


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_same_classifier_comes_back(tmp_path, settings):
    model = fitted(**settings)
    model.save(tmp_path / "model.npz")
    twin, (x, y) = load(tmp_path / "model.npz"), data_for(model)
    assert np.array_equal(twin.predict_proba(x), model.predict_proba(x)), "to the last bit"
    assert np.array_equal(twin.predict(x), model.predict(x))
    assert twin.history_ == model.history_
    for one in (model, twin):
        one.fit(x, y)
    assert np.array_equal(twin.predict_proba(x), model.predict_proba(x)), "a warm start as well"
    if not isinstance(model.layer, str):
        return  # a layer is saved as its sizes; a new fit would draw other weights
    for one in (model, twin):
        one.warm_start = False
        one.fit(x, y)
    assert np.array_equal(twin.predict_proba(x), model.predict_proba(x)), "and a new fit"


def test_the_bias_that_a_layer_started_with_comes_back(tmp_path):
    for layer in (GRU(2, 3, 0.5), LSTM(2, 3, [1.0, 2.0, 4.0])):
        fitted(layer=layer).save(tmp_path / "model.npz")
        twin = load(tmp_path / "model.npz").layer
        again = twin.params.get("b", twin.params.get("b_x"))
        assert type(twin) is type(layer)
        assert np.array_equal(again, layer.params.get("b", layer.params.get("b_x")))


def test_labels_come_back(tmp_path):
    model = ScratchRNNClassifier(4, 2, n_epochs=1, seed=0).fit(X, np.where(Y > 0, 7, -4))
    model.save(tmp_path / "model.npz")
    assert load(tmp_path / "model.npz").classes_.tolist() == [-4, 7]


def test_unsavable_settings_write_nothing(tmp_path):
    class Mine(MeanState):
        pass

    with pytest.raises(ValueError, match="is not fitted"):
        ScratchRNNClassifier().save(tmp_path / "model.npz")
    with pytest.raises(
        TypeError, match="cannot be saved, since its class is not rnn_lib's: .*Mine"
    ):
        fitted(readout=Mine(2.0)).save(tmp_path / "model.npz")
    with pytest.raises(TypeError, match="cannot be saved, .* not rnn_lib's: .*MyLSTM"):
        fitted(layer=type("MyLSTM", (LSTM,), {})(2, 4)).save(tmp_path / "model.npz")
    with pytest.raises(FileNotFoundError):
        fitted().save(tmp_path / "nowhere" / "model.npz")
    assert list(tmp_path.iterdir()) == []
    with pytest.warns(UserWarning, match="initializer: a function cannot be saved; 'gaussian' is"):
        fitted(initializer=lambda rng, shape: rng.uniform(-1, 1, shape)).save(tmp_path / "m.npz")


def test_settings_that_no_longer_fit_the_network_are_not_written(tmp_path):
    model = fitted()
    model.n_nodes1 = 7
    with pytest.raises(ValueError, match="n_nodes1: the network was fitted with 4, got 7"):
        model.save(tmp_path / "model.npz")
    assert list(tmp_path.iterdir()) == []


def test_a_file_from_before_a_new_setting_loads_with_its_default(saved):
    altered(saved, lambda header, arrays: header["settings"].pop("clip_norm"))
    assert load(saved).clip_norm is None


def test_numbers_of_numpy_are_saved_as_others(tmp_path):
    with pytest.warns(UserWarning, match="lr: a function cannot be saved; 0.25 is"):
        fitted(lr=lambda epoch: np.float32(0.25)).save(tmp_path / "model.npz")
    assert load(tmp_path / "model.npz").lr == 0.25


def test_others_may_read_the_file(saved):
    umask = os.umask(0)
    os.umask(umask)
    assert saved.stat().st_mode & 0o777 == 0o666 & ~umask


# -- files that are not ours --------------------------------------------------------------------


def altered(path, change):
    """Write the file anew with another header or other arrays."""
    header, arrays = read_arrays(path)
    change(header[FORMAT], arrays)
    write_arrays(path, header, arrays)


def test_file_of_another_format_is_rejected(saved):
    header, arrays = read_arrays(saved)
    write_arrays(saved, {"rnn_lib.ScratchRNNClassifier 3": header[FORMAT]}, arrays)
    with pytest.raises(
        ValueError, match="not a ScratchRNNClassifier that this version of rnn_lib can read"
    ):
        load(saved)


def setting(name, value):
    return lambda header, arrays: header["settings"].update({name: value})


def put(name, value):
    return lambda header, arrays: header.update({name: value})


def array(name, value):
    return lambda header, arrays: arrays.update({name: value})


@pytest.mark.parametrize(
    "change",
    [
        put("settings", None),
        put("classes", [0, 1]),
        put("classes", [None, 1, 2]),
        put("optimizer", None),
        put("random", {}),
        put("random", {"bit_generator": "PCG64", "state": {"state": -1, "inc": 2**200}}),
        setting("n_nodes1", -4),
        setting("n_nodes1", "4"),
        setting("n_output", 4),
        setting("embedding", [5]),
        setting("readout", {"class": "os.system"}),
        setting("readout", {"class": "MeanState", "scale": -1}),
        setting("readout", {"class": "MeanState", "wrong": 1}),
        setting("dtype", "object"),
        setting("dtype", "float32"),
        setting("activation", "exec"),
        setting("dropout", 7),
        setting("unheard_of", 1),
        array("params.rnn.W_h", np.zeros((4, 5))),
        array("params.rnn.W_h", np.zeros((4, 4), int)),
        array("params.dense.W", np.zeros((0, 3))),
        array("mean.rnn.W_h", np.zeros(3)),
        array("params.__class__.__init__", np.zeros(3)),
        lambda header, arrays: arrays.pop("params.rnn.b"),
        lambda header, arrays: header.pop("random"),
    ],
)
def test_tampered_file_is_rejected(saved, change):
    altered(saved, change)
    with pytest.raises(
        ValueError, match=r"model.npz: not a ScratchRNNClassifier that this version of"
    ):
        load(saved)


def test_foreign_and_truncated_files_are_rejected(saved):
    with pytest.raises(FileNotFoundError):
        load(saved.with_name("nowhere.npz"))
    content = saved.read_bytes()
    for cut in np.linspace(0, len(content) - 1, 20, dtype=int):
        saved.write_bytes(content[:cut])
        with pytest.raises(ValueError, match="model.npz"):
            load(saved)
    write_arrays(saved, {"reviews": "abc"}, {"ids": np.arange(3)})
    with pytest.raises(ValueError, match="not a ScratchRNNClassifier"):
        load(saved)


class Harmful:
    def __reduce__(self):
        return os.system, ("touch harmed",)


@pytest.mark.parametrize("where", ["array", "file"])
def test_nothing_in_a_file_is_executed(saved, where, monkeypatch):
    monkeypatch.chdir(saved.parent)
    if where == "file":
        saved.write_bytes(pickle.dumps(Harmful()))
    else:
        with np.load(saved) as before:
            members = dict(before) | {"params.rnn.b": np.array([Harmful()], dtype=object)}
        np.savez(saved, **members)
    with pytest.raises(ValueError):
        load(saved)
    assert not os.path.exists("harmed")
