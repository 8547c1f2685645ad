"""Roles by what they allow: predefined ones from a dated table, custom ones as the project has them.

`predefined_roles.json` holds, of the roles of those services that stacks are made of and of the basic roles, the
permissions that the local cloud judges: github.com/iann0036/iam-dataset, commit 2073fa5 of 2026-08-22, which is read
from Google's IAM API. A role that is not in it is not known here, and so allows nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from localcloud.gcp.store import DocumentStore

CUSTOM: Final = "iam/roles"
"""The kind of custom roles' documents, by full name."""
_CUSTOM_NAME: Final = re.compile(r"(projects|organizations)/[^/]+/roles/[^/]+")
_TABLE: Final = Path(__file__).with_name("predefined_roles.json")


@cache
def predefined() -> Mapping[str, frozenset[str]]:
    """Predefined role → the permissions of it that are judged here."""
    return {role: frozenset(held) for role, held in json.loads(_TABLE.read_text(encoding="utf-8")).items()}


class Roles:
    """Every role that a binding of the project can name."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    def permissions(self, role: str) -> frozenset[str] | None:
        """What it allows; None for a predefined role that is not known here.

        A custom role that is gone, or whose stage is DISABLED, allows nothing (reference of
        `RoleLaunchStage`, read 2026-11-21).
        """
        if not _CUSTOM_NAME.fullmatch(role):
            return predefined().get(role)
        custom = self._store.get(CUSTOM, role)
        if custom is None or custom.get("stage") == "DISABLED":
            return frozenset()
        return frozenset(custom.get("includedPermissions", []))

    def exists(self, role: str) -> bool:
        """Whether a binding may name it: of predefined roles nobody here knows all."""
        return not _CUSTOM_NAME.fullmatch(role) or self._store.get(CUSTOM, role) is not None
