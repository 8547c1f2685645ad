"""Whether somebody who is trusted signed the release: its attestation, an in-toto statement in a DSSE envelope.

Small on purpose: one signature, Ed25519 or ECDSA, by a key whose digest the settings name. DSSE:
https://github.com/secure-systems-lab/dsse/blob/master/protocol.md (read 2026-11-21).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Collection
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, SECP384R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from .problems import BROKEN, FetchError

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "https://seawall.dev/model-release/v1"
_REMEDY: Final = (
    "Let its publisher sign it with `seawall models publish`, and name their fingerprint in "
    "fleet.services.NAME.release.signers; do not serve it before."
)


def check_signature(data: bytes, manifest_sha256: str, signers: Collection[str], where: str) -> str:
    """The fingerprint of the trusted signer of a release.

    Raises:
        FetchError: the attestation is not theirs, or is about another content.
    """
    try:
        return _checked(data, manifest_sha256, signers)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, UnsupportedAlgorithm) as error:
        what = f"the release's signature cannot be accepted: {error or type(error).__name__}"
        raise FetchError(what, where, _REMEDY, code=BROKEN) from error
    except InvalidSignature as error:
        what = "the release's signature is not that of its attestation: one of them was changed"
        raise FetchError(what, where, _REMEDY, code=BROKEN) from error


def _checked(data: bytes, manifest_sha256: str, signers: Collection[str]) -> str:
    envelope = json.loads(data)
    kind, payload = envelope["payloadType"], base64.b64decode(envelope["payload"], validate=True)
    if kind != PAYLOAD_TYPE:
        raise ValueError(f"it signs {kind!r}")
    (signature,) = envelope["signatures"]
    key = load_pem_public_key(signature["publicKey"].encode())
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    name = f"SHA256:{hashlib.sha256(der).hexdigest()}"
    if name not in signers:
        raise ValueError(f"it is by {name}, and the settings trust {' or '.join(sorted(signers))}")
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
    _verify(key, base64.b64decode(signature["sig"], validate=True), message)
    statement = json.loads(payload)
    if (statement["_type"], statement["predicateType"]) != (STATEMENT, PREDICATE):
        raise ValueError("it states something else than a release")
    if [subject["digest"]["sha256"] for subject in statement["subject"]] != [manifest_sha256]:
        raise ValueError("it is about another content")
    return name


def _verify(key: Any, signature: bytes, message: bytes) -> None:
    if isinstance(key, Ed25519PublicKey):
        key.verify(signature, message)
    elif isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        key.verify(signature, message, ECDSA(SHA256()))
    elif isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP384R1):
        key.verify(signature, message, ECDSA(SHA384()))
    else:
        raise ValueError("its key is of another kind")
