"""The last proof is the newest one that a trusted signer made of this stack, of a kind that counts."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.attestation.signers import open_signer
from common.attestation.trust import Trust, trust_from
from common.errors import UserError
from ops.drill.evidence import signed
from ops.drill.history import Entry, History, Promised, history, table

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def entry(days_ago: float, verdict: str = "proven", mode: str = "real") -> Entry:
    return Entry("f.json", (NOW - timedelta(days=days_ago)).isoformat(), "restore-test", mode, verdict, 60.0, 30.0)


def of(*entries: Entry, modes: tuple[str, ...] = ("real",), days: int = 8) -> History:
    return History("prod-aws", entries, days, modes, NOW)


def test_a_proof_within_the_limit_is_fresh() -> None:
    assert of(entry(20), entry(7.9)).is_fresh


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [entry(8.1)],
        [entry(1, verdict="not proven"), entry(9)],
        [entry(1, verdict="refused")],
        [entry(1, mode="emulated")],
    ],
)
def test_nothing_else_is(entries: list[Entry]) -> None:
    assert not of(*entries).is_fresh


def test_an_emulated_proof_counts_where_one_asks_for_the_program_alone() -> None:
    assert of(entry(1, mode="emulated"), modes=("real", "emulated")).is_fresh


def test_what_is_no_evidence_is_shown_as_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "drill-prod-aws-x.json").write_text("{}", encoding="utf-8")
    found = history("prod-aws", tmp_path, Trust(()), 8, ("real",), NOW)
    assert [each.verdict for each in found.entries] == ["refused"]
    assert "refused: run/drill-prod-aws-x.json" in table(found.entries)[-1]
    assert not found.is_fresh


@pytest.mark.parametrize("data", [b"[" * 200_000, b"9" * 5000])
def test_junk_that_no_parser_holds_is_refused_as_well(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "drill-prod-aws-x.json").write_bytes(data)
    [found] = history("prod-aws", tmp_path, Trust(()), 8, ("real",), NOW).entries
    assert found.verdict == "refused" and found.why.startswith("the signed statement cannot be read")


@pytest.mark.parametrize(
    ("rpo_s", "rto_s", "verdict"), [(3600, 3600, "proven"), (3599, 3600, "not proven"), (3600, 3599, "not proven")]
)
def test_evidence_that_allowed_more_than_is_promised_is_no_proof_of_it(
    evidence: dict[str, Any], tmp_path: Path, rpo_s: float, rto_s: float, verdict: str
) -> None:
    signing = open_signer(str(tmp_path / "key.pem"))
    (tmp_path / "drill-dev-aws-x.json").write_text(json.dumps(signed(evidence, signing)), encoding="utf-8")
    trust = trust_from([signing.name], None, ())
    promised = Promised(rpo_s, rto_s)
    [found] = history("dev-aws", tmp_path, trust, 8, ("emulated",), NOW, promised).entries
    assert found.verdict == verdict
    assert ("is promised" in found.why) is (verdict != "proven")


def test_another_stacks_evidence_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "drill-prod-gcp-x.json").write_text("{}", encoding="utf-8")
    assert history("prod-aws", tmp_path, Trust(()), 8, ("real",), NOW).entries == ()


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such folder"):
        history("prod-aws", tmp_path / "none", Trust(()), 8, ("real",), NOW)


def test_the_age_is_told_with_its_limit() -> None:
    told = of(entry(2.5)).told
    assert "2.5 days old" in told and "8 days" in told
    assert "no real drill has proven" in of().told


def test_what_a_drill_measured_stands_in_its_line() -> None:
    [_, line] = table([replace(entry(1), scenario="region-lost")])
    assert line.split()[1:] == ["region-lost", "real", "proven", "60", "30"]
