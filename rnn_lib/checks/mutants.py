"""Mutants: right answers, edited as one makes a mistake at the keyboard, and compiled.

``styles.toml`` has the right answers, in the styles in which people write them; an edit is made in
every style in which it can be made. Which edits there are and what they mean, ``mistakes.toml``
says. The code is ours, from files of this package; nothing that a student writes is compiled here.
"""

import tomllib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy

from rnn_lib.checks.references import clipped, global_norm, sigmoid, softmax


def read_toml(name: str) -> dict:
    """Read one of the files of data beside this module."""
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))


STYLES: dict[str, list[str]] = read_toml("styles.toml")


class Mutant(NamedTuple):
    """A right style, the edits that are made of it together, and the function that comes of it."""

    style: str
    edits: list[str]
    function: Callable


_NAMES = (
    *("arange", "asarray", "concatenate", "einsum", "empty", "exp", "eye", "hstack", "log"),
    *("maximum", "ndindex", "outer", "split", "stack", "tanh", "vstack", "zeros", "zeros_like"),
)
_OURS = {"clipped": clipped, "global_norm": global_norm, "sigmoid": sigmoid, "softmax": softmax}
_KNOWN = {name: getattr(numpy, name) for name in _NAMES} | _OURS


def edited(style: str, edits: list[str]) -> str | None:
    """Make edits ``"old -> new"``, one after the other; return None where one does not fit."""
    for edit in edits:
        old, new = edit.split(" -> ")
        if old not in style:
            return None
        style = style.replace(old, new)
    return style


@cache
def compiled(signature: str, body: str) -> Callable:
    """Define a function of this body; `signature` is ``name(arguments)``."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    names = dict(_KNOWN)
    exec(f"def {signature}:\n{lines}", names)
    return names[signature.partition("(")[0]]
