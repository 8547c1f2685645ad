"""Releases are signed with where they come from, and nobody else's word on them counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common.attestation.problems import RefusedError
from common.attestation.signers import Signing, open_signer
from common.attestation.trust import Trust, trust_from
from common.errors import UserError
from ops.models import releases
from ops.models.command import default_repository
from ops.models.lineage import FILE_NAME, check_signer, provenance, read_lineage
from ops.models.manifest import build_manifest

Store = Any
MakeRepository = Callable[..., Path]


@pytest.fixture
def signer(tmp_path: Path) -> Signing:
    return open_signer(str(tmp_path / "publisher.pem"))


@pytest.fixture
def trust(signer: Signing) -> Trust:
    return trust_from([signer.name], None)


def test_this_projects_lineage_is_that_of_its_models() -> None:
    manifest = build_manifest(default_repository(), "1.0.1")
    lineage = read_lineage(default_repository().parent / FILE_NAME, manifest)
    assert lineage.metrics["held_out_accuracy"] > 0.9


def test_the_lineage_of_another_model_is_refused(make_repository: MakeRepository) -> None:
    manifest = build_manifest(make_repository(), "1.0.1")
    with pytest.raises(UserError, match="another model's"):
        read_lineage(default_repository().parent / FILE_NAME, manifest)


@pytest.mark.parametrize("content", [None, "", "{}", '{"schema_version": 1}'])
def test_a_lineage_that_is_not_whole_is_refused(
    tmp_path: Path, make_repository: MakeRepository, content: str | None
) -> None:
    if content is not None:
        (tmp_path / FILE_NAME).write_text(content)
    with pytest.raises(UserError, match="lineage"):
        read_lineage(tmp_path / FILE_NAME, build_manifest(make_repository(), "1.0.1"))


def test_a_release_states_who_published_it(
    store: Store, make_repository: MakeRepository, signer: Signing, trust: Trust
) -> None:
    releases.publish(store, make_repository(), "1.0.1", signing=signer)
    manifest = releases.read_manifest(store, "1.0.1")
    assert manifest is not None
    assert provenance(store, manifest, trust).signed_with == signer.name


def test_an_unsigned_release_is_signed_by_publishing_it_again(
    store: Store, make_repository: MakeRepository, signer: Signing, trust: Trust
) -> None:
    releases.publish(store, make_repository(), "1.0.1")
    with pytest.raises(UserError, match="not signed"):
        releases.rollback(store, "1.0.1", trust)
    assert not releases.publish(store, make_repository(), "1.0.1", signing=signer).is_new
    assert releases.rollback(store, "1.0.1", trust).version == "1.0.1"


def test_nobody_goes_back_to_a_release_that_an_attacker_signed(
    store: Store, make_repository: MakeRepository, tmp_path: Path, trust: Trust, signer: Signing
) -> None:
    releases.publish(store, make_repository("one"), "1.0.1", signing=open_signer(str(tmp_path / "attacker.pem")))
    releases.publish(store, make_repository("two"), "1.0.2", signing=signer)
    with pytest.raises(RefusedError, match="nobody here trusts"):
        releases.rollback(store, None, trust)
    pointer = releases.read_pointer(store)
    assert pointer is not None and pointer.version == "1.0.2"


def test_the_signature_of_one_release_is_none_of_another(
    store: Store, make_repository: MakeRepository, trust: Trust, signer: Signing
) -> None:
    for version in ("1.0.1", "1.0.2"):
        releases.publish(store, make_repository(version), version, signing=signer)
    store.objects["releases/1.0.1/attestation.json"] = store.objects["releases/1.0.2/attestation.json"]
    with pytest.raises(RefusedError, match="another content"):
        releases.rollback(store, "1.0.1", trust)


def test_a_complete_release_is_never_without_the_signature_it_was_published_with(
    store: Store, make_repository: MakeRepository, signer: Signing
) -> None:
    releases.publish(store, make_repository(), "1.0.1", signing=signer)
    written = [key for key in store.objects if key.startswith("releases/1.0.1/")]
    assert written.index("releases/1.0.1/attestation.json") < written.index("releases/1.0.1/manifest.json")
    assert (
        json.loads(store.objects["releases/1.0.1/attestation.json"])["payloadType"] == "application/vnd.in-toto+json"
    )


def test_a_release_cannot_be_signed_without_a_key() -> None:
    with pytest.raises(UserError, match="without a key"):
        check_signer("sigstore://me?issuer=https://issuer")
