"""Lays what each canary of a fleet needs beside its Deployment and autoscaler: Flagger, and its orders."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget, PodDisruptionBudgetSpecArgs

from components.contracts import serving
from components.contracts.apart import Apart
from components.contracts.component import Component
from components.contracts.refs import ApiServerPath, RegistryRef
from components.contracts.rollout_specs import Canary
from components.contracts.specs import FleetSpec
from components.kubernetes.custom import lay
from components.kubernetes.metrics import PROMETHEUS_URL
from components.kubernetes.pods import app_labels, metadata, selecting
from components.kubernetes.rollouts.controller import Flagger
from components.kubernetes.rollouts.objects import canary_objects
from components.kubernetes.rollouts.rights import primary


class Canaries(Component):
    """The canaries of a fleet that has some."""

    def __init__(
        self,
        name: str,
        spec: FleetSpec,
        *,
        registry: RegistryRef,
        api_server: ApiServerPath,
        apart: Apart,
        after: Sequence[pulumi.Resource],
        provider: kubernetes.Provider,
    ) -> None:
        """Lay them.

        Args:
            after: the fleet, the door, and Prometheus: what Flagger looks at when it begins.
        """
        super().__init__("kubernetes:Canaries", name, provider)
        flagger = Flagger(
            "flagger",
            spec.canaries,
            images=spec.images,
            registry=registry,
            api_server=api_server,
            apart=apart,
            after=list(after),
            provider=provider,
        )
        options = pulumi.ResourceOptions(parent=self, depends_on=[*after, *flagger.installed])
        for service in spec.canaries:
            asked = spec.services[service]
            if not isinstance(asked.traffic, Canary):
                continue
            for item in canary_objects(service, asked, asked.traffic, spec.door, PROMETHEUS_URL):
                lay(item, options)
            held_budget(service, asked.max_unavailable, options)
        self.finish({"canaries": list(spec.canaries)})


def held_budget(service: str, max_unavailable: int, options: pulumi.ResourceOptions) -> PodDisruptionBudget:
    """The budget for the release that Flagger holds: its pods bear the service's name with a suffix."""
    held = primary(service)
    return PodDisruptionBudget(
        held,
        metadata=metadata(held, serving.NAMESPACE, labels=app_labels(serving.APP)),
        spec=PodDisruptionBudgetSpecArgs(
            max_unavailable=max_unavailable,
            selector=selecting({**app_labels(serving.APP), serving.SERVICE_LABEL: held}),
            unhealthy_pod_eviction_policy="AlwaysAllow",
        ),
        opts=options,
    )
