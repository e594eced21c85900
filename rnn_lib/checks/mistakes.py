"""The mistakes that students make, read from ``mistakes.toml``.

A mistake is known by what it produces: its mutants are right but for this one mistake. A few show
in what a function *does* instead (it stops, it changes an argument, it ignores the weights); there
the table names functions of :mod:`behaviors` that look. Which mistake it is, ``diagnosis`` says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from rnn_lib.checks import behaviors
from rnn_lib.checks.mutants import make_mutants, read_toml

TABLE: dict[str, dict] = read_toml("mistakes.toml")


@dataclass(frozen=True)
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
    mutants : tuple of callable
        Functions with the signature of the exercise, each making it in another way.
    detect : tuple of callable
        ``detect(exam) -> bool``, for what does not show in the answers.
    """

    name: str
    hint: str
    section: str
    all_results: bool
    mutants: tuple[Callable, ...] = ()
    detect: tuple[Callable, ...] = ()


@cache
def known_mistakes(signature: str, at_extremes: bool = False) -> tuple[Mistake, ...]:
    """Return the mistakes that can be made in an exercise, given as ``name(arguments)``.

    At extremes, they are those that show when it is asked with numbers that overflow.
    """
    exercise, look = signature.partition("(")[0], "extremes" if at_extremes else "detect"
    found = []
    for name, entry in TABLE.items():
        section = entry.get("read", "")
        if isinstance(section, dict):
            section = section.get(exercise, "")
        made = () if at_extremes else make_mutants(name, signature, entry.get(exercise, []))
        detect = tuple(_behavior(text) for text in entry.get(look, {}).get(exercise, []))
        if made or detect:
            all_results = entry.get("all_results", False)
            found.append(Mistake(name, entry["try"], section, all_results, made, detect))
    return tuple(found)


def _behavior(text: str) -> Callable:
    name, *arguments = text.split()
    behavior = getattr(behaviors, name)
    return lambda exam: behavior(exam, *arguments)
