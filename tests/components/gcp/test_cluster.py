"""The cluster: closed to the outside, and what its kubeconfig says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from components.contracts.vocabulary import Cloud
from components.gcp.cluster import CLUSTER_NAME_MAX, kubeconfig
from policies.inventory import Inventory

CLUSTER = "gcp:container/cluster:Cluster"
MEMBER = "gcp:projects/iAMMember:IAMMember"
HOST = "gke-0123456789abcdef-111122223333.europe-west1.gke.goog"


def test_the_control_plane_is_a_name_that_iam_guards_and_has_no_address(gcp_platform: Any) -> None:
    (cluster,) = gcp_platform.inventory.of_type(CLUSTER)
    assert cluster.get("controlPlaneEndpointsConfig") == {
        "dnsEndpointConfig": {
            "allowExternalTraffic": True,
            "enableK8sTokensViaDns": False,
            "enableK8sCertsViaDns": False,
        },
        "ipEndpointsConfig": {"enabled": False},
    }
    assert cluster.get("privateClusterConfig.enablePrivateEndpoint") is None, "it would be a diff for ever"
    assert cluster.get("masterAuthorizedNetworksConfig") is None


def test_who_is_named_may_connect_and_no_more(gcp_platform: Any, plans: Mapping[str, Inventory]) -> None:
    inventory, place = gcp_platform.inventory, gcp_platform.place
    made = plans["bootstrap-gcp"].of_type("gcp:projects/iAMCustomRole:IAMCustomRole")
    (role,) = (r for r in made if r.name == "connects")
    inside = {p for p in role.get("permissions") if not p.startswith("container.clusters.")}
    assert not inside, "what it may do inside is the cluster's to say"
    named = f"projects/{place.account}/roles/{role.get('roleId')}"
    members = [m.get("member") for m in inventory.of_type(MEMBER) if m.get("role") == named]
    assert sorted(members) == sorted(p for _, _, p in gcp_platform.settings.cluster.access.principals())


def test_the_clusters_own_rbac_binds_each_principal(gcp_platform: Any) -> None:
    bound = {
        r.name: (r.get("roleRef.name"), r.get("subjects.0.kind"), r.get("subjects.0.name"))
        for r in gcp_platform.inventory.of_type("kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding")
        if r.parent and r.parent.endswith("Access::access")
    }
    assert bound == {
        "seawall-platform": ("cluster-admin", "Group", "platform-admins@example.com"),
        "seawall-ci": (
            "cluster-admin",
            "User",
            "seawall-bootstrap-deploy-dev@acme-serving-dev.iam.gserviceaccount.com",
        ),
        "seawall-on-call": ("view", "Group", "on-call@example.com"),
    }


def test_groups_are_recognised(gcp_platform: Any) -> None:
    (cluster,) = gcp_platform.inventory.of_type(CLUSTER)
    assert cluster.get("authenticatorGroupsConfig.securityGroup") == "gke-security-groups@example.com"


def test_machines_hold_the_role_that_gke_asks_of_them(gcp_platform: Any) -> None:
    nodes = gcp_platform.one("cluster", "nodes", "gcp:serviceaccount/account:Account")
    member = f"serviceAccount:{nodes.get('accountId')}@{gcp_platform.place.account}.iam.gserviceaccount.com"
    roles = {m.get("role") for m in gcp_platform.inventory.of_type(MEMBER) if m.get("member") == member}
    assert roles == {"roles/container.defaultNodeServiceAccount", "roles/artifactregistry.reader"}


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
    (user,) = json.loads(kubeconfig("cluster", HOST))["users"]
    assert user["user"].keys() == {"exec"}
    assert user["user"]["exec"]["command"] == "gke-gcloud-auth-plugin"


def test_the_kubeconfig_trusts_what_every_client_trusts() -> None:
    (entry,) = json.loads(kubeconfig("cluster", HOST))["clusters"]
    assert entry["cluster"] == {"server": f"https://{HOST}"}, "the DNS endpoint's certificate is not the cluster's"


def test_upgrades_come_in_the_named_windows_and_not_in_the_exclusions(plan_platform: Any) -> None:
    maintenance = {
        "days": ["TU", "TH"],
        "starts_at": "22:30",
        "hours": 6,
        "exclusions": {
            "peak": {"starts": "2026-11-24", "ends": "2026-12-01"},
            "freeze": {"starts": "2026-12-10", "ends": "2027-01-20", "nodes_too": False},
        },
    }
    platform = plan_platform(Cloud.GCP, cluster={"channel": "stable", "maintenance": maintenance})
    (cluster,) = platform.inventory.of_type(CLUSTER)
    assert cluster.get("releaseChannel.channel") == "STABLE"
    policy = cluster.get("maintenancePolicy")
    assert policy["recurringWindow"] == {
        "startTime": "2024-01-06T22:30:00Z",
        "endTime": "2024-01-07T04:30:00Z",
        "recurrence": "FREQ=WEEKLY;BYDAY=TU,TH",
    }
    scopes = {e["exclusionName"]: e["exclusionOptions"]["scope"] for e in policy["maintenanceExclusions"]}
    assert scopes == {"peak": "NO_UPGRADES", "freeze": "NO_MINOR_UPGRADES"}
