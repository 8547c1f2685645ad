"""in-toto statements (v1): what is stated (a predicate) of which artefacts (subjects, each by its digest).

Built and checked with in-toto's own message, which holds each number as a double: so the predicate goes into the
payload as it is, and only the check sees the message.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import json_format
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import STATEMENT_TYPE_URI
from in_toto_attestation.v1.statement import Statement as Message
from in_toto_attestation.v1.statement_pb2 import Statement as Proto  # pyright: ignore[reportAttributeAccessIssue]

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
"""Of the envelope: https://github.com/in-toto/attestation/blob/main/spec/v1/envelope.md (read 2026-11-21)."""


@dataclass(frozen=True)
class Subject:
    """An artefact that a statement is about; digests by in-toto's names, as `sha256` and `gitCommit`."""

    name: str
    digest: Mapping[str, str]


@dataclass(frozen=True)
class Statement:
    """What is stated of the subjects."""

    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: Mapping[str, Any]

    def payload(self) -> bytes:
        """The statement as signed: JSON.

        Raises:
            ValueError: in-toto's own check refuses it, as without a subject.
        """
        subjects = [ResourceDescriptor(name=s.name, digest=dict(s.digest)).pb for s in self.subjects]
        message = Message(subjects, self.predicate_type, dict(self.predicate))
        message.validate()
        document = {
            "_type": STATEMENT_TYPE_URI,
            "subject": [{"name": s.name, "digest": dict(sorted(s.digest.items()))} for s in self.subjects],
            "predicateType": self.predicate_type,
            "predicate": self.predicate,
        }
        return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def read_statement(payload: bytes) -> Statement:
    """The statement in a payload.

    Raises:
        ValueError: it is none that in-toto accepts, or has a member twice.
    """
    message = Proto()
    try:
        document = json.loads(payload, object_pairs_hook=_once, parse_constant=_no_constant)
        json_format.ParseDict(document, message)
    except (json_format.ParseError, AttributeError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"it is no in-toto statement: {error}") from error
    Message.copy_from_pb(message).validate()
    subjects = tuple(Subject(s["name"], s["digest"]) for s in document["subject"] if s.get("name"))
    if len(subjects) != len(document["subject"]):
        raise ValueError("a subject has no name")
    return Statement(subjects, document["predicateType"], document["predicate"])


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose members differ: of two with one name, readers disagree on which counts."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the member {name!r} stands there twice")
        found[name] = value
    return found


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON number")
