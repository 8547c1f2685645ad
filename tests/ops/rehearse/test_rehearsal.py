"""Rehearsals on a real control plane: whole stacks pass, and each planted fault fails what it would break."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest

from common.console import Steps
from components.contracts.scaling import BUSY_WINDOW_SECONDS
from components.contracts.serving import PENDING_REQUESTS_METRIC
from localcloud.cluster import NodeGroup, Taint
from ops.plan.planner import plan_program
from ops.rehearse import agreement
from ops.rehearse.model import Report
from ops.rehearse.report import write
from ops.rehearse.run import Plan, rehearse, rehearse_planned
from policies.inventory import Inventory
from stacks import programs
from stacks.settings import Settings, stack_file

pytestmark = pytest.mark.cluster

LOAD = pytest.mark.xdist_group("rehearsal-load")
SPEED_OF_PLACING = 60.0
"""Only machines' coming and going is timed by it there."""
SPEED_OF_LOAD = 30.0
PATIENCE_SECONDS = 20.0
"""For what a fault keeps from coming; what may come has the rehearsal's own."""
ANSWER_SECONDS = 10.0
Objects = list[dict[str, Any]]


def failed(report: Report) -> dict[str, str]:
    return {check.name: check.seen for check in report.failed}


@pytest.mark.parametrize("stack", ["dev-aws", "prod-gcp"])
def test_a_platform_is_admitted_with_the_rights_and_flows_that_it_needs(stack: str, tmp_path: Path) -> None:
    report = rehearse_planned(stack, tmp_path, Steps(quiet=True), Plan(areas=("admission", "rights", "flows")))
    assert failed(report) == {} and {table.title for table in report.tables} == {"Admission", "Rights", "Flows"}


@pytest.mark.engine
def test_a_rehearsal_of_a_deployed_stack_leaves_nothing_to_change(tmp_path: Path) -> None:
    areas = ("rollouts", "drains", "zones")
    report = rehearse("dev-gcp", tmp_path, Steps(quiet=True), Plan(speed=SPEED_OF_PLACING, areas=areas))
    paths = write(report, tmp_path)
    assert failed(report) == {} and all(path.stat().st_size for path in paths)
    assert report.checks[-1].name.startswith("a second preview is empty")


def loaded(stack: str, folder: Path, plan: Plan, inventory: Inventory) -> Report:
    """At a lower speed again where the machine was too busy to look once in the autoscaler's measure's window."""
    report = rehearse_planned(stack, folder, Steps(quiet=True), plan, inventory)
    slow = plan.speed
    while not report.ok and report.unseen_seconds > BUSY_WINDOW_SECONDS / 2 and slow > SPEED_OF_LOAD / 4:
        slow /= 2
        again = replace(plan, speed=slow)
        report = rehearse_planned(stack, folder / f"{slow:.0f}", Steps(quiet=True), again, inventory)
    return report


# Faults


def item(objects: Objects, kind: str, name: str, namespace: str = "") -> dict[str, Any]:
    (found,) = (
        o
        for o in objects
        if (o["kind"], o["metadata"]["name"]) == (kind, name) and namespace in ("", o["metadata"].get("namespace"))
    )
    return found


def changed(
    kind: str, name: str, change: Callable[[dict[str, Any]], object], namespace: str = ""
) -> Callable[[Objects], Objects]:
    def apply(objects: Objects) -> Objects:
        planted = copy.deepcopy(objects)
        change(item(planted, kind, name, namespace))
        return planted

    return apply


def gpu_groups(**fields: Any) -> Callable[[tuple[NodeGroup, ...]], tuple[NodeGroup, ...]]:
    return lambda groups: tuple(replace(g, **fields) if g.room.gpus else g for g in groups)


def same(groups: tuple[NodeGroup, ...]) -> tuple[NodeGroup, ...]:
    return groups


def loses_pods(role: dict[str, Any]) -> None:
    role["rules"][0]["resources"] = ["namespaces"]


def gains_secrets(role: dict[str, Any]) -> None:
    role["rules"].append({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]})


def lets_nobody_in(policy: dict[str, Any]) -> None:
    policy["spec"]["ingress"] = []


def selects_nothing(policy: dict[str, Any]) -> None:
    policy["spec"]["podSelector"] = {"matchLabels": {"app.kubernetes.io/name": "tritonn"}}


def lets_out(policy: dict[str, Any]) -> None:
    policy["spec"]["egress"].append({"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]})


def grants_few_gpus(quota: dict[str, Any]) -> None:
    quota["spec"]["hard"]["requests.nvidia.com/gpu"] = "2"


def allows_no_eviction(budget: dict[str, Any]) -> None:
    budget["spec"].update({"maxUnavailable": 0})


def lets_both_stay(budget: dict[str, Any]) -> None:
    budget["spec"].pop("maxUnavailable")
    budget["spec"]["minAvailable"] = 2


def is_alone(deployment: dict[str, Any]) -> None:
    deployment["spec"]["replicas"] = 1


def has_no_priority(deployment: dict[str, Any]) -> None:
    del deployment["spec"]["template"]["spec"]["priorityClassName"]


def asks_for_no_place(deployment: dict[str, Any]) -> None:
    del deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]


def stays_together(deployment: dict[str, Any]) -> None:
    pod = deployment["spec"]["template"]
    del pod["spec"]["topologySpreadConstraints"]
    term = {"labelSelector": {"matchLabels": pod["metadata"]["labels"]}, "topologyKey": "kubernetes.io/hostname"}
    preferred = [{"weight": 100, "podAffinityTerm": term}]
    pod["spec"]["affinity"] = {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}


def leads_nowhere(service: dict[str, Any]) -> None:
    service["spec"].update({"selector": {"app": "nobody"}})


@dataclass(frozen=True)
class Planted:
    """Faults that do not hide one another, and the check that each one fails, with a word of what is seen."""

    areas: tuple[str, ...]
    expected: tuple[tuple[str, str], ...]
    changes: tuple[Callable[[Objects], Objects], ...] = ()
    of_charts: tuple[Callable[[Objects], Objects], ...] = ()
    groups: Callable[[tuple[NodeGroup, ...]], tuple[NodeGroup, ...]] = same

    def change(self, objects: Objects) -> Objects:
        for change in self.changes:
            objects = change(objects)
        return objects

    def change_charts(self, objects: Objects) -> Objects:
        for change in self.of_charts:
            objects = change(objects)
        return objects


UNREAD = "every measure of every replica reaches the autoscaler"
FAULTS = {
    "a missing permission, one too many, a policy that selects nothing, one that lets the fleet out": Planted(
        ("rights", "flows"),
        (
            ("every right that a program needs is granted", "autoscaling-metrics/prometheus: "),
            ("no account has a right beyond its program's needs", "secrets"),
            ("what must get through does", ""),
            ("what must not get through does not", ""),
        ),
        (
            changed("Role", "prometheus", loses_pods, "serving"),
            changed("ClusterRole", "seawall-metrics-reader", gains_secrets),
            changed("NetworkPolicy", "triton", selects_nothing),
            changed("NetworkPolicy", "prometheus-adapter", lets_out),
        ),
    ),
    "no spare capacity": Planted(
        ("rollouts",), (("a rollout at the most finishes", "without a machine"),), groups=gpu_groups(max_nodes=4)
    ),
    "a quota too small": Planted(
        ("placing",),
        (("at the most replicas: every pod is placed", "exceeded quota"),),
        (changed("ResourceQuota", "gpus", grants_few_gpus),),
    ),
    "a toleration missing": Planted(
        ("placing",),
        (("from no GPU machine to the fewest replicas: every pod is placed", "without a machine"),),
        groups=gpu_groups(taints=(Taint("team", "research", "NoSchedule"),)),
    ),
    "one zone only, and a budget that blocks drains for ever": Planted(
        ("placing", "drains", "zones"),
        (
            ("from no GPU machine to the fewest replicas: spread over zones", ""),
            ("drains end", "stuck"),
            ("the loss of a zone leaves the fewest replicas running", "lost"),
        ),
        (changed("PodDisruptionBudget", "tumour-risk", allows_no_eviction),),
        groups=gpu_groups(zones=("euc1-az1",)),
    ),
    "one adapter, Prometheis that nobody may move or that go last, Envoys and their controllers anywhere": Planted(
        ("standing", "drains"),
        (
            ("there are two of what all services depend on", "one only of autoscaling-metrics/prometheus-adapter"),
            ("what all services depend on stands apart", "envoy-gateway-system/envoy-gateway on "),
            ("pods ask for machines and zones apart, each rollout by itself", "envoy-gateway-system/door"),
            ("what all services depend on goes before them", "autoscaling-metrics/prometheus not before the fleet"),
            ("every machine can be drained", "stuck"),
        ),
        (
            changed("Deployment", "prometheus-adapter", is_alone),
            changed("Deployment", "prometheus", has_no_priority),
            changed("PodDisruptionBudget", "prometheus", lets_both_stay),
        ),
        (changed("Deployment", "door", asks_for_no_place), changed("Deployment", "envoy-gateway", stays_together)),
    ),
    "a policy that blocks the adapter": Planted(
        ("load",), ((UNREAD, " of 0 "),), (changed("NetworkPolicy", "prometheus", lets_nobody_in),)
    ),
    "a service with a wrong selector": Planted(
        ("load",), ((UNREAD, " of 0 "),), (changed("Service", "prometheus-adapter", leads_nowhere),)
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_fails_what_it_would_break(
    fault: str, plans: Mapping[str, Inventory], tmp_path: Path
) -> None:
    planted = FAULTS[fault]
    plan = Plan(
        speed=SPEED_OF_PLACING,
        areas=planted.areas,
        change=planted.change,
        change_charts=planted.change_charts,
        groups=planted.groups,
        patience_seconds=Plan.patience_seconds if "load" in planted.areas else PATIENCE_SECONDS,
        answer_seconds=ANSWER_SECONDS,
    )
    found = failed(rehearse_planned("staging-aws", tmp_path, Steps(quiet=True), plan, plans["staging-aws"]))
    unnoticed = [name for name, word in planted.expected if word not in found.get(name, "\0")]
    assert unnoticed == [], found


# Warm replicas

SPEED_OF_STARTS: Final = 20.0
"""At which a machine's start is told from a pod's, on a busy machine too."""
ROOM: Final = 8
"""Machines, so that one can be held beside all that a rollout may have."""


def kept_warm() -> tuple[Settings, Inventory]:
    """A stack that holds a machine ready."""
    values = Settings.load(stack_file("staging-aws")).model_dump(mode="json")
    values["fleet"]["services"]["tumour-risk"] |= {"warm_replicas": 1, "hours": None}
    values["pools"]["gpu"]["max_nodes"] = ROOM
    settings = Settings.parse(values, "staging-aws with a warm replica")
    return settings, plan_program(lambda: programs.export(settings), "staging-aws", settings)


def with_warm(areas: tuple[str, ...], folder: Path, change: Callable[[Objects], Objects] | None = None) -> Report:
    settings, inventory = kept_warm()
    plan = Plan(speed=SPEED_OF_STARTS, areas=areas)
    plan = replace(plan, change=change) if change else plan
    return rehearse_planned("staging-aws", folder, Steps(quiet=True), plan, inventory, settings)


def test_a_warm_replica_gives_way_and_what_all_depends_on_outlives_machines_and_drains(tmp_path: Path) -> None:
    report = with_warm(("standing", "warm", "drains"), tmp_path)
    assert failed(report) == {} and len(report.checks) > 10


def test_a_warm_replica_that_goes_before_nobody_holds_a_machine_against_the_fleet(tmp_path: Path) -> None:
    def as_important(objects: Objects) -> Objects:
        planted = copy.deepcopy(objects)
        item(planted, "Deployment", "tumour-risk-warm")["spec"]["template"]["spec"]["priorityClassName"] = (
            "seawall-serving"
        )
        return planted

    found = failed(with_warm(("standing", "warm"), tmp_path, as_important))
    assert "what holds machines ready does not give way" in found["what all services depend on goes before them"]
    assert "a replica takes the place of a warm one at once" in found


def queue_only(objects: Objects) -> Objects:
    planted = copy.deepcopy(objects)
    spec = item(planted, "HorizontalPodAutoscaler", "tumour-risk")["spec"]
    spec["metrics"] = [m for m in spec["metrics"] if m["pods"]["metric"]["name"] == PENDING_REQUESTS_METRIC]
    step = [{"type": "Pods", "value": 2, "periodSeconds": 15}]
    spec["behavior"] = {
        "scaleUp": {"stabilizationWindowSeconds": 0, "policies": step},
        "scaleDown": {"stabilizationWindowSeconds": 90, "policies": step},
    }
    return planted


@pytest.fixture(scope="module")
def under_load(plans: Mapping[str, Inventory], tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Report]:
    """The stack as it is under a load, and by the queue alone: at the same time, since both mostly wait."""
    own = Plan(speed=SPEED_OF_LOAD, areas=("load",), seconds=(840, 1140, 960, 900))
    queue = replace(own, change=queue_only, seconds=(60, 2400, 30, 30))
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(loaded, "staging-aws", tmp_path_factory.mktemp("own"), own, plans["staging-aws"])
        second = pool.submit(
            rehearse_planned,
            "prod-aws",
            tmp_path_factory.mktemp("queue"),
            Steps(quiet=True),
            queue,
            plans["prod-aws"],
        )
        return first.result(), second.result()


@LOAD
def test_the_real_autoscaler_follows_a_load_with_a_crowd(under_load: tuple[Report, Report]) -> None:
    report, _ = under_load
    assert failed(report) == {}, report.unseen_seconds
    # The judge lets a steady load have a replica too many, which is as many as this stack's crowd gets.
    assert max(s.wanted for s in report.course) > report.course[0].wanted


@LOAD
def test_the_calculation_asks_for_what_the_real_autoscaler_does(under_load: tuple[Report, Report]) -> None:
    """By two specs: the stack's, and one that swings. How near it must be stands in `ops.rehearse.agreement`."""
    found = [check for report in under_load for check in report.checks if check.name == agreement.NAME]
    assert [check.ok for check in found] == [True, True], [check.seen for check in found]


@LOAD
def test_a_queue_only_signal_swings(under_load: tuple[Report, Report]) -> None:
    _, report = under_load
    assert "steady: does not swing" in failed(report), failed(report)
