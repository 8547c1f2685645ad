"""Where cloud API calls go: the real cloud's endpoints, or a local cloud's loopback servers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Address:
    """A host and port to connect to, and the CA certificate that vouches for it (None: the system's)."""

    host: str
    port: int
    ca_file: str | None = None


@dataclass(frozen=True)
class Target:
    """The endpoints that operators' code talks to; the same code runs against both kinds.

    `mode` goes into evidence, so that an emulated run never passes for a measured one.
    """

    name: Literal["cloud", "local"]
    mode: Literal["real", "emulated"]
    aws_endpoint_url: str | None = None
    gcp_endpoint_url: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to a child process's environment, so that it finds the same endpoints."""
    addresses: Mapping[str, Address] = field(default_factory=dict)
    """`host:port` as the stack knows it → where it listens in truth."""

    def resolve(self, host: str, port: int) -> Address:
        """Where `host:port` is reached from this machine."""
        return self.addresses.get(f"{host}:{port}", Address(host, port))


REAL_CLOUD = Target(name="cloud", mode="real")
