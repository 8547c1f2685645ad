"""What the fleet's door and its services must agree on, each sound by itself."""

from __future__ import annotations

from collections.abc import Mapping

from components.contracts.door import DoorSpec, TokenAuthentication
from components.contracts.services import ServiceSpec
from components.contracts.spec import refused
from components.contracts.variant_specs import ABTest, ByUserClaim


def check_times(services: Mapping[str, ServiceSpec], door: DoorSpec) -> None:
    """Refuse a promise that outlasts the door's patience, and a replica whose end does not wait for its requests.

    Raises:
        PydanticCustomError: for a validator to let through.
    """
    patience = door.limits.request_seconds
    attempt = door.retries.attempt_seconds if door.retries.attempts else patience
    for name, service in services.items():
        if service.objective.p99_ms > patience * 1000:
            raise refused(
                f"{name} promises answers within {service.objective.p99_ms} ms, and the door gives a request up after"
                f" {patience * 1000} ms (door.limits.request_seconds)",
                allowed=f"an objective.p99_ms of at most {patience * 1000}",
                remedy="Lower objective.p99_ms, or raise door.limits.request_seconds.",
            )
        ending = service.drain_seconds + service.exit_timeout_seconds
        if attempt > ending:
            raise refused(
                f"a request may take {attempt} seconds at the door, and a replica of {name} that ends waits for"
                f" {ending} (drain_seconds and exit_timeout_seconds)",
                allowed=f"attempts of at most {ending} seconds: each rollout would break off longer ones",
                remedy="Raise exit_timeout_seconds, or lower door.limits.request_seconds or, with retries.attempts, "
                "door.retries.attempt_seconds.",
            )


def check_experiments(services: Mapping[str, ServiceSpec], door: DoorSpec) -> None:
    """Refuse experiments that nobody would be in, and two that could not be told apart.

    Raises:
        PydanticCustomError: for a validator to let through.
    """
    known: dict[str, str] = {}
    for name, service in services.items():
        if not isinstance(service.traffic, ABTest):
            continue
        test = service.traffic
        if isinstance(test.by, ByUserClaim) and not isinstance(door.authentication, TokenAuthentication):
            raise refused(
                f"the experiment {test.experiment} of {name} knows users by a token's claim, and"
                f" door.authentication is {door.authentication.kind}",
                allowed="user-claim beside jwt: without tokens nobody would be in the experiment",
                remedy="Choose user-header or cookie, or set door.authentication to jwt.",
            )
        if test.experiment in known:
            raise refused(
                f"{known[test.experiment]} and {name} both have an experiment called {test.experiment}",
                allowed="names that differ: its log and its counters tell experiments apart by them",
                remedy="Rename one of them.",
            )
        known[test.experiment] = name
