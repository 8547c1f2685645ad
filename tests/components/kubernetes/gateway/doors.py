"""Doors for tests: sound settings, of which a test changes what it is about."""

from __future__ import annotations

import json
from typing import Any

from components.contracts.door import DoorSpec

JWT = {
    "kind": "jwt",
    "issuer": "https://login.example.com",
    "audiences": ["models"],
    "keys_uri": "https://login.example.com:8443/keys",
    "keys_cidrs": ["10.64.0.0/16"],
}
MTLS = {"kind": "mtls", "ca": "client-ca", "dns_suffix": "clients.example.com"}
NONE = {"kind": "none", "because": "a mesh before the door knows its clients"}
PUBLIC = {"source_ranges": ["203.0.113.0/24"], "firewall_because": "only two partners' networks may come in"}
ISSUED = {"kind": "cert-manager", "issuer": "private-ca"}


def settings(**changed: Any) -> dict[str, Any]:
    """A door's settings, as a stack's file has them."""
    known = {"domain": "models.example.com", "certificate": ISSUED, "authentication": JWT}
    return {**known, **changed}


def a_door(**changed: Any) -> DoorSpec:
    """A door with these settings."""
    return DoorSpec.model_validate_json(json.dumps(settings(**changed)))
