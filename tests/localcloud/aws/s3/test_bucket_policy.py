"""A bucket policy refuses a request to the emulator only where it would refuse one over TLS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localcloud.aws.s3.bucket_policy import speaks, unconditional

DENY: dict[str, Any] = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, False),
        ({"Bool": {"aws:SecureTransport": True}}, True),
        ({"NumericLessThan": {"s3:TlsVersion": "1.2"}}, False),
        ({"NumericLessThan": {"s3:TlsVersion": ["1.2", "1.4"]}}, True),
        ({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}, False),
    ],
)
def test_a_statement_speaks_only_of_requests_that_meet_its_conditions(
    condition: dict[str, Any], expected: bool
) -> None:
    assert speaks({**DENY, "Condition": condition}) is expected


def test_a_plain_refusal_is_kept() -> None:
    policy = {"Statement": [DENY, {**DENY, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}
    assert unconditional(json.dumps(policy).encode())["Statement"] == [DENY]
