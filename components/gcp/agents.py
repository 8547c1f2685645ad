"""The accounts that act in a project: Google's own service agents, and the stack's service accounts.

Their addresses follow from the project's number and id, so that policies name them before anything exists.
"""

from __future__ import annotations

from enum import Enum

from components.contracts.naming import service_account_email
from components.contracts.place import Place


class Agent(Enum):
    """A service agent: the account through which a Google service uses a customer's resources. Not ours to create."""

    ARTIFACT_REGISTRY = "service-{number}@gcp-sa-artifactregistry"
    BIGTABLE = "service-{number}@gcp-sa-bigtable"
    COMPUTE = "service-{number}@compute-system"
    CONTAINER = "service-{number}@container-engine-robot"
    FIRESTORE = "service-{number}@gcp-sa-firestore"
    GKE_BACKUP = "service-{number}@gcp-sa-gkebackup"
    LOGGING = "service-{number}@gcp-sa-logging"
    REDIS = "service-{number}@cloud-redis"
    STORAGE = "service-{number}@gs-project-accounts"
    STORAGE_TRANSFER = "project-{number}@storage-transfer-service"


def agent_member(place: Place, agent: Agent) -> str:
    """The IAM member of a service agent of the stack's project.

    Raises:
        ValueError: the place has no project number.
    """
    return f"serviceAccount:{agent_email(place, agent)}"


def agent_email(place: Place, agent: Agent) -> str:
    """The address of a service agent of the stack's project.

    Raises:
        ValueError: the place has no project number.
    """
    if not place.project_number:
        raise ValueError(f"project_number of {place.account} is not set; it names Google's service agents")
    return f"{agent.value.format(number=place.project_number)}.iam.gserviceaccount.com"


def account_email(place: Place, account_id: str) -> str:
    """The address of one of the stack's own service accounts."""
    return service_account_email(account_id, place.account)


def account_member(place: Place, account_id: str) -> str:
    """The IAM member of one of the stack's own service accounts."""
    return f"serviceAccount:{account_email(place, account_id)}"
