"""Listeners of the door: TLS under its own names, with its own certificate, and no second one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policies.checks import all_of, failed, is_hidden, items, read, shown
from policies.examples import Hidden, examples, given, put, setting
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.shapes import Field, Shape, exactly, known_fields, lacking
from policies.shapes import setting as settled
from policies.tokens import ENVOY_PROXY, GATEWAY

family = Family("Listeners of the door")

CLASS: Final = "kubernetes:gateway.networking.k8s.io/v1:GatewayClass"
DOMAIN: Final = "fleet.door.domain"


def domain(inventory: Inventory) -> str:
    return str(settled(inventory, "fleet", "door", "domain") or "")


def named(inventory: Inventory, token: str) -> set[str]:
    return {str(read(each, "metadata.name")) for each in inventory.of_type(token)}


def _made(inventory: Inventory, token: str, what: str) -> Field:
    """A name of an object that the stack makes; any, where it makes none of the kind."""
    names = named(inventory, token)
    return f"{what} of the stack", lambda value: not names or value in names


@family.rule(
    "k8s-door-listeners",
    Severity.CRITICAL,
    "The door listens with TLS, under its own names, with its own certificate, as its own proxy",
    types=(GATEWAY, CLASS),
    rationale="A second listener, a wider name or another namespace's certificate is a second door, which none of "
    "the policies was reviewed for.",
    remedy="Build it by components.kubernetes.gateway.objects: one HTTPS listener under the domain of the settings.",
    examples=lambda: examples(
        given(
            GATEWAY,
            {
                "metadata.name": "listening",
                "metadata.namespace": "serving",
                "spec.listeners.0": {
                    "name": "https",
                    "protocol": "HTTPS",
                    "port": 443,
                    "tls": {"mode": "Terminate", "certificateRefs": [{"kind": "Secret", "name": "door-certificate"}]},
                },
            },
            "listening",
        ),
        broken={
            "spec.listeners.0.port is 8443": put("spec.listeners.0.port", 8443),
            'spec.listeners.0.tls.certificateRefs.0.namespace is "default"': put(
                "spec.listeners.0.tls.certificateRefs.0.namespace", "default"
            ),
            'spec.listeners.0.hostname is "*.com"': put("spec.listeners.0.hostname", "*.com"),
            'spec.listeners.0.allowedRoutes.kinds is [{"kind": "TCPRoute"}]': put(
                "spec.listeners.0.allowedRoutes.kinds", [{"kind": "TCPRoute"}]
            ),
            'spec.allowedListeners.namespaces.from is "All"': put("spec.allowedListeners.namespaces.from", "All"),
            "spec.listeners.0.tls.certificateRefs is absent": put("spec.listeners.0.tls.certificateRefs", []),
            "spec.listeners is []": put("spec.listeners", []),
            "spec.listeners.0.hostname is absent": setting(DOMAIN, "models.example.com"),
        },
        undecided={"spec.listeners.0.port is known only to the provider": put("spec.listeners.0.port", Hidden())},
        accepted={"": put("spec.listeners.0.hostname", "*.models.example.com")},
    ),
)
def door_listeners(found: Resource, inventory: Inventory) -> Judgement:
    if found.type == CLASS:
        return known_fields(found, _of_class(inventory))
    name = domain(inventory)
    judged = [known_fields(found, _of_gateway(name, _certificates(inventory)))]
    listeners = list(items(found, "spec.listeners"))
    if not listeners and not is_hidden(read(found, "spec.listeners")) and not is_hidden(read(found, "spec")):
        judged.append(failed("spec.listeners", shown(read(found, "spec.listeners")), "the door's one listener"))
    for listener in listeners:
        needed = ("name", "port", "tls.certificateRefs", *(("hostname",) if name else ()))
        judged += lacking(found, listener, needed)
        for reference in items(found, f"{listener}.tls.certificateRefs"):
            judged += lacking(found, reference, ("name",))
    return all_of(judged)


def _certificates(inventory: Inventory) -> Field:
    told = settled(inventory, "fleet", "door", "certificate")
    given_ones = told.values() if isinstance(told, Mapping) else ()
    return exactly("door-certificate", *(each for each in given_ones if isinstance(each, str) and each))


def _of_gateway(domain: str, certificates: Field) -> Shape:
    host = exactly(f"*.{domain}") if domain else ("a name of three parts or more", _narrow)
    listener: dict[str, Field | None] = {
        "name": exactly("https"),
        "protocol": None,
        "port": exactly(443),
        "hostname": host,
        "tls.mode": None,
        "tls.certificateRefs.*.group": exactly(""),
        "tls.certificateRefs.*.kind": exactly("Secret"),
        "tls.certificateRefs.*.name": certificates,
        "allowedRoutes.namespaces.from": None,
    }
    return {
        "gatewayClassName": None,
        "addresses.**": None,
        "infrastructure.annotations.**": None,
        **{f"listeners.*.{path}": field for path, field in listener.items()},
    }


def _narrow(name: object) -> bool:
    return len([part for part in str(name).split(".") if part not in ("", "*")]) >= 3


def _of_class(inventory: Inventory) -> Shape:
    return {
        "controllerName": None,
        "description": None,
        "parametersRef.group": exactly("gateway.envoyproxy.io"),
        "parametersRef.kind": exactly("EnvoyProxy"),
        "parametersRef.name": _made(inventory, ENVOY_PROXY, "an EnvoyProxy"),
        "parametersRef.namespace": ("named", bool),
    }
