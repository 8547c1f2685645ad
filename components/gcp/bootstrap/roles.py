"""The plan account of pull requests, and the deploy account of the project's environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_gcp as gcp

from components.contracts.bootstrap import (
    BootstrapSpec,
    Deploys,
    FederationRef,
    RoleRef,
    StateRef,
    deploy_subject,
    drill_subject,
    plan_subjects,
)
from components.contracts.component import Component, ready
from components.contracts.gcp_roles import own_roles
from components.contracts.naming import PRODUCT, SERVICE_ACCOUNT_ID_MAX
from components.contracts.place import Place
from components.contracts.vocabulary import BOOTSTRAP
from components.gcp.agents import account_email, account_member
from components.gcp.bootstrap.federation import subject_member
from components.gcp.bootstrap.rights import (
    ALWAYS,
    HANDING_OUT,
    deploy_permissions,
    grants_only,
    handed_out,
    own_state,
    plan_permissions,
)


class WorkflowAccount(Component):
    """A service account without keys, which exactly the given subjects of one repository may act as."""

    ref: RoleRef

    def __init__(
        self,
        name: str,
        place: Place,
        permissions: Sequence[str],
        *,
        subjects: Sequence[str],
        state: StateRef,
        federation: FederationRef,
        key_role: str,
        roles: Mapping[str, str] | None = None,
        hands_out: Sequence[str] = (),
        state_role: tuple[str, str],
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("gcp:WorkflowAccount", name, provider)
        options = pulumi.ResourceOptions(parent=self)
        account_id = place.name(name, max_length=SERVICE_ACCOUNT_ID_MAX)
        account = gcp.serviceaccount.Account(
            name,
            account_id=account_id,
            project=place.account,
            display_name=f"{place.stack}: {name} from GitHub Actions",
            opts=options,
        )
        # A deleted role's id stays taken for 37 days (IAM, "Create and manage custom roles", read 2026-11-21).
        role_id = place.again(f"{PRODUCT}-{BOOTSTRAP}-{name}").replace("-", "_")
        role = gcp.projects.IAMCustomRole(
            name,
            role_id=role_id,
            project=place.account,
            title=f"{place.stack}: {name}",
            permissions=list(permissions),
            opts=options,
        )
        member = account_member(place, account_id)
        there = pulumi.ResourceOptions(parent=self, depends_on=[account, role])
        made: list[pulumi.Resource] = [
            gcp.projects.IAMMember(f"{name}-{called}", project=place.account, role=given, member=member, opts=there)
            for called, given in {"own": f"projects/{place.account}/roles/{role_id}", **(roles or {})}.items()
        ]
        if hands_out:
            granting = gcp.projects.IAMCustomRole(
                f"{name}-hands-out",
                role_id=f"{role_id}_hands_out",
                project=place.account,
                title=f"{place.stack}: {name} hands out roles",
                permissions=list(HANDING_OUT),
                opts=options,
            )
            made.append(
                gcp.projects.IAMMember(
                    f"{name}-hands-out",
                    project=place.account,
                    role=f"projects/{place.account}/roles/{role_id}_hands_out",
                    member=member,
                    condition={"title": "the platform's roles alone", "expression": grants_only(hands_out)},
                    opts=pulumi.ResourceOptions(parent=self, depends_on=[account, granting]),
                )
            )
        made += [
            gcp.storage.BucketIAMMember(
                f"{name}-state",
                bucket=ready(state.bucket, *state.made),
                role=state_role[0],
                member=member,
                condition={"title": "the stack's state alone", "expression": state_role[1]},
                opts=there,
            ),
            gcp.storage.BucketIAMMember(
                f"{name}-finds-state",
                bucket=ready(state.bucket, *state.made),
                role="roles/storage.legacyBucketReader",
                member=member,
                opts=there,
            ),
            gcp.kms.CryptoKeyIAMMember(
                f"{name}-secrets", crypto_key_id=state.secrets_key, role=key_role, member=member, opts=there
            ),
            *(
                gcp.serviceaccount.IAMMember(
                    f"{name}-{number}",
                    service_account_id=account.name,
                    role="roles/iam.workloadIdentityUser",
                    member=subject_member(place, subject),
                    opts=pulumi.ResourceOptions(parent=self, depends_on=list(federation.made)),
                )
                for number, subject in enumerate(subjects, 1)
            ),
        ]
        self.ref = RoleRef(name=ready(account_email(place, account_id), *made))
        self.finish({"account": self.ref.name})


def planner(
    place: Place,
    spec: BootstrapSpec,
    deploys: Sequence[Deploys],
    *,
    state: StateRef,
    federation: FederationRef,
    provider: pulumi.ProviderResource,
) -> RoleRef:
    """See `BootstrapModule.planner`."""
    return WorkflowAccount(
        "plan",
        place,
        plan_permissions(deploys),
        subjects=plan_subjects(spec.github),
        state=state,
        federation=federation,
        key_role="roles/cloudkms.cryptoKeyDecrypter",
        # Objects of the cluster, but none of its secrets.
        roles={"cluster": "roles/container.viewer"},
        state_role=("roles/storage.objectViewer", own_state(state.bucket, deploys[0])),
        provider=provider,
    ).ref


def deployer(
    place: Place,
    spec: BootstrapSpec,
    deploys: Deploys,
    *,
    state: StateRef,
    federation: FederationRef,
    provider: pulumi.ProviderResource,
) -> RoleRef:
    """See `BootstrapModule.deployer`. It makes the stack's custom roles too: whoever writes one can widen it."""
    own = own_roles(deploys.environment, deploys.feature_store)
    account = WorkflowAccount(
        f"deploy-{deploys.environment}",
        place,
        deploy_permissions(deploys),
        subjects=[deploy_subject(spec.github, deploys.environment)],
        state=state,
        federation=federation,
        key_role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
        hands_out=[*handed_out(deploys), *(f"projects/{place.account}/roles/{role}" for role in own)],
        state_role=("roles/storage.objectUser", own_state(state.bucket, deploys)),
        provider=provider,
    )
    for role_id, permissions in own.items():
        gcp.projects.IAMCustomRole(
            role_id.removeprefix(f"{PRODUCT}_{deploys.environment}_").replace("_", "-"),
            role_id=role_id,
            project=place.account,
            title=f"{place.stack}: {role_id}",
            permissions=list(permissions),
            opts=pulumi.ResourceOptions(parent=account),
        )
    return account.ref


def driller(
    place: Place,
    spec: BootstrapSpec,
    deploys: Deploys,
    *,
    state: StateRef,
    federation: FederationRef,
    provider: pulumi.ProviderResource,
) -> RoleRef:
    """See `BootstrapModule.driller`. The stack's own account for drills names this one among those who take it on."""
    return WorkflowAccount(
        f"drill-{deploys.environment}",
        place,
        ALWAYS,
        subjects=[drill_subject(spec.github, deploys.environment)],
        state=state,
        federation=federation,
        key_role="roles/cloudkms.cryptoKeyDecrypter",
        state_role=("roles/storage.objectViewer", own_state(state.bucket, deploys)),
        provider=provider,
    ).ref
