"""What stands in the place of a value that an inventory does not show."""

from __future__ import annotations

from typing import Final

UNKNOWN: Final = "[unknown]"
"""Stands for a value that only the provider can compute; its path is also in `unknown_paths`."""

SECRET: Final = "[secret]"  # noqa: S105 - a mask, not a secret
"""Stands for a masked value; its path is also in `secret_paths`."""
