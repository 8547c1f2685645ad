"""Every type that a stack plans is read by a rule, or listed with a reason; what is neither fails the check."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from common.paths import repo_root
from ops.check.command import check_inventories
from ops.check.github import as_github
from ops.check.junit import as_junit
from ops.check.markdown import as_markdown
from ops.check.report import CheckReport, as_text
from ops.check.sarif import as_sarif
from policies import reads
from policies.checks import PASS, equals, failed
from policies.examples import examples, given
from policies.inventory import Inventory, Resource
from policies.model import Judgement, Rule, Severity
from policies.rules import RULES
from policies.unjudged import RULE, UnjudgedFileError, listed, load, planned_types
from policies.waivers import Waiver

DAY = date(2026, 11, 22)
NEW = "aws:lightsail/bucket:Bucket"
TOPIC, QUEUE = "aws:sns/topic:Topic", "aws:sqs/queue:Queue"
SOUND = "It holds nothing that anyone could read or lose, and grants no right to any caller."


def _with(inventory: Inventory, token: str, **fields: object) -> Inventory:
    added = Resource(f"urn:pulumi:x::seawall::{token}::new", token, "new", custom=True, **fields)  # type: ignore[arg-type]
    return replace(inventory, resources=(*inventory.resources, added))


@pytest.fixture
def report(aws: Inventory) -> CheckReport:
    """A check of a stack with a resource of a type that nobody has judged."""
    return check_inventories([_with(aws, NEW)], (), DAY)


# --- What is new fails ---


def test_a_type_that_no_rule_reads_and_nobody_lists_fails_the_check(report: CheckReport) -> None:
    (verdict,) = report.verdicts
    (finding,) = [each for each in verdict.violations if each.rule is RULE]
    assert (report.exit_code, finding.name, finding.reason.partition(";")[0]) == (1, "new", f"the type {NEW}")


def test_every_format_tells_the_new_type(report: CheckReport) -> None:
    sarif = json.loads(as_sarif(report).text)["runs"][0]
    (result,) = [each for each in sarif["results"] if each["ruleId"] == RULE.id]
    assert sarif["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == RULE.id
    suites = ET.fromstring(as_junit(report))  # noqa: S314 - made right here
    failures = suites.findall(f".//testcase[@classname='{RULE.id}']/failure")
    assert [NEW in (failure.get("message") or "") for failure in failures] == [True]
    (told,) = report.to_json()["stacks"]
    assert {"type": NEW, "resources": 1, "reason": None} in told["types"]["unread"]
    assert RULE.id in {rule["id"] for rule in report.to_json()["rules"]}
    for text in (as_text(report), as_text(report, quiet=True), as_markdown(report), as_github(report)):
        assert RULE.title in text or RULE.id in text
        assert NEW.partition(":")[0] in text


@pytest.mark.parametrize(
    "token", ["aws:example/thing:Thing", "gcp:x/y:Z", "kubernetes:example.com/v1:Thing", "random:index/id:Id"]
)
def test_a_type_of_any_provider_is_new_until_somebody_lists_it(aws: Inventory, token: str) -> None:
    found = planned_types(_with(aws, token)).findings
    assert [finding.type for finding in found if finding.type == token] == [token]
    assert not [f for f in planned_types(_with(aws, token), {**listed(), token: SOUND}).findings if f.type == token]


def test_what_a_list_or_a_text_carries_counts_by_its_own_type(aws: Inventory) -> None:
    text = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\n"
    found = planned_types(_with(aws, "kubernetes:yaml/v2:ConfigGroup", inputs={"yaml": text})).findings
    assert ["kubernetes:example.com/v1:Thing" in finding.reason for finding in found] == [True]


def test_an_older_version_of_a_kind_is_the_kind(aws: Inventory) -> None:
    old = "kubernetes:rbac.authorization.k8s.io/v1beta1:RolePatch"
    assert not planned_types(_with(aws, old, inputs={"rules": []})).findings


def test_no_waiver_accepts_a_new_type(aws: Inventory) -> None:
    accepted = Waiver(RULE.id, "example", date(2027, 1, 1), name="new", reason="nobody reads it", owner="ml-platform")
    assert check_inventories([_with(aws, NEW)], (accepted,), DAY).exit_code == 1


# --- What is listed is told ---


def test_listed_types_are_told_with_their_reasons(aws: Inventory) -> None:
    token, reason = next(iter(listed().items()))
    report = check_inventories([_with(aws, token)], (), DAY)
    assert report.unread[token] == reason
    assert token in as_text(report)
    assert reason in as_text(report, details=True)
    assert f"`{token}`" in as_markdown(report)
    assert {"type": token, "resources": 1, "reason": reason} in report.to_json()["stacks"][0]["types"]["unread"]


def test_no_stack_plans_a_type_that_is_neither_read_nor_listed(plans: dict[str, Inventory]) -> None:
    found = {each.type for plan in plans.values() for each in planned_types(plan).unread if not each.reason}
    assert not found


# --- The table is sound and current ---


def stale(table: dict[str, str], plans: dict[str, Inventory]) -> list[str]:
    """Entries that a rule reads, or that neither a stack plans nor a component makes."""
    made = "\n".join(path.read_text(encoding="utf-8") for path in (repo_root() / "components").rglob("*.py"))
    planned = {each.type for plan in plans.values() for each in planned_types(plan).unread}
    return [t for t in table if reads.reading(t) or not (t in planned or f".{t.rpartition(':')[2]}(" in made)]


def test_no_entry_is_stale(plans: dict[str, Inventory]) -> None:
    assert not stale(dict(listed()), plans)


def test_a_stale_entry_is_found(plans: dict[str, Inventory]) -> None:
    old = "aws:opsworks/stack:Stacked"
    assert stale({TOPIC: SOUND, old: SOUND}, plans) == [TOPIC, old]


@pytest.mark.parametrize(
    "text",
    [
        "- {types: [a:b:C], reason: TODO}",
        "- {types: [a:b:C], reason: not needed}",
        f"- {{types: [a:b:C], reason: {'x ' * 60}}}",
        "- {types: [a:b:C], reason: ''}",
        "- {types: [a:b:C]}",
        f"- {{types: [], reason: '{SOUND}'}}",
        f"- {{types: ['aws:*'], reason: '{SOUND}'}}",
        f"- {{types: [a:b:C, a:b:C], reason: '{SOUND}'}}",
        f"- {{types: [a:b:C], reason: '{SOUND}', until: later}}",
        "types: all",
        "- [",
    ],
)
def test_an_entry_that_says_nothing_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "unjudged.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UnjudgedFileError):
        load(file)


def test_an_entry_that_says_why_is_read(tmp_path: Path) -> None:
    file = tmp_path / "unjudged.yaml"
    file.write_text(f"- {{types: [a:b:C], reason: '{SOUND}'}}", encoding="utf-8")
    assert load(file) == {"a:b:C": SOUND}


# --- What rules read is proven ---


def test_the_file_of_what_rules_read_is_current() -> None:
    assert reads.FILE.read_text(encoding="utf-8") == reads.render(), "run python -m policies.catalogue"


def _rule(check: Callable[[Resource, Inventory], Judgement]) -> Rule:
    both = examples(given(TOPIC, {"name": "a"}), given(QUEUE, {"name": "a"}), broken={})
    return Rule("x", Severity.LOW, "", "", "", (TOPIC,), check, lambda: both)


def test_a_rule_reads_a_type_whose_inputs_change_what_it_says() -> None:
    def check(topic: Resource, inventory: Inventory) -> Judgement:
        queues = [queue.get("name") for queue in inventory.of_type(QUEUE)]
        return PASS if topic.get("name") in queues else failed("name", "alone", "a queue")

    assert reads.further(_rule(check)) == {QUEUE}


def test_a_rule_that_goes_through_all_resources_reads_none_by_that() -> None:
    def check(topic: Resource, inventory: Inventory) -> Judgement:
        seen = [dict(each.inputs) for each in inventory.resources]
        return equals(topic, "name", "a") if seen else PASS

    assert not reads.further(_rule(check))


def test_a_rule_for_all_of_a_provider_reads_by_that_no_type() -> None:
    assert not reads.reading("kubernetes:example.com/v1:Thing")
    assert any(token.endswith("*") for rule in RULES for token in rule.types)
