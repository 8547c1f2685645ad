"""What a demo finds out, as plain data: the screen, the page and `result.json` are all written from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal

from common.errors import EXIT_CLEAN, EXIT_COULD_NOT_RUN, EXIT_FOUND

SCHEMA: Final = 1
"""Version of `result.json`; a reader may rely on its keys within one version."""
EXIT_INTERRUPTED: Final = 130

Moment = Literal["before", "after"]


class State(StrEnum):
    """How far a step came."""

    PENDING = "pending"
    RUNNING = "running"
    OK = "ok"
    FOUND = "found"
    """It ran to its end and found something that must not be."""
    FAILED = "failed"
    """It could not run to its end."""
    INTERRUPTED = "interrupted"


class Ending(StrEnum):
    """How a demo ended."""

    PASSED = "passed"
    FOUND = "found something"
    FAILED = "could not run"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Part:
    """A timed part of a step."""

    title: str
    outcome: str
    seconds: float


@dataclass(frozen=True)
class Step:
    """One step of the demo, finished or not."""

    key: str
    title: str
    state: State = State.PENDING
    seconds: float = 0.0
    told: str = ""
    """Its result in a few words."""
    findings: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Component:
    """The resources of one top-level component."""

    name: str
    type: str
    resources: int
    protected: int
    regions: tuple[str, ...]
    kinds: tuple[tuple[str, int], ...]
    """Resource type and how many, most first."""


@dataclass(frozen=True)
class Resources:
    """What was planned, and what the engine deployed of it."""

    planned: int
    deployed: int
    protected: int
    components: tuple[Component, ...]
    only_planned: tuple[str, ...] = ()
    """Names of planned resources that were not deployed."""
    only_deployed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Violation:
    """A rule that a resource breaks."""

    rule: str
    severity: str
    resource: str
    reason: str
    remedy: str


@dataclass(frozen=True)
class Policies:
    """The offline verdict, and where the same rules inside the engine judged otherwise."""

    rules: int
    passed: bool
    counts: Mapping[str, int]
    violations: tuple[Violation, ...]
    waiver_problems: tuple[str, ...] = ()
    waived: tuple[str, ...] = ()
    opt_outs: Mapping[str, str] = field(default_factory=dict)
    engine_asked: bool = False
    engine_differs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preview:
    """Changes that a second preview would make, and drift that a refresh found: `operation name (properties)`."""

    unchanged: int
    changes: tuple[str, ...]
    drift: tuple[str, ...] | None = None
    """None: not looked for."""


@dataclass(frozen=True)
class Release:
    """The published model repository, and the feature rows beside it."""

    version: str
    uri: str
    files: int
    bytes: int
    manifest_sha256: str
    feature_rows: int
    feature_store: str


@dataclass(frozen=True)
class Predictions:
    """Golden requests over one protocol, before the loss or after the restore; latencies at the client."""

    moment: Moment
    protocol: str
    requests: int
    errors: int
    matching: int
    max_abs_error: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    mismatches: tuple[str, ...] = ()
    """The first few, in words."""

    @property
    def passed(self) -> bool:
        """Whether every request got its golden answer."""
        return self.requests > 0 and self.matching == self.requests


@dataclass(frozen=True)
class Objective:
    """A recovery objective, in seconds."""

    target_s: float
    measured_s: float
    passed: bool


@dataclass(frozen=True)
class Drill:
    """The drill's evidence in short; the signed document lies beside the report."""

    proven: bool
    mode: str
    scenario: str
    findings: tuple[str, ...]
    evidence_json: str
    """File name, in the report's folder."""
    evidence_markdown: str
    signer: str
    region: str = ""
    backup_region: str = ""
    distance_km: float = 0.0
    rpo: Objective | None = None
    rto: Objective | None = None
    objects: str = ""
    features: str = ""
    recovery_point: str = ""
    controls: tuple[tuple[str, bool, str], ...] = ()
    """Fault, whether the drill's checks found it, what they found."""
    phases: tuple[tuple[str, float], ...] = ()
    """Name and seconds."""


@dataclass(frozen=True)
class Problem:
    """Why the demo could not go on."""

    what: str
    where: str
    remedy: str


@dataclass(frozen=True)
class Result:
    """A whole demo, or as much of it as was done."""

    demo_id: str
    stack: str
    cloud: str
    region: str
    backup_region: str
    commit: str
    started: datetime
    seconds: float
    versions: Mapping[str, str]
    steps: tuple[Step, ...]
    resources: Resources | None = None
    policies: Policies | None = None
    preview: Preview | None = None
    release: Release | None = None
    ready_s: float | None = None
    """From the start of Triton to its readiness, before the loss."""
    predictions: tuple[Predictions, ...] = ()
    drill: Drill | None = None
    problem: Problem | None = None
    interrupted: bool = False
    files: tuple[str, ...] = ()
    """In the report's folder."""
    mode: str = "emulated"
    schema: int = SCHEMA

    @property
    def findings(self) -> tuple[str, ...]:
        """What the steps found that must not be."""
        return tuple(finding for step in self.steps for finding in step.findings)

    @property
    def ending(self) -> Ending:
        """How the demo ended, the worst first."""
        states = {step.state for step in self.steps}
        if self.interrupted or State.INTERRUPTED in states:
            return Ending.INTERRUPTED
        if self.problem is not None or states & {State.FAILED, State.PENDING, State.RUNNING}:
            return Ending.FAILED
        return Ending.FOUND if self.findings else Ending.PASSED

    @property
    def exit_code(self) -> int:
        """The command's exit code."""
        return {
            Ending.PASSED: EXIT_CLEAN,
            Ending.FOUND: EXIT_FOUND,
            Ending.FAILED: EXIT_COULD_NOT_RUN,
            Ending.INTERRUPTED: EXIT_INTERRUPTED,
        }[self.ending]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, as `result.json` holds it and `--json` prints it."""
        document = _plain(asdict(self))
        for predictions, told in zip(self.predictions, document["predictions"], strict=True):
            told["passed"] = predictions.passed
        return {**document, "ending": str(self.ending), "exit_code": self.exit_code, "findings": [*self.findings]}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    return value
