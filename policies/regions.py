"""Says which region a recorded resource lives in, from its own inputs or its provider's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from common.sdk.schema import PROVIDER_PREFIX, package_of
from common.sdk.types import ENGINE_UNKNOWN, SECRET_SIGNATURE, SIGNATURE_KEY, input_properties
from policies.inventory import UNKNOWN
from policies.tokens import GCP_KEY, GCP_KEY_MEMBER, GCS_MEMBER

if TYPE_CHECKING:
    from policies.registration import Registration

_ZONE: Final = re.compile(r"^([a-z]+-[a-z]+[0-9]+)-[a-z]$")
"""A Google Cloud zone: its region, a hyphen and one letter."""

_PLACED_BY: Final[Mapping[str, str]] = {
    GCP_KEY: "keyRing",
    GCP_KEY_MEMBER: "cryptoKeyId",
    "gcp:kms/keyRingIAMMember:KeyRingIAMMember": "keyRingId",
    GCS_MEMBER: "bucket",
}
"""Types without a place of their own → the input that names the resource they live in."""


def region_of(resource: Registration, others: Mapping[str, Registration]) -> str | None:
    """The region: lower-case, a zone's region for a zone, the location of a multi-region or `global` as it is.

    None for what has no region: global services, Kubernetes objects, components. `UNKNOWN` if the input that
    says so is not known yet, or comes from resources of several regions.
    """
    if not resource.custom or package_of(resource.type) not in ("aws", "gcp"):
        return None
    if resource.type in _PLACED_BY:
        links = resource.property_dependencies.get(_PLACED_BY[resource.type], ())
        found = {region_of(others[urn], others) for urn in links if urn in others} - {None}
        return found.pop() if len(found) == 1 else (UNKNOWN if found else None)
    arguments = input_properties(resource.type)
    provider = others.get(resource.provider or "")
    for argument in ("location", "region", "locationId", "zone"):
        if argument not in arguments:
            continue
        given = _text(resource.inputs.get(argument))
        if given is None and provider is not None and not resource.type.startswith(PROVIDER_PREFIX):
            given = _text(provider.inputs.get(argument))
        if given is not None:
            return given if given == UNKNOWN else region_at(given)
    return None


def region_at(place: str) -> str:
    """The region of a place: lower-case, and a zone's region for a zone."""
    zone = _ZONE.match(place.lower())
    return zone[1] if zone else place.lower()


def _text(value: Any) -> str | None:
    if isinstance(value, Mapping) and value.get(SIGNATURE_KEY) == SECRET_SIGNATURE:
        return UNKNOWN
    if value == ENGINE_UNKNOWN:
        return UNKNOWN
    return value if isinstance(value, str) and value else None
