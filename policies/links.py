"""Finding the resources that belong to one another: a bucket's companions, a key behind an unknown id, a region.

A value that is known decides by itself. A value that only the provider knows is followed by its property
dependency: which resource's output feeds the input is known before the output is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from components.contracts.regions import REGIONS, distance_km
from policies.checks import ABSENT, PASS, all_of, best_of, failed, is_hidden, passed, read, shown, unknown
from policies.inventory import Inventory, Resource
from policies.model import Judgement
from policies.settings_view import SettingsView
from policies.tokens import (
    ARTIFACT_REGISTRY,
    GCP_KEY,
    GCP_KEY_RING,
    GCS_BUCKET,
    GKE_BACKUP_PLAN,
    KMS_ALIAS,
    KMS_KEY_TYPES,
    SECURITY_GROUP,
)

_SINGLE_REGIONS: Final = frozenset(region for table in REGIONS.values() for region in table)
_BY_LOCATION: Final = (GCS_BUCKET, ARTIFACT_REGISTRY, GKE_BACKUP_PLAN, GCP_KEY_RING)
"""Types that lie where their own input says: where it says none, Google's default counts."""
_KEY_ID: Final = re.compile(
    r"(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:)?(alias/\S+|key/[\w-]+)"
    r"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}"
    r"|projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+(/cryptoKeyVersions/\d+)?"
)
"""What a key may be called by: its id, ARN, alias or alias' ARN on AWS, its full name on Google Cloud.

docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html and cloud.google.com/kms/docs/object-hierarchy, both read
2026-11-22.
"""


def refers_to(inventory: Inventory, holder: Resource, path: str, target: Resource, *names: object) -> bool:
    """Whether the input at `path` of `holder` names `target`: by one of its known `names`, or by its link.

    A value that is known decides by itself where a name is known: no link makes another text the target's. A link
    counts for an id that is unknown, or assigned by the provider, and only if it leads to the target alone among
    resources of its type: what feeds another part of the same input feeds not this one.
    """
    value = read(holder, path)
    if value is ABSENT:
        return False
    known = [name for name in names if isinstance(name, str) and name and not is_hidden(name)]
    if not is_hidden(value) and known:
        return value in known
    return feeders(inventory, holder, path, target.type) == (target,)


def feeders(inventory: Inventory, holder: Resource, path: str, *tokens: str) -> tuple[Resource, ...]:
    """The resources of `tokens` that may feed the input at `path`; none where it is plain that something else does.

    The engine tells what feeds a whole input, not which part of it. Where more parts of the same name are unknown
    than resources feed the input, one of them comes from elsewhere, and which one cannot be said.
    """
    prop, _, rest = path.partition(".")
    linked = inventory.linked(holder, prop, *tokens)
    if not rest or not linked:
        return linked
    leaf = _leaf(path)
    unknown_parts = [u for u in holder.unknown_paths if u.startswith(f"{prop}.") and _leaf(u) == leaf]
    return linked if len(unknown_parts) <= len(linked) else ()


def _leaf(path: str) -> str:
    """The last part of a path that is no list position."""
    return next((part for part in reversed(path.split(".")) if not part.isdigit()), path)


def companions(
    inventory: Inventory, owner: Resource, prop: str, names: Iterable[object], *tokens: str, anywhere: bool = False
) -> tuple[Resource, ...]:
    """The resources of `tokens` whose input `prop` names `owner`: a bucket's policy, its versioning, and so on.

    A name is one thing in each region: what stands in another region than the owner is not its companion, unless the
    type links regions (`anywhere`).
    """
    known = tuple(names)
    return tuple(
        found
        for found in inventory.of_type(*tokens)
        if refers_to(inventory, found, prop, owner, *known) and (anywhere or same_region(found, owner))
    )


def same_region(one: Resource, other: Resource) -> bool:
    """Whether two resources can stand in one region, as far as the plan knows."""
    here, there = region_in(one), region_in(other)
    return not here or not there or here == there


def aws_region_of(arn: str) -> str:
    """The region in an ARN; empty for a global one or something that is no ARN."""
    parts = arn.split(":", 5)
    return parts[3] if len(parts) == 6 and parts[0] == "arn" else ""


def customer_key(inventory: Inventory, resource: Resource, path: str, home: str | None = None) -> Judgement:
    """Whether the input at `path` names a key that the customer manages, on either cloud, in the region `home`.

    AWS' own keys (`alias/aws/...`) do not count. An unknown value passes if it comes from a key of this stack. A
    service takes a key of its own region alone, where the resource lies: a key elsewhere is refused, or gone with
    that region.
    """
    home = region_in(resource) if home is None else home
    required = "the id of a customer-managed key"
    value = read(resource, path)
    if value is ABSENT:
        return failed(path, "absent", required)
    if is_hidden(value):
        keys = feeders(inventory, resource, path, *KMS_KEY_TYPES, GCP_KEY)
        if not keys:
            return unknown(path, required)
        near = (_near(path, key.name, key_region(inventory, _dealiased(inventory, key)), home) for key in keys)
        return all_of((passed(f"{path} comes from {keys[0].name}"), best_of(near)))
    if not isinstance(value, str) or not _KEY_ID.fullmatch(value) or "alias/aws/" in value:
        return failed(path, shown(value), required)
    behind = keys_behind(inventory, resource, path)
    return all_of(
        (
            _near(path, shown(value), _stated_region(value), home),
            *(_near(path, key.name, key_region(inventory, key), home) for key in behind),
        )
    )


def _stated_region(value: str) -> str:
    """The region in a key's ARN, or in its full name on Google Cloud; empty if it states none."""
    parts = value.split("/")
    return aws_region_of(value) or (parts[parts.index("locations") + 1].lower() if "locations" in parts[:-1] else "")


def _near(path: str, name: str, region: str, home: str) -> Judgement:
    if not region or region == home or home not in _SINGLE_REGIONS:
        return passed()
    return failed(path, f"{name} in {region}", f"a key in {home}, where what it encrypts lies")


def groups_of_stack(resource: Resource, path: str, inventory: Inventory) -> Judgement:
    """Whether each security group is one of the stack, as far as the plan knows."""
    required = "a group of the stack"
    value = read(resource, path)
    linked = bool(inventory.linked(resource, path.split(".", 1)[0], SECURITY_GROUP))
    if value is ABSENT:
        return PASS
    listed = [(f"{path}.{index}", each) for index, each in enumerate(value)] if isinstance(value, list) else []
    each_of = listed or ([(path, value)] if value != [] else [])
    return all_of(
        (PASS if linked else unknown(at, required)) if is_hidden(each) else failed(at, shown(each), required)
        for at, each in each_of
    )


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
    named = [a for a in inventory.of_type(KMS_ALIAS) if _alias_matches(a, value, resource)]
    google = [k for k in inventory.of_type(GCP_KEY) if _names_google_key(inventory, k, value)]
    return tuple(_dealiased(inventory, key) for key in [*named, *google])


def _alias_matches(alias: Resource, value: str, holder: Resource) -> bool:
    name = read(alias, "name")
    if not isinstance(name, str) or is_hidden(name):
        return False
    bare = value == name and same_region(alias, holder)
    return bare or (value.endswith(f":{name}") and aws_region_of(value) in ("", alias.region))


def _names_google_key(inventory: Inventory, key: Resource, value: str) -> bool:
    """Whether a key's full name is this key's: rings of two places may hold keys of one name."""
    name, parts = read(key, "name"), value.split("/")
    if not isinstance(name, str) or is_hidden(name) or parts[-2:] != ["cryptoKeys", name]:
        return False
    region = key_region(inventory, key)
    return not region or "locations" not in parts[:-1] or parts[parts.index("locations") + 1].lower() == region


def _dealiased(inventory: Inventory, key: Resource) -> Resource:
    if key.type != KMS_ALIAS:
        return key
    return next(iter(inventory.linked(key, "targetKeyId", *KMS_KEY_TYPES[:2])), key)


def region_in(resource: Resource) -> str:
    """The region that the plan places a resource in; empty if it has none or the plan does not know."""
    if resource.type in _BY_LOCATION and read(resource, "location") in (ABSENT, ""):
        return ""
    return "" if resource.region is None or is_hidden(resource.region) else resource.region


def home_region(resource: Resource, settings: SettingsView) -> str:
    """The region that a copy of the resource must lie far from: its own, else the stack's."""
    own = region_in(resource)
    return own if own or resource.type in _BY_LOCATION else settings.region


def key_of_its_own(inventory: Inventory, holder: Resource, path: str, taken: set[str], home: str) -> Judgement:
    """Whether the key at `path` is a customer's, lies in `home`, and is none of `taken` (URNs)."""
    keys = keys_behind(inventory, holder, path)
    return all_of(
        (
            customer_key(inventory, holder, path, home),
            *(_is_own(inventory, path, key, taken, home) for key in keys),
        )
    )


def _is_own(inventory: Inventory, path: str, key: Resource, taken: set[str], home: str) -> Judgement:
    if key.urn in taken:
        return failed(path, f"{key.name}, the key of the source", "a key of the copy's own")
    if not key_region(inventory, key) or not home:
        required = f"a key in {home or 'the region'}, where the copy lies"
        return unknown(path, required, f"{key.name}, whose region the plan does not know")
    return passed()


def key_region(inventory: Inventory, key: Resource) -> str:
    """Where a key lives; for Google Cloud that is its key ring's location."""
    if key.type != GCP_KEY:
        return region_in(key)
    ring = next(iter(inventory.linked(key, "keyRing", GCP_KEY_RING)), None)
    if ring is not None:
        location = read(ring, "location")
        return location.lower() if isinstance(location, str) and not is_hidden(location) else ""
    value = read(key, "keyRing")
    if value is ABSENT:
        return region_in(key)
    parts = value.split("/") if isinstance(value, str) else []
    return parts[parts.index("locations") + 1].lower() if "locations" in parts[:-1] else ""


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
