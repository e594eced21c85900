"""Translations: every text has one, it says the same, and nothing else of a lesson has changed.

Formulas, code, links, numbers and the shape of a text are equal in all languages. A term of the
glossary has one translation; where a word is not meant as the term, the translator's comment of the
entry says so: ``# not here: state``.
"""

import copy
import html
import re
import shutil
import tomllib
from collections import Counter

import nbformat
import polib
import pytest
import translate
from markdown_it import MarkdownIt
from run_lessons import CAPTION, FIGURES, spoken
from test_clean import as_it_stands
from test_clean import faults as faults_of_a_notebook
from translate import CODE, FORMULA, HTML, TARGET, TEXT_IN_FORMULA

from classroom import edition, lessons, start
from classroom.lessons import exercises, language_asked_for, read

ROOT = translate.ROOT
LANGUAGES = translate.languages()
SOURCES = translate.sources()
LESSONS = [name for name in SOURCES if name != "README"]

each_language = pytest.mark.parametrize("language", LANGUAGES)
each_text = pytest.mark.parametrize("name", SOURCES)
each_lesson = pytest.mark.parametrize("name", LESSONS)


def catalogue(language, name):
    return translate.catalogue(translate.LOCALE / language / f"{name}.po")


def glossary(language):
    text = (translate.LOCALE / language / "glossary.toml").read_text(encoding="utf-8")
    terms = tomllib.loads(text)
    return {term: [one] if isinstance(one, str) else one for term, one in terms.items()}


# -- what must be equal -------------------------------------------------------------------------

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
IN_WORDS = {
    "one two three four five six seven eight nine ten eleven twelve": range(1, 13),
    "first second third fourth fifth sixth": range(1, 7),
    "twice both pair half halves double doubles": [2] * 7,
    "quarter quarters tenth tenths fifteen sixteen": [4, 4, 10, 10, 15, 16],
    "twenty thirty forty fifty sixty eighty": [20, 30, 40, 50, 60, 80],
    "zero zeros": [0, 0],
}
VALUES = {
    word: str(n)
    for words, numbers in IN_WORDS.items()
    for word, n in zip(words.split(), numbers, strict=True)
}
LARGE = re.compile(r"\b(dozen|hundred|thousand|million|billion)", re.IGNORECASE)
FULL_WIDTH = re.compile("[０-９Ａ-Ｚａ-ｚ]")
IN_ITS_SCRIPT = {"ja": re.compile("[ぁ-ヿ一-鿿]")}


def bare(text):
    """Return what is left of a text without formulas, code, HTML and the targets of links."""
    for pattern, instead in ((CODE, "`x`"), (FORMULA, "$x$"), (HTML, ""), (TARGET, "()")):
        text = pattern.sub(instead, text)
    return text


def invariants(text):
    """Return what a translation leaves as it is, by name."""
    if text.startswith("```"):
        return {"code": [re.sub(r" *# .*", "", line) for line in text.splitlines()]}
    prose = CODE.sub("", text)
    lines = bare(text).splitlines()
    marks = [re.match(r"(#+ |- |> |\d+\. |\| ?)?", line)[0] for line in lines]
    tokens = [
        child.type for token in MarkdownIt().parse(bare(text)) for child in token.children or ()
    ]
    return {
        "code": sorted(CODE.findall(text)),
        "formulas": sorted(TEXT_IN_FORMULA.sub("", f) for f in FORMULA.findall(prose)),
        "links": sorted(TARGET.findall(prose)),
        "HTML": HTML.findall(FORMULA.sub("", prose)),
        "marks of lines": [mark for mark in marks if mark],
        "columns": [line.count("|") for line in lines],
        "bold and italic": [tokens.count("strong_open"), tokens.count("em_open")],
        "blank lines": text.count("\n\n"),
    }


def numbers_differ(english, translation):
    """Tell whether a number is lost, or one has come that the English does not say in words."""
    ours, theirs = (Counter(NUMBER.findall(bare(text))) for text in (english, translation))
    words = re.findall(r"[a-z]+", english.lower())
    said = {VALUES[word] for word in words if word in VALUES} | {"1"}
    return bool(ours - theirs or (not LARGE.search(english) and set(theirs - ours) - said))


def terms_missing(english, translation, terms):
    """Yield the terms that a text has and its translation has not, the longest taken first."""
    forms = {}
    for term in terms:
        forms |= {form: term for form in (term, f"{term}s", f"{term}es", re.sub("y$", "ies", term))}
    longest_first = sorted(map(re.escape, map(str.lower, forms)), key=len, reverse=True)
    found = re.compile(rf"(?<![A-Za-z])({'|'.join(longest_first)})(?![A-Za-z])", re.IGNORECASE)
    known = {form.lower(): term for form, term in forms.items()}
    count = [
        Counter(known[form.lower()] for form in found.findall(bare(text)))
        for text in (english, translation)
    ]
    for term in count[0] - count[1]:  # in the title of a book, a term may stay
        if not any(one in translation for one in terms[term]):
            yield f"{term} is {' or '.join(terms[term])}"


def faults(entry, terms, language=""):
    """Yield what is wrong with a translation."""
    english, translation = entry.msgid, entry.msgstr
    left_out = entry.tcomment.removeprefix("not here:").split(",")
    terms = {term: one for term, one in terms.items() if term not in map(str.strip, left_out)}
    ours, theirs = invariants(english), invariants(translation)
    for what in ours:
        if ours[what] != theirs.get(what):
            yield f"{what}: {ours[what]} became {theirs.get(what)}"
    if numbers_differ(english, translation):
        yield "numbers"
    if found := FULL_WIDTH.findall(translation):
        yield f"wide letters or digits: {found}"
    if entry.comment == "comment" and ("\n" in translation or translation.startswith("#")):
        yield "a comment is one line, without its #"
    script = IN_ITS_SCRIPT.get(language)
    if script and entry.comment == "paragraph" and not script.search(translation):
        yield "not translated at all"
    if entry.comment == "paragraph" and bool(CAPTION.match(english)) > bool(
        CAPTION.match(translation)
    ):
        yield "a caption has the form *Figure 1. ...*"
    yield from terms_missing(english, translation, terms)


@each_language
@each_text
def test_every_text_is_translated(language, name):
    assert translate.to_do(catalogue(language, name)) == []


@each_language
@each_text
def test_catalogue_has_the_texts_of_today(language, name):
    old = catalogue(language, name)
    assert str(translate.updated(name, SOURCES[name], old)) == str(old), "run `make translate`"


@each_language
@each_text
def test_translations_say_the_same(language, name):
    terms = glossary(language)
    assert [
        f"cell {entry.msgctxt}: {fault}: {entry.msgid!r:.90}"
        for entry in catalogue(language, name).translated_entries()
        for fault in faults(entry, terms, language)
    ] == []


TERMS = {"state": ["状態"], "hidden state": ["隠れ状態"], "loss": ["損失", "減少"]}


@pytest.mark.parametrize(
    ("english", "good", "bad", "fault"),
    [
        ("The `rnn` reads.", "`rnn` が読みます。", "`RNN` が読みます。", "code"),
        ("Norm $h_t$ grows.", "ノルム $h_t$ が増えます。", "ノルム $h$ が増えます。", "formulas"),
        (
            "$$x \\text{ from it}$$",
            "$$x \\text{ それから}$$",
            "$$y \\text{ それから}$$",
            "formulas",
        ),
        ("[Next](02.ipynb)", "[次へ](02.ipynb)", "[次へ](03.ipynb)", "links"),
        ("<summary>Why</summary>", "<summary>なぜ</summary>", "<p>なぜ</p>", "HTML"),
        ("## One", "## 1つ目", "### 1つ目", "marks of lines"),
        ("- one;\n- two.", "- 1つ目。\n- 2つ目。", "- 1つ目。2つ目。", "marks of lines"),
        ("| a | of |", "| 甲 | 乙 |", "| 甲乙 |", "columns"),
        ("**A gate** opens.", "**ゲート**が開きます。", "ゲートが開きます。", "bold"),
        ("**A gate** opens.", "**ゲート**が開きます。", "**ゲート（門）**が開きます。", "bold"),
        ("It is right.", "正しいです。", "正しい\n\nです。", "blank lines"),
        ("In Exercise 1.1: 2,500", "演習 1.1 では2,500", "演習 1.2 では2,500", "numbers"),
        ("In two cells", "2つのセルで", "3つのセルで", "numbers"),
        ("800 reviews", "800件", "８００件", "wide"),
        ("*Figure 1. It falls.*", "*図1. 下がります。*", "*図1：下がります。*", "caption"),
        ("The hidden states", "隠れ状態", "隠れた状態", "hidden state is 隠れ状態"),
        ("Gains and losses", "増加と減少", "増加とロス", "loss is 損失 or 減少"),
        ("In words", "言葉で", "In words", "not translated"),
        ("```\nmake x  # do\n```", "```\nmake x  # する\n```", "```\nmake y  # する\n```", "code"),
    ],
)
def test_wrong_translation_is_caught(english, good, bad, fault):
    def found(translation):
        entry = polib.POEntry(msgid=english, msgstr=translation, comment="paragraph")
        return list(faults(entry, TERMS, "ja"))

    assert found(good) == []
    assert any(one.startswith(fault) or fault in one for one in found(bad))


def test_a_word_that_is_no_term_is_named_and_a_comment_is_one_line():
    entry = polib.POEntry(msgid="It states this.", msgstr="そう述べています。", comment="paragraph")
    assert list(faults(entry, TERMS)) == ["state is 状態"]
    entry.tcomment = "not here: gate, state"
    assert list(faults(entry, TERMS)) == []
    comment = polib.POEntry(msgid="all different", msgstr="すべて\n異なる", comment="comment")
    assert "a comment is one line, without its #" in list(faults(comment, TERMS))


# -- what follows from the catalogues -----------------------------------------------------------


@pytest.mark.parametrize("name", SOURCES)
def test_what_is_not_translated_comes_back_byte_for_byte(name):
    made = translate.edition(SOURCES[name], polib.POFile(), translate.Messages(ROOT / "none"))
    if name == "README":
        assert made.cells[0].source == (ROOT / "README.md").read_text(encoding="utf-8")
    else:
        original = (ROOT / "notebooks" / f"{name}.ipynb").read_bytes()
        assert (nbformat.writes(made) + "\n").encode() == original


@each_language
def test_files_follow_from_the_catalogues(language):
    made = translate.files(language)
    there = {*(ROOT / "notebooks" / language).glob("*.ipynb"), ROOT / f"README.{language}.md"}
    assert there == set(made)
    stale = [path.name for path in there if path.read_text(encoding="utf-8") != made[path]]
    assert stale == [], "run `make translate`"


def assert_only_comments_differ(ours, theirs):
    """Hold that two cells have the same code, and comments in the same places."""
    pairs = zip(*(translate.tokens(cell.source) for cell in (ours, theirs)), strict=True)
    for one, other in pairs:
        if translate.is_comment(one):
            assert other.type == one.type, ours.id
        else:
            assert (other.type, other.string) == (one.type, one.string), ours.id


def assert_only_words_differ(ours, theirs, said_by_checks):
    """Hold that two outputs show the same, but for texts of figures and the words of checks."""
    if ours.output_type == "stream" and said_by_checks:
        assert not numbers_differ(ours.text, theirs.text)
        assert ours.text.count("\n") == theirs.text.count("\n")
        return
    one, other = copy.deepcopy([ours, theirs])
    for output in (one, other):
        for kind in set(FIGURES) & set(output.get("data", {})):
            output.metadata.pop(kind)
            output.data[kind] = re.sub(r'aria-label="[^"]*"', "", output.data[kind], count=1)
    assert one == other


def assert_only_texts_differ(english, other):
    """Hold that two editions of a lesson have the same cells, code, outputs and exercises."""
    assert english.metadata == other.metadata
    for ours, theirs in zip(english.cells, other.cells, strict=True):
        for what in ("id", "cell_type", "metadata"):
            assert ours[what] == theirs[what], ours.id
        if ours.cell_type == "code":
            assert ours.execution_count == theirs.execution_count
            assert_only_comments_differ(ours, theirs)
            for outputs in zip(ours.outputs, theirs.outputs, strict=True):
                assert_only_words_differ(*outputs, said_by_checks="checks." in ours.source)
    asked = [[(str(e), e.points) for e in exercises(lesson)] for lesson in (english, other)]
    assert asked[0] == asked[1]


def assert_figures_say_their_captions(notebook):
    for cell, below in zip(notebook.cells, notebook.cells[1:], strict=False):
        for output in cell.get("outputs", ()):
            for kind in set(FIGURES) & set(output.get("data", {})):
                caption = spoken(CAPTION.match(below.source)[1])
                assert output.metadata[kind]["alt"] == caption, cell.id
                if kind == "image/svg+xml":
                    assert f'aria-label="{html.escape(caption)}"' in output.data[kind], cell.id


@each_language
@each_lesson
def test_lesson_is_the_english_one_in_other_words(language, name):
    path = ROOT / "notebooks" / language / f"{name}.ipynb"
    notebook = read(path)
    assert_only_texts_differ(SOURCES[name], notebook)
    assert_figures_say_their_captions(notebook)
    assert faults_of_a_notebook(as_it_stands(path), path.parent, path.stat().st_size) == []


@pytest.mark.parametrize("how", ["code", "comment", "cell", "output", "check", "number"])
def test_what_else_has_changed_is_noticed(how):
    english = SOURCES["01_forward"]
    other = copy.deepcopy(english)
    assert_only_texts_differ(english, other)
    cells = {cell.id: cell for cell in other.cells}
    match how:
        case "code":
            cells["neuron-two-steps"].source += "  # noqa\nprint()"
        case "comment":
            cells["run-forward"].source = cells["run-forward"].source.replace("  # (N, T, H)", "")
        case "cell":
            other.cells[2].id, other.cells[3].id = other.cells[3].id, other.cells[2].id
        case "output":
            cells["neuron-two-steps"].outputs[0].text += "."
        case "check":
            said = cells["check-rnn-step"].outputs[0]
            said.text = said.text.replace("1e-9", "1e-8")
        case "number":
            prose = cells["forward-step"]
            prose.source = prose.source.replace("Exercise 1.1", "Exercise 1.2")
    with pytest.raises((AssertionError, ValueError)):
        assert_only_texts_differ(english, other)


def test_messages_of_the_library_are_known_by_their_templates(tmp_path):
    said = {
        "is right": "は正解です",
        "{what}; two calls agree, {untouched} untouched.": "{what}。{untouched}もそのままです。",
        "the inputs are": "入力",
        "h agrees {precision} for T = {T}": "T = {T} で h が{precision}一致します",
        "to {tolerance:.0e}": "{tolerance} まで",
        "worst": "最大のずれ",
        "expected": "期待",
        "{most}, {last}": "{most}, {last}",
        "{name} {what}": "{name}{what}",
        "{name}: expected {expected}, got {got}": "{name}：正しくは {expected}、結果は {got}",
    }
    po = polib.POFile()
    for template, translation in said.items():
        po.append(polib.POEntry(msgid=template, msgstr=translation))
    po.save(str(tmp_path / "rnn_lib.po"))
    messages = translate.Messages(tmp_path / "rnn_lib.po")
    end = "; two calls agree, the inputs are untouched."
    assert messages.line(f"rnn_step is right: h agrees to 1e-9 for T = 1, 2{end}") == (
        "rnn_step は正解です: T = 1, 2 で h が1e-9 まで一致します。入力もそのままです。"
    )
    row = "    worst     dx[1, 0]: expected -1.1, got 2"
    assert messages.line(row) == "    最大のずれ     dx[1, 0]：正しくは -1.1、結果は 2"
    assert messages.line("first and last bin: 1,752") == "first and last bin: 1,752"


# -- a language made by a script ----------------------------------------------------------------

KEPT = re.compile("|".join(p.pattern for p in (CODE, FORMULA, HTML, TARGET)), re.DOTALL)
ACCENTS = str.maketrans("aeiouAEIOU", "áéíóúÁÉÍÓÚ")


def pseudo(text):
    """Return a text with accents, all but what no translator changes."""
    if text.startswith("```"):
        return re.sub(" # .*", lambda comment: comment[0].translate(ACCENTS), text)
    kept = KEPT.findall(text)
    words = [part.translate(ACCENTS) for part in KEPT.split(text)]
    return "".join(word + code for word, code in zip(words, [*kept, ""], strict=True))


@pytest.fixture(scope="module")
def pseudo_language(tmp_path_factory):
    """Make another language as CONTRIBUTING says: one folder, `make translate`, translations."""
    root = tmp_path_factory.mktemp("course")
    (root / "locale" / "xx").mkdir(parents=True)
    for name in ("notebooks", "README.md"):
        copied = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copied(ROOT / name, root / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(translate, "ROOT", root)
        patch.setattr(translate, "LOCALE", root / "locale")
        translate.main()
        for path in (root / "locale" / "xx").glob("*.po"):
            po = translate.catalogue(path)
            for entry in po:
                entry.msgstr = pseudo(entry.msgid)
                assert list(faults(entry, {"film": ["fílm"]})) == []
            po.save(str(path))
        translate.main()
    return root


@each_lesson
def test_another_language_is_one_folder(pseudo_language, name):
    notebook = read(pseudo_language / "notebooks" / "xx" / f"{name}.ipynb")
    assert_only_texts_differ(SOURCES[name], notebook)
    assert_figures_say_their_captions(notebook)
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    without_code = [translate.PARAGRAPHS.sub("", text) for text in texts]
    assert not re.search("[aeiou]", KEPT.sub("", "".join(without_code)))


def test_page_in_another_language_leads_to_its_lessons(pseudo_language):
    page = (pseudo_language / "README.xx.md").read_text(encoding="utf-8")
    links = re.findall(r"\((notebooks/[^)]*)\)", page)
    assert links == [f"notebooks/xx/{name}.ipynb" for name in LESSONS]


def test_changed_english_is_listed_with_its_cell_and_the_old_translation(pseudo_language):
    old = translate.catalogue(pseudo_language / "locale" / "xx" / "01_forward.po")
    lesson = copy.deepcopy(SOURCES["01_forward"])
    (cell,) = (cell for cell in lesson.cells if cell.id == "h0-leak")
    before = cell.source
    cell.source = before.replace("it catches a common bug", "it often catches a bug")
    new = translate.updated("01_forward", lesson, old)
    (what,) = translate.to_do(new)
    assert what.startswith("cell h0-leak: changed: 'Second, a function")
    assert new.find(cell.source, msgctxt="h0-leak").msgstr == pseudo(before)
    made = translate.edition(lesson, new, translate.Messages(ROOT / "none"))
    assert cell.source in [c.source for c in made.cells], "what is not translated stays English"


def test_students_get_the_lessons_of_the_language_asked_for(pseudo_language, monkeypatch, tmp_path):
    for module in (lessons, edition):
        monkeypatch.setattr(module, "NOTEBOOKS", pseudo_language / "notebooks")
    monkeypatch.setattr(start, "STUDENT", tmp_path)
    monkeypatch.setenv("RNN_LIB_LANG", "xx")
    start.write()
    assert sorted(path.stem for path in tmp_path.glob("*.ipynb")) == LESSONS
    first = read(tmp_path / "01_forward.ipynb")
    assert first.cells[0].source.startswith("# 1 · Réád")
    stubs = re.findall(r"raise NotImplementedError\(.*(\d\.\d)", nbformat.writes(first))
    assert stubs == ["1.1", "1.2"]
    installs = nbformat.reads(edition.editions("address", "xx")["01_forward.ipynb"].decode(), 4)
    assert installs.cells[0].source.endswith("\n%env RNN_LIB_LANG=xx")
    for name, found in (("", ""), ("en", ""), ("xx", "xx")):
        monkeypatch.setenv("RNN_LIB_LANG", name)
        assert language_asked_for() == found
    monkeypatch.setenv("RNN_LIB_LANG", "yy")
    with pytest.raises(ValueError, match="'yy', there are some in en, .*xx"):
        language_asked_for()
