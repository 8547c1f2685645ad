"""What a plan is compared with: importing the SDK classes of its resources."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from ops.bench.planning import IMPORT_CODE, sdk_classes

GOLDEN = Path(__file__).resolve().parents[2] / "golden"


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_every_class_of_a_plan_exists_in_the_sdks(cloud: str) -> None:
    golden = json.loads((GOLDEN / f"{cloud}.json").read_text(encoding="utf-8"))
    types = {key.split()[0] for key in golden["resources"] if not key.startswith("seawall:")}
    classes = sdk_classes(types)
    # Every custom resource, of whatever kind, is made by one class.
    custom = {kind for kind in types if sdk_classes([kind]) == ("pulumi_kubernetes.apiextensions:CustomResource",)}
    assert len(classes) == len(types - custom) + bool(custom)
    for name in classes:
        module, _, attribute = name.partition(":")
        assert isinstance(getattr(importlib.import_module(module), attribute), type), name


def test_the_import_asks_for_each_class() -> None:
    def run(name: str) -> int:
        return subprocess.run([sys.executable, "-c", IMPORT_CODE, name], capture_output=True, check=False).returncode

    assert run("collections:OrderedDict") == 0
    assert run("collections:NoSuchClass") != 0
