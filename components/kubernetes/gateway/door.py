"""The fleet's door, laid on the cluster: its Gateway, its policies, and who may pass to it and on to the fleet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.networking.v1 import (
    NetworkPolicyEgressRuleArgs,
    NetworkPolicyIngressRuleArgs,
    NetworkPolicyPeerArgs,
)

from components.contracts import serving
from components.contracts.apart import Apart
from components.contracts.component import Component, ready
from components.contracts.door import (
    HTTPS_PORT,
    PROXY_APP,
    PROXY_METRICS_PORT,
    DoorSpec,
    Exposure,
    TokenAuthentication,
)
from components.contracts.doors import Door as Way
from components.contracts.images import ENVOY
from components.contracts.refs import RegistryRef
from components.kubernetes.custom import lay
from components.kubernetes.gateway.controllers import GATEWAY_APP, XDS_PORTS
from components.kubernetes.gateway.objects import (
    NAMESPACE,
    PROXY_LABELS,
    PROXY_PORT_OFFSET,
    authentication_reason,
    door_objects,
)
from components.kubernetes.metrics import METRICS_NAMESPACE
from components.kubernetes.pods import selecting
from components.kubernetes.traffic import (
    CLIENT_LABEL,
    NAMESPACE_LABEL,
    allow,
    dns,
    in_app,
    in_namespace,
    in_range,
    ports,
    to_doors,
)


class Door(Component):
    """The Gateway and what hangs on it, but routes: those are each service's own."""

    ready: pulumi.Output[str]
    """The domain, once the door is laid."""
    laid: tuple[pulumi.Resource, ...]
    """What routes hang on, and so wait for."""

    def __init__(
        self,
        name: str,
        spec: DoorSpec,
        *,
        exposure: Exposure,
        registry: RegistryRef,
        apart: Apart,
        after: Sequence[pulumi.Resource],
        provider: kubernetes.Provider,
    ) -> None:
        super().__init__("kubernetes:Door", name, provider)
        options = pulumi.ResourceOptions(parent=self, depends_on=list(after))
        allow(
            PROXY_APP,
            NAMESPACE,
            ingress=[
                NetworkPolicyIngressRuleArgs(
                    from_=[
                        *(in_range(cidr) for cidr in exposure.source_ranges),
                        # From inside the cluster a pod's address may be of another range.
                        NetworkPolicyPeerArgs(namespace_selector=selecting({CLIENT_LABEL: "true"})),
                    ],
                    ports=ports(HTTPS_PORT + PROXY_PORT_OFFSET),
                ),
                NetworkPolicyIngressRuleArgs(
                    from_=[in_namespace(METRICS_NAMESPACE)], ports=ports(PROXY_METRICS_PORT)
                ),
            ],
            egress=[
                dns(),
                NetworkPolicyEgressRuleArgs(to=[in_app(GATEWAY_APP)], ports=ports(*XDS_PORTS)),
                NetworkPolicyEgressRuleArgs(
                    to=[in_namespace(serving.NAMESPACE)], ports=ports(serving.HTTP_PORT, serving.GRPC_PORT)
                ),
                *to_doors(key_ways(spec)),
            ],
            options=options,
        )
        objects = door_objects(spec, envoy_image=registry.mirrored(ENVOY), exposure=exposure, apart=apart)
        # Where one way of authentication follows another, the door opens by the old one when the new one is there:
        # what a client's certificate no longer proves, a token must. What goes, goes last.
        first = [lay(item, options) for item in objects if item["kind"] == "SecurityPolicy"]
        then = pulumi.ResourceOptions(parent=self, depends_on=[*after, *first])
        self.laid = (*first, *(lay(item, then) for item in objects if item["kind"] != "SecurityPolicy"))
        self.ready = ready(spec.domain, *self.laid)
        said = {"domain": spec.domain, "exposure": "public" if spec.public else "internal"}
        self.finish({**said, **opted_out(spec)})


def opted_out(spec: DoorSpec) -> Mapping[str, str]:
    """What the door gives up, with its reasons, for the component's outputs."""
    found = {"no_authentication_because": authentication_reason(spec)}
    if spec.public is not None:
        found["no_firewall_because"] = spec.public.firewall_because
    return {key: reason for key, reason in found.items() if reason}


def key_ways(spec: DoorSpec) -> list[Way]:
    """Where Envoy fetches the keys of tokens."""
    asked = spec.authentication
    if not isinstance(asked, TokenAuthentication) or not asked.keys_uri:
        return []
    return [Way(cidr, asked.keys_port) for cidr in asked.keys_cidrs]


def from_door() -> NetworkPolicyPeerArgs:
    """The door's own pods, for the network policies of what it passes requests to."""
    return NetworkPolicyPeerArgs(
        namespace_selector=selecting({NAMESPACE_LABEL: NAMESPACE}), pod_selector=selecting(dict(PROXY_LABELS))
    )
