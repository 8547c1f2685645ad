"""Moves many objects at once: folders up and down, with every file's SHA-256 checked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path
from typing import TypeVar

from ops.objects.store import SMALL_OBJECT_BYTES, ChecksumMismatchError, ObjectMissingError, ObjectStore

WORKERS = 8
"""Requests at once. More gain little on one machine: the overhead of a request is the client's own work."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(work: Callable[[Item], Result], items: Iterable[Item], workers: int = WORKERS) -> Iterator[Result]:
    """The results of `work` for every item, in no order, with at most `workers` running.

    Items are taken as they are needed, so a long listing is never held whole. The first error stops the rest and
    is raised.
    """
    remaining = iter(items)
    with ThreadPoolExecutor(workers, thread_name_prefix="transfer") as pool:
        running: set[Future[Result]] = {pool.submit(work, item) for item in islice(remaining, 2 * workers)}
        try:
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
                running.update(pool.submit(work, item) for item in islice(remaining, len(done)))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def upload(store: ObjectStore, files: Mapping[str, tuple[Path, str]]) -> None:
    """Writes each file under its key, if its SHA-256 (hex) is the expected one; the store checks what arrives.

    Raises:
        ChecksumMismatchError: a file's bytes are not the expected ones; it is not sent.
    """

    def send(key: str) -> None:
        path, expected = files[key]
        if path.stat().st_size <= SMALL_OBJECT_BYTES:
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() != expected:
                raise ChecksumMismatchError(str(path))
            store.put(key, data, sha256=expected)
        else:
            store.put_file(key, path, sha256=expected)

    for _ in each(send, files):
        pass


def download(store: ObjectStore, files: Mapping[str, tuple[Path, str]]) -> None:
    """Writes each object to its path and checks its SHA-256 (hex).

    Raises:
        ObjectMissingError: an object is not there.
        ChecksumMismatchError: an object's bytes are not the expected ones; its file is removed.
    """

    def fetch(key: str) -> None:
        path, expected = files[key]
        if store.get_file(key, path) != expected:
            path.unlink(missing_ok=True)
            raise ChecksumMismatchError(f"{store.uri}/{key}")

    for _ in each(fetch, files):
        pass


def copy(store: ObjectStore, source_bucket: str, keys: Mapping[str, str]) -> None:
    """Copies objects of another bucket of the same cloud: source key to key, inside the cloud."""
    for _ in each(lambda source: store.copy(source_bucket, source, keys[source]), keys):
        pass


def digests(store: ObjectStore, keys: Iterable[str]) -> dict[str, str | None]:
    """The SHA-256 (hex) of each object, read in full; None for one that is not there."""

    def digest(key: str) -> tuple[str, str | None]:
        try:
            return key, store.sha256(key)
        except ObjectMissingError:
            return key, None

    return dict(each(digest, keys))


def empty(store: ObjectStore, prefix: str) -> int:
    """Deletes every current object under `prefix`; returns how many there were."""
    return sum(1 for _ in each(lambda item: store.delete(item.key), store.list(prefix)))
