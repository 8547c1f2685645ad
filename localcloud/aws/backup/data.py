"""What the emulated AWS Backup remembers: selections, recovery points with their contents, and jobs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

JobState = Literal["RUNNING", "COMPLETED", "FAILED"]


@dataclass
class Selection:
    """Which resources a plan backs up, as deployed."""

    selection_id: str
    plan_id: str
    region: str
    body: dict[str, Any]
    """`SelectionName`, `IamRoleArn`, `Resources`, `NotResources`, `ListOfTags`."""
    created: float


@dataclass
class RecoveryPoint:
    """One recovery point; `contents` is a copy of the table as it was at `created`."""

    arn: str
    vault: str
    region: str
    resource_arn: str
    resource_name: str
    created: float
    """Seconds since the epoch; a copy keeps its source's."""
    key_arn: str
    """The vault's key, which encrypts it."""
    size_bytes: int
    contents: bytes
    """The pickled schema and items."""
    plan_id: str = ""
    plan_arn: str = ""
    rule_id: str = ""
    source_vault_arn: str = ""
    """Set for a copy."""
    delete_after_days: int | None = None
    completed: float = 0.0


@dataclass
class Job:
    """A backup, copy or restore job. Backups and restores end at once, copies later."""

    job_id: str
    kind: Literal["backup", "copy", "restore"]
    region: str
    state: JobState
    message: str
    created: float
    completed: float
    resource_arn: str
    role_arn: str
    details: dict[str, Any] = field(default_factory=dict)
    """Further members of the API's answer, such as `RecoveryPointArn`."""


@dataclass
class BackupData:
    """All of it, in every region."""

    selections: dict[str, Selection] = field(default_factory=dict)
    points: dict[tuple[str, str, str], RecoveryPoint] = field(default_factory=dict)
    """By (region, vault, ARN)."""
    jobs: dict[str, Job] = field(default_factory=dict)
    policies: dict[tuple[str, str], str] = field(default_factory=dict)
    """Vault access policies by (region, vault)."""
    written: dict[tuple[str, str], float] = field(default_factory=dict)
    """When a table was last written to, by (region, table); a scheduled rule is due again after that."""
