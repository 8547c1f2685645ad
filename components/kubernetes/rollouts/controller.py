"""Flagger, which steps canaries: its chart from the stack's own registry, two replicas, and no more than it needs.

The chart brings its definitions of custom kinds. Account, rights, budget and network policies are ours: the chart's
give it secrets and eleven meshes over the whole cluster (templates/rbac.yaml of 1.36.1, read 2026-11-22).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.core.v1 import Namespace, ServiceAccount
from pulumi_kubernetes.helm.v3 import Release
from pulumi_kubernetes.networking.v1 import (
    NetworkPolicy,
    NetworkPolicyEgressRuleArgs,
    NetworkPolicyIngressRuleArgs,
    NetworkPolicyPeerArgs,
    NetworkPolicySpecArgs,
)
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget, PodDisruptionBudgetSpecArgs
from pulumi_kubernetes.rbac.v1 import PolicyRuleArgs, Role, RoleBinding, RoleRefArgs, SubjectArgs
from pulumi_kubernetes.scheduling.v1 import PriorityClass

from components.contracts import serving
from components.contracts.apart import Apart
from components.contracts.component import Component
from components.contracts.images import flagger_chart, flagger_image
from components.contracts.refs import ApiServerPath, RegistryRef
from components.contracts.specs import ImagesSpec
from components.kubernetes.access import RBAC
from components.kubernetes.metrics import METRICS_NAMESPACE, PROMETHEUS_PORT, PROMETHEUS_URL
from components.kubernetes.pods import RESTRICTED, metadata, selecting
from components.kubernetes.rollouts import rights
from components.kubernetes.traffic import NAMESPACE_LABEL, allow, deny_all, dns, ports, to_doors

NAMESPACE: Final = "flagger-system"
APP: Final = "flagger"
"""The release's name, and what the chart labels its pods with (templates/_helpers.tpl, `flagger.name`)."""
PRIORITY: Final = 1_000_000
"""As the door's controllers: without it no bad release is taken back."""
INSTALL_SECONDS: Final = 900
UID: Final = 65534
"""`nobody`, the user of Flagger's image, which is Alpine's (its Dockerfile of 1.36.1)."""


class Flagger(Component):
    """What steps the fleet's canaries; a fleet without any lays none."""

    installed: tuple[pulumi.Resource, ...]
    """What Canaries wait for: their kind is defined, and somebody acts on them."""

    def __init__(
        self,
        name: str,
        services: Sequence[str],
        *,
        images: ImagesSpec,
        registry: RegistryRef,
        api_server: ApiServerPath,
        apart: Apart,
        after: list[pulumi.Resource],
        provider: kubernetes.Provider,
    ) -> None:
        """Lay it.

        Args:
            services: the canaries, by name: it may touch no other's objects.
            after: what it looks at when it begins, the fleet's namespace among it.
        """
        super().__init__("kubernetes:Flagger", name, provider)
        options = pulumi.ResourceOptions(parent=self)
        namespace = Namespace(NAMESPACE, metadata=metadata(NAMESPACE, labels=RESTRICTED), opts=options)
        inside = pulumi.ResourceOptions(parent=self, depends_on=[namespace])
        elsewhere = pulumi.ResourceOptions(parent=self, depends_on=after)
        priority = PriorityClass(
            APP,
            metadata=metadata(APP),
            value=PRIORITY,
            description="What takes back bad releases",
            opts=options,
        )
        deny_all(NAMESPACE, inside)
        self._let_through(api_server, inside, elsewhere)
        PodDisruptionBudget(
            APP,
            metadata=metadata(APP, NAMESPACE),
            spec=PodDisruptionBudgetSpecArgs(
                max_unavailable=1,
                selector=selecting({"app.kubernetes.io/name": APP}),
                unhealthy_pod_eviction_policy="AlwaysAllow",
            ),
            opts=inside,
        )
        account = ServiceAccount(
            APP, metadata=metadata(APP, NAMESPACE), automount_service_account_token=True, opts=inside
        )
        bound = self._bind(services, [account, *after])
        # The settings are refused where a canary has none.
        chart, image = flagger_chart(images.flagger_chart or ""), flagger_image(images.flagger or "")
        release = Release(
            APP,
            name=APP,
            namespace=NAMESPACE,
            chart=f"oci://{registry.mirrored(chart)}",
            version=chart.tag,
            values=values(registry.mirrored(image), apart),
            # A change that does not come up is taken back at once, and nothing is left half done.
            atomic=True,
            cleanup_on_fail=True,
            max_history=5,
            timeout=INSTALL_SECONDS,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[namespace, priority, *bound, *after]),
        )
        self.installed = (release,)
        self.finish({"namespace": NAMESPACE})

    def _bind(self, services: Sequence[str], after: list[pulumi.Resource]) -> tuple[pulumi.Resource, pulumi.Resource]:
        """What it may do in the fleet's namespace; it may do nothing elsewhere."""
        options = pulumi.ResourceOptions(parent=self, depends_on=after)
        role = Role(
            APP,
            metadata=metadata(APP, serving.NAMESPACE),
            rules=[
                PolicyRuleArgs(
                    api_groups=rule["apiGroups"],
                    resources=rule["resources"],
                    resource_names=rule.get("resourceNames"),
                    verbs=rule["verbs"],
                )
                for rule in rights.rules(services)
            ],
            opts=options,
        )
        binding = RoleBinding(
            APP,
            metadata=metadata(APP, serving.NAMESPACE),
            role_ref=RoleRefArgs(api_group=RBAC, kind="Role", name=APP),
            subjects=[SubjectArgs(kind="ServiceAccount", name=APP, namespace=NAMESPACE)],
            opts=options,
        )
        return role, binding

    def _let_through(
        self, api_server: ApiServerPath, inside: pulumi.ResourceOptions, elsewhere: pulumi.ResourceOptions
    ) -> None:
        """Out to the API server and to Prometheus, which lets it in; nothing comes in but the node's probes."""
        prometheus = _pods(METRICS_NAMESPACE, "prometheus")
        allow(
            APP,
            NAMESPACE,
            ingress=[],
            egress=[
                dns(),
                *to_doors(api_server.doors),
                NetworkPolicyEgressRuleArgs(to=[prometheus], ports=ports(PROMETHEUS_PORT)),
            ],
            options=inside,
        )
        NetworkPolicy(
            "flagger-asks-prometheus",
            metadata=metadata(APP, METRICS_NAMESPACE),
            spec=NetworkPolicySpecArgs(
                pod_selector=selecting({"app.kubernetes.io/name": "prometheus"}),
                policy_types=["Ingress"],
                ingress=[NetworkPolicyIngressRuleArgs(from_=[_pods(NAMESPACE, APP)], ports=ports(PROMETHEUS_PORT))],
            ),
            opts=elsewhere,
        )


def values(image: str, apart: Apart) -> dict[str, Any]:
    """What the chart is told.

    Args:
        image: in the stack's own registry, by digest.
    """
    repository, _, digest = image.partition("@")
    return {
        **rights.chart_values(serving.NAMESPACE, PROMETHEUS_URL, APP),
        # The chart joins both by a colon; of a tag and a digest the digest decides.
        "image": {"repository": repository, "tag": f"{flagger_image(digest).tag}@{digest}"},
        "podPriorityClassName": APP,
        "affinity": apart.affinity({"app.kubernetes.io/name": APP}),
        # The chart's own has no word on unhealthy pods, which would hold up a drain.
        "podDisruptionBudget": {"enabled": False},
        "securityContext": {
            "enabled": True,
            "context": {
                "readOnlyRootFilesystem": True,
                "runAsNonRoot": True,
                "runAsUser": UID,
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "seccompProfile": {"type": "RuntimeDefault"},
            },
        },
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
    }


def _pods(namespace: str, app: str) -> NetworkPolicyPeerArgs:
    """The pods of one application of another namespace."""
    return NetworkPolicyPeerArgs(
        namespace_selector=selecting({NAMESPACE_LABEL: namespace}),
        pod_selector=selecting({"app.kubernetes.io/name": app}),
    )
