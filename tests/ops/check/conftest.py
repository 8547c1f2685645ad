"""What tests of `seawall check` share: one planned stack with a violation, and one without."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from policies.inventory import Inventory
from tests.ops.check import toys


@pytest.fixture
def clean() -> Inventory:
    """A stack that keeps every rule; its first resource is a service."""
    return toys.clean()


@pytest.fixture
def violating() -> Inventory:
    """The same stack with the service open to the internet, which breaks one rule."""
    return toys.violating()


@pytest.fixture
def undecided() -> Inventory:
    """The same stack with a service whose type only the provider knows."""
    return toys.undecided()


@pytest.fixture
def no_waivers(tmp_path: Path) -> Path:
    """A waivers file without waivers."""
    path = tmp_path / "no-waivers.yaml"
    path.write_text("waivers: []\n")
    return path


@pytest.fixture
def plan_file(tmp_path: Path, violating: Inventory, clean: Inventory) -> Path:
    """What `seawall plan --json` wrote of a violating dev-aws and a clean dev-gcp, one object on each line."""
    path = tmp_path / "plan.jsonl"
    other = replace(clean, stack="dev-gcp")
    path.write_text("".join(json.dumps(i.to_json()) + "\n" for i in (violating, other)))
    return path


@pytest.fixture
def many(violating: Inventory) -> Inventory:
    """A stack with very many open services, all made by one line."""
    service, *others = violating.resources
    made = (
        replace(service, name=f"s{n}", urn=f"{service.urn}-{n}", made_at="components/kubernetes/traffic.py:1")
        for n in range(5000)
    )
    return replace(violating, resources=(*made, *others))
