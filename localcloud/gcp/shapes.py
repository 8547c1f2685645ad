"""How a type without a data plane is described: its id, its computed outputs, and what types have in common.

The shapes are those of the APIs, as `id_format` and `self_link` in GoogleCloudPlatform/magic-modules
(`mmv1/products/*.yaml`) state them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from localcloud.gcp import clock
from localcloud.gcp.context import Context, project_of
from localcloud.providers.base import ProviderError, Request, physical_name, stable_hex

COMPUTE: Final = "https://www.googleapis.com/compute/v1"

Identify = Callable[[Request, Context], str]
Compute = Callable[[Request, str, Context], Mapping[str, Any]]


@dataclass(frozen=True)
class Shape:
    """One type: its id, its computed outputs, and the input that holds its labels."""

    identify: Identify
    compute: Compute
    labels_property: str | None = field(default=None, kw_only=True)
    exclusive: bool = field(default=True, kw_only=True)


def digits(length: int, *parts: str) -> str:
    """A number of `length` digits that depends on `parts` alone."""
    number = int(stable_hex(32, *parts), 16) % 10 ** (length - 1)
    return str(10 ** (length - 1) + number)


def created(request: Request, output: str) -> str:
    """The time of creation in `output`: that of before on an update."""
    return str(request.outputs.get(output) or clock.now_text())


def template(pattern: str, name: str = "name") -> Identify:
    """An id from a pattern over `{project}`, `{region}`, `{name}` and inputs."""

    def identify(request: Request, context: Context) -> str:
        values = {k: v for k, v in request.inputs.items() if isinstance(v, str)}
        values["region"] = values.get("region") or context.region
        values["project"] = project_of(request, context) if "{project}" in pattern else ""
        values[name] = physical_name(request, name)
        try:
            return pattern.format(**values)
        except KeyError as e:
            raise ProviderError("is required", str(e.args[0])) from e

    return identify


def compute_resource(pattern: str, extra: Compute | None = None, labels: str | None = None) -> Shape:
    """A resource of Compute Engine, whose id is also its link; `extra` computes what else it has."""

    def compute(request: Request, physical_id: str, context: Context) -> Mapping[str, Any]:
        more = extra(request, physical_id, context) if extra else {}
        return {
            "name": physical_id.rsplit("/", 1)[1],
            "project": project_of(request, context),
            "selfLink": f"{COMPUTE}/{physical_id}",
            **more,
        }

    return Shape(template(pattern), compute, labels_property=labels)


def named(**outputs: Any) -> Compute:
    """Name and project, and constant outputs."""

    def compute(request: Request, physical_id: str, context: Context) -> Mapping[str, Any]:
        return {"name": physical_id.rsplit("/", 1)[1], "project": project_of(request, context), **outputs}

    return compute


def full_name(**outputs: Any) -> Compute:
    """For types whose `name` is the id."""

    def compute(request: Request, physical_id: str, context: Context) -> Mapping[str, Any]:
        return {"name": physical_id, "project": project_of(request, context), **outputs}

    return compute


def numbered(collection: str) -> Identify:
    """For types whose ids the service makes up."""

    def identify(request: Request, context: Context) -> str:
        return f"projects/{project_of(request, context)}/{collection}/{digits(19, request.urn)}"

    return identify
