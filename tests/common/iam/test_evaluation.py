"""Requests are decided as AWS documents it: deny first, then resource, boundary, session and identity policies."""

from __future__ import annotations

from typing import Any

import pytest

from common.iam import Policy, Principal, Request, decide, parse

ACCOUNT, OTHER = "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/fleet"
FLEET = Principal.role(ROLE)
BUCKET = "arn:aws:s3:::models"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"


def statement(effect: str = "Allow", action: Any = "s3:GetObject", resource: Any = f"{BUCKET}/*", **more: Any) -> Any:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def policy(*statements: Any) -> Policy:
    return parse({"Version": "2012-10-17", "Statement": list(statements)})


def get(
    principal: Principal = FLEET, context: Any = None, resource: str = f"{BUCKET}/a", account: str = ""
) -> Request:
    return Request(principal, "s3:GetObject", resource, context or {}, account)


def test_what_no_policy_allows_is_denied() -> None:
    assert not decide(get())
    assert not decide(get(), identity=[policy(statement(action="s3:PutObject"))])


def test_an_identity_policy_allows_in_its_own_account() -> None:
    assert decide(get(), identity=[policy(statement())])


def test_an_explicit_deny_wins_wherever_it_stands() -> None:
    allows, denies = policy(statement()), policy(statement("Deny", Principal="*"))
    unnamed = policy(statement("Deny"))
    assert not decide(get(), identity=[allows, unnamed])
    assert not decide(get(), identity=[allows], resource=denies)
    assert not decide(get(), identity=[allows], boundary=unnamed)
    assert not decide(get(), identity=[allows], session=[allows, unnamed])


def test_a_role_that_may_only_read_does_not_write() -> None:
    request = Request(FLEET, "s3:PutObject", f"{BUCKET}/a")
    assert not decide(request, identity=[policy(statement(action=["s3:Get*", "s3:List*"]))])


def test_a_right_to_one_bucket_is_none_to_another() -> None:
    assert not decide(get(resource="arn:aws:s3:::models-2/a"), identity=[policy(statement())])


def test_a_bucket_is_not_its_objects() -> None:
    assert not decide(get(), identity=[policy(statement(resource=BUCKET))])


def test_a_boundary_cuts_what_it_does_not_allow() -> None:
    allows = policy(statement())
    verdict = decide(get(), identity=[allows], boundary=policy(statement(action="s3:ListBucket", resource="*")))
    assert not verdict
    assert "boundary" in verdict.reason
    assert decide(get(), identity=[allows], boundary=policy(statement(action="*", resource="*")))


def test_a_boundary_alone_allows_nothing() -> None:
    assert not decide(get(), boundary=policy(statement(action="*", resource="*")))


def test_a_session_policy_narrows_and_never_widens() -> None:
    allows = policy(statement())
    assert not decide(get(), identity=[allows], session=[policy(statement(resource=f"{BUCKET}/b"))])
    assert not decide(get(), session=[allows])


def test_not_action_allows_all_else_and_not_what_it_names() -> None:
    given = policy({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})
    assert decide(get(), identity=[given])
    assert not decide(Request(FLEET, "iam:CreateRole", "*"), identity=[given])


def test_a_deny_by_not_action_denies_what_it_does_not_name() -> None:
    given = [policy(statement()), policy({"Effect": "Deny", "NotAction": "s3:List*", "Resource": "*"})]
    assert not decide(get(), identity=given)


def test_not_resource_leaves_out_what_it_names() -> None:
    given = policy({"Effect": "Allow", "Action": "s3:*", "NotResource": f"{BUCKET}/secret/*"})
    assert decide(get(), identity=[given])
    assert not decide(get(resource=f"{BUCKET}/secret/a"), identity=[given])


def test_actions_are_compared_without_case_and_resources_with_it() -> None:
    assert decide(get(), identity=[policy(statement(action="S3:getobject"))])
    assert not decide(get(), identity=[policy(statement(resource="arn:aws:s3:::MODELS/*"))])


def test_a_wildcard_of_a_resource_stays_within_its_field() -> None:
    request = Request(FLEET, "kms:Decrypt", KEY)
    root = policy(statement(action="kms:*", resource="*", Principal={"AWS": ACCOUNT}))
    within = policy(statement(action="kms:Decrypt", resource=f"arn:aws:kms:*:{ACCOUNT}:key/*"))
    across = policy(statement(action="kms:Decrypt", resource="arn:aws:kms:*:key/*"))
    assert decide(request, identity=[within], resource=root, resource_must_allow=True)
    assert not decide(request, identity=[across], resource=root, resource_must_allow=True)


class TestResourcePolicies:
    def test_the_role_of_the_same_account_needs_no_policy_of_its_own(self) -> None:
        assert decide(get(), resource=policy(statement(Principal={"AWS": ROLE})))

    def test_naming_the_account_leaves_it_to_the_identity(self) -> None:
        root = policy(statement(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}))
        assert not decide(get(), resource=root)
        assert decide(get(), identity=[policy(statement())], resource=root)

    def test_a_boundary_binds_a_role_that_is_named_but_not_a_session_that_is(self) -> None:
        boundary = policy(statement(action="sns:*", resource="*"))
        role = policy(statement(Principal={"AWS": ROLE}))
        session = policy(statement(Principal={"AWS": FLEET.arn}))
        assert not decide(get(), resource=role, boundary=boundary)
        assert decide(get(), resource=session, boundary=boundary)

    def test_across_accounts_both_sides_must_allow(self) -> None:
        mine, theirs = policy(statement()), policy(statement(Principal={"AWS": ROLE}))
        assert not decide(get(account=OTHER), identity=[mine])
        assert not decide(get(account=OTHER), resource=theirs)
        assert decide(get(account=OTHER), identity=[mine], resource=theirs)

    def test_naming_another_account_lets_nobody_of_this_one_in(self) -> None:
        other = policy(statement(Principal={"AWS": f"arn:aws:iam::{OTHER}:root"}))
        assert not decide(get(account=OTHER), identity=[policy(statement())], resource=other)

    def test_a_service_is_let_in_by_its_own_name_alone(self) -> None:
        logging = Principal.of_service("logging.s3.amazonaws.com")
        given = policy(statement(Principal={"Service": "logging.s3.amazonaws.com"}))
        assert decide(get(logging), resource=given)
        assert not decide(get(Principal.of_service("s3.amazonaws.com")), resource=given)
        assert not decide(get(), resource=given)

    def test_a_deny_with_not_principal_spares_whom_it_names_with_the_account(self) -> None:
        both = [ROLE, f"arn:aws:iam::{ACCOUNT}:root"]
        given = policy({"Effect": "Deny", "NotPrincipal": {"AWS": both}, "Action": "s3:*", "Resource": "*"})
        allows = [policy(statement())]
        assert decide(get(), identity=allows, resource=given)
        other = Principal.role(f"arn:aws:iam::{ACCOUNT}:role/other")
        assert not decide(get(other), identity=allows, resource=given)

    @pytest.mark.parametrize("named", [ROLE, f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT])
    def test_a_deny_with_not_principal_spares_nobody_of_whom_it_names_half(self, named: str) -> None:
        given = policy({"Effect": "Deny", "NotPrincipal": {"AWS": named}, "Action": "s3:*", "Resource": "*"})
        assert not decide(get(), identity=[policy(statement())], resource=given)

    @pytest.mark.parametrize(
        ("pattern", "covers"),
        [
            ("arn:aws:s3:::*", True),
            ("arn:aws:s3*", True),
            ("arn:aws:s3:*", True),
            ("arn:aws:*:*", True),
            ("arn:*:s3:::*", True),
            ("arn:aws:*3:::models/*", True),
            ("arn:aws:s?:::*", True),
            ("arn:aws:*3:::none/*", False),
        ],
    )
    def test_a_star_that_ends_a_part_reaches_over_colons(self, pattern: str, covers: bool) -> None:
        assert decide(get(), identity=[policy(statement(resource=pattern))]).yes is covers

    def test_a_deny_with_not_principal_spares_nobody_with_a_boundary(self) -> None:
        given = policy({"Effect": "Deny", "NotPrincipal": {"AWS": ROLE}, "Action": "s3:*", "Resource": "*"})
        everything = policy(statement(action="*", resource="*"))
        assert not decide(get(), identity=[everything], boundary=everything, resource=given)


class TestKeys:
    REQUEST = Request(FLEET, "kms:Decrypt", KEY)
    MAY = policy(statement(action="kms:Decrypt", resource=KEY))

    def test_an_identity_alone_does_not_open_a_key(self) -> None:
        nobody = policy(statement(action="kms:*", resource="*", Principal={"Service": "logs.amazonaws.com"}))
        assert not decide(self.REQUEST, identity=[self.MAY], resource=nobody, resource_must_allow=True)
        assert not decide(self.REQUEST, identity=[self.MAY], resource_must_allow=True)

    def test_the_root_hands_the_decision_to_identity_policies(self) -> None:
        root = policy(statement(action="kms:*", resource="*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}))
        assert decide(self.REQUEST, identity=[self.MAY], resource=root, resource_must_allow=True)
        assert not decide(self.REQUEST, resource=root, resource_must_allow=True)

    def test_a_key_that_names_the_role_needs_no_identity_policy(self) -> None:
        named = policy(statement(action="kms:Decrypt", resource="*", Principal={"AWS": ROLE}))
        assert decide(self.REQUEST, resource=named, resource_must_allow=True)


class TestTrust:
    ASSUME = "sts:AssumeRole"

    def trust(self, principal: Any, **more: Any) -> Policy:
        return policy({"Effect": "Allow", "Action": self.ASSUME, "Principal": principal, **more})

    def ask(self, principal: Principal, trust: Policy, context: Any = None, identity: Any = ()) -> bool:
        request = Request(principal, self.ASSUME, ROLE, context or {}, ACCOUNT)
        return bool(decide(request, identity=identity, resource=trust, resource_must_allow=True))

    def test_a_trust_in_the_wrong_service_lets_the_right_one_not_in(self) -> None:
        s3 = Principal.of_service("s3.amazonaws.com")
        assert self.ask(s3, self.trust({"Service": "s3.amazonaws.com"}))
        assert not self.ask(s3, self.trust({"Service": "backup.amazonaws.com"}))

    def test_a_source_of_another_account_is_refused(self) -> None:
        only = {"StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnLike": {"aws:SourceArn": f"{BUCKET}"}}
        trust = self.trust({"Service": "s3.amazonaws.com"}, Condition=only)
        s3 = Principal.of_service("s3.amazonaws.com")
        assert self.ask(s3, trust, {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": BUCKET})
        assert not self.ask(s3, trust, {"aws:SourceAccount": OTHER, "aws:SourceArn": BUCKET})
        assert not self.ask(s3, trust, {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": None})

    def test_an_external_id_must_be_given(self) -> None:
        trust = self.trust({"AWS": OTHER}, Condition={"StringEquals": {"sts:ExternalId": "42"}})
        caller = Principal.role(f"arn:aws:iam::{OTHER}:role/ci")
        may = [policy(statement(action=self.ASSUME, resource=ROLE))]
        assert self.ask(caller, trust, {"sts:ExternalId": "42"}, may)
        assert not self.ask(caller, trust, {"sts:ExternalId": None}, may)
        assert not self.ask(caller, trust, {"sts:ExternalId": "42"})


class TestUnknownKeys:
    HINGES = statement(Condition={"StringEquals": {"aws:Moon": "full"}})

    def test_an_allow_that_hinges_on_one_does_not_allow(self) -> None:
        verdict = decide(get(), identity=[policy(self.HINGES)])
        assert not verdict
        assert verdict.unknown_keys == {"aws:Moon"}
        assert "aws:Moon" in verdict.reason

    def test_a_deny_that_hinges_on_one_denies(self) -> None:
        verdict = decide(get(), identity=[policy(statement(), {**self.HINGES, "Effect": "Deny"})])
        assert not verdict
        assert verdict.unknown_keys == {"aws:Moon"}

    def test_one_that_changes_nothing_is_not_reported(self) -> None:
        elsewhere = {**self.HINGES, "Resource": "arn:aws:s3:::other/*"}
        verdict = decide(get(), identity=[policy(statement(), {**elsewhere, "Effect": "Deny"}, self.HINGES)])
        assert verdict
        assert not verdict.unknown_keys

    def test_a_second_condition_that_fails_settles_it(self) -> None:
        never = {**self.HINGES["Condition"], "Bool": {"aws:SecureTransport": "false"}}
        denies = statement("Deny", Condition=never)
        assert decide(get(context={"aws:SecureTransport": "true"}), identity=[policy(statement(), denies)])


@pytest.mark.parametrize(
    ("pattern", "tags", "expected"),
    [
        (f"{BUCKET}/${{aws:PrincipalTag/team}}/*", {"team": "a"}, True),
        (f"{BUCKET}/${{aws:PrincipalTag/team}}/*", {"team": "b"}, False),
        (f"{BUCKET}/${{aws:PrincipalTag/team}}/*", {}, False),
        (f"{BUCKET}/${{aws:PrincipalTag/team, 'a'}}/*", {}, True),
        (f"{BUCKET}/${{aws:PrincipalTag/team}}/*", {"team": "*"}, False),
        (f"{BUCKET}/a/${{*}}", {}, False),
    ],
)
def test_variables_stand_for_what_the_request_tells(pattern: str, tags: dict[str, str], expected: bool) -> None:
    principal = Principal.role(ROLE, tags=tags)
    assert bool(decide(get(principal, resource=f"{BUCKET}/a/x"), identity=[policy(statement(resource=pattern))])) is (
        expected
    )
