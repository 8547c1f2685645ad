"""How components are written: they finish, they decide from what they are given, and they reach for nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

COMPONENTS = Path(__file__).resolve().parents[2] / "components"
MODULES = sorted(COMPONENTS.rglob("*.py"))
OUTSIDE_WORLD = frozenset(
    {
        "asyncio",
        "boto3",
        "datetime",
        "google",
        "http",
        "io",
        "os",
        "pathlib",
        "random",
        "requests",
        "secrets",
        "shutil",
        "socket",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "time",
        "urllib",
        "uuid",
    }
)
"""Modules with which a constructor could read a file, a clock, the environment, the network, or throw dice."""
LOOKUPS = frozenset({"invoke", "invoke_async", "StackReference"})
NO_LOOKUPS = frozenset({"pulumi.get_type_token"})
"""Named like a look-up, and ask no cloud: this one reads a class."""

QUESTIONS = {
    "gcp/bootstrap/account.py": frozenset(
        {
            "gcp.logging.get_project_cmek_settings_output",
            "gcp.storage.get_project_service_account_output",
            "gcp.storage.get_transfer_project_service_account_output",
        }
    )
}
"""Look-ups that are asked for what they do, not for what they tell: the service makes its agent at the first one."""


def classes() -> Iterator[tuple[Path, ast.ClassDef]]:
    """Every subclass of `Component`, with the file it stands in."""
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "Component" for base in node.bases):
                yield path, node


def calls(path: Path) -> Iterator[ast.Call]:
    """Every call in a file."""
    yield from (n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call))


def is_finish(statement: ast.stmt) -> bool:
    """Whether a statement is `self.finish(...)`."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Call)
        and ast.unparse(statement.value.func) == "self.finish"
    )


def called(path: Path) -> Iterator[str]:
    """The dotted names of all that a file calls."""
    yield from (ast.unparse(call.func) for call in calls(path))


def test_there_are_components_to_check() -> None:
    found = {path.relative_to(COMPONENTS).parts[0] for path, _ in classes()}
    assert found == {"aws", "gcp", "kubernetes"}, "a check that finds nothing passes for ever"


@pytest.mark.parametrize(
    ("path", "component"), [pytest.param(p, c, id=f"{p.parent.name}-{c.name}") for p, c in classes()]
)
def test_each_component_ends_by_saying_that_it_is_complete(path: Path, component: ast.ClassDef) -> None:
    constructors = [n for n in component.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"]
    assert constructors, f"{path.name} has a component without a constructor"
    assert is_finish(constructors[0].body[-1]), "without its outputs registered the engine counts it as unfinished"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(COMPONENTS).as_posix())
def test_no_component_reaches_into_the_outside_world(path: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.split(".")[0])
    assert not imported & OUTSIDE_WORLD, "what a component needs comes through its settings"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(COMPONENTS).as_posix())
def test_no_component_looks_anything_up(path: Path) -> None:
    sdk = ("aws.", "gcp.", "kubernetes.", "pulumi.")
    looked_up = {
        name
        for name in called(path)
        if name.startswith(sdk)
        and name not in NO_LOOKUPS
        and name not in QUESTIONS.get(path.relative_to(COMPONENTS).as_posix(), ())
        and (
            name.rpartition(".")[2].startswith("get_")
            or name.rpartition(".")[2] in LOOKUPS
            or (name.endswith(".get") and name.count(".") > 1)
        )
    }
    assert not looked_up, "a look-up needs credentials, and then no plan works without them"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(COMPONENTS).as_posix())
def test_no_component_merges_options(path: Path) -> None:
    merges = [name for name in called(path) if name.endswith(("ResourceOptions.merge", ".merge"))]
    assert not merges, "a merge lets the caller's parent win and protection leak down"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(COMPONENTS).as_posix())
def test_protection_follows_from_a_declaration_of_state_alone(path: Path) -> None:
    own = {"component.py": {"place.protected", "place.retained"}}.get(path.name, set())
    tree = ast.parse(path.read_text(encoding="utf-8"))
    read = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    chosen = {
        word.arg for call in calls(path) for word in call.keywords if word.arg in ("protect", "retain_on_delete")
    }
    assert read & {"place.protected", "place.retained"} == own, "use what `Component.keep` gives"
    assert bool(chosen) is bool(own), "declare what the resource holds with `Component.keep`"
