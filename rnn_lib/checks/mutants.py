"""Mutants: right answers, edited as one makes a mistake at the keyboard, and compiled.

``styles.toml`` has the right answers, in the styles in which people write them; an edit is made in
every style in which it can be made. Which edits there are and what they mean, ``mistakes.toml``
says. The code is ours, from files of this package; nothing that a student writes is compiled here.
"""

import tomllib
from collections.abc import Callable
from importlib.resources import files

from numpy import arange, asarray, exp, log, ndindex, outer, stack, tanh, zeros, zeros_like

from rnn_lib.checks.references import clipped, global_norm


def read_toml(name: str) -> dict:
    """Read one of the files of data beside this module."""
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))


STYLES: dict[str, list[str]] = read_toml("styles.toml")

_FUNCTIONS = (arange, asarray, exp, log, ndindex, outer, stack, tanh, zeros, zeros_like)
_NAMES = {f.__name__: f for f in (*_FUNCTIONS, clipped, global_norm)}


def make_mutants(
    mistake: str, signature: str, edits: list[str | list[str]]
) -> tuple[Callable, ...]:
    """Make functions of edits, each in every style in which it can be made.

    Parameters
    ----------
    mistake : str
        What is done wrong, for the message.
    signature : str
        The function as it is defined, ``name(arguments)``.
    edits : list of str or of list of str
        Each is ``"old -> new"``, or several of them to be made together, one after the other.

    Raises
    ------
    ValueError
        If an edit fits no style.
    """
    name = signature.partition("(")[0]
    made = []
    for edit in edits:
        bodies = [edited(style, edit) for style in STYLES[name]]
        if not any(bodies):
            raise ValueError(f"{mistake!r}: {edit!r} fits no style of {name}")
        made += [compiled(signature, body) for body in bodies if body]
    return tuple(made)


def edited(style: str, edit: str | list[str]) -> str | None:
    """Make an edit; return None where it does not fit."""
    for part in [edit] if isinstance(edit, str) else edit:
        old, new = part.split(" -> ")
        if old not in style:
            return None
        style = style.replace(old, new)
    return style


def compiled(signature: str, body: str) -> Callable:
    """Define a function of this body."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    names = dict(_NAMES)
    exec(f"def {signature}:\n{lines}", names)
    return names[signature.partition("(")[0]]
