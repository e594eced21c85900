"""Plots: pictures of arrays, and nothing else.

Each function draws what it is given on a matplotlib axes and returns that axes. It computes nothing
that a test could not see: averaging, sorting and choosing are done by the caller, who can print
the same numbers. In a notebook figures are SVG, sharp on every screen and the same in every run.
"""

import html
import json
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from string import Template

import IPython
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator, PercentFormatter
from matplotlib.transforms import Bbox
from matplotlib_inline.backend_inline import set_matplotlib_formats

# Okabe and Ito's palette: these four stay apart for every kind of color vision, and in print.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")

plt.rcParams["svg.hashsalt"] = "rnn_lib"
if IPython.get_ipython():
    set_matplotlib_formats("svg", metadata={"Date": None, "Creator": None})


def learning_curves(
    history: Mapping[str, Sequence[float]], axes: Sequence[Axes] | None = None
) -> np.ndarray:
    """Draw loss and accuracy against epochs, side by side.

    Parameters
    ----------
    history : mapping
        As ``ScratchRNNClassifier.history_``: ``loss``, ``accuracy`` and, where there was
        validation, ``val_loss``, ``val_accuracy``; one number per epoch, accuracies in 0 to 1.
    axes : sequence of two Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    ndarray of Axes, shape (2,)
        Loss on the left, accuracy on the right.
    """
    if axes is None:
        _, axes = plt.subplots(1, 2, figsize=(6.4, 2.9), layout="constrained")
    epochs = np.arange(1, len(history["loss"]) + 1)
    for ax, name, unit in zip(axes, ("loss", "accuracy"), (" (nats per label)", ""), strict=True):
        ax.plot(epochs, history[name], "o-", color=COLORS[0], label="training")
        if f"val_{name}" in history:
            ax.plot(epochs, history[f"val_{name}"], "s--", color=COLORS[1], label="validation")
            ax.legend()
        ax.set(xlabel="epoch", ylabel=f"{name}{unit}", title=name.capitalize())
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.grid(alpha=0.3)
    axes[1].yaxis.set_major_formatter(PercentFormatter(1))
    return np.asarray(axes)


def hidden_states(
    h: np.ndarray, steps: Sequence[str] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the states of one sequence as a heat map: time to the right, one row a unit.

    Parameters
    ----------
    h : ndarray, shape (T, H)
        The states; the colors run from -1 to 1, or further where the states do.
    steps : sequence of str, optional
        A name for every step, such as the words read.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        The heat map.
    """
    T, H = h.shape
    ax = _axes(np.clip(1.6 + 0.45 * T, 4, 7.4), np.clip(1.4 + 0.28 * H, 2.2, 6), ax)
    reach = max(1.0, float(np.abs(h).max()))
    image = ax.imshow(h.T, cmap="PuOr", vmin=-reach, vmax=reach, aspect="auto")
    ax.figure.colorbar(image, ax=ax, label="state")
    ax.set(xlabel="time step", ylabel="hidden unit")
    if steps is not None:
        ax.set_xlabel("")
        ax.set_xticks(range(T), steps, rotation=60, ha="right")
    else:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    return ax


def gate_graph(cell: str = "rnn", ax: Axes | None = None) -> Axes:
    """Draw one time step of a recurrent layer as gates, with the arrows of both directions.

    Parameters
    ----------
    cell : {"rnn", "lstm", "gru"}
        Whose step it is. The graphs are data in ``graphs.toml``: nodes and wires.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        The graph. Forward arrows are solid; backward arrows are dashed, run along every wire and
        carry the gradients. An LSTM and a GRU have a band at the top: the straight road of the
        state, c or h, on which it is only scaled and added to.

    Raises
    ------
    ValueError
        If `cell` is none of these names.
    """
    graphs = tomllib.loads(resources.files("rnn_lib").joinpath("graphs.toml").read_text("utf-8"))
    if cell not in graphs:
        raise ValueError(f"cell must be one of {', '.join(map(repr, graphs))}; got {cell!r}")
    graph, nodes = graphs[cell], {}
    ax = _sheet(*graph["size"], ax)
    if "road" in graph:
        left, right, y, text = graph["road"]
        ax.add_patch(Rectangle((left, y - 0.32), right - left, 0.64, color="#FFE9A8"))
        _label(ax, ((left + right) / 2, y + 0.5), text, "#222222")
    for name, (text, center, *size) in graph["nodes"].items():
        nodes[name] = _node(ax, center, text, *size or (0.42, 0.3), framed=bool(size))
    for start, end, gradient, side in graph["wires"]:
        boxes = nodes[start], nodes[end]
        ends = np.array([graph["nodes"][name][1] for name in (start, end)])
        # A wire meets a high box at the height of its other end.
        reach = np.maximum([box.get_height() / 2 - 0.25 for box in boxes], 0)
        ends[:, 1] += np.clip(ends[::-1, 1] - ends[:, 1], -reach, reach)
        along = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
        across = np.array([-along[1], along[0]])  # to the left
        shift = np.copysign(0.05, side) * across
        _arrow(ax, *(ends - shift), COLORS[0], boxes)
        _arrow(ax, *(ends + shift)[::-1], COLORS[1], boxes[::-1], linestyle="--")
        _label(ax, ends.mean(axis=0) + side * across, gradient, COLORS[1])
    for text, *center in graph["labels"]:
        _label(ax, center, text, COLORS[0])
    x, y = graph["legend"]
    _arrow(ax, (x, y), (x + 0.5, y), COLORS[0])
    _arrow(ax, (x + 0.5, y - 0.3), (x, y - 0.3), COLORS[1], linestyle="--")
    _label(ax, (x + 0.65, y), "forward: values", COLORS[0], ha="left")
    _label(ax, (x + 0.65, y - 0.3), "backward: gradients", COLORS[1], ha="left")
    return ax


def curves(
    values: Mapping[str, np.ndarray],
    xlabel: str,
    ylabel: str,
    x: np.ndarray | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw some curves over common numbers.

    Parameters
    ----------
    values : mapping of str to ndarray, shape (n,)
        The curves by their names.
    xlabel, ylabel : str
        What the axes show, with units where there are any.
    x : ndarray, shape (n,), optional
        Where the values belong; 0, 1, 2 ... by default.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        The curves.
    """
    ax = _axes(5.4, 3.4, ax)
    for number, (name, curve) in enumerate(values.items()):
        ax.plot(
            np.arange(len(curve)) if x is None else x,
            curve,
            color=COLORS[number % len(COLORS)],
            marker="os^D"[number % 4] if len(curve) <= 50 else "",
            markevery=max(1, len(curve) // 20),
            markersize=5,
            label=name,
        )
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if x is None:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(alpha=0.3)
    ax.legend()
    return ax


def scores(
    values: Mapping[float, Sequence[float]], xlabel: str, ylabel: str, ax: Axes | None = None
) -> Axes:
    """Draw the scores of several runs for each value of a setting: a dot for each run.

    Parameters
    ----------
    values : mapping of number to sequence of float
        For each value of the setting the scores of its runs, in 0 to 1.
    xlabel, ylabel : str
        What the axes show.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        The setting to the right, the score upwards.
    """
    ax = _axes(5.4, 3.4, ax)
    for setting, runs in values.items():
        ax.plot([setting] * len(runs), runs, "o", color=COLORS[0])
    ax.set(xlabel=xlabel, ylabel=ylabel, ylim=(0, 1.05))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(alpha=0.3)
    return ax


def bars(values: Mapping[str, float], xlabel: str, ax: Axes | None = None) -> Axes:
    """Draw one bar for each name, the first on top, with its number at the end.

    Parameters
    ----------
    values : mapping of str to float
        What the bars show.
    xlabel : str
        What the numbers are, with their unit.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        The bars.
    """
    ax = _axes(7.4, 0.8 + 0.3 * len(values), ax)
    drawn = ax.barh(list(values), list(values.values()), height=0.7, color=COLORS[0])
    ax.bar_label(drawn, fmt="%.1f", padding=3)
    ax.invert_yaxis()
    ax.margins(x=0.1)
    ax.set(xlabel=xlabel)
    ax.grid(axis="x", alpha=0.3)
    return ax


def gradient_by_lag(norms: Mapping[str, np.ndarray], ax: Axes | None = None) -> Axes:
    """Draw how large a gradient still is after it has travelled back some steps.

    Parameters
    ----------
    norms : mapping of str to ndarray, shape (n_lags,)
        For each curve's name the norm of the gradient 0, 1, 2 ... steps back, above 0.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        Lag to the right, norm upwards on a logarithmic scale.
    """
    ax = curves(norms, "lag (time steps back)", "norm of the gradient", ax=ax)
    ax.set_yscale("log")
    return ax


def waterfall(values: Mapping[str, float], xlabel: str, ax: Axes | None = None) -> Axes:
    """Draw how each value follows from the one before: a bar from the one to the other.

    Parameters
    ----------
    values : mapping of str to float
        The values by name, in their order.
    xlabel : str
        What they are, with the unit.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        One row a value, the first one at the top and as a bare tick; at each bar its length.
    """
    ax = _axes(6.4, 0.6 + 0.34 * len(values), ax)
    ends = np.array(list(values.values()))
    gains = np.diff(ends, prepend=ends[0])
    ax.barh(range(len(ends)), gains, left=ends - gains, color=np.where(gains < 0, *COLORS[1::-1]))
    ax.plot(ends[:1], [0], "k|", markersize=14)
    for row, (end, gain) in enumerate(zip(ends, gains, strict=True)):
        text, at = f"{gain:+.1f}" if row else f"{end:.1f}", (max(end, end - gain), row)
        ax.annotate(text, at, (4, 0), textcoords="offset points", va="center")
    ax.set(xlabel=xlabel, xlim=(ends.min() - 2, ends.max() + 4))
    ax.set_yticks(range(len(ends)), list(values))
    ax.invert_yaxis()
    ax.set_axisbelow(True)
    ax.grid(axis="x", alpha=0.3)
    return ax


def dots(
    rows: Mapping[str, Sequence[tuple[float, float]]],
    xlabel: str,
    labels: Sequence[str] = (),
    ax: Axes | None = None,
) -> Axes:
    """Draw means and their spreads, one row a name.

    Parameters
    ----------
    rows : mapping of str to sequence of (float, float)
        For each name its pairs of mean and spread; without any the name is a heading.
    xlabel : str
        What they are, with the unit.
    labels : sequence of str
        What the pairs of a row are; without them there is no legend.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        The first row at the top; the pairs of a row are told apart by color and marker.
    """
    ax = _axes(6.4, 0.7 + 0.26 * len(rows), ax)
    for number in range(max(map(len, rows.values()))):
        points = [(row, *its[number]) for row, its in enumerate(rows.values()) if number < len(its)]
        y, mean, spread = np.transpose(points)
        how = {"color": COLORS[number], "fmt": "osD"[number], "capsize": 3, "markersize": 5}
        label = labels[number] if labels else None
        y = y + 0.24 * number - 0.12 * max(0, len(labels) - 1)
        ax.errorbar(mean, y, xerr=spread, label=label, **how)
    ax.set(xlabel=xlabel)
    ax.set_yticks(range(len(rows)), list(rows))
    for tick, its in zip(ax.get_yticklabels(), rows.values(), strict=True):
        tick.set_fontweight("normal" if its else "bold")
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.grid(axis="x", alpha=0.3)
    if labels:
        ax.legend()
    return ax


def unrolled(n_steps: int = 4, ax: Axes | None = None) -> Axes:
    """Draw the recurrent network twice: as a loop, and unrolled over some time steps.

    Parameters
    ----------
    n_steps : int
        The number of time steps, T. Up to four stay legible on a phone.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        The loop on the left, the chain of T boxes on the right. All arrows through `W_h`, which is
        one matrix, have one color.
    """
    pitch, y, black = 1.15, 1.82, "#222222"
    ax = _sheet(2.7 + pitch * n_steps, 3.5, ax)
    last, last_at = _node(ax, (2.3, y), "$h_0$\n(N, H)", 0.55, 0.44, framed=False), (2.3, y)
    for t in ("t", *range(1, n_steps + 1)):
        x = 0.5 if t == "t" else 2.22 + pitch * t
        box = _node(ax, (x, y), "tanh\n$+\\;b$", 0.6, 0.6)
        x_t = _node(ax, (x, y - 1), f"$x_{{{t}}}$\n(N, F)", 0.55, 0.44, framed=False)
        h_t = _node(ax, (x, y + 1), f"$h_{{{t}}}$\n(N, H)", 0.55, 0.44, framed=False)
        _arrow(ax, (x, y - 1), (x, y), black, (x_t, box))
        _arrow(ax, (x, y), (x, y + 1), black, (box, h_t))
        _label(ax, (x + 0.22, y - 0.54), "$W_x$", black)
        if t == "t":
            bow = [(x + 0.31, y + 0.12), (x + 1, y + 0.5), (x + 1, y - 0.5), (x + 0.31, y - 0.12)]
            loop = Path(bow, [Path.MOVETO] + 3 * [Path.CURVE4])
            _arrow(ax, None, None, COLORS[0], path=loop)
            _label(ax, (x + 1.02, y), "$W_h$", COLORS[0])
        else:
            _arrow(ax, last_at, (x, y), COLORS[0], (last, box))
            _label(ax, (x - pitch / 2, y + 0.18), "$W_h$", COLORS[0])
            if t > 1:
                _label(ax, (x - pitch / 2, y - 0.18), f"$h_{{{t - 1}}}$", black)
            last, last_at = box, (x, y)
    _label(ax, (1.82, y), "=", black, fontsize=20)
    _label(ax, (0.85, 3.3), "the loop", black)
    title = f"unrolled over $T = {n_steps}$ time steps"
    _label(ax, (2.36 + pitch * n_steps / 2, 3.3), title, black)
    formula = "$h_t = \\tanh(x_t W_x + h_{t-1} W_h + b)$\nThe same $W_x$, $W_h$, $b$ at every step"
    _label(ax, (1.35 + pitch * n_steps / 2, 0.28), formula, black)
    return ax


def back_through_time(
    n_steps: int = 5, bptt_steps: int | None = None, ax: Axes | None = None
) -> list[tuple[int, tuple[int, ...], int]]:
    """Draw through which cells each gradient runs back, and return what is drawn.

    A cell is the network at one time step. The gradient that the loss sends into step t passes
    through `bptt_steps` cells, step t among them, and stops at the state before them.

    Parameters
    ----------
    n_steps : int
        The number of time steps, T.
    bptt_steps : int, optional
        The number of cells that each gradient passes through, at least 1. By default each reaches
        the state before the first step.
    ax : Axes, optional
        Where to draw; a new figure by default. Hand in your own if you need the axes afterwards.

    Returns
    -------
    list of (entry, cells, stop)
        For each gradient the step at which it enters, 1 to T, the steps of the cells that it
        passes, from `entry` backwards, and the state at which it stops: h_stop, 0 for h_0.
    """
    pitch, lane, black = 1.15, 0.3, "#222222"
    header = 1.13 + lane * n_steps  # the height at which states go forward
    top, middle = header + 0.25, (header + 0.98) / 2
    ax = _sheet(0.85 + pitch * n_steps, top + 0.95, ax)
    center = 0.35 + pitch * np.arange(n_steps + 1)  # of h_0 and of the cells
    widths, height = [0.42] + n_steps * [0.7], 2 * (top - middle)
    boxes = [
        _node(ax, (x, middle), "", width, height) for x, width in zip(center, widths, strict=True)
    ]
    loss = _node(ax, (center[1:].mean(), top + 0.7), "loss", pitch * n_steps - 0.45, 0.3)
    _label(ax, (center[0], header), "$h_0$", black)
    _label(ax, (center[0], 0.5), "$dh_0$", COLORS[1])
    entries = []
    for entry in range(1, n_steps + 1):
        stop = 0 if bptt_steps is None else max(0, entry - bptt_steps)
        cells = tuple(range(entry, stop, -1))
        entries.append((entry, cells, stop))
        x, y = center[entry], 0.93 + lane * (n_steps - entry)
        _label(ax, (x, 0.5), f"step {entry}", black)
        before, box = boxes[entry - 1 : entry + 1]
        _arrow(ax, (x - pitch, header), (x, header), COLORS[0], (before, box))
        if entry > 1:
            _label(ax, (x - pitch / 2, header + 0.2), f"$h_{{{entry - 1}}}$", COLORS[0])
        _arrow(ax, (x + 0.2, top + 0.7), (x + 0.2, header), COLORS[1], (loss, box))
        _label(ax, (x - 0.05, top + 0.27), f"$dh_{{{entry}}}$", COLORS[1])
        end = center[stop] + (pitch / 2 if stop else 0.21)
        corner = "angle,angleA=-90,angleB=0,rad=6"
        _arrow(ax, (x + 0.2, top + 0.01), (end, y), COLORS[1], connectionstyle=corner)
        ax.plot(center[list(cells)], [y] * len(cells), "o", color=COLORS[1], markersize=5)
        if stop:
            ax.plot([end, end], [y - 0.1, y + 0.1], color=black, linewidth=3)
    note = "dot: adds to $dx$, $dW_x$, $dW_h$, $db$"
    note += "     bar: stops here" if entries[-1][2] else ""
    _label(ax, (center.mean(), 0.15), note, black)
    return entries


def gradient_map(norms: np.ndarray, ax: Axes | None = None, title: str | None = None) -> Axes:
    """Draw how much each input hears of the loss at each step, as a heat map.

    Parameters
    ----------
    norms : ndarray, shape (T, T)
        ``norms[t, s]`` is the norm of the gradient of the loss at step t at the input of step s:
        0 where s > t, and wherever a truncated gradient does not come.
    ax : Axes, optional
        Where to draw; a new figure by default.
    title : str, optional
        What is written above.

    Returns
    -------
    Axes
        One row for each step of the loss, one column for each step of the input, both counted
        from 1. Colors are logarithmic; exact zeros stay white.
    """
    T = len(norms)
    ax = _axes(5, 4, ax)
    values = np.ma.masked_equal(norms, 0)
    steps = (0.5, T + 0.5, T + 0.5, 0.5)  # counted from 1, the first row on top
    image = ax.imshow(values, norm=LogNorm(), interpolation="nearest", extent=steps)
    ax.figure.colorbar(image, ax=ax, label="norm of the gradient", format="{x:g}")
    ax.text(0.96, 0.94, "white: exactly 0", transform=ax.transAxes, ha="right", va="top")
    ax.set(xlabel="input at step s", ylabel="loss at step t", title=title)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    return ax


def memory_layout(arrays: Mapping[str, np.ndarray], ax: Axes | None = None) -> Axes:
    """Draw how small arrays lie in memory: a row of cells for each, in the order of addresses.

    Parameters
    ----------
    arrays : mapping of str to ndarray, shape (N, T, H)
        Arrays of one shape by name, indexed by sample n, time step t and unit h. Where each number
        lies is read off the strides, so that views show what is behind them. Some 16 numbers stay
        legible on a phone.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        The first array on top. Each cell bears its indices n, t, h; the cells of one time step have
        one color. A black line stands wherever the time step changes: what lies between two lines
        is a piece, and the head of the row counts the pieces.
    """
    (N, T, H), wide, black = next(iter(arrays.values())).shape, 0.36, "#222222"
    ax = _sheet(0.55 + wide * N * T * H, 1.5 * len(arrays), ax)
    for row, (name, array) in enumerate(reversed(arrays.items())):
        indices = np.indices(array.shape).reshape(3, -1)  # (3, N * T * H)
        in_memory = indices[:, np.argsort(array.strides @ indices)]
        y, starts = 0.15 + 1.5 * row, np.flatnonzero(np.diff(in_memory[1], prepend=-1))
        head = f"{name} in memory: {len(starts)} pieces for {T} time steps"
        _label(ax, (0.4, y + 1.05), head, black, ha="left")
        _label(ax, (0.2, y + 0.4), "n\n$\\mathbf{t}$\nh", black)
        for i, (n, t, h) in enumerate(in_memory.T):
            cell = Rectangle((0.4 + wide * i, y), wide, 0.8, fc=(COLORS[t % 4], 0.35), ec="white")
            ax.add_patch(cell)
            _label(ax, cell.get_center(), f"{n}\n$\\mathbf{{{t}}}$\n{h}", black)
        ax.vlines(0.4 + wide * np.append(starts, N * T * H), y, y + 0.8, color=black, linewidth=2)
    return ax


def _axes(width, height, ax):
    """Make a figure of some inches, unless there are axes already."""
    return plt.subplots(figsize=(width, height), layout="constrained")[1] if ax is None else ax


def _sheet(width, height, ax):
    """Prepare axes for a diagram; at the default size its unit is an inch."""
    if ax is None:
        ax = plt.figure(figsize=(width, height)).add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    ax.set_axis_off()
    return ax


def _node(ax, center, text, width, height, framed=True):
    """Write into a box, which may be invisible, and return it: arrows end at its edge."""
    corner = center[0] - width / 2, center[1] - height / 2
    fill, edge = ("#F2F2F2", "#555555") if framed else ("none", "none")
    shape = "round,pad=0,rounding_size=0.07"
    box = FancyBboxPatch(corner, width, height, shape, facecolor=fill, edgecolor=edge)
    ax.add_patch(box)
    _label(ax, center, text, "#222222")
    return box


def _label(ax, at, text, color, **look):
    look = {"fontsize": 13.7, "ha": "center", "va": "center"} | look
    ax.text(*at, text, color=color, **look)


def _arrow(ax, start, end, color, boxes=(None, None), **style):
    """Draw an arrow between two points; where these lie in `boxes` it begins and ends outside."""
    look = {"arrowstyle": "-|>", "mutation_scale": 13, "linewidth": 1.5, "color": color}
    look |= {"patchA": boxes[0], "patchB": boxes[1], "shrinkA": 0.7, "shrinkB": 0.7}
    ax.add_patch(FancyArrowPatch(start, end, **look | style))


def read_along(
    words: Sequence[str],
    probabilities: Sequence[float],
    states: np.ndarray,
    answers: tuple[str, str] = ("positive", "negative"),
) -> str:
    """Write words as buttons that show, one after the other, what reading the word changed.

    The line below the words shows the chosen word, the probability p of "positive" after it, the
    log-odds log(p / (1 - p)), how much the word changed them, and the states after it. Before the
    first word p is 0.5. Where scripts do not run, the colored words remain.

    Parameters
    ----------
    words : sequence of str, length T
        Any words; what would be markup in them is shown as it stands.
    probabilities : sequence of float, length T
        For each word the probability after reading it. For the log-odds, probabilities closer than
        1e-9 to 0 or 1 count as 1e-9 away from it.
    states : ndarray, shape (T, H)
        The states after each word, or those of the units to show.
    answers : tuple of two str
        What p is the probability of, and what is so otherwise.

    Returns
    -------
    str
        HTML. Color and line tell the verdict so far, stronger where it is surer: blue with a line
        above for positive, orange with a line below for negative. A sign at each word tells
        whether it raised (+), lowered (−) or kept (=) the log-odds, rounded to one decimal.
    """
    (yes, no), p = answers, [float(p_t) for p_t in probabilities]
    inside = np.clip(p, 1e-9, 1 - 1e-9)
    log_odds = np.log(inside / (1 - inside))  # (T,)
    changes = np.diff(log_odds, prepend=0).round(1) + 0.0  # no -0.0
    shown = np.asarray(states, dtype=float).round(2) + 0.0
    buttons, steps = [], []
    for word, p_t, level, change, h_t in zip(words, p, log_odds, changes, shown, strict=True):
        color, side = ((0, 114, 178), "top") if p_t > 0.5 else ((213, 94, 0), "bottom")
        strength = round(abs(p_t - 0.5), 2)
        pale = tuple(round(255 - strength * (255 - part)) for part in color)
        style = f"--tint: rgba{*color, strength}; background: rgb{pale}; color: black; border: 0; "
        style += f"border-{side}: 3px solid rgb{color}; padding: 3px; padding-{side}: 0"
        label = html.escape(f"{word}, change {change:+.1f}, probability of {yes} {p_t:.2f}")
        start = f'<button type="button" style="{style}" aria-label="{label}">{html.escape(word)}'
        buttons.append(f"{start}<sup>{'=+−'[int(np.sign(change))]}</sup></button>")
        numbers = f"P({yes}) {p_t:.2f}, log-odds {level:z.1f}, change {change:+.1f}"
        steps.append({"word": word, "p": round(p_t, 3), "numbers": numbers, "states": h_t.tolist()})
    data = json.dumps(steps).replace("<", r"\u003c")  # a word must not end the script
    page = resources.files("rnn_lib").joinpath("read_along.html").read_text("utf-8")
    return Template(page).substitute(words=" ".join(buttons), data=data, yes=yes, no=no)


def text_to_verdict(
    words: Sequence[str],
    ids: Sequence[int],
    rows: np.ndarray,
    states: np.ndarray,
    mean: np.ndarray,
    probability: float,
    ax: Axes | None = None,
) -> Axes:
    """Draw how a text becomes a verdict: words, ids, rows of the embedding, states, mean, bar.

    Parameters
    ----------
    words : sequence of str, length T
        About five words.
    ids : sequence of int, length T
        Their ids; equal words have equal ids.
    rows : ndarray, shape (T, F)
        For each word its row of the embedding table; F is at least 4.
    states : ndarray, shape (T, H)
        The state after each word; H is at least 4.
    mean : ndarray, shape (H,)
        Their mean over the words, without a scale.
    probability : float
        The verdict: the probability of "positive".
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        The diagram, with the first four components of every vector, rounded to two decimals. The
        table is in the order of the ids; neighboring rows that no word uses are one grey row.
    """
    pitch, bottom, black = 0.5, 1.0, "#222222"
    top = bottom + pitch * len(words)
    ax = _sheet(8.2, top + 0.7, ax)
    used, first, row_of_word = np.unique(ids, return_index=True, return_inverse=True)
    others = np.diff(used, prepend=-1, append=np.inf) > 1  # are there rows before, between, after?
    edges = np.linspace(top, bottom, len(used) + others.sum() + 1)  # between the table's rows
    slots = np.arange(len(used)) + np.cumsum(others[:-1])
    height = edges[0] - edges[1]
    ax.add_patch(Rectangle((2.4, bottom), 2, top - bottom, color="#DDDDDD"))
    ax.vlines((2.9, 3.4, 3.9), bottom, top, color="white", linewidth=1)
    for slot, t in zip(slots, first, strict=True):
        _cells(ax, 2.4, edges[1 + slot], rows[t], height, "#FFE9A8")
    reach = max(1, np.abs(states).max())
    for t, y_row in enumerate(edges[1 + slots[row_of_word]]):
        y = top - pitch * (t + 0.5)
        _label(ax, (1.1, y), words[t], black, ha="right")
        _label(ax, (1.65, y), str(ids[t]), black)
        _cells(ax, 4.9, y - 0.135, states[t], 0.27, reach=reach)
        _arrow(ax, (1.15, y), (1.4, y), black)
        _arrow(ax, (1.92, y), (2.4, y_row + height / 2), black)
        _arrow(ax, (4.4, y_row + height / 2), (4.9, y), black)
        if t:
            _arrow(ax, (5.9, y + pitch - 0.11), (5.9, y + 0.11), COLORS[0])
            _label(ax, (6.13, y + pitch / 2), "$W_h$", COLORS[0], fontsize=15.5)
    _arrow(ax, (5.9, bottom + 0.1), (5.9, 0.57), black)
    _label(ax, (4.55, 0.43), "mean", black)
    _cells(ax, 4.9, 0.3, mean, 0.27, reach=reach)
    _arrow(ax, (6.9, 0.43), (7.6, bottom), black, connectionstyle="angle,angleA=0,angleB=90,rad=6")
    for share, color in ((1, "#DDDDDD"), (probability, COLORS[0])):
        ax.add_patch(Rectangle((7.45, bottom), 0.3, share * (top - bottom), color=color))
    heads = {0.8: "words", 1.65: "ids", 3.4: f"embedding table\n(4 of {len(rows[0])} columns)"}
    heads |= {5.9: f"states\n(4 of {len(mean)} units)", 7.6: f"P(positive)\n{probability:.2f}"}
    for x, head in heads.items():
        _label(ax, (x, top + 0.35), head, black)
    return ax


def plane(vectors: np.ndarray) -> np.ndarray:
    """Project vectors on the plane in which they differ most.

    Parameters
    ----------
    vectors : ndarray, shape (n, F)
        At least two vectors of at least two components.

    Returns
    -------
    ndarray, shape (n, 2)
        Their coordinates along the first two right singular vectors of the centered rows, turned
        so that the largest in size of either coordinate is positive.
    """
    centered = vectors - vectors.mean(axis=0)
    directions = np.linalg.svd(centered, full_matrices=False)[2][:2]  # (2, F)
    points = centered @ directions.T
    return points * np.sign(points[np.abs(points).argmax(axis=0), [0, 1]])


def word_plane(
    words: Sequence[str],
    before: np.ndarray,
    after: np.ndarray,
    positive: Sequence[bool],
    axes: Sequence[Axes] | None = None,
) -> np.ndarray:
    """Draw words where their rows of the embedding lie, before and after training.

    Parameters
    ----------
    words : sequence of str, length n
        The words.
    before, after : ndarray, shape (n, F)
        Their rows of the embedding table; each panel shows its own `plane`.
    positive : sequence of bool, length n
        Which words are positive: blue circles, the others orange squares.
    axes : sequence of two Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    ndarray of Axes, shape (2,)
        Both panels, each axis on its own scale. A word stands on that side of its marker where it
        covers least of what is there already; some 25 words find room.
    """
    if axes is None:
        _, axes = plt.subplots(1, 2, figsize=(7.8, 5.2))
        plt.subplots_adjust(left=0.1, right=0.99, bottom=0.1, top=0.87, wspace=0.22)
    for ax, title, vectors in zip(axes, ("before", "after"), (before, after), strict=True):
        points = plane(vectors)  # (n, 2)
        for name, marker, color, kind in (("positive", "o", 0, True), ("negative", "s", 1, False)):
            chosen = points[np.equal(positive, kind)]
            ax.plot(*chosen.T, marker, color=COLORS[color], markersize=5, label=f"{name} word")
        ax.set(title=f"{title} training", xlabel="first direction", ylabel="second direction")
        ax.margins(0.2)
        ax.autoscale_view()  # now each point has its place on the screen
        taken = [Bbox.from_extents(*at - 5, *at + 5) for at in ax.transData.transform(points)]
        for word, point in zip(words, points, strict=True):
            text = ax.annotate(word, point, (0, 0), textcoords="offset points", va="center")
            _place(text, taken)
    axes[0].legend(loc="lower center", bbox_to_anchor=(1.1, 1.06), ncols=2, frameon=False)
    return np.asarray(axes)


_SIDES = [(x, y) for x in (1, -1, 0) for y in (0, 1, -1, 2, -2) if x or y]  # around a point


def _place(text, taken):
    """Move a text to the side of its point where it covers least of what is taken."""

    def covered(side):
        text.set(position=(6 * side[0], 9 * side[1]), ha=("center", "left", "right")[side[0]])
        return text.get_window_extent().count_overlaps(taken)

    covered(min(_SIDES, key=covered))
    taken.append(text.get_window_extent())


def _cells(ax, x, y, values, height, color=None, reach=1):
    """Write a row's first four values into cells: of one color, or of one from orange to purple."""
    for j, value in enumerate(values[:4]):
        shade = color or plt.get_cmap("PuOr")(0.5 + 0.25 * value / reach)
        cell = Rectangle((x + 0.5 * j, y), 0.5, height, facecolor=shade, edgecolor="white")
        ax.add_patch(cell)
        _label(ax, cell.get_center(), f"{value:z.2f}", "#222222", fontsize=11)
