"""Settings changes on which the offline diff and the real engine must agree: at least thirty for each cloud."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Change = Mapping[str, Any]

_SERVICE: Final = "tumour-risk"
RELEASE: Final = {"version": "1.0.2", "manifest_sha256": "b" * 64, "signers": [f"SHA256:{'c' * 64}"]}


def _service(**changes: Any) -> Change:
    return {"fleet": {"services": {_SERVICE: changes}}}


def _door(**changes: Any) -> Change:
    return {"fleet": {"door": changes}}


_BOTH: Final[Mapping[str, Change]] = {
    "more machines": {"pools": {"gpu": {"max_nodes": 5}}},
    "machines that stay": {"pools": {"gpu": {"min_nodes": 1}}},
    "more system machines": {"pools": {"system": {"max_nodes": 4}}},
    "a label": {"labels": {"cost-centre": "a-17"}},
    "another owner": {"labels": {"owner": "platform"}},
    "a larger disk": {"pools": {"gpu": {"disk_gib": 200}}},
    "on-demand machines": {"pools": {"gpu": {"capacity": ["on-demand"]}}},
    "two ways to buy": {"pools": {"gpu": {"capacity": ["on-demand", "spot"]}}},
    "logs are kept longer": {"monitoring": {"log_retention_days": 90}},
    "another address for alerts": {"monitoring": {"alert_email": "sre@example.com"}},
    "keys rotate more slowly": {"keys": {"rotation_days": 180}},
    "recovery points are kept longer": {"backup": {"retention_days": 35}},
    "fewer recovery points": {"backup": {"frequency_hours": 6, "rpo_minutes": 900}},
    "proofs may be older": {"backup": {"proof_max_age_days": 15}},
    "images without a tag go sooner": {"registry": {"untagged_retention_days": 7}},
    "another serving image": {"fleet": {"images": {"serving": f"sha256:{'d' * 64}"}}},
    "another release": _service(release=RELEASE),
    "more replicas": {"pools": {"gpu": {"max_nodes": 6}}, **_service(max_replicas=3)},
    "no hours": _service(hours=None),
    "other hours": _service(hours={"start": "06:00", "end": "22:00", "time_zone": "Europe/Berlin"}),
    "a tighter objective": _service(objective={"p99_ms": 150, "availability_percent": 99.0}),
    "two instances on a GPU": _service(models={"classifier": {"gpu_memory_mib": 900, "instances": 2}}),
    "a busier fleet": _service(scaling={"busy_percent": 60}),
    "a warm replica": {"pools": {"gpu": {"max_nodes": 6}}, **_service(warm_replicas=1)},
    "another domain": _door(domain="models.example.org"),
    "more doors": _door(replicas=3),
    "the newest TLS alone": _door(tls_version="1.3"),
    "larger requests": _door(limits={"request_mib": 16}),
    "no second attempts": _door(retries={"attempts": 0}),
    "an own issuer": _door(certificate={"kind": "cert-manager", "issuer": "other-ca", "valid_days": 30}),
    "client certificates": _door(
        authentication={"kind": "mtls", "ca": "client-ca", "dns_suffix": "clients.example.com"}
    ),
    "a public door": _door(
        public={"source_ranges": ["203.0.113.0/24"], "firewall_because": "only two partners' networks come in"}
    ),
    "clients of another network": _door(client_cidrs=["10.80.0.0/16"]),
    "features live shorter": {"feature_store": {"entry_ttl_hours": 48}},
    "a canary's stricter circuit": _door(protection={"failures": 3}),
}
CATALOGUE: Final[Mapping[str, Mapping[str, Change]]] = {
    "aws": {
        **_BOTH,
        "another zone": {"zones": ["euc1-az1", "euc1-az2", "euc1-az3"]},
        "keys go later": {"keys": {"deletion_window_days": 20}},
        "another network may ask": {"cluster": {"private_cidrs": {"office": "10.96.0.0/16"}}},
        "another reader": {"cluster": {"access": {"readers": {"audit": "arn:aws:iam::111122223333:role/audit"}}}},
        "larger machines": {"pools": {"gpu": {"machine_types": ["g6.2xlarge"]}}},
    },
    "gcp": {
        **_BOTH,
        "another zone": {"zones": ["europe-west4-a", "europe-west4-b", "europe-west4-c"]},
        "zones in another order": {"zones": ["europe-west4-c", "europe-west4-b"]},
        "a larger store": {"feature_store": {"memory_gib": 8}},
        "another reader": {"cluster": {"access": {"readers": {"audit": "group:audit@example.com"}}}},
        "larger machines": {"pools": {"gpu": {"machine_types": ["g2-standard-8"]}}},
    },
}
SAMPLE: Final = 7
"""Every how many of a cloud's changes are tried in each run of the tests; `make agreement` tries them all."""


def merged(values: Change, changes: Change) -> dict[str, Any]:
    """`values` with those of `changes` over them; a part that is replaced has its kind changed too."""
    return {
        **values,
        **{
            key: merged(values[key], change) if _goes_on(values.get(key), change) else change
            for key, change in changes.items()
        },
    }


def _goes_on(value: object, change: object) -> bool:
    both = isinstance(value, Mapping) and isinstance(change, Mapping)
    return both and (value.get("kind") == change.get("kind", value.get("kind")))  # type: ignore[union-attr]
