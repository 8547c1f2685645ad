"""`seawall preflight` as it is called."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from common.attestation.signers import open_signer
from common.console import Steps
from common.errors import UserError
from common.paths import repo_root
from common.target import REAL_CLOUD, Target
from localcloud.aws.emulator import AwsEmulator
from localcloud.emulators import StackPlace
from ops.cli import build_app
from ops.models.releases import publish
from ops.preflight.asked import aws_questions, gcp_questions
from ops.preflight.aws.places import bucket_names, key_aliases
from ops.preflight.aws.reader import AwsReader
from ops.preflight.command import ask
from ops.preflight.gcp.places import bucket_names as gcp_bucket_names
from ops.preflight.gcp.places import key_rings
from ops.preflight.gcp.reader import GcpReader
from ops.preflight.model import CHECKS, Finding, Status
from ops.preflight.releases import judged_release
from ops.preflight.wanted import Release, Wanted
from tests.ops.preflight.conftest import aws_files, gcp_files
from tests.ops.preflight.recorded import RecordedAws, RecordedGcp, aws_answers, gcp_answers, serving


def test_without_a_stack_it_says_which_there_are() -> None:
    result = CliRunner().invoke(build_app(["preflight"]), ["preflight"])
    assert isinstance(result.exception, UserError)
    assert "seawall preflight dev-aws" in result.exception.remedy


def test_an_unknown_check_is_refused_with_those_there_are() -> None:
    result = CliRunner().invoke(build_app(["preflight"]), ["preflight", "dev-aws", "--only", "quota"])
    assert isinstance(result.exception, UserError)
    assert "quotas" in result.exception.remedy


def test_only_the_checks_that_are_named_are_asked(gcp: Wanted, steps: Steps) -> None:
    with serving(RecordedGcp(gcp_answers(gcp))) as target:
        report = ask(gcp.inventory, gcp_files(gcp), target, steps, only=("addresses", "quotas"))
    assert {check.id for check in report.answered} == {"addresses", "quotas"}


def test_every_check_has_an_id_and_every_id_a_check(aws: Wanted, gcp: Wanted) -> None:
    with serving(RecordedGcp(gcp_answers(gcp))) as target:
        asked = gcp_questions(GcpReader(target, gcp.account), gcp, gcp_files(gcp)).checks
    on_aws = aws_questions(RecordedAws(aws_answers(aws)).reader(), aws, aws_files(aws), None).checks
    assert {check.id for check in (*asked, *on_aws)} == set(CHECKS)


def test_without_credentials_aws_cannot_be_asked(aws: Wanted, steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with pytest.raises(UserError, match="Unable to locate credentials"):
        ask(aws.inventory, aws_files(aws), REAL_CLOUD, steps)


def test_a_cloud_that_is_out_of_reach_cannot_be_asked(gcp: Wanted, steps: Steps) -> None:
    nowhere = Target("local", "emulated", gcp_endpoint_url="http://127.0.0.1:9")
    with pytest.raises(UserError, match="cannot be reached"):
        ask(gcp.inventory, gcp_files(gcp), nowhere, steps)


def test_a_whole_preflight_of_a_recorded_cloud_is_one_report(gcp: Wanted, steps: Steps) -> None:
    with serving(RecordedGcp(gcp_answers(gcp))) as target:
        report = ask(gcp.inventory, gcp_files(gcp), target, steps)
    told = json.loads(json.dumps(report.to_json(allow_unknown=True)))
    assert (told["stack"], told["counts"]["missing"], told["exit_code"]) == ("dev-gcp", 0, 0)


def test_the_local_aws_is_read_as_the_real_one(aws: Wanted, tmp_path: Path) -> None:
    """Through the emulator's own protocol: a name that is free, one that is the account's, a key that is going."""
    emulator = AwsEmulator(StackPlace("dev-aws", aws.region, aws.backup_region, aws.account), tmp_path)
    emulator.start(None)
    try:
        from common.aws_api import aws_session

        target = emulator.target()
        session = aws_session(target)
        kms = session.client("kms", region_name=aws.region, endpoint_url=target.aws_endpoint_url)
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName="alias/seawall-dev-data", TargetKeyId=key)
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        reader = AwsReader(session, target.aws_endpoint_url)
        names = {f.subject: f for f in bucket_names(reader, aws)}
        aliases = {f.subject: f for f in key_aliases(reader, aws)}
    finally:
        emulator.stop()
    assert {f.detail for f in names.values()} == {"free"}
    assert aliases[f"alias/seawall-dev-data in {aws.region}"].status is Status.MISSING
    assert aliases[f"alias/seawall-dev-cluster in {aws.region}"].status is Status.OK


def test_the_local_google_cloud_is_read_as_the_real_one(gcp: Wanted, cloud_storage: str) -> None:
    reader = GcpReader(Target("local", "emulated", gcp_endpoint_url=cloud_storage), gcp.account)
    found = [*gcp_bucket_names(reader, gcp), *key_rings(reader, gcp)]
    assert found and {f.status for f in found} == {Status.OK}


def test_a_release_with_the_pinned_manifest_is_ok() -> None:
    content = b"{}"
    pinned = Release("1.0.1", hashlib.sha256(content).hexdigest())
    assert judged_release("dev-aws", pinned, "models", lambda _: content).status is Status.OK


@pytest.fixture
def bucket(tmp_path: Path, store: Any) -> tuple[Any, str]:
    """A bucket with a signed release, and its signer's fingerprint."""
    signer = open_signer(str(tmp_path / "publisher.pem"))
    publish(store, repo_root() / "serving_image" / "model_repository", "1.0.1", signing=signer)
    return store, signer.name


def judged_in(store: Any, signers: tuple[str, ...]) -> Finding:
    digest = hashlib.sha256(store.objects["releases/1.0.1/manifest.json"]).hexdigest()
    return judged_release("dev-aws", Release("1.0.1", digest, signers), "models", store.objects.get)


def test_a_release_that_a_trusted_key_signed_is_ok(bucket: tuple[Any, str]) -> None:
    store, signer = bucket
    assert judged_in(store, (signer,)).status is Status.OK


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda o: o.pop("releases/1.0.1/attestation.json"), "is not signed"),
        (lambda o: o.update({"releases/1.0.1/attestation.json": b"{}"}), "no pod serves it"),
    ],
    ids=["gone", "unreadable"],
)
def test_a_release_without_its_signature_is_missing(
    bucket: tuple[Any, str], spoil: Callable[[dict[str, bytes]], object], says: str
) -> None:
    store, signer = bucket
    spoil(store.objects)
    found = judged_in(store, (signer,))
    assert (found.status, says in found.detail) == (Status.MISSING, True)


def test_a_release_that_a_stranger_signed_is_missing(bucket: tuple[Any, str]) -> None:
    assert judged_in(bucket[0], ("SHA256:" + "0" * 64,)).status is Status.MISSING
