"""What a stack promises of recovery beside what its settings bound it to, part by part, for whoever reviews it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter

from components.contracts.backup import BackupSpec
from components.contracts.feature_store import FeatureStoreBase, FeatureStoreSpec
from components.contracts.recovery import Bound, Part, bounds
from components.contracts.restore import steps
from components.contracts.vocabulary import Cloud

_STORE: Final[TypeAdapter[FeatureStoreBase]] = TypeAdapter(FeatureStoreSpec)


@dataclass(frozen=True)
class Promise:
    """An objective, and what it is bounded to while everything works."""

    objective: str
    """`rpo`, how old the newest copy may be, or `rto`, how long a restore may take."""
    promised_minutes: int
    bound: Bound

    def __str__(self) -> str:
        return (
            f"{self.objective.upper()} of {self.promised_minutes} min: "
            f"{self.bound.of} at most {self.bound.minutes} min ({' + '.join(str(part) for part in self.bound.parts)})"
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, as `--json` and evidence carry it."""
        return {"objective": self.objective, "promised_minutes": self.promised_minutes, **self.bound.to_json()}


def promises(cloud: Cloud, store: FeatureStoreBase, backup: BackupSpec) -> tuple[Promise, ...]:
    """One for each thing that is copied, and one for the restore."""
    left = tuple(Part(step.does, step.minutes) for step in steps(cloud, store) if step.minutes)
    return (
        *(Promise("rpo", backup.rpo_minutes, bound) for bound in bounds(cloud, store, backup)),
        Promise("rto", backup.rto_minutes, Bound("a restore", left)),
    )


def promises_in(settings: Mapping[str, Any]) -> tuple[Promise, ...]:
    """Those of the settings that an inventory carries; none where it carries none, or what no stack could have."""
    try:
        cloud = Cloud(settings.get("cloud"))
        store = _STORE.validate_json(json.dumps(settings.get("feature_store")))
        backup = BackupSpec.model_validate_json(json.dumps(settings.get("backup")))
    except ValueError:
        return ()
    return promises(cloud, store, backup)
