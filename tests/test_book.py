"""The web book, as a browser shows it: every page of every language, and each fault once."""

import importlib.util
import itertools
import json
import re
import shutil
import tomllib
import urllib.parse
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from in_browser import CHROMIUM

ROOT = Path(__file__).resolve().parents[1]
LESSONS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
PAGES = ["index", *LESSONS, "search", "genindex"]
SAYS_SOMETHING = re.compile(r"\w \w|[ぁ-ヿ一-鿿]{5}")  # two words, or some Japanese

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
    pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm"),
]


def load_make_book():
    spec = importlib.util.spec_from_file_location("make_book", ROOT / "docs" / "make_book.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def make_book():
    return load_make_book()


@pytest.fixture(scope="module")
def book(make_book, tmp_path_factory):
    """Make a book in English and Japanese, and return its folder."""
    folder = tmp_path_factory.mktemp("book")
    make_book.make_book(folder, ROOT / "notebooks")
    return folder


def path_of(book, language, name):
    return book / "html" / ("" if language == "en" else language) / f"{name}.html"


FORMULAS_ARE_SET = "async () => { await window.MathJax?.startup?.promise; }"


def open_page(page, path):
    page.failed = []
    page.on("requestfailed", lambda request: page.failed.append(request.url))
    page.goto(path.as_uri())
    page.evaluate(FORMULAS_ARE_SET)


# Of each kind of highlighted word one is enough for axe, which takes long for thousands.
ONE_OF_A_KIND = """() => {
    const seen = new Set();
    document.querySelectorAll('.highlight span[class]').forEach(word => {
        if (seen.has(word.className)) word.replaceWith(word.textContent);
        seen.add(word.className);
    });
}"""
# Formulas are MathJax's; loading the styles again is not allowed from a file.
WHERE = {"exclude": [["mjx-container"]]}
HOW = {"preload": False, "resultTypes": ["violations"]}


def axe(page, **how):
    found = Axe().run(page, context=WHERE, options=HOW | how).response["violations"]
    return [(one["id"], node["html"][:200]) for one in found for node in one["nodes"]]


def broken_links(page, path):
    """Return the links that lead to no page, or to no place in a page."""
    links = page.evaluate("() => [...document.querySelectorAll('a[href]')].map(a => a.href)")
    broken = []
    for link in sorted(set(links)):
        address, _, place = link.partition("#")
        if not address.startswith("file:"):
            continue
        target = Path(urllib.parse.unquote(urllib.parse.urlsplit(address).path))
        if not target.is_file() or (place and not has_place(page, path, target, place)):
            broken.append(link)
    return broken


def has_place(page, path, target, place):
    place = urllib.parse.unquote(place)
    if target == path:
        return page.evaluate("place => document.getElementById(place) !== null", place)
    return f'id="{place}"' in target.read_text(encoding="utf-8")


# What MathJax cannot read, and commands that it does not know, which it shows in red.
WRONG_FORMULAS = "[data-mml-node=merror], mjx-container [fill=red]"
FIGURES = "() => [...document.querySelectorAll('article img')].map(image => image.alt)"
RAW_FORMULAS = """() => {
    const copy = document.querySelector('main').cloneNode(true);
    copy.querySelectorAll('code, pre, mjx-container, script').forEach(inner => inner.remove());
    return copy.textContent.match(/\\$\\S|\\\\[a-z]+\\{/g) || [];
}"""


def expect_good(page, path, dark=True):
    """Hold a page that is open against what every page of the book promises."""
    root = path.parents[1 if path.parent.name == "ja" else 0].as_uri()
    asked = [url for url in page.requests if not url.startswith((root, "data:"))]
    assert asked == [], "asked elsewhere"
    assert page.failed == [], "a file that is missing"
    assert page.complaints == [], "complaints of the browser"
    assert page.locator(WRONG_FORMULAS).count() == 0, "a formula that is wrong"
    assert page.evaluate(RAW_FORMULAS) == [], "a formula that is not set"
    assert broken_links(page, path) == [], "a broken link"
    figures = page.evaluate(FIGURES)
    assert all(SAYS_SOMETHING.search(text) for text in figures), "a figure without its text"
    page.evaluate(ONE_OF_A_KIND)
    assert axe(page) == [], "what shuts people out"
    if dark:
        page.emulate_media(color_scheme="dark")
        page.wait_for_selector("html[data-theme=dark]")
        page.wait_for_timeout(500)  # colors change little by little
        assert axe(page, runOnly=["color-contrast"]) == [], "what cannot be read in the dark"
    page.set_viewport_size({"width": 390, "height": 800})
    width = page.evaluate("() => document.documentElement.scrollWidth")
    assert width <= 390, "wider than a phone"


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("name", PAGES)
def test_page_is_good(book, page, language, name):
    path = path_of(book, language, name)
    open_page(page, path)
    expect_good(page, path, dark=language == "en")  # the colors are the same


def test_no_page_is_left_out(book):
    found = {path.relative_to(book / "html") for path in (book / "html").rglob("*.html")}
    found = {path for path in found if "_static" not in path.parts}
    expected = [path_of(book, language, name) for language in ("en", "ja") for name in PAGES]
    assert found == {path.relative_to(book / "html") for path in expected}


FAULTS = {
    "asked elsewhere": '<img alt="A picture" src="https://example.invalid/a.png">',
    "a file that is missing": '<img alt="A picture" src="nothing.png">',
    "complaints of the browser": "<script>throw new Error('no')</script>",
    "a formula that is wrong": r'<div class="math">\[\frac{1}{2}}\]</div>',
    "a formula that is wrong ": r'<div class="math">\[\unknown\]</div>',
    "a formula that is not set": r"<p>$x$</p>",
    "a broken link": '<a href="nowhere.html">This way</a>',
    "a broken link ": '<a href="#nowhere">This way</a>',
    "a figure without its text": '<img alt="_images/1f.png" src="_static/file.png">',
    "what shuts people out": "<button></button>",
    "what cannot be read in the dark": '<p style="color: #222; background: none">Dark</p>',
    "wider than a phone": '<div style="width: 500px">Wide</div>',
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_noticed(book, page, fault):
    source = path_of(book, "en", "appendix_side_steps")  # a small page with formulas
    text, ends = re.subn("</article>", lambda _: FAULTS[fault] + "</article>", source.read_text())
    assert ends == 1
    bad = source.with_name("bad.html")
    bad.write_text(text)
    try:
        open_page(page, bad)
        with pytest.raises(AssertionError, match=fault.strip()):
            expect_good(page, bad)
    finally:
        bad.unlink()


def links_of(path, choice):
    """Return where the chosen links of a page lead, each once."""
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    return {(path.parent / link["href"]).resolve() for link in page.select(choice)}


@pytest.mark.parametrize("language", ["en", "ja"])
def test_one_reads_from_page_to_page(book, language):
    pages = [path_of(book, language, name).resolve() for name in ("index", *LESSONS)]
    for here, after in itertools.pairwise(pages):
        assert links_of(here, "a.right-next") == {after}
        assert links_of(after, "a.left-prev") == {here}


@pytest.mark.parametrize("name", PAGES)
def test_languages_are_switched_page_by_page(book, name):
    english, japanese = (path_of(book, language, name).resolve() for language in ("en", "ja"))
    assert links_of(english, "a[hreflang]") == {japanese}
    assert links_of(japanese, "a[hreflang]") == {english}
    assert '<html lang="ja"' in japanese.read_text(encoding="utf-8")


def test_a_click_switches_the_language(book, page):
    page.goto(path_of(book, "en", "02_tiny_array").as_uri())
    page.click("a[hreflang=ja]")
    assert page.url == path_of(book, "ja", "02_tiny_array").as_uri()


def found(book, page, language, words):
    page.goto(f"{path_of(book, language, 'search').as_uri()}?q={urllib.parse.quote(words)}")
    page.wait_for_timeout(2000)
    return page.locator("#search-results li").count()


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "gradient"), ("en", "vanishing gradients"), ("ja", "勾配"), ("ja", "BPTT 逆伝播法")],
)
def test_search_finds(book, page, language, words):
    assert found(book, page, language, words) > 0


@pytest.mark.parametrize(("language", "words"), [("en", "zebra"), ("ja", "勾配縞馬")])
def test_search_finds_nothing_that_is_not_there(book, page, language, words):
    assert found(book, page, language, words) == 0


def test_answers_are_folded_and_open_on_paper(book, page):
    open_page(page, path_of(book, "en", "01_forward"))
    lesson = nbformat.read(ROOT / "notebooks" / "01_forward.ipynb", as_version=4)
    answers = sum(cell.source.count("<details>") for cell in lesson.cells)
    assert page.locator("article details:not([open])").count() == answers > 0
    inside = page.locator("article details p").first
    assert not inside.is_visible()
    page.locator("article summary").first.click()
    assert inside.is_visible()
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert page.locator("article details[open]").count() == answers


def test_a_review_is_read_along_without_a_kernel(book, page):
    open_page(page, path_of(book, "en", "04_imdb"))
    figure = page.locator(".read-along").first
    figure.get_by_text("wonderful").click()
    assert figure.locator("[aria-live]").inner_text().startswith("wonderful:")
    page.keyboard.press("ArrowRight")
    assert not figure.locator("[aria-live]").inner_text().startswith("wonderful:")


def test_every_page_names_the_licenses(book):
    for path in (book / "html").rglob("*.html"):
        if "_static" not in path.parts:
            page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
            (footer,) = page.select("footer.bd-footer-content")
            assert "CC BY 4.0" in footer.text and "MIT" in footer.text


def test_lessons_open_elsewhere_only_where_there_is_an_address(book, make_book, tmp_path):
    def opened(html):
        text = (html / "01_forward.html").read_text(encoding="utf-8")
        return re.findall(r'https://(?:mybinder|colab)\.[^"]+', text)

    notebooks = tmp_path / "notebooks"
    (notebooks / "ja").mkdir(parents=True)
    for folder in (notebooks, notebooks / "ja"):
        lesson = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# One")])
        nbformat.write(lesson, folder / "01_forward.ipynb")
    address = "https://github.com/someone/course"
    make_book.make_book(tmp_path / "book", notebooks, repository=address)

    assert opened(book / "html") == []
    for folder, inside in (("", "notebooks"), ("ja", "notebooks/ja")):
        html = tmp_path / "book" / "html" / folder
        assert sorted(set(opened(html))) == [
            f"https://colab.research.google.com/github/someone/course/blob/main/{inside}/01_forward.ipynb",
            f"https://mybinder.org/v2/gh/someone/course/main?urlpath=lab/tree/{inside}/01_forward.ipynb",
        ]
        text = (html / "01_forward.html").read_text(encoding="utf-8")
        note = BeautifulSoup(text, "html.parser").select_one("article .note")
        assert f"%pip install git+{address}" in note.text


@pytest.mark.parametrize("name", ["rnn-from-scratch", "rnn-from-scratch.ja"])
def test_e_book_can_be_read(book, name):
    """Every page is well-formed, runs nothing, has its formulas as MathML and a text per figure."""
    with zipfile.ZipFile(book / f"{name}.epub") as files:
        assert files.namelist()[0] == "mimetype"
        pages = {n: files.read(n) for n in files.namelist() if n.endswith(".xhtml")}
        names = set(files.namelist())
    assert {f"{lesson}.xhtml" for lesson in LESSONS} <= set(pages)
    formulas = 0
    for path, content in pages.items():
        ElementTree.fromstring(content)
        page = BeautifulSoup(content, "html.parser")
        assert page.find("script") is None and page.find("merror") is None
        formulas += len(page.find_all("math"))
        for image in page.find_all("img"):
            assert SAYS_SOMETHING.search(image["alt"])
            assert str(Path(path).parent / image["src"]) in names
    assert formulas > 100


@pytest.mark.parametrize("path", sorted(ROOT.glob("locale/*/book.toml")))
def test_what_the_book_itself_says_is_translated(make_book, path):
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    assert set(table) == {make_book.LICENSES, make_book.ON_COLAB}
    for sentence in table:
        assert make_book.translated(sentence, path.parent.name) != sentence


def test_the_mathematics_needs_no_other_file(make_book, book):
    assert json.loads((make_book.MATHJAX / "package.json").read_text())["version"] == "3.2.2"
    assert (book / "html" / "_static" / "tex-svg.js").stat().st_size > 1_000_000
