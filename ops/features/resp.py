"""Rows in stores that speak Redis' protocol: the same keys and commands, however a client gets in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import redis

from common.errors import UserError
from components.contracts import serving
from ops.features.rows import Row

SCAN_BATCH = 1000


def read(client: redis.Redis) -> dict[str, str]:
    """Every row, by a scan of the keys with the rows' prefix."""
    keys = [_text(key) for key in client.scan_iter(f"{serving.ROW_KEY_PREFIX}*", count=SCAN_BATCH)]
    values: Any = client.mget(keys) if keys else []
    rows = zip(keys, values, strict=True)
    return {key.removeprefix(serving.ROW_KEY_PREFIX): _text(value) for key, value in rows if value is not None}


def fetch(client: redis.Redis, entities: Sequence[str]) -> dict[str, Row]:
    """The rows of these entities that are there."""
    values: Any = client.mget([f"{serving.ROW_KEY_PREFIX}{entity}" for entity in entities]) if entities else []
    return {entity: Row(_text(value)) for entity, value in zip(entities, values, strict=True) if value is not None}


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
