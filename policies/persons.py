"""The people and programs outside of the cluster whom the settings let in, as the cluster knows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

_ROLES: Final = ("administrators", "deployers", "readers")


def role_of_person(settings: Mapping[str, Any], kind: str, name: str) -> str | None:
    """The list of `cluster.access` that names a user or group; None where none does."""
    return next((role for role, known, called in _named(settings) if (known, called) == (kind, name)), None)


def _named(settings: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(list, kind, name) of each; AWS names roles by their ARNs, Google Cloud says the kind before the email."""
    cluster = settings.get("cluster")
    access = cluster.get("access") if isinstance(cluster, Mapping) else None
    for role in _ROLES:
        named = access.get(role) if isinstance(access, Mapping) else None
        for principal in named.values() if isinstance(named, Mapping) else ():
            text = str(principal)
            prefix, _, email = text.partition(":")
            known = prefix in ("group", "user", "serviceAccount")
            yield role, "Group" if prefix == "group" else "User", email if known else text
