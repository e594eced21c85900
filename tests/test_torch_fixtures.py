"""Our layers, losses and optimizers against the answers of PyTorch, frozen as numbers."""

import json
from pathlib import Path

import numpy as np
import pytest

from rnn_lib import GRU, LSTM, SimpleRNN, get_loss
from rnn_lib.optimizers import get_optimizer

pytestmark = pytest.mark.lesson3

FIXTURES = json.loads((Path(__file__).parent / "fixtures" / "torch.json").read_text())


def close(actual, expected):
    expected = np.asarray(expected)
    scale = max(1.0, np.abs(expected).max())
    return np.abs(np.asarray(actual) - expected).max() < 1e-10 * scale


def name_of(case):
    T = len(case["given"]["x"][0])
    ragged = "ragged" if case["lengths"] else "full"
    return f"{case.get('layer') or case['activation']}-T{T}-{ragged}-bptt{case['bptt_steps']}"


def answers(case, bptt_steps):
    given = {name: np.array(value) for name, value in case["given"].items()}
    size = given["x"].shape[2], given["h0"].shape[1]
    if "layer" in case:
        rnn = {"GRU": GRU, "LSTM": LSTM}[case["layer"]](*size, bptt_steps=bptt_steps)
    else:
        rnn = SimpleRNN(*size, case["activation"], bptt_steps)
    rnn.params = {name: given[name] for name in rnn.params}
    starts = {name: given[name] for name in ("h0", "c0") if name in given}
    h = rnn.forward(given["x"], lengths=case["lengths"], **starts)
    dx = rnn.backward(given["dh"])
    dstarts = {f"d{name}": getattr(rnn, f"d{name}") for name in starts}
    grads = {f"d{name}": grad for name, grad in rnn.grads.items()}
    return {"h": h, "dx": dx} | dstarts | grads


LAYERS = FIXTURES["rnn"] + FIXTURES["gated"]


@pytest.mark.parametrize("case", LAYERS, ids=name_of)
def test_recurrent_layer(case):
    answered = answers(case, case["bptt_steps"])
    assert answered.keys() == case["expected"].keys()
    for name, value in answered.items():
        assert close(value, case["expected"][name]), f"{name} differs from {FIXTURES['made_with']}"


def test_truncation_off_by_one_is_noticed():
    truncated = [c for c in LAYERS if c["bptt_steps"] == 2 and len(c["given"]["x"][0]) == 5]
    assert len(truncated) == 4 + 2 + 2
    for case in truncated:
        for wrong in (1, 3):
            assert not close(answers(case, wrong)["dW_h"], case["expected"]["dW_h"])


@pytest.mark.parametrize("case", FIXTURES["loss"], ids=lambda c: c["output"])
def test_loss(case):
    loss = get_loss(case["output"])
    scores, labels = (np.array(case["given"][name]) for name in ("scores", "labels"))
    assert close(loss.forward(scores, labels), case["expected"]["loss"])
    assert close(loss.backward(), case["expected"]["dscores"])


@pytest.mark.parametrize("case", FIXTURES["optimizer"], ids=lambda c: c["optimizer"])
def test_optimizer(case):
    optimizer = get_optimizer(case["optimizer"], lr=0.1)
    w = np.array(case["given"]["w"])
    for grad in np.array(case["given"]["grads"]):
        optimizer.update({"w": w}, {"w": grad})
    assert close(w, case["expected"]["w"])
