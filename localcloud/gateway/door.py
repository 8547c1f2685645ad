"""Runs the door: Envoy Gateway, the Envoy that it starts, and the check that Envoy runs what it was given."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import requests

from common.console import Steps
from common.errors import UserError
from common.versions import ENVOY
from localcloud.gateway import machine
from localcloud.gateway.admin import Admin, RunsEnvoy, rejected, runs
from localcloud.gateway.objects import (
    LOOPBACK,
    MARKER,
    Backends,
    Change,
    Listener,
    Localised,
    Object,
    describe,
    localise,
)
from localcloud.gateway.statuses import judged, refused, statuses
from localcloud.processes.process import START_ATTEMPTS, ServerProcess, free_ports
from localcloud.toolchain.envoy import ensure_envoy, ensure_envoy_gateway

START_S: Final = 60.0
UPDATE_S: Final = 40.0
"""A changed policy may change clusters, and Envoy waits 15 s for endpoints that it has and is not sent again."""
_POLL_S: Final = 0.05
_STATUSES_S: Final = 5.0
_GRACE_S: Final = 5.0
_REMEDY: Final = "Read the log: Envoy Gateway names the object that it refuses, Envoy the part of its configuration."


class Door(RunsEnvoy):
    """An open door. Use `open_gateway`."""

    def __init__(self, folder: Path, log: Path, key_sets: Mapping[str, Mapping[str, Any]]) -> None:
        self._folder = folder
        self._log = log
        self._key_sets = key_sets
        self._ports: dict[str, int] = {}
        self._generation = 0
        self._read = 0
        """Characters of the log that are about earlier generations."""
        self._objects: tuple[Object, ...] = ()
        self._backends: Backends = {}
        self._process: ServerProcess | None = None
        self._current: Localised | None = None

    @property
    def changes(self) -> tuple[Change, ...]:
        """What is other than the plan has it, and why."""
        return self._localised.changes

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """Where the Gateway's listeners are reached, in their order."""
        return self._localised.listeners

    @property
    def http_url(self) -> str:
        """Of the first listener: https where it terminates TLS."""
        return self.url()

    @property
    def grpc_target(self) -> str:
        """The first listener as gRPC clients want it."""
        return f"{LOOPBACK}:{self.listeners[0].port}"

    def url(self, listener: str | None = None) -> str:
        """Of the listener of that name, the first one by default."""
        found = next(each for each in self.listeners if listener in (None, each.name))
        return f"{'https' if found.protocol in ('HTTPS', 'TLS') else 'http'}://{LOOPBACK}:{found.port}"

    def access_log(self) -> list[dict[str, Any]]:
        """The requests that Envoy has logged so far, where it logs them as JSON; it writes them some seconds late."""
        return [line for line in _json_lines(self._said()) if "logger" not in line]

    def update(self, objects: Iterable[Object] | None = None, backends: Backends | None = None) -> None:
        """Lay other objects, other backends or both, and return when Envoy runs them.

        Raises:
            UserError: Envoy Gateway refuses an object, Envoy refuses the configuration, or it does not run in time.
        """
        self._read = len(self._said())
        self._lay(objects, backends)
        deadline = time.monotonic() + UPDATE_S
        while not self._runs():
            if self._process is not None:
                self._process.check()
            if time.monotonic() > deadline:
                raise UserError(
                    f"Envoy does not run what it was given after {UPDATE_S:.0f} s", str(self._log), _REMEDY
                )
            time.sleep(_POLL_S)
        self._judge()

    def start(self, gateway: Path, envoy: Path, objects: Iterable[Object], backends: Backends) -> None:
        """Start both on the first objects; see `open_gateway`."""
        resources = self._folder / "resources"
        resources.mkdir()
        installed = self._folder / "data" / "envoy-versions" / ENVOY / "bin"
        installed.mkdir(parents=True)
        (installed / "envoy").symlink_to(envoy)
        self._lay(objects, backends)
        configuration = self._folder / "envoy-gateway.yaml"
        admin_port = free_ports(1)[0]
        configuration.write_text(
            json.dumps(_configuration(self._folder, resources, self._localised.controller, admin_port))
        )
        _make_certificates(gateway, self._folder)
        self._process = ServerProcess(
            "Envoy Gateway",
            [gateway, "server", "--config-path", configuration],
            self._log,
            remedy=_REMEDY,
            ready=self._runs,
            environment=_environment(self._folder),
            cwd=self._folder,
            start_seconds=START_S,
            grace_seconds=_GRACE_S,
            remove=(self._folder,),
        )
        self._process.start()
        self._judge()

    def stop(self) -> None:
        """End both and remove their folder; safe to call twice."""
        process, self._process = self._process, None
        if process is not None:
            process.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _localised(self) -> Localised:
        if self._current is None:
            raise AssertionError("the door is not open")
        return self._current

    def _lay(self, objects: Iterable[Object] | None, backends: Backends | None) -> None:
        """Write the next generation, whole."""
        if objects is not None:
            self._objects = tuple(objects)
        if backends is not None:
            self._backends = backends
        self._generation += 1
        self._current = localise(
            self._objects, self._backends, self._port_of, generation=self._generation, key_sets=self._key_sets
        )
        unfinished = self._folder / "unfinished.yaml"
        unfinished.write_text(self._current.text(), encoding="utf-8")
        unfinished.rename(self._folder / "resources" / "objects.yaml")

    def _port_of(self, listener: str) -> int:
        if listener not in self._ports:
            self._ports[listener] = free_ports(1)[0]
        return self._ports[listener]

    def _runs(self) -> bool:
        """Whether Envoy runs the generation that was laid last; raises UserError where it never will."""
        for line in _json_lines(self._said()[self._read :]):
            if line.get("level") == "error" and "reload resources" in line.get("msg", ""):
                raise UserError(f"Envoy Gateway refuses an object: {line.get('error')}", str(self._log), _REMEDY)
        if self._admin is None:
            self._admin = _find_admin(self._folder / "run")
            if self._admin is None:
                return False
        try:
            config = self._admin.config()
        except requests.RequestException:
            return False
        problems = list(rejected(config))
        if problems:
            raise UserError(f"Envoy refuses the configuration: {problems[0]}", str(self._log), _REMEDY)
        return runs(config, f"{MARKER}-{self._generation}")

    def _judge(self) -> None:
        """Raise UserError for an object that Envoy Gateway did not take: it serves the rest without a word.

        It writes statuses while Envoy gets the configuration, so its log is read until it is quiet and complete.
        """
        deadline, length = time.monotonic() + _STATUSES_S, -1
        while True:
            said = self._said()
            known = statuses(said)
            missing = [name for name in map(describe, self._localised.objects) if judged(name) and name not in known]
            if not missing and len(said) == length:
                break
            if time.monotonic() > deadline:
                if not missing:  # it has judged all, and goes on talking
                    break
                raise UserError(f"Envoy Gateway says nothing of {missing[:3]}", str(self._log), _REMEDY)
            length = len(said)
            time.sleep(_POLL_S)
        for name in map(describe, self._localised.objects):
            for problem in refused(known.get(name, {})):
                raise UserError(f"Envoy Gateway refuses {name}: {problem}", str(self._log), _REMEDY)

    def _said(self) -> str:
        try:
            return self._log.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""


@contextlib.contextmanager
def open_gateway(
    objects: Iterable[Object],
    backends: Backends,
    *,
    key_sets: Mapping[str, Mapping[str, Any]] | None = None,
    log: Path | None = None,
    steps: Steps | None = None,
) -> Iterator[Door]:
    """Open the door of these objects on loopback, and close it when the block ends, or this process, however it ends.

    One runs on a machine at a time: others wait for it.

    Args:
        objects: of a plan: GatewayClass, Gateway, routes, policies, Secrets, ConfigMaps; others are left out.
        backends: the pods of every service that is referred to.
        key_sets: JSON web key sets by the URI that a SecurityPolicy names; that issuer is not reached from here.
        log: the file for what both say, the access log included; in a folder of the door's own by default.
        steps: shows what takes time.

    Raises:
        UserError: a program cannot be had, a port is taken, a reference leads nowhere, or an object is refused.
    """
    gateway, envoy = ensure_envoy_gateway(steps), ensure_envoy(steps)
    laid = tuple(objects)
    with machine.alone(steps):
        machine.await_free()
        door = _opened(gateway, envoy, laid, backends, key_sets or {}, log)
        try:
            yield door
        finally:
            door.stop()


def _opened(
    gateway: Path,
    envoy: Path,
    objects: tuple[Object, ...],
    backends: Backends,
    key_sets: Mapping[str, Mapping[str, Any]],
    log: Path | None,
) -> Door:
    for attempt in range(1, START_ATTEMPTS + 1):
        folder = Path(tempfile.mkdtemp(prefix="seawall-gateway-"))
        door = Door(folder, log or folder / "gateway.log", key_sets)
        try:
            door.start(gateway, envoy, objects, backends)
        except BaseException as error:
            door.stop()
            # A port that was free may be taken when Envoy binds it: then others are tried.
            if attempt == START_ATTEMPTS or "already in use" not in str(error):
                raise
            continue
        return door
    raise AssertionError("the last attempt returns or raises")


def _configuration(folder: Path, resources: Path, controller: str, admin_port: int) -> dict[str, Any]:
    return {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "EnvoyGateway",
        "gateway": {"controllerName": controller},
        "provider": {
            "type": "Custom",
            "custom": {
                "resource": {"type": "File", "file": {"paths": [str(resources)]}},
                "infrastructure": {
                    "type": "Host",
                    "host": {
                        "configHome": str(folder / "config"),
                        "dataHome": str(folder / "data"),
                        "stateHome": str(folder / "state"),
                        "runtimeDir": str(folder / "run"),
                    },
                },
            },
        },
        "admin": {"address": {"host": LOOPBACK, "port": admin_port}},
        "logging": {"encoder": "JSON"},
        "telemetry": {"metrics": {"prometheus": {"disable": True}}},
        "extensionApis": {"enableBackend": True, "enableEnvoyPatchPolicy": True, "enableLua": True},
    }


def _environment(folder: Path) -> dict[str, str]:
    # Envoy Gateway compiles the schema of each object that it reads anew, at each reload. With fewer collections of
    # garbage that takes a quarter less of the processor, and 180 MiB more (measured on 1.9.1).
    collecting = {"GOGC": "400", "GOMEMLIMIT": "1GiB"}
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "TMPDIR": str(folder), **collecting}


def _make_certificates(gateway: Path, folder: Path) -> None:
    made = subprocess.run(
        [str(gateway), "certgen", "--local", "--config-home", str(folder / "config")],
        capture_output=True,
        text=True,
        env=_environment(folder),
        check=False,
    )
    if made.returncode:
        raise UserError(f"Envoy Gateway makes no certificates: {made.stderr.strip()[-300:]}", str(folder), _REMEDY)


def _find_admin(runtime: Path) -> Admin | None:
    for file in runtime.rglob("admin-address.txt"):
        address = file.read_text(encoding="utf-8").strip()
        if address:
            return Admin(f"http://{address}")
    return None


def _json_lines(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        if line.startswith("{"):
            with contextlib.suppress(ValueError):
                yield json.loads(line)
