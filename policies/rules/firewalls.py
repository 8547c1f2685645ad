"""Firewalls on Google Cloud: who gets in, on which ports, and what gets out, after the denials that come before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from policies.checks import ABSENT, PASS, all_of, failed, is_hidden, not_applicable, read, shown, unknown
from policies.examples import Hidden, Output, both, drop, examples, given, plus, put, setting
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.reach.addresses import Addresses, addresses, is_wide
from policies.reach.declared import declared
from policies.reach.gcp import HOLDERS, Line, let_through, lines
from policies.reach.traffic import ADMINISTRATIVE, EVERY_PORT, EVERY_PROTOCOL, FEW_PORTS
from policies.reach.values import members
from policies.tokens import GCP_FIREWALL, GCP_NETWORK

family = Family("Firewalls")

PROBES: Final = addresses("35.191.0.0/16", "130.211.0.0/22", "2600:2d00:1:b029::/64", "2600:2d00:1:1::/64")
"""Where Google's load balancers ask for a machine's health from (cloud.google.com/load-balancing/docs/firewall-rules,
read 2026-11-22)."""

_IN: Final = "the stack's own networks, fleet.door's clients, or tags and accounts"
_OUT: Final = "the stack's own networks"
_WORLD: Final = "0.0.0.0/0"
_WIDE_RULE: Final = {
    "network": Output(GCP_NETWORK),
    "allows": [{"protocol": "tcp", "ports": ["443"]}],
    "sourceRanges": ["10.20.32.0/28"],
    "priority": 1000,
}
_PORTS: Final = "allows.0.ports"


def _deny(priority: Any, ranges: list[str]) -> Any:
    told = {"network": Output(GCP_NETWORK), "denies": [{"protocol": "all"}], "priority": priority}
    return plus(given(GCP_FIREWALL, {**told, "sourceRanges": ranges, "logConfig": {"metadata": "x"}}, "deny"))


@family.rule(
    "gcp-firewall-named-networks",
    Severity.CRITICAL,
    "No firewall lets in, or out, what the settings do not name",
    types=HOLDERS,
    rationale="Machines answer whoever a rule admits, and a rule of a policy decides before the network's own do.",
    remedy="Name the stack's own ranges, or tags and service accounts.",
    frameworks={Framework.CHECKOV: ("CKV_GCP_2", "CKV_GCP_3", "CKV_GCP_106")},
    examples=lambda: examples(
        given(GCP_FIREWALL, _WIDE_RULE, "admits"),
        broken={
            f'sourceRanges is ["{_WORLD}"], so the world → admits': (
                put("sourceRanges", [_WORLD]),
                # Denied later, denied to some machines only, or denied at one half: open all the same.
                both(put("sourceRanges", [_WORLD]), _deny(1001, [_WORLD])),
                both(put("sourceRanges", [_WORLD]), _deny(900, ["0.0.0.0/1"])),
            ),
            'sourceRanges is ["0.0.0.0/1", "128.0.0.0/1"], so the world → admits': put(
                "sourceRanges", ["0.0.0.0/1", "128.0.0.0/1"]
            ),
            'sourceRanges is ["::/0"], so the world → admits': put("sourceRanges", ["::/0"]),
            "sourceRanges is absent, so the world → admits": drop("sourceRanges"),
            'sourceRanges is ["203.0.113.0/24"], so 203.0.113.0/24 → admits': put("sourceRanges", ["203.0.113.0/24"]),
            f'destinationRanges is ["{_WORLD}"], so admits → the world': both(
                put("direction", "EGRESS"), put("destinationRanges", [_WORLD])
            ),
        },
        undecided={"sourceRanges is known only to the provider": put("sourceRanges", Hidden())},
        accepted={
            "": (
                put("sourceRanges", ["10.20.32.0/29", "10.20.32.8/29"]),
                put("sourceRanges", ["35.191.0.0/16", "130.211.0.0/22"]),
                both(drop("sourceRanges"), put("sourceTags", ["a"])),
                both(put("sourceRanges", [_WORLD]), _deny("900", ["0.0.0.0/1", "128.0.0.0/1"])),
                both(put("sourceRanges", [_WORLD]), _deny(1000, [_WORLD])),
                both(
                    put("sourceRanges", ["203.0.113.0/25"]),
                    setting("fleet.door.public", {"source_ranges": ["203.0.113.0/24"]}),
                ),
            ),
            "no rule of it lets anything through": (
                put("disabled", True),
                both(drop("allows"), put("denies", [{"protocol": "all"}]), put("logConfig.metadata", "x")),
            ),
        },
    ),
)
def firewall_named_networks(holder: Resource, inventory: Inventory) -> Judgement:
    if is_hidden(read(holder, "rules")):
        return unknown("rules", _IN)
    found = [line for line in lines(holder, inventory) if line.allows]
    if not found:
        return not_applicable("no rule of it lets anything through")
    judged = all_of(each for line in found for each in _line(line, inventory))
    return judged if judged.problems else PASS


def _line(line: Line, inventory: Inventory) -> Iterator[Judgement]:
    networks, required = declared(inventory), _IN if line.inward else _OUT
    named: Addresses = networks.private | networks.clients | (PROBES if line.inward else networks.services)
    beyond = let_through(line, inventory) - named
    if beyond:
        value = read(line.holder, line.path)
        ranges = ", ".join(map(str, members(value)))
        who = "the world" if is_wide(beyond) or value is ABSENT else ranges
        way = f"{who} → {line.holder.name}" if line.inward else f"{line.holder.name} → {who}"
        yield failed(line.path, f"{shown(value)}, so {way}", required)
    elif line.hidden:
        yield unknown(line.path, required)


@family.rule(
    "gcp-firewall-ports-named",
    Severity.HIGH,
    "Firewalls admit networks on named ports, and on none for administration",
    types=HOLDERS,
    rationale="A machine answers on more ports than its service's: SSH, the kubelet, whatever was left running.",
    remedy="Name the protocol and the ports of the service.",
    frameworks={Framework.CHECKOV: ("CKV_GCP_2", "CKV_GCP_3")},
    examples=lambda: examples(
        given(GCP_FIREWALL, _WIDE_RULE, "admits"),
        broken={
            "sourceRanges is let in by every protocol": put("allows", [{"protocol": "all"}]),
            "sourceRanges is let in on every port": (drop(_PORTS), put(_PORTS, ["0-65535"])),
            "sourceRanges is let in on port 22": (put(_PORTS, ["443", "22"]), put(_PORTS, ["20-30"])),
        },
        undecided={"allows is known only to the provider": put("allows", Hidden())},
        accepted={
            "": (put("allows.0.protocol", "6"), put(_PORTS, [443, "8000-8002"])),
            "no rule of it admits a network": put("disabled", "true"),
        },
    ),
)
def firewall_ports_named(holder: Resource, inventory: Inventory) -> Judgement:
    for path in ("allows", "rules", "match"):
        if is_hidden(read(holder, path)):
            return unknown(path, "the ports of a service")
    found = [
        line for line in lines(holder, inventory) if line.allows and line.inward and let_through(line, inventory)
    ]
    if not found:
        return not_applicable("no rule of it admits a network")
    judged = all_of(_ports(line) for line in found)
    return judged if judged.problems else PASS


def _ports(line: Line) -> Judgement:
    required = "the protocol and the ports of a service"
    for box in line.boxes:
        if box.protocols == EVERY_PROTOCOL:
            return failed(line.path, "let in by every protocol", required)
        if box.protocols.parts[0][0] not in (6, 17):
            continue
        if box.ports == EVERY_PORT or box.ports.size > FEW_PORTS:
            return failed(line.path, "let in on every port", required)
        for port in ADMINISTRATIVE:
            if port in box.ports:
                return failed(line.path, f"let in on port {port}", required)
    return PASS
