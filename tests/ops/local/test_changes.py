"""Each edit that would hurt a running stack: what the diff says of it is what the real engine does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from common.console import Steps
from common.errors import UserError
from ops.diff.model import StackDiff
from ops.diff.run import compare_all
from ops.local.session import LocalCloud, open_local
from policies.inventory import Inventory
from stacks.settings import CONFIG_KEY

pytestmark = pytest.mark.engine

Change = Mapping[str, Any]
PlanPlatform = Callable[..., Any]


@dataclass(frozen=True)
class Edit:
    """One edit of a development stack's settings, and how it may end."""

    settings: Change
    at_risk: frozenset[str] = frozenset()
    """Logical names of what the diff must call at risk; none: the edit is safe."""


SAFE: Mapping[str, Mapping[str, Edit]] = {
    "aws": {
        "max_nodes": Edit({"pools": {"gpu": {"max_nodes": 5}}}),
        "another zone": Edit({"zones": ["euc1-az1", "euc1-az2", "euc1-az3"]}),
        "capacity": Edit({"pools": {"gpu": {"capacity": ["on-demand", "spot"]}}}),
        "deletion window": Edit({"keys": {"deletion_window_days": 20}}),
    },
    "gcp": {
        "max_nodes": Edit({"pools": {"gpu": {"max_nodes": 5}}}),
        "another zone": Edit({"zones": ["europe-west4-a", "europe-west4-b", "europe-west4-c"]}),
        "zones in another order": Edit({"zones": ["europe-west4-c", "europe-west4-b"]}),
        "capacity": Edit({"pools": {"gpu": {"capacity": ["on-demand"]}}}),
    },
}
AT_RISK: Mapping[str, Mapping[str, Edit]] = {
    "aws": {"cidr": Edit({"network": {"cidr": "10.40.0.0/16"}}, frozenset({"vpc"}))},
    "gcp": {"cidr": Edit({"network": {"cidr": "10.40.0.0/16"}}, frozenset({"subnet", "cluster"}))},
}


@pytest.fixture(scope="module", params=["aws", "gcp"])
def stack(request: pytest.FixtureRequest) -> str:
    """The development stack of each cloud."""
    return f"dev-{request.param}"


@pytest.fixture(scope="module")
def home(stack: str, deployed: Callable[[str, Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of local stacks in which the stack is deployed."""
    return deployed(stack, tmp_path_factory.mktemp("stacks"))


@pytest.fixture
def opened(stack: str, home: Path) -> Iterator[LocalCloud]:
    """The deployed stack, whose changes are not kept."""
    with open_local(stack, Steps(), home=home, keep=False) as local:
        yield local


def merged(values: Change, changes: Change) -> dict[str, Any]:
    """`values` with those of `changes` over them."""
    return {
        **values,
        **{
            key: merged(values[key], change) if isinstance(change, Mapping) and key in values else change
            for key, change in changes.items()
        },
    }


def write(local: LocalCloud, committed: Change, changes: Change) -> None:
    """Edit the settings that the next preview or update reads."""
    with local.workspace.config_file.open("w", encoding="utf-8") as file:
        YAML(typ="safe").dump({"config": {CONFIG_KEY: merged(committed, changes)}}, file)


def committed(local: LocalCloud) -> Change:
    """The settings as they are."""
    return YAML(typ="safe").load(local.workspace.config_file.read_text(encoding="utf-8"))["config"][CONFIG_KEY]


def told(stack: str, plans: Mapping[str, Inventory], plan_edited: PlanPlatform, edit: Edit) -> StackDiff:
    """What `seawall diff` says of an edit."""
    [diff] = compare_all({stack: plans[stack]}, {stack: plan_edited(stack, edit.settings)})
    return diff


@pytest.fixture
def plan_edited(plans: Mapping[str, Inventory]) -> Callable[[str, Change], Inventory]:
    """Plans a committed stack with changed settings."""
    from ops.plan.planner import plan_program
    from stacks.compose import compose
    from stacks.settings import Settings

    def plan(stack: str, changes: Change) -> Inventory:
        settings = Settings.parse(merged(plans[stack].settings, changes), f"{stack}, edited")
        return plan_program(lambda: compose(settings).export(), stack, settings)

    return plan


def test_the_engine_does_what_the_diff_says(
    opened: LocalCloud, stack: str, plans: dict[str, Inventory], plan_edited: PlanPlatform
) -> None:
    cloud, now = stack.partition("-")[2], committed(opened)
    for name, edit in SAFE[cloud].items():
        diff = told(stack, plans, plan_edited, edit)
        write(opened, now, edit.settings)
        done = opened.preview().changes
        for action, op in (("replaced", "replace"), ("added", "create"), ("removed", "delete")):
            said = {change.resource.urn for change in diff.changes if change.action == action}
            assert {change.urn for change in done if change.op == op} == said, f"{name}: {action}"
        assert not diff.at_risk, name


def test_what_the_diff_calls_at_risk_the_engine_refuses_or_replaces(
    opened: LocalCloud, stack: str, plans: dict[str, Inventory], plan_edited: PlanPlatform
) -> None:
    now = committed(opened)
    for edit in AT_RISK[stack.partition("-")[2]].values():
        risky = {change.resource.name for change in told(stack, plans, plan_edited, edit).at_risk}
        write(opened, now, edit.settings)
        try:
            replaced = {change.name for change in opened.preview().changes if change.op == "replace"}
        except UserError as error:
            assert "protect" in str(error)
        else:
            assert edit.at_risk <= replaced
        assert edit.at_risk <= risky


def test_a_running_stack_survives_every_safe_edit(opened: LocalCloud, stack: str) -> None:
    now, cloud = committed(opened), stack.partition("-")[2]
    changes: dict[str, Any] = {}
    for edit in SAFE[cloud].values():
        changes = merged(changes, edit.settings)
    write(opened, now, changes)
    opened.up()
    assert opened.preview(expect_no_changes=True).is_empty
