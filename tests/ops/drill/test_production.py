"""What stands before the loss is verified, so that nothing broken is "restored"."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common.attestation.signers import Signing, open_signer
from common.attestation.trust import Trust
from common.paths import repo_root
from ops.drill.before import objects_in
from ops.drill.judging import failure
from ops.drill.production import release_checks, rows_check
from ops.features.rows import Row
from ops.models import releases
from ops.models.trusting import trust_of

NOW_S = 1_000_000_000
SOUND = Row("[1.0]", NOW_S + 60)


@pytest.fixture
def signer(tmp_path: Path) -> Signing:
    return open_signer(str(tmp_path / "publisher.pem"))


@pytest.fixture
def published(store: Any, signer: Signing) -> Any:
    """A bucket with two signed releases."""
    for version in ("1.0.1", "1.0.2"):
        releases.publish(store, repo_root() / "serving_image" / "model_repository", version, signing=signer)
    return store


def failed(store: Any, trust: Trust | None = None) -> set[str]:
    objects = {item.key: item for item in objects_in(store)}
    manifest = releases.read_manifest(store, "1.0.2") if "releases/1.0.2/manifest.json" in store.objects else None
    pinned = manifest.sha256 if manifest else "00"
    return {check.name for check in release_checks(store, objects, {"1.0.2": pinned}, trust) if failure(check)}


def forge_manifest(objects: dict[str, bytes]) -> None:
    manifest = json.loads(objects["releases/1.0.1/manifest.json"])
    manifest["files"] = manifest["files"][1:]
    objects["releases/1.0.1/manifest.json"] = json.dumps(manifest).encode()


def test_sound_releases_pass(published: Any) -> None:
    assert failed(published) == set()


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda o: o.update({"releases/1.0.1/repository/classifier/1/model.onnx": b"other"}), "release.intact"),
        (lambda o: o.pop("releases/1.0.1/repository/classifier/1/model.onnx"), "release.intact"),
        (lambda o: o.update({"releases/1.0.2/repository/extra/1/model.onnx": b"x"}), "release.intact"),
        (forge_manifest, "release.claim"),
        (lambda o: o.update({"releases/1.0.1/manifest.json": b"{"}), "release.intact"),
        (lambda o: o.pop("releases/1.0.1/manifest.json"), "release.previous"),
        (lambda o: o.pop("releases/1.0.2/manifest.json"), "release.pinned"),
        (lambda o: o.update({"releases/1.0.2/claim.json": b'{"manifest_sha256": "00"}'}), "release.claim"),
        (lambda o: o.pop("releases/1.0.2/claim.json"), "release.claim"),
        (lambda o: o.update({"current.json": b"{"}), "release.pointer"),
        (lambda o: o.pop("current.json"), "release.pointer"),
    ],
)
def test_a_release_that_is_not_as_published_is_named(
    published: Any, spoil: Callable[[dict[str, bytes]], object], named: str
) -> None:
    spoil(published.objects)
    assert named in failed(published)


def test_signed_releases_pass(published: Any, signer: Signing) -> None:
    assert failed(published, trust_of("dev-aws", (signer.name,))) == set()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda o: o.pop("releases/1.0.2/attestation.json"),
        lambda o: o.pop("releases/1.0.1/attestation.json"),
        lambda o: o.update({"releases/1.0.2/attestation.json": b"{}"}),
        lambda o: o.update({"releases/1.0.2/attestation.json": o["releases/1.0.1/attestation.json"]}),
    ],
    ids=["pinned-gone", "rollback-target-gone", "unreadable", "of-another-release"],
)
def test_a_release_without_its_signature_is_named(
    published: Any, signer: Signing, spoil: Callable[[dict[str, bytes]], object]
) -> None:
    spoil(published.objects)
    assert failed(published, trust_of("dev-aws", (signer.name,))) == {"release.signed"}


def test_releases_that_a_stranger_signed_are_named(published: Any) -> None:
    assert failed(published, trust_of("dev-aws", ("SHA256:" + "0" * 64,))) == {"release.signed"}


def test_a_release_outside_the_way_back_may_bear_an_old_key(published: Any, signer: Signing) -> None:
    releases.rollback(published, "1.0.1")
    published.objects["releases/1.0.2/attestation.json"] = b"{}"
    pinned = releases.read_manifest(published, "1.0.1")
    assert pinned is not None
    objects = {item.key: item for item in objects_in(published)}
    checks = release_checks(published, objects, {"1.0.1": pinned.sha256}, trust_of("dev-aws", (signer.name,)))
    assert not [check.name for check in checks if failure(check)]


@pytest.mark.parametrize(
    ("rows", "loaded", "says"),
    [
        ({"a": SOUND, "b": SOUND}, 2, ""),
        ({"a": SOUND, "old": Row("[1.0]", NOW_S - 60)}, 1, ""),
        ({}, 0, "at least 1"),
        ({"a": SOUND}, 2, "at least 2"),
        ({"a": Row("[1.0]", NOW_S - 60)}, 1, "at least 1"),
        ({"a": SOUND, "old": Row("[1.0]", NOW_S - 10 * 86_400)}, 1, "old overdue"),
        ({"a": SOUND, "b": Row("[1.0]")}, 1, "b without end"),
        ({"a": SOUND, "b": Row("[1.0", NOW_S + 60)}, 1, "b unreadable"),
    ],
)
def test_rows_that_are_gone_expired_endless_or_unreadable_are_named(
    rows: dict[str, Row], loaded: int, says: str
) -> None:
    found = failure(rows_check("t", rows, loaded, NOW_S))
    assert says in found if says else not found
