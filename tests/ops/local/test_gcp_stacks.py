"""The Google Cloud stack under the real engine: unchanged, without drift, protected, recoverable, and gone."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from common.console import Steps
from common.errors import UserError
from common.gcp_api import GcpApi
from common.paths import repo_root
from components.contracts.backup import tiers
from localcloud.gcp.redis.api import EXPORT_LATE_SECONDS
from ops.deployed import read_outputs
from ops.local.runs import Outcome
from ops.local.session import LocalCloud, open_local
from stacks.outputs import StackOutputs
from stacks.settings import Settings

pytestmark = pytest.mark.engine

STACK = "dev-gcp"
EXPORT_PATIENCE_SECONDS = 30.0
"""An export is asked for by one call and comes later."""
Open = Callable[..., AbstractContextManager[LocalCloud]]


@pytest.fixture(scope="module")
def home(deployed: Callable[[str, Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of local stacks in which the stack is deployed."""
    return deployed(STACK, tmp_path_factory.mktemp("stacks"))


@pytest.fixture
def opened(home: Path) -> Iterator[LocalCloud]:
    """The deployed stack, whose changes are not kept."""
    with open_local(STACK, Steps(), home=home, keep=False) as local:
        yield local


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[Callable[[dict[str, Any]], None]], Path]:
    """Makes a checkout whose settings of the stack were edited by a function."""

    def change(edit: Callable[[dict[str, Any]], None]) -> Path:
        yaml = YAML(typ="safe")
        project = yaml.load((repo_root() / "Pulumi.yaml").read_text())
        config = tmp_path / "config"
        shutil.copytree(repo_root() / project["stackConfigDir"], config)
        project |= {"main": str(repo_root() / "stacks"), "stackConfigDir": "config"}
        yaml.dump(project, tmp_path / "Pulumi.yaml")
        file = config / f"Pulumi.{STACK}.yaml"
        settings = yaml.load(file.read_text())
        edit(settings["config"]["seawall:settings"])
        yaml.dump(settings, file)
        return tmp_path

    return change


def outputs_of(local: LocalCloud) -> StackOutputs:
    return read_outputs(STACK, local.outputs(), "local")


def api_of(local: LocalCloud) -> GcpApi:
    return GcpApi(local.target, local.settings.account)


def test_a_second_preview_is_empty(opened: LocalCloud) -> None:
    assert opened.preview(expect_no_changes=True).is_empty


def test_a_refresh_finds_no_drift(opened: LocalCloud) -> None:
    assert opened.refresh().is_empty


@pytest.fixture(scope="module")
def repaired(home: Path) -> tuple[Outcome, Outcome]:
    """What a refresh finds of a bucket that was changed by hand, and what a preview would do about it."""
    with open_local(STACK, Steps(), home=home, keep=False) as local:
        name = outputs_of(local).model_bucket.name
        api_of(local).patch("storage", f"storage/v1/b/{name}", {"versioning": {"enabled": False}})
        return local.refresh(), local.preview()


@pytest.mark.xdist_group("gcp-repaired")
def test_a_refresh_finds_what_was_changed_by_hand(repaired: tuple[Outcome, Outcome]) -> None:
    assert [(c.name, c.op) for c in repaired[0].changes] == [("models", "update")]


@pytest.mark.xdist_group("gcp-repaired")
def test_a_preview_after_that_puts_it_right(repaired: tuple[Outcome, Outcome]) -> None:
    assert [(c.name, c.op) for c in repaired[1].changes] == [("models", "update")]


def move_the_store(settings: dict[str, Any]) -> None:
    settings["feature_store"]["zones"] = ["a", "b"]


def test_a_change_that_replaces_protected_data_is_refused(
    home: Path, changed: Callable[[Callable[[dict[str, Any]], None]], Path]
) -> None:
    root = changed(move_the_store)
    with (
        open_local(STACK, Steps(), home=home, root=root, keep=False) as local,
        pytest.raises(UserError, match="protect") as refused,
    ):
        local.preview()
    assert refused.value.where.endswith("::features")


def test_a_change_that_replaces_unprotected_data_shows_as_a_replacement(
    home: Path, changed: Callable[[Callable[[dict[str, Any]], None]], Path]
) -> None:
    def edit(settings: dict[str, Any]) -> None:
        move_the_store(settings)
        settings["opt_outs"] = {"deletion_protection": "a test replaces the feature store"}

    with open_local(STACK, Steps(), home=home, root=changed(edit), keep=False) as local:
        changes = {c.name: c.replacing for c in local.preview().changes if c.replacing}
    assert set(changes["features"]) == {"locationId", "alternativeLocationId"}


def test_a_destroy_names_what_is_protected(opened: LocalCloud) -> None:
    with pytest.raises(UserError, match="are protected") as refused:
        opened.destroy()
    assert {"models", "replica", "features", "cluster"} <= set(refused.value.what.replace(",", " ").split())


def test_an_unprotected_destroy_leaves_nothing(opened: LocalCloud) -> None:
    bucket = outputs_of(opened).model_bucket.name
    api = api_of(opened)
    api.storage_client().bucket(bucket).blob("model").upload_from_string(b"weights")
    opened.destroy(unprotect=True)
    project, region = opened.settings.account, opened.settings.region
    buckets = list(api.list("storage", "storage/v1/b", "items", {"project": project}))
    instances = list(api.list("redis", f"v1/projects/{project}/locations/{region}/instances", "instances"))
    assert (opened.resources(), buckets, instances) == ([], [], [])


def test_the_deployed_copy_job_fills_the_replica(opened: LocalCloud) -> None:
    api, outputs = api_of(opened), outputs_of(opened)
    client = api.storage_client()
    client.bucket(outputs.model_bucket.name).blob("releases/v1/model").upload_from_string(b"weights")
    job = outputs.model_replica.copy_job
    api.wait("storagetransfer", api.post("storagetransfer", f"v1/{job}:run", {"projectId": outputs.account}))
    copy = client.bucket(outputs.model_replica.name).get_blob("releases/v1/model")
    assert copy is not None
    assert str(copy.kms_key_name).startswith(outputs.keys.recovery.id)


def test_the_deployed_export_job_writes_to_the_backup_region(opened: LocalCloud) -> None:
    api, outputs = api_of(opened), outputs_of(opened)
    parent = f"projects/{outputs.account}/locations/{outputs.region}"
    job = api.post("cloudscheduler", f"v1/{parent}/jobs/{outputs.backup.plan}:run")
    bucket = api.storage_client().bucket(outputs.backup.vault)
    assert isinstance(opened.settings, Settings)
    first = tiers(opened.settings.backup)[0].name
    deadline = time.monotonic() + EXPORT_PATIENCE_SECONDS
    while not (names := [b.name for b in bucket.list_blobs()]) and time.monotonic() < deadline:
        time.sleep(EXPORT_LATE_SECONDS / 4)
    assert (job["status"], names) == ({}, [f"{first}/features.rdb"])
