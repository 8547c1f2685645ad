"""Roles of AWS that services take for copies: which one an input names, who may take it, and what it may do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from common.iam.documents import Policy
from common.iam.evaluation import Principal, Request, decide
from policies.aws_holders import ATTACHMENT_TYPES, attached_to, holders, named_policies
from policies.checks import ABSENT, PASS, all_of, failed, is_hidden, passed, read, shown, unknown
from policies.documents import policy_of, statements
from policies.examples import Text, allow, document
from policies.inventory import Inventory, Resource
from policies.model import Judgement
from policies.settings_view import SettingsView
from policies.tokens import IAM_ROLE

NO_ROLE: Final = "it names no role"
_NOT_HERE: Final = "its role is not of this plan"


def trust_of(service: str) -> Text:
    return document(allow(Principal={"Service": service}, Action="sts:AssumeRole"))


def role_of(inventory: Inventory, holder: Resource, path: str) -> Resource | Judgement:
    """The stack's own role that an input names, or what follows where it names none."""
    value = read(holder, path)
    if value is ABSENT:
        return passed(NO_ROLE)
    linked = inventory.linked(holder, path, IAM_ROLE)
    if is_hidden(value):
        return linked[0] if len(linked) == 1 else unknown(path, "a role that the plan knows")
    account = SettingsView.of(inventory.settings).account
    if account and str(value).split(":")[4:5] != [account]:
        return failed(path, shown(value), f"a role of account {account}")
    name = str(value).rpartition("/")[2]
    return next((r for r in inventory.of_type(IAM_ROLE) if read(r, "name") == name), passed(_NOT_HERE))


def role_arn(inventory: Inventory, role: Resource) -> str:
    account = SettingsView.of(inventory.settings).account or "000000000000"
    return f"arn:aws:iam::{account}:{holders(inventory).by_urn[role.urn].arn_name or f'role/{role.name}'}"


def trusts(inventory: Inventory, role: Resource, service: str, source: str = "") -> Judgement:
    """Whether a service may take a role for the stack's account."""
    found = statements(role, "assumeRolePolicy")
    if isinstance(found, Judgement):
        return found
    account = SettingsView.of(inventory.settings).account
    told = {"aws:SourceAccount": account, **({"aws:SourceArn": source} if source else {})}
    request = Request(Principal.of_service(service), "sts:AssumeRole", role_arn(inventory, role), told)
    if decide(request, resource=policy_of(found)):
        return PASS
    return failed(f"{role.name}.assumeRolePolicy", f"not for {service}", f"a trust that lets {service} take the role")


def attached_policies(inventory: Inventory) -> dict[str, set[str]]:
    """URN of a role → ARNs of what is attached to it, AWS' own policies included."""
    made: dict[str, set[str]] = {}
    for attachment in inventory.of_type(*ATTACHMENT_TYPES):
        arns = {str(read(attachment, path)) for path in named_policies(attachment)}
        for holder in attached_to(inventory, attachment):
            made.setdefault(holder.resource.urn, set()).update(arns)
    return made


def may_all(inventory: Inventory, role: Resource, requests: Iterable[tuple[str, str, dict[str, str]]]) -> Judgement:
    """Whether a role's documents allow it every one of some requests."""
    held = holders(inventory).by_urn[role.urn]
    return all_of(_may_one(inventory, role, held.policies, request) for request in requests)


def _may_one(
    inventory: Inventory, role: Resource, policies: list[Policy], asked: tuple[str, str, dict[str, str]]
) -> Judgement:
    action, resource, told = asked
    request = Request(Principal.role(role_arn(inventory, role)), action, resource, dict(told))
    if decide(request, identity=policies):
        return PASS
    return failed(role.name, f"may not {action} on {resource}", "a role that may do all that the copy takes")
