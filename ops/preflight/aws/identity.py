"""Who calls: the account must be the stack's, or nothing else is worth asking."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from common.errors import UserError
from ops.preflight.aws.reader import AwsReader
from ops.preflight.model import Unread
from ops.preflight.wanted import Wanted

_ASSUMED: Final = re.compile(r"^arn:(?P<partition>aws[a-z-]*):sts::(?P<account>\d{12}):assumed-role/(?P<role>[^/]+)/")
_ENTITY: Final = re.compile(r"^arn:aws[a-z-]*:iam::\d{12}:(user|role)/")


@dataclass(frozen=True)
class Caller:
    """Whose credentials are used."""

    account: str
    arn: str


def identify(reader: AwsReader, wanted: Wanted) -> Caller:
    """The caller, whose account is the stack's.

    Raises:
        UserError: no credentials, AWS cannot be reached, or another account's credentials.
    """
    try:
        answer = reader.must("sts", "get_caller_identity", wanted.region)
    except Unread as error:
        raise UserError(
            f"AWS does not say who is calling: {error.why}",
            "AWS credentials",
            "Log in with `aws sso login` or `aws configure`, or set AWS_PROFILE, and check with "
            "`aws sts get-caller-identity`.",
        ) from error
    caller = Caller(str(answer["Account"]), str(answer["Arn"]))
    if caller.account != wanted.account:
        raise UserError(
            f"the credentials are for account {caller.account}, and {wanted.stack} is in {wanted.account}",
            f"account in stacks/config/Pulumi.{wanted.stack}.yaml",
            f"Use credentials of {wanted.account}, as with `AWS_PROFILE=… seawall preflight {wanted.stack}`, or "
            "correct the settings.",
        )
    return caller


def policy_source(reader: AwsReader, caller_arn: str, region: str) -> str:
    """The ARN of the user or role whose policies decide: a session's is its role's, with the role's path.

    Raises:
        Unread: a root user or a federated one, whose policies cannot be simulated; or the role cannot be read.
    """
    if _ENTITY.match(caller_arn):
        return caller_arn
    assumed = _ASSUMED.match(caller_arn)
    if not assumed:
        raise Unread(
            f"permissions of {caller_arn} cannot be simulated: it is neither a user nor a role",
            "Use a role's credentials (never the root user's), or name one with `--principal ARN`.",
        )
    answer = reader.must("iam", "get_role", region, {"RoleName": assumed["role"]})
    return str(answer["Role"]["Arn"])
