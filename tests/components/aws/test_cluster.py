"""The EKS cluster and its machines."""

from __future__ import annotations

import base64
import json
import tomllib
from typing import Any

import pytest

from components.aws.cluster import kubeconfig, vpc_access
from components.aws.node_pools import autoscaling_tags, node_labels
from components.contracts.capacity import allocatable
from components.contracts.machines import MACHINES
from components.contracts.releases import MINORS
from components.contracts.vocabulary import Cloud

CLUSTER = "aws:eks/cluster:Cluster"
ADDON = "aws:eks/addon:Addon"
ENTRY = "aws:eks/accessEntry:AccessEntry"
ASSOCIATION = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"


def test_a_kubeconfig_holds_no_credential() -> None:
    user = kubeconfig("c", "eu-west-1", "https://c.example", "Q0E=")["users"][0]["user"]
    assert user.keys() == {"exec"}
    assert user["exec"]["args"][:4] == ["eks", "get-token", "--cluster-name", "c"]


def test_the_endpoint_is_private_unless_networks_are_named() -> None:
    closed = vpc_access([], ())
    assert (closed.endpoint_private_access, closed.endpoint_public_access) == (True, False)
    assert closed.public_access_cidrs is None


def test_the_endpoint_opens_to_the_named_networks_alone(aws_platform: Any, plan_platform: Any) -> None:
    opened = plan_platform(
        aws_platform.cloud,
        cluster={"authorized_cidrs": ["192.0.2.0/24"]},
        opt_outs={"public_control_plane": "our runners have one fixed address and no VPN"},
    )
    (cluster,) = opened.inventory.of_type(CLUSTER)
    assert cluster.get("vpcConfig.endpointPrivateAccess") is True
    assert cluster.get("vpcConfig.publicAccessCidrs") == ["192.0.2.0/24"]


def test_the_control_plane_logs_to_a_group_that_is_there_before_it(aws_platform: Any) -> None:
    (cluster,) = aws_platform.inventory.of_type(CLUSTER)
    groups = {g.urn: g for g in aws_platform.inventory.of_type("aws:cloudwatch/logGroup:LogGroup")}
    waits_for = [groups[urn].get("name") for urn in cluster.dependencies if urn in groups]
    assert waits_for == [f"/aws/eks/{cluster.get('name')}/cluster"], "EKS would make it without key or retention"
    assert set(cluster.get("enabledClusterLogTypes")) == {
        "api",
        "audit",
        "authenticator",
        "controllerManager",
        "scheduler",
    }


def test_only_named_principals_act_in_the_cluster(aws_platform: Any) -> None:
    (cluster,) = aws_platform.inventory.of_type(CLUSTER)
    assert cluster.get("accessConfig") == {
        "authenticationMode": "API",
        "bootstrapClusterCreatorAdminPermissions": False,
    }
    access = aws_platform.settings.cluster.access
    entries = {e.name: e.get("principalArn") for e in aws_platform.inventory.of_type(ENTRY)}
    assert entries == {key: principal for _, key, principal in access.principals()}


def test_each_principal_has_the_one_policy_of_its_role(aws_platform: Any) -> None:
    held = {
        a.name: (a.get("policyArn").rpartition("/")[2], a.get("accessScope.type"))
        for a in aws_platform.inventory.of_type(ASSOCIATION)
    }
    assert held == {
        "platform": ("AmazonEKSClusterAdminPolicy", "cluster"),
        "ci": ("AmazonEKSClusterAdminPolicy", "cluster"),
        "on-call": ("AmazonEKSViewPolicy", "cluster"),
    }, "a reader must not read secrets, as AmazonEKSAdminViewPolicy would let it"


def test_who_lays_the_fleet_is_let_in_before_and_let_go_after(aws_platform: Any) -> None:
    (provider,) = aws_platform.inventory.of_type("pulumi:providers:kubernetes")
    admitted = {
        r.urn
        for r in aws_platform.inventory.of_type(ENTRY, RULE, ASSOCIATION)
        if r.parent and r.parent.endswith("Cluster::cluster")
    }
    assert len(admitted) == 7
    assert admitted <= set(provider.property_dependencies["kubeconfig"])


def test_a_named_network_reaches_the_control_plane_on_443(aws_platform: Any) -> None:
    rules = [r for r in aws_platform.inventory.of_type(RULE) if r.name == "control-plane-from-runners"]
    assert [(r.get("cidrIpv4"), r.get("fromPort"), r.get("toPort")) for r in rules] == [("10.64.0.0/16", 443, 443)]
    (cluster,) = aws_platform.inventory.of_type(CLUSTER)
    assert aws_platform.inventory.linked(rules[0], "securityGroupId") == (cluster,), "the cluster's own group"


def test_the_control_plane_stands_in_subnets_of_its_own(aws_platform: Any) -> None:
    (cluster,) = aws_platform.inventory.of_type(CLUSTER)
    subnets = aws_platform.inventory.linked(cluster, "vpcConfig", "aws:ec2/subnet:Subnet")
    groups = aws_platform.inventory.of_type("aws:eks/nodeGroup:NodeGroup")
    machines = {s.urn for group in groups for s in aws_platform.inventory.linked(group, "subnetIds")}
    assert len(subnets) == 2 and not machines & {s.urn for s in subnets}, "its addresses would be those of any pod"
    assert {s.get("cidrBlock") for s in subnets} == set(aws_platform.refs.cluster.api_server.cidrs)


def test_network_policies_are_enforced(aws_platform: Any) -> None:
    cni = aws_platform.one("cluster", "vpc-cni", ADDON)
    assert json.loads(cni.get("configurationValues")) == {"enableNetworkPolicy": "true"}


def test_addons_that_need_a_machine_wait_for_one_without_a_taint(aws_platform: Any) -> None:
    groups = {g.urn: g.name for g in aws_platform.inventory.of_type("aws:eks/nodeGroup:NodeGroup")}
    for addon in aws_platform.inventory.of_type(ADDON):
        if addon.name in ("coredns", "metrics-server"):
            assert [groups[u] for u in addon.dependencies if u in groups] == ["system-on-demand"], addon.name


def test_the_kubeconfig_is_a_secret(aws_platform: Any) -> None:
    (provider_,) = (r for r in aws_platform.inventory.resources if r.type == "seawall:aws:Cluster")
    assert "kubeconfig" not in json.dumps(provider_.inputs)


@pytest.mark.parametrize("machine_type", sorted(MACHINES[Cloud.AWS]))
def test_the_autoscaler_knows_an_empty_pools_machine(machine_type: str) -> None:
    machine = MACHINES[Cloud.AWS][machine_type]
    labels = node_labels("pool", machine)
    room = allocatable(Cloud.AWS, machine, 100)
    tags = autoscaling_tags(labels, room, gpu=machine.accelerator is not None)
    prefix = "k8s.io/cluster-autoscaler/node-template"
    told = {k.rpartition("/")[2]: v for k, v in tags.items() if "/resources/" in k}
    assert told == {
        "cpu": f"{room.cpu_millicores}m",
        "memory": f"{room.memory_mib}Mi",
        "ephemeral-storage": f"{room.disk_mib}Mi",
        **({"gpu": str(machine.accelerators)} if machine.accelerator else {}),
    }, "or it adds machines that the pods do not fit on, or none at all"
    assert {k: v for k, v in tags.items() if "/label/" in k} == {f"{prefix}/label/{k}": v for k, v in labels.items()}
    assert (f"{prefix}/taint/nvidia.com/gpu" in tags) is (machine.accelerator is not None)


def test_every_volume_is_encrypted_and_metadata_needs_a_token(aws_platform: Any) -> None:
    for template in aws_platform.inventory.of_type("aws:ec2/launchTemplate:LaunchTemplate"):
        volumes = template.get("blockDeviceMappings")
        assert [v["ebs"]["encrypted"] for v in volumes] == ["true", "true"], template.name
        assert template.get("metadataOptions.httpTokens") == "required", template.name
        assert template.get("metadataOptions.httpPutResponseHopLimit") == 1, template.name


def test_the_machines_role_has_no_policy_of_its_own(aws_platform: Any) -> None:
    policies = aws_platform.inventory.of_type("aws:iam/rolePolicy:RolePolicy")
    assert not [p.name for p in policies if p.name.startswith("eks-node-")], "they join the cluster and pull images"


@pytest.mark.parametrize(("local", "throughput"), [(False, 500), (True, None)])
def test_a_gpu_machine_unpacks_images_to_a_fast_disk(plan_platform: Any, local: bool, throughput: int | None) -> None:
    planned = plan_platform(Cloud.AWS, pools={"gpu": {"local_disk": local}})
    for key, asked in (("gpu-spot", throughput), ("system-on-demand", None)):
        template = planned.one("pools", key, "aws:ec2/launchTemplate:LaunchTemplate")
        assert template.get("blockDeviceMappings.1.ebs.throughput") == asked


def test_a_pool_on_local_disks_binds_images_and_pods_to_them(plan_platform: Any) -> None:
    planned = plan_platform(Cloud.AWS, pools={"gpu": {"local_disk": True}})
    template = planned.one("pools", "gpu-spot", "aws:ec2/launchTemplate:LaunchTemplate")
    told = tomllib.loads(base64.b64decode(template.get("userData")).decode())["settings"]
    (command,) = told["bootstrap-commands"].values()
    assert command["commands"][0] == ["apiclient", "ephemeral-storage", "init"]
    assert {"/var/lib/containerd", "/var/lib/kubelet"} <= set(command["commands"][1])
    assert command["essential"], "a machine without its disk must not take pods"
    assert planned.refs.pools.pools["gpu"].room.disk_mib > 100 * 1024, "232 GiB come with a g6.xlarge, not disk_gib"


def test_an_upgrade_goes_from_the_control_plane_over_addons_to_machines(aws_platform: Any) -> None:
    inventory = aws_platform.inventory
    (cluster,) = inventory.of_type(CLUSTER)
    first = [aws_platform.one("cluster", name, ADDON) for name in ("eks-pod-identity-agent", "kube-proxy", "vpc-cni")]
    last = [aws_platform.one("pools", name, ADDON) for name in ("coredns", "metrics-server")]
    assert all(cluster in inventory.linked(addon, "clusterName") for addon in (*first, *last))
    for group in inventory.of_type("aws:eks/nodeGroup:NodeGroup"):
        waits_for = {r.urn for r in inventory.linked(group, "clusterName")}
        assert {cluster.urn, *(addon.urn for addon in first)} <= waits_for, group.name


def test_every_version_is_named_and_follows_the_clusters(plan_platform: Any) -> None:
    asked = {"version": "1.36", "release": {"nodes": "1.59.0-0123abcd"}}
    inventory = plan_platform(Cloud.AWS, cluster=asked).inventory
    (cluster,) = inventory.of_type(CLUSTER)
    groups = list(inventory.of_type("aws:eks/nodeGroup:NodeGroup"))
    assert cluster.get("version") == "1.36"
    assert {(g.get("version"), g.get("releaseVersion")) for g in groups} == {("1.36", "1.59.0-0123abcd")}
    versions = {a.name: a.get("addonVersion") for a in inventory.of_type(ADDON)}
    assert versions == dict(MINORS[Cloud.AWS]["1.36"].addons), "what EKS picks changes between two updates"


def test_the_network_addon_comes_after_the_agent_that_gives_it_its_identity(aws_platform: Any) -> None:
    addons = {addon.get("addonName"): addon for addon in aws_platform.inventory.of_type(ADDON)}
    assert addons["eks-pod-identity-agent"].urn in addons["vpc-cni"].dependencies
