"""Claims about the real control plane: what it admits, whom it lets, what its nodes take, how a death shows."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from typing import Any

import psutil
import pytest

from common.errors import UserError
from common.versions import KUBERNETES
from localcloud.cluster import ControlPlane, RefusedError, control_plane, is_ready, run_as
from stacks.files import platform_names
from stacks.settings import Settings, stack_file

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("cluster")]

RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def deployment(name: str, namespace: str, *, gpus: int = 0, replicas: int = 1) -> dict[str, Any]:
    resources = {"limits": {"nvidia.com/gpu": str(gpus)}} if gpus else {}
    container = {"name": "main", "image": "none", "securityContext": RESTRICTED, "resources": resources}
    labels = {"app.kubernetes.io/name": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def pods(plane: ControlPlane, namespace: str) -> list[dict[str, Any]]:
    return plane.client.list("v1", "Pod", namespace)


def ready(plane: ControlPlane, namespace: str, count: int) -> None:
    plane.wait_until(f"{count} pods are ready", 30, lambda: sum(map(is_ready, pods(plane, namespace))) == count)


def test_it_is_the_version_that_was_asked_for(plane: ControlPlane) -> None:
    assert plane.client.request("GET", "/version").object["gitVersion"] == f"v{KUBERNETES['1.35']}"


def test_a_field_that_the_version_does_not_have_is_refused(plane: ControlPlane, namespace: str) -> None:
    manifest = deployment("misspelt", namespace)
    manifest["spec"]["minReadySecond"] = 3
    with pytest.raises(RefusedError, match="minReadySecond"):
        plane.client.apply(manifest)


def test_a_pod_that_is_not_restricted_is_warned_of(plane: ControlPlane, namespace: str) -> None:
    manifest = deployment("root", namespace)
    manifest["spec"]["template"]["spec"]["containers"][0]["securityContext"] = {}
    assert any("would violate PodSecurity" in warning for warning in plane.client.apply(manifest).warnings)


def test_a_dry_run_changes_nothing(plane: ControlPlane, namespace: str) -> None:
    plane.client.apply(deployment("only-asked", namespace), dry_run=True)
    assert plane.client.get("apps/v1", "Deployment", "only-asked", namespace) is None


def test_replicas_run_on_the_machines(plane: ControlPlane, namespace: str) -> None:
    plane.client.apply(deployment("web", namespace, replicas=3))
    ready(plane, namespace, 3)
    assert {pod["spec"]["nodeName"] for pod in pods(plane, namespace)} <= set(plane.nodes.names("system"))


def test_a_gpu_pod_waits_until_its_group_grows(plane: ControlPlane, namespace: str) -> None:
    plane.client.apply(deployment("model", namespace, gpus=1))
    plane.wait_until("it is unschedulable", 30, lambda: bool(unschedulable(pods(plane, namespace))))
    plane.nodes.resize("gpu", 1)
    ready(plane, namespace, 1)
    plane.nodes.resize("gpu", 0)


def unschedulable(found: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
    conditions = [c for pod in found for c in pod.get("status", {}).get("conditions", [])]
    return [c for c in conditions if c.get("reason") == "Unschedulable"]


def test_a_group_never_grows_over_its_bounds(plane: ControlPlane) -> None:
    with pytest.raises(UserError, match="gpu has at most 4"):
        plane.nodes.resize("gpu", 5)


def test_a_program_has_the_rights_of_its_account_and_no_more(plane: ControlPlane, namespace: str) -> None:
    plane.wait_until(
        "the account is there", 30, lambda: plane.client.get("v1", "ServiceAccount", "default", namespace) is not None
    )
    script = (
        "import json, os, ssl, urllib.request, urllib.error\n"
        "at = '/var/run/secrets/kubernetes.io/serviceaccount/'\n"
        "url = 'https://{KUBERNETES_SERVICE_HOST}:{KUBERNETES_SERVICE_PORT}/api/v1/pods'.format(**os.environ)\n"
        "asked = urllib.request.Request(url, headers={'Authorization': 'Bearer ' + open(at + 'token').read()})\n"
        "try:\n urllib.request.urlopen(asked, context=ssl.create_default_context(cafile=at + 'ca.crt'))\n"
        "except urllib.error.HTTPError as e: print(json.load(e)['message'])\n"
    )
    printed = run_as(plane.account(namespace, "default"), ["python3", "-c", script])
    assert f'User "system:serviceaccount:{namespace}:default" cannot list resource "pods"' in printed.stdout


def test_a_part_that_is_killed_is_named_with_its_last_words() -> None:
    with control_plane("1.35") as plane:
        scheduler = next(process for process in plane.processes if process.name == "kube-scheduler")
        assert scheduler.pid is not None
        (child,) = psutil.Process(scheduler.pid).children()
        os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(UserError, match="kube-scheduler was killed by SIGKILL") as caught:
            plane.wait_until("never", 30, lambda: False)
    assert caught.value.remedy


def test_nothing_is_left_of_it_when_the_block_ends() -> None:
    with control_plane("1.35") as plane:
        keepers = [process.pid for process in plane.processes]
        folder = plane.folder
    assert not [pid for pid in keepers if pid and psutil.pid_exists(pid)]
    assert not folder.exists()


@pytest.mark.parametrize("stack", platform_names())
def test_the_version_of_every_stack_can_be_run(stack: str) -> None:
    assert Settings.load(stack_file(stack)).cluster.version in KUBERNETES


def test_another_version_is_refused_with_what_is_known() -> None:
    with pytest.raises(UserError, match=r"no control plane of Kubernetes 1\.99 is known here, only of 1\.35"):
        control_plane("1.99").__enter__()
