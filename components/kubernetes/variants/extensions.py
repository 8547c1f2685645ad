"""What of Envoy Gateway must be switched on for a fleet's services."""

from __future__ import annotations

from collections.abc import Iterable

from components.contracts.services import ServiceSpec
from components.contracts.variant_specs import ABTest


def extensions_of(fleet: Iterable[ServiceSpec]) -> dict[str, bool]:
    """Its `extensionApis`: what the services need, and no more than that.

    Whoever may write such objects in the fleet's namespace can have the door run code, or send requests to any
    address; so they are off where no service needs them, as Envoy Gateway 1.9.1 has them unless told otherwise
    (api/v1alpha1/envoygateway_types.go, `EnableLua`, `EnableBackend`, read 2026-11-22).
    """
    services = list(fleet)
    falls_back = any(each.fallback.answers for each in services)
    lua = falls_back or any(isinstance(each.traffic, ABTest) for each in services)
    return {"enableBackend": falls_back, "enableEnvoyPatchPolicy": False, **({"enableLua": True} if lua else {})}
