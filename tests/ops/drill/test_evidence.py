"""Evidence is signed, says that it is emulated, and proves nothing once it was changed or where nobody is trusted."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.attestation.envelope import sealed
from common.attestation.problems import RefusedError, UnreadableError
from common.attestation.signers import Signing, open_signer
from common.attestation.statement import Statement, Subject
from common.attestation.trust import Trust, trust_from
from ops import cli
from ops.drill.evidence import PREDICATE_TYPE, markdown, signed, subjects, write
from ops.drill.judging import findings, verdict
from ops.drill.model import Predicate
from ops.drill.verifying import verify_file

Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signing:
    return open_signer(str(tmp_path_factory.mktemp("keys") / "key.pem"))


@pytest.fixture
def trust(signer: Signing) -> Trust:
    return trust_from([signer.name], None)


@pytest.fixture
def keep(tmp_path: Path, evidence: Predicate, signer: Signing) -> Callable[..., Path]:
    """Writes evidence to a file: signed as it is, changed before or after signing, or by another signer."""

    def kept(before: Change | None = None, after: Change | None = None, by: Signing | None = None) -> Path:
        predicate = copy.deepcopy(dict(evidence))
        if before:
            before(predicate)
        envelope = json.loads(json.dumps(signed(predicate, by or signer)))
        if after:
            after(envelope)
        path = tmp_path / "evidence.json"
        path.write_text(json.dumps(envelope))
        return path

    return kept


def payload_changed(change: Change) -> Change:
    def changed(envelope: dict[str, Any]) -> None:
        payload = json.loads(base64.b64decode(envelope["payload"]))
        change(payload)
        envelope["payload"] = base64.b64encode(json.dumps(payload).encode()).decode()

    return changed


def judged(predicate: dict[str, Any]) -> None:
    """Has the predicate's own verdict follow from its checks, as a careful forger would."""
    told = findings(predicate)
    predicate.update(findings=list(told), verdict=verdict(told))


def test_evidence_of_a_trusted_signer_proves_the_restore(keep: Callable[..., Path], trust: Trust) -> None:
    found = verify_file(keep(), trust, "dev-aws")
    assert (found.problems, found.proven) == ((), True)


@pytest.mark.parametrize(
    "forge",
    [
        payload_changed(lambda p: p["predicate"].update(mode="real")),
        payload_changed(lambda p: p["predicate"].update(verdict="proven", findings=[])),
        payload_changed(lambda p: p["predicate"]["checks"].pop()),
        payload_changed(lambda p: p["predicate"]["program"].update(commit="f" * 40)),
        payload_changed(lambda p: p["subject"][0]["digest"].update(sha256="ff" * 32)),
        payload_changed(lambda p: p.update(predicateType="https://seawall.dev/restore-drill/v5")),
        lambda e: e.update(payloadType="application/vnd.seawall+json"),
        lambda e: e.update(signatures=e["signatures"] * 2),
        lambda e: e.update(signatures=[]),
        lambda e: e["signatures"][0].update(sig=base64.b64encode(bytes(64)).decode()),
    ],
    ids=["field", "verdict", "check", "commit", "subject", "type", "payload-type", "twice", "unsigned", "signature"],
)
def test_evidence_that_was_changed_after_it_was_signed_is_refused(
    keep: Callable[..., Path], trust: Trust, forge: Change
) -> None:
    with pytest.raises(RefusedError):
        verify_file(keep(after=forge), trust)


def test_evidence_that_an_attacker_signed_anew_is_refused(
    keep: Callable[..., Path], trust: Trust, tmp_path: Path
) -> None:
    attacker = open_signer(str(tmp_path / "attacker.pem"))
    with pytest.raises(RefusedError, match="whom nobody here trusts"):
        verify_file(keep(by=attacker), trust)


def tomorrow(predicate: dict[str, Any]) -> None:
    later = datetime.now(UTC) + timedelta(days=1)
    predicate["drill_id"] = f"{later:%Y%m%dt%H%M%S}-ab12"
    predicate["t_failure"] = later.isoformat()
    for phase in predicate["phases"]:
        phase["start"] = (later + timedelta(seconds=phase["start_s"])).isoformat()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda p: p["checks"].pop(0), "was left out"),
        (lambda p: p["controls"].clear(), "was left out"),
        (lambda p: p.update(verdict="not proven"), "does not follow"),
        (lambda p: p.update(findings=["x"]), "does not follow"),
        (lambda p: p["checks"][0].update(found={}), "does not follow"),
        (lambda p: p.update(schema_version=5), "schema version"),
        (lambda p: p.pop("operator"), "not whole"),
        (lambda p: p.pop("program"), "which program"),
        (lambda p: (p["artefacts"].pop(0), judged(p)), "release manifest 0 times"),
        (lambda p: (p["artefacts"].append(p["artefacts"][0]), judged(p)), "release manifest 2 times"),
        (lambda p: p["phases"][0].update(start="yesterday"), "cannot be read"),
        (lambda p: p["phases"][0].update(start="2026-01-01T00:00:00"), "cannot be read"),
        (lambda p: p["phases"][1].update(start="2026-01-01T00:10:02+00:00"), "clock was set"),
        (lambda p: p.update(t_failure="2025-12-31T00:00:00+00:00"), "did not happen while"),
        (lambda p: p.update(drill_id="20260201t000000-ab12"), "did not begin when"),
        (tomorrow, "in the future"),
    ],
)
def test_evidence_that_does_not_fit_together_proves_nothing_whoever_signed_it(
    keep: Callable[..., Path], trust: Trust, change: Change, says: str
) -> None:
    found = verify_file(keep(before=change), trust)
    assert any(says in problem for problem in found.problems), found.problems


def test_evidence_about_another_stack_does_not_prove_this_one(keep: Callable[..., Path], trust: Trust) -> None:
    assert verify_file(keep(), trust, "prod-aws").problems == ("it is about dev-aws, not about prod-aws",)


def test_subjects_other_than_the_drills_prove_nothing(
    tmp_path: Path, evidence: Predicate, signer: Signing, trust: Trust
) -> None:
    other = (Subject("release manifest", {"sha256": "ee" * 32}), *subjects(evidence)[1:])
    (tmp_path / "e.json").write_text(json.dumps(sealed(Statement(other, PREDICATE_TYPE, evidence), signer)))
    assert verify_file(tmp_path / "e.json", trust).problems == (
        "the statement's subjects are not what the drill was about",
    )


def test_evidence_of_schema_3_is_refused_by_name(tmp_path: Path, trust: Trust) -> None:
    (tmp_path / "old.json").write_text('{"schema_version": 3, "verdict": "proven", "signature": ""}')
    with pytest.raises(UnreadableError, match="schema version 3"):
        verify_file(tmp_path / "old.json", trust)


def test_markdown_says_that_it_is_emulated(evidence: Predicate) -> None:
    assert "mode: **emulated** (times are not those of a real cloud)" in markdown(evidence)


def test_markdown_names_every_artefact_and_the_state_of_the_program(evidence: Predicate) -> None:
    text = markdown(evidence)
    assert all(digest in text for each in evidence["artefacts"] for digest in each["digest"].values())
    assert "the deployed stack is what it makes" in text
    differing = {**evidence, "program": {**evidence["program"], "differs": ["bucket: versioning"]}}
    assert "differs from it: bucket: versioning" in markdown(differing)


def test_a_drill_that_could_not_go_on_still_leaves_signed_evidence(
    tmp_path: Path, evidence: Predicate, signer: Signing, trust: Trust
) -> None:
    failure = {"what": "the replica is empty", "where": "s3://b", "remedy": "Look at its rule.", "phase": "wait"}
    failed = {**evidence, "failure": failure, "checks": [], "controls": []}
    judged(failed)
    as_json, as_markdown = write(signed(failed, signer), failed, signer.name, tmp_path / "out")
    assert "the replica is empty" in verify_file(as_json, trust).problems[0]
    assert "in the phase 'wait'" in as_markdown.read_text(encoding="utf-8")


def test_markdown_has_every_check_and_control(evidence: Predicate) -> None:
    text = markdown(evidence)
    assert all(f"| {check['name']} |" in text for check in evidence["checks"])
    assert all(control["fault"] in text for control in evidence["controls"])


# The command.


@pytest.fixture
def verify(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Runs `seawall drill --verify …`, as somebody without a file of allowed signers; exit code and output."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    def run(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["seawall", "drill", "--verify", *map(str, arguments)])
        code, printed = cli.run(), capsys.readouterr()
        return code, printed.out + printed.err

    return run


def test_the_command_ends_with_0_for_what_is_proven(
    verify: Callable[..., Any], keep: Callable[..., Path], signer: Signing
) -> None:
    code, printed = verify(keep(), "--signer", signer.name)
    assert (code, ": proven" in printed, signer.name in printed) == (0, True, True)


def test_the_command_takes_the_allowed_signers_of_the_user(
    verify: Callable[..., Any], keep: Callable[..., Path], signer: Signing, tmp_path: Path
) -> None:
    allowed = tmp_path / "config" / "seawall" / "allowed-signers"
    allowed.parent.mkdir(parents=True)
    allowed.write_text(f"me {signer.name}\n")
    assert verify(keep())[0] == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"before": lambda p: (p["checks"].pop(0), judged(p))},
        {"before": lambda p: p.update(verdict="not proven")},
        {"after": payload_changed(lambda p: p["predicate"].update(mode="real"))},
    ],
    ids=["not-proven", "does-not-follow", "changed"],
)
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_the_command_ends_with_1_for_what_is_not_proven_or_forged(
    verify: Callable[..., Any],
    keep: Callable[..., Path],
    signer: Signing,
    changes: dict[str, Change],
    more: tuple[str, ...],
) -> None:
    code, printed = verify(keep(**changes), "--signer", signer.name, *more)
    assert code == 1
    if more:
        assert json.loads(printed)["verdict"] in ("not proven", "refused")


def test_the_command_ends_with_1_for_a_signer_that_is_not_trusted(
    verify: Callable[..., Any], keep: Callable[..., Path]
) -> None:
    code, printed = verify(keep(), "--signer", "SHA256:" + "0" * 64)
    assert (code, "nobody here trusts" in printed) == (1, True)


def test_the_command_ends_with_1_for_another_stack(
    verify: Callable[..., Any], keep: Callable[..., Path], signer: Signing
) -> None:
    assert verify(keep(), "--stack", "prod-aws", "--signer", signer.name)[0] == 1


def test_the_command_ends_with_2_where_nobody_is_trusted(
    verify: Callable[..., Any], keep: Callable[..., Path]
) -> None:
    code, printed = verify(keep())
    assert (code, "nobody is trusted" in printed, "--signer" in printed) == (2, True, True)


@pytest.mark.parametrize("content", [None, "", "{", "{}", '{"schema_version": 3}'])
def test_the_command_ends_with_2_for_what_cannot_be_read(
    verify: Callable[..., Any], tmp_path: Path, signer: Signing, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "file.json").write_text(content)
    code, printed = verify(tmp_path / "file.json", "--signer", signer.name)
    assert (code, "Traceback" in printed) == (2, False)


def test_the_command_ends_with_2_for_evidence_that_was_cut_off(
    verify: Callable[..., Any], keep: Callable[..., Path], signer: Signing
) -> None:
    path = keep()
    path.write_bytes(path.read_bytes()[:-20])
    assert verify(path, "--signer", signer.name)[0] == 2
