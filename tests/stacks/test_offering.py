"""What a cloud does not sell is refused at once, with where it is sold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from components.contracts.machines import MACHINES
from components.contracts.offers import zones_with
from components.contracts.vocabulary import Cloud
from stacks.files import platform_names
from stacks.problems import Problem
from stacks.settings import Settings, SettingsError, stack_file

Values = Callable[[str], dict[str, Any]]
Refusal = Callable[[object], SettingsError]


@pytest.fixture
def problem(values: Values, refusal: Refusal) -> Callable[..., Problem]:
    """The one problem at `path` of a stack of which keys, as dotted paths, are set."""

    def find(stack: str, path: str, changes: dict[str, Any]) -> Problem:
        broken = values(stack)
        for key, value in changes.items():
            *parents, last = key.split(".")
            section = broken
            for part in parents:
                section = section[part]
            section[last] = value
        [found] = [p for p in refusal(broken).problems if p.path == path]
        return found

    return find


def test_a_region_without_the_machine_is_refused_with_those_that_have_it(problem: Callable[..., Problem]) -> None:
    ireland = {"region": "eu-west-1", "zones": ["euw1-az1", "euw1-az2"]}
    found = problem("dev-aws", "pools.gpu.machine_types", ireland)
    assert "it has no g6.xlarge" in found.allowed
    assert "regions with l4" in found.remedy and "eu-central-1" in found.remedy and "eu-west-1" not in found.remedy


def test_a_zone_without_the_machine_is_refused_with_those_that_have_it(problem: Callable[..., Problem]) -> None:
    belgium = {"region": "europe-west1", "zones": ["europe-west1-b", "europe-west1-c", "europe-west1-d"]}
    found = problem("prod-gcp", "pools.gpu.zones", belgium)
    assert found.value == "europe-west1-d"
    assert found.allowed == "zones that sell g2-standard-8: europe-west1-b, europe-west1-c"
    assert found.remedy == "Set pools.gpu.zones to [europe-west1-b, europe-west1-c]."


def test_a_pool_may_name_the_zones_that_sell_its_machine(values: Values) -> None:
    settled = values("prod-gcp")
    settled |= {"region": "europe-west1", "zones": ["europe-west1-b", "europe-west1-c", "europe-west1-d"]}
    settled["pools"]["gpu"]["zones"] = ["europe-west1-b", "europe-west1-c"]
    settled["backup"]["region"] = "europe-west6"
    assert Settings.parse(settled, "test").pools["gpu"].zones == ("europe-west1-b", "europe-west1-c")


@pytest.mark.parametrize(
    ("zones", "says"), [(["euc1-az1"], "zones of the stack"), (["euc1-az2", "euc1-az2"], "each zone once")]
)
def test_a_pools_zones_are_the_stacks_each_once(problem: Callable[..., Problem], zones: list[str], says: str) -> None:
    assert says in problem("dev-aws", "pools.gpu.zones", {"pools.gpu.zones": zones}).allowed


@pytest.mark.parametrize(
    ("stack", "region", "nearest"),
    [("dev-aws", "eu-west-1", "eu-west-3"), ("dev-gcp", "europe-north1", "europe-west2")],
)
def test_a_backup_region_without_the_gpu_is_refused_with_those_that_have_it(
    problem: Callable[..., Problem], stack: str, region: str, nearest: str
) -> None:
    found = problem(stack, "backup.region", {"backup.region": region})
    assert "sells machines with l4" in found.allowed
    assert found.remedy.startswith(f"Choose one, nearest first: {nearest}, ")


def test_zones_of_a_store_far_away_are_zones_there(problem: Callable[..., Problem]) -> None:
    valkey = {"kind": "valkey", "memory_gib": 2, "backup_zones": ["eun1-az1", "euc1-az1"]}
    found = problem("dev-aws", "feature_store.backup_zones.1", {"feature_store": valkey})
    assert "eun1-az2" in found.remedy


@pytest.mark.parametrize("stack", platform_names())
def test_the_committed_stacks_name_zones_that_sell_their_machines(stack: str) -> None:
    """Of the table itself, not by the refusal: a refusal that nobody calls would let them pass."""
    settings = Settings.load(stack_file(stack))
    for pool in settings.pools.values():
        for machine_type in pool.machine_types:
            assert set(pool.zones or settings.zones) <= set(zones_with(settings.cloud, machine_type, settings.region))


@pytest.mark.parametrize("cloud", list(Cloud), ids=str)
def test_every_machine_of_the_catalogue_is_sold_somewhere(cloud: Cloud) -> None:
    regions = {"eu-central-1", "us-east-1", "us-west-2", "us-east-2", "us-central1", "us-east4"}
    assert not [name for name in MACHINES[cloud] if not any(zones_with(cloud, name, region) for region in regions)]
