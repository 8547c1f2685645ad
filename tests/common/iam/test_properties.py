"""What holds of every decision, whatever the policies are."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from common.iam import Policy, Principal, Request, decide, parse

ROLE = "arn:aws:iam::111122223333:role/fleet"
ACTIONS = ["s3:GetObject", "s3:PutObject", "s3:*", "*", "kms:Decrypt"]
RESOURCES = [
    "arn:aws:s3:::models/a",
    "arn:aws:s3:::models/*",
    "arn:aws:s3:::*",
    "*",
    "arn:aws:s3:::${aws:PrincipalTag/x}/a",
]
CONDITIONS: list[dict[str, Any]] = [
    {},
    {"StringEquals": {"aws:PrincipalTag/x": "models"}},
    {"StringNotLike": {"aws:PrincipalArn": "*fleet"}},
    {"Null": {"aws:SourceIp": "true"}},
    {"Bool": {"aws:Unknown": "true"}},
]


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    """One statement of an identity's policy."""
    made: dict[str, Any] = {"Effect": draw(st.sampled_from(["Allow", "Deny"]))}
    negated = draw(st.sampled_from(["", "", "Not"]))
    made[f"{negated}Action"] = draw(st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=2))
    made["Resource"] = draw(st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=2))
    condition = draw(st.sampled_from(CONDITIONS))
    return {**made, "Condition": condition} if condition else made


def policy(found: list[dict[str, Any]]) -> Policy:
    return parse({"Version": "2012-10-17", "Statement": found})


REQUESTS = st.builds(
    Request,
    st.sampled_from([Principal.role(ROLE), Principal.role(ROLE, tags={"x": "models"})]),
    st.sampled_from(["s3:GetObject", "s3:PutObject"]),
    st.sampled_from(["arn:aws:s3:::models/a", "arn:aws:s3:::other/a"]),
    st.sampled_from([{}, {"aws:SourceIp": None}, {"aws:SourceIp": "10.0.0.1"}]),
)
SEVERAL = st.lists(statements(), max_size=5)


@given(REQUESTS, SEVERAL, st.randoms(use_true_random=False))
def test_the_order_of_statements_does_not_matter(request: Request, found: list[dict[str, Any]], random: Any) -> None:
    shuffled = [*found]
    random.shuffle(shuffled)
    assert decide(request, identity=[policy(found)]).yes == decide(request, identity=[policy(shuffled)]).yes


@given(REQUESTS, SEVERAL)
def test_it_does_not_matter_how_statements_are_spread_over_policies(
    request: Request, found: list[dict[str, Any]]
) -> None:
    apart = [policy([statement]) for statement in found]
    assert decide(request, identity=[policy(found)]).yes == decide(request, identity=apart).yes


@given(REQUESTS, SEVERAL)
def test_a_deny_of_everything_wins(request: Request, found: list[dict[str, Any]]) -> None:
    denies = policy([{"Effect": "Deny", "Action": "*", "Resource": "*"}])
    assert not decide(request, identity=[policy(found), denies])


@given(REQUESTS, SEVERAL, statements())
def test_another_deny_never_allows_more(request: Request, found: list[dict[str, Any]], more: dict[str, Any]) -> None:
    narrower = decide(request, identity=[policy([*found, {**more, "Effect": "Deny"}])])
    assert decide(request, identity=[policy(found)]).yes >= narrower.yes


@given(REQUESTS, SEVERAL, SEVERAL)
def test_a_boundary_or_a_session_policy_never_allows_more(
    request: Request, found: list[dict[str, Any]], bound: list[dict[str, Any]]
) -> None:
    free = decide(request, identity=[policy(found)]).yes
    assert free >= decide(request, identity=[policy(found)], boundary=policy(bound)).yes
    assert free >= decide(request, identity=[policy(found)], session=[policy(bound)]).yes
    assert free >= decide(request, identity=[policy(found)], limits=[policy(bound)]).yes


@given(REQUESTS, SEVERAL, st.sampled_from(CONDITIONS))
def test_a_condition_on_what_allows_never_allows_more(
    request: Request, found: list[dict[str, Any]], condition: dict[str, Any]
) -> None:
    narrower = [
        {**s, "Condition": condition} if s["Effect"] == "Allow" and "Condition" not in s else s for s in found
    ]
    assert decide(request, identity=[policy(found)]).yes >= decide(request, identity=[policy(narrower)]).yes


@given(REQUESTS, SEVERAL)
def test_what_one_is_not_told_never_allows_more(request: Request, found: list[dict[str, Any]]) -> None:
    told = Request(request.principal, request.action, request.resource, {"aws:Unknown": "true", **request.context})
    untold = Request(request.principal, request.action, request.resource, request.context)
    assert decide(told, identity=[policy(found)]).yes >= decide(untold, identity=[policy(found)]).yes
