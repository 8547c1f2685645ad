"""Rows in ElastiCache for Valkey, over TLS and with a token of the caller's own AWS identity.

The store lets in as its user for writing whom IAM lets connect as that user: on a machine in the stack's network,
with a role that has `elasticache:Connect` on the group and the user (ElastiCache guide, "Authenticating with IAM",
believed, 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlencode

import redis

from common.errors import UserError
from components.contracts import serving
from ops.features import resp
from ops.features.rows import Row
from ops.features.store import ByIdentity, FeatureStore

TOKEN_SECONDS: Final = 900
_TIMEOUT_S: Final = 10


class ValkeyRows(ByIdentity):
    """Implements `ops.features.store.Rows`, as the store's user that may write."""

    def __init__(self, store: FeatureStore) -> None:
        told = store.environment
        self._host, self._port = told[serving.FEATURES_HOST], int(told[serving.FEATURES_PORT])
        self._group, self._region, self._user = told[serving.FEATURES_GROUP], store.region, store.writer

    def read(self) -> dict[str, Row]:
        """By a scan of the keys with the rows' prefix."""
        with self._client() as client:
            return resp.read(client)

    def fetch(self, entities: Sequence[str]) -> dict[str, Row]:
        """By their keys; an expired row is gone."""
        with self._client() as client:
            return resp.fetch(client, entities)

    def write(self, rows: Mapping[str, Row]) -> None:
        """In one pipeline."""
        with self._client() as client:
            resp.write(client, rows)

    @contextmanager
    def _client(self) -> Iterator[redis.Redis]:
        client = redis.Redis(
            host=self._host,
            port=self._port,
            username=self._user,
            password=token(self._group, self._user, self._region),
            ssl=True,
            ssl_cert_reqs="required",
            ssl_check_hostname=True,
            socket_connect_timeout=_TIMEOUT_S,
            socket_timeout=_TIMEOUT_S,
        )
        with resp.told(client, f"{self._host}:{self._port}"):
            yield client


def token(group: str, user: str, region: str) -> str:
    """A password for ElastiCache: a presigned request that lives for 15 minutes.

    Raises:
        UserError: there are no AWS credentials to sign with.
    """
    # Imported here: botocore is slow to load, and few stacks have Valkey.
    import botocore.session
    from botocore.model import ServiceId
    from botocore.signers import RequestSigner

    session = botocore.session.get_session()
    credentials: Any = session.get_credentials()
    if credentials is None:
        raise UserError("there are no AWS credentials", f"feature store {group}", "Log in to AWS.")
    emitter = session.get_component("event_emitter")
    signer = RequestSigner(ServiceId("elasticache"), region, "elasticache", "v4", credentials, emitter)
    query = urlencode({"Action": "connect", "User": user})
    url = signer.generate_presigned_url(
        {"method": "GET", "url": f"https://{group}/?{query}", "body": {}, "headers": {}, "context": {}},
        operation_name="connect",
        expires_in=TOKEN_SECONDS,
        region_name=region,
    )
    return url.removeprefix("https://")
