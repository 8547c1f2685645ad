"""What an answer says about the variant that gave it, and how the door's log and counters call it.

The door takes these headers off each request (`door.RESERVED_PREFIXES`), so that no client can choose its variant.
"""

from __future__ import annotations

from typing import Final

STABLE: Final = "stable"
"""The variant that answers unless a strategy says otherwise."""

SERVED_BY: Final = "x-seawall-service"
"""Response header: the Kubernetes Service whose pod answered."""
VARIANT: Final = "x-seawall-variant"
"""Response header: the variant that answered. As a request header it is the door's own, between filter and route."""
RELEASE: Final = "x-seawall-release"
"""Response header: the release that this variant serves by the settings."""
FALLBACK: Final = "x-seawall-fallback"
"""Response header, only there when a fallback answered: for which service it did."""

METADATA: Final = "seawall.variants"
"""Namespace of the request's metadata that the door's log reads."""
EXPOSURES: Final = "seawall_exposures"
"""Counter of assigned requests, by experiment and variant; Prometheus: `envoy_http_lua_seawall_exposures_…`."""
FALLBACKS: Final = "seawall_fallback_answers"
"""Counter of answers that a fallback gave, by service; Prometheus: `envoy_http_lua_seawall_fallback_answers_…`."""
