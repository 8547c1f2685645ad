"""Golden sets for tests, and what the tests of a real Triton need: servers on each cloud's feature store."""

from __future__ import annotations

import contextlib
import logging
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import boto3
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from moto.server import ThreadedMotoServer

from common.errors import UserError
from common.paths import repo_root
from common.target import Target
from components.contracts import serving
from components.contracts.feature_store import FeatureStoreKind
from localcloud.processes.process import free_ports
from localcloud.toolchain import ensure_redis_server
from localcloud.triton.server import TritonServer
from ops.features.rows import load_rows
from ops.features.store import FeatureStore, serving_variables, write_rows
from ops.serving.golden import GoldenPrediction, GoldenSet

REGION = "eu-central-1"
REPOSITORY = repo_root() / "serving_image" / "model_repository"
INSTANCE = "projects/p/locations/europe-west3/instances/features"
AUTH = "a-secret-of-this-test"


@pytest.fixture
def golden() -> GoldenSet:
    return GoldenSet(
        "model",
        1e-4,
        (
            GoldenPrediction("a", (1.0, 2.0), 0.9, "malignant"),
            GoldenPrediction("b", (3.0, 4.0), 0.1, "benign"),
        ),
    )


@pytest.fixture(scope="session", autouse=True)
def _quiet_emulator() -> None:
    """A failed test shows its own log, not moto's line for each request."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Cloud:
    """One cloud's feature store with the golden entities' features in it."""

    identity: dict[str, str]
    """What a model's SDK finds the store and its credentials by."""
    features: dict[str, str]

    def server(self, python: Path, log: Path, repository: Path = REPOSITORY, **more: str) -> TritonServer:
        return TritonServer(repository, python, {**self.features, **more}, log=log, identity=self.identity)


@pytest.fixture(scope="module")
def aws() -> Iterator[Cloud]:
    emulator = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    emulator.start()
    target = Target("local", "emulated", aws_endpoint_url=f"http://127.0.0.1:{emulator.get_host_and_port()[1]}")
    options = {"region_name": REGION, "endpoint_url": target.aws_endpoint_url}
    session = boto3.Session(aws_access_key_id="x", aws_secret_access_key="y")
    table = f"features-{uuid.uuid4().hex}"
    session.client("dynamodb", **options).create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "entity_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "entity_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    stored = FeatureStore(
        FeatureStoreKind.DYNAMODB,
        table,
        REGION,
        table,
        {serving.FEATURES_TABLE: table, serving.FEATURES_REGION: REGION},
    )
    write_rows(stored, target, load_rows(), ttl_hours=1)
    with serving_variables(stored, target) as variables:
        identity = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
        yield Cloud({**identity, "AWS_ENDPOINT_URL": str(target.aws_endpoint_url)}, variables)
    emulator.stop()


@pytest.fixture(scope="module")
def gcp(
    tmp_path_factory: pytest.TempPathFactory,
    serve_memorystore: Callable[..., contextlib.AbstractContextManager[Target]],
) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("gcp")
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(redis_with_tls(folder))
        certificate = (folder / "ca.pem").read_text()
        api = stack.enter_context(serve_memorystore(INSTANCE, "127.0.0.1", port, certificate, AUTH))
        stored = FeatureStore(FeatureStoreKind.REDIS, "features", REGION, INSTANCE, {})
        write_rows(stored, api, load_rows(), ttl_hours=1)
        yield Cloud({}, stack.enter_context(serving_variables(stored, api)))


@pytest.fixture
def copied_repository(tmp_path: Path) -> Callable[[], Path]:
    """Copies this project's model repository, to be changed."""
    return lambda: Path(shutil.copytree(REPOSITORY, tmp_path / "models"))


@contextlib.contextmanager
def running(command: list[object], log: Path, answers: Callable[[], object]) -> Iterator[None]:
    """A server for the length of a block; ready once `answers` raises nothing."""
    with log.open("wb") as out:
        process = subprocess.Popen([str(part) for part in command], stdout=out, stderr=subprocess.STDOUT)
    try:
        for _ in range(200):
            with contextlib.suppress(requests.RequestException, OSError):
                answers()
                break
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        yield
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def redis_with_tls(folder: Path) -> Iterator[int]:
    try:
        program = ensure_redis_server()
    except UserError as error:
        pytest.skip(f"no redis-server: {error.what}")
    write_certificates(folder)
    (port,) = free_ports(1)
    config = folder / "redis.conf"
    config.write_text(
        f"bind 127.0.0.1\nport 0\ntls-port {port}\ntls-auth-clients no\nsave ''\ndir {folder}\n"
        f"tls-cert-file {folder}/server.pem\ntls-key-file {folder}/server.key\ntls-ca-cert-file {folder}/ca.pem\n"
        f"requirepass {AUTH}\n"
    )
    with running(
        [program, config], folder / "redis.log", lambda: socket.create_connection(("127.0.0.1", port), 1).close()
    ):
        yield port


def write_certificates(folder: Path) -> None:
    """An authority of the instance's own and a server certificate that names no host, as Memorystore's."""
    now = datetime.now(UTC)

    def issue(
        name: str, key: ec.EllipticCurvePrivateKey, issuer: str, by: ec.EllipticCurvePrivateKey, ca: bool
    ) -> bytes:
        def named(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        builder = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if not ca:
            names = [x509.IPAddress(ip_address("10.9.8.7"))]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(by, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    (folder / "ca.pem").write_bytes(issue("authority", ca_key, "authority", ca_key, ca=True))
    (folder / "server.pem").write_bytes(issue("10.9.8.7", key, "authority", ca_key, ca=False))
    (folder / "server.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


@pytest.fixture(scope="module")
def aws_server(aws: Cloud, serving_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    with aws.server(serving_python, tmp_path_factory.mktemp("log") / "triton.log") as server:
        yield server


@pytest.fixture(scope="module")
def gcp_server(gcp: Cloud, serving_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    with gcp.server(serving_python, tmp_path_factory.mktemp("log") / "triton.log") as server:
        yield server


@pytest.fixture(params=["aws", "gcp"])
def server(request: pytest.FixtureRequest) -> TritonServer:
    """A server on each cloud in turn."""
    return request.getfixturevalue(f"{request.param}_server")
