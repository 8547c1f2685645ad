"""Policy documents are read as AWS reads them, and anything else is a failure rather than a crash."""

from __future__ import annotations

import json

import pytest

from policies.checks import all_of
from policies.documents import Statement, statements
from policies.examples import Hidden, given
from policies.model import Judgement, Verdict

POLICY = "aws:iam/policy:Policy"


def _only(statement: dict[str, object]) -> Statement:
    found = statements(given(POLICY, {"policy": json.dumps({"Statement": statement})}).recorded(), "policy")
    assert isinstance(found, tuple) and len(found) == 1
    return found[0]


def test_single_values_are_read_as_lists() -> None:
    found = _only({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"})
    assert (found.actions, found.resources) == (("s3:GetObject",), ("arn:aws:s3:::b/*",))


def test_every_statement_is_read() -> None:
    listed = [{"Effect": "Allow", "Action": f"s3:{index}"} for index in range(7)]
    found = statements(given(POLICY, {"policy": json.dumps({"Statement": listed})}).recorded(), "policy")
    assert isinstance(found, tuple)
    assert [statement.actions for statement in found] == [(f"s3:{index}",) for index in range(7)]


@pytest.mark.parametrize(
    ("resource", "opens_all"),
    [
        ("*", True),
        ("arn:aws:s3:::*", True),
        ("arn:aws:s3:::*/*", True),
        ("arn:aws:dynamodb:eu-west-1:111122223333:table/*", True),
        ("arn:aws:kms:eu-west-1:111122223333:key/*", True),
        ("arn:aws:s3:::models/*", False),
        ("arn:aws:s3:::table/*", False),
        ("arn:aws:s3:::models-*", False),
        ("arn:aws:dynamodb:eu-west-1:111122223333:table/features*", False),
    ],
)
def test_a_resource_that_names_nothing_opens_everything(resource: str, opens_all: bool) -> None:
    assert bool(_only({"Effect": "Allow", "Resource": ["arn:aws:s3:::b", resource]}).everything) is opens_all


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": ["arn:aws:iam::1:root", "*"]}])
def test_everyone_is_recognised_in_each_spelling(principal: object) -> None:
    assert _only({"Effect": "Allow", "Principal": principal}).anyone


@pytest.mark.parametrize("pattern", ["s3:GetObject", "s3:Get*", "S3:getobject", "*", "s3:?etObject"])
def test_an_action_is_covered_by_wildcards_and_any_case(pattern: str) -> None:
    assert _only({"Effect": "Allow", "Action": [pattern]}).acts_on("s3:GetObject")


@pytest.mark.parametrize("text", ["", "{", "[]", '"text"', '{"Statement": 3}', '{"Statement": ["x"]}', "{}"])
def test_what_is_no_policy_document_fails(text: str) -> None:
    found = statements(given(POLICY, {"policy": text}).recorded(), "policy")
    assert isinstance(found, Judgement) and found.verdict is Verdict.FAIL


def test_an_unknown_document_is_unknown() -> None:
    found = statements(given(POLICY, {"policy": Hidden()}).recorded(), "policy")
    assert isinstance(found, Judgement) and found.verdict is Verdict.UNKNOWN


def test_no_requirement_at_all_is_a_pass() -> None:
    assert all_of(()).verdict is Verdict.PASS
