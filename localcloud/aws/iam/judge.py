"""Judges what callers and services may do, by the identities, policies and keys that the emulator holds.

Usage, for a service that acts on a role's behalf:

    judge = Judge(state)
    decision = judge.on_behalf(
        service="s3.amazonaws.com",
        role_arn=configuration_role,
        action="s3:GetObjectVersionForReplication",
        resource="arn:aws:s3:::models/a",
        source_arn="arn:aws:s3:::models",
    )
    key = judge.on_behalf(
        service="s3.amazonaws.com", role_arn=configuration_role, action="kms:Decrypt", resource=key_arn,
        context=key_context("s3", region, {"aws:s3:arn": "arn:aws:s3:::models"}), source_arn="arn:aws:s3:::models",
    )

What is judged and how is `common.iam`'s; this module finds the policies that bear on a request. A condition key that
nothing here tells of denies what hinges on it, and is remembered in `AwsState.overlay.unknown_keys`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from common.iam import Policy, PolicyError, Principal, Request, Verdict, decide, parse, refused
from common.iam.context import Context
from localcloud.aws.iam.resources import resource_policy, resource_tags, role_of
from localcloud.aws.s3.public_access import is_restricted
from localcloud.aws.state import AwsState
from localcloud.decisions import Decision

_ADMINISTRATOR: Final = parse(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
)
_OWN_POLICY: Final = re.compile(r"arn:aws:(kms:[^:]+:\d+:key/|iam::\d+:role/)")
"""Resources whose own policies must allow: keys, and roles for those who take them on."""


@dataclass(frozen=True)
class Caller:
    """Who a request comes from.

    Args:
        principal: as policies name it.
        is_operator: the one who runs the local cloud: an administrator of the account, bound all the same by
            explicit denies and by what a key's policy hands to the account.
        session: policies that narrow the session.
        endpoint: the policy of the VPC endpoint that the request passes through.
        in_pod: whether it is a pod of the cluster, which reaches AWS through VPC endpoints alone.
    """

    principal: Principal
    is_operator: bool = False
    session: tuple[Policy, ...] = ()
    endpoint: tuple[Policy, ...] = ()
    in_pod: bool = False


@dataclass
class Judge:
    """See the module."""

    state: AwsState

    def operator(self, arn: str = "") -> Caller:
        """The one who runs the local cloud.

        Args:
            arn: the role by which the account knows its administrator; without one it is a user.
        """
        account = self.state.account
        if ":role/" in arn:
            return Caller(Principal.role(arn, "operator"), is_operator=True)
        return Caller(Principal(f"arn:aws:iam::{account}:user/operator", account), is_operator=True)

    def decide(self, caller: Caller, action: str, resource: str, context: Context | None = None) -> Decision:
        """Whether a caller may do `action` on the resource of this ARN (or `*`).

        Args:
            context: condition keys that the call itself tells, beside those of the caller, of time and transport.
        """
        identity, boundary = self._policies(caller)
        if isinstance(identity, str):
            return Decision(False, identity)
        try:
            found = resource_policy(self.state, resource)
            own = parse(found) if found is not None else None
        except PolicyError as e:
            return Decision(False, f"the policy of {resource} cannot be read: {e}")
        if own is not None and self._is_shut(caller, resource, own):
            return Decision(
                False, f"{caller.principal} is not of the account, and {resource} is closed to the public"
            )
        request = self._request(caller.principal, action, resource, context or {})
        verdict = decide(
            request,
            identity=identity,
            resource=own,
            boundary=boundary,
            session=caller.session,
            limits=caller.endpoint,
            resource_must_allow=action.startswith(("kms:", "sts:")) and _OWN_POLICY.match(resource) is not None,
        )
        return self._told(verdict)

    def on_behalf(
        self,
        service: str,
        role_arn: str,
        action: str,
        resource: str,
        context: Context | None = None,
        *,
        source_arn: str = "",
    ) -> Decision:
        """Whether an AWS service may do `action` with the permissions of a role that was handed to it.

        The role's trust in the service, its inline and managed policies, its boundary, and the policy of the resource
        are judged. Whether a key is enabled is not: see `localcloud.aws.decisions.can_use`.

        Args:
            service: as `s3.amazonaws.com` or `backup.amazonaws.com`.
            context: condition keys of the call; for keys see `key_context`. What the call is known not to carry
                has the value None.
            source_arn: the resource for which the service acts, `aws:SourceArn` for the role's trust.
        """
        trusted = self.assume(Principal.of_service(service), role_arn, service_context(self.state, source_arn))
        if not trusted:
            return trusted
        session = service.split(".")[0]
        return self.decide(Caller(Principal.role(role_arn, session)), action, resource, context)

    def as_service(
        self, service: str, action: str, resource: str, context: Context | None = None, *, source_arn: str = ""
    ) -> Decision:
        """Whether an AWS service may do `action` in its own name, as S3 does that delivers access logs."""
        told = {**service_context(self.state, source_arn), **(context or {})}
        return self.decide(Caller(Principal.of_service(service)), action, resource, told)

    def assume(
        self,
        principal: Principal,
        role_arn: str,
        context: Context | None = None,
        *,
        action: str = "sts:AssumeRole",
        caller: Caller | None = None,
    ) -> Decision:
        """Whether a role's trust lets a principal take it on; for one with an account its own policies count too."""
        if self.role(role_arn) is None:
            return Decision(False, f"{role_arn} does not exist")
        return self.decide(caller or Caller(principal), action, role_arn, context)

    def simulate(self, role_arn: str, action: str, resource: str, context: Context) -> str:
        """What IAM's simulator says of a role: `allowed`, `explicitDeny` or `implicitDeny`."""
        principal = Principal.role(role_arn, "simulated")
        identity, boundary = self._policies(Caller(principal))
        if isinstance(identity, str):
            return "implicitDeny"
        request = self._request(principal, action, resource, context)
        if refused([*identity, *([boundary] if boundary is not None else [])], request):
            return "explicitDeny"
        return "allowed" if decide(request, identity=identity, boundary=boundary) else "implicitDeny"

    def role(self, role_arn: str) -> Any:
        """The role of this ARN in the emulator's IAM; None if there is none."""
        return role_of(self.state, role_arn)

    def _policies(self, caller: Caller) -> tuple[Sequence[Policy] | str, Policy | None]:
        """Identity policies and boundary, or the reason why there are none."""
        if caller.is_operator:
            return (_ADMINISTRATOR,), None
        if not caller.principal.role_arn:
            return (), None
        role = self.role(caller.principal.role_arn)
        if role is None:
            return f"{caller.principal.role_arn} does not exist", None
        boundary_arn = role.permissions_boundary_arn
        try:
            boundary = self.managed(boundary_arn) if boundary_arn else None
            if boundary_arn and boundary is None:
                return f"the permissions boundary {boundary_arn} of {role.arn} does not exist", None
            return list(self._identity(role)), boundary
        except PolicyError as e:
            return f"a policy of {role.arn} cannot be read: {e}", None

    def _identity(self, role: Any) -> Iterator[Policy]:
        for text in role.policies.values():
            yield parse(text)
        for policy in role.managed_policies.values():
            yield parse(_default_version(policy))

    def managed(self, arn: str) -> Policy | None:
        """The managed policy of this ARN; None if there is none."""
        found = self.state.backend("iam", "aws").managed_policies.get(arn)
        return parse(_default_version(found)) if found is not None else None

    def _is_shut(self, caller: Caller, resource: str, own: Policy) -> bool:
        """Whether a public policy is ineffective for the caller, as `RestrictPublicBuckets` makes it."""
        principal = caller.principal
        if not resource.startswith("arn:aws:s3:::") or principal.service or principal.account == self.state.account:
            return False
        bucket = self.state.bucket(resource.removeprefix("arn:aws:s3:::").partition("/")[0])
        return bucket is not None and is_restricted(bucket, own)

    def _request(self, principal: Principal, action: str, resource: str, context: Context) -> Request:
        now = datetime.now(UTC)
        base: dict[str, Any] = {
            "aws:CurrentTime": now.isoformat(),
            "aws:EpochTime": str(int(now.timestamp())),
            # A request over loopback stands for one over TLS 1.3.
            "aws:SecureTransport": "true",
            "s3:TlsVersion": "1.3",
            "kms:CallerAccount": principal.account or None,
        }
        owner = _account_of(resource) or self.state.account
        return Request(principal, action, resource, {**base, **resource_tags(self.state, resource), **context}, owner)

    def _told(self, verdict: Verdict) -> Decision:
        self.state.overlay.unknown_keys |= verdict.unknown_keys
        return Decision(verdict.yes, verdict.reason)


def key_context(service: str, region: str, encryption_context: Mapping[str, str]) -> Context:
    """The condition keys of a call that a service makes to KMS in a caller's name.

    Args:
        service: as `s3` or `dynamodb`.
        encryption_context: what the service sends with it, as `{"aws:s3:arn": "arn:aws:s3:::models"}`.

    AWS KMS developer guide, "AWS KMS condition keys" (awsdocs/aws-kms-developer-guide of 2023-06, conditions-kms.md,
    read 2026-11-21).
    """
    return {
        "aws:RequestedRegion": region,
        "aws:ViaAWSService": "true",
        "kms:ViaService": f"{service}.{region}.amazonaws.com",
        "kms:EncryptionContext:*": None,
        **{f"kms:EncryptionContext:{key}": value for key, value in encryption_context.items()},
        "kms:EncryptionContextKeys": tuple(encryption_context),
        "kms:GrantIsForAWSResource": None,
    }


def service_context(state: AwsState, source_arn: str = "") -> Context:
    """The condition keys by which a service says for whom it acts (IAM user guide, "The confused deputy problem")."""
    told: dict[str, str | None] = {"aws:SourceAccount": state.account, "sts:ExternalId": None}
    return {**told, "aws:SourceArn": source_arn} if source_arn else told


def _default_version(policy: Any) -> str:
    return next(version.document for version in policy.versions if version.is_default)


def _account_of(arn: str) -> str:
    parts = arn.split(":")
    return parts[4] if len(parts) > 4 and parts[4].isdigit() else ""  # of AWS' own policies it is `aws`
