"""Flagger, which steps canaries: replicas that agree on a leader, and no more rights than it needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from policies.checks import (
    ABSENT,
    all_equal,
    all_of,
    at_least,
    expect,
    failed,
    is_hidden,
    is_masked,
    not_applicable,
    read,
    unknown,
)
from policies.examples import Hidden, both, drop, examples, given, plus, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.tokens import CLUSTER_ROLE_BINDING, KUBE_ROLE, RELEASE, ROLE_BINDING

family = Family("What steps canaries")

_MIRROR: Final = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/prod/mirror"
_ACCOUNT: Final = {"kind": "ServiceAccount", "name": "flagger"}
_LEADS: Final = {"resources": ["leases"], "resourceNames": ["flagger-leader-election"], "verbs": ["get", "update"]}


@family.rule(
    "k8s-flagger-rights",
    Severity.HIGH,
    "What steps canaries has two replicas that agree on a leader, and rights over its canaries alone",
    types=(RELEASE,),
    rationale="Its chart gives it all secrets and eleven meshes over the whole cluster; one that cannot lead does "
    "nothing, and says so to nobody.",
    remedy="Build it by components.kubernetes.rollouts.controller.",
    examples=lambda: examples(
        given(
            RELEASE,
            {
                "chart": f"oci://{_MIRROR}/ghcr.io/fluxcd/charts/flagger@sha256:{'a' * 64}",
                "values.namespace": "serving",
                "values.rbac.create": False,
                "values.serviceAccount": {"create": False, "name": "flagger"},
                "values.configTracking.enabled": False,
                "values.leaderElection": {"enabled": True, "replicaCount": 2},
            },
            "flagger",
        ),
        given(
            ROLE_BINDING,
            {"metadata.namespace": "serving", "roleRef": {"kind": "Role", "name": "f"}, "subjects": [_ACCOUNT]},
            "flagger",
        ),
        given(KUBE_ROLE, {"metadata": {"name": "f", "namespace": "serving"}, "rules": [_LEADS]}, "flagger"),
        broken={
            "values.rbac.create is absent": drop("values.rbac.create"),
            "values.rbac.create is true": put("values.rbac.create", True),
            "values.serviceAccount.create is true": put("values.serviceAccount.create", True),
            "values.configTracking.enabled is true": put("values.configTracking.enabled", True),
            "values.leaderElection.enabled is false": put("values.leaderElection.enabled", False),
            "values.leaderElection.replicaCount is 1": put("values.leaderElection.replicaCount", 1),
            "values.namespace is absent": drop("values.namespace"),
            "values.serviceAccount.name has no right to the leader's lock in the namespace that it watches": (
                put("values.namespace", "elsewhere"),
                without(ROLE_BINDING, "flagger"),
                put("metadata.namespace", "flagger-system", KUBE_ROLE, "flagger"),
                put("rules.0.verbs", ["get"], KUBE_ROLE, "flagger"),
            ),
            'values.serviceAccount.name has a right to "secrets"': put(
                "rules", [_LEADS, {"resources": ["secrets"], "verbs": ["get"]}], KUBE_ROLE, "flagger"
            ),
            'values.serviceAccount.name may "delete"': put(
                "rules.0.verbs", ["get", "update", "delete"], KUBE_ROLE, "flagger"
            ),
            'values.serviceAccount.name may "update" any of "deployments"': put(
                "rules", [_LEADS, {"resources": ["deployments"], "verbs": ["update"]}], KUBE_ROLE, "flagger"
            ),
            "values.serviceAccount.name has the rights of a role that is none of the stack's own": (
                put("roleRef", {"kind": "ClusterRole", "name": "f"}, ROLE_BINDING, "flagger")
            ),
            "values.serviceAccount.name has a right that is not in words": (
                put("rules", [_LEADS, {"resources": [{"secrets": 1}], "verbs": ["get"]}], KUBE_ROLE, "flagger"),
                put("rules", [_LEADS, 7], KUBE_ROLE, "flagger"),
            ),
            "values.serviceAccount.name has rights over the whole cluster": plus(
                given(CLUSTER_ROLE_BINDING, {"roleRef.name": "view", "subjects": [_ACCOUNT]}, "flagger")
            ),
        },
        undecided={
            "values is known only to the provider": put("values", Hidden()),
            "values.serviceAccount.name is known only to the provider": (
                put("rules", Hidden(), KUBE_ROLE, "flagger"),
                put("roleRef.name", Hidden(), ROLE_BINDING, "flagger"),
                put("subjects", Hidden(), ROLE_BINDING, "flagger"),
            ),
        },
        accepted={
            "another chart": put("chart", f"oci://{_MIRROR}/docker.io/envoyproxy/gateway-helm@sha256:{'a' * 64}"),
            "": both(put("values.leaderElection.replicaCount", 3)),
        },
    ),
)
def flagger_rights(release: Resource, inventory: Inventory) -> Judgement:
    chart = read(release, "chart")
    if not is_hidden(chart) and "/flagger@" not in str(chart):
        return not_applicable("another chart")
    if is_hidden(read(release, "values")):
        return unknown("values", "two replicas, and rights of the stack's own")
    told = (
        all_equal(
            release,
            {
                "values.rbac.create": False,
                "values.serviceAccount.create": False,
                "values.configTracking.enabled": False,
                "values.leaderElection.enabled": True,
            },
        ),
        at_least(release, "values.leaderElection.replicaCount", 2, "replicas"),
        expect(release, "values.namespace", "the fleet's namespace", bool),
    )
    if read(release, "values.namespace") is ABSENT:
        return all_of(told)
    return all_of((*told, *_rights(release, inventory)))


def _rights(release: Resource, inventory: Inventory) -> Iterator[Judgement]:
    subject, required = "values.serviceAccount.name", "its canaries' objects by name, and the leader's lock"
    account, namespace = read(release, subject), read(release, "values.namespace")
    bindings = [each for each in inventory.of_type(ROLE_BINDING) if _binds(each, account)]
    roles = [role for role in inventory.of_type(KUBE_ROLE) if any(_gives(binding, role) for binding in bindings)]
    unread = any(is_masked(each, "subjects") for each in inventory.of_type(ROLE_BINDING, CLUSTER_ROLE_BINDING))
    if unread or any(map(is_masked, (*bindings, *roles))):
        yield unknown(subject, required)
        return
    if any(_binds(each, account) for each in inventory.of_type(CLUSTER_ROLE_BINDING)):
        yield failed("", f"{subject} has rights over the whole cluster", required)
    if any(not any(_gives(binding, role) for role in roles) for binding in bindings):
        yield failed("", f"{subject} has the rights of a role that is none of the stack's own", required)
    rules = [(role.get("metadata.namespace"), rule) for role in roles for rule in _listed(role.get("rules"))]
    if not any(
        where == namespace and "leases" in _field(rule, "resources") and "update" in _field(rule, "verbs")
        for where, rule in rules
    ):
        yield failed("", f"{subject} has no right to the leader's lock in the namespace that it watches", required)
    for _, rule in rules:
        yield from (failed("", f"{subject} {odd}", required) for odd in _odd(rule))


def _odd(rule: object) -> Iterator[str]:
    resources, verbs = _field(rule, "resources"), _field(rule, "verbs")
    if not all(isinstance(word, str) for word in (*resources, *verbs)):
        yield "has a right that is not in words"
    yield from (f'has a right to "{each}"' for each in resources if each in ("secrets", "*"))
    yield from (f'may "{verb}"' for verb in verbs if verb in ("delete", "deletecollection", "*", "escalate", "bind"))
    if "update" in verbs and not _field(rule, "resourceNames"):
        yield f'may "update" any of "{", ".join(map(str, resources))}"'


def _binds(binding: Resource, account: object) -> bool:
    return any(
        isinstance(each, Mapping) and each.get("kind") == "ServiceAccount" and each.get("name") == account
        for each in _listed(binding.get("subjects"))
    )


def _gives(binding: Resource, role: Resource) -> bool:
    """Whether a binding gives the rights of a role: of its namespace and name."""
    return binding.get("roleRef.kind", "Role") == "Role" and (
        (role.get("metadata.namespace"), role.get("metadata.name"))
        == (binding.get("metadata.namespace"), binding.get("roleRef.name"))
    )


def _field(rule: object, key: str) -> list[object]:
    """What a rule lists under a key; a rule that is none lists something that is no word."""
    return _listed(rule.get(key)) if isinstance(rule, Mapping) else [rule]


def _listed(value: object) -> list[object]:
    """A list as it is; nothing as an empty one; anything else as the only thing in it."""
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]
