"""Measure what stands before the training: importing, reading, encoding, the second start.

    python benchmarks/reading.py [path]

Takes the reviews that ``load_reviews(path)`` finds; the authors' archive has 50,000. Each time is
the median of several new processes, on one core; the cache is one of its own, empty at first.
"""

import statistics
import subprocess
import sys
import tempfile

START = """
import time
start = time.perf_counter()
"""
STOP = """
print(time.perf_counter() - start)
"""
OWN_CACHE = """
import sys
from pathlib import Path
import rnn_lib.imdb
rnn_lib.imdb.data_folder = lambda: Path(sys.argv[1])
path = sys.argv[2] if len(sys.argv) > 2 else None
settings = {"max_features": 20_000, "maxlen": 400, "padding": "post"}
"""
LOAD = "data = rnn_lib.load_imdb(path, **settings)"
FIRST_BATCH = """
import numpy as np
model = rnn_lib.ScratchRNNClassifier(
    32, 2, batch_size=64, n_epochs=1, embedding=(20_000, 32), optimizer="adam", dtype=np.float32
)
model.fit(data.x_train[:64], data.y_train[:64])
"""
ENCODE = """
import itertools
reviews = rnn_lib.load_reviews(path)
texts = reviews["review"][reviews["label"] != "unsup"].tolist()
texts = list(itertools.islice(itertools.cycle(texts), 50_000))
"""
ENCODED = """
rnn_lib.Vocabulary.from_texts(texts, 20_000).encode_all(texts)
"""


def seconds(code: str, folder: str, n: int) -> float:
    """Run code in `n` new processes and return the median of what they print."""
    command = [sys.executable, "-c", code, folder, *sys.argv[1:]]
    return statistics.median(float(subprocess.check_output(command)) for _ in range(n))


def main() -> None:
    """Measure and print."""

    def show(what: str, code: str, n: int = 1) -> float:
        value = seconds(code, folder, n)
        print(f"{what:60} {value:6.2f} s", flush=True)
        return value

    with tempfile.TemporaryDirectory() as folder:
        numpy = show("import numpy", START + "import numpy" + STOP, 9)
        both = show("import rnn_lib", START + "import rnn_lib" + STOP, 9)
        print(f"{'import rnn_lib beyond numpy':60} {both - numpy:6.2f} s")
        show(
            "50,000 texts in memory: words, vocabulary, ids",
            OWN_CACHE + "import numpy as np" + ENCODE + START + ENCODED + STOP,
            3,
        )
        show("reviews to arrays, first start", OWN_CACHE + START + LOAD + STOP)
        show("reviews to arrays, second start", OWN_CACHE + START + LOAD + STOP, 5)
        first = OWN_CACHE + LOAD + FIRST_BATCH
        show("start to first trained batch, second start", START + first + STOP, 5)


if __name__ == "__main__":
    main()
