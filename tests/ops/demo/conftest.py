"""What the demo's tests share: a demo that passed, piece by piece, and the plan of a small stack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ops.demo.model import (
    Component,
    Drill,
    Objective,
    Policies,
    Predictions,
    Preview,
    Release,
    Resources,
    Result,
    State,
    Step,
)

STEPS = ("tools", "policies", "up", "preview", "refresh", "publish", "predict", "drill", "teardown")


@pytest.fixture
def predictions() -> Callable[..., Predictions]:
    """Builds one row of predictions, golden unless told otherwise."""

    def build(**changes: Any) -> Predictions:
        golden = Predictions("before", "http", 228, 0, 228, 1.3e-07, 3.1, 4.5, 7.25)
        return replace(golden, **changes)

    return build


@pytest.fixture
def drill() -> Drill:
    """A drill that proved the restore."""
    return Drill(
        proven=True,
        mode="emulated",
        scenario="loss of the primary region",
        findings=(),
        evidence_json="drill-dev-aws-1.json",
        evidence_markdown="drill-dev-aws-1.md",
        signer="SHA256:abc",
        region="eu-west-1",
        backup_region="eu-central-1",
        distance_km=1088.0,
        rpo=Objective(21600.0, 1.2, True),
        rto=Objective(3600.0, 10.4, True),
        objects="16 of 16 objects",
        features="115 of 115 feature rows",
        recovery_point="point-1",
        controls=(("one bit of model.onnx flipped", True, "1 different"), ("model.onnx deleted", True, "1 missing")),
        phases=(("seed", 0.8), ("restore objects", 0.2)),
    )


@pytest.fixture
def passed(predictions: Callable[..., Predictions], drill: Drill) -> Result:
    """A demo with every step green."""
    return Result(
        demo_id="demo-dev-aws-20260102T030405Z-abc123",
        stack="dev-aws",
        cloud="aws",
        region="eu-west-1",
        backup_region="eu-central-1",
        commit="0123456789",
        started=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        seconds=81.0,
        versions={"pulumi": "3.259.0"},
        steps=tuple(Step(key, key.title(), State.OK, 2.0, "well") for key in STEPS),
        resources=Resources(
            planned=5,
            deployed=5,
            protected=1,
            components=(Component("storage", "seawall:aws:Storage", 4, 1, ("eu-west-1",), (("aws:s3:Bucket", 4),)),),
        ),
        policies=Policies(82, True, {"pass": 132, "fail": 0, "unknown": 0, "waived": 0}, (), engine_asked=True),
        preview=Preview(5, (), ()),
        release=Release("v1", "s3://models/releases/v1/repository", 12, 24500, "ab" * 32, 114, "dynamodb features"),
        ready_s=4.4,
        predictions=tuple(
            predictions(moment=moment, protocol=protocol)
            for moment in ("before", "after")
            for protocol in ("http", "grpc")
        ),
        drill=drill,
        files=("diagram.svg", "drill-dev-aws-1.json", "drill-dev-aws-1.md", "plan.json", "policies.json",
               "report.html", "result.json"),
    )  # fmt: skip


@pytest.fixture
def barely_begun(passed: Result) -> Result:
    """A demo that came to its second step and no further; nothing but the tools is known."""
    first, second, *others = passed.steps
    return Result(
        demo_id=passed.demo_id,
        stack=passed.stack,
        cloud=passed.cloud,
        region=passed.region,
        backup_region=passed.backup_region,
        commit="",
        started=passed.started,
        seconds=1.0,
        versions={},
        steps=(first, replace(second, state=State.FAILED), *(replace(step, state=State.PENDING) for step in others)),
        files=("report.html", "result.json"),
    )
