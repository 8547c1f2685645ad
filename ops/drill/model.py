"""What a drill measures and decides, as plain data that evidence is written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from common.errors import UserError
from components.contracts.recovery import Bound
from ops.serving.golden import GoldenResult

SCHEMA_VERSION = 3


@dataclass(frozen=True)
class Phase:
    """A timed part of the drill."""

    name: str
    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True)
class RecoveryPoint:
    """The copy of the feature store in the backup region that the drill restores from."""

    id: str
    created: datetime
    """When the data in it was as it is: the moment of the backup, not of its copy."""
    vault: str
    region: str
    locked: bool
    """Whether something keeps it from being deleted before its time."""


@dataclass(frozen=True)
class ExpectedObject:
    """An object as it was in the primary before the loss."""

    key: str
    size: int
    sha256: str


@dataclass(frozen=True)
class ObjectCheck:
    """Restored objects beside the expected ones; every byte is read."""

    expected: int
    restored: int
    bytes: int
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    mismatched: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Nothing missing, nothing extra, nothing different, and something there at all."""
        return self.expected > 0 and not (self.missing or self.extra or self.mismatched)


@dataclass(frozen=True)
class FeatureCheck:
    """Restored feature rows beside the expected ones; hashes do not depend on the order of rows."""

    name: str
    expected: int
    actual: int
    expected_hash: str
    actual_hash: str
    early_canary_present: bool
    late_canary_absent: bool

    @property
    def passed(self) -> bool:
        """All rows of the recovery point, and none that came after it."""
        same = self.expected_hash == self.actual_hash and self.expected == self.actual
        return same and self.early_canary_present and self.late_canary_absent


@dataclass(frozen=True)
class KeyCheck:
    """What a restored resource is encrypted with, and whether it could be read without the primary's key."""

    resource: str
    key: str
    region: str
    decrypt_ok: bool


@dataclass(frozen=True)
class SettingCheck:
    """A setting that a restore must bring back by itself or by the drill's hand."""

    resource: str
    setting: str
    expected: str
    actual: str

    @property
    def passed(self) -> bool:
        """Whether it is as it must be."""
        return self.expected == self.actual


@dataclass(frozen=True)
class Objective:
    """A measured time beside its target, in seconds."""

    target_s: float
    measured_s: float

    @property
    def passed(self) -> bool:
        """Whether the target is met."""
        return self.measured_s <= self.target_s


@dataclass(frozen=True)
class Control:
    """A fault that the drill puts into the restored data, which its own checks must find."""

    fault: str
    detected: bool
    found: str


@dataclass(frozen=True)
class Cleanup:
    """What the drill made and removed; `leftover` must be empty."""

    created: tuple[str, ...]
    deleted: tuple[str, ...]
    leftover: tuple[str, ...]


@dataclass(frozen=True)
class Evidence:
    """All that a drill found. `mode` says whether a real cloud was measured or an emulated one."""

    drill_id: str
    stack: str
    commit: str
    operator: str
    scenario: str
    mode: str
    t_failure: datetime
    t_start: datetime
    phases: tuple[Phase, ...]
    source: Mapping[str, str]
    target: Mapping[str, str]
    region_separated_km: float
    recovery_point: RecoveryPoint
    rpo: Objective
    rpo_bounds: tuple[Bound, ...]
    """How old the copies can be by the settings, part by part: what the measured time stays below in a real cloud."""
    rto: Objective
    objects: ObjectCheck
    features: FeatureCheck
    encryption: tuple[KeyCheck, ...]
    settings: tuple[SettingCheck, ...]
    app_probe: tuple[GoldenResult, ...]
    ready_s: float
    throughput: Mapping[str, float]
    controls: tuple[Control, ...]
    cleanup: Cleanup
    tool_versions: Mapping[str, str]
    manifest_sha256: str
    schema_version: int = SCHEMA_VERSION
    findings: tuple[str, ...] = field(default_factory=tuple)

    @property
    def proven(self) -> bool:
        """Whether the restore is proven: no finding against it."""
        return not self.findings

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, with each check's own verdict beside it."""
        document = {**_plain(asdict(self)), "verdict": "proven" if self.proven else "not proven"}
        for name, passed in (
            ("objects", self.objects.passed),
            ("features", self.features.passed),
            ("rpo", self.rpo.passed),
            ("rto", self.rto.passed),
        ):
            document[name]["pass"] = passed
        del document["rpo_bounds"]
        document["rpo"]["bounds"] = [bound.to_json() for bound in self.rpo_bounds]
        document["app_probe"] = [result.to_json() for result in self.app_probe]
        for phase, told in zip(self.phases, document["phases"], strict=True):
            told["seconds"] = round(phase.seconds, 3)
        return document


@dataclass(frozen=True)
class FailedDrill:
    """A drill that could not go on because what a restore needs is not there: not proven, and why."""

    drill_id: str
    stack: str
    commit: str
    operator: str
    scenario: str
    mode: str
    failed_at: str
    """The last thing that was done."""
    phases: tuple[Phase, ...]
    findings: tuple[str, ...]
    schema_version: int = SCHEMA_VERSION

    @property
    def proven(self) -> bool:
        """Never."""
        return False

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**_plain(asdict(self)), "verdict": "not proven"}


class NotRecoverableError(UserError):
    """What a restore needs does not exist or cannot be used: the drill has failed, not the command."""


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    return value
