"""The names of releases: one parser, one order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.contracts.model_versions import FIRST_RELEASE, ModelVersion, is_release, release_order

NUMBERS = st.integers(0, 999_999_999)


@given(st.builds(ModelVersion, NUMBERS, NUMBERS, NUMBERS))
def test_a_version_reads_as_it_is_written(version: ModelVersion) -> None:
    assert ModelVersion.parse(str(version)) == version


@pytest.mark.parametrize(
    "name", ["", "v1", "1", "1.0", "1.0.0.1", "01.0.0", "1.0.01", "1.0.-1", "1.0.1\n", " 1.0.1", "1.0.1-rc1", "١.0.1"]
)
def test_what_is_no_version_names_no_release(name: str) -> None:
    assert not is_release(name)
    with pytest.raises(ValueError, match=r"major\.minor\.pipeline"):
        ModelVersion.parse(name)


def test_the_default_name_is_a_version() -> None:
    assert is_release(FIRST_RELEASE)


def test_versions_are_ordered_by_number_and_follow_older_names() -> None:
    names = ["1.10.0", "1.9.12", "v2", "2.0.0", "1.9.2", "v1"]
    assert sorted(names, key=release_order) == ["v1", "v2", "1.9.2", "1.9.12", "1.10.0", "2.0.0"]
