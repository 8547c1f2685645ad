"""The objects of a canary service that Flagger and the door read, as plain data; and the routes of all rollouts."""

from __future__ import annotations

from typing import Any, Final

from components.contracts import serving
from components.contracts.door import DoorSpec
from components.contracts.rollout_specs import BlueGreen, Canary
from components.contracts.services import STABLE, ServiceSpec
from components.kubernetes.custom import Manifest, manifest
from components.kubernetes.gateway.objects import ENVOY_GATEWAY_API, traffic
from components.kubernetes.rollouts.analysis import Check, checks
from components.kubernetes.rollouts.rights import PROVIDER, primary
from components.kubernetes.routes import HTTP_CALLS, Routes, Rule, To, http_host, parent

FLAGGER_API: Final = "flagger.app/v1beta1"
PROGRESS_SECONDS: Final = 1500
"""After which a new release that does not come up counts as failed: a GPU machine may have to be found."""


def rolling_routes(service: str) -> Routes:
    """All requests to the one set of replicas."""
    return Routes(service, (Rule("all", (To(service),)),))


def blue_green_routes(service: str, asked: BlueGreen) -> Routes:
    """All requests to the live colour; the other one stands in the route without a share."""
    colours = {STABLE: service, asked.second: f"{service}-{asked.second}"}
    to = tuple(To(name, weight=100 if colour == asked.live else 0) for colour, name in colours.items())
    return Routes(service, (Rule("all", to),))


def canary_grpc_routes(service: str) -> Routes:
    """gRPC goes to the held release: Flagger steps an HTTPRoute only (fluxcd/flagger#1935, open on 2026-06-19)."""
    return Routes(service, (Rule("all", (To(primary(service)),)),))


def canary_objects(
    service: str,
    spec: ServiceSpec,
    asked: Canary,
    door: DoorSpec,
    prometheus_url: str,
    *,
    window_seconds: float | None = None,
) -> list[Manifest]:
    """What the stack lays for a canary service beside its Deployment and autoscaler, in an order that works.

    Args:
        window_seconds: the time that each figure is of; by default the time between two checks.
    """
    window = asked.step_seconds if window_seconds is None else window_seconds
    wanted = checks(service, asked.analysis, spec.objective.p99_ms, window)
    told = _canary(service, asked, door, wanted, window)
    labels = _labels(service)
    return [
        apart_policy(service, door),
        *(
            manifest(
                FLAGGER_API,
                "MetricTemplate",
                f"{service}-{check.name}",
                {"provider": {"type": "prometheus", "address": prometheus_url}, "query": check.query},
                namespace=serving.NAMESPACE,
                labels=labels,
            )
            for check in wanted
        ),
        manifest(FLAGGER_API, "Canary", service, told, namespace=serving.NAMESPACE, labels=labels),
    ]


def _canary(service: str, asked: Canary, door: DoorSpec, wanted: tuple[Check, ...], window: float) -> dict[str, Any]:
    metrics = [
        {
            "name": check.name,
            "interval": f"{window:g}s",
            "thresholdRange": check.bounds,
            "templateRef": {"name": f"{service}-{check.name}", "namespace": serving.NAMESPACE},
        }
        for check in wanted
    ]
    return {
        "provider": PROVIDER,
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": service},
        "autoscalerRef": {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": service},
        "progressDeadlineSeconds": PROGRESS_SECONDS,
        "service": {
            "port": serving.HTTP_PORT,
            "portName": "http",
            # gRPC and the metrics too.
            "portDiscovery": True,
            "gatewayRefs": parent(),
            "hosts": [http_host(service, door.domain)],
            "match": [{"uri": {"regex": path}, "method": {"exact": method}} for method, path in HTTP_CALLS],
        },
        "analysis": {
            "interval": f"{asked.step_seconds}s",
            # Taken back as soon as so many have failed.
            "threshold": asked.analysis.failed_checks_allowed + 1,
            "stepWeights": list(asked.step_percents),
            "metrics": metrics,
        },
    }


def apart_policy(service: str, door: DoorSpec) -> Manifest:
    """The door's policy for the service's HTTPRoute, with a cluster of Envoy's for each release.

    Without it both releases share one cluster, and so their figures, their breaker and their outliers. Envoy Gateway
    1.9.1 keeps backends apart where it may prefer those of its own zone (`HTTPRoute.NeedsClusterPerSetting`,
    internal/ir/xds.go, read 2026-11-22); here it may for none of the requests.
    """
    told = traffic(door, repeatable=True)
    balancing = {**told["loadBalancer"], "zoneAware": {"preferLocal": {"percentageEnabled": 0}}}
    target = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": service}
    spec = {"targetRefs": [target], **told, "loadBalancer": balancing}
    name = f"{service}-releases"
    return manifest(
        ENVOY_GATEWAY_API,
        "BackendTrafficPolicy",
        name,
        spec,
        namespace=serving.NAMESPACE,
        labels=_labels(service),
    )


def _labels(service: str) -> dict[str, str]:
    return {"app.kubernetes.io/instance": service, "app.kubernetes.io/part-of": "seawall"}
