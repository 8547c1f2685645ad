"""Settings of services and of a door, for the tests of variants."""

from __future__ import annotations

import json
from typing import Any, Final

from components.contracts.door import DoorSpec
from components.contracts.services import ServiceSpec

RELEASE: Final = {"version": "1.0.1", "manifest_sha256": "0" * 64}
CHALLENGERS: Final = {"b": {"release": {**RELEASE, "version": "1.1.1"}, "max_replicas": 1}}
SHADOW: Final[dict[str, Any]] = {
    "traffic": {"strategy": "shadow", "challenger": "b", "percent": 40},
    "challengers": CHALLENGERS,
}
AB: Final[dict[str, Any]] = {
    "traffic": {
        "strategy": "a-b",
        "experiment": "small-net",
        "by": {"kind": "user-header", "name": "x-user-id"},
        "shares": {"b": 30},
        "salt": "0123456789abcdef",
    },
    "challengers": CHALLENGERS,
}
DOOR: Final = DoorSpec.model_validate_json(
    json.dumps(
        {
            "domain": "models.example.com",
            "certificate": {"kind": "secret", "name": "door"},
            "authentication": {"kind": "none", "because": "only the tests of this machine come here"},
            "limits": {"requests_per_minute": 10000000},
        }
    )
)


SMALL: Final = ServiceSpec.model_validate_json(
    json.dumps(
        {
            "release": {**RELEASE, "version": "0.9.1"},
            "accelerator": "cpu",
            "max_replicas": 2,
            "objective": {"p99_ms": 100, "availability_percent": 99.9},
            "fallback": {"none_because": "it is the fallback of the others"},
        }
    )
)


def service(**changed: Any) -> ServiceSpec:
    """A service on the CPU, without a fallback unless told otherwise."""
    return ServiceSpec.model_validate_json(
        json.dumps(
            {
                "release": RELEASE,
                "accelerator": "cpu",
                "max_replicas": 2,
                "objective": {"p99_ms": 250, "availability_percent": 99.9},
                "fallback": {"none_because": "no other model answers this question"},
                **changed,
            }
        )
    )
