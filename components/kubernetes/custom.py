"""Objects of custom kinds: one form for them as plain data, and one way to lay them on the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from components.kubernetes.pods import metadata

Manifest = dict[str, Any]
"""One Kubernetes object, as it would stand in a file."""


def manifest(
    api_version: str,
    kind: str,
    name: str,
    spec: Mapping[str, Any],
    *,
    namespace: str | None = None,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Manifest:
    """An object; what is None is left out."""
    told = {"name": name, "namespace": namespace, "labels": labels, "annotations": annotations}
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {key: value for key, value in told.items() if value},
        "spec": dict(spec),
    }


def lay(item: Manifest, options: pulumi.ResourceOptions, *, named: str = "") -> CustomResource:
    """Lay an object of a custom kind on the cluster.

    Args:
        named: its logical name; by default its kind and its own name. It must not change with settings.
    """
    told = item["metadata"]
    return CustomResource(
        named or f"{item['kind'].lower()}-{told['name']}",
        api_version=item["apiVersion"],
        kind=item["kind"],
        metadata=metadata(
            told["name"], told.get("namespace"), labels=told.get("labels"), annotations=told.get("annotations")
        ),
        opts=options,
        spec=item["spec"],
    )
