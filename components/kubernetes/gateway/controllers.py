"""The one place that installs the controllers behind the door, Envoy Gateway and cert-manager, and what they define.

Each is its project's own Helm chart, with its roles, definitions and certificates, from the stack's own registry by
digest, as the images are (`components.contracts.images`, `seawall images sync`): a plan records what is installed by
version and digest, and needs neither the chart nor a network. Helm takes a chart by digest since 3.18
(helm/helm#12690, helm-www#1629, read 2026-11-21). What a plan cannot show of a chart's inside is fenced from outside:
its namespace enforces restricted pods, network policies of ours let through only what is named here, and Envoy
Gateway watches the fleet's namespace alone, so that it reads no other's secrets.

Helm installs the definitions of a chart's folder `crds` and never changes them: with a new version of Envoy Gateway,
apply those of the new chart first (README, "The door").
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.core.v1 import Namespace
from pulumi_kubernetes.helm.v3 import Release
from pulumi_kubernetes.networking.v1 import NetworkPolicyEgressRuleArgs, NetworkPolicyIngressRuleArgs
from pulumi_kubernetes.scheduling.v1 import PriorityClass

from components.contracts import serving
from components.contracts.apart import Apart
from components.contracts.component import Component
from components.contracts.door import PROXY_APP, DoorSpec, IssuedCertificate
from components.contracts.doors import Door
from components.contracts.images import (
    CERT_MANAGER_CAINJECTOR,
    CERT_MANAGER_CHART,
    CERT_MANAGER_CONTROLLER,
    CERT_MANAGER_WEBHOOK,
    ENVOY_GATEWAY,
    ENVOY_GATEWAY_CHART,
    PublicImage,
)
from components.contracts.refs import ApiServerPath, RegistryRef
from components.contracts.services import ServiceSpec
from components.kubernetes.gateway.objects import CONTROLLER, NAMESPACE, PRIORITY_CLASS
from components.kubernetes.metrics import allow_discovery
from components.kubernetes.pods import RESTRICTED, metadata
from components.kubernetes.traffic import allow, deny_all, dns, from_api_server, in_app, ports, to_doors
from components.kubernetes.variants.extensions import extensions_of

CERT_MANAGER: Final = "cert-manager"
"""The release, and what its chart labels the first of its three programs with; the others' labels are their names
(deploy/charts/cert-manager/templates/*deployment.yaml, selectors, read 2026-11-22)."""
CERT_MANAGER_NAMESPACE: Final = "cert-manager"
GATEWAY_APP: Final = "gateway-helm"
"""What the chart labels its pods with (templates/_helpers.tpl, eg.selectorLabels)."""
_GATEWAY_PODS: Final = {"control-plane": "envoy-gateway"}
XDS_PORTS: Final = (18000, 18002)
"""Where Envoy fetches its configuration, and modules."""
WEBHOOK_PORT: Final = 10250
INSTALL_SECONDS: Final = 900
PRIORITY: Final = 1_000_000
"""Above every pod of the fleet: without its door it answers nobody."""


class Controllers(Component):
    """Envoy Gateway, and cert-manager where the door's certificate comes from it; two replicas of what answers."""

    installed: tuple[pulumi.Resource, ...]
    """What the door's own objects wait for: their kinds are defined, and somebody acts on them."""

    def __init__(
        self,
        name: str,
        spec: DoorSpec,
        *,
        services: Iterable[ServiceSpec] = (),
        registry: RegistryRef,
        api_server: ApiServerPath,
        apart: Apart,
        provider: kubernetes.Provider,
    ) -> None:
        super().__init__("kubernetes:DoorControllers", name, provider)
        self._extensions = extensions_of(services)
        self._registry = registry
        self._api_server = api_server
        self._apart = apart
        priority = PriorityClass(
            PRIORITY_CLASS,
            metadata=metadata(PRIORITY_CLASS),
            value=PRIORITY,
            description="What the fleet's door needs",
            opts=pulumi.ResourceOptions(parent=self),
        )
        installed = [self._envoy_gateway(priority)]
        if isinstance(spec.certificate, IssuedCertificate):
            installed.append(self._cert_manager(spec.certificate, priority))
        self.installed = tuple(installed)
        self.finish({"namespace": NAMESPACE})

    def _envoy_gateway(self, priority: PriorityClass) -> Release:
        made, inside = self._namespace(NAMESPACE)
        allow_discovery(NAMESPACE, inside)
        to_cluster = [dns(), *to_doors(self._api_server.doors)]
        allow(
            GATEWAY_APP,
            NAMESPACE,
            ingress=[NetworkPolicyIngressRuleArgs(from_=[in_app(PROXY_APP)], ports=ports(*XDS_PORTS))],
            egress=to_cluster,
            options=inside,
        )
        # The job that makes the certificates between Envoy and its controller (templates/certgen.yaml).
        allow("certgen", NAMESPACE, label="app", ingress=[], egress=to_cluster, options=inside)
        return self._release(
            "envoy-gateway", ENVOY_GATEWAY_CHART, NAMESPACE, self._gateway_values(), [made, priority]
        )

    def _gateway_values(self) -> dict[str, Any]:
        return {
            "global": {"images": {"envoyGateway": {"image": self._registry.mirrored(ENVOY_GATEWAY)}}},
            # Versions are pinned here; whoever deploys needs no right over the cluster's admission for it.
            "crds": {"enabled": True, "gatewayAPI": {"safeUpgradePolicy": {"enabled": False}}},
            "deployment": {
                "replicas": 2,
                "priorityClassName": PRIORITY_CLASS,
                "pod": {"topologySpreadConstraints": self._apart.manifests(_GATEWAY_PODS)},
            },
            "podDisruptionBudget": {
                "minAvailable": 0,
                "maxUnavailable": 1,
                "unhealthyPodEvictionPolicy": "AlwaysAllow",
            },
            # It would change every pod of the cluster's as it is placed, for a balancing by zones that is not used.
            "topologyInjector": {"enabled": False},
            "config": {
                "envoyGateway": {
                    "gateway": {"controllerName": CONTROLLER},
                    "provider": {
                        "type": "Kubernetes",
                        "kubernetes": {"watch": {"type": "Namespaces", "namespaces": [serving.NAMESPACE]}},
                    },
                    # A Backend could name any address, past the network's names and policies.
                    "extensionApis": self._extensions,
                }
            },
        }

    def _cert_manager(self, spec: IssuedCertificate, priority: PriorityClass) -> Release:
        made, inside = self._namespace(CERT_MANAGER_NAMESPACE)
        to_cluster = [dns(), *to_doors(self._api_server.doors)]
        issuer = to_doors(Door(cidr, 443) for cidr in spec.issuer_cidrs)
        from_cluster = NetworkPolicyIngressRuleArgs(
            from_=from_api_server(self._api_server), ports=ports(WEBHOOK_PORT)
        )
        wanted: tuple[tuple[str, list[NetworkPolicyIngressRuleArgs], list[NetworkPolicyEgressRuleArgs]], ...] = (
            (CERT_MANAGER, [], [*to_cluster, *issuer]),
            ("webhook", [from_cluster], to_cluster),
            ("cainjector", [], to_cluster),
        )
        for app, ingress, egress in wanted:
            allow(app, CERT_MANAGER_NAMESPACE, ingress=ingress, egress=egress, options=inside)
        return self._release(
            CERT_MANAGER, CERT_MANAGER_CHART, CERT_MANAGER_NAMESPACE, self._cert_manager_values(), [made, priority]
        )

    def _cert_manager_values(self) -> dict[str, Any]:
        budget = {"enabled": True, "maxUnavailable": 1, "unhealthyPodEvictionPolicy": "AlwaysAllow"}

        def replicated(image: PublicImage, app: str) -> dict[str, Any]:
            repository, _, digest = self._registry.mirrored(image).partition("@")
            return {
                "image": {"repository": repository, "digest": digest},
                "replicaCount": 2,
                "podDisruptionBudget": budget,
                "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
                "topologySpreadConstraints": self._apart.manifests(
                    {"app.kubernetes.io/name": app, "app.kubernetes.io/instance": CERT_MANAGER}
                ),
            }

        return {
            # Kept when the chart goes: with a definition go all certificates.
            "crds": {"enabled": True, "keep": True},
            "global": {
                "priorityClassName": PRIORITY_CLASS,
                "leaderElection": {"namespace": CERT_MANAGER_NAMESPACE},
            },
            **replicated(CERT_MANAGER_CONTROLLER, CERT_MANAGER),
            "webhook": replicated(CERT_MANAGER_WEBHOOK, "webhook"),
            "cainjector": replicated(CERT_MANAGER_CAINJECTOR, "cainjector"),
            # It would run once, from an image that nothing else needs; the door's certificate shows the same.
            "startupapicheck": {"enabled": False},
            # Solvers of ACME need the internet, which machines have no way to.
            "config": {
                "apiVersion": "controller.config.cert-manager.io/v1alpha1",
                "kind": "ControllerConfiguration",
                "controllers": ["*", "-orders", "-challenges", "-certificaterequests-issuer-acme"],
            },
        }

    def _namespace(self, name: str) -> tuple[Namespace, pulumi.ResourceOptions]:
        """A namespace for restricted pods that nothing reaches and that reach nothing; options for what is in it."""
        made = Namespace(name, metadata=metadata(name, labels=RESTRICTED), opts=pulumi.ResourceOptions(parent=self))
        inside = pulumi.ResourceOptions(parent=self, depends_on=[made])
        deny_all(name, inside)
        return made, inside

    def _release(
        self,
        name: str,
        chart: PublicImage,
        namespace: str,
        values: dict[str, Any],
        after: list[pulumi.Resource],
    ) -> Release:
        return Release(
            name,
            name=name,
            namespace=namespace,
            chart=f"oci://{self._registry.mirrored(chart)}",
            version=chart.tag,
            values=values,
            # A change that does not come up is taken back at once, and nothing is left half done.
            atomic=True,
            cleanup_on_fail=True,
            max_history=5,
            timeout=INSTALL_SECONDS,
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )
