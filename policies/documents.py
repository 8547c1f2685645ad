"""Reading AWS policy documents: JSON in a string or an object, single values or lists, Allow or Deny."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from policies.checks import ABSENT, failed, is_hidden, read, shown, unknown
from policies.inventory import Resource
from policies.model import Judgement

_KINDS: Final = ("table", "key", "alias")
"""What stands before the name in ARNs of DynamoDB and KMS; S3's ARNs begin with the bucket's name."""


@dataclass(frozen=True)
class Statement:
    """One statement, with single values made lists."""

    path: str
    """Where it stands: `policy.Statement.0`."""
    effect: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...]
    resources: tuple[str, ...]
    not_resources: tuple[str, ...]
    principals: tuple[str, ...]
    """All principals, whatever their kind (`*`, ARNs, service names, identity providers)."""
    not_principals: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, tuple[str, ...]]]
    """Operator → condition key → values, keys lower-cased."""

    @property
    def allows(self) -> bool:
        """Whether the statement grants."""
        return self.effect == "Allow"

    @property
    def anyone(self) -> bool:
        """Whether the statement speaks of every principal there is."""
        return "*" in self.principals

    @property
    def everything(self) -> str:
        """The resource that opens all of a service: `*`, an ARN whose name is `*`, or all but some; empty if none."""
        if self.not_resources:
            return "all but some"
        return next((resource for resource in self.resources if _is_everything(resource)), "")

    def acts_on(self, action: str) -> bool:
        """Whether the statement covers `action` (as `s3:GetObject`), wildcards included."""
        lowered = action.lower()
        return any(fnmatchcase(lowered, pattern.lower()) for pattern in self.actions)


def statements(resource: Resource, path: str) -> tuple[Statement, ...] | Judgement:
    """The statements of the policy document at `path`, or the judgement that follows from having none to read."""
    required = "a JSON policy document"
    value = read(resource, path)
    if value is ABSENT:
        return failed(path, "absent", required)
    if is_hidden(value):
        return unknown(path, required)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            return failed(path, shown(value), required)
    if not isinstance(value, Mapping):
        return failed(path, shown(value), required)
    listed = value.get("Statement", value.get("statements"))
    listed = [listed] if isinstance(listed, Mapping) else listed
    if not isinstance(listed, list) or not all(isinstance(entry, Mapping) for entry in listed):
        return failed(f"{path}.Statement", shown(listed), "a list of statements")
    return tuple(_statement(f"{path}.Statement.{index}", entry) for index, entry in enumerate(listed))


def _statement(path: str, entry: Mapping[str, Any]) -> Statement:
    return Statement(
        path=path,
        effect=str(_field(entry, "Effect")),
        actions=_texts(_field(entry, "Action")),
        not_actions=_texts(_field(entry, "NotAction")),
        resources=_texts(_field(entry, "Resource")),
        not_resources=_texts(_field(entry, "NotResource")),
        principals=tuple(_principals(_field(entry, "Principal"))),
        not_principals=tuple(_principals(_field(entry, "NotPrincipal"))),
        conditions=_conditions(_field(entry, "Condition")),
    )


def _is_everything(resource: str) -> bool:
    """Whether a resource is `*`, or an ARN that names nothing of its own, as `arn:aws:s3:::*/*` and `…:table/*`."""
    service, name = resource.split(":", 5)[2::3] if resource.count(":") >= 5 else ("", resource)
    kind, _, rest = name.partition("/")
    return not kind.strip("*?") or (service != "s3" and bool(rest) and not rest.strip("*?/") and kind in _KINDS)


def _field(entry: Mapping[str, Any], name: str) -> Any:
    return entry.get(name, entry.get(name[0].lower() + name[1:]))


def _texts(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(str(v) for v in value) if isinstance(value, list) else (str(value),)


def _principals(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for members in value.values():
            yield from _texts(members)
    else:
        yield from _texts(value)


def _conditions(value: object) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    if not isinstance(value, Mapping):
        return {}
    return {
        str(operator): {str(key).lower(): _texts(values) for key, values in keys.items()}
        for operator, keys in value.items()
        if isinstance(keys, Mapping)
    }
