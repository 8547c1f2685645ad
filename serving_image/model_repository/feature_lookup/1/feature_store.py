"""Stored features by entity id: a database behind one interface, with a deadline and a stated fallback.

Needs only the standard library, and the client library of the store that the environment names:

| variable | store | meaning |
|---|---|---|
| `SEAWALL_FEATURES_KIND` | all | a key of `OPENERS` |
| `SEAWALL_FEATURES_TIMEOUT_MS` | all | longest wait for a batch of rows (default 50) |
| `SEAWALL_FEATURES_TABLE`, `SEAWALL_FEATURES_REGION` | dynamodb | the table and its region |
| `SEAWALL_FEATURES_PROJECT`, `SEAWALL_FEATURES_DATABASE` | firestore | the database and its project |
| `SEAWALL_FEATURES_PROJECT`, `SEAWALL_FEATURES_INSTANCE`, `SEAWALL_FEATURES_TABLE` | bigtable | the table |
| `SEAWALL_FEATURES_HOST`, `SEAWALL_FEATURES_PORT` | redis | the instance |
| `SEAWALL_FEATURES_HOST`, `SEAWALL_FEATURES_PORT` | valkey | the group's address |
| `SEAWALL_FEATURES_GROUP`, `SEAWALL_FEATURES_USER`, `SEAWALL_FEATURES_REGION` | valkey | what a token is made for |
| `SEAWALL_FEATURES_CA_FILE`, `SEAWALL_FEATURES_AUTH_FILE` | redis | files with its CA and its AUTH string |

A row is a JSON list of numbers, kept with its expiry where the kind keeps such things:

- DynamoDB: the item with the partition key `entity_id` has the string attribute `features`; the number attribute
  `expires_at` (seconds since 1970) is the table's TTL attribute.
- Redis and Valkey: the string under the key `features:<entity_id>`, with Redis' own expiry.
- Firestore: the document `features:<entity_id, percent-encoded>` in the collection `features` has the string field
  `features`; the timestamp field `expires_at` is the collection's TTL field.
- Bigtable: the row `<entity_id>` in UTF-8 has the cell `f:features`, and in `f:expires_at` the seconds since 1970 in
  digits; the family's garbage collection removes cells by their age.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import quote, urlencode

DEFAULT_TIMEOUT_MS = 50
MAX_CONCURRENT_READS = 4
"""Bounds the threads that a hanging store can hold; each ends with its socket's own timeout."""
BATCH_GET_LIMIT = 100
"""Most keys that DynamoDB takes in one BatchGetItem."""
REDIS_KEY_PREFIX = "features:"
FIRESTORE_COLLECTION = "features"

Outcome = Literal["found", "missing", "expired", "malformed", "timeout", "error"]
Source = Literal["store", "fallback"]


@dataclass(frozen=True)
class Row:
    """What a store holds for one entity; `expires_at` in seconds since 1970, None if it never expires."""

    features: str
    expires_at: float | None = None


class FeatureStore(Protocol):
    """Where rows are kept. `fetch` returns those that exist, and raises whatever its client raises."""

    def fetch(self, entity_ids: Sequence[str]) -> Mapping[str, Row]: ...


@dataclass(frozen=True)
class Features:
    """The features served for one entity, and how they came about."""

    values: tuple[float, ...]
    outcome: Outcome

    @property
    def source(self) -> Source:
        return "store" if self.outcome == "found" else "fallback"


class FeatureLookup:
    """Looks up batches of entities and never raises: a row that cannot be had is the fallback, and says so.

    Args:
        store: where rows are kept.
        fallback: served for an entity without a usable row; its length is the length of every row.
        timeout_s: longest time that `lookup` takes, whatever the store does.
        report: told the cause of each failed read, for the log; never told an entity id.
    """

    def __init__(
        self,
        store: FeatureStore,
        fallback: Sequence[float],
        timeout_s: float,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._fallback = tuple(fallback)
        self._timeout_s = timeout_s
        self._report = report
        self._threads = ThreadPoolExecutor(MAX_CONCURRENT_READS, thread_name_prefix="features")

    def lookup(self, entity_ids: Sequence[str]) -> list[Features]:
        """Features for each id, in order; equal ids are read once."""
        unique = list(dict.fromkeys(entity_ids))
        if not unique:
            return []
        read = self._threads.submit(self._store.fetch, unique)
        try:
            rows = read.result(self._timeout_s)
        except FutureTimeoutError:
            read.cancel()
            self._report(f"the feature store gave no answer within {self._timeout_s * 1000:.0f} ms")
            return [Features(self._fallback, "timeout")] * len(entity_ids)
        except Exception as error:  # whatever a client library raises, the answer is the same
            self._report(f"the feature store could not be read: {type(error).__name__}: {error}")
            return [Features(self._fallback, "error")] * len(entity_ids)
        now = time.time()
        judged = {entity: judge(rows.get(entity), len(self._fallback), now) for entity in unique}
        malformed = sum(1 for _, outcome in judged.values() if outcome == "malformed")
        if malformed:
            self._report(f"{malformed} of {len(unique)} rows are not lists of {len(self._fallback)} numbers")
        return [
            Features(values if values is not None else self._fallback, outcome)
            for values, outcome in (judged[entity] for entity in entity_ids)
        ]

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def judge(row: Row | None, length: int, now: float) -> tuple[tuple[float, ...] | None, Outcome]:
    """The row's numbers if it is usable at `now`, and what it was.

    An expired row counts as absent although it is there: DynamoDB may delete it days later.
    """
    if row is None:
        return None, "missing"
    if row.expires_at is not None and row.expires_at <= now:
        return None, "expired"
    try:
        numbers = json.loads(row.features)
    except (ValueError, RecursionError):
        return None, "malformed"
    if not isinstance(numbers, list) or len(numbers) != length:
        return None, "malformed"
    if not all(type(number) in (int, float) for number in numbers):
        return None, "malformed"
    try:
        values = tuple(float(number) for number in numbers)
    except OverflowError:
        return None, "malformed"
    if not all(math.isfinite(value) for value in values):
        return None, "malformed"
    return values, "found"


class DynamoDBStore:
    """Rows in a DynamoDB table; `client` is boto3's, made with timeouts and without retries."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def fetch(self, entity_ids: Sequence[str]) -> Mapping[str, Row]:
        rows: dict[str, Row] = {}
        for chunk in _chunks(entity_ids, BATCH_GET_LIMIT):
            request: Any = {
                self._table: {
                    "Keys": [{"entity_id": {"S": entity}} for entity in chunk],
                    "ProjectionExpression": "entity_id, features, expires_at",
                }
            }
            # Throttled keys come back unprocessed; the caller's deadline bounds this loop's use, and the
            # client's own timeout each turn of it.
            for attempt in range(3):
                if attempt:
                    time.sleep(0.01 * 2**attempt)
                answer = self._client.batch_get_item(RequestItems=request)
                for item in answer["Responses"].get(self._table, []):
                    rows[item["entity_id"]["S"]] = _dynamodb_row(item)
                request = answer.get("UnprocessedKeys")
                if not request:
                    break
            else:
                raise RuntimeError("throttled: the table left keys unprocessed")
        return rows


def _dynamodb_row(item: Mapping[str, Any]) -> Row:
    expires = item.get("expires_at", {}).get("N")
    return Row(item.get("features", {}).get("S", ""), float(expires) if expires is not None else None)


class RedisStore:
    """Rows in Redis; `client` is redis-py's, made with timeouts and without retries."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def fetch(self, entity_ids: Sequence[str]) -> Mapping[str, Row]:
        found = self._client.mget([REDIS_KEY_PREFIX + entity for entity in entity_ids])
        return {
            entity: Row(value.decode("utf-8", "replace"))
            for entity, value in zip(entity_ids, found, strict=True)
            if value is not None
        }


class IamTokens:
    """Passwords for ElastiCache, a new one for each connection: a presigned request that lives for 15 minutes.

    redis-py asks for credentials when it connects, so one that is long open needs no other; ElastiCache ends it after
    12 hours, and the next look-up connects again (its page "Authenticating with IAM", read 2026-11-21).
    """

    LIFETIME_S = 900

    def __init__(self, group: str, user: str, region: str, session: Any) -> None:
        self._group = group
        self._user = user
        self._region = region
        self._session = session

    def get_credentials(self) -> tuple[str, str]:
        """The user's name and a token.

        Raises:
            botocore.exceptions.BotoCoreError: there are no credentials to sign with.
        """
        from botocore.model import ServiceId  # only where the store is Valkey
        from botocore.signers import RequestSigner

        signer = RequestSigner(
            ServiceId("elasticache"),
            self._region,
            "elasticache",
            "v4",
            self._session.get_credentials(),
            self._session.get_component("event_emitter"),
        )
        query = urlencode({"Action": "connect", "User": self._user})
        url = signer.generate_presigned_url(
            {"method": "GET", "url": f"https://{self._group}/?{query}", "body": {}, "headers": {}, "context": {}},
            operation_name="connect",
            expires_in=self.LIFETIME_S,
            region_name=self._region,
        )
        return self._user, url.removeprefix("https://")


class FirestoreStore:
    """Rows in Firestore; `client` is google-cloud-firestore's."""

    def __init__(self, client: Any, wait_s: float) -> None:
        self._client = client
        self._wait_s = wait_s

    def fetch(self, entity_ids: Sequence[str]) -> Mapping[str, Row]:
        collection = self._client.collection(FIRESTORE_COLLECTION)
        names = {firestore_document(entity): entity for entity in entity_ids}
        found = self._client.get_all([collection.document(name) for name in names], retry=None, timeout=self._wait_s)
        return {names[document.id]: _firestore_row(document) for document in found if document.exists}


def firestore_document(entity_id: str) -> str:
    """A document's name, which Firestore wants without a slash, and not as `.`, `..` or `__x__`."""
    return f"features:{quote(entity_id, safe='')}"


def _firestore_row(document: Any) -> Row:
    fields = document.to_dict()
    features, expires = fields.get("features"), fields.get("expires_at")
    return Row(
        features if isinstance(features, str) else "",
        expires.timestamp() if hasattr(expires, "timestamp") else None,
    )


class BigtableStore:
    """Rows in Bigtable; `table` is the data client's."""

    def __init__(self, table: Any, wait_s: float) -> None:
        self._table = table
        self._wait_s = wait_s

    def fetch(self, entity_ids: Sequence[str]) -> Mapping[str, Row]:
        from google.cloud.bigtable.data import ReadRowsQuery  # pyright: ignore[reportMissingImports]

        keys = [entity.encode() for entity in entity_ids]
        found = self._table.read_rows(
            ReadRowsQuery(row_keys=keys), operation_timeout=self._wait_s, attempt_timeout=self._wait_s
        )
        return {row.row_key.decode(): _bigtable_row(row) for row in found}


def _bigtable_row(row: Any) -> Row:
    cells = {cell.qualifier: cell.value for cell in reversed(row.get_cells("f"))}
    features, expires = cells.get(b"features", b""), cells.get(b"expires_at")
    return Row(features.decode("utf-8", "replace"), float(expires) if expires is not None else None)


def timeout_s(environment: Mapping[str, str]) -> float:
    """The deadline of a batch, in seconds.

    Raises:
        ValueError: it is not a positive number.
    """
    text = environment.get("SEAWALL_FEATURES_TIMEOUT_MS", str(DEFAULT_TIMEOUT_MS))
    try:
        milliseconds = float(text)
    except ValueError:
        milliseconds = math.nan
    if not 0 < milliseconds < math.inf:
        raise ValueError(f"SEAWALL_FEATURES_TIMEOUT_MS is {text!r}; it must be a positive number of milliseconds")
    return milliseconds / 1000


def store_from_environment(environment: Mapping[str, str]) -> FeatureStore:
    """The store that the environment names. Connects to nothing: a store that is down must not stop a start.

    Raises:
        ValueError: a variable is missing or wrong. A fleet that is set up wrongly must not become ready.
    """
    kind = environment.get("SEAWALL_FEATURES_KIND", "")
    if kind not in OPENERS:
        raise ValueError(f"SEAWALL_FEATURES_KIND is {kind!r}; it must be one of {', '.join(sorted(OPENERS))}")
    return OPENERS[kind](environment, timeout_s(environment))


def _open_dynamodb(environment: Mapping[str, str], wait_s: float) -> FeatureStore:
    client = _dynamodb_client(_required(environment, "SEAWALL_FEATURES_REGION"), wait_s)
    return DynamoDBStore(client, _required(environment, "SEAWALL_FEATURES_TABLE"))


def _open_redis(environment: Mapping[str, str], wait_s: float) -> FeatureStore:
    ca_file = _required_file(environment, "SEAWALL_FEATURES_CA_FILE")
    auth_file = _required_file(environment, "SEAWALL_FEATURES_AUTH_FILE")
    return RedisStore(
        _redis_client(
            _required(environment, "SEAWALL_FEATURES_HOST"),
            _required_number(environment, "SEAWALL_FEATURES_PORT"),
            wait_s,
            {
                "password": auth_file.read_text(encoding="utf-8").strip(),
                "ssl_ca_certs": str(ca_file),
                # Memorystore's certificates name no host, but each instance has a certificate authority of its own,
                # so the chain alone says that this is the instance.
                "ssl_check_hostname": False,
            },
        )
    )


def _open_valkey(environment: Mapping[str, str], wait_s: float) -> FeatureStore:
    import botocore.session  # only where the store is Valkey

    tokens: Any = IamTokens(
        _required(environment, "SEAWALL_FEATURES_GROUP"),
        _required(environment, "SEAWALL_FEATURES_USER"),
        _required(environment, "SEAWALL_FEATURES_REGION"),
        botocore.session.get_session(),
    )
    return RedisStore(
        _redis_client(
            _required(environment, "SEAWALL_FEATURES_HOST"),
            _required_number(environment, "SEAWALL_FEATURES_PORT"),
            wait_s,
            # The system's authorities vouch for the certificate, so its name must be the host's.
            {"credential_provider": tokens, "ssl_check_hostname": True},
        )
    )


def _open_firestore(environment: Mapping[str, str], wait_s: float) -> FeatureStore:
    # Only where the store is Firestore; not in the environment that checks types.
    from google.cloud import firestore  # pyright: ignore[reportAttributeAccessIssue]

    client = firestore.Client(
        project=_required(environment, "SEAWALL_FEATURES_PROJECT"),
        database=_required(environment, "SEAWALL_FEATURES_DATABASE"),
    )
    return FirestoreStore(client, wait_s)


def _open_bigtable(environment: Mapping[str, str], wait_s: float) -> FeatureStore:
    # Only where the store is Bigtable; not in the environment that checks types.
    from google.cloud.bigtable.data import BigtableDataClient  # pyright: ignore[reportMissingImports]

    client = BigtableDataClient(project=_required(environment, "SEAWALL_FEATURES_PROJECT"))
    table = client.get_table(
        _required(environment, "SEAWALL_FEATURES_INSTANCE"), _required(environment, "SEAWALL_FEATURES_TABLE")
    )
    return BigtableStore(table, wait_s)


OPENERS: Mapping[str, Callable[[Mapping[str, str], float], FeatureStore]] = {
    "bigtable": _open_bigtable,
    "dynamodb": _open_dynamodb,
    "firestore": _open_firestore,
    "redis": _open_redis,
    "valkey": _open_valkey,
}
"""Kind → what opens it, given the environment and the longest wait in seconds."""


def _dynamodb_client(region: str, wait_s: float) -> Any:
    import boto3  # only where the store is DynamoDB
    from botocore.config import Config

    return boto3.client(
        "dynamodb",
        region_name=region,
        config=Config(
            connect_timeout=wait_s,
            read_timeout=wait_s,
            retries={"total_max_attempts": 1},
            max_pool_connections=MAX_CONCURRENT_READS,
        ),
    )


def _redis_client(host: str, port: int, wait_s: float, trust: Mapping[str, Any]) -> Any:
    """A client over TLS; `trust` says how each end knows the other."""
    import redis  # only where the store speaks Redis' protocol
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return redis.Redis(
        host=host,
        port=port,
        ssl=True,
        ssl_cert_reqs="required",
        **trust,
        socket_connect_timeout=wait_s,
        socket_timeout=wait_s,
        # A connection that the server closed while idle costs one reconnect, not a fallback.
        retry=Retry(NoBackoff(), 1),
        health_check_interval=30,
    )


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise ValueError(f"{name} is not set; see the table at the top of {Path(__file__).name}")
    return value


def _required_number(environment: Mapping[str, str], name: str) -> int:
    text = _required(environment, name)
    if not text.isdigit():
        raise ValueError(f"{name} is {text!r}; it must be a number")
    return int(text)


def _required_file(environment: Mapping[str, str], name: str) -> Path:
    path = Path(_required(environment, name))
    if not path.is_file():
        raise ValueError(f"{name} is {str(path)!r}, which is not a file")
    return path


def _chunks(entity_ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(entity_ids), size):
        yield entity_ids[start : start + size]
