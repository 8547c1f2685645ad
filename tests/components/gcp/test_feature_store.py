"""The feature store: its certificates, and how it is reached."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from pulumi_gcp.redis.outputs import InstanceServerCaCert

from components.contracts.backup import tiers
from components.contracts.feature_store import FeatureStoreKind
from components.contracts.vocabulary import Cloud
from components.gcp.feature_store.firestore import COLLECTION
from components.gcp.feature_store.memorystore import ca_bundle


def test_during_a_rotation_both_certificates_are_trusted() -> None:
    old, new = InstanceServerCaCert(cert="old"), InstanceServerCaCert(cert="new")
    assert ca_bundle([old, new]) == "old\nnew"


def test_before_the_first_certificate_nothing_is_trusted() -> None:
    assert ca_bundle(None) == ""


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("tier", "STANDARD_HA"),
        ("authEnabled", True),
        ("transitEncryptionMode", "SERVER_AUTHENTICATION"),
        ("connectMode", "PRIVATE_SERVICE_ACCESS"),
        ("persistenceConfig.persistenceMode", "RDB"),
        ("deletionProtection", True),
    ],
)
def test_the_store_is_safe_by_default(gcp_platform: Any, path: str, value: object) -> None:
    (instance,) = gcp_platform.inventory.of_type("gcp:redis/instance:Instance")
    assert instance.get(path) == value


def test_the_standby_lies_in_another_zone(gcp_platform: Any) -> None:
    (instance,) = gcp_platform.inventory.of_type("gcp:redis/instance:Instance")
    assert instance.get("locationId") != instance.get("alternativeLocationId")


@pytest.fixture
def firestore(plan_platform: Any, stores: Any) -> Any:
    """The development stack with Firestore."""
    cloud, changes = stores[FeatureStoreKind.FIRESTORE]
    return plan_platform(cloud, **changes)


@pytest.mark.parametrize("kind", ["redis", "bigtable"])
@pytest.mark.parametrize("zones", ["cba", "ab", "bc", "ac"])
def test_zones_of_machines_may_change_and_the_store_stays(
    plan_platform: Any, stores: Any, kind: str, zones: str
) -> None:
    def stores_of(letters: str) -> list[Any]:
        named = [f"europe-west4-{letter}" for letter in letters]
        changes = {**stores[kind][1], "zones": named, "pools": {"gpu": {"zones": []}}}
        planned = plan_platform(Cloud.GCP, "prod", **changes).inventory
        found = planned.of_type("gcp:redis/instance:Instance", "gcp:bigtable/instance:Instance")
        return [(resource.type, resource.inputs) for resource in found]

    assert stores_of(zones) == stores_of("abc") != [], "its zones replace it"


def test_firestores_exports_reach_the_backup_region(firestore: Any) -> None:
    inventory = firestore.inventory
    regions = {b.get("name"): b.region for b in inventory.of_type("gcp:storage/bucket:Bucket")}
    found = set()
    for job in inventory.of_type("gcp:cloudscheduler/job:Job"):
        asked = json.loads(base64.b64decode(job.get("httpTarget.body")))
        written = asked["outputUriPrefix"].removeprefix("gs://")
        (sink,) = (
            j.get("transferSpec.gcsDataSink")
            for j in inventory.of_type("gcp:storage/transferJob:TransferJob")
            if j.get("transferSpec.gcsDataSource.bucketName") == written
        )
        assert sink["bucketName"] == firestore.refs.backup.vault
        assert (regions[written], regions[sink["bucketName"]]) == (
            firestore.place.region,
            firestore.place.backup_region,
        )
        found.add(sink["path"])
    assert found == {f"{tier.name}/" for tier in tiers(firestore.settings.backup)}


def test_firestores_exports_hold_the_rows_that_the_server_reads(firestore: Any) -> None:
    job, *_ = firestore.inventory.of_type("gcp:cloudscheduler/job:Job")
    asked = json.loads(base64.b64decode(job.get("httpTarget.body")))
    fields = firestore.inventory.of_type("gcp:firestore/field:Field")
    assert asked["collectionIds"] == [COLLECTION] == sorted({field.get("collection") for field in fields})


def test_firestore_is_backed_up_beside_the_database_each_day(firestore: Any) -> None:
    (schedule,) = firestore.inventory.of_type("gcp:firestore/backupSchedule:BackupSchedule")
    assert schedule.get("dailyRecurrence") is not None and schedule.get("weeklyRecurrence") is None


def test_who_reads_from_firestore_reads_the_stacks_own_database_alone(firestore: Any) -> None:
    (grant,) = (g for g in firestore.inventory.resources if g.get("role") == "roles/datastore.viewer")
    database = f"projects/{firestore.place.account}/databases/{firestore.refs.feature_store.name}"
    assert grant.get("condition.expression") == f'resource.name == "{database}"'
