"""What a URN says of its resource."""

from __future__ import annotations

import pytest

from common.urns import urn_parts


def test_the_type_of_a_part_is_its_own() -> None:
    urn = "urn:pulumi:aws-prod::seawall::seawall:aws:Platform$seawall:aws:Cluster$aws:eks/addon:Addon::vpc-cni"
    assert urn_parts(urn) == ("aws-prod", "aws:eks/addon:Addon", "vpc-cni")


def test_a_name_may_hold_what_parts_a_urn() -> None:
    assert urn_parts("urn:pulumi:dev::seawall::aws:s3/bucket:Bucket::a::b").name == "a::b"


@pytest.mark.parametrize("text", ["", "models", "urn:pulumi:dev::seawall::models", "a::b::c::d"])
def test_what_is_no_urn_says_nothing(text: str) -> None:
    assert urn_parts(text) == ("", "", "")
