"""Promises that the copies or the restore cannot keep are refused, with what they are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from components.contracts.recovery import bounds
from components.contracts.restore import restore_minutes
from stacks.files import platform_names
from stacks.settings import Settings, SettingsError, stack_file

Values = Callable[[str], dict[str, Any]]
Refusal = Callable[[object], SettingsError]


@pytest.mark.parametrize("stack", platform_names())
def test_an_objective_one_minute_below_the_bound_is_refused(values: Values, refusal: Refusal, stack: str) -> None:
    s = Settings.load(stack_file(stack))
    longest, *_ = bounds(s.cloud, s.feature_store, s.backup)
    broken = values(stack)
    broken["backup"]["rpo_minutes"] = longest.minutes - 1
    [problem] = refusal(broken).problems
    assert problem.path == "backup.rpo_minutes"
    assert str(longest) in problem.allowed, "the reader sees each part"
    broken["backup"]["rpo_minutes"] = longest.minutes
    Settings.parse(broken, "test")


@pytest.mark.parametrize("stack", platform_names())
def test_a_restore_that_takes_longer_than_promised_is_refused(values: Values, refusal: Refusal, stack: str) -> None:
    s = Settings.load(stack_file(stack))
    takes = restore_minutes(s.cloud, s.feature_store)
    broken = values(stack)
    broken["backup"]["rto_minutes"] = takes - 1
    [problem] = refusal(broken).problems
    assert problem.path == "backup.rto_minutes" and "docs/recovery.md" in problem.allowed
    broken["backup"]["rto_minutes"] = takes
    Settings.parse(broken, "test")


def test_half_an_hour_of_both_is_no_promise(values: Values, refusal: Refusal) -> None:
    broken = values("prod-aws")
    broken["backup"] |= {"rpo_minutes": 120, "rto_minutes": 30}
    assert [p.path for p in refusal(broken).problems] == ["backup.rpo_minutes", "backup.rto_minutes"]


def test_the_refusal_of_a_closer_objective_says_why_a_global_table_is_none(values: Values, refusal: Refusal) -> None:
    broken = values("prod-aws")
    broken["backup"]["rpo_minutes"] = 60
    [problem] = refusal(broken).problems
    assert "a global table" in problem.remedy and "copies deletions too" in problem.remedy


def test_a_store_too_large_for_its_frequency_is_refused_with_what_an_export_takes(
    values: Values, refusal: Refusal
) -> None:
    broken = values("prod-gcp")
    broken["feature_store"]["memory_gib"] = 300
    broken["backup"]["rpo_minutes"] = 2000
    [problem] = refusal(broken).problems
    assert (problem.path, problem.value) == ("backup.frequency_hours", 1)
    assert problem.allowed == "at least 7: an export of 300 GiB takes 190 min"
    broken["backup"]["frequency_hours"] = 8
    broken["backup"]["rto_minutes"] = 400
    Settings.parse(broken, "test")


@pytest.mark.parametrize("days", [7, 29])
def test_a_window_that_would_replace_every_key_is_refused_on_google_cloud(
    values: Values, refusal: Refusal, days: int
) -> None:
    broken = values("dev-gcp")
    broken["keys"] = {"deletion_window_days": days}
    [problem] = refusal(broken).problems
    assert problem.path == "keys.deletion_window_days"
    assert "Cloud KMS cannot change it" in problem.allowed


def test_aws_changes_the_window_of_a_key_in_place(values: Values) -> None:
    changed = values("dev-aws")
    changed["keys"] = {"deletion_window_days": 7}
    assert Settings.parse(changed, "test").keys.deletion_window_days == 7


@pytest.mark.parametrize("stack", ["dev-aws", "dev-gcp"])
def test_a_standby_network_with_the_primarys_addresses_is_refused(
    values: Values, refusal: Refusal, stack: str
) -> None:
    broken = values(stack)
    broken["standby"] = {"cidr": Settings.load(stack_file(stack)).network.cidr}
    [problem] = refusal(broken).problems
    assert problem.path == "standby.cidr" and "network.cidr" in problem.allowed


@pytest.mark.parametrize(
    ("store", "path"),
    [
        ({"memory_gib": 1, "zones": ["a", "f"]}, "feature_store.zones"),
        ({"memory_gib": 1, "zones": ["b", "b"]}, "feature_store.zones"),
        ({"kind": "bigtable", "zone": "f"}, "feature_store.zone"),
        ({"kind": "bigtable", "backup_zone": "f"}, "feature_store.backup_zone"),
    ],
)
def test_a_zone_that_a_store_cannot_stand_in_is_refused(
    values: Values, refusal: Refusal, store: dict[str, Any], path: str
) -> None:
    broken = values("dev-gcp")
    broken["feature_store"] = store
    assert path.startswith(refusal(broken).problems[0].path)
