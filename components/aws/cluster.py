"""The EKS cluster: private endpoint, encrypted secrets, all control-plane logs, and the add-ons that nodes need."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.aws.access import access_entries, control_plane_rules
from components.aws.documents import pod_trust, service_trust
from components.aws.roles import make_role
from components.contracts.cluster import EKS_SERVICE_CIDR, ClusterSpec
from components.contracts.component import Component, ready
from components.contracts.doors import Door
from components.contracts.place import Place
from components.contracts.refs import ApiServerPath, ClusterRef, KeysRef, NetworkRef
from components.contracts.releases import Resolved, resolved
from components.contracts.stateful import NotCopied, Stateful
from components.contracts.vocabulary import Cloud

CLUSTER_NAME_MAX: Final = 100
API_SERVICE: Final = "172.20.0.1/32"
"""The `kubernetes` service has the first address. Amazon's network policies see it, not what stands behind it."""
LOG_TYPES: Final = ("api", "audit", "authenticator", "controllerManager", "scheduler")

CLUSTER: Final = Stateful(
    "the fleet's availability, and what others put on the cluster",
    NotCopied("all that the platform has on it comes from this program"),
)
AUDIT_LOGS: Final = Stateful("the control plane's logs, with its audit trail", NotCopied("a restore needs no logs"))


def kubeconfig(name: str, region: str, endpoint: str, ca_data: str) -> dict[str, Any]:
    """A kubeconfig that holds no credential: `aws eks get-token` makes one from the caller's own AWS identity."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": endpoint, "certificate-authority-data": ca_data}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
        "users": [
            {
                "name": name,
                "user": {
                    "exec": {
                        "apiVersion": "client.authentication.k8s.io/v1beta1",
                        "command": "aws",
                        "args": ["eks", "get-token", "--cluster-name", name, "--region", region, "--output", "json"],
                        "interactiveMode": "Never",
                    }
                },
            }
        ],
    }


def vpc_access(
    subnet_ids: Sequence[pulumi.Output[str]], authorized_cidrs: Sequence[str]
) -> aws.eks.ClusterVpcConfigArgs:
    """The endpoint is private; public too only when networks are named, and then for those alone."""
    return aws.eks.ClusterVpcConfigArgs(
        subnet_ids=list(subnet_ids),
        endpoint_private_access=True,
        endpoint_public_access=bool(authorized_cidrs),
        public_access_cidrs=list(authorized_cidrs) or None,
    )


class Cluster(Component):
    """The control plane, and the add-ons that run on every node: network, proxy, workload identity.

    Add-ons that need a node to become healthy (CoreDNS, the metrics server) are `NodePools`'.
    """

    ref: ClusterRef

    def __init__(
        self,
        name: str,
        place: Place,
        spec: ClusterSpec,
        *,
        network: NetworkRef,
        keys: KeysRef,
        log_retention_days: int,
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("aws:Cluster", name, provider)
        cluster_name = place.name("cluster", max_length=CLUSTER_NAME_MAX)
        cluster = self._control_plane(cluster_name, place, spec, network, keys, log_retention_days)
        admitted = [
            *access_entries(self, place, spec.access, cluster),
            *control_plane_rules(self, place, spec.private_cidrs, cluster),
        ]
        release = resolved(spec.version, spec.release.nodes, {**spec.release.addons})
        addons = self._addons(cluster_name, place, cluster, release)
        known_later = pulumi.Output.all(cluster.endpoint, cluster.certificate_authority.data)
        config = known_later.apply(lambda v: json.dumps(kubeconfig(cluster_name, place.region, v[0], v[1])))
        self.ref = ClusterRef(
            cloud=Cloud.AWS,
            name=cluster_name,
            id=ready(cluster.name, *addons),
            # Who lays the fleet on the cluster must be let in first, and is still needed when it is taken off.
            kubeconfig=pulumi.Output.secret(ready(config, *addons, *admitted)),
            identifier=pulumi.Output.format("{0}@{1}", cluster.arn, cluster.created_at),
            api_server=ApiServerPath(
                doors=tuple(Door(cidr, 443) for cidr in (API_SERVICE, *network.control_plane_cidrs)),
                cidrs=network.control_plane_cidrs,
            ),
            release=release,
        )
        self.finish({"id": self.ref.id, "kubeconfig": self.ref.kubeconfig})

    def _control_plane(
        self,
        cluster_name: str,
        place: Place,
        spec: ClusterSpec,
        network: NetworkRef,
        keys: KeysRef,
        log_retention_days: int,
    ) -> aws.eks.Cluster:
        # EKS would make this group itself, without retention or key, if it were not there first.
        kept_logs = self.keep(aws.cloudwatch.LogGroup, "control-plane", AUDIT_LOGS, place)
        logs = aws.cloudwatch.LogGroup(
            kept_logs.name,
            name=f"/aws/eks/{cluster_name}/cluster",
            retention_in_days=log_retention_days,
            kms_key_id=keys.logs.id,
            deletion_protection_enabled=kept_logs.protected,
            tags=place.labels,
            opts=kept_logs.options,
        )
        role = make_role(
            self,
            place,
            "eks-cluster",
            description="The EKS control plane",
            trust=service_trust("eks.amazonaws.com"),
            managed=["AmazonEKSClusterPolicy"],
        )
        kept = self.keep(
            aws.eks.Cluster,
            "cluster",
            CLUSTER,
            place,
            depends_on=[logs],
            ignore_changes=[
                # Only the creation reads it, AWS never tells it, and the provider replaces the cluster when it
                # changes (`ForceNew` in terraform-provider-aws, internal/service/eks/cluster.go, 2026-11-21).
                "accessConfig.bootstrapClusterCreatorAdminPermissions",
                # EKS takes no subnet of a zone that it did not begin with, and needs none: machines may stand in
                # other zones of the network (EKS API, `UpdateClusterConfig`, 2026-11-21).
                "vpcConfig.subnetIds",
            ],
        )
        return aws.eks.Cluster(
            kept.name,
            name=cluster_name,
            version=spec.version,
            role_arn=role.arn,
            vpc_config=vpc_access(network.control_plane_subnet_ids, spec.authorized_cidrs),
            enabled_cluster_log_types=list(LOG_TYPES),
            encryption_config=aws.eks.ClusterEncryptionConfigArgs(
                provider=aws.eks.ClusterEncryptionConfigProviderArgs(key_arn=keys.cluster.id),
                resources=["secrets"],
            ),
            kubernetes_network_config=aws.eks.ClusterKubernetesNetworkConfigArgs(service_ipv4_cidr=EKS_SERVICE_CIDR),
            access_config=aws.eks.ClusterAccessConfigArgs(
                authentication_mode="API",
                # Whoever happens to run the first update is in no setting; those who may act are.
                bootstrap_cluster_creator_admin_permissions=False,
            ),
            # The add-ons below replace the unmanaged ones, which nobody would update.
            bootstrap_self_managed_addons=False,
            # Without this EKS moves an old version to extended support, at six times the price, unasked.
            upgrade_policy=aws.eks.ClusterUpgradePolicyArgs(support_type="STANDARD"),
            deletion_protection=kept.protected,
            tags=place.labels,
            opts=kept.options,
        )

    def _addons(
        self, cluster_name: str, place: Place, cluster: aws.eks.Cluster, release: Resolved
    ) -> list[pulumi.Resource]:
        identity_agent = addon(self, place, cluster.name, "eks-pod-identity-agent", release)
        # The network add-on has a role of its own, so that the nodes' role cannot rewire network interfaces.
        cni = make_role(
            self,
            place,
            "eks-cni",
            description="The VPC network add-on",
            trust=pod_trust(place, cluster_name, "kube-system", "aws-node"),
            managed=["AmazonEKS_CNI_Policy"],
        )
        network = aws.eks.Addon(
            "vpc-cni",
            cluster_name=cluster.name,
            addon_name="vpc-cni",
            addon_version=release.addons["vpc-cni"],
            configuration_values=json.dumps({"enableNetworkPolicy": "true"}),
            pod_identity_associations=[
                aws.eks.AddonPodIdentityAssociationArgs(role_arn=cni.arn, service_account="aws-node")
            ],
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            tags=place.labels,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[identity_agent]),
        )
        return [identity_agent, network, addon(self, place, cluster.name, "kube-proxy", release)]


def addon(
    parent: pulumi.Resource,
    place: Place,
    cluster_name: pulumi.Input[str],
    name: str,
    release: Resolved,
    *,
    depends_on: Sequence[pulumi.Resource] = (),
) -> aws.eks.Addon:
    """A managed add-on in the release's version; its settings are EKS' own."""
    return aws.eks.Addon(
        name,
        cluster_name=cluster_name,
        addon_name=name,
        addon_version=release.addons[name],
        resolve_conflicts_on_create="OVERWRITE",
        resolve_conflicts_on_update="OVERWRITE",
        tags=place.labels,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=list(depends_on)),
    )
