"""What decides between right and wrong: comparisons of arrays, but for rounding.

They rest on NumPy's ufuncs alone, taken at import, and not on methods such as ``all`` or ``max``:
those are written in Python, inside of NumPy, where a student's code could exchange them.
"""

from numpy import absolute, add, errstate, float16, float32, logical_or, maximum, ndarray

EXACT, SINGLE = 1e-9, 1e-5  # what rounding may leave, of an array's largest number


def near(
    value: ndarray, expected: ndarray, right: ndarray | None = None, tolerance: float = SINGLE
) -> bool:
    """Say whether a value is what is expected, but for rounding: see :func:`error`."""
    return error(value, expected, right) <= tolerance


def error(value: ndarray, expected: ndarray, right: ndarray | None = None) -> float:
    """Return the largest difference, as a share of the largest number; NaN is near to nothing.

    Where the expected value is itself wrong, the right one tells as well what is large.
    """
    if value.shape != expected.shape:
        return float("inf")
    difference = maximum.reduce(absolute(value - expected), axis=None, initial=0)
    if difference == 0:
        return 0.0
    both = absolute(expected), absolute(expected if right is None else right)
    size = max(maximum.reduce(array, axis=None, initial=0) for array in both)
    return float(difference / size) if size else float("inf")


def likely(counts: ndarray, p: ndarray, most: float = 50) -> bool:
    """Say whether chance explains how often each of a few characters came, given their p.

    Chi-squared; of seven characters, five right answers in a thousand million reach 50.
    """
    expected = p * add.reduce(counts)
    return bool(add.reduce((counts - expected) ** 2 / (expected + 1)) < most)  # 1: for p near 0


def same(one: ndarray | list | dict, other: ndarray | list | dict) -> bool:
    """Say whether an argument is what it was, to the last bit."""
    if not isinstance(one, ndarray):
        return one == other
    return (
        one.shape == other.shape and one.dtype == other.dtype and one.tobytes() == other.tobytes()
    )


def shows_float32(value: ndarray) -> bool:
    """Say whether some number is just what float32 can hold: then it was computed so.

    Of the numbers of a float64 computation not one in a hundred million is. (A number like 0 or 1
    proves nothing; float16 could hold it as well.)
    """
    with errstate(all="ignore"):
        is_single = (value == value.astype(float32)) & (value != value.astype(float16))
    return bool(logical_or.reduce(is_single, axis=None))
