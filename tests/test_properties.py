"""What holds for every recurrent layer, shape, type, readout, truncation and mask.

hypothesis chooses them and, where a property fails, looks for the smallest case that shows it.
"""

import copy

import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from rnn_lib import (
    GRU,
    LSTM,
    AllStates,
    Dense,
    Dropout,
    LastState,
    MeanState,
    RecurrentNetwork,
    SimpleRNN,
    get_loss,
    grad_check,
    relu,
)

pytestmark = pytest.mark.lesson3

seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 4)
readouts = st.sampled_from([LastState, AllStates, lambda: MeanState(3.0)])


# The simple layer is called by its activation.
LAYERS = {"tanh": SimpleRNN, "relu": SimpleRNN, "gru": GRU, "lstm": LSTM}


@st.composite
def cases(draw, min_T=1, max_T=6):
    """Draw a recurrent layer, an input, perhaps first states and lengths, and a generator."""
    N, F, H = draw(sizes), draw(sizes), draw(sizes)
    T = draw(st.integers(min_T, max_T))
    rng = np.random.default_rng(draw(seeds))
    bptt_steps = draw(st.none() | st.integers(1, T + 2))
    kind = draw(st.sampled_from(list(LAYERS)))
    is_simple = issubclass(LAYERS[kind], SimpleRNN)
    own = {"activation": kind} if is_simple else {}
    rnn = LAYERS[kind](F, H, bptt_steps=bptt_steps, rng=rng, **own)
    one_bias = is_simple and draw(st.booleans())
    for name in [name for name in rnn.params if name.startswith("b")]:
        rnn.params[name] = rng.standard_normal(1 if one_bias else rnn.params[name].shape)
    drawn = [name for name in states_of(rnn) if draw(st.booleans())]
    starts = {name: rng.standard_normal((N, H)) for name in drawn}
    lengths = draw(st.none() | st.lists(st.integers(1, T), min_size=N, max_size=N))
    lengths = None if lengths is None else np.array(lengths)
    return rnn, rng.standard_normal((N, T, F)), starts, lengths, rng


def states_of(rnn):
    return ("h0", "c0") if isinstance(rnn, LSTM) else ("h0",)


def there_and_back(layer, x, dh, starts, lengths=None):
    """Return everything that a forward and a backward pass give."""
    h = layer.forward(x, lengths=lengths, **starts)
    dx = layer.backward(dh)
    dstarts = {f"d{name}": getattr(layer, f"d{name}") for name in states_of(layer)}
    return {"h": h, "dx": dx} | dstarts | layer.grads


def expect_close(one, other, atol=1e-10):
    for name in one:
        assert np.allclose(one[name], other[name], rtol=1e-8, atol=atol), name


def holds_gradient(layer, x, lengths=None, **starts):
    """Compare with the numeric gradient; where ReLU has a kink beside it, there is none."""
    assume(is_far_from_kinks(getattr(layer, "rnn", layer), x, 1e-3, lengths, **starts))
    found = grad_check(layer, x, lengths=lengths, **starts)
    assert found.error < 1e-6, found


def is_far_from_kinks(rnn, x, distance, lengths=None, h0=None, **_):
    if getattr(rnn, "activation", None) is not relu:
        return True
    h = rnn.forward(x, h0, lengths)
    before = np.concatenate([np.zeros_like(h[:, :1]) if h0 is None else h0[:, None], h[:, :-1]], 1)
    a = x @ rnn.params["W_x"] + before @ rnn.params["W_h"] + rnn.params["b"]
    return np.abs(a).min() > distance


@given(cases())
def test_the_gradient_is_the_numeric_one(case):
    rnn, x, starts, lengths, _ = case
    holds_gradient(rnn, x, lengths, **starts)


@given(cases(), readouts, sizes)
def test_the_gradient_of_a_network_is_the_numeric_one(case, readout, n_output):
    rnn, x, _, lengths, rng = case
    dense = Dense(rnn.n_nodes, n_output, rng=rng)
    holds_gradient(RecurrentNetwork(rnn, readout(), dense), x, lengths)


@given(seeds, sizes, sizes, st.sampled_from(["softmax", "sigmoid"]), st.booleans())
def test_the_gradient_of_a_loss_is_the_numeric_one(seed, N, n_output, output, masked):
    n_output += output == "softmax"
    rng, loss = np.random.default_rng(seed), get_loss(output)
    scores, labels = rng.standard_normal((N, n_output)), rng.integers(0, max(2, n_output), N)
    mask = np.append(True, rng.random(N - 1) < 0.5) if masked else None
    loss.forward(scores, labels, mask)
    analytic = loss.backward()
    for place in np.ndindex(scores.shape):
        nudge = np.zeros_like(scores)
        nudge[place] = 1e-5
        up, down = (loss.forward(scores + s * nudge, labels, mask) for s in (1, -1))
        assert np.isclose((up - down) / 2e-5, analytic[place], atol=1e-8)


@given(cases())
def test_permuting_the_samples_permutes_the_answers(case):
    rnn, x, starts, lengths, rng = case
    dh, order = rng.standard_normal((*x.shape[:2], rnn.n_nodes)), rng.permutation(len(x))
    plain = there_and_back(rnn, x, dh, starts, lengths)
    starts = {name: start[order] for name, start in starts.items()}
    lengths = None if lengths is None else lengths[order]
    permuted = there_and_back(rnn, x[order], dh[order], starts, lengths)
    for name in plain.keys() - rnn.params.keys():
        plain[name] = plain[name][order]
    expect_close(permuted, plain)


@given(cases(), st.integers(0, 3))
def test_padding_is_never_read(case, n_more):
    rnn, x, starts, lengths, rng = case
    N, T, F = x.shape
    lengths = np.full(N, T) if lengths is None else lengths
    dh = rng.standard_normal((N, T, rnn.n_nodes))
    plain = there_and_back(rnn, x, dh, starts, lengths)
    past_end = np.arange(T + n_more) >= lengths[:, None]
    x, dh = (np.pad(a, ((0, 0), (0, n_more), (0, 0))) for a in (x, dh))
    x[past_end] = dh[past_end] = np.nan
    padded = there_and_back(rnn, x, dh, starts, lengths)
    for name in ("h", "dx"):
        assert (padded[name][past_end] == 0).all()
        padded[name] = padded[name][:, :T]
    expect_close(padded, plain, atol=0)


@given(cases(min_T=2), st.data())
def test_two_halves_equal_the_whole(case, data):
    rnn, x, starts, _, rng = case
    rnn.bptt_steps = None
    dh = rng.standard_normal((*x.shape[:2], rnn.n_nodes))
    whole = there_and_back(rnn, x, dh, starts)
    t = data.draw(st.integers(1, x.shape[1] - 1))
    first, second = copy.copy(rnn), copy.copy(rnn)
    h = first.forward(x[:, :t], **starts)
    middle = {"h0": h[:, -1]} | ({"c0": first.c[:, -1]} if isinstance(rnn, LSTM) else {})
    later = there_and_back(second, x[:, t:], dh[:, t:], middle)
    dh_first = dh[:, :t].copy()
    dh_first[:, -1] += later["dh0"]
    if isinstance(rnn, LSTM):
        enter_at_the_end(first, later["dc0"])
    dx = first.backward(dh_first)
    halves = {name: first.grads[name] + second.grads[name] for name in rnn.params}
    halves |= {f"d{name}": getattr(first, f"d{name}") for name in states_of(rnn)}
    halves["h"] = np.concatenate([h, later["h"]], axis=1)
    halves["dx"] = np.concatenate([dx, later["dx"]], axis=1)
    expect_close(halves, whole)


def enter_at_the_end(lstm, dc_end):
    """Let a gradient enter at the last c, too, which `backward` does not take."""
    step_back, entering = lstm._step_back, [dc_end]

    def _step_back(W, z, z_next, kept, dc, dh, da):
        if entering:
            dc += entering.pop()
        step_back(W, z, z_next, kept, dc, dh, da)

    lstm._step_back = _step_back


@given(cases(), st.integers(0, 3))
def test_truncation_at_the_length_is_the_full_gradient(case, n_more):
    rnn, x, starts, lengths, rng = case
    dh = rng.standard_normal((*x.shape[:2], rnn.n_nodes))
    answers = []
    for rnn.bptt_steps in (None, x.shape[1] + n_more):
        answers.append(there_and_back(rnn, x, dh, starts, lengths))
    expect_close(*answers)


@given(cases())
def test_float32_is_near_float64(case):
    rnn, x, starts, lengths, rng = case
    x, starts = x.astype(np.float32), {k: start.astype(np.float32) for k, start in starts.items()}
    dh = rng.standard_normal((*x.shape[:2], rnn.n_nodes)).astype(np.float32)
    rnn.params = {name: p.astype(np.float32) for name, p in rnn.params.items()}
    short = there_and_back(rnn, x, dh, starts, lengths)
    assert {a.dtype for a in short.values()} == {np.dtype(np.float32)}
    # Where a sum lies close to ReLU's kink, one type may see it on, the other off.
    assume(is_far_from_kinks(rnn, x, 1e-4, **starts))
    rnn.params = {name: p.astype(np.float64) for name, p in rnn.params.items()}
    long = there_and_back(rnn, x, dh, starts, lengths)
    for name in long:
        assert np.allclose(short[name], long[name], rtol=1e-4, atol=1e-4 * size_of(long)), name


def size_of(answers):
    return max(1.0, *(np.abs(a).max() for a in answers.values()))


@given(cases(), st.sampled_from([np.float16, np.float32, np.int8, np.bool_]), st.booleans())
def test_the_form_of_the_numbers_does_not_matter(case, dtype, fortran):
    rnn, x, starts, lengths, _ = case
    x = x.astype(dtype)
    expected = rnn.forward(x.astype(float), lengths=lengths, **starts)
    x = np.asfortranarray(x) if fortran else np.repeat(x, 2, axis=0)[::2]
    x.flags.writeable = False
    assert np.array_equal(rnn.forward(x, lengths=lengths, **starts), expected)


@given(cases(), st.floats(0, 0.9))
def test_dropout_drops_whole_features(case, rate):
    _, x, _, _, rng = case
    dropout = Dropout(rate, rng=rng)
    y = dropout.forward(x, training=True)
    kept = dropout.backward(np.ones_like(x))
    assert np.allclose(y, x * kept)
    assert (kept == kept[:, :1]).all()
    assert np.all(np.isclose(kept, 0) | np.isclose(kept, 1 / (1 - rate)))
    assert np.array_equal(dropout.forward(x), x)


# -- and each of them can fail ------------------------------------------------------------------


# The smallest case is not looked for, which takes longer than to find one.
UNTIL_FOUND = dict(max_examples=1000, derandomize=True, phases=[Phase.generate])


class LeaksBetweenSamples:
    def forward(self, x, **how):
        h = super().forward(x, **how)
        h[-1] += 1e-3 * h[0]
        return h


class ReadsThePadding:
    def forward(self, x, lengths=None, **starts):
        return super().forward(np.nan_to_num(x), **starts)


class LosesTheFirstState:
    def backward(self, dh):
        dx = super().backward(dh)
        self.dh0 = np.zeros_like(self.dh0)
        return dx


class LosesTheFirstInnerState:
    def backward(self, dh):
        dx = super().backward(dh)
        self.dc0 = np.zeros_like(self.dc0)
        return dx


class TruncatesOneTooEarly:
    def backward(self, dh):
        kept = self.bptt_steps
        self.bptt_steps = kept and max(1, kept - 1)
        try:
            return super().backward(dh)
        finally:
            self.bptt_steps = kept


class RoundsToHalves:
    def forward(self, x, **how):
        h = super().forward(x, **how)
        return h.astype(np.float16).astype(h.dtype) if h.dtype == np.float32 else h


few = st.integers(0, 3)


WRONG = [
    (LosesTheFirstState, test_the_gradient_is_the_numeric_one, [cases()]),
    (TruncatesOneTooEarly, test_the_gradient_is_the_numeric_one, [cases()]),
    (LeaksBetweenSamples, test_permuting_the_samples_permutes_the_answers, [cases()]),
    (ReadsThePadding, test_padding_is_never_read, [cases(), few]),
    (LosesTheFirstState, test_two_halves_equal_the_whole, [cases(min_T=2), st.data()]),
    (TruncatesOneTooEarly, test_truncation_at_the_length_is_the_full_gradient, [cases(), few]),
    (RoundsToHalves, test_float32_is_near_float64, [cases()]),
]
WRONG_LSTM = [
    (LosesTheFirstInnerState, test_the_gradient_is_the_numeric_one, [cases()]),
    (LosesTheFirstInnerState, test_two_halves_equal_the_whole, [cases(min_T=2), st.data()]),
]


@pytest.mark.parametrize(
    ("kind", "wrong", "property_", "choices"),
    [(kind, *wrong) for kind in ("tanh", "gru", "lstm") for wrong in WRONG]
    + [("lstm", *wrong) for wrong in WRONG_LSTM],
)
def test_wrong_layers_are_found(kind, wrong, property_, choices, monkeypatch):
    layer = type(wrong.__name__, (wrong, LAYERS[kind]), {})
    monkeypatch.setitem(globals(), "LAYERS", {kind: layer})
    with pytest.raises(AssertionError):
        settings(**UNTIL_FOUND)(given(*choices)(property_.hypothesis.inner_test))()


def test_a_readout_off_by_one_is_found():
    class OneTooEarly(LastState):
        def _backward(self, dy, kept):
            shape, (sample, step) = kept
            return super()._backward(dy, (shape, (sample, np.maximum(step - 1, 0))))

    @settings(**UNTIL_FOUND)
    @given(cases(min_T=2))
    def gradient(case):
        rnn, x, _, lengths, rng = case
        holds_gradient(RecurrentNetwork(rnn, OneTooEarly(), Dense(rnn.n_nodes, 2, rng=rng)), x)

    with pytest.raises(AssertionError):
        gradient()
