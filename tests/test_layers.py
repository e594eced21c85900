"""The contracts that every layer keeps, and the numbers of the assignment."""

import numpy as np
import pytest

from rnn_lib import (
    GRU,
    LSTM,
    SGD,
    AdaGrad,
    Adam,
    AllStates,
    Dense,
    Dropout,
    Embedding,
    LastState,
    MeanState,
    RowGradient,
    SigmoidCrossEntropy,
    SimpleRNN,
    SoftmaxCrossEntropy,
    clip_by_global_norm,
    get_activation,
    get_initializer,
    get_loss,
    global_norm,
    linear_decay,
    orthogonal,
    sigmoid,
    softmax,
)

N, T, F, H = 3, 5, 2, 4
RECURRENT = [SimpleRNN, GRU, LSTM]
READOUTS = [LastState, MeanState, AllStates]


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def sigma(a):
    return 1 / (1 + np.exp(-a))


def naive_lstm(lstm, x, h0, c0):
    """Compute h as lesson 6 writes the LSTM down: one sample, one step, one gate at a time."""
    W_x, W_h, b = (np.split(lstm.params[name], 4, axis=-1) for name in ("W_x", "W_h", "b"))
    h = np.zeros((len(x), x.shape[1], lstm.n_nodes))
    for n, sequence in enumerate(x):
        before, c = h0[n], c0[n]
        for t, x_t in enumerate(sequence):
            a = [x_t @ W_x[gate] + before @ W_h[gate] + b[gate] for gate in range(4)]
            i, f, g, o = sigma(a[0]), sigma(a[1]), np.tanh(a[2]), sigma(a[3])
            c = f * c + i * g
            before = h[n, t] = o * np.tanh(c)
    return h


def naive_gru(gru, x, h0):
    """Compute h as lesson 6 writes the GRU down: one sample, one step, one gate at a time."""
    names = ("W_x", "W_h", "b_x", "b_h")
    W_x, W_h, b_x, b_h = (np.split(gru.params[name], 3, axis=-1) for name in names)
    h = np.zeros((len(x), x.shape[1], gru.n_nodes))
    for n, sequence in enumerate(x):
        before = h0[n]
        for t, x_t in enumerate(sequence):
            from_x = [x_t @ W_x[gate] + b_x[gate] for gate in range(3)]
            from_h = [before @ W_h[gate] + b_h[gate] for gate in range(3)]
            r, z = sigma(from_x[0] + from_h[0]), sigma(from_x[1] + from_h[1])
            candidate = np.tanh(from_x[2] + r * from_h[2])
            before = h[n, t] = (1 - z) * candidate + z * before
    return h


def naive_states(rnn, x, h0):
    """Compute the states as lesson 1 writes them down: one sample, one step, one unit at a time."""
    W_x, W_h, b = (rnn.params[name] for name in ("W_x", "W_h", "b"))
    f = {"tanh": np.tanh, "relu": lambda a: max(a, 0.0)}[rnn.activation.name]
    h = np.zeros((len(x), x.shape[1], rnn.n_nodes))
    for n, sequence in enumerate(x):
        before = h0[n]
        for t, x_t in enumerate(sequence):
            for j in range(rnn.n_nodes):
                h[n, t, j] = f(x_t @ W_x[:, j] + before @ W_h[:, j] + b[j])
            before = h[n, t]
    return h


# -- forward ------------------------------------------------------------------------------------


@pytest.mark.lesson1
def test_simple_rnn_gives_the_states_of_problem_2():
    rnn = SimpleRNN(2, 4)
    rnn.params = {
        "W_x": np.array([[1, 3, 5, 7], [3, 5, 7, 8]]) / 100,
        "W_h": np.array([[1, 3, 5, 7], [2, 4, 6, 8], [3, 5, 7, 8], [4, 6, 8, 10]]) / 100,
        "b": np.array([1.0]),
    }
    h = rnn.forward(np.array([[[1, 2], [2, 3], [3, 4]]]) / 100)
    expected = [
        [0.76188798, 0.76213958, 0.76239095, 0.76255841],
        [0.792209, 0.8141834, 0.83404912, 0.84977719],
        [0.79494228, 0.81839002, 0.83939649, 0.85584174],
    ]
    assert np.abs(h[0] - expected).max() < 5e-9


@pytest.mark.lesson1
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_fast_form_equals_the_naive_one(rng, activation):
    rnn = SimpleRNN(F, H, activation, rng=rng)
    rnn.params["b"] = rng.standard_normal(H)
    x, h0 = rng.standard_normal((N, T, F)), rng.standard_normal((N, H))
    assert np.abs(rnn.forward(x, h0) - naive_states(rnn, x, h0)).max() < 1e-12


@pytest.mark.lesson6
@pytest.mark.parametrize(("cls", "naive"), [(LSTM, naive_lstm), (GRU, naive_gru)])
def test_gates_equal_the_naive_form(rng, cls, naive):
    rnn = cls(F, H, rng=rng)
    for name, param in rnn.params.items():
        param += rng.standard_normal(param.shape) * name.startswith("b")
    x = rng.standard_normal((N, T, F))
    starts = [rng.standard_normal((N, H)) for _ in rnn._states]
    assert np.abs(rnn.forward(x, *starts) - naive(rnn, x, *starts)).max() < 1e-12


@pytest.mark.lesson6
def test_the_inner_states_can_be_carried_on(rng):
    lstm, x = LSTM(F, H, rng=rng), rng.standard_normal((N, T, F))
    h, c = lstm.forward(x, lengths=[3, 5, 1]), lstm.c
    assert h.shape == c.shape == (N, T, H)
    for n, length in enumerate([3, 5, 1]):
        assert not c[n, length:].any()
        alone = lstm.forward(x[n : n + 1, :1])
        for t in range(1, length):  # step by step, both states handed on
            alone = lstm.forward(x[n : n + 1, t : t + 1], alone[:, -1], lstm.c[:, -1])
        assert np.abs(alone[0, -1] - h[n, length - 1]).max() < 1e-12
        assert np.abs(lstm.c[0, -1] - c[n, length - 1]).max() < 1e-12


@pytest.mark.lesson6
@pytest.mark.parametrize("bias", [1.0, np.log(100), np.arange(H)])
def test_the_gate_that_keeps_starts_where_it_is_told(bias):
    for layer, name in ((LSTM(F, H, bias, rng=1), "b"), (GRU(F, H, bias, rng=1), "b_x")):
        expected = np.zeros(layer.params[name].shape)
        expected[H : 2 * H] = bias
        assert np.array_equal(layer.params[name], expected)
    assert not GRU(F, H).params["b_x"].any()
    assert LSTM(F, H).params["b"][H : 2 * H].tolist() == [1] * H


@pytest.mark.lesson6
@pytest.mark.parametrize("cls", [LSTM, GRU])
def test_each_gate_is_drawn_as_a_weight_of_its_own(cls):
    W_h = cls(F, H, initializer="orthogonal", rng=1).params["W_h"]
    for W in np.split(W_h, W_h.shape[1] // H, axis=1):
        assert np.allclose(W @ W.T, np.eye(H))
    limit = 1 / np.sqrt(H)  # PyTorch's, for n_nodes and not for all columns
    assert limit / 2 < np.abs(cls(F, H, rng=1).params["W_x"]).max() <= limit


@pytest.mark.lesson6
def test_gates_far_from_zero_are_0_or_1_and_nothing_overflows(rng):
    for cls in (LSTM, GRU):
        rnn = cls(F, H, 1e4, rng=rng)
        x, h0 = 1e6 * rng.standard_normal((N, T, F)), rng.standard_normal((N, H))
        with np.errstate(all="raise", under="ignore"):
            h = rnn.forward(x, h0)
            rnn.backward(np.ones_like(h))
        assert np.isfinite(h).all()


@pytest.mark.lesson4
@pytest.mark.parametrize("cls", RECURRENT)
def test_steps_after_a_samples_length_are_never_read(rng, cls):
    rnn = cls(F, H, rng=rng)
    x, h0 = rng.standard_normal((N, T, F)), rng.standard_normal((N, H))
    dh, lengths = rng.standard_normal((N, T, H)), np.array([3, 5, 1])
    h, dx = rnn.forward(x, h0, lengths=lengths).copy(), rnn.backward(dh).copy()
    grads = {name: grad.copy() for name, grad in rnn.grads.items()} | {"h0": rnn.dh0.copy()}

    x_nan, dh_nan = x.copy(), dh.copy()
    for n, length in enumerate(lengths):
        x_nan[n, length:] = dh_nan[n, length:] = np.nan
    assert np.array_equal(rnn.forward(x_nan, h0, lengths=lengths), h)
    assert np.array_equal(rnn.backward(dh_nan), dx)
    for name, grad in (rnn.grads | {"h0": rnn.dh0}).items():
        assert np.array_equal(grad, grads[name]), name

    for n, length in enumerate(lengths):  # each sample alone gives the same
        alone = rnn.forward(x[n : n + 1, :length], h0[n : n + 1])
        assert np.abs(h[n, :length] - alone[0]).max() < 1e-12
        assert not h[n, length:].any()
        assert not dx[n, length:].any()


@pytest.mark.lesson1
@pytest.mark.parametrize("cls", RECURRENT)
def test_permuting_the_samples_permutes_everything(rng, cls):
    rnn = cls(F, H, rng=rng)
    x, h0 = rng.standard_normal((N, T, F)), rng.standard_normal((N, H))
    dh, lengths = rng.standard_normal((N, T, H)), np.array([3, 5, 1])
    h, dx, dh0 = rnn.forward(x, h0, lengths=lengths), rnn.backward(dh), rnn.dh0
    p = np.array([1, 0, 2])
    assert np.allclose(rnn.forward(x[p], h0[p], lengths=lengths[p]), h[p], rtol=0, atol=1e-14)
    assert np.allclose(rnn.backward(dh[p]), dx[p], rtol=0, atol=1e-14)
    assert np.allclose(rnn.dh0, dh0[p], rtol=0, atol=1e-14)


@pytest.mark.parametrize("cls", RECURRENT)
@pytest.mark.parametrize("lengths", [None, [3, 5, 1], [5, 3, 1]])
def test_arguments_and_returned_arrays_never_change(rng, lengths, cls):
    rnn = cls(F, H, rng=rng)
    x, h0 = rng.standard_normal((N, T, F)), rng.standard_normal((N, H))
    dh = rng.standard_normal((N, T, H))
    given = [a.copy() for a in (x, h0, dh, *rnn.params.values())]
    h, dx = rnn.forward(x, h0, lengths=lengths), rnn.backward(dh)
    returned = [h, dx, rnn.dh0, *rnn.grads.values()]
    copies = [a.copy() for a in returned]

    second = rnn.forward(x, h0, lengths=lengths)
    assert np.array_equal(second, h)
    rnn.forward(rng.standard_normal((N, T, F)))
    rnn.backward(rng.standard_normal((N, T, H)))
    for now, before in zip((x, h0, dh, *rnn.params.values()), given, strict=True):
        assert np.array_equal(now, before)
    for now, before in zip(returned, copies, strict=True):
        assert np.array_equal(now, before)


@pytest.mark.parametrize("cls", RECURRENT)
def test_float32_stays_float32(rng, cls):
    rnn = cls(F, H, rng=rng, dtype=np.float32)
    h = rnn.forward(rng.standard_normal((N, T, F)), lengths=[5, 2, 1])
    dx = rnn.backward(np.ones_like(h))
    assert {a.dtype for a in (h, dx, rnn.dh0, *rnn.grads.values())} == {np.dtype(np.float32)}


@pytest.mark.parametrize("cls", RECURRENT)
def test_integer_weights_are_used_as_floats(rng, cls):
    x, h0, dh = rng.standard_normal((N, T, 1)), rng.standard_normal((N, 1)), np.ones((N, T, 1))
    answers = []
    for kind in (int, float):
        rnn = cls(1, 1)
        rnn.params = {name: np.full(w.shape, 2, kind) for name, w in rnn.params.items()}
        answers.append([rnn.forward(x, h0), rnn.backward(dh), rnn.dh0, rnn.grads["W_h"]])
    for with_int, with_float in zip(*answers, strict=True):
        assert np.array_equal(with_int, with_float)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r, x: r.forward(x[0]), r"x: expected shape \(N, T, 2\), got \(5, 2\)"),
        (lambda r, x: r.forward(x[..., :1]), r"x: expected shape \(N, T, 2\), got \(3, 5, 1\)"),
        (lambda r, x: r.forward(x[:0]), r"x: expected shape"),
        (lambda r, x: r.forward(x + 1j), r"x: expected real numbers, got an array of complex128"),
        (lambda r, x: r.forward(x * np.nan), r"x: expected finite numbers"),
        (lambda r, x: r.forward(x, x[:, 0]), r"h0: expected shape \(3, 4\), got \(3, 2\)"),
        (lambda r, x: r.forward(x, lengths=[5, 5, 6]), r"lengths: expected 1 to 5, got 6"),
        (lambda r, x: r.forward(x, lengths=[5, 5]), r"lengths: expected shape \(3,\), got \(2,\)"),
        (lambda r, x: r.forward(x, lengths=[5.0, 5, 1]), r"lengths: expected integers"),
        (lambda r, x: r.backward(x), r"backward: call forward first"),
        (lambda r, x: (r.forward(x), r.backward(x)), r"dy: expected shape \(3, 5, 4\)"),
        (lambda r, x: SimpleRNN(0, 4), r"n_features: expected at least 1, got 0"),
        (lambda r, x: SimpleRNN(2, 4.0), r"n_nodes: expected a whole number, got 4.0"),
        (lambda r, x: SimpleRNN(2, 4, "tahn"), r"activation: expected one of .*got 'tahn'"),
        (lambda r, x: SimpleRNN(2, 4, bptt_steps=0), r"bptt_steps: expected at least 1, got 0"),
        (lambda r, x: LSTM(2, 4).forward(x, c0=x[:, 0]), r"c0: expected shape \(3, 4\), got"),
        (
            lambda r, x: LSTM(2, 1).forward(x, c0=np.full((N, 1), np.nan)),
            r"c0: expected finite numbers",
        ),
        (lambda r, x: LSTM(2, 4, "1"), r"forget_bias: expected real numbers, got .*<U1"),
        (lambda r, x: LSTM(2, 4, [1, 2]), r"forget_bias: expected shape \(4,\), got \(2,\)"),
        (lambda r, x: GRU(2, 4, np.inf), r"update_bias: expected finite numbers"),
        (lambda r, x: GRU(2, 4, bptt_steps=0), r"bptt_steps: expected at least 1, got 0"),
        (lambda r, x: Embedding(4, 2).forward(np.array([[4]])), r"ids: expected 0 to 3, got 4"),
        (lambda r, x: Embedding(4, 2).forward(np.array([[0.5]])), r"ids: expected integers"),
        (lambda r, x: Dense(2, 3).forward(x[..., :1]), r"x: expected shape \(3, 5, 2\)"),
        (lambda r, x: Dropout(1.0), r"rate: expected a number from 0 to below 1"),
        (lambda r, x: Adam(-1), r"lr: expected a number above 0, got -1"),
        (lambda r, x: clip_by_global_norm({}, 0), r"max_norm: expected a number above 0"),
        (lambda r, x: get_initializer("glorot"), r"initializer: expected .*got 'glorot'"),
    ],
)
def test_bad_input_is_refused_in_the_callers_words(rng, call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call(SimpleRNN(F, H, rng=rng), rng.standard_normal((N, T, F)))


def dense(x):
    return Dense(F, 4), x


def embedding(x):
    return Embedding(5, 4), np.ones((N, T), int)


def dropout(x):
    return Dropout(0.5), x


@pytest.mark.parametrize(
    "make", [dense, embedding, dropout, *(lambda x, r=r: (r(), x) for r in READOUTS)]
)
def test_backward_rejects_another_shape_than_forward_returned(rng, make):
    layer, x = make(rng.standard_normal((N, T, F)))
    with pytest.raises(ValueError, match="backward: call forward first"):
        layer.backward(x)
    y = layer.forward(x)
    for wrong in (y[:-1], y[..., :1], y[..., None]):
        with pytest.raises(ValueError, match=r"dy: expected shape \(3, .*, got \("):
            layer.backward(wrong)
    with pytest.raises(TypeError, match="dy: expected real numbers"):
        layer.backward(y * 1j)
    with pytest.raises(TypeError, match="dy: expected one rectangular array"):
        layer.backward([[1.0], [1.0, 2.0]])


@pytest.mark.parametrize("readout", READOUTS)
def test_readouts_refuse_bad_input(rng, readout):
    h = rng.standard_normal((N, T, H))
    with pytest.raises(ValueError, match=r"h: expected shape \(N, T, H\), got \(5, 4\)"):
        readout().forward(h[0])
    if readout is not AllStates:  # which reads no lengths
        for lengths, message in (([0, 1, 1], "1 to 5, got 0"), ([6, 1, 1], "1 to 5, got 6"),
                                 ([1, 1], r"shape \(3,\)"), ([1.0, 1, 1], "integers")):  # fmt: skip
            with pytest.raises((ValueError, TypeError), match=f"lengths: expected {message}"):
                readout().forward(h, lengths)


def test_mean_state_rejects_nonpositive_scale():
    for scale in (0, -1, np.nan, "2"):
        with pytest.raises((ValueError, TypeError), match="scale: expected a number"):
            MeanState(scale)


SCORES = np.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize("loss", [SoftmaxCrossEntropy, SigmoidCrossEntropy])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((SCORES, [0, 3]), r"labels: expected 0 to 2, got 3"),
        ((SCORES, [0, -1]), r"labels: expected 0 to 2, got -1"),
        ((SCORES, [0]), r"labels: expected shape \(2,\), got \(1,\)"),
        ((SCORES, [0.0, 1.0]), r"labels: expected integers"),
        ((SCORES, np.eye(3, dtype=int)[:2]), r"labels: expected shape \(2,\), got \(2, 3\)"),
        ((SCORES, [0, 1], [True]), r"mask: expected shape \(2,\), got \(1,\)"),
        ((SCORES, [0, 1], [False, False]), r"mask: expected at least one label that counts"),
        ((SCORES * 1j, [0, 1]), r"scores: expected real numbers"),
        ((1.0, 0), r"scores: expected "),
    ],
)
def test_losses_refuse_bad_input(loss, arguments, message):
    with pytest.raises(ValueError, match="backward: call forward first"):
        loss().backward()
    with pytest.raises((ValueError, TypeError), match=message):
        loss().forward(*arguments)


def test_masked_labels_may_be_anything():
    for loss in (SoftmaxCrossEntropy(), SigmoidCrossEntropy()):
        assert loss.forward(SCORES, [0, -99], [True, False]) == loss.forward(SCORES[:1], [0])


def test_softmax_rejects_one_output():
    with pytest.raises(ValueError, match=r"scores: expected 2\+ outputs, got"):
        SoftmaxCrossEntropy().forward(SCORES[:, :1], [0, 1])
    with pytest.raises(ValueError, match="labels: expected 0 to 1, got 2"):
        SigmoidCrossEntropy().forward(SCORES[:, :1], [0, 2])


def test_losses_accept_integer_scores():
    for loss in (SoftmaxCrossEntropy(), SigmoidCrossEntropy()):
        assert loss.forward(SCORES.astype(int), [0, 1]) == loss.forward(SCORES, [0, 1]) > 0


@pytest.mark.parametrize("optimizer", [SGD, AdaGrad, Adam])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"b": np.ones(2)}, r"grads: expected the shapes .*'b': \(1,\)}, got .*'b': \(2,\)}"),
        ({"b": None}, r"grads: expected the shapes {'W': .*'b': .*}, got {'W': \(2, 2\)}"),
        ({"c": np.ones(2)}, r"grads: expected the shapes .*, got .*'c': \(2,\)}"),
    ],
)
def test_rejected_update_changes_nothing(optimizer, change, message):
    params = {"W": np.ones((2, 2)), "b": np.ones(1)}
    grads = {"W": np.ones((2, 2)), "b": np.ones(1)} | change
    grads = {name: grad for name, grad in grads.items() if grad is not None}
    with pytest.raises(ValueError, match=message):
        optimizer(0.1).update(params, grads)
    assert (params["W"] == 1).all() and params["b"] == 1


def test_update_rejects_integer_parameters():
    with pytest.raises(TypeError, match=r"params\['W'\]: expected float numbers, got int64"):
        SGD(0.1).update({"W": np.ones(2, np.int64)}, {"W": np.ones(2)})


@pytest.mark.lesson3
def test_clipping_survives_squares_that_overflow_in_float32():
    grads = {"a": np.array([3e30, 0], np.float32), "b": np.array([-4e30], np.float32)}
    assert np.isclose(global_norm(grads), 5e30)
    clipped, _ = clip_by_global_norm(grads, 1.0)
    assert np.allclose(clipped["a"], [0.6, 0]) and np.allclose(clipped["b"], -0.8)


@pytest.mark.lesson3
@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_clipping_leaves_nan_and_inf_unchanged(odd):
    clipped, norm = clip_by_global_norm({"a": np.array([odd, 1.0])}, 1.0)
    assert not np.isfinite(norm)
    assert np.array_equal(clipped["a"], [odd, 1.0], equal_nan=True)


# -- the parts around it ------------------------------------------------------------------------


@pytest.mark.lesson3
@pytest.mark.parametrize("name", ["tanh", "relu"])
def test_derivatives_are_written_from_the_output(name):
    activation, a = get_activation(name), np.array([-2.0, -0.3, 0.4, 3.0])
    numeric = (activation.forward(a + 1e-6) - activation.forward(a - 1e-6)) / 2e-6
    assert np.abs(activation.derivative(activation.forward(a)) - numeric).max() < 1e-9


@pytest.mark.lesson3
def test_probabilities_survive_extreme_scores():
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert np.array_equal(softmax(np.array([[1000.0, 0.0, -1000.0]])), [[1, 0, 0]])
        assert np.array_equal(sigmoid(np.array([-1000.0, 0.0, 1000.0])), [0, 0.5, 1])


@pytest.mark.lesson3
@pytest.mark.parametrize(("output", "scores"), [("softmax", [[1e4, -1e4]]), ("sigmoid", [[-1e4]])])
def test_losses_survive_extreme_scores(output, scores):
    loss = get_loss(output)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        value = loss.forward(np.array(scores), np.array([1]))
    assert value == (2e4 if output == "softmax" else 1e4)


@pytest.mark.lesson3
def test_loss_is_the_mean_over_counted_labels(rng):
    scores, labels = rng.standard_normal((2, 3, 4)), rng.integers(0, 4, (2, 3))
    mask = np.array([[True, True, False], [True, False, False]])
    masked, alone = get_loss("softmax"), get_loss("softmax")
    assert np.isclose(
        masked.forward(scores, labels, mask), alone.forward(scores[mask], labels[mask])
    )
    assert np.allclose(masked.backward()[mask], alone.backward())
    assert not masked.backward()[~mask].any()


@pytest.mark.lesson4
def test_dropout_draws_one_mask_per_sequence_in_training():
    x = np.ones((200, 3, 10))
    dropout = Dropout(0.25, rng=0)
    assert np.array_equal(dropout.forward(x), x)
    y = dropout.forward(x, training=True)
    assert np.array_equal(y, np.broadcast_to(y[:, :1], y.shape))
    assert set(np.unique(y)) == {0, 1 / 0.75}
    assert abs(np.mean(y == 0) - 0.25) < 0.03
    assert np.array_equal(dropout.backward(x), y)


@pytest.mark.lesson5
def test_a_frozen_embedding_has_no_parameters(rng):
    embedding = Embedding(5, F, trainable=False, rng=rng)
    y = embedding.forward(np.array([[0, 4], [4, 4]]))
    assert np.array_equal(y[1, 0], embedding.W[4])
    embedding.backward(np.ones_like(y))
    assert embedding.params == embedding.grads == {}


def test_embedding_reads_a_replaced_table():
    layer, ids = Embedding(4, 2, rng=0), np.array([[1, 3]])
    layer.params = {"W": np.arange(8.0).reshape(4, 2)}
    assert np.array_equal(layer.forward(ids)[0], [[2, 3], [6, 7]])
    layer.backward(np.ones((1, 2, 2)))
    SGD(1.0).update(layer.params, layer.grads)
    assert np.array_equal(layer.forward(ids)[0], [[1, 2], [5, 6]])


@pytest.mark.lesson4
def test_the_embedding_gradient_names_only_words_that_occurred(rng):
    embedding = Embedding(100, F, rng=rng)
    ids, dy = np.array([[7, 3, 7], [3, 99, 7]]), rng.standard_normal((2, 3, F))
    embedding.forward(ids)
    embedding.backward(dy)
    grad = embedding.grads["W"]
    assert grad.rows.tolist() == [3, 7, 99]
    assert grad.shape == embedding.W.shape
    full = np.zeros((100, F))
    np.add.at(full, ids, dy)
    assert np.allclose(grad, full)


# -- optimizers ---------------------------------------------------------------------------------


@pytest.mark.lesson4
@pytest.mark.parametrize("name", ["SGD", "AdaGrad", "Adam"])
def test_a_row_gradient_updates_its_rows_as_a_full_one_would(rng, name):
    import rnn_lib

    start, values, rows = rng.standard_normal((6, 2)), rng.standard_normal((2, 2)), np.array([1, 4])
    sparse, dense = {"W": start.copy()}, {"W": start.copy()}
    grad = RowGradient(rows, values, start.shape)
    by_rows, in_full = (getattr(rnn_lib, name)(0.1) for _ in range(2))
    for _ in range(3):
        by_rows.update(sparse, {"W": grad})
        in_full.update(dense, {"W": np.array(grad)})
    assert np.allclose(sparse["W"], dense["W"], rtol=0, atol=1e-15)
    assert np.array_equal(np.delete(sparse["W"], rows, 0), np.delete(start, rows, 0))
    assert not np.isclose(sparse["W"][rows], start[rows]).any()


@pytest.mark.lesson4
def test_first_step_of_adam_has_the_size_of_the_learning_rate():
    w = np.zeros(3)
    Adam(lr=0.1).update({"w": w}, {"w": np.array([1e-3, -5.0, 40.0])})
    assert np.allclose(w, [-0.1, 0.1, -0.1], rtol=1e-4)


@pytest.mark.lesson3
def test_clipping_keeps_the_direction_and_its_argument(rng):
    grads = {
        "w": rng.standard_normal((3, 2)),
        "W": RowGradient(np.array([0, 3]), rng.standard_normal((2, 2)), (5, 2)),
    }
    before, norm = grads["w"].copy(), global_norm(grads)
    full = np.concatenate([grads["w"].ravel(), np.asarray(grads["W"]).ravel()])
    assert np.isclose(norm, np.linalg.norm(full))
    clipped, returned = clip_by_global_norm(grads, norm / 2)
    assert returned == norm
    assert np.isclose(global_norm(clipped), norm / 2)
    assert np.allclose(clipped["w"], before / 2)
    assert np.array_equal(grads["w"], before)
    untouched, _ = clip_by_global_norm(grads, norm * 2)
    assert untouched["w"] is grads["w"]


@pytest.mark.lesson5
def test_linear_decay():
    rate = linear_decay(0.4, 4)
    assert [rate(e) for e in (0, 1, 2, 4, 5)] == pytest.approx([0.4, 0.3, 0.2, 0, 0])


# -- initializers -------------------------------------------------------------------------------


def test_sizes_of_the_initial_weights(rng):
    shape = (300, 200)
    spread = {"gaussian": 0.01, "xavier": (2 / 500) ** 0.5, "he": (2 / 300) ** 0.5}
    spread["uniform"] = (1 / 200) ** 0.5 / 3**0.5
    for name, expected in spread.items():
        drawn = get_initializer(name)(rng, shape)
        assert drawn.shape == shape
        assert abs(drawn.std() / expected - 1) < 0.02, name
        assert abs(drawn.mean()) < expected / 50, name
    assert np.abs(get_initializer("uniform")(rng, shape)).max() <= (1 / 200) ** 0.5
    assert abs(Embedding(*shape, rng=rng).W.std() / 0.05 - 1) < 0.02


@pytest.mark.lesson3
@pytest.mark.parametrize("shape", [(4, 4), (2, 4), (5, 3)])
def test_orthogonal_keeps_norms(rng, shape):
    singular = np.linalg.svd(orthogonal(0.9)(rng, shape), compute_uv=False)
    assert np.allclose(singular, 0.9)


def test_the_same_generator_gives_the_same_weights():
    one, two = (SimpleRNN(F, H, initializer="he", rng=5).params for _ in range(2))
    assert all(np.array_equal(one[name], two[name]) for name in one)
