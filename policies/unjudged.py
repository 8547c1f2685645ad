"""Types that a stack plans and no rule reads: each is in `unjudged.yaml` with a reason, or is a violation.

So a resource of a kind that nobody has judged before cannot pass unseen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from policies.checks import PASS, failed
from policies.cluster_objects import canonical, expanded
from policies.examples import examples, given, plus
from policies.inventory import Inventory, Resource
from policies.model import Finding, Judgement, Rule, Severity, Verdict
from policies.reads import reading
from policies.tokens import SNS_TOPIC
from policies.wording import is_reason

FILE: Final = Path(__file__).with_name("unjudged.yaml")
_TOKEN: Final = re.compile(r"[a-z][\w-]*:[\w./-]+(:\w+)?")
_CARRIERS: Final = re.compile(r"kubernetes:(yaml|kustomize)(/v\d)?:\w+|kubernetes:[^:]+:\w+List")
_OWN_COMPONENTS: Final = "seawall:"
_UNSEEN: Final = "aws:example/unseen:Unseen"
_FEWEST_CHARACTERS: Final = 60


class UnjudgedFileError(ValueError):
    """The table cannot be read, or an entry of it says nothing."""


@dataclass(frozen=True)
class Unread:
    """A planned type that no rule reads."""

    type: str
    resources: tuple[Resource, ...]
    """As they were registered."""
    reason: str
    """Why no rule does; empty where the table does not have the type."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; the reason is null where there is none."""
        return {"type": self.type, "resources": len(self.resources), "reason": self.reason or None}


@dataclass(frozen=True)
class PlannedTypes:
    """What of a stack's types is read by rules."""

    planned: int = 0
    unread: tuple[Unread, ...] = ()
    """By type."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """A violation for each resource of a type that is neither read nor in the table; no waiver accepts one."""
        return tuple(_finding(each, one) for each in self.unread if not each.reason for one in each.resources)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, as a stack's report carries it."""
        return {"planned": self.planned, "unread": [each.to_json() for each in self.unread]}


def planned_types(inventory: Inventory, table: Mapping[str, str] | None = None) -> PlannedTypes:
    """The types of the stack's resources, objects of a cluster as rules see them, and those that no rule reads."""
    reasons = listed() if table is None else table
    objects = inventory.typed.derived(expanded)
    carrying = {host.urn for host, path in objects.hosts.values() if path}
    found: dict[str, dict[str, Resource]] = {}
    for each in objects.inventory.resources:
        if not each.custom and each.type.startswith(_OWN_COMPONENTS):
            continue
        host, path = objects.hosts[each.urn]
        if not path and host.urn in carrying and _CARRIERS.fullmatch(each.type):
            continue  # its objects are judged, each by its own type
        found.setdefault(canonical(each.type), {})[host.urn] = host
    unread = (
        Unread(token, tuple(members.values()), reasons.get(token, ""))
        for token, members in sorted(found.items())
        if not reading(token)
    )
    return PlannedTypes(len(found), tuple(unread))


@cache
def listed() -> Mapping[str, str]:
    """The table: type → why no rule reads it."""
    return load(FILE)


def load(path: Path) -> Mapping[str, str]:
    """Read a table.

    Raises:
        UnjudgedFileError: it is not a list of groups of types, names a type twice or a pattern, or gives a reason
            that says nothing.
    """
    try:
        data = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise UnjudgedFileError(f"{path.name} cannot be read: {error}") from None
    if not isinstance(data, list):
        raise UnjudgedFileError(f"{path.name} is no list of groups")
    table: dict[str, str] = {}
    for number, group in enumerate(cast("list[Any]", data), 1):
        reason, tokens = _group(group, f"group {number} of {path.name}")
        for token in tokens:
            if token in table:
                raise UnjudgedFileError(f"{path.name} names {token} twice")
            table[token] = reason
    return table


def _group(group: Any, where: str) -> tuple[str, list[str]]:
    if not isinstance(group, dict) or set(cast("dict[str, Any]", group)) != {"reason", "types"}:
        raise UnjudgedFileError(f"{where} must have a reason and types, and nothing else")
    reason, tokens = group["reason"], cast("Any", group["types"])
    if not isinstance(tokens, list) or not tokens:
        raise UnjudgedFileError(f"{where} must list types")
    named = cast("list[Any]", tokens)
    wrong = [token for token in named if not (isinstance(token, str) and _TOKEN.fullmatch(token))]
    if wrong:
        raise UnjudgedFileError(f"{where} names what is no type of a resource: {wrong[0]}")
    told = " ".join(reason.split()) if isinstance(reason, str) else ""
    if len(told) < _FEWEST_CHARACTERS or not is_reason(told, named):
        raise UnjudgedFileError(f"the reason of {where} does not say why no rule reads its types")
    return told, named


def _finding(unread: Unread, resource: Resource) -> Finding:
    judgement = _judge(resource, unread.type)
    return Finding(RULE, resource.urn, resource.type, resource.name, Verdict.FAIL, judgement.problems)


def _judge(resource: Resource, token: str) -> Judgement:
    carried = "" if token == canonical(resource.type) else " that it carries"
    return failed("", f"the type {token}{carried}", "a type that a rule reads, or that policies/unjudged.yaml lists")


def _check(resource: Resource, inventory: Inventory) -> Judgement:  # noqa: ARG001 - what a check is given
    token = canonical(resource.type)
    return PASS if reading(token) or token in listed() else _judge(resource, token)


RULE: Final = Rule(
    id="seawall-type-judged",
    severity=Severity.HIGH,
    title="Every type of resource is read by a rule, or listed with a reason",
    rationale=(
        "What no rule reads passes whatever it says. A type that is new to the rules is a violation, so that a "
        "person decides whether it needs a rule."
    ),
    remedy="Write a rule that reads the type, or say in policies/unjudged.yaml why none does.",
    types=("*",),
    check=_check,
    examples=lambda: examples(given(SNS_TOPIC), broken={f"the type {_UNSEEN}": plus(given(_UNSEEN))}),
)
"""Not among the rules that people waive: the table is where a type is accepted."""
