"""Conditions: what is known is judged as IAM does, and all else is an error, never a yes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from localcloud.gcp.iam.conditions import Asked, NotUnderstoodError, holds

OBJECT = Asked(
    "projects/_/buckets/models/objects/releases/1/manifest.json",
    "storage.googleapis.com/Object",
    "storage.googleapis.com",
    datetime(2026, 11, 21, tzinfo=UTC),
)


@pytest.mark.parametrize(
    "expression",
    [
        "true",
        'resource.name.startsWith("projects/_/buckets/models/objects/releases/")',
        "resource.name.startsWith('projects/_/buckets/models/objects/releases/')",
        'resource.name.endsWith(".json")',
        'resource.type == "storage.googleapis.com/Object" && resource.service == "storage.googleapis.com"',
        'resource.type != "storage.googleapis.com/Bucket"',
        'resource.type in ["storage.googleapis.com/Bucket", "storage.googleapis.com/Object"]',
        'request.time < timestamp("2027-01-01T00:00:00Z")',
        '!(request.time >= timestamp("2027-01-01T00:00:00Z"))',
        'false || resource.name.endsWith("json")',
        'resource.name.startsWith("x") || resource.name.endsWith("json") && true',
    ],
)
def test_what_is_true_holds(expression: str) -> None:
    assert holds(expression, OBJECT)


@pytest.mark.parametrize(
    "expression",
    [
        "false",
        'resource.name.startsWith("releases/")',
        'resource.name == "projects/_/buckets/models"',
        'request.time < timestamp("2026-01-01T00:00:00Z")',
        'resource.name.endsWith("json") && resource.type == "storage.googleapis.com/Bucket"',
        '!resource.name.endsWith("json")',
    ],
)
def test_what_is_false_does_not(expression: str) -> None:
    assert not holds(expression, OBJECT)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "resource.name",
        '"yes"',
        'resource.matchTag("1/env", "prod")',
        'resource.name.extract("objects/{x}") == "a"',
        'request.time.getHours("Europe/Berlin") > 8',
        'request.auth.access_levels == "x"',
        'true || resource.matchTag("1/env", "prod")',
        "resource.name == request.time",
        'request.time < timestamp("tomorrow")',
        'request.time < timestamp("2027-01-01T00:00:00")',
        'resource.name.startsWith("a"',
        "true true",
        "1 == 1",
        "!resource.name",
        'resource.name < "a" < "b"',
        '"a" in "abc"',
        "true ? true : false",
    ],
)
def test_what_is_not_known_is_an_error(expression: str) -> None:
    with pytest.raises(NotUnderstoodError):
        holds(expression, OBJECT)
