"""Rows in what speaks Redis' protocol: Memorystore with a password, ElastiCache with tokens of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from .environment import freshness, required, required_file, required_number
from .rows import FeatureStore, Row

REDIS_KEY_PREFIX = "features:"


class RedisStore:
    """Rows in Redis; `client` is redis-py's, made with timeouts and without retries.

    `with_expiry` asks for what is left of each row's life in the same round trip; a user who may not ask that gets
    the rows without.
    """

    def __init__(self, client: Any, *, with_expiry: bool = False) -> None:
        self._client = client
        self._with_expiry = with_expiry

    def fetch(self, entity_ids: Sequence[str]) -> Mapping[str, Row]:
        keys = [REDIS_KEY_PREFIX + entity for entity in entity_ids]
        left: Sequence[Any] = [None] * len(keys)
        if self._with_expiry:
            batch = self._client.pipeline(transaction=False)
            batch.mget(keys)
            for key in keys:
                batch.pttl(key)
            found, *left = batch.execute(raise_on_error=False)
            if isinstance(found, Exception):
                raise found
        else:
            found = self._client.mget(keys)
        now = time.time()
        return {
            entity: Row(
                value.decode("utf-8", "replace"), now + ms / 1000 if isinstance(ms, int) and ms >= 0 else None
            )
            for entity, value, ms in zip(entity_ids, found, left, strict=True)
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


def open_redis(environment: Mapping[str, str], wait_s: float) -> FeatureStore:
    ca_file = required_file(environment, "SEAWALL_FEATURES_CA_FILE")
    auth_file = required_file(environment, "SEAWALL_FEATURES_AUTH_FILE")
    return RedisStore(
        _redis_client(
            required(environment, "SEAWALL_FEATURES_HOST"),
            required_number(environment, "SEAWALL_FEATURES_PORT"),
            wait_s,
            {
                "password": auth_file.read_text(encoding="utf-8").strip(),
                "ssl_ca_certs": str(ca_file),
                # Memorystore's certificates name no host, but each instance has a certificate authority of its own,
                # so the chain alone says that this is the instance.
                "ssl_check_hostname": False,
            },
        ),
        with_expiry=freshness(environment).lifetime_s is not None,
    )


def open_valkey(environment: Mapping[str, str], wait_s: float) -> FeatureStore:
    import botocore.session  # only where the store is Valkey

    tokens: Any = IamTokens(
        required(environment, "SEAWALL_FEATURES_GROUP"),
        required(environment, "SEAWALL_FEATURES_USER"),
        required(environment, "SEAWALL_FEATURES_REGION"),
        botocore.session.get_session(),
    )
    return RedisStore(
        _redis_client(
            required(environment, "SEAWALL_FEATURES_HOST"),
            required_number(environment, "SEAWALL_FEATURES_PORT"),
            wait_s,
            # The system's authorities vouch for the certificate, so its name must be the host's.
            {"credential_provider": tokens, "ssl_check_hostname": True},
        ),
        with_expiry=freshness(environment).lifetime_s is not None,
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
