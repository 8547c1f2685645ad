"""Memorystore for Redis: instances that are real redis-servers, with export to and import from Cloud Storage.

REST shapes: https://cloud.google.com/memorystore/docs/redis/reference/rest. A failed import leaves the instance
as it was here; the real service warns that it may come back fully flushed
(https://cloud.google.com/memorystore/docs/redis/about-importing-exporting), so restore into a new instance.
"""

from __future__ import annotations

import hashlib
import random
import re
import secrets
import shutil
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

from common.errors import UserError
from localcloud.gcp.kms.api import KEY_NAME, Kms, Use
from localcloud.gcp.operations import Background, Operations
from localcloud.gcp.redis.instance import VERSIONS, ca_view, instance_problem, new_instance
from localcloud.gcp.redis.server import DUMP, Certificates, RedisServer, RedisSettings, issue_certificates
from localcloud.gcp.regions import Regions
from localcloud.gcp.storage.api import Storage, parse_uri
from localcloud.gcp.store import Document, DocumentStore
from localcloud.gcp.wire import ApiError, Principal, Request, Response, Routes, not_found

_INSTANCES: Final = "redis/instances"
_SECRETS: Final = "redis/secrets"
_LOCATION: Final = r"projects/[^/]+/locations/[^/:]+"
_INSTANCE: Final = rf"{_LOCATION}/instances/[^/:]+"
_ID: Final = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")
_METADATA: Final = "type.googleapis.com/google.cloud.common.OperationMetadata"

EXPORT_LATE_SECONDS: Final = 0.2
"""An export arrives within this time after it was asked for; the real one takes minutes."""
_SEED: Final = 20261121
_REFUSING_PORT: Final = 1
_NOT_DIRECTIVES: Final = frozenset(
    {"maxmemory-gb", "stream-node-max-bytes", "stream-node-max-entries", "activedefrag"}
)
UPDATABLE: Final = frozenset(
    {
        "authEnabled",
        "displayName",
        "labels",
        "maintenancePolicy",
        "memorySizeGb",
        "persistenceConfig",
        "readReplicasMode",
        "redisConfigs",
        "replicaCount",
    }
)
_RESTARTING: Final = frozenset({"authEnabled", "memorySizeGb", "redisConfigs"})


class Memorystore:
    """The Memorystore API, and the servers of its instances.

    Args:
        agent: Memorystore's own, which uses customers' keys.
        background: writes exports.
        folder: scratch space; each instance has a folder below it.
    """

    def __init__(
        self,
        store: DocumentStore,
        kms: Kms,
        agent: Principal,
        storage: Storage,
        regions: Regions,
        background: Background,
        executable: Path,
        folder: Path,
    ) -> None:
        self._store = store
        self._kms = kms
        self._agent = agent
        self._storage = storage
        self._regions = regions
        self._background = background
        self._chance = random.Random(_SEED)  # noqa: S311 - when an export arrives is no secret
        self._executable = executable
        self._folder = folder
        self._operations = Operations(store, "redis/operations")
        self._servers: dict[str, RedisServer] = {}
        self._lock = threading.RLock()
        kms.on_change.append(self._key_changed)
        self._routes = Routes()
        for method, pattern, handler in (
            ("POST", rf"(?P<parent>{_LOCATION})/instances", self._create),
            ("GET", rf"(?P<parent>{_LOCATION})/instances", self._list),
            ("GET", rf"(?P<name>{_INSTANCE})", self._get),
            ("PATCH", rf"(?P<name>{_INSTANCE})", self._patch),
            ("DELETE", rf"(?P<name>{_INSTANCE})", self._delete),
            ("GET", rf"(?P<name>{_INSTANCE})/authString", self._get_auth),
            ("POST", rf"(?P<name>{_INSTANCE}):upgrade", self._upgrade),
            ("POST", rf"(?P<name>{_INSTANCE}):export", self._export),
            ("POST", rf"(?P<name>{_INSTANCE}):import", self._import),
            ("GET", rf"(?P<parent>{_LOCATION})/operations", self._list_operations),
            ("GET", rf"(?P<name>{_LOCATION}/operations/[^/:]+)", self._get_operation),
        ):
            self._routes.add(method, f"/v1/{pattern}", handler)

    def handle(self, request: Request, path: str) -> Response:
        """Answer an API request."""
        return self._routes.handle(request, path)

    def start(self, dumps: Path | None) -> None:
        """Start the servers of all instances, with the data that `save` left in `dumps`. Raises UserError."""
        for name, document in self._store.all(_INSTANCES):
            server = self._make_server(document)
            dump = dumps / f"{_folder_name(name)}.rdb" if dumps else None
            if dump is not None and dump.exists():
                server.load(dump)
            self._servers[name] = server
            if self._serves(document):
                server.start()

    def save(self, dumps: Path) -> None:
        """Write the data of all instances into the folder. Raises UserError."""
        dumps.mkdir(parents=True, exist_ok=True)
        with self._lock:
            for name, server in self._servers.items():
                dump = server.dump() if self._serves(self._instance(name)) else server.folder / DUMP
                if dump.exists():
                    (dumps / f"{_folder_name(name)}.rdb").write_bytes(dump.read_bytes())

    def check(self) -> None:
        """Raise UserError if a server that should run is gone."""
        for name, server in list(self._servers.items()):
            document = self._store.get(_INSTANCES, name)
            if document is not None and self._serves(document):
                server.check()

    def suspend(self, region: str) -> None:
        """The region is lost: its instances stop answering, with what they hold. Raises UserError."""
        with self._lock:
            for name, server in self._servers.items():
                document = self._instance(name)
                if _region(name) == region and self._serves(document):
                    server.dump()
                    server.stop()

    def resume(self, region: str) -> None:
        """The region is there again, and its instances answer where they did. Raises UserError."""
        with self._lock:
            for name, server in self._servers.items():
                if _region(name) == region and self._serves(self._instance(name)) and not server.is_running:
                    server.start(server.port or None)

    def _serves(self, document: Mapping[str, Any]) -> bool:
        """Whether the instance's server runs: neither its key nor its region keeps it from it."""
        return not document.get("suspensionReasons") and not self._regions.is_lost_of(str(document["name"]))

    def stop(self) -> None:
        """End all servers."""
        for server in self._servers.values():
            server.stop()

    def addresses(self) -> dict[str, dict[str, Any]]:
        """`host:port` of each instance → where it listens on this machine, and its CA's file.

        A suspended instance has a port that refuses, so that nobody tries its private address for real.
        """
        found: dict[str, dict[str, Any]] = {}
        for name, server in list(self._servers.items()):
            document = self._store.get(_INSTANCES, name)
            if document is not None:
                ca = str(server.ca_file) if server.ca_file else None
                address = {"host": "127.0.0.1", "port": server.port or _REFUSING_PORT, "ca_file": ca}
                found[f"{document['host']}:{document['port']}"] = address
        return found

    # The API's methods.

    def _create(self, request: Request, parent: str) -> Response:
        identifier = request.query.get("instanceId", "")
        if not _ID.fullmatch(identifier):
            raise ApiError(400, f"The instance id {identifier!r} does not match {_ID.pattern}.")
        body = request.json()
        name = f"{parent}/instances/{identifier}"
        location = parent.rsplit("/", 1)[1]
        problem = instance_problem(body)
        if problem:
            raise ApiError(400, problem)
        key = body.get("customerManagedKey")
        if key:
            self._check_key(str(key), location)
        with self._lock:
            if self._store.get(_INSTANCES, name):
                raise ApiError(409, f"Resource '{name}' already exists.")
            return self._operate(name, "create", lambda: self._make_instance(name, location, body))

    def _make_instance(self, name: str, location: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        document = new_instance(name, location, body)
        certificates = issue_certificates(name.rsplit("/", 1)[1], document["host"])
        secret = {"authString": str(UUID(bytes=secrets.token_bytes(16))), "certificates": asdict(certificates)}
        if document["transitEncryptionMode"] == "SERVER_AUTHENTICATION":
            document["serverCaCerts"] = [ca_view(certificates.ca)]
        self._store.put(_SECRETS, name, secret)
        server = self._make_server(document)
        (server.folder / DUMP).unlink(missing_ok=True)
        try:
            server.start()
        except UserError:
            self._store.delete(_SECRETS, name)
            raise
        self._servers[name] = server
        return self._store.put(_INSTANCES, name, document)

    def _list(self, _request: Request, parent: str) -> Response:
        prefix = f"{parent}/instances/" if not parent.endswith("/-") else parent[:-1]
        found = [d for _, d in self._store.all(_INSTANCES, prefix)]
        listed = {
            "instances": [d for d in found if not self._regions.is_lost_of(d["name"])],
            "unreachable": sorted({_region(d["name"]) for d in found if self._regions.is_lost_of(d["name"])}),
        }
        return Response.of({k: v for k, v in listed.items() if v})

    def _get(self, _request: Request, name: str) -> Response:
        return Response.of(self._instance(name))

    def _patch(self, request: Request, name: str) -> Response:
        body = request.json()
        mask = [p.split(".")[0] for p in request.query.get("updateMask", "").split(",") if p]
        refused = sorted(set(mask) - UPDATABLE)
        if refused or not mask:
            raise ApiError(400, f"An instance's {', '.join(refused) or 'nothing'} cannot be updated.")
        with self._lock:
            document = {**self._instance(name), **{p: body[p] for p in mask if p in body}}
            problem = instance_problem(document)
            if problem:
                raise ApiError(400, problem)
            return self._operate(name, "update", lambda: self._change(name, document, bool(_RESTARTING & set(mask))))

    def _change(self, name: str, document: Mapping[str, Any], restart: bool) -> Mapping[str, Any]:
        self._store.put(_INSTANCES, name, document)
        if restart and not document.get("suspensionReasons"):
            old = self._servers[name]
            old.dump()
            self._restart(name, document, old.port)
        return document

    def _restart(self, name: str, document: Mapping[str, Any], port: int | None) -> None:
        self._servers[name].stop()
        server = self._make_server(document)
        self._servers[name] = server
        server.start(port or None)

    def _upgrade(self, request: Request, name: str) -> Response:
        version = request.json().get("redisVersion")
        old = self._instance(name)
        if version not in VERSIONS or VERSIONS.index(version) <= VERSIONS.index(old["redisVersion"]):
            raise ApiError(400, f"An instance of {old['redisVersion']} cannot be upgraded to {version}.")
        with self._lock:
            return self._operate(name, "upgrade", lambda: self._change(name, {**old, "redisVersion": version}, True))

    def _delete(self, _request: Request, name: str) -> Response:
        self._instance(name)

        def work() -> Mapping[str, Any]:
            server = self._servers.pop(name, None)
            if server is not None:
                server.stop()
                (server.folder / DUMP).unlink(missing_ok=True)
            self._store.delete(_INSTANCES, name)
            self._store.delete(_SECRETS, name)
            return {"@type": "type.googleapis.com/google.protobuf.Empty"}

        with self._lock:
            return self._operate(name, "delete", work)

    def _get_auth(self, _request: Request, name: str) -> Response:
        if not self._instance(name).get("authEnabled"):
            raise ApiError(400, "AUTH is not enabled for the instance.", status="FAILED_PRECONDITION")
        return Response.of({"authString": self._secrets(name)["authString"]})

    def _export(self, request: Request, name: str) -> Response:
        bucket, target = parse_uri(_member(request.json(), "outputConfig", "gcsDestination", "uri"))
        self._require_ready(name)

        with self._lock:
            taken = self._exported(name)
            shutil.copy2(self._servers[name].dump(), taken)  # what is written from now on is not in it

        def work() -> Mapping[str, Any]:
            try:
                writer = self._identity(name)
                self._storage.buckets.judge(writer, "storage.buckets.get", bucket)
                time.sleep(self._late())
                self._regions.require_of(name)
                with taken.open("rb") as file:
                    self._storage.write(writer, bucket, target, file, "application/octet-stream")
            finally:
                taken.unlink(missing_ok=True)
            return self._instance(name)

        return self._operate(name, "export", work, self._background)

    def _exported(self, name: str) -> Path:
        """A file for a dump on its way to Cloud Storage."""
        return self._servers[name].folder / f"export-{uuid4().hex}.rdb"

    def _late(self) -> float:
        """Seconds until an export arrives."""
        return self._chance.uniform(0, EXPORT_LATE_SECONDS)

    def _import(self, request: Request, name: str) -> Response:
        bucket, source = parse_uri(_member(request.json(), "inputConfig", "gcsSource", "uri"))
        self._require_ready(name)

        def work() -> Mapping[str, Any]:
            document = self._instance(name)
            reader = self._identity(name)
            self._storage.buckets.judge(reader, "storage.buckets.get", bucket)
            trial = self._make_server(document, "import")
            with (trial.folder / DUMP).open("wb") as file:
                for block in self._storage.read(reader, bucket, source):
                    file.write(block)
            try:
                trial.start()  # ends with an error for a dump that is broken or too new
            except UserError as e:
                raise ApiError(400, f"gs://{bucket}/{source} cannot be imported: {_last_line(e.what)}") from e
            finally:
                trial.stop()
            current = self._servers[name]
            current.stop()
            current.load(trial.folder / DUMP)
            self._restart(name, document, current.port)
            return document

        with self._lock:
            return self._operate(name, "import", work)

    def _list_operations(self, _request: Request, parent: str) -> Response:
        found = self._operations.list(parent)
        return Response.of({"operations": found} if found else {})

    def _get_operation(self, _request: Request, name: str) -> Response:
        return Response.of(self._operations.get(name))

    def _operate(self, name: str, verb: str, work: Any, background: Background | None = None) -> Response:
        metadata = {"@type": _METADATA, "target": name, "verb": verb, "apiVersion": "v1", "cancelRequested": False}
        parent = name.rsplit("/instances/", 1)[0]
        return Response.of(self._operations.run(parent, metadata, work, background=background))

    # Keys.

    def _check_key(self, key: str, location: str) -> None:
        found = KEY_NAME.fullmatch(key)
        if found is None or found["location"] != location:
            raise ApiError(400, f"The key {key} is not one of the instance's region {location}.")
        self._kms.primary(key)
        refused = self._refused(key)
        if refused:
            raise ApiError(403, f"The Memorystore service agent may not use the key: {refused}")

    def _refused(self, key: str) -> str:
        """Why the service's agent may not use a key; empty if it may."""
        uses: tuple[Use, ...] = ("useToEncrypt", "useToDecrypt")
        decisions = [self._kms.may(self._agent, use, key) for use in uses]
        return next((d.reason for d in decisions if not d), "")

    def _key_changed(self, key: str) -> None:
        """Suspend the instances of a key that cannot be used, and bring them back with it.

        The state is the API's (`SuspensionReason.CUSTOMER_MANAGED_KEY_ISSUE`: "something wrong with the CMEK key",
        read 2026-11-21); that an agent that lost its right to the key suffices, and that it comes back, is believed.
        """
        try:
            self._kms.primary(key)
            usable = not self._refused(key)
        except ApiError:
            usable = False
        with self._lock:
            for name, document in self._store.all(_INSTANCES):
                if document.get("customerManagedKey") != key or usable != bool(document.get("suspensionReasons")):
                    continue
                if usable:
                    changed = {k: v for k, v in document.items() if k != "suspensionReasons"}
                    self._servers[name].start(self._servers[name].port or None)
                else:
                    changed = {**document, "suspensionReasons": ["CUSTOMER_MANAGED_KEY_ISSUE"]}
                    self._servers[name].dump()
                    self._servers[name].stop()
                self._store.put(_INSTANCES, name, changed)

    def _identity(self, name: str) -> Principal:
        """The account that reads and writes dumps.

        What it needs on a bucket: `storage.buckets.get`, and for objects `get`, or `create` and, to write over,
        `delete` (Memorystore, "Granting restricted permissions for import and export": its table was not seen,
        believed).
        """
        return Principal(str(self._instance(name)["persistenceIamIdentity"]))

    # Documents and servers.

    def _instance(self, name: str) -> Document:
        found = self._store.get(_INSTANCES, name)
        if found is None:
            raise not_found("Instance", name)
        return found

    def _secrets(self, name: str) -> Document:
        found = self._store.get(_SECRETS, name)
        if found is None:
            raise not_found("Instance", name)
        return found

    def _require_ready(self, name: str) -> None:
        if self._instance(name).get("suspensionReasons"):
            message = "The instance is suspended: its customer-managed key cannot be used."
            raise ApiError(400, message, status="FAILED_PRECONDITION")

    def _make_server(self, document: Mapping[str, Any], suffix: str = "") -> RedisServer:
        name = str(document["name"])
        secret = self._secrets(name)
        configs = document.get("redisConfigs") or {}
        settings = RedisSettings(
            memory_gib=float(configs.get("maxmemory-gb") or document["memorySizeGb"]),
            auth=secret["authString"] if document.get("authEnabled") else None,
            tls=document["transitEncryptionMode"] == "SERVER_AUTHENTICATION",
            directives={k: v for k, v in configs.items() if k not in _NOT_DIRECTIVES},
        )
        folder = self._folder / f"{_folder_name(name)}{f'-{suffix}' if suffix else ''}"
        label = f"redis-server of {name.rsplit('/', 1)[1]}"
        return RedisServer(self._executable, folder, label, settings, Certificates(**secret["certificates"]))


def _region(name: str) -> str:
    return name.split("/")[3]


def _folder_name(name: str) -> str:
    return f"{name.rsplit('/', 1)[1]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _member(body: Mapping[str, Any], *path: str) -> Any:
    value: Any = body
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1].strip()
