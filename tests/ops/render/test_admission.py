"""The files of a rendering, as the real API server of the stack's version takes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from common.console import Steps
from components.contracts.vocabulary import Cloud
from localcloud.cluster import ControlPlane, chart_definitions, control_plane, furnish
from localcloud.kubernetes.control_plane.client import wait_until
from ops.plan.planner import plan_stack
from ops.render import folder
from ops.render.manifests import render
from ops.render.validation import validate
from stacks.settings import Settings, stack_file

pytestmark = pytest.mark.cluster
MADE = ("CustomResourceDefinition", "Namespace")
"""What others need, and is made; the rest is tried, field by field, and not kept."""


def files(out: Path, kustomization: str) -> list[dict[str, Any]]:
    yaml = YAML(typ="safe", pure=True)
    listed = yaml.load(out / kustomization)["resources"]
    return [yaml.load((out / kustomization).parent / path) for path in listed]


def served(plane: ControlPlane, definition: dict[str, Any]) -> bool:
    live = plane.client.get("apiextensions.k8s.io/v1", "CustomResourceDefinition", definition["metadata"]["name"])
    conditions = ((live or {}).get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)


@pytest.mark.parametrize("stack", ["staging-aws", "prod-gcp"])
def test_the_real_api_server_takes_every_file_in_the_order_given(stack: str, tmp_path: Path) -> None:
    settings = Settings.load(stack_file(stack))
    out = tmp_path / "out"
    rendering = render(plan_stack(stack), settings.cluster.version)
    folder.write(out, rendering)
    brought = [item for chart in rendering.charts.values() for item in chart_definitions(chart["chart"])]
    assert not validate(rendering, brought).faults
    listed = [path for path in ("crds/kustomization.yaml", "kustomization.yaml") if (out / path).exists()]
    items = [item for path in listed for item in files(out, path)]
    with control_plane(settings.cluster.version, (), steps=Steps(quiet=True)) as plane:
        furnish(plane, Cloud(settings.cloud))
        warned = []
        for item in brought:
            plane.client.apply(item)
        wait_until("the charts' kinds", 60, lambda: all(served(plane, item) for item in brought))
        for item in items:
            answer = plane.client.apply(item, dry_run=item["kind"] not in MADE)
            warned += answer.warnings
    assert len(items) > 20 and not warned
