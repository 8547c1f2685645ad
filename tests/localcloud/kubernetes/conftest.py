"""One control plane for each worker: it starts in seconds, and every test has a namespace of its own."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import pytest

from components.contracts.capacity import Room
from localcloud.cluster import ControlPlane, NodeGroup, Taint, control_plane

SYSTEM = NodeGroup("system", Room(0, 4000, 8192, 50_000), ("a", "b", "c"), max_nodes=6, nodes=3)
GPU = NodeGroup(
    "gpu",
    Room(1, 4000, 8192, 50_000),
    ("a", "b"),
    max_nodes=4,
    taints=(Taint("nvidia.com/gpu", "true", "NoSchedule"),),
)


@pytest.fixture(scope="session")
def plane() -> Iterator[ControlPlane]:
    """A control plane with three machines, and a group of GPU machines that is empty."""
    with control_plane("1.35", [SYSTEM, GPU]) as running:
        yield running


@pytest.fixture
def namespace(plane: ControlPlane, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of the test's own, where pods must be `restricted`."""
    name = f"test-{zlib.crc32(request.node.nodeid.encode()):08x}"
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    plane.client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    yield name
    plane.client.delete("v1", "Namespace", name)
