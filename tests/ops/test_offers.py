"""The table of offers is what its sources say: AWS' part is made anew here, Google Cloud's from rows."""

from __future__ import annotations

from components.contracts import offers_table
from components.contracts.vocabulary import Cloud
from ops.offers import FILE, aws, committed, gcp, written

ROW = {"InstanceType": "g2-standard-8", "Region": "europe-west1", "AvailabilityZone": "europe-west1-b"}


def test_awss_part_is_what_moto_carries() -> None:
    assert committed(Cloud.AWS) == aws(), "run `python -m ops.offers`"


def test_the_file_is_written_as_it_is_committed() -> None:
    assert FILE.read_text(encoding="utf-8") == written(offers_table.READ, {c: committed(c) for c in Cloud})


def test_a_zone_that_only_machines_outside_the_catalogue_have_is_a_zone_all_the_same() -> None:
    part = gcp([ROW, ROW | {"InstanceType": "c2-standard-4", "AvailabilityZone": "europe-west1-d"}], "rows")
    assert part.zones == {"europe-west1": "europe-west1-b europe-west1-d"}
    assert part.machines["g2-standard-8"][1] == {"europe-west1": "europe-west1-b"}


def test_zones_beside_the_regions_own_are_left_out() -> None:
    aside = ROW | {"Region": "us-south1", "AvailabilityZone": "us-south1-ai1b"}
    assert gcp([aside, ROW | {"Region": "mars-1"}], "rows").zones == {}
