"""A release is fetched whole and verified, or not served: every fault ends in one line and its exit code."""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from securesystemslib.signer import CryptoSigner  # pyright: ignore[reportPrivateImportUsage]

from common.attestation.envelope import sealed
from common.attestation.keys import fingerprint, library_key, pem
from common.attestation.signers import Signing, open_signer
from common.attestation.statement import PAYLOAD_TYPE as ENVELOPE_PAYLOAD_TYPE
from common.attestation.statement import Statement, Subject
from ops.models.lineage import PREDICATE_TYPE
from serving_image.release_fetch import fetching
from serving_image.release_fetch.__main__ import arguments_of
from serving_image.release_fetch.fetching import Job, fetch
from serving_image.release_fetch.problems import BLOCKED, BROKEN, FetchError, NoAnswerError
from serving_image.release_fetch.signature import PAYLOAD_TYPE, PREDICATE
from serving_image.release_fetch.sources import Write

PART = 1000
FILES = {
    "net/config.pbtxt": b"name: 'net'",
    "net/1/weights.bin": bytes(range(256)) * 20,  # six parts
    "net/1/empty.txt": b"",
    "other/config.pbtxt": b"name: 'other'",
    "other/1/model.py": b"x" * PART,
}


def manifest_of(files: Mapping[str, bytes]) -> bytes:
    """As `seawall models publish` writes it."""
    entries = [
        {"path": path, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for path, data in sorted(files.items())
    ]
    return json.dumps({"schema_version": 1, "version": "v1", "files": entries}).encode()


@dataclass
class Bucket:
    """A release in memory that counts what is read of it, and fails where it is told to."""

    objects: dict[str, bytes]
    region: str = "here"
    reads: list[tuple[str, int, int]] = field(default_factory=list)
    before_read: Callable[[str, int], None] = lambda _key, _start: None

    def check_region(self, region: str) -> None:
        if region != self.region:
            raise FetchError(f"the bucket lies in {self.region}", "memory", "Name it.")

    def sizes(self, prefix: str) -> Mapping[str, int]:
        return {key: len(data) for key, data in self.objects.items() if key.startswith(prefix)}

    def read(self, key: str, start: int, length: int, write: Write) -> None:
        self.before_read(key, start)
        if key not in self.objects:
            raise FetchError("the object does not exist", key, "Publish it.", code=BROKEN)
        self.reads.append((key, start, length))
        write(self.objects[key][start : start + length])

    def read_bytes(self) -> int:
        """Bytes of files that were read."""
        return sum(length for key, _, length in self.reads if key != fetching.MANIFEST)


def bucket_of(files: Mapping[str, bytes]) -> Bucket:
    return Bucket({"manifest.json": manifest_of(files), **{f"repository/{p}": d for p, d in files.items()}})


@pytest.fixture
def bucket() -> Bucket:
    return bucket_of(FILES)


@pytest.fixture
def job(bucket: Bucket, tmp_path: Path) -> Job:
    pinned = hashlib.sha256(bucket.objects["manifest.json"]).hexdigest()
    return Job(bucket, "s3://models/releases/v1", pinned, "here", tmp_path, 4, part_bytes=PART, pause_s=0.001)


def told(job: Job) -> list[str]:
    lines: list[str] = []
    fetch(job, lines.append)
    return lines


def refusal(job: Job) -> FetchError:
    with pytest.raises(FetchError) as caught:
        told(job)
    assert not job.repository.exists(), "something is served"
    return caught.value


def on_disk(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_every_file_arrives_and_nothing_else_is_left(job: Job) -> None:
    lines = told(job)
    assert on_disk(job.repository) == FILES
    assert {path.name for path in job.folder.iterdir()} == {"repository"}
    assert lines[0].endswith("5 files, 0.0 MB; its signature is not asked for") and "whole and verified" in lines[-1]


def test_a_release_that_is_there_is_verified_and_not_fetched_again(job: Job, bucket: Bucket) -> None:
    told(job)
    bucket.reads.clear()
    told(job)
    assert bucket.read_bytes() == 0 and on_disk(job.repository) == FILES


def test_a_file_that_was_damaged_on_the_disk_is_fetched_again(job: Job, bucket: Bucket) -> None:
    told(job)
    bucket.reads.clear()
    (job.repository / "other/1/model.py").write_bytes(b"y" * PART)
    told(job)
    assert on_disk(job.repository) == FILES and bucket.read_bytes() == PART


def test_a_file_that_is_not_the_releases_is_not_served(job: Job) -> None:
    told(job)
    (job.repository / "net/1/stranger.py").write_text("import os")
    (job.repository / "net/2").mkdir()
    (job.repository / "net/2/link").symlink_to("/etc/passwd")
    told(job)
    assert on_disk(job.repository) == FILES and not (job.repository / "net/2").exists()


class Killed(BaseException):
    """The process ends here."""


def test_a_fetch_that_was_killed_goes_on_where_it_was(job: Job, bucket: Bucket) -> None:
    def die(key: str, start: int) -> None:
        if key.endswith("weights.bin") and start == 3 * PART:
            raise Killed

    bucket.before_read = die
    with pytest.raises(Killed):
        told(replace(job, workers=1))
    assert not job.repository.exists(), "a half-written release is served"
    before = {(key, start) for key, start, _ in bucket.reads}
    bucket.before_read = lambda _key, _start: None
    bucket.reads.clear()
    told(job)
    again = {(key, start) for key, start, _ in bucket.reads if key != fetching.MANIFEST}
    assert on_disk(job.repository) == FILES
    assert ("repository/net/1/weights.bin", 0) in before and not before & again


def test_a_part_that_a_dying_machine_left_broken_is_found(job: Job, bucket: Bucket) -> None:
    def die(key: str, start: int) -> None:
        if key.endswith("weights.bin") and start == 3 * PART:
            raise Killed

    bucket.before_read = die
    with pytest.raises(Killed):
        told(replace(job, workers=1))
    (data,) = (p for p in (job.folder / "parts").glob("*.data") if p.stat().st_size == 20 * 256)
    with data.open("r+b") as file:
        file.write(b"\0" * PART)
    bucket.before_read = lambda _key, _start: None
    told(job)
    assert on_disk(job.repository) == FILES


def test_an_answer_that_breaks_off_is_asked_for_again(job: Job, bucket: Bucket) -> None:
    failures = iter([NoAnswerError("reset"), NoAnswerError("reset")])

    def break_off(key: str, _start: int) -> None:
        error = next(failures, None) if key.endswith("model.py") else None
        if error:
            raise error

    bucket.before_read = break_off
    told(job)
    assert on_disk(job.repository) == FILES


def test_a_network_that_never_answers_ends_in_a_line(job: Job, bucket: Bucket) -> None:
    def fail(key: str, _start: int) -> None:
        raise NoAnswerError("no route")

    bucket.before_read = fail
    error = refusal(job)
    assert error.code == BLOCKED and "no whole answer after 5 attempts: no route" in str(error)


def test_another_digest_than_the_pinned_one_is_refused(job: Job) -> None:
    error = refusal(replace(job, manifest_sha256="0" * 64))
    assert error.code == BROKEN and "the settings pin " + "0" * 64 in str(error)


def _lose(bucket: Bucket) -> None:
    del bucket.objects["repository/net/1/weights.bin"]


def _add(bucket: Bucket) -> None:
    bucket.objects["repository/net/1/more.py"] = b"import os"


def _cut(bucket: Bucket) -> None:
    bucket.objects["repository/net/1/weights.bin"] = FILES["net/1/weights.bin"][:-1]


def _swap(bucket: Bucket) -> None:
    bucket.objects["repository/net/1/weights.bin"] = FILES["net/1/weights.bin"][::-1]


def _swap_small(bucket: Bucket) -> None:
    bucket.objects["repository/net/config.pbtxt"] = b"name: 'ten'"


def _unpublish(bucket: Bucket) -> None:
    del bucket.objects["manifest.json"]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (_lose, "net/1/weights.bin is missing"),
        (_add, "net/1/more.py is there and not in the manifest"),
        (_cut, "net/1/weights.bin has 5119 bytes instead of 5120"),
        (_swap, "net/1/weights.bin does not have the SHA-256"),
        (_swap_small, "net/config.pbtxt does not have the SHA-256"),
        (_unpublish, "the object does not exist"),
    ],
)
def test_a_release_that_is_not_whole_is_refused(
    job: Job, bucket: Bucket, fault: Callable[[Bucket], None], expected: str
) -> None:
    fault(bucket)
    error = refusal(job)
    assert error.code == BROKEN and expected in str(error)


def test_a_refusal_in_the_middle_ends_the_fetch(job: Job, bucket: Bucket) -> None:
    def revoke(key: str, start: int) -> None:
        if key.endswith("weights.bin") and start:
            raise FetchError("S3 refused the request: AccessDenied", key, "Give the pod's identity read access.")

    bucket.before_read = revoke
    error = refusal(job)
    assert error.code == BLOCKED and "AccessDenied" in str(error)


def test_a_bucket_elsewhere_is_refused(job: Job) -> None:
    assert "the bucket lies in here" in str(refusal(replace(job, region="there")))


def test_a_release_that_the_volume_cannot_take_is_refused_before_it_is_fetched(job: Job, bucket: Bucket) -> None:
    error = refusal(replace(job, limit_bytes=100))
    assert "the volume takes 100" in str(error) and "fleet.repository_gib" in str(error)
    assert bucket.read_bytes() == 0


def test_a_disk_that_runs_full_ends_in_a_line(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int, _data: bytes, _position: int) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    error = refusal(job)
    assert error.code == BLOCKED and "the disk is full" in str(error)


def test_a_folder_that_cannot_be_written_ends_in_a_line(job: Job, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    error = refusal(replace(job, folder=tmp_path / "file"))
    assert "the folder cannot be used: Not a directory" in str(error)


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "net/../x", "net//x", "a\\b", "net/\nx", ""])
def test_a_manifest_that_leads_out_of_the_repository_is_refused(tmp_path: Path, path: str) -> None:
    bucket = bucket_of({path: b"x"})
    pinned = hashlib.sha256(bucket.objects["manifest.json"]).hexdigest()
    error = refusal(Job(bucket, "s3://models/releases/v1", pinned, "here", tmp_path, 2))
    assert error.code == BROKEN and "is not a path inside a repository" in str(error)


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"schema_version": 2, "files": []}', b'{"files": 3}'])
def test_a_manifest_of_another_shape_is_refused(job: Job, bucket: Bucket, text: bytes) -> None:
    bucket.objects["manifest.json"] = text
    error = refusal(replace(job, manifest_sha256=hashlib.sha256(text).hexdigest()))
    assert error.code == BROKEN and "the manifest cannot be read" in str(error)


# Signatures.


@pytest.fixture
def signer(tmp_path: Path) -> Signing:
    return open_signer(str(tmp_path / "keys" / "publisher.pem"))


def attested(bucket: Bucket, pinned: str, by: Signing, kind: str = PREDICATE) -> None:
    """Has somebody sign what is pinned."""
    subject = Subject("releases/v1/manifest.json", {"sha256": pinned})
    bucket.objects["attestation.json"] = json.dumps(sealed(Statement((subject,), kind, {"a": 1}), by)).encode()


@pytest.fixture
def signed_job(job: Job, bucket: Bucket, signer: Signing) -> Job:
    """A release that is signed, by the one who may."""
    attested(bucket, job.manifest_sha256, signer)
    return replace(job, signers=frozenset({signer.name}))


def test_a_release_of_a_trusted_signer_is_fetched(signed_job: Job, signer: Signing) -> None:
    assert f"signed by {signer.name}" in told(signed_job)[0]
    assert on_disk(signed_job.repository) == FILES


def test_what_both_libraries_name_a_release_is_the_same() -> None:
    assert (PREDICATE, PAYLOAD_TYPE) == (PREDICATE_TYPE, ENVELOPE_PAYLOAD_TYPE)


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()])
def test_a_release_that_a_clouds_key_signed_is_fetched(signed_job: Job, bucket: Bucket, curve: Any) -> None:
    key = ec.generate_private_key(curve)
    public = key.public_key()
    signing = Signing(CryptoSigner(key, library_key(public)), fingerprint(public), pem(public))
    attested(bucket, signed_job.manifest_sha256, signing)
    told(replace(signed_job, signers=frozenset({signing.name})))
    assert on_disk(signed_job.repository) == FILES


def forged(bucket: Bucket, change: Callable[[dict[str, Any]], object]) -> None:
    envelope = json.loads(bucket.objects["attestation.json"])
    change(envelope)
    bucket.objects["attestation.json"] = json.dumps(envelope).encode()


@pytest.mark.parametrize(
    "change",
    [
        lambda e: e.update(payload=base64.b64encode(b"{}").decode()),
        lambda e: e.update(payloadType="text/plain"),
        lambda e: e.update(signatures=[]),
        lambda e: e.update(signatures=e["signatures"] * 2),
        lambda e: e["signatures"][0].update(sig=base64.b64encode(bytes(64)).decode()),
        lambda e: e["signatures"][0].update(publicKey="no key"),
        lambda e: e.clear(),
    ],
    ids=["payload", "type", "unsigned", "twice", "signature", "key", "empty"],
)
def test_a_forged_attestation_is_refused(
    signed_job: Job, bucket: Bucket, change: Callable[[dict[str, Any]], object]
) -> None:
    forged(bucket, change)
    assert refusal(signed_job).code == BROKEN
    assert not signed_job.repository.exists()


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_an_attestation_that_cannot_be_read_is_refused(signed_job: Job, bucket: Bucket, data: bytes) -> None:
    bucket.objects["attestation.json"] = data
    assert refusal(signed_job).code == BROKEN


def test_a_release_that_nobody_signed_is_refused(signed_job: Job, bucket: Bucket) -> None:
    del bucket.objects["attestation.json"]
    refusal(signed_job)
    assert not signed_job.repository.exists()


def test_a_release_that_an_attacker_signed_is_refused(signed_job: Job, bucket: Bucket, tmp_path: Path) -> None:
    attested(bucket, signed_job.manifest_sha256, open_signer(str(tmp_path / "attacker.pem")))
    assert "the settings trust" in str(refusal(signed_job))


def test_a_signature_of_another_release_is_refused(signed_job: Job, bucket: Bucket, signer: Signing) -> None:
    attested(bucket, "0" * 64, signer)
    assert "another content" in str(refusal(signed_job))


def test_a_signature_of_something_else_is_refused(signed_job: Job, bucket: Bucket, signer: Signing) -> None:
    attested(bucket, signed_job.manifest_sha256, signer, "https://seawall.dev/restore-drill/v4")
    assert "something else" in str(refusal(signed_job))


@pytest.mark.parametrize("flags", [[], ["--signer", "me"], ["--unsigned", f"--signer=SHA256:{'0' * 64}"]])
def test_the_program_must_be_told_whom_to_trust_or_that_nobody_is(flags: list[str]) -> None:
    known = ["--release=s3://b/r", f"--manifest-sha256={'0' * 64}", "--into=/tmp/x", "--region=r"]
    with pytest.raises(SystemExit):
        arguments_of([*known, *flags])
