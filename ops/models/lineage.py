"""Where a release comes from: its trainer, its data and its metrics, signed together with who published it.

The trainer writes `lineage.json` beside the model repository; it names the files that it made, so that the lineage of
another model is refused. Publishing signs it in a statement about the release's manifest.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from common.attestation.envelope import opened, parse_envelope, sealed
from common.attestation.problems import RefusedError
from common.attestation.signers import KEYLESS, Signing
from common.attestation.statement import Statement, Subject, read_statement
from common.attestation.trust import Trust
from common.checkout import commit, operator
from common.errors import UserError
from ops.models.layout import attestation_key, manifest_key, read_object
from ops.models.manifest import Manifest
from ops.objects.store import ObjectStore

PREDICATE_TYPE: Final = "https://seawall.dev/model-release/v1"
FILE_NAME: Final = "lineage.json"
_DIGEST: Final = r"^[0-9a-f]{64}$"
Digest = Annotated[str, Field(pattern=_DIGEST)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Trainer(_Part):
    """The program that made the model."""

    program: str
    sha256: Digest
    python: str
    packages: Mapping[str, str]


class Data(_Part):
    """What it was trained on."""

    name: str
    sha256: Digest
    rows: int = Field(ge=1)


class Lineage(_Part):
    """The content of `lineage.json`."""

    schema_version: Literal[1] = 1
    trainer: Trainer
    data: Data
    metrics: Mapping[str, float]
    outputs: Mapping[str, Digest] = Field(min_length=1)
    """Path in the repository → its SHA-256, of each file that the trainer made."""


@dataclass(frozen=True)
class Origin:
    """What a publisher says of a release: its lineage, or why it has none."""

    lineage: Lineage | None
    without: str | None = None


@dataclass(frozen=True)
class Provenance:
    """What a trusted signer states of a release."""

    who: str
    signed_with: str
    predicate: Mapping[str, Any]


def read_lineage(file: Path, manifest: Manifest) -> Lineage:
    """The lineage in a file, if it is that of the manifest's model.

    Raises:
        UserError: there is none, or it is another model's.
    """
    remedy = (
        "Let the trainer write it, as serving_image/train.py does, and name it with --lineage; or publish with "
        "--without-lineage REASON, which is signed and shown."
    )
    try:
        lineage = Lineage.model_validate_json(file.read_bytes())
    except OSError as error:
        raise UserError(f"the model's lineage cannot be read: {error.strerror}", str(file), remedy) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        what = f"the lineage is not whole: {first['msg']} at {'.'.join(map(str, first['loc'])) or 'the top'}"
        raise UserError(what, str(file), remedy) from error
    files = {each.path: each.sha256 for each in manifest.files}
    other = sorted(path for path, digest in lineage.outputs.items() if files.get(path) != digest)
    if other:
        what = f"the lineage is another model's: {other[0]} is not the file that its trainer made"
        raise UserError(what, str(file), "Train anew, or name this model's own lineage with --lineage.")
    return lineage


def check_signer(named: str) -> None:
    """Refuse to sign a release as no pod could check it.

    Raises:
        UserError: the signer is keyless.
    """
    if named.startswith(KEYLESS):
        raise UserError(
            "a release cannot be signed without a key: pods check it where Sigstore is not reached",
            named,
            "Sign with a key in a file, or with the cloud's (awskms://…, gcpkms://…).",
        )


def sign(store: ObjectStore, manifest: Manifest, origin: Origin, signing: Signing) -> None:
    """Write the signed statement about a release beside it.

    Raises:
        UserError: the signer cannot sign.
    """
    made = commit()
    predicate = {
        "schema_version": 1,
        "version": manifest.version,
        "files": len(manifest.files),
        "bytes": manifest.size,
        "published_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "publisher": operator(),
        "commit": made.partition("+")[0],
        "uncommitted_changes": "+" in made,
        "lineage": origin.lineage.model_dump(mode="json") if origin.lineage else None,
        "without_lineage": origin.without,
    }
    subject = Subject(manifest_key(manifest.version), {"sha256": manifest.sha256})
    envelope = sealed(Statement((subject,), PREDICATE_TYPE, predicate), signing)
    store.put(attestation_key(manifest.version), (json.dumps(envelope, indent=1) + "\n").encode())


def is_signed(store: ObjectStore, manifest: Manifest) -> bool:
    """Whether there is a statement about this release, whoever signed it."""
    data = read_object(store, attestation_key(manifest.version))
    try:
        payload = base64.b64decode(json.loads(data or b"")["payload"])
        return [s.digest.get("sha256") for s in read_statement(payload).subjects] == [manifest.sha256]
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def provenance(store: ObjectStore, manifest: Manifest, trust: Trust) -> Provenance:
    """What a trusted signer states of a release.

    Raises:
        RefusedError: nobody signed it, nobody who is trusted, or the statement is about another content.
        UnreadableError: the statement cannot be read.
    """
    key = attestation_key(manifest.version)
    return stated(read_object(store, key), manifest.version, manifest.sha256, trust, f"{store.uri}/{key}")


def stated(data: bytes | None, version: str, manifest_sha256: str, trust: Trust, where: str) -> Provenance:
    """What a trusted signer states of a release, from its attestation as it was read; None where there is none.

    Raises:
        RefusedError, UnreadableError: as `provenance`.
    """
    if data is None:
        raise RefusedError(
            f"the release {version!r} is not signed",
            where,
            "Let its publisher run `seawall models publish STACK` for it again, which signs what is there.",
        )
    found = opened(parse_envelope(data, where), trust, PREDICATE_TYPE, where)
    subject = Subject(manifest_key(version), {"sha256": manifest_sha256})
    if found.statement.subjects != (subject,):
        raise RefusedError(
            "the statement is about another content than the release has",
            where,
            "Do not serve it; publish the content under a new version.",
        )
    return Provenance(found.signer.who, found.signed_with, found.statement.predicate)
