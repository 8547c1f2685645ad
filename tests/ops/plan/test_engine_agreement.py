"""The offline plan against what the real engine previews for the same stack on the local cloud."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from common.console import Steps
from common.sdk.schema import PROVIDER_PREFIX
from common.sdk.types import ENGINE_UNKNOWN, SIGNATURE_KEY
from ops.local.session import open_local
from ops.plan.planner import plan_stack
from ops.plan.recorder import STACK_TYPE
from policies.inventory import SECRET, UNKNOWN, Inventory

pytestmark = pytest.mark.engine

ENGINE_ADDS = {"version", "__internal"}
"""What the engine itself writes into the inputs of a provider resource."""


@dataclass(frozen=True)
class Both:
    """One stack as the engine previews it (states by URN, the stack's own left out), and as it is planned."""

    stack: str
    engine: Mapping[str, Mapping[str, Any]]
    plan: Inventory


@pytest.fixture(scope="module", params=["dev-aws", "prod-gcp"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Both:
    stack = request.param
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEAWALL_LOCAL", str(tmp_path_factory.mktemp("local")))
        with open_local(stack, Steps(), keep=False) as local:
            local.stack()
            project: Path = local.workspace.project
            preview = subprocess.run(
                [str(local.engine.cli), "preview", "--json", "--stack", stack, "--cwd", str(project)],
                env={**os.environ, **local.environment()},
                capture_output=True,
                text=True,
                check=False,
            )
    assert preview.returncode == 0, preview.stdout[-2000:] + preview.stderr[-2000:]
    states = [step["newState"] for step in json.loads(preview.stdout)["steps"]]
    engine = {state["urn"]: state for state in states if state["type"] != STACK_TYPE}
    return Both(stack, engine, plan_stack(stack))


def masked(value: Any) -> Any:
    """The engine's marks in the inventory's words."""
    if value == ENGINE_UNKNOWN:
        return UNKNOWN
    if isinstance(value, dict):
        if SIGNATURE_KEY in value:
            return SECRET
        return {key: masked(item) for key, item in value.items()}
    return [masked(item) for item in value] if isinstance(value, list) else value


def inputs(state: Mapping[str, Any]) -> dict[str, Any]:
    added = ENGINE_ADDS if state["type"].startswith(PROVIDER_PREFIX) else set()
    return {key: masked(value) for key, value in state.get("inputs", {}).items() if key not in added}


def links(state: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    found = state.get("propertyDependencies") or {}
    return {key: tuple(sorted(urns)) for key, urns in found.items() if urns}


def test_the_urns_are_the_engines(both: Both) -> None:
    assert set(both.plan.by_urn) == set(both.engine)


def test_the_inputs_are_the_engines(both: Both) -> None:
    planned = {urn: dict(r.inputs) for urn, r in both.plan.by_urn.items()}
    engine = {urn: inputs(state) for urn, state in both.engine.items()}
    assert planned == engine


def test_the_links_are_the_engines(both: Both) -> None:
    planned = {urn: (r.dependencies, dict(r.property_dependencies)) for urn, r in both.plan.by_urn.items()}
    engine = {urn: (tuple(sorted(s.get("dependencies", ()))), links(s)) for urn, s in both.engine.items()}
    assert planned == engine


def test_the_options_are_the_engines(both: Both) -> None:
    planned = {
        urn: (r.type, r.custom, r.protect, r.retain_on_delete, r.parent) for urn, r in both.plan.by_urn.items()
    }
    root = f"urn:pulumi:{both.stack}::seawall::{STACK_TYPE}::seawall-{both.stack}"
    engine = {
        urn: (
            state["type"],
            state["custom"],
            bool(state.get("protect")),
            bool(state.get("retainOnDelete")),
            None if state["parent"] == root else state["parent"],
        )
        for urn, state in both.engine.items()
    }
    assert planned == engine
