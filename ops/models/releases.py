"""Publishes model repositories as immutable releases in a bucket, and says which one is current.

Readers take `current.json`, or a version that they were given, and then the manifest: each is one object, so a
reader sees a whole release or none, whenever a publisher stops. Where they lie: `ops.models.layout`.

`current.json` is the operators' word on which release is good. No pod reads it: a fleet serves what its settings pin,
version and digest, so that a bucket's writer cannot change what is served, and a roll-out or a roll-back of the fleet
is a change of the settings that is reviewed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from common.attestation.signers import Signing
from common.attestation.trust import Trust
from common.errors import UserError
from components.contracts.model_versions import release_order
from ops.models import claims
from ops.models.layout import (
    POINTER_KEY,
    RELEASES,
    holds_other_content,
    manifest_key,
    no_release,
    read_object,
    release_prefix,
    release_uri,
    repository_prefix,
)
from ops.models.lineage import Origin, is_signed, provenance, sign
from ops.models.manifest import Manifest, build_manifest, check_version
from ops.models.pointer import Pointer, gone_back, look, read_pointer, replaced, switch_to
from ops.objects import transfer
from ops.objects.store import ChecksumMismatchError, ObjectExistsError, ObjectStore

__all__ = [
    "Publication",
    "Release",
    "Verification",
    "compare",
    "current_manifest",
    "download_release",
    "publish",
    "read_manifest",
    "read_pointer",
    "release_prefix",
    "release_uri",
    "releases",
    "repository_prefix",
    "rollback",
    "switch_to",
    "verify",
]


@dataclass(frozen=True)
class Publication:
    """What `publish` did. `is_new` is false if this release existed already, with the same content."""

    version: str
    uri: str
    """Where it lies, as the pods' init container takes it."""
    manifest_sha256: str
    files: int
    size: int
    """In bytes."""
    is_new: bool
    is_current: bool


@dataclass(frozen=True)
class Release:
    """A release in a bucket; `manifest` is None while it is not complete."""

    version: str
    manifest: Manifest | None
    is_current: bool
    is_pruned: bool = False


@dataclass(frozen=True)
class Verification:
    """A release's objects against its manifest; every object was read in full."""

    version: str
    expected: int
    verified: int
    size: int
    """Of the verified objects, in bytes."""
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    mismatched: tuple[str, ...]

    @property
    def is_intact(self) -> bool:
        return not (self.missing or self.extra or self.mismatched)


def publish(
    store: ObjectStore,
    folder: Path,
    version: str,
    *,
    switch: bool = True,
    replace_unfinished: bool = False,
    signing: Signing | None = None,
    origin: Callable[[Manifest], Origin] = lambda _: Origin(None, "the publisher told none"),
) -> Publication:
    """Publishes the model repository in `folder` as the release `version`, and makes it current.

    Can be run again after an interruption; a release that is complete already is left alone, but signed if nobody
    did so.

    Args:
        switch: make it the current release.
        replace_unfinished: if an earlier publication of *other* content under this version never finished, discard
            what it left. Nobody may be publishing it still.
        signing: who signs it; None leaves it unsigned, which a fleet serves only where its settings say so.
        origin: where the model comes from, of its manifest.

    Raises:
        UserError: the folder is no model repository or changed meanwhile, the version holds other content, or the
            bucket cannot be used.
    """
    manifest = build_manifest(folder, version)
    comes_from = origin(manifest)
    claims.check_removed(store, version)
    existing = read_manifest(store, version)
    if existing is None:
        existing = _claim(store, manifest, replace_unfinished)
    if existing is not None and existing != manifest:
        raise holds_other_content(store, version)
    if existing is None:
        _upload(store, folder, manifest)
        if signing is not None:
            sign(store, manifest, comes_from, signing)
        _complete(store, manifest)
    elif signing is not None and not is_signed(store, manifest):
        sign(store, manifest, comes_from, signing)
    if switch:
        switch_to(store, manifest)
    return Publication(
        version=version,
        uri=release_uri(store, version),
        manifest_sha256=manifest.sha256,
        files=len(manifest.files),
        size=manifest.size,
        is_new=existing is None,
        is_current=_is_current(read_pointer(store), version),
    )


def _claim(store: ObjectStore, manifest: Manifest, replace_unfinished: bool) -> Manifest | None:
    """Claim the version; the manifest of whoever held it before, if they have finished after all."""
    discards = claims.take(store, manifest, replace=replace_unfinished)
    # Once the claim is taken nobody else finishes: what is there now decides, and only then is anything discarded.
    existing = read_manifest(store, manifest.version)
    if existing is None and discards:
        transfer.empty(store, repository_prefix(manifest.version))
    return existing


def _upload(store: ObjectStore, folder: Path, manifest: Manifest) -> None:
    prefix = repository_prefix(manifest.version)
    try:
        transfer.upload(store, {prefix + file.path: (folder / file.path, file.sha256) for file in manifest.files})
    except (ChecksumMismatchError, FileNotFoundError) as error:
        raise UserError(
            f"the model repository changed while it was published: {error}",
            str(folder),
            "Let no other program write there, and run the command again with --replace-unfinished.",
        ) from error
    if not claims.holds(store, manifest):
        raise claims.lost(store, manifest.version)
    found = {item.key.removeprefix(prefix): item.size for item in store.list(prefix)}
    if found != {file.path: file.size for file in manifest.files}:
        raise UserError(
            f"{store.uri}/{prefix} does not hold what was uploaded: another program writes there",
            str(folder),
            "Stop it, and run the command again with --replace-unfinished.",
        )


def _complete(store: ObjectStore, manifest: Manifest) -> None:
    """Write the manifest, last of all, unless somebody has taken the version over."""
    if not claims.holds(store, manifest):
        raise claims.lost(store, manifest.version)
    try:
        store.put(manifest_key(manifest.version), manifest.to_json(), only_create=True)
    except ObjectExistsError as error:
        if read_manifest(store, manifest.version) != manifest:
            raise holds_other_content(store, manifest.version) from error
    if not claims.holds(store, manifest):
        # Taken over between the two: what the other one discards or uploads is not this manifest's.
        store.delete(manifest_key(manifest.version))
        raise claims.lost(store, manifest.version)


def rollback(store: ObjectStore, version: str | None = None, trust: Trust | None = None) -> Pointer:
    """Makes an earlier release current: `version`, or the one that was current before this one.

    It is read in full and verified before anything is switched. What is left is not gone back to. With `version`, a
    pointer that cannot be read is written anew.

    Args:
        trust: whose signature it must bear; None where the stack's settings ask for none.

    Raises:
        UserError: there is none, it is not complete or not intact, or somebody else switched meanwhile.
    """
    seen = look(store)
    if seen.damaged and version is None:
        read_pointer(store)  # raises
    wanted = version or (seen.pointer.previous if seen.pointer else None)
    if wanted is None:
        raise UserError(
            "there is no earlier release to go back to", f"{store.uri}/{POINTER_KEY}", "Name one with --to."
        )
    manifest = _sound(store, check_version(wanted), seen.pointer, trust)
    if seen.pointer is not None and seen.pointer.version == manifest.version:
        return seen.pointer
    fresh = gone_back(seen.pointer, manifest)
    if not replaced(store, seen, fresh):
        raise UserError(
            "somebody else made another release the current one meanwhile, so nothing was switched",
            f"{store.uri}/{POINTER_KEY}",
            "See which is current with `seawall models list STACK`, then run the command again.",
        )
    return fresh


def verified(store: ObjectStore, version: str, trust: Trust | None) -> Manifest:
    """The manifest of a release that may be served: complete, read in full and intact, and signed by who is trusted.

    Raises:
        UserError: it is not.
    """
    return _sound(store, check_version(version), look(store).pointer, trust)


def _sound(store: ObjectStore, version: str, pointer: Pointer | None, trust: Trust | None) -> Manifest:
    """The manifest of a release that may be gone back to; raises UserError for one that may not."""
    manifest = read_manifest(store, version)
    if manifest is None:
        raise no_release(store, version)
    claims.check_not_pruned(store, version)
    known = {each.version: each.manifest_sha256 for each in pointer.history} if pointer else {}
    if known.get(version) not in (None, manifest.sha256):
        raise UserError(
            f"the manifest of {version!r} is not the one that was current",
            f"{store.uri}/{manifest_key(version)}",
            "Restore it from the bucket's older versions, or name another release with --to.",
        )
    if trust is not None:
        provenance(store, manifest, trust)
    checked = compare(store, manifest)
    if not checked.is_intact:
        lost = (*checked.missing, *checked.mismatched, *checked.extra)
        raise UserError(
            f"{len(lost)} objects of {version!r} are missing, changed or do not belong there, first {lost[0]!r}",
            f"{store.uri}/{repository_prefix(version)}",
            "Restore them, or name another release with --to.",
        )
    return manifest


def releases(store: ObjectStore) -> list[Release]:
    """Every release in the bucket, unfinished ones included, oldest version first."""
    pointer = look(store).pointer
    found = {item.key.split("/")[1] for item in store.list(RELEASES) if item.key.count("/") >= 2}
    versions = sorted(found, key=release_order)
    return [_release(store, version, _is_current(pointer, version)) for version in versions]


def _release(store: ObjectStore, version: str, is_current: bool) -> Release:
    manifest = read_manifest(store, version)
    claim = None if manifest else claims.read_claim(store, version)
    return Release(version, manifest, is_current, is_pruned=claim is not None and claim.pruned_at is not None)


def verify(store: ObjectStore, version: str) -> Verification:
    """Reads every object of a release and compares it with the manifest.

    Raises:
        UserError: there is no such release, or it is not complete.
    """
    manifest = read_manifest(store, check_version(version))
    if manifest is None:
        raise no_release(store, version)
    return compare(store, manifest)


def compare(store: ObjectStore, manifest: Manifest) -> Verification:
    """Reads every object that `manifest` names from `store`, which may be another bucket than it came from."""
    prefix = repository_prefix(manifest.version)
    present = {item.key.removeprefix(prefix) for item in store.list(prefix)}
    expected = {file.path: file for file in manifest.files}
    found = transfer.digests(store, [prefix + path for path in sorted(present & expected.keys())])
    digests = {key.removeprefix(prefix): digest for key, digest in found.items()}
    missing = {path for path in expected if digests.get(path) is None}
    mismatched = {path for path in expected.keys() - missing if digests[path] != expected[path].sha256}
    verified = expected.keys() - missing - mismatched
    return Verification(
        version=manifest.version,
        expected=len(expected),
        verified=len(verified),
        size=sum(expected[path].size for path in verified),
        missing=tuple(sorted(missing)),
        extra=tuple(sorted(present - expected.keys())),
        mismatched=tuple(sorted(mismatched)),
    )


def download_release(store: ObjectStore, manifest: Manifest, folder: Path) -> None:
    """Writes a release's model repository to `folder`, every file checked.

    Raises:
        ObjectMissingError, ChecksumMismatchError: the release is not intact.
    """
    prefix = repository_prefix(manifest.version)
    transfer.download(store, {prefix + file.path: (folder / file.path, file.sha256) for file in manifest.files})


def read_manifest(store: ObjectStore, version: str) -> Manifest | None:
    """The manifest of a release; None if the release does not exist or is not complete.

    Raises:
        UserError: it cannot be read, or belongs to another version.
    """
    key = manifest_key(version)
    data = read_object(store, key)
    if data is None:
        return None
    manifest = Manifest.from_json(data, f"{store.uri}/{key}")
    if manifest.version != version:
        raise UserError(
            f"the manifest is that of {manifest.version!r}", f"{store.uri}/{key}", "Publish under another version."
        )
    return manifest


def current_manifest(store: ObjectStore) -> Manifest | None:
    """The manifest of the current release; None before the first publication.

    Raises:
        UserError: the pointer names a release that is not there, or is not the one that was published.
    """
    pointer = read_pointer(store)
    if pointer is None:
        return None
    manifest = read_manifest(store, pointer.version)
    if manifest is None:
        raise no_release(store, pointer.version)
    if manifest.sha256 != pointer.manifest_sha256:
        raise UserError(
            f"the manifest of {pointer.version!r} is not the one that was published",
            f"{store.uri}/{manifest_key(pointer.version)}",
            "Restore it from the bucket's older versions, or roll back to another release.",
        )
    return manifest


def _is_current(pointer: Pointer | None, version: str) -> bool:
    return pointer is not None and pointer.version == version
