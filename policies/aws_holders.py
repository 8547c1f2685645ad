"""Who holds which rights on AWS: the documents of a role, user, group or permission set, wherever they are written.

A document is judged with all that its holder has beside it: an action of one and an action of another make a way to
more rights together, and a denial in one takes back what another allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from common.iam.documents import Policy
from policies.checks import is_hidden, items, read
from policies.documents import document_paths, policy_of, statements
from policies.inventory import Inventory, Resource
from policies.model import Judgement
from policies.tokens import IAM_POLICY, IAM_ROLE, IAM_ROLE_ATTACHMENT, IAM_ROLE_POLICY, IAM_USER

GROUP: Final = "aws:iam/group:Group"
PERMISSION_SET: Final = "aws:ssoadmin/permissionSet:PermissionSet"

DOCUMENTS: Final[Mapping[str, str]] = {
    IAM_POLICY: "policy",
    IAM_ROLE_POLICY: "policy",
    "aws:iam/userPolicy:UserPolicy": "policy",
    "aws:iam/groupPolicy:GroupPolicy": "policy",
    "aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy": "inlinePolicy",
    IAM_ROLE: "inlinePolicies.*.policy",
}
"""Type → where its documents of rights are."""
DOCUMENT_TYPES: Final = tuple(DOCUMENTS)

_WRITTEN_FOR: Final[Mapping[str, tuple[str, str]]] = {
    IAM_ROLE_POLICY: ("role", IAM_ROLE),
    "aws:iam/userPolicy:UserPolicy": ("user", IAM_USER),
    "aws:iam/groupPolicy:GroupPolicy": ("group", GROUP),
    "aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy": ("permissionSetArn", PERMISSION_SET),
}
ATTACHMENTS: Final[Mapping[str, tuple[tuple[str, ...], tuple[tuple[str, str], ...]]]] = {
    IAM_ROLE_ATTACHMENT: (("policyArn",), (("role", IAM_ROLE),)),
    "aws:iam/userPolicyAttachment:UserPolicyAttachment": (("policyArn",), (("user", IAM_USER),)),
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment": (("policyArn",), (("group", GROUP),)),
    "aws:iam/policyAttachment:PolicyAttachment": (
        ("policyArn",),
        (("roles", IAM_ROLE), ("users", IAM_USER), ("groups", GROUP)),
    ),
    "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive": (
        ("policyArns.*",),
        (("roleName", IAM_ROLE),),
    ),
    "aws:iam/userPolicyAttachmentsExclusive:UserPolicyAttachmentsExclusive": (
        ("policyArns.*",),
        (("userName", IAM_USER),),
    ),
    "aws:iam/groupPolicyAttachmentsExclusive:GroupPolicyAttachmentsExclusive": (
        ("policyArns.*",),
        (("groupName", GROUP),),
    ),
    "aws:ssoadmin/managedPolicyAttachment:ManagedPolicyAttachment": (
        ("managedPolicyArn",),
        (("permissionSetArn", PERMISSION_SET),),
    ),
    "aws:ssoadmin/managedPolicyAttachmentsExclusive:ManagedPolicyAttachmentsExclusive": (
        ("managedPolicyArns.*",),
        (("permissionSetArn", PERMISSION_SET),),
    ),
    IAM_ROLE: (("managedPolicyArns.*",), ()),
}
"""Type → where it names policies, and where it names who gets them (a role names its own)."""
ATTACHMENT_TYPES: Final = tuple(ATTACHMENTS)


@dataclass
class Holder:
    """One principal and the documents that it holds, as far as the plan has them."""

    resource: Resource
    documents: list[tuple[Resource, str]] = field(default_factory=list)
    policies: list[Policy] = field(default_factory=list)

    @property
    def arn_name(self) -> str:
        """What its ARN ends in, as `role/fleet`; empty where the plan does not know its name."""
        name, path = read(self.resource, "name"), read(self.resource, "path")
        kind = {IAM_ROLE: "role", IAM_USER: "user", GROUP: "group"}.get(self.resource.type)
        if kind is None or not isinstance(name, str) or is_hidden(name):
            return ""
        return f"{kind}{path if isinstance(path, str) and path.startswith('/') else '/'}{name}"


@dataclass(frozen=True)
class Holders:
    """All of an inventory."""

    by_document: Mapping[tuple[str, str], tuple[Holder, ...]]
    """URN of a document's resource and its path → who holds it."""
    by_urn: Mapping[str, Holder]
    boundaries: frozenset[str]
    """URNs of policies that only bound others: nobody holds them."""


def holders(inventory: Inventory) -> Holders:
    """Who holds what."""
    return inventory.derived(_holders)


def paths_of(resource: Resource) -> Iterator[str]:
    """Where a resource keeps documents of rights."""
    yield from document_paths(resource, DOCUMENTS[resource.type])


def named_policies(attachment: Resource) -> Iterator[str]:
    """The paths at which an attachment names policies."""
    for pattern in ATTACHMENTS[attachment.type][0]:
        head, star, _ = pattern.partition(".*")
        if not star or is_hidden(read(attachment, head)):
            yield head
        else:
            yield from items(attachment, head)


def policy_named(inventory: Inventory, attachment: Resource, path: str) -> Resource | None:
    """The stack's own policy that an attachment names at a path."""
    value = read(attachment, path)
    if is_hidden(value):
        linked = inventory.linked(attachment, path.split(".")[0], IAM_POLICY)
        return linked[0] if len(linked) == 1 else None
    return inventory.derived(_policies_by_name).get(str(value).rsplit("/", 1)[-1])


def attached_to(inventory: Inventory, attachment: Resource) -> tuple[Holder, ...]:
    """Whom an attachment gives policies to."""
    found = holders(inventory).by_urn
    if attachment.type == IAM_ROLE:
        return (found[attachment.urn],)
    return tuple(
        found[target.urn]
        for path, token in ATTACHMENTS[attachment.type][1]
        for target in _targets(inventory, attachment, path, token)
    )


def _policies_by_name(inventory: Inventory) -> Mapping[str, Resource]:
    return {name: p for p in inventory.of_type(IAM_POLICY) if isinstance(name := read(p, "name"), str)}


def _principals_by_name(inventory: Inventory) -> Mapping[tuple[str, str], Resource]:
    return {(p.type, str(read(p, "name"))): p for p in inventory.of_type(IAM_ROLE, IAM_USER, GROUP)}


def _targets(inventory: Inventory, holder: Resource, path: str, token: str) -> Iterator[Resource]:
    value = read(holder, path)
    names = value if isinstance(value, list) else [value]
    by_name = inventory.derived(_principals_by_name)
    named = [by_name[token, str(name)] for name in names if (token, str(name)) in by_name]
    linked = inventory.linked(holder, path, token) if any(is_hidden(name) for name in names) or not named else ()
    yield from {r.urn: r for r in (*named, *linked)}.values()


def _holders(inventory: Inventory) -> Holders:
    by_urn = {r.urn: Holder(r) for r in inventory.of_type(IAM_ROLE, IAM_USER, GROUP, PERMISSION_SET)}
    for role in inventory.of_type(IAM_ROLE):
        _give(by_urn[role.urn], role, paths_of(role))
    for token, (path, target) in _WRITTEN_FOR.items():
        for document in inventory.of_type(token):
            for resource in _targets(inventory, document, path, target):
                _give(by_urn[resource.urn], document, paths_of(document))
    attached = set[str]()
    for token, (_, targets) in ATTACHMENTS.items():
        for attachment in inventory.of_type(token):
            for path in named_policies(attachment):
                policy = policy_named(inventory, attachment, path)
                if policy is None:
                    continue
                attached.add(policy.urn)
                receivers = [attachment] if token == IAM_ROLE else []
                receivers += [r for p, t in targets for r in _targets(inventory, attachment, p, t)]
                for resource in receivers:
                    _give(by_urn[resource.urn], policy, paths_of(policy))
    by_document: dict[tuple[str, str], list[Holder]] = {}
    for holder in by_urn.values():
        for resource, path in holder.documents:
            by_document.setdefault((resource.urn, path), []).append(holder)
    return Holders({k: tuple(v) for k, v in by_document.items()}, by_urn, _only_bounds(inventory, attached))


def _give(holder: Holder, document: Resource, paths: Iterable[str]) -> None:
    for path in paths:
        found = statements(document, path)
        holder.documents.append((document, path))
        if not isinstance(found, Judgement):
            holder.policies.append(policy_of(found))


def _only_bounds(inventory: Inventory, attached: set[str]) -> frozenset[str]:
    """Policies that somebody's boundary is, or must be by the condition of another policy, and that nobody holds."""
    by_name = inventory.derived(_policies_by_name)
    named = {str(read(p, "permissionsBoundary")) for p in inventory.of_type(IAM_ROLE, IAM_USER)}
    for token in DOCUMENT_TYPES:
        for document in inventory.of_type(token):
            for path in paths_of(document):
                found = statements(document, path)
                for statement in () if isinstance(found, Judgement) else found:
                    for condition in statement.conditions:
                        if condition.key.lower() == "iam:permissionsboundary":
                            named.update(condition.values)
    bounds = {by_name[last].urn for arn in named if (last := arn.rsplit("/", 1)[-1]) in by_name}
    return frozenset(bounds - attached)
