"""Decides requests by the policies that bear on them, as AWS combines them.

Sources, read 2026-11-21: IAM user guide, "Policy evaluation logic", "Cross-account policy evaluation logic" and
"Permissions boundaries for IAM entities" (awsdocs/iam-user-guide of 2023-06); for KMS its developer guide, "Key
policies in AWS KMS" and "Default key policy" (awsdocs/aws-kms-developer-guide of 2023-06): a key's policy must allow,
and the account's root in it hands the decision to IAM.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache, reduce

from common.iam.conditions import holds
from common.iam.context import Context, Told, Truth, matches, resource_matches, substituted
from common.iam.documents import Policy, Statement

_ARN_PARTS = 6


@dataclass(frozen=True)
class Principal:
    """Who asks.

    Args:
        arn: the session, user or root; empty for an AWS service and for an anonymous caller.
        account: its account's id; empty as above.
        role_arn: the role, where `arn` is a session of one.
        service: the service's name, as `s3.amazonaws.com`, where a service asks in its own name.
        tags: of the role or user, and of the session.
        federated: the identity provider's ARN or name, where one vouches for the caller.
    """

    arn: str = ""
    account: str = ""
    role_arn: str = ""
    service: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    federated: str = ""

    @staticmethod
    def role(role_arn: str, session: str = "session", tags: Mapping[str, str] | None = None) -> Principal:
        """A session of a role."""
        account, name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
        return Principal(f"arn:aws:sts::{account}:assumed-role/{name}/{session}", account, role_arn, tags=tags or {})

    @staticmethod
    def of_service(name: str) -> Principal:
        """An AWS service in its own name."""
        return Principal(service=name)

    def __str__(self) -> str:
        return self.arn or self.service or self.federated or "an anonymous caller"

    def context(self) -> Context:
        """The condition keys that tell of it (IAM user guide, "AWS global condition context keys")."""
        told: dict[str, str | None] = {
            # For a session it is the role's ARN, not the session's.
            "aws:PrincipalArn": self.role_arn or self.arn or None,
            "aws:PrincipalAccount": self.account or None,
            "aws:PrincipalIsAWSService": str(bool(self.service)).lower(),
            "aws:PrincipalServiceName": self.service or None,
            "aws:PrincipalType": self._type(),
            "aws:PrincipalTag/*": None,
        }
        return {**told, **{f"aws:PrincipalTag/{key}": value for key, value in self.tags.items()}}

    def _type(self) -> str | None:
        if self.role_arn:
            return "AssumedRole"
        if ":user/" in self.arn:
            return "User"
        if self.arn.endswith(":root"):
            return "Account"
        return None if self.service or self.federated else "Anonymous"


@dataclass(frozen=True)
class Request:
    """Who wants to do what with which resource.

    Args:
        action: as `s3:GetObject`.
        resource: an ARN, or `*` for an action that knows no resources.
        context: condition keys beyond those that the principal tells.
        resource_account: whose the resource is; the principal's own by default.
    """

    principal: Principal
    action: str
    resource: str
    context: Context = field(default_factory=dict)
    resource_account: str = ""


@dataclass(frozen=True)
class Verdict:
    """Yes or no, why, and the condition keys that the judge was not told about and on which it depended."""

    yes: bool
    reason: str
    unknown_keys: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return self.yes


class Grant(IntEnum):
    """How far a resource's policy lets a principal in."""

    NONE = 0
    ACCOUNT = 1
    """The principal's account is named: it decides by its identity policies."""
    ROLE = 2
    """The role is named: boundary and session policy still bind."""
    DIRECT = 3
    """The very session, user or service is named, or everybody: nothing but an explicit deny binds."""


def decide(
    request: Request,
    *,
    identity: Sequence[Policy] = (),
    resource: Policy | None = None,
    boundary: Policy | None = None,
    session: Sequence[Policy] = (),
    limits: Sequence[Policy] = (),
    resource_must_allow: bool = False,
) -> Verdict:
    """Whether the request is allowed.

    Args:
        identity: policies of the role or user, inline and managed.
        resource: the resource's own policy.
        boundary: the permissions boundary of the role or user.
        session: policies that narrow the session.
        limits: what everything passes through, as a VPC endpoint's policy or an organisation's.
        resource_must_allow: as KMS keys and the trust of roles want it in their own account too.
    """
    told = _told(request)
    bounds = ([boundary] if boundary is not None else []) + list(session) + list(limits)
    everything = [*identity, *bounds, *([resource] if resource is not None else [])]
    denied = _first_deny(everything, request, told, is_bounded=boundary is not None)
    if denied is not None:
        return denied
    for limit in limits:
        passed = _allowed([limit], request, told)
        if not passed:
            return _no(request, "the endpoint's policy does not allow it", passed.unknown_keys)
    given = granted(resource, request) if resource is not None else (Grant.NONE, frozenset[str]())
    by_identity = _by_identity(identity, boundary, session, request, told)
    return _combined(request, given, by_identity, resource_must_allow)


def _combined(
    request: Request, given: tuple[Grant, frozenset[str]], by_identity: Verdict, resource_must_allow: bool
) -> Verdict:
    grant, unknown = given
    principal = request.principal
    if not principal.account:  # a service or nobody known: there is no identity whose policies could speak
        if grant is Grant.NONE:
            return _no(request, f"no policy of {request.resource} names it", unknown)
        return Verdict(True, "the resource's policy allows it")
    same_account = request.resource_account in ("", principal.account)
    if not same_account or resource_must_allow:
        if grant is Grant.NONE:
            return _no(request, f"the policy of {request.resource} does not allow it", unknown)
        if same_account and grant >= Grant.ROLE:
            return _bounded(grant, by_identity)
        return by_identity
    if by_identity:
        return by_identity
    if grant >= Grant.ROLE:
        return _bounded(grant, by_identity)
    return Verdict(False, by_identity.reason, by_identity.unknown_keys | unknown)


def _bounded(grant: Grant, by_identity: Verdict) -> Verdict:
    """A resource policy that names the role itself is limited by boundary and session policy, any nearer one not."""
    if grant is Grant.ROLE and isinstance(by_identity, _Cut):
        return by_identity
    return Verdict(True, "the resource's policy allows it")


@dataclass(frozen=True)
class _Cut(Verdict):
    """A no of a boundary or session policy."""


def _by_identity(
    identity: Sequence[Policy],
    boundary: Policy | None,
    session: Sequence[Policy],
    request: Request,
    told: Told,
) -> Verdict:
    if boundary is not None:
        bound = _allowed([boundary], request, told)
        if not bound:
            no = _no(request, "its permissions boundary does not allow it", bound.unknown_keys)
            return _Cut(no.yes, no.reason, no.unknown_keys)
    if session:
        narrowed = _allowed(session, request, told)
        if not narrowed:
            no = _no(request, "its session policy does not allow it", narrowed.unknown_keys)
            return _Cut(no.yes, no.reason, no.unknown_keys)
    found = _allowed(identity, request, told)
    return found if found else _no(request, "none of its policies allows it", found.unknown_keys)


def granted(policy: Policy, request: Request) -> tuple[Grant, frozenset[str]]:
    """How far a resource's policy lets the principal in, and the unknown keys of what might let it in further.

    Explicit denies are not looked at: `decide` does so first.
    """
    told = _told(request)
    best, unknown = Grant.NONE, frozenset[str]()
    for statement in policy.statements:
        if statement.effect != "Allow":
            continue
        grant = _names(statement, request.principal)
        answer, keys = _applies(statement, request, told, policy.has_variables)
        if grant is Grant.NONE or answer is Truth.NO:
            continue
        if answer is Truth.YES:
            best = max(best, grant)
        else:
            unknown |= keys
    return best, unknown


def refused(policies: Iterable[Policy], request: Request) -> Verdict | None:
    """The explicit deny that the policies hold for the request, if there is one."""
    return _first_deny(policies, request, _told(request))


def applying(policy: Policy, request: Request) -> list[Statement]:
    """The statements that bear on the request, an open condition included."""
    told = _told(request)
    return [
        s
        for s in policy.statements
        if (not s.names_principals or _names(s, request.principal) is not Grant.NONE)
        and _applies(s, request, told, policy.has_variables)[0] is not Truth.NO
    ]


def _told(request: Request) -> Told:
    principal = request.principal
    account = {"aws:ResourceAccount": request.resource_account or principal.account or None}
    return Told({**account, **principal.context(), **request.context})


def _first_deny(
    policies: Iterable[Policy], request: Request, told: Told, *, is_bounded: bool = False
) -> Verdict | None:
    for policy in policies:
        for statement in policy.statements:
            if statement.effect != "Deny":
                continue
            # A NotPrincipal spares nobody with a boundary (IAM guide, "Permissions boundaries", read 2026-11-21).
            spared = _names(statement, request.principal) is Grant.NONE
            if statement.names_principals and spared and not (statement.not_principals and is_bounded):
                continue
            answer, keys = _applies(statement, request, told, policy.has_variables)
            if answer is Truth.YES:
                return _no(request, f"the statement {statement.sid or 'without Sid'} denies it")
            if answer is Truth.UNKNOWN:
                what = f"the statement {statement.sid or 'without Sid'} may deny it, by {', '.join(sorted(keys))}"
                return _no(request, f"{what}, which is not judged here", keys)
    return None


def _allowed(policies: Iterable[Policy], request: Request, told: Told) -> Verdict:
    unknown: set[str] = set()
    for policy in policies:
        for statement in policy.statements:
            if statement.effect != "Allow":
                continue
            if statement.names_principals and _names(statement, request.principal) is Grant.NONE:
                continue
            answer, keys = _applies(statement, request, told, policy.has_variables)
            if answer is Truth.YES:
                return Verdict(True, f"the statement {statement.sid or 'without Sid'} allows it")
            if answer is Truth.UNKNOWN:
                unknown |= keys
    return Verdict(False, "no statement allows it", frozenset(unknown))


def _no(request: Request, why: str, unknown: frozenset[str] = frozenset()) -> Verdict:
    reason = f"{request.principal} may not {request.action} on {request.resource}: {why}"
    if unknown and "not judged here" not in why:
        reason += f"; a statement hinges on {', '.join(sorted(unknown))}, which is not judged here"
    return Verdict(False, reason, unknown)


def _applies(statement: Statement, request: Request, told: Told, has_variables: bool) -> tuple[Truth, frozenset[str]]:
    """Whether action, resource and conditions of a statement fit."""
    if not covers_action(statement, request.action):
        return Truth.NO, frozenset()
    answers = [_resource_fits(statement, request.resource, told, has_variables)]
    answers += [holds(condition, told, has_variables=has_variables) for condition in statement.conditions]
    outcome = min((answer for answer, _ in answers), key=lambda a: a.value)
    keys = (keys for answer, keys in answers if answer is Truth.UNKNOWN)
    return outcome, reduce(frozenset.union, keys, frozenset[str]()) if outcome is Truth.UNKNOWN else frozenset()


def covers_action(statement: Statement, action: str) -> bool:
    """Whether a statement speaks of an action, by `Action` or all but `NotAction`."""
    if statement.not_actions is not None:
        return not _any_covers(statement.not_actions, action)
    return _any_covers(statement.actions or (), action)


def _any_covers(patterns: tuple[str, ...], action: str) -> bool:
    exact, wild = _split(patterns)
    return action.lower() in exact or any(matches(pattern, action, ignore_case=True) for pattern in wild)


@lru_cache(maxsize=2048)
def _split(patterns: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Names as they are, and patterns with wildcards: statements have many of the first."""
    wild = tuple(pattern for pattern in patterns if "*" in pattern or "?" in pattern)
    return frozenset(pattern.lower() for pattern in patterns if pattern not in wild), wild


def _resource_fits(
    statement: Statement, resource: str, told: Told, has_variables: bool
) -> tuple[Truth, frozenset[str]]:
    patterns = statement.not_resources if statement.not_resources is not None else statement.resources
    if patterns is None:
        return Truth.YES, frozenset()  # the trust policy of a role speaks of itself
    answer, missing = Truth.NO, set[str]()
    for pattern in patterns:
        text, key = substituted(pattern, told) if has_variables else (pattern, "")
        if text is None:
            missing.add(key)
        elif _covers(text, resource):
            answer = Truth.YES
            break
    if answer is Truth.NO and missing:
        answer = Truth.UNKNOWN
    if statement.not_resources is not None:
        answer = ~answer
    return answer, frozenset(missing) if answer is Truth.UNKNOWN else frozenset()


def _covers(pattern: str, resource: str) -> bool:
    """AWS fills up an ARN that lacks fields with wildcards (believed, 2026-11-21)."""
    if pattern == "*":
        return True
    parts = pattern.split(":", _ARN_PARTS - 1)
    return resource_matches(":".join(parts + ["*"] * (_ARN_PARTS - len(parts))), resource)


def _names(statement: Statement, principal: Principal) -> Grant:
    if statement.not_principals is not None:
        return Grant.NONE if _spared(statement.not_principals, principal) else Grant.DIRECT
    return max((_named(k, n, principal) for k, n in statement.principals or ()), default=Grant.NONE)


def _spared(entries: Iterable[tuple[str, str]], principal: Principal) -> bool:
    """Whether a `NotPrincipal` leaves a principal out: of an account's own, it must name the account too (IAM guide,
    "NotPrincipal", "Specifying NotPrincipal with Deny", read 2026-11-22)."""
    named = {_named(kind, name, principal) for kind, name in entries}
    alone = principal.service or principal.federated or not principal.account
    return bool(named & {Grant.ROLE, Grant.DIRECT}) and bool(alone or Grant.ACCOUNT in named)


def _named(kind: str, name: str, principal: Principal) -> Grant:
    """How near an entry of `Principal` is to a principal (awsdocs/iam-user-guide of 2023-06, "Principal", read
    2026-11-21)."""
    if kind == "*" or (kind == "AWS" and name == "*"):
        return Grant.DIRECT
    if kind == "Service":
        return Grant.DIRECT if name == principal.service else Grant.NONE
    if kind == "Federated":
        return Grant.DIRECT if name == principal.federated and name else Grant.NONE
    if kind != "AWS" or not principal.account:
        return Grant.NONE
    if name == principal.role_arn:
        return Grant.ROLE
    if name == principal.arn:
        return Grant.ACCOUNT if name.endswith(":root") else Grant.DIRECT
    if name in (principal.account, f"arn:aws:iam::{principal.account}:root"):
        return Grant.ACCOUNT
    return Grant.NONE
