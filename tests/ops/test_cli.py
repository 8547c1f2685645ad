"""How the command ends, whatever happens to it: exit codes, closed and full outputs, interrupts, completion, help."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from common.errors import EXIT_OUTPUT_CLOSED, Interrupted, when_interrupted
from ops import cli
from ops.cli import build_app, run
from stacks.settings import stack_names

SEAWALL = (sys.executable, "-P", "-m", "ops.cli")


def shell(script: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a line of bash, in which `seawall` is the command."""
    return subprocess.run(
        ["bash", "-c", f'seawall() {{ "{sys.executable}" -P -m ops.cli "$@"; }}; set -o pipefail; {script}'],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONWARNINGS": "", **(environment or {})},
    )


def test_a_reader_that_goes_away_is_not_found_something() -> None:
    ended = shell("seawall plan dev-aws | head -1")
    assert (ended.returncode, ended.stdout, ended.stderr) == (EXIT_OUTPUT_CLOSED, "dev-aws\n", "")


def test_help_for_a_reader_that_goes_away_is_not_found_something() -> None:
    ended = shell("seawall --help | true")
    assert (ended.returncode in (0, EXIT_OUTPUT_CLOSED), ended.stderr) == (True, "")


@pytest.mark.parametrize("command", ["seawall --version", "seawall plan dev-aws"])
def test_an_output_that_cannot_be_written_is_said(command: str) -> None:
    ended = shell(f"{command} > /dev/full")
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: the disk is full (No space left on device)\n  where:  standard output\n")


def test_an_output_that_was_closed_before_is_written_to_nowhere() -> None:
    ended = shell("seawall --version >&- 2>&-")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_a_locale_without_the_characters_gets_others() -> None:
    ended = shell("seawall plan dev-gcp", {"PYTHONIOENCODING": "ascii"})
    assert ended.returncode == 0
    assert "\n | " in ended.stdout and "\n ` " in ended.stdout and "?" not in ended.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_an_interrupted_command_says_so_without_a_trace(number: signal.Signals, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*SEAWALL, "check"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stderr is not None
    process.stderr.readline()  # it plans now
    time.sleep(0.3)
    os.killpg(process.pid, number)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said.strip().splitlines()[-1]) == (130, "interrupted: nothing was changed")
    assert "Traceback" not in said


def app_of(act: Callable[[], None]) -> typer.Typer:
    """The command line with `act` for its one command."""
    app = typer.Typer(cls=cli.Commands, pretty_exceptions_enable=False)
    app.callback()(lambda: None)
    app.command("plan")(act)
    return app


def end(act: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> int:
    """How a command that does `act` ends."""
    monkeypatch.setattr(sys, "argv", ["seawall", "plan"])
    return run(lambda: app_of(act))


def test_an_interrupt_says_what_became_of_the_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def act() -> None:
        with when_interrupted("half is done"), when_interrupted(lambda: "two thirds are done"):
            raise KeyboardInterrupt

    assert end(act, monkeypatch) == 130
    assert capsys.readouterr().err == "interrupted: two thirds are done\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_a_loop_whose_tasks_swallow_what_is_raised_in_them_is_interrupted_too(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deaf() -> None:
        with contextlib.suppress(BaseException):
            os.kill(os.getpid(), number)
            time.sleep(0)

    async def waits() -> None:
        task = asyncio.get_running_loop().create_task(deaf())
        await asyncio.sleep(60)
        await task

    def act() -> None:
        with asyncio.Runner() as runner:
            runner.run(waits())

    began = time.monotonic()
    assert end(act, monkeypatch) == 130
    assert time.monotonic() - began < 30


def test_what_is_said_first_of_an_interrupt_stays() -> None:
    with pytest.raises(Interrupted) as stopped, when_interrupted("outer"), when_interrupted("inner"):
        raise KeyboardInterrupt
    assert stopped.value.left == "inner"


@pytest.mark.parametrize("error", [BrokenPipeError(32, "Broken pipe"), PermissionError(13, "Permission denied", "x")])
def test_an_error_of_the_system_inside_a_command_could_not_run(
    error: OSError, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def act() -> None:
        raise error

    assert end(act, monkeypatch) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ") and "remedy: " in said and "Traceback" not in said


def test_a_fault_of_ours_could_not_run_and_never_found_something(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert end(lambda: [][1], monkeypatch) == 2
    assert "a fault in Seawall itself: IndexError" in capsys.readouterr().err


def completing(words: str) -> dict[str, str]:
    """What a shell asks with by way of the environment, after `words` and a blank-free beginning."""
    return {"_SEAWALL_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}


@pytest.mark.parametrize("words", ["plan", "plan -s", "check", "diff --base HEAD", "models list", "local up", "demo"])
def test_a_shell_completes_the_names_of_stacks(words: str) -> None:
    asked = CliRunner().invoke(build_app(), [], prog_name="seawall", env=completing(f"seawall {words} dev-"))
    assert asked.output.split() == [name for name in stack_names() if name.startswith("dev-")]


def test_the_installed_command_answers_a_shell() -> None:
    command, asked = Path(sys.executable).with_name("seawall"), {**os.environ, **completing("seawall plan prod-")}
    found = subprocess.run([command], env=asked, capture_output=True, text=True, check=True)
    assert found.stdout.split() == [name for name in stack_names() if name.startswith("prod-")]


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("command", [[], ["plan"], ["models"], ["models", "list"], ["local", "up"]], ids=" ".join)
def test_help_has_two_names_everywhere(command: list[str], flag: str) -> None:
    helped = CliRunner().invoke(build_app(), [*command, flag])
    assert helped.exit_code == 0 and "Usage:" in helped.output


def test_help_groups_the_commands_by_the_four_jobs() -> None:
    helped = CliRunner().invoke(build_app(), ["--help"], terminal_width=100).output
    titles = re.findall(r"─ (Bring up|Review|Run|Recover|Commands) ─|^│ (\w+) ", helped, re.MULTILINE)
    words = [title or command for title, command in titles]
    assert words == [
        *("Bring up", "demo", "preflight", "local", "engine", "rehearse"),
        *("Review", "plan", "check", "diff", "preview", "gates", "approve", "capacity", "render", "bandit"),
        *("Run", "deploy", "drift", "images", "models", "features", "variants", "upgrades"),
        *("Recover", "drill"),
    ]


def test_the_version_is_the_package_s() -> None:
    assert re.fullmatch(r"seawall \d+\.\d+\.\d+\n", CliRunner().invoke(build_app(), ["--version"]).output)
