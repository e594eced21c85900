"""How a student's function is examined: call it, find what is wrong, find out why.

An examination asks first and computes the right answers afterwards, so that there is nothing yet
that a function could look up. Every call gets fresh copies; the answers are copied at once.

The cause is not guessed. For each mistake of the table there is a function that makes it; where
every wrong answer, on all problems, is what that function gives, the mistake has been found. Where
none fits, none is named.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from numpy import asarray, errstate, float16, float32, float64, floating, ndarray

from rnn_lib.checks.mistakes import Signature, near
from rnn_lib.checks.problems import Problem

Values = dict[str, ndarray]

EXACT, SINGLE = 1e-9, 1e-5  # what rounding may leave, of an array's largest number


@dataclass(frozen=True)
class Exercise:
    """A function that a student writes.

    Attributes
    ----------
    name : str
        What the lesson calls it.
    arguments : tuple of str
        What it is given, in order; each is a name of :class:`Problem`'s numbers.
    returns : tuple of str
        What it returns, in order.
    right : callable
        The right function, with the same arguments.
    section : str
        The section of the lesson that explains it.
    mistakes : tuple of Signature
        What can go wrong in it.
    options : tuple of str
        Arguments given by name, where a problem has them.
    may_change : tuple of str
        Arguments that it may change.
    numeric : callable, optional
        From a problem's numbers, the numeric gradients by name.
    tolerance : float
        For float64 answers.
    integers : bool
        Whether it returns whole numbers.
    """

    name: str
    arguments: tuple[str, ...]
    returns: tuple[str, ...]
    right: Callable
    section: str
    mistakes: tuple[Signature, ...]
    options: tuple[str, ...] = ()
    may_change: tuple[str, ...] = ()
    numeric: Callable | None = None
    tolerance: float = EXACT
    integers: bool = False

    def answer(self, function: Callable, problem: Problem) -> Values:
        """Call one of our own functions and name what it returns."""
        given, options = problem.arguments(self.arguments), problem.arguments(self.options)
        with errstate(all="ignore"):
            returned = function(*given.values(), **options)
        returned = returned if isinstance(returned, tuple) else (returned,)
        return {
            name: asarray(value, float64)
            for name, value in zip(self.returns, returned, strict=True)
        }


class WrongKind(Exception):  # noqa: N818 - it is not an error of ours
    """The answer, or what happened to an argument, is not of the kind that was asked for."""

    def __init__(self, headline: str, expected: str = "", got: str = "", hint: str = "") -> None:
        self.headline, self.expected, self.got, self.hint = headline, expected, got, hint
        super().__init__(headline)


@dataclass
class Outcome:
    """What came of one call: values, or an error, or an answer of the wrong kind."""

    problem: Problem
    values: Values | None = None
    error: Exception | None = None
    given_before: dict[str, ndarray | list | dict] = field(default_factory=dict)
    given_after: dict[str, ndarray | list | dict] = field(default_factory=dict)
    returned: dict[str, ndarray] = field(default_factory=dict)

    @property
    def changed(self) -> list[str]:
        """The arguments that are no longer what they were."""
        return [
            name
            for name, before in self.given_before.items()
            if not _same(before, self.given_after[name])
        ]

    @property
    def overwritten(self) -> list[str]:
        """The returned arrays that a later call has changed."""
        return [
            name
            for name, array in self.returned.items()
            if not _same(array.astype(float64), self.values[name])
        ]


@dataclass(frozen=True)
class Fault:
    """The first thing that is wrong.

    Attributes
    ----------
    kind : {"error", "kind", "changed", "overwritten", "shape", "value"}
        What sort of thing it is.
    outcome : Outcome
        The call in which it showed.
    name : str
        The quantity, or the argument.
    right : ndarray, optional
        What it should be.
    """

    kind: str
    outcome: Outcome
    name: str = ""
    right: ndarray | None = None


class Examination:
    """A student's function, asked to solve problems.

    Parameters
    ----------
    exercise : Exercise
        What the function should do.
    function : callable
        The student's.
    problems : list of Problem
        They are put to it in this order, at once.
    diagnostic : list of Problem
        Put to it only if something is wrong, to find out what.
    round_numbers : list of Problem
        Put to it only if all is nearly right, to find out whether that is float32's rounding.
    """

    def __init__(
        self,
        exercise: Exercise,
        function: Callable,
        problems: list[Problem],
        diagnostic: Iterable[Problem] = (),
        round_numbers: Iterable[Problem] = (),
    ) -> None:
        self.exercise, self.function = exercise, function
        self.outcomes = [self.ask(problem) for problem in problems]
        self.rights = [exercise.answer(exercise.right, problem) for problem in problems]
        self.in_float32, self.tolerance = False, exercise.tolerance
        if self._computes_in_float32(round_numbers):
            self.in_float32, self.tolerance = True, max(SINGLE, exercise.tolerance)
        self.fault = self._first_fault()
        self.mistakes: list[Signature] = []
        if self.fault:
            self._diagnose(diagnostic)

    def ask(self, problem: Problem) -> Outcome:
        """Put one problem to the student's function."""
        outcome = Outcome(problem)
        given = problem.arguments(self.exercise.arguments)
        held = {
            name: value
            for name, value in given.items()
            if isinstance(value, (ndarray, list, dict)) and name not in self.exercise.may_change
        }
        outcome.given_before = {name: value.copy() for name, value in held.items()}
        try:
            returned = self.function(*given.values(), **problem.arguments(self.exercise.options))
            outcome.returned, outcome.values = read_answer(self.exercise, returned)
        except NotImplementedError:  # an exercise that nobody has begun yet says so itself
            raise
        except Exception as error:
            outcome.error = error
        outcome.given_after = held
        return outcome

    def _computes_in_float32(self, round_numbers: Iterable[Problem]) -> bool:
        """See whether float32 was used, in the result or on the way to it.

        On the way: all is right but for the last digits, and exactly right with numbers so round
        that float32 holds them, their products and sums. A wrong formula is wrong there, too.
        """
        if any(_shows_float32(v) for o in self.outcomes for v in (o.values or {}).values()):
            return True
        exactly, nearly = (all(v[-1] for v in self.verdicts(to)) for to in (None, SINGLE))
        if exactly or not nearly:
            return False
        asked = [(self.ask(p), self.exercise.answer(self.exercise.right, p)) for p in round_numbers]
        return bool(asked) and all(
            self.agree(outcome, right, name)
            or (self.agree(outcome, right, name, SINGLE) and _shows_float32(outcome.values[name]))
            for outcome, right in asked
            for name in self.exercise.returns
        )

    def agree(
        self, outcome: Outcome, right: Values, name: str, tolerance: float | None = None
    ) -> bool:
        """Say whether a call gave the right answer for one quantity."""
        if outcome.values is None:
            return False
        tolerance = self.tolerance if tolerance is None else tolerance
        return near(outcome.values[name], right[name], right[name], tolerance)

    def verdicts(self, tolerance: float | None = None) -> Iterator[tuple[Outcome, str, bool]]:
        """Say of each quantity of each call whether it is right."""
        for outcome, right in zip(self.outcomes, self.rights, strict=True):
            for name in self.exercise.returns:
                yield outcome, name, self.agree(outcome, right, name, tolerance)

    def _first_fault(self) -> Fault | None:
        for outcome, right in zip(self.outcomes, self.rights, strict=True):
            if outcome.error:
                return Fault("kind" if isinstance(outcome.error, WrongKind) else "error", outcome)
            if outcome.changed:
                return Fault("changed", outcome, outcome.changed[0])
            for kind, is_right in (("shape", _same_shape), ("value", self.agree)):
                for name in self.exercise.returns:
                    if not is_right(outcome, right, name):
                        return Fault(kind, outcome, name, right[name])
        for outcome in self.outcomes:
            if outcome.overwritten:
                return Fault("overwritten", outcome, outcome.overwritten[0])
        return self._numeric_fault()

    def _numeric_fault(self) -> Fault | None:
        """Hold the answers to the numeric gradient as well, which knows nothing of formulas."""
        for outcome in self.outcomes if self.exercise.numeric else ():
            numbers = outcome.problem.numbers
            if outcome.problem.call.startswith("first") and numbers.get("bptt_steps") is None:
                numeric = self.exercise.numeric(numbers)
                for name, right in numeric.items():
                    if not near(outcome.values[name], right, right, 100 * self.tolerance):
                        return Fault("value", outcome, name, right)
        return None

    # -- why ------------------------------------------------------------------------------------
    # Here all is compared as if in float32: what differs by less is no sign of a mistake.

    def _diagnose(self, diagnostic: Iterable[Problem]) -> None:
        """Find the mistake that explains all that is wrong; or one for each wrong quantity."""
        with errstate(all="ignore"):
            asked = [self.ask(problem) for problem in diagnostic]
            self._remembered: dict[tuple[Callable, int], Values | Exception] = {}
            self._evidence = list(zip(self.outcomes, self.rights, strict=True)) + [
                (outcome, self.exercise.answer(self.exercise.right, outcome.problem))
                for outcome in asked
            ]
            shown = (s for s in self.exercise.mistakes if s.shows and s.shows(self))
            self.mistakes = list(itertools.islice(shown, 1)) or self._explanations()

    def _explanations(self) -> list[Signature]:
        if self.fault.kind not in ("error", "shape", "value"):
            return []
        everything = self.exercise.returns
        whole = self._explanation(everything)
        if whole:
            return [whole]
        parts = [self._explanation((name,)) for name in everything if self.is_wrong(name)]
        return list(dict.fromkeys(parts)) if all(parts) else []

    def _explanation(self, names: tuple[str, ...]) -> Signature | None:
        in_part = names != self.exercise.returns
        for signature in self.exercise.mistakes:
            if not signature.made_by or (in_part and signature.in_all):
                continue
            if self._explains(signature, names):
                return signature
        return None

    def _explains(self, signature: Signature, names: tuple[str, ...]) -> bool:
        """Say whether every wrong answer is one that this mistake gives."""
        seen = False
        for outcome, right in self._evidence:
            wrong = [name for name in names if not self.agree(outcome, right, name, SINGLE)]
            if not wrong:
                continue
            made = [self._made(function, outcome) for function in signature.made_by]
            if outcome.values is None:
                # It stopped, and so must the mistake; that alone says nothing yet.
                if not any(type(m) is type(outcome.error) for m in made):
                    return False
                continue

            fits = [
                {n for n in names if near(outcome.values[n], m[n], right[n], SINGLE)}
                for m in made
                if isinstance(m, dict)
            ]
            if signature.in_all:
                fits = [fit for fit in fits if fit == set(names)]
            if not set(wrong) <= set().union(*fits):
                return False
            seen = True
        return seen

    def _made(self, function: Callable, outcome: Outcome) -> Values | Exception:
        """Return what a mistake gives for the problem of a call; it is computed only once."""
        key = function, id(outcome)
        if key not in self._remembered:
            try:
                self._remembered[key] = self.exercise.answer(function, outcome.problem)
            except Exception as error:
                self._remembered[key] = error
        return self._remembered[key]

    def is_wrong(self, name: str) -> bool:
        """Say whether a quantity is wrong in any call."""
        return not all(right for _, n, right in self.verdicts(SINGLE) if n == name)

    def has_right_shapes(self, outcome: Outcome) -> bool:
        """Say whether a call gave arrays, and arrays of the right shapes."""
        if outcome.values is None:
            return False
        right = self.exercise.answer(self.exercise.right, outcome.problem)
        return all(_same_shape(outcome, right, name) for name in self.exercise.returns)

    def right_where(self, condition: Callable[[dict[str, int]], bool]) -> bool:
        """Say whether all is right in the diagnostic problems of certain sizes."""
        chosen = [
            all(self.agree(outcome, right, name, SINGLE) for name in self.exercise.returns)
            for outcome, right in self._evidence
            if condition(outcome.problem.sizes)
        ]
        return bool(chosen) and all(chosen)


def read_answer(
    exercise: Exercise, returned: object
) -> tuple[dict[str, ndarray], dict[str, ndarray]]:
    """Return the arrays of an answer as they came, and copies of them in float64.

    Raises
    ------
    WrongKind
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
    if not isinstance(returned, (tuple, list)):
        got = describe(returned)
    elif len(returned) != len(names):
        got = str(len(returned))
    else:
        return
    things = "results" if "loss" in names else "arrays"
    raise WrongKind(
        f"{exercise.name}: expected {len(names)} {things} {', '.join(names)}; got {got}"
    )


def _expect_numbers(exercise: Exercise, name: str, value: object) -> ndarray:
    is_number = name == "loss" and isinstance(value, (float, floating))
    if not (is_number or isinstance(value, ndarray)):
        kind = "one number" if name == "loss" else "a NumPy array"
        raise WrongKind(f"{exercise.name}: expected {name} as {kind}; got {describe(value)}")
    array = asarray(value)  # of a subclass, only the numbers count
    if exercise.integers:
        is_right, wanted = array.dtype.kind in "iu", "whole numbers, int"
    else:
        is_right = array.dtype.kind == "f" and array.dtype.itemsize >= 4
        wanted = "floating-point numbers, float64"
    if not is_right:
        raise WrongKind(
            f"{exercise.name}: {name} holds the wrong kind of numbers", wanted, str(array.dtype)
        )
    return array


def describe(value: object) -> str:
    """Say in a few words what something is."""
    if value is None:
        return "None: is a return missing?"
    if isinstance(value, ndarray):
        return f"one array of shape {value.shape}"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"


def _shows_float32(value: ndarray) -> bool:
    """Say whether some number is just what float32 can hold: then it was computed so.

    Of the numbers of a float64 computation not one in a hundred million is. (A number like 0 or 1
    proves nothing; float16 could hold it as well.)
    """
    with errstate(all="ignore"):
        return bool(((value == value.astype(float32)) & (value != value.astype(float16))).any())


def _same_shape(outcome: Outcome, expected: Values, name: str) -> bool:
    return outcome.values[name].shape == expected[name].shape


def _same(one: ndarray | list | dict, other: ndarray | list | dict) -> bool:
    if not isinstance(one, ndarray):
        return one == other
    return (
        one.shape == other.shape and one.dtype == other.dtype and one.tobytes() == other.tobytes()
    )
