"""The fleet's door: who comes in, over what, from where, and how much of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policies.checks import (
    ABSENT,
    PASS,
    absent_or,
    all_of,
    equals,
    expect,
    failed,
    is_hidden,
    items,
    passed,
    read,
    unknown,
    unreadable,
)
from policies.examples import Given, Hidden, both, drop, examples, given, plus, put, setting, without
from policies.family import Family
from policies.hanging import hanging
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.settings_view import door_reason
from policies.tokens import CLIENT_TRAFFIC as CLIENTS
from policies.tokens import GATEWAY

family = Family("The door")

ENVOY: Final = "kubernetes:gateway.envoyproxy.io/v1alpha1"
SECURITY: Final = f"{ENVOY}:SecurityPolicy"
_REQUIRED: Final = "false: a token is required"
_MODERN: Final = ("1.2", "1.3")


def _targeted(name: str) -> list[dict[str, str]]:
    return [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": name}]


def _gateway() -> Given:
    told = {
        "metadata.name": "door",
        "metadata.namespace": "serving",
        "spec.listeners": [{"name": "https", "protocol": "HTTPS", "tls": {"mode": "Terminate"}}],
    }
    return given(GATEWAY, told)


def _clients() -> Given:
    told = {
        "metadata.namespace": "serving",
        "spec.targetRefs": _targeted("door"),
        "spec.tls.minVersion": "1.2",
    }
    return given(CLIENTS, told)


def _security() -> Given:
    provider = {"name": "clients", "issuer": "https://login.example.com", "audiences": ["models"]}
    told = {
        "metadata.namespace": "serving",
        "spec.targetRefs": _targeted("door"),
        "spec.jwt.providers": [provider],
    }
    return given(SECURITY, told)


@family.rule(
    "k8s-door-tls",
    Severity.CRITICAL,
    "The door speaks TLS 1.2 or later, and nothing else",
    types=(GATEWAY,),
    rationale="Tokens and patients' data pass here: in clear text, or over a broken version, others read them.",
    remedy="Make each listener HTTPS, and set fleet.door.tls_version.",
    examples=lambda: examples(
        _gateway(),
        _clients(),
        broken={
            'spec.listeners.0.protocol is "HTTP"': put("spec.listeners.0.protocol", "HTTP"),
            'spec.listeners.0.tls.mode is "Passthrough"': put("spec.listeners.0.tls.mode", "Passthrough"),
            "no policy of the Gateway sets a version": (
                without(CLIENTS),
                put("spec.targetRefs", _targeted("other"), on=CLIENTS),
            ),
            'spec.tls.minVersion is "1.1"': put("spec.tls.minVersion", "1.1", on=CLIENTS),
            'spec.tls.maxVersion is "1.1"': put("spec.tls.maxVersion", "1.1", on=CLIENTS),
            "spec.tls.minVersion is absent": drop("spec.tls.minVersion", on=CLIENTS),
        },
        undecided={
            "spec.listeners.0.protocol is known only to the provider": put("spec.listeners.0.protocol", Hidden())
        },
    ),
)
def door_tls(gateway: Resource, inventory: Inventory) -> Judgement:
    listeners = list(items(gateway, "spec.listeners"))
    judged = [
        expect(gateway, f"{listener}.{path}", wanted, lambda value, wanted=wanted: value == wanted)
        for listener in listeners
        for path, wanted in (("protocol", "HTTPS"), ("tls.mode", "Terminate"))
    ]
    policies = list(hanging(gateway, inventory, CLIENTS))
    if not policies:
        judged.append(failed("", "no policy of the Gateway sets a version", "a ClientTrafficPolicy with TLS 1.2"))
    for policy in policies:
        judged.append(expect(policy, "spec.tls.minVersion", "1.2 or 1.3", lambda v: v in _MODERN))
        newest = expect(policy, "spec.tls.maxVersion", "1.2 or 1.3", lambda v: v in _MODERN)
        judged.append(PASS if read(policy, "spec.tls.maxVersion") is ABSENT else newest)
    return unreadable(gateway, "spec.listeners", "HTTPS alone") or all_of(judged)


@family.rule(
    "k8s-door-authenticates",
    Severity.CRITICAL,
    "The door asks who comes, or says why not",
    types=(GATEWAY,),
    rationale="Triton authenticates nobody: whoever passes the door may use every model.",
    remedy="Set fleet.door.authentication to jwt or mtls.",
    examples=lambda: examples(
        _gateway(),
        _clients(),
        _security(),
        broken={
            "nothing asks for a token or a certificate": (
                without(SECURITY),
                put("spec.targetRefs", _targeted("other"), on=SECURITY),
                put("spec.targetRefs.0.kind", "HTTPRoute", on=SECURITY),
                put("spec.targetRefs.0.sectionName", "https", on=SECURITY),
                drop("spec.jwt", on=SECURITY),
            ),
        },
        undecided={"spec.jwt is known only to the provider": put("spec.jwt", Hidden(), on=SECURITY)},
        accepted={
            "a mesh before the door knows its clients": setting(
                "fleet.door.authentication", {"kind": "none", "because": "a mesh before the door knows its clients"}
            ),
        },
    ),
)
def door_authenticates(gateway: Resource, inventory: Inventory) -> Judgement:
    reason = door_reason(inventory, "authentication", "because")
    if reason:
        return passed(reason)
    if asks_for_certificates(gateway, inventory):
        return PASS
    asking = [read(policy, "spec.jwt") for policy in hanging(gateway, inventory, SECURITY, whole=True)]
    if any(map(is_hidden, asking)):
        return unknown("spec.jwt", "a provider of tokens")
    if not any(isinstance(found, Mapping) for found in asking):
        return failed("", "nothing asks for a token or a certificate", "a SecurityPolicy with jwt, or mutual TLS")
    return PASS


def asks_for_certificates(gateway: Resource, inventory: Inventory) -> bool:
    """Whether each of the Gateway's listeners lets in whoever has a certificate, and nobody else."""
    clients = list(hanging(gateway, inventory, CLIENTS))
    return bool(clients) and all(read(p, "spec.tls.clientValidation.optional") is False for p in clients)


@family.rule(
    "k8s-door-tokens",
    Severity.CRITICAL,
    "Whatever looks at requests at the door asks for a token, also for one route or listener alone",
    types=(SECURITY,),
    rationale="A policy on a route takes the place of the door's own: one without tokens opens that route to all.",
    remedy="Remove the policy, or give it the jwt of the door's own.",
    examples=lambda: examples(
        _security(),
        broken={
            "spec.jwt is absent": drop("spec.jwt"),
            "spec.jwt.optional is true": put("spec.jwt.optional", True),
            "spec.jwt.failOpen is true": put("spec.jwt.failOpen", True),
            "spec.jwt.providers is []": put("spec.jwt.providers", []),
            "spec.jwt.providers.0.issuer is absent": drop("spec.jwt.providers.0.issuer"),
            'spec.jwt.providers.0.audiences is [""]': put("spec.jwt.providers.0.audiences", [""]),
            "spec.jwt.providers.0.audiences is absent": drop("spec.jwt.providers.0.audiences"),
            'spec.jwt.providers.0.extractFrom.params is ["token"]': put(
                "spec.jwt.providers.0.extractFrom.params", ["token"]
            ),
            'spec.jwt.providers.0.remoteJWKS.uri is "http://login.example.com/keys"': put(
                "spec.jwt.providers.0.remoteJWKS.uri", "http://login.example.com/keys"
            ),
        },
        undecided={"spec.jwt is known only to the provider": put("spec.jwt", Hidden())},
        accepted={
            "a mesh before the door knows its clients": setting(
                "fleet.door.authentication", {"kind": "none", "because": "a mesh before the door knows its clients"}
            ),
            "clients bring certificates": both(
                drop("spec.jwt"),
                plus(_gateway()),
                plus(_clients()),
                put("spec.tls.clientValidation.optional", False, on=CLIENTS),
            ),
        },
    ),
)
def door_tokens(policy: Resource, inventory: Inventory) -> Judgement:
    reason = door_reason(inventory, "authentication", "because")
    if reason:
        return passed(reason)
    gateways = list(inventory.of_type(GATEWAY))
    if gateways and all(asks_for_certificates(gateway, inventory) for gateway in gateways):
        return passed("clients bring certificates")
    if read(policy, "spec.jwt") is ABSENT or is_hidden(read(policy, "spec.jwt")):
        return expect(policy, "spec.jwt", _REQUIRED, bool)
    lax = [
        absent_or(policy, path, lambda path=path: equals(policy, path, False))
        for path in ("spec.jwt.optional", "spec.jwt.failOpen")
    ]
    providers = [
        judged
        for provider in items(policy, "spec.jwt.providers")
        for judged in (
            expect(policy, f"{provider}.issuer", "the issuer of the tokens", bool),
            _for_whom(policy, f"{provider}.audiences"),
            absent_or(policy, f"{provider}.extractFrom.params", lambda at=provider: _in_a_header(policy, at)),
            absent_or(policy, f"{provider}.remoteJWKS.uri", lambda at=provider: _over_tls(policy, at)),
        )
    ]
    judged = all_of((*lax, expect(policy, "spec.jwt.providers", "a provider of tokens", bool), *providers))
    return judged if judged.problems else PASS


def _for_whom(policy: Resource, path: str) -> Judgement:
    """Audiences are listed, and each says whom a token is for."""
    required = "the audiences of the tokens"
    value = read(policy, path)
    listed = value if isinstance(value, list) else []
    if any(map(is_hidden, listed)):
        return unknown(path, required)
    named = bool(listed) and all(isinstance(each, str) and each.strip(" *") for each in listed)
    return expect(policy, path, required, lambda _: named)


def _in_a_header(policy: Resource, provider: str) -> Judgement:
    return expect(policy, f"{provider}.extractFrom.params", "absent: a URL ends up in logs", lambda _: False)


def _over_tls(policy: Resource, provider: str) -> Judgement:
    return expect(policy, f"{provider}.remoteJWKS.uri", "https", lambda uri: uri.startswith("https://"))
