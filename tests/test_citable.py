"""What others need to use, teach and cite the course: licenses, citation, issue forms, facts."""

import contextlib
import hashlib
import io
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from lesson_runs import LessonRun

import rnn_lib
from classroom.lessons import exercises, lesson_paths, read

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))

# The text of CC-BY-4.0 in the SPDX license list, and a newline at its end.
LEGAL_CODE = "d557539df68e771cc1eedcc91d13f70fca930e508d11eedcafa4b15db49e3744"


def page(name):
    return (ROOT / name).read_text("utf-8")


# -- licenses, citation, issue forms ---------------------------------------------------------------


def test_the_citation_agrees_with_the_package():
    assert CITATION["version"] == rnn_lib.__version__
    assert CITATION["license"] == PROJECT["license"] == "MIT"
    assert CITATION["authors"] == PROJECT["authors"]
    assert page("README.md").startswith(f"# {CITATION['title']}\n")
    assert f"Copyright (c) 2026 {PROJECT['authors'][0]['name']}" in page("LICENSE")


def test_the_text_of_cc_by_is_the_real_one():
    assert hashlib.sha256(page("LICENSE-TEXT").encode()).hexdigest() == LEGAL_CODE


@pytest.mark.parametrize("name", ["README.md", "docs/support.md", "paper/paper.md"])
def test_both_licenses_are_stated(name):
    assert "MIT" in page(name) and "CC BY 4.0" in page(name)


def test_the_page_for_help_names_every_form_and_no_form_needs_an_address():
    forms = [yaml.safe_load(path.read_text("utf-8")) for path in FORMS if path.stem != "config"]
    assert len(forms) == 3
    for form in forms:
        assert f"*{form['name']}*" in page("docs/support.md")
    assert not any(re.search(r"https?:|@", path.read_text("utf-8")) for path in FORMS)


# Programs that judge these files want other versions of jsonschema than Jupyter does, so each gets
# an environment of its own.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("package", "command", "files", "breaks"),
    [
        ("cffconvert==2.0.0", "cffconvert --validate -i", [ROOT / "CITATION.cff"], "title:"),
        (
            "check-jsonschema==0.39.0",
            "check-jsonschema --builtin-schema vendor.github-issue-forms",
            [path for path in FORMS if path.stem != "config"],
            "body:",
        ),
    ],
)
def test_the_citation_and_the_forms_are_valid(package, command, files, breaks, tmp_path):
    venv = tmp_path / "venv"
    bin_ = venv / ("Scripts" if sys.platform == "win32" else "bin")
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run([bin_ / "python", "-m", "pip", "install", "--quiet", package], check=True)
    program, *options = command.split()

    def is_valid(path):
        return subprocess.run([bin_ / program, *options, path], cwd=tmp_path).returncode == 0

    broken = tmp_path / files[0].name
    broken.write_text(files[0].read_text("utf-8").replace(breaks, f"x{breaks}"), "utf-8")
    assert all(map(is_valid, files))
    assert not is_valid(broken)


# -- the syllabus ----------------------------------------------------------------------------------

NUMBER = r"\d+(?: to \d+)?"


def minutes_and_points(path):
    """Return what a lesson says it takes, least and most, and what its exercises give."""
    lesson = read(path)
    (needed,) = re.findall(r"^\*\*What you'll need\.\*\*(.*)", lesson.cells[0].source, re.MULTILINE)
    spans = re.findall(r"(\d\d+)(?: to (\d+))?", needed)  # the numbers of lessons have one digit
    least, most = sum(int(a) for a, _ in spans), sum(int(b or a) for a, b in spans)
    return least, most, sum(exercise.points for exercise in exercises(lesson))


def test_minutes_and_points_of_the_syllabus_are_the_lessons():
    lessons = {int(path.name[:2]): minutes_and_points(path) for path in lesson_paths()}
    text = page("docs/syllabus.md")
    rows = re.findall(
        rf"^\| (?:\d|all) \| (.*) \| ({NUMBER}) \| (\d+) \| (\d+) \|$", text, re.MULTILINE
    )
    weeks = [[int(n) for n in re.findall(r"\d", said)] for said, *_ in rows[:-1]]
    assert sum(weeks, []) == sorted(lessons)
    sums = [[sum(lessons[n][k] for n in week) for k in range(3)] for week in [*weeks, lessons]]
    for (_, minutes, points, _), (least, most, given) in zip(rows, sums, strict=True):
        assert minutes == (f"{least} to {most}" if least < most else f"{least}")
        assert float(points) == given
    written = [int(row[3]) for row in rows]
    assert sum(written[:-1]) == written[-1]

    least, most, all_points = sums[-1]
    hours = ((least + most) / 2 + len(weeks) * (90 + 30)) / 60
    assert f"about {hours:.0f} hours of a student's time" in text
    assert re.search(f"Weeks 1 and 2 alone .* for {sums[0][2] + sums[1][2]:.0f} points", text)
    assert f"The checks give {all_points:.0f} points" in text
    criteria = re.findall(r"^\| \*\*(\w+)\*\*", text, re.MULTILINE)
    assert [len(criteria)] * len(weeks) == written[:-1]


def test_the_graded_answers_follow_the_rubric():
    text = page("docs/syllabus.md")
    criteria = re.findall(r"^\| \*\*(\w+)\*\*", text, re.MULTILINE)
    graded = re.findall(r"^\*(Claim .*): \*\*(\d) points", text, re.MULTILINE)
    assert len(graded) == 2
    for marks, total in graded:
        given = dict(re.findall(r"(\w+) (\d)", marks.capitalize()))
        assert [name.capitalize() for name in given] == criteria
        assert sum(map(int, given.values())) == int(total)


def until_section_5():
    """Return what runs lesson 3 up to the check of back-propagation, exercises' checks left out."""
    over = False

    def edit(source):
        nonlocal over
        over |= "def overwritten_backward" in source
        return "" if over or "checks." in source else source

    return edit


def test_the_numbers_in_the_graded_answers_come_out():
    lesson = LessonRun("03_bptt", until_section_5())
    step = lesson.text["exercise-rnn-step-backward"]
    assert step.count("da_t @ W_h.T") == 1
    exec(step.replace("da_t @ W_h.T", "da_t @ W_h"), lesson.names)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        lesson.names["print_errors"](lesson.names["rnn_backward"])
    head, one, two, _ = out.getvalue().splitlines()
    text = page("docs/syllabus.md")
    assert "".join(f"> {line}\n" for line in (head, one, two)) in text
    column = head.split().index("dW_x") - len(head.split())
    small, large = one.split()[column], two.split()[column]
    assert f"The error of dW_x is {small} at T = 1 and {large} at T = 2" in text


# -- the paper -------------------------------------------------------------------------------------


def test_the_paper_is_short_and_cites_what_its_bibliography_holds():
    _, head, body = page("paper/paper.md").split("---\n", 2)
    head = yaml.safe_load(head)
    assert head.keys() == {"title", "tags", "authors", "affiliations", "date", "bibliography"}
    assert [author["name"] for author in head["authors"]] == [CITATION["authors"][0]["name"]]
    assert len(body.split()) <= 1000
    for heading in ("# Summary", "# Statement of need", "# References"):
        assert f"{heading}\n" in body
    known = re.findall(r"^@\w+\{(\w+),", page(f"paper/{head['bibliography']}"), re.MULTILINE)
    assert set(re.findall(r"@(\w+)", body)) == set(known)
    assert len(known) == len(set(known))


def row_of(table, name):
    """Return the cells of the first row that begins so."""
    return re.search(rf"^\| {name} \| (.*) \|$", table, re.MULTILINE)[1].split(" | ")


def test_numbers_in_the_paper_are_those_of_the_results():
    paper, results = page("paper/paper.md"), page("docs/results.md")
    for name, said in {
        "lesson-4": "lesson 4's network reaches {} %",
        "gru-last": "judged by its last state, {} %",
        "word pairs": "with word pairs {} %",
        "sum of weights, words": "Logistic regression reaches {} % on words",
        "sum of weights, words and pairs": "and {} % with pairs",
    }.items():
        assert said.format(row_of(results, name)[0]) in paper
    simple, gated = results.split("The gated layers of lesson 6, in the same way")
    ratios = sorted(row_of(simple, "rnn_lib : PyTorch, training"))
    assert f"takes {ratios[0]} to {ratios[-1]} of PyTorch's time" in paper
    ratios = sorted(row_of(gated, "rnn_lib : PyTorch, training")[2:])
    assert f"the LSTM {ratios[0]} to {ratios[-1]}" in paper
    for fact in (
        ("2,500 test reviews, which chose nothing, 1.89", "1.89 bits per character on 2,500 test"),
        ("the n-gram of order 7 needs 1.92", "an n-gram model of order 7 1.92"),
        ("43 wrong functions by two other readers", "43 wrong functions, written by two readers"),
        ("39 were named rightly, one wrongly, three not", "39 were named rightly, one wrongly"),
        ("Two readers repaired 41 of 43", "Two readers repaired 41 of the 43"),
    ):
        assert fact[0] in results and fact[1] in paper
    n_exercises = sum(1 for path in lesson_paths() for _ in exercises(read(path)))
    assert f"The {n_exercises} exercises" in paper


def test_the_paper_asks_the_lessons_questions():
    asked = re.findall(r"^\| \[(\d) · .*?\) \| (.*?) \|", page("README.md"), re.MULTILINE)
    assert len(asked) == len(lesson_paths())
    for number, question in asked:
        assert f"| {number} | {question} |\n" in page("paper/paper.md")
