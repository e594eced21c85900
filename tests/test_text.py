"""Words, ids, sequences, padding, batches."""

from collections import Counter

import numpy as np
import pytest

from rnn_lib import ScratchRNNClassifier
from rnn_lib.batches import similar_length_batches
from rnn_lib.text import (
    PAD,
    UNK,
    Sequences,
    Vocabulary,
    pad_sequences,
    tokenize,
)

pytestmark = pytest.mark.lesson4

TEXTS = [
    "Don't miss it!<br /><br />A film to see again, and again.",
    "A waste of an evening; the plot has more holes than cheese.",
    "Ein schöner Film – наконец! 10/10",
    "",
]


# Words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Good FILM.", ["good", "film"]),
        ("one<br />two<BR>three< br/ >four</br>five", ["one", "two", "three", "four", "five"]),
        ("breaking <brand> new", ["breaking", "brand", "new"]),
        ("don't 'quote' it's' o''clock", ["don't", "quote", "it's", "o", "clock"]),
        ("Don’t", ["don't"]),
        ("ÉTÉ кино 映画 snake_case 10/10", ["été", "кино", "映画", "snake", "case", "10", "10"]),
        ("<pad> a <unk> <PAD>b", ["<pad>", "a", "<unk>", "<pad>", "b"]),
        (" .,;!?-\n\t", []),
    ],
)
def test_tokenize(text, words):
    assert tokenize(text) == words


def test_words_are_words_again():
    """Otherwise a decoded text would not encode to the same ids."""
    rng = np.random.default_rng(0)
    for points in rng.integers(1, 0xD800, size=(300, 50)):
        words = tokenize("".join(map(chr, points)))
        assert tokenize(" ".join(words)) == words


@pytest.mark.parametrize("text", [None, 3, b"bytes", ["a list"]])
def test_tokenize_refuses_what_is_no_text(text):
    with pytest.raises(TypeError, match="text: expected a string"):
        tokenize(text)


# Vocabulary


def test_ids_go_by_frequency_then_alphabet():
    vocabulary = Vocabulary.from_texts(["c b b a", "d d d c"])
    assert vocabulary.words == ["<pad>", "<unk>", "d", "b", "c", "a"]
    assert vocabulary.encode("a b <pad> z <unk>").tolist() == [5, 3, PAD, UNK, UNK]
    assert vocabulary.encode("a").dtype == np.int32
    assert len(vocabulary) == 6


def test_max_size_counts_the_special_words():
    assert Vocabulary.from_texts(["c b b a"], max_size=4).words == ["<pad>", "<unk>", "b", "a"]
    assert Vocabulary.from_texts(["c b b a"], max_size=2).words == ["<pad>", "<unk>"]


def test_special_words_in_a_text_stay_special():
    vocabulary = Vocabulary.from_texts(["<unk> <pad> a <unk>"])
    assert vocabulary.words == ["<pad>", "<unk>", "a"]


def first_appearance_vocabulary(texts, max_size):
    """Break ties as Counter does, by first appearance: the mistake that leaks the labels."""
    counts = Counter(word for text in texts for word in tokenize(text))
    frequent = [word for word, _ in counts.most_common(max_size - 2)]
    return Vocabulary(["<pad>", "<unk>", *frequent])


def order_leaks_into_ids(make_vocabulary):
    """Tell whether a vocabulary depends on the order of the texts."""
    rng = np.random.default_rng(0)
    words = [f"word{i}" for i in range(300)]
    texts = [" ".join(rng.choice(words, size=20)) for _ in range(40)]
    first = make_vocabulary(texts, 150).words
    shuffled = (list(rng.permutation(texts)) for _ in range(5))
    return any(make_vocabulary(order, 150).words != first for order in shuffled)


def test_permuting_the_texts_changes_no_id():
    assert not order_leaks_into_ids(Vocabulary.from_texts)


def test_the_check_for_a_leak_can_fail():
    assert order_leaks_into_ids(first_appearance_vocabulary)


@pytest.mark.parametrize("max_size", [3, 8, 10_000])
def test_encode_and_decode_round_trip(max_size):
    vocabulary = Vocabulary.from_texts(TEXTS, max_size)
    for text in [*TEXTS, "An unseen evening <pad> of <unk> films"]:
        ids = vocabulary.encode(text)
        assert vocabulary.encode(vocabulary.decode(ids)).tolist() == ids.tolist()
    every_id = np.arange(len(vocabulary))
    assert vocabulary.encode(vocabulary.decode(every_id)).tolist() == every_id.tolist()


def test_encode_all_is_encode_for_each():
    vocabulary = Vocabulary.from_texts(TEXTS)
    sequences = vocabulary.encode_all(TEXTS)
    assert len(sequences) == len(TEXTS)
    for text, ids in zip(TEXTS, sequences, strict=True):
        assert ids.tolist() == vocabulary.encode(text).tolist()


def test_a_vocabulary_can_be_made_again_from_its_words():
    vocabulary = Vocabulary.from_texts(TEXTS)
    assert Vocabulary(vocabulary.words).encode(TEXTS[0]).tolist() == (
        vocabulary.encode(TEXTS[0]).tolist()
    )


def test_vocabulary_refuses_bad_input():
    vocabulary = Vocabulary.from_texts(["a b"])
    with pytest.raises(ValueError, match="max_size: expected at least 2, got 1"):
        Vocabulary.from_texts(["a"], max_size=1)
    with pytest.raises(TypeError, match="max_size: expected a whole number, got 2.5"):
        Vocabulary.from_texts(["a"], max_size=2.5)
    with pytest.raises(TypeError, match="texts: expected a list"):
        Vocabulary.from_texts("one string")
    with pytest.raises(TypeError, match="texts: expected a list"):
        vocabulary.encode_all("one string")
    with pytest.raises(ValueError, match="ids: expected 0 to 3, got 4"):
        vocabulary.decode([2, 4])
    with pytest.raises(ValueError, match="ids: expected 0 to 3, got -1"):
        vocabulary.decode([-1])
    with pytest.raises(TypeError, match="ids: expected integers"):
        vocabulary.decode([0.5])
    with pytest.raises(ValueError, match="words: expected .* first"):
        Vocabulary(["a", "b"])
    with pytest.raises(ValueError, match="every word once, got 'a' 2 times"):
        Vocabulary(["<pad>", "<unk>", "a", "a"])


# Sequences

ROWS = [[1, 2, 3], [], [4], [5, 6, 7, 8, 9]]


def as_lists(sequences):
    return [ids.tolist() for ids in sequences]


def test_sequences_hold_what_they_are_given():
    sequences = Sequences.from_arrays(ROWS)
    assert as_lists(sequences) == ROWS
    assert len(sequences) == 4
    assert sequences.lengths.tolist() == [3, 0, 1, 5]
    assert sequences.offsets.tolist() == [0, 3, 3, 4, 9]
    assert (sequences.ids.dtype, sequences.offsets.dtype) == (np.int32, np.int64)
    assert repr(sequences) == "Sequences(4 sequences, 9 ids)"


def test_one_sequence_is_a_view():
    sequences = Sequences.from_arrays(ROWS)
    assert sequences[-1].tolist() == ROWS[-1]
    assert np.shares_memory(sequences[0], sequences.ids)
    with pytest.raises(IndexError):
        sequences[4]


@pytest.mark.parametrize(
    "key",
    [
        slice(1, 3),
        slice(None, None, -1),
        slice(2, 2),
        [3, 0, 0, 1],
        np.array([-1]),
        np.array([True, False, False, True]),
        np.zeros(4, dtype=bool),
    ],
)
def test_several_sequences_are_sequences(key):
    picked = Sequences.from_arrays(ROWS)[key]
    assert isinstance(picked, Sequences)
    assert as_lists(picked) == [ROWS[i] for i in np.arange(4)[key]]


@pytest.mark.parametrize("rows", [[], [[]], [[], []]])
def test_empty_sequences(rows):
    assert as_lists(Sequences.from_arrays(rows)) == rows


def test_sequences_refuse_bad_input():
    with pytest.raises(ValueError, match=r"sequences\[1\]: expected shape \(T,\), got \(1, 2\)"):
        Sequences.from_arrays([[1], [[1, 2]]])
    with pytest.raises(TypeError, match=r"sequences\[0\]: expected integers"):
        Sequences.from_arrays([[0.5]])
    with pytest.raises(ValueError, match="ids: expected -2147483648 to 2147483647"):
        Sequences.from_arrays([[2**31]])
    for offsets in ([0, 2], [1, 3], [0, 2, 1, 3], []):
        with pytest.raises(ValueError, match="offsets: expected numbers rising from 0 to 3"):
            Sequences([1, 2, 3], offsets)


# Padding


@pytest.mark.parametrize("as_given", [list, Sequences.from_arrays])
@pytest.mark.parametrize(
    ("padding", "truncating", "expected"),
    [
        ("post", "pre", [[1, 2, 3], [0, 0, 0], [4, 0, 0], [7, 8, 9]]),
        ("post", "post", [[1, 2, 3], [0, 0, 0], [4, 0, 0], [5, 6, 7]]),
        ("pre", "pre", [[1, 2, 3], [0, 0, 0], [0, 0, 4], [7, 8, 9]]),
        ("pre", "post", [[1, 2, 3], [0, 0, 0], [0, 0, 4], [5, 6, 7]]),
    ],
)
def test_pad_sequences(as_given, padding, truncating, expected):
    padded = pad_sequences(as_given(ROWS), 3, padding, truncating)
    assert padded.tolist() == expected
    assert padded.dtype == np.int32


def test_pad_sequences_by_default_behind_up_to_the_longest():
    assert pad_sequences([[1], [2, 3]]).tolist() == [[1, 0], [2, 3]]
    assert pad_sequences([[1], [2, 3]], maxlen=3).tolist() == [[1, 0, 0], [2, 3, 0]]
    assert pad_sequences([[1, 2, 3]], maxlen=2).tolist() == [[2, 3]]


def test_pad_no_sequences():
    assert pad_sequences([], maxlen=3).shape == (0, 3)
    assert pad_sequences([]).shape == (0, 0)
    assert pad_sequences([[], []]).shape == (2, 0)


def test_pad_sequences_changes_no_argument():
    sequences = Sequences.from_arrays(ROWS)
    pad_sequences(sequences, 3)[:] = 99
    assert as_lists(sequences) == ROWS


def test_pad_sequences_refuses_bad_input():
    with pytest.raises(ValueError, match=r"padding: expected one of \['post', 'pre'\], got 'left'"):
        pad_sequences(ROWS, padding="left")
    with pytest.raises(ValueError, match="truncating: expected one of"):
        pad_sequences(ROWS, truncating=None)
    with pytest.raises(ValueError, match="maxlen: expected at least 1, got 0"):
        pad_sequences(ROWS, maxlen=0)
    with pytest.raises(TypeError, match="maxlen: expected a whole number"):
        pad_sequences(ROWS, maxlen=2.0)
    with pytest.raises(TypeError, match=r"sequences\[0\]: expected integers"):
        pad_sequences([[0.5]])
    with pytest.raises(ValueError, match=r"sequences\[0\]: expected shape \(T,\)"):
        pad_sequences([1, 2])


# Batches


@pytest.mark.parametrize("n", [0, 1, 63, 64, 65, 1000])
@pytest.mark.parametrize("batch_size", [1, 7, 64])
@pytest.mark.parametrize("seed", [None, 0])
def test_batches_hold_every_sample_once(n, batch_size, seed):
    lengths = np.random.default_rng(1).integers(0, 400, size=n)
    rng = None if seed is None else np.random.default_rng(seed)
    batches = similar_length_batches(lengths, batch_size, rng)
    assert sorted(np.concatenate([[], *batches]).tolist()) == list(range(n))
    sizes = sorted(map(len, batches))
    assert all(size == batch_size for size in sizes[1:])
    assert all(0 < size <= batch_size for size in sizes)
    for batch in batches:
        assert (np.diff(lengths[batch]) <= 0).all(), "longest first"


def test_batches_hold_similar_lengths():
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 400, size=25_000)
    batches = similar_length_batches(lengths, 64, rng)
    steps = sum(len(batch) * lengths[batch].max() for batch in batches)
    assert steps < 1.05 * lengths.sum(), "less than 5 % padding"


def test_batches_of_equal_lengths_are_a_plain_shuffle():
    batches = similar_length_batches(np.full(5000, 40), 16, np.random.default_rng(0))
    order = np.concatenate(batches)
    assert abs(np.corrcoef(order, np.arange(5000))[0, 1]) < 0.05
    within = [np.corrcoef(batch, np.arange(len(batch)))[0, 1] for batch in batches[:-1]]
    assert abs(np.mean(within)) < 0.05, "no order within a batch either"


def test_batches_depend_on_the_generator_alone():
    lengths = np.random.default_rng(1).integers(1, 50, size=1000)

    def batches(seed):
        rng = np.random.default_rng(seed)
        return [[batch.tolist() for batch in similar_length_batches(lengths, 8, rng)] for _ in "ab"]

    assert batches(0) == batches(0)
    assert batches(0) != batches(1)
    assert batches(0)[0] != batches(0)[1], "the next epoch is another one"


def test_batches_without_a_generator_are_sorted():
    batches = similar_length_batches([3, 1, 2, 3, 5], 2)
    assert [batch.tolist() for batch in batches] == [[4, 0], [3, 2], [1]]


def test_batches_refuse_bad_input():
    with pytest.raises(ValueError, match="batch_size: expected at least 1, got 0"):
        similar_length_batches([1, 2], 0)
    with pytest.raises(ValueError, match=r"lengths: expected shape \(T,\)"):
        similar_length_batches([[1, 2]], 2)
    with pytest.raises(TypeError, match="lengths: expected integers"):
        similar_length_batches([0.5], 2)


# Texts that nobody would expect

ODD_TEXTS = {
    "empty": "",
    "spaces": " \n\t\u3000",
    "markup": "<br /><br/><b></b>",
    "markup inside words": "won<br />der<br>ful",
    "long": "good " * 100_000,
    "one long word": "o" * 100_000,
    "emoji": "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467 great \U0001f44d\U0001f3fd",
    "combining": "cafe\u0301 nai\u0308ve z\u0351\u036b\u0343algo",
    "right to left": "\u05e1\u05e8\u05d8 \u0641\u064a\u0644\u0645 good \u202egood\u202c",
    "control": "go\x00od\x07 \x1b[31mbad\x1c\x85 \ufeff",
    "half a surrogate pair": "good \ud83d bad",
    "case that grows": "\u0130stanbul \ufb01lm STRASSE stra\u00dfe",
    "unknown": "zyx wvu tsr",
    "apostrophes": "''' don''t 'tis rock'n'roll' '",
    "special words": "<pad> <unk> <PAD><<unk>>",
}


@pytest.fixture(scope="module")
def reader():
    """A vocabulary and a network that was trained with it."""
    texts = ["a good and great film", "a bad film", "good", "the worst , bad and bad"]
    vocabulary = Vocabulary.from_texts(texts)
    model = ScratchRNNClassifier(
        4, 2, embedding=(len(vocabulary), 3), readout="mean", n_epochs=3, seed=0
    )
    return vocabulary, model.fit(vocabulary.encode_all(texts), [1, 0, 1, 0])


@pytest.mark.parametrize("name", ODD_TEXTS)
def test_odd_texts_are_encoded_padded_judged_and_traced(name, reader):
    vocabulary, model = reader
    text = ODD_TEXTS[name]
    words, ids = tokenize(text), vocabulary.encode(text)
    assert len(words) == len(ids)
    assert all(word and word == word.strip() for word in words)
    assert vocabulary.encode(vocabulary.decode(ids)).tolist() == ids.tolist()
    padded = pad_sequences([ids], maxlen=40)
    assert padded.shape == (1, 40)
    for x in ([ids], padded):
        proba = model.predict_proba(x)
        assert proba.shape == (1, 2) and np.isfinite(proba).all()
    beginnings = [ids[: t + 1] for t in range(min(len(ids), 400))] or [ids]  # as lesson 4 does
    trace = model.predict_proba(beginnings)[:, 1]
    assert ((trace > 0) & (trace < 1)).all()


def test_markup_inside_a_word_parts_it():
    assert tokenize(ODD_TEXTS["markup inside words"]) == ["won", "der", "ful"]
    assert tokenize(ODD_TEXTS["control"]) == ["go", "od", "31mbad"]
    assert tokenize(ODD_TEXTS["half a surrogate pair"]) == ["good", "bad"]
