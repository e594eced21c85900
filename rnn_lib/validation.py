"""Refuse bad input in the caller's words: which argument, what came, what was expected."""

from collections.abc import Mapping
from numbers import Integral, Real
from typing import TypeVar

import numpy as np

Choice = TypeVar("Choice")


def as_real(name: str, value: object, dtype: np.dtype | type) -> np.ndarray:
    """Return `value` as an array of real numbers of the type `dtype`.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : array_like
        What the caller gave.
    dtype : data type
        float32 or float64.

    Returns
    -------
    ndarray
        The same numbers; no copy where `value` already is such an array.

    Raises
    ------
    TypeError
        If `value` is not made of booleans, integers or real numbers.
    """
    try:
        array = np.asarray(value)
    except ValueError:
        raise TypeError(f"{name}: expected one rectangular array of numbers") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name}: expected real numbers, got an array of {array.dtype}")
    return array.astype(dtype, copy=False)


def as_integers(name: str, value: object) -> np.ndarray:
    """Return `value` as an array of integers.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : array_like
        What the caller gave.

    Returns
    -------
    ndarray
        The same numbers in the integer type that they came in.

    Raises
    ------
    TypeError
        If `value` is not made of integers.
    """
    try:
        array = np.asarray(value)
    except ValueError:
        raise TypeError(f"{name}: expected one rectangular array of integers") from None
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name}: expected integers, got an array of {array.dtype}")
    return array


def expect_shape(name: str, array: np.ndarray, shape: tuple[int | str, ...]) -> None:
    """Raise unless `array` has the shape `shape`.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    array : ndarray
        What the caller gave.
    shape : tuple of int and str
        A number must be met exactly; a letter such as ``"N"`` stands for any size from 1 up.

    Raises
    ------
    ValueError
        If the number of axes or a size differs.
    """
    fits = array.ndim == len(shape) and all(
        size >= 1 if isinstance(wanted, str) else size == wanted
        for size, wanted in zip(array.shape, shape, strict=True)
    )
    if not fits:
        wanted = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
        raise ValueError(f"{name}: expected shape ({wanted}), got {array.shape}")


def expect_count(name: str, value: object, least: int = 1) -> int:
    """Return `value` if it is a whole number of at least `least`, else raise.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : object
        What the caller gave.
    least : int
        The smallest number allowed.

    Returns
    -------
    int
        `value` as a plain integer.

    Raises
    ------
    TypeError
        If `value` is not a whole number.
    ValueError
        If `value` is below `least`.
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name}: expected a whole number, got {value!r}")
    if value < least:
        raise ValueError(f"{name}: expected at least {least}, got {value}")
    return int(value)


def expect_positive(name: str, value: object) -> float:
    """Return `value` if it is a finite number above zero, else raise.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : object
        What the caller gave.

    Returns
    -------
    float
        `value` as a plain float.

    Raises
    ------
    TypeError
        If `value` is not a real number.
    ValueError
        If `value` is zero, negative, infinite or not a number.
    """
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name}: expected a number, got {value!r}")
    if not 0 < value < float("inf"):
        raise ValueError(f"{name}: expected a number above 0, got {value}")
    return float(value)


def choose(name: str, value: object, choices: Mapping[str, Choice], or_else: str = "") -> Choice:
    """Return what `value` is the name of.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : object
        What the caller gave.
    choices : mapping
        What there is, by name.
    or_else : str
        What else the argument may be, for the message.

    Returns
    -------
    object
        ``choices[value]``.

    Raises
    ------
    ValueError
        If `value` is not one of the names.
    """
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name}: expected {or_else}one of {sorted(choices)}, got {value!r}")
    return choices[value]
