"""Make the web book: the committed notebooks as HTML and EPUB, in every language that there is.

    python docs/make_book.py           writes build/book/html/ and an EPUB for each language
    python docs/make_book.py --pdf     prints the book with Chromium, one PDF for each language

Nothing is executed. English stands in ``notebooks/``, another language in the folder with its code,
as ``notebooks/ja/``; its pages go to ``html/ja/`` under the same names. Each language begins with
the first lines of its README. How pages look, and what is changed on the way to them, is set in
``docs/book/conf.py``.

MathJax is fetched through npm once, into ``.venv/``; after that the network is not needed.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "build" / "book"
# MathJax 4 fetches letters that a formula needs from elsewhere; version 3 has them all in one file.
MATHJAX = ROOT / ".venv" / "mathjax-3.2.2"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

LICENSES = "Text and figures: CC BY 4.0. Code: MIT."
LANGUAGE_LINKS = re.compile(r"^\[English\]\(README\.md\).*\n+", re.MULTILINE)
ON_COLAB = "On Colab, first run this in a new cell:"


def fetch_mathjax() -> None:
    """Fetch MathJax where it is missing."""
    if MATHJAX.exists():
        return
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is needed, once, to fetch MathJax. It comes with Node.js.")
    MATHJAX.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=MATHJAX.parent) as folder:
        package = MATHJAX.name.replace("-", "@")
        command = [npm, "pack", "--silent", package, "--pack-destination", folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as files:
            files.extractall(folder, filter="data")
        (Path(folder) / "package").rename(MATHJAX)


def languages(notebooks: Path) -> dict[str, Path]:
    """Return the folder of each language's notebooks, English first."""
    others = sorted({path.parent for path in notebooks.glob("[a-z]*/*.ipynb")})
    return {"en": notebooks} | {folder.name: folder for folder in others}


def readme(language: str) -> str:
    """Return a language's README, the English one where there is no other."""
    own = ROOT / f"README.{language}.md"
    return (own if own.exists() else ROOT / "README.md").read_text(encoding="utf-8")


def translated(sentence: str, language: str) -> str:
    """Return one of the book's own sentences as ``locale/ja/book.toml`` has it, if it does."""
    path = ROOT / "locale" / language / "book.toml"
    table = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return table.get(sentence, sentence)


def first_page(language: str, lessons: list[str]) -> str:
    """Return the README down to its first heading but the title, and the list of lessons."""
    beginning = readme(language).partition("\n## ")[0].replace("docs/read_along", "read_along")
    beginning = LANGUAGE_LINKS.sub("", beginning)  # each page of the book has its own
    listed = "\n".join(lessons)
    return f"{beginning}\n\n```{{toctree}}\n:maxdepth: 1\n\n{listed}\n```\n"


def describe(lesson: NotebookNode) -> None:
    """Say each figure's text where myst-nb looks for it: it would show the name of a file."""
    for cell in lesson.cells:
        for output in cell.get("outputs", ()):
            for kind in output.get("metadata", {}).values():
                if "alt" in kind:
                    cell.metadata.mystnb = {"image": {"alt": kind["alt"]}}


def write_sources(folder: Path, notebooks: Path, language: str, repository: str | None) -> None:
    """Write what Sphinx reads for one language."""
    folder.mkdir(parents=True)
    paths = sorted(notebooks.glob("*.ipynb"))
    for path in paths:
        lesson = nbformat.read(path, as_version=4)
        describe(lesson)
        if repository:
            note = translated(ON_COLAB, language)
            install = f"```{{note}}\n{note} `%pip install git+{repository}`\n```"
            lesson.cells.insert(1, new_markdown_cell(install, id="on-colab"))
        nbformat.write(lesson, folder / path.name)
    page = first_page(language, [path.stem for path in paths])
    (folder / "index.md").write_text(page, encoding="utf-8")
    shutil.copy(ROOT / "docs" / "read_along.png", folder)


def sphinx(builder: str, work: Path, **settings: str) -> None:
    """Run one of Sphinx's builders; a warning, as of a link that leads nowhere, is an error."""
    language = work.name
    (title,) = re.match("# (.+)", readme(language)).groups()
    settings |= {"language": language, "project": title, "html_title": title}
    settings |= {"html_theme_options.extra_footer": translated(LICENSES, language)}
    command = [sys.executable, "-m", "sphinx", "--builder", builder, "--quiet"]
    command += ["--fail-on-warning", "--keep-going", "--conf-dir", ROOT / "docs" / "book"]
    command += ["--doctree-dir", work / f"{builder}-trees"]
    for name, value in settings.items():
        command += ["--define", f"{name}={value}"]
    where = os.environ | {"MATHJAX": str(MATHJAX)}
    subprocess.run([*command, work / "source", work / builder], env=where, check=True)
    if builder != "epub":
        shutil.copy(MATHJAX / "es5" / "tex-svg.js", work / builder / "_static")


def make_book(
    book: Path = BOOK, notebooks: Path = ROOT / "notebooks", repository: str | None = None
) -> None:
    """Write HTML and EPUB of all languages into a folder.

    Parameters
    ----------
    book : Path
        The folder; what it holds is removed first.
    notebooks : Path
        The English lessons, and the folders of other languages.
    repository : str, optional
        The address of the project. With it each lesson has buttons for Binder and Colab.
    """
    fetch_mathjax()
    shutil.rmtree(book, ignore_errors=True)
    folders = languages(notebooks)
    works = [book / "work" / language for language in folders]
    settings = {"book_languages": ",".join(folders), "book_repository": repository or ""}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for work, folder in zip(works, folders.values(), strict=True):
            write_sources(work / "source", folder, work.name, repository)
        runs = [pool.submit(sphinx, "html", work, **settings) for work in works]
        runs += [pool.submit(sphinx, "epub", work, epub_basename="book") for work in works]
        for run in runs:
            run.result()
    for work in works:
        (work / "html").rename(book / "html" / ("" if work.name == "en" else work.name))
        (work / "epub" / "book.epub").rename(book / f"{name_of(work.name)}.epub")


def name_of(language: str) -> str:
    """Return the name of a language's EPUB and PDF, without the ending."""
    return "rnn-from-scratch" + ("" if language == "en" else f".{language}")


def print_book(book: Path = BOOK) -> None:
    """Print the book that was made, one PDF for each language, with Chromium."""
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium is None:
        sys.exit(f"Chromium is needed to print, under one of these names: {', '.join(CHROMIUM)}.")
    for work in sorted((book / "work").iterdir()):
        sphinx("singlehtml", work)
        command = [chromium, "--headless", "--no-sandbox", "--disable-gpu"]
        command += ["--no-pdf-header-footer", "--generate-pdf-document-outline"]
        command += ["--virtual-time-budget=120000"]  # until all formulas are set
        command += [f"--print-to-pdf={book / name_of(work.name)}.pdf"]
        page = (work / "singlehtml" / "index.html").as_uri()
        subprocess.run([*command, page], check=True, stderr=subprocess.DEVNULL)  # it is talkative


def main() -> None:
    """Make the book, and print it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repository", help="the project's address: lessons open on Binder, Colab")
    parser.add_argument("--pdf", action="store_true", help="print it, too, with Chromium")
    arguments = parser.parse_args()
    make_book(repository=arguments.repository)
    if arguments.pdf:
        print_book()


if __name__ == "__main__":
    main()
