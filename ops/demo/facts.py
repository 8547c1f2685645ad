"""Turns what plans, verdicts, the engine, servers and drills say into a demo's facts and findings; nothing acts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from ops.check.report import CheckReport
from ops.demo.model import (
    Component,
    Drill,
    Moment,
    Objective,
    Policies,
    Predictions,
    Preview,
    Resources,
    Violation,
)
from ops.local.runs import Change
from ops.serving.golden import GoldenResult, GoldenSet
from policies.inventory import UNKNOWN, Inventory, Resource
from policies.model import Verdict
from policies.rules import RULES

LATENCY_REQUESTS: Final = 200
"""The fewest requests that percentiles are taken from: the 99th is then not one single answer."""
MOST_TOLD: Final = 5
"""How many examples of one fault are told in words."""
LOOSE: Final = "(no component)"
"""Stands for the component of resources that have none."""
_STACK_TYPE: Final = "pulumi:pulumi:Stack"


def resources_of(inventory: Inventory, deployed: Iterable[str]) -> Resources:
    """The plan's resources by component, beside the URNs that the engine has in its state."""
    there = {urn for urn in deployed if f"::{_STACK_TYPE}::" not in urn}
    planned = {resource.urn for resource in inventory.resources}
    groups: dict[str, list[Resource]] = {}
    for resource in inventory.resources:
        top = _top(resource, inventory)
        if top or resource.custom:
            groups.setdefault(top, []).append(resource)
    return Resources(
        planned=len(planned),
        deployed=len(there),
        protected=sum(resource.protect for resource in inventory.resources),
        components=tuple(_component(top, members, inventory) for top, members in groups.items()),
        only_planned=tuple(map(_name, sorted(planned - there))),
        only_deployed=tuple(map(_name, sorted(there - planned))),
    )


def resource_findings(resources: Resources) -> tuple[str, ...]:
    """Where the engine deployed something else than was planned."""
    told = []
    for names, what in (
        (resources.only_planned, "planned and not deployed"),
        (resources.only_deployed, "deployed and not planned"),
    ):
        if names:
            told.append(f"{len(names)} resources {what}: {_some(names)}")
    return tuple(told)


def _top(resource: Resource, inventory: Inventory) -> str:
    top, parent = "" if resource.custom else resource.urn, resource.parent
    while parent is not None and parent in inventory.by_urn:
        top, parent = parent, inventory.by_urn[parent].parent
    return top


def _component(top: str, members: Sequence[Resource], inventory: Inventory) -> Component:
    made = [resource for resource in members if resource.custom]
    kinds = Counter(resource.type for resource in made)
    regions = {resource.region for resource in made if resource.region not in (None, UNKNOWN, "global")}
    head = inventory.by_urn.get(top)
    return Component(
        name=head.name if head else LOOSE,
        type=head.type if head else "",
        resources=len(made),
        protected=sum(resource.protect for resource in made),
        regions=tuple(sorted(region for region in regions if region)),
        kinds=tuple(sorted(kinds.items(), key=lambda item: (-item[1], item[0]))),
    )


def _name(urn: str) -> str:
    return urn.rsplit("::", 1)[-1]


def policies_of(report: CheckReport) -> Policies:
    """The offline verdict on the one stack of `report`."""
    (verdict,) = report.verdicts
    return Policies(
        rules=len(RULES),
        passed=report.passed,
        counts={str(kind): count for kind, count in verdict.counts.items()},
        violations=tuple(
            Violation(f.rule.id, str(f.rule.severity), f.name, f.reason, f.rule.remedy) for f in verdict.violations
        ),
        waiver_problems=tuple(
            f"waiver of {p.waiver.rule} for {p.waiver.resource} ({p.waiver.where}): {p.problem}"
            for p in (*verdict.waived.problems, *report.stray_waivers)
        ),
        waived=tuple(
            f"{w.rule} on {_name(urn)}, until {w.expires.isoformat()} by {w.owner}: {w.reason}"
            for (_, urn), w in verdict.waived.applied.items()
        ),
        opt_outs=dict(verdict.opt_outs),
    )


def policy_findings(policies: Policies) -> tuple[str, ...]:
    """What is wrong with the offline verdict."""
    told = [f"policy {v.rule} ({v.severity}) on {v.resource}: {v.reason}" for v in policies.violations]
    return (*told, *policies.waiver_problems)


def with_engine(policies: Policies, report: CheckReport, engine: Mapping[str, Any]) -> Policies:
    """The verdict with what the engine's own judges otherwise.

    What was unknown offline may be known to an engine that deployed it: a pass there is no difference.
    """
    (verdict,) = report.verdicts
    offline = {finding.key: str(finding.verdict) for finding in verdict.findings}
    inside = {(f["rule"], f["urn"]): str(f["verdict"]) for f in engine["findings"]}
    differs = [
        f"{rule} on {_name(urn) or 'the stack'}: {mine or 'no verdict'} offline, {theirs or 'no verdict'} inside"
        for rule, urn in sorted({*offline, *inside})
        if (mine := offline.get((rule, urn))) != (theirs := inside.get((rule, urn)))
        and (mine, theirs) != (str(Verdict.UNKNOWN), str(Verdict.PASS))
    ]
    return replace(policies, engine_asked=True, engine_differs=tuple(differs))


def engine_findings(policies: Policies) -> tuple[str, ...]:
    """Where the engine's verdict is not the offline one."""
    if not policies.engine_differs:
        return ()
    return (f"{len(policies.engine_differs)} verdicts differ: {_some(policies.engine_differs)}",)


def changes_told(changes: Iterable[Change]) -> tuple[str, ...]:
    """Changes as `operation name (properties)`."""
    return tuple(
        f"{change.op} {change.name}" + (f" ({', '.join(change.properties)})" if change.properties else "")
        for change in changes
    )


def preview_findings(preview: Preview) -> tuple[str, ...]:
    """What a preview of an unchanged stack must not show."""
    return (f"the second preview is not empty: {_some(preview.changes)}",) if preview.changes else ()


def drift_findings(preview: Preview) -> tuple[str, ...]:
    """What a refresh of an untouched stack must not find."""
    return (f"drift: {_some(preview.drift)}",) if preview.drift else ()


def repeated(golden: GoldenSet, requests: int = LATENCY_REQUESTS) -> GoldenSet:
    """The golden set as often as it takes to ask at least `requests` times."""
    times = -(-requests // len(golden.predictions))
    return replace(golden, predictions=golden.predictions * times)


def predictions_of(moment: Moment, result: GoldenResult | Mapping[str, Any]) -> Predictions:
    """One run of golden requests, as judged here or as a drill's evidence tells it."""
    told = result.to_json() if isinstance(result, GoldenResult) else result
    latency, mismatches = told["latency"] or {}, told["mismatches"]
    return Predictions(
        moment=moment,
        protocol=told["protocol"],
        requests=told["requests"],
        errors=told["errors"],
        matching=told["requests"] - len(mismatches),
        max_abs_error=told["max_abs_error"],
        p50_ms=latency.get("p50_ms"),
        p95_ms=latency.get("p95_ms"),
        p99_ms=latency.get("p99_ms"),
        mismatches=tuple(f"{m['entity_id']}: {m['reason']}" for m in mismatches[:MOST_TOLD]),
    )


def prediction_findings(predictions: Iterable[Predictions]) -> tuple[str, ...]:
    """Which protocol did not give the golden answers."""
    return tuple(
        f"{p.protocol}: {p.requests - p.matching} of {p.requests} answers are not golden: {_some(p.mismatches)}"
        for p in predictions
        if not p.passed
    )


def drill_of(document: Mapping[str, Any], json_name: str, markdown_name: str) -> Drill:
    """Signed evidence in short, also of a drill that could not go on."""
    short = Drill(
        proven=document["verdict"] == "proven",
        mode=document["mode"],
        scenario=document["scenario"],
        findings=tuple(document["findings"]),
        evidence_json=json_name,
        evidence_markdown=markdown_name,
        signer=document["signer"]["fingerprint"],
        phases=tuple((phase["name"], _seconds(phase)) for phase in document["phases"]),
    )
    if "objects" not in document:
        return short
    objects, features, point = document["objects"], document["features"], document["recovery_point"]
    return replace(
        short,
        region=document["source"]["region"],
        backup_region=document["target"]["region"],
        distance_km=document["region_separated_km"],
        rpo=_objective(document["rpo"]),
        rto=_objective(document["rto"]),
        objects=f"{objects['restored']} of {objects['expected']} objects",
        features=f"{features['actual']} of {features['expected']} feature rows",
        recovery_point=f"{point['id']} of {point['created']} in {point['vault']} ({point['region']})",
        controls=tuple((c["fault"], c["detected"], c["found"]) for c in document["controls"]),
    )


def drill_findings(drill: Drill) -> tuple[str, ...]:
    """Why the restore is not proven."""
    return tuple(f"the restore is not proven: {finding}" for finding in drill.findings)


def _objective(told: Mapping[str, Any]) -> Objective:
    return Objective(told["target_s"], told["measured_s"], told["pass"])


def _seconds(phase: Mapping[str, Any]) -> float:
    return (datetime.fromisoformat(phase["end"]) - datetime.fromisoformat(phase["start"])).total_seconds()


def _some(items: Sequence[str]) -> str:
    more = len(items) - MOST_TOLD
    return "; ".join(items[:MOST_TOLD]) + (f"; and {more} more" if more > 0 else "")
