"""Tests that could not fail: an assertion on an output that nobody waits for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
DECORATOR = "pulumi.runtime.test"


def unawaited_tests(source: str) -> Iterator[str]:
    """Names of test functions that hand an asserting function to `.apply(` and do not wait for outputs."""
    functions = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    asserting = {f.name for f in functions if any(isinstance(n, ast.Assert) for n in ast.walk(f))}
    for test in functions:
        waits = any(ast.unparse(decorator) == DECORATOR for decorator in test.decorator_list)
        if test.name.startswith("test_") and not waits and asserting & applied(test):
            yield test.name


def applied(test: ast.AST) -> set[str]:
    """Names of the functions that are handed to `.apply(`."""
    calls = (n for n in ast.walk(test) if isinstance(n, ast.Call))
    given = (c.args[:1] for c in calls if isinstance(c.func, ast.Attribute) and c.func.attr == "apply")
    return {name.id for args in given for name in args if isinstance(name, ast.Name)}


def test_an_assertion_that_nobody_waits_for_is_found() -> None:
    check = "def check(v):\n    assert v\n"
    body = "    bucket.name.apply(check)\n"
    source = f"{check}def test_bare():\n{body}@{DECORATOR}\ndef test_waits():\n{body}"
    assert list(unawaited_tests(source)) == ["test_bare"]


def test_no_test_asserts_on_an_output_that_nobody_waits_for() -> None:
    found = {
        f"{path.relative_to(TESTS)}::{name}"
        for path in TESTS.rglob("test_*.py")
        for name in unawaited_tests(path.read_text(encoding="utf-8"))
    }
    assert not found, f"a false assertion inside apply passes silently: use @{DECORATOR}, or the recorded graph"


@pytest.mark.xdist_group("one-worker")
def test_tests_of_one_group_run_on_one_worker(request: pytest.FixtureRequest) -> None:
    """Where xdist does not know the group, each worker deploys the stacks that tests share, and nothing says so."""
    if not getattr(request.config.option, "loadgroup", False):
        return
    assert request.node.nodeid.endswith("@one-worker"), "this pytest and this xdist do not group tests together"
