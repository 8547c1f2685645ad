"""What all tests share: no skipped tier where skips are forbidden, and no user's settings leaking in."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings
from rich.console import Console

from common.console import Steps
from common.errors import UserError
from policies.inventory import Inventory
from stacks.settings import stack_names
from tests.order import LONG_TIERS, in_order

# The machine may be shared and slow: time is measured by `make bench`, never by a test.
settings.register_profile("shared-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("shared-machine"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "shared-machine")

# A run in the background of a shell, or below nohup, begins with these ignored, and what it starts inherits that:
# no interruption could be tested. A handler that does nothing spares the run all the same, and is not inherited.
for _number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, lambda _number, _frame: None)

FORBID_SKIPS = "SEAWALL_FORBID_SKIPS"


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put tests into the order in which several workers take them; xdist keeps it with `--no-loadscope-reorder`.

    Short tests of one file are one worker's, so that no other plans the same stacks.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    for item in items:
        marks = {mark.name for mark in item.iter_markers()}
        if not marks & {"xdist_group", *LONG_TIERS}:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
    items[:] = in_order(items, lambda item: {mark.name for mark in item.iter_markers()})


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run on any skip where `SEAWALL_FORBID_SKIPS` is set: a tier that did not run has not passed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not os.environ.get(FORBID_SKIPS) or reporter is None or session.exitstatus != pytest.ExitCode.OK:
        return
    if reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line(f"{FORBID_SKIPS} is set and tests were skipped: the run fails", red=True)


@pytest.fixture(autouse=True)
def _no_user_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests never see the cloud credentials or the Pulumi login of whoever runs them."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "GOOGLE_", "CLOUDSDK_", "PULUMI_")) and not name.endswith("CA_BUNDLE"):
            monkeypatch.delenv(name)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder that `common.paths.cache_dir` names, with no engine forced upon the test."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("SEAWALL_CACHE", str(folder))
    monkeypatch.delenv("SEAWALL_ENGINE", raising=False)
    return folder


@pytest.fixture
def printed() -> io.StringIO:
    """What `steps` printed."""
    return io.StringIO()


@pytest.fixture
def steps(printed: io.StringIO) -> Steps:
    """Steps that print into `printed`."""
    return Steps(Console(file=printed, width=200))


@pytest.fixture(scope="session")
def serving_python() -> Path:
    """The interpreter of the serving environment; installed now if the cache lacks it."""
    from localcloud.toolchain import ensure_serving_environment  # most tests need none of it

    try:
        return ensure_serving_environment()
    except UserError as error:
        pytest.skip(f"no serving environment: {error.what}")


@pytest.fixture(scope="session")
def cloud_storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an emulated Google Cloud in this process: Cloud Storage, KMS and the rest, but no Redis."""
    # Imported here: most tests need none of it.
    from localcloud.gcp.front import Front
    from localcloud.gcp.store import DocumentStore
    from localcloud.gcp.wire import FrontServer

    folder = tmp_path_factory.mktemp("cloud-storage")
    store = DocumentStore(folder / "store.sqlite3")
    front = Front(
        store,
        folder / "objects",
        folder / "no-redis-server",
        folder / "redis",
        save=lambda _: None,
        health=lambda: None,
        project="acme",
        project_number="1",
    )
    server = FrontServer(front.handle)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    server.server_close()
    store.close()


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """Folders that whichever worker asks first makes, for all workers to copy; nobody writes to them."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def made(name: str, make: Callable[[Path], None]) -> Path:
        folder, partial = shared / f"once-{name}", shared / f"once-{name}.partial"
        with FileLock(shared / f"once-{name}.lock"):
            if not folder.exists():
                shutil.rmtree(partial, ignore_errors=True)
                make(partial)
                partial.rename(folder)
        return folder

    return made


@pytest.fixture(scope="session")
def plans(made_once: Callable[[str, Callable[[Path], None]], Path]) -> dict[str, Inventory]:
    """The plan of every committed stack, made once for all tests that only read it."""

    def plan(folder: Path) -> None:
        from ops.plan.several import plan_stacks  # imports the SDKs

        folder.mkdir()
        for inventory in plan_stacks(stack_names()):
            (folder / f"{inventory.stack}.json").write_text(json.dumps(inventory.to_json()))

    folder = made_once("plans", plan)
    read = (Inventory.from_json(json.loads((folder / f"{stack}.json").read_text())) for stack in stack_names())
    return {inventory.stack: inventory for inventory in read}


@pytest.fixture(scope="session")
def deployed(made_once: Callable[[str, Callable[[Path], None]], Path]) -> Callable[[str, Path], Path]:
    """Makes a folder of local stacks in which a stack is up, as a copy: the stack is deployed once for all tests."""

    def deploy(stack: str) -> Callable[[Path], None]:
        from ops.local.session import open_local  # takes a second, which only tests of the engine should pay

        def up(home: Path) -> None:
            with open_local(stack, Steps(), home=home) as local:
                local.up()

        return up

    def copy(stack: str, home: Path) -> Path:
        shutil.copytree(made_once(stack, deploy(stack)), home, symlinks=True, dirs_exist_ok=True)
        return home

    return copy
