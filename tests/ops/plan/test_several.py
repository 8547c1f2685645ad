"""Planning several stacks at once."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from common.errors import UserError
from ops.plan import planner, several
from ops.plan.several import answer, by_cloud, plan_stacks
from policies.inventory import Inventory


def test_what_is_planned_elsewhere_is_what_is_planned_here() -> None:
    stacks = ("prod-gcp", "dev-aws", "dev-gcp")
    assert plan_stacks(stacks) == tuple(planner.plan_stack(stack) for stack in stacks)


def test_no_cloud_shares_its_process_with_another() -> None:
    assert by_cloud(["dev-aws", "dev-gcp", "prod-aws"]) == {"aws": ["dev-aws", "prod-aws"], "gcp": ["dev-gcp"]}


def test_stacks_of_one_cloud_start_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(several, "_Worker", lambda stacks: pytest.fail(f"a process for {stacks}"))
    planned: list[str] = []
    monkeypatch.setattr(planner, "plan_stack", lambda stack: planned.append(stack) or Inventory(stack, {}, (), {}))
    plan_stacks(["dev-aws", "prod-aws"])
    assert planned == ["dev-aws", "prod-aws"]


def test_a_machine_with_one_core_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    monkeypatch.setattr(several, "_Worker", lambda stacks: pytest.fail(f"a process for {stacks}"))
    monkeypatch.setattr(planner, "plan_stack", lambda stack: Inventory(stack, {}, (), {}))
    assert [inventory.stack for inventory in plan_stacks(["dev-aws", "dev-gcp"])] == ["dev-aws", "dev-gcp"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_a_process_that_is_stopped_with_its_command_is_an_interrupt_and_no_fault(number: signal.Signals) -> None:
    worker = several._Worker([several.Job("dev-gcp")])  # pyright: ignore[reportPrivateUsage]
    worker._process.send_signal(number)  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(KeyboardInterrupt):
        worker.inventories()


def test_an_error_elsewhere_is_told_as_one_here() -> None:
    with pytest.raises(UserError) as here:
        planner.plan_stack("dev-gpc")
    worker = several._Worker([several.Job("dev-gpc")])
    with pytest.raises(UserError) as elsewhere:
        worker.inventories()
    assert str(elsewhere.value) == str(here.value)


def test_a_worker_answers_with_the_error_that_stopped_it() -> None:
    assert answer(["dev-gpc"])["error"]["what"] == "there is no stack 'dev-gpc'"


def test_a_folder_of_the_user_s_cannot_take_the_program_s_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops" / "__init__.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    assert several._Worker([]).inventories() == []


def test_an_error_here_leaves_no_process_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[several._Worker] = []

    class Watched(several._Worker):
        def __init__(self, jobs: Sequence[several.Job]) -> None:
            super().__init__(jobs)
            made.append(self)

    def refuse(stack: str) -> Inventory:
        raise UserError("no", stack, "none")

    monkeypatch.setattr(several, "_Worker", Watched)
    monkeypatch.setattr(planner, "plan_stack", refuse)
    with pytest.raises(UserError):
        plan_stacks(["dev-aws", "dev-gcp"])
    assert [worker._process.poll() is not None for worker in made] == [True]
