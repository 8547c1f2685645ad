"""What program the drilled stack was made by: the commit here, and whether what is deployed is what it would make.

The deployed inputs come from Pulumi's state, the wanted ones from an offline plan of the same commit. What a plan
cannot know, and what is secret, is not compared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from policies.inventory import Inventory, Resource

_ADDED: Final = frozenset({"__defaults", "__internal", "version", "pluginDownloadURL"})
"""Inputs that the engine and the SDKs add on their way."""
_STACK: Final = "pulumi:pulumi:Stack"
_UNKNOWN_AS_TEXT: Final = "None"
"""What a component that turns an unknown output into text gives in a plan."""


class Deployed(Protocol):
    """A resource of Pulumi's state."""

    @property
    def urn(self) -> str: ...

    @property
    def type(self) -> str: ...

    @property
    def inputs(self) -> Mapping[str, Any]: ...


def program(commit: str, planned: Inventory, deployed: Sequence[Deployed]) -> dict[str, Any]:
    """The program as evidence tells it.

    Args:
        commit: the checkout's, with `+changes` if the working tree differs; empty outside git.
        planned: what that checkout would make.
    """
    plain = sorted(([d.urn, d.type, d.inputs] for d in deployed if d.type != _STACK), key=lambda each: str(each[0]))
    return {
        "commit": commit.partition("+")[0],
        "uncommitted_changes": "+" in commit,
        "deployed_sha256": hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest(),
        "resources": len(plain),
        "differs": sorted(differences(planned, deployed)),
    }


def differences(planned: Inventory, deployed: Iterable[Deployed]) -> Iterator[str]:
    """Where the deployed state is not what the plan says, as `resource: input`."""
    there = {d.urn: d for d in deployed if d.type != _STACK}
    wanted = planned.by_urn
    for urn in wanted.keys() - there.keys():
        yield f"{_name(urn)}: planned and not deployed"
    for urn in there.keys() - wanted.keys():
        yield f"{_name(urn)}: deployed and not planned"
    for urn in wanted.keys() & there.keys():
        if wanted[urn].custom:
            for path in _differing(wanted[urn], (), wanted[urn].inputs, there[urn].inputs):
                yield f"{_name(urn)}: {path}"


def _differing(resource: Resource, path: tuple[str, ...], planned: Any, deployed: Any) -> Iterator[str]:
    dotted = ".".join(path)
    if path and (resource.is_unknown(dotted) or dotted in resource.secret_paths or planned == _UNKNOWN_AS_TEXT):
        return
    if isinstance(planned, Mapping) and isinstance(deployed, Mapping):
        for key in sorted((planned.keys() | deployed.keys()) - _ADDED):
            yield from _differing(resource, (*path, key), planned.get(key), deployed.get(key))
    elif isinstance(planned, list) and isinstance(deployed, list) and len(planned) == len(deployed):
        for index, (mine, its) in enumerate(zip(planned, deployed, strict=True)):
            yield from _differing(resource, (*path, str(index)), mine, its)
    elif planned != deployed and not any(below.startswith(f"{dotted}.") for below in resource.unknown_paths):
        yield dotted


def _name(urn: str) -> str:
    return urn.split("::", 2)[-1]
