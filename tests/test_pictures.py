"""The diagrams show what they claim: every wire and name, no hidden head, no text upon a text.

Each check is a function that lists faults. A good picture has none; a picture that is wrong on
purpose has some, or the check would be worth nothing.
"""

import copy
import io
import re
import tomllib
from importlib import resources
from itertools import combinations, pairwise
from xml.etree import ElementTree

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import LogNorm
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.path import Path
from test_notebooks import NOTEBOOKS, code_cells, load

from rnn_lib import SimpleRNN, plots

pytestmark = [pytest.mark.lesson3, pytest.mark.usefixtures("no_window")]

PHONE = 344  # px: what a page of 390 px leaves to a figure, as nbconvert makes it
BLUE, ORANGE = plots.COLORS[:2]


def axes_of(draw):
    """Draw, and return the axes as they stand on the canvas."""
    draw()
    ax = plt.gcf().axes[0]
    ax.figure.canvas.draw()
    return ax


# What stands on the axes, in pixels.


def texts(ax):
    """Every text that is drawn: labels, titles, ticks, color bars."""
    found = [*ax.figure.texts]
    for one in ax.figure.axes:
        found += one.texts
        if one.axison:
            found += [one.title, one.xaxis.label, one.yaxis.label]
            for axis in (one.xaxis, one.yaxis):
                low, high = sorted(axis.get_view_interval())
                ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
                places = [*axis.get_majorticklocs(), *axis.get_minorticklocs()]
                for tick, place in zip(ticks, places, strict=True):
                    if low <= place <= high:
                        found += [tick.label1, tick.label2]
    return [text for text in found if text.get_visible() and text.get_text()]


def boxes(ax):
    return [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]


def arrows(ax):
    return [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]


def outline(patch):
    return patch.get_transform().transform_path(patch.get_path())


def ends(arrow):
    """Where an arrow starts, and the tip of its head, which is the last triangle of its path."""
    vertices = outline(arrow).vertices
    return vertices[0], vertices[-3]


def extent(artist):
    return artist.get_window_extent(artist.figure.canvas.get_renderer())


def middle(text):
    return extent(text).get_points().mean(axis=0)


def places(ax):
    """Return where an arrow can end: boxes, named by the text in them, and the stop marks."""
    named = [(text.get_text().replace("\n", " "), middle(text)) for text in texts(ax)]
    found = []
    for box in boxes(ax):
        inside = [name for name, center in named if extent(box).contains(*center)]
        found.append((" ".join(inside), extent(box).padded(5)))
    bars = [line for line in ax.lines if line.get_marker() == "None"]
    return found + [("stop", extent(bar).padded(5)) for bar in bars]


def at(places, point):
    return next((name for name, place in places if place.contains(*point)), None)


def wires(ax, known=None):
    """All arrows as (where from, where to, color); None where an end touches nothing."""
    known = known or places(ax)
    return [
        (*(at(known, end) for end in ends(arrow)), mpl.colors.to_hex(arrow.get_edgecolor()).upper())
        for arrow in arrows(ax)
    ]


def wire_beside(ax, name, known=None):
    """The wire that is nearest to the middle of a label."""
    (label,) = (text for text in ax.texts if text.get_text() == name)
    far = []
    for arrow in arrows(ax):
        start, tip = ends(arrow)
        share = np.clip((middle(label) - start) @ (tip - start) / np.sum((tip - start) ** 2), 0, 1)
        far.append(np.linalg.norm(start + share * (tip - start) - middle(label)))
    start, end, color = wires(ax, known)[np.argmin(far)]
    assert label.get_color() == color
    return start, end


# The checks: each returns its list of faults.


def ends_in_boxes(ax):
    outlines = [outline(box) for box in boxes(ax)]
    return [
        end
        for arrow in arrows(ax)
        for end in ends(arrow)
        if any(box.contains_point(end) for box in outlines)
    ]


def headless(ax):
    """Arrows that are hardly longer than a head, so that one cannot see where they come from."""
    return [arrow for arrow in arrows(ax) if np.linalg.norm(np.subtract(*ends(arrow))) < 15]


def overlapping_texts(ax):
    places = [(text.get_text(), extent(text).padded(-0.5)) for text in texts(ax)]
    return [
        (name, other)
        for (name, place), (other, its_place) in combinations(places, 2)
        if place.overlaps(its_place)
    ]


def crossed_texts(ax):
    """Texts that an arrow runs through."""
    places = [(text.get_text(), extent(text).padded(-1)) for text in texts(ax)]
    lines = [
        Path(line) for arrow in arrows(ax) for line in outline(arrow).to_polygons(closed_only=False)
    ]
    return [
        name
        for name, place in places
        if any(line.intersects_bbox(place, filled=False) for line in lines)
    ]


def texts_upon_edges(ax):
    """Texts that are neither inside of a box nor outside."""
    places = [(text.get_text(), extent(text).padded(-1)) for text in texts(ax)]
    edges = [outline(box) for box in boxes(ax) if box.get_edgecolor()[3]]  # drawn, not invisible
    return [name for name, at in places if any(e.intersects_bbox(at, filled=False) for e in edges)]


def cut_texts(ax):
    page = ax.figure.bbox
    corners = [(text.get_text(), *extent(text).get_points()) for text in texts(ax)]
    return [name for name, *both in corners if not all(page.contains(*corner) for corner in both)]


def small_texts(ax):
    """Texts under 6 px on a phone; what is raised or lowered has 0.7 of the size."""
    pixels = PHONE / ax.figure.get_figwidth() / 72
    sizes = [
        (text.get_text(), text.get_fontsize() * (0.7 if set("_^") & set(text.get_text()) else 1))
        for text in texts(ax)
    ]
    return [(name, size * pixels) for name, size in sizes if size * pixels < 6]


CHECKS = [ends_in_boxes, headless, overlapping_texts, crossed_texts, cut_texts, small_texts]
CHECKS += [texts_upon_edges]

T = 6
lags = np.subtract.outer(np.arange(T), np.arange(T))  # [t, s]: t - s
norms = np.where(lags >= 0, 0.5 ** np.abs(lags), 0)

IN_MEMORY = np.arange(16)  # each number is its own place
LAYOUTS = {  # all (N, T, H)
    "batch first": IN_MEMORY.reshape(2, 4, 2),
    "time first": IN_MEMORY.reshape(4, 2, 2).swapaxes(0, 1),
    "units first": IN_MEMORY.reshape(2, 2, 4).transpose(1, 2, 0),
    "backward in time": IN_MEMORY.astype(np.float32).reshape(2, 4, 2)[:, ::-1],
}

PICTURES = {
    "gates": plots.gate_graph,
    "gates, lstm": lambda: plots.gate_graph("lstm"),
    "gates, gru": lambda: plots.gate_graph("gru"),
    "unrolled": plots.unrolled,
    "unrolled, 2 steps": lambda: plots.unrolled(2),
    "back": plots.back_through_time,
    "back, 1 cell": lambda: plots.back_through_time(4, 1),
    "back, 2 cells": lambda: plots.back_through_time(5, 2),
    "map": lambda: plots.gradient_map(norms, title="full gradient"),
    "memory": lambda: plots.memory_layout(LAYOUTS),
    "band": lambda: plots.gradient_map(np.where(lags < 2, norms, 0), title="2 cells"),
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", PICTURES)
def test_pictures_have_no_fault(name, check):
    assert check(axes_of(PICTURES[name])) == []


def spoiled(check):
    """Draw the unrolled network and spoil it in the way that this check is for."""
    ax = axes_of(plots.unrolled)
    arrow = {"arrowstyle": "-|>", "mutation_scale": 13, "shrinkA": 0, "shrinkB": 0}
    if check is ends_in_boxes:
        ax.add_patch(FancyArrowPatch((0.2, 1), (0.5, 1.8), **arrow))  # into the loop's box
    elif check is headless:
        ax.add_patch(FancyArrowPatch((1.5, 3), (1.5, 2.9), **arrow))
    elif check is overlapping_texts:
        ax.text(0.7, 3.2, "upon the title")
    elif check is crossed_texts:
        ax.add_patch(FancyArrowPatch((0.2, 3.1), (1.2, 3.4), **arrow))
    elif check is cut_texts:
        ax.text(7, 0.2, "runs out of the page")
    elif check is small_texts:
        ax.text(1.5, 2.9, "tiny", fontsize=5)
    elif check is texts_upon_edges:
        ax.text(0.75, 1.9, "half in the loop's box")
    ax.figure.canvas.draw()
    return ax


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_each_check_finds_a_spoiled_picture(check):
    assert check(spoiled(check)) != []


# The gates.

GRAPHS = tomllib.loads(resources.files("rnn_lib").joinpath("graphs.toml").read_text("utf-8"))

STEP = [
    ("$x_t$", "matmul"),
    ("$W_x$", "matmul"),
    ("$h_{t-1}$", "matmul"),
    ("$W_h$", "matmul"),
    ("matmul", "add"),
    ("matmul", "add"),
    ("add", "add"),
    ("$b$", "add"),
    ("add", "tanh"),
    ("tanh", "$h_t$"),
]


def test_gate_graph_has_every_wire_in_both_directions():
    drawn = wires(axes_of(plots.gate_graph))
    legend = [(None, None, BLUE), (None, None, ORANGE)]
    forward = [(start, end, BLUE) for start, end in STEP]
    backward = [(end, start, ORANGE) for start, end in STEP]
    assert sorted(map(str, drawn)) == sorted(map(str, forward + backward + legend))


@pytest.mark.parametrize("cell", GRAPHS)
def test_gate_graph_tells_the_directions_apart_without_color(cell):
    ax = axes_of(lambda: plots.gate_graph(cell))
    for arrow, (_, _, color) in zip(arrows(ax), wires(ax), strict=True):
        assert arrow.get_linestyle() in {BLUE: ("-", "solid"), ORANGE: ("--", "dashed")}[color]
    known = places(ax)
    legend = [arrow for arrow in arrows(ax) if at(known, ends(arrow)[0]) is None]
    explained = [text for text in ax.texts if "ward:" in text.get_text()]
    assert [text.get_text() for text in explained] == ["forward: values", "backward: gradients"]
    for arrow, text, color in zip(legend, explained, (BLUE, ORANGE), strict=True):
        assert abs(ends(arrow)[1][1] - middle(text)[1]) < 3  # on one line
        assert mpl.colors.to_hex(arrow.get_edgecolor()).upper() == text.get_color() == color


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("$a_t$", ("add", "tanh")),
        ("$dh_t$", ("$h_t$", "tanh")),
        ("$da_t$", ("tanh", "add")),
        ("$db$", ("add", "$b$")),
        ("$dx_t$", ("matmul", "$x_t$")),
        ("$dW_x$", ("matmul", "$W_x$")),
        ("$dh_{t-1}$", ("matmul", "$h_{t-1}$")),
        ("$dW_h$", ("matmul", "$W_h$")),
    ],
)
def test_gate_graph_puts_every_name_beside_its_arrow(name, wire):
    assert wire_beside(axes_of(plots.gate_graph), name) == wire


def test_the_wires_of_a_wrong_graph_differ():
    ax = axes_of(plots.gate_graph)
    right = wires(ax)
    arrows(ax)[0].set_positions((3.5, 0.35), (2.1, 0.8))  # x_t's arrow, between b and multiply
    ax.figure.canvas.draw()
    assert wires(ax) != right


def test_gate_graph_says_which_cells_there_are():
    with pytest.raises(ValueError, match="cell must be one of 'rnn', 'lstm', 'gru'; got 'tree'"):
        plots.gate_graph("tree")
    assert plt.get_fignums() == []


# The graphs as data: what is drawn is what they say, and what they say computes the step.


def nodes_of(ax, graph):
    """Return where an arrow can end: boxes, named by their nodes, which have their order."""
    named = zip(graph["nodes"], boxes(ax), strict=True)
    return [(name, extent(box).padded(5)) for name, box in named]


@pytest.mark.parametrize("cell", GRAPHS)
def test_the_wires_of_the_data_are_drawn_in_both_directions(cell):
    ax = axes_of(lambda: plots.gate_graph(cell))
    drawn = wires(ax, nodes_of(ax, GRAPHS[cell]))
    pairs = [(start, end) for start, end, *_ in GRAPHS[cell]["wires"]]
    expected = [(start, end, BLUE) for start, end in pairs]
    expected += [(end, start, ORANGE) for start, end in pairs]
    expected += [(None, None, BLUE), (None, None, ORANGE)]
    assert sorted(map(str, drawn)) == sorted(map(str, expected))


NAMES = {
    "lstm": {
        "$dx_t$": ("matmul", "x_t"),
        "$dh_{t{-}1}$": ("matmul", "h_prev"),
        "$dc_{t{-}1}$": ("f * c", "c_prev"),
        "$dc_t$": ("after", "c_t"),
        "$dh_t$": ("h_t", "o * tanh"),
        "$i$": ("i", "i * g"),
        "$di$": ("i * g", "i"),
        "$f$": ("f", "f * c"),
        "$df$": ("f * c", "f"),
        "$g$": ("g", "i * g"),
        "$dg$": ("i * g", "g"),
        "$o$": ("o", "o * tanh"),
        "$do$": ("o * tanh", "o"),
    },
    "gru": {
        "$dx_t$": ("matmul", "x_t"),
        "$dh_{t{-}1}$": ("h_prev", "before"),
        "$dh_t$": ("h_t", "add"),
        "$r$": ("r", "r * h"),
        "$dr$": ("r * h", "r"),
        "$dz$": ("z", "sigma"),
        "$n$": ("n", "(1 - z) * n"),
        "$dn$": ("(1 - z) * n", "n"),
        "$h_{t{-}1} W_{hn} + b_{hn}$": ("matmul", "r * h"),
        "$x_t W_{xn} + b_{xn}$": ("matmul", "x + r * h"),
    },
}


@pytest.mark.parametrize("cell", NAMES)
def test_every_name_of_an_lstm_and_a_gru_is_beside_its_arrow(cell):
    ax, graph = axes_of(lambda: plots.gate_graph(cell)), GRAPHS[cell]
    gradients = {wire[2] for wire in graph["wires"]} - {""}
    assert gradients | {text for text, *_ in graph["labels"] if "N" not in text} == set(NAMES[cell])
    known = nodes_of(ax, graph)
    assert {name: wire_beside(ax, name, known) for name in NAMES[cell]} == NAMES[cell]


@pytest.mark.parametrize(
    ("cell", "way"),
    [
        ("lstm", ["c_prev", "f * c", "add", "c_t", "after"]),
        ("gru", ["before", "h_prev", "z * h", "add", "h_t"]),
    ],
)
def test_the_road_is_straight_and_the_state_only_scaled_and_added_to(cell, way):
    graph = GRAPHS[cell]
    nodes, height = graph["nodes"], graph["road"][2]
    assert {(start, end) for start, end, *_ in graph["wires"]} >= set(pairwise(way))
    assert [nodes[name][1][1] for name in way] == [height] * len(way)
    to_the_right = [nodes[name][1][0] for name in way]
    assert to_the_right == sorted(to_the_right)
    assert [nodes[name][0] for name in way if nodes[name][2:]] == ["*", "+"]
    ax = axes_of(lambda: plots.gate_graph(cell))
    (band,) = (patch for patch in ax.patches if isinstance(patch, Rectangle))
    drawn = zip(nodes, boxes(ax), strict=True)
    inside = [name for name, box in drawn if extent(band).count_contains(extent(box).corners())]
    assert set(inside) == set(way)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


OPERATIONS = {
    "matmul": np.matmul,
    "add": np.add,
    "+": np.add,
    "*": np.multiply,
    "1 −": lambda value: 1 - value,
    "$\\sigma$": sigmoid,
    "tanh": np.tanh,
}


def evaluate(graph, operations, **values):
    """Return the function that computes any node's value from those given, along the wires."""
    wires = [(start, end) for start, end, *_ in graph["wires"]]

    def carried(start, end):
        value = value_of(start)
        if isinstance(value, list):  # of blocks of columns, one for each wire
            value = value[[wire for wire in wires if wire[0] == start].index((start, end))]
        return value

    def value_of(name):
        if name not in values:
            text, _, *size = graph["nodes"][name]
            operands = [carried(*wire) for wire in wires if wire[1] == name]
            values[name] = operations[text](*operands) if size else operands[0]
        return values[name]

    return value_of


N, F, H = 3, 2, 5
rng = np.random.default_rng(6)
x_t, h_prev, c_prev = (rng.normal(size=(N, width)) for width in (F, H, H))


def parameters(n_blocks):
    """Return W_x, W_h and two biases, as lists of one block a gate."""
    shapes = (n_blocks, F, H), (n_blocks, H, H), (n_blocks, H), (n_blocks, H)
    return [list(rng.normal(size=shape)) for shape in shapes]


def rnn_step():
    """Return what is given, the graph's own operations, and what has to come out."""
    (W_x,), (W_h,), (b,), _ = parameters(1)
    given = {"x_t": x_t, "h_prev": h_prev, "W_x": W_x, "W_h": W_h, "b": b}
    return given, {}, {"h_t": np.tanh(x_t @ W_x + h_prev @ W_h + b)}


def lstm_step():
    W_x, W_h, b, _ = parameters(4)
    a_i, a_f, a_g, a_o = (x_t @ W_x[k] + h_prev @ W_h[k] + b[k] for k in range(4))
    c_t = sigmoid(a_f) * c_prev + sigmoid(a_i) * np.tanh(a_g)
    h_t = sigmoid(a_o) * np.tanh(c_t)

    def matmul(x, h):
        a_t = x @ np.hstack(W_x) + h @ np.hstack(W_h) + np.hstack(b)  # (N, 4H)
        return np.split(a_t, 4, axis=1)

    given = {"x_t": x_t, "h_prev": h_prev, "c_prev": c_prev}
    return given, {"matmul\n$+\\;b$": matmul}, {"c_t": c_t, "after": c_t, "h_t": h_t}


def gru_step():
    (W_xr, W_xz, W_xn), (W_hr, W_hz, W_hn), b_x, b_h = parameters(3)
    r = sigmoid(x_t @ W_xr + b_x[0] + h_prev @ W_hr + b_h[0])
    z = sigmoid(x_t @ W_xz + b_x[1] + h_prev @ W_hz + b_h[1])
    n = np.tanh(x_t @ W_xn + b_x[2] + r * (h_prev @ W_hn + b_h[2]))

    def matmul(x, h):
        from_x = x @ np.hstack([W_xr, W_xz, W_xn]) + np.hstack(b_x)  # (N, 3H)
        from_h = h @ np.hstack([W_hr, W_hz, W_hn]) + np.hstack(b_h)  # (N, 3H)
        (x_r, x_z, x_n), (h_r, h_z, h_n) = (np.split(a, 3, axis=1) for a in (from_x, from_h))
        return [x_r + h_r, x_z + h_z, x_n, h_n]

    given = {"x_t": x_t, "before": h_prev}
    return given, {"matmul\n$+\\;b_x$, $b_h$": matmul}, {"h_t": (1 - z) * n + z * h_prev}


STEPS = {"rnn": rnn_step(), "lstm": lstm_step(), "gru": gru_step()}


def computes_the_step(graph, given, operations, expected):
    value_of = evaluate(graph, OPERATIONS | operations, **given)
    try:
        return all(
            np.allclose(value_of(name), value, rtol=0, atol=1e-12)
            for name, value in expected.items()
        )
    except (TypeError, ValueError, IndexError, RecursionError):  # wires of something else
        return False


@pytest.mark.parametrize("cell", GRAPHS)
def test_the_graph_computes_the_step(cell):
    assert computes_the_step(GRAPHS[cell], *STEPS[cell])


@pytest.mark.parametrize(
    ("cell", "harmless"),
    [("rnn", {("matmul x", "b"), ("matmul h", "b")}), ("lstm", set()), ("gru", set())],
)  # it does not matter which two of three numbers are added first
def test_wires_to_each_others_gates_are_found(cell, harmless):
    missed = set()
    for one, other in combinations(range(len(GRAPHS[cell]["wires"])), 2):
        graph = copy.deepcopy(GRAPHS[cell])
        a, b = graph["wires"][one], graph["wires"][other]
        a[1], b[1] = b[1], a[1]
        changed = a[1] != b[1] and (a[0] != b[0] or a[0] == "matmul")
        if changed and computes_the_step(graph, *STEPS[cell]):
            missed.add((a[0], b[0]))
    assert missed == harmless


# The unrolled network.


@pytest.mark.parametrize("n_steps", [1, 4])
def test_unrolled_has_every_wire(n_steps):
    cell, black = "tanh $+\\;b$", "#222222"
    expected = [(cell, cell, BLUE), ("$h_0$ (N, H)", cell, BLUE)]
    expected += [(cell, cell, BLUE)] * (n_steps - 1)
    for t in ("t", *range(1, n_steps + 1)):
        expected += [(f"$x_{{{t}}}$ (N, F)", cell, black), (cell, f"$h_{{{t}}}$ (N, H)", black)]
    assert sorted(wires(axes_of(lambda: plots.unrolled(n_steps)))) == sorted(expected)


def test_unrolled_has_one_color_for_W_h_alone():
    ax = axes_of(plots.unrolled)
    blue = [text.get_text() for text in ax.texts if text.get_color() == BLUE]
    assert blue == ["$W_h$"] * 5 == [t.get_text() for t in ax.texts if t.get_text() == "$W_h$"]
    assert [color for *_, color in wires(ax)].count(BLUE) == 5


def test_unrolled_names_states_on_their_way_and_the_parameters():
    names = [text.get_text() for text in plots.unrolled(4).texts]
    for name in ("$h_{1}$", "$h_{2}$", "$h_{3}$"):
        assert name in names
    assert names.count("$W_x$") == 5
    assert any("x_t W_x + h_{t-1} W_h + b" in name for name in names)


# Back through time.


def touched_by_the_layer(n_steps, bptt_steps):
    """For a gradient that enters at one step alone: where dx is not 0, and where it stops."""
    rng = np.random.default_rng(3)
    layer = SimpleRNN(2, 3, bptt_steps=bptt_steps, rng=rng)
    found = []
    for entry in range(1, n_steps + 1):
        layer.forward(rng.normal(size=(4, n_steps, 2)), h0=rng.normal(size=(4, 3)))
        dh = np.zeros((4, n_steps, 3))
        dh[:, entry - 1] = rng.normal(size=(4, 3))
        dx = layer.backward(dh)
        cells = tuple(1 + t for t in reversed(range(n_steps)) if dx[:, t].any())
        assert layer.dh0.any() == (cells[-1] == 1 and (bptt_steps or n_steps) >= entry)
        found.append((entry, cells, 0 if layer.dh0.any() else cells[-1] - 1))
    return found


def read_off(ax):
    """Read (entry, cells, stop) off the picture: from the dots, the arrows and the stop marks."""
    names = {t.get_text(): t.get_position()[0] for t in ax.texts}
    steps = {round(x, 6): int(name.split()[1]) for name, x in names.items() if "step " in name}
    found = {}
    for line in ax.lines:
        if line.get_marker() == "o":
            cells = tuple(steps[round(x, 6)] for x in line.get_xdata())
            found[round(line.get_ydata()[0], 6)] = cells
    rows = []
    for height, cells in sorted(found.items(), reverse=True):
        y = ax.transData.transform((0, height))[1]
        (arrow,) = (a for a in arrows(ax) if is_lane(a) and abs(ends(a)[1][1] - y) < 1)
        start, tip = (ax.transData.inverted().transform(end)[0] for end in ends(arrow))
        entry = max(t for x, t in steps.items() if x < start)
        before = [t for x, t in steps.items() if x < tip]
        end = at(places(ax), ends(arrow)[1])
        assert end in ("stop", "$h_0$")
        rows.append((entry, cells, max(before) if end == "stop" else 0))
    return rows


def is_lane(arrow):
    """Whether an arrow turns from down to left."""
    start, tip = ends(arrow)
    return start[0] - tip[0] > 5 and start[1] - tip[1] > 5


@pytest.mark.parametrize(("n_steps", "bptt_steps"), [(1, 1), (5, None), (5, 1), (5, 2), (5, 5)])
def test_back_through_time_is_what_the_layer_does(n_steps, bptt_steps):
    _, ax = plt.subplots()
    returned = plots.back_through_time(n_steps, bptt_steps, ax=ax)
    assert returned == touched_by_the_layer(n_steps, bptt_steps)


@pytest.mark.parametrize("bptt_steps", [1, 3])
def test_a_truncation_off_by_one_is_found(bptt_steps):
    truth = touched_by_the_layer(5, bptt_steps)
    assert plots.back_through_time(5, bptt_steps + 1) != truth
    assert plots.back_through_time(5, bptt_steps) != touched_by_the_layer(5, bptt_steps + 1)


@pytest.mark.parametrize("bptt_steps", [None, 1, 2, 4, 5, 9])
def test_back_through_time_draws_what_it_returns(bptt_steps):
    returned = []
    ax = axes_of(lambda: returned.extend(plots.back_through_time(5, bptt_steps)))
    assert read_off(ax) == returned


def test_a_stop_mark_in_the_wrong_place_is_found():
    returned = []
    ax = axes_of(lambda: returned.extend(plots.back_through_time(5, 2)))
    lane = [arrow for arrow in arrows(ax) if is_lane(arrow)][-1]
    bar = ax.lines[-1]
    shift = ax.transData.inverted().transform(ends(lane)[1])[0] - 1.15
    lane.set_positions(None, (shift, bar.get_ydata().mean()))  # one cell further
    bar.set_xdata([shift, shift])
    ax.figure.canvas.draw()
    assert read_off(ax) != returned


def test_back_through_time_has_every_wire_and_name():
    ax = axes_of(lambda: plots.back_through_time(3, 1))
    drawn, names = wires(ax), [text.get_text() for text in ax.texts]
    assert drawn.count(("loss", "", ORANGE)) == 3  # one gradient into each cell
    forward = [wire for wire in drawn if wire[2] == BLUE]
    assert forward == [("$h_0$", "", BLUE), ("", "", BLUE), ("", "", BLUE)]
    for name in ("$dh_{1}$", "$dh_{2}$", "$dh_{3}$", "$h_{1}$", "$h_{2}$", "$dh_0$", "step 3"):
        assert name in names
    assert any("bar: stops here" in name for name in names)


def test_nothing_stops_in_a_full_gradient():
    names = [text.get_text() for text in axes_of(plots.back_through_time).texts]
    assert not any("bar" in name for name in names)


# The gradient map.


def faults_of_map(ax, norms):
    """Cells that are blank and should not be, colored and should not be, or of another value."""
    (image,) = ax.get_images()
    shown = image.get_array()
    wrong = np.ma.getmaskarray(shown) != (norms == 0)
    wrong |= ~np.ma.getmaskarray(shown) & (np.ma.getdata(shown) != norms)
    return np.argwhere(wrong).tolist()


def color_of(ax, t, s):
    """The color in the middle of the cell of steps t and s, counted from 1, as it is drawn."""
    x, y = ax.transData.transform((s, t))
    picture = np.asarray(ax.figure.canvas.buffer_rgba())
    return tuple(picture[len(picture) - 1 - int(y), int(x)])


WHITE = (255, 255, 255, 255)


@pytest.mark.parametrize("n_cells", [2, T])
def test_gradient_map_shows_the_norms_and_leaves_zeros_blank(n_cells):
    band = np.where(lags < n_cells, norms, 0)
    ax = axes_of(lambda: plots.gradient_map(band))
    assert faults_of_map(ax, band) == []
    for t, s in np.ndindex(T, T):
        if t > 1:  # above, the text stands in blank cells
            assert (color_of(ax, t + 1, s + 1) == WHITE) == (band[t, s] == 0)


def test_a_wrong_map_is_found():
    ax = axes_of(lambda: plots.gradient_map(norms))
    assert faults_of_map(ax, norms.T)  # axes exchanged
    assert faults_of_map(ax, np.where(lags < 2, norms, 0))  # colored outside of the band
    tiny = np.where(lags == 5, 1e-300, norms)
    assert faults_of_map(ax, tiny) == [[5, 0]]  # small is not zero


def test_gradient_map_says_what_it_shows():
    ax = plots.gradient_map(norms, title="gain 0.5")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("input at step s", "loss at step t")
    assert ax.get_title() == "gain 0.5"
    assert [text.get_text() for text in ax.texts] == ["white: exactly 0"]
    _, bar = ax.figure.axes
    assert "norm of the gradient" in bar.get_ylabel()
    (image,) = ax.get_images()
    assert isinstance(image.norm, LogNorm)
    assert image.get_cmap().name == "viridis"  # safe for every kind of color vision
    assert [*image.get_extent()] == [0.5, T + 0.5, T + 0.5, 0.5]  # both counted from 1


# The layout in memory.


def rows_of_memory(ax):
    """Read each row off the picture, from the top: indices and colors of its cells, its lines."""
    index = {text.get_position(): text.get_text() for text in ax.texts}
    cells = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    for y in sorted({cell.get_y() for cell in cells}, reverse=True):
        row = sorted((c for c in cells if c.get_y() == y), key=Rectangle.get_x)
        names = [index[tuple(cell.get_center())] for cell in row]
        indices = [tuple(map(int, re.findall(r"\d", name))) for name in names]
        colors = [mpl.colors.to_hex(cell.get_facecolor()).upper() for cell in row]
        lines = [line for drawn in ax.collections for line in drawn.get_segments()]
        start, width = row[0].get_x(), row[0].get_width()
        places = {round((x - start) / width) for (x, bottom), _ in lines if bottom == y}
        yield indices, colors, places


def faults_of_memory(ax, arrays):
    """Wrong indices and colors of cells; lines that are missing, or that nobody needs."""
    faults = []
    for (indices, colors, lines), array in zip(rows_of_memory(ax), arrays.values(), strict=True):
        faults += [index for place, index in enumerate(indices) if array[index] != place]
        steps = [t for _, t, _ in indices]
        faults += [t for t, color in zip(steps, colors, strict=True) if plots.COLORS[t] != color]
        changes = {place for place in range(1, array.size) if steps[place - 1] != steps[place]}
        faults += lines ^ {0, *changes, array.size}
    return faults


def test_memory_layout_shows_what_lies_where():
    assert faults_of_memory(axes_of(PICTURES["memory"]), LAYOUTS) == []


def test_memory_layout_counts_the_pieces():
    names = [text.get_text() for text in axes_of(PICTURES["memory"]).texts]
    for (name, array), n in zip(LAYOUTS.items(), (8, 4, 16, 8), strict=True):
        assert f"{name} in memory: {n} pieces for 4 time steps" in names
        gaps = [np.diff(np.sort(array[:, t], axis=None)) for t in range(4)]
        assert n == 4 + np.count_nonzero(np.array(gaps) > 1)


@pytest.mark.parametrize("what", ["text", "color", "line", "arrays"])
def test_a_wrong_layout_is_found(what):
    ax, arrays = axes_of(PICTURES["memory"]), LAYOUTS
    if what == "text":
        ax.texts[-1].set_text("1\n3\n0")  # is 1, 3, 1
    elif what == "color":
        ax.patches[-1].set_facecolor(plots.COLORS[0])  # is step 3
    elif what == "line":
        ax.collections[0].set_segments(ax.collections[0].get_segments()[:-1])
    else:
        arrays = {name: array.copy(order="K")[::-1] for name, array in LAYOUTS.items()}
    assert faults_of_memory(ax, arrays)


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: plots.unrolled(2, ax=ax),
        lambda ax: plots.back_through_time(2, ax=ax),
        lambda ax: plots.gradient_map(norms, ax=ax),
        lambda ax: plots.gate_graph(ax=ax),
        lambda ax: plots.memory_layout(LAYOUTS, ax=ax),
    ],
)
def test_pictures_are_drawn_where_they_are_told(draw):
    _, (left, right) = plt.subplots(1, 2)
    draw(right)
    assert right.texts and not left.texts and plt.get_fignums() == [1]


# The figures of the lessons, as they were committed. Matplotlib draws a letter as a <use> of its
# outline, which is 100 points high, and scales it: the text first, then what is raised or lowered.

SVG = "{http://www.w3.org/2000/svg}"


def letters(node, size=100):
    """The size in points of each letter below a node."""
    size *= float((re.search(r"scale\(([\d.]+)", node.get("transform", "")) or (0, 1))[1])
    if node.tag == f"{SVG}use":
        yield size
    for child in node:
        if child.tag != f"{SVG}defs":
            yield from letters(child, size)


def smallest_letter(svg):
    """Its height in pixels on a phone, where a figure that is too wide is made narrower."""
    figure = ElementTree.fromstring(svg)
    texts = [g for g in figure.iter(f"{SVG}g") if g.get("id", "").startswith("text_")]
    width = float(figure.get("width").removesuffix("pt"))
    return min(size for text in texts for size in letters(text)) * min(PHONE / width, 4 / 3)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_figures_of_a_lesson_are_legible_on_a_phone(path):
    outputs = [
        (cell["id"], output) for cell in code_cells(load(path)) for output in cell["outputs"]
    ]
    heights = [
        (name, smallest_letter("".join(output["data"]["image/svg+xml"])))
        for name, output in outputs
        if "image/svg+xml" in output.get("data", {})
    ]
    assert heights or path.stem == "appendix_side_steps"  # which has none
    assert [(name, px) for name, px in heights if px < 6] == []


@pytest.mark.parametrize(
    ("text", "inches", "pixels"),
    [("plain", 7.2, 9 * PHONE / 518.4), ("$x_t$", 7.2, 6.3 * PHONE / 518.4), ("$t$", 2, 12)],
)
def test_letters_are_measured(text, inches, pixels):
    figure, drawn = plt.figure(figsize=(inches, 1)), io.StringIO()
    figure.text(0.1, 0.5, text, fontsize=9, rotation=90)
    figure.savefig(drawn, format="svg")
    assert smallest_letter(drawn.getvalue()) == pytest.approx(pixels)
