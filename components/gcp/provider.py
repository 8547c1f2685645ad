"""The Google Cloud provider of a stack: one project, one region, labels on everything, and the APIs switched on."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.contracts.place import Place

SERVICES: Final = (
    "artifactregistry",
    "binaryauthorization",
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
    "servicenetworking",
    "storage",
    "storagetransfer",
)
"""The APIs that the platform calls; left on when the stack goes, for others may use them by then."""

AGENT_SERVICES: Final = ("artifactregistry", "gkebackup", "logging", "redis", "storage")
"""APIs whose service agent comes to be only when it is asked for; Compute's and GKE's come with the API."""


def provider(place: Place) -> gcp.Provider:
    """A provider that is ready only when the project's APIs are on and their service agents exist.

    The project must exist, with billing and the Service Usage API. Storage Transfer Service makes its agent at the
    first call of `googleServiceAccounts.get`, which no resource makes: run `gcloud transfer authorize` once.
    """
    bootstrap = gcp.Provider("gcp-bootstrap", project=place.account, region=place.region)
    services = {name: _service(name, place, bootstrap) for name in SERVICES}
    agents = [_agent(name, place, bootstrap, services[name]) for name in AGENT_SERVICES]
    return gcp.Provider(
        "gcp",
        project=place.account,
        region=place.region,
        default_labels=place.labels,
        opts=pulumi.ResourceOptions(depends_on=[*services.values(), *agents]),
    )


def _service(name: str, place: Place, on: pulumi.ProviderResource) -> gcp.projects.Service:
    return gcp.projects.Service(
        name,
        project=place.account,
        service=f"{name}.googleapis.com",
        disable_on_destroy=False,
        opts=pulumi.ResourceOptions(provider=on),
    )


def _agent(
    name: str, place: Place, on: pulumi.ProviderResource, service: gcp.projects.Service
) -> gcp.projects.ServiceIdentity:
    return gcp.projects.ServiceIdentity(
        name,
        project=place.account,
        service=service.service,
        opts=pulumi.ResourceOptions(provider=on),
    )
