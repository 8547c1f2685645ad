"""What EKS machines are made of: Bottlerocket as the stack has it, and no way in beside the cluster."""

from __future__ import annotations

import base64
import binascii
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.checks import (
    ABSENT,
    PASS,
    all_of,
    failed,
    is_hidden,
    items,
    must_lack,
    passed,
    read,
    unknown,
    unreadable,
)
from policies.examples import Hidden, Output, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import groups_of_stack
from policies.model import Framework, Judgement, Severity
from policies.tokens import EC2_LAUNCH_TEMPLATE, SECURITY_GROUP

family = Family("What EKS machines are made of")

_SETTINGS: Final = frozenset({"container-runtime", "container-runtime-plugins", "kubelet-device-plugins"})
_KUBELET: Final = frozenset(
    {"node-labels", "node-taints", "max-pods", "eviction-hard", "kube-reserved", "system-reserved"}
)
"""Settings of Bottlerocket that open nothing: no host or bootstrap container, no kernel, no proxy, no mirror
(bottlerocket.dev/en/os/latest/api/settings, believed, 2026-11-22)."""
_PARTS: Final = "settings of images, disks, labels and how GPUs are shared, alone"


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
            'vpcSecurityGroupIds.0 is "sg-1"': put("vpcSecurityGroupIds", ["sg-1"]),
            'networkInterfaces.0.securityGroups.0 is "sg-1"': put(
                "networkInterfaces", [{"securityGroups": ["sg-1"], "associatePublicIpAddress": "false"}]
            ),
            "userData is settings.host-containers": put("userData", _told("host-containers.admin")),
            "userData is settings.kernel": put("userData", _told("kernel")),
            "userData is settings.network": put("userData", _told("network")),
            "userData is settings.pki": put("userData", _told("pki.own")),
            "userData is settings.container-registry": put("userData", _told("container-registry")),
            "userData is settings.kubernetes.allowed-unsafe-sysctls": put(
                "userData", _text('[settings.kubernetes]\nallowed-unsafe-sysctls = ["net.*"]\n')
            ),
            "userData is settings.bootstrap-commands.x": put(
                "userData", _text('[settings.bootstrap-commands.x]\ncommands = [["apiclient", "set", "x=y"]]\n')
            ),
        },
        undecided={"userData is known only to the provider": put("userData", Hidden())},
        accepted={"": (drop("userData"), put("vpcSecurityGroupIds", [Output(SECURITY_GROUP)]))},
    ),
)
def eks_machines_sealed(template: Resource, inventory: Inventory) -> Judgement:
    interfaces = items(template, "networkInterfaces")
    return all_of(
        (
            unreadable(template, "networkInterfaces", "interfaces that the plan knows") or PASS,
            *(must_lack(template, path) for path in ("keyName", "imageId", "iamInstanceProfile")),
            groups_of_stack(template, "vpcSecurityGroupIds", inventory),
            *(groups_of_stack(template, f"{item}.securityGroups", inventory) for item in interfaces),
            _user_data(template),
        )
    )


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
        if name in _SETTINGS:
            continue
        inner = each if isinstance(each, Mapping) else {}
        if name == "bootstrap-commands":
            yield from (f"settings.{name}.{called}" for called, one in inner.items() if not _prepares_disks(one))
        elif name == "kubernetes":
            yield from (f"settings.{name}.{key}" for key in inner if key not in _KUBELET)
        else:
            yield f"settings.{name}"


def _prepares_disks(told: Any) -> bool:
    """Whether all that a bootstrap command does is to put what pods write on local disks."""
    commands = told.get("commands") if isinstance(told, Mapping) else None
    return isinstance(commands, list) and all(
        isinstance(each, list) and each[:2] == ["apiclient", "ephemeral-storage"] for each in commands
    )


def _text(told: str) -> str:
    return base64.b64encode(told.encode()).decode()


def _told(table: str) -> str:
    return _text(f"[settings.{table}]\nx = true\n")
