"""Whether the clouds sell what a stack names, where it names it: zones, machines, ways of buying, the backup region.

A pool that names no zones has all of the stack's, and each of them must sell its machine: to leave one out without a
word would thin out what the stack is spread over, and move machines when the table is read anew.
"""

from __future__ import annotations

from collections.abc import Iterable

from components.contracts.feature_store import ValkeySpec
from components.contracts.machines import MACHINES
from components.contracts.offers import regions_away_with, regions_with, ways_to_buy, zones_of, zones_with
from components.contracts.regions import REGIONS, distance_km
from components.contracts.specs import NodePoolSpec, StackSpec
from components.contracts.vocabulary import Capacity, Cloud
from stacks.problems import Problem


def offer_problems(stack: StackSpec) -> list[Problem]:
    """What the table of offers does not have; `stack.region` is in the table of regions by now."""
    problems = _unknown_zones("zones", stack.zones, stack.cloud, stack.region)
    for key, pool in stack.pools.items():
        problems += _pool_problems(stack, key, pool)
    if stack.backup.region in REGIONS[stack.cloud]:
        problems += [*_recovery_problems(stack), *_store_problems(stack)]
    return problems


def _unknown_zones(path: str, zones: Iterable[str], cloud: Cloud, region: str) -> list[Problem]:
    known = zones_of(cloud, region)
    by_id = ", by id: a name like eu-west-1a is another place in another account" if cloud is Cloud.AWS else ""
    return [
        Problem(f"{path}.{index}", zone, f"a zone of {region}{by_id}", f"Choose among {', '.join(known)}.")
        for index, zone in enumerate(zones)
        if zone not in known
    ]


def _pool_problems(stack: StackSpec, key: str, pool: NodePoolSpec) -> list[Problem]:
    path = f"pools.{key}.zones"
    outside = [zone for zone in pool.zones if zone not in stack.zones]
    if outside:
        allowed = f"zones of the stack: {', '.join(stack.zones)}"
        return [Problem(path, ", ".join(outside), allowed, "Add them to the stack's zones, or leave them out here.")]
    if len(set(pool.zones)) < len(pool.zones):
        return [Problem(path, ", ".join(pool.zones), "each zone once", "Remove the repeated one.")]
    known = [name for name in pool.machine_types if name in MACHINES[stack.cloud]]
    return [
        problem
        for machine_type in known
        for check in (_not_sold, _not_sold_so)
        for problem in check(stack, key, pool, machine_type)
    ]


def _not_sold(stack: StackSpec, key: str, pool: NodePoolSpec, machine_type: str) -> list[Problem]:
    """A zone that does not sell the machine: `CreateNodegroup` and GKE refuse the whole group for it."""
    sold = zones_with(stack.cloud, machine_type, stack.region)
    asked = [zone for zone in pool.zones or stack.zones if zone in zones_of(stack.cloud, stack.region)]
    missing = [zone for zone in asked if zone not in sold]
    if not missing:
        return []
    if not sold:
        allowed = f"a machine type that {stack.region} sells; it has no {machine_type}"
        return [Problem(f"pools.{key}.machine_types", machine_type, allowed, _elsewhere(stack, machine_type))]
    here = [zone for zone in stack.zones if zone in sold]
    remedy = (
        f"Set pools.{key}.zones to [{', '.join(here)}]."
        if here
        else f"Name some of these in the stack's zones, and in pools.{key}.zones."
    )
    allowed = f"zones that sell {machine_type}: {', '.join(sold)}"
    return [Problem(f"pools.{key}.zones", ", ".join(missing), allowed, remedy)]


def _elsewhere(stack: StackSpec, machine_type: str) -> str:
    accelerator = MACHINES[stack.cloud][machine_type].accelerator
    here = sorted(
        name
        for name, machine in MACHINES[stack.cloud].items()
        if machine.accelerator is accelerator and zones_with(stack.cloud, name, stack.region)
    )
    if here:
        return f"Choose one of {', '.join(here)}."
    regions = ", ".join(sorted(regions_with(stack.cloud, accelerator))) if accelerator else ""
    return f"Choose another machine, or one of the regions with {accelerator}: {regions}."


def _not_sold_so(stack: StackSpec, key: str, pool: NodePoolSpec, machine_type: str) -> list[Problem]:
    ways = ways_to_buy(stack.cloud, machine_type)
    # The table has the two ways that every cloud has; a reservation is made of machines on demand.
    missing = [way for way in pool.capacity if way in (Capacity.ON_DEMAND, Capacity.SPOT) and way not in ways]
    allowed = f"{', '.join(sorted(ways))}: how {stack.cloud} sells {machine_type}"
    remedy = "Choose one of these, or another machine."
    return [Problem(f"pools.{key}.capacity", str(way), allowed, remedy) for way in missing]


def _recovery_problems(stack: StackSpec) -> list[Problem]:
    """A region that holds the copies but cannot run the fleet would be no place to recover to."""
    there, apart = stack.backup.region, stack.backup.min_distance_km
    if distance_km(stack.cloud, stack.region, there) < apart:
        return []
    asked = sorted({service.gpu for service in stack.fleet.services.values() if service.gpu})
    missing = [gpu for gpu in asked if there not in regions_with(stack.cloud, gpu)]
    if not missing:
        return []
    far = [
        region
        for region in regions_away_with(stack.cloud, missing[0], stack.region, apart)
        if all(region in regions_with(stack.cloud, gpu) for gpu in asked)
    ]
    allowed = f"a region that sells machines with {', '.join(asked)}, so that the fleet can come up there"
    return [Problem("backup.region", there, allowed, f"Choose one, nearest first: {', '.join(far)}.")]


def _store_problems(stack: StackSpec) -> list[Problem]:
    store, there = stack.feature_store, stack.backup.region
    if isinstance(store, ValkeySpec) and stack.cloud is store.cloud:
        return _unknown_zones("feature_store.backup_zones", store.backup_zones, stack.cloud, there)
    return []
