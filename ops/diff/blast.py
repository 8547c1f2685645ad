"""How far a change reaches: what depends on what changes, up to the fleet's services, and a score. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from ops.diff.model import Blast, Opening, Reached, ResourceChange
from ops.diff.properties import is_update
from ops.diff.risks import CARRIERS, GROUND
from policies.inventory import Inventory, Resource

WEIGHTS: Final[Mapping[str, int]] = {
    "created": 1,
    "updated": 2,
    "replaced": 5,
    "replaced with a gap": 8,
    "deleted": 8,
}
"""What one resource counts, by what happens to it."""
STATE_TIMES: Final = 3
"""Times that where it holds state."""
CARRIER_TIMES: Final = 2
"""Times that where it carries or routes what serves."""
INTERRUPTED: Final = 25
ROLLED: Final = 3
OPENED: Final = 10
"""For each resource that is reached from outside by a way that was not there."""
FORMULA: Final = (
    "created 1, updated 2, replaced 5, replaced with a gap or deleted 8; times 3 where it holds state, else times 2 "
    "where it carries or routes what serves; 1 for each resource that stays and depends on one that is replaced or "
    f"deleted; {INTERRUPTED} for each service interrupted, {ROLLED} for each one rolled; {OPENED} for each resource "
    "that something new reaches from outside"
)
_MEDIUM, _HIGH = 30, 100
_CLUSTERS: Final = frozenset({"aws:eks/cluster:Cluster", "gcp:container/cluster:Cluster"})
_WAYS: Final = (
    "kubernetes:core/v1:Service",
    "kubernetes:gateway.",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    "aws:vpc/securityGroup",
    "gcp:compute/firewall:Firewall",
)
"""What routes requests, or lets them through."""
_DEPLOYMENT: Final = "kubernetes:apps/v1:Deployment"
_SHARED: Final = "kubernetes:gateway."
_MOST_NAMED: Final = 5
_RANK: Final = ("interrupted", "rolled", "reconfigured", "behind what changes")
Effect = Literal["interrupted", "rolled", "reconfigured", "behind what changes"]


def blast(
    changes: Iterable[ResourceChange],
    base: Inventory | None,
    head: Inventory | None,
    opened: Iterable[Opening] = (),
) -> Blast:
    """How far `changes` reach in the stack as it is, and as it will be; `opened`: the ways in that they open."""
    known = {change.resource.urn: change for change in changes if is_update(change)}
    if not known:
        return Blast()
    users = _users([*(base.resources if base else ()), *(head.resources if head else ())])
    touched = [urn for urn, change in known.items() if change.action != "added"]
    near = {user for urn in touched for user in users.get(urn, ())} - known.keys()
    reached = _reach(touched, users)
    upset = _reach((urn for urn in touched if known[urn].action in ("replaced", "removed")), users) - known.keys()
    services = _services(known, reached, head or base, users)
    terms = tuple(_terms(known, len(upset), services, len({way.urn for way in opened})))
    score = sum(amount for _, amount in terms)
    level = "high" if score >= _HIGH else "medium" if score >= _MEDIUM else "low"
    return Blast(score, terms, level, len(near), len(reached - known.keys()), services)


def _users(resources: Iterable[Resource]) -> Mapping[str, set[str]]:
    """URN → the resources that depend on it directly; a component is none."""
    users: dict[str, set[str]] = {}
    for resource in resources:
        if resource.custom:
            for urn in resource.dependencies:
                users.setdefault(urn, set()).add(resource.urn)
    return users


def _reach(start: Iterable[str], users: Mapping[str, set[str]]) -> set[str]:
    """All that depends on one of `start`, directly or not."""
    found: set[str] = set()
    pending = list(start)
    while pending:
        for user in users.get(pending.pop(), ()):
            if user not in found:
                found.add(user)
                pending.append(user)
    return found


def _terms(
    known: Mapping[str, ResourceChange], upset: int, services: Sequence[Reached], opened: int
) -> Iterable[tuple[str, int]]:
    counted = Counter((_kind(change), _times(change.resource)) for change in known.values())
    for (kind, (times, why)), count in sorted(counted.items(), key=lambda item: -WEIGHTS[item[0][0]] * item[0][1][0]):
        each = WEIGHTS[kind] * times
        yield f"{count} {kind}{why} × {each}", count * each
    if upset:
        yield f"{upset} that stay and depend on them × 1", upset
    for effect, weight in (("interrupted", INTERRUPTED), ("rolled", ROLLED)):
        count = sum(1 for service in services if service.effect == effect)
        if count:
            yield f"{count} {'service' if count == 1 else 'services'} {effect} × {weight}", count * weight
    if opened:
        yield f"{opened} opened to the outside × {OPENED}", opened * OPENED


def _kind(change: ResourceChange) -> str:
    if change.action == "replaced":
        return "replaced with a gap" if change.order == "deleted first" else "replaced"
    return {"added": "created", "changed": "updated", "removed": "deleted"}[change.action]


def _times(resource: Resource) -> tuple[int, str]:
    if resource.stateful:
        return STATE_TIMES, ", holding state"
    return (CARRIER_TIMES, ", carrying what serves") if _carries(resource) else (1, "")


def _carries(resource: Resource) -> bool:
    token = resource.type
    return token in CARRIERS or token in GROUND or token == _DEPLOYMENT or token.startswith(_WAYS)


def _services(
    known: Mapping[str, ResourceChange], reached: set[str], stack: Inventory | None, users: Mapping[str, set[str]]
) -> tuple[Reached, ...]:
    fleet: Any = (stack.settings.get("fleet") or {}) if stack else {}
    names = sorted((fleet.get("services") or {}) if isinstance(fleet, Mapping) else {})
    told = (_service(name, known, reached, stack, users) for name in names)
    found = [service for service in told if service is not None]
    return tuple(sorted(found, key=lambda service: (_RANK.index(service.effect), service.service)))


def _service(
    name: str,
    known: Mapping[str, ResourceChange],
    reached: set[str],
    stack: Inventory | None,
    users: Mapping[str, set[str]],
) -> Reached | None:
    mine = {r.urn for r in (stack.resources if stack else ()) if r.custom and _belongs(r, name)}
    mine |= {urn for urn, change in known.items() if _belongs(change.resource, name)}
    effects: dict[Effect, list[str]] = {}
    for urn, change in known.items():
        effect = _on_service(change, urn in mine, bool(_reach([urn], users) & mine))
        if effect:
            effects.setdefault(effect, []).append(change.resource.name)
    if not effects:
        return Reached(name, "behind what changes", ()) if reached & mine else None
    worst: Effect = min(effects, key=_RANK.index)
    return Reached(name, worst, tuple(dict.fromkeys(effects[worst]))[:_MOST_NAMED])


def _belongs(resource: Resource, service: str) -> bool:
    """Whether an object of the cluster is one of the service's own."""
    if not resource.type.startswith("kubernetes:"):
        return False
    labels = resource.get("metadata.labels")
    if isinstance(labels, Mapping) and labels.get("app.kubernetes.io/instance") == service:
        return True
    return resource.name == service or resource.name.endswith(f"-{service}")


def _on_service(change: ResourceChange, own: bool, below: bool) -> Effect | None:
    """What one change does to a service; `own`: it is an object of it; `below`: the service depends on it."""
    token = change.resource.type
    shared = token.startswith(_SHARED)
    gap = change.action == "removed" or (change.action == "replaced" and change.order == "deleted first")
    serves = token in CARRIERS or token in _CLUSTERS or token == _DEPLOYMENT or token.startswith(_WAYS[:2])
    holds = change.resource.stateful is not None
    if gap and (((own or below or shared) and serves) or (below and holds)):
        return "interrupted"
    if change.action == "added":
        return "reconfigured" if own else None
    if token in _CLUSTERS and change.action == "replaced":
        return "interrupted"
    if own and token == _DEPLOYMENT and any(p.path.startswith("spec.template") for p in change.properties):
        return "rolled"
    if token in CARRIERS and below:
        return "rolled" if change.action == "replaced" or _rolls_machines(change) else "reconfigured"
    if own or shared:
        return "reconfigured"
    return "behind what changes" if below else None


def _rolls_machines(change: ResourceChange) -> bool:
    """Whether a pool's machines are exchanged, one after another, with the pods on them."""
    return any(
        p.path.startswith(("version", "launchTemplate", "nodeConfig", "releaseVersion")) for p in change.properties
    )
