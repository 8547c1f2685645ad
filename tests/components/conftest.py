"""The committed stacks, composed by the program itself and planned offline: what the contracts are asserted on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from components.contracts.feature_store import FeatureStoreKind
from components.contracts.place import Place
from components.contracts.vocabulary import Cloud
from ops.plan.planner import plan_program
from policies.inventory import Inventory, Resource
from stacks.compose import compose
from stacks.export import Platform
from stacks.settings import Settings, stack_file

OPTED_OUT = {"deletion_protection": "a stack that lives for one test only"}

DAILY: Mapping[str, Any] = {
    "frequency_hours": 24,
    "keep_daily_days": 14,
    "retention_days": 35,
    "rpo_minutes": 1800,
}
"""What a store that makes daily snapshots by itself can keep."""

STORES: Mapping[FeatureStoreKind, tuple[Cloud, Mapping[str, Any]]] = {
    FeatureStoreKind.DYNAMODB: (Cloud.AWS, {}),
    FeatureStoreKind.VALKEY: (
        Cloud.AWS,
        {
            "feature_store": {"kind": "valkey", "memory_gib": 2},
            "backup": DAILY,
        },
    ),
    FeatureStoreKind.REDIS: (Cloud.GCP, {}),
    FeatureStoreKind.FIRESTORE: (
        Cloud.GCP,
        {"feature_store": {"kind": "firestore"}, "backup": {"rpo_minutes": 480}},
    ),
    FeatureStoreKind.BIGTABLE: (
        Cloud.GCP,
        {"feature_store": {"kind": "bigtable"}, "backup": DAILY},
    ),
}
"""Each kind of feature store → its cloud, and the settings that make a development stack have it."""


@dataclass(frozen=True)
class Planned:
    """One stack, planned as a preview of a new stack would see it."""

    refs: Platform
    """What the components gave back. Plain fields may be read; outputs live only while planning."""
    inventory: Inventory

    @property
    def settings(self) -> Settings:
        """What the stack was composed from."""
        return self.refs.settings

    @property
    def cloud(self) -> Cloud:
        """The stack's cloud."""
        return self.settings.cloud

    @property
    def place(self) -> Place:
        """Where the stack lives."""
        return self.settings.place

    def one(self, component: str, name: str, token: str = "") -> Resource:
        """The only resource of a component with this logical name (and this type, where several share the name)."""
        found = [
            resource
            for resource in self.inventory.resources
            if resource.name == name
            and resource.parent is not None
            and self.inventory.by_urn[resource.parent].name == component
            and token in ("", resource.type)
        ]
        assert len(found) == 1, f"{component}/{name} is {[resource.urn for resource in found]}"
        return found[0]


def merged(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with those of `changes` over them, section by section."""
    found = dict(values)
    for key, change in changes.items():
        section = found.get(key)
        found[key] = (
            merged(section, change) if isinstance(section, Mapping) and isinstance(change, Mapping) else change
        )
    return found


@cache
def _planned(stack: str, changes: str) -> Planned:
    committed = Settings.load(stack_file(stack)).model_dump(mode="json")
    changed = json.loads(changes)
    if "kind" in changed.get("feature_store", {}):
        del committed["feature_store"]  # another kind has other settings
    settings = Settings.parse(merged(committed, changed), f"{stack}, changed by a test")
    composed: list[Platform] = []

    def program() -> None:
        composed.append(compose(settings))
        composed[0].export()

    inventory = plan_program(program, stack, settings)
    return Planned(composed[0], inventory)  # frozen, so that tests may share it


PlanPlatform = Callable[..., Planned]


@pytest.fixture
def plan_platform() -> PlanPlatform:
    """Plans a stack with changed settings: `plan_platform(cloud, environment="prod", zones=[…])`.

    What `service` says changes the one service of the committed stacks.
    """

    def plan(
        cloud: Cloud, environment: str = "dev", service: Mapping[str, Any] | None = None, **changes: Any
    ) -> Planned:
        if service:
            changes = merged(changes, {"fleet": {"services": {"tumour-risk": service}}})
        return _planned(f"{environment}-{cloud}", json.dumps(changes, sort_keys=True))

    return plan


@pytest.fixture(params=list(Cloud), ids=str)
def cloud(request: pytest.FixtureRequest) -> Cloud:
    """Each cloud in turn."""
    return request.param


@pytest.fixture(params=list(STORES), ids=str)
def platform(request: pytest.FixtureRequest, plan_platform: PlanPlatform) -> Planned:
    """The development stack of each cloud with each kind of feature store in turn."""
    cloud, changes = STORES[request.param]
    return plan_platform(cloud, **changes)


@pytest.fixture
def aws_platform(plan_platform: PlanPlatform) -> Planned:
    """The development stack on AWS."""
    return plan_platform(Cloud.AWS)


@pytest.fixture
def gcp_platform(plan_platform: PlanPlatform) -> Planned:
    """The development stack on Google Cloud."""
    return plan_platform(Cloud.GCP)


@pytest.fixture
def opted_out() -> Mapping[str, str]:
    """The setting that gives deletion protection up."""
    return OPTED_OUT


@pytest.fixture
def stores() -> Mapping[FeatureStoreKind, Any]:
    """The kinds of feature store that `platform` goes through."""
    return STORES
