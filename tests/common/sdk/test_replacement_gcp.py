"""Which changes replace Google Cloud's resources: a table that names real arguments and covers every known type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from common.sdk.replacement_gcp import REPLACE_ON
from common.sdk.types import schema_of
from localcloud.gcp.provider import EMULATED, GcpProvider
from localcloud.gcp.recorded import RECORDED
from localcloud.providers.diffing import decide
from localcloud.providers.store import Store

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
KNOWN = {*EMULATED, *RECORDED}


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GcpProvider:
    """A provider whose emulator nobody asks."""
    monkeypatch.setenv("SEAWALL_LOCAL_GCP_URL", "http://127.0.0.1:1")
    return GcpProvider(Store(tmp_path / "store.sqlite3"))


def known_argument(token: str, path: str) -> bool:
    """Whether the SDK has an argument of this dotted path."""
    schema = schema_of(token)
    fields: Mapping[str, Any] | None = schema.inputs if schema else None
    for part in path.split("."):
        if not fields or part not in fields:
            return False
        kind = fields[part][0]
        while isinstance(kind, list) and kind[0] == "list":
            kind = kind[1]
        fields = schema.objects.get(kind[1]) if schema and isinstance(kind, list) and kind[0] == "object" else None
    return True


@pytest.mark.parametrize("token", sorted(REPLACE_ON))
def test_every_replacing_argument_exists(token: str) -> None:
    assert [p for p in REPLACE_ON[token] if not known_argument(token, p)] == []


def test_every_known_type_says_what_replaces_it() -> None:
    assert set(REPLACE_ON) == KNOWN


def test_every_type_of_the_golden_stacks_is_known() -> None:
    used = {
        title.split(" ")[0]
        for title in json.loads((GOLDEN / "gcp.json").read_text())["resources"]
        if title.startswith("gcp:")
    }
    assert "gcp:storage/bucket:Bucket" in used
    assert used - KNOWN == set()


def difference(provider: GcpProvider, token: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Any:
    name = provider.name_property(token)
    return decide(old, new, replace_on=provider.replace_on(token), name_property=name)


@pytest.mark.parametrize(
    ("token", "argument", "old", "new"),
    [
        ("gcp:storage/bucket:Bucket", "location", "europe-west1", "europe-west4"),
        ("gcp:storage/bucket:Bucket", "name", "a", "b"),
        ("gcp:kms/cryptoKey:CryptoKey", "destroyScheduledDuration", "86400s", "2592000s"),
        ("gcp:kms/keyRing:KeyRing", "location", "europe-west1", "europe-west4"),
        ("gcp:redis/instance:Instance", "tier", "BASIC", "STANDARD_HA"),
        ("gcp:redis/instance:Instance", "customerManagedKey", "a", "b"),
        ("gcp:container/cluster:Cluster", "network", "a", "b"),
        ("gcp:container/nodePool:NodePool", "nodeConfig", {"spot": True}, {"spot": False}),
        ("gcp:artifactregistry/repository:Repository", "kmsKeyName", "a", "b"),
        ("gcp:gkebackup/backupPlan:BackupPlan", "location", "a", "b"),
        ("gcp:storage/bucketIAMMember:BucketIAMMember", "role", "a", "b"),
        ("gcp:redis/instance:Instance", "project", "a", "b"),
        ("gcp:firestore/database:Database", "cmekConfig", {"kmsKeyName": "a"}, {"kmsKeyName": "b"}),
        ("gcp:bigtable/instance:Instance", "clusters", [{"kmsKeyName": "a"}], [{"kmsKeyName": "b"}]),
    ],
)
def test_what_the_real_provider_replaces_is_replaced(
    provider: GcpProvider, token: str, argument: str, old: Any, new: Any
) -> None:
    assert difference(provider, token, {argument: old}, {argument: new}).replaces


@pytest.mark.parametrize(
    ("token", "argument", "old", "new"),
    [
        ("gcp:storage/bucket:Bucket", "versioning", {"enabled": True}, {"enabled": False}),
        ("gcp:kms/cryptoKey:CryptoKey", "rotationPeriod", "86400s", "172800s"),
        ("gcp:redis/instance:Instance", "memorySizeGb", 1, 2),
        ("gcp:container/cluster:Cluster", "minMasterVersion", "1.34", "1.35"),
        ("gcp:container/nodePool:NodePool", "nodeConfig", {"machineType": "a"}, {"machineType": "b"}),
        ("gcp:storage/transferJob:TransferJob", "status", "ENABLED", "DISABLED"),
        ("gcp:cloudscheduler/job:Job", "schedule", "0 * * * *", "0 0 * * *"),
        ("gcp:firestore/database:Database", "deleteProtectionState", "A", "B"),
        ("gcp:bigtable/instance:Instance", "clusters", [{"numNodes": 1}], [{"numNodes": 2}]),
        ("gcp:bigtable/gCPolicy:GCPolicy", "gcRules", "{}", '{"mode": "union"}'),
    ],
)
def test_what_the_real_provider_updates_is_updated(
    provider: GcpProvider, token: str, argument: str, old: Any, new: Any
) -> None:
    assert not difference(provider, token, {argument: old}, {argument: new}).replaces


def test_a_replacement_that_keeps_its_name_deletes_first(provider: GcpProvider) -> None:
    old = {"name": "models", "location": "a"}
    found = difference(provider, "gcp:storage/bucket:Bucket", old, {**old, "location": "b"})
    assert found.delete_before_replace
