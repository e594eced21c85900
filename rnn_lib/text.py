"""From reviews to arrays of word ids, and back.

A network reads numbers, so a review takes four steps: `tokenize` cuts it into words, a `Vocabulary`
gives every word a number, `Sequences` keeps reviews of different lengths together, and
`pad_sequences` makes a rectangle of them. The same steps serve training, evaluation and a sentence
that a person types. Left out: where the reviews come from (:mod:`rnn_lib.imdb`), and how they are
put into batches (:mod:`rnn_lib.batches`).
"""

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from rnn_lib.validation import as_integers, choose, expect_between, expect_count

PAD, UNK = 0, 1  # what fills a row up; every word that is not in the vocabulary
SPECIAL_WORDS = ["<pad>", "<unk>"]

IDS_HINT = "; a single sequence is x[None], and Vocabulary.encode_all makes word ids of texts"

_SIDES = {"pre": "pre", "post": "post"}
_LINE_BREAK = re.compile(r"<\s*/?\s*br\s*/?\s*>")
# Vowel signs, accents and joiners: in words of many languages, but no letters to `re`.
_MARKS = "".join(c for c in map(chr, range(0x1F000)) if unicodedata.category(c)[0] == "M")
_LETTERS = rf"[^\W_]+(?:(?![\0-\u02ff])[{_MARKS}\u200c\u200d]+[^\W_]*)*"  # looks no mark up in vain
# A special word, or letters, their marks, and digits, with apostrophes only inside.
_WORD = re.compile(rf"{'|'.join(SPECIAL_WORDS)}|{_LETTERS}(?:'{_LETTERS})*")


def tokenize(text: str) -> list[str]:
    """Cut a text into lower-case words.

    Line breaks written as ``<br />`` are dropped, and so is punctuation, but for the apostrophe
    inside a word. ``<pad>`` and ``<unk>`` are words, so that a decoded text can be encoded again.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    list of str
        The words in their order.

    Raises
    ------
    TypeError
        If `text` is not a string.

    Examples
    --------
    >>> tokenize("Don't miss it!<br />10/10")
    ["don't", 'miss', 'it', '10', '10']
    """
    if not isinstance(text, str):
        raise TypeError(f"text: expected a string, got {type(text).__name__}")
    text = unicodedata.normalize("NFC", text.lower()).replace("’", "'")  # as phones write it
    return _WORD.findall(_LINE_BREAK.sub(" ", text))


class Vocabulary:
    """A number for every word, and the word for every number.

    Parameters
    ----------
    words : iterable of str
        All the words in the order of their ids; the first two are ``<pad>`` and ``<unk>``.

    Attributes
    ----------
    words : list of str
        As given: ``words[i]`` is the word with the id i.

    Raises
    ------
    ValueError
        If the two special words do not come first, or a word comes twice.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = list(words)
        if self.words[:2] != SPECIAL_WORDS:
            raise ValueError(f"words: expected {SPECIAL_WORDS} first, got {self.words[:2]}")
        self._ids = {word: i for i, word in enumerate(self.words)}
        if len(self._ids) < len(self.words):
            word, count = Counter(self.words).most_common(1)[0]
            raise ValueError(f"words: expected every word once, got {word!r} {count} times")

    @classmethod
    def from_texts(cls, texts: Iterable[str], max_size: int = 10_000) -> "Vocabulary":
        """Make a vocabulary of the most frequent words of some texts.

        Words that are equally frequent are numbered in alphabetical order. Their order of first
        appearance will not do: where the negative reviews come first, the last places would go to
        words of negative reviews, and the rate of ``<unk>`` would give the labels away.

        Parameters
        ----------
        texts : iterable of str
            The reviews, in any order; those to train on, and no others.
        max_size : int
            The largest number of words, ``<pad>`` and ``<unk>`` included; at least 2.

        Returns
        -------
        Vocabulary
            The most frequent word has the id 2.

        Raises
        ------
        TypeError
            If `texts` is a single string or holds something else, or `max_size` is no whole number.
        ValueError
            If `max_size` is below 2.
        """
        expect_count("max_size", max_size, least=len(SPECIAL_WORDS))
        counts = Counter(itertools.chain.from_iterable(map(tokenize, as_texts(texts))))
        words = counts.keys() - set(SPECIAL_WORDS)
        by_frequency = sorted(words, key=lambda word: (-counts[word], word))
        return cls((SPECIAL_WORDS + by_frequency)[:max_size])

    def encode(self, text: str) -> np.ndarray:
        """Return the ids of a text's words.

        Parameters
        ----------
        text : str
            Any text.

        Returns
        -------
        ndarray of int32, shape (T,)
            From 0 to ``len(self) - 1``; `UNK` where the vocabulary lacks the word.

        Raises
        ------
        TypeError
            If `text` is not a string.
        """
        return np.array([self._ids.get(word, UNK) for word in tokenize(text)], np.int32)

    def encode_all(self, texts: Iterable[str]) -> "Sequences":
        """Return the ids of the words of many texts.

        Parameters
        ----------
        texts : iterable of str
            The reviews.

        Returns
        -------
        Sequences
            One for each text, in the same order.

        Raises
        ------
        TypeError
            If `texts` is a single string, or holds something else.
        """
        return Sequences.from_arrays(map(self.encode, as_texts(texts)))

    def decode(self, ids: np.ndarray) -> str:
        """Return the words with the given ids, joined by spaces.

        Parameters
        ----------
        ids : array_like of int, shape (T,)
            From 0 to ``len(self) - 1``.

        Returns
        -------
        str
            ``encode`` makes the same ids of it.

        Raises
        ------
        TypeError
            If `ids` is not made of integers.
        ValueError
            If `ids` is not one-dimensional, or no word has one of the ids.
        """
        ids = as_sequence("ids", ids)
        expect_between("ids", ids, 0, len(self) - 1)
        return " ".join([self.words[i] for i in ids])

    def __len__(self) -> int:
        return len(self.words)


def as_texts(texts):
    """Return what was given; refuse what is iterable, too, but not text by text."""
    if isinstance(texts, str):
        raise TypeError("texts: expected a list of strings, got one string; write [text]")
    if isinstance(texts, Mapping) or hasattr(texts, "columns"):
        raise TypeError("texts: expected one column of texts, got a table; write table['review']")
    return texts


class Sequences:
    """Sequences of different lengths, end to end in one array.

    ``sequences[3]`` is one sequence (a view); an array of numbers, a slice or a mask gives
    `Sequences` again.

    Parameters
    ----------
    ids : array_like of int, shape (total length,)
        All sequences, one after the other.
    offsets : array_like of int, shape (N + 1,)
        Sequence i is ``ids[offsets[i]:offsets[i + 1]]``.

    Attributes
    ----------
    ids : ndarray of int32
        As given.
    offsets : ndarray of int64
        As given.

    Raises
    ------
    TypeError
        If `ids` or `offsets` is not made of integers.
    ValueError
        If one of them is not one-dimensional, an id does not fit into int32, or `offsets` does not
        rise from 0 to the number of ids.
    """

    def __init__(self, ids: np.ndarray, offsets: np.ndarray) -> None:
        ids, limits = as_sequence("ids", ids), np.iinfo(np.int32)
        expect_between("ids", ids, limits.min, limits.max)
        self.ids = ids.astype(np.int32, copy=False)
        self.offsets = as_sequence("offsets", offsets).astype(np.int64, copy=False)
        ends = self.offsets[[0, -1]].tolist() if self.offsets.size else []
        if ends != [0, len(ids)] or (self.lengths < 0).any():
            expected = f"numbers rising from 0 to {len(ids)}"
            raise ValueError(f"offsets: expected {expected}, got {self.offsets}")

    @classmethod
    def from_arrays(cls, sequences: Iterable[np.ndarray], name: str = "sequences") -> "Sequences":
        """Put arrays of ids together.

        Parameters
        ----------
        sequences : iterable of array_like of int
            Each one-dimensional, of any length.
        name : str
            What messages call them.

        Returns
        -------
        Sequences
            A copy of the arrays, in the same order.

        Raises
        ------
        TypeError
            If an array is not made of integers.
        ValueError
            If an array is not one-dimensional.
        """
        if not isinstance(sequences, Iterable):
            raise TypeError(f"{name}: expected several arrays, got {sequences!r}")
        arrays = [as_sequence(f"{name}[{i}]", ids, IDS_HINT) for i, ids in enumerate(sequences)]
        offsets = np.cumsum([0] + [len(ids) for ids in arrays])
        return cls(np.concatenate(arrays) if arrays else [], offsets)

    @property
    def lengths(self) -> np.ndarray:
        """The lengths of the sequences, int64, shape (N,)."""
        return np.diff(self.offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self.ids[start:end] for start, end in itertools.pairwise(self.offsets.tolist()))

    def __getitem__(self, key: int | slice | np.ndarray) -> "np.ndarray | Sequences":
        rows = np.arange(len(self))[key]
        if rows.ndim == 0:
            return self.ids[self.offsets[rows] : self.offsets[rows + 1]]
        lengths = self.lengths[rows]
        offsets = np.append(0, lengths.cumsum())
        # Position p of the new array comes from position p + shift of the old one.
        shift = np.repeat(self.offsets[rows] - offsets[:-1], lengths)
        return Sequences(self.ids[np.arange(offsets[-1]) + shift], offsets)

    def __repr__(self) -> str:
        return f"Sequences({len(self)} sequences, {len(self.ids)} ids)"


def pad_sequences(
    sequences: Sequences | Iterable[np.ndarray],
    maxlen: int | None = None,
    padding: str = "post",
    truncating: str = "pre",
) -> np.ndarray:
    """Make a rectangle of sequences of different lengths.

    The arguments mean what they mean in Keras, whose own default for `padding` is ``"pre"``.

    Parameters
    ----------
    sequences : Sequences or iterable of array_like of int
        N one-dimensional sequences of any lengths.
    maxlen : int, optional
        Number of columns; by default the length of the longest sequence.
    padding : {"post", "pre"}
        Where a shorter sequence is filled up: behind or in front of it.
    truncating : {"pre", "post"}
        Where a longer sequence is cut: ``"pre"`` keeps its end, ``"post"`` its beginning.

    Returns
    -------
    ndarray of int32, shape (N, maxlen)
        A new array.

    Raises
    ------
    TypeError
        If a sequence is not made of integers, or `maxlen` is no whole number.
    ValueError
        If a sequence is not one-dimensional, `maxlen` is below 1, or `padding` or `truncating` is
        neither ``"pre"`` nor ``"post"``.
    """
    choose("padding", padding, _SIDES)
    choose("truncating", truncating, _SIDES)
    if not isinstance(sequences, Sequences):
        sequences = Sequences.from_arrays(sequences)
    maxlen = sequences.lengths.max(initial=0) if maxlen is None else expect_count("maxlen", maxlen)
    padded = np.full((len(sequences), maxlen), PAD, np.int32)
    for row, ids in zip(padded, sequences, strict=True):
        ids = ids[-maxlen:] if truncating == "pre" else ids[:maxlen]
        row[slice(len(ids)) if padding == "post" else slice(maxlen - len(ids), None)] = ids
    return padded


def as_sequence(name: str, value: object, hint: str = "") -> np.ndarray:
    """Return `value` as an array of integers with one axis, perhaps empty.

    Raises
    ------
    TypeError
        If it is not made of integers.
    ValueError
        If it does not have one axis.
    """
    array = np.asarray(value)
    if array.shape == (0,):
        return array.astype(np.int32)  # NumPy makes an empty list an array of float64
    return as_integers(name, array, ("T",), hint)
