"""The door's promises, kept by the real Envoy from the very objects that a stack lays, and not without them."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
import requests

from components.contracts.apart import Apart
from components.contracts.door import (
    CertificateAuthentication,
    DoorSpec,
    GivenCertificate,
    LimitsSpec,
    NoAuthentication,
    ProtectionSpec,
    RetriesSpec,
    TokenAuthentication,
)
from components.kubernetes.gateway.objects import Exposure, door_objects
from components.kubernetes.routes import (
    GRPC_SERVICE,
    Mirror,
    Routes,
    Rule,
    To,
    grpc_host,
    grpc_route,
    http_route,
    straight,
)
from localcloud.gateway import Backends, Door, open_gateway, session_to
from tests.localcloud.gateway import claims
from tests.localcloud.gateway.claims import BY_KIND, HOST, INFER, OTHERS, SERVICE, Claim, Running
from tests.localcloud.gateway.plane import AUDIENCE, DOMAIN, ISSUER, Authority, Issuer, Pod

pytestmark = [pytest.mark.gateway, pytest.mark.xdist_group("gateway")]

SECRET, CLIENT_CA = "given", "clients"
INFER_GRPC = f"/{GRPC_SERVICE}/ModelInfer"
NOBODY = NoAuthentication(kind="none", because="this door is for tests on loopback only")


FEW = LimitsSpec(
    requests_per_minute=claims.REQUESTS_PER_MINUTE, request_mib=1, request_seconds=claims.REQUEST_SECONDS
)
PLENTY = LimitsSpec(requests_per_minute=100_000)


def spec(
    authentication: TokenAuthentication | CertificateAuthentication | NoAuthentication, limits: LimitsSpec = FEW
) -> DoorSpec:
    """Settings of a door with figures that a test can reach."""
    return DoorSpec(
        domain=DOMAIN,
        certificate=GivenCertificate(kind="secret", name=SECRET),
        authentication=authentication,
        limits=limits,
        retries=RetriesSpec(attempt_seconds=claims.ATTEMPT_SECONDS),
        protection=ProtectionSpec(
            parallel_requests=claims.PARALLEL,
            pending_requests=1,
            failures=claims.FAILURES,
            ejection_seconds=claims.EJECTION_SECONDS,
        ),
    )


class World:
    """The programs and files of this module, made once; tests lay what they need on the one door."""

    def __init__(self, folder: Path, until: ExitStack) -> None:
        self.authority, self.clients = Authority(folder, "door-ca"), Authority(folder, "clients-ca")
        self.issuer = Issuer()
        self.pods = {name: Pod(name) for name in ("a", "b", "mirror")}
        for pod in self.pods.values():
            until.callback(pod.end)
        self.extra = [self.authority.secret(SECRET, f"*.{DOMAIN}"), self.clients.config_map(CLIENT_CA)]
        self._folder = folder
        self._open = until.enter_context(ExitStack())
        self._policies: list[dict[str, Any]] = []
        self._door: Door | None = None

    def with_tokens(self) -> DoorSpec:
        """Settings by which clients bring tokens of the issuer."""
        return spec(TokenAuthentication(kind="jwt", issuer=ISSUER, audiences=(AUDIENCE,), keys=self.issuer.keys))

    def objects(self, settings: DoorSpec, routes: Routes) -> list[dict[str, Any]]:
        """All that is laid."""
        exposure = Exposure()
        made = door_objects(
            settings, envoy_image="registry.example/envoy@sha256:0", exposure=exposure, apart=Apart(2)
        )
        return [*made, http_route(routes, DOMAIN), grpc_route(routes, DOMAIN), *self.extra]

    def backends(self) -> dict[tuple[str, str], list[tuple[str, int, int]]]:
        """Two pods of the service, and one of each other service."""
        a, b, mirror = (pod.address for pod in self.pods.values())
        one_each = {("serving", name): [address] for name, address in (("one", a), ("two", b), ("mirror", mirror))}
        return {("serving", SERVICE): [a, b], **one_each}

    def lay(self, settings: DoorSpec, routes: Routes, *, without: str = "") -> Running:
        """Have the door run this."""
        return self.run([each for each in self.objects(settings, routes) if each["kind"] != without], self.backends())

    def run(self, objects: list[dict[str, Any]], backends: Backends) -> Running:
        """Have the door run these objects."""
        policies = [each for each in objects if each["kind"] == "BackendTrafficPolicy"]
        if self._door is not None and policies == self._policies:
            self._door.update(objects, backends)
        else:
            # A policy of backends changes clusters, for which Envoy takes 15 s: another Envoy starts sooner.
            self._open.close()
            opening = open_gateway(objects, backends, log=self._folder / "gateway.log")
            self._door, self._policies = self._open.enter_context(opening), policies
        run = Running(self._door, self.authority.file, self.issuer, self.pods["a"], self.pods["b"])
        for pod in self.pods.values():
            pod.reset()
        return run


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with ExitStack() as until:
        yield World(tmp_path_factory.mktemp("door"), until)


@pytest.fixture(scope="module")
def planned(world: World) -> Running:
    """The door as it is planned."""
    return world.lay(world.with_tokens(), straight(SERVICE))


ALL = [claim for kept in BY_KIND.values() for claim in kept] + list(OTHERS)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.__name__)
def test_the_planned_door_keeps_its_promises(planned: Running, claim: Claim) -> None:
    planned.reset()
    claim(planned)


@pytest.mark.parametrize("kind", BY_KIND)
def test_without_its_policy_no_promise_is_kept(world: World, kind: str) -> None:
    run = world.lay(world.with_tokens(), straight(SERVICE), without=kind)
    kept = []
    for claim in BY_KIND[kind]:
        run.reset()
        try:
            claim(run)
        except (AssertionError, requests.RequestException):
            continue
        kept.append(claim.__name__)
    assert not kept


def test_requests_are_split_by_weight_and_each_is_mirrored(world: World) -> None:
    two = (To("one", 90), To("two", 10))
    routes = Routes(SERVICE, (Rule("all", two, mirrors=(Mirror("mirror", 100),)),))
    run = world.lay(spec(NOBODY, PLENTY), routes)
    with run.session() as session:
        codes = Counter(session.post(f"{run.door.http_url}{INFER}", data=b"{}").status_code for _ in range(1000))
    assert codes == {200: 1000}
    assert run.stable.seen.requests + run.other.seen.requests == 1000
    # Drawn at random: four standard deviations of 1000 draws at 10 %.
    assert abs(run.other.seen.requests - 100) <= 38
    assert _settled(lambda: world.pods["mirror"].seen.requests) == 1000


@contextlib.contextmanager
def channel(run: Running) -> Iterator[grpc.Channel]:
    """One connection of a gRPC client."""
    trusted = grpc.ssl_channel_credentials(run.ca.read_bytes())
    options = [("grpc.ssl_target_name_override", grpc_host(SERVICE, DOMAIN)), ("grpc.use_local_subchannel_pool", 1)]
    with grpc.secure_channel(run.door.grpc_target, trusted, options) as opened:
        yield opened


def called(opened: grpc.Channel, method: str = INFER_GRPC, token: str = "") -> str:
    """Who answered a call, or with which status."""
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    try:
        return opened.unary_unary(method)(b"", timeout=10, metadata=metadata).decode()
    except grpc.RpcError as refused:
        assert isinstance(refused, grpc.Call)
        return refused.code().name


def three(world: World) -> Backends:
    """The service has three pods."""
    return {**world.backends(), ("serving", SERVICE): [pod.address for pod in world.pods.values()]}


def test_each_grpc_request_of_one_channel_is_balanced_anew(world: World) -> None:
    objects = world.objects(spec(NOBODY, PLENTY), straight(SERVICE))
    run = world.run(objects, three(world))
    with channel(run) as opened:
        names = Counter(called(opened) for _ in range(300))
    assert names.keys() == world.pods.keys()
    # Drawn at random, each a third of 300: five standard deviations are 41.
    assert min(names.values()) >= 59
    # As if the door asked the Service's one address, where the node picks a pod for each connection.
    run.door.update(backends={**three(world), ("serving", SERVICE): [world.pods["b"].address]})
    with channel(run) as opened:
        assert {called(opened) for _ in range(30)} == {"b"}, "the check of shares cannot fail"


_GRPC = f"/{GRPC_SERVICE}"
CHANGING_GRPC = (
    *(f"{_GRPC}/Repository{each}" for each in ("Index", "ModelLoad", "ModelUnload")),
    *(f"{_GRPC}/{kind}SharedMemory{each}" for kind in ("System", "Cuda") for each in ("Register", "Status")),
    *(f"{_GRPC}/{each}" for each in ("ModelStreamInfer", "ModelStatistics", "TraceSetting", "LogSettings")),
    "/grpc.health.v1.Health/Check",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
)
"""What Triton answers over gRPC, and the door does not pass on."""
GRPC_TRICKS = (
    f"/{_GRPC}/RepositoryIndex",
    f"{_GRPC}//RepositoryIndex",
    f"{_GRPC}/ModelInfer/../RepositoryIndex",
    f"{_GRPC}/ModelInfer/%2e%2e/RepositoryIndex",
    f"{_GRPC}%2fRepositoryIndex",
    f"{_GRPC}/Repository%49ndex",
    f"{_GRPC.lower()}/repositoryindex",
    f"{_GRPC}/RepositoryIndex?{_GRPC}/ModelInfer",
    f"{_GRPC}/ModelInfer#/../RepositoryIndex",
)


def no_other_grpc_call_passes(run: Running) -> None:
    with channel(run) as opened:
        unknown = called(opened)
        told = {method: called(opened, method, run.token()) for method in (*CHANGING_GRPC, *GRPC_TRICKS)}
        passed = called(opened, token=run.token())
    assert unknown == "UNAUTHENTICATED"
    assert {told[method] for method in CHANGING_GRPC} == {"UNIMPLEMENTED"}
    assert [*run.stable.methods, *run.other.methods] == [INFER_GRPC], "what reached a server"
    assert passed in ("a", "b")


def test_no_grpc_call_but_those_of_predictions_passes(world: World) -> None:
    no_other_grpc_call_passes(world.lay(world.with_tokens(), straight(SERVICE)))


def test_routes_for_any_call_would_be_seen(world: World) -> None:
    objects = world.objects(world.with_tokens(), straight(SERVICE))
    for each in objects:
        if each["kind"] == "HTTPRoute":
            each["spec"]["rules"][0]["matches"] = [{"path": {"type": "PathPrefix", "value": "/"}}]
        if each["kind"] == "GRPCRoute":
            del each["spec"]["rules"][0]["matches"]
    run = world.run(objects, world.backends())
    for claim in (
        claims.only_calls_of_predictions_pass,
        claims.no_spelling_of_a_path_or_a_name_leads_to_other_calls,
        claims.other_methods_do_not_pass,
        no_other_grpc_call_passes,
    ):
        run.reset()
        with pytest.raises(AssertionError):
            claim(run)


def test_no_request_fails_while_the_certificate_is_renewed(world: World) -> None:
    settings = spec(NOBODY, PLENTY)
    run = world.lay(settings, straight(SERVICE))
    renewed = [each for each in world.objects(settings, straight(SERVICE)) if each["kind"] != "Secret"]
    ended, told, before = threading.Event(), Counter[str](), presented(run)

    def ask() -> None:
        while not ended.is_set():
            with run.session() as session:  # a new connection, with a handshake of its own
                told[str(session.post(f"{run.door.http_url}{INFER}", data=b"{}", timeout=10).status_code)] += 1

    def call() -> None:
        with channel(run) as opened:
            while not ended.is_set():
                told[f"grpc {called(opened)}"] += 1

    with ThreadPoolExecutor(2) as clients:
        asking = [clients.submit(work) for work in (ask, call)]
        run.door.update([*renewed, world.authority.secret(SECRET, f"*.{DOMAIN}")])
        deadline = time.monotonic() + 10
        while (after := presented(run)) == before and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(0.3)
        ended.set()
        for each in asking:
            each.result()
    assert after != before, "the old certificate is still shown"
    assert told.keys() == {"200", "grpc a", "grpc b"}, told
    assert told["200"] >= 20


def presented(run: Running) -> bytes:
    """The certificate that the door shows."""
    context = ssl.create_default_context(cafile=str(run.ca))
    with (
        socket.create_connection(("127.0.0.1", run.door.listeners[0].port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as connection,
    ):
        return connection.getpeercert(binary_form=True) or b""


def test_a_client_certificate_is_asked_for_and_judged(world: World, tmp_path: Path) -> None:
    wanted = CertificateAuthentication(kind="mtls", ca=CLIENT_CA, dns_suffix="clients.example")
    run = world.lay(spec(wanted), straight(SERVICE))
    good = world.clients.issue("a.clients.example")
    others = {
        "none": None,
        "of another CA": Authority(tmp_path, "other").issue("a.clients.example"),
        "of another name": world.clients.issue("a.elsewhere.example"),
    }
    told = {name: _answer(run, certificate) for name, certificate in others.items()}
    assert _answer(run, good) == "200"
    assert told == dict.fromkeys(others, "refused")
    greedy = Counter(_answer(run, good) for _ in range(40))
    assert greedy.keys() == {"200", "429"}
    assert greedy["200"] < claims.REQUESTS_PER_MINUTE // 2
    assert _answer(run, world.clients.issue("b.clients.example")) == "200", "another client's limit is another"


def _settled(count: Callable[[], int]) -> int:
    """A count that nobody waits for, when it has not grown for a while."""
    last, now = -1, count()
    while now != last:
        time.sleep(0.2)
        last, now = now, count()
    return now


def _answer(run: Running, certificate: tuple[Path, Path] | None) -> str:
    with session_to(HOST, ca=run.ca, certificate=certificate) as session:
        try:
            return str(session.post(f"{run.door.http_url}{INFER}", data=b"{}", timeout=5).status_code)
        except requests.ConnectionError:
            return "refused"
