"""`seawall models prune`: what it prints, how it exits, and what it takes a release to be needed for."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from common.attestation.signers import open_signer
from common.target import REAL_CLOUD
from ops.cli import build_app
from ops.deployed import TargetName
from ops.drill.evidence import signed
from ops.models import prune_command, releases
from ops.models.needs import needs_of
from stacks.files import stack_file
from stacks.settings import Settings

MakeRepository = Callable[..., Path]
Store = Any
SERVED = "0" * 64


def deployed(bucket: str) -> Any:
    fleet = SimpleNamespace(pins={"served": SERVED}, signers=())
    outputs = SimpleNamespace(fleet=fleet, model_bucket=SimpleNamespace(name=bucket))
    return SimpleNamespace(name="dev-aws", target=REAL_CLOUD, outputs=outputs)


@pytest.fixture
def run(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """Runs `seawall models prune dev-aws …` on the memory store."""

    @contextmanager
    def opened(stack: str, target: TargetName, steps: object, *, writes: bool) -> Iterator[Any]:
        yield deployed("bucket")

    monkeypatch.setattr(prune_command, "open_stack", opened)
    monkeypatch.setattr(prune_command, "model_bucket", lambda _: store)

    def invoke(*arguments: str) -> Any:
        told = ["models", "prune", "dev-aws", "--evidence", str(tmp_path), *arguments]
        return CliRunner().invoke(build_app(["models"]), told, catch_exceptions=False)

    return invoke


@pytest.fixture
def filled(store: Store, make_repository: MakeRepository) -> Store:
    for version in ("1.0.1", "1.0.2", "1.0.3"):
        releases.publish(store, make_repository(version), version)
    return store


def test_without_yes_nothing_is_removed(run: Callable[..., Any], filled: Store) -> None:
    before = dict(filled.objects)
    result = run("--keep", "1")
    assert (result.exit_code, filled.objects == before) == (0, True)
    assert "1 would go" in result.stdout and "--yes --keep 1" in result.stdout


def test_each_release_is_told_with_why(run: Callable[..., Any], filled: Store) -> None:
    printed = run("--keep", "1").stdout
    for version, why in (
        ("1.0.1", "goes"),
        ("1.0.2", "a rollback goes there"),
        ("1.0.3", "it is the current release"),
    ):
        assert any(line.startswith(version) and why in line for line in printed.splitlines()), printed


def test_with_yes_they_are_removed(run: Callable[..., Any], filled: Store) -> None:
    result = run("--keep", "1", "--yes", "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, [each["version"] for each in told["removed"]]) == (0, ["1.0.1"])
    assert releases.read_manifest(filled, "1.0.1") is None


def test_the_list_shows_what_was_pruned(run: Callable[..., Any], filled: Store) -> None:
    run("--keep", "1", "--yes")
    assert [each.is_pruned for each in releases.releases(filled)] == [True, False, False]


def test_by_default_five_stay(run: Callable[..., Any], filled: Store) -> None:
    assert "none goes" in run("--yes").stdout


@pytest.mark.parametrize("bad", [("--keep", "0"), ("--older-than-days", "-1")])
def test_an_impossible_number_ends_with_2(run: Callable[..., Any], filled: Store, bad: tuple[str, str]) -> None:
    assert run(*bad).exit_code == 2


def test_a_release_that_was_to_go_and_did_not_ends_with_1(
    run: Callable[..., Any], filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = filled.put

    def raced(key: str, data: bytes, **named: Any) -> None:
        if key == "releases/1.0.1/claim.json" and b"pruned_at" in data:
            releases.rollback(filled, "1.0.1")
        put(key, data, **named)

    monkeypatch.setattr(filled, "put", raced)
    result = run("--keep", "1", "--yes")
    assert (result.exit_code, "still there" in result.stdout) == (1, True)


def test_what_the_settings_of_a_stack_of_this_bucket_pin_is_needed(tmp_path: Path) -> None:
    settings = Settings.load(stack_file("dev-aws"))
    bucket = settings.place.bucket_name("models", settings.region)
    pin = settings.fleet.services["tumour-risk"].release
    needed = {need.release: need.why for need in needs_of(deployed(bucket), tmp_path, datetime.now(UTC))}
    assert needed[pin.version] == needed[pin.manifest_sha256] == "the settings of dev-aws pin it"


def test_what_a_stack_of_another_bucket_pins_is_not(tmp_path: Path) -> None:
    needed = {need.release for need in needs_of(deployed("another"), tmp_path, datetime.now(UTC))}
    assert needed == {"served", SERVED}


@pytest.mark.parametrize(("days", "folder", "is_needed"), [(1, ".", True), (1, "demo", True), (200, ".", False)])
def test_what_recent_evidence_is_about_is_needed(
    evidence: dict[str, Any], tmp_path: Path, days: int, folder: str, is_needed: bool
) -> None:
    envelope = signed(evidence, open_signer(str(tmp_path / "key.pem")))
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / "drill-dev-aws-20260101t000000-ab12.json").write_text(json.dumps(envelope))
    (tmp_path / "drill-dev-aws-broken.json").write_text(base64.b64encode(b"{").decode())
    about = next(each["digest"]["sha256"] for each in evidence["artefacts"] if each["name"] == "release manifest")
    needed = needs_of(deployed("another"), tmp_path, datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=days))
    assert (about in {need.release for need in needed if "drill" in need.why}) is is_needed
