"""What `gcloud` commands stand for: the REST calls that each makes, with every option of it taken or refused.

`gcloud` cannot be installed by a lock file, so nothing here shows that it takes an option; what each means is by its
reference (cloud.google.com/sdk/gcloud/reference: storage, redis instances, kms keys versions; synopses read
2026-11-21, the values of options believed).
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any, Final
from urllib.parse import quote

from common.gcp_api import GcpApi

SWITCHES: Final = frozenset(
    {
        "--uniform-bucket-level-access",
        "--public-access-prevention",
        "--versioning",
        "--recursive",
        "--all-versions",
        "--long",
        "--enable-auth",
        "--allow-overwrite",
    }
)
"""Options without a value."""
PERIODS: Final = {"1h": "ONE_HOUR", "6h": "SIX_HOURS", "12h": "TWELVE_HOURS", "24h": "TWENTY_FOUR_HOURS"}
TIERS: Final = {"standard": "STANDARD_HA", "basic": "BASIC"}


@dataclass
class Given:
    """What a command is given; each translation takes what it knows, and nothing may be left."""

    words: list[str]
    options: dict[str, str]

    def take(self, option: str) -> str:
        return self.options.pop(option)

    def switch(self, option: str) -> bool:
        return self.options.pop(option, None) is not None


def ask(api: GcpApi, text: str) -> Any:
    """Make the calls of one command whose variables and words are filled in.

    Raises:
        KeyError: the command is not known, or lacks an option.
        AssertionError: it has an option that is not known.
    """
    parts = shlex.split(text)[1:]
    name = next(known for known in sorted(KNOWN, key=len, reverse=True) if tuple(parts[: len(known)]) == known)
    given = Given([], {})
    rest = iter(parts[len(name) :])
    for part in rest:
        if part.startswith("--"):
            given.options[part] = "" if part in SWITCHES else next(rest)
        else:
            given.words.append(part)
    answer = KNOWN[name](api, given)
    assert not given.options, f"{text}: {sorted(given.options)}"
    return answer


def is_known(text: str) -> bool:
    """Whether there is a translation of this command."""
    parts = tuple(shlex.split(text)[1:])
    return any(parts[: len(known)] == known for known in KNOWN)


def _split(uri: str) -> tuple[str, str, str]:
    """Bucket, key (or pattern), generation."""
    path, _, generation = uri.removeprefix("gs://").partition("#")
    bucket, _, key = path.partition("/")
    return bucket, key, generation


def _create_bucket(api: GcpApi, given: Given) -> Any:
    bucket, _, _ = _split(given.words[0])
    body = {
        "name": bucket,
        "location": given.take("--location"),
        "encryption": {"defaultKmsKeyName": given.take("--default-encryption-key")},
        "iamConfiguration": {
            "uniformBucketLevelAccess": {"enabled": given.switch("--uniform-bucket-level-access")},
            "publicAccessPrevention": "enforced" if given.switch("--public-access-prevention") else "inherited",
        },
    }
    return api.post("storage", "storage/v1/b", body, params={"project": given.take("--project")})


def _update_bucket(api: GcpApi, given: Given) -> Any:
    change = {"versioning": {"enabled": given.switch("--versioning")}}
    return api.patch("storage", f"storage/v1/b/{_split(given.words[0])[0]}", change)


def _rsync(api: GcpApi, given: Given) -> Any:
    assert given.switch("--recursive")
    (source, _, _), (into, _, _) = (_split(uri) for uri in given.words)
    for item in api.list("storage", f"storage/v1/b/{source}/o", "items"):
        _rewrite(api, (source, item["name"], ""), (into, item["name"], ""))


def _copy(api: GcpApi, given: Given) -> Any:
    source, into = (_split(uri) for uri in given.words)
    return _rewrite(api, source, into)


def _rewrite(api: GcpApi, source: tuple[str, str, str], into: tuple[str, str, str]) -> Any:
    path = f"storage/v1/b/{source[0]}/o/{quote(source[1], safe='')}/rewriteTo/b/{into[0]}/o/{quote(into[1], safe='')}"
    return api.post("storage", path, {}, params={"sourceGeneration": source[2]} if source[2] else None)


def _ls(api: GcpApi, given: Given) -> Any:
    bucket, pattern, _ = _split(given.words[0])
    given.switch("--long")
    query = {"versions": "true"} if given.switch("--all-versions") else None
    items = api.list("storage", f"storage/v1/b/{bucket}/o", "items", query)
    return [item for item in items if fnmatch(item["name"], pattern.replace("**", "*"))]


def _bind(api: GcpApi, given: Given) -> Any:
    path = f"storage/v1/b/{_split(given.words[0])[0]}/iam"
    policy = api.get("storage", path)
    binding = {"role": given.take("--role"), "members": [given.take("--member")]}
    policy.setdefault("bindings", []).append(binding)
    return api.put("storage", path, policy)


def _restore_deleted(api: GcpApi, given: Given) -> Any:
    """The newest of each object; one that lives is overwritten."""
    assert given.switch("--allow-overwrite")
    bucket, pattern, _ = _split(given.words[0])
    assert pattern == "**"
    deleted = api.list("storage", f"storage/v1/b/{bucket}/o", "items", {"softDeleted": "true"})
    newest = {item["name"]: item["generation"] for item in sorted(deleted, key=lambda item: int(item["generation"]))}
    for name, generation in newest.items():
        path = f"storage/v1/b/{bucket}/o/{quote(name, safe='')}/restore"
        api.post("storage", path, {}, params={"generation": generation})


def _instance(given: Given) -> str:
    parent = f"projects/{given.take('--project')}/locations/{given.take('--region')}"
    return f"{parent}/instances/{given.words[-1]}"


def _create_instance(api: GcpApi, given: Given) -> Any:
    parent, _, name = _instance(given).rpartition("/instances/")
    config = dict(each.split("=", 1) for each in given.take("--redis-config").split(","))
    body = {
        "tier": TIERS[given.take("--tier")],
        "memorySizeGb": int(given.take("--size")),
        "redisVersion": given.take("--redis-version").upper(),
        "authorizedNetwork": given.take("--network"),
        "connectMode": given.take("--connect-mode"),
        "authEnabled": given.switch("--enable-auth"),
        "transitEncryptionMode": given.take("--transit-encryption-mode"),
        "persistenceConfig": {
            "persistenceMode": given.take("--persistence-mode"),
            "rdbSnapshotPeriod": PERIODS[given.take("--rdb-snapshot-period")],
        },
        "customerManagedKey": given.take("--customer-managed-key"),
        "redisConfigs": config,
    }
    return api.wait("redis", api.post("redis", f"v1/{parent}/instances", body, params={"instanceId": name}))


def _describe_instance(api: GcpApi, given: Given) -> Any:
    field = given.take("--format").removeprefix("value(").removesuffix(")")
    return api.get("redis", f"v1/{_instance(given)}")[field]


def _import(api: GcpApi, given: Given) -> Any:
    source = {"inputConfig": {"gcsSource": {"uri": given.words[0]}}}
    return api.wait("redis", api.post("redis", f"v1/{_instance(given)}:import", source))


def _key_version(given: Given) -> str:
    ring = (
        f"projects/{given.take('--project')}/locations/{given.take('--location')}/keyRings/{given.take('--keyring')}"
    )
    return f"v1/{ring}/cryptoKeys/{given.take('--key')}/cryptoKeyVersions/{given.words[0]}"


def _restore_key(api: GcpApi, given: Given) -> Any:
    return api.post("kms", f"{_key_version(given)}:restore", {})


def _enable_key(api: GcpApi, given: Given) -> Any:
    return api.patch("kms", _key_version(given), {"state": "ENABLED"}, params={"updateMask": "state"})


KNOWN: Final[Mapping[tuple[str, ...], Callable[[GcpApi, Given], Any]]] = {
    ("storage", "buckets", "create"): _create_bucket,
    ("storage", "buckets", "update"): _update_bucket,
    ("storage", "buckets", "add-iam-policy-binding"): _bind,
    ("storage", "rsync"): _rsync,
    ("storage", "cp"): _copy,
    ("storage", "ls"): _ls,
    ("storage", "restore"): _restore_deleted,
    ("redis", "instances", "create"): _create_instance,
    ("redis", "instances", "describe"): _describe_instance,
    ("redis", "instances", "import"): _import,
    ("kms", "keys", "versions", "restore"): _restore_key,
    ("kms", "keys", "versions", "enable"): _enable_key,
}
