"""A `redis-server` that speaks TLS: the one on PATH, or the distribution's package unpacked into the cache.

The Python packages that carry the server were built without TLS, and a distribution's package that is installed
the usual way starts a system service; unpacked, it needs no root and starts nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from common.console import Steps
from common.errors import UserError
from localcloud.toolchain.cache import Entry, Workshop, build_once
from localcloud.toolchain.system import distribution_tag, platform_tag

_PROBE_TIMEOUT_SECONDS = 10
_REMEDY = (
    "Install Redis 6 or newer with TLS and put redis-server on PATH (Debian, Ubuntu: apt-get install redis-server; "
    "Fedora: dnf install redis; macOS: brew install redis)."
)
_WRAPPER = """#!/bin/sh
# Runs the unpacked server with the libraries that came with it.
here=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
LD_LIBRARY_PATH="{libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"
export LD_LIBRARY_PATH
exec "$here/packages/usr/bin/redis-server" "$@"
"""


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
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise UserError(f"no redis-server with TLS: {why_not}, and this system has no apt-get", "PATH", _REMEDY)
    try:
        folder = build_once(
            Entry("redis-server", f"{distribution_tag()}-{platform_tag()}"),
            unpack_packages,
            title="Unpack the distribution's redis-server",
            steps=steps,
            problem=lambda path: tls_problem(path / "bin" / "redis-server"),
        )
    except UserError as error:
        raise UserError(
            f"no redis-server with TLS: {why_not}; and {error.what}",
            error.where,
            _REMEDY,
        ) from error
    return folder / "bin" / "redis-server"


def unpack_packages(shop: Workshop) -> None:
    """Fetch the server's packages, signatures checked by apt, and unpack them without installing anything."""
    options = apt_options(shop.scratch, as_root=os.geteuid() == 0)
    downloads = shop.scratch / "packages"
    for folder in ("lists/partial", "cache/archives/partial", "packages"):
        (shop.scratch / folder).mkdir(parents=True)
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    shop.run("apt-get update", ["apt-get", *options, "update"], cwd=downloads, environment=environment)
    planned = subprocess.run(
        ["apt-get", *options, "--simulate", "--no-install-recommends", "install", "redis-server"],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if planned.returncode != 0:
        raise UserError(
            f"the distribution has no redis-server to install: {planned.stderr.strip()}", "apt-get", _REMEDY
        )
    shop.run(
        "apt-get download",
        ["apt-get", *options, "download", *missing_packages(planned.stdout)],
        cwd=downloads,
        environment=environment,
    )
    root = shop.result / "packages"
    for package in sorted(downloads.glob("*.deb")):
        shop.run("dpkg-deb", ["dpkg-deb", "--extract", package, root], cwd=downloads, environment=environment)
    write_wrapper(shop.result, library_folders(root))


def apt_options(scratch: Path, *, as_root: bool) -> list[str]:
    """Options that keep apt's lists and downloads out of the system's own folders."""
    options = ["-qq", "-o", f"Dir::State::Lists={scratch / 'lists'}", "-o", f"Dir::Cache={scratch / 'cache'}"]
    # As root apt downloads as the user _apt, who cannot enter a cache folder in a private home.
    return [*options, "-o", "APT::Sandbox::User=root"] if as_root else options


def missing_packages(simulated: str) -> list[str]:
    """The packages that `apt-get --simulate install` would install: the server and the libraries that are not there.

    The two that hold the server are named in any case: they may be installed without being on PATH.
    """
    names = {words[1] for words in map(str.split, simulated.splitlines()) if words[:1] == ["Inst"] and words[1:]}
    return sorted(names | {"redis-server", "redis-tools"})


def library_folders(root: Path) -> list[Path]:
    """The folders under `root` that hold shared libraries, relative to the folder that `root` lies in."""
    return sorted({library.parent.relative_to(root.parent) for library in root.rglob("lib*.so*")})


def write_wrapper(result: Path, libraries: Sequence[Path]) -> None:
    """Write `bin/redis-server`, which finds its libraries wherever `result` is moved to."""
    wrapper = result / "bin" / "redis-server"
    wrapper.parent.mkdir()
    wrapper.write_text(_WRAPPER.format(libraries=":".join(f"$here/{folder}" for folder in libraries)))
    wrapper.chmod(0o755)
