"""Whether the API server takes every object of the stack, strictly and without a warning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from localcloud.cluster import RefusedError
from ops.rehearse.model import Table, named, text_table
from ops.rehearse.stage import Stage, pod_template

AREA: Final = "admission"


def admitted(stage: Stage) -> None:
    """Every object is taken again in a dry run, fields validated strictly; so are the pods of every workload."""
    refused: list[str] = []
    warned: list[str] = []
    rows: list[tuple[str, str]] = []
    for item in stage.objects:
        answer = _try(stage, bare(item))
        rows.append((named(item), answer or "admitted"))
        (warned if answer.startswith("warning") else refused).extend([f"{named(item)}: {answer}"] if answer else [])
        template = pod_template(item)
        if template is not None:
            said = _try_pod(stage, item, template)
            rows.append((f"Pod of {named(item)}", said or "admitted"))
            (warned if said.startswith("warning") else refused).extend(
                [f"Pod of {named(item)}: {said}"] if said else []
            )
    stage.report.tables.append(Table("Admission", *text_table(("object", "answer"), rows)))
    count = f"{len(stage.objects)} objects"
    stage.report.add(
        AREA, "every object is admitted under strict validation", not refused, "; ".join(refused) or count
    )
    stage.report.add(AREA, "no object and no pod draws a warning", not warned, "; ".join(warned) or count)


def restricted(stage: Stage) -> None:
    """The namespaces with pods of ours that are ours enforce the restricted Pod Security Standard."""
    lax = [
        item["metadata"]["name"]
        for item in stage.of("Namespace")
        if (item["metadata"].get("labels") or {}).get("pod-security.kubernetes.io/enforce") != "restricted"
    ]
    seen = f"not enforced in {', '.join(lax)}" if lax else f"enforced in {len(stage.of('Namespace'))} namespaces"
    stage.report.add(AREA, "Pod Security is restricted", not lax, seen)


def bare(item: Mapping[str, Any]) -> dict[str, Any]:
    """An object without what the API server adds of its own accord."""
    metadata = {
        key: value for key, value in item["metadata"].items() if key in ("name", "namespace", "labels", "annotations")
    }
    return {**{key: value for key, value in item.items() if key != "status"}, "metadata": metadata}


def _try(stage: Stage, item: Mapping[str, Any]) -> str:
    try:
        # As a manager of its own, by force: it is a dry run, and the question is only whether the object is sound.
        answer = stage.plane.client.apply(item, manager="seawall-rehearsal", dry_run=True, force=True)
    except RefusedError as error:
        return f"refused: {error.message}"
    return f"warning: {'; '.join(answer.warnings)}" if answer.warnings else ""


def _try_pod(stage: Stage, owner: Mapping[str, Any], template: Mapping[str, Any]) -> str:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{owner['metadata']['name']}-rehearsed",
            "namespace": owner["metadata"]["namespace"],
            "labels": template["metadata"].get("labels") or {},
        },
        "spec": template["spec"],
    }
    try:
        answer = stage.plane.client.create(pod, dry_run=True)
    except RefusedError as error:
        # Its size is judged where it is placed, with all its siblings.
        return "" if "exceeded quota" in error.message else f"refused: {error.message}"
    return f"warning: {'; '.join(answer.warnings)}" if answer.warnings else ""
