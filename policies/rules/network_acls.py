"""Network ACLs on AWS: a fence that somebody builds lets in what the settings name, line by line."""

from __future__ import annotations

from typing import Any, Final

from policies.checks import PASS, failed, is_hidden, not_applicable, read, unknown
from policies.examples import Hidden, Output, both, examples, given, plus, put
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.reach.addresses import is_wide
from policies.reach.aws_fences import ACL, ACL_RULE, ACLS, entries, passes
from policies.reach.declared import declared
from policies.reach.traffic import sources

family = Family("Network ACLs")

_NAMED: Final = "what the settings name, and denials before it"
_OPEN: Final = {"protocol": "-1", "cidrBlock": "0.0.0.0/0", "ruleNo": 100, "action": "allow", "fromPort": 0} | {
    "toPort": 0
}
_INSIDE: Final = {**_OPEN, "cidrBlock": "10.20.0.0/16"}


def _late(order: int, action: str, cidr: str) -> Any:
    told = {"networkAclId": Output(ACL), "protocol": "-1", "ruleNumber": order, "ruleAction": action}
    return plus(given(ACL_RULE, {**told, "cidrBlock": cidr}, f"line-{order}"))


@family.rule(
    "aws-acl-named-networks",
    Severity.HIGH,
    "Network ACLs let in the networks that the settings name",
    types=(*ACLS, ACL_RULE),
    rationale="A list that lets everyone in is no second fence, and hides that the first one stands alone.",
    remedy="Remove the line, or leave the network's own list as AWS makes it.",
    frameworks={Framework.AWS_FSBP: ("EC2.21",), Framework.CHECKOV: ("CKV_AWS_352",)},
    examples=lambda: examples(
        given(ACL, {"ingress": [_INSIDE]}),
        broken={
            "it lets in the world": (
                put("ingress.0", _OPEN),
                put("ingress", [{**_OPEN, "cidrBlock": half} for half in ("0.0.0.0/1", "128.0.0.0/1")]),
                put("ingress.0", {**_INSIDE, "ipv6CidrBlock": "::/0"}),
                _late(50, "allow", "0.0.0.0/0"),
                # A denial after the line that allows comes too late.
                both(put("ingress.0", _OPEN), _late(200, "deny", "0.0.0.0/0")),
            ),
            "it lets in 203.0.113.0/24": put("ingress.0.cidrBlock", "203.0.113.0/24"),
        },
        undecided={"ingress is known only to the provider": put("ingress", Hidden())},
        accepted={
            "": (
                put("ingress.0.ruleNo", "100"),
                both(put("ingress.0", _OPEN), _late(50, "deny", "0.0.0.0/0")),
                put("ingress", []),
            )
        },
    ),
)
def acl_named_networks(acl: Resource, inventory: Inventory) -> Judgement:
    if acl.type == ACL_RULE:
        if inventory.linked(acl, "networkAclId", *ACLS):
            return not_applicable("it is judged with its list")
        return unknown("networkAclId", "a list of this stack")
    if is_hidden(read(acl, "ingress")):
        return unknown("ingress", _NAMED)
    networks = declared(inventory)
    beyond = sources(passes(acl, inventory, inward=True)) - networks.private - networks.clients
    if beyond:
        return failed("", f"it lets in {'the world' if is_wide(beyond) else beyond}", _NAMED)
    hidden = [entry for entry in entries(acl, inventory, inward=True) if entry.hidden]
    return unknown(f"{hidden[0].path}.cidrBlock".strip("."), _NAMED) if hidden else PASS
