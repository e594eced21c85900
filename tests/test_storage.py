"""Files of arrays: what comes back, what is refused, and what a failure leaves."""

import io
import json
import pickle
import zipfile

import numpy as np
import pytest

from rnn_lib.storage import read_arrays, write_arrays

HEADER = {"made by": "a test", "numbers": [1, 2.5, None]}


def some_arrays():
    rng = np.random.default_rng(0)
    return {
        "floats": rng.standard_normal((3, 4)),
        "single": rng.standard_normal((2, 3, 4)).astype(np.float32)[:, ::2],
        "fortran": np.asfortranarray(rng.integers(0, 9, (4, 5))),
        "empty": np.zeros((0, 7), np.int32),
        "one": np.array(3),
        "truth": np.array([True, False]),
    }


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "arrays.npz"
    write_arrays(path, HEADER, some_arrays())
    return path


def refuse(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match="not a file of rnn_lib, or damaged"):
        read_arrays(path)


def test_what_is_written_is_read(written):
    header, arrays = read_arrays(written)
    assert header == HEADER
    assert list(arrays) == list(some_arrays())
    for name, array in some_arrays().items():
        assert arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(arrays[name], array, strict=True)
        assert arrays[name].flags.writeable
    with np.load(written, allow_pickle=False) as ours:  # an .npz like any other
        np.testing.assert_array_equal(ours["floats"], some_arrays()["floats"])


def test_a_file_cut_off_anywhere_is_refused(written):
    content = written.read_bytes()
    for length in range(len(content)):
        refuse(written, content[:length])


def test_a_changed_byte_is_noticed_or_changes_nothing(written):
    content, (header, before) = written.read_bytes(), read_arrays(written)
    n_refused = 0
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 0x41
        written.write_bytes(changed)
        try:
            after, arrays = read_arrays(written)
        except ValueError:
            n_refused += 1
        else:  # a time, a version: nothing that is read
            assert after == header
            assert all(np.array_equal(arrays.get(name), before[name]) for name in arrays)
    assert n_refused > len(content) / 2


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", pickle.dumps({"a": 1})])
def test_a_foreign_file_is_refused(tmp_path, content):
    refuse(tmp_path / "foreign.npz", content)


def archive(members, compression=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return file.getvalue()


def npy(array):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, (1, 0))
    return file.getvalue()


def claims(shape, dtype="<f8"):
    """Return an array of eight bytes that claims to be another."""
    file = io.BytesIO()
    about = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, about)
    return file.getvalue() + bytes(8)


class Harmful:
    """What unpickling would execute."""

    def __reduce__(self):
        return pytest.fail, ("unpickled",)


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"a.npy": npy(np.ones(3))},
        {"header.json": b"{", "a.npy": npy(np.ones(3))},
        {"header.json": b"[1]", "a.npy": npy(np.ones(3))},
        {"header.json": b"\xff\xfe", "a.npy": npy(np.ones(3))},
        {"header.json": b"{}", "a.npy": npy(np.array([Harmful()], dtype=object))},
        {"header.json": b"{}", "a.npy": claims((10**12,))},
        {"header.json": b"{}", "a.npy": claims((2**32, 2**32))},
        {"header.json": b"{}", "a.npy": claims((-1,))},
        {"header.json": b"{}", "a.npy": claims((2,))},
        {"header.json": b"{}", "a.npy": claims((1,), "|O")},
        {"header.json": b"{}", "a.npy": claims((1,), "|V8")},
        {"header.json": b"{}", "a.npy": b"\x93NUMPY\x01\x00\xff\xff"},
        {"header.json": b"{}", "a.npy": b""},
    ],
)
def test_what_only_looks_like_ours_is_refused(tmp_path, members):
    refuse(tmp_path / "a.npz", archive(members))


@pytest.mark.parametrize(
    "first_line",
    [
        *("{'descr': '<f8', 'shape': (1", "'''", "(" * 300, "-" * 3000 + "1", ",", "{[]: 1}"),
        "{'descr': '<f8', 'fortran_order': False, 'shape': (True,)}",
        "{'descr': '<f8', 'fortran_order': False, b'shape': (1,)}",
        "{'descr': '(99999999,)f8', 'fortran_order': False, 'shape': (1,)}",
    ],
)
def test_a_first_line_that_makes_python_stumble(tmp_path, first_line):
    """What fuzzing found: the reader of such lines raises whatever Python's parser does."""
    line = first_line.encode()
    array = b"\x93NUMPY\x01\x00" + len(line).to_bytes(2, "little") + line + bytes(8)
    refuse(tmp_path / "a.npz", archive({"header.json": b"{}", "a.npy": array}))


def test_a_short_file_that_claims_gigabytes(tmp_path):
    """What fuzzing found: Python asks for as much memory as the list of contents claims."""
    content = bytearray(archive({"header.json": b"{}", "a.npy": npy(np.ones(3))}))
    in_list = content.rindex(b"PK\x01\x02")
    content[in_list + 20 : in_list + 28] = b"\x00\x00\x00\xf0" * 2
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(ValueError, match="its contents claim 40"):
        read_arrays(tmp_path / "a.npz")


def test_an_archive_that_would_swell_is_refused_unread(tmp_path):
    members = {"header.json": b"{}", "a.npy": npy(np.zeros(10_000_000))}
    bomb = archive(members, zipfile.ZIP_DEFLATED)
    assert len(bomb) < 100_000
    refuse(tmp_path / "a.npz", bomb)


def test_no_such_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_arrays(tmp_path / "nowhere.npz")


def test_writing_that_fails_leaves_what_was_there(written):
    content = written.read_bytes()
    with pytest.raises(ValueError, match="[Oo]bject"):
        write_arrays(written, {}, {"fine": np.ones(9), "bad": np.array([{}], dtype=object)})
    with pytest.raises(TypeError):
        write_arrays(written, {"header": object()}, {})
    assert written.read_bytes() == content
    assert [path.name for path in written.parent.iterdir()] == [written.name]


def test_the_header_can_be_read_by_anybody(written):
    with zipfile.ZipFile(written) as opened:
        assert json.loads(opened.read("header.json")) == HEADER
