"""The protocol's promises: checks, previews, secrets and errors, seen through the Kubernetes provider."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2

from localcloud.providers.base import Kind, LocalProvider, ProviderError
from localcloud.providers.store import Store
from localcloud.providers.values import UNKNOWN, decode, encode

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
SECRET = "kubernetes:core/v1:Secret"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"


def config_map(**data: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": data}


class Failing(LocalProvider):
    """A provider whose every operation fails as told."""

    package = "kubernetes"

    def __init__(self, store: Store, error: Exception) -> None:
        super().__init__(store)
        self.error = error

    def kind(self, token: str) -> Kind:
        raise self.error

    def replace_on(self, token: str) -> Iterable[str]:
        return ()


def test_a_misspelt_argument_is_a_check_failure_that_names_it(caller: Any) -> None:
    failures = caller.check(CONFIG_MAP, {"apiVersion": "v1", "kind": "ConfigMap", "dota": {}})
    assert [path for path, _ in failures] == ["dota"]
    assert "data" in failures[0][1]


def test_a_wrong_type_is_a_check_failure_that_names_its_path(caller: Any) -> None:
    spec = {"replicas": "many", "selector": {}, "template": {}}
    assert [path for path, _ in caller.check(DEPLOYMENT, {"spec": spec})] == ["spec.replicas"]


def test_a_preview_of_a_creation_leaves_computed_outputs_unknown(caller: Any) -> None:
    outputs = caller.values(caller.create(DEPLOYMENT, {"spec": {}}, preview=True).properties)
    assert outputs["status"] is UNKNOWN


def test_a_preview_creates_nothing(caller: Any, store: Store) -> None:
    caller.create(CONFIG_MAP, config_map(a="b"), preview=True)
    assert list(store.all()) == []


def test_inputs_are_echoed(caller: Any) -> None:
    outputs = caller.values(caller.create(CONFIG_MAP, config_map(a="b")).properties)
    assert outputs["data"] == {"a": "b"}


def test_a_secret_input_comes_back_secret(caller: Any) -> None:
    made = caller.create(CONFIG_MAP, config_map(a="b"), secrets=frozenset({("data", "a")}))
    assert decode(made.properties).secrets == {("data", "a")}


def test_the_data_of_a_kubernetes_secret_is_always_secret(caller: Any) -> None:
    made = caller.create(SECRET, {"metadata": {"name": "s"}, "stringData": {"k": "v"}})
    assert decode(made.properties).secrets == {("stringData",)}


def test_what_was_created_is_read_back(caller: Any) -> None:
    inputs = config_map(a="b")
    made = caller.create(CONFIG_MAP, inputs)
    found = caller.read(CONFIG_MAP, made.id, inputs, caller.values(made.properties))
    assert (found.id, caller.values(found.properties)) == (made.id, caller.values(made.properties))


def test_what_is_gone_reads_as_gone(caller: Any, store: Store) -> None:
    made = caller.create(CONFIG_MAP, config_map(a="b"))
    store.delete(CONFIG_MAP, made.id)
    assert caller.read(CONFIG_MAP, made.id, {}, {}).id == ""


def test_a_second_object_of_the_same_name_is_refused(caller: Any, refused: type[Exception]) -> None:
    caller.create(CONFIG_MAP, config_map(a="b"))
    with pytest.raises(refused, match="exists already"):
        caller.create(CONFIG_MAP, config_map(a="b"), name="another")


def test_an_object_in_a_namespace_that_does_not_exist_is_refused(caller: Any, refused: type[Exception]) -> None:
    inputs = {**config_map(a="b"), "metadata": {"name": "settings", "namespace": "nowhere"}}
    with pytest.raises(refused, match=r"ConfigMap 'x', argument 'metadata.namespace': .*nowhere"):
        caller.create(CONFIG_MAP, inputs)


def test_a_refusal_names_the_resource_and_the_argument(
    caller_of: Callable[[LocalProvider], Any], store: Store, refused: type[Exception]
) -> None:
    failing = caller_of(Failing(store, ProviderError("too long", "metadata.name")))
    with pytest.raises(refused, match=r"^kubernetes:core/v1:ConfigMap 'x', argument 'metadata.name': too long$"):
        failing.create(CONFIG_MAP, {})


def test_an_unforeseen_error_is_told_and_not_raised(
    caller_of: Callable[[LocalProvider], Any], store: Store, refused: type[Exception]
) -> None:
    failing = caller_of(Failing(store, ZeroDivisionError("division by zero")))
    with pytest.raises(refused, match="ConfigMap 'x': ZeroDivisionError: division by zero"):
        failing.create(CONFIG_MAP, {})


def test_an_input_that_is_still_unknown_in_an_update_is_refused(caller: Any, refused: type[Exception]) -> None:
    with pytest.raises(refused, match="argument 'data': is still unknown"):
        caller.create(CONFIG_MAP, config_map(a=UNKNOWN))


@pytest.mark.parametrize(
    ("before", "after", "replaces"),
    [
        ({}, {}, True),
        ({"clusterIdentifier": "a"}, {"clusterIdentifier": "a"}, False),
        ({"clusterIdentifier": "a"}, {"clusterIdentifier": "b"}, True),
    ],
)
def test_a_new_address_replaces_all_objects_unless_the_cluster_is_identified(
    caller: Any, before: dict[str, str], after: dict[str, str], replaces: bool
) -> None:
    request = provider_pb2.DiffRequest(
        old_inputs=encode({"kubeconfig": "old", **before}), news=encode({"kubeconfig": "new", **after})
    )
    assert bool(caller.call("DiffConfig", request).replaces) is replaces
