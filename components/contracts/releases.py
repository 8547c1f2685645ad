"""Which Kubernetes versions the clouds support until when, and what runs with each: one dated table, no look-ups.

Sources, read on 2026-11-21: the EKS guide's release calendar and the answers of `DescribeClusterVersions` that it
shows; `DescribeAddonVersions` for 1.35 and 1.36, as public repositories record its defaults (August and September
2026); the names of Bottlerocket's images, as they record those; GKE's release schedule and the Regular channel's
release notes up to September 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from components.contracts.vocabulary import Cloud

READ_ON: Final = "2026-11-21"
"""The day, as ISO 8601 writes it, on which the table was read; what was out of support by then is not offered."""

ADDONS: Final = ("coredns", "eks-pod-identity-agent", "kube-proxy", "metrics-server", "vpc-cni")
"""The add-ons of EKS that every cluster has."""

NODES_BEHIND_MAX: Final = 3
"""Minor versions that a kubelet, or kube-proxy, may be behind the API server; it is never ahead (Kubernetes' version
skew policy; EKS guide, "Update existing cluster to new Kubernetes version", 2026-11-21)."""


@dataclass(frozen=True)
class Minor:
    """One minor version of Kubernetes on one cloud."""

    supported_until: str
    """The last day before EKS upgrades the control plane unasked, or asks six times the price; on GKE, before its
    channel does."""
    believed: bool = False
    """Whether the date is ours: the version's age there plus the cloud's usual span."""
    nodes: str = ""
    """AWS: the newest release of Bottlerocket, as EKS writes it."""
    addons: Mapping[str, str] = field(default_factory=dict)
    """AWS: add-on → the version that EKS recommends."""
    newest: str = ""
    """Google Cloud: the Regular channel's default."""


_BOTTLEROCKET: Final = "1.58.0-c5c37032"

MINORS: Final[Mapping[Cloud, Mapping[str, Minor]]] = {
    Cloud.AWS: {
        "1.32": Minor("2026-03-23"),
        "1.33": Minor("2026-07-29"),
        "1.34": Minor(
            "2026-12-02",
            nodes=_BOTTLEROCKET,
            addons={
                "coredns": "v1.12.4-eksbuild.17",
                "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
                "kube-proxy": "v1.34.6-eksbuild.11",
                "metrics-server": "v0.8.1-eksbuild.10",
                "vpc-cni": "v1.21.2-eksbuild.2",
            },
        ),
        "1.35": Minor(
            "2027-03-27",
            nodes=_BOTTLEROCKET,
            addons={
                "coredns": "v1.13.2-eksbuild.31",
                "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
                "kube-proxy": "v1.35.3-eksbuild.29",
                "metrics-server": "v0.8.1-eksbuild.10",
                "vpc-cni": "v1.22.4-eksbuild.3",
            },
        ),
        "1.36": Minor(
            "2027-07-01",
            believed=True,
            nodes=_BOTTLEROCKET,
            addons={
                "coredns": "v1.14.3-eksbuild.16",
                "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
                "kube-proxy": "v1.36.0-eksbuild.21",
                "metrics-server": "v0.8.1-eksbuild.10",
                "vpc-cni": "v1.22.4-eksbuild.3",
            },
        ),
    },
    Cloud.GCP: {
        "1.33": Minor("2026-08-03", believed=True),
        "1.34": Minor("2026-10-01"),
        "1.35": Minor("2027-04-11", newest="1.35.8-gke.1036000"),
    },
}


def offered(cloud: Cloud, on: str = READ_ON) -> tuple[str, ...]:
    """The versions that the cloud supports on a day without extra cost, oldest first."""
    return tuple(version for version, minor in MINORS[cloud].items() if on <= minor.supported_until)


@dataclass(frozen=True)
class Resolved:
    """What runs with a cluster's version on EKS, every version named."""

    version: str
    """Kubernetes' minor version, of the control plane and of the machines."""
    nodes: str
    """Bottlerocket's release."""
    addons: Mapping[str, str]


def resolved(version: str, nodes: str = "", addons: Mapping[Any, str] | None = None) -> Resolved:
    """What runs with `version` on EKS: what is asked for, else what the table has.

    Raises:
        KeyError: the table has no such version, or knows it only as one that is out of support.
    """
    known = MINORS[Cloud.AWS][version]
    asked = addons or {}
    return Resolved(version, nodes or known.nodes, {name: asked.get(name) or known.addons[name] for name in ADDONS})


def minor_of(version: str) -> int:
    """The minor number of `1.35`, `v1.35.3-eksbuild.29` or `1.35.8-gke.1036000`.

    Raises:
        ValueError: it is none of these.
    """
    return int(version.removeprefix("v").split(".")[1])


def versions_key(version: str) -> tuple[int, ...]:
    """What orders versions of one kind by age: every number in them, except a commit's name at the end."""
    plain = version.removeprefix("v").replace("-eksbuild", "").replace("-gke", "").partition("-")[0]
    return tuple(int(part) for part in plain.split("."))
