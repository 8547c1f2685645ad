"""Tokens of the cluster: a pod bears one only where its program has rights, and none is kept as a secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from policies.checks import PASS, all_of, failed, is_hidden, read, shown, unknown
from policies.declared_rights import accounts_in
from policies.examples import Given, Hidden, Output, both, drop, examples, given, plus, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.nodes import Node, is_false, must, must_not_be_true, node
from policies.tokens import CLUSTER_ROLE_BINDING, CONFIG_MAP, DEPLOYMENT, KUBE_SECRET, ROLE_BINDING, SERVICE_ACCOUNT
from policies.workloads import WORKLOADS, pod_path, unreadable_containers

family = Family("Tokens of the cluster")

_POD: Final = "spec.template.spec"
_MOUNTS: Final = f"{_POD}.automountServiceAccountToken"
_NAMED: Final = f"{_POD}.serviceAccountName"
_TOKENS: Final = ("kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token")
_NO_RIGHTS: Final = "bears a token of {who}, which has no rights that the stack gives"


def _binding(name: str = "sees") -> Given:
    return given(
        ROLE_BINDING,
        {"metadata.namespace": "serving", "subjects": [{"kind": "ServiceAccount", "name": "sees"}]},
        name,
    )


@family.rule(
    "k8s-tokens-where-needed",
    Severity.HIGH,
    "A pod bears a token of the cluster only where its program has rights of its own",
    types=WORKLOADS,
    rationale="By default each pod has a token; whoever gets into the pod asks the API server with it, and the "
    "default account is shared by all pods that name none.",
    remedy="Set automountServiceAccountToken to false, or name an account of the program's own that is bound.",
    frameworks={
        Framework.CIS_GKE: ("4.1.4", "4.1.5"),
        Framework.CIS_EKS: ("4.1.5", "4.1.6"),
        Framework.CHECKOV: ("CKV_K8S_38",),
    },
    examples=lambda: examples(
        given(
            DEPLOYMENT,
            {
                "metadata.namespace": "serving",
                _NAMED: "sees",
                f"{_POD}.containers.0.name": "sees",
                f"{_POD}.automountServiceAccountToken": True,
            },
            "sees",
        ),
        _binding(),
        broken={
            f"{_MOUNTS} bears a token of serving/default, which has no rights that the stack gives": drop(_NAMED),
            f"{_MOUNTS} bears a token of serving/other, which has no rights that the stack gives": put(
                _NAMED, "other"
            ),
            f"{_MOUNTS} bears a token of serving/sees, which has no rights that the stack gives": (
                without(ROLE_BINDING, "sees"),
                put("subjects", [{"kind": "ServiceAccount", "name": "sees", "namespace": "x"}], ROLE_BINDING, "sees"),
            ),
            f"{_POD}.volumes.0.projected.sources.0.serviceAccountToken bears a token of serving/other, which has no "
            "rights that the stack gives": both(
                put(_MOUNTS, False),
                put(_NAMED, "other"),
                put(f"{_POD}.volumes.0.projected.sources.0.serviceAccountToken", {"path": "token"}),
            ),
        },
        undecided={
            f"{_MOUNTS} is known only to the provider": put(_MOUNTS, Hidden()),
            f"{_NAMED} is known only to the provider": put(_NAMED, Hidden()),
            "metadata.namespace is known only to the provider": put("metadata.namespace", Hidden()),
        },
        accepted={
            "": (
                both(put(_MOUNTS, False), put(_NAMED, "other")),
                both(
                    drop(_MOUNTS),
                    put(_NAMED, "other"),
                    plus(
                        given(
                            SERVICE_ACCOUNT,
                            {
                                "metadata": {"name": "other", "namespace": "serving"},
                                "automountServiceAccountToken": False,
                            },
                            "other",
                        )
                    ),
                ),
                put(_NAMED, Output(SERVICE_ACCOUNT, value="sees")),
            )
        },
    ),
)
def tokens_where_needed(workload: Resource, inventory: Inventory) -> Judgement:
    pod = node(workload, pod_path(workload))
    hidden = unreadable_containers(workload)
    if hidden:
        return hidden
    spots = list(_tokens(pod, workload, inventory))
    if not spots:
        return PASS
    account, namespace = pod.at("serviceAccountName"), node(workload, "metadata.namespace")
    mounts = pod.at("automountServiceAccountToken")
    for each in (mounts, account, namespace):
        if each.hidden:
            return unknown(each.path, "an account that has rights of its own")
    place = "default" if namespace.absent else str(namespace.value)
    name = "default" if account.absent else str(account.value)
    if name != "default" and _is_bound(inventory, place, name):
        return PASS
    found = _NO_RIGHTS.format(who=f"{place}/{name}")
    return all_of(failed("", f"{spot} {found}", "no token, or an account with rights of its own") for spot in spots)


def _tokens(pod: Node, workload: Resource, inventory: Inventory) -> Iterator[str]:
    """The fields by which a pod comes to a token."""
    mounts, account = pod.at("automountServiceAccountToken"), pod.at("serviceAccountName")
    if mounts.absent:
        place = read(workload, "metadata.namespace")
        own = next((each for each in inventory.of_type(SERVICE_ACCOUNT) if _is(each, place, account.value)), None)
        if own is None or not is_false(read(own, "automountServiceAccountToken")):
            yield mounts.path
    elif not is_false(mounts.value):
        yield mounts.path
    for volume in pod.at("volumes").members():
        for source in volume.at("projected", "sources").members():
            token = source.at("serviceAccountToken")
            # What another service checks, by an audience of its own, says nothing to the API server.
            if not token.absent and token.at("audience").absent:
                yield token.path


def _is(account: Resource, namespace: object, name: object) -> bool:
    return (read(account, "metadata.namespace"), read(account, "metadata.name")) == (namespace, name)


def _is_bound(inventory: Inventory, namespace: str, name: str) -> bool:
    wanted = ("ServiceAccount", namespace, name)
    return any(
        wanted in accounts_in(binding.get("subjects"), read(binding, "metadata.namespace"))
        for binding in inventory.of_type(ROLE_BINDING, CLUSTER_ROLE_BINDING)
    )


@family.rule(
    "k8s-accounts-without-secrets",
    Severity.MEDIUM,
    "Service accounts hold no secrets, and the default ones bear no token",
    types=(SERVICE_ACCOUNT,),
    rationale="A token that is kept as a secret never ends; the default account is every pod that names none.",
    remedy="Leave secrets out; pods get tokens that end by themselves.",
    examples=lambda: examples(
        given(SERVICE_ACCOUNT, {"metadata": {"name": "own", "namespace": "serving"}}, "own"),
        broken={
            'secrets is [{"name": "own-token"}]': put("secrets", [{"name": "own-token"}]),
            "automountServiceAccountToken is true": both(
                put("metadata.name", "default"), put("automountServiceAccountToken", True)
            ),
        },
        undecided={"metadata.name is known only to the provider": put("metadata.name", Hidden())},
        accepted={"": (put("automountServiceAccountToken", True), put("secrets", []))},
    ),
)
def accounts_without_secrets(account: Resource, _: Inventory) -> Judgement:
    name, secrets = node(account, "metadata.name"), node(account, "secrets")
    judged = [must(secrets, "none", lambda value: value == [], given=False)]
    if name.hidden:
        judged.append(unknown(name.path, "a name of its own"))
    elif name.value == "default":
        judged.append(must_not_be_true(node(account, "automountServiceAccountToken")))
    return all_of(judged)


@family.rule(
    "k8s-no-side-doors",
    Severity.CRITICAL,
    "No object lets somebody into the cluster beside the ways that the settings name",
    types=(CONFIG_MAP, KUBE_SECRET),
    rationale="A service account's token as a secret never ends; the ConfigMap aws-auth makes anyone an "
    "administrator without an access entry.",
    remedy="Name people in cluster.access, and let pods take tokens that end by themselves.",
    frameworks={Framework.CIS_EKS: ("4.1.7",)},
    examples=lambda: examples(
        given(CONFIG_MAP, {"metadata": {"name": "told", "namespace": "serving"}}, "told"),
        broken={'metadata.name is "aws-auth"': put("metadata.name", "aws-auth")},
        undecided={"metadata.name is known only to the provider": put("metadata.name", Hidden())},
        accepted={"": drop("metadata")},
    ),
)
def no_side_doors(found: Resource, _: Inventory) -> Judgement:
    if found.type == KUBE_SECRET:
        required = "no token that never ends"
        return must(node(found, "type"), required, lambda kind: kind not in _TOKENS, given=False)
    return must(node(found, "metadata.name"), "no map of accounts", lambda name: name != "aws-auth", given=False)


_HIDING: Final = (is_hidden, shown, Mapping)
