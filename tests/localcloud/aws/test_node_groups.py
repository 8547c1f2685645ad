"""A node group's size on the local cloud: moved by its autoscaler, and by whoever sends a scaling configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from localcloud.aws.node_groups import TOKEN, desired_size, set_desired_size
from localcloud.aws.provider import AwsProvider
from localcloud.providers.base import ProviderError, Request
from localcloud.providers.store import Store

GROUP = "c:gpu"
REGION = "eu-central-1"


def inputs(least: int, most: int, desired: int, **more: Any) -> dict[str, Any]:
    """A node group's."""
    sizes = {"minSize": least, "maxSize": most, "desiredSize": desired}
    return {"clusterName": "c", "nodeGroupName": "gpu", "scalingConfig": sizes, **more}


def request(new: dict[str, Any], old: dict[str, Any] | None = None) -> Request:
    return Request("urn", TOKEN, "gpu", new, GROUP if old else "", old or {})


@pytest.fixture
def provider(tmp_path: Path) -> AwsProvider:
    made = AwsProvider(Store(tmp_path / "store.sqlite3"))
    made.aws.account, made.aws.region = "111122223333", REGION
    return made


def test_a_change_of_any_bound_takes_the_group_to_the_size_that_was_sent(provider: AwsProvider) -> None:
    groups = provider.kind(TOKEN)
    groups.create(request(inputs(0, 3, 0)))
    set_desired_size(provider.store, REGION, GROUP, 3)
    groups.update(request(inputs(0, 5, 0), inputs(0, 3, 0)))
    assert desired_size(provider.store, REGION, GROUP) == 0, "this is what empties a busy pool"


def test_a_change_of_anything_else_leaves_the_size_alone(provider: AwsProvider) -> None:
    groups = provider.kind(TOKEN)
    groups.create(request(inputs(0, 3, 0)))
    set_desired_size(provider.store, REGION, GROUP, 3)
    groups.update(request(inputs(0, 3, 0, labels={"a": "b"}), inputs(0, 3, 0)))
    assert desired_size(provider.store, REGION, GROUP) == 3


@pytest.mark.parametrize("sizes", [(1, 3, 0), (0, 3, 4)])
def test_bounds_that_exclude_the_size_are_refused(provider: AwsProvider, sizes: tuple[int, int, int]) -> None:
    groups = provider.kind(TOKEN)
    with pytest.raises(ProviderError, match="can't be greater"):
        groups.create(request(inputs(*sizes)))
    groups.create(request(inputs(0, 3, 0)))
    with pytest.raises(ProviderError, match="can't be greater"):
        groups.update(request(inputs(*sizes), inputs(0, 3, 0)))


def test_an_autoscaler_stays_within_the_groups_bounds(provider: AwsProvider) -> None:
    provider.kind(TOKEN).create(request(inputs(0, 3, 0)))
    with pytest.raises(ProviderError, match="outside 0 to 3"):
        set_desired_size(provider.store, REGION, GROUP, 4)
