"""Reads from AWS with the caller's credentials: only the operations named here, each within seconds.

Usage: `AwsReader(aws_session(REAL_CLOUD)).read("eks", "describe_cluster", "eu-west-1", {"name": "seawall-dev"})`.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, HTTPClientError
from botocore.model import OperationModel

from ops.preflight.model import Unread

if TYPE_CHECKING:
    import boto3

READS: Final = frozenset(
    {
        "ec2.DescribeAddresses",
        "ec2.DescribeAvailabilityZones",
        "ec2.DescribeInstanceTypeOfferings",
        "ec2.DescribeInstances",
        "ec2.DescribeVpcEndpoints",
        "ec2.DescribeInternetGateways",
        "ec2.DescribeVpcs",
        "ecr.DescribeImages",
        "ecr.DescribeRepositories",
        "eks.DescribeCluster",
        "eks.DescribeClusterVersions",
        "elbv2.DescribeLoadBalancers",
        "elbv2.DescribeTags",
        "iam.GetOpenIDConnectProvider",
        "iam.GetRole",
        "iam.ListRoles",
        "iam.SimulatePrincipalPolicy",
        "kms.DescribeKey",
        "kms.ListAliases",
        "s3.GetBucketEncryption",
        "s3.GetBucketVersioning",
        "s3.GetObject",
        "s3.HeadBucket",
        "s3.ListBuckets",
        "service-quotas.GetAWSDefaultServiceQuota",
        "service-quotas.GetServiceQuota",
        "sns.ListSubscriptionsByTopic",
        "sts.GetCallerIdentity",
    }
)
"""Every operation that a preflight may call; any other is refused before a request is made."""

DENIED: Final = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403")
CONNECT_SECONDS: Final = 5
READ_SECONDS: Final = 20
_CONFIG: Final = Config(
    connect_timeout=CONNECT_SECONDS,
    read_timeout=READ_SECONDS,
    retries={"mode": "standard", "max_attempts": 3},
    max_pool_connections=16,
)
_ACTIONS: Final[Mapping[str, str]] = {
    "elbv2.DescribeLoadBalancers": "elasticloadbalancing:DescribeLoadBalancers",
    "elbv2.DescribeTags": "elasticloadbalancing:DescribeTags",
    "service-quotas.GetServiceQuota": "servicequotas:GetServiceQuota",
    "service-quotas.GetAWSDefaultServiceQuota": "servicequotas:GetAWSDefaultServiceQuota",
    "s3.HeadBucket": "s3:ListBucket",
    "s3.ListBuckets": "s3:ListAllMyBuckets",
    "s3.GetBucketEncryption": "s3:GetEncryptionConfiguration",
}
"""Operation → the IAM action that lets it, where the two are called differently."""


class NotAReadError(Exception):
    """An operation that is not in `READS`: a fault of the caller's code."""


class AwsReader:
    """Calls to AWS that read.

    Args:
        session: whose credentials are used.
        endpoint_url: a local cloud's address; None for AWS itself.
    """

    def __init__(self, session: boto3.session.Session, endpoint_url: str | None = None) -> None:
        self._session = session
        self._endpoint_url = endpoint_url
        self._clients: dict[tuple[str, str], Any] = {}
        self._making = threading.Lock()  # a session makes one client at a time

    def read(
        self,
        service: str,
        operation: str,
        region: str,
        params: Mapping[str, Any] | None = None,
        *,
        absent: Sequence[str] = (),
    ) -> dict[str, Any] | None:
        """One answer; None where AWS refuses with one of the error codes `absent`.

        Args:
            operation: as boto3 calls it, `describe_vpcs`.

        Raises:
            Unread: denied, not reached, or refused otherwise.
        """
        client = self._client(service, region)
        try:
            return getattr(client, operation)(**(params or {}))
        except ClientError as error:
            if _code(error) in absent:
                return None
            raise _refused(service, client.meta.method_to_api_mapping[operation], region, error) from error
        except BotoCoreError as error:
            raise _failed(service, client.meta.method_to_api_mapping[operation], region, error) from error

    def pages(
        self, service: str, operation: str, region: str, member: str, params: Mapping[str, Any] | None = None
    ) -> list[Any]:
        """All items under `member` of all pages. Raises Unread."""
        client = self._client(service, region)
        name = client.meta.method_to_api_mapping[operation]
        try:
            found = client.get_paginator(operation).paginate(**(params or {}))
            return [item for page in found for item in page.get(member, ())]
        except ClientError as error:
            raise _refused(service, name, region, error) from error
        except BotoCoreError as error:
            raise _failed(service, name, region, error) from error

    def must(
        self, service: str, operation: str, region: str, params: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """One answer that cannot be absent. Raises Unread."""
        return self.read(service, operation, region, params) or {}

    def _client(self, service: str, region: str) -> Any:
        with self._making:
            key = (service, region)
            if key not in self._clients:
                client: Any = self._session.client(  # pyright: ignore[reportCallIssue] - any service
                    service,  # pyright: ignore[reportArgumentType]
                    region_name=region,
                    endpoint_url=self._endpoint_url,
                    config=_CONFIG,
                )
                # On the client, not on the session, whose own calls fetch the credentials (as sts:AssumeRole).
                client.meta.events.register_first("before-call", refuse_writes)
                self._clients[key] = client
            return self._clients[key]


def refuse_writes(model: OperationModel, **_details: Any) -> None:
    """Botocore's `before-call` hook: lets through what is in `READS`.

    Raises:
        NotAReadError: for anything else.
    """
    called = f"{model.service_model.service_name}.{model.name}"
    if called not in READS:
        raise NotAReadError(f"{called} is not a read that the preflight may make")


def action_of(service: str, operation: str) -> str:
    """The IAM action that lets an operation be called."""
    return _ACTIONS.get(f"{service}.{operation}", f"{service}:{operation}")


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


def _refused(service: str, operation: str, region: str, error: ClientError) -> Unread:
    code, message = _code(error), error.response.get("Error", {}).get("Message", "")
    action = action_of(service, operation)
    if code in DENIED:
        return Unread(
            f"{action} is denied in {region}",
            f"Allow the caller `{action}` (AWS's managed policy ReadOnlyAccess does), and run the command again.",
        )
    if code.startswith("ExpiredToken") or code in ("InvalidClientTokenId", "UnrecognizedClientException"):
        return Unread(
            f"{action} in {region}: {code}", "Log in again, as with `aws sso login`; see that the region is on."
        )
    return Unread(f"{action} in {region}: {code}: {message}"[:300], "Fix what it says, and run the command again.")


def _failed(service: str, operation: str, region: str, error: BotoCoreError) -> Unread:
    action = action_of(service, operation)
    if isinstance(error, EndpointConnectionError | HTTPClientError):
        said = f"{action} in {region}: {type(error).__name__}"
        return Unread(said, "Check the network and that the region exists, and run the command again.")
    return Unread(f"{action} in {region}: {error}"[:300], "Fix what it says, and run the command again.")
