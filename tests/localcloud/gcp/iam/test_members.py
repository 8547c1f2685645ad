"""Grants as resources: their ids, and what stays of them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from localcloud.gcp.context import Context
from localcloud.gcp.iam.kinds import Account, AccountMember
from localcloud.providers.base import Request

CONTEXT = Context("seawall-tests", "europe-west1", {})
CONDITION = {"title": "only here", "expression": "true"}


def request(inputs: dict[str, Any], physical_id: str = "") -> Request:
    return Request("urn", AccountMember.pulumi_type, "x", inputs, physical_id)


@pytest.fixture
def members(light_cloud: Any) -> AccountMember:
    return AccountMember(light_cloud.api, CONTEXT)


@pytest.fixture
def account(light_cloud: Any) -> str:
    return Account(light_cloud.api, CONTEXT).create(request({"accountId": f"a{uuid4().hex[:12]}"})).id


@pytest.mark.parametrize(("more", "end"), [({}, ""), ({"condition": CONDITION}, "/only here")])
def test_the_id_of_a_grant_on_an_account_is_shaped_as_googles(
    members: AccountMember, account: str, more: dict[str, Any], end: str
) -> None:
    inputs = {"serviceAccountId": account, "role": "roles/iam.serviceAccountUser", "member": "user:a@b", **more}
    made = members.create(request(inputs))
    assert made.id == f"{account}/roles/iam.serviceAccountUser/user:a@b{end}"


def test_a_grant_under_another_condition_is_another_grant(members: AccountMember, account: str) -> None:
    plain = {"serviceAccountId": account, "role": "roles/iam.serviceAccountUser", "member": "user:c@d"}
    made = members.create(request(plain))
    assert members.read(request(plain, made.id)) is not None
    assert members.read(request({**plain, "condition": CONDITION}, made.id)) is None
