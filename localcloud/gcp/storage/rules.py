"""Cloud Storage's rules for objects as plain functions: preconditions, names, pages of listings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from localcloud.gcp.storage.buckets import precondition_failed
from localcloud.gcp.store import Document
from localcloud.gcp.wire import ApiError

_PAGE_ITEMS: Final = 1000


def check_conditions(query: Mapping[str, str], current: Document | None) -> None:
    """Raise ApiError (412) if an `ifGeneration…` parameter does not hold."""
    generation = str(current["generation"]) if current else "0"
    match, mismatch = query.get("ifGenerationMatch"), query.get("ifGenerationNotMatch")
    if (match is not None and match != generation) or (mismatch is not None and mismatch == generation):
        raise precondition_failed()
    # fake-gcs-server keeps no metagenerations: an object's is always 1.
    meta = query.get("ifMetagenerationMatch")
    if meta is not None and meta != "1":
        raise precondition_failed()


def is_true(parameter: str | None) -> bool:
    """Whether a flag is set; Google's Python client writes `True`."""
    return (parameter or "").lower() == "true"


def disabled_key(detail: str) -> ApiError:
    """The 400 of Cloud Storage for a key that is disabled, destroyed or scheduled to be."""
    message = f"Cloud KMS key is disabled, destroyed, or scheduled to be destroyed. {detail}"
    return ApiError(400, message, status="FAILED_PRECONDITION", reason="cloudKmsDisabledKey")


def page(items: list[Any], prefixes: list[str], query: Mapping[str, str]) -> dict[str, Any]:
    """One page of a listing; the token is the name (and generation) that the last page ended with."""
    limit = int(query.get("maxResults") or _PAGE_ITEMS)
    start = 0
    token = query.get("pageToken")
    if token:
        start = next((i for i, item in enumerate(items) if _token(item) > token), len(items))
    chosen = items[start : start + limit]
    result: dict[str, Any] = {"kind": "storage#objects"}
    if prefixes and not token:
        result["prefixes"] = prefixes
    if chosen:
        result["items"] = chosen
    if start + limit < len(items):
        result["nextPageToken"] = _token(chosen[-1])
    return result


def order(item: Mapping[str, Any]) -> tuple[str, int]:
    return item["name"], int(item["generation"])


def _token(item: Mapping[str, Any]) -> str:
    return f"{item['name']}\x1f{int(item['generation']):020d}"


def checked_name(name: str) -> str:
    """Raise ApiError for names that would leave the bucket's folder, or that Cloud Storage refuses."""
    if not name or len(name.encode()) > 1024 or any(c in name for c in "\r\n\0"):
        raise ApiError(400, "Invalid object name.", reason="invalid")
    if any(part in (".", "..") for part in name.split("/")):
        raise ApiError(
            400, f"The local cloud cannot store an object with '.' or '..' in its path: {name!r}", reason="invalid"
        )
    return name
