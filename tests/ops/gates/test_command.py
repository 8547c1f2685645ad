"""`seawall gates` and `seawall approve` from end to end, with the committed gates."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from common.attestation.signers import Signing
from ops.cli import build_app
from ops.gates.plan import Plan
from ops.gates.reading import Change
from tests.ops.gates.conftest import diff, lost, plan_of

Seawall = Callable[..., tuple[int, str]]


@pytest.fixture
def seawall() -> Seawall:
    """Runs a command; its exit code and all that it printed, or the error that a user is told."""

    def run(*arguments: object) -> tuple[int, str]:
        done = CliRunner().invoke(build_app(), [str(each) for each in arguments])
        told = "" if isinstance(done.exception, SystemExit) else str(done.exception or "")
        return done.exit_code, done.output + told

    return run


@pytest.fixture
def plan() -> Plan:
    from dataclasses import replace

    return replace(plan_of(Change(diff("prod-aws", lost("prod-aws", "models")))), base="HEAD")


@pytest.fixture
def files(tmp_path: Path, plan: Plan, people: dict[str, Signing]) -> dict[str, Path]:
    """A plan file, and the committed gates' people with keys that tests have."""
    written = {"plan": tmp_path / "plan.json", "signers": tmp_path / "signers", "approvals": tmp_path / "approvals"}
    written["plan"].write_text(json.dumps(plan.to_json()))
    who = {
        "ann": "platform-lead@example.com",
        "ben": "platform-deputy@example.com",
        "sue": "security-lead@example.com",
    }
    written["signers"].write_text("".join(f"{name} {people[key].name}\n" for key, name in who.items()))
    return {**written, **{key: tmp_path / f"{key}.pem" for key in people}}


def approve(files: dict[str, Path], who: str, gate: str, reason: str = "The bucket is empty") -> list[object]:
    """The words of a command that approves."""
    return [
        *("approve", "prod-aws", "--plan", files["plan"], "--gate", gate, "--reason", reason),
        *("--out", files["approvals"], "--signing-key", files[who], "--allowed-signers", files["signers"]),
    ]


def judge(files: dict[str, Path]) -> list[object]:
    """The words of a command that says how the plan's gates stand."""
    files["approvals"].mkdir(exist_ok=True)
    return [
        *("gates", "--plan", files["plan"], "--approvals", files["approvals"]),
        *("--allowed-signers", files["signers"], "--json"),
    ]


def test_a_plan_passes_once_everybody_who_is_asked_has_agreed(seawall: Seawall, files: dict[str, Path]) -> None:
    code, told = seawall(*judge(files))
    lacking = {need["gate"] for need in json.loads(told)["stacks"][0]["needs"]}
    assert code == 1 and lacking == {"prod", "state", "prod-state", "no-way-back"}
    for gate in sorted(lacking):
        assert seawall(*approve(files, "ann", gate))[0] == 0
    code, told = seawall(*judge(files))
    stands = {need["gate"]: need["approved_by"] for need in json.loads(told)["stacks"][0]["needs"]}
    assert code == 1 and len(stands["prod-state"]) == 1, "two people look there"
    assert seawall(*approve(files, "ben", "prod-state"))[0] == 0
    assert seawall(*judge(files))[0] == 0


def test_the_author_is_named_to_the_command_where_git_does_not_know(seawall: Seawall, files: dict[str, Path]) -> None:
    seawall(*approve(files, "ann", "prod"))
    _, told = seawall(*judge(files), "--author", "Platform-Lead@example.com")
    needs = {need["gate"]: need for need in json.loads(told)["stacks"][0]["needs"]}
    assert not needs["prod"]["approved_by"] and "nobody approves their own" in needs["prod"]["refused"][0]


def test_who_approves_is_shown_what_they_accept_and_not_the_file_s_words(
    seawall: Seawall, files: dict[str, Path], plan: Plan
) -> None:
    document: dict[str, Any] = plan.to_json()
    for item in document["items"]:
        item["note"] = "harmless"
    files["plan"].write_text(json.dumps(document))
    code, told = seawall(*approve(files, "ann", "state"))
    assert code == 0 and "harmless" not in told
    assert "models" in told and "action removed" in told and "model releases" in told


@pytest.mark.parametrize(
    ("who", "gate", "reason", "said"),
    [
        ("ann", "cost", "The bucket is empty", "asks nothing about this plan"),
        ("ann", "nothing", "The bucket is empty", "asks nothing about this plan"),
        ("sue", "state", "The bucket is empty", "may not approve"),
        ("ann", "state", "ok", "says too little"),
    ],
)
def test_an_approval_that_would_count_for_nothing_is_not_signed(
    seawall: Seawall, files: dict[str, Path], who: str, gate: str, reason: str, said: str
) -> None:
    code, told = seawall(*approve(files, who, gate, reason))
    assert code != 0 and said in told
    assert not list(files["approvals"].glob("*.json"))


def test_a_plan_that_was_edited_is_neither_judged_nor_approved(
    seawall: Seawall, files: dict[str, Path], plan: Plan
) -> None:
    document = plan.to_json()
    document["items"] = []
    files["plan"].write_text(json.dumps(document))
    for words in (judge(files), approve(files, "ann", "state")):
        code, told = seawall(*words)
        assert code != 0 and "edited" in told


def test_another_stack_s_plan_is_refused(seawall: Seawall, files: dict[str, Path]) -> None:
    words = ["dev-aws" if word == "prod-aws" else word for word in approve(files, "ann", "state")]
    assert "about prod-aws" in seawall(*words)[1]
    assert "about prod-aws" in seawall("gates", "dev-aws", "--plan", files["plan"])[1]


def test_nothing_to_judge_is_said(seawall: Seawall) -> None:
    code, told = seawall("gates", "prod-aws")
    assert code != 0 and "nothing is named to judge" in told
