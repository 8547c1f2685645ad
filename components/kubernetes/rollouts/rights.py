"""What Flagger may do: only in the fleet's namespace, and only to the objects that it steps releases with.

Its own chart gives it secrets, config maps and eleven meshes over the whole cluster. It needs none of them where it
watches one namespace, tracks no configuration and routes by the Gateway API (calls of 1.36.1, tried against the real
API server by tests/ops/rollouts).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

LOCK: Final = "flagger-leader-election"
"""The leader's lock: a config map and a lease of this name (client-go 0.27's `configmapsleases`). It lies in the
namespace that Flagger watches: `-leader-election-namespace` counts only without `-namespace` (`main` of
cmd/flagger/main.go at 1.36.1, read 2026-11-22)."""
SELECTOR_LABEL: Final = "app.kubernetes.io/instance"
"""The label by which Flagger tells the two releases' pods apart: it gives it the suffix `-primary`. By default it
would take `app.kubernetes.io/name`, by which network policies and the metrics' scrape know all pods of Triton."""
PROVIDER: Final = "gatewayapi:v1"
_COPIED_LABELS: Final = "app.kubernetes.io,seawall.dev"
_READ: Final = ("get", "list", "watch")


def primary(service: str) -> str:
    """The Deployment and Service of the release that Flagger holds for good."""
    return f"{service}-primary"


def rules(services: Sequence[str]) -> list[dict[str, Any]]:
    """As a Role has them: all objects by name, but for what is watched and what is made, which RBAC cannot name.

    Args:
        services: the canaries, by name.
    """
    both = [name for service in services for name in (service, primary(service))]
    routed = [name for service in services for name in (service, primary(service), f"{service}-canary")]
    changed = (
        ("apps", "deployments", both),
        ("autoscaling", "horizontalpodautoscalers", both),
        ("", "services", routed),
        ("gateway.networking.k8s.io", "httproutes", list(services)),
        ("coordination.k8s.io", "leases", [LOCK]),
        ("", "configmaps", [LOCK]),
    )
    return [
        _rule("flagger.app", ["canaries", "metrictemplates", "alertproviders"], _READ),
        _rule("flagger.app", ["canaries/status", "canaries/finalizers"], ("update",), list(services)),
        *(_rule(group, [resource], ("get", "update"), names) for group, resource, names in changed),
        *(_rule(group, [resource], ("create",)) for group, resource, _ in changed),
        _rule("", ["events"], ("create", "patch")),
    ]


def _rule(group: str, resources: list[str], verbs: Sequence[str], names: list[str] | None = None) -> dict[str, Any]:
    named = {"resourceNames": names} if names else {}
    return {"apiGroups": [group], "resources": resources, **named, "verbs": list(verbs)}


def chart_values(namespace: str, prometheus_url: str, account: str) -> dict[str, Any]:
    """What Flagger's chart 1.36.1 is told of what it does, so that it needs no more than `rules`.

    Its tracking of configuration copies secrets, and is off.
    """
    return {
        "logLevel": "info",
        "namespace": namespace,
        "meshProvider": PROVIDER,
        "metricsServer": prometheus_url,
        "selectorLabels": SELECTOR_LABEL,
        "includeLabelPrefix": _COPIED_LABELS,
        "configTracking": {"enabled": False},
        # Two replicas, one of which acts: `-enable-leader-election`.
        "leaderElection": {"enabled": True, "replicaCount": 2},
        "rbac": {"create": False},
        "serviceAccount": {"create": False, "name": account},
    }
