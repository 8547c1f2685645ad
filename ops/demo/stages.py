"""The demo's steps, one function each: they act through the other areas' own functions and keep what those return."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, TypeVar

from rich.filesize import decimal

from common.attestation.signers import default_key, open_signer
from common.errors import UserError
from common.target import Pod
from components.contracts.vocabulary import Cloud
from localcloud.front import Release, ensure_engine, ensure_envoy, ensure_redis_server, ensure_serving_environment
from ops.check.command import check_inventories, load_waivers
from ops.check.report import CheckReport
from ops.demo import leftovers, words
from ops.demo.board import Board
from ops.demo.folders import Home, ReportFolder
from ops.demo.model import Result, Step
from ops.deployed import open_bucket, read_outputs
from ops.drill.evidence import signed, write
from ops.drill.local import drill_session
from ops.drill.reading import objectives, restored
from ops.features.loads import load
from ops.features.rows import load_rows
from ops.features.store import FeatureStore
from ops.local.session import Deployed, LocalCloud, open_local
from ops.models.command import default_repository
from ops.models.publishing import publish_signed
from ops.plan.diagram import draw
from ops.plan.planner import plan_stack
from ops.rollouts.tools import make_ready
from ops.serving.golden import GoldenResult
from ops.serving.service import serve
from policies import waivers as waiving
from policies.inventory import Inventory
from policies.model import Verdict
from policies.rules import RULES
from stacks.outputs import StackOutputs

_T = TypeVar("_T")


@dataclass
class Demo:
    """One run: where it works, what it holds open, and what it has found out so far."""

    result: Result
    home: Home
    report: ReportFolder
    board: Board
    local: LocalCloud = field(init=False)
    """From `bring_up` on."""
    outputs: StackOutputs = field(init=False)
    """The stack's, from `bring_up` on."""
    opened: ExitStack = field(default_factory=ExitStack)
    end_leftovers: Callable[[], tuple[str, ...]] = leftovers.end_all

    @property
    def stack(self) -> str:
        """Such as `dev-aws`."""
        return self.result.place.stack

    def wind_up(self, *, keep_logs: bool) -> tuple[str, ...]:
        """Leave nothing behind, however far the demo came; safe to call twice. Returns what had to be forced."""
        try:
            self.opened.close()
        finally:
            left = self.end_leftovers()
            if keep_logs:
                self.report.keep(self.home.logs())
            removed = self.home.remove()
        killed = (f"still running, and killed now: {', '.join(left)}",) if left else ()
        return killed if removed else (*killed, f"could not be removed: {self.home.path}")


def prepare(demo: Demo, step: Step) -> None:
    """Find, download or build what the demo runs."""
    open_signer(default_key())
    engine = ensure_engine(demo.board)
    make_ready(demo.board)
    ensure_serving_environment(demo.board)
    ensure_envoy(demo.board)
    if demo.result.place.cloud is Cloud.GCP:
        ensure_redis_server(demo.board)
    step.result = f"Pulumi {engine.version} ({engine.origin})"


def judge(demo: Demo, step: Step) -> None:
    """Plan the stack offline, and judge the plan."""
    with demo.board.step("plan offline"):
        inventory = demo.result.inventory = plan_stack(demo.stack)
    check = demo.result.check = check_inventories([inventory], load_waivers(waiving.DEFAULT_FILE), date.today())
    demo.report.write("plan.json", inventory.to_json())
    demo.report.write("policies.json", check.to_json())
    demo.report.write("diagram.svg", draw(inventory))
    (verdict,) = check.verdicts
    passing, failing, *others = (f"{n} {kind.replace('_', ' ')}" for kind, n in verdict.counts.items())
    step.result = f"{passing}, {failing}; {len(RULES)} rules, {', '.join(others)}"
    step.findings = (
        *(f"policy {f.rule.id} ({f.rule.severity}) on {f.name}: {f.reason}" for f in verdict.violations),
        *(
            f"waiver of {p.waiver.rule} for {p.waiver.resource} ({p.waiver.where}): {p.problem}"
            for p in (*verdict.waived.problems, *check.stray_waivers)
        ),
    )


def bring_up(demo: Demo, step: Step) -> None:
    """Start the local cloud, and have the engine deploy the stack."""
    inventory = _known(demo.result.inventory)
    local = demo.local = demo.opened.enter_context(
        open_local(demo.stack, demo.board, home=demo.home.path, keep=False)
    )
    local.up()
    demo.outputs = read_outputs(demo.stack, local.outputs(), "local")
    deployed = [each for each in local.resources() if each.type != "pulumi:pulumi:Stack"]
    step.findings = strays(inventory, deployed)
    step.result = (
        f"{len(deployed)} deployed, {'not ' if step.findings else ''}as planned; "
        f"in {sum(not r.custom for r in inventory.resources)} components, "
        f"{sum(r.protect for r in inventory.resources)} protected"
    )


def preview_again(demo: Demo, step: Step) -> None:
    """Preview the deployed stack with the policy pack in the engine: nothing to do, and the same verdicts."""
    judged = demo.local.judged_preview(demo.home.path / "pack")
    changes, differ = judged.outcome.changes, other_verdicts(_known(demo.result.check), judged.verdict["findings"])
    again, verdicts = f"{len(changes)} changes" if changes else "empty", "other" if differ else "same"
    unchanged = f"{judged.outcome.counts.get('same', 0)} unchanged, judged offline and in the engine"
    step.result = f"{again}, {verdicts} verdicts; {unchanged}"
    step.findings = (*_one("the second preview is not empty", changes), *_one("the engine judges otherwise", differ))


def refresh(demo: Demo, step: Step) -> None:
    """Compare the state with the cloud."""
    drift = demo.local.refresh().changes
    step.result = f"{len(drift)} resources drifted" if drift else "no drift"
    step.findings = _one("drift", drift)


def publish(demo: Demo, step: Step) -> None:
    """Publish the release that the service which is asked serves, and write the features that it looks up."""
    version, target = demo.outputs.fleet.drilled.model_release, demo.local.target
    with demo.board.step(f"publish {version}"):
        bucket = open_bucket(demo.outputs.model_bucket, target)
        done = demo.result.published = publish_signed(bucket, default_repository(), version, target)
    with demo.board.step("write features"):
        ttl_hours = demo.outputs.feature_store.entry_ttl_hours
        rows = load(FeatureStore.of(demo.outputs), target, load_rows(), ttl_hours)
    step.result = f"{version}, {rows} feature rows; {done.files} files, {decimal(done.size)}, {done.uri}"


def predict(demo: Demo, step: Step) -> None:
    """Serve the release with Triton, and ask for the golden predictions over both protocols."""
    fleet, pod = demo.outputs.fleet.drilled, demo.outputs.identities.fleet
    served = demo.result.served = serve(
        Release(_known(demo.result.published).uri, fleet.manifest_sha256, demo.outputs.region, fleet.signers),
        FeatureStore.of(demo.outputs),
        demo.local.target,
        ensure_serving_environment(),
        pod=Pod(pod.namespace, pod.service_account, pod.principal),
        log=demo.report.logs / "triton-before.log",
        step=demo.board.step,
    )
    step.result = f"{words.golden(served.results)} golden; Triton was ready after {words.duration(served.ready_s)}"
    step.findings = wrong_answers(served.results)


def roll_out(demo: Demo, step: Step) -> None:
    """Release something bad to a service under load, and see that it is taken back without a person."""
    from ops.rollouts.picture import picture
    from ops.rollouts.run import take_back

    folder = demo.home.path / "rollout"
    folder.mkdir()
    record = demo.result.rollout = take_back(folder, demo.board)
    demo.report.write("rollout.json", record.to_json())
    demo.report.write("rollout.svg", picture([record]))
    step.result = (
        f"{record.verdict} after {words.duration(record.seconds)}; never above {record.heaviest} % of requests, "
        f"{record.failed + record.wrong} of {record.requests} requests met it, "
        f"{record.after_failed + record.after_wrong} of {record.after_requests} after"
    )
    step.findings = (
        *_one(f"a release whose fault is that it is {record.fault} was {record.verdict}", record.reasons or ["?"])
        * (record.verdict != "rolled back"),
        *_one("failed after the verdict", [str(record.after_failed)]) * bool(record.after_failed),
    )


def drain(demo: Demo, step: Step) -> None:
    """Take one of two servers away under load, as Kubernetes would with the stack's settings."""
    from ops.drain.short import drain_shortly  # with it comes Triton

    ends = pod_ends(_known(demo.result.inventory))
    record = demo.result.drained = drain_shortly(
        default_repository(), ensure_serving_environment(), *ends, logs=demo.report.logs, step=demo.board.step
    )
    step.result = words.drained(record)
    step.findings = (
        (
            f"{record.failed} of {record.requests} requests failed while a server was drained: "
            + words.some([*record.http.reasons, *record.grpc.reasons]),
        )
        if record.failed
        else ()
    )


def pod_ends(inventory: Inventory) -> tuple[int, int]:
    """Seconds of the preStop hook, and those that Triton waits for requests in flight, as the plan has them.

    Raises:
        UserError: no server of the plan has both: its pods would be ended under their requests.
    """
    for resource in inventory.resources:
        if resource.type != "kubernetes:apps/v1:Deployment":
            continue
        for container in resource.inputs["spec"]["template"]["spec"]["containers"]:
            told = [*container.get("command", ()), *container.get("args", ())]
            timeouts = [int(each.partition("=")[2]) for each in told if str(each).startswith("--exit-timeout-secs=")]
            waits = _hook_seconds(container.get("lifecycle", {}).get("preStop", {}))
            if timeouts and waits is not None:
                return waits, timeouts[0]
    raise UserError(
        "no server of the plan has a preStop hook that sleeps and an exit timeout",
        inventory.stack,
        "Give the fleet's Deployment both.",
    )


def _hook_seconds(hook: Mapping[str, Any]) -> int | None:
    """How long a preStop hook waits, by the kubelet's own sleep or by a program's."""
    if "sleep" in hook:
        return int(hook["sleep"]["seconds"])
    found = re.search(r"time\.sleep\((\d+)\)", " ".join(hook.get("exec", {}).get("command", ())))
    return int(found[1]) if found else None


def lose_and_restore(demo: Demo, step: Step) -> None:
    """Drill: lose the primary region, restore in the other one, predict again, and sign the evidence."""
    result = demo.result
    drill = result.drill = drill_session(demo.local, demo.report.logs, demo.board, demo.outputs)
    signing = open_signer(default_key())
    evidence_json, evidence_markdown = write(signed(drill, signing), drill, signing.name, demo.report.path)
    result.evidence, result.signer = (evidence_json.name, evidence_markdown.name), signing.name
    met = {each.name: each for each in objectives(drill)}
    found = f"{sum(c['detected'] for c in drill['controls'])} of {len(drill['controls'])} planted faults found"
    told = [
        drill["verdict"] + (f", RTO {words.duration(met['RTO'].measured_s)}" if "RTO" in met else ""),
        ", ".join(
            filter(None, (restored(drill), found, f"{drill['source']['region']} → {drill['target']['region']}"))
        ),
        *(f"{name} {words.objective(each)} ({drill['mode']})" for name, each in met.items()),
    ]
    step.result = "; ".join(told)
    step.findings = tuple(f"the restore is not proven: {finding}" for finding in drill["findings"])


def tear_down(demo: Demo, step: Step) -> None:
    """Stop everything, remove the private folder, and make sure that nothing is left."""
    step.findings = demo.wind_up(keep_logs=bool(demo.result.findings))
    step.result = "" if step.findings else "nothing is left running"


def strays(inventory: Inventory, deployed: Iterable[Deployed]) -> tuple[str, ...]:
    """Where the engine deployed something else than was planned."""
    planned, there = set(inventory.by_urn), {resource.urn for resource in deployed}
    return (
        *_one("planned and not deployed", sorted(map(_name, planned - there))),
        *_one("deployed and not planned", sorted(map(_name, there - planned))),
    )


def other_verdicts(check: CheckReport, engine: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Verdicts on the one stack of `check` that the same rules give otherwise in the engine.

    What was unknown offline may be known to an engine that deployed it: a pass there is no difference.
    """
    (verdict,) = check.verdicts
    offline = {finding.key: str(finding.verdict) for finding in verdict.findings}
    online = {(f["rule"], f["urn"]): str(f["verdict"]) for f in engine}
    return tuple(
        f"{rule} on {_name(urn) or 'the stack'}: {mine or 'no verdict'} offline, {its or 'no verdict'} in the engine"
        for rule, urn in sorted({*offline, *online})
        if (mine := offline.get((rule, urn))) != (its := online.get((rule, urn)))
        and (mine, its) != (Verdict.UNKNOWN, Verdict.PASS)
    )


def wrong_answers(results: Iterable[GoldenResult]) -> tuple[str, ...]:
    """Which protocol did not give the golden answers, with examples."""
    return tuple(
        f"{words.PROTOCOLS[each.protocol]}: {words.golden([each])} answers are golden: "
        + words.some([f"{m.entity_id}: {m.reason}" for m in each.mismatches])
        for each in results
        if not each.passed
    )


def _one(what: str, items: Sequence[object]) -> tuple[str, ...]:
    """One finding with its first examples; none without any."""
    return (f"{what}: {words.some([str(item) for item in items])}",) if items else ()


def _name(urn: str) -> str:
    return urn.rsplit("::", 1)[-1]


def _known(value: _T | None) -> _T:
    """What an earlier step found."""
    if value is None:
        raise AssertionError("the steps run in their order")
    return value


Act = Callable[[Demo, Step], None]
STAGES: Final[tuple[tuple[str, str, Act], ...]] = (
    ("tools", "Engine and tools ready", prepare),
    ("policies", "Policy verdict on the plan", judge),
    ("resources", "Bring the stack up", bring_up),
    ("preview", "Second preview is empty", preview_again),
    ("drift", "Refresh finds no drift", refresh),
    ("model", "Publish the model and features", publish),
    ("predictions", "Serve and predict", predict),
    ("rollout", "Take a bad release back by itself", roll_out),
    ("drain", "Drain a server under load", drain),
    ("restore", "Lose the region, restore, predict", lose_and_restore),
    ("cleanup", "Tear down", tear_down),
)
"""Key, title and action of each step, in their order."""
