"""The mistakes that students make, read from ``mistakes.toml``.

A mistake is known by what it produces: its mutants are right but for this one mistake. A few show
in what a function *does* instead (it stops, it changes an argument, it clips); there the table
names functions of :mod:`behaviors` that look. Which mistake it is, ``diagnosis`` says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

from rnn_lib.checks import behaviors
from rnn_lib.checks.mutants import STYLES, Edit, compiled, edited, read_toml

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
    made : tuple
        How it is made: a right style, an edit of it, and what comes of it, the body of a mutant.
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
    made: tuple[tuple[str, Edit, str], ...] = ()
    detect: tuple[Callable, ...] = ()
    suspect: tuple[Callable, ...] = ()

    @cached_property
    def mutants(self) -> tuple[Callable, ...]:
        """Functions with the signature of the exercise, each making it in another way."""
        return tuple(compiled(self.signature, body) for _, _, body in self.made)


@cache
def known_mistakes(signature: str, at_extremes: bool = False) -> tuple[Mistake, ...]:
    """Return the mistakes that can be made in an exercise, given as ``name(arguments)``.

    At extremes, they are those that show when it is asked with numbers that overflow.
    """
    exercise, look = signature.partition("(")[0], "extremes" if at_extremes else "detect"

    def of_exercise(entry: str | dict) -> str:
        return entry.get(exercise, "") if isinstance(entry, dict) else entry

    def seen(key: str) -> tuple[Callable, ...]:
        return tuple(_behavior(text) for text in entry.get(key, {}).get(exercise, []))

    found = []
    for name, entry in TABLE.items():
        edits = () if at_extremes else tuple(entry.get(exercise, []))
        detect, suspect = seen(look), () if at_extremes else seen("suspect")
        if edits or detect or suspect:
            all_made = [
                (style, edit, body)
                for edit in edits
                for style in STYLES[exercise]
                if (body := edited(style, edit))
            ]
            if lost := [edit for edit in edits if edit not in [edit for _, edit, _ in all_made]]:
                raise ValueError(f"{name!r}: {lost[0]!r} fits no style of {exercise}")
            hint, section = of_exercise(entry["try"]), of_exercise(entry.get("read", ""))
            everywhere = entry.get("all_results", False)
            parts = tuple(all_made), detect, suspect
            found.append(Mistake(name, hint, section, everywhere, signature, *parts))
    return tuple(found)


def _behavior(text: str) -> Callable:
    name, *arguments = text.split()
    behavior = getattr(behaviors, name)
    return lambda exam: behavior(exam, *arguments)
