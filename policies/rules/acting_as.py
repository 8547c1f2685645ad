"""Who acts as a service account of Google Cloud: the pods that are made for it, and one repository's workflows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from policies.checks import ABSENT, PASS, all_of, expect, failed, if_given, is_hidden, read, shown, unknown
from policies.examples import Hidden, Output, both, drop, examples, given, put, without
from policies.family import Family
from policies.google_iam import ACCOUNT_GRANTS, Grant, everyone_in, judged_each
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.tokens import GCP_ACCOUNT, GCP_ACCOUNT_MEMBER, GCP_POOL_PROVIDER, SERVICE_ACCOUNT

family = Family("Acting as an account of Google Cloud")

_IS_USED: Final = "roles/iam.workloadIdentityUser"
_NAMED: Final = "iam.gke.io/gcp-service-account"
_POD: Final = re.compile(r"serviceAccount:[\w.:-]+\.svc\.id\.goog\[([^/\]]+)/([^\]]+)\]")
_POD_SUBJECT: Final = re.compile(r"principal://.+\.svc\.id\.goog/subject/ns/([^/]+)/sa/([^/]+)")
_ONE: Final = ("repository", "repository_id", "job_workflow_ref", "workflow_ref", "project_path", "project_id", "sub")
"""Claims that belong to one repository's tokens, or to fewer (GitHub's "OpenID Connect reference", believed)."""
_POOL: Final = "iam.googleapis.com/projects/444455556666/locations/global/workloadIdentityPools"
_MEMBER: Final = "serviceAccount:111122223333.svc.id.goog[serving/triton]"


@family.rule(
    "gcp-accounts-used-by-theirs",
    Severity.CRITICAL,
    "A service account is used by the pods that name it, and from outside by one subject or repository",
    types=ACCOUNT_GRANTS,
    rationale="Pods that do not name an account, a whole namespace or all that an owner has, are not whom it is for.",
    remedy="Grant workloadIdentityUser to PROJECT.svc.id.goog[NAMESPACE/NAME] of the ServiceAccount that names it.",
    frameworks={Framework.NIST_800_53: ("AC-3", "AC-6")},
    examples=lambda: examples(
        given(
            GCP_ACCOUNT_MEMBER,
            {"role": _IS_USED, "member": _MEMBER, "serviceAccountId": Output(GCP_ACCOUNT, "used")},
            "used",
        ),
        given(GCP_ACCOUNT, {"accountId": "seawall-used"}, "used"),
        given(
            SERVICE_ACCOUNT,
            {
                "metadata": {
                    "name": "triton",
                    "namespace": "serving",
                    "annotations": {_NAMED: "seawall-used@111122223333.iam.gserviceaccount.com"},
                }
            },
            "used",
        ),
        broken={
            f"member is {shown(member)}": put("member", member)
            for member in (
                "serviceAccount:111122223333.svc.id.goog[default/default]",
                f"principal://{_POOL}/111122223333.svc.id.goog/subject/ns/default/sa/default",
                f"principalSet://{_POOL}/111122223333.svc.id.goog/namespace/serving",
                f"principalSet://{_POOL}/github/attribute.repository_owner/acme",
                f"principalSet://{_POOL}/github/attribute.ref/refs/heads/main",
            )
        }
        | {
            f"{_MEMBER} is not annotated with the account": (
                put(
                    "metadata.annotations",
                    {_NAMED: "another@111122223333.iam.gserviceaccount.com"},
                    SERVICE_ACCOUNT,
                    "used",
                ),
                drop("metadata.annotations", SERVICE_ACCOUNT, "used"),
            ),
            f"member is {shown(_MEMBER)}": without(SERVICE_ACCOUNT, "used"),
            'role is "roles/iam.serviceAccountTokenCreator"': put("role", "roles/iam.serviceAccountTokenCreator"),
        },
        undecided={"member is known only to the provider": put("member", Hidden())},
        accepted={
            "": (
                put("member", f"principal://{_POOL}/111122223333.svc.id.goog/subject/ns/serving/sa/triton"),
                put("member", f"principal://{_POOL}/github/subject/repo:acme/seawall:environment:dev"),
                put("member", f"principalSet://{_POOL}/github/attribute.repository/acme/seawall"),
                both(
                    put("member", "serviceAccount:ci@111122223333.iam.gserviceaccount.com"),
                    put("role", "roles/iam.serviceAccountTokenCreator"),
                ),
            )
        },
    ),
)
def accounts_used_by_theirs(grant: Resource, inventory: Inventory) -> Judgement:
    def judge(one: Grant) -> Judgement:
        return all_of(_user(grant, inventory, one, member) for member in one.members)

    return judged_each(grant, judge)


def _user(grant: Resource, inventory: Inventory, one: Grant, member: str) -> Judgement:
    """Whether one member may act as the account."""
    if is_hidden(member):
        linked = grant.property_dependencies.get(one.members_path)
        return PASS if linked else unknown(one.members_path, "a member that the plan knows")
    required = "the ServiceAccount that names the account, one subject, or one repository"
    pod = _POD.fullmatch(member) or _POD_SUBJECT.fullmatch(member)
    if pod:
        if one.role != _IS_USED:
            return failed(one.role_path, shown(one.role), _IS_USED)
        pods = [p for p in inventory.of_type(SERVICE_ACCOUNT) if _is_at(p, pod[1], pod[2])]
        if not pods:
            return failed(one.members_path, shown(member), required)
        if any(_names(p, _accounts(grant, inventory)) for p in pods):
            return PASS
        return failed("", f"{member} is not annotated with the account", f"{_NAMED} of the account")
    if not member.startswith("principalSet://") or everyone_in(member):  # the finding of another rule
        return PASS
    held = re.search(r"/attribute\.([^/]+)/[^/*]", member)
    return PASS if held and held[1] in _ONE else failed(one.members_path, shown(member), required)


def _is_at(pods: Resource, namespace: str, name: str) -> bool:
    return read(pods, "metadata.name") == name and read(pods, "metadata.namespace") == namespace


def _accounts(grant: Resource, inventory: Inventory) -> list[str]:
    """What the address of the account that is granted begins with; empty where the plan cannot say."""
    value = read(grant, "serviceAccountId")
    if isinstance(value, str) and "/serviceAccounts/" in value:
        return [value.rsplit("/", 1)[-1]]
    linked = inventory.linked(grant, "serviceAccountId", GCP_ACCOUNT)
    return [f"{read(account, 'accountId')}@" for account in linked]


def _names(pods: Resource, accounts: list[str]) -> bool:
    annotations = read(pods, "metadata.annotations")
    named = annotations.get(_NAMED) if isinstance(annotations, Mapping) else None
    return is_hidden(named) or (isinstance(named, str) and any(named.startswith(each) for each in accounts))


_SUBJECT: Final = "google.subject"
_CLAIMS: Final = frozenset({*_ONE, "repository_owner", "repository_owner_id", "ref", "environment", "actor", "aud"})
_ISSUERS: Final = re.compile(r"https://(token\.actions\.githubusercontent\.com(/[\w-]+)?|gitlab\.com)/?")
"""GitHub's issuer, and an enterprise's own below it; GitLab's (both projects' pages on OpenID Connect, believed)."""
_AUDIENCE: Final = "https://iam.googleapis.com/projects/"
"""What a provider takes where no audience is listed: its own name (cloud.google.com/iam, "Workload identity
federation with other identity providers", believed 2026-11-22)."""


@family.rule(
    "gcp-federation-tokens-as-signed",
    Severity.HIGH,
    "Providers of workload identity take the issuer's own tokens, for them, and read claims by their names",
    types=(GCP_POOL_PROVIDER,),
    rationale="Who chooses the issuer, its keys, the audience, or what stands for the subject, chooses who he is.",
    remedy="Map google.subject to assertion.sub and each claim to its own name; leave keys and audiences out.",
    frameworks={Framework.NIST_800_53: ("IA-5", "IA-9")},
    examples=lambda: examples(
        given(
            GCP_POOL_PROVIDER,
            {
                "attributeMapping": {_SUBJECT: "assertion.sub", "attribute.repository": "assertion.repository"},
                "oidc.issuerUri": "https://token.actions.githubusercontent.com",
            },
        ),
        broken={
            f"attributeMapping is {shown(mapping)}": put("attributeMapping", mapping)
            for mapping in (
                {_SUBJECT: "assertion.actor"},
                {_SUBJECT: "'ci'"},
                {_SUBJECT: "assertion.sub", "attribute.repository": "assertion.head_ref"},
                {"attribute.repository": "assertion.repository"},
            )
        }
        | {
            'oidc.issuerUri is "https://issuer.example.net"': put("oidc.issuerUri", "https://issuer.example.net"),
            'oidc.jwksJson is "{}"': put("oidc.jwksJson", "{}"),
            'oidc.allowedAudiences is ["sts.amazonaws.com"]': put("oidc.allowedAudiences", ["sts.amazonaws.com"]),
        },
        undecided={"attributeMapping is known only to the provider": put("attributeMapping", Hidden())},
        accepted={
            "": (
                put("attributeMapping", {_SUBJECT: "assertion.sub", "attribute.branch": "assertion.ref"}),
                put("oidc.allowedAudiences", []),
                put("oidc.allowedAudiences", [f"{_AUDIENCE}1/locations/global/workloadIdentityPools/p/providers/x"]),
                put("oidc.issuerUri", "https://token.actions.githubusercontent.com/acme"),
            )
        },
    ),
)
def federation_tokens_as_signed(provider: Resource, _: Inventory) -> Judgement:
    own = "the provider's own name, or none"
    keys = read(provider, "oidc.jwksJson")
    if read(provider, "oidc") is ABSENT:  # tokens of AWS, or SAML
        return PASS
    return all_of(
        (
            expect(provider, "attributeMapping", "claims by their names", _maps_as_signed),
            expect(
                provider,
                "oidc.issuerUri",
                "the issuer of GitHub or GitLab",
                lambda uri: bool(_ISSUERS.fullmatch(uri)),
            ),
            PASS if keys is ABSENT else failed("oidc.jwksJson", shown(keys), "the issuer's own keys"),
            if_given(
                provider,
                "oidc.allowedAudiences",
                lambda: expect(
                    provider, "oidc.allowedAudiences", own, lambda told: all(_is_audience(a) for a in told)
                ),
            ),
        )
    )


def _is_audience(audience: object) -> bool:
    return isinstance(audience, str) and audience.removeprefix("https:").startswith(_AUDIENCE.removeprefix("https:"))


def _maps_as_signed(mapping: Mapping[str, Any]) -> bool:
    """Whether the subject is the token's, and no attribute that is called like a claim holds another."""
    if str(mapping.get(_SUBJECT)).strip() != "assertion.sub":
        return False
    called = {
        key.removeprefix("attribute."): str(value).strip() for key, value in mapping.items() if value is not None
    }
    return all(value == f"assertion.{claim}" for claim, value in called.items() if claim in _CLAIMS)
