"""Verifies what stands before the loss, so that a corruption is found there and not "restored": releases and rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from common.attestation.problems import RefusedError, UnreadableError
from common.attestation.trust import Trust
from common.errors import UserError
from ops.drill.comparing import digests_check
from ops.drill.model import Check, ExpectedObject
from ops.features.rows import Row, numbers
from ops.models import releases
from ops.models.claims import read_claim
from ops.models.lineage import provenance
from ops.models.manifest import Manifest
from ops.models.pointer import look
from ops.objects.store import ObjectStore

SOUND: Final = (
    "release.pinned",
    "release.intact",
    "release.claim",
    "release.signed",
    "release.pointer",
    "release.previous",
    "rows.before",
)
"""Checks of data: where one fails, nothing may be lost, as it would be "restored" as it is."""
SIGNED: Final = "signed by whom the stack trusts"
UNASKED: Final = "the stack asks for no signature"
OVERDUE_S: Final = 7 * 86_400
"""DynamoDB "typically" removes a row within 48 hours of its end (awsdocs/amazon-dynamodb-developer-guide of 2023-06,
howitworks-ttl.md, read 2026-11-21): a week is long."""


def release_checks(
    bucket: ObjectStore,
    objects: Mapping[str, ExpectedObject],
    pins: Mapping[str, str],
    trust: Trust | None,
) -> Iterator[Check]:
    """Every complete release, those that the fleet's services are pinned to, the current one, and the one before it.

    Args:
        pins: version → digest of what the services serve.
        objects: everything in the bucket by its key, each read in full.
        trust: whose signature the stack's fleet asks for; None where it asks for none.
    """
    whole: dict[str, Manifest] = {}
    for version in _versions(objects):
        subject = f"{bucket.uri}, release {version}"
        try:
            manifest = releases.read_manifest(bucket, version)
        except UserError as error:
            yield Check("release.intact", "whole", None, error.what, subject)
            continue
        if manifest is None:
            continue
        whole[version] = manifest
        yield _intact(manifest, objects, subject)
        yield Check("release.claim", "same", manifest.sha256, _claim(bucket, version), subject)
    digests = {version: manifest.sha256 for version, manifest in whole.items()}
    for version, digest in pins.items():
        subject = f"{bucket.uri}, the fleet's release {version}"
        yield Check("release.pinned", "same", digest, digests.get(version), subject)
    yield from _pointer_checks(bucket, digests)
    for version in sorted({*pins, *_pointed_at(bucket)}):
        yield _signed(bucket, version, whole.get(version), trust)


def _pointed_at(bucket: ObjectStore) -> tuple[str, ...]:
    """The current release and the one that a rollback returns to; others may bear the key of a publisher who left."""
    pointer = look(bucket).pointer
    return (pointer.version, *([pointer.previous] if pointer.previous else [])) if pointer else ()


def _signed(bucket: ObjectStore, version: str, manifest: Manifest | None, trust: Trust | None) -> Check:
    """Whether a fleet would serve the release: a restored one without its signature starts no pod."""
    subject = f"{bucket.uri}, release {version}"
    if trust is None:
        return Check("release.signed", "same", UNASKED, UNASKED, subject)
    if manifest is None:
        return Check("release.signed", "same", SIGNED, "there is no complete release", subject)
    try:
        provenance(bucket, manifest, trust)
    except (RefusedError, UnreadableError) as error:
        return Check("release.signed", "same", SIGNED, error.what, subject)
    return Check("release.signed", "same", SIGNED, SIGNED, subject)


def _versions(objects: Mapping[str, ExpectedObject]) -> list[str]:
    keys = (key.removeprefix(releases.RELEASES) for key in objects if key.startswith(releases.RELEASES))
    return sorted({key.partition("/")[0] for key in keys if "/" in key})


def _intact(manifest: Manifest, objects: Mapping[str, ExpectedObject], subject: str) -> Check:
    prefix = releases.repository_prefix(manifest.version)
    wanted = {file.path: file.sha256 for file in manifest.files}
    found = {key.removeprefix(prefix): item.sha256 for key, item in objects.items() if key.startswith(prefix)}
    return digests_check("release.intact", subject, wanted, found)


def _claim(bucket: ObjectStore, version: str) -> str | None:
    claim = read_claim(bucket, version)
    return claim and claim.manifest_sha256


def _pointer_checks(bucket: ObjectStore, whole: Mapping[str, str]) -> Iterator[Check]:
    subject = f"{bucket.uri}/{releases.POINTER_KEY}"
    try:
        pointer = releases.read_pointer(bucket)
    except UserError as error:
        yield Check("release.pointer", "same", "a pointer", error.what, subject)
        pointer = None
    else:
        told = pointer and {"version": pointer.version, "manifest_sha256": pointer.manifest_sha256}
        there = pointer and {"version": pointer.version, "manifest_sha256": whole.get(pointer.version)}
        yield Check("release.pointer", "same", told or "a pointer", there or "no pointer", subject)
    former = pointer.history[0] if pointer and pointer.history else None
    wanted = former and {"version": former.version, "manifest_sha256": former.manifest_sha256 or "any"}
    found = whole.get(former.version) if former else None
    kept = found if former is None or former.manifest_sha256 or found is None else "any"
    complete = former and {"version": former.version, "manifest_sha256": kept}
    yield Check("release.previous", "same", wanted, complete, f"{subject}, what a rollback returns to")


def rows_check(subject: str, rows: Mapping[str, Row], loaded: int, now_s: float) -> Check:
    """Production's own feature rows: as many live ones as the last load wrote, readable, each with an end.

    Args:
        loaded: rows of the largest load that is still in force, by the store's own note; 0 where there is none.
    """
    ends = {entity: row.expires_at for entity, row in rows.items() if row.expires_at is not None}
    return Check(
        "rows.before",
        "rows",
        {"at_least": max(1, loaded)},
        {
            "live": sum(at > now_s for at in ends.values()),
            "unreadable": sorted(entity for entity, row in rows.items() if numbers(row.features) is None),
            "overdue": sorted(entity for entity, at in ends.items() if at < now_s - OVERDUE_S),
            "without_end": sorted(rows.keys() - ends.keys()),
        },
        subject,
    )
