"""Rehearsals on a real control plane: whole stacks pass, and each planted fault fails what it would break."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from common.console import Steps
from components.contracts.serving import PENDING_REQUESTS_METRIC
from localcloud.cluster import NodeGroup, Taint
from ops.plan.planner import plan_stack
from ops.rehearse.model import Report
from ops.rehearse.report import write
from ops.rehearse.run import Plan, rehearse, rehearse_planned
from policies.inventory import Inventory
from stacks.files import is_bootstrap
from stacks.settings import stack_names

# One worker runs them: two control planes at once are slower than one after another, and times are judged.
pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("rehearsal")]

PLATFORMS = [stack for stack in stack_names() if not is_bootstrap(stack)]
PATIENCE_SECONDS = 30.0
Objects = list[dict[str, Any]]


def failed(report: Report) -> dict[str, str]:
    return {check.name: check.seen for check in report.failed}


@pytest.mark.parametrize("stack", PLATFORMS)
def test_every_platform_is_admitted_with_the_rights_and_flows_that_it_needs(stack: str, tmp_path: Path) -> None:
    report = rehearse_planned(stack, tmp_path, Steps(quiet=True), Plan(areas=("admission", "rights", "flows")))
    assert failed(report) == {} and {table.title for table in report.tables} == {"Admission", "Rights", "Flows"}


@pytest.mark.engine
@pytest.mark.parametrize("stack", ["staging-aws", "staging-gcp"])
def test_a_whole_rehearsal_passes_and_leaves_nothing_to_change(stack: str, tmp_path: Path) -> None:
    report = rehearse(stack, tmp_path, Steps(quiet=True), Plan(speed=30))
    paths = write(report, tmp_path)
    assert failed(report) == {} and all(path.stat().st_size for path in paths)
    assert report.checks[-1].name.startswith("a second preview is empty")


# Faults


def item(objects: Objects, kind: str, name: str) -> dict[str, Any]:
    (found,) = (o for o in objects if (o["kind"], o["metadata"]["name"]) == (kind, name))
    return found


def changed(kind: str, name: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Objects], Objects]:
    def apply(objects: Objects) -> Objects:
        planted = copy.deepcopy(objects)
        change(item(planted, kind, name))
        return planted

    return apply


def gpu_groups(**fields: Any) -> Callable[[tuple[NodeGroup, ...]], tuple[NodeGroup, ...]]:
    return lambda groups: tuple(replace(g, **fields) if g.room.gpus else g for g in groups)


def same(groups: tuple[NodeGroup, ...]) -> tuple[NodeGroup, ...]:
    return groups


def no_change(objects: Objects) -> Objects:
    return objects


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


FAULTS = {
    "no spare capacity": (("rollouts",), no_change, gpu_groups(max_nodes=4), "a rollout at the most finishes"),
    "a quota too small": (
        ("placing",),
        changed("ResourceQuota", "gpus", lambda q: q["spec"]["hard"].update({"requests.nvidia.com/gpu": "2"})),
        same,
        "at the most replicas: every pod is placed",
    ),
    "a budget that blocks drains for ever": (
        ("drains",),
        changed("PodDisruptionBudget", "triton", lambda b: b["spec"].update({"maxUnavailable": 0})),
        same,
        "drains end",
    ),
    "a toleration missing": (
        ("placing",),
        no_change,
        gpu_groups(taints=(Taint("team", "research", "NoSchedule"),)),
        "from no GPU machine to the fewest replicas: every pod is placed",
    ),
    "one zone only": (
        ("placing",),
        no_change,
        gpu_groups(zones=("euc1-az1",)),
        "from no GPU machine to the fewest replicas: spread over zones",
    ),
    "the loss of the only zone": (
        ("zones",),
        no_change,
        gpu_groups(zones=("euc1-az1",)),
        "the loss of a zone leaves the fewest replicas running",
    ),
    "a missing permission": (
        ("rights",),
        changed("Role", "prometheus", loses_pods),
        same,
        "every right that a program needs is granted",
    ),
    "a permission too many": (
        ("rights",),
        changed("ClusterRole", "seawall-metrics-reader", gains_secrets),
        same,
        "no account has a right beyond its program's needs",
    ),
    "a policy that selects nothing": (
        ("flows",),
        changed("NetworkPolicy", "triton", selects_nothing),
        same,
        "what must get through does",
    ),
    "a policy that lets the fleet out": (
        ("flows",),
        changed("NetworkPolicy", "triton", lets_out),
        same,
        "what must not get through does not",
    ),
    "a policy that blocks the adapter": (
        ("load",),
        changed("NetworkPolicy", "prometheus", lets_nobody_in),
        same,
        "every measure of every replica reaches the autoscaler",
    ),
    "a service with a wrong selector": (
        ("load",),
        changed("Service", "prometheus-adapter", lambda s: s["spec"].update({"selector": {"app": "nobody"}})),
        same,
        "every measure of every replica reaches the autoscaler",
    ),
}


@pytest.fixture(scope="module")
def staging() -> Inventory:
    """One plan for all faults."""
    return plan_stack("staging-aws")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_fails_what_it_would_break(fault: str, staging: Inventory, tmp_path: Path) -> None:
    areas, change, groups, expected = FAULTS[fault]
    plan = Plan(speed=30, areas=areas, change=change, groups=groups, patience_seconds=PATIENCE_SECONDS)
    report = rehearse_planned("staging-aws", tmp_path, Steps(quiet=True), plan, staging)
    assert expected in failed(report), f"{fault} went unnoticed: {failed(report)}"


def queue_only(objects: Objects) -> Objects:
    planted = copy.deepcopy(objects)
    spec = item(planted, "HorizontalPodAutoscaler", "triton")["spec"]
    spec["metrics"] = [m for m in spec["metrics"] if m["pods"]["metric"]["name"] == PENDING_REQUESTS_METRIC]
    step = [{"type": "Pods", "value": 2, "periodSeconds": 15}]
    spec["behavior"] = {
        "scaleUp": {"stabilizationWindowSeconds": 0, "policies": step},
        "scaleDown": {"stabilizationWindowSeconds": 90, "policies": step},
    }
    return planted


def test_a_queue_only_signal_swings(tmp_path: Path) -> None:
    plan = Plan(speed=30, areas=("load",), change=queue_only, seconds=(300, 3000, 60, 60))
    report = rehearse_planned("prod-aws", tmp_path, Steps(quiet=True), plan)
    assert "steady: does not swing" in failed(report)
