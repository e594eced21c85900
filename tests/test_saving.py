"""A classifier as a file: the same one comes back, whatever happens while it is written."""

import io
import json
import os
import pickle
import signal
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest

from rnn_lib import SGD, Adam, Embedding, MeanState, ScratchRNNClassifier, linear_decay
from rnn_lib.storage import read_arrays, write_arrays

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
    for one in (model, twin):
        one.warm_start = False
        one.fit(x, y)
    assert np.array_equal(twin.predict_proba(x), model.predict_proba(x)), "and a new fit"


def test_labels_come_back(tmp_path):
    model = ScratchRNNClassifier(4, 2, n_epochs=1, seed=0).fit(X, np.where(Y > 0, 7, -4))
    model.save(tmp_path / "model.npz")
    assert load(tmp_path / "model.npz").classes_.tolist() == [-4, 7]


@pytest.mark.usefixtures("ctrl_c")
def test_an_interrupted_fit_is_gone_on_with_after_loading(tmp_path):
    whole = fitted(lr=0.1)
    stops = [True]

    def schedule(epoch):
        if stops and epoch > 0.5:
            signal.raise_signal(signal.SIGINT)
            stops.clear()
        return 0.1

    with pytest.warns(RuntimeWarning, match="interrupted"):
        model = fitted(lr=schedule)
    with pytest.warns(UserWarning, match="lr: a function cannot be saved; 0.1 is"):
        model.save(tmp_path / "model.npz")
    assert np.array_equal(load(tmp_path / "model.npz").fit(X, Y).predict_proba(X),
                          whole.predict_proba(X))  # fmt: skip


def test_what_cannot_be_saved_says_so_and_writes_nothing(tmp_path):
    class Mine(MeanState):
        pass

    with pytest.raises(ValueError, match="not fitted yet"):
        ScratchRNNClassifier().save(tmp_path / "model.npz")
    with pytest.raises(
        TypeError, match="readout: cannot be saved, since its class is not rnn_lib's"
    ):
        fitted(readout=Mine(2.0)).save(tmp_path / "model.npz")
    with pytest.raises(FileNotFoundError):
        fitted().save(tmp_path / "nowhere" / "model.npz")
    assert list(tmp_path.iterdir()) == []
    with pytest.warns(UserWarning, match="initializer: a function cannot be saved; 'gaussian' is"):
        fitted(initializer=lambda rng, shape: rng.uniform(-1, 1, shape)).save(tmp_path / "m.npz")


def test_what_could_not_be_read_again_is_not_written(tmp_path):
    model = fitted()
    model.n_nodes1 = 7
    with pytest.raises(ValueError, match="n_nodes1: the network was fitted with 4, got 7"):
        model.save(tmp_path / "model.npz")
    model = fitted()
    model.network_.dense.params["W"] = np.zeros((4, 5))
    with pytest.raises(ValueError, match="weights: expected the shapes"):
        model.save(tmp_path / "model.npz")
    model = fitted(optimizer="adam")
    model._optimizer.beta1 = 0.5
    with pytest.raises(TypeError, match=r"optimizer: cannot be saved with \['beta1'\] of its own"):
        model.save(tmp_path / "model.npz")
    assert list(tmp_path.iterdir()) == []


def test_numbers_of_numpy_are_saved_as_others(tmp_path):
    with pytest.warns(UserWarning, match="lr: a function cannot be saved; 0.25 is"):
        fitted(lr=lambda epoch: np.float32(0.25)).save(tmp_path / "model.npz")
    assert load(tmp_path / "model.npz").lr == 0.25


def test_others_may_read_the_file(saved):
    umask = os.umask(0)
    os.umask(umask)
    assert saved.stat().st_mode & 0o777 == 0o666 & ~umask


# -- killed while writing -----------------------------------------------------------------------

WRITES_FOR_EVER = """
import sys
import numpy as np
from rnn_lib import ScratchRNNClassifier
from {module} import {save}
models = [ScratchRNNClassifier.load(path) for path in sys.argv[1:3]]
print("ready", flush=True)
while True:
    for model in models:
        {call}
"""


def n_broken_of(n_kills, folder, **how):
    """Kill a process that saves two models in turns; count how often neither is there whole."""
    paths = [folder / "one.npz", folder / "two.npz", folder / "model.npz"]
    models = [fitted(embedding=(3000, 32), seed=seed) for seed in (1, 2)]
    for model, path in zip(models, paths, strict=False):
        model.save(path)
    models[0].save(paths[2])
    expected = [model.predict_proba(IDS).tolist() for model in models]
    rng, n_broken, seen = np.random.default_rng(0), 0, set()
    for _ in range(n_kills):
        code = WRITES_FOR_EVER.format(**how)
        process = subprocess.Popen([sys.executable, "-c", code, *paths], stdout=subprocess.PIPE)
        with process:
            process.stdout.readline()
            time.sleep(rng.uniform(0, 0.05))
            process.kill()
        try:
            seen.add(expected.index(load(paths[2]).predict_proba(IDS).tolist()))
        except ValueError:
            n_broken += 1
            models[0].save(paths[2])
    return n_broken, seen


def test_a_kill_at_any_moment_leaves_a_whole_file(tmp_path):
    how = dict(module="os", save="path", call="model.save(sys.argv[3])")
    n_broken, seen = n_broken_of(20, tmp_path, **how)
    assert n_broken == 0
    assert seen == {0, 1}, "both models were met"


def test_the_kills_would_break_a_file_that_is_written_in_place(tmp_path):
    """What the test above finds where saving is done without a second name."""
    how = dict(module="rnn_lib", save="storage", call="; ".join([
        "storage.os.replace = lambda a, b: open(b, 'wb').write(open(a, 'rb').read())",
        "model.save(sys.argv[3])",
    ]))  # fmt: skip
    assert n_broken_of(20, tmp_path, **how)[0] > 0


# -- files that are not ours --------------------------------------------------------------------


def altered(path, change):
    """Write the file anew with another header or other arrays."""
    header, arrays = read_arrays(path)
    change(header, arrays)
    write_arrays(path, header, arrays)


def setting(name, value):
    return lambda header, arrays: header["settings"].update({name: value})


def put(name, value):
    return lambda header, arrays: header.update({name: value})


def array(name, value):
    return lambda header, arrays: arrays.update({name: value})


@pytest.mark.parametrize(
    "change",
    [
        put("settings", {}),
        put("settings", None),
        put("settings", []),
        put("classes", [0, 1]),
        put("classes", [2, 1, 0]),
        put("classes", ["a", "b", "c"]),
        put("history", {"loss": ["?"]}),
        put("history", {}),
        put("optimizer", {}),
        put("optimizer", {"lr": 0.1, "n_updates": -1}),
        put("random", {}),
        put("random", {"bit_generator": "PCG64", "state": {"state": -1, "inc": 2**200}}),
        put("n_batches_done", "many"),
        put("epoch", [0, 0, 0.0]),
        put("epoch", 5),
        setting("n_nodes1", 10**9),
        setting("n_nodes1", -4),
        setting("n_nodes1", "4"),
        setting("n_nodes1", None),
        setting("n_output", 10**9),
        setting("embedding", [10**12, 10**6]),
        setting("embedding", [5]),
        setting("embedding", {"class": "Embedding", "trainable": True}),
        setting("readout", {"class": "os.system"}),
        setting("readout", {"class": "MeanState", "scale": -1}),
        setting("readout", {"class": "MeanState", "wrong": 1}),
        setting("readout", {"class": "Adam", "lr": 0.1}),
        setting("optimizer", {"class": "MeanState", "scale": 1}),
        setting("lr", {"class": "LinearDecay", "lr": 1, "n_epochs": 0}),
        setting("dtype", "object"),
        setting("dtype", "float32"),
        setting("activation", "exec"),
        setting("dropout", 7),
        setting("unheard_of", 1),
        array("weights.rnn.W_h", np.zeros((4, 5))),
        array("weights.rnn.W_h", np.zeros((4, 4), int)),
        array("weights.rnn.b", np.full(4, np.nan)),
        array("weights.rnn.W_x", np.array(1.0)),
        array("weights.dense.W", np.zeros((0, 3))),
        array("mean.rnn.W_h", np.zeros(3)),
        array("../../etc/passwd", np.zeros(3)),
        array("weights.__class__.__init__", np.zeros(3)),
        lambda header, arrays: arrays.pop("weights.rnn.b"),
        lambda header, arrays: header.pop("random"),
    ],
)
def test_a_file_that_was_tampered_with_is_refused(saved, change):
    altered(saved, change)
    with pytest.raises(ValueError, match=r"model.npz: not a whole classifier"):
        load(saved)


def test_other_files_are_refused(saved):
    with pytest.raises(FileNotFoundError):
        load(saved.with_name("nowhere.npz"))
    content = saved.read_bytes()
    for cut in np.linspace(0, len(content) - 1, 100, dtype=int):
        saved.write_bytes(content[:cut])
        with pytest.raises(ValueError, match="not a file of rnn_lib, or damaged"):
            load(saved)
    write_arrays(saved, {"reviews": "abc"}, {"ids": np.arange(3)})
    with pytest.raises(ValueError, match="not a saved classifier"):
        load(saved)


def test_a_file_of_a_newer_version_asks_for_a_newer_library(saved):
    altered(saved, put("version", 2))
    with pytest.raises(ValueError, match=r"written by a newer rnn_lib .* upgrade rnn_lib"):
        load(saved)
    altered(saved, put("version", "1"))
    with pytest.raises(ValueError, match="not a saved classifier"):
        load(saved)


class Harmful:
    def __reduce__(self):
        return os.system, ("touch harmed",)


@pytest.mark.parametrize("where", ["array", "header", "file"])
def test_nothing_in_a_file_is_executed(saved, where, monkeypatch):
    monkeypatch.chdir(saved.parent)
    poison = pickle.dumps(Harmful())
    if where == "file":
        saved.write_bytes(poison)
    else:
        member = {"array": "weights.rnn.b.npy", "header": "header.json"}[where]
        npy = io.BytesIO()
        np.save(npy, np.array([Harmful()], dtype=object), allow_pickle=True)
        with zipfile.ZipFile(saved) as before:
            members = {name: before.read(name) for name in before.namelist()}
        members[member] = npy.getvalue() if where == "array" else poison
        with zipfile.ZipFile(saved, "w") as after:
            for name, content in members.items():
                after.writestr(name, content)
    with pytest.raises(ValueError):
        load(saved)
    assert not os.path.exists("harmed")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_short_file_asks_for_little_memory(saved):
    """Sizes that only the header claims are never asked for: it is refused in a small room."""
    altered(
        saved, lambda header, _: header["settings"].update(n_nodes1=60_000, embedding=[10**8, 3])
    )
    said = subprocess.check_output([sys.executable, "-c", IN_A_SMALL_ROOM, saved], text=True)
    assert "not a whole classifier" in said


IN_A_SMALL_ROOM = """
import resource, sys
from rnn_lib import ScratchRNNClassifier
pages = int(open("/proc/self/statm").read().split()[0])
room = pages * resource.getpagesize() + 200_000_000
resource.setrlimit(resource.RLIMIT_AS, (room, room))
try:
    ScratchRNNClassifier.load(sys.argv[1])
except ValueError as error:
    print(error)
"""


def test_the_header_is_small_and_readable(saved):
    with zipfile.ZipFile(saved) as opened:
        header = json.loads(opened.read("header.json"))
    assert header["settings"]["lr"] == {"class": "LinearDecay", "lr": 0.05, "n_epochs": 4}
    assert len(json.dumps(header)) < 2000
