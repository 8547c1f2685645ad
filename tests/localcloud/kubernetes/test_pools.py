"""Claims about the simulated nodes that are made of a stack's pools."""

from __future__ import annotations

from dataclasses import replace

import pytest

from common.errors import UserError
from components.contracts.serving import GPU_TAINT_KEY
from components.contracts.vocabulary import Cloud
from localcloud.kubernetes.control_plane.nodes import NodeGroup, node_manifest, node_zone
from localcloud.kubernetes.control_plane.pools import EKS_GROUP, GKE_POOL, node_groups
from policies.inventory import Inventory
from stacks.files import platform_names
from stacks.settings import Settings, stack_file


def groups_of(inventory: Inventory) -> tuple[NodeGroup, ...]:
    settings = Settings.load(stack_file(inventory.stack))
    place = settings.place
    return node_groups(settings.cloud, place.region, place.zones, settings.pools, inventory.resources)


@pytest.fixture(params=platform_names())
def inventory(request: pytest.FixtureRequest, plans: dict[str, Inventory]) -> Inventory:
    return plans[request.param]


def test_every_group_of_machines_of_a_stack_is_there(inventory: Inventory) -> None:
    deployed = [r for r in inventory.resources if r.type in (EKS_GROUP, GKE_POOL)]
    names = {r.inputs.get("nodeGroupName") or r.inputs["name"] for r in deployed}
    assert {group.name for group in groups_of(inventory)} == names


def test_gpu_machines_have_gpus_and_keep_others_away(inventory: Inventory) -> None:
    with_gpus = [group for group in groups_of(inventory) if group.room.gpus]
    assert with_gpus
    assert all(GPU_TAINT_KEY in {taint.key for taint in group.taints} for group in with_gpus)


def test_a_group_begins_with_its_fewest_machines(inventory: Inventory) -> None:
    assert all(group.nodes == group.min_nodes <= group.max_nodes for group in groups_of(inventory))


def test_machines_take_the_zones_in_turn(inventory: Inventory) -> None:
    for group in groups_of(inventory):
        taken = [node_zone(group, number) for number in range(2 * len(group.zones))]
        assert sorted(taken) == sorted([*group.zones, *group.zones])


def test_a_label_that_a_group_was_deployed_with_is_on_its_nodes(plans: dict[str, Inventory]) -> None:
    (group, *_) = groups_of(plans["dev-aws"])
    manifest = node_manifest(group, 0, "1.35.4", "10.128.1.0/24")
    assert group.labels.items() <= manifest["metadata"]["labels"].items()


def test_a_taint_that_was_not_deployed_is_not_there(plans: dict[str, Inventory]) -> None:
    inventory = plans["dev-aws"]
    bare = tuple(
        replace(r, inputs={**r.inputs, "taints": []}) if r.type == EKS_GROUP else r for r in inventory.resources
    )
    assert all(not group.taints for group in groups_of(replace(inventory, resources=bare)))


def test_gke_taints_gpu_machines_by_itself(plans: dict[str, Inventory]) -> None:
    inventory = plans["dev-gcp"]

    def without(inputs: dict) -> dict:
        return {**inputs, "nodeConfig": {**inputs["nodeConfig"], "taints": []}}

    bare = tuple(replace(r, inputs=without(dict(r.inputs))) if r.type == GKE_POOL else r for r in inventory.resources)
    keys = [
        {t.key for t in group.taints} for group in groups_of(replace(inventory, resources=bare)) if group.room.gpus
    ]
    assert keys and all(found == {GPU_TAINT_KEY} for found in keys)


def test_a_pool_that_was_not_deployed_is_named(plans: dict[str, Inventory]) -> None:
    settings = Settings.load(stack_file("dev-aws"))
    with pytest.raises(UserError, match=r"the stack deployed no aws:eks/nodeGroup:NodeGroup called gpu-"):
        node_groups(Cloud.AWS, "eu-central-1", settings.place.zones, settings.pools, [])
