"""A plan file is read whole or refused with a plain error."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common.errors import UserError
from ops.check.plans import chosen, read_plans
from policies.inventory import Inventory


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """A plan file with this text."""

    def file(text: str) -> Path:
        path = tmp_path / "some-plan.json"
        path.write_text(text)
        return path

    return file


def test_one_object_on_each_line_is_read(plan_file: Path) -> None:
    assert [i.stack for i in read_plans(plan_file)] == ["dev-aws", "dev-gcp"]


def test_an_indented_list_is_read_too(plan_file: Path, write: Callable[[str], Path]) -> None:
    objects = [json.loads(line) for line in plan_file.read_text().splitlines()]
    assert read_plans(write(json.dumps(objects, indent=2))) == read_plans(plan_file)


def test_a_plan_cut_off_anywhere_is_refused(plan_file: Path, write: Callable[[str], Path]) -> None:
    text = plan_file.read_text().splitlines()[0]
    for length in range(1, len(text), 7):
        with pytest.raises(UserError, match=r"cut off|not JSON|not a plan"):
            read_plans(write(text[:length]))


def test_a_plan_cut_off_says_so(plan_file: Path, write: Callable[[str], Path]) -> None:
    with pytest.raises(UserError, match="cut off"):
        read_plans(write(plan_file.read_text()[:-40]))


@pytest.mark.parametrize("text", ["", " \n", "[]"])
def test_an_empty_plan_is_refused(write: Callable[[str], Path], text: str) -> None:
    with pytest.raises(UserError, match="empty"):
        read_plans(write(text))


@pytest.mark.parametrize("text", ["3", "{}", '{"stack": "x"}', "hello", '"text"'])
def test_what_is_no_plan_is_refused(write: Callable[[str], Path], text: str) -> None:
    with pytest.raises(UserError, match=r"not a plan|not JSON"):
        read_plans(write(text))


def _broken(change: Callable[[dict[str, Any]], object], inventory: Inventory) -> str:
    document = json.loads(json.dumps(inventory.to_json()))
    change(document)
    return json.dumps(document)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["resources"][0].pop("urn"),
        lambda d: d["resources"][0].update(inputs=[]),
        lambda d: d["resources"][0].update(dependencies=[1]),
        lambda d: d["resources"][0].update(property_dependencies={"a": "urn"}),
        lambda d: d.update(resources={}),
        lambda d: d.update(settings=None),
        lambda d: d["resources"].append(None),
    ],
)
def test_a_resource_of_another_shape_is_refused(
    clean: Inventory, write: Callable[[str], Path], change: Callable[[dict[str, Any]], object]
) -> None:
    with pytest.raises(UserError, match="not a plan"):
        read_plans(write(_broken(change, clean)))


def test_a_missing_file_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        read_plans(tmp_path / "none.json")
    assert refused.value.where.endswith("none.json")


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="not text"):
        read_plans(path)


def test_a_stack_twice_in_a_plan_is_refused(plan_file: Path, write: Callable[[str], Path]) -> None:
    with pytest.raises(UserError, match="twice"):
        read_plans(write(plan_file.read_text() * 2))


def test_a_stack_that_is_not_in_the_plan_is_refused(clean: Inventory) -> None:
    with pytest.raises(UserError, match="prod-aws"):
        chosen([clean], ["prod-aws"], "plan.json")


def test_naming_stacks_chooses_among_them(plan_file: Path) -> None:
    assert [i.stack for i in chosen(read_plans(plan_file), ["dev-gcp"], "plan")] == ["dev-gcp"]
