"""Rights over what the door, networks, machines and alarms go by, which no role of the platform needs."""

from __future__ import annotations

from typing import Any, Final

from tests.policies.mutations.changes import Mutation, add

_ROLE: Final = "kubernetes:rbac.authorization.k8s.io/v1:Role"
_META: Final = {"name": "new", "namespace": "serving"}
_RIGHTS: Final = (
    ("get", "nodes/log", ""),
    ("get", "nodes/metrics", ""),
    ("get", "pods/log", ""),
    ("update", "securitypolicies", "gateway.envoyproxy.io"),
    ("delete", "securitypolicies", "gateway.envoyproxy.io"),
    ("patch", "envoyproxies", "gateway.envoyproxy.io"),
    ("create", "referencegrants", "gateway.networking.k8s.io"),
    ("create", "tcproutes", "gateway.networking.k8s.io"),
    ("create", "ingressclasses", "networking.k8s.io"),
    ("create", "servicecidrs", "networking.k8s.io"),
    ("update", "ippools", "crd.projectcalico.org"),
    ("delete", "ciliumnetworkpolicies", "cilium.io"),
    ("create", "runtimeclasses", "node.k8s.io"),
    ("create", "csidrivers", "storage.k8s.io"),
    ("create", "volumesnapshots", "snapshot.storage.k8s.io"),
    ("create", "resourceclaims", "resource.k8s.io"),
    ("create", "resourceslices", "resource.k8s.io"),
    ("update", "computeclasses", "cloud.google.com"),
    ("create", "ec2nodeclasses", "karpenter.k8s.aws"),
    ("create", "nodepools", "karpenter.sh"),
    ("create", "iampolicymembers", "iam.cnrm.cloud.google.com"),
    ("create", "secretproviderclasses", "secrets-store.csi.x-k8s.io"),
    ("create", "externalsecrets", "external-secrets.io"),
    ("create", "clustertrustbundles", "certificates.k8s.io"),
    ("create", "podcertificaterequests", "certificates.k8s.io"),
    ("update", "controllerrevisions", "apps"),
    ("update", "deployments/status", "apps"),
    ("update", "horizontalpodautoscalers/status", "autoscaling"),
    ("update", "poddisruptionbudgets/status", "policy"),
    ("update", "namespaces/finalize", ""),
    ("update", "scaledobjects", "keda.sh"),
    ("delete", "prometheusrules", "monitoring.coreos.com"),
    ("delete", "events", ""),
)
_LOOKS: Final = ("get", "list", "watch")


def _role(group: str, resource: str, *verbs: str) -> dict[str, Any]:
    rule = {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)}
    return {"metadata": _META, "rules": [rule]}


HARMFUL: Final = tuple(
    Mutation(f"rights: {verb} {resource}", add(_ROLE, _role(group, resource, verb)), "k8s-roles-no-escalation")
    for verb, resource, group in _RIGHTS
)
HARMLESS: Final = tuple(
    Mutation(f"fine: a role that looks at {resource}", add(_ROLE, _role(group, resource, *_LOOKS)))
    for resource, group in (
        ("securitypolicies", "gateway.envoyproxy.io"),
        ("runtimeclasses", "node.k8s.io"),
        ("prometheusrules", "monitoring.coreos.com"),
    )
)
