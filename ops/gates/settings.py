"""The typed settings of gates: `stacks/gates.yaml`, which says what needs an approval by whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from common.errors import UserError
from components.contracts.vocabulary import Environment
from ops.gates.model import Kind

FILE: Final = "stacks/gates.yaml"
VALID_DAYS: Final = 7
VALID_DAYS_MAX: Final = 30
_REMEDY: Final = "Change the file as said above; docs/approvals.md describes it."

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
Person = Annotated[str, Field(min_length=3, max_length=200, pattern=r"^[^\s#](.*[^\s#])?$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Gate(_Strict):
    """One gate: what it looks for, where, and who must agree."""

    looks_for: Literal[
        "state-at-risk",
        "irreversible",
        "cost",
        "public-reach",
        "policy-waived",
        "verdict-worse",
        "any-change",
        "guards-changed",
    ]
    because: str = Field(min_length=10, max_length=300)
    approvers: tuple[str, ...] = Field(min_length=1, strict=False)
    """Names of groups, or of people."""
    approvals: int = Field(default=1, ge=1, le=5)
    environments: tuple[str, ...] | None = Field(default=None, min_length=1, strict=False)
    """All of them where none is named."""
    over_usd_a_month: float | None = Field(default=None, ge=0, strict=False)
    grows_by_usd_a_month: float | None = Field(default=None, ge=0, strict=False)
    grows_by_percent: float | None = Field(default=None, ge=0, strict=False)

    @property
    def kind(self) -> Kind:
        """What it looks for."""
        return Kind(self.looks_for)

    @model_validator(mode="after")
    def _fits(self) -> Gate:
        limits = (self.over_usd_a_month, self.grows_by_usd_a_month, self.grows_by_percent)
        if (self.kind is Kind.COST) != any(limit is not None for limit in limits):
            raise ValueError(
                "a gate for cost has at least one of over_usd_a_month, grows_by_usd_a_month and grows_by_percent, "
                "and no other gate has any"
            )
        known = {str(environment) for environment in (*Environment, "bootstrap")}
        unknown = sorted(set(self.environments or ()) - known)
        if unknown:
            raise ValueError(f"there is no environment {unknown[0]!r}; they are {', '.join(sorted(known))}")
        if len(set(self.approvers)) != len(self.approvers):
            raise ValueError("an approver stands there twice")
        return self

    def stands_for(self, environment: str) -> bool:
        """Whether it looks at stacks of this environment."""
        return self.environments is None or environment in self.environments


class Gates(_Strict):
    """All gates, and who is who."""

    valid_days: int = Field(default=VALID_DAYS, ge=1, le=VALID_DAYS_MAX)
    """How long an approval holds."""
    groups: Mapping[Name, Annotated[tuple[Person, ...], Field(min_length=1, strict=False)]]
    """People by group, as the allowed signers name them."""
    also_commit_as: Mapping[Person, Annotated[tuple[Person, ...], Field(min_length=1, strict=False)]] = Field(
        default_factory=dict
    )
    """Other addresses under which somebody commits."""
    gates: Annotated[Mapping[Name, Gate], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_whole(self) -> Gates:
        for name, gate in self.gates.items():
            people = {self.is_of(who) for who in self.people(gate)}
            if len(people) < gate.approvals:
                raise ValueError(
                    f"the gate {name} asks for {gate.approvals} approvals, and names {len(people)} different people"
                )
            unknown = [who for who in gate.approvers if who not in self.groups and "@" not in who]
            if unknown:
                raise ValueError(f"the gate {name} names {unknown[0]!r}, which is no group and no person's address")
        known = {
            address for one, others in self.also_commit_as.items() for address in (one, *others) if "@" in address
        }
        named = {who for gate in self.gates.values() for who in self.people(gate)}
        for who in sorted(named):
            if not any("@" in each or each in known for each in self.is_of(who)):
                raise ValueError(
                    f"nobody can tell what {who!r} wrote: name them by the address that they commit under, "
                    "or list it in also_commit_as"
                )
        if not any(gate.kind is Kind.GUARDS and gate.environments is None for gate in self.gates.values()):
            raise ValueError(
                "no gate looks for guards-changed in every environment, so anybody could change the gates"
            )
        return self

    def people(self, gate: Gate) -> tuple[str, ...]:
        """Everybody who may approve at a gate, each once."""
        named = [who for name in gate.approvers for who in self.groups.get(name, (name,))]
        return tuple(dict.fromkeys(person(who) for who in named))

    def is_of(self, who: str) -> frozenset[str]:
        """Every name that stands for the same person as `who`."""
        alike = next(
            (
                {person(one), *map(person, others)}
                for one, others in self.also_commit_as.items()
                if person(who) in {person(one), *map(person, others)}
            ),
            set[str](),
        )
        return frozenset({person(who), *alike})


def person(who: str) -> str:
    """A person's name, as two names are compared: an address has no upper case."""
    return " ".join(who.split()).casefold()


def parse(text: str, where: str = FILE) -> Gates:
    """The gates of a file.

    Raises:
        UserError: it is no YAML, has a key twice, an unknown one, or a value that is not allowed; every problem
            is named.
    """
    try:
        document = YAML(typ="safe").load(text)
    except MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UserError(f"the gates cannot be read: {error.problem}", f"{where}{line}", _REMEDY) from None
    except YAMLError as error:
        raise UserError(f"the gates cannot be read: {error}", where, _REMEDY) from None
    if not isinstance(document, Mapping):
        raise UserError("the gates are no object with the keys `groups` and `gates`", where, _REMEDY)
    try:
        return Gates.model_validate(document)
    except ValidationError as error:
        problems = "; ".join(_problem(each) for each in error.errors())
        raise UserError(f"the gates are refused: {problems}", where, _REMEDY) from None


def _problem(error: Mapping[str, Any]) -> str:
    path = ".".join(str(part) for part in error["loc"])
    said = str(error["msg"]).removeprefix("Value error, ")
    return f"{path}: {said}" if path else said
