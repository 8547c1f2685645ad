"""A resource without a place of its own lies where the one that it names lies."""

from __future__ import annotations

import pytest

from policies.inventory import UNKNOWN
from policies.regions import region_of
from policies.registration import Registration

BUCKET, KEY, GRANT = (
    "gcp:storage/bucket:Bucket",
    "gcp:kms/keyRing:KeyRing",
    "gcp:storage/bucketIAMMember:BucketIAMMember",
)


def registered(type_: str, name: str, location: str = "", links: tuple[str, ...] = ()) -> Registration:
    inputs = {"location": location} if location else {}
    return Registration(name, type_, name, True, None, inputs, None, property_dependencies={"bucket": links})


OTHERS = {
    r.urn: r
    for r in (
        registered(BUCKET, "home", "EUROPE-WEST4"),
        registered(BUCKET, "away", "EUROPE-WEST6"),
        registered(KEY, "ring", "europe-west4"),
        registered("gcp:projects/iAMMember:IAMMember", "nowhere"),
    )
}


@pytest.mark.parametrize(
    ("links", "region"),
    [
        (("home",), "europe-west4"),
        (("home", "ring", "nowhere"), "europe-west4"),
        (("nowhere",), None),
        ((), None),
        (("home", "away"), UNKNOWN),
        (("away", "home"), UNKNOWN),
    ],
)
def test_a_grant_lies_where_all_that_it_names_lies_whatever_their_order(
    links: tuple[str, ...], region: str | None
) -> None:
    assert region_of(registered(GRANT, "grant", links=links), OTHERS) == region
