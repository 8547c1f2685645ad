"""Whether address ranges overlap: two networks that share addresses can never be joined, and ranges stay for life."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ops.preflight.model import Finding, missing, ok
from ops.preflight.wanted import Wanted

_CANDIDATES: Final = tuple(ipaddress.IPv4Network("10.0.0.0/8").subnets(new_prefix=16))


@dataclass(frozen=True)
class Taken:
    """A range that something else uses, and what that is."""

    by: str
    cidr: ipaddress.IPv4Network


def overlaps(wanted: Wanted, taken: Sequence[Taken]) -> Iterator[Finding]:
    """Whether any range of the stack is taken, by the account's networks or by those that are joined to it."""
    joined = [Taken(f"cluster.private_cidrs.{name}", cidr) for name, cidr in wanted.joined.items()]
    yield from _compared(wanted.networks, [*joined, *taken], wanted.backup_region)


def _compared(
    networks: Mapping[str, ipaddress.IPv4Network], taken: Sequence[Taken], backup_region: str
) -> Iterator[Finding]:
    for name, cidr in networks.items():
        subject = f"{name} {cidr}"
        clashing = [other for other in taken if cidr.overlaps(other.cidr)]
        if clashing:
            said = ", ".join(f"{other.cidr} of {other.by}" for other in clashing)
            setting = "standby.cidr" if name.endswith(f" {backup_region}") else "network.cidr"
            used = [*networks.values(), *(other.cidr for other in taken)]
            yield missing(subject, f"overlaps {said}", _remedy(setting, used))
        else:
            yield ok(subject, f"free beside {len(taken)} ranges in use")


def _remedy(setting: str, used: Iterable[ipaddress.IPv4Network]) -> str:
    listed = list(used)
    free = next((c for c in _CANDIDATES if not any(c.overlaps(u) for u in listed)), None)
    choose = f"{free}, which is free" if free else "a range that none of these overlaps"
    return f"Set {setting} to {choose}, before the first `pulumi up`: a network keeps its range for life."
