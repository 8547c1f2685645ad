"""What a copy must lie far from is where the resource itself lies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from policies.examples import given, scene
from policies.links import home_region
from policies.settings_view import SettingsView
from policies.tokens import DYNAMODB_TABLE


@pytest.mark.parametrize(
    ("region", "home"), [("eu-south-1", "eu-south-1"), (None, "eu-west-1"), ("[unknown]", "eu-west-1")]
)
def test_home_is_the_resources_own_region_and_else_the_stacks(region: str | None, home: str) -> None:
    table = given(DYNAMODB_TABLE)
    settings = SettingsView.of(scene(table).settings)
    assert home_region(replace(table.recorded(), region=region), settings) == home
