"""A/B at the door: the filter that picks a user's variant before routing, its settings, and what it will pick.

Why a filter of our own. Envoy can pick a weighted backend by a hash (`WeightedCluster.use_hash_policy`; Envoy Gateway
1.9.1 sets it beside a ConsistentHash balancer), but without a salt, so that one experiment's users are the next one's
too; it binds each user to one *pod*, so that load is uneven; and it leaves no hash for the log. Session persistence
binds to a pod as well, whose end moves the user. A filter in Lua that writes a header before the route is chosen has
none of these, and needs no hop and no server.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from components.contracts import variants
from components.contracts.variant_specs import BUCKETS, ABTest, ByCookie, ByHeader, ByUserClaim, ByUserHeader

_DAY: Final = 86_400


@dataclass(frozen=True)
class Assignment:
    """What the filter makes of a user."""

    variant: str
    user: str
    """What the log calls the user: 32 hexadecimal digits that say nothing without the salt."""


def assign(test: ABTest, user: str) -> Assignment:
    """The variant of a user of a hashed experiment: the same as `scripts.ASSIGN` picks.

    Raises:
        ValueError: nothing is hashed in this experiment.
    """
    if test.salt is None:
        raise ValueError(f"the experiment {test.experiment} hashes nobody")
    whole = f"{test.salt.get_secret_value()}\0user\0{test.experiment}\0{user}"
    digest = hashlib.sha256(whole.encode()).hexdigest()
    bucket = int(digest[:8], 16) % BUCKETS
    chosen = next((name for name, (low, high) in test.bounds.items() if low <= bucket < high), variants.STABLE)
    return Assignment(chosen, digest[16:48])


def context(test: ABTest) -> dict[str, Any]:
    """The filter's settings. The salt among them is a secret, for the caller to mark as one."""
    told: dict[str, Any] = {"experiment": test.experiment, "kind": test.by.kind}
    match test.by:
        case ByHeader():
            return {**told, "name": test.by.name, "values": dict(test.by.values)}
        case ByCookie():
            told |= {"name": test.by.name, "seconds": test.by.days * _DAY}
        case ByUserHeader():
            told["name"] = test.by.name
        case ByUserClaim():
            told["name"] = test.by.claim
    ranges = [{"variant": name, "from": low, "to": high} for name, (low, high) in sorted(test.bounds.items())]
    return {**told, "ranges": ranges, "salt": test.salt.get_secret_value() if test.salt else ""}


EXPOSURE_LOG: Final = {
    "log": "seawall-exposure",
    "time": "%START_TIME%",
    "experiment": f"%DYNAMIC_METADATA({variants.METADATA}:experiment)%",
    "variant": f"%DYNAMIC_METADATA({variants.METADATA}:variant)%",
    "user": f"%DYNAMIC_METADATA({variants.METADATA}:user)%",
    "served": f"%RESP({variants.VARIANT})%",
    "release": f"%RESP({variants.RELEASE})%",
    "fallback": f"%RESP({variants.FALLBACK})%",
    "response_code": "%RESPONSE_CODE%",
    "request_id": "%REQ(X-REQUEST-ID)%",
}
"""One JSON line for each request of an experiment, kept as long as all logs (`monitoring.log_retention_days`).
No address and no user: `user` is a hash under the experiment's salt."""


def exposure_log(sinks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The access log of exposures, for an EnvoyProxy: a setting of its own, which writes for experiments only."""
    return {
        "format": {"type": "JSON", "json": dict(EXPOSURE_LOG)},
        "matches": [f"'{variants.METADATA}' in metadata.filter_metadata"],
        "sinks": list(sinks),
    }
