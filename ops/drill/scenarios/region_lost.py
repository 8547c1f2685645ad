"""The primary region is lost: nothing there answers, and the service comes back from the copies in the other one."""

from __future__ import annotations

from datetime import datetime

from components.contracts.regions import distance_km
from ops.drill import before, copies, restoring
from ops.drill.controls import object_controls
from ops.drill.model import Check, RecoveryPoint
from ops.drill.run import Run


class RegionLost:
    """Implements `ops.drill.run.Scenario`."""

    name = "region-lost"
    title = "the primary region is lost: objects and their versions, the feature store, the keys"

    def run(self, run: Run) -> None:
        """Seed, wait for the copies, lose the region, restore, verify, predict, and try the checks themselves."""
        record, a, cloud = run.record, run.a, run.cloud
        record.check(_apart(run))
        record.fact(tool_versions=dict(cloud.versions()), noted_before=dict(cloud.note_primary()))
        with record.phase("seed"):
            seed = before.seed(run)
        with record.phase("wait for the copies in the other region"):
            cloud.hurry_copies()
            copies.await_objects(run, seed)
            point = copies.await_point(run, seed)
        with record.phase("lose the primary region"):
            record.lost()
            run.disaster.lose_region(a.outputs.region)
        with record.phase("restore objects"):
            bucket = restoring.restore_objects(run)
        with record.phase("restore features"):
            store = cloud.restore_features(point, a.drill_id)
        with record.phase("verify objects, features, keys and settings"):
            record.check(restoring.check_objects(bucket, seed.objects))
            record.check(restoring.check_rows(run, store, dict(seed.rows)))
            record.check(*restoring.check_keys(run, bucket, store))
            record.check(*restoring.setting_checks("settings.restored", cloud.settings(bucket, store)))
        with record.phase("serve from what was restored, and predict"):
            record.check(*restoring.predict(run, bucket, store))
        record.proven(60.0 * a.outputs.objectives.rto_minutes)
        with record.phase("negative controls"):
            record.control(*object_controls(bucket, seed.objects))
        record.fact(recovery_point=_told(point, record.lost_at))


def _apart(run: Run) -> Check:
    outputs, least = run.a.outputs, run.a.settings.backup.min_distance_km
    found = distance_km(outputs.cloud, outputs.region, outputs.backup_region)
    subject = f"{outputs.region} and {outputs.backup_region}, in km"
    return Check("regions.apart", "at least", least, round(found, 1), subject)


def _told(point: RecoveryPoint, lost_at: datetime | None) -> dict[str, object]:
    return {
        "id": point.id,
        "created": point.created.isoformat(),
        "age_s": lost_at and round((lost_at - point.created).total_seconds(), 3),
        "vault": point.vault,
        "region": point.region,
        "locked": point.locked,
    }
