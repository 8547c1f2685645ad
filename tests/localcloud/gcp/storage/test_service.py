"""Cloud Storage through Google's own client."""

from __future__ import annotations

import os
import socket
import warnings
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # on import, Google's libraries warn of the end of Python versions
    from google.api_core.exceptions import BadRequest, Conflict, NotFound, PreconditionFailed

from common.gcp_api import GcpError

if TYPE_CHECKING:
    from google.cloud.storage import Bucket

REGION = "europe-west1"
FAR = "europe-north1"


@pytest.fixture
def cloud(light_cloud: Any) -> Any:
    return light_cloud


@pytest.fixture
def key(cloud: Any) -> str:
    return cloud.make_key(REGION)


@pytest.fixture
def bucket(cloud: Any, key: str) -> Bucket:
    return cloud.api.storage_client().bucket(cloud.make_bucket("near", REGION, key))


def test_objects_come_back_with_bytes_type_and_metadata(bucket: Bucket) -> None:
    blob = bucket.blob("releases/v1/model file.onnx")
    blob.metadata = {"sha256": "abc"}
    blob.upload_from_string(b"weights", content_type="application/x-onnx")
    found = bucket.get_blob("releases/v1/model file.onnx")
    assert found is not None
    assert (found.download_as_bytes(), found.content_type, found.metadata) == (
        b"weights",
        "application/x-onnx",
        {"sha256": "abc"},
    )


def test_an_object_in_many_chunks_comes_back_whole(bucket: Bucket) -> None:
    data = os.urandom(1_500_000)
    blob = bucket.blob("big")
    blob.chunk_size = 256 * 1024
    blob.upload_from_string(data)
    assert bucket.blob("big").download_as_bytes() == data


def test_a_part_of_an_object_can_be_read(bucket: Bucket) -> None:
    bucket.blob("a").upload_from_string(b"0123456789")
    assert bucket.blob("a").download_as_bytes(start=2, end=4) == b"234"


def test_an_object_is_encrypted_with_the_buckets_key(bucket: Bucket, key: str) -> None:
    blob = bucket.blob("a")
    blob.upload_from_string(b"x")
    assert blob.kms_key_name == f"{key}/cryptoKeyVersions/1"


def test_an_object_under_a_disabled_key_cannot_be_read(cloud: Any, bucket: Bucket, key: str) -> None:
    bucket.blob("a").upload_from_string(b"x")
    cloud.set_state(key, "DISABLED")
    with pytest.raises(BadRequest, match="cloudKmsDisabledKey"):
        bucket.blob("a").download_as_bytes()


def test_nothing_can_be_written_under_a_disabled_key(cloud: Any, bucket: Bucket, key: str) -> None:
    cloud.set_state(key, "DISABLED")
    with pytest.raises(BadRequest, match="cloudKmsDisabledKey"):
        bucket.blob("a").upload_from_string(b"x")


def test_the_xml_api_is_no_way_around_roles_and_keys(cloud: Any, bucket: Bucket) -> None:
    bucket.blob("a/b").upload_from_string(b"x")
    url = f"{cloud.target.gcp_endpoint_url}/{bucket.name}/a/b"
    assert requests.get(url, timeout=10).status_code == 501


@pytest.mark.parametrize(
    ("case", "named"),
    [
        ("unknown", "cloudKmsEncryptionKeyNotFound"),
        ("elsewhere", "cloudKmsKeyLocationNotAllowed"),
        ("not granted", "not authorized|authorized to use"),
    ],
)
def test_a_bucket_with_a_key_that_it_cannot_use_is_refused(cloud: Any, key: str, case: str, named: str) -> None:
    if case == "not granted":
        cloud.api.post("kms", f"v1/{key}:setIamPolicy", {"policy": {"bindings": []}})
    chosen = {"unknown": f"{key}x", "elsewhere": key, "not granted": key}[case]
    with pytest.raises(GcpError) as refused:
        cloud.make_bucket("models-b", FAR if case == "elsewhere" else REGION, chosen)
    assert refused.value.reason == named if case != "not granted" else refused.value.code == 403


def test_a_wrong_declared_checksum_stores_nothing(bucket: Bucket) -> None:
    blob = bucket.blob("a")
    blob.md5_hash = "AAAAAAAAAAAAAAAAAAAAAA=="
    url = f"{bucket.client._connection.API_BASE_URL}/upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=a"
    answer = requests.post(url, data=b"x", headers={"X-Goog-Hash": "crc32c=AAAAAA=="}, timeout=10)
    assert (answer.status_code, bucket.get_blob("a")) == (400, None)


@pytest.mark.parametrize("big", [False, True])
def test_of_two_first_writers_one_wins(bucket: Bucket, big: bool) -> None:
    def write(data: bytes) -> None:
        blob = bucket.blob("current.json")
        blob.chunk_size = 256 * 1024 if big else None
        blob.upload_from_string(data * (300_000 if big else 1), if_generation_match=0)

    write(b"1")
    with pytest.raises(PreconditionFailed):
        write(b"2")
    assert bucket.blob("current.json").download_as_bytes()[:1] == b"1"


def test_an_overwritten_version_can_be_read_by_its_generation(bucket: Bucket) -> None:
    blob = bucket.blob("a")
    blob.upload_from_string(b"old")
    old = blob.generation
    bucket.blob("a").upload_from_string(b"new")
    assert bucket.blob("a", generation=old).download_as_bytes() == b"old"


def test_a_deleted_object_stays_as_a_noncurrent_version(bucket: Bucket) -> None:
    bucket.blob("a").upload_from_string(b"old")
    bucket.blob("a").delete()
    (version,) = bucket.list_blobs(versions=True)
    old = bucket.blob("a", generation=version.generation)
    assert ([v.name for v in bucket.list_blobs()], old.download_as_bytes()) == ([], b"old")


def test_a_version_deleted_by_generation_is_gone(bucket: Bucket) -> None:
    blob = bucket.blob("a")
    blob.upload_from_string(b"old")
    blob.delete()  # the client names the generation that it wrote
    assert list(bucket.list_blobs(versions=True)) == []


def test_pages_hold_all_objects(bucket: Bucket) -> None:
    for i in range(7):
        bucket.blob(f"o/{i}").upload_from_string(b"x")
    assert [b.name for b in bucket.list_blobs(page_size=3)] == [f"o/{i}" for i in range(7)]


def test_a_delimiter_folds_names_into_prefixes(bucket: Bucket) -> None:
    for name in ("r/v1/a", "r/v2/a", "top"):
        bucket.blob(name).upload_from_string(b"x")
    listed = bucket.list_blobs(delimiter="/")
    assert ([b.name for b in listed], sorted(listed.prefixes)) == (["top"], ["r/"])


def test_a_bucket_with_noncurrent_versions_cannot_be_deleted(bucket: Bucket) -> None:
    bucket.blob("a").upload_from_string(b"x")
    bucket.blob("a").delete(if_generation_match=None)
    bucket.blob("b").upload_from_string(b"y")
    with pytest.raises(Conflict, match="not empty"):
        bucket.delete()


def test_a_retained_object_cannot_be_deleted_for_good(cloud: Any) -> None:
    name = cloud.make_bucket(
        "locked", REGION, versioning={"enabled": False}, retentionPolicy={"retentionPeriod": "99"}
    )
    bucket = cloud.api.storage_client().bucket(name)
    bucket.blob("a").upload_from_string(b"x")
    with pytest.raises(Exception, match="under active retention"):
        bucket.blob("a").delete()


@pytest.mark.parametrize("name", ["../../escape", "/etc/passwd", "a//b", "ü %2F?#"])
def test_a_name_is_never_a_path(bucket: Bucket, name: str) -> None:
    bucket.blob(name).upload_from_string(b"x")
    assert ([b.name for b in bucket.list_blobs()], bucket.blob(name).download_as_bytes()) == ([name], b"x")


def test_an_object_and_one_below_its_name_live_side_by_side(bucket: Bucket) -> None:
    bucket.blob("a").upload_from_string(b"1")
    bucket.blob("a/b").upload_from_string(b"2")
    assert [bucket.blob(n).download_as_bytes() for n in ("a", "a/b")] == [b"1", b"2"]


@pytest.mark.parametrize("name", ["..", "a\nb"])
def test_a_name_that_cloud_storage_refuses_is_refused(bucket: Bucket, name: str) -> None:
    with pytest.raises(BadRequest, match="Invalid object name"):
        bucket.blob(name).upload_from_string(b"x")


def test_pages_with_prefixes_hold_everything_once(bucket: Bucket) -> None:
    for name in ("a", "r/1", "r/2", "s/1", "z"):
        bucket.blob(name).upload_from_string(b"x")
    listed = bucket.list_blobs(delimiter="/", page_size=1)
    assert ([b.name for b in listed], sorted(listed.prefixes)) == (["a", "z"], ["r/", "s/"])


def test_a_change_of_metadata_makes_no_generation_but_a_metageneration(bucket: Bucket) -> None:
    blob = bucket.blob("a")
    blob.upload_from_string(b"x")
    before = blob.generation
    blob.metadata = {"owner": "ml"}
    blob.patch()
    again = bucket.blob("a")
    again.reload()
    assert (blob.generation, blob.metageneration, again.metadata) == (before, 2, {"owner": "ml"})


def test_a_change_on_a_metageneration_that_is_over_is_refused(bucket: Bucket) -> None:
    blob = bucket.blob("a")
    blob.upload_from_string(b"x")
    blob.metadata = {"owner": "ml"}
    blob.patch()
    with pytest.raises(PreconditionFailed):
        blob.patch(if_metageneration_match=1)


def test_a_setting_of_an_object_that_is_not_enforced_is_refused(bucket: Bucket) -> None:
    blob = bucket.blob("a")
    blob.upload_from_string(b"x")
    blob.temporary_hold = True
    with pytest.raises(Exception, match="temporaryHold"):
        blob.patch()


def test_a_listing_with_a_parameter_that_is_not_supported_is_refused(bucket: Bucket) -> None:
    with pytest.raises(Exception, match="matchGlob"):
        list(bucket.list_blobs(match_glob="*"))


def test_what_is_deleted_for_good_can_be_restored_while_the_policy_keeps_it(bucket: Bucket) -> None:
    blob = bucket.blob("a")
    blob.upload_from_string(b"old")
    blob.delete()
    (kept,) = bucket.list_blobs(soft_deleted=True)
    with pytest.raises(NotFound):
        bucket.blob("a", generation=kept.generation).download_as_bytes()
    restored = bucket.restore_blob("a", generation=kept.generation)
    assert (bucket.blob("a").download_as_bytes(), restored.generation > kept.generation) == (b"old", True)


def test_without_a_soft_delete_policy_nothing_can_be_restored(cloud: Any) -> None:
    name = cloud.make_bucket("bare", REGION, softDeletePolicy={"retentionDurationSeconds": "0"})
    bucket = cloud.api.storage_client().bucket(name)
    blob = bucket.blob("a")
    blob.upload_from_string(b"old")
    blob.delete()
    assert list(bucket.list_blobs(soft_deleted=True)) == []


def test_a_retained_object_says_until_when(cloud: Any) -> None:
    name = cloud.make_bucket("retained", REGION, retentionPolicy={"retentionPeriod": "99"})
    blob = cloud.api.storage_client().bucket(name).blob("a")
    blob.upload_from_string(b"x")
    assert (blob.retention_expiration_time - blob.time_created).total_seconds() == 99


def test_a_retained_object_cannot_be_overwritten(cloud: Any) -> None:
    policy = {"retentionPolicy": {"retentionPeriod": "99"}, "versioning": {"enabled": False}}
    bucket = cloud.api.storage_client().bucket(cloud.make_bucket("held", REGION, **policy))
    bucket.blob("a").upload_from_string(b"x")
    with pytest.raises(Exception, match="under active retention"):
        bucket.blob("a").upload_from_string(b"y")


def test_a_copy_keeps_type_and_metadata(cloud: Any, bucket: Bucket) -> None:
    blob = bucket.blob("a")
    blob.metadata = {"sha256": "abc"}
    blob.upload_from_string(b"x", content_type="text/x-model")
    copy = bucket.blob("b")
    copy.rewrite(blob)
    assert (copy.content_type, copy.metadata, copy.md5_hash) == ("text/x-model", {"sha256": "abc"}, blob.md5_hash)


def test_an_upload_in_parts_with_a_wrong_checksum_stores_nothing(bucket: Bucket) -> None:
    url = f"{bucket.client._connection.API_BASE_URL}/upload/storage/v1/b/{bucket.name}/o?uploadType=resumable&name=a"
    where = requests.post(url, json={"crc32c": "AAAAAA=="}, timeout=10).headers["Location"]
    answer = requests.put(where, data=b"x", timeout=10)
    assert (answer.status_code, bucket.get_blob("a")) == (400, None)


def test_a_broken_upload_goes_on_where_it_stopped(bucket: Bucket) -> None:
    url = f"{bucket.client._connection.API_BASE_URL}/upload/storage/v1/b/{bucket.name}/o?uploadType=resumable&name=a"
    where = requests.post(url, timeout=10).headers["Location"]
    requests.put(where, data=b"abc", headers={"Content-Range": "bytes 0-2/6"}, timeout=10)
    asked = requests.put(where, headers={"Content-Range": "bytes */6"}, timeout=10)
    assert (asked.status_code, asked.headers["Range"]) == (308, "bytes=0-2")
    requests.put(where, data=b"def", headers={"Content-Range": "bytes 3-5/6"}, timeout=10).raise_for_status()
    assert bucket.blob("a").download_as_bytes() == b"abcdef"


def test_what_is_not_there_is_not_found(bucket: Bucket) -> None:
    with pytest.raises(NotFound):
        bucket.blob("missing").download_as_bytes()


def test_a_copy_is_encrypted_with_the_other_buckets_key(cloud: Any, bucket: Bucket) -> None:
    far = cloud.make_key(FAR)
    other = cloud.make_bucket("far", FAR, far)
    bucket.blob("a").upload_from_string(b"x")
    copy = bucket.client.bucket(other).blob("a")
    copy.rewrite(bucket.blob("a"))
    assert copy.kms_key_name == f"{far}/cryptoKeyVersions/1"


def test_an_upload_whose_client_hangs_up_stores_nothing(cloud: Any, bucket: Bucket) -> None:
    address = urlsplit(cloud.target.gcp_endpoint_url)
    with socket.create_connection((address.hostname, address.port), 10) as client:
        head = f"POST /upload/storage/v1/b/{bucket.name}/o?uploadType=media&name=a HTTP/1.1\r\n"
        client.sendall(f"{head}Host: x\r\nContent-Length: 8\r\n\r\nhalf".encode())
        client.shutdown(socket.SHUT_WR)
        answer = client.recv(100)
    assert (answer.split()[1], bucket.get_blob("a")) == (b"400", None)
