"""One drill from its beginning to its predicate: whatever happens to the scenario, what it made is removed."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from common.checkout import operator
from common.console import Steps
from common.errors import UserError
from common.target import Pod, Target
from localcloud.front import Release
from ops.drill.evidence import artefacts
from ops.drill.model import Check
from ops.drill.ports import Disaster, DrillCloud
from ops.drill.record import Record
from ops.features.store import FeatureStore
from ops.serving.golden import GoldenSet
from ops.serving.service import Service, serve
from stacks.outputs import StackOutputs
from stacks.settings import Settings


class Serve(Protocol):
    """Starts what a pod of the fleet starts, and asks it for every golden prediction: `ops.serving.service.serve`."""

    def __call__(
        self,
        release: Release,
        store: FeatureStore,
        target: Target,
        python: Path,
        *,
        pod: Pod,
        log: Path,
        wanted: GoldenSet | None = None,
    ) -> Service: ...


@dataclass(frozen=True)
class Assignment:
    """What is drilled, and within which limits."""

    stack: str
    drill_id: str
    outputs: StackOutputs
    settings: Settings
    """What the stack promises."""
    patience_s: float
    """How long copies and recovery points may take to appear."""
    serving_python: Path
    log_dir: Path
    program: Mapping[str, Any]
    """What the stack was made by, as `ops.drill.program` tells it."""
    not_enforced: Sequence[tuple[str, str]] = ()
    """What is not judged of the deployed stack where it stands, as (what, why); none in a real cloud."""
    goldens: Path | None = None
    """The golden predictions; the checkout's by default."""
    serve: Serve = field(default=serve)


@dataclass(frozen=True)
class Run:
    """What a scenario works with."""

    a: Assignment
    cloud: DrillCloud
    disaster: Disaster
    target: Target
    record: Record


class Scenario(Protocol):
    """A kind of loss, and the way back from it; its requirements stand in `ops.drill.requirements`."""

    @property
    def name(self) -> str:
        """As `--scenario` and the evidence name it."""
        ...

    @property
    def title(self) -> str:
        """What is lost, in words."""
        ...

    def run(self, run: Run) -> None:
        """Carry it out, and record what is found.

        Whatever it raises becomes evidence of "not proven". What it makes under the drill's names is removed
        afterwards by `DrillCloud.clean_up`.
        """
        ...


def drill(
    scenario: Scenario, a: Assignment, cloud: DrillCloud, disaster: Disaster, target: Target, steps: Steps
) -> dict[str, Any]:
    """Run a scenario, clean up in any case, and judge; the predicate.

    Raises:
        UserError: something bears the drill's names already; nothing was touched.
    """
    left = cloud.leftovers(a.drill_id)
    if left:
        raise UserError(f"the restore's target is not empty: {', '.join(left)}", a.drill_id, "Use another drill id.")
    record = Record(_about(scenario, a, target), steps)
    try:
        try:
            scenario.run(Run(a, cloud, disaster, target, record))
        except Exception as error:
            record.failed(error)
            if not isinstance(error, UserError):
                _keep_trace(a, error)
        with record.phase("clean up"):
            record.check(_clean_up(cloud, a.drill_id))
    except BaseException:
        cloud.clean_up(a.drill_id)
        raise
    return record.predicate()


def _about(scenario: Scenario, a: Assignment, target: Target) -> dict[str, Any]:
    outputs = a.outputs
    return {
        "drill_id": a.drill_id,
        "stack": a.stack,
        "commit": a.program["commit"],
        "program": dict(a.program),
        "artefacts": artefacts(
            outputs.fleet.drilled.manifest_sha256, a.settings.fleet.images.serving, a.program, a.goldens
        ),
        "operator": operator(),
        "scenario": scenario.name,
        "title": scenario.title,
        "mode": target.mode,
        "source": {"account": outputs.account, "region": outputs.region},
        "target": {"account": outputs.account, "region": outputs.backup_region},
        "not_enforced": [list(pair) for pair in a.not_enforced],
    }


def _clean_up(cloud: DrillCloud, drill_id: str) -> Check:
    try:
        deleted = cloud.clean_up(drill_id)
        left = cloud.leftovers(drill_id)
    except Exception as error:
        told = error.what if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        return Check("cleanup.left", "none", [], [f"unknown, as the clean-up failed: {told}"])
    return Check("cleanup.left", "none", [], left, ", ".join(deleted))


def _keep_trace(a: Assignment, error: Exception) -> None:
    """For whoever repairs the drill; the evidence names the error alone."""
    text = "".join(traceback.format_exception(error))
    (a.log_dir / f"drill-{a.drill_id}-error.log").write_text(text, encoding="utf-8")
