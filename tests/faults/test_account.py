"""In an account a drill restores aside, as its own identity, and leaves the stack as it is; so do killed ones."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from common.console import Steps
from ops.drill.account import drill_account
from ops.drill.clouds import drill_cloud
from ops.features.rows import load_rows
from ops.features.store import write_rows
from tests.faults.harness import Stand, serve_stand_in, stand

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("faults-aws")]
PROGRAM = {"commit": "", "uncommitted_changes": False, "deployed_sha256": "", "resources": 0, "differs": []}


def environment(standing: Stand) -> dict[str, str]:
    """What leads to the emulated account as to a real one: endpoint variables, and nothing of the local cloud's."""
    target = standing.target
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GOOGLE_", "SEAWALL_"))}
    if target.aws_endpoint_url:
        return {**kept, "AWS_ENDPOINT_URL": target.aws_endpoint_url}
    return {**kept, "SEAWALL_GCP_ENDPOINT_URL": str(target.gcp_endpoint_url)}


def copied(standing: Stand) -> None:
    """Features are loaded, and the newest copies have reached the backup region."""
    cloud = drill_cloud(standing.outputs, standing.target)
    hours = standing.outputs.feature_store.entry_ttl_hours
    write_rows(cloud.feature_store, standing.target, load_rows(), hours)
    began = datetime.now(UTC).replace(microsecond=0)
    cloud.hurry_copies()
    for _ in range(100):
        if cloud.recovery_point(began) is not None and {o.key for o in cloud.primary.list()} <= {
            o.key for o in cloud.replica.list()
        }:
            return
        time.sleep(0.1)
    raise AssertionError("no copy came")


def drilled(standing: Stand) -> dict[str, Any]:
    return drill_account(
        standing.outputs,
        standing.settings,
        standing.folder,
        Steps(),
        program=PROGRAM,
        environ=environment(standing),
        serve=serve_stand_in,
    )


@pytest.mark.parametrize("stack", ["dev-aws", "dev-gcp"])
def test_a_sound_account_is_proven(stack: str, kept: Callable[[str], Path]) -> None:
    with stand(stack, kept(stack)) as standing:
        copied(standing)
        told = drilled(standing)
    assert (told["findings"], told["verdict"], told["mode"]) == ([], "proven", "emulated")
