"""Grants of Google Cloud: whatever type of resource makes one, at whatever level, with its members and condition."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from common.permissions import google_roles
from common.permissions.google_dangers import (
    ACTS_AS,
    CONTROL,
    DATA,
    IMPERSONATES,
    STARTS,
    WIDENS,
    changes_policy,
)
from policies.cel import every_way
from policies.checks import ABSENT, PASS, all_of, failed, is_hidden, read, shown, unknown
from policies.google_members import is_own, stores_named
from policies.google_own_roles import bootstrap_roles
from policies.inventory import Inventory, Resource
from policies.model import Judgement
from policies.tokens import GCS_BUCKET

_STEMS: Final[Mapping[str, str]] = {
    "accesscontextmanager": "AccessPolicy~",
    "artifactregistry": "Repository~",
    "bigquery": "Connection~ Dataset~ ~ Routine~",
    "bigtable": "Instance~ Table~",
    "billing": "Account~",
    "binaryauthorization": "Attestor~",
    "certificateauthority": "CaPool~ CertificateTemplate~",
    "cloudbuildv2": "Connection",
    "cloudfunctions": "Function~",
    "cloudfunctionsv2": "Function~",
    "cloudrun": "~",
    "cloudrunv2": "Job~ Service~ WorkerPool~",
    "cloudtasks": "Queue~",
    "compute": "BackendBucket~ BackendService~ Disk~ Image~ Instance InstanceTemplate~ MachineImage~ RegionDisk~ "
    "RegionBackendService~ Snapshot~ Subnetwork",
    "dataproc": "Cluster Job",
    "dns": "DnsManagedZone~",
    "endpoints": "Service~",
    "folder": "",
    "gkebackup": "BackupPlan~ RestorePlan~",
    "gkehub": "Feature~ Membership~ Scope~",
    "iam": "WorkforcePool~ WorkloadIdentityPool~",
    "iap": "Tunnel~ TunnelInstance Web~ WebBackendService~",
    "kms": "CryptoKey EkmConnection~ KeyRing",
    "logging": "LogView~",
    "networksecurity": "AddressGroup~",
    "organizations": "",
    "projects": "",
    "pubsub": "Schema~ Subscription Topic",
    "secretmanager": "RegionalSecret~ Secret~",
    "serviceaccount": "",
    "servicedirectory": "Namespace~ Service~",
    "sourcerepo": "Repository~",
    "spanner": "Database Instance",
    "storage": "Bucket ManagedFolder~",
    "tags": "TagKey~ TagValue~",
    "vertex": "AiEndpoint~ AiFeatureStore~",
}
"""Module of the SDK → what grants are made on; a `~` where the SDK writes `Iam` instead of `IAM`."""


def _tokens(module: str) -> Iterator[str]:
    for stem in _STEMS[module].split(" ") if _STEMS[module] else ("",):
        for kind in ("Member", "Binding", "Policy"):
            name = f"{stem.removesuffix('~')}{'Iam' if stem.endswith('~') else 'IAM'}{kind}"
            yield f"gcp:{module}/{name[0].lower()}{name[1:]}:{name}"


GRANTS: Final = tuple(token for module in _STEMS for token in _tokens(module))
WIDE_GRANTS: Final = tuple(token for module in ("projects", "folder", "organizations") for token in _tokens(module))
"""Grants on everything in a project, a folder or an organization."""
NARROW_GRANTS: Final = tuple(token for token in GRANTS if token not in WIDE_GRANTS)
KEY_GRANTS: Final = tuple(_tokens("kms"))
BUCKET_GRANTS: Final = tuple(_tokens("storage"))
ACCOUNT_GRANTS: Final = tuple(_tokens("serviceaccount"))
CUSTOM_ROLE: Final = "gcp:projects/iAMCustomRole:IAMCustomRole"


@dataclass(frozen=True)
class Grant:
    """One role for some members, under a condition or none."""

    role_path: str
    role: str
    members_path: str
    members: tuple[str, ...]
    condition: str | None


def grants(resource: Resource) -> tuple[Grant, ...] | Judgement:
    """The grants that a resource makes, or the judgement that follows from having none to read."""
    if resource.type.endswith("Policy"):
        return _policy(resource)
    path = "member" if read(resource, "member") is not ABSENT else "members"
    role = read(resource, "role")
    if is_hidden(role):
        return unknown("role", "a role that the plan knows")
    return (Grant("role", str(role), path, _texts(read(resource, path)), _expression(read(resource, "condition"))),)


def _policy(resource: Resource) -> tuple[Grant, ...] | Judgement:
    value = read(resource, "policyData")
    if is_hidden(value):
        return unknown("policyData", "bindings that the plan knows")
    try:
        loaded: Any = json.loads(value) if isinstance(value, str) else value
        bindings: list[Mapping[str, Any]] = list(loaded["bindings"])
    except (TypeError, ValueError, KeyError):
        return failed("policyData", shown(value), "a policy with bindings")
    return tuple(
        Grant(
            f"policyData.bindings.{n}.role",
            str(b.get("role")),
            f"policyData.bindings.{n}.members",
            _texts(b.get("members")),
            _expression(b.get("condition")),
        )
        for n, b in enumerate(bindings)
        if isinstance(b, Mapping)  # pyright: ignore[reportUnnecessaryIsInstance] - as it was written
    )


def _texts(value: object) -> tuple[str, ...]:
    if value is ABSENT or value is None:
        return ()
    return tuple(str(v) for v in value) if isinstance(value, list) else (str(value),)


def _expression(condition: object) -> str | None:
    if condition is ABSENT or condition is None:
        return None
    if is_hidden(condition):
        return str(condition)
    return str(condition.get("expression", "")) if isinstance(condition, Mapping) else ""


_DANGERS: Final = CONTROL | DATA | STARTS
_PUBLIC_DOMAINS: Final = ("gmail.com", "googlemail.com")
_ANY_SUBJECT: Final = re.compile(r"(/\*|/attribute\.[^/]+/?\*?|/subject/\*?|/group/\*?)$")


def everyone_in(member: str) -> bool:
    """Whether a member is whoever asks: the public, a whole domain, or a whole pool of identities."""
    kind, _, rest = member.partition(":")
    if member.lower() in ("allusers", "allauthenticatedusers"):
        return True
    if kind.lower() == "domain" or rest.lower().endswith(tuple(f"@{d}" for d in _PUBLIC_DOMAINS)):
        return True
    if kind in ("projectViewer", "projectEditor"):
        return True
    if kind.lower() in ("principalset", "principal"):
        return bool(_ANY_SUBJECT.search(rest)) or rest.endswith("*") or "/attribute.aud/" in rest
    return kind == "group" and rest.lower().startswith("allusers")


def permissions(inventory: Inventory, resource: Resource, role: str) -> frozenset[str] | None:
    """The dangerous permissions of a role: predefined, of this plan or of bootstrap; None where it is not known."""
    known = google_roles.permissions_of(role) if role.startswith("roles/") else None
    if known is not None:
        return known
    custom = inventory.derived(_custom_roles)
    linked = inventory.linked(resource, "role", CUSTOM_ROLE)
    name = str(read(linked[0], "roleId")) if len(linked) == 1 else role.rsplit("/", 1)[-1]
    found = custom.get(name)
    return None if found is None else frozenset(p for p in found if p in _DANGERS or changes_policy(p))


def _custom_roles(inventory: Inventory) -> Mapping[str, frozenset[str]]:
    """Role's id → its permissions: of the plan, and of those that bootstrap makes for each environment."""
    made = dict(bootstrap_roles(inventory))
    for role in inventory.of_type(CUSTOM_ROLE):
        listed = read(role, "permissions")
        if isinstance(listed, list):
            made[str(read(role, "roleId"))] = frozenset(str(p) for p in listed)
    return made


def restricts(expression: str | None, inventory: Inventory) -> bool:
    """Whether a condition leaves some resources only, or some roles to hand out, in each way to meet it.

    A time that has passed, `true`, and comparisons that any name meets, restrict nothing; nor does the beginning of
    a name that all buckets of the plan have.
    """
    shared = inventory.derived(_begins_all_buckets)

    def narrows(atom: str) -> bool:
        if not _NAMES.fullmatch(atom):
            return False
        begins = _BEGINS.fullmatch(atom)
        return not begins or not shared.startswith(begins[1])

    return not is_hidden(expression) and every_way(expression, narrows)


_BUCKETS: Final = "projects/_/buckets/"
_BEGINS: Final = re.compile(r"resource\.name\.startsWith \( '([^']*)' \)")


def _shared(names: Sequence[str]) -> str:
    """The longest beginning that all have."""
    shortest = min(names, key=len)
    ends = (n for n in range(len(shortest), -1, -1) if all(name.startswith(shortest[:n]) for name in names))
    return shortest[: next(ends)]


def _begins_all_buckets(inventory: Inventory) -> str:
    """What the names of all buckets of the plan begin with, as conditions read them."""
    names = [str(read(bucket, "name")) for bucket in inventory.of_type(GCS_BUCKET)]
    return f"{_BUCKETS}{_shared(names)}" if len(names) > 1 else _BUCKETS


_TEXT: Final = r"'[^'*]{4,}'"
_NAMES: Final = re.compile(
    rf"""resource\.name\ ==\ {_TEXT}
    |{_TEXT}\ ==\ resource\.name
    |resource\.name\ in\ \[\ {_TEXT}(\ ,\ {_TEXT})*\ \]
    |resource\.name\.(startsWith|endsWith)\ \(\ '[^']{{12,}}'\ \)
    |resource\.name\.extract\ \(\ '[^']{{12,}}'\ \)\ ==\ '[^']+'
    |resource\.matchTag(Id)?\ \(\ '[^']+'\ ,\ '[^']+'\ \)
    |api\.getAttribute\ \(\ 'iam\.googleapis\.com/modifiedGrantsByRole'\ ,\ \[\ \]\ \)
     \ ?\.hasOnly\ \(\ \[\ {_TEXT}(\ ,\ {_TEXT})*\ \]\ \)""",
    re.VERBOSE,
)


def handed_out(expression: str | None) -> frozenset[str]:
    """The roles that a condition on `modifiedGrantsByRole` lets its holder grant."""
    if not expression or "modifiedGrantsByRole" not in expression:
        return frozenset()
    return frozenset(re.findall(r"['\"]((?:roles|projects|organizations)/[^'\"]+)['\"]", expression))


def hard(found: frozenset[str]) -> list[str]:
    """Permissions that let rights grow without more ado."""
    return sorted(found & (IMPERSONATES | WIDENS))


def soft(found: frozenset[str]) -> list[str]:
    """Permissions that decide who reaches something, which a deployer needs."""
    return sorted(p for p in found if p in ACTS_AS or changes_policy(p))


def data(found: frozenset[str]) -> list[str]:
    """Permissions on data."""
    return sorted(found & DATA)


def judged_each(resource: Resource, judge: Callable[[Grant], Judgement]) -> Judgement:
    """Judge each grant that a resource makes."""
    found = grants(resource)
    return found if isinstance(found, Judgement) else all_of(judge(grant) for grant in found)


def members_named(grant: Resource, inventory: Inventory) -> Judgement:
    """Whether each member of a grant is somebody, and one of ours."""

    def judge(one: Grant) -> Judgement:
        public = [m for m in one.members if everyone_in(m)]
        if public:
            return failed(one.members_path, shown(public[0]), "named members")
        hidden = any(is_hidden(m) for m in one.members) and not grant.property_dependencies.get(one.members_path)
        if not one.members or not all(one.members):
            return unknown(one.members_path, "named members", "nobody")
        known = (m for m in one.members if not is_hidden(m) and not is_own(m, inventory))
        strangers = [m for m in known if not stores_named(m, grant, one.members_path, inventory)]
        if strangers:
            return failed(
                one.members_path, shown(strangers[0]), "members of the own project, or whom the settings name"
            )
        return unknown(one.members_path, "named members") if hidden else PASS

    return judged_each(grant, judge)
