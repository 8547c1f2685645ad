"""Roles in the cluster: no right from which its holder gets to more than the platform needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from components.contracts import serving
from policies.checks import ABSENT, PASS, all_of, failed, is_hidden, read, shown, unknown
from policies.declared_rights import account_of
from policies.examples import Given, Hidden, both, drop, examples, given, plus, put
from policies.family import Family
from policies.holders import CLUSTER_ROLE, holders_of
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.rbac import Right, dangers_of, rights_of
from policies.tokens import KUBE_ROLE, ROLE_BINDING

family = Family("Roles in the cluster")

_AGGREGATES: Final = "rbac.authorization.k8s.io/aggregate-to-"
_BUILT_IN: Final = ("cluster-admin", "admin", "edit", "view")
_STEPPING: Final = {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["create"]}
_HARMFUL: Final = (
    ("get secrets", "reads secrets, or makes a token's", "", "secrets", "get"),
    ("create pods", "makes pods, which may take any service account of the namespace", "", "pods", "create"),
    ("create pods/exec", "acts inside of pods", "", "pods/exec", "create"),
    ("get nodes/proxy", "reaches each container of a machine", "", "nodes/proxy", "get"),
    ("create serviceaccounts/token", "makes tokens of service accounts", "", "serviceaccounts/token", "create"),
    ("impersonate groups", "acts as others", "", "groups", "impersonate"),
    (
        "escalate roles.rbac.authorization.k8s.io",
        "gives rights",
        "rbac.authorization.k8s.io",
        "roles",
        "escalate",
    ),
    (
        "update certificatesigningrequests/approval.certificates.k8s.io",
        "approves or signs certificates",
        "certificates.k8s.io",
        "certificatesigningrequests/approval",
        "update",
    ),
    ("patch namespaces", "takes labels off namespaces, and with them what they enforce", "", "namespaces", "patch"),
    ("* pods", "holds all verbs", "", "pods", "*"),
    ("get *.apps", "holds all resources", "apps", "*", "get"),
    ("create persistentvolumes", "makes volumes of the machine", "", "persistentvolumes", "create"),
)


@family.rule(
    "k8s-roles-no-escalation",
    Severity.CRITICAL,
    "No role gives a right from which its holder gets to more",
    types=(KUBE_ROLE, CLUSTER_ROLE),
    rationale="Who reads secrets, makes pods, acts as others or gives rights has, one step further, all that those "
    "have; a program that is broken into then gives away the cluster.",
    remedy="Name the resources and verbs that the program needs, and declare them in policies/declared_rights.py.",
    frameworks={
        Framework.CIS_GKE: ("4.1.2", "4.1.3", "4.1.7"),
        Framework.CIS_EKS: ("4.1.2", "4.1.3", "4.1.4", "4.1.8"),
        Framework.CHECKOV: ("CKV_K8S_49", "CKV_K8S_155", "CKV_K8S_156", "CKV_K8S_157", "CKV_K8S_158"),
    },
    examples=lambda: examples(
        given(
            KUBE_ROLE,
            {
                "metadata": {"name": "looks", "namespace": serving.NAMESPACE},
                "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}],
            },
            "looks",
        ),
        broken={
            **{
                f'rules.0 is "{right}", which {what}': put(
                    "rules.0", {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
                )
                for right, what, group, resource, verb in _HARMFUL
            },
            'rules.1 is "get url /*", which reads what the API server says of itself': put(
                "rules.1", {"nonResourceURLs": ["/*"], "verbs": ["get"]}
            ),
            'aggregationRule is {"clusterRoleSelectors": []}': put("aggregationRule", {"clusterRoleSelectors": []}),
            f'metadata.labels[{_AGGREGATES}view] is "true"': put("metadata.labels", {f"{_AGGREGATES}view": "true"}),
            'metadata.name is "cluster-admin"': put("metadata.name", "cluster-admin"),
            'metadata.name is "system:node"': put("metadata.name", "system:node"),
            # A right that one program needs, held by another as well.
            'rules.0 is "create deployments.apps", which makes pods, which may take any service account of the '
            "namespace": (
                put("rules.0", _STEPPING),
                both(put("rules.0", _STEPPING), plus(_bound("flagger", "flagger-system", "looks", "other"))),
            ),
        },
        undecided={
            "rules is known only to the provider": put("rules", Hidden()),
            "rules.0.verbs is known only to the provider": (
                put("rules.0.verbs", Hidden()),
                put("rules.0.verbs.0", Hidden()),
            ),
            "aggregationRule is known only to the provider": put("aggregationRule", Hidden()),
        },
        accepted={
            "": (
                drop("rules"),
                put("rules.0.verbs", ["list", "get", "watch"]),
                both(put("rules.0", _STEPPING), plus(_bound("flagger", "flagger-system", "looks"))),
            )
        },
    ),
)
def roles_no_escalation(role: Resource, inventory: Inventory) -> Judgement:
    return all_of(
        (
            *_own_rules(role),
            *(each for right in rights_of(role.get("rules")) for each in _judged(right, role, inventory)),
        )
    )


def _bound(account: str, namespace: str, role: str, *others: str) -> Given:
    subjects = [{"kind": "ServiceAccount", "name": name, "namespace": namespace} for name in (account, *others)]
    return given(
        ROLE_BINDING,
        {
            "metadata": {"name": "stepping", "namespace": serving.NAMESPACE},
            "roleRef": {"kind": "Role", "name": role},
            "subjects": subjects,
        },
        "stepping",
    )


def _judged(right: Right | str, role: Resource, inventory: Inventory) -> Iterator[Judgement]:
    required = "rights that the platform declares"
    if isinstance(right, str):
        yield unknown(right, required)
        return
    for what in dangers_of(right):
        if not _needed(right, role, inventory):
            yield failed(right.path, f"{shown(str(right))}, which {what}", required)


def _needed(right: Right, role: Resource, inventory: Inventory) -> bool:
    """Whether all that hold a role are programs that need this right, there where they hold it."""
    holders = list(holders_of(role, inventory))
    return bool(holders) and all(
        each.kind == "ServiceAccount"
        and (account := account_of(each.namespace, each.name)) is not None
        and account.covers(right, each.scope)
        for each in holders
    )


def _own_rules(role: Resource) -> Iterator[Judgement]:
    """A role says what it gives: it gathers no other's rules, adds to none, and takes no name of Kubernetes' own."""
    required = "rules of its own"
    gathers = read(role, "aggregationRule")
    if is_hidden(gathers):
        yield unknown("aggregationRule", required)
    elif gathers is not ABSENT:
        yield failed("aggregationRule", shown(gathers), required)
    labels = read(role, "metadata.labels")
    if is_hidden(labels):
        yield unknown("metadata.labels", required)
    for key, value in labels.items() if isinstance(labels, Mapping) else ():
        if str(key).startswith(_AGGREGATES) and value not in ("false", False):
            yield failed(f"metadata.labels[{key}]", shown(value), required)
    name = read(role, "metadata.name")
    if is_hidden(name):
        yield unknown("metadata.name", "a name of the platform's own")
    elif str(name) in _BUILT_IN or str(name).startswith("system:"):
        yield failed("metadata.name", shown(name), "a name of the platform's own")
    yield PASS
