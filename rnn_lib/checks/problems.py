"""The problems that a student's function has to solve: random sizes, random numbers.

N, T, F and H are all different, so that a wrong shape cannot pass for a right one; N is at least 2;
the bias and the state before the first step are not 0, since zeros hide mistakes. T is 1, 2 and
something longer: T = 1 alone proves nothing.

Each problem comes as three calls: numbers, other numbers of the same shape, the first ones again.
A function that remembers anything from call to call gives itself away. What the right answers are
is not known here.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from numpy import arange, array, eye, ndarray, resize, stack, zeros
from numpy.random import Generator, default_rng

from rnn_lib.checks import references
from rnn_lib.language import Message, translated

SEED_VARIABLE = "RNN_LIB_CHECK_SEED"

_FIRST, _OTHER, _AGAIN = (
    Message("first call"),
    Message("second call, other numbers"),
    Message("third call, the first numbers again"),
)

_WORDS = ["the", "film", "was", "long", "dull", "but", "we", "all", "like", "its", "last", "scene"]
_UNKNOWN = ["zorpful", "quarn"]

_N_IS_T = {"N": 3, "T": 3, "F": 2, "H": 4}
_F_IS_H = {"N": 5, "T": 2, "F": 4, "H": 4}


@dataclass(frozen=True)
class Problem:
    """Numbers to compute with.

    Attributes
    ----------
    numbers : dict
        Every array by its name, more than any one function is given.
    sizes : dict of str to int
        N, T, F, H or what there is of them.
    call : str
        Which of the three calls it is, or by what the gradients were multiplied.
    """

    numbers: dict[str, object]
    sizes: dict[str, int]
    call: str = _FIRST

    @property
    def is_first(self) -> bool:
        """Whether this is the first of the three calls."""
        return self.call == _FIRST

    def arguments(self, names: Iterable[str]) -> dict[str, object]:
        """Return fresh copies of the named numbers, those that there are."""
        return {
            name: number.copy() if isinstance(number, (ndarray, list, dict)) else number
            for name, number in ((n, self.numbers[n]) for n in names if n in self.numbers)
        }

    def with_numbers(self, **numbers: object) -> "Problem":
        """Return the same problem with some numbers exchanged."""
        return Problem(self.numbers | numbers, self.sizes, self.call)


def seeded_rng() -> tuple[Generator, bool]:
    """Return the generator of one check, and whether a person chose its seed.

    Raises
    ------
    ValueError
        If ``RNN_LIB_CHECK_SEED`` is set and is not a whole number of at least 0.
    """
    seed = os.environ.get(SEED_VARIABLE, "").strip()
    if not seed:
        return default_rng(7), False
    if not seed.isdecimal():
        what = "{name}: expected a whole number of at least 0, got {seed!r}"
        raise ValueError(translated(Message(what, name=SEED_VARIABLE, seed=seed)))
    return default_rng(int(seed)), True


def steps(rng: Generator, seeded: bool, cell: str = "rnn") -> list[Problem]:
    """Draw problems for one step of a cell, one with F < H and one with F > H."""
    drawn = _three_calls(rng, _CELLS[cell], (_sizes(rng, 1, wide) for wide in (False, True)))
    return [Problem(p.numbers, {name: p.sizes[name] for name in "NFH"}, p.call) for p in drawn]


def sequences(rng: Generator, seeded: bool) -> list[Problem]:
    """Draw problems for whole sequences, of 1, 2 and more time steps."""
    T_values = (1, 2, int(rng.integers(4, 8)) if seeded else 5)
    sizes = (_sizes(rng, T, wide) for T, wide in zip(T_values, (False, True, False), strict=True))
    return _three_calls(rng, _sequence, sizes)


def tiny_and_others(rng: Generator, seeded: bool) -> list[Problem]:
    """Ask for lesson 2's tiny array, with its one bias for all units, and for whole sequences."""
    W_h = array([[1, 3, 5, 7], [2, 4, 6, 8], [3, 5, 7, 8], [4, 6, 8, 10]]) / 100
    x = array([[[1, 2], [2, 3], [3, 4]]]) / 100
    tiny = {"x": x, "h0": zeros((1, 4)), "W_x": W_h[::2], "W_h": W_h, "b": array([1.0])}
    sizes = {"N": 1, "T": 3, "F": 2, "H": 4}
    return [Problem(tiny, sizes), *sequences(rng, seeded)]


def truncated(rng: Generator, seeded: bool) -> list[Problem]:
    """Draw problems for back-propagation: in full, and through each possible number of cells."""
    problems = []
    for problem in sequences(rng, seeded):
        T = problem.sizes["T"]
        in_full = problem if problem.call == _FIRST else problem.with_numbers(bptt_steps=None)
        problems.append(in_full)  # by default, and said in so many words
        problems += [problem.with_numbers(bptt_steps=k) for k in (*range(1, T + 1), T + 2)]
    # The three calls of one problem in a row.
    return sorted(problems, key=lambda p: (p.sizes["T"], p.numbers.get("bptt_steps") or 0))


def scores_and_labels(rng: Generator, seeded: bool) -> list[Problem]:
    """Draw problems for the loss: N and the number of outputs K differ."""
    return _three_calls(rng, _scores, ({"N": int(rng.integers(6, 9)), "K": K} for K in (2, 5)))


def parameters(rng: Generator, seeded: bool) -> list[Problem]:
    """Draw parameters, their gradients and learning rates."""
    sizes = _sizes(rng, 1, False)
    return _three_calls(rng, _parameters, [{name: sizes[name] for name in "FH"}])


def nudged(rng: Generator, seeded: bool) -> list[Problem]:
    """Draw arrays to nudge: vectors and matrices, by the default and by a large step."""
    drawn = _three_calls(rng, _cubic, ({"shape": shape} for shape in ((5,), (2, 3))))
    return [p for problem in drawn for p in (problem, problem.with_numbers(eps=0.05))]


def reviews(rng: Generator, seeded: bool) -> list[Problem]:
    """Draw reviews to encode: longer than maxlen, just as long, shorter, and empty."""
    n = int(rng.integers(5, 8))
    sizes = ((n + 1, n), (n + 4, n), (n, n), (n - 1, n + 1), (0, n))
    return _three_calls(rng, _review, ({"words": words, "maxlen": n} for words, n in sizes))


def batches(rng: Generator, seeded: bool) -> list[Problem]:
    """Draw a small network and batches for it, with gradient norms above and below 1."""
    N, T, F, K = (int(n) for n in rng.permutation([3, 4, 5, 6]))
    return _three_calls(rng, _batches, [{"steps": 3, "N": N, "T": T, "F": F, "K": K}])


def texts(rng: Generator, seeded: bool) -> list[Problem]:
    """Draw texts to cut: much is left over, nothing, all but one; in one stream, step by step.

    The first is long: batches drawn at random do not come twice in one order by chance.
    """
    N, T = (int(n) for n in rng.permutation([3, 4, 5])[:2])
    rest = int(rng.integers(2 * N, N * T - 1))
    cuts = (N, T, 9 * N * T + 1 + rest), (T, N, 3 * N * T + 1), (N, T, 3 * N * T)
    cuts += (1, T, 3 * T + 2), (N, 1, 3 * N + 3)
    sizes = ({"n_streams": rows, "n_steps": steps, "L": L} for rows, steps, L in cuts)
    return _three_calls(rng, _text, sizes)


def writing(rng: Generator, seeded: bool) -> list[Problem]:
    """Draw networks to write with: the most probable, many draws, and one that is certain."""
    sizes = ({"V": 7, "prompt": prompt, "n": n} for prompt, n in ((1, 1), (4, 9), (2, 6)))
    asked, scores = _three_calls(rng, _network, sizes), rng.permutation([0.2, 0.5, 1, 2, 3, 4.5, 6])
    sure = 1000 * asked[3].numbers["table"]
    asked.append(asked[3].with_numbers(table=sure, temperature=1.0))
    return [*asked, _many_draws(scores, 0.3), _many_draws(scores[::-1], 3.0)]


def large_scores_of_characters() -> list[Problem]:
    """Make scores, and quotients, at which careless code overflows."""
    scores = array([3.0, 0.5, 4.0, 1.5])
    asked = (scores + 1000, 1.0), (scores - 1000, 1.0), (4 * scores, 0.01)
    return [_many_draws(*each) for each in asked]


def _many_draws(scores: ndarray, temperature: float) -> Problem:
    # Few characters at a time: some solutions read all that is written again, for each of them.
    sizes = {"V": len(scores), "prompt": 1, "n": 25}
    same = {"table": resize(scores, 2 * scores.shape), "temperature": temperature, "times": 40}
    return Problem(_network(default_rng(7), **sizes) | same, sizes)


def scaled(ask: Callable, *gradients: str) -> Callable:
    """Also ask for the last problem with gradients so small, and so large, that clipping shows."""

    def asking(rng: Generator, seeded: bool) -> list[Problem]:
        asked = ask(rng, seeded)
        last = [p for p in asked if p.is_first and not p.numbers.get("bptt_steps")][-1]
        for size in (1e-6, 1e6):
            numbers = {name: size * last.numbers[name] for name in gradients}
            call = Message("gradients times {size:.0e}", size=size)
            asked.append(Problem(last.numbers | numbers, last.sizes, call))
        return asked

    return asking


def square_parameters(rng: Generator) -> list[Problem]:
    """Draw parameters of which two have the same shape, since F = H."""
    return [Problem(_parameters(rng, F=4, H=4), {"F": 4, "H": 4})]


def square(rng: Generator, cell: str = "rnn") -> list[Problem]:
    """Draw problems in which axes may be confused without an error: N = T, and F = H."""
    return [Problem(_CELLS[cell](rng, **sizes), sizes) for sizes in (_N_IS_T, _F_IS_H)]


def round_numbers(rng: Generator, T: int, cell: str = "rnn") -> list[Problem]:
    """Draw quarters only: small enough numbers that float32 holds all sums and products of them."""
    sizes = _sizes(rng, T, False)
    shapes = {name: number.shape for name, number in _CELLS[cell](rng, **sizes).items()}
    return [Problem({n: rng.integers(-3, 4, shape) / 4 for n, shape in shapes.items()}, sizes)]


def saturated() -> list[Problem]:
    """Make a problem with the sums 1000, -1000 and 1e-17: the bias alone, all else is 0."""
    sizes = {"N": 2, "T": 2, "F": 3, "H": 6}
    weights = {"W_x": zeros((3, 6)), "W_h": zeros((6, 6))}
    b = resize(array([1000.0, -1000.0, 1e-17]), 6)
    inputs = {"x": zeros((2, 2, 3)), "h0": zeros((2, 6))}
    return [Problem(weights | inputs | {"b": b} | _one_step(inputs), sizes)]


def saturated_gates(cell: str) -> list[Problem]:
    """Make a step with sums of 1000, and an inner state as large that can be negative.

    Sums of -1000 are left out: there ``1 / (1 + math.exp(-a))`` stops, though it is not wrong.
    """
    sizes = {"N": 2, "T": 1, "F": 3, "H": 5}
    return [Problem(_CELLS[cell](default_rng(7), **sizes, more=1000), sizes)]


def large_scores() -> list[Problem]:
    """Make scores at which careless code overflows, and a probability that rounds to 0."""
    scores = array([[1000.5, 999.0, 1001.25], [1000.0, 1002.5, 1000.75]])
    sizes = {"N": 2, "K": 3}
    return [
        Problem({"scores": scores, "labels": array([2, 0])}, sizes),
        Problem({"scores": -scores, "labels": array([1, 2])}, sizes),
        Problem({"scores": 800 * (scores - 1000), "labels": array([1, 0])}, sizes),
    ]


def _three_calls(
    rng: Generator, draw: Callable, all_sizes: Iterable[dict[str, object]]
) -> list[Problem]:
    problems = []
    for sizes in all_sizes:
        first, other = draw(rng, **sizes), draw(rng, **sizes)
        calls = ((first, _FIRST), (other, _OTHER), (first, _AGAIN))
        problems += [Problem(numbers, sizes, call) for numbers, call in calls]
    return problems


def _sizes(rng: Generator, T: int, wide: bool) -> dict[str, int]:
    """Draw N, F and H, different from one another and from T; `wide` means F > H."""
    N, *F_and_H = (int(n) for n in rng.permutation([n for n in range(2, 8) if n != T])[:3])
    if N == 2:  # a factor of 2 would look like a factor of N
        N, F_and_H[0] = F_and_H[0], N
    F, H = sorted(F_and_H, reverse=wide)
    return {"N": N, "T": T, "F": F, "H": H}


def _sequence(rng: Generator, N: int, T: int, F: int, H: int) -> dict[str, ndarray]:
    # Small enough that tanh is not saturated, large enough that every term matters.
    draw = rng.standard_normal
    given = {
        "x": draw((N, T, F)),
        "h0": 0.5 * draw((N, H)),
        "W_x": 0.4 * draw((F, H)),
        "W_h": 0.4 * draw((H, H)),
        "b": 0.5 * draw(H),
    }
    known = given | {"h": references.rnn_forward(**given), "dh": draw((N, T, H))}
    return known | _one_step(known)


def _lstm(rng: Generator, **sizes: int) -> dict[str, ndarray]:
    known = _gated(rng, 4, **sizes)
    given = {name: known[name] for name in ("x_t", "h_prev", "W_x", "W_h", "b")}
    gates = dict(zip("ifgo", references.lstm_gates(**given), strict=True))
    _, c_t = references.lstm_step(**given, c_prev=known["c_prev"])
    return known | gates | {"c_t": c_t}


def _gru(rng: Generator, **sizes: int) -> dict[str, ndarray]:
    known = _gated(rng, 3, **sizes)
    given = {name: known[name] for name in ("x_t", "h_prev", "W_x", "W_h", "b_x", "b_h")}
    return known | dict(zip("rzn", references.gru_gates(**given), strict=True))


def _gated(
    rng: Generator, n_gates: int, N: int, T: int, F: int, H: int, more: float = 0
) -> dict[str, ndarray]:
    """Draw a step of a cell with H columns for each gate, and with so much more in its sums."""
    columns = n_gates * H
    shapes = {"c_prev": (N, H), "dc_t": (N, H), "W_x": (F, columns), "W_h": (H, columns)}
    shapes |= dict.fromkeys(("b", "b_x", "b_h"), (columns,))
    drawn = {name: 0.5 * rng.standard_normal(shape) for name, shape in shapes.items()}
    large = {name: drawn[name] + more for name in ("b", "b_x")}
    large["c_prev"] = drawn["c_prev"] * (1 + more)
    return _sequence(rng, N, T, F, H) | drawn | large


_CELLS = {"rnn": _sequence, "lstm": _lstm, "gru": _gru}


def _one_step(known: dict[str, ndarray]) -> dict[str, ndarray]:
    """Name the first step of a sequence as the one-step functions do."""
    first = {name + "_t": known[name][:, 0] for name in ("x", "h", "dh") if name in known}
    return first | {"h_prev": known["h0"]}


def _scores(rng: Generator, N: int, K: int) -> dict[str, ndarray]:
    return {"scores": 2 * rng.standard_normal((N, K)), "labels": rng.integers(0, K, N)}


def _parameters(rng: Generator, F: int, H: int) -> dict[str, object]:
    shapes = {"W_x": (F, H), "W_h": (H, H), "b": (H,)}
    params = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    grads = {f'grads["{n}"]': rng.standard_normal(shape) for n, shape in shapes.items()}
    return params | grads | {"lr": float(rng.uniform(0.05, 0.5))}


def _cubic(rng: Generator, shape: tuple[int, ...]) -> dict[str, ndarray]:
    return {"array": rng.uniform(0.5, 2, shape), "weights": rng.uniform(0.5, 2, shape)}


def _review(rng: Generator, words: int, maxlen: int) -> dict[str, object]:
    ids = (2 + rng.permutation(500)[: len(_WORDS)]).tolist()
    id_of = {"<pad>": 0, "<unk>": 1} | dict(zip(_WORDS, ids, strict=True))
    review = rng.permutation(_WORDS)[:words].tolist()
    if review:  # an unknown word at the start, one among those that stay, and one word twice
        review[0], review[-3], review[-2] = *rng.permutation(_UNKNOWN).tolist(), review[1]
    return {"words": review, "id_of": id_of, "maxlen": maxlen}


def _text(rng: Generator, L: int, n_streams: int, n_steps: int) -> dict[str, object]:
    return {"ids": rng.integers(0, 100, L), "n_streams": n_streams, "n_steps": n_steps}


def _network(rng: Generator, V: int, prompt: int, n: int) -> dict[str, object]:
    # One score in each row is a little larger; times 1000, it is sure to be drawn.
    table = 0.2 * eye(V)[rng.permutation(V)] + 0.02 * rng.standard_normal((V, V))
    given = {"table": table, "h0": 1.0 + rng.permutation(9)[:3], "seed": 7, "times": 1}
    return given | {"prompt": rng.permutation(V)[:prompt].tolist(), "n": n, "temperature": 0}


def _batches(rng: Generator, steps: int, N: int, T: int, F: int, K: int) -> dict[str, object]:
    # Large inputs give gradients with a norm above 1, small ones below.
    size = array([8, 0.2, 8]).reshape(steps, 1, 1, 1)
    return {
        "W": 0.1 * rng.standard_normal((F, K)),
        "b": 0.1 * rng.standard_normal(K),
        "mask": resize(array([2.0, 0.0, 2.0]), F),
        "lr": float(rng.uniform(0.05, 0.5)),
        "x": size * (1 + rng.standard_normal((steps, N, T, F))),
        "lengths": rng.integers(1, T, (steps, N)),  # the last step never counts
        "y": stack([rng.permutation(arange(N) % K) for _ in range(steps)]),
    }
