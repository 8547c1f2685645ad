"""SimulatePrincipalPolicy, which moto lacks: what a role's policies and its boundary allow, and no resource's own.

IAM API reference, "SimulatePrincipalPolicy" (as in botocore 1.44.5, read 2026-11-21): resource policies count only
where the caller passes one, which none does here. The keys of a role's session are not told, so that what hinges on
one is not allowed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.sax.saxutils import escape

from common.iam.context import Value
from localcloud.aws.answers import Answer, query_error
from localcloud.aws.iam.judge import Judge

OPERATION = "SimulatePrincipalPolicy"


def simulate(judge: Judge, asked: Mapping[str, str]) -> Answer:
    """Answer the call."""
    arn = asked.get("PolicySourceArn", "")
    if judge.role(arn) is None:
        return query_error("404 Not Found", "NoSuchEntity", f"The role of {arn} cannot be found.")
    context: dict[str, Value] = {}
    for number in range(1, len(asked) + 1):
        entry = f"ContextEntries.member.{number}"
        if f"{entry}.ContextKeyName" in asked:
            context[asked[f"{entry}.ContextKeyName"]] = tuple(_members(asked, f"{entry}.ContextKeyValues"))
    found = [
        (action, resource, judge.simulate(arn, action, resource, context))
        for action in _members(asked, "ActionNames")
        for resource in [*_members(asked, "ResourceArns")] or ["*"]
    ]
    members = "".join(
        f"<member><EvalActionName>{escape(action)}</EvalActionName><EvalResourceName>{escape(resource)}"
        f"</EvalResourceName><EvalDecision>{decision}</EvalDecision><MatchedStatements/><MissingContextValues/></member>"
        for action, resource, decision in found
    )
    body = (
        f'<{OPERATION}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><{OPERATION}Result>'
        f"<IsTruncated>false</IsTruncated><EvaluationResults>{members}</EvaluationResults></{OPERATION}Result>"
        f"</{OPERATION}Response>"
    )
    return Answer("200 OK", "text/xml", body.encode())


def _members(asked: Mapping[str, str], name: str) -> Iterator[str]:
    number = 1
    while (value := asked.get(f"{name}.member.{number}")) is not None:
        yield value
        number += 1
