"""The serving side's own Python environment, made from its lock file as its container's is."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import Final

from uv import find_uv_bin

from common.console import Steps
from common.errors import UserError
from common.paths import repo_root
from localcloud.toolchain.cache import Entry, Workshop, build_once
from localcloud.toolchain.system import platform_tag

SERVED_BY: Final = ("3.11", "3.12")
"""Python versions that the locked Triton serves models with: its stub needs numpy 1, which ends with 3.12."""


def serving_python(running: str, executable: str) -> tuple[str, str]:
    """The version and the interpreter (a path, or a version for uv to find or fetch) of the serving environment.

    Args:
        running: this process's version, as `3.11`.
        executable: this process's interpreter.
    """
    return (running, executable) if running in SERVED_BY else (SERVED_BY[-1], SERVED_BY[-1])


def serving_lock() -> Path:
    """The lock file that the environment is made from."""
    return repo_root() / "serving_image" / "requirements.lock"


def python_in(environment: Path) -> Path:
    """The interpreter of a virtual environment."""
    return environment / "bin" / "python"


def ensure_serving_environment(steps: Steps | None = None) -> Path:
    """The interpreter of the serving environment, from the cache, else installed now with every hash checked.

    Raises:
        UserError: the lock file is missing, or the installation fails.
    """
    lock = serving_lock()
    if not lock.is_file():
        raise UserError("the serving side's lock file is missing", str(lock), "Restore it from version control.")
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    version, python = serving_python(f"{sys.version_info.major}.{sys.version_info.minor}", sys.executable)
    folder = build_once(
        Entry("serving", f"{digest}-py{version}-{platform_tag()}"),
        lambda shop: install_serving_environment(shop, lock, python),
        title="Install the serving environment",
        steps=steps,
        problem=lambda path: None if os.access(python_in(path), os.X_OK) else "its interpreter is gone",
    )
    return python_in(folder)


def install_serving_environment(shop: Workshop, lock: Path, python: str) -> None:
    """Make a virtual environment that may be moved, and install exactly what `lock` names."""
    uv = find_uv_bin()
    shop.run(
        "uv venv",
        [uv, "venv", "--relocatable", "--allow-existing", "--python", python, shop.result],
        cwd=shop.scratch,
        environment=os.environ,
    )
    shop.run(
        "uv pip sync",
        [uv, "pip", "sync", "--require-hashes", "--python", python_in(shop.result), lock],
        cwd=shop.scratch,
        environment=os.environ,
    )
