"""Versions past their support: what the cloud no longer fixes, and upgrades unasked or at another price."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from components.contracts import support
from components.contracts.releases import READ_ON
from components.contracts.support import Support
from components.contracts.vocabulary import Cloud
from policies.checks import ABSENT, PASS, all_of, failed, is_hidden, not_applicable, passed, read, shown, unknown
from policies.examples import Hidden, Output, both, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.tokens import EKS_CLUSTER, EKS_NODE_GROUP, GKE_CLUSTER, GKE_NODE_POOL, REDIS, VALKEY, VALKEY_GLOBAL

family = Family("Versions past their support")

_REQUIRED: Final = "a version that the cloud supports at no extra price"
_UNKNOWN: Final = f"of which the table of {READ_ON} does not know"
_RATIONALE: Final = "A version past its support gets few fixes or none, costs more, and is upgraded unasked."
_REMEDIES: Final = {Framework.NIST_800_53: ("SI-2",)}
_OF_PRIMARY: Final = "a secondary takes it from the primary of its global datastore"


def _supported(
    resource: Resource, path: str, inventory: Inventory, find: Callable[[str], Support | None]
) -> Judgement:
    """Whether the version at a path has support on the day as of which the stack is judged."""
    value: Any = read(resource, path)
    if value is ABSENT or value == "":
        return failed(path, shown(value), _REQUIRED)
    if is_hidden(value):
        return unknown(path, _REQUIRED)
    found = find(str(value))
    if found is None:
        return unknown(path, _REQUIRED, f"{shown(value)}, {_UNKNOWN}")
    if found.ended(inventory.on or READ_ON):
        return failed(path, f"{shown(value)}, supported until {found.until}", _REQUIRED)
    return PASS


def _if_named(
    resource: Resource, path: str, inventory: Inventory, find: Callable[[str], Support | None]
) -> Judgement:
    if read(resource, path) in (ABSENT, ""):
        return not_applicable("it follows its cluster's version")
    return _supported(resource, path, inventory, find)


@family.rule(
    "aws-eks-version-supported",
    Severity.HIGH,
    "EKS clusters and machines run a version in standard support",
    types=(EKS_CLUSTER, EKS_NODE_GROUP),
    rationale=_RATIONALE,
    remedy="Raise cluster.version, one minor version at a time, as docs/upgrades.md says.",
    frameworks=_REMEDIES,
    examples=lambda: examples(
        given(EKS_CLUSTER, {"version": "1.35"}),
        broken={
            'version is "1.33", supported until 2026-07-29': put("version", "1.33"),
            'version is "1.32", supported until 2026-03-23': put("version", "1.32"),
            "version is absent": drop("version"),
            'version is ""': put("version", ""),
        },
        undecided={
            "version is known only to the provider": put("version", Hidden()),
            f'version is "1.99", {_UNKNOWN}': put("version", "1.99"),
            f'version is "latest", {_UNKNOWN}': put("version", "latest"),
        },
        accepted={"": put("version", "1.36")},
    ),
)
def eks_version_supported(found: Resource, inventory: Inventory) -> Judgement:
    judge = _if_named if found.type == EKS_NODE_GROUP else _supported
    return judge(found, "version", inventory, lambda version: support.kubernetes(Cloud.AWS, version))


@family.rule(
    "gcp-gke-version-supported",
    Severity.HIGH,
    "GKE clusters and machines run a version in standard support",
    types=(GKE_CLUSTER, GKE_NODE_POOL),
    rationale=_RATIONALE,
    remedy="Raise cluster.version, one minor version at a time, as docs/upgrades.md says.",
    frameworks=_REMEDIES,
    examples=lambda: examples(
        given(GKE_CLUSTER, {"minMasterVersion": "1.35"}),
        broken={
            'minMasterVersion is "1.34", supported until 2026-10-01': put("minMasterVersion", "1.34"),
            'minMasterVersion is "1.34.1-gke.1000", supported until 2026-10-01': put(
                "minMasterVersion", "1.34.1-gke.1000"
            ),
            "minMasterVersion is absent": drop("minMasterVersion"),
            'nodeVersion is "1.34.1-gke.1000", supported until 2026-10-01': put("nodeVersion", "1.34.1-gke.1000"),
        },
        undecided={
            "minMasterVersion is known only to the provider": put("minMasterVersion", Hidden()),
            f'minMasterVersion is "1.99", {_UNKNOWN}': put("minMasterVersion", "1.99"),
        },
        accepted={"": put("minMasterVersion", "1.35.8-gke.1036000")},
    ),
)
def gke_version_supported(found: Resource, inventory: Inventory) -> Judgement:
    def known(version: str) -> Support | None:
        return support.kubernetes(Cloud.GCP, version)

    if found.type == GKE_NODE_POOL:
        return _if_named(found, "version", inventory, known)
    own = _supported(found, "minMasterVersion", inventory, known)
    judged = all_of((own, _if_named(found, "nodeVersion", inventory, known)))
    return judged if judged.problems else PASS


@family.rule(
    "aws-elasticache-version-supported",
    Severity.HIGH,
    "ElastiCache runs an engine's version in standard support",
    types=(VALKEY, VALKEY_GLOBAL),
    rationale=_RATIONALE,
    remedy="Set engine and engineVersion to ones in standard support; Redis OSS is succeeded by Valkey.",
    frameworks=_REMEDIES,
    examples=lambda: examples(
        given(VALKEY, {"engine": "valkey", "engineVersion": "8.0"}),
        broken={
            'engineVersion is "5.0.6", supported until 2026-01-31': (
                both(put("engine", "redis"), put("engineVersion", "5.0.6")),
                both(drop("engine"), put("engineVersion", "5.0.6")),
            ),
            "engineVersion is absent": drop("engineVersion"),
        },
        undecided={
            "engineVersion is known only to the provider": put("engineVersion", Hidden()),
            "engine is known only to the provider": put("engine", Hidden()),
            f'engineVersion is "12.0", {_UNKNOWN}': put("engineVersion", "12.0"),
            f'engineVersion is "8.0", {_UNKNOWN}': put("engine", "memcached"),
        },
        accepted={
            "": (both(put("engine", "redis"), put("engineVersion", "6.x")), put("engineVersion", "7.2")),
            _OF_PRIMARY: both(drop("engineVersion"), put("globalReplicationGroupId", Output(VALKEY_GLOBAL))),
        },
    ),
)
def elasticache_version_supported(group: Resource, inventory: Inventory) -> Judgement:
    """Without an engine the provider makes one of Redis OSS."""
    named = read(group, "engineVersion") not in (ABSENT, "")
    if group.type == VALKEY_GLOBAL and not named:
        return passed("it takes the version of its primary")
    if not named and inventory.linked(group, "globalReplicationGroupId", VALKEY_GLOBAL):
        return not_applicable(_OF_PRIMARY)
    engine = read(group, "engine")
    if is_hidden(engine):
        return unknown("engine", _REQUIRED)
    if group.type == VALKEY_GLOBAL and engine is ABSENT:
        engine = _engine_of_primary(group, inventory)
    called = support.REDIS if engine is ABSENT else str(engine)
    return _supported(group, "engineVersion", inventory, lambda version: support.elasticache(called, version))


def _engine_of_primary(datastore: Resource, inventory: Inventory) -> Any:
    primaries = inventory.linked(datastore, "primaryReplicationGroupId", VALKEY)
    return read(primaries[0], "engine") if primaries else ABSENT


@family.rule(
    "gcp-memorystore-version-supported",
    Severity.HIGH,
    "Memorystore runs a version that it supports",
    types=(REDIS,),
    rationale=_RATIONALE,
    remedy="Set redisVersion to one that Memorystore lists.",
    frameworks=_REMEDIES,
    examples=lambda: examples(
        given(REDIS, {"redisVersion": "REDIS_7_2"}),
        broken={"redisVersion is absent": drop("redisVersion"), 'redisVersion is ""': put("redisVersion", "")},
        undecided={
            "redisVersion is known only to the provider": put("redisVersion", Hidden()),
            f'redisVersion is "REDIS_2_8", {_UNKNOWN}': put("redisVersion", "REDIS_2_8"),
        },
        accepted={"": put("redisVersion", "REDIS_7_0")},
    ),
)
def memorystore_version_supported(instance: Resource, inventory: Inventory) -> Judgement:
    return _supported(instance, "redisVersion", inventory, support.memorystore)
