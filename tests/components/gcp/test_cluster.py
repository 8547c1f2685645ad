"""The cluster: closed to the outside, and what its kubeconfig says."""

from __future__ import annotations

import json
from typing import Any

from components.contracts.vocabulary import Cloud
from components.gcp.cluster import CLUSTER_NAME_MAX, authorized_blocks, kubeconfig

CLUSTER = "gcp:container/cluster:Cluster"


def test_without_authorized_networks_the_control_plane_has_no_public_endpoint(gcp_platform: Any) -> None:
    (cluster,) = gcp_platform.inventory.of_type(CLUSTER)
    assert cluster.get("privateClusterConfig.enablePrivateEndpoint") is True


def test_authorized_networks_and_no_others_reach_the_public_endpoint(plan_platform: Any) -> None:
    platform = plan_platform(Cloud.GCP, cluster={"authorized_cidrs": ["192.0.2.0/24"]})
    (cluster,) = platform.inventory.of_type(CLUSTER)
    allowed = [block["cidrBlock"] for block in cluster.get("masterAuthorizedNetworksConfig.cidrBlocks")]
    assert cluster.get("privateClusterConfig.enablePrivateEndpoint") is False
    assert allowed == [platform.settings.network.cidr, "192.0.2.0/24"]
    assert cluster.get("masterAuthorizedNetworksConfig.gcpPublicCidrsAccessEnabled") is False


def test_a_network_that_is_named_twice_is_authorized_once() -> None:
    blocks = authorized_blocks("10.20.0.0/16", ["192.0.2.0/24", "192.0.2.0/24"])
    assert [block["cidr_block"] for block in blocks] == ["10.20.0.0/16", "192.0.2.0/24"], "GKE refuses repetitions"


def test_network_policies_are_enforced(gcp_platform: Any) -> None:
    (cluster,) = gcp_platform.inventory.of_type(CLUSTER)
    assert cluster.get("datapathProvider") == "ADVANCED_DATAPATH", "without Dataplane V2 a NetworkPolicy does nothing"


def test_only_images_of_the_stacks_registry_are_admitted(gcp_platform: Any) -> None:
    (policy,) = gcp_platform.inventory.of_type("gcp:binaryauthorization/policy:Policy")
    (pattern,) = [entry["namePattern"] for entry in policy.get("admissionWhitelistPatterns")]
    own = pattern.removesuffix("**")
    registry = gcp_platform.refs.registry
    assert policy.get("defaultAdmissionRule.evaluationMode") == "ALWAYS_DENY"
    assert all(prefix.startswith(own) for prefix in (registry.url, registry.here.mirror))


def test_no_machine_runs_as_the_projects_default_account(gcp_platform: Any) -> None:
    inventory = gcp_platform.inventory
    machines = [*inventory.of_type(CLUSTER), *inventory.of_type("gcp:container/nodePool:NodePool")]
    accounts = {machine.get("nodeConfig.serviceAccount") for machine in machines}
    nodes = gcp_platform.one("cluster", "nodes", "gcp:serviceaccount/account:Account")
    assert accounts == {f"{nodes.get('accountId')}@{gcp_platform.place.account}.iam.gserviceaccount.com"}


def test_a_clusters_name_is_within_gkes_limit(gcp_platform: Any) -> None:
    assert len(gcp_platform.refs.cluster.name) <= CLUSTER_NAME_MAX


def test_logs_of_the_cluster_have_a_home_before_it_writes_any(gcp_platform: Any) -> None:
    inventory = gcp_platform.inventory
    (cluster,) = inventory.of_type(CLUSTER)
    sink = gcp_platform.one("cluster", "cluster-logs", "gcp:logging/projectSink:ProjectSink")
    assert sink.urn in cluster.dependencies


def test_what_a_sink_keeps_is_not_kept_under_googles_key_as_well(gcp_platform: Any) -> None:
    inventory = gcp_platform.inventory
    kept = {sink.get("filter") for sink in inventory.of_type("gcp:logging/projectSink:ProjectSink")}
    excluded = {e.get("filter") for e in inventory.of_type("gcp:logging/projectExclusion:ProjectExclusion")}
    assert kept == excluded


def test_the_kubeconfig_holds_no_credential() -> None:
    (user,) = json.loads(kubeconfig("cluster", "10.20.32.2", "Y2E="))["users"]
    assert user["user"].keys() == {"exec"}
    assert user["user"]["exec"]["command"] == "gke-gcloud-auth-plugin"


def test_the_kubeconfig_trusts_the_clusters_own_ca() -> None:
    (entry,) = json.loads(kubeconfig("cluster", "10.20.32.2", "Y2E="))["clusters"]
    assert entry["cluster"] == {"server": "https://10.20.32.2", "certificate-authority-data": "Y2E="}
