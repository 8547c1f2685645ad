"""Reads one resource type's arguments and outputs from the installed SDK's own classes, as plain tables.

The SDKs are generated: each resource class has overloads that name its `…Args` class, whose property getters
carry the wire name (`pulumi.getter(name=…)`) and the type (an annotation around `pulumi.Input`). Nothing here
runs a provider. A table is plain JSON, so that it can be kept on disk and read back without the SDK.
"""

from __future__ import annotations

import enum
import importlib
import sys
import typing
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from types import NoneType, UnionType
from typing import Any, Final, ForwardRef, Literal, TypeAlias, Union, cast, get_args, get_origin

WireType: TypeAlias = "str | list[Any]"
"""`str`, `bool`, `int`, `number`, `any`, `asset`; or `[list, T]`, `[map, T]`, `[object, NAME]`,
`[enum, VALUE…]`, `[union, T…]`."""

Fields: TypeAlias = "dict[str, tuple[WireType, bool]]"
"""Wire name → (type, whether it is required)."""

SDK_PACKAGES: Final[Mapping[str, str]] = {
    "aws": "pulumi_aws",
    "gcp": "pulumi_gcp",
    "kubernetes": "pulumi_kubernetes",
}
"""Provider package → the Python package of its SDK."""

PROVIDER_PREFIX: Final = "pulumi:providers:"

_SCALARS: Final[Mapping[Any, WireType]] = {str: "str", bool: "bool", int: "int", float: "number", Any: "any"}


@dataclass(frozen=True)
class ResourceSchema:
    """One resource type: its inputs, the object types that they use, and the names of its outputs.

    `is_provider`: every input that is not a string travels as that value's JSON text.
    """

    inputs: Fields
    objects: Mapping[str, Fields] = field(default_factory=dict)
    outputs: frozenset[str] = frozenset()
    is_provider: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "inputs": self.inputs,
            "objects": dict(self.objects),
            "outputs": sorted(self.outputs),
            "is_provider": self.is_provider,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> ResourceSchema:
        """The inverse of `to_json`."""
        return ResourceSchema(data["inputs"], data["objects"], frozenset(data["outputs"]), bool(data["is_provider"]))


def package_of(token: str) -> str | None:
    """The provider package that a type token belongs to; None for Pulumi's own and for components'."""
    package = token.removeprefix(PROVIDER_PREFIX).split(":", 1)[0]
    return package if package in SDK_PACKAGES else None


def read_schema(token: str) -> ResourceSchema | None:
    """The table of `token` from the installed SDK; None if the SDK has no such resource type."""
    cls = _resource_class(token)
    args = _args_class(cls) if cls is not None else None
    if cls is None or args is None:
        return None
    reader = _Reader()
    inputs = reader.fields(args)
    reader.finish()
    outputs = frozenset(name for name, _ in _wire_properties(cls))
    return ResourceSchema(inputs, reader.objects, outputs, token.startswith(PROVIDER_PREFIX))


def has_kubernetes_group(group: str) -> bool:
    """Whether the Kubernetes SDK has any version of this API group, such as `networking.k8s.io`."""
    from pulumi.runtime import rpc

    importlib.import_module(SDK_PACKAGES["kubernetes"])
    versions = ("v1", "v2", "v1beta1", "v1beta2", "v1beta3", "v2beta1", "v1alpha1", "v1alpha2", "v1alpha3")
    return any(rpc.get_resource_module("kubernetes", f"{group}/{v}", "") is not None for v in versions)


def _resource_class(token: str) -> type | None:
    from pulumi.runtime import rpc

    package = package_of(token)
    if package is None:
        return None
    importlib.import_module(SDK_PACKAGES[package])
    if token.startswith(PROVIDER_PREFIX):
        return cast(type, importlib.import_module(f"{SDK_PACKAGES[package]}.provider").Provider)
    parts = token.split(":")
    module: Any = rpc.get_resource_module(package, parts[1], "") if len(parts) == 3 else None
    name = module.mod_info["classes"].get(token) if module is not None else None
    if module is None or name is None:
        return None
    return cast(type, getattr(importlib.import_module(module.mod_info["fqn"]), name))


def _args_class(cls: type) -> type | None:
    """The `…Args` class: the annotation of `args` in one of the constructor's overloads."""
    for overload in typing.get_overloads(cls.__init__):
        annotation = overload.__annotations__.get("args")
        if isinstance(annotation, str):
            annotation = getattr(sys.modules[cls.__module__], annotation, None)
        for candidate in (annotation, *get_args(annotation)):
            if isinstance(candidate, type) and candidate is not NoneType:
                return candidate
    return None


def _wire_properties(cls: type) -> typing.Iterator[tuple[str, Any]]:
    """Wire name and raw annotation of every property that `pulumi.getter` marked."""
    for base in reversed(cls.__mro__):
        for value in vars(base).values():
            wire_name = getattr(value.fget, "_pulumi_name", None) if isinstance(value, property) else None
            if wire_name is not None:
                yield wire_name, value.fget.__annotations__.get("return", Any)


class _Reader:
    """Turns annotations into wire types, and collects the object types that they lead to."""

    def __init__(self) -> None:
        self.objects: dict[str, Fields] = {}
        self._pending: list[tuple[str, type]] = []
        self._seen: set[str] = set()

    def fields(self, cls: type) -> Fields:
        """The properties of an input class."""
        namespace = vars(sys.modules[cls.__module__])
        return {
            name: (self._wire_type(annotation, namespace), not _admits_none(annotation))
            for name, annotation in _wire_properties(cls)
        }

    def finish(self) -> None:
        """Read the object types that are only named so far; recursive types end here."""
        while self._pending:
            name, cls = self._pending.pop()
            self.objects[name] = self.fields(cls)

    def _wire_type(self, annotation: Any, namespace: Mapping[str, Any]) -> WireType:
        if isinstance(annotation, (str, ForwardRef)):
            return self._wire_type(_resolve(annotation, namespace), namespace)
        if annotation in _SCALARS:
            return _SCALARS[annotation]
        origin, args = get_origin(annotation), get_args(annotation)
        if origin in (Union, UnionType):
            return self._union(args, namespace)
        if origin in (list, Sequence):
            return ["list", self._wire_type(args[0], namespace)]
        if origin in (dict, Mapping):
            return ["map", self._wire_type(args[1], namespace)]
        if origin is Literal:
            return ["enum", *args]
        return self._class(annotation) if isinstance(annotation, type) else "any"

    def _union(self, args: tuple[Any, ...], namespace: Mapping[str, Any]) -> WireType:
        """A union without the wrappers that `pulumi.Input` adds to a plain value."""
        members: list[WireType] = []
        for arg in args:
            if arg is NoneType or _is_wrapper(arg):
                continue
            member = self._wire_type(arg, namespace)
            if member not in members:
                members.append(member)
        if not members or "any" in members:
            return "any"
        return members[0] if len(members) == 1 else ["union", *members]

    def _class(self, cls: type) -> WireType:
        from pulumi import Archive, Asset, Resource

        if issubclass(cls, enum.Enum):
            return ["enum", *(member.value for member in cls)]
        if issubclass(cls, (Asset, Archive)):
            return "asset"
        if issubclass(cls, Resource):
            return "str"  # travels as its id
        if not hasattr(cls, "_pulumi_input_type"):
            return "any"
        name = f"{cls.__module__}.{cls.__qualname__}"
        if name not in self._seen:
            self._seen.add(name)
            self._pending.append((name, cls))
        return ["object", name]


def _is_wrapper(arg: Any) -> bool:
    from pulumi import Output

    if isinstance(arg, ForwardRef):
        return arg.__forward_arg__.startswith("Output[")
    return arg is Output or get_origin(arg) in (Awaitable, Output)


def _admits_none(annotation: Any) -> bool:
    if annotation is NoneType or annotation is Any:
        return True
    return get_origin(annotation) in (Union, UnionType) and any(_admits_none(a) for a in get_args(annotation))


def _resolve(name: str | ForwardRef, namespace: Mapping[str, Any]) -> Any:
    """The class that a forward reference such as `_meta.v1.ObjectMetaArgs` names; Any if there is none."""
    first, *rest = (name.__forward_arg__ if isinstance(name, ForwardRef) else name).split(".")
    target = namespace.get(first, Any)
    for part in rest:
        target = getattr(target, part, Any)
    return target
