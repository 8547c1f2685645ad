"""The generated schema and reference are current, and the schema agrees with the validation."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from stacks.files import is_bootstrap, stack_names
from stacks.schema import (
    BOOTSTRAP_SCHEMA_FILE,
    REFERENCE_FILE,
    SCHEMA_FILE,
    bootstrap_file_schema,
    file_schema,
    reference,
)
from stacks.settings import stack_file

Values = Callable[[str], dict[str, Any]]


def test_the_committed_schema_is_current() -> None:
    assert json.loads(SCHEMA_FILE.read_text(encoding="utf-8")) == file_schema(), "run `make docs`"
    committed = json.loads(BOOTSTRAP_SCHEMA_FILE.read_text(encoding="utf-8"))
    assert committed == bootstrap_file_schema(), "run `make docs`"


def test_the_committed_reference_is_current() -> None:
    assert REFERENCE_FILE.read_text(encoding="utf-8") == reference(file_schema(), bootstrap_file_schema()), (
        "run `make docs`"
    )


@pytest.mark.parametrize("stack", stack_names())
def test_each_stack_file_fits_its_schema(stack: str) -> None:
    schema = bootstrap_file_schema() if is_bootstrap(stack) else file_schema()
    jsonschema.validate(YAML(typ="safe").load(stack_file(stack).read_text(encoding="utf-8")), schema)


@pytest.mark.parametrize("stack", stack_names())
def test_each_stack_file_points_to_its_schema(stack: str) -> None:
    first = stack_file(stack).read_text(encoding="utf-8").splitlines()[0]
    schema = BOOTSTRAP_SCHEMA_FILE if is_bootstrap(stack) else SCHEMA_FILE
    assert first == f"# yaml-language-server: $schema={schema.name}"


@pytest.mark.parametrize("key", ["regoin", "fleets"])
def test_the_schema_refuses_an_unknown_key(values: Values, key: str) -> None:
    document = {"config": {"seawall:settings": {**values("dev-aws"), key: 1}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, file_schema())


def test_every_secret_may_stand_encrypted_in_the_file() -> None:
    definitions = file_schema()["$defs"]
    secrets = {
        (name, key): field
        for name, each in definitions.items()
        for key, field in each.get("properties", {}).items()
        if "password" in json.dumps(field)
    }

    assert {("MonitoringSpec", "alert_webhook"), ("ABTest", "salt")} <= secrets.keys()
    for field in secrets.values():
        jsonschema.validate({"secure": "v1:abc"}, field)
