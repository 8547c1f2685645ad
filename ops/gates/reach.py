"""Ways in from outside that a change opens: what head lets in and base does not, input by input.

A reviewer's net, wider than the rules: an address that is allowed by settings is opened all the same.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ops.diff.model import ResourceChange, StackDiff
from policies.inventory import UNKNOWN, Resource

_SOURCES: Final = frozenset(
    {
        "cidr",
        "cidrblock",
        "cidrblocks",
        "cidripv4",
        "cidripv6",
        "clientcidrs",
        "ipv6cidrblock",
        "ipv6cidrblocks",
        "loadbalancersourceranges",
        "publicaccesscidrs",
        "sourceranges",
    }
)
"""Names of inputs that say from where something may be reached, in lower case."""
_OPEN_IF: Final[Mapping[str, tuple[object, ...]]] = {
    "associatepublicipaddress": (True,),
    "endpointpublicaccess": (True,),
    "enableprivateendpoint": (False,),
    "enableprivatenodes": (False,),
    "mappubliciponlaunch": (True,),
    "publiclyaccessible": (True,),
    "blockpublicacls": (False,),
    "blockpublicpolicy": (False,),
    "ignorepublicacls": (False,),
    "restrictpublicbuckets": (False,),
    "publicaccessprevention": ("inherited",),
    "acl": ("public-read", "public-read-write", "authenticated-read"),
    "ipv4enabled": (True,),
    "loadbalancingscheme": ("EXTERNAL", "EXTERNAL_MANAGED"),
    "scheme": ("internet-facing",),
    "service.beta.kubernetes.io/aws-load-balancer-scheme": ("internet-facing",),
}
"""Inputs by name, and the values that open a way."""
_INSIDE: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
            *("fc00::/7", "fe80::/10", "::1/128"),
        ),
    )
)
"""Ranges that nobody on the internet has (RFC 1918, 4193, 6598); Python's `is_private` has others too."""
_PUBLIC: Final = ("*", "allUsers", "allAuthenticatedUsers")
_WHO: Final = frozenset({"member", "members", "principal", "principals", "aws", "federated", "identifiers"})
_NARROWS: Final = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceorgid",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "kms:calleraccount",
    }
)
"""Condition keys that say who, or from where (IAM's global condition keys; believed, 2026-11-22)."""
_NO_WAY_IN: Final = ("aws:ec2/vpcEndpoint:VpcEndpoint",)
"""Types whose policies limit who is inside already."""
_GATES_THEMSELVES: Final[Mapping[str, str]] = {
    "aws:ec2/internetGateway:InternetGateway": "a gateway to the internet",
    "aws:ec2/eip:Eip": "a public address",
    "aws:lambda/functionUrl:FunctionUrl": "an address on the internet",
    "gcp:compute/address:Address": "an address",
    "gcp:compute/globalAddress:GlobalAddress": "an address",
    "gcp:compute/globalForwardingRule:GlobalForwardingRule": "a way in from the internet",
}
_OUTWARD: Final = ("egress", "to", "destinationranges")
_LOAD_BALANCER: Final = "a load balancer"
_WAYS_OF_WHOLE: Final = frozenset({_LOAD_BALANCER, *_GATES_THEMSELVES.values()})
"""Ways that any change of their resource may have opened."""
_SERVICE: Final = "kubernetes:core/v1:Service"
_INTERNAL: Final = ("networking.gke.io/load-balancer-type", "cloud.google.com/load-balancer-type")


@dataclass(frozen=True, order=True)
class Opening:
    """A way in."""

    urn: str
    way: str
    """The input, list positions left out, or what the resource is."""
    to: str
    """Whom it lets in."""


def opened(diff: StackDiff) -> tuple[Opening, ...]:
    """The ways in that a change opens; what is unknown may be one."""
    return tuple(sorted({way for change in diff.changes for way in _opened(change)}))


def _opened(change: ResourceChange) -> Iterator[Opening]:
    if change.action == "removed":
        return
    whole = change.action != "changed"
    paths = [_named(prop.path) for prop in change.properties]
    had = {
        (_named(prop.path), told)
        for prop in change.properties
        for path, before in _leaves(prop.before, ())
        if not path and (told := _outside(before))
    }
    for way in ways_in(change.resource):
        touched = whole or any(_leads_to(path, way.way) for path in paths)
        if touched and (whole or (way.way, way.to) not in had):
            yield way


def _named(path: str) -> str:
    """A property's path without list positions and marks."""
    return ".".join(part for part in path.replace("»", "").split(" ")[0].split(".") if part and not part.isdigit())


def _leads_to(path: str, way: str) -> bool:
    return way == path or way.startswith(f"{path}.") or path.startswith(f"{way}.") or way in _WAYS_OF_WHOLE


def ways_in(resource: Resource) -> Iterator[Opening]:
    """Every way in from outside that a resource has."""
    if resource.type in _GATES_THEMSELVES and resource.get("addressType", "EXTERNAL") != "INTERNAL":
        yield Opening(resource.urn, _GATES_THEMSELVES[resource.type], "the internet")
    if _is_open_service(resource):
        yield Opening(resource.urn, _LOAD_BALANCER, "the internet")
    if not _leads_out(resource) and resource.type not in _NO_WAY_IN:
        yield from _of_inputs(resource)


def _of_inputs(resource: Resource) -> Iterator[Opening]:
    for path, value in _leaves(resource.inputs, ()):
        name = path[-1].lower() if path else ""
        if any(part.lower() in _OUTWARD for part in path):
            continue
        way = ".".join(path)
        if name in _SOURCES:
            outside = _outside(value)
            if outside:
                yield Opening(resource.urn, way, outside)
        elif name in _WHO and str(value) in _PUBLIC:
            yield Opening(resource.urn, way, str(value))
        elif name in _OPEN_IF and _value(value) in (*_OPEN_IF[name], UNKNOWN):
            yield Opening(resource.urn, way, str(_value(value)))


def _leaves(node: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Values with the names that lead to them; JSON texts, as policy documents are, are looked into."""
    inside = _parsed(node)
    if inside is not None:
        yield from _leaves(inside, path)
    elif isinstance(node, Mapping):
        if str(node.get("Effect")) == "Deny" or _is_narrowed(node.get("Condition")):
            return
        for key, value in node.items():
            yield from _leaves(value, (*path, str(key)))
    elif isinstance(node, list):
        for value in node:
            yield from _leaves(value, path)
    else:
        yield path, node


def _parsed(value: Any) -> Any:
    if not isinstance(value, str) or not value.startswith(("{", "[")) or value == UNKNOWN:
        return None
    try:
        found = json.loads(value)
    except ValueError:
        return None
    return found if isinstance(found, dict | list) else None


def _outside(value: object) -> str:
    """The range in its shortest form if any of it is outside private networks; empty if it is not."""
    if value == UNKNOWN:
        return UNKNOWN
    try:
        network = ipaddress.ip_network(str(value).strip(), strict=False)
    except ValueError:
        return "" if value in (None, "", False) else str(value)
    first, last = int(network.network_address), int(network.broadcast_address)
    within = any(
        network.version == own.version and int(own.network_address) <= first and last <= int(own.broadcast_address)
        for own in _INSIDE
    )
    return "" if within else str(network)


def _value(value: object) -> object:
    """A flag that is written as text is the flag."""
    return {"true": True, "false": False}.get(value.strip().lower(), value) if isinstance(value, str) else value


def _is_narrowed(condition: Any) -> bool:
    """Whether a statement's condition names who may, or from where; any other narrows nothing."""
    tests = condition.items() if isinstance(condition, Mapping) else ()
    return any(
        key.lower().split("/")[0] in _NARROWS and not _anyone(values) and not operator.endswith("IfExists")
        for operator, keys in tests
        if isinstance(keys, Mapping)
        and not str(operator).lower().startswith(("stringnot", "arnnot", "notip", "null"))
        for key, values in keys.items()
    )


def _anyone(values: Any) -> bool:
    return any(set(str(value)) <= set("*?:/. 0") for value in (values if isinstance(values, list) else [values]))


def _leads_out(resource: Resource) -> bool:
    return (
        str(resource.get("direction", "")).upper() == "EGRESS"
        or resource.get("type") == "egress"
        or resource.get("egress") is True
        or "Egress" in resource.type
        or resource.type in ("aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet")
    )


def _is_open_service(resource: Resource) -> bool:
    """A Service of a load balancer that no annotation makes internal."""
    if resource.type != _SERVICE or resource.get("spec.type") != "LoadBalancer":
        return False
    found = resource.get("metadata.annotations", {})
    annotations = found if isinstance(found, Mapping) else {}
    marks = [str(value).lower() for name, value in annotations.items() if name in _INTERNAL]
    marks += [str(v).lower() for n, v in annotations.items() if n.endswith(("-internal", "-scheme"))]
    return not any(mark in ("internal", "true") for mark in marks)
