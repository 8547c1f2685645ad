"""Sets of IPv4 and IPv6 addresses: however a range is split or written, it is the same set."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from policies.reach.spans import NONE, Spans, spans

_SHOWN_RANGES = 6


@dataclass(frozen=True)
class Addresses:
    """A set of addresses of both versions."""

    v4: Spans = NONE
    v6: Spans = NONE

    def __or__(self, other: Addresses) -> Addresses:
        return Addresses(self.v4 | other.v4, self.v6 | other.v6)

    def __and__(self, other: Addresses) -> Addresses:
        return Addresses(self.v4 & other.v4, self.v6 & other.v6)

    def __sub__(self, other: Addresses) -> Addresses:
        return Addresses(self.v4 - other.v4, self.v6 - other.v6)

    def __bool__(self) -> bool:
        return bool(self.v4) or bool(self.v6)

    def within(self, other: Addresses) -> bool:
        """Whether `other` holds all of it."""
        return not self - other

    @property
    def ranges(self) -> tuple[str, ...]:
        """The fewest ranges in CIDR notation that are this set."""
        return (
            *(str(net) for a, b in self.v4.parts for net in _summary(ipaddress.IPv4Address(a), b)),
            *(str(net) for a, b in self.v6.parts for net in _summary(ipaddress.IPv6Address(a), b)),
        )

    def __str__(self) -> str:
        """As a report prints it."""
        if _ALL_V4.within(self) and _ALL_V6.within(self):
            return "every address"
        ranges = self.ranges
        more = len(ranges) - _SHOWN_RANGES
        return ", ".join(ranges[:_SHOWN_RANGES]) + (f" and {more} more" if more > 0 else "") or "nothing"


def _summary(
    first: ipaddress.IPv4Address | ipaddress.IPv6Address, last: int
) -> Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return ipaddress.summarize_address_range(first, type(first)(last))  # type: ignore[type-var]


def addresses(*cidrs: str) -> Addresses:
    """The addresses of these ranges together. What is no range counts as every address: nobody knows what it is."""
    v4: list[tuple[int, int]] = []
    v6: list[tuple[int, int]] = []
    for cidr in cidrs:
        try:
            network = ipaddress.ip_network(cidr.strip(), strict=False)
        except ValueError:
            return EVERYTHING
        of_version = v4 if network.version == 4 else v6
        of_version.append((int(network.network_address), int(network.broadcast_address)))
    return Addresses(spans(v4), spans(v6))


EVERYTHING: Final = Addresses(spans([(0, 2**32 - 1)]), spans([(0, 2**128 - 1)]))
NOWHERE: Final = Addresses()
_ALL_V4: Final = Addresses(v4=EVERYTHING.v4)
_ALL_V6: Final = Addresses(v6=EVERYTHING.v6)

PRIVATE: Final = addresses(
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),  # RFC 1918
    "100.64.0.0/10",  # RFC 6598, shared
    *("127.0.0.0/8", "169.254.0.0/16"),  # a machine's own, and its link's
    *("fc00::/7", "fe80::/10", "::1/128"),
)
"""Addresses that the internet has no way to (RFC 1918, 3927, 4193, 4291, 6598)."""

_WIDEST_V4: Final = 2**24
_WIDEST_V6: Final = 2**96


def union(found: Iterable[Addresses]) -> Addresses:
    """All of them together."""
    listed = list(found)
    return Addresses(
        spans(part for each in listed for part in each.v4.parts),
        spans(part for each in listed for part in each.v6.parts),
    )


def public_part(found: Addresses) -> Addresses:
    """The addresses of it that are the internet's."""
    return found - PRIVATE


def is_wide(found: Addresses) -> bool:
    """Whether it holds more of the internet than anybody has: more than a /8 together, or an IPv6 /32."""
    public = public_part(found)
    return public.v4.size > _WIDEST_V4 or public.v6.size > _WIDEST_V6
