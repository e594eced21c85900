"""Every promise in docs/guarantees.md names tests that exist."""

import ast
import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PAGE = (PROJECT / "docs" / "guarantees.md").read_text(encoding="utf-8")


def names_in(file):
    tree = ast.parse((PROJECT / "tests" / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def missing(page):
    """Return the tests that a page names and nobody wrote."""
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", page)
    return [name for file, name in named if name not in names_in(file)]


def promises(page):
    rows = page.partition("## Fuzzed")[0].splitlines()
    rows = [row.split(" | ") for row in rows if row.startswith("| ")]
    return [row for row in rows if row[0] not in ("| promise", "| ---")]


def test_every_promise_names_tests_that_exist():
    assert len(promises(PAGE)) > 20
    assert all("::test_" in held_by for _, held_by in promises(PAGE))
    assert missing(PAGE) == []


def test_a_promise_that_nothing_holds_is_found():
    page = "| All is well | `test_guarantees.py::test_that_nobody_wrote` |"
    assert missing(page) == ["test_that_nobody_wrote"]


def test_the_numbers_of_examples_are_those_of_the_tests():
    source = (PROJECT / "conftest.py").read_text(encoding="utf-8")
    quick, thorough = map(int, re.findall(r"max_examples=(\d+)", source))
    n_properties = (PROJECT / "tests" / "test_properties.py").read_text().count("\n@given(")
    assert f"tries {quick} cases of each property" in PAGE
    assert f"`make test-all` {thorough}, which is {n_properties * thorough:,} in all" in PAGE
    assert n_properties * thorough >= 2000
