"""What an account has at most once, and a bootstrap stack would make: what is there already cannot be made again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ops.preflight.aws.reader import AwsReader
from ops.preflight.model import Finding, Unread, missing, ok, unknown
from ops.preflight.wanted import Wanted

_ABSENT = ("NoSuchEntity", "NoSuchEntityException")


def once(reader: AwsReader, wanted: Wanted) -> Iterator[Finding]:
    """Service-linked roles and the provider of GitHub's tokens: free, the stack's own, or somebody else's."""
    for role in wanted.inventory.of_type("aws:iam/serviceLinkedRole:ServiceLinkedRole"):
        service = str(role.get("awsServiceName"))
        try:
            yield _judged(wanted, role.name, f"role of {service}", _role_tags(reader, wanted, service))
        except Unread as error:
            yield unknown(f"role of {service}", error.why, error.remedy)
    for provider in wanted.inventory.of_type("aws:iam/openIdConnectProvider:OpenIdConnectProvider"):
        host = str(provider.get("url")).removeprefix("https://")
        asked = {"OpenIDConnectProviderArn": f"arn:aws:iam::{wanted.account}:oidc-provider/{host}"}
        try:
            found = reader.read("iam", "get_open_id_connect_provider", wanted.region, asked, absent=_ABSENT)
        except Unread as error:
            yield unknown(f"provider {host}", error.why, error.remedy)
            continue
        yield _judged(wanted, "github-oidc", f"provider {host}", None if found is None else found.get("Tags", ()))


def _role_tags(reader: AwsReader, wanted: Wanted, service: str) -> Sequence[Mapping[str, Any]] | None:
    """The tags of a service's role; None where the account has no such role."""
    found = reader.pages("iam", "list_roles", wanted.region, "Roles", {"PathPrefix": f"/aws-service-role/{service}/"})
    if not found:
        return None
    answer = reader.must("iam", "get_role", wanted.region, {"RoleName": found[0]["RoleName"]})
    return answer["Role"].get("Tags", ())


def _judged(wanted: Wanted, thing: str, subject: str, tags: Sequence[Mapping[str, Any]] | None) -> Finding:
    if tags is None:
        return ok(subject, "not there: the stack makes it")
    if {tag["Key"]: tag["Value"] for tag in tags}.get("stack") == wanted.stack:
        return ok(subject, "there, made by this stack")
    remedy = f"Add `{thing}` to already_there in stacks/config/Pulumi.{wanted.stack}.yaml."
    return missing(subject, "there, made by somebody else: it cannot be made again", remedy)
