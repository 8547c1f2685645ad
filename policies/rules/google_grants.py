"""Grants of Google Cloud: to somebody in particular, of no more than the task, and judged by what a role permits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from common.permissions.google_dangers import STARTS
from common.permissions.google_roles import BASIC
from policies.checks import PASS, failed, shown, unknown
from policies.examples import Hidden, Output, both, examples, given, put
from policies.family import Family
from policies.google_iam import (
    ACCOUNT_GRANTS,
    BUCKET_GRANTS,
    CUSTOM_ROLE,
    GRANTS,
    KEY_GRANTS,
    NARROW_GRANTS,
    WIDE_GRANTS,
    Grant,
    data,
    handed_out,
    hard,
    judged_each,
    members_named,
    permissions,
    restricts,
    soft,
)
from policies.google_own_roles import meant_by
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.tokens import GCP_ACCOUNT, GCP_PROJECT_MEMBER

family = Family("Grants of Google Cloud")

_SECRET = "gcp:secretmanager/secretIamMember:SecretIamMember"  # noqa: S105 - a type
_TOPIC = "gcp:pubsub/topicIAMMember:TopicIAMMember"
_POOL = "iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/github"
_ELSEWHERE: Final = tuple(t for t in GRANTS if t not in (*KEY_GRANTS, *BUCKET_GRANTS, *ACCOUNT_GRANTS))
_STARTS = "resource.name.startsWith('projects/_/buckets/seawall-prod-drill-')"


@family.rule(
    "gcp-iam-no-public-member",
    Severity.CRITICAL,
    "No grant of Google Cloud names everyone, or a stranger",
    types=_ELSEWHERE,
    rationale="allUsers, a whole domain and another project's accounts are people that nobody here has named.",
    remedy="Grant to a service account, a group, or one subject of a pool.",
    frameworks={Framework.CHECKOV: ("CKV_GCP_101",), Framework.NIST_800_53: ("AC-3",)},
    examples=lambda: examples(
        given(
            _SECRET, {"role": "roles/browser", "member": "serviceAccount:fleet@111122223333.iam.gserviceaccount.com"}
        ),
        broken={
            f'member is "{member}"': put("member", member)
            for member in (
                "allUsers",
                "allAuthenticatedUsers",
                "domain:example.com",
                "user:someone@gmail.com",
                "serviceAccount:reader@elsewhere.iam.gserviceaccount.com",
                "serviceAccount:elsewhere.svc.id.goog[serving/triton]",
                "group:team@elsewhere.example",
                "deleted:serviceAccount:reader@111122223333.iam.gserviceaccount.com?uid=1",
                f"principalSet://{_POOL}/*",
                f"principalSet://{_POOL}/attribute.repository/*",
            )
        },
        undecided={"member is known only to the provider": put("member", Hidden())},
        accepted={
            "": (
                put("member", Output(GCP_ACCOUNT)),
                put("member", "group:team@example.com"),
                put("member", "serviceAccount:service-444455556666@gcp-sa-logging.iam.gserviceaccount.com"),
                put("member", f"principal://{_POOL}/subject/repo:acme/seawall:environment:prod"),
            )
        },
    ),
)
def no_public_member(grant: Resource, inventory: Inventory) -> Judgement:
    return members_named(grant, inventory)


@family.rule(
    "gcp-iam-no-broad-role",
    Severity.HIGH,
    "No role on the project reaches all of its data or rights",
    types=WIDE_GRANTS,
    rationale="On a project a role reaches every resource there is and will be, not only this platform's.",
    remedy="Grant a role for the task at hand, on the resource, or under a condition on resource.name.",
    frameworks={Framework.CHECKOV: ("CKV_GCP_117",), Framework.NIST_800_53: ("AC-6",)},
    examples=lambda: examples(
        given(
            GCP_PROJECT_MEMBER,
            {"role": "roles/logging.logWriter", "member": "serviceAccount:a@111122223333.iam.gserviceaccount.com"},
        ),
        given(CUSTOM_ROLE, {"roleId": "own", "permissions": ["storage.buckets.list"]}),
        broken={
            f'role is "{role}", which permits {what}': put("role", role)
            for role, what in {
                "roles/owner": "everything",
                "roles/editor": "everything",
                "roles/viewer": "everything",
                "roles/storage.admin": "storage.buckets.setIamPolicy",
                "roles/resourcemanager.projectIamAdmin": "resourcemanager.projects.setIamPolicy",
                "roles/iam.serviceAccountTokenCreator": "iam.serviceAccounts.getAccessToken",
                "roles/iam.serviceAccountUser": "iam.serviceAccounts.actAs",
                "roles/iam.serviceAccountKeyAdmin": "iam.serviceAccountKeys.create",
                "roles/storage.objectViewer": "storage.objects.get",
                "roles/secretmanager.secretAccessor": "secretmanager.versions.access",
                "roles/cloudbuild.builds.editor": "cloudbuild.builds.create",
            }.items()
        }
        | {
            'role is "roles/storage.objectViewer", which permits storage.objects.get, under a condition that names '
            "nothing": tuple(
                both(put("role", "roles/storage.objectViewer"), put("condition", {"expression": e, "title": "t"}))
                for e in (
                    "true",
                    "!(false)",
                    "request.time > timestamp('2020-01-01T00:00:00Z')",
                    f"{_STARTS} || true",
                    f"({_STARTS} || true)",
                    f"!({_STARTS})",
                )
            ),
            **{
                f'role is "projects/p/roles/own", which permits {permission}': both(
                    put("role", "projects/p/roles/own"), put("permissions", [permission], on=CUSTOM_ROLE)
                )
                for permission in (
                    "iam.serviceAccountKeys.create",
                    "iam.serviceAccounts.actAs",
                    "cloudkms.cryptoKeys.setIamPolicy",
                    "redis.instances.export",
                    "run.jobs.runWithOverrides",
                )
            },
        },
        undecided={
            "role is known only to the provider": put("role", Hidden()),
            'role is "roles/of.nextYear"': put("role", "roles/of.nextYear"),
            'role is "projects/p/roles/elsewhere"': put("role", "projects/p/roles/elsewhere"),
        },
        accepted={
            "": (
                put("role", "projects/p/roles/own"),
                both(
                    put("role", "roles/storage.objectViewer"),
                    put("condition", {"expression": _STARTS, "title": "own"}),
                ),
            )
        },
    ),
)
def gcp_no_broad_role(grant: Resource, inventory: Inventory) -> Judgement:
    def too_much(one: Grant, found: frozenset[str]) -> str:
        worst = _worst(inventory, one.role, found)
        if worst and restricts(one.condition, inventory) and not _hands_out_more(inventory, grant, one):
            return ""
        return f"{worst}, under a condition that names nothing" if worst and one.condition else worst

    return _judged(inventory, grant, "a role for the task at hand", too_much)


def _judged(
    inventory: Inventory, grant: Resource, required: str, too_much: Callable[[Grant, frozenset[str]], str]
) -> Judgement:
    """Judge each grant by what its role permits: `too_much` says what of it is, or nothing."""

    def judge(one: Grant) -> Judgement:
        if one.role in BASIC:
            return failed(one.role_path, f"{shown(one.role)}, which permits everything", required)
        found = permissions(inventory, grant, one.role)
        if found is None:
            return unknown(one.role_path, required, shown(one.role))
        worst = too_much(one, found)
        return failed(one.role_path, f"{shown(one.role)}, which permits {worst}", required) if worst else PASS

    return judged_each(grant, judge)


def _worst(inventory: Inventory, role: str, found: frozenset[str]) -> str:
    """The worst that a role permits on a whole project, beyond what a custom role of this name is for.

    A bootstrap stack makes roles of which one deploys; any other stack grants those that bootstrap made, as made.
    """
    listed = [*hard(found), *soft(found), *data(found), *sorted(found & STARTS)]
    if not role.startswith("roles/"):
        meant = meant_by(inventory, role)
        listed = [p for p in listed if p not in meant or p == "resourcemanager.projects.setIamPolicy"]
    preferred = [p for p in listed if p.endswith(("getAccessToken", "projects.setIamPolicy", "buckets.setIamPolicy"))]
    return next(iter([*preferred, *listed]), "")


def _hands_out_more(inventory: Inventory, grant: Resource, one: Grant) -> bool:
    """Whether a condition lets its holder grant roles that are broad themselves."""
    for role in handed_out(one.condition):
        found = permissions(inventory, grant, role)
        if role in BASIC or (found and role.startswith("roles/") and (hard(found) or soft(found))):
            return True
    return False


@family.rule(
    "gcp-iam-control-not-handed-out",
    Severity.HIGH,
    "No grant on a resource lets its members decide who else reaches it",
    types=NARROW_GRANTS,
    rationale="Who may set a bucket's, key's or account's policy, or make its keys, has all that it guards.",
    remedy="Grant a role that uses the resource, and leave its policy to the deploy role.",
    frameworks={Framework.NIST_800_53: ("AC-6",)},
    examples=lambda: examples(
        given(
            _TOPIC,
            {"role": "roles/pubsub.publisher", "member": "serviceAccount:a@111122223333.iam.gserviceaccount.com"},
        ),
        broken={
            f'role is "{role}", which permits {what}': put("role", role)
            for role, what in {
                "roles/owner": "everything",
                "roles/pubsub.admin": "pubsub.schemas.setIamPolicy",
                "roles/iam.serviceAccountKeyAdmin": "iam.serviceAccountKeys.create",
            }.items()
        },
        undecided={"role is known only to the provider": put("role", Hidden())},
        accepted={"": put("role", "roles/iam.serviceAccountTokenCreator")},
    ),
)
def control_not_handed_out(grant: Resource, inventory: Inventory) -> Judgement:
    def too_much(_: Grant, found: frozenset[str]) -> str:
        decides = [p for p in soft(found) if p.endswith("setIamPolicy") and not p.startswith("storage.objects.")]
        decides += [p for p in hard(found) if p in ("iam.serviceAccountKeys.create", "storage.hmacKeys.create")]
        return min(decides, default="")

    return _judged(inventory, grant, "a role that uses the resource", too_much)
