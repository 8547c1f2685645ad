"""The stack of an exercise: planned as every stack is, and laid on the local control plane as the plan has it.

Nothing is written down twice: rights, budgets, autoscalers, network policies, Deployments, Canaries and their queries
are those of the plan. `hastened` says what of it is made quicker.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from components.contracts import serving
from components.contracts.door import DoorSpec
from components.contracts.rollout_specs import AnalysisSpec, Canary, QualitySpec
from components.kubernetes.rollouts.controller import APP, NAMESPACE
from components.kubernetes.rollouts.rights import primary
from localcloud.cluster import NodeGroup, node_groups
from ops.models.promoting import release_in
from ops.plan.planner import plan_stack
from ops.rehearse.laying import planned_objects
from ops.rollouts.releases import QUALITY_ANSWERS, QUALITY_MAX, QUALITY_QUERY
from policies.inventory import Inventory
from stacks.files import config_of, stack_file
from stacks.settings import CONFIG_KEY, Settings

STACK: Final = "dev-aws"
"""Whose settings the exercise has, but for its services."""
DOMAIN: Final = "models.example.com"
STEP_SECONDS: Final = 30
OBJECTIVE_P99_MS: Final = 500
WINDOW_SECONDS: Final = 6
"""Of each figure: the time between two checks, and more scrapes than a step has on a cluster. A machine that is busy
with other work sends half of the clients' rate: 4 seconds then brought 15 answers of the first share."""
SCRAPES_MIN: Final = 4
"""Of a window's, that must have come before anything is judged: on a cluster the shortest step has six."""
FIRST_SHARE: Final = 20
MIN_ANSWERS: Final = 16
"""A third of what the first share brings within a window."""
_NODES: Final = 6
_READY_SECONDS: Final = 1
_NO_RELEASE: Final = "0" * 64
_RELEASE: Final = re.compile(r"/releases/[0-9.]+")
_LAID_FIRST: Final = ("PriorityClass", "ServiceAccount", "Role", "RoleBinding", "NetworkPolicy")
_ROUTED: Final = ("HTTPRoute", "GRPCRoute", "BackendTrafficPolicy")
_CPU_POOL: Final = {"machine_types": ["m7i.2xlarge"], "min_nodes": 1, "max_nodes": _NODES}
Manifest = dict[str, Any]


def door_spec() -> DoorSpec:
    """The door of the exercise: as a stack's, with nobody to sign tokens."""
    return DoorSpec.model_validate_json(
        f"""{{
        "domain": "{DOMAIN}",
        "certificate": {{"kind": "secret", "name": "door-certificate"}},
        "authentication": {{"kind": "none", "because": "It listens on this machine's loopback alone."}},
        "limits": {{"requests_per_minute": 1000000}}
    }}"""
    )


def canary_spec() -> Canary:
    """The steps of the exercise: few, and with a look at the answers themselves."""
    return Canary(
        step_percents=(FIRST_SHARE, 50),
        step_seconds=STEP_SECONDS,
        analysis=AnalysisSpec(
            min_requests=10,
            failed_checks_allowed=1,
            quality=QualitySpec(
                query=QUALITY_QUERY, answers=QUALITY_ANSWERS, min_answers=MIN_ANSWERS, max=QUALITY_MAX
            ),
        ),
    )


def canary_service(release: str) -> Manifest:
    """The settings of a canary service."""
    return {**_service(release, 1), "traffic": canary_spec().model_dump(mode="json")}


def rolling_service(release: str, replicas: int) -> Manifest:
    """The settings of a service whose replicas are replaced one by one."""
    return {**_service(release, replicas), "traffic": {"strategy": "rolling"}}


def blue_green_service(blue: str, green: str) -> Manifest:
    """The settings of a service with two colours, of which blue is live."""
    other = {"release": _release(green), "min_replicas": 1, "max_replicas": 1}
    return {**_service(blue, 1), "traffic": {"strategy": "blue-green"}, "challengers": {"green": other}}


def _release(version: str) -> Manifest:
    return {"version": version, "manifest_sha256": _NO_RELEASE, "signers": [f"SHA256:{_NO_RELEASE}"]}


def _service(release: str, replicas: int) -> Manifest:
    return {
        "release": _release(release),
        "accelerator": "cpu",
        "min_replicas": replicas,
        "max_replicas": replicas,
        "objective": {"p99_ms": OBJECTIVE_P99_MS, "availability_percent": 99.9},
        "fallback": {"none_because": "The exercise shows what happens without one."},
    }


@dataclass(frozen=True)
class Planned:
    """The plan of a stack with the exercise's services."""

    inventory: Inventory
    settings: Settings
    objects: Sequence[Manifest]

    def foundation(self) -> list[Manifest]:
        """What lies there before any service: namespaces, accounts and rights, priorities, network policies."""
        mine = (serving.NAMESPACE, NAMESPACE)
        spaces = [each for each in self.objects if each["kind"] == "Namespace" and each["metadata"]["name"] in mine]
        rest = [each for each in self.objects if each["kind"] in _LAID_FIRST and _namespace(each) in (None, *mine)]
        return [*spaces, *rest, *self._budgets(NAMESPACE, [APP])]

    def of(self, service: str) -> list[Manifest]:
        """What Kubernetes and Flagger read of a service, in an order that works."""
        own = [n for n in self._names() if n == service or n.startswith(f"{service}-")]
        kinds = ("Service", "Deployment", "HorizontalPodAutoscaler", "MetricTemplate", "Canary")
        found = [
            each
            for kind in kinds
            for each in self.objects
            if each["kind"] == kind and _namespace(each) == serving.NAMESPACE and each["metadata"]["name"] in own
        ]
        return [*self._budgets(serving.NAMESPACE, own), *found]

    def routes(self, service: str) -> list[Manifest]:
        """What the door reads of a service."""
        own = [n for n in self._names() if n == service or n.startswith(f"{service}-")]
        return [each for each in self.objects if each["kind"] in _ROUTED and each["metadata"]["name"] in own]

    def release(self, kind: str = APP) -> Mapping[str, Any]:
        """What a chart is told."""
        (found,) = (r for r in self.inventory.of_type("kubernetes:helm.sh/v3:Release") if r.name == kind)
        return found.inputs["values"]

    def machines(self) -> list[NodeGroup]:
        """The stack's machines that serve."""
        told = self.settings
        groups = node_groups(told.cloud, told.region, told.zones, told.pools, self.inventory.resources)
        wanted = [each for each in groups if serving.ACCELERATOR_LABEL in each.labels]
        return [replace(each, nodes=_NODES // len(wanted)) for each in wanted]

    def _names(self) -> set[str]:
        return {str(each["metadata"]["name"]) for each in self.objects if _namespace(each) == serving.NAMESPACE}

    def _budgets(self, namespace: str, names: Sequence[str]) -> list[Manifest]:
        return [
            each
            for each in self.objects
            if each["kind"] == "PodDisruptionBudget"
            and _namespace(each) == namespace
            and each["metadata"]["name"] in names
        ]


def planned(services: Mapping[str, Mapping[str, Any]], folder: Path) -> Planned:
    """Plan a stack with these services, by name, behind the exercise's door.

    Args:
        folder: for its settings.

    Raises:
        UserError: they are refused.
    """
    config = copy.deepcopy(dict(config_of(stack_file(STACK))))
    told = config[CONFIG_KEY]
    fleet = told["fleet"]
    digests = {"flagger": f"sha256:{_NO_RELEASE}", "flagger_chart": f"sha256:{_NO_RELEASE}"}
    fleet["images"] = {**fleet["images"], **digests}
    fleet["door"] = door_spec().model_dump(mode="json")
    fleet["services"], fleet["drilled"] = dict(services), next(iter(services))
    told["pools"] = {"system": told["pools"]["system"], "cpu": _CPU_POOL}
    file = folder / stack_file(STACK).name
    with file.open("w", encoding="utf-8") as out:
        YAML(typ="safe").dump({"config": config}, out)
    inventory = plan_stack(STACK, file)
    return Planned(inventory, Settings.load(file), planned_objects(inventory))


def with_release(deployment: Manifest, version: str) -> Manifest:
    """The Deployment as a plan has it once the settings pin another release."""
    text = json.dumps(deployment)
    return json.loads(_RELEASE.sub(f"/releases/{version}", text))


def hastened(item: Manifest) -> Manifest:
    """The object with less patience: each figure is of a few seconds, and a replica counts as ready at once."""
    changed = copy.deepcopy(item)
    if item["kind"] == "MetricTemplate":
        told = changed["spec"]
        told["query"] = told["query"].replace(f"[{STEP_SECONDS}s]", f"[{WINDOW_SECONDS}s]")
    elif item["kind"] == "Canary":
        for metric in changed["spec"]["analysis"]["metrics"]:
            metric["interval"] = f"{WINDOW_SECONDS}s"
    elif item["kind"] == "Deployment":
        changed["spec"]["minReadySeconds"] = _READY_SECONDS
    return changed


def released(item: Mapping[str, Any]) -> str:
    """The release that a Deployment or a pod is told to serve; empty if it is told none."""
    return release_in(item if "template" in item["spec"] else {"spec": {"template": item}}) or ""


def held(service: str) -> str:
    """What Flagger's copy of a service is called."""
    return primary(service)


def _namespace(item: Mapping[str, Any]) -> str | None:
    return item["metadata"].get("namespace")
