"""How the web book looks, and what is changed on the way from the notebooks to its pages.

These are Sphinx's settings; what depends on the language, ``docs/make_book.py`` passes to it.
"""

import itertools
import json
import re
import subprocess
from pathlib import Path

from babel import Locale, UnknownLocaleError
from docutils import nodes
from sphinx.search.ja import SearchJapanese

from rnn_lib import __version__ as version  # noqa: F401  (Sphinx reads it)

extensions = ["myst_nb"]
author = "the rnn_lib authors"
copyright = author

nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath"]
mathjax_path = "tex-svg.js"

html_theme = "sphinx_book_theme"
html_sidebars = {"**": ["search-button-field.html", "sbt-sidebar-nav.html"]}
html_theme_options = {
    "home_page_in_toc": True,
    "navbar_persistent": [],  # the search is in the sidebar
    "article_header_end": ["languages.html", "article-header-buttons.html"],
}
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system is
html_static_path = ["static"]
html_css_files = ["book.css"]
html_js_files = ["book.js"]
templates_path = ["templates"]

epub_show_urls = "no"


# Japanese as it is written, or a word in Latin letters.
WORDS = r"[\u3005\u3040-\u30ff\u3400-\u9fff]+|[0-9A-Za-z_\u00c0-\u024f]+"


class SearchPairs(SearchJapanese):
    """Search Japanese by pairs of letters.

    Sphinx cuts the pages into words, but not what a reader types: a compound would not be found.
    """

    js_splitter_code = rf"""
var splitQuery = (query) => (query.match(/{WORDS}/gu) || []).flatMap((word) =>
  word < "\u3000" || word.length < 3 ? [word]
    : [...word].slice(1).map((letter, i) => word[i] + letter));
"""

    def split(self, text):
        """Return words in Latin letters, and of Japanese all pairs of neighbors."""
        for word in re.findall(WORDS, text):
            if word < "\u3000" or len(word) < 3:
                yield word
            else:
                yield from map("".join, itertools.pairwise(word))


def setup(app):
    """Connect what is below to Sphinx's events."""
    app.add_config_value("book_languages", ["en"], "html", [list])
    app.add_config_value("book_repository", "", "html", [str])
    app.add_search_language(SearchPairs)
    app.connect("config-inited", add_buttons)
    app.connect("html-page-context", add_languages)
    app.connect("doctree-resolved", prepare)


def add_buttons(app, config):
    """Let each lesson be opened on Binder and Colab, where the project has an address."""
    if config.book_repository:
        folder = "" if config.language == "en" else f"/{config.language}"
        config.html_theme_options |= {
            "repository_url": config.book_repository.removesuffix(".git"),
            "repository_branch": "main",
            "path_to_docs": f"notebooks{folder}",
            "launch_buttons": {
                "binderhub_url": "https://mybinder.org",
                "colab_url": "https://colab.research.google.com",
                "notebook_interface": "jupyterlab",
            },
        }


def add_languages(app, page, template, context, doctree):
    """Tell the template where the same page stands in the other languages."""
    up = "" if app.config.language == "en" else "../"
    context["book_languages"] = [
        (code, name_of(code), f"{up}{'' if code == 'en' else code + '/'}{page}.html")
        for code in app.config.book_languages
        if code != app.config.language
    ]


def name_of(code):
    """Return what a language calls itself."""
    try:
        return Locale.parse(code).get_display_name()
    except UnknownLocaleError:
        return code


def prepare(app, doctree, page):
    """Make formulas and outputs what the format can show: an e-book runs no scripts."""
    if app.builder.name == "epub":
        write_mathml(doctree)
        for output in doctree.findall(nodes.raw):
            still = re.sub("<script.*?</script>", "", output.astext(), flags=re.DOTALL)
            output.children = [nodes.Text(still.replace("<style scoped>", "<style>"))]
    else:
        keep_lines(doctree)


def keep_lines(doctree):
    r"""Pass a formula of several lines on as it is: where Sphinx puts it, `\tag` is an error."""
    for formula in doctree.findall(nodes.math_block):
        if r"\\" in formula.astext():
            formula["no-wrap"] = True
            formula.children = [nodes.Text(rf"\[{formula.astext()}\]")]


def write_mathml(doctree):
    """Replace each formula by its MathML, which MathJax makes; the number comes behind it."""
    formulas = [*doctree.findall(nodes.math), *doctree.findall(nodes.math_block)]
    told = [
        {
            "tex": re.sub(r"\\tag\{(.*?)\}", r"\\qquad (\\text{\1})", formula.astext()),
            "display": isinstance(formula, nodes.math_block),
        }
        for formula in formulas
    ]
    command = ["node", Path(__file__).with_name("mathml.js")]
    done = subprocess.run(
        command, input=json.dumps(told), check=True, capture_output=True, encoding="utf-8"
    )
    for formula, mathml in zip(formulas, json.loads(done.stdout), strict=True):
        formula.replace_self(nodes.raw("", mathml, format="html"))
