"""The real engine, previewing a stack with the policy pack, gives the verdict that the offline plan gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from common.console import Steps
from ops.local.session import JudgedPreview, open_local
from ops.plan.planner import plan_stack
from policies import waivers
from policies.verdicts import judge
from stacks.settings import CONFIG_KEY, stack_names

pytestmark = pytest.mark.engine

Preview = Callable[..., JudgedPreview]


@pytest.fixture
def preview(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: Steps) -> Preview:
    """Previews a stack with the policy pack on a local cloud of the test's own, with these settings changed."""
    monkeypatch.setenv("SEAWALL_LOCAL", str(tmp_path / "local"))

    def run(stack: str, **changed: object) -> JudgedPreview:
        with open_local(stack, steps) as local:
            local.stack()
            yaml = YAML()
            config = yaml.load(local.workspace.config_file.read_text())
            config["config"][CONFIG_KEY].update(changed)
            yaml.dump(config, local.workspace.config_file)
            return local.judged_preview(tmp_path)

    return run


def _by_resource(verdict: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    return {(f["rule"], f["urn"]): f["verdict"] for f in verdict["findings"]}


@pytest.mark.parametrize("stack", stack_names())
def test_the_engine_and_the_plan_give_the_same_verdicts(preview: Preview, stack: str) -> None:
    offline = judge(plan_stack(stack), waivers.load(), date.today()).to_json()
    inside = preview(stack)
    assert _by_resource(inside.verdict) == _by_resource(offline)
    assert inside.refusal == ""


def test_the_verdicts_stay_the_same_once_the_stack_is_deployed_and_its_ids_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: Steps
) -> None:
    monkeypatch.setenv("SEAWALL_LOCAL", str(tmp_path / "local"))
    offline = judge(plan_stack("dev-aws"), waivers.load(), date.today()).to_json()
    with open_local("dev-aws", steps) as local:
        local.up()
        inside = local.judged_preview(tmp_path)
    assert _by_resource(inside.verdict) == _by_resource(offline)


def test_a_violation_ends_the_preview_and_names_rule_and_resource(preview: Preview) -> None:
    inside = preview("dev-aws", keys={"deletion_window_days": 7})
    assert {v["rule"] for v in inside.verdict["violations"]} == {"aws-kms-slow-deletion"}
    assert "aws-kms-slow-deletion" in inside.refusal and "deletionWindowInDays is 7" in inside.refusal
