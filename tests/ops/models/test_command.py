"""`seawall models`: what it prints and how it exits."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from common.attestation.signers import open_signer
from common.target import REAL_CLOUD
from ops.deployed import TargetName
from ops.models import command

Store = Any
MakeRepository = Callable[..., Path]


@pytest.fixture
def buckets(store: Store) -> dict[str, Store]:
    """The stack's buckets by output; there is no replica unless a test puts one in."""
    return {"model_bucket": store}


@pytest.fixture
def run(buckets: dict[str, Store], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """Runs `seawall models …` on the memory store, for a stack whose fleet trusts this publisher."""
    monkeypatch.setenv("SEAWALL_SIGNING_KEY", str(tmp_path / "publisher.pem"))
    fleet = SimpleNamespace(signers=(open_signer(str(tmp_path / "publisher.pem")).name,))

    @contextmanager
    def opened(stack: str, target: TargetName, steps: object, *, writes: bool) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(name=stack, target=REAL_CLOUD, outputs=SimpleNamespace(fleet=fleet))

    monkeypatch.setattr(command, "open_stack", opened)
    monkeypatch.setattr(
        command, "model_bucket", lambda _, *, replica=False: buckets["model_replica" if replica else "model_bucket"]
    )

    def invoke(*arguments: str) -> Any:
        without = ["--without-lineage", "files of a test"] if "--from" in arguments else []
        told = [*arguments, *(without if arguments[0] == "publish" and "--lineage" not in arguments else [])]
        return CliRunner().invoke(command.app, told, catch_exceptions=False)

    return invoke


def test_publishing_says_what_was_published(run: Callable[..., Any], make_repository: MakeRepository) -> None:
    result = run("publish", "dev-aws", "--version", "1.0.1", "--from", str(make_repository()))
    assert "1.0.1 published: 4 files" in result.stdout


def test_publishing_as_json_is_one_object(run: Callable[..., Any], make_repository: MakeRepository) -> None:
    result = run("publish", "dev-aws", "--version", "1.0.1", "--from", str(make_repository()), "--json")
    assert json.loads(result.stdout)["uri"] == "mem://bucket/releases/1.0.1"


def test_the_list_as_json_names_every_release(run: Callable[..., Any], make_repository: MakeRepository) -> None:
    for version in ("1.0.1", "1.0.2"):
        run("publish", "dev-aws", "--version", version, "--from", str(make_repository(version)))
    listed = json.loads(run("list", "dev-aws", "--json").stdout)["releases"]
    assert [(release["version"], release["is_current"]) for release in listed] == [("1.0.1", False), ("1.0.2", True)]


def test_rolling_back_says_what_is_current(run: Callable[..., Any], make_repository: MakeRepository) -> None:
    for version in ("1.0.1", "1.0.2"):
        run("publish", "dev-aws", "--version", version, "--from", str(make_repository(version)))
    told = run("rollback", "dev-aws").stdout
    assert told.startswith("1.0.1 is the current release\n")


def test_a_release_that_the_settings_do_not_pin_is_told_with_what_to_write(
    run: Callable[..., Any], make_repository: MakeRepository
) -> None:
    told = run("publish", "dev-aws", "--version", "1.0.7", "--from", str(make_repository())).stdout
    (digest,) = re.findall(r"manifest sha256 (\w{64})", told)
    assert f"release:\n      version: 1.0.7\n      manifest_sha256: {digest}\n" in told


def test_the_digest_is_told_offline_and_is_the_published_one(
    run: Callable[..., Any], make_repository: MakeRepository
) -> None:
    folder = str(make_repository())
    told = run("digest", "--version", "1.0.7", "--from", folder).stdout.strip()
    assert told in run("publish", "dev-aws", "--version", "1.0.7", "--from", folder).stdout


def test_another_digest_than_the_pinned_one_is_found(
    run: Callable[..., Any], make_repository: MakeRepository
) -> None:
    result = run("digest", "dev-aws", "--version", "1.0.1", "--from", str(make_repository()), "--json")
    assert (result.exit_code, json.loads(result.stdout)["is_pinned"]) == (1, False)


def test_the_committed_models_are_the_stacks_own(run: Callable[..., Any]) -> None:
    result = run("digest", "dev-aws", "--version", "1.0.1", "--json")
    assert (result.exit_code, json.loads(result.stdout)["is_pinned"]) == (0, True)


def test_an_intact_release_exits_clean(run: Callable[..., Any], make_repository: MakeRepository) -> None:
    run("publish", "dev-aws", "--version", "1.0.1", "--from", str(make_repository()))
    assert run("verify", "dev-aws", "--version", "1.0.1").exit_code == 0


def test_a_damaged_release_exits_with_1(
    run: Callable[..., Any], store: Store, make_repository: MakeRepository
) -> None:
    run("publish", "dev-aws", "--version", "1.0.1", "--from", str(make_repository()))
    store.objects["releases/1.0.1/repository/first/1/model.py"] = b""
    result = run("verify", "dev-aws", "--version", "1.0.1")
    assert (result.exit_code, "mismatched: first/1/model.py" in result.stdout) == (1, True)


def test_the_replica_is_verified_by_its_own_objects(
    run: Callable[..., Any],
    buckets: dict[str, Store],
    make_memory_store: Callable[[], Store],
    make_repository: MakeRepository,
) -> None:
    run("publish", "dev-aws", "--version", "1.0.1", "--from", str(make_repository()))
    replica = buckets["model_replica"] = make_memory_store()
    replica.objects.update(buckets["model_bucket"].objects)
    lost = next(key for key in replica.objects if key.endswith("config.pbtxt"))
    del replica.objects[lost]
    assert run("verify", "dev-aws", "--version", "1.0.1").exit_code == 0
    assert run("verify", "dev-aws", "--version", "1.0.1", "--replica").exit_code == 1
