"""The numbers in the prose of lesson 7: what its cells compute, its figures, tables and answers."""

import json
import re
from collections import Counter

import numpy as np
import pytest
from lesson_runs import assert_every_question_is_answered, fixtures_of
from test_accuracy import ROOT

from rnn_lib import LanguageModel, softmax
from rnn_lib import next_character_batches as the_librarys_batches

pytestmark = pytest.mark.lesson7

SHORTER = {  # the same on less text: what needs all of it, nbval compares
    "model.fit(text)": "model.fit(text[:320_001])",
    "ids[:800_000]": "ids[:160_000]",
    "(100, 300, 978)": "(100,)",
    "val_ids = to_ids(val_text)": "val_ids = to_ids(val_text[:50_000])",
    "ids[:2_000_000]": "ids[:200_000]",
    "text[:2_000_000], val_text": "text[:200_000], val_text[:50_000]",
}


def shortened(source):
    for old, new in SHORTER.items():
        source = source.replace(old, new)
    return "" if "checks.check_" in source else source


lesson, names = fixtures_of("07_writing", shortened)


@pytest.fixture(scope="module")
def measured():
    return json.loads((ROOT / "benchmarks" / "writing.json").read_text("utf-8"))


def test_every_question_has_an_answer(lesson):
    assert_every_question_is_answered(lesson.text, ["1", "2", "3"])


def test_what_is_made_shorter_here_stands_in_the_lesson(lesson):
    for old in SHORTER:
        assert any(old in source for source in lesson.text.values()), old


# -- the student's functions and the library's -----------------------------------------------------


def test_batches_are_the_librarys(names):
    ids = np.arange(1000)
    ours, theirs = (
        list(cut(ids, 7, 11)) for cut in (names["next_character_batches"], the_librarys_batches)
    )
    assert len(ours) == 12
    assert np.array_equal(ours, theirs)


def test_the_loop_in_the_open_trains_as_the_library_does(names):
    """With the same start, the bits of each batch are the same, but for float32."""
    text = names["text"][: 20 * 800 + 1]
    model = LanguageModel(
        n_nodes=64, n_features=16, bptt_steps=50, batch_size=16, lr=0.01, dtype=np.float64
    )
    model.fit(text)
    untrained = LanguageModel(**{**model.get_params(), "lr": 1e-300}).fit(text)
    layers = {name: getattr(untrained.network_, name) for name in ("embedding", "rnn", "dense")}
    id_of = {character: i for i, character in enumerate(model.characters_)}
    ids = np.array([id_of.get(character, 0) for character in "\n" + text])
    bits = names["train"](layers, ids)
    # The library lets the rate fall by steps of its own kind; the first batches tell.
    assert np.allclose(bits[:3], model.history_["batch_bits"][:3], rtol=1e-3)


@pytest.mark.parametrize("temperature", [0, 0.5, 1])
def test_it_writes_what_the_library_writes(names, temperature):
    model = names["model"]
    params = {name: param.astype(float) for name, param in model.network_.params.items()}

    def step(id, h):
        a = params["embedding.W"][id] @ params["rnn.W_x"] + h @ params["rnn.W_h"]
        h = np.tanh(a + params["rnn.b"])
        return h @ params["dense.W"] + params["dense.b"], h

    prompt = [model.characters_.index(character) for character in "\nThe film"]
    rng = np.random.default_rng(3)
    drawn = names["sample"](step, np.zeros(256), prompt, 80, temperature, rng)
    text = "".join(model.characters_[id] for id in drawn)
    assert text == model.sample(80, "The film", temperature, seed=3)


# -- what the prose says of the cells --------------------------------------------------------------


def test_a_wrong_guess_hides_the_next_character(names, capsys):
    ranks = names["play"]("abcd", 1, ["xb", "xyz", "d"])
    assert ranks == [2]
    shown = capsys.readouterr().out
    assert "not among 'xyz'" in shown and shown.endswith("ab_\n")


def test_bits_of_ranks_are_their_entropy(names):
    assert names["shannon_bits"]([1, 1, 1, 1]) == 0
    assert names["shannon_bits"]([1, 2, 1, 2]) == 1
    assert names["shannon_bits"]([1, 2, 3, 9]) == 2


def test_the_table_of_streams_is_that_of_the_exercise(lesson, names):
    text = "the_film_it_was_good_and_so"
    rows = re.findall(r"^batch \d +(\S+) +(\S+) +(\S+) +(\S+)$", lesson.text["shift"], re.M)
    batches = names["next_character_batches"](np.array([*map(ord, text)]), 2, 6)
    shown = [tuple("".join(map(chr, row)) for part in pair for row in part) for pair in batches]
    assert rows == shown and len(rows) == 2


def test_an_untrained_network_is_in_doubt_among_all_characters(names):
    bits = names["bits_of"](names["small_network"](), names["to_ids"](names["val_text"][:20_000]))
    assert bits == pytest.approx(np.log2(96), abs=0.2)


def test_ngrams_are_counted_as_equation_3_says(names):
    train, new = names["ids"][:3000], names["ids"][5000:5200]
    found = [bits for bits, _ in names["ngram_bits"](train, new, 3)]

    def probability(context, x):
        if context is None:
            return 1 / 96
        n, padding = len(context), (names["id_of"]["\n"],) * len(context)
        before = padding + tuple(train)
        follow = Counter(before[i + n] for i in range(len(train)) if before[i : i + n] == context)
        shorter = probability(context[1:] if context else None, x)
        if not follow:
            return shorter
        return (follow[x] + len(follow) * shorter) / (follow.total() + len(follow))

    for order, bits in enumerate(found, start=1):
        text = (names["id_of"]["\n"],) * (order - 1) + tuple(new)
        p = [probability(text[i : i + order - 1], text[i + order - 1]) for i in range(len(new))]
        assert bits == pytest.approx(-np.log2(p).mean(), abs=1e-9)


def test_probabilities_of_ngrams_sum_to_one(names):
    train = names["ids"][:5000]
    new = np.append(names["ids"][7000:7002], 0)
    total = 0
    for x in range(96):
        new[-1] = x
        *_, (bits, _) = names["ngram_bits"](train, new, 3)
        *_, (before, _) = names["ngram_bits"](train, new[:-1], 3)
        total += 2 ** -(3 * bits - 2 * before)
    assert total == pytest.approx(1)


def test_a_temperature_of_one_half_sharpens_and_two_flattens():
    scores = np.array([1.0, 2.0, 3.0])
    sharp, own, flat = (softmax(scores / temperature)[-1] for temperature in (0.5, 1, 2))
    assert sharp > own > flat


# -- what the benchmark measured -------------------------------------------------------------------


def quoted(text, n):
    """Return a text as the lesson writes it: a slash for a line break."""
    return text[:n].replace("\n", " / ").replace("\x85", "…")


def test_texts_are_those_that_the_benchmark_wrote(lesson, measured):
    for sample in measured["samples"]:
        if "characters" in sample:
            line = f"{sample['characters']:>9,}  The film{quoted(sample['text'], 78)}"
            assert line in lesson.text["train-samples"].splitlines()
        else:
            words = f"{sample['temperature']} The film{quoted(sample['text'], 150)}".split()
            assert " ".join(words) in " ".join(lesson.text["write-best"].split())


def spread(run):
    bits = run["val_bits"]
    return f"{np.mean(bits):.2f} ± {(max(bits) - min(bits)) / 2:.2f}"


def test_bits_after_a_reset_are_those_of_the_benchmark(lesson, names, measured):
    after = measured["memory"][-1]["after_reset"]
    assert names["after_reset"] == after
    text = lesson.text["remember-reset-caption"]
    assert f"it is at {after['51-100']:.2f} bits" in text
    assert f"after two hundred at {after['201-400']:.2f}" in text
    assert after["1-1"] > measured["counting"][0]["val_bits"]  # worse than single letters
    assert after["51-100"] - after["201-400"] < 0.01


def test_the_table_of_carried_states_is_that_of_the_benchmark(lesson, measured):
    runs = {(run["carry"], run["n_steps"]): run for run in measured["memory"][:-1]}
    for carry, label in {True: "carried on", False: "set to zero"}.items():
        cells = " | ".join(spread(runs[carry, n]) for n in (5, 20, 100))
        assert f"| state {label} | {cells} |" in lesson.text["remember-carry"]
    assert max(runs[True, 5]["val_bits"]) < min(runs[False, 5]["val_bits"])
    assert np.mean(runs[True, 20]["val_bits"]) > np.mean(runs[False, 20]["val_bits"])


def test_units_and_mood_are_those_that_the_benchmark_found(lesson, names, measured):
    found = {(run["network"], run["what"]): run for run in measured["units"]}
    for what, label in {"quotes": "quotation marks", "brackets": "brackets"}.items():
        run, before = found["trained", what], found["untrained", what]
        numbers = f"{run['unit']} | {run['correlation']:.2f} | {before['correlation']:.2f}"
        assert f"| {label} | {numbers} |" in lesson.text["remember-units"]
    quotes = found["trained", "quotes"]
    start = quotes["text"].replace("\n", "/").index(names["shown"])
    shown = slice(start, start + len(names["shown"]))
    assert np.array_equal(names["values"], np.round(quotes["values"][shown], 1))
    mood = {run["features"]: run for run in measured["mood"]}
    text = lesson.text["remember-unit-caption"]
    for features in mood.values():
        assert f"{features['accuracy']:.1f} %" in text
    assert f"judges {mood['mean state']['accuracy_of_unit']:.1f} % of" in text
    assert len(names["held_out"]) == 1185 and "the 1,185 held-out" in text


def test_the_curves_of_the_gates_are_those_of_the_benchmark(lesson, names, measured):
    expected = {}
    for run in measured["layers"]:
        seen, minutes = run["characters"] / 1e6, run["seconds"] / 60
        point = round(seen, 1), round(minutes, 1), round(run["val_bits"], 2)
        expected.setdefault(run["layer"], []).append(point)
    assert list(names["measured"].values()) == list(expected.values())
    (rnn, gru, lstm), text = expected.values(), lesson.text["gates-caption"]
    first, second, last = zip(rnn, gru, lstm, strict=True)
    for runs in (first, second, last):
        numbers = "{} against {} and {}".format(*(f"{run[2]:.2f}" for run in runs))
        assert numbers in text
    assert first[0][2] < min(first[1][2], first[2][2])
    assert second[0][2] > max(second[1][2], second[2][2])
    assert last[0][2] > max(last[1][2], last[2][2])
    assert gru[1][0] < 0.4 * rnn[1][0] and gru[1][2] < rnn[1][2]
    rates = measured["rates"]
    for layer in ("rnn", "gru", "lstm"):
        runs = [run for run in rates if run["layer"] == layer][:3]
        assert min(runs, key=lambda run: run["val_bits"])["lr"] == 0.008


def test_the_table_of_rivals_is_that_of_the_benchmark(lesson, measured):
    text, counting = lesson.text["worth-table"], measured["counting"]
    grams = [run for run in counting if "order" in run]
    for run in grams:
        row = f"| n-gram, order {run['order']} | {run['numbers']:,} | {run['val_bits']:.2f} |"
        assert row in text
    bits = {run["compressor"]: run["val_bits"] for run in counting if "compressor" in run}
    assert " | {zlib:.2f}, {bz2:.2f}, {xz:.2f} |".format(**bits) in text
    minute = next(run for run in measured["layers"] if run["characters"] == 6_400_000)
    assert f"| {minute['parameters']:,} | {minute['val_bits']:.2f} |" in text
    torch = min(run["val_bits"] for run in measured["pytorch"])
    assert f"| {minute['parameters'] + 256:,} | {torch:.2f} |" in text  # with a second bias
    assert len({run["seconds"] for run in measured["pytorch"]}) == 1, "the time that ours took"
    gru = next(run for run in measured["layers"] if run["characters"] == 38_400_000)
    assert f"| GRU, 16 minutes | {gru['parameters']:,} | {gru['val_bits']:.2f} |" in text
    assert min(bits.values()) > gru["val_bits"]
    best, (fifth, _, seventh) = measured["best"], grams[4:]
    assert [run["seed"] for run in best] == [0, 1, 2]
    val, test = ([run[f"{part}_bits"] for run in best] for part in ("val", "test"))
    minutes, parameters = np.median([run["minutes"] for run in best]), best[0]["parameters"]
    row = f"| LSTM, 384 units, {minutes:.0f} minutes of two cores | {parameters:,} |"
    assert f"{row} {np.mean(val):.2f} |" in text
    assert f"It has read {best[0]['characters'] / 1e6:.1f} million characters" in text
    assert f"({min(val):.3f} to {max(val):.3f})" in text
    assert f"order 7 ({seventh['val_bits']:.3f})" in text
    said = f"the LSTM needs {np.mean(test):.2f} bits, and the n-gram of order 7 "
    assert said + f"{seventh['test_bits']:.2f}" in text
    assert gru["val_bits"] < fifth["val_bits"]
    assert max(val) < seventh["val_bits"] and max(test) < seventh["test_bits"]
    assert seventh["numbers"] == pytest.approx(10 * parameters, rel=0.1)
    for run in (fifth, seventh):
        assert f"{run['numbers'] / 1e6:.1f} million" in text


def test_shorter_pieces_make_more_of_the_same_text_for_a_while(lesson, measured):
    runs = [run for run in measured["layers"] if run["layer"] == "lstm"] + measured["pieces"]

    def bits(n_characters, steps, lr=0.008):
        wanted = n_characters, steps, lr
        settings = [(run["characters"], run.get("steps", 100), run["lr"]) for run in runs]
        return runs[settings.index(wanted)]["val_bits"]

    four, sixteen = 8_400_000, 33_600_000
    said = "{:.2f} bits in pieces of 100 steps, {:.2f} in pieces of 50, and {:.2f} in pieces of 25."
    text = lesson.text["remember-carry"]
    assert said.format(*(bits(four, steps) for steps in (100, 50, 25))) in text
    said = "{:.2f} in pieces of 100, and {:.2f} in pieces of 25"
    assert said.format(bits(sixteen, 100), bits(sixteen, 25)) in text
    assert abs(bits(sixteen, 25) - bits(sixteen, 25, 0.004)) < 0.01, "half the rate, the same"


def test_the_default_settings_reach_two_and_a_half_bits_in_a_minute(measured):
    run = next(r for r in measured["rates"] if r["layer"] == "rnn" and r["lr"] == 0.004)
    assert run["val_bits"] < 2.5
    assert run["characters"] == 6_400_000


# -- answers ---------------------------------------------------------------------------------------


def test_bits_per_word(lesson, names):
    length = len(names["val_text"]) / len(names["val_text"].split())
    text = lesson.answer(1)
    assert f"has {length:.2f} characters" in text
    assert f"that is {2.36 * length:.1f} bits per word" in text
    assert 2 ** (2.36 * length) == pytest.approx(10_000, rel=0.1)
    assert f"= {2**2.36:.1f}$" in text


@pytest.mark.slow
def test_a_text_is_as_hard_to_guess_from_its_end(lesson, names):
    ids, new = names["ids"][:2_000_000], names["to_ids"](names["val_text"])
    *_, (forward, _) = names["ngram_bits"](ids, new, 4)
    *_, (backward, _) = names["ngram_bits"](ids[::-1], new[::-1], 4)
    assert f"({forward:.3f} forward, {backward:.3f} backward)" in lesson.answer(2)


def test_learning_rates_are_those_that_the_benchmark_tried(lesson, measured):
    def bits(layer, n_characters):
        runs = [run for run in measured["rates"] if run["layer"] == layer]
        return [f"{run['val_bits']:.2f}" for run in runs if run["characters"] == n_characters]

    assert "cost {}, {} and {} bits".format(*bits("rnn", 6_400_000)) in lesson.answer(3)
    assert "({} and {})".format(*bits("gru", 9_600_000)) in lesson.answer(3)


def test_results_of_the_docs_are_those_of_the_benchmark(measured):
    text = (ROOT / "docs" / "results.md").read_text("utf-8").partition("## Writing")[2]
    for layer, label in {"rnn": "simple network", "gru": "GRU", "lstm": "LSTM"}.items():
        bits = [f"{r['val_bits']:.2f}" for r in measured["layers"] if r["layer"] == layer]
        assert f"| {label} | {' / '.join(bits)} |" in text
    grams = {run["order"]: run for run in measured["counting"] if "order" in run}
    for order in (6, 7):
        assert f"{grams[order]['val_bits']:.2f}" in text
        assert f"{grams[order]['numbers'] / 1e6:.1f} million" in text
    assert f"needs {min(run['val_bits'] for run in measured['pytorch']):.2f} bits" in text
    best = measured["best"]
    val, test = ([run[f"{part}_bits"] for run in best] for part in ("val", "test"))
    assert f"needs {np.mean(val):.2f} bits (three seeds: {min(val):.3f} to {max(val):.3f})" in text
    said = f"which chose nothing, {np.mean(test):.2f}, where the n-gram of order 7 needs "
    assert said + f"{grams[7]['test_bits']:.2f}" in text


def test_speeds_in_the_docs_are_those_of_the_benchmark():
    text = (ROOT / "docs" / "results.md").read_text("utf-8").partition("## Writing")[2]
    report = json.loads((ROOT / "benchmarks" / "speed.json").read_text("utf-8"))
    speeds = report["writing"]["characters per second"]
    ours, one = speeds["rnn_lib"], speeds["PyTorch, 1 thread"]
    said = [f"{round(its['training'], -3):,}" for its in speeds.values()]
    both = "on {1} characters a second with one thread and {0} with two"
    assert both.format(*said) in text
    assert both.replace("characters a second ", "").format(said[3], said[2]) in text
    assert ours["training"] > 1.1 * max(
        its["training"] for name, its in speeds.items() if name.startswith("PyTorch")
    )
    assert f"writes {ours['writing']:,} characters a second, PyTorch one step at a time " in text
    assert f" {one['writing']:,}." in text


def test_the_unit_switches_one_character_after_each_mark(names):
    switches = (np.flatnonzero(np.diff(names["values"])) + 1).tolist()
    marks = [i for i, character in enumerate(names["shown"]) if character == '"']
    assert switches == [mark + 1 for mark in marks]
