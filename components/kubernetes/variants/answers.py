"""What an answer says about who gave it: response headers that the route sets.

Where a fallback may have answered, Envoy reads it from the endpoint that did: Envoy Gateway gives each endpoint the
name of its backend as metadata (1.9.1, internal/xds/translator/metadata.go), and Envoy's `%CEL(…)%` reads it (1.39.1;
both seen 2026-11-22). So the headers are true after a second attempt too. While a rollout replaces pods one by one,
they name the release that the settings ask for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from components.contracts import serving, variants
from components.kubernetes.routes import fallback_backend

_BACKEND: Final = "xds.upstream_host_locality_metadata.filter_metadata['envoy-gateway'].resources[0].name"


@dataclass(frozen=True)
class Answering:
    """Whose pods answer."""

    object: str
    """Their Kubernetes Service."""
    variant: str
    release: str

    @property
    def headers(self) -> dict[str, str]:
        """What their answers say."""
        return {
            variants.SERVED_BY: self.object,
            variants.VARIANT: self.variant,
            variants.RELEASE: self.release,
        }


def answer_headers(service: str, own: Answering, fallback: Answering | None = None) -> dict[str, str]:
    """Response headers of a rule of `service` with one backend, and one fallback at most."""
    if fallback is None:
        return own.headers
    backends = ", ".join(f"'{fallback_backend(service, port)}'" for port in (serving.HTTP_PORT, serving.GRPC_PORT))
    either = {
        name: f"%CEL({_BACKEND} in [{backends}] ? '{fallback.headers[name]}' : '{value}')%"
        for name, value in own.headers.items()
    }
    # An empty value adds no header.
    return {**either, variants.FALLBACK: f"%CEL({_BACKEND} in [{backends}] ? '{service}' : '')%"}
