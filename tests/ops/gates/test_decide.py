"""A gate asks about what it looks for, and about nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from ops.diff.model import CostChange, PropertyChange, ResourceChange, Step
from ops.gates.markdown import section
from ops.gates.model import Kind, item
from ops.gates.reading import Change
from ops.gates.settings import Gates
from policies.waivers import Waiver
from tests.ops.gates.conftest import costs, diff, lost, needs, plan_of, resource, shortened, worse

SG = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
WAIVER = Waiver("aws-s3-lifecycle", "prod-aws", date(2026, 12, 1), "urn:x", reason="because of it", owner="ann")
QUEUE = ResourceChange("added", resource("prod-aws", "q", "aws:sqs/queue:Queue", name="q"))


def asked(change: Change, gates: Gates) -> set[str]:
    return set(needs(plan_of(change), gates))


@pytest.mark.parametrize(
    ("change", "gate"),
    [
        (Change(diff("staging-aws", lost("staging-aws", "models"))), "state"),
        (Change(diff("staging-aws", shortened("staging-aws", ("retentionInDays", 365, 7)))), "state"),
        (Change(diff("staging-aws", lost("staging-aws", "models"))), "no-way-back"),
        (
            Change(
                diff(
                    "dev-aws", QUEUE, steps=(Step(1, "create", QUEUE.resource.urn, "q", "t", irreversible="a lock"),)
                )
            ),
            "no-way-back",
        ),
        (Change(diff("dev-aws", QUEUE, cost=costs(4000, 5001))), "cost"),
        (Change(diff("dev-aws", QUEUE, cost=costs(100, 121))), "cost"),
        (Change(diff("dev-aws", QUEUE, cost=costs(0, 1))), "cost"),
        (Change(diff("dev-aws", QUEUE, cost=CostChange(1, 1, 1, 1, not_priced=("aws:x y",)))), "cost"),
        (Change(diff("dev-aws", QUEUE, cost=CostChange(unknown="settings of another version"))), "cost"),
        (Change(diff("dev-aws", verdicts=(worse(),))), "verdict"),
        (Change(diff("prod-aws"), waivers=(WAIVER,)), "waiver"),
        (Change(diff("prod-aws", QUEUE)), "prod"),
        (Change(diff("prod-aws", outputs=(PropertyChange("x", 1, 2),))), "prod"),
        (Change(diff("dev-gcp"), guards=(item(Kind.GUARDS, "stacks/gates.yaml", {"before": "a"}),)), "guards"),
    ],
)
def test_a_gate_sees_what_it_looks_for(change: Change, gate: str, gates: Gates) -> None:
    assert gate in asked(change, gates)


@pytest.mark.parametrize(
    "change",
    [
        Change(diff("dev-aws")),
        Change(diff("dev-aws", QUEUE)),
        Change(diff("staging-aws", QUEUE, cost=costs(4000, 4799))),
        Change(diff("dev-aws", QUEUE, cost=costs(9000, 8000))),
        Change(
            diff("dev-aws", verdicts=(replace(worse(), before=worse().after, after=worse().before, problems=()),))
        ),
    ],
)
def test_what_no_gate_looks_for_needs_no_approval(change: Change, gates: Gates) -> None:
    assert not asked(change, gates)


def test_the_report_says_who_must_agree_and_to_what(gates: Gates) -> None:
    plan = plan_of(Change(diff("prod-aws", lost("prod-aws", "models"))))
    told = "\n".join(section(list(needs(plan, gates).values())))
    assert "**Needs approval**" in told
    assert "`state`: 2 of" in told and "models" in told and "will be deleted" in told


def test_the_report_of_a_change_that_needs_nobody_is_silent() -> None:
    assert section([]) == []


def test_a_report_cannot_be_made_to_call_somebody_or_to_hold_html(gates: Gates) -> None:
    bad = ResourceChange("added", resource("prod-aws", "x"), (PropertyChange("a", None, "<img src=x> @everyone"),))
    told = "\n".join(section(list(needs(plan_of(Change(diff("prod-aws", bad))), gates).values())))
    assert "<img" not in told and "@everyone" not in told


class TestReach:
    """Ways in from outside."""

    @pytest.mark.parametrize(
        "change",
        [
            ResourceChange("added", resource("dev-aws", "r", SG, cidrIpv4="0.0.0.0/0")),
            ResourceChange("added", resource("dev-aws", "r", SG, cidrIpv4="0.0.0.0/1")),
            ResourceChange("added", resource("dev-aws", "r", SG, cidrIpv4="203.0.113.7/32")),
            ResourceChange("added", resource("dev-aws", "r", SG, cidrIpv4="[unknown]")),
            ResourceChange("added", resource("dev-aws", "r", SG, cidrIpv6="::/0")),
            ResourceChange(
                "changed",
                resource("dev-aws", "r", SG, cidrIpv4="10.0.0.0/4"),
                (PropertyChange("cidrIpv4", "10.0.0.0/8", "10.0.0.0/4"),),
            ),
            ResourceChange(
                "changed",
                resource("dev-aws", "c", "aws:eks/cluster:Cluster", vpcConfig={"endpointPublicAccess": True}),
                (PropertyChange("vpcConfig.endpointPublicAccess", False, True),),
            ),
            ResourceChange("added", resource("dev-gcp", "m", "gcp:storage/bucketIAMMember:B", member="allUsers")),
            ResourceChange(
                "added",
                resource(
                    "dev-aws",
                    "p",
                    "aws:sns/topicPolicy:TopicPolicy",
                    policy='{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Condition":'
                    '{"Bool":{"aws:SecureTransport":"true"}}}]}',
                ),
            ),
            ResourceChange(
                "added", resource("dev-aws", "s", "kubernetes:core/v1:Service", spec={"type": "LoadBalancer"})
            ),
            ResourceChange("added", resource("dev-aws", "g", "aws:ec2/internetGateway:InternetGateway")),
        ],
    )
    def test_a_way_that_is_opened_is_asked_about(self, change: ResourceChange, gates: Gates) -> None:
        assert "reach" in asked(Change(diff("dev-aws", change)), gates)

    @pytest.mark.parametrize(
        "change",
        [
            ResourceChange("added", resource("dev-aws", "r", SG, cidrIpv4="10.1.0.0/16")),
            ResourceChange("removed", resource("dev-aws", "r", SG, cidrIpv4="0.0.0.0/0")),
            ResourceChange(
                "changed",
                resource("dev-aws", "r", SG, cidrIpv4="0.0.0.0/0", description="b"),
                (PropertyChange("description", "a", "b"),),
            ),
            ResourceChange(
                "added",
                resource(
                    "dev-aws", "e", "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", cidrIpv4="0.0.0.0/0"
                ),
            ),
            ResourceChange(
                "added",
                resource(
                    "dev-aws",
                    "p",
                    "aws:sns/topicPolicy:TopicPolicy",
                    policy='{"Statement":[{"Effect":"Deny","Principal":"*","Action":"*"},{"Effect":"Allow",'
                    '"Principal":"*","Action":"*","Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"}}}]}',
                ),
            ),
        ],
    )
    def test_what_opens_nothing_is_not(self, change: ResourceChange, gates: Gates) -> None:
        assert "reach" not in asked(Change(diff("dev-aws", change)), gates)
