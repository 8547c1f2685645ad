"""The bound of an RPO: made of named parts, for every kind of store, and growing with what makes it worse."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.contracts.backup import BackupSpec
from components.contracts.feature_store import (
    DynamoDBSpec,
    FeatureStoreBase,
    FeatureStoreSpec,
    MemorystoreSpec,
)
from components.contracts.recovery import (
    bounds,
    export_minutes,
    features_bound,
    fewest_hours_by_size,
    models_bound,
)
from components.contracts.restore import features_step, restore_minutes, steps
from components.contracts.vocabulary import Cloud

KINDS: tuple[type[Any], ...] = get_args(get_args(FeatureStoreSpec)[0])


def _store(kind: type[Any]) -> Any:
    return kind.model_validate({"memory_gib": 10} if "memory_gib" in kind.model_fields else {})


def _backup(hours: int = 1) -> BackupSpec:
    return BackupSpec.model_validate(
        {"region": "far", "frequency_hours": hours, "rpo_minutes": 10080, "rto_minutes": 10080}
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_store_has_a_bound_that_counts_its_interval(kind: type[Any]) -> None:
    hourly, daily = (features_bound(_store(kind), _backup(hours)) for hours in (1, 24))
    assert daily.minutes - hourly.minutes == 23 * 60


@pytest.mark.parametrize("kind", KINDS)
def test_a_larger_store_is_further_behind(kind: type[Any]) -> None:
    size = "memory_gib" if "memory_gib" in kind.model_fields else "expected_gib"
    small, large = (features_bound(kind.model_validate({size: gib}), _backup()).minutes for gib in (10, 290))
    assert large > small


def test_aws_backups_bound_has_all_four_parts() -> None:
    bound = features_bound(DynamoDBSpec(), _backup())
    assert [part.name for part in bound.parts] == [
        "between recovery points",
        "start window",
        "completion window",
        "copy",
    ]
    assert str(bound) == (
        "266 min: 65 min between recovery points + 60 min start window + 120 min completion window + 21 min copy"
    )


def test_a_store_that_nobody_has_timed_is_an_error_and_no_zero() -> None:
    class Unheard(FeatureStoreBase):
        @property
        def gib(self) -> int:
            return 1

    with pytest.raises(TypeError, match="Unheard"):
        features_bound(Unheard(), _backup())
    with pytest.raises(TypeError, match="Unheard"):
        features_step(Unheard())


def test_the_longer_bound_comes_first() -> None:
    for hours in (1, 24):
        first, second = bounds(Cloud.GCP, _store(MemorystoreSpec), _backup(hours))
        assert first.minutes >= second.minutes
        assert {first.of, second.of} == {"features", "models"}


def test_models_are_copied_as_often_as_the_service_allows() -> None:
    assert models_bound(Cloud.GCP).minutes >= 60, "Storage Transfer Service has no shorter interval"
    assert models_bound(Cloud.AWS).minutes == 15, "what S3 Replication Time Control promises"


@given(gib=st.integers(1, 300))
def test_half_of_the_time_is_left_to_administration(gib: int) -> None:
    store = MemorystoreSpec.model_validate({"memory_gib": gib})
    assert 2 * export_minutes(gib) <= 60 * fewest_hours_by_size(store)


@given(gib=st.integers(1, 300))
def test_an_export_finds_memory_for_what_changes_meanwhile(gib: int) -> None:
    store = MemorystoreSpec.model_validate({"memory_gib": gib})
    assert 0 < store.rows_gib <= 0.8 * gib + 0.005


@pytest.mark.parametrize("kind", KINDS)
def test_a_restore_takes_what_its_steps_take(kind: type[Any]) -> None:
    store = _store(kind)
    assert restore_minutes(kind.cloud, store) == sum(step.minutes for step in steps(kind.cloud, store)) > 30
