"""What an older version saved is refused whole; else calls would fail later, each by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from localcloud.aws.state import AwsState

ACCOUNT = "111122223333"


def test_what_this_version_saved_is_read(tmp_path: Path) -> None:
    AwsState(ACCOUNT).save(tmp_path / "state")
    AwsState(ACCOUNT).load(tmp_path / "state")


@pytest.mark.parametrize("left_out", ["endpoints", "unknown_keys", "history"])
def test_a_state_without_what_this_version_keeps_is_refused(tmp_path: Path, left_out: str) -> None:
    older = AwsState(ACCOUNT)
    delattr(older.overlay, left_out)
    older.save(tmp_path / "state")
    with pytest.raises(ValueError, match="another version"):
        AwsState(ACCOUNT).load(tmp_path / "state")
