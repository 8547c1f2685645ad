"""Refs hold what somebody reads."""

from __future__ import annotations

import ast
import dataclasses
import inspect

import pytest
from pydantic import BaseModel

from common.paths import repo_root
from components.contracts import refs
from stacks import outputs

REFS = [
    ref
    for _, ref in inspect.getmembers(refs, inspect.isclass)
    if dataclasses.is_dataclass(ref) and ref.__module__ == refs.__name__
]


@pytest.fixture(scope="module")
def read() -> set[str]:
    """Every attribute that the components or the program read, and every field that a stack puts out."""
    modules = [path for folder in ("components", "stacks") for path in (repo_root() / folder).rglob("*.py")]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in modules]
    attributes = {node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    models = [m for _, m in inspect.getmembers(outputs, inspect.isclass) if issubclass(m, BaseModel)]
    return attributes | {name for model in models for name in model.model_fields}


def test_there_are_refs_to_check() -> None:
    assert {"KeysRef", "ClusterRef", "FleetRef"} <= {ref.__name__ for ref in REFS}


@pytest.mark.parametrize("ref", REFS, ids=lambda ref: ref.__name__)
def test_somebody_reads_each_field_of_a_ref(read: set[str], ref: type) -> None:
    assert not [field.name for field in dataclasses.fields(ref) if field.name not in read], "a promise to nobody"
