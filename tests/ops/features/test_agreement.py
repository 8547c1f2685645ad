"""What `ops` writes is what the serving image's lookup serves: its own writers, against moto and a real Redis."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from common.errors import UserError
from common.paths import repo_root
from common.target import REAL_CLOUD, Target
from components.contracts import serving
from components.contracts.feature_store import FeatureStoreKind
from localcloud.toolchain import ensure_redis_server
from ops.features.store import FeatureStore, open_rows, serving_variables, write_rows

INSTANCE = "projects/p/locations/europe-west3/instances/features"
SECRET = "auth-of-this-test"
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
ROWS = st.dictionaries(st.text(min_size=1, max_size=20), st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=5)
SLOWLY = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def image() -> ModuleType:
    """The lookup's module, which the image ships alone."""
    path = repo_root() / "serving_image" / "model_repository" / "feature_lookup" / "1" / "feature_store.py"
    spec = importlib.util.spec_from_file_location("lookup_of_the_image", path)
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
def redis_server(folder: Path) -> Iterator[int]:
    """A Redis with TLS and AUTH, as Memorystore; its port."""
    try:
        program = ensure_redis_server()
    except UserError as error:
        pytest.skip(f"no redis-server: {error.what}")
    request = "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=features -keyout key.pem -out ca.pem"
    subprocess.run(["openssl", *request.split()], check=True, capture_output=True, cwd=folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    options += ["--tls-cert-file", str(folder / "ca.pem"), "--tls-key-file", str(folder / "key.pem")]
    options += ["--tls-ca-cert-file", str(folder / "ca.pem"), "--tls-auth-clients", "no", "--requirepass", SECRET]
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
    with redis_server(folder) as port:
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
