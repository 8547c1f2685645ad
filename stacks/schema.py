"""Generates the JSON Schema that the stack files point to, and the settings reference: `python -m stacks.schema`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.contracts.machines import MACHINES
from components.contracts.regions import REGIONS
from stacks.bootstrap_settings import CONFIG_KEY as BOOTSTRAP_KEY
from stacks.bootstrap_settings import BootstrapSettings
from stacks.settings import CONFIG_DIR, CONFIG_KEY, Settings

SCHEMA_FILE = CONFIG_DIR / "settings.schema.json"
BOOTSTRAP_SCHEMA_FILE = CONFIG_DIR / "bootstrap.schema.json"
REFERENCE_FILE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
_ENCRYPTED = {
    "type": "object",
    "properties": {"secure": {"type": "string"}},
    "required": ["secure"],
    "additionalProperties": False,
    "description": "A value encrypted by `pulumi config set --secret`.",
}


def file_schema() -> dict[str, Any]:
    """The schema of a whole `Pulumi.<stack>.yaml`."""
    settings = Settings.model_json_schema(ref_template="#/$defs/{model}")
    definitions = settings.pop("$defs")
    for each in definitions.values():
        _take_encrypted(each.get("properties", {}))
    # The kind may be left out, so that several of the alternatives may fit; `Settings` tells them apart.
    store = settings["properties"]["feature_store"]
    del store["discriminator"]
    store["anyOf"] = store.pop("oneOf")
    settings["required"].remove("feature_store")
    regions = sorted({region for table in REGIONS.values() for region in table})
    machines = sorted({machine for table in MACHINES.values() for machine in table})
    settings["properties"]["region"]["enum"] = regions
    definitions["BackupSpec"]["properties"]["region"]["enum"] = regions
    definitions["NodePoolSpec"]["properties"]["machine_types"]["items"]["enum"] = machines
    definitions["ReservationSpec"]["properties"]["machine_type"]["enum"] = machines
    return _file("A Seawall stack", CONFIG_KEY, {**definitions, "Settings": settings}, "Settings")


def _take_encrypted(properties: Mapping[str, Any]) -> None:
    """Let each secret among a definition's properties stand encrypted, as the engine writes it into the file."""
    for field in properties.values():
        if any(form.get("format") == "password" for form in field.get("anyOf", ())):
            field["anyOf"] = [_ENCRYPTED, *field["anyOf"]]


def bootstrap_file_schema() -> dict[str, Any]:
    """The schema of a whole `Pulumi.bootstrap-<cloud>.yaml`."""
    settings = BootstrapSettings.model_json_schema(ref_template="#/$defs/{model}")
    definitions = settings.pop("$defs")
    settings["properties"]["region"]["enum"] = sorted({region for table in REGIONS.values() for region in table})
    named = {**definitions, "BootstrapSettings": settings}
    return _file("A Seawall bootstrap stack", BOOTSTRAP_KEY, named, "BootstrapSettings")


def _file(title: str, key: str, definitions: Mapping[str, Any], settings: str) -> dict[str, Any]:
    """The schema of a stack's file whose settings stand under `key`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "required": ["config"],
        "properties": {
            "secretsprovider": {"type": "string"},
            "encryptedkey": {"type": "string"},
            "encryptionsalt": {"type": "string"},
            "config": {
                "type": "object",
                "required": [key],
                "properties": {key: {"$ref": f"#/$defs/{settings}"}},
            },
        },
        "additionalProperties": False,
        "$defs": dict(definitions),
    }


def reference(platform: Mapping[str, Any], bootstrap: Mapping[str, Any]) -> str:
    """The settings reference in Markdown, section by section: of a platform stack, then of a bootstrap stack."""
    names = _sections(platform["$defs"], "Settings")
    parts = [
        "# Settings",
        "",
        "Generated from `stacks/settings.py`; each stack's file is `stacks/config/Pulumi.<stack>.yaml`, "
        f"and all of this stands there under `config.{CONFIG_KEY}`. A bootstrap stack's file has "
        f"[settings of its own](#bootstrapsettings) under `config.{BOOTSTRAP_KEY}`.",
    ]
    for name in names:
        parts += _section(name, platform["$defs"])
    for name in _sections(bootstrap["$defs"], "BootstrapSettings"):
        if name not in names:
            parts += _section(name, bootstrap["$defs"])
    return "\n".join(parts) + "\n"


def _sections(definitions: Mapping[str, Any], first: str) -> list[str]:
    return [first, *sorted(name for name in definitions if "properties" in definitions[name] and name != first)]


def _section(name: str, definitions: Mapping[str, Any]) -> list[str]:
    definition = definitions[name]
    parts = ["", f"## {name}", "", definition.get("description", ""), "", "| key | type | default | meaning |"]
    parts.append("|---|---|---|---|")
    required = definition.get("required", [])
    for key, field in definition["properties"].items():
        default = "**required**" if key in required else f"`{json.dumps(field.get('default'))}`"
        if key not in required and ("$ref" in field or all("$ref" in option for option in field.get("anyOf", [{}]))):
            default = "its section's defaults"
        meaning = field.get("description", "").replace("\n", " ").replace("|", "\\|")
        parts.append(f"| `{key}` | {_type(field, definitions)} | {default} | {meaning} |")
    return parts


def _type(field: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].rsplit("/", 1)[-1]
        values = definitions[name].get("enum")
        return " \\| ".join(f"`{v}`" for v in values) if values else f"[{name}](#{name.lower()})"
    if "anyOf" in field:
        return " or ".join(_type(option, definitions) for option in field["anyOf"])
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        values = field["enum"]
        return (
            " \\| ".join(f"`{v}`" for v in values) if len(values) <= 10 else "string (one of the table in the schema)"
        )
    kind = field.get("type", "any")
    bounds = [f"{word} {field[key]}" for key, word in (("minimum", "≥"), ("maximum", "≤")) if key in field]
    if kind == "array":
        return f"list of {_type(field['items'], definitions)}"
    if kind == "object" and isinstance(field.get("additionalProperties"), Mapping):
        return f"map to {_type(field['additionalProperties'], definitions)}"
    return " ".join([kind, *bounds])


def main() -> None:
    """Write the files."""
    platform, bootstrap = file_schema(), bootstrap_file_schema()
    for path, schema in ((SCHEMA_FILE, platform), (BOOTSTRAP_SCHEMA_FILE, bootstrap)):
        path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    REFERENCE_FILE.write_text(reference(platform, bootstrap), encoding="utf-8")


if __name__ == "__main__":
    main()
