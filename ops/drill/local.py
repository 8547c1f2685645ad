"""Runs a drill on the local cloud, on a copy of the stack's state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from common.attestation.signers import default_key, open_signer
from common.checkout import commit
from common.console import Steps
from localcloud.front import ensure_serving_environment, not_enforced
from ops.deployed import check_up, read_outputs
from ops.drill.clouds import drill_cloud
from ops.drill.evidence import signed, write
from ops.drill.ids import new_id
from ops.drill.program import program
from ops.drill.run import Assignment, Scenario, Serve, drill
from ops.drill.scenarios import SCENARIOS
from ops.drill.scenarios.state_lost import StateLost
from ops.drill.state import local_state
from ops.local.session import LocalCloud, open_local
from ops.plan.planner import plan_stack
from ops.serving.service import serve
from stacks.outputs import StackOutputs

PATIENCE_S: Final = 60.0
"""On one machine a copy takes less than a second; one that is not there after this long will not come."""
DEFAULT_SCENARIO: Final = "region-lost"


def drill_local(
    stack: str,
    out: Path,
    steps: Steps,
    scenario: Scenario | None = SCENARIOS[DEFAULT_SCENARIO],
    key: str | None = None,
) -> tuple[dict[str, Any], tuple[Path, Path]]:
    """Open the stack, drill a copy of it, and write signed evidence; the predicate, and both files.

    Args:
        scenario: None is the loss of Pulumi's state, which needs a bootstrap stack and the engine.
        key: what signs, as `common.attestation.signers` names it; the operator's own key by default.

    Raises:
        UserError: the stack is not up, or something bears the drill's names already.
    """
    check_up(stack)
    signing = open_signer(key or default_key())
    with open_local(stack, steps, keep=False) as local:
        if scenario is not None:
            predicate = drill_session(local, out, steps, scenario=scenario)
        else:
            with TemporaryDirectory(prefix="seawall-state-") as home, local_state(local, steps, Path(home)) as hands:
                predicate = drill_session(local, out, steps, scenario=StateLost(hands))
    return predicate, write(signed(predicate, signing), predicate, signing.name, out)


def drill_session(
    local: LocalCloud,
    log_dir: Path,
    steps: Steps,
    outputs: StackOutputs | None = None,
    *,
    scenario: Scenario = SCENARIOS[DEFAULT_SCENARIO],
    patience_s: float = PATIENCE_S,
    serve: Serve = serve,
    goldens: Path | None = None,
    unjudged: Sequence[tuple[str, str]] | None = None,
    made_by: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Drill the stack of an open session, which is as the scenario left it afterwards; the predicate, judged.

    Args:
        outputs: the stack's, if the caller has them already; the engine takes a second to read them.
        patience_s: seconds after which a copy that is not there will not come.
        serve: what serves the restored release.
        goldens: the file of golden predictions; the checkout's by default.
        unjudged: what the local cloud does not enforce of the stack, if the caller has it already.
        made_by: the stack's program, if the caller has it already.
    """
    stack = local.workspace.stack
    outputs = outputs or read_outputs(stack, local.outputs(), "local")
    if unjudged is None:
        unjudged = not_enforced({resource.type for resource in local.resources()})
    log_dir.mkdir(parents=True, exist_ok=True)
    assignment = Assignment(
        stack=stack,
        drill_id=new_id(),
        outputs=outputs,
        settings=local.platform,
        patience_s=patience_s,
        serving_python=ensure_serving_environment(),
        log_dir=log_dir,
        program=made_by or program(commit(), plan_stack(stack, local.workspace.config_file), local.resources()),
        not_enforced=unjudged,
        goldens=goldens,
        serve=serve,
    )
    predicate = drill(scenario, assignment, drill_cloud(outputs, local.target), local, local.target, steps)
    met = not_enforced((), local.emulator.unknown_condition_keys())  # the drill's own calls are judged too
    return {**predicate, "not_enforced": [*predicate["not_enforced"], *map(list, met)]}
