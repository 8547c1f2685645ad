"""The plan role of pull requests, and a deploy role for each environment with the boundary of what it may make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.bootstrap.federation import github_trust
from components.aws.bootstrap.rights import (
    boundary_document,
    documents,
    read_statements,
    state_statements,
    write_statements,
)
from components.aws.documents import Statement, allow
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
from components.contracts.naming import boundary_name
from components.contracts.place import Place
from components.contracts.vocabulary import Cloud

PLAN_SECONDS: Final = 3600
DRILL_SECONDS: Final = 4 * 3600
"""How long a session lasts at most. The role that it takes on in turn is given for an hour at a time, whatever that
role allows (IAM guide, "Role chaining", read 2026-11-21); SDKs take it on again."""
DEPLOY_SECONDS: Final = 2 * 3600
"""How long a session lasts at most; the first `up` waits half an hour for the cluster and its machines."""


class WorkflowRole(Component):
    """A role that one repository's workflows take on, with policies that fit IAM's limits."""

    ref: RoleRef

    def __init__(
        self,
        name: str,
        place: Place,
        statements: Sequence[Statement],
        *,
        subjects: Sequence[str],
        seconds: int,
        after: Sequence[pulumi.Resource],
        boundary: tuple[str, str] | None = None,
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("aws:WorkflowRole", name, provider)
        options = pulumi.ResourceOptions(parent=self)
        made: list[pulumi.Resource] = []
        if boundary is not None:
            made.append(
                aws.iam.Policy(
                    f"{name}-boundary", name=boundary[0], policy=boundary[1], tags=place.labels, opts=options
                )
            )
        role = aws.iam.Role(
            name,
            name=place.name(name, max_length=64),
            description=f"{place.stack}: {name} from GitHub Actions",
            assume_role_policy=github_trust(place, subjects),
            max_session_duration=seconds,
            tags=place.labels,
            # IAM refuses a principal that is not there yet.
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(after)),
        )
        for number, text in enumerate(documents(statements), 1):
            policy = aws.iam.Policy(
                f"{name}-{number}",
                name=place.name(f"{name}-{number}", max_length=128),
                policy=text,
                tags=place.labels,
                opts=options,
            )
            made.append(
                aws.iam.RolePolicyAttachment(f"{name}-{number}", role=role.name, policy_arn=policy.arn, opts=options)
            )
        self.ref = RoleRef(name=ready(role.arn, *made))
        self.finish({"role": self.ref.name})


def planner(
    place: Place,
    spec: BootstrapSpec,
    deploys: Sequence[Deploys],
    *,
    state: StateRef,  # noqa: ARG001 - its names follow from the place
    federation: FederationRef,
    provider: pulumi.ProviderResource,
) -> RoleRef:
    """See `BootstrapModule.planner`."""
    stacks = [one.stack(Cloud.AWS) for one in deploys]
    statements = [*state_statements(place, stacks, write=False), *read_statements(place, deploys)]
    return WorkflowRole(
        "plan",
        place,
        statements,
        subjects=plan_subjects(spec.github),
        seconds=PLAN_SECONDS,
        after=federation.made,
        provider=provider,
    ).ref


def deployer(
    place: Place,
    spec: BootstrapSpec,
    deploys: Deploys,
    *,
    state: StateRef,  # noqa: ARG001 - its names follow from the place
    federation: FederationRef,
    provider: pulumi.ProviderResource,
) -> RoleRef:
    """See `BootstrapModule.deployer`."""
    statements = [
        *state_statements(place, [deploys.stack(Cloud.AWS)], write=True),
        *write_statements(place, deploys),
    ]
    return WorkflowRole(
        f"deploy-{deploys.environment}",
        place,
        statements,
        subjects=[deploy_subject(spec.github, deploys.environment)],
        seconds=DEPLOY_SECONDS,
        after=federation.made,
        boundary=(boundary_name(deploys.environment), boundary_document(place, deploys)),
        provider=provider,
    ).ref


def driller(
    place: Place,
    spec: BootstrapSpec,
    deploys: Deploys,
    *,
    state: StateRef,  # noqa: ARG001 - its names follow from the place
    federation: FederationRef,
    provider: pulumi.ProviderResource,
) -> RoleRef:
    """See `BootstrapModule.driller`."""
    statements = [
        *state_statements(place, [deploys.stack(Cloud.AWS)], write=False),
        allow("TakeOnTheDrill", ["sts:AssumeRole"], f"arn:aws:iam::{place.account}:role/{deploys.prefix}-drill"),
    ]
    return WorkflowRole(
        f"drill-{deploys.environment}",
        place,
        statements,
        subjects=[drill_subject(spec.github, deploys.environment)],
        seconds=DRILL_SECONDS,
        after=federation.made,
        provider=provider,
    ).ref
