"""Whether rendered objects are what the cluster's version takes: by its own schemas, offline.

Kinds of the cluster itself are held to Kubernetes' published schemas of that minor version, strictly: a field that it
does not know is a fault, and so is a kind of one of its own groups that it does not have. Other kinds are held to the
definition that is rendered beside them, or that their chart brings; a kind whose definition is at neither place is
listed as not validated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.errors import UserError
from ops.render.manifests import CRDS, MARK, Rendering, name_of


@dataclass(frozen=True)
class Fault:
    """Something that the API server would refuse."""

    file: str
    object: str
    said: str


@dataclass(frozen=True)
class Validation:
    """What was found of a rendering."""

    faults: Sequence[Fault]
    unjudged: Sequence[str]
    """Objects whose kind nothing here defines."""


def validate(rendering: Rendering, brought: Sequence[Mapping[str, Any]] = ()) -> Validation:
    """Hold every object to its schema.

    Args:
        brought: definitions of kinds that charts bring.

    Raises:
        UserError: the schemas of this version of Kubernetes are not here.
    """
    import kubernetes_validate  # with it come the schemas of several versions
    from kubernetes_validate.utils import SchemaNotFoundError, VersionNotSupportedError

    rendered = [item for file, item in rendering.objects.items() if file.startswith(f"{CRDS}/")]
    defined = dict(_definitions([*brought, *rendered]))
    faults: list[Fault] = []
    unjudged: list[str] = []
    for file, item in rendering.objects.items():
        key = (str(item["apiVersion"]), str(item["kind"]))
        if key in defined:
            faults += [Fault(file, name_of(item), said) for said in _by_definition(item, defined[key])]
            continue
        try:
            kubernetes_validate.validate(item, rendering.kubernetes, strict=True)
        except kubernetes_validate.ValidationError as error:
            if MARK not in str(error.instance):  # of another type, perhaps, once it is known
                where = ".".join(map(str, error.path)) or "the object"
                faults.append(Fault(file, name_of(item), f"{where}: {error.message}"))
        except SchemaNotFoundError:
            group = key[0].rpartition("/")[0]
            if group in own_groups(rendering.kubernetes):
                faults.append(Fault(file, name_of(item), f"Kubernetes {rendering.kubernetes} has no {' '.join(key)}"))
            else:
                unjudged.append(name_of(item))
        except VersionNotSupportedError:
            raise UserError(
                f"no schemas of Kubernetes {rendering.kubernetes} are here",
                rendering.stack,
                "Raise kubernetes-validate in pyproject.toml, and run `make setup`.",
            ) from None
    return Validation(tuple(faults), tuple(unjudged))


def own_groups(version: str) -> frozenset[str]:
    """The API groups that Kubernetes itself has in a minor version; the first one has no name."""
    from kubernetes_validate.utils import schema_contents

    file = f"kubernetes-json-schema/v{version}.0-local-strict/_definitions.json"
    definitions: Mapping[str, Any] = schema_contents(file, version)["$defs"]
    kinds = (kind for each in definitions.values() for kind in each.get("x-kubernetes-group-version-kind", ()))
    return frozenset(kind["group"] for kind in kinds)


def _definitions(items: Iterable[Mapping[str, Any]]) -> Iterator[tuple[tuple[str, str], Mapping[str, Any]]]:
    for spec in (item["spec"] for item in items):
        for version in spec["versions"]:
            schema = (version.get("schema") or {}).get("openAPIV3Schema")
            if schema and version.get("served"):
                yield (f"{spec['group']}/{version['name']}", str(spec["names"]["kind"])), schema


def _by_definition(item: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """What a definition's schema says of an object; its rules in CEL are the API server's to judge."""
    from jsonschema import Draft202012Validator

    for error in Draft202012Validator(strict(schema, top=True)).iter_errors(item):
        if MARK not in str(error.instance):
            yield f"{'.'.join(map(str, error.path)) or 'the object'}: {error.message}"


def strict(schema: Any, *, top: bool = False) -> Any:
    """The schema as JSON Schema: fields that it does not name are refused, as in strict validation."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    found = {key: _inside(key, value) for key, value in schema.items() if key != "format"}
    if found.get("x-kubernetes-int-or-string"):
        found.pop("type", None)
        found["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    if found.get("nullable") and "type" in found:
        found["type"] = [found["type"], "null"]
    open_ended = found.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in found
    if "properties" in found and found.get("type") == "object" and not open_ended:
        found["additionalProperties"] = False
    if top:
        known = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}
        found["properties"] = {**found.get("properties", {}), **known, "metadata": {"type": "object"}}
    return found


def _inside(key: str, value: Any) -> Any:
    if key == "properties":
        return {name: strict(each) for name, each in value.items()}
    return strict(value) if key in ("items", "additionalProperties", "allOf", "anyOf", "oneOf", "not") else value
