"""Real Tritons in the place of a fleet's pods: each serves the release that its pod is told to fetch."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from components.contracts import serving
from localcloud.cluster import ControlPlane, RefusedError
from localcloud.front import TritonServer
from ops.rollouts.laid import released

_DRAIN_SECONDS: Final = 1.0
"""After the door has left it out, for requests in flight."""
_AT_ONCE: Final = 4


@dataclass
class Replica:
    """One pod and its Triton."""

    name: str
    uid: str
    release: str
    labels: Mapping[str, str]
    address: str
    server: Future[TritonServer]
    is_ready: bool = False


class Pods:
    """Plays the kubelet for the fleet's pods; KWOK keeps the rest.

    Args:
        repositories: release → the folder of its models.
        python: the serving environment's interpreter.
        logs: the folder for the servers' output.
    """

    def __init__(self, plane: ControlPlane, repositories: Mapping[str, Path], python: Path, logs: Path) -> None:
        self.repositories = dict(repositories)
        self._plane, self._python, self._logs = plane, python, logs
        self._replicas: dict[str, Replica] = {}
        self._work = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="triton")
        self._lock = threading.Lock()
        self._numbers = iter(range(2, 250))

    def look(self) -> list[Replica]:
        """Start Tritons for pods that have come, and say who is ready; those of pods that are gone are left out, and
        end once `settle` was called."""
        found = {
            pod["metadata"]["uid"]: pod
            for pod in self._plane.client.list(
                "v1", "Pod", serving.NAMESPACE, selector="app.kubernetes.io/name=triton"
            )
            if pod["spec"].get("nodeName") and not pod["metadata"].get("deletionTimestamp")
        }
        with self._lock:
            for uid, pod in found.items():
                if uid not in self._replicas:
                    self._replicas[uid] = self._start(pod)
            for uid, replica in self._replicas.items():
                if uid in found and not replica.is_ready and replica.server.done():
                    replica.server.result()  # raises what kept it from starting
                    replica.is_ready = self._tell_ready(found[uid], replica)
            return [each for uid, each in self._replicas.items() if uid in found and each.is_ready]

    def settle(self, ready: Sequence[Replica]) -> None:
        """The door sends requests to `ready` alone: end the Tritons of pods that are gone."""
        keep = {replica.uid for replica in ready}
        with self._lock:
            gone = [uid for uid, each in self._replicas.items() if each.is_ready and uid not in keep]
            for uid in gone:
                self._work.submit(_end, self._replicas.pop(uid))

    def stop(self) -> None:
        """End all of them."""
        with self._lock:
            for replica in self._replicas.values():
                self._work.submit(_stop, replica)
        self._work.shutdown(wait=True)

    def _start(self, pod: Mapping[str, Any]) -> Replica:
        release = released(pod)
        name = pod["metadata"]["name"]
        server = TritonServer(
            self.repositories[release], self._python, {}, log=self._logs / f"{name}.log", identity={}
        )
        return Replica(
            name,
            pod["metadata"]["uid"],
            release,
            pod["metadata"].get("labels") or {},
            f"10.99.0.{next(self._numbers)}",
            self._work.submit(server.__enter__),
        )

    def _tell_ready(self, pod: Mapping[str, Any], replica: Replica) -> bool:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        conditions = [
            {"type": kind, "status": "True", "lastTransitionTime": now}
            for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")
        ]
        containers = [
            {
                "name": container["name"],
                "image": container["image"],
                "imageID": "",
                "ready": True,
                "started": True,
                "restartCount": 0,
                "state": {"running": {"startedAt": now}},
            }
            for container in pod["spec"]["containers"]
        ]
        status = {
            "phase": "Running",
            "podIP": replica.address,
            "podIPs": [{"ip": replica.address}],
            "conditions": conditions,
            "containerStatuses": containers,
        }
        try:
            self._plane.client.patch(
                "v1",
                "Pod",
                pod["metadata"]["name"],
                {"status": status},
                serving.NAMESPACE,
                "status",
                manager="kubelet",
            )
        except RefusedError as error:
            if error.status == 404:  # it has gone meanwhile
                return False
            raise
        return True


def ports(replica: Replica) -> tuple[str, int, int]:
    """Address, HTTP port and gRPC port of its Triton, as the door wants them."""
    server = replica.server.result()
    return (
        str(urlsplit(server.http_url).hostname),
        int(urlsplit(server.http_url).port or 0),
        int(server.grpc_address.rpartition(":")[2]),
    )


def _end(replica: Replica) -> None:
    time.sleep(_DRAIN_SECONDS)
    _stop(replica)


def _stop(replica: Replica) -> None:
    if replica.server.exception() is None:
        replica.server.result().stop()
