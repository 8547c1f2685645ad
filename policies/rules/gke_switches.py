"""Switches of GKE that weaken a whole cluster, or each of its machines, with one word."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Final

from policies.checks import ABSENT, PASS, all_of, equals, expect, failed, if_given, items, one_of, read, shown
from policies.examples import Hidden, drop, examples, given, put
from policies.family import Family
from policies.grants import own_account
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.tokens import GKE_CLUSTER, GKE_NODE_POOL

family = Family("Switches of GKE")

_READ_ONLY: Final = "insecureKubeletReadonlyPortEnabled"
_KUBELET: Final = f"nodeConfig.kubeletConfig.{_READ_ONLY}"
_SYSCTLS: Final = "nodeConfig.kubeletConfig.allowedUnsafeSysctls"
_METADATA: Final = "nodeConfig.metadata"
_LEGACY: Final = "disable-legacy-endpoints"
_POOL: Final = "workloadIdentityConfig.workloadPool"

family.require(
    "gcp-gke-switches-safe",
    Severity.HIGH,
    "GKE's insecure and experimental switches are off",
    type=GKE_CLUSTER,
    inputs={
        "enableKubernetesAlpha": (False, True),
        "enableShieldedNodes": (True, False),
        "serviceExternalIpsConfig.enabled": (False, True),
        f"nodePoolDefaults.nodeConfigDefaults.{_READ_ONLY}": ("FALSE", "TRUE"),
        _KUBELET: ("FALSE", "TRUE"),
    },
    rationale="Each lets somebody past IAM, past the kubelet's authentication or past what Google supports.",
    remedy="Leave the switch out.",
    safe_by_default=True,
    frameworks={Framework.CIS_GKE: ("5.5.5", "5.10.2"), Framework.NIST_800_53: ("CM-6", "CM-7")},
)

family.require(
    "gcp-gke-traffic-seen",
    Severity.MEDIUM,
    "GKE enforces network policies, and shows the traffic between pods of one machine",
    type=GKE_CLUSTER,
    inputs={
        "datapathProvider": ("ADVANCED_DATAPATH", "LEGACY_DATAPATH"),
        "enableIntranodeVisibility": (True, False),
    },
    rationale="On the old data path a NetworkPolicy is written down and enforced by nobody.",
    remedy='Set datapathProvider to "ADVANCED_DATAPATH", and enableIntranodeVisibility.',
    frameworks={Framework.CIS_GKE: ("4.3.1", "5.6.1"), Framework.NIST_800_53: ("SC-7", "AU-12")},
)


@family.rule(
    "gcp-gke-posture-watched",
    Severity.LOW,
    "GKE looks for workloads that are set up weakly",
    types=(GKE_CLUSTER,),
    rationale="What people change beside the stack is seen by nobody else.",
    remedy='Set securityPostureConfig.mode to "BASIC".',
    frameworks={Framework.CIS_GKE: ("5.10.4",), Framework.NIST_800_53: ("CM-6",)},
    examples=lambda: examples(
        given(GKE_CLUSTER, {"securityPostureConfig.mode": "BASIC"}),
        broken={
            'securityPostureConfig.mode is "DISABLED"': put("securityPostureConfig.mode", "DISABLED"),
            "securityPostureConfig.mode is absent": drop("securityPostureConfig"),
        },
        undecided={
            "securityPostureConfig.mode is known only to the provider": put("securityPostureConfig.mode", Hidden())
        },
        accepted={"": put("securityPostureConfig.mode", "ENTERPRISE")},
    ),
)
def gke_posture_watched(cluster: Resource, _: Inventory) -> Judgement:
    return one_of(cluster, "securityPostureConfig.mode", ("BASIC", "ENTERPRISE"))


@family.rule(
    "gcp-gke-own-pools-only",
    Severity.HIGH,
    "GKE has no machines but those of pools that are planned by themselves",
    types=(GKE_CLUSTER,),
    rationale="Pools inside the cluster, and those that GKE makes by itself, are judged by no rule about pools.",
    remedy="Plan a NodePool, set removeDefaultNodePool, and leave nodePools and clusterAutoscaling out.",
    frameworks={Framework.NIST_800_53: ("CM-2",)},
    examples=lambda: examples(
        given(GKE_CLUSTER, {"removeDefaultNodePool": True}),
        broken={
            "removeDefaultNodePool is false": put("removeDefaultNodePool", False),
            "removeDefaultNodePool is absent": drop("removeDefaultNodePool"),
            'nodePools is [{"name": "own"}]': put("nodePools", [{"name": "own"}]),
            "clusterAutoscaling.enabled is true": put("clusterAutoscaling.enabled", True),
        },
        undecided={"removeDefaultNodePool is known only to the provider": put("removeDefaultNodePool", Hidden())},
        accepted={"": (put("nodePools", []), put("clusterAutoscaling.enabled", False))},
    ),
)
def gke_own_pools_only(cluster: Resource, _: Inventory) -> Judgement:
    pools = read(cluster, "nodePools")
    return all_of(
        (
            equals(cluster, "removeDefaultNodePool", True),
            PASS if pools is ABSENT or pools == [] else failed("nodePools", shown(pools), "pools by themselves"),
            if_given(
                cluster, "clusterAutoscaling.enabled", lambda: equals(cluster, "clusterAutoscaling.enabled", False)
            ),
        )
    )


@family.rule(
    "gcp-gke-identities-own-project",
    Severity.HIGH,
    "GKE's identities are those of its own project",
    types=(GKE_CLUSTER,),
    rationale="Identities of another project's pool are others' to grant to, and ours are gone.",
    remedy='Set workloadIdentityConfig.workloadPool to "PROJECT.svc.id.goog", and fleet.project to the project.',
    frameworks={Framework.NIST_800_53: ("AC-3", "IA-9")},
    examples=lambda: examples(
        given(GKE_CLUSTER, {_POOL: "111122223333.svc.id.goog"}),
        broken={
            f'{_POOL} is "elsewhere.svc.id.goog"': put(_POOL, "elsewhere.svc.id.goog"),
            'fleet.project is "elsewhere"': put("fleet.project", "elsewhere"),
        },
        undecided={f"{_POOL} is known only to the provider": put(_POOL, Hidden())},
        accepted={"": put("fleet.project", "111122223333")},
    ),
)
def gke_identities_own_project(cluster: Resource, inventory: Inventory) -> Judgement:
    own = own_account(inventory)
    return all_of(
        (
            if_given(
                cluster, _POOL, lambda: expect(cluster, _POOL, f"{own}.svc.id.goog", partial(_is_own_pool, own))
            ),
            if_given(cluster, "fleet.project", lambda: equals(cluster, "fleet.project", own)),
        )
    )


@family.rule(
    "gcp-gke-machines-plain",
    Severity.HIGH,
    "GKE's machines run Google's image, with nothing of their own at the start and no door beside the kubelet's",
    types=(GKE_NODE_POOL,),
    rationale="A start script, a person's key or the kubelet's open port give the machine, and all pods on it, away.",
    remedy=f"Leave {_LEGACY} alone in metadata, and the kubelet's switches and the image type at Google's.",
    frameworks={Framework.CIS_GKE: ("5.5.1",), Framework.NIST_800_53: ("CM-6", "CM-7")},
    examples=lambda: examples(
        given(
            GKE_NODE_POOL,
            {
                "nodeConfig.imageType": "COS_CONTAINERD",
                _METADATA: {_LEGACY: "true"},
                _KUBELET: "FALSE",
            },
        ),
        broken={
            'nodeConfig.imageType is "UBUNTU_CONTAINERD"': put("nodeConfig.imageType", "UBUNTU_CONTAINERD"),
            f'{_KUBELET} is "TRUE"': put(_KUBELET, "TRUE"),
            f'{_SYSCTLS} is ["kernel.shm*"]': put(_SYSCTLS, ["kernel.shm*"]),
            f'{_METADATA} is {{"{_LEGACY}": "false"}}': put(_METADATA, {_LEGACY: "false"}),
            **{
                f'{_METADATA} is {{"{_LEGACY}": "true", "{key}": "x"}}': put(_METADATA, {_LEGACY: "true", key: "x"})
                for key in ("startup-script", "startup-script-url", "user-data", "ssh-keys", "serial-port-enable")
            },
        },
        undecided={f"{_METADATA} is known only to the provider": put(_METADATA, Hidden())},
        accepted={"": (drop("nodeConfig.imageType"), drop(_KUBELET), drop(_METADATA), put(_SYSCTLS, []))},
    ),
)
def gke_machines_plain(pool: Resource, _: Inventory) -> Judgement:
    plain = f"nothing but {_LEGACY}"
    none = "no unsafe sysctl"
    return all_of(
        (
            if_given(pool, "nodeConfig.imageType", lambda: equals(pool, "nodeConfig.imageType", "COS_CONTAINERD")),
            if_given(pool, _KUBELET, lambda: equals(pool, _KUBELET, "FALSE")),
            if_given(pool, _SYSCTLS, lambda: expect(pool, _SYSCTLS, none, lambda listed: listed == [])),
            if_given(pool, _METADATA, lambda: expect(pool, _METADATA, plain, _is_plain)),
        )
    )


def _is_plain(metadata: Mapping[str, object]) -> bool:
    return {key: value for key, value in metadata.items() if value is not None} in ({}, {_LEGACY: "true"})


def _is_own_pool(own: str, pool: str) -> bool:
    """Whether a pool is the project's; what is no pool at all is another rule's."""
    return pool == f"{own}.svc.id.goog" or not pool.endswith(".svc.id.goog")


_WINDOW: Final = "maintenancePolicy.maintenanceExclusions"


@family.rule(
    "gcp-gke-kept-up",
    Severity.MEDIUM,
    "No exclusion keeps GKE from upgrades for more than its version's own time",
    types=(GKE_CLUSTER,),
    rationale="An exclusion without an end keeps each hole that is found until somebody remembers it.",
    remedy="Give each exclusion an endTime within 180 days of its start.",
    frameworks={Framework.NIST_800_53: ("SI-2",)},
    examples=lambda: examples(
        given(
            GKE_CLUSTER,
            {_WINDOW: [{"startTime": "2026-11-20T00:00:00Z", "endTime": "2026-12-05T00:00:00Z"}]},
        ),
        broken={
            f'{_WINDOW}.0.endTime is "2036-12-05T00:00:00Z"': put(f"{_WINDOW}.0.endTime", "2036-12-05T00:00:00Z"),
            f"{_WINDOW}.0.endTime is absent": drop(f"{_WINDOW}.0.endTime"),
        },
        undecided={f"{_WINDOW}.0.endTime is known only to the provider": put(f"{_WINDOW}.0.endTime", Hidden())},
        accepted={"": (drop(_WINDOW), put(_WINDOW, []))},
    ),
)
def gke_kept_up(cluster: Resource, _: Inventory) -> Judgement:
    return all_of(_ends(cluster, exclusion) for exclusion in items(cluster, _WINDOW))


_LONGEST: Final = 180
"""As long as GKE takes an exclusion of minor upgrades at most; believed."""


def _ends(cluster: Resource, exclusion: str) -> Judgement:
    start = str(read(cluster, f"{exclusion}.startTime"))

    def soon(end: str) -> bool:
        return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).days <= _LONGEST

    return expect(cluster, f"{exclusion}.endTime", f"an end within {_LONGEST} days of the start", soon)
