"""What EKS refuses about versions is refused here too, so that an upgrade in the wrong order fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.aws.eks.versions import check_versions
from localcloud.providers.base import ProviderError, Request
from localcloud.providers.store import Store, Stored

CLUSTER = "aws:eks/cluster:Cluster"
NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"
ADDON = "aws:eks/addon:Addon"


def request(token: str, inputs: dict[str, Any], **more: Any) -> Request:
    return Request("urn:x", token, "x", inputs, **more)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with a cluster of 1.35."""
    made = Store(tmp_path / "store.sqlite3")
    made.put(Stored(CLUSTER, "c", "urn:c", {"name": "c", "version": "1.35"}, {}))
    yield made
    made.close()


@pytest.mark.parametrize(("before", "after", "taken"), [("1.34", "1.35", True), ("1.35", "1.35", True)])
@pytest.mark.parametrize(("skipping", "to"), [("1.33", "1.35"), ("1.35", "1.34")])
def test_a_control_plane_goes_up_one_minor_version_at_a_time(
    store: Store, before: str, after: str, taken: bool, skipping: str, to: str
) -> None:
    assert taken
    check_versions(store, request(CLUSTER, {"version": after}, old_inputs={"version": before}))
    with pytest.raises(ProviderError, match="one at a time"):
        check_versions(store, request(CLUSTER, {"version": to}, old_inputs={"version": skipping}))


@pytest.mark.parametrize(("version", "taken"), [("1.35", True), ("1.32", True), ("1.36", False), ("1.31", False)])
def test_machines_are_never_newer_than_the_control_plane(store: Store, version: str, taken: bool) -> None:
    group = request(NODE_GROUP, {"clusterName": "c", "version": version})
    if taken:
        check_versions(store, group)
    else:
        with pytest.raises(ProviderError, match="upgrade the control plane first"):
            check_versions(store, group)


def test_kube_proxy_is_never_newer_than_the_control_plane(store: Store) -> None:
    proxy = {"clusterName": "c", "addonName": "kube-proxy"}
    check_versions(store, request(ADDON, {**proxy, "addonVersion": "v1.35.3-eksbuild.29"}))
    with pytest.raises(ProviderError, match="control plane"):
        check_versions(store, request(ADDON, {**proxy, "addonVersion": "v1.36.0-eksbuild.21"}))
    check_versions(store, request(ADDON, {**proxy, "addonName": "vpc-cni", "addonVersion": "v1.99.0-eksbuild.1"}))
