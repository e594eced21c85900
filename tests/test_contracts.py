"""Imports inside of rnn_lib run one way: the contracts of pyproject.toml, and that they catch."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def lint_imports(folder):
    """Check the contracts of the package in a folder; return the exit status and what was said."""
    run = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", run, "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8")
    return done.returncode, done.stdout + done.stderr


def test_imports_run_one_way():
    status, said = lint_imports(ROOT)
    assert status == 0, said


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("layers", "classifier"),  # upward
        ("activations", "losses"),
        ("validation", "text"),
        ("layers", "losses"),  # sideways
        ("imdb", "layers"),
        ("training", "imdb"),
        ("network", "checks"),
        ("checks", "classifier"),
        ("checks", "validation"),
        ("plots", "gradcheck"),
    ],
)
def test_an_import_against_a_contract_is_caught(tmp_path, importer, imported):
    shutil.copytree(ROOT / "rnn_lib", tmp_path / "rnn_lib")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    module = tmp_path / "rnn_lib" / f"{importer}.py"
    if not module.exists():
        module = tmp_path / "rnn_lib" / importer / "__init__.py"
    module.write_text(
        f"{module.read_text(encoding='utf-8')}\nfrom typing import TYPE_CHECKING\n"
        f"if TYPE_CHECKING:\n    import rnn_lib.{imported}\n",
        encoding="utf-8",
    )
    status, said = lint_imports(tmp_path)
    assert status == 1, said
    assert f"rnn_lib.{importer} -> rnn_lib.{imported}" in said


def test_a_module_without_a_place_in_the_order_is_caught(tmp_path):
    shutil.copytree(ROOT / "rnn_lib", tmp_path / "rnn_lib")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "rnn_lib" / "helpers.py").touch()
    status, said = lint_imports(tmp_path)
    assert status == 1, said
    assert "rnn_lib.helpers" in said or "- helpers" in said
