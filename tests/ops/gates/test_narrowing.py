"""Closing a part of what was accepted asks nobody again; anything else does."""

from __future__ import annotations

import pytest

from ops.gates.model import OPEN_TO, Item, Kind, item
from ops.gates.narrowing import is_narrower


def way(to: str, path: str = "sourceRanges", urn: str = "urn:x") -> Item:
    return item(Kind.REACH, urn, {"way": path, OPEN_TO: to})


@pytest.mark.parametrize(
    ("new", "accepted"),
    [
        ("203.0.113.0/24 on tcp 443", "203.0.112.0/23 on tcp 443"),
        ("203.0.113.0/24", "every address"),
        ("203.0.113.0/24", "every IPv4 address, 2001:db8::/32"),
        ("203.0.113.0/24 on tcp 443", "203.0.113.0/24 on tcp 443; 203.0.113.0/24 on udp 443"),
    ],
)
def test_what_lets_in_fewer_is_accepted_already(new: str, accepted: str) -> None:
    assert is_narrower(new, accepted) and way(accepted).covers(way(new))


@pytest.mark.parametrize(
    ("new", "accepted"),
    [
        ("203.0.112.0/23 on tcp 443", "203.0.113.0/24 on tcp 443"),
        ("203.0.113.0/24 on tcp 22", "203.0.113.0/24 on tcp 443"),
        ("203.0.113.0/24", "203.0.113.0/24 on tcp 443"),
        ("every address", "203.0.113.0/24"),
        ("every address", "every IPv4 address"),
        ("2001:db8::/32", "every IPv4 address"),
        ("everyone, for sns:*", "everyone, for sns:Publish"),
        ("812 characters, sha256:" + "a" * 64, "every address"),
        ("[unknown]", "every address"),
        ("203.0.113.0/24; [unknown]", "every address"),
    ],
)
def test_what_lets_in_more_or_cannot_be_read_is_not(new: str, accepted: str) -> None:
    assert not way(accepted).covers(way(new))


def test_another_way_or_resource_is_another_risk() -> None:
    assert not way("every address").covers(way("203.0.113.0/24", path="other"))
    assert not way("every address").covers(way("203.0.113.0/24", urn="urn:y"))
    assert way("everyone, for sns:Publish").covers(way("everyone, for sns:Publish"))
