"""Pods and machines find each other: labels, taints, identities, and the autoscaler that adds machines."""

from __future__ import annotations

from typing import Any

from components.contracts.serving import ACCELERATOR_LABEL, GPU_TAINT_KEY, POOL_LABEL
from components.contracts.vocabulary import Cloud
from components.kubernetes.node_autoscaler import cluster_rules, own_rules
from policies.inventory import Inventory

GROUPS, POOLS = "aws:eks/nodeGroup:NodeGroup", "gcp:container/nodePool:NodePool"
EFFECTS = {"NO_SCHEDULE": "NoSchedule", "PREFER_NO_SCHEDULE": "PreferNoSchedule", "NO_EXECUTE": "NoExecute"}


def pools(manifests: Any) -> dict[str, tuple[dict[str, str], list[dict[str, str]]]]:
    """Labels and taints of each group of machines, as the cloud is asked for them."""
    if manifests.cloud == "aws":
        found = manifests.inventory.of_type(GROUPS)
        return {p.name: (p.get("labels"), p.get("taints") or []) for p in found}
    found = manifests.inventory.of_type(POOLS)
    return {p.name: (p.get("nodeConfig.labels"), p.get("nodeConfig.taints") or []) for p in found}


def tolerated(taint: dict[str, str], tolerations: list[dict[str, str]]) -> bool:
    """As Kubernetes matches them."""
    return any(
        toleration.get("key") in (None, taint["key"])
        and (toleration.get("operator", "Equal") == "Exists" or toleration.get("value", "") == taint.get("value", ""))
        and toleration.get("effect") in (None, EFFECTS[taint["effect"]])
        for toleration in tolerations
    )


def takers(manifests: Any, owner: str) -> set[str]:
    """The pools of which each group takes a workload's pods."""
    spec = manifests.pods()[owner]["spec"]
    wanted, tolerations = spec.get("nodeSelector", {}), spec.get("tolerations", [])
    groups = pools(manifests).values()
    refused = {
        labels[POOL_LABEL]
        for labels, taints in groups
        if not (wanted.items() <= labels.items() and all(tolerated(t, tolerations) for t in taints))
    }
    return {labels[POOL_LABEL] for labels, _ in groups} - refused


def test_some_pool_takes_the_fleet(manifests: Any) -> None:
    settings = manifests.inventory.settings
    assert takers(manifests, "tumour-risk") == set(settings["pools"]) - {"system"}


def test_only_the_system_pool_takes_the_rest(manifests: Any) -> None:
    rest = set(manifests.pods()) - {"tumour-risk"}
    assert {owner: takers(manifests, owner) for owner in rest} == {owner: {"system"} for owner in rest}


def test_gpu_pools_bear_the_taint_whatever_value_their_cloud_gives_it(manifests: Any) -> None:
    values = {
        taint["value"] for _, taints in pools(manifests).values() for taint in taints if taint["key"] == GPU_TAINT_KEY
    }
    assert values == {{"aws": "true", "gcp": "present"}[manifests.cloud]}
    tolerations = manifests.pods()["tumour-risk"]["spec"]["tolerations"]
    assert {"key": GPU_TAINT_KEY, "operator": "Exists", "effect": "NoSchedule"} in tolerations


def test_the_fleet_selects_the_gpu_in_its_settings(manifests: Any) -> None:
    selected = manifests.pods()["tumour-risk"]["spec"]["nodeSelector"]
    assert selected[ACCELERATOR_LABEL] == manifests.service["accelerator"]


def test_the_fleet_waits_for_machines_and_an_identity(manifests: Any) -> None:
    deployment = manifests.resource("Deployment", "tumour-risk")
    urns = {*deployment.dependencies, *(u for us in deployment.property_dependencies.values() for u in us)}
    behind = {manifests.inventory.by_urn[u].type for u in urns if u in manifests.inventory.by_urn}
    assert "kubernetes:core/v1:Namespace" in behind and "kubernetes:core/v1:ServiceAccount" in behind


def test_the_fleet_waits_for_the_pools_that_have_room_for_it_alone(lay_down: Any) -> None:
    large = {"machine_types": ["g6.12xlarge"], "min_nodes": 0, "max_nodes": 4}
    moving = lay_down(Cloud.AWS, pools={"large": large}, service={"gpus_per_replica": 4, "max_replicas": 3})
    deployment = moving.resource("Deployment", "tumour-risk")
    awaited = {r.name for r in moving.inventory.linked(deployment, "metadata", GROUPS)}
    assert awaited == {"large-on-demand"}, "the old pool stays until its replicas are gone, but can hold no new one"


# Identities


def test_the_cloud_binds_its_identity_to_the_fleets_own_account(manifests: Any) -> None:
    account = manifests.pods()["tumour-risk"]["spec"]["serviceAccountName"]
    namespace = manifests.namespace_of("tumour-risk")
    if manifests.cloud == "aws":
        bound = {
            (a.get("namespace"), a.get("serviceAccount"))
            for a in manifests.inventory.of_type("aws:eks/podIdentityAssociation:PodIdentityAssociation")
        }
        assert (namespace, account) in bound
        return
    project = manifests.inventory.settings["account"]
    members = {m.get("member") for m in manifests.inventory.of_type("gcp:serviceaccount/iAMMember:IAMMember")}
    assert f"serviceAccount:{project}.svc.id.goog[{namespace}/{account}]" in members
    annotations = manifests.one("ServiceAccount", account)["metadata"]["annotations"]
    assert "iam.gke.io/gcp-service-account" in annotations


def test_the_node_autoscalers_account_is_the_one_that_is_bound(aws_manifests: Any) -> None:
    bound = {
        (a.get("namespace"), a.get("serviceAccount"))
        for a in aws_manifests.inventory.of_type("aws:eks/podIdentityAssociation:PodIdentityAssociation")
    }
    spec = aws_manifests.pods()["cluster-autoscaler"]["spec"]
    assert (aws_manifests.namespace_of("cluster-autoscaler"), spec["serviceAccountName"]) in bound


# The node autoscaler


def flags(manifests: Any) -> dict[str, str]:
    known = [a for a in manifests.container("cluster-autoscaler")["args"] if isinstance(a, str) and "=" in a]
    return dict(argument.removeprefix("--").split("=", 1) for argument in known)


def test_the_node_autoscaler_may_empty_a_machine_that_ran_the_fleet(aws_manifests: Any) -> None:
    asked = flags(aws_manifests)
    assert asked["skip-nodes-with-local-storage"] == "false", "every replica has a scratch volume"
    assert asked["cloud-provider"] == "aws"
    assert asked["namespace"] == aws_manifests.namespace_of("cluster-autoscaler")


def test_the_node_autoscaler_answers_probes_where_it_listens(aws_manifests: Any) -> None:
    container = aws_manifests.container("cluster-autoscaler")
    assert container["livenessProbe"]["httpGet"]["path"] == "/health-check"
    assert {p["name"]: p["containerPort"] for p in container["ports"]} == {"metrics": 8085}, "its default address"


def granted(rules: Any, resource: str) -> set[str]:
    return {verb for rule in rules for verb in rule.verbs if resource in rule.resources}


def test_the_node_autoscaler_taints_machines_evicts_pods_and_deletes_nothing() -> None:
    rules = [*cluster_rules(), *own_rules()]
    assert {"update", "list", "watch"} <= granted(rules, "nodes")
    assert granted(rules, "pods/eviction") == {"create"}
    assert {"create", "get", "update"} <= granted(rules, "leases")
    assert not {"create", "update", "patch", "delete"} & granted(rules, "pods")
    assert not {"create", "delete"} & granted(rules, "nodes")


def test_the_node_autoscaler_reads_what_scheduling_depends_on() -> None:
    wanted = {
        "pods",
        "nodes",
        "poddisruptionbudgets",
        "statefulsets",
        "daemonsets",
        "storageclasses",
        "resourceslices",
    }
    assert not {resource for resource in wanted if not {"list", "watch"} <= granted(cluster_rules(), resource)}


# The order of choices

LISTED = {
    Cloud.AWS: {"machine_types": ["g6.2xlarge", "g6.xlarge"], "capacity": ["on-demand", "spot"]},
    Cloud.GCP: {"machine_types": ["g2-standard-8", "g2-standard-4"], "capacity": ["on-demand", "flex-start", "spot"]},
}
SMALL = {"vcpus_per_replica": 2, "memory_gib_per_replica": 8}


def test_a_compute_class_names_the_pools_rank_by_rank(lay_down: Any) -> None:
    laid = lay_down(Cloud.GCP, pools={"gpu": LISTED[Cloud.GCP]}, service=SMALL)
    (found,) = laid.of("ComputeClass")
    by_name = {pool.get("name"): pool.name for pool in laid.inventory.of_type(POOLS)}
    assert [[by_name[name] for name in rule["nodepools"]] for rule in found["spec"]["priorities"]] == [
        [f"gpu-{capacity}-{machine}"]
        for capacity in LISTED[Cloud.GCP]["capacity"]
        for machine in LISTED[Cloud.GCP]["machine_types"]
    ]
    assert found["spec"]["nodePoolAutoCreation"] == {"enabled": False}, "what GKE made would be in no plan"
    assert found["spec"]["whenUnsatisfiable"] == "DoNotScaleUp"


def test_pods_ask_for_the_class_that_their_pools_belong_to(lay_down: Any) -> None:
    laid = lay_down(Cloud.GCP, pools={"gpu": LISTED[Cloud.GCP]}, service=SMALL)
    (found,) = laid.of("ComputeClass")
    bound = {"cloud.google.com/compute-class": found["metadata"]["name"]}
    assert bound.items() <= laid.pods()["tumour-risk"]["spec"]["nodeSelector"].items()
    gpu = [labels for labels, _ in pools(laid).values() if labels[POOL_LABEL] == "gpu"]
    assert len(gpu) == 6 and all(bound.items() <= labels.items() for labels in gpu)


def test_a_stack_of_before_keeps_its_compute_class(plans: dict[str, Inventory]) -> None:
    [found] = [r for r in plans["dev-gcp"].resources if r.type.endswith(":ComputeClass")]
    assert [urn.rpartition("::")[2] for urn in found.aliases] == ["compute-class"]


def test_other_clouds_have_no_compute_class(aws_manifests: Any) -> None:
    assert not aws_manifests.of("ComputeClass")


def test_the_priority_expander_is_told_each_group(lay_down: Any) -> None:
    laid = lay_down(Cloud.AWS, pools={"gpu": LISTED[Cloud.AWS]}, service=SMALL)
    shown = laid.one("Deployment", "cluster-autoscaler")["metadata"]["annotations"]["seawall.dev/groups"]
    order = [entry.split()[0].rsplit("-", 1)[0] for entry in shown.split(", ")]
    assert order == ["gpu-on-demand", "system-on-demand", "gpu-spot"]
    assert flags(laid)["expander"].split(",")[0] == "priority"
    assert laid.one("ConfigMap", "cluster-autoscaler-priority-expander")["data"].keys() == {"priorities"}


def test_all_choices_together_have_no_more_gpus_than_the_pool(lay_down: Any, cloud: Cloud) -> None:
    laid = lay_down(cloud, pools={"gpu": {**LISTED[cloud], "max_nodes": 7}}, service={**SMALL, "max_replicas": 6})
    assert laid.one("ResourceQuota", "gpus")["spec"]["hard"] == {"requests.nvidia.com/gpu": "7"}
    assert laid.one("ResourceQuota", "gpus")["metadata"]["namespace"] == laid.namespace_of("tumour-risk")
