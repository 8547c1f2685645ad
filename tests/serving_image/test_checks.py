"""What a request must be: each fault is named by field and row, and a request without one passes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

CASES = """
import json, sys
import numpy as np
sys.path.insert(0, sys.argv[1])
from checks import Limits, decode, faults
limits = Limits(("radius", "area"), (10.0, 100.0))
def of(ids, rows):
    raw = np.array([[i] for i in ids], dtype=object)
    return faults(decode(raw), np.array(rows, dtype=np.float32), limits)
nan, inf = float("nan"), float("inf")
print(json.dumps({
    "right": of([b"a", b" b "], [[0, 0], [10, 100]]),
    "nan": of([b"a", b"b"], [[1, 1], [1, nan]]),
    "inf": of([b"a"], [[inf, 1]]),
    "negative": of([b"a"], [[-1, 1]]),
    "large": of([b"a"], [[1, 101]]),
    "empty": of([b"a", b"  "], [[1, 1], [1, 1]]),
    "long": of([b"x" * 257], [[1, 1]]),
    "bytes": of([b"\\xff"], [[1, 1]]),
    "control": of([b"a\\nb"], [[1, 1]]),
    "many": of([b""] * 9, [[1, 1]] * 9),
    "both": of([b""], [[1, nan]]),
}))
"""


@pytest.fixture(scope="module")
def found(image_folder: Path, serving_python: Path) -> dict[str, list[str]]:
    """What the checks say of each case; numpy is in the serving environment alone, as in the container."""
    folder = image_folder / "model_repository" / "feature_lookup" / "1"
    run = subprocess.run(
        [serving_python, "-I", "-W", "error", "-c", CASES, folder], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("right", []),
        ("nan", ["row 1: measurements[1] (area) is nan; it must be from 0 to 100"]),
        ("inf", ["row 0: measurements[0] (radius) is inf; it must be from 0 to 10"]),
        ("negative", ["row 0: measurements[0] (radius) is -1; it must be from 0 to 10"]),
        ("large", ["row 0: measurements[1] (area) is 101; it must be from 0 to 100"]),
        ("empty", ["row 1: entity_id is empty"]),
        ("long", ["row 0: entity_id has 257 bytes; it may have 256"]),
        ("bytes", ["row 0: entity_id is not UTF-8"]),
        ("control", ["row 0: entity_id has a character that cannot be printed"]),
        (
            "both",
            ["row 0: entity_id is empty", "row 0: measurements[1] (area) is nan; it must be from 0 to 100"],
        ),
    ],
)
def test_a_fault_is_named_by_field_and_row(found: dict[str, list[str]], case: str, told: list[str]) -> None:
    assert found[case] == told


def test_many_faults_are_counted_not_all_told(found: dict[str, list[str]]) -> None:
    assert len(found["many"]) == 6 and found["many"][-1] == "and 4 more"


def test_the_checks_need_no_more_than_numpy(image_folder: Path) -> None:
    text = (image_folder / "model_repository/feature_lookup/1/checks.py").read_text()
    imported = {line.split()[1].split(".")[0] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert imported - set(sys.stdlib_module_names) == {"numpy"}
