"""`seawall models`: what it prints and how it exits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ops.deployed import TargetName
from ops.models import command

Store = Any
MakeRepository = Callable[..., Path]


@pytest.fixture
def buckets(store: Store) -> dict[str, Store]:
    """The stack's buckets by output; there is no replica unless a test puts one in."""
    return {"model_bucket": store}


@pytest.fixture
def run(buckets: dict[str, Store], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs `seawall models …` on the memory store."""

    @contextmanager
    def opened(stack: str, target: TargetName, steps: object, *, writes: bool) -> Iterator[None]:
        yield

    monkeypatch.setattr(command, "open_stack", opened)
    monkeypatch.setattr(
        command, "model_bucket", lambda _, *, replica=False: buckets["model_replica" if replica else "model_bucket"]
    )

    def invoke(*arguments: str) -> Any:
        return CliRunner().invoke(command.app, list(arguments), catch_exceptions=False)

    return invoke


def test_publishing_says_what_was_published(run: Callable[..., Any], make_repository: MakeRepository) -> None:
    result = run("publish", "dev-aws", "--version", "v1", "--from", str(make_repository()))
    assert "v1 published: 4 files" in result.stdout


def test_publishing_as_json_is_one_object(run: Callable[..., Any], make_repository: MakeRepository) -> None:
    result = run("publish", "dev-aws", "--version", "v1", "--from", str(make_repository()), "--json")
    assert json.loads(result.stdout)["uri"] == "mem://bucket/releases/v1/repository"


def test_the_list_as_json_names_every_release(run: Callable[..., Any], make_repository: MakeRepository) -> None:
    for version in ("v1", "v2"):
        run("publish", "dev-aws", "--version", version, "--from", str(make_repository(version)))
    listed = json.loads(run("list", "dev-aws", "--json").stdout)["releases"]
    assert [(release["version"], release["is_current"]) for release in listed] == [("v1", False), ("v2", True)]


def test_rolling_back_says_what_is_current(run: Callable[..., Any], make_repository: MakeRepository) -> None:
    for version in ("v1", "v2"):
        run("publish", "dev-aws", "--version", version, "--from", str(make_repository(version)))
    assert run("rollback", "dev-aws").stdout.strip() == "v1 is the current release"


def test_an_intact_release_exits_clean(run: Callable[..., Any], make_repository: MakeRepository) -> None:
    run("publish", "dev-aws", "--version", "v1", "--from", str(make_repository()))
    assert run("verify", "dev-aws", "--version", "v1").exit_code == 0


def test_a_damaged_release_exits_with_1(
    run: Callable[..., Any], store: Store, make_repository: MakeRepository
) -> None:
    run("publish", "dev-aws", "--version", "v1", "--from", str(make_repository()))
    store.objects["releases/v1/repository/first/1/model.py"] = b""
    result = run("verify", "dev-aws", "--version", "v1")
    assert (result.exit_code, "mismatched: first/1/model.py" in result.stdout) == (1, True)


def test_the_replica_is_verified_by_its_own_objects(
    run: Callable[..., Any],
    buckets: dict[str, Store],
    make_memory_store: Callable[[], Store],
    make_repository: MakeRepository,
) -> None:
    run("publish", "dev-aws", "--version", "v1", "--from", str(make_repository()))
    replica = buckets["model_replica"] = make_memory_store()
    replica.objects.update(buckets["model_bucket"].objects)
    lost = next(key for key in replica.objects if key.endswith("config.pbtxt"))
    del replica.objects[lost]
    assert run("verify", "dev-aws", "--version", "v1").exit_code == 0
    assert run("verify", "dev-aws", "--version", "v1", "--replica").exit_code == 1
