"""A policy is learnt from a log, judged on rows that it did not see, and written only if it is better."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from serving_image.router.train import main
from tests.serving_image.router.conftest import Train
from tests.serving_image.router.world import NEW_WORTH, drawn, seeded

pytestmark = [pytest.mark.triton, pytest.mark.xdist_group("router")]


def test_a_better_policy_is_written_with_a_true_estimate(train: Train, tmp_path: Path) -> None:
    done = train(drawn(seeded(5), 8000), tmp_path, tmp_path / "1")
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "1" / "policy.json").read_text())
    assert told["arms"] == ["stable", "b"] and re.fullmatch("[0-9a-f]{64}", told["weights_sha256"])
    mean, low, high = map(float, re.findall(r"policy_dr: ([\d.]+) \(([\d.]+) to ([\d.]+)\)", done.stdout)[0])
    # 95 of 100 rows to the better variant and 2.5 to each by the even share, as the policy of the world has it.
    assert low < NEW_WORTH + 0.03 and high > NEW_WORTH - 0.03 and mean > 0.55


def test_a_log_that_shows_nothing_better_writes_nothing(train: Train, tmp_path: Path) -> None:
    rows = drawn(seeded(5), 4000, worth=lambda _, arm: 0.5 if arm == "stable" else 0.3)
    done = train(rows, tmp_path, tmp_path / "1")
    assert done.returncode == 1 and "not written" in done.stdout and not (tmp_path / "1").exists()


def test_too_short_a_log_is_refused(train: Train, tmp_path: Path) -> None:
    done = train(drawn(seeded(5), 100), tmp_path, tmp_path / "1")
    assert done.returncode == 2 and "fewer than" in done.stderr and "Traceback" not in done.stderr


def test_a_first_policy_explores_without_weights(tmp_path: Path) -> None:
    given = ["--start", "--into", str(tmp_path), "--arm", "stable", "--arm", "b", "--feature", "x=measurements:0"]
    (tmp_path / "policy.vw").write_bytes(b"of before")
    assert main(given) == 0
    assert json.loads((tmp_path / "policy.json").read_text())["weights_sha256"] is None
    assert not (tmp_path / "policy.vw").exists()


@pytest.mark.parametrize("feature", ["x", "x=measurements", "x=measurements:one", "x y=measurements:0", "=a:0"])
def test_a_feature_without_its_place_is_refused(feature: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--start", "--into", str(tmp_path), "--arm", "a", "--arm", "b", "--feature", feature])
    assert ended.value.code == 2
