"""Turns the engine's wire values into plain Python and back, keeping track of what is secret or unknown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import struct_pb2

from common.sdk.types import ENGINE_UNKNOWN, SECRET_SIGNATURE, SIGNATURE_KEY


class Unknown:
    """A value that only a later step of the update can compute; there is one instance, `UNKNOWN`."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()

Path = tuple[str | int, ...]
"""Where a value lies inside a resource's properties: `("rules", 0, "id")`."""


@dataclass(frozen=True)
class Decoded:
    """A resource's properties without wrappers, and the paths whose values are secret."""

    values: dict[str, Any]
    secrets: frozenset[Path]


def path_text(path: Path) -> str:
    """A path as Pulumi prints it: `rules[0].id`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return text


def decode(struct: struct_pb2.Struct) -> Decoded:
    """Plain values of a wire struct: whole floats become ints, secrets are unwrapped, unknowns become `UNKNOWN`."""
    secrets: set[Path] = set()
    values = {key: _decode(value, (key,), secrets) for key, value in struct.fields.items()}
    return Decoded(values, frozenset(secrets))


def _decode(value: struct_pb2.Value, path: Path, secrets: set[Path]) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value == ENGINE_UNKNOWN else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_decode(item, (*path, i), secrets) for i, item in enumerate(value.list_value.values)]
    if kind == "struct_value":
        fields = value.struct_value.fields
        if SIGNATURE_KEY in fields and fields[SIGNATURE_KEY].string_value == SECRET_SIGNATURE:
            secrets.add(path)
            return _decode(fields["value"], path, secrets)
        return {key: _decode(item, (*path, key), secrets) for key, item in fields.items()}
    return None


def encode(values: Mapping[str, Any], secrets: Iterable[Path] = ()) -> struct_pb2.Struct:
    """The wire struct of plain values; what lies at a path of `secrets` is wrapped as a secret."""
    struct = struct_pb2.Struct()
    paths = frozenset(secrets)
    for key, value in values.items():
        _encode(value, struct.fields[key], (key,), paths)
    return struct


def _encode(value: Any, target: struct_pb2.Value, path: Path, secrets: frozenset[Path]) -> None:
    if path in secrets:
        target.struct_value.fields[SIGNATURE_KEY].string_value = SECRET_SIGNATURE
        target = target.struct_value.fields["value"]
    if isinstance(value, Unknown):
        target.string_value = ENGINE_UNKNOWN
    elif value is None:
        target.null_value = struct_pb2.NullValue.NULL_VALUE
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int | float):
        target.number_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, Mapping):
        fields = target.struct_value.fields
        target.struct_value.SetInParent()
        for key, item in value.items():
            _encode(item, fields[key], (*path, key), secrets)
    elif isinstance(value, list | tuple):
        target.list_value.SetInParent()
        for i, item in enumerate(value):
            _encode(item, target.list_value.values.add(), (*path, i), secrets)
    else:
        raise TypeError(f"{path_text(path)} is a {type(value).__name__}, which a provider cannot send")


def has_unknown(value: Any) -> bool:
    """Whether `value` is or holds an unknown."""
    if isinstance(value, Unknown):
        return True
    if isinstance(value, Mapping):
        return any(has_unknown(item) for item in value.values())
    return isinstance(value, list | tuple) and any(has_unknown(item) for item in value)


def secret_paths_of_outputs(
    outputs: Mapping[str, Any], secret_inputs: frozenset[Path], secret_outputs: Iterable[str]
) -> frozenset[Path]:
    """What is secret in outputs: echoes of secret inputs, and the properties that always are."""
    present = {path for path in secret_inputs if _exists(outputs, path)}
    whole = {(path[0],) for path in secret_inputs if path not in present and path[0] in outputs}
    return frozenset(present | whole | {(name,) for name in secret_outputs if name in outputs})


def _exists(values: Any, path: Path) -> bool:
    node: Any = values
    for part in path:
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True
