"""STS: roles that callers take on, judged by their trust and by the caller's own policies.

STS API reference, "AssumeRole", "GetCallerIdentity" (believed, 2026-11-21). Other ways to a session are refused: no
stack has an identity provider that would vouch for somebody here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final
from xml.sax.saxutils import escape

from common.iam import Policy, PolicyError, parse
from common.iam.context import Context
from localcloud.aws.answers import Answer, Environ, StartResponse, query_error, read_body
from localcloud.aws.asks import form_of
from localcloud.aws.iam.callers import ANONYMOUS, Callers, Refused
from localcloud.aws.iam.judge import Caller, Judge
from localcloud.decisions import Decision

_NAMESPACE: Final = "https://sts.amazonaws.com/doc/2011-06-15/"
_SECONDS_MIN, _SECONDS_DEFAULT, _SECONDS_MAX = 900, 3600, 43_200
_CHAINED_MAX: Final = 3600
"""A session that was reached through another lasts an hour at most (IAM user guide, "Role chaining")."""


class StsGate:
    """Hands out sessions."""

    def __init__(self, judge: Judge, callers: Callers) -> None:
        self._judge = judge
        self._callers = callers

    def call(self, environ: Environ, _region: str, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        body = read_body(environ)
        form = form_of(body or str(environ.get("QUERY_STRING", "")).encode())
        caller = self._callers.of(environ)
        return self.answer(form, ANONYMOUS if isinstance(caller, Refused) else caller).send(start_response)

    def answer(self, form: Mapping[str, str], caller: Caller) -> Answer:
        """What a caller's request is answered with."""
        operation = form.get("Action", "")
        if operation == "GetCallerIdentity":  # allowed to everybody, even against a Deny
            principal = caller.principal
            identity = (
                f"<Arn>{escape(principal.arn)}</Arn><UserId>{escape(principal.arn.rpartition('/')[2])}</UserId>"
            )
            return _told(operation, f"{identity}<Account>{principal.account}</Account>")
        if operation != "AssumeRole":
            return query_error("403 Forbidden", "AccessDenied", f"sts:{operation} is not to be had here.")
        return self._assume(form, caller)

    def _assume(self, form: Mapping[str, str], caller: Caller) -> Answer:
        role_arn, name = form.get("RoleArn", ""), form.get("RoleSessionName", "")
        role = self._judge.role(role_arn)
        tags = _members(form, "Tags", "Key", "Value")
        decision = self.allowed(caller, role_arn, form, tags)
        if not name or role is None or not decision:
            return query_error("403 Forbidden", "AccessDenied", decision.reason or "RoleSessionName is missing.")
        seconds = int(form.get("DurationSeconds") or _SECONDS_DEFAULT)
        chained = bool(caller.principal.role_arn) and not caller.is_operator
        longest = min(int(role.max_session_duration or _SECONDS_DEFAULT), _CHAINED_MAX if chained else _SECONDS_MAX)
        if not _SECONDS_MIN <= seconds <= longest:
            message = f"The requested DurationSeconds exceeds the {longest} s that a session of this role may last."
            return query_error("400 Bad Request", "ValidationError", message)
        try:
            policies = self._session_policies(form)
        except PolicyError as e:
            return query_error("400 Bad Request", "MalformedPolicyDocument", str(e))
        made, session = self._callers.open(
            role_arn, name, timedelta(seconds=seconds), tags={**tags}, policies=policies
        )
        return _told(
            "AssumeRole",
            f"<Credentials><AccessKeyId>{made.access_key}</AccessKeyId>"
            f"<SecretAccessKey>{made.secret_key}</SecretAccessKey><SessionToken>{made.token}</SessionToken>"
            f"<Expiration>{made.expires.strftime('%Y-%m-%dT%H:%M:%SZ')}</Expiration></Credentials>"
            f"<AssumedRoleUser><Arn>{escape(session.principal.arn)}</Arn>"
            f"<AssumedRoleId>{role.id}:{escape(name)}</AssumedRoleId></AssumedRoleUser>",
        )

    def allowed(self, caller: Caller, role_arn: str, form: Mapping[str, str], tags: Mapping[str, str]) -> Decision:
        """Whether the caller may take the role on, and tag the session where it asks to."""
        context: dict[str, Any] = {
            "sts:ExternalId": form.get("ExternalId"),
            "sts:RoleSessionName": form.get("RoleSessionName"),
            "sts:SourceIdentity": form.get("SourceIdentity"),
            "sts:TransitiveTagKeys": tuple(_listed(form, "TransitiveTagKeys")) or None,
            "aws:TagKeys": tuple(tags) or None,
            "aws:SourceAccount": None,
            "aws:SourceArn": None,
            "aws:RequestTag/*": None,
            **{f"aws:RequestTag/{key}": value for key, value in tags.items()},
        }
        told: Context = context
        decision = self._judge.assume(caller.principal, role_arn, told, caller=caller)
        if decision and tags:
            decision = self._judge.assume(caller.principal, role_arn, told, action="sts:TagSession", caller=caller)
        return decision

    def _session_policies(self, form: Mapping[str, str]) -> list[Policy]:
        found = [parse(form["Policy"])] if form.get("Policy") else []
        for arn in (value for key, value in form.items() if key.startswith("PolicyArns.member.")):
            policy = self._judge.managed(arn)
            if policy is None:
                raise PolicyError(f"{arn} does not exist")
            found.append(policy)
        return found


def _members(form: Mapping[str, str], field: str, name: str, value: str) -> dict[str, str]:
    ends = (key.removesuffix(f".{name}") for key in form if key.startswith(f"{field}.member.") and key.endswith(name))
    return {form[f"{begin}.{name}"]: form.get(f"{begin}.{value}", "") for begin in ends}


def _listed(form: Mapping[str, str], field: str) -> list[str]:
    return [value for key, value in form.items() if key.startswith(f"{field}.member.")]


def _told(operation: str, result: str) -> Answer:
    body = (
        f'<{operation}Response xmlns="{_NAMESPACE}"><{operation}Result>{result}</{operation}Result>'
        "<ResponseMetadata><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ResponseMetadata>"
        f"</{operation}Response>"
    )
    return Answer("200 OK", "text/xml", body.encode())
