"""What crosses the pipe of a check: the same verdicts come of it, and nothing else can cross."""

import json
import threading
import types

import numpy as np
import pytest
from crossed import Pipe, asked, judged
from test_checks import CHECKS
from wrong_solutions import CORRECT, STEP, WRONG, run

from classroom import crossing
from classroom.crossing import End, Ended
from classroom.judging import called_check
from rnn_lib import (
    LSTM,
    SGD,
    Adam,
    MeanState,
    ScratchRNNClassifier,
    checks,
    gaussian,
    linear_decay,
    orthogonal,
    uniform,
)
from rnn_lib.checks import fakes, references

# Those that draw other numbers each time get another message each time.
SOLUTIONS = [s for s in (*CORRECT, *WRONG) if s.exercise in CHECKS and "random" not in s.label]
FEW = {id(s) for name in CHECKS for s in [s for s in SOLUTIONS if s.exercise == name][::9]}


@pytest.mark.parametrize(
    "solution",
    [
        pytest.param(s, marks=() if id(s) in FEW else pytest.mark.slow, id=f"{s.exercise}-{n}")
        for n, s in enumerate(SOLUTIONS)
    ],
)
def test_a_function_gets_the_same_verdict_and_the_same_words_across_the_pipe(solution):
    check = CHECKS[solution.exercise]
    here = asked(check, solution.make())
    assert judged(f"checks.{check.__name__}(f)", solution.make()) == here


def layers_differ(forward):
    x, h0, W, b = np.ones((1, 2, 1)), np.zeros((1, 1)), np.ones((1, 1)), np.zeros(1)
    return bool(forward(x, h0, W, W, b)[0, 1, 0] == np.tanh(1 + np.tanh(1)))


def test_a_layer_is_called_where_it_is():
    said = judged("checks.check_looks_right(f)", layers_differ)
    assert said == asked(checks.check_looks_right, layers_differ)
    assert "it returns True for" in said


@pytest.mark.parametrize("given", [("expected",), ()])
def test_what_is_not_the_functions_comes_from_the_lessons_cell(given):
    """A student cannot take the truncation out of a check by calling another."""
    never = run("def f(dh, x, h0, h, W_x, W_h, bptt_steps=None):\n    return bptt_steps", "f")
    assert judged("checks.check_backward(f, truncation=False)", never, *given) == asked(
        lambda f: checks.check_backward(f, truncation=False), never
    )


def test_right_answers_and_the_seed_never_cross():
    pipe, right = Pipe(), []

    def noted(*given):
        right.append(references.rnn_step(*given))
        return right[-1]

    judged("checks.check_step(f)", noted, seed="918273645")
    assert len(right) > 6
    wrong = run(STEP.replace(" + b", ""), "rnn_step")
    assert "the bias is lost" in judged("checks.check_step(f)", wrong, seed="918273645", pipe=pipe)
    crossed = b"".join(pipe.messages).decode()
    assert "918273645" not in crossed
    assert all(crossing._array(array)["bytes"] not in crossed for array in right)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("checks.check_step(rnn_step)", True),
        ("print(1)\nchecks.check_step(rnn_step)", True),
        ("print(1)", False),
        ("checks.CheckFailed()", False),
        ("other.check_step(rnn_step)", False),
        ("checks.check_step(", False),
    ],
)
def test_the_call_of_a_check_is_found(source, expected):
    assert (called_check(source) is not None) == expected


# -- values ---------------------------------------------------------------------------------------


class Ends:
    """A student's functions, by name, called from the other end."""

    def __init__(self, **functions):
        self.pipe = Pipe()
        student = self.pipe.end(is_grader=False)
        threading.Thread(
            target=self._serve, args=(student, functions.values()), daemon=True
        ).start()
        self.grader = self.pipe.end(is_grader=True)
        for name, function in zip(functions, self.grader.answer(), strict=True):
            setattr(self, name, function)

    def _serve(self, student, functions):
        try:
            student.serve(*functions)
        except Ended:
            self.pipe.hang_up()


@pytest.fixture
def back():
    """What is handed over comes back."""
    return Ends(back=lambda *given: given[0] if given else None).back


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 7, 10**30, -0.5, float("inf"), "a\ud800é", (1, (2,)), [1, [2.0]]),
        *({"a": 1, 2: [3]}, np.float32(0.1), np.int64(3), np.bool_(True), np.array(["ä", "b"])),
        *(np.arange(6.0).reshape(2, 3).T, np.zeros((0, 3)), np.array(2.5), np.ones(2, np.float16)),
        np.ones(3, complex),
    ],
    ids=repr,
)
def test_plain_values_come_back_as_they_were(back, value):
    came = back(value)
    assert type(came) is type(value)
    assert np.array_equal(came, value) if isinstance(value, np.ndarray) else came == value
    assert getattr(came, "dtype", None) == getattr(value, "dtype", None)


def test_an_argument_that_comes_back_is_the_same_object(back):
    for value in (np.ones(2), [1], {"a": np.ones(2)}, np.random.default_rng(0)):
        assert back(value) is value


def test_what_is_changed_in_place_is_changed_on_the_other_side():
    def change(array, words, names, rng):
        array[0], array.shape = 7, (2, 1)
        words.append("new")
        names["b"] = names.pop("a")
        rng.random()

    array, words, rng, twin = (
        np.ones(2),
        ["old"],
        np.random.default_rng(5),
        np.random.default_rng(5),
    )
    names = {"a": array}
    assert Ends(f=change).f(array, words, names, rng) is None
    assert array.tolist() == [[7], [1]]
    assert words == ["old", "new"]
    assert names["b"] is array
    assert rng.random() == twin.random(2)[1]


def test_an_array_that_is_written_into_by_a_later_call_changes():
    kept = np.zeros(2)

    def overwrite(value):
        kept[:] = value
        return kept

    ends = Ends(f=overwrite)
    first = ends.f(1.0)
    assert first.tolist() == [1, 1]
    assert ends.f(2.0) is first
    assert first.tolist() == [2, 2]


def test_a_function_of_the_grader_can_be_called_and_stops_with_its_own_error():
    def outer(inner, array):
        try:
            inner("no number")
        except ValueError as error:
            array[0] = 4
            return str(error), inner(array)

    def inner(value):
        if isinstance(value, str):
            raise ValueError(f"not {value}")
        return value.sum()

    assert Ends(f=outer).f(inner, np.ones(2)) == ("not no number", 5.0)


def test_a_generator_is_taken_one_by_one():
    def batches():
        for k in range(3):
            yield np.full(2, k), k

    came = Ends(f=batches).f()
    assert type(came).__name__ == "generator"
    assert [(a.tolist(), k) for a, k in came] == [([0, 0], 0), ([1, 1], 1), ([2, 2], 2)]


class OwnError(KeyError):
    pass


@pytest.mark.parametrize(
    ("error", "kinds", "text"),
    [
        (ValueError("wrong"), {ValueError}, "wrong"),
        (KeyError("W_x"), {KeyError}, "'W_x'"),
        (OwnError("W_x"), {KeyError}, "\"'W_x'\""),
        (np.exceptions.AxisError(2, 1), {ValueError}, "axis 2 is out of bounds"),
        (UnicodeDecodeError("utf-8", b"x", 0, 1, "odd"), {UnicodeError}, "can't decode byte"),
        (MemoryError(), {MemoryError}, ""),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_has_its_name_and_its_words(error, kinds, text):
    def stop():
        raise error

    with pytest.raises(tuple(kinds)) as caught:
        Ends(f=stop).f()
    assert type(caught.value).__name__ == type(error).__name__
    assert text in str(caught.value)


@pytest.mark.parametrize(
    "setting",
    [
        *(Adam(lr=0.02), SGD(0.5), MeanState(scale=30), LSTM(3, 4, bptt_steps=2)),
        *(linear_decay(0.1, 5), ScratchRNNClassifier(8, 2, optimizer=Adam(0.1), dtype=np.float32)),
    ],
    ids=lambda setting: type(setting).__name__,
)
def test_settings_cross_as_a_name_and_plain_fields(back, setting):
    came = back(setting)
    assert type(came) is type(setting)
    name, fields = crossing._setting(setting)
    assert name == type(setting).__name__
    assert crossing._setting(came)[1].keys() == fields.keys()
    if not isinstance(setting, ScratchRNNClassifier):
        assert crossing._setting(came) == (name, fields)


def test_initializers_are_made_anew(back):
    for make in (orthogonal(0.9), gaussian(0.2), uniform):
        drawn = (f(np.random.default_rng(0), (3, 3)) for f in (make, back(make)))
        assert np.array_equal(*drawn)
    assert back(uniform) is uniform


def test_anything_else_is_refused():
    class OwnAdam(Adam):
        pass

    def model():
        return ScratchRNNClassifier(n_nodes1=8, n_output=2, embedding=(5000, 8), n_epochs=1,
                                    batch_size=64, optimizer=OwnAdam(0.1))  # fmt: skip

    said = judged("checks.check_accuracy(f)", model)
    assert "it cannot be trained" in said
    assert "OwnAdam" in said


# -- what is not plain ----------------------------------------------------------------------------


def grader_that_hears(*messages):
    waiting = [m if isinstance(m, bytes) else json.dumps(m).encode() for m in messages]
    return End(lambda _: None, lambda: waiting.pop(0), is_grader=True)


ARRAY = {"dtype": "<f8", "shape": [1], "bytes": "AAAAAAAA8D8="}


@pytest.mark.parametrize(
    "value",
    [
        {"known": 99},
        {"unheard of": 1},
        [1, 2],
        {"new": 1, "content": {"array": ARRAY}},  # the grader's own number
        {"new": 0, "content": {"array": ARRAY | {"dtype": "O", "shape": [10**9, 10**9]}}},
        {"new": 0, "content": {"array": ARRAY | {"dtype": "(9,9)f8"}}},
        {"new": 0, "content": {"array": ARRAY | {"shape": [2]}}},
        {"new": 0, "content": {"array": ARRAY | {"shape": [-1, 10**12]}}},
        {"setting": "os.system", "fields": {}},
        {"setting": "LSTM", "fields": {"n_features": 10**6, "n_nodes": 10**6}},
        {"stands for": 0, "type": "function", "place": {}},
    ],
)
def test_what_cannot_be_read_is_no_answer(value):
    with pytest.raises(Ended):
        grader_that_hears({"value": value, "changes": []}).answer()


@pytest.mark.parametrize(
    "message", [b"", b"\xff", b"[]", b"[" * 100_000, b'{"value": 1}', {"error": {}, "changes": []}]
)
def test_a_message_of_another_form_is_no_answer(message):
    with pytest.raises(Ended):
        grader_that_hears(message).answer()


REFUSED = [
    *[(what, "network", [name]) for what in ("get", "()") for name in ("_params", "__class__")],
    *[("set", "network", ["_mask", 1]), ("()", "network", []), ("next", "network", [])],
    *[("iter", "network", []), ("del", "network", ["params"])],
    # An array could write files; so could a class or a built-in function.
    *[("get", "array", ["tofile"]), ("get", "rng", ["bit_generator"]), ("get", "names", ["clear"])],
    *[("()", "built_in", ["x"]), ("get", "function", ["__globals__"]), ("get", "other", ["x"])],
]


@pytest.mark.parametrize(("what", "on", "args"), REFUSED)
def test_of_the_graders_objects_only_what_the_checks_need_can_be_reached(what, on, args):
    network = fakes.Network(np.ones((1, 1)), np.ones(1), np.ones(1))
    given = {"network": network, "array": np.ones(1), "rng": np.random.default_rng(0)}
    given |= {"names": {}, "built_in": open, "function": lambda: None}
    given["other"] = types.SimpleNamespace(x=1)
    sent = []

    def receive():
        """Ask for it, once it has crossed; then give an answer."""
        if len(sent) == 2:
            return json.dumps({"value": None, "changes": []}).encode()
        if not sent:
            appearance = {"type": "f", "callable": True, "iterable": False}
            return json.dumps({"value": {"stands for": 0} | appearance, "changes": []}).encode()
        number = next(n for n, thing in grader._objects.items() if thing is given[on])
        call = {"call": number, "what": what, "args": {"tuple": args}, "changes": []}
        call["kwargs"] = {"tuple": []}
        return json.dumps(call).encode()

    grader = End(lambda message: sent.append(json.loads(message)), receive, is_grader=True)
    grader.answer()(*given.values())
    assert sent[1]["error"]["kinds"][0] in ("TypeError", "AttributeError")


def test_what_the_checks_need_can_be_reached():
    def use(network):
        network.forward(np.ones((1, 1, 1)))
        network.extra = 3
        return network.params["W"], network.extra

    network = fakes.Network(np.full((1, 1), 2.0), np.ones(1), np.ones(1))
    W, extra = Ends(f=use).f(network)
    assert W is network.params["W"]
    assert network.extra == extra == 3


def test_too_many_numbers_are_an_error_and_the_pipe_stays_in_order(monkeypatch):
    monkeypatch.setattr(crossing, "LARGEST", 1_000_000)
    ends = Ends(f=lambda n: np.ones(n))
    with pytest.raises(ValueError, match="the numbers are too many"):
        ends.f(10**6)
    assert ends.f(2).tolist() == [1, 1]
