"""The folder in which nbgrader works, build/class/: one assignment for each lesson.

```
source/LESSON/LESSON.ipynb          a copy of the complete lesson
release/LESSON/LESSON.ipynb         the student edition
submitted/STUDENT/LESSON/...        what came in, put in order
autograded/STUDENT/LESSON/...       the same, executed
feedback/STUDENT/LESSON/...         the same as a page, with points and comments
gradebook.db                        points, comments, manual changes
```
"""

import functools
import hashlib
import os
import secrets
import shutil
import sysconfig
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.apps import NbGraderAPI
from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.preprocessors import ClearSolutions, Execute, NbGraderPreprocessor
from traitlets.config import Config

import rnn_lib
from classroom import pages
from classroom.edition import open_exercises
from classroom.execution import BoundedExecute
from classroom.files import to_bytes, write_generated, write_whole
from classroom.lessons import NOTEBOOKS, ROOT, exercises

COURSE = ROOT / "build" / "class"
GRADEBOOK = COURSE / "gradebook.db"

# Several notebooks are graded at once: each waits until the others have written.
DATABASE = f"sqlite:///{GRADEBOOK}?timeout=120"


class OpenExercises(NbGraderPreprocessor):
    """Replaces the solutions by stubs that name the exercise, and adds the way on."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Replace them in one lesson."""
        open_exercises(nb)
        return nb, resources


def configure(config: Config) -> Config:
    """Add this course's settings to nbgrader's configuration.

    Parameters
    ----------
    config : Config
        Changed in place.

    Returns
    -------
    Config
        The same object.
    """
    generate = GenerateAssignment.preprocessors.default()
    autograde = Autograde.autograde_preprocessors.default()
    config.CourseDirectory.root = str(COURSE)
    config.CourseDirectory.db_url = DATABASE
    config.CourseDirectory.ignore = [".*", "__pycache__"]
    config.GenerateAssignment.preprocessors = _exchange(generate, ClearSolutions, OpenExercises)
    config.Autograde.autograde_preprocessors = _exchange(autograde, Execute, BoundedExecute)
    config.OverwriteCells.add_missing_cells = True
    config.BoundedExecute.seed = seed()
    config.HTMLExporter.sanitize_html = True  # a student's script must not run on a page
    config.HTMLExporter.filters = pages.FILTERS
    return config


def _exchange(preprocessors: list, theirs: type, ours: type) -> list:
    return [ours if preprocessor is theirs else preprocessor for preprocessor in preprocessors]


def seed() -> str:
    """Return the secret from which each hand-in's seed is made: an integer, chosen once."""
    path = COURSE / "seed.txt"
    if not path.exists():
        write_whole(path, str(secrets.randbelow(10**9)).encode())
    return path.read_text(encoding="utf-8")


def prepare(lessons: dict[str, NotebookNode]) -> None:
    """Make nbgrader's assignments from the lessons, those that are new or have changed.

    Parameters
    ----------
    lessons : dict of str to NotebookNode
        The complete lessons, by name.

    Raises
    ------
    WorkedOn
        If somebody edited the copies in build/class/source/: the lessons are in notebooks/.
    RuntimeError
        If nbgrader refuses, for example to add an exercise after notebooks have come in.
    """
    if not GRADEBOOK.exists():  # then nothing is graded, whatever else is left
        for name in ("release", "results"):
            shutil.rmtree(COURSE / name, ignore_errors=True)
    for name, lesson in lessons.items():
        if not any(exercises(lesson)):
            continue
        source = COURSE / "source" / name / f"{name}.ipynb"
        release = COURSE / "release" / name / f"{name}.ipynb"
        content = to_bytes(lesson)
        if release.exists() and source.exists() and source.read_bytes() == content:
            continue
        release.unlink(missing_ok=True)
        write_generated(source.parent, {source.name: content})
        expect_success(nbgrader().generate_assignment(name))


@functools.cache
def code() -> bytes:
    """Hash the grading code and its data, such as the list of mistakes."""
    folders = Path(rnn_lib.__file__).parent, Path(__file__).parent
    paths = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    judging = [path.read_bytes() for path in paths if path.suffix != ".pyc"]
    return hashlib.sha256(b"\0".join(judging)).digest()


def copy_of_the_course(folder: Path) -> Path:
    """Copy what grading needs into a folder, so that a teacher's own gradebook is left alone.

    Parameters
    ----------
    folder : Path
        Commands such as ``python -m classroom.grade`` can then be run in it.

    Returns
    -------
    Path
        The same.
    """
    for original in (Path(__file__).parent, NOTEBOOKS):
        shutil.copytree(original, folder / original.name)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    return folder


def nbgrader(**settings: object) -> NbGraderAPI:
    """Return nbgrader's programming interface, for this course.

    Parameters
    ----------
    **settings
        Of :class:`BoundedExecute`.
    """
    # It calls alembic by that name, which is found only where the environment is activated.
    os.environ["PATH"] = sysconfig.get_path("scripts") + os.pathsep + os.environ.get("PATH", "")
    config = configure(Config())
    config.BoundedExecute.update(settings)
    return NbGraderAPI(config=config)


def expect_success(result: dict) -> None:
    """Make sure that nbgrader succeeded.

    Raises
    ------
    RuntimeError
        If it did not; the message is its last error.
    """
    if not result["success"]:
        said = (result.get("log") or "") + result["error"]
        errors = [line for line in said.splitlines() if "Error" in line or "rror:" in line]
        raise RuntimeError((errors or said.splitlines())[-1].strip())
