"""An error of the operating system is said as what happened, where, and what to do."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from common.errors import UserError
from common.os_errors import as_user_error, require_space

REAL = ("ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "ENOENT", "ENOTDIR", "EMFILE", "EFBIG", "EIO", "EXDEV")


@pytest.mark.parametrize("name", REAL)
def test_every_error_has_its_place_and_a_remedy_in_whole_sentences(name: str) -> None:
    number = getattr(errno, name)
    told = as_user_error(OSError(number, os.strerror(number), "/some/file"))
    assert told.where == "/some/file"
    assert os.strerror(number).lower() in told.what.lower()
    assert told.remedy[0].isupper() and told.remedy.endswith(".") and "{" not in told.remedy


@pytest.mark.parametrize("variable", ["SEAWALL_LOCAL", "SEAWALL_CACHE", "SEAWALL_OUT"])
def test_the_remedy_names_the_variable_that_moves_the_folder(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "moved"))
    told = as_user_error(OSError(errno.EROFS, "Read-only file system", str(tmp_path / "moved" / "x")))
    assert f"set {variable} to another folder" in told.remedy


def test_a_tree_that_could_not_be_copied_is_said_with_its_reason(tmp_path: Path) -> None:
    error = shutil.Error([("a", str(tmp_path / "b"), "[Errno 28] No space left on device: 'b'")])
    told = as_user_error(error)
    assert (told.what, told.where) == ("the disk is full (No space left on device)", str(tmp_path / "b"))


def test_too_little_space_is_refused_with_both_numbers(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="1 MiB are free, 64 MiB are needed") as refused:
        require_space(tmp_path / "not" / "made" / "yet", 64 * 2**20, free=lambda _: 2**20)
    assert refused.value.where == str(tmp_path / "not" / "made" / "yet")
    assert not list(tmp_path.iterdir())


def test_enough_space_is_no_obstacle(tmp_path: Path) -> None:
    require_space(tmp_path / "not" / "made" / "yet", 1)
