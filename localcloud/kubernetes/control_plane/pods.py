"""Real programs in the place of pods: with the pod's own token, where a pod finds it, and reached at its address.

So a program's real permissions are tried, and an aggregated API or a webhook is found by the selectors, endpoints and
ports of its service. A program shares this machine's network, clock and files; only `/run` is its own.
"""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from common.errors import UserError
from localcloud.kubernetes.control_plane.accounts import USUAL_FOLDER, Account
from localcloud.kubernetes.control_plane.plane import ControlPlane
from localcloud.processes.process import ServerProcess

_REMEDY: Final = (
    "Run as root, allow user namespaces (sysctl kernel.unprivileged_userns_clone=1), or give the program the "
    "account's kubeconfig by a flag of its own."
)
_ENTER: Final = (
    'mount -t tmpfs -o mode=755 tmpfs "$1" && mkdir -p "$2" && mount --bind "$3" "$2" && shift 3 && exec "$@"'
)
_RUN: Final = Path("/var/run")


@functools.cache
def isolation() -> tuple[str, ...] | None:
    """The command by which a program gets mounts of its own here, or None where that is not permitted."""
    for more in ((), ("--map-root-user",)):
        command = ("unshare", "--mount", "--propagation", "private", *more)
        try:
            tried = subprocess.run(
                [*command, "sh", "-c", f"mount -t tmpfs tmpfs {_RUN.resolve()}"], capture_output=True, check=False
            )
        except OSError:
            return None
        if tried.returncode == 0:
            return command
    return None


def as_account(account: Account, command: Sequence[str | Path]) -> list[str]:
    """`command`, started so that it finds the account's token where a pod does.

    Raises:
        UserError: this machine gives no program mounts of its own.
    """
    isolated = isolation()
    if isolated is None:
        raise UserError(f"nothing can be mounted at {USUAL_FOLDER} for one program alone", "unshare", _REMEDY)
    run = str(_RUN.resolve())
    return [*isolated, "sh", "-c", _ENTER, "sh", run, USUAL_FOLDER, str(account.folder), *map(str, command)]


def run_as(
    account: Account,
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    timeout_seconds: float = 60.0,
) -> subprocess.CompletedProcess[str]:
    """Run a program with the account's rights to its end.

    Raises:
        UserError: this machine gives no program mounts of its own.
        TimeoutExpired: it did not end in time.
    """
    return subprocess.run(
        as_account(account, command),
        capture_output=True,
        text=True,
        env=_environment(account, environment),
        timeout=timeout_seconds,
        check=False,
    )


@contextlib.contextmanager
def played(
    plane: ControlPlane,
    pod: Mapping[str, Any],
    command: Sequence[str | Path],
    log: Path,
    *,
    listens: Mapping[int, int] | None = None,
    ready: Callable[[], bool] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[ServerProcess]:
    """Run a server in the place of a running pod.

    Args:
        pod: the pod, as the API server has it; its token is bound to it, and a pod that mounts none has none.
        listens: port of the pod → port of this machine at which the program listens for it.
        ready: asked until the program serves.

    Raises:
        UserError: it does not start.
    """
    metadata, spec = pod["metadata"], pod["spec"]
    account = plane.pod_account(metadata["namespace"], spec.get("serviceAccountName", "default"), metadata["name"])
    if mounts_token(pod):
        command = as_account(account, command)
    process = ServerProcess(
        f"{metadata['namespace']}/{metadata['name']}",
        command,
        log,
        remedy="Read its log: it ran with the rights and the network of its pod.",
        announce=None,
        ready=ready,
        environment=_environment(account, environment),
    )
    address = pod["status"]["podIP"]
    try:
        for port, local_port in (listens or {}).items():
            plane.egress.route(address, port, local_port)
        process.start()
        yield process
    finally:
        plane.egress.forget(address)
        process.stop()


def mounts_token(pod: Mapping[str, Any]) -> bool:
    """Whether a container of the pod finds a token at the usual place."""
    containers = pod["spec"].get("containers") or []
    return any(m["mountPath"] == USUAL_FOLDER for c in containers for m in c.get("volumeMounts") or [])


def _environment(account: Account, more: Mapping[str, str] | None) -> dict[str, str]:
    """Without proxies, and with what a pod is told."""
    own = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {**own, **account.environment, **(more or {})}
