"""However a demo ends: the exit code, the folder that it leaves, and that it leaves nothing else."""

from __future__ import annotations

import json
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from common.errors import UserError
from common.paths import repo_root
from ops import cli
from ops.demo import run
from ops.demo.model import Step
from ops.demo.stages import Act, Demo
from stacks.files import platform_names, stack_names


def well(_demo: Demo, step: Step) -> None:
    step.result = "well"


def finds(_demo: Demo, step: Step) -> None:
    step.findings = ("something is wrong",)


def cannot(demo: Demo, _step: Step) -> None:
    raise UserError("the thing is missing", str(demo.report.logs / "thing.log"), "get one")


def crashes(_demo: Demo, _step: Step) -> None:
    raise KeyError("oops")


def interrupted(_demo: Demo, _step: Step) -> None:
    os.kill(os.getpid(), signal.SIGINT)
    signal.pause()


def terminated(_demo: Demo, _step: Step) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    signal.pause()


def fails_because_interrupted(demo: Demo, step: Step) -> None:
    """As when a Ctrl-C reaches a child first, whose end is an error to its caller."""
    try:
        interrupted(demo, step)
    except KeyboardInterrupt:
        raise UserError("the child ended", "child", "start it again") from None


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that private homes are made in."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def demo(tmp_path: Path, temporary: Path) -> Iterator[Callable[..., int]]:
    """Runs a demo of the given acts instead of the real ones, and checks that its private home is gone."""

    def start(*acts: Act, **options: Any) -> int:
        stages = [(f"s{n}", f"Step {n}", act) for n, act in enumerate(acts)]
        # The process is the test runner's: what else runs below it is none of the demo's.
        return run.run_demo("dev-aws", tmp_path / "out", stages=stages, end_leftovers=lambda: (), **options)

    yield start
    assert not list(temporary.iterdir())


def folders(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "out").iterdir())


def result(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))


def test_a_demo_that_went_well_leaves_a_report(demo: Callable[..., int], tmp_path: Path) -> None:
    assert demo(well, well) == 0
    (folder,) = folders(tmp_path)
    assert (folder / "report.html").is_file()
    assert [step["state"] for step in result(folder)["steps"]] == ["passed", "passed"]


def test_the_result_names_every_file_beside_it(demo: Callable[..., int], tmp_path: Path) -> None:
    demo(well)
    (folder,) = folders(tmp_path)
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(result(folder)["files"]) == there


def test_a_finding_ends_in_1_and_the_demo_goes_on(demo: Callable[..., int], tmp_path: Path) -> None:
    assert demo(finds, well) == 1
    (folder,) = folders(tmp_path)
    assert [step["state"] for step in result(folder)["steps"]] == ["found something", "passed"]


def test_a_step_that_cannot_run_ends_the_demo(demo: Callable[..., int], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the thing is missing"):
        demo(well, cannot, well)
    (folder,) = folders(tmp_path)
    assert folder.name.endswith("-failed")
    assert [step["state"] for step in result(folder)["steps"]] == ["passed", "could not run", "not reached"]


def test_an_error_names_the_log_where_it_lies_afterwards(demo: Callable[..., int], tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        demo(cannot)
    (folder,) = folders(tmp_path)
    assert caught.value.where == str(folder / "logs" / "thing.log")


def test_a_fault_of_ours_is_told_plainly_and_kept(demo: Callable[..., int], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a fault in Seawall itself: KeyError") as caught:
        demo(crashes)
    assert "in crashes" in Path(caught.value.where).read_text(encoding="utf-8")


@pytest.mark.parametrize("act", [interrupted, terminated, fails_because_interrupted])
def test_an_interrupt_ends_in_130_and_says_what_was_done(
    demo: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str], act: Act
) -> None:
    assert demo(well, act, well) == 130
    (folder,) = folders(tmp_path)
    assert folder.name.endswith("-interrupted")
    assert "interrupted, 1 of 3 steps" in capsys.readouterr().out


def test_signals_do_what_they_did_before_once_a_demo_has_ended(demo: Callable[..., int]) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    demo(interrupted)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_second_interrupt_does_not_disturb_the_cleaning_up(demo: Callable[..., int]) -> None:
    def twice(demo: Demo, step: Step) -> None:
        demo.opened.callback(os.kill, os.getpid(), signal.SIGINT)
        interrupted(demo, step)

    assert demo(twice) == 130


def test_json_is_the_only_thing_on_standard_output(
    demo: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    demo(well, as_json=True)
    printed = json.loads(capsys.readouterr().out)
    assert (printed["ending"], Path(printed["folder"]).is_dir()) == ("passed", True)


def test_a_misspelt_stack_is_refused_before_anything_is_written(tmp_path: Path, temporary: Path) -> None:
    with pytest.raises(UserError, match="there is no stack 'dev-awz'") as caught:
        run.run_demo("dev-awz", tmp_path / "out")
    assert "Did you mean dev-aws" in caught.value.remedy
    assert [path.name for path in tmp_path.iterdir()] == ["tmp"]


def test_a_folder_that_cannot_be_written_is_refused_at_once(tmp_path: Path, temporary: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="reports cannot be written"):
        run.run_demo("dev-aws", tmp_path / "file")
    assert not list(temporary.iterdir())


def test_help_has_an_example() -> None:
    assert "seawall demo dev-gcp" in CliRunner().invoke(cli.build_app(), ["demo", "--help"]).output


def test_a_store_that_the_local_cloud_only_records_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    yaml = YAML(typ="safe")
    settings = yaml.load((repo_root() / "stacks" / "config" / "Pulumi.dev-gcp.yaml").read_text())
    settings["config"]["seawall:settings"]["feature_store"] = {"kind": "firestore"}
    yaml.dump(settings, tmp_path / "Pulumi.dev-gcp.yaml")
    project = yaml.load((repo_root() / "Pulumi.yaml").read_text())
    yaml.dump(project | {"stackConfigDir": "."}, tmp_path / "Pulumi.yaml")
    with pytest.raises(UserError, match="only records a firestore feature store") as refused:
        run.settings_to_show("dev-gcp", tmp_path)
    assert refused.value.where == "dev-gcp: feature_store.kind"


def test_every_committed_platform_can_be_shown() -> None:
    for stack in platform_names():
        run.settings_to_show(stack, repo_root())


def test_a_stack_that_prepares_an_account_has_no_demo() -> None:
    for stack in set(stack_names()) - set(platform_names()):
        with pytest.raises(UserError, match=f"{stack} prepares an account, and serves nothing"):
            run.settings_to_show(stack, repo_root())
