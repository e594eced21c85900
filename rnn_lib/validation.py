"""Refuse bad input in the caller's words: which argument, what came, what was expected."""

from collections.abc import Mapping
from numbers import Integral, Real
from typing import TypeVar

import numpy as np

Choice = TypeVar("Choice")


def as_real(name: str, value: object, dtype: np.dtype | type | None = None) -> np.ndarray:
    """Return `value` as an array of real numbers.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : array_like
        What the caller gave.
    dtype : data type, optional
        float32 or float64; by default the type that the numbers came in.

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
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinity
        return array if dtype is None else array.astype(dtype, copy=False)


def as_gradient(name: str, value: object, shape: tuple[int, ...] | None) -> np.ndarray:
    """Return the gradient that ``backward`` was given, shaped as ``forward`` answered.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : array_like
        What the caller gave.
    shape : tuple of int or None
        The shape of what ``forward`` returned; None if it was not called.

    Returns
    -------
    ndarray, shape as `shape`
        The same numbers.

    Raises
    ------
    TypeError
        If `value` is not made of real numbers.
    ValueError
        If there was no ``forward``, or `value` has another shape.
    """
    if shape is None:
        raise ValueError("backward: call forward first")
    array = as_real(name, value)
    expect_shape(name, array, shape)
    return array


def as_lengths(lengths: object, N: int, T: int) -> np.ndarray:
    """Return how many steps of each sequence count.

    Parameters
    ----------
    lengths : array_like of int, shape (N,), or None
        What the caller gave; None means all steps.
    N, T : int
        Sequences and time steps.

    Returns
    -------
    ndarray of int, shape (N,)
        Numbers from 1 to T.

    Raises
    ------
    TypeError
        If `lengths` is not made of integers.
    ValueError
        If the shape is another, or a number lies outside 1 to T.
    """
    if lengths is None:
        return np.full(N, T)
    array = as_integers("lengths", lengths)
    expect_shape("lengths", array, (N,))
    if array.min() < 1 or array.max() > T:
        raise ValueError(
            f"lengths: expected 1 to {T} (the time steps of x), got {array.min()} to {array.max()}"
        )
    return array


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


def expect_between(name: str, array: np.ndarray, least: int, most: int) -> None:
    """Raise unless all elements of `array` lie between two integers.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    array : ndarray of int
        What the caller gave.
    least, most : int
        The smallest and the largest number allowed.

    Raises
    ------
    ValueError
        If an element is smaller or larger.
    """
    if array.size and (array.min() < least or array.max() > most):
        wrong = array[(array < least) | (array > most)]
        raise ValueError(f"{name}: expected {least} to {most}, got {wrong[0]}")


def expect_finite(name: str, array: np.ndarray) -> None:
    """Raise if an element of `array` is NaN or infinite.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    array : ndarray of float
        What the caller gave.

    Raises
    ------
    ValueError
        If an element is not a finite number.
    """
    # One sum is enough to find NaN or infinity somewhere, and costs little; only where it is
    # odd (it may also have overflowed) does each element need a look.
    with np.errstate(all="ignore"):
        looks_finite = np.isfinite(array.sum())
    if not looks_finite and not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")


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


def expect_share(name: str, value: object) -> float:
    """Return `value` if it is a number from 0 to below 1, else raise.

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
        If `value` is below 0, at least 1, or not a number.
    """
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name}: expected a number, got {value!r}")
    if not 0 <= value < 1:
        raise ValueError(f"{name}: expected a number from 0 to below 1, got {value}")
    return float(value)


def expect_float_type(name: str, value: object) -> np.dtype:
    """Return `value` as a data type if it is float32 or float64, else raise.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : object
        What the caller gave.

    Returns
    -------
    dtype
        The data type.

    Raises
    ------
    ValueError
        If `value` is something else.
    """
    try:
        dtype = np.dtype(value)
    except TypeError:
        dtype = None
    if dtype not in (np.float32, np.float64):
        raise ValueError(f"{name}: expected float32 or float64, got {value!r}")
    return dtype


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
