"""Nothing costs nothing by accident: each planned resource is priced, or free or left out with a reason, or told."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from components.contracts.capacity import replica
from components.contracts.machines import MACHINES
from components.contracts.offers import regions_with
from components.contracts.vocabulary import Capacity, Cloud
from ops.cost import prices
from ops.cost.estimate import estimate, least_machines
from ops.cost.prices import machine_hour_usd
from ops.cost.show import lines, sources, to_json
from ops.cost.write import aws, gcp
from ops.plan.command import show_cost
from ops.plan.planner import plan_program
from policies.inventory import Inventory, Resource
from stacks.compose import compose
from stacks.files import is_bootstrap, platform_names
from stacks.fitting import rooms_by_pool
from stacks.settings import Settings, stack_file, stack_names

GROUP = "aws:eks/nodeGroup:NodeGroup"
WITHOUT_PRICE = {Cloud.AWS: {"p5e.48xlarge"}, Cloud.GCP: {"a3-ultragpu-8g", "a4-highgpu-8g"}}
"""Machines that no list has a price for on demand; a stack with them is told so."""


def settings(stack: str, **changes: Any) -> Settings:
    """A committed stack's settings, with changes."""
    return Settings.load(stack_file(stack)).model_copy(update=changes)


def one(kind: str, name: str = "it", **inputs: Any) -> Inventory:
    """A plan of one resource on AWS."""
    return Inventory("dev-aws", {}, (Resource("urn", kind, name, True, None, inputs),))


@pytest.mark.parametrize("stack", stack_names())
def test_every_planned_resource_is_priced_or_has_a_reason_not_to_be(plans: dict[str, Inventory], stack: str) -> None:
    found = estimate(plans[stack], None if is_bootstrap(stack) else settings(stack))
    assert found.not_priced == (), "price the type in ops.cost.estimate, or give its reason in ops.cost.beside"
    counted = len(found.lines) + sum(count for _, count, _ in [*found.free, *found.left_out])
    assert counted == sum(resource.custom for resource in plans[stack].resources)
    assert all(why for *_, why in [*found.free, *found.left_out])


@pytest.mark.parametrize("stack", platform_names())
def test_full_scale_costs_more_than_idling(plans: dict[str, Inventory], stack: str) -> None:
    found = estimate(plans[stack], settings(stack))
    assert 300 < found.idle_usd < found.full_usd
    assert all(0 <= line.idle_usd <= line.full_usd for line in found.lines)


@pytest.mark.parametrize("stack", sorted(set(stack_names()) - set(platform_names())))
def test_a_bootstrap_stack_costs_its_keys_and_alarms_whatever_the_platforms_do(
    plans: dict[str, Inventory], stack: str
) -> None:
    found = estimate(plans[stack], None)
    assert 0 < found.idle_usd == found.full_usd < 20
    keys = [r.name for kind in ("aws:kms/key:Key", "gcp:kms/cryptoKey:CryptoKey") for r in plans[stack].of_type(kind)]
    assert keys and set(keys) <= {line.name for line in found.lines}


def test_a_type_that_only_a_platform_prices_is_told_of_a_bootstrap_stack() -> None:
    found = estimate(one("aws:eks/nodeGroup:NodeGroup", "machines"), None)
    assert found.not_priced == (("aws:eks/nodeGroup:NodeGroup", "machines"),)


@pytest.mark.parametrize("stack", platform_names())
def test_idle_machines_hold_the_fewest_replicas_and_no_machine_more(stack: str) -> None:
    asked = settings(stack)
    [service] = asked.fleet.services.values()
    [(key, room)] = rooms_by_pool(asked.cloud, asked.pools, service).items()
    needed = math.ceil(service.min_replicas / room.holds(replica(service)))
    assert least_machines(asked)[key] == max(asked.pools[key].min_nodes, needed)


def test_an_unknown_type_is_told_and_not_counted_as_nothing() -> None:
    found = estimate(one("aws:rds/instance:Instance", "database"), settings("dev-aws"))
    assert found.not_priced == (("aws:rds/instance:Instance", "database"),)
    assert "  aws:rds/instance:Instance database" in lines(found)
    assert to_json(found)["not_priced"] == [{"type": "aws:rds/instance:Instance", "name": "database"}]


def test_a_machine_without_a_price_is_told(plans: dict[str, Inventory]) -> None:
    stack = settings("dev-aws")
    gpu = stack.pools["gpu"].model_copy(update={"machine_types": ("p9.huge",)})
    (group,) = (r for r in plans["dev-aws"].of_type(GROUP) if r.name.startswith("gpu"))
    unknown = estimate(
        Inventory("dev-aws", {}, (group,)), stack.model_copy(update={"pools": {**stack.pools, "gpu": gpu}})
    )
    assert unknown.not_priced == ((GROUP, group.name),)


def test_a_group_of_no_pool_is_told(plans: dict[str, Inventory]) -> None:
    (group, *_) = plans["dev-aws"].of_type(GROUP)
    stray = Inventory("dev-aws", {}, (replace(group, name="by-hand"),))
    assert estimate(stray, settings("dev-aws")).not_priced == ((GROUP, "by-hand"),)


def test_a_second_zone_costs_as_much_again_for_each_endpoint() -> None:
    endpoint = one("aws:ec2/vpcEndpoint:VpcEndpoint", vpcEndpointType="Interface")
    zones = settings("prod-aws").zones
    costs = [estimate(endpoint, settings("prod-aws", zones=zones[:n])).idle_usd for n in (1, 2)]
    assert costs[1] == pytest.approx(2 * costs[0])
    gateway = estimate(one("aws:ec2/vpcEndpoint:VpcEndpoint", vpcEndpointType="Gateway"), settings("prod-aws"))
    assert (gateway.idle_usd, gateway.free[0][1]) == (0, 1)


def test_more_recovery_points_cost_more(plans: dict[str, Inventory]) -> None:
    vaults = replace(plans["prod-aws"], resources=tuple(plans["prod-aws"].of_type("aws:backup/vault:Vault")))
    few, many = (estimate(vaults, settings(f"{name}-aws")).idle_usd for name in ("dev", "prod"))
    assert 0 < few < many


@pytest.mark.parametrize("cloud", list(Cloud), ids=str)
def test_every_machine_has_a_price_where_it_is_sold(cloud: Cloud) -> None:
    home = {Cloud.AWS: "eu-central-1", Cloud.GCP: "europe-west4"}[cloud]
    elsewhere = {Cloud.AWS: "us-east-1", Cloud.GCP: "us-central1"}[cloud]
    unpriced = {
        name
        for name, machine in MACHINES[cloud].items()
        if machine_hour_usd(
            cloud,
            name,
            home if machine.accelerator is None or home in regions_with(cloud, machine.accelerator) else elsewhere,
            Capacity.ON_DEMAND,
        )
        is None
    }
    assert unpriced == WITHOUT_PRICE[cloud]


def test_spot_is_cheaper_than_on_demand() -> None:
    for cloud, machine, region in (
        (Cloud.AWS, "g6.xlarge", "eu-central-1"),
        (Cloud.GCP, "g2-standard-8", "europe-west4"),
        (Cloud.GCP, "n1-standard-4", "europe-west4"),
    ):
        spot, full = (machine_hour_usd(cloud, machine, region, way) for way in (Capacity.SPOT, Capacity.ON_DEMAND))
        assert spot is not None and full is not None and 0 < spot < full


def test_every_price_has_a_source() -> None:
    assert len(sources()) > 15
    assert all(price["source"] and price["unit"] and price["usd"] > 0 for price in sources())


def test_karpenters_lists_are_read_for_the_catalogues_machines_alone() -> None:
    home = '\t"us-east-1": {\n\t\t"g6.xlarge": 0.804800, "g9.xlarge": 1.0,\n\t},\n'
    text = home + '\t"mars-1": {\n\t\t"g6.xlarge": 9.0,\n\t},\n'
    assert aws(text) == {"g6.xlarge": {"us-east-1": 0.8048}}


def test_an_n1_machine_costs_its_gpus_too() -> None:
    lists = {"prices": {"europe-west4": {"on_demand": {"n1-standard-16": 0.8, "g2-standard-8": 0.9}, "spot": {}}}}
    assert gcp(lists, Capacity.ON_DEMAND) == {
        "n1-standard-16": {"europe-west4": pytest.approx(0.8 + 4 * 0.3675)},
        "g2-standard-8": {"europe-west4": 0.9},
    }


def test_the_text_names_what_it_leaves_out_and_the_lists_days(plans: dict[str, Inventory]) -> None:
    text = "\n".join(lines(estimate(plans["prod-gcp"], settings("prod-gcp"))))
    assert "traffic between zones and regions" in text and "gkebackup" in text
    assert prices.READ_ON in text and "Google Cloud 2026-" in text


def test_the_data_adds_up(plans: dict[str, Inventory]) -> None:
    found = json.loads(json.dumps(to_json(estimate(plans["prod-aws"], settings("prod-aws")))))
    for total in ("idle_usd", "full_usd"):
        assert found[total] == pytest.approx(sum(line[total] for line in found["resources"]), abs=0.5)


def test_the_command_prints_one_object_for_each_stack(
    plans: dict[str, Inventory], capsys: pytest.CaptureFixture[str]
) -> None:
    for stack in stack_names():
        show_cost(plans[stack], as_json=True)
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["stack"] for each in printed] == list(stack_names())


def test_the_command_prints_the_total_alone_when_it_is_to_be_quiet(
    plans: dict[str, Inventory], capsys: pytest.CaptureFixture[str]
) -> None:
    show_cost(plans["dev-aws"], quiet=True)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("dev-aws: ") and "USD a month idle" in line


@pytest.mark.parametrize(
    ("stack", "store", "dear"),
    [
        ("dev-aws", {"kind": "valkey", "memory_gib": 5}, "aws:elasticache/replicationGroup:ReplicationGroup"),
        ("dev-gcp", {"kind": "bigtable"}, "gcp:bigtable/instance:Instance"),
        ("dev-gcp", {"kind": "firestore"}, ""),
    ],
    ids=["valkey", "bigtable", "firestore"],
)
def test_every_kind_of_feature_store_is_priced_or_left_out(stack: str, store: dict[str, Any], dear: str) -> None:
    written = settings(stack).model_dump(mode="json")
    written["feature_store"] = store
    written["backup"] |= {"frequency_hours": 24, "rpo_minutes": 5000}
    asked = Settings.parse(written, "another kind")
    found = estimate(plan_program(lambda: compose(asked).export(), stack, asked), asked)
    assert found.not_priced == ()
    costs = [line.idle_usd for line in found.lines if line.type == dear]
    assert all(usd > 100 for usd in costs) and bool(costs) == bool(dear)


def test_a_faster_disk_costs_more(plans: dict[str, Inventory]) -> None:
    """On AWS by its throughput, which a machine with NVMe of its own does not buy; on Google Cloud by its type."""
    (group,) = (r for r in plans["dev-aws"].of_type(GROUP) if r.name.startswith("gpu"))
    alone, stack = Inventory("dev-aws", {}, (group,)), settings("dev-aws")
    bought = {
        local: estimate(
            alone,
            stack.model_copy(
                update={"pools": {**stack.pools, "gpu": stack.pools["gpu"].model_copy(update={"local_disk": local})}}
            ),
        ).idle_usd
        for local in (True, False)
    }
    assert bought[True] < bought[False]
    (pool,) = (r for r in plans["dev-gcp"].of_type("gcp:container/nodePool:NodePool") if r.name.startswith("gpu"))
    costs = [
        estimate(
            Inventory("dev-gcp", {}, (replace(pool, inputs={**pool.inputs, "nodeConfig": {"diskType": kind}}),)),
            settings("dev-gcp"),
        )
        for kind in ("pd-balanced", "pd-ssd", "floppy")
    ]
    assert costs[0].idle_usd < costs[1].idle_usd
    assert costs[2].not_priced == ((pool.type, pool.name),)
