"""What stacks show: the program dumps the model's shape, and `ops` reads it back or says what is wrong with it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

import pulumi
import pytest
from pydantic import BaseModel

from common.errors import UserError
from common.paths import repo_root
from components.contracts.variants import STABLE
from ops.deployed import TargetName, read_outputs
from ops.plan.planner import plan_program
from policies.inventory import SECRET, Inventory
from stacks.export import shown
from stacks.files import platform_names
from stacks.outputs import NOT_VALUES, Outputs, StackOutputs, VariantOutputs


def declared(model: type[BaseModel], path: str = "") -> Iterator[str]:
    """Paths of every value that a model declares."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from declared(kind, f"{path}{name}.")
        elif part := _part_of(kind):
            yield from declared(part, f"{path}{name}.*.")
        else:
            yield f"{path}{name}"


def _part_of(kind: Any) -> type[BaseModel] | None:
    """The model that a mapping of parts by name has; none for all else."""
    kinds = get_args(kind)
    return kinds[1] if len(kinds) == 2 and isinstance(kinds[1], type) and issubclass(kinds[1], BaseModel) else None


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Paths and values of plain data."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from leaves(item, f"{path}{name}.")
    else:
        yield path.removesuffix("."), value


def example(model: type[BaseModel]) -> dict[str, Any]:
    """Values of a model's shape."""
    fields = {name: field.annotation for name, field in model.model_fields.items()}
    return {name: _example(name, kind) for name, kind in fields.items()}


def _example(name: str, kind: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return example(kind)
    if part := _part_of(kind):
        return {STABLE if part is VariantOutputs else name: example(part)}
    return 1 if kind is int else [name] if get_origin(kind) is tuple else name


@pytest.fixture
def whole() -> dict[str, Any]:
    """The outputs of a stack that is up, as Pulumi gives them."""
    found = example(StackOutputs)
    found |= {"cloud": "aws", "environment": "dev"}
    found["feature_store"] |= {"kind": "dynamodb", "environment": {"SEAWALL_FEATURES_TABLE": "features"}}
    return found


@pytest.mark.parametrize("stack", platform_names())
def test_a_stack_puts_out_what_the_model_declares(plans: dict[str, Inventory], stack: str) -> None:
    mapping = "feature_store.environment"
    named = re.compile(r"(?<=\bservices\.|\bvariants\.)[^.]+")
    paths = (named.sub("*", path) for path, _ in leaves(plans[stack].outputs))
    found = {mapping if path.startswith(mapping) else path for path in paths}
    assert found == set(declared(StackOutputs))


@pytest.mark.parametrize("stack", platform_names())
def test_no_output_is_a_secret(plans: dict[str, Inventory], stack: str) -> None:
    assert SECRET not in dict(leaves(plans[stack].outputs)).values()


def test_what_a_model_does_not_declare_is_not_put_out() -> None:
    class Store(Outputs):
        name: str

    found: list[dict[str, Any]] = []
    plan_program(
        lambda: found.append(shown(Store, {"name": "cache", "auth": pulumi.Output.secret("canary")})), "test"
    )
    assert found == [{"name": "cache"}]


def test_a_secret_that_is_put_out_shows_in_the_plan() -> None:
    class Store(Outputs):
        auth: str

    def program() -> None:
        pulumi.export("store", shown(Store, {"auth": pulumi.Output.secret("canary")}))

    assert SECRET in dict(leaves(plan_program(program, "test").outputs)).values()


def test_what_nothing_gives_is_an_error_of_the_program() -> None:
    with pytest.raises(TypeError, match="StackOutputs declares 'cloud'"):
        shown(StackOutputs, {})


def test_a_deployed_stacks_outputs_are_read_as_they_are(whole: dict[str, Any]) -> None:
    assert json.loads(read_outputs("dev-aws", whole, "local").model_dump_json()) == whole


@pytest.mark.parametrize(
    ("target", "command"), [("local", "seawall local up dev-aws"), ("cloud", "pulumi up --stack dev-aws")]
)
def test_a_stack_without_outputs_is_not_up(target: TargetName, command: str) -> None:
    with pytest.raises(UserError, match="is not up") as caught:
        read_outputs("dev-aws", {}, target)
    assert command in caught.value.remedy


@pytest.mark.parametrize("missing", sorted(StackOutputs.model_fields))
def test_outputs_that_lack_a_part_name_it(whole: dict[str, Any], missing: str) -> None:
    del whole[missing]
    with pytest.raises(UserError, match=f"{missing} is missing") as caught:
        read_outputs("dev-aws", whole, "local")
    assert "seawall local up dev-aws" in caught.value.remedy


def test_outputs_of_another_version_name_what_is_not_known_here(whole: dict[str, Any]) -> None:
    whole["fleet"]["canary_service"] = "triton-canary"
    with pytest.raises(UserError, match=r"fleet\.canary_service is not known here"):
        read_outputs("dev-aws", whole, "local")


@pytest.mark.parametrize("stand_in", sorted(NOT_VALUES))
@pytest.mark.parametrize(("part", "name"), [("cluster", "id"), ("feature_store", "environment")])
def test_what_stands_for_a_value_is_none(whole: dict[str, Any], part: str, name: str, stand_in: str) -> None:
    whole[part][name] = stand_in if name == "id" else {"SEAWALL_FEATURES_HOST": stand_in}
    with pytest.raises(UserError, match=rf"{part}\.{name}"):
        read_outputs("dev-aws", whole, "local")


def test_many_faults_are_counted() -> None:
    with pytest.raises(UserError, match="and 17 more"):
        read_outputs("dev-aws", {"bucket": "canary-value", "cloud": "azure", "port": 1}, "local")


def test_a_fault_does_not_repeat_the_value(whole: dict[str, Any]) -> None:
    whole["feature_store"]["entry_ttl_hours"] = "canary-value"
    with pytest.raises(UserError) as caught:
        read_outputs("dev-aws", whole, "local")
    assert "canary-value" not in str(caught.value)


def by_name(source: str) -> list[str]:
    """Where code takes outputs apart by names in strings."""
    return [
        ast.unparse(node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
        and ast.unparse(node.value).rpartition(".")[2].rstrip("()").endswith("outputs")
    ]


def test_no_command_takes_outputs_apart_by_names() -> None:
    modules = sorted((repo_root() / "ops").rglob("*.py"))
    assert len(modules) > 50
    assert not {str(path): found for path in modules if (found := by_name(path.read_text(encoding="utf-8")))}


@pytest.mark.parametrize(
    "code", ["outputs['keys']['data']", "self._a.outputs['region']", "local.outputs()['backup']"]
)
def test_code_that_takes_outputs_apart_by_names_is_found(code: str) -> None:
    assert by_name(code)
