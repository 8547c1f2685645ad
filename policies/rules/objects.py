"""Objects of a cluster that rules know: what none of them reads, or what is not in the plan, is no pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from policies.checks import PASS, all_of, failed, is_hidden, not_applicable, unknown
from policies.cluster_objects import EVERY_OBJECT, canonical, documents_in
from policies.examples import Hidden, drop, examples, given, plus, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.tokens import CONFIG_MAP

family = Family("Objects in the cluster")

_GROUP: Final = "kubernetes:yaml/v2:ConfigGroup"
_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "core/v1": (
        "ConfigMap",
        "LimitRange",
        "Namespace",
        "PersistentVolumeClaim",
        "Pod",
        "PodTemplate",
        "ReplicationController",
        "ResourceQuota",
        "Secret",
        "Service",
        "ServiceAccount",
    ),
    "apps/v1": ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"),
    "batch/v1": ("CronJob", "Job"),
    "admissionregistration.k8s.io/v1": ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
    "apiregistration.k8s.io/v1": ("APIService",),
    "autoscaling/v2": ("HorizontalPodAutoscaler",),
    "networking.k8s.io/v1": ("Ingress", "NetworkPolicy"),
    "policy/v1": ("PodDisruptionBudget",),
    "rbac.authorization.k8s.io/v1": ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"),
    "scheduling.k8s.io/v1": ("PriorityClass",),
    "cert-manager.io/v1": ("Certificate",),
    "cloud.google.com/v1": ("ComputeClass",),
    "flagger.app/v1beta1": ("Canary", "MetricTemplate"),
    "gateway.envoyproxy.io/v1alpha1": (
        "Backend",
        "BackendTrafficPolicy",
        "ClientTrafficPolicy",
        "EnvoyExtensionPolicy",
        "EnvoyProxy",
        "SecurityPolicy",
    ),
    "gateway.networking.k8s.io/v1": ("GRPCRoute", "Gateway", "GatewayClass", "HTTPRoute"),
    "helm.sh/v3": ("Release",),
}
"""Group and version → the kinds that rules judge, or that the platform makes and that reach no further."""
_KNOWN: Final = frozenset(f"kubernetes:{group}:{kind}" for group, kinds in _KINDS.items() for kind in kinds)
_APPLIED: Final = ("objs", "yaml")
_REQUIRED: Final = "objects that the plan holds, of kinds that rules judge"


@family.rule(
    "k8s-objects-known",
    Severity.HIGH,
    "Each object of the cluster is in the plan, and of a kind that rules judge",
    types=(_GROUP, EVERY_OBJECT),
    rationale="A file, a chart or a custom resource may make pods, rights or doors that nobody has looked at.",
    remedy="Declare its objects one by one; for a new kind, write the rules that judge it and name it there.",
    examples=lambda: examples(
        given(_GROUP, {"objs": [{"apiVersion": "v1", "kind": "ConfigMap"}], "yaml": ""}, "laid"),
        broken={"files is outside of the plan": put("files", ["*.yaml"])},
        undecided={
            "objs is known only to the provider": put("objs", Hidden()),
            "yaml is known only to the provider": put("yaml", Hidden()),
            "yaml is no YAML": put("yaml", "a: b: c"),
            "objs.0: a Thing of example.com/v1, of which no rule knows": put(
                "objs.0", {"apiVersion": "example.com/v1", "kind": "Thing"}
            ),
        },
        accepted={"": (drop("yaml"), plus(given(CONFIG_MAP, {"data": {}}, "another")))},
    ),
)
def objects_known(found: Resource, _: Inventory) -> Judgement:
    if canonical(found.type) in _KNOWN:
        return not_applicable("a kind that rules judge")
    group, _sign, kind = found.type.removeprefix("kubernetes:").rpartition(":")
    if group in ("yaml/v2", "yaml") and kind == "ConfigGroup":
        return _laid(found)
    if kind.endswith("List") and isinstance(found.inputs.get("items"), list):
        odd = any(not isinstance(each, Mapping) for each in found.inputs["items"])
        return unknown("items", _REQUIRED) if odd else PASS
    if kind == "Release" or not group:
        return PASS
    return unknown("", _REQUIRED, f"a {kind} of {group}, of which no rule knows")


def _laid(group: Resource) -> Judgement:
    """What a group of objects lays on the cluster stands in its inputs, as objects or as text."""
    outside = [
        key for key in group.inputs if key not in (*_APPLIED, "resourcePrefix", "skipAwait", "transformations")
    ]
    judged = [failed(key, "outside of the plan", _REQUIRED) for key in outside]
    judged += [unknown("objs", _REQUIRED) for _ in _unread(group.inputs.get("objs"))]
    texts = group.inputs.get("yaml")
    for text in texts if isinstance(texts, list) else [] if texts is None else [texts]:
        documents = documents_in(text) if isinstance(text, str) and not is_hidden(text) else None
        if not isinstance(text, str) or is_hidden(text):
            judged.append(unknown("yaml", _REQUIRED))
        elif documents is None or any(not _says_its_kind(each) for each in documents if each is not None):
            judged.append(unknown("yaml", _REQUIRED, "no YAML"))
    if not any(key in group.inputs for key in _APPLIED):
        judged.append(unknown("", _REQUIRED, "what it lays on the cluster is not in the plan"))
    return all_of(judged)


def _unread(value: Any) -> list[Any]:
    """Members that are no objects which say their kind; a value that is neither list nor object is one."""
    if value is None:
        return []
    return [each for each in (value if isinstance(value, list) else [value]) if not _says_its_kind(each)]


def _says_its_kind(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(told := value.get(key), str) and told and not is_hidden(told) for key in ("apiVersion", "kind")
    )
