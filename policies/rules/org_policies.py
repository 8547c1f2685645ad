"""Policies of the organization that a stack sets for its project: what they forbid stays forbidden."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from policies.checks import all_of, equals, expect, if_given
from policies.examples import Hidden, drop, examples, given, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity

family = Family("Policies of the organization")

_POLICY: Final = "gcp:orgpolicy/policy:Policy"


@family.rule(
    "gcp-org-policies-enforced",
    Severity.HIGH,
    "A policy of the organization that a stack sets is enforced",
    types=(_POLICY,),
    rationale="A policy that is off, or allows all, takes away for the project what the organization forbids.",
    remedy='Set enforce to "TRUE", denyAll to "TRUE", or list the values that are allowed.',
    frameworks={Framework.NIST_800_53: ("CM-6", "AC-3")},
    examples=lambda: examples(
        given(_POLICY, {"spec.rules": [{"enforce": "TRUE"}]}),
        broken={
            'spec.rules is [{"enforce": "FALSE"}]': put("spec.rules", [{"enforce": "FALSE"}]),
            'spec.rules is [{"allowAll": "TRUE"}]': put("spec.rules", [{"allowAll": "TRUE"}]),
            'spec.rules is [{"enforce": "TRUE"}, {"enforce": "FALSE"}]': put("spec.rules.1", {"enforce": "FALSE"}),
            "spec.rules is []": put("spec.rules", []),
            "spec.rules is absent": drop("spec"),
            "spec.reset is true": put("spec.reset", True),
        },
        undecided={"spec.rules is known only to the provider": put("spec.rules", Hidden())},
        accepted={
            "": (
                put("spec.rules", [{"denyAll": "TRUE"}]),
                put("spec.rules", [{"values": {"allowedValues": ["C0abc1234"]}}]),
                put("spec.rules", [{"enforce": True}]),
                put("spec.reset", False),
            )
        },
    ),
)
def org_policies_enforced(policy: Resource, _: Inventory) -> Judgement:
    wanted = "rules that enforce, deny, or list values"
    return all_of(
        (
            expect(
                policy, "spec.rules", wanted, lambda rules: bool(rules) and all(_enforces(rule) for rule in rules)
            ),
            if_given(policy, "spec.reset", lambda: equals(policy, "spec.reset", False)),
        )
    )


def _enforces(rule: Mapping[str, Any]) -> bool:
    if str(rule.get("allowAll")).upper() == "TRUE" or str(rule.get("enforce")).upper() == "FALSE":
        return False
    values = rule.get("values")
    listed = isinstance(values, Mapping) and bool(values.get("allowedValues") or values.get("deniedValues"))
    return listed or "TRUE" in (str(rule.get("enforce")).upper(), str(rule.get("denyAll")).upper())
