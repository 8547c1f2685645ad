"""Clusters: an endpoint for named networks only, an identity for each pod, and a version that is kept up."""

from __future__ import annotations

from collections.abc import Mapping

from policies.addresses import too_wide
from policies.checks import (
    ABSENT,
    PASS,
    all_of,
    expect,
    failed,
    holds_none,
    is_hidden,
    one_of,
    read,
    shown,
    unknown,
)
from policies.examples import Hidden, both, drop, examples, given, put, setting
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.reach.addresses import addresses, is_wide
from policies.reach.declared import declared
from policies.reach.values import members
from policies.tokens import EKS_ADDON, EKS_CLUSTER, EKS_NODE_GROUP, GKE_CLUSTER

family = Family("Clusters")

_OPEN = "An open control plane is one stolen token or one vulnerability away from the whole cluster."
_PUBLIC = "vpcConfig.endpointPublicAccess"
_CIDRS = "vpcConfig.publicAccessCidrs"
_SIXTEEN = [f"{first}.0.0.0/8" for first in range(16, 32)]
_UNNAMED = "What the cloud picks changes between two updates: no two environments are alike, and no one decided it."
_ENDPOINTS = "controlPlaneEndpointsConfig"


@family.rule(
    "aws-eks-endpoint-closed",
    Severity.CRITICAL,
    "The EKS endpoint is not open to the world",
    types=(EKS_CLUSTER,),
    rationale=_OPEN,
    remedy="Set endpointPublicAccess to false, or name the networks in publicAccessCidrs.",
    frameworks={
        Framework.AWS_FSBP: ("EKS.1",),
        Framework.CIS_EKS: ("5.4.1", "5.4.2"),
        Framework.CHECKOV: ("CKV_AWS_38", "CKV_AWS_39"),
    },
    examples=lambda: examples(
        given(EKS_CLUSTER, {_PUBLIC: True, _CIDRS: ["192.0.2.0/24"]}),
        broken={
            f'{_CIDRS} is ["0.0.0.0/0"]': put(f"{_CIDRS}.1", "0.0.0.0/0"),
            f'{_CIDRS} is ["::/0"]': put(_CIDRS, ["::/0"]),
            f'{_CIDRS} is ["0.0.0.0/1", "128.0.0.0/1"]': put(_CIDRS, ["0.0.0.0/1", "128.0.0.0/1"]),
            f"{_CIDRS} is {shown(_SIXTEEN)}": put(_CIDRS, _SIXTEEN),
            f'{_CIDRS} is ["192.0.2.0/24"]': setting("cluster.authorized_cidrs", ["198.51.100.0/24"]),
            f"{_PUBLIC} is true, for every address": (drop(_CIDRS), put(_CIDRS, [])),
        },
        undecided={
            f"{_PUBLIC} is known only to the provider": put(_PUBLIC, Hidden()),
            f"{_CIDRS} is known only to the provider": put(f"{_CIDRS}.0", Hidden()),
        },
        accepted={
            "": (
                both(put(_PUBLIC, False), drop(_CIDRS)),
                both(setting("cluster.authorized_cidrs", ["192.0.2.0/24"]), put(_CIDRS, ["192.0.2.0/25"])),
            )
        },
    ),
)
def eks_endpoint_closed(cluster: Resource, inventory: Inventory) -> Judgement:
    required = "false, or named networks in publicAccessCidrs"
    public = read(cluster, _PUBLIC)
    if public is False:
        return PASS
    if is_hidden(public):
        return unknown(_PUBLIC, required)
    if read(cluster, _CIDRS) in (ABSENT, []):
        return failed(_PUBLIC, f"{shown(public)}, for every address", required)
    cidrs = [str(each) for each in members(read(cluster, _CIDRS)) if not is_hidden(each)]
    together = addresses(*cidrs)
    settings = inventory.settings.get("cluster")
    if isinstance(settings, Mapping) and "authorized_cidrs" in settings:
        beyond = together - declared(inventory).administrators
        if beyond:
            return failed(_CIDRS, shown(cidrs), "networks of cluster.authorized_cidrs")
    alone = [cidr for cidr in cidrs if too_wide(cidr)]
    wide = alone or (cidrs if is_wide(together) else [])
    return holds_none(cluster, _CIDRS, wide, "named networks")


family.require(
    "gcp-gke-endpoint-closed",
    Severity.CRITICAL,
    "GKE's control plane is reached by its DNS endpoint alone, which IAM guards",
    type=GKE_CLUSTER,
    inputs={
        f"{_ENDPOINTS}.dnsEndpointConfig.allowExternalTraffic": (True, False),
        f"{_ENDPOINTS}.dnsEndpointConfig.enableK8sTokensViaDns": (False, True),
        f"{_ENDPOINTS}.dnsEndpointConfig.enableK8sCertsViaDns": (False, True),
        f"{_ENDPOINTS}.ipEndpointsConfig.enabled": (False, True),
    },
    rationale=f"{_OPEN} A private address is out of everyone's reach; the cluster's own tokens go past IAM.",
    remedy="Switch the DNS endpoint on for users, its tokens and certificates off, and the addresses off.",
    frameworks={
        Framework.CIS_GKE: ("5.6.3", "5.6.4"),
        Framework.CHECKOV: ("CKV_GCP_18", "CKV_GCP_20", "CKV_GCP_25"),
    },
)


@family.rule(
    "gcp-gke-workload-identity",
    Severity.HIGH,
    "GKE pods have identities of their own",
    types=(GKE_CLUSTER,),
    rationale="Without Workload Identity all pods share the machine's rights, or carry key files.",
    remedy="Set workloadIdentityConfig.workloadPool.",
    frameworks={Framework.CIS_GKE: ("5.2.2",), Framework.CHECKOV: ("CKV_GCP_69",)},
    examples=lambda: examples(
        given(GKE_CLUSTER, {"workloadIdentityConfig.workloadPool": "111122223333.svc.id.goog"}),
        broken={
            "workloadIdentityConfig.workloadPool is absent": drop("workloadIdentityConfig"),
            'workloadIdentityConfig.workloadPool is "p"': put("workloadIdentityConfig.workloadPool", "p"),
        },
    ),
)
def gke_workload_identity(cluster: Resource, _: Inventory) -> Judgement:
    path = "workloadIdentityConfig.workloadPool"
    return expect(cluster, path, "the project's workload pool", lambda v: v.endswith(".svc.id.goog"))


@family.rule(
    "gcp-gke-release-channel",
    Severity.LOW,
    "GKE clusters follow a release channel",
    types=(GKE_CLUSTER,),
    rationale="A cluster without a channel stays behind until its version is no longer supported.",
    remedy="Set releaseChannel.channel.",
    frameworks={Framework.CIS_GKE: ("5.5.4",), Framework.CHECKOV: ("CKV_GCP_70",)},
    examples=lambda: examples(
        given(GKE_CLUSTER, {"releaseChannel.channel": "REGULAR"}),
        broken={
            'releaseChannel.channel is "UNSPECIFIED"': put("releaseChannel.channel", "UNSPECIFIED"),
            "releaseChannel.channel is absent": drop("releaseChannel"),
        },
    ),
)
def gke_release_channel(cluster: Resource, _: Inventory) -> Judgement:
    return one_of(cluster, "releaseChannel.channel", ("STABLE", "REGULAR", "RAPID", "EXTENDED"))


@family.rule(
    "aws-eks-versions-named",
    Severity.MEDIUM,
    "EKS machines run a named version",
    types=(EKS_NODE_GROUP,),
    rationale=_UNNAMED,
    remedy="Set version to the control plane's, and releaseVersion.",
    examples=lambda: examples(
        given(EKS_NODE_GROUP, {"version": "1.35", "releaseVersion": "1.58.0-c5c37032"}),
        broken={
            "version is absent": drop("version"),
            "releaseVersion is absent": drop("releaseVersion"),
            'releaseVersion is ""': put("releaseVersion", ""),
        },
    ),
)
def eks_versions_named(group: Resource, _: Inventory) -> Judgement:
    return all_of(expect(group, path, "a version", bool) for path in ("version", "releaseVersion"))


@family.rule(
    "aws-eks-addon-versions-named",
    Severity.MEDIUM,
    "EKS add-ons run a named version",
    types=(EKS_ADDON,),
    rationale=_UNNAMED,
    remedy="Set addonVersion.",
    examples=lambda: examples(
        given(EKS_ADDON, {"addonVersion": "v1.35.3-eksbuild.29"}),
        broken={"addonVersion is absent": drop("addonVersion")},
    ),
)
def eks_addon_versions_named(addon: Resource, _: Inventory) -> Judgement:
    return expect(addon, "addonVersion", "a version", bool)
