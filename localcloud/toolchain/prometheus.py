"""Prometheus with promtool: on PATH, or the distribution's package unpacked into the cache.

Stacks run a newer one, 3.x, whose Go module alone takes longer to build than all of the control plane. What is asked
of it here, scraping pods and `sum … by`, is the same in 2.40 and later (believed, 2026-11-21).
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from common.console import Steps
from common.errors import UserError
from localcloud.toolchain.distribution import Packaged, ensure_packaged, has_packages
from localcloud.toolchain.golang import numbers

OLDEST: Final = (2, 40)
_VERSION: Final = re.compile(r"version (\d+\.\d+\.\d+)")
_VERSION_TIMEOUT_SECONDS: Final = 30
_REMEDY: Final = (
    "Install Prometheus 2.40 or newer and put prometheus and promtool on PATH (Debian, Ubuntu: apt-get install "
    "prometheus; macOS: brew install prometheus)."
)
_PACKAGED: Final = Packaged("prometheus", ("prometheus", "promtool"), ("prometheus",), _REMEDY)


@dataclass(frozen=True)
class Prometheus:
    """The two executables."""

    server: Path
    promtool: Path


def version_problem(server: Path) -> str | None:
    """Why this `prometheus` cannot be used, or None."""
    try:
        printed = subprocess.run(
            [str(server), "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_VERSION_TIMEOUT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"{server} does not run ({error})"
    version = _VERSION.search(printed.stdout + printed.stderr)
    if version is None:
        return f"{server} does not say its version"
    if numbers(version[1]) < OLDEST:
        return f"{server} is {version[1]}, and {'.'.join(map(str, OLDEST))} or newer is needed"
    return None


def ensure_prometheus(steps: Steps | None = None) -> Prometheus:
    """The server and promtool: on PATH if new enough, from the cache, else unpacked now.

    Raises:
        UserError: neither way works; the text has the reason of each.
    """
    server, promtool = shutil.which("prometheus"), shutil.which("promtool")
    why_not = "prometheus and promtool are not both on PATH"
    if server is not None and promtool is not None:
        problem = version_problem(Path(server))
        if problem is None:
            return Prometheus(Path(server), Path(promtool))
        why_not = problem
    if not has_packages():
        raise UserError(f"no Prometheus: {why_not}, and this system has no apt-get", "PATH", _REMEDY)
    try:
        folder = ensure_packaged(_PACKAGED, version_problem, steps)
    except UserError as error:
        raise UserError(f"no Prometheus: {why_not}; and {error.what}", error.where, _REMEDY) from error
    return Prometheus(folder / "prometheus", folder / "promtool")
