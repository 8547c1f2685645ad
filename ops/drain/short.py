"""The demo's drain: two real Tritons behind the real Envoy under load, one of them removed as Kubernetes would."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Final

from localcloud.front import TritonServer
from localcloud.gateway import open_rendered
from ops.drain import door
from ops.drain.draining import Load, Pace, Record, take_away

MODEL: Final = "classifier"
INPUTS: Final = ({"name": "features", "datatype": "FP32", "shape": [1, 30], "data": [0.5] * 30},)
COUNT: Final = 1000
"""Requests of each protocol: some seconds of load. The tests drain at 10,000."""
SCALE: Final = 0.1
"""The part of the settings' time that a pod's end takes here."""


def load_on(url: str, grpc_target: str, ca: Path, count: int) -> Load:
    """Steady load on the service of the kept door."""
    return Load(
        url=url,
        host=f"{door.SERVICE}.{door.DOMAIN}",
        grpc_target=grpc_target,
        grpc_host=f"{door.SERVICE}-grpc.{door.DOMAIN}",
        model=MODEL,
        inputs=INPUTS,
        count=count,
        ca=str(ca),
    )


def drain_shortly(
    repository: Path,
    python: Path,
    drain_seconds: int,
    exit_timeout_seconds: int,
    *,
    logs: Path,
    step: Callable[[str], AbstractContextManager[None]],
) -> Record:
    """Serve one model of the repository twice, load both, and drain one.

    Args:
        python: the serving environment's interpreter.
        drain_seconds: of the stack's settings, as `exit_timeout_seconds`; both are taken times `SCALE`.
        logs: the folder for what the servers, Envoy and the load say.

    Raises:
        UserError: a program cannot be had or does not start, or the load does not run.
    """
    pace = Pace.of(drain_seconds, exit_timeout_seconds, SCALE)
    with ExitStack() as until:
        folder = Path(until.enter_context(tempfile.TemporaryDirectory(prefix="seawall-drain-")))
        shutil.copytree(repository / MODEL, folder / "models" / MODEL)
        with step("start two servers"):
            leaving, staying = (
                until.enter_context(
                    TritonServer(
                        folder / "models",
                        python,
                        {},
                        log=logs / f"triton-{name}.log",
                        identity={},
                        exit_timeout_s=max(1, round(pace.exit_timeout_s)),
                    )
                )
                for name in ("leaving", "staying")
            )
        with step("open the door"):
            files = door.certificate(folder)
            opened = until.enter_context(
                open_rendered(
                    door.kept(),
                    {door.PLACE: [leaving.pod, staying.pod]},
                    keys={door.SECRET: files},
                    log=logs / "envoy.log",
                )
            )
        with step("drain one under load"):
            load = load_on(opened.http_url, opened.grpc_target, files[0], COUNT)
            rest = {door.PLACE: [staying.pod]}
            return take_away("drain", opened, leaving, rest, load, python, pace, log=logs / "load.log")
