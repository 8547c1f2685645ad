"""Reading AWS policy documents: JSON in a string or an object, single values or lists, Allow or Deny.

What a statement means is `common.iam`'s to say; here it gets its place in the plan. AWS refuses a malformed document,
but a rule that gave up on one would say less than one that reads what can be read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from common.iam import documents as iam
from common.iam.conditions import Condition, Operator, parse_operator
from common.iam.evaluation import covers_action
from common.iam.meaning import is_wide
from policies.checks import ABSENT, failed, is_hidden, items, read, shown, unknown
from policies.inventory import Resource
from policies.model import Judgement

_ARN_COLONS = 5


@dataclass(frozen=True)
class Statement:
    """One statement and where it stands."""

    path: str
    """`policy.Statement.0`."""
    meaning: iam.Statement
    has_variables: bool = True
    hidden: bool = False
    """Whether something in it is known only to the provider."""

    @property
    def allows(self) -> bool:
        """Whether the statement grants."""
        return self.meaning.effect == "Allow"

    @property
    def effect(self) -> str:
        """`Allow` or `Deny`."""
        return self.meaning.effect

    @property
    def actions(self) -> tuple[str, ...]:
        """Its actions as they are written."""
        return self.meaning.actions or ()

    @property
    def not_actions(self) -> tuple[str, ...]:
        """The actions that it leaves out."""
        return self.meaning.not_actions or ()

    @property
    def resources(self) -> tuple[str, ...]:
        """Its resources as they are written."""
        return self.meaning.resources or ()

    @property
    def principals(self) -> tuple[str, ...]:
        """All principals, whatever their kind (`*`, ARNs, service names, identity providers)."""
        return tuple(name for _, name in self.meaning.principals or ())

    @property
    def not_principals(self) -> tuple[str, ...]:
        """The principals that it leaves out."""
        return tuple(name for _, name in self.meaning.not_principals or ())

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What must hold beside."""
        return self.meaning.conditions

    @property
    def anyone(self) -> bool:
        """Whether the statement speaks of every principal there is."""
        return "*" in self.principals

    @property
    def everything(self) -> str:
        """The resource that names nothing of one's own: `*`, an ARN without a name, all but some; empty if none."""
        if self.meaning.not_resources is not None:
            return "all but some" if self.allows else ""
        sure = (r for r in self.resources if self.allows or not r.strip("*") or r.count(":") >= _ARN_COLONS)
        return next((r for r in sure if is_wide(r, variables=self.has_variables)), "")

    def acts_on(self, action: str) -> bool:
        """Whether the statement covers `action` (as `s3:GetObject`), by `Action` or all but `NotAction`."""
        return covers_action(self.meaning, action)


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
    if is_hidden(listed):
        return unknown(f"{path}.Statement", required)
    if not isinstance(listed, list) or not all(isinstance(entry, Mapping) or is_hidden(entry) for entry in listed):
        return failed(f"{path}.Statement", shown(listed), "a list of statements")
    variables = value.get("Version", value.get("version")) == "2012-10-17"
    return tuple(_statement(f"{path}.Statement.{index}", entry, variables) for index, entry in enumerate(listed))


def policy_of(found: tuple[Statement, ...]) -> iam.Policy:
    """Statements as a policy that `common.iam` judges."""
    return iam.Policy(tuple(s.meaning for s in found), all(s.has_variables for s in found))


def document_paths(resource: Resource, path: str) -> Iterator[str]:
    """The paths of the documents that a path with `*` for each item of a list stands for."""
    head, star, rest = path.partition(".*")
    if not star:
        yield path
    else:
        yield from (f"{item}{rest}" for item in items(resource, head))
        if is_hidden(read(resource, head)):
            yield head


def _statement(path: str, entry: Any, variables: bool) -> Statement:
    if is_hidden(entry):
        return Statement(path, iam.Statement("Allow", actions=(), resources=()), variables, hidden=True)
    effect = str(_field(entry, "Effect"))
    meaning = iam.Statement(
        effect="Deny" if effect.lower() == "deny" else "Allow",
        sid=str(_field(entry, "Sid") or ""),
        actions=_texts(entry, "Action"),
        not_actions=_texts(entry, "NotAction"),
        resources=_texts(entry, "Resource"),
        not_resources=_texts(entry, "NotResource"),
        principals=_people(entry, "Principal"),
        not_principals=_people(entry, "NotPrincipal"),
        conditions=tuple(_conditions(_field(entry, "Condition"))),
    )
    return Statement(path, meaning, variables, hidden=_holds(entry, is_hidden))


def _holds(value: Any, is_it: Callable[[object], bool]) -> bool:
    if isinstance(value, Mapping):
        return any(_holds(item, is_it) for item in value.values())
    return any(_holds(item, is_it) for item in value) if isinstance(value, list) else is_it(value)


def _field(entry: Mapping[str, Any], name: str) -> Any:
    return entry.get(name, entry.get(name[0].lower() + name[1:]))


def _texts(entry: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    value = _field(entry, name)
    return None if value is None else tuple(_listed(value))


def _listed(value: object) -> Iterator[str]:
    for each in value if isinstance(value, list) else [value]:
        yield str(each).lower() if isinstance(each, bool) else str(each)


def _people(entry: Mapping[str, Any], name: str) -> tuple[tuple[str, str], ...] | None:
    value = _field(entry, name)
    if value is None:
        return None
    if isinstance(value, Mapping):
        return tuple(
            (str(kind), text) for kind, names in value.items() if names is not None for text in _listed(names)
        )
    return tuple(("*" if text == "*" else "AWS", text) for text in _listed(value))


def _conditions(value: object) -> Iterator[Condition]:
    if not isinstance(value, Mapping):
        return
    for name, keys in value.items():
        operator = parse_operator(str(name)) or Operator(str(name), str(name))
        if isinstance(keys, Mapping):
            for key, given in keys.items():
                if given is not None:
                    yield Condition(operator, str(key), tuple(_listed(given)))
