"""What a preflight says: of each thing that a stack needs, whether the account has it, and which command helps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from common.errors import EXIT_CLEAN, EXIT_FOUND

CHECKS: Final[Mapping[str, str]] = {
    "permissions": "the caller may manage every type of resource that is planned",
    "apis": "Google Cloud: the APIs are on, or the stack switches them on",
    "service-agents": "Google Cloud: the agents exist that are granted keys and roles",
    "service-linked-roles": "AWS: the roles exist that keys and pools rely on",
    "once-per-account": "what an account has at most once is free, or the stack's own",
    "quotas": "quotas hold the pools at their maxima, in both regions",
    "zones": "AWS: the zones are open to the account",
    "machines": "the zones sell the machines, and the backup region does",
    "kubernetes-version": "the cloud offers the version, in standard support or the channel",
    "addresses": "the network's ranges overlap no other's",
    "bucket-names": "names that the whole world shares are free or the account's own",
    "key-aliases": "AWS: no alias is left that names a key about to go",
    "key-rings": "Google Cloud: rings and keys that outlived a stack are usable",
    "state": "the state bucket and the secrets' key are outside the primary region, and usable",
    "images": "every image is in the registries of both regions",
    "release": "the release that the fleet serves is published",
    "alerts": "whoever gets the alerts has confirmed it",
    "control-plane": "the cluster's address answers from here",
    "door": "names and certificates of a public door",
}
"""Each check's id → what it asks."""

PROGRAMS: Final = ("aws ", "gcloud ", "pulumi ", "seawall ")


class Status(StrEnum):
    """How it stands with one thing. Never a guess: what could not be read is unknown."""

    OK = "ok"
    MISSING = "missing"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not applicable"
    """The stack does not need it, or a later step of bringing it up makes it; the detail says which."""


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    `subject` names the thing with its region, `detail` what was found. `remedy` is what helps where it is missing or
    unknown: a command to copy as it is, or a sentence.
    """

    subject: str
    status: Status
    detail: str
    remedy: str = ""

    def __post_init__(self) -> None:
        if self.status in (Status.MISSING, Status.UNKNOWN) and not self.remedy:
            raise ValueError(f"{self.subject}: {self.status} without a remedy")

    @property
    def command(self) -> str:
        """The remedy where it is a command; empty where it is a sentence."""
        return self.remedy if self.remedy.startswith(PROGRAMS) else ""


def ok(subject: str, detail: str) -> Finding:
    """It is there."""
    return Finding(subject, Status.OK, detail)


def missing(subject: str, detail: str, remedy: str) -> Finding:
    """It is not there, and the stack needs it."""
    return Finding(subject, Status.MISSING, detail, remedy)


def unknown(subject: str, detail: str, remedy: str) -> Finding:
    """It cannot be told."""
    return Finding(subject, Status.UNKNOWN, detail, remedy)


def not_applicable(subject: str, detail: str) -> Finding:
    """The stack does not need it, or not yet."""
    return Finding(subject, Status.NOT_APPLICABLE, detail)


class Unread(Exception):  # noqa: N818 - not an error of the command: it becomes a finding
    """The cloud did not let one thing be read: denied, not answered in time, or its API is off.

    Args:
        why: what was asked and how it was refused.
        remedy: what lets it be read.
    """

    def __init__(self, why: str, remedy: str) -> None:
        super().__init__(why)
        self.why = why
        self.remedy = remedy


@dataclass(frozen=True)
class Check:
    """One question to the cloud, which may give several findings.

    `find` raises Unread where an answer that all of it hangs on cannot be had. `id` is one of `CHECKS`.
    """

    id: str
    title: str
    find: Callable[[], Iterable[Finding]]


@dataclass(frozen=True)
class Answered:
    """A check's findings, and how long the cloud took."""

    id: str
    title: str
    findings: tuple[Finding, ...]
    seconds: float


@dataclass(frozen=True)
class Report:
    """What one preflight of one stack found."""

    stack: str
    account: str
    caller: str
    answered: tuple[Answered, ...]

    @property
    def counts(self) -> Mapping[Status, int]:
        """How many findings there are of each status."""
        found = Counter(finding.status for check in self.answered for finding in check.findings)
        return {status: found[status] for status in Status}

    def exit_code(self, *, allow_unknown: bool) -> int:
        """0 if nothing is missing and nothing unknown, or `allow_unknown`; else 1."""
        failing = [Status.MISSING] if allow_unknown else [Status.MISSING, Status.UNKNOWN]
        return EXIT_FOUND if any(self.counts[status] for status in failing) else EXIT_CLEAN

    def to_json(self, *, allow_unknown: bool) -> dict[str, Any]:
        """Plain JSON, as `seawall preflight --json` prints it."""
        return {
            "stack": self.stack,
            "account": self.account,
            "caller": self.caller,
            "counts": {str(status): count for status, count in self.counts.items()},
            "exit_code": self.exit_code(allow_unknown=allow_unknown),
            "checks": [
                {
                    "id": check.id,
                    "title": check.title,
                    "seconds": round(check.seconds, 3),
                    "findings": [
                        {
                            "subject": f.subject,
                            "status": str(f.status),
                            "detail": f.detail,
                            "remedy": f.remedy,
                            "command": f.command,
                        }
                        for f in check.findings
                    ],
                }
                for check in self.answered
            ],
        }


MOST_NAMED: Final = 6


def some(names: Iterable[str], most: int = MOST_NAMED) -> str:
    """The first few names, sorted, and how many more there are."""
    listed = sorted(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more
