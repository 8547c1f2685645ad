"""A real control plane on this machine for the length of a block: etcd, API server, controllers, scheduler, KWOK.

Usage:

    with control_plane("1.35", groups, steps=steps) as plane:
        plane.client.apply(manifest)
        plane.nodes.resize("gpu", 3)
        plane.kubeconfig                # the administrator's, for any client
        plane.account("models", "triton").kubeconfig

Nothing of it outlives the block, and all of it listens on loopback alone. It runs no containers, enforces no network
policy and knows no cloud: nodes and pods are KWOK's.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import requests

from common.console import Steps
from common.versions import KUBERNETES
from localcloud.kubernetes.control_plane import commands, egress
from localcloud.kubernetes.control_plane.accounts import Account, Accounts, write_kubeconfig
from localcloud.kubernetes.control_plane.certificates import Authority, make_key
from localcloud.kubernetes.control_plane.client import ClusterClient, wait_until
from localcloud.kubernetes.control_plane.nodes import NodeGroup, Nodes
from localcloud.kubernetes.control_plane.stages import Pace, write_kwok_config
from localcloud.processes.process import ServerProcess, start_on_free_ports
from localcloud.toolchain.kubernetes import (
    API_SERVER,
    CONTROLLER_MANAGER,
    ETCD,
    KWOK,
    SCHEDULER,
    STAGES,
    ensure_control_plane,
    ensure_kwok,
)

ADMIN: Final = "admin"
START_SECONDS: Final = 120.0
"""Of each program, on a busy machine."""
_GRACE_SECONDS: Final = 2.0
_REMEDY: Final = "Run the command again: a control plane is made anew each time, and what was on it is gone."
_USERS: Final = {
    ADMIN: ("admin", "system:masters"),
    CONTROLLER_MANAGER: ("system:kube-controller-manager", ""),
    SCHEDULER: ("system:kube-scheduler", ""),
    # In the place of all kubelets.
    KWOK: ("kwok", "system:masters"),
}
"""Who has a token: its file's name → user and group."""


class ControlPlane:
    """A running control plane; made by `control_plane`."""

    def __init__(self, minor: str, folder: Path, url: str, ca: Path, proxy: egress.Egress) -> None:
        self.minor = minor
        self.version = KUBERNETES[minor]
        """Its patch release, without a `v`."""
        self.folder = folder
        """Its own: logs are in `logs`."""
        self.url = url
        self.ca = ca
        self.kubeconfig = folder / f"{ADMIN}.kubeconfig"
        """The administrator's, who may do everything."""
        self.processes: list[ServerProcess] = []
        self.client = ClusterClient(self.kubeconfig)
        self.nodes = Nodes(self.client, self.version, [])
        self.egress = proxy
        self._accounts = Accounts(self.client, folder / "accounts", url, ca)

    def account(self, namespace: str, name: str) -> Account:
        """A service account's own token, kubeconfig and folder, as its pods have them.

        Raises:
            RefusedError: there is no such account.
        """
        return self._accounts.account(namespace, name)

    def pod_account(self, namespace: str, name: str, pod: str) -> Account:
        """The same for one pod: the token is bound to it, and worth nothing once the pod is gone.

        Raises:
            RefusedError: there is no such account, or no such pod of it.
        """
        return self._accounts.account(namespace, name, pod)

    def check(self) -> None:
        """Raise UserError if a part has died: which, its last words, the remedy."""
        for process in self.processes:
            process.check()

    def wait_until(self, what: str, seconds: float, is_so: Callable[[], bool]) -> None:
        """Wait until `is_so`.

        Raises:
            UserError: not within `seconds`, or a part has died meanwhile.
        """
        wait_until(what, seconds, is_so, watched=self.check)

    def memory_mib(self) -> dict[str, int]:
        """Resident memory of each program."""
        import psutil

        found: dict[str, int] = {}
        for process in self.processes:
            if process.pid is not None:
                below = psutil.Process(process.pid).children(recursive=True)
                found[process.name] = sum(child.memory_info().rss for child in below) // 2**20
        return found


@contextlib.contextmanager
def control_plane(
    minor: str,
    groups: Sequence[NodeGroup] = (),
    *,
    pace: Pace | None = None,
    folder: Path | None = None,
    steps: Steps | None = None,
) -> Iterator[ControlPlane]:
    """Build it if need be, start it with the nodes of `groups`, and stop it after the block.

    Args:
        minor: such as `1.35`, as a stack's `cluster.version` says.
        pace: how long nodes and pods take.
        folder: an empty one for its files and logs, which stay; a temporary one by default.

    Raises:
        UserError: it cannot be built or started; nothing is left running then.
    """
    steps = steps or Steps()
    binaries, kwok = ensure_control_plane(minor, steps), ensure_kwok(steps)
    with _folder(folder) as own:
        started: list[ServerProcess] = []
        proxy = egress.Egress(own)
        plane: ControlPlane | None = None
        try:
            with steps.step(f"Start Kubernetes {KUBERNETES[minor]}"):
                proxy.start()
                plane = _start(minor, binaries, kwok, own, pace or Pace(), proxy, started)
                plane.nodes = Nodes(plane.client, plane.version, groups)
                _settle(plane, groups)
            yield plane
        finally:
            if plane is not None:
                plane.client.close()
            _stop(started)
            proxy.stop()


@contextlib.contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        given.mkdir(parents=True, exist_ok=True, mode=0o700)
        given.chmod(0o700)
        yield given
        return
    made = Path(tempfile.mkdtemp(prefix="seawall-kubernetes-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _start(
    minor: str,
    binaries: Path,
    kwok: Path,
    folder: Path,
    pace: Pace,
    proxy: egress.Egress,
    started: list[ServerProcess],
) -> ControlPlane:
    files, tokens = _files(binaries, kwok, folder)
    write_kwok_config(files.kwok_config, kwok / STAGES, pace)
    logs = folder / "logs"
    removed = [folder] if folder.parent == Path(tempfile.gettempdir()) else []

    def start(name: str, count: int, command: Callable[[tuple[int, ...]], list[str]], path: str) -> int:
        def make(ports: tuple[int, ...]) -> ServerProcess:
            return ServerProcess(
                name,
                command(ports),
                logs / f"{name}.log",
                remedy=_REMEDY,
                ready=lambda: _answers(files, ports[0], path),
                start_seconds=START_SECONDS,
                grace_seconds=_GRACE_SECONDS,
                environment=_environment(),
                cwd=folder,
                remove=removed if name == ETCD else (),
            )

        process, ports = start_on_free_ports(make, count)
        started.append(process)
        return ports[0]

    etcd_port = start(ETCD, 2, lambda p: commands.etcd(files, p[0], p[1]), "https:/health")
    api_port = start(API_SERVER, 1, lambda p: commands.api_server(files, p[0], etcd_port), "https:/readyz")
    url = f"https://{commands.HOST}:{api_port}"
    for name, token in tokens.items():
        write_kubeconfig(files.kubeconfig(name), url, files.ca, name, token)
    with ThreadPoolExecutor(3) as together:
        waiting = [
            together.submit(
                start,
                CONTROLLER_MANAGER,
                1,
                lambda p: commands.controller_manager(files, p[0], pace),
                "https:/healthz",
            ),
            together.submit(start, SCHEDULER, 1, lambda p: commands.scheduler(files, p[0]), "https:/healthz"),
            together.submit(start, KWOK, 1, lambda p: commands.kwok(files, p[0]), "http:/healthz"),
        ]
    for each in waiting:
        each.result()
    plane = ControlPlane(minor, folder, url, files.ca, proxy)
    plane.processes = started
    return plane


def _settle(plane: ControlPlane, groups: Sequence[NodeGroup]) -> None:
    plane.wait_until(
        "the controllers work", 60, lambda: plane.client.get("v1", "ServiceAccount", "default", "default") is not None
    )
    for group in groups:
        plane.nodes.resize(group.name, group.nodes, wait=False)
    plane.nodes.wait_ready()


def _files(binaries: Path, kwok: Path, folder: Path) -> tuple[commands.Files, dict[str, str]]:
    """Everything that the programs read, made anew; and the tokens of `_USERS`."""
    keys = folder / "keys"
    keys.mkdir(mode=0o700)
    cluster, front = Authority(keys, "seawall-local"), Authority(keys, "front-proxy-ca")
    hosts = (
        commands.HOST,
        commands.FIRST_SERVICE,
        "localhost",
        *(f"kubernetes{suffix}" for suffix in ("", ".default", ".default.svc", ".default.svc.cluster.local")),
    )
    tokens = {name: secrets.token_urlsafe(32) for name in _USERS}
    lines = [f'{tokens[name]},{user},{user},"{group}"' for name, (user, group) in _USERS.items()]
    token_file = keys / "tokens.csv"
    token_file.touch(mode=0o600)
    token_file.write_text("\n".join(lines) + "\n")
    selection = folder / "egress.yaml"
    selection.write_text(egress.CONFIG)
    files = commands.Files(
        binaries=binaries,
        kwok=kwok,
        data=folder,
        ca=cluster.certificate,
        server=cluster.issue("server", hosts),
        signer=cluster.pair,
        front_proxy_ca=front.certificate,
        front_proxy=front.issue("front-proxy-client"),
        service_account_key=make_key(keys / "service-accounts.key"),
        tokens=token_file,
        egress=selection,
    )
    return files, tokens


def _answers(files: commands.Files, port: int, path: str) -> bool:
    scheme, _, rest = path.partition(":")
    try:
        answer = requests.get(
            f"{scheme}://{commands.HOST}:{port}{rest}",
            verify=str(files.ca),
            cert=(str(files.server.certificate), str(files.server.key)),
            timeout=5,
        )
    except requests.RequestException:
        return False
    return answer.ok


def _environment() -> dict[str, str]:
    """Without proxies, which would be asked for loopback too."""
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


def _stop(started: Sequence[ServerProcess]) -> None:
    """All at once but for etcd, without which the others complain."""
    first, rest = list(started[:1]), list(started[1:])
    with ThreadPoolExecutor(max(1, len(rest))) as together:
        list(together.map(ServerProcess.stop, rest))
    for process in first:
        process.stop()
