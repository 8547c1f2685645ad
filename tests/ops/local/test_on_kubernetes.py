"""Claims about a stack whose Kubernetes objects are on a real control plane, by the real engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.console import Steps
from common.errors import UserError
from localcloud.cluster import control_plane, furnish, node_groups
from ops.local.session import open_local
from policies.inventory import Inventory
from stacks.settings import Settings, stack_file

STACK = "dev-gcp"


@pytest.mark.engine
@pytest.mark.cluster
def test_a_stack_comes_up_on_a_control_plane_and_only_what_another_changed_of_it_shows(
    tmp_path: Path, plans: dict[str, Inventory], steps: Steps
) -> None:
    settings = Settings.load(stack_file(STACK))
    place = settings.place
    groups = node_groups(settings.cloud, place.region, place.zones, settings.pools, plans[STACK].resources)
    with control_plane(settings.cluster.version, groups) as plane:
        furnish(plane, settings.cloud)
        for group in groups:
            plane.nodes.resize(group.name, max(1, group.min_nodes))
        with open_local(STACK, steps, home=tmp_path, keep=False, kubeconfig=plane.kubeconfig) as local:
            local.up()
            most = {"spec": {"replicas": settings.fleet.services["tumour-risk"].max_replicas}}
            plane.client.patch("apps/v1", "Deployment", "tumour-risk", most, "serving", "scale")
            local.preview(expect_no_changes=True)
            assert local.refresh().is_empty, "the number of replicas is the autoscaler's own"
            budget = {"spec": {"maxUnavailable": 2}}
            plane.client.patch(
                "policy/v1", "PodDisruptionBudget", "tumour-risk", budget, "serving", manager="an-operator"
            )
            (drift,) = local.refresh().changes
            # As the real one says: what a person took over is theirs until they give it back.
            with pytest.raises(
                UserError, match=r'conflict with "an-operator" using policy/v1: \.spec\.maxUnavailable'
            ):
                local.preview()
    assert drift.type == "kubernetes:policy/v1:PodDisruptionBudget"


def test_a_stack_is_never_kept_with_objects_on_a_control_plane_that_goes(tmp_path: Path, steps: Steps) -> None:
    with (
        pytest.raises(UserError, match="on a control plane that is gone after this command"),
        open_local(STACK, steps, home=tmp_path, kubeconfig=tmp_path / "kubeconfig"),
    ):
        pass
