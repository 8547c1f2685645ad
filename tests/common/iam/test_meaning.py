"""What policies amount to: how far a grant reaches, what narrows it, and what a denial takes back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.iam import parse
from common.iam.callers import callers, too_many_addresses
from common.iam.meaning import allowing, is_wide, narrows_resource
from common.iam.vocabulary import actions_of, exists, expanded
from common.permissions import dangers

OWN = "111122223333"
READS = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def _policy(*statements: dict[str, Any]) -> Any:
    return parse({"Version": "2012-10-17", "Statement": list(statements)})


def _reaches(*statements: dict[str, Any]) -> bool:
    return any(a.widest for a in allowing([_policy(*statements)], "s3:GetObject"))


def _narrow(condition: dict[str, Any]) -> bool:
    return narrows_resource(_policy({**READS, "Condition": condition}).statements[0].conditions)


def _callers(**fields: Any) -> Any:
    return callers(_policy({"Effect": "Allow", "Action": "sns:Publish", "Resource": "*", **fields}).statements[0])


@pytest.mark.parametrize(
    "pattern",
    [
        "*", "**", "?*", "arn:*", "arn:aws:s3", "arn:aws:s3:::*", "arn:aws:s3:::?*/*", "arn:aws:s3:::*/models/*",
        "arn:aws:s3:::m*", "arn:aws:s3*:::models", "arn:aws:kms:*:*:key/*", "arn:aws:kms:eu-west-1:1:*",
        "arn:aws:iam::1:role*", "arn:aws:iam::1:*/admin", "arn:aws:dynamodb:r:1:table/*/index/*",
        "arn:aws:s3:::${aws:RequestTag/bucket}/*", "arn:aws:s3:::${s3:prefix}",
    ],
)  # fmt: skip
def test_a_pattern_that_names_nothing_of_ones_own_is_wide(pattern: str) -> None:
    assert is_wide(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "arn:aws:s3:::models", "arn:aws:s3:::models-*/*", "arn:aws:s3:::*-models-333344445555/*",
        "arn:aws:iam::1:user/${aws:username}", "arn:aws:dynamodb:*:1:table/features*", "arn:aws:sns:*:*:alerts",
        "arn:aws:logs:r:1:log-group:*seawall-dev*",
    ],
)  # fmt: skip
def test_a_pattern_with_a_name_is_not(pattern: str) -> None:
    assert not is_wide(pattern)


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:ResourceTag/team": "a"}},
        {"ForAnyValue:StringEquals": {"dynamodb:LeadingKeys": ["a"]}},
        {"StringLike": {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::models/*"}},
        {"Bool": {"kms:GrantIsForAWSResource": True}},
    ],
)
def test_a_condition_on_the_resource_narrows(condition: dict[str, Any]) -> None:
    assert _narrow(condition)


@pytest.mark.parametrize(
    "condition",
    [
        {"Bool": {"aws:SecureTransport": True}},
        {"StringLike": {"aws:ResourceTag/team": "*"}},
        {"StringEqualsIfExists": {"aws:ResourceTag/team": "a"}},
        {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["a"]}},
        {"StringNotEquals": {"aws:ResourceTag/team": "a"}},
        {"Null": {"aws:ResourceTag/team": "false"}},
        {"StringEquals": {"aws:ResourceTag/team": "${aws:RequestTag/team}"}},
        {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
        {"StringLike": {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::*"}},
        {"Bool": {"kms:GrantIsForAWSResource": False}},
    ],
)
def test_a_condition_that_lets_every_resource_pass_does_not(condition: dict[str, Any]) -> None:
    assert not _narrow(condition)


@pytest.mark.parametrize(
    ("deny", "still"),
    [
        ({"Action": "s3:*", "Resource": "*"}, False),
        ({"NotAction": "iam:*", "Resource": "*"}, False),
        ({"Action": "S3:getobject", "Resource": "arn:aws:s3:::*"}, True),
        ({"Action": "s3:GetObject", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}, True),
        ({"Action": "s3:GetObject", "Resource": "*", "Condition": {"StringLike": {"aws:PrincipalArn": "*"}}}, False),
        ({"Action": "s3:GetObject", "NotResource": "arn:aws:s3:::models/*"}, True),
        ({"Action": "s3:Put*", "Resource": "*"}, True),
    ],
)
def test_a_denial_counts_only_where_no_request_escapes_it(deny: dict[str, Any], still: bool) -> None:
    denial = {"Effect": "Deny", **deny}
    assert _reaches(READS, denial) is still
    assert _reaches(denial, READS) is still, "the order of statements is nothing"


@pytest.mark.parametrize("action", ["s3:*", "S3:getObject", "s3:Get?bject", "*:GetObject", "*"])
def test_an_action_is_meant_by_whatever_stands_for_it(action: str) -> None:
    assert _reaches({**READS, "Action": action})


@given(st.sampled_from(sorted(actions_of("s3"))), st.integers(3, 12))
def test_expansion_and_evaluation_agree(action: str, kept: int) -> None:
    pattern = action[:kept].swapcase() + "*"
    found = expanded(pattern)
    assert action in found
    for candidate in found:
        statement = {"Effect": "Allow", "Action": pattern, "Resource": "*"}
        assert list(allowing([_policy(statement)], candidate))


def test_every_action_of_the_tables_exists() -> None:
    named = [*dangers.GRANT_RIGHTS, *dangers.LETS_DATA_OUT, *dangers.DATA, *dangers.MAKES_ROLES]
    assert [action for action in [*named, *dangers.RUNS_WITH_A_ROLE] if not exists(action)] == []


@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"Bool": {"aws:SecureTransport": "true"}},
        {"StringLike": {"aws:PrincipalArn": "*"}},
        {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"}},
        {"StringEqualsIfExists": {"aws:PrincipalAccount": OWN}},
        {"StringNotEquals": {"aws:PrincipalAccount": OWN}},
        {"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-1"}},
        {"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}},
        {"IpAddress": {"aws:SourceIp": [f"{n}.0.0.0/8" for n in range(1, 40)]}},
        {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
        {"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalAccount}"}},
        {"Null": {"aws:PrincipalOrgID": "false"}},
        {"StringEquals": {"aws:UserAgent": "secret"}},
        {"StringLike": {"aws:Referer": "https://example.com/*"}},
    ],
)
def test_everyone_stays_everyone_where_nothing_says_who(condition: dict[str, Any]) -> None:
    bound = {"Condition": condition} if condition else {}
    assert _callers(Principal="*", **bound).everyone
    assert _callers(Principal={"AWS": "*"}, **bound).everyone


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:PrincipalAccount": OWN}},
        {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OWN}:role/*"}},
        {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
        {"StringEquals": {"aws:SourceVpce": "vpce-1"}},
        {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        {"ForAnyValue:StringEquals": {"aws:PrincipalOrgPaths": "o-1/r-1"}},
    ],
)
def test_everyone_is_somebody_where_a_condition_says_who(condition: dict[str, Any]) -> None:
    assert not _callers(Principal="*", Condition=condition).everyone


def test_a_service_is_a_deputy_until_a_condition_says_for_whom() -> None:
    service = {"Service": "events.amazonaws.com"}
    assert _callers(Principal=service).deputies == ("events.amazonaws.com",)
    assert not _callers(Principal=service, Condition={"StringEquals": {"aws:SourceAccount": OWN}}).deputies
    anyone = {"ArnLike": {"aws:SourceArn": "arn:aws:events:*:*:rule/*"}}
    assert _callers(Principal=service, Condition=anyone).deputies


def test_a_condition_names_accounts_too() -> None:
    other = {"StringEquals": {"aws:PrincipalAccount": "999988887777"}}
    assert _callers(Principal="*", Condition=other).accounts == {"999988887777"}


@given(st.integers(0, 7))
def test_a_world_in_parts_is_the_world(prefix: int) -> None:
    step = 2 ** (32 - prefix)
    parts = [f"{(n * step) >> 24}.{(n * step) >> 16 & 255}.0.0/{prefix}" for n in range(2**prefix)]
    assert too_many_addresses(parts)
