"""Node pools: GPUs, taints, where they start, and how far they may grow."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.contracts.choices import Choice, choices, served_on
from components.contracts.machines import MACHINES
from components.contracts.serving import POOL_LABEL
from components.contracts.specs import NodePoolSpec, SharingSpec
from components.contracts.vocabulary import Capacity, Cloud, SharingStrategy
from components.gcp.node_pools import (
    boot_disk_type,
    bought,
    first_nodes_per_zone,
    guest_accelerators,
    local_disk,
    pool_name,
    serving_taints,
    spot_grace,
    upgrade_settings,
)

GCP_MACHINES = MACHINES[Cloud.GCP]
WITH_GPU = [name for name, machine in GCP_MACHINES.items() if machine.accelerator]
WITHOUT_GPU = [name for name, machine in GCP_MACHINES.items() if not machine.accelerator]


def choice(least: int, most: int, zones: int = 3, machine: str = "e2-standard-2") -> Choice:
    """A group of `least` to `most` machines."""
    spec = NodePoolSpec(machine_types=(machine,), min_nodes=least, max_nodes=most)
    (only,) = choices(Cloud.GCP, "pool", spec, [f"zone-{number}" for number in range(zones)])
    return only


@pytest.mark.parametrize("name", WITH_GPU)
def test_every_machine_with_gpus_can_be_ordered(name: str) -> None:
    (accelerator,) = guest_accelerators(GCP_MACHINES[name], None)
    assert accelerator["count"] == GCP_MACHINES[name].accelerators


@pytest.mark.parametrize("name", WITH_GPU)
def test_gpu_machines_bear_the_taint_that_gke_would_add_itself(name: str) -> None:
    taint, _ = serving_taints(served_on("gpu", GCP_MACHINES[name]))
    assert (taint["key"], taint["value"], taint["effect"]) == ("nvidia.com/gpu", "present", "NO_SCHEDULE")


NVME = [name for name, machine in GCP_MACHINES.items() if machine.nvme_gib]


@pytest.mark.parametrize("name", NVME)
def test_a_pool_on_local_disks_takes_all_that_the_machine_brings_under_another_name(name: str) -> None:
    spec = NodePoolSpec(machine_types=(name,), min_nodes=0, max_nodes=1, local_disk=True)
    machine, (only,) = GCP_MACHINES[name], choices(Cloud.GCP, "gpu", spec, ["a"])
    disks = local_disk(machine, spec)
    (config,) = disks.values()
    assert config == {"local_ssd_count": machine.nvme_gib // 375} and machine.nvme_gib % 375 == 0
    assert pool_name(only, disks, "key") != pool_name(only, {}, "key"), "GKE cannot change it in place"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("e2-standard-4", "pd-balanced"),
        ("g2-standard-8", "pd-ssd"),
        ("a3-highgpu-8g", "pd-ssd"),
        ("a3-ultragpu-8g", "hyperdisk-balanced"),
        ("a4-highgpu-8g", "hyperdisk-balanced"),
        ("g4-standard-48", "hyperdisk-balanced"),
    ],
)
def test_a_machine_starts_from_the_fastest_disk_that_its_series_takes(name: str, kind: str) -> None:
    assert boot_disk_type(name, GCP_MACHINES[name]) == kind


@pytest.mark.parametrize(("seconds", "total"), [(55, 70), (105, 120)])
def test_a_spot_machine_leaves_the_fleets_pods_their_time_and_critical_ones_fifteen_seconds(
    seconds: int, total: int
) -> None:
    spec = NodePoolSpec(machine_types=("g2-standard-8",), min_nodes=0, max_nodes=1, capacity=(Capacity.SPOT,))
    (only,) = choices(Cloud.GCP, "gpu", spec, ["a"])
    assert spot_grace(only, seconds, serves=True) == {
        "kubelet_config": {
            "shutdown_grace_period_seconds": total,
            "shutdown_grace_period_critical_pods_seconds": 15,
        }
    }


def test_only_spot_machines_may_be_told_how_long_they_have() -> None:
    kept = choice(0, 1, machine="g2-standard-8")
    assert spot_grace(kept, 55, serves=True) == {}, "GKE refuses the field on any other"


def test_a_flex_start_machine_runs_for_seven_days_and_takes_no_reservation() -> None:
    spec = NodePoolSpec(machine_types=("g2-standard-8",), min_nodes=0, max_nodes=1, capacity=(Capacity.FLEX_START,))
    (only,) = choices(Cloud.GCP, "gpu", spec, ["a"])
    assert bought(only) == {
        "spot": False,
        "flex_start": True,
        "max_run_duration": "604800s",
        "reservation_affinity": {"consume_reservation_type": "NO_RESERVATION"},
    }


@pytest.mark.parametrize("name", WITHOUT_GPU)
def test_machines_without_gpu_take_any_pod(name: str) -> None:
    assert not serving_taints(served_on("system", GCP_MACHINES[name]))


@given(least=st.integers(0, 1000), zones=st.integers(2, 6))
def test_a_pool_starts_with_at_least_its_minimum_and_less_than_one_more_per_zone(least: int, zones: int) -> None:
    start = first_nodes_per_zone(choice(least, 1000, zones)) * zones
    assert least <= start < least + zones


def test_a_pool_that_may_be_empty_starts_empty() -> None:
    assert first_nodes_per_zone(choice(0, 3)) == 0, "a GPU is paid for by the second"


@pytest.mark.parametrize("name", list(GCP_MACHINES))
def test_every_pool_can_be_upgraded(name: str) -> None:
    settings = upgrade_settings(GCP_MACHINES[name])
    assert {settings.get("max_surge"), settings.get("max_unavailable")} == {0, 1}, "GKE refuses 0 and 0"


def test_the_autoscaler_owns_the_number_of_machines(gcp_platform: Any) -> None:
    for planned in gcp_platform.inventory.of_type("gcp:container/nodePool:NodePool"):
        assert "nodeCount" not in planned.inputs, f"{planned.name}: a fixed count would fight the autoscaler"


def test_bounds_are_for_the_whole_pool_and_not_per_zone(gcp_platform: Any) -> None:
    for planned in gcp_platform.inventory.of_type("gcp:container/nodePool:NodePool"):
        spec = gcp_platform.settings.pools[planned.get("nodeConfig.labels")[POOL_LABEL]]
        bounds = {"totalMinNodeCount": spec.min_nodes, "totalMaxNodeCount": spec.max_nodes}
        assert bounds.items() <= planned.get("autoscaling").items()


def test_machines_bear_the_tag_that_firewall_rules_aim_at(gcp_platform: Any) -> None:
    inventory = gcp_platform.inventory
    (rule,) = [r for r in inventory.of_type("gcp:compute/firewall:Firewall") if r.get("allows")]
    tags = {tuple(p.get("nodeConfig.tags")) for p in inventory.of_type("gcp:container/nodePool:NodePool")}
    assert tags == {tuple(rule.get("targetTags"))}


@pytest.mark.parametrize(
    ("sharing", "told"),
    [
        (
            SharingSpec(strategy=SharingStrategy.TIME_SLICING, replicas=3),
            {"gpu_sharing_config": {"gpu_sharing_strategy": "TIME_SHARING", "max_shared_clients_per_gpu": 3}},
        ),
        (SharingSpec(strategy=SharingStrategy.MIG, profile="1g.10gb"), {"gpu_partition_size": "1g.10gb"}),
    ],
    ids=["time-slicing", "mig"],
)
def test_gke_is_told_how_gpus_are_shared(sharing: SharingSpec, told: dict[str, object]) -> None:
    (alone,), (shared,) = (guest_accelerators(GCP_MACHINES["a3-highgpu-1g"], each) for each in (None, sharing))
    assert {k: v for k, v in shared.items() if k not in alone} == told
