"""Namespaces: what the platform lays on the cluster stands in namespaces of its own, which it fences."""

from __future__ import annotations

from typing import Final

from policies.checks import ABSENT, PASS, failed, is_hidden, not_applicable, read, shown, unknown
from policies.cluster_objects import EVERY_OBJECT, POD, POD_TEMPLATE, Patch
from policies.examples import Hidden, Output, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.tokens import (
    BUDGET,
    CONFIG_MAP,
    CRON_JOB,
    DAEMON_SET,
    DEPLOYMENT,
    HPA,
    INGRESS,
    JOB,
    KUBE_ROLE,
    KUBE_SECRET,
    LIMIT_RANGE,
    NAMESPACE,
    NETWORK_POLICY,
    RELEASE,
    REPLICA_SET,
    REPLICATION_CONTROLLER,
    RESOURCE_QUOTA,
    ROLE_BINDING,
    SERVICE,
    SERVICE_ACCOUNT,
    STATEFUL_SET,
)

family = Family("Namespaces")

_SYSTEM: Final = "kube-system"
_EXCEPTED: Final = frozenset(
    {
        # The node autoscaler stands where its state and its lock are looked for.
        (_SYSTEM, "ConfigMap", "cluster-autoscaler-priority-expander"),
        *((_SYSTEM, kind, "cluster-autoscaler") for kind in ("Deployment", "PodDisruptionBudget", "Role")),
        *((_SYSTEM, kind, "cluster-autoscaler") for kind in ("RoleBinding", "ServiceAccount", "NetworkPolicy")),
        # The role that reads the API server's own authority is Kubernetes', and stands there.
        (_SYSTEM, "RoleBinding", "prometheus-adapter-auth-reader"),
    }
)
"""What may stand in a namespace that the stack does not make: each by namespace, kind and name."""
_NAMESPACED: Final = (
    DEPLOYMENT,
    STATEFUL_SET,
    DAEMON_SET,
    REPLICA_SET,
    JOB,
    CRON_JOB,
    POD,
    REPLICATION_CONTROLLER,
    CONFIG_MAP,
    KUBE_SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    RESOURCE_QUOTA,
    LIMIT_RANGE,
    HPA,
    NETWORK_POLICY,
    INGRESS,
    BUDGET,
    KUBE_ROLE,
    ROLE_BINDING,
)
"""Kinds that stand in the namespace `default` where they name none."""


@family.rule(
    "k8s-objects-in-own-namespaces",
    Severity.HIGH,
    "Objects stand in namespaces that the stack makes and fences",
    types=(DEPLOYMENT, RELEASE, EVERY_OBJECT),
    rationale="Nothing is enforced in default, and kube-system holds what runs the cluster: a pod there may take the "
    "accounts of its controllers.",
    remedy="Name one of the stack's namespaces; what must stand elsewhere is listed by name in this rule.",
    frameworks={
        Framework.CIS_GKE: ("4.6.1", "4.6.4"),
        Framework.CIS_EKS: ("4.5.1", "4.5.2"),
        Framework.CHECKOV: ("CKV_K8S_21",),
    },
    examples=lambda: examples(
        given(DEPLOYMENT, {"metadata": {"namespace": "fenced", "name": "inside"}}, "inside"),
        given(NAMESPACE, {"metadata.name": "fenced"}, "fenced"),
        broken={
            **{
                f'metadata.namespace is "{name}"': put("metadata.namespace", name)
                for name in ("default", "kube-system", "kube-public", "elsewhere")
            },
            "metadata.namespace is absent": drop("metadata.namespace"),
        },
        undecided={"metadata.namespace is known only to the provider": put("metadata.namespace", Hidden())},
        accepted={"": put("metadata.namespace", Output(NAMESPACE, "fenced", value="fenced"))},
    ),
)
def objects_in_own_namespaces(found: Resource, inventory: Inventory) -> Judgement:
    path = "namespace" if found.type == RELEASE else "metadata.namespace"
    namespace, name = read(found, path), read(found, "metadata.name")
    unsaid = namespace is ABSENT or (isinstance(found, Patch) and is_hidden(namespace))
    if found.type == POD_TEMPLATE or (unsaid and found.type not in (*_NAMESPACED, RELEASE)):
        return not_applicable("it stands in no namespace")
    required = "a namespace of the stack"
    if is_hidden(namespace):
        linked = inventory.linked(found, path.split(".", 1)[0], NAMESPACE)
        return PASS if linked else unknown(path, required)
    made = {str(read(each, "metadata.name")) for each in inventory.of_type(NAMESPACE)}
    kind = found.type.rsplit(":", 1)[-1]
    if str(namespace) in made or (str(namespace), kind, str(name)) in _EXCEPTED:
        return PASS
    return failed(path, shown(namespace), required)
