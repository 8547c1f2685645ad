"""Asks the real engine for the same verdict: a preview with the policy pack, and the verdict that the pack wrote."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.check.pack import prepare_pack
from ops.errors import UserError
from policies.pack_names import VERDICTS_FILE_VARIABLE

_LAST_LINES = 15


@dataclass(frozen=True)
class EngineVerdict:
    """What a preview with the policy pack said about a stack."""

    verdict: Mapping[str, Any]
    """As `seawall check --json` prints one stack."""
    refused: bool
    """Whether the engine ended the preview because of a violation."""
    output: str
    """What the engine printed."""


def preview_with_policies(
    cli: Path, project: Path, stack: str, environment: Mapping[str, str], scratch: Path
) -> EngineVerdict:
    """Preview `stack` with the policy pack; nothing is deployed.

    Args:
        cli: the `pulumi` command.
        project: the folder that holds `Pulumi.yaml`.
        environment: laid over the process's own.
        scratch: a folder for the pack's copy and its verdict.

    Raises:
        UserError: the preview failed before the pack could judge.
    """
    pack = prepare_pack(scratch)
    verdicts = scratch.absolute() / f"verdicts-{stack}.json"
    verdicts.unlink(missing_ok=True)
    done = subprocess.run(
        [str(cli), "--non-interactive", "preview", "--stack", stack, "--policy-pack", str(pack)],
        cwd=project,
        env={**os.environ, **environment, VERDICTS_FILE_VARIABLE: str(verdicts)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    output = done.stdout + done.stderr
    if not verdicts.exists():
        last = "\n".join(output.strip().splitlines()[-_LAST_LINES:])
        what = f"the preview ended before the policies were judged (exit code {done.returncode})\n{last}"
        raise UserError(what, f"stack {stack}", "mend what the engine complains about")
    return EngineVerdict(json.loads(verdicts.read_text(encoding="utf-8")), done.returncode != 0, output)
