"""Pulumi's state comes back from its copy, and what keeps it from that is named; the real engine judges."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from common.console import Steps
from ops.drill.local import drill_session
from ops.drill.scenarios.state_lost import StateLost, state_check
from ops.drill.state import LocalState, local_state
from ops.local.session import LocalCloud, open_local

SHORT_PATIENCE_S = 3.0


@pytest.fixture
def stack(deployed: Callable[[str, Path], Path], tmp_path: Path) -> Iterator[tuple[LocalCloud, LocalState]]:
    """The development stack, and its bootstrap stack beside it."""
    home = deployed("dev-aws", tmp_path)
    with (
        open_local("dev-aws", Steps(), home=home, keep=False) as local,
        local_state(local, Steps(), tmp_path / "bootstrap") as hands,
    ):
        yield local, hands


def s3_of(hands: LocalState) -> Any:
    target = hands.boot.target
    return boto3.client(
        "s3",
        region_name=hands.boot.settings.place.region,
        endpoint_url=target.aws_endpoint_url,
        aws_access_key_id=target.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=target.environment["AWS_SECRET_ACCESS_KEY"],
    )


@pytest.mark.engine
def test_the_state_comes_back_from_its_copy(stack: tuple[LocalCloud, LocalState], tmp_path: Path) -> None:
    local, hands = stack
    found = drill_session(local, tmp_path / "out", Steps(), scenario=StateLost(hands))
    assert (found["findings"], found["verdict"]) == ([], "proven")


@pytest.mark.engine
def test_a_copy_that_is_stale_is_named(stack: tuple[LocalCloud, LocalState], tmp_path: Path) -> None:
    local, hands = stack
    s3_of(hands).delete_bucket_replication(Bucket=hands.bucket.bucket)
    found = drill_session(local, tmp_path / "out", Steps(), scenario=StateLost(hands), patience_s=SHORT_PATIENCE_S)
    assert found["verdict"] == "not proven"
    assert "has not all of the state" in found["findings"][0]


def test_a_state_that_lacks_a_resource_is_another() -> None:
    whole = {"resources": [{"urn": "a"}, {"urn": "b"}]}
    check = state_check(whole, {"resources": [{"urn": "a"}]})
    assert check.expected != check.found


def test_when_a_resource_was_last_changed_makes_no_other_state() -> None:
    earlier, later = ({"resources": [{"urn": "a", "modified": when}]} for when in ("1", "2"))
    check = state_check(earlier, later)
    assert check.expected == check.found
