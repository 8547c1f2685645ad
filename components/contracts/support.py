"""How long the clouds support a version that a plan names: one dated table for settings, rules and reports.

Kubernetes' own versions are those of `components.contracts.releases`. The engines, read 2026-11-22: ElastiCache's
page "Engine versions and upgrading", as endoflife.date records it (amazon-elasticache-redis and -valkey); Memorystore
for Redis' page "Supported versions", which names versions and no last day.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from components.contracts.releases import MINORS, READ_ON
from components.contracts.vocabulary import Cloud

UNENDING: Final = ""
"""The cloud supports the version, and has named no last day."""
VALKEY: Final = "valkey"
REDIS: Final = "redis"

_ELASTICACHE: Final[Mapping[str, Mapping[str, str]]] = {
    VALKEY: {"7": UNENDING, "8": UNENDING, "9": UNENDING},
    REDIS: {"4": "2026-01-31", "5": "2026-01-31", "6": "2027-01-31", "7": UNENDING},
}
"""Engine → major version → the last day of its standard support; after it the price rises, and fixes are few."""
_MEMORYSTORE: Final[Mapping[str, str]] = {
    f"REDIS_{version}": UNENDING for version in ("3_2", "4_0", "5_0", "6_X", "7_0", "7_2")
}
_MINOR: Final = re.compile(r"v?(\d+\.\d+)(\.\d+)?([-+].*)?")
_MAJOR: Final = re.compile(r"(\d+)(\.(\d+|x))*")


@dataclass(frozen=True)
class Support:
    """What the table knows of a version."""

    until: str
    """The last day of standard support, as ISO 8601 writes it; `UNENDING` where none is named."""

    def ended(self, on: str = READ_ON) -> bool:
        """Whether a day, as ISO 8601 writes it, is past that."""
        return self.until != UNENDING and on > self.until


def kubernetes(cloud: Cloud, version: str) -> Support | None:
    """The support of a version as `1.35` or `1.35.8-gke.1036000`; None where the table has none such."""
    found = _MINOR.fullmatch(version)
    known = MINORS[cloud].get(found[1]) if found else None
    return Support(known.supported_until) if known else None


def elasticache(engine: str, version: str) -> Support | None:
    """The support of an engine's version as `8.0` or `6.x`; None where the table has none such."""
    found = _MAJOR.fullmatch(version)
    until = _ELASTICACHE.get(engine, {}).get(found[1]) if found else None
    return None if until is None else Support(until)


def memorystore(version: str) -> Support | None:
    """The support of a version as `REDIS_7_2`; None where the table has none such."""
    until = _MEMORYSTORE.get(version)
    return None if until is None else Support(until)
