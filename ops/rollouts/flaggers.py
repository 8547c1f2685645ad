"""Flagger as a stack runs it: so many replicas, one of which leads, with the rights of the stack's account."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests

from components.contracts import serving
from components.kubernetes.rollouts import rights
from components.kubernetes.rollouts.controller import NAMESPACE
from localcloud.cluster import ControlPlane, RefusedError, ServerProcess, as_account, free_ports

_LOOP: Final = "-control-loop-interval=250ms"
"""How often it takes notice of new and changed Canaries; 10 s by default."""
_LEADS: Final = "Acting as elected leader"
_ANALYSED: Final = re.compile(
    r'^flagger_canary_metric_analysis\{metric="([^"]+)",name="([^"]+)",[^}]*\} (\S+)$', re.M
)
_LOCKS: Final = (("v1", "ConfigMap"), ("coordination.k8s.io/v1", "Lease"))
_START_SECONDS: Final = 30.0


@dataclass
class Replica:
    """One of them."""

    url: str
    log: Path
    process: ServerProcess
    is_alive: bool = True

    @property
    def leads(self) -> bool:
        """Whether it is the one that acts."""
        return self.is_alive and _LEADS in self.log.read_text(errors="replace")


class Flaggers:
    """All of them.

    Args:
        program: Flagger.
        told: what the stack tells its chart.
        prometheus_url: where Prometheus runs on this machine: whatever is asked by HTTP is asked there.
        folder: for their logs.
    """

    def __init__(
        self, plane: ControlPlane, program: Path, told: Mapping[str, Any], prometheus_url: str, folder: Path
    ) -> None:
        self._plane, self._program, self._told = plane, program, told
        self._prometheus_url, self._folder = prometheus_url, folder
        self._replicas: list[Replica] = []

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Start them, and stop them after the block.

        Raises:
            UserError: one does not start, or none becomes the leader.
        """
        try:
            for _ in range(self._told["leaderElection"]["replicaCount"]):
                self.start()
            self._plane.wait_until("a Flagger leads", _START_SECONDS, lambda: self.leader is not None)
            yield
        finally:
            for each in self._replicas:
                each.process.stop()

    @property
    def leader(self) -> Replica | None:
        """The one that acts."""
        return next((each for each in self._replicas if each.leads), None)

    def start(self) -> None:
        """One more, as a Deployment replaces one that died."""
        account = self._plane.account(NAMESPACE, self._told["serviceAccount"]["name"])
        (port,) = free_ports(1)
        url = f"http://127.0.0.1:{port}"
        log = self._folder / f"flagger-{len(self._replicas)}.log"
        command = [
            self._program,
            *flags(self._told),
            f"-port={port}",
            _LOOP,
        ]
        process = ServerProcess(
            "Flagger",
            as_account(account, command),
            log,
            remedy="Read its log: it ran with the rights that stacks give it.",
            ready=lambda: _answers(f"{url}/healthz"),
            environment={"PATH": "/usr/bin:/bin", "HTTP_PROXY": self._prometheus_url, **account.environment},
        )
        process.start()
        self._replicas.append(Replica(url, log, process))

    def kill_leader(self) -> None:
        """SIGKILL for the one that acts; the next one leads once the lock has run out, a minute later."""
        leader = self.leader
        if leader is None:
            raise LookupError("no Flagger leads")
        leader.process.kill()
        leader.is_alive = False

    def take_the_lock_away(self) -> None:
        """The dead leader's, as time would."""
        for version, kind in _LOCKS:
            with contextlib.suppress(RefusedError):
                self._plane.client.delete(version, kind, rights.LOCK, serving.NAMESPACE)

    def figures(self, service: str) -> dict[str, float]:
        """The figures that a service's canary was judged by last."""
        leader = self.leader
        if leader is None:
            return {}
        with requests.Session() as session:
            session.trust_env = False
            try:
                text = session.get(f"{leader.url}/metrics", timeout=5).text
            except requests.ConnectionError:  # it was killed meanwhile
                return {}
        return {metric: float(value) for metric, name, value in _ANALYSED.findall(text) if name == service}

    def mark(self) -> list[int]:
        """How much all of them have said so far, for `said`."""
        return [each.log.stat().st_size for each in self._replicas]

    def last_words(self) -> str:
        """What the one that acts said last."""
        leader = self.leader
        lines = leader.log.read_text(errors="replace").splitlines() if leader else []
        return lines[-1] if lines else "none leads"

    def said(self, mark: list[int]) -> str:
        """What they have said since, one after the other."""
        begins = [*mark, *(0 for _ in self._replicas[len(mark) :])]
        told = zip(self._replicas, begins, strict=True)
        return "".join(each.log.read_bytes()[begin:].decode(errors="replace") for each, begin in told)


def flags(told: Mapping[str, Any]) -> list[str]:
    """What Flagger's chart makes of its values (templates/deployment.yaml of 1.36.1, read 2026-11-22)."""
    return [
        f"-log-level={told['logLevel']}",
        f"-mesh-provider={told['meshProvider']}",
        f"-metrics-server={told['metricsServer']}",
        f"-selector-labels={told['selectorLabels']}",
        f"-enable-config-tracking={str(told['configTracking']['enabled']).lower()}",
        f"-namespace={told['namespace']}",
        f"-enable-leader-election={str(told['leaderElection']['enabled']).lower()}",
        f"-leader-election-namespace={NAMESPACE}",
        f"-include-label-prefix={told['includeLabelPrefix']}",
    ]


def _answers(url: str) -> bool:
    with requests.Session() as session, contextlib.suppress(requests.RequestException):
        session.trust_env = False
        return session.get(url, timeout=1).ok
    return False
