"""The language model: its bits, its gradients, its streams, and what it writes."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from run_lessons import PROCESSORS
from test_layers import naive_gru, naive_lstm, naive_states

from rnn_lib import (
    Adam,
    LanguageModel,
    ScratchRNNClassifier,
    SoftmaxCrossEntropy,
    language_model,
    linear_decay,
    next_character_batches,
    numeric_gradient,
    softmax,
    training_step,
)
from rnn_lib.language_model import CarryingNetwork, _draw
from rnn_lib.storage import read_arrays, write_arrays
from rnn_lib.training import step_in_threads

pytestmark = pytest.mark.lesson7

LAYERS = ["rnn", "gru", "lstm"]
TEXT = "".join(np.random.default_rng(0).choice(list("abc d\n"), 300))
SMALL = dict(n_nodes=6, n_features=3, bptt_steps=5, batch_size=4, n_epochs=2, dtype=np.float64)
SMALL["clip_norm"] = 0.3  # which most gradients exceed


def fitted(layer="rnn", text=TEXT, **change):
    return LanguageModel(layer, **(SMALL | change)).fit(text)


def ids_of(model, text):
    """Look characters up one by one, with the line break that stands before every text."""
    return np.array([max(0, model.characters_.find(c)) for c in "\n" + text])


def weights(model):
    return weights_of(model.network_)


def weights_of(network):
    return np.concatenate([param.ravel() for param in network.params.values()])


# -- bits ---------------------------------------------------------------------------------------


def naive_scores(model, ids):
    """Compute the scores after each id in plain loops, from zero states on."""
    net = model.network_
    x, zeros = net.embedding.W[ids][None], np.zeros((1, net.rnn.n_nodes))
    naive = {"rnn": naive_states, "gru": naive_gru, "lstm": naive_lstm}[model.layer]
    h = naive(net.rnn, x, zeros, *([zeros] if model.layer == "lstm" else []))[0]
    return h @ net.dense.params["W"] + net.dense.params["b"]


def naive_bits(model, text):
    ids, bits = ids_of(model, text), 0.0
    for scores, target in zip(naive_scores(model, ids[:-1]), ids[1:], strict=True):
        bits -= np.log2(np.exp(scores[target]) / np.exp(scores).sum())
    return bits / len(text)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("length", [1, 2, 7, 100, 101, 199, 200, 260])
def test_bits_are_those_of_a_plain_loop(layer, length):
    model = fitted(layer)
    assert abs(model.bits_per_character(TEXT[:length]) - naive_bits(model, TEXT[:length])) < 1e-12


@pytest.mark.parametrize("n_threads", [1, 2, 9])
@pytest.mark.parametrize("length", [2000, 2999, 3100])
def test_a_long_text_read_in_pieces_has_the_same_bits(length, n_threads):
    model, text = fitted(n_threads=n_threads), (TEXT * 11)[:length]
    assert abs(model.bits_per_character(text) - naive_bits(model, text)) < 1e-9


def test_no_character_of_a_long_text_is_left_out_or_counted_twice():
    """Of a network without memory, the bits are a sum over characters."""
    model, rng = fitted(), np.random.default_rng(1)
    for name in ("rnn.W_h", "rnn.W_x"):
        model.network_.params[name][...] = 0  # the scores are the same everywhere
    probability = softmax(naive_scores(model, np.array([0])))[0]
    for length in [1001, *rng.integers(2000, 9000, 8).tolist()]:
        text = "".join(rng.choice(list("abc"), length))
        bits = -np.log2(probability[ids_of(model, text)[1:]]).mean()
        assert abs(model.bits_per_character(text) - bits) < 1e-12


def test_guessing_costs_the_logarithm_of_the_number_of_characters():
    model = fitted()
    for param in model.network_.params.values():
        param[...] = 0
    assert len(model.characters_) == 7, "the unknown, the line break, and abcd and the space"
    assert abs(model.bits_per_character("abba") - np.log2(7)) < 1e-12


def test_unknown_characters_cost_their_bits():
    model = fitted(max_characters=4)
    assert model.characters_[:2] == "\ufffd\n"
    assert len(model.characters_) == 4, "two more, the most frequent"
    assert max(set(TEXT) - {"\n"}, key=TEXT.count) == model.characters_[2]
    common = model.characters_[2]
    rare = next(c for c in "abcd " if c not in model.characters_)
    bits = model.bits_per_character(common + "\ufffd")
    for unknown in (rare, "é", "猫", "😀", "\ud800", "\0"):
        assert model.bits_per_character(common + unknown) == bits
        assert abs(bits - naive_bits(model, common + unknown)) < 1e-12
    assert model.bits_per_character("é" * 9) > 0


# -- gradients and states -----------------------------------------------------------------------


def network_and_batches(layer):
    """Return a network far from its start, and two batches that follow each other."""
    network = fitted(layer).network_
    rng = np.random.default_rng(2)
    for param in network.params.values():
        param += 0.5 * rng.standard_normal(param.shape)
    return network, list(next_character_batches(rng.integers(0, 7, 13), 2, 3))


@pytest.mark.parametrize("layer", LAYERS)
def test_the_gradient_is_the_numeric_one_with_the_carried_state_held_constant(layer):
    network, ((x, _), (x_next, y)) = network_and_batches(layer)
    network.states = None
    network.forward(x)
    carried, loss = network.states.copy(), SoftmaxCrossEntropy()
    assert np.abs(carried).max() > 0.05

    def mean_loss():
        network.states = carried
        return loss.forward(network.forward(x_next, training=True), y)

    mean_loss()
    network.backward(loss.backward())
    grads = {name: np.array(grad) for name, grad in network.grads.items()}
    for name, param in network.params.items():
        assert np.abs(grads[name] - numeric_gradient(mean_loss, param)).max() < 1e-8, name


def carries(network, batches):
    """Say whether two batches one after the other give the scores of one long one."""
    (first, _), (second, _) = batches
    network.states = None
    whole = network.forward(np.hstack([first, second]))
    network.states = None
    halves = [network.forward(first), network.forward(second)]
    return np.abs(whole - np.concatenate(halves, axis=1)).max() < 1e-12


@pytest.mark.parametrize("layer", LAYERS)
def test_two_batches_are_one_long_pass(layer):
    network, batches = network_and_batches(layer)
    assert carries(network, batches)


class Forgetting(CarryingNetwork):
    """Starts every batch from zeros."""

    def forward(self, x, lengths=None, training=False):
        self.states = None
        return super().forward(x, lengths, training)


class HalfForgetting(CarryingNetwork):
    """Carries h on, but not c."""

    def forward(self, x, lengths=None, training=False):
        if self.states is not None:
            self.states = self.states * np.array([0, 1])[:, None, None]
        return super().forward(x, lengths, training)


@pytest.mark.parametrize("wrong", [Forgetting, HalfForgetting])
def test_a_state_that_is_not_carried_on_is_found(wrong):
    network, batches = network_and_batches("lstm")
    layers = network.rnn, network.readout, network.dense, network.embedding
    assert not carries(wrong(*layers), batches)


# -- streams ------------------------------------------------------------------------------------


def are_streams(make):
    """Say whether batches hold what follows what, in order, and leave out the end at most."""
    for length, n_streams, n_steps in [(25, 2, 3), (24, 3, 1), (101, 4, 5), (2, 1, 1), (6, 2, 3)]:
        ids = np.random.default_rng(length).permutation(length)  # each once
        batches = list(make(ids, n_streams, n_steps))
        n_batches = (length - 1) // (n_streams * n_steps)
        if any(part.shape != (n_streams, n_steps) for batch in batches for part in batch):
            return False
        if len(batches) != n_batches:
            return False
        for k in (0, 1) if n_batches else ():
            streams = np.hstack([batch[k] for batch in batches])
            if not np.array_equal(streams.ravel(), ids[k : k + streams.size]):
                return False
    return True


def test_streams_are_the_text_in_order():
    assert are_streams(next_character_batches)
    ids = np.arange(1000)
    assert all(np.shares_memory(part, ids) for b in next_character_batches(ids, 8, 5) for part in b)


def not_shifted(ids, n_streams, n_steps):
    return ((x, x) for x, _ in next_character_batches(ids, n_streams, n_steps))


def shuffled_streams(ids, n_streams, n_steps):
    rng = np.random.default_rng(0)
    for x, y in next_character_batches(ids, n_streams, n_steps):
        rows = rng.permutation(n_streams)
        yield x[rows], y[rows]


def shuffled_batches(ids, n_streams, n_steps):
    batches = list(next_character_batches(ids, n_streams, n_steps))
    return [batches[i] for i in np.random.default_rng(0).permutation(len(batches))]


def one_too_few(ids, n_streams, n_steps):
    return list(next_character_batches(ids, n_streams, n_steps))[:-1]


WRONG_STREAMS = [not_shifted, shuffled_streams, shuffled_batches, one_too_few]


@pytest.mark.parametrize("wrong", WRONG_STREAMS)
def test_wrong_streams_are_found(wrong):
    assert not are_streams(wrong)


# -- training -----------------------------------------------------------------------------------


def trained_by_hand(layer, n_updates=30):
    """Train as ``fit`` should, with the parts of lesson 4 and a state carried on in the open."""
    model = LanguageModel(layer, **SMALL)
    network = model._new_state(7).network
    ids, optimizer, loss = ids_of(fitted(layer, n_epochs=1), TEXT), Adam(model.lr), []
    schedule, lengths = linear_decay(model.lr, 2), np.full(4, 5)
    for epoch in range(2):
        h = c = None
        for i, (x, y) in enumerate(next_character_batches(ids, 4, 5)):
            if len(loss) == n_updates:
                return network, np.array(loss)
            optimizer.lr = schedule(epoch + i / 15)
            rnn, before = network.rnn, {"c0": c} if layer == "lstm" else {}
            states = rnn.forward(network.embedding.forward(x), h, **before)
            network.states = None if h is None else np.stack([c, h] if before else [h])
            h, c = states[:, -1].copy(), rnn.c[:, -1].copy() if before else None
            value = training_step(
                network, SoftmaxCrossEntropy(), optimizer, x, lengths, y, model.clip_norm
            )
            loss.append(value)
    return network, np.array(loss)


def trains_as(by_hand, layer, **change):
    (network, loss), model = by_hand, fitted(layer, **change)
    bits = loss / np.log(2)
    if len(model.history_["batch_bits"]) != len(bits):
        return False
    per_epoch = bits.reshape(2, -1).mean(axis=1)
    return (
        np.allclose(model.history_["batch_bits"], bits, rtol=0, atol=1e-12)
        and np.allclose(model.history_["bits"], per_epoch, rtol=0, atol=1e-12)
        and all(
            np.allclose(param, network.params[name], rtol=0, atol=1e-12)
            for name, param in model.network_.params.items()
        )
    )


@pytest.mark.parametrize("layer", LAYERS)
def test_fit_is_the_loop_of_the_lesson(layer):
    assert trains_as(trained_by_hand(layer), layer)


@pytest.mark.parametrize("wrong", WRONG_STREAMS[:3])
def test_training_on_wrong_streams_is_found(monkeypatch, wrong):
    by_hand = trained_by_hand("rnn")
    monkeypatch.setattr(language_model, "next_character_batches", wrong)
    assert not trains_as(by_hand, "rnn")


def test_training_without_the_state_is_found(monkeypatch):
    by_hand = trained_by_hand("lstm")
    for wrong in (Forgetting, HalfForgetting):
        monkeypatch.setattr(language_model, "CarryingNetwork", wrong)
        assert not trains_as(by_hand, "lstm")


@pytest.mark.parametrize("n_threads", [1, 2, 3, 9])
@pytest.mark.parametrize("layer", LAYERS)
def test_threads_train_the_same_network(layer, n_threads):
    """Of 4 streams, 3 threads get 2, 1 and 1, and of 9 threads only 4 get one."""
    assert trains_as(trained_by_hand(layer), layer, n_threads=n_threads)
    again = [weights(fitted(layer, n_threads=n_threads)) for _ in range(2)]
    assert np.array_equal(*again), "to the last bit, whichever thread is first"


def without_shares(networks, pool):
    """Take the plain mean over the parts, though they are of different sizes."""
    step = step_in_threads(networks, pool)

    def wrong(network, loss, optimizer, x, lengths, y, clip_norm):
        longest = -(-len(x) // len(networks))
        rows = np.concatenate(
            [np.resize(part, longest) for part in np.array_split(np.arange(len(x)), len(networks))]
        )
        return step(network, loss, optimizer, x[rows], lengths[rows], y[rows], clip_norm)

    return wrong


def one_part_only(networks, pool):
    """Forget the gradients of all threads but the first."""
    step = step_in_threads(networks[:1], pool)

    def wrong(network, loss, optimizer, x, lengths, y, clip_norm):
        rows = slice(-(-len(x) // len(networks)))
        return step(network, loss, optimizer, x[rows], lengths[rows], y[rows], clip_norm)

    return wrong


def with_shared_states(networks, pool):
    """Let all threads carry on the states of one of them."""
    step = step_in_threads(networks, pool)

    def wrong(*arguments):
        value = step(*arguments)
        for network in networks:
            network.states = networks[0].states[:, : network.states.shape[1]]
        return value

    return wrong


@pytest.mark.parametrize("wrong", [without_shares, one_part_only, with_shared_states])
def test_wrong_threads_are_found(monkeypatch, wrong):
    by_hand = trained_by_hand("rnn")
    monkeypatch.setattr(language_model, "step_in_threads", wrong)
    assert not trains_as(by_hand, "rnn", n_threads=3)


@pytest.mark.parametrize("n_threads", [0, 1.5, "2", None])
def test_a_number_of_threads_is_a_whole_one(n_threads):
    with pytest.raises((ValueError, TypeError), match="n_threads: expected"):
        fitted(n_threads=n_threads)


@pytest.mark.parametrize("layer", LAYERS)
def test_an_easy_text_is_learned_to_nearly_0_bits(layer):
    text = "the cat sat on the mat. " * 300
    settings = dict(n_nodes=24, n_features=8, bptt_steps=20, batch_size=8, n_epochs=15, lr=0.02)
    model = LanguageModel(layer, **settings).fit(text, text[:2000])
    assert list(model.history_) == ["bits", "batch_bits", "val_bits", "seconds"]
    assert model.history_["val_bits"][-1] == model.bits_per_character(text[:2000]) < 0.03
    assert model.history_["bits"][0] > model.history_["bits"][-1]
    assert model.network_.params["rnn.W_h"].dtype == np.float32
    assert model.sample(48, "the cat sat", 0.5, seed=0) == text[11 : 11 + 48]


def test_the_first_step_of_a_batch_is_guessed_by_the_carried_state(monkeypatch):
    """After an a comes a or b: which, only the character before it tells, one batch earlier."""
    settings = SMALL | dict(bptt_steps=2, n_nodes=12, lr=0.01, n_epochs=3)
    assert LanguageModel(**settings).fit("aab" * 700).history_["bits"][-1] < 0.01
    monkeypatch.setattr(language_model, "CarryingNetwork", Forgetting)
    assert LanguageModel(**settings).fit("aab" * 700).history_["bits"][-1] > 0.3


def test_the_same_seed_gives_the_same_weights_and_fit_starts_anew():
    model = fitted()
    before = weights(model)
    assert np.array_equal(weights(model.fit(TEXT)), before)
    assert np.array_equal(weights(fitted()), before)
    assert not np.array_equal(weights(fitted(seed=1)), before)
    assert not np.array_equal(weights(fitted(seed=None)), weights(fitted(seed=None)))


def test_progress_is_shown_as_the_classifier_shows_it(capsys):
    LanguageModel(**SMALL, verbose=1).fit(TEXT, "abc")
    lines = capsys.readouterr().out.splitlines()
    number = r"\d\.\d{4}"
    for epoch, line in enumerate(lines, start=1):
        assert re.fullmatch(rf"epoch   {epoch}/2: bits {number}, val_bits {number}", line)
    assert len(lines) == 2
    LanguageModel(**SMALL, verbose=2).fit(TEXT)
    assert "30/30" in capsys.readouterr().out
    fitted()
    assert capsys.readouterr().out == ""


def interrupted_after(monkeypatch, n_updates, **change):
    count = iter(range(1000))

    def stopping(networks, pool):
        step = step_in_threads(networks, pool)

        def step_or_stop(*arguments):
            if next(count) == n_updates:
                raise KeyboardInterrupt
            return step(*arguments)

        return step_or_stop

    monkeypatch.setattr(language_model, "step_in_threads", stopping)
    model = LanguageModel(**(SMALL | change))
    with pytest.warns(
        RuntimeWarning, match="fit was interrupted in epoch .* learned is kept"
    ) as said:
        assert model.fit(TEXT) is model
    assert said[0].filename == __file__
    monkeypatch.undo()
    return model


@pytest.mark.parametrize("n_updates", [0, 3, 15, 20])
def test_an_interrupted_model_is_usable_as_it_is(monkeypatch, tmp_path, n_updates):
    model = interrupted_after(monkeypatch, n_updates)
    assert len(model.history_["bits"]) == n_updates // 15
    assert 0 < model.bits_per_character(TEXT) < 4
    model.save(tmp_path / "model.npz")
    assert LanguageModel.load(tmp_path / "model.npz").sample(9, seed=1) == model.sample(9, seed=1)
    one_epoch = fitted().network_.params
    assert len(model.fit(TEXT).history_["bits"]) == 2, "the next fit starts anew"
    assert np.array_equal(model.network_.params["rnn.W_h"], one_epoch["rnn.W_h"])


def test_ctrl_c_while_threads_compute_ends_the_fit_and_the_threads(monkeypatch):
    """The signal arrives in the main thread, which waits for the others."""
    count, forward = iter(range(1000)), CarryingNetwork.forward

    def forward_then_signal(*arguments, **named):
        if next(count) == 7:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.1)
        return forward(*arguments, **named)

    monkeypatch.setattr(CarryingNetwork, "forward", forward_then_signal)
    with pytest.warns(RuntimeWarning, match="fit was interrupted in epoch 1"):
        model = fitted()
    assert not [t for t in threading.enumerate() if t.name.startswith("ThreadPool")]
    by_hand, _ = trained_by_hand("rnn", n_updates=3)
    assert np.allclose(weights(model), weights_of(by_hand), atol=1e-12), "three whole updates"


def test_diverging_fit_raises_and_keeps_the_earlier_one():
    model = fitted()
    before = weights(model), model.bits_per_character(TEXT)
    model.lr = 1e308
    with pytest.raises(FloatingPointError, match="in epoch 1, batch .* of 15: try a smaller lr"):
        model.fit(TEXT)
    assert np.array_equal(weights(model), before[0])
    assert model.bits_per_character(TEXT) == before[1]


def peak_memory(call, text):
    tracemalloc.start()
    try:
        call(text)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_grows_by_a_few_bytes_per_character():
    few, many = TEXT * 220, TEXT * 500  # 66,000 and 150,000 characters
    model = LanguageModel(**(SMALL | dict(bptt_steps=20, batch_size=50, n_epochs=1)))
    for call in (model.fit, model.bits_per_character):
        grown = peak_memory(call, many) - peak_memory(call, few)
        assert grown < 10 * (len(many) - len(few)), "scores for all would be 28 to 56 bytes each"


# -- writing ------------------------------------------------------------------------------------


def probabilities_after(model, prompt):
    return softmax(naive_scores(model, ids_of(model, prompt))[-1])


def fits(frequencies, probabilities, n):
    """Say whether counts of n draws are within four standard deviations of what is expected."""
    spread = np.sqrt(probabilities * (1 - probabilities) / n)
    return bool((np.abs(frequencies - probabilities) < 4 * spread + 1 / n).all())


def frequencies_of(draw, n):
    return np.bincount([draw() for _ in range(n)], minlength=5) / n


SCORES = np.array([0.3, -1.0, 2.0, 0.0, 1.0])


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_draws_follow_the_probabilities(temperature):
    rng, n = np.random.default_rng(3), 20_000
    drawn = frequencies_of(lambda: _draw(SCORES, temperature, rng), n)
    assert fits(drawn, softmax(SCORES / temperature), n)


def softmax_first(scores, temperature, rng):
    p = softmax(scores) / temperature
    return int(rng.choice(5, p=p / p.sum()))


def argmax(scores, temperature, rng):
    return int(scores.argmax())


def times_temperature(scores, temperature, rng):
    return _draw(scores, 1 / temperature, rng)


@pytest.mark.parametrize("wrong", [softmax_first, argmax, times_temperature])
def test_wrong_draws_are_found(wrong):
    rng, n = np.random.default_rng(3), 20_000
    drawn = frequencies_of(lambda: wrong(SCORES, 2.5, rng), n)
    assert not fits(drawn, softmax(SCORES / 2.5), n)


@pytest.mark.parametrize("layer", LAYERS)
def test_what_is_written_follows_the_probabilities_after_the_prompt(layer):
    model, n = fitted(layer, lr=0.05), 800
    for prompt in ("", "c d"):
        written = [model.sample(1, prompt, seed=seed) for seed in range(n)]
        ids = [ids_of(model, c)[1] for c in written]
        frequencies = np.bincount(ids, minlength=7) / n
        assert fits(frequencies, probabilities_after(model, prompt), n)


@pytest.mark.parametrize("layer", LAYERS)
def test_temperature_0_takes_the_most_probable_character_each_time(layer):
    model = fitted(layer, lr=0.05)
    text = "c d"
    for _ in range(20):
        text += model.characters_[probabilities_after(model, text).argmax()]
    assert model.sample(20, "c d", temperature=0) == text[3:]
    assert model.sample(20, "c d", temperature=1e-320, seed=0) == text[3:], "nor does it overflow"
    assert model.sample(12, text[:11], temperature=0) == text[11:], "what it wrote, as a prompt"


def test_the_same_seed_writes_the_same_text():
    model = fitted()
    assert model.sample(60, seed=4) == model.sample(60, seed=4)
    assert model.sample(60, seed=4)[:20] == model.sample(20, seed=4)
    assert len({model.sample(60, seed=seed) for seed in (5, 6, None, None)}) == 4
    assert len(model.sample(1000, "猫", temperature=1e9, seed=0)) == 1000
    assert "\ufffd" in model.sample(1000, temperature=1e9, seed=0), "an honest draw"


@pytest.mark.parametrize("layer", LAYERS)
def test_a_model_in_float32_writes_in_float64(monkeypatch, layer):
    model, seen = fitted(layer, dtype=np.float32), []
    monkeypatch.setattr(language_model, "_draw", lambda scores, *_: seen.append(scores) or 2)
    model.sample(30, "ab c")
    net = model.network_
    for part in (net.embedding, net.rnn, net.dense):
        part.params = {name: param.astype(float) for name, param in part.params.items()}
    expected = naive_scores(model, ids_of(model, "ab c" + 29 * model.characters_[2]))[4:]
    assert np.abs(np.array(seen) - expected).max() < 1e-12


WRITES = """
import sys
from rnn_lib import LanguageModel
for path in sys.argv[1:]:
    print(ascii(LanguageModel.load(path).sample(400, "ab", 0.9, seed=1)))
"""


def test_the_same_text_on_every_processor(tmp_path):
    paths = [tmp_path / f"{layer}.npz" for layer in LAYERS]
    for path, layer in zip(paths, LAYERS, strict=True):
        fitted(layer, n_nodes=40, lr=0.02, dtype=np.float32).save(path)
    texts = {
        subprocess.run(
            [sys.executable, "-c", WRITES, *map(str, paths)],
            env=os.environ | processor, capture_output=True, text=True, check=True,
        ).stdout
        for processor in (PROCESSORS["this one"], PROCESSORS["Prescott"])
    }  # fmt: skip
    assert len(texts) == 1
    assert len(texts.pop()) > 3 * 400


def test_reading_and_writing_change_nothing():
    model = fitted("lstm", dtype=np.float32)
    before = {name: vars(layer).copy() for name, layer in model.network_._layers.items()}
    expected = model.bits_per_character(TEXT)
    answers = []

    def ask():
        for _ in range(5):
            answers.append((model.bits_per_character(TEXT), model.sample(20, "ab", seed=3)))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) == {(expected, model.sample(20, "ab", seed=3))}
    assert model.network_.states is None, "a network that was trained starts from zeros again"
    for name, layer in model.network_._layers.items():
        assert all(vars(layer)[key] is value for key, value in before[name].items())


# -- what comes in ------------------------------------------------------------------------------


def test_a_list_of_texts_is_read_with_line_breaks_between():
    texts = TEXT.split("\n")
    expected = fitted()
    for several in (texts, tuple(texts), iter(texts), pd.Series(texts)):
        assert np.array_equal(weights(fitted(text=several)), weights(expected))
    bits = expected.bits_per_character(TEXT)
    assert expected.bits_per_character(texts) == expected.bits_per_character([TEXT]) == bits
    assert expected.sample(9, ["ab", "c"], seed=0) == expected.sample(9, "ab\nc", seed=0)
    LanguageModel(**SMALL).fit(texts, texts[:2])


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"layer": "elman"}, r"layer: expected one of \['gru', 'lstm', 'rnn'\], got 'elman'"),
        ({"layer": None}, "layer: expected one of"),
        ({"n_nodes": 0}, "n_nodes: expected at least 1, got 0"),
        ({"n_features": 2.5}, "n_features: expected a whole number, got 2.5"),
        ({"bptt_steps": None}, "bptt_steps: expected a whole number, got None"),
        ({"batch_size": -1}, "batch_size: expected at least 1, got -1"),
        ({"n_epochs": 0}, "n_epochs: expected at least 1, got 0"),
        ({"lr": 0}, "lr: expected a number above 0, got 0"),
        ({"lr": linear_decay(1, 1)}, "lr: expected a number, got LinearDecay"),
        ({"clip_norm": None}, "clip_norm: expected a number, got None"),
        ({"max_characters": 1}, "max_characters: expected at least 2, got 1"),
        ({"seed": -1}, "seed: expected at least 0, got -1"),
        ({"dtype": int}, "dtype: expected float32 or float64"),
        ({"verbose": 3}, "verbose: expected 0"),
    ],
)
def test_bad_settings_are_refused(setting, message):
    with pytest.raises((ValueError, TypeError), match=message):
        LanguageModel(**(SMALL | setting)).fit(TEXT)


def strings(name):
    return rf"^{name}: expected a string or a list of strings: "


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.fit(""), r"text: expected 20 or more characters \(batch_size \* bptt_steps\)"),
        (lambda m: m.fit([]), "text: expected 20 or more characters"),
        (lambda m: m.fit("x" * 19), "text: expected 20 or more .*, got 19"),
        (lambda m: m.fit(None), strings("text") + "can only join an iterable"),
        (lambda m: m.fit(b"abc"), strings("text") + "sequence item 0: expected str.*int found"),
        (lambda m: m.fit(["a", 1.5]), strings("text") + "sequence item 1: .* float found"),
        (lambda m: m.fit(pd.DataFrame({"review": ["a"]})), strings("text") + ".* got a table"),
        (lambda m: m.fit({"a": "b"}), strings("text") + ".* got a table"),
        (lambda m: m.fit(TEXT, ""), "val_text: expected 1 or more characters, got 0"),
        (lambda m: m.fit(TEXT, 7), strings("val_text")),
        (lambda m: m.bits_per_character(""), "text: expected 1 or more characters, got 0"),
        (lambda m: m.bits_per_character([]), "text: expected 1 or more characters, got 0"),
        (lambda m: m.bits_per_character(3), strings("text")),
        (lambda m: m.sample(0), "n_characters: expected at least 1, got 0"),
        (lambda m: m.sample("ab"), "n_characters: expected a whole number, got 'ab'"),
        (lambda m: m.sample(3, 5), strings("prompt")),
        (lambda m: m.sample(3, temperature=-0.1), "temperature: .* at least 0, got -0.1"),
        (lambda m: m.sample(3, temperature=np.nan), "temperature: .* at least 0, got nan"),
        (lambda m: m.sample(3, temperature=np.inf), "temperature: .* at least 0, got inf"),
        (lambda m: m.sample(3, temperature="hot"), "temperature: expected a number, got 'hot'"),
        (lambda m: m.sample(3, seed=-1), "seed: expected at least 0, got -1"),
        (lambda m: m.sample(3, seed="a"), "seed: expected a whole number, got 'a'"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_in_the_callers_words_and_changes_nothing(call, message):
    model = fitted()
    before = weights(model)
    with pytest.raises((ValueError, TypeError), match=message):
        call(model)
    assert np.array_equal(weights(model), before)
    model.sample(3)


def test_a_model_that_is_not_fitted_says_so(tmp_path):
    for ask in (
        lambda model: model.bits_per_character("a"),
        lambda model: model.sample(3),
        lambda model: model.save(tmp_path / "model.npz"),
    ):
        with pytest.raises(ValueError, match="this LanguageModel is not fitted: call fit first"):
            ask(LanguageModel())


def test_the_shortest_text_is_enough():
    model = LanguageModel(**SMALL).fit("ab" * 10)
    assert len(model.history_["batch_bits"]) == 2
    assert LanguageModel(**SMALL).fit("\n" * 20).characters_ == "\ufffd\n"


# -- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_model_comes_back(tmp_path, layer, dtype):
    model = fitted(layer, text=TEXT + "é猫\0\ud800", dtype=dtype)
    model.save(tmp_path / "model.npz")
    twin = LanguageModel.load(tmp_path / "model.npz")
    assert twin.bits_per_character(TEXT * 9) == model.bits_per_character(TEXT * 9)
    assert twin.sample(50, "ab", 0.8, seed=1) == model.sample(50, "ab", 0.8, seed=1)
    assert twin.history_ == model.history_
    assert twin.characters_ == model.characters_
    assert {**twin.get_params(), "dtype": dtype} == model.get_params()
    assert np.array_equal(weights(twin.fit(TEXT)), weights(model.fit(TEXT)))


def test_a_file_holds_the_weights_and_no_averages_of_gradients(tmp_path):
    fitted().save(tmp_path / "model.npz")
    assert all(name.startswith("params.") for name in read_arrays(tmp_path / "model.npz")[1])


def test_settings_that_no_longer_fit_the_network_are_not_written(tmp_path):
    model = fitted()
    model.n_nodes = 7
    with pytest.raises(ValueError, match="n_nodes: the network was fitted with 6, got 7"):
        model.save(tmp_path / "model.npz")


@pytest.mark.parametrize(
    "change",
    [
        lambda header, arrays: header["settings"].update(layer="gru"),
        lambda header, arrays: header["settings"].update(unheard_of=1),
        lambda header, arrays: header["classes"].pop(),
        lambda header, arrays: header.update(classes=["a"] * 7),
        lambda header, arrays: arrays.pop("params.rnn.b"),
        lambda header, arrays: arrays.pop("params.embedding.W"),
        lambda header, arrays: arrays.update({"params.dense.W": np.zeros((2, 2))}),
    ],
)
def test_tampered_and_foreign_files_are_rejected(tmp_path, change):
    path = tmp_path / "model.npz"
    fitted().save(path)
    header, arrays = read_arrays(path)
    change(header["rnn_lib.LanguageModel 1"], arrays)
    write_arrays(path, header, arrays)
    with pytest.raises(ValueError, match="model.npz: not a LanguageModel that this version of"):
        LanguageModel.load(path)
    fitted().save(path)
    with pytest.raises(ValueError, match="model.npz: not a ScratchRNNClassifier that"):
        ScratchRNNClassifier.load(path)
