"""Evidence is signed, says that it is emulated, and shows any change made to it afterwards."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from ops.drill.evidence import markdown, signed, signing_key, verify, write
from ops.drill.judging import findings
from ops.drill.model import (
    Cleanup,
    Control,
    Evidence,
    FailedDrill,
    FeatureCheck,
    KeyCheck,
    ObjectCheck,
    Objective,
    Phase,
    RecoveryPoint,
    SettingCheck,
)

T0 = datetime(2026, 1, 1, tzinfo=UTC)
PROBE: dict[str, Any] = {
    "protocol": "http",
    "requests": 3,
    "errors": 0,
    "max_abs_error": 1e-7,
    "latency": {"p50_ms": 1.0, "p95_ms": 2.0, "p99_ms": 3.0},
    "mismatches": [],
    "passed": True,
}
EVIDENCE = Evidence(
    drill_id="20260101t000000-ab12",
    stack="dev-aws",
    commit="abc",
    operator="me",
    scenario="loss of the primary region",
    mode="emulated",
    t_failure=T0,
    t_start=T0,
    phases=(Phase("restore objects", T0, T0 + timedelta(seconds=2)),),
    source={"account": "1", "region": "eu-west-1"},
    target={"account": "1", "region": "eu-central-1", "empty_before": True},
    region_separated_km=1090.0,
    recovery_point=RecoveryPoint("arn", T0, "vault", "eu-central-1", True),
    rpo=Objective(3600, 5),
    rto=Objective(3600, 50),
    objects=ObjectCheck(expected=3, restored=3, bytes=30),
    features=FeatureCheck("t", 2, 2, "h", "h", True, True),
    encryption=(KeyCheck("s3://b", "key", "eu-central-1", True),),
    settings=(SettingCheck("s3://b", "versioning", "Enabled", "Enabled"),),
    app_probe=(PROBE,),
    ready_s=3.0,
    throughput={"objects_per_s": 1.5, "mb_per_s": 0.1},
    controls=(Control("a bit flipped", True, "1 different"),),
    cleanup=Cleanup(("bucket b",), ("bucket b",), ()),
    tool_versions={"boto3": "1"},
    manifest_sha256="00",
)


@pytest.fixture
def judge() -> Callable[[Evidence], tuple[str, ...]]:
    return lambda evidence: findings(evidence, golden_passed=True, min_distance_km=400)


def test_clean_evidence_is_proven(judge: Callable[[Evidence], tuple[str, ...]]) -> None:
    assert judge(EVIDENCE) == ()


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"objects": replace(EVIDENCE.objects, missing=("a",))}, "objects"),
        ({"features": replace(EVIDENCE.features, late_canary_absent=False)}, "late canary"),
        ({"rpo": Objective(1, 2)}, "RPO"),
        ({"rto": Objective(1, 2)}, "RTO"),
        ({"controls": ()}, "no negative control"),
        ({"controls": (Control("a bit flipped", False, ""),)}, "not detected"),
        ({"encryption": (KeyCheck("s3://b", "key", "r", False),)}, "key alone"),
        ({"settings": (SettingCheck("s3://b", "versioning", "Enabled", "off"),)}, "versioning"),
        ({"region_separated_km": 10.0}, "km apart"),
        ({"cleanup": Cleanup(("b",), (), ("bucket b",))}, "left behind"),
    ],
)
def test_each_fault_keeps_a_restore_from_being_proven(
    judge: Callable[[Evidence], tuple[str, ...]], broken: dict[str, Any], says: str
) -> None:
    [finding] = judge(replace(EVIDENCE, **broken))
    assert says in finding


def test_wrong_predictions_keep_a_restore_from_being_proven() -> None:
    assert "predictions" in findings(EVIDENCE, golden_passed=False, min_distance_km=400)[0]


def test_a_signature_verifies_and_the_key_is_private(tmp_path: Path) -> None:
    path = tmp_path / "config" / "key.pem"
    document = signed(EVIDENCE, signing_key(path))
    assert verify(json.loads(json.dumps(document))) == document["signer"]["fingerprint"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["key.pem"]


def test_the_same_key_is_used_again(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    first, second = (signed(EVIDENCE, signing_key(path))["signer"]["fingerprint"] for _ in range(2))
    assert first == second


@given(field=st.sampled_from(["mode", "verdict", "stack", "findings", "rpo", "objects", "signer"]))
def test_any_change_after_signing_shows(field: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    document = signed(EVIDENCE, signing_key(tmp_path_factory.getbasetemp() / "key.pem"))
    document[field] = {"forged": True}
    with pytest.raises(UserError):
        verify(document)


def test_a_broken_key_file_is_a_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("no key", encoding="utf-8")
    with pytest.raises(UserError, match="signing key"):
        signing_key(tmp_path / "key.pem")


def test_markdown_says_that_it_is_emulated(tmp_path: Path) -> None:
    text = markdown(signed(EVIDENCE, signing_key(tmp_path / "key.pem")))
    assert "mode: **emulated** (times are not those of a real cloud)" in text


def test_a_drill_that_could_not_go_on_still_leaves_signed_evidence(tmp_path: Path) -> None:
    failed = FailedDrill("id", "dev-aws", "abc", "me", "loss", "emulated", "seed", (), ("the replica is empty",))
    document = signed(failed, signing_key(tmp_path / "key.pem"))
    as_json, as_markdown = write(document, tmp_path / "out")
    assert verify(json.loads(as_json.read_text(encoding="utf-8")))
    assert "the replica is empty" in as_markdown.read_text(encoding="utf-8")
    assert document["verdict"] == "not proven"
