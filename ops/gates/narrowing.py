"""Whether one way in lets in no more than another: so that closing a part of what was accepted asks nobody again."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from ops.diff.fences import WHOLE
from policies.reach.addresses import Addresses, addresses, union


def is_narrower(new: str, accepted: str) -> bool:
    """Whether `new` lets in nobody beside those that `accepted` does, by the same protocols and ports.

    What cannot be read as ranges is narrower than nothing.
    """
    wanted, had = _by_ports(new), _by_ports(accepted)
    if not wanted or not had:
        return False
    return all(how in had and found.within(had[how]) for how, found in wanted.items())


def _by_ports(text: str) -> Mapping[str, Addresses]:
    found: dict[str, Addresses] = {}
    for part in text.split("; "):
        ranges, _, how = part.partition(" on ")
        try:
            found[how] = union(_range(each) for each in ranges.split(", "))
        except ValueError:
            return {}
    return found


def _range(text: str) -> Addresses:
    return WHOLE[text] if text in WHOLE else addresses(str(ipaddress.ip_network(text)))
