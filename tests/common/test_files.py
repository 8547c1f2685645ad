"""A file is written whole or not at all, and what cannot be written is refused before the work."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.errors import UserError
from common.files import check_writable, write_whole


def test_what_was_there_stays_if_the_new_text_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(tmp_path / "report", "half a surrogate: \ud800")
    assert [path.name for path in tmp_path.iterdir()] == ["report"]
    assert (tmp_path / "report").read_text() == "old"


def test_an_error_names_the_file_and_not_its_scratch(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError) as refused:
        write_whole(tmp_path / "file" / "report", "text")
    assert str(tmp_path / "file" / "report") in str(refused.value)


def test_a_device_stays_a_device() -> None:
    write_whole(Path("/dev/null"), "text")
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize(("name", "what"), [("none/x", "does not exist"), (".", "is a folder"), ("f/x", "not exist")])
def test_what_cannot_be_written_is_refused(tmp_path: Path, name: str, what: str) -> None:
    (tmp_path / "f").write_text("")
    with pytest.raises(UserError, match=what):
        check_writable(tmp_path / name)
