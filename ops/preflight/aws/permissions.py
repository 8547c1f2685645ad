"""Whether the caller may manage every type of resource that the stack plans: simulated, never tried.

`iam:SimulatePrincipalPolicy` judges the identity's policies and the organisation's (IAM API reference, as botocore
1.44.5 carries it), not a session's own policy nor a resource's (believed): a role that is narrowed when it is assumed
may do less than this says.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from common.permissions import needed
from common.permissions.aws import AWS, scope_of
from ops.preflight.aws.reader import AwsReader
from ops.preflight.model import Finding, missing, ok, some, unknown
from ops.preflight.wanted import Wanted

ACTIONS_PER_CALL: Final = 50


@dataclass(frozen=True)
class Decision:
    """What the simulation says of one action over all the resources that were asked about."""

    allowed: bool
    explicit: bool = False
    """A statement denies it."""
    by_organization: bool = False
    """The organisation's policies do not allow it."""
    lacks_context: tuple[str, ...] = ()
    """Condition keys that a policy asks about and that the simulation was not given."""


def permissions(reader: AwsReader, wanted: Wanted, principal: str) -> Iterator[Finding]:
    """One finding for each service."""
    unlisted = wanted.types - AWS.keys()
    if unlisted:
        said = f"no permissions are on record for {some(unlisted)}"
        yield unknown("permissions of new types", said, "Add them to common/permissions/aws.py.")
    groups = asked(wanted)
    decisions = simulate(reader, wanted.region, principal, groups)
    untold = {action for actions in groups.values() for action in actions} - decisions.keys()
    if untold:
        said = f"the simulation says nothing of {some(untold)}"
        yield unknown(f"{len(untold)} actions", said, "Run the command again, and try them by hand if it stays so.")
    services: dict[str, dict[str, Decision]] = defaultdict(dict)
    for action, decision in decisions.items():
        services[action.partition(":")[0]][action] = decision
    for service, judged in sorted(services.items()):
        yield _finding(service, judged, principal)


def asked(wanted: Wanted) -> Mapping[frozenset[str], frozenset[str]]:
    """Resources (ARNs, as far as they are planned) → the actions that the stack needs on them."""
    groups: dict[frozenset[str], set[str]] = defaultdict(set)
    for action in needed(AWS, wanted.types & AWS.keys()):
        scope = scope_of(action)
        names = wanted.named(scope.type, scope.named_by) if scope.type else ()
        arns = scope.resources(wanted.account, wanted.regions, names) or frozenset({"*"})
        groups[arns].add(action)
    return {arns: frozenset(actions) for arns, actions in groups.items()}


def simulate(
    reader: AwsReader, region: str, principal: str, groups: Mapping[frozenset[str], Iterable[str]]
) -> dict[str, Decision]:
    """Action → the decision. Raises Unread."""
    decisions: dict[str, Decision] = {}
    for arns, actions in groups.items():
        ordered = sorted(actions)
        for start in range(0, len(ordered), ACTIONS_PER_CALL):
            results = reader.pages(
                "iam",
                "simulate_principal_policy",
                region,
                "EvaluationResults",
                {
                    "PolicySourceArn": principal,
                    "ActionNames": ordered[start : start + ACTIONS_PER_CALL],
                    "ResourceArns": sorted(arns),
                },
            )
            for result in results:  # an action's resources may be told in several
                action, said = str(result["EvalActionName"]), _decision(result)
                decisions[action] = _both(decisions[action], said) if action in decisions else said
    return decisions


def _both(one: Decision, other: Decision) -> Decision:
    return Decision(
        allowed=one.allowed and other.allowed,
        explicit=one.explicit or other.explicit,
        by_organization=one.by_organization or other.by_organization,
        lacks_context=tuple(sorted({*one.lacks_context, *other.lacks_context})),
    )


def _decision(result: Mapping[str, Any]) -> Decision:
    specific: Sequence[Mapping[str, Any]] = result.get("ResourceSpecificResults", ())
    decided = [result["EvalDecision"], *(s["EvalResourceDecision"] for s in specific)]
    lacking = {k for r in (result, *specific) for k in r.get("MissingContextValues", ())}
    organization = result.get("OrganizationsDecisionDetail", {})
    return Decision(
        allowed=all(d == "allowed" for d in decided),
        explicit="explicitDeny" in decided,
        by_organization=organization.get("AllowedByOrganizations") is False,
        lacks_context=tuple(sorted(lacking)),
    )


def _finding(service: str, judged: Mapping[str, Decision], principal: str) -> Finding:
    subject = f"{service}: {len(judged)} actions"
    denied = sorted(a for a, d in judged.items() if not d.allowed and (d.explicit or not d.lacks_context))
    undecided = sorted(a for a, d in judged.items() if not d.allowed and a not in denied)
    if denied:
        barred = [a for a in denied if judged[a].by_organization]
        if barred:
            remedy = f"Ask the organisation's administrator: its policies do not allow {some(barred)}."
        elif any(judged[a].explicit for a in denied):
            remedy = f"Remove the statement that denies {some(a for a in denied if judged[a].explicit)}."
        else:
            remedy = _grant(service, denied, principal)
        return missing(subject, f"not allowed: {some(denied)}", remedy)
    if undecided:
        keys = some({key for action in undecided for key in judged[action].lacks_context})
        remedy = (
            f"Read the conditions on {keys} in the policies of {principal}, or use the deploy role of `bootstrap`."
        )
        return unknown(subject, f"a condition decides on {some(undecided)}", remedy)
    return ok(subject, "allowed")


def _grant(service: str, actions: Sequence[str], principal: str) -> str:
    kind, _, name = principal.partition(":iam::")[2].partition(":")[2].partition("/")
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}
    if name.startswith("aws-reserved/"):
        return f"Add {', '.join(actions)} to the permission set behind {name.rpartition('/')[2]}."
    return (
        f"aws iam put-{kind}-policy --{kind}-name {name.rpartition('/')[2]} --policy-name seawall-{service} "
        f"--policy-document '{json.dumps(document, separators=(',', ':'))}'"
    )
