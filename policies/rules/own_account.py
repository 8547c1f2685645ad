"""What a resource names by its ARN lies in the stack's own account, whatever kind of input it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.checks import all_of, failed, not_applicable, passed, shown
from policies.declared_access import principals
from policies.examples import both, examples, given, put
from policies.family import Family
from policies.grants import own_account
from policies.inventory import Inventory, Resource
from policies.leaving import ACCOUNTS, places
from policies.model import Framework, Judgement, Severity
from policies.tokens import METRIC_ALARM

family = Family("Names of other accounts")

_ARN: Final = re.compile(r"arn:aws[\w-]*:[a-z0-9-]+:[a-z0-9-]*:(\d{12}):\S+")
_BOUNDARY: Final = "permissionsBoundary"
_OTHERS: Final = "arn:aws:sns:eu-west-1:999988887777:alerts"


@family.rule(
    "aws-names-own-account",
    Severity.HIGH,
    "Keys, roles, topics and functions that resources name are of the own account",
    types=(METRIC_ALARM, "aws:*"),
    rationale="A key, a role or a function of another account is that account's to change or withdraw, and what is "
    "sent to it is read there.",
    remedy="Name a resource of this account; who else may enter stands in the settings' cluster.access.",
    frameworks={Framework.NIST_800_53: ("AC-4", "AC-20")},
    examples=lambda: examples(
        given(METRIC_ALARM, {"alarmActions": ["arn:aws:sns:eu-west-1:111122223333:alerts"]}, "own"),
        broken={f'alarmActions.0 is "{_OTHERS}"': both(put("alarmActions.0", _OTHERS))},
        accepted={"": put("alarmActions.0", "arn:aws:s3:::models")},
    ),
)
def names_own_account(resource: Resource, inventory: Inventory) -> Judgement:
    """What only the provider knows is an output of this stack, or an input that a rule of its own judges."""
    own = own_account(inventory)
    declared = principals(inventory)
    elsewhere = {_BOUNDARY, *(path for named in ACCOUNTS.get(resource.type, ()) for path in places(resource, named))}
    strangers = [
        (path, arn)
        for path, account, arn in _arns(resource.inputs, "")
        if account != own and arn not in declared and path not in elsewhere
    ]
    if own and strangers:
        return all_of(failed(path, shown(arn), f"one of the account {own}") for path, arn in strangers)
    return passed() if resource.type == METRIC_ALARM else not_applicable("it names nothing of another account")


def _arns(value: Any, path: str) -> Iterator[tuple[str, str, str]]:
    """(path, account, ARN) of each input that is an ARN; documents of policies are read by others."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _arns(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _arns(item, f"{path}.{index}")
    elif isinstance(value, str) and (found := _ARN.fullmatch(value)):
        yield path, found[1], value
