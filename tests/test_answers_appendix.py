"""The numbers in the appendix's answers: those that do not depend on the day."""

import re

import nbformat
from test_browser import ROOT

LESSON = nbformat.read(ROOT / "notebooks" / "appendix_speed.ipynb", as_version=4)


def test_answer_3_counts_as_the_lesson_does():
    folded = r"<summary>Answers</summary>(.*?)</details>"
    (answers,) = re.findall(folded, LESSON.cells[-1].source, re.DOTALL)
    (printed,) = (c.outputs[0].text for c in LESSON.cells if c.id == "rows-gradients")
    n_words = int(re.search(r"([\d,]+) of 20,000 rows", printed)[1].replace(",", ""))
    n_lookups, n_features = 64 * 400, 32
    assert f"each of the {n_words:,} words" in answers
    assert f"each of the {n_lookups:,} look-ups" in answers
    assert f"{n_words * n_lookups * n_features / 1e9:.1f} billion multiplications" in answers
    assert f"{n_lookups * n_features / 1e6:.1f} million additions" in answers
