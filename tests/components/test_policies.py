"""What the components make is what the policies speak of: no rule looks at something that no stack can have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from components.contracts.vocabulary import Cloud
from policies.evaluation import evaluate
from policies.inventory import Inventory
from policies.model import Verdict
from policies.rules import RULES
from stacks.files import is_bootstrap
from tests.components.kubernetes.gateway.doors import PUBLIC
from tests.components.strategies import STRATEGIES, plan_of

ONLY_ADDED: Final[Mapping[str, str]] = {
    "aws-acl-named-networks": "the stacks leave their network's list as it is: security groups say who comes in",
    "aws-egress-to-named-networks": "no security group of the stacks lets anything out by a line of its own",
    "aws-images-stay-near": "no stack copies its registry",
    "aws-s3-tiers-at-hand": "no component moves objects into tiers",
    "gcp-gcs-no-acl-grant": "all buckets have uniform access, which knows no list",
    "gcp-kms-versions-on": "versions of keys are the service's own, made by rotation",
    "gcp-machines-plain": "all machines are made by node pools, which other rules judge",
    "k8s-objects-known": "all objects are declared one by one, in kinds that other rules judge",
    "k8s-webhooks-guard-and-do-not-block": "charts bring their own webhooks, which rules on charts judge",
}
"""Rules on what no component makes and a person could add → why no component does."""


def test_every_rule_has_something_to_say_about_some_stack(
    stores: Mapping[str, tuple[Cloud, Mapping[str, Any]]],
    plan_platform: Callable[..., Any],
    plans: Mapping[str, Inventory],
) -> None:
    bootstrap = [plan for stack, plan in plans.items() if is_bootstrap(stack)]
    production = [plan_platform(cloud, "prod") for cloud in Cloud]
    of_each_kind = [plan_platform(cloud, **changes) for cloud, changes in stores.values()]
    canary = plan_of(plan_platform, STRATEGIES["canary"][0])
    public = plan_platform(Cloud.AWS, fleet={"door": {"public": PUBLIC, "client_cidrs": []}})
    platforms = [planned.inventory for planned in (*production, *of_each_kind, canary, public)]
    findings = [f for inventory in (*platforms, *bootstrap) for f in evaluate(inventory)]
    judged = {f.rule.id for f in findings if f.verdict is not Verdict.NOT_APPLICABLE}
    idle = {rule.id for rule in RULES} - judged
    assert sorted(idle - ONLY_ADDED.keys()) == [], "these rules look at nothing that a stack has"
    assert sorted(ONLY_ADDED.keys() - idle) == [], "some stack has what these rules look at"
