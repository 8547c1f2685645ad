"""Claims about the objects of every platform: their cluster's version admits them, strictly and without a warning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from components.contracts.vocabulary import Cloud
from localcloud.cluster import ControlPlane, RefusedError, define_all, furnish
from ops.rehearse.laying import charts_of
from policies.inventory import SECRET, UNKNOWN, Inventory
from stacks.files import platform_names

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("cluster")]


@pytest.fixture(scope="module")
def furnished(plane: ControlPlane, plans: dict[str, Inventory]) -> Iterator[ControlPlane]:
    furnish(plane, Cloud.GCP)
    define_all(plane.client, sorted({chart for inventory in plans.values() for chart in charts_of(inventory)}))
    yield plane
    plane.client.delete("apps/v1", "DaemonSet", "node-agents", "kube-system")


def filled(value: Any) -> Any:
    """With a word where only a provider would know the value."""
    if value in (UNKNOWN, SECRET):
        return "known-later"
    if isinstance(value, Mapping):
        return {key: filled(each) for key, each in value.items()}
    return [filled(each) for each in value] if isinstance(value, list) else value


def objects(inventory: Inventory) -> list[dict[str, Any]]:
    found = [filled(dict(r.inputs)) for r in inventory.resources if r.custom and "apiVersion" in r.inputs]
    for manifest in found:
        if isinstance(manifest.get("stringData"), str):  # a secret is hidden as a whole
            manifest["stringData"] = {"hidden": manifest["stringData"]}
    return sorted(found, key=lambda manifest: manifest["kind"] != "Namespace")


def objections(plane: ControlPlane, manifests: list[dict[str, Any]]) -> list[str]:
    """What the API server refuses or warns of; only namespaces are made."""
    told: list[str] = []
    for manifest in manifests:
        name = f"{manifest['kind']} {manifest['metadata']['name']}"
        try:
            answer = plane.client.apply(manifest, dry_run=manifest["kind"] != "Namespace")
        except RefusedError as error:
            told.append(f"{name}: {error.message}")
        else:
            told += [f"{name}: {warning}" for warning in answer.warnings]
    return told


@pytest.mark.parametrize("stack", platform_names())
def test_every_object_of_a_platform_is_admitted_without_a_warning(
    furnished: ControlPlane, plans: dict[str, Inventory], stack: str
) -> None:
    manifests = objects(plans[stack])
    assert len(manifests) > 20
    assert objections(furnished, manifests) == []


def fleet(plans: dict[str, Inventory], stack: str) -> list[dict[str, Any]]:
    return [m for m in objects(plans[stack]) if m["kind"] in ("Namespace", "Deployment")]


def test_a_field_that_kubernetes_does_not_have_is_objected_to(
    furnished: ControlPlane, plans: dict[str, Inventory]
) -> None:
    manifests = fleet(plans, "dev-aws")
    manifests[-1]["spec"]["template"]["spec"]["hostNetwrk"] = True
    assert any("hostNetwrk" in told for told in objections(furnished, manifests))


def test_a_container_that_may_be_root_is_objected_to(furnished: ControlPlane, plans: dict[str, Inventory]) -> None:
    manifests = fleet(plans, "dev-aws")
    pods = [m["spec"]["template"]["spec"] for m in manifests if m["kind"] == "Deployment"]
    for container in (container for pod in pods for container in pod["containers"]):
        container.pop("securityContext", None)
    assert any("would violate PodSecurity" in told for told in objections(furnished, manifests))


def test_a_field_that_gke_does_not_have_is_objected_to(furnished: ControlPlane, plans: dict[str, Inventory]) -> None:
    (compute_class,) = [m for m in objects(plans["dev-gcp"]) if m["kind"] == "ComputeClass"]
    compute_class["spec"]["whenUnsatisfied"] = "DoNotScaleUp"
    assert any("whenUnsatisfied" in told for told in objections(furnished, [compute_class]))
