"""Whether a stack can keep what it promises of a restore: each refusal says what the promise is made of."""

from __future__ import annotations

from components.contracts.backup import BackupSpec
from components.contracts.feature_store import BigtableSpec, FeatureStoreBase, FeatureStoreKind, MemorystoreSpec
from components.contracts.recovery import bounds, export_minutes, fewest_hours_by_size
from components.contracts.restore import restore_minutes, steps
from components.contracts.vocabulary import Cloud
from stacks.problems import Problem


def objective_problems(cloud: Cloud, store: FeatureStoreBase, backup: BackupSpec) -> list[Problem]:
    """What the copies cannot keep, the first cause only."""
    kind = store.model_dump()["kind"]
    hours, days = backup.frequency_hours, backup.retention_days
    if hours < store.fewest_hours_between_points:
        allowed = f"at least {store.fewest_hours_between_points}: as often as {kind} makes recovery points"
        return [Problem("backup.frequency_hours", hours, allowed, "Raise it, and backup.rpo_minutes with it.")]
    fewest = fewest_hours_by_size(store)
    if hours < fewest:
        allowed = f"at least {fewest}: an export of {store.gib} GiB takes {export_minutes(store.gib)} min"
        remedy = "Raise it, or lower feature_store.memory_gib: nothing else can be done to the store meanwhile."
        return [Problem("backup.frequency_hours", hours, allowed, remedy)]
    if days > store.most_retention_days:
        allowed = f"at most {store.most_retention_days}: as long as {kind} keeps recovery points"
        return [Problem("backup.retention_days", days, allowed, "Lower it.")]
    longest, *_ = bounds(cloud, store, backup)
    problems: list[Problem] = []
    if longest.minutes > backup.rpo_minutes:
        remedy = f"Raise it, or lower backup.frequency_hours.{_closer(kind)}"
        allowed = f"at least what copies of {longest.of} can bound it to, {longest}"
        problems.append(Problem("backup.rpo_minutes", backup.rpo_minutes, allowed, remedy))
    takes = restore_minutes(cloud, store)
    if takes > backup.rto_minutes:
        made_of = " + ".join(str(step.minutes) for step in steps(cloud, store) if step.minutes)
        allowed = f"at least {takes} ({made_of} min): what docs/recovery.md leaves to do when the region is lost"
        problems.append(Problem("backup.rto_minutes", backup.rto_minutes, allowed, "Raise it."))
    return problems


def store_zones(store: FeatureStoreBase, region: str, backup_region: str) -> list[tuple[str, tuple[str, ...], str]]:
    """What a store says of zones by their letters: the setting, the letters, and the region that they are of."""
    match store:
        case MemorystoreSpec():
            return [("zones", store.zones, region)]
        case BigtableSpec():
            return [("zone", (store.zone,), region), ("backup_zone", (store.backup_zone,), backup_region)]
        case _:
            return []


def _closer(kind: FeatureStoreKind) -> str:
    """What is closer to the present than a copy, and why it does not count."""
    if kind is FeatureStoreKind.DYNAMODB:
        return (
            " Only a global table is closer, and it copies deletions too, so it is not offered; in a region that"
            " stands, point-in-time recovery undoes a bad write to the second."
        )
    if kind in (FeatureStoreKind.VALKEY, FeatureStoreKind.BIGTABLE):
        return " The second region follows within seconds, but it follows a bad write too: only snapshots count."
    return ""
