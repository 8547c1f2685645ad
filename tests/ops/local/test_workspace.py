"""A command on a local stack counts as a whole: it is kept when it ends in order, and taken back when it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from common.errors import UserError
from ops.local.workspace import Workspace, find_workspace

STATE = Path("live/state/.pulumi/stacks/seawall/dev-aws.json")


@pytest.fixture
def workspace(project: Any, tmp_path: Path) -> Workspace:
    return find_workspace("dev-aws", project.root, tmp_path / "home")


def write_state(workspace: Workspace, text: str) -> None:
    """What an engine and a provider would write."""
    file = workspace.folder / STATE
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    workspace.store_file.write_text(text)


def read_state(workspace: Workspace) -> tuple[str, str]:
    return (workspace.folder / STATE).read_text(), workspace.store_file.read_text()


def command(workspace: Workspace, text: str) -> None:
    """A command that ends in order."""
    workspace.begin()
    write_state(workspace, text)
    workspace.commit(workspace.new_snapshot())


def test_a_command_that_ended_in_order_is_kept(workspace: Workspace) -> None:
    command(workspace, "one")
    assert workspace.begin() is False
    assert read_state(workspace) == ("one", "one")


def test_a_killed_command_is_taken_back(workspace: Workspace) -> None:
    command(workspace, "one")
    workspace.begin()
    write_state(workspace, "half of two")
    assert workspace.begin() is True
    assert read_state(workspace) == ("one", "one")


def test_a_killed_first_command_leaves_nothing(workspace: Workspace) -> None:
    workspace.begin()
    write_state(workspace, "half of one")
    assert workspace.begin() is True
    assert not (workspace.folder / STATE).exists()
    assert not workspace.store_file.exists()


def test_a_command_killed_while_it_saved_is_taken_back(workspace: Workspace) -> None:
    command(workspace, "one")
    workspace.begin()
    write_state(workspace, "two")
    workspace.new_snapshot()
    assert workspace.begin() is True
    assert read_state(workspace) == ("one", "one")


def test_only_the_newest_snapshot_takes_space(workspace: Workspace) -> None:
    for text in ("one", "two", "three"):
        command(workspace, text)
    assert [p.name for p in (workspace.folder / "snapshots").iterdir()] == ["000003"]


def test_a_stale_lock_of_an_engine_is_removed(workspace: Workspace) -> None:
    lock = workspace.backend / ".pulumi" / "locks" / "dev-aws" / "stale.json"
    lock.parent.mkdir(parents=True)
    lock.write_text("{}")
    workspace.begin()
    assert not lock.exists()


def test_the_copied_project_names_the_checkouts_program_and_our_providers(workspace: Workspace, project: Any) -> None:
    workspace.copy_project()
    copied = YAML(typ="safe").load((workspace.project / "Pulumi.yaml").read_text())
    assert copied["main"] == f"{project.root / 'program'}/"
    assert [p["name"] for p in copied["plugins"]["providers"]] == ["aws", "gcp", "kubernetes"]


def test_the_salt_of_the_states_secrets_is_kept(workspace: Workspace, project: Any) -> None:
    workspace.copy_project()
    workspace.config_file.write_text(f"encryptionsalt: v1:salt\n{workspace.config_file.read_text()}")
    workspace.copy_project()
    assert "encryptionsalt: v1:salt" in workspace.config_file.read_text()
    assert "encryptionsalt" not in (project.root / "config" / "Pulumi.dev-aws.yaml").read_text()


def test_removing_a_stack_leaves_no_folder(workspace: Workspace) -> None:
    command(workspace, "one")
    workspace.remove()
    assert not workspace.folder.exists()


def test_an_unknown_stack_is_refused_with_the_known_ones(project: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        find_workspace("dev-azure", project.root, tmp_path)
    assert "dev-aws" in refused.value.remedy


def test_a_folder_that_is_no_checkout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="missing"):
        find_workspace("dev-aws", tmp_path, tmp_path)


def test_a_stack_that_another_version_kept_is_refused(workspace: Workspace) -> None:
    command(workspace, "one")
    (workspace.folder / "current" / "format").write_text("1")
    with pytest.raises(UserError, match="another version") as refused:
        workspace.check_format()
    assert "--force" in refused.value.remedy


def test_a_stack_of_this_version_is_served(workspace: Workspace) -> None:
    command(workspace, "one")
    workspace.check_format()
