"""Both ways to fetch are measured where the disk cannot decide."""

from __future__ import annotations

from pathlib import Path

from ops.bench.fetching import scratch_parent
from ops.bench.transfer import Load


def test_a_load_that_fits_is_moved_in_memory(tmp_path: Path) -> None:
    assert scratch_parent(Load("little", 1, 1), tmp_path) == tmp_path


def test_a_load_that_does_not_fit_is_moved_where_temporary_files_lie(tmp_path: Path) -> None:
    assert scratch_parent(Load("all", 2**20, 2**40), tmp_path) is None


def test_a_system_without_such_a_folder_uses_the_usual_place(tmp_path: Path) -> None:
    assert scratch_parent(Load("little", 1, 1), tmp_path / "none") is None
