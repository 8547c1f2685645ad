"""A deployed stack without its engine: an emulator from a snapshot, what the stack showed, and a drill of it.

A fault is one row of a table: how it is planted, through the cloud's own API, and the finding by which it must be
caught. Each gets an emulator of its own from the one snapshot, so that faults never meet.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import boto3

from common.console import Steps
from common.gcp_api import GcpApi
from common.paths import repo_root
from common.target import Pod, Target
from localcloud.emulators import Emulator, build_emulator
from localcloud.front import Release, ensure_serving_environment, fetch_release
from ops.deployed import open_bucket, read_outputs
from ops.drill import before
from ops.drill.clouds import drill_cloud
from ops.drill.ids import new_id
from ops.drill.run import Assignment, Run, Scenario, drill
from ops.drill.scenarios import SCENARIOS
from ops.drill.scenarios.bad_release import FAULTY
from ops.features.loads import load
from ops.features.rows import load_rows
from ops.features.store import FeatureStore, write_rows
from ops.local.session import open_local
from ops.local.workspace import place_of
from ops.models.publishing import publish_signed
from ops.serving import golden
from ops.serving.service import Service
from stacks.files import stack_file
from stacks.outputs import StackOutputs
from stacks.settings import Settings

PATIENCE_S: Final = 2.0
"""What comes late here comes within a third of a second."""
MODELS: Final = repo_root() / "serving_image" / "model_repository"
NO_PROGRAM: Final = {
    "commit": "",
    "uncommitted_changes": False,
    "deployed_sha256": "0" * 64,
    "resources": 0,
    "differs": [],
}
"""No engine keeps the state of a stand, so nothing is known of what made it."""
_OUTPUTS: Final = "outputs.json"
_EMULATOR: Final = "emulator"


@dataclass(frozen=True)
class Stand:
    """A running copy of a deployed stack's cloud, to plant faults in and to drill."""

    outputs: StackOutputs
    settings: Settings
    emulator: Emulator
    target: Target
    folder: Path

    @property
    def release(self) -> str:
        """The release that the fleet runs."""
        return self.outputs.fleet.drilled.model_release

    def aws(self, service: str, *, far: bool = False) -> Any:
        """A client of the one who runs the local cloud, in the stack's region or its backup region."""
        make: Any = boto3.client  # typed for literal service names alone
        return make(
            service,
            region_name=self.outputs.backup_region if far else self.outputs.region,
            endpoint_url=self.target.aws_endpoint_url,
            aws_access_key_id=self.target.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.target.environment["AWS_SECRET_ACCESS_KEY"],
        )

    def gcp(self) -> GcpApi:
        """Google's REST APIs, as the one who runs the local cloud."""
        return GcpApi(self.target, self.outputs.account)

    def drilled(self, scenario: str | Scenario = "region-lost", *, patience_s: float = PATIENCE_S) -> dict[str, Any]:
        """The predicate of a drill, with a stand-in for Triton.

        Args:
            patience_s: how long copies may take; a stack without a fault is given more, on a busy machine.
        """
        assignment = Assignment(
            stack=self.settings.place.stack,
            drill_id=new_id(),
            outputs=self.outputs,
            settings=self.settings,
            patience_s=patience_s,
            serving_python=_python(),
            log_dir=self.folder,
            program=NO_PROGRAM,
            not_enforced=(("Triton", "a stand-in answers in its place; the release is fetched and verified"),),
            serve=serve_stand_in,
        )
        chosen = SCENARIOS[scenario] if isinstance(scenario, str) else scenario
        return drill(chosen, assignment, drill_cloud(self.outputs, self.target), self.emulator, self.target, Steps())


class LooksOnly:
    """The beginning of each scenario: what stands before the loss is read and judged, and nothing is lost."""

    name = "region-lost"
    title = "nothing: what is deployed is looked at"

    def run(self, run: Run) -> None:
        """Look."""
        with run.record.phase("look at what stands before the loss"):
            before.look(run)


@dataclass(frozen=True)
class Fault:
    """What is done to a deployed stack, and a fragment of the finding that must name it."""

    name: str
    plant: Callable[[Stand], None]
    finding: str
    scenario: str | Scenario = "region-lost"


def prepare(stack: str, home: Path, into: Path) -> None:
    """Keep what `stand` needs of a stack that is up in `home`, with the fleet's release and its features."""
    with open_local(stack, Steps(), home=home) as local:
        outputs = read_outputs(stack, local.outputs(), "local")
        bucket, version = open_bucket(outputs.model_bucket, local.target), outputs.fleet.drilled.model_release
        publish_signed(bucket, MODELS, version, local.target)
        load(FeatureStore.of(outputs), local.target, load_rows(), outputs.feature_store.entry_ttl_hours)
        workspace = local.workspace
    snapshot = workspace.snapshot()
    assert snapshot is not None
    into.mkdir(parents=True, exist_ok=True)
    shutil.copytree(snapshot / "emulator", into / _EMULATOR)
    (into / _OUTPUTS).write_text(outputs.model_dump_json(), encoding="utf-8")


@contextmanager
def stand(stack: str, kept: Path) -> Iterator[Stand]:
    """A copy of the stack's cloud, for as long as the block runs; `kept` is only read."""
    settings = _settings(stack)
    outputs = StackOutputs.model_validate(json.loads((kept / _OUTPUTS).read_text(encoding="utf-8")))
    with tempfile.TemporaryDirectory(prefix="seawall-fault-") as made:
        folder = Path(made)
        scratch = folder / "emulator"
        scratch.mkdir()
        emulator = build_emulator(settings.cloud, place_of(settings), scratch)
        try:
            emulator.start(kept / _EMULATOR)
            yield Stand(outputs, settings, emulator, emulator.target(), folder)
        finally:
            emulator.stop()


def found(fault: Fault, stack: str, kept: Path) -> dict[str, Any]:
    """The predicate of a drill of the stack with this fault."""
    with stand(stack, kept) as standing:
        fault.plant(standing)
        return standing.drilled(fault.scenario)


def copied(standing: Stand) -> None:
    """Features are loaded, and the newest copies have reached the backup region."""
    cloud = drill_cloud(standing.outputs, standing.target)
    hours = standing.outputs.feature_store.entry_ttl_hours
    write_rows(cloud.feature_store, standing.target, load_rows(), hours)
    began = datetime.now(UTC).replace(microsecond=0)
    cloud.hurry_copies()
    for _ in range(100):
        if cloud.recovery_point(began) is not None and {o.key for o in cloud.primary.list()} <= {
            o.key for o in cloud.replica.list()
        }:
            return
        time.sleep(0.1)
    raise AssertionError("no copy came")


def serve_stand_in(
    release: Release,
    store: FeatureStore,
    target: Target,
    python: Path,
    *,
    pod: Pod,
    log: Path,
    wanted: golden.GoldenSet | None = None,
) -> Service:
    """What Triton would answer, after the release was fetched and verified as a pod's init container does it."""
    del store
    wanted = wanted or golden.load_golden()
    with tempfile.TemporaryDirectory(prefix="seawall-pod-") as made:
        own, models = Path(made) / "pod", Path(made) / "release"
        own.mkdir(mode=0o700)
        models.mkdir()
        repository = fetch_release(release, models, python, identity=target.admit(pod, own), log=log)
        wrong = any(FAULTY in step.read_text(encoding="utf-8") for step in repository.rglob("*.py"))
    latency = golden.Latency(1.0, 1.0, 1.0)
    count = len(wanted.predictions)
    return Service(
        0.1, tuple(golden.GoldenResult(p, count, 0, 0.9 if wrong else 0.0, latency, ()) for p in ("http", "grpc"))
    )


@cache
def _settings(stack: str) -> Settings:
    return Settings.load(stack_file(stack))


@cache
def _python() -> Path:
    return ensure_serving_environment()
