"""A stack that is not up is refused before anything is started, and remedies name the target that was used."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.console import Steps
from common.errors import UserError
from ops.deployed import TargetName, addressed, open_stack
from ops.drill.local import drill_local


@pytest.mark.parametrize("target", ["local", "cloud"])
def test_a_command_in_a_remedy_has_the_stack_and_the_target_that_were_used(target: TargetName) -> None:
    told = addressed(
        "See `seawall models list STACK`, or `seawall models rollback STACK --to VERSION`.", "dev-aws", target
    )
    where = f"dev-aws --target {target}"
    assert told == f"See `seawall models list {where}`, or `seawall models rollback {where} --to VERSION`."


@pytest.fixture
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which there is no local stack, no key and no evidence."""
    monkeypatch.setenv("SEAWALL_LOCAL", str(tmp_path / "local"))
    monkeypatch.setenv("SEAWALL_SIGNING_KEY", str(tmp_path / "key.pem"))
    return tmp_path


@pytest.mark.parametrize("writes", [True, False])
def test_a_stack_that_is_not_up_is_refused_and_nothing_is_left_behind(
    nothing: Path, steps: Steps, writes: bool
) -> None:
    with (
        pytest.raises(UserError, match="the stack is not up") as refused,
        open_stack("dev-aws", "local", steps, writes=writes),
    ):
        pass
    assert refused.value.remedy == "Run `seawall local up dev-aws` first."
    assert not list(nothing.iterdir()) and not steps.done


def test_a_drill_of_a_stack_that_is_not_up_makes_no_key(nothing: Path, steps: Steps) -> None:
    with pytest.raises(UserError, match="the stack is not up"):
        drill_local("dev-aws", nothing / "out", steps)
    assert not list(nothing.iterdir()) and not steps.done
