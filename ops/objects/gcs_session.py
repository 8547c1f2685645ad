"""Sends a large file to Cloud Storage in a resumable session, and goes on where a killed upload ended.

The file is read once: what is hashed is what is sent, and the last block is sent only if the whole is what it must
be. A session lives for a week (https://cloud.google.com/storage/docs/resumable-uploads, believed); after that the
upload starts anew.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final

import google_crc32c
import requests

from ops.objects.journal import Journal
from ops.objects.store import ChecksumMismatchError

ATTEMPTS: Final = 5
_AGAIN: Final = (408, 429, 500, 502, 503, 504)
_GONE: Final = (404, 410)


class _GoneError(Exception):
    """The session has ended: it is too old, or was finished."""


def send_in_session(
    blob: Any, http: Any, path: Path, *, sha256: str | None, block_bytes: int, journal: Journal, timeout: Any
) -> None:
    """Upload a file.

    Args:
        blob: the library's blob to make.
        http: the library's session, which adds credentials.
        sha256: what the whole file must be (hex); None if that does not matter.
        block_bytes: a multiple of 256 KiB, which each request carries.

    Raises:
        ChecksumMismatchError: the file is something else, or what arrived is; no object is left.
        google.api_core.exceptions.GoogleAPICallError, requests.RequestException: as the library.
    """
    total = path.stat().st_size
    for attempt in (1, 2):
        address = journal.read().get("session")
        resumed = address is not None
        try:
            if address is None:
                address = blob.create_resumable_upload_session(size=total, timeout=timeout)
                journal.write({"session": address})
            made = _Session(http, address, total, timeout).send(path, sha256, block_bytes)
        except _GoneError as gone:
            journal.drop()
            if resumed and attempt == 1:
                continue
            raise requests.ConnectionError("the upload's session is gone") from gone
        except ChecksumMismatchError:
            journal.drop()
            raise
        journal.drop()
        if made["crc32c"] == made["expected_crc32c"]:
            return
        # What an earlier attempt sent was another file's beginning.
        blob.delete(if_generation_match=int(made["generation"]), timeout=timeout)
        if not resumed:
            raise ChecksumMismatchError(str(path))


class _Session:
    def __init__(self, http: Any, address: str, total: int, timeout: Any) -> None:
        self._http = http
        self._address = address
        self._total = total
        self._timeout = timeout

    def send(self, path: Path, sha256: str | None, block_bytes: int) -> dict[str, Any]:
        """Send what is missing; the object's metadata, with the checksum that it must have."""
        arrived, finished = self._arrived()
        whole, crc, position = hashlib.sha256(), google_crc32c.Checksum(), 0
        for block, is_last in _blocks(path, block_bytes):
            whole.update(block)
            crc.update(block)
            start, position = position, position + len(block)
            if is_last and ((sha256 is not None and whole.hexdigest() != sha256) or position != self._total):
                self._http.delete(self._address, headers={"Content-Length": "0"}, timeout=self._timeout)
                raise ChecksumMismatchError(str(path))
            while finished is None and arrived < position:
                arrived, finished = self._put(block[max(0, arrived - start) :], max(start, arrived))
        if finished is None:
            raise _GoneError
        return {**finished, "expected_crc32c": base64.b64encode(crc.digest()).decode()}

    def _arrived(self) -> tuple[int, dict[str, Any] | None]:
        return self._ask(b"", f"bytes */{self._total}")

    def _put(self, data: bytes, start: int) -> tuple[int, dict[str, Any] | None]:
        return self._ask(data, f"bytes {start}-{start + len(data) - 1}/{self._total}")

    def _ask(self, data: bytes, content_range: str) -> tuple[int, dict[str, Any] | None]:
        """How much has arrived after this request, and the object once it is whole."""
        headers = {"Content-Range": content_range, "Content-Length": str(len(data))}
        for attempt in count(1):
            try:
                answer = self._http.put(self._address, data=data, headers=headers, timeout=self._timeout)
            except requests.RequestException:
                if attempt >= ATTEMPTS:
                    raise
            else:
                if answer.status_code == 308:
                    told = answer.headers.get("Range")
                    return (int(told.rpartition("-")[2]) + 1 if told else 0), None
                if answer.status_code in (200, 201):
                    return self._total, answer.json()
                if answer.status_code in _GONE:
                    raise _GoneError
                if answer.status_code not in _AGAIN or attempt >= ATTEMPTS:
                    from google.api_core.exceptions import (
                        from_http_response,
                    )  # warns of Python versions when imported

                    raise from_http_response(answer)
            time.sleep(min(2.0 ** (attempt - 3), 8.0))
            # What of the failed request arrived is not known.
            data, headers = b"", {"Content-Range": f"bytes */{self._total}", "Content-Length": "0"}
        raise AssertionError


def _blocks(path: Path, size: int) -> Iterator[tuple[bytes, bool]]:
    """Each block, and whether it is the last."""
    with path.open("rb") as file:
        block = file.read(size)
        while block:
            following = file.read(size)
            yield block, not following
            block = following
