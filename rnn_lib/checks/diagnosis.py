"""Why a function is wrong: the mistakes that explain what an examination found.

The cause is not guessed. Where every wrong answer, on all problems, is what the mutants of a
mistake give, the mistake has been found; where it takes two mistakes together, both have. If a
mistake explains only some of the results, it is named, and what it leaves unexplained is said.
Where none fits, none is named.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import combinations

from numpy import errstate

from rnn_lib.checks.comparison import SINGLE, near
from rnn_lib.checks.exercise import Values
from rnn_lib.checks.judging import Exam, Outcome
from rnn_lib.checks.mistakes import Mistake
from rnn_lib.checks.mutants import compiled, edited
from rnn_lib.checks.problems import Problem


@dataclass(frozen=True)
class Diagnosis:
    """What explains a fault.

    Attributes
    ----------
    mistakes : list of Mistake
        Empty if nothing known explains anything.
    left : set of str
        The wrong quantities that they do not explain, or not alone.
    """

    mistakes: list[Mistake]
    left: set[str]


def diagnose(
    exam: Exam, mistakes: tuple[Mistake, ...], problems: Iterable[Problem] = ()
) -> Diagnosis:
    """Find the mistakes that explain what is wrong.

    Parameters
    ----------
    exam : Exam
        An examination that found a fault.
    mistakes : tuple of Mistake
        What can go wrong; of several that fit, the first is taken.
    problems : list of Problem
        Put to the function as well, to tell mistakes from one another.
    """
    with errstate(all="ignore"):
        exam.ask_more(problems)
        for mistake in mistakes:
            if any(detect(exam) for detect in mistake.detect):
                if exam.fault.kind in ("shape", "value"):
                    return Diagnosis([mistake], set())
                # What came in spite of it may show more.
                exam.evidence = [o for o in exam.evidence if o.values is not None]
                rest = _explain(exam, mistakes, exam.wrong())
                return Diagnosis(list(dict.fromkeys((mistake, *rest.mistakes))), set())
        wrong = exam.wrong() if exam.fault.kind in _IN_ANSWERS else set()
        found = _explain(exam, mistakes, wrong)
        for mistake in mistakes if wrong and not found.mistakes else ():
            if any(suspect(exam) for suspect in mistake.suspect):
                return Diagnosis([mistake], set())
        return found


_IN_ANSWERS = ("error", "shape", "value")  # kinds of faults that a mutant can have as well


def _explain(exam: Exam, mistakes: tuple[Mistake, ...], wrong: set[str]) -> Diagnosis:
    """Explain what is wrong by more than the rounding of float32, then what is so by less."""
    found = Explanations(exam, wrong, SINGLE).find(mistakes)
    finer = set() if exam.in_float32 else exam.wrong(exam.tolerance) - wrong
    more = Explanations(exam, finer, exam.tolerance).find(mistakes)
    both = dict.fromkeys((*found.mistakes, *more.mistakes))
    return Diagnosis(list(both), found.left | more.left)


class Explanations:
    """Mistakes whose mutants give what a student's function gave.

    Only the given quantities are looked at, and compared to within the tolerance.
    """

    def __init__(self, exam: Exam, names: set[str], tolerance: float) -> None:
        self._exam, self._names, self._tolerance = exam, names, tolerance
        self._wrong = [(o, found) for o in exam.evidence if (found := o.wrong(tolerance) & names)]
        self._remembered: dict[tuple[Callable, int], Values | Exception] = {}

    def find(self, mistakes: tuple[Mistake, ...]) -> Diagnosis:
        """Find one mistake that explains everything, one for each quantity, or two together."""
        exam, names = self._exam, self._names
        if not names:
            return Diagnosis([], set())
        everything = set(exam.exercise.returns) if self._tolerance == SINGLE else names
        for mistake in mistakes:
            if self._explains(mistake.mutants, everything, mistake.all_results):
                return Diagnosis([mistake], set())
        explained = {
            mistake: {name for name in names if self._explains(mistake.mutants, {name})}
            for mistake in mistakes
        }
        parts = {
            name: next((m for m in mistakes if not m.all_results and name in explained[m]), None)
            for name in exam.exercise.returns
            if name in names
        }
        if all(parts.values()):
            return Diagnosis(list(dict.fromkeys(parts.values())), set())
        if self._tolerance == SINGLE and (pair := self._pair(mistakes, everything)):
            return Diagnosis(pair, set())
        # What shows in all results is not believed where one is right, or one alone is explained.
        possible = [m for m in mistakes if not (m.all_results and names < everything)]
        likely = [m for m in possible if len(explained[m]) > m.all_results]
        best = max(likely, key=lambda mistake: len(explained[mistake]), default=None)
        return Diagnosis([best], names - explained[best]) if best else Diagnosis([], names)

    def _pair(self, mistakes: tuple[Mistake, ...], names: set[str]) -> list[Mistake]:
        """Find two mistakes that together explain everything; return none if there are none.

        Where there are too many, one of the two must show alone in some result of the first calls.
        """
        made = [(mistake, mutant) for mistake in mistakes for mutant in mistake.made]
        outcomes = [(o, wrong) for o, wrong in self._wrong if o.problem.is_first][:3]
        shows = {
            mutant.function
            for _, mutant in made
            if len(made) <= 200 or any(self._fitting(o, mutant.function, w) for o, w in outcomes)
        }
        for (one, a), (two, b) in combinations(made, 2):
            if one is two or a.style != b.style or shows.isdisjoint((a.function, b.function)):
                continue
            both, swapped = edited(a.style, a.edits + b.edits), edited(a.style, b.edits + a.edits)
            # Two edits of the same words would be something else than two mistakes.
            are_two = both and both == swapped
            if are_two and self._explains([compiled(one.signature, both)], names, True):
                return [one, two]
        return []

    def _explains(
        self, mutants: Iterable[Callable], names: set[str], all_results: bool = False
    ) -> bool:
        """Say whether each wrong answer is one that some mutant gives."""
        seen = False
        for outcome, everything_wrong in self._wrong:
            left = wrong = everything_wrong & names
            for mutant in mutants:
                if not left:
                    break
                fit = self._fitting(outcome, mutant, names)
                if fit == names or not all_results:
                    left = left - fit
            if left:
                return False
            seen |= bool(wrong) and outcome.values is not None
        return seen

    def _fitting(self, outcome: Outcome, mutant: Callable, names: set[str]) -> set[str]:
        """Return the quantities in which an outcome is what a mutant gives.

        Where the function stopped, so must the mutant; that alone says nothing yet.
        """
        made, values, right = self._made(mutant, outcome), outcome.values, outcome.right
        if values is None:
            return names if type(made) is type(outcome.error) else set()
        if not isinstance(made, dict):
            return set()
        return {n for n in names if near(values[n], made[n], right[n], self._tolerance)}

    def _made(self, mutant: Callable, outcome: Outcome) -> Values | Exception:
        """Return what a mutant gives for the problem of a call; it is computed only once."""
        key = mutant, id(outcome)
        if key not in self._remembered:
            try:
                self._remembered[key] = self._exam.exercise.answer(mutant, outcome.problem)
            except Exception as error:
                self._remembered[key] = error
        return self._remembered[key]
