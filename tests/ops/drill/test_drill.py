"""A drill proves a sound stack, and fails one whose copies are configured wrongly, on both clouds, for real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from common.console import Steps
from common.gcp_api import GcpApi
from common.paths import repo_root
from ops.deployed import open_bucket, read_outputs
from ops.drill.local import drill_session
from ops.drill.reading import answers
from ops.features.loads import load
from ops.features.rows import load_rows
from ops.features.store import FeatureStore
from ops.local.session import LocalCloud, open_local
from ops.models.publishing import publish_signed
from stacks.outputs import StackOutputs

pytestmark = [pytest.mark.engine, pytest.mark.triton]
SHORT_PATIENCE_S = 3.0

Deployed = Callable[[str, Path], Path]


def outputs_of(local: LocalCloud) -> StackOutputs:
    return read_outputs(local.workspace.stack, local.outputs(), "local")


@pytest.fixture(scope="module")
def published(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes a local home in which a stack is up and has a published release and features."""

    def publish(stack: str) -> Path:
        home = deployed(stack, tmp_path_factory.mktemp(stack))
        with open_local(stack, Steps(), home=home) as local:
            store = open_bucket(outputs_of(local).model_bucket, local.target)
            publish_signed(store, repo_root() / "serving_image" / "model_repository", "1.0.1", local.target)
            outputs = outputs_of(local)
            hours = outputs.feature_store.entry_ttl_hours
            load(FeatureStore.of(outputs), local.target, load_rows(), hours)
        return home

    return publish


@pytest.fixture(scope="module")
def aws_home(published: Callable[[str], Path]) -> Path:
    return published("dev-aws")


@pytest.fixture(scope="module")
def gcp_home(published: Callable[[str], Path]) -> Path:
    return published("dev-gcp")


@pytest.fixture
def aws(aws_home: Path) -> Iterator[LocalCloud]:
    with open_local("dev-aws", Steps(), home=aws_home, keep=False) as local:
        yield local


@pytest.fixture
def gcp(gcp_home: Path) -> Iterator[LocalCloud]:
    with open_local("dev-gcp", Steps(), home=gcp_home, keep=False) as local:
        yield local


def failure_of(found: dict[str, Any]) -> str:
    assert found["verdict"] == "not proven" and found["failure"] is not None
    return found["findings"][0]


@pytest.mark.xdist_group("drill-aws")
def test_a_sound_stack_on_aws_is_proven(aws: LocalCloud, tmp_path: Path) -> None:
    found = drill_session(aws, tmp_path, Steps())
    assert (found["findings"], found["verdict"], found["mode"]) == ([], "proven", "emulated")
    assert len(answers(found)) == 2


@pytest.mark.xdist_group("drill-gcp")
def test_a_sound_stack_on_google_cloud_is_proven(gcp: LocalCloud, tmp_path: Path) -> None:
    found = drill_session(gcp, tmp_path, Steps())
    assert (found["findings"], found["verdict"], found["mode"]) == ([], "proven", "emulated")


@pytest.mark.xdist_group("drill-aws")
def test_a_disabled_replication_rule_fails_the_drill(aws: LocalCloud, tmp_path: Path) -> None:
    bucket = outputs_of(aws).model_bucket.name
    s3 = aws_client(aws, "s3")
    rules = s3.get_bucket_replication(Bucket=bucket)["ReplicationConfiguration"]
    rules["Rules"][0]["Status"] = "Disabled"
    s3.put_bucket_replication(Bucket=bucket, ReplicationConfiguration=rules)
    assert "replica" in failure_of(drill_session(aws, tmp_path, Steps(), patience_s=SHORT_PATIENCE_S))


@pytest.mark.xdist_group("drill-aws")
def test_a_backup_plan_without_copies_fails_the_drill(aws: LocalCloud, tmp_path: Path) -> None:
    backup = aws_client(aws, "backup")
    [plan] = backup.list_backup_plans()["BackupPlansList"]
    rules = backup.get_backup_plan(BackupPlanId=plan["BackupPlanId"])["BackupPlan"]
    for rule in rules["Rules"]:
        rule.pop("CopyActions", None)
        rule.pop("RuleId", None)
    rules.pop("AdvancedBackupSettings", None)
    backup.update_backup_plan(BackupPlanId=plan["BackupPlanId"], BackupPlan=rules)
    assert "recovery point" in failure_of(drill_session(aws, tmp_path, Steps(), patience_s=SHORT_PATIENCE_S))


@pytest.mark.xdist_group("drill-gcp")
def test_a_copy_job_that_leaves_the_models_out_fails_the_drill(gcp: LocalCloud, tmp_path: Path) -> None:
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
    assert "replica" in failure_of(drill_session(gcp, tmp_path, Steps(), patience_s=SHORT_PATIENCE_S))


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
