"""Selections of AWS Backup: what is backed up is the stack's own table, by a plan of the stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Final

from policies.checks import ABSENT, all_of, any_of, failed, is_hidden, passed, read, unknown
from policies.examples import Hidden, Output, examples, given, put, without
from policies.family import Family
from policies.inventory import Inventory, Resource
from policies.links import feeders, refers_to, region_in, same_region
from policies.model import Framework, Judgement, Severity
from policies.settings_view import SettingsView
from policies.tokens import BACKUP_PLAN, BACKUP_SELECTION, DYNAMODB_TABLE

family = Family("Backup selections")

_ARN = "arn:aws:dynamodb:eu-west-1:111122223333:table"
_OPERATORS: Final[Mapping[str, tuple[bool, bool]]] = {
    "stringEquals": (True, False),
    "stringLikes": (True, True),
    "stringNotEquals": (False, False),
    "stringNotLikes": (False, True),
}
"""Operator → whether it wants the value, and whether it takes wildcards."""


@family.rule(
    "aws-dynamodb-in-backup-plan",
    Severity.HIGH,
    "DynamoDB tables are in a backup plan",
    types=(DYNAMODB_TABLE,),
    rationale="Point-in-time recovery dies with the table's region and account; recovery points do not.",
    remedy="Name the table's ARN in a backup selection of a plan of the stack, without conditions.",
    frameworks={Framework.AWS_FSBP: ("DynamoDB.4",), Framework.NIST_800_53: ("CP-9",)},
    examples=lambda: examples(
        given(DYNAMODB_TABLE, {"name": "features", "tags.product": "seawall"}),
        given(BACKUP_SELECTION, {"resources": [f"{_ARN}/features"], "planId": Output(BACKUP_PLAN)}),
        broken={
            "the table is in no backup selection": (
                put("resources", [], on=BACKUP_SELECTION),
                put("resources.0", "arn:aws:s3:::models", on=BACKUP_SELECTION),
                put("resources.0", f"{_ARN}/other-*", on=BACKUP_SELECTION),
                put("resources.0", f"{_ARN}/feature", on=BACKUP_SELECTION),
                put("resources.0", "arn:aws:dynamodb:us-east-1:111122223333:table/features", on=BACKUP_SELECTION),
                put("notResources", [f"{_ARN}/feat*"], on=BACKUP_SELECTION),
                put("planId", "", on=BACKUP_SELECTION),
                put(
                    "selectionTags", [{"type": "STRINGEQUALS", "key": "backup", "value": "yes"}], on=BACKUP_SELECTION
                ),
                put(
                    "conditions.stringEquals",
                    [{"key": "aws:ResourceTag/backup", "value": "yes"}],
                    on=BACKUP_SELECTION,
                ),
                put(
                    "conditions.stringNotEquals",
                    [{"key": "aws:ResourceTag/product", "value": "seawall"}],
                    on=BACKUP_SELECTION,
                ),
                without(BACKUP_SELECTION),
            )
        },
        undecided={
            "example.resources is known only to the provider": (
                put("resources", Hidden(), on=BACKUP_SELECTION),
                put("resources.0", Hidden(), on=BACKUP_SELECTION),
            ),
            "example.planId is known only to the provider": put("planId", Hidden(), on=BACKUP_SELECTION),
            "example.conditions is known only to the provider": put("conditions", Hidden(), on=BACKUP_SELECTION),
            "example.notResources is known only to the provider": put(
                "notResources.0", Hidden(), on=BACKUP_SELECTION
            ),
        },
        accepted={
            "example selects it": (
                put("resources.0", "*", on=BACKUP_SELECTION),
                put("resources.0", Output(DYNAMODB_TABLE), on=BACKUP_SELECTION),
                put("resources.0", "arn:aws:dynamodb:*:*:table/feat*", on=BACKUP_SELECTION),
                put("notResources", [f"{_ARN}/other"], on=BACKUP_SELECTION),
                put(
                    "conditions.stringLikes",
                    [{"key": "aws:ResourceTag/product", "value": "sea*"}],
                    on=BACKUP_SELECTION,
                ),
                put(
                    "selectionTags",
                    [{"type": "STRINGEQUALS", "key": "product", "value": "seawall"}],
                    on=BACKUP_SELECTION,
                ),
            )
        },
    ),
)
def dynamodb_in_backup_plan(table: Resource, inventory: Inventory) -> Judgement:
    required = "a backup selection of a plan of this stack that takes the table, whatever its tags"
    return any_of(
        (_selects(inventory, selection, table) for selection in inventory.of_type(BACKUP_SELECTION)),
        otherwise=failed("", "the table is in no backup selection", required),
    )


def _selects(inventory: Inventory, selection: Resource, table: Resource) -> Judgement:
    if not same_region(selection, table):
        return failed(selection.name, f"in {region_in(selection)}", f"a selection in {region_in(table)}")
    judged = all_of(
        (
            _names(inventory, selection, table),
            _excludes_not(inventory, selection, table),
            _tags_fit(selection, table),
            _of_a_plan(inventory, selection),
        )
    )
    return passed(f"{selection.name} selects it") if judged == passed() else judged


def _names(inventory: Inventory, selection: Resource, table: Resource) -> Judgement:
    required, path = f"the ARN of {table.name}", f"{selection.name}.resources"
    resources = read(selection, "resources")
    listed = resources if isinstance(resources, list) else []
    if any(isinstance(entry, str) and _covers(inventory, entry, table) for entry in listed if not is_hidden(entry)):
        return passed()
    if is_hidden(resources) or any(is_hidden(entry) for entry in listed):
        fed = feeders(inventory, selection, "resources", DYNAMODB_TABLE)
        return passed() if table in fed else unknown(path, required)
    return failed(path, "without the table", required)


def _covers(inventory: Inventory, pattern: str, table: Resource) -> bool:
    if pattern == "*":
        return True
    name, region = read(table, "name"), region_in(table) or "*"
    if not isinstance(name, str) or is_hidden(name) or pattern.count(":") < 5:
        return False
    scheme, partition, service, at, account, rest = pattern.split(":", 5)
    mine = SettingsView.of(inventory.settings).account
    return (
        scheme == "arn"
        and fnmatchcase("aws", partition)
        and fnmatchcase("dynamodb", service)
        and (region == "*" or fnmatchcase(region, at))
        and (not mine or fnmatchcase(mine, account))
        and fnmatchcase(f"table/{name}", rest)
    )


def _excludes_not(inventory: Inventory, selection: Resource, table: Resource) -> Judgement:
    path = f"{selection.name}.notResources"
    excluded = read(selection, "notResources")
    if excluded is ABSENT:
        return passed()
    listed = excluded if isinstance(excluded, list) else [excluded]
    if any(isinstance(entry, str) and _covers(inventory, entry, table) for entry in listed if not is_hidden(entry)):
        return failed(path, "with the table", "nothing that takes the table out")
    return unknown(path, "nothing that takes the table out") if any(map(is_hidden, listed)) else passed()


def _tags_fit(selection: Resource, table: Resource) -> Judgement:
    """All conditions must hold, and one of `selectionTags` (AWS Backup's API reference, read 2026-11-22)."""
    required = "conditions that the table's own tags meet"
    for name in ("conditions", "selectionTags"):
        if is_hidden(read(selection, name)) or any(u.startswith(f"{name}.") for u in selection.unknown_paths):
            return unknown(f"{selection.name}.{name}", required)
    tags = read(table, "tags")
    tags = tags if isinstance(tags, Mapping) else {}
    if not all(_meets(tags, *condition) for condition in _conditions(selection)):
        return failed(f"{selection.name}.conditions", "not met by the table", required)
    chosen = read(selection, "selectionTags")
    if isinstance(chosen, list) and chosen:
        pairs = [(entry.get("key"), entry.get("value")) for entry in chosen if isinstance(entry, Mapping)]
        if not any(key in tags and tags[key] == value for key, value in pairs):
            return failed(f"{selection.name}.selectionTags", "none of the table", required)
    return passed()


def _conditions(selection: Resource) -> Iterator[tuple[str, str, str]]:
    listed = read(selection, "conditions")
    for entry in listed if isinstance(listed, list) else [listed]:
        for operator, wanted in entry.items() if isinstance(entry, Mapping) else ():
            for pair in wanted if isinstance(wanted, list) else [wanted]:
                if isinstance(pair, Mapping):
                    yield str(operator), str(pair.get("key")), str(pair.get("value"))


def _meets(tags: Mapping[str, object], operator: str, key: str, value: str) -> bool:
    if operator not in _OPERATORS:
        return False
    wanted, wild = _OPERATORS[operator]
    found = tags.get(key.removeprefix("aws:ResourceTag/"))
    is_it = found is not None and (fnmatchcase(str(found), value) if wild else str(found) == value)
    return is_it is wanted


def _of_a_plan(inventory: Inventory, selection: Resource) -> Judgement:
    required = "a plan of this stack"
    if any(refers_to(inventory, selection, "planId", plan) for plan in inventory.of_type(BACKUP_PLAN)):
        return passed()
    path = f"{selection.name}.planId"
    if is_hidden(read(selection, "planId")):
        return unknown(path, required)
    return failed(path, "no plan of this stack", required)
