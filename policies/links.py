"""Finding the resources that belong to one another: a bucket's companions, a key behind an unknown id, a region.

A value that is known decides by itself. A value that only the provider knows is followed by its property
dependency: which resource's output feeds the input is known before the output is.
"""

from __future__ import annotations

from collections.abc import Iterable

from components.contracts.regions import REGIONS, distance_km
from policies.checks import ABSENT, all_of, failed, is_hidden, passed, read, shown, unknown
from policies.inventory import Inventory, Resource
from policies.model import Judgement
from policies.settings_view import SettingsView
from policies.tokens import GCP_KEY, GCP_KEY_RING, KMS_KEY_TYPES


def refers_to(inventory: Inventory, holder: Resource, path: str, target: Resource, *names: str) -> bool:
    """Whether the input at `path` of `holder` names `target`: by one of its known `names`, or by its link.

    A link counts for an id that is unknown, or known but assigned by the provider, if it leads to one resource
    of the target's type only.
    """
    value = read(holder, path)
    if value is ABSENT:
        return False
    if value in names:
        return True
    linked = inventory.linked(holder, path.split(".")[0], target.type)
    return target in linked and (is_hidden(value) or len(linked) == 1)


def companions(
    inventory: Inventory, owner: Resource, prop: str, names: Iterable[str], *tokens: str
) -> tuple[Resource, ...]:
    """The resources of `tokens` whose input `prop` names `owner`: a bucket's policy, its versioning, and so on."""
    known = tuple(names)
    return tuple(r for r in inventory.of_type(*tokens) if refers_to(inventory, r, prop, owner, *known))


def aws_region_of(arn: str) -> str:
    """The region in an ARN; empty for a global one or something that is no ARN."""
    parts = arn.split(":", 5)
    return parts[3] if len(parts) == 6 and parts[0] == "arn" else ""


def customer_key(inventory: Inventory, resource: Resource, path: str) -> Judgement:
    """Whether the input at `path` names a key that the customer manages, on either cloud.

    AWS' own keys (`alias/aws/...`) do not count. An unknown value passes if it comes from a key of this stack.
    """
    required = "the id of a customer-managed key"
    value = read(resource, path)
    if value is ABSENT:
        return failed(path, "absent", required)
    if is_hidden(value):
        keys = inventory.linked(resource, path.split(".")[0], *KMS_KEY_TYPES, GCP_KEY)
        return passed(f"{path} comes from {keys[0].name}") if keys else unknown(path, required)
    if not isinstance(value, str) or not value.strip() or "alias/aws/" in value:
        return failed(path, shown(value), required)
    return passed()


def keys_behind(inventory: Inventory, resource: Resource, path: str) -> tuple[Resource, ...]:
    """The stack's own key resources that the input at `path` names, as far as the plan knows."""
    value = read(resource, path)
    if is_hidden(value):
        linked = inventory.linked(resource, path.split(".")[0], *KMS_KEY_TYPES, GCP_KEY)
        return tuple(_dealiased(inventory, key) for key in linked)
    if not isinstance(value, str):
        return ()
    if ":key/" in value:
        linked = inventory.linked(resource, path.split(".")[0], *KMS_KEY_TYPES)
        found = (_dealiased(inventory, key) for key in linked)
        return tuple(key for key in found if key.region == aws_region_of(value))
    named = [a for a in inventory.of_type("aws:kms/alias:Alias") if _alias_matches(a, value)]
    google = [k for k in inventory.of_type(GCP_KEY) if _names_google_key(k, value)]
    return tuple(_dealiased(inventory, key) for key in [*named, *google])


def _alias_matches(alias: Resource, value: str) -> bool:
    name = read(alias, "name")
    if not isinstance(name, str):
        return False
    return value == name or (value.endswith(f":{name}") and aws_region_of(value) in ("", alias.region))


def _names_google_key(key: Resource, value: str) -> bool:
    name = read(key, "name")
    return isinstance(name, str) and value.endswith(f"/cryptoKeys/{name}")


def _dealiased(inventory: Inventory, key: Resource) -> Resource:
    if key.type != "aws:kms/alias:Alias":
        return key
    return next(iter(inventory.linked(key, "targetKeyId", *KMS_KEY_TYPES[:2])), key)


def region_in(resource: Resource) -> str:
    """The region that the plan places a resource in; empty if it has none or the plan does not know."""
    return "" if resource.region is None or is_hidden(resource.region) else resource.region


def home_region(resource: Resource, settings: SettingsView) -> str:
    """The region that a copy of the resource must lie far from: its own, else the stack's."""
    return region_in(resource) or settings.region


def key_of_its_own(inventory: Inventory, holder: Resource, path: str, taken: set[str], home: str) -> Judgement:
    """Whether the key at `path` is a customer's, lies in `home`, and is none of `taken` (URNs)."""
    keys = keys_behind(inventory, holder, path)
    return all_of(
        (customer_key(inventory, holder, path), *(_is_own(inventory, path, key, taken, home) for key in keys))
    )


def _is_own(inventory: Inventory, path: str, key: Resource, taken: set[str], home: str) -> Judgement:
    region = key_region(inventory, key)
    if key.urn in taken:
        return failed(path, f"{key.name}, the key of the source", "a key of the copy's own")
    required = f"a key in {home or 'the region'}, where the copy lies"
    if not region or not home:
        return unknown(path, required, f"{key.name}, whose region the plan does not know")
    return passed() if region == home else failed(path, f"{key.name} in {region}", required)


def key_region(inventory: Inventory, key: Resource) -> str:
    """Where a key lives; for Google Cloud that is its key ring's location."""
    if key.type != GCP_KEY:
        return region_in(key)
    ring = next(iter(inventory.linked(key, "keyRing", GCP_KEY_RING)), None)
    location = read(ring, "location") if ring else ABSENT
    if isinstance(location, str):
        return "" if is_hidden(location) else location.lower()
    value = read(key, "keyRing")
    parts = value.split("/") if isinstance(value, str) else []
    return parts[parts.index("locations") + 1] if "locations" in parts[:-1] else region_in(key)


def far_enough(settings: SettingsView, path: str, home: str, away: str) -> Judgement:
    """Whether `away` lies at least the stack's minimum distance from `home`."""
    required = f"a region at least {settings.min_distance_km:g} km from {home or 'the primary region'}"
    if not home or not away:
        return unknown(path, required, "a region that the plan does not know")
    if home == away:
        return failed(path, f"in {away}, the same region", required)
    table = REGIONS.get(settings.cloud, {}) if settings.cloud else {}
    if settings.cloud is None or home not in table or away not in table:
        return failed(path, f"in {away}, which is no single region that the distance table knows", required)
    distance = distance_km(settings.cloud, home, away)
    if distance < settings.min_distance_km:
        return failed(path, f"in {away}, {distance:.0f} km away", required)
    return passed(f"{away} is {distance:.0f} km from {home}")
