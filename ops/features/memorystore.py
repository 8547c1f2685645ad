"""Rows in Memorystore for Redis, over TLS and with its AUTH string."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis

from common.errors import UserError
from common.gcp_api import GcpApi
from common.target import Target
from components.contracts import serving
from ops.features import resp
from ops.features.rows import Row
from ops.features.store import FeatureStore

_TIMEOUT_S = 10


@dataclass(frozen=True)
class Access:
    """How to reach an instance."""

    host: str
    port: int
    ca_certificate: str = field(repr=False)
    """PEM."""
    auth: str = field(repr=False)


def ask_access(instance_id: str, target: Target) -> Access:
    """Ask Memorystore how `projects/P/locations/L/instances/I` is reached.

    Raises:
        UserError: there is no such instance, or the caller may not ask.
    """
    api = GcpApi(target, instance_id.partition("projects/")[2].partition("/")[0])
    instance = api.get("redis", f"v1/{instance_id}")
    certificates = [str(each.get("cert", "")) for each in instance.get("serverCaCerts", [])]
    auth = api.get("redis", f"v1/{instance_id}/authString").get("authString", "")
    address = target.resolve(instance.get("host", ""), int(instance.get("port", 0)))
    if address.ca_file:
        certificates = [Path(address.ca_file).read_text(encoding="utf-8")]
    if not certificates or not auth:
        raise UserError(
            "the Redis instance has no TLS or no AUTH", instance_id, "Switch both on; Seawall's own stacks do."
        )
    return Access(address.host, address.port, "\n".join(certificates), auth)


class MemorystoreRows:
    """Implements `ops.features.store.Rows`."""

    def __init__(self, store: FeatureStore, target: Target) -> None:
        self._access = ask_access(store.id, target)

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

    def variables(self) -> Mapping[str, str]:
        """The address as it is from here."""
        return {serving.FEATURES_HOST: self._access.host, serving.FEATURES_PORT: str(self._access.port)}

    def secret_files(self) -> Mapping[str, str]:
        """The CA and the AUTH string."""
        return {
            serving.FEATURES_CA_FILE: self._access.ca_certificate,
            serving.FEATURES_AUTH_FILE: self._access.auth,
        }

    @contextmanager
    def _client(self) -> Iterator[redis.Redis]:
        client = redis.Redis(
            host=self._access.host,
            port=self._access.port,
            password=self._access.auth,
            ssl=True,
            ssl_ca_data=self._access.ca_certificate,
            ssl_cert_reqs="required",
            # As in the serving image: the instance's own authority vouches for it, its certificate names no host.
            ssl_check_hostname=False,
            ssl_min_version=ssl.TLSVersion.TLSv1_2,
            socket_connect_timeout=_TIMEOUT_S,
            socket_timeout=_TIMEOUT_S,
        )
        with resp.told(client, f"{self._access.host}:{self._access.port}"):
            yield client
