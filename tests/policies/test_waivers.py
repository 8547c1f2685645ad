"""A waiver covers one violation for a reason until a date; an invalid one covers nothing and fails the check."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from policies.model import Finding, Problem, Verdict
from policies.rules import RULES
from policies.waivers import LONGEST, Waiver, WaiversFileError, apply, invalid_elsewhere, load, unknown_stacks

TODAY = date(2026, 6, 1)
RULE = next(rule for rule in RULES if rule.id == "aws-s3-versioned")
URN = "urn:pulumi:dev-aws::seawall::aws:s3/bucket:Bucket::models"
GOOD = f"""
waivers:
  - rule: {RULE.id}
    stack: dev-aws
    urn: {URN}
    reason: the bucket is public on purpose
    owner: ml-platform
    expires: 2026-06-01
"""


def finding(verdict: Verdict = Verdict.FAIL, urn: str = URN) -> Finding:
    """A finding of the first rule on the model bucket."""
    return Finding(RULE, urn, "aws:s3/bucket:Bucket", "models", verdict, (Problem("a", "1", "2"),))


def waiver(**fields: object) -> Waiver:
    """A valid waiver, but for `fields`."""
    good = {
        "rule": RULE.id,
        "stack": "dev-aws",
        "expires": TODAY,
        "urn": URN,
        "reason": "shown in the demonstration",
        "owner": "ml-platform",
        "where": "waivers.yaml:3",
    }
    return Waiver(**{**good, **fields})  # type: ignore[arg-type]


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    """A waivers file with this text."""

    def write(text: str) -> Path:
        path = tmp_path / "waivers.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_the_committed_file_can_be_read() -> None:
    assert isinstance(load(), tuple)


def test_a_waiver_is_read_with_its_line(file: Callable[[str], Path]) -> None:
    assert load(file(GOOD)) == (waiver(reason="the bucket is public on purpose"),)


def test_no_file_means_no_waivers(tmp_path: Path) -> None:
    assert load(tmp_path / "none.yaml") == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "waivers:",
        "waivers: {}",
        "other: []",
        "waivers: [3]",
        "waivers: [",
        GOOD.replace("expires: 2026-06-01", "expires: soon"),
        GOOD.replace("    expires: 2026-06-01\n", ""),
        GOOD.replace(f"    urn: {URN}\n", ""),
        GOOD.replace("owner: ml-platform", "owner: 7"),
        GOOD.replace("owner:", "onwer:"),
        GOOD + "    type: x\n    name: y\n",
        "\x00",
    ],
)
def test_a_file_that_cannot_be_understood_is_refused_with_its_name(file: Callable[[str], Path], text: str) -> None:
    with pytest.raises(WaiversFileError) as refused:
        load(file(text))
    assert "waivers.yaml" in refused.value.where
    assert re.fullmatch(r"[A-Z].+\.", refused.value.remedy), "a remedy is an imperative sentence"


def test_a_broken_entry_is_named_by_its_line(file: Callable[[str], Path]) -> None:
    with pytest.raises(WaiversFileError, match=r"waivers\.yaml:3"):
        load(file(GOOD.replace("owner:", "onwer:")))


def test_a_waiver_in_good_order_turns_a_failure_into_waived() -> None:
    waived = apply([waiver()], "dev-aws", [finding()], TODAY)
    assert [f.verdict for f in waived.findings] == [Verdict.WAIVED] and waived.problems == ()


def test_a_waiver_by_type_and_name_covers_the_same_resource() -> None:
    waived = apply([waiver(urn="", type="aws:s3/bucket:Bucket", name="models")], "dev-aws", [finding()], TODAY)
    assert [f.verdict for f in waived.findings] == [Verdict.WAIVED]


def test_an_unknown_verdict_can_be_waived() -> None:
    waived = apply([waiver()], "dev-aws", [finding(Verdict.UNKNOWN)], TODAY)
    assert [f.verdict for f in waived.findings] == [Verdict.WAIVED]


def test_a_waiver_of_another_stack_covers_nothing_here() -> None:
    waived = apply([waiver(stack="prod-aws")], "dev-aws", [finding()], TODAY)
    assert [f.verdict for f in waived.findings] == [Verdict.FAIL] and waived.problems == ()


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"expires": date(2026, 5, 31)}, "expired on 2026-05-31"),
        ({"reason": ""}, "no reason"),
        ({"reason": "because"}, "no reason"),
        ({"owner": ""}, "no owner"),
        ({"expires": TODAY + LONGEST + timedelta(days=1)}, "more than a year ahead"),
        ({"expires": date(9999, 12, 31)}, "more than a year ahead"),
        ({"rule": "no-such-rule"}, "there is no rule 'no-such-rule'"),
        ({"urn": f"{URN}-other"}, "matches no resource"),
        ({"urn": URN.replace("dev-aws", "prod-aws")}, "not one of stack dev-aws"),
        ({"urn": URN.replace("bucket:Bucket", "object:Object")}, "matches no resource that this rule looks at"),
        ({"urn": "", "type": "aws:sqs/queue:Queue", "name": "models"}, "matches no resource that this rule looks at"),
        ({"reason": RULE.title}, "no reason"),
        ({"reason": "ml-platform", "owner": "ml-platform"}, "no reason"),
        ({"expires": date(2026, 5, 31), "reason": "x", "owner": "y"}, "expired on 2026-05-31"),
        ({"rule": "*"}, "there is no rule '*'"),
        ({"rule": "aws-s3-*"}, "there is no rule 'aws-s3-*'"),
        ({"urn": "*"}, "matches no resource"),
        ({"urn": URN.replace("::models", "::*")}, "matches no resource"),
        ({"urn": "", "type": "aws:s3/bucket:Bucket", "name": "*"}, "matches no resource"),
        ({"urn": "", "type": "*", "name": "models"}, "matches no resource"),
    ],
)
def test_an_invalid_waiver_is_listed_and_covers_nothing(fields: dict[str, object], problem: str) -> None:
    waived = apply([waiver(**fields)], "dev-aws", [finding()], TODAY)
    assert [f.verdict for f in waived.findings] == [Verdict.FAIL]
    assert len(waived.problems) == 1 and problem in waived.problems[0].problem


SAY_NOTHING = (
    "",
    " ",
    "x",
    "xx",
    "xxx",
    "n/a",
    "N/A",
    "na",
    "todo",
    "TODO",
    "tbd",
    "-",
    "…",
    "???",
    "none",
    "123",
    "\u200b",
)


@pytest.mark.parametrize(
    "owner",
    [
        *SAY_NOTHING,
        *("me", "us", "nobody", "someone", "the owner", "aaa", "TODO team", "@@@", "asdf", "qwerty", "abc", "test1"),
        *("team", "the team", "some team", "team 1", "everyone else", "all", "admin", "root", "your-team"),
        *("unassigned", "not yet known", "to be defined", "same same", "lorem ipsum", "REPLACE ME"),
        *("<team>", "{{ team }}", "[team]", "$OWNER"),
        *("@x", "john@", "@example.com", "nobody@example.com", "todo@example.com", "a@b", "me@home"),
    ],
)
def test_an_owner_that_names_nobody_is_refused(owner: str) -> None:
    assert "no owner" in apply([waiver(owner=owner)], "dev-aws", [finding()], TODAY).problems[0].problem


@pytest.mark.parametrize(
    "owner",
    [
        *(
            "ml-platform",
            "Zoë",
            "a.person@example.com",
            "@security",
            "平台团队",
            "SRE",
            "platform team",
            "@acme/data",
        ),
        *("Ann Lee <ann@example.com>", "Ann Lee, ann@example.com"),
    ],
)
def test_an_owner_with_a_name_will_do(owner: str) -> None:
    assert not apply([waiver(owner=owner)], "dev-aws", [finding()], TODAY).problems


@pytest.mark.parametrize(
    "reason",
    [
        *SAY_NOTHING,
        "n/a n/a n/a n/a",
        "todo: write a reason later on",
        "xxx xxxx xxxxx xxxxxx",
        "because because because",
        "because it is",
        "überall",
        "it is ok for now",
        "same same same same",
        "asdf qwer zxcv asdf",
        "lorem ipsum dolor sit amet",
        "abc def ghi jkl mno",
        "test1 test2 test3 test4",
        "will be fixed later, promise",
        "not needed here for us",
        "not relevant for us",
        "works as intended",
        "we accept the risk",
        "the risk is accepted",
        "because I said so",
        "just because we can",
        "see the ticket above",
        "please ignore this rule",
        "disable this check",
        "no comment at all",
        "needs to be done soon",
        "temporary",
        "placeholder for the reason",
        "We will get to this one day soon maybe",
        "as discussed with the team",
        "business decision of the management",
        "will be handled later today",
        "to be determined eventually",
        "hello world foo bar",
        "1234567890 1234 5678",
        "aaaaaaaaaaaaaaaaaaaaa",
        "\u200b\u200b \u200b\u200b \u200b\u200b \u200b\u200b\u200b\u200b",
    ],
)
def test_a_reason_that_says_nothing_is_refused(reason: str) -> None:
    assert "no reason" in apply([waiver(reason=reason)], "dev-aws", [finding()], TODAY).problems[0].problem


@pytest.mark.parametrize(
    "reason",
    [
        "shown to partners until the summer",
        "The vendor's agent needs root, see SEC-1234.",
        "fine while it was shown",
        "wird jede Nacht neu angelegt",
        "供应商要求公开访问直到迁移完成",
    ],
)
def test_a_reason_in_a_few_words_will_do(reason: str) -> None:
    assert not apply([waiver(reason=reason)], "dev-aws", [finding()], TODAY).problems


def test_a_waiver_may_last_a_year() -> None:
    assert not apply([waiver(expires=TODAY + LONGEST)], "dev-aws", [finding()], TODAY).problems


def test_an_expired_waiver_is_seen_when_another_stack_is_judged() -> None:
    expired, sound = (
        waiver(expires=date(2026, 5, 31), stack="prod-aws"),
        waiver(stack="prod-aws", urn=URN.replace("dev", "prod")),
    )
    problems = invalid_elsewhere([expired, sound], ["dev-aws"], TODAY)
    assert [p.waiver for p in problems] == [expired]


def test_what_is_judged_is_not_told_twice() -> None:
    assert invalid_elsewhere([waiver(expires=date(2026, 5, 31))], ["dev-aws"], TODAY) == ()


def test_a_waiver_knows_its_file_and_line(file: Callable[[str], Path]) -> None:
    (read,) = load(file(GOOD))
    assert read.file is not None and (read.file.name, read.line) == ("waivers.yaml", 3)


def test_a_waiver_for_what_passes_is_invalid() -> None:
    waived = apply([waiver()], "dev-aws", [finding(Verdict.PASS)], TODAY)
    assert "nothing to waive" in waived.problems[0].problem


def test_a_waiver_that_repeats_another_is_invalid() -> None:
    second = waiver(where="waivers.yaml:9")
    waived = apply([waiver(), second], "dev-aws", [finding()], TODAY)
    assert [(p.waiver, p.problem) for p in waived.problems] == [(second, "it repeats waivers.yaml:3")]


def test_a_waiver_that_names_two_resources_is_invalid() -> None:
    by_name = waiver(urn="", type="aws:s3/bucket:Bucket", name="models")
    waived = apply([by_name], "dev-aws", [finding(), finding(urn=f"{URN}2")], TODAY)
    assert "matches 2 resources" in waived.problems[0].problem


def test_a_waiver_of_a_stack_that_does_not_exist_is_invalid() -> None:
    problems = unknown_stacks([waiver(stack="dev-azure"), waiver()], ["dev-aws"])
    assert [p.waiver.stack for p in problems] == ["dev-azure"]


def test_a_waiver_never_covers_a_rule_without_resources() -> None:
    nothing = Finding(RULE, "", "", "", Verdict.NOT_APPLICABLE)
    assert not waiver(urn="", type="", name="").covers(nothing)
