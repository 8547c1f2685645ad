"""Measures publishing and restoring, checksums and all, against plain boto3 on the same files and server."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config

from common.errors import UserError
from common.target import Target as CloudTarget
from components.contracts.vocabulary import Cloud
from localcloud.front import StackPlace, build_emulator
from ops.bench.measure import in_turns, timed
from ops.bench.model import Result, Sample, Target, speed_of
from ops.drill.judging import failure
from ops.drill.model import ExpectedObject
from ops.drill.restoring import check_objects, read_objects
from ops.models import releases
from ops.models.manifest import Manifest, build_manifest
from ops.objects import transfer
from ops.objects.s3 import S3ObjectStore

AS_FAST: Final = Target("at least", 1, "×")
REGION: Final = "eu-central-1"
PRIMARY: Final = "bench-models"
REPLICA: Final = "bench-replica"
NOISE_BYTES: Final = 64 * 1024 * 1024
"""Made at once; Python makes no more than 256 MiB."""
SOURCE_RELEASE: Final = "1.0.0"


@dataclass(frozen=True)
class Load:
    """A model repository to move: how many files, and how large each is."""

    name: str
    files: int
    bytes_each: int

    @property
    def size(self) -> int:
        """Of all files, in bytes."""
        return self.files * self.bytes_each


LOADS: Final = (Load("small files", 200, 16 * 1024), Load("large files", 8, 12 * 1024 * 1024))
"""One where the requests cost the time, and one where the bytes do (and every file travels in parts)."""


class Bench:
    """One load on a running emulator: each way to move it, by this project and by plain boto3."""

    def __init__(self, load: Load, folder: Path, target: CloudTarget) -> None:
        self._load = load
        self._source = write_repository(load, folder / "source")
        self._scratch = folder / "scratch"
        self._scratch.mkdir()
        self._numbers = count(1)
        self._target = target
        self._store = S3ObjectStore(PRIMARY, REGION, target)
        self._s3: Any = plain_client(target)
        for bucket in (PRIMARY, REPLICA):
            self._s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        releases.publish(S3ObjectStore(REPLICA, REGION, target), self._source, SOURCE_RELEASE)
        self._manifest: Manifest = build_manifest(self._source, SOURCE_RELEASE)
        self._keys = [releases.repository_prefix(SOURCE_RELEASE) + file.path for file in self._manifest.files]
        self._expected = tuple(
            ExpectedObject(key, file.size, file.sha256)
            for key, file in zip(self._keys, self._manifest.files, strict=True)
        )

    def publish(self) -> Sample:
        """A release: hash every file, send it with its checksum, list what arrived, write the manifest."""
        version = f"1.0.{next(self._numbers)}"
        sample = timed(lambda: releases.publish(self._store, self._source, version, switch=False))
        transfer.empty(self._store, releases.release_prefix(version))
        return sample

    def plain_upload(self) -> Sample:
        """The same files by `upload_file`, one after the other."""
        prefix = f"plain/{next(self._numbers)}/"

        def upload() -> None:
            for file in self._manifest.files:
                self._s3.upload_file(str(self._source / file.path), PRIMARY, prefix + file.path)

        sample = timed(upload)
        transfer.empty(self._store, prefix)
        return sample

    def download(self) -> Sample:
        """A release to a folder, every file checked against the manifest."""
        store = S3ObjectStore(REPLICA, REGION, self._target)
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            return timed(lambda: releases.download_release(store, self._manifest, Path(folder)))

    def plain_download(self) -> Sample:
        """The same objects by `download_file`, one after the other."""
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            return timed(lambda: self._download_plainly(REPLICA, Path(folder)))

    def restore(self) -> Sample:
        """As a drill does: copy inside the cloud into a new bucket, then read every object back and compare."""
        with self._new_bucket() as bucket:
            store = S3ObjectStore(bucket, REGION, self._target)

            def restore() -> None:
                transfer.copy(store, REPLICA, {key: key for key in self._keys})
                wrong = failure(check_objects(store, self._expected, read_objects(store, self._expected)))
                if wrong:
                    raise UserError(
                        wrong,
                        f"the restored bucket {bucket}",
                        "Run the bench again; if it says so again, the copy is at fault.",
                    )

            return timed(restore)

    def plain_restore(self) -> Sample:
        """The same by boto3: `copy` each object, then `download_file` it, and compare nothing."""
        with self._new_bucket() as bucket, tempfile.TemporaryDirectory(dir=self._scratch) as folder:

            def restore() -> None:
                for key in self._keys:
                    self._s3.copy({"Bucket": REPLICA, "Key": key}, bucket, key)
                self._download_plainly(bucket, Path(folder))

            return timed(restore)

    def _download_plainly(self, bucket: str, folder: Path) -> None:
        for key in self._keys:
            path = folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            self._s3.download_file(bucket, key, str(path))

    @contextmanager
    def _new_bucket(self) -> Iterator[str]:
        bucket = f"bench-restored-{next(self._numbers)}"
        self._s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield bucket
        transfer.empty(S3ObjectStore(bucket, REGION, self._target), "")
        self._s3.delete_bucket(Bucket=bucket)


def measure_transfers(repeats: int) -> list[Result]:
    """Publish, download and restore beside plain boto3, for small files and for large ones."""
    return [result for load in LOADS for result in _measure(load, repeats)]


def _measure(load: Load, repeats: int) -> Iterator[Result]:
    with tempfile.TemporaryDirectory(prefix="seawall-bench-") as scratch, emulator(Path(scratch)) as target:
        bench = Bench(load, Path(scratch), target)
        for name, compared, subject, baseline in (
            ("publish", "boto3 upload_file ÷ publish, checked", bench.publish, bench.plain_upload),
            ("download", "boto3 download_file ÷ download, checked", bench.download, bench.plain_download),
            ("restore", "boto3 copy + download_file ÷ copy, checked", bench.restore, bench.plain_restore),
        ):
            ours, plain = in_turns({f"seawall: {name}": subject, f"boto3: {name}": baseline}, repeats)
            yield speed_of(
                f"{name}, {load.files} × {told_size(load.bytes_each)}",
                compared,
                ours,
                plain,
                objects=load.files,
                size=load.size,
                target=AS_FAST,
            )


@contextmanager
def emulator(folder: Path) -> Iterator[CloudTarget]:
    """A fresh S3 server of the local cloud, for the length of a block."""
    place = StackPlace("bench", REGION, "eu-west-1", "111122223333")
    scratch = folder / "emulator"
    scratch.mkdir()
    server = build_emulator(Cloud.AWS, place, scratch)
    server.start(None)
    try:
        yield server.target()
    finally:
        server.stop()


def plain_client(target: CloudTarget) -> Any:
    """boto3's S3 client as it comes, pointed at the emulator."""
    return boto3.client(
        "s3",
        region_name=REGION,
        endpoint_url=target.aws_endpoint_url,
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - the emulator takes any
        config=Config(s3={"addressing_style": "path"}),
    )


def write_repository(load: Load, folder: Path) -> Path:
    """A model repository of `load`'s size, of bytes that do not compress, the same in every run."""
    noise = random.Random(load.files)  # noqa: S311 - bytes to move, not to keep secret
    models = max(1, load.files // 20)
    for number in range(load.files):
        model = folder / f"model-{number % models:02d}"
        name = "config.pbtxt" if number < models else f"1/part-{number:03d}.bin"
        path = model / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for start in range(0, load.bytes_each, NOISE_BYTES):
                file.write(noise.randbytes(min(NOISE_BYTES, load.bytes_each - start)))
    return folder


def told_size(size: int) -> str:
    """A size in words."""
    return f"{size // 2**20} MiB" if size >= 2**20 else f"{size // 2**10} KiB"
