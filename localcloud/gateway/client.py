"""How a client of a service reaches the door here: at loopback, by the service's own name."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter

_CONNECTIONS: Final = 32


class _ByName(HTTPAdapter):
    """Connects to the address of the URL, and asks for the service's name in TLS."""

    def __init__(self, host: str, source: str | None) -> None:
        self._host = host
        self._source = source
        super().__init__(pool_connections=1, pool_maxsize=_CONNECTIONS)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """As the adapter does, with the name, and with the address that the client comes from."""
        if self._source:
            kwargs["source_address"] = (self._source, 0)
        super().init_poolmanager(*args, server_hostname=self._host, assert_hostname=self._host, **kwargs)


def session_to(
    host: str, *, ca: Path | None = None, certificate: tuple[Path, Path] | None = None, source: str | None = None
) -> requests.Session:
    """A session in which every request is for `host`, whatever address its URL has; proxies are not asked.

    Args:
        ca: who signed the door's certificate, where it speaks TLS.
        certificate: the client's own certificate and key.
        source: the loopback address to come from, as 127.0.0.2: another client.
    """
    session = requests.Session()
    session.trust_env = False
    session.headers["Host"] = host
    session.mount("https://", _ByName(host, source))
    if ca is not None:
        session.verify = str(ca)
    if certificate is not None:
        session.cert = (str(certificate[0]), str(certificate[1]))
    return session
