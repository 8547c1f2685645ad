"""Releases: whole or not at all, never changed, and every damage found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common.errors import UserError
from ops.models import releases
from ops.models.manifest import build_manifest

MakeRepository = Callable[..., Path]
Store = Any  # the memory store of conftest.py, which tests cannot import


def visible(store: Store) -> str | None:
    """The version that a reader gets by the pointer, after it checked that all of it is there."""
    manifest = releases.current_manifest(store)
    if manifest is None:
        return None
    assert releases.compare(store, manifest).is_intact, "a reader saw a part of a release"
    return manifest.version


def test_a_published_release_is_current_and_intact(store: Store, make_repository: MakeRepository) -> None:
    done = releases.publish(store, make_repository(), "1.0.1")
    assert (done.is_new, done.is_current, visible(store)) == (True, True, "1.0.1")


def test_a_release_lies_where_a_pod_is_told(store: Store, make_repository: MakeRepository) -> None:
    done = releases.publish(store, make_repository(), "1.0.1")
    assert done.uri == "mem://bucket/releases/1.0.1"
    assert "releases/1.0.1/repository/first/1/model.py" in store.objects


def writes_of_a_publication(make: Callable[[], Store], make_repository: MakeRepository) -> int:
    store = make()
    releases.publish(store, make_repository("one"), "1.0.1")
    before = store.writes
    releases.publish(store, make_repository("two"), "1.0.2")
    return store.writes - before


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
def test_a_reader_sees_the_old_or_the_new_release_wherever_a_publisher_stops(
    make_memory_store: Callable[[], Store],
    make_repository: MakeRepository,
    crash: type[Exception],
    after_effect: bool,
) -> None:
    writes = writes_of_a_publication(make_memory_store, make_repository)
    assert writes >= 7, "claim, four files, manifest, pointer"
    for stop in range(1, writes + 1):
        store = make_memory_store()
        releases.publish(store, make_repository("one"), "1.0.1")
        store.crash_at, store.crash_after_effect = store.writes + stop, after_effect
        with pytest.raises(crash):
            releases.publish(store, make_repository("two"), "1.0.2")
        assert visible(store) in ("1.0.1", "1.0.2"), f"stopped at write {stop}"
        store.crash_at = None
        releases.publish(store, make_repository("two"), "1.0.2")
        assert visible(store) == "1.0.2", f"run again after a stop at write {stop}"


def test_an_unfinished_release_is_not_there_for_readers(
    store: Store, make_repository: MakeRepository, crash: type[Exception]
) -> None:
    store.crash_at = 4
    with pytest.raises(crash):
        releases.publish(store, make_repository(), "1.0.1")
    with pytest.raises(UserError, match="no complete release"):
        releases.verify(store, "1.0.1")


def test_publishing_the_same_again_writes_nothing(store: Store, make_repository: MakeRepository) -> None:
    releases.publish(store, make_repository(), "1.0.1")
    before = store.writes
    assert not releases.publish(store, make_repository(), "1.0.1").is_new
    assert store.writes == before


def test_other_content_under_a_published_version_is_refused(store: Store, make_repository: MakeRepository) -> None:
    releases.publish(store, make_repository("one"), "1.0.1")
    before = dict(store.objects)
    with pytest.raises(UserError, match="never change"):
        releases.publish(store, make_repository("two"), "1.0.1")
    assert store.objects == before


def test_other_content_under_an_unfinished_version_is_refused(
    store: Store, make_repository: MakeRepository, crash: type[Exception]
) -> None:
    store.crash_at = 4
    with pytest.raises(crash):
        releases.publish(store, make_repository("one"), "1.0.1")
    store.crash_at = None
    with pytest.raises(UserError, match="has begun and not finished"):
        releases.publish(store, make_repository("two"), "1.0.1")


def test_what_an_unfinished_publication_left_can_be_replaced(
    store: Store, make_repository: MakeRepository, crash: type[Exception]
) -> None:
    store.crash_at = 6
    with pytest.raises(crash):
        releases.publish(store, make_repository("one", extra="more.txt"), "1.0.1")
    store.crash_at = None
    releases.publish(store, make_repository("two"), "1.0.1", replace_unfinished=True)
    assert visible(store) == "1.0.1"


def test_a_repository_that_changes_while_it_is_published_does_not_become_a_release(
    store: Store, make_repository: MakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_repository()
    manifest = build_manifest(root, "1.0.1")
    (root / "first" / "1" / "model.py").write_text("changed")
    monkeypatch.setattr(releases, "build_manifest", lambda *_: manifest)
    with pytest.raises(UserError, match="changed while it was published"):
        releases.publish(store, root, "1.0.1")
    assert releases.read_manifest(store, "1.0.1") is None


def test_a_release_can_be_published_without_becoming_current(store: Store, make_repository: MakeRepository) -> None:
    releases.publish(store, make_repository("one"), "1.0.1")
    assert not releases.publish(store, make_repository("two"), "1.0.2", switch=False).is_current
    assert visible(store) == "1.0.1"


def test_rolling_back_returns_to_what_was_current_before(store: Store, make_repository: MakeRepository) -> None:
    releases.publish(store, make_repository("one"), "1.0.1")
    releases.publish(store, make_repository("two"), "1.0.2")
    assert releases.rollback(store).version == "1.0.1"
    assert visible(store) == "1.0.1"


def test_rolling_back_to_a_named_release_makes_it_current(store: Store, make_repository: MakeRepository) -> None:
    for version in ("1.0.1", "1.0.2", "1.0.3"):
        releases.publish(store, make_repository(version), version)
    releases.rollback(store, "1.0.1")
    assert visible(store) == "1.0.1"


def test_there_is_nothing_before_the_first_release(store: Store, make_repository: MakeRepository) -> None:
    releases.publish(store, make_repository(), "1.0.1")
    with pytest.raises(UserError, match="no earlier release"):
        releases.rollback(store)


def test_a_release_that_lost_an_object_is_no_place_to_go_back_to(
    store: Store, make_repository: MakeRepository
) -> None:
    releases.publish(store, make_repository("one"), "1.0.1")
    releases.publish(store, make_repository("two"), "1.0.2")
    del store.objects["releases/1.0.1/repository/first/1/model.py"]
    with pytest.raises(UserError, match="missing"):
        releases.rollback(store)
    assert visible(store) == "1.0.2"


def test_the_list_tells_current_complete_and_unfinished_apart(
    store: Store, make_repository: MakeRepository, crash: type[Exception]
) -> None:
    releases.publish(store, make_repository("one"), "1.0.1")
    releases.publish(store, make_repository("two"), "1.0.2")
    store.crash_at = store.writes + 3
    with pytest.raises(crash):
        releases.publish(store, make_repository("three"), "1.0.3")
    found = [(r.version, r.manifest is not None, r.is_current) for r in releases.releases(store)]
    assert found == [("1.0.1", True, False), ("1.0.2", True, True), ("1.0.3", False, False)]


def test_verification_finds_a_flipped_byte(store: Store, make_repository: MakeRepository) -> None:
    releases.publish(store, make_repository("one"), "1.0.1")
    store.objects["releases/1.0.1/repository/first/1/model.py"] = b"onf"
    result = releases.verify(store, "1.0.1")
    assert (result.mismatched, result.missing, result.extra) == (("first/1/model.py",), (), ())


def test_verification_finds_a_missing_object(store: Store, make_repository: MakeRepository) -> None:
    releases.publish(store, make_repository(), "1.0.1")
    del store.objects["releases/1.0.1/repository/second/config.pbtxt"]
    result = releases.verify(store, "1.0.1")
    assert (result.missing, result.is_intact) == (("second/config.pbtxt",), False)


def test_verification_finds_an_object_that_does_not_belong(store: Store, make_repository: MakeRepository) -> None:
    releases.publish(store, make_repository(), "1.0.1")
    store.objects["releases/1.0.1/repository/third/config.pbtxt"] = b""
    assert releases.verify(store, "1.0.1").extra == ("third/config.pbtxt",)


def test_a_manifest_that_was_exchanged_is_noticed(store: Store, make_repository: MakeRepository) -> None:
    releases.publish(store, make_repository("one"), "1.0.1")
    store.objects["releases/1.0.1/manifest.json"] = build_manifest(make_repository("two"), "1.0.1").to_json()
    with pytest.raises(UserError, match="not the one that was published"):
        releases.current_manifest(store)


@pytest.mark.parametrize("pointer", [b"", b"{", b'{"version": "1.0.1"}', b"[]"])
def test_a_damaged_pointer_is_a_plain_error(store: Store, pointer: bytes) -> None:
    store.objects["current.json"] = pointer
    with pytest.raises(UserError, match="cannot be read"):
        releases.read_pointer(store)


def test_a_downloaded_release_is_the_repository(
    store: Store, make_repository: MakeRepository, tmp_path: Path
) -> None:
    releases.publish(store, make_repository(), "1.0.1")
    manifest = releases.read_manifest(store, "1.0.1")
    assert manifest is not None
    releases.download_release(store, manifest, tmp_path / "restored")
    assert build_manifest(tmp_path / "restored", "1.0.1") == manifest


def test_this_projects_own_repository_can_be_published(store: Store) -> None:
    root = Path(releases.__file__).resolve().parents[2] / "serving_image" / "model_repository"
    releases.publish(store, root, "1.0.1")
    assert visible(store) == "1.0.1"


# Claims.


def test_what_finished_meanwhile_is_not_discarded(
    make_memory_store: Callable[[], Store], make_repository: MakeRepository, crash: type[Exception]
) -> None:
    """The first publisher finishes after the second has found no manifest, and before it takes the claim."""
    store = make_memory_store()
    store.crash_at = 6
    with pytest.raises(crash):
        releases.publish(store, make_repository("one"), "1.0.1")
    store.crash_at = None
    before(
        store, "put", "releases/1.0.1/claim.json", lambda: releases.publish(store, make_repository("one"), "1.0.1")
    )
    with pytest.raises(UserError, match="never change"):
        releases.publish(store, make_repository("two"), "1.0.1", replace_unfinished=True)
    assert visible(store) == "1.0.1"
    assert releases.verify(store, "1.0.1").is_intact


def test_a_publisher_whose_claim_was_taken_over_does_not_finish(
    store: Store, make_repository: MakeRepository
) -> None:
    other = make_repository("two", extra="more.txt")
    last = "releases/1.0.1/repository/second/config.pbtxt"
    before(store, "put", last, lambda: releases.publish(store, other, "1.0.1", replace_unfinished=True))
    with pytest.raises(UserError, match="taken the version"):
        releases.publish(store, make_repository("one"), "1.0.1")
    assert releases.read_manifest(store, "1.0.1") == build_manifest(other, "1.0.1")


def test_a_manifest_written_while_the_claim_was_taken_over_is_taken_back(
    store: Store, make_repository: MakeRepository
) -> None:
    claim = b'{"manifest_sha256": "other"}'
    before(
        store,
        "put",
        "releases/1.0.1/manifest.json",
        lambda: store.objects.update({"releases/1.0.1/claim.json": claim}),
    )
    with pytest.raises(UserError, match="taken the version"):
        releases.publish(store, make_repository("one"), "1.0.1")
    assert releases.read_manifest(store, "1.0.1") is None


# The pointer.


def before(store: Store, method: str, key: str, act: Callable[[], object]) -> None:
    """Has somebody else act once, right before a call of the store about this key."""
    real, done = getattr(store, method), []

    def called(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == key and not done:
            done.append(name)
            act()
        return real(name, *args, **kwargs)

    setattr(store, method, called)


def published(store: Store, make_repository: MakeRepository, *versions: str) -> None:
    for version in versions:
        releases.publish(store, make_repository(version), version)


def test_a_second_rollback_goes_further_back(store: Store, make_repository: MakeRepository) -> None:
    published(store, make_repository, "1.0.1", "1.0.2", "1.0.3")
    assert [releases.rollback(store).version for _ in range(2)] == ["1.0.2", "1.0.1"]
    with pytest.raises(UserError, match="no earlier release"):
        releases.rollback(store)


def test_no_rollback_returns_to_the_release_that_was_left(store: Store, make_repository: MakeRepository) -> None:
    published(store, make_repository, "1.0.1", "1.0.2", "1.0.3")
    releases.rollback(store)
    published(store, make_repository, "1.0.4")
    assert releases.rollback(store).version == "1.0.2"


def test_going_back_to_a_named_release_forgets_what_came_after_it(
    store: Store, make_repository: MakeRepository
) -> None:
    published(store, make_repository, "1.0.1", "1.0.2", "1.0.3", "1.0.4")
    assert releases.rollback(store, "1.0.2").previous == "1.0.1"


def test_a_release_with_a_changed_byte_is_no_place_to_go_back_to(
    store: Store, make_repository: MakeRepository
) -> None:
    published(store, make_repository, "1.0.1", "1.0.2")
    store.objects["releases/1.0.1/repository/first/1/model.py"] = b"vX"
    with pytest.raises(UserError, match="changed"):
        releases.rollback(store)
    assert visible(store) == "1.0.2"


def test_a_release_whose_manifest_was_exchanged_is_no_place_to_go_back_to(
    store: Store, make_repository: MakeRepository
) -> None:
    published(store, make_repository, "1.0.1", "1.0.2")
    other = make_repository("other")
    store.objects["releases/1.0.1/manifest.json"] = build_manifest(other, "1.0.1").to_json()
    for path in ("first/1/model.py", "second/1/model.py"):
        store.objects[f"releases/1.0.1/repository/{path}"] = b"other"
    with pytest.raises(UserError, match="not the one that was current"):
        releases.rollback(store)


@pytest.mark.parametrize("pointer", [b"", b"{", b'{"version": "1.0.1"}', b"[]"])
def test_a_damaged_pointer_is_mended_by_naming_a_release(
    store: Store, make_repository: MakeRepository, pointer: bytes
) -> None:
    published(store, make_repository, "1.0.1", "1.0.2")
    store.objects["current.json"] = pointer
    with pytest.raises(UserError, match="cannot be read"):
        releases.rollback(store)
    assert releases.rollback(store, "1.0.1").version == "1.0.1"
    assert visible(store) == "1.0.1"


def test_the_releases_are_listed_while_the_pointer_is_damaged(store: Store, make_repository: MakeRepository) -> None:
    published(store, make_repository, "1.0.1")
    store.objects["current.json"] = b"{"
    assert [release.version for release in releases.releases(store)] == ["1.0.1"]


def test_a_pointer_of_before_is_read(store: Store, make_repository: MakeRepository) -> None:
    published(store, make_repository, "1.0.1", "1.0.2")
    digest = build_manifest(make_repository("1.0.2"), "1.0.2").sha256
    older = {"version": "1.0.2", "manifest_sha256": digest, "previous": "1.0.1"}
    store.objects["current.json"] = json.dumps(older).encode()
    assert releases.rollback(store).version == "1.0.1"


def test_of_two_publishers_that_switch_at_once_neither_is_forgotten(
    store: Store, make_repository: MakeRepository
) -> None:
    published(store, make_repository, "1.0.1")
    releases.publish(store, make_repository("two"), "1.0.2", switch=False)
    before(store, "put", "current.json", lambda: releases.publish(store, make_repository("three"), "1.0.3"))
    releases.publish(store, make_repository("two"), "1.0.2")
    pointer = releases.read_pointer(store)
    assert pointer is not None
    assert (pointer.version, [each.version for each in pointer.history]) == ("1.0.2", ["1.0.3", "1.0.1"])


def test_a_rollback_does_not_undo_what_somebody_published_meanwhile(
    store: Store, make_repository: MakeRepository
) -> None:
    published(store, make_repository, "1.0.1", "1.0.2")
    before(store, "put", "current.json", lambda: releases.publish(store, make_repository("three"), "1.0.3"))
    with pytest.raises(UserError, match="meanwhile"):
        releases.rollback(store)
    assert visible(store) == "1.0.3"
