"""Compares what was restored with what was there, and writes it down as a check: pure functions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ops.drill.model import Check, ExpectedObject
from ops.features.rows import Row


def objects_check(
    name: str,
    subject: str,
    expected: Sequence[ExpectedObject],
    sizes: Mapping[str, int],
    digests: Mapping[str, str | None],
) -> Check:
    """Objects' digests beside the expected ones; every byte was read for them."""
    wanted = {item.key: item.sha256 for item in expected}
    found = {key: digest for key in sizes if (digest := digests.get(key)) is not None}
    volume = {item.key: item.size for item in expected}
    return digests_check(
        name,
        subject,
        wanted,
        found,
        extra=sizes.keys() - wanted.keys(),
        expected_also={"bytes": sum(volume.values())},
        found_also={"bytes": sum(sizes[key] for key in found if key in wanted)},
    )


def rows_check(name: str, subject: str, expected: Mapping[str, Row], found: Mapping[str, Row]) -> Check:
    """Feature rows in full, the moment of their expiry included."""
    wanted, there = ({entity: _digest(row) for entity, row in rows.items()} for rows in (expected, found))
    return digests_check(name, subject, wanted, there)


def digest_of(things: Mapping[str, str]) -> str:
    """One SHA-256 (hex) over named digests, in no order."""
    lines = [json.dumps([key, things[key]]) for key in sorted(things)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def digests_check(
    name: str,
    subject: str,
    wanted: Mapping[str, str],
    found: Mapping[str, str],
    *,
    extra: Iterable[str] | None = None,
    expected_also: Mapping[str, Any] | None = None,
    found_also: Mapping[str, Any] | None = None,
) -> Check:
    """Digests of what is there beside those of what must be there.

    Args:
        extra: what is there beyond, if not all of it has a digest in `found`.
        expected_also: further figures for the record; `found_also` likewise.
    """
    there = {key: digest for key, digest in found.items() if key in wanted}
    return Check(
        name,
        "whole",
        {"count": len(wanted), "sha256": digest_of(wanted), **(expected_also or {})},
        {
            "count": len(there),
            "sha256": digest_of(there),
            "missing": sorted(wanted.keys() - there.keys()),
            "changed": sorted(key for key, digest in there.items() if digest != wanted[key]),
            "extra": sorted(found.keys() - wanted.keys() if extra is None else extra),
            **(found_also or {}),
        },
        subject,
    )


def _digest(row: Row) -> str:
    return hashlib.sha256(json.dumps([row.features, row.expires_at]).encode()).hexdigest()


def flipped(data: bytes) -> bytes:
    """`data` with one bit of its middle byte changed.

    Raises:
        ValueError: there is no byte to change.
    """
    if not data:
        raise ValueError("an empty object has no byte to flip")
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
