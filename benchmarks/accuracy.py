"""Train lesson 4's network three times and print its accuracy.

    python benchmarks/accuracy.py --validate     on reviews held out by film: to choose settings
    python benchmarks/accuracy.py                on the test reviews: once everything is chosen

The reviews are those that ``load_reviews()`` finds: set RNN_LIB_IMDB to the authors' archive for
their split (25,000 / 25,000); otherwise it is the installed package and our split of it. Without
--validate the validation reviews are trained on as well.
"""

import argparse
import os
import time

import numpy as np

from rnn_lib import Adam, MeanState, ScratchRNNClassifier, linear_decay, load_imdb, orthogonal

N_SEEDS = 3


def make_model(seed: int) -> ScratchRNNClassifier:
    """Return lesson 4's classifier."""
    return ScratchRNNClassifier(
        n_nodes1=64,
        n_output=2,
        lr=linear_decay(2e-3, n_epochs=3),
        batch_size=64,
        n_epochs=3,
        embedding=(20_000, 64),
        dropout=0.8,
        initializer=orthogonal(0.9),
        readout=MeanState(scale=30),
        optimizer=Adam(),
        clip_norm=1.0,
        seed=seed,
        dtype=np.float32,
    )


def main() -> None:
    """Load, train, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--validate", action="store_true", help="judge on validation reviews")
    arguments = parser.parse_args()

    started = time.perf_counter()
    data = load_imdb(
        max_features=20_000,
        maxlen=400,
        padding="post",
        n_validation=2500 if arguments.validate else 0,
    )
    x, y = (data.x_val, data.y_val) if arguments.validate else (data.x_test, data.y_test)
    part = "validation" if arguments.validate else "test"
    print(f"{len(data.x_train):,} training and {len(x):,} {part} reviews", end=", ")
    print(f"read and encoded in {time.perf_counter() - started:.1f} s; {os.cpu_count()} cores")

    accuracies, seconds = [], []
    for seed in range(N_SEEDS):
        model = make_model(seed).fit(data.x_train, data.y_train)
        seconds.append(sum(model.history_["seconds"]))
        accuracies.append(100 * model.score(x, y))
        print(
            f"seed {seed}: {part} accuracy {accuracies[-1]:.2f} %, {seconds[-1]:.1f} s of training"
        )
    mean, spread = np.mean(accuracies), np.std(accuracies, ddof=1)
    print(
        f"{part} accuracy {mean:.2f} +- {spread:.2f} % ({N_SEEDS} seeds), "
        f"{np.mean(seconds):.1f} s of training"
    )


if __name__ == "__main__":
    main()
