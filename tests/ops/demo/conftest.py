"""What the demo's tests share: a demo that passed, of values as the other areas give them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from common.paths import repo_root
from ops.capacity.crowd import Crowd
from ops.check.report import CheckReport
from ops.demo.model import Result, State, Step
from ops.demo.stages import STAGES
from ops.drill.model import Predicate
from ops.local.workspace import find_workspace, read_settings
from ops.models.releases import Publication
from ops.rehearse.kept import Kept
from ops.serving.golden import GoldenResult, Latency
from ops.serving.service import Service
from policies.inventory import UNKNOWN, Inventory, Resource
from policies.model import Finding, Problem, Verdict
from policies.rules import RULES
from policies.verdicts import StackVerdict
from policies.waivers import Waived

GOLDEN = GoldenResult("http", 114, 0, 1.3e-07, Latency(3.1, 4.5, 7.25), ())


def _resource(name: str, **changes: object) -> Resource:
    urn = f"urn:pulumi:dev-aws::seawall::t::{name}"
    bucket = Resource(urn, "aws:s3/bucket:Bucket", name, custom=True, region="eu-west-1")
    return replace(bucket, **changes)  # pyright: ignore[reportArgumentType]


@pytest.fixture
def inventory() -> Inventory:
    """A component in a component, each with a bucket, and a provider outside of both."""
    storage = _resource("storage", type="seawall:aws:Storage", custom=False, region=None)
    replica = _resource("replica", type="seawall:aws:Replica", custom=False, region=None, parent=storage.urn)
    models = _resource("models", parent=storage.urn, protect=True)
    far = _resource("far", parent=replica.urn, region="eu-central-1")
    somewhere = _resource("somewhere", parent=replica.urn, region=UNKNOWN)
    provider = _resource("aws", type="pulumi:providers:aws", region=None)
    return Inventory("dev-aws", {"region": "eu-west-1"}, (provider, storage, models, replica, far, somewhere))


@pytest.fixture
def check() -> CheckReport:
    """One rule passes and one fails on the bucket `models`."""
    urn = "urn:pulumi:dev-aws::seawall::t::models"
    found = (
        Finding(RULES[0], urn, "t", "models", Verdict.PASS),
        Finding(RULES[1], urn, "t", "models", Verdict.FAIL, (Problem("acl", "public", "private"),)),
    )
    return CheckReport("1", date(2026, 1, 2), (StackVerdict("dev-aws", False, Waived(found, {}, ()), {}),))


@pytest.fixture
def passed(inventory: Inventory, check: CheckReport, evidence: Predicate) -> Result:
    """A demo with every step green."""
    return Result(
        demo_id="demo-dev-aws-20260102T030405Z-abc123",
        place=read_settings(find_workspace("dev-aws", repo_root())).place,
        commit="0123456789ab0123456789ab+changes",
        started=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        seconds=81.0,
        steps=[Step(key, title, State.PASSED, 2.0, f"{key} well; and the rest of it") for key, title, _ in STAGES],
        inventory=inventory,
        check=check,
        published=Publication("1.0.1", "s3://models/releases/1.0.1/repository", "ab" * 32, 12, 24500, True, True),
        served=Service(4.4, (GOLDEN, replace(GOLDEN, protocol="grpc"))),
        drill=evidence,
        crowd=Crowd("A crowd of 100 comes.", "data:image/svg+xml;base64,AAAA"),
        rehearsal=Kept(
            "2026-11-21T00:00:00+00:00", "1.35.4", "failed", 2, ("zones: 1 of 3",), ("kubelets",), "data:,"
        ),
        evidence=("drill-1.json", "drill-1.md"),
        signer="SHA256:abc",
        files=(
            "diagram.svg",
            "drill-1.json",
            "drill-1.md",
            "plan.json",
            "policies.json",
            "report.html",
            "result.json",
        ),
    )


@pytest.fixture
def barely_begun(passed: Result) -> Result:
    """A demo that came to its second step and no further; nothing but the tools is known."""
    steps = [Step(step.key, step.title) for step in passed.steps]
    steps[0].state, steps[1].state = State.PASSED, State.FAILED
    return Result(passed.demo_id, passed.place, "", passed.started, steps, files=("report.html", "result.json"))
