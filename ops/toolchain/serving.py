"""The serving side's own Python environment, made from its lock file as its container's is."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from uv import find_uv_bin

from ops.console import Steps
from ops.errors import UserError
from ops.paths import repo_root
from ops.toolchain.cache import Entry, Workshop, build_once
from ops.toolchain.system import platform_tag


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
    python = f"py{sys.version_info.major}.{sys.version_info.minor}"
    folder = build_once(
        Entry("serving", f"{digest}-{python}-{platform_tag()}"),
        lambda shop: install_serving_environment(shop, lock),
        title="Install the serving environment",
        steps=steps,
        problem=lambda path: None if os.access(python_in(path), os.X_OK) else "its interpreter is gone",
    )
    return python_in(folder)


def install_serving_environment(shop: Workshop, lock: Path) -> None:
    """Make a virtual environment that may be moved, and install exactly what `lock` names."""
    uv = find_uv_bin()
    shop.run(
        "uv venv",
        [uv, "venv", "--relocatable", "--allow-existing", "--python", sys.executable, shop.result],
        cwd=shop.scratch,
        environment=os.environ,
    )
    shop.run(
        "uv pip sync",
        [uv, "pip", "sync", "--require-hashes", "--python", python_in(shop.result), lock],
        cwd=shop.scratch,
        environment=os.environ,
    )
