"""The feature store of a stack: what the serving container is told of it, and rows written into it."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from common.errors import UserError
from common.gcp_api import GcpApi
from common.paths import repo_root
from common.target import Target
from components.contracts import serving
from stacks.outputs import StackOutputs

if TYPE_CHECKING:
    import redis

REDIS_KEY_PREFIX = "features:"
LOCAL_TIMEOUT_MS = 1000
"""What a lookup may take on this machine. An emulated store is some ten times slower than a real one."""
_TIMEOUT_S = 10
_REMEDY = "check that the stack is up and that the credentials may use its feature store"


@dataclass(frozen=True)
class FeatureCache:
    """A stack's feature store, as its output `features` describes it."""

    kind: Literal["dynamodb", "redis"]
    name: str
    """The table; on Google Cloud the instance."""
    region: str
    id: str = ""
    """On Google Cloud `projects/P/locations/L/instances/I`."""
    host: str = ""
    port: int = 0


def cache_from_outputs(outputs: StackOutputs) -> FeatureCache:
    """The feature store of a stack's outputs."""
    found = outputs.features
    return FeatureCache(found.kind, found.name, found.region, found.id, found.host or "", found.port or 0)


@contextmanager
def serving_variables(
    cache: FeatureCache, target: Target, timeout_ms: int = LOCAL_TIMEOUT_MS
) -> Iterator[dict[str, str]]:
    """The `SEAWALL_FEATURES_…` variables for a server on this machine, for the length of a block.

    Secrets are files in a private folder, as in a pod; the folder goes when the block ends.

    Raises:
        UserError: the store's address or its AUTH string cannot be had.
    """
    common = {serving.FEATURES_KIND: cache.kind, serving.FEATURES_TIMEOUT_MS: str(timeout_ms)}
    if cache.kind == "dynamodb":
        yield common | {serving.FEATURES_TABLE: cache.name, serving.FEATURES_REGION: cache.region}
        return
    access = redis_access(cache, target)
    with tempfile.TemporaryDirectory(prefix="seawall-features-") as folder:
        ca_file, auth_file = Path(folder, "ca.pem"), Path(folder, "auth")
        for file, content in ((ca_file, access.ca_certificate), (auth_file, access.auth)):
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
                out.write(content)
        yield common | {
            serving.FEATURES_HOST: access.host,
            serving.FEATURES_PORT: str(access.port),
            serving.FEATURES_CA_FILE: str(ca_file),
            serving.FEATURES_AUTH_FILE: str(auth_file),
        }


def features_file() -> Path:
    """The rows that the training script wrote: the entities of the golden predictions."""
    return repo_root() / "serving_image" / "features" / "held_out.json"


def load_rows(path: Path | None = None) -> dict[str, tuple[float, ...]]:
    """Rows by entity id.

    Raises:
        UserError: the file is missing or truncated.
    """
    path = path or features_file()
    try:
        entities = json.loads(path.read_text(encoding="utf-8"))["entities"]
        return {str(entity): tuple(float(value) for value in row) for entity, row in entities.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"the feature rows cannot be read: {type(error).__name__}: {error}",
            str(path),
            "write them anew with serving_image/train.py, or restore the file from version control",
        ) from error


def write_rows(
    cache: FeatureCache, target: Target, rows: Mapping[str, Sequence[float]], ttl_hours: float | None = None
) -> int:
    """Writes rows, over older ones of the same entities; returns how many.

    Args:
        ttl_hours: after which they expire; None: never.

    Raises:
        UserError: the store cannot be reached or refuses them.
    """
    encoded = {entity: json.dumps(list(row)) for entity, row in rows.items()}
    if cache.kind == "dynamodb":
        _write_dynamodb(cache, target, encoded, ttl_hours)
    else:
        write_redis(cache, target, encoded, ttl_hours)
    return len(encoded)


def _write_dynamodb(cache: FeatureCache, target: Target, rows: Mapping[str, str], ttl_hours: float | None) -> None:
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    from common.aws_api import aws_session  # slow to import, and not needed on the other cloud

    expiry = {} if ttl_hours is None else {"expires_at": int(time.time() + ttl_hours * 3600)}
    resource: Any = aws_session(target).resource(
        "dynamodb",
        region_name=cache.region,
        endpoint_url=target.aws_endpoint_url,
        config=Config(connect_timeout=_TIMEOUT_S, read_timeout=_TIMEOUT_S, retries={"mode": "standard"}),
    )
    try:
        with resource.Table(cache.name).batch_writer() as batch:
            for entity, features in rows.items():
                batch.put_item(Item={"entity_id": entity, "features": features, **expiry})
    except (BotoCoreError, ClientError) as error:
        raise UserError(f"DynamoDB did not take the rows: {error}", f"table {cache.name}", _REMEDY) from error


@dataclass(frozen=True)
class RedisAccess:
    """How to reach a Redis instance. Holds a secret: never print it."""

    host: str
    port: int
    ca_certificate: str
    """PEM."""
    auth: str

    def __repr__(self) -> str:
        return f"RedisAccess({self.host}:{self.port})"


def redis_access(cache: FeatureCache, target: Target) -> RedisAccess:
    """Asks Memorystore for the instance's certificate authorities and AUTH string.

    Raises:
        UserError: there is no such instance, or the caller may not ask.
    """
    api = GcpApi(target, cache.id.partition("projects/")[2].partition("/")[0])
    instance = api.get("redis", f"v1/{cache.id}")
    certificates = [str(each.get("cert", "")) for each in instance.get("serverCaCerts", [])]
    auth = api.get("redis", f"v1/{cache.id}/authString").get("authString", "")
    host, port = cache.host or instance.get("host", ""), cache.port or int(instance.get("port", 0))
    address = target.resolve(host, port)
    if address.ca_file:
        certificates = [Path(address.ca_file).read_text(encoding="utf-8")]
    if not certificates or not auth:
        raise UserError(
            "the Redis instance has no TLS or no AUTH", cache.id, "switch both on; Seawall's own stacks do"
        )
    return RedisAccess(address.host, address.port, "\n".join(certificates), auth)


@contextmanager
def redis_client(cache: FeatureCache, target: Target) -> Iterator[redis.Redis]:
    """A connection to a Redis feature store, over TLS and with its AUTH string.

    Raises:
        UserError: the instance does not answer, or refuses a command of the block.
    """
    import ssl

    import redis  # slow to import, and not needed on the other cloud

    access = redis_access(cache, target)
    client = redis.Redis(
        host=access.host,
        port=access.port,
        password=access.auth,
        ssl=True,
        ssl_ca_data=access.ca_certificate,
        ssl_cert_reqs="required",
        # As in the serving image: the instance's own authority vouches for it, its certificate names no host.
        ssl_check_hostname=False,
        ssl_min_version=ssl.TLSVersion.TLSv1_2,
        socket_connect_timeout=_TIMEOUT_S,
        socket_timeout=_TIMEOUT_S,
    )
    try:
        yield client
    except redis.RedisError as error:
        raise UserError(f"Redis refused: {type(error).__name__}", f"{access.host}:{access.port}", _REMEDY) from error
    finally:
        client.close()


def write_redis(cache: FeatureCache, target: Target, rows: Mapping[str, str], ttl_hours: float | None) -> None:
    expiry = None if ttl_hours is None else int(ttl_hours * 3600)
    with redis_client(cache, target) as client, client.pipeline(transaction=False) as batch:
        for entity, features in rows.items():
            batch.set(f"{REDIS_KEY_PREFIX}{entity}", features, ex=expiry)
        batch.execute()
