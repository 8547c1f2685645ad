"""How a signed statement fails: it cannot be read at all, or it is not to be relied on."""

from __future__ import annotations

from common.errors import UserError


class UnreadableError(UserError):
    """The file is no signed statement of this version: nothing can be said about it (exit code 2)."""


class RefusedError(UserError):
    """The statement was forged or changed, or nobody who is trusted signed it (exit code 1)."""
