"""What an EKS cluster consists of: the stack's machines and add-ons, and nothing that stands elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from policies.checks import PASS, all_of, expect, failed, if_given, is_hidden, must_lack, read, shown, unknown
from policies.examples import Hidden, Output, drop, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import companions, groups_of_stack
from policies.model import Framework, Judgement, Severity
from policies.tokens import EKS_ADDON, EKS_CLUSTER

family = Family("What an EKS cluster consists of")

_NEEDED: Final = ("vpc-cni", "kube-proxy", "coredns", "eks-pod-identity-agent")
_ENFORCED: Final = '{"enableNetworkPolicy": "true"}'


@family.rule(
    "aws-eks-no-other-machines",
    Severity.HIGH,
    "A cluster has the stack's machines and groups alone, and its version is not forced or out of support",
    types=(EKS_CLUSTER,),
    rationale="Machines that EKS makes by itself, or that stand elsewhere, follow none of the stack's templates.",
    remedy="Leave computeConfig, remoteNetworkConfig, outpostConfig and forceUpdateVersion out.",
    frameworks={Framework.NIST_800_53: ("CM-7", "SC-7")},
    examples=lambda: examples(
        given(EKS_CLUSTER),
        broken={
            'computeConfig is {"enabled": true}': put("computeConfig", {"enabled": True}),
            'remoteNetworkConfig is {"remoteNodeNetworks": {"cidrs": ["10.0.0.0/8"]}}': put(
                "remoteNetworkConfig", {"remoteNodeNetworks": {"cidrs": ["10.0.0.0/8"]}}
            ),
            'outpostConfig is {"outpostArns": ["x"]}': put("outpostConfig", {"outpostArns": ["x"]}),
            'vpcConfig.securityGroupIds.0 is "sg-1"': put("vpcConfig.securityGroupIds", ["sg-1"]),
            "forceUpdateVersion is true": put("forceUpdateVersion", True),
            'upgradePolicy.supportType is "EXTENDED"': put("upgradePolicy.supportType", "EXTENDED"),
        },
        undecided={"forceUpdateVersion is known only to the provider": put("forceUpdateVersion", Hidden())},
        accepted={
            "": (
                put("upgradePolicy.supportType", "STANDARD"),
                put("computeConfig.enabled", False),
                put("zonalShiftConfig.enabled", True),
            )
        },
    ),
)
def eks_no_other_machines(cluster: Resource, inventory: Inventory) -> Judgement:
    support, force = "upgradePolicy.supportType", "forceUpdateVersion"
    by_itself = PASS if read(cluster, "computeConfig.enabled") is False else must_lack(cluster, "computeConfig")
    return all_of(
        (
            by_itself,
            must_lack(cluster, "remoteNetworkConfig"),
            must_lack(cluster, "outpostConfig"),
            groups_of_stack(cluster, "vpcConfig.securityGroupIds", inventory),
            if_given(cluster, force, lambda: expect(cluster, force, "false", lambda v: v in (False, "false"))),
            if_given(cluster, support, lambda: expect(cluster, support, "STANDARD", lambda v: v == "STANDARD")),
        )
    )


@family.rule(
    "aws-eks-addons-there",
    Severity.HIGH,
    "A cluster has each add-on that pods need, and the network's enforces policies",
    types=(EKS_CLUSTER,),
    rationale="Without its network add-on told so no fence between pods is enforced, and without the agent of "
    "identities no pod gets its own role.",
    remedy='Add each add-on, with enableNetworkPolicy "true" for vpc-cni and OVERWRITE on update.',
    frameworks={Framework.NIST_800_53: ("CM-6", "SC-7"), Framework.CIS_EKS: ("4.3.1",)},
    examples=lambda: examples(
        given(EKS_CLUSTER),
        *(given(EKS_ADDON, _added(name), name) for name in _NEEDED[1:]),
        given(EKS_ADDON, {**_added("vpc-cni"), "configurationValues": _ENFORCED}, "vpc-cni"),
        broken={
            **{f"the cluster has no add-on {name}": without(EKS_ADDON, name) for name in _NEEDED},
            "vpc-cni.configurationValues is absent": drop("configurationValues", EKS_ADDON, "vpc-cni"),
            'vpc-cni.configurationValues is "{\\"enableNetworkPolicy\\": \\"false\\"}"': put(
                "configurationValues", '{"enableNetworkPolicy": "false"}', EKS_ADDON, "vpc-cni"
            ),
            'vpc-cni.resolveConflictsOnUpdate is "PRESERVE"': put(
                "resolveConflictsOnUpdate", "PRESERVE", EKS_ADDON, "vpc-cni"
            ),
        },
        undecided={
            "vpc-cni.configurationValues is known only to the provider": put(
                "configurationValues", Hidden(), EKS_ADDON, "vpc-cni"
            )
        },
        accepted={
            "": put(
                "configurationValues",
                '{"enableNetworkPolicy": "true", "env": {"WARM_IP_TARGET": "2"}}',
                EKS_ADDON,
                "vpc-cni",
            )
        },
    ),
)
def eks_addons_there(cluster: Resource, inventory: Inventory) -> Judgement:
    addons = companions(inventory, cluster, "clusterName", (read(cluster, "name"),), EKS_ADDON)
    return all_of(_addons(addons))


def _addons(addons: tuple[Resource, ...]) -> Iterator[Judgement]:
    by_name = {str(read(addon, "addonName")): addon for addon in addons}
    hidden = any(is_hidden(read(addon, "addonName")) for addon in addons)
    for name in _NEEDED:
        if name not in by_name:
            required = f"the add-on {name}"
            yield unknown("", required) if hidden else failed("", f"the cluster has no add-on {name}", required)
    for addon in addons:
        path = "resolveConflictsOnUpdate"
        if is_hidden(read(addon, path)):
            yield unknown(f"{addon.name}.{path}", "OVERWRITE")
        elif read(addon, path) in ("PRESERVE", "NONE"):
            yield failed(f"{addon.name}.{path}", shown(read(addon, path)), "OVERWRITE")
    if "vpc-cni" in by_name:
        yield _enforces(by_name["vpc-cni"])


def _enforces(addon: Resource) -> Judgement:
    path, required = f"{addon.name}.configurationValues", 'enableNetworkPolicy "true"'
    value = read(addon, "configurationValues")
    if is_hidden(value):
        return unknown(path, required)
    try:
        told = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        told = None
    on = isinstance(told, Mapping) and str(told.get("enableNetworkPolicy")).lower() == "true"
    return PASS if on else failed(path, shown(value), required)


def _added(name: str) -> dict[str, object]:
    return {"clusterName": Output(EKS_CLUSTER), "addonName": name, "addonVersion": "v1.2.3-eksbuild.1"}
