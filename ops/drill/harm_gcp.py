"""What an attacker does on Google Cloud: keys, the instance, exports and their versions, versions of objects."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from common.errors import UserError
from common.gcp_api import GcpApi
from common.target import Target
from ops.drill.model import RecoveryPoint
from ops.objects.opening import open_store
from ops.objects.store import ObjectInfo, ObjectStore
from stacks.outputs import StackOutputs

SOFT_DELETED: Final = {"softDeleted": "true"}
_OLDER: Final = "drills/"
"""Where an older version of an export lies while it is imported: an import names no generation."""


class GcpHarm:
    """Implements `ops.drill.harm.Harm`."""

    def __init__(self, outputs: StackOutputs, target: Target) -> None:
        self._outputs = outputs
        self._api = GcpApi(target, outputs.account)
        self._exports: ObjectStore = open_store(f"gs://{outputs.backup.vault}", target)

    def lose_key(self, key: str) -> None:
        for version in self._key_versions(key):
            self._api.patch("kms", f"v1/{version['name']}", {"state": "DISABLED"}, params={"updateMask": "state"})
            self._api.post("kms", f"v1/{version['name']}:destroy", {})

    def bring_key_back(self, key: str) -> None:
        for version in self._key_versions(key):
            if version["state"] == "DESTROY_SCHEDULED":
                self._api.post("kms", f"v1/{version['name']}:restore", {})
            self._api.patch("kms", f"v1/{version['name']}", {"state": "ENABLED"}, params={"updateMask": "state"})

    def delete_features(self) -> None:
        self._api.wait("redis", self._api.delete("redis", f"v1/{self._outputs.feature_store.id}"))

    def points(self) -> Sequence[RecoveryPoint]:
        bucket = self._api.get("storage", f"storage/v1/b/{self._exports.bucket}")
        held = int(bucket.get("softDeletePolicy", {}).get("retentionDurationSeconds", 0)) > 0
        items = list(self._exports.versions())
        return [
            RecoveryPoint(
                f"{self._exports.uri}/{item.key}#{item.version}",
                item.modified.astimezone(UTC),
                self._exports.bucket,
                self._outputs.backup_region,
                held or bool(bucket.get("retentionPolicy")),
            )
            for item in sorted(items, key=lambda item: item.modified, reverse=True)
            if not item.key.startswith(_OLDER)
        ]

    def purge_point(self, point: RecoveryPoint) -> str:
        key, _, version = point.id.removeprefix(f"{self._exports.uri}/").rpartition("#")
        return self.purge_version(self._exports, ObjectInfo(key, 0, point.created, version))

    def purge_version(self, bucket: ObjectStore, item: ObjectInfo) -> str:
        try:
            bucket.purge(item.key, item.version or "")
        except UserError as error:
            return error.what
        kept = self._soft_deleted(bucket, item)
        return f"kept until {kept['hardDeleteTime']}, and nothing deletes it before" if kept else ""

    def bring_versions_back(self, bucket: ObjectStore) -> int:
        deleted = self._api.list("storage", f"storage/v1/b/{bucket.bucket}/o", "items", SOFT_DELETED)
        found = sorted(deleted, key=lambda item: int(item["generation"]))
        for item in found:
            path = f"storage/v1/b/{bucket.bucket}/o/{quote(item['name'], safe='')}/restore"
            self._api.post("storage", path, {}, params={"generation": item["generation"]})
        return len(found)

    def bring_points_back(self) -> int:
        return self.bring_versions_back(self._exports)

    def restorable(self, point: RecoveryPoint) -> RecoveryPoint:
        key, _, version = point.id.removeprefix(f"{self._exports.uri}/").rpartition("#")
        name = f"{_OLDER}{version}.rdb"
        self._exports.copy(self._exports.bucket, key, name, version)
        return RecoveryPoint(f"{self._exports.uri}/{name}", point.created, point.vault, point.region, point.locked)

    def clean_up(self) -> None:
        for item in list(self._exports.list(_OLDER)):
            self._exports.delete(item.key)

    def _soft_deleted(self, bucket: ObjectStore, item: ObjectInfo) -> dict[str, Any] | None:
        query = {**SOFT_DELETED, "prefix": item.key}
        deleted = self._api.list("storage", f"storage/v1/b/{bucket.bucket}/o", "items", query)
        now = datetime.now(UTC)
        return next(
            (
                one
                for one in deleted
                if (one["name"], one["generation"]) == (item.key, item.version)
                and datetime.fromisoformat(one["hardDeleteTime"]) > now
            ),
            None,
        )

    def _key_versions(self, key: str) -> list[dict[str, Any]]:
        found = self._api.list("kms", f"v1/{key}/cryptoKeyVersions", "cryptoKeyVersions")
        return [version for version in found if version["state"] != "DESTROYED"]
