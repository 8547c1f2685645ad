"""A demo's folders: two demos never meet, reports appear whole, and abandoned folders go."""

from __future__ import annotations

import os
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ops.demo.folders import HOME_PREFIX, Home, ReportFolder, new_demo_id
from ops.demo.model import State

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LONG_AGO = time.time() - 3600


@pytest.fixture
def report(tmp_path: Path) -> ReportFolder:
    return ReportFolder(tmp_path / "out", "demo-dev-aws-1")


def test_two_demos_of_one_second_have_different_names() -> None:
    names = {new_demo_id("dev-aws", NOW) for _ in range(50)}
    assert len(names) == 50
    assert all(name.startswith("demo-dev-aws-20260102T030405Z-") for name in names)


def test_a_report_is_hidden_until_it_is_whole(report: ReportFolder, tmp_path: Path) -> None:
    report.write("result.json", {"a": 1})
    assert not list((tmp_path / "out").glob("demo-*"))
    folder = report.publish(State.PASSED)
    assert folder == tmp_path / "out" / "demo-dev-aws-1"
    assert (folder / "result.json").read_text() == '{\n "a": 1\n}\n'
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["demo-dev-aws-1"]


@pytest.mark.parametrize(
    ("ending", "suffix"),
    [(State.PASSED, ""), (State.FOUND, ""), (State.FAILED, "-failed"), (State.INTERRUPTED, "-interrupted")],
)
def test_the_folders_name_says_if_it_is_not_of_a_whole_demo(report: ReportFolder, ending: State, suffix: str) -> None:
    assert report.publish(ending).name == f"demo-dev-aws-1{suffix}"


def test_a_discarded_report_leaves_nothing(report: ReportFolder, tmp_path: Path) -> None:
    report.write("result.json", "{}")
    report.discard()
    assert not list((tmp_path / "out").iterdir())


def test_a_published_report_survives_a_discard(report: ReportFolder) -> None:
    folder = report.publish(State.PASSED)
    report.discard()
    assert folder.is_dir()


def test_logs_of_the_local_cloud_outlive_it(report: ReportFolder, tmp_path: Path) -> None:
    home = Home(tmp_path)
    log = home.path / "dev-aws" / "emulator" / "server.log"
    log.parent.mkdir(parents=True)
    log.write_text("it said\n")
    report.keep(home.logs())
    assert home.remove()
    assert (report.logs / "emulator-server.log").read_text() == "it said\n"
    assert report.files() == {"logs/emulator-server.log"}


def test_two_homes_are_two_folders_and_go_alone(tmp_path: Path) -> None:
    one, other = Home(tmp_path), Home(tmp_path)
    assert one.remove()
    assert other.path.is_dir()
    assert other.remove()
    assert not list(tmp_path.iterdir())


def test_temporary_files_of_a_demo_go_with_its_home(tmp_path: Path) -> None:
    home, before = Home(tmp_path), tempfile.gettempdir()
    with home.holds_temporary_files():
        made = Path(tempfile.mkdtemp())
    assert made.is_relative_to(home.path)
    assert home.remove() and not made.exists()
    assert tempfile.gettempdir() == before


def test_the_folder_of_a_killed_demo_is_removed_by_the_next(tmp_path: Path) -> None:
    left = tmp_path / f"{HOME_PREFIX}left"
    (left / "dev-aws").mkdir(parents=True)
    os.utime(left, (LONG_AGO, LONG_AGO))
    home = Home(tmp_path)
    assert not left.exists()
    home.remove()


def test_the_folder_of_a_running_demo_stays_however_old(tmp_path: Path) -> None:
    home = Home(tmp_path)
    os.utime(home.path, (LONG_AGO, LONG_AGO))
    Home(tmp_path).remove()
    assert home.path.is_dir()
    home.remove()


@pytest.mark.parametrize(("name", "age_s"), [(f"{HOME_PREFIX}new", 0), ("mine", 3600)])
def test_a_folder_that_is_being_made_or_of_another_stays(tmp_path: Path, name: str, age_s: int) -> None:
    (tmp_path / name).mkdir()
    made = time.time() - age_s
    os.utime(tmp_path / name, (made, made))
    Home(tmp_path).remove()
    assert (tmp_path / name).is_dir()
