"""The manifest of a release: which files it has, believed only if its own digest is the one that was pinned."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Final

from .problems import BROKEN, FetchError

SCHEMA_VERSION: Final = 1
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_PART: Final = re.compile(r"(?!\.{1,2}$)[^/\\\x00-\x1f\x7f]+")


@dataclass(frozen=True)
class File:
    """One file of the model repository; `size` in bytes."""

    path: str
    size: int
    sha256: str


def read_manifest(data: bytes, pinned_sha256: str, where: str) -> tuple[File, ...]:
    """The files of a manifest.

    Raises:
        FetchError: it is not the one that was pinned, or names a file outside the repository.
    """
    found = hashlib.sha256(data).hexdigest()
    if found != pinned_sha256:
        raise FetchError(
            f"the manifest has the digest {found}, and the settings pin {pinned_sha256}",
            where,
            "Pin the digest that `seawall models list` shows for this version, or restore the manifest.",
            code=BROKEN,
        )
    try:
        told = json.loads(data)
        files = tuple(_file(entry) for entry in told["files"])
        if told["schema_version"] != SCHEMA_VERSION or not files:
            raise ValueError(f"schema version {told['schema_version']!r} with {len(files)} files")
    except (ValueError, KeyError, TypeError) as error:
        raise FetchError(
            f"the manifest cannot be read: {type(error).__name__}: {error}",
            where,
            "Publish the release with the same version of Seawall as the serving image's.",
            code=BROKEN,
        ) from error
    return files


def _file(entry: Any) -> File:
    path, size, sha256 = str(entry["path"]), entry["size"], str(entry["sha256"])
    if not all(_PART.fullmatch(part) for part in path.split("/")):
        raise ValueError(f"{path!r} is not a path inside a repository")
    if type(size) is not int or size < 0 or not _SHA256.fullmatch(sha256):
        raise ValueError(f"{path!r} has no size or no SHA-256")
    return File(path, size, sha256)
