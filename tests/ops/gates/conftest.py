"""A checkout with gates of its own, changes to judge, people who sign, and approvals to forge."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from common.attestation.signers import Signing, open_signer
from common.attestation.trust import Trust, TrustedSigner
from components.contracts.stateful import CopiedBy, Stateful
from ops.diff.model import CostChange, PropertyChange, ResourceChange, Risk, StackDiff, VerdictChange
from ops.gates.approval import Given, give, read_approval, signed
from ops.gates.decide import required
from ops.gates.model import Requirement
from ops.gates.plan import Plan, PlannedStep
from ops.gates.reading import Change, items_of
from ops.gates.settings import Gates, parse
from policies.inventory import Resource
from policies.model import Severity, Verdict

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
GATES = """
valid_days: 7
groups:
  platform: [ann@example.com, ben@example.com]
  security: [sue@example.com, sam@example.com]
also_commit_as:
  ann@example.com: [ann@users.example.com]
gates:
  prod: {looks_for: any-change, because: Production is looked at., environments: [prod], approvers: [platform]}
  state: {looks_for: state-at-risk, because: State may be lost., approvers: [platform, security], approvals: 2}
  cost: {looks_for: cost, because: It costs us., over_usd_a_month: 5000, grows_by_percent: 20, approvers: [platform]}
  reach: {looks_for: public-reach, because: It will be tried from outside., approvers: [security]}
  waiver: {looks_for: policy-waived, because: A rule is set aside., approvers: [security]}
  verdict: {looks_for: verdict-worse, because: A rule fails., approvers: [security]}
  no-way-back: {looks_for: irreversible, because: Nothing takes it back., approvers: [platform]}
  guards: {looks_for: guards-changed, because: The judged do not judge., approvers: [security]}
"""
RELEASES = Stateful("model releases", CopiedBy.REPLICATION)
BUCKET = "aws:s3/bucket:Bucket"


def resource(
    stack: str, name: str, token: str = BUCKET, /, stateful: Stateful | None = None, **inputs: Any
) -> Resource:
    """A resource of a stack."""
    return Resource(
        f"urn:pulumi:{stack}::seawall::{token}::{name}", token, name, True, None, inputs, stateful=stateful
    )


def lost(stack: str, name: str) -> ResourceChange:
    """A bucket that will be deleted with what it holds."""
    return ResourceChange("removed", resource(stack, name, stateful=RELEASES), risk=Risk("will be deleted", RELEASES))


def shortened(stack: str, *changes: tuple[str, int, int]) -> ResourceChange:
    """A bucket that keeps less."""
    told = tuple(PropertyChange(path, before, after) for path, before, after in changes)
    held = resource(stack, "logs", stateful=RELEASES)
    return ResourceChange("changed", held, told, Risk("keeps less", RELEASES))


def worse(rule: str = "aws-s3-public", problems: tuple[str, ...] = ("acl: public-read",)) -> VerdictChange:
    """A verdict that got worse."""
    return VerdictChange(rule, Severity.HIGH, "t", "models", Verdict.PASS, Verdict.FAIL, "r", "urn:models", problems)


def costs(before: float, after: float) -> CostChange:
    """A month at full scale."""
    return CostChange(10.0, 10.0, before, after)


def diff(stack: str, *changes: ResourceChange, **rest: Any) -> StackDiff:
    """A diff of these changes."""
    return StackDiff(stack, "both", changes, **rest)


def plan_of(change: Change, *, update: str = "update 1") -> Plan:
    """The engine's plan of a change."""
    steps = tuple(PlannedStep(c.resource.urn, c.action) for c in change.diff.changes)
    return Plan(change.diff.stack, "engine", steps, items_of(change), "0" * 40, update, {"at": "now"})


def needs(plan: Plan, gates: Gates) -> dict[str, Requirement]:
    """What a plan needs, by gate."""
    return {each.gate: each for each in required(plan.stack, plan.items, gates)}


@pytest.fixture
def gates() -> Gates:
    return parse(GATES)


@pytest.fixture
def people(tmp_path: Path) -> dict[str, Signing]:
    """People with a key each; Ann has two."""
    names = ("ann", "ann-laptop", "ben", "sue", "sam", "mallory")
    return {name: open_signer(str(tmp_path / f"{name}.pem")) for name in names}


@pytest.fixture
def trust(people: dict[str, Signing]) -> Trust:
    """Of all but Mallory."""
    return Trust(
        tuple(
            TrustedSigner(f"{name.partition('-')[0]}@example.com", signing.name, "allowed-signers")
            for name, signing in people.items()
            if name != "mallory"
        )
    )


Approve = Callable[..., Path]


@pytest.fixture
def approve(tmp_path: Path, people: dict[str, Signing], gates: Gates) -> Approve:
    """Writes a signed approval of a plan at a gate."""

    def write(who: str, plan: Plan, gate: str, *, now: datetime = NOW, days: int = 7, **changed: Any) -> Path:
        approval = replace(give(plan, needs(plan, gates)[gate], "It was looked at", days, now), **changed)
        path = tmp_path / f"{who}-{gate}-{len(list(tmp_path.glob('*.json')))}.json"
        path.write_text(json.dumps(signed(approval, people[who])))
        return path

    return write


@pytest.fixture
def read(trust: Trust) -> Callable[[Sequence[Path]], list[Given]]:
    """Reads approvals whose signers are trusted."""
    return lambda paths: [read_approval(path, trust) for path in paths]


class Checkout:
    """A git checkout of the test's own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.email", "author@example.com")
        self.git("config", "user.name", "Author")

    def git(self, *arguments: str) -> str:
        """What git said."""
        done = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def write(self, path: str, text: str | None) -> None:
        """Write a file, or delete it."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            file.unlink()
        else:
            file.write_text(text)

    def commit(self, message: str = "change", author: str = "author@example.com") -> str:
        """Commit all; returns the commit."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message, "--author", f"A <{author}>")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path / "checkout")
    made.write("stacks/gates.yaml", GATES)
    made.write("allowed-signers", f"sue@example.com SHA256:{'1' * 64}\nsam@example.com SHA256:{'2' * 64}\n")
    made.write("policies/waivers.yaml", "waivers: []\n")
    made.commit("first")
    return made
