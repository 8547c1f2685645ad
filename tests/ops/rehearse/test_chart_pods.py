"""What stands for charts in a rehearsal is as large, as many and as movable as the stack's values say."""

from __future__ import annotations

from typing import Any

import pytest

from components.contracts.apart import Apart
from components.kubernetes.rollouts.controller import values
from ops.rehearse.chart_pods import of_charts, of_proxies
from ops.rehearse.laying import planned_objects
from ops.rehearse.run import RELEASE
from ops.rehearse.standing import asks_apart
from policies.inventory import Inventory
from stacks.files import platform_names


def made(inventory: Inventory) -> list[dict[str, Any]]:
    proxies = [item for item in planned_objects(inventory) if item["kind"] == "EnvoyProxy"]
    return [*of_charts(r.inputs for r in inventory.of_type(RELEASE)), *of_proxies(proxies)]


@pytest.mark.parametrize("stack", platform_names())
def test_every_chart_and_door_of_the_stacks_runs_two_that_may_be_moved_one_by_one(
    plans: dict[str, Inventory], stack: str
) -> None:
    objects = made(plans[stack])
    deployments = {o["metadata"]["name"]: o for o in objects if o["kind"] == "Deployment"}
    budgets = [o["spec"] for o in objects if o["kind"] == "PodDisruptionBudget"]
    assert {"envoy-gateway", "door", "cert-manager"} <= set(deployments)
    for name, deployment in deployments.items():
        spec = deployment["spec"]
        assert spec["replicas"] == 2 and spec["template"]["spec"]["priorityClassName"], name
        (budget,) = (b for b in budgets if b["selector"] == spec["selector"])
        assert budget["maxUnavailable"] == 1, name
        hard = not stack.startswith("dev-")  # whose pool keeps one machine
        assert asks_apart(spec["template"]["spec"], hard=True) is hard, name
        assert asks_apart(spec["template"]["spec"], hard=False), name


@pytest.mark.parametrize("machines", [1, 2])
def test_flagger_stands_apart_by_an_affinity_of_ours(machines: int) -> None:
    chart = f"oci://mirror/ghcr.io/fluxcd/charts/flagger@sha256:{'a' * 64}"
    told = values(f"mirror/flagger@sha256:{'a' * 64}", Apart(machines))
    (flagger,) = of_charts([{"chart": chart, "namespace": "flagger-system", "values": told}])
    pod = flagger["spec"]["template"]["spec"]
    assert flagger["spec"]["replicas"] == 2 and asks_apart(pod, hard=False)
    assert asks_apart(pod, hard=True) is (machines == 2)


def test_the_anti_affinity_of_flaggers_own_chart_counts_replaced_replicas_too() -> None:
    chart = f"oci://mirror/ghcr.io/fluxcd/charts/flagger@sha256:{'a' * 64}"
    (flagger,) = of_charts([{"chart": chart, "namespace": "flagger-system", "values": {}}])
    assert not asks_apart(flagger["spec"]["template"]["spec"], hard=False)


def test_a_chart_that_nobody_read_is_refused() -> None:
    chart = f"oci://mirror/charts/mysql@sha256:{'a' * 64}"
    with pytest.raises(LookupError, match="mysql"):
        of_charts([{"chart": chart, "namespace": "default", "values": {}}])


@pytest.mark.parametrize(
    ("pod", "apart"),
    [
        ({}, False),
        ({"topologySpreadConstraints": [{"topologyKey": "kubernetes.io/hostname", "matchLabelKeys": ["x"]}]}, False),
        ({"affinity": {"podAntiAffinity": {}}}, False),
        (
            {
                "topologySpreadConstraints": [
                    {
                        "topologyKey": key,
                        "matchLabelKeys": ["pod-template-hash"],
                        "whenUnsatisfiable": "ScheduleAnyway",
                    }
                    for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
                ]
            },
            True,
        ),
    ],
)
def test_pods_ask_to_stand_apart_by_machine_and_zone_and_each_rollout_by_itself(
    pod: dict[str, Any], apart: bool
) -> None:
    assert asks_apart(pod, hard=False) is apart


@pytest.mark.parametrize(("over", "hard"), [("DoNotSchedule", True), ("ScheduleAnyway", False)])
def test_only_what_waits_for_a_machine_of_its_own_never_shares_one(over: str, hard: bool) -> None:
    spread = Apart(2).manifests({"app": "a"})
    spread[0]["whenUnsatisfiable"] = over
    assert asks_apart({"topologySpreadConstraints": spread}, hard=True) is hard
