"""Replicas that serve: they end without dropping a request, and serve the pinned release and nothing else."""

from __future__ import annotations

import re
from typing import Final

from components.contracts.serving import APP
from policies.checks import (
    ABSENT,
    absent_or,
    all_of,
    at_least,
    equals,
    expect,
    failed,
    is_hidden,
    items,
    not_applicable,
    passed,
    read,
    shown,
    unknown,
    unreadable,
)
from policies.examples import Given, Hidden, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.tokens import DEPLOYMENT
from policies.workloads import containers, pod_labels, pod_path

family = Family("Replicas that serve")

_POD: Final = "spec.template.spec"
_SERVER: Final = f"{_POD}.containers.0"
_FETCHER: Final = f"{_POD}.initContainers.0"
_WAIT: Final = f"{_SERVER}.lifecycle.preStop.sleep.seconds"
_GRACE: Final = f"{_POD}.terminationGracePeriodSeconds"
_STRATEGY: Final = "spec.strategy.type"
_LEFT_OUT: Final = "spec.strategy.rollingUpdate.maxUnavailable"
_PREFIX: Final = "app.kubernetes.io/name"
_EXIT: Final = re.compile(r"--exit-timeout-secs=(\d+)")
_PINNED: Final = re.compile(r"--manifest-sha256=[0-9a-f]{64}")
_SLEEP: Final = re.compile(r"time\.sleep\((\d{1,4})\)")
_CONTROL: Final = "--model-control-mode="
_DRAIN_SECONDS_MIN: Final = 5
"""What a load balancer takes at least to leave a replica out (`ServiceSpec.drain_seconds`)."""


def _serving() -> Given:
    told = {
        "spec.template.metadata.labels": {_PREFIX: APP},
        "spec.strategy.type": "RollingUpdate",
        _LEFT_OUT: 0,
        f"{_SERVER}.args": ["tritonserver", f"{_CONTROL}none", "--exit-timeout-secs=30"],
        _WAIT: 15,
        _GRACE: 55,
        f"{_POD}.priorityClassName": "serving",
        f"{_FETCHER}.args": [f"--manifest-sha256={'a' * 64}"],
    }
    return given(DEPLOYMENT, told)


def _arguments(workload: Resource, container: str) -> list[str]:
    return [str(read(workload, path)) for path in items(workload, f"{container}.args")]


def _other(workload: Resource) -> Judgement | None:
    """What follows where the pods are no replicas of Triton, or the plan cannot tell."""
    labels = "spec.template.metadata.labels"
    if is_hidden(read(workload, labels)):
        return unknown(labels, "labels that the plan knows")
    return None if pod_labels(workload).get(_PREFIX) == APP else not_applicable("it does not serve")


@family.rule(
    "k8s-serving-drains",
    Severity.HIGH,
    "A replica that ends leaves the load balancer first, answers what it has, and is replaced before it goes",
    types=(DEPLOYMENT,),
    rationale="Without a wait before the end, or with less time than the server's own, each rollout and each upgrade "
    "of a machine breaks requests off; without a priority, whatever is placed takes a replica's room.",
    remedy="Build it by components.kubernetes.triton, and keep drain_seconds and exit_timeout_seconds.",
    examples=lambda: examples(
        _serving(),
        broken={
            f"{_WAIT} is absent": drop(f"{_SERVER}.lifecycle"),
            f"{_WAIT} is 1": put(_WAIT, 1),
            f"{_GRACE} is 40": put(_GRACE, 40),
            f"{_GRACE} is absent": drop(_GRACE),
            f"{_SERVER}.args has no --exit-timeout-secs": put(f"{_SERVER}.args.2", "--strict-readiness=true"),
            f"{_LEFT_OUT} is 1": put(_LEFT_OUT, 1),
            f"{_LEFT_OUT} is absent": drop("spec.strategy"),
            f'{_STRATEGY} is "Recreate"': put(_STRATEGY, "Recreate"),
            f"{_POD}.priorityClassName is absent": drop(f"{_POD}.priorityClassName"),
        },
        undecided={f"{_GRACE} is known only to the provider": put(_GRACE, Hidden())},
        accepted={
            "it does not serve": put("spec.template.metadata.labels", {_PREFIX: "other"}),
            "": put(
                f"{_SERVER}.lifecycle",
                {"preStop": {"exec": {"command": ["python3", "-I", "-c", "import time; time.sleep(15)"]}}},
            ),
        },
    ),
)
def serving_drains(workload: Resource, _: Inventory) -> Judgement:
    other = _other(workload) or unreadable(workload, f"{_POD}.containers", "containers that the plan knows")
    if other:
        return other
    judged = [
        absent_or(workload, _STRATEGY, lambda: equals(workload, _STRATEGY, "RollingUpdate")),
        expect(workload, _LEFT_OUT, "0", lambda found: found in (0, "0", "0%")),
        expect(workload, f"{_POD}.priorityClassName", "a priority class", bool),
    ]
    for container in containers(workload, with_init=False):
        wait, waited = _waits(workload, container)
        judged.append(wait)
        found = [match for text in _arguments(workload, container) if (match := _EXIT.fullmatch(text))]
        if is_hidden(read(workload, f"{container}.args")):
            judged.append(unknown(f"{container}.args", "--exit-timeout-secs"))
        elif not found:
            judged.append(failed("", f"{container}.args has no --exit-timeout-secs", "the server's own time to end"))
        ending = sum(int(each[1]) for each in found) + waited
        judged.append(at_least(workload, _GRACE, ending, "seconds, the wait and the server's own time"))
    return all_of(judged)


def _waits(workload: Resource, container: str) -> tuple[Judgement, int]:
    """Whether a container waits before it ends, and for how many seconds: by Kubernetes' own hook or, in a canary, by
    a command, which Flagger can copy."""
    hook = f"{container}.lifecycle.preStop"
    command = f"{hook}.exec.command"
    slept = _SLEEP.search(str(read(workload, command))) if read(workload, command) is not ABSENT else None
    if slept:
        enough = int(slept[1]) >= _DRAIN_SECONDS_MIN
        required = f"at least {_DRAIN_SECONDS_MIN} seconds"
        return (passed() if enough else failed(command, shown(slept[0]), required)), int(slept[1])
    seconds = read(workload, f"{hook}.sleep.seconds")
    known = int(seconds) if isinstance(seconds, int | float) else 0
    return at_least(workload, f"{hook}.sleep.seconds", _DRAIN_SECONDS_MIN, "seconds"), known


@family.rule(
    "k8s-serving-pinned",
    Severity.HIGH,
    "Replicas serve the release that the settings pin by digest, and take no other at run time",
    types=(DEPLOYMENT,),
    rationale="A release is code: one that is not the reviewed one, or that a request can load, runs with the rights "
    "of the fleet.",
    remedy="Build it by components.kubernetes.triton.",
    examples=lambda: examples(
        _serving(),
        broken={
            f"{_SERVER}.args has no {_CONTROL}none": (
                put(f"{_SERVER}.args.1", f"{_CONTROL}explicit"),
                put(f"{_SERVER}.args.1", "--strict-readiness=true"),
            ),
            f"{_SERVER}.command is {shown(['sh'])}": put(f"{_SERVER}.command", ["sh"]),
            "no init container has --manifest-sha256": put(f"{_FETCHER}.args", ["--into=/release"]),
        },
        undecided={
            f"{_SERVER}.args is known only to the provider": put(f"{_SERVER}.args", Hidden()),
            f"{_FETCHER}.args is known only to the provider": put(f"{_FETCHER}.args", Hidden()),
        },
        accepted={"it does not serve": put("spec.template.metadata.labels", {_PREFIX: "other"})},
    ),
)
def serving_pinned(workload: Resource, _: Inventory) -> Judgement:
    other = _other(workload) or unreadable(workload, pod_path(workload), "a pod that the plan knows")
    if other:
        return other
    lists = [f"{container}.args" for container in containers(workload)]
    hidden = [judged for path in lists if (judged := unreadable(workload, path, "arguments that the plan knows"))]
    if hidden:
        return all_of(hidden)
    judged = [passed()]
    for container in containers(workload, with_init=False):
        asked = [text for text in _arguments(workload, container) if text.startswith(_CONTROL)]
        if asked != [f"{_CONTROL}none"]:
            judged.append(failed("", f"{container}.args has no {_CONTROL}none", "no model is loaded by a request"))
        command = f"{container}.command"
        if read(workload, command) is not ABSENT:
            judged.append(expect(workload, command, "absent: the image's own", lambda _: False))
    fetchers = [_arguments(workload, path) for path in items(workload, f"{_POD}.initContainers")]
    if not any(_PINNED.fullmatch(text) for arguments in fetchers for text in arguments):
        judged.append(failed("", "no init container has --manifest-sha256", "the release, by digest"))
    return all_of(judged)
