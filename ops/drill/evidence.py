"""Writes, signs and checks a drill's evidence: JSON for machines, Markdown for people, Ed25519 for both.

The signature covers the JSON document without its `signature` member, in canonical form (sorted keys, no spaces).
The operator's key lives in their configuration folder, is made on first use, and never leaves it; the evidence
carries the public key, whose fingerprint an auditor compares with the one they know.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from common.errors import UserError
from common.files import write_whole
from common.paths import home_dir
from ops.drill.markdown import markdown
from ops.drill.model import Predicate

ALGORITHM: Final = "Ed25519"


def default_key_file() -> Path:
    """`$SEAWALL_SIGNING_KEY`, else one file in the user's configuration folder."""
    explicit = os.environ.get("SEAWALL_SIGNING_KEY")
    if explicit:
        return Path(explicit).expanduser()
    config = os.environ.get("XDG_CONFIG_HOME")
    return (Path(config) if config else home_dir() / ".config") / "seawall" / "drill-signing-key.pem"


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The operator's key, made with mode 0600 if there is none.

    Raises:
        UserError: the file cannot be read or written, or holds no Ed25519 key.
    """
    try:
        if not path.exists():
            _make_key(path)
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise UserError(
            f"the signing key cannot be used: {getattr(error, 'strerror', None) or 'it is no Ed25519 key in PEM'}",
            str(path),
            "Name another file in SEAWALL_SIGNING_KEY, or move this one away so that a new key is made.",
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UserError(
            "the signing key is not an Ed25519 key", str(path), "Name an Ed25519 key in SEAWALL_SIGNING_KEY."
        )
    return key


def signed(predicate: Predicate, key: Ed25519PrivateKey) -> dict[str, Any]:
    """The predicate with its signature."""
    document = dict(predicate)
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    document["signer"] = {
        "algorithm": ALGORITHM,
        "public_key": base64.b64encode(public).decode(),
        "fingerprint": fingerprint(public),
    }
    document["signature"] = base64.b64encode(key.sign(canonical(document))).decode()
    return document


def verify(document: Mapping[str, Any]) -> str:
    """The fingerprint of the key that signed `document`.

    Raises:
        UserError: it is not signed, or it was changed since.
    """
    try:
        public = base64.b64decode(document["signer"]["public_key"], validate=True)
        signature = base64.b64decode(document["signature"], validate=True)
        Ed25519PublicKey.from_public_bytes(public).verify(signature, canonical(document))
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            "the evidence bears no signature" if isinstance(error, KeyError) else "its signature cannot be read",
            str(document.get("drill_id", "the document")),
            "Ask for the file as the drill wrote it.",
        ) from error
    except InvalidSignature:
        raise UserError(
            "the evidence was changed after it was signed",
            str(document.get("drill_id")),
            "Do not rely on it; ask for the file as the drill wrote it.",
        ) from None
    return fingerprint(public)


def canonical(document: Mapping[str, Any]) -> bytes:
    """What the signature covers."""
    unsigned = {key: value for key, value in document.items() if key != "signature"}
    return json.dumps(unsigned, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def fingerprint(public: bytes) -> str:
    """SHA-256 of the raw public key, as `SHA256:<hex>`."""
    return f"SHA256:{hashlib.sha256(public).hexdigest()}"


def write(document: Mapping[str, Any], folder: Path) -> tuple[Path, Path]:
    """Both files, whole or not at all; returns their paths (JSON, Markdown).

    Raises:
        OSError: the folder cannot be written to.
    """
    stem = f"drill-{document['stack']}-{document['drill_id']}"
    page = f"{markdown(document)}\nSigned by `{document['signer']['fingerprint']}`.\n"
    texts = {".json": json.dumps(document, indent=1, ensure_ascii=False) + "\n", ".md": page}
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / f"{stem}.json", folder / f"{stem}.md"
    for path in paths:
        write_whole(path, texts[path.suffix])
    return paths


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(pem)
    # A link, not a rename: of two drills that start at once, one makes the key and both use it.
    try:
        os.link(scratch, path)
    except FileExistsError:
        pass
    finally:
        scratch.unlink()
