"""The checks and grading in other languages: all is translated, says the same, and judges alike."""

import re
import unicodedata
import warnings
from functools import partial
from types import SimpleNamespace

import pandas as pd
import polib
import pytest
import translate_library
from class_of_students import ASKED, LESSONS, ONE, HandedIn, solved
from grading import grade, grades_of, hand_in
from nbformat.v4 import new_code_cell, new_notebook
from test_checks import CHECKS, EXERCISES, RECORDS, right
from test_translation import glossary, numbers_differ, terms_missing
from wrong_solutions import STEP, WRONG

from classroom.course import copy_of_the_course
from classroom.edition import student_edition, way_on
from classroom.files import to_bytes
from classroom.judging import called_check, judge
from classroom.lessons import language_of
from classroom.repair import notebook
from classroom.submissions import in_order
from rnn_lib import checks
from rnn_lib.checks import accuracy, checking
from rnn_lib.checks.messages import InPart
from rnn_lib.language import VARIABLE, Message, translated

CATALOGUES = {path.parts[-3]: path for path in translate_library.CATALOGUES}

# What stands in Japanese messages as it is typed: names, and what Python and NumPy call things.
NAMES = {
    *("abs", "append", "array", "build", "copy", "db", "dc", "del", "dh", "dw", "dx", "eps", "exp"),
    *("float", "forward", "grads", "id", "ids", "inputs", "int", "labels", "lengths", "list"),
    *(
        "loss",
        "lr",
        "math",
        "maxlen",
        "network",
        "notebooks",
        "optimizer",
        "params",
        "pop",
        "print",
    ),
    *("return", "reverse", "rng", "sample", "shifted", "step", "student", "tanh", "targets"),
    *(
        "training",
        "tuple",
        "update",
        "yield",
        "zip",
        "dict",
        "generator",
        "inf",
        "nan",
        "object",
        "str",
    ),
    *("shape", "steps"),  # sizes of a problem
    "seen",  # what one of the wrong solutions adds to params
}
WORD = re.compile(r"(?<![\w.])[a-z]{2,}(?![\w.(\[])", re.ASCII)


@pytest.fixture(params=CATALOGUES)
def language(request, monkeypatch):
    """Checks speak this language."""
    monkeypatch.setenv(VARIABLE, request.param)
    return request.param


def without_code(text):
    return re.sub(r"`[^`]+`|\{[^}]*\}", " ", text)


def left_in_english(text, *names):
    """List the words of a Japanese text that are neither code nor names."""
    known = {*NAMES, *WORD.findall(" ".join(names))}
    return [word for word in WORD.findall(without_code(text)) if word not in known]


def parts_of(template):
    return sorted(re.findall(r"`[^`]+`|\{[^}]*\}", template))


def faults(entry, language):
    """Yield what is wrong with a translation."""
    if parts_of(entry.msgid) != parts_of(entry.msgstr):
        yield f"code or parts: {parts_of(entry.msgid)} became {parts_of(entry.msgstr)}"
    english, other = without_code(entry.msgid), without_code(entry.msgstr)
    if numbers_differ(english, other):
        yield "numbers"
    yield from terms_missing(english, other, glossary(language))
    if language == "ja" and left_in_english(entry.msgstr):
        yield f"in English: {left_in_english(entry.msgstr)}"


# -- the catalogues -----------------------------------------------------------------------------


@pytest.mark.parametrize("language", CATALOGUES)
def test_every_message_is_translated(language):
    known = polib.pofile(str(CATALOGUES[language]))
    assert [entry.msgid for entry in known] == translate_library.all_messages(), "make translate"
    assert [entry.msgid for entry in known if not entry.msgstr or entry.fuzzy] == []


@pytest.mark.parametrize("language", CATALOGUES)
def test_what_ships_is_the_catalogue(language):
    shipped = CATALOGUES[language].with_suffix(".mo").read_bytes()
    assert shipped == polib.pofile(str(CATALOGUES[language])).to_binary(), "make translate"


@pytest.mark.parametrize("language", CATALOGUES)
def test_translations_say_the_same(language):
    known = polib.pofile(str(CATALOGUES[language]))
    found = [f"{fault}: {entry.msgid}" for entry in known for fault in faults(entry, language)]
    assert found == []


@pytest.mark.parametrize(
    ("english", "japanese", "fault"),
    [
        ("call `f(x)`", "`f(y)`を呼びます", "code or parts"),
        ("{n} of {m}", "{n}個", "code or parts"),
        ("{x:.1%} right", "{x}が正解", "code or parts"),
        ("at most 32", "23以下", "numbers"),
        ("the gradient is lost", "傾きが失われています", "gradient is 勾配"),
        ("the bias is lost", "バイアスがlostです", "in English"),
    ],
)
def test_a_wrong_translation_is_found(english, japanese, fault):
    entry = polib.POEntry(msgid=english, msgstr=japanese)
    assert [one for one in faults(entry, "ja") if one.startswith(fault)]


def test_a_message_without_a_translation_is_found():
    source = 'what = "new one" if x else "new {n}"\nMessage(what, n=Message("new part"))'
    assert sorted(translate_library.in_code(source)) == ["new one", "new part", "new {n}"]


def test_labels_are_of_one_width(language):
    wide = [
        sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in translated(label))
        for label in translate_library.LABELS
    ]
    assert len(set(wide)) == 1


# -- a message ----------------------------------------------------------------------------------


def test_a_message_is_its_english_until_it_is_shown(monkeypatch):
    message = Message("{name} has the wrong shape", name=Message("the change of {w}", w="W_x"))
    assert message == "the change of W_x has the wrong shape"
    for language, shown in (("ja", "の形状が違います"), ("en", message), ("xx", message)):
        monkeypatch.setenv(VARIABLE, language)
        assert translated(message).endswith(shown)
    assert translated("", "ja") == "", "not the head of the catalogue"


def test_what_has_braces_and_no_parts_is_left_alone():
    assert translated(Message("{not a part}"), "ja") == "{not a part}"


# -- the checks ---------------------------------------------------------------------------------


def failure_of(check, function):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(checks.CheckFailed) as failed:
            check(function)
    return failed.value


def expect_named_alike(solution, language, monkeypatch):
    """Expect the same mistake in both languages, by its English name, and all in the other one."""
    check = CHECKS[solution.exercise]
    other = failure_of(check, solution.make())
    monkeypatch.setenv(VARIABLE, "en")
    english = failure_of(check, solution.make())
    for told in ("mistake", "quantity", "section"):
        assert getattr(other, told) == getattr(english, told)
    for name in (other.mistake or "").split("; "):
        assert translated(name, language) in str(other)
        assert name in str(english)
    assert translated(other.section.partition("; ")[0], language) in str(other)
    # What Python says of an error, and the student's own line, are what they are.
    own = [translated(label, language) for label in ("error", "line", "words")]
    lines = [line for line in str(other).splitlines() if line.split()[0] not in own]
    contract = re.sub(r"\W", " ", RECORDS[solution.exercise].contract)
    assert language != "ja" or [w for x in lines for w in left_in_english(x, contract)] == []


SOLUTIONS = {f"{s.exercise} {s.label}": s for s in WRONG}
QUICK = [label for n, label in enumerate(SOLUTIONS) if n % 40 == 0]


@pytest.mark.parametrize("label", QUICK)
def test_wrong_solutions_are_named_in_both_languages(label, language, monkeypatch):
    expect_named_alike(SOLUTIONS[label], language, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("exercise", EXERCISES)
def test_all_wrong_solutions_are_named_in_both_languages(exercise, language):
    for solution in (s for s in WRONG if s.exercise == exercise):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(VARIABLE, language)
            expect_named_alike(solution, language, patch)


@pytest.mark.parametrize("exercise", EXERCISES)
def test_passing_lines_are_translated(exercise, language, capsys):
    CHECKS[exercise](right(exercise))
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{exercise}{translated('is right')}: ")
    assert language != "ja" or left_in_english(line, exercise) == []


@pytest.mark.parametrize(
    ("check", "function"),
    [
        (checks.check_step, 3),
        (checks.check_looks_right, lambda forward: True),
        (checks.check_looks_right, lambda forward: None),
        (checks.check_accuracy, lambda: None),
        (checks.check_accuracy, lambda: accuracy.ScratchRNNClassifier(64, 2)),
        (checks.check_my_rung, lambda: {"maxlen": 1000}),
    ],
)
def test_refusals_are_translated(check, function, language):
    message = str(failure_of(check, function))
    assert language != "ja" or left_in_english(message, "embedding") == []


# -- grading ------------------------------------------------------------------------------------


WAY_ON = "# To read on without exercise {number}, run this cell (no points)."


def in_language(edition, language):
    """Return a notebook of a student who works in another language: headings, stubs, their text."""
    heading, *_ = re.split(r"\d", translated(Message("Exercise {number}", number=1), language))
    for cell in edition.cells:
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace("### Exercise ", f"### {heading}")
        for exercise in ASKED[ONE]:
            for english in ("Exercise {number}: write {function}", WAY_ON):
                told = {"number": exercise.number, "function": exercise.function}
                message = Message(english, **told)
                cell.source = cell.source.replace(message, translated(message, language))
    return edition


@pytest.mark.parametrize("said", [None, "fr", ["ja"]])
def test_the_language_of_a_notebook_is_that_of_its_headings(said, language, monkeypatch):
    monkeypatch.delenv(VARIABLE)
    edition = solved(ONE)
    edition.metadata["lang"] = said
    assert language_of(edition) == "en"
    assert language_of(in_language(edition, language)) == language


def test_a_notebook_can_say_its_language_itself(language, monkeypatch):
    edition = solved(ONE)
    edition.metadata["lang"] = language
    mended = notebook(to_bytes(edition))
    assert mended.metadata.lang == language, "and keeps saying so"
    empty = new_notebook(cells=[new_code_cell("x = 1")])
    assert language_of(empty) == language, "the reader's"
    monkeypatch.delenv(VARIABLE)
    assert language_of(empty) == "en"


def test_stubs_are_not_begun_and_the_way_on_is_taken_out(language):
    exercise = ASKED[ONE][0]
    told = {"number": exercise.number, "function": exercise.function}
    assert translated(Message("Exercise {number}: write {function}", **told)) in exercise.stub
    edition = in_language(student_edition(LESSONS[ONE]), language)
    ids = [cell.id for cell in way_on(exercise)]
    assert set(ids) < {cell.id for cell in edition.cells}
    mended = in_order(notebook(to_bytes(edition)), LESSONS[ONE])
    assert not set(ids) & {cell.id for cell in mended.cells}


def test_half_the_points_are_recognized(language, monkeypatch):
    record, half = accuracy.MY_RUNG, InPart("{what}", what="so far")
    run = partial(checking.run, record, lambda *given: half)
    monkeypatch.setattr(checks, "check_my_rung", run)
    asked = called_check("checks.check_my_rung(my_rung)")
    verdict = judge(asked, SimpleNamespace(answer=lambda: [print], end=lambda: None), "")
    assert verdict.is_half and verdict.printed.startswith(
        f"{record.name}{translated(checking.HALF)}"
    )
    half = "so far"
    assert not judge(asked, SimpleNamespace(answer=lambda: [print], end=lambda: None), "").is_half


@pytest.mark.slow
def test_a_class_of_two_languages_gets_the_same_points(language, tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE)  # the teacher's
    lost = {"1.1": "the bias is lost", "1.2": "the bias is lost"}
    kinds = {
        "wrong": (lambda: solved(ONE, e1_1=STEP.replace(" + b", "")), lost),
        "not begun": (lambda: student_edition(LESSONS[ONE]), {}),
    }
    students = []
    for kind, (edition, _) in kinds.items():
        for name, contents in (("en", edition()), (language, in_language(edition(), language))):
            file = {f"{ONE}.ipynb": to_bytes(contents)}
            students.append(HandedIn(f"{kind} {name}", file, (ONE,)))
    course = copy_of_the_course(tmp_path / "course")
    folder = hand_in(tmp_path / "class", students)
    rows = grade(course, folder, "--seed=3")
    points = {
        student: [(row["exercise"], row["points"]) for row in rows if row["student"] == student]
        for student in (handed_in.student for handed_in in students)
    }
    for kind in kinds:
        assert points[f"{kind} en"] == points[f"{kind} {language}"] != []
        assert all(float(got) == 0 for _, got in points[f"{kind} en"][:2])
    reasons = {(row["student"], row["exercise"][:3]): row["reason"] for row in rows}
    for number, mistake in lost.items():
        assert mistake in reasons["wrong en", number]
        assert translated(mistake, language) in reasons[f"wrong {language}", number]
    begun = reasons[f"not begun {language}", "1.1"]
    assert begun.startswith(translated(Message("not begun: {what}", what=""), language))
    pages = grades_of(folder) / "feedback" / f"wrong {language}"
    page = (pages / "index.html").read_text(encoding="utf-8")
    assert f'<html lang="{language}">' in page and translated("reason", language) in page
    assert translated("the bias is lost", language) in (pages / f"{ONE}.html").read_text("utf-8")
    counted = pd.read_csv(grades_of(folder) / "mistakes.csv", keep_default_na=False)
    first = counted[counted.exercise == "1.1 rnn_step"]
    assert [*zip(first.mistake, first["count"], strict=True)] == [
        ("the bias is lost", 2),
        ("(not begun)", 2),
    ]
