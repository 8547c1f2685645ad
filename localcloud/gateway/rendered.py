"""The door without its controller: what Envoy Gateway made of a plan's objects, kept, and run by Envoy from files.

Envoy Gateway is asked once (`render`). What it told Envoy is the same from then on, but for the pods of each service,
which change while Envoy runs, in milliseconds. So a door can be run where nothing can be built, by several at a time,
and while the machine is busy with other things. A change of the objects is another rendering.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests

from common.console import Steps
from common.errors import UserError
from localcloud.gateway.admin import Admin, RunsEnvoy
from localcloud.gateway.door import open_gateway
from localcloud.gateway.objects import LOOPBACK, MARKER, Backends, Object
from localcloud.processes.process import ServerProcess, free_ports
from localcloud.toolchain.envoy import ensure_envoy

_GRPC_PORT: Final = 8001
_HTTP_PORT: Final = 8000
_SECTIONS: Final = {
    "listeners": ("ListenersConfigDump", "dynamic_listeners", ("active_state", "listener")),
    "routes": ("RoutesConfigDump", "dynamic_route_configs", ("route_config",)),
    "clusters": ("ClustersConfigDump", "dynamic_active_clusters", ("cluster",)),
    "endpoints": ("EndpointsConfigDump", "dynamic_endpoint_configs", ("endpoint_config",)),
    "secrets": ("SecretsConfigDump", "dynamic_active_secrets", ("secret",)),
}
_CONTROLLERS_OWN: Final = ("xds_certificate", "xds_trusted_ca", "envoy-gateway-proxy-ready-")
"""What is for the controller and the kubelet: a listener for probes has a port of its own."""
_BOOTSTRAP: Final = ("layered_runtime", "stats_config", "overload_manager")
"""What of Envoy's own configuration is not how it finds its controller."""
_REMEDY: Final = "Read the log: Envoy names the part of its configuration that it does not take."
_UPDATE_S: Final = 20.0
_POLL_S: Final = 0.01


@dataclass(frozen=True)
class Rendering:
    """Envoy's configuration of one door, with placeholders for ports and pods. Private keys are not in it."""

    bootstrap: Mapping[str, Any]
    resources: Mapping[str, list[dict[str, Any]]]
    listeners: Mapping[str, int]
    """Its listeners' ports as planned, by name; the configuration has `@NAME@` in their place."""
    services: Mapping[str, tuple[str, str]]
    """The address that stands for the pods of a service → its namespace and name."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, the same for the same objects."""
        return {
            "bootstrap": self.bootstrap,
            "resources": self.resources,
            "listeners": self.listeners,
            "services": {address: list(service) for address, service in self.services.items()},
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Rendering:
        """What `to_json` told."""
        services = {address: (service[0], service[1]) for address, service in told["services"].items()}
        return cls(told["bootstrap"], told["resources"], told["listeners"], services)


def render(objects: Iterable[Object], services: Iterable[tuple[str, str]], steps: Steps | None = None) -> Rendering:
    """Have Envoy Gateway make Envoy's configuration of these objects.

    Args:
        services: namespace and name of every service that is referred to.

    Raises:
        UserError: as `open_gateway`.
    """
    standing_for = {f"127.9.9.{number}": service for number, service in enumerate(services, 1)}
    backends = {service: [(address, _HTTP_PORT, _GRPC_PORT)] for address, service in standing_for.items()}
    with open_gateway(objects, backends, steps=steps) as door:
        sections = {str(s["@type"]).rsplit(".", 1)[-1]: s for s in door.admin.config()}
        resources = {kind: _found(sections, *where) for kind, where in _SECTIONS.items()}
        bootstrap = sections["BootstrapConfigDump"]["bootstrap"]
        text = json.dumps(resources, sort_keys=True)
        for listener in door.listeners:
            # As a number, and as a part of names.
            text = re.sub(rf"(?<=: ){listener.port}\b", f'"@{listener.name}@"', text)
            text = re.sub(rf"\b{listener.port}\b", f"@{listener.name}@", text)
        planned = {listener.name: listener.planned_port for listener in door.listeners}
    kept = {key: bootstrap[key] for key in _BOOTSTRAP if key in bootstrap}
    return Rendering(kept, json.loads(text), planned, standing_for)


def _found(
    sections: Mapping[str, Mapping[str, Any]], section: str, key: str, path: tuple[str, ...]
) -> list[dict[str, Any]]:
    found = []
    for part in sections.get(section, {}).get(key, ()):
        for step in path:
            part = part.get(step, {})
        if str(part.get("name")).startswith(_CONTROLLERS_OWN):
            continue
        if "tls_certificate" in part:
            part = {**part, "tls_certificate": {}}
        if part and MARKER not in json.dumps(part.get("name", part.get("cluster_name", ""))):
            found.append(part)
    return sorted(found, key=lambda each: str(each.get("name", each.get("cluster_name"))))


class RenderedDoor(RunsEnvoy):
    """Envoy over a rendering. Use `open_rendered`."""

    def __init__(self, rendering: Rendering, folder: Path, log: Path, keys: Mapping[str, tuple[Path, Path]]) -> None:
        self._rendering = rendering
        self._folder = folder
        self._log = log
        self._keys = keys
        self._ports = dict(zip(rendering.listeners, free_ports(len(rendering.listeners)), strict=True))
        self._process: ServerProcess | None = None

    @property
    def http_url(self) -> str:
        """Of the first listener."""
        name, planned = next(iter(self._rendering.listeners.items()))
        return f"{'https' if planned in (443, 8443) else 'http'}://{LOOPBACK}:{self._ports[name]}"

    @property
    def grpc_target(self) -> str:
        """The first listener as gRPC clients want it."""
        return f"{LOOPBACK}:{next(iter(self._ports.values()))}"

    def update(self, *, backends: Backends) -> None:
        """Send requests to these pods only; returns when Envoy does.

        Raises:
            UserError: Envoy does not in time, or is gone.
        """
        self._write_endpoints(backends)
        wanted = self._addresses(backends)
        deadline = time.monotonic() + _UPDATE_S
        while self._runs() != wanted:
            if self._process is not None:
                self._process.check()
            if time.monotonic() > deadline:
                raise UserError(f"Envoy does not ask these pods after {_UPDATE_S:.0f} s", str(self._log), _REMEDY)
            time.sleep(_POLL_S)

    def start(self, envoy: Path, backends: Backends) -> None:
        """Start Envoy; see `open_rendered`."""
        bootstrap = {
            **self._rendering.bootstrap,
            "node": {"id": "door", "cluster": "door"},
            "admin": {"address": {"socket_address": {"address": LOOPBACK, "port_value": 0}}},
            "dynamic_resources": {"lds_config": self._source("listeners"), "cds_config": self._source("clusters")},
        }
        self._write_all(backends)
        (self._folder / "envoy.json").write_text(json.dumps(bootstrap), encoding="utf-8")
        self._process = ServerProcess(
            "Envoy",
            [
                *(envoy, "--config-path", self._folder / "envoy.json", "--log-level", "warning"),
                *("--component-log-level", "misc:error"),
                *("--admin-address-path", self._folder / "admin", "--use-dynamic-base-id"),
            ],
            self._log,
            remedy=_REMEDY,
            ready=lambda: self._ready(backends),
            environment={"PATH": os.environ.get("PATH", os.defpath)},
            remove=(self._folder,),
        )
        self._process.start()

    def stop(self) -> None:
        """End it and remove its folder; safe to call twice."""
        process, self._process = self._process, None
        if process is not None:
            process.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _ready(self, backends: Backends) -> bool:
        if self._admin is None:
            with contextlib.suppress(FileNotFoundError):
                address = (self._folder / "admin").read_text().strip()
                self._admin = Admin(f"http://{address}") if address else None
        with contextlib.suppress(requests.RequestException):
            return (
                self._admin is not None
                and self._admin.get("/ready").text.startswith("LIVE")
                and self._runs() == self._addresses(backends)
                and self._admin.stats(r"^listener_manager\.(total_listeners_active|total_listeners_warming)$")
                == {
                    "listener_manager.total_listeners_active": len(self._rendering.listeners),
                    "listener_manager.total_listeners_warming": 0,
                }
            )
        return False

    def _runs(self) -> set[str]:
        """The pods that Envoy would ask."""
        told = self.admin.get("/clusters", format="json").json()
        return {
            f"{address['address']}:{address['port_value']}"
            for cluster in told.get("cluster_statuses", ())
            for host in cluster.get("host_statuses", ())
            for address in (host["address"]["socket_address"],)
        }

    def _addresses(self, backends: Backends) -> set[str]:
        return {
            f"{end['address']['socket_address']['address']}:{end['address']['socket_address']['port_value']}"
            for assignment in self._assignments(backends)
            for locality in assignment.get("endpoints", ())
            for each in locality.get("lb_endpoints", ())
            for end in (each["endpoint"],)
        }

    def _write_all(self, backends: Backends) -> None:
        text = json.dumps(self._rendering.resources)
        for name, port in self._ports.items():
            text = text.replace(f'"@{name}@"', str(port)).replace(f"@{name}@", str(port))
        resources = json.loads(text)
        for kind in ("listeners", "clusters"):
            self._write(kind, [self._from_files(each) for each in resources[kind]])
        for each in resources["routes"]:
            self._write(_file("routes", each["name"]), [each])
        for each in resources["secrets"]:
            self._write(_file("secrets", each["name"]), [self._with_key(each)])
        self._write_endpoints(backends)

    def _with_key(self, secret: dict[str, Any]) -> dict[str, Any]:
        if "tls_certificate" not in secret:
            return secret
        name = secret["name"].rsplit("/", 1)[-1]
        if name not in self._keys:
            raise UserError(
                f"there is no certificate for the secret {name}",
                "keys",
                "Give its certificate and key: private keys are not part of a rendering.",
            )
        chain, key = ({"filename": str(file)} for file in self._keys[name])
        return {**secret, "tls_certificate": {"certificate_chain": chain, "private_key": key}}

    def _write_endpoints(self, backends: Backends) -> None:
        for assignment in self._assignments(backends):
            self._write(_file("endpoints", assignment["cluster_name"]), [assignment])

    def _assignments(self, backends: Backends) -> Iterator[dict[str, Any]]:
        """The pods of each cluster, in the places of those that stand for them."""
        for each in self._rendering.resources["endpoints"]:
            localities = []
            for locality in each.get("endpoints", ()):
                ends = [end for one in locality.get("lb_endpoints", ()) for end in self._pods_for(one, backends)]
                localities.append({**locality, "lb_endpoints": ends})
            yield {**each, "endpoints": localities}

    def _pods_for(self, end: Mapping[str, Any], backends: Backends) -> Iterator[dict[str, Any]]:
        place = end["endpoint"]["address"]["socket_address"]
        service = self._rendering.services.get(place["address"])
        if service is None:
            yield dict(end)
            return
        for address, http, grpc in backends[service]:
            at = {**place, "address": address, "port_value": grpc if place["port_value"] == _GRPC_PORT else http}
            yield {**end, "endpoint": {**end["endpoint"], "address": {"socket_address": at}}}

    def _from_files(self, value: Any) -> Any:
        """The same, with everything that the controller would send read from files instead."""
        if isinstance(value, list):
            return [self._from_files(each) for each in value]
        if not isinstance(value, dict):
            return value
        found = {key: self._from_files(each) for key, each in value.items()}
        if "route_config_name" in found:
            found["config_source"] = self._source(_file("routes", found["route_config_name"]))
        if "eds_config" in found:
            found["eds_config"] = self._source(_file("endpoints", found["service_name"]))
        if "sds_config" in found:
            found["sds_config"] = self._source(_file("secrets", found["name"]))
        return found

    def _source(self, name: str) -> dict[str, Any]:
        return {"path_config_source": {"path": str(self._folder / f"{name}.json")}, "resource_api_version": "V3"}

    def _write(self, name: str, resources: list[Any]) -> None:
        """Whole, by a rename: that is what Envoy waits for."""
        unfinished = self._folder / f".{name}"
        unfinished.write_text(json.dumps({"resources": resources}), encoding="utf-8")
        unfinished.rename(self._folder / f"{name}.json")


def _file(kind: str, name: str) -> str:
    return f"{kind}-{base64.urlsafe_b64encode(name.encode()).decode().rstrip('=')}"


@contextlib.contextmanager
def open_rendered(
    rendering: Rendering,
    backends: Backends,
    *,
    keys: Mapping[str, tuple[Path, Path]] | None = None,
    log: Path | None = None,
    steps: Steps | None = None,
) -> Iterator[RenderedDoor]:
    """Run Envoy over a rendering on loopback until the block ends, or this process, however it ends.

    Args:
        backends: the pods of every service of the rendering.
        keys: certificate and private key of each TLS secret, by its name.
        log: the file for what Envoy says, the access log included; in a folder of the door's own by default.

    Raises:
        UserError: Envoy cannot be had, a secret has no key, or Envoy does not take the configuration.
    """
    envoy = ensure_envoy(steps)
    folder = Path(tempfile.mkdtemp(prefix="seawall-door-"))
    door = RenderedDoor(rendering, folder, log or folder / "envoy.log", keys or {})
    try:
        door.start(envoy, backends)
        yield door
    finally:
        door.stop()
