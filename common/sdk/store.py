"""Keeps SDK tables on disk, because importing an SDK module takes seconds and reading a table milliseconds."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import quote

from common.paths import cache_dir
from common.sdk import schema
from common.sdk.schema import SDK_PACKAGES, ResourceSchema, package_of, read_schema


def load_schema(token: str) -> ResourceSchema | None:
    """The table of `token` from the cache, else from the SDK (and then kept); None if there is no such type.

    A cache that cannot be read or written costs time and nothing else.
    """
    package = package_of(token)
    if package is None:
        return None
    path = _folder(package, cache_dir()) / f"{quote(token, safe='')}.json"
    with suppress(OSError, ValueError, KeyError, TypeError):
        return ResourceSchema.from_json(json.loads(path.read_bytes()))
    table = read_schema(token)
    if table is not None:
        with suppress(OSError):
            _write(path, json.dumps(table.to_json(), separators=(",", ":")))
    return table


@cache
def _folder(package: str, root: Path) -> Path:
    """Keyed by the SDK's version and by this reader's own code, so that a stale table is never read."""
    try:
        sdk_version = version(SDK_PACKAGES[package].replace("_", "-"))
    except PackageNotFoundError:
        sdk_version = "none"
    reader = hashlib.sha256(Path(schema.__file__).read_bytes()).hexdigest()[:12]
    return root / "sdk" / f"{package}-{sdk_version}-{reader}"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".partial-")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
