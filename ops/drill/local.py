"""Runs a drill on the local cloud, on a copy of the stack's state."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from common.console import Steps
from components.contracts.recovery import bounds
from localcloud.front import ensure_serving_environment
from ops.deployed import check_up, read_outputs
from ops.drill.clouds import drill_cloud
from ops.drill.evidence import default_key_file, signed, signing_key, write
from ops.drill.model import Evidence, FailedDrill
from ops.drill.protocol import Assignment, Drill
from ops.local.session import LocalCloud, open_local
from stacks.outputs import StackOutputs

PATIENCE_S: Final = 60.0
"""On one machine a copy takes less than a second; one that is not there after this long will not come."""


def drill_local(stack: str, out: Path, steps: Steps) -> tuple[dict[str, Any], tuple[Path, Path]]:
    """Open the stack, drill a copy of it, and write signed evidence.

    Raises:
        UserError: the stack is not up, no model is published, or a step could not be carried out.
    """
    check_up(stack)
    key = signing_key(default_key_file())
    with open_local(stack, steps, keep=False) as local:
        evidence = drill_session(local, out, steps)
    document = signed(evidence, key)
    return document, write(document, out)


def drill_session(
    local: LocalCloud,
    log_dir: Path,
    steps: Steps,
    outputs: StackOutputs | None = None,
    *,
    patience_s: float = PATIENCE_S,
) -> Evidence | FailedDrill:
    """Drill the stack of an open session; its primary region is lost afterwards.

    Args:
        outputs: the stack's, if the caller has them already; the engine takes a second to read them.
        patience_s: seconds after which a copy that is not there will not come.
    """
    stack = local.workspace.stack
    outputs = outputs or read_outputs(stack, local.outputs(), "local")
    log_dir.mkdir(parents=True, exist_ok=True)
    drill_id = f"{datetime.now(UTC):%Y%m%dt%H%M%S}-{secrets.token_hex(2)}"
    assignment = Assignment(
        stack=stack,
        drill_id=drill_id,
        outputs=outputs,
        min_distance_km=local.platform.backup.min_distance_km,
        rpo_bounds=bounds(local.platform.cloud, local.platform.feature_store, local.platform.backup),
        patience_s=patience_s,
        serving_python=ensure_serving_environment(),
        log_dir=log_dir,
    )
    return Drill(assignment, drill_cloud(outputs, local.target), local.target, steps).run()
