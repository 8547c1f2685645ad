"""The chain that the autoscaler measures by: simulated Tritons, the real Prometheus, the real adapter, in their pods.

Prometheus and the adapter run under their own service accounts, from the configuration that the stack deployed, and
reach one another only where the stack's network policies let them: what would be dropped is refused.
"""

from __future__ import annotations

import contextlib
import json
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
from ops.rehearse.flows import ADAPTER_PORT, PROMETHEUS_PORT, api_server_as_caller
from ops.rehearse.groups import quantity
from ops.rehearse.load import Fleet, page
from ops.rehearse.rights import METRICS
from ops.rehearse.stage import FLEET, Stage

AREA: Final = "metrics"
_HOST: Final = "127.0.0.1"


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


@contextlib.contextmanager
def chain(stage: Stage, tritons: Tritons, folder: Path) -> Iterator[None]:
    """Run Prometheus and the adapter in their pods.

    Raises:
        UserError: one of them cannot be had or does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        scrapes = stack.enter_context(Proxy(tritons.answer).serving())
        local = stack.enter_context(_prometheus(stage, scrapes, folder))
        asks = stack.enter_context(Proxy(lambda url: _to_prometheus(stage, url, local)).serving())
        stack.enter_context(_adapter(stage, asks, folder))
        yield


@contextlib.contextmanager
def _prometheus(stage: Stage, proxy: str, folder: Path) -> Iterator[int]:
    pod = _pod(stage, "prometheus")
    (port,) = free_ports(1)
    config = folder / "prometheus.yml"
    programs = ensure_prometheus(stage.steps)
    text = stage.tempo.scrape_config(_configuration(stage, "prometheus"), proxy)
    config.write_text(text)
    with contextlib.ExitStack() as stack:
        if not knows_kubernetes(programs.promtool, config):
            url = stack.enter_context(discovery(stage))
            config.write_text(with_discovery(text, url))
            stage.report.not_judged.append(
                "Prometheus' own discovery: this one was built without it, so that the pods that its account may "
                "list were handed to it"
            )
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
    for container in pod["spec"]["containers"] if address else ():
        for port in container.get("ports") or ():
            labels = {
                "__meta_kubernetes_namespace": pod["metadata"]["namespace"],
                "__meta_kubernetes_pod_name": pod["metadata"]["name"],
                "__meta_kubernetes_pod_container_name": container["name"],
                "__meta_kubernetes_pod_container_port_name": port.get("name", ""),
                "__meta_kubernetes_pod_container_port_number": str(port["containerPort"]),
            }
            yield {"targets": [f"{address}:{port['containerPort']}"], "labels": labels}


@contextlib.contextmanager
def _adapter(stage: Stage, proxy: str, folder: Path) -> Iterator[None]:
    pod = _pod(stage, "prometheus-adapter")
    (port,) = free_ports(1)
    config = folder / "adapter.yaml"
    config.write_text(stage.tempo.adapter_config(_configuration(stage, "prometheus-adapter")))
    given = {
        "--secure-port=": str(port),
        "--cert-dir=": str(folder / "certificates"),
        "--config=": str(config),
    }
    arguments = [stage.tempo.flag(argument) for argument in _arguments(pod, given)]
    command = [str(ensure_prometheus_adapter(stage.steps)), *arguments, f"--bind-address={_HOST}"]
    firewall, to = stage.firewall(), stage.peer("prometheus-adapter", METRICS)
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


def _to_prometheus(stage: Stage, url: str, local: int) -> tuple[int, str] | int:
    """Where a request of the adapter's ends: at Prometheus, if the service leads to it and the policies let it."""
    asked = urlsplit(url)
    service = stage.one("Service", "prometheus")
    names = [f"{service['metadata']['name']}.{METRICS}.svc"] if service is not None else []
    if asked.hostname not in names:
        return 502, f"no such host: {asked.hostname}\n"
    if not _backed(stage, "prometheus"):
        return 503, "the service has no endpoint that is ready\n"
    sender, receiver = stage.peer("prometheus-adapter", METRICS), stage.peer("prometheus", METRICS)
    if not stage.firewall().passes(sender, receiver, PROMETHEUS_PORT):
        return 504, "dropped by a network policy\n"
    return local


def _backed(stage: Stage, service: str) -> bool:
    slices = stage.plane.client.list(
        "discovery.k8s.io/v1", "EndpointSlice", METRICS, selector=f"kubernetes.io/service-name={service}"
    )
    return any((e.get("conditions") or {}).get("ready") for s in slices for e in s.get("endpoints") or ())


def scrapes_pass(stage: Stage) -> Callable[[], bool]:
    """Whether policies let Prometheus reach the fleet's metrics: they do not change while a rehearsal runs."""
    sender, receiver = stage.peer("prometheus", METRICS), stage.peer(FLEET, serving.NAMESPACE)
    passes = stage.firewall().passes(sender, receiver, serving.METRICS_PORT)
    return lambda: passes


def measured(stage: Stage) -> dict[str, list[float]]:
    """What the metrics API answers of the fleet's pods, by metric; an empty list where it has no answer."""
    scaler = stage.one("HorizontalPodAutoscaler", FLEET)
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


def _pod(stage: Stage, app: str) -> dict[str, Any]:
    found = stage.ready(app, METRICS)
    if not found:
        raise UserError(f"no pod of {app} is ready", METRICS, "See what the checks of its placing say.")
    return found[0]


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
