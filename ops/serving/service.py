"""Serves a release with a real Triton, and asks it for the golden predictions over both protocols."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path

from common.target import Pod, Target
from localcloud.front import Release, TritonServer, fetch_release
from ops.features.store import FeatureStore, serving_variables
from ops.serving import golden


@dataclass(frozen=True)
class Service:
    """What a service answered."""

    ready_s: float
    """From Triton's start to its readiness."""
    results: tuple[golden.GoldenResult, ...]
    """One for each protocol."""


def serve(
    release: Release,
    store: FeatureStore,
    target: Target,
    python: Path,
    *,
    pod: Pod,
    log: Path,
    wanted: golden.GoldenSet | None = None,
    step: Callable[[str], AbstractContextManager[None]] = lambda _: nullcontext(),
) -> Service:
    """Start what a pod of the fleet starts, ask for every golden prediction, and stop it.

    The release is fetched and verified as the pod's init container does, then Triton serves that folder; both find
    their credentials as a pod of `pod`'s service account does.

    Args:
        python: the serving environment's interpreter.
        log: the file for the server's output; the fetch's is beside it.
        wanted: the golden predictions; the checkout's by default.
        step: shows the parts of the work.

    Raises:
        UserError: the release is not the pinned one or cannot be had, the feature store cannot be reached, Triton
            does not start, or the gRPC client does not run.
    """
    wanted = wanted or golden.load_golden()
    with ExitStack() as serving:
        folder = Path(serving.enter_context(tempfile.TemporaryDirectory(prefix="seawall-pod-")))
        own, models = folder / "pod", folder / "release"
        own.mkdir(mode=0o700)
        models.mkdir()
        identity = target.admit(pod, own)
        variables = serving.enter_context(serving_variables(store, target))
        with step("fetch the release"):
            fetch_log = log.with_name(f"{log.stem}-fetch.log")
            repository = fetch_release(release, models, python, identity=identity, log=fetch_log)
        server = TritonServer(repository, python, variables, log=log, identity=identity)
        with step("start Triton on the release"):
            serving.enter_context(server)
        with step("ask over HTTP"):
            http = golden.judge("http", wanted, golden.ask_http(server.http_url, wanted))
        with step("ask over gRPC"):
            grpc = golden.judge("grpc", wanted, golden.ask_grpc(server.grpc_address, wanted, python))
    return Service(round(server.ready_after_s, 3), (http, grpc))
