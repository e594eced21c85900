"""Every form in which people have the film reviews, read into one table.

The kind of a file is told from its first bytes, since its name may lie; what is none of the forms
is named, beside those that can be read. An archive is parsed as untrusted input, member by member:
nothing is unpacked to disk. Left out: where the reviews are, and how they are divided
(:mod:`rnn_lib.imdb`).
"""

import contextlib
import gzip
import itertools
import re
import tarfile
import tomllib
import zlib
from pathlib import Path

import pandas as pd

COLUMNS = ["type", "review", "label", "file", "film"]
READABLE = "load_reviews reads aclImdb_v1.tar.gz, the folder unpacked from it, imdb_master.csv, "
READABLE += "IMDB Dataset.csv, movie_data.csv, and Hugging Face's train-*.parquet, test-*.parquet"

# Bytes of a file, or of the whole archive unpacked: twice what the authors' archive has.
_MOST_BYTES = 1 << 30
_GZIP = b"\x1f\x8b"
_MOST_AT_ONCE = 64 << 20  # from one member of the archive to the next

_REVIEW_FILE = re.compile(r"(?:.*/)?(train|test)/(neg|pos|unsup)/((\d{1,9})_\d+\.txt)")
_URLS_FILE = re.compile(r"(?:.*/)?(train|test)/urls_(neg|pos|unsup)\.txt")
_TITLE = re.compile(r"\btt\d+\b")
_SPLIT = re.compile(r"(?<![a-z])(train|test|unsupervised)(?![a-z])")

_DATA = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
_LABELS = {written: label for label, all_of in _DATA["labels"].items() for written in all_of}


def read_files(path: Path) -> pd.DataFrame:
    """Read the reviews from a file or a folder, whichever of the forms it is.

    Parameters
    ----------
    path : Path
        Exists.

    Returns
    -------
    DataFrame
        As :func:`read_table` returns it.

    Raises
    ------
    ModuleNotFoundError
        If it is a parquet file, and pyarrow is not installed.
    ValueError
        If it is none of the forms, damaged, far too large, or not complete.
    """
    if path.is_dir():
        parquets = [_read_parquet(file) for file in sorted(path.rglob("*.parquet"))]
        return pd.concat(parquets) if parquets else _reviews_from(_files_in_folder(path), path)
    if (size := path.stat().st_size) > _MOST_BYTES:
        raise ValueError(f"{path}: expected at most {_MOST_BYTES} bytes, got {size}")
    with path.open("rb") as file:
        start = file.read(512)
    if start.startswith(_GZIP):
        with contextlib.suppress(*_DAMAGE), gzip.open(path) as file:
            start = _GZIP  # of a damaged file, this is all that is known
            start += file.read(512)
    for beginning, kind in _DATA["other_kinds"].items():
        if re.match(beginning.encode(), start, re.DOTALL):
            raise ValueError(f"{path}: this is {kind}; {READABLE}")
    if start.startswith(b"PAR1"):
        return _read_parquet(path)
    if start.startswith(_GZIP):
        return _reviews_from(_files_in_archive(path), path)
    table = _read_csv(path)
    if set(COLUMNS[:4]) <= set(table.columns):
        return _reviews_from(_files_in_table(table, path), path)
    return read_table(table, path)


def read_table(table: pd.DataFrame, source: object) -> pd.DataFrame:
    """Bring a table with one row a review into the form of all others.

    Parameters
    ----------
    table : DataFrame
        Has the columns ``review`` (or ``text``) and ``label`` (or ``sentiment``), the label as
        "neg", "negative" or 0, or as "pos", "positive" or 1; perhaps ``type``, ``file``, ``film``.
    source : object
        What messages call it.

    Returns
    -------
    DataFrame
        The columns `COLUMNS`; those that `table` lacks are missing.

    Raises
    ------
    ValueError
        If a column or a text is missing, or a label or type is another.
    """
    names = {"text": "review", "sentiment": "label"}
    names = {theirs: ours for theirs, ours in names.items() if ours not in table}
    table = table.rename(columns=names).reindex(columns=COLUMNS).reset_index(drop=True)
    label = table["label"].astype(str).str.lower().map(_LABELS)
    text = table["review"].map(lambda cell: cell.strip() if isinstance(cell, str) else "")
    is_type = table["type"].isna() | table["type"].isin(["train", "test"])
    for number, row in table[label.isna() | text.eq("") | ~is_type].head(1).iterrows():
        expected = f"as review (or text) a text, as label (or sentiment) one of {sorted(_LABELS)}"
        got = f"got {row.dropna().to_dict()!r:.200}"
        raise ValueError(f"{source}, row {number + 1}: expected {expected}; {got}; {READABLE}")
    if table.empty:
        raise ValueError(f"{source}: there are no film reviews in it; {READABLE}")
    return table.assign(label=label)


def _reviews_from(files, source):
    """Make the table from names and contents of files, in whatever order they come."""
    texts, films = {}, {}  # by (type, label, number of the review)
    for name, content in files:
        if match := _REVIEW_FILE.fullmatch(name):
            kind, label, file, number = match.groups()
            texts[kind, label, int(number)] = file, _decoded(content, name, source)
        elif match := _URLS_FILE.fullmatch(name):
            for number, line in enumerate(_decoded(content, name, source).splitlines()):
                films |= {(*match.groups(), number): title[0] for title in _TITLE.finditer(line)}
    if not texts:
        raise ValueError(f"{source}: there are no film reviews in it; {READABLE}")
    expected = set(itertools.product(("train", "test"), ("neg", "pos")))
    for group in sorted(expected | {key[:2] for key in texts}):
        numbers = {key[2] for key in texts if key[:2] == group}
        n_listed = sum(key[:2] == group for key in films)
        if len(numbers) < (least := n_listed or max(numbers, default=0) + 1):
            got = f"in {'/'.join(group)}, got {len(numbers)}: incomplete copy?"
            raise ValueError(f"{source}: expected at least {least} reviews such as 0_3.txt {got}")
    rows = [(*key[:2], *value, films.get(key)) for key, value in texts.items()]
    return pd.DataFrame(rows, columns=["type", "label", "file", "review", "film"])


def _decoded(content, name, source):
    with contextlib.suppress(UnicodeDecodeError):
        if (text := content.decode("utf-8")).strip("\0 \t\r\n"):  # zeros are what a crash leaves
            return text
    raise ValueError(f"{source}: {name} is empty, or not UTF-8: incomplete copy?")


def _read_csv(path):
    how = {"keep_default_na": False, "compression": None}
    for encoding in ("utf-8-sig", "ISO-8859-1"):  # the second is that of Kaggle's imdb_master.csv
        try:
            return pd.read_csv(path, dtype=str, encoding=encoding, **how)
        except UnicodeDecodeError:
            continue
        except ValueError as error:  # pandas' own are ValueErrors too
            raise ValueError(f"{path}: no table of reviews: {error}; {READABLE}") from error


def _files_in_table(table, path):
    """Yield the reviews of imdb_master.csv as if they were files."""
    rows = table[COLUMNS[:4]].fillna("").itertuples(index=False)
    for number, (kind, review, label, file) in enumerate(rows, start=1):
        if not _REVIEW_FILE.fullmatch(name := f"{kind}/{label}/{file}"):
            raise ValueError(f"{path}, row {number}: expected such as train/neg/0_3.txt: {name!r}")
        yield name, review.encode()


def _read_parquet(path):
    """Read a file of Hugging Face's, whose name, or else its folder's, says which split it is."""
    try:
        table = pd.read_parquet(path)
    except ImportError:
        what = "parquet files are read with pyarrow: pip install pyarrow"
        raise ModuleNotFoundError(f"{path}: {what}") from None
    if split := _SPLIT.search(path.name.lower()) or _SPLIT.fullmatch(path.parent.name):
        table["type"] = split[0].replace("unsupervised", "train")
    return read_table(table, path)


def _files_in_folder(path):
    """Yield name and content of every text file of the unpacked archive, or of what is around."""
    inside = itertools.chain([path], path.glob("*"), path.glob("*/*"))
    root = next((folder for folder in inside if (folder / "train").is_dir()), path)
    for file in itertools.chain(root.glob("*/urls_*.txt"), root.glob("*/*/*.txt")):
        yield file.relative_to(root).as_posix(), file.read_bytes()


class _Unpacked(gzip.GzipFile):
    """What the archive's compression hides, up to where the authors' would long have ended."""

    in_all = since_last = 0

    def read(self, size: int = -1) -> bytes:
        content = super().read(size)
        self.in_all += len(content)
        self.since_last += len(content)
        if self.in_all > _MOST_BYTES or self.since_last > _MOST_AT_ONCE:
            raise ValueError("it unpacks to far more than the authors' archive")
        if not content:  # tarfile would take it for the end, or wait for more without end
            raise EOFError("it ends without an end marker")
        return content


# All of what gzip and tarfile were seen to raise where bytes are wrong, and our own.
_DAMAGE = tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, RecursionError, ValueError


def _files_in_archive(path):
    """Yield name and content of every text file of the archive, in one go."""
    try:
        with _Unpacked(path) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                archive.members, stream.since_last = [], 0  # tarfile would remember every one
                if member.name.endswith(".txt") and member.size < _MOST_AT_ONCE and member.isfile():
                    yield member.name, archive.extractfile(member).read()
            # Only at its end gzip compares its checksum.
            padding = gzip.GzipFile.read(stream, _MOST_AT_ONCE)
            if len(padding) == _MOST_AT_ONCE or padding.strip(b"\0"):
                raise ValueError("it goes on after its end marker")
    except _DAMAGE as error:
        raise ValueError(f"{path}: the archive is damaged, or incomplete: {error}") from error
