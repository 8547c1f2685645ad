"""Documents that AWS would refuse are refused, by name of what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from common.iam import PolicyError, parse
from common.iam.public import is_public

GOOD: dict[str, Any] = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}


def document(*statements: Any, **more: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **more})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "JSON"),
        ("[]", "object"),
        (json.dumps({"Version": "2012-10-17"}), "no Statement"),
        (document(GOOD, Version="2012"), "Version"),
        (document(GOOD, Extra=1), "Extra"),
        (document({**GOOD, "Effect": "allow"}), "Effect"),
        (document({**GOOD, "Actions": []}), "Actions"),
        (document({**GOOD, "NotAction": "s3:*"}), "both Action and NotAction"),
        (document({"Effect": "Allow", "Resource": "*"}), "neither Action nor NotAction"),
        (document({**GOOD, "Action": [1]}), "Action of Statement 1"),
        (document(GOOD, {**GOOD, "Principal": "me"}), "Statement 2"),
        (document({**GOOD, "Principal": {"Role": "x"}}), "Role"),
        (document({**GOOD, "NotPrincipal": "*"}), "NotPrincipal"),
        (document({**GOOD, "Condition": {"StringIs": {"a": "b"}}}), "StringIs"),
        (document({**GOOD, "Condition": {"StringEquals": {"a": {}}}}), "value"),
    ],
)
def test_a_malformed_document_is_refused(text: str, told: str) -> None:
    with pytest.raises(PolicyError, match=told):
        parse(text)


def test_a_single_statement_and_single_values_are_lists_of_one() -> None:
    found = parse({"Version": "2012-10-17", "Statement": GOOD})
    assert [s.actions for s in found.statements] == [("s3:*",)]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({"Principal": "*"}, True),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"AWS": "111122223333"}}, False),
        ({"Principal": {"Service": "logging.s3.amazonaws.com"}}, False),
        ({"Principal": "*", "Effect": "Deny"}, False),
        ({"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, False),
        ({"Principal": "*", "Condition": {"StringLike": {"aws:PrincipalOrgID": "o-*"}}}, True),
        ({"Principal": "*", "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}}, False),
        ({"Principal": "*", "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}}, True),
        ({"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}, False),
        ({"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}}}, True),
        ({"Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}, True),
    ],
)
def test_a_policy_is_public_if_it_lets_everybody_in(statement: dict[str, Any], expected: bool) -> None:
    assert is_public(parse(document({**GOOD, **statement}))) is expected
