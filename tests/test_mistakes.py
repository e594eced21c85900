"""The data of the checks: right styles, edits that fit, mutants that differ, and all that ships.

What is caught and named in the end, test_checks asks, with solutions that are independent of these
data.
"""

import contextlib
import inspect
import os
import re
import shutil
import subprocess
import sys
import time
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import textstat

import rnn_lib
from rnn_lib import checks
from rnn_lib.checks import (
    behaviors,
    checking,
    exercises,
    mistakes,
    mutants,
    own_test,
    references,
)
from rnn_lib.checks.judging import Exam

RECORDS = {r.name: r for r in vars(exercises).values() if isinstance(r, exercises.Exercise)}
RECORDS["rnn_backward"] = exercises.BACKWARD
LAYER = own_test.SIGNATURE
KNOWN = {name: record for name, record in RECORDS.items() if not record.known_as}
FIELDS = {"try", "read", "all_results", "detect", "extremes", "suspect", "settings", "layer"}
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
        for name, record in KNOWN.items()
        for number, style in enumerate(mutants.STYLES[name])
        if failure_of(record, mutants.compiled(record.signature, style))
    ]


def idle_mutants(exercises=tuple(KNOWN)):
    """List the mistakes with a mutant that is no different from the right answer."""
    return [
        (name, mistake.name, number)
        for name, record in ((name, KNOWN[name]) for name in exercises)
        for mistake in mistakes.known_mistakes(record.signature)
        for number, mutant in enumerate(mistake.mutants)
        if not any(o.error or o.wrong(record.tolerance) for o in exam(record, mutant).outcomes)
    ]


def unknown_words():
    """List what stands in the table and means nothing."""
    unknown = []
    for name, entry in mistakes.TABLE.items():
        for key, value in entry.items():
            if key not in FIELDS | set(RECORDS):
                unknown.append((name, key))
            if key in ("try", "read", "detect", "extremes", "suspect") and isinstance(value, dict):
                unknown += [(name, exercise) for exercise in value if exercise not in RECORDS]
        looks = [entry.get(key, {}) for key in ("detect", "extremes", "suspect")]
        texts = [text for look in looks for texts in look.values() for text in texts]
        unknown += [(name, t) for t in texts if not hasattr(behaviors, t.split()[0])]
    return unknown


@pytest.mark.parametrize("seed", ["", "1", "2"])
def test_every_style_is_right(seed, monkeypatch):
    monkeypatch.setenv("RNN_LIB_CHECK_SEED", seed)
    assert set(mutants.STYLES) == {*KNOWN, "layer"}
    assert wrong_styles() == []


def test_a_wrong_style_is_found(fresh, monkeypatch):
    right, other, third = mutants.STYLES["rnn_backward"]
    styles = [right, other.replace("zeros(len(W_h))", "1 + zeros(len(W_h))"), third]
    monkeypatch.setitem(mutants.STYLES, "rnn_backward", styles)
    assert wrong_styles() == [("rnn_backward", 1)]


def test_every_edit_fits_a_style(fresh):
    for record in KNOWN.values():
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
    assert idle_mutants(["rnn_step"]) == [("rnn_step", "nothing is wrong", 1)]


@pytest.mark.slow
def test_every_mutant_is_caught_and_named_by_its_check():
    """By the name of its mistake, or of one before it in the table that gives the same."""
    order = list(mistakes.TABLE)
    for name, record in KNOWN.items():
        for mistake in mistakes.known_mistakes(record.signature):
            for mutant in mistake.mutants:
                failure = failure_of(record, mutant)
                assert failure, (name, mistake.name)
                found = (failure.mistake or "none").partition("; ")[0]
                assert found in order[: order.index(mistake.name) + 1], (name, mistake.name, found)


def test_every_word_in_the_table_means_something():
    assert unknown_words() == []
    keys = ("detect", "extremes", "suspect")
    used = str([[e.get(key) for key in keys] for e in mistakes.TABLE.values()])
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


# -- how they are said -----------------------------------------------------------------------


def said_of(exercise):
    """Yield the names of an exercise's mistakes, and what the check advises."""
    signature = LAYER if exercise == "layer" else RECORDS[exercise].signature
    for at_extremes in (False, True):
        for mistake in mistakes.known_mistakes(signature, at_extremes):
            yield mistake.name, mistake.hint


def said_elsewhere():
    """Yield the same of the exercises that have no functions to compare with."""
    for name, entry in mistakes.TABLE.items():
        if not set(entry) - {"try", "settings"}:
            yield name, entry.get("try") or "; ".join(row[-1] for row in entry["settings"])


SAID = sorted({s for name in (*KNOWN, "layer") for s in said_of(name)} | set(said_elsewhere()))


def prose(name, hint):
    """Return what is left of a name and its hint when code and names are taken out."""
    without_code = re.sub("`.+?`", "", f"{name}. {hint}.")
    return re.sub(r"\S*[_\[\]*/=@+(]\S*", "", without_code)


@pytest.mark.parametrize(("name", "hint"), SAID, ids=lambda text: text[:30])
def test_a_name_and_its_hint_are_short_and_easy_to_read(name, hint):
    assert hint, name
    assert len(f"{name} {hint}".split()) <= 80
    assert textstat.flesch_kincaid_grade(prose(name, hint)) <= 9, prose(name, hint)


def test_a_hint_that_is_hard_to_read_is_found():
    hard = "instantiate the accumulators corresponding to individual parameters simultaneously"
    assert textstat.flesch_kincaid_grade(prose("the initialization is inappropriate", hard)) > 9


MADE = {
    "rnn_step": "a_t = x_t @ W_x + h_prev @ W_h + b; h_t = np.tanh(a_t)",
    "rnn_forward": """
(N, T, F), t, n = x.shape, 1, 0
states = [references.rnn_step(x[:, 0], h0, W_x, W_h, b), h[:, 1]]
rnn_step, h_t, a_t = references.rnn_step, h[:, 0], np.arctanh(h[:, 0])
""",
    "rnn_step_backward": """
da_t = dh_t * (1 - h_t**2)
dx_t, dh_prev, dW_x, dW_h, db = references.rnn_step_backward(dh_t, x_t, h_prev, h_t, W_x, W_h)
values = [1.0]
""",
    "rnn_backward": """
(N, T, F), t, s, k, bptt_steps = x.shape, 1, 0, 5, None
dx, dh0, dW_x, dW_h, db = references.rnn_backward(dh, x, h0, h, W_x, W_h)
dh_prev, h_prev, dx_t = np.ones(h0.shape), h[:, 0], dx[:, 1].copy()
dh_t = dh[:, t] + dh_prev
da_t = dh_t * (1 - h[:, t] ** 2)
dh_prev = dh_t - dh[:, t]
values = [1.0]
""",
    "softmax_cross_entropy": """
N = len(labels)
shifted = scores - scores.max(axis=1, keepdims=True)
log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
p, loss = np.exp(log_p), -log_p[np.arange(N), labels].mean()
dscores = p.copy()
""",
    "update": """
params = {"W_x": W_x, "W_h": W_h, "b": b}
grads, name = {n: np.ones(w.shape) for n, w in params.items()}, "b"
""",
    "numeric_gradient": """
eps, index, gradient, f = 1e-5, (0, 0), np.zeros(array.shape), lambda: (weights * array**3).sum()
kept = array[index]
up, down, shape = 2.0, 1.0, array.shape
""",
    "encode": "word = 'film'; row = np.zeros(maxlen, dtype=int); ids = [2, 3]",
    "training_step": """
from rnn_lib.checks.fakes import *
x, lengths, y = x[0], lengths[0], y[0]
network, loss, optimizer = Network(W, b, mask), Loss(), Descent(lr)
scores = network.forward(x, lengths=lengths, training=True); loss.forward(scores, y)
network.backward(loss.backward())
grads, norm = clip_by_global_norm(network.grads, 1.0)
""",
    "lstm_step": """
a, H, rows = x_t @ W_x + h_prev @ W_h + b, len(W_h), np.hstack([x_t, h_prev])
a_i, a_f, a_g, a_o = np.split(a, 4, axis=1)
i, f, g, o = references.lstm_gates(x_t, h_prev, W_x, W_h, b)
h_t, c_t = references.lstm_step(x_t, h_prev, c_prev, W_x, W_h, b)
""",
    "lstm_step_backward": """
gates = i, f, g, o
dc = dc_t + dh_t * o * (1 - np.tanh(c_t) ** 2)
di, df, dg, do = dc * g, dc * c_prev, dc * i, dh_t * np.tanh(c_t)
da_i, da_f, da_g, da_o = di * i * (1 - i), df * f * (1 - f), dg * (1 - g**2), do * o * (1 - o)
da = np.hstack([da_i, da_f, da_g, da_o])
dx_t, dh_prev, dc_prev, dW_x, dW_h, db = references.lstm_step_backward(
    dh_t, dc_t, x_t, h_prev, c_prev, gates, c_t, W_x, W_h
)
""",
    "gru_step": """
H, a = len(W_h), np.ones(3)
r, z, n = references.gru_gates(x_t, h_prev, W_x, W_h, b_x, b_h)
x_n, h_n = (x_t @ W_x + b_x)[:, 2 * H:], (h_prev @ W_h + b_h)[:, 2 * H:]
h_t = references.gru_step(x_t, h_prev, W_x, W_h, b_x, b_h)
""",
    "gru_step_backward": """
gates, H = (r, z, n), len(W_h)
h_n = (h_prev @ W_h + b_h)[:, 2 * H:]
dz, dn = dh_t * (h_prev - n), dh_t * (1 - z)
da_n = dn * (1 - n**2)
dr = da_n * h_n
da_r, da_z = dr * r * (1 - r), dz * z * (1 - z)
da_x, da_h = np.hstack([da_r, da_z, da_n]), np.hstack([da_r, da_z, da_n * r])
dx_t, dh_prev, dW_x, dW_h, db_x, db_h = references.gru_step_backward(
    dh_t, x_t, h_prev, gates, W_x, W_h, b_h
)
""",
    "next_character_batches": """
n_batches = (len(ids) - 1) // (n_streams * n_steps)
length, t, n = n_batches * n_steps, 0, 5
size = n_streams * length
x, y = (ids[k:k + size].reshape(n_streams, length) for k in (0, 1))
inputs, targets = x[:, :n_steps], y.ravel()
""",
    "sample": """
from rnn_lib.checks.references import softmax
from rnn_lib.checks.fakes import reader
step, rng, i, ids = reader(table, []), np.random.default_rng(0), 0, []
scores, h = step(i, h0)
p = softmax(scores / (temperature := 1.0))
""",
    "layer": """
rng, h, expected = np.random.default_rng(0), np.zeros(3), np.zeros(3)
""",
}


def in_the_middle_of(exercise):
    """Return the names that a right function of the lesson uses, each with its right value."""
    record = (KNOWN | {"layer": exercises.FORWARD})[exercise]
    problem = record.ask(np.random.default_rng(0), False)[-3]
    names = {"np": np, "references": references, "clip_by_global_norm": rnn_lib.clip_by_global_norm}
    names |= problem.arguments(record.arguments) | {"shape": (2, 3), "h": problem.numbers.get("h")}
    exec(MADE[exercise], names)
    return names


CODE = sorted(
    {
        (exercise, code)
        for exercise in MADE
        for _, hint in said_of(exercise)
        for code in re.findall("`(.+?)`", hint)
        if "..." not in code and re.search(r"\w\W+\w", code)
    }
)


# What a hint assigns to these belongs to another moment: the start, or the step after.
OTHERS = {"h", "h_t", "gradient", "row", "dh0", "dh_prev"}


@pytest.mark.parametrize(("exercise", "code"), CODE)
def test_code_of_a_hint_works_when_it_is_typed_as_printed(exercise, code):
    """It runs where it belongs; what it assigns is what a right function has there."""
    names = in_the_middle_of(exercise)
    before = {n: v.copy() for n, v in names.items() if isinstance(v, np.ndarray)}
    if code.endswith(":"):
        code += " break" if code.startswith("for ") else " pass"
    if code.startswith(("return", "yield")):
        code = f"def function():\n    {code}"
    if code.startswith((".", "[")):
        code = f"scores{code}"
    exec(code, names)
    assigned = re.fullmatch(r"(\w+) = .*", code)
    if exercise != "layer" and assigned and assigned[1] in before.keys() - OTHERS:
        assert np.allclose(names[assigned[1]], before[assigned[1]]), code


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
    assert (unpacked_wheel / "rnn_lib/locale/ja/LC_MESSAGES/rnn_lib.mo").is_file()


def test_a_wheel_without_the_table_is_noticed(unpacked_wheel, tmp_path):
    shutil.copytree(unpacked_wheel, tmp_path / "lib")
    (tmp_path / "lib" / "rnn_lib" / "checks" / "mistakes.toml").unlink()
    assert "mistakes.toml" in named_by(tmp_path / "lib").stderr
