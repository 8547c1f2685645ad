"""A drill's hands on Google Cloud: the replica bucket, Memorystore's exports, and an instance restored from one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Final

from common.errors import UserError
from common.gcp_api import GcpApi, GcpError, Service
from common.target import Target
from components.contracts.feature_store import FeatureStoreKind
from components.contracts.naming import drill_name
from components.contracts.recovery import Bound
from components.contracts.specs import StorageSpec
from ops.deployed import open_bucket
from ops.drill import gcp_deployed
from ops.drill.gcp_exports import require_no_trouble
from ops.drill.ids import drills_among, merged
from ops.drill.model import KeyFound, NotRecoverableError, RecoveryPoint, Setting
from ops.features.store import FeatureStore
from ops.objects.opening import open_store
from ops.objects.store import ObjectStore
from stacks.outputs import StackOutputs
from stacks.settings import Settings

READ_ROLES: Final = ("roles/storage.objectViewer", "roles/storage.legacyBucketReader")
_IMPORTED: Final = "drill/features.rdb"
_DRILL_LABEL: Final = "seawall-drill"
_KEPT: Final = (
    "tier",
    "memorySizeGb",
    "redisVersion",
    "authorizedNetwork",
    "connectMode",
    "authEnabled",
    "transitEncryptionMode",
    "persistenceConfig",
    "redisConfigs",
)
"""What the restored instance takes over from the lost one."""


class GcpDrill:
    """Implements `ops.drill.ports.DrillCloud`."""

    def __init__(self, outputs: StackOutputs, target: Target) -> None:
        self._outputs = outputs
        self._target = target
        self._project: str = outputs.account
        self._region: str = outputs.region
        self._far: str = outputs.backup_region
        self._recovery_key: str = outputs.keys.recovery.id
        self._api = GcpApi(target, self._project)
        self.feature_store = FeatureStore.of(outputs)
        self.primary: ObjectStore = open_bucket(outputs.model_bucket, target)
        self.replica: ObjectStore = open_bucket(outputs.model_replica, target)
        self._exports: str = outputs.backup.vault
        self._lost_instance: Mapping[str, Any] = {}

    def note_primary(self) -> Mapping[str, Any]:
        instance = self._api.get("redis", f"v1/{self.feature_store.id}")
        self._lost_instance = {key: instance[key] for key in _KEPT if key in instance}
        return self._lost_instance

    def hurry_copies(self) -> list[str]:
        job = self._outputs.model_replica.copy_job
        name = job if job.startswith("transferJobs/") else f"transferJobs/{job}"
        self._api.wait(
            "storagetransfer", self._api.post("storagetransfer", f"v1/{name}:run", {"projectId": self._project})
        )
        parent = f"projects/{self._project}/locations/{self._region}"
        self._api.post("cloudscheduler", f"v1/{parent}/jobs/{self._outputs.backup.plan}:run")
        return [f"{name}, which runs on its schedule", f"{self._outputs.backup.plan}, which exports on its schedule"]

    def recovery_point(self, since: datetime) -> RecoveryPoint | None:
        bucket = self._api.get("storage", f"storage/v1/b/{self._exports}")
        found = list(self._api.list("storage", f"storage/v1/b/{self._exports}/o", "items"))
        newest = max(found, key=lambda item: item["timeCreated"], default=None)
        created = datetime.fromisoformat(newest["timeCreated"]).astimezone(UTC) if newest else None
        if newest is None or created is None or created < since:
            require_no_trouble(self._api, self._outputs, since)
            return None
        soft_delete_s = int(bucket.get("softDeletePolicy", {}).get("retentionDurationSeconds", 0))
        held = bool(bucket.get("retentionPolicy")) or soft_delete_s > 0
        uri = f"gs://{self._exports}/{newest['name']}"
        return RecoveryPoint(uri, created, self._exports, self._far, held)

    def make_bucket(self, drill_id: str, promised: Settings) -> ObjectStore:
        further = {"lifecycle": {"rule": [_old_versions(promised.storage)]}}
        if (own := self._own_bucket(drill_id)) is None:
            return self._make_bucket(drill_id, further)
        self._api.patch("storage", f"storage/v1/b/{own.bucket}", further)  # features were restored before objects
        return own

    def _own_bucket(self, drill_id: str) -> ObjectStore | None:
        """The bucket that this drill has made already."""
        name = self._bucket_name(drill_id)
        found = self._api.find("storage", f"storage/v1/b/{name}")
        if found is None or found.get("labels", {}).get(_DRILL_LABEL) != drill_id:
            return None
        return open_store(f"gs://{name}", self._target)

    def _make_bucket(self, drill_id: str, further: Mapping[str, Any]) -> ObjectStore:
        name = self._bucket_name(drill_id)
        self._api.post(
            "storage",
            "storage/v1/b",
            {
                "name": name,
                "location": self._far,
                "encryption": {"defaultKmsKeyName": self._recovery_key},
                "versioning": {"enabled": True},
                "iamConfiguration": {
                    "uniformBucketLevelAccess": {"enabled": True},
                    "publicAccessPrevention": "enforced",
                },
                "softDeletePolicy": {"retentionDurationSeconds": gcp_deployed.SOFT_DELETE_S},
                "labels": {_DRILL_LABEL: drill_id},
                **further,
            },
            params={"project": self._project},
        )
        return open_store(f"gs://{name}", self._target)

    def restore_features(self, point: RecoveryPoint, drill_id: str) -> FeatureStore:
        parent, instance_id = f"projects/{self._project}/locations/{self._far}", self._instance_id(drill_id)
        body = {**self._lost_instance, "customerManagedKey": self._recovery_key, "labels": {_DRILL_LABEL: drill_id}}
        name = f"{parent}/instances/{instance_id}"
        try:
            self._api.wait(
                "redis",
                self._api.post("redis", f"v1/{parent}/instances", body, params={"instanceId": instance_id}),
            )
            made = self._api.get("redis", f"v1/{name}")
            self._import(name, made["persistenceIamIdentity"], point, drill_id)
        except GcpError as error:
            raise NotRecoverableError(error.what, error.where, error.remedy) from error
        return FeatureStore(FeatureStoreKind.REDIS, instance_id, self._far, name, environment={})

    def encryption(self, bucket: ObjectStore, store: FeatureStore) -> list[KeyFound]:
        items = self._api.list("storage", f"storage/v1/b/{bucket.bucket}/o", "items")
        keys = {item.get("kmsKeyName", "none").partition("/cryptoKeyVersions/")[0] for item in items}
        instance_key = self._api.get("redis", f"v1/{store.id}").get("customerManagedKey", "none")
        found = [(bucket.uri, key) for key in sorted(keys)] + [(f"instance {store.name}", instance_key)]
        return [KeyFound(resource, key, self._far) for resource, key in found]

    def deployed(self, promised: Settings) -> list[Setting]:
        return list(gcp_deployed.settings(self._api, self._outputs, promised))

    def bounds(self, promised: Settings) -> list[Bound | str]:
        return gcp_deployed.bounds(self._api, self._outputs, promised)

    def restored(self, bucket: ObjectStore, store: FeatureStore, promised: Settings) -> list[Setting]:
        kept = {"": promised.storage.noncurrent_retention_days}
        return [
            *gcp_deployed.bucket_settings(self._api, bucket.bucket, self._far, self._recovery_key, kept),
            *gcp_deployed.instance_settings(self._api, store.id, self._recovery_key, self._far),
        ]

    def off_schedule(self, point: RecoveryPoint) -> list[str]:
        """`hurry_copies` says it: nothing else starts an export."""
        del point
        return []

    def still_answering(self) -> list[str]:
        parent = f"v1/projects/{self._project}/locations/{self._region}"
        asks: tuple[tuple[Service, str], ...] = (
            ("storage", f"storage/v1/b/{self.primary.bucket}"),
            ("redis", f"v1/{self.feature_store.id}"),
            ("kms", f"v1/{self._outputs.keys.data.id}"),
            ("cloudscheduler", f"{parent}/jobs/{self._outputs.backup.plan}"),
        )
        with ThreadPoolExecutor(len(asks)) as pool:  # a lost region is asked again and again
            found = pool.map(lambda ask: self._answers(*ask), asks)
        return [service for (service, _), answers in zip(asks, found, strict=True) if answers]

    def _answers(self, service: Service, path: str) -> bool:
        """Whether a call is answered: a refusal is an answer, a server's failure and silence are none."""
        try:
            GcpApi(self._target, self._project).get(service, path)
        except GcpError as error:
            return 0 < error.code < 500
        except UserError:
            return False
        return True

    def drills(self) -> Mapping[str, list[str]]:
        prefix, parent = drill_name(self._outputs.environment), f"v1/projects/{self._project}/locations/{self._far}"
        buckets = self._api.list("storage", "storage/v1/b", "items", {"project": self._project, "prefix": prefix})
        instances = self._api.list("redis", f"{parent}/instances", "instances")
        names = [str(item["name"]).rpartition("/")[2] for item in instances]
        return merged(
            drills_among((bucket["name"] for bucket in buckets), prefix, "bucket"),
            drills_among(names, self._instance_id(""), "instance"),
        )

    def leftovers(self, drill_id: str) -> list[str]:
        return self.drills().get(drill_id, [])

    def clean_up(self, drill_id: str) -> list[str]:
        deleted = []
        for left in self.leftovers(drill_id):
            if left.startswith("bucket"):
                name = self._bucket_name(drill_id)
                with _told(left):
                    for blob in self._api.storage_client().list_blobs(name, versions=True):
                        blob.delete()
                self._api.delete("storage", f"storage/v1/b/{name}")
            else:
                self._api.wait("redis", self._api.delete("redis", f"v1/{self._instance_name(drill_id)}"))
            deleted.append(left)
        return deleted

    def versions(self) -> Mapping[str, str]:
        return {package: version(package) for package in ("google-cloud-storage", "redis", "requests")}

    def let_read(self, bucket: ObjectStore, principal: str) -> None:
        self._grant(bucket.bucket, principal)

    def _import(self, instance: str, identity: str, point: RecoveryPoint, drill_id: str) -> None:
        """From a copy in the drill's own bucket: so nobody is let into the bucket of the exports."""
        own = self._own_bucket(drill_id) or self._make_bucket(drill_id, {})
        own.copy(self._exports, point.id.removeprefix(f"gs://{self._exports}/"), _IMPORTED)
        self._grant(own.bucket, identity if ":" in identity else f"serviceAccount:{identity}")
        source = {"inputConfig": {"gcsSource": {"uri": f"{own.uri}/{_IMPORTED}"}}}
        self._api.wait("redis", self._api.post("redis", f"v1/{instance}:import", source))
        own.delete(_IMPORTED)

    def _grant(self, bucket: str, member: str) -> None:
        path = f"storage/v1/b/{bucket}/iam"
        policy = self._api.get("storage", path)
        for role in READ_ROLES:
            policy.setdefault("bindings", []).append({"role": role, "members": [member]})
        self._api.put("storage", path, policy)

    def _instance_id(self, drill_id: str) -> str:
        return f"{self._outputs.environment}-drill-{drill_id}"

    def _bucket_name(self, drill_id: str) -> str:
        return drill_name(self._outputs.environment, drill_id)

    def _instance_name(self, drill_id: str) -> str:
        return f"projects/{self._project}/locations/{self._far}/instances/{self._instance_id(drill_id)}"


def _old_versions(spec: StorageSpec) -> dict[str, Any]:
    days = spec.noncurrent_retention_days
    return {"action": {"type": "Delete"}, "condition": {"daysSinceNoncurrentTime": days, "isLive": False}}


@contextmanager
def _told(where: str) -> Iterator[None]:
    from google.api_core.exceptions import GoogleAPIError  # warns on import; the stores have loaded it quietly

    try:
        yield
    except GoogleAPIError as error:
        raise UserError(
            f"Cloud Storage refused: {error}", where, "Check the stack and the drill's rights, and run it again."
        ) from error
