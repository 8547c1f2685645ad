"""Boundaries of roles: what a stack's role may do at most is decided outside the stack."""

from __future__ import annotations

from typing import Final

from components.contracts.naming import boundary_name
from policies.checks import expect, if_given, not_applicable
from policies.examples import Hidden, drop, examples, given, put, setting
from policies.family import Family
from policies.grants import own_account
from policies.inventory import Inventory, Resource
from policies.model import Framework, Judgement, Severity
from policies.tokens import IAM_ROLE, IAM_USER

family = Family("Boundaries of roles")

_PATH: Final = "permissionsBoundary"
_OWNERS: Final = "roles of an owner, whom no boundary binds"
_MOST_SECONDS: Final = 3600
"""IAM's own default and least, and the most for a role that another role takes on (IAM's API reference, CreateRole's
MaxSessionDuration, and STS' AssumeRole's DurationSeconds, read 2026-11-22)."""


@family.rule(
    "aws-iam-roles-bounded",
    Severity.HIGH,
    "A stack's roles and users have the environment's boundary",
    types=(IAM_ROLE, IAM_USER),
    rationale="The boundary is what a role may do at most, whatever is attached to it later: without it, or with "
    "another, one careless policy opens the account.",
    remedy="Set permissionsBoundary to the policy that the account's bootstrap makes for the environment.",
    frameworks={Framework.NIST_800_53: ("AC-3", "AC-6")},
    examples=lambda: examples(
        given(IAM_ROLE, {_PATH: f"arn:aws:iam::111122223333:policy/{boundary_name('prod')}"}, "bounded"),
        broken={
            f"{_PATH} is absent": drop(_PATH),
            f'{_PATH} is "arn:aws:iam::aws:policy/AdministratorAccess"': put(
                _PATH, "arn:aws:iam::aws:policy/AdministratorAccess"
            ),
            f'{_PATH} is "arn:aws:iam::999988887777:policy/{boundary_name("prod")}"': put(
                _PATH, f"arn:aws:iam::999988887777:policy/{boundary_name('prod')}"
            ),
            f'{_PATH} is "arn:aws:iam::111122223333:policy/{boundary_name("dev")}"': put(
                _PATH, f"arn:aws:iam::111122223333:policy/{boundary_name('dev')}"
            ),
        },
        undecided={f"{_PATH} is known only to the provider": put(_PATH, Hidden())},
        accepted={_OWNERS: setting("environment", None)},
    ),
)
def roles_bounded(role: Resource, inventory: Inventory) -> Judgement:
    environment = inventory.settings.get("environment")
    if not isinstance(environment, str) or not environment:
        return not_applicable(_OWNERS)
    wanted = f":iam::{own_account(inventory)}:policy/{boundary_name(environment)}"
    return expect(
        role,
        _PATH,
        f"arn:aws{wanted}",
        lambda arn: arn.startswith("arn:aws") and arn.partition(":iam:")[2] == wanted[5:],
    )


@family.rule(
    "aws-iam-sessions-short",
    Severity.LOW,
    "Sessions of roles end within an hour",
    types=(IAM_ROLE,),
    rationale="Credentials that were copied work until their session ends, whatever is done to the role's policies.",
    remedy="Leave maxSessionDuration out, or set 3600.",
    frameworks={Framework.NIST_800_53: ("AC-12",)},
    examples=lambda: examples(
        given(IAM_ROLE, {"maxSessionDuration": _MOST_SECONDS}, "short"),
        broken={"maxSessionDuration is 43200": put("maxSessionDuration", 43200)},
        undecided={"maxSessionDuration is known only to the provider": put("maxSessionDuration", Hidden())},
        accepted={"": drop("maxSessionDuration"), _OWNERS: setting("environment", None)},
    ),
)
def sessions_short(role: Resource, inventory: Inventory) -> Judgement:
    if not inventory.settings.get("environment"):
        return not_applicable(_OWNERS)
    path, required = "maxSessionDuration", f"at most {_MOST_SECONDS} seconds"
    return if_given(role, path, lambda: expect(role, path, required, lambda v: float(v) <= _MOST_SECONDS))
