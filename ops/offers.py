"""Writes the table of what the clouds sell where: `python -m ops.offers`. Not what a quota or a stock allows.

AWS' part comes from moto, which carries EC2's own answers by zone id; Google Cloud's from SkyPilot's catalogue
(github.com/skypilot-org/skypilot-catalog, catalogs/v8/gcp/vms.csv), whose rows are the Compute API's.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path
from typing import Any, Final

from components.contracts import offers_table
from components.contracts.machines import MACHINES
from components.contracts.regions import REGIONS
from components.contracts.vocabulary import Cloud

_ZONE_ID: Final = re.compile(r"^[a-z]+\d-az\d$")
"""Zones proper: Local Zones and Wavelength have longer ids (`usw2-lax1-az1`)."""
_GCP_ZONE: Final = re.compile(r"^[a-z]+-[a-z]+\d+-[a-z]$")
"""Zones proper: AI zones have longer names (`us-south1-ai1b`)."""

FILE: Final = Path(offers_table.__file__)

Zones = dict[str, list[str]]
"""Region → zones."""


@dataclass(frozen=True)
class Part:
    """One cloud's part of the table, as it is written."""

    source: str
    zones: Mapping[str, str]
    machines: Mapping[str, tuple[str, Mapping[str, str]]]


def committed(cloud: Cloud) -> Part:
    """The part that the repository holds."""
    return Part(offers_table.SOURCES[cloud], offers_table.ZONES[cloud], offers_table.SOLD[cloud])


def aws() -> Part:
    """What EC2 sells by zone id, as moto has it."""
    answers = resources.files("moto.ec2") / "resources"
    types = _unpacked(answers / "instance_types.json.gz")
    sold: dict[str, Zones] = {machine: {} for machine in MACHINES[Cloud.AWS]}
    zones: Zones = {}
    for region in sorted(REGIONS[Cloud.AWS]):
        offers = _unpacked(answers / "instance_type_offerings" / "availability-zone-id" / f"{region}.json.gz")
        places = {(o["InstanceType"], o["Location"]) for o in offers if _ZONE_ID.match(o["Location"])}
        zones[region] = sorted({zone for _, zone in places})
        for machine, zone in sorted(places):
            if machine in sold:
                sold[machine].setdefault(region, []).append(zone)
    ways = {
        machine: [way for way in types[machine]["SupportedUsageClasses"] if way != "capacity-block"]
        for machine in sold
    }
    return _part(f"moto {metadata.version('moto')}: EC2's answers by zone id", zones, sold, ways)


def gcp(rows: Iterable[Mapping[str, str]], source: str) -> Part:
    """What Compute Engine sells by zone; a machine of N1 with a GPU only where that GPU is sold too."""
    sold: dict[str, Zones] = {machine: {} for machine in MACHINES[Cloud.GCP]}
    zones: Zones = {}
    gpus: dict[str, set[str]] = {}
    for row in rows:
        region, zone, machine = row["Region"], row["AvailabilityZone"], row["InstanceType"]
        if region not in REGIONS[Cloud.GCP] or not _GCP_ZONE.match(zone):
            continue
        zones.setdefault(region, []).append(zone)
        if machine in sold:
            sold[machine].setdefault(region, []).append(zone)
        if not machine:
            gpus.setdefault(row["AcceleratorName"].lower(), set()).add(zone)
    for machine, places in sold.items():
        # A machine stands in zones where its GPU has no price, which are not for sale; some GPUs have no rows at all.
        priced = gpus.get(str(MACHINES[Cloud.GCP][machine].accelerator))
        kept = {region: [zone for zone in found if not priced or zone in priced] for region, found in places.items()}
        sold[machine] = {region: found for region, found in kept.items() if found}
    ways = {machine: list(GCP_WAYS.get(machine, ("on-demand", "spot"))) for machine in sold}
    return _part(source, zones, sold, ways)


GCP_WAYS: Final[Mapping[str, tuple[str, ...]]] = dict.fromkeys(
    ("a3-highgpu-1g", "a3-ultragpu-8g", "a4-highgpu-8g"), ("spot",)
)
"""Machines that cannot be had on demand by themselves: spot, flex-start or a reservation.

A4: github.com/dstackai/dstack/pull/3100, read 2026-11-21. A3 High below 8 GPUs and A3 Ultra: believed, from
cloud.google.com/compute/docs/accelerator-optimized-machines.
"""


def _part(source: str, zones: Zones, sold: Mapping[str, Zones], ways: Mapping[str, list[str]]) -> Part:
    machines = {name: (" ".join(sorted(ways[name])), _tidy(places)) for name, places in sorted(sold.items())}
    return Part(source, _tidy(zones), machines)


def _tidy(zones: Zones) -> dict[str, str]:
    return {region: " ".join(sorted(set(found))) for region, found in sorted(zones.items())}


def _unpacked(path: Any) -> Any:
    return json.loads(gzip.decompress(path.read_bytes()))


def written(read: str, parts: Mapping[str, Part]) -> str:
    """The module that holds the table: one line for each machine, so that a diff is one line for each too."""
    sources = {str(cloud): part.source for cloud, part in parts.items()}
    lines = [
        '"""What the clouds sell, by zone: by `python -m ops.offers`, and read by `components.contracts.offers`."""',
        "",
        "# ruff: noqa: E501",
        "# fmt: off",
        "",
        f"READ = {json.dumps(read)}",
        f"SOURCES = {json.dumps(sources)}",
        "ZONES: dict[str, dict[str, str]] = {",
        *_rows({cloud: part.zones for cloud, part in parts.items()}),
        '"""Cloud → region → its zones."""',
        "SOLD: dict[str, dict[str, tuple[str, dict[str, str]]]] = {",
        *_rows({cloud: part.machines for cloud, part in parts.items()}),
        '"""Cloud → machine type → the ways of buying it, and region → the zones there that sell it."""',
    ]
    return "\n".join(lines) + "\n"


def _rows(by_cloud: Mapping[str, Mapping[str, object]]) -> Iterator[str]:
    for cloud, rows in by_cloud.items():
        yield f"    {json.dumps(cloud)}: {{"
        for key, value in rows.items():
            shown = f"({', '.join(json.dumps(v) for v in value)})" if isinstance(value, tuple) else json.dumps(value)
            yield f"        {json.dumps(key)}: {shown},"
        yield "    },"
    yield "}"


def main() -> None:
    """Write the table; without `--gcp`, Google Cloud's part stays as it is."""
    parser = argparse.ArgumentParser(prog="python -m ops.offers", description=__doc__)
    parser.add_argument("--gcp", type=Path, help="catalogs/v8/gcp/vms.csv of skypilot-org/skypilot-catalog")
    parser.add_argument("--source", default="", help="what to call that file: repository, path and commit")
    asked = parser.parse_args()
    if asked.gcp and not asked.source:
        parser.error("say with --source which commit the file is of")
    if asked.gcp:
        with asked.gcp.open(encoding="utf-8", newline="") as file:
            google = gcp(csv.DictReader(file), asked.source)
    else:
        google = committed(Cloud.GCP)
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    FILE.write_text(written(today, {"aws": aws(), "gcp": google}), encoding="utf-8")


if __name__ == "__main__":
    main()
