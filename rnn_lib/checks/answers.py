"""Reading what a function returned: as many arrays as asked for, of the right kind of numbers.

Whether the numbers are right is not asked here.
"""

from numpy import asarray, float64, floating, ndarray

from rnn_lib.checks.exercise import Exercise
from rnn_lib.language import Message


class InvalidAnswer(Exception):
    """The answer, or what happened to an argument, is not of the kind that was asked for.

    Its `values` are the numbers of the answer, if it has any.
    """

    values = None


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
    names, values = exercise.returns, None
    if len(names) > 1:
        _expect_several(exercise, returned)
    else:
        returned = (returned,)
    complaints = [_complaint(exercise, *pair) for pair in zip(names, returned, strict=True)]
    if all(isinstance(value, (ndarray, float, floating)) for value in returned):
        came = {name: asarray(value) for name, value in zip(names, returned, strict=True)}
        # Numbers that did not fit into integers are lost.
        if all(a.dtype.kind in ("biuf" if exercise.integers else "f") for a in came.values()):
            values = {name: array.astype(float64) for name, array in came.items()}
    if any(complaints):
        error = InvalidAnswer(next(filter(None, complaints)))
        error.values = values
        raise error
    return {name: array for name, array in came.items() if array.ndim}, values


def _expect_several(exercise: Exercise, returned: object) -> None:
    names = exercise.returns
    is_several = isinstance(returned, (tuple, list))
    if not is_several or len(returned) != len(names):
        what = "{name}: expected {n} arrays {names}; got {got}"
        if "loss" in names:
            what = "{name}: expected {n} results {names}; got {got}"
        got = len(returned) if is_several else describe(returned)
        of_names = {"n": len(names), "names": ", ".join(names)}
        raise InvalidAnswer(Message(what, name=exercise.name, **of_names, got=got))


def _complaint(exercise: Exercise, name: str, value: object) -> str:
    """Say what is not right about one result, other than its numbers."""
    is_number = name == "loss" and isinstance(value, (float, floating))
    if not (is_number or isinstance(value, ndarray)):
        what = "{name}: expected {result} as a NumPy array; got {got}"
        if name == "loss":
            what = "{name}: expected {result} as one number; got {got}"
        return Message(what, name=exercise.name, result=name, got=describe(value))
    dtype = asarray(value).dtype  # of a subclass, only the numbers count
    if exercise.integers:
        is_right, what = dtype.kind in "iu", "{name}: {result} holds {got}, not whole numbers, int"
    else:
        is_right = dtype.kind == "f" and dtype.itemsize >= 4
        what = "{name}: {result} holds {got}, not floating-point numbers, float64"
    return "" if is_right else Message(what, name=exercise.name, result=name, got=dtype)


def describe(value: object) -> str:
    """Say in a few words what something is."""
    if value is None:
        return "None"
    if isinstance(value, ndarray):
        return Message("one array of shape {shape}", shape=value.shape)
    kind = type(value).__name__
    if isinstance(value, (tuple, list)):
        return Message("a {kind} of {n}", kind=kind, n=len(value))
    return Message("an {kind}" if kind[0] in "aeiouAEIOU" else "a {kind}", kind=kind)
