"""Logins to a stack's registries in both regions, made from the caller's own cloud credentials."""

from __future__ import annotations

import base64

from common.errors import UserError
from components.contracts.vocabulary import Cloud
from ops.images.registry import Login
from stacks import clouds
from stacks.settings import Settings

SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def logins(settings: Settings) -> list[Login]:
    """A login to each region's registry; public registries are read without one.

    Raises:
        UserError: there are no credentials, or they are refused.
    """
    return _aws(settings) if settings.cloud is Cloud.AWS else _gcp(settings)


def _aws(settings: Settings) -> list[Login]:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    found: list[Login] = []
    for region, host in _hosts(settings).items():
        try:
            answer = boto3.session.Session().client("ecr", region_name=region).get_authorization_token()
        except (BotoCoreError, ClientError) as error:
            raise UserError(
                f"ECR gives no login: {error}",
                host,
                "Log in to the account, as with `aws sso login`, with the right ecr:GetAuthorizationToken.",
            ) from error
        data = answer["authorizationData"][0]
        if settings.account not in data.get("proxyEndpoint", ""):
            raise UserError(
                f"the credentials are of another account: {data.get('proxyEndpoint')}",
                f"account {settings.account}",
                "Use credentials of the stack's account.",
            )
        found.append(Login(host, data["authorizationToken"]))
    return found


def _gcp(settings: Settings) -> list[Login]:
    import google.auth
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import Request

    try:
        credentials, _ = google.auth.default(scopes=[SCOPE])
        credentials.refresh(Request())
    except GoogleAuthError as error:
        raise UserError(
            f"there are no Google Cloud credentials: {error}",
            "application default credentials",
            "Run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS.",
        ) from error
    auth = base64.b64encode(f"oauth2accesstoken:{credentials.token}".encode()).decode()
    return [Login(host, auth) for host in _hosts(settings).values()]


def _hosts(settings: Settings) -> dict[str, str]:
    """Region → the host of the stack's registry there."""
    cloud, place = clouds.pick(settings.cloud), settings.place
    return {region: cloud.registry_address(place, region).host for region in (place.region, place.backup_region)}
