"""What stacks tell the charts, the charts take: each value by the chart of the very version that is installed."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from components.contracts.apart import Apart
from components.kubernetes.rollouts.controller import values
from localcloud.kubernetes.charts import project_of
from localcloud.toolchain.chart_values import TakenValues, passed_over, read_taken
from localcloud.toolchain.definitions import ORIGINS, taken_values
from policies.inventory import Inventory
from stacks.files import platform_names

RELEASE = "kubernetes:helm.sh/v3:Release"


def told(plans: Mapping[str, Inventory]) -> dict[str, list[dict[str, Any]]]:
    """Project → what the stacks tell its chart; Flagger's, which comes with a canary: what any would tell it."""
    found: dict[str, list[dict[str, Any]]] = {
        "flagger": [values(f"mirror/fluxcd/flagger@sha256:{'a' * 64}", Apart(3))]
    }
    for stack in platform_names():
        for release in plans[stack].of_type(RELEASE):
            found.setdefault(project_of(release.inputs["chart"]), []).append(release.inputs["values"])
    return found


@pytest.mark.parametrize("project", ORIGINS)
def test_every_value_that_a_stack_sets_is_one_that_its_chart_takes(plans: dict[str, Inventory], project: str) -> None:
    taken = taken_values(project)
    assert taken.defaults and taken.read
    for each in told(plans)[project]:
        assert passed_over(each, taken) == []


@pytest.mark.parametrize("project", ORIGINS)
def test_a_name_with_one_letter_too_many_is_found_wherever_it_stands(
    plans: dict[str, Inventory], project: str
) -> None:
    taken = taken_values(project)
    for path in _fixed(told(plans)[project][0], taken):
        wrong = copy.deepcopy(told(plans)[project][0])
        inner = wrong
        for key in path[:-1]:
            inner = inner[key]
        inner[f"{path[-1]}x"] = inner.pop(path[-1])
        assert passed_over(wrong, taken), path


def _fixed(told: Mapping[str, Any], taken: TakenValues, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """All names but those below what the chart hands on as it is."""
    found: list[tuple[str, ...]] = []
    for key, value in told.items():
        path = (*above, key)
        found.append(path)
        if isinstance(value, Mapping) and ".".join(path) not in taken.whole:
            found += _fixed(value, taken, path)
    return found


@pytest.fixture
def chart(tmp_path: Path) -> TakenValues:
    (tmp_path / "templates").mkdir()
    (tmp_path / "charts" / "inner").mkdir(parents=True)
    (tmp_path / "charts" / "inner" / "Chart.yaml").write_text("name: inner\n")
    (tmp_path / "charts" / "inner" / "values.yaml").write_text("safe: {enabled: true}\n")
    (tmp_path / "values.yaml").write_text(
        "replicas: 1\nannotations: {scrape: 'true'}\nlabels: {}\nbudget: {min: 0}\ninner: {enabled: true}\n"
    )
    (tmp_path / "templates" / "pod.yaml").write_text(
        "{{ .Values.replicas }} {{ .Values.budget.max }}\n{{- with .Values.labels }}{{ toYaml . }}{{ end }}\n"
    )
    return read_taken(tmp_path)


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"replicas": 2}, None),
        ({"replica": 2}, "replica: the chart knows no such value"),
        ({"budget": {"max": 1}}, None),
        ({"budget": {"maximum": 1}}, "budget.maximum: the chart knows no such value"),
        ({"labels": {"team": "a"}}, None),
        ({"annotations": {}}, "annotations: an empty map leaves the chart's own"),
        ({"inner": {"enabled": False, "safe": {"enabled": False}}}, None),
        ({"inner": {"safe": {"on": False}}}, "inner.safe.on: the chart knows no such value"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_what_helm_would_pass_over_is_told(chart: TakenValues, asked: dict[str, Any], problem: str | None) -> None:
    assert passed_over(asked, chart) == ([problem] if problem else [])
