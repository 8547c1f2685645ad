"""Serves a release with a real Triton, and asks it for the golden predictions over both protocols."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path

from common.target import Target
from localcloud.front import TritonServer
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
    repository: str,
    store: FeatureStore,
    target: Target,
    python: Path,
    *,
    region: str,
    log: Path,
    step: Callable[[str], AbstractContextManager[None]] = lambda _: nullcontext(),
) -> Service:
    """Serve a model repository, ask for every golden prediction, and stop the server.

    Args:
        repository: as Triton takes it, such as `s3://bucket/prefix`.
        python: the serving environment's interpreter.
        region: of the repository's bucket.
        log: the file for the server's output.
        step: shows the parts of the work.

    Raises:
        UserError: the feature store cannot be reached, Triton does not start, or the gRPC client does not run.
    """
    wanted = golden.load_golden()
    with ExitStack() as serving:
        variables = serving.enter_context(serving_variables(store, target))
        server = TritonServer(repository, python, target, variables, log=log, region=region)
        with step("start Triton on the release"):
            serving.enter_context(server)
        with step("ask over HTTP"):
            http = golden.judge("http", wanted, golden.ask_http(server.http_url, wanted))
        with step("ask over gRPC"):
            grpc = golden.judge("grpc", wanted, golden.ask_grpc(server.grpc_address, wanted, python))
    return Service(round(server.ready_after_s, 3), (http, grpc))
