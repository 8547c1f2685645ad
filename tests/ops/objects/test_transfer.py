"""Transfers of many objects: nothing unverified is kept, and an error stops the rest."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.objects import transfer
from ops.objects.store import ChecksumMismatchError, ObjectMissingError, ObjectStore


def files_of(folder: Path) -> dict[str, tuple[Path, str]]:
    return {
        path.relative_to(folder).as_posix(): (path, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_folder_comes_back_as_it_went(store: ObjectStore, folder: Path, tmp_path: Path) -> None:
    files = files_of(folder)
    transfer.upload(store, files)
    transfer.download(store, {key: (tmp_path / "back" / key, digest) for key, (_, digest) in files.items()})
    back = {key: (tmp_path / "back" / key).read_bytes() for key in files}
    assert back == {key: path.read_bytes() for key, (path, _) in files.items()}


def test_a_file_that_changed_since_it_was_hashed_is_not_sent(store: ObjectStore, folder: Path) -> None:
    files = files_of(folder)
    (folder / "a.bin").write_bytes(b"changed")
    with pytest.raises(ChecksumMismatchError):
        transfer.upload(store, files)
    assert store.head("a.bin") is None


def test_an_object_with_other_bytes_is_not_kept(store: ObjectStore, tmp_path: Path) -> None:
    store.put("key", b"other bytes")
    with pytest.raises(ChecksumMismatchError):
        transfer.download(store, {"key": (tmp_path / "file", hashlib.sha256(b"bytes").hexdigest())})
    assert not (tmp_path / "file").exists()


def test_a_missing_object_fails_the_download(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(ObjectMissingError):
        transfer.download(store, {"no": (tmp_path / "file", "0" * 64)})


def test_digests_tell_what_is_missing(store: ObjectStore) -> None:
    store.put("key", b"bytes")
    assert transfer.digests(store, ["key", "no"]) == {"key": hashlib.sha256(b"bytes").hexdigest(), "no": None}


def test_emptying_a_prefix_leaves_the_rest(store: ObjectStore) -> None:
    for key in ("a/1", "a/2", "b/1"):
        store.put(key, b"")
    assert transfer.empty(store, "a/") == 2
    assert [item.key for item in store.list()] == ["b/1"]


def test_no_more_run_at_once_than_workers() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def work(_: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.002)
        with lock:
            running -= 1

    assert len(list(transfer.each(work, range(40), workers=3))) == 40
    assert most <= 3


def test_the_first_error_stops_the_rest() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for item in range(10_000):
            taken += 1
            yield item

    def work(item: int) -> int:
        if item == 5:
            raise ValueError("broken")
        return item

    with pytest.raises(ValueError, match="broken"):
        list(transfer.each(work, items(), workers=2))
    assert taken < 100, "the rest was not taken"
