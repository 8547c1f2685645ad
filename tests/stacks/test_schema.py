"""The generated schema and reference are current, and the schema agrees with the validation."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from stacks.schema import REFERENCE_FILE, SCHEMA_FILE, file_schema, reference
from stacks.settings import stack_file, stack_names

Values = Callable[[str], dict[str, Any]]


def test_the_committed_schema_is_current() -> None:
    assert json.loads(SCHEMA_FILE.read_text(encoding="utf-8")) == file_schema(), "run `make docs`"


def test_the_committed_reference_is_current() -> None:
    assert REFERENCE_FILE.read_text(encoding="utf-8") == reference(file_schema()), "run `make docs`"


@pytest.mark.parametrize("stack", stack_names())
def test_each_stack_file_fits_the_schema(stack: str) -> None:
    jsonschema.validate(YAML(typ="safe").load(stack_file(stack).read_text(encoding="utf-8")), file_schema())


@pytest.mark.parametrize("stack", stack_names())
def test_each_stack_file_points_to_the_schema(stack: str) -> None:
    first = stack_file(stack).read_text(encoding="utf-8").splitlines()[0]
    assert first == f"# yaml-language-server: $schema={SCHEMA_FILE.name}"


@pytest.mark.parametrize("key", ["regoin", "fleets"])
def test_the_schema_refuses_an_unknown_key(values: Values, key: str) -> None:
    document = {"config": {"seawall:settings": {**values("dev-aws"), key: 1}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, file_schema())
