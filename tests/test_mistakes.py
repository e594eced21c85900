"""The data of the checks: right styles, edits that fit, mutants that differ, and all that ships.

What is caught and named in the end, test_checks asks, with solutions that are independent of these
data.
"""

import contextlib
import inspect
import os
import shutil
import subprocess
import sys
import time
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

import rnn_lib
from rnn_lib import checks
from rnn_lib.checks import behaviors, checking, exercises, mistakes, mutants
from rnn_lib.checks.comparison import SINGLE
from rnn_lib.checks.judging import Exam

RECORDS = {r.name: r for r in vars(exercises).values() if isinstance(r, exercises.Exercise)}
RECORDS["rnn_backward"] = exercises.BACKWARD
FIELDS = {"try", "read", "all_results", "detect", "extremes"}
ROOT = Path(__file__).parents[1]


@pytest.fixture
def fresh():
    """Nothing is remembered of mistakes read before, nor afterwards of those of a test."""
    mistakes.known_mistakes.cache_clear()
    yield
    mistakes.known_mistakes.cache_clear()


def exam(record, function):
    """Ask what the check asks, and what tells axes from one another."""
    rng = np.random.default_rng(0)
    asked = record.ask(rng, True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Exam(record, function, asked + record.square(rng))


def failure_of(record, function):
    """Return what the check of an exercise raises; None if the function passes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            checking.run(record, checking.examine, function)
        except checks.CheckFailed as failure:
            return failure
    return None


def wrong_styles():
    """List the styles that do not pass their check."""
    return [
        (name, number)
        for name, record in RECORDS.items()
        for number, style in enumerate(mutants.STYLES[name])
        if failure_of(record, mutants.compiled(record.signature, style))
    ]


def idle_mutants():
    """List the mistakes with a mutant that is no different from the right answer."""
    return [
        (name, mistake.name, number)
        for name, record in RECORDS.items()
        for mistake in mistakes.known_mistakes(record.signature)
        for number, mutant in enumerate(mistake.mutants)
        if not any(o.error or o.wrong(SINGLE) for o in exam(record, mutant).outcomes)
    ]


def unknown_words():
    """List what stands in the table and means nothing."""
    unknown = []
    for name, entry in mistakes.TABLE.items():
        for key, value in entry.items():
            if key not in FIELDS | set(RECORDS):
                unknown.append((name, key))
            if key in ("read", "detect", "extremes") and isinstance(value, dict):
                unknown += [(name, exercise) for exercise in value if exercise not in RECORDS]
        looks = [entry.get(key, {}) for key in ("detect", "extremes")]
        texts = [text for look in looks for texts in look.values() for text in texts]
        unknown += [(name, t) for t in texts if not hasattr(behaviors, t.split()[0])]
    return unknown


@pytest.mark.parametrize("seed", ["", "1", "2"])
def test_every_style_is_right(seed, monkeypatch):
    monkeypatch.setenv("RNN_LIB_CHECK_SEED", seed)
    assert set(mutants.STYLES) == set(RECORDS)
    assert wrong_styles() == []


def test_a_wrong_style_is_found(fresh, monkeypatch):
    right, other = mutants.STYLES["rnn_backward"]
    monkeypatch.setitem(mutants.STYLES, "rnn_backward", [right, other.replace("W_h.T", "W_h")])
    assert wrong_styles() == [("rnn_backward", 1)]


def test_every_edit_fits_a_style(fresh):
    for record in RECORDS.values():
        assert mistakes.known_mistakes(record.signature)


def test_an_edit_that_fits_nowhere_is_an_error_that_names_the_mistake(fresh, monkeypatch):
    entry = {"try": "", "rnn_step": [" + b -> ", [" + b -> ", "tanh -> sinh", " + b -> "]]}
    monkeypatch.setitem(mistakes.TABLE, "the bias is nowhere", entry)
    with pytest.raises(ValueError, match=r"'the bias is nowhere': \[.*fits no style of rnn_step"):
        mistakes.known_mistakes(exercises.STEP.signature)
    assert mistakes.known_mistakes(exercises.FORWARD.signature)


def test_every_mutant_differs_from_the_right_answer(fresh):
    assert idle_mutants() == []


def test_a_mutant_that_does_not_differ_is_found(fresh, monkeypatch):
    entry = {"try": "", "rnn_step": [" + b -> ", "W_h + b -> W_h + 1 * b"]}
    monkeypatch.setitem(mistakes.TABLE, "nothing is wrong", entry)
    assert idle_mutants() == [("rnn_step", "nothing is wrong", 1)]


def test_every_mutant_is_caught_and_named_by_its_check():
    """By the name of its mistake, or of one before it in the table that gives the same."""
    order = list(mistakes.TABLE)
    for name, record in RECORDS.items():
        for mistake in mistakes.known_mistakes(record.signature):
            for mutant in mistake.mutants:
                failure = failure_of(record, mutant)
                assert failure, (name, mistake.name)
                found = failure.mistake or "none"
                assert found in order[: order.index(mistake.name) + 1], (name, mistake.name, found)


def test_every_word_in_the_table_means_something():
    assert unknown_words() == []
    used = str([[e.get("detect"), e.get("extremes")] for e in mistakes.TABLE.values()])
    public = [n for n, f in inspect.getmembers(behaviors, inspect.isfunction) if n[0] != "_"]
    ours = [n for n in public if getattr(behaviors, n).__module__ == behaviors.__name__]
    assert [name for name in ours if name not in used] == []


def test_a_word_that_means_nothing_is_found(monkeypatch):
    monkeypatch.setitem(
        mistakes.TABLE, "a", {"try": "", "rnn_stepp": [], "detect": {"encode": ["x y"]}}
    )
    monkeypatch.setitem(mistakes.TABLE, "b", {"try": "", "read": {"rnn": "lesson 1, section 3"}})
    assert unknown_words() == [("a", "rnn_stepp"), ("a", "x y"), ("b", "rnn")]


def test_help_of_a_check_names_contract_parameters_and_section():
    for name in set(checks.__all__) - {"CheckFailed"}:
        check = getattr(checks, name)
        assert (check.__name__, check.__module__) == (name, "rnn_lib.checks")
        signature = str(inspect.signature(check))
        assert "(fn: " in signature
        text = inspect.getdoc(check)
        assert text.startswith("Check ``")
        for part in ("fn : callable", "CheckFailed", "RNN_LIB_CHECK_SEED", "Notes\n-----\nLesson "):
            assert part in text
        assert ("truncation : bool" in text) == ("truncation" in signature)
        assert "  \n" not in text
    assert "rnn_step(x_t, h_prev, W_x, W_h, b) -> h_t``" in checks.check_step.__doc__


def test_importing_the_checks_compiles_no_mutant():
    code = "from rnn_lib import checks; print(checks.mistakes.known_mistakes.cache_info().currsize)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"


def seconds_of(check, function):
    start = time.process_time()
    with contextlib.suppress(checks.CheckFailed):
        check(function)
    return time.process_time() - start


def test_explaining_a_wrong_backward_pass_takes_no_longer_than_three_right_ones():
    right = mutants.compiled(exercises.BACKWARD.signature, mutants.STYLES["rnn_backward"][0])
    known = mistakes.known_mistakes(exercises.BACKWARD.signature)
    wrong = [mutant for mistake in known for mutant in mistake.mutants[:2]]
    unit = min(seconds_of(checks.check_backward, right) for _ in range(5))
    assert np.median([seconds_of(checks.check_backward, f) for f in wrong]) < 3 * unit


@pytest.fixture(scope="module")
def unpacked_wheel(tmp_path_factory):
    """The package as pip would install it, from a copy: building leaves files behind."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(
        ROOT / "rnn_lib", source / "rnn_lib", ignore=shutil.ignore_patterns("__pycache__")
    )
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"]
    command += ["--no-index", "--disable-pip-version-check", "--wheel-dir", built, source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(built / "unpacked")
    return built / "unpacked"


def named_by(folder):
    """Return the mistake that the checks in a folder name, and where they were imported from."""
    code = """
import numpy as np
from rnn_lib import checks
try:
    checks.check_step(lambda x_t, h_prev, W_x, W_h, b: np.tanh(x_t @ W_x + h_prev @ W_h))
except checks.CheckFailed as failure:
    print(checks.__file__, failure.mistake, sep="\\n")
"""
    environment = os.environ | {"PYTHONPATH": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, env=environment
    )


def test_a_built_wheel_names_mistakes(unpacked_wheel):
    where, mistake = named_by(unpacked_wheel).stdout.splitlines()
    assert Path(where) == unpacked_wheel / "rnn_lib" / "checks" / "__init__.py"
    assert Path(where) != Path(rnn_lib.checks.__file__)
    assert mistake == "the bias is lost"


def test_a_wheel_without_the_table_is_noticed(unpacked_wheel, tmp_path):
    shutil.copytree(unpacked_wheel, tmp_path / "lib")
    (tmp_path / "lib" / "rnn_lib" / "checks" / "mistakes.toml").unlink()
    assert "mistakes.toml" in named_by(tmp_path / "lib").stderr
