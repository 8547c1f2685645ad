"""How Triton is started: on loopback, with a pod's identity, and without what it must not have."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from common.errors import UserError
from localcloud.triton.runtime import (
    Runtime,
    inspect_runtime,
    server_command,
    server_environment,
)
from localcloud.triton.server import TritonServer, telling_lines

IDENTITY = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:5000",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/v1",
}
RUNTIME = Runtime(Path("/env/bin/python"), "3.11", Path("/env/lib/site-packages"), Path("/python/lib"))


def environment(**inherited: str) -> dict[str, str]:
    return server_environment(RUNTIME, IDENTITY, {"SEAWALL_FEATURES_KIND": "dynamodb"}, inherited)


@pytest.mark.parametrize(
    "mine",
    [
        "AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_REGION", "GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG",
        "GCE_METADATA_HOST", "STORAGE_EMULATOR_HOST",
    ],
)  # fmt: skip
def test_a_pod_never_sees_the_users_credentials(mine: str) -> None:
    assert mine not in environment(**{mine: "real"})


def test_a_pod_finds_the_cloud_as_the_cluster_tells_it() -> None:
    assert IDENTITY.items() <= environment().items()


def test_nothing_is_reported_to_the_maker_of_a_runtime() -> None:
    assert environment()["ORT_DISABLE_TELEMETRY"] == "1"


def test_the_callers_python_does_not_leak_into_tritons() -> None:
    found = environment(PYTHONPATH="/elsewhere", PYTHONHOME="/elsewhere", VIRTUAL_ENV="/elsewhere")
    assert not {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"} & found.keys()
    assert found["PATH"].startswith("/env/bin:")


def test_another_stacks_feature_store_does_not_leak_in() -> None:
    found = environment(SEAWALL_FEATURES_TABLE="of-another-stack")
    assert "SEAWALL_FEATURES_TABLE" not in found


def test_every_port_listens_on_loopback_alone() -> None:
    command = server_command(RUNTIME, Path("/repository"), Path("/backends"), (1, 2, 3), "prefix-")
    for kind in ("http", "grpc", "metrics"):
        assert f"--{kind}-address=127.0.0.1" in command


def test_models_cannot_be_changed_while_it_runs() -> None:
    assert "--model-control-mode=none" in server_command(RUNTIME, Path("/r"), Path("/b"), (1, 2, 3), "p-")


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
    server = TritonServer(tmp_path, Path(sys.executable), {}, log=tmp_path / "log", identity={})
    with pytest.raises(UserError), server:
        pass
