"""What a newcomer gets: one list of packages, one set of versions, errors that say what to do."""

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat.v4
import pytest
import yaml  # both come with jupyter
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import rnn_lib
from classroom.edition import STUDENT, editions
from conftest import LONGEST_FIRST, SLOW_CELLS

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = SETTINGS["project"]
EXTRAS = PROJECT["optional-dependencies"]
DEPENDENCIES = [
    dependency
    for group in (PROJECT["dependencies"], *map(EXTRAS.get, ("book", "class", "cluster", "test")))
    for dependency in group
    if Requirement(dependency).name != PROJECT["name"]  # an extra that includes another
]


def constraint_lines():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_constraints_name_versions_and_no_host_or_path():
    for line in constraint_lines():
        assert re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*( ; [\w .'<>=!()]+)?", line), line


@pytest.mark.parametrize("dependency", DEPENDENCIES)
def test_every_dependency_is_pinned_within_its_bounds(dependency):
    wanted = Requirement(dependency)
    pins = [pin for pin in map(Requirement, constraint_lines()) if pin.name == wanted.name]
    assert len(pins) == 1
    assert pins[0].marker is None, "pinned on some systems only"
    (pin,) = pins[0].specifier
    assert pin.version in wanted.specifier


def test_environment_yml_adds_only_python():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python, pip, pip_part = environment["dependencies"]
    assert pip == "pip"
    assert pip_part == {"pip": ["-c constraints.txt", "-e .[test]"]}
    assert python.startswith("python=")
    assert python.removeprefix("python=") in SpecifierSet(PROJECT["requires-python"])


# What devcontainer.json's published schema calls what is used of it, and of which type.
CONTAINER = {"name": str, "image": str, "postCreateCommand": str, "customizations": dict}


def test_the_container_opens_a_lesson_that_it_makes():
    text = (ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8")
    container = json.loads(text)
    assert {key: type(value) for key, value in container.items()} == CONTAINER
    environment = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert f"python={container['image'].partition(':')[2]}\n" in environment
    make, task = container["postCreateCommand"].split()
    assert make == "make"
    assert re.search(f"^{task}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    opened = container["customizations"]["codespaces"]["openFiles"]
    made = {str((STUDENT / name).relative_to(ROOT)) for name in editions()}
    assert opened and set(opened) <= made


@pytest.mark.slow
def test_pip_installs_a_working_course_from_environment_yml(tmp_path):
    """Install its pip part into a new environment, and use what students and teachers use."""
    course = tmp_path / "course"
    shutil.copytree(ROOT / "rnn_lib", course / "rnn_lib")
    for name in ("pyproject.toml", "constraints.txt", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, course)
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    requirements = course / "requirements.txt"  # conda writes one beside environment.yml
    requirements.write_text("\n".join(environment["dependencies"][2]["pip"]), encoding="utf-8")
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    python = venv / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    install = [python, "-m", "pip", "install", "--quiet", "-r", requirements]
    done = subprocess.run(install, cwd=course, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    use = "import rnn_lib, jupyterlab, nbval, pytest; print(rnn_lib.__version__)"
    done = subprocess.run([python, "-c", use], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == rnn_lib.__version__, done.stderr


@pytest.mark.slow
def test_repo2docker_reads_environment_yml(tmp_path):
    """What Binder makes of the repository: a Dockerfile with conda, and nothing else needed."""
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    bin_ = venv / ("Scripts" if sys.platform == "win32" else "bin")
    install = [bin_ / "python", "-m", "pip", "install", "--quiet", "jupyter-repo2docker"]
    subprocess.run(install, check=True)
    command = [bin_ / "jupyter-repo2docker", "--no-build", "--debug", ROOT]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    assert "Building conda environment for python=3.13" in said
    # It installs the course itself, so the repository has to be there first.
    steps = [line.strip() for line in said.splitlines()]
    copied = next(i for i, line in enumerate(steps) if re.match(r"COPY .* src/ ", line))
    installed = next(i for i, line in enumerate(steps) if "env update" in line)
    assert copied < installed


@pytest.mark.parametrize("package", SETTINGS["tool"]["setuptools"]["packages"])
def test_every_data_file_ships_with_its_package(package):
    patterns = SETTINGS["tool"]["setuptools"]["package-data"][package]
    beside = [path for path in ROOT.joinpath(*package.split(".")).iterdir() if path.is_file()]
    data = [path.name for path in beside if path.suffix != ".py"]
    assert data
    assert [name for name in data if not any(fnmatch.fnmatch(name, p) for p in patterns)] == []


def test_changelog_begins_with_the_version():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+)", changelog, re.MULTILINE)[1] == rnn_lib.__version__


# --- make -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "message"),
    [(None, "Python 3.11 or newer is needed"), ("3.10", "python3 is Python 3.10: too old")],
)
@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_make_says_which_python_it_needs(tmp_path, version, message):
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    if version:
        python = tmp_path / "python3"
        python.write_text(f"#!/bin/sh\necho {version}\n")
        python.chmod(0o755)
    done = subprocess.run(
        [shutil.which("make"), "lab"],
        cwd=tmp_path,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert message in done.stdout


def commands_that_import(makefile):
    """Yield the lines of a Makefile that run a program of ours, changed to import it only."""
    for environment, module, path in re.findall(
        r"^\t@?(PYTHONPATH=\S+ )?[^\n]*\$\(python\) (?:-m (classroom\.\w+)|(\w+/\w+\.py))",
        makefile,
        re.MULTILINE,
    ):
        if module:
            code, first = f"import {module}", "sys.path[0]"
        else:
            code = f"import runpy; runpy.run_path({path!r}, run_name='imported')"
            first = repr(str(ROOT / Path(path).parent))
        yield environment + f'"$PYTHON" -c "import sys; sys.path[0] = {first}; {code}"'


COMMANDS = sorted(set(commands_that_import((ROOT / "Makefile").read_text("utf-8"))))


def runs(command):
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment["PYTHON"] = sys.executable
    how = {"cwd": ROOT, "env": environment, "capture_output": True, "text": True}
    ended = subprocess.run(command, shell=True, **how)
    return ended.returncode == 0 or ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_make_finds_what_it_imports(command):
    assert runs(command) is True


@pytest.mark.slow
def test_a_command_that_does_not_find_its_imports_is_found():
    (command,) = commands_that_import("\t$(python) tests/translate_library.py\n")
    assert "No module named 'classroom'" in runs(command)


def test_files_that_run_first_exist():
    names = {path.name for folder in ("tests", "notebooks") for path in (ROOT / folder).iterdir()}
    assert set(LONGEST_FIRST) <= names


def test_cells_that_make_test_leaves_out_exist():
    for name, slow in SLOW_CELLS.items():
        notebook = nbformat.read(ROOT / "notebooks" / name, as_version=4)
        assert set(slow) <= {cell.id for cell in notebook.cells}


# --- make run -------------------------------------------------------------------------------


def run_lessons(*arguments):
    command = [sys.executable, ROOT / "tests" / "run_lessons.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8")


def write_lesson(path, *sources):
    cells = [nbformat.v4.new_code_cell(s, id=f"cell-{i}") for i, s in enumerate(sources)]
    path.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells)), encoding="utf-8")
    return path


def test_run_prints_a_result_for_each_lesson_and_continues_after_a_failure(tmp_path):
    lessons = [
        write_lesson(tmp_path / "crashes.ipynb", "x = 1", "x / 0", "print('Result: never')"),
        write_lesson(tmp_path / "never_ends.ipynb", "import time; time.sleep(60)"),
        write_lesson(tmp_path / "says_nothing.ipynb", "print('done')"),
        write_lesson(tmp_path / "works.ipynb", "print('Result: 7')"),
    ]
    before = [lesson.read_bytes() for lesson in lessons]

    done = run_lessons("--inplace", "--timeout=3", *lessons)

    assert done.returncode == 1
    assert re.search(r"crashes +\d+ s  FAILED  In \[2\]: ZeroDivisionError", done.stdout)
    assert re.search(r"never_ends +\d+ s  FAILED  In \[1\]: .* timed out", done.stdout)
    assert re.search(r'says_nothing +\d+ s  FAILED  .* "Result: "', done.stdout)
    assert re.search(r"works +\d+ s  Result: 7\n", done.stdout)
    assert "Result: never" not in done.stdout.replace("print('Result: never')", "")
    changed = [old != new.read_bytes() for old, new in zip(before, lessons, strict=True)]
    assert changed == [False, False, False, True], "only a lesson that works is renewed"


PIECES = "import time\nfor n in range(3):\n    print(n, flush=True)\n    time.sleep(0.4)"
BAR = "import sys, tqdm\nfor _ in tqdm.tqdm(range(50), file=sys.stdout, mininterval=0): pass"


@pytest.fixture(scope="module")
def renewed(tmp_path_factory):
    """Lessons that were renewed in place, by name."""
    folder = tmp_path_factory.mktemp("renewed")
    lessons = {
        name: write_lesson(folder / f"{name}.ipynb", source, "print('Result: 7')")
        for name, source in (("plain", "import sys"), ("pieces", PIECES), ("bar", BAR))
    }
    assert run_lessons("--inplace", *lessons.values()).returncode == 0
    return lessons


def test_renewing_a_lesson_twice_changes_no_byte(renewed):
    lesson = renewed["plain"]
    first = lesson.read_bytes()
    assert run_lessons("--inplace", lesson).returncode == 0
    assert lesson.read_bytes() == first
    assert sys.version.split()[0] not in lesson.read_text(encoding="utf-8")


def test_output_printed_in_pieces_is_stored_as_one(renewed):
    outputs = nbformat.read(renewed["pieces"], as_version=4).cells[0].outputs
    assert [output.text for output in outputs] == ["0\n1\n2\n"]


def test_of_a_progress_bar_the_last_state_is_stored(renewed):
    (output,) = nbformat.read(renewed["bar"], as_version=4).cells[0].outputs
    assert output.name == "stdout"
    assert output.text.startswith("100%|")
    assert "\r" not in output.text.strip() and len(output.text.splitlines()) == 1
