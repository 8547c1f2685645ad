"""The real engine: only the reviewed plan is deployed, drift stops it, and no secret is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import boto3
import pytest

from common.console import Steps
from common.errors import UserError
from common.gcp_api import GcpApi
from ops.deployed import read_outputs
from ops.deploying.drift import find_drift
from ops.deploying.driver import LocalDriver, last_update
from ops.deploying.preview import Preview, read_preview
from ops.gates.plan import Plan, differences
from ops.local.session import LocalCloud, open_local

pytestmark = [pytest.mark.engine]

Opened = Callable[[], AbstractContextManager[LocalCloud]]
SECRET = "hunter2-canary"


def preview(driver: LocalDriver, saved: Path) -> Preview:
    """The engine's preview of now."""
    told = driver.pulumi("preview", "--json", "--refresh", "--save-plan", str(saved), "--show-secrets")
    assert SECRET not in told
    return read_preview(told, json.loads(saved.read_text()))


def plan(driver: LocalDriver, saved: Path) -> Plan:
    """What would be done now."""
    return Plan(driver.stack, "engine", preview(driver, saved).steps, (), "", last_update(driver))


def up(driver: LocalDriver, saved: Path) -> None:
    """The update that is held to a saved plan."""
    driver.pulumi("up", "--yes", "--refresh", "--plan", str(saved))


def test_only_the_reviewed_plan_is_deployed(running: Any, opened: Opened, tmp_path: Path) -> None:
    saved = tmp_path / "plan.json"
    with opened() as local:
        driver = LocalDriver("dev-aws", local)
        assert plan(driver, saved).is_empty and not find_drift(driver).drifted

        running.change('description="models"', f'description=pulumi.Output.secret("{SECRET}")')
        reviewed = plan(driver, saved)
        assert [(step.op, step.urn.rsplit("::", 1)[-1]) for step in reviewed.steps] == [("update", "data")]
        assert SECRET not in json.dumps(reviewed.to_json())
        assert plan(driver, saved).fingerprint == reviewed.fingerprint, "the same plan twice is one plan"

        running.change(SECRET, "another-secret")
        assert plan(driver, tmp_path / "other.json").fingerprint != reviewed.fingerprint
        with pytest.raises(UserError, match="violates plan: properties changed: ~~description") as violated:
            up(driver, saved)
        assert SECRET not in str(violated.value) and "another-secret" not in str(violated.value)
        running.change("another-secret", SECRET)

        s3 = boto3.client(
            "s3",
            endpoint_url=local.target.aws_endpoint_url,
            region_name="eu-west-1",
            aws_access_key_id=local.target.environment.get("AWS_ACCESS_KEY_ID", "x"),
            aws_secret_access_key=local.target.environment.get("AWS_SECRET_ACCESS_KEY", "x"),
        )
        s3.put_bucket_versioning(Bucket="models-of-a-test", VersioningConfiguration={"Status": "Suspended"})
        found = find_drift(driver)
        assert [each.urn.rsplit("::", 1)[-1] for each in found.drifted] == ["models"]
        drifted = plan(driver, tmp_path / "drifted.json")
        assert drifted.fingerprint != reviewed.fingerprint
        assert any("models" in line for line in differences(reviewed, drifted))
        s3.put_bucket_versioning(Bucket="models-of-a-test", VersioningConfiguration={"Status": "Enabled"})
        assert plan(driver, saved).fingerprint == reviewed.fingerprint, "what was put back is no drift"

        before = last_update(driver)
        up(driver, saved)
        assert last_update(driver) != before, "an update uses an approval up"
        assert plan(driver, saved).is_empty


def test_on_google_cloud_drift_stops_a_reviewed_plan_and_an_update_puts_it_right(
    deployed: Callable[[str, Path], Path], tmp_path: Path
) -> None:
    saved = tmp_path / "plan.json"
    with open_local("dev-gcp", Steps(), home=deployed("dev-gcp", tmp_path / "stacks"), keep=False) as local:
        driver = LocalDriver("dev-gcp", local)
        reviewed = plan(driver, saved)
        assert reviewed.is_empty and not find_drift(driver).drifted

        bucket = read_outputs("dev-gcp", local.outputs(), "local").model_bucket.name
        api = GcpApi(local.target, local.settings.account)
        api.patch("storage", f"storage/v1/b/{bucket}", {"versioning": {"enabled": False}})
        (found,) = find_drift(driver).drifted
        assert found.urn.endswith("::models") and any("versioning" in path for path, _, _ in found.changes)
        now = preview(driver, saved)
        drifted = Plan("dev-gcp", "engine", now.steps, (), "", last_update(driver))
        assert drifted.fingerprint != reviewed.fingerprint
        assert any("models" in line for line in differences(reviewed, drifted))
        assert [seen.action for seen in now.seen.values()] == ["changed"]
        assert any("provider" in option for step in now.steps for option in step.options)

        up(driver, saved)
        assert not find_drift(driver).drifted and plan(driver, saved).is_empty
