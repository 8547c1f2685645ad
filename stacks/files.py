"""The stacks' files: which are committed, and what their configuration holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from stacks.problems import SettingsError, unreadable

CONFIG_DIR: Final = Path(__file__).resolve().parent / "config"


def stack_names() -> tuple[str, ...]:
    """The committed stacks, by their files' names, sorted."""
    return tuple(
        sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in CONFIG_DIR.glob("Pulumi.*.yaml"))
    )


def is_bootstrap(stack: str) -> bool:
    """Whether a stack, by its name, prepares an account instead of being a platform."""
    return stack.startswith("bootstrap-")


def platform_names() -> tuple[str, ...]:
    """The committed stacks that are platforms, sorted."""
    return tuple(name for name in stack_names() if not is_bootstrap(name))


def stack_file(stack: str) -> Path:
    """The settings file of `stack`, which need not exist."""
    return CONFIG_DIR / f"Pulumi.{stack}.yaml"


def config_of(path: Path) -> Mapping[str, Any]:
    """The configuration in a stack's file, by key; empty where it has none.

    Raises:
        SettingsError: the file is missing, or not YAML.
    """
    try:
        document = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        remedy = "Copy another stack's file and change it."
        raise SettingsError.of(str(path), "", None, "an existing file", remedy) from None
    except (MarkedYAMLError, UnicodeDecodeError) as error:
        remedy = "Correct the line that is named above."
        raise SettingsError.of(str(path), "", unreadable(error), "valid YAML", remedy) from None
    config = document.get("config") if isinstance(document, Mapping) else None
    return config if isinstance(config, Mapping) else {}


def values_of(path: Path, key: str) -> Any:
    """What stands under `key` in the configuration of a stack's file.

    Raises:
        SettingsError: as `config_of`, or the key is missing.
    """
    config = config_of(path)
    if key not in config:
        raise SettingsError.of(
            str(path), f"config.{key}", None, "an object with the stack's settings", "Add the key."
        )
    return config[key]


def check_named(path: Path, stack: str, fields: str) -> None:
    """Refuse a file that is not named after its stack; `fields` are the settings that make the name.

    Raises:
        SettingsError: it is not.
    """
    named = path.name.removeprefix("Pulumi.").removesuffix(".yaml")
    if named != stack:
        allowed = f"the stack that the file is named after: {named}"
        raise SettingsError.of(str(path), fields, stack, allowed, "Correct the settings, or rename the file.")
