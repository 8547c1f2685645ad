"""What an edit of the pools' settings does to the machines that run: nothing, or a new group beside the old one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from common.sdk.replacement import replace_on
from components.contracts.vocabulary import Cloud
from policies.inventory import Resource

GROUP = {Cloud.AWS: "aws:eks/nodeGroup:NodeGroup", Cloud.GCP: "gcp:container/nodePool:NodePool"}
NAME = {Cloud.AWS: "nodeGroupName", Cloud.GCP: "name"}
SMALL = {Cloud.AWS: "g6.xlarge", Cloud.GCP: "g2-standard-8"}
LARGE = {Cloud.AWS: "g6.2xlarge", Cloud.GCP: "g2-standard-4"}
LOCAL: dict[Cloud, dict[str, Any]] = {Cloud.AWS: {"local_disk": True}, Cloud.GCP: {}}
"""No GKE machine with this GPU brings NVMe: `gcp.test_node_pools` has others."""
RESERVED = {Cloud.AWS: "cr-0123456789abcdef0", Cloud.GCP: "l4-of-this-year"}

SETTINGS_OF_A_POOL = {
    "machine_types",
    "min_nodes",
    "max_nodes",
    "capacity",
    "reservations",
    "zones",
    "disk_gib",
    "local_disk",
    "sharing",
}


def edits(cloud: Cloud, zones: tuple[str, ...]) -> Mapping[str, dict[str, Any]]:
    """Each setting of the GPU pool → an edit of it, and of what must be edited with it."""
    reservation = {"machine_type": SMALL[cloud], "zone": zones[0], "machines": 2}
    return {
        "machine_types": {"machine_types": [LARGE[cloud], SMALL[cloud]]},
        "min_nodes": {"min_nodes": 1},
        "max_nodes": {"max_nodes": 5},
        "capacity": {"capacity": ["on-demand"]},
        "reservations": {"capacity": ["reservation", "spot"], "reservations": {RESERVED[cloud]: reservation}},
        "zones": {"zones": list(zones[:1])},
        "disk_gib": {"disk_gib": 200},
        "local_disk": LOCAL[cloud],
        "sharing": {"sharing": {"strategy": "time-slicing", "replicas": 2}},
    }


def groups(planned: Any) -> dict[str, Resource]:
    """The groups of machines by their logical names."""
    return {r.name: r for r in planned.inventory.of_type(GROUP[planned.cloud])}


def at(value: Any, path: list[str]) -> Iterator[Any]:
    """What stands at a path without list positions."""
    if isinstance(value, list):
        for item in value:
            yield from at(item, path)
    elif not path:
        yield value
    elif isinstance(value, Mapping):
        yield from at(value.get(path[0]), path[1:])


def replaced(old: Resource, new: Resource) -> list[str]:
    """The inputs that make the cloud replace the group, of those that a plan knows."""
    return [
        path
        for path in replace_on(old.type)
        if path not in new.ignore_changes
        and list(at(dict(old.inputs), path.split("."))) != list(at(dict(new.inputs), path.split(".")))
    ]


def test_every_setting_of_a_pool_is_edited_here(gcp_platform: Any) -> None:
    pool = gcp_platform.settings.pools["gpu"]
    assert set(type(pool).model_fields) == SETTINGS_OF_A_POOL == set(edits(Cloud.GCP, ("a", "b")))


@pytest.mark.parametrize("setting", sorted(SETTINGS_OF_A_POOL))
def test_a_group_that_is_replaced_has_another_name(cloud: Cloud, setting: str, plan_platform: Any) -> None:
    before = plan_platform(cloud)
    after = plan_platform(cloud, pools={"gpu": edits(cloud, before.settings.zones)[setting]})
    old, new = groups(before), groups(after)
    for name in old.keys() & new.keys():
        found = replaced(old[name], new[name])
        renamed = old[name].get(NAME[cloud]) != new[name].get(NAME[cloud])
        assert renamed == bool(found), f"{setting} replaces {name} by {found}"
        assert not found or new[name].delete_before_replace is False


@pytest.mark.parametrize("setting", ["zones", "network"])
def test_a_stack_of_other_subnets_has_other_groups(setting: str, plan_platform: Any) -> None:
    before = plan_platform(Cloud.AWS)
    other: dict[str, Any] = {
        "zones": {"zones": ["euc1-az1", *before.settings.zones]},
        "network": {"network": {"cidr": "10.30.0.0/16"}},
    }
    old, new = groups(before), groups(plan_platform(Cloud.AWS, **other[setting]))
    names = {group.get("nodeGroupName") for group in old.values()}
    assert names.isdisjoint(group.get("nodeGroupName") for group in new.values()), "their subnets replace them"


def test_names_stay_when_nothing_replaces(cloud: Cloud, plan_platform: Any) -> None:
    before, after = (groups(plan_platform(cloud, labels={"team": team})) for team in ("one", "two"))
    assert {n: g.get(NAME[cloud]) for n, g in before.items()} == {n: g.get(NAME[cloud]) for n, g in after.items()}


@pytest.mark.parametrize("setting", ["min_nodes", "max_nodes"])
def test_eks_is_never_told_of_other_bounds(setting: str, plan_platform: Any) -> None:
    before = plan_platform(Cloud.AWS)
    after = plan_platform(Cloud.AWS, pools={"gpu": edits(Cloud.AWS, before.settings.zones)[setting]})
    for name, group in groups(after).items():
        assert group.ignore_changes == ("scalingConfig",), name
        old = {**groups(before)[name].inputs, "scalingConfig": None}
        assert {**group.inputs, "scalingConfig": None} == old, "any of it would send EKS the size that was recorded"


def test_the_autoscaler_is_told_of_other_bounds(plan_platform: Any) -> None:
    def shown(planned: Any) -> str:
        deployment = planned.one("node-autoscaler", "cluster-autoscaler", "kubernetes:apps/v1:Deployment")
        return str(deployment.get("metadata.annotations")["seawall.dev/groups"])

    assert " 0 to 3" in shown(plan_platform(Cloud.AWS))
    assert " 1 to 5" in shown(plan_platform(Cloud.AWS, pools={"gpu": {"min_nodes": 1, "max_nodes": 5}}))
