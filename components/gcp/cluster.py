"""A regional GKE cluster: private nodes, workload identity, encrypted secrets, control-plane logs."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from typing import Any, Final

import pulumi
import pulumi_gcp as gcp
from pulumi_gcp.container import ClusterMaintenancePolicyArgsDict

from components.contracts.capacity import GKE_PODS_PER_NODE
from components.contracts.cluster import Channel, ClusterSpec, MaintenanceSpec
from components.contracts.component import Component, ready
from components.contracts.doors import Door
from components.contracts.naming import SERVICE_ACCOUNT_ID_MAX
from components.contracts.place import Place
from components.contracts.refs import ApiServerPath, ClusterRef, IdentityRef, KeysRef, NetworkRef, NodePoolRef
from components.contracts.stateful import CopiedBy, NotCopied, Stateful
from components.contracts.vocabulary import Cloud
from components.gcp.access import connections, grants
from components.gcp.agents import account_email, account_member
from components.gcp.logs import log_bucket
from components.gcp.network import PODS_RANGE, SERVICES_RANGE, address_plan
from components.gcp.registry import registry_address

CLUSTER_NAME_MAX: Final = 40

NODE_ROLES: Final = (
    "roles/container.defaultNodeServiceAccount",
    "roles/artifactregistry.reader",
)
"""All that a machine itself may do; pods have identities of their own.

The first is what GKE asks of its nodes: logs, metrics, autoscaling (GKE guide, "Use least privilege IAM service
accounts", 2026-11-21)."""

CONTROL_PLANE_LOGS: Final = ("SYSTEM_COMPONENTS", "WORKLOADS", "APISERVER", "SCHEDULER", "CONTROLLER_MANAGER")

CLUSTER: Final = Stateful("the cluster's objects and volumes, and the fleet's availability", CopiedBy.CLUSTER_BACKUP)
LOGS: Final = Stateful("logs of the cluster, with its audit trail", NotCopied("a restore needs no logs"))


class Cluster(Component):
    """The control plane, the identity of its machines, what images it admits, and the bucket of its logs.

    Not here: machines (`NodePools`), and managed Prometheus (the fleet brings its own, so Google's is off).
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
        super().__init__("gcp:Cluster", name, provider)
        called = place.name("cluster", max_length=CLUSTER_NAME_MAX)
        logs = log_bucket(
            "cluster-logs",
            LOGS,
            parent=self,
            place=place,
            key=keys.logs,
            retention_days=log_retention_days,
            matching=cluster_log_filter(place, called),
        )
        nodes = self._node_identity(place)
        admission = self._admission(place)
        cluster = self._cluster(called, place, spec, network, keys, node_email=nodes, after=[logs, admission])
        connect = connections(self, place, spec.access)
        endpoint = cluster.control_plane_endpoints_config.apply(dns_endpoint)
        self.ref = ClusterRef(
            cloud=Cloud.GCP,
            name=called,
            id=cluster.id,
            kubeconfig=pulumi.Output.secret(ready(endpoint.apply(lambda host: kubeconfig(called, host)), *connect)),
            # The name of the endpoint holds an id that GKE gives to each cluster once.
            identifier=pulumi.Output.format("{0}@{1}", cluster.id, endpoint),
            api_server=ApiServerPath(
                doors=api_server_doors(network.cidr), agent=("kube-system", "k8s-app", "konnectivity-agent")
            ),
            grants=grants(spec.access),
            node_role=nodes,
        )
        self.finish({"name": called, "id": cluster.id})

    def _node_identity(self, place: Place) -> pulumi.Output[str]:
        account_id = place.name("nodes", max_length=SERVICE_ACCOUNT_ID_MAX)
        account = gcp.serviceaccount.Account(
            "nodes",
            account_id=account_id,
            project=place.account,
            display_name=f"{place.stack}: machines of the cluster",
            opts=pulumi.ResourceOptions(parent=self),
        )
        grants = [
            gcp.projects.IAMMember(
                f"nodes-{role.rpartition('/')[2].replace('.', '-').lower()}",
                project=place.account,
                role=role,
                member=account_member(place, account_id),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[account]),
            )
            for role in NODE_ROLES
        ]
        return ready(account_email(place, account_id), account, *grants)

    def _admission(self, place: Place) -> gcp.binaryauthorization.Policy:
        """Only images from the project's own registry run, beside those that Google runs itself."""
        return gcp.binaryauthorization.Policy(
            "admission",
            project=place.account,
            description="images come from the project's own registry",
            global_policy_evaluation_mode="ENABLE",
            admission_whitelist_patterns=[
                {"name_pattern": f"{registry_address(place, place.region).host}/{place.account}/**"}
            ],
            default_admission_rule={
                "evaluation_mode": "ALWAYS_DENY",
                "enforcement_mode": "ENFORCED_BLOCK_AND_AUDIT_LOG",
            },
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _cluster(
        self,
        called: str,
        place: Place,
        spec: ClusterSpec,
        network: NetworkRef,
        keys: KeysRef,
        *,
        node_email: pulumi.Output[str],
        after: list[pulumi.Resource],
    ) -> gcp.container.Cluster:
        kept = self.keep(
            gcp.container.Cluster, "cluster", CLUSTER, place, depends_on=after, ignore_changes=["node_config"]
        )
        return gcp.container.Cluster(
            kept.name,
            name=called,
            project=place.account,
            location=place.region,
            node_locations=list(place.zones),
            min_master_version=spec.version,
            release_channel={"channel": str(spec.channel or Channel.REGULAR).upper()},
            network=network.id,
            subnetwork=network.subnet_ids[0],
            networking_mode="VPC_NATIVE",
            ip_allocation_policy={
                "cluster_secondary_range_name": PODS_RANGE,
                "services_secondary_range_name": SERVICES_RANGE,
            },
            default_max_pods_per_node=GKE_PODS_PER_NODE,
            datapath_provider="ADVANCED_DATAPATH",
            enable_intranode_visibility=True,
            private_cluster_config={
                "enable_private_nodes": True,
                "master_ipv4_cidr_block": address_plan(network.cidr).control_plane,
            },
            # One name, which IAM guards before a request reaches the API server. The control plane has no addresses
            # then: no networks to authorise, and `enable_private_endpoint` would be a diff for ever.
            control_plane_endpoints_config={
                "dns_endpoint_config": {
                    "allow_external_traffic": True,
                    "enable_k8s_tokens_via_dns": False,
                    "enable_k8s_certs_via_dns": False,
                },
                "ip_endpoints_config": {"enabled": False},
            },
            authenticator_groups_config={"security_group": spec.access.google_groups},
            master_auth={"client_certificate_config": {"issue_client_certificate": False}},
            enable_legacy_abac=False,
            workload_identity_config={"workload_pool": workload_pool(place)},
            database_encryption={"state": "ENCRYPTED", "key_name": keys.cluster.id},
            binary_authorization={"evaluation_mode": "PROJECT_SINGLETON_POLICY_ENFORCE"},
            enable_shielded_nodes=True,
            security_posture_config={"mode": "BASIC", "vulnerability_mode": "VULNERABILITY_DISABLED"},
            logging_config={"enable_components": list(CONTROL_PLANE_LOGS)},
            monitoring_config={
                "enable_components": ["SYSTEM_COMPONENTS"],
                "managed_prometheus": {"enabled": False},
            },
            addons_config={"gke_backup_agent_config": {"enabled": True}},
            maintenance_policy=maintenance_policy(spec.maintenance or MaintenanceSpec()),
            # The API makes no cluster without a pool; this one is gone before the cluster is ready, but even so
            # must not run as the project's default account nor on a disk under Google's key.
            remove_default_node_pool=True,
            initial_node_count=1,
            node_config={
                "service_account": node_email,
                "boot_disk_kms_key": keys.data.id,
                "shielded_instance_config": {"enable_secure_boot": True, "enable_integrity_monitoring": True},
                "workload_metadata_config": {"mode": "GKE_METADATA"},
            },
            deletion_protection=kept.protected,
            resource_labels=place.labels,
            opts=kept.options,
        )


def workload_pool(place: Place) -> str:
    """The identity pool of all Kubernetes service accounts in the project."""
    return f"{place.account}.svc.id.goog"


def maintenance_policy(spec: MaintenanceSpec) -> ClusterMaintenancePolicyArgsDict:
    """When GKE may upgrade. The first window's date is in the past: only its hours and the days count."""
    hour, minute = map(int, spec.starts_at.split(":"))
    days, closes = divmod(hour + spec.hours, 24)
    return {
        "recurring_window": {
            "start_time": f"2024-01-06T{spec.starts_at}:00Z",
            "end_time": f"2024-01-{6 + days:02}T{closes:02}:{minute:02}:00Z",
            "recurrence": f"FREQ=WEEKLY;BYDAY={','.join(spec.days)}",
        },
        "maintenance_exclusions": [
            {
                "exclusion_name": key,
                "start_time": f"{exclusion.starts}T00:00:00Z",
                "end_time": f"{exclusion.ends}T00:00:00Z",
                "exclusion_options": {
                    "scope": "NO_UPGRADES" if exclusion.nodes_too else "NO_MINOR_UPGRADES",
                },
            }
            for key, exclusion in sorted(spec.exclusions.items())
        ],
    }


def api_server_doors(cidr: str) -> tuple[Door, ...]:
    """The `kubernetes` service, which has the first address, and where GKE may have the control plane behind it."""
    plan = address_plan(cidr)
    first = next(ipaddress.IPv4Network(plan.services).hosts())
    return tuple(Door(there, 443) for there in (f"{first}/32", plan.control_plane, plan.nodes))


def cluster_log_filter(place: Place, cluster: str) -> str:
    """A Cloud Logging filter for everything that the cluster, its nodes and its containers write."""
    return f'resource.labels.location="{place.region}" AND resource.labels.cluster_name="{cluster}"'


def dns_endpoint(config: Any) -> str:
    """The host of the DNS endpoint: `gke-<id>-<project number>.<region>.gke.goog`."""
    return str(config.dns_endpoint_config.endpoint)


def kubeconfig(cluster: str, host: str) -> str:
    """A kubeconfig, as JSON, whose credentials come from `gke-gcloud-auth-plugin` at the time of use.

    It names no CA: the DNS endpoint has a certificate that every client trusts.
    """
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": cluster,
            "clusters": [{"name": cluster, "cluster": {"server": f"https://{host}"}}],
            "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": cluster}}],
            "users": [
                {
                    "name": cluster,
                    "user": {
                        "exec": {
                            "apiVersion": "client.authentication.k8s.io/v1beta1",
                            "command": "gke-gcloud-auth-plugin",
                            "installHint": "install it: gcloud components install gke-gcloud-auth-plugin",
                            "interactiveMode": "Never",
                            "provideClusterInfo": True,
                        }
                    },
                }
            ],
        },
        sort_keys=True,
    )


def node_autoscaler_identity(
    place: Place,  # noqa: ARG001 - the port's signature
    *,
    cluster: ClusterRef,  # noqa: ARG001
    pools: Sequence[NodePoolRef],  # noqa: ARG001
    provider: pulumi.ProviderResource,  # noqa: ARG001
) -> IdentityRef | None:
    """None: GKE adds and removes machines itself, within the bounds of each pool."""
    return None
