"""Loads the code of the model repository, which is no package: Triton loads it by path, and so do the tests."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2] / "serving_image"


@pytest.fixture(scope="session")
def image_folder() -> Path:
    """The folder of the serving image."""
    return ROOT


@pytest.fixture(scope="session")
def feature_store() -> ModuleType:
    """The module `feature_store` of the model `feature_lookup`."""
    path = ROOT / "model_repository" / "feature_lookup" / "1" / "feature_store"
    spec = importlib.util.spec_from_file_location(
        "serving_image_feature_store", path / "__init__.py", submodule_search_locations=[str(path)]
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
