"""Stored features by entity id: a database behind one interface, with a deadline and a stated fallback.

Needs only the standard library, and the client library of the store that the environment names:

| variable | store | meaning |
|---|---|---|
| `SEAWALL_FEATURES_KIND` | all | a key of `OPENERS` |
| `SEAWALL_FEATURES_TIMEOUT_MS` | all | longest wait for a batch of rows (default 50) |
| `SEAWALL_FEATURES_TTL_HOURS` | all | how long rows live once written: with their expiry it tells their age |
| `SEAWALL_FEATURES_STALE_HOURS` | all | age from which a row is served as stale; needs the former |
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

from collections.abc import Callable, Mapping

from .bigtable import open_bigtable
from .dynamodb import DynamoDBStore, open_dynamodb
from .environment import freshness, timeout_s
from .firestore import FIRESTORE_COLLECTION, FirestoreStore, open_firestore
from .lookup import MAX_CONCURRENT_READS, FeatureLookup
from .redis_protocol import IamTokens, RedisStore, open_redis, open_valkey
from .rows import OUTCOMES, SELF_CHECK_ENTITY, Features, FeatureStore, Freshness, Row, judge

__all__ = [
    "FIRESTORE_COLLECTION",
    "MAX_CONCURRENT_READS",
    "OPENERS",
    "OUTCOMES",
    "SELF_CHECK_ENTITY",
    "DynamoDBStore",
    "FeatureLookup",
    "FeatureStore",
    "Features",
    "FirestoreStore",
    "Freshness",
    "IamTokens",
    "RedisStore",
    "Row",
    "freshness",
    "judge",
    "store_from_environment",
    "timeout_s",
]

OPENERS: Mapping[str, Callable[[Mapping[str, str], float], FeatureStore]] = {
    "bigtable": open_bigtable,
    "dynamodb": open_dynamodb,
    "firestore": open_firestore,
    "redis": open_redis,
    "valkey": open_valkey,
}
"""Kind → what opens it, given the environment and the longest wait in seconds."""


def store_from_environment(environment: Mapping[str, str]) -> FeatureStore:
    """The store that the environment names. Connects to nothing: a store that is down must not stop a start.

    Raises:
        ValueError: a variable is missing or wrong. A fleet that is set up wrongly must not become ready.
    """
    kind = environment.get("SEAWALL_FEATURES_KIND", "")
    if kind not in OPENERS:
        raise ValueError(f"SEAWALL_FEATURES_KIND is {kind!r}; it must be one of {', '.join(sorted(OPENERS))}")
    return OPENERS[kind](environment, timeout_s(environment))
