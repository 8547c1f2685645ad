"""What a rule is, what it says about one resource, and the words for both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from policies.examples import Examples
from policies.inventory import Inventory, Resource
from policies.scanner_claims import IN_PART


class Severity(StrEnum):
    """How much harm a violation can do. Not how likely it is."""

    CRITICAL = "critical"
    """Data or control can be had by anyone."""
    HIGH = "high"
    """Data can be lost, or read by someone who has one more foothold."""
    MEDIUM = "medium"
    """A second line of defence is missing."""
    LOW = "low"
    """Hygiene."""


class Verdict(StrEnum):
    """What a rule says about one resource."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    """The value is known only to the provider; production counts this as failing."""
    NOT_APPLICABLE = "not_applicable"
    """The rule has nothing to say about this resource, or the stack has no such resource."""
    WAIVED = "waived"
    """Failing, and accepted by a person for a reason until a date."""


class Framework(StrEnum):
    """A published catalogue of controls. `checkov` is a tool's check id: judged whole, or else in
    part by `policies.scanner_claims`."""

    AWS_FSBP = "AWS Foundational Security Best Practices"
    CIS_EKS = "CIS Amazon EKS Benchmark"
    CIS_GKE = "CIS Google Kubernetes Engine Benchmark"
    NIST_800_53 = "NIST SP 800-53 Rev. 5"
    CHECKOV = "checkov"


@dataclass(frozen=True)
class Problem:
    """One requirement that is not met, or (for an unknown) cannot be judged."""

    path: str
    """Dotted path of the input, as in `Resource.get`; empty where no single input is to blame."""
    found: str
    required: str

    @property
    def subject(self) -> str:
        """What was found, and where."""
        return f"{self.path} is {self.found}" if self.path else self.found

    def __str__(self) -> str:
        return f"{self.subject}; required: {self.required}"


@dataclass(frozen=True)
class Judgement:
    """A rule's opinion on one resource, with every problem found, not only the first."""

    verdict: Verdict
    problems: tuple[Problem, ...] = ()
    note: str = ""
    """Why the rule passed or did not apply."""


Check = Callable[[Resource, Inventory], Judgement]
"""A pure function: the same resource and inventory give the same judgement, whatever the machine; the day is the
inventory's own."""


@dataclass(frozen=True)
class Rule:
    """One thing that must hold for every resource of `types`.

    `check` sees the whole inventory, so that a rule about several resources (a bucket and its far replica) is
    written as a rule about the one that a person would fix.
    """

    id: str
    severity: Severity
    title: str
    rationale: str
    remedy: str
    types: tuple[str, ...]
    check: Check
    examples: Callable[[], Examples]
    """A compliant example and broken ones; a function, so that judging a stack does not build them."""
    frameworks: Mapping[Framework, tuple[str, ...]] = field(default_factory=dict)
    """Framework → ids of the controls that this rule helps to meet (many to many)."""

    @property
    def controls(self) -> Mapping[str, tuple[str, ...]]:
        """Framework, by name → controls; a scanner's checks that are judged in part have a name of their own."""
        told: dict[str, tuple[str, ...]] = {}
        for framework, ids in self.frameworks.items():
            whole = tuple(id for id in ids if framework is not Framework.CHECKOV or id not in IN_PART)
            told |= {str(framework): whole} if whole else {}
            part = tuple(id for id in ids if id not in whole)
            told |= {f"{framework}, in part": part} if part else {}
        return told

    def to_json(self) -> dict[str, Any]:
        """The rule's description, as reports carry it."""
        return {
            "id": self.id,
            "severity": str(self.severity),
            "title": self.title,
            "rationale": self.rationale,
            "remedy": self.remedy,
            "frameworks": {name: list(ids) for name, ids in self.controls.items()},
            "types": list(self.types),
        }


@dataclass(frozen=True)
class Finding:
    """A rule's verdict on one resource; `urn` is empty where the stack has no resource of the rule's types."""

    rule: Rule
    urn: str
    type: str
    name: str
    verdict: Verdict
    problems: tuple[Problem, ...] = ()
    note: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What distinguishes two findings of a stack."""
        return (self.rule.id, self.urn)

    @property
    def reason(self) -> str:
        """Why the verdict is what it is, in one sentence per problem."""
        return ". ".join(str(problem) for problem in self.problems) or self.note

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; the rule by id, its description stands elsewhere in the report."""
        return {
            "rule": self.rule.id,
            "severity": str(self.rule.severity),
            "urn": self.urn,
            "type": self.type,
            "name": self.name,
            "verdict": str(self.verdict),
            "problems": [{"path": p.path, "found": p.found, "required": p.required} for p in self.problems],
            "reason": self.reason,
        }
