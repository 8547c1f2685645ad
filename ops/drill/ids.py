"""Ids of drills: when one began, and how its own resources are told from everybody else's."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from common.errors import UserError

_ID: Final = re.compile(r"(\d{8}t\d{6})-[0-9a-f]{4}")
_WHEN: Final = "%Y%m%dt%H%M%S"


def new_id() -> str:
    """A drill's id: the time (UTC) and four digits of chance."""
    return f"{datetime.now(UTC).strftime(_WHEN)}-{secrets.token_hex(2)}"


def began(drill_id: str) -> datetime:
    """When a drill began, by the clock of the machine that ran it."""
    return datetime.strptime(drill_id.partition("-")[0], _WHEN).replace(tzinfo=UTC)


def drills_among(names: Iterable[str], prefix: str, what: str) -> dict[str, list[str]]:
    """Drill id → its resources, as `bucket seawall-dev-drill-…`, among the names that begin with `prefix`.

    Raises:
        UserError: a name begins as those of drills do, and is none: it is somebody else's, and nothing is touched.
    """
    found: dict[str, list[str]] = {}
    for name in sorted(name for name in names if name.startswith(prefix)):
        drill_id = name.removeprefix(prefix)
        if _ID.fullmatch(drill_id) is None:
            raise UserError(
                f"{what} {name} is called like a drill's own, and no drill made it",
                f"names that begin with {prefix}",
                "Rename it: drills remove what is called so.",
            )
        found.setdefault(drill_id, []).append(f"{what} {name}")
    return found


def merged(*found: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The resources of each drill over several kinds."""
    every = {drill_id for kind in found for drill_id in kind}
    return {drill_id: [name for kind in found for name in kind.get(drill_id, [])] for drill_id in sorted(every)}
