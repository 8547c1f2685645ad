"""Large files: sent as they were hashed, and an upload that was killed goes on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

from common.target import Target
from localcloud.aws.emulator import AwsEmulator
from localcloud.emulators import StackPlace
from ops.objects.gcs import GcsObjectStore
from ops.objects.journal import Journal
from ops.objects.s3 import S3ObjectStore
from ops.objects.store import ChecksumMismatchError, ObjectStore

PART = 5 * 1024 * 1024
"""S3's smallest."""
SIZE = 2 * PART + 12345
REGION = "eu-central-1"
KEY = "releases/v1/repository/m/1/large.bin"


class PowerCutError(Exception):
    """The machine went away."""


class Changing(type(Path())):  # pyright: ignore[reportGeneralTypeIssues] - pathlib's own way before Python 3.12
    """A file that has other bytes from the second time on that it is opened."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        opened = super().open(*args, **kwargs)
        data = Path(self).read_bytes()
        Path(self).unlink()
        Path(self).write_bytes(b"changed" + data[7:])
        return opened


@pytest.fixture(scope="module")
def aws_target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """S3 as the local cloud has it: moto alone checks no part, and fails on an upload that is gone."""
    place = StackPlace("dev-aws", REGION, "eu-west-1", "111122223333")
    emulator = AwsEmulator(place, tmp_path_factory.mktemp("aws"))
    emulator.start(None)
    yield emulator.target()
    emulator.stop()


@pytest.fixture
def store(
    make_store: Callable[..., ObjectStore], tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[ObjectStore]:
    """A bucket of each cloud in turn, where every large file travels in parts and journals lie apart."""
    made, journals = make_store(), tmp_path / "journals"
    if isinstance(made, S3ObjectStore):
        target: Target = request.getfixturevalue("aws_target")
        make: Any = boto3.client
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        s3 = make("s3", region_name=REGION, endpoint_url=target.aws_endpoint_url, **keys)
        s3.create_bucket(Bucket=made.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield S3ObjectStore(made.bucket, REGION, target, one_request_bytes=1024, part_bytes=PART, journals=journals)
        return
    yield GcsObjectStore(made.bucket, request.getfixturevalue("gcs_target"), part_bytes=PART, journals=journals)
    for left in journals.glob("*.json"):
        requests.delete(Journal(left).read()["session"], timeout=5)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "large.bin"
    path.write_bytes(os.urandom(SIZE))
    return path


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def requests_of(store: Any, monkeypatch: pytest.MonkeyPatch, stop_after: int | None = None) -> list[int]:
    """Counts the bytes of each part that is sent; the machine stops after some."""
    sent: list[int] = []

    def note(size: int) -> None:
        if stop_after is not None and len(sent) >= stop_after:
            raise PowerCutError
        sent.append(size)

    if isinstance(store, S3ObjectStore):
        upload_part = store._client.upload_part

        def part(**asked: Any) -> Any:
            note(len(asked["Body"]))
            return upload_part(**asked)

        monkeypatch.setattr(store._client, "upload_part", part)
    else:
        put = store._client._http.put

        def block(url: str, data: bytes = b"", **rest: Any) -> Any:
            if data:
                note(len(data))
            return put(url, data=data, **rest)

        monkeypatch.setattr(store._client._http, "put", block)
    return sent


def test_a_large_file_arrives_as_it_is_and_leaves_no_journal(store: ObjectStore, file: Path, tmp_path: Path) -> None:
    store.put_file(KEY, file, sha256=digest(file))
    assert store.sha256(KEY) == digest(file)
    assert list((tmp_path / "journals").iterdir()) == []


def test_an_upload_that_was_killed_goes_on(store: ObjectStore, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as first:
        requests_of(store, first, stop_after=1)
        with pytest.raises(PowerCutError):
            store.put_file(KEY, file, sha256=digest(file))
    assert store.head(KEY) is None
    sent = requests_of(store, monkeypatch)
    store.put_file(KEY, file, sha256=digest(file))
    assert store.sha256(KEY) == digest(file)
    assert sum(sent) <= SIZE - PART, "what had arrived is sent again"


def test_the_record_of_an_upload_is_the_users_own(
    store: ObjectStore, file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    requests_of(store, monkeypatch, stop_after=1)
    with pytest.raises(PowerCutError):
        store.put_file(KEY, file, sha256=digest(file))
    (journal,) = (tmp_path / "journals").iterdir()
    assert journal.stat().st_mode & 0o077 == 0


def test_a_file_that_changes_between_hash_and_upload_is_no_object_of_another_content(
    store: ObjectStore, file: Path
) -> None:
    expected = digest(file)
    try:
        store.put_file(KEY, Changing(file), sha256=expected)
    except ChecksumMismatchError:
        assert store.head(KEY) is None
    else:
        assert store.sha256(KEY) == expected


def test_a_file_that_is_not_the_expected_one_makes_no_object(store: ObjectStore, file: Path, tmp_path: Path) -> None:
    with pytest.raises(ChecksumMismatchError):
        store.put_file(KEY, file, sha256="0" * 64)
    assert store.head(KEY) is None
    assert list((tmp_path / "journals").iterdir()) == []


def test_a_file_that_changed_after_a_kill_does_not_go_on_from_its_old_beginning(
    store: ObjectStore, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, data = digest(file), file.read_bytes()
    file.write_bytes(b"other" + data[5:])
    with monkeypatch.context() as first:
        requests_of(store, first, stop_after=1)
        with pytest.raises(PowerCutError):
            store.put_file(KEY, file, sha256=wanted)
    file.write_bytes(data)
    store.put_file(KEY, file, sha256=wanted)
    assert store.sha256(KEY) == wanted


def test_an_upload_whose_parts_are_gone_starts_anew(
    store: ObjectStore, file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as first:
        requests_of(store, first, stop_after=1)
        with pytest.raises(PowerCutError):
            store.put_file(KEY, file, sha256=digest(file))
    (path,) = (tmp_path / "journals").iterdir()
    journal = Journal(path)
    told = journal.read()
    if isinstance(store, S3ObjectStore):
        store._client.abort_multipart_upload(Bucket=store.bucket, Key=KEY, UploadId=told["upload_id"])
    else:
        requests.delete(told["session"], timeout=5)
    store.put_file(KEY, file, sha256=digest(file))
    assert store.sha256(KEY) == digest(file)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"session": null, "upload_id": null}'])
def test_a_damaged_record_starts_anew(store: ObjectStore, file: Path, tmp_path: Path, content: str) -> None:
    Journal(tmp_path / "journals" / "another").write({})
    where = getattr(store, "_where")  # noqa: B009 - what the store itself names its endpoint
    path = Journal.of(f"{store.uri}/{KEY}", digest(file), where, tmp_path / "journals").path
    path.write_text(content)
    store.put_file(KEY, file, sha256=digest(file))
    assert store.sha256(KEY) == digest(file)
