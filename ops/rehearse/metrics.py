"""The chain that the autoscaler measures by: simulated Tritons, the real Prometheus, the real adapter, in their pods.

Prometheus and the adapter run under their own service accounts, from the configuration that the stack deployed, and
reach one another only where the stack's network policies let them: what would be dropped is refused.
"""

from __future__ import annotations

import contextlib
import json
import re
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import requests

from common.errors import UserError
from components.contracts import serving
from localcloud.cluster import (
    ClusterClient,
    Prometheus,
    RefusedError,
    ensure_prometheus,
    ensure_prometheus_adapter,
    free_ports,
    played,
)
from ops.capacity.load import Fleet
from ops.rehearse.flows import ADAPTER_PORT, PROMETHEUS_PORT, api_server_as_caller
from ops.rehearse.groups import quantity
from ops.rehearse.page import page
from ops.rehearse.rights import METRICS
from ops.rehearse.stage import APP_LABEL, FLEET, Stage, is_ready

AREA: Final = "metrics"
PROMETHEUS: Final = "prometheus"
ADAPTER: Final = "prometheus-adapter"
_HOST: Final = "127.0.0.1"
_HEARD_SECONDS: Final = 0.5
"""Until a controller has seen what was changed."""
_UNFIT: Final = re.compile(r"[^a-zA-Z0-9_]")
"""What Prometheus writes as `_` in the names of labels."""
_HANDED: Final = (
    "Prometheus' own discovery: this one was built without it, so that the pods that its account may list were "
    "handed to it"
)


@dataclass
class Tritons:
    """The metrics pages of the fleet's pods, by their address; and who may read them."""

    fleet: Fleet
    may_pass: Callable[[], bool]
    """Whether the network policies let Prometheus reach the fleet's metrics port."""
    move: Callable[[], None]
    """Brings the fleet's counters up to this moment; called with the lock held."""
    factor: float
    """How much faster the load's time runs than the clock that rates are computed by."""
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Address of a pod → its name."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, url: str) -> tuple[int, str]:
        """A scrape, as a proxy is asked for it."""
        asked = urlsplit(url)
        if asked.port != serving.METRICS_PORT or not self.may_pass():
            return 504, "dropped by a network policy\n"
        with self.lock:
            self.move()
            replica = self.fleet.replicas.get(self.addresses.get(str(asked.hostname), ""))
            return (
                (200, page(replica, self.factor, round(1000 * time.time())))
                if replica is not None
                else (502, "nothing listens there\n")
            )


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a reader whose patience is over hangs up."""


@dataclass
class Proxy:
    """An HTTP proxy that hands what pods send to `route`: a URL's answer, or the port of this machine behind it."""

    route: Callable[[str], tuple[int, str] | int]
    media_type: str = "text/plain"
    """Of what `route` answers itself."""

    @contextlib.contextmanager
    def serving(self) -> Iterator[str]:
        """Its address while the block runs."""
        route, media_type = self.route, self.media_type

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = route(self.path)
                status, text = self._fetch(found) if isinstance(found, int) else found
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json" if isinstance(found, int) else media_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815 - the library's name

            def _fetch(self, port: int) -> tuple[int, str]:
                asked = urlsplit(self.path)
                where = f"http://{_HOST}:{port}{asked.path}" + (f"?{asked.query}" if asked.query else "")
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length) if length else None
                kind = {"Content-Type": self.headers["Content-Type"]} if self.headers.get("Content-Type") else {}
                try:
                    answer = requests.request(
                        self.command, where, data=body, headers=kind, timeout=10, proxies={"http": ""}
                    )
                except requests.RequestException as error:
                    return 502, str(error)
                return answer.status_code, answer.text

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing: Prometheus and the adapter have logs of their own."""

        server = _Server((_HOST, 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://{_HOST}:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.server_close()


@dataclass
class Chain:
    """The programs of the chain, each in a pod of its own."""

    stage: Stage
    playing: dict[str, dict[str, contextlib.ExitStack]] = field(default_factory=dict)
    """Application → pod → what ends its program."""
    prometheis: dict[str, int] = field(default_factory=dict)
    """Address of a pod of Prometheus → the port of this machine at which its program listens."""

    def lose_one(self, app: str) -> str | None:
        """The program in one of the application's pods dies, and the pod goes; its name, if another is left.

        Whoever comes in its place would play nothing here, so that none comes until the chain ends.
        """
        played_pods = self.playing.get(app, {})
        if len(played_pods) < 2:
            return None
        name, program = played_pods.popitem()
        program.close()
        client = self.stage.plane.client
        cheapest = {"metadata": {"annotations": {"controller.kubernetes.io/pod-deletion-cost": "-100"}}}
        client.patch("v1", "Pod", name, cheapest, METRICS)
        time.sleep(_HEARD_SECONDS)
        client.patch("apps/v1", "Deployment", app, {"spec": {"replicas": len(played_pods)}}, METRICS, "scale")
        self.stage.wait(lambda: client.get("v1", "Pod", name, METRICS) is None)
        return name


@contextlib.contextmanager
def chain(stage: Stage, tritons: Tritons, folder: Path) -> Iterator[Chain]:
    """Run Prometheus and the adapter, each in all of its pods.

    Raises:
        UserError: one of them cannot be had or does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = Chain(stage)
    asked = {app: stage.one("Deployment", app) for app in (PROMETHEUS, ADAPTER)}
    with contextlib.ExitStack() as whole:
        scrapes = whole.enter_context(Proxy(tritons.answer).serving())
        for number, pod in enumerate(_pods(stage, PROMETHEUS)):
            own = whole.enter_context(contextlib.ExitStack())
            port = own.enter_context(_prometheus(stage, pod, scrapes, _below(folder, PROMETHEUS, number)))
            found.prometheis[pod["status"]["podIP"]] = port
            found.playing.setdefault(PROMETHEUS, {})[pod["metadata"]["name"]] = own
        for number, pod in enumerate(_pods(stage, ADAPTER)):
            own = whole.enter_context(contextlib.ExitStack())
            asks = own.enter_context(Proxy(_to_prometheus(stage, found.prometheis, number)).serving())
            own.enter_context(_adapter(stage, pod, asks, _below(folder, ADAPTER, number)))
            found.playing.setdefault(ADAPTER, {})[pod["metadata"]["name"]] = own
        try:
            yield found
        finally:
            for app, deployment in asked.items():
                if deployment is not None:
                    spec = {"spec": {"replicas": deployment["spec"].get("replicas", 1)}}
                    stage.plane.client.patch("apps/v1", "Deployment", app, spec, METRICS, "scale")


def _below(folder: Path, app: str, number: int) -> Path:
    own = folder / f"{app}-{number}"
    own.mkdir(exist_ok=True)
    return own


@contextlib.contextmanager
def _prometheus(stage: Stage, pod: Mapping[str, Any], proxy: str, folder: Path) -> Iterator[int]:
    (port,) = free_ports(1)
    config = folder / "prometheus.yml"
    programs = ensure_prometheus(stage.steps)
    text = stage.tempo.scrape_config(_configuration(stage, PROMETHEUS), proxy)
    config.write_text(text)
    with contextlib.ExitStack() as stack:
        if not knows_kubernetes(programs.promtool, config):
            url = stack.enter_context(discovery(stage))
            config.write_text(with_discovery(text, url))
            if _HANDED not in stage.report.not_judged:
                stage.report.not_judged.append(_HANDED)
        stack.enter_context(_running_prometheus(stage, pod, programs, port, folder))
        yield port


@contextlib.contextmanager
def _running_prometheus(
    stage: Stage, pod: Mapping[str, Any], programs: Prometheus, port: int, folder: Path
) -> Iterator[None]:
    given = {
        "--config.file=": str(folder / "prometheus.yml"),
        "--storage.tsdb.path=": str(folder / "tsdb"),
        "--web.listen-address=": f"{_HOST}:{port}",
    }
    command = [str(programs.server), *_arguments(pod, given)]
    with played(
        stage.plane,
        pod,
        command,
        folder / "prometheus.log",
        listens={PROMETHEUS_PORT: port},
        ready=lambda: _ok(f"http://{_HOST}:{port}/-/ready"),
    ):
        yield


def knows_kubernetes(promtool: Path, config: Path) -> bool:
    """Whether this Prometheus finds pods by itself; the distribution's was built without.

    Raises:
        UserError: it does not take the configuration for another reason.
    """
    checked = subprocess.run(
        [str(promtool), "check", "config", str(config)], capture_output=True, text=True, check=False, timeout=60
    )
    if checked.returncode == 0:
        return True
    said = checked.stdout + checked.stderr
    if "kubernetes_sd_configs" in said:
        return False
    raise UserError(f"Prometheus refuses the stack's configuration: {said.strip()}", str(config), "Repair it.")


def with_discovery(text: str, url: str) -> str:
    """The configuration with the pods from `url` instead of from the API server."""
    config = json.loads(text)
    for number, job in enumerate(config["scrape_configs"]):
        asked = job.pop("kubernetes_sd_configs", None)
        if asked:
            names = ",".join(name for one in asked for name in (one.get("namespaces") or {}).get("names") or ())
            job["http_sd_configs"] = [{"url": f"{url}/{number}?namespaces={names}", "refresh_interval": "500ms"}]
    return json.dumps(config, indent=1)


@contextlib.contextmanager
def discovery(stage: Stage) -> Iterator[str]:
    """Serves, as Prometheus' own discovery would find them, the pods that its account may list."""
    client = ClusterClient(stage.plane.account(METRICS, "prometheus").kubeconfig)

    def route(path: str) -> tuple[int, str]:
        names = parse_qs(urlsplit(path).query).get("namespaces", [""])[0]
        try:
            pods = [pod for name in names.split(",") if name for pod in client.list("v1", "Pod", name)]
        except RefusedError as error:
            return error.status, error.message
        return 200, json.dumps([target for pod in pods for target in targets(pod)])

    try:
        with Proxy(route, "application/json").serving() as url:
            yield url
    finally:
        client.close()


def targets(pod: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A pod's ports as targets, with the labels that the stack's configuration may go by (role `pod`)."""
    address = (pod.get("status") or {}).get("podIP")
    told = {
        f"__meta_kubernetes_pod_label_{_UNFIT.sub('_', key)}": value
        for key, value in (pod["metadata"].get("labels") or {}).items()
    }
    for container in pod["spec"]["containers"] if address else ():
        for port in container.get("ports") or ():
            labels = {
                **told,
                "__meta_kubernetes_namespace": pod["metadata"]["namespace"],
                "__meta_kubernetes_pod_name": pod["metadata"]["name"],
                "__meta_kubernetes_pod_container_name": container["name"],
                "__meta_kubernetes_pod_container_port_name": port.get("name", ""),
                "__meta_kubernetes_pod_container_port_number": str(port["containerPort"]),
            }
            yield {"targets": [f"{address}:{port['containerPort']}"], "labels": labels}


@contextlib.contextmanager
def _adapter(stage: Stage, pod: Mapping[str, Any], proxy: str, folder: Path) -> Iterator[None]:
    (port,) = free_ports(1)
    config = folder / "adapter.yaml"
    config.write_text(stage.tempo.adapter_config(_configuration(stage, ADAPTER)))
    given = {
        "--secure-port=": str(port),
        "--cert-dir=": str(folder / "certificates"),
        "--config=": str(config),
    }
    arguments = [stage.tempo.flag(argument) for argument in _arguments(pod, given)]
    command = [str(ensure_prometheus_adapter(stage.steps)), *arguments, f"--bind-address={_HOST}"]
    firewall, to = stage.firewall(), stage.peer(ADAPTER, METRICS)
    reached = all(firewall.receives(to, peer, ADAPTER_PORT) for _, peer in api_server_as_caller(stage))
    with played(
        stage.plane,
        pod,
        command,
        folder / "adapter.log",
        # Without a route the API server finds nobody at the pod's address, as behind a policy.
        listens={ADAPTER_PORT: port} if reached else {},
        ready=lambda: _ok(f"https://{_HOST}:{port}/readyz"),
        environment={"HTTP_PROXY": proxy, "NO_PROXY": ""},
    ):
        yield


def _to_prometheus(
    stage: Stage, prometheis: Mapping[str, int], adapter: int
) -> Callable[[str], tuple[int, str] | int]:
    """Where a request of an adapter's ends: at Prometheus, if the service leads to it and the policies let it.

    Args:
        prometheis: who listens, by the pod's address.
        adapter: its number; each stays with one of the service's endpoints as long as that is ready.
    """

    def route(url: str) -> tuple[int, str] | int:
        asked = urlsplit(url)
        service = stage.one("Service", PROMETHEUS)
        names = [f"{service['metadata']['name']}.{METRICS}.svc"] if service is not None else []
        if asked.hostname not in names:
            return 502, f"no such host: {asked.hostname}\n"
        endpoints = _endpoints(stage, PROMETHEUS)
        if not endpoints:
            return 503, "the service has no endpoint that is ready\n"
        sender, receiver = stage.peer(ADAPTER, METRICS), stage.peer(PROMETHEUS, METRICS)
        if not stage.firewall().passes(sender, receiver, PROMETHEUS_PORT):
            return 504, "dropped by a network policy\n"
        return prometheis.get(endpoints[adapter % len(endpoints)], 0) or (502, "nothing listens there\n")

    return route


def _endpoints(stage: Stage, service: str) -> list[str]:
    """The addresses of a service's pods that are ready, in order."""
    slices = stage.plane.client.list(
        "discovery.k8s.io/v1", "EndpointSlice", METRICS, selector=f"kubernetes.io/service-name={service}"
    )
    ready = (e for s in slices for e in s.get("endpoints") or () if (e.get("conditions") or {}).get("ready"))
    return sorted(address for endpoint in ready for address in endpoint["addresses"])


def scrapes_pass(stage: Stage) -> Callable[[], bool]:
    """Whether policies let Prometheus reach the fleet's metrics: they do not change while a rehearsal runs."""
    sender, receiver = stage.peer("prometheus", METRICS), stage.peer(FLEET, serving.NAMESPACE)
    passes = stage.firewall().passes(sender, receiver, serving.METRICS_PORT)
    return lambda: passes


def measured(stage: Stage) -> dict[str, list[float]]:
    """What the metrics API answers of the fleet's pods, by metric; an empty list where it has no answer."""
    scaler = stage.one("HorizontalPodAutoscaler", stage.name)
    names = [
        m["pods"]["metric"]["name"] for m in (scaler or {"spec": {}})["spec"].get("metrics") or () if "pods" in m
    ]
    return {name: _values(stage, name) for name in names}


def _values(stage: Stage, metric: str) -> list[float]:
    path = f"/apis/custom.metrics.k8s.io/v1beta1/namespaces/{serving.NAMESPACE}/pods/*/{metric}"
    try:
        items = stage.plane.client.request("GET", path).object.get("items") or ()
    except (RefusedError, UserError):
        return []
    return [quantity(item["value"]) for item in items]


def _pods(stage: Stage, app: str) -> list[dict[str, Any]]:
    """All of an application's pods that are ready, in the order of their addresses.

    Raises:
        UserError: there is none.
    """
    found = [pod for pod in stage.pods_of(f"{APP_LABEL}={app}", METRICS) if is_ready(pod)]
    if not found:
        raise UserError(f"no pod of {app} is ready", METRICS, "See what the checks of its placing say.")
    return sorted(found, key=lambda pod: pod["status"]["podIP"])


def _configuration(stage: Stage, app: str) -> str:
    """What the pod finds in the file that it mounts: the only one of its ConfigMap, as the API server has it."""
    found = stage.plane.client.get("v1", "ConfigMap", app, METRICS)
    texts = list(((found or {}).get("data") or {}).values())
    if len(texts) != 1:
        raise UserError(f"the ConfigMap of {app} has {len(texts)} files", METRICS, "Give it the one that it reads.")
    return texts[0]


def _arguments(pod: Mapping[str, Any], given: Mapping[str, str]) -> list[str]:
    """The pod's own arguments, with paths and ports of this machine."""
    told = pod["spec"]["containers"][0].get("args") or []
    return [next((flag + here for flag, here in given.items() if a.startswith(flag)), a) for a in told]


def _ok(url: str) -> bool:
    asked = urlsplit(url)
    context = ssl.create_default_context()
    # The adapter signs its own certificate, as in its pod; this is loopback.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    host, port = str(asked.hostname), int(asked.port or 0)
    if asked.scheme == "https":
        connection = HTTPSConnection(host, port, timeout=2, context=context)
    else:
        connection = HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", asked.path)
        return connection.getresponse().status in (200, 401, 403)
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
