"""The language model: a recurrent network that guesses the next character, and so can write.

A text is cut into streams of equal length, which are read side by side. Each batch goes on where
the last one stopped: the state is carried over, the gradient is not, and this is what truncation is
for in practice. What is measured is bits per character: how many yes-or-no questions the next
character is still worth to one who has read the text so far. Left out: words, going on with an
earlier training, and choosing settings.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import KW_ONLY, dataclass
from functools import partial
from itertools import repeat

import numpy as np

from rnn_lib import validation
from rnn_lib.estimator import Estimator, setting, verbosity
from rnn_lib.initializers import gaussian
from rnn_lib.layers import Dense, Embedding
from rnn_lib.losses import SoftmaxCrossEntropy
from rnn_lib.network import AllStates, RecurrentNetwork
from rnn_lib.optimizers import Adam, linear_decay
from rnn_lib.recurrent import LAYERS
from rnn_lib.text import as_texts
from rnn_lib.training import TrainingState, one_blas_thread, run_epochs, step_in_threads

UNKNOWN, START = "\ufffd", "\n"  # all rare characters; what stands before a text, and between two

# A text of which bits are counted is read in pieces of at least so many characters, side by side.
# Each but the first begins with some that do not count, from which the state comes up to date.
_PIECE, _RUN_UP, _N_PIECES = 1000, 200, 64

Text = str | Iterable[str]


@dataclass(eq=False)
class LanguageModel(Estimator):
    r"""A recurrent network that gives every character the probability that it comes next.

    Parameters
    ----------
    layer : {"rnn", "gru", "lstm"}
        The recurrent layer; its weights start orthogonal.
    n_nodes : int
        Hidden units.
    n_features : int
        Numbers per character, in the table that the network looks characters up in.
    bptt_steps : int
        Characters of a stream in one batch; gradients reach no further back.
    batch_size : int
        Streams.
    n_epochs : int
        How often ``fit`` goes through the text.
    lr : float
        Adam's learning rate at the start, above 0. It falls in a straight line to 0 at the end.
    clip_norm : float
        The largest global norm of the gradients, above 0.
    max_characters : int
        The most frequent characters have a probability each; all others share that of "\ufffd",
        which is one of this number, as the line break is.
    seed : int, optional
        For the weights that training starts from.
    dtype : data type
        float32 for speed, or float64.
    n_threads : int
        Threads that share the streams, or the pieces of a text that it measures. Another number
        gives other last digits.
    verbose : {0, 1, 2}
        0: silent. 1: a line per epoch. 2: a progress bar.

    Attributes
    ----------
    history_ : dict of str to list of float
        Per epoch: ``bits`` (per character, as the batches were trained), ``val_bits`` (if there is
        a text for validation), ``seconds``; and of every batch: ``batch_bits``.
    characters_ : str
        The characters in the order of the network's outputs.
    network_ : RecurrentNetwork
        The trained layers.

    Notes
    -----
    Lesson 7. A text is a string, or a list of strings, which are read with a line break between
    two. Any text is read as if a line break stood before it.
    """

    layer: str = setting("rnn", partial(validation.choose, choices=LAYERS), fixed=True)
    n_nodes: int = setting(256, validation.expect_count, fixed=True)
    n_features: int = setting(32, validation.expect_count, fixed=True)
    bptt_steps: int = setting(100, validation.expect_count)
    batch_size: int = setting(64, validation.expect_count)
    n_epochs: int = setting(1, validation.expect_count)
    lr: float = setting(0.004, validation.expect_positive)
    _: KW_ONLY
    clip_norm: float = setting(1.0, validation.expect_positive)
    max_characters: int = setting(96, partial(validation.expect_count, least=2))
    seed: int | None = setting(0, partial(validation.expect_count, least=0, optional=True))
    dtype: np.dtype | type = setting(np.float32, validation.expect_float_type, fixed=True)
    n_threads: int = setting(2, validation.expect_count)
    verbose: int = setting(0, verbosity)

    _format = "rnn_lib.LanguageModel 1"
    _sized_by = "params.embedding.W"

    def fit(self, text: Text, val_text: Text | None = None) -> "LanguageModel":
        """Train on a text, starting anew.

        Ctrl-C (in a notebook: interrupting the kernel) ends it with a warning. The model can be
        used as it then is; it does not go on later.

        Parameters
        ----------
        text : str or list of str
            At least ``batch_size * bptt_steps`` characters.
        val_text : str or list of str, optional
            Evaluated after every epoch and never trained on.

        Returns
        -------
        LanguageModel
            Itself.

        Raises
        ------
        ValueError, TypeError
            If a setting is out of range, or a text too short or none.
        FloatingPointError
            If the loss or a weight stops being a finite number.

        After an error the model is as it was before this call.

        Warns
        -----
        RuntimeWarning
            If it was interrupted, or the loss is far above that of guessing.
        """
        self._check_settings()
        needed = self.batch_size * self.bptt_steps
        text = _joined("text", text, needed, " (batch_size * bptt_steps)")
        common = [c for c, _ in Counter(text).most_common() if c not in (UNKNOWN, START)]
        characters = [UNKNOWN, START, *common][: self.max_characters]
        state = self._new_state(len(characters))
        state.classes = np.array([*map(ord, characters)])
        held_out = None if val_text is None else _ids(_joined("val_text", val_text), state)
        self._train(state, _ids(text, state), held_out)
        state.optimizer.averages.clear()  # no update follows
        return self._become(state)

    def bits_per_character(self, text: Text) -> float:
        r"""Measure how well the model guesses a text.

        Parameters
        ----------
        text : str or list of str
            At least one character.

        Returns
        -------
        float
            The mean over all characters of -log2 of the probability that the model gave to each,
            having read what stands before it (of a long text: at least the 200 characters before).
            Rare characters cost what "\ufffd" does.

        Raises
        ------
        ValueError, TypeError
            If the model is not fitted, or `text` is empty or none.
        """
        state = self._expect_fitted()
        return self._bits(state.network, _ids(_joined("text", text), state))

    def sample(
        self, n_characters: int, prompt: Text = "", temperature: float = 1, seed: int | None = None
    ) -> str:
        r"""Write: draw one character after another, each read before the next is drawn.

        Computed in float64, so that the same weights and seed write the same text on every
        processor.

        Parameters
        ----------
        n_characters : int
            How many to write, at least 1.
        prompt : str or list of str
            What the model reads first.
        temperature : float
            Divides the scores. 1 draws from the model's probabilities, less makes the probable
            more probable, and 0 takes the most probable character.
        seed : int, optional
            For the draws; by default they are different ones each time.

        Returns
        -------
        str
            What comes after the prompt; "\ufffd" for a character that is rare.

        Raises
        ------
        ValueError, TypeError
            If the model is not fitted, or an argument is out of range.
        """
        state = self._expect_fitted()
        validation.expect_count("n_characters", n_characters)
        validation.expect_not_negative("temperature", temperature)
        rng = np.random.default_rng(validation.expect_count("seed", seed, 0, optional=True))
        ids = _ids(_joined("prompt", prompt, least=0), state)
        written = _write(state.network, ids, n_characters, temperature, rng)
        return "".join(self.characters_[i] for i in written)

    @one_blas_thread()
    def _bits(self, network, ids):
        """Measure pieces of a text side by side, each thread some of them."""
        n, loss = len(ids) - 1, SoftmaxCrossEntropy()
        n_pieces = min(max(1, n // _PIECE), _N_PIECES)
        apart = -(-(n - _RUN_UP) // n_pieces)
        first, length = apart * np.arange(n_pieces)[:, None], apart + _RUN_UP

        def nats(network, first, t):
            at = first + np.arange(t, min(t + 100, length))
            counts = (at < n) & ((first == 0) | (at >= first + _RUN_UP))
            scores, y = network.forward(ids.take(at, mode="clip")), ids.take(at + 1, mode="clip")
            # All threads share the loss: only what it returns is used, not what it keeps.
            return loss.forward(scores, y, counts) * counts.sum() if counts.any() else 0

        networks = [network.twin() for _ in range(min(self.n_threads, n_pieces))]
        parts = np.array_split(first, len(networks))
        with ThreadPoolExecutor(len(networks)) as pool:
            batches = (pool.map(nats, networks, parts, repeat(t)) for t in range(0, length, 100))
            return float(sum(map(sum, batches)) / n / np.log(2))

    def _become(self, state):
        self.characters_ = "".join(map(chr, state.classes))
        return super()._become(state)

    def _new_state(self, n_characters):
        """Make an untrained network, and what trains it."""
        rng = np.random.default_rng(self.seed)
        how = {"rng": rng, "dtype": self.dtype}
        # From a table of small numbers the state learns to follow itself more than the text.
        embedding = Embedding(n_characters, self.n_features, initializer=gaussian(1.0), **how)
        rnn = LAYERS[self.layer](self.n_features, self.n_nodes, initializer="orthogonal", **how)
        dense = Dense(self.n_nodes, n_characters, **how)
        network = CarryingNetwork(rnn, AllStates(), dense, embedding)
        parts = network, SoftmaxCrossEntropy(), Adam(self.lr)
        return TrainingState(*parts, rng, self.get_params(), history={"bits": [], "batch_bits": []})

    def _train(self, state, ids, held_out):
        N, T = self.batch_size, self.bptt_steps
        networks = [state.network.twin() for _ in range(min(self.n_threads, N))]

        def batches():
            for network in networks:
                network.states = None
            for x, y in next_character_batches(ids, N, T):
                yield x, np.full(N, T), y

        def measure(done):
            bits = done[:, 0] / np.log(2)
            state.history["batch_bits"] += bits.tolist()
            val = {} if held_out is None else {"val_bits": self._bits(state.network, held_out)}
            return {"bits": float(bits.mean())} | val

        n_batches, schedule = (len(ids) - 1) // (N * T), linear_decay(self.lr, self.n_epochs)
        with ThreadPoolExecutor(len(networks)) as pool:
            step = step_in_threads(networks, pool)
            run_epochs(state, batches, n_batches, measure, schedule, self, step)


def next_character_batches(
    ids: np.ndarray, n_streams: int, n_steps: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Cut a text into streams, and these into batches.

    Stream 0 is the beginning of the text, stream 1 what follows it, and so on. Each batch holds the
    next steps of every stream, so that the state after one is the state before the next.

    Parameters
    ----------
    ids : ndarray of int, shape (L,)
        The text. What does not fill a batch is left out at the end.
    n_streams, n_steps : int
        Rows and columns of a batch.

    Yields
    ------
    inputs, targets : ndarray of int, shape (n_streams, n_steps)
        Characters, and for each the one that comes next; views of `ids`.

    Notes
    -----
    Lesson 7, section 2.
    """
    length = (len(ids) - 1) // (n_streams * n_steps) * n_steps
    streams = [ids[k : k + n_streams * length].reshape(n_streams, length) for k in (0, 1)]
    for t in range(0, length, n_steps):
        yield tuple(stream[:, t : t + n_steps] for stream in streams)


class CarryingNetwork(RecurrentNetwork):
    """A network with a score for every step that reads on from batch to batch.

    Attributes
    ----------
    states : ndarray, shape (S, N, H), or None
        The states after the last ``forward``, from which the next one starts; None lets it start
        from zeros.
    """

    states = None

    def forward(self, x, lengths=None, training=False) -> np.ndarray:
        """Return the scores (N, T, V) of what may follow the ids `x` (N, T)."""
        scores = self._scores(x, lengths, training, keep=True, starts=self.states)
        self.states = self.rnn._last_states()
        return scores


def _joined(name, text, least=1, hint=""):
    """Return a text as one string."""
    try:
        text = text if isinstance(text, str) else START.join(as_texts(text))
    except TypeError as error:
        raise TypeError(f"{name}: expected a string or a list of strings: {error}") from None
    if len(text) < least:
        raise ValueError(f"{name}: expected {least:,} or more characters{hint}, got {len(text):,}")
    return text


def _ids(text, state):
    """Return the ids of a text's characters, with the start in front: (1 + length,)."""
    id_of = np.zeros(0x110000, np.int32)  # of every code point; 0 is the unknown's
    id_of[state.classes] = np.arange(len(state.classes))
    return id_of[np.frombuffer((START + text).encode("utf-32-le", "surrogatepass"), "<u4")]


@one_blas_thread()
def _write(network, ids, n_characters, temperature, rng):
    """Read `ids`, then write: return the ids of what comes next."""
    weights = network.embedding.W, *network.dense.params.values()
    table, W, b = (array.astype(float) for array in weights)
    step, written = network.rnn._stepper(), []
    for i in ids:
        h = step(table[i])
    while len(written) < n_characters:
        written.append(_draw(h @ W + b, temperature, rng))
        h = step(table[written[-1]])
    return written


@np.errstate(over="ignore")  # a score divided by nearly 0
def _draw(scores, temperature, rng):
    """Draw an id from the probabilities softmax(scores / temperature)."""
    if temperature == 0:
        return int(scores.argmax())
    sums = np.exp((scores - scores.max()) / temperature).cumsum()
    return int(np.searchsorted(sums / sums[-1], rng.random(), side="right"))
