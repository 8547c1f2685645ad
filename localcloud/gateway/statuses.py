"""Reads from Envoy Gateway's log what it thinks of each object: without an API server it writes it there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ruamel.yaml import YAML

Status = Mapping[str, Any]
_SAID: Final = "Got new status for "
_NEEDED: Final = frozenset({"Accepted", "ResolvedRefs", "Programmed"})
_HARMLESS: Final = frozenset({"AddressNotAssigned", "NoResources"})
"""Reasons of a Gateway without a load balancer: there is none on this machine."""
_JUDGED: Final = ("GatewayClass", "Gateway", "HTTPRoute", "GRPCRoute")
_UNNAMED: Final = {"Unknown": "EnvoyProxy"}
"""What the log calls a kind that it has no word for (Envoy Gateway 1.9.1)."""


def statuses(log: str) -> dict[str, Status]:
    """The newest status in the log of each object, by its kind and name as `HTTPRoute serving/tumour-risk`."""
    newest: dict[str, str] = {}
    for line in log.splitlines():
        if _SAID in line and line.startswith("{"):
            told = json.loads(line)
            kind, _, status = told["msg"].removeprefix(_SAID).partition("\n")
            newest[f"{_UNNAMED.get(kind, kind)} {told['key'].strip('/')}"] = status
    reader = YAML(typ="safe")
    return {name: reader.load(status) or {} for name, status in newest.items()}


def judged(name: str) -> bool:
    """Whether Envoy Gateway gives an object a status: routes, policies, and what they hang on."""
    kind = name.split(" ", 1)[0]
    return kind in _JUDGED or kind.endswith("Policy")


def refused(status: Status) -> Iterator[str]:
    """Why an object of this status is not taken, or not all of it."""
    for condition in _conditions(status):
        is_refusal = condition["type"] in _NEEDED and condition["status"] == "False"
        if is_refusal and condition.get("reason") not in _HARMLESS:
            yield f"{condition['type']} is False ({condition.get('reason')}): {condition.get('message')}"


def _conditions(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        yield from value.get("conditions") or ()
        for inner in value.values():
            yield from _conditions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _conditions(inner)
