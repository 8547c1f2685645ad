"""The container's recipe and the model repository: complete, pinned, and agreeing with each other."""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from components.contracts import serving

IN_THE_BASE_IMAGE = {"numpy", "triton_python_backend_utils"}


@pytest.fixture(scope="session")
def dockerfile(image_folder: Path) -> list[str]:
    """The instructions, without comments, continuation lines joined."""
    text = (image_folder / "Dockerfile").read_text().replace("\\\n", " ")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def sources(dockerfile: list[str]) -> list[str]:
    copies = [line.split()[1:-1] for line in dockerfile if line.startswith(("COPY ", "ADD "))]
    return [source for copied in copies for source in copied if not source.startswith("--")]


def pinned(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", lock.read_text(), re.MULTILINE))


def test_every_path_that_the_image_copies_exists(dockerfile: list[str], image_folder: Path) -> None:
    assert sources(dockerfile)
    assert [source for source in sources(dockerfile) if not (image_folder / source).exists()] == []


def test_the_build_context_holds_what_is_copied_and_nothing_else(dockerfile: list[str], image_folder: Path) -> None:
    rules = [r for r in (image_folder / ".dockerignore").read_text().splitlines() if r and not r.startswith("#")]
    assert rules[0] == "*"
    assert {rule.removeprefix("!") for rule in rules[1:]} == set(sources(dockerfile))


def test_the_base_is_pinned_by_digest(dockerfile: list[str]) -> None:
    bases = [line for line in dockerfile if line.startswith("FROM ")]
    assert len(bases) == 1
    assert re.fullmatch(r"FROM nvcr\.io/nvidia/tritonserver:[\d.]+-py3@sha256:[0-9a-f]{64}", bases[0])


def test_the_container_does_not_run_as_root(dockerfile: list[str]) -> None:
    users = [line for line in dockerfile if line.startswith("USER ")]
    assert users and users[-1] == "USER 1000:1000"


def test_the_container_reports_nothing_to_the_maker_of_a_runtime(dockerfile: list[str]) -> None:
    assert any("ORT_DISABLE_TELEMETRY=1" in line for line in dockerfile)


def test_packages_are_installed_from_the_lock_with_hashes_alone(dockerfile: list[str], image_folder: Path) -> None:
    (install,) = [line for line in dockerfile if "pip install" in line]
    assert "--require-hashes" in install and "--no-deps" in install and "runtime.lock" in install
    lock = (image_folder / "runtime.lock").read_text()
    assert all("--hash=sha256:" in entry for entry in re.split(r"\n(?=[a-z])", lock) if "==" in entry)


def test_the_container_and_the_local_environment_have_the_same_packages(image_folder: Path) -> None:
    container, local = pinned(image_folder / "runtime.lock"), pinned(image_folder / "requirements.lock")
    assert container
    assert {name: local.get(name) for name in container} == container


def test_what_the_models_import_is_in_the_container(image_folder: Path) -> None:
    models = [
        path for folder in ("model_repository", "router/template") for path in (image_folder / folder).rglob("*.py")
    ]
    own = {path.parent.name if path.name == "__init__.py" else path.stem for path in models}
    # A namespace that several packages share: `google.cloud.firestore` comes with google-cloud-firestore.
    own |= (
        {"google"}
        if any(name.startswith("google-cloud-") for name in pinned(image_folder / "runtime.lock"))
        else set()
    )
    there = set(sys.stdlib_module_names) | IN_THE_BASE_IMAGE | own | set(pinned(image_folder / "runtime.lock"))
    wanted = {
        name.split(".")[0]
        for path in models
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and not node.level
            else []
        )
    }
    assert wanted - there == set()


def test_the_lookup_knows_every_variable_of_the_contract(feature_store: ModuleType) -> None:
    named = {value for name, value in vars(serving).items() if name.startswith("FEATURES_")}
    assert {name for name in named if name not in (feature_store.__doc__ or "")} == set()


def test_every_step_of_the_ensemble_is_a_model_of_the_repository(image_folder: Path) -> None:
    root = image_folder / "model_repository"
    steps = re.findall(r'model_name: "(\w+)"', (root / "tumour_risk" / "config.pbtxt").read_text())
    assert {*steps, "tumour_risk"} == {path.name for path in root.iterdir()}


def test_every_model_says_its_name_versions_and_batch_size(image_folder: Path) -> None:
    for config in (image_folder / "model_repository").glob("*/config.pbtxt"):
        text = config.read_text()
        assert f'name: "{config.parent.name}"' in text
        assert "version_policy" in text and "max_batch_size: 64" in text


def test_the_lookup_gives_the_entity_of_the_self_check_the_training_means(
    feature_store: ModuleType, image_folder: Path
) -> None:
    check = json.loads((image_folder / "model_repository/tumour_risk/1/self_check.json").read_text())
    asked = {tensor["name"]: tensor["data"] for tensor in check["inputs"]}
    assert set(asked["entity_id"]) == {feature_store.SELF_CHECK_ENTITY}
    assert set(check["outputs"]["features_source"]) == {"training_means"}
    assert set(check["outputs"]["label"]) == {"malignant", "benign"}, "a classifier that says one thing is found out"


def test_no_model_is_cached(image_folder: Path) -> None:
    """With a cache a dead model's error comes back as an answer without outputs (seen on Triton 2.51, 2026-11-22)."""
    configs = (image_folder / "model_repository").glob("*/config.pbtxt")
    assert not [path.parent.name for path in configs if "response_cache" in path.read_text()]


def test_what_waits_has_a_limit_and_an_end(image_folder: Path) -> None:
    for path in (image_folder / "model_repository").glob("*/config.pbtxt"):
        text = path.read_text()
        if "ensemble_scheduling" not in text:
            assert "max_queue_size: " in text and "timeout_action: REJECT" in text, path.parent.name
            assert "default_timeout_microseconds: " in text, path.parent.name


def test_the_fallback_has_a_value_for_every_stored_feature(image_folder: Path) -> None:
    fallback = json.loads((image_folder / "model_repository/feature_lookup/1/fallback.json").read_text())
    stored = json.loads((image_folder / "features" / "held_out.json").read_text())
    assert fallback["features"] == stored["features"]
    assert {len(row) for row in stored["entities"].values()} == {len(fallback["means"])}


def test_every_golden_prediction_has_its_stored_features(image_folder: Path) -> None:
    golden = json.loads((image_folder / "golden" / "predictions.json").read_text())
    stored = json.loads((image_folder / "features" / "held_out.json").read_text())
    assert {prediction["entity_id"] for prediction in golden["predictions"]} == stored["entities"].keys()
