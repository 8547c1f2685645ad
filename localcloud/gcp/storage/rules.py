"""Cloud Storage's rules for objects as plain functions: preconditions, names, metadata, listings, ranges."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from localcloud.gcp.store import Document
from localcloud.gcp.wire import ApiError

WRITABLE: Final = frozenset(
    {
        "cacheControl",
        "contentDisposition",
        "contentEncoding",
        "contentLanguage",
        "contentType",
        "customTime",
        "metadata",
        "storageClass",
    }
)
"""What a client may say of an object."""
_IGNORED: Final = frozenset({"name", "bucket", "crc32c", "md5Hash", "kind", "id", "size"})
"""What clients send along, and what is decided elsewhere."""

_LISTING: Final = frozenset(
    {
        "delimiter",
        "maxResults",
        "pageToken",
        "prefix",
        "softDeleted",
        "versions",
    }
)
_STANDARD: Final = frozenset({"alt", "fields", "key", "prettyPrint", "projection", "quotaUser", "userProject"})
"""Of every request: https://cloud.google.com/storage/docs/json_api/v1/parameters"""
_PAGE_ITEMS: Final = 1000
_RANGE: Final = re.compile(r"bytes=(?P<first>\d*)-(?P<last>\d*)")


def precondition_failed() -> ApiError:
    """The 412 of an `if…Match` parameter."""
    message = "At least one of the pre-conditions you specified did not hold."
    return ApiError(412, message, reason="conditionNotMet")


def check_conditions(query: Mapping[str, str], current: Mapping[str, Any] | None) -> None:
    """Raise ApiError (412) if an `ifGeneration…` or `ifMetageneration…` parameter does not hold."""
    for parameter, member in (("Generation", "generation"), ("Metageneration", "metageneration")):
        value = str(current[member]) if current else "0"
        match, mismatch = query.get(f"if{parameter}Match"), query.get(f"if{parameter}NotMatch")
        if (match is not None and match != value) or (mismatch is not None and mismatch == value):
            raise precondition_failed()


def is_true(parameter: str | None) -> bool:
    """Whether a flag is set; Google's Python client writes `True`."""
    return (parameter or "").lower() == "true"


def disabled_key(detail: str) -> ApiError:
    """The 400 of Cloud Storage for a key that is disabled, destroyed or scheduled to be."""
    message = f"Cloud KMS key is disabled, destroyed, or scheduled to be destroyed. {detail}"
    return ApiError(400, message, status="FAILED_PRECONDITION", reason="cloudKmsDisabledKey")


def checked_name(name: str) -> str:
    """Raise ApiError for a name that Cloud Storage refuses: https://cloud.google.com/storage/docs/objects#naming."""
    too_long = len(name.encode()) > 1024
    if not name or too_long or name in (".", "..") or "\r" in name or "\n" in name:
        raise ApiError(400, "Invalid object name.", reason="invalid")
    return name


def described(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an object's metadata that a client decides. Raises ApiError (501) for what is not enforced."""
    unknown = sorted(k for k in set(metadata) - WRITABLE - _IGNORED if metadata[k])
    if unknown:
        raise ApiError(
            501, f"The local cloud enforces no {', '.join(unknown)} of an object.", reason="notImplemented"
        )
    return {k: v for k, v in metadata.items() if k in WRITABLE and v is not None}


def page(items: Iterable[Document], query: Mapping[str, str]) -> dict[str, Any]:
    """One page of a listing of versions, which come by name and generation.

    Raises ApiError: 501 for a parameter that is not supported, 400 for a broken token.
    """
    unknown = sorted(set(query) - _LISTING - _STANDARD)
    if unknown:
        raise ApiError(501, f"The local cloud lists without {', '.join(unknown)}.", reason="notImplemented")
    limit = int(query.get("maxResults") or _PAGE_ITEMS)
    after = _position(query.get("pageToken"))
    found: list[Document] = []
    prefixes: list[str] = []
    last = after
    for item in items:
        prefix = _folded(item["name"], query.get("prefix", ""), query.get("delimiter", ""))
        position = (prefix, -1) if prefix else (item["name"], int(item["generation"]))
        if position <= after or position == last:
            continue
        if len(found) + len(prefixes) == limit:
            return _answer(found, prefixes, last)
        if prefix:
            prefixes.append(prefix)
        else:
            found.append(item)
        last = position
    return _answer(found, prefixes, None)


def _folded(name: str, prefix: str, delimiter: str) -> str:
    """The prefix that stands for a name in a listing with a delimiter; empty if the name stands for itself."""
    at = name.find(delimiter, len(prefix)) if delimiter else -1
    return name[: at + len(delimiter)] if at >= 0 else ""


def _answer(found: list[Document], prefixes: list[str], last: tuple[str, int] | None) -> dict[str, Any]:
    token = base64.urlsafe_b64encode(json.dumps(last).encode()).decode() if last else None
    given = {"prefixes": prefixes, "items": found, "nextPageToken": token}
    return {"kind": "storage#objects", **{k: v for k, v in given.items() if v}}


def _position(token: str | None) -> tuple[str, int]:
    if not token:
        return "", -1
    try:
        name, generation = json.loads(base64.urlsafe_b64decode(token))
        return str(name), int(generation)
    except (ValueError, TypeError):
        raise ApiError(400, f"Invalid pageToken: {token!r}", reason="invalid") from None


def byte_range(header: str | None, size_bytes: int) -> tuple[int, int] | None:
    """First byte and number of bytes that a `Range` header asks for; None for the whole object.

    Raises ApiError (416) if the object has none of them.
    """
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None or (not found["first"] and not found["last"]):
        return None
    if found["first"]:
        first = int(found["first"])
        last = min(int(found["last"] or size_bytes - 1), size_bytes - 1)
    else:
        first, last = max(0, size_bytes - int(found["last"])), size_bytes - 1
    if first > last:
        raise ApiError(416, "The requested range cannot be satisfied.", reason="requestedRangeNotSatisfiable")
    return first, last - first + 1
