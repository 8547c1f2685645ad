"""Lays what the door needs for a service: its routes, what hangs on them, and the recorder of a shadow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi.output import UNKNOWN
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import Service
from pulumi_kubernetes.core.v1.outputs import ServiceSpec as ServiceSpecOutput

from common.errors import UserError
from components.contracts.component import Component
from components.contracts.door import DoorSpec
from components.contracts.refs import RegistryRef
from components.contracts.rollout_specs import BlueGreen, Canary
from components.contracts.services import ServiceSpec, variants_of
from components.contracts.specs import FleetSpec
from components.contracts.variant_specs import ABTest, Shadow
from components.kubernetes.bandits import IGNORED, TAKES_BACK
from components.kubernetes.custom import Manifest, lay
from components.kubernetes.rollouts.objects import canary_grpc_routes
from components.kubernetes.routes import grpc_route, http_route
from components.kubernetes.variants.recorder import let_out, record_answers
from components.kubernetes.variants.routing import (
    fallback_backends,
    fallback_of,
    fallback_policy,
    filters_of,
    routes_of,
)


class Traffic(Component):
    """Where each service's requests go from the door: all routes but the HTTPRoutes that Flagger owns.

    Args:
        fronts: the Kubernetes Services that routes may name, by name.
        replicas: the Deployments of the variants, by name: a switch waits until what is to answer is there.
        door: what the door is, laid already.
    """

    def __init__(
        self,
        name: str,
        spec: FleetSpec,
        *,
        fronts: Mapping[str, Service],
        replicas: Mapping[str, Deployment],
        door: Sequence[pulumi.Resource],
        registry: RegistryRef,
        provider: kubernetes.Provider,
    ) -> None:
        super().__init__("kubernetes:Traffic", name, provider)
        after = [*fronts.values(), *door]
        for service in spec.services:
            asked = fallback_of(service, spec.services)
            lay_traffic(
                service,
                spec.services,
                spec.door,
                address=None if asked is None else cluster_address(fronts[asked.object]),
                image=f"{registry.url}@{spec.images.serving}",
                parent=self,
                after=[*after, *_before_a_switch(service, spec.services[service], replicas)],
            )
        if any(_recorded(each) for each in spec.services.values()):
            let_out(pulumi.ResourceOptions(parent=self, depends_on=after))
        self.finish({"strategies": {each: told.traffic.strategy for each, told in spec.services.items()}})


def _before_a_switch(service: str, spec: ServiceSpec, replicas: Mapping[str, Deployment]) -> list[Deployment]:
    """A release is put into the idle colour and made live in one step: first its replicas, then the route."""
    if not isinstance(spec.traffic, BlueGreen):
        return []
    return [replicas[each.object_name] for each in variants_of(service, spec)]


def cluster_address(front: Service) -> pulumi.Output[str]:
    """The address that the cluster gave to a Service; unknown while nobody has laid it."""

    def given(spec: ServiceSpecOutput) -> str:
        if spec.cluster_ip:
            return spec.cluster_ip
        if pulumi.runtime.is_dry_run():
            # A preview shows a Service that is not there as its inputs.
            return cast(str, UNKNOWN)
        raise UserError("a Service has no cluster address", str(spec.selector), "Deploy again.")

    return front.spec.apply(given)


def _recorded(spec: ServiceSpec) -> Shadow | None:
    """The shadow whose answers are compared with the service's own."""
    return spec.traffic if isinstance(spec.traffic, Shadow) and spec.traffic.compare_percent else None


def objects_of(service: str, fleet: Mapping[str, ServiceSpec], door: DoorSpec, address: Any) -> list[Manifest]:
    """The objects of a service at the door, in the order in which they can be laid.

    A canary's HTTPRoute is Flagger's. Its GRPCRoute is laid here as any other, so that another strategy changes it.

    Args:
        fleet: its services by name.
        address: the cluster address of the fallback's Service, or an output of it; None without a fallback.
    """
    spec = fleet[service]
    backends = fallback_backends(service, address) if spec.fallback.answers else []
    policies = [fallback_policy(door, service, spec.fallback)] if spec.fallback.answers else []
    if isinstance(spec.traffic, Canary):
        return [grpc_route(canary_grpc_routes(service), door.domain)]
    routes = routes_of(service, fleet)
    laid = [http_route(routes, door.domain), grpc_route(routes, door.domain)]
    return [*backends, *laid, *policies, *filters_of(service, spec)]


def with_secrets(item: Manifest) -> Manifest:
    """The object with an experiment's salt marked as a secret, so that no state and no diff has it in clear."""
    filters = item["spec"].get("lua", [])
    marked = [
        {
            **each,
            "filterContext": {**each["filterContext"], "salt": pulumi.Output.secret(each["filterContext"]["salt"])},
        }
        if each.get("filterContext", {}).get("salt")
        else each
        for each in filters
    ]
    return {**item, "spec": {**item["spec"], "lua": marked}} if filters else item


def lay_traffic(
    service: str,
    fleet: Mapping[str, ServiceSpec],
    door: DoorSpec,
    *,
    address: pulumi.Input[str] | None,
    image: pulumi.Input[str],
    parent: pulumi.Resource,
    after: list[pulumi.Resource],
) -> list[pulumi.Resource]:
    """Lay all that the door needs for `service`.

    Args:
        address: the cluster address of the fallback's Service; None without a fallback.
        image: the serving image, by digest.
        after: what must be there before: the Services of the variants, and the door.
    """
    spec = fleet[service]
    moved = spec.traffic.strategy == "bandit"
    laid: list[pulumi.Resource] = []
    for item in objects_of(service, fleet, door, address):
        weighted = moved and item["kind"] in ("HTTPRoute", "GRPCRoute")
        if weighted:
            item["metadata"]["annotations"] = {**item["metadata"].get("annotations", {}), **TAKES_BACK}
        options = pulumi.ResourceOptions(
            parent=parent, depends_on=after, ignore_changes=IGNORED if weighted else None
        )
        laid.append(lay(with_secrets(item) if isinstance(spec.traffic, ABTest) else item, options))
    shadow = _recorded(spec)
    if shadow is not None:
        limit = door.limits.request_mib
        laid += record_answers(service, spec, shadow, request_mib=limit, image=image, parent=parent, after=after)
    return laid
