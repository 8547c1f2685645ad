"""Rows in stores that speak Redis' protocol: the same keys and commands, however a client gets in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Final

import redis

from common.errors import UserError
from components.contracts import serving
from ops.features.rows import Row

SCAN_BATCH = 1000
NEVER: Final = -1
"""What EXPIRETIME says of a key without an expiry; in whole seconds otherwise (Redis 7.0 and Valkey on)."""
GONE: Final = -2
"""What it says of a key that is not there, as one that has expired since."""


def read(client: redis.Redis) -> dict[str, Row]:
    """Every row, by a scan of the keys with the rows' prefix."""
    found: dict[str, Row] = {}
    scanned = (_text(key) for key in client.scan_iter(f"{serving.ROW_KEY_PREFIX}*", count=SCAN_BATCH))
    while batch := [key.removeprefix(serving.ROW_KEY_PREFIX) for key in islice(scanned, SCAN_BATCH)]:
        found |= fetch(client, batch)
    return found


def fetch(client: redis.Redis, entities: Sequence[str]) -> dict[str, Row]:
    """The rows of these entities that are there."""
    keys = [f"{serving.ROW_KEY_PREFIX}{entity}" for entity in entities]
    if not keys:
        return {}
    with client.pipeline(transaction=False) as batch:
        batch.mget(keys)
        for key in keys:
            batch.expiretime(key)
        values, *expiries = batch.execute()
    rows = zip(entities, values, expiries, strict=True)
    return {
        entity: Row(_text(value), at if at != NEVER else None)
        for entity, value, at in rows
        if value is not None and at != GONE
    }


def write(client: redis.Redis, rows: Mapping[str, Row]) -> None:
    """Set rows in one pipeline, each with its expiry."""
    with client.pipeline(transaction=False) as batch:
        for entity, row in rows.items():
            batch.set(f"{serving.ROW_KEY_PREFIX}{entity}", row.features, exat=row.expires_at)
        batch.execute()


@contextmanager
def told(client: redis.Redis, where: str) -> Iterator[None]:
    """Close the client after the block, and tell its errors: what is not reached, and what is refused."""
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError) as error:
        if isinstance(error, redis.AuthenticationError):
            raise _refused(error, where) from error
        raise UserError(
            f"the feature store is not reached: {type(error).__name__}",
            where,
            "Run the command on a machine in the stack's network: the store has a private address, and nothing "
            "forwards it. Where it runs there, check that the stack is up.",
        ) from error
    except redis.RedisError as error:
        raise _refused(error, where) from error
    finally:
        client.close()


def _refused(error: Exception, where: str) -> UserError:
    return UserError(
        f"Redis refused: {type(error).__name__}",
        where,
        "Check that the stack is up and that the credentials may use its feature store.",
    )


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
