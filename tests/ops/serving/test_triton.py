"""A real Triton serves this project's own model repository, with both clouds' feature stores."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
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
from localcloud.toolchain import ensure_redis_server
from localcloud.triton.server import SHARED_MEMORY, TritonServer
from ops.features.rows import load_rows
from ops.features.store import FeatureStore, serving_variables, write_rows
from ops.serving.golden import GoldenSet, ask_grpc, ask_http, judge, load_golden

# One worker runs them all: a server is started once for the tests that only ask it.
pytestmark = [pytest.mark.triton, pytest.mark.xdist_group("triton")]

REGION = "eu-central-1"
REPOSITORY = repo_root() / "serving_image" / "model_repository"
INSTANCE = "projects/p/locations/europe-west3/instances/features"
AUTH = "a-secret-of-this-test"


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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


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
    port = free_port()
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


@pytest.fixture(scope="module")
def goldens() -> GoldenSet:
    return load_golden()


def test_golden_predictions_come_back_over_http(server: TritonServer, goldens: GoldenSet) -> None:
    result = judge("http", goldens, ask_http(server.http_url, goldens))
    assert result.mismatches == ()


def test_golden_predictions_come_back_over_grpc(
    server: TritonServer, goldens: GoldenSet, serving_python: Path
) -> None:
    result = judge("grpc", goldens, ask_grpc(server.grpc_address, goldens, serving_python))
    assert result.mismatches == ()


def test_a_row_that_cannot_be_judged_is_refused_by_name(server: TritonServer) -> None:
    answer = infer(server, "patient-0000", [-1.0] * 10)
    assert answer.status_code == 400
    assert "measurements must be finite and not negative" in answer.json()["error"]


def test_an_entity_without_a_name_is_refused(server: TritonServer) -> None:
    assert infer(server, "  ", [1.0] * 10).status_code == 400


def test_an_unknown_entity_is_answered_and_marked(server: TritonServer) -> None:
    answer = infer(server, "nobody", [1.0] * 10)
    outputs = {output["name"]: output["data"][0] for output in answer.json()["outputs"]}
    assert outputs["features_source"] == "fallback"


def test_the_metrics_count_lookups_and_pending_requests(server: TritonServer) -> None:
    before = lookups(server)
    infer(server, "nobody-at-all", [1.0] * 10)
    deadline = time.monotonic() + 10  # Triton refreshes its page every two seconds
    while lookups(server)["missing"] <= before["missing"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert metric(server, "nv_inference_pending_request_count", "model")["feature_lookup"] == 0


def test_without_its_store_the_fleet_answers_and_no_golden_passes(
    aws: Cloud, serving_python: Path, goldens: GoldenSet, tmp_path: Path
) -> None:
    dead = {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9"}  # the discard port: nothing listens there
    few = replace(goldens, predictions=goldens.predictions[:5])
    with aws.server(serving_python, tmp_path / "log", REPOSITORY, **dead) as server:
        result = judge("http", few, ask_http(server.http_url, few))
    assert result.errors == 0
    assert {mismatch.reason for mismatch in result.mismatches} == {
        "features came from 'fallback', not from the store"
    }
    assert len(result.mismatches) == 5


def test_a_damaged_model_stops_the_start_and_is_named(aws: Cloud, serving_python: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(REPOSITORY, damaged)
    (model,) = damaged.rglob("model.onnx")
    model.write_bytes(model.read_bytes()[:100])
    with pytest.raises(UserError, match="classifier"), aws.server(serving_python, tmp_path / "log", damaged):
        pass


def test_a_fleet_that_is_set_up_wrongly_does_not_become_ready(
    aws: Cloud, serving_python: Path, tmp_path: Path
) -> None:
    with (
        pytest.raises(UserError, match="SEAWALL_FEATURES_TABLE is not set"),
        aws.server(serving_python, tmp_path / "log", SEAWALL_FEATURES_TABLE=""),
    ):
        pass


def test_a_server_that_is_killed_takes_everything_with_it(aws: Cloud, serving_python: Path, tmp_path: Path) -> None:
    parent = """
import json, os, signal, sys, time
from pathlib import Path
from localcloud.triton.server import TritonServer
job = json.loads(sys.argv[1])
folder, python, log = Path(job["folder"]), Path(job["python"]), Path(job["log"])
with TritonServer(folder, python, job["features"], log=log, identity=job["identity"]):
    print([str(p) for p in Path("/dev/shm").glob("seawall-*")] and "ready", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    own_tmp = tmp_path / "tmp"
    own_tmp.mkdir()
    before = set(SHARED_MEMORY.glob("seawall-*"))
    job = {
        "folder": str(REPOSITORY),
        "identity": aws.identity,
        "python": str(serving_python),
        "features": aws.features,
        "log": str(tmp_path / "log"),
    }
    run = subprocess.run(
        [sys.executable, "-c", parent, json.dumps(job)],
        capture_output=True,
        text=True,
        timeout=180,
        env={**os.environ, "TMPDIR": str(own_tmp)},
    )
    assert run.stdout.strip() == "ready", run.stderr
    deadline = time.monotonic() + 20
    while left := [*own_tmp.glob("seawall-*"), *(set(SHARED_MEMORY.glob("seawall-*")) - before)]:
        assert time.monotonic() < deadline, f"left behind: {left}"
        time.sleep(0.1)


def infer(server: TritonServer, entity: str, measurements: list[float]) -> requests.Response:
    return requests.post(
        f"{server.http_url}/v2/models/tumour_risk/infer",
        json={
            "inputs": [
                {"name": "entity_id", "datatype": "BYTES", "shape": [1, 1], "data": [entity]},
                {"name": "measurements", "datatype": "FP32", "shape": [1, 10], "data": measurements},
            ]
        },
        timeout=10,
    )


def lookups(server: TritonServer) -> dict[str, float]:
    return metric(server, "seawall_feature_lookups_total", "outcome")


def metric(server: TritonServer, name: str, label: str) -> dict[str, float]:
    """A metric of the server's page, summed for each value of a label."""
    sums: dict[str, float] = {}
    page = requests.get(server.metrics_url, timeout=5).text
    for value, number in re.findall(rf'^{name}{{.*?\b{label}="([^"]*)".*}} (\S+)$', page, re.MULTILINE):
        sums[value] = sums.get(value, 0.0) + float(number)
    return sums
