"""What a stack is: a platform or a bootstrap stack, told by the one key that its configuration has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stacks import bootstrap_settings
from stacks import settings as platform_settings
from stacks.bootstrap_settings import BootstrapSettings
from stacks.files import config_of, values_of
from stacks.problems import SettingsError
from stacks.settings import Settings

KEYS = (platform_settings.CONFIG_KEY, bootstrap_settings.CONFIG_KEY)
"""The configuration keys that hold a stack's settings; a stack has one of them."""

AnySettings = Settings | BootstrapSettings


def load(path: Path) -> AnySettings:
    """Read the settings of a `Pulumi.<stack>.yaml`, whichever kind of stack it is.

    Raises:
        SettingsError: the file is missing, not YAML, has not exactly one of the keys, or holds a bad state.
    """
    return (BootstrapSettings if _key_of(config_of(path), str(path)) == KEYS[1] else Settings).load(path)


def of_config(config: Mapping[str, Any], source: str) -> AnySettings:
    """The settings in a running program's configuration.

    Raises:
        SettingsError: as `load`.
    """
    key = _key_of(config, source)
    return (BootstrapSettings if key == KEYS[1] else Settings).parse(config[key], f"{key} of {source}")


def export(settings: AnySettings) -> None:
    """Declare the stack with the running program, and its outputs. Loads the SDK of one cloud."""
    if isinstance(settings, BootstrapSettings):
        from stacks.bootstrap import compose as compose_bootstrap

        compose_bootstrap(settings).export()
    else:
        from stacks.compose import compose

        compose(settings).export()


def _key_of(config: Mapping[str, Any], source: str) -> str:
    found = [key for key in KEYS if key in config]
    if len(found) == 1:
        return found[0]
    both = "one of both keys: a stack is a platform or prepares an account"
    what = " and ".join(found) if found else None
    remedy = "Remove one of them." if found else f"Add {KEYS[0]}, with the stack's settings."
    raise SettingsError.of(source, "config", what, both if found else " or ".join(KEYS), remedy)


__all__ = ["KEYS", "AnySettings", "export", "load", "of_config", "values_of"]
