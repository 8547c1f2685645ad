"""The front of the real control plane: what the commands may know of it, apart from what needs none.

Usage:

    groups = node_groups(cloud, region, zones, settings.pools, inventory.resources)     # of the stack's plan
    with control_plane(settings.cluster.version, groups, pace=Pace(app_ready_seconds={"triton": 30})) as plane:
        furnish(plane, cloud)                           # what EKS or GKE brings
        define_all(plane.client, charts)                # what the stack's charts define
        with open_local(stack, steps, home=own, keep=False, kubeconfig=plane.kubeconfig) as local:
            local.up()                                  # the stand-in provider applies, and waits
        plane.client.apply(manifest)                    # Answer(object, warnings) or RefusedError
        plane.client.list("v1", "Pod", "serving")
        plane.nodes.resize("gpu-on-demand-98b0e4b6", 3) # as the cloud's groups grow and shrink
        plane.nodes.remove(plane.nodes.in_zone("euc1-az1"))
        run_as(plane.account("serving", "triton"), ["kubectl", "get", "pods"])
        with played(plane, pod, [adapter, …], log, listens={6443: port}):
            ...                                         # the pod's service leads to it

Everything is in `localcloud.kubernetes.control_plane`; importing this takes a moment, calling it minutes once.
"""

from __future__ import annotations

from localcloud.kubernetes.charts import chart_definitions, define_all
from localcloud.kubernetes.control_plane.accounts import Account
from localcloud.kubernetes.control_plane.client import Answer, ClusterClient, RefusedError
from localcloud.kubernetes.control_plane.furnishing import furnish
from localcloud.kubernetes.control_plane.nodes import NodeGroup, Nodes, Taint, is_ready
from localcloud.kubernetes.control_plane.plane import ControlPlane, control_plane
from localcloud.kubernetes.control_plane.pods import as_account, isolation, played, run_as
from localcloud.kubernetes.control_plane.pools import node_groups
from localcloud.kubernetes.control_plane.stages import Pace
from localcloud.processes.process import ServerProcess, free_ports
from localcloud.toolchain.adapter import ensure_prometheus_adapter
from localcloud.toolchain.definitions import definitions
from localcloud.toolchain.flagger import ensure_flagger
from localcloud.toolchain.kubernetes import ensure_control_plane, ensure_kwok
from localcloud.toolchain.prometheus import Prometheus, ensure_prometheus

__all__ = [
    "Account",
    "Answer",
    "ClusterClient",
    "ControlPlane",
    "NodeGroup",
    "Nodes",
    "Pace",
    "Prometheus",
    "RefusedError",
    "ServerProcess",
    "Taint",
    "as_account",
    "chart_definitions",
    "control_plane",
    "define_all",
    "definitions",
    "ensure_control_plane",
    "ensure_flagger",
    "ensure_kwok",
    "ensure_prometheus",
    "ensure_prometheus_adapter",
    "free_ports",
    "furnish",
    "is_ready",
    "isolation",
    "node_groups",
    "played",
    "run_as",
]
