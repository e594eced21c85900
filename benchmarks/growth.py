"""Measure how time and memory of training grow with the sizes, and print the fitted exponents.

    python benchmarks/growth.py

Word ids are drawn as words occur: the r-th most frequent one with a probability near 1 / r. An
exponent of 1 means twice the size, twice the time; 0 means that the size does not matter. Memory is
what NumPy asks for during one training step, beyond what was there before it.
"""

import statistics
import time
import tracemalloc

import numpy as np
import pandas as pd
from tqdm import tqdm

from rnn_lib import ScratchRNNClassifier, Sequences

N_BATCHES, BATCH_SIZE = 4, 64
USUAL = {"T": 200, "N": N_BATCHES * BATCH_SIZE, "H": 32, "vocabulary": 20_000}
SIZES = {
    "T": (50, 100, 200, 400, 800, 1600),
    "N": (1_000, 2_500, 5_000, 10_000, 25_000),
    "H": (16, 32, 64, 128, 256),
    "vocabulary": (5_000, 10_000, 20_000, 50_000, 100_000),
}


def words(N: int, T: int, vocabulary: int) -> np.ndarray:
    """Draw word ids, shape (N, T), from 1 to vocabulary - 1."""
    uniform = np.random.default_rng(0).random((N, T))
    return (vocabulary**uniform).astype(np.int32).clip(1, vocabulary - 1)


def classifier(H: int, vocabulary: int) -> ScratchRNNClassifier:
    """Make a network like lesson 4's, without dropout."""
    return ScratchRNNClassifier(
        H,
        2,
        batch_size=BATCH_SIZE,
        n_epochs=1,
        embedding=(vocabulary, 32),
        optimizer="adam",
        readout="mean",
        clip_norm=1.0,
        dtype=np.float32,
        warm_start=True,
        seed=0,
    )


def seconds_of_an_epoch(T: int, N: int, H: int, vocabulary: int) -> float:
    """Return the median of three epochs, after one that does not count."""
    ids, labels = words(N, T, vocabulary), np.arange(N) % 2
    model = classifier(H, vocabulary).fit(ids, labels)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        model.fit(ids, labels)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def states_of_a_step(T: int, H: int, vocabulary: int) -> float:
    """Return a step's peak memory as a multiple of that of its states, (N, T, H)."""
    ids, labels = words(BATCH_SIZE, T, vocabulary), np.arange(BATCH_SIZE) % 2
    model = classifier(H, vocabulary).fit(ids, labels)
    tracemalloc.start()
    model.fit(ids, labels)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / (4 * BATCH_SIZE * T * H)


def exponent(sizes: tuple[int, ...], values: list[float]) -> float:
    """Fit ``value = constant * size ** exponent``."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def main() -> None:
    """Measure and print."""
    print("Seconds of an epoch; where nothing else is said,", USUAL, flush=True)
    for name, sizes in SIZES.items():
        usual = USUAL | ({"T": 40} if name == "N" else {})
        seconds = [
            seconds_of_an_epoch(**usual | {name: size})
            for size in tqdm(sizes, name, disable=None, leave=False)
        ]
        table = pd.DataFrame([seconds], columns=sizes, index=["seconds"])
        print(f"\n{name}: exponent {exponent(sizes, seconds):.2f}")
        print(table.round(3).to_string(), flush=True)

    print("\nPeak memory of a training step, as a multiple of its states (F = 32)")
    for H in (32, 64, 128):
        multiples = [states_of_a_step(T, H, 20_000) for T in SIZES["T"]]
        table = pd.DataFrame([multiples], columns=SIZES["T"], index=[f"H = {H}"])
        print(table.round(1).to_string(), flush=True)

    model = classifier(32, 20_000)
    some = words(1000, 230, 20_000)
    model.fit(some, np.arange(1000) % 2)
    print("\nPeak memory of predicting, beyond the word ids (230 words each)")
    for N in (1_000, 50_000):
        reviews = Sequences(np.resize(some, N * 230), 230 * np.arange(N + 1))
        tracemalloc.start()
        model.predict(reviews)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        print(f"{N:>6} reviews: {peak / 1e6:.0f} MB", flush=True)


if __name__ == "__main__":
    main()
