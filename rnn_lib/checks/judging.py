"""How a student's function is examined: call it, and find what is wrong.

An examination asks first and computes the right answers afterwards, so that there is nothing yet
that a function could look up. Every call gets fresh copies; the answers are copied at once. Why
something is wrong is not asked here: see ``diagnosis``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

from numpy import float64, ndarray

from rnn_lib.checks.answers import InvalidAnswer, read_answer
from rnn_lib.checks.comparison import SINGLE, error, near, same, shows_float32
from rnn_lib.checks.exercise import Exercise, Values
from rnn_lib.checks.problems import Problem


@dataclass
class Outcome:
    """What came of one call: values, or an error, or an answer of the wrong kind.

    Attributes
    ----------
    problem : Problem
        What was asked.
    right : dict of str to ndarray
        The right answer, computed after the call.
    values : dict of str to ndarray, optional
        Copies of what was returned, in float64; None if the function stopped.
    error : Exception, optional
        What it stopped with.
    given_before, given_after : dict
        The arguments that it must not change, before and after the call.
    returned : dict of str to ndarray
        The very arrays that were returned.
    """

    problem: Problem
    right: Values = field(default_factory=dict)
    values: Values | None = None
    error: Exception | None = None
    given_before: dict[str, ndarray | list | dict] = field(default_factory=dict)
    given_after: dict[str, ndarray | list | dict] = field(default_factory=dict)
    returned: dict[str, ndarray] = field(default_factory=dict)

    @cached_property
    def errors(self) -> dict[str, float]:
        """How far each quantity is off, as a share of its largest number."""
        if self.values is None:
            return dict.fromkeys(self.right, float("inf"))
        return {name: error(self.values[name], right) for name, right in self.right.items()}

    def agrees(self, name: str, tolerance: float) -> bool:
        """Say whether one quantity is right."""
        return self.errors[name] <= tolerance

    def has_right_shape(self, *names: str) -> bool:
        """Say whether there are values, and these quantities have the right shapes."""
        return self.values is not None and all(
            self.values[name].shape == self.right[name].shape for name in names or self.right
        )

    def wrong(self, tolerance: float = SINGLE) -> set[str]:
        """Return the quantities that are wrong, by default by more than float32's rounding."""
        return {name for name in self.right if not self.agrees(name, tolerance)}

    def changed(self) -> list[str]:
        """Return the arguments that are no longer what they were."""
        before, after = self.given_before, self.given_after
        return [name for name in before if not same(before[name], after[name])]

    def overwritten(self) -> list[str]:
        """Return the quantities whose arrays a later call has changed."""
        returned = self.returned.items()
        return [n for n, array in returned if not same(array.astype(float64), self.values[n])]


@dataclass(frozen=True)
class Fault:
    """The first thing that is wrong.

    Attributes
    ----------
    kind : {"error", "invalid", "changed", "overwritten", "shape", "value"}
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


class Exam:
    """A student's function, asked to solve problems.

    Parameters
    ----------
    exercise : Exercise
        What the function should do.
    function : callable
        The student's.
    problems : list of Problem
        They are put to it in this order, at once.
    round_numbers : list of Problem
        Put to it only if all is nearly right, to find out whether that is float32's rounding.

    Attributes
    ----------
    outcomes : list of Outcome
        What came of each call.
    evidence : list of Outcome
        The same, and what came of problems asked later to find out why something is wrong.
    fault : Fault or None
        The first thing that is wrong.
    in_float32 : bool
        Whether the function computes in float32.
    tolerance : float
        What rounding may leave.
    """

    def __init__(
        self,
        exercise: Exercise,
        function: Callable,
        problems: list[Problem],
        round_numbers: Iterable[Problem] = (),
    ) -> None:
        self.exercise, self.function = exercise, exercise.adapted(function)
        self.outcomes = self.evidence = self.ask_all(problems)
        self.in_float32, self.tolerance = False, exercise.tolerance
        if self._computes_in_float32(round_numbers):
            self.in_float32, self.tolerance = True, max(SINGLE, exercise.tolerance)
        self.fault = self._first_fault()

    def fault_in(self, unexplained: set[str]) -> Fault:
        """Return the first fault that is not in one of these quantities, if there is any."""
        for outcome in self.outcomes:
            for name in outcome.wrong(self.tolerance) - unexplained:
                if self.fault.kind == "value" and self.fault.name in unexplained:
                    return Fault("value", outcome, name, outcome.right[name])
        return self.fault

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
            outcome.error, outcome.values = error, getattr(error, "values", None)
        outcome.given_after = held
        return outcome

    def ask_all(self, problems: Iterable[Problem]) -> list[Outcome]:
        """Put problems to it, and only then compute the right answers."""
        outcomes = [self.ask(problem) for problem in problems]
        for outcome in outcomes:
            outcome.right = self.exercise.answer(self.exercise.right, outcome.problem)
        return outcomes

    def ask_more(self, problems: Iterable[Problem]) -> None:
        """Put further problems to it, as evidence."""
        self.evidence = self.evidence + self.ask_all(problems)

    def wrong(self, tolerance: float = SINGLE) -> set[str]:
        """Return the quantities that are wrong in any call."""
        return set().union(*(outcome.wrong(tolerance) for outcome in self.evidence))

    def _computes_in_float32(self, round_numbers: Iterable[Problem]) -> bool:
        """See whether float32 was used, in the result or in between.

        In between: all is right but for the last digits, and exactly right with numbers so round
        that float32 holds them, their products and sums. A wrong formula is wrong there, too.
        """
        if any(shows_float32(v) for o in self.outcomes for v in (o.values or {}).values()):
            return True
        if not self.wrong(exact := self.exercise.tolerance) or self.wrong(SINGLE):
            return False
        asked = self.ask_all(round_numbers)
        return bool(asked) and all(
            outcome.agrees(name, exact)
            or (outcome.agrees(name, SINGLE) and shows_float32(outcome.values[name]))
            for outcome in asked
            for name in self.exercise.returns
        )

    def _first_fault(self) -> Fault | None:
        for outcome in self.outcomes:
            if outcome.error:
                is_invalid = isinstance(outcome.error, InvalidAnswer)
                return Fault("invalid" if is_invalid else "error", outcome)
            for name in outcome.changed():
                return Fault("changed", outcome, name)
            for name, right in outcome.right.items():
                if not outcome.has_right_shape(name):
                    return Fault("shape", outcome, name, right)
            # What is far off comes first.
            for tolerance in (max(SINGLE, self.tolerance), self.tolerance):
                for name, right in outcome.right.items():
                    if not outcome.agrees(name, tolerance):
                        return Fault("value", outcome, name, right)
        for outcome in self.outcomes:
            for name in outcome.overwritten():
                return Fault("overwritten", outcome, name)
        return self._numeric_fault()

    def _numeric_fault(self) -> Fault | None:
        """Hold the answers to the numeric gradient as well, which knows nothing of formulas."""
        for outcome in self.outcomes if self.exercise.numeric else ():
            problem = outcome.problem
            if problem.is_first and problem.numbers.get("bptt_steps") is None:
                for name, right in self.exercise.numeric(problem.numbers).items():
                    if not near(outcome.values[name], right, right, 100 * self.tolerance):
                        return Fault("value", outcome, name, right)
        return None
