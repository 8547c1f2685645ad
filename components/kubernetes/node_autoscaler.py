"""The node autoscaler, on clusters whose cloud does not bring one: it adds machines for pods that cannot be placed.

Rights and flags follow the cluster-autoscaler's own deployment documents. It is told each group by name, with its
bounds: for groups that are named it never goes by the cloud's (`auto_scaling_groups.go` of its AWS provider, at
55c37cd of 2026-08-22), so that a change of bounds is a change here and nowhere else.
"""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apps.v1 import Deployment, DeploymentSpecArgs
from pulumi_kubernetes.core.v1 import ConfigMap, ContainerArgs, EnvVarArgs, PodSpecArgs, PodTemplateSpecArgs
from pulumi_kubernetes.rbac.v1 import (
    ClusterRole,
    ClusterRoleBinding,
    PolicyRuleArgs,
    Role,
    RoleBinding,
    RoleRefArgs,
    SubjectArgs,
)

from components.contracts.apart import Apart
from components.contracts.component import Component
from components.contracts.images import CLUSTER_AUTOSCALER
from components.contracts.place import Place
from components.contracts.refs import ClusterRef, IdentityRef, NetworkRef, NodePoolsRef, RegistryRef
from components.kubernetes.compute_class import in_order
from components.kubernetes.pods import (
    account,
    app_labels,
    at_most_one_away,
    container_security,
    http_probe,
    memory_bound,
    metadata,
    pod_security,
    port,
    selecting,
    spread,
)
from components.kubernetes.traffic import allow, dns, to_doors

APP: Final = "cluster-autoscaler"
NOBODY: Final = 65534
PRIORITIES: Final = "cluster-autoscaler-priority-expander"
"""The name that the priority expander looks for."""
EMPTY_NODE_MINUTES: Final = 5
"""How long a machine must be unneeded before it goes; shorter would evict a replica that has just loaded."""

_READS: Final = (
    (
        "",
        (
            "namespaces",
            "nodes",
            "persistentvolumeclaims",
            "persistentvolumes",
            "pods",
            "replicationcontrollers",
            "services",
        ),
    ),
    ("apps", ("daemonsets", "replicasets", "statefulsets")),
    ("batch", ("cronjobs", "jobs")),
    ("policy", ("poddisruptionbudgets",)),
    ("resource.k8s.io", ("deviceclasses", "resourceclaims", "resourceslices")),
    ("storage.k8s.io", ("csidrivers", "csinodes", "csistoragecapacities", "storageclasses", "volumeattachments")),
)


def cluster_rules() -> list[PolicyRuleArgs]:
    """Reads for scheduling decisions; writes only to taint nodes and evict pods."""
    reads = [
        PolicyRuleArgs(api_groups=[group], resources=list(resources), verbs=["get", "list", "watch"])
        for group, resources in _READS
    ]
    writes = [
        PolicyRuleArgs(api_groups=[""], resources=["nodes"], verbs=["update"]),
        PolicyRuleArgs(api_groups=[""], resources=["pods/eviction"], verbs=["create"]),
        PolicyRuleArgs(api_groups=[""], resources=["pods/status"], verbs=["update"]),
        PolicyRuleArgs(api_groups=[""], resources=["events"], verbs=["create", "patch"]),
    ]
    return [*reads, *writes]


def own_rules() -> list[PolicyRuleArgs]:
    """Its leader lease and its status, in its own namespace."""
    return [
        PolicyRuleArgs(api_groups=["coordination.k8s.io"], resources=["leases"], verbs=["create"]),
        PolicyRuleArgs(
            api_groups=["coordination.k8s.io"], resources=["leases"], resource_names=[APP], verbs=["get", "update"]
        ),
        PolicyRuleArgs(api_groups=[""], resources=["configmaps"], verbs=["create", "list", "watch"]),
        PolicyRuleArgs(
            api_groups=[""],
            resources=["configmaps"],
            resource_names=["cluster-autoscaler-status", PRIORITIES],
            verbs=["get", "update", "delete"],
        ),
    ]


def shown_bounds(pools: NodePoolsRef) -> str:
    """Each group in order with its fewest and most machines, for a plan: the flags' names are not known by then."""
    groups = (group for equals in in_order(list(pools.pools.values())) for group in equals)
    return ", ".join(f"{group.name} {group.min_nodes} to {group.max_nodes}" for group in groups)


def bounds(pools: NodePoolsRef) -> list[pulumi.Output[str]]:
    """Each group with its fewest and most machines, as a flag."""
    return [
        pulumi.Output.format("--nodes={0}:{1}:{2}", group.min_nodes, group.max_nodes, group.scaling_name)
        for equals in in_order(list(pools.pools.values()))
        for group in equals
    ]


def priorities(pools: NodePoolsRef) -> pulumi.Output[str]:
    """The priority expander's list: the higher a number, the sooner its groups are tried; the rest is least waste.

    A group that is out of stock is left alone for a while, so that the next one is tried.
    """
    ranks = in_order(list(pools.pools.values()))
    lines: list[pulumi.Output[str]] = []
    for priority, equals in zip(range(len(ranks), 0, -1), ranks, strict=True):
        names = pulumi.Output.all(*(group.scaling_name for group in equals))
        lines.append(
            names.apply(lambda found, at=priority: "\n".join([f"{at}:", *(f"- ^{name}$" for name in found)]))
        )
    return pulumi.Output.all(*lines).apply(lambda found: "\n".join(found) + "\n")


class NodeAutoscaler(Component):
    """One cluster-autoscaler with a cloud identity of its own."""

    def __init__(
        self,
        name: str,
        place: Place,
        *,
        network: NetworkRef,
        cluster: ClusterRef,
        pools: NodePoolsRef,
        identity: IdentityRef,
        registry: RegistryRef,
        apart: Apart,
        provider: kubernetes.Provider,
    ) -> None:
        super().__init__("kubernetes:NodeAutoscaler", name, provider)
        options = pulumi.ResourceOptions(parent=self)
        own = metadata(identity.service_account, identity.namespace, labels=app_labels(APP))
        own_account = account(identity, self, automount=True)
        subject = SubjectArgs(kind="ServiceAccount", name=identity.service_account, namespace=identity.namespace)
        roles = (
            ClusterRole(APP, metadata=metadata(APP), rules=cluster_rules(), opts=options),
            Role(APP, metadata=own, rules=own_rules(), opts=options),
        )
        bound = pulumi.ResourceOptions(parent=self, depends_on=[own_account.resource, *roles])
        group = "rbac.authorization.k8s.io"
        ClusterRoleBinding(
            APP,
            metadata=metadata(APP),
            role_ref=RoleRefArgs(api_group=group, kind="ClusterRole", name=APP),
            subjects=[subject],
            opts=bound,
        )
        RoleBinding(
            APP,
            metadata=own,
            role_ref=RoleRefArgs(api_group=group, kind="Role", name=identity.service_account),
            subjects=[subject],
            opts=bound,
        )
        # Its namespace is the cluster's own, which has no ground state: without this it could reach everything.
        allow(
            APP,
            identity.namespace,
            ingress=[],
            egress=[
                dns(),
                *to_doors((*identity.credentials, *cluster.api_server.doors, *network.doors)),
            ],
            options=options,
        )
        at_most_one_away(APP, identity.namespace, app_labels(APP), options)
        order = ConfigMap(
            PRIORITIES,
            metadata=metadata(PRIORITIES, identity.namespace),
            data={"priorities": priorities(pools)},
            opts=options,
        )
        probe = http_probe("/health-check", "metrics", period_seconds=10, failure_threshold=3)
        container = ContainerArgs(
            name=APP,
            image=registry.mirrored(CLUSTER_AUTOSCALER),
            command=["/cluster-autoscaler"],
            args=[
                f"--cloud-provider={cluster.cloud}",
                *bounds(pools),
                f"--namespace={identity.namespace}",
                "--expander=priority,least-waste",
                # A group that was born smaller, or whose fewest machines were raised, is brought to them.
                "--enforce-node-group-min-size=true",
                "--skip-nodes-with-local-storage=false",
                f"--scale-down-unneeded-time={EMPTY_NODE_MINUTES}m",
            ],
            env=[EnvVarArgs(name="AWS_REGION", value=place.region)],
            ports=[port("metrics", 8085)],
            resources=memory_bound("100m", "600Mi", "600Mi"),
            security_context=container_security(),
            readiness_probe=probe,
            liveness_probe=probe,
        )
        Deployment(
            APP,
            metadata=metadata(
                identity.service_account,
                identity.namespace,
                labels=app_labels(APP),
                annotations={"seawall.dev/groups": shown_bounds(pools)},
            ),
            spec=DeploymentSpecArgs(
                # One leads, by its lease; the other takes over.
                replicas=2,
                selector=selecting(app_labels(APP)),
                template=PodTemplateSpecArgs(
                    metadata=metadata(labels=app_labels(APP)),
                    spec=PodSpecArgs(
                        service_account_name=own_account.name,
                        priority_class_name="system-cluster-critical",
                        topology_spread_constraints=spread(apart.manifests(app_labels(APP))),
                        security_context=pod_security(NOBODY),
                        containers=[container],
                    ),
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[own_account.resource, *roles, order]),
        )
        self.finish({"service_account": identity.service_account})
