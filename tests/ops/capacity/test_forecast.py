"""Whole forecasts of a committed stack."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from common.errors import UserError
from components.contracts.scaling import replica_start_seconds, shrink_after_seconds
from ops.capacity.forecast import Forecast, forecast, judged, remedy
from ops.capacity.report import picture, text
from ops.capacity.service import Service, scalers_of, service_of
from ops.cli import build_app
from ops.plan.planner import plan_stack
from policies.inventory import Inventory
from stacks.settings import Settings, stack_file

STACK = "prod-aws"


@pytest.fixture(scope="module")
def inventory() -> Inventory:
    return plan_stack(STACK)


@pytest.fixture(scope="module")
def service(inventory: Inventory) -> Service:
    return service_of(inventory, Settings.load(stack_file(STACK)), None)


@pytest.fixture(scope="module")
def crowd(service: Service) -> Forecast:
    return forecast(service, "flash-crowd")


def test_what_decides_is_the_plans_and_the_settings(service: Service) -> None:
    asked = Settings.load(stack_file(STACK)).fleet.services["tumour-risk"]
    scaler = service.scaler
    assert (scaler.least, scaler.most) == (asked.min_replicas, asked.max_replicas)
    assert sorted(scaler.targets.values()) == sorted(
        [asked.scaling.busy_requests_milli, 1000 * asked.scaling.pending_requests]
    )
    assert scaler.down.window_seconds == shrink_after_seconds(asked.scaling, asked.repository_gib)


def test_a_changed_plan_changes_the_forecast(inventory: Inventory, crowd: Forecast) -> None:
    def planned(resource: Any) -> Any:
        if not resource.type.endswith(":HorizontalPodAutoscaler"):
            return resource
        spec = {**resource.inputs["spec"], "maxReplicas": 4}
        return replace(resource, inputs={**resource.inputs, "spec": spec})

    changed = replace(inventory, resources=tuple(map(planned, inventory.resources)))
    told = forecast(service_of(changed, Settings.load(stack_file(STACK)), None), "diurnal", peak_rps=600)
    assert max(m.wanted for m in told.result.moments) == 4 < max(m.wanted for m in crowd.result.moments)


def test_the_same_question_has_the_same_answer(service: Service, crowd: Forecast) -> None:
    assert forecast(service, "flash-crowd").to_json() == crowd.to_json()


def test_a_crowd_is_served_once_machines_have_started(crowd: Forecast) -> None:
    begins = dict(crowd.phases())
    asked = next(m.at for m in crowd.result.moments if m.wanted > crowd.service.scaler.least)
    served = next(m.at for m in crowd.result.moments if m.ready > crowd.service.scaler.least)
    start = replica_start_seconds(crowd.service.hosting.repository_gib)
    assert begins["rise"] <= asked <= begins["rise"] + 120 and start - 15 <= served - asked <= start + 60
    assert not crowd.met and crowd.result.latencies.unserved > 0


def test_a_day_is_followed_within_the_objective(service: Service) -> None:
    told = forecast(service, "diurnal", request_ms=20)
    assert told.met and told.result.latencies.unserved == 0
    assert {m.ready for m in told.result.moments} > {3, 6, 9}


def test_the_remedy_is_the_fewest_that_keeps_the_objective(service: Service, crowd: Forecast) -> None:
    peak = max(phase.last_rps for phase in crowd.profile.phases)
    # The same load: the built-in one would grow with the fewest replicas.
    told = forecast(service, "flash-crowd", peak_rps=peak / 1.5)
    found = re.search(r"min_replicas to (\d+)", remedy(told))
    assert found is not None and not told.met
    least = int(found[1])

    def met(number: int) -> bool:
        other = replace(told, service=service.with_replicas(least=number))
        return judged(other).met

    assert met(least) and not met(least - 1)


def test_a_request_longer_than_the_objective_is_told_so(service: Service) -> None:
    told = forecast(service, "flash-crowd", request_ms=400, peak_rps=1)
    assert not told.met and "takes 400 ms" in remedy(told)


def test_warm_replicas_shorten_the_wait(service: Service, crowd: Forecast) -> None:
    warm = forecast(service.with_replicas(warm=9), "flash-crowd")
    assert warm.result.latencies.unserved < crowd.result.latencies.unserved / 2


def test_text_and_picture_show_the_course(crowd: Forecast) -> None:
    said, drawn = text(crowd, "Do this."), picture(crowd)
    assert "objective missed" in said and "remedy: Do this." in said and "assumed" in said
    tree = ElementTree.fromstring(drawn)  # noqa: S314 - our own
    assert len([e for e in tree.iter() if e.tag.endswith("polyline")]) == 7


def test_no_number_in_the_json_is_infinite(crowd: Forecast) -> None:
    told = json.loads(json.dumps(crowd.to_json(), allow_nan=False))
    assert told["objective_met"] is False and told["p99_ms"] is None and len(told["course"]) > 100


@pytest.mark.parametrize(("name", "said"), [("nobody", "no service 'nobody'")])
def test_an_unknown_service_is_refused(inventory: Inventory, name: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as refused:
        service_of(inventory, Settings.load(stack_file(STACK)), name)
    assert next(iter(scalers_of(inventory))) in refused.value.remedy


def run(*words: str) -> Any:
    return CliRunner().invoke(build_app(["capacity"]), ["capacity", *words])


def test_the_command_says_by_its_exit_code_whether_the_objective_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "c.svg"
    kept = run("dev-aws", "--peak-rps", "20", "--json", "--picture", str(file))
    assert (kept.exit_code, json.loads(kept.output)["objective_met"]) == (0, True) and file.stat().st_size
    assert run("dev-aws", "--peak-rps", "20", "--objective-ms", "1").exit_code == 1


def test_a_picture_that_is_no_svg_is_refused_before_the_work() -> None:
    assert "End its name in .svg" in str(run("dev-aws", "--picture", "c.png").exception.remedy)  # type: ignore[union-attr]
