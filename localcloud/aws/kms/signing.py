"""KMS' Sign with elliptic-curve keys; moto's signs the message's base64, and hashes a digest again (5.2.5)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from localcloud.aws.answers import Answer, json_error

_HASHES: Final[Mapping[str, HashAlgorithm]] = {
    "ECDSA_SHA_256": SHA256(),
    "ECDSA_SHA_384": SHA384(),
    "ECDSA_SHA_512": SHA512(),
}
RAW_BYTES_MAX: Final = 4096
"""KMS API reference, Sign, "Message" (believed)."""


def sign(key: Any, request: Mapping[str, Any]) -> Answer | None:
    """The answer to a Sign; None for a key or algorithm that moto has to answer about."""
    algorithm = str(request.get("SigningAlgorithm", ""))
    if key is None or key.key_usage != "SIGN_VERIFY" or algorithm not in (key.signing_algorithms or ()):
        return None
    hashed_by = _HASHES.get(algorithm)
    if hashed_by is None:
        return None
    try:
        message = base64.b64decode(str(request.get("Message", "")), validate=True)
    except binascii.Error:
        return json_error("SerializationException", "Message is not base64")
    is_digest = request.get("MessageType") == "DIGEST"
    if is_digest and len(message) != hashed_by.digest_size:
        return json_error("ValidationException", f"Digest is invalid length for algorithm {algorithm}.")
    if not 1 <= len(message) <= RAW_BYTES_MAX:
        return json_error("ValidationException", f"Message must have 1 to {RAW_BYTES_MAX} bytes")
    signed = key.private_key.private_key.sign(message, ECDSA(Prehashed(hashed_by) if is_digest else hashed_by))
    told = {"KeyId": key.arn, "Signature": base64.b64encode(signed).decode(), "SigningAlgorithm": algorithm}
    return Answer("200 OK", "application/x-amz-json-1.1", json.dumps(told).encode())
