"""What decides between right and wrong: comparisons of arrays, but for rounding.

They rest on NumPy's ufuncs alone, taken at import, and not on methods such as ``all`` or ``max``:
those are written in Python, inside of NumPy, where a student's code could exchange them.
"""

from numpy import absolute, errstate, float16, float32, logical_and, logical_or, maximum, ndarray

EXACT, SINGLE = 1e-9, 1e-5  # what rounding may leave, of an array's largest number


def near(
    value: ndarray, expected: ndarray, right: ndarray | None = None, tolerance: float = SINGLE
) -> bool:
    """Say whether a value is what is expected, but for rounding.

    Where the expected one is itself wrong, the right one tells what is large.
    """
    if value.shape != expected.shape:
        return False
    size = absolute(expected if right is None else right)
    limit = tolerance * maximum.reduce(size, axis=None, initial=0)
    # Written so that NaN is not near anything.
    return bool(logical_and.reduce(absolute(value - expected) <= limit, axis=None))


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
