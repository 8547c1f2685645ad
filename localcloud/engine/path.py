"""The engine that the user has on PATH."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from common.versions import PULUMI_CLI
from localcloud.engine.model import (
    CLI,
    LANGUAGE_EXEC,
    LANGUAGE_HOST,
    Attempt,
    Engine,
    find_beside_or_on_path,
    read_version,
    version_problem,
)

MINIMUM_CLI = PULUMI_CLI
"""The oldest engine on PATH that is used: the one that the tests run with."""


def engine_on_path() -> Engine | Attempt:
    """The `pulumi` on PATH with its Python language host, or why it is not usable."""
    found = shutil.which(CLI)
    if found is None:
        return Attempt("path", "no pulumi on PATH")
    cli = Path(found)
    try:
        version = read_version(cli)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return Attempt("path", f"{cli} does not work: {error}")
    problem = version_problem(version, MINIMUM_CLI)
    if problem:
        return Attempt("path", f"{cli} is not used: {problem}")
    # Installers put a link to pulumi on PATH and keep the language hosts beside what it points to.
    folders = [cli.parent, cli.resolve().parent]
    host = _first(LANGUAGE_HOST, folders)
    if host is None:
        return Attempt("path", f"{cli} has no {LANGUAGE_HOST} beside it or on PATH")
    if _first(LANGUAGE_EXEC, [host.parent, host.resolve().parent]) is None:
        return Attempt("path", f"{host} has no {LANGUAGE_EXEC} beside it or on PATH")
    problem = host_problem(host)
    if problem:
        return Attempt("path", f"{host} does not work: {problem}")
    reason = f"on PATH, at least version {MINIMUM_CLI}, with its Python language host"
    return Engine(cli.parent, version, "path", host, reason)


def _first(name: str, folders: list[Path]) -> Path | None:
    return next((found for folder in folders if (found := find_beside_or_on_path(name, folder))), None)


def host_problem(host: Path) -> str | None:
    """Why a language host does not run here (another machine's binary, a broken link), or None."""
    try:
        # It has no version command; asked for help, it lists its flags and ends.
        asked = subprocess.run(
            [str(host), "-help"], capture_output=True, timeout=30, check=False, env=dict(os.environ)
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return None if asked.returncode in (0, 2) else f"exit status {asked.returncode}"
