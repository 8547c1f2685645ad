"""Node groups of EKS and their disks: an image and a role of the stack, keys of its own, and patience."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from policies.checks import (
    PASS,
    all_of,
    expect,
    failed,
    if_given,
    is_hidden,
    items,
    must_lack,
    read,
    shown,
    unknown,
    unreadable,
)
from policies.examples import Hidden, Output, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import customer_key
from policies.model import Framework, Judgement, Severity
from policies.tokens import EC2_LAUNCH_TEMPLATE, EKS_NODE_GROUP, IAM_ROLE, KMS_KEY_TYPES

family = Family("Node groups and their disks")

_KEY: Final = "arn:aws:kms:eu-west-1:111122223333:key/5f3c"
_FEWEST: Final = 3
_MOST_PERCENT: Final = 34


@family.rule(
    "aws-eks-node-disks-own",
    Severity.MEDIUM,
    "Disks of machines are encrypted with the stack's key, come of no snapshot, and go with the machine",
    types=(EC2_LAUNCH_TEMPLATE,),
    rationale="With AWS' own key everybody of the account who may attach a disk reads it; a disk that stays behind "
    "keeps what was on it, and a snapshot brings what nobody reviewed.",
    remedy="Set ebs.kmsKeyId on each block device, and leave snapshotId out.",
    frameworks={Framework.NIST_800_53: ("SC-12", "SC-28")},
    examples=lambda: examples(
        given(
            EC2_LAUNCH_TEMPLATE,
            {"blockDeviceMappings": [{"ebs": {"encrypted": "true", "kmsKeyId": _KEY}}]},
            "keyed",
        ),
        broken={
            "blockDeviceMappings.0.ebs.kmsKeyId is absent": drop("blockDeviceMappings.0.ebs.kmsKeyId"),
            'blockDeviceMappings.0.ebs.kmsKeyId is "alias/aws/ebs"': put(
                "blockDeviceMappings.0.ebs.kmsKeyId", "alias/aws/ebs"
            ),
            'blockDeviceMappings.0.ebs.snapshotId is "snap-1"': put("blockDeviceMappings.0.ebs.snapshotId", "snap-1"),
            'blockDeviceMappings.0.ebs.deleteOnTermination is "false"': put(
                "blockDeviceMappings.0.ebs.deleteOnTermination", "false"
            ),
        },
        undecided={
            "blockDeviceMappings.0.ebs.kmsKeyId is known only to the provider": put(
                "blockDeviceMappings.0.ebs.kmsKeyId", Hidden()
            ),
            "blockDeviceMappings is known only to the provider": put("blockDeviceMappings", Hidden()),
        },
        accepted={"": put("blockDeviceMappings.0.ebs.deleteOnTermination", True)},
    ),
)
def eks_node_disks_own(template: Resource, inventory: Inventory) -> Judgement:
    hidden = unreadable(template, "blockDeviceMappings", "disks that the plan knows")
    return hidden or all_of(
        judged
        for item in items(template, "blockDeviceMappings")
        if isinstance(read(template, f"{item}.ebs"), Mapping)
        for judged in _disk(template, f"{item}.ebs", inventory)
    )


def _disk(template: Resource, path: str, inventory: Inventory) -> Iterator[Judgement]:
    stays = f"{path}.deleteOnTermination"
    key = f"{path}.kmsKeyId"
    keyed = is_hidden(read(template, key)) and inventory.linked(template, "blockDeviceMappings", *KMS_KEY_TYPES)
    yield PASS if keyed else customer_key(inventory, template, key)
    yield must_lack(template, f"{path}.snapshotId")
    yield if_given(
        template, stays, lambda: expect(template, stays, "true", lambda v: v is True or str(v).lower() == "true")
    )


@family.rule(
    "aws-eks-pools-sealed",
    Severity.HIGH,
    "Node groups run Bottlerocket as a role of the stack, and are drained with patience",
    types=(EKS_NODE_GROUP,),
    rationale="An image of one's own or a strong role makes each pod that breaks out as strong; a forced drain takes "
    "the service down with the upgrade.",
    remedy="Leave amiType at BOTTLEROCKET, name the stack's role for machines, and no forceUpdateVersion.",
    frameworks={Framework.NIST_800_53: ("CM-6", "SI-2")},
    examples=lambda: examples(
        given(EKS_NODE_GROUP, {"amiType": "BOTTLEROCKET_x86_64", "nodeRoleArn": Output(IAM_ROLE)}, "sealed"),
        broken={
            'amiType is "CUSTOM"': put("amiType", "CUSTOM"),
            "amiType is absent": drop("amiType"),
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
    force = "forceUpdateVersion"
    return all_of(
        (
            expect(group, "amiType", "an image of Bottlerocket", lambda v: v.startswith("BOTTLEROCKET_")),
            _role(group, inventory),
            if_given(group, force, lambda: expect(group, force, "false", lambda v: v in (False, "false"))),
            _at_most(group, "updateConfig.maxUnavailablePercentage", _MOST_PERCENT),
            _at_most(group, "updateConfig.maxUnavailable", _FEWEST),
        )
    )


def _at_most(resource: Resource, path: str, most: int) -> Judgement:
    return if_given(resource, path, lambda: expect(resource, path, f"at most {most}", lambda v: float(v) <= most))


def _role(group: Resource, inventory: Inventory) -> Judgement:
    path, required = "nodeRoleArn", "a role of the stack"
    value = read(group, path)
    if is_hidden(value):
        return PASS if inventory.linked(group, path, IAM_ROLE) else unknown(path, required)
    names = [read(role, "name") for role in inventory.of_type(IAM_ROLE)]
    known = isinstance(value, str) and ":role/" in value and value.rpartition("/")[2] in names
    return PASS if known else failed(path, shown(value), required)
