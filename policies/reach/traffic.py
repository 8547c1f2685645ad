"""Traffic: which protocols, ports and addresses a list of rules lets through."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Final

from policies.reach.addresses import Addresses, union
from policies.reach.spans import Spans, spans
from policies.reach.values import number

_NUMBERS: Final = {"icmp": 1, "igmp": 2, "ipip": 4, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "ah": 51} | {
    "icmpv6": 58,
    "icmp6": 58,
    "sctp": 132,
}
"""Names that the clouds take, by the protocols' numbers."""
EVERY_PROTOCOL: Final = spans([(0, 255)])
EVERY_PORT: Final = spans([(0, 65535)])
FEW_PORTS: Final = 100
"""How many ports a line may name and still mean a service."""
ADMINISTRATIVE: Final = (22, 3389)
"""Ports by which machines are administered: SSH and RDP."""
_WITH_PORTS: Final = spans([(6, 6), (17, 17), (132, 132)])


@dataclass(frozen=True)
class Box:
    """Every combination of these protocols, ports and addresses."""

    protocols: Spans
    ports: Spans
    addresses: Addresses

    def __bool__(self) -> bool:
        return bool(self.protocols) and bool(self.ports) and bool(self.addresses)

    def minus(self, other: Box) -> tuple[Box, ...]:
        """What is left of it without `other`."""
        protocols, ports = self.protocols & other.protocols, self.ports & other.ports
        left = (
            Box(self.protocols - other.protocols, self.ports, self.addresses),
            Box(protocols, self.ports - other.ports, self.addresses),
            Box(protocols, ports, self.addresses - other.addresses),
        )
        return tuple(box for box in left if box)

    def met_by(self, other: Box) -> Box:
        """What both hold."""
        return Box(self.protocols & other.protocols, self.ports & other.ports, self.addresses & other.addresses)


Traffic = tuple[Box, ...]


@dataclass(frozen=True)
class Rule:
    """One line of a list in which the first line that fits decides."""

    allows: bool
    box: Box


def protocols(value: object) -> Spans:
    """A protocol by its name or number; `-1`, `all`, and what nobody knows, are every one."""
    if value in (None, "", "-1", -1, "all", "ALL", "-1.0"):
        return EVERY_PROTOCOL
    known = number(value)
    known = _NUMBERS.get(str(value).strip().lower()) if known is None else known
    return spans([(known, known)]) if known is not None and 0 <= known <= 255 else EVERY_PROTOCOL


def ports(first: object, last: object, of: Spans) -> Spans:
    """The ports from `first` to `last`: all of them where none is named, or where the protocol has none."""
    start, end = number(first), number(last)
    if not of - _WITH_PORTS and start is not None and start >= 0:
        return spans([(start, start if end is None or end < 0 else end)])
    return EVERY_PORT


def port_range(text: object) -> Spans:
    """Ports as Google Cloud writes them: `443`, or `8000-8002`."""
    first, _, last = str(text).partition("-")
    start, end = number(first), number(last or first)
    return EVERY_PORT if start is None or end is None else spans([(start, end)])


def allowed(rules: Iterable[Rule]) -> Traffic:
    """What passes: of each line that allows, what no line before it denies."""
    passing: list[Box] = []
    denied: list[Box] = []
    for rule in rules:
        if not rule.allows:
            denied.append(rule.box)
            continue
        passing.extend(reduce(_without, denied, (rule.box,) if rule.box else ()))
    return tuple(passing)


def _without(boxes: Traffic, denied: Box) -> Traffic:
    return tuple(left for box in boxes for left in box.minus(denied))


def both(one: Traffic, other: Traffic) -> Traffic:
    """What passes two fences, one after the other."""
    return tuple(met for a in one for b in other if (met := a.met_by(b)))


def sources(traffic: Traffic) -> Addresses:
    """Who gets through at all, on some port of some protocol."""
    return union(box.addresses for box in traffic)


def at_port(traffic: Traffic, port: int, protocol: str = "tcp") -> Addresses:
    """Who gets through to one port."""
    wanted = protocols(protocol)
    return sources(tuple(box for box in traffic if box.protocols & wanted and port in box.ports))
