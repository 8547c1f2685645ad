"""What the provider's configuration adds to every resource: its project, its region, its labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from localcloud.providers.base import ProviderError, Request

PROVISIONED: Final = {"goog-pulumi-provisioned": "true"}


@dataclass(frozen=True)
class Context:
    """What the provider's configuration adds to a resource's inputs."""

    project: str
    region: str
    default_labels: Mapping[str, str]


def project_of(request: Request, context: Context) -> str:
    """The resource's project. Raises ProviderError if neither it nor the provider names one."""
    project = str(request.inputs.get("project") or context.project or "")
    if not project:
        raise ProviderError("project is required: set it here or on the provider", "project")
    return project.removeprefix("projects/")


def labels_of(given: Any, context: Context) -> dict[str, Any]:
    """The two label outputs of resources with labels."""
    labels = {**context.default_labels, **(given or {})}
    return {"pulumiLabels": labels, "effectiveLabels": {**labels, **PROVISIONED}}
