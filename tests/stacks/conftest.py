"""Settings values that tests may break one by one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from ruamel.yaml import YAML

from stacks.settings import CONFIG_KEY, Settings, SettingsError, stack_file


@pytest.fixture
def values() -> Callable[[str], dict[str, Any]]:
    """The settings object of a committed stack, as a fresh dictionary."""

    def read(stack: str) -> dict[str, Any]:
        document = YAML(typ="safe").load(stack_file(stack).read_text(encoding="utf-8"))
        return copy.deepcopy(document["config"][CONFIG_KEY])

    return read


@pytest.fixture
def refusal() -> Callable[[object], SettingsError]:
    """Parses values that must be refused, and returns the refusal."""

    def parse(values: object) -> SettingsError:
        with pytest.raises(SettingsError) as caught:
            Settings.parse(values, "test")
        return caught.value

    return parse
