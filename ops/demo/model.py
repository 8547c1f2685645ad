"""What a demo found: its steps, and the values that plan, check, engine, publisher, servers and drill gave it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from common.console import Step as Part
from common.errors import EXIT_CLEAN, EXIT_COULD_NOT_RUN, EXIT_FOUND, UserError
from components.contracts.place import Place
from ops.capacity.crowd import Crowd
from ops.check.report import CheckReport
from ops.drain.draining import Record as DrainRecord
from ops.drill import reading
from ops.drill.model import Predicate
from ops.models.releases import Publication
from ops.rehearse.kept import Kept
from ops.rollouts.record import Record
from ops.serving.golden import GoldenResult
from ops.serving.service import Service
from policies.inventory import Inventory

SCHEMA: Final = 2
"""Version of `result.json`; a reader may rely on its keys within one version."""
EXIT_INTERRUPTED: Final = 130


class State(StrEnum):
    """How far a step, or the whole demo, came."""

    PENDING = "not reached"
    RUNNING = "running"
    PASSED = "passed"
    FOUND = "found something"
    """It ran to its end and found something that must not be."""
    FAILED = "could not run"
    """It could not run to its end."""
    INTERRUPTED = "interrupted"


EXIT_CODES: Final = {
    State.PASSED: EXIT_CLEAN,
    State.FOUND: EXIT_FOUND,
    State.FAILED: EXIT_COULD_NOT_RUN,
    State.INTERRUPTED: EXIT_INTERRUPTED,
}


@dataclass
class Step:
    """One step of the demo, while it runs and after."""

    key: str
    title: str
    state: State = State.PENDING
    seconds: float = 0.0
    result: str = ""
    """In a few words: what matters most, then `; ` and the rest."""
    findings: tuple[str, ...] = ()
    """What must not be; a step with findings is not green, and the demo goes on."""
    parts: list[Part] = field(default_factory=list)

    @property
    def head(self) -> str:
        """What matters most of its result."""
        return self.result.partition("; ")[0]


@dataclass
class Result:
    """A whole demo, or as much of it as was done; the value of a step that was not reached is None."""

    demo_id: str
    place: Place
    commit: str
    started: datetime
    steps: list[Step]
    seconds: float = 0.0
    inventory: Inventory | None = None
    check: CheckReport | None = None
    published: Publication | None = None
    served: Service | None = None
    rollout: Record | None = None
    """Of a bad release, and how it was taken back."""
    drained: DrainRecord | None = None
    drill: Predicate | None = None
    """The predicate that the drill's evidence signs."""
    evidence: tuple[str, str] = ("", "")
    """The drill's files, JSON and Markdown, in the report's folder."""
    signer: str = ""
    """The fingerprint of the key that signed them."""
    crowd: Crowd | None = None
    """How the service would follow a flash crowd."""
    rehearsal: Kept | None = None
    """The last one of the stack, if its report lies beside this one's."""
    problem: UserError | None = None
    interrupted: bool = False
    files: tuple[str, ...] = ()
    """In the report's folder."""

    @property
    def findings(self) -> tuple[str, ...]:
        """What the steps found that must not be."""
        return tuple(finding for step in self.steps for finding in step.findings)

    @property
    def ending(self) -> State:
        """How the demo ended, the worst first."""
        states = {step.state for step in self.steps}
        if self.interrupted or State.INTERRUPTED in states:
            return State.INTERRUPTED
        if self.problem is not None or states & {State.FAILED, State.PENDING, State.RUNNING}:
            return State.FAILED
        return State.FOUND if self.findings else State.PASSED

    @property
    def predictions(self) -> tuple[tuple[str, GoldenResult], ...]:
        """When, and what was answered then over one protocol."""
        before = self.served.results if self.served else ()
        after = reading.answers(self.drill) if self.drill else ()
        return (*(("before the loss", r) for r in before), *(("after the restore", r) for r in after))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, as `result.json` holds it and `--json` prints it; plan, verdicts and evidence are beside it."""
        return {
            "schema": SCHEMA,
            "demo_id": self.demo_id,
            "stack": self.place.stack,
            "region": self.place.region,
            "backup_region": self.place.backup_region,
            "commit": self.commit,
            "started": self.started.isoformat(),
            "seconds": self.seconds,
            "ending": str(self.ending),
            "exit_code": EXIT_CODES[self.ending],
            "findings": list(self.findings),
            "steps": [asdict(step) for step in self.steps],
            "release": self.published and asdict(self.published),
            "predictions": [{"when": when, **answers.to_json()} for when, answers in self.predictions],
            "rollout": self.rollout and self.rollout.to_json(),
            "drained": self.drained and self.drained.to_json(),
            "evidence": self.evidence,
            "signer": self.signer,
            "problem": self.problem and vars(self.problem),
            "files": self.files,
        }
