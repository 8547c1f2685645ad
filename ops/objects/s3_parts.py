"""Sends a large file to S3 in parts, each with its SHA-256, and goes on where a killed upload ended.

The file is read once: what is hashed is what is sent, so a file that changes meanwhile never becomes an object.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from ops.objects.journal import Journal
from ops.objects.store import ChecksumMismatchError

PARTS_MAX: Final = 10_000
"""Amazon S3 multipart upload limits (S3 user guide, "qfacts", believed)."""
AHEAD: Final = 4
"""Parts in memory at once."""


def part_bytes_for(size: int, wanted: int) -> int:
    """The size of each part but the last: `wanted`, or more where there would be too many."""
    return max(wanted, -(-size // PARTS_MAX))


def send_in_parts(
    client: Any, bucket: str, key: str, path: Path, *, sha256: str | None, part_bytes: int, journal: Journal
) -> None:
    """Upload a file.

    Args:
        sha256: what the whole file must be (hex); None if that does not matter.

    Raises:
        ChecksumMismatchError: it is something else; no object is made.
        ClientError: as boto3.
    """
    for attempt in (1, 2):
        told = journal.read()
        upload = told.get("upload_id") if told.get("part_bytes") == part_bytes else None
        resumed = upload is not None
        if upload is None:
            made = client.create_multipart_upload(Bucket=bucket, Key=key, ChecksumAlgorithm="SHA256")
            upload, told = made["UploadId"], {"upload_id": made["UploadId"], "part_bytes": part_bytes, "parts": {}}
            journal.write(told)
        try:
            _send(client, {"Bucket": bucket, "Key": key, "UploadId": upload}, path, sha256, told, journal)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "NoSuchUpload" and resumed and attempt == 1:
                journal.drop()  # ended, or removed by the bucket's lifecycle
                continue
            raise
        journal.drop()
        return


def _send(
    client: Any, upload: dict[str, str], path: Path, sha256: str | None, told: dict[str, Any], journal: Journal
) -> None:
    whole, parts = hashlib.sha256(), dict(told["parts"])

    def send(number: int, data: bytes, digest: str) -> dict[str, str]:
        answer = client.upload_part(**upload, PartNumber=number, Body=data, ChecksumSHA256=digest)
        return {"etag": answer["ETag"], "sha256": digest}

    with ThreadPoolExecutor(AHEAD, thread_name_prefix="part") as pool:
        running: dict[int, Future[dict[str, str]]] = {}

        def settle(number: int) -> None:
            parts[str(number)] = running.pop(number).result()
            journal.write({**told, "parts": parts})

        number = 0
        for number, data in enumerate(_blocks(path, told["part_bytes"]), 1):
            whole.update(data)
            digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
            if parts.get(str(number), {}).get("sha256") == digest:
                continue
            if len(running) >= AHEAD:
                settle(min(running))
            running[number] = pool.submit(send, number, data, digest)
        for each in sorted(running):
            settle(each)
    if sha256 is not None and whole.hexdigest() != sha256:
        client.abort_multipart_upload(**upload)
        journal.drop()
        raise ChecksumMismatchError(str(path))
    listed = [
        {"PartNumber": n, "ETag": parts[str(n)]["etag"], "ChecksumSHA256": parts[str(n)]["sha256"]}
        for n in range(1, number + 1)
    ]
    client.complete_multipart_upload(**upload, MultipartUpload={"Parts": listed})


def _blocks(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(size):
            yield block
