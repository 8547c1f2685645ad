"""What a project must have first: its APIs, the agents of services, and the organization's policies for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.contracts.bootstrap import BootstrapSpec, Deploys
from components.contracts.component import Component
from components.contracts.place import Place
from components.gcp.agents import Agent, agent_email
from components.gcp.audit import ALL_SERVICES, data_access

SERVICES: Final = (
    "artifactregistry",
    "billingbudgets",
    "binaryauthorization",
    "cloudbilling",
    "cloudkms",
    "cloudresourcemanager",
    "cloudscheduler",
    "compute",
    "container",
    "dns",
    "gkebackup",
    "iam",
    "iamcredentials",
    "logging",
    "monitoring",
    "orgpolicy",
    "redis",
    "serviceusage",
    "servicenetworking",
    "storage",
    "storagetransfer",
    "sts",
)
"""The APIs that the platform and its deployer call; left on when the stack goes, for others may use them by then."""

SERVICES_OF_STORE: Final[Mapping[str, tuple[str, ...]]] = {
    "bigtable": ("bigtable", "bigtableadmin"),
    "firestore": ("firestore",),
}
"""Kind of feature store → the APIs that it alone needs."""

AGENT_SERVICES: Final = ("artifactregistry", "container", "gkebackup", "redis")
AGENT_SERVICES_OF_STORE: Final[Mapping[str, tuple[str, ...]]] = {
    "bigtable": ("bigtableadmin",),
    "firestore": ("firestore",),
}
"""APIs whose agent comes to be when a `ServiceIdentity` asks for it; Compute Engine's comes with the API. Those of
Cloud Storage, Storage Transfer and Cloud Logging come with the first question for their address: a `ServiceIdentity`
of storage or logging returns none (terraform-provider-google#18649, #9969; read 2026-11-21)."""

ENFORCED: Final = (
    "storage.secureHttpTransport",
    "storage.publicAccessPrevention",
    "storage.uniformBucketLevelAccess",
    "iam.disableServiceAccountKeyCreation",
    "iam.automaticIamGrantsForDefaultServiceAccounts",
)
"""Organization policies: Cloud Storage answers over TLS only and has no public bucket, no account has a key, and the
default accounts get no rights. The roles to set them are given on an organization, never on a project
(`roles/orgpolicy.policyAdmin`, IAM roles, read 2026-11-21): so they are the owner's, and no deployer's."""


class Account(Component):
    """APIs, agents and policies; all that grants keys to an agent, or is encrypted through one, comes after it."""

    def __init__(
        self,
        name: str,
        place: Place,
        spec: BootstrapSpec,
        deploys: Sequence[Deploys],
        *,
        provider: pulumi.ProviderResource,
    ) -> None:
        super().__init__("gcp:Account", name, provider)
        kinds = sorted({one.feature_store for one in deploys})
        own = [service for kind in kinds for service in SERVICES_OF_STORE.get(kind, ())]
        services = {service: self._service(service, place) for service in (*SERVICES, *own)}
        agents = [*AGENT_SERVICES, *(s for kind in kinds for s in AGENT_SERVICES_OF_STORE.get(kind, ()))]
        self.made: list[pulumi.Resource] = [
            *services.values(),
            *(self._agent(service, place, services[service]) for service in agents),
        ]
        # Of all services, as CIS asks (Google Cloud benchmark, 2.1): keys, tokens and the state's bucket among them.
        # A platform stack sets those of its stores by themselves, so that neither takes the other's away.
        data_access(self, "all-services", place, ALL_SERVICES)
        if not spec.no_organization:
            for constraint in ENFORCED:
                self._enforce(constraint, place, services["orgpolicy"])
        self.finish({"agents": self._asked_for(place, services)})

    def _service(self, name: str, place: Place) -> gcp.projects.Service:
        return gcp.projects.Service(
            name,
            project=place.account,
            service=f"{name}.googleapis.com",
            disable_on_destroy=False,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _agent(self, name: str, place: Place, service: gcp.projects.Service) -> gcp.projects.ServiceIdentity:
        return gcp.projects.ServiceIdentity(
            name, project=place.account, service=service.service, opts=pulumi.ResourceOptions(parent=self)
        )

    def _enforce(self, constraint: str, place: Place, after: pulumi.Resource) -> None:
        project = f"projects/{place.project_number}"
        gcp.orgpolicy.Policy(
            constraint,
            name=f"{project}/policies/{constraint}",
            parent=project,
            spec={"rules": [{"enforce": "TRUE"}]},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[after]),
        )

    def _asked_for(self, place: Place, services: Mapping[str, gcp.projects.Service]) -> pulumi.Output[list[str]]:
        """The agents that come with the first question for them, compared with the names that grants use."""

        def after(service: str) -> pulumi.InvokeOutputOptions:
            return pulumi.InvokeOutputOptions(parent=self, depends_on=[services[service]])

        storage = gcp.storage.get_project_service_account_output(project=place.account, opts=after("storage"))
        transfer = gcp.storage.get_transfer_project_service_account_output(
            project=place.account, opts=after("storagetransfer")
        )
        logging = gcp.logging.get_project_cmek_settings_output(project=place.account, opts=after("logging"))
        told = {
            Agent.STORAGE: storage.email_address,
            Agent.STORAGE_TRANSFER: transfer.email,
            Agent.LOGGING: logging.service_account_id,
        }
        return pulumi.Output.all(
            *(
                email.apply(lambda found, agent=agent: as_expected(place, agent, found))
                for agent, email in told.items()
            )
        )


def as_expected(place: Place, agent: Agent, found: str) -> str:
    """An agent's address as its service tells it, if it is the one that grants name.

    Raises:
        ValueError: it is another, as a project from before 2020 may have for Cloud Logging.
    """
    email = found.removeprefix("serviceAccount:")
    expected = agent_email(place, agent)
    if email != expected:
        raise ValueError(
            f"the agent of {agent.name} in {place.account} is {email}, and the platform's grants name {expected}. "
            "Use a newer project, or correct the agent's name in components/gcp/agents.py."
        )
    return email


def account(
    place: Place, spec: BootstrapSpec, deploys: Sequence[Deploys], *, provider: pulumi.ProviderResource
) -> Sequence[pulumi.Resource]:
    """See `BootstrapModule.account`."""
    return Account("account", place, spec, deploys, provider=provider).made
