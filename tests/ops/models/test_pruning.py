"""`models prune`: nothing that is needed goes, no reader sees a part, and whoever races with it loses nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.errors import UserError
from ops.models import pruning, releases
from ops.models.claims import read_claim
from ops.models.layout import claim_key
from ops.models.pruning import Need, Rules, Verdict

MakeRepository = Callable[..., Path]
Store = Any
NOW = datetime(2024, 3, 1, tzinfo=UTC)
"""The memory store's objects are of 1 January."""


def rules(keep: int = 1, days: int = 0, *needs: Need) -> Rules:
    return Rules(keep, timedelta(days=days), needs)


@pytest.fixture
def filled(store: Store, make_repository: MakeRepository) -> Store:
    """A bucket with 1.0.1 to 1.0.5, each current once, 1.0.5 now."""
    for version in ("1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.0.5"):
        releases.publish(store, make_repository(version), version)
    return store


def going(verdicts: list[Verdict]) -> set[str]:
    return {each.release.version for each in verdicts if each.goes}


def why(verdicts: list[Verdict], version: str) -> str:
    return "; ".join(next(each.why for each in verdicts if each.release.version == version))


def pruned(store: Store, asked: Rules, now: datetime = NOW) -> list[pruning.Pruned]:
    return [pruning.remove(store, each.release, now) for each in pruning.begin(store, asked, now) if each.goes]


def left(store: Store) -> set[str]:
    """Versions that have more than a claim."""
    return {key.split("/")[1] for key in store.objects if key.startswith("releases/") and "claim.json" not in key}


def test_the_current_release_and_where_a_rollback_goes_stay(filled: Store) -> None:
    assert going(pruning.plan(filled, rules(), NOW)) == {"1.0.1", "1.0.2", "1.0.3"}


def test_as_many_rollbacks_stay_as_are_kept(filled: Store) -> None:
    verdicts = pruning.plan(filled, rules(3), NOW)
    assert (going(verdicts), why(verdicts, "1.0.2")) == ({"1.0.1"}, "3 rollbacks go there")


def test_after_a_rollback_the_release_gone_back_to_and_the_one_before_it_stay(filled: Store) -> None:
    releases.rollback(filled, "1.0.2")
    assert going(pruning.plan(filled, rules(), NOW)) == {"1.0.3", "1.0.4"}


@pytest.mark.parametrize("by_digest", [False, True])
def test_a_release_that_another_stack_pins_stays(filled: Store, by_digest: bool) -> None:
    manifest = releases.read_manifest(filled, "1.0.1")
    assert manifest is not None
    need = Need(manifest.sha256 if by_digest else "1.0.1", "the settings of other pin it")
    verdicts = pruning.plan(filled, rules(1, 0, need), NOW)
    assert ("1.0.1" in going(verdicts), why(verdicts, "1.0.1")) == (False, "the settings of other pin it")


def test_a_young_release_stays(filled: Store) -> None:
    assert going(pruning.plan(filled, rules(1, 90), NOW)) == set()


def test_a_plan_writes_nothing(filled: Store) -> None:
    before = dict(filled.objects)
    pruning.plan(filled, rules(), NOW)
    assert filled.objects == before


@pytest.mark.parametrize(("hours", "goes"), [(23, False), (25, True)])
def test_what_is_being_published_stays_for_a_day(
    filled: Store, make_repository: MakeRepository, crash: type[Exception], hours: int, goes: bool
) -> None:
    filled.crash_at = filled.writes + 3
    with pytest.raises(crash):
        releases.publish(filled, make_repository("six"), "1.0.6")
    filled.crash_at = None
    now = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    assert ("1.0.6" in going(pruning.plan(filled, rules(), now))) is goes


@pytest.mark.parametrize("name", ["claim.json", "manifest.json"])
def test_what_cannot_be_judged_stays(filled: Store, name: str) -> None:
    filled.objects[f"releases/1.0.1/{name}"] = b"{"
    assert "cannot be judged" in why(pruning.plan(filled, rules(), NOW), "1.0.1")


def test_without_a_readable_pointer_nothing_goes(filled: Store) -> None:
    filled.objects["current.json"] = b"{"
    with pytest.raises(UserError, match="pointer"):
        pruning.begin(filled, rules(), NOW)


def test_what_is_pruned_is_gone_but_for_its_claim(filled: Store) -> None:
    pruned(filled, rules())
    assert left(filled) == {"1.0.4", "1.0.5"}
    claim = read_claim(filled, "1.0.1")
    assert claim is not None and claim.pruned_at


def test_the_history_has_no_holes_afterwards(filled: Store) -> None:
    pruned(filled, rules())
    assert releases.rollback(filled).version == "1.0.4"
    with pytest.raises(UserError, match="no earlier release"):
        releases.rollback(filled)


def test_pruning_again_finds_nothing(filled: Store) -> None:
    pruned(filled, rules())
    assert pruned(filled, rules()) == []


def test_a_pruned_version_takes_the_same_content_again_and_no_other(
    filled: Store, make_repository: MakeRepository
) -> None:
    pruned(filled, rules())
    with pytest.raises(UserError, match="other content"):
        releases.publish(filled, make_repository("other"), "1.0.1", replace_unfinished=True)
    assert releases.publish(filled, make_repository("1.0.1"), "1.0.1").is_new
    assert releases.verify(filled, "1.0.1").is_intact


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
def test_wherever_it_is_killed_no_reader_sees_a_part_and_it_goes_on(
    make_memory_store: Callable[[], Store],
    make_repository: MakeRepository,
    crash: type[Exception],
    after_effect: bool,
) -> None:
    stop = 0
    while True:
        stop += 1
        store = make_memory_store()
        for version in ("1.0.1", "1.0.2", "1.0.3", "1.0.4"):
            releases.publish(store, make_repository(version), version)
        store.crash_at, store.crash_after_effect = store.writes + stop, after_effect
        try:
            pruned(store, rules())
            break
        except crash:
            store.crash_at = None
        for release in releases.releases(store):
            assert release.manifest is None or releases.compare(store, release.manifest).is_intact
        pruned(store, rules(), NOW + timedelta(minutes=1))
        assert left(store) == {"1.0.3", "1.0.4"}, f"killed at write {stop}"
    assert stop > 12, "the pointer, two marks and two times five objects"


class Meanwhile:
    """A store beside which somebody acts once, right before or after the write of one key."""

    def __init__(self, store: Store, key: str, act: Callable[[], object], *, after: bool = False) -> None:
        self._store, self._key, self._act, self._after = store, key, act, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def put(self, key: str, *args: Any, only_create: bool = False, only_over: str | None = None) -> None:
        self._around(key, lambda: self._store.put(key, *args, only_create=only_create, only_over=only_over))

    def delete(self, key: str) -> None:
        self._around(key, lambda: self._store.delete(key))

    def _around(self, key: str, write: Callable[[], None]) -> None:
        act, self._act = (self._act, lambda: None) if key == self._key else (lambda: None, self._act)
        if not self._after:
            act()
        write()
        if self._after:
            act()


@pytest.mark.parametrize("key", ["current.json", "releases/1.0.1/claim.json"])
def test_a_rollback_before_the_mark_keeps_its_release(filled: Store, key: str) -> None:
    raced = Meanwhile(filled, key, lambda: releases.rollback(filled, "1.0.1"))
    pruned(raced, rules())
    assert releases.current_manifest(filled) is not None
    assert releases.verify(filled, "1.0.1").is_intact
    claim = read_claim(filled, "1.0.1")
    assert claim is not None and claim.pruned_at is None


def test_a_rollback_after_the_mark_is_refused_and_leaves_the_pointer(filled: Store) -> None:
    before = releases.read_pointer(filled)

    def roll_back() -> None:
        with pytest.raises(UserError, match="removed"):
            releases.rollback(filled, "1.0.1")

    pruned(Meanwhile(filled, "releases/1.0.1/claim.json", roll_back, after=True), rules())
    after = releases.read_pointer(filled)
    assert before and after and after.version == before.version
    assert "1.0.1" not in left(filled)


def test_a_mark_in_the_middle_of_a_rollback_is_seen_and_the_pointer_taken_back(filled: Store) -> None:
    verdicts = pruning.begin(filled, rules(), NOW)
    first = next(each.release for each in verdicts if each.release.version == "1.0.1")
    raced: Store = Meanwhile(filled, "current.json", lambda: pruning.remove(filled, first, NOW))
    with pytest.raises(UserError, match="removed"):
        releases.rollback(raced, "1.0.1")
    pointer = releases.read_pointer(filled)
    assert pointer is not None and pointer.version == "1.0.5"


def test_publishing_again_what_is_half_removed_waits_for_the_rest(
    filled: Store, make_repository: MakeRepository
) -> None:
    def publish() -> None:
        with pytest.raises(UserError, match="removed"):
            releases.publish(filled, make_repository("1.0.1"), "1.0.1")

    pruned(Meanwhile(filled, "releases/1.0.1/manifest.json", publish, after=True), rules())
    assert "1.0.1" not in left(filled)


def test_an_unfinished_publication_that_goes_on_keeps_its_files(
    filled: Store, make_repository: MakeRepository, crash: type[Exception]
) -> None:
    filled.crash_at = filled.writes + 3
    with pytest.raises(crash):
        releases.publish(filled, make_repository("six"), "1.0.6")
    filled.crash_at = None
    verdicts = pruning.begin(filled, rules(), NOW)
    six = next(each.release for each in verdicts if each.release.version == "1.0.6")
    releases.publish(filled, make_repository("six"), "1.0.6")
    assert "gone on" in pruning.remove(filled, six, NOW).kept_after_all
    assert releases.verify(filled, "1.0.6").is_intact


def test_of_two_runs_the_later_mark_goes_on(filled: Store) -> None:
    verdicts = pruning.begin(filled, rules(), NOW)
    first = next(each.release for each in verdicts if each.release.version == "1.0.1")

    def other() -> None:
        claim = json.loads(filled.objects[claim_key("1.0.1")])
        filled.objects[claim_key("1.0.1")] = json.dumps({**claim, "pruned_at": "later"}).encode()

    raced: Store = Meanwhile(filled, "releases/1.0.1/manifest.json", other, after=True)
    outcome = pruning.remove(raced, first, NOW)
    assert "another run" in outcome.kept_after_all
    assert "1.0.1" in left(filled)


def test_a_release_that_is_needed_again_loses_its_mark(filled: Store, crash: type[Exception]) -> None:
    filled.crash_at, filled.crash_after_effect = filled.writes + 2, True
    with pytest.raises(crash):
        pruned(filled, rules())
    filled.crash_at = None
    marked = next(
        v
        for v in ("1.0.1", "1.0.2", "1.0.3")
        if json.loads(filled.objects[claim_key(v)]).get("pruned_at") is not None
    )
    verdicts = pruning.plan(filled, rules(1, 0, Need(marked, "pinned")), NOW)
    kept = next(each for each in verdicts if each.release.version == marked)
    assert not kept.goes and pruning.take_back(filled, kept.release)
    claim = read_claim(filled, marked)
    assert claim is not None and claim.pruned_at is None
