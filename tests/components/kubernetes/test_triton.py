"""How Triton is started, told where its features are, and stopped without losing a request."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.paths import repo_root
from components.contracts import serving
from components.contracts.capacity import replica
from components.contracts.scaling import ROLLOUT_SURGE
from components.contracts.services import (
    SHUTDOWN_MARGIN_SECONDS,
    ServiceSpec,
)
from components.contracts.vocabulary import Accelerator, Cloud
from components.kubernetes import triton
from localcloud.triton.runtime import Runtime, inspect_runtime
from serving_image.release_fetch.__main__ import arguments_of
from tests.components.contracts.services import services

SERVICES = services(
    accelerator=st.sampled_from(Accelerator),
    max_replicas=st.integers(1, 1000),
    drain_seconds=st.integers(5, 120),
    exit_timeout_seconds=st.integers(5, 600),
    repository_gib=st.integers(1, 1000),
    gpus_per_replica=st.integers(1, 8),
)
FEATURE_STORE = Path("serving_image/model_repository/feature_lookup/1/feature_store")


def flags(arguments: list[str]) -> dict[str, str]:
    """Flag → value, "" where it takes none."""
    return {name.removeprefix("--"): value for name, _, value in (a.partition("=") for a in arguments)}


# Start


def test_the_images_entrypoint_starts_the_server(manifests: Any) -> None:
    container = manifests.container("tumour-risk")
    assert "command" not in container, "it would replace NVIDIA's entrypoint, which sets CUDA's compatibility up"
    assert container["args"][0] == "tritonserver"


def test_the_dockerfile_leaves_the_entrypoint_as_it_is() -> None:
    text = (repo_root() / "serving_image" / "Dockerfile").read_text()
    assert not re.search(r"^\s*ENTRYPOINT\b", text, re.MULTILINE | re.IGNORECASE)
    assert re.search(r'^CMD \["tritonserver"', text, re.MULTILINE)


def test_the_server_runs_as_the_user_that_the_image_is_built_for(manifests: Any) -> None:
    context = manifests.pods()["tumour-risk"]["spec"]["securityContext"]
    text = (repo_root() / "serving_image" / "Dockerfile").read_text()
    assert f"USER {context['runAsUser']}:{context['runAsGroup']}\n" in text


def test_nobody_can_have_the_server_load_another_model(manifests: Any) -> None:
    assert flags(manifests.container("tumour-risk")["args"])["model-control-mode"] == "none"


def test_models_that_share_a_gpu_take_turns_by_the_resources_of_the_settings(lay_down: Any, cloud: Cloud) -> None:
    shared = lay_down(cloud, service={"rate_limiter": {"resources": {"sm": 4, "copies": 1}}})
    arguments = shared.container("tumour-risk")["args"]
    assert [a for a in arguments if a.startswith("--rate-limit")] == [
        "--rate-limit=execution_count",
        "--rate-limit-resource=copies:1",
        "--rate-limit-resource=sm:4",
    ]


def test_models_that_share_nothing_never_wait_for_one_another(manifests: Any) -> None:
    assert not [a for a in manifests.container("tumour-risk")["args"] if a.startswith("--rate-limit")]


def fetcher(manifests: Any) -> dict[str, Any]:
    (found,) = manifests.pods()["tumour-risk"]["spec"]["initContainers"]
    return found


def test_the_release_in_the_settings_is_fetched_with_its_digest_before_the_server_starts(manifests: Any) -> None:
    asked, pinned = flags(fetcher(manifests)["args"]), manifests.service["release"]
    bucket = manifests.inventory.outputs["model_bucket"]
    assert asked["release"] == f"{bucket['uri']}/releases/{pinned['version']}"
    assert asked["manifest-sha256"] == pinned["manifest_sha256"]
    assert asked["region"] == bucket["region"]


def test_the_fetching_program_takes_what_it_is_told(manifests: Any) -> None:
    asked = arguments_of(fetcher(manifests)["args"])
    assert str(asked.into) == "/var/lib/seawall/release"
    assert asked.limit_bytes == manifests.service["repository_gib"] * 1024**3


def test_the_server_reads_no_bucket(manifests: Any) -> None:
    container = manifests.container("tumour-risk")
    assert flags(container["args"])["model-repository"] == "/var/lib/seawall/release/repository"
    of_the_row_store = manifests.inventory.outputs["feature_store"]["environment"]
    named = {e["name"] for e in container["env"] if e["name"].startswith(("AWS_", "GOOGLE_", "TRITON_"))}
    assert named <= of_the_row_store.keys()
    assert not [name for name in named if "S3" in name or "STORAGE" in name]


def test_the_server_cannot_change_what_was_fetched(manifests: Any) -> None:
    mounts = {m["mountPath"]: m for m in manifests.container("tumour-risk")["volumeMounts"]}
    assert mounts["/var/lib/seawall/release"]["readOnly"] is True
    own = {m["mountPath"]: m for m in fetcher(manifests)["volumeMounts"]}
    assert not own["/var/lib/seawall/release"].get("readOnly")
    assert own["/var/lib/seawall/release"]["name"] == mounts["/var/lib/seawall/release"]["name"]


def test_both_containers_are_of_the_image_that_the_settings_pin(manifests: Any) -> None:
    images = {fetcher(manifests)["image"], manifests.container("tumour-risk")["image"]}
    assert len(images) == 1 and images.pop().endswith(f"@{manifests.images['serving']}")


def test_a_fetch_takes_no_more_than_a_replica_is_counted_with(manifests: Any) -> None:
    asked = fetcher(manifests)["resources"]["requests"]
    room = replica(ServiceSpec.model_validate_json(json.dumps(manifests.service)))
    assert int(asked["cpu"].removesuffix("m")) <= room.cpu_millicores
    assert int(asked["memory"].removesuffix("Mi")) <= room.memory_mib
    assert 1024 * int(asked["ephemeral-storage"].removesuffix("Gi")) <= room.disk_mib
    assert serving.GPU_RESOURCE not in asked


def test_the_release_fits_the_room_that_it_is_given(manifests: Any) -> None:
    volumes = {
        v["name"]: v["emptyDir"] for v in manifests.pods()["tumour-risk"]["spec"]["volumes"] if "emptyDir" in v
    }
    limits = manifests.container("tumour-risk")["resources"]["limits"]
    assert volumes["release"] == {"sizeLimit": f"{manifests.service['repository_gib']}Gi"}
    assert int(limits["ephemeral-storage"].removesuffix("Gi")) > manifests.service["repository_gib"]
    mounts = {m["mountPath"]: m["name"] for m in manifests.container("tumour-risk")["volumeMounts"]}
    assert mounts["/tmp"] == "scratch"
    assert mounts["/dev/shm"] == "shared-memory" and volumes["shared-memory"]["medium"] == "Memory"


def test_gpus_are_requested_as_they_are_limited(manifests: Any) -> None:
    resources = manifests.container("tumour-risk")["resources"]
    count = str(manifests.service["gpus_per_replica"])
    assert resources["requests"]["nvidia.com/gpu"] == resources["limits"]["nvidia.com/gpu"] == count


# Ports


def test_the_servers_flags_and_the_containers_ports_agree(manifests: Any) -> None:
    container = manifests.container("tumour-risk")
    opened = {p["name"]: p["containerPort"] for p in container["ports"]}
    asked = {name.removesuffix("-port"): int(v) for name, v in flags(container["args"]).items() if "-port" in name}
    contract = {"http": serving.HTTP_PORT, "grpc": serving.GRPC_PORT, "metrics": serving.METRICS_PORT}
    assert opened == asked == contract


def test_the_image_exposes_the_ports_of_the_contract() -> None:
    text = (repo_root() / "serving_image" / "Dockerfile").read_text()
    (exposed,) = re.findall(r"^EXPOSE (.*)$", text, re.MULTILINE)
    assert {int(p) for p in exposed.split()} == {serving.HTTP_PORT, serving.GRPC_PORT, serving.METRICS_PORT}


# Features


def variables_that_the_image_reads() -> set[str]:
    """Names of environment variables in the code of the feature lookup (docstrings left out)."""
    nodes = [
        node for file in (repo_root() / FEATURE_STORE).glob("*.py") for node in ast.walk(ast.parse(file.read_text()))
    ]
    docstrings = {
        id(node.body[0].value)
        for node in nodes
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return {
        found
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
        for found in re.findall(r"SEAWALL_[A-Z_]+(?<!_)(?![A-Z_])", node.value)
    }


def test_contract_and_image_know_the_same_variables() -> None:
    contract = {value for name, value in vars(serving).items() if name.startswith("FEATURES_")}
    assert contract == variables_that_the_image_reads()


def test_the_fleet_sets_what_the_lookup_of_its_store_asks_for(manifests: Any) -> None:
    given = {e["name"]: e["value"] for e in manifests.container("tumour-risk")["env"]}
    common = {serving.FEATURES_KIND, serving.FEATURES_TIMEOUT_MS, serving.FEATURES_TTL_HOURS}
    wanted = {
        "dynamodb": {serving.FEATURES_TABLE, serving.FEATURES_REGION},
        "redis": {
            serving.FEATURES_HOST,
            serving.FEATURES_PORT,
            serving.FEATURES_CA_FILE,
            serving.FEATURES_AUTH_FILE,
        },
    }[given[serving.FEATURES_KIND]]
    assert {name for name in given if name.startswith("SEAWALL_")} == common | wanted


def test_credentials_of_the_store_come_as_files_that_the_pod_mounts(gcp_manifests: Any) -> None:
    given = {e["name"]: e["value"] for e in gcp_manifests.container("tumour-risk")["env"]}
    mounts = {m["name"]: m["mountPath"] for m in gcp_manifests.container("tumour-risk")["volumeMounts"]}
    secret = gcp_manifests.one("Secret", "feature-store")
    for variable in (serving.FEATURES_CA_FILE, serving.FEATURES_AUTH_FILE):
        folder, _, key = given[variable].rpartition("/")
        assert folder == mounts["features"] and key in secret["stringData"]


def test_no_credential_is_in_a_pods_variables(manifests: Any) -> None:
    names = {e["name"] for e in manifests.container("tumour-risk")["env"]}
    assert not {n for n in names if re.search(r"SECRET|TOKEN|PASSWORD|ACCESS_KEY|AUTH(?!_FILE)", n)}


def test_a_cloud_without_a_secret_mounts_none(aws_manifests: Any) -> None:
    assert not aws_manifests.of("Secret"), "DynamoDB is reached by the pod's identity"


# Stop


@given(SERVICES)
def test_the_grace_period_covers_drain_and_shutdown(spec: ServiceSpec) -> None:
    needed = spec.drain_seconds + spec.exit_timeout_seconds
    assert spec.termination_seconds >= needed + SHUTDOWN_MARGIN_SECONDS > needed


@given(SERVICES)
def test_the_server_ends_by_itself_before_it_is_killed(spec: ServiceSpec) -> None:
    asked = flags(triton.arguments(spec))
    left_s = spec.termination_seconds - spec.drain_seconds
    assert int(asked["exit-timeout-secs"]) < left_s
    assert int(asked["grpc-max-connection-age-grace"]) <= int(asked["exit-timeout-secs"]) * 1000


@given(SERVICES)
def test_ephemeral_storage_exceeds_the_repositorys_copy(spec: ServiceSpec) -> None:
    limits: Any = triton.resources(spec).limits
    assert int(limits["ephemeral-storage"].removesuffix("Gi")) > spec.repository_gib


def test_a_pod_leaves_the_load_balancer_before_the_server_is_told_to_stop(manifests: Any) -> None:
    spec, container = manifests.pods()["tumour-risk"]["spec"], manifests.container("tumour-risk")
    sleep_s = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    exit_s = int(flags(container["args"])["exit-timeout-secs"])
    readiness = container["readinessProbe"]
    assert sleep_s == manifests.service["drain_seconds"]
    assert sleep_s + exit_s < spec["terminationGracePeriodSeconds"]
    assert sleep_s >= readiness["periodSeconds"] * readiness["failureThreshold"], "longer than any endpoint lags"


def test_the_drain_needs_no_shell_in_the_image(manifests: Any) -> None:
    assert set(manifests.container("tumour-risk")["lifecycle"]["preStop"]) == {"sleep"}


def test_a_rollout_takes_no_replica_away_before_its_successor_is_ready(manifests: Any) -> None:
    strategy = manifests.one("Deployment", "tumour-risk")["spec"]["strategy"]
    assert strategy["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": ROLLOUT_SURGE}, (
        "what settings leave room for"
    )


# The real server


@pytest.fixture(scope="module")
def runtime(serving_python: Path) -> Runtime:
    """The local Triton."""
    return inspect_runtime(serving_python)


@pytest.mark.triton
def test_every_flag_is_one_that_the_server_knows(runtime: Runtime, manifests: Any) -> None:
    environment = {**os.environ, "LD_LIBRARY_PATH": str(runtime.libraries)}
    if runtime.python_library_folder:
        environment["LD_LIBRARY_PATH"] += f":{runtime.python_library_folder}"
    told = subprocess.run(
        [runtime.server, "--help"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    known = set(re.findall(r"^\s*--([a-z0-9-]+)", told.stdout + told.stderr, re.MULTILINE))
    assert len(known) > 50, told.stderr
    assert set(flags(manifests.container("tumour-risk")["args"][1:])) <= known


@pytest.mark.triton
def test_the_server_has_the_metric_that_the_fleet_scales_by(runtime: Runtime) -> None:
    name = serving.PENDING_REQUESTS_METRIC.encode()
    programs = [runtime.server, *runtime.libraries.glob("libtritonserver*"), *runtime.server.parents[1].rglob("*.so")]
    assert any(name in path.read_bytes() for path in programs if path.is_file())
