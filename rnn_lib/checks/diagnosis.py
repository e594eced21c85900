"""Why a function is wrong: the mistake that explains all that an examination found.

The cause is not guessed. Where every wrong answer, on all problems, is what the mutants of a
mistake give, the mistake has been found. Where none fits, none is named.
"""

from collections.abc import Callable, Iterable

from numpy import errstate

from rnn_lib.checks.comparison import SINGLE, near
from rnn_lib.checks.exercise import Values
from rnn_lib.checks.judging import Exam, Outcome
from rnn_lib.checks.mistakes import Mistake
from rnn_lib.checks.problems import Problem


def diagnose(
    exam: Exam, mistakes: tuple[Mistake, ...], problems: Iterable[Problem] = ()
) -> list[Mistake]:
    """Find the mistake that explains all that is wrong; or one for each wrong quantity.

    Parameters
    ----------
    exam : Exam
        An examination that found a fault.
    mistakes : tuple of Mistake
        What can go wrong; of several that fit, the first is taken.
    problems : list of Problem
        Put to the function as well, to tell mistakes from one another.

    Returns
    -------
    list of Mistake
        Empty if nothing known explains it.
    """
    with errstate(all="ignore"):
        exam.ask_more(problems)
        for mistake in mistakes:
            if any(detect(exam) for detect in mistake.detect):
                return [mistake]
        return Explanations(exam).find(mistakes) if exam.fault.kind in _IN_ANSWERS else []


_IN_ANSWERS = ("error", "shape", "value")  # kinds of faults that a mutant can have as well


class Explanations:
    """Mistakes whose mutants give what a student's function gave.

    All is compared as if in float32 here: what differs by less is no sign of a mistake.
    """

    def __init__(self, exam: Exam) -> None:
        self._exam = exam
        self._wrong = [(o, wrong) for o in exam.evidence if (wrong := o.wrong())]
        self._remembered: dict[tuple[Callable, int], Values | Exception] = {}

    def find(self, mistakes: tuple[Mistake, ...]) -> list[Mistake]:
        """Return the one that explains everything, or one for each wrong quantity."""
        returns = self._exam.exercise.returns
        for mistake in mistakes:
            if self._explains(mistake, set(returns)):
                return [mistake]
        wrong = self._exam.wrong()
        in_part = [mistake for mistake in mistakes if not mistake.all_results]
        parts = [
            next((mistake for mistake in in_part if self._explains(mistake, {name})), None)
            for name in returns
            if name in wrong
        ]
        return list(dict.fromkeys(parts)) if all(parts) else []

    def _explains(self, mistake: Mistake, names: set[str]) -> bool:
        """Say whether every wrong answer is one that this mistake gives."""
        seen = False
        for outcome, everything_wrong in self._wrong:
            wrong = everything_wrong & names
            if not wrong:
                continue
            made = [self._made(mutant, outcome) for mutant in mistake.mutants]
            if outcome.values is None:
                # It stopped, and so must the mistake; that alone says nothing yet.
                if not any(type(m) is type(outcome.error) for m in made):
                    return False
                continue
            fits = [_fitting(outcome, m, names) for m in made if isinstance(m, dict)]
            if mistake.all_results:
                fits = [fit for fit in fits if fit == names]
            if not wrong <= set().union(*fits):
                return False
            seen = True
        return seen

    def _made(self, mutant: Callable, outcome: Outcome) -> Values | Exception:
        """Return what a mutant gives for the problem of a call; it is computed only once."""
        key = mutant, id(outcome)
        if key not in self._remembered:
            try:
                self._remembered[key] = self._exam.exercise.answer(mutant, outcome.problem)
            except Exception as error:
                self._remembered[key] = error
        return self._remembered[key]


def _fitting(outcome: Outcome, made: Values, names: set[str]) -> set[str]:
    """Return the quantities in which an outcome is what a mutant made."""
    values, right = outcome.values, outcome.right
    return {name for name in names if near(values[name], made[name], right[name], SINGLE)}
