"""What a stack asks of its Kubernetes cluster: its version, who may reach the control plane, and who may act there.

Rules that need the cloud, its account or another section are `stacks.control_plane`'s.
"""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator, model_validator

from components.contracts.spec import Spec, refused

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,29}$")]
"""What a resource that follows from an entry is called; it stays when the entry's value changes."""

Day = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
"""A day, as ISO 8601 writes it."""
Weekday = Literal["MO", "TU", "WE", "TH", "FR", "SA", "SU"]

RFC_1918: Final = tuple(ipaddress.IPv4Network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
"""What a network of one's own may have."""
PRIVATE_RANGES: Final = (*RFC_1918, ipaddress.IPv4Network("100.64.0.0/10"))
"""Addresses that no one on the internet has: RFC 1918, and RFC 6598 for what carriers and VPNs translate."""


_RESERVED: Final = (
    *PRIVATE_RANGES,
    *(ipaddress.IPv4Network(cidr) for cidr in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")),
)
"""What a packet from the internet cannot come from (IANA's registry of special purposes, 2026-11-21)."""

EKS_ABSENT_FROM: Final = frozenset({"use1-az3", "usw1-az2", "cac1-az3"})
"""Zones that EKS takes no subnet of for a cluster (EKS guide, "Networking requirements for VPC and subnets", and the
API's `UnsupportedAvailabilityZoneException`, 2026-11-21)."""


EKS_SERVICE_CIDR: Final = "172.20.0.0/16"
"""Addresses of an EKS cluster's services. EKS would choose this range or 10.100.0.0/16 by itself, and never changes
it (EKS API, `KubernetesNetworkConfigRequest`, read 2026-11-21)."""


class AccessRole(StrEnum):
    """What a person or a pipeline is to the cluster. Not a role of IAM."""

    ADMINISTRATOR = "administrators"
    DEPLOYER = "deployers"
    READER = "readers"


class AccessSpec(Spec):
    """Who may act in the cluster, by a key of your own → the principal. Nobody else may, not even who made it.

    AWS: the ARN of a role in the stack's account. Google Cloud: `user:`, `group:` or `serviceAccount:` and an email.
    """

    administrators: Annotated[dict[Key, str], Field(min_length=1)]
    """May do everything in the cluster; at least one."""
    deployers: Annotated[dict[Key, str], Field(min_length=1)]
    """Run `pulumi up`, so may do everything too; at least one, or nothing can be laid on the cluster."""
    readers: dict[Key, str] = Field(default_factory=dict)
    """May look at everything but secrets."""
    google_groups: str = ""
    """Google Cloud only: `gke-security-groups@` your domain, the group whose member groups the cluster recognises."""

    def principals(self) -> Iterator[tuple[AccessRole, str, str]]:
        """Everyone: role, key, principal."""
        for role in AccessRole:
            named: Mapping[str, str] = getattr(self, role)
            yield from ((role, key, principal) for key, principal in named.items())

    @model_validator(mode="after")
    def _once_each(self) -> AccessSpec:
        """Keys too: a principal that changes its role then keeps its entry, of which EKS takes no second one."""
        for what in ("key", "principal"):
            seen: dict[str, str] = {}
            for role, key, principal in self.principals():
                value = key if what == "key" else principal
                if value in seen:
                    raise refused(
                        f"the {what} {value} is under {seen[value]} and {role}.{key}",
                        allowed=f"each {what} once among {', '.join(AccessRole)}",
                        remedy="Keep the one that it needs." if what == "principal" else "Choose another key.",
                    )
                seen[value] = f"{role}.{key}"
        return self


class Channel(StrEnum):
    """How early GKE brings a cluster new versions. Not a version itself."""

    STABLE = "stable"
    REGULAR = "regular"
    RAPID = "rapid"


class ReleaseSpec(Spec):
    """AWS only: versions of what runs with the cluster; left out: those of `components.contracts.releases`."""

    nodes: Annotated[str, Field(pattern=r"^(\d+\.\d+\.\d+-[0-9a-f]{8})?$")] = ""
    """Bottlerocket's release for the machines, as `1.58.0-c5c37032`: the parameter `image_version` of its images."""
    addons: dict[
        Literal["coredns", "eks-pod-identity-agent", "kube-proxy", "metrics-server", "vpc-cni"],
        Annotated[str, Field(pattern=r"^v\d+\.\d+\.\d+-eksbuild\.\d+$")],
    ] = Field(default_factory=dict)
    """Add-on → its version, as `v1.35.3-eksbuild.29`."""


class ExclusionSpec(Spec):
    """A time in which GKE brings no upgrades."""

    starts: Day
    """The first day, from midnight UTC."""
    ends: Day
    """The first day on which upgrades may come again."""
    nodes_too: bool = True
    """Whether machines keep their version too; False: only the minor version stays."""

    @model_validator(mode="after")
    def _some_time(self) -> ExclusionSpec:
        if self.ends <= self.starts:
            raise refused(
                f"it ends on {self.ends}, and starts on {self.starts}",
                allowed="an end after the start",
                remedy="Correct one of them.",
            )
        return self


class MaintenanceSpec(Spec):
    """Google Cloud only: when GKE may upgrade the control plane and the machines."""

    days: Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=7)] = ("SA", "SU")
    """The days on which a window opens."""
    starts_at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "02:00"
    """When it opens, in UTC."""
    hours: Annotated[int, Field(ge=4, le=24)] = 8
    """How long it stays open."""
    exclusions: Annotated[dict[Key, ExclusionSpec], Field(max_length=20)] = Field(default_factory=dict)
    """Times without upgrades, by a key of your own, as `black-friday`."""

    @model_validator(mode="after")
    def _enough_time(self) -> MaintenanceSpec:
        # GKE: at least 48 hours of windows in any 32 days, in which a weekday comes at least four times.
        hours = 4 * len(set(self.days)) * self.hours
        if hours < 48:
            raise refused(
                f"{len(set(self.days))} windows a week of {self.hours} h make {hours} h in 32 days",
                allowed="at least 48 hours in 32 days, or GKE refuses the windows",
                remedy="Add a day, or hours.",
            )
        return self


class ClusterSpec(Spec):
    """The Kubernetes cluster's control plane."""

    version: Annotated[str, Field(pattern=r"^1\.\d{2}$")] = "1.35"
    """Kubernetes minor version, of control plane and machines; on Google Cloud the least: its channel may go on."""
    release: ReleaseSpec = ReleaseSpec()
    """AWS only: versions of machines and add-ons, where they shall not be the newest that Seawall knows."""
    channel: Channel | None = None
    """Google Cloud only: how early new versions come; left out: `regular`."""
    maintenance: MaintenanceSpec | None = None
    """Google Cloud only: when upgrades may come; left out: Saturdays and Sundays from 2 to 10 UTC."""
    access: AccessSpec
    """Who may act in the cluster."""
    private_cidrs: Annotated[dict[Key, str], Field(max_length=20)] = Field(default_factory=dict)
    """AWS only: connected private networks that may reach the control plane, by a key of your own, as `vpn`."""
    authorized_cidrs: Annotated[tuple[str, ...], Field(max_length=40)] = ()
    """AWS only: networks that may reach the control plane over the internet; asks for a reason in `opt_outs`.

    EKS takes 40 at most (EKS guide, "View and manage Amazon EKS and Fargate service quotas", 2026-11-21)."""

    @field_validator("private_cidrs")
    @classmethod
    def _private_networks(cls, value: dict[str, str]) -> dict[str, str]:
        ranges = ", ".join(map(str, PRIVATE_RANGES))
        networks = {key: _network(cidr, f"a part of {ranges}") for key, cidr in value.items()}
        for key, network in networks.items():
            if not any(network.subnet_of(private) for private in PRIVATE_RANGES):
                raise refused(
                    f"{key}: {network} is no private network",
                    allowed=f"a part of {ranges}",
                    remedy="Name the network behind your VPN, peering or transit gateway.",
                )
        for (key, network), (other, its) in itertools.combinations(networks.items(), 2):
            if network.overlaps(its):
                raise refused(
                    f"{key} and {other} overlap: {network}, {its}",
                    allowed="networks that do not overlap",
                    remedy="Keep the wider one.",
                )
        return value

    @field_validator("authorized_cidrs")
    @classmethod
    def _no_open_door(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        allowed = "public IPv4 networks of prefix length 16 or more"
        for cidr in value:
            network = _network(cidr, allowed)
            if network.prefixlen < 16:
                raise refused(
                    f"{cidr} opens the control plane to {network.num_addresses} addresses",
                    allowed=allowed,
                    remedy="Name your office's or VPN's network.",
                )
            # EKS refuses private and other reserved ones: "The following CIDRs are not allowed in publicAccessCidrs".
            if any(network.overlaps(reserved) for reserved in _RESERVED):
                raise refused(
                    f"{cidr} is no network of the internet",
                    allowed=allowed,
                    remedy="Name a private one under cluster.private_cidrs.",
                )
        return value


def _network(cidr: str, allowed: str) -> ipaddress.IPv4Network:
    try:
        return ipaddress.IPv4Network(cidr)
    except ValueError as error:
        raise refused(str(error), allowed=allowed, remedy="Write CIDR notation, as 10.64.0.0/16.") from None
