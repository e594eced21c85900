"""A lesson that has been run in this process: its cells, variables, printed lines and figures."""

import contextlib
import io
import re
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"


class LessonRun:
    """What is there after all cells have run.

    Parameters
    ----------
    stem : str
        The notebook's name.
    edit : callable
        From a cell's source to what is to be run in its place; "" runs nothing.
    """

    def __init__(self, stem, edit=str):
        self.cells = nbformat.read(NOTEBOOKS / f"{stem}.ipynb", as_version=4).cells
        self.text = {cell.id: cell.source for cell in self.cells}
        self.names, self.printed, self.axes = {}, {}, {}
        with np.printoptions():  # a lesson's own end with it
            for cell in self.cells:
                if cell.cell_type == "code" and (source := edit(cell.source)):
                    self._run(cell.id, source)

    def _run(self, cell_id, source):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(source, cell_id, "exec"), self.names)
        self.printed[cell_id] = out.getvalue()
        if plt.get_fignums():
            self.axes[cell_id] = plt.gcf().axes
            plt.close("all")

    def answer(self, question):
        """Return the text of a folded answer."""
        return answer_in(self.text["answers"], question)


def fixtures_of(stem, edit=str):
    """Return the fixtures `lesson` and `names` of a file's tests; the lesson runs once for them."""

    @pytest.fixture(scope="module")
    def lesson():
        return LessonRun(stem, edit)

    @pytest.fixture
    def names(lesson):
        return lesson.names

    return lesson, names


def answer_in(text, question):
    """Return one of the folded answers of a cell."""
    folded = r"<details><summary>Answer to question (\d)</summary>\n\n(.*?)\n\n</details>"
    return dict(re.findall(folded, text, re.DOTALL))[str(question)]


def assert_every_question_is_answered(text, numbers):
    """Hold the end of a lesson, its texts given by cell: questions, folded answers, reading."""
    questions = text["closing"].partition("## On your own")[2]
    asked = re.findall(r"^(\d)\. ", questions, re.MULTILINE)
    answered = re.findall(r"Answer to question (\d)<", text["answers"])
    assert asked == answered == numbers
    headings = re.findall(r"^## (\D.*)", "\n".join(text.values()), re.MULTILINE)
    assert headings == ["What you did", "On your own", "Further reading"]
    assert list(text)[-3:] == ["closing", "answers", "further-reading"]


def assert_outputs_say_numbers(cells):
    """Hold that nothing that was printed says only True or False."""
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    printed = "".join(o.text for o in outputs if o.output_type == "stream")
    assert not re.search(r"\b(True|False)\b", printed)
