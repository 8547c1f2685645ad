"""What Google Cloud sells where the stack wants it: machines and accelerators by zone, the Kubernetes version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ops.preflight.gcp.reader import GcpReader
from ops.preflight.model import Finding, missing, ok, some
from ops.preflight.wanted import Machines, Wanted

_ZONES: Final = "zones/"


def machines_in_zones(reader: GcpReader, wanted: Wanted) -> Iterator[Finding]:
    """Whether each pool's machine and accelerator are sold in the plan's zones, and in the backup region at all."""
    sold = {
        (m.machine_type, m.accelerator): _sold(reader, m)
        for m in wanted.machines  # one question for each type, however many pools have it
    }
    for machines in wanted.machines:
        zones = sold[machines.machine_type, machines.accelerator]
        here = {zone for zone in zones if zone.startswith(f"{wanted.region}-")}
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
        for (machine_type, _), zones in sorted(sold.items()):
            there = {zone for zone in zones if zone.startswith(f"{region}-")}
            subject = f"{machine_type} in {region}"
            if there:
                yield ok(subject, f"sold in {some(there)}")
            else:
                remedy = "Choose a backup.region that sells it, or plan the restore on another machine type."
                yield missing(subject, "not sold there: a restore has nothing to run on", remedy)


def _sold(reader: GcpReader, machines: Machines) -> frozenset[str]:
    """Zones that sell the machine, and the accelerator that is put into it."""
    found = reader.aggregated("machineTypes", "machineTypes", f'name="{machines.machine_type}"')
    zones = {where.removeprefix(_ZONES) for where in found}
    if machines.accelerator:
        cards = reader.aggregated("acceleratorTypes", "acceleratorTypes", f'name="{machines.accelerator}"')
        zones &= {where.removeprefix(_ZONES) for where in cards}
    return frozenset(zones)


def kubernetes_version(reader: GcpReader, wanted: Wanted) -> Iterator[Finding]:
    """Whether GKE offers the minor version, in the release channel that the plan asks for."""
    version = wanted.kubernetes_version
    for cluster in wanted.inventory.of_type("gcp:container/cluster:Cluster"):
        location, channel = str(cluster.get("location")), str(cluster.get("releaseChannel.channel", ""))
        config = reader.get("container", f"v1/projects/{wanted.account}/locations/{location}/serverConfig")
        offered = next((c for c in config.get("channels", ()) if c["channel"] == channel), None)
        versions = (offered or {}).get("validVersions", ()) or config.get("validMasterVersions", ())
        minors = {".".join(v.split(".")[:2]) for v in versions}
        subject = f"Kubernetes {version} on GKE"
        where = f"the {channel} channel of {location}" if offered else location
        if ".".join(version.split(".")[:2]) in minors:
            yield ok(subject, f"offered in {where}")
        else:
            yield missing(subject, f"not offered in {where}", f"Set cluster.version to one of {some(minors)}.")
