"""How far rights reach that a document grants: with what its holder has beside it, and over what the plan makes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from common.iam.conditions import Condition
from common.iam.documents import Policy
from common.iam.meaning import Allowed, allowing, arn_covers, binds, covers_all_of, narrows_resource
from policies.aws_holders import Holder, holders, paths_of
from policies.checks import PASS, all_of, failed, is_hidden, read, unknown
from policies.documents import Statement, policy_of, statements
from policies.inventory import Inventory, Resource
from policies.model import Judgement
from policies.tokens import (
    AWS_SECRET,
    BACKUP_VAULT,
    CLOUDTRAIL,
    DYNAMODB_TABLE,
    ECR_REPOSITORY,
    EKS_CLUSTER,
    EVENT_RULE,
    IAM_POLICY,
    IAM_ROLE,
    IAM_USER,
    LOG_GROUP,
    METRIC_ALARM,
    S3_BUCKET,
    SNS_TOPIC,
    SQS_QUEUE,
)

_ALL_SERVICES: Final = ("iam", "s3", "ec2", "kms", "lambda")
_RIGHT_KEYS: Final = re.compile(
    r"^(iam:(permissionsboundary|policyarn|awsservicename|resourcetag/.+)|eks:(principalarn|policyarn|clustername)"
    r"|sts:externalid)$"
)
"""Keys by which a condition says which rights may be given, or to whom."""


@dataclass(frozen=True)
class Granted:
    """One action that a document allows."""

    path: str
    """Of the statement."""
    action: str
    allowed: Allowed
    hidden: bool


def is_admin(statement: Statement) -> bool:
    """Whether a statement allows whatever there is to ask for: another rule's finding."""
    if statement.meaning.not_actions is not None:
        return bool(statement.everything)
    return all(covers_all_of(statement.meaning, service) for service in _ALL_SERVICES)


def granted(inventory: Inventory, document: Resource, path: str, actions: Iterable[str]) -> Iterator[Granted]:
    """Which of the actions a document allows, beside what its holders' other documents deny."""
    found = statements(document, path)
    if isinstance(found, Judgement):
        return
    own = policy_of(found)
    others = _denials(holders(inventory).by_document.get((document.urn, path), ()), own)
    for action in actions:
        for allowed in allowing([own], action, denials=others):
            statement = found[allowed.position]
            if not is_admin(statement):
                yield Granted(statement.path, action, allowed, statement.hidden)


def _denials(found: tuple[Holder, ...], own: Policy) -> list[Policy]:
    """What every holder of a document is denied by its others; with several holders nothing is sure."""
    return [p for p in found[0].policies if p != own] if len(found) == 1 else []


def judged(
    inventory: Inventory, document: Resource, actions: Iterable[str], judge: Callable[[Granted, str], Judgement]
) -> Judgement:
    """Judge each action that the documents of a resource allow; a document that cannot be read is unknown."""
    listed = tuple(actions)
    results: list[Judgement] = []
    for path in paths_of(document):
        found = statements(document, path)
        if isinstance(found, Judgement):
            results.append(found)
            continue
        results += [unknown(s.path, "a statement that the plan knows") for s in found if s.hidden and s.allows]
        results += [judge(g, path) for g in granted(inventory, document, path, listed)]
    return all_of(results) if results else PASS


def judged_grants(
    inventory: Inventory, document: Resource, actions: Iterable[str], judge: Callable[[Granted, str], Judgement]
) -> Judgement:
    """As `judged`, where a document that only bounds the rights of others passes: it grants nothing."""
    if document.urn in holders(inventory).boundaries:
        return PASS
    return judged(inventory, document, actions, judge)


def bounded(conditions: Iterable[Condition]) -> bool:
    """Whether conditions leave some resources only, or some rights to hand on."""
    listed = tuple(conditions)
    return narrows_resource(listed) or any(binds(c) and _RIGHT_KEYS.match(c.key.lower()) for c in listed)


_NAMED_BY: Final = {
    S3_BUCKET: ("bucket", "arn:aws:s3:::{}"),
    DYNAMODB_TABLE: ("name", "arn:aws:dynamodb:{region}:{account}:table/{}"),
    METRIC_ALARM: ("name", "arn:aws:cloudwatch:{region}:{account}:alarm:{}"),
    EVENT_RULE: ("name", "arn:aws:events:{region}:{account}:rule/{}"),
    SNS_TOPIC: ("name", "arn:aws:sns:{region}:{account}:{}"),
    SQS_QUEUE: ("name", "arn:aws:sqs:{region}:{account}:{}"),
    ECR_REPOSITORY: ("name", "arn:aws:ecr:{region}:{account}:repository/{}"),
    BACKUP_VAULT: ("name", "arn:aws:backup:{region}:{account}:backup-vault:{}"),
    LOG_GROUP: ("name", "arn:aws:logs:{region}:{account}:log-group:{}"),
    CLOUDTRAIL: ("name", "arn:aws:cloudtrail:{region}:{account}:trail/{}"),
    EKS_CLUSTER: ("name", "arn:aws:eks:{region}:{account}:cluster/{}"),
    AWS_SECRET: ("name", "arn:aws:secretsmanager:{region}:{account}:secret:{}-AbCdEf"),
    IAM_ROLE: ("name", "arn:aws:iam::{account}:role/{}"),
    IAM_USER: ("name", "arn:aws:iam::{account}:user/{}"),
    IAM_POLICY: ("name", "arn:aws:iam::{account}:policy/{}"),
}
"""Type → the input with its name, and its ARN; a path of IAM is left out."""


@dataclass(frozen=True)
class Made:
    """A resource that the plan makes, and its ARN."""

    resource: Resource
    arn: str

    @property
    def service(self) -> str:
        """As the ARN has it."""
        return self.arn.split(":", 3)[2]


def made_here(inventory: Inventory) -> tuple[Made, ...]:
    """The resources of the plan whose ARNs are known before they are made."""
    return inventory.derived(_made)


def _made(inventory: Inventory) -> tuple[Made, ...]:
    account = str(inventory.settings.get("account") or "*")
    found: list[Made] = []
    for token, (path, pattern) in _NAMED_BY.items():
        for resource in inventory.of_type(token):
            name = read(resource, path)
            if isinstance(name, str) and not is_hidden(name):
                region = resource.region if resource.region and not is_hidden(resource.region) else "*"
                found.append(Made(resource, pattern.format(name, region=region, account=account)))
    return tuple(found)


def reaches(inventory: Inventory, given: Granted) -> Made | None:
    """A resource of the plan, of the action's own service, that an action is allowed on."""
    service = given.action.partition(":")[0]
    for made in made_here(inventory):
        if made.service == service and any(_covers(p, made.arn) for p in given.allowed.resources):
            spared = given.allowed.statement.not_resources or ()
            if not any(arn_covers(p, made.arn) for p in spared):
                return made
    return None


def kept_from(inventory: Inventory, given: Granted) -> Judgement:
    """A finding where an action is allowed on a resource of the plan."""
    made = reaches(inventory, given)
    if made is None:
        return PASS
    found = f"the plan's {made.resource.name} with {given.action}"
    return failed(f"{given.path}.Resource", found, "resources that are not the plan's")


def _covers(pattern: str, arn: str) -> bool:
    """Whether a pattern covers a resource, or something in it, as a bucket's objects."""
    if arn_covers(pattern, arn):
        return True
    return pattern.startswith((f"{arn}/", f"{arn}:")) or (
        arn.startswith("arn:aws:s3:::") and "/" in pattern and arn_covers(pattern.split("/", 1)[0], arn)
    )
