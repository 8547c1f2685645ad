"""What is moved, and that each way moves all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.bench.transfer import LOADS, Bench, Load, emulator, write_repository
from ops.models.manifest import build_manifest

SMALL = Load("small", 25, 100)


@pytest.mark.parametrize("load", [SMALL, LOADS[0]], ids=lambda load: load.name)
def test_a_load_is_a_model_repository_of_its_size(load: Load, tmp_path: Path) -> None:
    manifest = build_manifest(write_repository(load, tmp_path), "1.0.1")
    assert (len(manifest.files), manifest.size) == (load.files, load.size)


def test_a_load_is_the_same_in_every_run(tmp_path: Path) -> None:
    first, second = (build_manifest(write_repository(SMALL, tmp_path / name), "1.0.1") for name in ("a", "b"))
    assert first == second


def test_each_way_moves_the_load(tmp_path: Path) -> None:
    with emulator(tmp_path) as target:
        bench = Bench(SMALL, tmp_path, target)
        ways = (bench.publish, bench.plain_upload, bench.download, bench.plain_download, bench.restore)
        assert all(way().wall_s > 0 for way in (*ways, bench.plain_restore))
