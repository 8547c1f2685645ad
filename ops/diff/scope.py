"""Which files a stack's plan can depend on, so that what no changed file touches is not planned: pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

SETTINGS: Final = "stacks/config/"
_APART: Final = (
    ".github/",
    "docs/",
    "localcloud/",
    "ops/",
    "policies/",
    "serving_image/",
    "tests/",
    "tools/",
    SETTINGS,
)
"""Folders that no program of a stack reads (import-linter holds it for code; the settings are looked at by stack)."""
_READ_ALL_THE_SAME: Final = (
    "ops/plan/",
    "policies/inventory.py",
    "policies/regions.py",
    "policies/registration.py",
    "policies/wire.py",
)
"""What turns a program into an inventory."""
_CLOUDS: Final = {"components/aws/": "aws", "components/gcp/": "gcp"}
"""Folders that only one cloud's stacks load: the clouds are independent siblings."""


def program_files(changed: Iterable[str], stack: str) -> tuple[str, ...]:
    """Those of the changed files that the plan of `stack` may depend on, beside its settings."""
    return tuple(sorted(path for path in changed if _is_program(path) and _is_loaded(path, stack)))


def _is_program(path: str) -> bool:
    if path.startswith(_READ_ALL_THE_SAME):
        return True
    return "/" in path and not path.startswith(_APART) and path.endswith((".py", ".json", ".yaml", ".yml", ".toml"))


def _is_loaded(path: str, stack: str) -> bool:
    cloud = next((cloud for folder, cloud in _CLOUDS.items() if path.startswith(folder)), None)
    return cloud is None or stack.rpartition("-")[2] == cloud
