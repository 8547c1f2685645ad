"""Settings that rules judge by way of another value: the rule's id → the settings that decide it, likeliest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SETTINGS: Final[Mapping[str, tuple[str, ...]]] = {}
