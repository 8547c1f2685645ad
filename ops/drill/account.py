"""Runs the restore test in an account: as the drill's own identity, beside a stack that it leaves as it is."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from common.attestation.signers import default_key, open_signer
from common.checkout import commit
from common.console import Steps
from common.errors import UserError
from common.paths import repo_root
from common.target import ActAs, Target, cloud_target
from localcloud.front import ensure_serving_environment, not_enforced
from ops.deployed import cloud_outputs, cloud_resources
from ops.drill.clouds import drill_cloud
from ops.drill.evidence import signed, write
from ops.drill.identity import as_pods_find_it
from ops.drill.ids import began, new_id
from ops.drill.keeper import DONE
from ops.drill.ports import DrillCloud
from ops.drill.program import program
from ops.drill.rights import check_rights
from ops.drill.run import Assignment, Serve, drill
from ops.drill.scenarios.restore_test import RestoreTest
from ops.plan.planner import plan_stack
from ops.serving.service import serve
from stacks.files import stack_file
from stacks.outputs import StackOutputs
from stacks.settings import Settings

KILLED_AFTER: Final = timedelta(hours=12)
"""No drill takes so long: what is left of an older one is left of one that was killed."""
KEEPER_PATIENCE_S: Final = 30.0
"""How long a drill that failed waits for its keeper's clean-up before it says so; the keeper goes on."""


class _NoDisaster:
    """Implements `ops.drill.ports.Disaster` where nothing may be lost."""

    def lose_region(self, region: str) -> None:
        raise UserError(f"a restore test loses nothing, and {region} least of all", region, "Report this as a fault.")

    def restore_region(self, region: str) -> None:
        raise UserError(
            f"a restore test lost nothing, so {region} cannot come back", region, "Report this as a fault."
        )


def drill_account(
    outputs: StackOutputs,
    settings: Settings,
    log_dir: Path,
    steps: Steps,
    *,
    made_by: Mapping[str, Any],
    types: Collection[str],
    environ: Mapping[str, str] = os.environ,
    serve: Serve = serve,
    serving_python: Path | None = None,
) -> dict[str, Any]:
    """Restore the newest copies aside, verify, serve, measure and remove them; the predicate, judged.

    Args:
        types: of the deployed resources.
        made_by: what the stack was made by, as `ops.drill.program` tells it.
        environ: names the account's credentials, and endpoints if they are not the cloud's own.
        serving_python: the serving environment's interpreter; made if it is left out.

    Raises:
        UserError: the drill's identity cannot be taken on or lacks a permission, another drill is under way, or
            something is called like a drill's own. Nothing was made then.
    """
    target, drill_id = _target(outputs, environ), new_id()
    check_rights(outputs, target, drill_id)
    cloud = drill_cloud(outputs, target)
    _sweep(cloud, settings.place.stack, steps)
    log_dir.mkdir(parents=True, exist_ok=True)
    assignment = Assignment(
        stack=settings.place.stack,
        drill_id=drill_id,
        outputs=outputs,
        settings=settings,
        patience_s=0.0,
        serving_python=serving_python or ensure_serving_environment(),
        log_dir=log_dir,
        program=made_by,
        not_enforced=not_enforced(types) if target.mode == "emulated" else (),
        serve=serve,
    )
    with as_pods_find_it(target, outputs) as admit, _kept(outputs, drill_id, environ):
        return drill(RestoreTest(), assignment, cloud, _NoDisaster(), replace(target, admit=admit), steps)


def drill_stack(
    stack: str, out: Path, steps: Steps, key: str | None = None
) -> tuple[dict[str, Any], tuple[Path, Path]]:
    """Drill in the stack's account, and write signed evidence; the predicate, and both files.

    Args:
        key: what signs, as `common.attestation.signers` names it; the operator's own key by default.

    Raises:
        UserError: see `drill_account`; or the stack is not up, or Pulumi does not give its state.
    """
    signing = open_signer(key or default_key())
    settings = Settings.load(stack_file(stack))
    outputs = cloud_outputs(stack, steps)
    deployed = cloud_resources(stack, steps)
    made_by = program(commit(), plan_stack(stack), deployed)
    types = {resource.type for resource in deployed}
    predicate = drill_account(outputs, settings, out, steps, made_by=made_by, types=types)
    return predicate, write(signed(predicate, signing), predicate, signing.name, out)


def clean_up_stack(stack: str, steps: Steps) -> list[str]:
    """Remove what is left of every drill of a stack, and say what.

    Raises:
        UserError: the stack is not up, or the cloud refuses.
    """
    return clean_up(cloud_outputs(stack, steps))


def clean_up(outputs: StackOutputs, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Remove what is left of every drill of the stack, and say what.

    Raises:
        UserError: the cloud refuses.
    """
    cloud = drill_cloud(outputs, _target(outputs, environ))
    return [removed for drill_id in cloud.drills() for removed in cloud.clean_up(drill_id)]


def opened(outputs: str, environ: Mapping[str, str] = os.environ) -> DrillCloud:
    """The data plane of a stack whose outputs are this JSON, as the drill's identity."""
    found = StackOutputs.model_validate_json(outputs)
    return drill_cloud(found, _target(found, environ))


def _target(outputs: StackOutputs, environ: Mapping[str, str]) -> Target:
    act_as = ActAs(outputs.identities.drill, outputs.backup_region, "seawall-drill")
    return replace(cloud_target(environ), act_as=act_as)


def _sweep(cloud: DrillCloud, stack: str, steps: Steps) -> None:
    """Remove what killed drills left, and refuse while another one may be under way."""
    for drill_id, left in cloud.drills().items():
        if datetime.now(UTC) - began(drill_id) < KILLED_AFTER:
            raise UserError(
                f"the drill {drill_id} is under way, or was killed: there is {', '.join(left)}",
                stack,
                f"Wait for it; if it was killed, run `seawall drill {stack} --target cloud --clean-up`.",
            )
        with steps.step(f"remove what {drill_id} left"):
            cloud.clean_up(drill_id)


@contextlib.contextmanager
def _kept(outputs: StackOutputs, drill_id: str, environ: Mapping[str, str]) -> Iterator[None]:
    """A keeper waits beside the block: see `ops.drill.keeper`."""
    keeper = subprocess.Popen(
        [sys.executable, "-m", "ops.drill.keeper", drill_id],
        stdin=subprocess.PIPE,
        cwd=repo_root(),
        text=True,
        env=dict(environ),
        start_new_session=True,
    )
    assert keeper.stdin is not None  # noqa: S101 - it was asked for
    try:
        keeper.stdin.write(outputs.model_dump_json() + "\n")
        keeper.stdin.flush()
        yield
    except BaseException:
        # The drill may not have cleaned up: the keeper does, and goes on where this takes long.
        keeper.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            keeper.wait(KEEPER_PATIENCE_S)
        raise
    # The drill has cleaned up, or said in its evidence what is left.
    keeper.communicate(DONE + "\n")
