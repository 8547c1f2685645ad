"""What policies amount to, read without a request: how far a grant reaches, and whether a condition narrows it.

A rule has no request to judge. It asks the worst that may be asked: is there a request that passes? So an unknown
condition counts as met, unless it narrows what is asked about; and a denial counts only where no request escapes it.

Which keys stand for what: service authorization reference and IAM user guide, "AWS global condition context keys"
(read 2026-11-22).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from common.iam.conditions import Condition
from common.iam.context import matches, resource_matches
from common.iam.documents import Policy, Statement
from common.iam.evaluation import covers_action

_ARN_PARTS: Final = 6
_LEAST_PREFIX: Final = 3
"""Characters with which a name must begin before its first wildcard, to be a name of one's own."""
_LEAST_NAME: Final = 8
"""Characters that a name must have beside its wildcards, where it begins with one."""
_WITHOUT_KIND: Final = frozenset({"s3", "sns", "sqs", "execute-api", "codecommit"})
"""Services whose ARNs end in the name itself, with no word for what it is."""

_POSITIVE: Final = frozenset(
    {"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike", "NumericEquals", "Bool"}
)
_ASKED: Final = re.compile(r"^(aws:(requesttag/.*|tagkeys|referer|useragent|sourceidentity)|s3:prefix)$")
"""Keys whose value whoever asks may choose: a variable of one is as good as a wildcard."""
_OWN: Final = re.compile(
    r"^aws:(principalaccount|resourceaccount|sourceaccount|principalorgid|currenttime|epochtime)$"
)
"""Keys whose value is no name of a resource."""
_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")

RESOURCE_KEYS: Final = re.compile(
    r"^(aws:resourcetag/.+|[a-z0-9-]+:resourcetag/.+|s3:existingobjecttag/.+|s3:prefix|s3:dataaccesspointarn"
    r"|dynamodb:leadingkeys|secretsmanager:(secretid|resourcetag/.+)|kms:(encryptioncontext:.+|viaservice)"
    r"|kms:resourcealiases|kms:requestalias|ssm:resourcetag/.+|ec2:(vpc|subnet|launchtemplate|instanceprofile)"
    r"|ecs:cluster|backup:copytargets|elasticloadbalancing:resourcetag/.+|aws:calledvia(first|last)?)$"
)
"""Keys by which a condition says which of the resources; an alias is another rule's matter."""


@dataclass(frozen=True)
class Allowed:
    """One statement that lets an action be done, and no denial that takes it all back."""

    statement: Statement
    position: int
    """Of the statement in its policy."""
    policy: Policy
    resources: tuple[str, ...]
    """The patterns that no denial covers; `*` for all but some."""

    @property
    def widest(self) -> str:
        """A pattern that names nothing of one's own; empty where each names something."""
        if self.statement.not_resources is not None:
            return "all but some"
        return next((r for r in self.resources if is_wide(r, variables=self.policy.has_variables)), "")


def allowing(policies: Sequence[Policy], action: str, *, denials: Sequence[Policy] = ()) -> Iterator[Allowed]:
    """The statements by which the policies let an action be done on something."""
    refusals = [
        (s, p.has_variables) for p in (*policies, *denials) for s in p.statements if _denies_for_sure(s, action)
    ]
    for policy in policies:
        for position, statement in enumerate(policy.statements):
            if statement.effect != "Allow" or not covers_action(statement, action) or never(statement.conditions):
                continue
            patterns = ("*",) if statement.not_resources is not None else statement.resources or ("*",)
            left = tuple(p for p in patterns if not any(_covers(deny, p) for deny, _ in refusals))
            if left:
                yield Allowed(statement, position, policy, left)


def _denies_for_sure(statement: Statement, action: str) -> bool:
    everyone = not statement.names_principals or any(name == "*" for _, name in statement.principals or ())
    return (
        statement.effect == "Deny"
        and everyone
        and covers_action(statement, action)
        and all(is_vacuous(condition) for condition in statement.conditions)
    )


def _covers(deny: Statement, pattern: str) -> bool:
    """Whether a denial holds for all that an ARN pattern stands for."""
    if deny.not_resources is not None:
        return not any(may_overlap(spared, pattern) for spared in deny.not_resources)
    return deny.resources is None or any(
        "?" not in denied and "$" not in denied and arn_covers(denied, pattern) for denied in deny.resources
    )


def arn_covers(pattern: str, arn: str) -> bool:
    """Whether a pattern of `Resource` covers an ARN, or all that another pattern without `?` stands for."""
    if not pattern.strip("*"):
        return bool(pattern)
    parts = pattern.split(":", _ARN_PARTS - 1)
    return resource_matches(":".join(parts + ["*"] * (_ARN_PARTS - len(parts))), arn)


def may_overlap(one: str, other: str) -> bool:
    """Whether two patterns may stand for the same resource; a doubt is a yes."""
    return arn_covers(one, other) or arn_covers(other, one) or ("*" in one and "*" in other)


def is_wide(pattern: str, *, variables: bool = True) -> bool:
    """Whether an ARN pattern names nothing of one's own: everything of a kind, or names that anybody may have."""
    text = _VARIABLE.sub(_variable, pattern) if variables else pattern
    if text.count(":") < _ARN_PARTS - 1:
        return True
    service, own = text.split(":", _ARN_PARTS - 1)[2::3]
    if service.strip("*?") != service:
        return True
    if service in _WITHOUT_KIND:
        name = own.split("/", 1)[0]
    else:
        kind, _, name = _split_kind(own)
        if kind != kind.strip("*?") or not kind:
            return True
        if not name:  # a resource that is all there is of its kind
            return False
    return not _is_name(name)


def _split_kind(own: str) -> tuple[str, str, str]:
    cut = re.search(r"[/:]", own)
    return (own[: cut.start()], cut[0], own[cut.end() :]) if cut else (own, "", "")


def _is_name(text: str) -> bool:
    if not set("*?") & set(text):
        return bool(text)
    prefix = re.split(r"[*?]", text, maxsplit=1)[0].strip("/:-._")
    return len(prefix) >= _LEAST_PREFIX or len(re.sub(r"[*?/:._-]", "", text)) >= _LEAST_NAME


def _variable(found: re.Match[str]) -> str:
    key = found[1].partition(",")[0].strip().lower()
    if key in ("*", "?", "$"):
        return "_"
    return "*" if _ASKED.match(key) or _OWN.match(key) else "variable"


def is_vacuous(condition: Condition) -> bool:
    """Whether a condition is met by every request that carries the caller: it may as well not be there."""
    operator, key = condition.operator, condition.key.lower()
    anything = any(value.strip("*") == "" and value for value in condition.values)
    always = key in ("aws:principalarn", "aws:principalaccount", "aws:currenttime", "aws:requestedregion")
    if operator.base in ("StringLike", "ArnLike", "ArnEquals"):
        return anything and (always or operator.if_exists or operator.quantifier == "ForAllValues")
    return operator.base == "Null" and always and "false" in [value.lower() for value in condition.values]


def never(conditions: Iterable[Condition]) -> bool:
    """Whether no request can meet the conditions."""
    return any(
        c.operator.base == "Null"
        and c.key.lower() in ("aws:principalarn", "aws:principalaccount", "aws:currenttime")
        and [v.lower() for v in c.values] == ["true"]
        for c in conditions
    )


def binds(condition: Condition) -> bool:
    """Whether a condition can be met only by a request that carries the key, with one of the values.

    `…IfExists` lets a request without the key pass, `ForAllValues` one with an empty list, a negation all other
    values; a value that is a wildcard, or a variable that the request itself fills, lets every value pass.
    """
    operator = condition.operator
    if operator.if_exists or operator.quantifier == "ForAllValues" or operator.base not in _POSITIVE:
        return False
    return bool(condition.values) and not any(is_open(value) for value in condition.values)


def is_open(value: str) -> bool:
    """Whether a value of a condition fits whatever a request may have."""
    text = _VARIABLE.sub(_variable, value)
    if text.startswith("arn:") and text.count(":") >= _ARN_PARTS - 1:
        return is_wide(text) if any(c in text for c in "*?") else False
    left = re.sub(r"[*?]", "", text).strip("/:-._")
    return not left if text != value or any(c in value for c in "*?") else not value


def narrows_resource(conditions: Iterable[Condition]) -> bool:
    """Whether conditions leave some of the resources only: by tag, by key of an item, by what is encrypted."""
    for condition in conditions:
        key = condition.key.lower()
        if binds(condition) and RESOURCE_KEYS.match(key):
            return True
        # A key that only a service's own call carries: nobody can ask for it directly.
        if condition.operator.base == "Null" and key == "kms:viaservice" and condition.values == ("false",):
            return True
        if key == "kms:grantisforawsresource" and binds(condition) and condition.values == ("true",):
            return True
    return False


def values_bound(conditions: Iterable[Condition], *keys: str) -> list[str]:
    """The values that conditions bind one of the keys to; none where nothing binds it."""
    return [v for c in conditions if c.key.lower() in keys and binds(c) for v in c.values]


def covers_all_of(statement: Statement, service: str) -> bool:
    """Whether a statement covers whatever a service can be asked: `*`, `iam:*`, `i*:*`, or all but some."""
    if statement.not_actions is not None:
        return not any(matches(p, f"{service}:AnyNewAction", ignore_case=True) for p in statement.not_actions)
    return any(matches(p, f"{service}:Any New Action", ignore_case=True) for p in statement.actions or ())
