"""Networks that inputs name in CIDR notation, and which of them are as good as the whole internet."""

from __future__ import annotations

import ipaddress
from typing import Final

from policies.checks import is_hidden

ANYWHERE: Final = ("0.0.0.0/0", "::/0")
WIDEST_PREFIX: Final = 8
"""A named network is at most a /8, the size of the largest private one; two /1 are every address again."""


def too_wide(cidr: object) -> bool:
    """Whether a network is none that somebody has: it is wider than a /8, or no network. A hidden one may be."""
    try:
        return not is_hidden(cidr) and ipaddress.ip_network(str(cidr), strict=False).prefixlen < WIDEST_PREFIX
    except ValueError:
        return True
