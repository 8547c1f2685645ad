"""Training can be repeated: it gives the committed model, features and golden predictions again."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

pytestmark = [pytest.mark.triton, pytest.mark.xdist_group("triton")]


@pytest.fixture(scope="module")
def retrained(image_folder: Path, serving_python: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder that a new training filled, and what it printed."""
    out = tmp_path_factory.mktemp("trained")
    run = subprocess.run(
        [serving_python, "-I", image_folder / "train.py", "--out", out], capture_output=True, text=True, check=True
    )
    return out, run.stdout


def test_the_held_out_accuracy_is_printed_as_recorded(retrained: tuple[Path, str], image_folder: Path) -> None:
    recorded = json.loads((image_folder / "golden" / "predictions.json").read_text())["held_out_accuracy"]
    assert f"held-out accuracy {recorded:.4f}" in retrained[1]


def test_the_golden_predictions_come_out_again(retrained: tuple[Path, str], image_folder: Path) -> None:
    committed = json.loads((image_folder / "golden" / "predictions.json").read_text())
    again = json.loads((retrained[0] / "golden" / "predictions.json").read_text())
    assert [p["label"] for p in again["predictions"]] == [p["label"] for p in committed["predictions"]]
    assert [p["probability"] for p in again["predictions"]] == pytest.approx(
        [p["probability"] for p in committed["predictions"]], abs=committed["tolerance"] / 10
    )


@pytest.mark.parametrize("file", ["features/held_out.json", "model_repository/feature_lookup/1/fallback.json"])
def test_the_features_come_out_again(retrained: tuple[Path, str], image_folder: Path, file: str) -> None:
    assert (retrained[0] / file).read_text() == (image_folder / file).read_text()


def test_the_lineage_comes_out_again(retrained: tuple[Path, str], image_folder: Path) -> None:
    committed, again = (json.loads((f / "lineage.json").read_text()) for f in (image_folder, retrained[0]))
    del committed["trainer"]["python"], again["trainer"]["python"]
    assert again == committed
