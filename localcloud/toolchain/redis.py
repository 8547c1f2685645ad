"""A `redis-server` that speaks TLS: the one on PATH, or the distribution's package unpacked into the cache.

The Python packages that carry the server were built without TLS.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from common.console import Steps
from common.errors import UserError
from localcloud.toolchain.distribution import Packaged, ensure_packaged, has_packages

_PROBE_TIMEOUT_SECONDS = 10
_REMEDY = (
    "Install Redis 6 or newer with TLS and put redis-server on PATH (Debian, Ubuntu: apt-get install redis-server; "
    "Fedora: dnf install redis; macOS: brew install redis)."
)
_PACKAGED = Packaged("redis-server", ("redis-server",), ("redis-server", "redis-tools"), _REMEDY)


def tls_problem(server: Path) -> str | None:
    """Why this `redis-server` cannot serve TLS, or None. Starts it with no port to listen on, so it ends at once."""
    if not os.access(server, os.X_OK):
        return f"{server} is no executable"
    with tempfile.TemporaryDirectory(prefix="seawall-redis-") as folder:
        try:
            probe = subprocess.run(
                [str(server), "--port", "0", "--tls-port", "0", "--save", "", "--dir", folder],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_PROBE_TIMEOUT_SECONDS,
                check=False,
            )
        except (OSError, subprocess.SubprocessError) as error:
            return f"{server} does not run ({error})"
    return probe_verdict(server, probe.stdout + probe.stderr)


def probe_verdict(server: Path, printed: str) -> str | None:
    """What a `redis-server` told to listen nowhere says about TLS: without it, `tls-port` is a bad directive."""
    if "not listen anywhere" in printed:
        return None
    if "tls-port" in printed:
        return f"{server} was built without TLS"
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    return f"{server} does not start: {lines[-1] if lines else 'it prints nothing'}"


def ensure_redis_server(steps: Steps | None = None) -> Path:
    """A `redis-server` with TLS, from PATH, else from the cache, else unpacked now from the distribution's packages.

    Raises:
        UserError: none of the ways works; the text has the reason of each.
    """
    on_path = shutil.which("redis-server")
    why_not = "no redis-server on PATH" if on_path is None else tls_problem(Path(on_path))
    if on_path is not None and why_not is None:
        return Path(on_path)
    if not has_packages():
        raise UserError(f"no redis-server with TLS: {why_not}, and this system has no apt-get", "PATH", _REMEDY)
    try:
        return ensure_packaged(_PACKAGED, tls_problem, steps) / "redis-server"
    except UserError as error:
        raise UserError(f"no redis-server with TLS: {why_not}; and {error.what}", error.where, _REMEDY) from error
