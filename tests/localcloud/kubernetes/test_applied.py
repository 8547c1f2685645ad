"""Claims about the stand-in provider on a real API server: as pulumi-kubernetes applies, waits, compares, deletes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from localcloud.cluster import ControlPlane
from localcloud.kubernetes.provider import KubernetesProvider
from localcloud.providers.base import ProviderError, Request, State
from localcloud.providers.diffing import decide
from localcloud.providers.store import Store
from localcloud.providers.values import UNKNOWN

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("cluster")]

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"


@pytest.fixture
def provider(plane: ControlPlane, tmp_path: Path) -> Iterator[KubernetesProvider]:
    store = Store(tmp_path / "store.sqlite3")
    yield KubernetesProvider(store, plane.kubeconfig)
    store.close()


def asked(token: str, inputs: Mapping[str, Any], state: State | None = None, *, seconds: float = 30) -> Request:
    urn = f"urn:pulumi:dev::test::{token}::x"
    known = {} if state is None else {"id": state.id, "outputs": {**inputs, **state.outputs}}
    return Request(urn, token, "x", inputs, timeout_seconds=seconds, **known)


def config_map(namespace: str, **data: str) -> dict[str, Any]:
    metadata = {"name": "settings", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def workload(namespace: str, *, selector: Mapping[str, str] | None = None) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": "web"}
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    resources = {"requests": {"cpu": "1000m", "memory": "1024Mi"}}
    container = {"name": "main", "image": "none", "securityContext": security, "resources": resources}
    pod = {"containers": [container], "nodeSelector": dict(selector or {})}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def changes(provider: KubernetesProvider, request: Request, news: Mapping[str, Any]) -> list[str]:
    difference = decide(provider.deployed_inputs(request), news, replace_on=provider.replace_on(request.token))
    return [change.path for change in difference.changes]


def test_what_is_applied_is_on_the_api_server(
    plane: ControlPlane, provider: KubernetesProvider, namespace: str
) -> None:
    state = provider.kind(CONFIG_MAP).create(asked(CONFIG_MAP, config_map(namespace, a="1")))
    live = plane.client.get("v1", "ConfigMap", "settings", namespace)
    assert live is not None and live["data"] == {"a": "1"}
    assert state.id == f"{namespace}/settings"
    assert state.outputs["metadata"]["uid"] == live["metadata"]["uid"]


def test_a_refusal_is_the_api_servers_own_words(provider: KubernetesProvider, namespace: str) -> None:
    wrong = asked(CONFIG_MAP, {**config_map(namespace), "datta": {}})
    with pytest.raises(Exception, match="datta: field not declared in schema") as caught:
        provider.kind(CONFIG_MAP).create(wrong)
    assert isinstance(provider.translate(caught.value, wrong), ProviderError)


def test_a_preview_asks_the_api_server_and_changes_nothing(
    plane: ControlPlane, provider: KubernetesProvider, namespace: str
) -> None:
    assert "datta" in (provider.preview_refusal(asked(CONFIG_MAP, {**config_map(namespace), "datta": {}})) or "")
    assert provider.preview_refusal(asked(CONFIG_MAP, config_map(namespace, a="1"))) is None
    assert plane.client.get("v1", "ConfigMap", "settings", namespace) is None


@pytest.mark.parametrize("data", [{"a": UNKNOWN}, {}], ids=["unknown", "no-namespace"])
def test_a_preview_waits_for_what_may_come_yet(provider: KubernetesProvider, data: dict[str, Any]) -> None:
    assert provider.preview_refusal(asked(CONFIG_MAP, {**config_map("not-there-yet"), "data": data})) is None


def test_a_workload_is_waited_for_and_then_as_it_was_asked_for(
    plane: ControlPlane, provider: KubernetesProvider, namespace: str
) -> None:
    inputs = workload(namespace)
    state = provider.kind(DEPLOYMENT).create(asked(DEPLOYMENT, inputs))
    assert state.outputs["status"]["readyReplicas"] == 1
    plane.client.patch("apps/v1", "Deployment", "web", {"spec": {"replicas": 2}}, namespace, "scale")
    again = provider.kind(DEPLOYMENT).read(asked(DEPLOYMENT, inputs, state))
    assert again is not None and again.inputs is None
    assert changes(provider, asked(DEPLOYMENT, inputs, again), inputs) == []


def test_a_workload_that_never_starts_is_told_with_the_schedulers_reason(
    provider: KubernetesProvider, namespace: str
) -> None:
    inputs = workload(namespace, selector={"no": "such-node"})
    with pytest.raises(
        ProviderError, match=r"did not become ready within 2 s: 0 of 1 replicas.*node affinity/selector"
    ):
        provider.kind(DEPLOYMENT).create(asked(DEPLOYMENT, inputs, seconds=2))


def test_what_another_changed_shows_after_a_refresh(
    plane: ControlPlane, provider: KubernetesProvider, namespace: str
) -> None:
    inputs = config_map(namespace, a="1")
    state = provider.kind(CONFIG_MAP).create(asked(CONFIG_MAP, inputs))
    plane.client.patch("v1", "ConfigMap", "settings", {"data": {"a": "2", "b": "new"}}, namespace)
    found = provider.kind(CONFIG_MAP).read(asked(CONFIG_MAP, inputs, state))
    assert found is not None and found.inputs is not None
    assert found.inputs["data"] == {"a": "2"}
    assert changes(provider, asked(CONFIG_MAP, inputs, found), inputs) == ["data.a"]


def test_a_field_that_another_manager_owns_is_a_conflict(
    plane: ControlPlane, provider: KubernetesProvider, namespace: str
) -> None:
    plane.client.apply(config_map(namespace, a="theirs"), manager="another")
    with pytest.raises(Exception, match='conflict with "another"'):
        provider.kind(CONFIG_MAP).create(asked(CONFIG_MAP, config_map(namespace, a="ours")))


def test_a_deletion_takes_what_it_made_and_is_waited_for(
    plane: ControlPlane, provider: KubernetesProvider, namespace: str
) -> None:
    inputs = workload(namespace)
    state = provider.kind(DEPLOYMENT).create(asked(DEPLOYMENT, inputs))
    provider.kind(DEPLOYMENT).delete(asked(DEPLOYMENT, inputs, state))
    assert provider.kind(DEPLOYMENT).read(asked(DEPLOYMENT, inputs, state)) is None
    assert plane.client.list("v1", "Pod", namespace) == []


def test_a_service_whose_selector_finds_no_pod_is_not_ready(provider: KubernetesProvider, namespace: str) -> None:
    token = "kubernetes:core/v1:Service"
    inputs = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"selector": {"app": "nobody"}, "ports": [{"port": 80}]},
    }
    with pytest.raises(ProviderError, match="its selector finds no ready pod"):
        provider.kind(token).create(asked(token, inputs, seconds=1))
