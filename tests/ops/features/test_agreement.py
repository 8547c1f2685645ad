"""What `ops` writes is what the serving image's lookup serves: its own writers, against moto and a real Redis."""

from __future__ import annotations

import importlib.util
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs

import boto3
import botocore.session
import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws
from redis.exceptions import NoPermissionError

from common.errors import UserError
from common.paths import repo_root
from common.target import REAL_CLOUD, Target
from components.aws.feature_store.valkey import READER, WRITER
from components.contracts import serving
from components.contracts.feature_store import FeatureStoreKind
from localcloud.processes.process import free_ports
from localcloud.toolchain import ensure_redis_server
from ops.features.rows import encode
from ops.features.store import FeatureStore, open_rows, serving_variables, write_rows

INSTANCE = "projects/p/locations/europe-west3/instances/features"
SECRET = "auth-of-this-test"
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
ENTITIES = st.text(min_size=1, max_size=20).filter(lambda entity: entity != serving.SELF_CHECK_ENTITY)
ROWS = st.dictionaries(ENTITIES, st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=5)
SLOWLY = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def image() -> ModuleType:
    """The lookup's module, which the image ships alone."""
    path = repo_root() / "serving_image" / "model_repository" / "feature_lookup" / "1" / "feature_store"
    spec = importlib.util.spec_from_file_location(
        "lookup_of_the_image", path / "__init__.py", submodule_search_locations=[str(path)]
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[FeatureStore]:
    """A DynamoDB table as the stack makes it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    with mock_aws():
        boto3.client("dynamodb", region_name="eu-central-1").create_table(
            TableName="t",
            KeySchema=[{"AttributeName": "entity_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "entity_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        variables = {serving.FEATURES_TABLE: "t", serving.FEATURES_REGION: "eu-central-1"}
        yield FeatureStore(FeatureStoreKind.DYNAMODB, "t", "eu-central-1", "t", variables)


@contextmanager
def redis_server(folder: Path, *access: str) -> Iterator[int]:
    """A Redis with TLS that lets in by `access`, options of its own; its port."""
    try:
        program = ensure_redis_server()
    except UserError as error:
        pytest.skip(f"no redis-server: {error.what}")
    request = "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -keyout key.pem -out ca.pem"
    request += " -addext subjectAltName=DNS:localhost"
    subprocess.run(["openssl", *request.split()], check=True, capture_output=True, cwd=folder)
    (port,) = free_ports(1)
    options = ["--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    options += ["--tls-cert-file", str(folder / "ca.pem"), "--tls-key-file", str(folder / "key.pem")]
    options += ["--tls-ca-cert-file", str(folder / "ca.pem"), "--tls-auth-clients", "no", *access]
    with subprocess.Popen([str(program), *options], stdout=subprocess.DEVNULL) as server:
        try:
            for _ in range(200):
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield port
        finally:
            server.kill()


@pytest.fixture(scope="module")
def memorystore(
    tmp_path_factory: pytest.TempPathFactory, serve_memorystore: Callable[..., AbstractContextManager[Target]]
) -> Iterator[tuple[FeatureStore, Target]]:
    """A Redis behind Memorystore's own two calls."""
    folder = tmp_path_factory.mktemp("redis")
    with redis_server(folder, "--requirepass", SECRET) as port:
        certificate = (folder / "ca.pem").read_text()
        with serve_memorystore(INSTANCE, "127.0.0.1", port, certificate, SECRET) as target:
            yield FeatureStore(FeatureStoreKind.REDIS, "features", "europe-west3", INSTANCE, {}), target


def served(image: Any, variables: Mapping[str, str], rows: Mapping[str, tuple[float, float]]) -> list[Any]:
    """What the image's lookup gives for the entities of `rows`, in order."""
    store = image.store_from_environment({**variables, serving.FEATURES_TIMEOUT_MS: "5000"})
    lookup = image.FeatureLookup(store, (0.0, 0.0), 5.0, print)
    try:
        return [(each.values, each.outcome) for each in lookup.lookup(list(rows))]
    finally:
        lookup.close()


def test_no_row_is_written_for_the_entity_that_servers_check_themselves_with(image: ModuleType) -> None:
    assert image.SELF_CHECK_ENTITY == serving.SELF_CHECK_ENTITY
    with pytest.raises(UserError, match="would never be served"):
        encode({"a": (1.0,), serving.SELF_CHECK_ENTITY: (1.0,)}, ttl_hours=1)


@SLOWLY
@given(rows=ROWS)
def test_rows_written_to_dynamodb_are_served_and_read_back(
    image: ModuleType, table: FeatureStore, rows: Mapping[str, tuple[float, float]]
) -> None:
    write_rows(table, REAL_CLOUD, rows, ttl_hours=1)
    assert served(image, {serving.FEATURES_KIND: "dynamodb", **table.environment}, rows) == [
        (values, "found") for values in rows.values()
    ]
    assert rows.keys() <= open_rows(table, REAL_CLOUD).read().keys(), "a drill compares all of them"
    found = open_rows(table, REAL_CLOUD).fetch([*rows, "nobody"])
    assert {entity: json.loads(row.features) for entity, row in found.items()} == {k: [*v] for k, v in rows.items()}
    assert all(row.expires_at for row in found.values())


@SLOWLY
@given(rows=ROWS)
def test_rows_written_to_memorystore_are_served_and_read_back(
    image: ModuleType, memorystore: tuple[FeatureStore, Target], rows: Mapping[str, tuple[float, float]]
) -> None:
    store, target = memorystore
    write_rows(store, target, rows, ttl_hours=1)
    with serving_variables(store, target) as variables:
        assert served(image, variables, rows) == [(values, "found") for values in rows.values()]
    assert rows.keys() <= open_rows(store, target).read().keys(), "a drill compares all of them"
    assert open_rows(store, target).fetch([*rows, "nobody"]).keys() == rows.keys()


VALKEY_USERS = tuple(f"--user reader >{SECRET} {READER} --user writer >{SECRET} {WRITER} --user default off".split())
"""The users of the stack, who have a password here: no Redis checks tokens of IAM."""


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """A Redis with TLS and the stack's users, as ElastiCache; its port, and its authority."""
    folder = tmp_path_factory.mktemp("valkey")
    with redis_server(folder, *VALKEY_USERS) as port:
        yield port, folder / "ca.pem"


def client_of(valkey: tuple[int, Path], user: str) -> redis.Redis:
    """A client with the user's password."""
    port, authority = valkey
    return redis.Redis("localhost", port, username=user, password=SECRET, ssl=True, ssl_ca_certs=str(authority))


@pytest.fixture
def valkey_variables(valkey: tuple[int, Path], monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """What the fleet is told, on a machine whose authorities vouch for the server."""
    monkeypatch.setenv("SSL_CERT_FILE", str(valkey[1]))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    return {
        serving.FEATURES_KIND: "valkey",
        serving.FEATURES_HOST: "localhost",
        serving.FEATURES_PORT: str(valkey[0]),
        serving.FEATURES_REGION: "eu-central-1",
        serving.FEATURES_GROUP: "seawall-dev-features",
        serving.FEATURES_USER: "reader",
    }


@SLOWLY
@given(rows=ROWS)
def test_rows_written_to_valkey_are_served(
    image: ModuleType,
    valkey: tuple[int, Path],
    valkey_variables: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    rows: Mapping[str, tuple[float, float]],
) -> None:
    monkeypatch.setattr(image.IamTokens, "get_credentials", lambda tokens: (tokens._user, SECRET))
    with client_of(valkey, "writer") as client:
        for entity, row in encode(rows, ttl_hours=1).items():
            client.set(f"{serving.ROW_KEY_PREFIX}{entity}", row.features, exat=row.expires_at)
    assert served(image, valkey_variables, rows) == [(values, "found") for values in rows.values()]


def test_the_fleets_user_of_valkey_reads_rows_and_nothing_else(valkey: tuple[int, Path]) -> None:
    with client_of(valkey, "reader") as client:
        for refused in (
            lambda: client.set(f"{serving.ROW_KEY_PREFIX}a", "[]"),
            lambda: client.mget(["other"]),
            lambda: client.execute_command("FLUSHALL"),
            lambda: client.execute_command("KEYS", "*"),
        ):
            with pytest.raises(NoPermissionError):
                refused()


@pytest.mark.parametrize("change", [{serving.FEATURES_HOST: "127.0.0.1"}, {}])
def test_valkey_is_not_trusted_by_another_name_nor_with_another_password(
    image: ModuleType, valkey_variables: Mapping[str, str], change: Mapping[str, str]
) -> None:
    """Here a token of IAM is a wrong password; by its address the server is somebody else."""
    assert served(image, {**valkey_variables, **change}, {"a": (1.0, 2.0)}) == [((0.0, 0.0), "error")]


def test_a_token_for_valkey_is_a_request_that_lives_for_a_quarter_of_an_hour(
    image: ModuleType, valkey_variables: Mapping[str, str]
) -> None:
    tokens = image.IamTokens("seawall-dev-features", "reader", "eu-central-1", botocore.session.get_session())
    user, token = tokens.get_credentials()
    address, _, query = token.partition("?")
    asked = {name: value for name, (value,) in parse_qs(query).items()}
    assert (user, address) == ("reader", "seawall-dev-features/")
    assert (asked["Action"], asked["User"], asked["X-Amz-Expires"]) == ("connect", "reader", "900")
    assert asked["X-Amz-Credential"].endswith("/eu-central-1/elasticache/aws4_request")
    assert asked["X-Amz-SignedHeaders"] == "host" and asked["X-Amz-Signature"]
