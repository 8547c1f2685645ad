"""What a bootstrap stack asks of an account or project before a platform stack can come up in it, and what it gives.

A bootstrap stack is made once by an owner. It holds what outlives every platform stack, and what its deployer must
not be able to change: Pulumi's state, the federation with GitHub, the deployer's own rights, and their boundary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Protocol

import pulumi
from pydantic import Field

from components.contracts.naming import PRODUCT
from components.contracts.place import Place
from components.contracts.spec import Spec
from components.contracts.specs import KeysSpec
from components.contracts.vocabulary import BOOTSTRAP, Cloud, Environment

GITHUB_ISSUER: Final = "https://token.actions.githubusercontent.com"
"""Who signs the tokens of GitHub Actions (docs.github.com, "OpenID Connect reference", read 2026-11-21)."""


STATE_COPY_MINUTES: Final = 120
"""How old the copy of Pulumi's state may be: an hour between transfers and the time that one takes, and room."""


class OncePerAccount(StrEnum):
    """What an AWS account has at most once, so that it cannot be made where somebody made it before."""

    AUTO_SCALING = "autoscaling"
    SPOT = "spot"
    EKS = "eks"
    EKS_NODE_GROUP = "eks-nodegroup"
    ELASTICACHE = "elasticache"
    BACKUP = "backup"
    GITHUB = "github-oidc"


class GithubSpec(Spec):
    """The repository whose workflows may plan and deploy, without a stored secret."""

    repository: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$")]
    """`owner/name`, in the letters that GitHub shows: tokens are compared with it letter by letter."""
    repository_id: Annotated[str, Field(pattern=r"^\d*$")] = ""
    """Google Cloud only: GitHub's number of the repository, `gh api repos/OWNER/NAME --jq .id`. A name that is given
    up can be taken by someone else; a number cannot. AWS can compare a token's subject and audience alone."""
    branch: Annotated[str, Field(pattern=r"^[A-Za-z0-9._/-]{1,100}$")] = "main"
    """The branch that is deployed, and that plans beside pull requests."""


class BudgetSpec(Spec):
    """What a month may cost before somebody is told."""

    monthly_amount: Annotated[int, Field(ge=1)]
    """US dollars on AWS, the billing account's own currency on Google Cloud."""
    alert_percents: Annotated[tuple[Annotated[int, Field(ge=1, le=200)], ...], Field(min_length=1, max_length=5)] = (
        50,
        80,
        100,
    )
    """Shares of the amount, in percent, at which a message is sent; at the last one also when it is only forecast."""
    alert_email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
    """Who gets the message."""


class BootstrapSpec(Spec):
    """All that a bootstrap stack asks for; one for each account and cloud."""

    cloud: Cloud
    """The cloud of the account."""
    account: str
    """AWS: the account's 12 digits. Google Cloud: the project's id."""
    project_number: Annotated[str, Field(pattern=r"^\d*$")] = ""
    """Google Cloud only: the project's number, which names its service agents."""
    region: str
    """Where Pulumi's state and the secrets' key are kept: not the primary region of any stack of the account, whose
    loss would take along what is needed to build it again."""
    copy_region: str
    """Where the copy of the state is kept: not `region`, and at least 400 km away from it."""
    environments: Annotated[tuple[Environment, ...], Field(min_length=1)]
    """The environments whose stacks live in the account: each gets a deploy role of its own."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels of your own on every resource."""
    keys: KeysSpec = KeysSpec()
    """The keys of the state and of the secrets in it."""
    state_retention_days: Annotated[int, Field(ge=30, le=3650)] = 365
    """Days that an overwritten or deleted state is kept."""
    github: GithubSpec
    """The repository that plans and deploys."""
    budget: BudgetSpec
    """What a month may cost."""
    billing_account: Annotated[str, Field(pattern=r"^([0-9A-F]{6}(-[0-9A-F]{6}){2})?$")] = ""
    """Google Cloud only: the billing account that pays, as `gcloud billing projects describe PROJECT` says it."""
    already_there: tuple[OncePerAccount, ...] = ()
    """AWS only: what the account has already and can have once only; it is used as it is."""
    no_organization: Annotated[str, Field(max_length=300)] = ""
    """Google Cloud only: why the project gets no organization policies, as that it belongs to no organization. TLS,
    private buckets and accounts without keys are then not forced on the project. At least 20 characters."""
    generation: Annotated[int, Field(ge=1, le=99)] = 1
    """Google Cloud only: one more than the last time, where a bootstrap stack of this project was destroyed before.
    Cloud KMS never gives up a key's name, and a deleted identity pool's is taken for 30 days."""


@dataclass(frozen=True)
class Deploys:
    """One environment of the account, as far as its deploy role depends on it."""

    environment: Environment
    region: str
    backup_region: str
    feature_store: str
    """The kind of its feature store: rights on the other kinds are left out."""

    def stack(self, cloud: Cloud) -> str:
        """The platform stack's name."""
        return f"{self.environment}-{cloud}"

    @property
    def prefix(self) -> str:
        """How the physical names of the stack's resources begin."""
        return f"{PRODUCT}-{self.environment}"


@dataclass(frozen=True)
class StateRef:
    """Where Pulumi's state and the key of its secrets are, both ready to use."""

    bucket: str
    backend: pulumi.Output[str]
    """For `pulumi login`."""
    secrets_provider: pulumi.Output[str]
    """For `pulumi stack init --secrets-provider`."""
    copy: pulumi.Output[str]
    """The bucket that the state is copied to, ready to be read."""
    secrets_key: pulumi.Output[str]
    """The cloud's own name of the key."""
    made: tuple[pulumi.Resource, ...]
    """What a grant on the bucket waits for."""


@dataclass(frozen=True)
class FederationRef:
    """Who GitHub's tokens are accepted by."""

    provider: pulumi.Output[str]
    """AWS: the provider's ARN. Google Cloud: the provider's full name, which a workflow names."""
    made: tuple[pulumi.Resource, ...]
    """What a role that trusts it waits for."""


@dataclass(frozen=True)
class RoleRef:
    """An identity that a workflow takes on."""

    name: pulumi.Output[str]
    """AWS: the role's ARN. Google Cloud: the service account's address."""


class BootstrapModule(Protocol):
    """A cloud's side of a bootstrap stack, as a module: `components.aws.bootstrap` and `components.gcp.bootstrap`."""

    def provider(self, place: Place) -> pulumi.ProviderResource:
        """The cloud's provider, with the owner's credentials."""
        ...

    def account(
        self, place: Place, spec: BootstrapSpec, deploys: Sequence[Deploys], *, provider: pulumi.ProviderResource
    ) -> Sequence[pulumi.Resource]:
        """What the account itself must have first: APIs, agents, service-linked roles, guard rails."""
        ...

    def state(
        self,
        place: Place,
        spec: BootstrapSpec,
        *,
        after: Sequence[pulumi.Resource],
        provider: pulumi.ProviderResource,
    ) -> StateRef:
        """The bucket of Pulumi's state, and the key of its secrets."""
        ...

    def federation(
        self,
        place: Place,
        spec: BootstrapSpec,
        *,
        after: Sequence[pulumi.Resource],
        provider: pulumi.ProviderResource,
    ) -> FederationRef:
        """Trust in GitHub's tokens, of this repository alone."""
        ...

    def planner(
        self,
        place: Place,
        spec: BootstrapSpec,
        deploys: Sequence[Deploys],
        *,
        state: StateRef,
        federation: FederationRef,
        provider: pulumi.ProviderResource,
    ) -> RoleRef:
        """The role of pull requests: it reads configurations and state, and changes nothing."""
        ...

    def deployer(
        self,
        place: Place,
        spec: BootstrapSpec,
        deploys: Deploys,
        *,
        state: StateRef,
        federation: FederationRef,
        provider: pulumi.ProviderResource,
    ) -> RoleRef:
        """The role that brings one environment's stack up, and can do no more."""
        ...

    def driller(
        self,
        place: Place,
        spec: BootstrapSpec,
        deploys: Deploys,
        *,
        state: StateRef,
        federation: FederationRef,
        provider: pulumi.ProviderResource,
    ) -> RoleRef:
        """The role of scheduled drills of one environment: it reads the stack's outputs, and takes on the identity
        that the stack makes for drills."""
        ...

    def budget(
        self,
        place: Place,
        spec: BootstrapSpec,
        *,
        after: Sequence[pulumi.Resource],
        provider: pulumi.ProviderResource,
    ) -> None:
        """The month's budget and its alerts."""
        ...


def plan_subjects(github: GithubSpec) -> tuple[str, ...]:
    """The subjects of tokens that may plan: pull requests, and the deployed branch.

    GitHub gives no token to a pull request from a fork unless its workflow may write ("OpenID Connect", read
    2026-11-21).
    """
    return f"repo:{github.repository}:pull_request", f"repo:{github.repository}:ref:refs/heads/{github.branch}"


def deploy_subject(github: GithubSpec, environment: Environment) -> str:
    """The subject of tokens that may deploy: jobs of GitHub's environment of the same name, and no other."""
    return f"repo:{github.repository}:environment:{environment}"


def drill_subject(github: GithubSpec, environment: Environment) -> str:
    """The subject of tokens that may drill: jobs of GitHub's environment `drill-ENVIRONMENT`.

    It is not the one that deploys: nobody approves what runs on a schedule.
    """
    return f"repo:{github.repository}:environment:drill-{environment}"


def bootstrap_place(spec: BootstrapSpec) -> Place:
    """Where a bootstrap stack lives: all in one region, but for the copy of the state."""
    return Place(
        cloud=spec.cloud,
        environment=BOOTSTRAP,
        account=spec.account,
        region=spec.region,
        backup_region=spec.copy_region,
        zones=(),
        project_number=spec.project_number,
        extra_labels=spec.labels,
        generation=spec.generation,
    )


RoleRefs = Mapping[Environment, RoleRef]
