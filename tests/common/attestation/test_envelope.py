"""An envelope opens for who trusts its signer, as it was written, and in no other case."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from common.attestation.envelope import opened, parse_envelope, sealed
from common.attestation.problems import RefusedError, UnreadableError
from common.attestation.signers import Signing
from common.attestation.statement import Statement, Subject
from common.attestation.trust import Trust, trust_from

TYPE = "urn:test:v1"
Document = dict[str, Any]
Forge = Callable[[Document], Document]


@pytest.fixture
def document(statement: Statement, signer: Signing) -> Document:
    """As somebody reads it who got the file."""
    return json.loads(json.dumps(sealed(statement, signer)))


def with_payload(document: Document, change: Callable[[dict[str, Any]], None]) -> Document:
    payload = json.loads(base64.b64decode(document["payload"]))
    change(payload)
    return {**document, "payload": base64.b64encode(json.dumps(payload).encode()).decode()}


def with_signature(document: Document, **changes: Any) -> Document:
    return {**document, "signatures": [{**document["signatures"][0], **changes}]}


def test_what_a_trusted_signer_signed_is_read_as_it_was_stated(
    document: Document, statement: Statement, trust: Trust, signer: Signing
) -> None:
    found = opened(document, trust, TYPE, "file")
    assert (found.statement, found.signed_with) == (statement, signer.name)


@pytest.mark.parametrize(
    ("forge", "says"),
    [
        (lambda d: with_payload(d, lambda p: p["predicate"].update(verdict="forged")), "not that of the content"),
        (lambda d: with_payload(d, lambda p: p["predicate"].pop("count")), "not that of the content"),
        (lambda d: with_payload(d, lambda p: p["subject"][0].update(name="other")), "not that of the content"),
        (lambda d: {**d, "payloadType": "application/json"}, "payload is said to be"),
        (lambda d: {**d, "signatures": []}, "0 signatures"),
        (lambda d: {**d, "signatures": d["signatures"] * 2}, "2 signatures"),
        (lambda d: {**d, "signatures": "x"}, "no list of signatures"),
        (lambda d: {**d, "payload": d["payload"][:-5]}, "damaged"),
        (lambda d: {**d, "payload": 7}, "damaged"),
        (lambda d: with_signature(d, sig="AAAA"), "not that of the content"),
        (lambda d: with_signature(d, sig="?"), "damaged"),
        (lambda d: with_signature(d, keyid="SHA256:" + "0" * 64), "another key than its own"),
        (lambda d: with_signature(d, publicKey="no key"), "public key cannot be read"),
        (lambda d: with_signature(d, publicKey=None), "public key cannot be read"),
        (lambda d: with_signature(d, bundle={}), "without a key"),
    ],
)
def test_a_forged_envelope_does_not_open(document: Document, trust: Trust, forge: Forge, says: str) -> None:
    with pytest.raises(RefusedError, match=says):
        opened(forge(document), trust, TYPE, "file")


def test_what_an_attacker_signed_anew_does_not_open(
    statement: Statement, trust: Trust, make_signer: Callable[[str], Signing]
) -> None:
    with pytest.raises(RefusedError, match="whom nobody here trusts"):
        opened(sealed(statement, make_signer("mallory")), trust, TYPE, "file")


def test_an_attacker_cannot_hide_behind_a_trusted_name(
    document: Document, statement: Statement, trust: Trust, make_signer: Callable[[str], Signing]
) -> None:
    forged = sealed(statement, make_signer("mallory"))
    named = with_signature(forged, keyid=document["signatures"][0]["keyid"])
    with pytest.raises(RefusedError, match="another key than its own"):
        opened(named, trust, TYPE, "file")
    borrowed = with_signature(named, publicKey=document["signatures"][0]["publicKey"])
    with pytest.raises(RefusedError, match="not that of the content"):
        opened(borrowed, trust, TYPE, "file")


def test_a_signature_beside_the_trusted_one_is_refused(
    document: Document, statement: Statement, trust: Trust, make_signer: Callable[[str], Signing]
) -> None:
    other = sealed(statement, make_signer("mallory"))
    with pytest.raises(RefusedError, match="2 signatures"):
        opened({**document, "signatures": document["signatures"] + other["signatures"]}, trust, TYPE, "file")


def test_a_statement_of_another_kind_is_refused(document: Document, trust: Trust) -> None:
    with pytest.raises(RefusedError, match="is asked for"):
        opened(document, trust, "urn:another:v1", "file")


def test_a_statement_of_nothing_cannot_be_signed(signer: Signing) -> None:
    with pytest.raises(ValueError, match="subject"):
        sealed(Statement((), TYPE, {"a": 1}), signer)


def test_a_member_that_stands_twice_is_refused(document: Document, signer: Signing, trust: Trust) -> None:
    class Doubled(Statement):
        def payload(self) -> bytes:
            return super().payload().replace(b'"verdict":', b'"verdict":"not proven","verdict":')

    forged = sealed(Doubled((Subject("m", {"sha256": "00"}),), TYPE, {"verdict": "proven"}), signer)
    with pytest.raises(RefusedError, match="stands there twice"):
        opened(forged, trust, TYPE, "file")


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"{}", b"\xff", b'{"payload": "", "payloadType": ""}', b"[" * 10**5]
)
def test_a_file_that_holds_no_envelope_cannot_be_read(data: bytes) -> None:
    with pytest.raises(UnreadableError, match="cannot be read"):
        parse_envelope(data, "file")


def test_every_truncation_of_a_file_is_refused(document: Document, trust: Trust) -> None:
    data = json.dumps(document).encode()
    for end in range(0, len(data) - 1, 7):
        with pytest.raises(UnreadableError):
            parse_envelope(data[:end], "file")


def test_no_secret_of_the_key_stands_in_the_envelope(document: Document) -> None:
    assert "PRIVATE" not in json.dumps(document)


def test_trust_in_one_signer_is_no_trust_in_another(
    document: Document, make_signer: Callable[[str], Signing]
) -> None:
    with pytest.raises(RefusedError, match="whom nobody here trusts"):
        opened(document, trust_from([make_signer("bob").name], None), TYPE, "file")
