"""Evidence is signed, says that it is emulated, and shows any change made to it afterwards."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from dataclasses import replace
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
    SettingCheck,
)
from ops.serving.golden import GoldenResult, Mismatch


@pytest.fixture
def judge() -> Callable[[Evidence], tuple[str, ...]]:
    return lambda evidence: findings(evidence, min_distance_km=400)


def test_clean_evidence_is_proven(judge: Callable[[Evidence], tuple[str, ...]], evidence: Evidence) -> None:
    assert judge(evidence) == ()


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"objects": ObjectCheck(3, 2, 20, missing=("a",))}, "objects"),
        ({"features": FeatureCheck("t", 2, 2, "h", "h", True, late_canary_absent=False)}, "late canary"),
        ({"app_probe": ()}, "predictions"),
        ({"app_probe": (GoldenResult("http", 3, 1, 0.0, None, (Mismatch("row-1", "no answer"),)),)}, "predictions"),
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
    judge: Callable[[Evidence], tuple[str, ...]], evidence: Evidence, broken: dict[str, Any], says: str
) -> None:
    [finding] = judge(replace(evidence, **broken))
    assert says in finding


def test_a_signature_verifies_and_the_key_is_private(tmp_path: Path, evidence: Evidence) -> None:
    path = tmp_path / "config" / "key.pem"
    document = signed(evidence, signing_key(path))
    assert verify(json.loads(json.dumps(document))) == document["signer"]["fingerprint"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["key.pem"]


def test_the_same_key_is_used_again(tmp_path: Path, evidence: Evidence) -> None:
    path = tmp_path / "key.pem"
    first, second = (signed(evidence, signing_key(path))["signer"]["fingerprint"] for _ in range(2))
    assert first == second


@given(field=st.sampled_from(["mode", "verdict", "stack", "findings", "rpo", "objects", "signer"]))
def test_any_change_after_signing_shows(
    field: str, tmp_path_factory: pytest.TempPathFactory, evidence: Evidence
) -> None:
    document = signed(evidence, signing_key(tmp_path_factory.getbasetemp() / "key.pem"))
    document[field] = {"forged": True}
    with pytest.raises(UserError):
        verify(document)


def test_a_broken_key_file_is_a_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("no key", encoding="utf-8")
    with pytest.raises(UserError, match="signing key"):
        signing_key(tmp_path / "key.pem")


def test_markdown_says_that_it_is_emulated(tmp_path: Path, evidence: Evidence) -> None:
    text = markdown(signed(evidence, signing_key(tmp_path / "key.pem")))
    assert "mode: **emulated** (times are not those of a real cloud)" in text


def test_a_drill_that_could_not_go_on_still_leaves_signed_evidence(tmp_path: Path) -> None:
    failed = FailedDrill("id", "dev-aws", "abc", "me", "loss", "emulated", "seed", (), ("the replica is empty",))
    document = signed(failed, signing_key(tmp_path / "key.pem"))
    as_json, as_markdown = write(document, tmp_path / "out")
    assert verify(json.loads(as_json.read_text(encoding="utf-8")))
    assert "the replica is empty" in as_markdown.read_text(encoding="utf-8")
    assert document["verdict"] == "not proven"


def test_evidence_has_the_bound_of_the_copies_beside_what_was_measured(evidence: Evidence, tmp_path: Path) -> None:
    document = signed(evidence, signing_key(tmp_path / "key.pem"))
    (bound,) = document["rpo"]["bounds"]
    assert bound["bound_minutes"] == sum(part["minutes"] for part in bound["parts"]) == 55
    assert "features are at most 55 min old: 40 min between recovery points + 15 min copy" in markdown(document)
