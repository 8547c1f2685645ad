"""The drill itself, step by step: seed, wait for the copies, lose the region, restore, verify, prove, clean up."""

from __future__ import annotations

import getpass
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from common.console import Steps
from common.errors import UserError
from common.paths import repo_root
from common.target import Pod, Target
from components.contracts.recovery import Bound
from components.contracts.regions import distance_km
from localcloud.front import Release
from ops.drill.controls import run_controls
from ops.drill.judging import EARLY_CANARY, LATE_CANARY, findings, judge_features, judge_objects, manifest_sha256
from ops.drill.model import (
    Cleanup,
    Evidence,
    ExpectedObject,
    FailedDrill,
    NotRecoverableError,
    ObjectCheck,
    Objective,
    Phase,
    RecoveryPoint,
)
from ops.drill.ports import DrillCloud
from ops.features.rows import load_rows
from ops.features.store import FeatureStore, open_rows, write_rows
from ops.models import releases
from ops.objects import transfer
from ops.objects.store import ObjectStore
from ops.serving.service import Service, serve
from stacks.outputs import StackOutputs

POLL_S: Final = 0.5
SCENARIO: Final = "loss of the primary region: objects and their versions, the feature store, the data key"
CANARY_PREFIX: Final = "drills"


@dataclass(frozen=True)
class Assignment:
    """What is drilled, and within which limits."""

    stack: str
    drill_id: str
    outputs: StackOutputs
    min_distance_km: float
    rpo_bounds: tuple[Bound, ...]
    """How old the stack's copies can be by its settings."""
    patience_s: float
    """How long copies and recovery points may take to appear."""
    serving_python: Path
    log_dir: Path


@dataclass(frozen=True)
class Seed:
    """What a restore must bring back."""

    objects: tuple[ExpectedObject, ...]
    rows: Mapping[str, str]
    written: datetime


class Drill:
    """One run; `run` returns evidence whatever the verdict, and raises only if the command itself cannot go on."""

    def __init__(self, assignment: Assignment, cloud: DrillCloud, target: Target, steps: Steps) -> None:
        self._a = assignment
        self._cloud = cloud
        self._target = target
        self._steps = steps
        self._phases: list[Phase] = []

    def run(self) -> Evidence | FailedDrill:
        """Drill, clean up what was restored in any case, and judge.

        Raises:
            UserError: a step could not be carried out; what the drill made is removed first.
        """
        left = self._cloud.leftovers(self._a.drill_id)
        if left:
            raise UserError(
                f"the restore's target is not empty: {', '.join(left)}", self._a.drill_id, "Use another drill id."
            )
        try:
            return self._run()
        except NotRecoverableError as error:
            return FailedDrill(
                drill_id=self._a.drill_id,
                stack=self._a.stack,
                commit=commit(),
                operator=operator(),
                scenario=SCENARIO,
                mode=self._target.mode,
                failed_at=self._phases[-1].name if self._phases else "the start",
                phases=tuple(self._phases),
                findings=(f"{error.what} ({error.where})",),
            )
        finally:
            self._cloud.clean_up(self._a.drill_id)

    def _run(self) -> Evidence:
        with self._phase("seed"):
            seed = self._seed()
        with self._phase("wait for the copies in the other region"):
            self._await_objects(seed)
            point = self._await_point(seed)
        with self._phase("write what must not be restored"):
            self._write_row(LATE_CANARY)
        with self._phase("lose the primary region"):
            self._cloud.lose_primary()
        t_failure = t_start = datetime.now(UTC)
        with self._phase("restore objects"):
            bucket = self._restore_objects()
        with self._phase("restore features"):
            store = self._cloud.restore_features(point, self._a.drill_id)
        with self._phase("verify objects, features, keys and settings"):
            objects = check_objects(bucket, seed.objects)
            features = judge_features(store.name, seed.rows, open_rows(store, self._target).read(), self._a.drill_id)
            encryption = self._cloud.encryption(bucket, store)
            settings = self._cloud.settings(bucket, store)
        with self._phase("serve from what was restored, and predict"):
            service = self._serve(bucket, store)
        t_verified = datetime.now(UTC)
        with self._phase("negative controls"):
            controls = run_controls(bucket, seed.objects, lambda: check_objects(bucket, seed.objects))
        with self._phase("clean up"):
            cleanup = self._clean_up()
        return self._judge(
            Evidence(
                drill_id=self._a.drill_id,
                stack=self._a.stack,
                commit=commit(),
                operator=operator(),
                scenario=SCENARIO,
                mode=self._target.mode,
                t_failure=t_failure,
                t_start=t_start,
                phases=tuple(self._phases),
                source={"account": self._a.outputs.account, "region": self._a.outputs.region},
                target={
                    "account": self._a.outputs.account,
                    "region": self._a.outputs.backup_region,
                },
                region_separated_km=round(self._distance_km(), 1),
                recovery_point=point,
                rpo=self._rpo(t_failure, point, objects),
                rpo_bounds=self._a.rpo_bounds,
                rto=_objective(self._a.outputs.objectives.rto_minutes, (t_verified - t_start).total_seconds()),
                objects=objects,
                features=features,
                encryption=tuple(encryption),
                settings=tuple(settings),
                app_probe=service.results,
                ready_s=service.ready_s,
                throughput=self._throughput(objects),
                controls=controls,
                cleanup=cleanup,
                tool_versions=self._cloud.versions(),
                manifest_sha256=manifest_sha256(seed.objects, seed.rows),
            )
        )

    def _seed(self) -> Seed:
        bucket, prefix = self._cloud.primary, f"{CANARY_PREFIX}/{self._a.drill_id}"
        version = self._a.outputs.fleet.model_release
        if releases.read_manifest(bucket, version) is None:
            raise UserError(
                f"the release {version!r} that the fleet serves is not published, so nothing can be restored",
                bucket.uri,
                f"Run `seawall models publish {self._a.stack} --version {version} --target {self._target.name}`.",
            )
        bucket.put(f"{prefix}/canary", f"canary of drill {self._a.drill_id}\n".encode())
        write_rows(
            self._cloud.feature_store, self._target, load_rows(), self._a.outputs.feature_store.entry_ttl_hours
        )
        self._write_row(EARLY_CANARY)
        written = datetime.now(UTC)
        sizes = {item.key: item.size for item in bucket.list()}
        digests = transfer.digests(bucket, sizes)
        objects = tuple(ExpectedObject(key, size, digests[key] or "") for key, size in sizes.items())
        return Seed(objects, open_rows(self._cloud.feature_store, self._target).read(), written)

    def _write_row(self, canary: str) -> None:
        ttl_hours = self._a.outputs.feature_store.entry_ttl_hours
        write_rows(self._cloud.feature_store, self._target, {f"{canary}-{self._a.drill_id}": [0.0]}, ttl_hours)

    def _await_objects(self, seed: Seed) -> None:
        self._cloud.hurry_copies()
        wanted = {item.key: item.sha256 for item in seed.objects}

        def copied() -> bool | None:
            present = {item.key for item in self._cloud.replica.list()}
            if not wanted.keys() <= present:
                return None
            return transfer.digests(self._cloud.replica, wanted) == wanted or None

        self._await(copied, f"the replica {self._cloud.replica.uri} has not all objects of the primary")

    def _await_point(self, seed: Seed) -> RecoveryPoint:
        since = seed.written.replace(microsecond=0)
        where = f"{self._a.outputs.backup.vault} in {self._a.outputs.backup_region}"
        return self._await(
            lambda: self._cloud.recovery_point(since), f"{where} has no recovery point of the feature store"
        )

    def _await(self, ask: Callable[[], Any], otherwise: str) -> Any:
        deadline = time.monotonic() + self._a.patience_s
        while True:
            found = ask()
            if found is not None:
                return found
            if time.monotonic() > deadline:
                raise NotRecoverableError(
                    f"{otherwise} after {self._a.patience_s:.0f} s",
                    f"stack {self._a.stack}",
                    "check the replication rule or copy job, the backup plan, its selection and its copy action",
                )
            time.sleep(POLL_S)

    def _restore_objects(self) -> ObjectStore:
        bucket, replica = self._cloud.make_bucket(self._a.drill_id), self._cloud.replica
        for _ in transfer.each(lambda item: bucket.copy(replica.bucket, item.key, item.key), replica.list()):
            pass
        return bucket

    def _serve(self, bucket: ObjectStore, store: FeatureStore) -> Service:
        """As the fleet's pods do, of what the settings pin and with no more rights than the fleet's own."""
        outputs, fleet = self._a.outputs, self._a.outputs.identities.fleet
        self._cloud.let_read(bucket, fleet.principal)
        return serve(
            Release(
                releases.release_uri(bucket, outputs.fleet.model_release),
                outputs.fleet.manifest_sha256,
                outputs.backup_region,
            ),
            store,
            self._target,
            self._a.serving_python,
            pod=Pod(fleet.namespace, fleet.service_account, fleet.principal),
            log=self._a.log_dir / f"triton-{self._a.drill_id}.log",
        )

    def _clean_up(self) -> Cleanup:
        created = tuple(self._cloud.leftovers(self._a.drill_id))
        deleted = tuple(self._cloud.clean_up(self._a.drill_id))
        return Cleanup(created, deleted, tuple(self._cloud.leftovers(self._a.drill_id)))

    def _distance_km(self) -> float:
        outputs = self._a.outputs
        return distance_km(outputs.cloud, outputs.region, outputs.backup_region)

    def _rpo(self, t_failure: datetime, point: RecoveryPoint, objects: ObjectCheck) -> Objective:
        """Age of the newest recovered features at the failure; objects that were lost count from the seed."""
        oldest = point.created if objects.passed else min(point.created, self._phases[0].start)
        return _objective(self._a.outputs.objectives.rpo_minutes, max(0.0, (t_failure - oldest).total_seconds()))

    def _throughput(self, objects: ObjectCheck) -> Mapping[str, float]:
        seconds = next(p.seconds for p in self._phases if p.name == "restore objects")
        return {
            "objects_per_s": round(objects.restored / max(seconds, 1e-3), 1),
            "mb_per_s": round(objects.bytes / 1e6 / max(seconds, 1e-3), 3),
        }

    def _judge(self, evidence: Evidence) -> Evidence:
        told = findings(evidence, min_distance_km=self._a.min_distance_km)
        return replace(evidence, findings=told)

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        start = datetime.now(UTC)
        with self._steps.step(name):
            yield
        self._phases.append(Phase(name, start, datetime.now(UTC)))


def check_objects(bucket: ObjectStore, expected: tuple[ExpectedObject, ...]) -> ObjectCheck:
    """Read every expected object of `bucket` in full, and compare."""
    sizes = {item.key: item.size for item in bucket.list()}
    digests = transfer.digests(bucket, [item.key for item in expected if item.key in sizes])
    return judge_objects(expected, sizes, digests)


def _objective(allowed_minutes: float, measured_s: float) -> Objective:
    return Objective(60.0 * allowed_minutes, round(measured_s, 3))


def commit() -> str:
    """The checkout's commit, with `+changes` if the working tree differs; empty outside git."""
    try:
        head, status = (
            subprocess.run(["git", *a], cwd=repo_root(), capture_output=True, text=True, check=True).stdout.strip()
            for a in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f"{head}+changes" if status else head


def operator() -> str:
    """Who runs the drill, as this machine knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
