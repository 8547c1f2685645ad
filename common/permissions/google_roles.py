"""Google Cloud's roles by what they permit, as far as it is dangerous.

`google_roles.json` holds every predefined role of github.com/iann0036/iam-dataset of 2026-08-22 (MIT), which is read
from Google's API, with those of its permissions that `common.permissions.google_dangers` names and at most six that
change policies; a role without any is there with none. A role that is not there is not known.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Final

AS_OF: Final = "2026-08-22"
BASIC: Final = frozenset(
    {
        "roles/owner",
        "roles/editor",
        "roles/viewer",
        "roles/admin",
        "roles/writer",
        "roles/reader",
    }
)
"""Roles that span all services, and reach the data of some (IAM guide, "Basic roles", believed, 2026-11-22)."""


def permissions_of(role: str) -> frozenset[str] | None:
    """The dangerous permissions of a predefined role, as `roles/storage.admin`; None for a role that is not known."""
    found = _table().get(role.removeprefix("roles/"))
    return None if found is None else frozenset(found.split())


@lru_cache(maxsize=1)
def _table() -> dict[str, str]:
    return json.loads((Path(__file__).parent / "google_roles.json").read_text(encoding="utf-8"))
