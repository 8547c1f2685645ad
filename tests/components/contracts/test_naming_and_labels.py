"""Physical names are deterministic, unique and short enough; labels fit each cloud and cannot be overridden."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.contracts.labels import base_labels, checked_labels
from components.contracts.naming import BUCKET_NAME_MAX, physical_name
from components.contracts.regions import REGIONS, distance_km
from components.contracts.vocabulary import Cloud, Environment

PART = st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=40)


@given(parts=st.lists(PART, min_size=1, max_size=5))
def test_a_name_never_exceeds_its_limit_and_is_the_same_each_time(parts: list[str]) -> None:
    name = physical_name(*parts, max_length=BUCKET_NAME_MAX)
    assert len(name) <= BUCKET_NAME_MAX
    assert name == physical_name(*parts, max_length=BUCKET_NAME_MAX)


@given(a=st.lists(PART, min_size=2, max_size=4), b=st.lists(PART, min_size=2, max_size=4))
def test_names_of_different_wholes_differ(a: list[str], b: list[str]) -> None:
    same = "-".join(a) == "-".join(b)
    assert (physical_name(*a, max_length=40) == physical_name(*b, max_length=40)) == same


def test_labels_of_our_own_cannot_be_overridden() -> None:
    with pytest.raises(ValueError, match="environment"):
        base_labels(Environment.DEV, "dev-aws", {"environment": "prod"})


def test_a_label_that_google_would_refuse_is_refused_here() -> None:
    with pytest.raises(ValueError, match="Team"):
        checked_labels(Cloud.GCP, {"Team": "ml"})
    assert checked_labels(Cloud.AWS, {"Team": "ml"}) == {"Team": "ml"}


@given(cloud=st.sampled_from(Cloud), data=st.data())
def test_distance_is_symmetric_and_zero_only_at_home(cloud: Cloud, data: st.DataObject) -> None:
    a, b = (data.draw(st.sampled_from(sorted(REGIONS[cloud]))) for _ in range(2))
    assert distance_km(cloud, a, b) == pytest.approx(distance_km(cloud, b, a))
    assert (distance_km(cloud, a, b) == 0) == (REGIONS[cloud][a] == REGIONS[cloud][b])


def test_a_known_distance_is_right() -> None:
    """Dublin to Frankfurt is about 1,090 km by great circle."""
    assert distance_km(Cloud.AWS, "eu-west-1", "eu-central-1") == pytest.approx(1090, abs=30)
