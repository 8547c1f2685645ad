"""Measures what the door adds to a prediction: requests to one real Triton, straight and through the real Envoy."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import requests

from common.console import Steps
from common.errors import UserError
from localcloud.front import TritonServer, ensure_envoy, ensure_serving_environment
from localcloud.gateway import open_rendered, session_to
from ops.bench.measure import in_turns
from ops.bench.model import Result, Sample, Target, times_of
from ops.drain import door
from ops.drain.short import INPUTS, MODEL
from ops.models.command import default_repository
from ops.serving.golden import latency

REQUESTS: Final = 500
"""Of one run, one after the other: its 99th percentile is the sixth slowest."""
TARGET: Final = Target("at most", 2, "×")


def measure_door(repeats: int, steps: Steps) -> list[Result]:
    """The 99th percentile through the door (TLS, routes, limits and all) ÷ that of the same server without it."""
    python = ensure_serving_environment(steps)
    ensure_envoy(steps)
    with ExitStack() as until:
        folder = Path(until.enter_context(tempfile.TemporaryDirectory(prefix="seawall-bench-")))
        shutil.copytree(default_repository() / MODEL, folder / "models" / MODEL)
        server = until.enter_context(
            TritonServer(folder / "models", python, {}, log=folder / "triton.log", identity={})
        )
        files = door.certificate(folder)
        pods = {door.PLACE: [server.pod]}
        opened = until.enter_context(open_rendered(door.kept(), pods, keys={door.SECRET: files}))
        through = until.enter_context(session_to(f"{door.SERVICE}.{door.DOMAIN}", ca=files[0]))
        straight = until.enter_context(session_to("localhost"))
        subject, baseline = in_turns(
            {
                "through Envoy": _p99(through, opened.http_url),
                "straight to Triton": _p99(straight, server.http_url),
            },
            repeats,
        )
    return [times_of("door", "p99 of a prediction through Envoy ÷ without", subject, baseline, TARGET)]


def _p99(session: requests.Session, url: str) -> Callable[[], Sample]:
    def run() -> Sample:
        taken: list[float] = []
        for _ in range(REQUESTS):
            began = time.perf_counter()
            answer = session.post(f"{url}/v2/models/{MODEL}/infer", json={"inputs": INPUTS}, timeout=10)
            taken.append(time.perf_counter() - began)
            if not answer.ok:
                raise UserError(f"HTTP {answer.status_code}: {answer.text[:200]}", url, "Ask that address yourself.")
        found = latency(taken)
        return Sample(found.p99_ms / 1000 if found else 0.0)

    return run
