"""Which changes replace a resource, by the tables of its cloud."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from common.sdk.replacement_aws import name_property as aws_name_property
from common.sdk.replacement_aws import replace_on as aws_replace_on
from common.sdk.replacement_gcp import REPLACE_ON as GCP_REPLACE_ON
from common.sdk.replacement_gcp import name_property as gcp_name_property
from common.sdk.replacement_kubernetes import replace_on as kubernetes_replace_on
from common.sdk.types import schema_of


def replace_on(token: str) -> Iterable[str]:
    """Input paths (without list positions) whose change replaces a resource of the type; none if it is unknown."""
    package = token.partition(":")[0]
    if package == "aws":
        return aws_replace_on(token)
    if package == "gcp":
        return ("project", *GCP_REPLACE_ON.get(token, ()))
    return kubernetes_replace_on(token) if package == "kubernetes" else ()


def takes_list(token: str, path: str) -> bool:
    """Whether the SDK expects a list at an input path; a list's positions are numbers in it."""
    schema = schema_of(token)
    fields = schema.inputs if schema else {}
    kind: object = None
    for part in path.split("."):
        inside = kind[1] if isinstance(kind, list) else None
        kind = inside if part.isdigit() else fields.get(part, (None, False))[0]
        if isinstance(kind, list) and kind[0] == "object" and schema:
            fields = schema.objects.get(kind[1], {})
    return isinstance(kind, list) and kind[0] == "list"


def deletes_first(token: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether the provider deletes a resource of the type before it makes its successor, if it has to replace it.

    A bridged Terraform provider does so wherever a name that it could have made up is given, whether or not it
    changes, unless the type has UniqueNameFields, which none that stacks use has (pulumi-terraform-bridge
    pkg/tfbridge/schema.go, nameRequiresDeleteBeforeReplace, at 59de6c661df1; pulumi-aws and pulumi-gcp
    provider/resources.go; read on 2026-11-21). Kubernetes' does where the object keeps its name and namespace
    (pulumi-kubernetes provider/pkg/provider/provider.go, Diff; read on 2026-11-21).
    """
    if token.startswith("kubernetes:"):
        old, new = before.get("metadata") or {}, after.get("metadata") or {}
        kept = all(old.get(key) == new.get(key) for key in ("name", "namespace"))
        return new.get("name") is not None and kept
    name = aws_name_property(token) if token.startswith("aws:") else gcp_name_property(token)
    return name is not None and after.get(name) is not None
