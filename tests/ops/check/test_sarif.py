"""The SARIF holds what code scanning requires, one result for each rule and resource, at a place that exists."""

from __future__ import annotations

import gzip
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from common.paths import repo_root
from ops.check import sarif as subject
from ops.check.command import check_inventories
from ops.check.links import page_of, repository
from ops.check.report import CheckReport
from ops.check.sarif import MOST_TAGS, ROOT, WAIVER_RULE, Limits, as_sarif
from policies.inventory import Inventory
from policies.rules import RULES
from policies.unjudged import RULE as TYPE_RULE
from policies.waivers import Waiver
from tests.ops.check import toys

TODAY = date(2026, 6, 1)
TEXT = {"type": "string", "minLength": 1}


EDGES = ("startLine", "startColumn", "endLine", "endColumn")


def text_of(most: int) -> dict[str, Any]:
    return {"type": "object", "required": ["text"], "properties": {"text": {**TEXT, "maxLength": most}}}


def object_of(required: Sequence[str], properties: dict[str, Any], *, closed: bool = True) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": properties,
        "additionalProperties": not closed,
    }


LOCATION = object_of(
    ["physicalLocation"],
    {
        "id": {"type": "integer", "minimum": 0},
        "message": text_of(1024),
        "logicalLocations": {"type": "array"},
        "physicalLocation": object_of(
            ["artifactLocation", "region"],
            {
                "artifactLocation": object_of(["uri"], {"uri": {**TEXT, "pattern": "^[^/ ]"}, "uriBaseId": TEXT}),
                "region": object_of(
                    EDGES,
                    {key: {"type": "integer", "minimum": 1} for key in EDGES},
                ),
            },
        ),
    },
)
LEVEL = {"enum": ["none", "note", "warning", "error"]}
RULE = object_of(
    ["id", "name", "shortDescription", "fullDescription", "help", "helpUri", "defaultConfiguration", "properties"],
    {
        "id": TEXT,
        "name": {**TEXT, "maxLength": 255},
        "shortDescription": text_of(1024),
        "fullDescription": text_of(1024),
        "help": object_of(["text", "markdown"], {"text": TEXT, "markdown": TEXT}),
        "helpUri": {**TEXT, "pattern": "^(https://|urn:)"},
        "defaultConfiguration": object_of(["level"], {"level": LEVEL}),
        "properties": object_of(
            ["tags", "precision", "problem.severity", "security-severity"],
            {
                "tags": {"type": "array", "maxItems": MOST_TAGS, "items": TEXT, "uniqueItems": True},
                "precision": {"enum": ["very-high", "high", "medium", "low"]},
                "problem.severity": {"enum": ["error", "warning", "recommendation"]},
                "security-severity": {"type": "string", "pattern": r"^(10\.0|\d\.\d)$"},
            },
        ),
    },
)
RESULT = object_of(
    ["ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints"],
    {
        "ruleId": TEXT,
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": LEVEL,
        "message": text_of(1024),
        "locations": {"type": "array", "minItems": 1, "maxItems": 1, "items": LOCATION},
        "relatedLocations": {"type": "array", "items": LOCATION, "maxItems": 100},
        "partialFingerprints": object_of(
            ["primaryLocationLineHash"],
            {"primaryLocationLineHash": {"type": "string", "pattern": r"^[0-9a-f]{16}:\d+$"}},
        ),
        "suppressions": {
            "type": "array",
            "items": object_of(
                ["kind", "status", "justification"],
                {
                    "kind": {"enum": ["inSource", "external"]},
                    "status": {"enum": ["accepted", "underReview", "rejected"]},
                    "justification": TEXT,
                    "location": LOCATION,
                },
            ),
        },
    },
)
RUN = object_of(
    ["tool", "automationDetails", "columnKind", "originalUriBaseIds", "invocations", "results"],
    {
        "tool": object_of(
            ["driver"],
            {
                "driver": object_of(
                    ["name", "version", "semanticVersion", "informationUri", "rules"],
                    {
                        **dict.fromkeys(("name", "version", "semanticVersion", "informationUri"), TEXT),
                        "rules": {"type": "array", "items": RULE, "minItems": 1},
                    },
                )
            },
        ),
        "automationDetails": object_of(["id"], {"id": {"type": "string", "pattern": "^.+/$"}, "description": {}}),
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "originalUriBaseIds": {"type": "object"},
        "invocations": {
            "type": "array",
            "items": object_of(
                ["executionSuccessful"],
                {
                    "executionSuccessful": {"type": "boolean"},
                    "exitCode": {"type": "integer"},
                    "startTimeUtc": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
                    "toolExecutionNotifications": {"type": "array"},
                },
            ),
        },
        "results": {"type": "array", "items": RESULT, "maxItems": 25_000},
    },
)
SHAPE = object_of(
    ["$schema", "version", "runs"],
    {"$schema": TEXT, "version": {"const": "2.1.0"}, "runs": {"type": "array", "maxItems": 20, "items": RUN}},
)
"""What is written of SARIF 2.1.0 (OASIS, sections 3.13 to 3.52), with what GitHub's code scanning requires and limits
("SARIF support for code scanning", read 2026-11-22). The whole of the official schema accepted such a file then."""


def report(inventory: Inventory, waivers: Sequence[Waiver] = ()) -> CheckReport:
    return check_inventories([inventory], waivers, TODAY)


def document(told: CheckReport) -> dict[str, Any]:
    return json.loads(as_sarif(told).text)


def results(told: CheckReport, run: int = 0) -> list[dict[str, Any]]:
    return document(told)["runs"][run]["results"]


@pytest.fixture
def waiver(violating: Inventory) -> Waiver:
    """A waiver of the one violation."""
    urn = violating.resources[0].urn
    return Waiver(toys.RULE, "dev-aws", TODAY, urn, reason="shown to partners", owner="platform")


def opened(plan: Inventory) -> Inventory:
    """The plan with every Service and every bucket open."""

    def harmed(inputs: Any, kind: str) -> Any:
        return {**inputs, "spec": {"type": "LoadBalancer"}} if kind.endswith(":Service") else {}

    return replace(plan, resources=tuple(replace(r, inputs=harmed(r.inputs, r.type)) for r in plan.resources))


def test_the_document_has_all_that_code_scanning_requires(
    plans: dict[str, Inventory], violating: Inventory, waiver: Waiver
) -> None:
    expired = replace(waiver, expires=date(2020, 1, 1))
    for told in (
        check_inventories([opened(plans["prod-aws"]), opened(plans["prod-gcp"])], [expired], TODAY),
        report(violating, [waiver]),
        report(violating, [expired, replace(waiver, stack="no-such-stack")]),
    ):
        jsonschema.Draft202012Validator(SHAPE).validate(document(told))


def test_there_is_one_result_for_each_violation(violating: Inventory) -> None:
    assert [(r["ruleId"], r["level"]) for r in results(report(violating))] == [(toys.RULE, "error")]


def test_rules_are_named_by_id_and_by_position(plans: dict[str, Inventory]) -> None:
    run = document(report(opened(plans["dev-aws"])))["runs"][0]
    listed = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert listed == [*(rule.id for rule in RULES), TYPE_RULE.id, WAIVER_RULE]
    assert run["results"] and all(listed[r["ruleIndex"]] == r["ruleId"] for r in run["results"])


def test_a_result_points_at_the_line_that_made_the_resource(plans: dict[str, Inventory]) -> None:
    plan = opened(plans["dev-aws"])
    for result in results(report(plan)):
        physical = result["locations"][0]["physicalLocation"]
        assert physical["artifactLocation"]["uriBaseId"] == ROOT
        lines = (repo_root() / physical["artifactLocation"]["uri"]).read_text(encoding="utf-8").splitlines()
        region = physical["region"]
        shown = lines[region["startLine"] - 1][region["startColumn"] - 1 : region["endColumn"] - 1]
        assert shown and shown == lines[region["startLine"] - 1].strip()


def test_a_result_names_the_resource_and_what_it_is_part_of(plans: dict[str, Inventory]) -> None:
    plan = opened(plans["dev-aws"])
    for result in results(report(plan)):
        urn = result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]
        related = [each["message"]["text"] for each in result.get("relatedLocations", ())]
        parent = plan.by_urn[urn].parent
        assert parent is None or any(plan.by_urn[parent].type in text for text in related), urn


def test_fingerprints_are_unique_and_stay_when_lines_move_and_days_pass(plans: dict[str, Inventory]) -> None:
    plan = opened(plans["prod-gcp"])
    moved = replace(plan, resources=tuple(replace(r, made_at="components/gcp/keys.py:1") for r in plan.resources))

    def prints(inventory: Inventory, day: date) -> list[tuple[str, str]]:
        found = json.loads(as_sarif(check_inventories([inventory], (), day)).text)["runs"][0]["results"]
        return [(r["ruleId"], r["partialFingerprints"]["primaryLocationLineHash"]) for r in found]

    first = prints(plan, TODAY)
    assert len(first) > 50 and max(Counter(hashed for _, hashed in first).values()) == 1
    assert prints(moved, TODAY + timedelta(days=30)) == first


def test_each_stack_is_an_analysis_of_its_own_so_that_one_does_not_close_the_alerts_of_another(
    violating: Inventory,
) -> None:
    told = check_inventories([violating, replace(violating, stack="dev-gcp")], (), TODAY)
    ids = [run["automationDetails"]["id"] for run in document(told)["runs"]]
    assert ids == ["seawall-check/dev-aws/", "seawall-check/dev-gcp/", "seawall-check/waivers/"]


def test_a_waived_violation_is_told_as_suppressed_with_who_why_and_until_when(
    violating: Inventory, waiver: Waiver
) -> None:
    (result,) = results(report(violating, [waiver]))
    (suppression,) = result["suppressions"]
    assert suppression["status"] == "accepted" and result["level"] == "note"
    for said in ("shown to partners", "platform", "2026-06-01"):
        assert said in suppression["justification"]


def test_an_invalid_waiver_is_a_result_at_its_line(violating: Inventory, tmp_path: Path, waiver: Waiver) -> None:
    inside = repo_root() / "policies" / "waivers.yaml"
    expired = replace(waiver, expires=date(2020, 1, 1), file=inside, line=3)
    found = [r for r in results(report(violating, [expired])) if r["ruleId"] == WAIVER_RULE]
    location = found[0]["locations"][0]["physicalLocation"]
    assert len(found) == 1 and "expired on 2020-01-01" in found[0]["message"]["text"]
    assert (location["artifactLocation"]["uri"], location["region"]["startLine"]) == ("policies/waivers.yaml", 3)
    outside = replace(expired, file=tmp_path / "my waivers.yaml")
    found = [r for r in results(report(violating, [outside])) if r["ruleId"] == WAIVER_RULE]
    assert found[0]["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "my%20waivers.yaml"}


def test_an_invalid_waiver_of_another_stack_is_in_a_run_of_its_own(clean: Inventory, waiver: Waiver) -> None:
    stray = replace(waiver, stack="no-such-stack")
    run = document(report(clean, [stray, stray]))["runs"][-1]
    assert run["automationDetails"]["id"] == "seawall-check/waivers/"
    prints = [r["partialFingerprints"]["primaryLocationLineHash"] for r in run["results"]]
    assert len(prints) == 2 and len(set(prints)) == 2
    assert run["invocations"][0]["exitCode"] == 1


def test_what_is_over_the_limits_is_left_out_from_the_least_and_said(many: Inventory) -> None:
    made = as_sarif(report(many), Limits(results=100))
    run = json.loads(made.text)["runs"][0]
    assert len(run["results"]) == 100 and "4900 results of 5000" in made.left_out[0]
    assert "4900" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


def test_a_file_that_is_too_large_loses_results_until_it_is_not(many: Inventory, clean: Inventory) -> None:
    most = len(gzip.compress(as_sarif(report(clean)).text.encode())) + 10_000  # the rules, and room for some results
    made = as_sarif(report(many), Limits(compressed=most))
    kept = json.loads(made.text)["runs"][0]["results"]
    assert 0 < len(kept) < 5000 and made.left_out
    assert len(gzip.compress(made.text.encode(), 6)) <= most


def test_a_stack_that_fails_is_kept_where_there_are_too_many(violating: Inventory, clean: Inventory) -> None:
    stacks = [*(replace(clean, stack=f"s{n}") for n in range(30)), replace(violating, stack="last")]
    made = as_sarif(check_inventories(stacks, (), TODAY))
    runs = json.loads(made.text)["runs"]
    assert len(runs) == 20 and "seawall-check/last/" in [run["automationDetails"]["id"] for run in runs]
    assert made.left_out == ("12 stacks of 31, for a file may have 20 runs",)


def test_the_time_grows_with_the_resources_and_not_with_their_square(many: Inventory) -> None:
    half = replace(many, resources=many.resources[:1250])

    def seconds(told: CheckReport) -> float:
        begun = time.process_time()
        as_sarif(told)
        return time.process_time() - begun

    small, large = report(half), report(many)
    seconds(small)
    assert min(seconds(large) for _ in range(3)) < 10 * min(seconds(small) for _ in range(3)) + 0.2


def test_no_secret_of_the_settings_is_in_the_document(plans: dict[str, Inventory]) -> None:
    written = as_sarif(report(opened(plans["prod-aws"]))).text
    assert str(repo_root()) not in written


@pytest.mark.parametrize(
    ("remote", "page"),
    [
        ("https://user:token@github.com/acme/seawall.git", "https://github.com/acme/seawall"),
        ("git@github.com:acme/seawall.git", "https://github.com/acme/seawall"),
        ("ssh://git@git.example.com:2222/team/a/seawall", "https://git.example.com/team/a/seawall"),
        ("/srv/seawall.git", ""),
        ("../seawall", ""),
        ("", ""),
    ],
)
def test_a_remote_s_page_has_no_credential_in_it(remote: str, page: str) -> None:
    assert page_of(remote) == page


def test_a_workflow_is_told_where_the_repository_lies() -> None:
    told = {"GITHUB_SERVER_URL": "https://github.example.com", "GITHUB_REPOSITORY": "acme/seawall"}
    assert repository(told) == "https://github.example.com/acme/seawall"


def test_the_limits_are_those_of_code_scanning() -> None:
    assert (subject.MOST_RUNS, subject.MOST_RESULTS, subject.MOST_TAGS) == (20, 25_000, 10)
