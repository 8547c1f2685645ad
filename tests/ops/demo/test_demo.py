"""The whole job as a newcomer runs it: the real engine and the real Triton, on the local cloud of each cloud."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ops.drill.evidence import verify

pytestmark = [pytest.mark.engine, pytest.mark.triton, pytest.mark.xdist_group("demo")]

REPO = Path(__file__).resolve().parents[3]
TIMEOUT_S = 900
STEPS = 9
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

    def start(self, stack: str) -> subprocess.Popen[str]:
        """`seawall demo --json`, in a process group of its own."""
        self.temporary.mkdir(exist_ok=True)
        foreign = ("AWS_", "GOOGLE_", "CLOUDSDK_", "PULUMI_")
        process = subprocess.Popen(
            [sys.executable, "-m", "ops.cli", "demo", "--stack", stack, "--out", str(self.out), "--json"],
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


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Done]]:
    """A demo of each cloud, at the same time and with the same folders, after one that was interrupted."""
    folder = tmp_path_factory.mktemp("demos")
    place = Place(folder, folder.as_posix())
    interrupt(place.start("dev-aws"), r"… \[3/", 2.0, signal.SIGINT)
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
    assert (done.code, [step["state"] for step in done.result["steps"]]) == (0, ["ok"] * STEPS), done.steps


def test_the_engine_deployed_what_was_planned(done: Done) -> None:
    resources = done.result["resources"]
    assert resources["deployed"] == resources["planned"] > 100
    assert not resources["only_planned"] and not resources["only_deployed"]


def test_the_second_preview_is_empty_and_nothing_drifts(done: Done) -> None:
    assert (done.result["preview"]["changes"], done.result["preview"]["drift"]) == ([], [])


def test_the_engine_judges_as_the_offline_check_does(done: Done) -> None:
    policies = done.result["policies"]
    assert (policies["passed"], policies["engine_asked"], policies["engine_differs"]) == (True, True, [])
    assert policies["counts"]["pass"] > 50


def test_the_model_came_from_the_stacks_own_bucket(done: Done) -> None:
    scheme = {"dev-aws": "s3", "dev-gcp": "gs"}[done.stack]
    assert re.fullmatch(rf"{scheme}://seawall-dev-[^/]+/releases/v1/repository", done.result["release"]["uri"])
    log = (done.folder / "logs" / "triton-before.log").read_text(encoding="utf-8")
    assert "Started HTTPService" in log


def test_predictions_are_golden_before_the_loss_and_after_the_restore(done: Done) -> None:
    rows = done.result["predictions"]
    assert [(row["moment"], row["protocol"], row["passed"]) for row in rows] == [
        ("before", "http", True),
        ("before", "grpc", True),
        ("after", "http", True),
        ("after", "grpc", True),
    ]
    assert all(0 < row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"] for row in rows)
    assert all(row["requests"] >= 200 for row in rows if row["moment"] == "before")


def test_the_restore_is_proven_within_its_objectives(done: Done) -> None:
    drill = done.result["drill"]
    assert (drill["proven"], drill["mode"], drill["rpo"]["passed"], drill["rto"]["passed"]) == (
        True,
        "emulated",
        True,
        True,
    )
    assert [detected for _, detected, _ in drill["controls"]] == [True, True]


def test_the_evidence_lies_beside_the_report_and_bears_its_signature(done: Done) -> None:
    drill = done.result["drill"]
    assert verify(json.loads((done.folder / drill["evidence_json"]).read_text(encoding="utf-8"))) == drill["signer"]


def test_the_report_is_one_page_with_the_diagram(done: Done) -> None:
    page = (done.folder / "report.html").read_text(encoding="utf-8")
    assert "every step is green" in page
    assert "<svg" in page


def test_the_reports_folder_appears_whole(done: Done) -> None:
    there = {path.relative_to(done.folder).as_posix() for path in done.folder.rglob("*") if path.is_file()}
    assert there == set(done.result["files"])


def test_demos_at_the_same_time_do_not_meet(both: dict[str, Done]) -> None:
    out = both["dev-aws"].place.out
    told = sorted(re.sub(r"-\d{8}T\d{6}Z-[0-9a-f]{6}", "", path.name) for path in out.iterdir())
    assert told == ["demo-dev-aws", "demo-dev-aws-interrupted", "demo-dev-gcp"]


def test_no_process_and_no_folder_is_left(done: Done) -> None:
    assert done.place.running() == []
    assert list(done.place.temporary.iterdir()) == []


def test_a_users_own_local_stacks_are_not_touched(done: Done) -> None:
    assert not (done.place.folder / "never-used").exists()


def test_no_secret_is_in_any_file(done: Done) -> None:
    text = "".join(p.read_text(encoding="utf-8", errors="replace") for p in done.folder.rglob("*") if p.is_file())
    assert not re.search(r"BEGIN [A-Z ]*PRIVATE KEY|authString|requirepass|PULUMI_CONFIG_PASSPHRASE", text)


def settled(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)
    return condition()


@pytest.mark.parametrize(
    ("line", "after_s", "number"),
    [
        pytest.param(r"… \[1/", 0.0, signal.SIGINT, id="at-once"),
        pytest.param(r"… \[3/", 8.0, signal.SIGTERM, id="while-the-engine-deploys"),
        pytest.param(r" +✓ verify objects", 2.0, signal.SIGINT, id="while-triton-starts-on-what-was-restored"),
    ],
)
def test_an_interrupt_leaves_nothing_but_its_report(
    place: Place, line: str, after_s: float, number: signal.Signals
) -> None:
    interrupt(place.start("dev-aws"), line, after_s, number)
    assert settled(lambda: not place.running()), place.running()
    assert list(place.temporary.iterdir()) == []
    assert [path.name.endswith("-interrupted") for path in place.out.iterdir()] == [True]
