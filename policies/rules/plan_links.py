"""Links of a plan: what a resource takes a value from, or waits for, is planned with it."""

from __future__ import annotations

from typing import Final

from common.urns import urn_parts
from policies.checks import all_of, failed, not_applicable, passed
from policies.examples import examples, given, option
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Severity
from policies.tokens import S3_POLICY

family = Family("Links of a plan")

_CLOUDS: Final = ("aws:", "gcp:", "kubernetes:")
_GONE: Final = "urn:pulumi:prod::seawall::aws:s3/bucket:Bucket::gone"


@family.rule(
    "links-lead-into-the-plan",
    Severity.HIGH,
    "What a resource takes a value from, or waits for, is in the same plan",
    types=(S3_POLICY, *(f"{cloud}*" for cloud in _CLOUDS)),
    rationale="Rules follow links to judge a key, a role or a network. A link that leads to nothing hides what is "
    "behind it, and the resource is made late, or never.",
    remedy="Plan the resource that it names too, or name it by its id where it is another stack's.",
    examples=lambda: examples(
        given(S3_POLICY, {}, "linked"),
        broken={
            "it waits for gone (aws:s3/bucket:Bucket), which is not planned": option("dependencies", (_GONE,)),
        },
        accepted={"": option("protect", True)},
    ),
)
def links_lead_into_the_plan(resource: Resource, inventory: Inventory) -> Judgement:
    named = {*resource.dependencies, *(urn for urns in resource.property_dependencies.values() for urn in urns)}
    missing = map(urn_parts, sorted(named - inventory.by_urn.keys()))
    gone = [f"{urn.name} ({urn.type})" for urn in missing if urn.type.startswith(_CLOUDS)]
    if gone:
        return all_of(
            failed("", f"it waits for {each}, which is not planned", "a resource of this plan") for each in gone
        )
    return passed() if resource.type == S3_POLICY else not_applicable("all that it names is planned")
