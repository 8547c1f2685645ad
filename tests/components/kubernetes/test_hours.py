"""A fleet with hours: who stops it, who starts it, and what that may do besides."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from components.contracts.services import HoursSpec
from components.contracts.vocabulary import Cloud
from components.kubernetes.hours import schedule

HOURS = {"days": ["mon", "fri"], "start": "07:05", "end": "20:00", "time_zone": "Europe/Berlin"}


@pytest.fixture
def kept(lay_down: Any, cloud: Cloud) -> Any:
    """A development stack with hours."""
    return lay_down(cloud, environment="dev", service={"hours": HOURS})


def test_the_fleet_stops_and_starts_by_the_clock_of_its_zone(kept: Any) -> None:
    jobs = {job["metadata"]["name"]: job["spec"] for job in kept.of("CronJob")}
    assert {name: (spec["schedule"], spec["timeZone"]) for name, spec in jobs.items()} == {
        "tumour-risk-starts": ("5 7 * * MON,FRI", "Europe/Berlin"),
        "tumour-risk-stops": ("0 20 * * MON,FRI", "Europe/Berlin"),
    }


def test_it_stops_at_no_replica_and_starts_at_its_fewest(kept: Any) -> None:
    asked = {
        job["metadata"]["name"]: job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["args"][:3]
        for job in kept.of("CronJob")
    }
    least = kept.service["min_replicas"]
    assert asked == {
        "tumour-risk-starts": ["scale", "deployment/tumour-risk", f"--replicas={least}"],
        "tumour-risk-stops": ["scale", "deployment/tumour-risk", "--replicas=0"],
    }
    assert "replicas" not in kept.one("Deployment", "tumour-risk")["spec"], "a preview would show it as drift"


def test_its_account_may_scale_the_fleet_and_nothing_else(kept: Any) -> None:
    rules = kept.one("Role", "fleet-hours")["rules"]
    assert all(rule["resourceNames"] == ["tumour-risk"] and rule["apiGroups"] == ["apps"] for rule in rules)
    granted = {(resource, verb) for rule in rules for resource in rule["resources"] for verb in rule["verbs"]}
    assert granted == {("deployments", "get"), *(("deployments/scale", verb) for verb in ("get", "patch", "update"))}


def test_a_fleet_without_hours_has_no_jobs(manifests: Any) -> None:
    assert not manifests.of("CronJob")


def test_a_schedule_is_of_the_days_that_are_named() -> None:
    hours = HoursSpec(days=("sat",), start="00:00", end="23:59", time_zone="Europe/Berlin")
    assert (schedule(hours.start, hours), schedule(hours.end, hours)) == ("0 0 * * SAT", "59 23 * * SAT")


def test_each_day_is_named_once() -> None:
    with pytest.raises(ValidationError, match="one of them twice"):
        HoursSpec.model_validate_json(json.dumps({**HOURS, "days": ["mon", "mon"]}))
