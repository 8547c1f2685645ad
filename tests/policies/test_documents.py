"""Policy documents are read as AWS reads them, and anything else is a failure rather than a crash."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from policies.checks import all_of
from policies.documents import Statement, statements
from policies.inventory import Resource
from policies.model import Judgement, Verdict

Make = Callable[..., Resource]


def _only(make: Make, statement: dict[str, object]) -> Statement:
    found = statements(make("t", "n", {"policy": json.dumps({"Statement": statement})}), "policy")
    assert isinstance(found, tuple) and len(found) == 1
    return found[0]


def test_single_values_are_read_as_lists(make: Make) -> None:
    found = _only(make, {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"})
    assert (found.actions, found.resources) == (("s3:GetObject",), ("arn:aws:s3:::b/*",))


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": ["arn:aws:iam::1:root", "*"]}])
def test_everyone_is_recognised_in_each_spelling(make: Make, principal: object) -> None:
    assert _only(make, {"Effect": "Allow", "Principal": principal}).anyone


@pytest.mark.parametrize("pattern", ["s3:GetObject", "s3:Get*", "S3:getobject", "*", "s3:?etObject"])
def test_an_action_is_covered_by_wildcards_and_any_case(make: Make, pattern: str) -> None:
    assert _only(make, {"Effect": "Allow", "Action": [pattern]}).acts_on("s3:GetObject")


@pytest.mark.parametrize("text", ["", "{", "[]", '"text"', '{"Statement": 3}', '{"Statement": ["x"]}', "{}"])
def test_what_is_no_policy_document_fails(make: Make, text: str) -> None:
    found = statements(make("t", "n", {"policy": text}), "policy")
    assert isinstance(found, Judgement) and found.verdict is Verdict.FAIL


def test_an_unknown_document_is_unknown(make: Make) -> None:
    found = statements(make("t", "n", {"policy": "x"}, unknown=["policy"]), "policy")
    assert isinstance(found, Judgement) and found.verdict is Verdict.UNKNOWN


def test_no_requirement_at_all_is_a_pass() -> None:
    assert all_of(()).verdict is Verdict.PASS
