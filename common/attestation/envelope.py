"""DSSE envelopes: signs a statement, and opens one whose signer is trusted.

A signature stands beside what it is checked with: the public key, or Sigstore's bundle. Neither is trusted for that:
the key's name is its digest, and only a name that the reader was told counts. An envelope has exactly one signature,
as it was written; a second one was added by somebody, and is refused.
"""

# pyright: reportPrivateImportUsage=false
# securesystemslib says in its documentation, and not in `__all__`, what is public.

from __future__ import annotations

import binascii
import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import Key, SigstoreKey, SigstoreSigner

from common.attestation.keys import fingerprint, from_pem, library_key
from common.attestation.problems import RefusedError, UnreadableError
from common.attestation.signers import Signing
from common.attestation.statement import PAYLOAD_TYPE, Statement, read_statement
from common.attestation.trust import Trust, TrustedSigner

_MEMBERS: Final = {"payload", "payloadType", "signatures"}
_KEY: Final = "publicKey"
_BUNDLE: Final = "bundle"
_ASK: Final = "Do not rely on it; ask for the file as it was written."


@dataclass(frozen=True)
class Opened:
    """A statement, and who signed it."""

    statement: Statement
    signer: TrustedSigner
    signed_with: str
    """The key's fingerprint, or the keyless identity."""


def sealed(statement: Statement, signing: Signing) -> dict[str, Any]:
    """The envelope of a signed statement, as JSON.

    Raises:
        UserError: the signer cannot sign.
        ValueError: the statement is none that in-toto accepts.
    """
    envelope = Envelope(statement.payload(), PAYLOAD_TYPE, {})
    signature = signing.sign(envelope)
    if signing.public_key_pem is not None:
        signature.unrecognized_fields[_KEY] = signing.public_key_pem
    return envelope.to_dict()


def is_envelope(document: object) -> bool:
    """Whether a JSON document has a DSSE envelope's members."""
    return isinstance(document, Mapping) and set(document) >= _MEMBERS


def parse_envelope(data: bytes, where: str) -> dict[str, Any]:
    """The JSON of an envelope; nothing in it is believed yet.

    Raises:
        UnreadableError: it is none.
    """
    try:
        document = json.loads(data)
    except json.JSONDecodeError as error:
        what = f"it is no JSON, or cut off (line {error.lineno}, column {error.colno})"
    except (ValueError, RecursionError):
        what = "it is no text"
    else:
        if isinstance(document, dict) and is_envelope(document):
            return document
        what = "it is no DSSE envelope"
    raise UnreadableError(f"the signed statement cannot be read: {what}", where, "Name the file as it was written.")


def opened(document: Mapping[str, Any], trust: Trust, predicate_type: str, where: str) -> Opened:
    """The statement of an envelope that a trusted signer signed, and that states what is asked for.

    Raises:
        RefusedError: it was changed or forged, states something else, or its signer is not trusted.
    """
    if document["payloadType"] != PAYLOAD_TYPE:
        raise RefusedError(
            f"the payload is said to be {document['payloadType']!r}, and a statement is {PAYLOAD_TYPE!r}", where, _ASK
        )
    signature = _only_signature(document["signatures"], where)
    key, signer, signed_with = _trusted_key(signature, trust, where)
    try:
        envelope = Envelope.from_dict(
            {**deepcopy(dict(document)), "signatures": [{**deepcopy(signature), "keyid": key.keyid}]}
        )
        envelope.verify([key], 1)
    except (KeyError, ValueError, TypeError, AttributeError, binascii.Error) as error:
        raise RefusedError(f"the envelope is damaged: {error}", where, _ASK) from error
    except VerificationError as error:
        raise RefusedError(
            "the signature is not that of the content: one of them was changed", where, _ASK
        ) from error
    try:
        statement = read_statement(envelope.payload)
    except ValueError as error:
        raise RefusedError(f"what is signed is no statement: {error}", where, _ASK) from error
    if statement.predicate_type != predicate_type:
        what = f"the statement is a {statement.predicate_type!r}, and a {predicate_type!r} is asked for"
        raise RefusedError(what, where, "Name the file that states this.")
    return Opened(statement, signer, signed_with)


def _only_signature(signatures: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(signatures, list) or len(signatures) != 1 or not isinstance(signatures[0], Mapping):
        count = len(signatures) if isinstance(signatures, list) else "no list of"
        raise RefusedError(f"the envelope has {count} signatures, and is written with one", where, _ASK)
    return signatures[0]


def _trusted_key(signature: Mapping[str, Any], trust: Trust, where: str) -> tuple[Key, TrustedSigner, str]:
    """The library's key to check a signature with, if its holder is trusted."""
    if _BUNDLE in signature:
        return _keyless(signature, trust, where)
    try:
        public = from_pem(signature[_KEY])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RefusedError(f"the signature's public key cannot be read: {error}", where, _ASK) from error
    name = fingerprint(public)
    if signature.get("keyid") != name:
        raise RefusedError(f"the signature names another key than its own, which is {name}", where, _ASK)
    holder = trust.holder(name)
    if holder is None:
        raise RefusedError(
            f"signed by {name}, whom nobody here trusts",
            where,
            "Do not rely on it, unless its signer tells you by another way that this is their fingerprint; then name "
            "it with --signer, or add it to the allowed signers.",
        )
    return library_key(public), holder, name


def _keyless(signature: Mapping[str, Any], trust: Trust, where: str) -> tuple[Key, TrustedSigner, str]:
    """The identity that a keyless signature claims, if it is trusted; the library asks Sigstore if it is true."""
    keys: list[tuple[SigstoreKey, TrustedSigner, str]] = []
    for holder, who in trust.keyless():
        _, key = SigstoreSigner.import_(who.identity, who.issuer)
        keys.append((key, holder, f"{who.identity} ({who.issuer})"))
    found = next((each for each in keys if each[0].keyid == signature.get("keyid")), None)
    if found is None:
        raise RefusedError(
            "signed without a key, by an identity that nobody here trusts",
            where,
            "Add `WHO sigstore IDENTITY ISSUER` to the allowed signers, if you know that this identity signs.",
        )
    from common.attestation.signers import require_sigstore

    require_sigstore()
    return found
