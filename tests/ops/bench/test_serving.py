"""The bench's variant without batches, its percentiles, and the bucket that a fetch is measured on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from ops.bench.fetching import SERVER
from ops.bench.serving import percentile, without_batching
from ops.models.command import default_repository


@pytest.mark.parametrize("model", ["classifier", "feature_lookup"])
def test_the_variant_without_batches_differs_in_nothing_else(model: str) -> None:
    text = (default_repository() / model / "config.pbtxt").read_text()
    left = without_batching(text)
    assert "dynamic_batching" in text and "dynamic_batching" not in left
    start = text.index("dynamic_batching {")
    assert text.startswith(left[:start]) and text.endswith(left[start:])


@pytest.mark.parametrize(("percent", "value"), [(1, 1), (50, 50), (99, 99), (100, 100)])
def test_a_percentile_is_a_value_that_was_measured(percent: int, value: int) -> None:
    assert percentile([float(n) for n in range(100, 0, -1)], percent) == value


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[str]:
    """The address of a bucket with 1,500 objects."""
    for number in range(1500):
        (tmp_path / f"{number:04d}").write_bytes(bytes([number % 256]) * number)
    with subprocess.Popen([sys.executable, "-I", SERVER, tmp_path], stdout=subprocess.PIPE, text=True) as server:
        told = server.stdout.readline() if server.stdout else ""
        yield f"http://127.0.0.1:{told.rsplit(' ', 1)[1].strip()}/bench"
        server.kill()


def test_the_bucket_of_the_bench_lists_every_object_in_pages(bucket: str) -> None:
    first = requests.get(bucket, params={"list-type": "2", "prefix": ""}, timeout=5).text
    assert first.count("<Contents>") == 1000 and "<IsTruncated>true" in first
    token = first.split("<NextContinuationToken>")[1].split("<")[0]
    second = requests.get(bucket, params={"list-type": "2", "continuation-token": token}, timeout=5).text
    assert second.count("<Contents>") == 500 and "<IsTruncated>false" in second


def test_the_bucket_of_the_bench_gives_ranges(bucket: str) -> None:
    answer = requests.get(f"{bucket}/1000", headers={"Range": "bytes=10-19"}, timeout=5)
    assert (answer.status_code, answer.content) == (206, bytes([1000 % 256]) * 10)
    assert requests.get(f"{bucket}/none", timeout=5).status_code == 404
