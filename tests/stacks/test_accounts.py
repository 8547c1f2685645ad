"""The rows of docs/accounts name only what exists, and the page is theirs."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ops.preflight.model import CHECKS
from policies.inventory import Inventory
from policies.rules import RULES
from stacks.accounts import PAGE, Made, Row, areas, page
from stacks.schema import file_schema

ROOT = Path(__file__).resolve().parents[2]
ROWS = [pytest.param(row, id=f"{area.area}: {row.row}") for area in areas() for row in area.rows]
SCHEMA = file_schema()


def has_setting(schema: Mapping[str, Any], path: str) -> bool:
    """Whether a dotted path leads to a setting; `*` stands for any key of a map or position of a list."""
    nodes = [schema["$defs"]["Settings"]]
    for part in path.split("."):
        nodes = [below for node in nodes for found in alternatives(schema, node) for below in inside(found, part)]
    return bool(nodes)


def alternatives(schema: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The node itself with its reference followed, or each of the shapes that it may have."""
    if "$ref" in node:
        yield from alternatives(schema, schema["$defs"][node["$ref"].rsplit("/", 1)[-1]])
    elif options := node.get("anyOf", node.get("oneOf")):
        for option in options:
            yield from alternatives(schema, option)
    else:
        yield node


def inside(node: Mapping[str, Any], part: str) -> Iterator[Mapping[str, Any]]:
    """What a key, or `*`, leads to."""
    if part in node.get("properties", {}):
        yield node["properties"][part]
    elif part == "*" and isinstance(node.get("additionalProperties"), Mapping):
        yield node["additionalProperties"]
    elif part == "*" and "patternProperties" in node:
        yield from node["patternProperties"].values()
    elif part == "*" and "items" in node:
        yield node["items"]


def missing(made: Made, cloud: str, plans: Mapping[str, Inventory]) -> list[str]:
    """The resources that no stack of the cloud plans, or not with the named input."""
    planned = [r for stack, plan in plans.items() if stack.endswith(f"-{cloud}") for r in plan.resources]
    return [
        named
        for named in made.resources
        for token, _, path in [named.partition("#")]
        if not any(r.type == token and (not path or r.is_unknown(path) or r.get(path) is not None) for r in planned)
    ]


def named_in(file: Path) -> set[str]:
    """The names of a file's tests."""
    tree = ast.parse(file.read_text(encoding="utf-8")) if file.is_file() else ast.Module([], [])
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", ROWS)
def test_the_settings_of_a_row_exist(row: Row) -> None:
    named = (*row.settings, *row.encoded.refusals)
    assert [path for path in named if not has_setting(SCHEMA, path)] == []


@pytest.mark.parametrize("row", ROWS)
def test_the_resources_of_a_row_are_planned(row: Row, plans: dict[str, Inventory]) -> None:
    assert missing(row.aws, "aws", plans) == []
    assert missing(row.gcp, "gcp", plans) == []


@pytest.mark.parametrize("row", ROWS)
def test_the_rules_of_a_row_exist(row: Row) -> None:
    assert set(row.encoded.policies) <= {rule.id for rule in RULES}


@pytest.mark.parametrize("row", ROWS)
def test_the_checks_of_a_row_exist(row: Row) -> None:
    assert set(row.encoded.preflight) <= set(CHECKS)


def test_every_check_of_the_preflight_stands_in_a_row() -> None:
    assert {check for area in areas() for row in area.rows for check in row.encoded.preflight} == set(CHECKS)


@pytest.mark.parametrize("row", ROWS)
def test_the_tests_of_a_row_exist(row: Row) -> None:
    named = (test.partition("::") for test in row.encoded.tests)
    assert [f"{file}::{test}" for file, _, test in named if test not in named_in(ROOT / file)] == []


def test_the_page_is_that_of_the_rows() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(areas()), "run `make docs`"


@pytest.mark.parametrize("path", ["backup.rpo", "pools.gpu.machine", "zones.first", "fleet.images.serving.tag"])
def test_a_setting_that_does_not_exist_is_found(path: str) -> None:
    assert not has_setting(SCHEMA, path)


@pytest.mark.parametrize("named", ["aws:eks/nodegroup:NodeGroup", "aws:eks/nodeGroup:NodeGroup#scalingConfig.least"])
def test_a_resource_that_is_not_planned_is_found(named: str, plans: dict[str, Inventory]) -> None:
    assert missing(Made(resources=(named,)), "aws", plans) == [named]


def test_a_row_without_a_test_is_refused() -> None:
    with pytest.raises(ValidationError, match="tests"):
        Row.model_validate({"row": "a row", "aws": {"instead": "x"}, "gcp": {"instead": "x"}, "encoded": {}})
