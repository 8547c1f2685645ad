"""What the clouds sell where: machine type × region × zone, from one dated table. Not quotas, and not today's stock.

`offers_table` is written by `python -m ops.offers`, which names the sources; it holds the machine types of
`components.contracts.machines` in the regions of `components.contracts.regions`. AWS' zones are named by id: an id is
the same place in every account, while in the oldest regions a name like `us-east-1a` is another place in each account
that is older than November 2025 (docs.aws.amazon.com/global-infrastructure/latest/regions/az-ids.html, read
2026-11-21).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from components.contracts.machines import MACHINES
from components.contracts.offers_table import SOLD, ZONES
from components.contracts.regions import REGIONS, distance_km
from components.contracts.vocabulary import Accelerator, Capacity, Cloud


@dataclass(frozen=True)
class Offer:
    """Where one machine type is sold, and how."""

    ways: frozenset[Capacity]
    """The ways of buying that the cloud has for it."""
    zones: Mapping[str, tuple[str, ...]]
    """Region → the zones there that sell it."""


@dataclass(frozen=True)
class _Cloud:
    zones: Mapping[str, tuple[str, ...]]
    machines: Mapping[str, Offer]


@functools.cache
def _table() -> Mapping[Cloud, _Cloud]:
    def zones(written: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
        return {region: tuple(names.split()) for region, names in written.items()}

    return {
        cloud: _Cloud(
            zones(ZONES[cloud]),
            {
                machine: Offer(frozenset(Capacity(way) for way in ways.split()), zones(places))
                for machine, (ways, places) in SOLD[cloud].items()
            },
        )
        for cloud in Cloud
    }


def zones_of(cloud: Cloud, region: str) -> tuple[str, ...]:
    """The zones of a region, sorted; AWS' by id. None where the table has no such region."""
    return _table()[cloud].zones.get(region, ())


def zones_with(cloud: Cloud, machine_type: str, region: str) -> tuple[str, ...]:
    """The zones of `region` that sell a machine type of the catalogue, sorted.

    Raises:
        KeyError: the machine type is not in the catalogue.
    """
    return _table()[cloud].machines[machine_type].zones.get(region, ())


def ways_to_buy(cloud: Cloud, machine_type: str) -> frozenset[Capacity]:
    """How the cloud sells a machine type of the catalogue.

    Raises:
        KeyError: the machine type is not in the catalogue.
    """
    return _table()[cloud].machines[machine_type].ways


def regions_with(cloud: Cloud, accelerator: Accelerator) -> frozenset[str]:
    """The regions in which some zone sells some machine of the catalogue with this GPU."""
    carriers = [name for name, machine in MACHINES[cloud].items() if machine.accelerator is accelerator]
    return frozenset(region for name in carriers for region in _table()[cloud].machines[name].zones)


def regions_away_with(cloud: Cloud, accelerator: Accelerator, region: str, min_distance_km: int) -> list[str]:
    """The regions with this GPU that lie at least so far from `region`, nearest first."""
    found = (there for there in regions_with(cloud, accelerator) if there in REGIONS[cloud])
    far = [(distance_km(cloud, region, there), there) for there in found]
    return [there for distance, there in sorted(far) if distance >= min_distance_km]
