"""A service of a stack as the simulation takes it: its autoscaler from the plan, its machines from the settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from common.errors import UserError
from components.contracts.capacity import replica
from components.contracts.choices import most_machines
from components.contracts.services import Variant
from components.contracts.serving import NAMESPACE
from components.kubernetes.node_autoscaler import EMPTY_NODE_MINUTES
from ops.capacity.autoscaler import Spec
from ops.capacity.load import Server
from ops.capacity.machines import Hosting
from ops.capacity.simulate import Patience
from policies.inventory import Inventory
from stacks.fitting import rooms_by_pool
from stacks.settings import Settings

SCALER: Final = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"


@dataclass(frozen=True)
class Service:
    """What decides how it follows a load."""

    stack: str
    name: str
    scaler: Spec
    requests_at_once: int
    busy_percent: int
    hosting: Hosting
    patience: Patience
    objective_ms: int

    def server(self, request_ms: float) -> Server:
        """One replica, where a request takes so long in the model."""
        return Server(self.requests_at_once, request_ms / 1000)

    def with_replicas(self, *, least: int | None = None, warm: int | None = None) -> Service:
        """The same with other fewest, or other warm replicas."""
        scaler = self.scaler if least is None else replace(self.scaler, least=least)
        hosting = self.hosting if warm is None else replace(self.hosting, warm=warm)
        return replace(self, scaler=scaler, hosting=hosting)


def service_of(
    inventory: Inventory, settings: Settings, name: str | None, objective_ms: int | None = None
) -> Service:
    """The service of that name; the only one where none is named.

    Args:
        objective_ms: in place of what the settings promise.

    Raises:
        UserError: there is none of that name, several and none is named, or its autoscaler is of another kind.
    """
    scalers = scalers_of(inventory)
    where = f"stack {inventory.stack}"
    if not scalers:
        raise UserError("no service scales itself", where, "Give the fleet a service.")
    known = ", ".join(sorted(scalers))
    if name is None and len(scalers) > 1:
        raise UserError("several services, and none is named", where, f"Name one by --service, of {known}.")
    chosen = name or next(iter(scalers))
    if chosen not in scalers:
        raise UserError(f"there is no service {chosen!r}", "--service", f"Name one of {known}.")
    asked, door = _settings_of(settings, chosen), settings.fleet.door
    spec, scaler = asked.spec, Spec.of(scalers[chosen], f"{where}, HorizontalPodAutoscaler {NAMESPACE}/{chosen}")
    rooms = rooms_by_pool(settings.cloud, settings.pools, spec)
    held = {key: room.holds(replica(spec)) for key, room in rooms.items()}
    pools = [key for key, replicas in held.items() if replicas]
    return Service(
        stack=inventory.stack,
        name=chosen,
        scaler=scaler,
        requests_at_once=spec.scaling.requests_at_once,
        busy_percent=spec.scaling.busy_percent,
        hosting=Hosting(
            per_machine=min(held[key] for key in pools),
            least=sum(settings.pools[key].min_nodes for key in pools),
            most=sum(most_machines(settings.pools[key]) for key in pools),
            repository_gib=spec.repository_gib,
            warm=spec.warm_replicas,
            empty_seconds=60 * EMPTY_NODE_MINUTES,
        ),
        patience=Patience(door.limits.request_seconds, door.protection.parallel_requests * door.replicas),
        objective_ms=objective_ms or spec.objective.p99_ms,
    )


def first_service(inventory: Inventory) -> str | None:
    """The name of the first of the services that scale, if there is one."""
    return next(iter(scalers_of(inventory)), None)


def _settings_of(settings: Settings, deployment: str) -> Variant:
    """The set of replicas whose autoscaler scales this Deployment; a rollout's `-primary` stands for its service."""
    names = {deployment, deployment.removesuffix("-primary")}
    return next(variant for variant in settings.fleet.variants if variant.object_name in names)


def scalers_of(inventory: Inventory) -> dict[str, dict[str, Any]]:
    """Each autoscaler's spec, by the name of what it scales."""
    found = {r.inputs["metadata"]["name"]: dict(r.inputs["spec"]) for r in inventory.of_type(SCALER)}
    return {str(spec["scaleTargetRef"].get("name") or name): spec for name, spec in found.items()}
