"""The closed loop with the real programs: rewards in Prometheus move the weights of a route on the API server, and
Envoy follows them; a source of rewards that dies freezes them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from common.errors import UserError
from common.paths import repo_root
from components.contracts.bandit_specs import Bandit
from components.contracts.services import ServiceSpec
from components.kubernetes import bandits
from components.kubernetes.routes import grpc_route, http_host, http_route
from components.kubernetes.variants.routing import routes_of
from localcloud.cluster import (
    Account,
    ControlPlane,
    RefusedError,
    ServerProcess,
    as_account,
    control_plane,
    ensure_prometheus,
    free_ports,
    isolation,
)
from localcloud.gateway import Door, open_gateway
from localcloud.kubernetes.control_plane.client import ClusterClient
from localcloud.toolchain.definitions import definitions
from serving_image.traffic_weights.routes import ApiServer, RouteError, read, write
from serving_image.traffic_weights.settings import Settings
from tests.components.contracts.test_bandit_specs import BANDIT
from tests.components.kubernetes.variants.services import CHALLENGERS, service
from tests.localcloud.gateway.conftest import small_door

pytestmark = [pytest.mark.gateway, pytest.mark.cluster, pytest.mark.xdist_group("gateway")]

SERVICE, DOMAIN = "risk", "models.example"
HOST = http_host(SERVICE, DOMAIN)
PULUMI = "pulumi-kubernetes-0123"
SPEC = service(
    traffic={**BANDIT, "reward": {"successes": "good_total", "trials": "asked_total"}, "floor_percent": 10},
    challengers=CHALLENGERS,
)
FLOOR, CEILING = 10, 90
QUICK = {"interval": 2, "window": 30, "half_life": 15, "stale_after": 5, "minimum_trials": 40}
STEP = 40
"""The settings' times, shortened for a test; their bounds are for the scrapes of a stack."""


def bandit_of(spec: ServiceSpec) -> Bandit:
    assert isinstance(spec.traffic, Bandit)
    return spec.traffic


class Variant(ThreadingHTTPServer):
    """A variant that is rewarded for a fixed share of its requests, and counts both."""

    daemon_threads = True

    def __init__(self, name: str, good_of_ten: int) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.name = name
        self.good_of_ten = good_of_ten
        self.asked = 0
        self.measured = True
        self.lock = threading.Lock()

    def metrics(self) -> str:
        with self.lock:
            good = self.asked * self.good_of_ten // 10
            return f'asked_total{{variant="{self.name}"}} {self.asked}\ngood_total{{variant="{self.name}"}} {good}\n'


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self) -> None:
        variant = self.server
        assert isinstance(variant, Variant)
        if self.path == "/metrics":
            self._answer(200 if variant.measured else 503, variant.metrics() if variant.measured else "")
            return
        with variant.lock:
            variant.asked += 1
        self._answer(200, variant.name)

    def _answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("content-type", "text/plain; version=0.0.4")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextlib.contextmanager
def variants() -> Iterator[dict[str, Variant]]:
    made = {"stable": Variant("stable", 2), "b": Variant("b", 6)}
    for variant in made.values():
        threading.Thread(target=variant.serve_forever, args=(0.05,), daemon=True).start()
    yield made
    for variant in made.values():
        variant.shutdown()
        variant.server_close()


@contextlib.contextmanager
def prometheus(folder: Path, made: Mapping[str, Variant]) -> Iterator[str]:
    """A real Prometheus that scrapes the variants each second; yields its address."""
    (port,) = free_ports(1)
    targets = [f"127.0.0.1:{variant.server_port}" for variant in made.values()]
    job = {"job_name": "variants", "static_configs": [{"targets": targets}]}
    config = folder / "prometheus.yml"
    config.write_text(json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}))
    url = f"http://127.0.0.1:{port}"
    server = ServerProcess(
        "Prometheus",
        [
            *(ensure_prometheus().server, f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}"),
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        folder / "prometheus.log",
        remedy="Read its log.",
        ready=lambda: _ok(f"{url}/-/ready"),
    )
    server.start()
    try:
        yield url
    finally:
        server.stop()


def _ok(url: str) -> bool:
    with contextlib.suppress(requests.RequestException):
        return requests.get(url, timeout=2).ok
    return False


def account(plane: ControlPlane) -> Account:
    """The controller's own, with the rights that the component gives it."""
    name = bandits.controller_name(SERVICE)
    own = {"name": name, "namespace": "serving"}
    (rule,) = bandits.rules(SERVICE)
    rbac = "rbac.authorization.k8s.io"
    role_rule = {
        "apiGroups": rule.api_groups,
        "resources": rule.resources,
        "resourceNames": rule.resource_names,
        "verbs": rule.verbs,
    }
    plane.client.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": own})
    plane.client.apply({"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": own, "rules": [role_rule]})
    plane.client.apply(
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": own,
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", **own}],
        }
    )
    return plane.account("serving", name)


@dataclass
class Loop:
    """Everything that runs, and what the test does with it."""

    plane: ControlPlane
    door: Door
    made: Mapping[str, Variant]
    log: Path
    laid: str = ""
    objects: tuple[dict[str, Any], ...] = ()

    def route(self, kind: str = "HTTPRoute") -> dict[str, Any]:
        found = self.plane.client.get("gateway.networking.k8s.io/v1", kind, SERVICE, "serving")
        assert found is not None
        return found

    def weights(self, kind: str = "HTTPRoute") -> dict[str, int]:
        (rule,) = self.route(kind)["spec"]["rules"]
        names = {"risk": "stable", "risk-b": "b"}
        return {names[ref["name"]]: ref["weight"] for ref in rule["backendRefs"]}

    def follow(self) -> None:
        """Give Envoy the route as the API server has it: what Envoy Gateway's watch does in a cluster."""
        route = as_laid(self.route())
        text = json.dumps(route["spec"])
        if text != self.laid:
            self.laid = text
            self.door.update((*self.objects, route))

    def ask(self, count: int) -> Counter[str]:
        """Requests through Envoy, by who answered."""
        answered: Counter[str] = Counter()
        with requests.Session() as session:
            session.trust_env = False
            for _ in range(count):
                answer = session.get(f"{self.door.http_url}/v2", headers={"Host": HOST}, timeout=10)
                answered[answer.text if answer.ok else str(answer.status_code)] += 1
        return answered

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.log.read_text().splitlines() if text.startswith("{")]

    def until(self, what: str, seconds: float, is_so: Callable[[], bool]) -> None:
        """Ask, and follow the weights, until it is so."""
        deadline = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}; {self.lines()[-2:]}"
            self.ask(40)
            self.follow()


def as_laid(route: Mapping[str, Any]) -> dict[str, Any]:
    """A route without what the API server adds."""
    kept = {"name": SERVICE, "namespace": "serving"}
    return {"apiVersion": route["apiVersion"], "kind": route["kind"], "metadata": kept, "spec": route["spec"]}


def of_stack() -> list[dict[str, Any]]:
    """The service's two routes as a stack lays them."""
    routes = routes_of(SERVICE, {SERVICE: SPEC})
    found = [http_route(routes, DOMAIN), grpc_route(routes, DOMAIN)]
    for route in found:
        route["metadata"]["annotations"] = {**bandits.TAKES_BACK}
    return found


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    if isolation() is None:
        pytest.skip("nothing can be mounted for one program alone")
    folder = tmp_path_factory.mktemp("loop")
    log = folder / "controller.log"
    told = {**bandits.settings(SERVICE, SPEC, bandit_of(SPEC)), **QUICK}
    told["bounds"] = {**told["bounds"], "step": STEP}
    with contextlib.ExitStack() as stack:
        try:
            plane = stack.enter_context(control_plane("1.35"))
            crds = definitions("envoy-gateway")
        except UserError as error:
            pytest.skip(f"no control plane: {error.what}")
        for crd in crds:
            if crd["spec"]["names"]["kind"] in ("HTTPRoute", "GRPCRoute"):
                plane.client.apply(crd)
        plane.client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "serving"}})
        for route in of_stack():
            plane.wait_until("the route is taken", 30, lambda route=route: _taken(plane, route))
        made = stack.enter_context(variants())
        told["prometheus"] = stack.enter_context(prometheus(folder, made))
        frame = tuple(item for item in small_door({"risk": 1}) if item["kind"] != "HTTPRoute")
        frame[-1]["spec"]["listeners"][0]["name"] = of_stack()[0]["spec"]["parentRefs"][0]["sectionName"]
        backends = {
            ("serving", "risk" if name == "stable" else f"risk-{name}"): [
                ("127.0.0.1", variant.server_port, variant.server_port)
            ]
            for name, variant in made.items()
        }
        door = stack.enter_context(open_gateway((*frame, as_laid(of_stack()[0])), backends))
        running = Loop(plane, door, made, log, objects=frame)
        stack.enter_context(controller(account(plane), told, log))
        yield running


def _taken(plane: ControlPlane, route: Mapping[str, Any]) -> bool:
    with contextlib.suppress(RefusedError):
        plane.client.apply(route, manager=PULUMI)
        return True
    return False


@contextlib.contextmanager
def controller(own: Account, told: Mapping[str, Any], log: Path) -> Iterator[None]:
    """The program as its pod runs it, with its account's token."""
    (port,) = free_ports(1)
    environment = {
        **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LD_LIBRARY_PATH")},
        **own.environment,
        "PYTHONPATH": str(repo_root() / "serving_image"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOSTNAME": "risk-weights-0",
        "SEAWALL_IMAGE": "serving@sha256:0",
    }
    command = [sys.executable, "-m", "traffic_weights", "--settings", json.dumps(told), f"--port={port}"]
    with (
        log.open("w") as output,
        subprocess.Popen(as_account(own, command), env=environment, stdout=output, stderr=output) as process,
    ):
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)


def test_the_account_may_touch_the_routes_of_its_service_and_nothing_else(loop: Loop) -> None:
    client = ClusterClient(account(loop.plane).kubeconfig)
    group = "gateway.networking.k8s.io/v1"
    assert client.get(group, "HTTPRoute", SERVICE, "serving") is not None
    for forbidden in (
        lambda: client.get(group, "HTTPRoute", "other", "serving"),
        lambda: client.list(group, "HTTPRoute", "serving"),
        lambda: client.delete(group, "HTTPRoute", SERVICE, "serving"),
        lambda: client.get("v1", "Secret", "any", "serving"),
        lambda: client.patch("v1", "ServiceAccount", "default", {"metadata": {"labels": {"a": "b"}}}, "serving"),
    ):
        with pytest.raises(RefusedError, match=r"forbidden|cannot"):
            forbidden()
    client.close()


def test_the_weights_drift_to_the_better_variant_and_envoy_follows(loop: Loop) -> None:
    loop.until("the better variant has its ceiling", 60, lambda: loop.weights() == {"stable": FLOOR, "b": CEILING})
    loop.follow()
    assert loop.weights("GRPCRoute") == loop.weights()
    answered = loop.ask(300)
    # Envoy draws for each request; this is off once in 10,000 times.
    assert answered.keys() == {"stable", "b"} and abs(answered["b"] - 270) <= 21
    changes = [line for line in loop.lines() if line["action"] == "changed"]
    assert len(changes) >= 2, f"a step is {STEP} points at most"
    for line in changes:
        assert all(FLOOR <= weight <= CEILING for weight in line["new"].values()) and sum(line["new"].values()) == 100
        assert all(abs(line["new"][arm] - line["old"][arm]) <= STEP for arm in line["new"])
    record = json.loads(loop.route()["metadata"]["annotations"]["seawall.dev/traffic-weights"])
    assert record[0]["new"] == {"stable": FLOOR, "b": CEILING} and "pod risk-weights-0" in record[0]["who"]
    assert [line["time"] for line in changes[::-1]][: len(record)] == [change["time"] for change in record]


def test_a_stack_takes_its_route_back_only_with_the_annotation(loop: Loop) -> None:
    """The lists of a route have one owner: without force, an update of any rule ends in a conflict."""
    (route, _) = of_stack()
    route["spec"]["rules"][0]["timeouts"] = {"request": "7s"}
    with pytest.raises(RefusedError, match=r"conflict"):
        update(loop, route, force=False)
    update(loop, route, force=True)


def update(loop: Loop, route: Mapping[str, Any], *, force: bool) -> None:
    """As Pulumi would, without effect."""
    loop.plane.client.apply(route, manager=PULUMI, force=force, dry_run=True)


def test_a_change_that_was_decided_on_an_older_route_is_refused(loop: Loop) -> None:
    own = account(loop.plane)
    api = ApiServer(own.url, own.folder)
    told = Settings.of_json(json.dumps(bandits.settings(SERVICE, SPEC, bandit_of(SPEC))))
    route = replace(read(api, told, "grpcroutes"), version="1")
    before = loop.weights("GRPCRoute")
    with pytest.raises(RouteError, match="422"):
        write(api, route, {"stable": 50, "b": 50}, {})
    assert loop.weights("GRPCRoute") == before


def test_a_dead_source_of_rewards_freezes_the_weights(loop: Loop) -> None:
    before = loop.weights()
    for variant in loop.made.values():
        variant.measured = False
        variant.good_of_ten = 6 if variant.name == "stable" else 2  # what a moving weight would follow
    loop.until("the controller says that it is frozen", 40, lambda: loop.lines()[-1]["action"] == "frozen")
    frozen = loop.lines()[-1]
    assert "no successes of" in frozen["why"] and frozen["new"] == before
    time.sleep(QUICK["interval"] + 1)
    assert loop.weights() == before and loop.lines()[-1]["action"] == "frozen"


def test_rewards_that_come_back_end_the_frost(loop: Loop) -> None:
    for variant in loop.made.values():
        variant.measured = True
    loop.until("the controller decides again", 40, lambda: loop.lines()[-1]["action"] in ("kept", "changed"))
