"""What a Memorystore instance may be, and what the API shows of it; limits and defaults are the API's.

https://cloud.google.com/memorystore/docs/redis/reference/rest/v1/projects.locations.instances
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from localcloud.gcp import clock

TLS_PORT: Final = 6378
PLAIN_PORT: Final = 6379
VERSIONS: Final = ("REDIS_3_2", "REDIS_4_0", "REDIS_5_0", "REDIS_6_X", "REDIS_7_0", "REDIS_7_2")
_CONFIGS: Final = frozenset(
    {
        "activedefrag",
        "lfu-decay-time",
        "lfu-log-factor",
        "maxmemory-gb",
        "maxmemory-policy",
        "notify-keyspace-events",
        "stream-node-max-bytes",
        "stream-node-max-entries",
        "timeout",
    }
)


def private_host(name: str) -> str:
    """A private address that depends on the instance's name alone."""
    digest = hashlib.sha256(name.encode()).digest()
    return f"10.{128 + digest[0] % 96}.{digest[1]}.{4 + digest[2] % 248}"


def instance_problem(body: Mapping[str, Any]) -> str | None:
    """Why an instance cannot be like this, or None."""
    tier = body.get("tier", "BASIC")
    size = body.get("memorySizeGb")
    if tier not in ("BASIC", "STANDARD_HA"):
        return f"tier {tier!r} is not BASIC or STANDARD_HA."
    if not isinstance(size, int) or not 1 <= size <= 300:
        return f"memorySizeGb {size!r} is not between 1 and 300."
    if body.get("redisVersion", VERSIONS[-1]) not in VERSIONS:
        return f"redisVersion {body['redisVersion']!r} is not one of {', '.join(VERSIONS)}."
    if body.get("connectMode", "DIRECT_PEERING") not in ("DIRECT_PEERING", "PRIVATE_SERVICE_ACCESS"):
        return f"connectMode {body['connectMode']!r} is not DIRECT_PEERING or PRIVATE_SERVICE_ACCESS."
    if body.get("transitEncryptionMode", "DISABLED") not in ("DISABLED", "SERVER_AUTHENTICATION"):
        return f"transitEncryptionMode {body['transitEncryptionMode']!r} is not DISABLED or SERVER_AUTHENTICATION."
    unknown = sorted(set(body.get("redisConfigs") or {}) - _CONFIGS)
    if unknown:
        return f"redisConfigs {', '.join(unknown)} are not supported."
    limit = (body.get("redisConfigs") or {}).get("maxmemory-gb")
    if limit is not None and not _is_part_of(str(limit), size):
        return f"redisConfigs maxmemory-gb {limit!r} is not a number above 0 and up to memorySizeGb, {size}."
    if body.get("readReplicasMode") == "READ_REPLICAS_ENABLED" and (tier != "STANDARD_HA" or size < 5):
        return "read replicas need tier STANDARD_HA and at least 5 GB."
    return None


def _is_part_of(limit: str, size: int) -> bool:
    try:
        return 0 < float(limit) <= size
    except ValueError:
        return False


def new_instance(name: str, location: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The instance as the API shows it once it is ready."""
    tls = body.get("transitEncryptionMode") == "SERVER_AUTHENTICATION"
    zone = body.get("locationId") or f"{location}-b"
    tenant = int(hashlib.sha256(name.rsplit("/", 2)[0].encode()).hexdigest()[:10], 16)
    persistence = dict(body.get("persistenceConfig") or {"persistenceMode": "DISABLED"})
    if persistence.get("persistenceMode") == "RDB":
        persistence.setdefault("rdbSnapshotPeriod", "TWENTY_FOUR_HOURS")
        persistence.setdefault("rdbSnapshotStartTime", clock.now_text())
        persistence.setdefault("rdbNextSnapshotTime", persistence["rdbSnapshotStartTime"])
    host = private_host(name)
    return {
        "tier": "BASIC",
        "redisVersion": "REDIS_7_2",
        "connectMode": "DIRECT_PEERING",
        "transitEncryptionMode": "DISABLED",
        "readReplicasMode": "READ_REPLICAS_DISABLED",
        "authEnabled": False,
        "reservedIpRange": f"{host.rsplit('.', 1)[0]}.0/29",
        **body,
        "name": name,
        "locationId": zone,
        "currentLocationId": zone,
        "host": host,
        "port": TLS_PORT if tls else PLAIN_PORT,
        "state": "READY",
        "createTime": clock.now_text(),
        "persistenceIamIdentity": f"serviceAccount:{tenant}-compute@developer.gserviceaccount.com",
        "persistenceConfig": persistence,
        "nodes": [{"id": "node-0", "zone": zone}],
    }


def ca_view(pem: str) -> dict[str, str]:
    """A `TlsCertificate` of the API."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    return {
        "serialNumber": str(certificate.serial_number),
        "cert": pem,
        "createTime": clock.text(certificate.not_valid_before_utc),
        "expireTime": clock.text(certificate.not_valid_after_utc),
        "sha1Fingerprint": certificate.fingerprint(hashes.SHA1()).hex(),  # noqa: S303 - the API's field
    }
