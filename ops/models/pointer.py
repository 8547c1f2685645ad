"""Which release is current, and which were before it: one object, replaced only as it was read.

Publishing puts the release that was current on a history; rolling back takes the newest off it. So a second rollback
goes further back, and none returns to the release that was just left.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from common.errors import UserError
from ops.models.claims import check_not_pruned
from ops.models.layout import POINTER_KEY, read_tagged
from ops.models.manifest import Manifest
from ops.objects.store import ObjectChangedError, ObjectExistsError, ObjectStore

HISTORY_MAX: Final = 50
"""Releases that the pointer remembers."""
_ATTEMPTS: Final = 8


class Former(BaseModel):
    """A release that was current."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    manifest_sha256: str | None = None
    """None where a version of Seawall wrote it that kept none."""


class Pointer(BaseModel):
    """The content of `current.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    manifest_sha256: str
    history: tuple[Former, ...] = ()
    """What was current before and can be gone back to, the newest first."""

    @model_validator(mode="before")
    @classmethod
    def _reads_the_older_form(cls, data: Any) -> Any:
        if isinstance(data, dict) and "previous" in data and "history" not in data:
            previous = data.pop("previous")
            data["history"] = [{"version": previous}] if previous else []
        return data

    @property
    def previous(self) -> str | None:
        """Where `rollback` goes."""
        return self.history[0].version if self.history else None

    def to_json(self) -> bytes:
        return self.model_dump_json(indent=1).encode()


@dataclass(frozen=True)
class Seen:
    """The pointer's object as it was read."""

    tag: str | None
    """None: there is none."""
    pointer: Pointer | None
    damaged: bool = False
    """Whether there is an object that cannot be read as a pointer."""


def look(store: ObjectStore) -> Seen:
    """The pointer as it is, readable or not."""
    found = read_tagged(store, POINTER_KEY)
    if found is None:
        return Seen(None, None)
    try:
        return Seen(found.tag, Pointer.model_validate_json(found.data))
    except ValidationError:
        return Seen(found.tag, None, damaged=True)


def read_pointer(store: ObjectStore) -> Pointer | None:
    """Which release is current; None before the first publication.

    Raises:
        UserError: the pointer cannot be read.
    """
    seen = look(store)
    if seen.damaged:
        raise damaged(store)
    return seen.pointer


def damaged(store: ObjectStore) -> UserError:
    return UserError(
        "the pointer to the current release cannot be read",
        f"{store.uri}/{POINTER_KEY}",
        "Choose a release with `seawall models rollback STACK --to VERSION`, which writes a new pointer.",
    )


def switch_to(store: ObjectStore, manifest: Manifest) -> Pointer:
    """Make a complete release the current one; no write if it is. What was current is never forgotten.

    Raises:
        UserError: the pointer cannot be read, or changes all the time.
    """
    for _ in range(_ATTEMPTS):
        seen = look(store)
        if seen.damaged:
            raise damaged(store)
        current = seen.pointer
        if current is not None and current.version == manifest.version:
            return current
        left = (Former(version=current.version, manifest_sha256=current.manifest_sha256),) if current else ()
        others = (each for each in (current.history if current else ()) if each.version != manifest.version)
        fresh = Pointer(
            version=manifest.version, manifest_sha256=manifest.sha256, history=(*left, *others)[:HISTORY_MAX]
        )
        if replaced(store, seen, fresh):
            return fresh
    raise _changing(store)


def gone_back(current: Pointer | None, manifest: Manifest) -> Pointer:
    """The pointer after going back from `current` to a release: what came after it is forgotten."""
    history = current.history if current else ()
    names = [each.version for each in history]
    older = history[names.index(manifest.version) + 1 :] if manifest.version in names else history
    return Pointer(version=manifest.version, manifest_sha256=manifest.sha256, history=older)


def replaced(store: ObjectStore, seen: Seen, fresh: Pointer) -> bool:
    """Write the pointer over the one that was seen; False if that is no longer there.

    Raises:
        UserError: the release is being removed; the pointer is as it was.
    """
    try:
        if seen.tag is None:
            store.put(POINTER_KEY, fresh.to_json(), only_create=True)
        else:
            store.put(POINTER_KEY, fresh.to_json(), only_over=seen.tag)
    except (ObjectExistsError, ObjectChangedError):
        return False
    try:
        # After the write: a removal that began before is seen here, and one that begins now sees the pointer.
        check_not_pruned(store, fresh.version)
    except UserError:
        _taken_back(store, seen, fresh)
        raise
    return True


def _taken_back(store: ObjectStore, seen: Seen, fresh: Pointer) -> None:
    now = look(store)
    if now.pointer == fresh and now.tag is not None and seen.pointer is not None:
        with suppress(ObjectChangedError):
            store.put(POINTER_KEY, seen.pointer.to_json(), only_over=now.tag)


def _changing(store: ObjectStore) -> UserError:
    return UserError(
        "the pointer to the current release was changed each time that it was read",
        f"{store.uri}/{POINTER_KEY}",
        "Let one publisher at a time switch, then run the command again.",
    )
