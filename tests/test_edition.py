"""The student edition: what it leaves out, where it stops, and that it never overwrites work."""

import copy
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from classroom import start
from classroom.course import copy_of_the_course
from classroom.edition import editions, student_edition, way_on
from classroom.files import WorkedOn, to_bytes, write_generated
from classroom.lessons import exercises, lesson_paths, read

ROOT = Path(__file__).resolve().parents[1]
LESSONS = {path.stem: read(path) for path in lesson_paths()}
WITH_EXERCISES = [name for name, lesson in LESSONS.items() if any(exercises(lesson))]


def each(lessons, slow=()):
    """Return the lessons as parameters, each marked with its number, and as slow if it is."""

    def marks(name):
        lesson = getattr(pytest.mark, f"lesson{int(name[:2])}")
        return [lesson, pytest.mark.slow] if name in slow else [lesson]

    return [pytest.param(name, marks=marks(name)) for name in lessons]


@pytest.mark.parametrize("name", each(LESSONS))
def test_edition_is_the_lesson_without_solutions_and_outputs(name):
    lesson, edition = LESSONS[name], student_edition(LESSONS[name])
    asked = {exercise.solution.id: exercise for exercise in exercises(lesson)}
    cells = [cell for cell in edition.cells if not cell.id.startswith("way-on-")]
    for before, after in zip(lesson.cells, cells, strict=True):
        assert not after.get("outputs") and not after.get("execution_count")
        if before.id in asked:
            solution = before.source.split("### BEGIN SOLUTION")[1].split("### END SOLUTION")[0]
            assert not any(line in after.source for line in solution.splitlines() if line.strip())
            assert after.source.endswith("\n    " + asked[before.id].stub)
        else:
            assert after.source == before.source


@pytest.mark.parametrize("name", each(WITH_EXERCISES))
def test_exercises_are_numbered_and_carry_points(name):
    asked = list(exercises(LESSONS[name]))
    numbers = [f"{int(name[:2])}.{n}" for n in range(1, len(asked) + 1)]
    assert [exercise.number for exercise in asked] == numbers
    assert all(exercise.points > 0 for exercise in asked)
    assert len({exercise.check.metadata.nbgrader.grade_id for exercise in asked}) == len(asked)


def test_teachers_page_states_the_points():
    page = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d) \| (\d+) \| (.*\(\d+\)) \|$", page, re.MULTILINE)
    assert [int(number) for number, _, _ in rows] == [int(name[:2]) for name in WITH_EXERCISES]
    for name, (_, total, listed) in zip(WITH_EXERCISES, rows, strict=True):
        points = [exercise.points for exercise in exercises(LESSONS[name])]
        assert [float(p) for p in re.findall(r"\((\d+)\)", listed)] == points
        assert float(total) == sum(points)


@pytest.mark.parametrize("fault", ["number", "check"])
def test_exercise_without_number_or_check_is_an_error(fault):
    text = "" if fault == "number" else "### Exercise 1.1: write `f`"
    check = new_code_cell("checks.check_f(f)")
    if fault == "number":
        check.metadata["nbgrader"] = {"grade": True, "points": 1}
    solution = new_code_cell("def f():\n    ### BEGIN SOLUTION\n    pass\n    ### END SOLUTION")
    with pytest.raises(ValueError, match=f"cell {solution.id}: no .*{fault}|no heading"):
        list(exercises(new_notebook(cells=[new_markdown_cell(text), solution, check])))


TRAIN_FOR_LONG = ["04_imdb", "05_from_61_to_90", "07_writing"]


@pytest.mark.parametrize("name", each(WITH_EXERCISES, slow=TRAIN_FOR_LONG))
def test_untouched_edition_stops_only_at_the_named_errors(name):
    """Run it; wherever it stops, the error names an exercise: write that one in and continue."""
    edition, asked = student_edition(LESSONS[name]), list(exercises(LESSONS[name]))
    edition.cells = [cell for cell in edition.cells if not cell.id.startswith("way-on-")]
    last_check = [cell.id for cell in edition.cells].index(asked[-1].check.id)
    edition.cells = edition.cells[: last_check + 1]
    cells = {cell.id: cell for cell in edition.cells}
    open_exercises = {exercise.number: exercise for exercise in asked}
    done = []
    client = NotebookClient(edition, timeout=300, resources={"metadata": {"path": str(ROOT)}})
    with client.setup_kernel():
        for index, cell in enumerate(edition.cells):
            while True:
                try:
                    client.execute_cell(cell, index)
                    break
                except CellExecutionError as error:
                    assert error.ename == "NotImplementedError", (cell.id, str(error))
                    number = re.fullmatch(r"Exercise (\d\.\d): write \w+", error.evalue)[1]
                    exercise = open_exercises.pop(number)
                    assert cell.id == exercise.check.id, "its check is the first that needs it"
                    cells[number] = copy.deepcopy(exercise.solution)
                    client.execute_cell(cells[number], index)
                    done.append(number)
    assert done == [exercise.number for exercise in asked]
    for exercise in asked:
        assert "is right" in "".join(o.get("text", "") for o in cells[exercise.check.id].outputs)


@pytest.mark.parametrize("name", each(WITH_EXERCISES, slow=WITH_EXERCISES[2:]))
def test_with_no_exercise_solved_one_can_read_on(name):
    """Each check fails; the folded cell below it lets everything else run."""
    edition = student_edition(LESSONS[name])
    resources = {"metadata": {"path": str(ROOT)}}
    NotebookClient(edition, timeout=300, allow_errors=True, resources=resources).execute()
    failed = {
        cell.id
        for cell in edition.cells
        for output in cell.get("outputs", ())
        if output.output_type == "error"
    }
    assert failed == {exercise.check.id for exercise in exercises(LESSONS[name])}


@pytest.mark.parametrize("name", WITH_EXERCISES)
def test_ways_on_are_folded_and_without_points(name):
    edition, asked = student_edition(LESSONS[name]), list(exercises(LESSONS[name]))
    above = dict(zip([cell.id for cell in edition.cells[1:]], edition.cells, strict=False))
    ways = [cell for cell in edition.cells if cell.id.startswith("way-on-")]
    assert [above[cell.id].id for cell in ways] == [
        e.check.id for e in asked if e.function not in ("looks_right", "my_rung")
    ]
    for cell in ways:
        assert cell.metadata == {"jupyter": {"source_hidden": True}}
        assert cell.source.startswith("# To read on without exercise ")


@pytest.mark.parametrize("name", each(WITH_EXERCISES))
def test_a_way_on_passes_the_check_of_its_exercise(name):
    """All but those of lesson 4's network: one passes on purpose none, one needs the library's."""
    (setup,) = (cell for cell in LESSONS[name].cells if cell.id == "setup")
    for exercise in exercises(LESSONS[name]):
        for cell in way_on(exercise):
            names = {}
            exec(f"{setup.source}\n{cell.source}", names)
            if exercise.function not in ("small_model", "training_step"):
                exec(exercise.check.source, names)


def test_a_way_on_passes_no_check_that_costs_more_than_a_function():
    """What stands in for exercise 4.3 is no answer to it."""
    name = "04_imdb"
    asked = {exercise.function: exercise for exercise in exercises(LESSONS[name])}
    (cell,) = way_on(asked["small_model"])
    assert "dropout" not in cell.source
    assert "n_epochs" not in cell.source


def test_links_of_the_student_edition_lead_somewhere(tmp_path):
    for name, content in editions().items():
        (tmp_path / name).write_bytes(content)
    dead = []
    for path in tmp_path.glob("*.ipynb"):
        for cell in read(path).cells:
            if cell.cell_type == "markdown":
                links = re.findall(r"\]\(([^)#\s]+)", cell.source)
                dead += [
                    (path.name, link)
                    for link in links
                    if not link.startswith("http") and not (tmp_path / link).exists()
                ]
    assert dead == []


def test_where_the_course_is_missing_the_first_cell_installs_it():
    assert b"pip install" not in editions()["01_forward.ipynb"]
    address = f"file://{ROOT}"
    for content in editions(address).values():
        first = nbformat.reads(content.decode(), as_version=4).cells[0]
        assert first.source.endswith(f"    %pip install --quiet git+{address}")
    hostile = nbformat.reads(editions("a; rm -r x")["01_forward.ipynb"].decode(), as_version=4)
    assert hostile.cells[0].source.endswith("--quiet 'git+a; rm -r x'")
    source = re.sub("%pip install --quiet (.*)", r'print("\1")', first.source)
    for name, output in (("rnn_lib", ""), ("rnn_lib_that_is_missing", f"git+{address}\n")):
        cell = new_code_cell(source.replace('"rnn_lib"', f'"{name}"'))
        resources = {"metadata": {"path": str(ROOT)}}
        NotebookClient(new_notebook(cells=[cell]), resources=resources).execute()
        assert "".join(o.text for o in cell.outputs if o.name == "stdout") == output


def test_start_opens_lesson_1_and_leaves_work_as_it_is(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(start, "STUDENT", tmp_path)
    monkeypatch.setattr(start.subprocess, "call", lambda command: opened.append(command) or 0)
    monkeypatch.setattr(sys, "argv", ["start"])
    for _ in range(2):
        with pytest.raises(SystemExit) as end:
            start.main()
        assert end.value.code == 0
        (tmp_path / "01_forward.ipynb").write_bytes(b"my work")
        (tmp_path / "02_tiny_array.ipynb").unlink()
    assert [command[-1] for command in opened] == [str(tmp_path / "01_forward.ipynb")] * 2
    assert opened[0][1:3] == ["-m", "jupyterlab"]
    start.write()
    assert (tmp_path / "01_forward.ipynb").read_bytes() == b"my work"
    assert sorted(path.name for path in tmp_path.glob("*.ipynb")) == sorted(editions())


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """What `make grade` prepares, in a copy of the course."""
    course = copy_of_the_course(tmp_path_factory.mktemp("course"))
    prepare = (
        "from classroom.course import prepare; from classroom.lessons import *;"
        "prepare({path.stem: read(path) for path in lesson_paths()})"
    )
    subprocess.run([sys.executable, "-c", prepare], cwd=course, check=True)
    return course / "build" / "class" / "release"


@pytest.mark.parametrize("name", each(WITH_EXERCISES))
def test_class_gets_the_same_edition(name, release):
    assert read(release / name / f"{name}.ipynb") == student_edition(LESSONS[name])


@pytest.mark.parametrize("name", each(WITH_EXERCISES, slow=WITH_EXERCISES[1:]))
def test_nbgraders_own_command_makes_the_same_edition(name, release):
    shutil.rmtree(release / name)
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", "--assignment", name]
    subprocess.run(command, cwd=release.parents[2], check=True, capture_output=True)
    assert read(release / name / f"{name}.ipynb") == student_edition(LESSONS[name])


# -- nothing is overwritten ---------------------------------------------------------------------

FILES = {"a.ipynb": b"a", "b.ipynb": b"b"}


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.ipynb")}


def test_generating_again_changes_nothing(tmp_path):
    write_generated(tmp_path, FILES)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    write_generated(tmp_path, FILES)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_untouched_edition_is_renewed(tmp_path):
    write_generated(tmp_path, FILES)
    write_generated(tmp_path, FILES | {"a.ipynb": b"new"})
    assert contents(tmp_path) == FILES | {"a.ipynb": b"new"}


@pytest.mark.parametrize("known", [True, False], ids=["generated before", "never seen"])
def test_nothing_is_written_where_work_would_be_overwritten(tmp_path, known):
    if known:
        write_generated(tmp_path, FILES)
    (tmp_path / "b.ipynb").write_bytes(b"b, with work")
    before = contents(tmp_path)
    with pytest.raises(WorkedOn, match=r"b\.ipynb"):
        write_generated(tmp_path, {"a.ipynb": b"new", "b.ipynb": b"new"})
    assert contents(tmp_path) == before


def test_keep_both_writes_beside_work_old_and_new(tmp_path):
    write_generated(tmp_path, FILES)
    (tmp_path / "a.ipynb").write_bytes(b"my work")
    write_generated(tmp_path, FILES, keep_both=True)
    (tmp_path / "a-new.ipynb").write_bytes(b"more work")
    write_generated(tmp_path, FILES, keep_both=True)
    assert contents(tmp_path) == FILES | {
        "a.ipynb": b"my work",
        "a-new.ipynb": b"more work",
        "a-new-2.ipynb": b"a",
    }


def test_unreadable_record_counts_all_as_work(tmp_path):
    write_generated(tmp_path, FILES)
    (tmp_path / ".generated.json").write_text("{")
    write_generated(tmp_path, FILES)  # the very same contents are nobody's loss
    (tmp_path / ".generated.json").write_text("[1]")
    with pytest.raises(WorkedOn):
        write_generated(tmp_path, {"a.ipynb": b"new"})


def test_make_student_names_the_files_and_the_next_command(tmp_path):
    copy_of_the_course(tmp_path)

    def make_student(*options):
        command = [sys.executable, "-m", "classroom.edition", *options]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    assert make_student().returncode == 0
    student = tmp_path / "build" / "student"
    work = student / "03_bptt.ipynb"
    notebook = json.loads(work.read_text(encoding="utf-8"))
    notebook["cells"][0]["source"] = "my notes"
    work.write_text(json.dumps(notebook), encoding="utf-8")
    done = make_student()
    assert done.returncode == 1
    assert re.findall(r"^    (.*)$", done.stderr, re.MULTILINE) == ["build/student/03_bptt.ipynb"]
    assert "make student KEEP_BOTH=1" in done.stderr
    assert make_student("--keep-both").returncode == 0
    assert json.loads(work.read_text(encoding="utf-8"))["cells"][0]["source"] == "my notes"
    new = student / "03_bptt-new.ipynb"
    assert new.read_bytes() == to_bytes(student_edition(LESSONS["03_bptt"]))
