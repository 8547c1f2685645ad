"""The last good versions of harmed objects are found by content, whatever lies over them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.paths import repo_root
from ops.drill.model import NotRecoverableError
from ops.drill.older import last_good
from ops.models import releases
from ops.models.layout import POINTER_KEY, repository_prefix
from ops.objects.store import ObjectInfo, ObjectMissingError

MODELS = repo_root() / "serving_image" / "model_repository"


class Kept:
    """A bucket that keeps versions, filled from a bucket that keeps none."""

    bucket = "kept"
    uri = "mem://kept"

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.kept: dict[str, list[tuple[datetime, bytes]]] = {}
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        for key, data in objects.items():
            self.write(key, data)

    def write(self, key: str, data: bytes) -> None:
        self.now += timedelta(seconds=1)
        self.kept.setdefault(key, []).append((self.now, data))

    def versions(self, prefix: str = "") -> list[ObjectInfo]:
        return [
            ObjectInfo(key, len(data), at, str(number))
            for key, versions in self.kept.items()
            if key.startswith(prefix)
            for number, (at, data) in enumerate(versions)
        ]

    def get(self, key: str, version: str | None = None) -> bytes:
        if key not in self.kept:
            raise ObjectMissingError(key)
        return self.kept[key][int(version) if version else -1][1]

    def sha256(self, key: str, version: str | None = None) -> str:
        return hashlib.sha256(self.get(key, version)).hexdigest()


@pytest.fixture
def published(make_memory_store: Callable[[], Any], tmp_path: Path) -> tuple[Any, dict[str, str]]:
    """A bucket with the release 1.0.1 and a file beside it, and its pin."""
    del tmp_path
    store = make_memory_store()
    made = releases.publish(store, MODELS, "1.0.1")
    kept = Kept({**store.objects, "drills/canary": b"canary"})
    return kept, {"1.0.1": made.manifest_sha256}


def contents(kept: Any, chosen: Any) -> dict[str, bytes]:
    return {key: kept.get(key, choice.item.version) for key, choice in chosen.choices.items()}


def test_what_nobody_harmed_is_taken_as_it_is(published: tuple[Any, dict[str, str]]) -> None:
    kept, pins = published
    chosen = last_good(kept, pins)
    assert contents(kept, chosen) == {key: kept.get(key) for key in kept.kept}
    assert list(chosen.refused()) == []


def test_rubbish_over_every_object_is_passed_over(published: tuple[Any, dict[str, str]]) -> None:
    kept, pins = published
    good = {key: kept.get(key) for key in kept.kept}
    for key in good:
        kept.write(key, b"rubbish" * 3)
    chosen = last_good(kept, pins)
    assert contents(kept, chosen) == good
    assert len(list(chosen.refused())) == len(good)


def test_what_came_with_the_harm_is_left_out(published: tuple[Any, dict[str, str]]) -> None:
    kept, pins = published
    for key in list(kept.kept):
        kept.write(key, b"rubbish" * 3)
    kept.write("ransom.txt", b"pay")
    assert "ransom.txt" not in last_good(kept, pins).choices


def test_a_pointer_to_a_release_that_is_not_whole_is_passed_over(published: tuple[Any, dict[str, str]]) -> None:
    kept, pins = published
    good = kept.get(POINTER_KEY)
    kept.write(POINTER_KEY, good.replace(b"1.0.1", b"1.0.9"))
    assert contents(kept, last_good(kept, pins))[POINTER_KEY] == good


def test_a_pinned_release_without_a_file_is_not_recoverable(published: tuple[Any, dict[str, str]]) -> None:
    kept, pins = published
    key = next(key for key in kept.kept if key.startswith(repository_prefix("1.0.1")))
    kept.kept[key] = [(kept.now, b"rubbish")]
    with pytest.raises(NotRecoverableError, match="make up what the stack pins"):
        last_good(kept, pins)


def test_another_manifest_than_the_pinned_one_is_not_taken(published: tuple[Any, dict[str, str]]) -> None:
    kept, _ = published
    with pytest.raises(NotRecoverableError):
        last_good(kept, {"1.0.1": "0" * 64})
