"""Fetches a release to this machine with the serving image's own program, as the pod's init container does."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from common.errors import UserError
from common.paths import repo_root
from localcloud.triton.runtime import pod_environment

PROGRAM: Final = "release_fetch"
FETCH_TIMEOUT_S: Final = 600.0


@dataclass(frozen=True)
class Release:
    """What the pod's settings pin."""

    uri: str
    """`s3://` or `gs://BUCKET/releases/VERSION`."""
    manifest_sha256: str
    region: str
    """Of the bucket."""
    signers: tuple[str, ...] = ()
    """Fingerprints of the keys that may have signed it; none: it need not be signed."""


def fetch_release(
    release: Release,
    into: Path,
    python: Path,
    *,
    identity: Mapping[str, str],
    log: Path,
    program_in: Path | None = None,
) -> Path:
    """Fetch a release into a folder; return the folder of its models.

    Args:
        python: the serving environment's interpreter.
        identity: as for `TritonServer`.
        log: the file for the program's output; truncated.
        program_in: the folder that holds the program; this checkout's.

    Raises:
        UserError: with the line that the program ended with.
    """
    command = [
        str(python), "-m", PROGRAM, "--release", release.uri, "--manifest-sha256", release.manifest_sha256,
        "--into", str(into), "--region", release.region,
        *([f"--signer={signer}" for signer in release.signers] or ["--unsigned"]),
    ]  # fmt: skip
    environment = {
        **pod_environment(identity, os.environ),
        "PYTHONPATH": str(program_in or repo_root() / "serving_image"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    try:
        done = subprocess.run(
            command, env=environment, cwd=into, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"the release cannot be fetched: {error}", release.uri, "Run the command again.") from error
    log.write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode != 0:
        last = (done.stderr.strip() or f"it ended with {done.returncode}").splitlines()[-1]
        raise UserError(
            f"the release was not fetched: {last.removeprefix('error: ')}",
            f"{release.uri}, log in {log}",
            "Do what that line says, then run the command again.",
        )
    return into / "repository"
