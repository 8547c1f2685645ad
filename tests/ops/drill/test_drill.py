"""A drill proves a sound stack, and fails one whose copies are configured wrongly, on both clouds, for real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from common.console import Steps
from common.gcp_api import GcpApi
from common.paths import repo_root
from ops.deployed import open_bucket, read_outputs
from ops.drill import local as drilling
from ops.drill.model import Evidence, FailedDrill
from ops.local.session import LocalCloud, open_local
from ops.models import releases
from stacks.outputs import StackOutputs

pytestmark = [pytest.mark.engine, pytest.mark.triton]
SHORT_PATIENCE_S = 3.0


def outputs_of(local: LocalCloud) -> StackOutputs:
    return read_outputs(local.workspace.stack, local.outputs(), "local")


def deployed(stack: str, home: Path) -> Path:
    """A local home in which `stack` is up and has a published release."""
    steps = Steps()
    with open_local(stack, steps, home=home) as local:
        local.up()
        store = open_bucket(outputs_of(local).model_bucket, local.target)
        releases.publish(store, repo_root() / "serving_image" / "model_repository", "v1")
    return home


@pytest.fixture(scope="module")
def aws_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return deployed("dev-aws", tmp_path_factory.mktemp("aws"))


@pytest.fixture(scope="module")
def gcp_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return deployed("dev-gcp", tmp_path_factory.mktemp("gcp"))


@pytest.fixture
def aws(aws_home: Path) -> Iterator[LocalCloud]:
    with open_local("dev-aws", Steps(), home=aws_home, keep=False) as local:
        yield local


@pytest.fixture
def gcp(gcp_home: Path) -> Iterator[LocalCloud]:
    with open_local("dev-gcp", Steps(), home=gcp_home, keep=False) as local:
        yield local


def failed_finding(found: Evidence | FailedDrill) -> str:
    assert isinstance(found, FailedDrill)
    [finding] = found.findings
    return finding


@pytest.mark.xdist_group("drill-aws")
def test_a_sound_stack_on_aws_is_proven(aws: LocalCloud, tmp_path: Path) -> None:
    found = drilling.drill_session(aws, tmp_path, Steps())
    assert isinstance(found, Evidence)
    assert (found.findings, found.mode, [c.detected for c in found.controls]) == ((), "emulated", [True, True])
    assert all(probe.passed for probe in found.app_probe) and len(found.app_probe) == 2


@pytest.mark.xdist_group("drill-gcp")
def test_a_sound_stack_on_google_cloud_is_proven(gcp: LocalCloud, tmp_path: Path) -> None:
    found = drilling.drill_session(gcp, tmp_path, Steps())
    assert isinstance(found, Evidence)
    assert (found.findings, found.mode, [c.detected for c in found.controls]) == ((), "emulated", [True, True])


@pytest.mark.xdist_group("drill-aws")
def test_a_disabled_replication_rule_fails_the_drill(
    aws: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drilling, "PATIENCE_S", SHORT_PATIENCE_S)
    bucket = outputs_of(aws).model_bucket.name
    s3 = aws_client(aws, "s3")
    rules = s3.get_bucket_replication(Bucket=bucket)["ReplicationConfiguration"]
    rules["Rules"][0]["Status"] = "Disabled"
    s3.put_bucket_replication(Bucket=bucket, ReplicationConfiguration=rules)
    assert "replica" in failed_finding(drilling.drill_session(aws, tmp_path, Steps()))


@pytest.mark.xdist_group("drill-aws")
def test_a_backup_plan_without_copies_fails_the_drill(
    aws: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drilling, "PATIENCE_S", SHORT_PATIENCE_S)
    backup = aws_client(aws, "backup")
    [plan] = backup.list_backup_plans()["BackupPlansList"]
    rules = backup.get_backup_plan(BackupPlanId=plan["BackupPlanId"])["BackupPlan"]
    for rule in rules["Rules"]:
        rule.pop("CopyActions", None)
        rule.pop("RuleId", None)
    rules.pop("AdvancedBackupSettings", None)
    backup.update_backup_plan(BackupPlanId=plan["BackupPlanId"], BackupPlan=rules)
    assert "recovery point" in failed_finding(drilling.drill_session(aws, tmp_path, Steps()))


@pytest.mark.xdist_group("drill-gcp")
def test_a_copy_job_that_leaves_the_models_out_fails_the_drill(
    gcp: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drilling, "PATIENCE_S", SHORT_PATIENCE_S)
    outputs = outputs_of(gcp)
    api = GcpApi(gcp.target, outputs.account)
    spec = {
        "gcsDataSource": {"bucketName": outputs.model_bucket.name},
        "gcsDataSink": {"bucketName": outputs.model_replica.name},
        "objectConditions": {"includePrefixes": ["elsewhere/"]},
    }
    job = outputs.model_replica.copy_job
    name = job if job.startswith("transferJobs/") else f"transferJobs/{job}"
    api.patch(
        "storagetransfer",
        f"v1/{name}",
        {
            "projectId": outputs.account,
            "transferJob": {"transferSpec": spec},
            "updateTransferJobFieldMask": "transferSpec",
        },
    )
    assert "replica" in failed_finding(drilling.drill_session(gcp, tmp_path, Steps()))


def aws_client(local: LocalCloud, service: str) -> Any:
    """A client of the primary region."""
    environment = local.target.environment
    known: Any = service  # the stubs know each service by a literal of its own
    return boto3.client(
        known,
        region_name=local.settings.region,
        endpoint_url=local.target.aws_endpoint_url,
        aws_access_key_id=environment.get("AWS_ACCESS_KEY_ID", "local"),
        aws_secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY", "local"),
    )
