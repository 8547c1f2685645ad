"""Reach is monotone: an allowance never shrinks it, a denial never grows it, and splitting ranges changes nothing."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from policies.reach.addresses import EVERYTHING, NOWHERE, PRIVATE, Addresses, addresses, is_wide, union
from policies.reach.kubernetes import balancer_is_inside, restricts, selects
from policies.reach.spans import spans
from policies.reach.traffic import EVERY_PORT, EVERY_PROTOCOL, Box, Rule, allowed, at_port, ports, protocols, sources

_SMALL = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6).map(spans)


@st.composite
def _cidrs(draw: st.DrawFn) -> str:
    length = draw(st.integers(0, 32))
    network = draw(st.integers(0, 2**32 - 1)) >> (32 - length) << (32 - length) if length else 0
    return f"{ipaddress.IPv4Address(network)}/{length}"


@st.composite
def _rules(draw: st.DrawFn) -> Rule:
    of = draw(st.sampled_from(["tcp", "udp", "-1", "icmp"]))
    first = draw(st.integers(0, 200))
    number = protocols(of)
    through = ports(first, first + draw(st.integers(0, 50)), number)
    return Rule(draw(st.booleans()), Box(number, through, addresses(draw(_cidrs()))))


_LISTS = st.lists(_rules(), max_size=5)


def _within(inner: tuple[Box, ...], outer: tuple[Box, ...]) -> bool:
    """Whether `outer` lets all of `inner` through."""
    denied = [Rule(False, box) for box in outer]
    return not any(allowed([*denied, Rule(True, box)]) for box in inner)


@given(_SMALL, _SMALL)
def test_spans_are_sets_of_numbers(one: object, other: object) -> None:
    a, b = one, other
    assert isinstance(a, type(EVERY_PORT)) and isinstance(b, type(EVERY_PORT))
    mine = {n for n in range(62) if n in a}
    theirs = {n for n in range(62) if n in b}
    for found, wanted in ((a | b, mine | theirs), (a & b, mine & theirs), (a - b, mine - theirs)):
        assert {n for n in range(62) if n in found} == wanted and found.size == len(wanted)


@given(_LISTS, _rules(), st.integers(0, 5))
def test_one_more_allowance_never_shrinks_what_passes(rules: list[Rule], more: Rule, at: int) -> None:
    added = [*rules[:at], Rule(True, more.box), *rules[at:]]
    assert _within(allowed(rules), allowed(added))


@given(_LISTS, _rules(), st.integers(0, 5))
def test_one_more_denial_never_grows_what_passes(rules: list[Rule], more: Rule, at: int) -> None:
    added = [*rules[:at], Rule(False, more.box), *rules[at:]]
    assert _within(allowed(added), allowed(rules))


@given(st.lists(_cidrs(), min_size=1, max_size=5))
def test_splitting_and_reordering_ranges_changes_nothing(cidrs: list[str]) -> None:
    halves = [
        str(half)
        for cidr in cidrs
        for half in (
            ipaddress.ip_network(cidr).subnets() if not cidr.endswith("/32") else [ipaddress.ip_network(cidr)]
        )
    ]
    assert addresses(*halves) == addresses(*cidrs) == addresses(*reversed(cidrs)) == addresses(*cidrs, *cidrs)
    assert addresses(*addresses(*cidrs).ranges) == addresses(*cidrs)


@given(st.lists(_cidrs(), max_size=4), st.lists(_cidrs(), max_size=4))
def test_a_part_is_within_the_whole(some: list[str], more: list[str]) -> None:
    assert addresses(*some).within(union([addresses(*some), addresses(*more)]))
    assert (addresses(*some) - addresses(*more)).within(addresses(*some))


def test_two_halves_are_the_world_and_the_world_is_wide() -> None:
    assert addresses("0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1") == EVERYTHING
    assert is_wide(addresses("0.0.0.0/1")) and is_wide(addresses("2000::/3"))
    assert is_wide(addresses(*(f"{first}.0.0.0/8" for first in (8, 9))))
    assert not is_wide(PRIVATE) and not is_wide(addresses("8.0.0.0/8"))


def test_what_is_no_range_is_every_address_and_nothing_is_none() -> None:
    assert addresses("anywhere") == EVERYTHING and addresses() == NOWHERE == Addresses()


def test_ports_and_protocols_are_the_same_however_they_are_written() -> None:
    assert protocols("tcp") == protocols("6") == protocols(6) == protocols("TCP")
    assert protocols("-1") == protocols(-1) == protocols("all") == EVERY_PROTOCOL
    assert ports("443", "443", protocols("tcp")) == ports(443, 443.0, protocols("6"))
    assert ports(0, 0, protocols("-1")) == EVERY_PORT == ports(None, None, protocols("tcp"))


def test_a_port_is_reached_through_the_range_that_holds_it() -> None:
    box = Box(protocols("tcp"), ports(20, 30, protocols("tcp")), addresses("203.0.113.0/24"))
    assert at_port((box,), 22) == addresses("203.0.113.0/24") == sources((box,))
    assert at_port((box,), 443) == NOWHERE == at_port((box,), 22, "udp")


def test_a_selector_restricts_only_by_what_must_be_there() -> None:
    def by(operator: str, *values: str, key: str = "a") -> dict[str, object]:
        return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}

    assert [restricts(each) for each in ({}, None, {"matchLabels": {}}, by("NotIn", "b"), by("DoesNotExist"))] == [
        False
    ] * 5
    assert restricts(by("In", "b")) and restricts(by("Exists")) and restricts({"matchLabels": {"a": "b"}})
    assert not restricts(by("Exists", key="kubernetes.io/metadata.name"))
    assert selects(by("NotIn", "b"), {}) and not selects(by("In", "b"), {"a": "c"})


def test_a_load_balancer_is_internal_by_its_own_clouds_word_alone() -> None:
    aws = {"service.beta.kubernetes.io/aws-load-balancer-internal": "true"}
    gcp = {"networking.gke.io/load-balancer-type": "Internal"}
    assert balancer_is_inside(aws, "aws") and balancer_is_inside(gcp, "gcp")
    assert not balancer_is_inside(aws, "gcp") and not balancer_is_inside(gcp, "aws")
    assert not balancer_is_inside(
        {**aws, "service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing"}, "aws"
    )
