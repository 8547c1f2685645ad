"""What a change lets in from outside is computed from the whole stack; what lets nobody in is not told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ops.diff.blast import OPENED
from ops.diff.completing import completed
from ops.diff.model import Opening, ResourceChange, StackDiff
from ops.diff.reach import opened
from policies.inventory import UNKNOWN, Inventory, Resource
from tests.policies.reach import aws_faults, gcp_faults, kubernetes_faults

SG = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
FIREWALL = "gcp:compute/firewall:Firewall"
FROM_OUTSIDE = {
    "aws-ingress-from-named-networks",
    "aws-no-public-address",
    "aws-eks-endpoint-closed",
    "gcp-no-public-address",
    "k8s-nothing-beside-the-door",
}
"""Rules that are about who comes in from outside, as most of the faults that they find let somebody in."""
INSIDE = {
    "a route of bytes",
    "a route of TLS",
    "a grant to other namespaces",
    "another controller's class",
    "targets of a load balancer elsewhere",
    "a policy of another kind",
    "endpoints by hand",
    "a Gateway at an address of its own",
    "a Gateway with annotations of its own",
    "a line for a private network of nobody's",
    "a line for all of 10/8",
    "the control plane's line widened",
}
"""Faults of theirs that open nothing by themselves: the policy's verdict is what asks there."""
FAULTS = [
    pytest.param(stack, change, id=f"{stack}: {words}")
    for stack, table in (
        ("prod-aws", aws_faults),
        ("prod-gcp", gcp_faults),
        ("prod-aws", kubernetes_faults),
        ("prod-gcp", kubernetes_faults),
    )
    for words, (rule, change) in table.HARMFUL.items()
    if rule in FROM_OUTSIDE and words not in INSIDE
]
HARMLESS = [
    pytest.param(stack, change, id=f"{stack}: {words}")
    for stack, table in (("prod-aws", aws_faults), ("prod-gcp", gcp_faults), ("prod-aws", kubernetes_faults))
    for words, change in table.HARMLESS.items()
    if words != "a rule for probes"  # from Google's own public ranges: a reviewer is asked all the same
]


@pytest.mark.parametrize(("stack", "change"), FAULTS)
def test_a_fault_that_lets_somebody_in_is_told(plans: dict[str, Inventory], stack: str, change: Any) -> None:
    assert opened(plans[stack], change(plans[stack]))


@pytest.mark.parametrize(("stack", "change"), HARMLESS)
def test_a_harmless_edit_opens_nothing(plans: dict[str, Inventory], stack: str, change: Any) -> None:
    assert not opened(plans[stack], change(plans[stack]))


@pytest.mark.parametrize("stack", ["prod-aws", "prod-gcp", "dev-aws", "dev-gcp"])
def test_a_plan_opens_nothing_beside_itself_whatever_its_order(plans: dict[str, Inventory], stack: str) -> None:
    plan = plans[stack]
    assert opened(plan, plan) == ()
    assert opened(plan, replace(plan, resources=plan.resources[::-1])) == ()


def resource(name: str, token: str, links: dict[str, str] | None = None, /, **inputs: Any) -> Resource:
    unknown = tuple(path for path, value in inputs.items() if value == UNKNOWN)
    linked = {prop: (urn,) for prop, urn in (links or {}).items()}
    return Resource(f"urn:x::{token}::{name}", token, name, True, None, inputs, (), unknown, (), linked)


def stack(*resources: Resource, cloud: str = "aws") -> Inventory:
    return Inventory(f"dev-{cloud}", {}, resources)


def ways(before: Inventory, after: Inventory) -> list[tuple[str, str]]:
    return [(way.way, way.to) for way in opened(before, after)]


def policy(*statements: dict[str, Any]) -> Resource:
    return resource("p", "aws:sns/topicPolicy:TopicPolicy", policy={"Statement": list(statements)})


def anyone(**more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": "*", **more}


class TestFences:
    """Lines that let somebody in."""

    def line(self, cidr: str, name: str = "r", **more: Any) -> Resource:
        told = {"securityGroupId": "sg-1", "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, **more}
        return resource(name, SG, cidrIpv4=cidr, **told)

    @pytest.mark.parametrize(
        ("cidr", "to"),
        [
            ("0.0.0.0/0", "every IPv4 address on tcp 443"),
            ("203.0.113.7/32", "203.0.113.7/32 on tcp 443"),
            (UNKNOWN, UNKNOWN),
        ],
    )
    def test_a_line_for_the_outside_is_told_with_its_ports(self, cidr: str, to: str) -> None:
        assert ways(stack(), stack(self.line(cidr))) == [("cidrIpv4", to)]

    def test_a_private_line_is_not(self) -> None:
        assert not ways(stack(), stack(self.line("10.1.0.0/16")))

    def test_a_line_that_is_split_renamed_or_moved_opens_nothing(self) -> None:
        before = stack(self.line("203.0.112.0/23"))
        after = stack(self.line("203.0.112.0/24", "a"), self.line("203.0.113.0/24", "b"))
        assert not ways(before, after)

    def test_only_what_is_new_is_told(self) -> None:
        before, after = stack(self.line("203.0.113.0/24")), stack(self.line("203.0.112.0/23"))
        assert ways(before, after) == [("cidrIpv4", "203.0.112.0/24 on tcp 443")]

    def test_another_port_for_the_same_addresses_is_told(self) -> None:
        before, after = (stack(self.line("203.0.113.0/24", toPort=port)) for port in (443, 444))
        assert ways(before, after) == [("cidrIpv4", "203.0.113.0/24 on tcp 444")]

    def test_a_description_is_not(self) -> None:
        assert not ways(stack(self.line("0.0.0.0/0")), stack(self.line("0.0.0.0/0", description="b")))

    def test_what_is_unknown_as_before_is_not(self) -> None:
        assert not ways(stack(self.line(UNKNOWN)), stack(self.line(UNKNOWN)))

    def test_a_denial_that_goes_opens_the_line_behind_it_though_that_does_not_change(self) -> None:
        allow = resource(
            "allow", FIREWALL, network="n", sourceRanges=["0.0.0.0/0"], allows=[{"protocol": "tcp", "ports": ["443"]}]
        )
        deny = resource(
            "deny", FIREWALL, network="n", sourceRanges=["0.0.0.0/0"], denies=[{"protocol": "all"}], priority=1
        )
        assert not opened(stack(cloud="gcp"), stack(allow, deny, cloud="gcp"))
        (way,) = opened(stack(allow, deny, cloud="gcp"), stack(allow, cloud="gcp"))
        assert way.urn == allow.urn


class TestDoors:
    """What is open by itself, and policies."""

    @pytest.mark.parametrize(
        "after",
        [
            resource("g", "aws:ec2/internetGateway:InternetGateway"),
            resource("g", "aws:ec2/internetGatewayAttachment:InternetGatewayAttachment"),
            resource("s", "kubernetes:core/v1:Service", spec={"type": "LoadBalancer"}),
            resource("m", "gcp:storage/bucketIAMMember:BucketIAMMember", member="allUsers", role="r"),
            resource("c", "aws:eks/cluster:Cluster", vpcConfig={"endpointPublicAccess": "true"}),
            resource("b", "aws:s3/bucket:Bucket"),
            resource("i", "kubernetes:networking.k8s.io/v1:Ingress", spec={}),
            resource("n", "aws:ec2/vpcEndpointService:VpcEndpointService", allowedPrincipals=["*"]),
            policy(anyone()),
            policy(anyone(Condition={"Bool": {"aws:SecureTransport": "true"}})),
            policy(anyone(Condition={"StringLike": {"aws:PrincipalArn": "*"}})),
            policy({"Effect": "Allow", "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "*"}),
        ],
        ids=lambda each: each.type if isinstance(each, Resource) else None,
    )
    def test_a_door_that_opens_is_told(self, after: Resource) -> None:
        assert opened(stack(), stack(after))

    @pytest.mark.parametrize(
        "after",
        [
            policy(anyone(Effect="Deny")),
            policy(anyone(Condition={"StringEquals": {"aws:SourceAccount": "111122223333"}})),
            resource("s", "kubernetes:core/v1:Service", spec={"type": "ClusterIP"}),
            resource("e", "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", cidrIpv4="0.0.0.0/0"),
        ],
        ids=["a denial", "a condition that names an account", "a Service inside", "a way out"],
    )
    def test_what_opens_nothing_is_not(self, after: Resource) -> None:
        assert not opened(stack(), stack(after))

    def test_a_policy_that_gives_everyone_more_is_told(self) -> None:
        assert opened(stack(policy(anyone())), stack(policy(anyone(Action="sns:*"))))

    def test_a_bucket_whose_block_goes_is_told(self) -> None:
        bucket = resource("b", "aws:s3/bucket:Bucket")
        block = resource(
            "b",
            "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
            {"bucket": bucket.urn},
            bucket=UNKNOWN,
            blockPublicAcls=True,
            blockPublicPolicy=True,
            ignorePublicAcls=True,
            restrictPublicBuckets=True,
        )
        assert not opened(stack(), stack(bucket, block))
        assert [way.urn for way in opened(stack(bucket, block), stack(bucket))] == [bucket.urn]

    def test_what_is_removed_opens_nothing(self) -> None:
        assert not opened(stack(policy(anyone())), stack())
        assert opened(stack(policy(anyone())), None) == ()


def test_what_is_opened_counts_in_the_reach_s_score() -> None:
    gate = resource("g", "aws:ec2/internetGateway:InternetGateway")
    diff = StackDiff("dev-aws", "both", (ResourceChange("added", gate),))
    told = completed(diff, stack(), stack(gate))
    assert told.reach == (Opening(gate.urn, "a gateway to the internet", "the internet"),)
    assert (f"1 opened to the outside × {OPENED}", OPENED) in told.blast.terms
    assert told.blast.score == sum(amount for _, amount in told.blast.terms) == OPENED + 1
