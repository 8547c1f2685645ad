"""The check as SARIF 2.1.0 for code scanning: one run for each stack, one result for each rule and resource.

What GitHub's code scanning requires, uses and limits is from its page "SARIF support for code scanning" (read
2026-11-22, as of github/docs 4d15cab). It knows no `suppressions`: a waived violation is an open alert there, at the
level of a note, until somebody dismisses it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from ops.check.links import document, repository
from ops.check.places import Place, Places
from ops.check.report import CheckReport
from ops.check.words import cut, safe
from policies.model import Finding, Rule, Severity, Verdict
from policies.rules import RULES
from policies.unjudged import RULE as TYPE_RULE
from policies.verdicts import StackVerdict
from policies.waivers import Waiver, WaiverProblem

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
TOOL: Final = "seawall"
CATEGORY: Final = "seawall-check"
"""Begins each run's category, by which code scanning tells analyses of one commit apart: `seawall-check/dev-aws/`."""
ROOT: Final = "%SRCROOT%"

MOST_RUNS: Final = 20
MOST_RESULTS: Final = 25_000
MOST_TAGS: Final = 10
"""Of twenty that are accepted, ten are shown."""
MOST_BYTES: Final = 10_000_000
"""Of the file, compressed with gzip."""
MOST_CHARACTERS: Final = 1024
"""Of a rule's descriptions; also kept for messages, of which a list shows the first sentence."""
MOST_NAME: Final = 255

WAIVER_RULE: Final = "seawall-waiver-valid"

_LEVELS: Final[Mapping[Severity, str]] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
}
_PROBLEM_LEVELS: Final = {"error": "error", "warning": "warning", "note": "recommendation"}
_SCORES: Final[Mapping[Severity, str]] = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.0",
}
"""Code scanning takes scores over 9 for critical, from 7 for high, from 4 for medium, and what is below for low."""


@dataclass(frozen=True)
class Limits:
    """What a reader of the file accepts; code scanning's by default."""

    runs: int = MOST_RUNS
    results: int = MOST_RESULTS
    compressed: int = MOST_BYTES


@dataclass(frozen=True)
class Sarif:
    """The document as text, and what was left out of it to keep within the limits."""

    text: str
    left_out: tuple[str, ...] = ()


def as_sarif(report: CheckReport, limits: Limits = Limits()) -> Sarif:
    """Violations as results, waived ones as suppressed results, and invalid waivers, each at its place in a file."""
    left_out: list[str] = []
    page = repository()
    rules = [*(_rule(rule, page) for rule in (*RULES, TYPE_RULE)), _waiver_rule(page)]
    by_id = {rule["id"]: index for index, rule in enumerate(rules)}
    places = Places(report.inventories)
    told = [*sorted(report.verdicts, key=lambda verdict: verdict.passed)][: limits.runs - 1]
    names = {verdict.stack for verdict in told}
    missing = [verdict.stack for verdict in report.verdicts if verdict.stack not in names]
    if missing:
        left_out.append(f"{len(missing)} stacks of {len(report.verdicts)}, for a file may have {limits.runs} runs")
    runs: list[dict[str, Any]] = []
    for verdict in (v for v in report.verdicts if v.stack in names):
        results = [*_results(verdict, places, by_id), *_of_waivers(verdict.waived.problems, places, by_id)]
        runs.append(_run(report, verdict.stack, verdict.passed, page, rules, results))
    strays = _of_waivers(report.stray_waivers, places, by_id)
    runs.append(_run(report, "waivers", not strays, page, rules, strays))
    for run in runs:
        _keep_worst(run, limits.results, left_out)
    text = _within(runs, limits.compressed, left_out)
    return Sarif(text, tuple(left_out))


def _run(
    report: CheckReport,
    part: str,
    passed: bool,
    page: str,
    rules: Sequence[Mapping[str, Any]],
    results: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    driver = {
        "name": TOOL,
        "version": report.version,
        "semanticVersion": report.version,
        "informationUri": page,
        "rules": rules,
    }
    invocation: dict[str, Any] = {"executionSuccessful": True, "exitCode": 0 if passed else 1}
    if report.started is not None:
        invocation["startTimeUtc"] = report.started.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "tool": {"driver": driver},
        "automationDetails": {
            "id": f"{CATEGORY}/{quote(part, safe='')}/",
            "description": {"text": f"seawall check: {safe(part)}"},
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the checkout."}}},
        "invocations": [invocation],
        "results": list(results),
    }


def _rule(rule: Rule, page: str) -> dict[str, Any]:
    level = _LEVELS[rule.severity]
    controls = [f"{framework}: {control}" for framework, ids in rule.controls.items() for control in ids]
    helped = f"Helps to meet: {'; '.join(controls)}." if controls else ""
    tags = ["security", *controls]
    return {
        "id": rule.id,
        "name": cut(rule.id, MOST_NAME),
        "shortDescription": {"text": cut(rule.title, MOST_CHARACTERS)},
        "fullDescription": {"text": cut(rule.rationale, MOST_CHARACTERS)},
        "help": {
            "text": "\n\n".join(filter(None, (rule.rationale, f"Remedy: {rule.remedy}", helped))),
            "markdown": "\n\n".join(
                filter(None, (f"**{rule.title}.**", rule.rationale, f"**Remedy:** {rule.remedy}", helped))
            ),
        },
        "helpUri": document(page, "docs/policies.md", rule.id),
        "defaultConfiguration": {"level": level},
        "properties": {
            "tags": tags[:MOST_TAGS],
            "precision": "very-high",
            "problem.severity": _PROBLEM_LEVELS[level],
            "security-severity": _SCORES[rule.severity],
        },
    }


def _waiver_rule(page: str) -> dict[str, Any]:
    why = (
        "A waiver accepts one violation, for a reason, until a date. One that has expired, says no reason or owner, "
        "or matches nothing accepts nothing, and fails the check."
    )
    remedy = "Remove the entry, or correct it as the message says."
    return {
        "id": WAIVER_RULE,
        "name": WAIVER_RULE,
        "shortDescription": {"text": "Waivers are valid"},
        "fullDescription": {"text": why},
        "help": {"text": f"{why}\n\nRemedy: {remedy}", "markdown": f"{why}\n\n**Remedy:** {remedy}"},
        "helpUri": document(page, "policies/waivers.yaml"),
        "defaultConfiguration": {"level": "error"},
        "properties": {
            "tags": ["security"],
            "precision": "very-high",
            "problem.severity": "error",
            "security-severity": _SCORES[Severity.HIGH],
        },
    }


def _results(verdict: StackVerdict, places: Places, by_id: Mapping[str, int]) -> list[dict[str, Any]]:
    """Violations, worst first, then what is waived."""
    waived = (finding for finding in verdict.findings if finding.verdict is Verdict.WAIVED)
    return [_result(verdict, finding, places, by_id) for finding in (*verdict.violations, *waived)]


def _result(verdict: StackVerdict, finding: Finding, places: Places, by_id: Mapping[str, int]) -> dict[str, Any]:
    waiver = verdict.waived.applied.get(finding.key)
    known = " It is not known before the provider answers, which fails in production." if _is_unknown(finding) else ""
    text = f"{finding.name}: {finding.reason}.{known} Remedy: {finding.rule.remedy}"
    first, *others = places.of(verdict.stack, finding)
    location = _location(first)
    location["logicalLocations"] = [
        {"name": safe(finding.name), "fullyQualifiedName": safe(finding.urn), "kind": "resource"}
    ]
    result: dict[str, Any] = {
        "ruleId": finding.rule.id,
        "ruleIndex": by_id[finding.rule.id],
        "level": "note" if waiver else _LEVELS[finding.rule.severity],
        "message": {"text": cut(safe(text), MOST_CHARACTERS)},
        "locations": [location],
        "partialFingerprints": {"primaryLocationLineHash": fingerprint(verdict.stack, *finding.key)},
    }
    if others:
        result["relatedLocations"] = [_location(place, index) for index, place in enumerate(others, 1)]
    if waiver:
        result["suppressions"] = [_suppression(waiver, places)]
    return result


def _is_unknown(finding: Finding) -> bool:
    return finding.verdict is Verdict.UNKNOWN


def _suppression(waiver: Waiver, places: Places) -> dict[str, Any]:
    why = f"{waiver.reason} ({waiver.owner}, until {waiver.expires.isoformat()})"
    return {
        "kind": "external",
        "status": "accepted",
        "justification": safe(why),
        "location": _location(places.of_waiver(waiver)),
    }


def _of_waivers(problems: Iterable[WaiverProblem], places: Places, by_id: Mapping[str, int]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    seen: Counter[str] = Counter()
    for problem in problems:
        waiver = problem.waiver
        text = f"The waiver of {waiver.rule} on {waiver.resource} ({waiver.stack}) is invalid: {problem.problem}"
        hashed = fingerprint(WAIVER_RULE, waiver.stack, waiver.rule, waiver.resource)
        seen[hashed] += 1  # several waivers may name the same
        found.append(
            {
                "ruleId": WAIVER_RULE,
                "ruleIndex": by_id[WAIVER_RULE],
                "level": "error",
                "message": {"text": cut(safe(text), MOST_CHARACTERS)},
                "locations": [_location(places.of_waiver(waiver))],
                "partialFingerprints": {
                    "primaryLocationLineHash": f"{hashed.partition(':')[0]}:{seen[hashed]}",
                },
            }
        )
    return found


def fingerprint(*identity: str) -> str:
    """What code scanning tells a result by, next to its rule and file: 16 digits and a count, as it writes them.

    Its own is a hash of the line's text, which is the same for all resources that one line makes. This one is of what
    the result is about (stack, rule, URN): each result has its own, and keeps it when lines move or change.
    """
    hashed = hashlib.sha256("\n".join(identity).encode("utf-8", "backslashreplace")).hexdigest()
    return f"{hashed[:16]}:1"


def _location(place: Place, number: int | None = None) -> dict[str, Any]:
    artifact = {"uri": quote(place.file)}
    if place.is_inside:
        artifact["uriBaseId"] = ROOT
    region = {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.line,
        "endColumn": place.end_column,
    }
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": artifact, "region": region}}
    if number is not None:
        location["id"] = number
    if place.what:
        location["message"] = {"text": safe(place.what)}
    return location


def _keep_worst(run: dict[str, Any], most: int, left_out: list[str]) -> None:
    """Results come worst first, so that the last are the least."""
    results = run["results"]
    if len(results) <= most:
        return
    run["results"] = results[:most]
    said = f"{len(results) - most} results of {len(results)} in {run['automationDetails']['id']}, the least severe"
    left_out.append(said)
    notes = run["invocations"][0].setdefault("toolExecutionNotifications", [])
    notes.append({"level": "warning", "message": {"text": f"Left out: {said}."}})


def _within(runs: list[dict[str, Any]], most: int, left_out: list[str]) -> str:
    """The document, with half of the largest run's results left out again and again until it is small enough."""
    while True:
        text = json.dumps({"version": "2.1.0", "$schema": SCHEMA, "runs": runs}, separators=(",", ":"))
        if len(text) <= most or len(gzip.compress(text.encode(), 6)) <= most:
            return text
        largest = max(runs, key=lambda run: len(run["results"]))
        if not largest["results"]:
            return text
        _keep_worst(largest, len(largest["results"]) // 2, left_out)
