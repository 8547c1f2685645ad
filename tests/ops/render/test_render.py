"""A stack's objects as files: the plan's objects, no more and no less, and nothing over what is not ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from common.errors import UserError
from common.marks import SECRET, UNKNOWN
from ops.plan.planner import plan_stack
from ops.render import folder
from ops.render.manifests import CRDS, MARK, RELEASE, Rendering, as_yaml, name_of, planned, render
from ops.render.report import text
from ops.render.validation import strict, validate
from policies.inventory import Inventory, Resource

KUBERNETES = "1.35"


@pytest.fixture(scope="module", params=["dev-aws", "prod-gcp"])
def inventory(request: pytest.FixtureRequest) -> Inventory:
    return plan_stack(request.param)


@pytest.fixture(scope="module")
def rendering(inventory: Inventory) -> Rendering:
    return render(inventory, KUBERNETES)


def read(document: str) -> Any:
    return YAML(typ="safe", pure=True).load(document)


def marked(value: Any) -> Any:
    """A plan's value as a file has it."""
    if value in (UNKNOWN, SECRET):
        return MARK
    if isinstance(value, Mapping):
        return {key: marked(item) for key, item in value.items()}
    return [marked(item) for item in value] if isinstance(value, list) else value


def test_every_object_of_the_plan_is_a_file_with_the_same_content(inventory: Inventory, rendering: Rendering) -> None:
    wanted = {name_of(r.inputs): marked(dict(r.inputs)) for r in planned(inventory) if r.inputs["kind"] != "Secret"}
    files = (rendering.files[path] for path in rendering.objects)
    found = {name_of(item): item for item in map(read, files)}
    assert found == wanted and len(found) > 20


def test_what_a_plan_does_not_know_is_marked_and_listed(inventory: Inventory, rendering: Rendering) -> None:
    asked = {(name_of(r.inputs), path) for r in planned(inventory) for path in r.unknown_paths if not r.secret_paths}
    assert {(gap.object, gap.path) for gap in rendering.unknown if not gap.object.startswith("chart ")} == asked
    assert sum(document.count(MARK) for document in rendering.files.values()) == len(rendering.unknown)


def test_no_secret_is_written(rendering: Rendering) -> None:
    assert not any(item["kind"] == "Secret" for item in rendering.objects.values())
    assert not any(SECRET in document for document in rendering.files.values())
    if rendering.stack.endswith("gcp"):
        assert [each.object for each in rendering.withheld] == ["Secret serving/feature-store"]


def test_the_kustomization_names_each_file_once_and_namespaces_first(rendering: Rendering) -> None:
    named = read(rendering.files["kustomization.yaml"])["resources"]
    assert sorted(named) == sorted(path for path in rendering.objects if not path.startswith(CRDS))
    kinds = [rendering.objects[path]["kind"] for path in named]
    assert set(kinds[: kinds.count("Namespace")]) == {"Namespace"} and kinds[-1] == "APIService"


def test_the_order_of_the_plan_does_not_matter(inventory: Inventory, rendering: Rendering) -> None:
    turned = replace(inventory, resources=tuple(reversed(inventory.resources)))
    again = render(turned, KUBERNETES)
    assert list(again.files.items()) == list(rendering.files.items())


def test_words_that_yaml_takes_for_something_else_stay_words() -> None:
    item = {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "data": {"a": "on", "b": "0644", "c": "1e3", "d": "x\ny\n", "e": ""},
    }
    assert read(as_yaml(item)) == item


def test_a_chart_is_a_file_with_what_helm_needs_and_no_object() -> None:
    inputs = {
        "name": "door",
        "namespace": "doors",
        "chart": "oci://r/c@sha256:1",
        "version": "v1",
        "values": {"a": 1},
    }
    release = Resource(
        urn="urn:r", type=RELEASE, name="door", custom=True, inputs={**inputs, "atomic": True, "timeout": 900}
    )
    made = render(Inventory("s", {}, (release,)), KUBERNETES)
    assert read(made.files["charts/door.yaml"]) == inputs and not made.objects
    assert read(made.files["kustomization.yaml"])["resources"] == []
    assert "charts/door.yaml: oci://r/c@sha256:1" in text(made, validate(made), Path("out"), [])


# Values of a deployed stack


def deployed(inventory: Inventory) -> dict[str, Any]:
    resources = (*planned(inventory), *inventory.of_type(RELEASE))
    return {r.urn: json.loads(json.dumps(dict(r.inputs)).replace(UNKNOWN, "known now")) for r in resources}


def test_a_deployed_stack_fills_what_the_plan_does_not_know(inventory: Inventory) -> None:
    filled = render(inventory, KUBERNETES, deployed(inventory))
    assert not filled.unknown and not any(MARK in document for document in filled.files.values())
    assert any("known now" in document for document in filled.files.values())


def test_a_deployed_stack_changes_nothing_that_the_plan_knows(inventory: Inventory, rendering: Rendering) -> None:
    other = {urn: {**inputs, "spec": {"replicas": 99}} for urn, inputs in deployed(inventory).items()}
    assert not any(
        "99" in json.dumps(item["spec"])
        for item in render(inventory, KUBERNETES, other).objects.values()
        if item["kind"] == "Service"
    )
    assert render(inventory, KUBERNETES, other).objects.keys() == rendering.objects.keys()


def test_a_stack_that_lacks_an_object_is_refused(inventory: Inventory) -> None:
    with pytest.raises(UserError, match="has no") as refused:
        render(inventory, KUBERNETES, {})
    assert "Deploy" in refused.value.remedy


# Validation


def changed(rendering: Rendering, kind: str, change: Any) -> Rendering:
    objects = json.loads(json.dumps(dict(rendering.objects)))
    change(next(item for item in objects.values() if item["kind"] == kind))
    return replace(rendering, objects=objects)


def test_what_the_plan_has_is_valid_for_its_version(rendering: Rendering) -> None:
    found = validate(rendering)
    groups = {rendering.objects[path]["apiVersion"] for path in rendering.objects}
    known = {item["apiVersion"] for item in rendering.objects.values() if name_of(item) not in found.unjudged}
    # Without what charts bring, only kinds that Kubernetes does not have are not judged.
    assert not found.faults and all("." in group.split("/")[0] for group in groups - known)


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        ("Deployment", lambda item: item["spec"].update(replicaz=2), "replicaz"),
        ("Service", lambda item: item["spec"]["ports"][0].update(port="eighty"), "eighty"),
        ("HorizontalPodAutoscaler", lambda item: item["spec"].pop("maxReplicas"), "maxReplicas"),
    ],
)
def test_what_the_version_does_not_take_is_a_fault(rendering: Rendering, kind: str, change: Any, said: str) -> None:
    found = validate(changed(rendering, kind, change))
    assert len(found.faults) == 1 and said in found.faults[0].said and kind in found.faults[0].object


@pytest.mark.parametrize(
    ("kind", "api_version"),
    [("HorizontalPodAutoscaler", "autoscaling/v2beta2"), ("Deployment", "extensions/v1beta1"), ("Service", "v2")],
)
def test_a_kind_of_kubernetes_own_that_the_version_does_not_have_is_a_fault(
    rendering: Rendering, kind: str, api_version: str
) -> None:
    found = validate(changed(rendering, kind, lambda item: item.update(apiVersion=api_version)))
    [fault] = found.faults
    assert fault.said == f"Kubernetes {KUBERNETES} has no {api_version} {kind}"


def test_a_kind_that_no_group_of_kubernetes_has_is_named_as_not_validated(rendering: Rendering) -> None:
    found = validate(changed(rendering, "Deployment", lambda item: item.update(apiVersion="example.com/v1")))
    assert not found.faults
    assert any(name.startswith("Deployment ") for name in found.unjudged)


def test_a_version_without_schemas_is_refused(rendering: Rendering) -> None:
    with pytest.raises(UserError, match=r"no schemas of Kubernetes 1\.99"):
        validate(replace(rendering, kubernetes="1.99"))


DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "doors.example.org"},
    "spec": {
        "group": "example.org",
        "scope": "Namespaced",
        "names": {"kind": "Door", "plural": "doors"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "required": ["port"],
                                "properties": {
                                    "port": {"x-kubernetes-int-or-string": True},
                                    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                                    "more": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                                },
                            }
                        },
                    }
                },
            }
        ],
    },
}


def made(spec: dict[str, Any]) -> Rendering:
    door = {"apiVersion": "example.org/v1", "kind": "Door", "metadata": {"name": "d", "namespace": "n"}, "spec": spec}
    resources = [
        Resource(urn=f"urn:{n}", type="kubernetes:x", name=str(n), custom=True, inputs=item)
        for n, item in enumerate((door, DEFINITION))
    ]
    return render(Inventory("s", {}, tuple(resources)), KUBERNETES)


def test_definitions_of_kinds_lie_apart_and_come_first() -> None:
    files = made({"port": 1}).files
    assert read(files["crds/kustomization.yaml"])["resources"] == ["customresourcedefinition-doors.example.org.yaml"]
    assert read(files["kustomization.yaml"])["resources"] == ["n/door-d.yaml"]


@pytest.mark.parametrize(
    ("spec", "faults"),
    [
        ({"port": 1}, 0),
        ({"port": "http", "labels": {"any": "word"}, "more": {"any": [1]}}, 0),
        ({}, 1),
        ({"port": 1, "prot": 2}, 1),
        ({"port": True}, 1),
        ({"port": 1, "labels": {"a": 1}}, 1),
    ],
)
def test_objects_of_other_kinds_are_held_to_their_definition(spec: dict[str, Any], faults: int) -> None:
    assert len(validate(made(spec)).faults) == faults


def test_a_schema_that_may_be_null_takes_null() -> None:
    assert strict({"type": "string", "nullable": True})["type"] == ["string", "null"]


# The folder


def test_a_rendering_is_written_and_is_then_no_difference(rendering: Rendering, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    folder.check_ours(out, rendering.stack)
    folder.write(out, rendering)
    assert folder.differences(out, rendering) == []
    assert {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()} == {*rendering.files, folder.RECORD}
    assert [p.name for p in out.parent.iterdir()] == ["out"]


def test_an_earlier_rendering_is_replaced_whole(rendering: Rendering, tmp_path: Path) -> None:
    out = tmp_path / "out"
    folder.write(out, rendering)
    fewer = replace(rendering, files={"kustomization.yaml": "resources: []\n"}, objects={})
    assert len(folder.differences(out, fewer)) > 20
    folder.check_ours(out, rendering.stack)
    folder.write(out, fewer)
    assert folder.differences(out, fewer) == []


def foreign(out: Path) -> None:
    (out / "serving" / "mine.yaml").write_text("mine")


def edited(out: Path) -> None:
    (out / "kustomization.yaml").write_text("resources: []\n")


def unrecorded(out: Path) -> None:
    (out / folder.RECORD).write_text("{}")


@pytest.mark.parametrize(
    ("change", "said"), [(foreign, "mine.yaml"), (edited, "kustomization.yaml"), (unrecorded, "no rendering wrote")]
)
def test_what_is_not_of_a_rendering_is_never_written_over(
    rendering: Rendering, tmp_path: Path, change: Any, said: str
) -> None:
    out = tmp_path / "out"
    folder.write(out, rendering)
    change(out)
    with pytest.raises(UserError, match=said):
        folder.check_ours(out, rendering.stack)
    assert folder.differences(out, rendering)


def test_another_stacks_folder_is_refused(rendering: Rendering, tmp_path: Path) -> None:
    out = tmp_path / "out"
    folder.write(out, rendering)
    with pytest.raises(UserError, match=f"rendering of {rendering.stack}"):
        folder.check_ours(out, "another")


def test_a_file_and_a_link_are_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("file", "link"):
        with pytest.raises(UserError, match="no folder"):
            folder.check_ours(tmp_path / name, "dev-aws")


def test_a_write_that_fails_leaves_what_was_there(rendering: Rendering, tmp_path: Path) -> None:
    out = tmp_path / "out"
    folder.write(out, rendering)
    with pytest.raises(OSError, match="too long"):
        folder.write(out, replace(rendering, files={**rendering.files, "a/" + "x" * 300: ""}))
    assert folder.differences(out, rendering) == [] and [p.name for p in tmp_path.iterdir()] == ["out"]


def test_the_report_names_what_is_missing(rendering: Rendering) -> None:
    said = text(rendering, validate(rendering), Path("out"), [])
    assert f"{len(rendering.unknown)} values are known when the stack is deployed" in said
    assert all(each.object in said for each in rendering.withheld)
