"""What KWOK makes of nodes and pods, and how long that takes: its own fast stages, with delays."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

APP_LABEL: Final = "app.kubernetes.io/name"


@dataclass(frozen=True)
class Pace:
    """How long things take that really take time; at once by default."""

    pod_ready_seconds: float = 0.0
    """From being scheduled to being ready."""
    app_ready_seconds: Mapping[str, float] = field(default_factory=dict)
    """The same for the pods of one application, by their label `app.kubernetes.io/name`."""
    pod_gone_seconds: float = 0.0
    """From being told to end to being gone."""
    node_ready_seconds: float = 0.0
    """From a node's joining to its readiness."""
    hpa_sync_seconds: float = 15.0
    """How often the horizontal autoscaler looks: its default, as on EKS and GKE."""
    node_lost_seconds: float = 50.0
    """After which a node without a heartbeat counts as lost: Kubernetes' default."""


def write_kwok_config(path: Path, stages: Path, pace: Pace) -> None:
    """Write KWOK's configuration: the stages in the folder `stages`, delayed by `pace`."""
    yaml = YAML(typ="safe")
    read = {file.stem: yaml.load(file) for file in stages.glob("*.yaml")}
    text = StringIO()
    yaml.dump_all([_IGNORE, *paced(read, pace)], text)
    path.write_text(text.getvalue())


_IGNORE: Final = {"apiVersion": "config.kwok.x-k8s.io/v1alpha1", "kind": "KwokConfiguration", "options": {}}


def paced(stages: Mapping[str, Mapping[str, Any]], pace: Pace) -> Iterator[dict[str, Any]]:
    """The stages with their delays; a pod's readiness is one stage for each application that has its own."""
    for name, stage in sorted(stages.items()):
        match name:
            case "pod-ready":
                apps = {app: seconds for app, seconds in pace.app_ready_seconds.items() if app}
                for app, seconds in apps.items():
                    yield _for_app(_delayed(stage, seconds, f"{name}-{app}"), "In", [app])
                rest = _delayed(stage, pace.pod_ready_seconds)
                yield _for_app(rest, "NotIn", sorted(apps)) if apps else rest
            case "pod-delete":
                yield _delayed(stage, pace.pod_gone_seconds)
            case "node-initialize":
                yield _delayed(stage, pace.node_ready_seconds)
            case _:
                yield _delayed(stage, 0.0)


def _delayed(stage: Mapping[str, Any], seconds: float, name: str | None = None) -> dict[str, Any]:
    changed = copy.deepcopy(dict(stage))
    changed["metadata"]["name"] = name or changed["metadata"]["name"]
    if seconds > 0:
        changed["spec"]["delay"] = {"durationMilliseconds": round(seconds * 1000)}
    return changed


def _for_app(stage: dict[str, Any], operator: str, apps: list[str]) -> dict[str, Any]:
    requirement = {"key": f'.metadata.labels["{APP_LABEL}"]', "operator": operator, "values": apps}
    stage["spec"]["selector"]["matchExpressions"].append(requirement)
    return stage
