"""Checks a resource's inputs as the offline plan does, by the names and types that the provider's SDK carries."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

from common.sdk import types as sdk
from localcloud.providers.values import Unknown


@cache
def sdk_version(package: str) -> str:
    """The version of the installed Pulumi SDK for `package`, which the stand-in provider claims to be."""
    return version(f"pulumi-{package}")


@cache
def output_properties(token: str) -> frozenset[str]:
    """Names of the properties that a resource of the type has once it exists."""
    return frozenset(sdk.output_properties(token))


def problems(token: str, inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Unknown, missing and mistyped inputs as (property path, reason)."""
    return [(p.path, p.reason) for p in sdk.check_inputs(token, _marked(inputs))]


def _marked(value: Any) -> Any:
    if isinstance(value, Unknown):
        return sdk.ENGINE_UNKNOWN
    if isinstance(value, Mapping):
        return {k: _marked(v) for k, v in value.items() if not k.startswith("__")}
    if isinstance(value, list):
        return [_marked(v) for v in value]
    return value
