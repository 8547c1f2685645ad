"""Where cloud API calls go: the real cloud's endpoints, or a local cloud's loopback servers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from common.errors import UserError

LOOPBACK = ("127.0.0.1", "::1", "localhost")


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
    addresses: Callable[[], Mapping[str, Address]] = dict
    """`host:port` as the stack knows it → where an emulator has it listen, as of now."""

    def resolve(self, host: str, port: int) -> Address:
        """Where `host:port` is reached from this machine.

        Raises:
            UserError: an emulated cloud has nothing there; the real network is never asked instead.
        """
        if self.mode == "real" or host in LOOPBACK:
            return Address(host, port)
        found = self.addresses().get(f"{host}:{port}")
        if found is None:
            raise UserError(
                "the local cloud has nothing at this address", f"{host}:{port}", "Check that the stack is up."
            )
        return found


REAL_CLOUD = Target(name="cloud", mode="real")
