"""What tests of `seawall check` share: one planned stack with a violation, and one without."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from policies.inventory import Inventory, Resource

TABLE = "aws:dynamodb/table:Table"


@pytest.fixture
def clean() -> Inventory:
    """A stack whose one resource keeps its one rule."""
    service = Resource(
        urn="urn:pulumi:dev-aws::seawall::kubernetes:core/v1:Service::triton",
        type="kubernetes:core/v1:Service",
        name="triton",
        custom=True,
        inputs={"spec": {"type": "ClusterIP"}},
    )
    return Inventory("dev-aws", {"cloud": "aws", "environment": "dev"}, (service,))


@pytest.fixture
def violating(clean: Inventory) -> Inventory:
    """The same stack with the service open to the internet."""
    opened = tuple(replace(r, inputs={"spec": {"type": "LoadBalancer"}}) for r in clean.resources)
    return replace(clean, resources=opened)


@pytest.fixture
def undecided(clean: Inventory) -> Inventory:
    """The same stack with a service whose type only the provider knows."""
    hidden = tuple(
        replace(r, inputs={"spec": {"type": "[unknown]"}}, unknown_paths=("spec.type",)) for r in clean.resources
    )
    return replace(clean, resources=hidden)


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
    (service,) = violating.resources
    made = (
        replace(service, name=f"s{n}", urn=f"{service.urn}-{n}", made_at="components/kubernetes/traffic.py:1")
        for n in range(5000)
    )
    return replace(violating, resources=tuple(made))
