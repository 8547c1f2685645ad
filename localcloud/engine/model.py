"""What is known about a Pulumi engine, and how it is checked."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Origin = Literal["path", "cache", "download", "build"]
ORIGINS: tuple[Origin, ...] = ("path", "cache", "download", "build")
"""The ways to an engine, in the order in which they are tried."""

CLI = "pulumi"
LANGUAGE_HOST = "pulumi-language-python"
LANGUAGE_EXEC = "pulumi-language-python-exec"
PROGRAMS = (CLI, LANGUAGE_HOST, LANGUAGE_EXEC)
"""Without one of these no Python program runs in the engine."""

_TIMEOUT_SECONDS = 30
_VERSION = re.compile(r"^v?(\d+)\.(\d+)\.(\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Attempt:
    """A way to an engine that did not lead to one, and why."""

    way: Origin
    reason: str


@dataclass(frozen=True)
class Engine:
    """A Pulumi engine that runs Python programs."""

    bin_dir: Path
    """The folder of `pulumi`; goes first on PATH."""
    version: str
    """Without the leading `v`."""
    origin: Origin
    language_host: Path
    reason: str
    """Why this one is usable, and where it came from."""
    passed_over: tuple[Attempt, ...] = ()
    """The ways that were tried before."""

    @property
    def cli(self) -> Path:
        return self.bin_dir / CLI


def version_numbers(text: str) -> tuple[int, int, int] | None:
    """The three numbers of a version as `pulumi version` prints it, or None where there are none."""
    match = _VERSION.search(text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def version_problem(version: str, minimum: str) -> str | None:
    """Why an engine of `version` cannot be used, or None: the same major version, and at least `minimum`."""
    found, least = version_numbers(version), version_numbers(minimum)
    if found is None or least is None:
        return f"its version {version!r} is not a version number"
    if found < least:
        return f"it is version {version}, and {minimum} is the oldest that Seawall is tested with"
    if found[0] > least[0]:
        return f"it is version {version}, a newer major version than the {minimum} that Seawall is tested with"
    return None


def read_version(cli: Path) -> str:
    """What `pulumi version` prints, without the `v`.

    Raises:
        OSError: it cannot be started.
        subprocess.SubprocessError: it fails, or does not end in time.
        ValueError: it prints no version.
    """
    # Even `pulumi version` writes a log into its home folder.
    with tempfile.TemporaryDirectory(prefix="seawall-pulumi-") as home:
        printed = subprocess.run(
            [str(cli), "version"],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=True,
            env={**os.environ, "PULUMI_HOME": home, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        ).stdout.strip()
    if version_numbers(printed) is None:
        raise ValueError(f"it prints {printed!r} for its version")
    return printed.removeprefix("v")


def find_beside_or_on_path(name: str, folder: Path, search_path: str | None = None) -> Path | None:
    """An executable in `folder`, else on PATH: the order in which `pulumi` itself looks for its helpers."""
    beside = folder / name
    if os.access(beside, os.X_OK) and beside.is_file():
        return beside
    found = shutil.which(name, path=search_path)
    return Path(found) if found else None


def folder_problem(folder: Path) -> str | None:
    """Why a folder of ours holds no whole engine, or None."""
    for name in PROGRAMS:
        program = folder / name
        if not (program.is_file() and os.access(program, os.X_OK) and program.stat().st_size):
            return f"{program} is missing or no executable"
    return None
