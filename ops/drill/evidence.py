"""Writes a drill's evidence: a signed in-toto statement for machines and auditors, Markdown for people.

The statement's predicate is all that the drill found; its subjects are what the drill was about, each by its digest.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from common.attestation.envelope import parse_envelope, sealed
from common.attestation.problems import UnreadableError
from common.attestation.signers import Signing
from common.attestation.statement import Statement, Subject, read_statement
from common.files import write_whole
from ops.drill.markdown import markdown
from ops.drill.model import SCHEMA_VERSION, Predicate
from ops.serving.golden import golden_file

PREDICATE_TYPE: Final = f"https://seawall.dev/restore-drill/v{SCHEMA_VERSION}"
ARTEFACTS: Final = ("release manifest", "golden set", "serving image", "deployed program")
"""What every drill is about, by the subjects' names."""


def artefacts(
    manifest_sha256: str, image: str, program: Mapping[str, Any], goldens: Path | None = None
) -> list[dict[str, Any]]:
    """What a drill is about, as its predicate names it.

    Args:
        manifest_sha256: of the release that the fleet runs.
        image: the digest of the fleet's image, as `sha256:…`.
        program: as `ops.drill.program` tells it.
        goldens: the file of golden predictions; the checkout's by default.
    """
    golden = hashlib.sha256((goldens or golden_file()).read_bytes()).hexdigest()
    made = {"gitCommit": program["commit"]} if program["commit"] else {}
    digests = (
        {"sha256": manifest_sha256},
        {"sha256": golden},
        {"sha256": image.removeprefix("sha256:")},
        {"sha256": program["deployed_sha256"], **made},
    )
    return [{"name": name, "digest": digest} for name, digest in zip(ARTEFACTS, digests, strict=True)]


def subjects(predicate: Predicate) -> tuple[Subject, ...]:
    """The statement's subjects.

    Raises:
        KeyError, TypeError: the predicate does not name its artefacts.
    """
    return tuple(Subject(each["name"], each["digest"]) for each in predicate["artefacts"])


def signed(predicate: Predicate, signing: Signing) -> dict[str, Any]:
    """The envelope of the predicate's statement.

    Raises:
        UserError: the signer cannot sign.
    """
    return sealed(Statement(subjects(predicate), PREDICATE_TYPE, predicate), signing)


def write(envelope: Mapping[str, Any], predicate: Predicate, signed_with: str, folder: Path) -> tuple[Path, Path]:
    """Both files, whole or not at all; returns their paths (envelope, Markdown).

    Raises:
        OSError: the folder cannot be written to.
    """
    stem = f"drill-{predicate['stack']}-{predicate['drill_id']}"
    page = f"{markdown(predicate)}\nSigned by `{signed_with}`.\n"
    texts = {".json": json.dumps(envelope, indent=1) + "\n", ".md": page}
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / f"{stem}.json", folder / f"{stem}.md"
    for path in paths:
        write_whole(path, texts[path.suffix])
    return paths


def read_envelope(path: Path) -> dict[str, Any]:
    """The envelope in a file; nothing in it is believed yet.

    Raises:
        UnreadableError: there is none, or it is evidence of an older version.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableError(
            f"the evidence cannot be read: {error.strerror}", str(path), "Name the JSON that a drill wrote."
        ) from error
    older = _older_schema(data)
    if older is not None:
        raise UnreadableError(
            f"the evidence is of schema version {older}, which was signed in another way and is no longer accepted; "
            f"this version reads {SCHEMA_VERSION}",
            str(path),
            "Drill again, or check it with the version of Seawall that wrote it.",
        )
    return parse_envelope(data, str(path))


def predicate_of(envelope: Mapping[str, Any]) -> Predicate:
    """What an envelope says, whoever signed it: for showing alone, never for relying on it.

    Raises:
        ValueError, KeyError, TypeError: it says nothing that can be read.
    """
    return read_statement(base64.b64decode(envelope["payload"])).predicate


def _older_schema(data: bytes) -> int | None:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None  # `parse_envelope` says why
    found = document.get("schema_version") if isinstance(document, dict) else None
    return found if isinstance(found, int) else None
