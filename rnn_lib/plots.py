"""Plots: pictures of arrays, and nothing else.

Each function draws what it is given on a matplotlib axes and returns that axes. It computes nothing
that a test could not see: averaging, sorting and choosing are done by the caller, who can print
the same numbers.
"""

import html
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

# Okabe and Ito's palette: these four stay apart for every kind of color vision, and in print.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")


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
        _, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    epochs = np.arange(1, len(history["loss"]) + 1)
    for ax, name, unit in zip(axes, ("loss", "accuracy"), ("nats per label", "share"), strict=True):
        ax.plot(epochs, history[name], "o-", color=COLORS[0], label="training")
        if f"val_{name}" in history:
            ax.plot(epochs, history[f"val_{name}"], "s--", color=COLORS[1], label="validation")
            ax.legend()
        ax.set(xlabel="epoch", ylabel=f"{name} ({unit})", title=name.capitalize())
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.grid(alpha=0.3)
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
    if ax is None:
        size = (np.clip(1.6 + 0.45 * T, 4, 11), np.clip(1.4 + 0.28 * H, 2.2, 6))
        _, ax = plt.subplots(figsize=size, layout="constrained")
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


def gate_graph(ax: Axes | None = None) -> Axes:
    """Draw one time step of the recurrent layer as gates, with the arrows of both directions.

    Parameters
    ----------
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        The graph.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(8.5, 2.8), layout="constrained")
    inputs = {"$x_t$": (0, 2.4), "$W_x$": (0, 1.6), "$h_{t-1}$": (0, 0.8), "$W_h$": (0, 0)}
    gates = {"multiply": (1.8, 2), "multiply ": (1.8, 0.4), "add": (3.6, 1.2), "add ": (5.3, 1.2)}
    gates |= {"tanh": (7, 1.2)}
    ends = {"$b$": (5.3, 0.1), "$h_t$": (8.5, 1.2)}
    at = inputs | gates | ends
    wires = [("$x_t$", "multiply", ""), ("$W_x$", "multiply", ""), ("$h_{t-1}$", "multiply ", "")]
    wires += [("$W_h$", "multiply ", ""), ("multiply", "add", ""), ("multiply ", "add", "")]
    wires += [("add", "add ", ""), ("$b$", "add ", ""), ("add ", "tanh", "$a_t$")]
    wires += [("tanh", "$h_t$", "")]
    forward = {"arrowstyle": "-|>", "color": COLORS[0], "shrinkA": 20, "shrinkB": 26}
    backward = {"arrowstyle": "<|-", "color": COLORS[1], "shrinkA": 20, "shrinkB": 26}
    for start, end, name in wires:
        (x0, y0), (x1, y1) = at[start], at[end]
        for shift, style in ((0.07, forward), (-0.07, backward)):
            side = (-shift, 0) if x0 == x1 else (0, shift)
            ends_at = [(x + side[0], y + side[1]) for x, y in ((x0, y0), (x1, y1))]
            ax.annotate("", ends_at[1], ends_at[0], arrowprops=style | {"linewidth": 1.4})
        ax.text((x0 + x1) / 2, y0 + 0.22, name, ha="center", fontsize=12)
    box = {"boxstyle": "round,pad=0.45", "facecolor": "#F2F2F2", "edgecolor": "#555555"}
    for name, (x, y) in at.items():
        look = {"fontsize": 10, "bbox": box} if name in gates else {"fontsize": 13}
        ax.text(x, y, name.strip(), ha="center", va="center", **look)
    ax.plot([], [], color=COLORS[0], label="forward: values")
    ax.plot([], [], color=COLORS[1], label="backward: gradients")
    ax.legend(loc="upper right", frameon=False)
    ax.set(xlim=(-0.4, 9), ylim=(-0.35, 2.75))
    ax.set_axis_off()
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
    if ax is None:
        _, ax = plt.subplots(figsize=(6.5, 3.6), layout="constrained")
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
    """Draw the scores of several runs for each value of a setting: a dot a run, a line of means.

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
    if ax is None:
        _, ax = plt.subplots(figsize=(6.5, 3.6), layout="constrained")
    means = [np.mean(runs) for runs in values.values()]
    ax.plot(list(values), means, color=COLORS[0], alpha=0.5)
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
    if ax is None:
        _, ax = plt.subplots(figsize=(8, 0.8 + 0.3 * len(values)), layout="constrained")
    drawn = ax.barh(list(values), list(values.values()), height=0.7, color=COLORS[0])
    ax.bar_label(drawn, fmt="%.1f", padding=3)
    ax.invert_yaxis()
    ax.margins(x=0.1)
    ax.set(xlabel=xlabel)
    ax.grid(axis="x", alpha=0.3)
    return ax


def colored_words(words: Sequence[str], probabilities: Sequence[float]) -> str:
    """Write words on colored ground: the surer a verdict, the stronger its color.

    Parameters
    ----------
    words : sequence of str
        Any words; what would be markup in them is shown as it stands.
    probabilities : sequence of float
        For each word the probability after reading it, 0 (orange) to 1 (blue).

    Returns
    -------
    str
        HTML. Colors let the page's ground shine through, so that it suits a dark page, too.
    """
    sides = ("213, 94, 0", "0, 114, 178")  # the palette's orange and blue
    spans = [
        f'<span style="background-color: rgba({sides[int(p > 0.5)]}, {abs(p - 0.5):.2f})">'
        f"{html.escape(word)}</span>"
        for word, p in zip(words, probabilities, strict=True)
    ]
    return '<p style="line-height: 1.8">' + " ".join(spans) + "</p>"


def gradient_by_lag(norms: Mapping[str, np.ndarray], ax: Axes | None = None) -> Axes:
    """Draw how large a gradient still is after it has travelled back some steps.

    Parameters
    ----------
    norms : mapping of str to ndarray, shape (n_lags,)
        For each curve's name the length of the gradient 0, 1, 2 ... steps back, above 0.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        Lag to the right, length upwards on a logarithmic scale.
    """
    ax = curves(norms, "lag (time steps back)", "length of the gradient", ax=ax)
    ax.set_yscale("log")
    return ax
