"""What holds for every shape, type, activation, readout, truncation and mask.

hypothesis chooses them and, where a property fails, looks for the smallest case that shows it.
"""

import copy

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rnn_lib import (
    AllStates,
    Dense,
    Dropout,
    LastState,
    MeanState,
    RecurrentNetwork,
    SimpleRNN,
    get_loss,
    grad_check,
)

pytestmark = pytest.mark.lesson3

seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 4)
readouts = st.sampled_from([LastState, AllStates, lambda: MeanState(3.0)])


@st.composite
def cases(draw, min_T=1, max_T=6):
    """Draw a recurrent layer, an input, perhaps h0, perhaps lengths, and a generator."""
    N, F, H = draw(sizes), draw(sizes), draw(sizes)
    T = draw(st.integers(min_T, max_T))
    rng = np.random.default_rng(draw(seeds))
    bptt_steps = draw(st.none() | st.integers(1, T + 2))
    rnn = SimpleRNN(F, H, draw(st.sampled_from(["tanh", "relu"])), bptt_steps, rng=rng)
    one_bias = draw(st.booleans())
    rnn.params["b"] = rng.standard_normal(1 if one_bias else H)
    h0 = rng.standard_normal((N, H)) if draw(st.booleans()) else None
    lengths = draw(st.none() | st.lists(st.integers(1, T), min_size=N, max_size=N))
    lengths = None if lengths is None else np.array(lengths)
    return rnn, rng.standard_normal((N, T, F)), h0, lengths, rng


def there_and_back(layer, x, dh, h0=None, lengths=None):
    """Return everything that a forward and a backward pass give."""
    h = layer.forward(x, h0, lengths)
    dx = layer.backward(dh)
    return {"h": h, "dx": dx, "dh0": layer.dh0} | layer.grads


def expect_close(one, other, atol=1e-10):
    for name in one:
        assert np.allclose(one[name], other[name], rtol=1e-8, atol=atol), name


def holds_gradient(layer, x, h0=None, lengths=None):
    """Compare with the numeric gradient; where ReLU has a kink beside it, there is none."""
    rnn = getattr(layer, "rnn", layer)
    options = {"h0": h0, "lengths": lengths} if rnn is layer else {"lengths": lengths}
    if rnn.activation.name == "relu":
        h = rnn.forward(x, h0, lengths)
        before = np.zeros_like(h[:, :1]) if h0 is None else h0[:, None]
        W_x, W_h, b = (rnn.params[name] for name in ("W_x", "W_h", "b"))
        a = x @ W_x + np.concatenate([before, h[:, :-1]], axis=1) @ W_h + b
        assume(np.abs(a).min() > 1e-3)
    found = grad_check(layer, x, **options)
    assert found.error < 1e-6, found


@given(cases())
def test_the_gradient_is_the_numeric_one(case):
    rnn, x, h0, lengths, _ = case
    holds_gradient(rnn, x, h0=h0, lengths=lengths)


@given(cases(), readouts, sizes)
def test_the_gradient_of_a_network_is_the_numeric_one(case, readout, n_output):
    rnn, x, _, lengths, rng = case
    dense = Dense(rnn.n_nodes, n_output, rng=rng)
    holds_gradient(RecurrentNetwork(rnn, readout(), dense), x, lengths=lengths)


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
    rnn, x, h0, lengths, rng = case
    dh, order = rng.standard_normal((*x.shape[:2], rnn.n_nodes)), rng.permutation(len(x))
    plain = there_and_back(rnn, x, dh, h0, lengths)
    pick = [None if a is None else a[order] for a in (h0, lengths)]
    permuted = there_and_back(rnn, x[order], dh[order], *pick)
    for name in ("h", "dx", "dh0"):
        plain[name] = plain[name][order]
    expect_close(permuted, plain)


@given(cases(), st.integers(0, 3))
def test_padding_is_never_read(case, n_more):
    rnn, x, h0, lengths, rng = case
    N, T, F = x.shape
    lengths = np.full(N, T) if lengths is None else lengths
    dh = rng.standard_normal((N, T, rnn.n_nodes))
    plain = there_and_back(rnn, x, dh, h0, lengths)
    past_end = np.arange(T + n_more) >= lengths[:, None]
    x, dh = (np.pad(a, ((0, 0), (0, n_more), (0, 0))) for a in (x, dh))
    x[past_end] = dh[past_end] = np.nan
    padded = there_and_back(rnn, x, dh, h0, lengths)
    for name in ("h", "dx"):
        assert (padded[name][past_end] == 0).all()
        padded[name] = padded[name][:, :T]
    expect_close(padded, plain, atol=0)


@given(cases(min_T=2), st.data())
def test_two_halves_equal_the_whole(case, data):
    rnn, x, h0, _, rng = case
    rnn.bptt_steps = None
    dh = rng.standard_normal((*x.shape[:2], rnn.n_nodes))
    whole = there_and_back(rnn, x, dh, h0)
    t = data.draw(st.integers(1, x.shape[1] - 1))
    first, second = copy.copy(rnn), copy.copy(rnn)
    h = first.forward(x[:, :t], h0)
    h = np.concatenate([h, second.forward(x[:, t:], h[:, -1])], axis=1)
    dx_second = second.backward(dh[:, t:])
    dh_first = dh[:, :t].copy()
    dh_first[:, -1] += second.dh0
    dx = np.concatenate([first.backward(dh_first), dx_second], axis=1)
    halves = {name: first.grads[name] + second.grads[name] for name in rnn.params}
    expect_close({"h": h, "dx": dx, "dh0": first.dh0} | halves, whole)


@given(cases(), st.integers(0, 3))
def test_truncation_at_the_length_is_the_full_gradient(case, n_more):
    rnn, x, h0, lengths, rng = case
    dh = rng.standard_normal((*x.shape[:2], rnn.n_nodes))
    answers = []
    for rnn.bptt_steps in (None, x.shape[1] + n_more):
        answers.append(there_and_back(rnn, x, dh, h0, lengths))
    expect_close(*answers)


@given(cases())
def test_float32_is_near_float64(case):
    rnn, x, h0, lengths, rng = case
    x, h0 = (None if a is None else a.astype(np.float32) for a in (x, h0))
    dh = rng.standard_normal((*x.shape[:2], rnn.n_nodes)).astype(np.float32)
    rnn.params = {name: p.astype(np.float32) for name, p in rnn.params.items()}
    short = there_and_back(rnn, x, dh, h0, lengths)
    assert {a.dtype for a in short.values()} == {np.dtype(np.float32)}
    # Where a sum lies this close to ReLU's kink, one type may see it on, the other off.
    assume(rnn.activation.name == "tanh" or is_far_from_kinks(rnn, x, h0))
    rnn.params = {name: p.astype(np.float64) for name, p in rnn.params.items()}
    long = there_and_back(rnn, x, dh, h0, lengths)
    for name in long:
        assert np.allclose(short[name], long[name], rtol=1e-4, atol=1e-4 * size_of(long)), name


def is_far_from_kinks(rnn, x, h0):
    h = rnn.forward(x, h0)
    before = np.concatenate([np.zeros_like(h[:, :1]) if h0 is None else h0[:, None], h[:, :-1]], 1)
    a = x @ rnn.params["W_x"] + before @ rnn.params["W_h"] + rnn.params["b"]
    return np.abs(a).min() > 1e-4


def size_of(answers):
    return max(1.0, *(np.abs(a).max() for a in answers.values()))


@given(cases(), st.sampled_from([np.float16, np.float32, np.int8, np.bool_]), st.booleans())
def test_the_form_of_the_numbers_does_not_matter(case, dtype, fortran):
    rnn, x, h0, lengths, _ = case
    x = x.astype(dtype)
    expected = rnn.forward(x.astype(float), h0, lengths)
    x = np.asfortranarray(x) if fortran else np.repeat(x, 2, axis=0)[::2]
    x.flags.writeable = False
    assert np.array_equal(rnn.forward(x, h0, lengths), expected)


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


UNTIL_FOUND = dict(max_examples=1000, derandomize=True)


class LeaksBetweenSamples(SimpleRNN):
    def forward(self, x, h0=None, lengths=None, training=False):
        h = super().forward(x, h0, lengths, training)
        h[-1] += 1e-3 * h[0]
        return h


class ReadsThePadding(SimpleRNN):
    def forward(self, x, h0=None, lengths=None, training=False):
        return super().forward(np.nan_to_num(x), h0, None, training)


class LosesTheFirstState(SimpleRNN):
    def backward(self, dh):
        dx = super().backward(dh)
        self.dh0 = np.zeros_like(self.dh0)
        return dx


class TruncatesOneTooEarly(SimpleRNN):
    def backward(self, dh):
        kept = self.bptt_steps
        self.bptt_steps = kept and max(1, kept - 1)
        try:
            return super().backward(dh)
        finally:
            self.bptt_steps = kept


class RoundsToHalves(SimpleRNN):
    def forward(self, x, h0=None, lengths=None, training=False):
        h = super().forward(x, h0, lengths, training)
        return h.astype(np.float16).astype(h.dtype) if h.dtype == np.float32 else h


few = st.integers(0, 3)


@pytest.mark.parametrize(
    ("wrong", "property_", "choices"),
    [
        (LosesTheFirstState, test_the_gradient_is_the_numeric_one, [cases()]),
        (TruncatesOneTooEarly, test_the_gradient_is_the_numeric_one, [cases()]),
        (LeaksBetweenSamples, test_permuting_the_samples_permutes_the_answers, [cases()]),
        (ReadsThePadding, test_padding_is_never_read, [cases(), few]),
        (LosesTheFirstState, test_two_halves_equal_the_whole, [cases(min_T=2), st.data()]),
        (TruncatesOneTooEarly, test_truncation_at_the_length_is_the_full_gradient, [cases(), few]),
        (RoundsToHalves, test_float32_is_near_float64, [cases()]),
    ],
)
def test_wrong_layers_are_found(wrong, property_, choices, monkeypatch):
    monkeypatch.setitem(globals(), "SimpleRNN", wrong)
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
