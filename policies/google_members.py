"""Whom a grant of Google Cloud may name: accounts of the own project, and people whom the settings know."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.grants import own_account
from policies.inventory import Inventory, Resource
from policies.tokens import REDIS

_LOGS_OF_ACCESS: Final = "group:cloud-storage-analytics@google.com"
"""Writes Cloud Storage's access logs, as the component grants it (components/gcp); believed."""
_AGENT: Final = re.compile(
    r"(?:service-|project-)?(\d+)(?:-compute)?@([a-z0-9-]+\.iam|developer|cloudservices)\.gserviceaccount\.com"
)
"""Google's own accounts name the project that they act for by its number."""
_TENANT: Final = re.compile(r"serviceAccount:\d+-compute@developer\.gserviceaccount\.com")
"""Memorystore works by the account of a project that Google keeps for the instance, and that no setting knows; the
instance names it once it is made (`persistenceIamIdentity`; its form is believed, 2026-11-22)."""
_POOL: Final = re.compile(r"//iam\.googleapis\.com/projects/(\d+)/")
_PLACE: Final = re.compile(r"@([\w.-]+)")


def is_own(member: str, inventory: Inventory) -> bool:
    """Whether a member is one of ours, or of Google's for us; where the settings name no project, anybody is."""
    own, number = own_account(inventory), str(inventory.settings.get("project_number") or "")
    if not own or member == _LOGS_OF_ACCESS:
        return True
    kind, _, rest = member.partition(":")
    if kind in ("principal", "principalSet"):
        pool = _POOL.match(rest)
        return pool is None or not number or pool[1] == number
    if kind == "serviceAccount":
        agent = _AGENT.fullmatch(rest)
        if agent and not rest.endswith(f"@{own}.iam.gserviceaccount.com"):
            return not number or agent[1] == number
        return rest.endswith(f"@{own}.iam.gserviceaccount.com") or rest.startswith(f"{own}.svc.id.goog[")
    if kind == "projectOwner":
        return rest == own
    return kind in ("group", "user") and rest.partition("@")[2].lower() in set(_domains(inventory.settings))


def stores_named(member: str, holder: Resource, path: str, inventory: Inventory) -> tuple[Resource, ...]:
    """The instances of the stack whose own account a known member may be: those that give the input at `path`."""
    return inventory.linked(holder, path.partition(".")[0], REDIS) if _TENANT.fullmatch(member) else ()


def _domains(settings: Mapping[str, Any]) -> Iterator[str]:
    """The domains of the people whom the settings let into the cluster, or tell of alarms."""
    for section, key in (("cluster", "access"), ("monitoring", "alert_email")):
        told = settings.get(section)
        found = told.get(key) if isinstance(told, Mapping) else None
        yield from (domain.lower() for domain in _PLACE.findall(str(found)))
