"""Argument checks with messages in the caller's words: the argument, what came, what was expected.

These are the single checks. Which argument gets which check is decided where a person hands it
over: in a layer's ``forward``, in the classifier's table of settings. Nothing here knows a layer.
"""

import contextlib
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np

Shape = tuple[int | str, ...]  # a size, or a letter for any size from 1 on
DType = np.dtype | type


def as_real(
    name: str, value: object, shape: Shape | None = None, dtype: DType | None = None, hint: str = ""
) -> np.ndarray:
    """Return `value` as an array of real numbers.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : array_like
        What the caller gave.
    shape : tuple of int and str, optional
        As for `expect_shape`; by default any.
    dtype : data type, optional
        float32 or float64; by default the type that the numbers came in.
    hint : str
        What a message adds, unless only sizes differ.

    Returns
    -------
    ndarray
        The same numbers; no copy where `value` already is such an array.

    Raises
    ------
    TypeError
        If `value` is not made of booleans, integers or real numbers.
    ValueError
        If it does not have the shape.
    """
    array = _as_array(name, value, shape, "biuf", "real numbers", hint)
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinity
        return array if dtype is None else array.astype(dtype, copy=False)


def as_integers(name: str, value: object, shape: Shape | None = None, hint: str = "") -> np.ndarray:
    """Return `value` as an array of integers, in the integer type that they came in.

    Raises
    ------
    TypeError
        If `value` is not made of integers.
    ValueError
        If it does not have the `shape`, which is as for `expect_shape`; by default any. To this a
        `hint` is added, unless only sizes differ.
    """
    return _as_array(name, value, shape, "iu", "integers", hint)


def as_labels(name: str, value: object) -> np.ndarray:
    """Return `value` as an array of labels of one type: whole numbers, booleans or strings.

    Raises
    ------
    TypeError
        If `value` is not made of labels, or of labels of several types.
    """
    array = _as_array(name, value, None, "biufUO", "labels")
    if array.dtype == object and len(set(map(type, array.flat))) == 1:
        array = np.array(array.tolist())  # pandas keeps strings as objects, for example
    is_whole = array.dtype.kind != "f" or (np.isfinite(array) & (array == array.round())).all()
    if array.dtype == object or not is_whole:
        of_one_type = "integers, whole floats, booleans or strings"
        raise TypeError(f"{name}: expected {of_one_type}, got an array of {array.dtype}")
    return array


def _as_array(name, value, shape, kinds, what, hint=""):
    try:
        array = np.asarray(value)
    except ValueError:
        raise TypeError(f"{name}: expected one rectangular array of {what}{hint}") from None
    if array.dtype.kind not in kinds:
        raise TypeError(f"{name}: expected {what}, got an array of {array.dtype}{hint}")
    if shape is not None:
        expect_shape(name, array, shape, hint)
    return array


def as_lengths(lengths: object, N: int, T: int) -> np.ndarray:
    """Return the number of time steps that count in each sequence.

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
    array = as_integers("lengths", lengths, (N,))
    expect_between("lengths", array, 1, T)
    return array


def expect_between(name: str, array: np.ndarray, least: int, most: int) -> None:
    """Raise ValueError unless all integers in `array` lie in `least` to `most`."""
    if array.size and (array.min() < least or array.max() > most):
        wrong = array[(array < least) | (array > most)]
        raise ValueError(f"{name}: expected {least} to {most}, got {wrong[0]}")


def expect_finite(name: str, array: np.ndarray) -> None:
    """Raise ValueError if an element of `array` is NaN or infinite."""
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")


def expect_shape(name: str, array: np.ndarray, shape: Shape, hint: str = "") -> None:
    """Raise unless `array` has the shape `shape`.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    array : ndarray
        What the caller gave.
    shape : tuple of int and str
        A number must be met exactly; a letter such as ``"N"`` stands for any size from 1 up.
    hint : str
        What the message adds if the number of axes differs.

    Raises
    ------
    ValueError
        If the number of axes or a size differs.
    """
    pairs = zip(shape, array.shape, strict=False)
    fits = [size == wanted or (isinstance(wanted, str) and size > 0) for wanted, size in pairs]
    if array.ndim != len(shape) or not all(fits):
        wanted = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
        hint = hint if array.ndim != len(shape) else ""
        raise ValueError(f"{name}: expected shape ({wanted}), got {array.shape}{hint}")


def expect_count(name: str, value: object, least: int = 1, optional: bool = False) -> int | None:
    """Return `value` as an int, or None where that is allowed.

    Raises
    ------
    TypeError
        If `value` is not a whole number.
    ValueError
        If `value` is below `least`.
    """
    if value is None and optional:
        return None
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name}: expected a whole number, got {value!r:.80}")
    if value < least:
        raise ValueError(f"{name}: expected at least {least}, got {value}")
    return int(value)


def expect_positive(name: str, value: object) -> float:
    """Return `value` as a float.

    Raises
    ------
    TypeError
        If `value` is not a real number.
    ValueError
        If `value` is zero, negative, infinite or NaN.
    """
    return _as_float(name, value, lambda number: 0 < number < np.inf, "above 0")


def expect_not_negative(name: str, value: object) -> float:
    """Return `value` as a float.

    Raises
    ------
    TypeError
        If `value` is not a real number.
    ValueError
        If `value` is below 0, infinite or NaN.
    """
    return _as_float(name, value, lambda number: 0 <= number < np.inf, "of at least 0")


def expect_fraction(name: str, value: object) -> float:
    """Return `value` as a float.

    Raises
    ------
    TypeError
        If `value` is not a real number.
    ValueError
        If `value` is below 0, at least 1, or NaN.
    """
    return _as_float(name, value, lambda number: 0 <= number < 1, "from 0 to below 1")


def _as_float(name, value, fits, words):
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name}: expected a number, got {value!r:.80}")
    if not fits(value):
        raise ValueError(f"{name}: expected a number {words}, got {value}")
    return float(value)


def expect_float_type(name: str, value: object) -> np.dtype:
    """Return `value` as a data type.

    Raises
    ------
    ValueError
        If `value` is neither float32 nor float64.
    """
    with contextlib.suppress(TypeError):
        if np.dtype(value) in (np.float32, np.float64):
            return np.dtype(value)
    raise ValueError(f"{name}: expected float32 or float64, got {value!r:.80}")


def is_object(value: object, method: str) -> bool:
    """Say whether `value` is an object with this method; a class has it, but is none."""
    return hasattr(value, method) and not isinstance(value, type)


def choose(name: str, value: object, choices: Mapping[str, Any], or_else: str = "") -> Any:
    """Return ``choices[value]``.

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
        The choice with that name.

    Raises
    ------
    ValueError
        If `value` is not one of the names.
    """
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name}: expected {or_else}one of {sorted(choices)}, got {value!r:.80}")
    return choices[value]
