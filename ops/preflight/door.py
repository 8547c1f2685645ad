"""Whether an address can be reached from this machine: a name that resolves, and a port that answers."""

from __future__ import annotations

import socket
from typing import Final
from urllib.parse import urlsplit

from ops.preflight.model import Finding, missing, ok

CONNECT_SECONDS: Final = 5.0
HTTPS_PORT: Final = 443


def reachable(name: str, address: str) -> Finding:
    """Whether a control plane answers here; `pulumi up` has to talk to it.

    Args:
        name: what to call it.
        address: its https address, or its host alone.
    """
    parts = urlsplit(address if "//" in address else f"https://{address}")
    host, port = parts.hostname or address, parts.port or HTTPS_PORT
    subject = f"control plane of {name}"
    try:
        with socket.create_connection((host, port), timeout=CONNECT_SECONDS):
            return ok(subject, f"{host} answers on port {port}")
    except socket.gaierror:
        said, how = f"{host} is not known here", "run from a network that resolves it"
    except OSError as error:
        said, how = f"{host}:{port} does not answer here: {error}", "run from a network that reaches it"
    return missing(
        subject, said, f"Run `pulumi up` from inside the network, or {how}: see `cluster` in docs/settings.md."
    )
