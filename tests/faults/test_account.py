"""In an account a drill restores aside, as its own identity, and leaves the stack as it is; so do killed ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common.console import Steps
from common.errors import UserError
from components.contracts.naming import drill_name
from ops.drill.account import _kept as kept_by_a_keeper  # pyright: ignore[reportPrivateUsage]
from ops.drill.account import clean_up, drill_account
from ops.drill.clouds import drill_cloud
from ops.drill.ids import new_id
from tests.faults import aws_plants as plant
from tests.faults.harness import Stand, copied, serve_stand_in, stand

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("faults-aws")]
KILLED = """
import sys, time
from pathlib import Path
from common.console import Steps
from ops.drill.account import drill_account
from stacks.files import stack_file
from stacks.outputs import StackOutputs
from stacks.settings import Settings

def serve(*args, **named):
    print("serving", flush=True)
    time.sleep(600)

drill_account(
    StackOutputs.model_validate_json(sys.argv[1]), Settings.load(stack_file("dev-aws")), Path(sys.argv[2]),
    Steps(quiet=True), made_by={"commit": "", "deployed_sha256": ""}, types=(), serve=serve,
)
"""
"""A drill that stands still when everything is restored."""
PROGRAM = {"commit": "", "uncommitted_changes": False, "deployed_sha256": "", "resources": 0, "differs": []}


def environment(standing: Stand) -> dict[str, str]:
    """What leads to the emulated account as to a real one: endpoint variables, and nothing of the local cloud's."""
    target = standing.target
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GOOGLE_", "SEAWALL_"))}
    if target.aws_endpoint_url:
        return {**kept, "AWS_ENDPOINT_URL": target.aws_endpoint_url}
    return {**kept, "SEAWALL_GCP_ENDPOINT_URL": str(target.gcp_endpoint_url)}


def drilled(standing: Stand) -> dict[str, Any]:
    return drill_account(
        standing.outputs,
        standing.settings,
        standing.folder,
        Steps(),
        made_by=PROGRAM,
        types=["aws:s3/bucket:Bucket", "gcp:storage/bucket:Bucket"],
        environ=environment(standing),
        serve=serve_stand_in,
    )


@pytest.mark.parametrize("stack", ["dev-aws", "dev-gcp"])
def test_a_sound_account_is_proven(stack: str, kept: Callable[[str], Path]) -> None:
    with stand(stack, kept(stack)) as standing:
        copied(standing)
        told = drilled(standing)
    assert (told["findings"], told["verdict"], told["mode"]) == ([], "proven", "emulated")


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (plant.without_action("drill", "s3:DeleteObjectVersion"), "s3:DeleteObjectVersion"),
        (plant.without_action("drill", "dynamodb:DeleteTable"), "dynamodb:DeleteTable"),
        (plant.without_action("drill", "iam:PassRole"), "iam:PassRole"),
        (plant.trust("drill", "ec2.amazonaws.com"), "sts:AssumeRole"),
    ],
)
def test_whoever_lacks_a_right_is_refused_before_anything_is_made(
    harm: Callable[[Stand], None], told: str, kept: Callable[[str], Path]
) -> None:
    with stand("dev-aws", kept("dev-aws")) as standing:
        harm(standing)
        with pytest.raises(UserError) as refused:
            drilled(standing)
        assert told in f"{refused.value.what}"
        assert drill_cloud(standing.outputs, standing.target).drills() == {}


def test_something_called_like_a_drills_own_is_left_alone(kept: Callable[[str], Path]) -> None:
    with stand("dev-aws", kept("dev-aws")) as standing:
        s3, name = standing.aws("s3", far=True), f"{drill_name('dev')}of-somebody"
        s3.create_bucket(
            Bucket=name, CreateBucketConfiguration={"LocationConstraint": standing.outputs.backup_region}
        )
        with pytest.raises(UserError, match="is called like a drill's own"):
            drilled(standing)
        assert s3.head_bucket(Bucket=name)


def test_what_a_killed_drill_left_is_removed_by_its_keeper(kept: Callable[[str], Path]) -> None:
    with stand("dev-aws", kept("dev-aws")) as standing:
        copied(standing)
        drill = subprocess.Popen(
            [sys.executable, "-c", KILLED, standing.outputs.model_dump_json(), str(standing.folder)],
            env=environment(standing),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert drill.stdout is not None
        assert drill.stdout.readline() == "serving\n"
        drill.stdout.close()
        cloud = drill_cloud(standing.outputs, standing.target)
        [left] = cloud.drills().values()
        assert len(left) == 2
        drill.send_signal(signal.SIGKILL)
        drill.wait()
        until = time.monotonic() + 60
        while cloud.drills() and time.monotonic() < until:
            time.sleep(0.2)
        assert cloud.drills() == {}


def test_a_drill_that_fails_leaves_its_clean_up_to_its_keeper(kept: Callable[[str], Path]) -> None:
    with stand("dev-aws", kept("dev-aws")) as standing:
        cloud, drill_id = drill_cloud(standing.outputs, standing.target), new_id()
        with (
            pytest.raises(RuntimeError, match="halfway"),
            kept_by_a_keeper(standing.outputs, drill_id, environment(standing)),
        ):
            cloud.make_bucket(drill_id, standing.settings)
            assert len(cloud.drills()) == 1
            raise RuntimeError("halfway")
        assert cloud.drills() == {}


def test_a_drill_under_way_is_not_swept_and_an_old_one_is(kept: Callable[[str], Path]) -> None:
    with stand("dev-aws", kept("dev-aws")) as standing:
        s3, where = standing.aws("s3", far=True), standing.outputs.backup_region
        copied(standing)
        for drill_id in ("20200101t000000-abcd", new_id()):
            s3.create_bucket(
                Bucket=drill_name("dev", drill_id), CreateBucketConfiguration={"LocationConstraint": where}
            )
        with pytest.raises(UserError, match="is under way, or was killed"):
            drilled(standing)
        assert len(drill_cloud(standing.outputs, standing.target).drills()) == 1
        assert len(clean_up(standing.outputs, environment(standing))) == 1
        told = drilled(standing)
    assert (told["findings"], told["verdict"]) == ([], "proven")
