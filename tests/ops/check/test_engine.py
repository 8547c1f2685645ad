"""The real engine, previewing a stack with the policy pack, sees the inventory and gives the verdict of the plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from common.console import Steps
from ops.local.session import JudgedPreview, LocalCloud, open_local
from ops.plan.planner import plan_stack
from policies import waivers
from policies.inventory import Inventory, Resource
from policies.verdicts import judge
from stacks.settings import CONFIG_KEY, stack_names

engine = pytest.mark.engine


@dataclass(frozen=True)
class Seen:
    """A stack held on a local cloud of its own, as the engine previewed it and as it is planned."""

    local: LocalCloud
    scratch: Path
    preview: JudgedPreview
    plan: Inventory


@pytest.fixture(
    scope="module", params=[pytest.param(s, marks=pytest.mark.xdist_group(f"judged-{s}")) for s in stack_names()]
)
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    scratch = tmp_path_factory.mktemp(request.param)
    with open_local(request.param, Steps(), home=scratch / "local", keep=False) as local:
        # The local copy of the settings also trusts this machine's own key.
        plan = plan_stack(request.param, local.workspace.config_file)
        yield Seen(local, scratch, local.judged_preview(scratch), plan)


def differences(planned: Inventory, engine: Inventory) -> list[str]:
    """Every field in which two inventories of one stack differ.

    The order of the resources is the engine's own; it tells neither aliases nor where a resource was made
    (`policies.engine.NOT_SHOWN`).
    """
    found = [f"{urn}: only one has it" for urn in planned.by_urn.keys() ^ engine.by_urn.keys()]
    for urn in planned.by_urn.keys() & engine.by_urn.keys():
        pair = planned.by_urn[urn], engine.by_urn[urn]
        for name in (field.name for field in fields(Resource) if field.compare and field.name != "aliases"):
            one, other = (getattr(resource, name) for resource in pair)
            found += [f"{urn}: {name}: {one} | {other}"] if one != other else []
    for name in ("stack", "settings", "outputs"):
        one, other = getattr(planned, name), getattr(engine, name)
        found += [f"{name}: {one} | {other}"] if one != other else []
    return sorted(found)


def by_resource(verdict: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    return {(f["rule"], f["urn"]): f["verdict"] for f in verdict["findings"]}


def offline(plan: Inventory) -> dict[tuple[str, str], str]:
    return by_resource(judge(plan, waivers.load(), date.today()).to_json())


@engine
def test_the_engine_and_the_plan_give_the_same_inventory(seen: Seen) -> None:
    assert differences(seen.plan, seen.preview.inventory) == []


@engine
def test_the_engine_and_the_plan_give_the_same_verdicts(seen: Seen) -> None:
    assert by_resource(seen.preview.verdict) == offline(seen.plan)
    assert seen.preview.refusal == ""


@engine
@pytest.mark.parametrize(
    "seen", [pytest.param("dev-aws", marks=pytest.mark.xdist_group("judged-dev-aws"))], indirect=True
)
def test_a_violation_ends_the_preview_and_names_rule_and_resource(seen: Seen) -> None:
    written = seen.local.workspace.config_file.read_text()
    yaml = YAML()
    config = yaml.load(written)
    config["config"][CONFIG_KEY]["keys"] = {"deletion_window_days": 7}
    yaml.dump(config, seen.local.workspace.config_file)
    try:
        inside = seen.local.judged_preview(seen.scratch)
    finally:
        seen.local.workspace.config_file.write_text(written)
    assert {v["rule"] for v in inside.verdict["violations"]} == {"aws-kms-slow-deletion"}
    assert "aws-kms-slow-deletion" in inside.refusal and "deletionWindowInDays is 7" in inside.refusal


@engine
def test_the_verdicts_stay_the_same_once_the_stack_is_deployed_and_its_ids_are_known(
    deployed: Callable[[str, Path], Path], plans: dict[str, Inventory], tmp_path: Path
) -> None:
    with open_local("dev-aws", Steps(), home=deployed("dev-aws", tmp_path / "local"), keep=False) as local:
        inside = local.judged_preview(tmp_path)
    assert by_resource(inside.verdict) == offline(plans["dev-aws"])


FAULTS: Mapping[str, Callable[[Resource], Resource]] = {
    "a link": lambda r: replace(r, property_dependencies=dict(list(r.property_dependencies.items())[1:])),
    "a dependency": lambda r: replace(r, dependencies=r.dependencies[1:]),
    "the region": lambda r: replace(r, region="eu-west-3"),
    "the parent": lambda r: replace(r, parent=None),
    "a secret": lambda r: replace(r, secret_paths=("tags",)),
    "an unknown": lambda r: replace(r, unknown_paths=()),
    "an input": lambda r: replace(r, inputs={**r.inputs, "forceDestroy": True}),
    "protect": lambda r: replace(r, protect=not r.protect),
    "retain_on_delete": lambda r: replace(r, retain_on_delete=not r.retain_on_delete),
}


@pytest.fixture
def planned(plans: dict[str, Inventory]) -> Inventory:
    return plans["dev-aws"]


@pytest.mark.parametrize("fault", FAULTS)
def test_an_inventory_that_differs_in_one_field_of_one_resource_is_another(planned: Inventory, fault: str) -> None:
    victim = next(r for r in planned.resources if r.unknown_paths and r.dependencies and r.property_dependencies)
    changed = tuple(FAULTS[fault](r) if r is victim else r for r in planned.resources)
    assert len(differences(planned, replace(planned, resources=changed))) == 1


def test_an_inventory_without_a_resource_is_another(planned: Inventory) -> None:
    assert len(differences(planned, replace(planned, resources=planned.resources[1:]))) == 1


@pytest.mark.parametrize("part", ["settings", "outputs"])
def test_an_inventory_of_other_settings_or_outputs_is_another(planned: Inventory, part: str) -> None:
    assert len(differences(planned, replace(planned, **{part: {}}))) == 1
