"""Policy documents of AWS as typed values, with every field of a statement that IAM knows.

Grammar: IAM user guide, "Grammar of the IAM JSON policy language" and "IAM JSON policy elements reference" (read
2026-11-21).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from common.iam.conditions import Condition, parse_operator

_VERSIONS: Final = ("2012-10-17", "2008-10-17")
_DOCUMENT: Final = frozenset({"Version", "Id", "Statement"})
_STATEMENT: Final = frozenset(
    {
        "Sid",
        "Effect",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Principal",
        "NotPrincipal",
        "Condition",
    }
)
PRINCIPAL_KINDS: Final = ("AWS", "Service", "Federated", "CanonicalUser")


class PolicyError(ValueError):
    """A document that AWS would refuse as malformed; the message says where and why."""


@dataclass(frozen=True)
class Statement:
    """One statement; of each pair of a field and its negation at most one is not None."""

    effect: Literal["Allow", "Deny"]
    sid: str = ""
    actions: tuple[str, ...] | None = None
    not_actions: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    not_resources: tuple[str, ...] | None = None
    principals: tuple[tuple[str, str], ...] | None = None
    """(kind, name), as ("Service", "s3.amazonaws.com"); ("*", "*") for everybody."""
    not_principals: tuple[tuple[str, str], ...] | None = None
    conditions: tuple[Condition, ...] = ()

    @property
    def names_principals(self) -> bool:
        """Whether it is a statement of a resource's policy."""
        return self.principals is not None or self.not_principals is not None


@dataclass(frozen=True)
class Policy:
    """A document."""

    statements: tuple[Statement, ...]
    has_variables: bool = True
    """Whether `${…}` is replaced: from version 2012-10-17 on."""


def parse(document: str | bytes | Mapping[str, Any] | Policy) -> Policy:
    """A document as a policy. Raises PolicyError for what AWS would refuse."""
    if isinstance(document, Policy):
        return document
    if isinstance(document, bytes):
        document = document.decode()
    return _parse_text(document if isinstance(document, str) else json.dumps(document, sort_keys=True))


@lru_cache(maxsize=1024)
def _parse_text(text: str) -> Policy:
    try:
        loaded = json.loads(text)
    except ValueError as e:
        raise PolicyError(f"the policy is no JSON: {e}") from e
    if not isinstance(loaded, dict):
        raise PolicyError("the policy is no JSON object")
    unknown = loaded.keys() - _DOCUMENT
    if unknown:
        raise PolicyError(f"the policy has the unknown field {min(unknown)}")
    version = loaded.get("Version", "2008-10-17")
    if version not in _VERSIONS:
        raise PolicyError(f"Version is {version!r}, neither of {', '.join(_VERSIONS)}")
    if "Statement" not in loaded:
        raise PolicyError("the policy has no Statement")
    found = loaded["Statement"]
    listed = found if isinstance(found, list) else [found]
    return Policy(tuple(_statement(s, f"Statement {n}") for n, s in enumerate(listed, 1)), version == _VERSIONS[0])


def _statement(given: object, where: str) -> Statement:
    if not isinstance(given, dict):
        raise PolicyError(f"{where} is no object")
    unknown = given.keys() - _STATEMENT
    if unknown:
        raise PolicyError(f"{where} has the unknown field {min(unknown)}")
    effect = given.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise PolicyError(f"{where} has the Effect {effect!r}, neither Allow nor Deny")
    for field in ("Action", "Resource", "Principal"):
        if field in given and f"Not{field}" in given:
            raise PolicyError(f"{where} has both {field} and Not{field}")
    if "Action" not in given and "NotAction" not in given:
        raise PolicyError(f"{where} has neither Action nor NotAction")
    if "NotPrincipal" in given and effect == "Allow":
        # IAM user guide, "AWS JSON policy elements: NotPrincipal" (read 2026-11-21).
        raise PolicyError(f"{where} allows NotPrincipal, which AWS does not support")
    return Statement(
        effect=effect,
        sid=str(given.get("Sid") or ""),
        actions=_texts(given, "Action", where),
        not_actions=_texts(given, "NotAction", where),
        resources=_texts(given, "Resource", where),
        not_resources=_texts(given, "NotResource", where),
        principals=_principals(given, "Principal", where),
        not_principals=_principals(given, "NotPrincipal", where),
        conditions=_conditions(given.get("Condition") or {}, where),
    )


def _texts(given: Mapping[str, Any], field: str, where: str) -> tuple[str, ...] | None:
    return _listed(given[field], f"{field} of {where}") if field in given else None


def _listed(value: object, where: str) -> tuple[str, ...]:
    found: list[object] = value if isinstance(value, list) else [value]
    texts = [text for text in found if isinstance(text, str)]
    if len(texts) != len(found):
        raise PolicyError(f"{where} is neither a text nor a list of texts")
    return tuple(texts)


def _principals(given: Mapping[str, Any], field: str, where: str) -> tuple[tuple[str, str], ...] | None:
    if field not in given:
        return None
    named = given[field]
    if named == "*":
        return (("*", "*"),)
    if not isinstance(named, dict) or not named:
        raise PolicyError(f'{field} of {where} is neither "*" nor an object')
    for kind in named:
        if kind not in PRINCIPAL_KINDS:
            raise PolicyError(f"{field} of {where} has the unknown kind {kind}")
    return tuple((kind, name) for kind, names in named.items() for name in _listed(names, f"{kind} of {where}"))


def _conditions(given: object, where: str) -> tuple[Condition, ...]:
    if not isinstance(given, dict):
        raise PolicyError(f"Condition of {where} is no object")
    made: list[Condition] = []
    for name, keys in given.items():
        operator = parse_operator(str(name))
        if operator is None:
            raise PolicyError(f"Condition of {where} has the unknown operator {name}")
        if not isinstance(keys, dict):
            raise PolicyError(f"{name} of {where} is no object")
        made += [Condition(operator, key, _values(value, f"{key} of {where}")) for key, value in keys.items()]
    return tuple(made)


def _values(value: object, where: str) -> tuple[str, ...]:
    found: Sequence[object] = value if isinstance(value, list) else [value]
    texts: list[str] = []
    for each in found:
        if isinstance(each, bool):
            texts.append(str(each).lower())
        elif isinstance(each, str | int | float):
            texts.append(str(each))
        else:
            raise PolicyError(f"{where} has a value that is neither text, number nor boolean")
    return tuple(texts)
