"""What tests and notebooks share when pytest runs them.

Of each property hypothesis tries few examples in `make test`, and hundreds in `make test-all`.
"""

import os
import re
import signal

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tolerance", "in_browser"]  # in tests/

# Two workers run on two cores. NumPy reads this when a process starts: kernels, too.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# pytest-xdist hands out files in the order of collection. What takes longest goes first, so that
# the workers end at about the same time; files that are not named here take less.
LONGEST_FIRST = [
    "test_whole_class.py",
    "test_book.py",
    "test_checks.py",
    "05_from_61_to_90.ipynb",
    "04_imdb.ipynb",
    "test_cluster.py",
    "test_classroom.py",
    "test_edition.py",
    "test_browser.py",
    "test_imdb_faults.py",
    "test_setup.py",
    "test_gradients.py",
    "test_classifier.py",
    "06_gates.ipynb",
    "07_writing.ipynb",
    "test_imdb.py",
    "appendix_side_steps.ipynb",
    "test_answers_6.py",
    "test_habits.py",
    "test_mistakes.py",
    "03_bptt.ipynb",
    "test_properties.py",
    "test_repair.py",
    "test_accuracy.py",
    "appendix_speed.ipynb",
]

# Cells that train for long and that no cell after them needs but those named here. `make test`
# leaves them out; each has a test of its own, which trains on less or only once.
SLOW_CELLS = {
    "03_bptt.ipynb": ["memory-train", "memory-figure", "result"],
    "04_imdb.ipynb": ["check-small-model"],
    "05_from_61_to_90.ipynb": [
        *("rung-check", "order-task-train", "order-task-check", "top-wide", "result"),
    ],
    "07_writing.ipynb": ["train-model", "train-curve", "write-model", "result"],
    "appendix_side_steps.ipynb": ["pairs-rung", "result"],
}

common = dict(
    deadline=None,  # how long an example takes depends on the machine
    database=None,  # leaves no folder behind
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("quick", max_examples=60, derandomize=True, **common)
settings.register_profile("thorough", max_examples=400, **common)


def _is_quick(config):
    return "not slow" in config.option.markexpr


def _language(path):
    """Return the language of a translated notebook, such as "ja"; None for any other file."""
    return path.parent.name if path.match("notebooks/*/*.ipynb") else None


def pytest_configure(config):
    settings.load_profile("quick" if _is_quick(config) else "thorough")


@pytest.hookimpl(tryfirst=True)  # before `-m lesson3` chooses
def pytest_collection_modifyitems(config, items):
    """Mark each notebook's cells with its lesson, and let the longest files come first.

    A slow cell needs the cells before it: `make test-slow` runs its whole notebook. So it does with
    all notebooks in other languages than English.
    """
    rank = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))
    for item in items:
        if _language(item.path):
            item.add_marker("slow")
            continue
        if lesson := re.fullmatch(r"0(\d)_\w+\.ipynb", item.path.name):
            item.add_marker(f"lesson{lesson[1]}")
        slow = SLOW_CELLS.get(item.path.name)
        if slow and (not _is_quick(config) or item.cell.id in slow):
            item.add_marker("slow")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    """Let the kernel of a notebook, which starts here, speak the notebook's language."""
    if item.path.suffix != ".ipynb":  # a test's fixtures say it themselves
        return (yield)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RNN_LIB_LANG", _language(item.path) or "en")
        return (yield)


@pytest.fixture
def ctrl_c():
    """Deliver Ctrl-C to Python, even if a script started the tests in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def no_window():
    """Draw figures without a screen, and close them."""
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    yield
    plt.close("all")
