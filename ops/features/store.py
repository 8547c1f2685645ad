"""A stack's feature store: opened for its rows, or told to a server on this machine."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from common.errors import UserError
from common.target import Target
from components.contracts import serving
from components.contracts.feature_store import FeatureStoreKind
from ops.features.rows import Row, encode
from stacks.outputs import StackOutputs

LOCAL_TIMEOUT_MS = 1000
"""What a lookup may take on this machine. An emulated store is some ten times slower than a real one."""


@dataclass(frozen=True)
class FeatureStore:
    """A stack's feature store, as its output `feature_store` describes it."""

    kind: FeatureStoreKind
    name: str
    region: str
    id: str
    environment: Mapping[str, str]
    """What a server that reads from it is told, beside its secrets."""
    writer: str = ""
    """Its own user that may write, where it has users."""

    @classmethod
    def of(cls, outputs: StackOutputs) -> FeatureStore:
        """The feature store of a stack's outputs."""
        found = outputs.feature_store
        return cls(found.kind, found.name, found.region, found.id, found.environment, found.writer)


class Rows(Protocol):
    """A feature store's rows. Every method raises `UserError` where the store cannot be reached or refuses."""

    def read(self) -> dict[str, Row]:
        """Every row by its entity id, expired ones included where the store keeps them."""
        ...

    def fetch(self, entities: Sequence[str]) -> Mapping[str, Row]:
        """The rows of these entities that are there, expired ones included where the store keeps them."""
        ...

    def write(self, rows: Mapping[str, Row]) -> None:
        """Write rows, over older ones of the same entities."""
        ...

    def variables(self) -> Mapping[str, str]:
        """Variables for a server on this machine that differ from those in the cluster."""
        ...

    def secret_files(self) -> Mapping[str, str]:
        """What a server is told by files: variable → the file's content."""
        ...


class ByIdentity:
    """The part of `Rows` of a store that a server reads by its own identity."""

    def variables(self) -> Mapping[str, str]:
        """None: a server on this machine is told what one in the cluster is told."""
        return {}

    def secret_files(self) -> Mapping[str, str]:
        """None: access goes by identity."""
        return {}


EMULATED: Final = (FeatureStoreKind.DYNAMODB, FeatureStoreKind.REDIS)
"""The kinds that a local cloud serves; it only records the others."""


def check_emulated(kind: FeatureStoreKind, where: str) -> None:
    """Raise UserError if a local cloud keeps no rows of this kind."""
    if kind not in EMULATED:
        raise UserError(
            f"the local cloud only records a {kind} feature store: it keeps no rows and serves none",
            where,
            f"Use a stack whose feature_store.kind is {' or '.join(EMULATED)}, or this one on the real cloud.",
        )


def open_rows(store: FeatureStore, target: Target) -> Rows:
    """The rows of `store`.

    Raises:
        UserError: the target is a local cloud, which keeps no rows of this kind.
    """
    if target.mode == "emulated":
        check_emulated(store.kind, f"feature store {store.name}")
    # Imported here: each client library is slow to load, and a stack needs one.
    match store.kind:
        case FeatureStoreKind.DYNAMODB:
            from ops.features.dynamodb import DynamoDBRows

            return DynamoDBRows(store, target)
        case FeatureStoreKind.REDIS:
            from ops.features.memorystore import MemorystoreRows

            return MemorystoreRows(store, target)
        case FeatureStoreKind.FIRESTORE:
            from ops.features.firestore import FirestoreRows

            return FirestoreRows(store, target)
        case FeatureStoreKind.BIGTABLE:
            from ops.features.bigtable import BigtableRows

            return BigtableRows(store, target)
        case FeatureStoreKind.VALKEY:
            from ops.features.valkey import ValkeyRows

            return ValkeyRows(store)


def write_rows(
    store: FeatureStore, target: Target, rows: Mapping[str, Sequence[float]], ttl_hours: float | None = None
) -> int:
    """Write rows, over older ones of the same entities; return how many.

    Args:
        ttl_hours: after which they expire; None: never.

    Raises:
        UserError: the store cannot be reached or refuses them.
    """
    encoded = encode(rows, ttl_hours)
    open_rows(store, target).write(encoded)
    return len(encoded)


@contextmanager
def serving_variables(
    store: FeatureStore, target: Target, timeout_ms: int = LOCAL_TIMEOUT_MS
) -> Iterator[dict[str, str]]:
    """The `SEAWALL_FEATURES_…` variables for a server on this machine, for the length of a block.

    Secrets are files in a private folder, as in a pod; the folder goes when the block ends.

    Raises:
        UserError: the store's address or its AUTH string cannot be had.
    """
    rows = open_rows(store, target)
    with tempfile.TemporaryDirectory(prefix="seawall-features-") as folder:
        files: dict[str, str] = {}
        for variable, content in rows.secret_files().items():
            files[variable] = str(Path(folder, variable.lower()))
            with os.fdopen(os.open(files[variable], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
                out.write(content)
        yield {
            serving.FEATURES_KIND: str(store.kind),
            serving.FEATURES_TIMEOUT_MS: str(timeout_ms),
            **store.environment,
            **rows.variables(),
            **files,
        }
