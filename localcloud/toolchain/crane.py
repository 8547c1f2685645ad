"""crane, which copies container images between registries: found on PATH, else built by Go from a pinned module.

crane, and not a registry client in Python: it copies an index with all its children, checks each blob's digest, and
sends no blob that the target has; no library on PyPI is known that does all three (looked for on 2026-11-21).
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from common.console import Steps
from common.paths import repo_root
from common.versions import CRANE
from localcloud.toolchain.golang import Bundle, Program, ensure_bundle, numbers

OLDEST: Final = (0, 19)
"""The oldest crane on PATH that is taken; its commands and messages are those of the pinned one."""
_VERSION = re.compile(r"^v?(\d+\.\d+\.\d+)")
_VERSION_TIMEOUT_SECONDS: Final = 30


def crane_bundle() -> Bundle:
    """What is built."""
    program = Program(
        module=repo_root() / "tools" / "crane",
        package="github.com/google/go-containerregistry/cmd/crane",
        output="crane",
    )
    return Bundle("crane", CRANE, (program,))


def ensure_crane(steps: Steps | None = None) -> Path:
    """The executable: on PATH if it is new enough, from the cache, else built now (half a minute on two cores).

    Raises:
        UserError: no Go toolchain, or the build fails.
    """
    return path_crane() or _built(steps)


def path_crane() -> Path | None:
    """The crane on PATH, if it runs and is not too old."""
    found = shutil.which("crane")
    if found is None:
        return None
    try:
        printed = subprocess.run(
            [found, "version"], capture_output=True, text=True, timeout=_VERSION_TIMEOUT_SECONDS, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    version = _VERSION.match(printed)
    return Path(found) if version and numbers(version.group(1)) >= OLDEST else None


def _built(steps: Steps | None) -> Path:
    bundle = crane_bundle()
    return ensure_bundle(bundle, title=f"Build crane {CRANE} with Go", steps=steps) / bundle.programs[0].output
