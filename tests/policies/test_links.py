"""Resources are linked by names that are known, in the region where they lie, and a key by what can name one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from policies.examples import Hidden, given, scene
from policies.inventory import UNKNOWN, Inventory
from policies.links import companions, customer_key, home_region, refers_to
from policies.model import Verdict
from policies.settings_view import SettingsView
from policies.tokens import DYNAMODB_TABLE, S3_BUCKET, S3_VERSIONING


@pytest.mark.parametrize(
    ("region", "home"), [("eu-south-1", "eu-south-1"), (None, "eu-west-1"), ("[unknown]", "eu-west-1")]
)
def test_home_is_the_resources_own_region_and_else_the_stacks(region: str | None, home: str) -> None:
    table = given(DYNAMODB_TABLE)
    settings = SettingsView.of(scene(table).settings)
    assert home_region(replace(table.recorded(), region=region), settings) == home


def test_two_names_that_nobody_knows_yet_are_not_thereby_the_same() -> None:
    bucket = given(S3_BUCKET, {"bucket": Hidden()}).recorded()
    versioning = given(S3_VERSIONING, {"bucket": Hidden()}).recorded()
    assert not refers_to(Inventory("s", {}, (bucket, versioning)), versioning, "bucket", bucket, UNKNOWN)


@pytest.mark.parametrize("away", [False, True])
def test_what_lies_in_another_region_configures_nothing_here(away: bool) -> None:
    bucket = given(S3_BUCKET, {"bucket": "models"}).recorded()
    versioning = given(S3_VERSIONING, {"bucket": "models"}, away=away).recorded()
    inventory = Inventory("s", {}, (bucket, versioning))
    assert bool(companions(inventory, bucket, "bucket", ["models"], S3_VERSIONING)) is not away


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", Verdict.PASS),
        ("arn:aws:kms:eu-west-1:111122223333:alias/state", Verdict.PASS),
        ("alias/state", Verdict.PASS),
        ("1234abcd-12ab-34cd-56ef-1234567890ab", Verdict.PASS),
        ("projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k", Verdict.PASS),
        ("alias/aws/s3", Verdict.FAIL),
        ("elsewhere", Verdict.FAIL),
        ("arn:aws:s3:::models", Verdict.FAIL),
        ("projects/p/locations/europe-west1/keyRings/r", Verdict.FAIL),
    ],
)
def test_only_what_can_name_a_customers_key_is_one(name: str, verdict: Verdict) -> None:
    token = "gcp:redis/instance:Instance" if name.startswith("projects/") else "aws:sns/topic:Topic"
    holder = given(token, {"key": name}).recorded()
    assert customer_key(Inventory("s", {}, (holder,)), holder, "key").verdict is verdict
