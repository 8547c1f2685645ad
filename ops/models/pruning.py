"""Removes old releases of a bucket, and never one that something needs.

A release is marked in its claim first, only over the claim as it was read; then its manifest goes, so that no reader
sees a part of it, then its files. Whoever switches writes the pointer and reads the claim; whoever prunes writes the
claim and reads the pointer: of two at once, one sees the other and gives way. What a kill leaves is marked, and the
next run goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final, Literal

from common.errors import UserError
from ops.models.claims import Claim, parsed
from ops.models.layout import RELEASES, claim_key, manifest_key, read_tagged, release_prefix
from ops.models.pointer import Pointer, damaged, look, replaced
from ops.models.releases import read_manifest
from ops.objects.store import ObjectChangedError, ObjectExistsError, ObjectInfo, ObjectStore
from ops.objects.transfer import each

PUBLISHING: Final = timedelta(days=1)
"""A publication that wrote something within this time may still go on."""
_ATTEMPTS: Final = 8
State = Literal["complete", "unfinished", "removal begun", "unreadable"]


@dataclass(frozen=True)
class Need:
    """That something needs a release, named by version or by its manifest's digest."""

    release: str
    why: str


@dataclass(frozen=True)
class Stored:
    """A release that takes up room in the bucket."""

    version: str
    state: State
    manifest_sha256: str | None
    at: datetime
    """When its manifest was written, or the last of its objects where it has none."""
    size: int
    """In bytes, of all its objects."""
    problem: str = ""


@dataclass(frozen=True)
class Verdict:
    """Whether a release goes, and why."""

    release: Stored
    goes: bool
    why: tuple[str, ...]


@dataclass(frozen=True)
class Rules:
    """What may go at all."""

    keep: int
    """So many of the newest stay, and so many of those that were current last."""
    older_than: timedelta
    needs: Sequence[Need]


@dataclass(frozen=True)
class Pruned:
    """What became of a release that was to go."""

    version: str
    objects: int
    size: int
    """In bytes, of the removed objects."""
    old_versions: int | None
    """Of its objects, which the bucket keeps until its lifecycle removes them; None if that is not known."""
    kept_after_all: str = ""
    """Why it is still there: somebody came to need it meanwhile."""


class _GivenWayError(Exception):
    """Somebody else needs the release, or has taken it over."""


def stored(store: ObjectStore) -> list[Stored]:
    """Every release that has more than a claim, by its name.

    Raises:
        UserError: the bucket cannot be used.
    """
    items = (item for item in store.list(RELEASES) if item.key.count("/") >= 2)
    grouped = groupby(items, key=lambda item: item.key.split("/")[1])
    return [found for version, of in grouped if (found := _stored(store, version, list(of)))]


def _stored(store: ObjectStore, version: str, items: Sequence[ObjectInfo]) -> Stored | None:
    written = {item.key: item.modified for item in items}
    size = sum(item.size for item in items)
    last = max(written.values())
    try:
        found = read_tagged(store, claim_key(version))
        manifest = read_manifest(store, version)
    except UserError as error:
        return Stored(version, "unreadable", None, last, size, error.what)
    claim = parsed(found.data) if found else None
    if found is not None and claim is None:
        return Stored(version, "unreadable", None, last, size, "its claim cannot be read")
    if claim is not None and claim.pruned_at:
        gone = written.keys() <= {claim_key(version)}
        return None if gone else Stored(version, "removal begun", manifest and manifest.sha256, last, size)
    if manifest is None:
        return Stored(version, "unfinished", None, last, size)
    return Stored(version, "complete", manifest.sha256, written.get(manifest_key(version), last), size)


def judged(found: Sequence[Stored], pointer: Pointer | None, rules: Rules, now: datetime) -> list[Verdict]:
    """Which releases go, the newest first. Pure."""
    newest = sorted(found, key=lambda each: (each.at, each.version), reverse=True)
    complete = [each.version for each in newest if each.state == "complete"]
    return [_judged(each, pointer, rules, now, complete) for each in newest]


def _judged(
    release: Stored, pointer: Pointer | None, rules: Rules, now: datetime, complete: Sequence[str]
) -> Verdict:
    needed = tuple(_needed(release, pointer, rules))
    if release.state == "removal begun":
        if needed and release.manifest_sha256:
            return Verdict(release, goes=False, why=needed)
        lost = tuple(f"{why}: publish it again afterwards" for why in needed)
        return Verdict(release, goes=True, why=("its removal has begun", *lost))
    kept = (*needed, *_recent(release, rules, now, complete))
    if kept:
        return Verdict(release, goes=False, why=kept)
    gone = "never finished" if release.state == "unfinished" else "old, and nothing needs it"
    return Verdict(release, goes=True, why=(gone,))


def _needed(release: Stored, pointer: Pointer | None, rules: Rules) -> Iterator[str]:
    version = release.version
    if pointer is not None and pointer.version == version:
        yield "it is the current release"
    last = [each.version for each in pointer.history[: max(1, rules.keep)]] if pointer else []
    if version in last:
        steps = last.index(version) + 1
        yield "a rollback goes there" if steps == 1 else f"{steps} rollbacks go there"
    for need in rules.needs:
        if need.release in (version, release.manifest_sha256):
            yield need.why
    if release.state == "unreadable":
        yield f"it cannot be judged: {release.problem}"


def _recent(release: Stored, rules: Rules, now: datetime, complete: Sequence[str]) -> Iterator[str]:
    age = now - release.at
    if release.state == "unfinished" and age < PUBLISHING:
        yield "it may be being published"
    elif release.version in complete[: rules.keep]:
        yield f"one of the newest {rules.keep}"
    elif age < rules.older_than:
        yield f"younger than {rules.older_than.days} days"


def plan(store: ObjectStore, rules: Rules, now: datetime) -> list[Verdict]:
    """Judge every release in the bucket; writes nothing.

    Raises:
        UserError: the pointer, which says where a rollback goes, cannot be read, or the bucket cannot be used.
    """
    seen = look(store)
    if seen.damaged:
        raise damaged(store)
    return judged(stored(store), seen.pointer, rules, now)


def begin(store: ObjectStore, rules: Rules, now: datetime) -> list[Verdict]:
    """`plan`, and take what goes off the pointer's history, so that no rollback ends in a hole.

    Raises:
        UserError: as `plan`, or the pointer changes all the time.
    """
    for _ in range(_ATTEMPTS):
        seen = look(store)
        verdicts = plan(store, rules, now)
        if seen.damaged or look(store) != seen:
            continue
        going = {verdict.release.version for verdict in verdicts if verdict.goes}
        if seen.pointer is None or not going & {each.version for each in seen.pointer.history}:
            return verdicts
        history = tuple(each for each in seen.pointer.history if each.version not in going)
        if replaced(store, seen, seen.pointer.model_copy(update={"history": history})):
            return verdicts
    raise UserError(
        "the pointer to the current release was changed each time that it was read",
        store.uri,
        "Let no one publish meanwhile, then run the command again.",
    )


def remove(store: ObjectStore, release: Stored, now: datetime) -> Pruned:
    """Remove one release that goes by `begin`, unless somebody has come to need it since.

    Raises:
        UserError: the bucket cannot be used, or a lock keeps its objects; run again, it goes on.
    """
    version = release.version
    try:
        mark = _marked(store, release, now)
        _check_unneeded(store, release, mark)
        sizes = _emptied(store, version, mark)
    except _GivenWayError as error:
        return Pruned(version, 0, 0, None, str(error))
    return Pruned(version, len(sizes), sum(sizes.values()), _old_versions(store, version))


def take_back(store: ObjectStore, release: Stored) -> bool:
    """Unmark a release whose removal began, and which is needed; False if somebody else changed its claim."""
    found = read_tagged(store, claim_key(release.version))
    claim = parsed(found.data) if found else None
    return claim is None or not claim.pruned_at or _unmarked(store, release.version, claim)


def _marked(store: ObjectStore, release: Stored, now: datetime) -> Claim:
    """The claim that says that the release is being removed, by this run alone."""
    key = claim_key(release.version)
    found = read_tagged(store, key)
    held = parsed(found.data) if found else None
    if bool(held and held.pruned_at) is not (release.state == "removal begun"):
        raise _GivenWayError("another run removes it, or publishes it again")
    manifest = read_manifest(store, release.version)
    if (manifest and manifest.sha256) != release.manifest_sha256:
        raise _GivenWayError("its publication has gone on meanwhile")
    digest = held.manifest_sha256 if held else release.manifest_sha256
    if digest is None:
        raise _GivenWayError("it has neither a claim nor a manifest, so nobody knows whose it is")
    mark = Claim(manifest_sha256=digest, pruned_at=now.isoformat())
    try:
        store.put(key, mark.to_json(), only_create=found is None, only_over=found.tag if found else None)
    except (ObjectChangedError, ObjectExistsError) as error:
        raise _GivenWayError("another run removes it, or publishes it again") from error
    return mark


def _check_unneeded(store: ObjectStore, release: Stored, mark: Claim) -> None:
    """Give way to whoever switched to the release before the mark was there to be seen."""
    seen = look(store)
    pointed = {seen.pointer.version, *(each.version for each in seen.pointer.history)} if seen.pointer else set()
    if (seen.damaged or release.version in pointed) and read_manifest(store, release.version) is not None:
        _unmarked(store, release.version, mark)
        raise _GivenWayError("somebody has switched meanwhile, and the pointer names it")


def _unmarked(store: ObjectStore, version: str, mark: Claim) -> bool:
    key = claim_key(version)
    found = read_tagged(store, key)
    if found is None or parsed(found.data) != mark:
        return False
    try:
        store.put(key, Claim(manifest_sha256=mark.manifest_sha256).to_json(), only_over=found.tag)
    except ObjectChangedError:
        return False
    return True


def _emptied(store: ObjectStore, version: str, mark: Claim) -> Mapping[str, int]:
    """Delete everything but the claim, the manifest before all else; the sizes of what was deleted."""
    deleted: dict[str, int] = {}
    kept = claim_key(version)

    def delete(item: ObjectInfo) -> ObjectInfo:
        found = read_tagged(store, kept)
        if found is None or parsed(found.data) != mark:
            raise _GivenWayError("another run goes on with it")
        store.delete(item.key)
        return item

    manifest = store.head(manifest_key(version))
    if manifest is not None:
        deleted[manifest.key] = delete(manifest).size
    for _ in range(_ATTEMPTS):
        rest = [item for item in store.list(release_prefix(version)) if item.key != kept]
        if not rest:
            return deleted
        deleted |= {item.key: item.size for item in each(delete, rest)}
    raise UserError(
        f"objects of {version!r} appear each time that they are removed",
        f"{store.uri}/{release_prefix(version)}",
        "Stop what writes there, then run the command again.",
    )


def _old_versions(store: ObjectStore, version: str) -> int | None:
    """How many versions of a removed release the bucket keeps; None if the caller may not ask."""
    try:
        return sum(1 for item in store.versions(release_prefix(version)) if item.key != claim_key(version))
    except UserError:
        return None
