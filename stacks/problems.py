"""What is wrong with a stack's settings: path, value, what is allowed, and remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml.error import MarkedYAMLError

from components.contracts.spec import Spec

MASK = "[secret]"
_TOLD_BY = ("kind", "strategy")
"""Fields that tell the members of a union apart."""


@dataclass(frozen=True)
class Problem:
    """One refused setting; `path` is dotted, below the settings object."""

    path: str
    value: object
    allowed: str
    remedy: str

    def __str__(self) -> str:
        shown = "" if self.value is None else f" = {self.value!r}"
        return f"{self.path}{shown}\n    allowed: {self.allowed}\n    remedy:  {self.remedy}"


class SettingsError(ValueError):
    """A stack's settings are refused; holds every problem found."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"{source}: {len(self.problems)} setting(s) refused\n{lines}")

    @staticmethod
    def of(source: str, path: str, value: object, allowed: str, remedy: str) -> SettingsError:
        """An error with one problem."""
        return SettingsError(source, [Problem(path, value, allowed, remedy)])


def unreadable(error: MarkedYAMLError | UnicodeDecodeError) -> str:
    """What is wrong in a file, and where; without the lines around it, which may hold a secret."""
    if isinstance(error, UnicodeDecodeError):
        return f"no text in UTF-8: {error.reason} at byte {error.start + 1}"
    # For a key that is there twice the parser repeats both values.
    what = (error.problem or error.context or "cannot be parsed").partition(" with value")[0]
    mark = error.problem_mark or error.context_mark
    return f"{what} (line {mark.line + 1}, column {mark.column + 1})" if mark else what


def problems_of(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """Pydantic's errors in our terms; a value that is a secret, holds one, or may be a misplaced one is not shown."""
    return [_problem(details, model) for details in error.errors(include_url=False)]


def _problem(details: ErrorDetails, model: type[BaseModel]) -> Problem:
    path = _path(model, details["loc"])
    context = details.get("ctx", {})
    parent, secret = _model_at(model, details["loc"][:-1]), _is_secret(model, details["loc"])
    secret = secret or bool(set(_secrets_of(_model_at(model, details["loc"]))))
    kind = details["type"]
    if kind == "refused":
        return Problem(path, _shown(details, secret, context["message"]), context["allowed"], context["remedy"])
    if kind == "extra_forbidden":
        known = sorted(parent.model_fields) if parent else []
        secret = secret or _may_be_secret(model, parent, str(details["loc"][-1]))
        close = difflib.get_close_matches(str(details["loc"][-1]), known, n=1)
        remedy = f"Did you mean {close[0]}?" if close else "Remove the key."
        moved = parent.moved.get(str(details["loc"][-1])) if parent and issubclass(parent, Spec) else None
        if moved:
            remedy = f"Move it to {path.rpartition('.')[0]}.{moved}."
        elsewhere = _kinds_with(model, details["loc"])
        if elsewhere:
            remedy = f"Remove the key, or choose one that has it: {', '.join(elsewhere)}."
        return Problem(path, MASK if secret else _brief(details["input"]), f"the keys {', '.join(known)}", remedy)
    if kind == "missing":
        return Problem(path, None, _description(parent, details["loc"][-1]) or "a value", "Add the key.")
    if kind == "union_tag_invalid":
        named, known = str(context["discriminator"]).strip("'"), ", ".join(_kinds(model, details["loc"]))
        return Problem(f"{path}.{named}", context["tag"], known, "Choose one of these.")
    remedy = "Change the value."
    if kind.endswith(("_type", "_parsing")):
        remedy = "Change the value's type (YAML reads bare digits as a number, quoted ones as a string)."
    return Problem(
        path, MASK if secret else _brief(details["input"]), details["msg"].removeprefix("Input should be "), remedy
    )


def _shown(details: ErrorDetails, secret: bool, message: str) -> object:
    if secret:
        return MASK
    return message if isinstance(details["input"], Mapping | BaseModel) else details["input"]


def _brief(value: object) -> object:
    text = repr(value)
    return value if len(text) <= 120 else f"{text[:120]}…"


def _variants(annotation: Any) -> dict[str, type[BaseModel]]:
    """The models of a union that is told apart by one of `_TOLD_BY`, by its value; nothing for other annotations."""
    members = [m for m in get_args(annotation) if isinstance(m, type) and issubclass(m, BaseModel)]
    return {
        str(member.model_fields[name].default): member
        for member in members
        for name in _TOLD_BY
        if name in member.model_fields
    }


def _annotation_at(model: type[BaseModel], loc: Sequence[int | str]) -> Any:
    """The annotation of the field that `loc` ends with."""
    parent = _model_at(model, loc[:-1]) if loc else None
    field = parent.model_fields.get(str(loc[-1])) if parent else None
    return _without_annotations(field.annotation) if field else None


def _path(model: type[BaseModel], loc: Sequence[int | str]) -> str:
    """The dotted path of `loc` as a user writes it: pydantic puts the kind's name into it."""
    return ".".join(
        str(part)
        for index, part in enumerate(loc)
        if index == 0 or str(part) not in _variants(_annotation_at(model, loc[:index]))
    )


def _kinds(model: type[BaseModel], loc: Sequence[int | str]) -> list[str]:
    return sorted(_variants(_annotation_at(model, loc)))


def _kinds_with(model: type[BaseModel], loc: Sequence[int | str]) -> list[str]:
    """The other kinds that have the unknown key which `loc` ends with."""
    variants = _variants(_annotation_at(model, loc[:-2]))
    return sorted(kind for kind, variant in variants.items() if str(loc[-1]) in variant.model_fields)


def _model_at(model: type[BaseModel], loc: Sequence[int | str]) -> type[BaseModel] | None:
    current: Any = model
    for part in loc:
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(str(part))
            current = field.annotation if field else None
        elif str(part) in _variants(current):
            current = _variants(current)[str(part)]
        else:
            arguments = [a for a in get_args(current) if a is not type(None)]
            current = arguments[-1] if arguments else None
        current = _without_annotations(current)
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _without_annotations(annotation: Any) -> Any:
    while hasattr(annotation, "__metadata__"):
        annotation = get_args(annotation)[0]
    return annotation


def _is_secret(model: type[BaseModel], loc: Sequence[int | str]) -> bool:
    for depth in range(len(loc)):
        parent = _model_at(model, loc[:depth])
        field = parent.model_fields.get(str(loc[depth])) if parent else None
        if field is not None and SecretStr in (field.annotation, *get_args(field.annotation)):
            return True
    return False


def _secrets_of(model: type[BaseModel] | None) -> Iterator[str]:
    """Names of the secret fields in `model` and below it."""
    for name in model.model_fields if model else ():
        if model and _is_secret(model, (name,)):
            yield name
        elif model:
            yield from _secrets_of(_model_at(model, (name,)))


def _may_be_secret(model: type[BaseModel], parent: type[BaseModel] | None, unknown_key: str) -> bool:
    """Whether a key that nothing declares may be a secret's, misspelt or in the wrong place."""
    resembles = difflib.get_close_matches(unknown_key, list(_secrets_of(model)), n=1)
    return bool(resembles or set(_secrets_of(parent)))


def _description(parent: type[BaseModel] | None, key: int | str) -> str:
    field = parent.model_fields.get(str(key)) if parent else None
    return (field.description or "") if field else ""
