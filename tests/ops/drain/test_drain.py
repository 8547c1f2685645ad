"""Real Tritons behind the real door are taken away under load: a drain costs nothing, and a crash little.

Time is scaled: a pod's end takes a tenth of what the default settings give it, and nothing else is changed.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from common.paths import repo_root
from components.contracts.apart import Apart
from components.contracts.door import DoorSpec, GivenCertificate, LimitsSpec, NoAuthentication
from components.contracts.services import SHUTDOWN_MARGIN_SECONDS, ServiceSpec
from components.kubernetes.gateway.objects import Exposure, door_objects
from components.kubernetes.routes import grpc_host, grpc_route, http_host, http_route, straight
from localcloud.front import TritonServer, ensure_serving_environment
from localcloud.gateway import RenderedDoor, open_rendered, render
from ops.drain.draining import Load, Pace, Record, Way, take_away
from tests.localcloud.gateway.plane import DOMAIN, Authority

pytestmark = [pytest.mark.gateway, pytest.mark.triton, pytest.mark.xdist_group("gateway")]

SERVICE = "risk"
PACE = Pace.of(
    ServiceSpec.model_fields["drain_seconds"].default, ServiceSpec.model_fields["exit_timeout_seconds"].default, 0.1
)
INPUTS = ({"name": "features", "datatype": "FP32", "shape": [1, 30], "data": [0.5] * 30},)


class Fleet:
    """Two servers at a time of one service, behind a door."""

    def __init__(self, folder: Path, until: ExitStack) -> None:
        self._folder = folder
        self._until = until
        self._started = 0
        self.python = ensure_serving_environment()
        self.models = folder / "models"
        shutil.copytree(repo_root() / "serving_image" / "model_repository" / "classifier", self.models / "classifier")
        self.authority = Authority(folder, "door-ca")
        self.servers = [self.start(), self.start()]
        self.objects = self._objects()
        self._keys = {"given": self.authority.issue(f"*.{DOMAIN}")}
        self.door = self._open(self.objects)

    def _open(self, objects: list[dict[str, Any]]) -> RenderedDoor:
        rendering = render(objects, [("serving", SERVICE)])
        return self._until.enter_context(
            open_rendered(rendering, self.pods(), keys=self._keys, log=self._folder / "envoy.log")
        )

    def start(self) -> TritonServer:
        """Another server."""
        self._started += 1
        server = TritonServer(
            self.models,
            self.python,
            {},
            log=self._folder / f"triton-{self._started}.log",
            identity={},
            exit_timeout_s=round(PACE.exit_timeout_s),
        )
        return self._until.enter_context(server)

    def pods(self) -> dict[tuple[str, str], list[tuple[str, int, int]]]:
        """The pods of the service."""
        return {("serving", SERVICE): [server.pod for server in self.servers]}

    def _objects(self) -> list[dict[str, Any]]:
        spec = DoorSpec(
            domain=DOMAIN,
            certificate=GivenCertificate(kind="secret", name="given"),
            authentication=NoAuthentication(kind="none", because="this door is for tests on loopback only"),
            limits=LimitsSpec(requests_per_minute=10_000_000),
        )
        routes = straight(SERVICE)
        return [
            *door_objects(spec, envoy_image="registry.example/envoy@sha256:0", exposure=Exposure(), apart=Apart(2)),
            http_route(routes, DOMAIN),
            grpc_route(routes, DOMAIN),
            self.authority.secret("given", f"*.{DOMAIN}"),
        ]

    def lose(self, way: Way, count: int, pace: Pace = PACE) -> Record:
        """Take the first server away under load, and put another into its place."""
        leaving = self.servers.pop(0)
        load = Load(
            url=self.door.http_url,
            host=http_host(SERVICE, DOMAIN),
            grpc_target=self.door.grpc_target,
            grpc_host=grpc_host(SERVICE, DOMAIN),
            model="classifier",
            inputs=INPUTS,
            count=count,
            ca=str(self.authority.file),
        )
        log = self._folder / "load.log"
        record = take_away(way, self.door, leaving, self.pods(), load, self.python, pace, log=log)
        print(record)
        self.servers.append(self.start())
        self.door.update(backends=self.pods())
        return record

    def without_retries(self) -> None:
        """Lay the door with no second attempts."""
        objects = copy.deepcopy(self.objects)
        (policy,) = (each for each in objects if each["kind"] == "BackendTrafficPolicy")
        # Left out, Envoy Gateway has two of its own.
        policy["spec"]["retry"] = {"numRetries": 0}
        self.door = self._open(objects)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with ExitStack() as until:
        yield Fleet(tmp_path_factory.mktemp("drain"), until)


def test_no_request_of_ten_thousand_fails_while_a_server_is_drained(fleet: Fleet) -> None:
    record = fleet.lose("drain", 5000)
    assert (record.requests, record.failed) == (10_000, 0), record
    assert record.removed_s < PACE.drain_s, "SIGTERM came before the endpoint was gone"
    assert record.ended_s < PACE.exit_timeout_s + SHUTDOWN_MARGIN_SECONDS
    assert record.rest < 5000, "the load had ended"


def test_a_crash_costs_no_more_than_what_was_in_flight(fleet: Fleet) -> None:
    record = fleet.lose("crash", 2000)
    assert record.requests == 4000
    assert record.retried > 0
    # Each of the eight clients had at most one request at that server.
    assert record.failed <= 8, record


def test_without_a_drain_and_second_attempts_requests_fail(fleet: Fleet) -> None:
    fleet.without_retries()
    # The door learns of it when the server has gone.
    record = fleet.lose("cut", 3000, replace(PACE, propagation_s=PACE.exit_timeout_s + 1))
    assert record.retried == 0
    assert record.failed > 0, "the check of a drain cannot fail"
