"""An upgrade of EKS on the real engine: control plane, add-ons, machines, in this order or not at all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from common.errors import UserError
from ops.local.session import LocalCloud

pytestmark = pytest.mark.engine

PROGRAM = """
from components import aws
from stacks.settings import Settings, stack_file

s = Settings.load(stack_file("dev-aws"))
asked = s.cluster.model_copy(update={"version": "1.35"})
on = aws.provider(s.place)
keys = aws.Keys("keys", s.place, s.keys, provider=on).ref
network = aws.Network("network", s.place, s.network, provider=on).ref
cluster = aws.Cluster(
    "cluster", s.place, asked, network=network, keys=keys, log_retention_days=30, provider=on
).ref
aws.NodePools(
    "pools", s.place, s.pools, cluster=cluster, network=network, keys=keys, termination_seconds=120, provider=on
)
"""
NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"

Opened = Callable[[], AbstractContextManager[LocalCloud]]


def versions(local: LocalCloud) -> dict[str, set[str]]:
    """What runs, by type."""
    found: dict[str, set[str]] = {}
    for resource in local.resources():
        for key in ("version", "addonVersion"):
            if resource.type.startswith("aws:eks/") and key in resource.inputs:
                found.setdefault(resource.type, set()).add(str(resource.inputs[key]))
    return found


def test_machines_and_addons_follow_the_control_plane_and_no_version_is_skipped(project: Any, opened: Opened) -> None:
    project.write(PROGRAM)
    project.change('"1.35"', '"1.34"')
    with opened() as local:
        local.up()
    project.change('"1.34"', '"1.36"')
    with opened() as local, pytest.raises(UserError, match=r"from 1\.34 to 1\.36"):
        local.up()
    project.change('"1.36"', '"1.35"')
    with opened() as local:
        local.up()  # the local cloud refuses machines and kube-proxy that are newer than the control plane
        found = versions(local)
        assert found[NODE_GROUP] == found["aws:eks/cluster:Cluster"] == {"1.35"}
        assert "v1.35.3-eksbuild.29" in found["aws:eks/addon:Addon"]
        assert local.preview(expect_no_changes=True).is_empty
