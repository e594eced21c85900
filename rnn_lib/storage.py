"""Arrays in a file: written whole or not at all, and read without trust.

The file is NumPy's own .npz: a zip archive with one .npy for each array, uncompressed, and a header
in JSON beside them. Nothing in it is pickled, so that reading one cannot execute anything; and
every size that it claims is held against the bytes that are there before memory is asked for.
"""

import json
import os
import secrets
import zipfile
from collections.abc import Mapping
from io import BytesIO
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np

_HEADER = "header.json"


def write_arrays(
    path: str | os.PathLike, header: Mapping[str, object], arrays: Mapping[str, np.ndarray]
) -> None:
    """Write arrays and a header, under another name first: at any moment the old file or the new.

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
    path = Path(path)
    # Not tempfile's, whose files only their owner may read.
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with unfinished.open("xb") as file:
            with zipfile.ZipFile(file, "w") as archive:
                archive.writestr(_HEADER, json.dumps(header))
                for name, array in arrays.items():
                    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                        np.lib.format.write_array(member, array, (1, 0), allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


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
            return _read(file)
        # Where bytes are wrong, zipfile, json and NumPy's reader of an array's first line were seen
        # to raise ten kinds of errors, those of a tokenizer and a parser among them.
        except Exception as error:
            raise ValueError(
                f"{path}: not a file of rnn_lib, or damaged: {error or type(error).__name__}"
            ) from error


def _read(file: BinaryIO) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    with zipfile.ZipFile(file) as archive:
        members = {member.filename: member for member in archive.infolist()}
        if any(member.compress_type != zipfile.ZIP_STORED for member in members.values()):
            raise ValueError("its contents are compressed")
        n_claimed = sum(max(m.compress_size, m.file_size) for m in members.values())
        if n_claimed > os.fstat(file.fileno()).st_size:  # Python would ask for that much memory
            raise ValueError(f"its contents claim {n_claimed} bytes")
        header = json.loads(archive.read(members.pop(_HEADER)))
        if not isinstance(header, dict):
            raise ValueError("its header is no table")
        # At its end zipfile compares each member's checksum.
        arrays = {name: _array(archive.read(member)) for name, member in members.items()}
    return header, {name.removesuffix(".npy"): array for name, array in arrays.items()}


def _array(content: bytes) -> np.ndarray:
    """Read one .npy, which must be exactly as long as its own first line says."""
    file = BytesIO(content)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("an array of another version")
    shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype.kind not in "biuf" or prod(shape) * dtype.itemsize != len(content) - file.tell():
        raise ValueError(f"an array of {prod(shape)} {dtype} in {len(content)} bytes")
    values = np.frombuffer(content, dtype, offset=file.tell())
    return values.reshape(shape, order="F" if is_fortran else "C").copy(order="K")
