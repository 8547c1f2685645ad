"""The real engine and the offline diff agree on what a change of the settings makes, changes, replaces and deletes.

Each run tries a sample of the catalogue; `make agreement` tries all of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from common.console import Steps
from ops.diff.compare import compare_resources
from ops.diff.properties import is_update
from ops.diff.run import PROVIDERS
from ops.local.runs import Change
from ops.local.session import LocalCloud, open_local
from ops.plan.planner import plan_stack
from policies.inventory import Inventory
from policies.registration import STACK_TYPE
from stacks.settings import CONFIG_KEY
from tests.ops.diff.agreement import CATALOGUE, SAMPLE, merged

ALL = os.environ.get("SEAWALL_AGREEMENT") == "all"
OPS = {"added": "create", "changed": "update", "replaced": "replace", "removed": "delete"}


def chosen(cloud: str) -> list[str]:
    """The changes that this run tries: each cloud has others."""
    names = list(CATALOGUE[cloud])
    return names if ALL else names[0 if cloud == "aws" else SAMPLE // 2 :: SAMPLE]


@pytest.mark.parametrize("cloud", CATALOGUE)
def test_the_catalogue_has_thirty_changes(cloud: str) -> None:
    assert len(CATALOGUE[cloud]) >= 30
    assert all(CATALOGUE[cloud].values())


class Stack:
    """A development stack that is up, and what its plan was."""

    def __init__(self, local: LocalCloud) -> None:
        self.local = local
        file = local.workspace.config_file
        self.values: Mapping[str, Any] = YAML(typ="safe").load(file.read_text(encoding="utf-8"))["config"][CONFIG_KEY]
        self.before = self.plan()

    def plan(self) -> Inventory:
        """The offline plan of the settings as they are."""
        return plan_stack(self.local.workspace.stack, self.local.workspace.config_file)

    def write(self, values: Mapping[str, Any]) -> None:
        """Have these settings read by what comes next."""
        with self.local.workspace.config_file.open("w", encoding="utf-8") as file:
            YAML(typ="safe").dump({"config": {CONFIG_KEY: values}}, file)


@pytest.fixture(scope="module")
def stack_of(
    deployed: Callable[[str, Path], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Stack]]:
    """The stack of a cloud, opened on first use; what is done to it is not kept."""
    with ExitStack() as held:
        made: dict[str, Stack] = {}

        def open_stack(cloud: str) -> Stack:
            if cloud not in made:
                home = deployed(f"dev-{cloud}", tmp_path_factory.mktemp("stacks"))
                made[cloud] = Stack(held.enter_context(open_local(f"dev-{cloud}", Steps(), home=home, keep=False)))
            return made[cloud]

        yield open_stack


def said(changes: tuple[Any, ...]) -> set[str]:
    """What the offline diff says that the engine will do."""
    return {f"{OPS[c.action]} {c.resource.urn}" for c in changes if is_update(c)}


def done(changes: list[Change]) -> set[str]:
    """What the engine does to resources; components and the stack's own outputs are none."""
    return {f"{c.op} {c.urn}" for c in changes if c.type != STACK_TYPE and not c.type.startswith("seawall:")}


@pytest.mark.engine
@pytest.mark.parametrize(
    ("cloud", "name"),
    [
        pytest.param(cloud, name, id=f"{cloud}-{name}", marks=pytest.mark.xdist_group(f"agreement-{cloud}"))
        for cloud in CATALOGUE
        for name in chosen(cloud)
    ],
)
def test_the_engine_and_the_diff_agree(cloud: str, name: str, stack_of: Callable[[str], Stack]) -> None:
    stack = stack_of(cloud)
    stack.write(merged(stack.values, CATALOGUE[cloud][name]))
    offline = said(compare_resources(stack.before, stack.plan(), PROVIDERS))
    assert done(stack.local.preview().changes) == offline
