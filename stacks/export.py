"""What composition gave back, and how it becomes the stack's outputs: by the fields of `stacks.outputs`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

import pulumi
from pydantic import BaseModel

from components.contracts import refs
from components.contracts.feature_store import FeatureStoreRef
from stacks.outputs import (
    BucketOutputs,
    FeatureStoreOutputs,
    IdentitiesOutputs,
    PodIdentityOutputs,
    ReplicaOutputs,
    StackOutputs,
)
from stacks.settings import Settings


@dataclass(frozen=True)
class Platform:
    """A whole stack: its settings, and the ref of every component."""

    settings: Settings
    keys: refs.KeysRef
    network: refs.NetworkRef
    standby: refs.StandbyRef
    cluster: refs.ClusterRef
    pools: refs.NodePoolsRef
    storage: refs.StorageRef
    feature_store: FeatureStoreRef
    registry: refs.RegistryRef
    audit: refs.AuditRef
    identity: refs.IdentityRef
    operators: refs.OperatorsRef
    backup: refs.BackupRef
    monitoring: refs.MonitoringRef
    fleet: refs.FleetRef
    node_autoscaler: refs.IdentityRef | None
    """Its cloud identity, where the fleet brings a node autoscaler."""

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs by name, in the shape of `StackOutputs`; values may be `pulumi.Output`s."""
        parts = {
            "model_bucket": shown(BucketOutputs, self.storage.models, {"key": self.keys.data.id}),
            "model_replica": shown(
                ReplicaOutputs,
                self.storage.replica,
                {"key": self.keys.recovery.id, "copy_job": self.storage.copy_job},
            ),
            "feature_store": shown(FeatureStoreOutputs, self.feature_store, self.settings.feature_store),
            "objectives": self.settings.backup,
            "identities": shown(
                IdentitiesOutputs, {"fleet": shown(PodIdentityOutputs, self.identity)}, self.operators
            ),
        }
        return shown(StackOutputs, parts, self.settings.place, self)

    def export(self) -> None:
        """Register every output with the running program."""
        for name, value in self.outputs().items():
            pulumi.export(name, value)


def shown(model: type[BaseModel], *sources: object) -> dict[str, Any]:
    """What `model` declares, and nothing else, of `sources`: each field from the first one that has it.

    Raises:
        TypeError: no source has a field that `model` declares.
    """
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        value = _first(name, sources, model)
        nested = field.annotation
        if isinstance(nested, type) and issubclass(nested, BaseModel) and not isinstance(value, Mapping):
            value = shown(nested, value)
        members = [each for each in get_args(nested) if isinstance(each, type) and issubclass(each, BaseModel)]
        if members and isinstance(value, Mapping):
            value = {key: shown(members[0], each) for key, each in value.items()}
        found[name] = value
    return found


def _first(name: str, sources: tuple[object, ...], model: type[BaseModel]) -> Any:
    for source in sources:
        if isinstance(source, Mapping):
            if name in source:
                return source[name]
        elif hasattr(source, name):
            return getattr(source, name)
    raise TypeError(f"{model.__name__} declares {name!r}, which nothing gives")
