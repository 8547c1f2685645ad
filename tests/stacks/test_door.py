"""The door beside the rest of a stack's settings."""

from __future__ import annotations

import pytest

from stacks.files import platform_names, values_of
from stacks.settings import CONFIG_KEY, Settings, SettingsError, stack_file
from tests.components.kubernetes.gateway.doors import PUBLIC


@pytest.mark.parametrize("stack", platform_names())
def test_no_committed_stack_is_public(stack: str) -> None:
    assert Settings.load(stack_file(stack)).fleet.door.public is None


@pytest.mark.parametrize("missing", ["source_ranges", "firewall_because"])
def test_a_public_door_names_its_clients_and_a_reason(missing: str) -> None:
    values = values_of(stack_file("dev-aws"), CONFIG_KEY)
    assert isinstance(values, dict)
    values["fleet"]["door"]["public"] = {key: value for key, value in PUBLIC.items() if key != missing}

    with pytest.raises(SettingsError, match=rf"fleet\.door\.public\.{missing}"):
        Settings.parse(values, "dev-aws")
