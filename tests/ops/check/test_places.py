"""A finding is shown at the settings' line that gave the value, else where the resource is made."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from common.paths import repo_root
from ops.check.command import check_inventories
from ops.check.places import Place, Places, leaves_of
from ops.plan.planner import plan_stack
from policies.inventory import SECRET, Inventory, Resource
from policies.model import Finding, Judgement, Problem, Rule, Severity, Verdict
from stacks.files import stack_file

TOPIC = "aws:sns/topic:Topic"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with one stack's settings: line by line what the tests ask for."""
    folder = tmp_path / "stacks" / "config"
    folder.mkdir(parents=True)
    (folder / "Pulumi.dev-aws.yaml").write_text(
        "config:\n"
        "  seawall:settings:\n"
        "    region: eu-central-1\n"
        "    keys: {deletion_window_days: 7}\n"
        "    backup:\n"
        "      retention_days: 30\n"
        "      keep_daily_days: 30\n"
        "      region: eu-north-1\n"
        "    monitoring:\n"
        "      log_retention_days: 3\n"
        "      alert_email: ml-platform@example.com\n"
        "      enabled: true\n"
        "    nodes:\n"
        "      - machine: m7i.xlarge\n"
        "    token: {secure: AAAB}\n"
    )
    (tmp_path / "components").mkdir()
    (tmp_path / "components" / "topics.py").write_text("import x\n\n    aws.sns.Topic(\n        'alarms')\n")
    return tmp_path


SETTINGS = {
    "region": "eu-central-1",
    "keys": {"deletion_window_days": 7},
    "backup": {"retention_days": 30, "keep_daily_days": 30, "region": "eu-north-1"},
    "monitoring": {"log_retention_days": 3, "alert_email": "ml-platform@example.com", "enabled": True},
    "nodes": [{"machine": "m7i.xlarge"}],
    "token": SECRET,
}


def found(path: str, resource: Resource) -> Finding:
    rule = Rule("r", Severity.LOW, "t", "w", "m", (TOPIC,), lambda *_: Judgement(Verdict.FAIL), lambda: None)  # type: ignore[arg-type,return-value]
    return Finding(rule, resource.urn, TOPIC, resource.name, Verdict.FAIL, (Problem(path, "x", "y"),))


def place(checkout: Path, inputs: dict[str, object], path: str, **changed: object) -> Place:
    topic = Resource(
        "urn:pulumi:dev-aws::seawall::aws:sns/topic:Topic::alarms",
        TOPIC,
        "alarms",
        custom=True,
        inputs=inputs,
        made_at="components/topics.py:3",
    )
    settings = {**SETTINGS, **changed}
    places = Places({"dev-aws": Inventory("dev-aws", settings, (topic,))}, checkout)
    return places.of("dev-aws", found(path, topic))[0]


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("deletionWindowInDays", 7, 4),
        ("deletionWindowInDays", "7", 4),
        ("retentionInDays", 3, 10),
        ("target.backupRegion", "eu-north-1", 8),
        ("region", "eu-central-1", 3),
        ("endpoint", "ml-platform@example.com", 11),
        ("instanceTypes.0", "m7i.xlarge", 14),
    ],
)
def test_a_value_of_the_settings_is_shown_at_its_line(checkout: Path, path: str, value: object, line: int) -> None:
    head, _, last = path.partition(".")
    inputs: dict[str, object] = {path: value}
    if last:
        inputs = {head: [value] if last == "0" else {last: value}}
    told = place(checkout, inputs, path)
    assert (told.file, told.line) == ("stacks/config/Pulumi.dev-aws.yaml", line)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("deletionWindowInDays", 8),  # not what the settings say
        ("count", 7),  # the same number by chance
        ("enabled", False),
        ("dailyRetentionDays", 30),  # two settings are as likely
        ("policy", {"a": 1}),
        ("kmsKeyId", None),
    ],
)
def test_what_the_settings_did_not_give_is_shown_where_it_is_made(checkout: Path, path: str, value: object) -> None:
    told = place(checkout, {path: value}, path)
    assert (told.file, told.line, told.column, told.end_column) == ("components/topics.py", 3, 5, 19)


def test_a_file_that_says_something_else_than_the_plan_is_not_blamed(checkout: Path) -> None:
    told = place(checkout, {"deletionWindowInDays": 7}, "deletionWindowInDays", keys={"deletion_window_days": 30})
    assert told.file == "components/topics.py"


def test_a_secret_is_no_leaf(checkout: Path) -> None:
    leaves = leaves_of(checkout / "stacks" / "config" / "Pulumi.dev-aws.yaml")
    assert "token" not in {leaf.path[0] for leaf in leaves}


def test_without_a_source_the_settings_file_is_named(checkout: Path) -> None:
    topic = Resource("urn:x", TOPIC, "alarms", custom=True, inputs={})
    places = Places({"dev-aws": Inventory("dev-aws", {}, (topic,))}, checkout)
    (told,) = places.of("dev-aws", found("", topic))
    assert (told.file, told.line) == ("stacks/config/Pulumi.dev-aws.yaml", 1)


@pytest.mark.parametrize(
    "made_at", ["nonsense", "gone.py:12", "components/topics.py:99", "../../etc/passwd:1", ":", "a:b"]
)
def test_a_source_that_is_not_there_does_no_harm(checkout: Path, made_at: str) -> None:
    topic = Resource("urn:x", TOPIC, "alarms", custom=True, inputs={}, made_at=made_at)
    places = Places({"dev-aws": Inventory("dev-aws", {}, (topic,))}, checkout)
    told = places.of("dev-aws", found("", topic))[0]
    assert told.line >= 1 and told.column >= 1 and not told.file.startswith(("/", ".."))


def test_a_short_window_in_real_settings_is_shown_at_its_line(tmp_path: Path) -> None:
    config = tmp_path / "stacks" / "config"
    config.mkdir(parents=True)
    file = config / "Pulumi.dev-aws.yaml"
    text = stack_file("dev-aws").read_text(encoding="utf-8")
    assert "    region: " in text
    file.write_text(text.replace("    region: ", "    keys:\n      deletion_window_days: 7\n    region: ", 1))
    shutil.copytree(repo_root() / "components", tmp_path / "components", ignore=shutil.ignore_patterns("__pycache__"))
    plan = plan_stack("dev-aws", file)
    (verdict,) = check_inventories([plan], (), date.today()).verdicts
    assert {finding.rule.id for finding in verdict.violations} == {"aws-kms-slow-deletion"}
    places = Places({"dev-aws": plan}, tmp_path)
    wanted = 1 + file.read_text(encoding="utf-8").splitlines().index("      deletion_window_days: 7")
    for finding in verdict.violations:
        first, second, *_ = places.of("dev-aws", finding)
        assert (first.file, first.line) == ("stacks/config/Pulumi.dev-aws.yaml", wanted)
        assert second.file == "components/aws/keys.py"


def test_a_component_is_shown_where_it_is_used(checkout: Path) -> None:
    group = Resource("urn:g", "seawall:aws:Alarms", "alarms", custom=False, made_at="components/topics.py:1")
    topic = Resource("urn:t", TOPIC, "alarms", custom=True, parent="urn:g", made_at="components/topics.py:3")
    places = Places({"dev-aws": Inventory("dev-aws", {}, (group, topic))}, checkout)
    assert [told.line for told in places.of("dev-aws", found("", topic))] == [3, 1]
    assert [told.line for told in places.of("dev-aws", found("", replace(topic, parent=None)))] == [3, 1]
