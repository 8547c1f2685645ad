"""The emulator's whole state: moto's backends and what this package adds to them, saved to a file and read back."""

from __future__ import annotations

import os
import pickle
import threading
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from moto.backends import get_backend

from localcloud.aws.backup.data import BackupData

if TYPE_CHECKING:
    from moto.dynamodb.models.table import Table
    from moto.kms.models import Key
    from moto.s3.models import FakeBucket

SERVICES = ("s3", "dynamodb", "kms", "sns", "backup", "iam")
"""What the local cloud keeps between commands; no other service of moto's is used."""

_FORMAT = 4


@dataclass
class Overlay:
    """What moto does not keep."""

    backup: BackupData = field(default_factory=BackupData)
    associations: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Pod identity associations by id, as EKS describes them."""
    endpoints: dict[str, dict[str, str]] = field(default_factory=dict)
    """VPC endpoints by id: `region`, `service`, `type`, `vpc` and `policy`."""
    last_id: int = 0
    history: dict[tuple[str, str], list[tuple[int, bytes]]] = field(default_factory=dict)
    """By (region, table): seconds in which it was written to, each with what it held before: `dynamodb.history`."""
    lost: set[str] = field(default_factory=set)
    """Regions in which nothing answers."""
    unknown_keys: set[str] = field(default_factory=set)
    """Condition keys on which a decision depended and that the emulator does not know; they denied."""


class AwsState:
    """Access to moto's models by account and region, with the overlay beside them."""

    def __init__(self, account: str) -> None:
        self.account = account
        self.overlay = Overlay()
        self.lock = threading.RLock()
        """Held for a whole request or piece of work: moto's models are not made for threads, and judges walk them."""

    def backend(self, service: str, region: str) -> Any:
        """Moto's backend of one service in one region."""
        backends: Any = get_backend(service)  # type: ignore[call-overload] - moto types the name as a literal
        return backends[self.account]["aws" if service in ("s3", "iam") else region]

    def bucket(self, name: str) -> FakeBucket | None:
        """A bucket, whatever its region."""
        return self.backend("s3", "aws").buckets.get(name)

    def table(self, region: str, name: str) -> Table | None:
        """A table by name or ARN."""
        return self.backend("dynamodb", region).tables.get(name.rsplit("/", 1)[-1])

    def key(self, key_id: str, default_region: str) -> Key | None:
        """A KMS key by ARN, or by id or alias in `default_region`; None if there is none, or its region is lost."""
        region = key_id.split(":")[3] if key_id.startswith("arn:") else default_region
        if region in self.overlay.lost:
            return None
        backend = self.backend("kms", region)
        name = key_id.split(":", 5)[5] if key_id.startswith("arn:") else key_id
        if name.startswith("alias/"):
            found = backend.get_key_id_from_alias(name)
            return backend.keys.get(found) if found else None
        return backend.keys.get(name.removeprefix("key/"))

    def is_lost(self, *regions: str) -> bool:
        """Whether nothing answers in one of the regions."""
        return not self.overlay.lost.isdisjoint(regions)

    def next_id(self) -> int:
        """A number that no resource of this account had before."""
        self.overlay.last_id += 1
        return self.overlay.last_id

    def save(self, file: Path) -> None:
        """Write everything; the file is whole or not there."""
        backends = {
            (service, account, region): backend
            for service in SERVICES
            for account, region, backend in _instances(service)
        }
        partial = file.with_name(f"{file.name}.partial")
        with partial.open("wb") as stream:
            _Pickler(stream).dump({"format": _FORMAT, "backends": backends, "overlay": self.overlay})
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(file)

    def load(self, file: Path) -> None:
        """Take over what `save` wrote.

        Raises ValueError if the file is no such thing, or of another version's.
        """
        try:
            # A file of the user's own, in a folder that only the user may write.
            loaded = pickle.loads(file.read_bytes())  # noqa: S301
        except Exception as e:
            raise ValueError(f"{file} cannot be read: {type(e).__name__}: {e}") from e
        known = {each.name for each in fields(Overlay)}
        if loaded.get("format") != _FORMAT or vars(loaded["overlay"]).keys() != known:
            raise ValueError(f"{file} was written by another version")
        for (service, account, region), backend in loaded["backends"].items():
            get_backend(service)[account][region] = backend
        self.overlay = loaded["overlay"]


def _instances(service: str) -> list[tuple[str, str, Any]]:
    backends: Any = get_backend(service)  # type: ignore[call-overload]
    return list(backends.iter_backends())


def _load_private_key(pem: bytes) -> object:
    return serialization.load_pem_private_key(pem, password=None)


class _Pickler(pickle.Pickler):
    """Adds what moto holds and pickle refuses: private keys, and functions made inside functions."""

    def reducer_override(self, obj: object) -> Any:
        if isinstance(obj, RSAPrivateKey | EllipticCurvePrivateKey):
            pem = obj.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            return _load_private_key, (pem,)
        return NotImplemented
