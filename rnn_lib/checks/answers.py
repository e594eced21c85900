"""Reading what a function returned: as many arrays as asked for, of the right kind of numbers.

Whether the numbers are right is not asked here.
"""

from numpy import asarray, float64, floating, ndarray

from rnn_lib.checks.exercise import Exercise


class InvalidAnswer(Exception):
    """The answer, or what happened to an argument, is not of the kind that was asked for."""


def read_answer(
    exercise: Exercise, returned: object
) -> tuple[dict[str, ndarray], dict[str, ndarray]]:
    """Return the arrays of an answer as they came, and copies of them in float64.

    Parameters
    ----------
    exercise : Exercise
        What the function should return.
    returned : object
        What it returned.

    Raises
    ------
    InvalidAnswer
        If they are not as many as asked for, or not arrays of the right kind of numbers.
    """
    names = exercise.returns
    if len(names) > 1:
        _expect_several(exercise, returned)
    else:
        returned = (returned,)
    came = {n: _expect_numbers(exercise, n, v) for n, v in zip(names, returned, strict=True)}
    arrays = {name: array for name, array in came.items() if array.ndim}
    return arrays, {name: array.astype(float64) for name, array in came.items()}


def _expect_several(exercise: Exercise, returned: object) -> None:
    names = exercise.returns
    is_several = isinstance(returned, (tuple, list))
    if not is_several or len(returned) != len(names):
        things = "results" if "loss" in names else "arrays"
        expected = f"expected {len(names)} {things} {', '.join(names)}"
        got = len(returned) if is_several else describe(returned)
        raise InvalidAnswer(f"{exercise.name}: {expected}; got {got}")


def _expect_numbers(exercise: Exercise, name: str, value: object) -> ndarray:
    is_number = name == "loss" and isinstance(value, (float, floating))
    if not (is_number or isinstance(value, ndarray)):
        kind = "one number" if name == "loss" else "a NumPy array"
        raise InvalidAnswer(f"{exercise.name}: expected {name} as {kind}; got {describe(value)}")
    array = asarray(value)  # of a subclass, only the numbers count
    if exercise.integers:
        is_right, wanted = array.dtype.kind in "iu", "whole numbers, int"
    else:
        is_right = array.dtype.kind == "f" and array.dtype.itemsize >= 4
        wanted = "floating-point numbers, float64"
    if not is_right:
        raise InvalidAnswer(f"{exercise.name}: {name} holds {array.dtype}, not {wanted}")
    return array


def describe(value: object) -> str:
    """Say in a few words what something is."""
    if value is None:
        return "None"
    if isinstance(value, ndarray):
        return f"one array of shape {value.shape}"
    if isinstance(value, (tuple, list)):
        kind = "arrays" if value and isinstance(value[0], ndarray) else "values"
        return f"a {type(value).__name__} of {len(value)} {kind}"
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"
