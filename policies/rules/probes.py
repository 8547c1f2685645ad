"""Probes: what serves is asked whether it is ready and whether it lives, and gives up in time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from policies.checks import all_of, failed, is_hidden, is_masked, not_applicable, passed, read, shown, unknown
from policies.examples import Change, Hidden, both, drop, examples, given, plus, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.nodes import Node, must, node
from policies.quantities import quantity
from policies.reach.kubernetes import selects
from policies.tokens import DEPLOYMENT, SERVICE
from policies.workloads import (
    LONG_RUNNING,
    container_nodes,
    pod_labels,
    pod_path,
    same_namespace,
    unreadable_containers,
)

family = Family("Probes")

_POD: Final = "spec.template.spec"
_CONTAINER: Final = f"{_POD}.containers.0"
_INIT: Final = f"{_POD}.initContainers.0"
_PROBES: Final = ("readinessProbe", "livenessProbe")
_HANDLERS: Final = ("exec", "grpc", "httpGet", "tcpSocket")
_LONGEST_SECONDS: Final = {"readinessProbe": 120, "livenessProbe": 600}
"""How long a container that serves nothing may go unnoticed."""
_ALWAYS: Final = re.compile(r"(^|/)(true|echo|sleep|printf|:)$")
_ENDS_WELL: Final = re.compile(
    r"(\|\|\s*(true|:|exit 0|/bin/true)|;\s*(true|:|exit 0)|^\s*(exit 0|true|:|echo\b.*))\s*$"
)
_SLEEPS: Final = "its containers sleep for ever, and no Service selects its pods"
_TEMPLATE: Final = "spec.template.metadata"
_WARM: Final = {"app.kubernetes.io/name": "warm"}
_SHELLS: Final = re.compile(r"(^|/)(sh|bash|ash|dash|busybox)$")


def _asleep(*changes: Change, labels: object = _WARM, container: Mapping[str, object] | None = None) -> Change:
    """Containers without probes that sleep, but for `changes`."""
    told = {"name": "warm", "command": ["sleep", "infinity"], **(container or {})}
    return both(put(f"{_POD}.containers", [told]), put(f"{_TEMPLATE}.labels", labels), *changes)


def _reaching(selector: object) -> Change:
    return plus(given(SERVICE, {"spec.selector": selector}, "warm"))


@family.rule(
    "k8s-probes",
    Severity.MEDIUM,
    "Containers have readiness and liveness probes that can fail, in time",
    types=LONG_RUNNING,
    rationale="Without readiness, requests reach a server that is loading models; without liveness, a hung one.",
    remedy="Add a readinessProbe and a livenessProbe that ask the server, and give up within minutes.",
    frameworks={Framework.CHECKOV: ("CKV_K8S_8", "CKV_K8S_9")},
    examples=lambda: examples(
        given(
            DEPLOYMENT,
            {
                f"{_CONTAINER}.ports.0.containerPort": 8000,
                **{f"{_CONTAINER}.{probe}.httpGet": {"path": "/v2/health/ready", "port": 8000} for probe in _PROBES},
            },
        ),
        broken={
            f"{_CONTAINER}.livenessProbe is absent": drop(f"{_CONTAINER}.livenessProbe"),
            f"{_CONTAINER}.readinessProbe is absent": (
                drop(f"{_CONTAINER}.readinessProbe"),
                _asleep(_reaching(_WARM)),
                _asleep(_reaching(Hidden())),
                _asleep(labels={}),
                _asleep(container={"command": ["sleep", "infinity"], "args": ["&& serve"]}),
                _asleep(container={"command": ["sleep", "60"]}),
                _asleep(container={"command": ["sh", "-c", "serve & sleep infinity"]}),
                _asleep(container={"ports": [{"containerPort": 8000}]}),
                _asleep(container={"lifecycle": {"postStart": {"exec": {"command": ["serve"]}}}}),
                _asleep(put(_INIT, {"name": "serves", "restartPolicy": "Always"})),
            ),
            f"{_CONTAINER}.readinessProbe asks nothing": put(f"{_CONTAINER}.readinessProbe", {"periodSeconds": 5}),
            f'{_CONTAINER}.livenessProbe.exec.command is ["true"]': put(
                f"{_CONTAINER}.livenessProbe", {"exec": {"command": ["true"]}}
            ),
            f'{_CONTAINER}.livenessProbe.exec.command is ["sh", "-c", "check || true"]': put(
                f"{_CONTAINER}.livenessProbe", {"exec": {"command": ["sh", "-c", "check || true"]}}
            ),
            f"{_CONTAINER}.readinessProbe gives up after 10000 seconds": put(
                f"{_CONTAINER}.readinessProbe.failureThreshold", 1000
            ),
            f"{_CONTAINER}.readinessProbe.httpGet.port is 81": put(f"{_CONTAINER}.readinessProbe.httpGet.port", 81),
            f'{_CONTAINER}.readinessProbe.httpGet.port is "gone"': put(
                f"{_CONTAINER}.readinessProbe.httpGet.port", "gone"
            ),
        },
        undecided={
            f"{_POD}.containers is known only to the provider": put(f"{_POD}.containers", Hidden()),
            f"{_CONTAINER}.livenessProbe is known only to the provider": put(f"{_CONTAINER}.livenessProbe", Hidden()),
        },
        accepted={
            "": put(f"{_CONTAINER}.livenessProbe", {"exec": {"command": ["python3", "-m", "self_check"]}}),
            _SLEEPS: (_asleep(), _asleep(_reaching({"app.kubernetes.io/name": "other"})), _asleep(_reaching({}))),
        },
    ),
)
def probes(workload: Resource, inventory: Inventory) -> Judgement:
    containers = node(workload, f"{pod_path(workload)}.containers")
    unread = unreadable_containers(workload)
    if unread is None and _holds_a_place(workload, inventory):
        return not_applicable(_SLEEPS)
    return unread or all_of(
        each for container in containers.members() for probe in _PROBES for each in _probed(container, probe)
    )


def _holds_a_place(workload: Resource, inventory: Inventory) -> bool:
    """Whether its pods do nothing and nobody asks them: all their containers sleep for ever, and no Service may
    select them."""
    if not all(_sleeps(container) for container in container_nodes(workload)):
        return False
    labels = pod_labels(workload)
    near = [each for each in inventory.of_type(SERVICE) if same_namespace(inventory, each, workload)]
    return bool(labels) and not is_masked(workload, f"{_TEMPLATE}.labels") and not any(map(_may_select(labels), near))


def _sleeps(container: Node) -> bool:
    idle = all(container.at(field).absent for field in ("args", "ports", "lifecycle"))
    return idle and container.at("command").value == ["sleep", "infinity"]


def _may_select(labels: Mapping[str, object]) -> Callable[[Resource], bool]:
    def may_select(service: Resource) -> bool:
        selector = read(service, "spec.selector")
        if is_hidden(selector) or is_masked(service, "spec.selector"):
            return True
        return (
            bool(selector) and selects({"matchLabels": selector}, labels) if isinstance(selector, Mapping) else False
        )

    return may_select


def _probed(container: Node, probe: str) -> Iterator[Judgement]:
    found, required = container.at(probe), "a probe that can fail"
    yield must(found, required, bool)
    if found.absent or found.hidden or not isinstance(found.value, dict):
        return
    asked = [found.at(handler) for handler in _HANDLERS if not found.at(handler).absent]
    if not asked:
        yield failed("", f"{found.path} asks nothing", required)
    command = found.at("exec", "command")
    if not command.absent:
        yield must(command, required, lambda words: not _never_fails(words))
    for handler in (each for each in asked if each.path.endswith(("httpGet", "tcpSocket", "grpc"))):
        yield from _of_a_port(handler.at("port"), container)
    yield from _in_time(found, _LONGEST_SECONDS[probe])


def _in_time(probe: Node, longest: int) -> Iterator[Judgement]:
    numbers = {"periodSeconds": 10, "failureThreshold": 3, "initialDelaySeconds": 0}
    told: dict[str, float] = {}
    for field, default in numbers.items():
        value = probe.at(field)
        if value.hidden and not value.unsaid:
            yield unknown(value.path, f"given up within {longest} seconds")
            return
        told[field] = default if value.absent or value.unsaid else (quantity(value.value) or 0)
    seconds = told["periodSeconds"] * told["failureThreshold"] + told["initialDelaySeconds"]
    if seconds > longest:
        yield failed("", f"{probe.path} gives up after {seconds:.0f} seconds", f"within {longest} seconds")


def _of_a_port(port: Node, container: Node) -> Iterator[Judgement]:
    """A port by name is one of the container's."""
    if port.absent or port.value in ("", 0):
        yield failed(port.path, shown(port.value), "a port of the container")
    elif port.hidden:
        yield unknown(port.path, "a port of the container")
    elif isinstance(port.value, str) and not port.value.isdigit():
        names = [each.at("name").value for each in container.at("ports").members()]
        yield passed() if port.value in names else failed(port.path, shown(port.value), "a port of the container")
    else:
        numbers = [str(each.at("containerPort").value) for each in container.at("ports").members()]
        if numbers and str(port.value) not in numbers:
            yield failed(port.path, shown(port.value), "a port of the container")


def _never_fails(command: Any) -> bool:
    words = [command] if isinstance(command, str) else [str(each) for each in command]
    if not words:
        return True
    if _SHELLS.search(words[0]):
        return bool(_ENDS_WELL.search(words[-1]))
    return bool(_ALWAYS.search(words[0]))
