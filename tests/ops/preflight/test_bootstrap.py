"""A stack that prepares an account is asked for what it makes, and for nothing that only a platform has."""

from __future__ import annotations

from typing import Any

import pytest

from common.console import Steps
from ops.preflight.asked import aws_questions, gcp_questions
from ops.preflight.gcp.reader import GcpReader
from ops.preflight.model import Answered, Finding, Status
from ops.preflight.runner import run_checks
from ops.preflight.state import Backend, PulumiFiles, Secrets
from ops.preflight.wanted import Wanted
from policies.inventory import Inventory, Resource
from tests.ops.preflight.recorded import (
    DENIED_AWS,
    RecordedAws,
    RecordedGcp,
    Refusal,
    aws_answers,
    gcp_answers,
    serving,
)

NOT_YET = PulumiFiles(Backend("file", "file://~"), Secrets("passphrase", "passphrase"))


def resource(token: str, logical: str, /, **inputs: Any) -> Resource:
    return Resource(urn=f"urn:{token}:{logical}", type=token, name=logical, custom=True, inputs=inputs)


@pytest.fixture
def aws_bootstrap() -> Wanted:
    """An account's state bucket, a service-linked role and the provider of GitHub's tokens."""
    settings = {"cloud": "aws", "account": "111122223333", "region": "eu-north-1"}
    role, provider = (
        "aws:iam/serviceLinkedRole:ServiceLinkedRole",
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
    )
    resources = (
        resource("aws:s3/bucket:Bucket", "state", bucket="seawall-bootstrap-state"),
        resource(role, "autoscaling", awsServiceName="autoscaling.amazonaws.com"),
        resource(provider, "github", url="https://token.actions.githubusercontent.com"),
    )
    return Wanted(Inventory("bootstrap-aws", settings, resources))


@pytest.fixture
def gcp_bootstrap() -> Wanted:
    """A project's state bucket and identity pool."""
    settings = {"cloud": "gcp", "account": "acme", "project_number": "1", "region": "europe-west6"}
    pool = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
    resources = (
        resource("gcp:storage/bucket:Bucket", "state", name="seawall-bootstrap-state"),
        resource(pool, "github", workloadIdentityPoolId="seawall-github"),
    )
    return Wanted(Inventory("bootstrap-gcp", settings, resources))


NOTHING_THERE = {
    "iam.ListRoles": {"Roles": []},
    "iam.GetOpenIDConnectProvider": Refusal("NoSuchEntity"),
}


def ask_aws(wanted: Wanted, answers: dict[str, Any], steps: Steps) -> tuple[Answered, ...]:
    cloud = RecordedAws({**aws_answers(wanted), **NOTHING_THERE, **answers})
    return run_checks(aws_questions(cloud.reader(), wanted, NOT_YET, None).checks, steps)


def found(answered: tuple[Answered, ...], status: Status) -> list[Finding]:
    return [f for check in answered for f in check.findings if f.status is status]


def role(name: str, **tags: str) -> dict[str, Any]:
    about = {
        "Path": "/aws-service-role/x/",
        "RoleName": name,
        "RoleId": "AROA" + "0" * 17,
        "CreateDate": "2026-01-01",
    }
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    return {**about, "Arn": f"arn:aws:iam::111122223333:role/{name}", "Tags": listed}


def test_what_only_a_platform_has_is_not_asked_of_a_bootstrap_stack(aws_bootstrap: Wanted, steps: Steps) -> None:
    answered = ask_aws(aws_bootstrap, {}, steps)
    assert not found(answered, Status.MISSING)
    asked = {check.id for check in answered if any(f.status is Status.OK for f in check.findings)}
    assert asked == {"permissions", "bucket-names", "once-per-account"}


def test_a_role_that_somebody_made_is_to_be_named_as_there(aws_bootstrap: Wanted, steps: Steps) -> None:
    made = role("AWSServiceRoleForAutoScaling")
    there = {"iam.ListRoles": {"Roles": [made]}, "iam.GetRole AWSServiceRoleForAutoScaling": {"Role": made}}
    (told,) = found(ask_aws(aws_bootstrap, there, steps), Status.MISSING)
    assert told.remedy == "Add `autoscaling` to already_there in stacks/config/Pulumi.bootstrap-aws.yaml."


def test_a_role_that_the_stack_made_is_its_own(aws_bootstrap: Wanted, steps: Steps) -> None:
    made = role("AWSServiceRoleForAutoScaling", stack="bootstrap-aws")
    there = {"iam.ListRoles": {"Roles": [made]}, "iam.GetRole AWSServiceRoleForAutoScaling": {"Role": made}}
    assert not found(ask_aws(aws_bootstrap, there, steps), Status.MISSING)


def test_a_provider_that_somebody_made_is_to_be_named_as_there(aws_bootstrap: Wanted, steps: Steps) -> None:
    (told,) = found(ask_aws(aws_bootstrap, {"iam.GetOpenIDConnectProvider": {"Tags": []}}, steps), Status.MISSING)
    assert "`github-oidc`" in told.remedy


@pytest.mark.parametrize("operation", ["iam.ListRoles", "iam.GetOpenIDConnectProvider"])
def test_what_may_not_be_read_of_them_is_unknown(operation: str, aws_bootstrap: Wanted, steps: Steps) -> None:
    told = found(ask_aws(aws_bootstrap, {operation: DENIED_AWS}, steps), Status.UNKNOWN)
    assert any(operation.replace(".", ":") in f.detail for f in told)


@pytest.mark.parametrize(("state", "lacks"), [("ACTIVE", 0), ("DELETED", 1)])
def test_a_pool_that_was_deleted_lately_is_missing(
    state: str, lacks: int, gcp_bootstrap: Wanted, steps: Steps
) -> None:
    path = "GET iam/v1/projects/acme/locations/global/workloadIdentityPools/seawall-github"
    with serving(RecordedGcp({**gcp_answers(gcp_bootstrap), path: {"state": state}})) as target:
        asked = gcp_questions(GcpReader(target, "acme"), gcp_bootstrap, NOT_YET)
        told = found(run_checks(asked.checks, steps), Status.MISSING)
    assert len(told) == lacks
    assert all(f.command.startswith("gcloud iam workload-identity-pools undelete seawall-github") for f in told)
