"""Checks a resource's inputs, in their wire form, against the arguments that the installed SDK declares.

Usage:

    check_inputs("aws:s3/bucket:Bucket", {"bukcet": "models"})  # → unknown argument, did you mean `bucket`?
    output_properties("aws:s3/bucket:Bucket")                   # → frozenset({"arn", "bucket", …})
    schema_of("aws:s3/buckets:Bucket")                          # → None
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

from common.marks import SECRET, UNKNOWN
from common.sdk.schema import Fields, ResourceSchema, WireType, has_kubernetes_group, package_of
from common.sdk.store import load_schema

ProblemKind = Literal["unknown", "missing", "type"]

ENGINE_UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""Stands for an unknown value on the wire (Pulumi's `runtime.rpc.UNKNOWN`)."""

SIGNATURE_KEY: Final = "4dabf18193072939515e22adb298388d"
"""Marks an object on the wire that is not plain data; its value says which kind (Pulumi's resource.SigKey)."""

SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a public marker, not a secret
OUTPUT_SIGNATURE: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
RESOURCE_SIGNATURE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
ASSET_SIGNATURES: Final = frozenset(
    {"c44067f5952c0a294b673a41bacd8c17", "0def7320c3a5731c473e5ecbe6d01bc7"}  # asset, archive
)

_KIND_NAMES: Final = {
    "str": "a string",
    "bool": "true or false",
    "int": "a whole number",
    "number": "a number",
    "asset": "an asset or archive",
    "list": "a list",
    "map": "a map",
    "object": "an object",
}

_CUSTOM_KUBERNETES: Final = ResourceSchema(
    {"apiVersion": ("str", False), "kind": ("str", False), "metadata": (["map", "any"], False)}
)


@dataclass(frozen=True)
class InputProblem:
    """One input that the SDK refuses. `path` is dotted, list positions as numbers, wire names throughout.

    `reason` never holds the value of a secret.
    """

    path: str
    reason: str
    kind: ProblemKind


@cache
def schema_of(token: str) -> ResourceSchema | None:
    """The SDK's table of a resource or provider type (`pulumi:providers:aws`); None if the SDK has none."""
    return load_schema(token)


def output_properties(token: str) -> frozenset[str]:
    """Wire names of the resource's outputs, its inputs among them; empty for a type that the SDK lacks."""
    schema = schema_of(token)
    return schema.outputs if schema else frozenset()


def input_properties(token: str) -> frozenset[str]:
    """Wire names of the resource's arguments; empty for a type that the SDK lacks."""
    schema = schema_of(token)
    return frozenset(schema.inputs) if schema else frozenset()


def check_inputs(type_token: str, inputs: Mapping[str, Any]) -> list[InputProblem]:
    """Everything in `inputs` that the SDK does not know, misses or types otherwise; empty if all is well.

    Unknown values and masked secrets (the inventory's marks and the wire's) fit any type; a secret that is
    still wrapped is looked into. Keys of free-form maps (tags, labels, config data) are not arguments.
    A custom resource of Kubernetes has no type in the SDK, so only its head is checked.
    """
    schema = schema_of(type_token)
    if schema is not None:
        return list(_Checker(schema).object(inputs, schema.inputs, ""))
    if _is_custom_kubernetes(type_token):
        head = {key: inputs[key] for key in _CUSTOM_KUBERNETES.inputs if key in inputs}
        return list(_Checker(_CUSTOM_KUBERNETES).object(head, _CUSTOM_KUBERNETES.inputs, ""))
    return [InputProblem("", f"the installed SDK has no resource type {type_token}", "unknown")]


def _is_custom_kubernetes(token: str) -> bool:
    """Whether the API group is a domain name of which the SDK knows no version."""
    if package_of(token) != "kubernetes" or token.count(":") != 2:
        return False
    group = token.split(":")[1].split("/")[0]
    return "." in group and not has_kubernetes_group(group)


class _Checker:
    """Walks inputs beside the table of their type."""

    def __init__(self, schema: ResourceSchema) -> None:
        self.schema = schema

    def object(self, value: Mapping[str, Any], fields: Fields, path: str) -> Iterator[InputProblem]:
        """Problems of an object with declared fields."""
        top = path == ""
        for key, item in value.items():
            if key in fields:
                kind = fields[key][0]
                yield from self._provider_value(item, kind, key) if top else self.value(item, kind, f"{path}.{key}")
            elif not (top and key.startswith("__")):  # `__defaults` and `__internal` are the engine's own
                yield InputProblem(_join(path, key), _unknown_reason(key, fields), "unknown")
        for key, (_, required) in fields.items():
            if required and value.get(key) is None:
                yield InputProblem(_join(path, key), "required, and not given", "missing")

    def _provider_value(self, value: Any, kind: WireType, path: str) -> Iterator[InputProblem]:
        """A top-level value; a provider's travels as JSON text unless it is a string."""
        if self.schema.is_provider and kind != "str" and isinstance(value, str) and not _is_mark(value):
            try:
                value = json.loads(value)
            except ValueError:
                yield InputProblem(path, f"expected {_describe(kind)} as JSON text", "type")
                return
        yield from self.value(value, kind, path)

    def value(self, value: Any, kind: WireType, path: str, secret: bool = False) -> Iterator[InputProblem]:
        """Problems of one value against its declared type."""
        value, inner_secret = _unwrap(value)
        secret = secret or inner_secret
        if kind == "any" or value is None or _is_mark(value):
            return
        name = kind if isinstance(kind, str) else kind[0]
        if name == "union":
            yield from self._union(value, kind[1:], path, secret)
        elif not _shape_fits(value, name):
            yield InputProblem(path, f"expected {_describe(kind)}, got {_got(value, secret)}", "type")
        elif name == "list":
            for position, item in enumerate(value):
                yield from self.value(item, kind[1], f"{path}.{position}", secret)
        elif name == "map":
            for key, item in value.items():
                yield from self.value(item, kind[1], f"{path}.{key}", secret)
        elif name == "object":
            yield from self.object(value, self.schema.objects[kind[1]], path)
        elif name == "enum" and not any(_same_constant(v, value) for v in kind[1:]):
            yield InputProblem(path, f"expected {_describe(kind)}, got {_got(value, secret)}", "type")

    def _union(self, value: Any, members: Any, path: str, secret: bool) -> Iterator[InputProblem]:
        """No problem if one member fits, else those of the member that comes nearest."""
        best: list[InputProblem] | None = None
        for member in members:
            problems = list(self.value(value, member, path, secret))
            if not problems:
                return
            shape_fits = _shape_fits(value, member if isinstance(member, str) else member[0])
            if shape_fits and (best is None or len(problems) < len(best)):
                best = problems
        if best is None:
            expected = " or ".join(dict.fromkeys(_describe(m) for m in members))
            best = [InputProblem(path, f"expected {expected}, got {_got(value, secret)}", "type")]
        yield from best


def _unwrap(value: Any) -> tuple[Any, bool]:
    """The value inside wire wrappers, and whether one of them made it a secret."""
    secret = False
    while isinstance(value, Mapping) and SIGNATURE_KEY in value:
        signature = value[SIGNATURE_KEY]
        if signature == SECRET_SIGNATURE:
            secret, value = True, value.get("value")
        elif signature == OUTPUT_SIGNATURE:
            secret, value = secret or bool(value.get("secret")), value.get("value", ENGINE_UNKNOWN)
        elif signature == RESOURCE_SIGNATURE:
            value = value.get("id", value.get("urn"))
        else:
            break
    return value, secret


def _is_mark(value: Any) -> bool:
    return isinstance(value, str) and value in (ENGINE_UNKNOWN, UNKNOWN, SECRET)


def _shape_fits(value: Any, name: str) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    match name:
        case "str":
            return isinstance(value, str)
        case "bool":
            return isinstance(value, bool)
        case "int":
            return is_number and float(value).is_integer()
        case "number":
            return is_number
        case "list":
            return isinstance(value, (list, tuple))
        case "map" | "object":
            return isinstance(value, Mapping) and SIGNATURE_KEY not in value
        case "asset":
            return isinstance(value, Mapping) and value.get(SIGNATURE_KEY) in ASSET_SIGNATURES
        case _:
            return not isinstance(value, (list, tuple, Mapping))


def _same_constant(constant: Any, value: Any) -> bool:
    return isinstance(constant, bool) == isinstance(value, bool) and constant == value


def _describe(kind: WireType) -> str:
    if isinstance(kind, str):
        return _KIND_NAMES.get(kind, kind)
    if kind[0] == "enum":
        return "one of " + ", ".join(str(v) for v in kind[1:])
    if kind[0] == "union":
        return " or ".join(dict.fromkeys(_describe(m) for m in kind[1:]))
    return _KIND_NAMES[kind[0]]


def _got(value: Any, secret: bool) -> str:
    if isinstance(value, bool):
        what = "true or false" if secret else str(value).lower()
    elif isinstance(value, (int, float)):
        what = "a number" if secret else f"the number {value:g}"
    elif isinstance(value, str):
        what = "a string" if secret or len(value) > 60 else f'the string "{value}"'
    elif isinstance(value, (list, tuple)):
        what = "a list"
    else:
        what = "an object"
    return what


def nearest_argument(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `name` is probably a misspelling of."""
    known = list(candidates)
    close = difflib.get_close_matches(name, known, n=1)
    squeezed = name.replace("_", "").lower()
    return next(iter([k for k in known if k.replace("_", "").lower() == squeezed] or close), None)


def _unknown_reason(key: str, fields: Fields) -> str:
    near = nearest_argument(key, fields)
    return "no such argument" + (f"; did you mean {near}?" if near else "")


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
