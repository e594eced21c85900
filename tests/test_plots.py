"""The plots draw what they are given: no more, no less, and labeled."""

import matplotlib as mpl
import numpy as np
import pytest

from rnn_lib import plots

pytestmark = pytest.mark.usefixtures("no_window")


def drawn(ax):
    return {line.get_label(): line.get_ydata().tolist() for line in ax.get_lines()}


@pytest.mark.lesson4
def test_learning_curves():
    history = {"loss": [0.7, 0.5], "accuracy": [0.5, 0.9], "val_loss": [0.8, 0.9]}
    history["val_accuracy"] = [0.5, 0.6]
    loss, accuracy = plots.learning_curves(history)
    assert drawn(loss) == {"training": [0.7, 0.5], "validation": [0.8, 0.9]}
    assert drawn(accuracy) == {"training": [0.5, 0.9], "validation": [0.5, 0.6]}
    assert loss.get_lines()[0].get_xdata().tolist() == [1, 2]
    assert loss.get_xlabel() == "epoch"


@pytest.mark.lesson4
def test_learning_curves_without_validation():
    loss, _ = plots.learning_curves({"loss": [0.7], "accuracy": [0.5]})
    assert drawn(loss) == {"training": [0.7]}


@pytest.mark.lesson1
def test_hidden_states():
    h = np.array([[0.1, -0.2, 3.0], [0.4, 0.5, 0.6]])  # (T, H) = (2, 3)
    ax = plots.hidden_states(h, steps=["good", "film"])
    (image,) = ax.get_images()
    assert np.array_equal(image.get_array(), h.T)
    assert image.get_clim() == (-3, 3)  # zero stays in the middle
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["good", "film"]


@pytest.mark.lesson3
def test_gradient_by_lag():
    ax = plots.gradient_by_lag({"gain 1": np.array([1.0, 0.5]), "gain 2": np.array([1.0, 2.0])})
    assert drawn(ax) == {"gain 1": [1.0, 0.5], "gain 2": [1.0, 2.0]}
    assert ax.get_yscale() == "log"
    assert "lag" in ax.get_xlabel()


@pytest.mark.lesson3
def test_scores():
    ax = plots.scores({1: [0.2, 0.4], 3: [1.0, 0.8]}, "cells", "accuracy")
    runs = [line.get_xydata().tolist() for line in ax.get_lines()]
    assert runs == [[[1, 0.2], [1, 0.4]], [[3, 1.0], [3, 0.8]]]


@pytest.mark.lesson3
def test_gate_graph_names_every_gate_and_wire():
    texts = [text.get_text() for text in plots.gate_graph().texts]
    assert texts.count("matmul") == texts.count("add") == 2
    for name in ("tanh", "$x_t$", "$h_{t-1}$", "$W_x$", "$W_h$", "$b$", "$a_t$", "$h_t$"):
        assert name in texts


@pytest.mark.lesson5
def test_bars():
    ax = plots.bars({"one": 59.4, "two": -1.26}, "points")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["one", "two"]
    assert [bar.get_width() for bar in ax.patches] == [59.4, -1.26]
    assert [text.get_text() for text in ax.texts] == ["59.4", "-1.3"]
    assert ax.yaxis_inverted()  # the first on top
    assert ax.get_xlabel() == "points"


def test_waterfall_starts_each_bar_where_the_one_before_ended():
    values = {"start": 60.0, "better": 72.5, "a little worse": 72.0}
    ax = plots.waterfall(values, "accuracy (%)")
    spans = [sorted((bar.get_x(), bar.get_x() + bar.get_width())) for bar in ax.patches]
    assert np.allclose(spans, [(60, 60), (60, 72.5), (72, 72.5)])
    up, down = (mpl.colors.to_hex(bar.get_facecolor()) for bar in ax.patches[1:])
    assert [up.upper(), down.upper()] == list(plots.COLORS[:2])
    assert [text.get_text() for text in ax.texts] == ["60.0", "+12.5", "-0.5"], "not by color alone"
    assert [tick.get_text() for tick in ax.get_yticklabels()] == list(values)
    assert ax.yaxis_inverted()


def test_dots_show_means_spreads_and_headings():
    rows = {"rungs": [], "a": [(1.0, 0.25), (2.0, 0.5)], "b": [(3.0, 0.0), (4.0, 1.0)]}
    ax = plots.dots(rows, "gain (points)", labels=["validation", "test"])
    for number, container in enumerate(ax.containers):
        points, _, (bars,) = container.lines
        means = [its[number][0] for its in rows.values() if its]
        assert np.allclose(points.get_xdata(), means)
        ends = [segment[:, 0] for segment in bars.get_segments()]
        spreads = [its[number][1] for its in rows.values() if its]
        assert np.allclose(ends, [(m - s, m + s) for m, s in zip(means, spreads, strict=True)])
        assert np.allclose(points.get_ydata().round(), [1, 2])
    markers = {container.lines[0].get_marker() for container in ax.containers}
    assert len(markers) == 2, "not by color alone"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["validation", "test"]
    weights = [tick.get_fontweight() for tick in ax.get_yticklabels()]
    assert weights == ["bold", "normal", "normal"]
    assert plots.dots({"one": [(1.0, 0.1)]}, "x").get_legend() is None
