"""The benchmark of accuracy and lesson 5, which are one program: its parts do what they say, every
setting runs, and the table that docs/results.md and the lesson quote is the one that was printed.
"""

import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnn_lib import (
    Adam,
    ImdbData,
    LastState,
    RecurrentNetwork,
    RowGradient,
    Sequences,
    SimpleRNN,
    Vocabulary,
    get_loss,
    linear_decay,
    numeric_gradient,
)
from rnn_lib.layers import Dense

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.lesson5


def load_benchmark():
    spec = importlib.util.spec_from_file_location("accuracy", ROOT / "benchmarks" / "accuracy.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


accuracy = load_benchmark()


def tiny_reviews(n=40, seed=0):
    """Reviews of a few words, of which one tells the label; each third one is unlabeled."""
    rng = np.random.default_rng(seed)
    filler = ["the", "film", "was", "rather", "long", "and", "then", "over"]
    rows = []
    for i in range(n):
        words = rng.choice(filler, rng.integers(3, 60)).tolist()
        words.insert(rng.integers(len(words)), ["awful", "great"][i % 2])
        rows.append({"review": " ".join(words), "label": ["neg", "pos"][i % 2]})
    table = pd.DataFrame(rows)
    vocabulary = Vocabulary.from_texts(table["review"])
    x, y = vocabulary.encode_all(table["review"]), (table["label"] == "pos").to_numpy(int)
    data = ImdbData(x, y, x, y, x, y, vocabulary)
    return accuracy.Reviews(data, table, table.assign(label="unsup"), table)


@pytest.fixture(scope="module")
def lesson():
    return accuracy.Lesson5(tiny_reviews(), seed=0).run(train=True)


def rungs_of_the_ladder():
    code = "\n".join(source for _, source in accuracy._ladder_cells())
    return re.findall(r'climb\("([^"]+)"', code)


def test_the_ladder_is_the_lessons_with_one_rung_before_it_and_one_above_it():
    notebook = json.loads((accuracy.NOTEBOOKS / "05_from_61_to_90.ipynb").read_text("utf-8"))
    code = "\n".join("".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code")
    before, *lesson, above = rungs_of_the_ladder()
    assert (before, above) == ("the earlier notebook", "word pairs")
    assert lesson == re.findall(r'climb\("([^"]+)"', code)


# -- the benchmark ------------------------------------------------------------------------


def test_benchmark_climbs_every_rung_of_the_lesson(lesson):
    assert list(lesson.results) == rungs_of_the_ladder()
    for result in lesson.results.values():
        assert 0 <= result.accuracy <= 100
        assert result.seconds > 0


def test_each_rung_changes_what_its_name_says(lesson):
    """Parameters tell: the embedding frozen, trained, narrower, larger, with pairs."""
    n = {name: result.parameters for name, result in lesson.results.items()}
    assert n["gradients clipped"] == 32 * (128 + 32 + 1) + 2 * 33
    assert n["train the embedding"] - n["gradients clipped"] == 10_000 * 128
    assert n["smaller and faster"] == 10_000 * 32 + 32 * (32 + 32 + 1) + 2 * 33
    assert n["20,000 words"] - n["smaller and faster"] == 10_000 * 32
    assert n["64 units"] == 20_000 * 64 + 64 * (64 + 64 + 1) + 2 * 65
    assert n["word pairs"] > n["64 units"]


def test_benchmark_trains_for_four_epochs_and_for_five_on_the_last_rungs():
    for until, expected in [("20,000 words", 4), ("64 units", 5), (None, 5)]:
        names = accuracy.Lesson5(tiny_reviews(), seed=0).run(train=False, until=until).names
        assert names["settings"]["n_epochs"] == expected
        assert names["settings"]["lr"](1.5) == linear_decay(2e-3, n_epochs=expected)(1.5)


@pytest.mark.parametrize("name", accuracy.SETTINGS)
def test_every_setting_runs_and_learns_an_easy_task(name):
    until = None if name == "minute" else "64 units"
    lesson = accuracy.Lesson5(tiny_reviews(2000), seed=1).run(train=False, until=until)
    assert not lesson.results  # only the settings changed
    result = accuracy.SETTINGS[name](lesson)
    assert result.accuracy > 85


def test_linear_models_learn_an_easy_task(lesson):
    results = accuracy.linear_models(lesson)
    assert [r.accuracy for r in results.values()] == [100, 100]


def test_fast_setting_reads_fewer_words_only_in_training():
    lesson = accuracy.Lesson5(tiny_reviews(), seed=0).run(train=False, until="64 units")
    before = dict(lesson.names["reading"])
    accuracy.fast(lesson)
    assert lesson.names["reading"] == before


def test_table_is_quoted_as_the_benchmark_printed_it():
    table = json.loads(accuracy.RESULTS.read_text("utf-8"))
    notebook = json.loads((accuracy.NOTEBOOKS / "05_from_61_to_90.ipynb").read_text("utf-8"))
    (cell,) = (c for c in notebook["cells"] if c["id"] == "test-table")
    rows = accuracy.markdown_rows(table)
    assert [line for line in "".join(cell["source"]).splitlines() if line.startswith("| ")] == [
        *accuracy.TABLE_HEAD,
        *rows,
    ]
    results = (ROOT / "docs" / "results.md").read_text("utf-8")
    measured = results.split("## Accuracy")[1].split("\n## ")[0]
    quoted = [line for line in measured.splitlines() if line.startswith("| ")][2:]
    assert len(quoted) >= 5
    assert set(quoted) <= set(rows)


def test_readme_says_in_a_sentence_what_the_tables_say():
    readme = (ROOT / "README.md").read_text("utf-8")
    results = (ROOT / "docs" / "results.md").read_text("utf-8")
    lesson_4, best, pairs = (
        round(float(re.search(rf"^\| {name} \| ([\d.]+)", results, re.MULTILINE)[1]))
        for name in ("lesson-4", "beginner", "word pairs")
    )
    said = f"judges {lesson_4} of 100 test reviews right, lesson 5's best {best}, and {pairs} with"
    assert f"{said} word pairs;" in readme
    ratios = re.search(r"^\| rnn_lib : PyTorch, training \| (.*) \|$", results, re.MULTILINE)[1]
    ratios = sorted(10 * float(ratio) for ratio in ratios.split(" | "))
    least, most = np.floor(ratios[0]) / 10, np.ceil(ratios[-1]) / 10
    assert f"takes {least} to {most} of the time that PyTorch takes" in readme


def test_table_has_the_rungs_of_the_ladder():
    rows = json.loads(accuracy.RESULTS.read_text("utf-8"))["rows"]
    assert [name for name in rows if name in rungs_of_the_ladder()] == rungs_of_the_ladder()
    assert set(accuracy.SETTINGS) <= set(rows)


# -- the lesson's components ----------------------------------------------------------------


def test_earlier_adam_divides_by_constants(lesson):
    rng = np.random.default_rng(0)
    w, mean, square = np.ones(3), np.zeros(3), np.zeros(3)
    params, optimizer = {"w": w.copy()}, lesson.names["EarlierAdam"](lr=0.1)
    for _ in range(4):
        grad = rng.standard_normal(3)
        mean, square = 0.9 * mean + 0.1 * grad, 0.999 * square + 0.001 * grad**2
        w = w - 0.1 * (mean / (1 - 0.9)) / (np.sqrt(square / (1 - 0.999)) + 1e-8)
        optimizer.update(params, {"w": grad})
    assert np.allclose(params["w"], w, rtol=1e-12)


def test_word_deletion_keeps_the_order_and_about_half(lesson):
    x = Sequences.from_arrays([np.arange(1000), np.arange(2000, 2003), []])
    deletion = lesson.names["WordDeletion"](x, 0.5, seed=0)
    first, second = deletion[np.array([0, 2, 1])], deletion[np.array([0, 2, 1])]
    assert 400 < first.lengths[0] < 600
    assert (np.diff(first[0]) > 0).all()
    assert set(first[2]) <= {2000, 2001, 2002}
    assert first.lengths[1] == 0
    assert not np.array_equal(first[0], second[0])
    assert np.array_equal(x.lengths, [1000, 3, 0])  # the input is unchanged


def test_forgetful_adam_keeps_w_h_at_zero(lesson):
    params = {"rnn.W_h": np.ones((2, 2)), "rnn.W_x": np.ones((2, 2))}
    lesson.names["ForgetfulAdam"]().update(params, {k: np.ones((2, 2)) for k in params})
    assert (params["rnn.W_h"] == 0).all()
    assert (params["rnn.W_x"] < 1).all()


def test_word_pair_is_known_if_it_occurs_twice_inside_reviews(lesson):
    x = Sequences.from_arrays([[2, 3, 4], [], [2, 3], [4, 2], [3, 4]])
    pairs = lesson.names["WordPairs"](x, n_words=5)
    assert [divmod(code, 5) for code in pairs.known.tolist()] == [(2, 3), (3, 4)]
    encoded = pairs.encode(Sequences.from_arrays([[2, 3, 4, 2], [3, 2, 3]]))
    assert [ids.tolist() for ids in encoded] == [[2, 5, 6, 2], [3, 2, 5]]
    assert pairs.word_of[[5, 6]].tolist() == [3, 4]


def test_gradient_of_the_pair_embedding(lesson):
    x = Sequences.from_arrays([[2, 3, 4], [2, 3], [3, 4]])
    pairs = lesson.names["WordPairs"](x, n_words=5)
    embedding = lesson.names["WordPairEmbedding"](pairs, 3, rng=0)
    embedding.pairs.W[:] = np.random.default_rng(1).standard_normal(embedding.pairs.W.shape)
    network = RecurrentNetwork(SimpleRNN(3, 4, rng=2), LastState(), Dense(4, 2, rng=3), embedding)
    ids, loss = np.array([[2, 5, 6], [4, 2, 5]]), get_loss("softmax")

    def value():
        return loss.forward(network.forward(ids), np.array([0, 1]))

    value()
    network.backward(loss.backward())
    for name, grad in network.grads.items():
        full = np.array(grad) if isinstance(grad, RowGradient) else grad
        assert np.abs(full - numeric_gradient(value, network.params[name])).max() < 1e-8, name


def test_word_weights_are_naive_bayes_weights_times_a_learned_factor(lesson):
    """Against the same written with a full matrix of words and reviews."""
    rng = np.random.default_rng(3)
    x = Sequences.from_arrays([rng.integers(0, 6, rng.integers(1, 9)) for _ in range(30)])
    y = rng.integers(0, 2, 30)
    model = lesson.names["WordWeights"]().fit(x, y, n_words=6, n_steps=7)

    has = np.array([[word in ids for word in range(6)] for ids in x]).astype(float)
    positive, negative = 1 + has[y == 1].sum(0), 1 + has[y == 0].sum(0)
    r = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
    features = has * r / np.sqrt(has.sum(1, keepdims=True))
    params, optimizer = {"w": np.ones(6), "b": np.zeros(1)}, Adam(lr=0.1)
    for _ in range(7):
        error = (1 / (1 + np.exp(-features @ params["w"] - params["b"])) - y) / 30
        dw = features.T @ error + 1e-5 * params["w"]
        optimizer.update(params, {"w": dw, "b": error.sum(keepdims=True)})
    assert np.allclose(model.scores(x), features @ params["w"] + params["b"], atol=1e-12)
