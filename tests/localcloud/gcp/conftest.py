"""The emulated services without servers, and the whole emulator with its real ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import pytest
import redis

from common.gcp_api import GcpApi
from common.target import Target
from localcloud.emulators import StackPlace
from localcloud.gcp.emulator import GcpEmulator
from localcloud.gcp.iam.agents import Agents
from localcloud.gcp.iam.judge import Judge
from localcloud.gcp.iam.policies import Policies
from localcloud.gcp.iam.roles import Roles
from localcloud.gcp.kms.api import Kms
from localcloud.gcp.regions import Regions
from localcloud.gcp.store import DocumentStore
from localcloud.gcp.wire import BoundedBody, EmptyBody, Request, Response

PROJECT = "acme"
REGION = "europe-west1"
FAR = "europe-north1"

Call = Callable[..., dict[str, Any]]
_INSTANCE = f"projects/{PROJECT}/locations/{REGION}/instances/features"


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int = -1, /) -> bytes:
        cut = len(self._data) if size < 0 else size
        block, self._data = self._data[:cut], self._data[cut:]
        return block


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DocumentStore]:
    """An empty store."""
    opened = DocumentStore(tmp_path / "store.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def policies(store: DocumentStore) -> Policies:
    """No policy yet."""
    return Policies(store, Agents(store, "1", prepared=True), Roles(store))


@pytest.fixture
def judge(store: DocumentStore, policies: Policies) -> Judge:
    """Judges by these policies."""
    return Judge(store, policies, Roles(store))


@pytest.fixture
def kms(store: DocumentStore, policies: Policies, judge: Judge) -> Kms:
    """Cloud KMS without a key."""
    return Kms(store, policies, judge, Regions(store))


@pytest.fixture
def make_request() -> Callable[..., Request]:
    """Builds a request from a method, an address and a JSON body."""

    def make(method: str, address: str, body: Any = None) -> Request:
        data = json.dumps(body).encode() if body is not None else b""
        parts = urlsplit(address)
        reader = BoundedBody(_Bytes(data), len(data)) if data else EmptyBody()
        return Request(method, parts.path, dict(parse_qsl(parts.query)), {}, reader, len(data))

    return make


@pytest.fixture
def caller(make_request: Callable[..., Request]) -> Callable[[Callable[[Request, str], Response]], Call]:
    """Turns a service's `handle` into a function of method, address and body that returns the JSON answer."""

    def bind(handle: Callable[[Request, str], Response]) -> Call:
        def call(method: str, address: str, body: Any = None) -> dict[str, Any]:
            request = make_request(method, address, body)
            answer = handle(request, request.path).body
            assert isinstance(answer, bytes)
            return json.loads(answer or b"{}")

        return call

    return bind


@pytest.fixture
def kms_call(kms: Kms, caller: Callable[..., Call]) -> Call:
    """Calls Cloud KMS."""
    return caller(kms.handle)


@pytest.fixture
def key(kms_call: Call) -> str:
    """The name of a key with one enabled version."""
    ring = f"projects/{PROJECT}/locations/{REGION}/keyRings"
    kms_call("POST", f"/v1/{ring}?keyRingId=ring")
    return kms_call("POST", f"/v1/{ring}/ring/cryptoKeys?cryptoKeyId=data", {"purpose": "ENCRYPT_DECRYPT"})["name"]


@pytest.fixture
def set_key_state(kms_call: Call) -> Callable[[str, str], None]:
    """Sets the state of a key's first version."""

    def change(key: str, state: str) -> None:
        kms_call("PATCH", f"/v1/{key}/cryptoKeyVersions/1?updateMask=state", {"state": state})

    return change


class Cloud:
    """Short ways to what tests need of an emulator."""

    def __init__(self, target: Callable[[], Target], tag: str = "") -> None:
        self._target = target
        self._tag = tag

    @property
    def target(self) -> Target:
        return self._target()

    @property
    def api(self) -> GcpApi:
        return GcpApi(self.target, PROJECT)

    def make_key(self, region: str, name: str = "data") -> str:
        """A key that all service agents may use."""
        api, parent = self.api, f"projects/{PROJECT}/locations/{region}/keyRings"
        if api.find("kms", f"v1/{parent}/ring") is None:
            api.post("kms", f"v1/{parent}", {}, {"keyRingId": "ring"})
        key = api.post("kms", f"v1/{parent}/ring/cryptoKeys", {}, {"cryptoKeyId": name + self._tag})["name"]
        agents = ("gs-project-accounts", "cloud-redis")
        members = [f"serviceAccount:service-1@{agent}.iam.gserviceaccount.com" for agent in agents]
        binding = {"role": "roles/cloudkms.cryptoKeyEncrypterDecrypter", "members": members}
        api.post("kms", f"v1/{key}:setIamPolicy", {"policy": {"bindings": [binding]}})
        return key

    def set_state(self, key: str, state: str) -> None:
        """Enable or disable a key's first version."""
        self.api.patch("kms", f"v1/{key}/cryptoKeyVersions/1", {"state": state}, {"updateMask": "state"})

    def make_bucket(self, name: str, region: str, key: str | None = None, **settings: Any) -> str:
        """A bucket; versioned unless said otherwise."""
        encryption = {"encryption": {"defaultKmsKeyName": key}} if key else {}
        name += self._tag
        body = {"name": name, "location": region, "versioning": {"enabled": True}, **encryption, **settings}
        self.api.post("storage", "storage/v1/b", body, {"project": PROJECT})
        return name

    def grant(self, bucket: str, member: str, *roles: str) -> None:
        """Add a member to roles on a bucket."""
        policy = self.api.get("storage", f"storage/v1/b/{bucket}/iam")
        bindings = [*policy["bindings"], *({"role": r, "members": [member]} for r in roles)]
        self.api.put("storage", f"storage/v1/b/{bucket}/iam", {"etag": policy["etag"], "bindings": bindings})

    def grant_transfer(self, source: str, sink: str) -> None:
        """What Storage Transfer's agent needs."""
        agent = "serviceAccount:project-1@storage-transfer-service.iam.gserviceaccount.com"
        self.grant(source, agent, "roles/storage.objectViewer", "roles/storage.legacyBucketReader")
        self.grant(sink, agent, "roles/storage.legacyBucketWriter", "roles/storage.objectViewer")


class RunningCloud(Cloud):
    """The emulator with its real servers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._starts = 0
        self.emulator = self._new()
        super().__init__(lambda: self.emulator.target())

    def _new(self) -> GcpEmulator:
        self._starts += 1
        place = StackPlace("dev-gcp", REGION, FAR, PROJECT, project_number="1")
        return GcpEmulator(place, self._folder / f"work-{self._starts}")

    def restart(self, snapshot: Path | None = None) -> Path:
        """Stop, and start again from a snapshot, by default one that is saved now; returns it."""
        if snapshot is None:
            snapshot = self._folder / f"snapshot-{self._starts}"
            snapshot.mkdir()
            self.emulator.save(snapshot)
        self.emulator.stop()
        self.emulator = self._new()
        self.emulator.start(snapshot)
        return snapshot


@pytest.fixture
def light_cloud(cloud_storage: str) -> Cloud:
    """An emulator in this process without Redis, where this test's things have names of their own."""
    target = Target("local", "emulated", gcp_endpoint_url=cloud_storage)
    return Cloud(lambda: target, f"-{uuid4().hex[:12]}")


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[RunningCloud]:
    """A running emulator; only for tests marked `engine`, which may build what it needs."""
    running = RunningCloud(tmp_path)
    running.emulator.start(None)
    yield running
    running.emulator.stop()


class Cache:
    """The instance `features` as a program of the stack sees it."""

    def __init__(self, cloud: Any) -> None:
        self._cloud = cloud

    def client(self) -> redis.Redis:
        api = self._cloud.api
        instance = api.get("redis", f"v1/{_INSTANCE}")
        where = self._cloud.target.resolve(instance["host"], instance["port"])
        password = api.get("redis", f"v1/{_INSTANCE}/authString")["authString"]
        return redis.Redis(
            host=where.host,
            port=where.port,
            password=password,
            ssl=True,
            ssl_ca_certs=where.ca_file,
            decode_responses=True,
        )

    def set(self, **entries: str) -> None:
        with self.client() as client:
            client.mset(entries)

    def keys(self) -> list[str]:
        with self.client() as client:
            return sorted(str(k) for k in client.scan_iter())

    def call(self, verb: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._cloud.api.wait("redis", self._cloud.api.post("redis", f"v1/{_INSTANCE}:{verb}", body))

    def export(self, uri: str) -> dict[str, Any]:
        return self.call("export", {"outputConfig": {"gcsDestination": {"uri": uri}}})

    def import_(self, uri: str) -> dict[str, Any]:
        return self.call("import", {"inputConfig": {"gcsSource": {"uri": uri}}})


@pytest.fixture
def cloud_key(cloud: RunningCloud) -> str:
    """A key in the region of the running emulator."""
    return cloud.make_key(REGION)


@pytest.fixture
def cache(cloud: RunningCloud, cloud_key: str) -> Cache:
    """An encrypted instance with a password."""
    body = {
        "tier": "STANDARD_HA",
        "memorySizeGb": 1,
        "authEnabled": True,
        "transitEncryptionMode": "SERVER_AUTHENTICATION",
        "customerManagedKey": cloud_key,
        "redisConfigs": {"maxmemory-policy": "volatile-ttl"},
    }
    parent = _INSTANCE.rsplit("/instances/", 1)[0]
    cloud.api.wait("redis", cloud.api.post("redis", f"v1/{parent}/instances", body, {"instanceId": "features"}))
    return Cache(cloud)
