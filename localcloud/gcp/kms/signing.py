"""Cloud KMS' asymmetric signatures: key pairs of elliptic curves, their public half, and signatures of digests.

REST: `cryptoKeyVersions.getPublicKey` and `.asymmetricSign`, https://cloud.google.com/kms/docs/reference/rest
(believed).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, HashAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from localcloud.gcp.wire import ApiError

PURPOSE: Final = "ASYMMETRIC_SIGN"
PRIVATE: Final = "privatePem"
"""The member of a version's document that holds its private key; no answer shows it."""
_ALGORITHMS: Final[Mapping[str, tuple[type[ec.EllipticCurve], str, HashAlgorithm]]] = {
    "EC_SIGN_P256_SHA256": (ec.SECP256R1, "sha256", SHA256()),
    "EC_SIGN_P384_SHA384": (ec.SECP384R1, "sha384", SHA384()),
}


def check_algorithm(algorithm: str) -> None:
    """Raise ApiError (501) for what is not made here."""
    if algorithm not in _ALGORITHMS:
        raise ApiError(501, f"The local cloud signs with {' or '.join(_ALGORITHMS)}, not with {algorithm or 'none'}.")


def new_private(algorithm: str) -> str:
    """A new private key, in PEM."""
    key = ec.generate_private_key(_ALGORITHMS[algorithm][0]())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_key(version: Mapping[str, Any]) -> dict[str, Any]:
    """The public half of a version. Raises ApiError (400) for one that signs nothing."""
    pem = _private(version).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    told = {name: version[name] for name in ("name", "algorithm", "protectionLevel")}
    return {**told, "pem": pem, "publicKeyFormat": "PEM"}


def signature(version: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """The signature of a digest. Raises ApiError (400) for a digest of another kind or length."""
    key, (_, name, hashed_by) = _private(version), _ALGORITHMS[version["algorithm"]]
    try:
        digest = base64.b64decode((asked.get("digest") or {})[name], validate=True)
    except (KeyError, TypeError, binascii.Error) as e:
        raise ApiError(400, f"The request has no {name} digest.") from e
    if len(digest) != hashed_by.digest_size:
        raise ApiError(400, f"The digest has {len(digest)} bytes, and {name} has {hashed_by.digest_size}.")
    signed = key.sign(digest, ec.ECDSA(Prehashed(hashed_by)))
    return {"signature": base64.b64encode(signed).decode(), "name": version["name"]}


def _private(version: Mapping[str, Any]) -> ec.EllipticCurvePrivateKey:
    if PRIVATE not in version:
        raise ApiError(400, f"{version['name']} is no key that signs.", status="FAILED_PRECONDITION")
    key = load_pem_private_key(version[PRIVATE].encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey), "made above"  # noqa: S101 (for the type checker)
    return key
