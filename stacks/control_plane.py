"""What a cluster's settings need of their cloud, account and network: who may reach it, and who may act there."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from components.contracts.cluster import EKS_ABSENT_FROM, EKS_SERVICE_CIDR, AccessSpec
from components.contracts.specs import StackSpec
from components.contracts.vocabulary import Cloud, OptOut
from stacks.problems import Problem
from stacks.versions import version_problems

_ROLE: Final = re.compile(
    r"arn:aws:iam::(?P<account>\d{12}):role/(?P<path>([\w+=,.@-]+/)*)[\w+=,.@-]{1,64}", re.ASCII
)
"""A role's ARN: paths and names as the IAM guide allows them ("IAM and AWS STS quotas", 2026-11-21)."""
_MEMBER: Final = re.compile(r"(?P<kind>user|group|serviceAccount):[\w.+-]+@[\w-]+(\.[\w-]+)+", re.ASCII)
_GROUPS: Final = re.compile(r"gke-security-groups@[a-z0-9-]+(\.[a-z0-9-]+)+")
"""The name that GKE asks for (`authenticator_groups_config` in google's provider; GKE guide, 2026-11-21)."""


def control_plane_problems(asked: StackSpec) -> list[Problem]:
    """What is wrong with the ways to the control plane, and with whom it is to obey."""
    problems = _aws if asked.cloud is Cloud.AWS else _gcp
    return [*problems(asked), *version_problems(asked.cloud, asked.cluster)]


def _aws(asked: StackSpec) -> Iterator[Problem]:
    cluster = asked.cluster
    for index, zone in enumerate(asked.zones):
        if zone in EKS_ABSENT_FROM:
            yield Problem(f"zones.{index}", zone, "a zone that EKS takes subnets of", "Choose another zone.")
    own, services = ipaddress.IPv4Network(asked.network.cidr), ipaddress.IPv4Network(EKS_SERVICE_CIDR)
    if own.overlaps(services):
        allowed = f"a network that leaves out {services}, the addresses of the cluster's services"
        yield Problem("network.cidr", asked.network.cidr, allowed, "Choose another private /16.")
    for key, cidr in cluster.private_cidrs.items():
        if services.overlaps(ipaddress.IPv4Network(cidr)):
            yield Problem(
                f"cluster.private_cidrs.{key}",
                cidr,
                f"a network that leaves out {services}: machines take these for the cluster's services",
                "Name the parts of it that need the control plane.",
            )
        if own.overlaps(ipaddress.IPv4Network(cidr)):
            yield Problem(
                f"cluster.private_cidrs.{key}",
                cidr,
                f"a network beside the stack's own, {own}: two that overlap cannot be connected",
                "Name the network at the other end, or change network.cidr before the stack is made.",
            )
    if cluster.authorized_cidrs and OptOut.PUBLIC_CONTROL_PLANE not in asked.opt_outs:
        yield Problem(
            "cluster.authorized_cidrs",
            list(cluster.authorized_cidrs),
            "none: the control plane answers in private networks only",
            "Name connected networks in cluster.private_cidrs, or give a reason under "
            f"opt_outs.{OptOut.PUBLIC_CONTROL_PLANE}.",
        )
    if cluster.access.google_groups:
        yield Problem(
            "cluster.access.google_groups",
            cluster.access.google_groups,
            "nothing: EKS knows no Google Groups",
            "Remove it; on AWS name the roles of IAM Identity Center's groups.",
        )
    for role, key, principal in cluster.access.principals():
        yield from _role_problems(f"cluster.access.{role}.{key}", principal, asked.account)


def _role_problems(path: str, principal: str, account: str) -> Iterator[Problem]:
    """EKS: "You can't use the STS session principal type"; root and users have credentials that do not end."""
    found = _ROLE.fullmatch(principal)
    if not found:
        allowed = f"the ARN of an IAM role, as arn:aws:iam::{account}:role/platform-admin"
        remedy = "Name the role itself: no user, no root, no session of a role (sts, assumed-role), no wildcard."
        yield Problem(path, principal, allowed, remedy)
    elif account.isdecimal() and found["account"] != account:
        allowed = f"a role of the stack's account, {account}"
        yield Problem(path, principal, allowed, "Make a role here that the other account's may assume.")
    elif found["path"].startswith("aws-service-role/"):
        yield Problem(path, principal, "a role that you can assume", "Name another: this one is a service's own.")


def _gcp(asked: StackSpec) -> Iterator[Problem]:
    cluster = asked.cluster
    for setting in ("private_cidrs", "authorized_cidrs"):
        if getattr(cluster, setting):
            yield Problem(
                f"cluster.{setting}",
                getattr(cluster, setting),
                "nothing: GKE's DNS endpoint admits by identity, not by network",
                "Name who may connect in cluster.access; bound networks with VPC Service Controls.",
            )
    if OptOut.PUBLIC_CONTROL_PLANE in asked.opt_outs:
        path = f"opt_outs.{OptOut.PUBLIC_CONTROL_PLANE}"
        yield Problem(path, asked.opt_outs[OptOut.PUBLIC_CONTROL_PLANE], "nothing on Google Cloud", "Remove it.")
    yield from _member_problems(cluster.access)


def _member_problems(access: AccessSpec) -> Iterator[Problem]:
    if not _GROUPS.fullmatch(access.google_groups):
        yield Problem(
            "cluster.access.google_groups",
            access.google_groups,
            "gke-security-groups@ your organisation's domain",
            "Make that group in Google Workspace or Cloud Identity; the groups of cluster.access are its members.",
        )
    for role, key, principal in access.principals():
        if not _MEMBER.fullmatch(principal):
            yield Problem(
                f"cluster.access.{role}.{key}",
                principal,
                "user:, group: or serviceAccount: and an email",
                "Name a service account that a federated identity may impersonate, not the identity itself.",
            )
