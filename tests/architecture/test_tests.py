"""Tests that could not fail, or that test what nobody runs: an output that nobody waits for, a patched constant."""

from __future__ import annotations

import ast
import re
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


CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]+")
PATCHES = {"setattr", "setitem", "delattr", "patch", "object", "multiple", "dict"}
"""Methods of pytest's `monkeypatch` and functions of `unittest.mock.patch`."""


def patched_constants(source: str) -> Iterator[str]:
    """Constants of modules that a test gives another value: `patch.setattr(module, "NAME", …)` and its like.

    An assignment to an attribute counts, `module.NAME = …`, and a write into a constant, `setitem(module.NAME, …)`.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign):
            targets = [t for t in node.targets if isinstance(t, ast.Attribute)]
            yield from (ast.unparse(t) for t in targets if CONSTANT.fullmatch(t.attr))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            if called in PATCHES:
                named = [
                    *node.args[:2],
                    *(k.value for k in node.keywords if k.arg in ("name", "target", "attribute")),
                ]
                yield from (text for text in map(last_name, named) if CONSTANT.fullmatch(text))


def last_name(argument: ast.expr) -> str:
    """What an argument names: the end of a dotted text, or of a dotted expression."""
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return argument.value.rpartition(".")[2]
    return argument.attr if isinstance(argument, ast.Attribute) else ""


@pytest.mark.parametrize(
    "line",
    [
        'monkeypatch.setattr(module, "PATIENCE_S", 1)',
        'monkeypatch.setattr("ops.drill.local.PATIENCE_S", 1)',
        'patch.setattr(name="_RETRY", target=module, value=None)',
        'monkeypatch.setitem(module.GROUPS, "plan", None)',
        'mock.patch("ops.drill.local.PATIENCE_S", 1)',
        'mock.patch.object(module, "PATIENCE_S", 1)',
        'mock.patch.dict(module.GROUPS, {"plan": None})',
        "module.PATIENCE_S = 1",
    ],
)
def test_a_patched_constant_is_found(line: str) -> None:
    assert list(patched_constants(f"def test_it(monkeypatch):\n    {line}\n"))


@pytest.mark.parametrize(
    "line",
    [
        'monkeypatch.setattr(module, "open_stack", fake)',
        'monkeypatch.setenv("SEAWALL_OUT", folder)',
        "PATIENCE_S = 1",
    ],
)
def test_a_replaced_function_or_a_variable_of_the_environment_is_none(line: str) -> None:
    assert not list(patched_constants(f"def test_it(monkeypatch):\n    {line}\n"))


def test_no_test_patches_a_constant() -> None:
    found = {
        f"{path.relative_to(TESTS)}: {name}"
        for path in TESTS.rglob("*.py")
        for name in patched_constants(path.read_text(encoding="utf-8"))
    }
    assert not found, "what a test must vary is a parameter"


@pytest.mark.xdist_group("one-worker")
def test_tests_of_one_group_run_on_one_worker(request: pytest.FixtureRequest) -> None:
    """Where xdist does not know the group, each worker deploys the stacks that tests share, and nothing says so."""
    if not getattr(request.config.option, "loadgroup", False):
        return
    assert request.node.nodeid.endswith("@one-worker"), "this pytest and this xdist do not group tests together"
