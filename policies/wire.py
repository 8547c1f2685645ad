"""Reads Pulumi's wire values into plain data, and masks what is secret or not known yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from common.sdk.types import (
    ASSET_SIGNATURES,
    ENGINE_UNKNOWN,
    OUTPUT_SIGNATURE,
    RESOURCE_SIGNATURE,
    SECRET_SIGNATURE,
    SIGNATURE_KEY,
)
from policies.inventory import SECRET, UNKNOWN

SHORTEST_TELLTALE: Final = 8
"""Characters that a secret must have before its appearance inside another text gives that text away."""


@dataclass
class Masked:
    """A value with its secrets and unknowns replaced by marks, and where they were.

    `secrets` holds the texts that were masked, so that they can be searched for elsewhere.
    """

    value: Any = None
    secret_paths: list[str] = field(default_factory=list)
    unknown_paths: list[str] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)


def plain(value: Any) -> Any:
    """A protobuf `Value`, `Struct` or `ListValue` as plain data; whole numbers become integers.

    Pulumi's wrappers (secrets, assets, resource references) stay as the objects that they are on the wire.
    """
    kind = (
        value.WhichOneof("kind") if hasattr(value, "WhichOneof") and "kind" in value.DESCRIPTOR.oneofs_by_name else ""
    )
    if kind == "struct_value":
        return _fields(value.struct_value)
    if kind == "list_value":
        return [plain(item) for item in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "string_value":
        return value.string_value
    if kind == "bool_value":
        return value.bool_value
    if kind == "null_value" or kind is None:
        return None
    return _fields(value)


def _fields(struct: Any) -> dict[str, Any]:
    """Sorted, because a protobuf map has no order of its own."""
    return {key: plain(struct.fields[key]) for key in sorted(struct.fields)}


def mask(value: Any, path: str = "") -> Masked:
    """Replace every secret and unknown below `value` by the inventory's marks; paths start at `path`."""
    masked = Masked()
    masked.value = _walk(value, path, masked)
    return masked


def _walk(value: Any, path: str, into: Masked) -> Any:
    if value == ENGINE_UNKNOWN:
        into.unknown_paths.append(path)
        return UNKNOWN
    if isinstance(value, Mapping):
        if SIGNATURE_KEY in value:
            return _wrapped(value, path, into)
        return {key: _walk(item, _join(path, key), into) for key, item in value.items()}
    if isinstance(value, list):
        return [_walk(item, _join(path, str(position)), into) for position, item in enumerate(value)]
    return value


def _wrapped(value: Mapping[str, Any], path: str, into: Masked) -> Any:
    signature = value[SIGNATURE_KEY]
    if signature == SECRET_SIGNATURE or (signature == OUTPUT_SIGNATURE and value.get("secret")):
        inner = value.get("value", ENGINE_UNKNOWN)
        into.secret_paths.append(path)
        if inner == ENGINE_UNKNOWN:
            into.unknown_paths.append(path)
        into.secrets.update(_telltales(inner))
        return SECRET
    if signature == OUTPUT_SIGNATURE:
        return _walk(value.get("value", ENGINE_UNKNOWN), path, into)
    if signature == RESOURCE_SIGNATURE:
        return _walk(value.get("id") or ENGINE_UNKNOWN, path, into)
    if signature in ASSET_SIGNATURES:
        return {"asset": {k: _walk(v, _join(path, k), into) for k, v in value.items() if k != SIGNATURE_KEY}}
    return {key: _walk(item, _join(path, key), into) for key, item in value.items()}


def _telltales(value: Any) -> Iterator[str]:
    """The text of a secret that is one text; parts of a larger secret may be harmless by themselves."""
    if isinstance(value, str) and value != ENGINE_UNKNOWN and len(value) >= SHORTEST_TELLTALE:
        yield value


def mask_telltales(value: Any, path: str, secrets: frozenset[str], found: list[str]) -> Any:
    """Mask every text and key below `value` that contains one of `secrets`; add their paths to `found`."""
    if isinstance(value, str):
        if any(secret in value for secret in secrets):
            found.append(path)
            return SECRET
        return value
    if isinstance(value, Mapping):
        return {
            mask_telltales(key, path, secrets, found): mask_telltales(item, _join(path, key), secrets, found)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [mask_telltales(v, _join(path, str(i)), secrets, found) for i, v in enumerate(value)]
    return value


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
