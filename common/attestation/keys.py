"""Public keys: how they are named, written and read, and which kinds may sign.

Ed25519 is for keys in a file, ECDSA for keys in a cloud's key service: securesystemslib 1.6's signer for AWS KMS has
ECDSA and RSA alone (`AWSSigner.aws_algos`, read 2026-11-21). RSA is refused: the serving image checks signatures with
few lines of its own.
"""

# pyright: reportPrivateImportUsage=false
# securesystemslib says in its documentation, and not in `__all__`, what is public.

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from securesystemslib.signer import SSlibKey

from common.errors import UserError

FINGERPRINT: Final = re.compile(r"SHA256:[0-9a-f]{64}")
PublicKey = Ed25519PublicKey | EllipticCurvePublicKey


def fingerprint(public: PublicKey) -> str:
    """How a key is named: `SHA256:` and the hex digest of its DER (SubjectPublicKeyInfo).

    `openssl pkey -pubin -in KEY.pem -outform DER | sha256sum` prints the same digits.
    """
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"SHA256:{hashlib.sha256(der).hexdigest()}"


def pem(public: PublicKey) -> str:
    """The key as text."""
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def checked(key: object) -> PublicKey:
    """The key, if it is of a kind that signs here.

    Raises:
        ValueError: it is of another.
    """
    if isinstance(key, Ed25519PublicKey):
        return key
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1 | SECP384R1):
        return key
    raise ValueError("it is no Ed25519 key, and no ECDSA key on P-256 or P-384")


def from_pem(text: str) -> PublicKey:
    """The public key in `text`.

    Raises:
        ValueError: there is none, or it is of another kind.
    """
    try:
        return checked(load_pem_public_key(text.encode()))
    except UnsupportedAlgorithm as error:
        raise ValueError(str(error)) from error


def library_key(public: PublicKey) -> SSlibKey:
    """The key as the library takes it, under its fingerprint."""
    return SSlibKey.from_crypto(public, fingerprint(public))


def fingerprint_of(named: str) -> str:
    """The fingerprint that a person means by a fingerprint or by a file with a public or private key.

    Raises:
        UserError: it is neither.
    """
    if FINGERPRINT.fullmatch(named):
        return named
    remedy = "Write the fingerprint that the signer told you, as SHA256:…, or name a file with their public key."
    try:
        data = Path(named).expanduser().read_bytes()
    except (OSError, ValueError) as error:
        raise UserError("this is neither a fingerprint nor a file that can be read", named, remedy) from error
    try:
        if b"PRIVATE KEY" in data:
            private = load_pem_private_key(data, password=None)
            assert isinstance(private, Ed25519PrivateKey)  # noqa: S101 - told below
            return fingerprint(private.public_key())
        return fingerprint(from_pem(data.decode()))
    except (ValueError, TypeError, AssertionError, UnsupportedAlgorithm) as error:
        raise UserError("the file holds no key that signs here", named, remedy) from error
