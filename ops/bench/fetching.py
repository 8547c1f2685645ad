"""Measures fetching a release, every file verified, beside rclone's plain copy of the same objects."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from common.console import Steps
from common.paths import repo_root
from localcloud.front import ensure_rclone, ensure_serving_environment
from ops.bench.measure import child, in_turns
from ops.bench.model import Result, Sample, speed_of
from ops.bench.transfer import AS_FAST, Load, told_size, write_repository
from ops.models import releases
from ops.models.manifest import Manifest, build_manifest

REGION: Final = "eu-central-1"
VERSION: Final = "1.0.0"
SERVER: Final = Path(__file__).with_name("s3_server.py")
LOADS: Final = (Load("small files", 2000, 16 * 1024), Load("large files", 4, 512 * 1024 * 1024))
"""One where requests cost the time, and 2 GiB where bytes do."""
IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a fresh folder in it


class Bench:
    """One release in a bucket, and both ways to bring it to a folder."""

    def __init__(self, address: str, manifest: Manifest, scratch: Path, rclone: Path, python: Path) -> None:
        self._address = address
        self._manifest = manifest
        self._scratch = scratch
        self._rclone = rclone
        self._python = python

    def fetch(self) -> Sample:
        """As the init container of a pod: the program's start, listing, every file and its SHA-256."""
        with self._folder() as folder:
            return fetch_into(folder, self._address, self._manifest, self._python)

    def copy(self) -> Sample:
        """`rclone copy` with its own defaults."""
        with self._folder() as folder:
            source = f":s3:bench/{releases.repository_prefix(VERSION)}"
            command: list[str | Path] = [
                self._rclone, "copy", source, folder, f"--config={os.devnull}", "--s3-provider=Other",
                 f"--s3-endpoint={self._address}", "--s3-env-auth", f"--s3-region={REGION}",
            ]  # fmt: skip
            return child(command, env=_environment(self._address))

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            yield Path(folder)


def fetch_into(folder: Path, address: str, manifest: Manifest, python: Path) -> Sample:
    """Bring a release that `published` laid into a folder, as a pod does."""
    release = f"s3://bench/releases/{VERSION}"
    command: list[str | Path] = [
        python, "-m", "release_fetch", "--release", release, "--unsigned", "--region", REGION,
        "--manifest-sha256", manifest.sha256, "--into", folder,
    ]  # fmt: skip
    return child(command, env={**_environment(address), "PYTHONPATH": str(repo_root() / "serving_image")})


def _environment(address: str) -> dict[str, str]:
    keys = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_ENDPOINT_URL": address}
    return {**{name: value for name, value in os.environ.items() if not name.startswith("AWS_")}, **keys}


def published(repository: Path, bucket: Path) -> Manifest:
    """Move a model repository into the folder of a bucket, as a release."""
    manifest = build_manifest(repository, VERSION)
    release = bucket / releases.release_prefix(VERSION)
    release.mkdir(parents=True)
    shutil.move(repository, bucket / releases.repository_prefix(VERSION))
    (release / "manifest.json").write_bytes(manifest.to_json())
    return manifest


def measure_fetches(repeats: int, steps: Steps) -> list[Result]:
    """Small files and large ones."""
    rclone, python = ensure_rclone(steps), ensure_serving_environment(steps)
    return [_measure(load, repeats, rclone, python) for load in LOADS]


def _measure(load: Load, repeats: int, rclone: Path, python: Path) -> Result:
    with tempfile.TemporaryDirectory(prefix="seawall-bench-", dir=scratch_parent(load)) as scratch:
        bucket = Path(scratch) / "bucket"
        manifest = published(write_repository(load, Path(scratch) / "source"), bucket)
        with served(bucket) as address:
            bench = Bench(address, manifest, Path(scratch), rclone, python)
            ours, plain = in_turns({"seawall: fetch": bench.fetch, "rclone: copy": bench.copy}, repeats)
    name = f"fetch, {load.files} × {told_size(load.bytes_each)}"
    compared = "rclone copy ÷ fetch, checked"
    return speed_of(name, compared, ours, plain, objects=load.files, size=load.size, target=AS_FAST)


def scratch_parent(load: Load, memory: Path = IN_MEMORY) -> Path | None:
    """Memory, where the bucket and one copy have room twice over; else None, the usual place.

    When a disk writes out what the run before left is chance, and larger than what is measured.
    """
    try:
        has_room = shutil.disk_usage(memory).free > 4 * load.size and available_bytes() > 4 * load.size
    except OSError:
        return None
    return memory if has_room else None


def available_bytes() -> int:
    """Memory that can be taken without swapping. Raises OSError where the system does not tell."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), 0)


@contextmanager
def served(bucket: Path) -> Iterator[str]:
    """The address of a server of the folder, for the length of a block."""
    command: list[Any] = [sys.executable, "-I", SERVER, bucket]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            told = server.stdout.readline() if server.stdout else ""
            yield f"http://127.0.0.1:{int(told.rsplit(' ', 1)[1])}"
        finally:
            server.kill()
