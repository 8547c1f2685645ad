"""Claims about the serving side's own environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.console import Steps
from common.errors import UserError
from localcloud.toolchain import serving
from localcloud.toolchain.cache import Workshop

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "requirements.lock"
    file.write_text("numpy==2\n")
    monkeypatch.setattr(serving, "serving_lock", lambda: file)
    return file


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    locks: list[Path] = []

    def install(shop: Workshop, lock: Path, python: str) -> None:
        locks.append(lock)
        made = serving.python_in(shop.result)
        made.parent.mkdir()
        made.write_text("")
        made.chmod(0o755)

    monkeypatch.setattr(serving, "install_serving_environment", install)
    return locks


def test_it_is_installed_once(lock: Path, installed: list[Path], steps: Steps) -> None:
    assert serving.ensure_serving_environment(steps) == serving.ensure_serving_environment(steps)
    assert installed == [lock]


def test_a_changed_lock_is_another_environment(lock: Path, installed: list[Path], steps: Steps) -> None:
    before = serving.ensure_serving_environment(steps)
    lock.write_text("numpy==3\n")
    assert serving.ensure_serving_environment(steps) != before
    assert before.exists(), "a checkout with the earlier lock still uses it"


def test_an_environment_whose_interpreter_went_away_is_installed_again(
    lock: Path, installed: list[Path], steps: Steps
) -> None:
    serving.ensure_serving_environment(steps).unlink()
    assert serving.ensure_serving_environment(steps).exists()
    assert installed == [lock, lock]


def test_a_missing_lock_is_named(lock: Path, steps: Steps) -> None:
    lock.unlink()
    with pytest.raises(UserError) as caught:
        serving.ensure_serving_environment(steps)
    assert caught.value.where == str(lock)


@pytest.mark.parametrize(
    ("running", "expected"),
    [("3.11", ("3.11", "/usr/bin/python3")), ("3.12", ("3.12", "/usr/bin/python3")), ("3.14", ("3.12", "3.12"))],
)
def test_a_python_that_triton_cannot_use_is_not_used(running: str, expected: tuple[str, str]) -> None:
    assert serving.serving_python(running, "/usr/bin/python3") == expected
