"""Bindings in the cluster: rights are held by whom they are meant for, and are no wider than declared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from components.contracts import serving
from policies.checks import PASS, all_of, failed, is_hidden, read, shown, unknown
from policies.declared_rights import Account, account_of, accounts_in
from policies.examples import Given, Hidden, both, examples, given, plus, put, without
from policies.family import Family
from policies.holders import EVERYWHERE, role_of, scope_of
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.persons import role_of_person
from policies.rbac import rights_of
from policies.tokens import CLUSTER_ROLE_BINDING, KUBE_ROLE, ROLE_BINDING, SERVICE_ACCOUNT

family = Family("Bindings in the cluster")

_SYSTEMS: Final = ("kube-system", "kube-public", "kube-node-lease", "default")
_CLUSTER_ROLES: Final[Mapping[str, str]] = {
    "administrators": "cluster-admin",
    "deployers": "cluster-admin",
    "readers": "view",
}
_PROMETHEUS: Final = {"kind": "ServiceAccount", "name": "prometheus", "namespace": "autoscaling-metrics"}


def _bound() -> Given:
    return given(
        ROLE_BINDING,
        {
            "metadata": {"name": "prometheus", "namespace": serving.NAMESPACE},
            "roleRef": {"kind": "Role", "name": "prometheus"},
            "subjects": [_PROMETHEUS],
        },
        "bound",
    )


@family.rule(
    "k8s-bindings-to-whom-they-mean",
    Severity.CRITICAL,
    "Roles are bound to programs of the platform and to the people whom the settings name",
    types=(ROLE_BINDING, CLUSTER_ROLE_BINDING),
    rationale="Groups such as system:authenticated or all service accounts are whoever gets in; a default account is "
    "every pod of a namespace that names no other.",
    remedy="Bind a service account of the program's own, or name the person in cluster.access.",
    frameworks={
        Framework.CIS_GKE: ("4.1.1", "4.1.4"),
        Framework.CIS_EKS: ("4.1.1", "4.1.5"),
        Framework.CHECKOV: ("CKV_K8S_42",),
    },
    examples=lambda: examples(
        _bound(),
        broken={
            **{
                f'subjects.0 is "{kind} {name}"': put("subjects.0", {"kind": kind, "name": name})
                for kind, name in (
                    ("Group", "system:masters"),
                    ("Group", "system:authenticated"),
                    ("Group", "system:unauthenticated"),
                    ("Group", "system:serviceaccounts"),
                    ("Group", "system:serviceaccounts:serving"),
                    ("User", "system:anonymous"),
                    ("User", "someone@example.com"),
                )
            },
            'subjects.0 is "ServiceAccount autoscaling-metrics/default"': put("subjects.0.name", "default"),
            'subjects.0 is "ServiceAccount autoscaling-metrics/another"': put("subjects.0.name", "another"),
            'subjects.0 is "ServiceAccount kube-system/prometheus"': put("subjects.0.namespace", "kube-system"),
            "subjects is []": put("subjects", []),
        },
        undecided={
            "subjects is known only to the provider": put("subjects", Hidden()),
            "subjects.0 is known only to the provider": (
                put("subjects.0", Hidden()),
                put("subjects.0.name", Hidden()),
                put("subjects.0.namespace", Hidden()),
            ),
        },
        accepted={
            "": (
                both(
                    put("subjects.0", {"kind": "ServiceAccount", "name": "own"}),
                    plus(
                        given(
                            SERVICE_ACCOUNT,
                            {"metadata": {"namespace": serving.NAMESPACE, "name": "own"}},
                            "bound-own",
                        )
                    ),
                ),
                put("subjects.0", {"kind": "User", "name": "arn:aws:iam::111122223333:role/platform/admin"}),
            )
        },
    ),
)
def bindings_to_whom_they_mean(binding: Resource, inventory: Inventory) -> Judgement:
    required = "a program's own service account, or someone whom cluster.access names"
    subjects = read(binding, "subjects")
    listed = subjects if isinstance(subjects, list) else [subjects]
    if is_hidden(subjects):
        return unknown("subjects", required)
    if not isinstance(subjects, list | Mapping) or not subjects:
        return failed("subjects", shown(subjects), required)
    return all_of(
        _meant(each, f"subjects.{index}", binding, inventory, required) for index, each in enumerate(listed)
    )


def _meant(subject: object, path: str, binding: Resource, inventory: Inventory, required: str) -> Judgement:
    if not isinstance(subject, Mapping) or any(map(is_hidden, subject.values())):
        return unknown(path, required)
    place = read(binding, "metadata.namespace")
    kind, namespace, name = next(accounts_in(subject, place))
    if kind == "ServiceAccount":
        if is_hidden(namespace):
            return unknown(path, required)
        own = namespace not in _SYSTEMS and name != "default" and (namespace, name) in inventory.derived(_accounts)
        if own or account_of(namespace, name) is not None:
            return PASS
        return failed(path, shown(f"{kind} {namespace}/{name}"), required)
    known = role_of_person(inventory.settings, kind, name) is not None
    return PASS if known else failed(path, shown(f"{kind} {name}"), required)


def _accounts(inventory: Inventory) -> frozenset[tuple[str, str]]:
    """(namespace, name) of the service accounts that the stack makes."""
    return frozenset(
        (str(read(each, "metadata.namespace")), str(read(each, "metadata.name")))
        for each in inventory.of_type(SERVICE_ACCOUNT)
    )


@family.rule(
    "k8s-rights-as-declared",
    Severity.HIGH,
    "Each holder has the rights that are declared for it, and no wider ones",
    types=(ROLE_BINDING, CLUSTER_ROLE_BINDING),
    rationale="What a program does not need today is what it can be made to do tomorrow.",
    remedy="Narrow the role, or declare the need in policies/declared_rights.py where a reviewer sees it.",
    examples=lambda: examples(
        _bound(),
        given(
            KUBE_ROLE,
            {
                "metadata": {"name": "prometheus", "namespace": serving.NAMESPACE},
                "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}],
            },
            "scrapes",
        ),
        broken={
            'autoscaling-metrics/prometheus may "list services"': put(
                "rules.1", {"apiGroups": [""], "resources": ["services"], "verbs": ["list"]}, KUBE_ROLE, "scrapes"
            ),
            'autoscaling-metrics/prometheus may "list pods" of the group "*"': put(
                "rules.0", {"resources": ["pods"], "verbs": ["list"]}, KUBE_ROLE, "scrapes"
            ),
            'autoscaling-metrics/prometheus may "get pods" in "kube-system"': both(
                put("metadata.namespace", "kube-system"),
                put("metadata.namespace", "kube-system", KUBE_ROLE, "scrapes"),
            ),
            "autoscaling-metrics/prometheus has ClusterRole cluster-admin": put(
                "roleRef", {"kind": "ClusterRole", "name": "cluster-admin"}
            ),
            "autoscaling-metrics/prometheus has Role prometheus": without(KUBE_ROLE, "scrapes"),
            "serving/own has ClusterRole edit": both(
                put("roleRef", {"kind": "ClusterRole", "name": "edit"}),
                put("subjects.0", {"kind": "ServiceAccount", "name": "own"}),
            ),
        },
        undecided={
            "roleRef.name is known only to the provider": put("roleRef.name", Hidden()),
            "rules is known only to the provider": put("rules", Hidden(), KUBE_ROLE, "scrapes"),
        },
        accepted={
            "": (
                put("rules.0.verbs", ["get"], KUBE_ROLE, "scrapes"),
                both(
                    put("roleRef", {"kind": "ClusterRole", "name": "view"}),
                    put("subjects.0", {"kind": "ServiceAccount", "name": "own"}),
                ),
            )
        },
    ),
)
def rights_as_declared(binding: Resource, inventory: Inventory) -> Judgement:
    for path in ("roleRef.name", "roleRef.kind", "roleRef", "subjects"):
        if is_hidden(read(binding, path)):
            return unknown(path, "a role and holders that the plan knows")
    place = read(binding, "metadata.namespace")
    return all_of(
        each
        for kind, namespace, name in accounts_in(binding.get("subjects"), place)
        for each in (
            _of_account(binding, inventory, namespace, name)
            if kind == "ServiceAccount"
            else _of_person(binding, inventory, kind, name)
        )
    )


def _of_account(binding: Resource, inventory: Inventory, namespace: str, name: str) -> Iterator[Judgement]:
    account, role, scope = account_of(namespace, name), role_of(binding, inventory), scope_of(binding)
    who, called = f"{namespace}/{name}", f"{read(binding, 'roleRef.kind')} {read(binding, 'roleRef.name')}"
    if role is not None:
        yield from _within(account, role, scope, who)
    elif account is not None:
        taken = (scope, read(binding, "roleRef.kind"), read(binding, "roleRef.name")) in account.taken
        yield PASS if taken else failed("", f"{who} has {called}", "a role of the stack, or one declared for it")
    else:
        # Kubernetes' own `view` leaves secrets out.
        looks = called == "ClusterRole view" and scope != EVERYWHERE
        yield PASS if looks else failed("", f"{who} has {called}", "a role of the stack")


def _within(account: Account | None, role: Resource, scope: str, who: str) -> Iterator[Judgement]:
    for right in rights_of(role.get("rules")):
        required = "what is declared for it"
        if isinstance(right, str):
            yield unknown(right, required)
        elif account is not None and not account.covers(right, scope):
            wide = f' of the group "{right.group}"' if right.group == "*" else ""
            elsewhere = not wide and any(
                account.covers(right, each) for need in account.needs for each in need.scopes
            )
            where = f' in "{scope}"' if elsewhere else wide
            yield failed("", f"{who} may {shown(_said(str(right), wide))}{where}", required)


def _said(right: str, wide: str) -> str:
    return right.removesuffix(".*") if wide else right


def _of_person(binding: Resource, inventory: Inventory, kind: str, name: str) -> Iterator[Judgement]:
    meant = role_of_person(inventory.settings, kind, name)
    role = role_of(binding, inventory)
    if meant is None or role is not None:  # `k8s-bindings-to-whom-they-mean` and `k8s-roles-no-escalation` say so
        return
    called = f"{read(binding, 'roleRef.kind')} {read(binding, 'roleRef.name')}"
    wanted = f"ClusterRole {_CLUSTER_ROLES[meant]}"
    yield PASS if called in (wanted, "ClusterRole view") else failed("", f"{name} has {called}", wanted)
