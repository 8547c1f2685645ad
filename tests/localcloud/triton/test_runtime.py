"""How Triton is started: on loopback, with the target's endpoints, and without what it must not have."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from common.errors import UserError
from common.target import REAL_CLOUD, Target
from localcloud.triton.runtime import (
    Runtime,
    inspect_runtime,
    repository_argument,
    server_command,
    server_environment,
)
from localcloud.triton.server import TritonServer, telling_lines

AWS = Target("local", "emulated", aws_endpoint_url="http://127.0.0.1:5000")
GCP = Target("local", "emulated", gcp_endpoint_url="http://127.0.0.1:4443")
RUNTIME = Runtime(Path("/env/bin/python"), "3.11", Path("/env/lib/site-packages"), Path("/python/lib"))


@pytest.mark.parametrize(
    ("repository", "target", "argument"),
    [
        ("s3://bucket/releases/v1/repository", REAL_CLOUD, "s3://bucket/releases/v1/repository"),
        ("s3://bucket/releases/v1/repository", AWS, "s3://http://127.0.0.1:5000/bucket/releases/v1/repository"),
        ("gs://bucket/releases/v1/repository", GCP, "gs://bucket/releases/v1/repository"),
        ("/a/folder", AWS, "/a/folder"),
    ],
)
def test_production_writes_the_same_repository_as_a_local_cloud(
    repository: str, target: Target, argument: str
) -> None:
    assert repository_argument(repository, target) == argument


def environment(target: Target, **inherited: str) -> dict[str, str]:
    features = {"SEAWALL_FEATURES_KIND": "dynamodb"}
    return server_environment(RUNTIME, target, "eu-central-1", features, Path("/models"), inherited)


def test_an_emulated_cloud_never_sees_the_users_credentials() -> None:
    found = environment(AWS, AWS_ACCESS_KEY_ID="real", AWS_PROFILE="prod", GOOGLE_APPLICATION_CREDENTIALS="/key")
    assert found["AWS_ACCESS_KEY_ID"] == "local"
    assert not {"AWS_PROFILE", "GOOGLE_APPLICATION_CREDENTIALS"} & found.keys()


def test_a_real_cloud_is_used_with_the_users_credentials() -> None:
    found = environment(REAL_CLOUD, AWS_PROFILE="prod")
    assert (found["AWS_PROFILE"], "AWS_ENDPOINT_URL" in found) == ("prod", False)


def test_nothing_is_reported_to_the_maker_of_a_runtime() -> None:
    assert environment(REAL_CLOUD)["ORT_DISABLE_TELEMETRY"] == "1"


def test_the_emulators_address_is_told() -> None:
    assert environment(AWS)["AWS_ENDPOINT_URL"] == "http://127.0.0.1:5000"
    assert environment(GCP)["CLOUD_STORAGE_EMULATOR_ENDPOINT"] == "http://127.0.0.1:4443"


def test_the_callers_python_does_not_leak_into_tritons() -> None:
    found = environment(AWS, PYTHONPATH="/elsewhere", PYTHONHOME="/elsewhere", VIRTUAL_ENV="/elsewhere")
    assert not {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"} & found.keys()
    assert found["PATH"].startswith("/env/bin:")


def test_another_stacks_feature_store_does_not_leak_in() -> None:
    found = environment(AWS, SEAWALL_FEATURES_TABLE="of-another-stack")
    assert "SEAWALL_FEATURES_TABLE" not in found


def test_every_port_listens_on_loopback_alone() -> None:
    command = server_command(RUNTIME, "/repository", Path("/backends"), (1, 2, 3), "prefix-")
    for kind in ("http", "grpc", "metrics"):
        assert f"--{kind}-address=127.0.0.1" in command


def test_models_cannot_be_changed_while_it_runs() -> None:
    assert "--model-control-mode=none" in server_command(RUNTIME, "/r", Path("/b"), (1, 2, 3), "p-")


@pytest.mark.parametrize(
    ("log", "told"),
    [
        pytest.param(
            "I1120 fine\nE1120 12:00:00 failed to load 'classifier'\nI1120 fine\nerror: creating server: Internal\n",
            ["E1120 12:00:00 failed to load 'classifier'", "error: creating server: Internal"],
            id="errors",
        ),
        pytest.param(
            'E1120 "CudaDriverHelper has no device"\nError: Failed to initialize NVML\nerror: no bucket\n',
            ["error: no bucket"],
            id="not-the-missing-gpu",
        ),
        pytest.param("one\ntwo\n\n", ["one", "two"], id="the-end-where-there-is-no-error"),
    ],
)
def test_the_telling_lines_of_a_log_are(log: str, told: list[str], tmp_path: Path) -> None:
    (tmp_path / "log").write_text(log)
    assert telling_lines(tmp_path / "log") == told


def test_a_python_that_is_not_there_is_a_plain_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not run"):
        inspect_runtime(tmp_path / "python")


def test_an_environment_without_triton_is_a_plain_error(tmp_path: Path) -> None:
    server = TritonServer(str(tmp_path), Path(sys.executable), AWS, {}, log=tmp_path / "log")
    with pytest.raises(UserError), server:
        pass
