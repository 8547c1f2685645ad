"""Who had a service serve which release, when and why: numbered, signed records beside the releases, never changed.

promotions/<service>/000001.json     DSSE envelope of an in-toto statement about the release's manifest

A record is created and never replaced; each holds the digest of the one before, so that one that was taken out or
altered shows. The settings file decides what is served; the records say how it came to be so.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from common.attestation.envelope import opened, parse_envelope, sealed
from common.attestation.problems import RefusedError, UnreadableError
from common.attestation.signers import Signing
from common.attestation.statement import Statement, Subject, read_statement
from common.attestation.trust import Trust
from common.checkout import commit
from common.errors import UserError
from ops.models.layout import manifest_key, read_object
from ops.objects.store import ObjectExistsError, ObjectStore

PREFIX: Final = "promotions/"
PREDICATE_TYPE: Final = "https://seawall.dev/model-promotion/v1"
_DIGITS: Final = 6


class Pin(BaseModel):
    """What a service's settings pin."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    variant: str
    """Whose release it is: `stable`, or the other colour."""
    version: str
    manifest_sha256: str


class Promotion(BaseModel):
    """One change of what a service serves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    stack: str
    service: str
    action: Literal["promote", "rollback"]
    before: Pin
    after: Pin
    live: tuple[str, str] | None = None
    """With two colours: which was live, and which is."""
    why: str
    who: str
    at: str
    commit: str
    former_sha256: str | None = None
    """Of the record before it, as it lies in the bucket."""


@dataclass(frozen=True)
class Kept:
    """A record as it lies in the bucket."""

    promotion: Promotion
    sha256: str
    problem: str | None = None
    """Why it is not to be relied on."""


def history(store: ObjectStore, stack: str, service: str, trust: Trust | None) -> list[Kept]:
    """The records of a service, the oldest first, each with what is wrong with it.

    Args:
        trust: whose signatures count; None where the stack asks for none.
    """
    found: list[Kept] = []
    former: str | None = None
    for key in sorted(item.key for item in store.list(f"{PREFIX}{stack}/{service}/")):
        data = read_object(store, key) or b""
        digest = hashlib.sha256(data).hexdigest()
        try:
            told, problem = _read(data, f"{store.uri}/{key}", trust)
        except (UnreadableError, ValidationError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise UserError(
                f"the record cannot be read: {type(error).__name__}",
                f"{store.uri}/{key}",
                "Restore it from the bucket's older versions.",
            ) from error
        if (told.number, told.former_sha256) != (len(found) + 1, former):
            problem = problem or "the record before it was taken out or altered"
        elif (told.stack, told.service) != (stack, service):
            problem = problem or f"it is about {told.service} of {told.stack}"
        found.append(Kept(told, digest, problem))
        former = digest
    return found


def keep(store: ObjectStore, promotion: Promotion, signing: Signing) -> str:
    """Write a record; returns its key.

    Raises:
        UserError: somebody else has written one of this number meanwhile, or the signer cannot sign.
    """
    key = f"{PREFIX}{promotion.stack}/{promotion.service}/{promotion.number:0{_DIGITS}d}.json"
    subject = Subject(manifest_key(promotion.after.version), {"sha256": promotion.after.manifest_sha256})
    envelope = sealed(Statement((subject,), PREDICATE_TYPE, promotion.model_dump(mode="json")), signing)
    try:
        store.put(key, (json.dumps(envelope, indent=1) + "\n").encode(), only_create=True)
    except ObjectExistsError as error:
        raise UserError(
            f"somebody else changed {promotion.service} meanwhile, so nothing was changed",
            f"{store.uri}/{key}",
            "See what is served with `seawall models status STACK`, then run the command again.",
        ) from error
    return key


def next_promotion(
    kept: list[Kept],
    *,
    stack: str,
    service: str,
    action: Literal["promote", "rollback"],
    before: Pin,
    after: Pin,
    live: tuple[str, str] | None,
    why: str,
    who: str,
) -> Promotion:
    """The record that follows those that are kept."""
    return Promotion(
        number=len(kept) + 1,
        stack=stack,
        service=service,
        action=action,
        before=before,
        after=after,
        live=live,
        why=why,
        who=who,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=commit(),
        former_sha256=kept[-1].sha256 if kept else None,
    )


def to_undo(kept: list[Kept], now: Pin) -> Promotion | None:
    """The change that a rollback takes back: the newest that led to what is pinned now, and was not taken back.

    Raises:
        UserError: it follows from a record that is not to be relied on: else whoever may write to the bucket could
            choose the release that a rollback goes to.
    """
    undone = 0
    for each in reversed(kept):
        if each.problem is not None:
            raise UserError(
                f"the record {each.promotion.number} is not to be relied on: {each.problem}",
                f"{PREFIX}{each.promotion.stack}/{each.promotion.service}",
                "Look at `seawall models status STACK`, then name the release that is to be served: `seawall models "
                "promote STACK SERVICE VERSION --why …`.",
            )
        if each.promotion.action == "rollback":
            undone += 1
        elif undone:
            undone -= 1
        elif (each.promotion.after.version, each.promotion.after.manifest_sha256) == (
            now.version,
            now.manifest_sha256,
        ):
            return each.promotion
        else:
            return None
    return None


def _read(data: bytes, where: str, trust: Trust | None) -> tuple[Promotion, str | None]:
    envelope = parse_envelope(data, where)
    problem: str | None = None
    if trust is not None:
        try:
            told: Any = opened(envelope, trust, PREDICATE_TYPE, where).statement.predicate
            return Promotion.model_validate(told), None
        except RefusedError as error:
            problem = error.what
    statement = read_statement(base64.b64decode(envelope["payload"]))
    return Promotion.model_validate(statement.predicate), problem
