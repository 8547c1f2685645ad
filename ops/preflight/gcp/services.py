"""Which APIs are on, and which of Google's service agents exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from ops.preflight.gcp.reader import GcpReader
from ops.preflight.model import Finding, missing, not_applicable, ok, unknown
from ops.preflight.wanted import Wanted

NAMES_PER_CALL: Final = 20
"""What `services.batchGet` takes at most is 30 (Service Usage API reference, read 2026-11-21)."""

API_OF: Final[Mapping[str, str]] = {
    "firestore": "firestore",
    "bigtable": "bigtableadmin",
    "kms": "cloudkms",
    "projects": "cloudresourcemanager",
    "serviceaccount": "iam",
}
"""Module of Pulumi's types → the API that manages them, where the two are called differently."""
API_OF_TYPE: Final[Mapping[str, str]] = {
    "gcp:projects/iAMCustomRole:IAMCustomRole": "iam",
    "gcp:projects/service:Service": "serviceusage",
    "gcp:projects/serviceIdentity:ServiceIdentity": "serviceusage",
    "gcp:storage/transferJob:TransferJob": "storagetransfer",
}
"""The same for types whose module has more than one API."""
NO_API: Final = frozenset({"storage.googleapis.com"})
"""On in every project (`storage.googleapis.com` serves JSON and XML whether or not it is listed)."""
BEFORE_ANY: Final = ("serviceusage.googleapis.com", "cloudresourcemanager.googleapis.com", "iam.googleapis.com")
"""What must be on before a stack can switch on the others."""

AGENT_SERVICES: Final[Mapping[str, str]] = {
    "cloud-redis": "redis.googleapis.com",
    "compute-system": "compute.googleapis.com",
    "container-engine-robot": "container.googleapis.com",
    "gcp-sa-artifactregistry": "artifactregistry.googleapis.com",
    "gcp-sa-bigtable": "bigtableadmin.googleapis.com",
    "gcp-sa-firestore": "firestore.googleapis.com",
    "gcp-sa-gkebackup": "gkebackup.googleapis.com",
    "gcp-sa-logging": "logging.googleapis.com",
    "gs-project-accounts": "storage.googleapis.com",
}
"""Domain of an agent's address → whose agent it is (cloud.google.com/iam/docs/service-agents, read 2026-11-21)."""


def apis(reader: GcpReader, wanted: Wanted) -> Iterator[Finding]:
    """Whether each API that the stack uses is on, or will be switched on by the stack itself."""
    planned = set(wanted.named("gcp:projects/service:Service", "service"))
    used = {api_of(token) for token in wanted.types} - NO_API
    asked = sorted(used | planned | set(BEFORE_ANY))
    states = _states(reader, wanted.account, asked)
    for api in asked:
        enable = f"gcloud services enable {api} --project={wanted.account}"
        if states.get(api) == "ENABLED":
            yield ok(api, "on")
        elif api in BEFORE_ANY:
            yield missing(api, "off, and needed to switch on the others", enable)
        elif api in planned:
            yield not_applicable(api, "off: the stack switches it on")
        else:
            yield missing(api, "off, and the stack does not switch it on", enable)


def api_of(token: str) -> str:
    module = token.split(":")[1].split("/")[0]
    return f"{API_OF_TYPE.get(token) or API_OF.get(module, module)}.googleapis.com"


def _states(reader: GcpReader, project: str, apis: Sequence[str]) -> dict[str, str]:
    states: dict[str, str] = {}
    for start in range(0, len(apis), NAMES_PER_CALL):
        names = "&".join(f"names=projects/{project}/services/{api}" for api in apis[start : start + NAMES_PER_CALL])
        answer = reader.get("serviceusage", f"v1/projects/{project}/services:batchGet?{names}")
        for service in answer.get("services", ()):
            states[str(service["name"]).rpartition("/")[2]] = str(service.get("state", ""))
    return states


def agents(reader: GcpReader, wanted: Wanted) -> Iterator[Finding]:
    """Whether each service agent exists that the plan grants a key or a role.

    An agent lives in a project of Google's, and asking for some of them makes them: so the project's policy is
    read, where an agent that exists usually holds its own role. One that is not there is unknown, never missing.
    """
    policy = reader.ask("cloudresourcemanager", f"v1/projects/{wanted.account}:getIamPolicy", {})
    members = {m for binding in policy.get("bindings", ()) for m in binding.get("members", ())}
    for agent in wanted.service_agents:
        domain = agent.partition("@")[2].partition(".")[0]
        service = AGENT_SERVICES.get(domain, "")
        if f"serviceAccount:{agent}" in members:
            yield ok(agent, "exists: it holds a role of the project")
        else:
            yield unknown(
                agent,
                "holds no role of the project; whether it exists cannot be read without making it",
                f"gcloud beta services identity create --service={service or 'SERVICE'} --project={wanted.account}",
            )
