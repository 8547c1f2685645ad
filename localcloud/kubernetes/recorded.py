"""The types of objects that the local cloud records: no API server and no controller runs behind them.

A type that is not in `RECORDED` is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final


class Scope(Enum):
    """Whether an object belongs to a namespace."""

    CLUSTER = "cluster"
    NAMESPACE = "namespace"


CLUSTER, NAMESPACE = Scope.CLUSTER, Scope.NAMESPACE

RECORDED: Final[Mapping[str, Scope]] = {
    "kubernetes:cert-manager.io/v1:Certificate": NAMESPACE,
    "kubernetes:flagger.app/v1beta1:Canary": NAMESPACE,
    "kubernetes:flagger.app/v1beta1:MetricTemplate": NAMESPACE,
    "kubernetes:gateway.envoyproxy.io/v1alpha1:Backend": NAMESPACE,
    "kubernetes:gateway.envoyproxy.io/v1alpha1:BackendTrafficPolicy": NAMESPACE,
    "kubernetes:gateway.envoyproxy.io/v1alpha1:ClientTrafficPolicy": NAMESPACE,
    "kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyExtensionPolicy": NAMESPACE,
    "kubernetes:gateway.envoyproxy.io/v1alpha1:EnvoyProxy": NAMESPACE,
    "kubernetes:gateway.envoyproxy.io/v1alpha1:SecurityPolicy": NAMESPACE,
    "kubernetes:gateway.networking.k8s.io/v1:GRPCRoute": NAMESPACE,
    "kubernetes:gateway.networking.k8s.io/v1:Gateway": NAMESPACE,
    "kubernetes:gateway.networking.k8s.io/v1:GatewayClass": CLUSTER,
    "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute": NAMESPACE,
    "kubernetes:helm.sh/v3:Release": NAMESPACE,
    "kubernetes:scheduling.k8s.io/v1:PriorityClass": CLUSTER,
    "kubernetes:apiregistration.k8s.io/v1:APIService": CLUSTER,
    "kubernetes:apps/v1:Deployment": NAMESPACE,
    "kubernetes:autoscaling/v2:HorizontalPodAutoscaler": NAMESPACE,
    "kubernetes:batch/v1:CronJob": NAMESPACE,
    "kubernetes:cloud.google.com/v1:ComputeClass": CLUSTER,
    "kubernetes:core/v1:ConfigMap": NAMESPACE,
    "kubernetes:core/v1:Namespace": CLUSTER,
    "kubernetes:core/v1:ResourceQuota": NAMESPACE,
    "kubernetes:core/v1:Secret": NAMESPACE,
    "kubernetes:core/v1:Service": NAMESPACE,
    "kubernetes:core/v1:ServiceAccount": NAMESPACE,
    "kubernetes:networking.k8s.io/v1:NetworkPolicy": NAMESPACE,
    "kubernetes:policy/v1:PodDisruptionBudget": NAMESPACE,
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole": CLUSTER,
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding": CLUSTER,
    "kubernetes:rbac.authorization.k8s.io/v1:Role": NAMESPACE,
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding": NAMESPACE,
}
