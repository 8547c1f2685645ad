"""The machine that a tool is built for, in the words that file names use."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

_OPERATING_SYSTEMS = {"linux": "linux", "darwin": "darwin"}
_ARCHITECTURES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


def operating_system() -> str:
    """`linux` or `darwin`; another system's own name where Seawall does not know it."""
    return _OPERATING_SYSTEMS.get(sys.platform, sys.platform)


def architecture() -> str:
    """`x64` or `arm64`; another machine's own name where Seawall does not know it."""
    machine = platform.machine().lower()
    return _ARCHITECTURES.get(machine, machine)


def platform_tag() -> str:
    """`linux-x64` and the like: two machines that share a cache folder must not share binaries."""
    return f"{operating_system()}-{architecture()}"


def distribution_tag(os_release: Path = Path("/etc/os-release")) -> str:
    """`debian-12` and the like, for packages that link to the distribution's own libraries."""
    fields: dict[str, str] = {}
    if os_release.is_file():
        for line in os_release.read_text(encoding="utf-8").splitlines():
            key, separator, value = line.partition("=")
            if separator:
                fields[key.strip()] = value.strip().strip("\"'")
    return f"{fields.get('ID', operating_system())}-{fields.get('VERSION_ID', 'rolling')}"
