"""The contract of an object store, held against both clouds' implementations."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from common.errors import UserError
from common.target import Target
from ops.objects.gcs import GcsObjectStore
from ops.objects.opening import open_store
from ops.objects.store import ObjectChangedError, ObjectExistsError, ObjectMissingError, ObjectStore

MakeStore = Callable[..., ObjectStore]


def test_what_is_put_is_what_is_got(store: ObjectStore) -> None:
    store.put("a/b", b"\x00bytes\xff")
    assert store.get("a/b") == b"\x00bytes\xff"


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    store.put("empty", b"")
    assert store.get("empty") == b""


def test_a_key_with_spaces_and_accents_is_kept_as_it_is(store: ObjectStore) -> None:
    store.put("a b/ü+%20#?.txt", b"x")
    assert [item.key for item in store.list()] == ["a b/ü+%20#?.txt"]


def test_a_listing_shows_the_objects_under_the_prefix_alone_in_key_order(store: ObjectStore) -> None:
    for key in ("b/2", "b/1", "a/1", "b10"):
        store.put(key, b"12345")
    assert [(item.key, item.size) for item in store.list("b/")] == [("b/1", 5), ("b/2", 5)]


def test_a_listing_goes_on_over_pages(
    s3_target: Target, make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    store = make_store()
    keys = [f"key-{number}" for number in range(5)]
    for key in keys:
        store.put(key, b"")
    assert [item.key for item in store.list()] == keys


def test_a_write_that_only_creates_leaves_what_is_there(store: ObjectStore) -> None:
    store.put("key", b"first", only_create=True)
    with pytest.raises(ObjectExistsError):
        store.put("key", b"second", only_create=True)
    assert store.get("key") == b"first"


def test_a_plain_write_replaces(store: ObjectStore) -> None:
    store.put("key", b"first")
    store.put("key", b"second")
    assert store.get("key") == b"second"


def test_a_missing_object_has_no_head(store: ObjectStore) -> None:
    assert store.head("nothing") is None


def test_a_head_tells_the_size(store: ObjectStore) -> None:
    store.put("key", b"123")
    found = store.head("key")
    assert found is not None and found.size == 3


@pytest.mark.parametrize("read", [lambda s: s.get("no"), lambda s: s.sha256("no")], ids=["get", "sha256"])
def test_reading_a_missing_object_says_which(store: ObjectStore, read: Callable[[ObjectStore], object]) -> None:
    with pytest.raises(ObjectMissingError) as caught:
        read(store)
    assert caught.value.uri == f"{store.uri}/no"


def test_a_missing_object_leaves_no_file(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(ObjectMissingError):
        store.get_file("no", tmp_path / "folder" / "file")
    assert list((tmp_path / "folder").iterdir()) == []


def test_a_large_file_travels_whole(store: ObjectStore, tmp_path: Path) -> None:
    data = os.urandom(9 * 1024 * 1024 + 7)  # more than one part, and no whole number of them
    (tmp_path / "large").write_bytes(data)
    store.put_file("large", tmp_path / "large")
    assert store.get_file("large", tmp_path / "back") == hashlib.sha256(data).hexdigest()
    assert (tmp_path / "back").read_bytes() == data


def test_the_digest_of_an_object_is_that_of_its_bytes(store: ObjectStore) -> None:
    store.put("key", b"bytes")
    assert store.sha256("key") == hashlib.sha256(b"bytes").hexdigest()


def test_an_object_is_copied_from_another_bucket(make_store: MakeStore) -> None:
    source, destination = make_store(), make_store()
    source.put("from", b"bytes")
    destination.copy(source.bucket, "from", "to")
    assert destination.get("to") == b"bytes"


def test_copying_a_missing_object_names_the_source(make_store: MakeStore) -> None:
    source, destination = make_store(), make_store()
    with pytest.raises(ObjectMissingError) as caught:
        destination.copy(source.bucket, "no", "to")
    assert caught.value.uri == f"{source.uri}/no"


def test_deleting_twice_is_no_error(store: ObjectStore) -> None:
    store.put("key", b"")
    store.delete("key")
    store.delete("key")
    assert store.head("key") is None


def test_superseded_versions_of_a_versioned_bucket_are_listed(make_store: MakeStore) -> None:
    store = make_store(versioned=True)
    store.put("key", b"1")
    store.put("key", b"22")
    assert sorted(item.size for item in store.versions()) == [1, 2]


@pytest.mark.parametrize(
    "use",
    [lambda s: list(s.list()), lambda s: s.put("key", b"")],
    ids=["list", "put"],
)
def test_a_missing_bucket_is_named(make_store: MakeStore, use: Callable[[ObjectStore], object]) -> None:
    store = make_store(exists=False)
    with pytest.raises(UserError) as caught:
        use(store)
    assert store.bucket in str(caught.value)


@pytest.mark.parametrize("scheme", ["s3", "gs"])
def test_a_dead_endpoint_is_an_error_with_its_address(scheme: str) -> None:
    dead = "http://127.0.0.1:9"  # the discard port: nothing listens there
    target = Target("local", "emulated", aws_endpoint_url=dead, gcp_endpoint_url=dead)
    impatient = GcsObjectStore("some-bucket", target, retry_for_s=0)  # its waiting is not what is tested
    store = impatient if scheme == "gs" else open_store(f"{scheme}://some-bucket", target, "eu-central-1")
    with pytest.raises(UserError) as caught:
        store.get("key")
    assert dead in caught.value.where


@pytest.mark.parametrize("uri", ["", "s3://", "file:///x", "s3://a/b", "bucket"])
def test_what_names_no_bucket_is_refused(uri: str) -> None:
    with pytest.raises(UserError):
        open_store(uri, Target("local", "emulated"))


def test_a_superseded_version_is_read_hashed_and_copied(make_store: MakeStore) -> None:
    store = make_store(versioned=True)
    store.put("a", b"old")
    store.put("a", b"newer")
    [old] = [item.version for item in store.versions() if item.size == len(b"old")]
    store.copy(store.bucket, "a", "b", old)
    assert (store.get("a", old), store.sha256("a", old)) == (b"old", hashlib.sha256(b"old").hexdigest())
    assert (store.get("a"), store.get("b")) == (b"newer", b"old")


def test_a_version_that_is_purged_is_gone_alone(make_store: MakeStore) -> None:
    store = make_store(versioned=True)
    store.put("a", b"old")
    store.put("a", b"newer")
    [old] = [item.version for item in store.versions() if item.size == len(b"old")]
    assert old is not None
    store.purge("a", old)
    assert [item.size for item in store.versions()] == [len(b"newer")]


def test_a_write_over_the_version_that_was_read_replaces_it(store: ObjectStore) -> None:
    store.put("k", b"one")
    store.put("k", b"two", only_over=store.get_tagged("k").tag)
    assert store.get_tagged("k").data == b"two"


def test_a_write_over_a_version_that_is_no_longer_there_is_refused(store: ObjectStore) -> None:
    store.put("k", b"one")
    tag = store.get_tagged("k").tag
    store.put("k", b"two")
    with pytest.raises(ObjectChangedError):
        store.put("k", b"three", only_over=tag)
    assert store.get("k") == b"two"


def test_a_write_over_a_version_that_was_deleted_is_refused(store: ObjectStore) -> None:
    store.put("k", b"one")
    tag = store.get_tagged("k").tag
    store.delete("k")
    with pytest.raises(ObjectChangedError):
        store.put("k", b"two", only_over=tag)
    assert store.head("k") is None
