"""Download the authors' archive of reviews; say where it is, or what went wrong (`make data`)."""

import sys

from rnn_lib.imdb import download


def main() -> None:
    """Download the archive into this folder, unless it is there already."""
    try:
        print(f"The reviews are in {download()}")
    except (OSError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
