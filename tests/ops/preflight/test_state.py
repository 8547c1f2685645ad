"""Where Pulumi keeps a stack's state and secrets is read from files and the environment, in Pulumi's own order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ops.preflight.state import Backend, Secrets, backend_of, read_files, secrets_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project that names a backend."""
    (tmp_path / "Pulumi.yaml").write_text("name: seawall\nbackend:\n  url: s3://of-the-project\n")
    return tmp_path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Pulumi's folder, after a login."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "credentials.json").write_text(json.dumps({"current": "gs://of-the-login"}))
    return tmp_path / "home"


def test_the_environment_wins_over_the_project_and_the_project_over_the_login(root: Path, home: Path) -> None:
    asked = {"PULUMI_BACKEND_URL": "s3://of-the-environment"}
    assert read_files("dev-aws", asked, root, home).backend.bucket == "of-the-environment"
    assert read_files("dev-aws", {}, root, home).backend.bucket == "of-the-project"
    assert read_files("dev-aws", {}, home, home).backend.bucket == "of-the-login"


@pytest.mark.parametrize("variable", ["PULUMI_CREDENTIALS_PATH", "PULUMI_HOME"])
def test_the_login_is_looked_for_where_pulumi_does(variable: str, home: Path) -> None:
    assert read_files("dev-aws", {variable: str(home)}, home).backend.bucket == "of-the-login"


@pytest.mark.parametrize("content", ["", "{", "[]", "null"])
def test_a_login_that_cannot_be_read_is_none(content: str, tmp_path: Path) -> None:
    (tmp_path / "credentials.json").write_text(content)
    assert read_files("dev-aws", {}, tmp_path, tmp_path).backend == Backend("none", "")


@pytest.mark.parametrize(
    ("url", "kind", "bucket", "region"),
    [
        ("s3://state?region=eu-central-1&awssdk=v2", "s3", "state", "eu-central-1"),
        ("s3://state", "s3", "state", ""),
        ("gs://state", "gs", "state", ""),
        ("file://~/.pulumi", "file", "", ""),
        ("https://api.pulumi.com", "service", "", ""),
        ("azblob://state", "other", "", ""),
    ],
)
def test_a_backends_address_is_taken_apart(url: str, kind: str, bucket: str, region: str) -> None:
    found = backend_of(url)
    assert (found.kind, found.bucket, found.region) == (kind, bucket, region)


KEY = "projects/acme/locations/europe-west6/keyRings/pulumi/cryptoKeys/pulumi"


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        (
            {"secretsprovider": "awskms://alias/pulumi?region=eu-central-1"},
            Secrets("awskms", "awskms://alias/pulumi?region=eu-central-1", "alias/pulumi", "eu-central-1"),
        ),
        ({"secretsprovider": f"gcpkms://{KEY}"}, Secrets("gcpkms", f"gcpkms://{KEY}", KEY, "europe-west6")),
        ({"encryptionsalt": "v1:x"}, Secrets("passphrase", "passphrase")),
        ({"secretsprovider": "default"}, Secrets("service", "default")),
        ({"secretsprovider": "hashivault://k"}, Secrets("other", "hashivault://k")),
        ({}, Secrets("none")),
    ],
)
def test_a_stacks_file_says_what_encrypts_its_secrets(config: dict[str, str], wanted: Secrets) -> None:
    assert secrets_of(config, {}) == wanted


def test_a_key_without_a_region_is_where_the_environment_says() -> None:
    assert secrets_of({"secretsprovider": "awskms://1234"}, {"AWS_REGION": "eu-north-1"}).region == "eu-north-1"
