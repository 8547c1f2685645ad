"""Evidence is signed, says that it is emulated, and shows any change made to it afterwards."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from ops.drill.evidence import markdown, signed, signing_key, verify, write
from ops.drill.model import Predicate


def test_a_signature_verifies_and_the_key_is_private(tmp_path: Path, evidence: Predicate) -> None:
    path = tmp_path / "config" / "key.pem"
    document = signed(evidence, signing_key(path))
    assert verify(json.loads(json.dumps(document))) == document["signer"]["fingerprint"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["key.pem"]


def test_the_same_key_is_used_again(tmp_path: Path, evidence: Predicate) -> None:
    path = tmp_path / "key.pem"
    first, second = (signed(evidence, signing_key(path))["signer"]["fingerprint"] for _ in range(2))
    assert first == second


@given(field=st.sampled_from(["mode", "verdict", "stack", "findings", "checks", "controls", "signer"]))
def test_any_change_after_signing_shows(
    field: str, tmp_path_factory: pytest.TempPathFactory, evidence: Predicate
) -> None:
    document = signed(evidence, signing_key(tmp_path_factory.getbasetemp() / "key.pem"))
    document[field] = {"forged": True}
    with pytest.raises(UserError):
        verify(document)


def test_a_broken_key_file_is_a_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("no key", encoding="utf-8")
    with pytest.raises(UserError, match="signing key"):
        signing_key(tmp_path / "key.pem")


def test_markdown_says_that_it_is_emulated(tmp_path: Path, evidence: Predicate) -> None:
    text = markdown(signed(evidence, signing_key(tmp_path / "key.pem")))
    assert "mode: **emulated** (times are not those of a real cloud)" in text


def test_a_drill_that_could_not_go_on_still_leaves_signed_evidence(tmp_path: Path, evidence: Predicate) -> None:
    failure = {"what": "the replica is empty", "where": "s3://b", "remedy": "Look at its rule.", "phase": "wait"}
    document = signed(
        {**evidence, "failure": failure, "checks": [], "controls": []}, signing_key(tmp_path / "key.pem")
    )
    as_json, as_markdown = write(document, tmp_path / "out")
    assert verify(json.loads(as_json.read_text(encoding="utf-8")))
    assert "in the phase 'wait'" in as_markdown.read_text(encoding="utf-8")


def test_markdown_has_every_check_and_control(tmp_path: Path, evidence: Predicate) -> None:
    text = markdown(evidence)
    assert all(f"| {check['name']} |" in text for check in evidence["checks"])
    assert all(control["fault"] in text for control in evidence["controls"])
