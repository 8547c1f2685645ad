"""Publishes model repositories as immutable releases in a bucket, and says which one is current.

The bucket's layout:

    releases/<version>/claim.json        written first: which content this version is going to hold
    releases/<version>/repository/…      the model repository, as Triton serves it
    releases/<version>/manifest.json     written last: the release is complete, and never changes again
    current.json                         which release is current

Readers take `current.json`, or a version that they were given, and then the manifest: each is one object, so a
reader sees a whole release or none, whenever a publisher stops.

`current.json` is the operators' word on which release is good. No pod reads it: a fleet serves what its settings pin,
version and digest, so that a bucket's writer cannot change what is served, and a roll-out or a roll-back of the fleet
is a change of the settings that is reviewed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from common.errors import UserError
from ops.models.manifest import Manifest, build_manifest, check_version
from ops.objects import transfer
from ops.objects.store import ChecksumMismatchError, ObjectExistsError, ObjectMissingError, ObjectStore

POINTER_KEY = "current.json"
RELEASES = "releases/"


class Pointer(BaseModel):
    """The content of `current.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    manifest_sha256: str
    previous: str | None = None
    """What was current before; `rollback` goes there."""


class Claim(BaseModel):
    """The content of `claim.json`: only one content can be published under a version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    manifest_sha256: str


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


def release_prefix(version: str) -> str:
    return f"{RELEASES}{version}/"


def repository_prefix(version: str) -> str:
    return f"{release_prefix(version)}repository/"


def manifest_key(version: str) -> str:
    return f"{release_prefix(version)}manifest.json"


def claim_key(version: str) -> str:
    return f"{release_prefix(version)}claim.json"


def release_uri(store: ObjectStore, version: str) -> str:
    """Where a release lies, as the pods' init container takes it."""
    return f"{store.uri}/{release_prefix(version).rstrip('/')}"


def publish(
    store: ObjectStore, folder: Path, version: str, *, switch: bool = True, replace_unfinished: bool = False
) -> Publication:
    """Publishes the model repository in `folder` as the release `version`, and makes it current.

    Can be run again after an interruption; a release that is complete already is left alone.

    Args:
        switch: make it the current release.
        replace_unfinished: if an earlier publication of *other* content under this version never finished, discard
            what it left. Nobody may be publishing it still.

    Raises:
        UserError: the folder is no model repository or changed meanwhile, the version holds other content, or the
            bucket cannot be used.
    """
    manifest = build_manifest(folder, version)
    existing = read_manifest(store, version)
    if existing is None:
        _claim(store, manifest, replace_unfinished)
        # Whoever held the claim before may have finished between the two reads.
        existing = read_manifest(store, version)
    if existing is None:
        _upload(store, folder, manifest)
    elif existing != manifest:
        raise _holds_other_content(store, version)
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


def _claim(store: ObjectStore, manifest: Manifest, replace_unfinished: bool) -> None:
    key = claim_key(manifest.version)
    claim = Claim(manifest_sha256=manifest.sha256)
    data = claim.model_dump_json().encode()
    try:
        store.put(key, data, only_create=True)
        return
    except ObjectExistsError:
        found = _read(store, key)
    if found == data:
        return
    if not replace_unfinished:
        raise UserError(
            f"another publication of {manifest.version!r}, with other content, has begun and not finished",
            f"{store.uri}/{release_prefix(manifest.version)}",
            "Wait for it, choose another version, or discard what it left with --replace-unfinished.",
        )
    transfer.empty(store, repository_prefix(manifest.version))
    store.put(key, data)


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
    found = {item.key.removeprefix(prefix): item.size for item in store.list(prefix)}
    if found != {file.path: file.size for file in manifest.files}:
        raise UserError(
            f"{store.uri}/{prefix} does not hold what was uploaded: another program writes there",
            str(folder),
            "Stop it, and run the command again with --replace-unfinished.",
        )
    try:
        store.put(manifest_key(manifest.version), manifest.to_json(), only_create=True)
    except ObjectExistsError as error:
        if read_manifest(store, manifest.version) != manifest:
            raise _holds_other_content(store, manifest.version) from error


def switch_to(store: ObjectStore, manifest: Manifest) -> None:
    """Makes a complete release the current one; no write if it is."""
    current = read_pointer(store)
    if current is not None and current.version == manifest.version:
        return
    pointer = Pointer(
        version=manifest.version,
        manifest_sha256=manifest.sha256,
        previous=current.version if current else None,
    )
    store.put(POINTER_KEY, pointer.model_dump_json(indent=1).encode())


def rollback(store: ObjectStore, version: str | None = None) -> Pointer:
    """Makes an earlier release current: `version`, or the one that was current before this one.

    Raises:
        UserError: there is none, it is not complete, or objects of it are gone.
    """
    current = read_pointer(store)
    wanted = version or (current.previous if current else None)
    if wanted is None:
        raise UserError(
            "there is no earlier release to go back to", f"{store.uri}/{POINTER_KEY}", "Name one with --to."
        )
    manifest = read_manifest(store, check_version(wanted))
    if manifest is None:
        raise _no_release(store, wanted)
    prefix = repository_prefix(wanted)
    found = {item.key.removeprefix(prefix): item.size for item in store.list(prefix)}
    lost = [file.path for file in manifest.files if found.get(file.path) != file.size]
    if lost:
        raise UserError(
            f"{len(lost)} objects of the release {wanted!r} are missing or have another size, first {lost[0]!r}",
            f"{store.uri}/{prefix}",
            "Restore them, or name another release with --to.",
        )
    switch_to(store, manifest)
    pointer = read_pointer(store)
    assert pointer is not None, "written above"  # noqa: S101 (for the type checker)
    return pointer


def releases(store: ObjectStore) -> list[Release]:
    """Every release in the bucket, unfinished ones included, in the order of their names."""
    pointer = read_pointer(store)
    versions = sorted({item.key.split("/")[1] for item in store.list(RELEASES) if item.key.count("/") >= 2})
    return [Release(version, read_manifest(store, version), _is_current(pointer, version)) for version in versions]


def verify(store: ObjectStore, version: str) -> Verification:
    """Reads every object of a release and compares it with the manifest.

    Raises:
        UserError: there is no such release, or it is not complete.
    """
    manifest = read_manifest(store, check_version(version))
    if manifest is None:
        raise _no_release(store, version)
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
    data = _read(store, key)
    if data is None:
        return None
    manifest = Manifest.from_json(data, f"{store.uri}/{key}")
    if manifest.version != version:
        raise UserError(
            f"the manifest is that of {manifest.version!r}", f"{store.uri}/{key}", "Publish under another version."
        )
    return manifest


def read_pointer(store: ObjectStore) -> Pointer | None:
    """Which release is current; None before the first publication.

    Raises:
        UserError: the pointer cannot be read.
    """
    data = _read(store, POINTER_KEY)
    if data is None:
        return None
    try:
        return Pointer.model_validate_json(data)
    except ValidationError as error:
        raise UserError(
            "the pointer to the current release cannot be read",
            f"{store.uri}/{POINTER_KEY}",
            "Delete that object, then choose a release with `seawall models rollback STACK --to VERSION`.",
        ) from error


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
        raise _no_release(store, pointer.version)
    if manifest.sha256 != pointer.manifest_sha256:
        raise UserError(
            f"the manifest of {pointer.version!r} is not the one that was published",
            f"{store.uri}/{manifest_key(pointer.version)}",
            "Restore it from the bucket's older versions, or roll back to another release.",
        )
    return manifest


def _read(store: ObjectStore, key: str) -> bytes | None:
    try:
        return store.get(key)
    except ObjectMissingError:
        return None
    except ChecksumMismatchError as error:
        raise UserError(
            "the object is not what was written: its checksum does not match",
            f"{store.uri}/{key}",
            "Restore it from the bucket's older versions.",
        ) from error


def _is_current(pointer: Pointer | None, version: str) -> bool:
    return pointer is not None and pointer.version == version


def _no_release(store: ObjectStore, version: str) -> UserError:
    return UserError(
        f"there is no complete release {version!r}",
        f"{store.uri}/{release_prefix(version)}",
        "See what there is with `seawall models list STACK`, or publish it.",
    )


def _holds_other_content(store: ObjectStore, version: str) -> UserError:
    return UserError(
        f"the release {version!r} exists with other content, and releases never change",
        f"{store.uri}/{release_prefix(version)}",
        "Publish under a new version.",
    )
