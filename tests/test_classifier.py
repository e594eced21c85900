"""The classifier: the assignment's call, labels, settings, and what a fit must not do."""

import copy
import inspect
import json
import os
import pickle
import signal
import subprocess
import sys

import numpy as np
import pytest
from jupyter_client import KernelManager
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from threadpoolctl import threadpool_info

from rnn_lib import (
    GRU,
    LSTM,
    SGD,
    Adam,
    Embedding,
    MeanState,
    ScratchRNNClassifier,
    Sequences,
    SimpleRNN,
    gaussian,
    get_loss,
    linear_decay,
    training_step,
)
from rnn_lib.training import one_blas_thread

pytestmark = pytest.mark.lesson3

TINY = np.array([[[1, 2], [2, 3], [3, 4]]]) / 100


def first_symbol_task(n, T=6, n_symbols=3, seed=0):
    """Sequences of symbols 1 .. n_symbols; the label is the first symbol."""
    ids = np.random.default_rng(seed).integers(1, n_symbols + 1, (n, T))
    return ids, ids[:, 0] - 1


def one_hot(ids, n_symbols=3):
    return np.eye(n_symbols)[ids - 1]


def sum_sign_task(n, T=5, seed=0):
    x = np.random.default_rng(seed).standard_normal((n, T, 2))
    return x, (x.sum((1, 2)) > 0).astype(int)


# -- the assignment's call ------------------------------------------------------------------------


def test_the_constructor_is_the_assignments():
    settings = inspect.signature(ScratchRNNClassifier).parameters
    asked = dict(n_nodes1=4, n_output=3, sigma=0.01, lr=0.001, batch_size=1, n_epochs=30)
    assert {name: settings[name].default for name in list(settings)[:6]} == asked
    fit = inspect.signature(ScratchRNNClassifier.fit).parameters
    assert list(fit) == ["self", "x", "y", "X_val", "y_val"]


def test_one_label_for_the_sequence():
    model = ScratchRNNClassifier(lr=0.1, seed=0).fit(TINY, [1])
    assert np.array_equal(model.predict(TINY), [1])
    assert model.history_["loss"][-1] < model.history_["loss"][0]
    assert len(model.history_["loss"]) == 30


def test_one_label_for_each_step():
    model = ScratchRNNClassifier(
        readout="all", lr=0.5, n_epochs=400, initializer="uniform", seed=0
    ).fit(TINY * 100, [[1, 2, 3]])
    assert np.array_equal(model.predict(TINY * 100), [[1, 2, 3]])
    assert model.predict_proba(TINY).shape == (1, 3, 3)


def test_three_labels_for_one_sequence_are_refused_with_both_meanings():
    with pytest.raises(ValueError) as error:
        ScratchRNNClassifier().fit(TINY, np.array([1, 2, 3]))
    for part in (
        "one label per sequence has the shape (1,)",
        'per time step (1, 3), with readout="all"',
    ):
        assert part in str(error.value)


def test_epoch_lines(capsys):
    x, y = sum_sign_task(20)
    ScratchRNNClassifier(4, 2, n_epochs=2, verbose=1, seed=0).fit(x, y, x, y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("epoch   2/2: loss 0.692")
    assert "val_accuracy" in lines[1]


# -- labels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("labels", [(0, 1), (-1, 1), (4, 7)])
def test_labels_come_back_as_they_went_in(labels):
    x, y = sum_sign_task(60)
    y = np.array(labels)[y]
    model = ScratchRNNClassifier(4, 2, lr=0.02, optimizer="adam", seed=0).fit(x, y)
    assert set(model.predict(x)) == set(labels)
    assert model.score(x, y) == np.mean(model.predict(x) == y) > 0.9


@pytest.mark.parametrize("readout", ["last", "mean"])
@pytest.mark.parametrize(("output", "n_output"), [("softmax", 2), ("sigmoid", 1), ("sigmoid", 2)])
def test_outputs_and_readouts_learn(readout, output, n_output):
    x, y = sum_sign_task(100)
    model = ScratchRNNClassifier(
        8, n_output, sigma=0.3, lr=0.02, batch_size=10, readout=readout, output=output,
        optimizer="adam", seed=0,
    ).fit(x, y)  # fmt: skip
    assert model.score(x, y) > 0.9
    proba = model.predict_proba(x)
    assert proba.shape == (100, 2)
    assert np.array_equal(proba.argmax(1), model.predict(x))
    if (output, n_output) != ("sigmoid", 2):
        assert np.allclose(proba.sum(1), 1)


@pytest.mark.parametrize(
    ("change", "y", "message"),
    [
        ({}, [5, 6, 7, 8], r"y: expected labels 0 to 2, or 3 different ones; got 4"),
        ({}, [0, 1, 2], r"y: expected shape \(4,\), got \(3,\)"),
        ({}, [[0], [1], [2], [0]], r"y: expected shape \(4,\), got \(4, 1\)"),
        ({}, ["a", None, "c", "a"], r"y: expected integers, whole floats, booleans or strings"),
        ({}, [0.5, 1, 2, 0], r"y: expected integers, whole floats"),
        ({"readout": "all"}, [0, 1, 2, 0], r"y: expected shape \(4, 3\), got \(4,\)"),
        ({"optimizer": "adma"}, [0, 1, 2, 0], r"optimizer: expected .*got 'adma'"),
        ({"readout": "first"}, [0, 1, 2, 0], r"readout: expected .*got 'first'"),
        ({"output": "relu"}, [0, 1, 2, 0], r"output: expected .*got 'relu'"),
        ({"lr": -1.0}, [0, 1, 2, 0], r"lr: expected a number above 0, got -1.0"),
        ({"sigma": 0}, [0, 1, 2, 0], r"sigma: expected a number above 0, got 0"),
        ({"batch_size": 0}, [0, 1, 2, 0], r"batch_size: expected at least 1, got 0"),
        ({"n_epochs": 1.5}, [0, 1, 2, 0], r"n_epochs: expected a whole number, got 1.5"),
        ({"n_output": 1}, [0, 1, 0, 0], r"n_output: expected at least 2, got 1"),
        ({"embedding": 5}, [0, 1, 0, 0], r"embedding: expected \(n_words, n_features\)"),
        ({"clip_norm": -1.0}, [0, 1, 2, 0], r"clip_norm: expected a number above 0, got -1.0"),
        ({"dropout": 1.5}, [0, 1, 2, 0], r"dropout: expected a number from 0 to below 1"),
        ({"dropout": "half"}, [0, 1, 2, 0], r"dropout: expected a number, got 'half'"),
        ({"seed": -1}, [0, 1, 2, 0], r"seed: expected at least 0, got -1"),
        ({"seed": 1.5}, [0, 1, 2, 0], r"seed: expected a whole number, got 1.5"),
        ({"dtype": int}, [0, 1, 2, 0], r"dtype: expected float32 or float64"),
        ({"dtype": "foo"}, [0, 1, 2, 0], r"dtype: expected float32 or float64, got 'foo'"),
        ({"dtype": np.float16}, [0, 1, 2, 0], r"dtype: expected float32 or float64"),
        ({"readout": MeanState}, [0, 1, 2, 0], r"readout: expected an object .*got <class"),
        ({"optimizer": Adam}, [0, 1, 2, 0], r"optimizer: expected an object .*got <class"),
        ({"embedding": Embedding}, [0, 1, 2, 0], r"embedding: expected .*got <class"),
        (
            {"initializer": lambda rng, shape: 0},
            [0, 1, 2, 0],
            r"initializer: expected shape \(2, 4",
        ),
        ({"initializer": lambda rng, shape: None}, [0, 1, 2, 0], r"initializer: expected real"),
        ({"lr": lambda epoch: 1 - 2 * epoch}, [0, 1, 2, 0], r"lr: expected a number of at least 0"),
        ({}, [[0], [1, 2], [0], [1]], r"y: expected one rectangular array"),
        ({}, np.array([2**64 - 1, 0, 1, 2], np.uint64), r"y: expected labels 0 to 2"),
        ({}, None, r"y: expected integers"),
        ({"verbose": 3}, [0, 1, 2, 0], r"verbose: expected 0 .*got 3"),
    ],
)
def test_fit_rejects_bad_settings_and_labels(change, y, message):
    x = np.random.default_rng(0).standard_normal((4, 3, 2))
    with pytest.raises((ValueError, TypeError), match=message):
        ScratchRNNClassifier(**change).fit(x, y)


@pytest.mark.parametrize(
    "setting", [{}, {"output": "relu"}, {"optimizer": "adma"}, {"clip_norm": 0}, {"verbose": 3}]
)
def test_rejected_fit_keeps_the_earlier_one(setting):
    x, y = sum_sign_task(30)
    model = ScratchRNNClassifier(4, 2, n_epochs=2, seed=0).fit(x, y)
    before = model.predict_proba(x)
    vars(model).update(setting)
    with pytest.raises(ValueError, match=f"^{next(iter(setting), 'X_val')}: expected"):
        model.fit(x, y, x if setting else x[..., :1], y)
    assert np.array_equal(model.predict_proba(x), before)


IDS = np.array([[3, 1, 2], [2, 4, 0], [1, 2, 3], [1, 1, 4]])


@pytest.mark.parametrize(
    ("words", "x", "message"),
    [
        (False, [[1, 2], [3]], r"x: expected one rectangular array"),
        (False, None, r"x: expected real numbers"),
        (False, np.ones((4, 3, 2)) * 1j, r"x: expected real numbers, got an array of complex128"),
        (False, np.ones((4, 3, 2), object), r"x: expected real numbers, got an array of object"),
        (False, np.ones((4, 0, 2)), r"x: expected shape \(N, T, .\), got \(4, 0, 2\)"),
        (False, np.full((4, 3, 2), np.nan), r"x: expected finite numbers"),
        (False, np.full((4, 3, 2), np.inf), r"x: expected finite numbers"),
        (True, IDS - 2, r"x: expected 0 to 4, got -1"),
        (True, IDS + 1, r"x: expected 0 to 4, got 5"),
        (True, IDS / 2, r"x: expected integers, got an array of float64"),
        (True, IDS.astype(np.uint64) + 2**40, r"x: expected 0 to 4, got"),
        (True, IDS[0], r"x: expected shape \(N, T\), got \(3,\)"),
        (True, IDS[..., None], r"x: expected shape \(N, T\), got \(4, 3, 1\)"),
        (True, [[1], [2, 9], [3], [1]], r"x: expected 0 to 4, got 9"),
        (True, ["ab", "c", "d", "e"], r"x\[0\]: expected integers"),
        (True, None, r"x: expected several arrays, got None"),
        (True, [], r"x: expected at least one sequence"),
    ],
)
def test_bad_sequences_are_rejected_before_training(words, x, message):
    y = [0, 1, 2, 0]
    model = ScratchRNNClassifier(n_epochs=1, embedding=(5, 2) if words else None, seed=0)
    with pytest.raises((ValueError, TypeError), match=message):
        model.fit(x, y)
    model.fit(IDS if words else np.ones((4, 3, 2)), y)
    before = weights(model)
    for ask in (model.predict, model.predict_proba, lambda x: model.fit(x, y)):
        with pytest.raises((ValueError, TypeError), match=message):
            ask(x)
    assert np.array_equal(weights(model), before)


@pytest.mark.parametrize("form", ["float16", "int", "bool", "F", "strided", "read-only", "list"])
def test_numbers_may_come_in_any_form(form):
    x, y = sum_sign_task(30)
    x = np.round(x) if form != "bool" else x > 0
    same = {
        "float16": lambda: x.astype(np.float16),
        "int": lambda: x.astype(np.int8),
        "bool": lambda: x,
        "F": lambda: np.asfortranarray(x),
        "strided": lambda: np.repeat(x, 2, axis=1)[:, ::2],
        "read-only": lambda: np.broadcast_to(x, x.shape),
        "list": x.tolist,
    }[form]()
    settings = dict(n_nodes1=4, n_output=2, n_epochs=2, seed=0)
    expected = ScratchRNNClassifier(**settings).fit(x.astype(float), y)
    model = ScratchRNNClassifier(**settings).fit(same, y)
    assert np.array_equal(weights(model), weights(expected))
    assert np.array_equal(model.predict_proba(same), expected.predict_proba(x.astype(float)))


def test_unused_label_is_allowed():
    x, y = sum_sign_task(60)
    model = ScratchRNNClassifier(4, 3, lr=0.1, seed=0).fit(x, 2 * y)
    assert model.predict_proba(x).shape == (60, 3)
    assert set(model.predict(x)) <= {0, 2}


@pytest.mark.parametrize("shape", [(1, 3, 2), (4, 1, 2), (1, 1, 1)])
def test_one_sequence_one_step_one_feature(shape):
    x = np.random.default_rng(0).standard_normal(shape)
    model = ScratchRNNClassifier(lr=0.5, batch_size=9, seed=0).fit(x, np.zeros(len(x), int))
    assert (model.predict(x) == 0).all()


def test_labels_seen_only_in_validation_are_refused():
    x, y = sum_sign_task(30)
    with pytest.raises(ValueError, match=r"y_val: expected labels among \[0, 1\], got 2"):
        ScratchRNNClassifier(4, 2).fit(x, y, x, y + 1)


def test_predicting_before_fitting_is_rejected():
    for ask in ("predict", "predict_proba"):
        with pytest.raises(ValueError, match="is not fitted: call fit"):
            getattr(ScratchRNNClassifier(), ask)(TINY)


# -- divergence and Ctrl-C ------------------------------------------------------------------------


def rising(good, bad, at_epoch):
    """Make a schedule that is far too large from some epoch on."""
    return lambda epoch: good if epoch < at_epoch else bad


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "adam"])
@pytest.mark.parametrize("validation", [False, True])
def test_diverging_fit_raises_and_keeps_the_earlier_one(optimizer, validation):
    x, y = sum_sign_task(40)
    more = sum_sign_task(40, seed=1) if validation else ()
    model = ScratchRNNClassifier(
        8, 2, 0.3, 0.01, 4, 2, activation="relu", optimizer=optimizer, warm_start=True, seed=0
    ).fit(x, y, *more)
    before, history = weights(model), copy.deepcopy(model.history_)
    for warm_start in (True, False):
        model.lr, model.n_epochs, model.warm_start = rising(0.01, 1e300, 3.5), 9, warm_start
        with pytest.raises(FloatingPointError, match=r"became \S+ in epoch 4, batch \d+ of 10"):
            model.fit(x, y, *more)
        assert np.array_equal(weights(model), before)
        assert model.history_ == history
    model.lr, model.n_epochs, model.warm_start = 0.01, 1, True
    assert len(model.fit(x, y, *more).history_["loss"]) == 3


def test_divergence_in_the_first_fit_leaves_the_classifier_unfitted():
    x, y = sum_sign_task(40)
    model = ScratchRNNClassifier(8, 2, lr=1e300, activation="relu", batch_size=4, seed=0)
    with pytest.raises(FloatingPointError, match="in epoch 1, batch .*: try a smaller lr, or clip"):
        model.fit(x, y)
    with pytest.raises(ValueError, match="is not fitted"):
        model.predict(x)


def test_weights_that_overflow_in_the_last_batch_are_noticed():
    ids, y = first_symbol_task(20)
    model = ScratchRNNClassifier(
        4, 3, embedding=(4, 3), sigma=0.5, lr=rising(0.1, 1e300, 0.9), batch_size=2, n_epochs=1,
        dtype=np.float32, seed=0,
    )  # fmt: skip
    with pytest.raises(FloatingPointError, match=r"the weights \S+ became infinite in epoch 1"):
        model.fit(ids, y)


def test_loss_far_above_guessing_warns():
    x, y = sum_sign_task(200)
    model = ScratchRNNClassifier(8, 2, lr=100.0, n_epochs=3, batch_size=10, seed=0)
    with pytest.warns(RuntimeWarning, match=r"of epoch 1 is \d+, that of guessing 0.693") as said:
        model.fit(x, y)
    assert len(said) == 1, "once, not for every epoch"


@pytest.mark.parametrize("optimizer", ["sgd", SGD(0.1)])
def test_a_schedule_may_start_at_zero(optimizer):
    x, y = sum_sign_task(40)
    model = ScratchRNNClassifier(
        4, 2, lr=lambda epoch: 0.1 * epoch, batch_size=10, n_epochs=2, optimizer=optimizer, seed=0
    )
    assert len(model.fit(x, y).history_["loss"]) == 2


class Interrupting:
    """A schedule that presses Ctrl-C before some batches: (epoch, batch), numbered from 0."""

    def __init__(self, lr, *batches, n_batches):
        self.lr, self.when = lr, [epoch + batch / n_batches for epoch, batch in batches]

    def __call__(self, epoch):
        if epoch in self.when:
            self.when.remove(epoch)
            signal.raise_signal(signal.SIGINT)
        return self.lr


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("batch", [(0, 1), (1, 0), (1, 3), (3, 7)])
def test_interrupted_fit_is_usable_and_can_be_resumed(batch, tmp_path):
    ids, y = first_symbol_task(50)  # 8 batches in an epoch
    model = word_model(lr=Interrupting(0.03, batch, n_batches=8), warm_start=True)
    with pytest.warns(RuntimeWarning, match=f"fit was interrupted in epoch {batch[0] + 1}"):
        assert model.fit(ids, y) is model
    assert all(len(values) == batch[0] for values in model.history_.values())
    assert np.isfinite(model.predict_proba(ids)).all()
    model.lr = 0.03
    model.save(tmp_path / "interrupted.npz")
    loaded = ScratchRNNClassifier.load(tmp_path / "interrupted.npz")
    for again in (model, loaded):
        assert len(again.fit(ids, y).history_["loss"]) == batch[0] + 4
    assert np.array_equal(weights(model), weights(loaded))


@pytest.mark.usefixtures("ctrl_c")
def test_an_ignored_interrupt_stays_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ids, y = first_symbol_task(50)
    model = word_model(lr=Interrupting(0.03, (0, 2), n_batches=8)).fit(ids, y)
    assert len(model.history_["loss"]) == 4
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


KERNEL_CODE = """
import numpy as np
from rnn_lib import ScratchRNNClassifier
x = np.random.default_rng(0).standard_normal((400, 20, 3))
y = (x.sum((1, 2)) > 0).astype(int)
settings = dict(n_nodes1=16, n_output=2, n_epochs=40, batch_size=8, seed=0)
"""


def test_the_kernel_of_a_notebook_is_interrupted():
    """In Jupyter: a cell that trains, the stop button, a cell that looks, one that goes on."""
    manager = KernelManager()
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)

    def run(code, interrupted=False):
        said = []

        def hear(message):
            if message["msg_type"] == "stream":
                if interrupted and not said:
                    manager.interrupt_kernel()
                said.append(message["content"]["text"])

        reply = client.execute_interactive(code, output_hook=hear, timeout=120)
        assert reply["content"]["status"] == "ok", reply["content"]
        return "".join(said)

    try:
        run(KERNEL_CODE + "model = ScratchRNNClassifier(**settings, warm_start=True, verbose=1)")
        assert "fit was interrupted in epoch" in run("model.fit(x, y);", interrupted=True)
        done = int(run("model.verbose = 0; print(len(model.history_['loss']))"))
        assert 1 <= done < 40
        assert run("model.fit(x, y); print(len(model.history_['loss']))") == f"{done + 40}\n"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


# -- sequences of words -------------------------------------------------------------------------


def test_arrays_lists_and_sequences_of_ids_are_read_alike():
    ids = np.array([[3, 1, 2, 0, 0], [2, 0, 0, 0, 0], [1, 2, 3, 1, 0]])
    as_list = [np.array([3, 1, 2]), np.array([2]), np.array([1, 2, 3, 1])]
    y = [0, 1, 1]
    model = ScratchRNNClassifier(4, 2, embedding=(4, 3), n_epochs=3, sigma=0.5, seed=0).fit(ids, y)
    expected = model.predict_proba(ids)
    assert np.array_equal(model.predict_proba(as_list), expected)
    assert np.array_equal(model.predict_proba(Sequences.from_arrays(as_list)), expected)
    alone = np.concatenate([model.predict_proba([one]) for one in as_list])
    assert np.allclose(alone, expected, rtol=0, atol=1e-12)


def test_zeros_in_front_are_read_as_words():
    model = ScratchRNNClassifier(4, 2, embedding=(4, 3), n_epochs=3, sigma=0.5, seed=0)
    model.fit(np.array([[3, 1, 2], [1, 1, 2]]), [0, 1])
    short, in_front = model.predict_proba(np.array([[3, 1, 0], [0, 3, 1]]))
    assert not np.allclose(short, in_front)


def test_a_sequence_without_words_is_answered():
    model = ScratchRNNClassifier(4, 2, embedding=(4, 3), n_epochs=1, seed=0)
    model.fit([np.array([1, 2]), np.array([], int)], [0, 1])
    assert model.predict_proba([np.array([], int)]).shape == (1, 2)
    assert np.isfinite(model.predict_proba(np.zeros((2, 3), int))).all()


def test_one_label_per_word_ignores_the_padding():
    rng = np.random.default_rng(0)
    x = [rng.integers(1, 4, rng.integers(1, 7)) for _ in range(60)]
    T = max(map(len, x))
    y = np.zeros((60, T), int)
    for row, ids in zip(y, x, strict=True):
        row[: len(ids)] = ids - 1
    model = ScratchRNNClassifier(
        8, 3, embedding=(4, 4), readout="all", optimizer="adam", lr=0.02, sigma=0.3,
        batch_size=10, n_epochs=40, seed=0,
    ).fit(x, y)  # fmt: skip
    assert model.score(x, y) == 1.0
    spoiled = y.copy()
    for row, ids in zip(spoiled, x, strict=True):
        row[len(ids) :] = 2
    assert model.score(x, spoiled) == 1.0
    assert model.predict(x).shape == (60, T)


class Shortened(Sequences):
    """Hands out more words of some sequences than of others, the short ones first."""

    def __getitem__(self, rows):
        return Sequences.from_arrays(
            [ids[: 1 + i % 4] for i, ids in enumerate(super().__getitem__(rows))]
        )


def test_a_subclass_of_sequences_may_change_what_is_read():
    """Lesson 5 deletes words that way. Batches then are no longer sorted; labels must follow."""
    ids, y = first_symbol_task(96)
    model = ScratchRNNClassifier(
        6, 3, lr=0.02, batch_size=16, optimizer="adam", embedding=(4, 5), readout="mean", seed=0
    )
    model.fit(Shortened(ids.ravel(), np.arange(0, ids.size + 1, ids.shape[1])), y)
    assert model.score([row[:1] for row in ids], y) == 1


def test_recall_through_an_embedding_and_through_vectors():
    ids, y = first_symbol_task(200)
    settings = dict(n_nodes1=12, n_output=3, sigma=0.3, lr=0.01, batch_size=10, n_epochs=40, seed=1)
    by_ids = ScratchRNNClassifier(embedding=(4, 3), optimizer="adam", **settings).fit(ids, y)
    by_vectors = ScratchRNNClassifier(optimizer="adam", **settings).fit(one_hot(ids), y)
    new_ids, new_y = first_symbol_task(200, seed=9)
    assert by_ids.score(new_ids, new_y) > 0.95
    assert by_vectors.score(one_hot(new_ids), new_y) > 0.95


# -- randomness, objects, going on --------------------------------------------------------------


def weights(model):
    return np.concatenate([value.ravel() for value in model.network_.params.values()])


def word_model(**change):
    settings = dict(n_nodes1=5, n_output=3, sigma=0.2, lr=linear_decay(0.05, 4), batch_size=7)
    settings |= dict(n_epochs=4, embedding=(4, 3), optimizer="adam", dropout=0.3, clip_norm=1.0)
    return ScratchRNNClassifier(**(settings | {"seed": 3} | change))


def test_the_same_seed_gives_the_same_weights_and_fit_starts_anew():
    ids, y = first_symbol_task(50)
    model = word_model().fit(ids, y)
    first = weights(model)
    assert np.array_equal(weights(model.fit(ids, y)), first)
    assert len(model.history_["loss"]) == 4
    assert not np.array_equal(weights(word_model(seed=4).fit(ids, y)), first)


@pytest.mark.parametrize("optimizer", ["sgd", "adagrad", "adam"])
def test_warm_start_equals_one_long_fit(optimizer):
    ids, y = first_symbol_task(50)
    whole = word_model(optimizer=optimizer).fit(ids, y)
    broken = word_model(optimizer=optimizer, n_epochs=1, warm_start=True)
    for _ in range(4):
        broken.fit(ids, y)
    assert np.array_equal(weights(broken), weights(whole))
    assert broken.history_["loss"] == whole.history_["loss"]


def test_a_rate_beside_an_optimizer_object_is_refused_unless_it_is_the_same_or_a_schedule():
    ids, y = first_symbol_task(50)
    for lr in (0.001, 0.01, linear_decay(0.5, 1)):  # the default, which nobody gave; the object's
        word_model(lr=lr, optimizer=Adam(0.01)).fit(ids, y)
    for optimizer, own in ((Adam(0.01), "0.01"), (Adam(), "0.001")):
        with pytest.raises(ValueError, match=f"lr: 0.5 has no effect: .* optimizer's own, {own}$"):
            word_model(lr=0.5, optimizer=optimizer).fit(ids, y)


def test_warm_start_takes_a_new_learning_rate_but_no_new_network():
    ids, y = first_symbol_task(50)
    model = word_model(lr=0.01, optimizer="sgd", warm_start=True).fit(ids, y)
    model.lr = 0.5
    model.fit(ids, y)
    assert model._state.optimizer.lr == 0.5
    before = weights(model)
    for name, other in [("n_nodes1", 6), ("embedding", (5, 3)), ("readout", "mean")]:
        kept = getattr(model, name)
        setattr(model, name, other)
        with pytest.raises(ValueError, match=f"{name}: the network was fitted with .*, got"):
            model.fit(ids, y)
        setattr(model, name, kept)
    assert np.array_equal(weights(model), before)


def test_the_number_of_threads_changes_no_bit():
    code = KERNEL_CODE + "import sys; model = ScratchRNNClassifier(**settings).fit(x, y)\n"
    code += "model.predict_proba(x).tofile(sys.stdout.buffer)"
    answers = [
        subprocess.check_output(
            [sys.executable, "-c", code],
            env=os.environ | {"OPENBLAS_NUM_THREADS": n, "OMP_NUM_THREADS": n},
        )
        for n in ("1", "2")
    ]
    assert answers[0] == answers[1]
    assert len(answers[0]) == 400 * 2 * 8


def test_a_fitted_classifier_can_be_pickled_and_copied():
    ids, y = first_symbol_task(50)
    model = word_model(warm_start=True, n_epochs=1).fit(ids, y)
    twins = [pickle.loads(pickle.dumps(model)), copy.deepcopy(model)]
    model.fit(ids, y)
    for twin in twins:
        assert np.array_equal(weights(twin.fit(ids, y)), weights(model))


def test_recurrent_layer_may_be_an_object():
    x, y = sum_sign_task(60)
    layer = SimpleRNN(2, 8, initializer=gaussian(0.3), rng=0)
    W_x = layer.params["W_x"].copy()
    model = ScratchRNNClassifier(99, 2, lr=0.02, layer=layer, optimizer="adam", seed=0).fit(x, y)
    assert model.network_.rnn.n_nodes == 8, "the object's, not the setting's"
    assert model.score(x, y) > 0.9
    assert np.array_equal(layer.params["W_x"], W_x), "a template, copied"
    for wrong in (SimpleRNN(3, 8), SimpleRNN(2, 8, dtype=np.float32)):
        with pytest.raises(ValueError, match="layer: expected n_features=2 and dtype=float64, got"):
            ScratchRNNClassifier(4, 2, layer=wrong).fit(x, y)
    with pytest.raises(ValueError, match="layer: expected a recurrent layer or one of .*'gur'"):
        ScratchRNNClassifier(4, 2, layer="gur").fit(x, y)


@pytest.mark.lesson6
@pytest.mark.parametrize(("name", "cls"), [("rnn", SimpleRNN), ("gru", GRU), ("lstm", LSTM)])
def test_recurrent_layer_may_be_a_name(name, cls):
    x, y = sum_sign_task(60)
    settings = {"lr": 0.02, "optimizer": "adam", "sigma": 0.3, "bptt_steps": 3, "seed": 0}
    model = ScratchRNNClassifier(8, 2, layer=name, **settings).fit(x, y)
    rnn = model.network_.rnn
    assert type(rnn) is cls
    assert (rnn.n_nodes, rnn.bptt_steps) == (8, 3)
    assert model.score(x, y) > 0.9


@pytest.mark.lesson6
def test_gates_remember_where_the_simple_layer_forgets():
    """The first of 30 symbols is asked for at the end: with log(30) as bias they learn it."""
    rng = np.random.default_rng(0)
    x = np.eye(5)[rng.integers(2, 5, (400, 30))]
    y = rng.integers(0, 2, 400)
    x[:, 0] = np.eye(5)[y]
    settings = {"lr": 0.01, "optimizer": "adam", "batch_size": 20, "n_epochs": 8, "seed": 0}
    accuracy = {}
    for layer in (
        SimpleRNN(5, 16, rng=0),
        GRU(5, 16, np.log(30), rng=0),
        LSTM(5, 16, np.log(30), rng=0),
    ):
        model = ScratchRNNClassifier(16, 2, layer=layer, clip_norm=1.0, **settings)
        accuracy[type(layer)] = model.fit(x, y).score(x, y)
    assert accuracy[GRU] == accuracy[LSTM] == 1
    assert accuracy[SimpleRNN] < 0.8


class Louder(SimpleRNN):
    """A layer with a forward of its own, which the network must call."""

    def forward(self, x, h0=None, lengths=None, training=False):
        return super().forward(2 * x, h0, lengths, training)


def test_network_calls_the_forward_of_a_subclass():
    x, y = sum_sign_task(20)
    usual, louder = (
        ScratchRNNClassifier(4, 2, layer=cls(2, 4, rng=0), n_epochs=1, lr=1e-9, seed=0).fit(x, y)
        for cls in (SimpleRNN, Louder)
    )
    assert np.allclose(usual.predict_proba(2 * x), louder.predict_proba(x), rtol=0, atol=1e-6)
    assert not np.allclose(usual.predict_proba(x), louder.predict_proba(x), rtol=0, atol=1e-6)


def test_training_step_returns_the_loss_before_the_update():
    x, y = sum_sign_task(20)
    network = ScratchRNNClassifier(4, 2, n_epochs=1, seed=0).fit(x, y).network_
    loss, lengths = get_loss("softmax"), np.full(20, 5)
    before = loss.forward(network.forward(x, lengths), y)
    assert training_step(network, loss, SGD(0.1), x, lengths, y, clip_norm=1.0) == before
    assert loss.forward(network.forward(x, lengths), y) < before


def test_scikit_learn_clones_and_searches():
    x, y = sum_sign_task(90)
    model = ScratchRNNClassifier(
        4, 2, lr=0.05, readout=MeanState(3), optimizer="adam", batch_size=10, n_epochs=3, seed=0
    )
    assert clone(model).get_params()["readout"].scale == 3
    assert len(cross_val_score(model, x, y, cv=3)) == 3
    search = GridSearchCV(model, {"n_epochs": [1, 30]}, cv=3).fit(x, y)
    assert search.best_params_ == {"n_epochs": 30}
    with pytest.raises(ValueError, match=r"set_params: no settings \['n_epoch'\]"):
        model.set_params(n_epoch=1)


def test_objects_passed_in_are_copied():
    ids, y = first_symbol_task(50)
    optimizer, embedding = Adam(0.01), Embedding(4, 3, rng=0)
    table, readout = embedding.W.copy(), MeanState(10)
    made = [
        word_model(lr=0.01, optimizer=optimizer, embedding=embedding, readout=readout).fit(ids, y)
        for _ in range(2)
    ]
    assert np.array_equal(embedding.W, table)
    assert optimizer.n_updates == 0
    assert np.array_equal(weights(made[0]), weights(made[1]))
    assert made[0].network_.readout.scale == 10


def test_predicting_draws_nothing_and_changes_nothing():
    ids, y = first_symbol_task(50)
    model = word_model().fit(ids, y)
    before, answers = weights(model).copy(), model.predict_proba(ids)
    assert np.array_equal(model.predict_proba(ids), answers)
    assert np.array_equal(weights(model), before)


def test_float32_stays_float32():
    ids, y = first_symbol_task(50)
    model = word_model(dtype=np.float32).fit(ids, y)
    assert {p.dtype for p in model.network_.params.values()} == {np.dtype(np.float32)}
    assert model.predict_proba(ids).dtype == np.float32


def test_importing_the_library_loads_nothing_heavy():
    code = "import sys, rnn_lib, json; print(json.dumps(list(sys.modules)))"
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", code]))
    assert not {"pandas", "matplotlib", "pooch", "tqdm", "torch", "sklearn"} & set(loaded)


@pytest.mark.skipif(sys.platform == "darwin", reason="Apple's own BLAS is not threadpoolctl's")
def test_training_uses_one_thread():
    def n_threads():
        blas = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
        assert blas, "threadpoolctl knows nothing of NumPy's BLAS, so that no limit acts"
        return max(blas)

    before = n_threads()
    with one_blas_thread():
        assert n_threads() == 1
    assert n_threads() == before


@pytest.mark.parametrize("layer", ["gru", "lstm"])
def test_an_activation_that_would_have_no_effect_is_refused(layer):
    model = ScratchRNNClassifier(4, 2, layer=layer, activation="relu")
    with pytest.raises(ValueError, match=f"activation: 'relu' has no effect on layer=\"{layer}\""):
        model.fit(np.ones((2, 3, 1)), [0, 1])
