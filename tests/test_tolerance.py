"""Numbers compared within a tolerance: by nbval, only the numbers; and how wide it is."""

import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from run_lessons import spread_of, verdict
from tolerance import settle

TESTS = Path(__file__).parent


def cell(source, output, tolerance=None):
    """Make a cell whose committed output is `output`, whatever `source` shows."""
    metadata = {} if tolerance is None else {"rnn_lib": {"tolerance": tolerance}}
    return new_code_cell(source, outputs=[output], metadata=metadata, execution_count=1)


def printed(text):
    return new_output("stream", name="stdout", text=text)


def html(text):
    return new_output("display_data", {"text/plain": "a table", "text/html": text})


SHOW = "_ = display({'text/plain': 'a table', 'text/html': '<td>0.457</td>'}, raw=True)"
CELLS = {  # name: the cell, and whether it passes
    "equal": (cell("print('0.875')", printed("0.875\n"), 0.004), True),
    "within": (cell("print('0.875')", printed("0.879\n"), 0.004), True),
    "beyond": (cell("print('0.875')", printed("0.880\n"), 0.004), False),
    "one of two beyond": (cell("print('1.0 2.0')", printed("1.1 2.2\n"), 0.1), False),
    "other text": (cell("print('loss 0.875')", printed("cost 0.875\n"), 0.004), False),
    "one number more": (cell("print('0.875 1')", printed("0.875\n"), 0.004), False),
    "one output more": (cell("print('1'); 2", printed("1\n"), 0.004), False),
    "no tolerance": (cell("print('0.875')", printed("0.876\n")), False),
    "table within": (cell(SHOW, html("<td>0.460</td>"), 0.004), True),
    "table beyond": (cell(SHOW, html("<td>0.462</td>"), 0.004), False),
    "other tag": (cell(SHOW, html("<th>0.457</th>"), 0.004), False),
}


def test_nbval_compares_numbers_within_a_cells_tolerance(tmp_path):
    cells = [made for made, _ in CELLS.values()]
    nbformat.write(new_notebook(cells=cells), tmp_path / "small.ipynb")
    command = [sys.executable, "-m", "pytest", "-p", "tolerance", "-p", "no:cacheprovider", "-rA"]
    command += ["--rootdir=.", "--nbval", "--nbval-current-env", "small.ipynb"]
    outside = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=outside | {"PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    results = re.findall(r"^(PASSED|FAILED) small.ipynb::Cell (\d+)", done.stdout, re.MULTILINE)
    passed = {list(CELLS)[int(number)]: result == "PASSED" for result, number in results}
    assert passed == {name: passes for name, (_, passes) in CELLS.items()}, done.stdout


@pytest.mark.parametrize(
    ("new", "committed", "tolerance", "expected"),
    [
        ("60.1 %", "60.0 %", 0.1, "60.0 %"),  # as decimals, not as binary fractions
        ("from 59.9 to 90.5", "from 60.0 to 90.9", 0.2, "from 60.0 to 90.5"),
        ("-0.1", "0.1", 0.2, "0.1"),
        ("+1.5e-3", "+1.6e-3", 0.0001, "+1.6e-3"),
        ("nan", "0.1", 1, "nan"),
        ("差は+4.0ポイント", "差は+4.3ポイント", 0.5, "差は+4.3ポイント"),
        ("差は+3.0ポイント", "差は+4.3ポイント", 0.5, "差は+3.0ポイント"),
        ("W_1 #001122", "W_2 #001123", 5, "W_1 #001122"),  # names and colors are text
    ],
)
def test_numbers_that_are_close_become_the_committed_ones(new, committed, tolerance, expected):
    assert settle(new, committed, tolerance) == expected


def test_spread_is_the_largest_distance_of_one_number_between_processors():
    committed = [printed("87.1 of 100\n"), html("<td>0.5</td>")]
    others = [printed("86.8 of 100\n"), html("<td>0.6</td>")]
    pieces = [printed("87.2 "), printed("of 100\n"), html("<td>0.5</td>")]
    assert spread_of([committed, others, pieces]) == Decimal("0.4")
    assert spread_of([committed, committed]) == 0
    assert spread_of([committed, [printed("87.1 of all\n"), html("<td>0.5</td>")]]) is None


@pytest.mark.parametrize(
    ("tolerance", "spread", "expected"),
    [
        ("0.4", "0.4", "fine"),
        ("1.2", "0.4", "fine"),
        ("0.3", "0.4", "too narrow: at least 0.4"),
        ("1.3", "0.4", "too wide: at most 1.2"),
        ("1.3", "0", "not needed: remove the tolerance"),
    ],
)
def test_tolerance_is_the_spread_at_least_and_three_times_the_spread_at_most(
    tolerance, spread, expected
):
    assert verdict(Decimal(tolerance), Decimal(spread)) == expected
