"""What EC2 and EKS sell where the stack wants it: open zones, machine types in them, the Kubernetes version."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from ops.preflight.aws.reader import AwsReader
from ops.preflight.model import Finding, missing, ok, some
from ops.preflight.wanted import Wanted

FEWEST_BACKUP_ZONES: Final = 1
"""Zones of the backup region that must sell a machine, for a restore to have somewhere to run."""


def zones(reader: AwsReader, wanted: Wanted) -> Iterator[Finding]:
    """Whether the zones of the plan, by their ids, exist and are open to the account."""
    planned = sorted({zone for machines in wanted.machines for zone in machines.zones})
    if not planned:
        return
    answer = reader.must("ec2", "describe_availability_zones", wanted.region)
    open_zones = {z["ZoneId"] for z in answer["AvailabilityZones"] if z["State"] == "available"}
    for zone in planned:
        if zone in open_zones:
            yield ok(zone, "open to the account")
        else:
            remedy = f"Choose among {some(open_zones)} in the settings."
            yield missing(zone, "not open to the account", remedy)


def machines_in_zones(reader: AwsReader, wanted: Wanted) -> Iterator[Finding]:
    """Whether each pool's machine is sold in the zones that the plan names, and in the backup region at all."""
    types = sorted({machines.machine_type for machines in wanted.machines})
    if not types:
        return
    sold = {region: _sold(reader, region, types) for region in wanted.regions}
    for machines in wanted.machines:
        here = sold[wanted.region].get(machines.machine_type, frozenset())
        subject = f"{machines.machine_type} in {', '.join(machines.zones)}"
        lacking = [zone for zone in machines.zones if zone not in here]
        if not lacking:
            yield ok(subject, f"sold there (pool {machines.pool})")
            continue
        remedy = (
            f"Set pools.{machines.pool} to zones among {some(here)}, or to another machine type."
            if here
            else f"Choose another machine type for pools.{machines.pool}: {wanted.region} does not sell this one."
        )
        yield missing(subject, f"not sold in {some(lacking)} (pool {machines.pool})", remedy)
    for region in wanted.regions[1:]:
        for machine_type in types:
            there = sold[region].get(machine_type, frozenset())
            subject = f"{machine_type} in {region}"
            if len(there) >= FEWEST_BACKUP_ZONES:
                yield ok(subject, f"sold in {some(there)}")
            else:
                remedy = "Choose a backup.region that sells it, or plan the restore on another machine type."
                yield missing(subject, "not sold there: a restore has nothing to run on", remedy)


def _sold(reader: AwsReader, region: str, types: list[str]) -> Mapping[str, frozenset[str]]:
    """Machine type → zones of the region that sell it."""
    offers = reader.pages(
        "ec2",
        "describe_instance_type_offerings",
        region,
        "InstanceTypeOfferings",
        {"LocationType": "availability-zone-id", "Filters": [{"Name": "instance-type", "Values": types}]},
    )
    found: dict[str, set[str]] = defaultdict(set)
    for offer in offers:
        found[offer["InstanceType"]].add(offer["Location"])
    return {machine_type: frozenset(where) for machine_type, where in found.items()}


def kubernetes_version(reader: AwsReader, wanted: Wanted) -> Iterator[Finding]:
    """Whether EKS offers the version, in standard support where the plan asks for that alone."""
    version = wanted.kubernetes_version
    if not version:
        return
    offered = {
        v["clusterVersion"]: v
        for v in reader.pages("eks", "describe_cluster_versions", wanted.region, "clusterVersions")
    }
    supported = sorted(v for v, about in offered.items() if about.get("versionStatus") == "STANDARD_SUPPORT")
    choose = f"Set cluster.version to one of {some(supported)}."
    subject = f"Kubernetes {version} on EKS"
    if version not in offered:
        yield missing(subject, f"not offered in {wanted.region}", choose)
        return
    status = offered[version].get("versionStatus", "")
    if status == "STANDARD_SUPPORT":
        ends = offered[version].get("endOfStandardSupportDate")
        yield ok(subject, f"in standard support{f' until {ends:%Y-%m-%d}' if ends else ''}")
    else:
        yield missing(subject, f"{str(status).lower().replace('_', ' ')}, not standard support", choose)
