"""What an EKS cluster and its machines are made of: nothing but what the stack names, and no way in beside it."""

from __future__ import annotations

import base64
import binascii
import json
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.aws_holders import ROLE
from policies.checks import (
    ABSENT,
    PASS,
    all_of,
    expect,
    failed,
    if_given,
    is_hidden,
    items,
    passed,
    read,
    shown,
    unknown,
    unreadable,
)
from policies.examples import Hidden, Output, both, drop, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import companions, customer_key
from policies.model import Framework, Judgement, Severity
from policies.tokens import EC2_LAUNCH_TEMPLATE, EKS_CLUSTER, EKS_NODE_GROUP, KMS_KEY_TYPES

family = Family("Sealed machines")

_ADDON: Final = "aws:eks/addon:Addon"
_GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
_KEY: Final = "arn:aws:kms:eu-west-1:111122223333:key/5f3c"
_NEEDED: Final = ("vpc-cni", "kube-proxy", "coredns", "eks-pod-identity-agent")
_ELSEWHERE: Final = ("computeConfig", "remoteNetworkConfig", "outpostConfig", "zonalShiftConfig")
_SETTINGS: Final = frozenset({"container-runtime", "container-runtime-plugins", "kubernetes", "pki"})
_KUBELET: Final = frozenset(
    {
        "node-labels",
        "node-taints",
        "max-pods",
        "eviction-hard",
        "kube-reserved",
        "system-reserved",
        "shutdown-grace-period",
    }
)
"""Settings of Bottlerocket that open nothing: no host or bootstrap container, no kernel, no proxy, no mirror
(bottlerocket.dev/en/os/latest/api/settings, believed, 2026-11-22)."""
_PARTS: Final = "settings of the container runtime, labels and taints alone"
_FEWEST: Final = 3
_MOST_PERCENT: Final = 34


@family.rule(
    "aws-eks-machines-sealed",
    Severity.HIGH,
    "Launch templates give machines no key, image, profile or container of their own",
    types=(EC2_LAUNCH_TEMPLATE,),
    rationale="Bottlerocket has no shell: a key for SSH, another image, an administrator's container or a strange "
    "snapshot is a way onto the machine that the cluster does not see.",
    remedy="Leave keyName, imageId, iamInstanceProfile and snapshotId out, and keep user data to the runtime.",
    frameworks={Framework.NIST_800_53: ("CM-6", "CM-7")},
    examples=lambda: examples(
        given(EC2_LAUNCH_TEMPLATE, {"userData": _told("container-runtime")}, "sealed"),
        broken={
            'keyName is "dev"': put("keyName", "dev"),
            'imageId is "ami-1"': put("imageId", "ami-1"),
            'iamInstanceProfile is {"name": "x"}': put("iamInstanceProfile", {"name": "x"}),
            'blockDeviceMappings.0.ebs.snapshotId is "snap-1"': put("blockDeviceMappings.0.ebs.snapshotId", "snap-1"),
            'blockDeviceMappings.0.ebs.deleteOnTermination is "false"': put(
                "blockDeviceMappings.0.ebs.deleteOnTermination", "false"
            ),
            'vpcSecurityGroupIds is ["sg-1"]': put("vpcSecurityGroupIds", ["sg-1"]),
            "userData is settings.host-containers": put("userData", _told("host-containers.admin")),
            "userData is settings.kernel": put("userData", _told("kernel")),
            "userData is settings.network": put("userData", _told("network")),
            "userData is settings.container-registry": put("userData", _told("container-registry")),
        },
        undecided={"userData is known only to the provider": put("userData", Hidden())},
        accepted={"": (drop("userData"), put("vpcSecurityGroupIds", [Output(_GROUP)]))},
    ),
)
def eks_machines_sealed(template: Resource, inventory: Inventory) -> Judgement:
    own = (_without(template, path) for path in ("keyName", "imageId", "iamInstanceProfile"))
    disks = (
        judged
        for item in items(template, "blockDeviceMappings")
        for judged in (
            _without(template, f"{item}.ebs.snapshotId"),
            if_given(
                template,
                f"{item}.ebs.deleteOnTermination",
                lambda path=f"{item}.ebs.deleteOnTermination": expect(
                    template, path, "true", lambda v: v in (True, "true")
                ),
            ),
        )
    )
    return all_of((*own, *disks, _groups(template, "vpcSecurityGroupIds", inventory), _user_data(template)))


def _without(resource: Resource, path: str) -> Judgement:
    return unreadable(resource, path, "absent") or (
        PASS if read(resource, path) in (ABSENT, "") else failed(path, shown(read(resource, path)), "absent")
    )


def _groups(resource: Resource, path: str, inventory: Inventory) -> Judgement:
    """Whether each group is one of the stack, as far as the plan knows."""
    value = read(resource, path)
    if value in (ABSENT, []) or inventory.linked(resource, path.split(".", 1)[0], _GROUP):
        return PASS
    if is_hidden(value) or (isinstance(value, list) and all(is_hidden(each) for each in value)):
        return unknown(path, "groups of the stack")
    return failed(path, shown(value), "groups of the stack")


def _user_data(template: Resource) -> Judgement:
    path = "userData"
    value = read(template, path)
    if value is ABSENT or value == "":
        return PASS
    if is_hidden(value):
        return unknown(path, _PARTS)
    try:
        told = tomllib.loads(base64.b64decode(str(value), validate=True).decode())
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return passed("it holds no settings of Bottlerocket")
    return all_of(failed(path, each, _PARTS) for each in _beside(told))


def _beside(told: Mapping[str, Any]) -> Iterator[str]:
    settings = told.get("settings")
    for name, each in settings.items() if isinstance(settings, Mapping) else ():
        if name == "bootstrap-commands":
            yield from (f"settings.{name}.{called}" for called, told in each.items() if not _prepares_disks(told))
        elif name not in _SETTINGS:
            yield f"settings.{name}"
        elif name == "kubernetes":
            yield from (f"settings.kubernetes.{key}" for key in each if key not in _KUBELET)


def _prepares_disks(told: Any) -> bool:
    """Whether all that a bootstrap command does is to put what pods write on local disks."""
    commands = told.get("commands") if isinstance(told, Mapping) else None
    return isinstance(commands, list) and all(
        isinstance(each, list) and each[:2] == ["apiclient", "ephemeral-storage"] for each in commands
    )


def _told(table: str) -> str:
    return base64.b64encode(f"[settings.{table}]\nx = true\n".encode()).decode()


@family.rule(
    "aws-eks-node-disks-own-key",
    Severity.MEDIUM,
    "Disks of machines are encrypted with the stack's key",
    types=(EC2_LAUNCH_TEMPLATE,),
    rationale="With AWS' own key everybody of the account who may attach a disk reads it.",
    remedy="Set ebs.kmsKeyId on each block device.",
    frameworks={Framework.NIST_800_53: ("SC-12", "SC-28")},
    examples=lambda: examples(
        given(EC2_LAUNCH_TEMPLATE, {"blockDeviceMappings": [{"ebs": {"kmsKeyId": _KEY}}]}, "keyed"),
        broken={
            "blockDeviceMappings.0.ebs.kmsKeyId is absent": drop("blockDeviceMappings.0.ebs.kmsKeyId"),
            'blockDeviceMappings.0.ebs.kmsKeyId is "alias/aws/ebs"': put(
                "blockDeviceMappings.0.ebs.kmsKeyId", "alias/aws/ebs"
            ),
        },
        undecided={
            "blockDeviceMappings.0.ebs.kmsKeyId is known only to the provider": put(
                "blockDeviceMappings.0.ebs.kmsKeyId", Hidden()
            )
        },
    ),
)
def eks_node_disks_own_key(template: Resource, inventory: Inventory) -> Judgement:
    keyed = bool(inventory.linked(template, "blockDeviceMappings", *KMS_KEY_TYPES))
    paths = [f"{item}.ebs.kmsKeyId" for item in items(template, "blockDeviceMappings")]
    return all_of(
        PASS if keyed and is_hidden(read(template, path)) else customer_key(inventory, template, path)
        for path in paths
    )


@family.rule(
    "aws-eks-pools-sealed",
    Severity.HIGH,
    "Node groups run Bottlerocket of the cluster's version, as a role of the stack, and are drained with patience",
    types=(EKS_NODE_GROUP,),
    rationale="An image of one's own, an old version or a strong role makes each pod that breaks out as strong; a "
    "forced drain takes the service down with the upgrade.",
    remedy="Leave amiType at BOTTLEROCKET, name the stack's role for machines, and no forceUpdateVersion.",
    frameworks={Framework.NIST_800_53: ("CM-6", "SI-2")},
    examples=lambda: examples(
        given(
            EKS_NODE_GROUP,
            {"clusterName": "c", "amiType": "BOTTLEROCKET_x86_64", "version": "1.35", "nodeRoleArn": Output(ROLE)},
            "sealed",
        ),
        given(EKS_CLUSTER, {"name": "c", "version": "1.35"}, "sealed"),
        broken={
            'amiType is "CUSTOM"': put("amiType", "CUSTOM"),
            "amiType is absent": drop("amiType"),
            'version is "1.31"': put("version", "1.31"),
            'nodeRoleArn is "arn:aws:iam::111122223333:role/admin"': put(
                "nodeRoleArn", "arn:aws:iam::111122223333:role/admin"
            ),
            "forceUpdateVersion is true": put("forceUpdateVersion", True),
            "updateConfig.maxUnavailablePercentage is 100": put("updateConfig.maxUnavailablePercentage", 100),
            "updateConfig.maxUnavailable is 10": put("updateConfig.maxUnavailable", 10),
        },
        undecided={"nodeRoleArn is known only to the provider": put("nodeRoleArn", Hidden())},
        accepted={"": put("updateConfig.maxUnavailable", 1)},
    ),
)
def eks_pools_sealed(group: Resource, inventory: Inventory) -> Judgement:
    named = read(group, "clusterName")
    versions = {read(c, "version") for c in inventory.of_type(EKS_CLUSTER) if read(c, "name") == named}
    return all_of(
        (
            expect(group, "amiType", "an image of Bottlerocket", lambda v: v.startswith("BOTTLEROCKET_")),
            *(
                if_given(group, "version", lambda: expect(group, "version", "the cluster's", lambda v: v in versions))
                for _ in [0]
                if versions
            ),
            _role(group, inventory),
            if_given(group, "forceUpdateVersion", lambda: _is(group, "forceUpdateVersion", value=False)),
            _at_most(group, "updateConfig.maxUnavailablePercentage", _MOST_PERCENT),
            _at_most(group, "updateConfig.maxUnavailable", _FEWEST),
        )
    )


def _is(resource: Resource, path: str, *, value: bool) -> Judgement:
    return expect(resource, path, shown(value), lambda v: v is value)


def _at_most(resource: Resource, path: str, most: int) -> Judgement:
    return if_given(resource, path, lambda: expect(resource, path, f"at most {most}", lambda v: float(v) <= most))


def _role(group: Resource, inventory: Inventory) -> Judgement:
    path, required = "nodeRoleArn", "a role of the stack"
    value = read(group, path)
    if is_hidden(value):
        return PASS if inventory.linked(group, path, ROLE) else unknown(path, required)
    names = {read(role, "name") for role in inventory.of_type(ROLE)}
    known = isinstance(value, str) and ":role/" in value and value.rpartition("/")[2] in names
    return PASS if known else failed(path, shown(value), required)


@family.rule(
    "aws-eks-cluster-plain",
    Severity.HIGH,
    "A cluster has the stack's machines alone, its add-ons, and standard support",
    types=(EKS_CLUSTER,),
    rationale="Machines that EKS makes by itself, or that stand elsewhere, follow none of the stack's templates; "
    "without its add-ons no fence between pods is enforced, and no pod gets its own role.",
    remedy='Leave computeConfig and remoteNetworkConfig out, and add each add-on; network policy set to "true".',
    frameworks={Framework.NIST_800_53: ("CM-7", "SC-7"), Framework.CIS_EKS: ("4.3.1",)},
    examples=lambda: examples(
        given(EKS_CLUSTER, {"name": "c"}, "plain"),
        *(given(_ADDON, {"clusterName": "c", "addonName": name}, name) for name in _NEEDED[1:]),
        given(
            _ADDON,
            {"clusterName": "c", "addonName": "vpc-cni", "configurationValues": '{"enableNetworkPolicy": "true"}'},
            "vpc-cni",
        ),
        broken={
            'computeConfig is {"enabled": true}': put("computeConfig", {"enabled": True}),
            'remoteNetworkConfig is {"remoteNodeNetworks": {}}': put(
                "remoteNetworkConfig", {"remoteNodeNetworks": {}}
            ),
            'vpcConfig.securityGroupIds is ["sg-1"]': put("vpcConfig.securityGroupIds", ["sg-1"]),
            "forceUpdateVersion is true": put("forceUpdateVersion", True),
            'upgradePolicy.supportType is "EXTENDED"': put("upgradePolicy.supportType", "EXTENDED"),
            **{f"the cluster has no add-on {name}": without(_ADDON, name) for name in _NEEDED},
            "vpc-cni.configurationValues is absent": drop("configurationValues", _ADDON, "vpc-cni"),
            'vpc-cni.configurationValues is "{\\"enableNetworkPolicy\\": \\"false\\"}"': put(
                "configurationValues", '{"enableNetworkPolicy": "false"}', _ADDON, "vpc-cni"
            ),
            'vpc-cni.resolveConflictsOnUpdate is "PRESERVE"': put(
                "resolveConflictsOnUpdate", "PRESERVE", _ADDON, "vpc-cni"
            ),
        },
        undecided={
            "vpc-cni.configurationValues is known only to the provider": put(
                "configurationValues", Hidden(), _ADDON, "vpc-cni"
            )
        },
        accepted={"": both(put("upgradePolicy.supportType", "STANDARD"))},
    ),
)
def eks_cluster_plain(cluster: Resource, inventory: Inventory) -> Judgement:
    addons = companions(inventory, cluster, "clusterName", (read(cluster, "name"),), _ADDON)
    by_name = {str(read(addon, "addonName")): addon for addon in addons}
    standard = if_given(
        cluster,
        "upgradePolicy.supportType",
        lambda: expect(cluster, "upgradePolicy.supportType", "STANDARD", lambda v: v == "STANDARD"),
    )
    return all_of(
        (
            *(_without(cluster, path) for path in _ELSEWHERE),
            _groups(cluster, "vpcConfig.securityGroupIds", inventory),
            if_given(cluster, "forceUpdateVersion", lambda: _is(cluster, "forceUpdateVersion", value=False)),
            standard,
            *(
                failed("", f"the cluster has no add-on {name}", "each add-on that pods need")
                for name in _NEEDED
                if name not in by_name
            ),
            *(_told_again(addon) for addon in addons),
            *(_enforces(by_name[name]) for name in ("vpc-cni",) if name in by_name),
        )
    )


def _told_again(addon: Resource) -> Judgement:
    path = "resolveConflictsOnUpdate"
    value = read(addon, path)
    return failed(f"{addon.name}.{path}", shown(value), "OVERWRITE") if value in ("PRESERVE", "NONE") else PASS


def _enforces(addon: Resource) -> Judgement:
    path, required = f"{addon.name}.configurationValues", 'enableNetworkPolicy "true"'
    value = read(addon, "configurationValues")
    if is_hidden(value):
        return unknown(path, required)
    try:
        told = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        told = None
    on = isinstance(told, Mapping) and str(told.get("enableNetworkPolicy")).lower() == "true"
    return PASS if on else failed(path, shown(value), required)
