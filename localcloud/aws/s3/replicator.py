"""Carries out S3 replication in the background, after writes to buckets with a configuration: late, in no order."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import xmltodict
from moto.s3.models import FakeDeleteMarker, FakeKey

from localcloud.aws.decisions import KeyView
from localcloud.aws.iam.judge import Judge
from localcloud.aws.late import LateWork
from localcloud.aws.s3 import replication
from localcloud.aws.s3.replication import BucketView, ObjectView
from localcloud.aws.s3.rights import Copy, may_copy_tags, may_replicate
from localcloud.aws.state import AwsState
from localcloud.decisions import Decision

if TYPE_CHECKING:
    from moto.s3.models import FakeBucket

_log = logging.getLogger(__name__)

_STATUS = "seawall_replication_status"
"""Attribute on moto's object versions, so that it is kept with them."""


def status_of(version: object) -> str | None:
    """`COMPLETED`, `FAILED`, `PENDING`, `REPLICA`, or None if no rule is meant for the version."""
    return getattr(version, _STATUS, None)


class Replicator:
    """Copies versions one by one, each in its own time: in no order, as S3."""

    def __init__(self, state: AwsState) -> None:
        self._state = state
        self._judge = Judge(state)
        self._work = LateWork("s3-replication", state.lock)
        self.resume()

    def written(self, bucket: str, key: str | None) -> None:
        """Note that a key, or with None any key, of a bucket was written."""
        found = self._state.bucket(bucket)
        if found is None or not getattr(found, "replication", None):
            return
        for version in _versions(found, key):
            if status_of(version) is None and _is_newest(found, version):
                self._mark_pending(found, version)
        self._schedule(found, key)

    def may_change(self, method: str, bucket_name: str, query: Mapping[str, str], body: bytes) -> Decision:
        """Whether S3 takes a change of a bucket's versioning or replication; yes for any other call."""
        bucket = self._state.bucket(bucket_name)
        if method != "PUT" or bucket is None:
            return Decision(True, "no such change")
        if "versioning" in query:
            asked = xmltodict.parse(body).get("VersioningConfiguration") or {}
            return replication.may_version(str(asked.get("Status")), bool(_configuration(bucket)))
        if "replication" in query:
            rules = replication.rules(xmltodict.parse(body).get("ReplicationConfiguration"))
            targets = [self._state.bucket(replication.destination_bucket(rule)) for rule in rules]
            return replication.may_configure(_seen(bucket), [_seen(t) if t is not None else None for t in targets])
        return Decision(True, "no such change")

    def resume(self) -> None:
        """Go on with what waits, after a region came back."""
        for bucket in list(self._state.backend("s3", "aws").buckets.values()):
            if _configuration(bucket):
                self._schedule(bucket, None)

    def drain(self) -> None:
        """Have everything noted be done."""
        self._work.drain()

    def _mark_pending(self, bucket: FakeBucket, version: Any) -> None:
        item = self._view(bucket, version)
        if any(replication.applies(rule, item) for rule in replication.rules(_configuration(bucket))):
            setattr(version, _STATUS, "PENDING")

    def _schedule(self, bucket: FakeBucket, key: str | None) -> None:
        for version in _versions(bucket, key):
            if status_of(version) == "PENDING":
                self._work.later(partial(self._replicate, bucket.name, version))

    def _replicate(self, bucket_name: str, version: Any) -> None:
        bucket = self._state.bucket(bucket_name)
        if bucket is None or self._state.is_lost(bucket.region_name) or self._waits(bucket):
            return
        # It may have been done already, or be gone: a deleted version is not replicated.
        if status_of(version) != "PENDING" or not any(version is v for v in _versions(bucket, version.name)):
            return
        decision = self._copy(bucket, version)
        setattr(version, _STATUS, "COMPLETED" if decision else "FAILED")
        if not decision:
            _log.warning("%s/%s is not replicated: %s", bucket_name, version.name, decision.reason)

    def _waits(self, source: FakeBucket) -> bool:
        """Whether a destination does not answer; S3 tries again for as long as that lasts."""
        names = (replication.destination_bucket(rule) for rule in replication.rules(_configuration(source)))
        targets = (self._state.bucket(name) for name in names)
        return self._state.is_lost(*(target.region_name for target in targets if target is not None))

    def _copy(self, source: FakeBucket, version: Any) -> Decision:
        item = self._view(source, version)
        outcome = Decision(False, "no rule applies any more")
        done: set[str] = set()
        for rule in replication.rules(_configuration(source)):
            name = replication.destination_bucket(rule)
            if name in done or not replication.applies(rule, item):
                continue
            target = self._state.bucket(name)
            key_id = replication.replica_key_id(rule)
            region = target.region_name if target else source.region_name
            outcome = replication.can_replicate(
                rule,
                item,
                _seen(source),
                _seen(target) if target else None,
                self._key(key_id, region, must_be_in=region) if key_id else None,
            )
            if not outcome or target is None:
                return outcome
            copy = self._on_its_way(source, target, version, item, key_id)
            outcome = may_replicate(self._judge, copy)
            if not outcome:
                return outcome
            _put_replica(target, version, key_id if item.kms_key is not None else "")
            if item.tags and may_copy_tags(self._judge, copy):
                self._tag(target, version, item.tags)
            done.add(name)
        return outcome

    def _on_its_way(
        self, source: FakeBucket, target: FakeBucket, version: Any, item: ObjectView, key_id: str
    ) -> Copy:
        encrypted = item.kms_key is not None and not item.is_delete_marker
        return Copy(
            role=str((_configuration(source) or {}).get("Role") or ""),
            source=source.name,
            source_region=source.region_name,
            target=target.name,
            target_region=target.region_name,
            key=version.name,
            is_delete_marker=item.is_delete_marker,
            source_key=self._key_arn(version.kms_key_id, source.region_name) if encrypted else "",
            target_key=self._key_arn(key_id, target.region_name) if encrypted else "",
            source_has_bucket_key=encrypted and bool(version.bucket_key_enabled),
            target_has_bucket_key=_has_bucket_key(target),
            source_is_locked=bool(source.object_lock_enabled),
        )

    def _key_arn(self, key_id: str, region: str) -> str:
        key = self._state.key(key_id, region)
        return key.arn if key is not None else key_id

    def _tag(self, target: FakeBucket, version: Any, tags: Mapping[str, str]) -> None:
        replica = next(v for v in _versions(target, version.name) if v.version_id == version.version_id)
        tagger = self._state.backend("s3", "aws").tagger
        tagger.tag_resource(replica.arn, [{"Key": k, "Value": v} for k, v in tags.items()])

    def _view(self, bucket: FakeBucket, version: Any) -> ObjectView:
        if isinstance(version, FakeDeleteMarker):
            return ObjectView(version.name, {}, None, is_delete_marker=True)
        tagger = self._state.backend("s3", "aws").tagger
        kms = version.encryption in ("aws:kms", "aws:kms:dsse") and version.kms_key_id
        return ObjectView(
            key=version.name,
            tags=tagger.get_tag_dict_for_resource(version.arn),
            kms_key=self._key(version.kms_key_id, bucket.region_name) if kms else None,
            is_replica=status_of(version) == "REPLICA",
        )

    def _key(self, key_id: str, region: str, must_be_in: str | None = None) -> KeyView:
        key = self._state.key(key_id, region)
        if key is not None and must_be_in is not None and key.region != must_be_in:
            return KeyView(f"{key_id} in {must_be_in}", "")
        return KeyView(key_id, key.key_state if key else "")


def _configuration(bucket: FakeBucket) -> Any:
    return getattr(bucket, "replication", None)


def _seen(bucket: FakeBucket) -> BucketView:
    return BucketView(bucket.name, bucket.is_versioned, bool(bucket.object_lock_enabled))


def _versions(bucket: FakeBucket, key: str | None) -> list[Any]:
    names = [key] if key is not None else list(bucket.keys)
    return [version for name in names for version in list(bucket.keys.getlist(name, []) or [])]


def _is_newest(bucket: FakeBucket, version: Any) -> bool:
    # Versions from before the configuration are existing objects, which S3 does not replicate.
    return bucket.keys.getlist(version.name, [])[-1] is version


def _put_replica(target: FakeBucket, version: Any, key_id: str) -> None:
    existing = list(target.keys.getlist(version.name, []) or [])
    if any(v.version_id == version.version_id for v in existing):
        return
    if isinstance(version, FakeDeleteMarker):
        # Moto asks the key that a marker stands for its name alone.
        marker: Any = FakeDeleteMarker(key=existing[-1] if existing else version.key)
        marker._version_id = version.version_id
        marker.last_modified = version.last_modified
        setattr(marker, _STATUS, "REPLICA")
        _put_in_order(target, [*existing, marker])
        return
    replica: Any = FakeKey(
        name=version.name,
        bucket_name=target.name,
        value=version.value,
        account_id=version.account_id,
        region_name=target.region_name,
        storage=version.storage_class,
        etag=version.etag.strip('"'),
        is_versioned=True,
        version_id=version.version_id,  # S3 keeps the source's version id
        encryption=version.encryption,
        kms_key_id=key_id or version.kms_key_id,
        bucket_key_enabled=version.bucket_key_enabled,
        checksum_value=version.checksum_value,
        checksum_type=version.checksum_type,
        checksum_parts=version.checksum_parts,
    )
    replica.checksum_algorithm = version.checksum_algorithm
    replica.last_modified = version.last_modified
    replica.set_metadata(dict(version.metadata))
    setattr(replica, _STATUS, "REPLICA")
    _put_in_order(target, [*existing, replica])


def _has_bucket_key(bucket: FakeBucket) -> bool:
    rule = (bucket.encryption or {}).get("Rule") or {}
    return str(rule.get("BucketKeyEnabled", "")).lower() == "true"


def _put_in_order(target: FakeBucket, versions: list[Any]) -> None:
    """A late version does not become the current one: replicas keep the moment at which their source was made."""
    ordered = sorted(versions, key=lambda version: version.last_modified)
    target.keys.setlist(ordered[0].name, ordered)
