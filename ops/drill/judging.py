"""Decides, from what was found, whether a restore is proven: pure functions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ops.drill.model import Evidence, ExpectedObject, FeatureCheck, ObjectCheck

EARLY_CANARY: Final = "drill-canary-early"
"""Entity id prefix of the row written before the recovery point: it must be restored."""
LATE_CANARY: Final = "drill-canary-late"
"""Entity id prefix of the row written after it: it must not be, or the recovery point is not what it says."""


def judge_objects(
    expected: Sequence[ExpectedObject], sizes: Mapping[str, int], digests: Mapping[str, str | None]
) -> ObjectCheck:
    """Compare the restored objects' sizes and digests with the expected ones."""
    wanted = {item.key: item for item in expected}
    missing = sorted(key for key in wanted if digests.get(key) is None)
    mismatched = sorted(key for key, item in wanted.items() if digests.get(key) not in (None, item.sha256))
    return ObjectCheck(
        expected=len(wanted),
        restored=len(wanted) - len(missing) - len(mismatched),
        bytes=sum(sizes.get(key, 0) for key in wanted if key not in missing),
        missing=tuple(missing),
        extra=tuple(sorted(sizes.keys() - wanted.keys())),
        mismatched=tuple(mismatched),
    )


def rows_hash(rows: Mapping[str, str]) -> str:
    """A SHA-256 (hex) over rows that does not depend on their order."""
    lines = sorted(json.dumps([entity, features]) for entity, features in rows.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def judge_features(
    name: str, expected: Mapping[str, str], restored: Mapping[str, str], drill_id: str
) -> FeatureCheck:
    """Compare the restored rows with those at the recovery point."""
    late = f"{LATE_CANARY}-{drill_id}"
    return FeatureCheck(
        name=name,
        expected=len(expected),
        actual=len(restored),
        expected_hash=rows_hash(expected),
        actual_hash=rows_hash(restored),
        early_canary_present=f"{EARLY_CANARY}-{drill_id}" in restored,
        late_canary_absent=late not in restored,
    )


def manifest_sha256(expected: Iterable[ExpectedObject], rows: Mapping[str, str]) -> str:
    """One digest over all that a restore must bring back."""
    lines = [f"{item.key}\t{item.size}\t{item.sha256}" for item in sorted(expected, key=lambda e: e.key)]
    return hashlib.sha256("\n".join([*lines, rows_hash(rows)]).encode()).hexdigest()


def flipped(data: bytes) -> bytes:
    """`data` with one bit of its middle byte changed.

    Raises:
        ValueError: there is no byte to change.
    """
    if not data:
        raise ValueError("an empty object has no byte to flip")
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def findings(evidence: Evidence, *, min_distance_km: float) -> tuple[str, ...]:
    """Everything that keeps the restore from being proven, in plain sentences."""
    told: list[str] = []
    objects, features = evidence.objects, evidence.features
    if not objects.passed:
        told.append(
            f"objects: {len(objects.missing)} missing, {len(objects.mismatched)} different, "
            f"{len(objects.extra)} extra of {objects.expected} expected"
        )
    if not features.passed:
        told.append(
            f"features: {features.actual} rows of {features.expected}, "
            f"{'same' if features.actual_hash == features.expected_hash else 'different'} content, early canary "
            f"{'present' if features.early_canary_present else 'missing'}, late canary "
            f"{'absent' if features.late_canary_absent else 'present: the recovery point is newer than it says'}"
        )
    told += [
        f"{name}: {objective.measured_s:.0f} s measured, {objective.target_s:.0f} s allowed"
        for name, objective in (("RPO", evidence.rpo), ("RTO", evidence.rto))
        if not objective.passed
    ]
    if not evidence.app_probe or not all(result.passed for result in evidence.app_probe):
        told.append("predictions: the restored service does not give the golden answers")
    told += [
        f"negative control not detected: {control.fault}" for control in evidence.controls if not control.detected
    ]
    if not evidence.controls:
        told.append("no negative control was run")
    told += [
        f"{check.resource} could not be read with the recovery region's key alone"
        for check in evidence.encryption
        if not check.decrypt_ok
    ]
    told += [
        f"{check.resource}: {check.setting} is {check.actual}, must be {check.expected}"
        for check in evidence.settings
        if not check.passed
    ]
    if evidence.region_separated_km < min_distance_km:
        told.append(
            f"the regions are {evidence.region_separated_km:.0f} km apart, {min_distance_km:.0f} are required"
        )
    if evidence.cleanup.leftover:
        told.append(f"left behind: {', '.join(evidence.cleanup.leftover)}")
    return tuple(told)
