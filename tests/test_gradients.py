"""Every gradient of the library against the numeric one, and proof that the check can fail."""

import itertools
import re

import numpy as np
import pytest

from rnn_lib import (
    GRU,
    LSTM,
    AddGate,
    Dense,
    Embedding,
    MeanState,
    MultiplyGate,
    ProductGate,
    RecurrentNetwork,
    SimpleRNN,
    TanhGate,
    checks,
    get_loss,
    get_readout,
    grad_check,
    numeric_gradient,
)

pytestmark = pytest.mark.lesson3

N, F, H, K = 3, 2, 4, 5
T_VALUES = (1, 2, 5)
LENGTHS = {1: [1, 1, 1], 2: [1, 2, 1], 5: [3, 5, 1]}
TOLERANCE = 1e-7


# The simple layer is called by its activation.
KINDS = {"tanh": SimpleRNN, "relu": SimpleRNN, "gru": GRU, "lstm": LSTM}


def make_rnn(kind="tanh", bptt_steps=None, cls=None):
    rng, cls = np.random.default_rng(7), cls or KINDS[kind]
    own = {"activation": kind} if issubclass(cls, SimpleRNN) else {}
    rnn = cls(F, H, bptt_steps=bptt_steps, rng=rng, **own)
    for name, param in rnn.params.items():
        if name.startswith("b"):
            rnn.params[name] = rng.standard_normal(param.shape)
    return rnn


def make_input(T, ragged, kind="tanh"):
    """Return x, h0, lengths, and c0 where a layer has it, as `grad_check` takes them."""
    rng = np.random.default_rng(T)
    lengths = np.array(LENGTHS[T]) if ragged else None
    states = [rng.standard_normal((N, H)) for _ in range(1 + (kind == "lstm"))]
    return rng.standard_normal((N, T, F)), states[0], lengths, *states[1:]


@pytest.mark.parametrize(
    ("T", "kind", "bptt_steps", "ragged"),
    list(itertools.product(T_VALUES, KINDS, (None, 1, 2, 3, 4, 9), (False, True))),
)
def test_recurrent_layer(T, kind, bptt_steps, ragged):
    rnn = make_rnn(kind, bptt_steps)
    result = grad_check(rnn, *make_input(T, ragged, kind))
    dc0 = {"dc0"} if kind == "lstm" else set()
    assert set(result.errors) == {*rnn.params, "dx", "dh0"} | dc0
    assert result.error < TOLERANCE, result


@pytest.mark.parametrize("ragged", [False, True])
def test_recurrent_layer_with_one_bias_for_all_units(ragged):
    rnn = make_rnn()
    rnn.params["b"] = np.array([0.7])
    result = grad_check(rnn, *make_input(5, ragged))
    assert rnn.grads["b"].shape == (1,)
    assert result.error < TOLERANCE, result


@pytest.mark.parametrize(
    ("T", "readout", "kind", "bptt_steps", "ragged"),
    list(itertools.product(T_VALUES, ("last", "mean", "all"), KINDS, (None, 2), (False, True))),
)
def test_network_with_every_readout(T, readout, kind, bptt_steps, ragged):
    rng = np.random.default_rng(3)
    network = RecurrentNetwork(
        make_rnn(kind, bptt_steps), get_readout(readout), Dense(H, K, rng=rng)
    )
    network.dense.params["b"] = rng.standard_normal(K)
    x, _, lengths, *_ = make_input(T, ragged)
    result = grad_check(network, x, lengths=lengths)
    assert {"rnn.W_h", "dense.W", "dense.b", "dx"} <= set(result.errors)
    assert result.error < TOLERANCE, result


@pytest.mark.parametrize("ragged", [False, True])
def test_network_with_embedding_and_a_scaled_mean(ragged):
    rng = np.random.default_rng(4)
    embedding = Embedding(6, F, rng=rng)
    network = RecurrentNetwork(make_rnn(), MeanState(30), Dense(H, K, rng=rng), embedding)
    ids = rng.integers(0, 6, (N, 5))
    result = grad_check(network, ids, lengths=np.array(LENGTHS[5]) if ragged else None)
    assert "embedding.W" in result.errors
    assert "dx" not in result.errors
    assert result.error < TOLERANCE, result


@pytest.mark.parametrize("shape", [(N, F), (N, 5, F)])
def test_dense(shape):
    rng = np.random.default_rng(5)
    result = grad_check(Dense(F, K, rng=rng), rng.standard_normal(shape))
    assert result.error < TOLERANCE, result


@pytest.mark.parametrize(("output", "n_output"), [("softmax", 3), ("sigmoid", 1), ("sigmoid", 3)])
@pytest.mark.parametrize("masked", [False, True])
def test_losses(output, n_output, masked):
    rng = np.random.default_rng(6)
    scores, loss = rng.standard_normal((4, 5, n_output)), get_loss(output)
    labels = rng.integers(0, max(2, n_output), (4, 5))
    mask = rng.random((4, 5)) < 0.6 if masked else None
    loss.forward(scores, labels, mask)
    analytic = loss.backward()
    numeric = numeric_gradient(lambda: loss.forward(scores, labels, mask), scores)
    assert np.linalg.norm(analytic - numeric) < TOLERANCE * np.linalg.norm(numeric)


@pytest.mark.parametrize(
    ("gate", "shapes"),
    [
        (MultiplyGate(), [(3, 2), (2, 4)]),
        (AddGate(), [(3, 4), (3, 4)]),
        (AddGate(), [(3, 4), (4,)]),
        (ProductGate(), [(3, 4), (3, 4)]),
        (TanhGate(), [(3, 4)]),
    ],
)
def test_gates(gate, shapes):
    rng = np.random.default_rng(8)
    inputs = [rng.standard_normal(shape) for shape in shapes]
    dz = rng.standard_normal((3, 4))
    gate.forward(*inputs)
    gradients = gate.backward(dz)
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    for at, analytic in zip(inputs, gradients, strict=True):
        numeric = numeric_gradient(lambda: np.vdot(dz, gate.forward(*inputs)), at)
        assert analytic.shape == at.shape
        assert np.linalg.norm(analytic - numeric) < TOLERANCE * np.linalg.norm(numeric)


# -- the check itself ---------------------------------------------------------------------------


class ForgetsTheDerivative(SimpleRNN):
    """Back-propagates as if the activation were the identity (mistake 9)."""

    def _step_back(self, W, z, z_next, kept, dh, da):
        da[...] = dh
        np.matmul(da, W[: self.n_nodes].T, out=dh)


class TakesTheWrongState(SimpleRNN):
    """Uses h_t for h_{t-1} in dW_h (mistake 11)."""

    def _backward(self, dh, p):
        dx = super()._backward(dh, p)
        W_h, da = self.grads["W_h"], self._walk_back_again(dh, p)
        W_h[...] = np.einsum("tnh,tnk->hk", p.z[1:, :, : self.n_nodes], da)
        return dx

    def _walk_back_again(self, dh, p):
        dh = dh[p.order].swapaxes(0, 1)
        is_full, da = self.bptt_steps is None or self.bptt_steps >= len(dh), np.zeros(dh.shape)
        (self._walk_back if is_full else self._walk_back_truncated)(dh, p, da)
        return da


class TruncatesOneTooEarly(SimpleRNN):
    """Lets each gradient pass through bptt_steps - 1 cells (mistake 15)."""

    def _walk_back_truncated(self, *args):
        self.bptt_steps -= 1
        try:
            return super()._walk_back_truncated(*args)
        finally:
            self.bptt_steps += 1


class DoublesOneElement(SimpleRNN):
    """Gets one single element of one gradient wrong."""

    def backward(self, dh):
        dx = super().backward(dh)
        self.grads["W_h"][2, 1] *= 2
        return dx


class GivesNaN(SimpleRNN):
    """Loses a gradient altogether."""

    def backward(self, dh):
        dx = super().backward(dh)
        self.grads["b"][0] = np.nan
        return dx


def gated(name, kind, z=None, kept=None):
    """Make a class of gated layer with a fault: each step back sees other rows, or other gates."""

    def _step_back(self, W, rows, rows_next, pair, *dstates_da):
        rows = rows_next if z == "next" else rows
        if kept is not None:
            pair = pair.copy()
            kept(pair)
        KINDS[kind]._step_back(self, W, rows, rows_next, pair, *dstates_da)

    return type(name, (KINDS[kind],), {"_step_back": _step_back})


def exchanged(one, other):
    def exchange(pair):
        pair[0, [one, other]] = pair[0, [other, one]]

    return exchange


def with_next_inner_state(pair):
    pair[0, 0] = pair[1, 0]


def without_candidate(pair):
    pair[0, -1] = 0


class LosesTheInnerState(LSTM):
    """Lets no gradient come down from c_{t+1} to c_t."""

    def _step_back(self, W, z, z_next, kept, dc, dh, da):
        dc[...] = 0
        super()._step_back(W, z, z_next, kept, dc, dh, da)


class LosesTheShortWay(GRU):
    """Lets no gradient go from h_t to h_{t-1} past the candidate, dh_t * z."""

    def _step_back(self, W, z, z_next, kept, dh, da):
        super()._step_back(W, z, z_next, kept, dh, da)
        dh[...] = da[..., : 3 * self.n_nodes] @ W[-1]


class AddsNoTruncatedEntry(LSTM):
    """Truncates h alone: what has entered c goes on to the first step."""

    def _walk_back_truncated(self, dh, p, da):
        return self._walk_back(dh, p, da)


WRONG_GATES = [
    (gated("ExchangesInputAndForget", "lstm", kept=exchanged(1, 2)), None, None),
    (gated("ExchangesOutputAndCandidate", "lstm", kept=exchanged(3, 4)), None, None),
    (gated("TakesTheNextInnerState", "lstm", kept=with_next_inner_state), None, None),
    (gated("ForgetsTheCandidate", "lstm", kept=without_candidate), None, None),
    (LosesTheInnerState, None, None),
    (AddsNoTruncatedEntry, 2, None),
    (gated("ExchangesResetAndUpdate", "gru", kept=exchanged(0, 1)), None, None),
    (gated("TakesTheNextState", "gru", z="next"), None, None),
    (gated("ForgetsTheCandidate", "gru", kept=without_candidate), None, None),
    (LosesTheShortWay, None, None),
]


@pytest.mark.parametrize(
    ("wrong", "bptt_steps", "name"),
    [
        (ForgetsTheDerivative, None, None),
        (TakesTheWrongState, None, "W_h"),
        (TruncatesOneTooEarly, 2, None),
        (DoublesOneElement, None, "W_h"),
        (GivesNaN, None, "b"),
        *WRONG_GATES,
    ],
)
@pytest.mark.parametrize("ragged", [False, True])
def test_grad_check_finds_wrong_gradients(wrong, bptt_steps, name, ragged):
    result = grad_check(make_rnn("tanh", bptt_steps, wrong), *make_input(5, ragged))
    assert not result.error < 1e-3
    if name is not None:
        assert result.name == name
    if wrong is DoublesOneElement:
        assert result.index == (2, 1)


class OverwritesBeforeUse(SimpleRNN):
    """Loses a step's own gradient as soon as one arrives from later (mistake 22)."""

    def _walk_back(self, dh, p, da):
        dh_t = dh[-1].copy()
        for t in reversed(range(len(dh))):
            self._step_back(p.W, p.z[t], p.z[t + 1], p.kept[t], dh_t, da[t])
        return dh_t[None]


def as_exercise(cls):
    """Put a layer into the form of the students' rnn_backward, so that their check can judge it."""

    def rnn_backward(dh, x, h0, h, W_x, W_h, bptt_steps=None):
        rnn = cls(W_x.shape[0], W_h.shape[0], bptt_steps=bptt_steps)
        b = np.arctanh(h[0, 0]) - x[0, 0] @ W_x - h0[0] @ W_h  # the one that gave these states
        rnn.params = {"W_x": W_x, "W_h": W_h, "b": b}
        rnn.forward(x, h0)
        dx = rnn.backward(dh)
        return dx, rnn.dh0, rnn.grads["W_x"], rnn.grads["W_h"], rnn.grads["b"]

    return rnn_backward


def test_the_layer_passes_the_students_check():
    """Whoever breaks a line of the layer's gradient reads here which line of mathematics it is."""
    checks.check_backward(as_exercise(SimpleRNN))


class ForgetsToTranspose(SimpleRNN):
    """Multiplies by W_h where W_h.T should stand (mistake 12)."""

    def _step_back(self, W, z, z_next, kept, dh, da):
        super()._step_back(W, z, z_next, kept, dh, da)
        dh[...] = da @ W[: self.n_nodes]


@pytest.mark.parametrize(
    ("wrong", "mistake"),
    [
        (ForgetsTheDerivative, "the derivative of tanh, 1 - h**2, is missing"),
        (TakesTheWrongState, "dW_h is made from h_t instead of the state before it"),
        (TruncatesOneTooEarly, "the gradient passes through one step too few"),
        (OverwritesBeforeUse, "only dh of the last step enters"),
        (ForgetsToTranspose, "W_h is not transposed in the backward pass"),
    ],
)
def test_a_broken_line_of_the_layer_is_named(wrong, mistake):
    with pytest.raises(AssertionError, match=re.escape(mistake)):
        checks.check_backward(as_exercise(wrong))


def test_one_time_step_proves_nothing():
    assert grad_check(make_rnn(cls=OverwritesBeforeUse), *make_input(1, False)).error < TOLERANCE
    assert grad_check(make_rnn(cls=OverwritesBeforeUse), *make_input(2, False)).error > 1e-2


def test_numeric_gradient_leaves_the_array_as_it_was_and_refuses_float32():
    array = np.array([[1.0, -2.0]])
    before = array.copy()
    assert np.allclose(numeric_gradient(lambda: float((array**3).sum()), array), 3 * before**2)
    assert np.array_equal(array, before)
    with pytest.raises(TypeError, match="float64"):
        numeric_gradient(lambda: 0.0, array.astype(np.float32))
