"""The whole job as a newcomer runs it: the real engine and the real Triton, on the local cloud of each cloud."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from common.attestation.trust import trust_from
from ops.demo.board import Board
from ops.demo.model import State
from ops.drill.verifying import verify_file

pytestmark = [pytest.mark.engine, pytest.mark.triton, pytest.mark.xdist_group("demo")]

REPO = Path(__file__).resolve().parents[3]
TIMEOUT_S = 900
STEPS = 11
MARK = "SEAWALL_TEST_MARK"


@dataclass
class Place:
    """Folders of one or more demos, and the mark that all their processes inherit."""

    folder: Path
    mark: str
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"

    def start(self, stack: str, command: Sequence[str] = ("-m", "ops.cli")) -> subprocess.Popen[str]:
        """`seawall demo --json`, or another program with its arguments, in a process group of its own."""
        self.temporary.mkdir(exist_ok=True)
        foreign = ("AWS_", "GOOGLE_", "CLOUDSDK_", "PULUMI_")
        process = subprocess.Popen(
            [sys.executable, *command, "demo", "--stack", stack, "--out", str(self.out), "--json"],
            cwd=REPO,
            env={
                **{k: v for k, v in os.environ.items() if not k.startswith(foreign)},
                "TMPDIR": str(self.temporary),
                "SEAWALL_LOCAL": str(self.folder / "never-used"),
                "SEAWALL_SIGNING_KEY": str(self.folder / "key.pem"),
                MARK: self.mark,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def running(self) -> list[str]:
        """Commands of processes that bear the mark."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if f"{MARK}={self.mark}".encode() in (folder / "environ").read_bytes():
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
        return found

    def end(self) -> None:
        """Whatever a test that failed left running."""
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path, tmp_path.as_posix())
    yield place
    place.end()


@dataclass(frozen=True)
class Done:
    """A demo that has ended."""

    stack: str
    place: Place
    code: int
    printed: str
    steps: str

    @property
    def result(self) -> dict[str, Any]:
        return json.loads(self.printed)

    @property
    def folder(self) -> Path:
        return Path(self.result["folder"])

    def step(self, key: str) -> str:
        """A step's result in words."""
        return next(step["result"] for step in self.result["steps"] if step["key"] == key)


def interrupt(process: subprocess.Popen[str], line: str, after_s: float, number: signal.Signals) -> None:
    """Signal the demo `after_s` seconds after it printed a line that starts like `line`."""
    assert process.stderr is not None
    seen = []
    for text in process.stderr:
        seen.append(text)
        if re.match(line, text):
            break
    time.sleep(after_s)
    process.send_signal(number)
    printed, rest = process.communicate(timeout=120)
    assert process.returncode == 130, "".join(seen) + rest
    assert json.loads(printed)["ending"] == "interrupted"


def left_by(place: Place) -> list[str]:
    """Commands that still run after a moment, and folders that remain."""
    deadline = time.monotonic() + 5
    while place.running() and time.monotonic() < deadline:
        time.sleep(0.1)
    return [*place.running(), *map(str, place.temporary.iterdir())]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Done]]:
    """A demo of each cloud, at the same time and with the same folders, after one that was interrupted."""
    folder = tmp_path_factory.mktemp("demos")
    place = Place(folder, folder.as_posix())
    interrupt(place.start("dev-aws"), r"… \[3/", 5.0, signal.SIGTERM)
    assert left_by(place) == []
    processes = {stack: place.start(stack) for stack in ("dev-aws", "dev-gcp")}
    with ThreadPoolExecutor(len(processes)) as pool:
        ended = list(pool.map(lambda process: process.communicate(timeout=TIMEOUT_S), processes.values()))
    yield {
        stack: Done(stack, place, process.returncode, printed, steps)
        for (stack, process), (printed, steps) in zip(processes.items(), ended, strict=True)
    }
    place.end()


@pytest.fixture(params=["dev-aws", "dev-gcp"])
def done(request: pytest.FixtureRequest, both: dict[str, Done]) -> Done:
    """One of the two."""
    return both[request.param]


def test_every_step_is_green(done: Done) -> None:
    assert (done.code, [step["state"] for step in done.result["steps"]]) == (0, ["passed"] * STEPS), done.steps


def test_every_result_fits_beside_its_step_at_80_columns(done: Done) -> None:
    board = Board([(step["key"], step["title"]) for step in done.result["steps"]], Console(width=80))
    for step, found in zip(board.steps, done.result["steps"], strict=True):
        step.state, step.seconds, step.result = State.PASSED, found["seconds"], found["result"]
    with board.console.capture() as captured:
        board.console.print(board.table())
    assert len(captured.get().splitlines()) == STEPS, captured.get()


def test_the_engine_deployed_what_was_planned(done: Done) -> None:
    deployed = re.match(r"(\d+) deployed, as planned; ", done.step("resources"))
    assert deployed and int(deployed[1]) > 100


def test_the_second_preview_is_empty_and_judged_alike_and_nothing_drifts(done: Done) -> None:
    assert done.step("preview").startswith("empty, same verdicts; ")
    assert done.step("drift") == "no drift"


def test_the_model_came_from_the_stacks_own_bucket(done: Done) -> None:
    scheme = {"dev-aws": "s3", "dev-gcp": "gs"}[done.stack]
    assert re.fullmatch(rf"{scheme}://seawall-dev-[^/]+/releases/1\.0\.1", done.result["release"]["uri"])
    log = (done.folder / "logs" / "triton-before.log").read_text(encoding="utf-8")
    assert "Started HTTPService" in log


def test_predictions_are_golden_before_the_loss_and_after_the_restore(done: Done) -> None:
    rows = done.result["predictions"]
    assert [(row["when"], row["protocol"], row["passed"]) for row in rows] == [
        ("before the loss", "http", True),
        ("before the loss", "grpc", True),
        ("after the restore", "http", True),
        ("after the restore", "grpc", True),
    ]
    assert all(0 < row["latency"]["p50_ms"] <= row["latency"]["p95_ms"] <= row["latency"]["p99_ms"] for row in rows)


def test_the_restore_is_proven_and_its_evidence_bears_a_signature(done: Done) -> None:
    trust = trust_from([done.result["signer"]], None)
    found = verify_file(done.folder / done.result["evidence"][0], trust, done.stack)
    assert (found.problems, found.predicate["mode"]) == ((), "emulated")
    assert found.predicate["program"]["differs"] == []


def test_the_reports_folder_appears_whole(done: Done) -> None:
    there = {path.relative_to(done.folder).as_posix() for path in done.folder.rglob("*") if path.is_file()}
    assert there == set(done.result["files"])
    page = (done.folder / "report.html").read_text(encoding="utf-8")
    assert "every step is green" in page and "<svg" in page


def test_demos_at_the_same_time_do_not_meet(both: dict[str, Done]) -> None:
    out = both["dev-aws"].place.out
    found = sorted(re.sub(r"-\d{8}T\d{6}Z-[0-9a-f]{6}", "", path.name) for path in out.iterdir())
    assert found == ["demo-dev-aws", "demo-dev-aws-interrupted", "demo-dev-gcp"]


def test_no_process_and_no_folder_is_left(both: dict[str, Done]) -> None:
    assert left_by(both["dev-aws"].place) == []


def test_a_users_own_local_stacks_are_not_touched(both: dict[str, Done]) -> None:
    assert not (both["dev-aws"].place.folder / "never-used").exists()


def test_no_secret_is_in_any_file(done: Done) -> None:
    text = "".join(p.read_text(encoding="utf-8", errors="replace") for p in done.folder.rglob("*") if p.is_file())
    assert not re.search(r"BEGIN [A-Z ]*PRIVATE KEY|authString|requirepass|PULUMI_CONFIG_PASSPHRASE", text)


ONLY_TRITON = """
import signal, sys
from pathlib import Path
from components.contracts import serving
from localcloud.front import TritonServer, ensure_serving_environment
from ops.demo.leftovers import adopt_orphans
from ops.demo.run import run_demo
from ops.models.command import default_repository

def serve(demo, step):
    repository, log = default_repository(), demo.report.logs / "triton.log"
    features = {serving.FEATURES_KIND: "dynamodb", serving.FEATURES_TABLE: "t", serving.FEATURES_REGION: "eu-west-1"}
    with demo.board.step("find the tools"):
        server = TritonServer(repository, ensure_serving_environment(), features, log=log, identity={})
    with server:
        signal.pause()

adopt_orphans()
sys.exit(run_demo("dev-aws", Path(sys.argv[5]), as_json=True, stages=[("serve", "Serve", serve)]))
"""


def test_an_interrupt_while_triton_starts_leaves_nothing_but_its_report(place: Place) -> None:
    interrupt(place.start("dev-aws", ("-c", ONLY_TRITON)), r" +✓ find the tools", 1.5, signal.SIGINT)
    assert left_by(place) == []
    (folder,) = place.out.iterdir()
    assert folder.name.endswith("-interrupted") and (folder / "logs" / "triton.log").is_file()
