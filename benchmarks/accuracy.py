"""Measure how many film reviews the networks of lessons 4 and 5 judge right.

    python benchmarks/accuracy.py                      every rung and setting, on the test reviews
    python benchmarks/accuracy.py beginner             one setting; --help lists them
    python benchmarks/accuracy.py --validate minute    on validation reviews: to choose settings
    python benchmarks/accuracy.py --validate ladder    the rungs alone, on validation reviews

The reviews are those that ``load_reviews()`` finds: set RNN_LIB_IMDB to the authors' archive for
their split (25,000 / 25,000). With --validate, 2,500 of the training reviews are held out by film
to judge on; without it they are trained on, too. The table is also written to ``accuracy.json``
beside this file, where one setting renews its row; the rungs on validation reviews to
``validation.json``.

The ladder is lesson 5's own, with one rung before it and one above it from its appendix: this runs
the notebooks' cells that are tagged "ladder", "ladder-begin" and "ladder-end".
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

import rnn_lib
from rnn_lib import (
    ImdbData,
    ScratchRNNClassifier,
    Sequences,
    Vocabulary,
    film_groups,
    hold_out,
    linear_decay,
    load_imdb,
    load_reviews,
    similar_length_batches,
)

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
CLIMB_CELL = "start-climb-function"  # of lesson 5: trains a rung; the benchmark has its own
RESULTS = Path(__file__).with_suffix(".json")
VALIDATION = RESULTS.with_name("validation.json")
SEEDS = (0, 1, 2)
N_EPOCHS = 4  # the lesson itself takes 2

TABLE_HEAD = [
    "| rung or setting | accuracy (%) | training (s) | parameters |",
    "| --- | --- | --- | --- |",
]

# Accuracy on the authors' test reviews, in per cent, as published.
PUBLISHED = {
    "LSTM, tuned (Dai and Le, 2015)": 86.5,
    "coRNN (Rusch and Mishra, 2021)": 87.4,
    "UnICORNN (Rusch and Mishra, 2021)": 88.4,
    "naive Bayes word pairs, SVM (Wang and Manning, 2012)": 91.22,
    "SA-LSTM, pre-trained on unlabeled reviews (Dai and Le, 2015)": 92.76,
}


@dataclass
class Result:
    """What one training gave: accuracy in per cent, seconds, number of parameters."""

    accuracy: float
    seconds: float
    parameters: int


@dataclass
class Reviews:
    """The reviews as ids, with those to judge on in ``x_val``, and as texts."""

    data: ImdbData
    labeled: pd.DataFrame
    unlabeled: pd.DataFrame
    judged: pd.DataFrame

    @classmethod
    def load(cls, validate: bool) -> "Reviews":
        """Read them; `validate` holds training reviews out to judge on."""
        data = load_imdb(max_features=20_000, maxlen=None, n_validation=2500 * validate)
        table = load_reviews()
        is_labeled, is_test = table["label"] != "unsup", table["type"] == "test"
        train, judged = table[is_labeled & ~is_test], table[is_labeled & is_test]
        unlabeled = table[~is_labeled]
        if validate:
            is_held_out = hold_out(train["label"], film_groups(train), 2500, seed=0)
            train, judged = train[~is_held_out], train[is_held_out]
            unlabeled = unlabeled[~unlabeled["film"].isin(judged["film"])]
        else:
            data = replace(data, x_val=data.x_test, y_val=data.y_test)
        return cls(data, train, unlabeled, judged)


class Lesson5:
    """Lesson 5's tagged cells, run on other reviews and with another seed."""

    def __init__(self, reviews: Reviews, seed: int) -> None:
        self.reviews, self.seed = reviews, seed
        self.names: dict = {"data": reviews.data, "seed": seed, "n_epochs": N_EPOCHS}
        self.results: dict[str, Result] = {}
        self.rung: str | None = None

    def run(self, train: bool, until: str | None = None) -> "Lesson5":
        """Run the cells, up to the rung `until`; without `train` only the settings change."""
        for cell_id, source in _ladder_cells():
            exec(compile(source, "lesson 5", "exec"), self.names)
            if cell_id == CLIMB_CELL:
                self.names["climb"] = self._climb if train else self._only_change
            if until is not None and self.rung == until:
                break
        return self

    def measure(self, training: dict, read: dict | None = None) -> Result:
        """Train as the settings say now, but for `training` and, while training, `read`."""
        usual = dict(self.names["reading"])
        self.names["change"](**(read or {}))
        x, y = self.names["read"]("train")
        x = self.names["reading"]["augment"](x)
        self.names["reading"].update(usual)
        model = ScratchRNNClassifier(**self.names["settings"] | {"verbose": 0} | training).fit(x, y)
        return _result(model, *self.names["read"]("val"))

    def _climb(self, name: str, **changes: object) -> None:
        self._only_change(name, **changes)
        self.results[name] = self.measure({})

    def _only_change(self, name: str, **changes: object) -> None:
        self.rung = name
        self.names["change"](**changes)


def beginner(lesson: Lesson5) -> Result:
    """Measure the ladder's last rung without word pairs."""
    return lesson.measure({})


def beginner_last(lesson: Lesson5) -> Result:
    """Measure the same judged by the last state alone."""
    return lesson.measure({"readout": "last"})


def without_memory(lesson: Lesson5) -> Result:
    """Measure the same with W_h kept at zero."""
    return lesson.measure({"optimizer": lesson.names["ForgetfulAdam"]()})


def gated(layer: str, **changes: object) -> Callable[[Lesson5], Result]:
    """Return what measures the same with a gated layer."""
    return lambda lesson: lesson.measure({"layer": layer} | changes)


def fast(lesson: Lesson5) -> Result:
    """Measure a small network on the last 250 words, in large batches."""
    few = {"n_epochs": 2, "batch_size": 128, "lr": linear_decay(6e-3, n_epochs=2)}
    small = {"embedding": (20_000, 32), "n_nodes1": 24, "dropout": 0.5}
    return lesson.measure(few | small, read={"maxlen": 250})


def lesson_4(lesson: Lesson5) -> Result:
    """Measure lesson 4's network."""
    names: dict = {}
    for _, source in tagged_cells(NOTEBOOKS / "04_imdb.ipynb", "benchmark"):
        exec(compile(source, "lesson 4", "exec"), names)
    model = names["model"]
    model.seed, model.verbose = lesson.seed, 0
    lesson.names["change"](augment=lesson.names["unchanged"])
    model.fit(*lesson.names["read"]("train"))
    return _result(model, *lesson.names["read"]("val"))


def linear_models(lesson: Lesson5) -> dict[str, Result]:
    """Measure sums of word weights, without and with pairs; they have no seed."""
    names, data = lesson.names, lesson.reviews.data
    kinds = {"words": (lambda x: x, 20_000)}
    kinds["words and pairs"] = names["words_and_pairs"], len(names["pairs"].word_of)
    results = {}
    for kind, (features, n_ids) in kinds.items():
        started = time.perf_counter()
        model = names["WordWeights"]().fit(features(data.x_train), data.y_train, n_ids)
        seconds = time.perf_counter() - started
        accuracy = 100 * np.mean((model.scores(features(data.x_val)) > 0) == data.y_val)
        results[f"sum of weights, {kind}"] = Result(float(accuracy), seconds, n_ids + 1)
    return results


def minute(lesson: Lesson5) -> Result:
    """Measure a network with word pairs that also learns from the unlabeled reviews.

    A linear model labels these; the quarter about which it is least sure is left out.
    Everything after the reading of the files counts as training: vocabulary, ids, pairs, teacher.
    """
    names, reviews, seed = lesson.names, lesson.reviews, lesson.seed
    if not len(reviews.unlabeled):
        raise SystemExit("minute needs the unlabeled reviews: set RNN_LIB_IMDB to the archive")
    started = time.perf_counter()
    y = (reviews.labeled["label"] == "pos").to_numpy(int)
    vocabulary = Vocabulary.from_texts(reviews.labeled["review"], 20_000)
    labeled = vocabulary.encode_all(reviews.labeled["review"])
    others = vocabulary.encode_all(reviews.unlabeled["review"])
    everything = Sequences(
        np.concatenate([labeled.ids, others.ids]),
        np.concatenate([labeled.offsets, labeled.offsets[-1] + others.offsets[1:]]),
    )
    pairs = names["pairs"] = names["WordPairs"](everything, len(vocabulary))
    features = names["words_and_pairs"]
    teacher = names["WordWeights"]().fit(features(labeled), y, len(pairs.word_of))
    scores = teacher.scores(features(others))
    is_sure = np.abs(scores) > np.quantile(np.abs(scores), 0.25)  # the rest would teach doubt
    rows = np.append(np.full(len(y), True), is_sure)
    y = np.append(y, scores[is_sure] > 0).astype(int)

    x = pairs.encode(names["last_words"](everything[rows], 800))
    model = ScratchRNNClassifier(
        n_nodes1=32,
        n_output=2,
        lr=linear_decay(2e-3, n_epochs=3),
        batch_size=64,
        n_epochs=3,
        embedding=names["WordPairEmbedding"](pairs, 32, rng=seed, dtype=np.float32),
        dropout=0.5,
        initializer=rnn_lib.orthogonal(0.9),
        readout=rnn_lib.MeanState(scale=30),
        optimizer=rnn_lib.Adam(),
        clip_norm=1.0,
        seed=seed,
        dtype=np.float32,
    ).fit(names["WordDeletion"](x, 0.65, seed), y)
    seconds = time.perf_counter() - started

    x_judged = pairs.encode(vocabulary.encode_all(reviews.judged["review"]))
    y_judged = (reviews.judged["label"] == "pos").to_numpy(int)
    return replace(_result(model, x_judged, y_judged), seconds=seconds)


SETTINGS: dict[str, Callable[[Lesson5], Result]] = {
    "beginner": beginner,
    "beginner-last": beginner_last,
    "without-memory": without_memory,
    "lesson-4": lesson_4,
    "fast": fast,
    "minute": minute,
    "gru-last": gated("gru", readout="last"),
    "lstm-last": gated("lstm", readout="last"),
    "gru": gated("gru"),
    "lstm": gated("lstm"),
}


def torch_epoch(reviews: Reviews) -> float | None:
    """Time an epoch of torch.nn.RNN, 32 numbers and 32 units, on the last 400 words; the best way.

    The ways: dense or sparse gradients of the embedding, one thread or two. None without PyTorch.
    """
    try:
        import torch
    except ModuleNotFoundError:
        return None
    data = reviews.data
    sequences = [torch.from_numpy(ids[-400:].astype(np.int64)) for ids in data.x_train]
    labels = torch.from_numpy(data.y_train)
    lengths = np.minimum(data.x_train.lengths, 400)
    batches = similar_length_batches(lengths, 64, np.random.default_rng(0))
    best = np.inf
    for sparse, n_threads in ((False, 1), (False, 2), (True, 1), (True, 2)):
        torch.set_num_threads(n_threads)
        embedding = torch.nn.Embedding(20_000, 32, sparse=sparse)
        rnn, dense = torch.nn.RNN(32, 32), torch.nn.Linear(32, 2)
        others = [*rnn.parameters(), *dense.parameters()]
        if sparse:
            optimizers = [torch.optim.SparseAdam(embedding.parameters()), torch.optim.Adam(others)]
        else:
            optimizers = [torch.optim.Adam([*embedding.parameters(), *others])]
        started = time.perf_counter()
        for rows in batches:
            x = torch.nn.utils.rnn.pad_sequence([sequences[i] for i in rows])  # (T, N)
            n_steps = torch.from_numpy(lengths[rows])[:, None]
            h, _ = rnn(embedding(x))
            is_word = (torch.arange(len(x))[:, None] < n_steps[:, 0])[..., None]
            scores = dense(30 * (h * is_word).sum(0) / n_steps)
            for optimizer in optimizers:
                optimizer.zero_grad()
            torch.nn.functional.cross_entropy(scores, labels[rows]).backward()
            torch.nn.utils.clip_grad_norm_(others, 1.0)
            for optimizer in optimizers:
                optimizer.step()
        best = min(best, time.perf_counter() - started)
    return best


def main() -> None:
    """Measure one setting or all of them, print a table, and write the whole one to a file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("setting", nargs="?", choices=["ladder", *SETTINGS], help="default: all")
    parser.add_argument("--validate", action="store_true", help="judge on validation reviews")
    arguments = parser.parse_args()
    reviews = Reviews.load(arguments.validate)
    n_train, n_judged = len(reviews.labeled), len(reviews.judged)
    part = "validation" if arguments.validate else "test"
    print(f"{n_train:,} training and {n_judged:,} {part} reviews, {os.cpu_count()} cores")

    rows: dict[str, list[Result]] = {}
    torch_seconds = []
    for seed in tqdm(SEEDS, desc="seeds"):
        results = {}
        if arguments.setting in (None, "ladder"):
            ladder = Lesson5(reviews, seed).run(train=True)
            results = ladder.results
            if arguments.setting is None and seed == SEEDS[0]:
                results = results | linear_models(ladder)
        others = {None: list(SETTINGS), "ladder": []}.get(arguments.setting, [arguments.setting])
        for name in others:
            until = None if name == "minute" else "64 units"
            results[name] = SETTINGS[name](Lesson5(reviews, seed).run(train=False, until=until))
            if name == "fast":
                torch_seconds.append(torch_epoch(reviews))
        for name, result in results.items():
            rows.setdefault(name, []).append(result)
            tqdm.write(f"seed {seed}: {name:30} {result.accuracy:.2f} %, {result.seconds:.1f} s")

    table = {
        "split": f"{n_train:,} training and {n_judged:,} {part} reviews",
        "cores": os.cpu_count(),
        "torch_epoch_seconds": _median(torch_seconds),
        "rows": {name: _summary(results) for name, results in rows.items()},
        "published": PUBLISHED,
    }
    print("\n".join([*TABLE_HEAD, *markdown_rows(table)]))
    if table["torch_epoch_seconds"]:
        print(f"one epoch of torch.nn.RNN takes {table['torch_epoch_seconds']:.1f} s (see fast)")
    if arguments.setting in SETTINGS and not arguments.validate:
        known = json.loads(RESULTS.read_text(encoding="utf-8"))
        table = known | {"rows": known["rows"] | table["rows"]}
    if arguments.setting != "ladder" and not arguments.validate:
        RESULTS.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    if arguments.setting == "ladder" and arguments.validate:  # accuracies alone are quoted
        keys = ("accuracy", "spread", "seeds")
        rungs = {name: {key: row[key] for key in keys} for name, row in table["rows"].items()}
        rungs = {"split": table["split"], "rows": rungs}
        VALIDATION.write_text(json.dumps(rungs, indent=1) + "\n", encoding="utf-8")


def markdown_rows(table: dict) -> list[str]:
    """Write the results as rows of a Markdown table, the published ones below."""
    rows = []
    for name, row in table["rows"].items():
        spread = f" ± {row['spread']:.1f}" if row["seeds"] > 1 else ""
        rows.append(
            f"| {name} | {row['accuracy']:.1f}{spread} | {row['seconds']:.1f} "
            f"| {row['parameters']:,} |"
        )
    return rows + [f"| *{name}* | *{value}* | | |" for name, value in table["published"].items()]


def _summary(results: list[Result]) -> dict:
    accuracies = [r.accuracy for r in results]
    return {
        "accuracy": round(float(np.mean(accuracies)), 3),
        "spread": round(float(np.std(accuracies, ddof=1)), 3) if len(results) > 1 else None,
        "seeds": len(results),
        "seconds": round(float(np.mean([r.seconds for r in results])), 2),
        "parameters": results[0].parameters,
    }


def _median(seconds: list[float | None]) -> float | None:
    return round(float(np.median(seconds)), 2) if seconds and None not in seconds else None


def _result(model: ScratchRNNClassifier, x: Sequences, y: np.ndarray) -> Result:
    parameters = sum(p.size for p in model.network_.params.values())
    return Result(100 * model.score(x, y), sum(model.history_["seconds"]), parameters)


def _ladder_cells() -> list[tuple[str, str]]:
    """Return id and source of the ladder's cells: lesson 5's, and those of its appendix."""
    lesson = tagged_cells(NOTEBOOKS / "05_from_61_to_90.ipynb", "ladder")
    start = 1 + [cell_id for cell_id, _ in lesson].index(CLIMB_CELL)
    appendix = NOTEBOOKS / "appendix_side_steps.ipynb"
    before, above = (tagged_cells(appendix, f"ladder-{end}") for end in ("begin", "end"))
    return [*lesson[:start], *before, *lesson[start:], *above]


def tagged_cells(notebook: Path, tag: str) -> list[tuple[str, str]]:
    """Return id and source of the cells of a notebook that have this tag."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    tagged = [cell for cell in cells if tag in cell["metadata"].get("tags", [])]
    return [(cell["id"], "".join(cell["source"])) for cell in tagged]


if __name__ == "__main__":
    main()
