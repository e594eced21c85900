"""Arrays in a file: what is written is read, and nothing else; old or new, never half."""

import io
import os
import pickle
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest

from rnn_lib.storage import read_arrays, write_arrays

pytestmark = pytest.mark.lesson4

HEADER = {"name": "a", "sizes": [1, 2]}
ARRAYS = {
    "floats": np.arange(6.0).reshape(2, 3),
    "columns": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
    "layer.W": np.array([[True, False]]),
    "none": np.zeros((0, 4), np.int32),
}


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "arrays.npz"
    write_arrays(path, HEADER, ARRAYS)
    return path


def test_what_is_written_is_read(written):
    header, arrays = read_arrays(written)
    assert header == HEADER
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert np.array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype
        assert arrays[name].flags.f_contiguous == array.flags.f_contiguous, "order in memory"
        assert arrays[name].flags.writeable


def test_name_given_is_the_name_of_the_file(tmp_path):
    write_arrays(tmp_path / "model", HEADER, ARRAYS)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_truncated_file_is_rejected(written):
    content = written.read_bytes()
    for end in np.linspace(0, len(content) - 1, 50, dtype=int):
        written.write_bytes(content[:end])
        with pytest.raises(ValueError, match="arrays.npz: not a file of rnn_lib, or damaged"):
            read_arrays(written)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", pickle.dumps({"a": 1})])
def test_foreign_file_is_rejected(tmp_path, content):
    (tmp_path / "foreign").write_bytes(content)
    with pytest.raises(ValueError, match="foreign: not a file of rnn_lib, or damaged"):
        read_arrays(tmp_path / "foreign")


def test_arrays_of_somebody_else_are_rejected(tmp_path):
    np.savez(tmp_path / "other.npz", a=np.ones(3))
    with pytest.raises(ValueError, match="not a file of rnn_lib, or damaged"):
        read_arrays(tmp_path / "other.npz")


def test_members_that_are_no_arrays_are_rejected(written):
    with zipfile.ZipFile(written, "a") as archive:
        archive.writestr("notes.txt", "not an array")
    with pytest.raises(ValueError, match="not a file of rnn_lib, or damaged: .*notes.txt"):
        read_arrays(written)


class Harmful:
    def __reduce__(self):
        return os.system, ("touch harmed",)


def test_pickles_are_neither_written_nor_read(written, monkeypatch):
    monkeypatch.chdir(written.parent)
    objects = np.array([Harmful()], dtype=object)
    with pytest.raises(ValueError, match="objects: expected numbers or truth values, got objects"):
        write_arrays(written, HEADER, {"objects": objects})
    assert read_arrays(written)[0] == HEADER, "the old file is untouched"
    harmful = io.BytesIO()
    np.savez(harmful, header=np.array("{}"), objects=objects)
    written.write_bytes(harmful.getvalue())
    with pytest.raises(ValueError, match="not a file of rnn_lib, or damaged"):
        read_arrays(written)
    assert sorted(os.listdir()) == ["arrays.npz"]


def test_missing_file_and_folder_are_named(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_arrays(tmp_path / "nowhere.npz")
    with pytest.raises(FileNotFoundError, match="nowhere/model.npz"):
        write_arrays(tmp_path / "nowhere" / "model.npz", HEADER, ARRAYS)


@pytest.mark.skipif(sys.platform == "win32", reason="file-size limits of POSIX")
def test_full_disk_leaves_the_old_file_alone(written):
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match="arrays.npz"):
            write_arrays(written, HEADER, {"large": np.ones(10_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert read_arrays(written)[0] == HEADER
    assert [path.name for path in written.parent.iterdir()] == ["arrays.npz"]


def test_header_must_be_json(written):
    with pytest.raises(TypeError, match="not JSON serializable"):
        write_arrays(written, {"a": {1, 2}}, ARRAYS)
    assert read_arrays(written)[0] == HEADER


# -- killed while writing -----------------------------------------------------------------------

WRITES_FOREVER = """
import sys
import numpy as np
from rnn_lib import storage
{change}
print("ready", flush=True)
while True:
    for number in (1, 2):
        storage.write_arrays(sys.argv[1], {{"number": number}}, {{"a": np.full(300_000, number)}})
"""


def n_broken_of(n_kills, path, change=""):
    """Kill a process that writes two files in turns; count how often neither is there whole."""
    rng, n_broken, seen = np.random.default_rng(0), 0, set()
    for _ in range(n_kills):
        write_arrays(path, {"number": 1}, {"a": np.full(300_000, 1)})
        command = [sys.executable, "-c", WRITES_FOREVER.format(change=change), path]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            time.sleep(rng.uniform(0, 0.05))
            process.kill()
        try:
            header, arrays = read_arrays(path)
            assert (arrays["a"] == header["number"]).all()
            seen.add(header["number"])
        except ValueError:
            n_broken += 1
    return n_broken, seen


def test_kill_at_any_moment_leaves_a_whole_file(tmp_path):
    assert n_broken_of(10, tmp_path / "a.npz") == (0, {1, 2})


IN_PLACE = "storage.os.replace = lambda a, b: open(b, 'wb').write(open(a, 'rb').read())"


@pytest.mark.slow
def test_kills_would_break_a_file_that_is_written_in_place(tmp_path):
    """What the test above finds where a file is written without a second name."""
    assert n_broken_of(20, tmp_path / "a.npz", IN_PLACE)[0] > 0
