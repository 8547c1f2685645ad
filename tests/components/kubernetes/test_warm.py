"""Warm replicas hold machines of a replica's size, give way to replicas, and keep the fleet's hours."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from components.contracts.services import HoursSpec
from components.contracts.vocabulary import Cloud
from tests.stacks.test_fitting import a_service, fleet

HOURS = {"days": ["mon"], "start": "07:00", "end": "20:00", "time_zone": "Europe/Berlin"}
WARM = "tumour-risk-warm"


@pytest.fixture
def warm(lay_down: Any, cloud: Cloud) -> Any:
    """A development stack that keeps a machine ready."""
    return lay_down(
        cloud, environment="dev", service={"warm_replicas": 1, "max_replicas": 1, "min_replicas": 1, "hours": None}
    )


def mib(quantity: str) -> int:
    """A quantity of memory."""
    return int(quantity[:-2]) * (1024 if quantity.endswith("Gi") else 1)


def test_a_warm_replica_is_as_large_as_a_replica_and_lies_where_one_could(warm: Any) -> None:
    held, serves = warm.pods()[WARM]["spec"], warm.pods()["tumour-risk"]["spec"]
    mine, theirs = (pod["containers"][0]["resources"]["requests"] for pod in (held, serves))
    assert mine["nvidia.com/gpu"] == theirs["nvidia.com/gpu"]
    assert int(mine["cpu"].removesuffix("m")) >= 1000 * int(theirs["cpu"])
    assert all(mib(mine[key]) >= mib(theirs[key]) for key in ("memory", "ephemeral-storage"))
    for key in ("nodeSelector", "tolerations"):
        assert held[key] == serves[key]
    assert held["containers"][0]["image"] == serves["containers"][0]["image"], "so that it lies on the disk"
    assert warm.one("Deployment", WARM)["spec"]["replicas"] == 1


def test_a_warm_replica_gives_way_at_once_and_still_asks_for_machines(warm: Any) -> None:
    value = {each["metadata"]["name"]: each["value"] for each in warm.of("PriorityClass")}
    held, serves = warm.pods()[WARM]["spec"], warm.pods()["tumour-risk"]["spec"]
    assert -10 <= value[held["priorityClassName"]] < 0 < value[serves["priorityClassName"]]
    assert held["terminationGracePeriodSeconds"] == 0


def test_no_service_and_no_policy_of_the_fleet_selects_a_warm_replica(warm: Any) -> None:
    labels = warm.pods()[WARM]["metadata"]["labels"]
    selectors = [each["spec"]["selector"] for each in warm.of("Service") if each["spec"].get("selector")]
    selectors += [each["spec"]["selector"]["matchLabels"] for each in warm.of("PodDisruptionBudget")]
    policies = [each["spec"]["podSelector"].get("matchLabels") for each in warm.of("NetworkPolicy")]
    found = [each for each in (*selectors, *policies) if each and each.items() <= labels.items()]
    assert not found, "the ground state of its namespace is all that it has"


def test_hours_let_machines_that_stand_ready_go(lay_down: Any, cloud: Cloud) -> None:
    kept = lay_down(
        cloud, environment="dev", service={"warm_replicas": 1, "max_replicas": 1, "min_replicas": 1, "hours": HOURS}
    )
    assert {job["metadata"]["name"] for job in kept.of("CronJob")} >= {f"{WARM}-starts", f"{WARM}-stops"}
    assert WARM in kept.one("Role", "fleet-hours")["rules"][0]["resourceNames"]
    assert "replicas" not in kept.one("Deployment", WARM)["spec"], "a preview would show it as drift"


def test_a_fleet_without_warm_replicas_has_no_such_pods(manifests: Any) -> None:
    assert WARM not in manifests.pods()
    assert "seawall-warm" not in {each["metadata"]["name"] for each in manifests.of("PriorityClass")}


def test_every_priority_class_that_a_pod_names_is_there(warm: Any) -> None:
    there = {each["metadata"]["name"] for each in warm.of("PriorityClass")} | {"system-cluster-critical"}
    for owner, pod in warm.pods().items():
        assert pod["spec"].get("priorityClassName", "") in {*there, ""}, owner


@pytest.mark.parametrize("app", ["prometheus", "prometheus-adapter"])
def test_what_all_services_grow_by_outlives_one_machine(manifests: Any, app: str) -> None:
    assert manifests.one("Deployment", app)["spec"]["replicas"] == 2
    assert manifests.one("PodDisruptionBudget", app)["spec"]["maxUnavailable"] == 1
    assert manifests.pods()[app]["spec"]["priorityClassName"] == "seawall-essential"


def test_an_adapter_stays_with_one_prometheus_which_has_a_whole_window(manifests: Any) -> None:
    assert manifests.one("Service", "prometheus")["spec"]["sessionAffinity"] == "ClientIP"
    assert manifests.container("prometheus")["readinessProbe"]["initialDelaySeconds"] >= 60


def test_the_node_autoscaler_has_a_second_that_takes_over(aws_manifests: Any) -> None:
    [found] = [each for each in aws_manifests.of("Deployment") if "cluster-autoscaler" in each["metadata"]["name"]]
    assert found["spec"]["replicas"] == 2


@pytest.mark.parametrize("suffix", ["primary", "canary", "warm", "grpc", "recorder", "weights"])
def test_a_service_that_is_called_as_what_stands_beside_another_is_refused(suffix: str) -> None:
    with pytest.raises(ValidationError, match=f"a service is called risk-{suffix}"):
        fleet(**{"risk": a_service(), f"risk-{suffix}": a_service()})


def test_a_service_that_is_called_as_the_door_is_refused() -> None:
    with pytest.raises(ValidationError, match="a service is called door"):
        fleet(risk=a_service(), door=a_service())


def test_hours_beside_a_canary_are_refused() -> None:
    hours = HoursSpec(start="07:00", end="20:00", time_zone="Europe/Berlin")
    with pytest.raises(ValidationError, match="hours beside canary"):
        a_service(min_replicas=1, max_replicas=3, hours=hours, traffic={"strategy": "canary"})
