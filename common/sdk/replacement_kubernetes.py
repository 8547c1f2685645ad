"""Which changes replace a Kubernetes object, from pulumi-kubernetes' provider/pkg/provider/diff.go."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Final

_COMMON: Final = ("apiVersion", "kind", "metadata.name", "metadata.namespace")

REPLACE_ON: Final[Mapping[str, tuple[str, ...]]] = {
    "kubernetes:apps/v1:DaemonSet": ("spec.selector",),
    "kubernetes:apps/v1:Deployment": ("spec.selector",),
    "kubernetes:apps/v1:StatefulSet": (
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    "kubernetes:batch/v1:Job": ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    "kubernetes:core/v1:PersistentVolumeClaim": ("spec",),
    "kubernetes:core/v1:ResourceQuota": ("spec.scopes",),
    "kubernetes:core/v1:Secret": ("type",),
    "kubernetes:core/v1:Service": ("spec.clusterIP",),
    "kubernetes:helm.sh/v3:Release": ("name", "namespace"),
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding": ("roleRef",),
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding": ("roleRef",),
    "kubernetes:storage.k8s.io/v1:StorageClass": ("parameters", "provisioner"),
}


UNLESS_MUTABLE: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "kubernetes:core/v1:ConfigMap": ("enableConfigMapMutable", ("binaryData", "data")),
    "kubernetes:core/v1:Secret": ("enableSecretMutable", ("stringData", "data")),
}
"""Type → the provider's setting under which these paths are changed in place; a test holds ours to setting it."""


def replace_on(
    token: str, *, mutable: Container[str] = ("enableConfigMapMutable", "enableSecretMutable")
) -> list[str]:
    """Paths whose change replaces an object of the type, at a provider with the settings `mutable`."""
    setting, contents = UNLESS_MUTABLE.get(token, ("", ()))
    return [*_COMMON, *REPLACE_ON.get(token, ()), *(() if setting in mutable else contents)]
