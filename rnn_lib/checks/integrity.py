"""Making sure that the checks are still what was imported.

Where a student works, student code runs in the same process, and can put other things in their
place: parts of the checks, Python's own names, what NumPy's arrays call for their sums. What can be
exchanged and would change a verdict is compared before and after each function is asked. Accidents
and simple tricks are noticed, not those who set out to forge: points are given elsewhere, by checks
that run outside of the student's process (``classroom``).
"""

import builtins
import sys
from collections.abc import Mapping

from numpy import add, array, maximum

from rnn_lib.checks import accuracy
from rnn_lib.checks.failure import CheckFailed
from rnn_lib.language import Message, translated

# The names of Python's that the checks rely on.
_PYTHONS = (
    *("AssertionError", "abs", "all", "any", "callable", "dict", "enumerate", "float", "int"),
    *("isinstance", "len", "list", "max", "min", "next", "print", "range", "reversed", "set"),
    *("sorted", "str", "sum", "super", "tuple", "type", "vars", "zip"),
)

_as_imported: list[tuple[str, Mapping[str, object], str, object]] = []


def seal() -> None:
    """Remember all that the checks are made of; called when everything is imported."""
    modules = [m for name, m in sys.modules.items() if name.startswith("rnn_lib.checks.")]
    for part in (*modules, accuracy.ScratchRNNClassifier):
        names = [name for name in vars(part) if not name.startswith("__")]
        _as_imported.extend((part.__name__, vars(part), n, vars(part)[n]) for n in names)
    pythons = vars(builtins)
    _as_imported.extend(("builtins", pythons, name, pythons[name]) for name in _PYTHONS)
    _arrays_add_up()  # NumPy keeps the methods of its arrays from their first call on


def expect_unreplaced() -> None:
    """Make sure that nobody has exchanged a part of the checks, or looks over their shoulder.

    Raises
    ------
    CheckFailed
        If somebody has.
    """
    for where, names, name, value in _as_imported:
        if names.get(name) is not value:
            what = "{name} was replaced: restart the kernel and run all cells again"
            raise CheckFailed(translated(Message(what, name=f"{where}.{name}")))
    if not _arrays_add_up():
        what = "NumPy's arrays no longer add up: restart the kernel and run all cells again"
        raise CheckFailed(translated(Message(what)))


def _arrays_add_up() -> bool:
    """See whether arrays' methods, which NumPy writes in Python, still do what its ufuncs do."""
    numbers = array([[1.0, -2.0], [3.0, 4.0]])
    positive = numbers > 0
    return (
        numbers.sum(axis=0).tolist() == add.reduce(numbers, axis=0).tolist() == [4.0, 2.0]
        and numbers.max(axis=1).tolist() == maximum.reduce(numbers, axis=1).tolist() == [1.0, 4.0]
        and (positive.any(), positive.all(), numbers.mean()) == (True, False, 1.5)
    )
