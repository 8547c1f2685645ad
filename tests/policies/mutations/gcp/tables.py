"""All harmful changes of the production plan on Google Cloud, by what they harm, and which rule finds each."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tests.policies.mutations.gcp.buckets import BUCKETS
from tests.policies.mutations.gcp.cluster import HOUSE
from tests.policies.mutations.gcp.networks import REACH
from tests.policies.mutations.gcp.records import KEYS, LOGS
from tests.policies.mutations.gcp.rights import RIGHTS
from tests.policies.mutations.gcp.stores import IMAGES, STORES
from tests.policies.reach.planting import Change

ALL: dict[str, dict[str, Change]] = {
    "rights": RIGHTS,
    "logs and alarms": LOGS,
    "keys": KEYS,
    "buckets and copies": BUCKETS,
    "the cluster": HOUSE,
    "networks and names": REACH,
    "data stores and exports": STORES,
    "images": IMAGES,
}
"""Class → what is changed."""

_FOUND_BY = tomllib.loads(Path(__file__).with_name("found_by.toml").read_text(encoding="utf-8"))


def _turned(table: dict[str, dict[str, list[str]]]) -> dict[tuple[str, str], str]:
    return {(group, name): key for group, keys in table.items() for key, names in keys.items() for name in names}


FOUND_BY = _turned(_FOUND_BY["found"])
"""(class, change) → the rule that must find it."""
UNSEEN = _turned(_FOUND_BY["unseen"])
"""(class, change) → why no rule finds it."""
