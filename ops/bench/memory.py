"""Measures how much memory a drill takes for large objects: none of them may be held whole."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Final

from common.paths import repo_root
from common.target import Target as CloudTarget
from ops.bench.measure import child
from ops.bench.model import Result, Sample, Series, Target
from ops.bench.transfer import PRIMARY, REGION, emulator, plain_client
from ops.objects.s3 import S3ObjectStore

LARGE_BYTES: Final = 2 * 2**30
MOST: Final = Target("at most", round(400 * 2**20 / 1e6), "MB")
"""400 MiB."""
RESTORED: Final = "bench-restored"


def measure_memory(bytes_each: int = LARGE_BYTES) -> list[Result]:
    """The peak of one process that does a drill's work on one object of this size and a small one."""
    with tempfile.TemporaryDirectory(prefix="seawall-bench-") as made, emulator(Path(made)) as target:
        sample = peak(target, Path(made), bytes_each)
    what = f"seawall: drill of an object of {bytes_each // 2**20} MiB"
    return [Result("memory of a drill", "peak resident memory", sample.peak_mb, MOST, (Series(what, (sample,)),))]


def peak(target: CloudTarget, folder: Path, bytes_each: int) -> Sample:
    """What a process used that read, copied, compared and controlled an object of this size.

    Raises:
        UserError: a check failed in it.
    """
    client = plain_client(target)
    for bucket in (PRIMARY, RESTORED):
        client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    store, large = S3ObjectStore(PRIMARY, REGION, target), folder / "large"
    with large.open("wb") as file:
        file.truncate(bytes_each)
    store.put_file("large", large)
    store.put("small", b"small")
    large.unlink()
    command = [sys.executable, "-m", "ops.bench.holding", str(target.aws_endpoint_url), REGION, PRIMARY, RESTORED]
    return child(command, cwd=repo_root())
