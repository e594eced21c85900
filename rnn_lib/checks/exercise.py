"""What an exercise is: one record, from which its check is made.

The records stand in ``exercises``; what can go wrong in each, in ``mistakes.toml``.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from numpy import asarray, errstate, float64, ndarray
from numpy.random import Generator

from rnn_lib.checks.comparison import EXACT
from rnn_lib.checks.problems import Problem

Values = dict[str, ndarray]


@dataclass(frozen=True)
class Record:
    """What is known of every exercise.

    Attributes
    ----------
    contract : str
        The function as the lesson asks for it: ``name(arguments, options=...) -> results``.
    section : str
        The section of the lesson that explains it.
    """

    contract: str
    section: str

    @property
    def name(self) -> str:
        """What the lesson calls the function."""
        return self.contract.partition("(")[0]


@dataclass(frozen=True)
class Exercise(Record):
    """A function that a student writes, and how it is checked.

    Attributes
    ----------
    right : callable
        The right function.
    ask : callable
        ``ask(rng, seeded) -> list of Problem``, what it is asked.
    verified : str
        What a pass has verified, as a sentence for the passing line; ``{T}`` and ``{bptt_steps}``
        stand for what was asked, ``{precision}`` for how closely the answers agreed.
    adapter : callable, optional
        Makes a function from arrays to arrays of one that is something else.
    arguments, returns, options : tuple of str
        What the adapted function is given, what it returns, in order, and what it is given by name
        where a problem has it. Without an adapter the contract says so.
    may_change : tuple of str
        Arguments that it may change.
    numeric : callable, optional
        From a problem's numbers, the numeric gradients by name.
    tolerance : float
        For float64 answers.
    integers : bool
        Whether it returns whole numbers.
    square, round_numbers : callable, optional
        Further problems, drawn from ``rng``: such that axes may be confused without an error, to
        find out what is wrong; and such that float32 is exact, to find out whether it was used.
    extremes : callable, optional
        ``extremes() -> list of Problem``, with numbers that overflow in careless code.
    remark : callable, optional
        ``remark(exam) -> str``, a note on the last examination of a function that has passed.
    untouched : str
        What it leaves as it was, for the passing line.
    source : str
        What to look at where all results are wrong together.
    known_as : str
        The signature of another exercise, where the mistakes are the same.
    """

    right: Callable
    ask: Callable[[Generator, bool], list[Problem]]
    verified: str
    adapter: Callable[[Callable], Callable] | None = None
    arguments: tuple[str, ...] = ()
    returns: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    may_change: tuple[str, ...] = ()
    numeric: Callable | None = None
    tolerance: float = EXACT
    integers: bool = False
    square: Callable[[Generator], list[Problem]] = lambda rng: []
    round_numbers: Callable[[Generator], list[Problem]] = lambda rng: []
    extremes: Callable[[], list[Problem]] | None = None
    remark: Callable[..., str] = lambda exam: ""
    untouched: str = "the inputs are"
    source: str = ""
    known_as: str = ""

    def __post_init__(self) -> None:
        """Read from the contract what is not said otherwise."""
        given, returned = re.fullmatch(r"\w+\((.*)\)(?: -> (.*))?", self.contract).groups()
        given = given.split(", ")
        read = {
            "arguments": tuple(name for name in given if "=" not in name),
            "options": tuple(name.split("=")[0] for name in given if "=" in name),
            "returns": tuple((returned or "").split(", ")),
        }
        for name, value in read.items():
            object.__setattr__(self, name, getattr(self, name) or value)

    @property
    def signature(self) -> str:
        """The function as it is defined, ``name(arguments, options=...)``."""
        return self.contract.partition(" -> ")[0]

    def adapted(self, function: Callable) -> Callable:
        """Return a function from arrays to arrays."""
        return self.adapter(function) if self.adapter else function

    def answer(self, function: Callable, problem: Problem) -> Values:
        """Call one of our own functions and name what it returns."""
        given, options = problem.arguments(self.arguments), problem.arguments(self.options)
        with errstate(all="ignore"):
            returned = self.adapted(function)(*given.values(), **options)
        returned = returned if isinstance(returned, tuple) else (returned,)
        return {
            name: asarray(value, float64)
            for name, value in zip(self.returns, returned, strict=True)
        }
