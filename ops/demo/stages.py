"""The demo's steps, one function each: they act through the other areas' own functions and gather facts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from components.contracts.vocabulary import Cloud
from localcloud.front import (
    TritonServer,
    ensure_engine,
    ensure_fake_gcs_server,
    ensure_redis_server,
    ensure_serving_environment,
)
from ops.check.command import check_inventories, load_waivers
from ops.check.report import CheckReport
from ops.demo import facts, leftovers, wording
from ops.demo.board import Board, Stage
from ops.demo.folders import Home, ReportFolder
from ops.demo.model import Drill, Policies, Predictions, Preview, Problem, Release, Resources, Result
from ops.deployed import open_bucket, read_outputs
from ops.drill.evidence import default_key_file, signed, signing_key, write
from ops.drill.local import drill_session
from ops.drill.protocol import commit
from ops.local.session import LocalCloud, open_local
from ops.models import releases
from ops.models.command import default_repository
from ops.plan.diagram import draw
from ops.plan.planner import plan_stack
from ops.serving import golden
from ops.serving.features import cache_from_outputs, load_rows, serving_variables, write_rows
from policies import waivers as waiving
from policies.inventory import Inventory
from stacks.outputs import StackOutputs
from stacks.settings import Settings

Act = Callable[["Demo", Stage], None]


@dataclass
class Demo:
    """One run: where it works, what it holds open, and what it has found out so far."""

    demo_id: str
    settings: Settings
    home: Home
    report: ReportFolder
    board: Board
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    versions: dict[str, str] = field(default_factory=dict)
    diagram: str = ""
    resources: Resources | None = None
    policies: Policies | None = None
    preview: Preview | None = None
    release: Release | None = None
    ready_s: float | None = None
    predictions: tuple[Predictions, ...] = ()
    drill: Drill | None = None
    problem: Problem | None = None
    interrupted: bool = False
    _session: AbstractContextManager[LocalCloud] | None = None
    _local: LocalCloud | None = None
    _inventory: Inventory | None = None
    _verdict: CheckReport | None = None
    _python: Path | None = None
    _outputs: StackOutputs | None = None

    @property
    def stack(self) -> str:
        """Such as `dev-aws`."""
        return self.settings.place.stack

    def result(self) -> Result:
        """All that is known now."""
        place = self.settings.place
        return Result(
            demo_id=self.demo_id,
            stack=place.stack,
            cloud=str(self.settings.cloud),
            region=place.region,
            backup_region=place.backup_region,
            commit=commit(),
            started=self.started,
            seconds=round((datetime.now(UTC) - self.started).total_seconds(), 1),
            versions=self.versions,
            steps=tuple(self.board.steps),
            resources=self.resources,
            policies=self.policies,
            preview=self.preview,
            release=self.release,
            ready_s=self.ready_s,
            predictions=self.predictions,
            drill=self.drill,
            problem=self.problem,
            interrupted=self.interrupted,
        )

    @property
    def local(self) -> LocalCloud:
        """The local cloud's session; there is one from `bring_up` on."""
        assert self._local is not None, "the stack is not up"  # noqa: S101
        return self._local

    @property
    def outputs(self) -> StackOutputs:
        """The deployed stack's outputs; there are some from `bring_up` on."""
        assert self._outputs is not None, "the stack is not up"  # noqa: S101
        return self._outputs

    @property
    def python(self) -> Path:
        """The serving environment's interpreter; there is one from `prepare` on."""
        assert self._python is not None, "the tools are not ready"  # noqa: S101
        return self._python

    def prepare(self, stage: Stage) -> None:
        """Find, download or build what the demo runs."""
        signing_key(default_key_file())
        engine = ensure_engine(self.board)
        self.versions["pulumi"] = engine.version
        self._python = ensure_serving_environment(self.board)
        if self.settings.cloud is Cloud.GCP:
            ensure_fake_gcs_server(self.board)
            ensure_redis_server(self.board)
        stage.told = f"Pulumi {engine.version} ({engine.origin})"

    def judge(self, stage: Stage) -> None:
        """Plan the stack offline, and judge the plan."""
        with self.board.step("plan offline"):
            inventory = self._inventory = plan_stack(self.stack)
        self._verdict = check_inventories([inventory], load_waivers(waiving.DEFAULT_FILE), date.today())
        self.policies = facts.policies_of(self._verdict)
        self.diagram = draw(inventory)
        self.report.write("plan.json", inventory.to_json())
        self.report.write("policies.json", self._verdict.to_json())
        self.report.write("diagram.svg", self.diagram)
        stage.told = wording.policies_told(self.policies)
        stage.findings = facts.policy_findings(self.policies)

    def bring_up(self, stage: Stage) -> None:
        """Start the local cloud, and have the engine deploy the stack."""
        assert self._inventory is not None  # noqa: S101
        session = open_local(self.stack, self.board, home=self.home.path, keep=False)
        self._local = session.__enter__()
        self._session = session
        self.local.up()
        self._outputs = read_outputs(self.stack, self.local.outputs(), "local")
        self.resources = facts.resources_of(self._inventory, (r.urn for r in self.local.resources()))
        stage.told = wording.resources_told(self.resources)
        stage.findings = facts.resource_findings(self.resources)

    def preview_again(self, stage: Stage) -> None:
        """Preview the deployed stack with the policy pack in the engine: nothing to do, and the same verdicts."""
        assert self._verdict is not None and self.policies is not None  # noqa: S101
        judged = self.local.judged_preview(self.home.path / "pack")
        self.preview = Preview(judged.outcome.counts.get("same", 0), facts.changes_told(judged.outcome.changes))
        self.policies = facts.with_engine(self.policies, self._verdict, judged.verdict)
        stage.told = f"{wording.preview_told(self.preview).partition(';')[0]}; {wording.engine_told(self.policies)}"
        stage.findings = (*facts.preview_findings(self.preview), *facts.engine_findings(self.policies))

    def refresh(self, stage: Stage) -> None:
        """Compare the state with the cloud."""
        assert self.preview is not None  # noqa: S101
        drift = facts.changes_told(self.local.refresh().changes)
        self.preview = Preview(self.preview.unchanged, self.preview.changes, drift)
        stage.told = f"{len(drift)} resources drifted" if drift else "no drift"
        stage.findings = facts.drift_findings(self.preview)

    def publish(self, stage: Stage) -> None:
        """Publish the model release that the fleet names, and write the features that it looks up."""
        version = self.outputs.fleet.model_release
        target, cache = self.local.target, cache_from_outputs(self.outputs)
        with self.board.step(f"publish {version}"):
            bucket = open_bucket(self.outputs.model_bucket, target)
            done = releases.publish(bucket, default_repository(), version)
        with self.board.step("write features"):
            rows = write_rows(cache, target, load_rows(), self.outputs.features.entry_ttl_hours)
        self.release = Release(
            done.version, done.uri, done.files, done.size, done.manifest_sha256, rows, f"{cache.kind} {cache.name}"
        )
        stage.told = f"{version}: {done.files} files, {wording.size(done.size)}; {rows} feature rows"

    def predict(self, stage: Stage) -> None:
        """Serve the release with Triton, and ask for the golden predictions over both protocols."""
        assert self.release is not None  # noqa: S101
        target, asked = self.local.target, facts.repeated(golden.load_golden())
        with ExitStack() as serving:
            variables = serving.enter_context(serving_variables(cache_from_outputs(self.outputs), target))
            server = TritonServer(
                self.release.uri,
                self.python,
                target,
                variables,
                log=self.report.logs / "triton-before.log",
                region=self.outputs.region,
            )
            with self.board.step("start Triton on the release"):
                serving.enter_context(server)
            self.ready_s = round(server.ready_after_s, 3)
            with self.board.step("ask over HTTP"):
                http = golden.judge("http", asked, golden.ask_http(server.http_url, asked))
            with self.board.step("ask over gRPC"):
                grpc = golden.judge("grpc", asked, golden.ask_grpc(server.grpc_address, asked, self.python))
        self.predictions = tuple(facts.predictions_of("before", result) for result in (http, grpc))
        stage.told = wording.predictions_told(self.predictions)
        stage.findings = facts.prediction_findings(self.predictions)

    def lose_and_restore(self, stage: Stage) -> None:
        """Drill: lose the primary region, restore in the other one, predict again, and sign the evidence."""
        evidence = drill_session(self.local, self.report.logs, self.board, self.outputs)
        document = signed(evidence, signing_key(default_key_file()))
        evidence_json, evidence_markdown = write(document, self.report.path)
        self.drill = facts.drill_of(document, evidence_json.name, evidence_markdown.name)
        after = tuple(facts.predictions_of("after", probe) for probe in document.get("app_probe", ()))
        self.predictions += after
        stage.told = wording.drill_told(self.drill)
        stage.findings = facts.drill_findings(self.drill)

    def tear_down(self, stage: Stage) -> None:
        """Stop everything, remove the private folder, and make sure that nothing is left."""
        stage.findings = self.wind_up(keep_logs=any(step.findings for step in self.board.steps))
        stage.told = "no process and no folder left" if not stage.findings else ""

    def wind_up(self, *, keep_logs: bool) -> tuple[str, ...]:
        """Leave nothing behind, however far the demo came; safe to call twice. Returns what had to be forced."""
        try:
            self.close()
        finally:
            left = leftovers.await_none()
            leftovers.end(left)
            if keep_logs:
                self.report.keep(self.home.logs())
            removed = self.home.remove()
        findings = [f"still running, and killed now: {leftovers.told(left)}"] if left else []
        if not removed:
            findings.append(f"could not be removed: {self.home.path}")
        return tuple(findings)

    def close(self) -> None:
        """Stop the local cloud, if it runs; safe to call twice."""
        session, self._session = self._session, None
        if session is not None:
            session.__exit__(None, None, None)


STAGES: Final[tuple[tuple[str, str, Act], ...]] = (
    ("tools", "Engine and tools ready", Demo.prepare),
    ("policies", "Policy verdict on the plan", Demo.judge),
    ("up", "Bring the stack up", Demo.bring_up),
    ("preview", "Second preview is empty", Demo.preview_again),
    ("refresh", "Refresh finds no drift", Demo.refresh),
    ("publish", "Publish the model and features", Demo.publish),
    ("predict", "Serve and predict", Demo.predict),
    ("drill", "Lose the region, restore, predict", Demo.lose_and_restore),
    ("teardown", "Tear down", Demo.tear_down),
)
"""Key, title and action of each step, in their order."""
