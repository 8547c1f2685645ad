"""Webhooks that the cluster's API asks before it takes an object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.checks import (
    ABSENT,
    PASS,
    all_of,
    equals,
    expect,
    failed,
    if_given,
    is_hidden,
    is_masked,
    items,
    one_of,
    read,
    shown,
    unknown,
    unreadable,
)
from policies.examples import Given, Hidden, both, drop, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.reach.kubernetes import labels_of_namespaces, restricts, selects
from policies.reach.values import mapping, texts
from policies.services import OWN_SERVICE, of_the_stack
from policies.tokens import NAMESPACE, SERVICE

family = Family("Admission webhooks")

_VALIDATING: Final = "kubernetes:admissionregistration.k8s.io/v1:ValidatingWebhookConfiguration"
_MUTATING: Final = "kubernetes:admissionregistration.k8s.io/v1:MutatingWebhookConfiguration"
_NAME: Final = "kubernetes.io/metadata.name"
_INJECTED: Final = "cert-manager.io/inject-ca-from"
_LONGEST_SECONDS: Final = 10
"""What Kubernetes takes where nothing is said (kubernetes.io/docs/reference/access-authn-authz/
extensible-admission-controllers, believed): each write waits for it."""
_OPERATIONS: Final = frozenset(("CREATE", "UPDATE", "DELETE", "CONNECT"))
_FIRST: Final = "webhooks.0"
_RULE: Final = f"{_FIRST}.rules.0"


def _webhooks() -> Given:
    webhook = {
        "clientConfig": {"caBundle": "Q0E=", "service": {"name": "guard", "namespace": "guards"}},
        "failurePolicy": "Fail",
        "namespaceSelector": {"matchExpressions": [{"key": _NAME, "operator": "In", "values": ["guarded"]}]},
        "rules": [
            {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"]}
        ],
        "sideEffects": "None",
        "timeoutSeconds": 5,
    }
    return given(_VALIDATING, {"webhooks": [webhook]})


@family.rule(
    "k8s-webhooks-guard-and-do-not-block",
    Severity.CRITICAL,
    "Admission webhooks are the stack's own, cannot be passed by, and leave the system's objects alone",
    types=(_VALIDATING, _MUTATING),
    rationale="A webhook reads and may change what it is asked about: one elsewhere takes secrets along, one that is "
    "ignored guards nothing, and one for everything stops the cluster together with itself.",
    remedy="Name a Service of the stack with its CA, failurePolicy Fail, exact rules, and the namespaces by label.",
    examples=lambda: examples(
        _webhooks(),
        given(SERVICE, {"metadata": {"name": "guard", "namespace": "guards"}}, "guard"),
        given(NAMESPACE, {"metadata.name": "guarded"}, "guarded"),
        broken={
            f'{_FIRST}.clientConfig.url is "https://example.com/admit"': put(
                f"{_FIRST}.clientConfig.url", "https://example.com/admit"
            ),
            f'{_FIRST}.clientConfig.service is {{"name": "guard", "namespace": "other"}}': put(
                f"{_FIRST}.clientConfig.service.namespace", "other"
            ),
            f'{_FIRST}.clientConfig.service is {{"name": "guard", "namespace": "guards"}}': without(SERVICE, "guard"),
            f"{_FIRST}.clientConfig.service is absent": drop(f"{_FIRST}.clientConfig.service"),
            f"{_FIRST}.clientConfig.caBundle is absent": drop(f"{_FIRST}.clientConfig.caBundle"),
            f'{_FIRST}.failurePolicy is "Ignore"': put(f"{_FIRST}.failurePolicy", "Ignore"),
            f"{_FIRST}.failurePolicy is absent": drop(f"{_FIRST}.failurePolicy"),
            f"{_FIRST}.namespaceSelector is absent": drop(f"{_FIRST}.namespaceSelector"),
            f"{_FIRST}.namespaceSelector takes in kube-system": (
                put(f"{_FIRST}.namespaceSelector.matchExpressions.0.values", ["guarded", "kube-system"]),
                put(f"{_FIRST}.namespaceSelector.matchExpressions.0", {"key": _NAME, "operator": "Exists"}),
            ),
            f"{_FIRST}.namespaceSelector selects no namespace of the stack": (
                put(f"{_FIRST}.namespaceSelector.matchExpressions.0.values", ["other"]),
                without(NAMESPACE, "guarded"),
            ),
            f'{_RULE}.operations is ["LOOK"]': put(f"{_RULE}.operations", ["LOOK"]),
            f'{_RULE}.resources is ["*/*"]': put(f"{_RULE}.resources", ["*/*"]),
            f'{_RULE}.apiGroups is ["*"]': put(f"{_RULE}.apiGroups", ["*"]),
            f'{_RULE}.operations is ["*"]': put(f"{_RULE}.operations", ["*"]),
            f"{_FIRST}.rules is absent": drop(f"{_FIRST}.rules"),
            f"{_FIRST}.timeoutSeconds is 30": put(f"{_FIRST}.timeoutSeconds", 30),
            f'{_FIRST}.sideEffects is "Some"': put(f"{_FIRST}.sideEffects", "Some"),
            f'{_FIRST}.objectSelector is {{"matchLabels": {{"a": "b"}}}}': put(
                f"{_FIRST}.objectSelector", {"matchLabels": {"a": "b"}}
            ),
            "webhooks is absent": drop("webhooks"),
        },
        undecided={
            **{
                f"{path} is known only to the provider": put(path, Hidden())
                for path in ("webhooks", f"{_FIRST}.failurePolicy", f"{_FIRST}.namespaceSelector", _RULE)
            },
            f"{_FIRST}.matchConditions is a condition that no rule reads": put(
                f"{_FIRST}.matchConditions", [{"name": "a", "expression": "false"}]
            ),
        },
        accepted={
            "": (
                drop(f"{_FIRST}.timeoutSeconds"),
                put(f"{_RULE}.apiVersions", ["*"]),
                both(
                    drop(f"{_FIRST}.clientConfig.caBundle"),
                    put("metadata.annotations", {_INJECTED: "guards/certificate"}),
                ),
            )
        },
    ),
)
def webhooks_guard(found: Resource, inventory: Inventory) -> Judgement:
    listed = expect(found, "webhooks", "a list of webhooks", lambda value: isinstance(value, list) and bool(value))
    return all_of((listed, *(j for path in items(found, "webhooks") for j in _webhook(found, inventory, path))))


def _webhook(found: Resource, inventory: Inventory, path: str) -> Iterator[Judgement]:
    if is_hidden(read(found, path)):
        yield unknown(path, "a webhook that the plan knows")
        return
    client, spaces = f"{path}.clientConfig", f"{path}.namespaceSelector"
    yield if_given(found, f"{client}.url", lambda: _forbidden(found, f"{client}.url", OWN_SERVICE))
    yield of_the_stack(found, inventory, f"{client}.service")
    notes = mapping(read(found, "metadata.annotations"))
    yield PASS if notes.get(_INJECTED) else expect(found, f"{client}.caBundle", "the CA of its certificate", bool)
    yield equals(found, f"{path}.failurePolicy", "Fail")
    yield one_of(found, f"{path}.sideEffects", ("None", "NoneOnDryRun"))
    yield _namespaces(found, inventory, spaces)
    yield if_given(
        found,
        f"{path}.timeoutSeconds",
        lambda: expect(
            found, f"{path}.timeoutSeconds", f"1 to {_LONGEST_SECONDS}", lambda v: 0 < int(v) <= _LONGEST_SECONDS
        ),
    )
    if read(found, f"{path}.objectSelector") not in (ABSENT, {}):
        yield _forbidden(found, f"{path}.objectSelector", "absent: who makes an object chooses its labels")
    if read(found, f"{path}.matchConditions") not in (ABSENT, []):
        yield unknown(f"{path}.matchConditions", "no conditions", "a condition that no rule reads")
    yield expect(
        found, f"{path}.rules", "what it is asked about", lambda value: isinstance(value, list) and bool(value)
    )
    for rule in items(found, f"{path}.rules"):
        yield unreadable(found, rule, "what it is asked about") or PASS
        yield from (_named(found, f"{rule}.{key}") for key in ("apiGroups", "apiVersions", "resources", "operations"))


def _forbidden(found: Resource, path: str, required: str) -> Judgement:
    return unreadable(found, path, required) or failed(path, shown(read(found, path)), required)


def _named(found: Resource, path: str) -> Judgement:
    required = "names, and no *"
    if is_masked(found, path) or is_hidden(read(found, path)):
        return unknown(path, required)
    listed, hidden = texts(found, path)
    if hidden:
        return unknown(path, required)
    kind = path.rpartition(".")[2]
    if kind == "apiGroups" and read(found, path) == [""]:
        return PASS
    wide = kind != "apiVersions" and any("*" in each for each in listed)
    odd = kind == "operations" and not _OPERATIONS.issuperset(listed)
    return failed(path, shown(read(found, path)), required) if not listed or wide or odd else PASS


def _namespaces(found: Resource, inventory: Inventory, path: str) -> Judgement:
    required = "the namespaces that are meant, by labels that they have"
    selector = read(found, path)
    if is_hidden(selector) or is_masked(found, f"{path}."):
        return unknown(path, required)
    if selects(selector, {_NAME: "kube-system"}) and selector is not ABSENT:
        return failed("", f"{path} takes in kube-system", required)
    if not restricts(selector):
        return failed(path, shown(selector), required)
    if not any(selects(selector, labels) for labels in inventory.derived(labels_of_namespaces)):
        return failed("", f"{path} selects no namespace of the stack", required)
    return PASS
