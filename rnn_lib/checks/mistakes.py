"""The mistakes that students make, read from ``mistakes.toml``.

A mistake is known by what it produces: its mutants are right but for this one mistake. A few show
in what a function *does* instead (it stops, it changes an argument, it clips); there the table
names functions of :mod:`behaviors` that look. Which mistake it is, ``diagnosis`` says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from rnn_lib.checks import behaviors
from rnn_lib.checks.mutants import STYLES, Mutant, compiled, edited, read_toml

TABLE: dict[str, dict] = read_toml("mistakes.toml")


@dataclass(frozen=True, eq=False)
class Mistake:
    """A mistake as it can be made in one exercise.

    Attributes
    ----------
    name : str
        What was done.
    hint : str
        What to do instead.
    section : str
        Where to read again; empty where the exercise is explained.
    all_results : bool
        Whether it shows in all results at once. Otherwise it may have been made in some of them.
    signature : str
        Of the exercise, ``name(arguments)``.
    made : tuple of Mutant
        The ways in which it is made.
    detect : tuple of callable
        ``detect(exam) -> bool``, for what does not show in the answers.
    suspect : tuple of callable
        The same, for what is true but need not be everything that is wrong.
    """

    name: str
    hint: str
    section: str
    all_results: bool
    signature: str
    made: tuple[Mutant, ...] = ()
    detect: tuple[Callable, ...] = ()
    suspect: tuple[Callable, ...] = ()

    @property
    def mutants(self) -> tuple[Callable, ...]:
        """Functions with the signature of the exercise, each making it in another way."""
        return tuple(mutant.function for mutant in self.made)


@cache
def known_mistakes(signature: str, at_extremes: bool = False) -> tuple[Mistake, ...]:
    """Return the mistakes that can be made in an exercise, given as ``name(arguments)``.

    At extremes, they are those that show when it is asked with numbers that overflow.
    """
    exercise, look = signature.partition("(")[0], "extremes" if at_extremes else "detect"

    def of_exercise(text: str | dict) -> str:
        return text.get(exercise, "") if isinstance(text, dict) else text

    def seen(looks: dict) -> tuple[Callable, ...]:
        return tuple(_behavior(text) for text in looks.get(exercise, []))

    found = []
    for name, entry in TABLE.items():
        ways = [] if at_extremes else entry.get(exercise, [])
        ways = [[way] if isinstance(way, str) else way for way in ways]
        detect = seen(entry.get(look, {}))
        suspect = () if at_extremes else seen(entry.get("suspect", {}))
        if ways or detect or suspect:
            made = [
                Mutant(style, edits, compiled(signature, body))
                for edits in ways
                for style in STYLES[exercise]
                if (body := edited(style, edits))
            ]
            if lost := [edits for edits in ways if edits not in [m.edits for m in made]]:
                raise ValueError(f"{name!r}: {lost[0]!r} fits no style of {exercise}")
            hint, section = of_exercise(entry["try"]), of_exercise(entry.get("read", ""))
            everywhere = entry.get("all_results", False)
            parts = tuple(made), detect, suspect
            found.append(Mistake(name, hint, section, everywhere, signature, *parts))
    return tuple(found)


def _behavior(text: str) -> Callable:
    name, *arguments = text.split()
    behavior = getattr(behaviors, name)
    return lambda exam: behavior(exam, *arguments)
