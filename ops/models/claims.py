"""Which content a version is going to hold: claimed before the first file, so that publishers never mix theirs."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, ValidationError

from common.errors import UserError
from ops.models.layout import claim_key, holds_other_content, read_object, read_tagged, release_prefix
from ops.models.manifest import Manifest
from ops.objects.store import ObjectChangedError, ObjectExistsError, ObjectStore


class Claim(BaseModel):
    """The content of `claim.json`: only one content can be published under a version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    manifest_sha256: str
    pruned_at: str | None = None
    """When `prune` removed the release; its version stays taken by the same content."""

    def to_json(self) -> bytes:
        return self.model_dump_json(exclude_none=True).encode()


def read_claim(store: ObjectStore, version: str) -> Claim | None:
    """Who holds a version; None if nobody does, or nobody who can be made out."""
    data = read_object(store, claim_key(version))
    return parsed(data) if data is not None else None


def take(store: ObjectStore, manifest: Manifest, *, replace: bool) -> bool:
    """Claim the manifest's version for it; True if another content's claim was replaced, whose files must go.

    Raises:
        UserError: another content holds it.
    """
    key, claim = claim_key(manifest.version), Claim(manifest_sha256=manifest.sha256)
    try:
        store.put(key, claim.to_json(), only_create=True)
        return False
    except ObjectExistsError:
        found = read_tagged(store, key)
    held = parsed(found.data) if found else None
    if found is None or held == claim:
        return False
    is_ours = held is not None and held.manifest_sha256 == claim.manifest_sha256
    if held is not None and held.pruned_at and not is_ours:
        raise holds_other_content(store, manifest.version)
    if not (replace or is_ours):
        raise UserError(
            f"another publication of {manifest.version!r}, with other content, has begun and not finished",
            f"{store.uri}/{release_prefix(manifest.version)}",
            "Wait for it, choose another version, or discard what it left with --replace-unfinished.",
        )
    try:
        store.put(key, claim.to_json(), only_over=found.tag)
    except ObjectChangedError as error:
        raise lost(store, manifest.version) from error
    return not is_ours


def holds(store: ObjectStore, manifest: Manifest) -> bool:
    """Whether the version is still claimed for this content, and nobody removes it."""
    return read_claim(store, manifest.version) == Claim(manifest_sha256=manifest.sha256)


def check_not_pruned(store: ObjectStore, version: str) -> None:
    """Refuse a release whose removal has begun.

    Raises:
        UserError: it has.
    """
    claim = read_claim(store, version)
    if claim is not None and claim.pruned_at:
        raise being_pruned(store, version)


def check_removed(store: ObjectStore, version: str) -> None:
    """Refuse to publish again, under its version, what is only removed in part.

    Raises:
        UserError: some of it is still there.
    """
    rest = (item for item in store.list(release_prefix(version)) if item.key != claim_key(version))
    if next(rest, None) is not None:
        check_not_pruned(store, version)


def being_pruned(store: ObjectStore, version: str) -> UserError:
    return UserError(
        f"the release {version!r} was removed, or is about to be",
        f"{store.uri}/{release_prefix(version)}",
        "Run `seawall models prune STACK` to its end, then publish it again, or choose another.",
    )


def lost(store: ObjectStore, version: str) -> UserError:
    return UserError(
        f"another publication has taken the version {version!r} over meanwhile, or it was removed",
        f"{store.uri}/{release_prefix(version)}",
        "Let one publisher at a time use a version; publish under another one.",
    )


def parsed(data: bytes) -> Claim | None:
    """The claim in these bytes; None if they are none."""
    try:
        return Claim.model_validate_json(data)
    except ValidationError:
        return None
