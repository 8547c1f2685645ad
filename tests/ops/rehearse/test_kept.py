"""The last rehearsal that can be read is the one that other reports show."""

from __future__ import annotations

import json
from pathlib import Path

from ops.rehearse.kept import newest
from ops.rehearse.model import SCHEMA_VERSION


def keep(out: Path, when: str, *, stack: str = "dev-aws", ok: bool = True, version: int = SCHEMA_VERSION) -> None:
    folder = out / f"rehearsal-{stack}-{when}"
    folder.mkdir(parents=True)
    document = {
        "schema_version": version,
        "stack": stack,
        "kubernetes": "1.35.4",
        "verdict": "passed" if ok else "failed",
        "began": when,
        "checks": [{"area": "zones", "name": "the minimum stays", "ok": ok, "seen": "1 of 3"}],
        "not_judged": ["kubelets"],
    }
    (folder / "rehearsal.json").write_text(json.dumps(document), encoding="utf-8")
    (folder / "rehearsal.svg").write_text("<svg/>", encoding="utf-8")


def test_the_newest_of_the_stack_is_taken(tmp_path: Path) -> None:
    keep(tmp_path, "20261120T000000Z")
    keep(tmp_path, "20261121T000000Z", ok=False)
    keep(tmp_path, "20261122T000000Z", stack="dev-gcp")
    found = newest(tmp_path, "dev-aws")
    assert found is not None
    assert (found.began, found.verdict, found.failed) == (
        "20261121T000000Z",
        "failed",
        ("the minimum stays: 1 of 3",),
    )
    assert found.picture.startswith("data:image/svg+xml;base64,")


def test_what_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    keep(tmp_path, "20261120T000000Z")
    keep(tmp_path, "20261121T000000Z", version=SCHEMA_VERSION + 1)
    (tmp_path / "rehearsal-dev-aws-20261122T000000Z").mkdir()
    (tmp_path / "rehearsal-dev-aws-20261123T000000Z").mkdir()
    (tmp_path / "rehearsal-dev-aws-20261123T000000Z" / "rehearsal.json").write_text("{", encoding="utf-8")
    found = newest(tmp_path, "dev-aws")
    assert found is not None and found.began == "20261120T000000Z"


def test_without_a_rehearsal_there_is_none(tmp_path: Path) -> None:
    assert newest(tmp_path, "dev-aws") is None
