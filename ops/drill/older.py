"""Chooses, from all versions of a harmed bucket's objects, the last good ones: by content, never by being told when.

A release's manifest is known by the digest that the stack pins, or by its claim; its files by the manifest; the
pointer by the release that it names. What nothing vouches for is taken as it was before the first version that was
refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from common.errors import UserError
from ops.drill.model import NotRecoverableError
from ops.models.claims import Claim
from ops.models.layout import POINTER_KEY, RELEASES, claim_key, manifest_key, repository_prefix
from ops.models.manifest import Manifest
from ops.models.pointer import Pointer
from ops.objects import transfer
from ops.objects.store import ObjectInfo, ObjectStore


@dataclass(frozen=True)
class Choice:
    """The version of an object that a restore takes."""

    item: ObjectInfo
    passed_over: tuple[ObjectInfo, ...]
    """Newer ones, which are not good."""


@dataclass
class Chosen:
    """What was chosen, and what cannot be had."""

    choices: dict[str, Choice] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    """Objects of which no good version is kept."""

    def refused(self) -> Iterator[ObjectInfo]:
        """Versions that are newer than a chosen one, and not good."""
        for choice in self.choices.values():
            yield from choice.passed_over


class Versions:
    """All kept versions of a bucket's objects, each hashed at most once."""

    def __init__(self, store: ObjectStore) -> None:
        self.store = store
        self._by_key: dict[str, list[ObjectInfo]] = {}
        for item in store.versions():
            self._by_key.setdefault(item.key, []).append(item)
        for items in self._by_key.values():
            items.sort(
                key=lambda item: item.modified, reverse=True
            )  # listings are newest first where times are equal

    def names(self) -> Sequence[str]:
        """Every object's, in order."""
        return sorted(self._by_key)

    def of(self, key: str) -> Sequence[ObjectInfo]:
        """An object's versions, newest first."""
        return self._by_key.get(key, ())

    def with_digest(self, key: str, size: int, sha256: str) -> Choice | None:
        """The newest version of this content."""
        return self._first(key, lambda item: item.size == size and self.store.sha256(key, item.version) == sha256)

    def readable(self, key: str) -> Iterator[tuple[Choice, bytes]]:
        """Each version with its bytes, newest first; one that cannot be read is passed over."""
        for index, item in enumerate(self.of(key)):
            try:
                data = self.store.get(key, item.version)
            except UserError:
                continue
            yield Choice(item, tuple(self.of(key)[:index])), data

    def before(self, key: str, moment: datetime | None) -> Choice | None:
        """The newest version from before a moment, or of all."""
        return self._first(key, lambda item: moment is None or item.modified < moment)

    def _first(self, key: str, good: Callable[[ObjectInfo], bool]) -> Choice | None:
        items = self.of(key)
        found = next((index for index, item in enumerate(items) if good(item)), None)
        return None if found is None else Choice(items[found], tuple(items[:found]))


def last_good(store: ObjectStore, pinned: Mapping[str, str]) -> Chosen:
    """Every release that is whole in some versions, the pointer to one of them, and what lay beside them.

    Args:
        store: a bucket that keeps versions.
        pinned: release → the SHA-256 (hex) of its manifest, as settings say.

    Raises:
        NotRecoverableError: a pinned release is not whole in any versions.
    """
    versions, chosen = Versions(store), Chosen()
    manifests: dict[str, set[str]] = {}
    for release in sorted({key.split("/")[1] for key in versions.names() if key.startswith(RELEASES)} | set(pinned)):
        found = _release(versions, release, pinned.get(release))
        if found is None and release in pinned:
            raise NotRecoverableError(
                f"no versions of the release {release!r} that are kept make up what the stack pins",
                store.uri,
                "Publish the release anew from its source, and find out who could delete versions.",
            )
        if found is not None:
            digest, choices = found
            chosen.choices |= choices
            manifests.setdefault(release, set()).add(digest)
    pointer = _pointer(versions, manifests)
    if pointer is not None:
        chosen.choices[POINTER_KEY] = pointer
    elif versions.of(POINTER_KEY):
        chosen.lost.append(POINTER_KEY)
    harmed = min((item.modified for item in chosen.refused()), default=None)
    _others(versions, chosen, set(manifests), harmed)
    return chosen


def restore(chosen: Chosen, source: ObjectStore, target: ObjectStore) -> None:
    """Copy the chosen versions, inside the cloud."""

    def copy(choice: Choice) -> None:
        item = choice.item
        target.copy(source.bucket, item.key, item.key, item.version)

    for _ in transfer.each(copy, chosen.choices.values()):
        pass


def _release(versions: Versions, release: str, pin: str | None) -> tuple[str, dict[str, Choice]] | None:
    """The newest manifest that is the pinned one, or else claimed, and of which every file is kept; and the files."""
    for choice, data in versions.readable(manifest_key(release)):
        digest = hashlib.sha256(data).hexdigest()
        try:
            manifest = Manifest.from_json(data, manifest_key(release))
        except UserError:
            continue
        claim = _claim(versions, release, digest)
        if manifest.version != release or (digest != pin if pin else claim is None):
            continue
        files = {
            key: versions.with_digest(key, file.size, file.sha256)
            for file in manifest.files
            for key in [repository_prefix(release) + file.path]
        }
        whole = {key: found for key, found in files.items() if found is not None}
        if len(whole) == len(files):
            return digest, {manifest_key(release): choice, **whole, **({claim_key(release): claim} if claim else {})}
    return None


def _claim(versions: Versions, release: str, digest: str) -> Choice | None:
    for choice, data in versions.readable(claim_key(release)):
        try:
            if Claim.model_validate_json(data).manifest_sha256 == digest:
                return choice
        except ValueError:
            continue
    return None


def _pointer(versions: Versions, manifests: Mapping[str, Iterable[str]]) -> Choice | None:
    for choice, data in versions.readable(POINTER_KEY):
        try:
            pointer = Pointer.model_validate_json(data)
        except ValueError:
            continue
        if pointer.manifest_sha256 in manifests.get(pointer.version, ()):
            return choice
    return None


def _others(versions: Versions, chosen: Chosen, releases: set[str], harmed: datetime | None) -> None:
    """What no digest vouches for: as it was before the harm. What the harm brought along has no such version."""
    for key in versions.names():
        within = key.startswith(RELEASES) and key.split("/")[1] in releases
        if key in chosen.choices or key == POINTER_KEY or (key.startswith(RELEASES) and not within):
            continue
        choice = versions.before(key, harmed)
        if choice is not None:
            chosen.choices[key] = choice
