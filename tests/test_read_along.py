"""Lesson 4's pictures of reading: what they show is right, and each check catches a mistake."""

import fnmatch
import itertools
import json
import math
import re
import tomllib
import types
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import numpy as np
import pytest
import test_browser
from in_browser import CHROMIUM
from matplotlib.patches import FancyArrowPatch, Rectangle
from matplotlib.text import Text
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from playwright.sync_api import TimeoutError

from rnn_lib import plots

pytestmark = [pytest.mark.lesson4, pytest.mark.usefixtures("no_window")]
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

RNG = np.random.default_rng(0)
WORDS = ["the", "</script><b>", "boring", "the", "<!--", 'say "no"', "R&D", "$words", "’s"]
P = [0.7, 0.9, 0.04, 0.041, 0.0, 1e-12, 0.6, 1.0, 0.499]
STATES = RNG.uniform(-1, 1, (len(WORDS), 3))
STATES[0, 0] = -0.001  # shown as 0.00, not as -0.00


class Page(HTMLParser):
    """The buttons and the scripts of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.buttons, self.scripts, self.inside = [], [], [], None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag in ("button", "script"):
            self.inside = {**dict(attrs), "text": ""}
            (self.buttons if tag == "button" else self.scripts).append(self.inside)

    def handle_endtag(self, tag):
        if tag in ("button", "script"):
            self.inside = None

    def handle_data(self, data):
        if self.inside is not None:
            self.inside["text"] += data


def expected():
    """For each word its sign, the change of the log-odds, and the log-odds, each in words."""
    log_odds = [math.log(q / (1 - q)) for q in (min(max(p, 1e-9), 1 - 1e-9) for p in P)]
    for after, before in zip(log_odds, [0, *log_odds], strict=False):
        change = f"{round(after - before, 1) + 0.0:+.1f}"
        sign = "=" if float(change) == 0 else "+" if after > before else "−"
        yield sign, change, f"{round(after, 1) + 0.0:.1f}"


def check_words(plots):
    """Every word stands there once, in its order, as it was typed; nothing else is a tag."""
    page = Page(plots.read_along(WORDS, P, STATES))
    signs = [sign for sign, _, _ in expected()]
    assert [b["text"] for b in page.buttons] == list(map("".join, zip(WORDS, signs, strict=True)))
    assert {"+", "−", "="} == set(signs)
    assert set(page.tags) == {"div", "style", "p", "button", "sup", "span", "script"}


def check_labels(plots):
    for button, word, p, (_, change, _) in zip(
        Page(plots.read_along(WORDS, P, STATES)).buttons, WORDS, P, expected(), strict=True
    ):
        assert button["aria-label"] == f"{word}, change {change}, probability of positive {p:.2f}"


def check_data(plots):
    html = plots.read_along(WORDS, P, STATES)
    assert html.count("</script") == 2
    data, _ = Page(html).scripts
    assert data["type"] == "application/json" and "<" not in data["text"]
    steps = json.loads(data["text"])
    for step, word, p, h, (_, change, level) in zip(
        steps, WORDS, P, STATES, expected(), strict=True
    ):
        assert step["word"] == word and abs(step["p"] - p) < 0.001
        assert step["numbers"] == f"P(positive) {p:.2f}, log-odds {level}, change {change}"
        assert np.allclose(step["states"], h, atol=0.005)
    assert "-0.0," not in data["text"]


def check_colors(plots):
    """Blue and a line above where p > 0.5, else orange and a line below."""
    for button, p in zip(Page(plots.read_along(WORDS, P, STATES)).buttons, P, strict=True):
        color, side = ("0, 114, 178", "top") if p > 0.5 else ("213, 94, 0", "bottom")
        assert f"--tint: rgba({color}, {round(abs(p - 0.5), 2)})" in button["style"]
        assert f"border-{side}: 3px solid rgb({color})" in button["style"]


def check_same_bytes(plots):
    one, two = plots.read_along(WORDS, P, STATES), plots.read_along(WORDS, P, STATES)
    assert one == two
    assert not re.search(r"\sid=|getElementById|https?:|//\w", one), "an id, or an address"
    assert plots.read_along(WORDS, np.float32(P), STATES.astype("float32")).count("np.") == 0


SENTENCE = ["a", "boring", "plot", "but", "a", "moving", "end"]
IDS = [4, 354, 109, 5, 4, 706, 1]
ROWS = RNG.normal(size=(10_000, 6))[IDS]
H = RNG.uniform(-1, 1, (7, 5))


def verdict(plots, p=0.734):
    return plots.text_to_verdict(SENTENCE, IDS, ROWS, H, H.mean(axis=0), p)


def cells(ax):
    """What stands in the cells, and their places: (left edge, vertical center) -> text."""
    at = {tuple(np.round(text.get_position(), 6)): text.get_text() for text in ax.texts}
    return {
        (round(x - 0.25, 2), round(y, 6)): text
        for (x, y), text in at.items()
        if re.fullmatch(r"-?\d\.\d\d", text)
    }


def column(ax, left):
    """The rows of four numbers that begin at `left`, the highest first."""
    here = {(x, y): text for (x, y), text in cells(ax).items() if left - 0.01 < x < left + 1.99}
    rows = sorted({y for _, y in here}, reverse=True)
    return {y: [here[x, y] for x in sorted(x for x, at in here if at == y)] for y in rows}


def shown(vectors):
    return [[f"{value.round(2) + 0.0:.2f}" for value in vector[:4]] for vector in vectors]


def check_verdict_numbers(plots):
    ax = verdict(plots)
    texts = [text.get_text() for text in ax.texts]
    for word, number in zip(SENTENCE, IDS, strict=True):
        assert texts.count(word) == SENTENCE.count(word)
        assert texts.count(str(number)) == IDS.count(number)
    _, first = np.unique(IDS, return_index=True)
    table, states = column(ax, 2.4), column(ax, 4.9)
    assert list(table.values()) == shown(ROWS[first])  # in the order of the ids, each once
    assert list(states.values()) == shown([*H, H.mean(axis=0)])
    assert "P(positive)\n0.73" in texts
    bars = [bar.get_height() for bar in ax.patches if isinstance(bar, Rectangle)][-2:]
    assert bars[1] / bars[0] == pytest.approx(0.734)


def check_arrows(plots):
    """From each word's id an arrow leads to its row, and from there one to its state."""
    ax = verdict(plots)
    _, row_of_word = np.unique(IDS, return_inverse=True)
    table, states = (list(column(ax, left)) for left in (2.4, 4.9))
    ends = []
    for arrow in (patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)):
        vertices = arrow.get_path().vertices
        ends.append([*vertices[0], *vertices[vertices[:, 0].argmax()]])
    for y, row in zip(states, row_of_word, strict=False):  # below the states their mean
        for expected in ([1.92, y, 2.4, table[row]], [4.4, table[row], 4.9, y]):
            assert np.abs(np.array(ends) - expected).max(axis=1).min() < 0.1


def check_rows_that_are_neighbors(plots):
    """Ids 4 and 5 are next to each other; between all other words there is a grey row."""
    ys = np.array(list(column(verdict(plots), 2.4)))  # of ids 1, 4, 5, 109, 354, 706
    height = ys[1] - ys[2]
    assert np.allclose((ys[:-1] - ys[1:]) / height, [2, 1, 2, 2, 2])


def in_pixels(text, width=344):
    """The height of the smallest letter where the figure is `width` pixels wide, as on a phone."""
    size = text.get_fontsize() / 72 * width / text.figure.get_figwidth()
    return size * (0.7 if re.search(r"\$.*[_^]", text.get_text()) else 1)


def check_legible(plots):
    for ax in (verdict(plots), *plane_of_words(plots)):
        ax.figure.draw_without_rendering()
        for text in ax.figure.findobj(Text):
            assert in_pixels(text) >= 6 or not text.get_text(), text


def check_nothing_overlaps(plots):
    figures = [verdict(plots).figure, plane_of_words(plots)[0].figure]
    for figure in figures:
        figure.draw_without_rendering()
        texts = [t for ax in figure.axes for t in ax.texts if t.get_text()]
        boxes = [text.get_window_extent() for text in texts]
        for box, text in zip(boxes, texts, strict=True):
            assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1, f"cut off: {text}"
        for (a, one), (b, two) in itertools.combinations(zip(boxes, texts, strict=True), 2):
            assert not a.padded(-1).overlaps(b.padded(-1)), (one, two)


POSITIVE = [True, False] * 6
NAMES = [f"{'good' if side else 'bad'}{n}" for n, side in enumerate(POSITIVE)]
BEFORE = np.random.default_rng(1).normal(size=(12, 8))
AFTER = BEFORE + 3 * np.where(POSITIVE, 1, -1)[:, None]


def plane_of_words(plots):
    return plots.word_plane(NAMES, BEFORE, AFTER, POSITIVE)


def check_word_plane(plots):
    axes = plane_of_words(plots)
    for ax, title, vectors in zip(axes, ("before", "after"), (BEFORE, AFTER), strict=True):
        points = plots.plane(vectors)
        assert ax.get_title() == f"{title} training"
        assert [text.get_text() for text in ax.texts] == NAMES
        assert np.allclose([text.xy for text in ax.texts], points)
        good, bad = ax.get_lines()
        assert np.allclose(good.get_xydata(), points[::2]) and good.get_marker() == "o"
        assert np.allclose(bad.get_xydata(), points[1::2]) and bad.get_marker() == "s"
        assert good.get_color() != bad.get_color()
    assert [t.get_text() for t in axes[0].get_legend().texts] == ["positive word", "negative word"]


def distances(points):
    return np.linalg.norm(points[:, None] - points, axis=-1)


def check_plane(plots):
    """Points of a plane in space keep their distances; of others as much as possible is kept."""
    flat = RNG.normal(size=(9, 2))
    turned = flat @ np.linalg.qr(RNG.normal(size=(7, 2)))[0].T + RNG.normal(size=7)  # (9, 7)
    assert np.allclose(distances(plots.plane(turned)), distances(flat))
    points, values = plots.plane(BEFORE), np.linalg.eigvalsh(np.cov(BEFORE.T))
    assert np.allclose(np.cov(points.T), np.diag(values[:-3:-1]))  # (2, 2)
    assert np.allclose(plots.plane(-BEFORE), points) or np.allclose(plots.plane(BEFORE), points)
    assert (points.max(axis=0) >= -points.min(axis=0)).all()


# Each check, and changes of rnn_lib/plots.py that it must notice.
CHECKS = {
    check_words: [
        ('"{label}">{html.escape(word)}', '"{label}">{word}'),
        ("'=+−'[", "'=−+'["),
        (".round(1) + 0.0  # no -0.0", ".round(3) + 0.0"),
    ],
    check_labels: [
        ("np.diff(log_odds, prepend=0)", "-np.diff(log_odds, prepend=0)"),
        ("np.diff(log_odds, prepend=0)", "np.diff(log_odds, prepend=log_odds[0])"),
        ('html.escape(f"{word}, change', 'str(f"{word}, change'),
        ("1e-9, 1 - 1e-9)", "1e-3, 1 - 1e-3)"),
    ],
    check_data: [
        ('.replace("<", r"\\u003c")', ""),
        ("np.asarray(states, dtype=float).round(2)", "-np.asarray(states, dtype=float).round(2)"),
        (".round(2) + 0.0", ".round(2)"),
        ("{level:z.1f}", "{level:.1f}"),
    ],
    check_colors: [('"top") if p_t > 0.5', '"top") if p_t < 0.5')],
    check_same_bytes: [
        ("data=data,", "data=data + str(np.random.rand()),"),
        ("<button type", "<button id=word type"),
        ("[float(p_t) for p_t in probabilities]", "np.array(probabilities, float)"),
    ],
    check_verdict_numbers: [
        ("_cells(ax, 2.4, edges[1 + slot], rows[t]", "_cells(ax, 2.4, edges[1 + slot], rows[0]"),
        ("0.3, mean, 0.27", "0.3, states[-1], 0.27"),
        ("(probability, COLORS[0])", "(1 - probability, COLORS[0])"),
    ],
    check_arrows: [("edges[1 + slots[row_of_word]]", "edges[1 + slots[row_of_word]][::-1]")],
    check_rows_that_are_neighbors: [("append=np.inf) > 1", "append=np.inf) > 0")],
    check_legible: [
        ('f"{value:z.2f}", "#222222", fontsize=11', 'f"{value:z.2f}", "#222222", fontsize=9'),
        ("figsize=(7.8, 5.2)", "figsize=(8.6, 5.2)"),
    ],
    check_nothing_overlaps: [
        ("covered(min(_SIDES, key=covered))", "covered((1, 0))"),
        ("_label(ax, (1.1, y), words[t]", "_label(ax, (0.1, y), words[t]"),
    ],
    check_word_plane: [
        ("np.equal(positive, kind)", "np.not_equal(positive, kind)"),
        ('("before", "after"), (before, after)', '("before", "after"), (after, before)'),
    ],
    check_plane: [
        ("vectors - vectors.mean(axis=0)", "vectors - 0"),
        ("[2][:2]  # (2, F)", "[2][1:3]"),
        ("points * np.sign(", "-points * np.sign("),
    ],
}


@pytest.mark.parametrize("check", CHECKS)
def test_is_right(check):
    check(plots)


@pytest.mark.parametrize(
    "check, old, new", [(check, *change) for check, changes in CHECKS.items() for change in changes]
)
def test_a_mistake_is_noticed(check, old, new):
    source = Path(plots.__file__).read_text(encoding="utf-8")
    assert old in source
    changed = types.ModuleType("changed")
    exec(compile(source.replace(old, new), "changed", "exec"), changed.__dict__)
    with pytest.raises(AssertionError):
        check(changed)


def test_a_probability_for_each_word():
    with pytest.raises(ValueError, match="zip"):
        plots.read_along(["one", "two"], [0.5], [[0.1]])


def test_the_page_ships_with_the_package():
    settings = tomllib.loads((test_browser.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["rnn_lib"]
    assert any(fnmatch.fnmatch("read_along.html", pattern) for pattern in patterns)


# In a browser

LIGHT, DARK = ("#fff", "rgba(0, 0, 0, 0.87)"), ("#111", "rgba(255, 255, 255, 0.87)")


def put(page, *outputs, theme=LIGHT):
    ground, text = theme
    outputs = "".join(f"<div class='output'>{output}</div>" for output in outputs)
    page.set_content(f"<body style='background: {ground}; color: {text}'>{outputs}</body>")


def line(page, number=0):
    return page.locator(".read-along [aria-live]").nth(number).inner_text()


def check_keys(page, html):
    """Three steps to the right, to the ends, with Tab, and with the mouse; no other copy moves."""
    put(page, html, html)
    words = page.locator(".output").first.locator("button")

    def expect(n):
        _, change, level = list(expected())[n]
        numbers = f"P(positive) {P[n]:.2f}, log-odds {level}, change {change}"
        assert line(page) == f"{WORDS[n]}: {numbers}. States after it:"
        states = ", ".join(f"{h + 0.0:.2f}" for h in STATES[n].round(2))
        strip = page.locator(".states").first
        assert strip.get_attribute("aria-label") == f"states: {states}"
        assert strip.inner_text().split() == states.split(", ")
        now = [word.get_attribute("aria-current") for word in words.all()]
        assert now == ["true" if i == n else "false" for i in range(len(WORDS))]

    other = line(page, 1)
    assert other == line(page)
    expect(len(WORDS) - 1)
    page.keyboard.press("Tab")
    expect(0)
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(3)
    page.keyboard.press("ArrowLeft")
    expect(2)
    page.keyboard.press("Tab")
    expect(3)
    for key, n in (("Home", 0), ("ArrowLeft", 0), ("End", 8), ("ArrowRight", 8), ("Alt+Home", 8)):
        page.keyboard.press(key)
        expect(n)
    words.nth(4).click()
    expect(4)
    assert line(page, 1) == other
    assert (page.complaints, page.requests) == ([], [])


@needs_browser
def test_keys(page):
    check_keys(page, plots.read_along(WORDS, P, STATES))


@needs_browser
@pytest.mark.parametrize(
    "old, new",
    [
        ("ArrowRight: now + 1", "ArrowRight: now + 2"),
        ("document.currentScript.parentElement", "document.querySelector('.read-along')"),
        ("i === now", "i >= now"),
        ("event.altKey ||", ""),
        (r"\u003c/script>", "</script>"),
    ],
)
def test_a_mistake_in_the_script_is_noticed(page, old, new):
    page.set_default_timeout(1000)
    html = plots.read_along(WORDS, P, STATES)
    assert old in html
    with pytest.raises((AssertionError, TimeoutError)):
        check_keys(page, html.replace(old, new))


# The contrast of the text of each element with what is behind it, colors with alpha blended.
CONTRASTS = """elements => elements.map(element => {
    const read = color => color.match(/[\\d.]+/g).map(Number);
    const over = ([r, g, b, a = 1], below) =>
        [r, g, b].map((part, i) => a * part + (1 - a) * below[i]);
    const luminance = color => color.map(part => part / 255)
        .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
    const look = getComputedStyle(element);
    const page = read(getComputedStyle(document.body).backgroundColor);
    const ground = over(read(look.backgroundColor), page);
    const [a, b] = [ground, over(read(look.color), ground)].map(luminance);
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
})"""


def check_contrast(page, html, theme):
    put(page, html, theme=theme)
    for n in range(len(WORDS)):
        page.locator("button").nth(n).focus()
        texts = page.locator("button, .states span, [aria-live], .key")
        assert min(texts.evaluate_all(CONTRASTS)) >= 4.5


@needs_browser
@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_contrast(page, theme):
    full = np.where(STATES > 0, 1.0, -1.0)  # the strongest colors
    html = plots.read_along(WORDS, P, full)
    check_contrast(page, html, theme)
    without_style = re.sub("<style>.*</style>", "", html, flags=re.DOTALL)
    check_contrast(page, without_style, theme)


@needs_browser
@pytest.mark.parametrize(
    "old, new", [("color: inherit !important", "color: gray !important"), ("0.6 *", "1.5 *")]
)
def test_a_weak_contrast_is_noticed(page, old, new):
    html = plots.read_along(WORDS, P, np.where(STATES > 0, 1.0, -1.0))
    assert old in html
    with pytest.raises(AssertionError):
        check_contrast(page, html.replace(old, new), DARK)
        check_contrast(page, html.replace(old, new), LIGHT)


@needs_browser
@pytest.mark.parametrize("kept", ["style", "nothing"])
def test_without_scripts_the_words_remain(browser, kept):
    html = plots.read_along(WORDS, P, STATES)
    if kept == "nothing":  # as on GitHub
        html = re.sub(r"<(style|script).*?</\1>| style=\".*?\"", "", html, flags=re.DOTALL)
    page = browser.new_page(java_script_enabled=False)
    put(page, html)
    signs = [sign for sign, _, _ in expected()]
    shown = page.locator("button").all_inner_texts()
    assert shown == [word + sign for word, sign in zip(WORDS, signs, strict=True)]
    assert page.locator(".read-along").inner_text().count("Click a word") == 0
    page.close()


# JupyterLab has uses for arrow keys, too, and removes scripts and styles that it does not trust.


def in_lab(lab, page, html, runs):
    """Show a page as the output of a cell between headings, made here or found in the file."""
    folder, address = lab
    code = new_code_cell(f"from IPython.display import HTML\nHTML({html!r})")
    if not runs:
        code.outputs = [new_output("display_data", {"text/html": html})]
    cells = [new_markdown_cell("# Before"), code, new_markdown_cell("# After")]
    notebook = new_notebook(cells=cells)
    notebook.metadata = test_browser.load(test_browser.LESSONS[0]).metadata
    nbformat.write(notebook, folder / "words.ipynb")
    test_browser.open_lesson(page, address, "words")
    if runs:
        test_browser.run_all(page, 60)
    return page.locator(".read-along button")


def check_keys_in_lab(lab, page, html):
    in_lab(lab, page, html, runs=True).nth(2).click()
    for key, n in (("ArrowRight", 3), ("ArrowLeft", 2), ("Tab", 3), ("End", 8), ("Home", 0)):
        page.keyboard.press(key)
        assert line(page).startswith(f"{WORDS[n]}: P(positive) {P[n]:.2f}"), key
        cell = "window.jupyterapp.shell.currentWidget.content.activeCellIndex"
        assert page.evaluate(cell) == 1, f"{key} has left the cell"
    assert page.complaints == []


@needs_browser
@pytest.mark.slow
def test_keys_in_jupyterlab(lab, page):
    check_keys_in_lab(lab, page, plots.read_along(WORDS, P, STATES))


@needs_browser
@pytest.mark.slow
def test_a_mistake_in_jupyterlab_is_noticed(lab, page):
    html = plots.read_along(WORDS, P, STATES)
    assert "ArrowLeft: now - 1" in html
    with pytest.raises(AssertionError, match="ArrowLeft"):
        check_keys_in_lab(lab, page, html.replace("ArrowLeft: now - 1", "ArrowLeft: now - 2"))


@needs_browser
@pytest.mark.slow
@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_untrusted_words_in_jupyterlab(lab, page, theme):
    words = in_lab(lab, page, plots.read_along(WORDS, P, STATES), runs=False)
    page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme
    )
    signs = [sign for sign, _, _ in expected()]
    assert words.all_inner_texts() == [w + sign for w, sign in zip(WORDS, signs, strict=True)]
    assert page.locator(".read-along script, .read-along style").count() == 0
    assert min(words.evaluate_all(CONTRASTS)) >= 4.5


def test_the_two_answers_have_the_names_that_are_given():
    page = plots.read_along(["a"], [0.7], np.zeros((1, 2)), answers=("inside", "outside"))
    assert "P(inside) 0.70" in page and "probability of inside 0.70" in page
    assert "line above: inside so far" in page and "line below: outside so far" in page
    assert "positive" not in page and "negative" not in page
