"""Arrays in a file, written whole or not at all, and parsed as untrusted input.

The file is NumPy's own .npz, with a header in JSON as one more array; nothing in it is pickled, so
that reading it cannot execute anything. Left out: what the arrays mean, and compression.
"""

import io
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

import numpy as np

UNFINISHED = ".*." + 8 * "[0-9a-f]"
"""The pattern of the names under which :func:`write_whole` writes first."""


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under another name first, so that it is the old one or the new one.

    Parameters
    ----------
    path : Path
        The file; one that stands there is replaced.
    content : bytes
        What it will hold.

    Raises
    ------
    OSError
        If it cannot be written; what stood there is left as it was.
    """
    # Not tempfile's, whose files only their owner may read.
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        unfinished.write_bytes(content)
        os.replace(unfinished, path)
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from None
    finally:
        unfinished.unlink(missing_ok=True)


def write_arrays(
    path: str | os.PathLike, header: Mapping[str, object], arrays: Mapping[str, np.ndarray]
) -> None:
    """Write arrays and a header; at any moment the old file or the new one is there.

    Parameters
    ----------
    path : path
        The file; one that stands there is replaced.
    header : mapping
        What JSON can hold.
    arrays : mapping of str to ndarray
        Arrays of numbers or truth values.

    Raises
    ------
    OSError
        If the file cannot be written; what stood there is left as it was.
    ValueError, TypeError
        If an array holds objects, or the header something that is not JSON.
    """
    if odd := [name for name, array in arrays.items() if array.dtype.hasobject]:
        raise ValueError(f"{odd[0]}: expected numbers or truth values, got objects")
    content = io.BytesIO()
    np.savez(content, header=np.array(json.dumps(header)), **arrays)
    write_whole(Path(path), content.getvalue())


def read_arrays(path: str | os.PathLike) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Read what :func:`write_arrays` wrote.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    header : dict
        As written.
    arrays : dict of str to ndarray
        As written.

    Raises
    ------
    OSError
        If there is no such file, or it cannot be read.
    ValueError
        If it was not written by :func:`write_arrays`, or is damaged.
    """
    with open(path, "rb") as file:
        try:
            arrays = dict(np.load(file, allow_pickle=False))
            if odd := [name for name, array in arrays.items() if isinstance(array, bytes)]:
                raise ValueError(f"{odd[0]} is not an array")
            return json.loads(str(arrays.pop("header"))), arrays
        # Where bytes are wrong, zipfile, json and NumPy raise errors of ten kinds.
        except Exception as error:
            raise ValueError(f"{path}: not a file of rnn_lib, or damaged: {error!r}") from error
