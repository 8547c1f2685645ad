"""What Helm charts and Envoy Gateway make of a stack's objects, as Deployments and budgets: for placing alone.

No Helm runs here, and no Envoy Gateway acts. Their pods take room, stand apart and hold up drains all the same, so
that they are laid as the charts' templates and Envoy Gateway's infrastructure would make them of the stack's values:
replicas, places, priority, sizes and budgets, and nothing of what the containers do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from components.contracts.door import PROXY_APP, PROXY_NAMESPACE
from components.kubernetes.gateway.objects import PROXY_LABELS

_SECURE: Final = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
_PROXY_LABELS: Final = {
    "app.kubernetes.io/name": PROXY_APP,
    "app.kubernetes.io/component": "proxy",
    "app.kubernetes.io/managed-by": "envoy-gateway",
    **PROXY_LABELS,
}
_HOSTNAME: Final = "kubernetes.io/hostname"


STANDS_FOR: Final = "seawall.dev/stands-for"
"""Label: not the stack's own, nor the chart's."""


def stands_for_a_chart(item: Mapping[str, Any]) -> bool:
    """Whether an object is one of these."""
    return STANDS_FOR in (item["metadata"].get("labels") or {})


def of_charts(releases: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The Deployments and budgets of a stack's releases, by the inputs of each.

    Raises:
        LookupError: a chart is none whose templates were read.
    """
    found: list[dict[str, Any]] = []
    for release in releases:
        chart, _, _ = str(release["chart"]).partition("@")
        made = next((make for name, make in _CHARTS.items() if chart.endswith(name)), None)
        if made is None:
            raise LookupError(f"nothing is known here of what {chart} runs")
        found += made(release["namespace"], release.get("values") or {})
    return found


def of_proxies(proxies: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The Deployment and budget that Envoy Gateway makes of each EnvoyProxy that a GatewayClass names.

    (`Deployment` and `PodDisruptionBudget` of internal/infrastructure/kubernetes/proxy/resource_provider.go of 1.9.1,
    read 2026-11-22: replicas, strategy, places and priority are taken as they stand; they lie in its own namespace.)
    """
    found: list[dict[str, Any]] = []
    for proxy in proxies:
        told = proxy["spec"]["provider"]["kubernetes"]
        asked, budget = told["envoyDeployment"], told.get("envoyPDB")
        pod = asked.get("pod") or {}
        found.append(
            _deployment(
                PROXY_NAMESPACE,
                asked["name"],
                _PROXY_LABELS,
                asked.get("replicas", 1),
                (asked.get("container") or {}).get("resources") or {},
                strategy=asked.get("strategy"),
                priorityClassName=pod.get("priorityClassName"),
                topologySpreadConstraints=pod.get("topologySpreadConstraints"),
            )
        )
        if budget:
            found.append(_budget(PROXY_NAMESPACE, budget.get("name", asked["name"]), _PROXY_LABELS, budget))
    return found


def _envoy_gateway(namespace: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """templates/envoy-gateway-deployment.yaml and -poddisruptionbudget.yaml of 1.9.1, read 2026-11-22."""
    asked = values.get("deployment") or {}
    labels = {
        "control-plane": "envoy-gateway",
        "app.kubernetes.io/name": "gateway-helm",
        "app.kubernetes.io/instance": "envoy-gateway",
    }
    sizes = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1024Mi"}}
    return [
        _deployment(
            namespace,
            "envoy-gateway",
            labels,
            asked.get("replicas", 1),
            sizes,
            priorityClassName=asked.get("priorityClassName"),
            topologySpreadConstraints=(asked.get("pod") or {}).get("topologySpreadConstraints"),
        ),
        *_chart_budget(namespace, "envoy-gateway", labels, values.get("podDisruptionBudget") or {}),
    ]


def _cert_manager(namespace: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Its three programs, each with values of its own, those of the first at the top (deploy/charts/cert-manager/
    templates/*deployment.yaml of its repository, read 2026-11-22; that those of the version here are the same is
    believed)."""
    found: list[dict[str, Any]] = []
    for name, told in (("", values), ("webhook", values.get("webhook")), ("cainjector", values.get("cainjector"))):
        own = told or {}
        app = f"cert-manager-{name}".rstrip("-")
        labels = {"app.kubernetes.io/name": name or app, "app.kubernetes.io/instance": "cert-manager"}
        priority = (values.get("global") or {}).get("priorityClassName")
        found.append(
            _deployment(
                namespace,
                app,
                labels,
                own.get("replicaCount", 1),
                own.get("resources") or {},
                priorityClassName=priority,
                topologySpreadConstraints=own.get("topologySpreadConstraints"),
            )
        )
        budget = own.get("podDisruptionBudget") or {}
        if budget.get("enabled"):
            found.append(_budget(namespace, app, labels, budget))
    return found


def _flagger(namespace: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """templates/deployment.yaml and the default affinity of values.yaml of 1.36.1, read 2026-11-22."""
    labels = {"app.kubernetes.io/name": "flagger", "app.kubernetes.io/instance": "flagger"}
    term = {"labelSelector": {"matchLabels": labels}, "topologyKey": _HOSTNAME}
    apart = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": term}]}
    return [
        _deployment(
            namespace,
            "flagger",
            labels,
            (values.get("leaderElection") or {}).get("replicaCount", 1),
            values.get("resources") or {},
            priorityClassName=values.get("podPriorityClassName"),
            affinity=values.get("affinity", {"podAntiAffinity": apart}),
        )
    ]


_CHARTS: Final = {
    "envoyproxy/gateway-helm": _envoy_gateway,
    "jetstack/charts/cert-manager": _cert_manager,
    "fluxcd/charts/flagger": _flagger,
}


def _deployment(
    namespace: str,
    name: str,
    labels: Mapping[str, str],
    replicas: int,
    resources: Mapping[str, Any],
    *,
    strategy: Mapping[str, Any] | None = None,
    **pod: Any,
) -> dict[str, Any]:
    container = {"name": name, "image": "stands-for/chart", "resources": resources, "securityContext": _SECURE}
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": dict(labels)},
        "template": {
            "metadata": {"labels": dict(labels)},
            "spec": {"containers": [container], **{key: value for key, value in pod.items() if value}},
        },
        **({"strategy": strategy} if strategy else {}),
    }
    metadata = {"name": name, "namespace": namespace, "labels": {**labels, STANDS_FOR: "chart"}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def _chart_budget(
    namespace: str, name: str, labels: Mapping[str, str], told: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The chart makes none where both numbers are 0 or left out."""
    return [_budget(namespace, name, labels, told)] if told.get("minAvailable") or told.get("maxUnavailable") else []


def _budget(namespace: str, name: str, labels: Mapping[str, str], told: Mapping[str, Any]) -> dict[str, Any]:
    known = ("minAvailable", "maxUnavailable", "unhealthyPodEvictionPolicy")
    spec = {"selector": {"matchLabels": dict(labels)}, **{key: told[key] for key in known if told.get(key)}}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata, "spec": spec}
