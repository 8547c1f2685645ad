"""`seawall preview` of a deployed stack: causes, what is protected, and what nobody asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from common.console import Steps
from ops.diff.markdown import render
from ops.diff.model import StackDiff
from ops.local.session import LocalCloud, open_local
from ops.plan.planner import plan_stack
from ops.preview.run import Engine, preview
from stacks.settings import CONFIG_KEY
from tests.ops.diff.agreement import merged

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("preview")]


@pytest.fixture(scope="module")
def local(deployed: Callable[[str, Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    home = deployed("dev-aws", tmp_path_factory.mktemp("stacks"))
    with open_local("dev-aws", Steps(), home=home, keep=False) as opened:
        yield opened


@pytest.fixture
def told(local: LocalCloud) -> Iterator[Callable[[Mapping[str, Any]], StackDiff]]:
    """What the preview says of an edit of the deployed settings; HEAD counts as what is deployed."""
    file = local.workspace.config_file
    text = file.read_text(encoding="utf-8")
    values = YAML(typ="safe").load(text)["config"][CONFIG_KEY]

    def run(changes: Mapping[str, Any]) -> StackDiff:
        with file.open("w", encoding="utf-8") as out:
            YAML(typ="safe").dump({"config": {CONFIG_KEY: merged(values, changes)}}, out)
        engine = Engine(local.stack(), "dev-aws")
        return preview(engine, None, local.steps, plan=lambda stack: plan_stack(stack, file))

    yield run
    file.write_text(text, encoding="utf-8")


def test_nothing_to_do_is_nothing_to_read(told: Callable[[Mapping[str, Any]], StackDiff]) -> None:
    assert told({}).is_empty


def test_an_update_is_told_in_the_diff_s_words(told: Callable[[Mapping[str, Any]], StackDiff]) -> None:
    found = told({"backup": {"retention_days": 35}})
    assert {(c.action, c.resource.name) for c in found.changes} >= {("changed", "features")}
    assert found.steps and found.picture and found.blast.score
    assert [cause.kind for cause in found.causes] == ["unknown"], "the local cloud keeps no history"
    assert "name the commit that is deployed" in render([found], base="deployed", head="tree")


def test_what_is_protected_is_refused_and_the_preview_still_tells_it(
    told: Callable[[Mapping[str, Any]], StackDiff],
) -> None:
    found = told({"backup": {"region": "eu-west-2"}})
    assert found.notes and "protected" in found.notes[0]
    refused = {step.name for step in found.steps if step.refused}
    assert refused
    text = render([found], base="deployed", head="tree")
    assert "**Pulumi will refuse this**" in text
